"""Tensor: what it accepts, how it looks, what it refuses, and what surrounds its operations."""

import asyncio
import contextlib
import copy
import inspect
import math
import pickle
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_vg as vg
from tinygrad_vg import Tensor

# ------------------------------------------------------------------------------------------------------ construction


class Subclass(np.ndarray):
    pass


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (3, np.float64),
        (2.5, np.float64),
        (True, np.float64),
        ([1, 2, 3], np.float64),
        ([[1.0, 2], [3, 4]], np.float64),
        ((1, 2.5), np.float64),
        (range(3), np.float64),
        ([], np.float64),
        (np.float64(1), np.float64),
        (np.float32(1), np.float32),
        (np.float16(1), np.float64),
        (np.longdouble(1), np.float64),
        (np.int8(1), np.float64),
        (np.bool_(True), np.float64),
        (np.zeros((2, 0, 3)), np.float64),
        (np.arange(3, dtype=np.float32), np.float32),
        (np.arange(3, dtype=np.float16), np.float64),
        (np.arange(3, dtype=np.longdouble), np.float64),
        (np.arange(3, dtype=np.uint64), np.float64),
        (np.arange(3, dtype=">f8"), np.float64),
        (np.arange(3, dtype=">f4"), np.float64),
        (np.array([True, False]), np.float64),
        (np.arange(4.0).reshape(2, 2).view(Subclass), np.float64),
        (np.broadcast_to(np.arange(3.0), (2, 3)), np.float64),
        (np.arange(6.0)[::-2], np.float64),
        (np.asfortranarray(np.arange(6.0).reshape(2, 3)), np.float64),
    ],
)
def test_what_becomes_of_data(data, dtype):
    t = Tensor(data)
    assert t.dtype == dtype
    assert t.dtype.isnative
    assert type(t.data) is np.ndarray
    assert t.data.flags.c_contiguous
    assert t.shape == np.shape(data)
    assert (t.ndim, t.size) == (np.ndim(data), np.size(data))
    assert_array_equal(t.data, np.asarray(data).astype(float))
    assert (t.grad, t.node, t.name) == (None, None, None)


@pytest.mark.parametrize(
    ("data", "match"),
    [
        ("a", "real numbers.*<U1"),
        (["a", "b"], "real numbers"),
        (b"a", "real numbers"),
        (None, "object"),
        ([1, None], "object"),
        ([object()], "object"),
        ({1: 2}, "object"),
        (1j, "real and imaginary"),
        (np.zeros(2, complex), "real and imaginary"),
        (np.array(["2020-01-01"], "M8[D]"), "datetime64"),
        (np.zeros(2, [("x", float)]), "real numbers"),
        ([[1, 2], [3]], "rectangular"),
        (np.ma.array([1.0, 2.0], mask=[0, 1]), r"masked.*filled"),
        (Tensor(1.0), r"Tensor\(t\.data\)"),
        ([Tensor(1.0), Tensor(2.0)], r"np\.stack"),
    ],
    ids=lambda x: x if isinstance(x, str) else type(x).__name__,
)
def test_what_is_refused(data, match):
    with pytest.raises(TypeError, match=match):
        Tensor(data)


def test_data_are_copied_and_read_only():
    a = np.array([1.0, 2.0])
    t = Tensor(a)
    a[0] = 99
    assert_array_equal(t.data, [1, 2])
    with pytest.raises(ValueError, match="read-only"):
        t.data[0] = 5
    with pytest.raises(AttributeError, match="update"):
        t.data = a
    y = t * 2
    with pytest.raises(ValueError, match="read-only"):
        y.data[0] = 5
    assert not np.shares_memory(Tensor(t.data).data, t.data)


def test_a_tensor_has_no_other_attributes():
    t = Tensor(1.0)
    with pytest.raises(AttributeError):
        t.gard = 1
    with pytest.raises(AttributeError, match="no attribute 'foo'"):
        t.foo
    with pytest.raises(AttributeError, match=r"np\.exp\(t\) works"):
        t.exp
    for name in dir(np):  # whatever NumPy has under that name
        assert hasattr(t, name) in (True, False)


