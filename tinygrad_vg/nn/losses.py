"""Losses: how far the outputs are from the targets. Each sums over the outputs and averages over the batch.

All take the targets `y` as a constant array in one of these forms, for n samples and k outputs:

* shape (n, k): one number an output (one-hot rows, or targets in between);
* shape (n,), integers 0 … k−1: class labels, meaning one-hot rows;
* shape (n,) if k = 1: the target of the only output.

All give a Tensor named C if the outputs are a Tensor, else a plain number.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_vg.ops import log_softmax, rule_of, sigmoid, softplus
from tinygrad_vg.tensor import Tensor

__all__ = ["cross_entropy", "quadratic", "softmax_cross_entropy"]


def cross_entropy(logits: Any, y: Any) -> Any:
    """Cross-entropy of independent sigmoid outputs: C = (1/n) Σ −[y ln σ(z) + (1−y) ln(1−σ(z))].

    Nielsen, chapter 3, equation 63: the sum over the outputs, the average over the samples. It is computed from the
    logits as softplus(z) − y·z. Where all targets are 0 or 1 that is softplus((1−2y)·z), which is written so because
    it keeps value and gradient accurate to the last digits also when σ(z) is nearly y.

    Parameters
    ----------
    logits : array or Tensor, shape (n, k)
        The weighted inputs z of the output layer (``mlp.logits(x)``), not its activations.
    y : array_like
        Targets in [0, 1], in one of the module's forms.

    Raises
    ------
    ValueError
        If shapes do not fit, a label is not one of 0 … k−1, or a target lies outside [0, 1].
    TypeError
        If `y` is a Tensor or does not hold numbers.
    """
    targets = _targets(y, logits, "cross_entropy")
    if not np.count_nonzero(targets * targets - targets):
        return _cost(_binary_cross_entropy(logits, targets))
    _check_probabilities(targets, "cross_entropy")
    return _cost((softplus(logits) - targets * logits).sum() / len(targets))


def _samples(y: Any) -> int:
    return len(y) if y.ndim else 1  # pictures also compute these costs of a single number


def _binary_cross_entropy_vjp(g: Any, out: Any, z: Any, y: Any) -> Any:
    sign = 1 - 2 * y
    return sigmoid(sign * z) * (sign * (g / _samples(y)))


@rule_of(
    vjps=(_binary_cross_entropy_vjp, None), name="cross_entropy", symbol="H", local="(σ({0}) − {1})/n", analytic=True
)
def _binary_cross_entropy(z: Any, y: Any) -> Any:
    """Cross-entropy where all targets are 0 or 1."""
    return np.add.reduce(softplus.op.forward((1 - 2 * y) * z), axis=None) / _samples(y)


def quadratic(a: Any, y: Any) -> Any:
    """Quadratic cost C = (1/n) Σ ½‖a − y‖² (Nielsen, chapter 1, equation 6).

    Parameters
    ----------
    a : array or Tensor, shape (n, k)
        The activations of the output layer (``mlp(x)``).
    y : array_like
        Targets in one of the module's forms.

    Raises
    ------
    ValueError
        If shapes do not fit, or a label is not one of 0 … k−1.
    TypeError
        If `y` is a Tensor or does not hold numbers.
    """
    targets = _targets(y, a, "quadratic")
    return _cost(_half_square(a, targets))


@rule_of(
    vjps=(lambda g, out, a, y: (a - y) * (g / _samples(y)), None),
    name="quadratic",
    symbol="½‖{0} − {1}‖²/n",
    local="({0} − {1})/n",
    analytic=True,
)
def _half_square(a: Any, y: Any) -> Any:
    """½‖a − y‖², on average over the rows."""
    return np.add.reduce(np.square(a - y), axis=None) * (0.5 / _samples(y))


def softmax_cross_entropy(logits: Any, y: Any) -> Any:
    """Cross-entropy of a softmax layer: C = (1/n) Σ −y ln softmax(z) (Nielsen, chapter 3, equation 80).

    Parameters
    ----------
    logits : array or Tensor, shape (n, k) with k ≥ 2
        The weighted inputs z of the output layer.
    y : array_like
        Class labels, or rows of probabilities that sum to 1.

    Raises
    ------
    ValueError
        If shapes do not fit, a label is not one of 0 … k−1, or a row of targets is no probability distribution.
    TypeError
        If `y` is a Tensor or does not hold numbers.
    """
    targets = _targets(y, logits, "softmax_cross_entropy")
    if targets.shape[1] == 1:
        raise ValueError("softmax_cross_entropy: the softmax of a single output is always 1; use cross_entropy")
    if not (targets.min() >= 0 and np.allclose(targets.sum(axis=1), 1, rtol=0, atol=1e-5)):
        raise ValueError(
            "softmax_cross_entropy: each row of y must be non-negative and sum to 1; for outputs that are right or "
            "wrong independently of one another use cross_entropy"
        )
    return _cost(-(targets * log_softmax(logits)).sum() / len(targets))


# ------------------------------------------------------------------------------------------------------------- targets


def _cost(value: Any) -> Any:
    """The cost under its name in the book."""
    return value.named("C") if type(value) is Tensor else value


def _targets(y: Any, outputs: Any, loss: str) -> Any:
    """`y` as an array of shape (n, k), of the outputs' precision."""
    shape = outputs.shape if hasattr(outputs, "shape") else np.shape(outputs)
    if len(shape) != 2 or 0 in shape:
        raise ValueError(
            f"{loss}: the outputs have shape {shape}; it must be (n, k), a row for each of n ≥ 1 samples and a column "
            "for each of k ≥ 1 outputs"
        )
    if type(y) is Tensor:
        raise TypeError(f"{loss}: the targets y are a constant array, not a Tensor; give y.data")
    y = np.asarray(y)
    if y.dtype.kind not in "fiub":
        raise TypeError(f"{loss}: the targets y must be numbers, not {y.dtype}")
    single = np.float32 if outputs.dtype.char in "fF" else np.float64
    if y.shape == shape:
        return y.astype(single, copy=False)
    if y.shape == shape[:1] and shape[1] == 1:
        return y.astype(single, copy=False)[:, None]
    if y.shape != shape[:1]:
        raise ValueError(
            f"{loss}: the targets y have shape {y.shape}, the outputs {shape}; y must be one-hot of shape {shape} or "
            f"integer labels of shape {shape[:1]}"
        )
    if y.dtype.kind not in "iu":
        raise TypeError(f"{loss}: labels of shape {y.shape} must be integers, not {y.dtype}; use y.astype(int)")
    hits = y[:, None] == np.arange(shape[1])
    if np.count_nonzero(hits) != len(y):  # a label outside hits nothing
        raise ValueError(
            f"{loss}: the labels run from {y.min()} to {y.max()}, but {shape[1]} outputs need 0 … {shape[1] - 1}"
        )
    return hits.astype(single)


def _check_probabilities(targets: Any, loss: str) -> None:
    if not (targets.min() >= 0 and targets.max() <= 1):
        raise ValueError(
            f"{loss}: targets must lie in [0, 1], but run from {targets.min()} to {targets.max()}; use quadratic for "
            "other targets"
        )
