"""What a graph may cost: depth, width and repetition, measured by counting and never by the clock."""

import gc
import subprocess
import sys
import textwrap
import weakref

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_vg as vg
from tinygrad_vg import Tensor, autodiff, tensor


def run(code, *args):
    """Run code in a Python of its own (the recursion limit is the whole process's)."""
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(code), *map(str, args)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert result.returncode == 0, result.stderr[-2000:]
    return result.stdout.split()


SIZES = [100_000, pytest.param(1_000_000, marks=pytest.mark.slow)]


@pytest.mark.parametrize("n", SIZES)
def test_a_long_chain_with_the_recursion_limit_at_200(n):
    """Builds, differentiates, prints, and is freed; five of eight engines die at 2,000 nodes."""
    out = run(
        """
        import gc, sys, weakref
        import numpy as np, tinygrad_vg as vg
        n = int(sys.argv[1])
        sys.setrecursionlimit(200)
        gc.disable()
        x = vg.Tensor(1.0)
        y = x
        for i in range(n):
            y = y + 1.0 if i % 2 else y * 1.0
            if i == n // 2:
                middle = weakref.ref(y)
        assert len(repr(y)) < 200 and len(repr(y.node)) < 200
        y.backward()
        z = vg.backprop(y, wrt=[x], create_graph=True)[x]
        z.backward() if z.node is not None else None
        assert middle() is not None
        value = y.item()
        del y, z
        assert middle() is None
        print(float(x.grad), value)
        """,
        n,
    )
    assert out == ["1.0", f"{1 + n // 2}.0"]


@pytest.mark.parametrize("n", SIZES)
def test_a_long_chain_of_recorded_gradients(n):
    n //= 10
    out = run(
        """
        import sys
        import numpy as np, tinygrad_vg as vg
        n = int(sys.argv[1])
        sys.setrecursionlimit(200)
        x = vg.Tensor(0.5)
        y = x
        for _ in range(n):
            y = np.sin(y)
        slope = vg.backprop(y, wrt=[x], create_graph=True)[x]
        curvature = vg.backprop(slope, wrt=[x])[x]
        print(float(slope.item()), float(curvature))
        """,
        n,
    )
    x, slope, curvature = 0.5, 1.0, 0.0
    for _ in range(n):
        curvature = np.cos(x) * curvature - np.sin(x) * slope**2
        slope *= np.cos(x)
        x = np.sin(x)
    assert_allclose([float(word) for word in out], [slope, curvature], rtol=1e-9)


@pytest.mark.parametrize("n", [100_000])
def test_a_node_used_by_many_others(n):
    out = run(
        """
        import sys
        import numpy as np, tinygrad_vg as vg
        n = int(sys.argv[1])
        sys.setrecursionlimit(200)
        x = vg.Tensor(2.0)
        hub = x * x
        total = 0.0
        for i in range(n):
            total = total + hub * float(i % 3)
        total.backward()
        print(float(x.grad))
        """,
        n,
    )
    assert float(out[0]) == 4 * sum([i % 3 for i in range(n)])


def test_a_node_with_many_inputs():
    x = Tensor(3.0)
    y = np.sum(np.stack([x] * 5_000))
    y.backward()
    assert x.grad == 5_000


# --------------------------------------------------------------------------------------------------- nothing doubles


class Counter:
    """Count the calls of a function."""

    def __init__(self, function):
        self.function, self.calls = function, 0

    def __call__(self, *args, **kwargs):
        self.calls += 1
        return self.function(*args, **kwargs)


@pytest.mark.parametrize("create_graph", [False, True])
def test_indexing_one_array_in_a_loop_scatters_once(monkeypatch, create_graph):
    """A gradient for each of 16,000 elements must not become 16,000 arrays of 16,000 zeros."""
    n = 16_000
    counter = Counter(autodiff.scatter)
    monkeypatch.setattr(autodiff, "scatter", counter)
    x = Tensor(np.arange(float(n)))
    y = 0.0
    for i in range(n):
        y = y + x[i] * x[i]
    found = vg.backprop(y, wrt=[x], create_graph=create_graph)
    assert counter.calls == 1
    assert_array_equal(found[x].data if create_graph else found[x], 2 * np.arange(float(n)))


def test_the_pieces_of_one_array_allocate_one_buffer(monkeypatch):
    """Count the zeros that a sweep asks for: they must not grow with the number of pieces times the size."""
    sizes = []
    zeros = np.zeros

    def counted(shape, *args, **kwargs):
        sizes.append(int(np.prod(shape)))
        return zeros(shape, *args, **kwargs)

    x = Tensor(np.arange(2000.0))
    y = sum([x[i : i + 2].sum() for i in range(1999)])
    monkeypatch.setattr(np, "zeros", counted)
    gradient = vg.backprop(y, wrt=[x])[x]
    assert sum(sizes) <= 2 * 2000
    assert_array_equal(gradient[[0, 1, -1]], [1, 2, 1])


def test_joining_many_pieces_looks_at_each_shape_a_few_times(monkeypatch):
    """np.stack of a loop's results: where a piece lies is not added up anew for every piece."""
    n = 2000
    x = Tensor(np.arange(float(n)))
    counter = Counter(np.shape)
    monkeypatch.setattr(np, "shape", counter)
    y = np.stack([x[i] * 2 for i in range(n)])
    np.sum(y * y).backward()
    assert counter.calls < 20 * n
    assert_array_equal(x.grad, 8 * np.arange(float(n)))


