"""Faults that other engines have had, or have: each once, so that none of them comes in here unnoticed.

What every op of the table must do (memory layouts, dtypes, empty arrays, ties, kinks, shared memory) is in test_ops.py;
what a graph may cost is in test_engine_limits.py. docs/reliability.md lists which fault is tested where.
"""

import ast
import importlib
import pkgutil
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_vg as vg
from tinygrad_vg import Tensor
from tinygrad_vg.opcases import CASES
from tinygrad_vg.training import fit

rng = np.random.default_rng(8)


def cotangent(shape, seed=0):
    return 0.3 + np.random.default_rng([seed, *shape]).standard_normal(shape)


# ------------------------------------------------------------------------------------------- found in other engines


def test_second_backward_adds_exactly_the_same():
    """micrograd: the second backward of x³ at 3 adds 45 to the 27 of the first."""
    x = Tensor(3.0)
    y = x * x * x
    y.backward()
    assert x.grad == 27
    y.backward()
    assert x.grad == 54
    z = np.sum(np.sin(x * np.array([0.1, 0.2, 0.3])) * np.exp(x))
    x.grad = None
    z.backward()
    once = x.grad.copy()
    z.backward()
    assert_array_equal(x.grad, 2 * once)


@pytest.mark.parametrize(
    "kind", [float, int, np.float64, np.float32, np.int64, np.array], ids=lambda kind: kind.__name__
)
def test_a_number_divided_by_a_tensor(kind):
    """micrograd-pp: 8.0/x at 4 is 0.5."""
    x = Tensor(4.0)
    y = kind(8) / x
    assert y.item() == 2
    y.backward()
    assert x.grad == -0.5


def test_both_derivatives_of_a_division():
    """mlfz has both of them wrong."""
    a, b, g = cotangent((3, 4), 1), cotangent((4,), 2), cotangent((3, 4), 3)
    x, y = Tensor(a), Tensor(b)
    (x / y).backward(g)
    assert_allclose(x.grad, g / b, rtol=1e-15)
    assert_allclose(y.grad, np.sum(-g * a / b**2, axis=0), rtol=1e-14)


@pytest.mark.parametrize("when", ["before", "between", "after"])
def test_an_unused_branch_changes_nothing(when):
    """neuralforge: with an unused branch the gradient is 0."""
    x, unused = Tensor(2.0), []
    if when == "before":
        unused.append(x * 100)
    h = x * 3
    if when == "between":
        unused.append(h * 100 + x)
    y = h * x
    if when == "after":
        unused.append(y * 7 + h)
    y.backward()
    assert x.grad == 12
    unused[0].backward()
    assert x.grad == 12 + {"before": 100, "between": 301, "after": 87}[when]


def test_sixty_doublings():
    """SmallPebble: 18 doublings take 7 s, for it walks all 2ⁿ paths."""

    def doubled(x):
        for _ in range(60):
            x = x + x
        return x

    x, nodes = Tensor(1.0), []
    vg.backprop(doubled(x), trace=lambda node, *_: nodes.append(node))
    assert len(nodes) == 60
    doubled(x).backward()
    assert x.grad == 2.0**60
    assert vg.grad(vg.grad(lambda x: doubled(x * x)))(1.0) == 2.0**61


def chain(x, n=2_000):
    for i in range(n):
        x = np.sin(x) if i % 2 else x * 1.001
    return x


def test_every_door_opens_on_2000_nodes():
    """Five of eight engines die of recursion there."""
    slope, x = 1.0, 0.5
    for i in range(2_000):
        slope, x = (slope * np.cos(x), np.sin(x)) if i % 2 else (slope * 1.001, x * 1.001)
    x = Tensor(0.5, "x")
    y = chain(x)
    y.backward()
    assert_allclose(x.grad, slope, rtol=1e-12)
    assert_allclose(vg.backprop(y, create_graph=True)[x].item(), slope, rtol=1e-12)
    assert_allclose(vg.jvp(chain, (0.5,), (1.0,))[1], slope, rtol=1e-12)
    assert np.isfinite(vg.grad(vg.grad(chain))(0.5))
    assert np.isfinite(vg.hvp(chain, (0.5,), (1.0,)))
    assert vg.check_gradients(chain, 0.5)
    assert_allclose(vg.explain(y, x).value, slope, rtol=1e-12)
    assert vg.draw(y).source.startswith("digraph")
    assert "2000" in repr(vg.draw(y)) or len(repr(y)) < 200


