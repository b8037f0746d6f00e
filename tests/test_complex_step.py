"""The complex step: 14 digits at any magnitude, None where it cannot tell, and which functions it is for."""

import mpmath
import numpy as np
import pytest

import tinygrad_vg as vg
from tinygrad_vg.gradcheck.complex_step import complex_step, is_analytic

M = mpmath.mpf


def chain(depth, seed):
    rng = np.random.default_rng(seed)
    w, b = rng.uniform(0.6, 1.2, depth) * rng.choice([-1, 1], depth), 0.5 * rng.normal(size=depth)

    def f(a):
        for u, v in zip(w, b, strict=True):
            a = vg.sigmoid(u * a + v)
        return a

    def exact(a):
        g, a = M(1), M(a)
        for u, v in zip(w.tolist(), b.tolist(), strict=True):
            a = 1 / (1 + mpmath.exp(-(M(u) * a + M(v))))
            g *= M(u) * a * (1 - a)
        return g

    return f, exact, float(rng.normal())


@pytest.mark.parametrize("depth", [1, 2, 6, 16, 50, 100, 200, 370])
def test_14_digits_down_to_1e_260(depth):
    smallest = 1.0
    with mpmath.workdps(40):
        for seed in range(10):
            f, exact, x = chain(depth, seed)
            value, true = complex_step(f, x), exact(x)
            assert abs(M(value) - true) <= 1e-14 * abs(true)
            smallest = min(smallest, abs(value))
    assert depth < 370 or 1e-290 < smallest < 1e-258


@pytest.mark.parametrize("x", [1e-200, 1e-30, 1e-6, 1.0, 1e6])
def test_steps_are_relative_to_a_small_x(x):
    assert complex_step(np.log, x) == pytest.approx(1 / x, rel=1e-14)
    assert complex_step(lambda z: np.sin(300 * z), x) == pytest.approx(300 * np.cos(300 * x), rel=1e-13)


def test_at_0_and_of_a_constant():
    assert complex_step(np.sin, 0.0) == pytest.approx(1.0, rel=1e-15)
    assert complex_step(lambda z: 3.0, 1.0) == 0.0


@pytest.mark.parametrize(
    "f",
    [
        lambda z: z * 1e-295,  # times the smaller steps, below the smallest double
        lambda z: z * 1e-308,
        np.sqrt,  # at 0 not differentiable: it grows as the step shrinks
        lambda z: z * np.nan,
        lambda z: z / 0.0,
        lambda z: complex(z.real, z.imag**2),
        lambda z: (z + 1j * 1e-30) * 2,  # not real on the real axis
    ],
)
def test_none_where_the_steps_do_not_agree(f):
    with np.errstate(all="ignore"):
        assert complex_step(lambda z: f(np.complex128(z)), 0.0) is None


@pytest.mark.parametrize("blind", [lambda z: z * np.abs(z), lambda z: z * z.real, lambda z: np.real(z) * z])
def test_it_is_blind_to_parts_as_its_docstring_says(blind):
    assert complex_step(blind, 3.0) == pytest.approx(3.0)  # and not 6


def test_what_takes_no_complex_numbers_raises():
    with pytest.raises(TypeError):
        complex_step(np.cbrt, 1.0)


def test_a_graph_is_analytic_if_every_operation_is():
    t = vg.Tensor([0.3, 0.7])
    analytic = np.sum(vg.sigmoid(t @ np.ones((2, 2))) * np.exp(t))
    assert is_analytic(analytic)
    assert is_analytic(t)
    assert not is_analytic(analytic + np.sum(np.abs(t)))
    assert not is_analytic(np.exp(vg.stop_gradient(t)))
    assert not is_analytic(np.sum(np.abs(t) * np.exp(np.exp(np.exp(t)))))


def test_a_graph_is_walked_without_recursion_and_shared_nodes_once():
    t = vg.Tensor(0.5)
    deep = t
    for _ in range(20_000):
        deep = np.sin(deep)
    assert is_analytic(deep)
    wide = t
    for _ in range(200):  # 2²⁰⁰ paths
        wide = np.sin(wide) + np.cos(wide)
    assert is_analytic(wide)
    assert not is_analytic(np.abs(t) + deep)
