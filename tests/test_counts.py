"""What a training step does, counted: a slower engine shows here without a clock (for the clock: tests/benchmarks)."""

import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from benchmarks.calls import Counting, observed_file, observed_package

import tinygrad_vg as vg
from tinygrad_vg.nn import MLP, losses
from tinygrad_vg.optim import SGD

SHALLOW, DEEP = (784, 30, 10), (784, 30, 30, 30, 30, 10)
LARGE = 784 * 30 * 8
"""Bytes of the first layer's weights: an array of this size costs as much as a dozen small ones."""

AT_MOST = {SHALLOW: (29, 29, 10), DEEP: (56, 68, 25)}
"""NumPy calls that a step makes forward, backward and in the update. Fewer are welcome: then lower the number."""


def digits(n=10):
    rng = np.random.default_rng(0)
    return rng.random((n, 784)), np.eye(10)[rng.integers(10, size=n)]


@cache
def phases(sizes):
    """What NumPy is asked for in a step: the calls by name, and the bytes of new arrays, for each of its phases."""
    counted, (x, y) = Counting(), digits()
    with observed_package(counted):
        from tinygrad_vg.nn import MLP, losses
        from tinygrad_vg.optim import SGD

        mlp = MLP(sizes, seed=0)
        opt = SGD(mlp.parameters(), lr=0.1, weight_decay=1e-4)
        for _ in range(3):
            found = []
            counted.clear()
            cost = losses.cross_entropy(mlp.logits(x), y)
            found.append(counted.taken())
            cost.backward()
            found.append(counted.taken())
            del cost
            opt.step()
            found.append(counted.taken())
    return found


def calls(sizes, name):
    """How often a step calls one thing."""
    return sum([made[name] for made, _ in phases(sizes)])


# --------------------------------------------------------------------------------------------------- NumPy's part


@pytest.mark.parametrize("sizes", AT_MOST, ids=str)
def test_numpy_calls_of_a_step(sizes):
    found = [made.total() for made, _ in phases(sizes)]
    assert all([n <= most for n, most in zip(found, AT_MOST[sizes], strict=True)]), found


@pytest.mark.parametrize("sizes", AT_MOST, ids=str)
def test_a_step_makes_two_large_arrays_the_gradient_and_the_new_weights(sizes):
    found = [sum([size >= LARGE for size in arrays]) for _, arrays in phases(sizes)]
    assert all([n <= most for n, most in zip(found, (0, 1, 1), strict=True)]), found


@pytest.mark.parametrize(("name", "each"), [("matmul", 3), ("exp", 4)])
def test_a_further_layer_costs_no_more_than_its_mathematics(name, each):
    """Three products; e⁻ᶻ for σ and σ′."""
    made = [calls((784, *[30] * depth, 10), name) for depth in (1, 2, 3)]
    assert made[1] - made[0] == made[2] - made[1] <= each


def test_fit_adds_nothing_to_a_step_but_gathering_the_mini_batch():
    counted, (x, y) = Counting(), digits(200)
    totals = []
    with observed_package(counted):
        from tinygrad_vg.nn import MLP, losses
        from tinygrad_vg.training import fit

        for n in (100, 200):
            counted.clear()
            fit(
                MLP(SHALLOW, seed=0),
                lambda model, x, y: losses.cross_entropy(model.logits(x), y),
                (x[:n], y[:n]),
                epochs=1,
                lr=0.1,
                seed=0,
                progress=False,
            )
            totals.append(counted.calls.total())
    bare = sum([made.total() for made, _ in phases(SHALLOW)])
    decay = len(SHALLOW) - 1  # a multiplication for each layer's weights, which is left out without weight decay
    assert (totals[1] - totals[0]) / 10 <= bare - decay + 2


# ------------------------------------------------------------------------------------------------------ Python's part


def python_calls(function):
    """How many functions of the package a call runs; comprehensions are not counted, as newer Pythons inline them."""
    inside, count = str(Path(vg.__file__).parent), 0

    def hook(frame, event, _):
        nonlocal count
        code = frame.f_code
        count += event == "call" and code.co_filename.startswith(inside) and "comp>" not in code.co_name

    before = sys.getprofile()
    sys.setprofile(hook)
    try:
        function()
    finally:
        sys.setprofile(before)
    return count


