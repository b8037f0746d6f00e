"""Every text is inside its box in a real browser, whatever font the reader has, and readable in light and dark."""

import re
from itertools import combinations

import numpy as np
import pytest
from graphs import chain, long_chain, network
from shapes import apart, contrast

import tinygrad_vg as vg
from tinygrad_vg.drawing import Gate, draw, draw_circuit, draw_network, layout

pytestmark = pytest.mark.skipif(not any(e.available for e in layout.engines()), reason="there is no Graphviz here")

OWN = ""  # the list in the picture, of which the reader has one: Verdana, or DejaVu Sans, its twin
FONTS = (OWN, "Liberation Sans", "DejaVu Serif", "Noto Sans CJK SC", "DejaVu Sans Mono")
SLACK = 2.0
"""Pixels, of which a letter at 10 points has about ten: glyphs may lean over their width a little."""

FORCE = """font => {
  let style = document.querySelector("style.forced");
  if (!style) {
    style = document.createElementNS("http://www.w3.org/2000/svg", "style");
    style.setAttribute("class", "forced");
    document.querySelector("svg").append(style);
  }
  style.textContent = font ? `svg, text { font-family: "${font}" !important }` : "";
}"""

MEASURE = """() => {
  const page = document.querySelector("svg"), groups = [];
  const seen = (element) => {
    const { left, top, right, bottom } = element.getBoundingClientRect();
    const group = element.closest(".node, .edge, .cluster") || page;
    if (!groups.includes(group)) groups.push(group);
    const words = element.tagName === "text" ? element.textContent : null;
    return { words, box: [left, top, right, bottom], group: groups.indexOf(group), kind: group.classList[0] || "" };
  };
  const paint = (element) => {
    const { fill, stroke } = getComputedStyle(element);
    const opaque = (colour) => colour.startsWith("rgba") ? "none" : colour;  // older Graphviz: transparent
    return { fill: opaque(fill), stroke: opaque(stroke) };
  };
  const all = [...page.querySelectorAll("text, path, polygon, ellipse, circle")];
  return { page: seen(page).box, all: all.map((element) => ({ ...seen(element), ...paint(element) })) };
}"""


# --------------------------------------------------------------------------------------------------------- the pictures


def chinese_chain():
    a, biases = 0.7, []
    for j in (1, 2):
        with vg.name_scope(f"第{j}层"):
            w, b = vg.Tensor(0.8, f"权重{j}"), vg.Tensor(0.1, f"偏置{j}")
            a = vg.sigmoid((w * a + b).named(f"净输入{j}")).named(f"激活值{j}")
        biases.append(b)
    return draw((0.5 * a**2).named("代价"), biases[0])


def long_names():
    w = vg.Tensor(np.ones((3, 2)), "the weights of the very first layer of them all")
    b = vg.Tensor([0.01234, -0.05678], "a_bias_with_underscores_and_without_any_space")
    with vg.name_scope("a scope whose name is longer than what stands in it"):
        z = (np.ones((4, 3)) @ w + b).named("the pre-activation, <b>&amp; {all} that")
        a = np.tanh(z).named("WWWWWWWWMMMMMMMM@@@@@@@@%%%%%%%%")
    return draw(np.sum(a).named("two\nlines"), b)


def shared_and_cut():
    x = vg.Tensor(0.5, "x")
    s = np.sin(x).named("s")
    return draw((s * s + vg.stop_gradient(s) * np.where(x > 0, x, 0.1 * x) + np.exp(x).named("e")).named("y"), x)


def second_order():
    x = vg.Tensor(0.7, "x")
    y = (np.sin(x) * x**2).named("y")
    return draw(vg.backprop(y, create_graph=True)[x].named("dy/dx"), x)


def of_arrays(level):
    cost, biases = network(sizes=(4, 3, 2), samples=2)
    return draw(cost, biases[0], level)


def book_chain(**weights):
    cost, biases = chain(**weights)
    return draw(cost, biases[0])


def neurons():
    net = vg.nn.MLP([4, 8, 2], seed=0)
    rng = np.random.default_rng(0)
    return draw_network(net, vg.nn.losses.cross_entropy(net.logits(rng.random((5, 4))), np.eye(5, 2)))


def circuit():
    gates = [Gate("sum", "XOR", ("first", "second")), Gate("carry", "AND", ("first", "second"))]
    return draw_circuit(gates, values={"first": 1, "second": 0}, title="Half adder")


