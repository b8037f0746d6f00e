"""What `sweep` can measure by name: one network, one seed, a few numbers."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from tinygrad_vg.autodiff import backprop
from tinygrad_vg.checks import Array
from tinygrad_vg.datasets import mnist, mnist_sample
from tinygrad_vg.lab.chain import neuron_chain
from tinygrad_vg.lab.learning_speed import cross_entropy
from tinygrad_vg.lab.settings import count
from tinygrad_vg.lab.whole import fit_wholly
from tinygrad_vg.nn import MLP
from tinygrad_vg.optim import SGD
from tinygrad_vg.training import LearningSpeed, accuracy

Pair = tuple[Array, Array]

__all__ = ["MEASURES", "initial", "neurons_in_a_row", "trained"]


@cache
def digits(full: bool) -> tuple[Pair, Pair]:
    """Images to train on and to validate on, read once by each process: a task of a second does not decode MNIST anew.

    The arrays are everybody's, so they are read-only. The full ones take 376 MB.
    """
    data = mnist() if full else mnist_sample()
    for array in (*data.train, *data.validation):
        array.flags.writeable = False
    return data.train, data.validation


def neurons_in_a_row(depth: int = 4, scale: float = 1.0, *, seed: int) -> dict[str, float]:
    """How much a row of sigmoid neurons attenuates: |∂C/∂b₁| over |∂C/∂b_L|.

    Parameters
    ----------
    depth : int
        Neurons, at least 2.
    scale : float
        Standard deviation of the weights; the biases have 1.
    seed : int
        Of weights and biases.
    """
    if depth < 2:
        raise ValueError(f"depth={depth}: from one neuron to another it takes two at least")
    rng = np.random.default_rng(seed)
    chain = neuron_chain((scale * rng.normal(size=depth)).tolist(), rng.normal(size=depth).tolist())
    found = backprop(chain.cost, wrt=[chain.b[0], chain.b[-1]])
    ratio = abs(float(found[chain.b[0]] / found[chain.b[-1]]))
    return {"first/last": ratio, "decades a layer": float(np.log10(ratio)) / (depth - 1) if ratio else -np.inf}


def initial(
    layers: int = 2, width: int = 30, activation: str = "sigmoid", init: str = "default", *, seed: int
) -> dict[str, float]:
    """‖δ‖ of the first and the last hidden layer before training (1,000 images).

    Parameters
    ----------
    layers, width : int
        Hidden layers, and the units of each.
    activation, init : str
        As `MLP` takes them.
    seed : int
        Of the network.
    """
    train, _ = digits(False)
    net = _network(layers, width, activation, init, seed)
    norms = LearningSpeed(*train).measure(net, cross_entropy)[0]
    return {"first": float(norms[0]), "last": float(norms[-1]), "last/first": float(norms[-1] / norms[0])}


def trained(
    layers: int = 1,
    width: int = 30,
    activation: str = "sigmoid",
    init: str = "default",
    lr: float = 0.1,
    lmbda: float = 5.0,
    momentum: float = 0.0,
    nesterov: bool = False,
    batch_size: int = 10,
    epochs: int = 30,
    full: bool = False,
    *,
    seed: int,
) -> dict[str, float]:
    """The accuracy in per cent on the validation images after training.

    Parameters
    ----------
    layers, width, activation, init
        As in `initial`.
    lr, lmbda, momentum, nesterov, batch_size, epochs
        η, and λ of the whole training set: the weight decay is λ/n.
    full : bool
        MNIST's 50,000 images instead of the embedded 1,000.
    seed : int
        Of the network and of the mini-batches.
    """
    count(epochs, "epochs")
    train, validation = digits(full)
    net = _network(layers, width, activation, init, seed)
    decay = lmbda / len(train[0])
    optimizer = SGD(net.parameters(), lr, momentum=momentum, nesterov=nesterov, weight_decay=decay)
    options: dict[str, Any] = {"epochs": epochs, "batch_size": batch_size, "seed": seed}
    history = fit_wholly(net, cross_entropy, train, optimizer=optimizer, **options)
    return {"accuracy": 100 * accuracy(net, *validation), "cost": float(history.cost[-1])}


def _network(layers: int, width: int, activation: str, init: str, seed: int) -> MLP:
    hidden = [count(width, "width")] * count(layers, "layers")
    return MLP([784, *hidden, 10], activation, init, seed=seed)


MEASURES: dict[str, Callable[..., Any]] = {"chain": neurons_in_a_row, "initial": initial, "trained": trained}
"""Their names on the command line."""
