"""The coarser pictures: one box a layer, and one box for thousands of operations.

Both are data, as `model.py` is: boxes with a few facts each, and links between them. A graph with name scopes is shown
by layer. One without, or with too many layers, is cut in order of birth into a few blocks of equal size; a tensor is
younger than what it is made of, so all links between blocks point forwards, whatever the graph.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from tinygrad_vg.checks import Array
from tinygrad_vg.drawing.formula import Expr, expression, shown
from tinygrad_vg.drawing.model import Ancestry, Model, Node, describe, kinds, norm
from tinygrad_vg.tensor import Tensor

__all__ = ["Block", "Layer", "Link", "blocks", "layers"]

BLOCKS = 8
MODEL_LIMIT = 20_000
"""Up to how many nodes the layers of a graph are worked out; a larger one is shown in blocks at once."""


@dataclass(slots=True, eq=False)
class Link:
    """Everything that goes from one box to another.

    Attributes
    ----------
    source, target
        Ids of boxes.
    names
        The tensors that cross, at most three of them.
    count
        How many cross.
    width
        The shape of what crosses, for the forward edge.
    flow
        The norm of the cotangent that comes back; None where nothing does.
    on_path
        Whether the variable's gradient comes this way.
    """

    source: str
    target: str
    names: list[str] = field(default_factory=list)
    count: int = 0
    width: str = ""
    flow: float | None = None
    on_path: bool = False

    def add(self, name: str, width: str, flow: float | None) -> None:
        """Note one more tensor that crosses."""
        self.count += 1
        if self.count <= 3:
            self.names.append(name)
            self.width = width
        if flow is not None:
            self.flow = math.hypot(self.flow or 0.0, flow)


# -------------------------------------------------------------------------------------------------------------- layers


@dataclass(slots=True, eq=False)
class Layer:
    """A box for everything in one name scope.

    Attributes
    ----------
    id, title
        Generated; the name of the scope.
    formula
        ``a₁ = σ(x @ w₁ + b₁)``: the last tensor in terms of the layer's inputs and parameters; may be empty.
    nodes
        Parameters first, then what is computed.
    slope
        (``σ′(z₁)``, its mean, its maximum) if the layer ends in such a function.
    bar
        (name, ‖∂C/∂b‖) of the bias, or of the last parameter.
    """

    id: str
    title: str
    nodes: list[Node]
    formula: str = ""
    slope: tuple[str, float, float | None] | None = None
    bar: tuple[str, float] | None = None


def layers(model: Model) -> tuple[list[Layer], list[Node], list[Link]]:
    """The layers of a model, the nodes that are in none, and the links between all of these."""
    scopes: dict[tuple[str, ...], list[Node]] = {}
    for node in model.nodes:
        if node.scope:
            scopes.setdefault(node.scope, []).append(node)
    ids = {scope: f"g{i}" for i, scope in enumerate(scopes)}
    found = [_layer(ids[scope], scope, nodes) for scope, nodes in scopes.items()]
    return found, [node for node in model.nodes if not node.scope], _layer_links(model, ids)


def _layer(id: str, scope: tuple[str, ...], nodes: list[Node]) -> Layer:
    leaves = [n for n in nodes if n.role == "leaf"]
    computed = [n for n in nodes if n.role != "leaf"]
    layer = Layer(id, " / ".join([shown(s) for s in scope]), [*leaves, *computed])
    if computed:
        layer.formula = _formula(computed[-1], computed)
        layer.slope = next((s for s in map(_slope, reversed(computed)) if s), None)
    biases = [n for n in leaves if describe(n) == "bias"] or leaves
    if biases and biases[-1].grad is not None:
        layer.bar = (biases[-1].expr.text, norm(biases[-1].grad))
    return layer


def _formula(last: Node, inside: list[Node]) -> str:
    """The last tensor's formula with the layer's own tensors put in, if each is used once; else as it is."""
    assert last.formula is not None
    assert last.tensor is not None
    assert last.tensor.node is not None
    inner = {n.tensor: n for n in inside if n is not last}
    op = last.tensor.node
    formula: Expr = last.formula
    if last.ops == 1 and len(op.inputs) == 1 and (below := inner.get(op.inputs[0])) and below.formula:
        formula = expression(op, [below.formula])
    return f"{last.expr.text} = {formula.text}"


def _slope(node: Node) -> tuple[str, float, float | None] | None:
    """Mean of the derivative of an elementwise function such as σ, and its maximum if it is known."""
    op = node.tensor.node if node.tensor is not None else None
    if op is None or len(op.inputs) != 1 or not op.op.local or not op.op.local[0].endswith("′({0})"):
        return None
    name = op.op.local[0].removesuffix("({0})")
    if np.shape(op.values[0]) != node.value.shape or "softmax" in name:
        return None
    rule = op.op.rules(1)[0]
    if rule is None:
        return None
    with np.errstate(all="ignore"):
        mean = float(np.mean(rule(np.ones(node.value.shape), node.value, *op.values, **op.params)))
    inner = node.inputs[0].source.expr.text if node.ops == 1 and node.inputs else "…"
    return f"{name}({inner})", mean, {"σ′": 0.25, "tanh′": 1.0, "relu′": 1.0}.get(name)


def _layer_links(model: Model, ids: dict[tuple[str, ...], str]) -> list[Link]:
    """One link for each pair of boxes that share an edge."""

    def home(node: Node) -> str:
        return ids[node.scope] if node.scope else node.id

    reach = {node: {home(edge.target) for edge in node.outputs} for node in model.nodes}
    crossing: dict[tuple[str, str], dict[Node, list[float]]] = {}
    for edge in model.edges:
        pair = home(edge.source), home(edge.target)
        if pair[0] != pair[1]:
            flows = crossing.setdefault(pair, {}).setdefault(edge.source, [])
            flows += [] if edge.flow is None else [edge.flow]
    links = []
    for (source, target), nodes in crossing.items():
        link = Link(source, target)
        for node, flows in nodes.items():
            whole = len(reach[node]) == 1 and node.grad is not None
            flow = (norm(node.grad) if whole else math.hypot(*flows)) if flows else None
            link.add(node.expr.text, _shape(node.value), flow)
        links.append(link)
    return links


def _shape(value: Array) -> str:
    return "×".join(map(str, value.shape)) if value.ndim else ""


# -------------------------------------------------------------------------------------------------------------- blocks


@dataclass(slots=True, eq=False)
class Block:
    """A box for a run of operations.

    Attributes
    ----------
    id, title
        Generated; ``operations 1 – 1,667``.
    ops, leaves
        How many operations, and how many leaves first used in it.
    kinds
        How many of each kind of operation, the most frequent first.
    named
        Some of the names in it, and how many there are.
    scopes
        First and last name scope in it; may be empty.
    grad
        The norm of the cotangent of its last tensor.
    wrt
        Whether the variable is in it.
    """

    id: str
    title: str
    ops: int
    leaves: int
    kinds: list[tuple[str, int]]
    named: tuple[list[str], int]
    scopes: list[str]
    last: Tensor
    grad: float | None
    wrt: bool


def blocks(ancestry: Ancestry) -> tuple[list[Block], list[Link]]:
    """A graph of any size in at most eight blocks, and the links between them."""
    made = [t for t in ancestry.tensors if t.node is not None]
    size = max(math.ceil(len(made) / BLOCKS), 1)
    home: dict[Tensor, int] = {t: i // size for i, t in enumerate(made)}
    members: list[list[Tensor]] = [made[i : i + size] for i in range(0, len(made), size)]
    leaves: list[list[Tensor]] = [[] for _ in members]
    for t in made:
        assert t.node is not None
        for a in t.node.inputs:
            if type(a) is Tensor and a not in home:  # a leaf lives where it is first used
                home[a] = home[t]
                leaves[home[t]].append(a)
    found = [_block(ancestry, i, i * size, members[i], leaves[i]) for i in range(len(members))]
    return found, _block_links(ancestry, home, made)


def _block(ancestry: Ancestry, i: int, start: int, members: list[Tensor], leaves: list[Tensor]) -> Block:
    names = [t.name for t in [*leaves, *members] if t.name]
    scopes = list(dict.fromkeys([" / ".join(t.node.scope) for t in members if t.node and t.node.scope]))
    last = members[-1]
    g = ancestry.cotangents.get(last)
    return Block(
        f"g{i}",
        f"operations {start + 1:,} – {start + len(members):,}",
        len(members),
        len(leaves),
        kinds([t.node for t in members]),
        ([shown(n) for n in names[:4]], len(names)),
        [shown(s) for s in (scopes[:1] + scopes[1:][-1:])],
        last,
        None if g is None else norm(g),
        any([t is ancestry.wrt for t in [*leaves, *members]]),
    )


def _block_links(ancestry: Ancestry, home: dict[Tensor, int], made: list[Tensor]) -> list[Link]:
    """One link for each pair of blocks; a tensor used by several is counted in each."""
    links: dict[tuple[int, int], Link] = {}
    seen: set[tuple[Tensor, int]] = set()
    for t in made:
        assert t.node is not None
        there = home[t]
        for a in t.node.inputs:
            if type(a) is not Tensor or home[a] == there or (a, there) in seen:
                continue
            seen.add((a, there))
            g = ancestry.cotangents.get(a)
            link = links.setdefault((home[a], there), Link(f"g{home[a]}", f"g{there}"))
            link.add(shown(a.name) if a.name else "", _shape(a._array), None if g is None else norm(g))
    return list(links.values())
