"""Neurons in a row, one a layer: the chapter's smallest deep network, in which the vanishing gradient is one product.

Source: Nielsen, "Neural Networks and Deep Learning", ch. 5, "What's causing the vanishing gradient problem?".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinygrad_vg.modes import name_scope
from tinygrad_vg.ops import sigmoid
from tinygrad_vg.tensor import Tensor

__all__ = ["NeuronChain", "neuron_chain"]


@dataclass(frozen=True)
class NeuronChain:
    """A chain of sigmoid neurons: its cost, and the variables it was computed from.

    Attributes
    ----------
    cost
        C = ½(a_L − y)².
    w, b
        Weight and bias of each neuron, in order.
    """

    cost: Tensor
    w: tuple[Tensor, ...]
    b: tuple[Tensor, ...]


def neuron_chain(
    w: Sequence[float] = (0.8, -0.6, 0.9, -0.4),
    b: Sequence[float] = (0.1, -0.2, 0.3, 0.05),
    a0: float = 0.7,
    y: float = 0.0,
) -> NeuronChain:
    """Build z_j = w_j a_{j−1} + b_j, a_j = σ(z_j) for each weight and bias, and C = ½(a_L − y)².

    Parameters
    ----------
    w, b : sequence of float
        Weights and biases, as many of each.
    a0, y : float
        Input and desired output.

    Raises
    ------
    ValueError
        If there are not as many biases as weights, or none.
    """
    if len(w) != len(b) or not len(w):
        raise ValueError(
            f"a chain needs as many biases as weights and at least one, got {len(w)} weights, {len(b)} biases"
        )
    weights = tuple([Tensor(value, name=f"w{j}") for j, value in enumerate(w, start=1)])
    biases = tuple([Tensor(value, name=f"b{j}") for j, value in enumerate(b, start=1)])
    a = Tensor(a0, name="a0")
    for j, (wj, bj) in enumerate(zip(weights, biases, strict=True), start=1):
        with name_scope(f"layer {j}"):
            z = (wj * a + bj).named(f"z{j}")
            a = sigmoid(z).named(f"a{j}")
    return NeuronChain((0.5 * (a - y) ** 2).named("C"), weights, biases)
