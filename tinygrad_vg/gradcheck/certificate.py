"""Node by node: each rule of a graph against finite differences of its own forward, and the wiring, exactly.

From end to end a deep network's gradient cannot be told from noise: in layer 1 of 24 it is 4e-18, while the loss rounds
at 1e-16. But by the chain rule that gradient is nothing but many local derivatives, multiplied along paths and added
up, and each *local* derivative is of ordinary size. So a gradient is right, at any depth, if

* every rule is right where it was applied: its answer to the cotangent g it was given is gᵀJ of its node. That is
  linear in g, so g is scaled by an exact power of two to about 1, and a finite difference of ⟨g, forward⟩ decides;
* the sweep joined them rightly: every rule called once, every cotangent the sum of what the consumers emitted. No
  tolerance there: the sum is repeated in the sweep's own order and compared bit for bit;
* no rule's answer depends on g but linearly: for 2g it is twice as large. (At the loss g is 1, and 1·J, J, 1·|1|·J are
  all the same.)

By induction from the loss backwards nothing else can go wrong, and whatever does go wrong has a place with a name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from tinygrad_vg.autodiff import backprop
from tinygrad_vg.checks import Array
from tinygrad_vg.gradcheck.check import RTOL, SAFETY, judge, summary
from tinygrad_vg.gradcheck.differences import Estimate, finite_difference
from tinygrad_vg.gradcheck.report import Finding, GradientMismatch, GradientReport, InputReport, Verdict
from tinygrad_vg.modes import no_grad
from tinygrad_vg.ops import Scattered, sum_to
from tinygrad_vg.tensor import Op, OpNode, Tensor

__all__ = ["certify_backward"]

PROBES = (2.0**-3, 2.0**-10)  # steps at which is looked which outputs move, and how much
COMPLEX_STEPS = (1e-20, 3e-20, 7e-21)
EXTREMES = 2  # of each kind: smallest, smallest but zero, largest, any


def certify_backward(
    loss: Tensor,
    *,
    raises: bool = True,
    seed: int = 0,
    kinks: bool = False,
    elementwise: int = 64,
    directions: int = 8,
    progress: Callable[[int, int], None] | None = None,
    _backprop: Callable[..., dict[Tensor, Any]] = backprop,
) -> GradientReport:
    """Check backward through the graph of `loss` node by node, by finite differences that work at any magnitude.

    Every rule's answer is compared with a finite difference of its own node's forward, every cotangent with the sum of
    what the consumers emitted. A failure names the guilty node: the op, the tensor, the argument, the path to the loss.

    Parameters
    ----------
    loss : Tensor
        A single number, as `Tensor.backward` takes it. The graph is not changed, no ``.grad`` is set; the values are
        those the nodes kept, so it may have been built before an update.
    raises : bool
        Raise if anything fails or stays unresolved.
    seed : int
        Of the random directions.
    kinks : bool
        Say True where kinks are expected: they pass if the gradient lies between the slopes on either side.
    elementwise : int
        Arguments of up to so many elements are checked element by element.
    directions : int
        Larger ones in so many random directions, and at their smallest and largest elements; the report says which.
    progress : callable, optional
        Called as ``progress(done, total)`` after every argument.

    Returns
    -------
    GradientReport
        One row for each argument of each node, with the node's `path` to the loss; `faults` has what is wrong with the
        wiring, `notes` what was not checked in full.

    Raises
    ------
    GradientMismatch
        An AssertionError with the report as its message.
    TypeError
        If `loss` is no Tensor.
    ValueError
        If it has several elements, is not finite, or nothing differentiable leads to it.

    Notes
    -----
    What it measures: *this* gradient, at these values and cotangents. When it lies:

    * A rule that is wrong elsewhere (at other signs, shapes, for other cotangents) is right here. Transposing a
      constant cotangent is no error in this graph.
    * A wrong *forward* is differentiated as it stands; compare values for that (`check_op`).
    * In a large argument the error of one element that is neither among the largest nor the smallest must show in a sum
      over all elements, where 1e-9 of the sum is the threshold.
    * A finite difference sees nothing finer than its steps. Where a forward is flat to the last digit, as σ is beyond
      z = 30, the complex step stands in, if the op says it is analytic and the two do not contradict each other; else
      the verdict is UNRESOLVED.

    Examples
    --------
    >>> x = Tensor([0.3, -1.2], name="x")
    >>> bool(certify_backward(np.sum(np.sin(x) * x)))
    True
    """
    _check_loss(loss)
    rng = np.random.default_rng(seed)
    graph = _Graph(loss)
    faults = _traced(graph, _backprop, None)
    graph.suppose_zero()
    edges = [edge for edge in graph.edges() if len(edge.calls) == 1]
    inputs = []
    with no_grad(), np.errstate(all="ignore"):
        faults += _stale(graph)
        for done, edge in enumerate(edges, start=1):
            inputs.append(_Check(graph, edge, rng, kinks).report(elementwise, directions))
            if progress is not None:
                progress(done, len(edges))
    faults += _doubled(graph, _backprop) + _plain(graph)
    notes = list(_notes(graph, inputs))
    graph.take_apart()
    report = GradientReport(tuple(inputs), seed, faults=tuple(faults), notes=tuple(notes))
    if raises and not report:
        raise GradientMismatch(report)
    return report


def _check_loss(loss: Any) -> None:
    if type(loss) is not Tensor:
        raise TypeError(
            f"certify_backward takes the loss, a Tensor, not {type(loss).__name__}; call the function first, on Tensors"
        )
    if loss.size != 1:
        raise ValueError(f"certify_backward: the loss has shape {loss.shape}; sum or average it to a single number")
    if not np.isfinite(loss.data).all():
        raise ValueError(f"certify_backward: the loss is {loss.item()}; a gradient needs a finite value")


# ------------------------------------------------------------------------------------- a copy of the graph, under watch


class _Call(NamedTuple):
    """One call of a rule: the cotangent it was given, what it emitted (fitted, or scattered), what it spoilt."""

    g: Array
    emitted: Any
    spoilt: bool


@dataclass(eq=False)
class _Edge:
    """One argument of one node, and every call of its rule (None: the op says there is no derivative)."""

    node: OpNode
    result: Tensor
    position: int
    parent: Tensor
    rule: Callable[..., Any] | None
    calls: list[_Call] = field(default_factory=list)

    def __call__(self, g: Any, out: Any, *args: Any, **params: Any) -> Any:
        """Stand in for the rule: call it, and note what went in and came out."""
        assert self.rule is not None
        writeable = [a for a in (g, *args) if isinstance(a, np.ndarray) and a.flags.writeable]
        before = [a.copy() for a in writeable]
        given = np.array(g)
        answer = self.rule(g, out, *args, **params)
        spoilt = not all([np.array_equal(a, b, equal_nan=_is_float(a)) for a, b in zip(writeable, before, strict=True)])
        self.calls.append(_Call(given, _kept(answer, self.parent), spoilt))
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


class _Graph:
    """A copy of a graph whose rules are watched; values, births and names are the original's.

    Only what cotangents can reach is copied: an argument without a rule is left as it is.
    """

    def __init__(self, loss: Tensor) -> None:
        originals = _ancestors(loss)
        copies: dict[Tensor, Tensor] = {}
        self.incoming: dict[Tensor, list[_Edge]] = {}  # for a result, the edges to its arguments
        self.consumers: dict[Tensor, list[_Edge]] = {}  # for an argument, the edges from results, in the sweep's order
        self.cut: list[_Edge] = []
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
        watches: list[_Edge | None] = []
        for i, (parent, rule) in enumerate(zip(inputs, rules, strict=True)):
            edge = _Edge(node, result, i, parent, rule) if type(parent) is Tensor else None
            if edge is not None:
                (self.incoming[result] if rule is not None else self.cut).append(edge)
            watches.append(edge if rule is not None else None)
        op = replace(node.op, vjps=_variadic(watches) if node.op.variadic else tuple(watches))
        return OpNode(op, inputs, node.values, node.params, node.scope, node.witness)

    def _ways(self) -> dict[Tensor, _Edge]:
        """For each tensor the edge that leads from it to the loss on the shortest way."""
        ways: dict[Tensor, _Edge] = {}
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

    def edges(self) -> Iterator[_Edge]:
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
            edge.calls = [_Call(beside[0], np.zeros_like(edge.parent.data), False)] if beside else []

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


def _variadic(watches: list[_Edge | None]) -> Callable[..., Any]:
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


def _traced(graph: _Graph, sweep: Callable[..., dict[Tensor, Any]], seed: float | None) -> list[str]:
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


def _step(graph: _Graph, tensor: Tensor, seen: list[tuple[Array, tuple[Any, ...]]]) -> Iterator[str]:
    """Whether a node was visited once, and the trace shows what its rules gave."""
    if len(seen) != 1:
        yield f"{graph.label(tensor)} was visited {len(seen)} times instead of once; path: {graph.path(tensor)}"
        return
    for edge in graph.incoming[tensor]:
        shown = seen[0][1][edge.position]
        if len(edge.calls) == 1 and (shown is None or not _same(shown, edge.dense())):
            yield (
                f"{graph.label(tensor)}: the cotangent emitted for {edge.argument}, {graph.label(edge.parent)}, is not "
                f"what the rule gave; path: {graph.path(tensor)}"
            )


def _doubled(graph: _Graph, sweep: Callable[..., dict[Tensor, Any]]) -> list[str]:
    """The same from a seed of 2: all cotangents must be twice as large, to the last bit but for underflow."""
    before = [(edge, edge.calls[0].g, edge.dense()) for edge in graph.edges() if edge.rule and edge.calls]
    faults = _traced(graph, sweep, 2.0)
    for edge, g, emitted in before:
        if len(edge.calls) != 1 or not _same(edge.calls[0].g, 2 * g):
            continue  # the fault is nearer to the loss
        twice = edge.dense()
        slack = 1e-12 * np.max(np.abs(emitted), initial=0) + g.size * np.finfo(g.dtype).smallest_subnormal
        if not np.allclose(twice, 2 * emitted, rtol=1e-9, atol=slack, equal_nan=True):
            faults.append(
                f"{graph.label(edge.result)}: the rule for {edge.argument}, {graph.label(edge.parent)}, is not linear "
                f"in the cotangent: for 2g it does not give twice as much; path: {graph.path(edge.result)}"
            )
    return [f"from a seed of 2: {fault}" for fault in faults]


def _plain(graph: _Graph) -> list[str]:
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


def _calls(graph: _Graph, tensor: Tensor, received: list[Array], seed: float, together: bool = False) -> Iterator[str]:
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
    wrong = [g for g in received if not _same(g, expected)]
    if wrong:
        yield _misjoined(graph, tensor, wrong[0], expected)


def _sum(consumers: list[_Edge], tensor: Tensor, together: bool) -> Array:
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


def _same(a: Array, b: Array) -> bool:
    return a.shape == b.shape and a.dtype == b.dtype and np.array_equal(a, b, equal_nan=True)


def _misjoined(graph: _Graph, tensor: Tensor, got: Array, expected: Array) -> str:
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


def _stale(graph: _Graph) -> list[str]:
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


# ----------------------------------------------------------------------------------------------------- a node's forward


@dataclass(frozen=True)
class _Line:
    """A straight line through an argument: ``move(s)`` is a point of it, at `start` the argument itself.

    Attributes
    ----------
    slope
        ⟨c, d⟩: the derivative along the line by backward, with its emitted cotangent c.
    size
        Σ|cᵢ||dᵢ|: how large the numbers are that are added up there.
    """

    start: float
    move: Callable[[float], Array]
    slope: float
    size: float
    unit: float = 1.0


class _Check:
    """The check of one edge: ⟨g, forward(… x + s·d …)⟩ around s = 0 against ⟨c, d⟩, for many d.

    g is the incoming cotangent and c the emitted one, both scaled by the same power of two, so that the largest |gⱼ| is
    about 1 and no digit changes.
    """

    def __init__(self, graph: _Graph, edge: _Edge, rng: np.random.Generator, kinks: bool) -> None:
        self.edge, self.rng, self.kinks = edge, rng, kinks
        self.name = f"{graph.label(edge.result)}, {edge.argument} = {graph.label(edge.parent)}"
        self.path = graph.path(edge.result)
        self.op: Op = edge.node.op
        self.values = [_as_float64(v) for v in edge.node.values]
        self.x = self.values[edge.position]
        incoming = np.asarray(edge.calls[0].g, np.float64)
        self.exponent = math.frexp(float(np.max(np.abs(incoming), initial=0.0)))[1]
        g = np.ldexp(incoming, -self.exponent).ravel()
        self.c = np.ldexp(edge.dense().astype(np.float64), -self.exponent)
        self.live = np.flatnonzero(g)  # outputs that do not matter may do what they like, even be infinite
        self.g = g[self.live]
        self.base = self.outputs(self.x)
        kind = np.finfo(edge.parent.dtype)
        self.rtol = RTOL if kind.bits == 64 else 64 * float(kind.eps)
        self.faint = math.ldexp(float(np.sum(np.abs(self.g))), -1050)  # outputs beyond have lost digits to underflow
        self.underflow = math.ldexp(float(kind.smallest_subnormal) * max(1, g.size), -self.exponent)

    def report(self, elementwise: int, directions: int) -> InputReport:
        """The findings on this argument: all elements, or random directions and the extreme elements."""
        if self.x.size <= elementwise:
            where = list(np.ndindex(self.x.shape))
            findings = [self.element(index) for index in where]
            how = "every element"
        else:
            where = self.extremes()
            findings = [self.direction(k) for k in range(directions)] + [self.element(index) for index in where]
            how = f"{directions} directions and the elements {', '.join([str(list(index)) for index in where])}"
        found = summary(self.name, self.x.shape, [self.unscaled(finding) for finding in findings])
        return replace(found, path=self.path, how=how)

    def unscaled(self, finding: Finding) -> Finding:
        """A finding in the gradient's own size."""

        def back(value: float) -> float:
            return math.ldexp(value, self.exponent) if math.isfinite(value) else value

        return replace(
            finding,
            backward=back(finding.backward),
            numerical=back(finding.numerical),
            bound=back(finding.bound),
            tolerance=back(finding.tolerance),
            slopes=finding.slopes and (back(finding.slopes[0]), back(finding.slopes[1])),
        )

    # Where to look.

    def extremes(self) -> list[tuple[int, ...]]:
        """The elements with the smallest and the largest |c|, and some others."""
        ranked = np.argsort(np.abs(self.c), axis=None, kind="stable")
        moving = ranked[np.count_nonzero(self.c == 0) :]
        chosen = [*ranked[:EXTREMES], *moving[:EXTREMES], *ranked[-EXTREMES:]]
        chosen += self.rng.choice(self.c.size, EXTREMES, replace=False).tolist()
        return [tuple(map(int, np.unravel_index(k, self.c.shape))) for k in dict.fromkeys(map(int, chosen))]

    def element(self, index: tuple[int, ...]) -> Finding:
        """One element: in its own units, then, where that cannot tell, in finer ones."""
        x, c = float(self.x[index]), float(self.c[index])

        def line(unit: float, start: float, at: Callable[[float], float]) -> _Line:
            def move(s: float) -> Array:
                moved: Array = self.x.copy()
                moved[index] = at(s)
                return moved

            return _Line(start, move, c * unit, abs(c * unit), unit)

        lines = [line(1.0, x, lambda s: s)]
        if 0 < abs(x) < 1:
            unit = 2.0 ** math.floor(math.log2(abs(x)))
            lines.append(line(unit, x / unit, lambda s: s * unit))  # exact: a power of two
        lines.append(line(2.0**-10, 0.0, lambda s: x + s * 2.0**-10))
        one = np.zeros_like(self.x)
        one[index] = 1
        return replace(self.along(lines, one), index=index)

    def direction(self, k: int) -> Finding:
        """A random direction whose weights spread over decades, so that no element hides behind larger ones.

        Every other direction favours elements in which the gradient is small.
        """
        weights = self.rng.choice([-1.0, 1.0], self.x.shape) * 10 ** self.rng.uniform(-3, 0, self.x.shape)
        if k % 2:
            size = np.abs(np.nan_to_num(self.c))
            largest = np.max(size)
            weights /= np.where(size > 0, np.maximum(size, 1e-6 * largest), largest) / largest if largest else 1.0
            weights /= np.max(np.abs(weights))
        ds = [weights, weights * np.abs(self.x), weights * 2.0**-10]
        lines = [_Line(0.0, self.towards(d), *_dot(self.c, d)) for d in ds]
        return self.along(lines, weights)

    def towards(self, d: Array) -> Callable[[float], Array]:
        """The straight way from the argument in the direction `d`."""
        origin: Array = self.x
        return lambda s: np.asarray(origin + s * d)

    # What is there.

    def outputs(self, x: Array) -> Array:
        """The forward with `x` for the argument, as a flat array of the outputs that matter."""
        values = [x if i == self.edge.position else v for i, v in enumerate(self.values)]
        y: Array = np.asarray(self.op.forward(*values, **self.edge.node.params)).ravel()[self.live]
        wide: Array = y if y.dtype.kind == "c" else y.astype(np.float64, copy=False)
        return wide

    def change(self, x: Array) -> Array:
        """How far the outputs move; exactly 0 where they do not, so that the others' rounding is not added in."""
        y = self.outputs(x)
        return np.where(y == self.base, 0.0, y - self.base)

    def along(self, lines: list[_Line], d: Array) -> Finding:
        """The finding on the first line where finite differences can tell; else by the complex step, if they agree."""
        first: Finding | None = None
        for line in lines:
            finding = self.compare(line)
            if finding.verdict in (Verdict.PASS, Verdict.ZERO, Verdict.FAIL) and finding.slopes is None:
                return finding
            first = first or finding
        assert first is not None
        if first.verdict is Verdict.UNRESOLVED and self.op.analytic:
            exact, scale = self.complex_step(d)
            if exact is not None and abs(exact.value - first.numerical) <= SAFETY * first.bound:
                return self.judged(*_dot(self.c, d), exact, scale)
        if first.verdict is Verdict.KINK and self.kinks:
            return replace(first, verdict=Verdict.PASS)
        return first

    def compare(self, line: _Line) -> Finding:
        """Backward's slope along a line against the finite difference, in units of the argument."""
        unit = max(1.0, abs(line.start))
        changes = [self.change(line.move(line.start + sign * h * unit)) for h in PROBES for sign in (1, -1)]
        moving = np.any([change != 0 for change in changes], axis=0)
        floor = float(np.sum(np.abs(self.g * self.base)[moving & np.isfinite(self.base)]))
        scale = float(np.sum(np.abs(self.g) * np.abs(changes[2] - changes[3]))) / (2 * PROBES[1] * unit)
        lift = _exponent([floor, *[np.sum(np.abs(self.g * change)) for change in changes]])
        still = True

        def phi(s: float) -> float:
            nonlocal still
            change = self.change(line.move(s))
            still = still and not change.any()
            return float(np.ldexp(floor + self.g @ change, -lift))  # as large as its parts, so is its rounding

        estimate = _lifted(finite_difference(phi, line.start), lift)
        kink = estimate.kink and max(abs(estimate.left), abs(estimate.right)) > self.faint
        estimate = estimate._replace(bound=estimate.bound + self.faint, kink=kink)
        still = still and not moving.any()
        if not moving.any():  # flat to the last digit: what moves less than that cannot be seen
            unseen = (
                np.finfo(np.float64).eps * float(np.sum(np.abs(self.g * np.nan_to_num(self.base)))) / (PROBES[0] * unit)
            )
            estimate = estimate._replace(bound=max(estimate.bound, unseen))
        if line.slope == 0 and not estimate.kink and not still:
            still = self.even(line)  # x² at 0: the slopes of both sides cancel exactly
        finding = self.judged(line.slope, line.size, estimate._replace(still=still), scale)
        return _in_units(finding, line.unit)

    def even(self, line: _Line) -> bool:
        """Whether the outputs change alike to the last bit on both sides, at every step that is looked at."""
        steps = [2.0**-k for k in range(3, 20)]
        return all(
            [_same(self.change(line.move(line.start + h)), self.change(line.move(line.start - h))) for h in steps]
        )

    def judged(self, slope: float, size: float, estimate: Estimate, scale: float) -> Finding:
        """The verdict; backward's rounding is relative to the numbers it added up, not to what is left of them."""
        scale = max(size, abs(estimate.value), scale if math.isfinite(scale) else 0.0)
        finding = judge((), slope, estimate, scale * self.rtol / RTOL)
        if math.isfinite(slope) and not math.isfinite(estimate.value + estimate.bound):
            return replace(finding, verdict=Verdict.UNRESOLVED)
        cancels = finding.verdict is Verdict.UNRESOLVED and SAFETY * estimate.bound <= self.rtol * scale
        off = abs(slope - estimate.value)
        tiny = (
            finding.verdict is not Verdict.KINK
            and off <= SAFETY * self.underflow
            and estimate.bound <= self.underflow + self.faint
        )
        if cancels or (tiny and finding.verdict is not Verdict.ZERO):
            # As near as backward's rounding lets it come: to the numbers it added up, or to the smallest there are.
            return replace(finding, verdict=Verdict.PASS)
        return finding

    def complex_step(self, d: Array) -> tuple[Estimate | None, float]:
        """Im⟨g, forward(x + ihd)⟩/h for tiny h, and Σⱼ|gⱼ||Jⱼd|; no difference is taken, so no digit is lost.

        None where the forward takes no complex numbers.
        """
        slopes = []
        for h in COMPLEX_STEPS:
            try:
                slopes.append(self.g * np.imag(self.outputs(self.x + 1j * h * d)) / h)
            except (TypeError, ValueError):
                return None, 0.0
        values = [float(np.sum(s)) for s in slopes]
        scale = float(np.sum(np.abs(slopes[0])))
        rounding = 16 * float(np.finfo(np.float64).eps) * scale
        bound = max(values) - min(values) + rounding + self.faint / min(COMPLEX_STEPS)
        if not math.isfinite(bound):
            return None, 0.0
        return Estimate(values[0], bound, False, False, values[0], values[0]), scale


