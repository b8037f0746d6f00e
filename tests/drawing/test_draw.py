import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from contextlib import nullcontext

import numpy as np
import pytest
from graphs import chain, long_chain, network
from numpy.testing import assert_allclose
from shapes import contrast

import tinygrad_vg as vg
from tinygrad_vg.drawing import draw, explain, layout
from tinygrad_vg.drawing.model import Ancestry, Model, describe
from tinygrad_vg.drawing.theme import DARK, LIGHT, Scale

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg):
    """Every text of a picture, as it is read."""
    return ["".join(t.itertext()).replace("\xa0", " ").strip() for t in ET.fromstring(svg).iter(SVG + "text")]


def nodes(t, wrt=None):
    return {node.name: node for node in Model(Ancestry(t, wrt)).nodes}


# --------------------------------------------------------------------------------------------------------- the model


def test_a_node_is_a_named_tensor_with_its_formula():
    cost, _ = chain()
    found = nodes(cost)
    assert list(found) == [
        "w1",
        "b1",
        "z1",
        "a1",
        "w2",
        "b2",
        "z2",
        "a2",
        "w3",
        "b3",
        "z3",
        "a3",
        "w4",
        "b4",
        "z4",
        "a4",
        "C",
    ]
    assert found["z2"].formula.text == "w₂·a₁ + b₂"
    assert found["a2"].formula.text == "σ(z₂)"
    assert found["C"].formula.text == "½(a₄ − 0)²"
    assert found["b2"].scope == found["z2"].scope == ("layer 2",)
    assert [(e.source.name, e.symbol.text) for e in found["z2"].inputs] == [("w2", "a₁"), ("a1", "w₂"), ("b2", "1")]


def test_the_edges_into_a_node_add_up_to_its_gradient():
    cost, biases = chain()
    truth = vg.backprop(cost)
    for node in Model(Ancestry(cost)).nodes[:-1]:
        assert_allclose(sum(e.flow for e in node.outputs), truth[node.tensor], rtol=1e-13)
    assert all(b.grad is None for b in biases)


def test_x_plus_x_has_two_edges():
    x = vg.Tensor(3.0, "x")
    found = nodes((x + x).named("y"))
    assert [(e.source.name, e.value) for e in found["y"].inputs] == [("x", 1.0), ("x", 1.0)]
    assert draw((x + x).named("y")).source.count("n0 -> n1") == 2


def test_several_edges_to_one_node_stay_together():
    """Else Graphviz leads them around what stands beside that node."""
    x = vg.Tensor(3.0, "x")
    y = (np.sin(x).named("u") * (x * x).named("v")).named("y")
    source = draw(y).source
    assert source.count("ordering=out") == 1
    assert "ordering" not in draw((x * x).named("y")).source


def test_a_sum_of_paths_is_written_with_its_signs():
    x = vg.Tensor(1.2, "x")
    u = (x * x + x).named("u")
    v = (u * x - u).named("v")
    (note,) = draw((v * u * x).named("w"), x).notes
    assert " − " in note
    assert "(the others)" in note
    assert "+ −" not in note


def test_what_a_name_says():
    names = ("w1", "W", "b2", "bias", "A", "B", "x", "权重3")
    nodes_of = nodes(sum((vg.Tensor(1.0, name) * 2 for name in names), 0.0))
    told = [describe(nodes_of[name]) for name in names]
    assert told == ["weight", "weight", "bias", "bias", "variable", "variable", "input", "weight"]


def test_an_unnamed_tensor_used_twice_is_a_node():
    x, taken = vg.Tensor(3.0, "x"), vg.Tensor(1.0, "t1")
    twice = np.sin(x)
    found = nodes((twice * twice + np.cos(x) + taken).named("y"))
    assert list(found) == ["x", "t1", "t2", "y"]
    assert found["y"].formula.text == "t₂·t₂ + cos(x) + t₁"


