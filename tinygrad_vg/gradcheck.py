"""Checking derivatives: backward's gradients against finite differences that come with an error bound.

Gradients of deep sigmoid networks are small, 1e-10 and less, so nothing here has an absolute tolerance: a gradient
passes when it lies within the *measured* error of the finite difference, and that error must itself be small
against the gradient. Where it is not, the verdict is UNRESOLVED, which is not a pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np

from tinygrad_vg.autodiff import grad, vjp
from tinygrad_vg.modes import no_grad
from tinygrad_vg.tensor import Array, Tensor

__all__ = ["GradientMismatch", "GradientReport", "InputReport", "Verdict", "check_gradients", "numerical_gradient"]

LEVELS = 7  # steps h, h/4, …, h/4096: wide enough for the best one to be among them at any curvature met here
RATIO = 4.0
FIRST_STEP = 2.0**-3  # relative to max(1, |x|)
SAFETY = 8.0
RTOL = 1e-9
RESOLVED = 1e-3


class Verdict(StrEnum):
    """What a check says of one element."""

    PASS = "pass"
    ZERO = "zero"  # exactly 0, and the function does not move at all
    UNRESOLVED = "unresolved"  # no contradiction, but the finite difference is too inexact to tell
    FAIL = "fail"


class Estimate(NamedTuple):
    """A finite difference with its error bound; `still` if the function did not change by a single bit."""

    value: float
    bound: float
    still: bool


def finite_difference(phi: Callable[[float], float], x: float) -> Estimate:
    """The derivative of `phi` at `x` by extrapolated central differences, with a bound of its error.

    A Richardson tableau over steps shrinking by 4. Of every entry the truncation error is estimated from both of its
    neighbours, the rounding error from the size of φ over the step; the entry with the smallest sum is taken.

    Source: Richardson 1911; Ridders, Advances in Engineering Software 4 (1982).
    """
    h = FIRST_STEP * max(1.0, abs(x))
    while not (np.isfinite(phi(x + h)) and np.isfinite(phi(x - h))) and x + h != x:
        h /= RATIO  # a step beyond the domain, as in log near 0
    tableau: list[list[float]] = []
    best = (np.inf, 0.0)
    still = True
    size = abs(phi(x))
    for _ in range(LEVELS):
        up, down = x + h, x - h
        high, low = phi(up), phi(down)
        if up == down or not (np.isfinite(high) and np.isfinite(low)):
            break
        still = still and high == low
        size = max(size, abs(high), abs(low))
        noise = 4 * np.finfo(np.float64).eps * size / h
        row = [(high - low) / (up - down)]
        for order, before in enumerate(tableau[-1] if tableau else (), start=1):
            row.append(row[-1] + (row[-1] - before) / (RATIO ** (2 * order) - 1))
            truncation = max(abs(row[-1] - row[-2]), abs(row[-1] - before))
            best = min(best, (truncation + noise, row[-1]))
        tableau.append(row)
        h /= RATIO
    bound, value = best
    return Estimate(value, bound, still)


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
    arrays = [_array(x) for x in inputs]
    results = []
    for i, x in enumerate(arrays):
        value, bound = np.empty(x.shape), np.empty(x.shape)
        for index in np.ndindex(x.shape):
            value[index], bound[index], _ = finite_difference(_along(f, arrays, i, index, None), float(x[index]))
        results.append(NumericalGradient(value, bound))
    return results[0] if len(results) == 1 else tuple(results)


def _array(x: Any) -> Array:
    return np.array(x.data if type(x) is Tensor else x, dtype=np.float64)


def _along(
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


# --------------------------------------------------------------------------------------------------------- reports


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found for one element of an input."""

    index: tuple[int, ...]
    backward: float
    numerical: float
    bound: float
    error: float
    verdict: Verdict