def _as_float64(value: Any) -> Any:
    """Floats in double precision, which sees the errors of single precision; anything else as it is."""
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind == "f":
        return np.asarray(value, np.float64)
    return value


def _dot(c: Array, d: Array) -> tuple[float, float]:
    """⟨c, d⟩ and Σ|cᵢ||dᵢ|."""
    return float(np.sum(c * d)), float(np.sum(np.abs(c * d)))


def _exponent(sizes: list[Any]) -> int:
    """The power of two of the largest finite number; dividing by it changes no digit."""
    return math.frexp(max([float(size) for size in sizes if math.isfinite(size)], default=0.0))[1]


def _lifted(estimate: Estimate, exponent: int) -> Estimate:
    """An estimate times a power of two."""
    value, bound, left, right = [
        float(np.ldexp(part, exponent)) for part in (estimate.value, estimate.bound, estimate.left, estimate.right)
    ]
    return estimate._replace(value=value, bound=bound, left=left, right=right)


def _in_units(finding: Finding, unit: float) -> Finding:
    slopes = finding.slopes and (finding.slopes[0] / unit, finding.slopes[1] / unit)
    return replace(
        finding,
        backward=finding.backward / unit,
        numerical=finding.numerical / unit,
        bound=finding.bound / unit,
        tolerance=finding.tolerance / unit,
        slopes=slopes,
    )


# ------------------------------------------------------------------------------------------------------------ the notes


def _notes(graph: _Graph, inputs: list[InputReport]) -> Iterator[str]:
    """What the certificate does not cover in full."""
    for r in inputs:
        if r.how != "every element":
            yield f"{r.name}: {r.how}"
    for edge in graph.cut:
        if graph.incoming[edge.result]:
            continue  # checked to have derivative 0
        yield (
            f"{graph.label(edge.result)} has no rule for {edge.argument}, {edge.parent.label()}: no gradient flows "
            "there; that was not checked"
        )
