"""Every operator, with every kind of partner on either side: value, dtype and both derivatives."""

import operator

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_vg as vg
from tinygrad_vg import Tensor

MATRIX = np.array([[1.5, 0.5, 2.0], [0.7, 3.0, 1.2]])

# A partner: how it comes in, and the array it stands for.
PARTNERS = {
    "float": 2.5,
    "int": 3,
    "bool": True,
    "np.float64": np.float64(1.5),
    "np.float32": np.float32(1.5),
    "np.int64": np.int64(2),
    "0-d array": np.array(1.25),
    "row": np.array([1.5, 0.5, 2.5]),
    "column": np.array([[0.5], [1.5]]),
    "matrix": MATRIX[::-1] + 0.25,
    "three axes": np.stack([MATRIX + 0.5, MATRIX + 1]),
    "float32 array": np.array([1.5, 0.5, 2.5], np.float32),
    "int array": np.array([1, 2, 3]),
    "list": [1.5, 0.5, 2.5],
    "nested list": [[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]],
}

DERIVATIVES = {  # of the result, by left and by right
    operator.add: (lambda x, y: 1 + 0 * x * y, lambda x, y: 1 + 0 * x * y),
    operator.sub: (lambda x, y: 1 + 0 * x * y, lambda x, y: -1 + 0 * x * y),
    operator.mul: (lambda x, y: y + 0 * x, lambda x, y: x + 0 * y),
    operator.truediv: (lambda x, y: 1 / y + 0 * x, lambda x, y: -x / y**2),
    operator.pow: (lambda x, y: y * x ** (y - 1.0), lambda x, y: x**y * np.log(x)),
    operator.mod: (lambda x, y: 1 + 0 * x * y, lambda x, y: -np.floor(x / y)),
}
IN_PLACE = {
    operator.add: operator.iadd,
    operator.sub: operator.isub,
    operator.mul: operator.imul,
    operator.truediv: operator.itruediv,
    operator.pow: operator.ipow,
    operator.mod: operator.imod,
}

name = {"ids": lambda x: x if isinstance(x, str) else x.__name__}
over_partners = pytest.mark.parametrize("partner", PARTNERS)
over_operators = pytest.mark.parametrize("op", DERIVATIVES, **name)


def reduced(g, shape):
    """Sum a derivative over the axes that broadcasting added or stretched."""
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    return g.sum(axis=tuple([i for i, n in enumerate(shape) if n == 1 != g.shape[i]]), keepdims=True).reshape(shape)


def precision(*arrays):
    """A derivative is as precise as the least precise argument."""
    return 1e-5 if any([getattr(a, "dtype", None) == np.float32 for a in arrays]) else 1e-14


def weights(shape):
    return np.random.default_rng(7).standard_normal(shape) + 0.25


@over_partners
@over_operators
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("side", ["left", "right"])
def test_tensor_and_partner(op, partner, side, dtype):
    other, data = PARTNERS[partner], MATRIX.astype(dtype)
    t = Tensor(data)
    result = op(t, other) if side == "left" else op(other, t)
    pair = (data, other) if side == "left" else (other, data)
    meant = np.power if op is operator.pow else op  # array ** np.int64(2) has a dtype of its own in older NumPy
    expected = meant(*[np.asarray(v) if isinstance(v, list) else v for v in pair])
    assert type(result) is Tensor
    assert result.dtype == expected.dtype
    assert_array_equal(result.data, expected)
    g = weights(result.shape)
    gradient = vg.backprop(result, g, wrt=[t])[t]
    by = DERIVATIVES[op][0 if side == "left" else 1]
    exact = reduced(g * by(*[np.asarray(v, float) for v in pair]), MATRIX.shape)
    assert (gradient.shape, gradient.dtype) == (data.shape, data.dtype)
    assert_allclose(gradient, exact, rtol=precision(*pair))


@over_operators
@pytest.mark.parametrize("partner", [p for p in PARTNERS if "int" not in p and "list" not in p and p != "bool"])
def test_tensor_and_tensor(op, partner):
    x, y = Tensor(MATRIX), Tensor(PARTNERS[partner])
    for left, right in ((x, y), (y, x)):
        result = op(left, right)
        assert_array_equal(result.data, op(left.data, right.data))
        g = weights(result.shape)
        found = vg.backprop(result, g, wrt=[left, right])
        for t, by in zip((left, right), DERIVATIVES[op], strict=True):
            exact = reduced(g * by(left.data.astype(float), right.data.astype(float)), t.shape)
            assert (found[t].shape, found[t].dtype) == (t.shape, t.dtype)
            assert_allclose(found[t], exact, rtol=precision(left.data, right.data))


@over_operators
def test_tensor_with_itself(op):
    t = Tensor(MATRIX)
    result = op(t, t)
    g = weights(result.shape)
    left, right = [by(MATRIX, MATRIX) for by in DERIVATIVES[op]]
    assert_allclose(vg.backprop(result, g)[t], g * (left + right), rtol=1e-14, atol=1e-15)


@over_operators
@over_partners
def test_in_place_forms_make_a_new_tensor(op, partner):
    before = t = Tensor(MATRIX)
    t = IN_PLACE[op](t, PARTNERS[partner])
    assert t is not before
    assert_array_equal(before.data, MATRIX)
    assert_array_equal(t.data, op(before, PARTNERS[partner]).data)
    assert t.node.inputs[0] is before
    assert vg.backprop(t, weights(t.shape), wrt=[before])[before].shape == MATRIX.shape


