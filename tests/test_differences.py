"""Finite differences: the true error against mpmath must lie within the bound, always, and the bound must be tight."""

import mpmath
import numpy as np
import pytest

import tinygrad_vg as vg
from tinygrad_vg.gradcheck.differences import finite_difference, numerical_gradient

M = mpmath.mpf


@pytest.fixture(autouse=True)
def _digits():
    with mpmath.workdps(50):
        yield


def sigma(z):
    return 1 / (1 + mpmath.exp(-z))


def slope_of_sigma(z):
    return sigma(z) * sigma(-z)


def sigmoid(rng, limit=36, scale=1.0):
    w = scale * 10 ** rng.uniform(-1, 1) if scale > 1 else 1.0
    return lambda t: vg.sigmoid(w * t), lambda x: M(w) * slope_of_sigma(M(w) * x), rng.uniform(-limit, limit) / w


def tanh(rng):
    return np.tanh, lambda x: mpmath.sech(x) ** 2, rng.uniform(-20, 20)


def log(rng):
    return np.log, lambda x: 1 / x, 10 ** rng.uniform(-8, 2)


def power(rng):
    p = rng.uniform(-3, 3) if rng.random() < 0.5 else float(rng.integers(-3, 6))
    return lambda t: np.power(t, p), lambda x: M(p) * x ** (M(p) - 1), rng.uniform(0.1, 5)


def power_near_0(rng):
    p = int(rng.integers(2, 6))
    return lambda t: np.float64(t) ** p, lambda x: p * x ** (p - 1), rng.normal() * 10 ** rng.uniform(-12, 0)


def softmax_cross_entropy(rng):
    z, k, x = 6 * rng.normal(size=5), rng.integers(5), 6 * rng.normal()

    def exact(x):
        others = sum(mpmath.exp(M(v)) for v in z[1:].tolist())
        return -others / (mpmath.exp(x) + others) if k == 0 else mpmath.exp(x) / (mpmath.exp(x) + others)

    return lambda t: -vg.log_softmax(np.array([t, *z[1:]]))[k], exact, x


def chain(rng, depth):
    w, b = rng.normal(size=depth), rng.normal(size=depth)

    def f(a):
        for u, v in zip(w, b, strict=True):
            a = vg.sigmoid(u * a + v)
        return a

    def exact(a):
        g = M(1)
        for u, v in zip(w.tolist(), b.tolist(), strict=True):
            z = M(u) * a + M(v)
            a, g = sigma(z), g * M(u) * slope_of_sigma(z)
        return g

    return f, exact, rng.normal()


def sine(rng, whole=False):
    """With a rounding error in w·x that is larger than that of the result; w and x may be round."""
    w = float(rng.integers(1, 300)) if whole else 10 ** rng.uniform(-1, np.log10(300))
    x = rng.integers(-48, 48) / 16 if whole else rng.uniform(-3, 3)
    return lambda t: np.sin(w * t), lambda x: M(w) * mpmath.cos(M(w) * x), x


def shifted_sine(rng):
    w, b = 10 ** rng.uniform(-1, 2), rng.normal() * 10 ** rng.uniform(0, 4)
    return lambda t: np.sin(w * t + b), lambda x: M(w) * mpmath.cos(M(w) * x + M(b)), rng.uniform(-3, 3)


def small_rest(rng):
    """A small function as the difference of large numbers, coarsely rounded."""
    large, w = 10 ** rng.uniform(0, 6), rng.normal() * 10 ** rng.uniform(-6, 0)
    return lambda t: (large + np.sin(w * t)) - large, lambda x: M(w) * mpmath.cos(M(w) * x), rng.normal()


def near_a_pole(rng):
    p = rng.normal()
    return lambda t: 1 / (t - p), lambda x: -1 / (x - M(p)) ** 2, p + rng.choice([-1, 1]) * 10 ** rng.uniform(-6, 0.5)


