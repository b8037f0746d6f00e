import itertools
import math
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from numpy.testing import assert_allclose
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
    texts,
)

import tinygrad_vg as vg
from tinygrad_vg.drawing import draw_network
from tinygrad_vg.drawing.formula import number
from tinygrad_vg.drawing.sketching import network

BOOK = [[-0.00397, -0.00317, 0.00810, 0.01260, -0.02647, 0.00176], [0.0415, 0.0440, -0.0097, 0.0467, 0.0388, 0.0123]]
"""∂C/∂b of the top neurons of both hidden layers of [784, 30, 30, 10], as the book gives them."""


def digits(seed=0, sizes=(784, 30, 30, 10)):
    """A network on random images, and its cost."""
    rng = np.random.default_rng(seed)
    net = vg.nn.MLP(sizes, seed=seed)
    X, y = rng.random((20, sizes[0])), rng.integers(0, sizes[-1], 20)
    return net, vg.nn.losses.cross_entropy(net.logits(X), y).named("C")


def lengths(picture, up_and_down=False):
    """The length of the bar of each neuron, in the order in which they are drawn; downwards negative."""
    found = []
    for neuron in shapes(picture.to_svg(), "neuron"):
        bars = [e for e in neuron.iter() if e.get("class") == "bar"]
        (ground,) = [bounds(e)[1] for e in neuron.iter() if e.get("class") == "ground"]
        if not bars:
            found.append(0.0)
            continue
        _, top, _, bottom = bounds(bars[0])
        assert min(abs(top - ground), abs(bottom - ground)) < 0.02, "a bar stands on its ground line"
        down = abs(top - ground) < abs(bottom - ground)
        assert up_and_down or not down
        found.append((top - bottom) if down else (bottom - top))
    return np.array(found)


# ---------------------------------------------------------------------------------------------------------- the bars


def check_proportional():
    found = lengths(draw_network([784, 6, 6, 10], [*BOOK, None], inputs=False, output=False))
    values = np.abs(np.concatenate(BOOK))
    assert_allclose(found / found.max(), values / values.max(), atol=0.01 / found.max())


def test_bars_are_proportional_to_the_values_on_one_scale_for_all_layers():
    check_proportional()


@pytest.mark.parametrize("wrong", [lambda x: x**0.5, lambda x: x**2, lambda x: 31 - x, lambda x: min(x, 20.0)])
def test_a_wrong_scale_is_noticed(monkeypatch, wrong):
    right = network._Ruler.length
    monkeypatch.setattr(network._Ruler, "length", lambda self, value: wrong(right(self, value)))
    with pytest.raises(AssertionError):
        check_proportional()


def test_a_scale_for_each_layer_is_noticed(monkeypatch):
    right = network._bar
    tops = {v: max(map(abs, layer)) for layer in BOOK for v in layer}

    def own_scale(page, ruler, middle, value):
        right(page, network._Ruler("linear", False, 0.0, tops.get(value, 1.0)), middle, value)

    monkeypatch.setattr(network, "_bar", own_scale)
    with pytest.raises(AssertionError):
        check_proportional()


def test_signed_bars_go_up_and_down():
    found = lengths(draw_network([6, 6, 6], BOOK, signed=True), up_and_down=True)
    values = np.concatenate(BOOK)
    assert_allclose(found / np.abs(found).max(), values / np.abs(values).max(), atol=0.01 / np.abs(found).max())


@pytest.mark.parametrize("signed", [False, True])
def test_on_the_logarithmic_scale_equal_ratios_are_equal_steps(signed):
    values = [1e-10, 1e-8, -1e-6, 1e-4, 0.0]
    found = lengths(draw_network([2, 5], [values], scale="log", signed=signed), up_and_down=True)
    assert list(np.sign(found)) == list(np.sign(values) if signed else np.abs(np.sign(values)))
    steps = np.diff(np.abs(found[:4]))
    assert_allclose(steps, steps[0], atol=0.021)
    assert abs(found[0]) > 1  # 1e-10 can be seen
    assert found[4] == 0


def test_the_key_has_the_bars_it_says():
    svg = draw_network([2, 3], [[0.5, 0.02, 0.1]]).to_svg()
    assert [t for t in texts(svg) if t in ("0.05", "0.25", "0.5")] == ["0.05", "0.25", "0.5"]
    bars = [bounds(e) for e in shapes(svg, "bar")]
    heights = [bottom - top for _, top, _, bottom in bars]
    assert len(heights) == 6
    assert_allclose(np.array(heights[3:]) / heights[0], [0.1, 0.5, 1.0], atol=0.001)
    logs = texts(draw_network([2, 3], [[1e-10, 1.0, 1e-5]], scale="log").to_svg())
    assert {"1e−10", "1"} <= set(logs)
    assert "A bar is |∂C/∂b|; logarithmic scale, the same in all layers" in logs


