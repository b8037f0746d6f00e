"""What a gradient check found: verdicts, findings and reports."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

__all__ = ["Finding", "GradientMismatch", "GradientReport", "InputReport", "Verdict"]


class Verdict(StrEnum):
    """What a check says of one element."""

    PASS = "pass"
    ZERO = "zero"  # exactly 0, and the function does not move at all
    UNRESOLVED = "unresolved"  # no contradiction, but the finite difference is too inexact to tell
    FAIL = "fail"


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
