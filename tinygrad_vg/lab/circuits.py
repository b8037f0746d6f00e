"""What depth buys a circuit: two levels compute anything, but parity takes them 2ⁿ⁻¹ terms, and a tree n − 1 gates.

Source: Nielsen, "Neural Networks and Deep Learning", ch. 5, introduction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from tinygrad_vg.lab.logic import (
    Circuit,
    array_multiplier,
    bits_of,
    deep_parity,
    full_adder,
    half_adder,
    implicants,
    number_of,
    ripple_adder,
    shallow_parity,
    two_level,
)
from tinygrad_vg.lab.plotting import name_curve
from tinygrad_vg.lab.results import Claim, Result, Table
from tinygrad_vg.lab.settings import Progress, count, seed_list

__all__ = ["run"]

TOLD = (4, 8, 10, 12)
"""Numbers of bits whose parity circuits are told in words."""
KINDS = ("adder", "multiplier")


class Built(NamedTuple):
    """A circuit that was built and tried on every input.

    Attributes
    ----------
    kind
        ``half adder``, ``full adder``, ``adder`` or ``multiplier``.
    bits
        Of each of its arguments.
    circuit
        Itself.
    expected
        How many gates it should have.
    inputs
        On how many inputs it was tried.
    right
        Whether it was right on all of them.
    """

    kind: str
    bits: int
    circuit: Circuit
    expected: int
    inputs: int
    right: bool

    @property
    def as_claimed(self) -> bool:
        """Right, and of the expected size."""
        return self.right and self.circuit.size == self.expected


class Parity(NamedTuple):
    """The circuits for the parity of some bits.

    Attributes
    ----------
    bits
        How many.
    shallow, deep, plain
        Of two levels; a tree of XORs; the same tree of AND and OR alone.
    widest
        How many rows of the truth table are covered by the largest term that may stand in a circuit of two levels.
    right
        Whether all three were right on all inputs.
    """

    bits: int
    shallow: Circuit
    deep: Circuit
    plain: Circuit
    widest: int
    right: bool

    @property
    def terms(self) -> int:
        """The AND terms of the shallow one."""
        return self.shallow.kinds["AND"]


def run(
    *,
    quick: bool = False,
    seeds: int | None = None,
    data: Any = None,
    progress: Progress = None,
    adder_bits: int = 8,
    multiplier_bits: int = 8,
    parity_bits: int = 12,
    function_bits: int = 8,
) -> Result:
    """Build the chapter's circuits, try them on all their inputs, and count their gates.

    Parameters
    ----------
    quick : bool
        Fewer random functions; the circuits are the same, since all are made in seconds.
    seeds : int, optional
        How many random functions of each number of bits beyond 3 are tried.
    data
        Not used: circuits need none.
    progress : callable, optional
        ``progress(done, total)`` after each number of bits of each kind of circuit.
    adder_bits, multiplier_bits, parity_bits, function_bits : int
        The largest circuits: at least 1, 2, 2 and 3, at most 10, 10, 14 and 12 (all inputs are tried).

    Returns
    -------
    Result

    Raises
    ------
    TypeError, ValueError
        For settings that are no such integers.
    """
    chosen = seed_list(seeds, 5 if quick else 20)
    limits = {"adder_bits": (1, 10), "multiplier_bits": (2, 10), "parity_bits": (2, 14), "function_bits": (3, 12)}
    given = (adder_bits, multiplier_bits, parity_bits, function_bits)
    sizes = {name: _between(value, name, *limits[name]) for name, value in zip(limits, given, strict=True)}
    adders_to, multipliers_to, parity_to, functions_to = sizes.values()
    units: list[Callable[[], Any]] = [partial(_functions, n, chosen) for n in range(2, functions_to + 1)]
    units += [partial(_adder, n) for n in range(1, adders_to + 1)]
    units += [partial(_multiplier, n) for n in range(2, multipliers_to + 1)]
    units += [partial(_parity, n) for n in range(2, parity_to + 1)]
    made: list[Any] = []
    for unit in units:
        made.append(unit())
        if progress is not None:
            progress(len(made), len(units))
    functions = made[: functions_to - 1]
    arithmetic = [_small("half adder", half_adder(), 2), _small("full adder", full_adder(), 5)]
    arithmetic += [b for b in made if isinstance(b, Built)]
    parity = [p for p in made if isinstance(p, Parity)]
    return Result(
        name="circuits",
        title="Shallow and deep circuits",
        settings={"quick": bool(quick), "seeds": chosen, **sizes},
        data={
            "functions": np.array(functions),
            **{f"{kind}_bits": np.array([b.bits for b in arithmetic if b.kind == kind]) for kind in KINDS},
            **{f"{kind}_gates": np.array([b.circuit.size for b in arithmetic if b.kind == kind]) for kind in KINDS},
            "parity_bits": np.array([p.bits for p in parity]),
            "shallow_terms": np.array([p.terms for p in parity]),
            "deep_gates": np.array([p.deep.size for p in parity]),
            "deep_depth": np.array([p.deep.depth for p in parity]),
            "and_or_gates": np.array([p.plain.size for p in parity]),
            "and_or_depth": np.array([p.plain.depth for p in parity]),
        },
        tables=(_parity_table(parity), _arithmetic_table(arithmetic), _functions_table(functions)),
        claims=(_universal(functions), *_sizes(arithmetic), _shallow(parity), _deep(parity)),
        draw=partial(_figure, arithmetic, parity),
        pictures={
            "full-adder": partial(full_adder().draw, {"a": 1, "b": 0, "c_in": 1}),
            "adder-4-bits": ripple_adder(4).draw,
            "multiplier-2-bits": array_multiplier(2).draw,
            "parity-4-bits-two-levels": shallow_parity(4).draw,
            "parity-8-bits-tree": deep_parity(8).draw,
        },
    )


def _between(value: Any, name: str, least: int, most: int) -> int:
    if count(value, name, least) > most:
        raise ValueError(f"{name} must be at most {most}, got {value}: all inputs are tried")
    return int(value)


# ------------------------------------------------------------------------------------------------- building and trying


def _functions(n: int, seeds: Sequence[int]) -> tuple[int, int, int, int]:
    """Two-level circuits of functions of n bits, all of 2 and 3 bits: bits, tried, right, the most AND terms."""
    if n <= 3:
        tables = np.stack(bits_of(np.arange(2 ** (2**n)), 2**n), axis=1)
    else:
        tables = np.array([np.random.default_rng([seed, n]).integers(0, 2, 2**n) for seed in seeds])
    right, terms = 0, 0
    for table in tables:
        circuit = two_level(table)
        right += bool(circuit.depth == 2 and np.array_equal(circuit.truth_table()[:, 0], table))
        terms = max(terms, circuit.kinds["AND"])
    return n, len(tables), right, terms


def _small(kind: str, circuit: Circuit, expected: int) -> Built:
    """A half or full adder: the sum is the number of ones."""
    ones = np.sum(bits_of(np.arange(2 ** len(circuit.inputs)), len(circuit.inputs)), axis=0)
    right = np.array_equal(number_of(list(circuit.truth_table().T)), ones)
    return Built(kind, 1, circuit, expected, len(ones), right)


def _adder(n: int) -> Built:
    return _tried("adder", ripple_adder(n), n, 2 + 5 * (n - 1), np.add)


def _multiplier(n: int) -> Built:
    return _tried("multiplier", array_multiplier(n), n, 6 * n * n - 8 * n, np.multiply)


def _tried(kind: str, circuit: Circuit, n: int, expected: int, operation: Any) -> Built:
    """The circuit on all pairs of numbers of n bits."""
    a, b = (np.ravel(x) for x in np.meshgrid(np.arange(2**n), np.arange(2**n)))
    values = {f"a{i}": bit for i, bit in enumerate(bits_of(a, n))} | {
        f"b{i}": bit for i, bit in enumerate(bits_of(b, n))
    }
    right = np.array_equal(number_of(list(circuit(**values).values())), operation(a, b))
    return Built(kind, n, circuit, expected, len(a), right)


def _parity(n: int) -> Parity:
    circuits = shallow_parity(n), deep_parity(n), deep_parity(n, xor=False)
    odd = np.sum(bits_of(np.arange(2**n), n), axis=0) % 2
    right = all([np.array_equal(circuit.truth_table()[:, 0], odd) for circuit in circuits])
    left_out = np.sum(np.argwhere(implicants(odd)) == 2, axis=1)
    return Parity(n, *circuits, 2 ** int(left_out.max()), right)


# ------------------------------------------------------------------------------------------------------ tables, claims


def _parity_table(parity: Sequence[Parity]) -> Table:
    return Table.of(
        ("bits", "two levels: ANDs", "gates", "tree: XORs", "depth", "of AND and OR: gates", "depth"),
        [
            (p.bits, f"{p.terms:,}", f"{p.shallow.size:,}", p.deep.size, p.deep.depth, p.plain.size, p.plain.depth)
            for p in parity
        ],
        "Parity",
    )


def _arithmetic_table(arithmetic: Sequence[Built]) -> Table:
    return Table.of(
        ("circuit", "gates", "expected", "depth", "inputs tried", "all right"),
        [
            (b.circuit.title, b.circuit.size, b.expected, b.circuit.depth, f"{b.inputs:,}", "yes" if b.right else "no")
            for b in arithmetic
        ],
        "Adders and multipliers",
    )


def _functions_table(functions: Sequence[tuple[int, int, int, int]]) -> Table:
    return Table.of(
        ("bits", "functions", "right", "most ANDs"),
        [
            (n, f"{tried} {'(all)' if tried == 2**2**n else '(random)'}", right, most)
            for n, tried, right, most in functions
        ],
        "Functions of two levels",
    )


def _universal(functions: Sequence[tuple[int, int, int, int]]) -> Claim:
    whole = ", ".join([f"{right} of {tried} functions of {n} bits" for n, tried, right, _ in functions if n <= 3])
    random = [f for f in functions if f[0] > 3]
    rest = (
        f"; {sum([f[2] for f in random])} of {sum([f[1] for f in random])} random ones of up to {functions[-1][0]} bits"
    )
    return Claim(
        "a circuit of two levels (ANDs and an OR of many inputs, negated inputs free) computes any function",
        "",
        whole + rest * bool(random),
        f"{sum([f[1] for f in functions])} functions, all inputs",
        all([tried == right for _, tried, right, _ in functions]),
        "1",
    )


def _sizes(arithmetic: Sequence[Built]) -> tuple[Claim, Claim]:
    adders = [b for b in arithmetic if b.kind != "multiplier"]
    multipliers = [b for b in arithmetic if b.kind == "multiplier"]
    return (
        _built(
            "adders are made of bit adders: a half adder takes 2 gates, a full adder 5, n bits 2 + 5(n − 1)", adders
        ),
        _built("a multiplier is made of adders: an n×n array takes 6n² − 8n gates", multipliers),
    )


def _built(says: str, built: Sequence[Built]) -> Claim:
    sizes = [
        f"{b.circuit.title} {b.circuit.size}" for b in built if b.bits in (1, 2, 4, 8) and b.circuit.title[0] != "1"
    ]
    wrong = sum([not b.right for b in built])
    tried = "all right on every input" if not wrong else f"{wrong} wrong"
    total = sum([b.inputs for b in built])
    return Claim(
        says,
        "",
        f"{', '.join(sizes)}; {tried}",
        f"{len(built)} circuits, {total:,} inputs",
        all([b.as_claimed for b in built]),
        "2",
    )


def _told(parity: Sequence[Parity]) -> list[Parity]:
    return [p for p in parity if p.bits in TOLD] or list(parity[-1:])


def _listed(values: Sequence[Any]) -> str:
    return ", ".join([f"{value:,}" for value in values])


def _shallow(parity: Sequence[Parity]) -> Claim:
    told, widest = _told(parity), max([p.widest for p in parity])
    fewer = (
        "no term that fits covers two rows, so none can be spared" if widest == 1 else f"a term covers {widest} rows"
    )
    return Claim(
        "parity in two levels takes 2ⁿ⁻¹ AND terms, and no fewer will do",
        "exponentially many gates",
        f"{_listed([p.terms for p in told])} for n = {_listed([p.bits for p in told])}; {fewer}",
        f"n = 2 … {parity[-1].bits}, all inputs",
        all([p.right and p.terms == 2 ** (p.bits - 1) and p.widest == 1 for p in parity]),
        "3",
    )


def _deep(parity: Sequence[Parity]) -> Claim:
    told = _told(parity)
    return Claim(
        "a tree computes parity with n − 1 XOR gates, in depth ⌈log₂ n⌉",
        "a small circuit",
        f"{_listed([p.deep.size for p in told])} gates, depth {_listed([p.deep.depth for p in told])} "
        f"for n = {_listed([p.bits for p in told])}",
        f"n = 2 … {parity[-1].bits}, all inputs",
        all([p.right and p.deep.size == p.bits - 1 and p.deep.depth == (p.bits - 1).bit_length() for p in parity]),
        "4",
    )


# ------------------------------------------------------------------------------------------------------------- picture


def _figure(arithmetic: Sequence[Built], parity: Sequence[Parity]) -> Any:
    from matplotlib.figure import Figure

    from tinygrad_vg.drawing.plots import PALETTE, plot_style

    with plot_style():
        figure = Figure(figsize=(9.2, 4.2), layout="constrained")
        left, right = figure.subplots(1, 2)
        n = [p.bits for p in parity]
        curves = [
            ([p.shallow.size for p in parity], "o-", PALETTE[1], "two levels\n2ⁿ⁻¹ ANDs, 1 OR"),
            ([p.plain.size for p in parity], "s--", PALETTE[2], "tree of AND and OR\n3(n − 1)"),
            ([p.deep.size for p in parity], "^:", PALETTE[0], "tree of XOR\nn − 1"),
        ]
        for sizes, style, colour, words in curves:
            left.semilogy(n, sizes, style, color=colour, ms=4)
            name_curve(left, n[-1], sizes[-1], words)
        _sizes_beside(left, [(p.bits, p.shallow.size) for p in parity if p.bits in TOLD])
        left.set(title="Parity of n bits", xlabel="n", ylabel="gates", xticks=n[:: -(-len(n) // 6)])
        for kind, style, colour, words in (
            ("adder", "o-", PALETTE[0], "adder\n5n − 3"),
            ("multiplier", "s--", PALETTE[1], "multiplier\n6n² − 8n"),
        ):
            found = [(b.bits, b.circuit.size) for b in arithmetic if b.kind == kind]
            right.plot(*zip(*found, strict=True), style, color=colour, ms=4)
            name_curve(right, *found[-1], words)
            _sizes_beside(right, [(bits, size) for bits, size in found if bits in TOLD])
        right.set(title="Two numbers of n bits", xlabel="n", ylabel="gates")
        right.set_ylim(bottom=0)
    return figure


def _sizes_beside(axes: Any, points: Sequence[tuple[int, int]]) -> None:
    for x, y in points:
        axes.annotate(f"{y:,}", (x, y), (-5, 6), textcoords="offset points", ha="right", fontsize=9)
