"""Finite differences with an error bound.

A difference quotient is wrong twice: by truncation, which shrinks with the step, and by rounding, which grows as the
step shrinks. `finite_difference` measures both, and whether φ is smooth at all, and says how wrong it may be.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tinygrad_vg.checks import Array
from tinygrad_vg.gradcheck.complex_step import AGREEMENT, complex_step, is_analytic
from tinygrad_vg.modes import no_grad, state
from tinygrad_vg.tensor import Tensor

__all__ = ["Estimate", "NumericalGradient", "finite_difference", "numerical_gradient"]

LEVELS = 9  # steps h, h/4, …, h/65536: wide enough for the best one to be among them at any curvature met here
RATIO = 4.0
FIRST_STEP = 2.0**-3  # relative to max(1, |x|)
EPS = float(np.finfo(np.float64).eps)
NEAR = (-2.7182818, -2.2360680, -1.4142136, -0.5773503, 0.6931472, 1.2599210, 1.7320508, 3.1415927)  # no common measure


class Estimate(NamedTuple):
    """A derivative by finite differences.

    Attributes
    ----------
    value, bound
        The true derivative lies within `bound` of `value`; at a kink, so do the slopes on both sides.
    still
        φ did not change by a single bit at any step, those aside that reach beyond a kink.
    kink
        The slopes on the left and on the right do not approach each other: there is a kink here, or nearer than the
        smallest steps.
    left, right
        The slopes on the left and on the right, by extrapolated one-sided differences.
    """

    value: float
    bound: float
    still: bool
    kink: bool
    left: float
    right: float

    def divided_by(self, c: float) -> Estimate:
        """The estimate of φ′/c."""
        return self._replace(value=self.value / c, bound=self.bound / abs(c), left=self.left / c, right=self.right / c)


NOTHING = Estimate(math.nan, math.inf, False, False, math.nan, math.nan)


class _Level(NamedTuple):
    """φ at x − h, x and x + h, as far from each other as they came out after rounding."""

    h: float
    points: tuple[float, float, float]
    values: tuple[float, float, float]

    @property
    def left(self) -> float:
        """Slope from x − h to x."""
        return (self.values[1] - self.values[0]) / (self.points[1] - self.points[0])

    @property
    def right(self) -> float:
        """Slope from x to x + h."""
        return (self.values[2] - self.values[1]) / (self.points[2] - self.points[1])

    @property
    def slope(self) -> float:
        """Slope from x − h to x + h."""
        return (self.values[2] - self.values[0]) / (self.points[2] - self.points[0])

    @property
    def moves(self) -> tuple[float, float]:
        """How far φ moves on both sides."""
        return abs(self.values[0] - self.values[1]), abs(self.values[2] - self.values[1])


def finite_difference(phi: Callable[[float], float], x: float, eps: float = EPS) -> Estimate:
    """The derivative of `phi` at `x` by extrapolated central differences, with a bound of its error.

    Parameters
    ----------
    phi : callable
        A function of one number.
    x : float
        Where.
    eps : float
        The relative precision `phi` computes in: ``np.finfo(np.float32).eps`` if it gives float32.

    Returns
    -------
    Estimate
        If φ is not finite on both sides of x (√t at 0), value and slopes are nan and the bound is infinite.

    Raises
    ------
    ValueError
        If φ(x) is not finite.

    Notes
    -----
    φ is evaluated at x, at x ± h for 9 steps h that shrink by 4, and at 8 points close to x: 27 times, and again with
    smaller steps where φ is not smooth. The truncation error is what extrapolation to h = 0 changes (`_extrapolate`),
    the rounding error what φ jumps about by (`_noise`, `_floor`). Steps that reach beyond a kink are left out
    (`_first_smooth`); if all do, both slopes and their mean are given.

    A function that does not move at all has a derivative below its resolution, which is not 0: the bound says so.

    What it can see: the bound is seldom below 1e-12 of |φ|, whatever the derivative, so of φ′ = 1e-12·φ nothing is
    known. In a deep sigmoid network that is so from about ten layers on; `complex_step` and `certify_backward` go
    further.

    It lies where φ has a spike between the points, or a scale below the smallest step, 2e-6 of max(1, |x|); where it is
    the small difference of numbers larger than 1, x and φ, and does not move; and where a kink lies about the smallest
    step away and is so weak, 1e-8 of the slope, that its two slopes cannot be told apart: then the bound may be too
    small by a factor of 5.

    Source: Richardson 1911; Ridders, Advances in Engineering Software 4 (1982); for the noise Moré & Wild, SIAM Journal
    on Scientific Computing 33 (2011).
    """
    first_step = FIRST_STEP * 2.0 ** (math.frexp(max(1.0, abs(x)))[1] - 1)
    far = _from_step(phi, x, first_step, eps)
    if not far.kink:
        return far
    near = _from_step(phi, x, first_step * RATIO ** (1 - LEVELS), eps)
    if not near.kink and near.bound < 0.1 * far.bound:
        return near
    return far._replace(kink=far.bound < 4 * abs(far.right - far.left))  # else there is nothing to be seen but noise


def _from_step(phi: Callable[[float], float], x: float, h: float, eps: float) -> Estimate:
    """The estimate from steps of at most h."""
    levels = _levels(phi, x, h)
    if not levels:
        return NOTHING
    noise = _noise(phi, x, levels, eps)
    floors = [_floor(level, x, noise, eps) for level in levels]
    moves = [move for level in levels for move in level.moves]
    if not any(moves):
        return Estimate(0.0, floors[0], True, False, 0.0, 0.0)
    left, left_bound = _extrapolate([level.left for level in levels], floors, 1)
    right, right_bound = _extrapolate([level.right for level in levels], floors, 1)
    jump = abs(right - left)
    first = _first_smooth(levels, floors)
    value, bound = _extrapolate([level.slope for level in levels[first:]], floors[first:], 2)
    if math.isinf(bound):  # too few steps
        bound = jump / 2 + left_bound + right_bound
        if not math.isfinite(bound):
            return NOTHING
        return Estimate((left + right) / 2, bound, False, True, left, right)
    if 2 * jump > left_bound + right_bound:  # a weak kink, or none: not seen from step to step
        bound += jump
    # constant up to a kink: φ moves far beyond it and not at all before, unlike one that saturates
    still = not any(moves[-6:]) and min(filter(None, moves)) > 1e-8 * max(1.0, abs(x), abs(phi(x)))
    return Estimate(value, bound, still, False, left, right)


def _levels(phi: Callable[[float], float], x: float, h: float) -> list[_Level]:
    """φ at x ± h over shrinking steps, from the largest below which φ is finite.

    The steps are powers of 2, so that x + h and x − h are exact, and equally far from x, unless x is tiny.
    """
    centre = float(phi(x))
    if not math.isfinite(centre):
        raise ValueError(f"the function is {centre} at {x!r}; a derivative needs a finite value")
    levels: list[_Level] = []
    smallest = max(4 * math.ulp(x), h * RATIO**-64)
    while len(levels) < LEVELS and h >= smallest:
        low, high = float(phi(x - h)), float(phi(x + h))
        if math.isfinite(low) and math.isfinite(high):
            levels.append(_Level(h, (x - h, x, x + h), (low, centre, high)))
        else:
            levels.clear()  # beyond the domain, as in log near 0
        h /= RATIO
    return levels


def _noise(phi: Callable[[float], float], x: float, levels: list[_Level], eps: float) -> float:
    """How far φ jumps about, by inner rounding: what a parabola through points very close to x leaves of φ there.

    If some steps do not move φ at all, there is nothing to be seen of the rounding inside. Then φ may be the small
    difference of larger numbers, of the size of 1 and x at least, and the smallest of its moves a rounding error.
    """
    step = max(levels[-1].h / 57, 4 * math.ulp(x))
    points = x + step * np.array([0.0, *NEAR])
    changes = np.array([0.0, *[float(phi(float(t))) - levels[0].values[1] for t in points[1:]]])
    if not np.all(np.isfinite(changes)):
        return 0.0
    powers = np.vander((points - x) / step, 3)
    left_over = changes - powers @ np.linalg.lstsq(powers, changes)[0]
    noise = 2 * float(np.max(np.abs(left_over)))
    moves = [abs(change) for change in changes[1:].tolist()] + [move for level in levels for move in level.moves]
    if all(moves):
        return noise
    unit = eps * max(1.0, abs(x), abs(levels[0].values[1]))
    return max(noise, unit, min([m for m in moves if 0 < m < unit / math.sqrt(eps)], default=0.0))


def _floor(level: _Level, x: float, noise: float, eps: float) -> float:
    """The rounding error of a slope: φ is rounded, the numbers inside it are, and x is as soon as it is multiplied."""
    size = max(map(abs, level.values))
    moved = (abs(x) + level.h) * max(abs(level.left), abs(level.right))
    return 2 * max(noise, eps * size, eps * moved) / level.h


def _first_smooth(levels: list[_Level], floors: list[float]) -> int:
    """The level from which on φ is smooth: |right slope − left slope| shrinks with the step, down to its rounding."""
    first = 0
    evens = [abs(level.right - level.left) / 2 for level in levels]
    for k in range(1, len(levels)):
        if evens[k] > floors[k] and evens[k] > 0.5 * evens[k - 1]:
            first = k + 1
    return first


def _extrapolate(slopes: list[float], floors: list[float], order: int) -> tuple[float, float]:
    """The limit of `slopes` over shrinking steps, and a bound of its error, by Richardson's tableau.

    Row k starts with slope k; each further column removes one more power h^order, h^(2·order) … from the error, and
    adds up the rounding. Twice the distance of an entry from its three neighbours (the two it is made of, and the one
    above) bounds its truncation error. Entries may agree by chance, so the one with the smallest bound must not be
    contradicted by smaller steps: it is as near to the best entry of every later row as its bound and the rounding
    there allow. In the last row, which nothing can contradict, the plain slope counts as a neighbour too (not for
    one-sided slopes: their plain errors are large).
    """
    rows: list[list[tuple[float, float]]] = []
    best: list[tuple[float, float, float, int]] = []
    for k, start in enumerate(zip(slopes, floors, strict=True)):
        row, bounds = [start], list[tuple[float, float, float, int]]()
        for j, (above, its_rounding) in enumerate(rows[-1] if rows else (), start=1):
            (before, rounding), gain = row[-1], RATIO ** (order * j) - 1
            value, rounding = before + (before - above) / gain, rounding + (rounding + its_rounding) / gain
            row.append((value, rounding))
            if j < k:
                others = [before, above, rows[-1][j][0]] + [start[0]] * (order == 2 and k == len(slopes) - 1)
                truncation = 2 * max([abs(value - other) for other in others])
                bounds.append((truncation + rounding, value, rounding, k))
        rows.append(row)
        best += [min(bounds)] if bounds else []
    for bound, value, _, k in sorted(best):
        if all([abs(value - other) <= bound + rounding for _, other, rounding, m in best if m > k]):
            return value, bound
    return math.nan, math.inf


class NumericalGradient(NamedTuple):
    """A gradient by numerical differentiation, shape of the input, and for each element a bound of its error."""

    value: Array
    bound: Array


def numerical_gradient(f: Callable[..., Any], *inputs: Any, method: str = "auto") -> Any:
    """The gradient of a function of arrays without any derivative rule: by finite differences or complex steps.

    Parameters
    ----------
    f : callable
        Of arrays, giving a single number.
    *inputs : array_like
        Where. They are converted to float64.
    method : {"auto", "finite", "complex"}
        ``"finite"``: `finite_difference`. ``"complex"``: `complex_step`, where f must compute on complex arrays as an
        analytic function, and nobody checks that it does. ``"auto"``: finite differences, and complex steps for
        elements that those cannot tell to 3 digits, if every operation of f is analytic and both agree.

    Returns
    -------
    NumericalGradient or tuple of NumericalGradient
        ``value`` and ``bound`` of the input's shape; a tuple if there are several inputs.

    Raises
    ------
    ValueError
        For another method, an f that gives several numbers or is not finite here, and complex steps that do not agree.

    Examples
    --------
    >>> value, bound = numerical_gradient(lambda x: np.sum(x**3), np.array([1.0, 2.0]))
    >>> bool(np.all(abs(value - [3, 12]) <= bound)), bool(np.all(bound < 1e-9))
    (True, True)
    """
    if method not in ("auto", "finite", "complex"):
        raise ValueError(f'numerical_gradient: method is "auto", "finite" or "complex", not {method!r}')
    arrays = [as_float64(x) for x in inputs]
    with no_grad(), np.errstate(all="ignore"):
        y = f(*arrays)
    y = y.data if type(y) is Tensor else np.asarray(y)
    if y.size != 1:
        raise ValueError(f"numerical_gradient: f gives an array of shape {y.shape}; it must give a single number")
    eps = float(np.finfo(y.dtype).eps) if y.dtype.kind == "f" else EPS
    analytic = method == "auto" and _only_analytic(f, arrays)
    results = []
    for i, x in enumerate(arrays):
        value, bound = np.full(x.shape, 0.0), np.full(x.shape, np.inf)
        for index in np.ndindex(x.shape):
            at = float(x[index])
            if method != "complex":
                value[index], bound[index], *_ = finite_difference(along(f, arrays, i, index, None), at, eps)
                if not analytic or 8 * bound[index] <= 1e-3 * abs(value[index]):
                    continue
            exact = complex_step(restricted(f, arrays, i, index, None), at)
            if method == "complex" and exact is None:
                raise ValueError(f"numerical_gradient: the complex steps for element {index} of input {i} do not agree")
            if exact is not None and not abs(exact - value[index]) > 8 * bound[index]:
                value[index], bound[index] = exact, AGREEMENT * abs(exact)
        results.append(NumericalGradient(value, bound))
    return results[0] if len(results) == 1 else tuple(results)


def _only_analytic(f: Callable[..., Any], arrays: list[Array]) -> bool:
    """Whether f is made of analytic operations of the derivative table only."""
    try:
        with state(recording=True), np.errstate(all="ignore"):
            y = f(*map(Tensor, arrays))
    except (TypeError, AttributeError):  # f needs arrays
        return False
    return type(y) is Tensor and is_analytic(y)


def as_float64(x: Any) -> Array:
    """A float64 copy of an array or of a Tensor's value."""
    return np.array(x.data if type(x) is Tensor else x, dtype=np.float64)


def along(
    f: Callable[..., Any], arrays: list[Array], i: int, index: tuple[int, ...], cotangent: Array | None
) -> Callable[[float], float]:
    """⟨cotangent, f⟩ as a function of one element of one input."""
    phi = restricted(f, arrays, i, index, cotangent)
    return lambda t: float(phi(t))


def restricted(
    f: Callable[..., Any], arrays: list[Array], i: int, index: tuple[int, ...], cotangent: Array | None
) -> Callable[[Any], Any]:
    """The same for a real or a complex number."""

    def phi(t: complex) -> Any:
        moved = arrays[i].astype(np.result_type(arrays[i], type(t)))
        moved[index] = t
        with no_grad(), np.errstate(all="ignore"):
            y = f(*arrays[:i], moved, *arrays[i + 1 :])
        y = y.data if type(y) is Tensor else np.asarray(y)
        return y.item() if cotangent is None else np.sum(cotangent * y)

    return phi
