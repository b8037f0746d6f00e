"""Plots beside the graphs: matplotlib figures as SVG that follows the reader's light or dark page."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tinygrad_vg.drawing.layout import finish_svg

__all__ = ["PALETTE", "figure_to_svg", "plot_style"]

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")  # Okabe and Ito's, those with contrast 3:1 on light and dark
_INK = "#010203"  # stands for "the colour of text here" until the SVG is written
_CSS = """
:scope { color: #1b2631; background: #ffffff; }
@media (prefers-color-scheme: dark) { :scope { color: #dde5ea; background: #11191f; } }
"""


@contextmanager
def plot_style() -> Iterator[None]:
    """The look of all plots; make the figure inside."""
    import matplotlib as mpl
    from cycler import cycler

    ink = dict.fromkeys(["text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"], _INK)
    style: Any = {
        **ink,
        "axes.prop_cycle": cycler(color=PALETTE),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.grid.axis": "y",
        "grid.color": _INK,
        "grid.alpha": 0.15,
        "font.size": 10.0,
        "lines.linewidth": 1.8,
        "legend.frameon": False,
        "svg.fonttype": "none",  # text stays text: it can be found, read aloud, and drawn with a Chinese font
        "svg.hashsalt": "tinygrad_vg",
        "figure.facecolor": "none",
        "axes.facecolor": "none",
        "savefig.facecolor": "none",
    }
    with mpl.rc_context(style):
        yield


def figure_to_svg(figure: Any, *, title: str, description: str) -> str:
    """A figure made inside `plot_style` as one self-contained ``<svg>`` element, the same bytes for the same figure.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    title, description : str
        For readers who cannot see it; the description states the finding.
    """
    out = io.StringIO()
    with warnings.catch_warnings(), plot_style():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # the reader's fonts draw the text
        figure.savefig(
            out, format="svg", metadata=dict.fromkeys(["Date", "Creator", "Format", "Type"]), bbox_inches="tight"
        )
    svg = finish_svg(out.getvalue(), title=title, description=description, css=_CSS)
    # matplotlib writes fonts and colours into style attributes: let the fonts be the root's, and the ink the page's
    return re.sub(r"font-family: [^;\"]*;?\s?", "", svg).replace(_INK, "currentColor")
