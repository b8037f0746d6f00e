"""Every line of the derivative table, against finite differences, independent references and mpmath."""

import inspect
from itertools import pairwise

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_vg as vg
from tinygrad_vg import ops
from tinygrad_vg.opcases import CASES, OpCase, cases_of, table
from tinygrad_vg.tensor import RULES, Op, Tensor

SMOOTH = [case for case in CASES if case.smooth]
KINDS = ("scalar", "ones", "same", "plain", "empty")

over_all = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
over_smooth = pytest.mark.parametrize("case", SMOOTH, ids=lambda case: case.name)


def examples(percent):
    """A share of the profile's examples for tests that run once a case."""
    return settings(max_examples=max(2, settings.default.max_examples * percent // 100))


def drawn(data, case):
    """Arguments of a case, and a generator, through Hypothesis: shapes shrink to small ones."""
    shapes = case.shapes(lambda low, high: data.draw(st.integers(low, high)))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1), label="seed"))
    return case.sample(rng, shapes), rng


def of_kind(case, kind):
    """Arguments of a case and a generator, the same in every run."""
    rng = np.random.default_rng([KINDS.index(kind), *map(ord, case.name)])
    return case.sample(rng, kind), rng


def cotangent(rng, shape):
    """A random cotangent: never uniform, never symmetric, no two entries alike."""
    return 0.3 + rng.standard_normal(shape)


def tiny_cotangent(rng, shape):
    """Cotangents of all sizes from 1e-12 up, as the first layers of a deep network get them."""
    return rng.choice([-1, 1], shape) * 10 ** rng.uniform(-12, 0, shape)


def array(x):
    return x.data if isinstance(x, Tensor) else np.asarray(x)


# ------------------------------------------------------------------------------------------- the independent reference

STEPS = 0.02 * 0.5 ** np.arange(4)
ROUNDING = 64 * np.finfo(float).eps / STEPS[-1]  # of a difference quotient, per unit of the function


def difference(f, args, k, i):
    """The derivative of ``f(*args)`` by element `i` of argument `k`: central differences, extrapolated to step 0."""

    def moved(step):
        changed = [np.array(a) for a in args]
        changed[k].flat[i] += step
        return changed[k].flat[i], np.array(f(*changed))

    quotients = []
    for h in STEPS:
        (right, up), (left, down) = moved(h), moved(-h)
        quotients.append((up - down) / (right - left))
    for n in range(1, len(STEPS)):
        quotients = [(4**n * fine - coarse) / (4**n - 1) for coarse, fine in pairwise(quotients)]
    return quotients[0]


def numerical_jacobian(f, args, k):
    """All derivatives by argument `k`: shape ``(args[k].size, *f(*args).shape)``."""
    rows = [difference(f, args, k, i) for i in range(args[k].size)]
    return np.array(rows).reshape((args[k].size, *np.shape(f(*args))))


def largest(*arrays):
    return max([1.0, *[np.abs(a).max() for a in arrays if np.size(a)]])


# -------------------------------------------------------------------------------------------------- the whole table


def test_every_op_has_a_case():
    missing = [getattr(f, "__name__", f) for f in table() if not cases_of(f)]
    assert not missing, f"add cases to tinygrad_vg/opcases.py for {missing}"
    assert len({case.name for case in CASES}) == len(CASES)


def rows():
    """Every row of the table, also those that only stand behind composites."""
    things = [*vars(ops).values(), *RULES.values()]
    return {thing.op for thing in things if isinstance(getattr(thing, "op", None), Op)}


def test_every_rule_is_reached_by_the_cases():
    reached = set()

    def note(node, incoming, emitted):
        reached.update([(node.op, None if node.op.variadic else i) for i, e in enumerate(emitted) if e is not None])

    for case in CASES:
        args, rng = of_kind(case, "plain")
        tensors = [Tensor(a) for a in args]
        out = case.call(*tensors)
        vg.backprop(out, cotangent(rng, out.shape), trace=note)
    every = set()
    for op in rows():
        every |= {(op, None)} if op.variadic else {(op, i) for i, rule in enumerate(op.vjps) if rule is not None}
    assert not every - reached


def check_forward(case, args):
    expected = case.reference(*args)
    for inputs in (args, [Tensor(a) for a in args]):
        value = array(case.call(*inputs))
        assert value.shape == np.shape(expected)
        assert_allclose(value, expected, rtol=1e-12, atol=1e-14 * largest(*args))


@over_all
@pytest.mark.parametrize("kind", KINDS)
def test_forward_on_every_kind_of_shape(case, kind):
    check_forward(case, of_kind(case, kind)[0])


@over_all
@examples(10)
@given(data=st.data())
def test_forward_is_the_independent_reference(case, data):
    check_forward(case, drawn(data, case)[0])


def check_gradient(case, args, rng):
    tensors = [Tensor(a) for a in args]
    out = case.call(*tensors)
    jacobians = [numerical_jacobian(case.call, args, k).reshape(a.size, out.size) for k, a in enumerate(args)]
    for g in (cotangent(rng, out.shape), tiny_cotangent(rng, out.shape)):
        found = vg.backprop(out, g, wrt=tensors)
        sizes = np.abs(g.ravel())
        for k, (tensor, a, jacobian) in enumerate(zip(tensors, args, jacobians, strict=True)):
            gradient = found[tensor]
            assert type(gradient) is np.ndarray
            assert (gradient.shape, gradient.dtype) == (a.shape, a.dtype)
            expected = jacobian @ g.ravel()
            rounding = ROUNDING * largest(out.data) * ((jacobian != 0) @ sizes)
            allowed = 1e-8 * (np.abs(jacobian) @ sizes) + rounding  # 0 where the derivative is 0
            error = np.abs(gradient.ravel() - expected)
            assert (error <= allowed).all(), f"argument {k}: {gradient.ravel()} instead of {expected}"


