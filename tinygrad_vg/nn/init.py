"""Initialisers: how the weights and biases of a network are drawn before training.

An `Initialiser` has a rule for the weights of a layer and one for its biases. All draw in the order of Nielsen's
`network2.py`: first the biases of every layer, then the weights of every layer, a layer's weights as one
(fan-out, fan-in) block, so that the incoming weights of a unit are drawn together. (The stored w is its transpose.)
Hence an `np.random.RandomState(s)` as the seed gives the network that the book's own code has after
``np.random.seed(s)``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from tinygrad_vg.checks import Array

__all__ = [
    "INITIALISERS",
    "Initialiser",
    "by_name",
    "default",
    "draw_parameters",
    "generator",
    "glorot_normalised",
    "glorot_standard",
    "he",
    "large",
    "sparse",
]

Random = np.random.Generator | np.random.RandomState
Seed = int | np.random.Generator | np.random.RandomState | None
WeightRule = Callable[[int, int, Any], Any]


def generator(seed: Seed) -> Random:
    """The random generator of a seed; a generator is its own, and goes on from where it is.

    Parameters
    ----------
    seed : int, Generator, RandomState or None
        A non-negative int gives ``np.random.default_rng(seed)``; None a generator that differs every time.

    Raises
    ------
    TypeError, ValueError
        For anything else, and for a negative number.
    """
    if isinstance(seed, np.random.Generator | np.random.RandomState):
        return seed
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int | np.integer)):
        raise TypeError(f"seed must be an int or a np.random.Generator, not {seed!r:.60}")
    if seed is not None and seed < 0:
        raise ValueError(f"seed must not be negative, but is {seed}")
    return np.random.default_rng(seed)


# --------------------------------------------------------------------------------------------------- the distributions


def _normal_biases(n_out: int, rng: Any) -> Any:
    return rng.standard_normal(n_out)


def _zero_biases(n_out: int, rng: Any) -> Any:
    return np.zeros(n_out)


def _normal(n_in: int, n_out: int, rng: Any) -> Any:
    """N(0, 1), drawn unit by unit."""
    return rng.standard_normal((n_out, n_in)).T


def _uniform(n_in: int, n_out: int, rng: Any, limit: float) -> Any:
    """Uniform in ±limit, drawn unit by unit."""
    return rng.uniform(-limit, limit, (n_out, n_in)).T


def _sparse(n_in: int, n_out: int, rng: Any, connections: int = 15) -> Any:
    """For each unit, N(0, 1) weights from so many randomly chosen inputs (all, if there are fewer), else 0."""
    w = np.zeros((n_in, n_out))
    for unit in range(n_out):
        chosen = rng.choice(n_in, size=min(connections, n_in), replace=False)
        w[chosen, unit] = rng.standard_normal(len(chosen))
    return w


# ---------------------------------------------------------------------------------------------------- the initialisers


@dataclass(frozen=True)
class Initialiser:
    """How the parameters of one layer are drawn.

    Attributes
    ----------
    name
        What messages call it.
    weights
        ``weights(n_in, n_out, rng)`` gives the array of shape (n_in, n_out).
    biases
        ``biases(n_out, rng)`` gives the array of shape (n_out,); zeros if not given.
    """

    name: str
    weights: WeightRule
    biases: Callable[[int, Any], Any] = _zero_biases


default = Initialiser("default", lambda n_in, n_out, rng: _normal(n_in, n_out, rng) / np.sqrt(n_in), _normal_biases)
"""Weights N(0, 1/n_in), biases N(0, 1): `default_weight_initializer` of Nielsen's network2.py (chapter 3)."""

large = Initialiser("large", _normal, _normal_biases)
"""Weights and biases N(0, 1): `large_weight_initializer` of network2.py, and what the text of chapter 5 speaks of."""

glorot_standard = Initialiser("glorot_standard", lambda n_in, n_out, rng: _uniform(n_in, n_out, rng, 1 / np.sqrt(n_in)))
"""Weights U[±1/√n_in], so n_in·Var = ⅓; biases 0. Glorot & Bengio 2010, equation 1."""

glorot_normalised = Initialiser(
    "glorot_normalised", lambda n_in, n_out, rng: _uniform(n_in, n_out, rng, np.sqrt(6 / (n_in + n_out)))
)
"""Weights U[±√6/√(n_in + n_out)], so Var = 2/(n_in + n_out); biases 0. Glorot & Bengio 2010, equation 16."""

he = Initialiser("he", lambda n_in, n_out, rng: _normal(n_in, n_out, rng) * np.sqrt(2 / n_in))
"""Weights N(0, 2/n_in), biases 0, made for ReLU. He, Zhang, Ren & Sun 2015, equation 10."""

sparse = Initialiser("sparse", _sparse)
"""15 incoming weights N(0, 1) a unit, the others 0; biases 0. Martens 2010, section 5; Sutskever et al. 2013, sec. 3.

For tanh units Sutskever et al. take a quarter of these weights and biases of 0.5.
"""

INITIALISERS = {rule.name: rule for rule in (default, large, glorot_standard, glorot_normalised, he, sparse)}


def by_name(init: str | Initialiser | WeightRule) -> Initialiser:
    """The `Initialiser` given as a name, as itself, or as a function ``f(n_in, n_out, rng)`` for the weights alone.

    Raises
    ------
    ValueError
        For a name that is not in `INITIALISERS`.
    TypeError
        For anything else.
    """
    if isinstance(init, Initialiser):
        return init
    if isinstance(init, str):
        if init not in INITIALISERS:
            raise ValueError(
                f"unknown initialiser {init!r}; there are {', '.join(INITIALISERS)}, or give a function "
                "f(n_in, n_out, rng) that returns the weights"
            )
        return INITIALISERS[init]
    if not callable(init):
        raise TypeError(f"an initialiser is a name ({', '.join(INITIALISERS)}) or a function, not {init!r:.60}")
    return Initialiser(getattr(init, "__name__", "init"), init)


def draw_parameters(sizes: Sequence[int], init: str | Initialiser | WeightRule, seed: Seed = None) -> list[Array]:
    """The arrays w1, b1, w2, b2, … of a network with these layer sizes.

    Parameters
    ----------
    sizes
        The number of inputs, then of units in each layer.
    init, seed
        See `by_name` and `generator`.

    Returns
    -------
    list of ndarray
        w of shape (n_in, n_out) and b of shape (n_out,) for each layer, float64.

    Raises
    ------
    ValueError
        If an initialiser of one's own returns another shape, or NaN or infinity.
    """
    rule, rng = by_name(init), generator(seed)
    biases = [_checked(rule.biases(n, rng), (n,), f"biases of initialiser {rule.name}") for n in sizes[1:]]
    shapes = list(pairwise(sizes))
    weights = [_checked(rule.weights(*shape, rng), shape, f"weights of initialiser {rule.name}") for shape in shapes]
    return [array for pair in zip(weights, biases, strict=True) for array in pair]


def _checked(drawn: Any, shape: tuple[int, ...], what: str) -> Array:
    array = np.asarray(drawn, np.float64)
    if array.shape != shape:
        raise ValueError(f"{what}: shape {array.shape} instead of {shape}; weights are (n_in, n_out), biases (n_out,)")
    if not np.isfinite(array).all():
        raise ValueError(f"{what}: there are NaN or infinite numbers among them")
    return array