@pytest.mark.parametrize("data", [3, [3], np.int64(3), np.array([3], np.int8), np.array([3], np.uint8), True, [True]])
def test_whole_numbers_have_real_gradients(data):
    """DeZero: integer data give integer gradients."""
    x = Tensor(data)
    (x / 2).backward()
    assert x.grad.dtype == np.float64
    assert_array_equal(x.grad, np.full(np.shape(data), 0.5))
    assert_array_equal(vg.grad(lambda x: np.sum(x / 2))(data), np.full(np.shape(data), 0.5))


PACKAGE = Path(vg.__file__).parent


def numpy_names(path):
    """All dotted names a file takes from NumPy."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        words = ast.unparse(node).split(".") if isinstance(node, ast.Attribute) else [""]
        if words[0] == "np" and all([word.isidentifier() for word in words]):
            yield words[1:]


def test_every_name_of_numpy_is_there_and_not_on_its_way_out():
    """autodidact no longer imports: it speaks of np.float_, np.msort and others that NumPy has dropped."""
    used = {tuple(words) for path in PACKAGE.rglob("*.py") for words in numpy_names(path)}
    assert len(used) > 200
    for words in used:
        value = np
        for word in words:
            assert hasattr(value, word), ".".join(words)  # where it is deprecated, the warning is an error here
            value = getattr(value, word)


def test_every_module_imports():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for module in pkgutil.walk_packages(vg.__path__, "tinygrad_vg."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)


# ------------------------------------------------------------------------------------ one tensor in several places


def test_shared_nodes_and_diamonds():
    x = Tensor(3.0)
    a = x * x
    b = a + x
    c = a * b  # x²·(x² + x)
    (c + c * a).backward()
    assert_allclose(x.grad, 4 * 27 + 3 * 9 + 6 * 3**5 + 5 * 3**4, rtol=1e-15)


def alike(case):
    """Arguments of one shape for an op that takes several, or None where it does not."""
    args = case.sample(np.random.default_rng(5), "same")
    if len(args) < 2 or len({np.shape(a) for a in args}) > 1:
        return None
    try:
        with np.errstate(all="ignore"):
            return args if np.size(case.call(*[args[0]] * len(args))) else None
    except (ValueError, IndexError):
        return None


TWICE = [case for case in CASES if case.smooth and alike(case)]


@pytest.mark.parametrize("case", TWICE, ids=lambda case: case.name)
def test_the_same_tensor_as_every_operand(case):
    """``a * a``: the gradient is the sum over the places it stands in, for every op that takes several."""
    first, *others = alike(case)
    apart, together = [Tensor(first) for _ in range(1 + len(others))], Tensor(first)
    with np.errstate(all="ignore"):
        value = case.call(*apart)
        g = cotangent(value.shape)
        parts = vg.backprop(value, g, wrt=apart)
        whole = vg.backprop(case.call(*[together] * len(apart)), g, wrt=[together])[together]
    assert_allclose(whole, sum(parts.values()), rtol=1e-12, equal_nan=True)


def test_many_ops_take_one_tensor_twice():
    assert len(TWICE) > 10


def test_a_view_of_a_tensor_and_the_tensor_itself():
    """An array and its views share memory; their cotangents must not."""
    x = Tensor(cotangent((2, 3)))
    g = [cotangent(shape, k) for k, shape in enumerate([(3, 2), (6,), (2, 3), (4, 2, 3), (3,)])]
    views = [x.T, np.ravel(x), x[...], np.broadcast_to(x, (4, 2, 3)), x[1]]
    sum([np.sum(view * c) for view, c in zip(views, g, strict=True)]).backward()
    expected = g[0].T + g[1].reshape(2, 3) + g[2] + g[3].sum(axis=0) + np.array([[0.0], [1.0]]) * g[4]
    assert_allclose(x.grad, expected, rtol=1e-14)
    assert not any([np.shares_memory(x.grad, c) for c in g])


def test_a_gradient_once_taken_stays_as_it_was():
    x = Tensor([1.0, 2.0])
    y = np.sum(x * x)
    y.backward()
    taken = x.grad
    y.backward()
    x.grad[:] = 99
    assert_array_equal(taken, [2, 4])
    y.backward(2.0)
    assert_array_equal(x.grad, [99 + 4, 99 + 8])


@pytest.mark.parametrize(
    "index",
    [([0, -3, 0],), ([0, -3, 2], [1, 1, 1]), (np.array([2, -1, 2]), slice(None)), (np.ones((3, 1), int), 0)],
    ids=["rows", "elements", "rows and all", "a column of one row"],
)
def test_two_indices_that_mean_one_element(index):
    """Repeated, or counted once from the front and once from the back: NumPy's ``a[i] += g`` would add one of them."""
    x = np.zeros((3, 4))
    g = cotangent(x[index].shape)
    expected, lost = np.zeros_like(x), np.zeros_like(x)
    np.add.at(expected, index, g)
    lost[index] += g
    assert_allclose(vg.grad(lambda x: np.sum(x[index] * g))(x), expected, rtol=1e-15)
    assert not np.allclose(expected, lost)


