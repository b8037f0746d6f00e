"""What happens in a film of backprop: a list of steps, each with a line of words and the parts that appear in it.

Forward a step is an operation; backward it is an edge, and a gradient is there when all that flows into it has come.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from tinygrad_vg.checks import Array
from tinygrad_vg.drawing import dot
from tinygrad_vg.drawing.explanation.chains import Chain
from tinygrad_vg.drawing.formula import ATOM, number
from tinygrad_vg.drawing.model import Edge, Model, Node

__all__ = ["Step", "steps_of"]


@dataclass(frozen=True)
class Step:
    """What a step adds to the picture.

    Attributes
    ----------
    phase
        ``forward``, ``backward``, or at last ``product`` or ``gradients``.
    caption
        What happens, in a line.
    parts
        What appears, as (``node``, ``grad`` or ``edge``, its id).
    focus
        The id of the node to look at.
    """

    phase: str
    caption: str
    parts: list[tuple[str, str]] = field(default_factory=list)
    focus: str = ""


def steps_of(model: Model, chain: Chain | None) -> list[Step]:
    """The steps forward, those backward, and what has come of them: with a chain, its product."""
    if chain is not None and chain.terms:
        last = Step("product", _flat(chain.headline))
    else:
        last = Step("gradients", f"all gradients of {_flat(model.root.expr.text)}, in one sweep")
    return [*_forward(model), *_backward(model), last]


def _forward(model: Model) -> Iterator[Step]:
    """One step an operation: with it appear the leaves and constants that nothing has used yet."""
    seen: set[Node] = set()
    for node in model.nodes:
        if node.formula is None and node is not model.root:
            continue
        new = dict.fromkeys([e.source for e in node.inputs if e.source not in seen] + [node])
        seen.update(new)
        parts = [("node", n.id) for n in new]
        parts += [("edge", dot.edge_id(e, "forward")) for e in node.inputs]
        parts += [("edge", dot.edge_id(e, "line" if _flows(e) else "both")) for e in node.inputs]
        name = _flat(node.expr.text)
        yield Step("forward", f"{_flat(node.equation)}{_equals(node.value, name)}", parts, node.id)


def _backward(model: Model) -> Iterator[Step]:
    """One step an edge, youngest node first; a gradient is shown when all that flows into it is there."""
    root = model.root
    start = _partial(model, root)
    summed = "" if root.value.size == 1 else f", for the sum of the elements of {_flat(root.expr.text)}"
    yield Step("backward", f"{start} = 1: here the sweep begins{summed}", [("grad", root.id)], root.id)
    flowing = {node: sum([_flows(e) for e in node.outputs]) for node in model.nodes}
    done: Counter[Node] = Counter()
    for node in model.nodes[::-1]:
        for edge in node.inputs:
            source = edge.source
            if not _flows(edge):
                continue
            done[source] += 1
            parts = [("edge", dot.edge_id(edge, "back")), ("edge", dot.edge_id(edge, "both"))]
            last = done[source] == flowing[source]
            parts += [("grad", source.id)] * last
            yield Step("backward", _flow(model, edge, done[source], flowing[source]), parts, source.id)


def _equals(value: Array | None, name: str) -> str:
    """The end of a line that says what something is, or how large."""
    told = dot.show_value(value) if value is None or value.size else "no elements"
    return f", ‖{name}‖ = {told.removeprefix('‖·‖ ')}" if told.startswith("‖") else f" = {told}"


def _flows(edge: Edge) -> bool:
    """Whether a cotangent comes back along it."""
    return edge.flow is not None and not edge.cut


def _partial(model: Model, node: Node) -> str:
    return f"∂{_flat(model.root.expr.text)}/∂{_flat(node.expr.text)}"


def _flow(model: Model, edge: Edge, part: int, parts: int) -> str:
    """What one edge gives to the gradient of its source."""
    source, target = edge.source, edge.target
    assert edge.flow is not None
    whole, above = _partial(model, source), _partial(model, target)
    if edge.value is not None and target.grad is not None:
        told = f"= {_product(edge, above if target is not model.root else '', float(target.grad.item()))}"
    else:
        by = "" if edge.is_one else f", {_flat(dot.edge_words(edge)[0])}"
        told = f"from {above}{by}: norm {number(edge.flow)}"
    if parts == 1:
        return f"{whole} {told}"
    total = f"; the sum is {dot.show_value(source.grad)}" if part == parts else ""
    return f"{whole}, part {part} of {parts}: {told.removeprefix('= ')}{total}"


def _product(edge: Edge, above: str, incoming: float) -> str:
    """What comes in times the local derivative, in words and in numbers; a factor 1 is left away."""
    assert edge.value is not None
    assert edge.flow is not None
    local = "" if edge.is_one else _flat(edge.symbol.inside(ATOM).text)
    words = " · ".join([word for word in (above, local) if word])
    numbers = " · ".join([_bracketed(x) for x in (incoming, edge.value)]) if above and local else ""
    end = number(edge.flow)
    return " = ".join([word for word in ("" if edge.is_partial and not above else words, numbers, end) if word])


def _bracketed(x: float) -> str:
    text = number(x)
    return f"({text})" if text.startswith("−") else text


def _flat(formula: str) -> str:
    """A formula, whose names are shown already, in one line."""
    return formula.replace("\n", "␊")
