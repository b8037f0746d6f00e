"""What a gradient check found: verdicts, findings and reports."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np

__all__ = ["HEADINGS", "Finding", "GradientMismatch", "GradientReport", "InputReport", "Verdict"]


class Verdict(StrEnum):
    """What a check says of one element."""

    PASS = "pass"
    ZERO = "zero"  # exactly 0, and the function does not move at all
    UNRESOLVED = "unresolved"  # no contradiction, but the finite difference is too inexact to tell
    KINK = "kink"  # the slopes on the left and on the right differ, and backward lies between them
    FAIL = "fail"


HEADINGS = ("input", "shape", "checked", *[v.value for v in Verdict], "|gradient|", "worst error", "bound")


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found for one element of an input.

    Attributes
    ----------
    index
        Of the element.
    backward, numerical, bound
        Backward's gradient, the finite difference, and the bound of the latter's error.
    error
        Their difference, relative to the larger of the two.
    verdict
        Pass or not.
    tolerance
        The difference that would have been accepted here.
    slopes
        At a kink, the slopes on the left and on the right.
    """

    index: tuple[int, ...]
    backward: float
    numerical: float
    bound: float
    error: float
    verdict: Verdict
    tolerance: float = 0.0
    slopes: tuple[float, float] | None = None


@dataclass(frozen=True)
class InputReport:
    """What the check found for one input.

    Attributes
    ----------
    name, shape
        Of the input.
    checked
        How many elements were checked.
    counts
        Of each verdict.
    worst
        The element with the gravest verdict, and of those the largest relative error.
    smallest, largest
        The range of |gradient|, exact zeros aside.
    hint
        The mistake it looks like, if it fails.
    agreement
        The largest relative error of those that pass.
    path
        In a node certificate, the way from the node to the loss.
    how
        In a node certificate, what was looked at: every element, or directions and which elements.
    """

    name: str
    shape: tuple[int, ...]
    checked: int
    counts: dict[Verdict, int]
    worst: Finding | None
    smallest: float
    largest: float
    hint: str = ""
    agreement: float = 0.0
    path: str = ""
    how: str = ""

    def __bool__(self) -> bool:
        return self.counts[Verdict.PASS] + self.counts[Verdict.ZERO] == self.checked

    @property
    def size(self) -> int:
        """Number of elements of the input."""
        return int(np.prod(self.shape))


@dataclass(frozen=True, repr=False)
class GradientReport:
    """The result of `check_gradients`: true iff every element that was checked passes.

    Attributes
    ----------
    inputs
        One `InputReport` an input.
    seed
        Of the random cotangent and of the sample of elements; the same seed repeats the check.
    faults
        In a node certificate, what is wrong with the wiring.
    notes
        In a node certificate, what was not checked in full.
    """

    inputs: tuple[InputReport, ...]
    seed: int
    order: int = 1
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return not self.faults and all([bool(report) for report in self.inputs])

    @property
    def conclusion(self) -> str:
        """``agree with``, ``DISAGREE with``, or ``are not all resolved by``."""
        if self:
            return "agree with"
        return (
            "DISAGREE with"
            if self.faults or any([r.counts[Verdict.FAIL] for r in self.inputs])
            else "are not all resolved by"
        )

    def rows(self) -> Iterator[tuple[str, ...]]:
        """The table of the report, a tuple of texts an input, in the order of `HEADINGS`."""
        for r in self.inputs:
            checked = f"{r.checked:,}/{r.size:,}"
            counts = [f"{r.counts[v]:,}" for v in Verdict]
            spread = f"{r.smallest:.1e} … {r.largest:.1e}" if r.largest else "0"
            error, bound = (f"{r.worst.error:.1e}", f"{_relative(r.worst):.1e}") if r.worst else ("—", "—")
            yield (r.name, "×".join(map(str, r.shape)) or "()", checked, *counts, spread, error, bound)

    def __str__(self) -> str:
        table = [HEADINGS, *self.rows()]
        widths = [max([len(row[i]) for row in table]) for i in range(len(HEADINGS))]
        lines = ["  ".join([cell.ljust(w) for cell, w in zip(row, widths, strict=True)]).rstrip() for row in table]
        what = f"gradients {self.conclusion} finite differences"
        lines.append(f"{what} (order {self.order}, relative errors, seed {self.seed})")
        for r in self.inputs:
            if not r and r.worst:
                lines.append(_told(r.name, r.worst))
                lines += [f"     {r.name}: {r.hint}"] if r.hint else []
                lines += [f"     path: {r.path}"] if r.path else []
        lines += [f"WIRING {fault}" for fault in self.faults]
        lines += [f"Note: {note}" for note in self.notes]
        return "\n".join(lines)

    __repr__ = __str__  # at a prompt, too

    def to_dict(self) -> dict[str, Any]:
        """Everything in the report as plain dictionaries, lists, numbers and texts."""
        return {"passed": bool(self), **asdict(self)}


def _told(name: str, w: Finding) -> str:
    where = f"{name}[{', '.join(map(str, w.index))}]" if w.index else name
    text = (
        f"{w.verdict.upper()} {where}: backward {w.backward:.10e}, finite difference {w.numerical:.10e} "
        f"± {w.bound:.1e}, accepted difference {w.tolerance:.1e}"
    )
    return text + (f", slopes {w.slopes[0]:.4e} on the left and {w.slopes[1]:.4e} on the right" if w.slopes else "")


def _relative(worst: Finding) -> float:
    size = max(abs(worst.backward), abs(worst.numerical))
    return worst.bound / size if size else 0.0


class GradientMismatch(AssertionError):
    """A gradient check that did not pass; the findings are in ``.report``."""

    def __init__(self, report: GradientReport) -> None:
        super().__init__(str(report))
        self.report = report
