"""Finite differences with an error bound."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from tinygrad_vg.modes import no_grad
from tinygrad_vg.tensor import Array, Tensor

__all__ = ["Estimate", "NumericalGradient", "finite_difference", "numerical_gradient"]

LEVELS = 9  # steps h, h/4, …, h/65536: wide enough for the best one to be among them at any curvature met here
RATIO = 4.0
FIRST_STEP = 2.0**-3  # relative to max(1, |x|)
SMALLEST = float(np.finfo(np.float64).eps)


class Estimate(NamedTuple):
    """A derivative by finite differences.

    Attributes
    ----------
    value, bound
        The true derivative lies within `bound` of `value`.
    still
        The function did not change by a single bit at any step.
    kink
        The slopes on the left and on the right do not approach each other: there is a kink here, or nearer than the
        smallest step.
    left, right
        The one-sided slopes over the smallest step.
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


@dataclass(frozen=True)
class _Ladder:
    """Differences over shrinking steps: a Richardson tableau, and each level's rounding floor and even part."""

    rows: list[list[float]]
    floors: list[float]
    evens: list[float]
    sides: list[tuple[float, float]]
    still: bool


def finite_difference(phi: Callable[[float], float], x: float) -> Estimate:
    """The derivative of `phi` at `x` by extrapolated central differences, with a bound of its error.

    A Richardson tableau over steps that shrink by 4. The truncation error of an entry is estimated from its neighbours
    in the tableau, the rounding error from the size of φ and from how much φ jumps between close points. The even part
    of φ tells where φ is smooth: |right slope − left slope| must shrink with the step; coarser levels where it does not
    are left out, and if it does not shrink at all, there is a kink. Of the entries that no finer one contradicts, the
    one with the smallest bound is taken.

    Source: Richardson 1911; Ridders, Advances in Engineering Software 4 (1982).

    Notes
    -----
    It lies where φ is smooth on a scale below the smallest step only: a spike between the points is not seen.
    """
    ladder = _climb(phi, x)
    rows, first, kink = ladder.rows, _first_smooth(ladder), 0.0
    if first > len(rows) - 2:  # not smooth down to the smallest steps
        first, kink = 0, 2 * max(ladder.evens[-4:], default=math.inf)
    entries = []
    for k in range(first + 1, len(rows)):
        for j in range(1, k - first + 1):
            if k - first < 3 < len(rows) - first and k - 1 - first < j:
                continue  # so few levels may agree by chance
            entries.append((_truncation(rows, k, j, first) + ladder.floors[k], rows[k][j], k, j))
    left, right = ladder.sides[-1] if ladder.sides else (math.nan, math.nan)
    for bound, value, k, j in sorted(entries):
        finer = [(m, min(j, m - first)) for m in range(k + 1, len(rows))]
        if all(
            [abs(rows[m][i] - value) <= bound + _truncation(rows, m, i, first) + ladder.floors[m] for m, i in finer]
        ):
            return Estimate(value, bound + kink, ladder.still, kink > 0, left, right)
    return Estimate(rows[-1][0] if rows else math.nan, math.inf, ladder.still, kink > 0, left, right)


def _climb(phi: Callable[[float], float], x: float) -> _Ladder:
    """Evaluate φ at x ± h over the levels, from the largest step at which it is finite."""
    h = FIRST_STEP * max(1.0, abs(x))
    centre = phi(x)
    while not (math.isfinite(phi(x + h)) and math.isfinite(phi(x - h))) and x + h != x:
        h /= RATIO  # a step beyond the domain, as in log near 0
    noise = _noise(phi, x, h / RATIO ** (LEVELS - 1), centre)
    ladder = _Ladder([], [], [], [], True)
    still = True
    for _ in range(LEVELS):
        up, down = x + h, x - h
        high, low = phi(up), phi(down)
        if up == x or not (math.isfinite(high) and math.isfinite(low)):
            break
        still = still and high == low == centre
        row = [(high - low) / (up - down)]
        for order, before in enumerate(ladder.rows[-1] if ladder.rows else (), start=1):
            row.append(row[-1] + (row[-1] - before) / (RATIO ** (2 * order) - 1))
        left, right = (centre - low) / (x - down), (high - centre) / (up - x)
        ladder.rows.append(row)
        ladder.floors.append(2 * max(SMALLEST * max(abs(high), abs(low), abs(centre)), noise) / (up - x))
        ladder.evens.append(abs(right - left) / 2)
        ladder.sides.append((left, right))
        h /= RATIO
    return replace(ladder, still=still)


