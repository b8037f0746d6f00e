"""What the page of `explore` knows: cards and wires, the chain of every variable, and how to compute it all again.

`scene_of` makes it from what `draw` planned, at any level. A graph of single numbers gets a tape (see `tape.py`): then
every number of the page has a slot there, and the page can move its variables. Otherwise the numbers stand as they are,
and the page says why.

Everything a user named goes through `said` on its way into the page.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_vg.checks import Array
from tinygrad_vg.drawing import dot
from tinygrad_vg.drawing.explanation.chains import Chain, chain_of
from tinygrad_vg.drawing.explorer.board import Card, Row, Wire
from tinygrad_vg.drawing.explorer.tape import NoTapeError, Recording, Tape
from tinygrad_vg.drawing.formula import number, shown
from tinygrad_vg.drawing.layout import printable
from tinygrad_vg.drawing.levels import Block, Layer, Link
from tinygrad_vg.drawing.model import Edge, Model, Node, describe, norm
from tinygrad_vg.tensor import Tensor

if TYPE_CHECKING:
    from tinygrad_vg.drawing.graph import Plan

__all__ = ["Scene", "said", "scene_of"]

LONGEST, NAME = 160, 48
"""How many characters of a text, and of a name, the page shows."""

LOCAL = 16
"""How long the name of a local derivative may be in a card; the panel and the wire have it in full."""

# What turns the reading direction of all that follows it.
_TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def said(text: str, limit: int = LONGEST) -> str:
    r"""Any text as it may stand in the page: one line, not long, nothing in it that turns what stands beside it.

    Examples
    --------
    >>> said("a\nb\u202ec\x00"), said("w" * 300, 8)
    ('a␊b�c␀', 'wwwwwww…')
    """
    line = printable(re.sub("\r\n|[\n\r\u2028\u2029]", "␊", _TURNING.sub("�", text))).replace("\t", " ")
    return line if len(line) <= limit else line[: limit - 1] + "…"


@dataclass
class Scene:
    """Everything in the page.

    Attributes
    ----------
    cards, wires
        The picture.
    root_card
        The index of the root's card; -1 if it is not one of its own.
    slots
        For each card the slots of its value and its gradient, -1 for none.
    summaries
        The same for a table: the number, or a text.
    root
        What is differentiated, as it is written.
    told
        For each card what its panel says beside the numbers: (label, text).
    chains
        The chain of each variable, by the index of its card.
    opening
        The variable whose path is shown at first.
    tape
        The numbers; its leaves are the variables that can be moved.
    leaves
        For each of these the index of its card.
    neurons
        For the presets: the slot of a pre-activation, the leaf that is its bias, those that are its weights.
    slope
        How the derivative of these neurons is written.
    draw
        The leaves that are drawn at random: all but the input.
    why
        Why nothing can be moved; empty if it can.
    notes
        What stands under the picture.
    edges
        The index of the wire of each edge.
    """

    root: str
    root_card: int = -1
    cards: list[Card] = field(default_factory=list)
    wires: list[Wire] = field(default_factory=list)
    slots: list[tuple[int, int]] = field(default_factory=list)
    summaries: list[tuple[float | str, float | str]] = field(default_factory=list)
    told: list[list[tuple[str, str]]] = field(default_factory=list)
    chains: dict[int, Chain] = field(default_factory=dict)
    opening: int | None = None
    tape: Tape = field(default_factory=Tape)
    leaves: list[int] = field(default_factory=list)
    neurons: list[tuple[int, int, list[int]]] = field(default_factory=list)
    slope: str = ""
    draw: list[int] = field(default_factory=list)
    why: str = ""
    notes: list[str] = field(default_factory=list)
    edges: dict[Edge, int] = field(default_factory=dict)


def scene_of(plan: Plan, known: Iterable[str]) -> Scene:
    """The scene of a planned picture.

    Parameters
    ----------
    plan : Plan
        What `draw` found.
    known : iterable of str
        The operations that the page can compute.
    """
    spoken = dot.chain_notes(plan.chain) if plan.chain else []  # the page says these with its product
    scene = Scene(said(plan.root, NAME), notes=[said(note, 400) for note in plan.notes if note not in spoken])
    if plan.layers:
        _coarse(scene, [*plan.layers[0], *plan.layers[1]], plan.layers[2])
        scene.why = "this picture has one box a layer"
    elif plan.blocks:
        _coarse(scene, plan.blocks[0], plan.blocks[1])
        scene.why = "this picture is a summary"
    else:
        assert plan.model is not None
        _fine(scene, plan.model, plan.ancestry.wrt, known)
    return scene


# ---------------------------------------------------------------------------------------------- one card a named tensor


class _Numbers:
    """The slot of every number of a model: computed, if there is a tape, else as it is."""

    def __init__(self, scene: Scene, model: Model, nodes: Sequence[Node], known: Iterable[str]) -> None:
        self.slots: dict[Tensor, int] = {}
        self.recording: Recording | None = None
        self.plain = scene.tape
        try:
            self.recording = recording = Recording(model)
            made = [*recording.value.values(), *recording.grad.values(), *recording.local.values()]
            leaves = {i: recording.value[node] for i, node in enumerate(nodes) if node.role == "leaf"}
            tape = Tape(known)
            self.slots = tape.record(leaves.values(), [t for t in made if t is not None])
            scene.tape, scene.leaves = tape, list(leaves)
        except NoTapeError as reason:
            scene.why, self.recording = said(str(reason)), None

    def of(self, copy: Tensor | None, otherwise: Any) -> int:
        """The slot of a recorded number, or of a plain one; -1 if it is no single number."""
        if self.recording is not None:
            return -1 if copy is None else self.slots[copy]
        return self.plain.number(otherwise) if otherwise is not None and np.size(otherwise) == 1 else -1

    def value(self, node: Node) -> int:
        return self.of(self.recording.value.get(node) if self.recording else None, node.value)

    def grad(self, node: Node) -> int:
        return self.of(self.recording.grad.get(node) if self.recording else None, node.grad)

    def local(self, edge: Edge) -> int:
        return self.of(self.recording.local.get(edge) if self.recording else None, edge.value)


def _fine(scene: Scene, model: Model, wrt: Tensor | None, known: Iterable[str]) -> None:
    nodes = model.as_read
    index = {node: i for i, node in enumerate(nodes)}
    numbers = _Numbers(scene, model, nodes, known)
    cards: dict[Node, Card] = {}
    for node in nodes:
        cards[node] = card = _card(node, numbers)
        above, below = dot.beside_of(node)
        card.above, card.below = (cards[found[0]] if found else None for found in (above, below))
        scene.cards.append(card)
        scene.slots.append((numbers.value(node), numbers.grad(node)))
        scene.summaries.append((_summary(node.value), _summary(node.grad)))
        scene.told.append(_more(node))
    scene.root_card = index[model.root]
    for edge in model.edges:
        scene.edges[edge] = len(scene.wires)
        scene.wires.append(_wire(edge, cards, numbers))
    if model.root.value.size == 1:
        variables = [n for n in nodes if n.role == "leaf" or n is model.wrt]
        scene.chains = {index[n]: chain_of(model, n.tensor) for n in variables if n.tensor is not None}
        scene.opening = index[model.wrt] if model.wrt is not None else _farthest(scene, nodes)
        _highlight(scene)
    if numbers.recording is not None:
        inputs = [describe(nodes[i]) == "input" for i in scene.leaves]
        scene.draw = [k for k in range(len(inputs)) if not inputs[k] or all(inputs)]
        scene.neurons = _neurons(scene, model, {nodes[i].tensor: k for k, i in enumerate(scene.leaves)}, numbers)
        scene.notes += _kept_choices(model)


def _card(node: Node, numbers: _Numbers | None) -> Card:
    name = said(node.expr.text, NAME)
    note = "" if node.by_formula else f"= {said(node.formula.text)}" if node.formula else describe(node)
    rows = []
    for port, label, text in _value_rows(node):
        back = port == "g"
        array = node.grad if back else node.value
        slot = -1 if numbers is None or array is None else numbers.grad(node) if back else numbers.value(node)
        if slot >= 0 and array is not None:
            rows.append(Row(label, float(array.item()), back, slot))
        else:
            rows.append(Row(label, text, back))
    main = dot.main_edge(node) if numbers is not None else None
    if numbers is not None and main is not None and main.value is not None:
        label = main.symbol.text if "′(" in main.symbol.text else f"∂/∂{main.source.expr.text}"
        rows.append(Row(said(label) if len(label) <= LOCAL else "local", main.value, slot=numbers.local(main)))
    return Card(name, note, dot.kind(node), rows, tuple([said(shown(s), NAME) for s in node.scope]))


def _value_rows(node: Node) -> list[tuple[str, str, str]]:
    """As in any picture, but a vector too long for a card by its shape and norm."""
    rows = dot.value_rows(node)
    if node.value.size <= 1 or all([Row(label, text).fits for _, label, text in rows]):
        return rows
    norms = ["—" if array is None else number(norm(array)) for array in (node.value, node.grad)]
    shape = "×".join(map(str, node.value.shape))
    return [("s", "shape", shape), ("v", "‖value‖", norms[0]), ("g", "‖grad‖", norms[1])][: len(rows) + 1]


def _summary(array: Array | None) -> float | str:
    """A number in full; of an array the shape and the norm."""
    if array is None or not array.size:
        return "—"
    return float(array.item()) if array.size == 1 else f"{'×'.join(map(str, array.shape))}, norm {number(norm(array))}"


def _more(node: Node) -> list[tuple[str, str]]:
    """What the panel says of a card beside the numbers in slots."""
    lines = [("in", " / ".join([said(shown(s), NAME) for s in node.scope]))] if node.scope else []
    if node.value.size == 1:
        return lines
    lines.append(("shape", "×".join(map(str, node.value.shape))))
    for word, array in (("value", node.value), ("gradient", node.grad)):
        if array is not None and array.size:
            lines.append((f"{word}: norm", number(norm(array))))
            spread = [number(float(f(array))) for f in (np.min, np.mean, np.max)]
            lines.append((f"{word}: min, mean, max", ", ".join(spread)))
    return lines


def _wire(edge: Edge, cards: dict[Node, Card], numbers: _Numbers) -> Wire:
    source, target = cards[edge.source], cards[edge.target]
    if edge.cut or edge.flow is None:
        return Wire(source, target, said(edge.cut_by, 24))
    first, second = dot.edge_words(edge)
    first = said(first, 32)
    slot = numbers.local(edge)
    if slot < 0 or edge.value is None:
        return Wire(source, target, first, said(second, 32) or None, None, edge.flow)
    same = first.removeprefix("×") == number(edge.value)  # ×1 needs no = 1
    return Wire(source, target, first, None if same else edge.value, slot, edge.flow)


def _farthest(scene: Scene, nodes: Sequence[Node]) -> int | None:
    """The variable with the longest product; of several the first bias."""
    found = [(i, chain) for i, chain in scene.chains.items() if chain.paths]
    if not found:
        return None

    def length(item: tuple[int, Chain]) -> tuple[int, bool, int]:
        i, chain = item
        return len(chain.paths[0].edges), describe(nodes[i]) == "bias", -i

    return max(found, key=length)[0]


def _highlight(scene: Scene) -> None:
    """Mark the opening variable and the wires of its largest path."""
    if scene.opening is None:
        return
    scene.cards[scene.opening].marked = True
    paths = scene.chains[scene.opening].paths
    path = {scene.edges[e] for e in paths[0].edges} if paths else set()
    for i, wire in enumerate(scene.wires):
        wire.on_path = i in path


# ------------------------------------------------------------------------------------------------------------- presets


def _neurons(
    scene: Scene, model: Model, place: dict[Tensor | None, int], numbers: _Numbers
) -> list[tuple[int, int, list[int]]]:
    """Every σ(w·a + … + b): the slot of its argument, and which of the leaves are its bias and its weights.

    The bias is a leaf with no other use that is added; weights are the leaves in products that are added, but for the
    input.
    """
    found, slopes = [], set()
    assert numbers.recording is not None
    for t in model.ancestry.tensors:
        if t.node is None or t.node.op.name not in ("sigmoid", "tanh"):
            continue
        z = t.node.inputs[0]
        summands = _operands(z, "add")
        biases = [a for a in summands if a in place and model.ancestry.uses[a] == 1]
        factors = [b for a in summands if a not in place for b in _operands(a, "multiply")]
        weights = [place[b] for b in factors if b in place and place[b] in scene.draw]
        if biases:
            found.append((numbers.slots[numbers.recording.copies[z]], place[biases[-1]], weights))
            slopes.add({"sigmoid": "σ′", "tanh": "tanh′"}[t.node.op.name])
    scene.slope = " and ".join(sorted(slopes))
    return found


def _operands(t: Tensor, op: str) -> list[Tensor]:
    """What is added up in a sum of sums, or multiplied in a product of products."""
    found, stack = [], [t]
    while stack:
        a = stack.pop()
        if a.node is not None and a.node.op.name == op:
            stack += [b for b in a.node.inputs[::-1] if type(b) is Tensor]
        else:
            found.append(a)
    return found


def _kept_choices(model: Model) -> list[str]:
    """A condition is a constant of the graph; whoever moves the variables must know."""
    for t in model.ancestry.tensors:
        if t.node is not None and t.node.op.name == "where":
            return ["np.where keeps the choice it made when the graph was recorded, wherever the sliders stand"]
    return []


# ------------------------------------------------------------------------------------------------- one card a layer


def _coarse(scene: Scene, boxes: Sequence[Layer | Block | Node], links: Sequence[Link]) -> None:
    """The cards and wires of a picture of layers or blocks, in the order in which they are done."""
    cards: dict[str, Card] = {}
    for box in sorted(boxes, key=_finished):
        card, told = _layer_card(box, scene.root) if isinstance(box, Layer) else _other_card(box)
        cards[box.id] = card
        scene.cards.append(card)
        scene.slots.append((-1, -1))
        sides = [
            ", ".join([f"{r.label} {r.text}".strip() for r in card.rows if r.backward is b]) for b in (False, True)
        ]
        scene.summaries.append((sides[0] or "—", sides[1] or "—"))
        scene.told.append([(row.label, row.text) for row in card.rows if row.label] + told)
    for link in links:  # labels, and other constants with one use, stand above their user
        source, target = cards[link.source], cards[link.target]
        alone = sum([link.source in (other.source, other.target) for other in links]) == 1
        among = sum([link.target == other.target for other in links]) > 1
        if source.note == "constant" and alone and among and target.above is None:
            target.above = source
    scene.root_card = len(scene.cards) - 1
    for link in links:
        names = said(", ".join([n for n in link.names if n]), 20)
        words = f"‖∂{scene.root}/∂{names}‖" if names and link.count == 1 else f"‖grad‖ of {link.count:,}"
        value = None if link.flow is None else f"= {number(link.flow)}"
        scene.wires.append(Wire(cards[link.source], cards[link.target], words if value else "", value, None, link.flow))


def _finished(box: Layer | Block | Node) -> float:
    """When the last tensor of a box was born; a parameter, often made in advance, comes just before its user."""
    if isinstance(box, Block):
        return box.last.birth
    nodes = box.nodes if isinstance(box, Layer) else [box]
    births = [n.tensor.birth for n in nodes if n.tensor is not None and n.role != "leaf"]
    users = [e.target.tensor.birth - 0.5 for n in nodes for e in n.outputs if e.target.tensor is not None]
    return max(births, default=min(users, default=math.inf))


def _layer_card(layer: Layer, root: str) -> tuple[Card, list[tuple[str, str]]]:
    rows = [
        Row(said(f"‖∂{root}/∂{node.expr.text}‖", 24), "—" if node.grad is None else number(norm(node.grad)), True)
        for node in layer.nodes
        if node.role == "leaf"
    ][:4]
    if layer.slope:
        rows.append(Row(said(f"mean {layer.slope[0]}", 24), number(layer.slope[1])))
    more = []
    for node in layer.nodes:
        grad = "—" if node.grad is None else number(norm(node.grad))
        shape = "×".join(map(str, node.value.shape)) or "a number"
        more.append((said(f"{node.expr.text}, {shape}", 60), f"‖value‖ {number(norm(node.value))}, ‖grad‖ {grad}"))
    title, formula = said(layer.title, NAME), said(layer.formula)
    return Card(title, formula, "act", rows), more


def _other_card(box: Block | Node) -> tuple[Card, list[tuple[str, str]]]:
    if isinstance(box, Node):
        card = _card(box, None)
        card.scope = ()
        return card, _more(box)
    grad = "—" if box.grad is None else number(box.grad)
    rows = [Row(said(name, 20), f"{count:,}") for name, count in box.kinds[:3]]
    told = [(said(name, 40), f"{count:,} times") for name, count in box.kinds]
    if box.named[1]:
        told.append(("names", said(", ".join(box.named[0]) + (" …" if box.named[1] > len(box.named[0]) else ""))))
    if box.scopes:
        told.append(("scopes", said(" – ".join(box.scopes))))
    title = said(box.title)
    return Card(title, "", "pre", [*rows, Row("‖grad‖ at its end", grad, True)]), told
