"""The node certificate: every fault planted in layer 1 of a deep network is found and named, and nothing else is."""

import functools
import re
from operator import attrgetter

import numpy as np
import pytest

import tinygrad_vg as vg
from tinygrad_vg import autodiff
from tinygrad_vg.gradcheck import GradientMismatch, Verdict, certificate
from tinygrad_vg.gradcheck.certificate import certify_backward

DEPTHS = (6, 12, 24)

# Generic faults: of a right answer `right(g)`, the cotangent g, and what came in, make a wrong one.
FAULTS = {
    "sign": lambda right, g: -right(g),
    "zero": lambda right, g: 0 * right(g),
    "one percent": lambda right, g: 1.01 * right(g),
    "one in a million": lambda right, g: (1 + 1e-6) * right(g),
    "one in ten million": lambda right, g: (1 + 1e-7) * right(g),
    "ignores g": lambda right, g: right(np.ones_like(g)),
    "g times |g|": lambda right, g: right(g * np.abs(g)),
    "flush": lambda right, g: np.where(np.abs(right(g)) < 1e-7, 0, right(g)),
    "shift": lambda right, g: right(g) + 1e-8,
    "float32": lambda right, g: right(g).astype(np.float32),
    "transpose": lambda right, g: right(g).T if right(g).shape == right(g).T.shape else right(g),
    "roll": lambda right, g: np.roll(right(g), 1),
    "flip": lambda right, g: np.flip(right(g)),
    "mean for sum": lambda right, g: right(g) / 3,
    "one element": lambda right, g: right(g) * np.where(np.arange(right(g).size).reshape(right(g).shape) == 1, 2, 1),
}


def planted(honest, fault, argument=0):
    """A copy of an op of the table with one rule at fault."""
    op = honest.op if hasattr(honest, "op") else vg.tensor.RULES[honest].op

    def wrong(g, out, *args, **params):
        return FAULTS[fault](lambda g: np.array(op.vjps[argument](g, out, *args, **params)), g)

    rules = [wrong if i == argument else rule for i, rule in enumerate(op.vjps)]
    return vg.primitive(op.forward, tuple(rules), name="planted", analytic=op.analytic)


def swapped(honest):
    """A copy of an op of two arguments with its rules exchanged."""
    op = vg.tensor.RULES[honest].op
    rules = [lambda g, out, x, y, rule=rule: rule(g, out, x, y) for rule in reversed(op.vjps)]
    return vg.primitive(op.forward, tuple(rules), name="planted")


def mlp(depth, *, width=2, batch=2, seed=0, spread=1.0, **first):
    """The loss of a sigmoid network, with other ops in layer 1, and the tensors of layer 1."""
    rng = np.random.default_rng(seed)
    a, leaves = vg.Tensor(rng.normal(size=(batch, width)), name="X"), []
    leaves.append(a)
    for layer in range(1, depth + 1):
        ops = {"matmul": np.matmul, "add": np.add, "sigmoid": vg.sigmoid, **(first if layer == 1 else {})}
        w = vg.Tensor(spread * rng.normal(size=(width, width)) / np.sqrt(width), name=f"w{layer}")
        b = vg.Tensor(rng.normal(size=width), name=f"b{layer}")
        leaves += [w, b]
        with vg.name_scope(f"layer {layer}"):
            z = ops["add"](ops["matmul"](a, w), b)
            a = ops["sigmoid"](z).named(f"a{layer}")
    return vg.nn.losses.quadratic(a, rng.random(a.shape)), leaves


def chain(depth, **first):
    """The loss of one neuron after the other."""
    return mlp(depth, width=1, batch=1, **first)


@functools.cache
def honest_gradients(build, depth):
    loss, leaves = build(depth)
    found = vg.backprop(loss)
    return [found[leaf] for leaf in leaves]


def is_effective(build, depth, loss, leaves):
    """Whether the fault changes any gradient at all."""
    found = vg.backprop(loss)
    return any(not np.array_equal(found[t], g) for t, g in zip(leaves, honest_gradients(build, depth), strict=True))


def guilty(report):
    return [r for r in report.inputs if not r]


def total(report, verdict):
    return sum(r.counts[verdict] for r in report.inputs)