def test_unrolled_inner_gradients_visit_a_linear_number_of_nodes():
    """x ← x − η·f′(x), k times: an inner sweep stops at its own variable, however long the history."""
    counts = {}
    for steps in (10, 20, 40):
        calls = []

        def rule(g, out, x, calls=calls):
            calls.append(1)
            return g * np.cos(x)

        sine = vg.primitive(np.sin, (rule,), name="sine")

        def descend(x, steps=steps, sine=sine):
            for _ in range(steps):
                x = x - 0.1 * vg.grad(lambda z: sine(z) * z)(x)
            return x

        vg.grad(descend)(0.7)
        counts[steps] = len(calls)
    assert counts[40] - counts[20] == 2 * (counts[20] - counts[10])


def test_gradient_of_unrolled_descent_is_right():
    def descend(x):
        for _ in range(12):
            x = x - 0.1 * vg.grad(lambda z: z**4)(x)
        return x

    x, slope = 0.9, 1.0
    for _ in range(12):
        x, slope = x - 0.4 * x**3, slope * (1 - 1.2 * x**2)
    value, gradient = vg.value_and_grad(descend)(0.9)
    assert_allclose([value, gradient], [x, slope], rtol=1e-14)


def test_a_sweep_adds_wide_cotangents_in_place(monkeypatch):
    """n uses of a large array: the first rule's fresh answer, to which all the others are added in place."""
    x = Tensor(np.ones(1000))
    uses = [np.sum(x * float(k)) for k in range(50)]
    y = sum(uses)
    adds = Counter(np.add)
    with monkeypatch.context() as patch:
        patch.setattr(autodiff.np, "add", adds)
        gradient = vg.backprop(y, wrt=[x])[x]
    assert adds.calls == 49
    assert_array_equal(gradient, np.full(1000, sum(range(50))))


@pytest.mark.parametrize("kept", [np.full(4, 3.0), np.full((2, 4), 3.0)[0]], ids=["array", "part of one"])
def test_an_array_that_a_rule_keeps_is_not_added_to_and_not_handed_out(kept):
    triple = vg.primitive(lambda x: 3 * x, (lambda g, out, x: kept,), name="triple")
    x = Tensor(np.arange(4.0))
    y = np.sum(triple(x) + triple(x) + triple(x))
    assert_array_equal(vg.backprop(y, wrt=[x])[x], np.full(4, 9.0))
    np.sum(triple(x)).backward()
    assert not np.shares_memory(x.grad, kept)
    assert_array_equal(kept, np.full(4, 3.0))


# ------------------------------------------------------------------------------------------------------------ memory


@pytest.fixture
def no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def intermediates(root):
    """Weak references to everything a graph is made of, leaves apart."""
    return [weakref.ref(t) for t in vg.backprop(root) if t.node is not None]


@pytest.mark.parametrize("after", ["nothing", "backward", "backprop", "create_graph", "anomaly", "grad", "refused"])
@pytest.mark.usefixtures("no_collector")
def test_dropping_the_output_frees_every_intermediate(after):
    x, w = Tensor(np.arange(4.0)), Tensor(np.eye(4))
    with vg.detect_anomaly() if after == "anomaly" else vg.name_scope("net"):
        h = np.tanh(w @ x)
        y = np.sum(h * h[::-1] + np.concatenate([x[[0, 0]], h[:2]]) * vg.softmax(h)) + np.std(h)
        references = intermediates(y)
        if after in ("backward", "anomaly"):
            y.backward()
            y.backward()
        elif after == "backprop":
            vg.backprop(y, wrt=[x])
        elif after == "create_graph":
            g = vg.backprop(y, wrt=[x], create_graph=True)[x]
            references += intermediates(np.sum(g))
            np.sum(g).backward()
            del g
        elif after == "grad":
            vg.grad(lambda v, y=y: np.sum(v * y))(x).backward(np.ones(4))
        elif after == "refused":
            with pytest.raises(ValueError, match="seed"):
                y.backward([1.0, 2.0])
    del h
    assert all([r() is not None for r in references[:1]])
    del y
    assert [r() for r in references if r() is not None] == []


@pytest.mark.usefixtures("no_collector")
def test_derivatives_of_functions_leave_nothing_behind():
    made = []

    def f(x):
        y = np.sin(x) * x
        made.append(weakref.ref(y))
        return np.sum(y)

    x = np.arange(3.0)
    vg.grad(f)(x)
    vg.hessian(f)(x)
    vg.hvp(f, (x,), (x,))
    vg.jvp(f, (x,), (x,))
    _, pullback = vg.vjp(f, x)
    assert made[-1]() is not None
    del pullback
    assert [r() for r in made if r() is not None] == []


def test_births_are_in_order_of_making():
    x = Tensor(1.0)
    y = x * 2
    z = Tensor(1.0)
    assert x.birth < y.birth < z.birth
    assert next(tensor._births) > z.birth


def test_joining_many_arrays_hands_no_rule_all_of_them():
    for join in (np.stack, np.hstack):
        op = join([Tensor(1.0), 2.0]).node.op
        assert not op.needs_args  # n rules that are each given n arguments would cost n²
    taken = vg.primitive(lambda *xs: sum(xs), lambda i, g, out, *xs: g * len(xs), name="taken")
    x = Tensor(1.0)
    taken(x, 2.0, 3.0).backward()
    assert x.grad == 3  # a rule that asks for the arguments gets them
