"""What a gradient check found: verdicts, findings and reports."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from html import escape
from typing import Any

import numpy as np

from tinygrad_vg.gradcheck.complex_step import AGREEMENT

__all__ = ["HEADINGS", "Finding", "GradientMismatch", "GradientReport", "InputReport", "Verdict"]


class Verdict(StrEnum):
    """What a check says of one element."""

    PASS = "pass"
    ZERO = "zero"  # exactly 0, and the function does not move at all
    UNRESOLVED = "unresolved"  # no contradiction, but the finite difference is too inexact to tell
    KINK = "kink"  # the slopes on the left and on the right differ, and backward lies between them
    FAIL = "fail"


ROWS = 40  # of the table, in texts
TOLD = 12  # findings in full
_FAILED = ' style="background: #d55e0022; font-weight: bold"'
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
    complex_step
        The derivative by the complex step, where it was asked for and is to be trusted.
    by
        What decided: ``finite difference``, ``complex step`` or ``node certificate``.
    """

    index: tuple[int, ...]
    backward: float
    numerical: float
    bound: float
    error: float
    verdict: Verdict
    tolerance: float = 0.0
    slopes: tuple[float, float] | None = None
    complex_step: float | None = None
    by: str = "finite difference"

    @property
    def reference(self) -> float:
        """What backward's gradient was compared with."""
        return self.complex_step if self.by == "complex step" and self.complex_step is not None else self.numerical


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
    direction
        The derivative along one random direction of all elements against the complex step, if f is analytic.
    decided
        How many elements each way of checking decided: finite difference, complex step, node certificate.
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
    direction: Finding | None = None
    decided: dict[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        agreed = self.direction is None or self.direction.verdict is not Verdict.FAIL
        return agreed and self.counts[Verdict.PASS] + self.counts[Verdict.ZERO] == self.checked

    @property
    def failed(self) -> bool:
        """Whether something contradicts backward here."""
        return self.counts[Verdict.FAIL] > 0 or (self.direction is not None and self.direction.verdict is Verdict.FAIL)

    @property
    def decades(self) -> float:
        """How many powers of ten |gradient| ranges over, exact zeros aside."""
        return math.log10(self.largest) - math.log10(self.smallest) if self.smallest else 0.0

    @property
    def size(self) -> int:
        """Number of elements of the input."""
        return int(np.prod(self.shape))


@dataclass(frozen=True, repr=False)
class GradientReport:
    """The result of a gradient check: true iff every element that was checked passes.

    Attributes
    ----------
    inputs
        One `InputReport` an input; in a node certificate, one an argument of a node.
    seed
        Of the random cotangent and of the sample of elements; the same seed repeats the check.
    order
        Of the derivative.
    faults
        In a node certificate, what is wrong with the wiring.
    notes
        In a node certificate, what was not checked in full.
    cuts
        In a node certificate, where an op without a rule ends the gradient, which no check of nodes can judge.
    call
        The line that repeats the check.
    culprit
        Where it fails, the node that is to blame, according to the node certificate.
    """

    inputs: tuple[InputReport, ...]
    seed: int
    order: int = 1
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    cuts: tuple[str, ...] = ()
    call: str = ""
    culprit: str = ""

    def __bool__(self) -> bool:
        return not self.faults and all([bool(report) for report in self.inputs])

    @property
    def failed(self) -> bool:
        """Whether something contradicts backward, more than just staying unresolved."""
        return bool(self.faults) or any([r.failed for r in self.inputs])

    @property
    def conclusion(self) -> str:
        """``agree with``, ``DISAGREE with``, or ``are not all resolved by``."""
        if not any([r.checked for r in self.inputs]):
            return "without a single element need no"
        return "agree with" if self else "DISAGREE with" if self.failed else "are not all resolved by"

    @property
    def references(self) -> str:
        """What backward was compared with, and where several ways were needed, how many elements each decided."""
        counts: dict[str, int] = {}
        for r in self.inputs:
            for way, n in r.decided.items():
                counts[way] = counts.get(way, 0) + n
        if not counts.keys() - {"finite difference"}:
            return "finite differences"
        return ", ".join([f"{way}s ({n:,})" for way, n in counts.items()])

    def rows(self) -> Iterator[tuple[str, ...]]:
        """The table of the report, a tuple of texts an input, in the order of `HEADINGS`."""
        yield from map(_row, self.inputs)

    def lines(self) -> Iterator[str]:
        """What is to be said below the table: the conclusion, each input that does not pass, how to repeat it."""
        yield f"gradients {self.conclusion} {self.references} (order {self.order}, relative errors, seed {self.seed})"
        for r in [r for r in self.inputs if not r][:TOLD]:
            yield from _told(r)
        more = sum([not r for r in self.inputs]) - TOLD
        if more > 0:
            yield f"and {more:,} more that do not pass"
        yield from [f"WIRING {fault}" for fault in self.faults]
        yield from [f"Culprit: {self.culprit}"] if self.culprit else []
        yield from [f"Note: {note}" for note in (*self.notes, *self.cuts)]
        yield from [f"Repeat: {self.call}"] if self.call and not self else []

    def __str__(self) -> str:
        table = [HEADINGS, *map(_row, self._shown())]
        widths = [max([len(row[i]) for row in table]) for i in range(len(HEADINGS))]
        lines = ["  ".join([cell.ljust(w) for cell, w in zip(row, widths, strict=True)]).rstrip() for row in table]
        left_out = len(self.inputs) - len(table) + 1
        lines += [f"… and {left_out:,} more; what does not pass comes first"] if left_out else []
        return "\n".join([*lines, *self.lines()])

    __repr__ = __str__  # at a prompt, too

    def _shown(self) -> list[InputReport]:
        """All inputs, or the most interesting of many."""
        return list(self.inputs) if len(self.inputs) <= ROWS else sorted(self.inputs, key=bool)[:ROWS]

    def _repr_html_(self) -> str:
        """The same as a table, for notebooks; colours only repeat what the words say."""
        colour = "#009e73" if self else "#d55e00"
        head = "".join([f"<th>{escape(word)}</th>" for word in HEADINGS])
        body = ""
        for r in self._shown():
            cells = "".join([f"<td>{escape(cell)}</td>" for cell in _row(r)])
            body += f"<tr{'' if r else _FAILED}>{cells}</tr>"
        lines = "".join([f"<div>{escape(line)}</div>" for line in self.lines()])
        return (
            f'<div style="border-left: 4px solid {colour}; padding-left: 0.6em"><table><thead><tr>{head}</tr></thead>'
            f"<tbody>{body}</tbody></table>{lines}</div>"
        )

    def to_dict(self) -> dict[str, Any]:
        """Everything in the report as plain dictionaries, lists, numbers and texts."""
        return {"passed": bool(self), **asdict(self)}


def _row(r: InputReport) -> tuple[str, ...]:
    checked = f"{r.checked:,}/{r.size:,}"
    counts = [f"{r.counts[v]:,}" for v in Verdict]
    spread = f"{r.smallest:.1e} … {r.largest:.1e}" if r.largest else "0"
    spread += f", {r.decades:.0f} decades" if r.decades >= 1.5 else ""
    error, bound = (f"{r.worst.error:.1e}", _bound(r.worst)) if r.worst else ("—", "—")
    return r.name, "×".join(map(str, r.shape)) or "()", checked, *counts, spread, error, bound


def _told(r: InputReport) -> Iterator[str]:
    """What is wrong with one input."""
    if r.worst and r.worst.verdict not in (Verdict.PASS, Verdict.ZERO):
        yield _finding(r.worst, f"{r.name}[{', '.join(map(str, r.worst.index))}]" if r.worst.index else r.name)
    if r.direction and r.direction.verdict is Verdict.FAIL:
        yield _finding(r.direction, f"{r.name} along a random direction")
    if r.counts[Verdict.KINK]:
        yield "     a kink passes with kinks=True if the gradient lies between the two slopes"
    yield from [f"     {r.name}: {r.hint}"] if r.hint else []
    yield from [f"     path: {r.path}"] if r.path else []


def _finding(w: Finding, where: str) -> str:
    text = f"{w.verdict.upper()} {where}: backward {w.backward:.10e}"
    if not math.isnan(w.numerical):
        text += f", finite difference {w.numerical:.10e} ± {w.bound:.1e}"
    if w.complex_step is not None:
        text += f", complex step {w.complex_step:.10e}"
    text += f", accepted difference {w.tolerance:.1e}"
    return text + (f", slopes {w.slopes[0]:.4e} on the left and {w.slopes[1]:.4e} on the right" if w.slopes else "")


def _bound(w: Finding) -> str:
    """How exactly the reference was known, relatively."""
    if w.by == "node certificate" or w.slopes:
        return "—"  # one for every node; an interval
    size = max(abs(w.backward), abs(w.reference))
    return f"{(AGREEMENT if w.by == 'complex step' else w.bound / size if size else 0.0):.1e}"


class GradientMismatch(AssertionError):
    """A gradient check that did not pass; the findings are in ``.report``."""

    def __init__(self, report: GradientReport) -> None:
        super().__init__(str(report))
        self.report = report
