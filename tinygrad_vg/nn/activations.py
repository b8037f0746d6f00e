"""Activation functions by name; each works on arrays (also complex ones, for the complex step) and on Tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_vg.ops import primitive, relu, sigmoid, softmax

__all__ = ["ACTIVATIONS", "by_name", "identity", "relu", "sigmoid", "softmax", "softsign", "tanh"]

Activation = Callable[[Any], Any]

tanh = np.tanh


def _softsign(x: Any) -> Any:
    """x/(1+|x|), elementwise (Glorot & Bengio 2010, section 3); its derivative 1/(1+|x|)² falls like 1/x²."""
    return x / (1 + np.where(np.real(x) > 0, x, -x))  # not np.abs(x): that is not analytic


softsign = primitive(
    _softsign,
    (lambda g, out, x: g / np.square(1 + np.abs(x)),),
    name="softsign",
    local="1/(1 + |{0}|)²",
    analytic=True,
)


def identity(x: Any) -> Any:
    """`x` itself: a linear layer."""
    return x


ACTIVATIONS: dict[str, Activation] = {
    "sigmoid": sigmoid,
    "tanh": tanh,
    "relu": relu,
    "softsign": softsign,
    "identity": identity,
    "softmax": softmax,
}


def by_name(activation: str | Activation) -> tuple[str, Activation]:
    """The name and the function of an activation given as either.

    Raises
    ------
    ValueError
        For a name that is not in `ACTIVATIONS`.
    TypeError
        For anything that is neither a name nor a function.
    """
    if isinstance(activation, str):
        if activation not in ACTIVATIONS:
            raise ValueError(
                f"unknown activation {activation!r}; there are {', '.join(ACTIVATIONS)}, or give a function"
            )
        return activation, ACTIVATIONS[activation]
    if not callable(activation):
        raise TypeError(f"an activation is a name ({', '.join(ACTIVATIONS)}) or a function, not {activation!r:.60}")
    for name, function in ACTIVATIONS.items():
        if activation is function:
            return name, function
    return getattr(activation, "__name__", type(activation).__name__), activation
