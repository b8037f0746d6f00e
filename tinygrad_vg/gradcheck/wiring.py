"""The wiring of a sweep, exactly: a copy of a graph whose rules are watched, and what the sweep does with it.

Nothing here has a tolerance for rounding: floating-point addition is deterministic, so the cotangent of a tensor is the
sum of what its consumers emitted *bit for bit* if it is added up in the same order, and twice the seed gives twice of
everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from tinygrad_vg.checks import Array
from tinygrad_vg.ops import Scattered, sum_to
from tinygrad_vg.tensor import OpNode, Tensor

__all__ = [
    "Call",
    "Edge",
    "Watch",
    "changed_forwards",
    "faults_at_seed_2",
    "faults_of_backward",
    "faults_of_sweep",
    "same",
]


# ------------------------------------------------------------------------------------- a copy of the graph, under watch


class Call(NamedTuple):
    """One call of a rule: the cotangent it was given, what it emitted (fitted, or scattered), what it spoilt."""

    g: Array
    emitted: Any
    spoilt: bool


@dataclass(eq=False)
class Edge:
    """One argument of one node, and every call of its rule (None: the op says there is no derivative)."""

    node: OpNode
    result: Tensor
    position: int
    parent: Tensor
    rule: Callable[..., Any] | None
    calls: list[Call] = field(default_factory=list)

    def __call__(self, g: Any, out: Any, *args: Any, **params: Any) -> Any:
        """Stand in for the rule: call it, and note what went in and came out."""
        assert self.rule is not None
        locked = isinstance(g, np.ndarray) and g.base is None and not g.flags.writeable
        if locked:
            g.setflags(write=True)  # the sweep locks it; here a rule that writes into it is to be found
        writeable = [a for a in (g, *args) if isinstance(a, np.ndarray) and a.flags.writeable]
        before = [a.copy() for a in writeable]
        given = np.array(g)
        answer = self.rule(g, out, *args, **params)
        spoilt = not all([np.array_equal(a, b, equal_nan=_is_float(a)) for a, b in zip(writeable, before, strict=True)])
        if locked:
            g.setflags(write=False)
        self.calls.append(Call(given, _kept(answer, self.parent), spoilt))
        return answer

    def dense(self) -> Array:
        """What it emitted, as an array of the argument's shape."""
        emitted = self.calls[0].emitted
        return _gathered([emitted], self.parent) if type(emitted) is Scattered else np.asarray(emitted)

    @property
    def argument(self) -> str:
        """The name of the argument in the op's forward."""
        variadic = self.node.op.variadic or self.position >= len(self.node.op.names)
        return f"argument {self.position + 1}" if variadic else f"argument {self.node.op.names[self.position]}"


def _is_float(a: Array) -> bool:
    return a.dtype.kind in "fc"


def _kept(answer: Any, parent: Tensor) -> Any:
    """A copy of a rule's answer, in the shape and dtype of the argument: the sweep may go on to change the original."""
    if type(answer) is Scattered:
        return Scattered(np.array(answer.g), answer.index)
    if not hasattr(answer, "dtype") and not isinstance(answer, int | float):
        return answer  # which the sweep will refuse
    array = answer if hasattr(answer, "dtype") else np.asarray(answer, parent.dtype)
    if array.shape != parent.shape and array.ndim >= parent.ndim:
        array = sum_to(array, parent.shape)
    return np.array(array, parent.dtype)


def _gathered(pieces: list[Scattered], tensor: Tensor) -> Array:
    """Scattered pieces added into one array, one after the other."""
    total = np.zeros(tensor.shape, np.result_type(*[piece.g for piece in pieces]))
    for piece in pieces:
        np.add.at(total, piece.index, piece.g)
    return total.astype(tensor.dtype, copy=False)


