"""Expressions typed as text: what they mean, what is refused and where, and that nothing else can happen."""

import ast
import inspect
import math
import pickle
import random
import sys
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import tinygrad_vg as vg
from tinygrad_vg import expressions
from tinygrad_vg.expressions import ExpressionError, parse_expression, parse_value
from tinygrad_vg.expressions.allowed import FUNCTIONS
from tinygrad_vg.tensor import RULES


def value(text, **values):
    return parse_expression(text, values).root.item()


# -------------------------------------------------------------------------------------------------------- what it means


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x + y*2", 3 + 5 * 2),
        ("x - y - 1", 3 - 5 - 1),
        ("x/y/2", 3 / 5 / 2),
        ("-x**2", -9.0),
        ("x**-1", 1 / 3),
        ("2**y**0.5", 2 ** math.sqrt(5)),
        ("(x + y)*(x - y)", -16.0),
        ("+x", 3.0),
        ("1e-3*x", 0.003),
        ("sin(x)*exp(-y)", math.sin(3) * math.exp(-5)),
        ("where(x > y, x, y)", 5.0),
        ("where(x <= y, x, y)", 3.0),
        ("max(x, y) - min(x, y)", 2.0),
        ("ln(x) - log(x) + pow(y, 2)", 25.0),
        ("asin(x/5) + atan2(x, y)", math.asin(0.6) + math.atan2(3, 5)),
        ("abs(-x)", 3.0),
        ("pi*x", math.pi * 3),
        ("σ(x) - sigmoid(x) + y", 5.0),
        ("x·y − 1", 14.0),
        ("x × y", 15.0),
        ("  x +\ty ", 8.0),
        ("(x\n  + y)", 8.0),
        ("x + y # the sum", 8.0),
    ],
)
def test_values(text, expected):
    assert_allclose(value(f"q = {text}\nq + 0*x*y", x=3.0, y=5.0), expected, rtol=1e-14)


def test_derivatives_are_the_engines():
    text = "C = (a - y)**2; a = sigmoid(z); z = w*x + b"
    found = parse_expression(text, {"w": 0.5, "x": 2.0, "b": -1.0, "y": 1.0})
    gradients = vg.backprop(found.root)
    assert_allclose(gradients[found.tensors["w"]], 2 * (0.5 - 1) * 0.25 * 2, rtol=1e-14)
    assert_allclose(gradients[found.tensors["z"]], 2 * (0.5 - 1) * 0.25, rtol=1e-14)


def test_names_become_names():
    found = parse_expression("C = (a - y)**2\na = sigmoid(z)\nz = w*x + b")
    assert found.root.name == "C"
    assert list(found.tensors) == ["w", "x", "b", "z", "a", "y", "C"]
    assert all(t.name == name for name, t in found.tensors.items())
    assert found.variables == ("w", "x", "b", "y") == found.drawn


def test_subscripts_are_digits():
    assert parse_expression("w₂*a₁").variables == ("w2", "a1")
    assert value("w₂*a₁", **{"w₂": 2.0, "a1": 3.0}) == 6.0


def test_the_order_of_statements_does_not_matter():
    statements = ["C = a*a", "a = tanh(z) + z", "z = w*x", "w = 0.5", "x = 2"]
    values = set()
    for seed in range(10):
        random.Random(seed).shuffle(statements)
        values.add(value("; ".join(statements)))
    assert len(values) == 1


def test_an_expression_alone_is_the_result():
    assert parse_expression("z = w*x; a = sin(z); z").root.name == "z"
    assert parse_expression("z = w*x; z + z").root.name is None
    assert parse_expression("x").root.name == "x"


def test_a_number_given_in_the_text_is_the_value_of_a_variable():
    found = parse_expression("w*x; w = 1/4; x = -2")
    assert found.variables == ("w", "x")
    assert found.drawn == ()
    assert found.root.item() == -0.5
    assert value("w*x; w = 1/4; x = -2", w=3.0) == -6.0


def test_a_second_name_is_a_copy():
    found = parse_expression("a = x; b = a; a + b", {"x": 2.0})
    assert {t.name for t in vg.backprop(found.root) if t.name} == {"x", "a", "b"}
    assert vg.backprop(found.root)[found.tensors["x"]] == 2.0


def test_values_that_are_not_given_depend_on_seed_and_name_alone():
    one, two = parse_expression("x + y + x0"), parse_expression("y*z - x")
    assert one.tensors["x"].item() == two.tensors["x"].item()
    assert one.tensors["x"].item() != one.tensors["y"].item()
    drawn = [parse_expression("x", seed=seed).root.item() for seed in range(200)]
    assert len(set(drawn)) > 40
    assert 0.1 <= min(drawn) < max(drawn) <= 0.9


