import itertools
import math

import numpy as np
import pytest
from graphs import BOOK_GRADIENT, chain, long_chain
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import tinygrad_vg as vg
from tinygrad_vg.drawing import explain
from tinygrad_vg.drawing.explanation.chains import chain_of
from tinygrad_vg.drawing.explanation.paths import Paths
from tinygrad_vg.drawing.model import Ancestry, Model


def test_the_chapters_chain_to_all_digits():
    cost, biases = chain()
    for bias, expected in zip(biases, BOOK_GRADIENT, strict=True):
        assert_allclose(explain(cost, bias).value, expected, rtol=5e-12)


def test_the_chapters_formula():
    cost, biases = chain()
    found = explain(cost, biases[0])
    assert [t.text for t in found.terms] == ["σ′(z₁)", "w₂σ′(z₂)", "w₃σ′(z₃)", "w₄σ′(z₄)", "∂C/∂a₄"]
    assert str(found).startswith("∂C/∂b₁ = σ′(z₁) · w₂σ′(z₂) · w₃σ′(z₃) · w₄σ′(z₄) · ∂C/∂a₄ = 2.798e−4\n")
    assert_allclose(math.prod(t.value for t in found.terms), BOOK_GRADIENT[0], rtol=1e-11)
    assert_allclose(found.terms[0].product, found.value, rtol=1e-15)
    assert_allclose(found.terms[1].product, BOOK_GRADIENT[0] / found.terms[0].value, rtol=1e-11)
    assert found.latex().startswith(r"\frac{\partial C}{\partial b_{1}} = \sigma '(z_{1}) \cdot w_{2}\,\sigma '(z_{2})")
    assert found.latex().endswith(r"= 2.798\times 10^{-4}")
    assert (found.count, found.rest, found.cuts) == (1, 0.0, ())


def test_exploding_terms_are_25_each():
    cost, biases = chain(w=(100.0,) * 4, b=(-70.0, -50.0, -50.0, -50.0))
    assert [t.value for t in explain(cost, biases[0]).terms[1:4]] == pytest.approx([25.0] * 3)
    assert explain(cost, biases[0]).value / explain(cost, biases[2]).value == pytest.approx(625.0)


OPS = [
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a * b,
    lambda a, b: vg.sigmoid(a) * 0.5,
    lambda a, b: a / (b * b + 1),
    lambda a, b: np.sin(a) + a,
    lambda a, b: -a,
    lambda a, b: 0.5 * (a - b) ** 2,
    lambda a, b: vg.stop_gradient(a) * b,
    lambda a, b: np.tanh(a) ** 3 - np.cos(b),
    lambda a, b: np.exp(-(a * a)) + np.log1p(b * b),
    lambda a, b: np.maximum(a, b) * np.sqrt(a * a + 0.25),
    lambda a, b: np.where(np.greater(a, b), a * b, 0.1 * b),
    lambda a, b: np.arctan2(a, b * b + 0.5) + np.abs(a),
    lambda a, b: vg.softplus(a) * 1e-9,
]


@st.composite
def scalar_graphs(draw):
    """A random graph of numbers with shared nodes, repeated operands and some names; its leaves."""
    leaves = [vg.Tensor(draw(st.floats(-2, 2)), f"x{i}") for i in range(draw(st.integers(1, 3)))]
    pool = list(leaves)
    for i in range(draw(st.integers(1, 12))):
        a, b = (pool[draw(st.integers(max(len(pool) - 4, 0), len(pool) - 1))] for _ in "ab")
        made = draw(st.sampled_from(OPS))(a, b)
        pool.append(made.named(f"t{i}") if draw(st.booleans()) else made)
    assume(all(abs(t.item()) < 1e100 for t in pool))
    return pool[-1], leaves


def sum_of_sizes(root, leaf):
    """The sum of |product| over all paths: what the rounding of their sum is measured by."""
    model = Model(Ancestry(root, leaf))
    sizes = {model.root: 1.0}
    for node in reversed(model.nodes):
        if node is not model.root:
            sizes[node] = sum(abs(e.value) * sizes[e.target] for e in node.outputs if not e.cut)
    return sizes.get(model.node_of(leaf), 0.0)


