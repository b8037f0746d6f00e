"""Backprop written by hand in NumPy, for one network and one loss: what a framework's overhead is measured against.

The same numbers as the library's to rounding: the cross-entropy from logits, σ′ = σ(z)σ(−z) accurate in the tails, the
update with weight decay in place.
"""

import numpy as np


def sigmoid(z):
    flipped = z < 0
    e = np.exp(np.where(flipped, z, -z))
    return np.where(flipped, e, 1.0) / (1.0 + e)


def cost_and_gradients(params, x, y):
    """The cost Σ softplus((1−2y)z)/n at the logits z, and its derivative by every parameter."""
    weights, biases = params[::2], params[1::2]
    a, zs, activations = x, [], [x]
    for w, b in zip(weights[:-1], biases[:-1], strict=True):
        zs.append(a @ w + b)
        a = sigmoid(zs[-1])
        activations.append(a)
    z = (1.0 - 2.0 * y) * (a @ weights[-1] + biases[-1])
    cost = (np.maximum(z, 0.0) + np.log1p(np.exp(-np.abs(z)))).sum() / len(x)
    delta = (1.0 - 2.0 * y) * (sigmoid(z) / len(x))
    found = []
    for layer in reversed(range(len(weights))):
        found += [delta.sum(axis=0), activations[layer].T @ delta]
        if layer:
            delta = (delta @ weights[layer].T) * (activations[layer] * sigmoid(-zs[layer - 1]))
    return cost, found[::-1]


def step(params, x, y, lr, kept):
    """One step of gradient descent; `kept` is what weight decay leaves of a weight."""
    cost, gradients = cost_and_gradients(params, x, y)
    for p, g in zip(params, gradients, strict=True):
        if p.ndim == 2:
            p *= kept
        g *= lr
        p -= g
    return cost
