"""How a chain reads: in a line, at 80 columns, in LaTeX, and as HTML in both themes."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest
from graphs import chain, long_chain, network

import tinygrad_vg as vg
from tinygrad_vg.drawing import explain
from tinygrad_vg.drawing.explanation.chain_text import _width
from tinygrad_vg.drawing.theme import DARK, LIGHT

HOSTILE = ["</script><b>x</b>", "a\"b'c&d", "line\nend", "权重", "{x}|<y>\\n", "%d $x$ `~"]


class Page(HTMLParser):
    """What a browser would make of it: tags in order, texts, attributes."""

    VOID = ("br", "meta")

    def __init__(self, html):
        super().__init__()
        self.tags, self.open, self.texts, self.attributes = [], [], [], []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.texts.append(data)


def many():
    """A sum over 256 paths with cuts, and a hostile name."""
    x = y = vg.Tensor(1.1, "<b>x</b>\n&")
    for _ in range(4):
        y = 0.3 * y * y + vg.stop_gradient(y) * np.where(y > 0, y, 0.1 * y)
    return y.named("</script><i>y"), x


CASES = {
    "chain": lambda: explain_first(chain()),
    "layers": lambda: explain_first(network(samples=3)),
    "one sample": lambda: explain_first(network(samples=1)),
    "long": lambda: explain(*long_chain(400)[::-1]),
    "many paths": lambda: explain(*many()),
    "none": lambda: explain(chain()[0], vg.Tensor(np.ones(3), "other")),
}


def explain_first(made):
    cost, biases = made
    return explain(cost, biases[0])


@pytest.fixture(params=CASES)
def found(request):
    return CASES[request.param]()


def test_repr_is_a_short_line(found):
    for thing in (found, *found.paths, *found.terms):
        assert re.fullmatch(r"<(Chain|Path|Term)[^\n]{1,110}>", repr(thing))


def test_repr_says_what_matters():
    assert repr(CASES["chain"]()) == "<Chain ∂C/∂b₁ = 2.798e−4: 5 terms>"
    assert repr(CASES["layers"]()).endswith(", shape (30,): 4 terms>")
    assert repr(CASES["many paths"]()).endswith(": 256 paths>")
    assert repr(CASES["chain"]().terms[1]) == "<Term w₂σ′(z₂): value −0.1374, product 0.001246>"
    assert repr(CASES["layers"]().terms[0].matrix) == "<Matrix 30×30, 3 samples>"


def test_the_text_fits_into_80_columns(found):
    lines = str(found).split("\n")
    assert max(map(_width, lines)) <= 80
    assert all(line == line.rstrip() for line in lines)
    assert "\n\n\n" not in str(found)


def test_a_long_formula_is_broken_before_its_operators():
    cost, biases = chain(w=(0.5,) * 12, b=(0.1,) * 12)
    lines = str(explain(cost, biases[0])).split("\n")
    assert lines[0].startswith("∂C/∂b₁ = σ′(z₁) · ")
    assert lines[1].startswith("  · w")
    assert not [line for line in lines if line.endswith(("·", "="))]
    joined = " ".join(line.strip() for line in lines[: lines.index("")])
    assert joined == explain(cost, biases[0]).headline


def test_layers_in_text():
    text = str(CASES["layers"]())
    assert "= the sum over 3 rows of (a₃ − y)/3 · Σ′(z₃) · w₃ᵀΣ′(z₂) · w₂ᵀΣ′(z₁)" in text
    for heading in ("spectral norm", "mean sing. value", "‖sum of δ‖", "sum of ‖δ‖"):
        assert heading in text
    assert re.search(r"w₂ᵀΣ′\(z₁\) +30×30 +0\.\d+ +0\.\d+", text)


def test_latex_of_layers():
    latex = CASES["layers"]().latex()
    assert r"\sum_{i=1}^{3}" in latex
    assert r"w_{3}^{\top}\,\Sigma '(z_{2}) \cdot w_{2}^{\top}\,\Sigma '(z_{1})" in latex
    assert CASES["layers"]()._repr_latex_() == f"${latex}$"
    assert r"\sum" not in CASES["one sample"]().latex()


# ---------------------------------------------------------------------------------------------------------------- HTML


def test_html_is_well_formed_and_loads_nothing(found):
    html = found._repr_html_()
    page = Page(html)
    assert not {"script", "b>", "i", "img", "link", "iframe"} & (set(page.tags) - {"i"})
    assert not re.search(r"https?:|url\(|@import|src=|href=|\bon\w+=", html)
    assert page.tags.count("table") == len([p for p in found.paths if p.terms])


def test_html_says_what_the_text_says():
    page = Page(CASES["chain"]()._repr_html_())
    text = "\n".join(page.texts)
    for term in CASES["chain"]().terms:
        assert term.text in page.texts
    assert CASES["chain"]().headline in text
    for number in ("−0.1374", "2.798e−4", "0.4477"):
        assert number in page.texts


def test_html_follows_light_and_dark():
    html = CASES["chain"]()._repr_html_()
    light, dark = html.split("@media (prefers-color-scheme: dark)")
    for colours, part in ((LIGHT, light), (DARK, dark)):
        for colour in (colours.page, colours.ink, colours.soft, colours.rule):
            assert colour in part
    bars = re.findall(r"--light: (#\w+); --dark: (#\w+); width: (\d+)%", html)
    assert len(bars) == 5
    for light_colour, dark_colour, _ in bars:
        assert [pair[0] for pair in LIGHT.ramp].index(light_colour) == [pair[0] for pair in DARK.ramp].index(
            dark_colour
        )


def test_bars_grow_with_the_product():
    widths = [int(w) for w in re.findall(r"; width: (\d+)%", CASES["chain"]()._repr_html_())]
    assert widths == sorted(widths)
    assert widths[0] < widths[-1] <= 100


def test_an_exploding_product_is_vermillion():
    cost, biases = chain(w=(100.0,) * 4, b=(-70.0, -50.0, -50.0, -50.0))
    assert explain(cost, biases[0])._repr_html_().count(f"--light: {LIGHT.hot[0]}") == 4


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_never_markup(name):
    x, w = vg.Tensor(0.5, name), vg.Tensor(2.0, "w")
    found = explain((np.sin(w * x).named(name + "2") * 3).named(name + "3"), x)
    plain = explain((np.sin(w * vg.Tensor(0.5, "x")).named("x2") * 3).named("x3"), w)
    page = Page(found._repr_html_())
    assert page.tags == Page(plain._repr_html_()).tags
    assert name.replace("\n", "␊") in "".join(page.texts)
    assert "\n\n" not in repr(found)
    assert "\n" not in found.headline


def test_the_other_paths_are_folded_away():
    page = Page(CASES["many paths"]()._repr_html_())
    assert page.tags.count("details") == 4
    assert "and 251 more paths" in "".join(page.texts)