@given(scalar_graphs())
def test_the_value_equals_backprop_and_the_paths_add_up(case):
    root, leaves = case
    truth = vg.backprop(root, wrt=leaves)
    for leaf in leaves:
        found, bound = explain(root, leaf), 1e-13 * sum_of_sizes(root, leaf) + 1e-307  # below, digits are lost
        assert abs(found.value - truth[leaf]) <= bound
        assert abs(math.fsum(p.value for p in found.paths) + found.rest - truth[leaf]) <= bound
        for path in found.paths:
            assert_allclose(math.prod(t.value for t in path.terms), path.value, rtol=1e-12)
            sources = [e.source for e in path.edges]
            assert sources[1:] == [e.target for e in path.edges][:-1]  # a path, without gaps
            for term, behind in itertools.pairwise(path.terms):
                assert_allclose(term.value * behind.product, term.product, rtol=1e-12)
        str(found), found.latex(), repr(found), found._repr_html_()


def all_paths(node, root):
    """Every path, by walking: for small graphs only."""
    if node is root:
        return [1.0]
    return [e.value * p for e in node.outputs if not e.cut for p in all_paths(e.target, root)]


@given(scalar_graphs())
def test_the_largest_paths_are_the_largest_of_all(case):
    root, leaves = case
    model = Model(Ancestry(root, leaves[0]))
    start = model.node_of(leaves[0])
    if start is None or start is model.root:
        return
    walked = sorted([abs(p) for p in all_paths(start, model.root)], reverse=True)
    paths = Paths(model, start)
    assert paths.count[start] == len(walked)
    found, rest = paths.largest(5)
    products = [math.prod(e.value for e in p) for p in found]
    assert_allclose([abs(p) for p in products], walked[:5], rtol=1e-9)
    for a, b in itertools.combinations(found, 2):
        assert a != b
    others = sorted(all_paths(start, model.root), key=abs, reverse=True)[5:]
    if len(walked) <= 5:
        assert rest == 0
    elif walked[4] > 1.001 * walked[5]:  # else which of the equals was found is a matter of rounding
        assert_allclose(rest, math.fsum(others), rtol=1e-9, atol=1e-12 * sum(walked[5:]))


def test_many_paths_are_counted_not_walked():
    x = y = vg.Tensor(1.5, "x")
    for _ in range(50):
        y = y + y
    found = explain(y, x)
    assert found.value == 2.0**50
    assert found.count == 2**50
    assert len(found.paths) == 5
    assert f"and {2**50 - 5:,} more paths" in str(found)
    for _ in range(150):
        y = y + y
    assert explain(y, x).counted == "at least 10¹⁸"


def test_the_rest_is_added_up_and_not_what_rounding_leaves():
    """Six paths, the last 1e-20 of the first: the sum less the first five would be 0, or 1e-16."""
    x = vg.Tensor(1.0, "x")
    sizes = [1.0, 0.5, 0.25, 0.125, 0.0625, 1e-20]
    found = explain(sum([c * np.sin(x).named(f"s{i}") for i, c in enumerate(sizes)]).named("y"), x)
    assert (found.count, found.others) == (6, 1)
    assert_allclose(found.rest, 1e-20 * math.cos(1.0), rtol=1e-14)
    assert "and 1 more path, together 5.403e−21" in str(found)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_values_that_are_no_numbers_are_said(bad):
    with np.errstate(all="ignore"):
        x = vg.Tensor(bad, "x")
        a = np.exp(x).named("a")
        b = (a * x).named("b")
        c = (b * b - a * 0.0).named("C")
        truth = vg.backprop(c)[x]
    found = explain(c, x)
    assert_allclose(found.value, truth)
    str(found), repr(found), found.latex(), found._repr_html_()


def test_what_has_no_name_is_said_under_the_table():
    x, c = vg.Tensor(0.5, "x"), vg.Tensor(2.0)
    t = np.sin(x) * x
    chain = explain((t * t + np.exp(t) * t * c).named("y"), x)
    notes = [line for line in str(chain).split("\n") if "Without a name" in line]
    assert notes == ["  Without a name in the program: t₁, a variable of value 2; t₂ = sin(x)·x"]
    assert "t₂ = sin(x)·x" in chain._repr_html_()
    assert "Without a name" not in str(explain((x * x).named("y"), x))


