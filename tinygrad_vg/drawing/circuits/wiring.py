"""Where the gates and wires of a circuit go: columns by depth, wires in right angles, no two on top of each other.

The usual steps for layered drawings (Sugiyama, Tagawa and Toda 1981), each in its plain form. A signal that crosses
columns gets a place in each of them; the order within the columns is settled by barycentres; the inputs of a gate are
taken in the order in which they arrive; a signal that changes height between two columns does so on a vertical track of
its own, which all its branches share.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from tinygrad_vg.drawing.sketching.spacing import kept_apart

__all__ = ["Cell", "Layout", "Net", "Part", "lay_out"]

SWEEPS = 24
TRACK = 9.0
"""Between two vertical tracks."""
CLEAR = 4.0
"""Horizontal pieces of different signals are at least so far apart in height."""


@dataclass(eq=False)
class Cell:
    """Something in a column: an input, a gate, an output, or the place where a signal passes through.

    Attributes
    ----------
    key
        What it is, unknown here; None for a passing signal.
    column
        Counted from the left.
    sources
        For each input pin, from the top, the net that ends there.
    pins
        For each input pin its height above (negative) or below the middle.
    height
        The room it needs.
    y
        Its middle.
    order
        Which of the part's sources each pin is, since they are taken in the order in which they arrive.
    """

    key: object
    column: int
    sources: list[Net]
    pins: list[float]
    height: float
    y: float = 0.0
    order: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.order = list(range(len(self.sources)))


@dataclass(eq=False)
class Net:
    """A signal: it starts at a cell, and ends at pins in later columns.

    Attributes
    ----------
    source
        Where it starts.
    through
        By column, the cells it passes through.
    tracks
        By column, where left of it the vertical piece runs; a column without one is entered straight on.
    """

    source: Cell
    through: dict[int, Cell] = field(default_factory=dict)
    tracks: dict[int, float] = field(default_factory=dict)

    def y_before(self, column: int) -> float:
        """At which height the signal leaves the column before this one."""
        return self.through.get(column - 1, self.source).y


@dataclass
class Layout:
    """What `lay_out` gives.

    Attributes
    ----------
    columns
        The cells, from the top.
    nets
        By the key of the cell they start at.
    gaps
        Before each column but the first, the room that its vertical tracks need.
    """

    columns: list[list[Cell]]
    nets: Mapping[object, Net]
    gaps: list[float]


@dataclass(frozen=True)
class Part:
    """What is to be placed.

    Attributes
    ----------
    key
        Its name.
    column
        Where.
    sources
        Keys of the parts whose signals end at its pins, in any order.
    pins, height
        As in `Cell`.
    """

    key: object
    column: int
    sources: tuple[object, ...]
    pins: tuple[float, ...]
    height: float


def lay_out(parts: Sequence[Part], gap: float, *, fixed: bool = False) -> Layout:
    """Place the parts, `gap` apart from each other in their columns.

    Parameters
    ----------
    parts : sequence of Part
        Every part after those its signals come from.
    gap : float
        Between two neighbours of a column.
    fixed : bool
        Whether the first column keeps its order.
    """
    nets: dict[object, Net] = {}
    columns: list[list[Cell]] = [[] for _ in range(1 + max([part.column for part in parts]))]
    for part in sorted(parts, key=lambda part: part.column):
        cell = Cell(part.key, part.column, [nets[s] for s in part.sources], list(part.pins), part.height)
        columns[part.column].append(cell)
        nets[part.key] = Net(cell)
    _pass_through(columns)
    _order(columns, fixed)
    _set_heights(columns, gap)
    gaps = [_set_tracks(column) for column in columns[1:]]
    return Layout(columns, nets, gaps)


def _pass_through(columns: list[list[Cell]]) -> None:
    """Give every signal a cell in each column that it crosses."""
    for cells in list(columns):
        for cell in list(cells):
            for net in cell.sources:
                for column in range(net.source.column + 1, cell.column):
                    if column not in net.through:
                        net.through[column] = Cell(None, column, [net], [0.0], 0.0)
                        columns[column].append(net.through[column])


# --------------------------------------------------------------------------------------------------------------- order


def _order(columns: list[list[Cell]], fixed: bool) -> None:
    """Order the cells within the columns so that few signals cross: the best of some sweeps of barycentres."""
    best = _crossings(columns), [list(cells) for cells in columns]
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        rank = _ranks(columns)
        centre: dict[Cell, float] = {}
        indices = range(1, len(columns)) if down else range(len(columns) - 2, fixed - 1, -1)
        ends = _ends(columns)
        for index in indices:
            cells = columns[index]
            for cell in cells:
                near = _before(cell, rank) if down else [rank[to] for to, _ in ends.get(cell, [])]
                centre[cell] = sum(near) / len(near) if near else rank[cell]
            cells.sort(key=centre.__getitem__)
            rank.update({cell: i for i, cell in enumerate(cells)})
        found = _crossings(columns)
        if found < best[0]:
            best = found, [list(cells) for cells in columns]
    columns[:] = best[1]
    rank = _ranks(columns)
    for cells in columns:
        for cell in cells:
            cell.order.sort(key=_before(cell, rank).__getitem__)
            cell.sources = [cell.sources[i] for i in cell.order]


def _ranks(columns: Iterable[Sequence[Cell]]) -> dict[Cell, int]:
    """The place of every cell in its column."""
    return {cell: i for cells in columns for i, cell in enumerate(cells)}


def _left(net: Net, column: int) -> Cell:
    """The cell in the column before `column` that the signal comes from."""
    return net.through.get(column - 1, net.source)


def _before(cell: Cell, rank: Mapping[Cell, int]) -> list[int]:
    return [rank[_left(net, cell.column)] for net in cell.sources]


def _ends(columns: Iterable[Sequence[Cell]]) -> dict[Cell, list[tuple[Cell, int]]]:
    """For each cell the (cell, pin) of the next column that its signal goes to."""
    ends: dict[Cell, list[tuple[Cell, int]]] = {}
    for cells in columns:
        for cell in cells:
            for pin, net in enumerate(cell.sources):
                ends.setdefault(_left(net, cell.column), []).append((cell, pin))
    return ends


def _crossings(columns: Sequence[Sequence[Cell]]) -> int:
    """How many pairs of pieces between neighbouring columns cross."""
    count = 0
    for left, right in pairwise(columns):
        rank = _ranks([left])
        ends = [end for cell in right for end in sorted(_before(cell, rank))]
        seen: list[int] = []
        for end in ends:  # insertion into a sorted list: what lies above it crosses
            place = len(seen)
            while place and seen[place - 1] > end:
                place -= 1
            count += len(seen) - place
            seen.insert(place, end)
    return count


# ------------------------------------------------------------------------------------------------------------- heights


def _set_heights(columns: Sequence[Sequence[Cell]], gap: float) -> None:
    """Give every cell its height: near what it is joined to, in the order of its column, clear of other signals."""
    for cells in columns:
        _stack(cells, [0.0] * len(cells), gap)
    for sweep in range(8):
        ends = _ends(columns)
        ahead = sweep % 2 == 0
        for cells in columns[1:] if ahead else columns[-2::-1]:
            wishes = [_wish(cell, ends, ahead) for cell in cells]
            _stack(cells, wishes, gap)
    for i, cells in enumerate(columns):  # once more from the left, now with signals kept apart
        if i:
            _stack(cells, [_wish(cell, {}, True) for cell in cells], gap)
        _clear(cells, gap)


def _wish(cell: Cell, ends: Mapping[Cell, list[tuple[Cell, int]]], ahead: bool) -> float:
    """The height at which the signals of a cell would run straight."""
    before = [net.y_before(cell.column) - pin for net, pin in zip(cell.sources, cell.pins, strict=True)]
    after = [to.y + to.pins[pin] for to, pin in ends.get(cell, [])]
    chosen = before if ahead else after
    chosen = chosen or before or after or [cell.y]
    if cell.key is None or len(chosen) == 1:
        return chosen[0]
    return sum(chosen) / len(chosen)


def _room(upper: Cell, lower: Cell, gap: float) -> float:
    """How far apart the middles of two neighbours must be; passing signals run closer together."""
    between = gap if upper.key is not None and lower.key is not None else gap / 2 + 2
    if upper.key is None and lower.key is None:
        between = TRACK
    return (upper.height + lower.height) / 2 + between


def _stack(cells: Sequence[Cell], wishes: Sequence[float], gap: float) -> None:
    """Put cells as near to their wishes as their order and sizes allow."""
    places = kept_apart(wishes, [_room(upper, lower, gap) for upper, lower in pairwise(cells)])
    for cell, y in zip(cells, places, strict=True):
        cell.y = y


def _clear(cells: Sequence[Cell], gap: float) -> None:
    """Move cells down until no pin is level with another signal that comes from the column before."""
    leaving = {net for cell in cells for net in cell.sources}
    previous: Cell | None = None
    for cell in cells:
        cell.y = round(2 * cell.y) / 2  # what is level is so exactly
        if previous is not None:
            cell.y = max(cell.y, previous.y + _room(previous, cell, gap))
        while not _is_clear(cell, leaving):
            cell.y += CLEAR / 2
        previous = cell


def _is_clear(cell: Cell, leaving: Iterable[Net]) -> bool:
    for net in leaving:
        y = net.y_before(cell.column)
        for own, pin in zip(cell.sources, cell.pins, strict=True):
            if own is not net and abs(cell.y + pin - y) < CLEAR - 1e-6:
                return False
    return True


# -------------------------------------------------------------------------------------------------------------- tracks


def _set_tracks(cells: Sequence[Cell]) -> float:
    """Give each signal that changes height before this column a vertical track; how much room they need.

    A track is taken again by the next signal whose piece does not come near it. Signals that go down are served from
    the lowest, those that go up from the highest: so two neighbours that change height side by side do not cross.
    """
    spans: dict[Net, list[float]] = {}
    for cell in cells:
        for net, pin in zip(cell.sources, cell.pins, strict=True):
            spans.setdefault(net, [net.y_before(cell.column)]).append(cell.y + pin)
    moving = {net: (min(ys), max(ys)) for net, ys in spans.items() if max(ys) - min(ys) > 1e-6}
    column = cells[0].column if cells else 0
    taken: list[list[tuple[float, float]]] = []
    for net in sorted(moving, key=_turn(spans)):
        low, high = moving[net]
        free = [i for i, others in enumerate(taken) if all([high + CLEAR < a or b + CLEAR < low for a, b in others])]
        track = free[0] if free else len(taken)
        taken += [[]] * (track == len(taken))
        taken[track] = [*taken[track], (low, high)]
        net.tracks[column] = (track + 1) * TRACK
    return (len(taken) + 1) * TRACK


def _turn(spans: Mapping[Net, list[float]]) -> Callable[[Net], tuple[bool, float]]:
    def key(net: Net) -> tuple[bool, float]:
        start, *ends = spans[net]
        down = sum(ends) / len(ends) > start
        return (down, -start if down else start)

    return key
