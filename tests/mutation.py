"""What the checks are worth: ``python -m tests.mutation`` plants faults everywhere and counts which ones are noticed.

Three kinds: faults in every rule of the table (`tinygrad_vg.gradcheck.faults`), faults in the sweep that calls the
rules, and faults in the forwards. Every mutant must be killed by `check_op`, but for those that
`equivalent_mutants.txt` lists with the reason why they change nothing. Beside it stand two policies that are in use
elsewhere, on the same samples. Fixed seeds, no Hypothesis, no shrinking.
"""

import inspect
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np

import tinygrad_vg as vg
from tinygrad_vg import autodiff, ops
from tinygrad_vg.gradcheck.faults import FAULTS, mutants_of, rows_reached
from tinygrad_vg.gradcheck.properties import Broken, _found, differs, first_failure, of_case, subjects_of
from tinygrad_vg.opcases import CASES, OpCase
from tinygrad_vg.tensor import RULES, Op, Tensor

LIST = Path(__file__).with_name("equivalent_mutants.txt")
SEED = 0


class Outcome(NamedTuple):
    """What became of one mutant."""

    kind: str  # rule, sweep, forward
    op: str
    fault: str
    by: str  # the property that noticed it; "" if none did
    effective: bool
    torch: bool  # whether these policies noticed it
    minitorch: bool


# ----------------------------------------------------------------------------------------------- which cases reach what


@cache
def rows():
    """Every row of the table that has a rule, in order of name: also those that only stand behind composites."""
    things = [*vars(ops).values(), *RULES.values()]
    found = {thing.op for thing in things if isinstance(getattr(thing, "op", None), Op)}
    found = [row for row in found if row.variadic or any(rule is not None for rule in row.vjps)]
    return sorted(found, key=lambda row: (row.name, str(row.forward)))


@cache
def subjects():
    return [of_case(case) for case in (*CASES, *MORE)]


MORE = [  # scatter stands behind getitem, where its pieces are matrices and single rows, too
    OpCase(
        "scatter of rows",
        ops.scatter,
        lambda x, y: np.concatenate([y, x]),
        ("23", "13"),
        call=lambda x, y: ops.scatter(x, y, indices=(slice(1, None), slice(0, 1)), shape=(3, 3)),
    )
]


@cache
def cases_by_row():
    """For each row the cases that end with it, then, in case these are few, some that merely go through it."""
    last, through = {}, {}
    for subject in subjects():
        reached = rows_reached(subject.call, subject.samples(SEED)[0].args)
        for n, row in enumerate(reached):
            (through if n else last).setdefault(row, []).append(subject)
    return {row: (last.get(row, []) + through.get(row, []))[: max(len(last.get(row, [])), 4)] for row in rows()}


# ------------------------------------------------------------------------------------- policies in use elsewhere


@cache
def differences(subject, n, fault=""):
    """Central differences with a step of 1e-6: of every element of the value by every element of each argument.

    Computed once, and once more for each `fault` in the forward.
    """
    (sample, *_) = subject.samples(SEED)[n:]
    jacobians = []
    for k, a in enumerate(sample.args):
        columns = []
        for i in range(a.size):
            ends = []
            for step in (1e-6, -1e-6):
                moved = [np.array(b) for b in sample.args]
                moved[k].flat[i] += step
                ends.append(subject.call(*map(Tensor, moved)).data.ravel())
            columns.append((ends[0] - ends[1]) / 2e-6)
        jacobians.append(np.array(columns).reshape(a.size, sample.plain.size))
    return jacobians


def like_torch(subject, wrong, fault=""):
    """torch.autograd.gradcheck: all entries of the Jacobian, atol 1e-5, rtol 1e-3, backward twice bit-identical."""
    for n, sample in enumerate(wrong.samples(SEED)):
        xs, y = sample.graph()
        for j in range(y.size):
            unit = np.zeros(y.shape)
            unit.flat[j] = 1
            found, again = [vg.backprop(y, unit, wrt=xs) for _ in range(2)]
            for x, expected in zip(xs, differences(subject, n, fault), strict=True):
                if not np.array_equal(found[x], again[x]):
                    raise Broken("not deterministic")
                if not np.allclose(found[x].ravel(), expected[:, j], rtol=1e-3, atol=1e-5):
                    raise Broken("another Jacobian")


