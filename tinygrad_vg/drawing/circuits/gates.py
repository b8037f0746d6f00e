"""Circuits of logic gates, drawn with the gates' own shapes from left to right by depth.

A circuit is a sequence of gates, each with a name, which is also the name of its output, a kind, and the names of its
inputs. Names that no gate has are the inputs of the circuit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from tinygrad_vg.drawing.circuits.circuit import Circuit, Gate, by_depth, by_kind, counted
from tinygrad_vg.drawing.circuits.symbols import HEIGHT, body_middle, draw_symbol, input_x, output_x, pin_heights
from tinygrad_vg.drawing.circuits.wiring import Cell, Layout, Net, Part, lay_out
from tinygrad_vg.drawing.sketching.picture import Picture, checked_theme
from tinygrad_vg.drawing.sketching.sketch import Sketch, fit, one_line, text_width
from tinygrad_vg.drawing.theme import palette

__all__ = ["Gate", "draw_circuit"]

GAP, MARGIN = 14.0, 18.0
LEAD, BEFORE = 21.0, 9.0
"""Straight pieces of wire behind a gate, where the value stands, and before it."""
LABEL, LABEL_ROOM = 10.5, 110.0
"""Size of the names of inputs and outputs, and the most room they get."""

Point = tuple[float, float]


def draw_circuit(
    gates: Sequence[Any],
    outputs: Sequence[str] | Mapping[str, str] | None = None,
    *,
    inputs: Sequence[str] | None = None,
    values: Mapping[str, int] | None = None,
    title: str = "",
    max_gates: int = 80,
    theme: str = "auto",
) -> Picture:
    """Draw a circuit: gates in columns by depth, wires in right angles, and under it the number of gates and the depth.

    Parameters
    ----------
    gates : sequence of Gate
        In any order; anything with the attributes of `Gate` will do (`negated` may be missing).
    outputs : sequence of str or mapping, optional
        Which signals leave the circuit; a mapping gives the label of each: ``{"sum": "s0"}``. By default those that no
        gate takes in.
    inputs : sequence of str, optional
        The inputs of the circuit from the top; by default in the order in which the fewest wires cross.
    values : mapping of str to 0 or 1, optional
        The value of a signal: its wire is drawn thick where it is 1, and the digit stands where it starts.
    title : str
        What the circuit is.
    max_gates : int
        A larger circuit is summarised: one gate for all of one kind and depth, with their number, or if these are too
        many as well, one box for several depths. The picture says so.
    theme : {"auto", "light", "dark"}
        "auto" follows the reader's system (SVG; elsewhere light).

    Returns
    -------
    Picture

    Raises
    ------
    ValueError
        If there is no gate, a kind is unknown, a name stands for two signals, a signal goes round in a circle, an
        output or a value belongs to no signal, or a value is neither 0 nor 1.
    TypeError
        If a gate has no name, kind or inputs.

    Examples
    --------
    >>> half_adder = [Gate("sum", "XOR", ("a", "b")), Gate("carry", "AND", ("a", "b"))]
    >>> print(draw_circuit(half_adder, title="Half adder"))
    Half adder
    inputs: a, b
    depth 1: sum = XOR(a, b)
    depth 1: carry = AND(a, b)
    outputs: sum, carry
    Half adder: 2 gates (1 AND, 1 XOR), depth 1
    """
    checked_theme(theme)
    if max_gates < 1:
        raise ValueError(f"max_gates must be at least 1, got {max_gates}")
    circuit = Circuit.of(gates, outputs, inputs, values)
    drawn = circuit
    if len(circuit.gates) > max_gates:
        drawn = by_kind(circuit)
        drawn = drawn if len(drawn.gates) <= max_gates else by_depth(circuit)
    title = fit(one_line(title), 11, 400, bold=True)
    notes = [f"{title}: {circuit.counted}" if title else circuit.counted]
    if drawn is not circuit:
        notes.append(f"summary: more than max_gates={max_gates:,} gates, so {drawn.how}")
    return Picture(
        title or "Circuit",
        f"{title or 'A circuit'} of {circuit.counted}, {counted(circuit.inputs, 'input')}, "
        f"{counted(circuit.outputs, 'output')}.",
        "\n".join([*_told(drawn), *notes]),
        theme,
        _draw(drawn, notes, Sketch(palette(theme))),
    )


def _told(circuit: Circuit) -> list[str]:
    """The circuit as lines of text."""
    lines = ["inputs: " + ", ".join(map(one_line, circuit.inputs))]
    for name, gate in list(circuit.gates.items())[:60]:
        lines.append(f"depth {circuit.depth[name]}: {_equation(circuit, gate)}")
    if len(circuit.gates) > 60:
        lines.append(f"… and {len(circuit.gates) - 60:,} more gates")
    return [*lines, "outputs: " + ", ".join([one_line(label) for label, _ in circuit.outputs])]


def _equation(circuit: Circuit, gate: Gate) -> str:
    if gate.name in circuit.captions:
        return ", ".join(circuit.captions[gate.name])
    words = [("¬" if i in gate.negated else "") + one_line(name) for i, name in enumerate(gate.inputs)]
    return f"{one_line(gate.name)} = {gate.kind}({', '.join(words)})"


# ------------------------------------------------------------------------------------------------------------- drawing


def _draw(circuit: Circuit, notes: Sequence[str], page: Sketch) -> str:
    plan = _Plan(circuit, lay_out(_parts(circuit), GAP, fixed=circuit.ordered), notes)
    for key, net in plan.layout.nets.items():
        _wire(page, plan, key, net)
    for cell in [cell for cells in plan.layout.columns for cell in cells]:
        if cell.key in circuit.gates:
            _gate(page, plan, cell)
        elif cell.key is not None:
            _label(page, plan, cell)
    _under(page, plan, notes)
    return page.svg(plan.width, plan.height)


def _parts(circuit: Circuit) -> list[Part]:
    """Inputs in the first column, gates by depth, outputs in the last."""
    parts = [Part(name, 0, (), (), 16.0) for name in circuit.inputs]
    for name, gate in circuit.gates.items():
        pins = pin_heights(len(gate.inputs))
        height = max(HEIGHT, 2 * pins[-1] + 9) + 26 * len(circuit.captions.get(name, []))
        parts.append(Part(name, circuit.depth[name], gate.inputs, pins, height))
    last = 1 + len(circuit.columns)
    return parts + [Part(i, last, (signal,), (0.0,), 16.0) for i, (_, signal) in enumerate(circuit.outputs)]


class _Plan:
    """Where everything is on the page."""

    def __init__(self, circuit: Circuit, layout: Layout, notes: Sequence[str]) -> None:
        self.circuit, self.layout, self.notes = circuit, layout, notes
        cells = [cell for column in layout.columns for cell in column]
        self._top = min([cell.y - cell.height / 2 for cell in cells]) - MARGIN
        self.floor = max([cell.y + cell.height / 2 for cell in cells]) - self._top
        self.height = self.floor + 44 + 18 * len(notes)
        self._left, self._tracks = [MARGIN + _widest(circuit.inputs) + 8], [0.0]  # of each column
        for column, room in enumerate(layout.gaps):
            self._tracks.append(self._left[-1] + (output_x("NAND", LEAD) if column else LEAD - 4))
            self._left.append(self._tracks[-1] + room + BEFORE)
        right = self._left[-1] + 5 + _widest([label for label, _ in circuit.outputs]) + MARGIN
        words = [text_width(note, size, bold=bold) for note, (size, bold) in zip(notes, NOTES, strict=False)]
        self.width = max(right, max(words) + 2 * MARGIN)
        self._shift = (self.width - right) / 2

    def x(self, column: int) -> float:
        """Where the cells of a column begin."""
        return self._left[column] + self._shift

    def y(self, cell: Cell) -> float:
        """The middle of a cell."""
        return cell.y - self._top

    def gate(self, cell: Cell) -> Gate | None:
        """The gate of a cell; None for an input or an output."""
        return self.circuit.gates.get(cell.key) if isinstance(cell.key, str) else None

    def start(self, net: Net) -> Point:
        """The pin at which a signal starts."""
        x, gate = self.x(net.source.column), self.gate(net.source)
        return (output_x(gate.kind, x) if gate else x), self.y(net.source)

    def end(self, cell: Cell, pin: int) -> Point:
        """The pin at which a signal ends."""
        x, height, gate = self.x(cell.column), cell.pins[pin], self.gate(cell)
        return (input_x(gate.kind, x, height, cell.order[pin] in gate.negated) if gate else x), self.y(cell) + height

    def route(self, net: Net, cell: Cell, pin: int) -> list[Point]:
        """The corners of a signal's wire from its start to one of the pins where it ends."""
        corners, end = [self.start(net)], self.end(cell, pin)
        for column in range(net.source.column + 1, cell.column + 1):
            before = corners[-1][1]
            y = end[1] if column == cell.column else self.y(net.through[column])
            if y != before:
                track = self._tracks[column] + net.tracks[column] + self._shift
                corners += [(track, before), (track, y)]
        return [*corners, end]