def test_of_many_without_a_name_a_few_are_said():
    y = x = vg.Tensor(0.5, "x")
    for _ in range(60):
        y = np.sin(y) * y
    lines = str(explain(y.named("y"), x)).split("\n")
    said = " ".join(lines[next(i for i, line in enumerate(lines) if "Without a name" in line) :])
    assert said.count(" = ") == 8
    assert said.endswith("; …")


def test_the_factor_that_is_no_number_is_said():
    x = vg.Tensor(-1.0, "x")
    with np.errstate(all="ignore"):
        assert "Not a finite number: ln(x)" in str(explain((np.log(x) * x).named("y"), x))


def test_the_values_are_those_the_graph_was_computed_with():
    x = vg.Tensor(2.0, "x")
    y = (x * x * x).named("y")
    x.update(5.0)
    assert explain(y, x).value == 12.0


def test_it_says_where_a_path_is_cut():
    x = vg.Tensor(2.0, "x")
    out = (vg.stop_gradient(x) * x).named("y")
    found = explain(out, x)
    assert found.value == 2.0
    assert found.cuts == ("stop_gradient between x and y",)
    nothing = explain((vg.stop_gradient(x) * 3).named("y"), x)
    assert nothing.value == 0
    assert "every path is cut" in str(nothing)
    assert "no gradient passes stop_gradient between x and y" in str(nothing)


def test_a_comparison_cuts():
    x, w = vg.Tensor(2.0, "x"), vg.Tensor(3.0, "w")
    leaky = explain(np.where(x > 0, x, 0.1 * x).named("y"), x)
    assert leaky.cuts == ("the booleans in y (a comparison or a mask)",)
    assert [p.text for p in leaky.paths] == ["[true]", "0.1·[not true]"]
    step = explain(np.where(x > 0, w, 0.0).named("y"), x)
    assert step.value == 0
    assert "y does not depend on x" in str(step)
    assert "no gradient passes the booleans in y" in str(step)
    masked = explain(((x > 1) * w * x).named("y"), x)
    assert masked.cuts == leaky.cuts
    assert explain((x * w).named("y"), x).cuts == ()


def test_many_cuts_are_counted():
    x = y = vg.Tensor(2.0, "x")
    for i in range(9):
        y = (vg.stop_gradient(y) + y).named(f"y{i}")
    cuts = explain(y, x).cuts
    assert len(cuts) == 6
    assert cuts[0] == "stop_gradient between x and y₀"
    assert cuts[-1] == "4 more places"


def test_a_variable_that_is_not_in_the_graph():
    x, other = vg.Tensor(2.0, "x"), vg.Tensor(1.0, "q")
    found = explain((x * x).named("y"), other)
    assert (found.value, found.terms) == (0.0, ())
    assert "y does not depend on q" in str(found)


def test_the_root_itself_and_an_unnamed_step():
    x = vg.Tensor(2.0, "x")
    assert explain(x, x).value == 1.0
    inner = np.sin(x)
    found = explain((inner * 3).named("y"), inner)
    assert (found.name, found.value) == ("∂y/∂t₁", 3.0)


def test_wrong_arguments():
    x = vg.Tensor(2.0, "x")
    with pytest.raises(TypeError, match="the first argument must be a Tensor, not ndarray"):
        explain(np.ones(2), x)
    with pytest.raises(TypeError, match="the second argument must be a Tensor, not float"):
        explain(x, 3.0)
    with pytest.raises(ValueError, match="only a single number"):
        explain(vg.Tensor([1.0, 2.0]) * 2, x)


def test_the_chain_of_a_picture_is_the_same():
    cost, biases = chain()
    assert str(chain_of(Model(Ancestry(cost, biases[1])), biases[1])) == str(explain(cost, biases[1]))


def test_a_long_chain_is_shortened_with_the_count():
    x, y = long_chain(5000)
    found = explain(y, x)
    assert_allclose(found.value, 0.999**5000, rtol=1e-11)
    assert " more) …" in str(found)
    assert len(str(found)) < 3000


# ------------------------------------------------------------------------------------- what folds, and what does not


def numbers(names, **values):
    """Tensors of these names, with values that are all different."""
    return [vg.Tensor(values.get(name, 0.3 + 0.2 * i), name) for i, name in enumerate(names.split())]


def nodes_of(root, wrt=None):
    return [n.equation for n in Model(Ancestry(root, wrt)).nodes if n.formula is not None]


