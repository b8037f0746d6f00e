"""End to end: the gradient of a function of arrays against finite differences, element by element."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_vg.autodiff import backprop, grad
from tinygrad_vg.checks import Array
from tinygrad_vg.gradcheck.differences import Estimate, along, as_float64, finite_difference
from tinygrad_vg.gradcheck.hints import hint
from tinygrad_vg.gradcheck.report import Finding, GradientMismatch, GradientReport, InputReport, Verdict
from tinygrad_vg.modes import no_grad, state
from tinygrad_vg.tensor import Tensor

__all__ = ["check_gradients"]

SAFETY = 8.0
RTOL = 1e-9
RESOLVED = 1e-3


def check_gradients(
    f: Callable[..., Any],
    *inputs: Any,
    order: int = 1,
    raises: bool = True,
    sample: int | Sequence[int | None] | None = None,
    seed: int = 0,
    names: Sequence[str] | None = None,
    kinks: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> GradientReport:
    """Compare the gradients that backward gives with finite differences, element by element.

    Parameters
    ----------
    f : callable
        Of arrays and Tensors alike, giving one array. If it has several elements, what is checked and reported is the
        gradient of their sum with random weights (the cotangent), so that no two errors cancel.
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
    kinks : bool
        Say True where a kink is expected: it passes if the gradient lies between the slopes on either side.
    progress : callable, optional
        Called as ``progress(done, total)`` after every element.

    Returns
    -------
    GradientReport

    Raises
    ------
    GradientMismatch
        An AssertionError with the report as its message: a wrong gradient, one that finite differences cannot resolve,
        or an unexpected kink.
    ValueError
        For another order, no inputs, a value that is not finite, an `f` that changes its inputs or is not the same at
        the second call.
    TypeError
        For integer inputs, and for an `f` that depends on none of its inputs.

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
    labels = list(names) if names else [getattr(x, "name", None) or f"x{i}" for i, x in enumerate(inputs)]
    arrays = [_checked_input(x, label) for x, label in zip(inputs, labels, strict=True)]
    if order == 2:
        f = _slope(f, arrays, rng)
    y, tensors = _forward(f, arrays)
    cotangent = rng.normal(size=y.shape)
    gradients = backprop(y, cotangent, wrt=tensors)
    limits = [sample] * len(arrays) if sample is None or isinstance(sample, int) else list(sample)
    chosen = [_choose(x, limit, rng) for x, limit in zip(arrays, limits, strict=True)]
    total, done = sum(map(len, chosen)), 0
    reports = []
    for i, (x, tensor, indices) in enumerate(zip(arrays, tensors, chosen, strict=True)):
        findings = []
        for index in indices:
            estimate = finite_difference(along(f, arrays, i, index, cotangent), float(x[index]))
            scale = _scale(f, arrays, i, index, cotangent)
            backward = float(gradients[tensor][index])
            if y.size == 1:  # checked with a random cotangent too, but told for a cotangent of 1
                backward, estimate = backward / float(cotangent.item()), estimate.divided_by(float(cotangent.item()))
            findings.append(judge(index, backward, estimate, scale, kinks))
            done += 1
            if progress is not None:
                progress(done, total)
        reports.append(summary(labels[i], x.shape, findings))
    report = GradientReport(tuple(reports), seed, order)
    if raises and not report:
        raise GradientMismatch(report)
    return report


def _checked_input(x: Any, label: str) -> Array:
    """An input as a float64 array; integers are refused, since a whole number has no neighbours to compare with."""
    array = x.data if type(x) is Tensor else np.asarray(x)
    if array.dtype.kind != "f":
        raise TypeError(f"check_gradients: {label} has dtype {array.dtype}; give floats, 3.0 instead of 3")
    return as_float64(x)