@over_smooth
@pytest.mark.parametrize("kind", KINDS)
def test_gradient_on_every_kind_of_shape(case, kind):
    check_gradient(case, *of_kind(case, kind))


@over_smooth
@examples(12)
@given(data=st.data())
def test_gradient_is_the_finite_difference(case, data):
    check_gradient(case, *drawn(data, case))


def check_second_order(case, args, rng):
    """Differentiate the recorded gradient by the arguments and by the cotangent: a whole Hessian."""
    tensors = [Tensor(a) for a in args]
    out = case.call(*tensors)
    seed = Tensor(cotangent(rng, out.shape))
    recorded = vg.backprop(out, seed, wrt=tensors, create_graph=True)
    variables = [*tensors, seed]

    def gradient(*values):
        fresh = [Tensor(v) for v in values[:-1]]
        found = vg.backprop(case.call(*fresh), values[-1], wrt=fresh)
        return np.concatenate([found[t].ravel() for t in fresh])

    values = [*args, seed.data]
    flat = gradient(*values)
    assert_allclose(np.concatenate([recorded[t].data.ravel() for t in tensors]), flat, rtol=1e-15, atol=0)
    lines = []
    for tensor in tensors:
        for i in range(tensor.size):
            unit = np.zeros(tensor.shape)
            unit.flat[i] = 1
            found = vg.backprop(recorded[tensor], unit, wrt=variables)
            lines.append(np.concatenate([found[v].ravel() for v in variables]))
    hessian = np.array(lines).reshape(flat.size, sum([v.size for v in variables]))
    numerical = [numerical_jacobian(gradient, values, k) for k in range(len(values))]
    expected = np.concatenate(numerical).T if flat.size else hessian
    allowed = 1e-7 * np.abs(expected) + ROUNDING * largest(flat)
    assert (np.abs(hessian - expected) <= allowed).all(), f"{hessian} instead of {expected}"


@over_smooth
@pytest.mark.parametrize("kind", KINDS)
def test_second_order_on_every_kind_of_shape(case, kind):
    check_second_order(case, *of_kind(case, kind))


@over_smooth
@examples(5)
@given(data=st.data())
def test_second_order_is_the_finite_difference_of_the_gradient(case, data):
    check_second_order(case, *drawn(data, case))


@over_all
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_gradients_are_clean(case, kind, dtype):
    """Their dtype and shape are the tensor's; nothing is changed; no memory is shared."""
    args, rng = of_kind(case, kind)
    args = [a.astype(dtype) for a in args]
    constants = [np.array(a) for a in args]
    tensors = [Tensor(a) for a in args]
    out = case.call(*tensors)
    expected_dtype = np.asarray(case.call(*args)).dtype if case.name != "cast" else np.float64
    assert out.dtype == expected_dtype
    g = cotangent(rng, out.shape).astype(out.dtype)
    kept, value = g.copy(), out.data.copy()
    found = vg.backprop(out, g)
    for tensor, gradient in found.items():
        assert type(gradient) is np.ndarray
        assert (gradient.shape, gradient.dtype) == (tensor.shape, tensor.dtype)
        assert gradient.flags.writeable
    memory = [g, *args, *[t.data for t in found], *found.values()]
    for i, gradient in enumerate(found.values()):
        assert not any([np.shares_memory(gradient, m) for m in memory if m is not gradient]), i
    assert_array_equal(g, kept)
    assert_array_equal(out.data, value)
    for a, before, tensor in zip(args, constants, tensors, strict=True):
        assert_array_equal(a, before)
        assert_array_equal(tensor.data, before)
    again = vg.backprop(out, g)
    for tensor, gradient in found.items():
        assert_array_equal(again[tensor], gradient)


@over_smooth
def test_float32_gradients_are_right(case):
    args, rng = of_kind(case, "plain")
    single, double = [a.astype(np.float32) for a in args], [a.astype(np.float32).astype(float) for a in args]
    g = cotangent(rng, np.shape(case.call(*args)))
    results = []
    for inputs in (single, double):
        tensors = [Tensor(a) for a in inputs]
        found = vg.backprop(case.call(*tensors), g, wrt=tensors)
        results.append([found[t] for t in tensors])
    for one, two in zip(*results, strict=True):
        assert_allclose(one, two, rtol=2e-4, atol=2e-5 * largest(two))