def like_minitorch(subject, wrong, fault=""):
    """minitorch's grad_check: one random element of each argument, of the summed value, rtol and atol 1e-2."""
    for n, sample in enumerate(wrong.samples(SEED)):
        xs, y = sample.graph()
        found = vg.backprop(y, np.ones(y.shape), wrt=xs)
        for x, expected in zip(xs, differences(subject, n, fault), strict=True):
            if x.size and y.size:
                i = int(sample.rng().integers(x.size))
                if not np.allclose(found[x].ravel()[i], expected[i].sum(), rtol=1e-2, atol=1e-2):
                    raise Broken("another gradient")


@cache
def holds(subject):
    """Whether the right function has every property: else a mutant's failure would say nothing."""
    return first_failure(subject, SEED) is None


@cache
def false_alarm(policy, subject):
    """Whether a policy complains of the right function: then its complaint of a wrong one says nothing."""
    return _found(partial(policy, subject, subject)) is not None


def noticed(policy, pairs, fault=""):
    return any(_found(partial(policy, right, wrong, fault)) is not None for right, wrong in pairs if right.smooth)


def judged(kind, op, fault, pairs, effective=lambda: True):
    """Run the property test and the two policies on pairs of the right and the wrong function."""
    failure = next(filter(None, (first_failure(wrong, SEED) for _, wrong in pairs)), None)
    which = f"{op} {fault}" if kind == "forward" else ""
    return Outcome(
        kind,
        op,
        fault,
        failure.property if failure else "",
        failure is not None or effective(),
        noticed(like_torch, pairs, which),
        noticed(like_minitorch, pairs, which),
    )


# ------------------------------------------------------------------------------------------------ faults in the rules


def label(row):
    """The name of a row; a test holds that no two are alike."""
    return row.name


def rule_mutants(n):
    """All faults in all rules of row `n`."""
    row = rows()[n]
    sound = cases_by_row()[row]
    for s in sound:  # then what they say of a wrong rule is due to the fault
        assert holds(s)
        assert not s.smooth or not false_alarm(like_torch, s)
        assert not s.smooth or not false_alarm(like_minitorch, s)
    found = []
    for mutant in mutants_of(row, lambda *args: None):
        pairs = [(s, s.planted(mutant)) for s in sound]
        effective = partial(lambda m, pairs: any(differs(s, m, SEED) for s, _ in pairs), mutant, pairs)
        found.append(judged("rule", label(row), mutant.name, pairs, effective))
    return found


# --------------------------------------------------------------------------------------------- faults in the forwards

FORWARD = {
    "×(1+1e-9)": lambda y: y * (1 + 1e-9),
    "+1e-9": lambda y: y + 1e-9,
    "through float32": lambda y: y.astype(np.float32).astype(y.dtype),
}


@contextmanager
def changed(thing, name, value):
    """An attribute with another value, for a while."""
    before = getattr(thing, name)
    object.__setattr__(thing, name, value)
    try:
        yield
    finally:
        object.__setattr__(thing, name, before)


def forward_mutants(n):
    """Faults in the forward of row `n`."""
    row = rows()[n]
    found = []
    for fault, wrong in FORWARD.items():
        right = row.forward
        with changed(row, "forward", lambda *a, right=right, wrong=wrong, **p: wrong(np.asarray(right(*a, **p)))):
            pairs = [(s, s) for s in cases_by_row()[row]]
            found.append(judged("forward", label(row), fault, pairs))
    return found


# ------------------------------------------------------------------------------------------------ faults in the sweep


def diamond(x, y):
    """Every node used several times, one of them by neighbours of different age."""
    a = np.sin(x)
    b = a * y
    c = np.exp(b) + a
    return c * a + b


def deep(x):
    """Twelve layers that each take more than a factor of 4: cotangents from 1 down to 1e-9."""
    for _ in range(12):
        x = vg.sigmoid(x) * 0.9 - 0.3
    return x


def pieces(x):
    """The same elements taken by slices, by index arrays, and whole."""
    return x[0] * x[1] + np.sum(x[[0, 2, 2]] * x[[1, 0, 1]]) + x[1:][1] ** 2 + np.sum(x) * x[2]


def repeated(x):
    """The same operand on both sides."""
    return x * x + np.maximum(x, 0.5) @ x + np.concatenate([x, x])[1] * x


def stretched(x, w, b):
    """A layer, whose bias and weights are broadcast over rows and batches."""
    return np.tanh(x @ w + b) * b


def mixed(x, y):
    """A constant between variables, and a branch that leads nowhere."""
    np.exp(x)
    return np.hypot(x, 2.0) / (y + 3.0) - x


