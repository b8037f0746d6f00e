"""The book's second network class, on this engine: scripts written for ``network2.py`` run unchanged, and faster.

``from tinygrad_vg import network2`` instead of ``import network2`` is all there is to change in a script that runs on
Python 3. Samples are pairs of columns (`tinygrad_vg.mnist_loader.load_data_wrapper`); weights and biases are plain
arrays that you may read and replace. Numbers are drawn from NumPy's global legacy generator and samples shuffled by
`random`, in the book's order: ``np.random.seed(s); random.seed(s)`` gives the book's own training.

Where the book goes through a mini-batch sample by sample, this puts its columns side by side and has the engine sweep
back once.

Source: Nielsen, "Neural Networks and Deep Learning", ch. 3, "Handwriting recognition revisited: the code".
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from tinygrad_vg.autodiff import backprop, grad
from tinygrad_vg.checks import Array
from tinygrad_vg.nn import losses
from tinygrad_vg.ops import primitive, sigmoid
from tinygrad_vg.tensor import Tensor

__all__ = [
    "CrossEntropyCost",
    "Network",
    "QuadraticCost",
    "load",
    "sigmoid",
    "sigmoid_prime",
    "vectorized_result",
]

Sample = tuple[Any, Any]

_weighted_input = primitive(
    lambda w, a, b: w @ a + b,
    (
        lambda g, out, w, a, b: g @ a.T,
        lambda g, out, w, a, b: w.T @ g,
        lambda g, out, w, a, b: g.sum(axis=1, keepdims=True),
    ),
    name="weighted_input",
)
"""z of a layer, of all samples at once: one op, because with mini-batches of ten it is the number of ops that costs."""

CHUNK = 1000
"""So many samples are evaluated at once: few enough to stay small, enough that their number does not matter."""


class QuadraticCost:
    """C = ½‖a − y‖² of one sample."""

    @staticmethod
    def fn(a: Any, y: Any) -> Any:
        """The cost of outputs `a` where `y` is desired; of several columns, the sum."""
        return 0.5 * np.sum((a - y) ** 2)

    @staticmethod
    def delta(z: Any, a: Any, y: Any) -> Any:
        """∂C/∂z of the output layer."""
        return (a - y) * sigmoid_prime(z)


class CrossEntropyCost:
    """C = −Σ [y ln a + (1 − y) ln(1 − a)] of one sample, the sum over the outputs."""

    @staticmethod
    def fn(a: Any, y: Any) -> Any:
        """The cost of outputs `a` where `y` is desired; of several columns, the sum.

        An output that is exactly 0 or 1 costs nothing if it is right and infinitely much if it is wrong. (The cost of a
        saturated *network* is finite: `Network.total_cost` computes it from z.)
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            wanted = np.where(np.equal(y, 0), 0.0, y * np.log(a))
            unwanted = np.where(np.equal(y, 1), 0.0, (1 - y) * np.log1p(-a))
        return -np.sum(wanted + unwanted)

    @staticmethod
    def delta(z: Any, a: Any, y: Any) -> Any:
        """∂C/∂z of the output layer, in which σ′(z) cancels out."""
        return a - y


OURS = (QuadraticCost, CrossEntropyCost)
"""Costs that take several columns at once; one of your own is given them one by one."""