@pytest.mark.parametrize("case", [c for c in SMOOTH if len(c.templates) > 1], ids=lambda case: case.name)
def test_one_variable_among_constants(case):
    """A plain array in any place is a constant, and each tensor's gradient has its own dtype."""
    args, rng = of_kind(case, "plain")
    tensors = [Tensor(a) for a in args]
    out = case.call(*tensors)
    g = cotangent(rng, out.shape)
    full = vg.backprop(out, g, wrt=tensors)
    for k, a in enumerate(args):
        alone = Tensor(a)
        given = [*args[:k], alone, *args[k + 1 :]]
        value = case.call(*given)
        assert type(value) is Tensor
        assert_array_equal(value.data, out.data)
        assert_array_equal(vg.backprop(value, g, wrt=[alone])[alone], full[tensors[k]])
    mixed = [Tensor(a.astype([np.float32, np.float64][k % 2])) for k, a in enumerate(args)]
    found = vg.backprop(case.call(*mixed), g, wrt=mixed)
    for tensor, whole in zip(mixed, tensors, strict=True):
        assert found[tensor].dtype == tensor.dtype
        assert_allclose(found[tensor], full[whole], rtol=2e-4, atol=2e-5 * largest(full[whole]))


LAYOUTS = {
    "Fortran": (lambda a: np.array(a, order="F"), lambda a: np.transpose(Tensor(np.transpose(a)))),
    "negative strides": (lambda a: np.flip(np.flip(a).copy()), lambda a: np.flip(Tensor(np.flip(a)))),
    "every second": (
        lambda a: np.repeat(a, 2, axis=-1)[..., ::2] if a.ndim else a,
        lambda a: Tensor(np.repeat(a, 2, axis=-1))[..., ::2] if a.ndim else Tensor(a),
    ),
    "read-only": (lambda a: np.broadcast_to(a, a.shape), lambda a: np.broadcast_to(Tensor(a), a.shape)),
}


@over_smooth
@pytest.mark.parametrize("layout", LAYOUTS)
def test_memory_layout_does_not_matter(case, layout):
    args, rng = of_kind(case, "plain")
    as_constant, as_tensor = LAYOUTS[layout]
    tensors = [Tensor(a) for a in args]
    out = case.call(*tensors)
    g = cotangent(rng, out.shape)
    plain = vg.backprop(out, g, wrt=tensors)
    strange = [as_tensor(a) for a in args]
    value = case.call(*strange)
    assert_allclose(value.data, out.data, rtol=1e-13, atol=1e-14)
    found = vg.backprop(value, as_constant(g), wrt=strange)
    for k, (s, t) in enumerate(zip(strange, tensors, strict=True)):
        assert_allclose(found[s], plain[t], rtol=1e-12, atol=1e-14)
        rest = [as_constant(a) for a in args]
        rest[k] = tensors[k]
        assert_allclose(vg.backprop(case.call(*rest), g, wrt=[t])[t], plain[t], rtol=1e-12, atol=1e-14)


@over_all
def test_analytic_means_the_complex_step_works(case):
    function = RULES.get(case.function, case.function)
    if hasattr(function, "op") and case.smooth:
        assert function.op.analytic == case.analytic
    if not case.analytic:
        return
    args, rng = of_kind(case, "plain")
    tensors = [Tensor(a) for a in args]
    out = case.call(*tensors)
    g = cotangent(rng, out.shape)
    found = vg.backprop(out, g, wrt=tensors)
    for k, a in enumerate(args):
        for i in range(a.size):
            changed = [x.astype(complex) for x in args]
            changed[k].flat[i] += 1e-20j
            derivative = np.imag(case.call(*changed)) / 1e-20
            expected, scale = np.sum(derivative * g), np.sum(np.abs(derivative * g))
            assert abs(found[tensors[k]].flat[i] - expected) <= 1e-13 * max(scale, abs(expected))


@pytest.mark.parametrize(
    ("case", "kink"),
    [(case, kink) for case in CASES for kink in case.kinks],
    ids=lambda x: getattr(x, "name", getattr(x, "why", "")),
)
@pytest.mark.parametrize("record", [False, True])
def test_kinks_follow_the_stated_convention(case, kink, record):
    tensors = [Tensor(a) for a in kink.at]
    out = case.call(*tensors)
    with np.errstate(divide="ignore"):
        found = vg.backprop(out, np.ones(out.shape), wrt=tensors, create_graph=record)
    for tensor, expected in zip(tensors, kink.gradient, strict=True):
        assert_allclose(array(found[tensor]), expected, rtol=1e-15)


def test_the_conventions_are_documented():
    for word in ("relu′(0) = 0", "|x|′(0) = 0", "norm and std", "share the gradient", "sqrt′(0) = ∞"):
        assert word in ops.__doc__.replace("\n", " ")


# ---------------------------------------------------------------------------------------------------------- the axes

CUBE = np.arange(24.0).reshape(2, 3, 4) ** 1.5 % 7 + 0.1

