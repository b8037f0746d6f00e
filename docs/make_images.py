"""Draw the pictures and compute the tables and outputs that stand in the READMEs and the docs.

``python docs/make_images.py`` makes all of them, which takes some minutes; ``python docs/make_images.py chain …`` these
only. With ``--into FOLDER`` they go there, as ``NAME.svg`` and ``NAME.md``, and the docs stay as they are.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

from pictures import depth, gallery, guides, house, mutants, page, step

import tinygrad_vg as vg

DOCS = Path(__file__).resolve().parent


def chain() -> str:
    """The backprop graph of four neurons in a row."""
    made = vg.lab.neuron_chain()
    return vg.draw(made.cost, wrt=made.b[0]).to_svg()


def examples() -> list[str]:
    """What the Python of the page prints."""
    return page.printed(PAGE.read_text(encoding="utf-8"))


PAGE = DOCS / "checking.md"
PICTURES: dict[str, Callable[[], str]] = {
    "chain": chain,
    "house": house.picture,
    "checking-step": step.picture,
    "checking-depth": depth.picture,
    "checking-alarms": depth.alarms_picture,
    **gallery.PICTURES,
    **guides.PICTURES,
}
TABLES: dict[str, Callable[[], str]] = {
    "step-table": step.table,
    "depth-table": depth.table,
    "faults-table": depth.faults_table,
    "mutants-table": mutants.table,
}
NAMES = [*PICTURES, *TABLES, "examples", "guides"]


def make(name: str, into: Path | None) -> None:
    """Make one of `NAMES`."""
    if name in PICTURES:
        (into or DOCS / "images").joinpath(f"{name}.svg").write_text(PICTURES[name](), encoding="utf-8", newline="\n")
        return
    if name == "guides":
        guides.fill(guides.PAGES if into is None else [])
        return
    tables = {name: TABLES[name]()} if name in TABLES else {}
    outputs = examples() if name == "examples" else None
    if into is not None:
        text = tables.get(name) or "\n".join(outputs or [])
        (into / f"{name}.md").write_text(text + "\n", encoding="utf-8", newline="\n")
        return
    PAGE.write_text(page.filled(PAGE.read_text(encoding="utf-8"), tables, outputs), encoding="utf-8", newline="\n")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(NAMES)}; default: all of them")
    parser.add_argument("--into", type=Path, metavar="FOLDER", help="where they go instead")
    given = parser.parse_args()
    unknown = set(given.names) - set(NAMES)
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    if given.into is not None:
        given.into.mkdir(parents=True, exist_ok=True)
    for name in given.names or NAMES:
        print(name, flush=True)
        make(name, given.into)


if __name__ == "__main__":
    main()