KNOWN = {}


@pytest.fixture
def memory(monkeypatch):
    """Remembers what was found of a node: in a hundred networks that differ in layer 1, look at the others once."""
    look = certificate._Check.report

    def remembered(self, *settings):
        arrays = [self.base, self.g, self.c, *self.values]
        key = (self.name, self.op.forward, self.exponent, *settings, *[np.asarray(a).tobytes() for a in arrays])
        if key not in KNOWN:
            KNOWN[key] = look(self, *settings)
        return KNOWN[key]

    monkeypatch.setattr(certificate._Check, "report", remembered)


OPS = [
    ("sigmoid", vg.sigmoid, 0),
    ("matmul", np.matmul, 0),
    ("matmul", np.matmul, 1),
    ("add", np.add, 0),
    ("add", np.add, 1),
]


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("build", [mlp, chain])
def test_an_honest_network_passes_with_nothing_unresolved(build, depth):
    for seed in range(3):
        report = certify_backward(build(depth, seed=seed)[0], seed=seed)
        assert not report.notes
        assert all(r.counts[Verdict.PASS] == r.checked == r.size for r in report.inputs)
        assert len(report.inputs) >= 5 * depth


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("build", [mlp, chain])
@pytest.mark.parametrize(("place", "op", "argument"), OPS)
def test_every_fault_planted_in_layer_1_is_found_and_named(depth, build, place, op, argument, memory):
    found = 0
    for fault in FAULTS:
        loss, leaves = build(depth, **{place: planted(op, fault, argument)})
        report = certify_backward(loss, raises=False)
        assert not [fault for fault in report.faults if "is not linear" not in fault]
        assert total(report, Verdict.UNRESOLVED) == total(report, Verdict.KINK) == 0, f"{fault}\n{report}"
        if not is_effective(build, depth, loss, leaves):
            assert report, f"false alarm: {fault}\n{report}"
            continue
        found += 1
        assert len(guilty(report)) == 1, f"{fault}\n{report}"
        (row,) = guilty(report)
        assert row.name.startswith("layer 1/planted"), fault
        assert f"argument {vg.tensor.RULES.get(op, op).op.names[argument]} = " in row.name
        assert row.path.startswith("planted")
        assert row.path.endswith("C")
    assert found >= (7 if build is chain else 12)


@pytest.mark.parametrize("depth", DEPTHS)
def test_exchanged_arguments_are_found(depth):
    loss, _ = mlp(depth, matmul=swapped(np.matmul))
    report = certify_backward(loss, raises=False)
    assert len(guilty(report)) == 2
    with pytest.raises(GradientMismatch, match=r"layer 1/planted .*argument x2 = 'w1'") as caught:
        certify_backward(loss)
    assert caught.value.report == report


# ------------------------------------------------------------------------------------------------------- large layers


def mnist_like(**first):
    """The loss of a 784–30–10 network on a batch of 10 images, a quarter of the pixels not black."""
    rng = np.random.default_rng(0)
    images = rng.random((10, 784)) * (rng.random((10, 784)) < 0.25)
    ops = {"matmul": np.matmul, "add": np.add, "sigmoid": vg.sigmoid, **first}
    w1, b1 = vg.Tensor(rng.normal(size=(784, 30)) / 28, name="w1"), vg.Tensor(rng.normal(size=30), name="b1")
    w2, b2 = vg.Tensor(rng.normal(size=(30, 10)) / 5, name="w2"), vg.Tensor(rng.normal(size=10), name="b2")
    a = ops["sigmoid"](ops["add"](ops["matmul"](images, w1), b1))
    return vg.nn.losses.cross_entropy(a @ w2 + b2, np.arange(10)), [w1, b1, w2, b2]


def test_a_large_layer_takes_no_time_and_the_report_says_what_was_looked_at():
    report = certify_backward(mnist_like()[0])
    assert total(report, Verdict.UNRESOLVED) == 0
    (w1,) = [r for r in report.inputs if r.name.endswith("'w1'")]
    assert w1.how.startswith("8 directions and the elements [")
    assert w1.checked >= 8 + 3
    assert f"{w1.name}: {w1.how}" in report.notes
    assert f"Note: {w1.name}" in str(report)