WITH_AXIS = {
    np.sum: lambda a, k: np.sum(a, axis=k),
    np.mean: lambda a, k: np.mean(a, axis=k),
    np.prod: lambda a, k: np.prod(a, axis=k),
    np.max: lambda a, k: np.max(a, axis=k),
    np.min: lambda a, k: np.min(a, axis=k),
    np.var: lambda a, k: np.var(a, axis=k),
    np.std: lambda a, k: np.std(a, axis=k),
    np.cumsum: lambda a, k: np.cumsum(a, axis=k),
    np.linalg.norm: lambda a, k: np.linalg.norm(a, axis=k),
    vg.logsumexp: lambda a, k: vg.logsumexp(a, axis=k),
    vg.softmax: lambda a, k: vg.softmax(a, axis=k),
    vg.log_softmax: lambda a, k: vg.log_softmax(a, axis=k),
    np.flip: lambda a, k: np.flip(a, axis=k),
    np.roll: lambda a, k: np.roll(a, 1, axis=k),
    np.repeat: lambda a, k: np.repeat(a, 2, axis=k),
    np.take: lambda a, k: np.take(a, [1, 0, 1], axis=k),
    np.split: lambda a, k: np.split(a, [1], axis=k)[1],
    np.concatenate: lambda a, k: np.concatenate([a, a], axis=k),
    np.squeeze: lambda a, k: np.squeeze(np.sum(a, axis=k, keepdims=True), axis=k),
    np.swapaxes: lambda a, k: np.swapaxes(a, 0, k),
    np.moveaxis: lambda a, k: np.moveaxis(a, 0, k),
    np.transpose: lambda a, k: np.transpose(a, [k, *[i for i in range(3) if i != k % 3]]),
    np.diagonal: lambda a, k: np.diagonal(a, axis1=k, axis2=0 if k % 3 else 1),
    np.trace: lambda a, k: np.trace(a, axis1=k, axis2=0 if k % 3 else 1),
    np.tensordot: lambda a, k: np.tensordot(a, np.arange(1.0, a.shape[k] + 1), axes=(k, 0)),
}


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("function", WITH_AXIS, ids=lambda f: f.__name__)
def test_counting_axes_from_the_end_is_the_same(function, axis):
    call, rng = WITH_AXIS[function], np.random.default_rng(axis)
    t = Tensor(CUBE)
    front, back = call(t, axis), call(t, axis - 3)
    assert_array_equal(front.data, back.data)
    assert_allclose(front.data, call(CUBE, axis), rtol=1e-14)
    g = cotangent(rng, front.shape)
    assert_array_equal(vg.backprop(front, g, wrt=[t])[t], vg.backprop(back, g, wrt=[t])[t])


# ------------------------------------------------------------------------------ every keyword is honoured or refused

SQUARE = np.array([[1.5, -0.5, 2.0], [0.5, 3.0, -1.0], [2.5, 1.0, 0.25]])
BASIC_CALLS = {  # the positional arguments of an ordinary call; one array where nothing else is said
    np.where: (SQUARE > 0, SQUARE, 2 * SQUARE),
    np.clip: (SQUARE, -0.8, 1.2),
    np.reshape: (SQUARE, (9,)),
    np.squeeze: (SQUARE[None],),
    np.expand_dims: (SQUARE, 0),
    np.swapaxes: (SQUARE, 0, 1),
    np.moveaxis: (SQUARE, 0, 1),
    np.broadcast_to: (SQUARE, (2, 3, 3)),
    np.roll: (SQUARE, 1),
    np.split: (SQUARE, 3),
    np.array_split: (SQUARE, 2),
    np.tile: (SQUARE, 2),
    np.repeat: (SQUARE, 2),
    np.pad: (SQUARE, 1),
    np.take: (SQUARE, [0, 2]),
    np.einsum: ("ij,jk->ik", SQUARE, SQUARE),
    **dict.fromkeys((np.diagonal, np.trace), (np.arange(27.0).reshape(3, 3, 3),)),
    **dict.fromkeys((np.concatenate, np.stack, np.vstack, np.hstack), ([SQUARE, SQUARE],)),
    **dict.fromkeys((np.dot, np.inner, np.outer, np.tensordot), (SQUARE, SQUARE)),
}
SETTINGS = {  # for each keyword NumPy has, a value that is not its default
    "n": 2,
    "prepend": 0.0,
    "append": 0.0,
    "axis": 0,
    "keepdims": True,
    "dtype": np.float32,
    "out": np.empty((3, 3)),
    "initial": 1.25,
    "where": np.array([[True, False, True], [True, True, False], [True, True, True]]),
    "ddof": 1,
    "correction": 1,
    "mean": np.array(1.0),
    "order": "F",
    "casting": "unsafe",
    "subok": False,
    "copy": True,
    "signature": "dd->d",
    "offset": 1,
    "axis1": 2,
    "axis2": 2,
    "mode": "wrap",
    "k": 1,
    "ord": 2,
    "optimize": True,
    "axes": (1, 0),
    "min": -0.5,
    "max": 0.5,
    "constant_values": 3.0,
    "stat_length": 2,
    "end_values": 1.0,
    "reflect_type": "odd",
}
UFUNC_SETTINGS = ("out", "where", "casting", "order", "dtype", "subok", "signature")
WITHOUT_SIGNATURE = {  # functions written in C, where inspect cannot always look
    np.where: (),
    np.concatenate: ("axis", "out", "dtype", "casting"),
    np.inner: (),
    np.dot: ("out",),
    np.einsum: ("out", "optimize", "dtype", "order", "casting"),
    np.pad: ("mode", "constant_values", "stat_length", "end_values", "reflect_type"),
}
FUNCTIONS = [f for f in RULES if f is not Tensor.__getitem__]


def ordinary_call(function):
    if isinstance(function, np.ufunc):
        domain = cases_of(function)[0]
        return domain.sample(np.random.default_rng(1), [(3, 3)] * function.nin)
    return BASIC_CALLS.get(function, (SQUARE,))


def keywords(function):
    if isinstance(function, np.ufunc):
        return UFUNC_SETTINGS
    if function in WITHOUT_SIGNATURE:
        return WITHOUT_SIGNATURE[function]
    parameters = list(inspect.signature(function).parameters)
    return [p for p in parameters[len(ordinary_call(function)) :] if p not in ("args", "kwargs")]


