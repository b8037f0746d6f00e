"""Where boxes stand and which way their edges take, in columns from left to right; plain geometry, no Graphviz.

Sugiyama, Tagawa and Toda's method (IEEE Trans. SMC 11, 1981), which `dot` uses too: give every box a column, cut long
edges into pieces by empty places, order each column so that few edges cross, then find heights at which the edges are
nearly straight. It is meant for some dozens of boxes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from tinygrad_vg.drawing.sketching.spacing import kept_apart

__all__ = ["Box", "Layout", "Link", "arrange"]

MARGIN = 16.0
GAP = 35.0
"""Between columns, at least."""

SEPARATION, CLOSE = 26.0, 4.0
"""Between boxes of a column, and between edges that pass it."""

PITCH = 34.0
"""Between the ends of edges at the side of a box."""

ROOM_ABOVE = 22.0
"""How far above its axis edges may meet a box."""

LANE = 25.0
"""From the forward edge down to the backward edge that runs beside it."""

LABEL_HEIGHT = 30.0
OVERHANG = 18.0
"""How far a label that stands under two boxes reaches under each."""

SWEEPS = 24


@dataclass(slots=True, eq=False)
class Box:
    """Something to be placed; edges meet it at the height of its axis.

    Attributes
    ----------
    width
        Of the part that edges meet.
    up, down
        How far it reaches above and below its axis.
    core
        How far below the axis the part ends that edges meet.
    space
        To be kept free above and below it.
    left, right
        How far it reaches to the sides of its middle: half the width at least.
    x, y
        Filled in by `arrange`: the middle, and the height of the axis.
    column
        Filled in too.
    """

    width: float
    up: float
    down: float
    core: float
    space: float = SEPARATION
    left: float = 0.0
    right: float = 0.0
    x: float = 0.0
    y: float = 0.0
    column: int = 0

    def __post_init__(self) -> None:
        self.left, self.right = max(self.left, self.width / 2), max(self.right, self.width / 2)


@dataclass(slots=True, eq=False)
class Link:
    """An edge from one box to another.

    Attributes
    ----------
    source, target
        Indices of boxes.
    label
        The width of its label; 0 for none.
    points
        Filled in by `arrange`: the way from the right side of the source to the left side of the target. Between
        points 0 and 1, 2 and 3 … it runs straight within a column: out of its source, past others, up to its target.
        Between 1 and 2, 3 and 4 … it crosses from column to column.
    label_at
        The middle of the top of the label.
    """

    source: int
    target: int
    label: float = 0.0
    points: list[tuple[float, float]] = field(default_factory=list)
    label_at: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Layout:
    """The size of the whole."""

    width: float
    height: float


def arrange(boxes: Sequence[Box], links: Sequence[Link]) -> Layout:
    """Place boxes and route links; what was found is written into them.

    Parameters
    ----------
    boxes : sequence of Box
        In an order in which every source stands before its targets.
    links : sequence of Link
    """
    _columns(boxes, links)
    grid = _Grid(boxes, links)
    grid.order()
    grid.heights()
    grid.ports()
    gaps = grid.gaps()
    grid.across(gaps)
    return grid.finish()


def _columns(boxes: Sequence[Box], links: Sequence[Link]) -> None:
    """The longest way from a beginning; what has more users than inputs then moves to the right, towards them."""
    for link in links:  # by target, since links come in the order of their targets
        boxes[link.target].column = max(boxes[link.target].column, boxes[link.source].column + 1)
    into, out = [0] * len(boxes), [0] * len(boxes)
    for link in links:
        into[link.target] += 1
        out[link.source] += 1
    for i in reversed(range(len(boxes))):
        if out[i] and into[i] < max(out[i], 1):
            boxes[i].column = min([boxes[link.target].column for link in links if link.source == i]) - 1


@dataclass(slots=True, eq=False)
class _Slot:
    """A place in a column: a box, or the passage of a long link."""

    box: Box
    link: Link | None = None
    before: list[_Slot] = field(default_factory=list)
    behind: list[_Slot] = field(default_factory=list)
    rank: int = 0


class _Grid:
    """The columns, with passages in place of long links."""

    def __init__(self, boxes: Sequence[Box], links: Sequence[Link]) -> None:
        self.links = links
        self.columns: list[list[_Slot]] = [[] for _ in range(max([b.column for b in boxes], default=0) + 1)]
        self.slots = [_Slot(box) for box in boxes]
        self.ways: dict[Link, list[_Slot]] = {}
        for slot in self.slots:
            self.columns[slot.box.column].append(slot)
        for link in links:
            a, b = self.slots[link.source], self.slots[link.target]
            way = [a]
            for c in range(a.box.column + 1, b.box.column):
                way.append(_Slot(Box(0.0, CLOSE, LANE + CLOSE, LANE, space=CLOSE, column=c), link))
                self.columns[c].append(way[-1])
            self.ways[link] = way = [*way, b]
            for left, right in pairwise(way):
                left.behind.append(right)
                right.before.append(left)

    # -------------------------------------------------------------------------------------------------------- order

    def order(self) -> None:
        """Sort each column by the middle of its neighbours, to and fro; keep the order with the fewest crossings."""
        self._rank()
        best, fewest = [list(c) for c in self.columns], self._crossings()
        for sweep in range(SWEEPS):
            if not fewest:
                break
            forwards = sweep % 2 == 0
            for column in self.columns if forwards else self.columns[::-1]:
                column.sort(key=lambda s: _middle(s, s.before if forwards else s.behind))
                for i, slot in enumerate(column):
                    slot.rank = i
            crossings = self._crossings()
            if crossings < fewest:
                best, fewest = [list(c) for c in self.columns], crossings
        self.columns = best
        self._rank()

    def _rank(self) -> None:
        for column in self.columns:
            for i, slot in enumerate(column):
                slot.rank = i

    def _crossings(self) -> int:
        count = 0
        for column in self.columns:
            ends = [(slot.rank, other.rank) for slot in column for other in slot.behind]
            count += sum([(a < c and b > d) or (a > c and b < d) for i, (a, b) in enumerate(ends) for c, d in ends[:i]])
        return count

    # ------------------------------------------------------------------------------------------------------ heights

    def heights(self) -> None:
        """Move everything towards its neighbours, as far as the order and the sizes of a column allow."""
        for column in self.columns:
            y = 0.0
            for slot in column:
                slot.box.y = y + slot.box.up
                y = slot.box.y + slot.box.down + slot.box.space
            shift = (column[0].box.y + column[-1].box.y) / 2
            for slot in column:
                slot.box.y -= shift
        for sweep in range(SWEEPS):
            last = sweep >= SWEEPS - 4  # at the end only from the left or the right: straight rather than balanced
            for column in self.columns if sweep % 2 == 0 else self.columns[::-1]:
                wishes = []
                for slot in column:
                    near = slot.before if sweep % 2 == 0 else slot.behind
                    near = near if last and near else slot.before + slot.behind
                    wishes.append(_mean([(_pull(slot, n), n.box.y) for n in near], slot.box.y))
                for slot, y in zip(column, _apart([s.box for s in column], wishes), strict=True):
                    slot.box.y = y
        for slot in self.slots + [s for way in self.ways.values() for s in way[1:-1]]:
            slot.box.y = float(round(slot.box.y))  # half as many digits in the page

    # -------------------------------------------------------------------------------------------------------- ways

    def ports(self) -> None:
        """Give each link its own height at both ends, in the order of where it goes, and the heights in between."""
        heights: dict[tuple[Link, int], float] = {}
        for slot in self.slots:
            for side in (0, 1):
                links = [link for link in self.links if self.slots[(link.target, link.source)[side]] is slot]
                links.sort(key=lambda link: self.ways[link][(-2, 1)[side]].box.y)
                pitch = min(PITCH, (slot.box.core + ROOM_ABOVE) / len(links)) if len(links) > 1 else 0.0
                # Around the axis, as far as there is room above it, and the rest below.
                first = max(-(len(links) - 1) / 2 * pitch, -ROOM_ABOVE)
                for i, link in enumerate(links):
                    heights[link, side] = float(math.floor(slot.box.y + first + i * pitch))
        for link in self.links:
            way = self.ways[link]
            ys = [heights[link, 1], *[slot.box.y for slot in way[1:-1]], heights[link, 0]]
            link.points = [(0.0, y) for y in ys for _ in range(2)]

    def gaps(self) -> list[float]:
        """How wide the space before each column must be for the labels in it; where they stand is noted, too."""
        widths = [GAP] * len(self.columns)
        standing: dict[int, list[tuple[Link, float, bool]]] = {}
        for link in [link for link in self.links if link.label]:
            way, place = self.ways[link], self._label_place(link)
            left, right = way[place], way[place + 1]
            ys = link.points[2 * place + 1][1], link.points[2 * place + 2][1]
            if len(left.behind) == 1 == len(right.before) and abs(ys[0] - ys[1]) < 4:
                top = ys[0] + max(LANE + 6, left.box.core, right.box.core) + 4
                under = self._free_below(left, top) and self._free_below(right, top)
            else:
                top, under = (ys[0] + ys[1]) / 2 + LANE - LABEL_HEIGHT / 2, False
            standing.setdefault(right.box.column, []).append((link, top, under))
        for column, labels in standing.items():
            labels.sort(key=lambda label: label[1])
            bars = [Box(0, 0, LABEL_HEIGHT, 0, space=0.0) for _ in labels]
            for (link, top, under), y in zip(labels, _apart(bars, [label[1] for label in labels]), strict=True):
                link.label_at = (float(column), y)
                # Under the boxes, unless it had to make way, it may be wider than the space between them.
                room = link.label - 2 * OVERHANG if under and abs(y - top) < 1 else link.label + 14
                widths[column] = max(widths[column], room)
        return [2.0 * math.ceil(width / 2) for width in widths]

    def _free_below(self, slot: _Slot, top: float) -> bool:
        """Whether a label at this height stays above what comes next in the column."""
        below = self.columns[slot.box.column][slot.rank + 1 : slot.rank + 2]
        return all([other.box.y - other.box.up >= top + LABEL_HEIGHT for other in below])

    def _label_place(self, link: Link) -> int:
        """In which piece of its way the label stands: where it is alone, else in the middle."""
        way = self.ways[link]
        if len(way[-1].before) == 1:
            return len(way) - 2
        return 0 if len(way[0].behind) == 1 else (len(way) - 2) // 2

    def across(self, gaps: Sequence[float]) -> None:
        """The columns' places from left to right, and with them those of boxes, points and labels."""
        x = MARGIN
        middles, edges = [], []
        for i, column in enumerate(self.columns):
            left, right = (float(math.ceil(max([getattr(s.box, side) for s in column]))) for side in ("left", "right"))
            x += gaps[i] if i else 0.0
            middles.append(x - gaps[i] / 2)
            edges.append((x, x + left + right))
            for slot in column:
                slot.box.x = x + left
            x += left + right
        for link in self.links:
            way = self.ways[link]
            xs = [x for slot in way for x in edges[slot.box.column]]
            xs[0], xs[-1] = (way[i].box.x + side * way[i].box.width / 2 for i, side in ((0, 1), (-1, -1)))
            link.points = [(px, y) for px, (_, y) in zip(xs, link.points, strict=True)]
            if link.label:
                link.label_at = (middles[int(link.label_at[0])], link.label_at[1])

    def finish(self) -> Layout:
        """Move everything to below and right of the origin."""
        placed = [s.box for s in self.slots]
        labels = [link.label_at[1] for link in self.links if link.label]
        tops = [b.y - b.up for b in placed] + [y for link in self.links for _, y in link.points] + labels
        lows = [b.y + b.down for b in placed] + [y + LABEL_HEIGHT for y in labels]
        lows += [y + LANE for link in self.links for _, y in link.points]
        shift = MARGIN - min(tops, default=0.0)
        for box in placed:
            box.y += shift
        for link in self.links:
            link.points = [(x, y + shift) for x, y in link.points]
            link.label_at = (link.label_at[0], link.label_at[1] + shift)
        right = max([b.x + b.right for b in placed], default=0.0)
        return Layout(right + MARGIN, max(lows, default=0.0) + shift + MARGIN)


def _middle(slot: _Slot, near: Sequence[_Slot]) -> float:
    return sum([n.rank for n in near]) / len(near) if near else float(slot.rank)


def _pull(a: _Slot, b: _Slot) -> float:
    """How strongly two neighbours want the same height: long links above all, then pieces of a chain."""
    if a.link is not None and b.link is not None:
        return 8.0
    return 2.0 if len(a.before) <= 1 >= len(b.before) or a.link is not None or b.link is not None else 1.0


def _mean(weighted: Sequence[tuple[float, float]], otherwise: float) -> float:
    total = sum([w for w, _ in weighted])
    return sum([w * y for w, y in weighted]) / total if weighted else otherwise


def _apart(boxes: Sequence[Box], wishes: Sequence[float]) -> list[float]:
    """The heights nearest to those wished for that keep the boxes apart."""
    return kept_apart(wishes, [a.down + max(a.space, b.space) + b.up for a, b in pairwise(boxes)])
