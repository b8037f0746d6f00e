"""How fast each hidden layer learns: at initialisation, by the law behind it, and along a training.

‖δˡ‖ is the norm of the *mean* over the samples of ∂C/∂bˡ; the mean of the samples' norms is kept beside it. They
differ where the gradients of different samples cancel. Source: Nielsen, ch. 5, "The vanishing gradient problem".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_vg.autodiff import backprop
from tinygrad_vg.checks import Array
from tinygrad_vg.nn import MLP, losses
from tinygrad_vg.ops import sigmoid
from tinygrad_vg.optim import SGD
from tinygrad_vg.training import LearningSpeed

__all__ = [
    "BOOK_INITIAL",
    "BOOK_RATIOS",
    "Course",
    "InitialSpeeds",
    "cross_entropy",
    "initial_speeds",
    "predicted_factor",
    "train_and_measure",
]

BOOK_INITIAL = {
    (30, 30): (0.066, 0.309),
    (30, 30, 30): (0.0118, 0.0600, 0.283),
    (30, 30, 30, 30): (0.00298, 0.0171, 0.0695, 0.285),
}
"""‖δ‖ of the hidden layers at initialisation in the book's runs, by the sizes of the hidden layers."""

BOOK_RATIOS = {
    (30, 30): {0: 4.7, 50: 1.3, 250: 1.8, 499: 2.8},
    (30, 30, 30): {0: 23.9, 50: 18.8, 250: 15.9, 499: 14.7},
    (30, 30, 30, 30): {0: 95.8, 50: 50.6, 250: 69.8, 499: 112.6},
}
"""‖δ‖ of the last over that of the first hidden layer in the book's runs, by epoch."""


def cross_entropy(model: Any, X: Any, y: Any) -> Any:
    """The chapter's cost, for `fit` and `LearningSpeed`."""
    return losses.cross_entropy(model.logits(X), y)


# --------------------------------------------------------------------------------------------------- at initialisation


@dataclass(frozen=True)
class InitialSpeeds:
    """‖δ‖ at initialisation.

    Attributes
    ----------
    hidden
        Sizes of the hidden layers.
    norms
        ‖δ‖, shape (seeds, hidden layers).
    sample_norms
        The mean over the samples of their own norms, of the same shape.
    """

    hidden: tuple[int, ...]
    norms: Array
    sample_norms: Array

    @property
    def increasing(self) -> int:
        """In how many seeds ‖δ‖ grows from each hidden layer to the next."""
        return int(np.sum(np.all(np.diff(self.norms, axis=1) > 0, axis=1)))

    @property
    def factors(self) -> Array:
        """‖δ‖ of each hidden layer but the first over that of the one before, shape (seeds, hidden layers − 1)."""
        return np.asarray(self.norms[:, 1:] / self.norms[:, :-1])

    def rows(self) -> Iterator[tuple[float, float, float, float | None]]:
        """For each hidden layer the median, the 5 % and 95 % quantiles, and the book's value if it has one."""
        book = BOOK_INITIAL.get(self.hidden, (None,) * len(self.hidden))
        quantiles = np.quantile(self.norms, [0.5, 0.05, 0.95], axis=0)
        for (median, low, high), value in zip(quantiles.T.tolist(), book, strict=True):
            yield median, low, high, value


def initial_speeds(
    hidden: Sequence[int],
    X: Array,
    y: Array,
    seeds: Sequence[int],
    progress: Callable[[], Any] = lambda: None,
    *,
    init: str = "default",
) -> InitialSpeeds:
    """Measure ‖δ‖ of each hidden layer of freshly initialised networks.

    Parameters
    ----------
    hidden : sequence of int
        Sizes of the hidden layers.
    X, y : ndarray
        Samples, shape (n, n_in), and integer labels.
    seeds : sequence of int
        One network each.
    progress : callable
        Called after each network.
    init : str
        Initialisation, by default the book's.
    """
    probe, norms, sample_norms = LearningSpeed(X, y), [], []
    for seed in seeds:
        net = MLP([X.shape[1], *hidden, 10], init=init, seed=seed)
        of_mean, mean = probe.measure(net, cross_entropy)
        norms.append(of_mean)
        sample_norms.append(mean)
        progress()
    return InitialSpeeds(tuple(hidden), np.array(norms), np.array(sample_norms))


def predicted_factor() -> tuple[float, float]:
    """What one layer costs with the book's default initialisation: the variance v of z, and 1/rms σ′(z) of z ~ N(0, v).

    Going back through a layer of the width of the next one, δ is multiplied by its weights, N(0, 1/n), which keep its
    expected squared norm, and by σ′(z). The bias has variance 1, and the n inputs, each σ of a z like it, add the mean
    of σ²: so v = 1 + E[σ(z)²].

    Examples
    --------
    >>> variance, factor = predicted_factor()
    >>> f"{variance:.2f} {factor:.2f}"
    '1.30 4.88'
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(64)
    weights = weights / weights.sum()
    variance = 1.0
    for _ in range(60):  # a contraction: each round leaves a twentieth of the error
        variance = 1 + float(weights @ sigmoid(np.sqrt(variance) * nodes) ** 2)
    z = np.sqrt(variance) * nodes
    return variance, float(1 / np.sqrt(weights @ (sigmoid(z) * sigmoid(-z)) ** 2))


# ---------------------------------------------------------------------------------------------------- along a training


@dataclass(frozen=True)
class Course:
    """A training, measured before each of its steps.

    Attributes
    ----------
    norms
        ‖δ‖, the norm of the mean over the samples of ∂C/∂b, shape (epochs, hidden layers).
    sample_norms
        The mean over the samples of the norm of ∂C/∂b, of the same shape.
    cost
        Shape (epochs,).
    """

    norms: Array
    sample_norms: Array
    cost: Array


def train_and_measure(mlp: MLP, X: Array, y: Array, *, epochs: int, lr: float, weight_decay: float) -> Course:
    """Train by full-batch gradient descent on the cross-entropy, and keep what every step's own sweep shows.

    Parameters
    ----------
    mlp : MLP
        Its parameters are updated.
    X, y : ndarray
        Samples, shape (n, n_in), and integer labels.
    epochs : int
        Steps, since a mini-batch is all of the data.
    lr, weight_decay : float
        η, and λ/n with n the number of samples *trained on*.

    Notes
    -----
    ∂C/∂b of one sample is ∂C/∂z of its row, which the sweep that trains passes anyway: so measuring costs nothing.
    (`LearningSpeed` measures any training, with a sweep of its own.)
    """
    parameters, optimizer = mlp.parameters(), SGD(mlp.parameters(), lr, weight_decay=weight_decay)
    norms, sample_norms, costs = [], [], []
    for _ in range(epochs):
        hidden, a = [], X
        for layer in mlp.layers[:-1]:
            hidden.append(layer.logits(a))
            a = layer.activation(hidden[-1])
        cost = losses.cross_entropy(mlp.layers[-1].logits(a), y)
        found = backprop(cost, wrt=[*parameters, *hidden])
        shares = [found[z] for z in hidden]  # a row is a sample's gradient divided by the number of samples
        norms.append([float(np.linalg.norm(d.sum(axis=0))) for d in shares])
        sample_norms.append([float(np.linalg.norm(d, axis=1).sum()) for d in shares])
        costs.append(cost.item())
        for p in parameters:
            p.grad = found[p]
        optimizer.step()
    return Course(np.array(norms), np.array(sample_norms), np.array(costs))