# ----------------------------------------------------------------------------------------------- shapes and numbers


@given(mutually_broadcastable_shapes(num_shapes=2, max_dims=4, max_side=3, min_side=1), st.integers(0, 99))
def test_what_broadcasting_stretched_is_summed(shapes, seed):
    """Also axes of length 1 in the middle, and all of them: many engines sum the leading ones only."""
    (one, two), out = shapes.input_shapes, shapes.result_shape
    a, b, g = cotangent(one, seed), cotangent(two, seed + 1), cotangent(out, seed + 2)
    x, y = Tensor(a), Tensor(b)
    (x * y).backward(g)
    for found, shape, product in ((x.grad, one, g * b), (y.grad, two, g * a)):
        expected = np.zeros(shape)
        places = np.broadcast_to(np.arange(expected.size).reshape(shape), out)
        np.add.at(expected.reshape(-1), places.reshape(-1), np.broadcast_to(product, out).reshape(-1))
        assert found.shape == shape
        assert_allclose(found, expected, rtol=1e-12, atol=1e-13)


NUMBERS = {
    "sum": np.sum,
    "mean": np.mean,
    "max": np.max,
    "prod": np.prod,
    "norm": np.linalg.norm,
    "dot": lambda x: x @ x,
    "item": lambda x: x[1],
    "ravel": lambda x: np.ravel(x)[0],
    "loop": lambda x: sum([x[i] * x[i] for i in range(3)]),
    "float32": lambda x: np.sum(x) * np.float32(2),
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", NUMBERS)
def test_a_single_number_stays_an_array_of_its_own_dtype(name, dtype):
    """NumPy gives np.float64 and not an array for it, which cannot be added to in place and loses float32."""
    x = Tensor(np.array([1.0, 2.0, 4.0], dtype))
    y = NUMBERS[name](x)
    assert (type(y.data), y.shape, y.dtype) == (np.ndarray, (), dtype)
    for gradient in vg.backprop(y * y + y).values():
        assert (type(gradient), gradient.dtype) == (np.ndarray, dtype)
    y.backward()
    y.backward()
    assert (type(x.grad), x.grad.dtype, x.grad.shape) == (np.ndarray, dtype, (3,))


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (lambda x: np.sum(x * x + 1), np.zeros((0, 3)), np.zeros((0, 3))),
        (lambda x: np.sum(x @ np.ones((0, 2))), np.zeros((3, 0)), np.zeros((3, 0))),
        (lambda x: np.sum(np.concatenate([x[:0], x * 2])), np.ones(2), np.full(2, 2.0)),
        (lambda x: np.sum(x[[]]) + np.prod(x[:0]) + np.sum(x), np.ones(2), np.ones(2)),
        (lambda x: np.linalg.norm(x), np.zeros(0), np.zeros(0)),
    ],
)
def test_empty_arrays(f, x, expected):
    assert_array_equal(vg.grad(f)(x), expected)


@pytest.mark.parametrize("f", [np.max, np.min, vg.logsumexp])
def test_what_nothing_cannot_have_is_refused(f):
    with pytest.raises(ValueError, match=r"of shape \(0,\)"):
        f(Tensor([]))


