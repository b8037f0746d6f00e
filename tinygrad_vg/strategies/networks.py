"""Multilayer perceptrons with data, of any depth: what deep gradients are checked on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

import tinygrad_vg as vg
from tinygrad_vg.checks import Array
from tinygrad_vg.strategies.inputs import NONZERO, arrays

__all__ = ["Network", "mlps"]


@dataclass(frozen=True, eq=False, repr=False)
class Network:
    """A network, input and labels.

    Attributes
    ----------
    mlp : vg.nn.MLP
    x : ndarray, shape (n, n_in)
    y : ndarray of int, shape (n,)
        Labels: 0 … k−1 for k outputs, 0 or 1 for a single one.
    made : str
        The call that makes the network.
    """

    mlp: Any
    x: Array
    y: Array
    made: str

    @property
    def arrays(self) -> list[Array]:
        """The parameters as arrays: w1, b1, w2, b2, …"""
        return [p.data for p in self.mlp.parameters()]

    def loss(self, *parameters: Any) -> Any:
        """The cross-entropy of the labels: of the network as it is, or of these arrays or Tensors in its place."""
        mlp = self.mlp.bind(parameters) if parameters else self.mlp
        return vg.nn.losses.cross_entropy(mlp.logits(self.x), self.y)

    def __repr__(self) -> str:
        return f"<network vg.nn.{self.made}; x = {self.x.tolist()}; y = {self.y.tolist()}>"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))  # Hypothesis would print the fields of a dataclass one by one


def mlps(
    depth: tuple[int, int] = (1, 24),
    *,
    width: tuple[int, int] = (1, 4),
    batch: tuple[int, int] = (1, 3),
    activation: Any = "sigmoid",
    init: Any = "default",
) -> st.SearchStrategy[Network]:
    """Networks `vg.nn.MLP` with input and labels: for gradients that are small because they come from far away.

    In the first layers of deep sigmoid networks gradients lie far below any absolute tolerance. `vg.certify_backward`
    checks them all the same.

    Parameters
    ----------
    depth, width, batch : (least, most)
        Layers; units of each layer and of the input; samples.
    activation, init : str or function, or a list of such
        As for `vg.nn.MLP`; of several, one is drawn. The last layer is always a sigmoid. A relu network whose biases
        are zero may sit on a kink: where a whole layer is dead, z is exactly 0 in the next.

    Returns
    -------
    SearchStrategy
        Of `Network`; shrinks to one layer of one unit, the input to round numbers. The parameters come from a seed,
        which is part of what is printed.

    Examples
    --------
    A rule of your own, where the gradients that come in are small::

        @settings(deadline=None)
        @given(mlps(activation=my_sigmoid))
        def test_my_sigmoid_in_depth(net):
            vg.certify_backward(net.loss())

    >>> from hypothesis import find
    >>> find(mlps(), lambda net: len(net.mlp.layers) == 3)
    <network vg.nn.MLP([1, 1, 1, 1], 'sigmoid', 'default', seed=0); x = [[1.0]]; y = [0]>
    """
    choices = [list(given) if isinstance(given, list | tuple) else [given] for given in (activation, init)]

    @st.composite
    def networks(draw: Any) -> Network:
        layers = draw(st.integers(*depth))
        sizes = draw(st.lists(st.integers(*width), min_size=layers + 1, max_size=layers + 1))
        words = [draw(st.sampled_from(found)) for found in choices]
        seed = draw(st.integers(0, 2**16))
        n = draw(st.integers(*batch))
        x = draw(arrays((n, sizes[0]), domain=NONZERO))
        y = draw(st.lists(st.integers(0, max(1, sizes[-1] - 1)), min_size=n, max_size=n))
        written = ", ".join([getattr(word, "__name__", repr(word)) for word in words])
        made = f"MLP({sizes}, {written}, seed={seed})"
        return Network(vg.nn.MLP(sizes, *words, seed=seed), x, np.array(y), made)

    return networks()
