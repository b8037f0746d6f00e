"""MNIST in the form that the book's scripts expect: ``from tinygrad_vg import mnist_loader``.

Source: Nielsen, "Neural Networks and Deep Learning", ch. 1, "Implementing our network to classify digits".
"""

from __future__ import annotations

from typing import Any

from tinygrad_vg.checks import Array
from tinygrad_vg.datasets import mnist
from tinygrad_vg.network2 import vectorized_result

__all__ = ["load_data", "load_data_wrapper", "vectorized_result"]

Part = tuple[Array, Array]
Samples = list[tuple[Array, Any]]


def load_data(data: Any = None) -> tuple[Part, Part, Part]:
    """MNIST's training, validation and test data: 50,000, 10,000 and 10,000 images.

    Parameters
    ----------
    data : MNIST, optional
        To take instead, such as the embedded `tinygrad_vg.datasets.mnist_sample()`, which needs no files. By default
        `tinygrad_vg.datasets.mnist()`, whose files are found or downloaded as that says.

    Returns
    -------
    training_data, validation_data, test_data : tuple
        ``(X, y)`` each: float64 of shape (n, 784), pixels being byte/256, and int64 of shape (n,).

    Raises
    ------
    DatasetError
        If the files can neither be found nor downloaded.
    """
    found = mnist() if data is None else data
    return found.train, found.validation, found.test


def load_data_wrapper(data: Any = None) -> tuple[Samples, Samples, Samples]:
    """The same as lists of samples ``(x, y)``, for `tinygrad_vg.network2`.

    Parameters
    ----------
    data : MNIST, optional
        As in `load_data`.

    Returns
    -------
    training_data, validation_data, test_data : list
        `x` is a column of shape (784, 1). `y` is a column of shape (10, 1) in the training data, and the digit
        itself in the others.
    """
    training, validation, test = load_data(data)
    columns = [vectorized_result(j) for j in training[1]]
    return list(zip(_columns(training[0]), columns, strict=True)), _labelled(validation), _labelled(test)


def _columns(X: Array) -> list[Array]:
    return [row.reshape(-1, 1) for row in X]


def _labelled(part: Part) -> Samples:
    return list(zip(_columns(part[0]), part[1], strict=True))
