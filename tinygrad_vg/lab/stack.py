"""Networks of one shape trained side by side: one step of the engine moves them all.

With mini-batches of ten and layers of thirty it is the number of operations that costs, not their size; so eight
networks in one stack take a third of the time of eight by themselves. Each learns what `fit` would teach it alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from tinygrad_vg.checks import Array
from tinygrad_vg.nn import MLP, losses
from tinygrad_vg.nn.init import generator
from tinygrad_vg.optim import SGD
from tinygrad_vg.tensor import Tensor

__all__ = ["train_stack"]


def train_stack(
    networks: Sequence[MLP],
    X: Array,
    y: Array,
    *,
    seeds: Sequence[int],
    epochs: int,
    batch_size: int,
    lr: float,
    weight_decay: float = 0.0,
    after_epoch: Callable[[], None] = lambda: None,
) -> None:
    """Train networks of the same sizes and activations by mini-batches, with the cross-entropy of sigmoid outputs.

    Parameters
    ----------
    networks : sequence of MLP
        Their parameters are updated at the end of every epoch.
    X, y : ndarray
        Samples, shape (n, n_in), and integer labels.
    seeds : sequence of int
        One a network: of the order in which it is given the samples, the same as with `fit`.
    epochs, batch_size, lr, weight_decay
        As for `fit` and `SGD`.
    after_epoch : callable
        Called when the networks have been updated.

    Raises
    ------
    FloatingPointError
        If a cost becomes NaN or infinite.
    """
    count, rngs = len(networks), [generator(seed) for seed in seeds]
    layers = list(zip(*[net.layers for net in networks], strict=True))
    weights = [Tensor(np.stack([layer.w.data for layer in level])) for level in layers]
    biases = [Tensor(np.stack([layer.b.data for layer in level])[:, None]) for level in layers]
    activations = [layer.activation for layer in networks[0].layers[:-1]]
    optimizers = SGD(weights, lr, weight_decay=weight_decay), SGD(biases, lr)  # a stack of biases must not decay either
    np.empty(2**24, np.uint8)  # so that the C library keeps freed memory, as in `fit`
    for _ in range(epochs):
        orders = np.stack([rng.permutation(len(X)) for rng in rngs])
        for start in range(0, len(X), batch_size):
            chosen = orders[:, start : start + batch_size]
            x = X.take(chosen, axis=0)
            for w, b, activation in zip(weights[:-1], biases[:-1], activations, strict=True):
                x = activation(x @ w + b)
            z = x @ weights[-1] + biases[-1]
            # the mean over all samples of the stack, times its height: the sum of the networks' own mean costs
            cost = losses.cross_entropy(z.reshape((chosen.size, -1)), y.take(chosen.reshape(-1))) * count
            cost.backward()
            value = cost.item()
            del cost, x, z  # the graph's arrays are for the update to use
            for optimizer in optimizers:
                optimizer.step()
        if not math.isfinite(value):
            raise FloatingPointError(f"the cost of {count} networks became {value}; try a smaller learning rate")
        for level, w, b in zip(layers, weights, biases, strict=True):
            for layer, own_w, own_b in zip(level, w.data, b.data[:, 0], strict=True):
                layer.w.update(own_w)
                layer.b.update(own_b)
        after_epoch()