PICTURES = {
    "chain": book_chain,
    "steep chain": lambda: book_chain(w=(80.0, -60.0, 90.0, -40.0)),
    "tensors": lambda: of_arrays("tensor"),
    "layers": lambda: of_arrays("layer"),
    "blocks": lambda: draw(*reversed(long_chain(5_000))),
    "Chinese": chinese_chain,
    "long names": long_names,
    "shared and cut": shared_and_cut,
    "second order": second_order,
    "network": neurons,
    "circuit": circuit,
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The path of each picture, drawn when it is first asked for."""
    folder, made = tmp_path_factory.mktemp("pictures"), {}

    def path_of(name):
        if name not in made:
            made[name] = PICTURES[name]().save(folder / f"{name}.svg")
        return made[name]

    return path_of


# ------------------------------------------------------------------------------------------------------ what is checked


def troubles(measured):
    """Texts that leave their box or the page, or lie on one another or, as labels of edges, on a box."""
    texts = [e for e in measured["all"] if e["words"] and e["words"].strip()]
    boxes = [e for e in measured["all"] if e["words"] is None and e["kind"] != "edge" and e["fill"] != "none"]
    assert texts
    for text in texts:
        words, box = text["words"], text["box"]
        if not within(box, measured["page"]):
            yield f"{words!r} leaves the page"
        if text["kind"] == "edge":
            met = [b for b in boxes if b["kind"] == "node" and not apart(box, b["box"], -SLACK)]
            yield from [f"the label {words!r} lies on a box"] * bool(met)
            continue
        met = [b for b in boxes if b["group"] == text["group"] and not apart(box, b["box"], -SLACK)]
        if text["kind"] == "node" and not met:
            yield f"{words!r} is beside its box"
        if not all(within(box, b["box"], upright=0.3) for b in met):
            yield f"{words!r} leaves its box"
    for first, second in combinations(texts, 2):
        a, b = first["box"], second["box"]
        beside = min(a[2], b[2]) - max(a[0], b[0])
        above = min(a[3], b[3]) - max(a[1], b[1])
        if beside > SLACK and above > 0.4 * min(a[3] - a[1], b[3] - b[1]):
            yield f"{first['words']!r} lies on {second['words']!r}"


def within(inner, outer, upright=0.0):
    """Whether one box holds another; a line of text is higher than its letters, by a part of its height."""
    more = SLACK + upright * (inner[3] - inner[1])
    left, right = inner[0] >= outer[0] - SLACK, inner[2] <= outer[2] + SLACK
    return left and right and inner[1] >= outer[1] - more and inner[3] <= outer[3] + more


def hexadecimal(colour):
    """``rgb(1, 2, 3)`` as ``#010203``."""
    return "#" + "".join(f"{int(part):02x}" for part in colour.removeprefix("rgb(").rstrip(")").split(","))


def surface(measured, element):
    """The colour of what an element stands on: what was last painted under its middle, whatever is not a line."""
    x, y = [(element["box"][i] + element["box"][i + 2]) / 2 for i in (0, 1)]
    under = measured["all"][: measured["all"].index(element)]
    for other in reversed(under):
        left, top, right, bottom = other["box"]
        wide = right - left > 12 and bottom - top > 8  # no arrowhead
        if other["words"] is None and other["fill"] != "none" and wide and left <= x <= right and top <= y <= bottom:
            return hexadecimal(other["fill"])
    raise AssertionError(f"nothing is painted under {element}")


# ------------------------------------------------------------------------------------------------------------ the tests


@pytest.mark.parametrize("name", PICTURES)
def test_every_text_is_inside_its_box_whatever_the_font(browser, files, name):
    with browser.page(files(name)) as page:
        for font in FONTS:
            page.evaluate(FORCE, font)
            assert not list(troubles(page.evaluate(MEASURE))), font


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", PICTURES)
def test_every_text_and_line_stands_out_from_what_is_under_it(browser, files, name, dark):
    with browser.page(files(name), dark=dark) as page:
        measured = page.evaluate(MEASURE)
    for element in measured["all"]:
        if element["words"] and element["words"].strip():
            assert contrast(hexadecimal(element["fill"]), surface(measured, element)) >= 4.5, element
        elif element["kind"] in ("edge", "cluster") and element["words"] is None and element["stroke"] != "none":
            assert contrast(hexadecimal(element["stroke"]), surface(measured, element)) >= 3, element


LENGTH = ' textLength="[^"]*" lengthAdjust="spacingAndGlyphs"'
FAULTS = {
    "leaves the page": ('viewBox="0.00 ', 'viewBox="300.00 '),
    "leaves its box": (' textLength="', r"\g<0>1"),
    "is beside its box": (r'(<text [^>]*x=")[^"]*("[^>]*>\W= σ)', r"\g<1>9\2"),
    "lies on a box": (LENGTH + ">×w₂<", ">×w₂ and much more than there is room for<"),
    "lies on '": (LENGTH + r">(\W*value)", r">\1 of this neuron"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_found(browser, files, tmp_path, fault):
    planted, count = re.subn(*FAULTS[fault], files("chain").read_text(encoding="utf-8"))
    assert count
    (tmp_path / "bad.svg").write_text(planted, encoding="utf-8")
    with browser.page(tmp_path / "bad.svg") as page:
        page.evaluate(FORCE, "DejaVu Sans Mono")
        assert any(fault in trouble for trouble in troubles(page.evaluate(MEASURE)))


def test_too_faint_a_colour_is_found(browser, files, tmp_path):
    path = tmp_path / "faint.svg"
    path.write_text(files("chain").read_text(encoding="utf-8").replace("#51646f", "#a9bac5"), encoding="utf-8")
    with browser.page(path) as page:
        measured = page.evaluate(MEASURE)
    faint = [e for e in measured["all"] if e["words"] and contrast(hexadecimal(e["fill"]), surface(measured, e)) < 4.5]
    assert {" value ", " bias ", "layer 2"} & {e["words"].replace("\xa0", " ") for e in faint}
