"""The picture of the page that `explore` writes: cards of fixed places joined by wires, as SVG.

It is drawn here once, whole, for those who read it without JavaScript; the script changes numbers, classes and widths
in place, so a card has room for every number. Colours are classes (`k-pre`, `r3`, `hot`), which the style sheet knows
in light and dark. Ids are generated.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise

from tinygrad_vg.drawing.explorer.layered import LANE, ROOM_ABOVE, Box, Link, arrange
from tinygrad_vg.drawing.formula import number
from tinygrad_vg.drawing.sketching.sketch import fit, text_width
from tinygrad_vg.drawing.theme import LIGHT, Scale

__all__ = ["Card", "Row", "Wire", "colour_class", "draw_board"]

HEAD = 22.0
ROW = 17.0
AXIS = 34.0
"""From a card's top to the height at which wires meet it: its first row."""

PAD = 6.0
WIDEST_NUMBER = "−0.001234"
"""What every number has room for; the few that have more digits are squeezed."""

NUMBER_WIDTH = text_width(WIDEST_NUMBER, 11.5)

CARD_WIDTH = (108.0, 216.0)
BESIDE = 84.0
"""Between a card and the parameter above or below it: room for the labels of wires."""

LANES_PITCH, LANES_LIMIT = 31.0, 250.0
"""What every wire takes of the side of a card, and what all of them take at most."""

HEAD_LENGTH = 11.0
"""Of the head of a backward wire."""

FORWARD_HEAD = 7.0
VERTICAL = -22.0
"""Where a vertical wire runs, from the middle of its cards: with its label to the right it is as wide as they are."""

SIDE = 8.0
"""How far the two lines of a vertical wire stand apart, from the middle between them."""

LABEL_SIDE = VERTICAL + SIDE + 7
"""Where the label of a vertical wire begins, from the middle of its cards."""


@dataclass(slots=True, eq=False)
class Row:
    """A line of a card.

    Attributes
    ----------
    label
        What it is.
    value
        Text, or a number that the script may change.
    backward
        Whether the backward pass computes it.
    slot
        Where the script finds the number.
    """

    label: str
    value: str | float
    backward: bool = False
    slot: int | None = None

    @property
    def text(self) -> str:
        """The value as it is shown."""
        return self.value if isinstance(self.value, str) else number(self.value)

    @property
    def width(self) -> float:
        """Room for label and value, whatever the number."""
        value = text_width(self.value, 11.5) if isinstance(self.value, str) else NUMBER_WIDTH
        return text_width(self.label, 10.5) + value

    @property
    def fits(self) -> bool:
        """Whether a card has room for all of it."""
        return self.width + 2 * PAD + 4 <= CARD_WIDTH[1]


@dataclass(slots=True, eq=False)
class Card:
    """A box of the picture.

    Attributes
    ----------
    name, note
        What stands in the head, left and right.
    kind
        Which head it gets: input, param, pre, act, loss.
    rows
        What it holds.
    scope
        The name scopes it belongs to.
    above, below
        The parameters that stand there.
    marked
        Whether its outline is marked.
    lanes
        How many wires meet it on the side where there are more.
    aside
        How far the labels of its vertical wires reach to the right of its middle.
    x, y
        The upper left corner; `draw_board` fills them in, and `lanes` and `aside`.
    """

    name: str
    note: str
    kind: str
    rows: list[Row]
    scope: tuple[str, ...] = ()
    above: Card | None = None
    below: Card | None = None
    marked: bool = False
    lanes: int = 0
    aside: float = 0.0
    x: float = 0.0
    y: float = 0.0

    @property
    def height(self) -> float:
        """From top to bottom: room for the rows (the third stands a little apart), and for wires side by side."""
        rows = HEAD + 6 + ROW * len(self.rows) + (6 if len(self.rows) > 2 else 2)
        lanes = min(self.lanes * LANES_PITCH, LANES_LIMIT) + AXIS - ROOM_ABOVE if self.lanes > 1 else 0.0
        return max(rows, lanes)

    @property
    def width(self) -> float:
        """Room for the head and for every number."""
        head = text_width(self.name, 12, bold=True) + text_width(self.note, 10) + 2 * PAD + 4
        room = min(max([head, CARD_WIDTH[0], *[r.width + 2 * PAD + 4 for r in self.rows]]), CARD_WIDTH[1])
        return 2.0 * math.ceil(room / 2)  # so that the middle is a whole number

    def line(self, row: int) -> tuple[str, str]:
        """A row's label and value as they fit side by side; the label makes way for the value."""
        label, text, inner = self.rows[row].label, self.rows[row].text, self.width - 2 * PAD - 4
        if isinstance(self.rows[row].value, float):
            return fit(label, 10.5, inner - NUMBER_WIDTH), text
        text = fit(text, 11.5, inner - min(text_width(label, 10.5), 0.4 * inner))
        return fit(label, 10.5, inner - text_width(text, 11.5)), text

    def baseline(self, row: int) -> float:
        """Where a row's text stands."""
        return HEAD + 16 + ROW * row + (4 if row > 1 else 0)


