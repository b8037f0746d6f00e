"""Backprop and the derivatives of functions: any order, any nesting, against closed forms and one another."""

import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_vg as vg
from tinygrad_vg import Tensor

A = np.array([[2.0, -1.0, 0.5], [0.3, 1.5, -2.0], [1.0, 0.2, 0.7]])
V = np.array([0.5, -1.5, 2.0])


def quadratic(x):
    return x @ A @ x


def smooth(x):
    """All entries interact."""
    return np.sum(np.sin(x) * np.exp(np.roll(x, 1))) + np.prod(x) * np.tanh(x[0] * x[-1])


def vector(x):
    return np.stack([x[0] * x[1], np.sin(x[2]), np.sum(x**3), np.exp(x[0] - x[2])])


def vector_jacobian(x):
    return np.array(
        [[x[1], x[0], 0], [0, 0, np.cos(x[2])], 3 * x**2, np.exp(x[0] - x[2]) * np.array([1, 0, -1])]
    )  # fmt: skip


# ------------------------------------------------------------------------------------------------------- backward


def test_backward_fills_the_leaves_only():
    w, x = Tensor([1.0, 2.0]), Tensor([3.0, 4.0])
    z = w * x
    y = np.sum(z * z)
    y.backward()
    assert_array_equal(w.grad, 2 * w.data * x.data**2)
    assert_array_equal(x.grad, 2 * x.data * w.data**2)
    assert (y.grad, z.grad) == (None, None)


def test_two_losses_sharing_a_trunk_add_up():
    x = Tensor(V)
    trunk = np.sin(x) * x
    first, second = np.sum(trunk**2), np.prod(trunk)
    first.backward()
    second.backward()
    both = Tensor(V)
    trunk = np.sin(both) * both
    (np.sum(trunk**2) + np.prod(trunk)).backward()
    assert_allclose(x.grad, both.grad, rtol=1e-14)


def test_backward_of_a_leaf_is_one():
    x = Tensor(5.0)
    x.backward()
    assert x.grad == 1
    x.backward()
    assert x.grad == 2
    assert vg.grad(lambda x: x)(5.0) == 1


@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_a_single_number_needs_no_seed(shape):
    x = Tensor(np.full(shape, 3.0))
    (x * x).backward()
    assert_array_equal(x.grad, np.full(shape, 6.0))


def test_seed():
    x = Tensor([1.0, 2.0])
    y = x * x
    for seed in ([1.0, 10.0], np.array([1.0, 10.0]), Tensor([1.0, 10.0]), (1, 10), np.array([1, 10], np.float32)):
        x.grad = None
        y.backward(seed)
        assert_array_equal(x.grad, [2, 40])
        assert x.grad.dtype == np.float64


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda t: (t * 2).backward(), ValueError, r"made by multiply.*shape \(2,\).*seed"),
        (lambda t: (t * 2).backward(1.0), ValueError, r"seed has shape \(\).*\(2,\)"),
        (lambda t: (t * 2).backward([1.0, 2.0, 3.0]), ValueError, r"\(3,\)"),
        (lambda t: vg.backprop(t * 2, [[1.0, 2.0]]), ValueError, r"\(1, 2\)"),
        (lambda t: vg.backprop(3.0), TypeError, "float"),
        (lambda t: vg.backprop(np.ones(1)), TypeError, "ndarray.*no Tensor|no Tensor"),
        (lambda t: vg.grad(lambda x: x * 2)([1.0, 2.0]), ValueError, "jacobian"),
        (lambda t: vg.grad(lambda x: x, 1)(2.0), TypeError, "argnums=1"),
        (lambda t: vg.grad(lambda x: (x, x))(2.0), TypeError, "tuple|Tensor"),
        (lambda t: vg.vjp(lambda x: (x, x), 2.0), TypeError, "tuple"),
        (lambda t: vg.jvp(lambda x: [x, x], (2.0,), (1.0,)), TypeError, "list"),
        (lambda t: vg.jacobian(lambda x: {"a": x})(2.0), TypeError, "dict"),
        (lambda t: vg.vjp(lambda x: x * 2, [1.0, 2.0])[1](1.0), ValueError, r"shape \(\).*\(2,\)"),
        (lambda t: vg.jvp(np.sin, ([1.0, 2.0],), (1.0,)), ValueError, "tangents"),
        (lambda t: vg.jvp(np.sin, (1.0,), (1.0, 2.0)), ValueError, "tangents"),
        (lambda t: vg.hvp(np.sum, (V,), (1.0,)), ValueError, "vectors"),
        (lambda t: vg.grad(lambda x: x)("a"), TypeError, "real numbers"),
    ],
)
def test_bad_calls_say_what_is_wrong(call, error, match):
    with pytest.raises(error, match=match):
        call(Tensor([1.0, 2.0]))