class Watch:
    """A copy of a graph whose rules are watched; values, births and names are the original's.

    Only what cotangents can reach is copied: an argument without a rule is left as it is.
    """

    def __init__(self, loss: Tensor) -> None:
        originals = _ancestors(loss)
        copies: dict[Tensor, Tensor] = {}
        self.incoming: dict[Tensor, list[Edge]] = {}  # for a result, the edges to its arguments
        self.consumers: dict[Tensor, list[Edge]] = {}  # for an argument, the edges from results, in the sweep's order
        self.cut: list[Edge] = []
        for tensor in reversed(originals):
            copies[tensor] = self._copy(tensor, copies)
        self.order = [copies[tensor] for tensor in originals]  # youngest first, as the sweep goes
        self.root = self.order[0]
        for tensor in self.order:
            for edge in self.incoming[tensor]:
                self.consumers.setdefault(edge.parent, []).append(edge)
        if not self.consumers:
            raise ValueError("certify_backward: no operation with a derivative leads to this loss; nothing to check")
        nodes = [tensor for tensor in reversed(self.order) if tensor.node is not None]
        self._numbers = {tensor: f"{k} of {len(nodes)}" for k, tensor in enumerate(nodes, start=1)}
        self._next = self._ways()

    def _copy(self, original: Tensor, copies: dict[Tensor, Tensor]) -> Tensor:
        copy = Tensor.__new__(Tensor)
        copy._array, copy.name, copy.grad, copy.birth = original._array, original.name, None, original.birth
        copy.node = None
        self.incoming[copy] = []
        if original.node is not None:
            copy.node = self._watched(original.node, copy, copies)
        return copy

    def _watched(self, node: OpNode, result: Tensor, copies: dict[Tensor, Tensor]) -> OpNode:
        """The node with a watch on each rule."""
        rules = node.op.rules(len(node.inputs))
        inputs = tuple([copies.get(a, a) if type(a) is Tensor else a for a in node.inputs])
        watches: list[Edge | None] = []
        for i, (parent, rule) in enumerate(zip(inputs, rules, strict=True)):
            edge = Edge(node, result, i, parent, rule) if type(parent) is Tensor else None
            if edge is not None:
                (self.incoming[result] if rule is not None else self.cut).append(edge)
            watches.append(edge if rule is not None else None)
        op = replace(node.op, vjps=_variadic(watches) if node.op.variadic else tuple(watches))
        return OpNode(op, inputs, node.values, node.params, node.scope, node.witness)

    def _ways(self) -> dict[Tensor, Edge]:
        """For each tensor the edge that leads from it to the loss on the shortest way."""
        ways: dict[Tensor, Edge] = {}
        wave = [self.root]
        while wave:
            further = []
            for tensor in wave:
                for edge in self.incoming[tensor]:
                    if edge.parent not in ways:
                        ways[edge.parent] = edge
                        further.append(edge.parent)
            wave = further
        return ways

    def edges(self) -> Iterator[Edge]:
        """All edges, in the order in which the sweep calls their rules; last those that have none."""
        for tensor in self.order:
            yield from self.incoming[tensor]
        yield from self.cut

    def forget(self) -> None:
        """Forget all calls, before another sweep."""
        for edge in self.edges():
            edge.calls.clear()

    def take_apart(self) -> None:
        """Undo the reference cycles (node, op, watch, node), so that the copies die at once."""
        for tensor in self.order:
            tensor.node = None

    def suppose_zero(self) -> None:
        """Take an argument without a rule, beside others that have one, as claimed to have derivative 0.

        An op without any rule, such as `stop_gradient`, cuts the gradient on purpose.
        """
        for edge in self.cut:
            beside = [other.calls[0].g for other in self.incoming[edge.result] if other.calls]
            edge.calls = [Call(beside[0], np.zeros_like(edge.parent.data), False)] if beside else []

    def label(self, tensor: Tensor) -> str:
        """What it is called in the report: scope, op, name, and its number among the nodes, inputs first."""
        if tensor.node is None or tensor not in self._numbers:  # a leaf, or out of reach
            return tensor.label()
        name = f" {tensor.name!r}" if tensor.name is not None else ""
        scope = "".join([f"{s}/" for s in tensor.node.scope])
        return f"{scope}{tensor.node.op.name}{name} (node {self._numbers[tensor]})"

    def path(self, tensor: Tensor) -> str:
        """The shortest way from a tensor to the loss; the middle of a long one is left out."""
        steps = [tensor]
        while steps[-1] in self._next:
            steps.append(self._next[steps[-1]].result)
        words = [_short(t) for t in steps]
        if len(words) > 9:
            words[5:-3] = [f"({len(words) - 8} more)"]
        return " → ".join(words)


def _short(tensor: Tensor) -> str:
    name = tensor.name or ("a leaf" if tensor.node is None else "")
    return " ".join([word for word in (tensor.node.op.name if tensor.node else "", name) if word])


