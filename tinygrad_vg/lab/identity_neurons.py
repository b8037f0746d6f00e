"""Sigmoid neurons that hand their input on: why more layers need not do worse.

With a small w₁, b = −w₁/2 and w₂ = 4/w₁, the product w₂σ(w₁x + b) is x + 2/w₁ − ½ for x in [0, 1], but for an error of
w₁²/96 at most. The constant is taken off in the bias of the next layer.

Source: Nielsen, "Neural Networks and Deep Learning", ch. 5, problem "Identity neuron".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_vg.checks import Array
from tinygrad_vg.lab.settings import count
from tinygrad_vg.nn import MLP
from tinygrad_vg.ops import sigmoid
from tinygrad_vg.tensor import Tensor

__all__ = ["identity_error", "with_identity_layers"]


def identity_error(w1: float, x: Array) -> float:
    """The largest difference between w₂σ(w₁x + b) − (2/w₁ − ½) and x."""
    return float(np.max(np.abs(4 / w1 * sigmoid(w1 * (x - 0.5)) - (2 / w1 - 0.5) - x)))


def with_identity_layers(net: Any, w1: float, layers: int = 1) -> MLP:
    """The same network with layers of identity neurons put in after its last hidden layer.

    Parameters
    ----------
    net : MLP
        Of sigmoid neurons, with a hidden layer. It stays as it is.
    w1 : float
        The weight of an identity neuron, positive; the smaller, the more exact.
    layers : int
        How many.

    Returns
    -------
    MLP

    Raises
    ------
    ValueError
        If the network has no hidden layer, or one that is not sigmoid, or w1 is not positive.
    """
    if len(net.layers) < 2 or any([layer.activation_name != "sigmoid" for layer in net.layers[:-1]]):
        raise ValueError(f"identity neurons go after hidden layers of sigmoid neurons, which {net!r} does not have")
    if not w1 > 0:
        raise ValueError(f"w1 must be positive, got {w1}")
    n = net.sizes[-2]
    *before, w, b = [p.data if isinstance(p, Tensor) else p for p in net.parameters()]
    scale, shift = 1.0, 0.0  # x is scale times what the layer before gives, less shift
    inside: list[Array] = []
    for _ in range(count(layers, "layers", 0)):
        inside += [w1 * scale * np.eye(n), np.full(n, -w1 / 2 - w1 * shift)]
        scale, shift = 4 / w1, 2 / w1 - 0.5
    arrays = [*before, *inside, scale * w, b - shift * w.sum(axis=0)]
    deeper = MLP([*net.sizes[:-1], *[n] * layers, net.sizes[-1]], seed=0, output=net.layers[-1].activation)
    return deeper.bind([Tensor(a, name=p.name) for a, p in zip(arrays, deeper.parameters(), strict=True)])
