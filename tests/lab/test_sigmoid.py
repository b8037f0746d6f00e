"""The sigmoid neuron's steepness, the interval in which |wσ′| ≥ 1, and identity neurons in a trained network."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_vg as vg
from tinygrad_vg.lab import sigmoid
from tinygrad_vg.lab.identity_neurons import identity_error, with_identity_layers

RNG = np.random.default_rng(5)
DATA = (RNG.random((240, 6)), RNG.integers(0, 3, 240))
SMALL = {"quick": True, "seeds": 2, "data": DATA, "draws": 20_000, "hidden": 5, "epochs": 3, "weights": (0.001, 1, 20)}


# ------------------------------------------------------------------------------------------------------- single neurons


@pytest.mark.parametrize(("z", "slope"), [(0, 0.25), (1, 0.19661193), (2, 0.10499359), (4, 0.01766271)])
def test_the_slopes(z, slope):
    for sign in (1, -1):
        assert_allclose(sigmoid.exact_slope(sign * z), slope, atol=5e-9)
        assert_allclose(vg.grad(vg.sigmoid)(float(sign * z)), sigmoid.exact_slope(sign * z), rtol=1e-15)


def test_the_widest_interval():
    w, width = sigmoid.widest_interval()
    assert_allclose(w, 6.8941510322728, rtol=1e-10)
    assert_allclose(width, 0.447743204694303, rtol=1e-14)
    around = sigmoid.interval_width(np.linspace(4, 60, 5000))
    assert around.max() <= width


def test_the_formula_for_the_width():
    assert_allclose(sigmoid.interval_width(4.0), 0, atol=1e-15)
    w = np.array([4.2, -4.2, 6.9, -30.0])
    assert_allclose(sigmoid.interval_width(w), sigmoid.measured_width(w, np.array([0.3, -2.0, 0.0, 5.0])), rtol=1e-11)
    a = np.linspace(-3, 3, 600_001)  # by counting
    for weight, b in ((5.0, 1.0), (-12.0, 4.0)):
        z = weight * a + b
        share = np.mean(abs(weight) * vg.sigmoid(z) * vg.sigmoid(-z) >= 1)
        assert_allclose(6 * share, sigmoid.interval_width(weight), atol=3e-5)


@pytest.mark.parametrize("w1", [0.01, 0.1, 0.5])
def test_an_identity_neuron(w1):
    x = np.linspace(0, 1, 501)
    assert_allclose(identity_error(w1, x), w1**2 / 96, rtol=w1**2 / 30 + 1e-6)
    wrong = 4 / w1 * vg.sigmoid(w1 * (x - 0.5)) - (2 / w1 + 0.5) - x  # the constant's sign
    assert np.max(np.abs(wrong)) > 0.9


# --------------------------------------------------------------------------------------------------------- in a network


@pytest.mark.parametrize("sizes", [(6, 5, 3), (6, 5, 4, 3)])
@pytest.mark.parametrize("layers", [0, 1, 4])
def test_identity_layers_leave_the_logits(sizes, layers):
    net = vg.nn.MLP(sizes, seed=1)
    before = [p.data.copy() for p in net.parameters()]
    deeper = with_identity_layers(net, 0.01, layers)
    assert deeper.sizes == (*sizes[:-1], *[sizes[-2]] * layers, sizes[-1])
    most = layers * 0.01**2 / 96 * np.abs(net.layers[-1].w.data).sum(axis=0)  # of the errors of all its inputs
    off = np.abs(deeper.logits(DATA[0]).data - net.logits(DATA[0]).data)
    assert np.all(off <= 1.01 * most + 1e-12)
    if layers:
        assert np.any(off > 0.05 * most)
    assert [p.name for p in deeper.parameters()][-2:] == [f"w{len(deeper.layers)}", f"b{len(deeper.layers)}"]
    for p, data in zip(net.parameters(), before, strict=True):
        assert_array_equal(p.data, data)
    bound = with_identity_layers(net.bind(_data(net)), 0.01, layers)
    assert_array_equal(bound.logits(DATA[0]).data, deeper.logits(DATA[0]).data)


def _data(net):
    return [p.data for p in net.parameters()]


def test_networks_that_have_no_room_for_them():
    for net in (vg.nn.MLP([6, 3], seed=0), vg.nn.MLP([6, 5, 3], "tanh", seed=0)):
        with pytest.raises(ValueError, match="hidden layers of sigmoid neurons"):
            with_identity_layers(net, 0.01)
    with pytest.raises(ValueError, match="w1 must be positive"):
        with_identity_layers(vg.nn.MLP([6, 5, 3], seed=0), 0)


# ------------------------------------------------------------------------------------------------------- the experiment


@pytest.fixture(scope="module")
def small():
    return sigmoid.run(**SMALL)


def test_all_claims_hold(small):
    assert [(claim.row, claim.word) for claim in small.claims] == [
        (row, "holds") for row in ("22", "33", "34", "35", "37")
    ]
    assert "0 images change their class" in small.claims[-1].measured
    assert np.all(small.data["steepest"] > 0.99)


def test_a_large_weight_is_no_identity(small):
    assert small.data["moved"].shape == (2, 2, 3)
    assert np.all(small.data["moved"][:, :, 0] == 0)
    assert small.data["moved"][:, 1, 2].sum() > 0


def test_the_sample_of_digits():
    found = sigmoid.run(quick=True, seeds=1, draws=1000, weights=(0.001,), layers=(1,))
    assert found.data["accuracy"][0] > 0.75
    assert found.verdict
    assert found.settings["images"] == 1000


def test_the_same_settings_give_the_same(small):
    again = sigmoid.run(**SMALL)
    assert again.to_dict() == small.to_dict()
    for key, array in small.data.items():
        assert_array_equal(again.data[key], array)


def test_it_can_be_saved(small, tmp_path):
    small.save(tmp_path)
    text = (tmp_path / "sigmoid.svg").read_text(encoding="utf-8")
    assert "book: 0.45 at 6.9" in text
    assert "0.4477 at 6.89415" in text


def test_progress():
    seen = []
    sigmoid.run(**{**SMALL, "layers": [1], "weights": [0.001]}, progress=lambda *at: seen.append(at))
    assert seen == [(1, 2), (2, 2)]


@pytest.mark.parametrize(
    "settings",
    [
        {"seeds": "x"},
        {"draws": 0},
        {"hidden": 0},
        {"epochs": 1.5},
        {"weights": [2, 1]},
        {"weights": [0]},
        {"layers": []},
        {"layers": 3},
        {"data": "mnist"},
        {"data": (DATA[0], DATA[1][:5])},
        {"lr": "fast"},
    ],
)
def test_bad_settings(settings):
    (name,) = settings
    with pytest.raises((ValueError, TypeError), match=rf"\b{name}\b"):
        sigmoid.run(**{**SMALL, **settings})


def test_a_folder_without_mnist(monkeypatch, tmp_path):
    monkeypatch.setenv("TINYGRAD_VG_DATA", str(tmp_path))
    with pytest.raises(vg.datasets.DatasetError, match="no MNIST in"):
        sigmoid.run()


# ------------------------------------------------------------------------------------------------------ planted errors


def no_constant(net, w1, layers=1):
    """Identity neurons whose constant does not go into the next bias."""
    deeper = with_identity_layers(net, w1, layers)
    arrays = _data(deeper)
    arrays[-1] = net.layers[-1].b.data
    return deeper.bind(arrays)


@pytest.mark.parametrize(
    ("name", "fault", "claim"),
    [
        ("exact_slope", lambda z: 0.25 * math.exp(-z * z / 4), 0),
        ("_random_neurons", lambda seed, draws: 1.1, 1),
        ("interval_width", lambda w: 1 / np.abs(w) * np.log(np.abs(w) * (1 + np.sqrt(1 - 4 / np.abs(w))) / 2 - 1), 2),
        ("identity_error", lambda w1, x: identity_error(2 * w1, x), 3),
        ("with_identity_layers", no_constant, 4),
    ],
)
def test_a_planted_error_is_found_out(monkeypatch, name, fault, claim):
    monkeypatch.setattr(sigmoid, name, fault)
    assert not sigmoid.run(**SMALL).claims[claim].holds


@pytest.mark.slow
def test_full_size_on_the_sample():
    found = sigmoid.run(quick=True, seeds=10)
    assert all([claim.holds for claim in found.claims])
