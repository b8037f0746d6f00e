"""Pictures drawn by hand: shapes and texts at given places, written as SVG.

Only what `raster.py` can read is written: absolute M, L, C and Z in paths, circles, texts, groups. Colours are those of
one palette, so that `theme.dark_css` can swap them; whatever a user named goes through `one_line` and is escaped here.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import escape

from tinygrad_vg.drawing.formula import shown
from tinygrad_vg.drawing.layout import printable
from tinygrad_vg.drawing.theme import Palette

__all__ = ["Sketch", "fit", "one_line", "text_width"]

_NARROW = frozenset("ijl.,:;|'!()[]{}ft/I ·′₀₁₂₃₄₅₆₇₈₉")
_WIDE = frozenset("mwMW@%…")


def num(x: float) -> str:
    """A coordinate, to a hundredth."""
    text = f"{x:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def one_line(name: str) -> str:
    """A user's name as it is drawn, in one line."""
    return shown(name).replace("\n", "␊")


def text_width(words: str, size: float, *, bold: bool = False) -> float:
    """How wide a text is at most in Verdana or the fonts that stand in for it; nothing measures it here.

    Examples
    --------
    >>> text_width("abc", 10) < text_width("ABC", 10) < text_width("权重层", 10)
    True
    """
    ems = 0.0
    for c in words:
        if unicodedata.combining(c):
            continue
        upper = c.isupper() or not c.isalnum()
        wide = c in _WIDE or unicodedata.east_asian_width(c) in "WF"
        ems += 1.2 if "␀" <= c <= "␡" else 1.03 if wide else 0.45 if c in _NARROW else 0.82 if upper else 0.65
    return ems * size * (1.12 if bold else 1.0)


def fit(words: str, size: float, width: float, *, bold: bool = False) -> str:
    """The text, or as much of it as has room, with an ellipsis."""
    if text_width(words, size, bold=bold) <= width:
        return words
    while words and text_width(words + "…", size, bold=bold) > width:
        words = words[:-1].rstrip()
    return words + "…"


class Sketch:
    """Shapes and texts, in the order in which they are painted.

    Parameters
    ----------
    colours : Palette
        Of the theme it is drawn in.

    Attributes
    ----------
    colours
        The same.
    """

    def __init__(self, colours: Palette) -> None:
        self.colours = colours
        self._lines: list[str] = []

    def path(
        self,
        d: str,
        *,
        stroke: str = "none",
        width: float = 1.0,
        fill: str = "none",
        kind: str = "",
        dashed: bool = False,
    ) -> None:
        """A path; `d` has absolute M, L, C and Z only."""
        style = f' stroke-width="{num(width)}"' if stroke != "none" and width != 1 else ""
        style += ' stroke-dasharray="4,3"' if dashed else ""
        self._lines.append(f'<path{_class(kind)} fill="{fill}" stroke="{stroke}"{style} d="{d}"/>')

    def line(self, points: Sequence[tuple[float, float]], *, stroke: str, width: float = 1.0, kind: str = "") -> None:
        """Straight lines from point to point."""
        self.lines([points], stroke=stroke, width=width, kind=kind)

    def lines(
        self, branches: Sequence[Sequence[tuple[float, float]]], *, stroke: str, width: float = 1.0, kind: str = ""
    ) -> None:
        """Several of them as one path, so that what they share is painted once."""
        d = "".join(["M" + "L".join([f"{num(x)},{num(y)}" for x, y in points]) for points in branches])
        self.path(d, stroke=stroke, width=width, kind=kind)

    def rect(self, x: float, y: float, width: float, height: float, *, fill: str, kind: str = "") -> None:
        """A filled rectangle."""
        right, low = num(x + width), num(y + height)
        self.path(f"M{num(x)},{num(y)}L{right},{num(y)}L{right},{low}L{num(x)},{low}Z", fill=fill, kind=kind)

    def circle(
        self, x: float, y: float, r: float, *, fill: str, stroke: str = "none", width: float = 1.0, kind: str = ""
    ) -> None:
        """A circle."""
        style = f' stroke-width="{num(width)}"' if stroke != "none" and width != 1 else ""
        self._lines.append(
            f'<circle{_class(kind)} cx="{num(x)}" cy="{num(y)}" r="{num(r)}" fill="{fill}" stroke="{stroke}"{style}/>'
        )

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        size: float = 10.0,
        colour: str = "",
        anchor: str = "middle",
        bold: bool = False,
        kind: str = "",
    ) -> None:
        """A line of text on the baseline y; `anchor` is start, middle or end."""
        weight = ' font-weight="bold"' * bold
        self._lines.append(
            f'<text{_class(kind)} x="{num(x)}" y="{num(y)}" text-anchor="{anchor}" font-size="{num(size)}"{weight} '
            f'fill="{colour or self.colours.ink}">{escape(printable(words))}</text>'
        )

    @contextmanager
    def group(self, kind: str, *, tip: str = "") -> Iterator[None]:
        """What is drawn inside belongs together; `tip` is its tooltip."""
        link = f'<a xlink:title="{escape(printable(tip))}">' if tip else ""
        self._lines.append(f"<g{_class(kind)}>{link}")
        yield
        self._lines.append(f"{'</a>' if tip else ''}</g>")

    def svg(self, width: float, height: float) -> str:
        """The whole picture on an opaque page, not finished yet."""
        w, h = num(width), num(height)
        return (
            f'<svg width="{w}pt" height="{h}pt" viewBox="0 0 {w} {h}" xmlns="http://www.w3.org/2000/svg" '
            f'xmlns:xlink="http://www.w3.org/1999/xlink">\n'
            f'<path fill="{self.colours.page}" stroke="none" d="M0,0L{w},0L{w},{h}L0,{h}Z"/>\n'
            + "\n".join(self._lines)
            + "\n</svg>\n"
        )


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""