def with_tensors(args):
    """The arrays of a call as tensors."""
    return [
        [Tensor(x) for x in a] if isinstance(a, list) and isinstance(a[0], np.ndarray)
        else Tensor(a) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a
        for a in args
    ]  # fmt: skip


def same_result(given, expected):
    if isinstance(expected, list):
        return [same_result(a, b) for a, b in zip(given, expected, strict=True)]
    assert type(given) is Tensor
    assert (given.shape, given.dtype) == (np.shape(expected), expected.dtype)
    assert_allclose(given.data, expected, rtol=1e-13, atol=1e-15)
    return None


@pytest.mark.parametrize(("function", "word"), [(f, w) for f in FUNCTIONS for w in keywords(f)])
@pytest.mark.parametrize("through_numpy", [False, True])
def test_every_keyword_of_numpy_is_honoured_or_refused(function, word, through_numpy):
    args, setting = ordinary_call(function), {word: SETTINGS[word]}
    if word == "signature" and function.nin == 1:
        setting = {word: "d->d"}
    call, refusal = function if through_numpy else RULES[function], ""
    try:
        honoured = call(*with_tensors(args), **setting)
    except TypeError as error:
        refusal = str(error)
    if refusal:
        assert word in refusal or (word == "signature" and "sig" in refusal)
    else:
        assert word != "out"
        same_result(honoured, function(*args, **setting))


@pytest.mark.parametrize(
    "function",
    [f for f in FUNCTIONS if not isinstance(f, np.ufunc) and f not in WITHOUT_SIGNATURE],
    ids=lambda f: f.__name__,
)
def test_settings_by_position_mean_what_numpy_means(function):
    args = ordinary_call(function)
    parameters = list(inspect.signature(function).parameters.values())[len(args) :]
    before = []
    for p in parameters:
        if p.kind != p.POSITIONAL_OR_KEYWORD:
            break
        for value in (SETTINGS[p.name], p.default):
            try:
                given = function(*with_tensors(args), *before, value)
            except TypeError:
                continue
            assert p.name != "out" or value is None
            same_result(given, function(*args, *before, value))
        before.append(p.default)


@pytest.mark.parametrize(
    "function", [vg.sigmoid, vg.relu, vg.softplus, vg.logsumexp, vg.softmax, vg.log_softmax], ids=lambda f: f.__name__
)
@pytest.mark.parametrize("word", ["out", "where", "dtype", "order", "nonsense"])
@pytest.mark.parametrize("kind", [Tensor, np.array])
def test_our_own_functions_refuse_what_they_do_not_know(function, word, kind):
    with pytest.raises(TypeError, match=word):
        function(kind(SQUARE), **{word: SETTINGS.get(word, 1)})


def test_what_numpy_does_anyway_may_be_said():
    t = Tensor(SQUARE)
    same_result(np.sum(t, axis=0, dtype=None, out=None), np.sum(SQUARE, axis=0))
    same_result(np.exp(t, where=True, casting="same_kind"), np.exp(SQUARE))
    same_result(np.add.reduce(t), np.add.reduce(SQUARE))
    same_result(np.add.reduce(t, axis=1, keepdims=True), np.add.reduce(SQUARE, axis=1, keepdims=True))
    same_result(np.sum(a=t), np.sum(SQUARE))


@pytest.mark.parametrize("method", ["accumulate", "outer", "reduceat", "at"])
def test_other_ufunc_methods_are_refused_by_name(method):
    t = Tensor([1.0, 2.0])
    args = {"outer": (t, t), "reduceat": (t, [0, 1]), "at": (t, [0], 1.0)}.get(method, (t,))
    with pytest.raises(TypeError, match=rf"np\.add\.{method}"):
        getattr(np.add, method)(*args)
    with pytest.raises(TypeError, match=r"np\.multiply\.reduce"):
        np.multiply.reduce(t)
    with pytest.raises(TypeError, match="where"):
        np.add.reduce(t, where=np.array([True, False]))


# -------------------------------------------------------------------------------- accuracy at every x, against mpmath

_BIG = np.concatenate([10.0 ** np.arange(-12, 3), [0.3, 0.7, 2.5, 19, 30, 37, 40, 300, 700]])
_REAL = np.concatenate([-_BIG, _BIG])
_SMALL = np.concatenate([-_BIG[_BIG < 1.4], _BIG[_BIG < 1.4]])
_INSIDE = np.concatenate([_BIG[_BIG < 1], -_BIG[_BIG < 1], 1 - _BIG[_BIG < 0.5], _BIG[_BIG < 0.5] - 1])
_WIDE = np.concatenate([_BIG, 10.0 ** np.arange(-300, 300, 37)])

