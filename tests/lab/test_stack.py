"""Networks side by side learn what each would learn alone."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from tinygrad_vg.lab.speeds import cross_entropy
from tinygrad_vg.lab.stack import train_stack
from tinygrad_vg.nn import MLP
from tinygrad_vg.optim import SGD
from tinygrad_vg.training import fit

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(37, 6)), RNG.integers(0, 4, size=37)
SEEDS = [0, 1, 5]


def networks(**settings):
    return [MLP([6, 5, 3, 4], seed=seed, **settings) for seed in SEEDS]


@pytest.mark.parametrize("settings", [{}, {"activation": "tanh", "init": "large"}])
def test_each_learns_as_with_fit(settings):
    """Order of the samples, a short last mini-batch, and a decay that spares the biases."""
    nets, alone, calls = networks(**settings), networks(**settings), []
    train_stack(
        nets,
        X,
        Y,
        seeds=SEEDS,
        epochs=3,
        batch_size=5,
        lr=0.4,
        weight_decay=0.1,
        after_epoch=lambda: calls.append(nets[1].layers[0].b.data),
    )
    for net, seed in zip(alone, SEEDS, strict=True):
        optimizer = SGD(net.parameters(), 0.4, weight_decay=0.1)
        fit(net, cross_entropy, (X, Y), epochs=3, batch_size=5, optimizer=optimizer, seed=seed, progress=False)
    for net, single in zip(nets, alone, strict=True):
        for found, expected in zip(net.parameters(), single.parameters(), strict=True):
            assert_allclose(found.data, expected.data, rtol=1e-10, atol=1e-12)
    assert len(calls) == 3
    assert np.abs(calls[0] - calls[1]).max() > 0  # updated before it is called


def test_the_company_does_not_matter():
    """The same bits, whoever is trained beside it: so more seeds do not change the first ones."""
    words = {"epochs": 2, "batch_size": 5, "lr": 0.4}
    together, alone = networks(), networks()[1:2]
    train_stack(together, X, Y, seeds=SEEDS, **words)
    train_stack(alone, X, Y, seeds=SEEDS[1:2], **words)
    for found, expected in zip(together[1].parameters(), alone[0].parameters(), strict=True):
        assert_array_equal(found.data, expected.data)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_training_that_explodes_says_so():
    with pytest.raises(FloatingPointError, match="smaller learning rate"):
        train_stack(networks(activation="identity"), X, Y, seeds=SEEDS, epochs=40, batch_size=5, lr=1e12)