def test_constant_arrays_are_nodes_and_numbers_are_not():
    w = vg.Tensor(np.ones((3, 2)), "w")
    found = nodes(np.sum((np.ones((4, 3)) @ w - np.zeros((4, 2))) ** 2 * 0.5).named("C"))
    assert list(found) == ["w", "x", "y", "C"]
    assert found["x"].role == "constant"
    assert found["x"].grad is None
    assert found["C"].formula.text == "Σ(½(x @ w − y)²)"
    assert all(e.cut for e in found["x"].outputs)


def test_values_are_those_the_graph_was_computed_with():
    x = vg.Tensor(3.0, "x")
    y = (x * x).named("y")
    x.update(100.0)
    assert "value 3 " in str(draw(y))
    assert "100" not in draw(y).source


def test_a_long_formula_is_split_into_nodes():
    y = vg.Tensor(3.0, "x")
    for i in range(100):
        y = y * 1.01 + i
    assert 10 < len(nodes(y)) < 40


# ------------------------------------------------------------------------------------------------------- the picture


def test_the_chain_as_it_is_read():
    cost, biases = chain()
    graph = draw(cost, biases[0])
    found = texts(graph.to_svg())
    for expected in (
        "= w₂·a₁ + b₂",
        "×σ′(z₁)",
        "= 0.2246",
        "×w₂",
        "= −0.6",
        "∂C/∂a₄",
        "layer 3",
        "w₃σ′(z₃)",
        "2.798e−4",
        "size (log scale)",
    ):
        assert any(expected in t for t in found), expected
    assert [t.text for t in graph.chain.terms] == [t.text for t in explain(cost, biases[0]).terms]
    assert graph.level == "tensor"
    assert draw(cost).chain is None


def test_the_picture_is_right_before_backward_and_leaves_grad_alone():
    cost, biases = chain()
    before = draw(cost, biases[0]).source
    assert biases[0].grad is None
    cost.backward()
    kept = biases[0].grad.copy()
    assert draw(cost, biases[0]).source == before
    assert biases[0].grad == kept


def test_the_same_graph_gives_the_same_bytes():
    first, second = (draw(cost, biases[0]) for cost, biases in (chain(), chain()))
    assert first.source == second.source
    assert first.to_svg() == second.to_svg()
    code = "from graphs import network; from tinygrad_vg.drawing import draw; print(draw(network()[0]).source)"
    runs = set()
    for seed in ("1", "2"):
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8", "OMP_NUM_THREADS": "1"}
        here = os.path.dirname(__file__)
        runs.add(
            subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=env, cwd=here).stdout
        )
    assert len(runs) == 1


def test_the_gradient_that_was_not_computed_is_a_dash_and_a_tiny_one_is_not_zero():
    x = vg.Tensor(2.0, "x")
    y = (vg.stop_gradient(x) + vg.Tensor(1.0, "b") * 7.6e-10).named("y")
    found = str(draw(y)).splitlines()
    assert "x input   value 2   grad —" in found
    assert "b bias   value 1   grad 7.6e−10" in found
    assert "stop_gradient" in texts(draw(y).to_svg())


def test_themes():
    cost, _ = chain()
    auto, light, dark = (draw(cost, theme=t) for t in ("auto", "light", "dark"))
    assert "prefers-color-scheme: dark" in auto.to_svg()
    assert "prefers-color-scheme" not in light.to_svg() + dark.to_svg()
    assert auto.source == light.source
    for colour in set(LIGHT.colours()) - set(DARK.colours()):
        assert colour not in dark.to_svg()


@pytest.mark.parametrize("c", [LIGHT, DARK])
def test_contrast(c):
    for surface in (c.page, c.cluster):
        for line in [c.cluster_line, c.rule, c.forward, c.box, c.mark, c.hot[0], *[line for line, _ in c.ramp]]:
            assert contrast(line, surface) >= 3, (line, surface)
        for ink in [c.ink, c.soft, c.hot[1], *[ink for _, ink in c.ramp]]:
            assert contrast(ink, surface) >= 4.5, (ink, surface)
    for head in c.heads.values():
        assert contrast(c.ink, head) >= 4.5
    assert contrast(c.rule, c.heads["input"]) >= 3  # between the cells of a table's head
    assert len(set(LIGHT.colours())) == len(LIGHT.colours())  # CSS swaps colour by colour