def _variadic(watches: list[Edge | None]) -> Callable[..., Any]:
    """The watches of an op of any number of arguments as its one rule ``vjp(i, g, out, …)``."""

    def rule(i: int, *given: Any, **params: Any) -> Any:
        watch = watches[i]
        assert watch is not None
        return watch(*given, **params)

    return rule


def _ancestors(loss: Tensor) -> list[Tensor]:
    """Every tensor that cotangents reach, youngest first."""
    found, stack = {loss}, [loss]
    while stack:
        node = stack.pop().node
        if node is None:
            continue
        for parent, rule in zip(node.inputs, node.op.rules(len(node.inputs)), strict=True):
            if type(parent) is Tensor and rule is not None and parent not in found:
                found.add(parent)
                stack.append(parent)
    return sorted(found, key=lambda t: -t.birth)


# ----------------------------------------------------------------------------------------------------------- the wiring


def faults_of_sweep(graph: Watch, sweep: Callable[..., dict[Tensor, Any]], seed: float | None) -> list[str]:
    """Sweep with a trace; what is wrong with the wiring, in the order of the sweep, so that the guilty comes first."""
    steps: dict[int, list[tuple[Array, tuple[Any, ...]]]] = {}

    def trace(node: OpNode, incoming: Any, emitted: tuple[Any, ...]) -> None:
        copies = tuple([None if e is None else np.array(e) for e in emitted])
        steps.setdefault(id(node), []).append((np.array(incoming), copies))

    graph.forget()
    found = sweep(graph.root, seed, trace=trace)
    faults = []
    for tensor in graph.order:
        received = [np.asarray(found[tensor])] if tensor in found else []
        if not received:
            faults.append(f"{graph.label(tensor)} was given no cotangent; path: {graph.path(tensor)}")
        if tensor.node is not None:
            seen = steps.pop(id(tensor.node), [])
            received += [g for g, _ in seen]
            faults += _step(graph, tensor, seen)
        faults += _calls(graph, tensor, received, 1.0 if seed is None else seed)
    strangers = len(found.keys() - set(graph.order)) + len(steps)
    return faults + ([f"{strangers} tensors were visited that no cotangent can reach"] if strangers else [])


def _step(graph: Watch, tensor: Tensor, seen: list[tuple[Array, tuple[Any, ...]]]) -> Iterator[str]:
    """Whether a node was visited once, and the trace shows what its rules gave."""
    if len(seen) != 1:
        yield f"{graph.label(tensor)} was visited {len(seen)} times instead of once; path: {graph.path(tensor)}"
        return
    for edge in graph.incoming[tensor]:
        shown = seen[0][1][edge.position]
        if len(edge.calls) == 1 and (shown is None or not same(shown, edge.dense())):
            yield (
                f"{graph.label(tensor)}: the cotangent emitted for {edge.argument}, {graph.label(edge.parent)}, is not "
                f"what the rule gave; path: {graph.path(tensor)}"
            )


def faults_at_seed_2(graph: Watch, sweep: Callable[..., dict[Tensor, Any]]) -> list[str]:
    """The same from a seed of 2: all cotangents must be twice as large, to the last bit but for underflow."""
    before = [(edge, edge.calls[0].g, edge.dense()) for edge in graph.edges() if edge.rule and edge.calls]
    faults = faults_of_sweep(graph, sweep, 2.0)
    for edge, g, emitted in before:
        if len(edge.calls) != 1 or not same(edge.calls[0].g, 2 * g):
            continue  # the fault is nearer to the loss
        twice = edge.dense()
        slack = 1e-12 * np.max(np.abs(emitted), initial=0) + g.size * np.finfo(g.dtype).smallest_subnormal
        if not np.allclose(twice, 2 * emitted, rtol=1e-9, atol=slack, equal_nan=True):
            faults.append(
                f"{graph.label(edge.result)}: the rule for {edge.argument}, {graph.label(edge.parent)}, is not linear "
                f"in the cotangent: for 2g it does not give twice as much; path: {graph.path(edge.result)}"
            )
    return [f"from a seed of 2: {fault}" for fault in faults]


def faults_of_backward(graph: Watch) -> list[str]:
    """The same for ``loss.backward()``: no trace, slices gathered at the end, the gradients of the leaves in .grad."""
    graph.forget()
    graph.root.backward()
    faults = []
    for tensor in graph.order:
        received = [tensor.grad] if tensor.node is None and tensor.grad is not None else []
        if tensor.node is None and not received:
            faults.append(f"{graph.label(tensor)} was given no .grad; path: {graph.path(tensor)}")
        faults += _calls(graph, tensor, received, 1.0, together=True)
    return [f"in backward(): {fault}" for fault in faults]