def test_gradients_belong_to_the_leaf():
    x, y = Tensor([1.0, 2.0]), Tensor([3.0, 4.0])
    seed = np.array([1.0, 1.0])
    (x + y).backward(seed)
    assert not np.shares_memory(x.grad, y.grad)
    assert not np.shares_memory(x.grad, seed)
    x.grad[0] = 99
    assert_array_equal(y.grad, [1, 1])
    assert_array_equal(seed, [1, 1])
    assert type(Tensor(1.0).backward()) is type(None)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_gradients_have_the_dtype_of_their_tensor(dtype):
    x = Tensor(np.array([1.0, 2.0], dtype))
    for _ in range(2):
        np.sum(x * np.array([1.0, 2.0]) + x[[0, 0]] + np.mean(x)).backward()
        assert (type(x.grad), x.grad.dtype) == (np.ndarray, dtype)
    s = Tensor(dtype(2))
    for _ in range(3):
        (s * s).backward()
        assert (type(s.grad), s.grad.dtype, s.grad.shape) == (np.ndarray, dtype, ())


# -------------------------------------------------------------------------------------------------------- backprop


def test_backprop_gives_every_tensor_and_touches_no_grad():
    w, x = Tensor(2.0, name="w"), Tensor(5.0, name="x")
    z = w * x
    y = np.sin(z)
    found = vg.backprop(y)
    assert set(found) == {w, x, z, y}
    assert [t.birth for t in found] == sorted([t.birth for t in found], reverse=True)
    assert_allclose([found[y], found[z], found[w], found[x]], [1, np.cos(10), 5 * np.cos(10), 2 * np.cos(10)])
    assert w.grad is None
    assert x.grad is None
    assert all([type(g) is np.ndarray for g in found.values()])
    assert not any([np.shares_memory(found[a], found[b]) for a in found for b in found if a is not b])


def test_backprop_wrt():
    w, x, other = Tensor(2.0), Tensor(5.0), Tensor([1.0, 2.0])
    z = w * x
    y = z * z
    found = vg.backprop(y, wrt=[z, other])
    assert list(found) == [z, other]
    assert found[z] == 20
    assert_array_equal(found[other], [0, 0])
    assert vg.backprop(y, wrt=[y]) == {y: 1}
    assert vg.backprop(y, wrt=[]) == {}
    recorded = vg.backprop(y, wrt=[z, other], create_graph=True)
    assert [type(g) for g in recorded.values()] == [Tensor, Tensor]


def test_a_sweep_with_wrt_does_not_visit_what_is_older():
    x = Tensor(1.0)
    y = x
    for _ in range(100):
        y = np.sin(y)
    z, calls = np.exp(y), []
    vg.backprop(z * z, wrt=[z], trace=lambda *call: calls.append(call))
    assert [node.op.name for node, _, _ in calls] == ["multiply", "exp"]
    assert calls[-1][2] == (None,)  # nothing goes further back than z
    calls.clear()
    vg.backprop(z * z, trace=lambda *call: calls.append(call))
    assert len(calls) == 102