def test_the_scale_widens_with_the_product_and_tells_tiny_ones_apart():
    scale = Scale.of([1e-10, 1e-5, 0.5, 30.0, None, 0.0])
    widths = [scale.line(p, LIGHT)[2] for p in (1e-10, 1e-5, 0.5, 1.0, 3.0, 30.0)]
    assert widths == sorted(widths)
    assert len(set(widths)) == 6
    assert scale.line(1.0, LIGHT)[0] != LIGHT.hot[0] == scale.line(1.01, LIGHT)[0]
    assert [scale.bar(p, 100) for p in (0.0, 1e-10, 30.0)] == [0, 4, 100]
    for p in (np.inf, np.nan):
        scale.line(p, LIGHT)


HOSTILE = [
    '<b>&"x"</b>',
    "\\N\\G{}|:;",
    "</script>",
    "]]>&amp;",
    "a\x00\x1b[31m",
    "权重",
    'quo"ted\\',
    "-->",
    "%1$s",
    "{0}",
]


def test_hostile_names_draw_as_themselves():
    total = 1.0
    with vg.name_scope('层 <1>&"\\N'):
        for name in HOSTILE:
            total = np.tanh(vg.Tensor(0.5, name) * total).named(name + " out")
    svg = draw(total, max_nodes=100).to_svg()
    found = texts(svg)
    assert '层 <1>&"\\N' in found
    for name in HOSTILE:
        shown = name.replace("\x00", "␀").replace("\x1b", "␛")
        assert any(t == shown for t in found), name
    titles = [e.get("{http://www.w3.org/1999/xlink}title") for e in ET.fromstring(svg).iter(SVG + "a")]
    assert any(t and t.startswith("\\N\\G{}|:; (variable)") for t in titles)
    assert "<script" not in svg
    assert not any(e.tag.endswith("script") for e in ET.fromstring(svg).iter())


def test_a_name_with_a_line_end_has_two_lines():
    found = texts(draw(vg.Tensor(1.0, "two\nlines") * 2).to_svg())
    assert {"two", "lines"} <= {t.split(" ")[0] for t in found}


# -------------------------------------------------------------------------------------------------------- the levels


def test_layers_of_a_network():
    cost, biases = network()
    truth = vg.backprop(cost)
    graph = draw(cost, level="layer")
    found = texts(graph.to_svg())
    assert graph.level == "layer"
    for expected in ("layer 2", "a₂ = σ(a₁ @ w₂ + b₂)", "784×30", "(at most 0.25)", "‖∂C/∂a₁‖", "‖∂C/∂b₃‖"):
        assert any(expected in t for t in found), expected
    slope = np.mean([layer.slope[1] for layer in graph._plan.layers[0]])
    assert 0.1 < slope < 0.25
    for layer, bias in zip(graph._plan.layers[0], biases, strict=True):
        assert_allclose(layer.bar[1], np.linalg.norm(truth[bias]))
    assert "in layer 1 (b₁)" in graph.description
    assert graph.notes == []


def test_past_max_nodes_it_is_coarser_and_says_so():
    cost, biases = network()
    fine, coarse, coarsest = (draw(cost, biases[0], max_nodes=n) for n in (60, 8, 3))
    assert [g.level for g in (fine, coarse, coarsest)] == ["tensor", "layer", "blocks"]
    assert fine.notes == []
    assert "max_nodes=8" in coarse.notes[-1]
    assert any("max_nodes=8" in t for t in texts(coarse.to_svg()))
    assert any("max_nodes=3" in t for t in texts(coarsest.to_svg()))