def test_names():
    t = Tensor([1.0], name="w")
    assert t.name == "w"
    assert t.named("v") is t
    assert t.name == "v"
    assert t.label() == "'v'"
    assert (t * 2).label() == "(made by multiply)"


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda t: t.sum(), lambda a: a.sum()),
        (lambda t: t.sum(axis=1, keepdims=True), lambda a: a.sum(axis=1, keepdims=True)),
        (lambda t: t.mean(0), lambda a: a.mean(0)),
        (lambda t: t.max(axis=(0, 1)), lambda a: a.max()),
        (lambda t: t.min(axis=-1), lambda a: a.min(axis=-1)),
        (lambda t: t.reshape(3, 2), lambda a: a.reshape(3, 2)),
        (lambda t: t.reshape((6,)), lambda a: a.reshape(6)),
        (lambda t: t.reshape(-1), lambda a: a.reshape(-1)),
        (lambda t: t.transpose(), lambda a: a.T),
        (lambda t: t.transpose(1, 0), lambda a: a.T),
        (lambda t: t.transpose((0, 1)), lambda a: a),
        (lambda t: t.T, lambda a: a.T),
        (lambda t: t[1, ::2], lambda a: a[1, ::2]),
    ],
)
def test_methods(call, expected):
    a = np.array([[1.0, 5.0, 2.0], [4.0, 0.5, 3.0]])
    result = call(Tensor(a))
    assert type(result) is Tensor
    assert_array_equal(result.data, expected(a))


def test_item():
    assert Tensor([[2.5]]).item() == 2.5
    assert type(Tensor(np.float32(2.5)).item()) is float
    with pytest.raises(ValueError, match="size 1"):
        Tensor([1.0, 2.0]).item()


# ------------------------------------------------------------------------------------------------------ how it looks


@pytest.mark.parametrize(
    ("tensor", "text"),
    [
        (Tensor(2.5), "Tensor(2.5)"),
        (Tensor([1.0, 2.0], name="w"), "Tensor([1., 2.], name='w')"),
        (Tensor(np.float32(0.5)), "Tensor(0.5, dtype=float32)"),
        (Tensor(np.zeros((0, 3))), "Tensor([], shape=(0, 3))"),
        (Tensor([1e-10, 1.0]), "Tensor([1.e-10, 1.e+00])"),
        (Tensor(np.arange(100.0)), "Tensor([ 0.,  1.,  2., ..., 97., 98., 99.], shape=(100,))"),
        (Tensor(3.0) * 2, "Tensor(6., op='multiply')"),
        ((Tensor(3.0) * 2).named("z"), "Tensor(6., name='z', op='multiply')"),
    ],
)
def test_repr(tensor, text):
    assert repr(tensor) == str(tensor) == f"{tensor}" == text


def test_repr_of_a_deep_graph_is_short():
    t = Tensor(np.ones((50, 50)))
    for _ in range(3000):
        t = t + 1
    assert len(repr(t)) < 400
    assert repr(t.node).startswith("<OpNode add(")
    assert repr(t.node.op) == "<op add>"


def test_format_and_round():
    t = Tensor(3.14159)
    assert f"{t:.3f}" == "3.142"
    assert f"{t:8.2e}" == "3.14e+00"
    assert round(t, 2) == 3.14
    assert_array_equal(round(Tensor([1.26, 2.71]), 1), [1.3, 2.7])
    with pytest.raises((TypeError, ValueError)):
        format(Tensor([1.0, 2.0]), ".3f")


# ---------------------------------------------------------------------------------------------- as a Python container


def test_len_and_iteration():
    t = Tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    assert len(t) == 3
    rows = list(t)
    assert [type(row) for row in rows] == [Tensor] * 3
    sum([row.sum() * k for k, row in enumerate(rows)]).backward()
    assert_array_equal(t.grad, [[0, 0], [1, 1], [2, 2]])
    a, b = Tensor([1.0, 2.0])
    assert (a.item(), b.item()) == (1, 2)
    assert list(Tensor(np.zeros((0, 2)))) == []
    assert 3.0 in Tensor([1.0, 3.0])
    for call in (len, list, iter):
        with pytest.raises(TypeError, match=r"unsized|0-d"):
            call(Tensor(1.0))