POINTS = np.random.default_rng(7)
SWEEP = [
    (diamond, [(0.3, 0.7), (POINTS.normal(size=(2, 3)), POINTS.normal(size=3))]),
    (deep, [0.4, POINTS.normal(size=3)]),
    (pieces, [POINTS.normal(size=3)]),
    (repeated, [POINTS.normal(size=3)]),
    (stretched, [(POINTS.normal(size=(2, 4, 3)), POINTS.normal(size=(3, 2)), POINTS.normal(size=2))]),
    (mixed, [(0.5, -0.7), (POINTS.normal(size=(2, 1)), POINTS.uniform(size=(1, 3)))]),
]

# Each is a change of the source of one function of autodiff.py, made by its text: what stands there now, what instead.
WIRING = {
    "overwrite for accumulate": (
        "_sweep",
        "pending[parent.birth] = (parent, total + given, True)",
        "pending[parent.birth] = (parent, given, True)",
    ),
    "double count": ("_sweep", "(parent, total + given, True)", "(parent, total + 2 * given, True)"),
    "no order": ("_sweep", "birth = -heappop(ready)", "birth = -ready.pop()"),
    "oldest first": ("_sweep", "birth = -heappop(ready)", "birth = -ready.pop(ready.index(max(ready)))"),
    "skip tiny": (
        "_sweep",
        "given = _fit(given, parent, node, tensor)",
        "given = _fit(given, parent, node, tensor)\\\n"
        "    if type(given) is not np.ndarray else np.where(abs(x := _fit(given, parent, node, tensor)) < 1e-12, 0, x)",
    ),
    "drop a parent": ("_sweep", "or rule is None:", "or rule is None or (len(emitted) and emitted[-1] is not None):"),
    "the same parent once": ("_sweep", "or rule is None:", "or rule is None or parent in node.inputs[: len(emitted)]:"),
    "seed ignored": (
        "_seed",
        "array = leaf_array(seed).astype(root.dtype)",
        "array = np.ones(root.shape, root.dtype)",
    ),
    "called twice": (
        "_sweep",
        "given = rule(g, out, *args, **params)",
        "given = [rule(g, out, *args, **params) for _ in range(2)][1]",
    ),
    "adds into borrowed memory": ("_sweep", "elif before[2] and type", "elif type"),
    "takes any answer for its own": ("_sweep", "fresh = type(given) is np.ndarray and", "fresh = True or"),
    "no un-broadcast": ("_fit", "given = sum_to(given, want.shape)", "given = given"),
    "first for sum": ("_fit", "given = sum_to(given, want.shape)", "given = np.resize(given, want.shape)"),
    "no cast": ("_fit", "given = cast(given, dtype=want.dtype)", "given = given"),
    "last of the scattered pieces": (
        "_gather",
        "for piece in pieces",
        "for piece in pieces[-1:]",
        "*[piece.g",
        "*[piece.g",
    ),
    "stops one too early": ("_sweep", "parent.birth < oldest", "parent.birth <= oldest"),
    "hands out the sweep's own memory": (
        "_given",
        "owned and type(cotangent) is np.ndarray",
        "type(cotangent) is np.ndarray",
    ),
    "records nothing": ("_sweep", "(tensor, node._variables())", "(tensor, node.values)"),
}


def first_copy(x, shape):
    """Stands for `sum_to`: the first of the copies that broadcasting made, where their sum is due."""
    x = x[(0,) * (np.ndim(x) - len(shape))]
    return x[tuple(slice(0, 1) if n == 1 else slice(None) for n in shape)]


def rewired(name):
    """The function of autodiff.py with the fault in it, and its name."""
    function, old, new = WIRING[name][:3]
    source = inspect.getsource(getattr(autodiff, function))
    if old not in source:
        raise AssertionError(f"wiring mutant {name!r}: {old!r} no longer stands in {function}; bring WIRING in step")
    scope = dict(vars(autodiff))
    exec(compile(source.replace(old, new), f"<{name}>", "exec"), scope)
    made = scope[function]
    return function, type(made)(made.__code__, vars(autodiff), function, made.__defaults__, None), made.__kwdefaults__


def calls_once():
    """Each rule is called once for each use, however many paths lead there."""
    seen = []
    probe = vg.primitive(np.sin, (lambda g, out, x: seen.append(1) or g * np.cos(x),), name="probe")
    x = Tensor(0.5)
    a = probe(x)
    vg.backprop(a * a + np.exp(a) * a)
    if len(seen) != 1:
        raise Broken(f"the rule was called {len(seen)} times")


def sweep_subjects():
    return [subject for f, samples in SWEEP for subject in subjects_of(f, samples=samples, reference=f)]


