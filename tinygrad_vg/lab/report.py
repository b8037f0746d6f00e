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

__all__ = ["summary", "write_report"]

TITLE = "Why deep networks are hard to train: every claim, measured"
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


def lead(outcomes: Sequence[Outcome]) -> str:
    """How many claims hold, in a sentence."""
    words = [c["verdict"] for outcome in outcomes for c in outcome.result.get("claims", ())]
    counted = [f"{words.count(word)} {told}" for word, told in _WORDS.items() if word in words]
    failed = [outcome.name for outcome in outcomes if outcome.error]
    text = f"Of {len(words)} claims about chapter 5 of Nielsen's book, {', '.join(counted) or 'none was measured'}."
    return text + (f" Not run, because of an error: {', '.join(failed)}." if failed else "")


_WORDS = {"holds": "hold", "does not hold": "do not hold as stated", "undecided": "could not be decided"}


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
    html = page(lang="en", title=TITLE, lead=lead(outcomes), sections=sections, footer=footer)
    write_atomically(folder / "report.md", _markdown(outcomes, footer).encode())
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


def _markdown(outcomes: Sequence[Outcome], footer: str) -> str:
    parts = [f"# {TITLE}", lead(outcomes), "## All claims", summary(outcomes).markdown()]
    for outcome in outcomes:
        if outcome.error:
            parts += [f"## {outcome.name}", f"It failed: {outcome.error}"]
            continue
        parts.append(f"## {outcome.result['title']}")
        parts.append(f"![{outcome.result['title']}]({outcome.name}.svg)")
        parts += [Table.of(t["heads"], t["rows"], t["title"]).markdown() for t in outcome.result["tables"]]
        parts.append(f"    {command(outcome)}")
    return "\n\n".join([*parts, footer]) + "\n"