class Network:
    """A network of sigmoid neurons, as in the book.

    Parameters
    ----------
    sizes : sequence of int
        Neurons in each layer, the inputs first: ``[784, 30, 10]``.
    cost : class
        `CrossEntropyCost`, `QuadraticCost`, or one of your own with static methods ``fn(a, y)``, the cost of one
        sample, and ``delta(z, a, y)``, its derivative by the output layer's z. (Without a ``delta`` the engine
        differentiates ``fn``, for which it must be written in NumPy's functions.)

    Attributes
    ----------
    num_layers : int
    sizes : sequence of int
        As given.
    weights : list of ndarray
        One of shape (n_out, n_in) for each layer but the inputs.
    biases : list of ndarray
        One of shape (n_out, 1) each.

    Raises
    ------
    ValueError, TypeError
        If the sizes are not at least two positive integers, or the cost has no ``fn``.

    Examples
    --------
    >>> np.random.seed(0)
    >>> net = Network([2, 3, 1], cost=QuadraticCost)
    >>> net
    Network([2, 3, 1], cost=QuadraticCost)
    >>> net.biases[0].shape, net.weights[0].shape
    ((3, 1), (3, 2))
    """

    biases: list[Array]
    weights: list[Array]

    def __init__(self, sizes: Sequence[int], cost: Any = CrossEntropyCost) -> None:
        _check_sizes(sizes)
        if not callable(getattr(cost, "fn", None)):
            raise TypeError(f"cost must be a class with fn(a, y), such as CrossEntropyCost, not {cost!r:.60}")
        self.num_layers = len(sizes)
        self.sizes = sizes
        self.default_weight_initializer()
        self.cost = cost

    def default_weight_initializer(self) -> None:
        """Draw biases from N(0, 1), and weights from N(0, 1/n_in)."""
        self.large_weight_initializer()
        self.weights = [w / np.sqrt(w.shape[1]) for w in self.weights]

    def large_weight_initializer(self) -> None:
        """Draw biases and weights from N(0, 1), as chapter 1 does; `default_weight_initializer` learns faster."""
        self.biases = [np.random.standard_normal((n, 1)) for n in self.sizes[1:]]
        self.weights = [np.random.standard_normal((n_out, n_in)) for n_in, n_out in pairwise(self.sizes)]

    def feedforward(self, a: Any) -> Any:
        """The outputs for a column `a` of inputs, shape (n_out, 1); for columns side by side, as many columns."""
        return sigmoid(self._logits(a, self.weights, self.biases))

    def _logits(self, a: Any, weights: Sequence[Any], biases: Sequence[Any]) -> Any:
        """What the output layer makes its outputs of, z."""
        for w, b in zip(weights[:-1], biases[:-1], strict=True):
            a = sigmoid(_weighted_input(w, a, b))
        return _weighted_input(weights[-1], a, biases[-1])

    # learning

    def SGD(
        self,
        training_data: Iterable[Sample],
        epochs: int,
        mini_batch_size: int,
        eta: float,
        lmbda: float = 0.0,
        evaluation_data: Iterable[Sample] | None = None,
        monitor_evaluation_cost: bool = False,
        monitor_evaluation_accuracy: bool = False,
        monitor_training_cost: bool = False,
        monitor_training_accuracy: bool = False,
    ) -> tuple[list[float], list[int], list[float], list[int]]:
        """Train by mini-batch stochastic gradient descent, and print how it goes.

        Parameters
        ----------
        training_data : list of (x, y)
            Columns of inputs and of desired outputs. A list is shuffled in place, as in the book.
        epochs, mini_batch_size : int
        eta : float
            Learning rate η.
        lmbda : float
            λ: each step multiplies the weights by 1 − ηλ/n, with n the number of training samples.
        evaluation_data : list of (x, label)
            Validation or test samples, whose labels are numbers.
        monitor_evaluation_cost, monitor_evaluation_accuracy, monitor_training_cost, monitor_training_accuracy : bool
            What to measure, print and return after every epoch.

        Returns
        -------
        evaluation_cost, evaluation_accuracy, training_cost, training_accuracy : list
            A number an epoch each, or empty where it was not asked for. Accuracies are numbers of samples.

        Raises
        ------
        ValueError
            For samples whose shapes do not fit, no training samples, or monitoring of evaluation data not given.
        """
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        samples = training_data if isinstance(training_data, list) else list(training_data)
        evaluation = list(evaluation_data or [])
        if (monitor_evaluation_cost or monitor_evaluation_accuracy) and not evaluation:
            raise ValueError("SGD: to monitor the evaluation give evaluation_data")
        if not samples or mini_batch_size < 1:
            raise ValueError(
                f"SGD needs training samples and mini-batches of at least one, not {len(samples)} samples in "
                f"mini-batches of {mini_batch_size}"
            )
        n = len(samples)
        kept: tuple[list[float], list[int], list[float], list[int]] = ([], [], [], [])
        evaluation_cost, evaluation_accuracy, training_cost, training_accuracy = kept
        given, order = list(samples), list(range(n))
        step = self._stepper(given, samples, eta, lmbda)
        np.empty(2**24, np.uint8)  # freed at once: the C library then keeps what the steps free, as in `fit`
        with threadpool_limits(1, user_api="blas"):  # with matrices as small as these several threads are slower
            for epoch in range(epochs):
                random.shuffle(order)  # the swaps depend on the length alone: as if the samples were shuffled
                samples[:] = [given[i] for i in order]
                places = np.array(order)
                for start in range(0, n, mini_batch_size):
                    step(start, places[start : start + mini_batch_size])
                print(f"Epoch {epoch} training complete")
                if monitor_training_cost:
                    training_cost.append(self.total_cost(samples, lmbda))
                    print(f"Cost on training data: {training_cost[-1]}")
                if monitor_training_accuracy:
                    training_accuracy.append(self.accuracy(samples, convert=True))
                    print(f"Accuracy on training data: {training_accuracy[-1]} / {n}")
                if monitor_evaluation_cost:
                    evaluation_cost.append(self.total_cost(evaluation, lmbda, convert=True))
                    print(f"Cost on evaluation data: {evaluation_cost[-1]}")
                if monitor_evaluation_accuracy:
                    evaluation_accuracy.append(self.accuracy(evaluation))
                    print(f"Accuracy on evaluation data: {evaluation_accuracy[-1]} / {len(evaluation)}")
                print()
        return kept

    def _stepper(
        self, given: list[Sample], shuffled: list[Sample], eta: float, lmbda: float
    ) -> Callable[[int, Array], None]:
        """What takes a step with a mini-batch: it begins there in the shuffled samples, and these are its own places.

        All samples are put side by side once, and a mini-batch picks its own; to do so for each by itself takes longer
        than its matrix products.
        """
        n = len(given)
        if self._has_own("update_mini_batch") or self._has_own("backprop"):
            return lambda start, own: self.update_mini_batch(shuffled[start : start + len(own)], eta, lmbda, n)
        x, y = [np.asarray(columns.T, float) for columns in self._columns(given, vectors=True)]
        return lambda start, own: self._descend(x[own].T, y[own].T, eta, lmbda, n)

    def _has_own(self, method: str) -> bool:
        """Whether a reader's class replaces a method, which is then to be called as the book calls it."""
        return getattr(getattr(self, method), "__func__", None) is not getattr(Network, method)

    def update_mini_batch(self, mini_batch: Sequence[Sample], eta: float, lmbda: float, n: int) -> None:
        """Take one step down the gradient of a mini-batch; `n` is the number of all training samples."""
        if not self._has_own("backprop"):
            self._descend(*self._columns(mini_batch, vectors=True), eta, lmbda, n)
            return
        found = [self.backprop(x, y) for x, y in mini_batch]
        rate = eta / len(mini_batch)
        steps_b, steps_w = [[rate * sum(each) for each in zip(*part, strict=True)] for part in zip(*found, strict=True)]
        self._move(steps_b, steps_w, 1 - eta * (lmbda / n))

    def _descend(self, x: Array, y: Array, eta: float, lmbda: float, n: int) -> None:
        """Take one step down the gradient of the samples that are the columns of `x` and `y`."""
        self._move(*self._gradients(x, y, eta / y.shape[1]), 1 - eta * (lmbda / n))

    def _move(self, steps_b: list[Array], steps_w: list[Array], decay: float) -> None:
        """Bind new weights and biases."""
        self.weights = [_minus(decay * w, step) for w, step in zip(self.weights, steps_w, strict=True)]
        self.biases = [b - step for b, step in zip(self.biases, steps_b, strict=True)]

    def backprop(self, x: Array, y: Array) -> tuple[list[Array], list[Array]]:
        """The gradient of one sample's cost.

        Parameters
        ----------
        x, y : ndarray
            Inputs of shape (n_in, 1), desired outputs of shape (n_out, 1).

        Returns
        -------
        nabla_b, nabla_w : list of ndarray
            Shaped like `biases` and `weights`.
        """
        return self._gradients(*self._columns([(x, y)], vectors=True))

    def _gradients(self, x: Array, y: Array, factor: float = 1.0) -> tuple[list[Array], list[Array]]:
        """The gradient of the summed cost of the samples that are the columns of `x` and `y`, times a factor.

        The sweep is linear in its seed, and the factor is cheaper there than on the weights' gradients.
        """
        weights, biases = [_leaf(w) for w in self.weights], [_leaf(b) for b in self.biases]
        z = self._logits(x, weights, biases)
        found = backprop(z, factor * self._delta(z.data, y), wrt=[*biases, *weights])
        return [found[b] for b in biases], [found[w] for w in weights]

    def _delta(self, z: Array, y: Array) -> Array:
        """∂C/∂z of the output layer, a column a sample."""
        if self.cost in OURS:
            return np.asarray(self.cost.delta(z, sigmoid(z), y))
        delta = getattr(self.cost, "delta", self._derived_delta)
        columns = [delta(z[:, [i]], sigmoid(z[:, [i]]), y[:, [i]]) for i in range(y.shape[1])]
        return np.concatenate(columns, axis=1)

    def _derived_delta(self, z: Array, a: Array, y: Array) -> Any:
        """∂C/∂z of a cost that is given by its `fn` alone."""
        return grad(lambda z: self.cost.fn(sigmoid(z), y))(z)

    # measuring

    def accuracy(self, data: Iterable[Sample], convert: bool = False) -> int:
        """How many samples the network gets right: its largest output is the desired one.

        Parameters
        ----------
        data : list of (x, y)
        convert : bool
            False if the `y` are labels, as in validation and test data; True if they are columns, as in training data.
        """
        right = 0
        for x, y in self._chunks(data, vectors=convert):
            wanted = y.argmax(axis=0) if convert else y
            right += int(np.sum(self.feedforward(x).argmax(axis=0) == wanted))
        return right

    def total_cost(self, data: Iterable[Sample], lmbda: float, convert: bool = False) -> float:
        """The mean cost of the samples, and (λ/2n)·Σw² with n their number.

        Parameters
        ----------
        data : list of (x, y)
        lmbda : float
        convert : bool
            True if the `y` are labels, as in validation and test data; False if they are columns.
        """
        samples = list(data)
        total = 0.0
        for x, y in self._chunks(samples, vectors=not convert):
            wanted = (y == np.arange(self.sizes[-1])[:, None]).astype(float) if convert else y
            total += self._cost(self._logits(x, self.weights, self.biases), wanted)
        return (total + 0.5 * lmbda * sum([float(np.sum(w**2)) for w in self.weights])) / len(samples)

    def _cost(self, z: Array, y: Array) -> float:
        """The summed cost of samples, by the output layer's z; cross-entropy from z itself, so it never overflows."""
        if self.cost is CrossEntropyCost:
            return float(losses.cross_entropy(z.T, y.T) * y.shape[1])
        if self.cost is QuadraticCost:
            return float(QuadraticCost.fn(sigmoid(z), y))
        return float(sum([self.cost.fn(sigmoid(z[:, [i]]), y[:, [i]]) for i in range(y.shape[1])]))

    # samples

    def _chunks(self, data: Iterable[Sample], vectors: bool) -> Iterator[tuple[Array, Array]]:
        """All samples, many at a time."""
        samples = list(data)
        if not samples:
            raise ValueError("there are no samples to measure on")
        for start in range(0, len(samples), CHUNK):
            yield self._columns(samples[start : start + CHUNK], vectors)

    def _columns(self, samples: Sequence[Sample], vectors: bool) -> tuple[Array, Array]:
        """Samples side by side: x of shape (n_in, m); y of shape (n_out, m), or labels of shape (m,)."""
        x, y = zip(*samples, strict=True)
        inputs = _side_by_side(x, self.sizes[0], "x")
        if vectors:
            return inputs, _side_by_side(y, self.sizes[-1], "y")
        labels = np.asarray(y)
        if labels.shape != (len(samples),) or labels.dtype.kind not in "iu":
            raise ValueError(
                "these samples should have labels, integers, as validation and test data have; for columns as training "
                "data have them say accuracy(…, convert=True), total_cost(…, convert=False)"
            )
        return inputs, labels

    def save(self, filename: str | os.PathLike[str]) -> None:
        """Write the network to a file, in the book's own JSON format."""
        from tinygrad_vg.drawing.layout import write_atomically

        data = {
            "sizes": [int(n) for n in self.sizes],
            "weights": [w.tolist() for w in self.weights],
            "biases": [b.tolist() for b in self.biases],
            "cost": self.cost.__name__,
        }
        write_atomically(filename, json.dumps(data).encode())

    def __repr__(self) -> str:
        cost = getattr(self.cost, "__name__", self.cost)
        return f"{type(self).__name__}({list(self.sizes)}, cost={cost})"