def test_level_layer_without_layers_says_so():
    x = vg.Tensor(1.0, "x")
    graph = draw((x * x).named("y"), level="layer")
    assert graph.level == "tensor"
    assert "no layers" in graph.notes[0]


@pytest.mark.parametrize("n", [20_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_a_long_chain_draws_summarised_without_recursion(n):
    limit = sys.getrecursionlimit()
    x, y = long_chain(n)
    sys.setrecursionlimit(200)
    try:
        graph = draw(y, x)
        source, outline = graph.source, str(graph)
    finally:
        sys.setrecursionlimit(limit)
    assert graph.level == "blocks"
    assert f"summary: {n:,} operations" in source
    assert len(source) < 20_000
    assert sum(b.ops for b in graph._plan.blocks[0]) == n
    assert "multiply" in outline


def sum_of(n, scoped):
    x = vg.Tensor(1.0, "x")
    total = 0.0
    with vg.name_scope("sum") if scoped else nullcontext():
        for _ in range(n):
            total = total + np.sin(x)
    return total, x


@pytest.mark.parametrize("scoped", [False, True])
def test_a_node_used_by_many_others_draws(scoped):
    total, x = sum_of(20_000, scoped)
    graph = draw(total, x)
    graph.to_svg()
    assert graph.level == ("layer" if scoped else "blocks")
    assert explain(total, x).count == 20_000


@pytest.mark.parametrize("scoped", [False, True])
def test_the_work_of_drawing_is_linear_in_the_uses_of_a_node(scoped):
    def calls(n):
        """Python and C functions called, which does not depend on the clock."""
        total, x = sum_of(n, scoped)
        count = [0]

        def seen(frame, event, arg):
            count[0] += event in ("call", "c_call")

        sys.setprofile(seen)
        try:
            draw(total, x).source
            explain(total, x)
        finally:
            sys.setprofile(None)
        return count[0]

    assert calls(8_000) < 5 * calls(2_000)


# ---------------------------------------------------------------------------------------------------------- the Graph


@pytest.mark.parametrize(
    ("suffix", "start"), [("svg", b"<svg"), ("png", b"\x89PNG"), ("pdf", b"%PDF"), ("dot", b"digraph")]
)
def test_save_by_suffix(tmp_path, suffix, start):
    path = draw(chain()[0]).save(tmp_path / f"x.{suffix}")
    assert path.read_bytes().startswith(start)
    assert [p.name for p in tmp_path.iterdir()] == [f"x.{suffix}"]


def test_save_refuses_other_suffixes(tmp_path):
    with pytest.raises(ValueError, match=r"unknown suffix '.gif'"):
        draw(chain()[0]).save(tmp_path / "x.gif")
    assert list(tmp_path.iterdir()) == []


def test_a_notebook_cell_lives_without_an_engine(monkeypatch):
    graph = draw(chain()[0])
    bundle = graph._repr_mimebundle_()
    assert bundle["image/svg+xml"].startswith("<svg")
    monkeypatch.setattr(layout, "_routes", list)
    bundle = graph._repr_mimebundle_()
    assert list(bundle) == ["text/plain"]
    assert "a₄ = σ(z₄)" in bundle["text/plain"]
    assert "pip install" in bundle["text/plain"]
    with pytest.raises(layout.NoLayoutEngineError):
        graph.to_svg()


def test_the_svg_says_what_it_shows():
    cost, biases = chain()
    root = ET.fromstring(draw(cost, biases[0]).to_svg())
    assert root.find(SVG + "title").text == "∂C/∂b₁, along the backprop graph of C"
    assert "= 2.798e−4" in root.find(SVG + "desc").text


def test_wrong_arguments():
    x = vg.Tensor(1.0, "x")
    with pytest.raises(TypeError, match="draw needs a Tensor, not ndarray"):
        draw(np.ones(2))
    with pytest.raises(ValueError, match="not computed from wrt='q'"):
        draw(x * 2, vg.Tensor(1.0, "q"))
    with pytest.raises(ValueError, match="theme must be one of auto, light, dark"):
        draw(x, theme="blue")
    with pytest.raises(ValueError, match="level must be one of"):
        draw(x, level="deep")


@pytest.mark.parametrize("value", [np.zeros((0, 3)), np.ones((2, 3, 4)), np.array([np.nan, np.inf]), np.ones(6), 1e300])
def test_odd_values_draw(value):
    x = vg.Tensor(value, "x")
    graph = draw((x * 2).named("y"))
    graph.to_svg()
    if x.size > 1:
        assert "sum of the elements of y" in graph.notes[0]


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (
            lambda x: (np.log(x) * x).named("y"),
            "NaN (not a number), drawn in orange, first appears in the value that log",
        ),
        (lambda x: np.log(x).named("z") * 2, "NaN (not a number), drawn in orange, first appears in the value of z"),
        (lambda x: (1 / (x + 1)).named("y"), "∞, drawn in orange, first appears in the value of y"),
        (lambda x: np.sqrt((x + 1).named("s")).named("y"), "∞, drawn in orange, first appears in the gradient of s"),
    ],
)
def test_where_a_number_stops_being_one_is_said(make, told):
    with np.errstate(all="ignore"):
        picture = draw(make(vg.Tensor(-1.0, "x")))
    assert [note for note in picture.notes if note.startswith(told)]
    assert any(told in text for text in texts(picture.to_svg()))
    assert told in str(picture)