def _widest(names: Sequence[str]) -> float:
    return max([text_width(_short(name), LABEL, bold=True) for name in names], default=0.0)


def _short(name: str) -> str:
    return fit(one_line(name), LABEL, LABEL_ROOM, bold=True)


def _wire(page: Sketch, plan: _Plan, key: object, net: Net) -> None:
    """All branches of a signal, a dot where they part, and its value."""
    c, value = page.colours, plan.circuit.values.get(key) if isinstance(key, str) else None
    colour = c.box if value is None else c.ramp[3][0] if value else c.forward
    width = 2.6 if plan.circuit.how else 2.4 if value else 1.2
    later = [cell for cells in plan.layout.columns[net.source.column + 1 :] for cell in cells if cell.key is not None]
    ends = [(cell, pin) for cell in later for pin, source in enumerate(cell.sources) if source is net]
    routes = [plan.route(net, cell, pin) for cell, pin in ends]
    if routes:
        page.lines(_painted_once(routes), stroke=colour, width=width, kind="wire")
    for x, y in _partings(routes):
        page.circle(x, y, 2.4 + width / 4, fill=colour, kind="parting")
    if value is not None:
        x, y = plan.start(net)
        page.text(x + 8, y - 4, str(int(value)), size=9.5, colour=c.ramp[3][1] if value else c.soft, bold=bool(value))