@dataclass(frozen=True)
class InputReport:
    """What the check found for one input."""

    name: str
    shape: tuple[int, ...]
    checked: int
    counts: dict[Verdict, int]
    worst: Finding | None
    smallest: float
    largest: float

    def __bool__(self) -> bool:
        return not (self.counts[Verdict.FAIL] or self.counts[Verdict.UNRESOLVED])

    @property
    def size(self) -> int:
        """Number of elements of the input."""
        return int(np.prod(self.shape))


@dataclass(frozen=True)
class GradientReport:
    """The result of `check_gradients`: true iff every element that was checked passes.

    Attributes
    ----------
    inputs
        One `InputReport` an input.
    seed
        Of the random cotangent and of the sample of elements; the same seed repeats the check.
    """

    inputs: tuple[InputReport, ...]
    seed: int
    order: int = 1
    headings: tuple[str, ...] = field(
        default=(
            "input",
            "shape",
            "checked",
            "pass",
            "zero",
            "unresolved",
            "fail",
            "|gradient|",
            "worst error",
            "bound",
        ),
        repr=False,
    )

    def __bool__(self) -> bool:
        return all([bool(report) for report in self.inputs])

    def rows(self) -> Iterator[tuple[str, ...]]:
        """The table of the report, a tuple of texts an input, in the order of `headings`."""
        for r in self.inputs:
            checked = f"{r.checked:,}/{r.size:,}"
            counts = [f"{r.counts[v]:,}" for v in (Verdict.PASS, Verdict.ZERO, Verdict.UNRESOLVED, Verdict.FAIL)]
            spread = f"{r.smallest:.1e} … {r.largest:.1e}" if r.largest else "0"
            error, bound = (f"{r.worst.error:.1e}", f"{_relative(r.worst):.1e}") if r.worst else ("—", "—")
            yield (r.name, "×".join(map(str, r.shape)) or "()", checked, *counts, spread, error, bound)

    def __str__(self) -> str:
        table = [self.headings, *self.rows()]
        widths = [max([len(row[i]) for row in table]) for i in range(len(self.headings))]
        lines = ["  ".join([cell.ljust(w) for cell, w in zip(row, widths, strict=True)]).rstrip() for row in table]
        what = "gradients agree with finite differences" if self else "gradients DISAGREE with finite differences"
        lines.append(f"{what} (order {self.order}, relative errors, seed {self.seed})")
        for r in self.inputs:
            if not r and r.worst:
                w = r.worst
                lines.append(
                    f"{w.verdict.upper()} {r.name}[{', '.join(map(str, w.index))}]: backward {w.backward:.10e}, "
                    f"finite difference {w.numerical:.10e} ± {w.bound:.1e}"
                )
        return "\n".join(lines)


def _relative(worst: Finding) -> float:
    size = max(abs(worst.backward), abs(worst.numerical))
    return worst.bound / size if size else 0.0


class GradientMismatch(AssertionError):
    """A gradient check that did not pass; the findings are in ``.report``."""

    def __init__(self, report: GradientReport) -> None:
        super().__init__(str(report))
        self.report = report


# ------------------------------------------------------------------------------------------------------- the check


def check_gradients(
    f: Callable[..., Any],
    *inputs: Any,
    order: int = 1,
    raises: bool = True,
    sample: int | Sequence[int | None] | None = None,
    seed: int = 0,
    names: Sequence[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> GradientReport:
    """Compare the gradients that backward gives with finite differences, element by element.

    Parameters
    ----------
    f : callable
        Of arrays and Tensors alike, giving one array. If it has several elements they are weighted with a random
        cotangent, so that no two errors cancel.
    *inputs : array_like or Tensor
        The point at which to check, float64.
    order : {1, 2}
        2 checks the gradient of the gradient (weighted likewise) instead.
    raises : bool
        Raise if anything fails or stays unresolved.
    sample : int or sequence, optional
        At most so many elements of each input, drawn at random; one number, or one an input (None: all).
    seed : int
        Of the cotangent and the sample.
    names : sequence of str, optional
        For the report; default: the names of Tensors, else x0, x1 …
    progress : callable, optional
        Called as ``progress(done, total)`` after every element.

    Returns
    -------
    GradientReport

    Raises
    ------
    GradientMismatch
        An AssertionError with the report as its message.
    ValueError
        For another order, or no inputs.

    Examples
    --------
    >>> bool(check_gradients(np.sin, np.array([0.3, 1.2])))
    True
    """
    if order not in (1, 2) or not inputs:
        raise ValueError(
            f"check_gradients checks order 1 or 2 at one or more inputs, not order {order} at {len(inputs)} inputs"
        )
    rng = np.random.default_rng(seed)
    arrays = [_array(x) for x in inputs]
    labels = list(names) if names else [getattr(x, "name", None) or f"x{i}" for i, x in enumerate(inputs)]
    if order == 2:
        f = _slope(f, arrays, rng)
    y, pullback = vjp(f, *arrays)
    cotangent = rng.normal(size=y.shape)
    limits = [sample] * len(arrays) if sample is None or isinstance(sample, int) else list(sample)
    chosen = [_choose(x, limit, rng) for x, limit in zip(arrays, limits, strict=True)]
    total, done = sum(map(len, chosen)), 0
    reports = []
    for i, (x, g, indices) in enumerate(zip(arrays, pullback(cotangent), chosen, strict=True)):
        findings = []
        for index in indices:
            estimate = finite_difference(_along(f, arrays, i, index, cotangent), float(x[index]))
            findings.append(_judge(index, float(g[index]), estimate))
            done += 1
            if progress is not None:
                progress(done, total)
        reports.append(_summary(labels[i], x.shape, findings))
    report = GradientReport(tuple(reports), seed, order)
    if raises and not report:
        raise GradientMismatch(report)
    return report


def _slope(f: Callable[..., Any], arrays: list[Array], rng: np.random.Generator) -> Callable[..., Any]:
    """The gradient of ⟨u, f⟩ in a random direction v: a number whose gradient is a second derivative of f."""
    with no_grad():
        u = rng.normal(size=np.shape(f(*arrays)))
    vs = [rng.normal(size=x.shape) for x in arrays]
    first = grad(lambda *xs: np.sum(u * f(*xs)), range(len(arrays)))
    return lambda *xs: sum([np.sum(v * g) for v, g in zip(vs, first(*xs), strict=True)])


def _choose(x: Array, limit: int | None, rng: np.random.Generator) -> list[tuple[int, ...]]:
    """Indices of the elements to check: all, or a random sample of `limit`."""
    flat = np.arange(x.size) if limit is None or limit >= x.size else np.sort(rng.choice(x.size, limit, replace=False))
    return list(zip(*[axis.tolist() for axis in np.unravel_index(flat, x.shape)], strict=True)) if x.ndim else [()]


def _judge(index: tuple[int, ...], backward: float, estimate: Estimate) -> Finding:
    """The verdict on one element, from the values alone: there is no absolute tolerance."""
    value, bound, still = estimate
    size = max(abs(backward), abs(value))
    difference = abs(backward - value)
    error = difference / size if size else 0.0
    if still and backward == 0:
        verdict = Verdict.ZERO
    elif not difference <= RTOL * size + SAFETY * bound:
        verdict = Verdict.FAIL
    else:
        verdict = Verdict.PASS if SAFETY * bound <= RESOLVED * size else Verdict.UNRESOLVED
    return Finding(index, backward, value, bound, error, verdict)


def _summary(name: str, shape: tuple[int, ...], findings: list[Finding]) -> InputReport:
    """Counts, and the worst element: a failure before an unresolved one before the largest error."""
    rank = list(Verdict)
    moving = [w for w in findings if w.verdict is not Verdict.ZERO]
    sizes = [abs(w.backward) for w in moving if w.backward]
    return InputReport(
        name=name,
        shape=shape,
        checked=len(findings),
        counts={v: sum([w.verdict is v for w in findings]) for v in Verdict},
        worst=max(moving, key=lambda w: (rank.index(w.verdict), w.error), default=None),
        smallest=min(sizes, default=0.0),
        largest=max(sizes, default=0.0),
    )