@pytest.mark.parametrize(
    "values",
    [
        [np.nan, np.inf, -np.inf, 1.0],
        [0.0, 0.0, 0.0, 0.0],
        [5e-324, 1e308, -1e-308, 1.0],
        [1e-200, 2e-200, 0, 0],
        [np.nan] * 4,
    ],
)
@pytest.mark.parametrize("scale", ["linear", "log"])
@pytest.mark.parametrize("signed", [False, True])
def test_odd_values(values, scale, signed):
    picture = draw_network([2, 4], [values], scale=scale, signed=signed)
    found = np.abs(lengths_of_finite(picture))
    assert np.all((found >= 0) & (found <= network.FULL + 0.01))
    said = texts(picture.to_svg())
    assert [t for t in said if t in ("NaN", "∞", "−∞")][: sum(~np.isfinite(values))] == [
        number(v) for v in values if not np.isfinite(v)
    ]
    assert_texts_fit(picture.to_svg())


def test_what_has_no_bars_says_why():
    assert "No bars: ∂C/∂b is 0 or no finite number in all neurons shown" in texts(
        draw_network([2, 2], [[0.0, np.nan]]).to_svg()
    )
    for bars in (None, [None]):
        picture = draw_network([2, 2], bars)
        assert picture.title == "Network [2, 2]"
        assert not any("∂C" in t for t in texts(picture.to_svg()))


def lengths_of_finite(picture):
    svg = picture.to_svg()
    return np.array([bounds(e)[3] - bounds(e)[1] for e in shapes(svg, "bar")])


# ------------------------------------------------------------------------------------------------ which values they are


def test_the_bars_of_a_cost_are_its_gradient_by_the_biases():
    net, cost = digits()
    truth = vg.backprop(cost)
    picture = draw_network(net, cost, shown=30)
    values = np.concatenate([truth[layer.b] for layer in net.layers])
    found = lengths(picture)
    assert_allclose(found / found.max(), np.abs(values) / np.abs(values).max(), atol=0.01 / found.max())
    tips = [title.text for title in ET.fromstring(picture.to_svg()).iter(SVG + "title")][1:]
    assert tips[0] == f"neuron 1 of layer 1: ∂C/∂b₁ = {number(truth[net.layers[0].b][0])}"
    assert all(p.grad is None for p in net.parameters())


def test_the_norm_under_a_layer_is_that_of_all_its_neurons():
    net, cost = digits()
    truth = vg.backprop(cost)
    picture = draw_network(net, cost, shown=2)
    norms = [number(np.linalg.norm(truth[layer.b])) for layer in net.layers]
    said = texts(picture.to_svg())
    for i, norm in enumerate(norms, start=1):
        assert said[said.index(f"‖∂C/∂b{'₀₁₂₃'[i]}‖") + 1] == norm
        assert f"‖∂C/∂b{'₀₁₂₃'[i]}‖ = {norm}" in str(picture)
        assert f"{norm} in layer {i}" in picture.description


def test_a_bias_for_each_sample_is_summed():
    net = vg.nn.MLP([3, 4, 2], seed=0)
    X, y = np.random.default_rng(0).random((5, 3)), np.array([0, 1, 0, 1, 1])
    biases = [vg.Tensor(np.repeat(layer.b.data[None], 5, axis=0), layer.b.name) for layer in net.layers]
    weights = [layer.w.data for layer in net.layers]
    bound = net.bind([p for pair in zip(weights, biases, strict=True) for p in pair])
    each = draw_network(bound, vg.nn.losses.cross_entropy(bound.logits(X), y))
    whole = draw_network(net, vg.nn.losses.cross_entropy(net.logits(X), y))
    assert_allclose(lengths(each), lengths(whole), atol=0.011)


def test_values_of_ones_own_and_layers_without():
    picture = draw_network([3, 2, 2], [None, np.array([[1.0], [2.0]])], name="mean activation")
    assert len(shapes(picture.to_svg(), "ground")) == 2 + 3  # two neurons, and the key
    said = texts(picture.to_svg())
    assert "‖mean activation‖" in said
    assert "A bar is |mean activation|; linear scale, the same in all layers" in said


# --------------------------------------------------------------------------------------------------- what stands where