@dataclass(slots=True, eq=False)
class Wire:
    """A use of `source` in `target`: a forward edge, and a backward edge with what it multiplies by.

    Attributes
    ----------
    words
        The first line of its label.
    value
        The second line: text, a number that the script may change, or None.
    slot
        Where the script finds the number.
    flow
        What the backward edge carries; None where nothing does.
    on_path
        Whether it is drawn in full.
    """

    source: Card
    target: Card
    words: str = ""
    value: str | float | None = None
    slot: int | None = None
    flow: float | None = None
    on_path: bool = True
    link: Link | None = field(default=None, repr=False)

    @property
    def second(self) -> str:
        """The second line as it is shown."""
        if self.value is None:
            return ""
        return self.value if isinstance(self.value, str) else f"= {number(self.value)}"

    @property
    def label_width(self) -> float:
        """Room for both lines, whatever the number."""
        if not self.words and not self.second:
            return 0.0
        second = self.second if not isinstance(self.value, float) else f"= {WIDEST_NUMBER}"
        return max(text_width(self.words, 11), text_width(second, 10.5) * 0.9)


def colour_class(flow: float | None, scale: Scale, on_path: bool = True) -> tuple[str, float]:
    """The class and the width of a backward edge."""
    if not flow or not on_path:
        return "off", 1.0
    colour, _, width = scale.line(flow, LIGHT)
    return ("hot" if colour == LIGHT.hot[0] else f"r{[line for line, _ in LIGHT.ramp].index(colour)}"), width


def num(x: float) -> str:
    """A coordinate, to a tenth: paths are most of the picture's bytes."""
    return f"{round(x, 1) + 0.0:.1f}".removesuffix(".0")


def draw_board(
    cards: Sequence[Card], wires: Sequence[Wire], scale: Scale, title: str, description: str
) -> tuple[str, float]:
    """The picture as one ``<svg>`` element, and its natural width in pixels.

    Parameters
    ----------
    cards : sequence of Card
        In an order in which what is computed stands after what it is computed from.
    wires : sequence of Wire
    scale : Scale
        Of the backward edges.
    title, description : str
        For those who do not see it.
    """
    width, height = _place(cards, wires)
    parts = [_cluster(name, box) for name, box in _clusters(cards)]
    drawn = [_wire(i, wire, scale) for i, wire in enumerate(wires)]
    parts += [lines for lines, _ in drawn]
    parts += [_card(i, card) for i, card in enumerate(cards)]
    for between, anchor in ((True, ' text-anchor="middle"'), (False, "")):  # labels, above all lines, as with a halo
        labels = [label for wire, (_, label) in zip(wires, drawn, strict=True) if (wire.link is not None) is between]
        parts += [f"<g{anchor}>" + "\n".join(filter(None, labels)) + "</g>"] if any(labels) else []
    w, h = num(width), num(height)
    svg = (
        f'<svg id="board" role="img" aria-label="{escape(title)}" aria-describedby="board-desc" viewBox="0 0 {w} {h}" '
        f'width="{w}" height="{h}" xmlns="http://www.w3.org/2000/svg">\n'  # no <title>: it would be a tooltip of all
        f'<desc id="board-desc">{escape(description)}</desc>\n{_markers()}\n' + "\n".join(parts) + "\n</svg>"
    )
    return svg, width


# ------------------------------------------------------------------------------------------------------------- places


