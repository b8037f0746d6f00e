"""The factors of a chain through layers: as matrices they multiply to the gradient, and their norms are true."""

import itertools

import numpy as np
import pytest
from graphs import network
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import tinygrad_vg as vg
from tinygrad_vg.drawing import explain
from tinygrad_vg.drawing.explanation import matrices


def slope(z):
    return vg.sigmoid(z) * vg.sigmoid(-z)


def through(chain):
    """The gradient by the first factor's source, a row for each sample, as the product of the chain's own matrices."""
    last = chain.terms[-1]
    rows = chain.terms[0].matrix.samples
    cotangent = np.asarray(last.edges[0].source.grad).reshape(rows, -1)
    for term in reversed(chain.terms[:-1]):
        cotangent = np.einsum("nj,nji->ni", cotangent, term.matrix.array())
    return cotangent


@st.composite
def networks(draw):
    """A random network on a random batch, with a cost; its parameters, and the seed of everything."""
    sizes = draw(st.lists(st.integers(2, 5), min_size=3, max_size=5))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    activation = draw(st.sampled_from(["sigmoid", "tanh", "relu"]))
    mlp = vg.nn.MLP(sizes, activation, seed=rng, output=draw(st.sampled_from(["sigmoid", "identity"])))
    x = rng.standard_normal((draw(st.integers(1, 4)), sizes[0]))
    y = rng.integers(0, sizes[-1], len(x))
    if draw(st.booleans()):
        return vg.nn.losses.quadratic(mlp(x), y).named("C"), mlp
    return vg.nn.losses.cross_entropy(mlp.logits(x), y).named("C"), mlp


@given(networks())
def test_the_matrices_multiply_to_the_gradient(case):
    cost, mlp = case
    for layer in mlp.layers[:-1]:
        chain = explain(cost, layer.b)
        rows = through(chain)
        truth = vg.backprop(cost, wrt=[layer.b])[layer.b]
        size = np.abs(rows).sum(axis=0)
        assert np.all(np.abs(rows.sum(axis=0) - truth) <= 1e-13 * size)
        assert_allclose(chain.value, truth, rtol=1e-15)
        assert_allclose(chain.terms[0].product, np.linalg.norm(truth), rtol=1e-12, atol=1e-13 * np.linalg.norm(size))


@given(networks(), st.data())
def test_no_row_grows_by_more_than_the_spectral_norm(case, data):
    cost, mlp = case
    rng = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    for term in explain(cost, mlp.layers[0].b).terms[:-1]:
        m = term.matrix
        g = rng.standard_normal((m.samples, m.shape[0]))
        back = m.pull(g.reshape(m.target.value.shape)).reshape(m.samples, -1)
        most = m.singular_values[:, 0] * np.linalg.norm(g, axis=1)
        assert np.all(np.linalg.norm(back, axis=1) <= most * (1 + 1e-12))
        assert_allclose(np.square(m.singular_values).sum(), np.square(m.array()).sum(), rtol=1e-12, atol=1e-300)
        assert m.spectral_norm >= m.mean_singular_value >= 0


def test_each_factor_is_the_books_matrix():
    """Row 36 of the chapter: δˡ = Σ′(zˡ)(wˡ⁺¹)ᵀΣ′(zˡ⁺¹) … Σ′(zᴸ)∇ₐC, here with rows, so transposed."""
    cost, biases = network(samples=5)
    chain = explain(cost, biases[0])
    assert [t.text for t in chain.terms] == ["w₂ᵀΣ′(z₁)", "w₃ᵀΣ′(z₂)", "Σ′(z₃)", "(a₃ − y)/5"]
    value = {t.name: t.data for t in vg.backprop(cost) if t.name}
    delta = vg.backprop(cost)
    delta = {t.name: g for t, g in delta.items() if t.name}
    for layer, term in enumerate(chain.terms[:2], 1):
        m = term.matrix
        z, w = value[f"z{layer}"], value[f"w{layer + 1}"]
        book = [np.diag(slope(z[n])) @ w for n in range(5)]
        assert m.samples == 5
        assert_allclose(m.array(), np.transpose(book, (0, 2, 1)), rtol=1e-13)
        assert_allclose(m.spectral_norm, np.mean([np.linalg.norm(j, 2) for j in book]), rtol=1e-12)
        values = [np.linalg.svd(j, compute_uv=False) for j in book]
        assert_allclose(m.mean_singular_value, np.mean(values), rtol=1e-12)
        assert_allclose(term.product, np.linalg.norm(delta[f"z{layer}"].sum(axis=0)), rtol=1e-12)
        assert_allclose(term.product, np.linalg.norm(delta[f"b{layer}"]), rtol=1e-12)
        assert_allclose(term.apart, np.linalg.norm(delta[f"z{layer}"], axis=1).sum(), rtol=1e-12)
    assert_allclose(chain.terms[2].matrix.mean_singular_value, np.mean(slope(value["z3"])), rtol=1e-12)
    assert_allclose(chain.terms[2].matrix.spectral_norm, np.mean(slope(value["z3"]).max(axis=1)), rtol=1e-12)
    assert chain.terms[3].matrix is None
    assert_allclose(np.prod([t.value for t in chain.terms]), np.linalg.norm(delta["b1"]), rtol=1e-12)


