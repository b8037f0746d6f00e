"""How fast each hidden layer learns: ‖δˡ‖ at initialisation over many seeds, and along a training run.

‖δˡ‖ is the norm of the *mean* over the samples of ∂C/∂bˡ. Source: Nielsen, ch. 5, "The vanishing gradient problem";
there 500 epochs are 500 full-batch steps on the first 1,000 training images with η = 0.1 and λ = 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_vg.checks import Array
from tinygrad_vg.nn import MLP, losses
from tinygrad_vg.training import LearningSpeed

__all__ = ["BOOK_INITIAL", "BOOK_RATIOS", "InitialSpeeds", "cross_entropy", "initial_speeds"]

BOOK_INITIAL = {
    (30, 30): (0.066, 0.309),
    (30, 30, 30): (0.0118, 0.0600, 0.283),
    (30, 30, 30, 30): (0.00298, 0.0171, 0.0695, 0.285),
}
"""‖δ‖ of the hidden layers at initialisation in the book's runs, by the sizes of the hidden layers."""

BOOK_RATIOS = {
    (30, 30): {0: 4.7, 50: 1.3, 250: 1.8, 499: 2.8},
    (30, 30, 30): {0: 23.9, 50: 18.8, 250: 15.9, 499: 14.7},
    (30, 30, 30, 30): {0: 95.8, 50: 50.6, 250: 69.8, 499: 112.6},
}
"""‖δ‖ of the last over that of the first hidden layer in the book's runs, by epoch."""


def cross_entropy(model: Any, X: Any, y: Any) -> Any:
    """The chapter's cost, for `fit` and `LearningSpeed`."""
    return losses.cross_entropy(model.logits(X), y)


@dataclass(frozen=True)
class InitialSpeeds:
    """‖δ‖ at initialisation.

    Attributes
    ----------
    hidden
        Sizes of the hidden layers.
    norms
        ‖δ‖, shape (seeds, hidden layers).
    """

    hidden: tuple[int, ...]
    norms: Array

    @property
    def increasing(self) -> int:
        """In how many seeds ‖δ‖ grows from each hidden layer to the next."""
        return int(np.sum(np.all(np.diff(self.norms, axis=1) > 0, axis=1)))

    def rows(self) -> Iterator[tuple[float, float, float, float | None]]:
        """For each hidden layer the median, the 5 % and 95 % quantiles, and the book's value if it has one."""
        book = BOOK_INITIAL.get(self.hidden, (None,) * len(self.hidden))
        quantiles = np.quantile(self.norms, [0.5, 0.05, 0.95], axis=0)
        for (median, low, high), value in zip(quantiles.T.tolist(), book, strict=True):
            yield median, low, high, value


def initial_speeds(
    hidden: Sequence[int], X: Array, y: Array, seeds: Sequence[int], progress: Callable[[], Any] = lambda: None
) -> InitialSpeeds:
    """Measure ‖δ‖ of each hidden layer of freshly initialised networks.

    Parameters
    ----------
    hidden : sequence of int
        Sizes of the hidden layers.
    X, y : ndarray
        Samples, shape (n, n_in), and integer labels.
    seeds : sequence of int
        One network each, with the book's default initialisation.
    progress : callable
        Called after each network.
    """
    probe, norms = LearningSpeed(X, y), []
    for seed in seeds:
        norms.append(probe.measure(MLP([X.shape[1], *hidden, 10], seed=seed), cross_entropy)[0])
        progress()
    return InitialSpeeds(tuple(hidden), np.array(norms))
