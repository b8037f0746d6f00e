"""Can chance have done it? The tests behind the verdicts, in NumPy alone."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from tinygrad_vg.checks import Array

__all__ = ["is_like", "sign_flip_p", "student_p", "too_few"]

FEWEST = 3
"""Runs from which a spread can be judged."""

RARE = 0.01


def too_few(runs: Sequence[Any] | Array, least: int) -> str:
    """Why a claim cannot be decided, to be put behind what was measured; empty if there are runs enough.

    Examples
    --------
    >>> too_few([0.1, 0.2], 3)
    ' (it takes 3 seeds to decide)'
    >>> too_few([0.1, 0.2, 0.3], 3)
    ''
    """
    return "" if len(runs) >= least else f" (it takes {least} seeds to decide)"


def sign_flip_p(differences: Sequence[float] | Array) -> float:
    """How often chance alone gives a mean this far from zero: the two-sided sign-flip test of paired differences.

    If the two of a pair were alike, each difference could as well have had the other sign. All 2ⁿ choices of signs are
    gone through, or 100,000 random ones if there are more than 16 pairs. With n pairs p is at least 2/2ⁿ.

    Source: R. A. Fisher, "The Design of Experiments", 1935, section 21.

    Examples
    --------
    >>> sign_flip_p([0.3, 0.5, 0.2, 0.4])
    0.125
    """
    d = np.asarray(differences, dtype=float)
    if len(d) <= 16:
        signs = np.array(list(itertools.product([1.0, -1.0], repeat=len(d))))
    else:
        drawn = np.random.default_rng(0).choice([1.0, -1.0], size=(100_000, len(d)))
        signs = np.concatenate([np.ones((1, len(d))), drawn])  # what was seen is one of the possibilities
    found = np.abs(signs @ d)
    return float(np.mean(found >= found[0] * (1 - 1e-12)))


def student_p(t: float, freedom: int) -> float:
    """The probability that Student's t with so many degrees of freedom is at least as far from zero as `t`.

    With t = √ν·tan θ its density is that of θ, proportional to cos θ to the power ν − 1: an easy integral.

    Examples
    --------
    >>> f"{student_p(2.0, 10):.4f}"
    '0.0734'
    """
    nodes, weights = _gauss()

    def area(low: float, high: float) -> float:
        theta = low + (high - low) * (nodes + 1) / 2
        return float(weights @ np.cos(theta) ** (freedom - 1)) * (high - low)

    start = float(np.arctan(abs(t) / np.sqrt(freedom)))
    return area(start, np.pi / 2) / area(0, np.pi / 2)


@cache
def _gauss() -> tuple[Array, Array]:
    """Nodes and weights of a quadrature on [−1, 1]; it takes longer to find them than to use them."""
    nodes, weights = np.polynomial.legendre.leggauss(200)
    return nodes, weights


def is_like(value: float, runs: Sequence[float] | Array) -> bool | None:
    """Whether a single run elsewhere could be one of these, which are supposed to be normally distributed.

    It could, unless one run in a hundred or fewer would be as far from their mean (Student's prediction interval: it
    allows for what so few runs leave unknown of mean and spread). None for less than three runs.

    Examples
    --------
    >>> is_like(96.5, [96.4, 96.6, 96.3]), is_like(92.0, [96.4, 96.6, 96.3]), is_like(96.5, [96.4])
    (True, False, None)
    """
    found = np.asarray(runs, dtype=float)
    n = len(found)
    if n < FEWEST:
        return None
    away, spread = abs(float(np.mean(found)) - value), float(np.std(found, ddof=1)) * np.sqrt(1 + 1 / n)
    return student_p(away / spread, n - 1) > RARE if spread else away == 0