def test_truth():
    assert Tensor(2.0)
    assert not Tensor([[0.0]])
    with pytest.raises(ValueError, match="ambiguous"):
        bool(Tensor([1.0, 2.0]))


def test_identity():
    t, u = Tensor([1.0, 1.0]), Tensor([1.0, 1.0])
    names = {t: "t", u: "u"}
    assert (names[t], names[u]) == ("t", "u")
    assert len({t, u, t}) == 2
    assert hash(t) == object.__hash__(t)


def test_setitem_is_refused_with_the_alternative():
    t = Tensor([1.0, 2.0])
    with pytest.raises(TypeError, match=r"np\.where.*update"):
        t[0] = 1.0
    with pytest.raises(TypeError):
        t[0] += 1.0
    with pytest.raises((TypeError, AttributeError)):
        del t[0]


# --------------------------------------------------------------------------------------------------- copy and pickle


@pytest.mark.parametrize(
    "clone", [copy.copy, copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))], ids=["copy", "deepcopy", "pickle"]
)
def test_copies_of_a_leaf(clone):
    t = Tensor(np.array([1.0, 2.0], np.float32), name="w")
    t.sum().backward()
    u = clone(t)
    assert (u.name, u.dtype, u.node) == ("w", t.dtype, None)
    assert_array_equal(u.data, t.data)
    assert u is not t
    assert not np.shares_memory(u.data, t.data)
    assert u.grad is None
    with pytest.raises(TypeError, match="out of its graph"):
        clone(t * 2)


# ------------------------------------------------------------------------------------------------------------ update


def test_update():
    t = Tensor(np.array([1.0, 2.0], np.float32), name="w")
    new = np.array([3.0, 4.0])
    y = t * t
    t.update(new)
    new[0] = 99
    assert_array_equal(t.data, [3, 4])
    assert t.dtype == np.float32
    with pytest.raises(ValueError, match="read-only"):
        t.data[0] = 1
    y.backward([1, 1])
    assert_array_equal(t.grad, [2, 4])  # of the graph as it was built
    with pytest.raises(ValueError, match=r"shape \(3,\).*'w' \(2,\)"):
        t.update([1.0, 2.0, 3.0])
    with pytest.raises(TypeError, match="made by multiply"):
        y.update([1.0, 2.0])
    with pytest.raises(TypeError, match="imaginary"):
        t.update([1j, 2j])
    assert_array_equal(t.data, [3, 4])


# ----------------------------------------------------------------------------------------- ways out of the protocols

NUMBER, VECTOR = Tensor(2.0), Tensor([1.0, 2.0])


@pytest.mark.parametrize(
    ("call", "cure"),
    [
        (lambda: np.asarray(VECTOR), r"\.data"),
        (lambda: np.array(VECTOR), r"\.data"),
        (lambda: np.array([VECTOR, VECTOR]), r"np\.stack"),
        (lambda: np.array([NUMBER, NUMBER]), r"np\.stack"),
        (lambda: np.array([NUMBER, 1.0]), r"np\.stack"),
        (lambda: np.asarray([[NUMBER], [NUMBER]]), r"np\.stack"),
        (lambda: np.ones(2).__setitem__(slice(None), VECTOR), r"\.data"),
        (lambda: np.ones(2).dot(VECTOR), r"\.data"),
        (lambda: math.exp(NUMBER), r"np\.exp"),
        (lambda: math.sqrt(NUMBER), r"np\.exp\(t\)"),
        (lambda: float(NUMBER), r"\.item\(\)"),
        (lambda: int(NUMBER), r"\.item\(\)"),
        (lambda: complex(NUMBER), r"\.item\(\)"),
        (lambda: range(NUMBER), r"\.item\(\)"),
        (lambda: [1, 2, 3][NUMBER], r"\.item\(\)"),
        (lambda: np.zeros(NUMBER), r"got 'Tensor"),
        (lambda: np.ones(3)[NUMBER], r"\.item\(\)|\.data"),
        (lambda: VECTOR[NUMBER], r"\.item\(\)|\.data"),
        (lambda: np.float64(NUMBER), r"\.item\(\)|\.data"),
    ],
)
def test_silent_ways_out_are_closed_and_name_the_cure(call, cure):
    with pytest.raises(TypeError, match=cure):
        call()