def load(filename: str | os.PathLike[str], cost: Any = None) -> Network:
    """Read a network that `Network.save`, or the book's, has written.

    Parameters
    ----------
    filename : path
    cost : class, optional
        For a network with a cost of your own: its class, since the file has only the name.

    Raises
    ------
    ValueError
        If the file is not such a network.
    OSError
        If it cannot be read.
    """
    with open(filename, encoding="utf-8") as file:
        try:
            data = json.load(file)
            sizes, name = list(data["sizes"]), str(data["cost"])
            weights = [np.array(w, dtype=float) for w in data["weights"]]
            biases = [np.array(b, dtype=float) for b in data["biases"]]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"{filename} is not a network: it needs sizes, weights, biases and cost ({error})"
            ) from None
    known = {c.__name__: c for c in OURS}
    if cost is None and name not in known:
        raise ValueError(f"{filename} has the cost {name!r}, which is not one of {', '.join(known)}: load(…, cost=…)")
    net = Network(sizes, cost=cost or known[name])
    found = [[a.shape for a in arrays] for arrays in (weights, biases)]
    if found != [[a.shape for a in arrays] for arrays in (net.weights, net.biases)]:
        raise ValueError(f"{filename}: weights and biases have the shapes {found}, which do not fit the sizes {sizes}")
    net.weights, net.biases = weights, biases
    return net