def _calls(graph: Watch, tensor: Tensor, received: list[Array], seed: float, together: bool = False) -> Iterator[str]:
    """Whether each rule was called once, leaving its arguments alone, on the sum of what the consumers emitted."""
    for edge in graph.incoming[tensor]:
        if len(edge.calls) != 1:
            yield (
                f"{graph.label(tensor)}: the rule for {edge.argument}, {graph.label(edge.parent)}, was called "
                f"{len(edge.calls)} times instead of once; path: {graph.path(tensor)}"
            )
        if any([call.spoilt for call in edge.calls]):
            yield (
                f"{graph.label(tensor)}: the rule for {edge.argument} changes the cotangent or a constant it was "
                f"given; path: {graph.path(tensor)}"
            )
    consumers = graph.consumers.get(tensor, [])
    if not all([edge.calls for edge in consumers]):
        return  # said already, of the consumer
    at_root = tensor is graph.root
    expected = np.full(tensor.shape, seed, tensor.dtype) if at_root else _sum(consumers, tensor, together)
    received = received + [call.g for edge in graph.incoming[tensor] for call in edge.calls]
    wrong = [g for g in received if not same(g, expected)]
    if wrong:
        yield _misjoined(graph, tensor, wrong[0], expected)


def _sum(consumers: list[Edge], tensor: Tensor, together: bool) -> Array:
    """The sum of what the consumers emitted, rounded as the sweep rounds it.

    Youngest consumer first, its arguments from left to right, one addition after the other. What was emitted for slices
    is an array like the others if there is a trace to show it to; `together`, without one, all slices are added into
    one array, in that order too, which comes last. Floating-point addition is deterministic, so the sums are equal
    to the last bit if the order is.
    """
    total, scattered = None, []
    for edge in consumers:
        emitted = edge.calls[0].emitted if together else edge.dense()
        if type(emitted) is Scattered:
            scattered.append(emitted)
        else:
            total = emitted if total is None else total + emitted
    if scattered:
        whole = _gathered(scattered, tensor)
        total = whole if total is None else total + whole
    return np.asarray(total)


def same(a: Array, b: Array) -> bool:
    """Whether two arrays have the same shape, dtype and numbers, bit for bit but for the sign of 0."""
    return a.shape == b.shape and a.dtype == b.dtype and np.array_equal(a, b, equal_nan=True)


def _misjoined(graph: Watch, tensor: Tensor, got: Array, expected: Array) -> str:
    if tensor is graph.root:
        return f"the cotangent of the loss, {graph.label(tensor)}, is {got!s:.40} instead of the seed {expected!s:.40}"
    if (got.shape, got.dtype) != (expected.shape, expected.dtype):
        how = f"it has shape {got.shape}, dtype {got.dtype} instead of {expected.shape}, {expected.dtype}"
    else:
        at = np.unravel_index(int(np.argmax(np.abs(np.nan_to_num(got - expected)))), got.shape)
        how = f"it is {got[at]:.10e} instead of {expected[at]:.10e} at {tuple(map(int, at))}"
    emitters = ", ".join([f"{graph.label(edge.result)} ({edge.argument})" for edge in graph.consumers[tensor][:6]])
    return (
        f"the cotangent of {graph.label(tensor)} is not the sum of what its consumers emitted, {emitters}: {how}; "
        f"path: {graph.path(tensor)}"
    )


def changed_forwards(graph: Watch) -> list[str]:
    """Nodes whose forward no longer gives their result: then rules and differences look at other values than before."""
    faults = []
    for tensor in graph.order:
        if tensor.node is None:
            continue
        again = np.asarray(tensor.node.op.forward(*tensor.node.values, **tensor.node.params))
        slack = (1e-5 if tensor.dtype == np.float32 else 1e-9) * np.max(np.abs(tensor.data), initial=0.0)
        same = again.shape == tensor.shape and np.allclose(again, tensor.data, rtol=0, atol=slack, equal_nan=True)
        if not same and np.isfinite(slack):
            faults.append(
                f"{graph.label(tensor)}: its forward now gives another value than when the graph was built; a constant "
                f"array it used was changed, or it is not deterministic; path: {graph.path(tensor)}"
            )
    return faults