def graph():
    x, w = Tensor(V, name="x"), Tensor(A, name="w")
    h = np.tanh(w @ x)
    return np.sum(h * h[::-1] + x[[0, 0, 2]] * h) + np.mean(np.maximum(h, x))


def test_trace_sees_each_node_once_and_what_comes_in_is_what_went_out():
    root, calls = graph(), []
    found = vg.backprop(root, trace=lambda *call: calls.append(call))
    nodes = [node for node, _, _ in calls]
    assert len(set(map(id, nodes))) == len(nodes) == len([t for t in found if t.node is not None])
    sums = {root: np.array(1.0)}
    for node, incoming, emitted in calls:
        (out,) = [t for t in found if t.node is node]
        assert_allclose(incoming, sums[out], rtol=1e-14, atol=1e-16)
        assert_allclose(incoming, found[out], rtol=0)
        assert len(emitted) == len(node.inputs)
        for parent, piece in zip(node.inputs, emitted, strict=True):
            assert (piece is not None) == (type(parent) is Tensor)
            if piece is not None:
                assert np.shape(piece) == parent.shape
                sums[parent] = sums.get(parent, 0) + piece
    for tensor, total in sums.items():
        assert_allclose(found[tensor], total, rtol=1e-14, atol=1e-16)


@pytest.mark.parametrize("order", ["xy", "yx"])
@pytest.mark.parametrize("join", [lambda x, y: x + y, lambda x, y: np.concatenate([x, y])])
@pytest.mark.parametrize("sliced", [0, 1])
def test_a_cotangent_that_two_tensors_share_is_not_added_to(order, join, sliced):
    """Sums pass the same array on to both arguments; more coming in for one must not reach the other."""
    leaves = {name: Tensor(V) for name in order}
    x, y = leaves["x"], leaves["y"]
    more = [x * float(k) for k in range(2, 5)]  # older than the sum, so they come in after it
    total = join(x, y)
    piece = np.sum(x[:sliced])  # younger than the sum, so its slice comes in first
    root, handed = np.sum(total) + sum([np.sum(m) for m in more]) + piece, []

    def note(node, incoming, emitted):
        handed.append((emitted, [np.array(e) for e in emitted]))

    for found in (vg.backprop(root), vg.backprop(root, trace=note)):
        assert_array_equal(found[y], np.ones(3))
        assert_array_equal(found[x], [10 + sliced, 10, 10])
        assert_array_equal(found[total], np.ones(total.shape))
    for emitted, copies in handed:
        for piece, copied in zip(emitted, copies, strict=True):
            assert piece is None or np.array_equal(piece, copied)


def test_recorded_and_first_order_sweeps_agree():
    root = graph()
    plain, recorded = vg.backprop(root), vg.backprop(root, create_graph=True)
    assert list(plain) == list(recorded)
    for tensor, gradient in plain.items():
        assert type(recorded[tensor]) is Tensor
        assert_allclose(recorded[tensor].data, gradient, rtol=1e-15)


# ------------------------------------------------------------------------------------------------- stale or not stale


def test_update_after_forward_keeps_the_first_order_gradient_right():
    w, x = Tensor([1.0, 2.0], name="w"), Tensor([3.0, 4.0])
    y = np.sum((w * x) ** 2 + np.exp(w))
    expected = vg.backprop(y)[w]
    w.update([100.0, 100.0])
    assert_array_equal(vg.backprop(y)[w], expected)
    y.backward()
    assert_array_equal(w.grad, expected)
    assert_array_equal(x.grad, 2 * np.array([3.0, 8.0]) * [1, 2])
    with pytest.raises(vg.StaleGraphError, match=r"'w' was updated after (exp|multiply)"):
        vg.backprop(y, create_graph=True)
    with pytest.raises(vg.StaleGraphError):
        vg.backprop(y, wrt=[w], create_graph=True)


def test_an_update_to_the_same_values_is_stale_too():
    w = Tensor([1.0, 2.0])
    y = np.sum(w * w)
    w.update(w.data)
    with pytest.raises(vg.StaleGraphError):
        vg.backprop(y, create_graph=True)
    vg.backprop(np.sum(w * w), create_graph=True)