def wiring_mutants(names):
    """Faults in the sweep."""
    found = []
    checks = sweep_subjects()
    for check in checks:  # with the right sweep, so that what comes next is due to the fault
        assert first_failure(check, SEED) is None
        assert not false_alarm(like_torch, check)
        assert not false_alarm(like_minitorch, check)
    with changed(ops, "sum_to", first_copy):
        found.append(judged("sweep", "rules", "first for sum", [(s, s) for s in checks]))
    for name in names:
        function, made, defaults = rewired(name)
        made.__kwdefaults__ = defaults
        with changed(autodiff, function, made):
            outcome = judged("sweep", "sweep", name, [(s, s) for s in checks])
            if not outcome.by and _found(calls_once):
                outcome = outcome._replace(by="each rule once")
        found.append(outcome)
    return found


# ------------------------------------------------------------------------------------------------------ the whole run


def listed():
    """The committed equivalents: (op, fault) -> reason."""
    lines = [line for line in LIST.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    entries = [tuple(part.strip() for part in line.split("|")) for line in lines]
    return {(op, fault): reason for op, fault, reason in entries}


def _job(job):
    kind, what = job
    return {"rule": rule_mutants, "forward": forward_mutants, "sweep": wiring_mutants}[kind](what)


def run(processes=2, progress=lambda done, total: None):
    """All mutants; about 2,300."""
    everything = range(len(rows()))
    for name in WIRING:
        rewired(name)  # complain at once where the source has changed
    jobs = [("sweep", list(WIRING)), *[("rule", n) for n in everything], *[("forward", n) for n in everything]]
    jobs.sort(key=lambda job: -len(cases_by_row()[rows()[job[1]]]) if job[0] == "rule" else 0)
    found = []
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        for n, outcomes in enumerate(pool.map(_job, jobs)):
            found += outcomes
            progress(n + 1, len(jobs))
    return found


def survivors(outcomes):
    return {(o.op, o.fault): o for o in outcomes if not o.by}


def table(outcomes):
    """Killed and survived by fault, and what the two policies would have killed."""
    order = [*[("rule", f.name) for f in FAULTS], *[("forward", f) for f in FORWARD], *[("sweep", f) for f in WIRING]]
    lines = [("", "fault", "mutants", "killed", "equivalent", "MISSED", "PyTorch-like", "minitorch-like")]
    totals = Counter()
    for kind, fault in order:
        group = [o for o in outcomes if o.kind == kind and o.fault.split(", argument")[0] == fault]
        count = Counter(
            mutants=len(group),
            killed=sum(bool(o.by) for o in group),
            equivalent=sum(not o.by and not o.effective for o in group),
            missed=sum(not o.by and o.effective for o in group),
            torch=sum(o.torch for o in group),
            minitorch=sum(o.minitorch for o in group),
        )
        totals += count
        lines.append(
            (kind, fault, *[str(count[c]) for c in ("mutants", "killed", "equivalent", "missed", "torch", "minitorch")])
        )
    lines.append(
        ("all", "", *[str(totals[c]) for c in ("mutants", "killed", "equivalent", "missed", "torch", "minitorch")])
    )
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines)


def complaints(outcomes, known=None):
    """What is wrong: mutants that were missed, equivalents without a reason, entries of the list no longer needed."""
    left, known = survivors(outcomes), listed() if known is None else known
    found = [
        f"MISSED {o.kind} {o.op} | {o.fault}: other gradients, and nothing noticed"
        for o in left.values()
        if o.effective
    ]
    found += [
        f"NOT LISTED {op} | {fault}: never differed; say why"
        for (op, fault), o in left.items()
        if not o.effective and (op, fault) not in known
    ]
    found += [
        f"NO LONGER NEEDED {op} | {fault}: it is noticed, take it off the list"
        for op, fault in known.keys() - left.keys()
    ]
    return found


def told(done, total):
    if sys.stderr.isatty():
        print(f"\r{done}/{total}", end="\n" if done == total else "", file=sys.stderr, flush=True)


def main():
    start = time.perf_counter()
    outcomes = run(progress=told)
    print(table(outcomes))
    by = Counter(o.by for o in outcomes if o.by)
    print("\nnoticed first by: " + ", ".join(f"{name} {n}" for name, n in by.most_common()))
    wrong = complaints(outcomes)
    print("\n".join(wrong))
    effective = [o for o in outcomes if o.by or o.effective]
    killed, seconds = sum(bool(o.by) for o in effective), time.perf_counter() - start
    print(f"{killed} of {len(effective)} effective mutants killed in {seconds:.0f} s")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