def test_colours_above_one_are_explained_where_they_are_used():
    legend, x = "orange: above 1", vg.Tensor(2.0, "x")
    for t, wrt in ((3 * x, None), ((3 * x).named("y"), x)):
        assert legend in texts(draw(t, wrt).to_svg())
    assert legend not in texts(draw(x * 0.5).to_svg())
    off_path = (x * vg.Tensor(0.5, "w")).named("y")  # ∂y/∂w = 2 is not coloured
    assert legend not in texts(draw(off_path, wrt=x).to_svg())


def test_of_arrays_no_level_makes_scalars_and_it_is_said():
    a, b = vg.Tensor(np.ones(3), "a"), vg.Tensor(2.0, "b")
    assert any("there are arrays" in note for note in draw(np.sum(a * b), level="scalar").notes)
    assert not draw(np.sum(a * b), level="tensor").notes
    assert not draw(b * b, level="scalar").notes


def test_the_guards_of_the_rules_are_not_drawn():
    """In the derivative of x³ the power is taken of where(x is not to be seen, 1, x): that is x."""
    for x in (vg.Tensor(1.5, "x"), vg.Tensor([1.0, 2.0, 3.0], "x")):
        slope = vg.backprop(np.sum(x**3), create_graph=True)[x]
        found = nodes(np.sum(slope * slope).named("S"))
        formulas = " ".join([node.equation for node in found.values()])
        assert "3·x²" in formulas
        assert "where" not in formulas
        assert "where" not in str(draw(slope))
    zero = vg.Tensor(0.0, "x")  # here it is not
    assert "where(true, 1," in str(draw(vg.backprop(np.hypot(zero, zero), create_graph=True)[zero]))


def test_importing_loads_neither_graphviz_nor_pygraphviz():
    code = "import sys, tinygrad_vg.drawing; print(sorted({'graphviz', 'pygraphviz'} & set(sys.modules)))"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


@pytest.mark.parametrize(
    "build",
    [
        lambda x, y: ((x * y + x).named("z") + x).named("L"),
        lambda x, y: (x * y + np.sin(x)).named("z") ** 2 + x,
        lambda x, y: (x * (x + y)).named("z") - x,
    ],
)
def test_graphs_on_which_the_router_of_graphviz_fails_are_drawn(build):
    x, y = vg.Tensor(2.0, "x"), vg.Tensor(3.0, "y")
    text = "".join(ET.fromstring(vg.draw(build(x, y), wrt=x).to_svg()).itertext())
    assert "z" in text
    assert "y" in text