def test_filling_one_element_of_an_array():
    a = np.ones(2)
    with pytest.raises((TypeError, ValueError)) as caught:  # NumPy wraps it in its own
        a[0] = NUMBER
    assert ".item()" in str(caught.value.__cause__)
    assert_array_equal(a, [1, 1])


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: np.linalg.svd(Tensor(np.eye(2))), r"np\.linalg\.svd"),
        (lambda: np.linalg.det(Tensor(np.eye(2))), r"np\.linalg\.det"),
        (lambda: np.sort(VECTOR), r"np\.sort"),
        (lambda: np.median(VECTOR), r"np\.median"),
        (lambda: np.interp(1.5, VECTOR, VECTOR), r"np\.interp"),
        (lambda: np.fft.fft(VECTOR), r"np\.fft\.fft"),
        (lambda: np.modf(VECTOR), r"np\.modf"),
        (lambda: np.nextafter(VECTOR, 1), r"np\.nextafter"),
        (lambda: np.linalg.solve(np.eye(2), VECTOR), r"np\.linalg\.solve"),
    ],
)
def test_a_function_without_a_rule_is_named_with_how_to_add_one(call, name):
    with pytest.raises(TypeError, match=rf"{name} has no derivative rule.*vg\.primitive"):
        call()


@pytest.mark.parametrize(
    "f",
    [
        np.shape, np.ndim, np.size, np.zeros_like, np.ones_like, np.sign, np.floor, np.ceil, np.rint, np.argmax,
        np.argmin, np.argsort, np.isfinite, np.isnan, np.nonzero, np.count_nonzero, np.any, np.all, np.round,
        np.result_type, np.array_repr, np.where, np.flatnonzero, np.signbit,
    ],
    ids=lambda f: f.__name__,
)  # fmt: skip
def test_functions_that_only_ask(f):
    t = Tensor([3.0, -1.5, 0.0])
    answer, expected = f(t), f(t.data)
    assert type(answer) is type(expected)
    assert_array_equal(answer, expected)


def test_comparing_functions_take_tensors_on_both_sides():
    t = Tensor([1.0, 2.0])
    assert np.allclose(t, t * 1.0)
    assert np.allclose([1.0, 2.0], t)
    assert_array_equal(np.isclose(t, [1.0, 3.0]), [True, False])
    assert np.array_equal(t, np.array([1.0, 2.0]))
    assert_array_equal(np.greater(t, 1.5), [False, True])
    np.testing.assert_allclose(t, [1.0, 2.0])
    np.testing.assert_allclose([1.0, 2.0], t * 1)
    np.testing.assert_array_equal(t, t)
    np.testing.assert_array_less(t, 3)
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        np.testing.assert_allclose(t, [1.0, 2.5])
    with pytest.raises(TypeError, match="full_like"):
        np.full_like(t, t[0])  # the fill value carries a gradient, so this is no question


def test_masked_arrays_are_refused():
    with pytest.raises(TypeError, match="masked"):
        VECTOR + np.ma.array([1.0, 2.0], mask=[0, 1])


def test_foreign_array_types_are_asked_first():
    class Other:
        __array_ufunc__ = None

        def __radd__(self, other):
            return "mine"

    assert VECTOR + Other() == "mine"

    class Foreign:
        def __array_function__(self, func, types, args, kwargs):
            return "foreign"

    assert np.concatenate([VECTOR, Foreign()]) == "foreign"


# ------------------------------------------------------------------------------------------------------------ no_grad