FAMILIES = {
    "sigmoid": (sigmoid, 500),
    "sigmoid, |z| ≤ 5": (lambda rng: sigmoid(rng, 5), 300),
    "sigmoid(w·x)": (lambda rng: sigmoid(rng, 40, 10.0), 500),
    "tanh": (tanh, 300),
    "log": (log, 500),
    "power": (power, 500),
    "power near 0": (power_near_0, 500),
    "exp": (lambda rng: (np.exp, mpmath.exp, rng.uniform(-20, 20)), 300),
    "cos near 0": (lambda rng: (np.cos, lambda x: -mpmath.sin(x), rng.normal() * 10 ** rng.uniform(-12, 2)), 300),
    "softmax cross-entropy": (softmax_cross_entropy, 700),
    "chain of 6": (lambda rng: chain(rng, 6), 300),
    "chain of 16": (lambda rng: chain(rng, 16), 200),
    "sin(w·x)": (sine, 1000),
    "sin(w·x), round": (lambda rng: sine(rng, whole=True), 500),
    "sin(w·x + b)": (shifted_sine, 700),
    "difference of large numbers": (small_rest, 1000),
    "near a pole": (near_a_pole, 500),
}
TIGHT = {  # the median of bound/|derivative|
    "sigmoid, |z| ≤ 5": 1e-11,
    "log": 3e-11,
    "power": 5e-12,
    "exp": 2e-11,
    "softmax cross-entropy": 1e-8,
    "chain of 6": 3e-7,
    "sin(w·x)": 2e-11,
    "near a pole": 1e-7,
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("family", FAMILIES)
def test_the_true_error_is_within_the_bound_and_the_bound_is_tight(family):
    make, count = FAMILIES[family]
    rng = np.random.default_rng(sum(family.encode()))
    bounds = []
    for _ in range(count):
        f, exact, x = make(rng)
        estimate = finite_difference(f, float(x))
        true = exact(M(float(x)))
        assert abs(M(estimate.value) - true) <= estimate.bound < np.inf, (x, estimate, true)
        if true and not estimate.kink:
            bounds.append(float(estimate.bound / abs(true)))
    assert len(bounds) > 0.9 * count
    assert np.median(bounds) < TIGHT.get(family, np.inf)


def kinked(rng, k, weak):
    """A function with a kink at k; its slopes left and right of k, and the derivative of the smooth rest."""
    c = float(rng.choice([-1, 1]) * 10 ** rng.uniform(-8, 2)) if weak else rng.normal()
    s = rng.normal() * (10 ** rng.uniform(-6, 2) if rng.random() < 0.3 else 1)
    top = k + 0.3
    return [
        (lambda t: abs(t - k) * c + s * np.sin(t), (-c, c), lambda x: M(s) * mpmath.cos(x)),
        (lambda t: max(t - k, 0) * c + s * t * t, (0, c), lambda x: 2 * M(s) * x),
        (lambda t: max(t, k) * c + s * np.exp(t), (0, c), lambda x: M(s) * mpmath.exp(x)),
        (lambda t: min(max(t, k), top) * c + s * t, (0, c), lambda x: M(s)),
    ][rng.integers(4)]


@pytest.mark.parametrize("weak", [False, True])
def test_at_and_near_kinks(weak):
    rng = np.random.default_rng(5)
    at = near = 0
    for _ in range(2000):
        x = float(rng.normal())
        k = x + (0.0 if rng.random() < 0.3 else rng.choice([-1, 1]) * 10 ** rng.uniform(-17, np.log10(0.29)))
        f, sides, rest = kinked(rng, k, weak)
        left, right = [rest(M(x)) + M(side) for side in sides]
        estimate = finite_difference(lambda t, f=f: float(f(t)), x)
        slopes = [left, right] if x == k else [left] if x < k else [right]
        assert all(abs(M(estimate.value) - slope) <= estimate.bound for slope in slopes), (x, k, estimate, slopes)
        if x == k and not weak:
            at += 1
            assert estimate.kink
            for slope, side in zip((left, right), (estimate.left, estimate.right), strict=True):
                assert abs(side - slope) < 1e-6 * max(1, abs(left), abs(right))
        elif abs(x - k) > 1e-4:
            near += 1
            assert not estimate.kink
            assert estimate.bound < 1e-7 * max(map(abs, (*sides, left, right)))
    assert near > 200
    assert weak or at > 400


def relu_squared(d):
    estimate = finite_difference(lambda t: max(t - 0.25, 0.0) ** 2, 0.25 + d)
    return estimate, 2 * max(0.25 + d - 0.25, 0.0)


def test_near_a_jump_of_the_second_derivative():
    rng = np.random.default_rng(8)
    for d in rng.choice([-1, 1], 2000) * 10 ** rng.uniform(-8, 0, 2000):
        estimate, exact = relu_squared(d)
        assert abs(estimate.value - exact) <= estimate.bound
        assert not estimate.kink


def test_rounding_in_the_larger_steps_adds_up():
    for x in (
        -1.550448713857304e-08,
        -1.3155272029130442e-08,
    ):  # x⁵: the larger the step, the larger its rounding error
        for p in (3, 4, 5):
            estimate = finite_difference(lambda t, p=p: np.float64(t) ** p, x)
            assert abs(estimate.value - p * M(x) ** (p - 1)) <= estimate.bound


def test_what_cannot_be_measured_of_the_rounding_is_taken_from_the_precision():
    step = 2.0**-3 / 4**2  # the largest of which the error can be told
    rounded = finite_difference(lambda t: 7 + 1e-9 * t, 0.0, eps=1e-4).bound
    assert rounded == pytest.approx(2e-4 * 7 / step, rel=0.2)
    moved = finite_difference(lambda t: t - 3, 3.0, eps=1e-4).bound
    assert moved == pytest.approx(2e-4 * 3 / (2 * step), rel=0.2)


def test_it_takes_27_evaluations_where_the_function_is_smooth():
    seen = []
    finite_difference(lambda t: seen.append(t) or np.sin(t), 1.3)
    assert len(seen) == len(set(seen)) == 27


@pytest.mark.parametrize("x", [0.0, 1e-300, 1.0, -3.7, 1e10, 1e300])
def test_steps_are_steps_at_any_size(x):
    estimate = finite_difference(lambda t: 3 * (t / 2), x)
    assert abs(estimate.value - 1.5) <= estimate.bound < 1e-10


def test_a_function_that_does_not_move_has_a_derivative_below_its_resolution_not_zero():
    for x, f in ((40.0, vg.softplus), (1.0, lambda t: 5.0), (-0.3, lambda t: 7.0)):
        estimate = finite_difference(lambda t, f=f, x=x: float(f(t)) if x != 40 else 1e20 + float(f(t)), x)
        assert estimate.value == 0
        assert estimate.still
        assert np.finfo(float).eps <= estimate.bound < 1e6
    saturated = finite_difference(vg.sigmoid, 300.0)
    assert saturated.still
    assert slope_of_sigma(M(300)) < saturated.bound < 1e-13


def test_zero_as_a_difference_of_numbers_is_not_exact():
    z = np.array([0.0, 37.5])  # log(e^x + e^37.5) − 37.5: the result is 0, what it is made of is not
    estimate = finite_difference(lambda t: float(vg.logsumexp(z + [t, 0]) - 37.5), -1.0)
    assert abs(estimate.value - sigma(M(-38.5))) <= estimate.bound


def test_still_means_constant_on_this_side_of_a_kink_but_not_saturated():
    dead = finite_difference(lambda t: 2 + max(t - 0.3001, 0), 0.3)
    assert dead.still
    assert dead.value == 0
    assert not dead.kink
    assert not finite_difference(lambda t: 2 + max(t - 0.2999, 0), 0.3).still
    assert not finite_difference(vg.sigmoid, 37.0).still  # the largest step moves it by a few bits


def test_a_double_zero_is_not_still():
    estimate = finite_difference(lambda t: t * t, 0.0)
    assert estimate.value == 0
    assert not estimate.still
    assert not estimate.kink


def test_the_precision_of_float32_is_part_of_the_bound():
    rng = np.random.default_rng(3)
    for x in rng.uniform(-3, 3, 200).astype(np.float32).tolist():
        estimate = finite_difference(lambda t: np.sin(np.float32(t)), x, eps=float(np.finfo(np.float32).eps))
        assert abs(estimate.value - mpmath.cos(x)) <= estimate.bound < 1e-2


def test_domain_edges():
    with pytest.raises(ValueError, match=r"nan at -1\.0"), np.errstate(invalid="ignore"):
        finite_difference(np.log, -1.0)
    with pytest.raises(ValueError, match="inf"):
        finite_difference(lambda t: np.inf, 2.0)
    with np.errstate(invalid="ignore"):
        edge = finite_difference(np.sqrt, 0.0)
    assert np.isnan(edge.value)
    assert edge.bound == np.inf
    assert not edge.kink


def test_an_estimate_divided_by_a_number():
    estimate = finite_difference(abs, 0.0).divided_by(-2.0)
    assert (estimate.value, estimate.left, estimate.right) == pytest.approx((0, 0.5, -0.5))
    assert estimate.bound == pytest.approx(0.5, rel=1e-3)


# ------------------------------------------------------------------------------------------------ gradients of arrays


def loss(w, b):
    return np.sum(np.tanh(np.array([[0.3, -1.0], [0.7, 0.2]]) @ w + b) ** 2)


@pytest.mark.parametrize("method", ["auto", "finite", "complex"])
def test_every_method_gives_the_gradient_of_each_input(method):
    w, b = np.array([[0.5, -0.2], [1.0, 0.4]]), np.array([0.1, -0.3])
    expected = vg.grad(loss, (0, 1))(w, b)
    for numerical, g in zip(numerical_gradient(loss, w, b, method=method), expected, strict=True):
        assert numerical.value.shape == numerical.bound.shape == g.shape
        assert np.all(abs(numerical.value - g) <= numerical.bound + 1e-15)
        assert np.all(numerical.bound < 1e-9)
        assert np.all(numerical.bound > 1e-14 * abs(g))


def deep(b):
    a = 0.5
    for i in range(30):
        a = vg.sigmoid(0.9 * a + b[i])
    return a


def test_auto_goes_on_to_the_complex_step_where_finite_differences_cannot_tell():
    b = np.linspace(-0.5, 0.5, 30)
    g = vg.grad(deep)(b)
    finite = numerical_gradient(deep, b, method="finite")
    assert finite.bound[0] > abs(g[0])
    auto = numerical_gradient(deep, b)
    assert np.all(abs(auto.value - g) <= 1e-3 * abs(g))
    assert abs(auto.value[0] - g[0]) <= 1e-12 * abs(g[0])


def test_auto_does_not_trust_the_complex_step_where_an_operation_is_not_analytic():
    def blind(b):
        return deep(b) + 1e-17 * np.sum(np.abs(b))

    b = np.linspace(-0.5, 0.5, 30)
    np.testing.assert_array_equal(
        numerical_gradient(blind, b).bound, numerical_gradient(blind, b, method="finite").bound
    )


def test_a_float32_function_has_the_bound_of_float32():
    value, bound = numerical_gradient(lambda x: np.sum(np.sin(x.astype(np.float32))), np.array([0.5, 1.0]))
    assert np.all(abs(value - np.cos([0.5, 1.0])) <= bound)
    assert np.all(bound > 1e-7)


def test_bad_calls_of_numerical_gradient():
    with pytest.raises(ValueError, match="not 'central'"):
        numerical_gradient(np.sin, 1.0, method="central")
    with pytest.raises(ValueError, match=r"shape \(2,\).*single number"):
        numerical_gradient(np.sin, np.ones(2))
    with pytest.raises(ValueError, match="do not agree"):
        numerical_gradient(lambda x: x + 1e30 * np.imag(x) ** 2 * 1j, 1.0, method="complex")
