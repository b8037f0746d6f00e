"""From the SVG of this room to PNG and PDF, through matplotlib: no other program is needed.

It reads the SVG that `sketch.py` and Graphviz write (paths with absolute M, L, C and Z, polygons, polylines, ellipses,
circles, texts, groups that are moved) and nothing else; what it does not know is an error, never left out in silence.
"""

from __future__ import annotations

import io
import re
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["Sheet", "rasterise"]

_FONTS = ("DejaVu Sans", "Noto Sans CJK SC", "Noto Sans SC", "PingFang SC", "Microsoft YaHei", "WenQuanYi Micro Hei")
_SIDES: dict[str, Any] = {"start": "left", "middle": "center", "end": "right"}
_SKIPPED = frozenset(["title", "desc", "style", "defs"])

Shift = tuple[float, float]


class Sheet:
    """An SVG as a matplotlib figure, parts of which can be hidden.

    Parameters
    ----------
    svg : str
        Its unit is a point.

    Attributes
    ----------
    figure : matplotlib.figure.Figure
        As large as the SVG.

    Raises
    ------
    ValueError
        For elements or path commands that neither `sketch.py` nor Graphviz writes.
    """

    def __init__(self, svg: str) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        root = ET.fromstring(svg)
        width, height = map(float, root.attrib["viewBox"].split()[2:])
        self.figure = Figure(figsize=(width / 72, height / 72), dpi=72, frameon=False)
        FigureCanvasAgg(self.figure)
        self._axes = self.figure.add_axes((0, 0, 1, 1))
        self._axes.set(xlim=(0, width), ylim=(height, 0))
        self._axes.axis("off")
        self._fonts = _installed()
        self._drawn: list[tuple[Any, tuple[str, ...]]] = []
        for element, classes, shift in _walk(root):
            for artist in self._artists(element, shift):
                artist.set(zorder=len(self._drawn), clip_on=False)
                self._axes.add_artist(artist)
                self._drawn.append((artist, classes))

    def show(self, wanted: Callable[[tuple[str, ...]], bool]) -> None:
        """Show the elements of whose classes, their own and those of the groups around them, `wanted` is true."""
        for artist, classes in self._drawn:
            artist.set_visible(wanted(classes))

    def save(self, format: str, dpi: float) -> bytes:
        """As PNG or PDF, the same bytes each time."""
        stamps = {"png": ["Software"], "pdf": ["Creator", "Producer", "CreationDate"]}[format]
        out = io.BytesIO()
        with _quiet():
            self.figure.savefig(out, format=format, dpi=dpi, metadata=dict.fromkeys(stamps))
        return out.getvalue()

    def pixels(self, dpi: float) -> Any:
        """As an array of shape (height, width, 3), uint8."""
        import numpy as np

        self.figure.set_dpi(dpi)
        with _quiet():
            self.figure.canvas.draw()
        canvas: Any = self.figure.canvas
        return np.array(canvas.buffer_rgba())[..., :3]

    def _artists(self, element: ET.Element, shift: Shift) -> Iterator[Any]:
        from matplotlib.patches import Ellipse, PathPatch

        tag = _tag(element)
        style = _style(element)
        if tag == "text":
            yield self._text(element, shift)
        elif tag in ("path", "polygon", "polyline"):
            d = element.get("d") or "M" + element.attrib["points"].strip().replace(" ", "L")
            yield PathPatch(_path(d + "Z" * (tag == "polygon"), shift), **style)
        elif tag in ("circle", "ellipse"):
            rx, ry = (float(element.get(k) or element.attrib["r"]) for k in ("rx", "ry"))
            middle = float(element.attrib["cx"]) + shift[0], float(element.attrib["cy"]) + shift[1]
            yield Ellipse(middle, 2 * rx, 2 * ry, **style)
        elif tag not in ("svg", "g", "a"):
            raise ValueError(f"raster: <{tag}> is not one of the elements of these pictures")

    def _text(self, element: ET.Element, shift: Shift) -> Any:
        from matplotlib.text import Text

        return Text(
            float(element.attrib["x"]) + shift[0],
            float(element.attrib["y"]) + shift[1],
            "".join(element.itertext()),
            fontsize=float(element.attrib["font-size"]),
            fontfamily=self._fonts,
            fontweight=element.get("font-weight", "normal"),
            color=element.get("fill", "#000000"),
            horizontalalignment=_SIDES[element.get("text-anchor", "start")],
            verticalalignment="baseline",
            parse_math=False,  # a name may hold dollar signs
        )