def test_no_grad_gives_plain_arrays():
    t = Tensor([1.0, 2.0])
    with vg.no_grad():
        y = t * 2
        assert type(y) is np.ndarray
        assert type(np.exp(t)) is np.ndarray
        assert isinstance(t.sum(), np.floating)
        assert type(vg.sigmoid(t)) is np.ndarray
        leaf = Tensor([1.0])  # a new variable is still one
    assert type(t * 2) is Tensor
    assert type(leaf) is Tensor
    with pytest.raises(TypeError, match="no_grad"):
        vg.backprop(y)


def test_no_grad_ends_with_an_exception():
    """micrograd-pp: an exception inside no_grad switches gradients off for good."""

    def fails():
        raise KeyError

    for context in (vg.no_grad, vg.detect_anomaly, lambda: vg.name_scope("a")):
        with pytest.raises(KeyError), context():
            fails()
        z = Tensor(1.0) * 2
        assert type(z) is Tensor
        assert (z.node.scope, z.node.witness) == ((), None)


def test_no_grad_nests():
    t = Tensor(1.0)
    with vg.no_grad():
        with vg.no_grad():
            assert type(t * 2) is not Tensor
        assert type(t * 2) is not Tensor
    assert type(t * 2) is Tensor


@pytest.mark.parametrize("updated", [False, True])
def test_results_of_no_grad_cannot_change_a_leaf(updated):
    t = Tensor([1.0, 2.0, 3.0, 4.0])
    if updated:
        t.update([1.0, 2.0, 3.0, 4.0])
    with vg.no_grad():
        flat = np.reshape(t, (2, 2))
    with contextlib.suppress(ValueError):
        flat[:] = 0
    assert_array_equal(t.data, [1, 2, 3, 4])


def test_results_of_no_grad_cannot_change_the_graph():
    t = Tensor([1.0, 2.0, 3.0, 4.0])
    y = t * 2
    loss = np.sum(y * y)
    with vg.no_grad():
        flat = np.reshape(y, (2, 2))
    with contextlib.suppress(ValueError):
        flat[:] = 0
    loss.backward()
    assert_array_equal(t.grad, 8 * t.data)


def test_no_grad_as_a_decorator():
    @vg.no_grad()
    def predict(t):
        return t * 2

    for _ in range(2):
        assert type(predict(Tensor(1.0))) is not Tensor
    assert type(Tensor(1.0) * 2) is Tensor


def test_threads_do_not_share_contexts():
    inside, finished, seen = threading.Event(), threading.Event(), []

    def other():
        inside.wait(10)
        result = Tensor(1.0) * 2
        seen.append((type(result), result.node.scope, result.node.witness))
        finished.set()

    thread = threading.Thread(target=other)
    thread.start()
    with vg.no_grad(), vg.name_scope("a"), vg.detect_anomaly():
        inside.set()
        assert finished.wait(10)
    thread.join()
    assert seen == [(Tensor, (), None)]


def test_asyncio_tasks_do_not_share_contexts():
    async def quiet(order):
        with vg.no_grad():
            order.append("in")
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            return type(Tensor(1.0) * 2)

    async def loud(order):
        while not order:
            await asyncio.sleep(0)
        return type(Tensor(1.0) * 2)

    async def both():
        order = []
        return await asyncio.gather(quiet(order), loud(order))

    first, second = asyncio.run(both())
    assert first is not Tensor
    assert second is Tensor


