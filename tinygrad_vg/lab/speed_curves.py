"""How fast each hidden layer learns along a training with the whole data in each step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinygrad_vg.autodiff import backprop
from tinygrad_vg.checks import Array
from tinygrad_vg.nn import MLP, losses
from tinygrad_vg.optim import SGD

__all__ = ["Course", "train_and_measure"]


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
    optimizer.zero_grad()
    return Course(np.array(norms), np.array(sample_norms), np.array(costs))
