import io
import re

import numpy as np
import pytest
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path
from PIL import Image

import tinygrad_vg as vg
from tinygrad_vg.drawing import draw
from tinygrad_vg.drawing.films.gif import animated_gif
from tinygrad_vg.drawing.sketching.raster import Sheet, rasterise
from tinygrad_vg.drawing.sketching.sketch import Sketch, fit, num, one_line, text_width
from tinygrad_vg.drawing.theme import LIGHT

HEAD = '<svg viewBox="0 0 40 20" xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'


def pixels(body):
    """The picture at one pixel a unit."""
    return Sheet(f"{HEAD}{body}</svg>").pixels(72)


def test_shapes_are_painted_where_they_are():
    found = pixels(
        '<path fill="#ffffff" stroke="none" d="M0,0L40,0L40,20L0,20Z"/>'
        '<g transform="translate(10 5)"><a xlink:title="tip"><polygon fill="#ff0000" points="0,0 5,0 5,5 0,5"/></a></g>'
        '<circle fill="#0000ff" cx="30" cy="10" r="4"/>'
        '<path fill="none" stroke="#00ff00" stroke-width="2" d="M0,17L40,17"/>'
        '<ellipse fill="#000000" stroke="transparent" cx="4" cy="4" rx="3" ry="2"/>'
    )
    assert found.shape == (20, 40, 3)
    expected = {
        (12, 7): (255, 0, 0), (30, 10): (0, 0, 255), (20, 16): (0, 255, 0), (4, 4): (0, 0, 0), (20, 2): (255, 255, 255)
    }  # fmt: skip
    for (x, y), colour in expected.items():
        assert tuple(found[y, x]) == colour
    assert tuple(found[9, 16]) == (255, 255, 255)  # beside the square


def test_a_curve_bulges_as_its_control_points_say():
    found = pixels('<path fill="#000000" stroke="none" d="M10,10C10,0 30,0 30,10Z"/>')
    assert tuple(found[5, 20]) == (0, 0, 0)
    assert found[1, 20].max() > 0
    assert tuple(found[12, 20]) == (255, 255, 255)


def test_graphvizs_own_transform_is_read():
    graph = draw((vg.Tensor(2.0, "x") * 3).named("y"))
    assert rasterise(graph.to_svg(), "png").startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('<rect width="3" height="3"/>', "<rect> is not one"),
        ('<path d="M0,0A1,1 0 0 1 3,3"/>', "path command 'A'"),
        ('<path d="M0,0l3,3"/>', "path command 'l'"),
        ('<g transform="rotate(30)"/>', "not transformed by 'rotate"),
        ('<g transform="scale(2 2) rotate(0) translate(1 1)"/>', "not transformed by 'scale"),
    ],
)
def test_what_it_cannot_draw_is_an_error(body, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Sheet(f"{HEAD}{body}</svg>")


def test_parts_can_be_hidden():
    sheet = Sheet(f'{HEAD}<g class="a"><circle class="b" fill="#000000" cx="10" cy="10" r="5"/></g></svg>')
    for wanted, dark in [(lambda c: True, True), (lambda c: "a" not in c, False), (lambda c: c == ("a", "b"), True)]:
        sheet.show(wanted)
        assert (sheet.pixels(72)[10, 10].max() == 0) == dark


def test_dollars_are_no_mathematics():
    page = Sketch(LIGHT)
    page.text(20, 12, r"$\frac{$ 100 %")
    assert rasterise(page.svg(80, 20), "png").startswith(b"\x89PNG")


def test_the_size_of_a_png_follows_from_dpi():
    for dpi in (72, 144):
        with Image.open(io.BytesIO(rasterise(Sketch(LIGHT).svg(40, 20), "png", dpi=dpi))) as image:
            assert image.size == (40 * dpi // 72, 20 * dpi // 72)


def test_a_gif_keeps_the_most_frequent_colours_exactly():
    rng = np.random.default_rng(0)
    frames = [np.full((40, 40, 3), 254, dtype=np.uint8) for _ in range(2)]
    frames[0][:20] = rng.integers(0, 256, (20, 40, 3))  # 800 colours, of which 255 find room
    frames[1][:, :20] = (1, 2, 3)
    with Image.open(io.BytesIO(animated_gif(frames, [40, 70]))) as gif:
        first = np.array(gif.convert("RGB"))
        assert gif.info["duration"] == 40
        gif.seek(1)
        second = np.array(gif.convert("RGB"))
        assert gif.info["duration"] == 70
    assert np.array_equal(first[20:], frames[0][20:])
    assert np.array_equal(second, frames[1])
    assert np.abs(first[:20].astype(int) - frames[0][:20]).mean() < 40


TEXTS = [
    "‖∂C/∂b₁‖ = 0.05826",
    "layer 12",
    "1–6 of 784",
    "17 gates (7 AND, 3 OR, 7 XOR), depth 7",
    "A bar is |∂C/∂b|, up if positive, down if negative; logarithmic scale, the same in all layers",
    "∂C/∂z₄ = ∂C/∂a₄ · σ′(z₄) = 0.4477 · (−0.2473) = −0.1107",
    "0123456789",
    "MMMMWWWW@@",
    "illicit fjords",
    "HELLO QUÄY",
    "…",
    "␀␛",
]


@pytest.mark.parametrize("words", TEXTS)
@pytest.mark.parametrize("weight", ["normal", "bold"])
@pytest.mark.filterwarnings("ignore:Glyph")
def test_the_width_of_a_text_is_never_guessed_too_small(words, weight):
    font = FontProperties(family="DejaVu Sans", size=10, weight=weight)
    true = text_to_path.get_text_width_height_descent(words, font, False)[0]
    guess = text_width(words, 10, bold=weight == "bold")
    assert true <= guess + 0.1
    assert guess <= 1.5 * true or len(words) < 3


def test_fitting_a_text():
    assert fit("short", 10, 100) == "short"
    cut = fit("x" * 100, 10, 100)
    assert cut.endswith("x…")
    assert 80 < text_width(cut, 10) <= 100
    assert fit("abc", 10, 0) == "…"


def test_names_are_one_line_and_coordinates_short():
    assert one_line("w1\n\x00") == "w1␊␀"
    assert [num(x) for x in (1.0, -0.001, 2.5, 1 / 3)] == ["1", "0", "2.5", "0.33"]
