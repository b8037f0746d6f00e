"""A circuit of logic gates as data: what a gate is, checks, depths, and summaries of circuits too large to draw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_vg.drawing.circuits.symbols import SHAPES

__all__ = ["Circuit", "Gate", "by_depth", "by_kind", "counted"]


@dataclass(frozen=True)
class Gate:
    """One gate of a circuit.

    Attributes
    ----------
    name : str
        Its own and its output's.
    kind : str
        AND, OR, NOT, XOR, NAND, NOR, XNOR or BUFFER.
    inputs : tuple of str
        Names of other gates, or of inputs of the circuit. NOT and BUFFER have one, the others one or more.
    negated : tuple of int
        The places in `inputs` that are negated on their way in: a bubble at the pin, no gate.

    Examples
    --------
    >>> Gate("carry", "AND", ("a", "b"))
    Gate(name='carry', kind='AND', inputs=('a', 'b'), negated=())
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    negated: tuple[int, ...] = ()


@dataclass(frozen=True)
class Circuit:
    """A circuit that has been checked.

    Attributes
    ----------
    gates
        By name, each after those it takes in.
    inputs
        Names, from the top.
    outputs
        (label, name of the signal).
    depth
        Of every signal.
    values
        Of some signals.
    ordered
        Whether the inputs must stand in this order.
    columns
        What stands under each column of gates.
    captions
        In a summary, for each gate what it stands for, a line for each kind.
    how
        How it is summarised; empty for a circuit as it is.
    """

    gates: dict[str, Gate]
    inputs: list[str]
    outputs: list[tuple[str, str]]
    depth: dict[str, int]
    values: dict[str, int]
    ordered: bool
    columns: list[str]
    captions: dict[str, list[str]]
    how: str = ""

    @classmethod
    def of(cls, gates: Sequence[Any], outputs: Any, inputs: Any, values: Any) -> Circuit:
        """Check and order what the user gave."""
        found: dict[str, Gate] = {}
        for given in gates:
            gate = _checked(given)
            if gate.name in found:
                raise ValueError(f"draw_circuit: two gates are named {gate.name!r}")
            found[gate.name] = gate
        if not found:
            raise ValueError("draw_circuit: there are no gates")
        used = dict.fromkeys([name for gate in found.values() for name in gate.inputs])
        first = list(inputs) if inputs is not None else []
        clash = [name for name in first if name in found]
        if clash or len(set(first)) < len(first):
            raise ValueError(f"draw_circuit: {clash[0] if clash else first!r}: an input needs a name of its own")
        every = list(dict.fromkeys([*first, *[name for name in used if name not in found]]))
        depth = _depths(found, every)
        ordered = {name: found[name] for name in sorted(found, key=depth.__getitem__)}
        if outputs is None:
            outputs = [name for name in found if name not in used]
        pairs = list(outputs.items()) if isinstance(outputs, Mapping) else [(name, name) for name in outputs]
        columns = [f"depth {d}" for d in range(1, max(depth.values()) + 1)]
        circuit = cls(ordered, every, pairs, depth, dict(values or {}), inputs is not None, columns, {})
        for name in [*[signal for _, signal in pairs], *circuit.values]:
            if name not in depth:
                raise ValueError(f"draw_circuit: there is no signal {name!r} among {list(depth)[:20]}")
        for name, value in circuit.values.items():
            if not isinstance(value, bool | int | np.integer | np.bool_) or value not in (0, 1):
                raise ValueError(f"draw_circuit: the value of {name!r} must be 0 or 1, got {value!r}")
        return circuit

    @property
    def counted(self) -> str:
        """Number of gates, in all and by kind, and depth."""
        kinds = Counter([gate.kind for gate in self.gates.values()])
        told = ", ".join([f"{kinds[kind]:,} {kind}" for kind in SHAPES if kinds[kind]])
        return f"{counted(self.gates, 'gate')} ({told}), depth {max(self.depth.values())}"


def counted(things: Sized, word: str) -> str:
    """How many there are, as a reader says it."""
    return f"{len(things):,} {word}{'s' * (len(things) != 1)}"


