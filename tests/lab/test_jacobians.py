"""The book's product of matrices is backprop's, and its singular values are what linear algebra says."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_vg as vg
from tinygrad_vg.drawing import explain
from tinygrad_vg.lab import jacobians
from tinygrad_vg.lab.jacobians import factors_of
from tinygrad_vg.nn import MLP, losses

RNG = np.random.default_rng(7)
DATA = (RNG.random((9, 6)), RNG.integers(0, 3, 9))
SMALL = {"quick": True, "seeds": 3, "samples": 20}


def network(seed=0, sizes=(6, 5, 4, 3)):
    return MLP(sizes, init="large", seed=seed)


# ---------------------------------------------------------------------------------------------------------- the product


def test_each_factor_is_the_books_matrix():
    net, (X, y) = network(), DATA
    factors = factors_of(net, X, y)
    a = X
    slopes = []
    for layer in net.layers:
        z = a @ layer.w.data + layer.b.data
        a = 1 / (1 + np.exp(-z))
        slopes.append(a * (1 - a))
    for n in range(len(y)):
        book = [np.diag(slopes[i][n]) @ net.layers[i + 1].w.data for i in range(2)]
        for ours, theirs in zip(factors.matrices, book, strict=True):
            assert_allclose(ours[n], theirs, rtol=1e-12)
        assert_allclose(factors.last[n], a[n] - np.eye(3)[y[n]], rtol=1e-11)
        for product, theirs in zip(factors.products(), [book[0] @ book[1], book[1]], strict=True):
            assert_allclose(product[n], theirs, rtol=1e-12, atol=1e-12 * np.abs(theirs).max())


@pytest.mark.parametrize("sizes", [(6, 5, 3), (6, 5, 4, 3), (6, 2, 7, 4, 3, 3)])
def test_the_product_is_backprop(sizes):
    net, (X, y) = network(3, sizes), DATA
    deltas = factors_of(net, X, y).deltas()
    assert [d.shape for d in deltas] == [(9, n) for n in sizes[1:-1]]
    for sample in range(9):
        C = losses.cross_entropy(net.logits(X[sample : sample + 1]), y[sample : sample + 1])
        found = vg.backprop(C, wrt=[layer.b for layer in net.layers])
        for layer, delta in zip(net.layers, deltas, strict=False):
            off = np.linalg.norm(delta[sample] - found[layer.b])
            assert off <= 1e-13 * np.linalg.norm(found[layer.b])
    for ours, theirs in zip(jacobians.backprop_deltas(net, X, y), deltas, strict=True):
        assert_allclose(ours, theirs, rtol=1e-10, atol=1e-13 * np.abs(theirs).max())


def test_explain_has_the_same_matrices():
    net, (X, y) = network(), DATA
    chain = explain(losses.quadratic(net(X), y), net.layers[0].b)
    ours = factors_of(net, X, y)
    for term, matrix in zip(chain.terms, ours.matrices, strict=False):
        assert_allclose(term.matrix.array(), np.swapaxes(matrix, 1, 2), rtol=1e-12)
        assert_allclose(np.mean(np.linalg.svd(matrix, compute_uv=False)[:, 0]), term.matrix.spectral_norm, rtol=1e-12)


def test_a_saturated_output_loses_nothing():
    net = MLP([1, 1, 1], seed=0).bind([np.array([[1.0]]), np.zeros(1), np.array([[1.0]]), np.array([50.0])])
    net = net.bind([vg.Tensor(p) for p in net.parameters()])
    X = np.zeros((1, 1))
    z = 50.5
    assert_allclose(factors_of(net, X, np.array([0])).last, [[-np.exp(-z) / (1 + np.exp(-z))]], rtol=1e-12)


def test_networks_that_are_no_sigmoid_layers():
    for net in (MLP([6, 3], seed=0), MLP([6, 5, 3], "tanh", seed=0), MLP([6, 5, 3], output="softmax", seed=0)):
        with pytest.raises(ValueError, match="layers of sigmoid neurons"):
            factors_of(net, *DATA)


# ------------------------------------------------------------------------------------------------------- the experiment


@pytest.fixture(scope="module")
def small():
    return jacobians.run(**SMALL)


def test_all_claims_hold(small):
    assert [(claim.row, claim.word) for claim in small.claims] == [("36", "holds")] * 3
    assert "predicted 4.88" in small.claims[1].measured
    assert "predicted" not in small.claims[2].measured


def test_the_numbers_are_those_of_the_chapters_networks(small):
    data = small.data
    falls = {
        init: (data[f"{init}_delta"][:, -1] / data[f"{init}_delta"][:, 0]) ** (1 / 3) for init in ("default", "large")
    }
    assert np.all(np.abs(falls["default"] - 4.88) < 1.3)  # four standard deviations of one network
    assert np.all((falls["large"] > 1.3) & (falls["large"] < 2.1))
    assert np.all(np.abs(data["default_rms"] - 1 / 4.88) < 0.05)
    for init in falls:
        assert np.all(data[f"{init}_mean"] <= data[f"{init}_rms"])
        assert np.all(data[f"{init}_rms"] <= data[f"{init}_largest"])
        assert np.all(data[f"{init}_mean_delta"] <= data[f"{init}_delta"] * (1 + 1e-12))
        bounds = np.cumprod(data[f"{init}_largest"][:, ::-1], axis=1)[:, ::-1]
        assert np.all(data[f"{init}_running_largest"] <= bounds * 1.05)  # means of samples, so not exactly
        assert_allclose(data[f"{init}_running_spectrum"][:, :, 0], data[f"{init}_running_largest"], rtol=1e-12)


def test_the_same_settings_give_the_same(small):
    again = jacobians.run(**SMALL)
    assert again.to_dict() == small.to_dict()
    for key, array in small.data.items():
        assert_array_equal(again.data[key], array)


def test_other_layers_and_data(tmp_path):
    seen = []
    found = jacobians.run(
        quick=True,
        seeds=1,
        data=DATA,
        samples=9,
        hidden=(4, 7),
        inits=["glorot_normalised"],
        progress=lambda *at: seen.append(at),
    )
    assert seen == [(1, 1)]
    assert found.claims[0].holds
    found.save(tmp_path)
    assert "±" not in (tmp_path / "jacobians.md").read_text(encoding="utf-8")
    assert "book" not in (tmp_path / "jacobians.svg").read_text(encoding="utf-8").split("</desc>")[1]


def test_the_books_norms_are_marked_for_its_layers(small, tmp_path):
    small.save(tmp_path)
    assert "book: ‖δˡ‖, default" in (tmp_path / "jacobians.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "settings",
    [
        {"seeds": "x"},
        {"samples": 0},
        {"hidden": [30]},
        {"hidden": [30, 0]},
        {"hidden": 30},
        {"inits": []},
        {"inits": "default"},
        {"inits": ["default", "default"]},
        {"data": 3},
        {"data": (DATA[0][:, 0], DATA[1])},
    ],
)
def test_bad_settings(settings):
    (name,) = settings
    with pytest.raises((ValueError, TypeError), match=rf"\b{name}\b"):
        jacobians.run(**{**SMALL, **settings})


def test_an_unknown_initialisation_and_too_few_images():
    with pytest.raises(ValueError, match="nonsense"):
        jacobians.run(**SMALL, inits=["nonsense"])
    with pytest.raises(ValueError, match="20 samples are asked for, but there are 9"):
        jacobians.run(**SMALL, data=DATA)


# ------------------------------------------------------------------------------------------------------ planted errors


def of_the_mean_sample(net, X, y):
    """The same matrices for all samples."""
    factors = factors_of(net, X, y)
    return factors._replace(matrices=[np.broadcast_to(m.mean(axis=0), m.shape) for m in factors.matrices])


def of_the_quadratic_cost(net, X, y):
    """∇ₐC of the other cost."""
    a = net(X).data
    return factors_of(net, X, y)._replace(last=(a - np.eye(a.shape[1])[y]) * a * (1 - a))


@pytest.mark.parametrize("fault", [of_the_mean_sample, of_the_quadratic_cost])
def test_a_planted_error_is_found_out(monkeypatch, fault):
    monkeypatch.setattr(jacobians, "factors_of", fault)
    assert not jacobians.run(**SMALL).claims[0].holds


@pytest.mark.slow
def test_full_size():
    found = jacobians.run(samples=200)
    assert all([claim.holds for claim in found.claims])
    falls = (found.data["default_delta"][:, -1] / found.data["default_delta"][:, 0]) ** (1 / 3)
    assert abs(np.mean(falls) - 4.88) < 4 * np.std(falls) / np.sqrt(len(falls))