def _noise(phi: Callable[[float], float], x: float, h: float, centre: float) -> float:
    """How far φ jumps about between points so close that a smooth function is a parabola there: its inner rounding."""
    step = max(h / 57.3, 4 * math.ulp(x))  # no round fraction, which would give all points the same rounding
    near = [phi(x - j * step) for j in (3, 2, 1)] + [centre] + [phi(x + j * step) for j in (1, 2, 3)]
    thirds = np.diff(near, 3)
    return float(np.max(np.abs(thirds))) if np.all(np.isfinite(thirds)) else 0.0


def _first_smooth(ladder: _Ladder) -> int:
    """The level from which on the even part of φ shrinks with the step, down to its rounding floor."""
    first = 0
    for k in range(1, len(ladder.evens)):
        if ladder.evens[k] > 4 * ladder.floors[k] and ladder.evens[k] > 0.5 * ladder.evens[k - 1]:
            first = k + 1
    return first


def _truncation(rows: list[list[float]], k: int, j: int, first: int) -> float:
    """How far entry (k, j) of the tableau is from its neighbours."""
    near = [rows[k][j - 1], rows[k - 1][j - 1], *([rows[k - 1][j]] if k - 1 - first >= j else [])]
    return max([abs(rows[k][j] - other) for other in near])


class NumericalGradient(NamedTuple):
    """A gradient by finite differences, shape of the input, and for each element a bound of its error."""

    value: Array
    bound: Array


def numerical_gradient(f: Callable[..., Any], *inputs: Any) -> Any:
    """The gradient of a function of arrays by finite differences, without using any derivative.

    Parameters
    ----------
    f : callable
        Of arrays, giving a single number.
    *inputs : array_like
        Where. Float64 is used throughout.

    Returns
    -------
    NumericalGradient or tuple of NumericalGradient
        ``value`` and ``bound`` of the input's shape; a tuple if there are several inputs.

    Examples
    --------
    >>> value, bound = numerical_gradient(lambda x: np.sum(x**3), np.array([1.0, 2.0]))
    >>> bool(np.all(abs(value - [3, 12]) <= bound)), bool(np.all(bound < 1e-9))
    (True, True)
    """
    arrays = [as_float64(x) for x in inputs]
    results = []
    for i, x in enumerate(arrays):
        value, bound = np.empty(x.shape), np.empty(x.shape)
        for index in np.ndindex(x.shape):
            value[index], bound[index], *_ = finite_difference(along(f, arrays, i, index, None), float(x[index]))
        results.append(NumericalGradient(value, bound))
    return results[0] if len(results) == 1 else tuple(results)


def as_float64(x: Any) -> Array:
    return np.array(x.data if type(x) is Tensor else x, dtype=np.float64)


def along(
    f: Callable[..., Any], arrays: list[Array], i: int, index: tuple[int, ...], cotangent: Array | None
) -> Callable[[float], float]:
    """⟨cotangent, f⟩ as a function of one element of one input."""

    def phi(t: float) -> float:
        moved = arrays[i].copy()
        moved[index] = t
        with no_grad(), np.errstate(all="ignore"):
            y = f(*arrays[:i], moved, *arrays[i + 1 :])
        y = y.data if type(y) is Tensor else np.asarray(y)
        return float(y.item() if cotangent is None else np.sum(cotangent * y))

    return phi
