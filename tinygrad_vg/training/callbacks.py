"""What is called during training, and a ready recorder of the learning speed of each layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_vg.autodiff import backprop
from tinygrad_vg.checks import Array
from tinygrad_vg.tensor import Tensor
from tinygrad_vg.training.records import Loss, Run

__all__ = ["Callback", "LearningSpeed"]


class Callback:
    """Something to do during training; override what you need. A plain function ``f(run)`` stands for `epoch` alone.

    In `start` and `epoch` the parameters hold θ, with Nesterov momentum, too; in `batch` they then hold θ + μv.
    """

    def start(self, run: Run) -> None:
        """Before the first step; of a resumed training, before its next."""

    def batch(self, run: Run) -> None:
        """After each mini-batch."""

    def epoch(self, run: Run) -> None:
        """After each epoch."""


def callback(given: Callback | Callable[[Run], Any]) -> Callback:
    """What was given to `fit`, as a `Callback`."""
    if isinstance(given, Callback):
        return given
    if not callable(given) or isinstance(given, type):
        raise TypeError(f"a callback is a Callback or a function of the run, not {given!r:.60}")
    made = Callback()
    made.epoch = given  # type: ignore[method-assign, assignment]
    return made


def listens_to_batches(given: Callback) -> bool:
    """Whether it does something after a mini-batch, so that nobody else pays for the calls."""
    return getattr(given.batch, "__func__", None) is not Callback.batch


class LearningSpeed(Callback):
    """Record how fast each hidden layer learns: ‖δˡ‖, before training and after each epoch (Nielsen, chapter 5).

    Parameters
    ----------
    X, y : array
        The samples to measure on; the chapter takes the first 1,000 training images.

    Attributes
    ----------
    epochs : list of int
        The number of epochs completed at each record.
    norms : ndarray, shape (records, hidden layers)
        The norm of the mean over the samples of ∂C/∂bˡ, which is the chapter's ‖δˡ‖.
    sample_norms : ndarray, shape (records, hidden layers)
        The mean over the samples of the norm of ∂C/∂bˡ. The two differ where gradients of different samples cancel.

    Notes
    -----
    Every sample is given its own copy of the biases, so a gradient by a layer's biases has a row for each sample. The
    model must be an `MLP` (or have its ``layers`` and ``bind``), and the loss an average over the samples.
    """

    def __init__(self, X: Any, y: Any) -> None:
        self.X, self.y = np.asarray(X), np.asarray(y)
        self.epochs: list[int] = []
        self._norms: list[list[float]] = []
        self._sample_norms: list[list[float]] = []

    @property
    def norms(self) -> Array:
        """The norm of the mean gradient: a row for each record, a column for each hidden layer."""
        return np.array(self._norms)

    @property
    def sample_norms(self) -> Array:
        """The mean of the samples' gradient norms: a row for each record, a column for each hidden layer."""
        return np.array(self._sample_norms)

    def measure(self, model: Any, loss: Loss) -> tuple[list[float], list[float]]:
        """The norm of the mean gradient, and the mean norm of the samples' gradients, of each hidden layer."""
        if not (hasattr(model, "layers") and hasattr(model, "bind")):
            raise TypeError(f"LearningSpeed needs an MLP, or a model with its layers and bind, not {model!r:.60}")
        biases = [Tensor(np.repeat(layer.b.data[None], len(self.X), axis=0)) for layer in model.layers]
        weights = [layer.w.data for layer in model.layers]
        bound = model.bind([p for pair in zip(weights, biases, strict=True) for p in pair])
        found = backprop(loss(bound, self.X, self.y), wrt=biases[:-1])
        shares = [found[b] for b in biases[:-1]]  # a row is a sample's gradient divided by the number of samples
        return (
            [float(np.linalg.norm(d.sum(axis=0))) for d in shares],
            [float(np.linalg.norm(d, axis=1).sum()) for d in shares],
        )

    def _record(self, run: Run) -> None:
        norms, sample_norms = self.measure(run.model, run.loss)
        self.epochs.append(run.epoch)
        self._norms.append(norms)
        self._sample_norms.append(sample_norms)

    start = epoch = _record