@pytest.mark.parametrize(
    ("place", "op", "argument"), [("sigmoid", vg.sigmoid, 0), ("matmul", np.matmul, 1), ("add", np.add, 0)]
)
def test_faults_in_a_large_layer_are_found(place, op, argument):
    loss, leaves = mnist_like()
    honest = list(vg.backprop(loss, wrt=leaves).values())
    for fault in FAULTS:
        loss, leaves = mnist_like(**{place: planted(op, fault, argument)})
        report = certify_backward(loss, raises=False)
        same = all(np.array_equal(a, b) for a, b in zip(vg.backprop(loss, wrt=leaves).values(), honest, strict=True))
        assert bool(report) == same, fault
        assert same or [r.name.split()[0] for r in guilty(report)] == ["planted"], fault


def test_saturated_units_are_certified_by_the_complex_step_and_only_where_the_op_is_analytic():
    x = vg.Tensor([-800.0, -40.0, 35.0, 40.0, 83.0])
    assert total(certify_backward(np.sum(vg.sigmoid(x))), Verdict.PASS) >= 9  # and σ′(−800) is 0
    textbook = lambda g, out, z: g * out * (1 - out)  # 0 at z = 40, and 0.1 % off at 30
    for analytic, verdict in ((True, Verdict.FAIL), (False, Verdict.UNRESOLVED)):
        wrong = vg.primitive(vg.sigmoid.op.forward, (textbook,), name="textbook", analytic=analytic)
        report = certify_backward(np.sum(wrong(vg.Tensor([35.0]))), raises=False)
        assert report.inputs[-1].counts[verdict] == 1


# ----------------------------------------------------------------------------------------------------------- the wiring


def a_knot():
    """A loss in which tensors are used several times, whole, in slices and broadcast, under tiny gradients."""
    rng = np.random.default_rng(5)
    x, w, b = (vg.Tensor(rng.normal(size=s), name=n) for s, n in (((3, 4), "x"), ((4, 4), "w"), ((4,), "b")))
    h = np.tanh(x @ w + b).named("h")
    k = vg.sigmoid(h * h + h + x).named("k")
    tiny = np.sum(1e-9 * np.sin(k[:, 1:] * k[1, 1:]) * b[1:]) * 1e-3
    return (np.sum((k + k) @ w * b) + np.sum(k[[0, 0, 2]] * h) + tiny).named("C"), [x, w, b]


def sweep(root, seed=None, *, trace=None, mutant=""):
    """Backprop written out once more, with the mistakes one can make in it."""
    g = np.ones_like(root.data) if seed is None or mutant == "seed ignored" else np.full(root.shape, float(seed))
    pending, found = {root: g}, {}
    young = attrgetter("birth")
    while pending:
        tensor = (min if mutant == "no order" else max)(pending, key=young)
        g = pending.pop(tensor)
        found[tensor] = g if mutant != "a leaf doubled" or tensor.node else 2 * g
        node = tensor.node
        if node is None or (mutant == "a node skipped" and tensor.name == "h"):
            continue
        emitted, direct = [], []
        for i, (parent, rule) in enumerate(zip(node.inputs, node.op.rules(len(node.inputs)), strict=True)):
            if type(parent) is not vg.Tensor or rule is None:
                emitted.append(None)
                continue
            given = rule(g, tensor.data, *(node.values if node.op.needs_args else ()), **node.params)
            if mutant == "called twice":
                given = rule(g, tensor.data, *node.values, **node.params)
            if isinstance(given, autodiff.Scattered):
                piece, given = given, np.zeros(parent.shape)
                np.add.at(given, piece.index, piece.g)
            given = np.asarray(autodiff.sum_to(np.asarray(given), parent.shape))
            if mutant == "through float32":
                given = given.astype(np.float32).astype(np.float64)
            emitted.append(given)
            direct.append((i, parent, given))
        for i, parent, given in direct:
            if (mutant == "a parent dropped" and i == 1 and len(direct) > 1) or (
                mutant == "tiny skipped" and np.max(np.abs(given)) < 1e-7
            ):
                pending.setdefault(parent, np.zeros(parent.shape))
            elif parent not in pending or mutant == "overwritten":
                pending[parent] = given.copy() if mutant != "aliased" else given
            elif mutant == "aliased":
                pending[parent] += given
            elif mutant != "first wins":
                pending[parent] = pending[parent] + given
            if mutant == "counted double" and i == 1 and parent is node.inputs[0]:
                pending[parent] = pending[parent] + given
        if trace is not None:
            trace(node, g, tuple(emitted))
    return found