def rasterise(svg: str, format: str, *, dpi: float = 144.0) -> bytes:
    """An SVG as ``png`` or ``pdf``.

    Parameters
    ----------
    svg : str
        As `Sketch.svg` wrote it.
    format : {"png", "pdf"}
    dpi : float
        Pixels per inch of a PNG.
    """
    return Sheet(svg).save(format, dpi)


# ------------------------------------------------------------------------------------------------------- reading SVG


def _tag(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _walk(root: ET.Element) -> Iterator[tuple[ET.Element, tuple[str, ...], Shift]]:
    """Every element to be painted, in order, with its classes and how far it is moved."""
    stack: list[tuple[ET.Element, tuple[str, ...], Shift]] = [(root, (), (0.0, 0.0))]
    while stack:
        element, classes, shift = stack.pop()
        if _tag(element) in _SKIPPED:
            continue
        classes += tuple(element.get("class", "").split())
        shift = _moved(element.get("transform", ""), shift)
        yield element, classes, shift
        if _tag(element) != "text":
            stack += [(child, classes, shift) for child in reversed(element)]


def _moved(transform: str, shift: Shift) -> Shift:
    if not transform:
        return shift
    match = re.fullmatch(r"(?:scale\(1 1\) rotate\(0\) )?translate\(([-\d.]+)[ ,]+([-\d.]+)\)", transform)
    if match is None:
        raise ValueError(f"raster: these pictures are only moved, not transformed by {transform!r}")
    return shift[0] + float(match[1]), shift[1] + float(match[2])


def _style(element: ET.Element) -> dict[str, Any]:
    """Fill and stroke, as matplotlib calls them."""
    fill, stroke = element.get("fill", "#000000"), element.get("stroke", "none")
    width = float(element.get("stroke-width", "1")) if stroke not in ("none", "transparent") else 0.0
    dashes = [float(n) / width for n in element.get("stroke-dasharray", "").split(",") if n and width]
    return {
        "facecolor": "none" if fill == "transparent" else fill,
        "edgecolor": "none" if stroke == "transparent" else stroke,
        "linewidth": width,
        "linestyle": (0, dashes) if dashes else "solid",
        "capstyle": "butt",
        "joinstyle": "miter",
    }


_CORNERS = {"M": 1, "L": 1, "C": 3, "Z": 0}


def _path(d: str, shift: Shift) -> Any:
    from matplotlib.path import Path

    codes: list[int] = []
    corners: list[tuple[float, float]] = []
    for command, numbers in re.findall(r"([A-Za-z])([^A-Za-z]*)", d):
        if command not in _CORNERS:
            raise ValueError(f"raster: the path command {command!r} is none of M, L, C, Z")
        found = [float(n) for n in re.findall(r"-?[\d.]+(?:e-?\d+)?", numbers)]
        points = [(x + shift[0], y + shift[1]) for x, y in zip(found[::2], found[1::2], strict=True)]
        code = {"M": Path.MOVETO, "L": Path.LINETO, "C": Path.CURVE4, "Z": Path.CLOSEPOLY}[command]
        codes += [int(code)] * len(points) if points else [int(code)]
        corners += points or [corners[0]]
    return Path(corners, codes)


# ------------------------------------------------------------------------------------------------------------- fonts


def _installed() -> list[str]:
    """The fonts of this machine that can draw the texts: the one matplotlib brings, then one for Chinese if any."""
    from matplotlib import font_manager

    known = set(font_manager.get_font_names())
    return [name for name in _FONTS if name in known] or ["sans-serif"]


@contextmanager
def _quiet() -> Iterator[None]:
    """No warning for a character that no font here has: a box is drawn for it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield
