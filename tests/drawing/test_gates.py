import itertools
import math
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapes import (
    HOSTILE,
    SVG,
    apart,
    as_drawn,
    assert_readable,
    assert_texts_fit,
    bounds,
    branches,
    circle,
    page,
    shapes,
    text_boxes,
    texts,
)

from tinygrad_vg.drawing import Gate, draw_circuit
from tinygrad_vg.drawing.circuits import symbols, wiring
from tinygrad_vg.drawing.formula import shown
from tinygrad_vg.drawing.sketching import raster


def parity(n):
    """A tree of XORs."""
    gates, row = [], [f"x{i}" for i in range(1, n + 1)]
    while len(row) > 1:
        pairs = zip(row[::2], row[1::2], strict=False)
        new = [Gate(f"p{len(gates) + i}", "XOR", pair) for i, pair in enumerate(pairs)]
        gates += new
        row = [gate.name for gate in new] + row[2 * len(new) :]
    return gates


def shallow_parity(n):
    """An AND for every odd row of the table, and an OR of them."""
    inputs, terms = tuple(f"x{i}" for i in range(1, n + 1)), []
    for bits in itertools.product((0, 1), repeat=n):
        if sum(bits) % 2:
            negated = tuple(i for i, bit in enumerate(bits) if not bit)
            terms.append(Gate("t" + "".join(map(str, bits)), "AND", inputs, negated))
    return [*terms, Gate("parity", "OR", tuple(term.name for term in terms))]


def adder(n):
    """A half adder, and full adders behind it."""
    gates = [Gate("s0", "XOR", ("a0", "b0")), Gate("c1", "AND", ("a0", "b0"))]
    for i in range(1, n):
        gates += [
            Gate(f"h{i}", "XOR", (f"a{i}", f"b{i}")),
            Gate(f"s{i}", "XOR", (f"h{i}", f"c{i}")),
            Gate(f"g{i}", "AND", (f"a{i}", f"b{i}")),
            Gate(f"t{i}", "AND", (f"h{i}", f"c{i}")),
            Gate(f"c{i + 1}", "OR", (f"g{i}", f"t{i}")),
        ]
    return gates


ADDER = {
    "outputs": ["s0", "s1", "s2", "s3", "c4"],
    "inputs": [f"{name}{i}" for i in range(4) for name in "ab"],
}
KINDS = [
    Gate("p", "NAND", ("a", "b")),
    Gate("q", "NOR", ("a", "b", "c")),
    Gate("r", "NOT", ("c",)),
    Gate("s", "BUFFER", ("c",)),
    Gate("u", "XNOR", ("p", "q"), (0,)),
    Gate("v", "OR", ("r", "s", "a", "b"), (1, 3)),
    Gate("w", "XOR", ("u", "v", "c", "a", "b")),
]


@st.composite
def circuits(draw):
    """Random circuits: any gate takes in any earlier signals, also the same one twice."""
    signals = [f"i{i}" for i in range(draw(st.integers(1, 5)))]
    gates = []
    for i in range(draw(st.integers(1, 14))):
        kind = draw(st.sampled_from(list(symbols.SHAPES)))
        most = 1 if kind in ("NOT", "BUFFER") else draw(st.integers(1, 7))
        inputs = draw(st.lists(st.sampled_from(signals), min_size=1, max_size=most))
        negated = draw(st.sets(st.integers(0, len(inputs) - 1)))
        gates.append(Gate(f"g{i}", kind, tuple(inputs), tuple(sorted(negated))))
        signals.append(f"g{i}")
    return gates


# ----------------------------------------------------------------------------------- the picture read back by its lines


class Symbol:
    """A gate as it is painted: its tooltip, and where its outline is."""

    def __init__(self, element):
        self.tip = next(e.text for e in element.iter(SVG + "title"))
        parts = [e for e in element.iter() if e.get("class") not in (None, "gate")]
        corners = np.array([bounds(e) for e in parts])
        self.box = [*corners.min(axis=0)[:2], *corners.max(axis=0)[2:]]
        body = bounds([e for e in parts if e.get("class") == "body"][-1])
        self.core = [body[0] + 7, body[1] + 0.5, body[2] - 1, body[3] - 0.5]  # what no wire reaches into
        self.bubbles = [circle(e) for e in parts if e.get("class") == "bubble"]
        self.lines = [e for e in parts if e.get("class") in ("body", "back", "wing")]
        self.outline = [
            point for e in self.lines for point in raster._path(e.get("d"), (0, 0)).to_polygons(closed_only=False)
        ]
        self.middle = (self.box[0] + self.box[2]) / 2

    @property
    def name(self):
        return self.tip.split(" = ")[0]

    @property
    def inputs(self):
        """The names in the tooltip, negations included."""
        return Counter(self.tip.partition("(")[2].removesuffix(")").split(", "))

    def distance(self, point):
        """From a point to the outline, or to the rim of a bubble."""
        lines = [math.inf]
        for polygon in self.outline:
            for a, b in itertools.pairwise(np.asarray(polygon)):
                along = np.clip(np.dot(np.subtract(point, a), b - a) / max(np.dot(b - a, b - a), 1e-12), 0, 1)
                lines.append(math.dist(point, a + along * (b - a)))
        rims = [abs(math.dist(point, (x, y)) - r) for x, y, r in self.bubbles]
        return min(lines + rims)


def read(svg):
    """The gates, and for each wire its lines."""
    return [Symbol(e) for e in shapes(svg, "gate")], [branches(e) for e in shapes(svg, "wire")]


def ends_of(wire):
    """The places where a wire begins and ends: corners of its lines on which no other of its lines goes on."""
    segments = [pair for line in wire for pair in itertools.pairwise(line)]
    ends = []
    for line in wire:
        for point in (line[0], line[-1]):
            touching = [s for s in segments if on(point, s)]
            if len(touching) == 1:
                ends.append(point)
    return ends


def on(point, segment):
    (x0, y0), (x1, y1) = segment
    inside = (
        min(x0, x1) - 0.02 <= point[0] <= max(x0, x1) + 0.02 and min(y0, y1) - 0.02 <= point[1] <= max(y0, y1) + 0.02
    )
    return inside


def check_wires(svg):
    """Every wire begins at one pin and ends at others, all of them of the gates that say so."""
    gates, wires = read(svg)
    labels = [(words, left, (top + bottom) / 2, right) for words, left, top, right, bottom in text_boxes(svg)]
    taken = {gate.name: Counter() for gate in gates}
    outputs = Counter()
    for wire in wires:
        assert all(
            abs(a[0] - b[0]) < 0.02 or abs(a[1] - b[1]) < 0.02 for line in wire for a, b in itertools.pairwise(line)
        )
        assert is_one_piece(wire)
        start, *ends = sorted(set(ends_of(wire)))
        source = [g for g in gates if g.distance(start) < 0.3 and start[0] > g.middle]
        if source:
            (name,) = [g.name for g in source]
        else:
            name = next(words for words, _, y, right in labels if abs(y - start[1]) < 4 and 0 < start[0] - right < 12)
        for end in ends:
            target = [g for g in gates if g.distance(end) < 0.3 and end[0] < g.middle]
            if target:
                (gate,) = target
                negated = any(abs(math.dist(end, (x, y)) - r) < 0.3 for x, y, r in gate.bubbles if x < gate.middle)
                taken[gate.name]["¬" * negated + name] += 1
            else:
                outputs[name] += 1
    for gate in gates:
        assert taken[gate.name] == gate.inputs, gate.tip
    return outputs


def is_one_piece(wire):
    """Whether all lines of a wire hang together."""
    reached, rest = [wire[0]], list(wire[1:])
    while rest:
        segments = [pair for line in reached for pair in itertools.pairwise(line)]
        joined = [line for line in rest if any(on(line[0], s) for s in segments)]
        if not joined:
            return False
        reached += joined
        rest = [line for line in rest if line not in joined]
    return True


def check_apart(svg):
    """No two gates touch, no wire runs through a gate, and no two wires run on top of each other."""
    gates, wires = read(svg)
    width, height = page(svg)
    for i, gate in enumerate(gates):
        assert gate.box[0] > 0
        assert gate.box[1] > 0
        assert gate.box[2] < width
        assert gate.box[3] < height
        for other in gates[i + 1 :]:
            assert apart(gate.box, other.box, gap=6), (gate.tip, other.tip)
    runs = [(pair, i) for i, wire in enumerate(wires) for line in wire for pair in itertools.pairwise(line)]
    for (a, b), _ in runs:
        for gate in gates:
            assert apart((min(a[0], b[0]), min(a[1], b[1]), max(a[0], b[0]), max(a[1], b[1])), gate.core), gate.tip
    for (first, i), (second, j) in itertools.combinations(runs, 2):
        if i != j:
            assert not on_top(first, second), (first, second)


def on_top(first, second):
    """Whether two pieces of different wires lie on one line and share more than a point."""
    for axis in (0, 1):
        level = [p[1 - axis] for p in (*first, *second)]
        if max(level) - min(level) < 2.5 and first[0] != first[1] and second[0] != second[1]:
            a, b = sorted(p[axis] for p in first), sorted(p[axis] for p in second)
            if a[1] - a[0] > 0.02 and b[1] - b[0] > 0.02 and min(a[1], b[1]) - max(a[0], b[0]) > 0.02:
                return True
    return False


PICTURES = {
    "half adder": lambda: draw_circuit(adder(1)),
    "adder": lambda: draw_circuit(adder(4), **ADDER),
    "parity": lambda: draw_circuit(parity(8), title="Parity of 8 bits"),
    "shallow parity": lambda: draw_circuit(shallow_parity(4)),
    "kinds": lambda: draw_circuit(KINDS, ["w", "u", "p"]),
}


@pytest.mark.parametrize("case", PICTURES)
def test_wires_begin_and_end_at_the_pins_of_the_gates_that_name_them(case):
    check_wires(PICTURES[case]().to_svg())


@pytest.mark.parametrize("case", PICTURES)
def test_nothing_lies_on_anything_else(case):
    svg = PICTURES[case]().to_svg()
    check_apart(svg)
    assert_texts_fit(svg)


@given(circuits())
@settings(max_examples=25)
def test_any_circuit_is_drawn_as_it_is(gates):
    svg = draw_circuit(gates).to_svg()
    used = {name for gate in gates for name in gate.inputs}
    outputs = check_wires(svg)
    assert outputs == Counter(shown(gate.name) for gate in gates if gate.name not in used)
    check_apart(svg)
    drawn = {s.name: s.inputs for s in read(svg)[0]}
    for gate in gates:
        names = ["¬" * (i in gate.negated) + shown(name) for i, name in enumerate(gate.inputs)]
        assert drawn[shown(gate.name)] == Counter(names)


def test_a_pin_in_the_wrong_place_is_noticed(monkeypatch):
    monkeypatch.setattr("tinygrad_vg.drawing.circuits.gates.input_x", lambda *args: symbols.input_x(*args) - 2)
    with pytest.raises(AssertionError):
        check_wires(PICTURES["adder"]().to_svg())


def test_wires_of_two_signals_on_one_track_are_noticed(monkeypatch):
    monkeypatch.setattr(wiring, "TRACK", 0.0)
    with pytest.raises(AssertionError):
        check_apart(PICTURES["shallow parity"]().to_svg())


def test_pins_that_are_not_kept_clear_of_other_signals_are_noticed(monkeypatch):
    monkeypatch.setattr(wiring, "_is_clear", lambda *args: True)
    wide = Gate("p", "AND", ("b", "d", "c", "c", "b", "e", "b"))
    svg = draw_circuit([wide, Gate("q", "AND", ("p", "b", "a")), Gate("r", "NOT", ("d",))]).to_svg()
    with pytest.raises(AssertionError):
        check_apart(svg)


# -------------------------------------------------------------------------------------------------- what a circuit says


def test_gates_stand_in_the_column_of_their_depth():
    svg = PICTURES["adder"]().to_svg()
    depth = {"s0": 1, "c1": 1, "h1": 1, "g1": 1, "s1": 2, "t1": 2, "c2": 3, "s2": 4, "c3": 5, "s3": 6, "c4": 7}
    places = {s.name: s.middle for s in read(svg)[0]}
    names = {"".join(c if c.isascii() else str("₀₁₂₃₄".index(c)) for c in name): x for name, x in places.items()}
    for (a, x), (b, y) in itertools.combinations([(depth[n], x) for n, x in names.items() if n in depth], 2):
        assert (a < b) == (x < y - 20)
        assert (a == b) == (abs(x - y) < 10)
    assert [t for t in texts(svg) if t.startswith("depth")] == [f"depth {d}" for d in range(1, 8)]


@pytest.mark.parametrize(
    ("gates", "said"),
    [
        (adder(1), "2 gates (1 AND, 1 XOR), depth 1"),
        (adder(2), "7 gates (3 AND, 1 OR, 3 XOR), depth 3"),
        (adder(4), "17 gates (7 AND, 3 OR, 7 XOR), depth 7"),
        (parity(8), "7 gates (7 XOR), depth 3"),
        (shallow_parity(4), "9 gates (8 AND, 1 OR), depth 2"),
        (shallow_parity(8), "129 gates (128 AND, 1 OR), depth 2"),
        ([Gate("y", "NOT", ("x",))], "1 gate (1 NOT), depth 1"),
    ],
)
def test_number_of_gates_and_depth(gates, said):
    picture = draw_circuit(gates, title="It")
    assert f"It: {said}" in texts(picture.to_svg())
    assert f"It: {said}" in str(picture)
    assert said in picture.description


def test_values_stand_on_the_wires():
    values = {"a0": 1, "b0": 0, "s0": True, "c1": np.int64(0)}
    svg = draw_circuit(adder(1), values=values).to_svg()
    wires = shapes(svg, "wire")
    widths = [float(e.get("stroke-width")) for e in wires]
    assert widths == [2.4, 1.2, 2.4, 1.2]
    assert Counter(t for t in texts(svg) if t in "01") == {"0": 2, "1": 2}
    assert_texts_fit(svg)
    part = draw_circuit(adder(1), values={"a0": 1}).to_svg()
    assert [t for t in texts(part) if t in "01"] == ["1"]


def test_inputs_and_outputs_in_the_order_given():
    names = ["d", "c", "b", "a"]
    svg = draw_circuit([Gate("y", "AND", ("a", "b")), Gate("z", "OR", ("c", "d"))], inputs=names).to_svg()
    heights = {words: y for words, _, y, *_ in text_boxes(svg)}
    assert sorted(names, key=heights.get) == names


def test_outputs_may_be_labelled_and_may_be_inputs():
    svg = draw_circuit(adder(1), {"sum": "s0", "carry": "c1", "same": "a0"}).to_svg()
    assert {"sum", "carry", "same"} <= set(texts(svg))
    assert check_wires(svg) == {"s₀": 1, "c₁": 1, "a₀": 1}


def test_an_input_that_nothing_takes_in_is_shown():
    assert "z" in texts(draw_circuit(adder(1), inputs=["a0", "b0", "z"]).to_svg())


def test_gates_of_ones_own_type_will_do():
    gates = [SimpleNamespace(name="y", kind="xor", inputs=["a", "b"])]
    assert "y = XOR(a, b)" in str(draw_circuit(gates))


def test_the_order_of_the_gates_does_not_matter():
    assert "s₃ = XOR(h₃, c₃)" in str(draw_circuit(adder(4)[::-1]))
    assert draw_circuit(adder(4)[::-1], **ADDER).description == draw_circuit(adder(4), **ADDER).description


# ----------------------------------------------------------------------------------------------------------- summaries


def test_a_large_circuit_is_summarised_and_says_so():
    picture = draw_circuit(shallow_parity(8))
    said = texts(picture.to_svg())
    assert {"8 inputs", "128 × AND", "1 × OR", "1 output"} <= set(said)
    assert "summary: more than max_gates=80 gates, so gates of one kind and depth are drawn as one" in said
    assert "summary" in str(picture)
    assert len(shapes(picture.to_svg(), "gate")) == 2
    assert_texts_fit(picture.to_svg())
    assert not any("summary" in t for t in texts(draw_circuit(shallow_parity(4), max_gates=9).to_svg()))


def test_a_deep_circuit_is_summarised_by_depth():
    gates = adder(40)
    picture = draw_circuit(gates)
    said = texts(picture.to_svg())
    assert "summary: more than max_gates=80 gates, so a box stands for several depths" in said
    assert 1 < len(shapes(picture.to_svg(), "gate")) <= 8
    counted = sum(int(t.split(" × ")[0]) for t in said if " × " in t)
    assert counted == len(gates) == 197
    bands = [t for t in said if t.startswith("depth ")]
    assert bands[0] == "depth 1–10"
    assert bands[-1] == "depth 71–79"
    assert_texts_fit(picture.to_svg())
    check_apart(picture.to_svg())


def test_a_circuit_of_thousands_of_gates():
    assert "2,049 gates (2,048 AND, 1 OR), depth 2" in str(draw_circuit(shallow_parity(12)))


# --------------------------------------------------------------------------------------------------------- all pictures


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_readable(theme):
    assert_readable(draw_circuit(KINDS, values={"a": 1, "b": 0}, theme=theme).to_svg(), theme)


def test_auto_is_light_with_a_dark_style():
    auto, light, dark = (draw_circuit(adder(1), theme=t).to_svg() for t in ("auto", "light", "dark"))
    assert "prefers-color-scheme: dark" in auto
    assert "prefers-color-scheme" not in light + dark
    assert "#11181f" in dark
    assert "#11181f" not in light


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_draw_as_themselves(name, tmp_path):
    picture = draw_circuit([Gate(f"{name}2", "AND", (name, f"{name}1"))], title=name)
    svg = picture.to_svg()
    root = ET.fromstring(svg)
    drawn = as_drawn(name)
    assert f"{drawn}: 1 gate (1 AND), depth 1" in texts(svg)
    assert root.find(SVG + "title").text == drawn
    assert read(svg)[0][0].tip.startswith(drawn)
    if name.isascii() and name.isprintable():  # what DejaVu Sans can measure
        assert_texts_fit(svg)
    assert not any(e.tag.endswith("script") for e in root.iter())
    picture.save(tmp_path / "x.pdf")


def test_long_names_are_cut():
    svg = draw_circuit([Gate("y" * 90, "AND", ("a" * 90, "b"))], title="t" * 200).to_svg()
    assert_texts_fit(svg)
    assert page(svg)[0] < 700


def test_the_same_circuit_gives_the_same_bytes():
    code = (
        "import sys; sys.path.insert(0, 'tests/drawing'); from test_gates import PICTURES;"
        "print(*[make().to_svg() for make in PICTURES.values()])"
    )
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    runs = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            check=True,
            cwd=root,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
        ).stdout
        for seed in "12"
    }
    assert len(runs) == 1


@pytest.mark.parametrize(("suffix", "start"), [("svg", b"<svg"), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_save_by_suffix(tmp_path, suffix, start):
    assert draw_circuit(KINDS).save(tmp_path / f"x.{suffix}").read_bytes().startswith(start)


def test_in_a_notebook():
    bundle = draw_circuit(adder(1), title="Half adder")._repr_mimebundle_()
    assert bundle["image/svg+xml"].startswith("<svg")
    assert bundle["text/plain"].startswith("Half adder\ninputs: a₀, b₀\ndepth 1: s₀ = XOR(a₀, b₀)")


def test_wrong_arguments():
    half = adder(1)
    for gates, options, message in [
        ([], {}, "no gates"),
        ([*half, half[0]], {}, "two gates are named 's0'"),
        ([Gate("x", "AND", ("y",)), Gate("y", "OR", ("x",))], {}, r"in a circle: \['x', 'y'\]"),
        ([Gate("x", "IF", ("a",))], {}, "'x' is of kind 'IF'; known are AND, NAND"),
        ([Gate("x", "AND", ())], {}, "needs at least one input, got 0"),
        ([Gate("x", "NOT", ("a", "b"))], {}, "needs one input, got 2"),
        ([Gate("x", "AND", ("a", "b"), (2,))], {}, r"has 2 inputs; negated=\(2,\) is beyond"),
        (half, {"outputs": ["q"]}, "no signal 'q'"),
        (half, {"values": {"q": 1}}, "no signal 'q'"),
        (half, {"values": {"a0": 2}}, "'a0' must be 0 or 1, got 2"),
        (half, {"inputs": ["a0", "a0"]}, "a name of its own"),
        (half, {"inputs": ["s0"]}, "a name of its own"),
        (half, {"max_gates": 0}, "max_gates must be at least 1"),
        (half, {"theme": "blue"}, "theme must be one of"),
    ]:
        with pytest.raises(ValueError, match=message):
            draw_circuit(gates, **options)
    for wrong in (
        "AND",
        Gate("x", "AND", "ab"),
        Gate(1, "AND", ("a",)),
        Gate("x", "AND", (0, 1)),
        Gate("x", None, "a"),
    ):
        with pytest.raises(TypeError, match="needs gates with a name, a kind, and a tuple of names"):
            draw_circuit([wrong])