WIRING = {
    "seed ignored": "the cotangent of the loss",
    "no order": "was visited",
    "a leaf doubled": "cotangent of 'x'",
    "a node skipped": "tanh 'h' .* was visited 0 times",
    "called twice": "was called 2 times",
    "through float32": "is not what the rule gave",
    "a parent dropped": "is not the sum",
    "tiny skipped": "is not the sum",
    "overwritten": "is not the sum",
    "aliased": "is not",
    "first wins": "is not the sum",
    "counted double": "is not the sum",
}


def test_an_honest_sweep_written_out_once_more_passes_bit_for_bit():
    for loss in (a_knot()[0], mlp(6)[0]):
        assert certify_backward(loss, _backprop=sweep)
        assert certify_backward(loss)


@pytest.mark.parametrize("mutant", WIRING)
def test_mistakes_in_the_sweep_are_found(mutant):
    with pytest.raises(GradientMismatch, match="WIRING") as caught:
        certify_backward(a_knot()[0], _backprop=functools.partial(sweep, mutant=mutant))
    faults = caught.value.report.faults
    assert any(re.search(WIRING[mutant], fault) for fault in faults), faults
    assert mutant == "seed ignored" or "path: " in faults[0]


def test_a_mistake_of_backward_alone_is_found(monkeypatch):
    honest = autodiff._sweep

    def doubled(root, seed, **settings):
        for tensor, g, owned in honest(root, seed, **settings):
            yield tensor, (g if "trace" in settings or tensor.name != "w" else 2 * g), owned

    monkeypatch.setattr(autodiff, "_sweep", doubled)
    report = certify_backward(a_knot()[0], raises=False)
    assert len(report.faults) == 1
    assert report.faults[0].startswith("in backward(): the cotangent of 'w' is not the sum")


def test_a_rule_that_ignores_a_cotangent_of_one_is_found():
    for rule in (lambda g, out, x: np.cos(x) + 0 * g, lambda g, out, x: g * np.abs(g) * np.cos(x)):
        loss = vg.primitive(np.sin, (rule,), name="planted")(vg.Tensor(0.3, name="x"))
        report = certify_backward(loss, raises=False)
        assert all(report.inputs)
        assert "planted (node 1 of 1): the rule for argument x1, 'x', is not linear" in report.faults[0]


def test_a_rule_that_changes_what_it_was_given_is_found():
    def spoil(g, out, x):
        g *= 2
        return g / 2 * np.cos(x)

    x = vg.Tensor([0.3, 0.4])
    report = certify_backward(np.sum(vg.primitive(np.sin, (spoil,), name="spoils")(x) * x), raises=False)
    assert any("spoils" in fault and "changes the cotangent" in fault for fault in report.faults)


def test_a_missing_rule_beside_others_is_found_and_a_cut_is_told():
    half = vg.primitive(np.multiply, (lambda g, out, x, y: g * y, None), name="half")
    x, y = vg.Tensor([2.0, 3.0], name="x"), vg.Tensor([0.0, 1.0], name="y")
    report = certify_backward(np.sum(half(x, y)), raises=False)
    assert [r.name for r in guilty(report)] == ["half (node 1 of 2), argument x2 = 'y'"]
    report = certify_backward(np.sum(x * vg.stop_gradient(y)))
    assert ["stop_gradient" in note and "'y'" in note for note in report.cuts] == [True]


# ------------------------------------------------------------------------------------------- state, kinks, magnitudes


def test_the_graph_is_certified_as_it_was_built_and_left_alone():
    loss, leaves = a_knot()
    node, rules = loss.node, loss.node.op.vjps
    first = certify_backward(loss)
    assert all(t.grad is None for t in leaves)
    assert loss.node is node
    assert loss.node.op.vjps is rules
    for t in leaves:
        t.update(t.data + 1)
    assert certify_backward(loss) == first  # and it repeats


