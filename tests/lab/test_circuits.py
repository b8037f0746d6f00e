"""Circuits compute what they should on every input, have the chapter's sizes, and a wrong one is found out."""

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from tinygrad_vg.lab import circuits, logic
from tinygrad_vg.lab.logic import Circuit, Gate

SMALL = {"quick": True, "adder_bits": 4, "multiplier_bits": 4, "parity_bits": 8, "function_bits": 4, "seeds": 2}


# ---------------------------------------------------------------------------------------------------------- evaluation

PYTHON = {
    "AND": all,
    "OR": any,
    "XOR": lambda bits: sum(bits) % 2 == 1,
    "NAND": lambda bits: not all(bits),
    "NOR": lambda bits: not any(bits),
    "XNOR": lambda bits: sum(bits) % 2 == 0,
    "NOT": lambda bits: not bits[0],
    "BUFFER": lambda bits: bits[0],
}


@pytest.mark.parametrize("kind", PYTHON)
def test_every_kind_of_gate(kind):
    assert set(logic.COMPUTES) == set(PYTHON)
    for n in (1,) if kind in ("NOT", "BUFFER") else (1, 2, 3):
        for k in range(n + 1):
            for negated in itertools.combinations(range(n), k):
                names = tuple("abc"[:n])
                circuit = Circuit(names, (Gate("g", kind, names, negated),), {"y": "g"})
                for bits in itertools.product([0, 1], repeat=n):
                    seen = [bit ^ (i in negated) for i, bit in enumerate(bits)]
                    assert circuit(**dict(zip(names, bits, strict=True))) == {"y": int(PYTHON[kind](seen))}


def test_a_gate_leaves_its_inputs_alone():
    circuit = Circuit(("a", "b"), (Gate("g", "AND", ("a", "b")), Gate("h", "OR", ("a", "g"))), {"a": "a", "h": "h"})
    a, b = np.array([0, 1, 1]), np.array([1, 0, 1])
    found = circuit(a=a, b=b)
    assert_array_equal(found["a"], [False, True, True])
    assert_array_equal(found["h"], [False, True, True])
    assert_array_equal(a, [0, 1, 1])


def test_the_first_input_is_the_highest_digit():
    circuit = Circuit(("x", "y"), (Gate("g", "AND", ("x", "y"), (1,)),), {"g": "g"})
    assert_array_equal(circuit.truth_table()[:, 0], [0, 0, 1, 0])  # x and not y: row 10
    assert_array_equal(logic.two_level([0, 0, 1, 0]).truth_table()[:, 0], [0, 0, 1, 0])


@pytest.mark.parametrize(
    ("inputs", "gates", "outputs", "words"),
    [
        ((), (), {}, "inputs need names"),
        (("a", "a"), (), {"a": "a"}, "each its own"),
        (("a",), (Gate("g", "MAYBE", ("a",)),), {"g": "g"}, "no gate: 'MAYBE'"),
        (("a", "b"), (Gate("g", "NOT", ("a", "b")),), {"g": "g"}, "'NOT' of 2 inputs"),
        (("a",), (Gate("g", "AND", ("a",), (1,)),), {"g": "g"}, "has no input"),
        (("a",), (Gate("g", "AND", ("h",)), Gate("h", "NOT", ("a",))), {"g": "g"}, "'h', which does not stand before"),
        (("a",), (Gate("g", "AND", ("a", "g")),), {"g": "g"}, "does not stand before"),
        (("a",), (Gate("a", "NOT", ("a",)),), {"a": "a"}, "is there already"),
        (("a",), (), {"y": "z"}, "outputs must be signals"),
        (("a",), (), {}, "outputs must be signals"),
    ],
)
def test_a_circuit_that_is_none(inputs, gates, outputs, words):
    with pytest.raises(ValueError, match=words):
        Circuit(inputs, gates, outputs)


@pytest.mark.parametrize("values", [{"a": 1}, {"a": 1, "b": 1, "c": 1}, {"a": 1, "b": 2}, {"a": "1", "b": 0}])
def test_values_that_are_none(values):
    with pytest.raises(ValueError, match="Half adder: "):
        logic.half_adder()(**values)


# ----------------------------------------------------------------------------------------------- the chapter's circuits


