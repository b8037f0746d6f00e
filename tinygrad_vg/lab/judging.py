"""Can chance have done it? Two tests that suppose little and need only NumPy."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from tinygrad_vg.checks import Array

__all__ = ["is_like", "sign_flip_p"]

FEWEST = 3
"""Runs from which a spread can be judged."""


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


def is_like(value: float, runs: Sequence[float] | Array) -> bool | None:
    """Whether a single run elsewhere could be one of these: within three standard deviations of one from their mean.

    The mean itself is known to a standard deviation over √n only, which is allowed for. None for less than three runs.

    Examples
    --------
    >>> is_like(96.5, [96.4, 96.6, 96.3]), is_like(92.0, [96.4, 96.6, 96.3]), is_like(96.5, [96.4])
    (True, False, None)
    """
    found = np.asarray(runs, dtype=float)
    if len(found) < FEWEST:
        return None
    reach = 3 * np.std(found, ddof=1) * np.sqrt(1 + 1 / len(found))
    return bool(abs(np.mean(found) - value) <= reach)
