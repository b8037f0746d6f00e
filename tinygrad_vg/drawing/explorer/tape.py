"""A graph of single numbers, forwards and backwards, as one list of steps that can be run again with other numbers.

The page of `explore` has sliders, so it computes in JavaScript. It needs no derivatives for that: a recorded sweep
gives every gradient as a graph of the table's own operations, and the rules on one edge, run from 1, give its local
derivative as another. All of it is flattened here into steps ``(operation, slots)``; whoever runs them needs forwards
only.

The sweep runs over a copy of the graph, built anew from the numbers it was computed from: parameters may have been
updated since. In this copy, what a rule only asks (``x > 0`` in relu′) is recorded too, or the answer would be that of
the numbers in the picture for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

import numpy as np

from tinygrad_vg import ops
from tinygrad_vg.autodiff import backprop
from tinygrad_vg.checks import Array
from tinygrad_vg.drawing.model import Ancestry, Edge, Model, Node
from tinygrad_vg.modes import state
from tinygrad_vg.nn import losses
from tinygrad_vg.tensor import PLAIN, RULES, Op, OpNode, Tensor, apply, question

__all__ = ["NoTapeError", "Recording", "Tape"]

# What these do to a single number is nothing; the steps leave them away.
_SAME = frozenset(
    ["identity", "positive", "stop_gradient", "cast", "getitem"]
    + ["sum", "mean", "max", "min", "prod", "cumsum", "logsumexp", "concatenate", "scatter"]
    + ["reshape", "ravel", "squeeze", "expand_dims", "transpose", "swapaxes", "moveaxis", "broadcast_to"]
    + ["flip", "roll", "tile"]
)
# A single number is a matrix, too.
_MEANS = {"matmul": "multiply", "scatter": "add"}


class NoTapeError(ValueError):
    """A graph cannot be run again with other numbers; the message is a sentence for the reader of the page."""


@cache
def _table() -> Mapping[Callable[..., Any], str]:
    """The table's forwards and what they are called; a user's own op of the same name is not among them."""
    rows = [getattr(f, "op", None) for f in [*RULES.values(), *vars(ops).values(), *vars(losses).values()]]
    return {row.forward: row.name for row in rows if isinstance(row, Op)}


def _name_of(op: Op) -> str | None:
    """What the steps call an op; None if it is neither the table's nor a question."""
    asked = getattr(np, op.name, None)
    if asked in PLAIN and isinstance(asked, np.ufunc) and op is question(asked):
        return op.name
    return _table().get(op.forward)


class Recording:
    """A copy of a graph with its gradients and local derivatives, as Tensors.

    Parameters
    ----------
    model : Model
        A picture of the graph.

    Attributes
    ----------
    value, grad
        For each node with a Tensor, its copy and the copy's gradient; None where it has none.
    local
        For each edge its local derivative; None where no gradient passes.

    Raises
    ------
    NoTapeError
        If there are arrays in it, numbers of another precision, or a variable that changed while the graph was built.
    """

    def __init__(self, model: Model) -> None:
        self.copies: dict[Tensor, Tensor] = {}
        nodes = {node: node.tensor for node in model.nodes if node.tensor is not None}
        self._names = {t: node.expr.text for node, t in nodes.items()}
        with state(recording=True, nested=False, anomaly=False, questions=True), np.errstate(all="ignore"):
            try:
                self._copy(model.ancestry)
                grads = backprop(self.copies[model.ancestry.root], create_graph=True)
                self.local = {edge: self._local(edge) for edge in model.edges}
            except NoTapeError:
                raise
            except Exception as error:  # whatever a user's rule does when it meets Tensors
                raise NoTapeError(f"the derivative cannot be recorded ({error})") from error
        self.value = {node: self.copies[t] for node, t in nodes.items()}
        self.grad: dict[Node, Tensor | None] = {node: grads.get(copy) for node, copy in self.value.items()}

    def _copy(self, ancestry: Ancestry) -> None:
        used = self._leaf_values(ancestry)
        for t in ancestry.tensors:
            if t.node is None:
                self.copies[t] = Tensor(used.get(t, t._array))
                _check_number(self._name(t), self.copies[t]._array)
                continue
            for given, value in zip(t.node.inputs, t.node.values, strict=True):
                if type(given) is not Tensor:
                    _check_number(f"an argument of {t.node.op.name}", value)
            args = tuple([self.copies[a] if type(a) is Tensor else a for a in t.node.inputs])
            self.copies[t] = apply(t.node.op, args, t.node.params)
            _check_number(self._name(t), self.copies[t]._array)

    def _name(self, t: Tensor) -> str:
        """As in the picture, in quotes; else what made it."""
        return repr(self._names[t]) if t in self._names else t.label()

    def _leaf_values(self, ancestry: Ancestry) -> dict[Tensor, Array]:
        """The number each leaf had when the graph was built."""
        used: dict[Tensor, Array] = {}
        for t in ancestry.tensors:
            if t.node is not None:
                for given, value in zip(t.node.inputs, t.node.values, strict=True):
                    if type(given) is Tensor and given.node is None:
                        before = used.setdefault(given, value)
                        if before is not value and not np.array_equal(before, value, equal_nan=True):
                            raise NoTapeError(f"{self._name(given)} was updated while the graph was being built")
        return used

    def _local(self, edge: Edge) -> Tensor | None:
        """The derivative of the edge's target by its source, along this edge: the rules on it, run from 1."""
        if edge.cut:
            return None
        g: Any = Tensor(np.ones(edge.target.value.shape))
        for t, i in edge.steps:
            assert t.node is not None
            args = [self.copies[a] if type(a) is Tensor else a for a in t.node._variables()]
            rule = t.node.op.rules(len(args))[i]
            assert rule is not None  # else the edge is cut
            g = rule(g, self.copies[t], *args, **t.node.params)
            g = np.reshape(g.g if type(g) is ops.Scattered else g, args[i].shape)
        return Tensor(g) if type(g) is not Tensor else g