STRANGE = {
    "Fortran": np.asfortranarray,
    "big-endian": lambda a: a.astype(">f8"),
    "longdouble": lambda a: a.astype(np.longdouble),
    "zero strides": lambda a: np.broadcast_to(a[:1, :1], a.shape),
    "overlapping": lambda a: np.lib.stride_tricks.sliding_window_view(a.ravel()[:5], 3)[:2],
    "read-only": lambda a: np.frombuffer(a.tobytes()).reshape(a.shape),
    "unaligned": lambda a: np.frombuffer(b"x" + a.tobytes(), np.uint8)[1:].view(float).reshape(a.shape),
    "subclass": lambda a: a.view(type("Own", (np.ndarray,), {})),
    "list": lambda a: a.tolist(),
    "int8": lambda a: np.round(a * 10).astype(np.int8),
    "bool": lambda a: a > 0,
    "float16": lambda a: a.astype(np.float16),
}


@pytest.mark.parametrize("kind", STRANGE)
@pytest.mark.parametrize("role", ["leaf", "constant", "constant on the left", "update", "cotangent"])
def test_strange_arrays_mean_the_numbers_in_them(kind, role):
    """Whatever their memory, byte order, precision or class, and wherever they come in."""
    strange = STRANGE[kind](cotangent((2, 3), 4))
    plain = np.array(strange, dtype=float, subok=False)
    kept = np.array(strange)
    w, seed = cotangent((2, 3), 5), cotangent((2, 3), 6)

    def result(array):
        x = Tensor(array if role == "leaf" else w)
        if role == "update":
            x.update(array)
        y = array * x if role == "constant on the left" else x * (array if role == "constant" else w)
        y = np.exp(x) * y
        y.backward(array if role == "cotangent" else seed)
        assert (type(y), y.dtype, x.grad.dtype) == (Tensor, np.float64, np.float64)
        assert x.grad.dtype.isnative
        return [y.data, x.grad]

    for one, two in zip(result(strange), result(plain), strict=True):
        assert_allclose(one, two, rtol=1e-15 if kind != "float16" else 1e-3)
    assert_array_equal(np.array(strange), kept)


MASKED = np.ma.array([1.0, 2.0], mask=[0, 1])
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    MATRIX = np.matrix([[1.0, 2.0], [3.0, 4.0]])
PAIR, SQUARE = Tensor([1.0, 2.0]), Tensor(np.eye(2))


@pytest.mark.parametrize(
    "call",
    [
        lambda: Tensor(MASKED),
        lambda: PAIR + MASKED,
        lambda: MASKED + PAIR,
        lambda: np.where([True, False], PAIR, MASKED),
        lambda: np.where(MASKED > 0, PAIR, 0),
        lambda: Tensor([1.0, 2.0]).update(MASKED),
        lambda: vg.grad(np.sum)(MASKED),
        lambda: vg.jvp(np.sin, ([1.0, 2.0],), (MASKED,)),
        lambda: vg.hvp(lambda x: np.sum(x**3), ([1.0, 2.0],), (MASKED,)),
        lambda: (PAIR * 2).backward(MASKED),
        lambda: vg.vjp(np.sin, [1.0, 2.0])[1](MASKED),
        lambda: PAIR[np.ma.array([0, 1], mask=[0, 1])],
    ],
)
def test_masked_arrays_are_refused_everywhere(call):
    """Without its mask a masked array is another array, and what stands under the mask would count."""
    with pytest.raises(TypeError, match=r"mask|gradient"):
        call()


@pytest.mark.parametrize(
    "call", [lambda: MATRIX * SQUARE, lambda: SQUARE * MATRIX, lambda: MATRIX @ SQUARE, lambda: Tensor(MATRIX)]
)
def test_np_matrix_is_refused(call):
    """Its * is a product of matrices; the elementwise one would be another number, with no sign of it."""
    with pytest.raises(TypeError, match=r"np\.asarray\(m\)"):
        call()


@pytest.mark.parametrize(
    "seed", [np.array([1, 2j]), np.array(["1", "2"]), [None, 1.0]], ids=["complex", "text", "object"]
)
@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
def test_a_cotangent_of_anything_but_real_numbers_is_refused(seed):
    with pytest.raises(TypeError, match="real"):
        (PAIR * 2).backward(seed)


