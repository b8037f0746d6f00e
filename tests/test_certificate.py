"""The node certificate: every fault planted in layer 1 of a deep network is found and named, and nothing else is."""

import functools
import heapq
import time
from operator import attrgetter

import numpy as np
import pytest

import tinygrad_vg as vg
from tinygrad_vg import autodiff
from tinygrad_vg.gradcheck import GradientMismatch, Verdict
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


def mlp(depth, *, width=3, batch=3, seed=0, spread=1.0, **first):
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


OPS = [("sigmoid", vg.sigmoid, 0), ("matmul", np.matmul, 0), ("matmul", np.matmul, 1), ("add", np.add, 0), ("add", np.add, 1)]


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("build", [mlp, chain])
def test_an_honest_network_passes_with_nothing_unresolved(build, depth):
    for seed in range(3):
        loss, leaves = build(depth, seed=seed)
        report = certify_backward(loss, seed=seed)
        assert not report.notes
        assert all(r.counts[Verdict.PASS] == r.checked == r.size for r in report.inputs)
        assert len(report.inputs) >= 5 * depth


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("build", [mlp, chain])
@pytest.mark.parametrize(("place", "op", "argument"), OPS)
def test_every_fault_planted_in_layer_1_is_found_and_named(depth, build, place, op, argument):
    found = 0
    for fault in FAULTS:
        loss, leaves = build(depth, **{place: planted(op, fault, argument)})
        report = certify_backward(loss, raises=False)
        assert not report.faults
        assert total(report, Verdict.UNRESOLVED) == total(report, Verdict.KINK) == 0, f"{fault}\n{report}"
        if not is_effective(build, depth, loss, leaves):
            assert report, f"false alarm: {fault}\n{report}"
            continue
        found += 1
        assert len(guilty(report)) == 1, f"{fault}\n{report}"
        (row,) = guilty(report)
        assert row.name.startswith("layer 1/planted"), fault
        assert f"argument {vg.tensor.RULES.get(op, op).op.names[argument]} = " in row.name
        assert row.path.startswith("planted") and row.path.endswith("C")
    assert found >= (7 if build is chain else 12)


@pytest.mark.parametrize("depth", DEPTHS)
def test_exchanged_arguments_are_found(depth):
    loss, _ = mlp(depth, matmul=swapped(np.matmul))
    report = certify_backward(loss, raises=False)
    assert len(guilty(report)) == 2
    with pytest.raises(GradientMismatch, match="layer 1/planted .*argument x2 = 'w1'") as caught:
        certify_backward(loss)
    assert caught.value.report == report
