import numpy as np
import pytest

import tinygrad_vg as vg
from tinygrad_vg.drawing.formula import fill, literal, number, shown, variable
from tinygrad_vg.drawing.model import Ancestry, Model

x, y, z = (vg.Tensor(v, n) for v, n in ((0.3, "x"), (0.7, "y"), (0.4, "z")))


def formula(t):
    return Model(Ancestry(t)).root.formula


def symbols(t):
    return [(e.source.name, e.local.expr().text) for e in Model(Ancestry(t)).root.inputs]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (0.6749, "0.6749"),
        (-0.00101234, "−0.001012"),
        (0.0366, "0.0366"),
        (0.00099996, "0.001"),
        (0.00099994, "9.999e−4"),
        (7.6e-10, "7.6e−10"),
        (-2.79845537236e-4, "−2.798e−4"),
        (24790, "24790"),
        (123456.0, "1.235e5"),
        (99999.6, "1e5"),
        (12345.6, "12350"),
        (5e-324, "4.941e−324"),
        (float("nan"), "NaN"),
        (float("-inf"), "−∞"),
    ],
)
def test_numbers_have_four_digits_and_never_vanish(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("name", "text"),
    [("w1", "w₁"), ("a12", "a₁₂"), ("layer 1", "layer 1"), ("7", "7"), ("x_1", "x_1"), ("权重1", "权重₁"), ("σ2", "σ₂")]
    + [("a\x00\x1b\x7f", "a␀␛␡"), ("a\nb", "a\nb"), ("\ud800", "�"), ("<b>", "<b>")],
)
def test_names_are_shown_as_themselves(name, text):
    assert shown(name) == text


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: x * y + z, "x·y + z"),
        (lambda: x * (y + z), "x·(y + z)"),
        (lambda: (x + y) * z, "(x + y)·z"),
        (lambda: x - (y - z), "x − (y − z)"),
        (lambda: (x - y) - z, "x − y − z"),
        (lambda: x / (y * z), "x/(y·z)"),
        (lambda: x * y / z, "x·y/z"),
        (lambda: -(x + y), "−(x + y)"),
        (lambda: x + -y, "x + (−y)"),
        (lambda: -x * y, "(−x)·y"),
        (lambda: (-x) ** 2, "(−x)²"),
        (lambda: -(x**2), "−x²"),
        (lambda: 0.5 * (x - y) ** 2, "½(x − y)²"),
        (lambda: (x - y) ** 2 * 0.5, "½(x − y)²"),
        (lambda: (x - y) ** 2 / 2, "(x − y)²/2"),
        (lambda: (x**2) ** 3, "(x²)³"),
        (lambda: x**y, "x^y"),
        (lambda: x ** (y + 1), "x^(y + 1)"),
        (lambda: x**-1, "x⁻¹"),
        (lambda: (x + y) ** 1 * z, "(x + y)·z"),
        (lambda: np.sqrt(x + y), "√(x + y)"),
        (lambda: vg.sigmoid(x * y), "σ(x·y)"),
        (lambda: np.abs(x - y), "|x − y|"),
        (lambda: np.maximum(x, y + z), "max(x, y + z)"),
        (lambda: x * 1e-5, "1e−5·x"),
        (lambda: x - 0.25, "x − ¼"),
    ],
)
def test_formulas_have_the_parentheses_they_need_and_no_more(make, text):
    assert formula(make()).text == text


def test_formulas_of_matrices():
    a, w, b = vg.Tensor(np.ones((2, 3)), "a1"), vg.Tensor(np.ones((3, 2)), "w2"), vg.Tensor(np.ones(2), "b2")
    assert formula((a @ w + b).named("z2")).text == "a₁ @ w₂ + b₂"
    assert formula((a @ (w @ a)).named("q")).text == "a₁ @ (w₂ @ a₁)"
    assert formula((2 * (a @ w)).named("q")).text == "2·(a₁ @ w₂)"
    assert formula(a[0, 1:].named("q")).text == "a₁[0, 1:]"


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: x * y + z, [("x", "y"), ("y", "x"), ("z", "1")]),
        (lambda: 0.5 * (x - y) ** 2, [("x", "x − y"), ("y", "−(x − y)")]),
        (lambda: x - y, [("x", "1"), ("y", "−1")]),
        (lambda: vg.sigmoid(x * y), [("x", "yσ′(x·y)"), ("y", "xσ′(x·y)")]),
        (lambda: np.tanh(x * y), [("x", "y·tanh′(x·y)"), ("y", "x·tanh′(x·y)")]),
        (
            lambda: vg.sigmoid(vg.Tensor(1.0, "weight2") * x),
            [("weight2", "xσ′(weight₂·x)"), ("x", "weight₂·σ′(weight₂·x)")],
        ),
        (
            lambda: vg.Tensor(1.0, "rate") * (x - y) ** 2,
            [("rate", "(x − y)²"), ("x", "2·rate·(x − y)"), ("y", "−2·rate·(x − y)")],
        ),
        (lambda: x / y, [("x", "1/y"), ("y", "−x/y²")]),
        (lambda: z * (x / y), [("z", "x/y"), ("x", "z/y"), ("y", "−z·x/y²")]),
        (lambda: x**3, [("x", "3·x²")]),
        (lambda: x**2, [("x", "2·x")]),
        (lambda: 3 * x, [("x", "3")]),
        (lambda: np.exp(-x), [("x", "−exp(−x)")]),
        (lambda: x + x, [("x", "1"), ("x", "1")]),
    ],
)
def test_local_derivatives_are_composed_and_simplified(make, expected):
    found = [(name, text.replace("−1·", "−")) for name, text in symbols(make())]
    assert found == expected


def test_an_op_without_templates_is_written_with_its_name():
    cube = vg.primitive(lambda a: a**3, (lambda g, out, a: g * 3 * a**2,), name="cube")
    two = vg.primitive(lambda a, b: a * b, (lambda g, out, a, b: g * b, lambda g, out, a, b: g * a), name="two")
    assert formula(cube(x)).text == "cube(x)"
    assert symbols(cube(x)) == [("x", "cube′(x)")]
    assert symbols(two(x, y)) == [("x", "∂₁two(x, y)"), ("y", "∂₂two(x, y)")]


@pytest.mark.parametrize(
    ("expr", "latex"),
    [
        (variable("w12"), "w_{12}"),
        (variable("σ1"), r"\sigma _{1}"),
        (variable("loss"), r"\mathrm{loss}"),
        (variable("a_b%"), r"\text{a\_b\%}"),
        (fill("½{0}", [fill("{0}²", [fill("{0} − {1}", [variable("a4"), variable("y")])])]),
         r"\tfrac{1}{2}\left(a_{4} - y\right)^{2}"),
        (fill("σ′({0})", [variable("z1")]), r"\sigma '(z_{1})"),
        (fill("{0}^{1}", [variable("x"), variable("y")]), "x^{y}"),
        (fill("{1}·{0}^({1}−1)", [variable("x"), variable("y")]), r"y\cdot x^{y-1}"),
        (literal(7.6e-10), r"7.6\times 10^{-10}"),
    ],
)  # fmt: skip
def test_latex(expr, latex):
    assert expr.latex == latex
    assert latex.count("{") == latex.count("}")
