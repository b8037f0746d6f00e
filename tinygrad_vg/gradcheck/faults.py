"""Derivatives that are wrong on purpose: what a check is worth is what it finds.

A check that passes says little until one knows what it would *not* have passed. So each rule of an op is wrapped in
faults people really make, from a forgotten minus sign to a result rounded to float32, and each such mutant must be
noticed. A mutant changes nothing outside itself: it runs the real op and exchanges the row of the table in the graph
that was just recorded, so it works for composites, any order of derivative, and several threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from tinygrad_vg.checks import Array
from tinygrad_vg.opcases import OpCase, cases_of
from tinygrad_vg.ops import Scattered, cast, stop_gradient
from tinygrad_vg.tensor import RULES, Op, Tensor

__all__ = ["FAULTS", "Fault", "Mutant", "mutants", "plant", "row_of", "rows_reached"]


class Call(NamedTuple):
    """One call of one rule: what a fault has to work with."""

    rules: Sequence[Callable[..., Any]]
    i: int
    g: Any
    out: Any
    args: tuple[Any, ...]
    params: dict[str, Any]
    memory: dict[Any, Any]  # a mutant's own, for those that keep something

    def right(self, **changed: Any) -> Any:
        """The right answer; or what the rule would say to another `g`, `out`, `args`, or for another argument `i`."""
        now = self._replace(**changed)
        return now.rules[now.i](now.g, now.out, *now.args, **now.params)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the argument."""
        return tuple(np.shape(self.args[self.i]))


@dataclass(frozen=True)
class Fault:
    """A way of getting a derivative wrong.

    Attributes
    ----------
    name
        For messages and the table.
    wrong
        From the call of a rule to the wrong answer.
    arguments
        How many array arguments an op needs for the fault to mean anything: with one argument there is no other one
        to confuse it with, and none it could be broadcast against.
    """

    name: str
    wrong: Callable[[Call], Any]
    arguments: int = 1


def _each(change: Callable[[Any], Any]) -> Callable[[Call], Any]:
    """The fault that changes the finished cotangent."""
    return lambda c: _changed(c.right(), change)


def _changed(given: Any, change: Callable[[Any], Any]) -> Any:
    """A cotangent, also a scattered one, changed."""
    return Scattered(change(given.g), given.index) if type(given) is Scattered else change(given)


def _last(v: Any) -> Any:
    """1 at the last element, 0 elsewhere."""
    one = np.zeros(np.shape(v))
    one.flat[-1:] = 1
    return one


def _mean(c: Call) -> Any:
    """Dividing by how many elements were added up, as the gradient of a mean would."""
    sizes = sorted([int(np.prod(c.shape)), int(np.size(c.out))])
    return _changed(c.right(), lambda v: v * (sizes[0] / max(sizes[1], 1)))


def _first(c: Call) -> Any:
    """The first copy where the sum over the copies that broadcasting made is due."""

    def cut(v: Any) -> Any:
        extra = np.ndim(v) - len(c.shape)
        if extra < 0 or np.shape(v) == c.shape or 0 in np.shape(v):
            return v
        v = v[(0,) * extra]
        return v[tuple([slice(0, 1) if n == 1 else slice(None) for n in c.shape])]

    return _changed(c.right(), cut)


def _other(c: Call) -> Any:
    """The rule of the next argument that has one."""
    count = len(c.rules)
    order = [(c.i + step) % count for step in range(1, count)]
    return c.right(i=next((j for j in order if c.rules[j] is not None), c.i))


def _scribble(a: Any) -> None:
    """Change an array, or the array of a Tensor, in place: also a read-only one, if it owns its memory."""
    a = a.data if type(a) is Tensor else a
    if isinstance(a, np.ndarray) and a.size:
        if not a.flags.writeable and a.base is None:
            a.flags.writeable = True
        a.flat[0] += 1e-3  # a view onto read-only memory refuses, and that is noticed, too


def _then_scribbles(on: Callable[[Call], Any]) -> Callable[[Call], Any]:
    """The right answer, and then a change to something that is not the rule's own."""

    def wrong(c: Call) -> Any:
        given = _changed(c.right(), lambda v: v if type(v) is Tensor else np.array(v))
        for a in on(c):
            _scribble(a)
        return given

    return wrong