def _leaf(array: Array) -> Tensor:
    """A variable in the array's own memory: nobody writes to it while this graph lives, so no copy is needed."""
    if type(array) is not np.ndarray or array.dtype != np.float64:
        return Tensor(array)
    leaf = Tensor(0.0)
    leaf._bind(array[...])
    return leaf


def _minus(start: Array, step: Array) -> Array:
    """Return start − step, made in the memory of `start`: passes through large arrays are what takes the time."""
    start -= step
    return start


def vectorized_result(j: int) -> Array:
    """The column of desired outputs for digit `j`: ten numbers, 1 in place `j` and 0 elsewhere."""
    column = np.zeros((10, 1))
    column[j] = 1.0
    return column


def sigmoid_prime(z: Any) -> Any:
    """σ′(z), accurate also where σ(z) is nearly 0 or 1."""
    return sigmoid(z) * sigmoid(-z)


# -------------------------------------------------------------------------------------------------- checks of arguments


def _check_sizes(sizes: Any) -> None:
    given = sizes if isinstance(sizes, Sequence | np.ndarray) else []
    positive = [isinstance(n, int | np.integer) and not isinstance(n, bool) and n > 0 for n in given]
    if len(positive) < 2 or not all(positive):
        raise ValueError(f"sizes must be at least two positive integers such as [784, 30, 10], not {sizes!r:.60}")


def _side_by_side(columns: Sequence[Any], height: int, what: str) -> Array:
    """Columns as one matrix."""
    try:
        wrong = {column.shape for column in columns} - {(height, 1)}
    except AttributeError:  # nested lists
        wrong = {np.shape(column) for column in columns} - {(height, 1)}
    if wrong:
        raise ValueError(f"{what} of every sample must be a column of shape ({height}, 1), but one has {wrong.pop()}")
    return np.concatenate(columns).reshape(len(columns), height).T
