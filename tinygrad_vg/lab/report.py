"""The report on a reproduction: every claim with the book's number, ours and the verdict, as a page and as Markdown."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np

from tinygrad_vg.drawing.layout import write_atomically
from tinygrad_vg.drawing.page import Section, code, page, paragraph, plot, table
from tinygrad_vg.lab.reproduction import Outcome
from tinygrad_vg.lab.results import Table

__all__ = ["lead", "overview", "summary", "unsettled", "write_report"]

TITLE = "Why deep networks are hard to train: every claim, measured"
QUICK = " This was a quick run, with few seeds and on the embedded digits; a full one decides more."
HEADS = ("claim", "book", "measured", "over", "verdict", "experiment")


def summary(outcomes: Sequence[Outcome]) -> Table:
    """All claims of all experiments in one table."""
    rows = []
    for outcome in outcomes:
        if outcome.error:
            rows.append((f"({outcome.name} failed)", "", outcome.error, "", "not run", outcome.name))
        for c in outcome.result.get("claims", ()):
            rows.append((c["says"], c["book"] or "—", c["measured"], c["runs"], c["verdict"], outcome.name))
    return Table.of(HEADS, rows)


def overview(outcomes: Sequence[Outcome]) -> Table:
    """How many claims each experiment has, what becomes of them, and how long it took."""
    heads = ("experiment", "claims", "hold", "do not hold", "undecided", "seconds")
    lines = [(o.name, [c["verdict"] for c in o.result.get("claims", ())], o.seconds, bool(o.error)) for o in outcomes]
    if len(lines) > 1:
        lines.append(
            ("all", [word for _, words, *_ in lines for word in words], sum([o.seconds for o in outcomes]), False)
        )
    rows = [
        (name, *(["failed"] + [""] * 3 if failed else [len(words), *map(words.count, _WORDS)]), f"{seconds:.0f}")
        for name, words, seconds, failed in lines
    ]
    return Table.of(heads, rows)


def unsettled(outcomes: Sequence[Outcome], verdict: str) -> list[str]:
    """The claims with a verdict, a line each: ``experiment: claim: measured``."""
    return [
        f"{outcome.name}: {c['says']}: {c['measured']}"
        for outcome in outcomes
        for c in outcome.result.get("claims", ())
        if c["verdict"] == verdict
    ]


def lead(outcomes: Sequence[Outcome]) -> str:
    """How many claims hold, in a sentence."""
    words = [c["verdict"] for outcome in outcomes for c in outcome.result.get("claims", ())]
    counted = [f"{n} {told[n != 1]}" for word, told in _WORDS.items() if (n := words.count(word))]
    failed = [outcome.name for outcome in outcomes if outcome.error]
    of = f"Of {len(words)} claim{'s' * (len(words) != 1)}"
    text = f"{of} about chapter 5 of Nielsen's book, {', '.join(counted) or 'none was measured'}."
    return text + (f" Not run, because of an error: {', '.join(failed)}." if failed else "")


_WORDS = {
    "holds": ("holds", "hold"),
    "does not hold": ("does not hold as stated", "do not hold as stated"),
    "undecided": ("could not be decided", "could not be decided"),
}
"""What is said of one claim, and of several."""


def command(outcome: Outcome) -> str:
    """The command that makes one experiment alone."""
    seeds = outcome.record["seeds"]
    options = ["--quick"] * outcome.record["quick"] + [f"--seeds {seeds}"] * (seeds is not None)
    return " ".join(["tinygrad-vg reproduce", *options, "--only", outcome.name])


def machine() -> str:
    """What it was run on, as far as numbers may depend on it."""
    return (
        f"Python {platform.python_version()}, NumPy {np.__version__}, {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} cores, one BLAS thread an experiment"
    )


def write_report(folder: str | Path, outcomes: Sequence[Outcome]) -> Path:
    """Write ``index.html`` and ``report.md`` into the folder of a reproduction.

    Parameters
    ----------
    folder : path
        Where `reproduce` has put its files.
    outcomes : sequence of Outcome

    Returns
    -------
    Path
        Of the page.
    """
    folder = Path(folder)
    sections = [Section("All claims", [table(HEADS, summary(outcomes).rows, words=True)])]
    sections += [_section(folder, outcome) for outcome in outcomes]
    total = sum([outcome.seconds for outcome in outcomes])
    footer = f"{machine()}; {total / 60:.1f} minutes of computing. MNIST: Yann LeCun and Corinna Cortes, CC BY-SA 3.0."
    said = lead(outcomes) + (QUICK if any([outcome.record["quick"] for outcome in outcomes]) else "")
    html = page(lang="en", title=TITLE, lead=said, sections=sections, footer=footer)
    write_atomically(folder / "report.md", _markdown(folder, outcomes, said, footer).encode())
    write_atomically(folder / "index.html", html.encode())
    return folder / "index.html"


def _section(folder: Path, outcome: Outcome) -> Section:
    """One experiment: its claims, its pictures, its tables, and how to run it alone."""
    if outcome.error:
        return Section(outcome.name, [paragraph(f"It failed: {outcome.error}", "warn"), code(command(outcome))])
    claims = [(c["says"], c["book"] or "—", c["measured"], c["runs"], c["verdict"]) for c in outcome.result["claims"]]
    parts = [table(HEADS[:-1], claims, words=True)]
    parts += [plot(path.read_text(encoding="utf-8")) for path in _pictures(folder, outcome.name)]
    for found in outcome.result["tables"]:
        words = f"<h3>{escape(found['title'])}</h3>" if found["title"] else ""
        parts.append(words + table(found["heads"], found["rows"]))
    return Section(outcome.result["title"], [*parts, code(command(outcome))])


def _pictures(folder: Path, name: str) -> list[Path]:
    return [folder / f"{name}.svg", *sorted(folder.glob(f"{name}-*.svg"))]


def _markdown(folder: Path, outcomes: Sequence[Outcome], said: str, footer: str) -> str:
    parts = [f"# {TITLE}", said, "## All claims", summary(outcomes).markdown()]
    for outcome in outcomes:
        if outcome.error:
            parts += [f"## {outcome.name}", f"It failed: {outcome.error}"]
            continue
        parts.append(f"## {outcome.result['title']}")
        parts += [f"![{outcome.result['title']}]({path.name})" for path in _pictures(folder, outcome.name)]
        parts += [Table.of(t["heads"], t["rows"], t["title"]).markdown() for t in outcome.result["tables"]]
        parts.append(f"    {command(outcome)}")
    return "\n\n".join([*parts, footer]) + "\n"
