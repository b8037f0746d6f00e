"""What a sweep can measure by name: each number is what the library's own functions give."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from tinygrad_vg import datasets
from tinygrad_vg.lab import measures
from tinygrad_vg.lab.learning_speed import initial_speeds
from tinygrad_vg.lab.speeds import cross_entropy
from tinygrad_vg.nn import MLP
from tinygrad_vg.optim import SGD
from tinygrad_vg.training import accuracy, fit


def test_a_row_of_neurons_is_the_product_of_its_factors():
    w, b = np.random.default_rng(3).normal(size=(2, 5))
    found = measures.neurons_in_a_row(5, 2.0, seed=3)
    a, slopes = 0.7, []
    for wj, bj in zip(2 * w, b, strict=True):
        a = 1 / (1 + np.exp(-(wj * a + bj)))
        slopes.append(a * (1 - a))
    ratio = np.prod(np.abs(2 * w[1:])) * np.prod(slopes[:-1])
    assert_allclose(found["first/last"], ratio, rtol=1e-10)
    assert_allclose(found["decades a layer"], np.log10(ratio) / 4, rtol=1e-10)
    with pytest.raises(ValueError, match="two at least"):
        measures.neurons_in_a_row(1, seed=0)


def test_initial_speeds():
    found = measures.initial(3, 30, seed=5)
    (norms,) = initial_speeds((30, 30, 30), *datasets.mnist_sample().train, [5]).norms
    assert_allclose([found["first"], found["last"], found["last/first"]], [norms[0], norms[-1], norms[-1] / norms[0]])


def test_a_training():
    """λ counts for all of the training images: with 1,000 of them the weight decay is λ/1000."""
    found = measures.trained(2, 12, "tanh", "glorot_normalised", 0.2, 3.0, 0.5, True, 20, 2, seed=4)
    sample, net = datasets.mnist_sample(), MLP([784, 12, 12, 10], "tanh", "glorot_normalised", seed=4)
    optimizer = SGD(net.parameters(), 0.2, momentum=0.5, nesterov=True, weight_decay=3.0 / 1000)
    options = {"epochs": 2, "batch_size": 20, "seed": 4, "progress": False}
    history = fit(net, cross_entropy, sample.train, optimizer=optimizer, **options)
    assert found == {"accuracy": 100 * accuracy(net, *sample.validation), "cost": history.cost[-1]}


def test_digits_are_read_once_and_nobody_changes_them(monkeypatch):
    asked = []
    monkeypatch.setattr(measures, "mnist", lambda: asked.append("full") or datasets.mnist_sample())
    measures.digits.cache_clear()
    first, again = measures.digits(True), measures.digits(True)
    assert first is again
    assert asked == ["full"]
    with pytest.raises(ValueError, match="read-only"):
        first[0][0][0, 0] = 1.0
    measures.digits.cache_clear()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"activation": "sinus"}, "sinus"),
        ({"width": 0}, "width must be at least 1"),
        ({"layers": 0}, "layers must be at least 1"),
        ({"layers": "x"}, "layers must be an integer"),
        ({"init": "x"}, "init"),
        ({"epochs": 0}, "epochs must be at least 1"),
    ],
)
def test_settings_that_are_none(settings, words):
    with pytest.raises((ValueError, TypeError), match=words):
        measures.trained(**{"epochs": 1, **settings}, seed=0)
