"""The paths from a variable to the root: how many, what they add up to, the largest, and where they end early.

Paths can be exponentially many. Their number and their sum come from one walk over the graph each; the largest few by
magnitude are found by deviation: the best path, then the best that leaves it at some node, and so on. Each costs no
more than its own length.
"""

from __future__ import annotations

import heapq
import math
from typing import Any, NamedTuple

import numpy as np

from tinygrad_vg.drawing.model import Edge, Model, Node
from tinygrad_vg.tensor import Tensor

__all__ = ["COUNT_LIMIT", "Paths", "cuts_of"]

COUNT_LIMIT = 10**18
"""Paths are counted up to here; exact counts of deep graphs have thousands of digits."""

SHOWN_CUTS = 5
BOOLEANS = "the booleans in "


class Paths:
    """All paths from a node to the root of a model.

    Attributes
    ----------
    of_arrays
        Whether there are arrays on the way, so that a factor is a matrix and no number.
    ways
        The edges by which each node reaches the root, the one with the largest product first; with arrays, the one
        that carries the largest share of the cotangent.
    count, total
        The number of paths from each node to the root, at most `COUNT_LIMIT`, and the sum of their products.
    """

    def __init__(self, model: Model, start: Node) -> None:
        self.model, self.start = model, start
        below = _reachable(start)
        self.order = [node for node in reversed(model.nodes) if node in below]  # the root first
        self.ways = {node: [e for e in node.outputs if not e.cut] for node in self.order}
        self.of_arrays = any([e.value is None for ways in self.ways.values() for e in ways])
        self.count: dict[Node, int] = {model.root: 1}
        self.total: dict[Node, float] = {model.root: 1.0}
        self._best: dict[Node, float] = {model.root: 0.0}  # log₁₀ of the largest product from here
        for node in self.order:
            if node is not model.root:
                self._visit(node)

    def _visit(self, node: Node) -> None:
        ways = [e for e in self.ways[node] if self.count[e.target]]
        self.count[node] = min(sum([self.count[e.target] for e in ways]), COUNT_LIMIT)
        if self.of_arrays:
            ways.sort(key=lambda e: -(e.flow or 0.0))
        else:
            self.total[node] = self._sum(ways)
            ways.sort(key=lambda e: -self._size(e))
            self._best[node] = self._size(ways[0]) if ways else -math.inf
        self.ways[node] = ways

    def _sum(self, ways: list[Edge]) -> float:
        """The sum over all paths that start with one of these edges."""
        return add_up([(e.value or 0.0) * self.total[e.target] for e in ways])

    def _size(self, edge: Edge) -> float:
        """log₁₀ of the largest product of a path that starts with this edge."""
        return _plus(_log(edge.value or 0.0), self._best[edge.target])

    def heaviest(self) -> list[Edge]:
        """The path that carries most at every step."""
        return self._onward(self.start)

    def _onward(self, node: Node) -> list[Edge]:
        """The best way from here to the root."""
        edges = []
        while node is not self.model.root:
            edges.append(self.ways[node][0])
            node = edges[-1].target
        return edges

    def largest(self, k: int) -> tuple[list[list[Edge]], float]:
        """The `k` largest paths by magnitude, and the sum of all others.

        What is still in the queue at the end is exactly all others, so their sum is added up from there. The whole sum
        less those found would be nothing but rounding where the others are small.
        """
        if not self.count[self.start]:
            return [], 0.0
        found: list[list[Edge]] = []
        queue = [_Branch(0.0, 0, self._onward(self.start), 0, 0, 1.0, 0.0)]
        number = 0
        while queue and len(found) < k:
            branch = heapq.heappop(queue)
            path, place = branch.path, branch.place
            if branch.rank:
                edge = self.ways[path[place].source][branch.rank]
                path = [*path[:place], edge, *self._onward(edge.target)]
            found.append(path)
            before, size = branch.before, branch.size
            for i in range(place, len(path)):
                ways, other = self.ways[path[i].source], branch.rank + 1 if i == place else 1
                if other < len(ways):
                    number += 1
                    best = _plus(size, self._size(ways[other]))
                    heapq.heappush(queue, _Branch(-best, number, path, i, other, before, size))
                before *= path[i].value or 0.0
                size = _plus(size, _log(path[i].value or 0.0))
        rest = [b.before * self._sum(self.ways[b.path[b.place].source][b.rank :]) for b in queue]
        return found, add_up(rest)


class _Branch(NamedTuple):
    """All paths that follow `path` up to `place` and leave it there, by the way of this rank or one after it."""

    order: float  # minus log₁₀ of the largest of them
    number: int  # no two have the same, so that paths are never compared
    path: list[Edge]
    place: int
    rank: int
    before: float  # the product up to `place`
    size: float  # its log₁₀, which does not underflow


def add_up(numbers: list[float]) -> float:
    """`math.fsum`, which gives an infinity or NaN where it would raise."""
    return math.fsum(numbers) if all([math.isfinite(x) for x in numbers]) else sum(numbers)


def _log(x: float) -> float:
    """log₁₀|x|; what is not a number comes first, so that it is seen."""
    return math.inf if x != x else math.log10(abs(x)) if x else -math.inf


def _plus(a: float, b: float) -> float:
    """The sum of two logarithms; 0·∞ is not a number either."""
    total = a + b
    return math.inf if total != total else total


def _reachable(start: Node, cut: bool = False) -> set[Node]:
    """The nodes that depend on `start`; through cuts too, if asked."""
    found, stack = {start}, [start]
    while stack:
        for edge in stack.pop().outputs:
            if edge.target not in found and (cut or not edge.cut):
                found.add(edge.target)
                stack.append(edge.target)
    return found


# ---------------------------------------------------------------------------------------------------------------- cuts


def cuts_of(model: Model, start: Node | None) -> tuple[str, ...]:
    """Where a gradient ends: ``stop_gradient between x and y``, and where a comparison made constants.

    A comparison leaves nothing in the graph but its result, so it cannot be said what was compared: all booleans are
    named.
    """
    found = _stopped(start) if start is not None else []
    found += [f"{BOOLEANS}{node.expr.text} (a comparison or a mask)" for node in _with_booleans(model)]
    more = len(found) - SHOWN_CUTS
    return (*found[:SHOWN_CUTS], *([f"{more:,} more places"] if more > 0 else []))


def _stopped(start: Node) -> list[str]:
    """Operations without a derivative that paths from `start` meet."""
    cut = [e for node in _reachable(start, cut=True) for e in node.outputs if e.cut_by]
    cut.sort(key=lambda e: (int(e.target.id[1:]), int(e.source.id[1:]), e.cut_by))
    return list(dict.fromkeys([f"{e.cut_by} between {e.source.expr.text} and {e.target.expr.text}" for e in cut]))


def _with_booleans(model: Model) -> list[Node]:
    """The nodes whose formulas hold a boolean constant, oldest first."""
    owner: dict[Tensor, Node] = {}
    found: dict[Node, None] = {}
    for t in reversed(model.ancestry.tensors):
        node = model.node_of(t) or owner[t]
        inputs = t.node.inputs if t.node is not None else ()
        owner.update({a: node for a in inputs if type(a) is Tensor})
        if any([_is_boolean(a) for a in inputs]):
            found[node] = None
    return list(reversed(found))


def _is_boolean(given: Any) -> bool:
    return type(given) is not Tensor and np.asarray(given).dtype == np.bool_