CASES = {
    "digits": lambda: draw_network(*digits()),
    "book": lambda: draw_network([784, 6, 6, 10], [*BOOK, None], inputs=False, output=False, signed=True),
    "one neuron": lambda: draw_network([1, 1], [[1e-10]], scale="log"),
    "one column": lambda: draw_network([5, 3], [[1, 2, 3]], inputs=False),
    "no bars": lambda: draw_network([3, 4, 2, 1]),
    "all shown": lambda: draw_network([12, 3, 12], shown=12),
    "one shown": lambda: draw_network([12, 3, 12], [[1, 2, 3], range(12)], shown=1, signed=True),
    "deep": lambda: draw_network(*digits(sizes=(8, *[5] * 9, 3)), scale="log"),
    "long name": lambda: draw_network([2, 3], [[1, 2, 3]], name="the mean of the squares of the activations" * 3),
}


@pytest.mark.parametrize("case", CASES)
def test_texts_fit(case):
    assert_texts_fit(CASES[case]().to_svg())


@pytest.mark.parametrize("case", CASES)
def test_no_two_neurons_touch_and_all_are_on_the_page(case):
    svg = CASES[case]().to_svg()
    circles = [circle(e) for e in ET.fromstring(svg).iter(SVG + "circle")]
    width, height = page(svg)
    for i, (x, y, r) in enumerate(circles):
        assert r < x < width - r
        assert r < y < height - r
        for x2, y2, r2 in circles[i + 1 :]:
            assert math.dist((x, y), (x2, y2)) > r + r2 + 2


@pytest.mark.parametrize("case", CASES)
def test_every_two_neighbours_are_joined_from_rim_to_rim(case):
    svg = CASES[case]().to_svg()
    circles = [circle(e) for e in ET.fromstring(svg).iter(SVG + "circle") if e.get("class") in (None, "input")]
    columns = sorted({x for x, _, _ in circles})
    joined = set()
    for edge in shapes(svg, "edge"):
        ((start, end),) = branches(edge)
        pair = []
        for point in (start, end):
            (found,) = [c for c in circles if abs(math.dist(point, c[:2]) - c[2]) < 0.05]
            pair.append(found)
        joined.add(tuple(pair))
    every = itertools.product(circles, circles)
    assert joined == {(a, b) for a, b in every if (a[0], b[0]) in itertools.pairwise(columns)}


@pytest.mark.parametrize("case", CASES)
def test_bars_stay_inside_their_neurons(case):
    svg = CASES[case]().to_svg()
    circles = [c for c in (circle(e) for e in ET.fromstring(svg).iter(SVG + "circle")) if c[2] == network.RADIUS]
    for bar in [*shapes(svg, "bar"), *shapes(svg, "ground")]:
        left, top, right, bottom = bounds(bar)
        x, y, r = min(circles, key=lambda c: math.dist(c[:2], ((left + right) / 2, (top + bottom) / 2)))
        assert max(math.dist((x, y), corner) for corner in [(left, top), (right, bottom), (left, bottom)]) < r


def test_a_layer_that_is_shortened_says_so():
    picture = draw_network([784, 30, 6, 1], shown=6)
    said = texts(picture.to_svg())
    assert [t for t in said if " of " in t] == ["1–6 of 784", "1–6 of 30"]
    assert len(shapes(picture.to_svg(), "dots")) == 6
    assert len(shapes(picture.to_svg(), "neuron")) == 6 + 6 + 1
    assert "layer 1: 30 neurons, of which 6 are shown" in str(picture)


def test_what_is_not_drawn_does_not_count_for_the_scale():
    near, far = [1.0, 2.0], [50.0, 100.0]
    assert lengths(draw_network([1, 2, 2], [near, far], output=False)).max() == network.FULL
    assert lengths(draw_network([1, 2, 2], [near, far]))[:2].max() < 1
    hidden = draw_network([1, 2, 3], [near, [*near, 100.0]], shown=2)
    assert lengths(hidden).max() == network.FULL
    assert "100" in " ".join(texts(hidden.to_svg()))  # but the norm has it


# -------------------------------------------------------------------------------------------------------- all pictures


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_readable(theme):
    assert_readable(draw_network([2, 4], [[1, -2, np.nan, 0]], signed=True, theme=theme).to_svg(), theme)


def test_auto_is_light_with_a_dark_style():
    auto, light, dark = (draw_network([2, 2], [[1, 2]], theme=t).to_svg() for t in ("auto", "light", "dark"))
    assert "prefers-color-scheme: dark" in auto
    assert "prefers-color-scheme" not in light + dark
    assert "#11181f" in dark
    assert "#11181f" not in light