def _buffered(c: Call) -> Any:
    """Every answer of a shape in the same memory."""

    def keep(v: Any) -> Any:
        if type(v) is Tensor:
            return v
        buffer = c.memory.setdefault((np.shape(v), np.result_type(v)), np.array(v))
        np.copyto(buffer, v)
        return buffer

    return _changed(c.right(), keep)


def _noisy(c: Call) -> Any:
    rng = c.memory.setdefault("rng", np.random.default_rng(0))
    return _changed(c.right(), lambda v: v * (1 + 1e-12 * rng.standard_normal()))


def _cut(c: Call) -> Any:
    """Right, but cut off from inputs and output: the next derivative takes them for constants."""

    def constant(x: Any) -> Any:
        return stop_gradient(x) if type(x) is Tensor else x

    return c.right(out=constant(c.out), args=tuple([constant(a) for a in c.args]))


FAULTS: tuple[Fault, ...] = (
    Fault("sign", _each(lambda v: -v)),
    Fault("zero", _each(lambda v: v * 0.0)),
    Fault("×2", _each(lambda v: v * 2)),
    Fault("×1.01", _each(lambda v: v * 1.01)),
    Fault("×(1+1e-6)", _each(lambda v: v * (1 + 1e-6))),
    Fault("last element ×1.01", _each(lambda v: v * (1 + 0.01 * _last(v)))),
    Fault("absolute value", _each(np.abs)),
    Fault("clipped", _each(lambda v: np.clip(v, -10, 10))),
    Fault("flush below 1e-7", _each(lambda v: np.where(np.less(np.abs(v), 1e-7), 0, v))),
    Fault("+1e-8", _each(lambda v: v + 1e-8)),
    Fault("through float32", _each(lambda v: cast(v, dtype=np.float32))),
    Fault("ignores the cotangent", lambda c: c.right(g=c.g * 0 + 1)),
    Fault("averages the cotangent", lambda c: c.right(g=c.g * 0 + np.mean(c.g) if np.size(c.g) else c.g)),
    Fault("g·|g|", lambda c: c.right(g=c.g * np.abs(c.g))),
    Fault("transpose", _each(np.transpose)),
    Fault("roll", _each(lambda v: np.roll(v, 1))),
    Fault("flip", _each(np.flip)),
    Fault("mean for sum", _mean),
    Fault("first for sum", _first, arguments=2),
    Fault("squeeze", _each(np.squeeze)),
    Fault("swapped arguments", _other, arguments=2),
    Fault("mutates g", _then_scribbles(lambda c: [c.g])),
    Fault("mutates an input", _then_scribbles(lambda c: c.args)),
    Fault("mutates the output", _then_scribbles(lambda c: [c.out])),
    Fault("reuses its memory", _buffered),
    Fault("noise of 1e-12", _noisy),
    Fault("cut from the second derivative", _cut),
)


# ------------------------------------------------------------------------------------------------ planting a fault


def _faulty(row: Op, fault: Fault, argument: int | None) -> Op:
    """A row of the table with a fault in the rule of one argument (None: of all, for ops of any number of them)."""
    memory: dict[Any, Any] = {}
    if argument is None:
        original = row.vjps

        def every(i: int, g: Any, out: Any, *args: Any, **params: Any) -> Any:
            rules = replace(row, vjps=original).rules(len(args))
            return fault.wrong(Call(rules, i, g, out, args, params, memory))  # type: ignore[arg-type]

        return replace(row, vjps=every, needs_args=True)
    rules = list(row.rules(0))

    def one(g: Any, out: Any, *args: Any, **params: Any) -> Any:
        return fault.wrong(Call(row.rules(0), argument, g, out, args, params, memory))  # type: ignore[arg-type]

    rules[argument] = one
    return replace(row, vjps=tuple(rules))


def plant(call: Callable[..., Any], row: Op, faulty: Op) -> Callable[..., Any]:
    """The function `call`, whose graph has another row of the table in the place of `row`."""

    def planted(*args: Any, **words: Any) -> Any:
        start = Tensor(0.0).birth  # whatever is younger was made by the call
        y = call(*args, **words)
        for tensor in _made_since(start, y):
            if tensor.node is not None and tensor.node.op is row:
                tensor.node.op = faulty
        return y

    planted.__name__ = planted.__qualname__ = getattr(call, "__name__", "function")
    return planted