def _place(cards: Sequence[Card], wires: Sequence[Wire]) -> tuple[float, float]:
    """Find a place for every card; parameters go with the card they stand beside."""
    beside = {id(other) for card in cards for other in (card.above, card.below) if other is not None}
    main = [card for card in cards if id(card) not in beside]
    for card in main:
        sides = [[w for w in wires if end(w) is card and id(w.source) not in beside] for end in (_source, _target)]
        card.lanes = max(map(len, sides))
        beside_it = [w for w in wires if w.target is card and w.source in (card.above, card.below)]
        card.aside = max([LABEL_SIDE + w.label_width for w in beside_it if w.label_width], default=0.0)
    boxes = {id(card): _box(card) for card in main}
    index = {key: i for i, key in enumerate(boxes)}
    links = []
    for wire in wires:
        if id(wire.source) in index and id(wire.target) in index:
            ends = sorted([index[id(wire.source)], index[id(wire.target)]])  # layers may use each other to and fro
            wire.link = Link(ends[0], ends[1], wire.label_width)
            links.append(wire.link)
    links.sort(key=lambda link: link.target)
    layout = arrange(list(boxes.values()), links)
    for card in main:
        box = boxes[id(card)]
        card.x, card.y = box.x - card.width / 2, box.y - AXIS
        if card.above is not None:
            card.above.x, card.above.y = box.x - card.above.width / 2, card.y - BESIDE - card.above.height
        if card.below is not None:
            card.below.x, card.below.y = box.x - card.below.width / 2, card.y + card.height + BESIDE
    return layout.width, layout.height


def _source(wire: Wire) -> Card:
    return wire.source


def _target(wire: Wire) -> Card:
    return wire.target


def _box(card: Card) -> Box:
    """A card and what stands above and below it as one box; its scopes need room for their names."""
    stack = [c for c in (card.above, card, card.below) if c is not None]
    up = AXIS + (BESIDE + card.above.height if card.above else 0.0)
    down = card.height - AXIS + (BESIDE + card.below.height if card.below else 30.0)
    frame = 16.0 * min(len(card.scope), 2)
    half = max([c.width for c in stack]) / 2
    return Box(card.width, up + frame / 2, down + frame, card.height - AXIS, left=half, right=max(half, card.aside))


def _clusters(cards: Sequence[Card]) -> list[tuple[str, tuple[float, float, float, float]]]:
    """The frame of each name scope, unless a card that does not belong to it would be inside, or frames would cross."""
    scopes = dict.fromkeys([card.scope[:n] for card in cards for n in range(1, len(card.scope) + 1)])
    found: dict[tuple[str, ...], tuple[float, float, float, float]] = {}
    for scope in sorted(scopes, key=len, reverse=True):
        inside = [card for card in cards if card.scope[: len(scope)] == scope]
        deep = max([len(card.scope) for card in inside]) - len(scope)
        pad = 13.0 + 5 * deep
        left, top = min([c.x for c in inside]) - pad, min([c.y for c in inside]) - pad + 3
        right = max([c.x + max(c.width, c.width / 2 + c.aside) for c in inside]) + pad
        low = max([c.y + c.height for c in inside]) + pad + 9 + 14 * deep
        frame = (left, top, right, low)
        others = [(c.x, c.y, c.x + c.width, c.y + c.height) for c in cards if c not in inside]
        others += [box for other, box in found.items() if other[: len(scope)] != scope]
        if not any([_touch(frame, box) for box in others]):
            found[scope] = frame
    return [(" / ".join(scope[-1:]), box) for scope, box in sorted(found.items(), key=lambda item: len(item[0]))]