@over_operators
@pytest.mark.parametrize("kind", [float, np.float64, np.array])
def test_in_place_forms_of_a_number(op, kind):
    t = Tensor(2.0)
    n = kind(3.0)
    if kind is np.array:
        with pytest.raises(TypeError, match=r"a = a \+ t"):
            IN_PLACE[op](n, t)
    else:
        assert IN_PLACE[op](n, t).item() == op(3.0, 2.0)


@over_operators
def test_an_array_is_never_changed_by_a_tensor(op):
    a = MATRIX.copy()
    with pytest.raises(TypeError, match=r"would lose the gradient.*a = a \+ t"):
        IN_PLACE[op](a, Tensor(MATRIX))
    assert_array_equal(a, MATRIX)


# ------------------------------------------------------------------------------------------------------------ matmul

SHAPES = [
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 2)),
    ((2, 3), (3, 4)),
    ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)),
    ((5, 1, 2, 3), (4, 3, 2)),
    ((3,), (5, 3, 4)),
    ((5, 2, 3), (3,)),
]


@pytest.mark.parametrize(("a", "b"), SHAPES)
@pytest.mark.parametrize("kinds", ["tt", "ta", "at", "tl", "lt"])
def test_matmul(a, b, kinds):
    rng = np.random.default_rng(3)
    x, y = rng.standard_normal(a), rng.standard_normal(b)
    wrap = {"t": Tensor, "a": np.array, "l": np.ndarray.tolist}
    left, right = wrap[kinds[0]](x), wrap[kinds[1]](y)
    result = left @ right
    assert type(result) is Tensor
    assert_allclose(result.data, x @ y, rtol=1e-14)
    g = weights(result.shape)
    # every entry of the product is a sum of left·right: its derivatives by einsum over explicit axes
    xs, ys = (x[None] if x.ndim == 1 else x), (y[:, None] if y.ndim == 1 else y)
    gs = np.asarray(g).reshape((xs @ ys).shape)
    exact = {
        "left": reduced(np.einsum("...mn,...kn->...mk", gs, ys), xs.shape).reshape(a),
        "right": reduced(np.einsum("...mk,...mn->...kn", xs, gs), ys.shape).reshape(b),
    }
    for side, t in (("left", left), ("right", right)):
        if type(t) is Tensor:
            assert_allclose(vg.backprop(result, g)[t], exact[side], rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("other", [2.0, np.float64(2.0), np.array(2.0), Tensor(2.0)], ids=lambda x: type(x).__name__)
def test_matmul_of_a_number_is_refused(other):
    for call in (lambda: Tensor(MATRIX) @ other, lambda: other @ Tensor(MATRIX)):
        with pytest.raises(ValueError, match="matmul"):
            call()


def test_matmul_in_place():
    before = t = Tensor(MATRIX)
    t @= MATRIX.T
    assert_array_equal(t.data, MATRIX @ MATRIX.T)
    assert t.node.inputs[0] is before


# ------------------------------------------------------------------------------------------- unary, and the questions


@pytest.mark.parametrize(
    ("op", "slope"),
    [
        (operator.neg, lambda x: -np.ones_like(x)),
        (operator.pos, lambda x: np.ones_like(x)),
        (operator.abs, lambda x: np.where(x > 0, 1.0, -1.0)),
    ],
    **name,
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_unary(op, slope, dtype):
    x = np.array([1.5, -2.0, 0.25], dtype)
    t = Tensor(x)
    result = op(t)
    assert (type(result), result.dtype) == (Tensor, dtype)
    assert_array_equal(result.data, op(x))
    assert_array_equal(vg.backprop(result, weights((3,)))[t], (weights((3,)).astype(dtype) * slope(x)).astype(dtype))


@pytest.mark.parametrize(
    "op", [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne, operator.floordiv], **name
)
@over_partners
@pytest.mark.parametrize("side", ["left", "right"])
def test_questions_give_plain_arrays(op, partner, side):
    other = PARTNERS[partner]
    pair = (Tensor(MATRIX), other) if side == "left" else (other, Tensor(MATRIX))
    plain = [MATRIX if isinstance(v, Tensor) else np.asarray(v) if isinstance(v, list) else v for v in pair]
    answer = op(*pair)
    assert isinstance(answer, np.ndarray | np.generic)
    assert_array_equal(answer, op(*plain))


def test_comparing_tensors():
    t, u = Tensor([1.0, 2.0]), Tensor([1.0, 3.0])
    assert_array_equal(t == u, [True, False])
    assert_array_equal(t < u, [False, True])
    assert_array_equal(t == np.array([1.0, 3.0]), [True, False])


def test_an_array_on_the_left_gives_a_tensor_not_an_object_array():
    t = Tensor([1.0, 2.0])
    for result in (np.ones(2) * t, np.ones((3, 1)) + t, np.float64(2) / t, np.ones((1, 2)) @ t, np.ones(2) ** t):
        assert type(result) is Tensor
        assert result.dtype == np.float64


@pytest.mark.parametrize("op", [divmod, operator.lshift, operator.rshift, operator.and_, operator.or_, operator.xor])
def test_operators_without_a_derivative_are_refused_by_name(op):
    with pytest.raises(TypeError, match="has no derivative rule"):
        op(Tensor(4.0), 2)


@pytest.mark.parametrize("bad", ["a", None, object(), {"a": 1}, 1j], ids=lambda x: type(x).__name__)
@pytest.mark.parametrize("side", ["left", "right"])
def test_partners_that_are_no_numbers(bad, side):
    t = Tensor([1.0, 2.0])
    with pytest.raises(TypeError):
        t + bad if side == "left" else bad + t
