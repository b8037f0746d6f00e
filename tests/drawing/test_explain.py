import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from pictures import BOOK_GRADIENT, chain, long_chain, network

import tinygrad_vg as vg
from tinygrad_vg.drawing import explain
from tinygrad_vg.drawing.chains import _Paths, chain_of
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
    return pool[-1], leaves


@given(scalar_graphs())
def test_the_value_equals_backprop_and_the_paths_add_up(case):
    root, leaves = case
    truth = vg.backprop(root, wrt=leaves)
    for leaf in leaves:
        found = explain(root, leaf)
        size = sum(abs(p.value) for p in found.paths) + abs(found.rest)
        assert_allclose(found.value, truth[leaf], rtol=1e-9, atol=1e-12 * (1 + size))
        assert_allclose(
            math.fsum(p.value for p in found.paths) + found.rest, found.value, rtol=1e-9, atol=1e-12 * (1 + size)
        )
        for path in found.paths:
            assert_allclose(math.prod(t.value for t in path.terms), path.value, rtol=1e-12)
            sources = [e.source for e in path.edges]
            assert sources[1:] == [e.target for e in path.edges][:-1]  # a path, without gaps
        str(found), found.latex()


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
    paths = _Paths(model, start)
    assert paths.count[start] == len(walked)
    found = paths.largest(5)
    assert_allclose([abs(math.prod(e.value for e in p)) for p in found], walked[:5], rtol=1e-9)
    for a, b in itertools.combinations(found, 2):
        assert a != b


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


def test_networks_give_norms_along_the_path():
    cost, biases = network()
    found = explain(cost, biases[0])
    truth = vg.backprop(cost)
    assert_allclose(found.value, truth[biases[0]])
    assert found.of_norms
    assert [t.text for t in found.terms[:3]] == ["σ′(z₁)", "w₂ᵀσ′(z₂)", "w₃ᵀσ′(z₃)"]
    assert_allclose(found.terms[0].product, np.linalg.norm(truth[biases[0]]))
    assert_allclose(math.prod(t.value for t in found.terms), np.linalg.norm(truth[biases[0]]), rtol=1e-12)
    assert "ratios of the norm of the cotangent" in str(found)


def test_the_chain_of_a_picture_is_the_same():
    cost, biases = chain()
    assert str(chain_of(Model(Ancestry(cost, biases[1])), biases[1])) == str(explain(cost, biases[1]))


def test_a_long_chain_is_shortened_with_the_count():
    x, y = long_chain(5000)
    found = explain(y, x)
    assert_allclose(found.value, 0.999**5000, rtol=1e-11)
    assert " more) …" in str(found)
    assert len(str(found)) < 3000