def test_of_one_sample_the_two_norms_are_one():
    cost, biases = network(samples=1)
    chain = explain(cost, biases[0])
    assert [t.apart for t in chain.terms] == [None] * 4
    assert chain.rows == 1
    assert "‖δ‖" in str(chain)
    assert "sum of" not in str(chain)
    rows = through(chain)
    assert_allclose(rows[0], chain.value, rtol=1e-11)


def test_rows_that_mix_are_one_matrix():
    rng = np.random.default_rng(3)
    for axis, samples, shape in ((0, 1, (8, 8)), (1, 4, (2, 2))):
        z = (2.0 * vg.Tensor(rng.standard_normal((4, 2)), "x")).named("z")
        a = vg.softmax(z, axis=axis).named("a")
        term = explain((a * rng.standard_normal((4, 2))).sum().named("C"), z).terms[0]
        assert (term.matrix.samples, term.matrix.shape) == (samples, shape)
        assert (term.apart is None) == (samples == 1)
        whole = vg.jacobian(lambda z, axis=axis: vg.softmax(z, axis=axis))(z.data).reshape(8, 8)
        truth = np.linalg.svd(whole, compute_uv=False)
        assert_allclose(np.sort(term.matrix.singular_values.ravel()), np.sort(truth), rtol=1e-12, atol=1e-14 * truth[0])


@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 2, 2)])
def test_any_array_has_a_matrix(shape):
    rng = np.random.default_rng(1)
    x = (1.0 * vg.Tensor(rng.standard_normal(shape), "leaf")).named("x")
    weights = rng.standard_normal(shape)
    y = (weights * np.sin(x)).named("y")
    chain = explain((y * y).sum().named("C"), x)
    m = chain.terms[0].matrix
    assert m.samples == 1  # of an elementwise function nobody can say which axis is that of the samples
    truth = weights * np.cos(x.data)
    assert_allclose(np.sort(m.singular_values.ravel()), np.sort(np.abs(truth).ravel()), rtol=1e-13)
    assert_allclose(chain.value, vg.backprop((y * y).sum())[x], rtol=1e-13)


@pytest.mark.parametrize(
    ("names", "term"), [(("W1", "W2"), "Σ′(z)W₂ᵀ"), (("weight1", "weight2"), "Σ′(z)·weight₂ᵀ")], ids=["short", "long"]
)
def test_words_that_would_touch_have_a_dot_between_them(names, term):
    rng = np.random.default_rng(0)
    first, second = [vg.Tensor(rng.standard_normal((2, 2)), name) for name in names]
    z = (first @ rng.random(2)).named("z")
    out = vg.sigmoid((second @ vg.sigmoid(z).named("a")).named("out"))
    assert term in [t.text for t in explain(np.sum(out * out).named("C"), z).terms]


def test_columns_are_no_rows():
    """The book's own convention: z = W a + b with columns. The product is written in its order then."""
    rng = np.random.default_rng(0)
    a, sizes, parameters = rng.random((4, 1)), (4, 3, 3, 2), []
    for j, (n_in, n_out) in enumerate(itertools.pairwise(sizes), 1):
        w = vg.Tensor(rng.standard_normal((n_out, n_in)), f"W{j}")
        b = vg.Tensor(rng.standard_normal((n_out, 1)), f"b{j}")
        parameters += [w, b]
        a = vg.sigmoid((w @ a + b).named(f"z{j}")).named(f"a{j}")
    cost = (0.5 * (a - 1.0) ** 2).sum().named("C")
    chain = explain(cost, parameters[1])
    assert chain.paths[0].text == "Σ′(z₁)W₂ᵀ · Σ′(z₂)W₃ᵀ · Σ′(z₃) · ∂C/∂a₃"
    assert r"\Sigma '(z_{1})\,W_{2}^{\top} \cdot" in chain.latex()
    assert {t.matrix.samples for t in chain.terms[:-1]} == {1}
    assert [t.apart for t in chain.terms] == [None] * 4
    assert_allclose(through(chain)[0], chain.value.ravel(), rtol=1e-12)
    assert explain(cost, parameters[0]).paths[0].text.endswith("· ∂C/∂a₃ · c₁ᵀ")


