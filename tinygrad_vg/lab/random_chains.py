"""What becomes of a cotangent on its way back through random sigmoid networks: chains of neurons, and wide layers.

Source: Nielsen, "Neural Networks and Deep Learning", ch. 5, "What's causing the vanishing gradient problem? Unstable
gradients in deep neural nets". For wide layers: Poole et al., "Exponential expressivity in deep neural networks through
transient chaos", 2016, and Schoenholz et al., "Deep information propagation", 2017, in the form with biases N(0, 1).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_vg.autodiff import backprop
from tinygrad_vg.checks import Array
from tinygrad_vg.nn import MLP
from tinygrad_vg.nn.init import Initialiser
from tinygrad_vg.ops import sigmoid

__all__ = [
    "RandomChains",
    "critical_scale",
    "growth_in_chains",
    "growth_in_layers",
    "predicted_growth",
    "random_chains",
]


@dataclass(frozen=True, eq=False)
class RandomChains:
    """Many chains of sigmoid neurons at once.

    Attributes
    ----------
    w, z
        Weights and weighted inputs, shape (neurons, chains).
    """

    w: Array
    z: Array

    @property
    def log_slopes(self) -> Array:
        """Ln σ′(z), of the shape of z; finite however large z is."""
        return -np.logaddexp(0, self.z) - np.logaddexp(0, -self.z)

    @property
    def log_terms(self) -> Array:
        """Ln |w_j σ′(z_j)| of every neuron, shape (neurons, chains)."""
        return np.log(np.abs(self.w)) + self.log_slopes

    def log_loss(self) -> Array:
        """How much smaller the first neuron's gradient is than that of every neuron: ln |∂C/∂b_j : ∂C/∂b₁|.

        That is −ln |σ′(z₁) w₂ σ′(z₂) w₃ … w_j|, whatever the cost. Shape (neurons, chains); the first row is zero.
        """
        steps = self.log_slopes[:-1] + np.log(np.abs(self.w[1:]))
        return np.concatenate([np.zeros((1, self.w.shape[1])), -np.cumsum(steps, axis=0)])


def random_chains(n: int, depth: int, rng: Any, *, scale: float = 1.0, a0: Any = None) -> RandomChains:
    """Draw `n` chains of `depth` neurons with weights N(0, scale²) and biases N(0, 1).

    Parameters
    ----------
    n, depth : int
    rng : numpy.random.Generator
    scale : float
        Standard deviation of the weights.
    a0 : float, optional
        The input; by default uniform in [0, 1], another for each chain.
    """
    a = rng.random(n) if a0 is None else np.full(n, float(a0))
    w, z = scale * rng.standard_normal((depth, n)), rng.standard_normal((depth, n))
    for j in range(depth):
        z[j] += w[j] * a
        a = sigmoid(z[j])
    return RandomChains(w, z)


# --------------------------------------------------------------------------------------------- growth by weight scale


def growth_in_chains(scale: float, n: int, depth: int, rng: Any) -> float:
    """By which factor a neuron changes the cotangent, in random chains: the geometric mean of |w σ′(z)|."""
    return float(np.exp(np.mean(random_chains(n, depth, rng, scale=scale).log_terms[1:])))


def growth_in_layers(scale: float, width: int, depth: int, seed: Any) -> float:
    """By which factor a layer changes the norm of the cotangent, in a random network of equal layers.

    Parameters
    ----------
    scale : float
        The weights are N(0, scale²/width), the biases N(0, 1): with 1, the book's default initialisation.
    width, depth : int
        Neurons in each layer, and layers, at least 2.
    seed
        Of the network, its input (uniform in [0, 1]) and the cotangent (normal) that is sent back.

    Returns
    -------
    float
        The (depth − 1)-th root of ‖∂C/∂b₁‖ : ‖∂C/∂b_L‖.
    """
    init = Initialiser(
        f"N(0, {scale:g}²/n)",
        lambda n_in, n_out, rng: rng.standard_normal((n_out, n_in)).T * (scale / math.sqrt(n_in)),
        lambda n_out, rng: rng.standard_normal(n_out),
    )
    rng = np.random.default_rng(seed)
    net = MLP([width] * (depth + 1), init=init, seed=rng)
    first, last = net.layers[0].b, net.layers[-1].b
    found = backprop(net(rng.random((1, width))), seed=rng.standard_normal((1, width)), wrt=[first, last])
    return float((np.linalg.norm(found[first]) / np.linalg.norm(found[last])) ** (1 / (depth - 1)))


def predicted_growth(scale: float) -> float:
    """The same for infinitely wide layers: scale · rms σ′(z) with z ~ N(0, v), where v = 1 + scale² · mean σ(z)².

    With scale 1 that is v = 1.30 and 1/4.88, the law behind the learning speeds of the default initialisation.
    """
    t = np.linspace(-10, 10, 4001)  # fine enough for σ′ at scales up to 100
    weights = np.exp(-np.square(t) / 2)
    weights /= weights.sum()
    v, before = 1.0, 0.0
    while abs(v - before) > 1e-12 * v:
        before, v = v, 1 + scale**2 * float(weights @ np.square(sigmoid(math.sqrt(v) * t)))
    z = math.sqrt(v) * t
    return scale * math.sqrt(float(weights @ np.square(sigmoid(z) * sigmoid(-z))))


def critical_scale(growth: Callable[[float], float], low: float = 0.01, high: float = 100.0) -> float:
    """Where a growing function of the scale is 1, by bisection of the logarithm.

    Raises
    ------
    ValueError
        If it is not below 1 at `low` and above at `high`.
    """
    if not growth(low) < 1 < growth(high):
        raise ValueError(f"the growth does not pass 1 between the scales {low:g} and {high:g}")
    while high / low > 1 + 1e-9:
        middle = math.sqrt(low * high)
        low, high = (middle, high) if growth(middle) < 1 else (low, middle)
    return math.sqrt(low * high)