@pytest.mark.parametrize("n", [1, 2, 3])
def test_two_levels_compute_every_function(n):
    for table in itertools.product([0, 1], repeat=2**n):
        circuit = logic.two_level(table)
        assert_array_equal(circuit.truth_table()[:, 0], table)
        assert circuit.depth == 2
        assert set(circuit.kinds) == {"AND", "OR"}
        assert circuit.kinds["AND"] == max(1, sum(table))


@pytest.mark.parametrize("table", [[], [1], [0, 1, 1], [0, 1, 2, 0], [[0, 1], [1, 0]]])
def test_tables_that_are_none(table):
    with pytest.raises(ValueError, match="2, 4, 8"):
        logic.two_level(table)


def test_implicants_by_hand_and_by_force():
    assert_array_equal(np.argwhere(logic.implicants([0, 1, 1, 1])), [[0, 1], [1, 0], [1, 1], [1, 2], [2, 1]])  # OR
    rng = np.random.default_rng(0)
    for _ in range(20):
        table = rng.integers(0, 2, 8)
        found = logic.implicants(table)
        for term in itertools.product([0, 1, 2], repeat=3):
            rows = itertools.product(*[(0, 1) if choice == 2 else (choice,) for choice in term])
            assert found[term] == all(table[4 * a + 2 * b + c] for a, b, c in rows)


@pytest.mark.parametrize(("n", "gates"), [(1, 2), (2, 7), (4, 17), (8, 37)])
def test_adders(n, gates):
    circuit = logic.ripple_adder(n)
    assert circuit.size == gates
    rng = np.random.default_rng(n)
    for a, b in [(0, 0), (2**n - 1, 2**n - 1), *rng.integers(0, 2**n, (50, 2)).tolist()]:
        bits = {f"a{i}": a >> i & 1 for i in range(n)} | {f"b{i}": b >> i & 1 for i in range(n)}
        assert int("".join([str(bit) for bit in circuit(**bits).values()])[::-1], 2) == a + b


@pytest.mark.parametrize(("n", "gates"), [(1, 1), (2, 8), (4, 64), (8, 320), (12, 768)])
def test_multipliers(n, gates):
    circuit = logic.array_multiplier(n)
    assert circuit.size == gates
    rng = np.random.default_rng(n)
    for a, b in [(0, 0), (2**n - 1, 2**n - 1), *rng.integers(0, 2**n, (50, 2)).tolist()]:
        bits = {f"a{i}": a >> i & 1 for i in range(n)} | {f"b{i}": b >> i & 1 for i in range(n)}
        assert int("".join([str(bit) for bit in circuit(**bits).values()])[::-1], 2) == a * b


def test_bit_adders():
    assert logic.half_adder().size == 2
    assert logic.full_adder().size == 5
    for a, b, c in itertools.product([0, 1], repeat=3):
        found = logic.full_adder()(a=a, b=b, c_in=c)
        assert 2 * found["carry"] + found["sum"] == a + b + c


@pytest.mark.parametrize(("n", "terms", "depth"), [(2, 2, 1), (4, 8, 2), (5, 16, 3), (8, 128, 3), (10, 512, 4)])
def test_parity(n, terms, depth):
    odd = [bin(i).count("1") % 2 for i in range(2**n)]
    shallow, deep, plain = logic.shallow_parity(n), logic.deep_parity(n), logic.deep_parity(n, xor=False)
    for circuit in (shallow, deep, plain):
        assert_array_equal(circuit.truth_table()[:, 0], odd)
    assert shallow.kinds == {"AND": terms, "OR": 1}
    assert (deep.kinds, deep.depth) == ({"XOR": n - 1}, depth)
    assert (plain.kinds, plain.depth) == ({"AND": 2 * (n - 1), "OR": n - 1}, 2 * depth)
    assert np.all(np.argwhere(logic.implicants(odd)) < 2)


@pytest.mark.parametrize("make", [logic.ripple_adder, logic.array_multiplier, logic.shallow_parity, logic.deep_parity])
@pytest.mark.parametrize("n", [0, -1, 1.5, "2", True])
def test_sizes_that_are_none(make, n):
    with pytest.raises((ValueError, TypeError), match=r"^n must be"):
        make(n)