def test_arrays():
    values = {"W": [[1, 2], [3, 4]], "x": [0.5, -0.5], "b": 1}
    assert_allclose(parse_expression("W@x + b", values).root.data, [0.5, 0.5])
    assert value("sum(W@x + b)", **values) == 1.0
    assert value("mean(W)", W=values["W"]) == 2.5
    assert value("max(W) - min(W)", W=values["W"]) == 3.0
    assert_allclose(parse_expression("softmax(x)", {"x": [0.0, 0.0]}).root.data, [0.5, 0.5])


def test_a_condition_is_a_constant_and_lets_no_gradient_through():
    found = parse_expression("where(x > 0, x, 0.1*x)", {"x": -2.0})
    assert_allclose(vg.backprop(found.root)[found.tensors["x"]], 0.1)


def test_every_ufunc_of_the_table_can_be_called():
    for name, takes in FUNCTIONS.items():
        for count in takes:
            inside = "x > y, x, y" if name == "where" else ", ".join("xyz"[:count])
            given = {letter: [0.3, 0.6] for letter in "xyz" if letter in inside}
            found = parse_expression(f"q = {name}({inside})", given)
            assert type(found.root) is vg.Tensor
    assert {f.__name__ for f in RULES if isinstance(f, np.ufunc)} <= set(FUNCTIONS)


def test_long_sums_need_no_recursion():
    limit = sys.getrecursionlimit()
    assert value("+".join(["x"] * 900), x=1.0) == 900.0
    assert sys.getrecursionlimit() == limit
    chain = "; ".join(f"a{i} = a{i + 1} + 1" for i in range(250))
    assert value(chain + "; a0", a250=0.0) == 250.0


# ------------------------------------------------------------------------------------------------------ what is refused

REFUSED = [
    ("x.real", 1, "an attribute"),
    ("x + x.__class__", 5, "an attribute"),
    ("().__class__.__bases__[0]", 1, "an index"),
    ("__import__('os').system('true')", 1, "an attribute"),
    ("__import__('os')", 1, "no function __import__"),
    ("__builtins__ + x", 1, "two underscores"),
    ("__x = 3; __x*y", 1, "two underscores"),
    ("lambda: x", 1, "lambda"),
    ("(lambda y: y)(x)", 2, "lambda"),
    ("[a for a in x]", 1, "a comprehension"),
    ("sum(a for a in x)", 4, "a comprehension"),
    ("{a: 1 for a in x}", 1, "a comprehension"),
    ("'text' + x", 1, "a text in quotes"),
    ("b'text' + x", 1, "a text in quotes"),
    ("f'{x}'", 1, "a text in quotes"),
    ("x[0]", 1, "an index"),
    ("x if x else y", 1, "if … else"),
    ("x and y", 1, "and"),
    ("not x", 1, "not"),
    ("~x", 1, "~"),
    ("x and y or z", 1, "or"),
    ("a*b + x^2", 8, "^"),
    ("a*b % 2", 5, "%"),
    ("(x) // 2", 5, "//"),
    ("x << 2", 3, "<<"),
    ("x > 1", 1, "a comparison here"),
    ("where(x > 1 > 0, x, 1)", 7, "no condition"),
    ("where(x in y, x, 1)", 7, "no condition"),
    ("where(x, y > 1, 1)", 10, "a comparison here"),
    ("(y := x)", 2, ":="),
    ("x, y", 1, "a comma"),
    ("[x, y]", 1, "a list"),
    ("{x: y}", 1, "a dictionary"),
    ("{x}", 1, "a set"),
    ("*x", 1, "a star"),
    ("sin(*x)", 5, "a star"),
    ("True + x", 1, "True"),
    ("None", 1, "None"),
    ("... + x", 1, "Ellipsis"),
    ("2j*x", 1, "2j"),
    ("x; import os", 4, "import"),
    ("from os import system", 1, "import"),
    ("exec('x')", 1, "no function exec"),
    ("print(x)", 1, "no function print"),
    ("def f(): pass", 1, "def"),
    ("if x: y", 1, "if"),
    ("while x: y", 1, "while"),
    ("del x", 1, "delete"),
    ("x += 1", 1, "+="),
    ("x: y", 1, "a colon"),
    ("x.y = 3", 1, "an attribute"),
    ("(x, y) = z", 1, "a comma"),
    ("a = b = x", 1, "two equals signs"),
    ("sin = x; sin", 1, "sin is a function"),
    ("sin + x", 1, "sin is a function"),
    ("pi = 3; pi*x", 1, "pi is the number"),
    ("x(3)", 1, "no function x"),
    ("sin(x)(y)", 1, "call"),
    ("sin(x, y)", 1, "sin takes 1 argument, not 2"),
    ("where(x > 1)", 1, "where takes 3 arguments, not 1"),
    ("max(x, y, z)", 1, "max takes 1 or 2 arguments, not 3"),
    ("sin()", 1, "sin takes 1 argument, not 0"),
    ("exp(x, out=y)", 1, "settings by name (out=…)"),
    ("exp(**x)", 1, "settings by name (**=…)"),
    ("x y", None, "cannot be read"),  # where Python's own grammar sees a mistake differs from version to version
    ("(x", None, "cannot be read"),
    ("x +", None, "cannot be read"),
    ("in + 1", None, "in is not allowed"),
    ("yield x", 1, "yield"),
    ("a = 1; a = 2; a*x", 8, "a is defined twice"),
    ("x; y", 4, "a second result"),
    ("a = x; b = x", 1, "which is the result, a or b?"),
    ("a = b; b = c; c = a", 5, "a → b → c → a"),
    ("x = x + 1", 7, "x → x"),
    ("2 + 3", 1, "no gradient"),
    ("where(x > 0, 1, 2)", 1, "no gradient"),
    ("", 1, "empty"),
    (" \n ", 1, "empty"),
    ("# nothing", 1, "empty"),
    ("x @ y", 3, "@ multiplies arrays"),
    ("9**9**9*x", 2, "too large"),
    ("x/0 + 1/0", 8, "too large"),
    ("1e999*x", 1, "too large"),
    ("log(-1)*x", 1, "too large, or no number"),
    ("x*" + "9" * 400, 3, "too large"),
    ("x*" + "9" * 4400, 3, "4,400 digits"),
    ("x*0x" + "f" * 300, 3, "too large"),
    ("x\0", 2, "U+0000"),
    ("x\x1b[31m", 2, "U+001B"),
    ("x + \ud800", 5, "U+D800"),
    ("\u202ex", None, "cannot be read"),
    ("(" * 10_000 + "x" + ")" * 10_000, 51, "nested more than 50 deep"),
    ("x" * 5_001, 1, "5,001 characters"),
]


