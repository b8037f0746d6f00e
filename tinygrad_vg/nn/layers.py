"""Dense layers and the multilayer perceptron made of them.

Rows are samples: ``z = x @ w + b`` with x of shape (n, n_in), w (n_in, n_out) and b (n_out,).
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tinygrad_vg.modes import name_scope
from tinygrad_vg.nn.activations import Activation, by_name
from tinygrad_vg.nn.init import Initialiser, Seed, WeightRule, draw_parameters
from tinygrad_vg.ops import affine
from tinygrad_vg.tensor import Tensor

__all__ = ["MLP", "Dense"]


class Dense:
    """A fully connected layer: a = activation(x @ w + b).

    Parameters
    ----------
    n_in, n_out : int
        Fan-in, and number of units.
    activation : str or callable
        sigmoid, tanh, relu, softsign, identity, softmax, or a function of arrays and Tensors.
    init, seed, dtype
        As for `MLP`.
    label : str
        Put after the names of the tensors: with ``"1"`` they are w1, b1, z1, a1, in the name scope ``layer 1``.

    Attributes
    ----------
    w, b : Tensor
        Of shape (n_in, n_out) and (n_out,); arrays, if `bind` was given arrays.
    """

    w: Any
    b: Any

    def __init__(
        self,
        n_in: int,
        n_out: int,
        activation: str | Activation = "sigmoid",
        *,
        init: str | Initialiser | WeightRule = "default",
        seed: Seed = None,
        dtype: Any = np.float64,
        label: str = "",
    ) -> None:
        shape = _sizes([n_in, n_out])
        self._set_up(draw_parameters(shape, init, seed), activation, _precision(dtype), str(label))

    def _set_up(self, arrays: Sequence[Any], activation: str | Activation, dtype: Any, label: str) -> None:
        self.activation_name, self.activation = by_name(activation)
        self.n_in, self.n_out = arrays[0].shape
        self.label, self._scope = label, f"layer {label}".strip()
        self._z, self._a = f"z{label}", f"a{label}"
        self.w, self.b = (Tensor(a.astype(dtype), name=f"{k}{label}") for k, a in zip("wb", arrays, strict=True))

    def __call__(self, x: Any) -> Any:
        """The activations, of shape (n, n_out), for x of shape (n, n_in)."""
        _check_input(x, self.n_in, self)
        return self._activations(x)

    def logits(self, x: Any) -> Any:
        """The weighted inputs z = x @ w + b, of shape (n, n_out)."""
        _check_input(x, self.n_in, self)
        with name_scope(self._scope):
            return self._affine(x)

    def _affine(self, x: Any) -> Any:
        z = affine(x, self.w, self.b)
        if type(z) is Tensor:
            z.name = self._z
        return z

    def _activations(self, x: Any) -> Any:
        with name_scope(self._scope):
            z = self._affine(x)
            a = self.activation(z)
        if type(a) is Tensor and a is not z:
            a.name = self._a
        return a

    def parameters(self) -> list[Any]:
        """``[w, b]``."""
        return [self.w, self.b]

    def bind(self, params: Iterable[Any]) -> Dense:
        """The same layer on another w and b; see `MLP.bind`."""
        w, b = _two(params, self)
        if np.shape(w) != (self.n_in, self.n_out) or np.ndim(b) not in (1, 2) or np.shape(b)[-1] != self.n_out:
            raise ValueError(
                f"bind: w and b of {self!r} must have the shapes ({self.n_in}, {self.n_out}) and ({self.n_out},), "
                f"but have {np.shape(w)} and {np.shape(b)}"
            )
        bound = copy.copy(self)
        bound.w, bound.b = w, b
        return bound

    def __repr__(self) -> str:
        label = f", label={self.label!r}" * bool(self.label)
        return f"Dense({self.n_in}, {self.n_out}, {self.activation_name!r}{label})"


class MLP:
    """A multilayer perceptron: dense layers one after the other.

    Parameters
    ----------
    sizes : sequence of int
        The number of inputs, then of units in each layer: ``[784, 30, 10]``.
    activation : str or callable
        Of the hidden layers: sigmoid, tanh, relu, softsign, identity, or a function of arrays and Tensors.
    init : str, `init.Initialiser` or callable
        default, large, glorot_standard, glorot_normalised, he, sparse (see `tinygrad_vg.nn.init`), or a function
        ``f(n_in, n_out, rng)`` that returns the weights, with biases zero.
    seed : int, Generator, RandomState or None
        The same seed gives the same network. All biases are drawn first, layer by layer, then all weights, layer by
        layer, as in Nielsen's network2.py; from ``np.random.default_rng(seed)`` if it is an int. None: another network
        each time.
    output : str or callable
        Activation of the last layer. The book's costs suppose sigmoid outputs; `softmax_cross_entropy` goes with
        ``"softmax"``, regression with ``"identity"``.
    dtype : float64 or float32
        Of the parameters. A float32 network computes in float32 only on float32 inputs.

    Attributes
    ----------
    layers : tuple of Dense
        ``mlp.layers[0].w`` is named w1.
    sizes : tuple of int

    Raises
    ------
    ValueError, TypeError
        For fewer than two sizes, sizes that are no positive integers, unknown names, and seeds that are none.

    Examples
    --------
    >>> mlp = MLP([784, 30, 10], seed=0)
    >>> mlp
    MLP([784, 30, 10], activation='sigmoid', output='sigmoid', parameters=23860)
    >>> [p.name for p in mlp.parameters()]
    ['w1', 'b1', 'w2', 'b2']
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activation: str | Activation = "sigmoid",
        init: str | Initialiser | WeightRule = "default",
        *,
        seed: Seed = None,
        output: str | Activation = "sigmoid",
        dtype: Any = np.float64,
    ) -> None:
        self.sizes = _sizes(sizes)
        self.dtype = _precision(dtype)
        arrays = draw_parameters(self.sizes, init, seed)
        activations = [activation] * (len(self.sizes) - 2) + [output]
        self.layers: tuple[Dense, ...] = tuple(
            [
                _layer(arrays[2 * i : 2 * i + 2], function, self.dtype, str(i + 1))
                for i, function in enumerate(activations)
            ]
        )

    def __call__(self, x: Any) -> Any:
        """The activations of the last layer, of shape (n, k), for x of shape (n, n_in)."""
        _check_input(x, self.sizes[0], self)
        for layer in self.layers:
            x = layer._activations(x)
        return x

    def logits(self, x: Any) -> Any:
        """The weighted inputs z of the last layer, of shape (n, k), for x of shape (n, n_in)."""
        _check_input(x, self.sizes[0], self)
        for layer in self.layers[:-1]:
            x = layer._activations(x)
        with name_scope(self.layers[-1]._scope):
            return self.layers[-1]._affine(x)

    def parameters(self) -> list[Any]:
        """``[w1, b1, w2, b2, …]``."""
        return [p for layer in self.layers for p in layer.parameters()]

    def bind(self, params: Iterable[Any]) -> MLP:
        """The same network on these parameters, which are used as they are: nothing is copied.

        Parameters
        ----------
        params : iterable of arrays or Tensors
            In the order of `parameters`, of the same shapes. Arrays are constants, and may be complex. A bias may also
            have shape (n, n_out): one bias for each of n samples, whose gradient is that of each sample by itself.

        Examples
        --------
        >>> import numpy as np, tinygrad_vg as vg
        >>> mlp = MLP([2, 3, 1], seed=0)
        >>> x, y = np.array([[0.5, -1.0]]), np.array([1])
        >>> loss = lambda *params: vg.nn.losses.cross_entropy(mlp.bind(params).logits(x), y)
        >>> arrays = [p.data for p in mlp.parameters()]
        >>> [g.shape for g in vg.grad(loss, argnums=range(4))(*arrays)]
        [(2, 3), (3,), (3, 1), (1,)]
        """
        given = list(params)
        if len(given) != 2 * len(self.layers):
            raise ValueError(
                f"bind: {self!r} has {2 * len(self.layers)} parameters (w1, b1, …), but {len(given)} were given"
            )
        bound = copy.copy(self)
        bound.layers = tuple([layer.bind(given[2 * i : 2 * i + 2]) for i, layer in enumerate(self.layers)])
        return bound

    def __repr__(self) -> str:
        hidden = f"activation={self.layers[0].activation_name!r}, " if len(self.layers) > 1 else ""
        count = sum([(n_in + 1) * n_out for n_in, n_out in zip(self.sizes, self.sizes[1:], strict=False)])
        dtype = f", dtype={self.dtype}" * (self.dtype != np.float64)
        last = self.layers[-1].activation_name
        return f"MLP({list(self.sizes)}, {hidden}output={last!r}, parameters={count}{dtype})"