def _painted_once(routes: Sequence[list[Point]]) -> list[list[Point]]:
    """The first route, and of each further one what is not yet painted: lines painted twice look thicker."""
    drawn: list[tuple[Point, Point]] = []
    branches: list[list[Point]] = []
    for route in routes:
        rest = route
        while len(rest) > 1 and (reached := _covered(rest[0], rest[1], drawn)) != rest[0]:
            rest = rest[1:] if reached == rest[1] else [reached, *rest[1:]]
        branches.append(rest)
        drawn += pairwise(route)
    return [branch for branch in branches if len(branch) > 1]


def _covered(start: Point, end: Point, drawn: Sequence[tuple[Point, Point]]) -> Point:
    """How far from start to end, along one axis, lines are painted already."""
    along = 0 if start[1] == end[1] else 1
    ahead = 1 if end[along] > start[along] else -1
    reach = start[along]
    for a, b in drawn:
        low, high = sorted([a[along] * ahead, b[along] * ahead])
        if a[1 - along] == b[1 - along] == start[1 - along] and low <= reach * ahead < high:
            reach = min(high, end[along] * ahead) * ahead
    return (reach, start[1]) if along == 0 else (start[0], reach)


def _partings(routes: Sequence[Sequence[Point]]) -> list[Point]:
    """The points where branches of one signal part: three or four directions lead away from them."""
    arms: dict[Point, set[str]] = {point: set() for route in routes for point in route[1:-1]}
    for route in routes:
        for (x0, y0), (x1, y1) in pairwise(route):
            for (x, y), found in arms.items():
                if x0 == x1 == x and min(y0, y1) <= y <= max(y0, y1):
                    found.update("u" * (y > min(y0, y1)), "d" * (y < max(y0, y1)))
                elif y0 == y1 == y and min(x0, x1) <= x <= max(x0, x1):
                    found.update("l" * (x > min(x0, x1)), "r" * (x < max(x0, x1)))
    return [point for point, found in arms.items() if len(found) > 2]


def _gate(page: Sketch, plan: _Plan, cell: Cell) -> None:
    gate = plan.circuit.gates[str(cell.key)]
    x, y = plan.x(cell.column), plan.y(cell)
    captions = plan.circuit.captions.get(gate.name, [])
    stacked = bool(captions) and captions != [f"1 × {gate.kind}"]
    with page.group("gate", tip=_equation(plan.circuit, gate)):
        draw_symbol(page, gate.kind, x, y, cell.pins, [i in gate.negated for i in cell.order], stacked=stacked)
    for i, words in enumerate(captions, start=1):
        page.text(body_middle(x), y + HEIGHT / 2 + 13 * i, words, size=9.5)


def _label(page: Sketch, plan: _Plan, cell: Cell) -> None:
    """The name of an input or an output."""
    x, y = plan.x(cell.column), plan.y(cell) + 3.8
    if isinstance(cell.key, int):
        page.text(x + 5, y, _short(plan.circuit.outputs[cell.key][0]), size=LABEL, anchor="start", bold=True)
    else:
        page.text(x - 6, y, _short(str(cell.key)), size=LABEL, anchor="end", bold=True)


NOTES = ((11.0, True), (9.5, False))
"""Size and weight of the lines under a circuit."""


def _under(page: Sketch, plan: _Plan, notes: Sequence[str]) -> None:
    """The depth of each column, and what is said of the whole."""
    soft = page.colours.soft
    for column, words in enumerate(plan.circuit.columns, start=1):
        page.text(body_middle(plan.x(column)), plan.floor + 20, words, size=9, colour=soft)
    for i, (note, (size, bold)) in enumerate(zip(notes, NOTES, strict=False)):
        y = plan.floor + 46 + 18 * i
        page.text(plan.width / 2, y, note, size=size, bold=bold, colour="" if bold else soft)