def test_one_graph_swept_by_two_threads():
    x = Tensor(np.linspace(0.1, 1, 50))
    y = x
    for _ in range(100):
        y = np.sin(y) * x + y
    y = y.sum()
    expected, found = vg.backprop(y)[x], []
    threads = [threading.Thread(target=lambda: found.append(vg.backprop(y)[x])) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    for gradient in found:
        assert_array_equal(gradient, expected)


# --------------------------------------------------------------------------------------------------------- name_scope


def test_name_scopes_nest():
    t = Tensor(1.0)
    with vg.name_scope("net"):
        a = t * 2
        with vg.name_scope("layer 1"):
            b = t * 2
        c = t * 2
    d = t * 2
    assert [x.node.scope for x in (a, b, c, d)] == [("net",), ("net", "layer 1"), ("net",), ()]


# ------------------------------------------------------------------------------------------------------ detect_anomaly


def this_line():
    frame = inspect.currentframe().f_back
    return frame.f_lineno


def test_anomaly_in_the_forward_pass_names_op_tensor_shape_and_line():
    x = Tensor([1.0, -1.0, 0.0], name="x")
    with vg.detect_anomaly(), np.errstate(all="ignore"):
        line = this_line() + 2
        with pytest.raises(FloatingPointError) as caught:
            np.log(x)
    text = str(caught.value)
    assert "the result of log: NaN in 2 of 3 elements, shape (3,)" in text
    assert "'x' of shape (3,)" in text
    assert f"{__file__}:{line}: np.log(x)" in text
    with vg.detect_anomaly(), np.errstate(all="ignore"), pytest.raises(FloatingPointError, match="Inf in 1 of 3"):
        1 / Tensor([1.0, 2.0, 0.0])


def test_anomaly_in_the_backward_pass():
    with vg.detect_anomaly():
        x = Tensor([4.0, 0.0], name="x")
        line = this_line() + 1
        y = np.sqrt(x)
        total = y.sum()
        with np.errstate(all="ignore"), pytest.raises(FloatingPointError) as caught:
            total.backward()
    text = str(caught.value)
    assert "the cotangent that sqrt gives 'x': Inf in 1 of 2 elements, shape (2,)" in text
    assert f"{__file__}:{line}: y = np.sqrt(x)" in text


@pytest.mark.parametrize("sweep", [lambda y, x: vg.backprop(y), lambda y, x: vg.backprop(y, create_graph=True)])
def test_anomaly_in_every_sweep(sweep):
    with vg.detect_anomaly():
        x = Tensor(0.0)
        y = np.sqrt(x)
        with np.errstate(all="ignore"), pytest.raises(FloatingPointError, match=r"sqrt|divide"):
            sweep(y, x)


def test_anomaly_inside_grad_names_the_user_line():
    with vg.detect_anomaly(), np.errstate(all="ignore"), pytest.raises(FloatingPointError) as caught:
        vg.grad(lambda x: np.log(x - 1))(0.0)
    assert "np.log(x - 1)" in str(caught.value)


def test_without_detect_anomaly_a_nan_passes():
    x = Tensor(0.0)
    with np.errstate(all="ignore"):
        y = np.sqrt(x)
        y.backward()
    assert x.grad == np.inf
    assert "detect_anomaly() to see the line" in y.node.origin


def test_a_changed_batch_buffer_is_noticed():
    x, batch = Tensor([1.0, 2.0], name="x"), np.array([3.0, 4.0])
    with vg.detect_anomaly():
        line = this_line() + 1
        y = np.sum(x * batch)
        batch[0] = 99
        with pytest.raises(vg.StaleGraphError) as caught:
            y.backward()
    assert re.search(r"constant array of shape \(2,\) used by multiply was changed", str(caught.value))
    assert f"{__file__}:{line}" in str(caught.value)


def test_a_changed_index_array_is_noticed():
    x, index = Tensor([1.0, 2.0, 3.0]), np.array([0, 1])
    with vg.detect_anomaly():
        for y in (x[index].sum(), x[index, None].sum()):
            index[0] += 1
            with pytest.raises(vg.StaleGraphError, match="getitem"):
                y.backward()


def test_an_unchanged_buffer_is_fine_also_with_nan_in_it():
    x, buffer = Tensor([1.0, 2.0]), np.array([np.nan, 1.0])
    with vg.detect_anomaly():
        y = np.where([False, True], buffer, x).sum()
        y.backward()
    assert_array_equal(x.grad, [1, 0])


# ---------------------------------------------------------------------------------------------------------- messages


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda t: t + np.ones(3), r"add of shape \(2,\) and \(3,\).*reshape"),
        (lambda t: t @ np.ones((3, 2)), r"matmul of shape \(2,\) and \(3, 2\).*last axis"),
        (lambda t: t[7], "getitem of shape"),
        (lambda t: t.reshape(3), r"reshape of shape \(2,\)"),
        (lambda t: t.sum(axis=3), "sum of shape"),
    ],
)
def test_shape_errors_name_the_op_the_shapes_and_the_fix(call, match):
    with pytest.raises((ValueError, IndexError), match=match):
        call(Tensor([1.0, 2.0]))


