"""End to end: the gradient of a function of arrays against finite differences, element by element."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_vg.autodiff import grad, vjp
from tinygrad_vg.gradcheck.differences import Estimate, along, as_float64, finite_difference
from tinygrad_vg.gradcheck.report import Finding, GradientMismatch, GradientReport, InputReport, Verdict
from tinygrad_vg.modes import no_grad
from tinygrad_vg.tensor import Array

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
    arrays = [as_float64(x) for x in inputs]
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
            estimate = finite_difference(along(f, arrays, i, index, cotangent), float(x[index]))
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
    value, bound, still = estimate.value, estimate.bound, estimate.still
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