def test_a_constant_that_was_changed_since_is_told():
    batch, w = np.array([1.0, 2.0]), vg.Tensor([0.5, 0.6])
    loss = np.sum(np.exp(batch * w))
    batch[0] = 3.0
    report = certify_backward(loss, raises=False)
    assert all(report.inputs[1:])
    assert "multiply (node 1 of 3): its forward now gives another value" in report.faults[0]


def test_kinks_are_told_and_must_lie_between_the_slopes():
    x = vg.Tensor([0.0, 1e-9, -1e-9, 2.0])
    report = certify_backward(np.sum(vg.relu(x)), raises=False)
    assert not report
    assert report.inputs[1].counts[Verdict.KINK] == 1
    assert report.inputs[1].counts[Verdict.PASS] + report.inputs[1].counts[Verdict.ZERO] == 3
    assert certify_backward(np.sum(vg.relu(x)), kinks=True)
    assert certify_backward(np.max(vg.Tensor([1.0, 1.0, 0.5])), kinks=True)
    beyond = vg.primitive(vg.relu.op.forward, (lambda g, out, x: g * np.where(x == 0, -0.1, x > 0),), name="beyond")
    report = certify_backward(np.sum(beyond(x)), kinks=True, raises=False)
    assert report.inputs[1].counts[Verdict.FAIL] == 1


def test_points_where_the_derivative_vanishes():
    x = vg.Tensor([0.0, 1e-9, 0.0])
    for f in (np.square, np.cos, lambda x: vg.softmax(x) * np.ones(3), lambda x: 0 * x, lambda x: np.sin(x - x)):
        assert total(certify_backward(np.sum(f(x))), Verdict.UNRESOLVED) == 0


@pytest.mark.parametrize("exponent", [-1000, -500, -60, 60, 500, 900])
def test_it_works_at_any_magnitude(exponent):
    size = 2.0**exponent
    x = vg.Tensor([0.3, -1.0, 20.0], name="x")
    assert certify_backward(np.sum(vg.sigmoid(x) * x) * size)
    wrong = planted(vg.sigmoid, "one percent")
    assert [r.name.split()[0] for r in guilty(certify_backward(np.sum(wrong(x) * x) * size, raises=False))] == [
        "planted"
    ]


def test_below_the_smallest_normal_numbers_there_is_no_verdict_but_no_false_alarm():
    report = certify_backward(np.sum(np.sin(vg.Tensor([0.3, 20.0]))) * 2.0**-1060, raises=False)
    assert total(report, Verdict.FAIL) == 0


def test_arguments_of_any_magnitude():
    x = vg.Tensor([1e-300, 1e-20, 1e-5, 1.0, 1e10])
    for f in (np.log, np.sqrt, np.square, lambda x: np.sin(x[1:-1]), lambda x: x[:-1] ** 3):
        assert certify_backward(np.sum(f(x)))


def test_single_precision_is_certified_to_its_own_precision():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(6, 5)).astype(np.float32)
    for fault in (None, "one percent", "sign"):
        w = vg.Tensor(rng.normal(size=(5, 4)).astype(np.float32), name="w")
        z = x @ w
        loss = np.sum(np.square(planted(vg.sigmoid, fault)(z) if fault else vg.sigmoid(z)))
        assert loss.dtype == np.float32
        assert len(guilty(certify_backward(loss, raises=False))) == bool(fault)


def test_bad_calls():
    with pytest.raises(TypeError, match="takes the loss, a Tensor, not float64"):
        certify_backward(np.float64(1))
    with pytest.raises(ValueError, match="shape \\(2,\\)"):
        certify_backward(vg.Tensor([1.0, 2.0]) * 2)
    with pytest.raises(ValueError, match="nothing to check"):
        certify_backward(vg.Tensor(1.0))
    with pytest.raises(ValueError, match="nothing to check"):
        certify_backward(vg.stop_gradient(vg.Tensor(1.0)))
    with np.errstate(divide="ignore"), pytest.raises(ValueError, match="finite"):
        certify_backward(np.log(vg.Tensor(0.0)))


def test_progress_is_told():
    seen = []
    certify_backward(np.sum(np.sin(vg.Tensor([1.0, 2.0]))), progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)]