# ------------------------------------------------------------------------------------------------------- any order


def test_any_order():
    derivatives, f = [], np.sin
    for _ in range(7):
        derivatives.append(float(f(np.array(0.7))))
        f = vg.grad(f)
    s, c = np.sin(0.7), np.cos(0.7)
    assert_allclose(derivatives, [s, c, -s, -c, s, c, -s], rtol=1e-14)
    f = lambda x: x**5
    for expected in (80, 160, 240, 240, 120, 0, 0):
        f = vg.grad(f)
        assert f(2.0) == expected


def test_grad_of_grad_of_grad():
    f = lambda x: np.exp(np.sin(x)) * x**2
    third = vg.grad(vg.grad(vg.grad(f)))
    second, h = vg.grad(vg.grad(f)), 1e-4
    x = 0.8
    slopes = [(second(x + k) - second(x - k)) / (2 * k) for k in (h, 2 * h)]
    assert_allclose(third(x), (4 * slopes[0] - slopes[1]) / 3, rtol=1e-9)


def test_sigmoid_to_fourth_order():
    s = lambda z: 1 / (1 + np.exp(-z))
    z = 1.3
    y = s(z)
    expected = [
        y * (1 - y),
        y * (1 - y) * (1 - 2 * y),
        y * (1 - y) * (1 - 6 * y + 6 * y**2),
        y * (1 - y) * (1 - 2 * y) * (1 - 12 * y + 12 * y**2),
    ]
    f = vg.sigmoid
    for value in expected:
        f = vg.grad(f)
        assert_allclose(f(z), value, rtol=1e-13)


def test_higher_order_by_recorded_sweeps_and_backward():
    x = Tensor(2.0)
    y = x**4
    for expected in (32, 48, 48, 24, 0):
        y = vg.backprop(y, wrt=[x], create_graph=True)[x]
        assert y.item() == expected
    z = vg.backprop(x**3, wrt=[x], create_graph=True)[x]
    (z * x).backward()  # d(3x³)/dx
    assert x.grad == 36


# ------------------------------------------------------------------------------------------- perturbation confusion


def test_mixed_derivative_of_nested_functions():
    """d/dx [ d/dy (x·y²) ] at y = 3 is 2y."""
    assert vg.grad(lambda x: vg.grad(lambda y: x * y**2)(3.0))(2.0) == 6


def test_the_inner_variable_is_the_outer_value():
    """d/dx [ x · ∂(xy)/∂y at y = x ] = d/dx [x·x] = 2x."""
    assert vg.grad(lambda x: x * vg.grad(lambda y: x * y)(x))(5.0) == 10
    assert vg.grad(lambda x: x * vg.grad(lambda y: x + y)(1.0))(1.0) == 1
    assert vg.grad(lambda x: x * vg.grad(lambda y: x + y)(x))(1.0) == 1
    assert vg.grad(lambda x: vg.grad(lambda y: y**3)(x))(2.0) == 12


def test_an_inner_derivative_by_an_outer_tensor():
    x = Tensor(3.0)
    slope = vg.grad(lambda y: x * y * y)(x)  # x is a constant to the inner derivative
    assert type(slope) is Tensor
    assert slope.item() == 18
    slope.backward()  # 2x·y at y = x: both count
    assert x.grad == 12


def test_an_output_that_does_not_depend_on_the_argument():
    for f in (lambda x: 3.0, lambda x: np.array(3.0), lambda x: Tensor(3.0), lambda x: vg.stop_gradient(x) * 2):
        assert vg.grad(f)(2.0) == 0
        assert_array_equal(vg.grad(lambda v, f=f: f(np.sum(v)))(V), [0, 0, 0])
    assert_array_equal(vg.jacobian(lambda x: np.ones(2))(V), np.zeros((2, 3)))
    assert_array_equal(vg.jvp(lambda x: np.ones(2), (V,), (V,))[1], [0, 0])
    pullback = vg.vjp(lambda x: np.ones(2), V)[1]
    assert_array_equal(pullback(np.ones(2))[0], np.zeros(3))
    assert vg.grad(vg.grad(lambda x: 3 * x))(1.0) == 0
    assert_array_equal(vg.hessian(lambda x: np.sum(x))(V), np.zeros((3, 3)))
    assert vg.grad(lambda x: vg.grad(lambda y: y * y)(2.0))(7.0) == 0
    assert vg.grad(lambda x, y: x, 1)(1.0, 2.0) == 0