def _check_number(what: str, value: Any) -> None:
    if np.size(value) != 1:
        raise NoTapeError(
            f"there are arrays in this graph ({what} of shape {np.shape(value)}), not only single numbers"
        )
    if getattr(value, "dtype", np.dtype(float)) == np.float32:
        raise NoTapeError(f"{what} is float32, and the page computes in float64")


class Tape:
    """Numbers in slots, and the steps that compute further ones.

    Parameters
    ----------
    known : collection of str
        The operations that whoever runs the steps can compute.

    Attributes
    ----------
    constants
        The numbers of the first slots.
    leaves
        The slots that are variables.
    steps
        (operation, slots of the arguments); each makes the next slot, after those of the constants.
    """

    def __init__(self, known: Iterable[str] = ()) -> None:
        self.known = frozenset(known)
        self.constants: list[float] = []
        self.leaves: list[int] = []
        self.steps: list[tuple[str, tuple[int, ...]]] = []
        self._numbers: dict[str, int] = {}
        self._made: dict[tuple[str, tuple[int, ...]], int] = {}

    def number(self, value: Any) -> int:
        """The slot of a constant number."""
        x = float(np.asarray(value).item())
        if repr(x) not in self._numbers:
            self._numbers[repr(x)] = self._next(x)
        return self._numbers[repr(x)]

    def _next(self, x: float) -> int:
        assert not self.steps, "constants come before steps"
        self.constants.append(x)
        return len(self.constants) - 1

    def record(self, leaves: Iterable[Tensor], wanted: Iterable[Tensor]) -> dict[Tensor, int]:
        """Flatten the graphs behind `wanted`.

        Parameters
        ----------
        leaves : iterable of Tensor
            The variables; all other leaves are constants.
        wanted : iterable of Tensor
            What is to be computed.

        Returns
        -------
        dict
            The slot of each Tensor in these graphs.

        Raises
        ------
        NoTapeError
            If there is an operation that is not in the table, or not `known`.
        """
        slots: dict[Tensor, int] = {}
        for leaf in leaves:
            slots[leaf] = self._next(leaf.item())
            self.leaves.append(slots[leaf])
        found = _ancestors(wanted)
        constants: dict[int, int] = {}  # of arguments that are no Tensors, by identity
        for t in found:
            if t.node is None:
                slots.setdefault(t, -1)
                if slots[t] < 0:
                    slots[t] = self.number(t._array)
            else:
                for a in t.node.inputs:
                    if type(a) is not Tensor:
                        constants[id(a)] = self._constant(t.node, a)
        for t in found:
            if t.node is not None:
                args = tuple([slots[a] if type(a) is Tensor else constants[id(a)] for a in t.node.inputs])
                slots[t] = self._step(t, t.node, args)
        return slots

    def _constant(self, node: OpNode, a: Any) -> int:
        try:
            return self.number(a)
        except (TypeError, ValueError):
            raise NoTapeError(f"an argument of {node.op.name} is no single number") from None

    def _step(self, t: Tensor, node: OpNode, args: tuple[int, ...]) -> int:
        """The slot of an operation's result; equal operations on equal arguments are done once."""
        name = _name_of(node.op)
        if t.size != 1:
            raise NoTapeError(f"{node.op.name} makes an array of shape {t.shape}")
        if t.dtype != np.float64:
            raise NoTapeError(f"{node.op.name} gives float32, and the page computes in float64")
        if name in _SAME and len(args) == 1:
            return args[0]
        name = _MEANS.get(name or "", name)
        if name is None or name not in self.known or (name == "add" and len(args) != 2):
            raise NoTapeError(f"there is no JavaScript forward for {node.op.name}")
        key = (name, args)
        if key not in self._made:
            self.steps.append(key)
            self._made[key] = len(self.constants) + len(self.steps) - 1
        return self._made[key]


def _ancestors(roots: Iterable[Tensor]) -> list[Tensor]:
    """All that these were computed from, and themselves, oldest first."""
    found, stack = set(roots), list(roots)
    while stack:
        node = stack.pop().node
        for a in node.inputs if node is not None else ():
            if type(a) is Tensor and a not in found:
                found.add(a)
                stack.append(a)
    return sorted(found, key=lambda t: t.birth)