def test_axis_errors_stay_axis_errors():
    with pytest.raises(np.exceptions.AxisError, match="sum of shape"):
        Tensor([1.0]).sum(axis=3)


def test_results_are_float64_or_float32():
    half = vg.primitive(lambda x: np.asarray(x, np.float16), (lambda g, out, x: g,), name="half")
    assert half(Tensor(1.0)).dtype == np.float64
    count = vg.primitive(lambda x: np.asarray(x).astype(int), (lambda g, out, x: g,), name="count")
    with pytest.raises(TypeError, match="count gave dtype int64"):
        count(Tensor(1.0))
    scalar = vg.primitive(lambda x: float(x) * 2, (lambda g, out, x: 2 * g,), name="twice")
    assert scalar(Tensor(1.0)).shape == ()
    assert_allclose(vg.grad(scalar)(1.0), 2)


def test_masked_arrays_are_refused_on_the_left_too():
    t = Tensor([1.0, 2.0, 3.0])
    for wrong in (lambda: np.ma.array([1.0, 2.0, 3.0]) + t, lambda: np.ma.exp(t), lambda: np.ma.add(t, t)):
        with pytest.raises(TypeError, match="gradient"):
            wrong()


def test_index_lists_may_be_changed_afterwards():
    t, first, second = Tensor(np.arange(9.0).reshape(3, 3)), [0, 1], [1, 1]
    y = np.sum(t[first]) + np.sum(t[first, second])
    first[0] = second[0] = 2
    y.backward()
    assert_array_equal(t.grad, [[1, 2, 1], [1, 2, 1], [0, 0, 0]])
    assert t[[]].shape == (0, 3)


def test_one_name_scope_in_many_threads():
    @vg.name_scope("shared")
    def work(i):
        return (Tensor(1.0) * i).node.scope

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(work, range(200))) == {("shared",)}


@pytest.mark.parametrize("axis", [2, -3])
@pytest.mark.parametrize(
    "call",
    [
        lambda t, k: np.linalg.norm(t, axis=k),
        lambda t, k: np.take(t, [0], axis=k),
        lambda t, k: np.diff(t, axis=k),
        lambda t, k: np.concatenate([t, t], axis=k),
        lambda t, k: np.repeat(t, 2, axis=k),
        lambda t, k: np.split(t, 1, axis=k),
        lambda t, k: np.array_split(t, 1, axis=k),
        lambda t, k: np.diagonal(t, axis1=k, axis2=0),
        lambda t, k: np.sum(t, axis=k),
        lambda t, k: np.var(t, axis=k),
    ],
)
def test_an_axis_that_is_not_there_is_refused(call, axis):
    with pytest.raises((np.exceptions.AxisError, ValueError), match=f"axis {axis}|axis{axis}|axis.*{axis}"):
        call(Tensor(np.ones((2, 3))), axis)


def test_take_reads_bools_as_numbers():
    t = Tensor([1.0, 2.0, 3.0])
    assert_array_equal(np.take(t, np.array([True, False, True])).data, np.take(t.data, np.array([True, False, True])))
    assert np.take(t, True).item() == 2


@pytest.mark.parametrize("rule", [lambda g: g, lambda g, out: g, lambda g, out, x, y: g, 3.0])
def test_a_rule_that_cannot_be_called_is_refused_at_once(rule):
    with pytest.raises(TypeError, match=r"primitive cube: the rule for x .* called as vjp\(g, out, x\)"):
        vg.primitive(lambda x: x**3, (rule,), name="cube")