def test_no_grad_inside_a_function_makes_constants():
    def f(x):
        with vg.no_grad():
            c = x * 2
        return x * c

    assert vg.grad(f)(3.0) == 6


def test_derivatives_work_inside_no_grad():
    with vg.no_grad():
        assert vg.grad(np.sin)(0.0) == 1
        assert vg.grad(vg.grad(lambda x: x**3))(2.0) == 12
        assert_allclose(vg.hessian(quadratic)(V), A + A.T)
        assert vg.jvp(np.sin, (0.0,), (2.0,))[1] == 2
        assert vg.vjp(np.sin, 0.0)[1](1.0)[0] == 1
        assert_allclose(vg.hvp(quadratic, (V,), (V,)), (A + A.T) @ V)
        result = vg.grad(np.sin)(Tensor(0.0))
        assert type(result) is np.ndarray
        assert type(Tensor(1.0) * 2) is not Tensor


# ------------------------------------------------------------------------------------------- functions of functions


def test_outermost_derivatives_are_arrays_inner_ones_tensors():
    seen = []

    def f(x):
        seen.append(type(vg.grad(lambda y: y * y * x)(1.0)))
        return x * x

    gradient = vg.grad(f)(2.0)
    assert (type(gradient), seen) == (np.ndarray, [Tensor])
    value, gradient = vg.value_and_grad(np.sin)(Tensor(0.0))
    assert (type(value), type(gradient)) == (Tensor, Tensor)
    value, gradient = vg.value_and_grad(np.sin)(0.0)
    assert (type(value), type(gradient)) == (np.ndarray, np.ndarray)


def test_given_a_tensor_the_gradient_can_be_differentiated():
    x = Tensor(2.0)
    g = vg.grad(lambda x: x**3)(x)
    g.backward()
    assert x.grad == 12


def test_argnums_and_keywords():
    f = lambda x, y, scale=1.0: scale * x * y**2
    assert vg.grad(f)(2.0, 3.0) == 9
    assert vg.grad(f, 1)(2.0, 3.0) == 12
    assert vg.grad(f, -1)(2.0, 3.0) == 12
    assert vg.grad(f, (0, 1))(2.0, 3.0, scale=10.0) == (90, 120)
    assert vg.grad(f, [1])(2.0, 3.0) == (12,)
    value, gradients = vg.value_and_grad(f, (1, 0))(2.0, 3.0)
    assert (value, gradients) == (18, (12, 9))
    assert_allclose(vg.jacobian(lambda x, y: x * y, 1)(V, V), np.diag(V))
    assert_allclose(vg.hessian(lambda x, y: x[0] * np.sum(y**2), 1)(V, V), np.eye(3))


def test_data_given_to_derivatives_stay_as_they_are():
    x = V.copy()
    y, pullback = vg.vjp(lambda x: x, x)
    y[0] = 99
    assert_array_equal(x, V)
    (g,) = pullback(x)
    g[0] = 77
    assert_array_equal(x, V)
    leaf = Tensor(V)
    vg.grad(lambda t: np.sum(t * t))(leaf)
    assert leaf.grad is None


