"""Signals of hidden layers against other ways to get them, theory, and the verdict on Glorot and Bengio's numbers."""

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_vg as vg
from tinygrad_vg.datasets import mnist_sample
from tinygrad_vg.lab import glorot
from tinygrad_vg.lab.glorot_pictures import NORMALISED, SIGMOID, STANDARD
from tinygrad_vg.lab.signals import (
    bins_of,
    gradient_ratio,
    layer_signals,
    mean_singular_values,
    measure_signals,
    small_signal_ratio,
    theoretical_ratio,
    weight_gradient_shares,
)
from tinygrad_vg.nn import MLP, losses

RNG = np.random.default_rng(11)
X = RNG.random((60, 12))
Y = RNG.integers(0, 10, 60)
SMALL = {
    "quick": True,
    "seeds": 2,
    "data": (X, Y),
    "activations": ("sigmoid", "tanh"),
    "initialisers": ("glorot_standard", "glorot_normalised"),
    "widths": (9, 15),
    "samples": 20,
    "epochs": 2,
}


def network(activation="tanh", init="glorot_normalised", width=7, seed=3):
    return MLP([12, *[width] * 5, 10], activation, init, seed=seed, output="softmax")


def stacked(activation, init, width, seeds=3, n=60):
    """The measurements of several networks on digits."""
    digits, labels = mnist_sample().train
    nets = [MLP([784, *[width] * 5, 10], activation, init, seed=seed, output="softmax") for seed in range(seeds)]
    rows = [measure_signals(net, digits[:n], labels[:n]) for net in nets]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


# ------------------------------------------------------------------------------------------------------------ signals


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "softsign", "relu"])
def test_gradients_are_each_samples_own(activation):
    net = network(activation)
    found = layer_signals(net, X, Y)
    params = [p.data for p in net.parameters()]
    for row in (0, 7):  # by the biases of a sample all by itself
        cost = lambda *p, row=row: losses.softmax_cross_entropy(net.bind(p).logits(X[row : row + 1]), Y[row : row + 1])
        by_biases = vg.grad(cost, argnums=range(1, 11, 2))(*params)
        for mine, theirs in zip(found.dz, by_biases, strict=True):
            assert_allclose(mine[row], theirs, rtol=1e-10, atol=1e-18)
    cost = lambda *p: losses.softmax_cross_entropy(net.bind(p).logits(X), Y)
    for mine, theirs in zip(found.dw, vg.grad(cost, argnums=range(0, 10, 2))(*params), strict=True):
        assert_allclose(mine, theirs, rtol=1e-10, atol=1e-18)
    assert [a.shape for a in found.a] == [(60, 7)] * 5


def test_singular_values_are_those_of_the_jacobian():
    net = network()
    found = layer_signals(net, X, Y)
    mine = mean_singular_values(net, found.slopes, rows=2)
    for layer in range(4):
        step = lambda z, l=layer: net.layers[l + 1].logits(net.layers[l].activation(z[None]))[0]  # noqa: E741
        z = [np.arctanh(found.a[layer][row]) for row in (0, 1)]
        values = [np.linalg.svd(vg.jacobian(step)(row), compute_uv=False) for row in z]
        assert_allclose(mine[layer], np.mean(values), rtol=1e-9)


def test_densities_are_of_what_is_not_zero():
    found = measure_signals(network("relu", "he"), X, Y)
    low, high, bins = bins_of("relu")
    mass = found["activations"].sum(axis=1) * (high - low) / bins
    assert np.all(mass <= 1 + 1e-12)
    assert np.all(mass > 0.5)
    assert_allclose(found["log_gradients"].sum(axis=1) * 0.1, 1, rtol=1e-12)  # none beyond the bins


# ------------------------------------------------------------------------------------------------------------- theory


def test_small_signals_need_no_measured_slopes():
    """n·Var w is ⅓ or 1 for the uniform distributions, f′(0) is 1, ¼, and √½ for both sides of ReLU's kink."""
    standard, normalised = (stacked("tanh", f"glorot_{which}", 60, n=10) for which in ("standard", "normalised"))
    assert_allclose(small_signal_ratio(standard, "tanh"), 9, rtol=0.05)
    assert_allclose(small_signal_ratio(normalised, "tanh"), 1, rtol=0.05)
    assert_allclose(small_signal_ratio(standard, "sigmoid"), 9 * 4**4, rtol=0.05)
    assert_allclose(small_signal_ratio(standard, "relu"), 9 * 4, rtol=0.05)


@pytest.mark.parametrize(
    ("activation", "init", "factor"),
    [
        ("tanh", "glorot_standard", 1.2),
        ("tanh", "glorot_normalised", 1.2),
        ("sigmoid", "default", 1.3),
        ("relu", "he", 1.25),
    ],
)
def test_theory_with_the_slopes_tells_the_measured_ratio(activation, init, factor):
    found = stacked(activation, init, 50)
    measured = np.exp(np.mean(np.log(gradient_ratio(found))))
    assert 1 / factor < measured / np.mean(theoretical_ratio(found)) < factor


def test_weight_gradients_of_equal_layers_are_equal():
    assert_allclose(np.mean(weight_gradient_shares(stacked(*STANDARD, 60, n=300)), axis=0), 1, atol=0.1)
    assert np.max(weight_gradient_shares(stacked(*SIGMOID, 50))) > 2


# --------------------------------------------------------------------------------------------------------- the verdict


