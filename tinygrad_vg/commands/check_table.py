"""``tinygrad-vg check``: what every op must do, over the whole table of derivatives or for single functions."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.text import Text

from tinygrad_vg.commands.screen import GOOD, WEAK, WRONG, say, side_by_side, verdict, waiting
from tinygrad_vg.commands.target import UsageError, near
from tinygrad_vg.gradcheck import check_op
from tinygrad_vg.gradcheck.faults import row_of
from tinygrad_vg.gradcheck.properties import KINKS, PROPERTIES, OpReport
from tinygrad_vg.opcases import table

__all__ = ["SECTIONS", "check_ops", "find", "name_of", "show_failures", "show_op", "show_table"]

FAILURES = 8  # told in full, of each function

# The table is in the order of its subjects; a section begins with the function named here.
SECTIONS = {
    "copy": "arithmetic",
    "exp": "exp and log",
    "sin": "trigonometry",
    "sinh": "hyperbolic",
    "hypot": "pairs and choices",
    "sum": "reductions",
    "reshape": "shape and order",
    "concatenate": "joining and more",
    "__getitem__": "selecting",
    "matmul": "products",
    "log_softmax": "tinygrad_vg's own",
}


def name_of(thing: Callable[..., Any] | OpReport) -> str:
    """What a function of the table is called here."""
    name: str = thing.name if isinstance(thing, OpReport) else thing.__name__
    return name.strip("_")


def find(word: str) -> Callable[..., Any]:
    """The function of the table of this name, ``exp`` or ``np.exp``, or of another name that NumPy has for it.

    Raises
    ------
    UsageError
        If there is none, with names that are near.
    """
    functions = {name_of(f): f for f in table()}
    plain = word.rpartition(".")[2].strip("_")
    if plain in functions:
        return functions[plain]
    alias: object = getattr(np, plain, None)
    for function in functions.values():
        if function is alias:
            return function
    words = near(plain, functions)
    cure = f"did you mean {' or '.join(words)}?" if words else "tinygrad-vg check shows all there are"
    raise UsageError(f"there is no {word!r} in the table of derivatives; {cure}")


def check_ops(
    functions: Sequence[Callable[..., Any]], *, seed: int, order: int = 2, mutants: bool = False, quiet: bool = False
) -> list[OpReport]:
    """Run `check_op` on each, with a progress bar.

    Of several functions only those with rules of their own get mutants: what composites are made of is among them.
    """
    reports = []
    with waiting("", len(functions) if len(functions) > 1 else None, quiet) as tell:
        for done, function in enumerate(functions):
            tell(done, what=name_of(function))
            planted = mutants and (len(functions) == 1 or row_of(function) is not None)
            reports.append(check_op(function, seed=seed, order=order, mutants=planted, raises=False))
    return reports


def kinks_of(report: OpReport) -> int:
    """At how many kinks it was tried."""
    return report.checked.get(KINKS, 0)


def samples_of(report: OpReport) -> int:
    """At how many points the properties were tried."""
    return max([n for name, n in report.checked.items() if name != KINKS], default=0)


def properties_failed(report: OpReport) -> set[str]:
    """Which properties do not hold."""
    return {failure.property for failure in report.failures}


def sections(reports: Sequence[OpReport]) -> Iterator[tuple[str, list[OpReport]]]:
    """The reports under the headings of the table."""
    title, found = "", list[OpReport]()
    for report in reports:
        begins = SECTIONS.get(report.name)
        if begins and found:
            yield title, found
            found = []
        title = begins or title
        found.append(report)
    yield title, found


def _row(title: str, reports: Sequence[OpReport], mutants: bool) -> Text:
    """A subject of the table in one line."""
    wrong = sum([not r for r in reports])
    worst = max([r.worst_error for r in reports])
    counts = f"{sum(map(samples_of, reports)):>9,}{sum(map(kinks_of, reports)):>7}{f'{worst:.0e}' if worst else '0':>8}"
    counts += f"{_noticed(reports):>17}" if mutants else ""
    text = Text(f"{title:<20}", style="bold").append(counts, style="not bold")
    return text.append("   ").append(f"{wrong} FAIL" if wrong else "pass", style=WRONG if wrong else GOOD)


def _noticed(reports: Sequence[OpReport]) -> str:
    killed, missed = sum([r.killed or 0 for r in reports]), sum([len(r.missed) for r in reports])
    return f"{killed:,} of {killed + missed:,}"


def show_table(console: Console, reports: Sequence[OpReport], seconds: float) -> None:
    """Print what was found for the whole table: the functions by subject, and what fails in full."""
    mutants = any([r.killed is not None for r in reports])
    properties = len({p for r in reports for p in r.checked} - {KINKS})
    say(console, f"The table of derivatives: {len(reports)} functions, and {properties} things each of them must do")
    say(console)
    heading = f"{'':<20}{'samples':>9}{'kinks':>7}{'error':>8}{'   faults noticed' if mutants else ''}   verdict"
    say(console, heading, style=WEAK, whole=True)
    for title, found in sections(reports):
        say(console, _row(title, found, mutants))
        names = Text(" ").join([Text(name_of(r), style="" if r else WRONG) for r in found])
        say(console, side_by_side([[names]], indent=2))
    say(console)
    wrong = [r for r in reports if not r]
    for report in wrong:
        show_failures(console, report)
    held = f"{len(wrong)} of {len(reports)} functions FAIL" if wrong else f"All {len(reports)} functions pass"
    samples, kinks = sum(map(samples_of, reports)), sum(map(kinks_of, reports))
    say(
        console,
        f"{held}, at {samples:,} samples and {kinks} kinks (seed {reports[0].seed}, {seconds:.0f} s).",
        style=WRONG if wrong else GOOD,
    )
    worst = max(reports, key=lambda r: r.worst_error)
    say(
        console,
        "error: the largest difference between a derivative, first or second, and its finite difference, relatively; "
        f"it is largest in {name_of(worst)}.",
    )
    if mutants:
        planted = [r for r in reports if r.killed is not None]
        idle = sum([len(r.idle) for r in planted])
        say(
            console,
            f"faults noticed: how many wrong derivatives fail, planted in the {len(planted)} functions with rules of "
            f"their own; {idle:,} more had no effect. Of composites: --op NAME --mutants",
        )
    closer = f"Closer: tinygrad-vg check --op {name_of(wrong[0] if wrong else worst)}"
    say(console, closer + ("" if mutants else "   What do the checks notice? Add --mutants"), style=WEAK, whole=True)


def show_failures(console: Console, report: OpReport) -> None:
    """Print what is wrong with one function."""
    failed = properties_failed(report)
    what = f"{len(failed)} of {len(report.checked)} properties do not hold" if failed else "a fault goes unnoticed"
    say(console, f"FAIL {name_of(report)}: {what}", style=WRONG)
    rows: list[tuple[str, str | Text]] = []
    for failure in report.failures[:FAILURES]:
        rows += [(failure.property, failure.message), ("", Text(f"in {failure.args}", style=WEAK))]
    rows += [("missed", f"{name}: other derivatives, and no property noticed") for name in report.missed[:FAILURES]]
    say(console, side_by_side(rows, indent=5))
    more = len(report.failures[FAILURES:]) + len(report.missed[FAILURES:])
    if more:
        say(console, f"     and {more:,} more, which --json FILE writes down", style=WEAK)
    say(console)


def show_op(console: Console, report: OpReport) -> None:
    """Print what was found for one function: each property, and what it says."""
    failed = properties_failed(report)
    where = f"at {samples_of(report)} samples (kinks: {kinks_of(report)}, seed {report.seed})"
    say(console, f"{name_of(report)}   what an op must do, {where}", style="bold")
    say(console)
    meanings = {p.name: _first_sentence(p.holds) for p in PROPERTIES}
    meanings[KINKS] = "Where there is no derivative, the gradient is the one that was agreed on."
    names = [Text(name, style=WRONG if name in failed else "bold") for name in report.checked]
    say(console, side_by_side([(verdict(n.plain not in failed), n, meanings[n.plain]) for n in names]))
    say(console)
    if not report:
        show_failures(console, report)
    for note in report.notes:
        say(console, f"Not checked: {note}", style=WEAK)
    if report.killed is not None:
        say(console, f"Faults planted in its derivatives: {_noticed([report])} noticed")
        if report.idle:
            say(console, f"  without effect on these samples: {'; '.join(report.idle)}", style=WEAK)
    if report:
        error = f"{report.worst_error:.0e}" if report.worst_error else "0"
        say(
            console,
            f"{name_of(report)} passes; its derivatives are within {error} of their finite differences, relatively",
            style=GOOD,
        )


def _first_sentence(function: Callable[..., Any]) -> str:
    """What a docstring says first."""
    return " ".join((inspect.getdoc(function) or "").partition("\n\n")[0].split())