# -------------------------------------------------------------------------------------------------- checks of arguments


def _layer(arrays: Sequence[Any], activation: str | Activation, dtype: np.dtype[Any], label: str) -> Dense:
    """A layer on copies of arrays already drawn."""
    layer = Dense.__new__(Dense)
    layer._set_up(arrays, activation, dtype, label)
    return layer


def _sizes(sizes: Sequence[int]) -> tuple[int, ...]:
    try:
        given = tuple(sizes)
    except TypeError:
        raise TypeError(f"sizes must be a list of layer sizes such as [784, 30, 10], not {sizes!r:.60}") from None
    if len(given) < 2:
        raise ValueError(f"sizes={list(given)}: a network needs the number of inputs and of at least one layer's units")
    for n in given:
        if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
            raise ValueError(f"sizes={list(given)}: every size must be a positive integer, but one is {n!r:.40}")
    return tuple([int(n) for n in given])


def _precision(dtype: Any) -> np.dtype[Any]:
    found: np.dtype[Any] = np.dtype(dtype)
    if found not in (np.float64, np.float32):
        raise TypeError(f"dtype must be float64 or float32, not {found}")
    return found


def _check_input(x: Any, n_in: int, model: Any) -> None:
    shape = x.shape if hasattr(x, "shape") else np.shape(x)
    if shape[-1:] != (n_in,):
        raise ValueError(
            f"{model!r} was given an input of shape {shape}; it needs (n, {n_in}): rows are samples, columns the "
            f"{n_in} inputs"
        )


def _two(params: Iterable[Any], layer: Dense) -> tuple[Any, Any]:
    given = tuple(params)
    if len(given) != 2:
        raise ValueError(f"bind: {layer!r} has two parameters, w and b, but {len(given)} were given")
    return given
