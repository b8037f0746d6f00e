"""What the experiments' pictures share."""

from __future__ import annotations

from typing import Any

__all__ = ["book_mark", "name_curve"]


def name_curve(axes: Any, x: float, y: float, words: str, *, dy: float = 0.0) -> None:
    """Write what a curve is at its end, in the colour of text: the palette's colours are too faint for that."""
    axes.annotate(words, (x, y), (8, dy), textcoords="offset points", va="center", fontsize=9)


def book_mark(axes: Any, x: Any, y: Any, label: str = "book") -> None:
    """Mark numbers of the book with crosses that stand out on every curve."""
    from matplotlib import rcParams

    ink = rcParams["text.color"]
    axes.plot(x, y, linestyle="none", marker="x", markersize=8, markeredgewidth=2, color=ink, label=label, zorder=5)
