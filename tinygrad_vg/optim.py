"""Stochastic gradient descent with classical or Nesterov momentum and weight decay."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from sys import getrefcount
from typing import Any

import numpy as np

from tinygrad_vg.checks import Array
from tinygrad_vg.tensor import ALONE, Tensor

__all__ = ["SGD", "sutskever_schedule"]

Momentum = float | Callable[[int], float]


def sutskever_schedule(mu_max: float) -> Callable[[int], float]:
    """The momentum schedule μ_t = min(1 − 2^(−1−log₂(⌊t/250⌋+1)), μ_max) of Sutskever et al. 2013, equation 5.

    It is ½ for the first 250 steps, then ¾, then 5/6 …; t is the number of steps already taken.

    Raises
    ------
    ValueError
        If `mu_max` is not in [0, 1).
    """
    highest = _momentum(mu_max)
    return lambda t: min(1 - 0.5 / (t // 250 + 1), highest)  # 2^(−1−log₂ k) is ½/k


@dataclass
class _Slot:
    """What the optimiser knows of one parameter."""

    tensor: Tensor
    velocity: Array | None = None
    ahead: float = 0.0  # Nesterov: the tensor holds θ + ahead·v
    ahead_value: Array | None = None  # … and this was it, while the tensor shows θ
    theta: Array | None = None  # … namely this array


class SGD:
    """Gradient descent: θ ← (1 − lr·weight_decay)·θ + v, where v is −lr·∇C, with momentum if given.

    Parameters
    ----------
    params : iterable of Tensor
        The parameters, leaves all. A parameter whose ``.grad`` is None at a step is left as it is.
    lr : float
        Learning rate ε (the book's η).
    momentum : float in [0, 1), or callable
        μ, or a function μ(t) of the number of steps already taken, such as `sutskever_schedule`.
    nesterov : bool
        Take the gradient at θ + μv instead of θ (below).
    weight_decay : float
        Each step multiplies weights (tensors of two or more axes, not biases) by 1 − lr·weight_decay. In the book's
        terms it is λ/n, n being the size of the *training set* (chapter 3, equation 93). It acts on θ itself, outside
        the velocity.

    Attributes
    ----------
    lr, weight_decay : float
        Can be set between steps.
    steps : int
        The number of steps taken.

    Raises
    ------
    TypeError, ValueError
        For parameters that are no leaf Tensors or come twice, and for settings out of range.

    Notes
    -----
    Classical momentum (Polyak 1964; Sutskever, Martens, Dahl & Hinton 2013, equations 1 and 2)::

        v_{t+1} = μ_t v_t − ε ∇C(θ_t)
        θ_{t+1} = θ_t + v_{t+1}

    Nesterov's accelerated gradient (their equations 3 and 4)::

        v_{t+1} = μ_t v_t − ε ∇C(θ_t + μ_t v_t)
        θ_{t+1} = θ_t + v_{t+1}

    The gradient is wanted at φ_t = θ_t + μ_t v_t, so between steps the tensors hold φ, and an ordinary loop of
    ``backward(); step()`` is right as it stands. A step takes θ_t = φ_t − μ_t v_t, moves as above, and leaves
    φ_{t+1} = θ_{t+1} + μ_{t+1} v_{t+1}, with the *next* step's μ. Weight decay multiplies θ_t, not φ_t. To evaluate the
    network at θ, write ``with opt.at_theta(): …``, or `rest` for good.

    Examples
    --------
    >>> w = Tensor([1.0, -2.0])
    >>> opt = SGD([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w.data
    array([ 0.8, -1.6])
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float,
        momentum: Momentum = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        self.params = _leaves(params)
        self.lr: float = lr
        self.momentum = momentum if callable(momentum) else _momentum(momentum)
        self.nesterov = bool(nesterov)
        self.weight_decay: float = weight_decay
        self.steps = 0
        self.resting = False
        self._slots = [_Slot(p) for p in self.params]
        self._kept()

    def zero_grad(self) -> None:
        """Forget gradients that no step has used: set ``.grad`` of every parameter to None."""
        for p in self.params:
            p.grad = None

    def step(self) -> None:
        """Move every parameter that has a gradient, and use the gradient up.

        Afterwards ``.grad`` is None again: the next `backward` starts from nothing, and the memory holds the new value.

        Raises
        ------
        RuntimeError
            If no parameter has a gradient, or while the tensors hold θ instead of θ + μv (`at_theta`, `rest`).
        ValueError
            If lr·weight_decay has become 1 or more, or a momentum schedule gives a number outside [0, 1).
        """
        if self.resting:
            raise RuntimeError(
                "step: the tensors hold θ, but Nesterov's gradient is taken at θ + μv; leave at_theta(), or call "
                "look_ahead() before the forward pass"
            )
        moving = [slot for slot in self._slots if slot.tensor.grad is not None]
        if not moving:
            raise RuntimeError("step: no parameter has a gradient; call backward() on the cost first")
        kept = self._kept()
        if self.momentum == 0:
            for slot in moving:
                _descend(slot.tensor, self.lr, kept)
        elif self.nesterov:
            coming = self._momentum_at(self.steps + 1)
            for slot in moving:
                self._nesterov_step(slot, kept, coming)
        else:
            mu = self._momentum_at(self.steps)
            for slot in moving:
                free = self._accelerate(slot, mu)
                np.multiply(slot.tensor._array, _kept_of(slot.tensor, kept), out=free)
                free += slot.velocity
                slot.tensor._bind(free)
        self.steps += 1

    def _nesterov_step(self, slot: _Slot, kept: float, coming: float) -> None:
        """From φ_t to φ_{t+1}."""
        theta = _theta(slot) * _kept_of(slot.tensor, kept)
        free = self._accelerate(slot, slot.ahead)
        np.multiply(slot.velocity, 1 + coming, out=free)  # type: ignore[arg-type]
        free += theta
        slot.tensor._bind(free)
        slot.ahead = coming

    def _accelerate(self, slot: _Slot, mu: float) -> Array:
        """One step of the velocity: v ← μv − ε∇C. Gives the gradient's memory, which is free then."""
        if slot.velocity is None:
            slot.velocity = np.zeros_like(slot.tensor.data)
        g = _take_gradient(slot.tensor)
        g *= self.lr
        slot.velocity *= mu
        slot.velocity -= g
        return g

    def _kept(self) -> float:
        """The part of a weight that decay leaves in one step; checks the settings, which may have been changed."""
        self.lr, self.weight_decay = _not_negative(self.lr, "lr"), _not_negative(self.weight_decay, "weight_decay")
        kept = 1 - self.lr * self.weight_decay
        if kept <= 0:
            raise ValueError(
                f"lr·weight_decay = {self.lr}·{self.weight_decay} is 1 or more, so a step would turn weights to the "
                "other side of 0; weight_decay is λ/n, with n the size of the training set"
            )
        return kept

    def _momentum_at(self, t: int) -> float:
        return _momentum(self.momentum(t)) if callable(self.momentum) else self.momentum

    # θ and θ + μv

    @contextmanager
    def at_theta(self) -> Iterator[None]:
        """Inside, the tensors hold θ; afterwards θ + μv again, to the last bit. Without Nesterov nothing changes."""
        if self.resting:
            yield
            return
        self.rest()
        try:
            yield
        finally:
            self.look_ahead()

    def rest(self) -> None:
        """Put θ into the tensors, as the result of training; `look_ahead` comes before further steps."""
        if not self.nesterov or self.resting:
            return
        for slot in self._slots:
            slot.ahead_value = slot.tensor._array
            slot.tensor.update(_theta(slot))
            slot.theta = slot.tensor._array
        self.resting = True

    def look_ahead(self) -> None:
        """Put θ + μv into the tensors, where the next gradient is to be taken; undoes `rest`."""
        if not self.resting:
            return
        for slot in self._slots:
            if slot.ahead_value is not None and slot.theta is slot.tensor._array:
                slot.tensor.update(slot.ahead_value)
            elif slot.velocity is not None:  # θ was given a new value meanwhile
                slot.tensor.update(slot.tensor.data + slot.ahead * slot.velocity)
            slot.ahead_value = slot.theta = None
        self.resting = False

    # saving and restoring

    def state_dict(self) -> dict[str, Any]:
        """All that, besides settings and parameters, decides the next steps.

        Returns
        -------
        dict
            ``steps`` (int); ``velocity``, for each parameter an array of its shape, or None before it first moved with
            momentum; ``ahead``, the μ of each θ + μv that the tensors hold; ``resting``, whether they hold θ instead.
            All are copies.
        """
        return {
            "steps": self.steps,
            "velocity": [None if s.velocity is None else s.velocity.copy() for s in self._slots],
            "ahead": [s.ahead for s in self._slots],
            "resting": self.resting,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from what `state_dict` gave; the values of the parameters have to be restored beside it.

        Raises
        ------
        ValueError
            If it belongs to other parameters; nothing is changed then.
        """
        velocity, ahead = list(state["velocity"]), [_momentum(mu) for mu in state["ahead"]]
        shapes = [None if v is None else np.shape(v) for v in velocity]
        if not len(shapes) == len(ahead) == len(self.params) or any(
            [shape not in (None, p.shape) for shape, p in zip(shapes, self.params, strict=True)]
        ):
            raise ValueError(
                f"load_state_dict: the velocities have shapes {shapes}, the parameters {[p.shape for p in self.params]}"
            )
        velocity = [None if v is None else np.array(v, p.dtype) for v, p in zip(velocity, self.params, strict=True)]
        self.steps, self.resting = int(state["steps"]), bool(state["resting"]) and self.nesterov
        self._slots = [_Slot(p, v, mu) for p, v, mu in zip(self.params, velocity, ahead, strict=True)]

    def __repr__(self) -> str:
        momentum = getattr(self.momentum, "__name__", "μ(t)") if callable(self.momentum) else self.momentum
        return (
            f"SGD({len(self.params)} parameters, lr={self.lr}, momentum={momentum}, nesterov={self.nesterov}, "
            f"weight_decay={self.weight_decay}, steps={self.steps})"
        )


def _take_gradient(tensor: Tensor) -> Array:
    """The gradient, taken from the tensor, in memory that is ours: of one step nothing but the values remains."""
    g: Any = tensor.grad
    tensor.grad = None
    ours = type(g) is np.ndarray and g.base is None and getrefcount(g) == ALONE and g.flags.writeable
    return g if ours and g.dtype is tensor._array.dtype else np.array(g, tensor.dtype)


def _descend(tensor: Tensor, lr: float, kept: float) -> None:
    """θ ← kept·θ − lr·∇C, as kept·(θ − (lr/kept)·∇C) and in the gradient's memory."""
    kept = _kept_of(tensor, kept)
    new = _take_gradient(tensor)
    new *= -lr / kept
    new += tensor._array
    if kept != 1:
        new *= kept
    tensor._bind(new)


def _kept_of(tensor: Tensor, kept: float) -> float:
    """What weight decay leaves of this tensor: of a bias all."""
    return kept if tensor._array.ndim >= 2 else 1.0


def _theta(slot: _Slot) -> Array:
    """θ, from the θ + μv the tensor holds."""
    return slot.tensor.data if slot.velocity is None else slot.tensor.data - slot.ahead * slot.velocity


# -------------------------------------------------------------------------------------------------- checks of arguments


def _leaves(params: Iterable[Tensor]) -> list[Tensor]:
    if type(params) is Tensor:
        raise TypeError("params must be a list of Tensors; for one write [t]")
    found = list(params)
    if not found:
        raise ValueError("params is empty: there is nothing to optimise")
    for i, p in enumerate(found):
        if type(p) is not Tensor:
            raise TypeError(
                f"params[{i}] is {type(p).__name__}, not a Tensor; arrays are constants and cannot be moved"
            )
        if p.node is not None:
            raise TypeError(f"params[{i}] was made by {p.node.op.name}; only leaves can be moved")
    if len(set(found)) != len(found):
        raise ValueError("params: the same Tensor comes twice, so it would be moved twice a step")
    return found


def _number(value: Any, name: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a number, not {value!r:.60}") from None
    if not math.isfinite(number):
        raise ValueError(f"{name} must be finite, but is {number}")
    return number


def _not_negative(value: Any, name: str) -> float:
    if (number := _number(value, name)) < 0:
        raise ValueError(f"{name} must not be negative, but is {number}")
    return number


def _momentum(value: Any) -> float:
    if not 0 <= (number := _number(value, "momentum")) < 1:
        raise ValueError(f"momentum must be in [0, 1), but is {number}")
    return number