@pytest.mark.parametrize(("text", "column", "says"), REFUSED, ids=[text[:20] for text, _, _ in REFUSED])
def test_refusals_say_what_and_where(text, column, says):
    with pytest.raises(ExpressionError) as caught:
        parse_expression(text)
    assert says in caught.value.what
    assert column in (None, caught.value.column)
    lines = str(caught.value).split("\n")
    assert lines[0].endswith(f"column {caught.value.column}: {caught.value.what}")
    assert all(line.isprintable() for line in lines)
    assert max(map(len, lines[1:])) <= 80


def test_the_mark_stands_under_the_place():
    with pytest.raises(ExpressionError) as caught:
        parse_expression("权重*x + y.z")
    shown, mark = str(caught.value).split("\n")[1:3]
    assert shown == "    权重*x + y.z"
    assert mark == "    " + " " * (2 + 2 + 5) + "^"  # a Chinese character is two columns wide
    with pytest.raises(ExpressionError, match=r"line 2, column 5: \^ is not allowed") as caught:
        parse_expression("a = x\n  a ^ 2")
    assert str(caught.value).split("\n")[2] == " " * (4 + 4) + "^"
    with pytest.raises(ExpressionError) as caught:
        parse_expression("x + " * 200 + "y.z")
    shown, mark = str(caught.value).split("\n")[1:3]
    assert shown[mark.index("^") :] == "y.z"
    assert shown[4] == "…"


def test_refusals_say_what_to_write_instead():
    for text, cure in [
        ("x^2", "A power is written **."),
        ("x % 2", "Write remainder(x, y)."),
        ("x > 1", "where(a > b, x, y)"),
        ("sgmoid(x)", "Did you mean sigmoid?"),
        ("nonsense(x)", "There are abs, "),
        ("x.y", "Allowed are numbers, names"),
        ("sin", "Write sin(…)."),
    ]:
        with pytest.raises(ExpressionError) as caught:
            parse_expression(text)
        assert cure in caught.value.cure


def test_values_of_what_is_no_variable():
    for values, says, cure in [
        ({"q": 1.0}, "q is not in it", "The variables are x."),
        ({"a": 1.0}, "a is computed", "The variables are x."),
        ({"x": "text"}, "the value of x", ""),
        ({"x": [[1.0], [1.0, 2.0]]}, "the value of x", ""),
        ({"x": vg.Tensor(1.0)}, "the value of x", ""),
    ]:
        with pytest.raises(ExpressionError) as caught:
            parse_expression("a = x*x; a + 1", values)
        assert says in caught.value.what
        assert cure in caught.value.cure


