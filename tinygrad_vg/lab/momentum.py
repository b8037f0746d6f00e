"""Classical against Nesterov momentum: an oblong bowl, the theorem about quadratics, the schedule, an autoencoder.

Source: I. Sutskever, J. Martens, G. Dahl & G. Hinton, "On the importance of initialization and momentum in deep
learning", ICML 2013, which chapter 5 of Nielsen's book reports.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_vg.checks import Array
from tinygrad_vg.lab.results import Claim, Result, Table
from tinygrad_vg.lab.settings import Progress, count, images_of, numbers, seed_list, spread
from tinygrad_vg.modes import no_grad
from tinygrad_vg.nn import MLP, losses
from tinygrad_vg.optim import SGD, sutskever_schedule
from tinygrad_vg.tensor import Tensor
from tinygrad_vg.training import Callback, Run, fit

__all__ = ["METHODS", "descend", "oblong", "run", "theorem_gap"]


# ---------------------------------------------------------------------------------------------------- the oblong bowl

OBLONG = {"start": (-10.0, 1.0), "momentum": 0.95, "lr": 0.009, "steps": 150}
BOOK_LENGTHS = {"classical": 26.6, "nesterov": 1.16}
"""Σ|Δy| along the path, in `OBLONG`."""


def oblong(theta: Any) -> Any:
    """f = (x² + 100y²)/2, a hundred times steeper along y than along x."""
    return 0.5 * (np.array([1.0, 100.0]) * theta**2).sum()


def descend(
    f: Callable[[Any], Any],
    start: Sequence[float] | Array,
    *,
    lr: float,
    momentum: float = 0.0,
    nesterov: bool = False,
    steps: int = 100,
) -> Array:
    """The path of gradient descent with momentum.

    Parameters
    ----------
    f : callable
        Of a Tensor of the shape of `start`; gives a Tensor with one number.
    start : array_like, shape (n,)
        θ₀; the velocity is 0.
    lr, momentum, nesterov
        As for `SGD`.
    steps : int

    Returns
    -------
    ndarray, shape (steps + 1, n)
        θ (not θ + μv, where Nesterov takes the gradient) before the first and after each step.

    Examples
    --------
    >>> descend(lambda t: (t**2).sum(), [1.0], lr=0.25, steps=3).ravel()
    array([1.   , 0.5  , 0.25 , 0.125])
    """
    theta = Tensor(start)
    optimizer = SGD([theta], lr, momentum, nesterov)
    path = [theta.data]
    for _ in range(count(steps, "steps")):
        optimizer.zero_grad()
        f(theta).backward()
        optimizer.step()
        with optimizer.at_theta():
            path.append(theta.data)
    return np.array(path)


def path_lengths(path: Array) -> Array:
    """Σ|Δ| of each coordinate."""
    return np.asarray(np.sum(np.abs(np.diff(path, axis=0)), axis=0))


# --------------------------------------------------------------------------------------------------------- the theorem


def theorem_gap(seed: int, *, n: int = 6, momentum: float = 0.95, steps: int = 100, shrink: bool = True) -> float:
    """How far Nesterov's path on a random quadratic is from the classical one with momentum μ(1 − λε).

    Parameters
    ----------
    seed : int
        Of the quadratic ½θᵀHθ (eigenvalues λ from 1 to 100, random axes) and of θ₀.
    n : int
        Dimensions.
    momentum : float
        Nesterov's μ.
    steps : int
    shrink : bool
        False gives the classical path the same μ along every axis: then the paths differ.

    Returns
    -------
    float
        The largest difference in any coordinate along an eigenvector at any step, relative to its start.

    Notes
    -----
    Theorem 2.1 of the paper. Nesterov descends along all axes at once; the classical path is put together from one
    descent along each eigenvector, each with its own momentum. ε is 0.9/λ_max, so that 1 − λε is not negative.
    """
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(rng.normal(size=(n, n)))[0]
    curvatures = np.exp(rng.uniform(0, math.log(100), n))
    lr, start = 0.9 / float(np.max(curvatures)), rng.normal(size=n)
    hessian = (axes * curvatures) @ axes.T
    quadratic = lambda theta: 0.5 * theta @ (hessian @ theta)
    nesterov = descend(quadratic, axes @ start, lr=lr, momentum=momentum, nesterov=True, steps=steps) @ axes
    classical = np.empty_like(nesterov)
    for i, curvature in enumerate(curvatures.tolist()):
        mu = momentum * (1 - curvature * lr) if shrink else momentum
        along = lambda t, c=curvature: (0.5 * c * t**2).sum()
        classical[:, i] = descend(along, start[i : i + 1], lr=lr, momentum=mu, steps=steps)[:, 0]
    return float(np.max(np.abs(nesterov - classical) / np.abs(start)))


# -------------------------------------------------------------------------------------------------------- the schedule


def schedule_by_formula(t: int, mu_max: float) -> float:
    """Equation 5 as it is printed: min(1 − 2^(−1−log₂(⌊t/250⌋+1)), μ_max)."""
    return min(1 - 2 ** (-1 - math.log2(t // 250 + 1)), mu_max)


# ----------------------------------------------------------------------------------------------------- the autoencoder

SIZES = (100, 50, 10, 50, 100)
"""Units of the autoencoder's hidden layers."""


@dataclass(frozen=True)
class Method:
    """A way to train: its name, μ, and where the gradient is taken."""

    name: str
    momentum: float
    nesterov: bool


METHODS = (
    Method("SGD", 0.0, False),
    Method("CM .9", 0.9, False),
    Method("NAG .9", 0.9, True),
    Method("CM .99", 0.99, False),
    Method("NAG .99", 0.99, True),
)
"""CM is classical momentum, NAG Nesterov's accelerated gradient."""


def reconstruction(model: Any, X: Any, y: Any) -> Any:
    """The cost of an autoencoder, for `fit`: cross-entropy of the pixels, summed over them."""
    return losses.cross_entropy(model.logits(X), X)