def _checked(given: Any) -> Gate:
    """A gate of the user's as a `Gate` that makes sense."""
    try:
        gate = Gate(given.name, given.kind.upper(), tuple(given.inputs), tuple(getattr(given, "negated", ())))
        named = not isinstance(given.inputs, str) and all([isinstance(name, str) for name in (gate.name, *gate.inputs)])
    except (AttributeError, TypeError):
        named = False
    if not named:
        raise TypeError(
            f"draw_circuit needs gates with a name, a kind, and a tuple of names as inputs, not {given!r:.80}"
        )
    if gate.kind not in SHAPES:
        raise ValueError(f"draw_circuit: {gate.name!r} is of kind {given.kind!r}; known are {', '.join(SHAPES)}")
    single = SHAPES[gate.kind][0] == "triangle"
    if not gate.inputs or (single and len(gate.inputs) > 1):
        needed = "one input" if single else "at least one input"
        raise ValueError(f"draw_circuit: {gate.name!r} ({gate.kind}) needs {needed}, got {len(gate.inputs)}")
    if not set(gate.negated) <= set(range(len(gate.inputs))):
        raise ValueError(f"draw_circuit: {gate.name!r} has {len(gate.inputs)} inputs; negated={gate.negated} is beyond")
    return gate


def _depths(gates: Mapping[str, Gate], inputs: Sequence[str]) -> dict[str, int]:
    """The depth of every signal: 0 for inputs, then one more than the deepest that a gate takes in."""
    depth = dict.fromkeys(inputs, 0)
    users: dict[str, list[str]] = {}
    waiting = {name: len(set(gate.inputs)) for name, gate in gates.items()}
    for name, gate in gates.items():
        for source in dict.fromkeys(gate.inputs):
            users.setdefault(source, []).append(name)
    ready = list(inputs)
    for signal in ready:  # grows as it is read
        for user in users.get(signal, []):
            waiting[user] -= 1
            if not waiting[user]:
                depth[user] = 1 + max([depth[source] for source in gates[user].inputs])
                ready.append(user)
    stuck = [name for name, count in waiting.items() if count]
    if stuck:
        raise ValueError(f"draw_circuit: the signals of these gates go round in a circle: {stuck[:8]}")
    return depth


def by_kind(circuit: Circuit) -> Circuit:
    """The same circuit with one gate for all of the same kind, depth and number of inputs."""
    home = {name: f"{circuit.depth[name]} {gate.kind} {len(gate.inputs)}" for name, gate in circuit.gates.items()}
    depth = {home[name]: circuit.depth[name] for name in circuit.gates}
    return _summary(circuit, home, depth, circuit.columns, "gates of one kind and depth are drawn as one")


def by_depth(circuit: Circuit) -> Circuit:
    """The same circuit in at most eight boxes, each for a range of depths."""
    last = max(circuit.depth.values())
    size = -(-last // 8)
    columns = [f"depth {first}–{min(first + size - 1, last)}" for first in range(1, last + 1, size)]
    column = {name: (circuit.depth[name] - 1) // size for name in circuit.gates}
    home = {name: columns[i] for name, i in column.items()}
    depth = {columns[i]: i + 1 for i in range(len(columns))}
    return _summary(circuit, home, depth, columns, "a box stands for several depths")


def _summary(
    circuit: Circuit, home: Mapping[str, str], depth: Mapping[str, int], columns: list[str], how: str
) -> Circuit:
    """The circuit with one gate for all that have the same home."""
    feed = counted(circuit.inputs, "input")
    members: dict[str, list[Gate]] = {}
    for name, gate in circuit.gates.items():
        members.setdefault(home[name], []).append(gate)
    gates, captions = {}, {}
    for group, inside in members.items():
        kinds = Counter([gate.kind for gate in inside])
        sources = [home.get(name, feed) for gate in inside for name in gate.inputs]
        kind = inside[0].kind if len(kinds) == 1 else "several"
        gates[group] = Gate(group, kind, tuple([s for s in dict.fromkeys(sources) if s != group]))
        captions[group] = [f"{kinds[kind]:,} × {kind}" for kind in SHAPES if kinds[kind]]
    leaving = Counter([home.get(signal, feed) for _, signal in circuit.outputs])
    outputs = [(f"{count:,} output{'s' * (count > 1)}", group) for group, count in leaving.items()]
    return Circuit(gates, [feed], outputs, {feed: 0, **depth}, {}, True, columns, captions, how)