def test_a_function_inside_a_function_is_a_node_called_by_its_formula():
    w, x, b, y = numbers("w x b y")
    loss = ((vg.sigmoid(w * x + b) - y) ** 2).named("L")
    assert nodes_of(loss) == ["σ(w·x + b)", "L = (σ(w·x + b) − y)²"]
    found = explain(loss, w)
    assert [t.text for t in found.terms] == ["xσ′(w·x + b)", "2(σ(w·x + b) − y)"]
    a = 1 / (1 + math.exp(-(0.3 * 0.5 + 0.7)))
    assert_allclose([t.value for t in found.terms], [0.5 * a * (1 - a), 2 * (a - 0.9)], rtol=1e-13)
    assert_allclose(found.value, vg.backprop(loss)[w], rtol=1e-13)


def test_one_function_of_an_affine_combination_stays_folded():
    w, a, b, y = numbers("w a b y")
    assert nodes_of((w * a + b).named("z")) == ["z = w·a + b"]
    assert nodes_of((0.5 * (a - y) ** 2).named("C")) == ["C = ½(a − y)²"]
    assert nodes_of((2 * vg.sigmoid(w * a + b) + np.sin(y) - vg.stop_gradient(y)).named("C")) == [
        "C = 2·σ(w·a + b) + sin(y) − stop_gradient(y)"
    ]
    assert nodes_of((vg.sigmoid(a) / 2).named("C")) == ["C = σ(a)/2"]
    assert nodes_of((2 / vg.sigmoid(a)).named("C")) == ["σ(a)", "C = 2/σ(a)"]


def test_names_do_not_grow_from_node_to_node():
    w, b = numbers("w b")
    s = w
    for _ in range(30):
        s = np.sin(2 * s + b)
    found = nodes_of(s.named("s"))
    assert found[:4] == [
        "sin(2·w + b)",
        "t₁ = sin(2·sin(2·w + b) + b)",
        "sin(2·t₁ + b)",
        "t₂ = sin(2·sin(2·t₁ + b) + b)",
    ]
    assert len(found) == 30
    assert max(map(len, found)) < 40
    assert_allclose(math.prod(t.value for t in explain(s, w).paths[0].terms), explain(s, w).paths[0].value, rtol=1e-12)


def test_no_term_says_only_the_question():
    """The derivative is written out however long it is, wherever ∂a/∂w would be the whole answer or a name like t1."""
    w, v, x, u, b, y = numbers("w1 w2 x1 x2 b y")
    z = w * x + v * u + b
    one = explain(vg.sigmoid(z).named("a"), w)
    assert str(one).startswith("∂a/∂w₁ = x₁σ′(w₁·x₁ + w₂·x₂ + b) = ")
    two = explain(((vg.sigmoid(z) - y) ** 2).named("L"), w)
    assert [t.text for t in two.terms] == ["x₁σ′(w₁·x₁ + w₂·x₂ + b)", "2(t₁ − y)"]
    assert explain((0.5 * (x - y) ** 2).named("C"), x).terms[0].text == "x₁ − y"


def test_an_unnamed_own_layer_has_one_matrix_a_term():
    rng = np.random.default_rng(3)
    x, w1, w2 = rng.random((3, 4)), vg.Tensor(rng.random((4, 5)), "W1"), vg.Tensor(rng.random((5, 2)), "W2")
    weights = rng.random((3, 2))
    out = np.sum(weights * (np.tanh(x @ w1) @ w2)).named("L")
    assert nodes_of(out)[0] == "tanh(x @ W₁)"
    found = explain(out, w1)
    assert [t.text for t in found.terms] == ["xᵀ·tanh′(x @ W₁)", "c₁·W₂ᵀ"]
    assert found.terms[0].matrix is not None
    assert "∂L/∂W₁ · " not in str(found)
    truth = x.T @ ((weights @ w2.data.T) * (1 - np.tanh(x @ w1.data) ** 2))
    assert_allclose(found.value, truth, rtol=1e-12)


def test_a_stranger_is_not_taken_for_a_tensor_of_the_graph():
    x = vg.Tensor(2.0, "x")
    with pytest.raises(ValueError, match=r"out was not computed from this wrt='x', but from another tensor"):
        explain(x * x, vg.Tensor(2.0, "x"))
    assert str(explain(x * x, vg.Tensor(2.0))) == "∂out/∂wrt = 0: out does not depend on wrt"
