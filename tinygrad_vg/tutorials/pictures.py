"""Pictures of the tutorials: in a notebook they appear below the cell, a script writes them to files."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from tinygrad_vg.drawing.layout import LayoutError, write_atomically
from tinygrad_vg.drawing.plots import figure_to_svg, plot_style
from tinygrad_vg.tutorials.exercises import RECORD
from tinygrad_vg.tutorials.session import NOW

__all__ = ["plot", "show"]

FOLDER = "pictures"


def show(picture: Any, text: str) -> None:
    """Show what `vg.draw` and its kin give.

    Parameters
    ----------
    picture : Graph, Picture or Film
        Anything with ``to_svg()``.
    text : str
        What is to be seen, in a sentence, for those who do not see it.

    Notes
    -----
    A script writes ``pictures/<tutorial>-<number>.svg`` below the current folder and prints where. Where there is no
    Graphviz, the picture is printed as an outline.
    """
    try:
        svg = picture.to_svg()
    except LayoutError:
        print(f"{text}\n{picture}")
        return
    _shown(svg, text)


@contextmanager
def plot(text: str, *, panels: int = 1, width: float = 6.4, height: float = 3.4) -> Iterator[Any]:
    """Plot curves with matplotlib; the picture is shown at the end of the block.

    Parameters
    ----------
    text : str
        What is to be seen, in a sentence, for those who do not see it.
    panels : int
        How many, side by side.
    width, height : float
        Of the whole, in inches.

    Yields
    ------
    Axes or sequence of Axes
        One panel, or all of them.
    """
    from matplotlib.figure import Figure

    with plot_style():
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure.subplots(1, panels)
    _shown(figure_to_svg(figure, title=text, description=text), text)


def _shown(svg: str, text: str) -> None:
    NOW.pictures += 1
    if _in_notebook():
        display = import_module("IPython.display").display  # a notebook has it
        display({"image/svg+xml": svg, "text/plain": text}, raw=True)
    elif RECORD not in os.environ:  # grading looks at answers alone
        path = Path(FOLDER) / f"{NOW.tutorial}-{NOW.pictures}.svg"
        path.parent.mkdir(exist_ok=True)
        write_atomically(path, svg.encode())
        print(f"[{path}: {text}]")


def _in_notebook() -> bool:
    return "IPython" in sys.modules and sys.modules["IPython"].get_ipython() is not None
