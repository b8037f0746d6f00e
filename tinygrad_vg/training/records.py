"""What is known of a training: accuracy, the record of an epoch, the history, the run under way."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygrad_vg.checks import Array
from tinygrad_vg.modes import no_grad
from tinygrad_vg.optim import SGD

__all__ = ["EpochRecord", "History", "Run", "accuracy"]

Loss = Callable[[Any, Any, Any], Any]


def accuracy(model: Any, X: Any, y: Any) -> float:
    """The share of samples whose class the model gives: its largest output, or with one output, whether it is above ½.

    Parameters
    ----------
    model : callable
        Gives the activations, of shape (n, k).
    X : array, shape (n, …)
    y : array
        Integer labels of shape (n,), or one-hot rows of shape (n, k).

    Raises
    ------
    ValueError
        If the numbers of samples or outputs differ, or there are no samples.
    """
    with no_grad():
        out = np.asarray(model(X))
    y = np.asarray(y)
    if out.ndim != 2 or y.shape not in (out.shape[:1], out.shape) or not len(out):
        raise ValueError(
            f"accuracy: outputs of shape {out.shape} and labels of shape {y.shape}; there must be a row of outputs for "
            "each of n ≥ 1 samples, and labels of shape (n,) or one-hot rows"
        )
    if out.shape[1] == 1:
        return float(np.mean((out[:, 0] > 0.5) == (y.reshape(-1) > 0.5)))
    return float(np.mean(out.argmax(axis=1) == (y.argmax(axis=1) if y.ndim == 2 else y)))


@dataclass(frozen=True)
class EpochRecord:
    """What is known of one epoch.

    Attributes
    ----------
    epoch
        Its number, from 1.
    cost
        The mean cost of its samples, each taken when its mini-batch was trained: it comes for free, and is a little
        above the cost after the epoch.
    validation_cost, accuracy
        Cost and accuracy on the validation data after the epoch; NaN without validation data.
    seconds
        Time it took, validation included.
    """

    epoch: int
    cost: float
    validation_cost: float
    accuracy: float
    seconds: float


@dataclass(frozen=True)
class History:
    """The course of a training.

    Attributes
    ----------
    records
        One `EpochRecord` an epoch. Its fields are also there as arrays over the epochs: ``history.cost`` ….
    interrupted
        True if Ctrl-C ended it early.
    """

    records: tuple[EpochRecord, ...] = ()
    interrupted: bool = False

    @property
    def cost(self) -> Array:
        """Mean cost of each epoch's mini-batches."""
        return self._column("cost")

    @property
    def validation_cost(self) -> Array:
        """Cost on the validation data after each epoch; NaN without."""
        return self._column("validation_cost")

    @property
    def accuracy(self) -> Array:
        """Accuracy on the validation data after each epoch; NaN without."""
        return self._column("accuracy")

    @property
    def seconds(self) -> Array:
        """Time of each epoch."""
        return self._column("seconds")

    def _column(self, name: str) -> Array:
        return np.array([getattr(r, name) for r in self.records], dtype=float)

    def __len__(self) -> int:
        return len(self.records)

    def table(self) -> str:
        """A line of text for each epoch."""
        lines = [f"{'epoch':>5} {'cost':>10} {'val. cost':>10} {'accuracy':>9} {'seconds':>8}"]
        for r in self.records:
            checked = f"{shown(r.validation_cost, '.5g'):>10} {shown(r.accuracy, '.2%'):>9}"
            lines.append(f"{r.epoch:5} {r.cost:10.5g} {checked} {r.seconds:8.2f}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        parts = [f"{len(self)} epochs"]
        if self.records:
            last = self.records[-1]
            parts.append(f"cost {self.records[0].cost:.4g} → {last.cost:.4g}")
            parts += [] if math.isnan(last.accuracy) else [f"accuracy {last.accuracy:.2%}"]
            parts.append(f"{self.seconds.sum():.1f} s")
        return f"History({', '.join(parts + ['interrupted'] * self.interrupted)})"


def shown(x: float, spec: str) -> str:
    """A number as text, a dash for NaN."""
    return "–" if math.isnan(x) else format(x, spec)


@dataclass
class Run:
    """A training under way: what callbacks are given.

    Attributes
    ----------
    model, optimizer, loss
        As given to `fit`.
    epochs
        How many there will be.
    batches
        Mini-batches an epoch.
    records
        The epochs completed.
    batch
        Mini-batches done in the epoch under way.
    cost
        Of the last mini-batch.
    interrupted
        Whether Ctrl-C was pressed.
    """

    model: Any
    optimizer: SGD
    loss: Loss
    epochs: int
    batches: int
    records: list[EpochRecord] = field(default_factory=list)
    batch: int = 0
    cost: float = math.nan
    interrupted: bool = False
    stopping: bool = False
    total: float = 0.0  # of the costs of the samples seen in this epoch
    seen: int = 0
    seconds: float = 0.0  # spent on this epoch, if a checkpoint was made in its middle

    @property
    def epoch(self) -> int:
        """The number of epochs completed."""
        return len(self.records)

    @property
    def history(self) -> History:
        """What `fit` would return now."""
        return History(tuple(self.records), self.interrupted)

    @property
    def ending(self) -> bool:
        """Whether this mini-batch is to be the last."""
        return self.interrupted or self.stopping

    def stop(self) -> None:
        """End the training after this mini-batch, or if called at the end of an epoch, now."""
        self.stopping = True

    def complete_epoch(self, validation_cost: float, accuracy: float, seconds: float) -> None:
        """Add the record of the epoch under way."""
        self.records.append(
            EpochRecord(self.epoch + 1, self.total / self.seen, validation_cost, accuracy, seconds),
        )
        self.batch, self.seen, self.total, self.seconds = 0, 0, 0.0, 0.0
