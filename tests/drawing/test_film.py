import math
import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import numpy as np
import pytest
from graphs import chain, network
from numpy.testing import assert_allclose
from PIL import Image
from shapes import HOSTILE, SVG, as_drawn, assert_readable, page, text_boxes, texts

import tinygrad_vg as vg
from tinygrad_vg.drawing import draw, draw_film, layout
from tinygrad_vg.drawing.films import film_steps, stage
from tinygrad_vg.drawing.formula import number, shown
from tinygrad_vg.drawing.model import Ancestry, Model
from tinygrad_vg.drawing.theme import DARK, LIGHT


def diamond():
    """A graph in which x is used twice."""
    x, y = vg.Tensor(3.0, "x"), vg.Tensor(-2.0, "y")
    return ((x * y).named("p") + np.sin(x).named("s")).named("L"), x, y


def cut():
    """A graph with a stop and a constant array."""
    w = vg.Tensor([0.5, -1.0], "w")
    z = (np.array([[1.0, 2.0], [3.0, 4.0]]) @ w).named("z")
    return (np.sum(z * vg.stop_gradient(z)) + vg.Tensor(1.0, "b")).named("C"), w


GRAPHS = {
    "chain": lambda: chain()[0],
    "diamond": lambda: diamond()[0],
    "network": lambda: network((8, 5, 3), 4)[0],
    "cut": lambda: cut()[0],
    "twice": lambda: (lambda x: (x + x).named("y"))(vg.Tensor(1.0, "x")),
    "array": lambda: (vg.Tensor([1.0, 2.0], "x") ** 2).named("y"),
    "leaf": lambda: vg.Tensor(2.0, "x"),
}


def steps(t, wrt=None):
    model = Model(Ancestry(t, wrt))
    return film_steps.steps_of(model, None), model


def marks(element):
    """The step an element is there from, or None; and the one it is there in alone, or None."""
    classes = element.get("class", "")
    return tuple(int(m[1]) if (m := re.search(rf"\b{kind}-(\d+)", classes)) else None for kind in ("from", "only"))


def parts(svg):
    """Id or title of every node and edge, with the element."""
    return [e for e in ET.fromstring(svg).iter(SVG + "g") if set(e.get("class", "").split()) & {"node", "edge"}]


# --------------------------------------------------------------------------------------------------------- what happens


def test_the_steps_of_the_chain():
    cost, biases = chain()
    film = draw_film(cost, biases[0])
    phases = [line.split(":")[0] for line in str(film).splitlines()]
    assert phases == ["forward"] * 9 + ["backward"] * 17 + ["product"]
    assert len(film) == len(film.captions) == 27
    assert film.captions[:2] == ["z₁ = 0.7·w₁ + b₁ = 0.66", "a₁ = σ(z₁) = 0.6593"]
    assert film.captions[9] == "∂C/∂C = 1: here the sweep begins"
    assert "∂C/∂z₁ = ∂C/∂a₁ · σ′(z₁) = 0.001246 · 0.2246 = 2.798e−4" in film.captions
    assert film.captions[-1] == "∂C/∂b₁ = σ′(z₁) · w₂σ′(z₂) · w₃σ′(z₃) · w₄σ′(z₄) · ∂C/∂a₄ = 2.798e−4"
    assert repr(film) == "<Film of 'C': 27 steps of 1.5 s>"


def test_the_numbers_are_those_of_backprop():
    cost, _ = chain()
    truth = {shown(t.name): float(g) for t, g in vg.backprop(cost).items() if t.name and t is not cost}
    captions = draw_film(cost).captions
    for name, gradient in truth.items():
        assert [c.split(" = ")[-1] for c in captions if c.startswith(f"∂C/∂{name} =")] == [number(gradient)]
    assert len(truth) == 16


