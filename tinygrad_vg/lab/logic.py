"""Circuits of logic gates that compute: universal ones of two levels, adders, multipliers, and parity in two ways.

Sizes are counted as the chapter does: a gate may have many inputs, and to negate an input costs nothing. XOR counts as
a gate in adders, multipliers and the deep parity circuit; the circuits of two levels have AND and OR alone.

Source: Nielsen, "Neural Networks and Deep Learning", ch. 5, introduction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tinygrad_vg.checks import Array
from tinygrad_vg.drawing.circuits.gates import Gate, draw_circuit
from tinygrad_vg.lab.settings import count

__all__ = [
    "Circuit",
    "Gate",
    "array_multiplier",
    "bits_of",
    "deep_parity",
    "full_adder",
    "half_adder",
    "implicants",
    "number_of",
    "ripple_adder",
    "shallow_parity",
    "two_level",
]

COMPUTES: dict[str, tuple[Any, bool]] = {
    "AND": (np.logical_and, False),
    "OR": (np.logical_or, False),
    "XOR": (np.logical_xor, False),
    "NAND": (np.logical_and, True),
    "NOR": (np.logical_or, True),
    "XNOR": (np.logical_xor, True),
    "NOT": (np.logical_and, True),
    "BUFFER": (np.logical_and, False),
}
"""For each kind of gate what joins its inputs, and whether the result is negated."""


@dataclass(frozen=True, eq=False, repr=False)
class Circuit:
    """Gates and the wires between them.

    Attributes
    ----------
    inputs : tuple of str
        Names.
    gates : tuple of Gate
        Each after those it takes in.
    outputs : mapping of str to str
        The signal that each output is.
    title : str
        What it is.

    Raises
    ------
    ValueError
        If a name stands for two signals, a kind of gate is unknown, or a gate or an output takes in a signal that does
        not stand before it.

    Examples
    --------
    >>> half_adder()
    <Half adder: 2 gates (1 XOR, 1 AND), depth 1>
    >>> half_adder()(a=1, b=1)
    {'sum': 0, 'carry': 1}
    """

    inputs: tuple[str, ...]
    gates: tuple[Gate, ...]
    outputs: Mapping[str, str]
    title: str = "Circuit"

    def __post_init__(self) -> None:
        known = set(self.inputs)
        if not known or len(known) < len(self.inputs):
            raise ValueError(f"{self.title}: the inputs need names, each its own, not {list(self.inputs)}")
        for gate in self.gates:
            single = gate.kind in ("NOT", "BUFFER")
            if gate.kind not in COMPUTES or not gate.inputs or (single and len(gate.inputs) > 1):
                raise ValueError(f"{self.title}: {gate.name!r} is no gate: {gate.kind!r} of {len(gate.inputs)} inputs")
            if not set(gate.negated) <= set(range(len(gate.inputs))):
                raise ValueError(f"{self.title}: {gate.name!r} has no input {gate.negated}")
            missing = [name for name in gate.inputs if name not in known]
            if missing or gate.name in known:
                why = f"takes in {missing[0]!r}, which does not stand before it" if missing else "is there already"
                raise ValueError(f"{self.title}: {gate.name!r} {why}")
            known.add(gate.name)
        missing = [signal for signal in self.outputs.values() if signal not in known]
        if missing or not self.outputs:
            raise ValueError(f"{self.title}: the outputs must be signals of the circuit, not {missing}")

    # ------------------------------------------------------------------------------------------------------------- size

    @property
    def size(self) -> int:
        """Number of gates."""
        return len(self.gates)

    @cached_property
    def depth(self) -> int:
        """Gates on the longest way from an input to an output."""
        depth = dict.fromkeys(self.inputs, 0)
        for gate in self.gates:
            depth[gate.name] = 1 + max([depth[name] for name in gate.inputs])
        return max([depth[signal] for signal in self.outputs.values()])

    @property
    def kinds(self) -> Counter[str]:
        """How many gates of each kind."""
        return Counter([gate.kind for gate in self.gates])

    # ------------------------------------------------------------------------------------------------------- evaluation

    def signals(self, values: Mapping[str, Any]) -> dict[str, Array]:
        """The value of every signal.

        Parameters
        ----------
        values : mapping of str to 0, 1, or an array of these
            Of every input; arrays are broadcast against each other.

        Returns
        -------
        dict of str to ndarray of bool
            All of one shape.

        Raises
        ------
        ValueError
            If a value is missing, belongs to no input, or is neither 0 nor 1.
        """
        if set(values) != set(self.inputs):
            raise ValueError(f"{self.title}: values are needed for {list(self.inputs)}, given for {list(values)}")
        given = np.broadcast_arrays(*[np.asarray(values[name]) for name in self.inputs])
        found: dict[str, Array] = {}
        for name, value in zip(self.inputs, given, strict=True):
            if value.dtype.kind not in "biuf" or not np.all((value == 0) | (value == 1)):
                raise ValueError(f"{self.title}: {name} must be 0 or 1, not {values[name]!r:.40}")
            found[name] = value.astype(bool)
        for gate in self.gates:
            join, negate = COMPUTES[gate.kind]
            taken = [
                np.logical_not(found[name]) if i in gate.negated else found[name] for i, name in enumerate(gate.inputs)
            ]
            out = np.array(taken[0])
            for value in taken[1:]:
                join(out, value, out=out)
            found[gate.name] = np.asarray(~out if negate else out)
        return found

    def __call__(self, **values: Any) -> dict[str, Any]:
        """The outputs by name: 0 or 1 for single values, arrays of bool for arrays."""
        found = self.signals(values)
        return {name: found[s] if found[s].ndim else int(found[s]) for name, s in self.outputs.items()}

    def truth_table(self) -> Array:
        """The outputs for all values of the inputs.

        Returns
        -------
        ndarray of bool, shape (2 ** inputs, outputs)
            In row i the inputs are the binary digits of i, the first input its highest.
        """
        n = len(self.inputs)
        found = self(**dict(zip(self.inputs, bits_of(np.arange(2**n), n)[::-1], strict=True)))
        return np.stack(list(found.values()), axis=1)

    # ---------------------------------------------------------------------------------------------------------- drawing

    def draw(self, values: Mapping[str, int] | None = None, **options: Any) -> Any:
        """Draw it, on request with the value of every wire.

        Parameters
        ----------
        values : mapping of str to 0 or 1, optional
            Of every input.
        **options
            As for `tinygrad_vg.drawing.circuits.gates.draw_circuit`: `theme`, `max_gates`, and the order of the
            `inputs` from the top, by default one in which few wires cross.
        """
        signals = None if values is None else {name: int(value) for name, value in self.signals(values).items()}
        if not set(self.inputs) <= {name for gate in self.gates for name in gate.inputs}:
            options = {"inputs": self.inputs, **options}  # the drawing cannot know of one that no gate takes in
        return draw_circuit(self.gates, dict(self.outputs), values=signals, title=self.title, **options)

    def __repr__(self) -> str:
        kinds = ", ".join([f"{number:,} {kind}" for kind, number in self.kinds.items()])
        return f"<{self.title}: {self.size:,} gate{'s' * (self.size != 1)} ({kinds}), depth {self.depth}>"


# ---------------------------------------------------------------------------------------------------- numbers and bits


def bits_of(numbers: Any, n: int) -> list[Array]:
    """The lowest `n` binary digits of non-negative integers, the lowest first."""
    return [np.asarray(numbers) >> i & 1 for i in range(n)]


def number_of(bits: Sequence[Any]) -> Any:
    """The integers with these binary digits, the lowest first."""
    return sum([np.asarray(bit).astype(np.int64) << i for i, bit in enumerate(bits)])


# ----------------------------------------------------------------------------------------------------------- two levels


def two_level(table: Sequence[Any] | Array, title: str = "") -> Circuit:
    """The circuit of depth 2 that computes any function given: an AND for every row that is 1, and an OR of them all.

    Parameters
    ----------
    table : sequence of 0 and 1
        The function's 2ⁿ values; in row i its n arguments x1 … xn are the binary digits of i, x1 the highest.
    title : str
        What it computes.

    Raises
    ------
    ValueError
        If there are not 2, 4, 8 … values, or one is neither 0 nor 1.

    Examples
    --------
    >>> two_level([0, 1, 1, 0])
    <Two levels for a function of 2 bits: 3 gates (2 AND, 1 OR), depth 2>
    """
    values = np.asarray(table)
    n = values.size.bit_length() - 1
    if values.ndim != 1 or n < 1 or values.size != 2**n or not np.all((values == 0) | (values == 1)):
        raise ValueError(f"two_level: the table must have 2, 4, 8 … values, all 0 or 1, not {table!r:.60}")
    names = tuple([f"x{i}" for i in range(1, n + 1)])
    digits = bits_of(np.arange(2**n), n)[::-1]
    terms = []
    for k, row in enumerate(np.flatnonzero(values), start=1):
        negated = tuple([i for i in range(n) if not digits[i][row]])
        terms.append(Gate(f"t{k}", "AND", names, negated))
    if not terms:  # nothing is 1: x1 and not x1
        terms = [Gate("t1", "AND", ("x1", "x1"), (1,))]
    every = Gate("y", "OR", tuple([gate.name for gate in terms]))
    return Circuit(names, (*terms, every), {"y": "y"}, title or f"Two levels for a function of {n} bits")


def implicants(table: Sequence[Any] | Array) -> Array:
    """Which AND terms may stand in an OR that computes the function: those that are 1 only where it is.

    Parameters
    ----------
    table : sequence of 0 and 1
        As for `two_level`.

    Returns
    -------
    ndarray of bool, shape (3,) * n
        At each place 0 stands for a negated argument, 1 for the argument, 2 for one that the term leaves out.
    """
    values = np.asarray(table).astype(bool)
    found = values.reshape((2,) * (values.size.bit_length() - 1))
    for axis in range(found.ndim):
        without = np.all(found, axis=axis, keepdims=True)
        found = np.concatenate([found, without], axis=axis)
    return found


# -------------------------------------------------------------------------------------------------- adders, multipliers


def _half(gates: list[Gate], place: str, a: str, b: str) -> tuple[str, str]:
    """Add two bits: sum and carry."""
    gates += [Gate(f"s{place}", "XOR", (a, b)), Gate(f"c{place}", "AND", (a, b))]
    return f"s{place}", f"c{place}"


def _full(gates: list[Gate], place: str, a: str, b: str, carry: str) -> tuple[str, str]:
    """Add three bits: sum and carry."""
    gates += [
        Gate(f"x{place}", "XOR", (a, b)),
        Gate(f"s{place}", "XOR", (f"x{place}", carry)),
        Gate(f"g{place}", "AND", (a, b)),
        Gate(f"h{place}", "AND", (f"x{place}", carry)),
        Gate(f"c{place}", "OR", (f"g{place}", f"h{place}")),
    ]
    return f"s{place}", f"c{place}"


def _add(gates: list[Gate], label: str, a: Sequence[str], b: Sequence[str]) -> list[str]:
    """Add two numbers bit by bit, the carry rippling through: the bits of the sum; `a` may be the shorter."""
    sums, carry = [], ""
    for i, bit in enumerate(b):
        inside = [*a[i : i + 1], bit, *([carry] if carry else [])]
        add = _full if len(inside) == 3 else _half
        total, carry = add(gates, f"{label}{i}", *inside)
        sums.append(total)
    return [*sums, carry]


def half_adder() -> Circuit:
    """Adds two bits."""
    gates: list[Gate] = []
    total, carry = _half(gates, "", "a", "b")
    return Circuit(("a", "b"), tuple(gates), {"sum": total, "carry": carry}, "Half adder")


def full_adder() -> Circuit:
    """Adds three bits: two of a place, and the carry from the place below."""
    gates: list[Gate] = []
    total, carry = _full(gates, "", "a", "b", "c_in")
    return Circuit(("a", "b", "c_in"), tuple(gates), {"sum": total, "carry": carry}, "Full adder")


def ripple_adder(n: int) -> Circuit:
    """Adds two numbers of `n` bits with a half adder and n − 1 full adders: 2 + 5(n − 1) gates.

    Its inputs are a0, a1 … and b0, b1 …, its outputs s0, s1 …, the lowest bit first.
    """
    a, b = _numbered("a", count(n, "n")), _numbered("b", n)
    gates: list[Gate] = []
    sums = _add(gates, "", a, b)
    return Circuit((*a, *b), tuple(gates), dict(zip(_numbered("s", n + 1), sums, strict=True)), f"{n}-bit adder")


def array_multiplier(n: int) -> Circuit:
    """Multiplies two numbers of `n` bits as on paper: n² ANDs, then n − 1 adders, in all 6n² − 8n gates from n = 2.

    Its inputs are a0, a1 … and b0, b1 …, its outputs p0, p1 …, the lowest bit first.
    """
    a, b = _numbered("a", count(n, "n")), _numbered("b", n)
    gates = [Gate(f"m{i}.{j}", "AND", (a[i], b[j])) for j in range(n) for i in range(n)]
    rows = [[f"m{i}.{j}" for i in range(n)] for j in range(n)]
    product, rest = rows[0][:1], rows[0][1:]
    for j in range(1, n):
        low, *rest = _add(gates, f"{j}.", rest, rows[j])
        product.append(low)
    product += rest
    return Circuit(
        (*a, *b), tuple(gates), dict(zip(_numbered("p", len(product)), product, strict=True)), f"{n}×{n} multiplier"
    )


# --------------------------------------------------------------------------------------------------------------- parity


def shallow_parity(n: int) -> Circuit:
    """Whether the number of ones among `n` bits is odd, in two levels: 2ⁿ⁻¹ ANDs and an OR."""
    digits = bits_of(np.arange(2 ** count(n, "n")), n)
    return two_level(np.bitwise_xor.reduce(digits), f"Parity of {n} bits, two levels")


def deep_parity(n: int, *, xor: bool = True) -> Circuit:
    """Whether the number of ones among `n` bits is odd, by a tree: n − 1 XORs, depth ⌈log₂ n⌉.

    Parameters
    ----------
    n : int
        Bits, at least 2.
    xor : bool
        Whether there are XOR gates. If not, each is made of two ANDs and an OR: 3(n − 1) gates, of twice the depth.
    """
    names = _numbered("x", count(n, "n", 2) + 1)[1:]
    gates: list[Gate] = []
    level = list(names)
    while len(level) > 1:
        above = [_xor(gates, a, b, xor=xor) for a, b in zip(level[::2], level[1::2], strict=False)]
        level = above + level[len(above) * 2 :]
    alone = "" if xor else ", AND and OR"
    return Circuit(tuple(names), tuple(gates), {"y": level[0]}, f"Parity of {n} bits, a tree{alone}")


def _xor(gates: list[Gate], a: str, b: str, *, xor: bool) -> str:
    """The XOR of two signals, as one gate or as three."""
    k = len(gates) if xor else len(gates) // 3
    if xor:
        gates.append(Gate(f"y{k + 1}", "XOR", (a, b)))
    else:
        one, other = Gate(f"u{k + 1}", "AND", (a, b), (1,)), Gate(f"v{k + 1}", "AND", (a, b), (0,))
        gates += [one, other, Gate(f"y{k + 1}", "OR", (one.name, other.name))]
    return f"y{k + 1}"


def _numbered(letter: str, n: int) -> list[str]:
    return [f"{letter}{i}" for i in range(n)]