def _touch(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


# -------------------------------------------------------------------------------------------------------------- shapes


def _cluster(name: str, box: tuple[float, float, float, float]) -> str:
    left, top, right, low = box
    label = fit(name, 11, right - left - 16)
    return (
        f'<g class="c"><rect x="{num(left)}" y="{num(top)}" width="{num(right - left)}" height="{num(low - top)}" '
        f'rx="9"/><text x="{num((left + right) / 2)}" y="{num(low - 7)}">{escape(label)}</text></g>'
    )


def _card(i: int, card: Card) -> str:
    width = card.width
    w, h, right = num(width), num(card.height), num(width - PAD)
    name = fit(card.name, 12, width - 2 * PAD, bold=True)
    room = width - 2 * PAD - 4 - text_width(name, 12, bold=True)
    note = fit(card.note, 10, room) if room > 24 else ""
    x, y = num(card.x), num(card.y)
    parts = [
        f'<g class="n k-{card.kind}{" mark" * card.marked}" id="n{i}" transform="translate({x} {y})">'
        f'<rect width="{w}" height="{h}" rx="7"/>'
        f'<path d="M.5 {num(HEAD)}V7.5a7 7 0 0 1 7-7H{num(width - 7.5)}a7 7 0 0 1 7 7V{num(HEAD)}Z"/>'
        f'<text class="t" x="{num(PAD)}" y="16">{escape(name)}</text>'
    ]
    if note:
        parts.append(f'<text class="f" x="{right}" y="16">{escape(note)}</text>')
    for k in range(len(card.rows)):
        y = num(card.baseline(k))
        label, text = card.line(k)
        long = isinstance(card.rows[k].value, float) and len(text) > len(WIDEST_NUMBER)
        squeezed = f' textLength="{num(NUMBER_WIDTH)}" lengthAdjust="spacingAndGlyphs"' if long else ""
        parts.append(
            f'<text x="{num(PAD)}" y="{y}">{escape(label)}</text><text class="v" x="{right}" y="{y}"{squeezed}>'
            f"{escape(text)}</text>"
        )
    return "".join(parts) + "</g>"


def _wire(i: int, wire: Wire, scale: Scale) -> tuple[str, str]:
    """Forward and backward edge; the label."""
    colour, width = colour_class(wire.flow, scale, wire.on_path)
    there, back, at = _lane(wire) if wire.link is not None else _vertical(wire)
    lines = f'<g class="e {colour}" id="e{i}"><path class="fw" d="{there}"/>'
    if wire.flow is not None:
        lines += f'<path class="bw" d="{back}" stroke-width="{num(width)}"/>'
    if not wire.words and wire.value is None:
        return lines + "</g>", ""
    x, y = num(at[0]), num(at[1])
    label = f'<text class="l {colour}" id="l{i}" x="{x}" y="{y}"><tspan>{escape(wire.words)}</tspan>'
    if wire.value is not None:
        label += f'<tspan class="w" x="{x}" dy="13">{escape(wire.second)}</tspan>'
    return lines + "</g>", label + "</text>"


def _lane(wire: Wire) -> tuple[str, str, tuple[float, float]]:
    """The two paths of a wire between columns, and where its label begins."""
    assert wire.link is not None
    points = wire.link.points
    low = [(x, y + LANE) for x, y in points]
    x, y = wire.link.label_at
    if wire.source.x > wire.target.x:  # from a later layer to an earlier one
        return _curve(points[::-1], FORWARD_HEAD), _curve(low, HEAD_LENGTH), (x, y + 11)
    return _curve(points, FORWARD_HEAD), _curve(low[::-1], HEAD_LENGTH), (x, y + 11)


def _curve(points: Sequence[tuple[float, float]], head: float) -> str:
    """A way through points: curves between columns, straight within them, and room for a head at its end."""
    sign = 1 if points[-1][0] > points[0][0] else -1
    start, end = points[0], (points[-1][0] - sign * head, points[-1][1])
    # A card as wide as its column begins and ends at the column's edge, and a head may be longer than what is left.
    way = [start, *[p for p in points[1:-1] if sign * start[0] < sign * p[0] < sign * end[0]], end]
    d = f"M{num(start[0])} {num(start[1])}"
    for i, ((x0, y0), (x1, y1)) in enumerate(pairwise(way), 2):
        if y0 == y1:
            d += f"H{num(x1)}" if i == len(way) or way[i][1] != y1 else ""  # straight on: one line
        else:
            middle = num((x0 + x1) / 2)
            d += f"C{middle} {num(y0)} {middle} {num(y1)} {num(x1)} {num(y1)}"
    return d


def _vertical(wire: Wire) -> tuple[str, str, tuple[float, float]]:
    """The two paths of a wire to a parameter above or below, and where its label begins."""
    middle = wire.target.x + wire.target.width / 2
    above = wire.target.above is wire.source
    if above:
        far, near, sign = wire.source.y + wire.source.height, wire.target.y, 1
    else:
        far, near, sign = wire.source.y, wire.target.y + wire.target.height, -1
    there = f"M{num(middle + VERTICAL - SIDE)} {num(far)}V{num(near - sign * FORWARD_HEAD)}"
    back = f"M{num(middle + VERTICAL + SIDE)} {num(near)}V{num(far + sign * HEAD_LENGTH)}"
    return there, back, (middle + LABEL_SIDE, (far + near) / 2 + (-2 if above else 6))


def _markers() -> str:
    """The heads of edges, one for each colour, larger for wider lines."""

    def marker(name: str, length: float, width: float) -> str:
        return (
            f'<marker id="m-{name}" class="m {name}" markerUnits="userSpaceOnUse" markerWidth="{num(length)}" '
            f'markerHeight="{num(width)}" refY="{num(width / 2)}" orient="auto"><path d="M0 0L{num(length)} '
            f'{num(width / 2)}L0 {num(width)}Z"/></marker>'
        )

    sizes: Iterable[tuple[str, float]] = [("off", 7.0), ("hot", 16.0), *[(f"r{k}", 8 + 1.6 * k) for k in range(5)]]
    heads = [marker("fw", FORWARD_HEAD, 7.0), *[marker(name, HEAD_LENGTH, width) for name, width in sizes]]
    return f"<defs>{''.join(heads)}</defs>"