def _forward(f: Callable[..., Any], arrays: list[Array]) -> tuple[Tensor, list[Tensor]]:
    """The value of `f` on Tensors, once it is sure that `f` is a function at all."""
    tensors = [Tensor(x) for x in arrays]
    with state(recording=True):
        y = f(*tensors)
    if type(y) is not Tensor:
        raise TypeError(
            f"check_gradients: f returned {type(y).__name__}, not a Tensor, so it depends on none of its inputs; give "
            "one array computed from them with NumPy functions"
        )
    if not np.all(np.isfinite(y.data)):
        raise ValueError(f"check_gradients: f is {y.data!r:.60} here; a gradient needs a finite value")
    given = [x.copy() for x in arrays]
    with no_grad():
        plain = f(*given)
    if not all([np.array_equal(x, y) for x, y in zip(given, arrays, strict=True)]):
        raise ValueError("check_gradients: f changes its inputs; make it compute new arrays instead")
    if not np.array_equal(plain, y.data):
        raise ValueError(
            "check_gradients: f gave another value at the second call, on arrays, than at the first, on Tensors; it "
            "must be deterministic (seed what is random inside it) and the same for both"
        )
    return y, tensors


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


def _scale(f: Callable[..., Any], arrays: list[Array], i: int, index: tuple[int, ...], cotangent: Array) -> float:
    """Σⱼ|gⱼ||Jⱼᵢ|, roughly: how large the numbers are whose sum is the derivative, where outputs cancel."""
    if cotangent.size == 1:
        return 0.0  # nothing to cancel: the derivative itself is the scale
    moved = [x.copy() for x in arrays]
    h = 1e-4 * max(1.0, abs(float(arrays[i][index])))
    values = []
    for step in (h, -h):
        moved[i][index] = arrays[i][index] + step
        with no_grad(), np.errstate(all="ignore"):
            values.append(np.asarray(f(*moved)))
    total = float(np.sum(np.abs(cotangent) * np.abs(values[0] - values[1]))) / (2 * h)
    return total if np.isfinite(total) else 0.0


def judge(
    index: tuple[int, ...], backward: float, estimate: Estimate, scale: float = 0.0, kinks: bool = False
) -> Finding:
    """The verdict on one element; there is no absolute tolerance.

    Parameters
    ----------
    index
        Of the element.
    backward
        Backward's gradient.
    estimate
        The finite difference with its bound.
    scale
        Σⱼ|gⱼ||Jⱼᵢ|: the rounding error of backward is relative to this.
    kinks
        Whether a kink is expected, and so passes.
    """
    value, bound = estimate.value, estimate.bound
    size = max(abs(backward), abs(value))
    difference = abs(backward - value)
    tolerance = RTOL * max(size, scale) + SAFETY * bound
    slopes = (estimate.left, estimate.right) if estimate.kink else None
    if estimate.still and backward == 0:
        verdict = Verdict.ZERO
    elif not difference <= tolerance:
        verdict = Verdict.FAIL
    elif slopes:
        near = RESOLVED * max(map(abs, slopes))
        between = min(slopes) - near <= backward <= max(slopes) + near
        verdict = Verdict.FAIL if not between else Verdict.PASS if kinks else Verdict.KINK
    else:
        verdict = Verdict.PASS if SAFETY * bound <= RESOLVED * size else Verdict.UNRESOLVED
    return Finding(index, backward, value, bound, difference / size if size else 0.0, verdict, tolerance, slopes)


def summary(name: str, shape: tuple[int, ...], findings: list[Finding]) -> InputReport:
    """Counts, the worst element (a failure before a kink before an unresolved one), and what a failure looks like."""
    rank = list(Verdict)
    moving = [w for w in findings if w.verdict is not Verdict.ZERO]
    sizes = [abs(w.backward) for w in moving if w.backward]
    worst = max(moving, key=lambda w: (rank.index(w.verdict), w.error), default=None)
    suspicion = ""
    if worst and worst.verdict is Verdict.FAIL and len(findings) == np.prod(shape):
        both = [np.reshape([getattr(w, key) for w in findings], shape) for key in ("backward", "numerical")]
        suspicion = hint(*both)
    return InputReport(
        name=name,
        shape=shape,
        checked=len(findings),
        counts={v: sum([w.verdict is v for w in findings]) for v in Verdict},
        worst=worst,
        smallest=min(sizes, default=0.0),
        largest=max(sizes, default=0.0),
        hint=suspicion,
        agreement=max([w.error for w in findings if w.verdict is Verdict.PASS], default=0.0),
    )