def test_the_error_can_be_pickled():
    with pytest.raises(ExpressionError) as caught:
        parse_expression("x.y")
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0.5", 0.5), (" -1/4 ", -0.25), ("pi", math.pi), ("[1, -2]", [1.0, -2.0]), ("[[1], [2**3]]", [[1.0], [8.0]])],
)
def test_values_as_text(text, expected):
    assert parse_value(text) == expected


@pytest.mark.parametrize("text", ["x", "[x]", "'a'", "1; 2", "a = 1", "", "[1", "9**9**9", "[" * 60 + "]" * 60, "1j"])
def test_values_that_are_none(text):
    with pytest.raises(ExpressionError):
        parse_value(text)


# ---------------------------------------------------------------------------------------------- nothing else can happen

PIECES = [
    *["x", "y1", "权重", "__class__", "sin", "where", "max", "lambda", "in", "import os", "pi", "eval", "e", "é"],
    *["0", "1.5", "1e308", "9**9**9", "0x10", "1j", "'s'", '"', "f'", "None", "True", "...", "_"],
    *[
        "+",
        "-",
        "*",
        "/",
        "**",
        "@",
        "^",
        "%",
        "//",
        "<",
        ">=",
        "==",
        "!=",
        "=",
        ":=",
        "and",
        "not",
        "if",
        "else",
        "for",
    ],
    *[
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ".",
        ":",
        ";",
        "\n",
        " ",
        "\t",
        "\\",
        "#",
        "!",
        "$",
        "?",
        "`",
        "\0",
        "\r",
        "\f",
    ],
]


def try_out(text):
    """Read a text; besides a Tensor, only one thing may come of it."""
    try:
        found = parse_expression(text)
    except ExpressionError as caught:
        error = caught
    else:
        assert type(found.root) is vg.Tensor
        assert set(found.variables) <= set(found.tensors)
        return
    assert str(error)
    lines = error.text.split("\n")
    assert 1 <= error.line <= len(lines)
    assert 1 <= error.column <= len(lines[error.line - 1]) + 1


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
@example("x" + "\\" + "\n")
@example("x\\\n+ y.z")
@example("(x;\ny)")
@example("x\f\n y.z")
def test_pieces_of_expressions_in_any_order(text):
    try_out(text)


@given(st.text(max_size=60))
def test_any_text(text):
    try_out(text)
    with suppress(ExpressionError):
        parse_value(text)


@pytest.mark.parametrize(
    "text", ["-" * 4_900 + "x", "x**" * 1_600 + "x", "x+" * 2_400 + "x", "a;" * 2_400, "x<" * 2_400]
)
def test_deep_texts_without_brackets(text):
    """Some versions of Python make trees of these, and some give up; our walk does not mind."""
    try_out(text)


@st.composite
def sums(draw, depth=4):
    """A text that is an expression, and a function that computes it with math."""
    if depth == 0 or draw(st.integers(0, 4)) == 0:
        if draw(st.booleans()):
            number = draw(st.integers(1, 9))
            return str(number), lambda x: float(number)
        return "x", lambda x: x
    left, f = draw(sums(depth=depth - 1))
    right, g = draw(sums(depth=depth - 1))
    kind = draw(st.sampled_from(["+", "-", "*", "sin", "-u", "where"]))
    if kind == "sin":
        return f"sin({left})", lambda x: math.sin(f(x))
    if kind == "-u":
        return f"-({left})", lambda x: -f(x)
    if kind == "where":
        return f"where({left} < {right}, {left}, {right})", lambda x: min(f(x), g(x))
    two = {"+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b}[kind]
    return f"({left}) {kind} ({right})", lambda x: two(f(x), g(x))


@given(sums(), st.floats(-2, 2))
def test_it_computes_what_python_would(case, x):
    text, function = case
    assert_allclose(parse_expression(text + " + 0*x", {"x": x}).root.item(), function(x), rtol=1e-12)


def test_nothing_is_run_as_code(monkeypatch):
    """`compile` makes a tree and no code, and neither eval nor exec is named."""
    real, flags = compile, []

    def watched(source, filename, mode, flag=0, *args, **kwargs):
        flags.append(kwargs.get("flags", flag))
        return real(source, filename, mode, flag, *args, **kwargs)

    monkeypatch.setattr("builtins.compile", watched)
    parse_expression("sin(x)*2; x = 3")
    assert flags
    assert all(flag & ast.PyCF_ONLY_AST for flag in flags)
    for name in ("source", "allowed", "parse"):
        tree = ast.parse(inspect.getsource(getattr(expressions, name)))
        named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert not named & {"eval", "exec", "compile", "__import__", "globals", "locals", "vars", "open"}