TAGS = ("svg", "title", "desc", "style", "path", "circle", "text", "g", "a")


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_draw_as_themselves(name, tmp_path):
    net = vg.nn.MLP([2, 2], seed=0)
    bound = net.bind([net.layers[0].w.data, vg.Tensor([0.1, 0.2], name)])
    picture = draw_network(bound, np.mean(bound(np.ones((1, 2)))).named(name))
    svg = picture.to_svg()
    root = ET.fromstring(svg)
    drawn = as_drawn(name)
    (under,) = [t for t in texts(svg) if t.startswith("‖")]
    assert f"‖∂{drawn}/∂{drawn}‖".startswith(under.removesuffix("…‖").removesuffix("‖"))
    assert any(drawn in t for t in texts(svg))
    assert f"∂{drawn}/∂b" in root.find(SVG + "title").text
    assert any(f"∂{drawn}/∂{drawn} = " in title.text for title in root.iter(SVG + "title"))
    assert {e.tag for e in root.iter()} <= {SVG + tag for tag in TAGS}
    picture.save(tmp_path / "x.png")


def test_a_long_name_is_cut():
    svg = draw_network([2, 2], [[1, 2]], name="x" * 500).to_svg()
    assert_texts_fit(svg)
    assert any(t.endswith("x…‖") for t in texts(svg))


def test_the_same_values_give_the_same_bytes(tmp_path):
    first, second = (draw_network(*digits()) for _ in range(2))
    assert first.to_svg() == second.to_svg()
    for suffix in ("png", "pdf"):
        one, two = first.save(tmp_path / f"a.{suffix}"), second.save(tmp_path / f"b.{suffix}")
        assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize(("suffix", "start"), [("svg", b"<svg"), ("png", b"\x89PNG"), ("PDF", b"%PDF")])
def test_save_by_suffix(tmp_path, suffix, start):
    path = draw_network([2, 2]).save(tmp_path / f"x.{suffix}")
    assert path.read_bytes().startswith(start)
    assert [p.name for p in tmp_path.iterdir()] == [f"x.{suffix}"]


def test_save_refuses_other_suffixes(tmp_path):
    with pytest.raises(ValueError, match=r"unknown suffix '.gif' of 'x.gif'; use .svg, .png or .pdf"):
        draw_network([2, 2]).save(tmp_path / "x.gif")


def test_in_a_notebook():
    bundle = draw_network([2, 2], [[3, 4]])._repr_mimebundle_()
    assert bundle["image/svg+xml"].startswith("<svg")
    assert "layer 1: 2 neurons, ‖∂C/∂b‖ = 5" in bundle["text/plain"]


def test_for_those_who_do_not_see_it():
    root = ET.fromstring(draw_network([2, 2], [[3, 4]]).to_svg())
    assert root.get("role") == "img"
    assert root.find(SVG + "title").text == "Network [2, 2] with ∂C/∂b in each neuron"
    assert "5 in layer 1" in root.find(SVG + "desc").text


def test_wrong_arguments():
    net, cost = digits()
    with pytest.raises(TypeError, match="needs an MLP or the sizes"):
        draw_network("784")
    with pytest.raises(TypeError, match="needs an MLP or the sizes"):
        draw_network([784, 0])
    with pytest.raises(TypeError, match="the MLP itself"):
        draw_network([784, 30, 30, 10], cost)
    with pytest.raises(TypeError, match="bars must be a cost"):
        draw_network(net, 3.0)
    with pytest.raises(ValueError, match="was not computed from the biases"):
        draw_network(net, digits(1)[1])
    with pytest.raises(ValueError, match=r"shape \(20, 10\): take its mean"):
        draw_network(net, net.logits(np.ones((20, 784))))
    with pytest.raises(ValueError, match="has 3 layers of neurons, but bars has 2 entries"):
        draw_network(net, BOOK)
    with pytest.raises(ValueError, match=r"layer 2 has 30 neurons, but its bars have shape \(6,\)"):
        draw_network(net, [None, BOOK[1], None])
    with pytest.raises(ValueError, match="scale must be one of linear, log"):
        draw_network(net, cost, scale="sqrt")
    with pytest.raises(ValueError, match="shown must be a positive number"):
        draw_network(net, cost, shown=0)
    with pytest.raises(ValueError, match="theme must be one of"):
        draw_network(net, cost, theme="blue")
    with pytest.raises(ValueError, match="nothing is left"):
        draw_network([2, 2], inputs=False, output=False)


def test_the_gap_between_boxes_is_what_apart_says():
    assert apart((0, 0, 1, 1), (1, 0, 2, 1))
    assert not apart((0, 0, 1, 1), (0.9, 0.9, 2, 2))


def test_the_least_value_of_a_logarithmic_scale_has_a_bar_that_is_seen():
    for least in (1e-9, 1.0001e-9, 1.06e-9):
        svg = draw_network([2, 2, 2], [[least, 3e-8], [1e-4, 0.0]], scale="log", inputs=False).to_svg()
        heights = [high - low for _, low, _, high in map(bounds, shapes(svg, "bar"))]
        assert min(heights) >= 1.5