@pytest.mark.parametrize("case", GRAPHS)
def test_each_caption_is_a_true_equation(case):
    """The last two members of a line of numbers are equal, to the digits shown."""
    seen = 0
    for caption in draw_film(GRAPHS[case]()).captions:
        members = caption.split(";")[0].split(" = ")
        if " · " in members[-2:][0] and re.fullmatch(r"[−\d.e()· ]+", members[-2]):
            factors = [float(f.strip("()").replace("−", "-")) for f in members[-2].split(" · ")]
            assert_allclose(math.prod(factors), float(members[-1].replace("−", "-")), rtol=2e-3)
            seen += 1
    assert seen >= {"chain": 10, "diamond": 2}.get(case, 0)


@pytest.mark.parametrize("case", GRAPHS)
def test_every_part_appears_once_and_in_order(case):
    found, model = steps(GRAPHS[case]())
    where = {}
    for k, step in enumerate(found):
        for part in step.parts:
            assert where.setdefault(part, k) == k, "a part appears twice"
    assert {name for kind, name in where if kind == "node"} == {node.id for node in model.nodes}
    phases = [step.phase for step in found]
    assert phases == sorted(phases, key=["forward", "backward", "gradients"].index)
    for node in model.nodes:
        for edge in node.inputs:
            assert where["node", edge.source.id] <= where["node", node.id]
            forward = where["edge", film_steps.dot.edge_id(edge, "forward")]
            assert forward == where["node", node.id]
            flows = edge.flow is not None and not edge.cut
            if flows:
                back = where["edge", film_steps.dot.edge_id(edge, "back")]
                assert where["grad", node.id] < back <= where["grad", edge.source.id]
                assert phases[back] == "backward"
            else:
                assert where["edge", film_steps.dot.edge_id(edge, "both")] == forward
        assert (("grad", node.id) in where) == (node is model.root or any(e.flow is not None for e in node.outputs))


def test_a_gradient_is_shown_when_all_its_parts_have_come():
    captions = draw_film(diamond()[0]).captions
    first, second = [i for i, c in enumerate(captions) if c.startswith("∂L/∂x, part")]
    assert captions[first] == "∂L/∂x, part 1 of 2: ∂L/∂s · cos(x) = 1 · (−0.99) = −0.99"
    assert captions[second] == "∂L/∂x, part 2 of 2: ∂L/∂p · y = 1 · (−2) = −2; the sum is −2.99"
    found, _ = steps(diamond()[0])
    assert ("grad", "n0") not in found[first].parts
    assert ("grad", "n0") in found[second].parts


def test_nothing_flows_past_a_stop():
    cost, _ = cut()
    captions = draw_film(cost).captions
    assert not any("∂C/∂x" in c for c in captions)
    assert sum(c.startswith("∂C/∂z") for c in captions) == 1


def test_an_array_is_told_by_its_norm():
    cost, _ = network((8, 5, 3), 4)
    truth = vg.backprop(cost)
    norm = next(number(np.linalg.norm(g)) for t, g in truth.items() if t.name == "z1")
    captions = draw_film(cost).captions
    assert f"∂C/∂z₁ from ∂C/∂a₁, ×σ′(z₁): norm {norm}" in captions
    assert any(c.startswith("z₁ = x @ w₁ + b₁, ‖z₁‖ = ") for c in captions)


def test_of_several_elements_it_says_that_they_are_summed():
    assert "for the sum of the elements of y" in draw_film(GRAPHS["array"]()).captions[1]


def test_no_grad_is_read_or_changed():
    cost, biases = chain()
    draw_film(cost, biases[0]).to_svg()
    assert biases[0].grad is None


# ---------------------------------------------------------------------------------------------------------- the picture


@pytest.mark.parametrize("case", GRAPHS)
def test_every_node_and_edge_has_its_step(case):
    film = draw_film(GRAPHS[case]())
    svg = film.to_svg()
    for part in parts(svg):
        first, only = marks(part)
        assert first is not None
        assert only is None
        assert first < len(film)
    captions = [e for e in ET.fromstring(svg).iter(SVG + "g") if "caption" in e.get("class", "").split()]
    assert [marks(e)[1] for e in captions] == list(range(len(film)))
    assert [texts(ET.tostring(e))[1] for e in captions] == film.captions