def test_a_single_layer_knows_its_rows_by_its_bias_alone():
    rng = np.random.default_rng(0)
    x, direction = rng.standard_normal((5, 3)), rng.standard_normal((5, 2))
    for shape in ((2,), (1, 2)):
        w, b = vg.Tensor(rng.standard_normal((3, 2)), "w"), vg.Tensor(np.zeros(shape), "b")
        a = np.tanh((x @ w + b).named("z")).named("a")
        cost = (a * direction).sum().named("C")
        assert explain(cost, b).terms[0].matrix.samples == 5
        assert explain(cost, b).rows == 5
        assert [t.matrix.samples for t in explain(cost, w).terms[:2]] == [1, 1]
        assert explain(cost, w).paths[0].text.startswith("xᵀ · ")
    column = vg.Tensor(np.zeros((2, 1)), "b")
    a = np.tanh((w.data.T @ x.T + column).named("z")).named("a")
    assert explain((a * direction.T).sum().named("C"), column).terms[0].matrix.samples == 1


def test_a_single_number_in_front_of_arrays_has_a_number_for_derivative():
    s = vg.Tensor(0.5, "s")
    x = np.linspace(-1, 1, 5)
    chain = explain(np.sum(np.exp(s * x)).named("C"), s)
    assert type(chain.value) is float
    assert_allclose(chain.value, np.sum(x * np.exp(0.5 * x)), rtol=1e-13)
    assert chain.headline.startswith("∂C/∂s = ")
    assert "‖" not in chain.latex()


def test_several_paths_through_arrays_are_counted():
    x = vg.Tensor([1.0, 2.0, 3.0], "x")
    y = (np.sin(x).named("p") + np.cos(x).named("q")).named("y")
    chain = explain((y * y).sum().named("C"), x)
    assert (chain.count, len(chain.paths), chain.others) == (4, 1, 3)
    assert "+ 3 more paths" in str(chain)
    assert "largest share" in str(chain)
    assert chain.latex().count(r"\cdots") == 1


def test_what_would_take_too_long_is_left_out_and_said(monkeypatch):
    cost, biases = network(samples=4)
    monkeypatch.setattr(matrices, "PROBING", 1e4)
    chain = explain(cost, biases[0])
    assert chain.terms[0].matrix.analysed == 0
    assert chain.terms[0].matrix.spectral_norm is None
    assert chain.terms[0].matrix.mean_singular_value is None
    assert chain.terms[2].matrix.spectral_norm is not None
    assert "take too long" in str(chain)


def test_of_many_rows_evenly_spaced_ones_are_taken_and_said(monkeypatch):
    cost, biases = network(samples=9)
    whole = explain(cost, biases[0]).terms[1].matrix.singular_values
    monkeypatch.setattr(matrices, "DECOMPOSING", 3 * 30 * 10 * 10)
    chain = explain(cost, biases[0])
    assert_allclose(chain.terms[1].matrix.singular_values, whole[[0, 4, 8]], rtol=1e-13)
    assert "3 of 9 for 10×30" in str(chain)


def test_a_large_first_layer_is_decomposed():
    cost, _ = network(samples=1)
    x = vg.Tensor(np.random.default_rng(0).random((1, 784)), "x")
    w = vg.Tensor(np.random.default_rng(1).standard_normal((784, 30)), "w1")
    cost = (np.tanh((x @ w).named("z1")) ** 2).sum().named("C")
    m = explain(cost, x).terms[0].matrix
    assert m.shape == (30, 784)
    assert_allclose(m.singular_values[0], np.linalg.svd(w.data, compute_uv=False), rtol=1e-12)


def test_values_that_are_no_numbers_give_nan_and_no_error():
    x = vg.Tensor([[1.0, np.nan], [np.inf, 2.0]], "x")
    chain = explain((np.square(x).named("y") * 3).sum().named("C"), x)
    assert np.isnan(chain.terms[0].matrix.spectral_norm)
    assert "NaN" in str(chain)
    chain._repr_html_()


def test_the_matrices_wait_until_they_are_asked_for(monkeypatch):
    """A picture needs the norms only; decompositions would make each one slow."""
    monkeypatch.setattr(np.linalg, "svd", None)
    cost, biases = network(samples=2)
    graph = vg.draw(cost, wrt=biases[0])
    assert graph.source
    assert graph.description
    assert repr(graph.chain)