def _made_since(start: int, y: Any) -> Iterator[Tensor]:
    """The tensors of the graph of `y` that are younger than `start`."""
    waiting, seen = list(y) if type(y) in (list, tuple) else [y], set()
    while waiting:
        t = waiting.pop()
        if type(t) is Tensor and t.birth > start and t.birth not in seen:
            seen.add(t.birth)
            yield t
            waiting += t.node.inputs if t.node is not None else ()


@dataclass(frozen=True, eq=False)
class Mutant:
    """An op with one fault in one rule.

    Attributes
    ----------
    name
        What is wrong: ``"sign"``, or ``"sign, argument 1"`` where there are several.
    function
        To be called as the op: the same values, a wrong derivative.
    row
        The row of the table that was changed: the op itself, or one that a composite is made of.
    fault
        Which fault.
    argument
        In the rule of which argument; None in an op of any number of arguments.
    """

    name: str
    function: Callable[..., Any]
    row: Op
    fault: Fault
    argument: int | None
    faulty: Op

    def plant(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """A function that calls the op somewhere, with the fault in it."""
        return plant(call, self.row, self.faulty)

    def __repr__(self) -> str:
        return f"<mutant {self.row.name}: {self.name}>"


def row_of(op: Callable[..., Any]) -> Op | None:
    """The row of the table of a function with rules of its own; None for one that is made of others."""
    row = getattr(RULES.get(op, op), "op", None)
    return row if isinstance(row, Op) else None


def rows_reached(call: Callable[..., Any], args: Sequence[Array]) -> list[Op]:
    """The rows of the table that a call goes through, the last one first."""
    start = Tensor(0.0).birth
    made = sorted(_made_since(start, call(*[Tensor(a) for a in args])), key=lambda t: -t.birth)
    return list(dict.fromkeys([t.node.op for t in made if t.node is not None]))


def mutants(op: Callable[..., Any], *, cases: Sequence[OpCase] | None = None) -> list[Mutant]:
    """The op with its derivative wrong in some twenty ways, each a function like it.

    Parameters
    ----------
    op : callable
        An op of `vg.primitive`, or a function of the table: ``np.exp``, ``vg.softmax``.
    cases : sequence of OpCase, optional
        How it is called. Only a composite that is not in the table needs it: its mutants have a fault in one of the
        ops it is made of.

    Returns
    -------
    list of Mutant
        With ``.name`` and ``.function``. `check_op` must fail for every one that makes a difference.

    Examples
    --------
    >>> import numpy as np, tinygrad_vg as vg
    >>> cube = vg.primitive(lambda x: x**3, (lambda g, out, x: g * 3 * x**2,), name="cube")
    >>> wrong = {m.name: m.function for m in mutants(cube)}
    >>> float(wrong["sign"](vg.Tensor(2.0)).item()), float(vg.grad(wrong["sign"])(2.0))
    (8.0, -12.0)
    """
    row = row_of(op)
    if row is not None:
        return list(mutants_of(row, op))
    rows: dict[Op, None] = {}
    for case in cases_of(op) if cases is None else cases:
        rows |= dict.fromkeys(rows_reached(case.call, case.sample(np.random.default_rng(0), "plain")))
    if not rows:
        raise TypeError(
            f"mutants: {getattr(op, '__name__', op)!r} has no rules of its own; make it with vg.primitive, or give "
            "cases=[OpCase(…)] that call it, and the ops it is made of get the faults"
        )
    found = [m for row in rows for m in mutants_of(row, op)]
    return [replace(m, name=f"{m.name}, in {m.row.name}") for m in found]


def mutants_of(row: Op, op: Callable[..., Any]) -> Iterator[Mutant]:
    """All mutants of one row of the table, as functions like `op`."""
    if row.variadic:
        places: list[int | None] = [None]
        count = 2
    else:
        places = [i for i, rule in enumerate(row.vjps) if rule is not None]  # type: ignore[arg-type]
        count = len(places)
    for fault in FAULTS:
        for argument in places if count >= fault.arguments else ():
            faulty = _faulty(row, fault, argument)
            name = fault.name if len(places) == 1 else f"{fault.name}, argument {argument}"
            yield Mutant(name, plant(op, row, faulty), row, fault, argument, faulty)