def test_the_drawing_shows_gates_and_values():
    picture = logic.full_adder().draw({"a": 1, "b": 1, "c_in": 0})
    assert str(picture).splitlines()[-1] == "Full adder: 5 gates (2 AND, 1 OR, 2 XOR), depth 3"
    assert picture.to_svg().startswith("<svg")
    assert "depth 1: t₁ = AND(¬x₁, x₂)" in str(logic.two_level([0, 1, 1, 0]).draw())


def test_an_input_that_no_gate_takes_in_is_drawn():
    idle = logic.Circuit(("a", "b"), (logic.Gate("n", "NOT", ("a",)),), {"y": "n"}, "Only a")
    shown = idle.draw({"a": 1, "b": 1})
    assert "inputs: a, b" in str(shown).splitlines()
    assert ">b</text>" in shown.to_svg()


# ------------------------------------------------------------------------------------------------------- the experiment


@pytest.fixture(scope="module")
def small():
    return circuits.run(**SMALL)


def test_all_claims_hold(small):
    assert [claim.word for claim in small.claims] == ["holds"] * 5
    assert [claim.row for claim in small.claims] == ["1", "2", "2", "3", "4"]
    said = {claim.row: claim.measured for claim in small.claims}
    assert "16 of 16 functions of 2 bits, 256 of 256 functions of 3 bits" in said["1"]
    assert "8, 128 for n = 4, 8" in said["3"]
    assert "none can be spared" in said["3"]
    assert "3, 7 gates, depth 2, 3 for n = 4, 8" in said["4"]


def test_the_same_settings_give_the_same(small):
    again = circuits.run(**SMALL)
    assert again.to_dict() == small.to_dict()
    for key, array in small.data.items():
        assert_array_equal(again.data[key], array)


def test_it_saves_its_circuits(small, tmp_path):
    small.save(tmp_path)
    names = sorted([path.name for path in tmp_path.iterdir()])
    assert names[:3] == ["circuits-adder-4-bits.svg", "circuits-full-adder.svg", "circuits-multiplier-2-bits.svg"]
    assert json.loads((tmp_path / "circuits.json").read_text(encoding="utf-8"))["settings"]["parity_bits"] == 8
    with np.load(tmp_path / "circuits.npz") as data:
        assert_array_equal(data["shallow_terms"], [2, 4, 8, 16, 32, 64, 128])
        assert_array_equal(data["multiplier_gates"], [8, 30, 64])


def test_progress_and_the_smallest_sizes():
    seen = []
    run = circuits.run(
        adder_bits=1, multiplier_bits=2, parity_bits=2, function_bits=3, progress=lambda *at: seen.append(at)
    )
    assert seen == [(i, 5) for i in range(1, 6)]
    assert run.verdict
    run.plot()


@pytest.mark.parametrize(
    "settings",
    [
        {"adder_bits": 0},
        {"multiplier_bits": 1},
        {"parity_bits": 15},
        {"function_bits": "x"},
        {"seeds": "x"},
        {"seeds": 0},
    ],
)
def test_bad_settings(settings):
    (name,) = settings
    with pytest.raises((ValueError, TypeError), match=f"^{name} must be"):
        circuits.run(**settings)


def with_an_or(circuit, name):
    """The circuit with an OR in the place of one of its gates."""
    gates = [replace(gate, kind="OR") if gate.name == name else gate for gate in circuit.gates]
    return Circuit(circuit.inputs, tuple(gates), circuit.outputs, circuit.title)


@pytest.mark.parametrize(
    ("function", "fault", "claim"),
    [
        ("two_level", lambda table: logic.two_level(np.ones_like(table)), 0),
        ("ripple_adder", lambda n: with_an_or(logic.ripple_adder(n), f"s{n - 1}"), 1),
        ("array_multiplier", lambda n: with_an_or(logic.array_multiplier(n), "s1.0"), 2),
        ("shallow_parity", lambda n: with_an_or(logic.shallow_parity(n), "t1"), 3),
        ("deep_parity", lambda n, xor=True: logic.deep_parity(n, xor=False), 4),  # right, but too large
    ],
)
def test_a_wrong_circuit_is_found_out(monkeypatch, function, fault, claim):
    monkeypatch.setattr(circuits, function, fault)
    assert not circuits.run(**SMALL).claims[claim].holds
