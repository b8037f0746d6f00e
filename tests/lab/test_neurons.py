"""The neuron bars: their derivatives, and how often the second layer's are longer."""

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from tinygrad_vg.datasets import mnist_sample
from tinygrad_vg.lab import neurons
from tinygrad_vg.nn import MLP
from tinygrad_vg.nn.losses import cross_entropy

RNG = np.random.default_rng(0)
DATA = RNG.random((25, 9)), RNG.integers(0, 10, size=25)


def test_a_bar_is_the_mean_of_the_derivative_by_the_bias():
    net = MLP([9, 5, 4, 10], seed=3)
    found = neurons.bias_gradients(net, *DATA)
    assert [g.shape for g in found] == [(5,), (4,)]
    arrays = [p.data for p in net.parameters()]
    for place, gradient in ((1, found[0]), (3, found[1])):
        for j, value in enumerate(gradient):
            step = np.zeros(len(gradient))
            step[j] = 1e-5
            up, down = ([a + s * step if i == place else a for i, a in enumerate(arrays)] for s in (1, -1))
            costs = [cross_entropy(net.bind(p).logits(DATA[0]), DATA[1]) for p in (up, down)]
            assert_allclose(value, (costs[0] - costs[1]) / 2e-5, rtol=1e-6)


@pytest.fixture(scope="module")
def result():
    return neurons.run(seeds=60)


def test_the_second_layer_is_faster_in_five_pairs_of_six(result):
    """5.2 of 6 over many seeds; the spread over seeds is 0.8, so the mean of sixty is known to 0.1."""
    assert abs(result.data["faster"].mean() - 5.2) < 0.35
    assert [claim.holds for claim in result.claims] == [True, False, True]
    assert "6 of 6" in result.claims[0].book


def test_the_norms_are_the_chapters(result):
    """‖δ‖ = .058 and .286, medians over many seeds."""
    middle = np.median(np.linalg.norm(result.data["gradients"], axis=2), axis=0)
    assert_allclose(middle, (0.058, 0.286), rtol=0.15)


def test_pairs_are_counted_by_absolute_values(result):
    gradients = result.data["gradients"]
    expected = [sum(abs(g[1][j]) > abs(g[0][j]) for j in range(6)) for g in gradients]
    assert_array_equal(result.data["faster"], expected)


def test_the_verdict_is_computed():
    equal = np.full((30, 2, 6), 0.1)
    assert [c.holds for c in neurons._claims(equal, np.full(30, 3))] == [False, False, False]
    longer = np.stack([np.full((30, 6), 0.1), np.full((30, 6), 0.5)], axis=1)
    assert [c.holds for c in neurons._claims(longer, np.full(30, 6))] == [True, True, True]
    most = np.array([6, 5, 3] * 10)  # 4.7 of 6 pairs, though one seed of three has no more than half
    assert neurons._claims(longer, most)[0].holds is True
    assert neurons._claims(longer, np.array([6, 0] * 15))[0].holds is False  # 3 of 6
    few = neurons._claims(longer[:5], np.full(5, 6))
    assert [c.holds for c in few] == [None] * 3
    assert all("it takes 20 seeds" in c.measured for c in few)


def test_a_run_of_your_own_data(tmp_path):
    seen = []
    words = {"seeds": 3, "data": DATA, "images": 20, "width": 7, "shown": 4}
    result = neurons.run(**words, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert result.data["gradients"].shape == (3, 2, 7)
    assert json.loads(json.dumps(result.settings)) == result.settings
    result.save(tmp_path)
    assert "hidden layer 2" in (tmp_path / "neurons.svg").read_text(encoding="utf-8")
    assert "neuron 4 of layer 2" in (tmp_path / "neurons-network.svg").read_text(encoding="utf-8")
    assert_array_equal(neurons.run(**words).data["gradients"], result.data["gradients"])
    X, y = DATA[0][:20], DATA[1][:20]
    for seed in range(3):
        assert_allclose(result.data["gradients"][seed], neurons.bias_gradients(MLP([9, 7, 7, 10], seed=seed), X, y))


@pytest.mark.parametrize(
    ("wrong", "error", "says"),
    [
        ({"seeds": "x"}, TypeError, "seeds must be an integer"),
        ({"width": 0}, ValueError, "width must be at least 1"),
        ({"shown": 31}, ValueError, "shown=31: a layer has only 30 neurons"),
        ({"images": 26}, ValueError, "26 samples are asked for"),
        ({"data": 5}, TypeError, "data must be"),
    ],
)
def test_one_clear_line(wrong, error, says):
    with pytest.raises(error, match=says):
        neurons.run(**{"seeds": 1, "data": DATA, "images": 20} | wrong)


def test_it_is_quick():
    assert len(neurons.run(quick=True, data=mnist_sample()).settings["seeds"]) == 40