def test_a_nodes_gradient_comes_after_the_node():
    cost, biases = chain()
    svg = draw_film(cost, biases[0]).to_svg()
    truth = {shown(t.name): number(float(g)) for t, g in vg.backprop(cost).items() if t.name}
    count = 0
    for node in parts(svg):
        if "node" not in node.get("class"):
            continue
        name = "".join(t.text for t in node.iter(SVG + "text") if t.get("font-weight") == "bold")
        late = [t for t in node.iter(SVG + "text") if marks(t)[0] is not None]
        assert [t.text.strip("\xa0 ") for t in late] == [truth[name]]
        assert marks(late[0])[0] > marks(node)[0]
        count += 1
    assert count == len(truth) == 17


@pytest.mark.parametrize("name", ["grad", "‖grad‖", "value"])
def test_a_name_like_a_label_is_no_label(name):
    t = (vg.Tensor(2.0, name) * vg.Tensor(3.0, "b")).named("y")
    svg = draw_film(t).to_svg()
    late = {x.text.strip("\xa0 ") for p in parts(svg) for x in p.iter(SVG + "text") if marks(x)[0] is not None}
    assert late == {"3", "2", "1"}


def test_the_last_frame_is_the_picture_of_draw():
    cost, biases = chain()
    film = draw_film(cost, biases[0], theme="light")
    last = stage.there(len(film) - 1)
    drawn = []

    def walk(element, classes):
        classes = (*classes, *element.get("class", "").split())
        if element.tag == SVG + "text" and last(classes):
            drawn.append("".join(element.itertext()).replace("\xa0", " ").strip())
        for child in element:
            walk(child, classes)

    walk(ET.fromstring(film.to_svg()), ())
    assert sorted(drawn) == sorted([*texts(draw(cost, biases[0]).to_svg()), "product", film.captions[-1]])


def test_what_is_there_in_a_step():
    assert stage.there(3)(())
    assert stage.there(3)(("node", "from-3"))
    assert not stage.there(2)(("node", "from-3"))
    assert not stage.there(5)(("from-1", "from-6"))
    assert [stage.there(k)(("only-2",)) for k in range(4)] == [False, False, True, False]


def test_the_captions_fit_and_the_frame_is_around_its_node():
    for case in GRAPHS:
        svg = draw_film(GRAPHS[case]()).to_svg()
        width, height = page(svg)
        captions = draw_film(GRAPHS[case]()).captions
        for words, left, top, right, bottom in text_boxes(svg):
            if words in captions:
                assert 0 < left < right < width
                assert 0 < top < bottom < height


# -------------------------------------------------------------------------------------------------------- the animation


def style(svg):
    """The style sheet that moves the film."""
    (found,) = [s.text for s in ET.fromstring(svg).iter(SVG + "style") if "@keyframes" in (s.text or "")]
    return found


def test_the_animation_is_css_and_only_for_those_who_want_motion():
    film = draw_film(diamond()[0], seconds=2)
    svg = film.to_svg()
    root = ET.fromstring(svg)
    assert not {"script", "animate", "set", "animateTransform"} & {e.tag.removeprefix(SVG) for e in root.iter()}
    frames, _, moving = style(svg).partition("@media screen and (prefers-reduced-motion: no-preference) {")
    assert "animation:" not in frames
    assert moving.count("animation:") == frames.count("@keyframes") == 2 * len(film) - 1
    names = re.findall(r"@keyframes (\S+)", frames)
    assert len(set(names)) == len(names)
    assert all(name.startswith(root.get("id") + "-") for name in names)
    assert set(re.findall(r"animation: (\S+) ([\d.]+)s linear infinite", moving)) == {
        (name, f"{2 * (len(film) - 1 + stage.HOLD)}") for name in names
    }


