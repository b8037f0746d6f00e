"""What the experiments are run with: checks of their settings, the data they take, and how a spread is written."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import numpy as np

from tinygrad_vg.checks import Array

__all__ = [
    "Progress",
    "count",
    "images_of",
    "numbers",
    "one_blas_thread",
    "seed_list",
    "spread",
    "train_and_validation",
]

Progress = Callable[[int, int], None] | None
"""``progress(done, total)``, called after every unit of work."""

Pair = tuple[Array, Array]


def count(value: Any, name: str, least: int = 1) -> int:
    """An integer setting.

    Raises
    ------
    TypeError, ValueError
        If it is no integer, or less than `least`.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be an integer, not {value!r:.40}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {value}")
    return int(value)


def counts(values: Any, name: str, least: int = 1, *, entries: int = 1) -> list[int]:
    """A setting that is a list of integers.

    Raises
    ------
    TypeError, ValueError
        If it is something else, has fewer entries than that, or one is less than `least`.
    """
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise TypeError(f"{name} must be a list of integers, not {values!r:.40}")
    found = [count(value, name, least) for value in values]
    if len(found) < entries:
        raise ValueError(f"{name} must have at least {entries} entr{'y' if entries == 1 else 'ies'}, got {found}")
    return found


def seed_list(seeds: int | None, usual: int) -> list[int]:
    """The seeds 0, 1, …: as many as asked for, or as usual.

    Raises
    ------
    TypeError, ValueError
        If `seeds` is no positive integer.
    """
    return list(range(count(usual if seeds is None else seeds, "seeds")))


def numbers(values: Iterable[Any], name: str, *, positive: bool = True) -> list[float]:
    """A setting that is a list of numbers.

    Raises
    ------
    TypeError, ValueError
        If it is something else, empty, not finite, or not positive where it must be.
    """
    try:
        found = np.asarray(list(values), dtype=float)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a list of numbers, not {values!r:.60}") from None
    if found.ndim != 1 or not found.size or not np.all(np.isfinite(found)) or (positive and np.any(found <= 0)):
        raise ValueError(f"{name} must be a list of{' positive' * positive} numbers, got {values!r:.60}")
    return [float(x) for x in found]


def spread(values: Sequence[float] | Array, spec: str = ".3g") -> str:
    """Mean ± standard deviation, or the one number there is."""
    found = np.asarray(values, dtype=float)
    mean = format(float(np.mean(found)), spec)
    return f"{mean} ± {np.std(found, ddof=1):.2g}" if found.size > 1 else mean


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Matrix products on one thread: their last digits depend on how they are divided among several."""
    with _blas(len(sys.modules)).limit(limits=1, user_api="blas"):
        yield


@lru_cache(1)
def _blas(modules: int) -> Any:
    """The BLAS libraries of this process, looked for again when modules came in: a search takes milliseconds."""
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

    return ThreadpoolController()


# ----------------------------------------------------------------------------------------------------------------- data


def train_and_validation(data: Any, *, quick: bool) -> tuple[Pair, Pair]:
    """The images to train on and those to validate on.

    Parameters
    ----------
    data
        A dataset with ``train`` and ``validation``; or a pair ``(X, y)``, of which the last sixth validates, as in
        MNIST's 60,000; or None for MNIST: the embedded sample if `quick`, else the full set.

    Raises
    ------
    TypeError, ValueError
        If it is none of these.
    """
    from tinygrad_vg.datasets import mnist, mnist_sample

    if data is None:
        data = mnist_sample() if quick else mnist()
    if hasattr(data, "train") and hasattr(data, "validation"):
        return _pair(data.train), _pair(data.validation)
    X, y = _pair(data)
    cut = len(X) - len(X) // 6
    if cut == len(X):
        raise ValueError(f"data: {len(X)} samples are too few to keep a sixth for validation")
    return (X[:cut], y[:cut]), (X[cut:], y[cut:])


def images_of(data: Any, n: int) -> Pair:
    """The first `n` training images.

    Parameters
    ----------
    data
        As in `train_and_validation`, but of a pair all are taken; None stands for MNIST, whose first 1,000 training
        images are embedded.
    n : int

    Raises
    ------
    TypeError, ValueError
        If it is none of these, or has fewer images.
    """
    from tinygrad_vg.datasets import mnist, mnist_sample

    if data is None:
        data = mnist_sample() if n <= 1000 else mnist()
    X, y = _pair(getattr(data, "train", data))
    if len(X) < n:
        raise ValueError(f"data: {n} samples are asked for, but there are {len(X)}")
    return X[:n], y[:n]


def _pair(data: Any) -> Pair:
    """Samples as rows, and a label for each."""
    try:
        X, y = data
        X, y = np.asarray(X, dtype=float), np.asarray(y)
    except (TypeError, ValueError):
        raise TypeError(f"data must be a dataset or a pair (X, y) of arrays, not {type(data).__name__}") from None
    if X.ndim != 2 or y.shape != X.shape[:1] or not len(X):
        raise ValueError(f"data: X of shape {X.shape} and y of shape {y.shape}; they must be (n, inputs) and (n,)")
    if y.dtype.kind not in "iu" or y.min() < 0:
        raise ValueError(f"data: labels must be integers from 0, not {y.dtype} from {y.min()}")
    return X, y