def test_jacobian_against_the_closed_form():
    assert_allclose(vg.jacobian(vector)(V), vector_jacobian(V), rtol=1e-14)
    assert_allclose(vg.jacobian(lambda x: A @ x)(V), A, rtol=1e-15)
    outer = vg.jacobian(lambda x: np.outer(x, x))(V)
    expected = np.einsum("ik,j->ijk", np.eye(3), V) + np.einsum("jk,i->ijk", np.eye(3), V)
    assert_allclose(outer, expected, rtol=1e-15)
    assert vg.jacobian(lambda x: np.reshape(x, (0, 3)))(np.zeros((3, 0))).shape == (0, 3, 3, 0)
    assert vg.jacobian(np.sin)(0.0) == 1


def test_hessian_against_the_closed_form():
    assert_allclose(vg.hessian(quadratic)(V), A + A.T, rtol=1e-14)
    x = np.array([1.0, 3.0])
    assert_allclose(vg.hessian(lambda x: np.exp(x[0] * x[1]))(x), np.exp(3) * np.array([[9, 4], [4, 1]]), rtol=1e-14)
    matrix = vg.hessian(lambda m: np.sum(m @ m))(A)
    unit = np.eye(3)
    expected = np.einsum("jk,i,l->ijkl", unit, np.ones(3), np.ones(3)) + np.einsum(
        "il,j,k->ijkl", unit, np.ones(3), np.ones(3)
    )
    assert_allclose(matrix, expected, rtol=1e-14)


