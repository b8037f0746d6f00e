"""Measure how fast the library is, beside backprop written by hand and other frameworks."""

import argparse
import gc
import json
import sys
from pathlib import Path

from rich.console import Console
from threadpoolctl import threadpool_limits

from . import chain, epochs, machine, memory, startup, stepprofile, steps
from .rows import notes, table

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"

WORKLOADS = {
    "step": steps.rows,
    "epoch": epochs.epoch_rows,
    "chain": chain.rows,
    "memory": memory.rows,
    "startup": startup.rows,
    "chapter": epochs.chapter_rows,
}


def main():
    """What ``python -m tests.benchmarks`` does."""
    given = arguments()
    threadpool_limits(1)
    console = Console(width=None if sys.stdout.isatty() else 120)
    if given.profile:
        for made in stepprofile.tables():
            console.print(made, "")
        return
    (gc.enable if given.gc == "on" else gc.disable)()
    found = []
    for name in given.only or WORKLOADS:
        with console.status(f"measuring: {name}"):
            found += WORKLOADS[name](given.rounds)
    about = machine.described(**{"garbage collector": given.gc, "rounds": given.rounds})
    console.print(table(found), "", *notes(found), machine.sentence(about), sep="\n", soft_wrap=True)
    if given.json:
        data = {"machine": about, "rows": [row.data() for row in found]}
        given.json.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if given.write_docs:
        write_page(found, about)


def write_page(found, about):
    """Put the tables into docs/performance.md."""
    from docs.pictures.page import filled

    said = "\n".join([f"* {note}" for note in notes(found)])
    parts = {
        "comparison": f"{table(found).markdown()}\n\n{said}\n\n{machine.sentence(about)}",
        "profile": "\n\n".join([made.markdown() for made in stepprofile.tables()]),
    }
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), parts), encoding="utf-8")


def arguments():
    """The command line, checked."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", choices=WORKLOADS, help="measure this alone; may be repeated")
    parser.add_argument("--rounds", type=int, default=7, help="medians are taken over so many rounds (7)")
    parser.add_argument("--gc", choices=["on", "off"], default="on", help="Python's garbage collector (on, as usual)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument("--profile", action="store_true", help="instead, show where the time of one step goes")
    parser.add_argument("--write-docs", action="store_true", help=f"put all of it into docs/{PAGE.name}")
    given = parser.parse_args()
    if given.rounds < 1:
        parser.error("--rounds must be at least 1")
    if given.write_docs and given.only:
        parser.error("--write-docs needs everything measured, so it does not go with --only")
    return given