def opacity(svg, name, at):
    """What a keyframe rule makes of the opacity at a part of the whole time."""
    (rule,) = re.findall(rf"@keyframes {name} {{ (.*) }}", style(svg))
    stops = [(float(p), float(o)) for p, o in re.findall(r"([\d.]+)% { opacity:(\d) }", rule)]
    assert [p for p, _ in stops] == sorted(p for p, _ in stops)
    return float(np.interp(100 * at, *zip(*stops, strict=True)))


def test_parts_appear_in_their_step_and_stay_captions_go():
    film = draw_film(diamond()[0])
    svg, count = film.to_svg(), len(film)
    name, length = ET.fromstring(svg).get("id"), count - 1 + stage.HOLD
    for k in range(count):
        for now in range(count):
            at = (now + 0.5) / length
            if k:
                assert opacity(svg, f"{name}-from-{k}", at) == (now >= k)
            assert opacity(svg, f"{name}-only-{k}", at) == (now == k)
    assert opacity(svg, f"{name}-only-{count - 1}", 1.0) == 1


def test_without_animation_the_last_frame_is_seen():
    film = draw_film(diamond()[0])
    root = ET.fromstring(film.to_svg())
    for element in root.iter():
        _, only = marks(element)
        hidden = element.get("opacity") == "0"
        assert hidden == (only is not None and only < len(film) - 1)


def test_two_films_can_stand_in_one_page():
    one, two = draw_film(diamond()[0]).to_svg(), draw_film(diamond()[0], seconds=3).to_svg()
    ids = [[e.get("id") for e in ET.fromstring(s).iter() if e.get("id")] for s in (one, two)]
    assert not set(ids[0]) & set(ids[1])
    assert len(set(ids[0])) == len(ids[0])


def test_in_a_browser(browser, tmp_path):
    film = draw_film(diamond()[0], theme="light")
    path = tmp_path / "film.html"
    path.write_text(f"<!doctype html><meta charset=utf-8><title>film</title>{film.to_svg()}", encoding="utf-8")
    seen = """() => [...document.querySelectorAll('.caption')].filter(e => getComputedStyle(e).opacity === '1')
              .map(e => e.textContent.trim())"""
    seek = """ms => document.getAnimations().forEach(a => { a.pause(); a.currentTime = ms })"""
    with browser.page(path) as opened:
        assert opened.evaluate("document.getAnimations().length") == 0  # less motion, please
        assert [s.endswith(film.captions[-1]) for s in opened.evaluate(seen)] == [True]
        opened.emulate_media(reduced_motion="no-preference")
        assert opened.evaluate("document.getAnimations().length") > 20
        for k, caption in enumerate(film.captions):
            opened.evaluate(seek, 1000 * film.seconds * (k + 0.6))
            assert [s.endswith(caption) for s in opened.evaluate(seen)] == [True]
            there = "n => [...document.querySelectorAll('.node')].filter(e => getComputedStyle(e).opacity > 0.5).length"
            assert opened.evaluate(there) == sum(
                marks(p)[0] <= k for p in parts(film.to_svg()) if "node" in p.get("class")
            )


# ---------------------------------------------------------------------------------------------------------------- files


def test_gif(tmp_path):
    film = draw_film(diamond()[0], seconds=0.5)
    frames, times = [], []
    with Image.open(film.save(tmp_path / "x.gif")) as gif:
        assert gif.n_frames == len(film)
        assert gif.info["loop"] == 0
        for k in range(gif.n_frames):
            gif.seek(k)
            times.append(gif.info["duration"])
            frames.append(np.array(gif.convert("RGB")))
    assert times == [500] * (len(film) - 1) + [500 * stage.HOLD]
    assert all(tuple(frame[2, 2]) == (255, 255, 255) for frame in frames)
    ink = [np.count_nonzero(np.any(frame[90:] != 255, axis=2)) for frame in frames]
    assert ink[0] < ink[2] < ink[-2]
    assert all(not np.array_equal(a, b) for a, b in pairwise(frames))


