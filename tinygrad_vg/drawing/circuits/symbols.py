"""The shapes of logic gates (the distinctive ones of IEEE Std 91), and where their pins are.

A symbol begins at x with room for the second back line of an XOR, and has its middle, where its output is, at y.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tinygrad_vg.drawing.sketching.sketch import Sketch, num

__all__ = ["SHAPES", "Shape", "body_middle", "draw_symbol", "input_x", "output_x", "pin_heights", "shape_of"]


class Shape(NamedTuple):
    """How a kind of gate is drawn.

    Attributes
    ----------
    body
        ``and``, ``or``, ``triangle``, or ``box`` for several gates of different kinds.
    doubled
        Whether there is a second line at the back.
    bubble
        Whether the output is negated.
    head
        Which of the palette's heads fills it.
    """

    body: str
    doubled: bool
    bubble: bool
    head: str


SHAPES = {
    "AND": Shape("and", False, False, "param"),
    "NAND": Shape("and", False, True, "param"),
    "OR": Shape("or", False, False, "act"),
    "NOR": Shape("or", False, True, "act"),
    "XOR": Shape("or", True, False, "pre"),
    "XNOR": Shape("or", True, True, "pre"),
    "NOT": Shape("triangle", False, True, "input"),
    "BUFFER": Shape("triangle", False, False, "input"),
}
BOX = Shape("box", False, False, "input")

WIDTH, HEIGHT = 34.0, 28.0
BACK = 5.0
"""Between the two back lines of an XOR."""
BUBBLE = 3.0
DEEP = 22.0 / 3
"""How far right the control points of an OR's hollow back are."""


def shape_of(kind: str) -> Shape:
    """The shape of a kind of gate; any other word is a box."""
    return SHAPES.get(kind, BOX)


def pin_heights(count: int) -> tuple[float, ...]:
    """The heights of the input pins, from the middle of the gate; more than three stand beside its body."""
    step = 14.0 if count < 3 else 9.0
    return tuple([(i - (count - 1) / 2) * step for i in range(count)])


def output_x(kind: str, x: float) -> float:
    """Where a wire leaves a symbol that begins at x."""
    return x + BACK + WIDTH + 2 * BUBBLE * shape_of(kind).bubble


def input_x(kind: str, x: float, height: float, negated: bool) -> float:
    """Where a wire meets a symbol that begins at x, at a height from its middle."""
    shape = shape_of(kind)
    hollow = max(0.0, 3 * DEEP * (0.25 - (height / HEIGHT) ** 2)) if shape.body == "or" else 0.0
    return x + (0.0 if shape.doubled else BACK) + hollow - 2 * BUBBLE * negated


def body_middle(x: float) -> float:
    """The middle of the body of a symbol that begins at x."""
    return x + BACK + WIDTH / 2


def draw_symbol(
    page: Sketch, kind: str, x: float, y: float, pins: Sequence[float], negated: Sequence[bool], *, stacked: bool
) -> None:
    """Draw a gate.

    Parameters
    ----------
    page : Sketch
    kind : str
        One of `SHAPES`, or anything else for a box.
    x, y : float
        Where it begins, and its middle.
    pins : sequence of float
        Heights of the inputs from the middle, and for each whether it is negated.
    negated : sequence of bool
    stacked : bool
        Whether it stands for several: another one looks out behind it.
    """
    c = page.colours
    if stacked:
        _body(page, kind, x + 3.5, y - 3.5)
    _body(page, kind, x, y)
    shape = shape_of(kind)
    if shape.body in ("and", "or"):
        page.text(x + BACK + (15 if shape.body == "and" else 19), y + 2.8, kind, size=7.5)
    if pins[-1] > HEIGHT / 2:
        back = input_x(kind, x, HEIGHT, False)
        for side in (-1, 1):
            ends = [(back, y + side * HEIGHT / 2), (back, y + side * (pins[-1] + 3))]
            page.line(ends, stroke=c.box, width=1.4, kind="wing")
    for height, bubble in zip(pins, negated, strict=True):
        if bubble:
            _bubble(page, input_x(kind, x, height, True) + BUBBLE, y + height)


def _body(page: Sketch, kind: str, x: float, y: float) -> None:
    c, shape = page.colours, shape_of(kind)
    page.path(_outline(shape.body, x + BACK, y), fill=c.heads[shape.head], stroke=c.box, width=1.4, kind="body")
    if shape.doubled:
        page.path(_hollow_back(x, y), stroke=c.box, width=1.4, kind="back")
    if shape.bubble:
        _bubble(page, x + BACK + WIDTH + BUBBLE, y)


def _bubble(page: Sketch, x: float, y: float) -> None:
    page.circle(x, y, BUBBLE, fill=page.colours.page, stroke=page.colours.box, width=1.4, kind="bubble")


def _outline(body: str, x: float, y: float) -> str:
    """The body as a path: a half circle at the end of a square, a shield, a triangle, or a rectangle."""
    top, low, tip = y - HEIGHT / 2, y + HEIGHT / 2, x + WIDTH
    if body == "and":
        flat, bend = tip - HEIGHT / 2, 0.5523 * HEIGHT / 2  # a quarter of a circle, as near as a cubic comes
        return (
            f"M{_at(x, top)}L{_at(flat, top)}C{_at(flat + bend, top)} {_at(tip, y - bend)} {_at(tip, y)}"
            f"C{_at(tip, y + bend)} {_at(flat + bend, low)} {_at(flat, low)}L{_at(x, low)}Z"
        )
    if body == "or":
        swell = 0.35 * HEIGHT
        return (
            f"M{_at(x, low)}C{_at(x + DEEP, y + HEIGHT / 6)} {_at(x + DEEP, y - HEIGHT / 6)} {_at(x, top)}"
            f"C{_at(x + 17, top)} {_at(x + 26, y - swell)} {_at(tip, y)}"
            f"C{_at(x + 26, y + swell)} {_at(x + 17, low)} {_at(x, low)}Z"
        )
    if body == "triangle":
        return f"M{_at(x, top)}L{_at(tip, y)}L{_at(x, low)}Z"
    return f"M{_at(x, top)}L{_at(tip, top)}L{_at(tip, low)}L{_at(x, low)}Z"


def _hollow_back(x: float, y: float) -> str:
    """The back of an OR, as a line of its own."""
    top, low = y - HEIGHT / 2, y + HEIGHT / 2
    return f"M{_at(x, top)}C{_at(x + DEEP, y - HEIGHT / 6)} {_at(x + DEEP, y + HEIGHT / 6)} {_at(x, low)}"


def _at(x: float, y: float) -> str:
    return f"{num(x)},{num(y)}"