ELEMENTWISE = {
    np.square: (lambda x: x * x, _REAL),
    np.reciprocal: (lambda x: 1 / x, _REAL),
    np.sqrt: (mpmath.sqrt, _WIDE),
    np.cbrt: (lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)), _REAL),
    np.exp: (mpmath.exp, _REAL),
    np.exp2: (lambda x: mpmath.mpf(2) ** x, _REAL),
    np.expm1: (mpmath.expm1, _REAL),
    np.log: (mpmath.log, _WIDE),
    np.log2: (lambda x: mpmath.log(x, 2), _WIDE),
    np.log10: (mpmath.log10, _WIDE),
    np.log1p: (mpmath.log1p, np.concatenate([_BIG, -_BIG[_BIG < 1], _BIG[_BIG < 0.5] - 1])),
    np.sin: (mpmath.sin, _REAL),
    np.cos: (mpmath.cos, _REAL),
    np.tan: (mpmath.tan, _SMALL),
    np.arcsin: (mpmath.asin, _INSIDE),
    np.arccos: (mpmath.acos, _INSIDE),
    np.arctan: (mpmath.atan, _REAL),
    np.sinh: (mpmath.sinh, _REAL),
    np.cosh: (mpmath.cosh, _REAL),
    np.tanh: (mpmath.tanh, _REAL[np.abs(_REAL) < 350]),
    np.arcsinh: (mpmath.asinh, _REAL),
    np.arccosh: (mpmath.acosh, 1 + _BIG),
    np.arctanh: (mpmath.atanh, _INSIDE),
    vg.sigmoid: (lambda z: 1 / (1 + mpmath.exp(-z)), _REAL),
    vg.softplus: (lambda z: mpmath.log1p(mpmath.exp(z)), _REAL),
}


def near(given, exact, ulps):
    """Equal to the exact numbers up to a few units in the last place, however small they are."""
    for a, b in zip(np.ravel(given), exact, strict=True):
        assert mpmath.isfinite(a)
        assert abs(mpmath.mpf(float(a)) - b) <= ulps * 2.2e-16 * abs(b), (float(a), b)


@pytest.mark.parametrize("function", ELEMENTWISE, ids=lambda f: f.__name__)
def test_value_and_derivative_are_accurate_at_every_x(function):
    exact, points = ELEMENTWISE[function]
    with mpmath.workdps(700):
        near(function(points), [exact(mpmath.mpf(float(x))) for x in points], 4)
        slopes = [mpmath.diff(exact, mpmath.mpf(float(x)), relative=True) for x in points]
        near(vg.grad(lambda x: np.sum(function(x)))(points), slopes, 12)


@pytest.mark.parametrize("function", [vg.sigmoid, np.tanh, vg.softplus], ids=lambda f: f.__name__)
def test_second_derivative_in_the_tails(function):
    """The chapter is about slopes of slopes of 1e-10: σ″ must not be noise where σ is flat."""
    exact = ELEMENTWISE[function][0]
    points = np.array([-300.0, -40, -30, -5, -1, 1, 5, 30, 40, 300])
    points = points[np.abs(points) < (200 if function is np.tanh else 1000)]
    with mpmath.workdps(700):
        slopes = [mpmath.diff(exact, mpmath.mpf(float(x)), 2) for x in points]
        near([vg.grad(vg.grad(function))(x) for x in points], slopes, 64)


@pytest.mark.parametrize("z", [40.0, -40.0, 800.0, -800.0])
def test_saturated(z):
    """No overflow, no NaN, no warning, and what is not 0 does not become 0."""
    with mpmath.workdps(500):
        e = mpmath.exp(-abs(mpmath.mpf(z)))
        tail, top = float(e / (1 + e)), float(1 / (1 + e))
        slope = float(e / (1 + e) ** 2)
    assert_allclose(vg.sigmoid(np.array(z)), top if z > 0 else tail, rtol=4e-16)
    assert_allclose(vg.grad(vg.sigmoid)(z), slope, rtol=1e-15)
    assert_allclose(vg.softplus(np.array(z)), z if z > 0 else tail, rtol=1e-15)
    assert_allclose(vg.grad(vg.softplus)(z), top if z > 0 else tail, rtol=1e-15)
    pair = np.array([z, 0.0])
    assert_allclose(vg.logsumexp(pair), max(z, tail), rtol=1e-15, atol=1e-16)
    assert_allclose(vg.grad(vg.logsumexp)(pair), [top, tail] if z > 0 else [tail, top], rtol=1e-15)
    assert_allclose(vg.grad(lambda a: np.logaddexp(a, 0.0))(z), top if z > 0 else tail, rtol=1e-15)
    assert_allclose(vg.softmax(pair), [top, tail] if z > 0 else [tail, top], rtol=1e-15)
    assert_allclose(vg.log_softmax(pair), [0, -z] if z > 0 else [z, 0], rtol=1e-15, atol=1e-17)
    assert_allclose(vg.grad(np.tanh)(z / 2), 4 * slope if abs(z) == 40 else 0, rtol=1e-14)
    assert vg.grad(vg.grad(vg.sigmoid))(z) == pytest.approx(-np.sign(z) * slope, rel=1e-14, abs=0)


def test_functions_at_infinity_and_nan():
    x = np.array([-np.inf, np.inf, np.nan])
    assert_array_equal(vg.relu(x), [0, np.inf, np.nan])
    assert_array_equal(vg.sigmoid(x), [0, 1, np.nan])
    assert_array_equal(vg.softplus(x), [0, np.inf, np.nan])
    assert vg.logsumexp(np.array([-np.inf, 0.0])) == 0
    assert vg.grad(lambda a: a % np.inf)(2.0) == 1


# ------------------------------------------------------------------------------------------------- explicit examples


def derivatives(f, x, orders):
    """f and its derivatives at x."""
    values = [float(f(np.array(x)))]
    for _ in range(orders):
        f = vg.grad(f)
        values.append(float(f(x)))
    return values


@pytest.mark.parametrize(
    ("exponent", "expected"),
    [(0, [1, 0, 0, 0]), (1, [0, 1, 0, 0]), (2, [0, 0, 2, 0]), (3, [0, 0, 0, 6]), (4, [0, 0, 0, 0])],
)
@pytest.mark.parametrize("kind", [int, float, np.array])
def test_power_at_base_zero(exponent, expected, kind):
    assert derivatives(lambda x: x ** kind(exponent), 0.0, 3) == expected


def test_square_root_at_zero_is_vertical():
    with np.errstate(divide="ignore"):
        assert derivatives(lambda x: x**0.5, 0.0, 1) == [0, np.inf]


@pytest.mark.parametrize("exponent", [-3, -1, 0, 1, 2, 3, 5])
def test_power_of_a_negative_base(exponent):
    n, x = exponent, -1.5
    expected = [x**n, n * x ** (n - 1), n * (n - 1) * x ** (n - 2), n * (n - 1) * (n - 2) * x ** (n - 3)]
    assert_allclose(derivatives(lambda x: x**exponent, x, 3), expected, rtol=1e-14)
    assert_allclose(derivatives(lambda x: x ** float(exponent), x, 3), expected, rtol=1e-14)


def test_power_in_both_arguments():
    x, y = 1.7, 2.3
    by_base, by_exponent = vg.grad(lambda a, b: a**b, (0, 1))(x, y)
    assert_allclose([by_base, by_exponent], [y * x ** (y - 1), x**y * np.log(x)], rtol=1e-14)
    mixed = vg.grad(vg.grad(lambda a, b: a**b, 0), 1)(x, y)
    assert_allclose(mixed, x ** (y - 1) * (1 + y * np.log(x)), rtol=1e-14)
    assert_allclose(vg.grad(vg.grad(lambda a, b: a**b, 1), 0)(x, y), mixed, rtol=1e-14)
    assert vg.grad(lambda b: np.power(0.0, b))(2.0) == 0
    assert_allclose(vg.grad(lambda b: 2**b)(3.0), 8 * np.log(2), rtol=1e-15)


@pytest.mark.parametrize("row", [[2.0, 3.0, 0.0, 5.0], [0.0, 3.0, 0.0, 5.0], [0.0, 0.0, 0.0, 2.0], [-1.0, 2.0, 3.0, 4]])
def test_product_with_zeros_to_second_order(row):
    x = np.array(row)
    others = [np.prod(np.delete(x, i)) for i in range(4)]
    assert_array_equal(vg.grad(np.prod)(x), others)
    pairs = [[np.prod(np.delete(x, [i, j])) if i != j else 0.0 for j in range(4)] for i in range(4)]
    assert_array_equal(vg.hessian(np.prod)(x), pairs)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 7, 8, 9, 17])
def test_product_of_any_length(n):
    x = np.random.default_rng(n).uniform(0.5, 2, (2, n))
    assert_allclose(vg.grad(lambda x: np.sum(np.prod(x, axis=1)))(x), np.prod(x, axis=1, keepdims=True) / x, rtol=1e-14)


@pytest.mark.parametrize(("function", "sign"), [(np.max, 1), (np.min, -1)])
def test_three_ties_share_in_thirds(function, sign):
    x = sign * np.array([[5.0, 1.0, 5.0], [2.0, 5.0, 0.0]])
    assert_allclose(vg.grad(function)(x), (x == sign * 5) / 3, rtol=1e-15)
    along = vg.grad(lambda x: np.sum(function(x, axis=1) * [10, 1]))(x)
    assert_array_equal(along, [[5, 0, 5], [0, 1, 0]])


def test_maximum_shares_also_with_itself_and_broadcast():
    assert vg.grad(lambda x: np.maximum(x, x))(2.0) == 1
    low = vg.grad(lambda b: np.sum(np.maximum(np.array([1.0, 2.0, 3.0]), b)))(2.0)
    assert low == 1.5


def test_std_and_norm_where_they_are_zero():
    same = np.full((3, 2), 4.0)
    assert_array_equal(vg.grad(np.std)(same), 0 * same)
    assert_array_equal(vg.grad(lambda x: np.sum(np.std(x, axis=0)))(same), 0 * same)
    assert_array_equal(vg.grad(np.linalg.norm)(0 * same), 0 * same)
    rows = np.array([[0.0, 0.0], [3.0, 4.0]])
    assert_allclose(vg.grad(lambda x: np.sum(np.linalg.norm(x, axis=1)))(rows), [[0, 0], [0.6, 0.8]], rtol=1e-15)
    assert_allclose(vg.grad(lambda x: np.sum(np.linalg.norm(x, 3, axis=1)))(rows)[0], [0, 0], atol=0)


def test_repeated_indices_add_up():
    x = np.arange(5.0)
    weights = np.array([1.0, 10.0, 100.0, 1000.0])
    pick = [3, 1, 3, 3]
    assert_array_equal(vg.grad(lambda x: np.sum(x[pick] * weights))(x), [0, 10, 0, 1101, 0])
    assert_array_equal(vg.grad(lambda x: np.sum(x[np.array(pick)] ** 2))(x), [0, 2, 0, 18, 0])
    assert_array_equal(vg.grad(lambda x: np.sum(np.take(x, pick) * weights))(x), [0, 10, 0, 1101, 0])
    assert_array_equal(vg.hessian(lambda x: np.sum(x[pick] ** 2))(x), np.diag([0, 2, 0, 6, 0]))


def test_indexing_with_questions_about_the_tensor():
    t = Tensor([3.0, -1.0, 2.0, -5.0])
    t[t > 0].sum().backward()
    assert_array_equal(t.grad, [1, 0, 1, 0])
    assert float(t[np.argmax(t)].item()) == 3


def test_einsum_of_one_operand():
    x = np.arange(9.0).reshape(3, 3)
    assert_array_equal(vg.grad(lambda x: np.einsum("ii", x))(x), np.eye(3))
    assert_array_equal(vg.grad(lambda x: np.sum(np.einsum("ii->i", x) * [1, 2, 3]))(x), np.diag([1, 2, 3]))
    assert_array_equal(vg.grad(lambda x: np.einsum("ij->", x))(x), np.ones((3, 3)))


def test_einsum_stretches_ones_like_numpy():
    """The gradient of an operand whose letter the others have at length 1 has the operand's length."""
    x, y = np.arange(6.0).reshape(2, 3), np.array([[2.0], [3.0]])
    assert_array_equal(vg.grad(lambda x: np.einsum("ij,ij->", x, y))(x), np.broadcast_to(y, (2, 3)))
    assert_array_equal(vg.grad(lambda y: np.einsum("ij,ij->", x, y))(y), x.sum(axis=1, keepdims=True))


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda t: np.einsum("ij", t, t), "terms"),
        (lambda t: np.einsum("ijk->i", t), "einsum"),
        (lambda t: np.einsum("...i->i", t), "ellipsis"),
        (lambda t: np.einsum(t, [0, 1]), "string"),
        (lambda t: np.tensordot(t, np.ones((2, 2)), 1), r"tensordot.*\(2, 3\).*\(2, 2\)"),
        (lambda t: np.tensordot(np.ones((2, 1)), t[:, :2], 1), "as long as"),
        (lambda t: np.tensordot(t[0], np.ones((3, 3)), 2), "as long as"),
        (lambda t: np.inner(t, np.ones((2, 1))), "as long as"),
        (lambda t: np.dot(t, np.ones((3, 1, 2))), "as long as"),
        (lambda t: t @ np.ones((2, 3)), r"matmul of shape \(2, 3\) and \(2, 3\)"),
        (lambda t: t + np.ones(2), r"add of shape \(2, 3\) and \(2,\)"),
        (lambda t: np.reshape(t, (4, 2)), r"reshape of shape \(2, 3\)"),
        (lambda t: np.concatenate([t, np.ones((2, 2))]), "concatenate"),
        (lambda t: np.concatenate([t, np.ones(2)]), "concatenate"),
        (lambda t: np.concatenate([t, t], axis=2), "concatenate"),
        (lambda t: np.stack([t, t[0]]), "concatenate|same shape"),
        (lambda t: np.split(t, 2, axis=1), "equal"),
        (lambda t: t[5], "getitem of shape"),
        (lambda t: np.sum(t, axis=2), "sum of shape"),
        (lambda t: np.where(t > 0, t), "both"),
        (lambda t: RULES[np.clip](t, 0, min=1), "not both"),
        (lambda t: np.linalg.norm(t, "nuc"), "nuc"),
        (lambda t: np.linalg.norm(t, 2), "ord=2"),
        (lambda t: np.linalg.norm(np.stack([t, t]), "fro"), "fro"),
        (lambda t: np.pad(t, 1, mode="median"), "median"),
        (lambda t: np.max(t[:0]), "max of shape"),
    ],
)
def test_bad_calls_are_refused_with_a_reason(call, match):
    with pytest.raises((TypeError, ValueError, IndexError), match=match):
        call(Tensor(np.ones((2, 3))))


def test_split_of_nothing_and_unequal_pieces():
    parts = np.split(Tensor(np.zeros((0, 2))), 2)
    assert [p.shape for p in parts] == [(0, 2), (0, 2)]
    t = Tensor(np.arange(5.0))
    for part, plain in zip(np.split(t, [3, 1, -1]), np.split(t.data, [3, 1, -1]), strict=True):
        assert_array_equal(part.data, plain)


def test_clip_by_keywords():
    """NumPy has min= and max= from 2.1 on."""
    t = Tensor([-3.0, 0.5, 3.0])
    for clipped in (RULES[np.clip](t, min=-1, max=1), np.clip(t, a_min=-1, a_max=1)):
        assert_array_equal(clipped.data, [-1, 0.5, 1])
    assert_array_equal(RULES[np.clip](t, max=1).data, [-3, 0.5, 1])
    assert_array_equal(np.clip(t, None, 1).data, [-3, 0.5, 1])


def test_stop_gradient():
    assert vg.grad(lambda x: x * vg.stop_gradient(x))(3.0) == 3
    assert vg.grad(vg.stop_gradient)(3.0) == 0
    assert type(vg.stop_gradient(np.ones(2))) is np.ndarray


def test_a_case_describes_itself():
    case = OpCase("mine", np.sin, np.sin)
    assert case.call is np.sin
    assert repr(case) == "<case mine>"
    assert case.shapes(lambda low, high: low) == ((),)  # what Hypothesis shrinks to