def test_the_dark_gif_is_dark(tmp_path):
    with Image.open(draw_film(GRAPHS["twice"](), theme="dark").save(tmp_path / "x.gif")) as gif:
        assert "#{:02x}{:02x}{:02x}".format(*gif.convert("RGB").getpixel((2, 2))) == DARK.page


@pytest.mark.parametrize(
    ("suffix", "start"), [("svg", b"<svg"), ("png", b"\x89PNG"), ("pdf", b"%PDF"), ("gif", b"GIF89a")]
)
def test_save_by_suffix(tmp_path, suffix, start):
    film = draw_film(GRAPHS["twice"]())
    first, second = film.save(tmp_path / f"x.{suffix}"), draw_film(GRAPHS["twice"]()).save(tmp_path / f"y.{suffix}")
    assert first.read_bytes().startswith(start)
    assert first.read_bytes() == second.read_bytes()


def test_themes():
    auto, light, dark = (draw_film(diamond()[0], theme=t).to_svg() for t in ("auto", "light", "dark"))
    assert "prefers-color-scheme: dark" in auto
    assert "prefers-color-scheme" not in light + dark
    for colour in set(LIGHT.colours()) - set(DARK.colours()):
        assert colour not in dark
    frame = draw_film(diamond()[0], theme="dark")
    captions = re.findall(r'<g class="caption.*?</g>', frame.to_svg(), flags=re.DOTALL)
    for caption in captions:
        assert_readable(f'<svg xmlns="http://www.w3.org/2000/svg">{caption}</svg>', "dark")


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_draw_as_themselves(name, tmp_path):
    film = draw_film((vg.Tensor(2.0, name) * 3).named(f"{name} out"))
    svg = film.to_svg()
    drawn = as_drawn(name)
    assert f"{drawn} out = 3·{drawn} = 6" in texts(svg)
    assert not any(e.tag.endswith("script") for e in ET.fromstring(svg).iter())
    assert style(svg).count("@keyframes") == 2 * len(film) - 1
    film.save(tmp_path / "x.png")


def test_a_long_caption_is_cut_in_the_picture_only():
    first, second, third = [vg.Tensor(1.0, letter * 70) for letter in "wuv"]
    film = draw_film((first * second * third).named("y"))
    assert all([letter * 70 in film.captions[0] for letter in "wuv"])
    assert page(film.to_svg())[0] < 4000
    assert any(t.startswith("y = www") and t.endswith("…") for t in texts(film.to_svg()))


def test_in_a_notebook_also_without_an_engine(monkeypatch):
    film = draw_film(diamond()[0])
    assert film._repr_mimebundle_()["image/svg+xml"].startswith("<svg")
    monkeypatch.setattr(layout, "_routes", list)
    bundle = draw_film(diamond()[0])._repr_mimebundle_()
    assert list(bundle) == ["text/plain"]
    assert "pip install" in bundle["text/plain"]


def test_for_those_who_do_not_see_it():
    cost, biases = chain()
    root = ET.fromstring(draw_film(cost, biases[0]).to_svg())
    assert root.find(SVG + "title").text == "Film: ∂C/∂b₁, along the backprop graph of C"
    assert root.find(SVG + "desc").text.startswith("9 steps forward, 17 backward. ∂C/∂b₁ = σ′(z₁)")


def test_wrong_arguments(tmp_path):
    cost, _ = chain()
    with pytest.raises(ValueError, match="more than max_nodes=5"):
        draw_film(cost, max_nodes=5)
    with pytest.raises(ValueError, match="seconds must be positive"):
        draw_film(cost, seconds=0)
    with pytest.raises(ValueError, match="theme must be one of"):
        draw_film(cost, theme="blue")
    with pytest.raises(TypeError, match="needs a Tensor"):
        draw_film(np.ones(2))
    with pytest.raises(ValueError, match=r"use .svg, .gif, .png or .pdf"):
        draw_film(cost).save(tmp_path / "x.mp4")