# ---------------------------------------------------------------------------------- values that are not to be trusted


def test_what_a_guard_outside_leaves_is_noticed():
    """0 · ∞: where(x > 0, sqrt(x), 0) has gradient NaN at 0 in every engine. The guard belongs inside."""

    def outside(x):
        return np.where(x > 0, np.sqrt(x), 0.0)

    def inside(x):
        return np.where(x > 0, np.sqrt(np.where(x > 0, x, 1.0)), 0.0)

    assert vg.grad(inside)(0.0) == 0
    assert vg.grad(inside)(4.0) == 0.25
    with np.errstate(all="ignore"), vg.detect_anomaly(), pytest.raises(FloatingPointError, match="sqrt"):
        vg.grad(outside)(0.0)


def test_infinite_logits():
    """A class that is ruled out has logit −∞, and no gradient; a subtraction of −∞ from −∞ would make it NaN."""
    z = np.array([-np.inf, 0.0, 1.0])
    p = np.array([0, 1, np.e]) / (1 + np.e)
    assert_allclose(vg.grad(vg.logsumexp)(z), p, rtol=1e-15)
    assert_allclose(vg.jacobian(vg.softmax)(z), np.diag(p) - np.outer(p, p), rtol=1e-14, atol=1e-17)


def test_constants_too_large_for_an_int64():
    x = Tensor([1.0, 2.0])
    (x * 10**30 + 10**25 / x).backward([1.0, 1.0])
    assert_allclose(x.grad, [1e30 - 1e25, 1e30 - 1e25 / 4], rtol=1e-15)


# ----------------------------------------------------------------------------------------------------- what interrupts


def test_a_backward_that_fails_leaves_every_gradient_as_it_was():
    """Else a second try adds to half of them twice."""
    broken = vg.primitive(lambda x: 2 * x, (lambda g, out, x: 1 / 0,), name="broken")
    a, b = Tensor(2.0), Tensor(3.0)
    y = broken(b) * a
    z = y * Tensor(5.0)
    late = Tensor(7.0)
    root = z * late
    with pytest.raises(ZeroDivisionError):
        root.backward()
    assert (a.grad, b.grad, late.grad) == (None, None, None)


@pytest.mark.parametrize("written", [lambda g: np.multiply(g, 2, out=g), lambda g: g.fill(0)])
def test_a_rule_that_writes_into_its_cotangent_is_stopped_and_named(written):
    """g *= 2 is right alone, and wrong wherever another rule is given the same array."""

    def rule(g, out, x):
        written(g)
        return g

    slip = vg.primitive(lambda x: 2 * x, (rule,), name="slip")
    x = Tensor([1.0, 2.0], name="x")
    with pytest.raises(ValueError, match=r"slip gives .*must not write into its arguments"):
        (slip(np.exp(x)) + np.sin(x)).backward([1.0, 1.0])
    assert x.grad is None


def test_the_cotangents_that_are_handed_out_may_be_written_into():
    x = Tensor([1.0, 2.0])
    y = np.exp(x)
    root = y * 2 + y
    for found in (vg.backprop(root, [1.0, 1.0]), vg.backprop(root, [1.0, 1.0], wrt=[x, y, root])):
        for g in found.values():
            g += 1
        assert_allclose(found[y], [4.0, 4.0])


def test_backward_inside_no_grad():
    x = Tensor(3.0)
    y = x * x
    with vg.no_grad():
        y.backward()
        assert vg.backprop(y)[x] == 6
    assert x.grad == 6


def test_a_mini_batch_that_is_refilled_trains_as_fresh_ones_would():
    """fit hands its loss rows that nobody writes to later, though the data belong to the caller."""
    X, y = cotangent((8, 3), 1), rng.integers(0, 2, 8)
    seen = []

    def loss(model, X, y):
        seen.append(X)
        return vg.nn.losses.cross_entropy(model.logits(X), y)

    fit(vg.nn.MLP([3, 2, 2], seed=0), loss, (X, y), epochs=1, batch_size=4, lr=0.1, seed=0)
    assert not any([np.shares_memory(batch, X) for batch in seen])
    assert not np.shares_memory(*seen)
