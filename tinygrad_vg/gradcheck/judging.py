"""The verdict on one element, and the summary of those of one input."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinygrad_vg.gradcheck.complex_step import AGREEMENT
from tinygrad_vg.gradcheck.differences import Estimate
from tinygrad_vg.gradcheck.hints import hint
from tinygrad_vg.gradcheck.report import Finding, InputReport, Verdict

__all__ = ["RESOLVED", "RTOL", "SAFETY", "judge", "judge_complex", "summary"]

SAFETY = 8.0  # times the bound of a finite difference
RTOL = 1e-9  # of backward, relative to the numbers it added up
RESOLVED = 1e-3  # what is known less precisely than this is not known


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
    agreed = not size or (slopes is not None and verdict is Verdict.PASS)  # between two slopes there is no error
    return Finding(index, backward, value, bound, 0.0 if agreed else difference / size, verdict, tolerance, slopes)


def judge_complex(finding: Finding, exact: float | None, scale: float = 0.0) -> Finding:
    """The verdict by the complex step on what a finite difference could not resolve, if the two agree.

    Parameters
    ----------
    finding
        The verdict by the finite difference.
    exact
        The derivative by the complex step, None where there is none.
    scale
        As in `judge`.
    """
    finding = replace(finding, complex_step=exact)
    if exact is None or abs(exact - finding.numerical) > SAFETY * finding.bound:
        return finding
    if exact == finding.backward == 0:
        return replace(finding, verdict=Verdict.ZERO, by="complex step")
    size = max(abs(finding.backward), abs(exact))
    tolerance = RTOL * max(size, scale) + SAFETY * AGREEMENT * abs(exact)
    off = abs(finding.backward - exact)
    verdict = Verdict.PASS if off <= tolerance else Verdict.FAIL
    return replace(finding, error=off / size, verdict=verdict, tolerance=tolerance, by="complex step")


def summary(name: str, shape: tuple[int, ...], findings: list[Finding]) -> InputReport:
    """Counts, the worst element (a failure before a kink before an unresolved one), and what a failure looks like."""
    rank = list(Verdict)
    moving = [w for w in findings if w.verdict is not Verdict.ZERO]
    sizes = [abs(w.backward) for w in moving if w.backward]
    worst = max(moving, key=lambda w: (rank.index(w.verdict), w.error), default=None)
    suspicion = ""
    if worst and worst.verdict is Verdict.FAIL and len(findings) == np.prod(shape):
        both = [np.reshape([getattr(w, key) for w in findings], shape) for key in ("backward", "reference")]
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
        decided={way: sum([w.by == way for w in findings]) for way in dict.fromkeys([w.by for w in findings])},
        agreement=max([w.error for w in findings if w.verdict is Verdict.PASS], default=0.0),
    )
