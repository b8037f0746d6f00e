"""The training loop.

A run depends on its seed and its data only: NumPy's matrix products run on one thread, because their last digits depend
on how they are divided among several. (For the small matrices of mini-batches one thread is the fastest, too.)
"""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_vg.checks import Array
from tinygrad_vg.modes import no_grad
from tinygrad_vg.nn.init import generator
from tinygrad_vg.optim import SGD
from tinygrad_vg.tensor import Tensor
from tinygrad_vg.training.bar import ProgressBar, progress_bar
from tinygrad_vg.training.callbacks import Callback, callback, listens_to_batches
from tinygrad_vg.training.checkpoints import Checkpoint
from tinygrad_vg.training.records import History, Loss, Run, accuracy

__all__ = ["fit"]


def fit(
    model: Any,
    loss: Loss,
    data: tuple[Any, Any],
    *,
    epochs: int,
    batch_size: int = 10,
    lr: float | None = None,
    optimizer: SGD | None = None,
    validation: tuple[Any, Any] | None = None,
    seed: int | np.random.Generator | None = None,
    shuffle: bool = True,
    callbacks: Sequence[Callback | Callable[[Run], Any]] = (),
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: int = 1,
    resume: bool | None = None,
    progress: bool | None = None,
    blas_threads: int | None = 1,
) -> History:
    """Train a model by mini-batches.

    Parameters
    ----------
    model
        Anything with ``parameters()``, such as an `MLP`. Its tensors are updated.
    loss
        ``loss(model, X, y)`` gives the cost of a mini-batch as a Tensor, averaged over its samples.
    data
        ``(X, y)``, arrays with as many rows. Rows are samples.
    epochs
        How often to go through the data.
    batch_size
        Samples a mini-batch; the last one of an epoch may be smaller.
    lr, optimizer
        Either a learning rate for plain `SGD`, or an optimiser of the model's parameters.
    validation
        ``(X, y)`` on which cost and accuracy are measured after each epoch.
    seed
        Of the order in which samples are taken, drawn anew each epoch. None: another order each time.
    shuffle
        False takes the samples as they come.
    callbacks
        `Callback` objects, or functions of the `Run` that are called after each epoch.
    checkpoint
        A ``.npz`` file to keep the state of the training in: written before the first step, after every
        `checkpoint_every` epochs, at the end, and when the training is interrupted or stopped. It is replaced as a
        whole, so that at any moment there is a complete one. What callbacks gathered is not in it.
    resume
        What to do if the file is there. True continues, bit for bit as if the training had not stopped, provided that
        all other arguments are the same (`epochs` may differ); with no file yet it starts from the beginning.
        False starts again and overwrites it. None refuses.
    progress
        True shows a bar on stderr, or if that is not a terminal, writes a line an epoch. None shows the bar only in a
        terminal. False is silent.
    blas_threads
        Threads of NumPy's matrix products during training; None leaves them as they are, and then the last digits may
        depend on the machine.

    Returns
    -------
    History

    Raises
    ------
    FloatingPointError
        If the cost becomes NaN or infinite.
    CheckpointError
        If the file is damaged, or of another program or another training. It is left as it is.
    FileExistsError
        If there is a checkpoint, and `resume` does not say what to do with it.
    OSError
        If the file cannot be written; an earlier checkpoint is left as it was.
    ValueError, TypeError
        For arguments that do not fit.

    Notes
    -----
    Ctrl-C ends the training after the current mini-batch. What was learned stays in the model and goes into the
    checkpoint, and the history says ``interrupted``. A second Ctrl-C raises KeyboardInterrupt at once. With Nesterov
    momentum the model is left at θ (`SGD.rest`).

    Examples
    --------
    >>> from tinygrad_vg.nn import MLP, losses
    >>> X, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])
    >>> mlp = MLP([2, 4, 1], "tanh", seed=0)
    >>> loss = lambda model, X, y: losses.cross_entropy(model.logits(X), y)
    >>> history = fit(mlp, loss, (X, y), epochs=300, batch_size=4, lr=1.0, seed=0)
    >>> accuracy(mlp, X, y)
    1.0
    """
    X, y = _samples(data, "data")
    batch_size = _count(batch_size, "batch_size", 1)
    rng = generator(seed)
    if not isinstance(rng, np.random.Generator):
        raise TypeError("fit: seed must be an int or a np.random.Generator, not a RandomState")
    run = Run(model, _optimizer(model, lr, optimizer), loss, _count(epochs, "epochs", 0), -(-len(X) // batch_size))
    loop = _Loop(
        run,
        data=(X, y),
        batch_size=batch_size,
        validation=None if validation is None else _samples(validation, "validation"),
        rng=rng,
        shuffle=shuffle,
        callbacks=[callback(c) for c in callbacks],
        file=None if checkpoint is None else Checkpoint(checkpoint, f"{len(X)} samples in batches of {batch_size}"),
        file_every=_count(checkpoint_every, "checkpoint_every", 1),
    )
    with ExitStack() as stack:
        stack.enter_context(_blas_limit(blas_threads))
        _let_malloc_keep_memory()
        run.optimizer.look_ahead()
        stack.callback(run.optimizer.rest)
        stack.callback(run.optimizer.zero_grad)
        if loop.file is not None:
            loop.file.open(run, rng, resume)
        stack.enter_context(_ctrl_c_asks(run))
        loop.bar = progress_bar(run, progress)
        if loop.bar is not None:
            stack.callback(loop.bar.close)
        loop.train()
    return run.history


@dataclass
class _Loop:
    """The loop over epochs and mini-batches, and what it needs to know."""

    run: Run
    data: tuple[Array, Array]
    batch_size: int
    validation: tuple[Array, Array] | None
    rng: np.random.Generator
    shuffle: bool
    callbacks: list[Callback]
    file: Checkpoint | None
    file_every: int
    bar: ProgressBar | None = None

    def train(self) -> None:
        """All epochs that are still to be done."""
        run, file = self.run, self.file
        with run.optimizer.at_theta():
            for c in self.callbacks:
                c.start(run)
        while run.epoch < run.epochs and not run.ending:
            began = time.perf_counter() - run.seconds
            before = self.rng.bit_generator.state  # with which the order can be drawn once more
            order = self.rng.permutation(len(self.data[0])) if self.shuffle else None
            self.train_epoch(order)
            if run.batch < run.batches:  # it was to stop in the middle
                run.seconds = time.perf_counter() - began
                if file is not None:
                    file.save(run, before)
                return
            self.complete_epoch(began)
            if file is not None and (run.epoch % self.file_every == 0 or run.epoch == run.epochs or run.ending):
                file.save(run, self.rng.bit_generator.state)

    def train_epoch(self, order: Array | None) -> None:
        """The mini-batches of one epoch that are still to be done, or until one is to be the last."""
        run, (X, y), size, bar = self.run, self.data, self.batch_size, self.bar
        model, loss, opt = run.model, run.loss, run.optimizer
        listeners = [c.batch for c in self.callbacks if listens_to_batches(c)]
        opt.zero_grad()
        for start in range(run.batch * size, len(X), size):
            if order is None:
                inputs, targets = X[start : start + size], y[start : start + size]
            else:
                chosen = order[start : start + size]
                inputs, targets = X.take(chosen, axis=0), y.take(chosen, axis=0)
            cost = loss(model, inputs, targets)
            run.cost = _differentiate(cost, run)
            del cost  # which frees the graph's arrays for the update to use
            opt.step()
            run.batch += 1
            run.total += run.cost * len(inputs)
            run.seen += len(inputs)
            for listener in listeners:
                listener(run)
            if bar is not None and time.monotonic() >= bar.due:
                bar.show(run)
            if run.interrupted or run.stopping:
                return

    def complete_epoch(self, began: float) -> None:
        """Validation, the record, and the callbacks after an epoch; all of them at θ."""
        run = self.run
        with run.optimizer.at_theta():
            found = (math.nan, math.nan)
            if self.validation is not None:
                with no_grad():
                    found = float(run.loss(run.model, *self.validation)), accuracy(run.model, *self.validation)
            run.complete_epoch(*found, seconds=time.perf_counter() - began)
            for c in self.callbacks:
                c.epoch(run)
        if self.bar is not None:
            self.bar.epoch(run)


def _differentiate(cost: Any, run: Run) -> float:
    """Backprop from the cost, and its value."""
    if type(cost) is not Tensor or cost.size != 1:
        raise TypeError(f"fit: loss(model, X, y) must return a Tensor with a single number, but returned {cost!r:.80}")
    value = cost.item()
    if not math.isfinite(value):
        raise FloatingPointError(
            f"fit: the cost is {value} in epoch {run.epoch + 1}, mini-batch {run.batch + 1}. Try a smaller learning "
            "rate; fit inside vg.detect_anomaly() names the first operation that is to blame"
        )
    cost.backward()
    return value


def _let_malloc_keep_memory() -> None:
    """Have the C library keep the few hundred kilobytes that each step frees, instead of fetching them anew.

    glibc returns freed memory to the system above a threshold that is small at first, and then half the time of a step
    goes into page faults. Freeing one large block, never touched, raises the threshold (mallopt(3), M_MMAP_THRESHOLD,
    on its "dynamic" adjustment). With other C libraries it does nothing.
    """
    np.empty(2**24, np.uint8)


@contextmanager
def _ctrl_c_asks(run: Run) -> Iterator[None]:
    """Let the first Ctrl-C end the training after the current mini-batch, and the second do what it did before."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before in (signal.SIG_IGN, None):
        yield
        return

    def ask(number: int, frame: Any) -> None:
        run.interrupted = True
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, ask)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _blas_limit(threads: int | None) -> Iterator[None]:
    """So many threads for matrix products inside; None for no change."""
    if threads is None:
        yield
        return
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    with threadpool_limits(_count(threads, "blas_threads", 1), user_api="blas"):
        yield


# -------------------------------------------------------------------------------------------------- checks of arguments


def _optimizer(model: Any, lr: float | None, optimizer: SGD | None) -> SGD:
    if not hasattr(model, "parameters"):
        raise TypeError(f"fit: the model must have parameters(), as an MLP does; {type(model).__name__} has not")
    if optimizer is None and lr is not None:
        return SGD(model.parameters(), lr)
    if optimizer is None or lr is not None:
        raise TypeError("fit needs one of lr=0.1 and optimizer=SGD(model.parameters(), …)")
    if not isinstance(optimizer, SGD):
        raise TypeError(f"fit: optimizer must be an SGD (or derived from it), not {optimizer!r:.60}")
    return optimizer


def _samples(data: Any, name: str) -> tuple[Array, Array]:
    """X and y as arrays, checked."""
    if not isinstance(data, tuple | list) or len(data) != 2:
        raise TypeError(f"{name} must be a pair (X, y) of arrays, not {data!r:.60}")
    if any([type(part) is Tensor for part in data]):
        raise TypeError(f"{name}: X and y are constants, so plain arrays; give t.data instead of the Tensor t")
    X, y = np.asarray(data[0]), np.asarray(data[1])
    if not X.ndim or not y.ndim or len(X) != len(y) or not len(X):
        raise ValueError(f"{name}: X of shape {X.shape} and y of shape {y.shape} must have as many rows, at least one")
    for part, which in ((X, "X"), (y, "y")):
        if part.dtype.kind not in "fiub":
            raise TypeError(f"{name}: {which} must hold numbers, not {part.dtype}")
        if not _finite(part):
            raise ValueError(f"{name}: {which} has NaN or infinite numbers in it")
    return X, y


def _finite(array: Array) -> bool:
    """Whether there is neither NaN nor infinity in it; their sum tells, without an array of answers."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(array.sum()) or np.isfinite(array).all())


def _count(value: Any, name: str, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be an integer, not {value!r:.40}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, but is {value}")
    return int(value)