def fake(ratio, singular=0.5, uneven=1.0, seeds=3):
    """Measurements of networks whose gradient's sd grows to `ratio`."""
    rows = np.ones((seeds, 5))
    return {
        "activation": rows,
        "gradient": rows * np.linspace(1, ratio, 5),
        "weight_gradient": rows * np.linspace(1, uneven, 5),
        "slope": rows,
        "gain": rows[:, 1:],
        "singular": rows[:, 1:] * singular,
    }


@pytest.mark.parametrize(
    ("pair", "found", "holds"),
    [
        (STANDARD, fake(9, 0.49), [True, True, True]),
        (STANDARD, fake(7, 0.6, 1.5), [False, False, False]),
        (NORMALISED, fake(1.5, 0.79), [True, True, True]),
        (NORMALISED, fake(9, 0.49), [False, False, True]),
        (SIGMOID, fake(2500), [True]),
        (SIGMOID, fake(256), [False]),
    ],
)
def test_the_verdict_is_computed(pair, found, holds):
    assert [claim.holds for claim in glorot.claims({(100, pair): found}, {})] == holds


def course(accuracy, means, seeds=2):
    """A training of two records."""
    return {
        "steps": np.tile([0, 500], (seeds, 1)),
        "accuracy": np.array(accuracy) + np.linspace(0, 0.01, seeds)[:, None],
        "means": np.tile(np.array(means), (seeds, 1, 1)),
    }


START = [0.5] * 5


@pytest.mark.parametrize(
    ("end", "holds"),
    [
        ([0.5, 0.5, 0.5, 0.6, 0.1], True),
        ([0.5, 0.5, 0.5, 0.6, 0.3], None),  # on the way
        ([0.5, 0.5, 0.5, 0.6, 0.7], False),
        ([0.5, 0.5, 0.1, 0.6, 0.1], False),  # not it alone
    ],
)
def test_the_verdict_on_saturation(end, holds):
    assert glorot.claims({}, {SIGMOID: course([0.1, 0.1], [START, end])})[1].holds is holds


def test_the_verdict_on_learning():
    slow, fast = course([0.1, 0.6], [START, START]), course([0.1, 0.8], [START, START])
    fast["accuracy"] += np.array([[0.0], [0.002]])  # 20 and 20.2 points: beyond doubt with two seeds
    assert glorot.claims({}, {STANDARD: slow, NORMALISED: fast})[0].holds is True
    assert glorot.claims({}, {STANDARD: fast, NORMALISED: slow})[0].holds is False
    fast["accuracy"] += np.array([[0.0], [-0.5]])
    assert glorot.claims({}, {STANDARD: slow, NORMALISED: fast})[0].holds is None
    assert glorot.claims({}, {SIGMOID: course([0.1, 0.1], [START, START])})[0].holds is True
    assert glorot.claims({}, {SIGMOID: course([0.1, 0.5], [START, START])})[0].holds is False


# ------------------------------------------------------------------------------------------------- the experiment


@pytest.fixture(scope="module")
def small():
    told = []
    result = glorot.run(**SMALL, progress=lambda done, total: told.append((done, total)))
    assert told == [(k, 20) for k in range(1, 21)]
    return result


def test_the_result_is_plain_and_repeats(small):
    assert json.loads(json.dumps(small.settings)) == small.settings
    again = glorot.run(**SMALL)
    assert small.data.keys() == again.data.keys()
    for name, array in small.data.items():
        assert_array_equal(array, again.data[name])
    assert small.data["9.sigmoid.glorot_normalised.gradient"].shape == (2, 5)
    assert "15.sigmoid.glorot_normalised.gradient" not in small.data  # wide: only what is trained
    assert small.data["trained.tanh.glorot_standard.steps"][0].tolist() == [0, 1, 2, 5, 10]
    assert len(small.tables) == 3
    assert {claim.row for claim in small.claims} == {"27"}


def test_it_is_saved_with_its_pictures(small, tmp_path):
    small.save(tmp_path)
    assert "tanh, normalised" in (tmp_path / "glorot.svg").read_text(encoding="utf-8")
    assert "sigmoid: gradients" in (tmp_path / "glorot-histograms.svg").read_text(encoding="utf-8")


def test_pairs_that_nothing_is_known_of(tmp_path):
    """No claims and nothing to train; pictures are drawn all the same."""
    result = glorot.run(**{**SMALL, "activations": ["softsign"], "initialisers": ["default"]})
    assert result.claims == ()
    assert len(result.tables) == 2
    result.save(tmp_path)


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"seeds": 0}, ValueError, "seeds"),
        ({"seeds": "x"}, TypeError, "seeds"),
        ({"activations": ["tahn"]}, ValueError, "unknown activation 'tahn'"),
        ({"initialisers": ["xavier"]}, ValueError, "unknown initialiser 'xavier'"),
        ({"activations": []}, ValueError, "at least"),
        ({"widths": [0]}, ValueError, "widths"),
        ({"samples": 61}, ValueError, "61 samples"),
        ({"epochs": 0}, ValueError, "epochs"),
        ({"lr": 0}, ValueError, "lr"),
        ({"data": (X, Y[:3])}, ValueError, "data"),
    ],
)
def test_bad_settings(settings, error, words):
    with pytest.raises(error, match=words):
        glorot.run(**{**SMALL, **settings})


def test_a_folder_without_mnist(tmp_path, monkeypatch):
    monkeypatch.setenv("TINYGRAD_VG_DATA", str(tmp_path))
    with pytest.raises(vg.datasets.DatasetError, match="no MNIST in"):
        glorot.run(**{**SMALL, "quick": False, "data": None})


@pytest.mark.slow
def test_a_quick_run():
    assert glorot.run(quick=True).verdict