def trained(mlp, opt):
    x, y = digits()
    losses.cross_entropy(mlp.logits(x), y).backward()
    opt.step()


@pytest.mark.parametrize(("sizes", "most"), [(SHALLOW, 112), (DEEP, 252)], ids=str)
def test_functions_run_in_a_step(sizes, most):
    mlp = MLP(sizes, seed=0)
    opt = SGD(mlp.parameters(), lr=0.1, weight_decay=1e-4)
    trained(mlp, opt)
    assert python_calls(lambda: trained(mlp, opt)) <= most


# ------------------------------------------------------------------------------------------------------- the sweep


def visited(root, **settings):
    """The nodes a sweep goes through."""
    nodes = []
    vg.backprop(root, trace=lambda node, incoming, emitted: nodes.append(node), **settings)
    return nodes


def test_the_sweep_visits_every_node_of_a_network_once():
    x, y = digits()
    counts = []
    for depth in (1, 2, 3, 4):
        nodes = visited(losses.cross_entropy(MLP((784, *[30] * depth, 10), seed=0).logits(x), y))
        assert len(set(map(id, nodes))) == len(nodes)
        counts.append(len(nodes))
    a_layer = set(np.diff(counts).tolist())
    assert len(a_layer) == 1
    assert max(a_layer) <= 2  # the affine sum, σ
    assert counts[0] <= 4  # three of the layers, and the loss


def test_the_sweep_of_a_chain_visits_its_nodes_and_no_more():
    w, y = vg.Tensor(1.3), 0.5
    for _ in range(1000):
        y = np.sin(y * w)
    assert len(visited(y)) == 2000


def test_a_diamond_of_diamonds_is_visited_node_by_node_not_path_by_path():
    y = vg.Tensor(1.0)
    for _ in range(100):
        y = y + y  # 2¹⁰⁰ paths
    assert len(visited(y)) == 100


def test_what_is_older_than_what_is_asked_for_is_not_visited():
    w = vg.Tensor(1.3)
    old = w
    for _ in range(100):
        old = np.sin(old)
    young = np.exp(old)
    assert len(visited(young * 2.0, wrt=[old])) == 3  # ·2, exp, and its own


# -------------------------------------------------------------------------------------------------- the counting itself


def test_calls_operators_and_new_arrays_are_counted(tmp_path):
    path = tmp_path / "sample.py"
    path.write_text(
        "import numpy as np\n"
        "def f(a, b, counts={'n': 1}):\n"
        "    c = a @ b  # new\n"
        "    c += 1\n"
        "    np.exp(c, out=c)\n"
        "    c.setflags(write=False)\n"
        "    counts['n'] += 2 * 3\n"
        "    d = -c if (c > 0).all() else c  # two new ones\n"
        "    return np.add.reduce(d, axis=0) + d.reshape(-1)[0]  # two, of which one is the sum\n",
        encoding="utf-8",
    )
    counted = Counting()
    f = observed_file(path, counted)["f"]
    a, b = np.ones((2, 3)), np.ones((3, 4))
    expected = -2 * np.exp(4) - np.exp(4)
    np.testing.assert_allclose(f(a, b), np.full(4, expected), rtol=1e-14)
    names = {"matmul": 1, "add": 2, "exp": 1, "greater": 1, "all": 1, "negative": 1, "add.reduce": 1, "reshape": 1}
    assert dict(counted.calls) == names
    assert sorted(counted.arrays) == [8, 32, 32, 64, 64]
    assert counted.taken()[0] == names
    assert not counted.calls
    assert not counted.arrays


def test_the_observed_copy_leaves_the_package_as_it_was():
    before = {name: module for name, module in sys.modules.items() if name.startswith("tinygrad_vg")}
    with observed_package(Counting()) as copy:
        assert copy is not vg
        assert copy.Tensor is not vg.Tensor
    assert {name: module for name, module in sys.modules.items() if name.startswith("tinygrad_vg")} == before
    assert sys.modules["tinygrad_vg"] is vg
