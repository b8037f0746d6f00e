"""What ``draw`` and ``explain`` are about: the chain of neurons, a network, or an expression typed by the user."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_vg.commands.target import UsageError, near
from tinygrad_vg.drawing.model import Ancestry
from tinygrad_vg.expressions import ExpressionError, parse_expression, parse_value
from tinygrad_vg.lab import neuron_chain
from tinygrad_vg.nn import MLP
from tinygrad_vg.nn.losses import quadratic
from tinygrad_vg.tensor import Tensor

__all__ = ["Subject", "subject_of"]

SIZES = (4, 3, 2)


@dataclass(frozen=True)
class Subject:
    """A graph to be drawn or explained.

    Attributes
    ----------
    root
        Its end.
    told
        What must be said of its values, in lines: which are random; may be empty.
    """

    root: Tensor
    told: str = ""

    def tensor(self, name: str) -> Tensor:
        """The tensor of the graph with this name, for ``--wrt``; ``b₁`` is ``b1``."""
        plain = unicodedata.normalize("NFKC", name)
        if plain not in self.names:
            raise UsageError(f"--wrt {name}: there is no such name in it; it has {self.list_of_names()}")
        return self.names[plain]

    @property
    def names(self) -> dict[str, Tensor]:
        """The named tensors, leaves first."""
        named = [t for t in Ancestry(self.root).tensors if t.name]
        return {t.name or "": t for t in sorted(named, key=lambda t: t.node is not None)}

    def list_of_names(self) -> str:
        """The names, for messages."""
        names = list(self.names)
        return ", ".join(names[:40]) + (f" and {len(names) - 40} more" if len(names) > 40 else "")


def subject_of(target: str, settings: Sequence[str], seed: int | None, sizes: str | None) -> Subject:
    """Build ``chain``, ``mlp``, or the graph of an expression.

    Parameters
    ----------
    target : str
        The first argument of the command.
    settings : sequence of str
        ``name=value`` each.
    seed : int or None
        Of all that is random; None: 0, and for the chain the weights of its example.
    sizes : str or None
        Of the layers of the network, such as ``"4,3,2"``.

    Raises
    ------
    UsageError, ExpressionError
        For a value, a name or a text that is none, and for sizes of what has no layers.
    """
    given = _values(settings)
    if sizes is not None and target != "mlp":
        raise UsageError(f"--sizes {sizes}: only mlp has layers; write draw mlp --sizes {sizes}")
    if target == "chain":
        return _chain(given, seed)
    if target == "mlp":
        return _network(given, seed or 0, SIZES if sizes is None else _sizes(sizes))
    if target.strip().isidentifier() and unicodedata.normalize("NFKC", target.strip()) not in given:
        raise UsageError(_lone(target.strip()))
    found = parse_expression(target, given, seed=seed or 0)
    if not found.drawn:
        return Subject(found.root)
    values = {name: found.tensors[name].item() for name in found.drawn}
    told = ", ".join([f"{name} = {value:g}" for name, value in values.items()])
    return Subject(found.root, f"Random values (--seed {seed or 0}): {told}\nSet your own: --set {found.drawn[0]}=…")


def _lone(name: str) -> str:
    """What is said of a single name, which is more likely a typo than a graph of one variable."""
    meant = near(name, ("chain", "mlp"))
    cure = f"did you mean {' or '.join(meant)}?" if meant else "give chain, mlp or an expression such as 'w*x + b'"
    return f"{name}: a name alone is nothing to compute; {cure}"


def _values(settings: Sequence[str]) -> dict[str, Any]:
    """``["w=0.5", "x=[1, 2]"]`` as names and values."""
    values: dict[str, Any] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        name = unicodedata.normalize("NFKC", name.strip())
        if not equals or not name:
            raise UsageError(f"--set {setting}: give a name and a value, such as --set w=0.5")
        if name in values:
            raise UsageError(f"--set {setting}: {name} has been given a value already")
        try:
            values[name] = parse_value(value)
        except ExpressionError as error:
            raise UsageError(f"--set {setting}: {error}") from None
    return values


def _sizes(text: str) -> list[int]:
    try:
        sizes = [int(part) for part in text.split(",")]
    except ValueError:
        sizes = []
    if len(sizes) < 2 or min(sizes) < 1 or max(sizes) > 1000 or len(sizes) > 12:
        raise UsageError(f"--sizes {text}: give 2 to 12 layer sizes from 1 to 1000, inputs first, such as 4,3,2")
    return sizes


# ------------------------------------------------------------------------------------------------------------- chapter


def _chain(values: dict[str, Any], seed: int | None) -> Subject:
    """Four neurons in a row: the example of the chapter, or with a seed weights and biases of N(0, 1)."""
    given: dict[str, Any] = {"w": [0.8, -0.6, 0.9, -0.4], "b": [0.1, -0.2, 0.3, 0.05], "a": [0.7], "y": [0.0]}
    told = ""
    if seed is not None:
        rng = np.random.default_rng(seed)
        given["w"], given["b"] = rng.standard_normal(4).tolist(), rng.standard_normal(4).tolist()
        told = f"Weights and biases from N(0, 1) (--seed {seed})\nSet your own: --set w1=…"
    places = {f"{k}{j}": (k, j - 1) for k in "wb" for j in range(1, 5)} | {"a0": ("a", 0), "y": ("y", 0)}
    for name, value in values.items():
        if name not in places or not isinstance(value, float):
            raise UsageError(f"--set {name}: the chain has the numbers {', '.join(places)}")
        letter, j = places[name]
        given[letter][j] = value
    chain = neuron_chain(given["w"], given["b"], given["a"][0], given["y"][0])
    return Subject(chain.cost, told)


def _network(values: dict[str, Any], seed: int, sizes: Sequence[int]) -> Subject:
    """A sigmoid network with the quadratic cost on one random input."""
    rng = np.random.default_rng(seed)
    mlp = MLP(sizes, seed=rng)
    parameters = {p.name: p for p in mlp.parameters()}
    for name, value in values.items():
        if name not in parameters:
            raise UsageError(f"--set {name}: the network has the parameters {', '.join(parameters)}")
        try:
            parameters[name].update(value)
        except (TypeError, ValueError) as error:
            raise UsageError(f"--set {name}: {error}") from None
    x, y = rng.random((1, sizes[0])), rng.integers(0, sizes[-1], 1)
    told = f"The input, its label and the weights are random (--seed {seed})"
    return Subject(quadratic(mlp(x), y).named("C"), told)