@settings(max_examples=max(5, settings.default.max_examples // 4))
@given(seed=st.integers(0, 2**32 - 1))
def test_all_the_transformations_agree(seed):
    rng = np.random.default_rng(seed)
    x, v, u = rng.uniform(-1.5, 1.5, 3), rng.standard_normal(3), rng.standard_normal(4)
    jacobian = vg.jacobian(vector)(x)
    y, pullback = vg.vjp(vector, x)
    z, dy = vg.jvp(vector, (x,), (v,))
    assert_allclose(jacobian, vector_jacobian(x), rtol=1e-12)
    assert_allclose(y, vector(x), rtol=1e-15)
    assert_allclose(z, vector(x), rtol=1e-15)
    scale = np.abs(jacobian)
    assert (np.abs(pullback(u)[0] - u @ jacobian) <= 1e-13 * (np.abs(u) @ scale)).all()
    assert (np.abs(dy - jacobian @ v) <= 1e-13 * (scale @ np.abs(v))).all()
    hessian = vg.hessian(smooth)(x)
    scale = np.abs(hessian).max()
    assert_allclose(hessian, hessian.T, rtol=1e-12, atol=1e-13 * scale)
    assert_allclose(vg.hvp(smooth, (x,), (v,)), hessian @ v, rtol=1e-12, atol=1e-12 * scale)
    forward = vg.jvp(vg.grad(smooth), (x,), (v,))[1]  # forward over reverse
    assert_allclose(forward, hessian @ v, rtol=1e-12, atol=1e-12 * scale)
    assert_allclose(vg.jacobian(vg.grad(smooth))(x), hessian, rtol=1e-12, atol=1e-13 * scale)
    slope = vg.grad(lambda x: vg.jvp(smooth, (x,), (v,))[1])(x)  # reverse over forward
    assert_allclose(slope, hessian @ v, rtol=1e-12, atol=1e-12 * scale)
    inner = vg.grad(lambda x: np.sum(vg.vjp(smooth, x)[1](np.array(1.0))[0] * v))(x)
    assert_allclose(inner, hessian @ v, rtol=1e-12, atol=1e-12 * scale)
    third = vg.jacobian(vg.hessian(smooth))(x)
    assert third.shape == (3, 3, 3)
    assert_allclose(third, np.transpose(third, (2, 0, 1)), rtol=1e-11, atol=1e-12 * np.abs(third).max())


def test_jvp_and_hvp_of_several_arguments():
    f = lambda x, y: np.sum(x * y**2)
    value, dy = vg.jvp(f, (2.0, 3.0), (1.0, 10.0))
    assert (value, dy) == (18, 9 + 120)
    assert vg.hvp(f, (2.0, 3.0), (1.0, 10.0)) == (60, 6 + 40)
    assert_array_equal(vg.jvp(lambda x: x[:, None] * x, (V,), (np.ones(3),))[1], V[:, None] + V)


def test_derivative_by_a_tangent_and_by_a_cotangent():
    assert vg.grad(lambda v: vg.jvp(lambda x: x**3, (2.0,), (v,))[1])(5.0) == 12
    assert vg.grad(lambda u: vg.vjp(lambda x: x**3, 2.0)[1](u)[0])(5.0) == 12


def test_tensors_as_tangent_and_cotangent_can_be_differentiated():
    u, v = Tensor(5.0), Tensor(7.0)
    (pulled,) = vg.vjp(lambda x: x**3, 2.0)[1](u)
    pushed = vg.jvp(lambda x: x**3, (2.0,), (v,))[1]
    assert (pulled.item(), pushed.item()) == (60, 84)
    pulled.backward()
    pushed.backward()
    assert (u.grad, v.grad) == (12, 12)


def test_a_pullback_can_be_used_again():
    _, pullback = vg.vjp(lambda x: x * x, V)
    for u in np.eye(3):
        assert_array_equal(pullback(u)[0], 2 * V * u)


# -------------------------------------------------------------------------------------------- a primitive of one's own


def test_primitive_by_call_and_by_decorator():
    cube = vg.primitive(lambda x: x**3, (lambda g, out, x: g * 3 * x**2,), name="cube", symbol="³", local="3·{0}²")

    @vg.primitive(vjps=(lambda g, out, x, k=2: g * k * x ** (k - 1),))
    def power(x, k=2):
        """x to the k."""
        return x**k

    assert cube(2.0) == 8
    assert type(cube(np.ones(2))) is np.ndarray
    assert [float(f(2.0)) for f in (vg.grad(cube), vg.grad(vg.grad(cube)))] == [12, 12]
    assert vg.grad(power)(3.0) == 6
    assert vg.grad(lambda x: power(x, 4))(2.0) == 32
    assert vg.grad(lambda x: power(x, k=4))(2.0) == 32
    assert vg.grad(vg.grad(lambda x: power(x, k=3)))(2.0) == 12
    assert (power.__name__, power.__doc__) == ("power", "x to the k.")
    assert str(inspect.signature(power)) == "(x, k=2)"
    assert (cube.op.name, cube.op.symbol, cube.op.local) == ("cube", "³", ("3·{0}²",))
    assert cube(Tensor(2.0)).node.op is cube.op
    with pytest.raises(TypeError, match=r"power of a Tensor does not support j=1; supported settings: k"):
        power(Tensor(2.0), j=1)
    with pytest.raises(TypeError, match="at most 2"):
        power(Tensor(2.0), 2, 3)
    with pytest.raises(TypeError, match="'x' is missing"):
        power(k=3)


def test_primitive_with_several_arguments_broadcast():
    scale = vg.primitive(
        lambda x, y, c: x * y + c, (lambda g, out, x, y, c: g * y, lambda g, out, x, y, c: g * x, None), name="scale"
    )
    x, y, c = Tensor(A), Tensor(V), Tensor(1.0)
    found = vg.backprop(np.sum(scale(x, y, c)), wrt=[x, y, c])
    assert_allclose(found[x], np.broadcast_to(V, (3, 3)))
    assert_allclose(found[y], A.sum(axis=0))
    assert found[c] == 0


def test_variadic_primitive():
    total = vg.primitive(lambda *xs: sum([x**2 for x in xs]), lambda i, g, out, *xs: 2 * g * xs[i], name="total")
    xs = [Tensor(float(k)) for k in range(5)]
    total(*xs).backward()
    assert [float(x.grad) for x in xs] == [0, 2, 4, 6, 8]
    assert vg.grad(vg.grad(lambda x: total(x, 1.0, x)))(3.0) == 4


@pytest.mark.parametrize(
    ("rule", "shape"),
    [
        (lambda g, out, x: np.sum(g), r"\(\)"),
        (lambda g, out, x: g[:1], r"\(1,\)"),
        (lambda g, out, x: g[None], r"\(1, 3\)"),
        (lambda g, out, x: np.concatenate([g, g]), r"\(6,\)"),
    ],
)
@pytest.mark.parametrize("record", [False, True])
def test_a_rule_that_answers_in_a_wrong_shape_is_named(rule, shape, record):
    bad = vg.primitive(lambda x: 2 * x, (rule,), name="my_op")
    y = bad(Tensor(V, name="x"))
    with pytest.raises(ValueError, match=rf"vjp of my_op for 'x' returned shape {shape}.*\(3,\)"):
        vg.backprop(y, np.ones(3), create_graph=record)


def test_a_rule_of_a_product_that_answers_in_the_output_shape_is_named():
    mm = vg.primitive(lambda a, b: a @ b, (lambda g, out, a, b: g, lambda g, out, a, b: a.T @ g), name="my_product")
    a, b = Tensor(np.ones((2, 3)), name="a"), np.ones((3, 4))
    with pytest.raises(ValueError, match=r"vjp of my_product for 'a' returned shape \(2, 4\)"):
        np.sum(mm(a, b)).backward()


def test_a_rule_may_return_a_python_number():
    double = vg.primitive(lambda x: 2 * x, (lambda g, out, x: 2.0,), name="double")
    assert vg.grad(double)(3.0) == 2


def test_primitives_with_too_many_or_no_rules():
    for vjps in ((), (None, None)):
        with pytest.raises(TypeError, match=r"rules for the parameters \(x\)"):
            vg.primitive(lambda x: x, vjps, name="bad")


def test_a_rule_never_sees_the_seed_changed():
    seeds = []

    def rule(g, out, x):
        seeds.append(np.array(g))
        return g * 2

    twice = vg.primitive(lambda x: 2 * x, (rule,), name="twice")
    x = Tensor(V)
    y = twice(x)
    z = y + y * 3
    seed = np.array([1.0, 2.0, 3.0])
    vg.backprop(z, seed)
    assert_array_equal(seeds, [4 * seed])
    assert_array_equal(seed, [1, 2, 3])


@pytest.mark.parametrize("transform", [vg.grad, vg.value_and_grad, vg.jacobian, lambda f: lambda x: vg.vjp(f, x)])
@pytest.mark.parametrize(("wrong", "name"), [(None, "None"), ((1.0, 2.0), "tuple"), ("text", "str"), ([1.0], "list")])
def test_a_function_that_returns_no_array_is_refused(transform, wrong, name):
    with pytest.raises(TypeError, match=f"the function returned {name}"):
        transform(lambda x: wrong)(1.0)


@pytest.mark.parametrize("wrong", [None, (1.0,), "text"])
def test_a_rule_that_returns_no_array_is_named(wrong):
    bad = vg.primitive(lambda x: 2 * x, (lambda g, out, x: wrong,), name="bad")
    with pytest.raises(TypeError, match="vjp of bad"):
        vg.grad(bad)(1.0)


def test_tensors_given_by_keyword_count():
    w = Tensor(3.0, "w")
    slope = vg.grad(lambda x, w=None: x * x * w)(2.0, w=w)
    assert type(slope) is Tensor
    assert vg.backprop(slope, wrt=[w])[w] == 4


def test_mixed_second_derivative_of_a_power_at_exponent_0():
    found = vg.hessian(lambda v: v[0] ** v[1])(np.array([2.0, 0.0]))
    assert_allclose(found, [[0, 0.5], [0.5, np.log(2) ** 2]], rtol=1e-14)


def test_a_forward_that_hands_back_memory_of_a_constant_is_copied():
    whole = vg.primitive(lambda x, c: c, (lambda g, out, x, c: 0 * x, None), name="whole")
    part = vg.primitive(lambda x, c: c[:2], (lambda g, out, x, c: 0 * x, None), name="part")
    for op in (whole, part):
        c = np.array([1.0, 2.0, 3.0])
        y = op(Tensor(1.0), c)
        c[:] = 9
        assert y.data[0] == 1
        assert c.flags.writeable
