"""From the picture as data to DOT text, through the `graphviz` package.

Ids and ports are generated; whatever a user named goes through `text` (for HTML-like labels) or `graphviz.escape`
(for tooltips), so that no name is ever markup. Neighbours are joined by two lanes: a thin forward edge between their
value rows, and a coloured backward edge between their gradient rows, drawn with ``dir=back`` so that the layout keeps
room for its label.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import Any

import numpy as np

from tinygrad_vg.checks import Array
from tinygrad_vg.drawing.explanation.chains import Chain, Term
from tinygrad_vg.drawing.formula import number, shown
from tinygrad_vg.drawing.levels import Block, Layer, Link
from tinygrad_vg.drawing.model import Edge, Model, Node, describe, norm
from tinygrad_vg.drawing.theme import Palette, Scale
from tinygrad_vg.tensor import Tensor

__all__ = ["Canvas", "draw_blocks", "draw_layers", "draw_nodes"]

FORMULA_LIMIT = 46
ROWS_LIMIT = 12
WIDE_LABEL = 20
PRINTED = 6
"""Arrays up to this many elements are printed; larger ones are shown by shape and norm."""


@dataclass(frozen=True)
class Canvas:
    """What every part of a picture needs: the colours, the scale, what is highlighted, and what is said about it all.

    Attributes
    ----------
    colours
        The palette.
    scale
        The scale of the running product.
    chain
        The chain of the variable, if there is one.
    notes
        Sentences that stand under the picture.
    root
        The root's name as it is drawn.
    wrt
        The variable whose path is highlighted.
    """

    colours: Palette
    scale: Scale
    chain: Chain | None = None
    notes: Sequence[str] = ()
    root: str = "C"
    wrt: Tensor | None = None

    def graph(self, ranksep: float) -> Any:
        """An empty graph with the fonts, distances and colours of all pictures."""
        import graphviz

        c, font = self.colours, {"fontname": "Verdana"}
        g = graphviz.Digraph("G")
        g.attr("graph", rankdir="LR", nodesep="0.35", ranksep=str(ranksep), pad="0.2", margin="0", bgcolor=c.page)
        g.attr("graph", fontsize="11", fontcolor=c.soft, splines="true", **font)
        g.attr("node", shape="plain", fontsize="10", fontcolor=c.ink, **font)
        g.attr("edge", fontsize="9", fontcolor=c.soft, color=c.forward, arrowsize="0.6", penwidth="1", **font)
        return g


# ---------------------------------------------------------------------------------------------------- pieces of HTML


def text(s: str) -> str:
    """Any text for an HTML-like label: markup and Graphviz's backslash escapes made plain, line ends as line breaks."""
    return escape(s, quote=True).replace("\\", "\\\\").replace("\n", "<BR/>")


def _font(s: str, colour: str, size: int | None = None) -> str:
    points = f' POINT-SIZE="{size}"' if size else ""
    return f'<FONT{points} COLOR="{colour}">{s}</FONT>'


def _bold(s: str) -> str:
    return f"<B>{s}</B>"


def _pad(s: str) -> str:
    return f"&#160;{s}&#160;"


def _td(s: str, **attributes: str | int) -> str:
    words = "".join([f' {key.upper()}="{value}"' for key, value in attributes.items()])
    return f"<TD{words}>{s}</TD>"


def _tr(*cells: str) -> str:
    return f"<TR>{''.join(cells)}</TR>"


def _table(rows: str, **attributes: str | int) -> str:
    given = {"border": 0, "cellborder": 0, "cellspacing": 0, **attributes}
    words = "".join([f' {key.upper()}="{value}"' for key, value in given.items()])
    return f"<TABLE{words}>{rows}</TABLE>"


def _label(html: str) -> str:
    return f"<{html}>"


def _tip(s: str) -> str:
    """Any text for a tooltip; `plain_tooltips` gives it its backslashes back."""
    import graphviz

    return str(graphviz.escape(escape(s, quote=False).replace("\\", _BACKSLASH)))


# Graphviz expands \N in a tooltip twice, or once, depending on its version: no escape survives all of them.
_BACKSLASH = "⧵"


def plain_tooltips(svg: str) -> str:
    """The SVG with the backslashes that `_tip` took out of the tooltips."""
    return re.sub(r'xlink:title="[^"]*"', lambda m: m[0].replace(_BACKSLASH, "\\"), svg)


def _shorter(s: str, limit: int = FORMULA_LIMIT) -> str:
    return s if len(s) <= limit else s[: limit - 1].rstrip() + "…"


def _box(head: str, kind: str, rows: str, columns: int, c: Palette, mark: bool) -> str:
    """A rounded box: a coloured head over rows. The head is a table of its own, or its corners would poke out."""
    chip = _table(_tr(_td(_pad(head))), cellpadding=4, style="rounded", bgcolor=c.heads[kind])
    body = _tr(_td(chip, colspan=columns, cellpadding=2, port="h")) + rows
    border, colour = (3, c.mark) if mark else (1, c.box)
    return _label(_table(body, border=border, cellpadding=3, style="rounded", bgcolor=c.page, color=colour))


def _row(port: str, name: str, value: str, c: Palette) -> str:
    left = _td(_font(_pad(text(name)), c.soft, 9), align="left", port=f"{port}i")
    return _tr(
        left, _td(text(value) + ("&#160;&#160;" if value.endswith("]") else "&#160;"), align="right", port=f"{port}o")
    )


def _two_lines(first: str, second: str, colour: str) -> str:
    """A label of two lines, with a little air on both sides and below, where the edge swings past."""
    air = "&#160;&#160;"
    rows = _tr(_td(_font(air + _bold(text(first)) + air, colour)))
    rows += _tr(_td(_font(air + text(second) + air, colour))) if second else ""
    rows += _tr(_td("", height=4, width=4, fixedsize="true"))
    return _label(_table(rows, cellpadding=1))


def _bar(product: float, length: int, canvas: Canvas) -> str:
    colour = canvas.scale.line(product, canvas.colours)[0]
    width = canvas.scale.bar(product, length)
    cells = _td("", fixedsize="true", width=width, height=11, bgcolor=colour) if width else ""
    rest = length - width
    cells += _td("", fixedsize="true", width=rest, height=11) if rest else ""
    return _table(_tr(cells), align="left")


# ------------------------------------------------------------------------------------------------------------- values


def show_value(value: Array | None) -> str:
    """A number, a short array, or a dash for what was not computed."""
    if value is None:
        return "—"
    if value.size == 1:
        return number(float(value.item()))
    if value.size <= PRINTED and value.ndim == 1:
        return "[" + "  ".join([number(v) for v in value]) + "]"
    return f"‖·‖ {number(norm(value))}"


def _shape(value: Array) -> str:
    return "×".join(map(str, value.shape))


def value_rows(node: Node) -> list[tuple[str, str, str]]:
    """(port, name, value) of the rows that say what a node holds."""
    if not node.value.size:
        return [("v", "shape", _shape(node.value)), ("g", "", "no elements")]
    if node.value.size == 1 or (node.value.size <= PRINTED and node.value.ndim == 1):
        rows = [("v", "value", show_value(node.value)), ("g", "grad", show_value(node.grad))]
    else:
        grad = "—" if node.grad is None else number(norm(node.grad))
        rows = [("s", "shape", _shape(node.value)), ("v", "‖value‖", number(norm(node.value))), ("g", "‖grad‖", grad)]
    return rows[:-1] if node.role == "constant" else rows


def _tooltip(node: Node) -> str:
    """Name, the whole formula, and the spread of the values."""
    lines = [node.equation if node.formula else f"{node.expr.text} ({describe(node)})"]
    for word, array in (("value", node.value), ("grad", node.grad)):
        if array is not None and array.size > 1:
            spread = [number(float(f(array))) for f in (np.min, np.mean, np.max)]
            lines.append(f"{word}: min {spread[0]}, mean {spread[1]}, max {spread[2]}")
    return "\n".join(lines)


# ------------------------------------------------------------------------------------------- one box a named tensor


def draw_nodes(model: Model, canvas: Canvas) -> str:
    """The picture at the level of tensors.

    Parameters
    ----------
    model : Model
        Nodes and edges.
    canvas : Canvas
        Colours, scale, chain and notes.

    Returns
    -------
    str
        DOT.
    """
    g = canvas.graph(0.2)
    path = {e for p in canvas.chain.paths for e in p.edges} if canvas.chain else None
    beside = {node: beside_of(node) for node in model.nodes}
    _clusters(g, model, canvas, beside)
    for node in model.nodes:
        above, below = beside[node]
        uses = Counter([edge.source for edge in node.inputs])
        for edge in node.inputs:
            if edge.source in above or edge.source in below:
                _single_edge(g, edge, "above" if edge.source in above else "below", path, canvas)
            elif uses[edge.source] > 1:  # lanes side by side would cross one another's labels
                _single_edge(g, edge, "left", path, canvas)
            else:
                _lanes(g, edge, path, canvas)
    _legend(g, canvas)
    return str(g.source)


def _clusters(g: Any, model: Model, canvas: Canvas, beside: dict[Node, tuple[list[Node], list[Node]]]) -> None:
    """Write the nodes, each in the nested box of its scope, in order of birth."""
    members: dict[tuple[str, ...], list[Node]] = {}
    for node in model.nodes:
        members.setdefault(node.scope, []).append(node)
        for depth in range(len(node.scope)):
            members.setdefault(node.scope[:depth], [])
    graphs: dict[tuple[str, ...], Any] = {(): g}
    order = sorted(members, key=len)  # stable: outer scopes first
    c = canvas.colours
    for i, scope in enumerate(order):
        if scope:
            sub = type(g)(f"cluster_{i}")
            label = _label(_font(_pad(text(shown(scope[-1]))), c.soft))
            sub.attr(label=label, labelloc="b", labeljust="l", style="rounded,filled", margin="10")
            sub.attr(fillcolor=c.cluster, color=c.cluster_line)
            graphs[scope] = sub
        for node in members[scope]:
            _write_node(graphs[scope], node, canvas)
        for node in members[scope]:
            column = [n for n in [*beside[node][1], node, *beside[node][0]] if n.scope == scope]
            if len(column) > 1:
                with graphs[scope].subgraph() as row:
                    row.attr(rank="same")
                    for a, b in pairwise(column):
                        row.edge(a.id, b.id, style="invis")
    for scope in order[:0:-1]:
        graphs[scope[:-1]].subgraph(graphs[scope])


def beside_of(node: Node) -> tuple[list[Node], list[Node]]:
    """The parameters that stand above and below a node instead of to its left: at most one each."""
    if node.role in ("leaf", "constant"):
        return [], []
    inputs = list(dict.fromkeys([e.source for e in node.inputs]))
    own = [n for n in inputs if n.role in ("leaf", "constant") and len(n.outputs) == 1 and n.scope == node.scope]
    main = [n for n in inputs if n not in own]
    own = [n for n in own if main or describe(n) in ("weight", "bias")]
    above = [n for n in own if describe(n) == "bias"][:1] or [n for n in own if describe(n) != "weight"][-1:]
    below = [n for n in own if n not in above][:1]
    return above, below


def _write_node(g: Any, node: Node, canvas: Canvas) -> None:
    c = canvas.colours
    name = _bold(text(node.expr.text))
    if node.by_formula:
        head = name
    elif node.formula is not None:
        head = f"{name} = {text(_shorter(node.formula.text))}"
    else:
        head = f"{name} {text(describe(node))}"
    rows = "".join([_row(port, label, value, c) for port, label, value in [*value_rows(node), *_local_row(node)]])
    mark = node.tensor is not None and node.tensor is canvas.wrt
    uses = Counter([edge.target for edge in node.outputs]).values()
    ordered = {"ordering": "out"} if len(uses) > 1 < max(uses) else {}  # else x + x embraces what stands beside it
    g.node(node.id, label=_box(head, kind(node), rows, 2, c, mark), tooltip=_tip(_tooltip(node)), **ordered)


def kind(node: Node) -> str:
    """Which head a node gets."""
    if node.role == "constant" or (node.role == "leaf" and describe(node) == "input"):
        return "input"
    if node.role in ("leaf", "root"):
        return "param" if node.role == "leaf" else "loss"
    return "act" if node.ops == 1 and len(node.inputs) == 1 and not node.inputs[0].is_one else "pre"


def main_edge(node: Node) -> Edge | None:
    """The edge that the chain runs through: from the youngest input that was computed, if it is used once."""
    inner = [e for e in node.inputs if e.source.role == "op" and e.value is not None]
    inner = inner or [e for e in node.inputs if describe(e.source) == "input" and e.value is not None]
    if not inner:
        return None
    main = max(inner, key=lambda e: e.source.tensor.birth if e.source.tensor else -1)
    return main if sum([e.source is main.source for e in node.inputs]) == 1 else None


def _local_row(node: Node) -> list[tuple[str, str, str]]:
    """The local derivative by the input that the chain runs through."""
    main = main_edge(node)
    if main is None:
        return []
    function = "′(" in main.symbol.text or main.is_partial
    name = main.symbol.text if function else f"∂{node.expr.text}/∂{main.source.expr.text}"
    return [("d", _shorter(name, 24), number(main.value or 0.0))]


def edge_words(edge: Edge) -> tuple[str, str]:
    """The two lines of a backward edge's label: what it multiplies by, and the number."""
    symbol = _shorter(edge.symbol.inside(1).text if edge.symbol.level == 0 else edge.symbol.text, 26)
    first = symbol if edge.is_partial else f"×{symbol}"
    if edge.value is None:
        return first, "" if edge.flow is None else f"‖·‖ = {number(edge.flow)}"
    value = number(edge.value)
    return first, "" if symbol.strip("()") == value else f"= {value}"


def edge_id(edge: Edge, lane: str) -> str:
    """The id in the SVG of one lane of an edge: ``forward``, ``back``, or ``both`` where one line is both."""
    return f"{edge.target.id}-{edge.target.inputs.index(edge)}-{lane}"


def _lanes(g: Any, edge: Edge, path: set[Edge] | None, canvas: Canvas) -> None:
    """Forward and backward edge between two nodes."""
    source, target = edge.source.id, edge.target.id
    c = canvas.colours
    if edge.cut or edge.flow is None:
        told = {"label": _label(_font(text(f" {edge.cut_by} "), c.soft)), "style": "dashed"} if edge.cut_by else {}
        g.edge(f"{source}:vo:e", f"{target}:vi:w", weight="20", id=edge_id(edge, "forward"), **told)
        return
    g.edge(f"{source}:vo:e", f"{target}:vi:w", weight="20", id=edge_id(edge, "forward"))
    ends = f"{source}:go:e", f"{target}:gi:w"
    first, second = edge_words(edge)
    if (path is not None and edge not in path) or not edge.flow:
        label = _two_lines(first, second, c.soft)
        g.edge(*ends, dir="back", style="dashed", label=label, weight="2", id=edge_id(edge, "back"))
        return
    line, ink, width = canvas.scale.line(edge.flow, c)
    label = _two_lines(first, second, ink)
    g.edge(*ends, dir="back", color=line, penwidth=str(width), label=label, weight="2", id=edge_id(edge, "back"))


def _single_edge(g: Any, edge: Edge, place: str, path: set[Edge] | None, canvas: Canvas) -> None:
    """Both lanes as one edge with two heads: to a parameter above or below its node, or for one of several uses."""
    c, above, beside = canvas.colours, place == "above", place != "left"
    lines = [edge.cut_by] if edge.cut else [w for w in edge_words(edge) if w]
    words = " ".join(lines)
    colour, ink, width = c.forward, c.soft, 1.0
    if edge.flow and (path is None or edge in path):
        colour, ink, width = canvas.scale.line(edge.flow, c)
    label = _font(text(words) + "&#160;", ink)
    if beside and len(words) <= 3:  # short enough to stand to the left of a vertical edge
        label += "&#160;"
    elif beside:  # the edge runs through its label, which must mask it
        surface = c.cluster if edge.target.scope else c.page
        parts = [_font(text(line) + "&#160;", ink) for line in lines] if len(words) > WIDE_LABEL else [label]
        label = _table("".join([_tr(_td(part)) for part in parts]), cellpadding=2, bgcolor=surface)
    else:
        air = _tr(_td("", height=5, width=4, fixedsize="true"))
        label = _table(_tr(_td("&#160;&#160;" + label + "&#160;&#160;")) + air)
    ends = (edge.target.id, edge.source.id) if above else (edge.source.id, edge.target.id)
    heads = "back" if above else "forward"
    heads = "both" if edge.flow is not None and not edge.cut else heads
    style = {"style": "dashed"} if edge.cut_by else {}
    told = {"label": _label(label)} if words else {}
    g.edge(*ends, dir=heads, color=colour, penwidth=str(width), id=edge_id(edge, "both"), **told, **style)


# --------------------------------------------------------------------------------------------------- under the picture


def _legend(g: Any, canvas: Canvas) -> None:
    """The table of the product and the notes, as the label of the whole graph."""
    rows = []
    if canvas.chain is not None:
        rows.append(_tr(_td(product_table(canvas.chain, canvas))))
    for note in canvas.notes:
        rows.append(_tr(_td(_font(text(note), canvas.colours.soft))))
    line, ink = canvas.colours.hot
    if canvas.scale.high > 0 and any([line in part for part in [*g.body, *rows]]):
        rows.append(_tr(_td(_font("orange: above 1", ink))))
    if rows:
        g.attr("graph", labelloc="b", label=_label(_table("".join(rows), cellpadding=4)))


def product_table(chain: Chain, canvas: Canvas) -> str:
    """Term, value, product from here to the root, and a bar on a logarithmic scale."""
    c, name = canvas.colours, text(chain.name)
    if not chain.terms:
        return _table(_tr(_td(_font(text(chain.headline), c.ink))), cellpadding=4)

    def cell(s: str, bold: bool = False, left: bool = False, head: bool = False) -> str:
        inner = _font(_bold(s) if bold else s, c.ink)
        return _td(inner, align="left" if left else "center", bgcolor=c.heads["input"] if head else c.page)

    def line(title: str, cells: Iterable[str]) -> str:
        return _tr(cell(title, left=True), *cells)

    terms = _columns(chain.terms)
    head = f"{name} &#160;=" if chain.count == 1 else f"{name}, path 1 of {chain.counted}"
    head = f"‖{name}‖ by way of" if chain.of_norms else head
    gap = "…"
    root = text(chain.of.text)
    down = running_norm(chain) if chain.of_norms else f"product of the terms from here to {root}"
    rows = _tr(cell(head, True, True, True), *[cell(text(t.text) if t else gap, True, head=True) for t in terms])
    rows += line("ratio" if chain.of_norms else "term", [cell(number(t.value) if t else gap) for t in terms])
    rows += line(down, [cell(number(t.product) if t else gap, True) for t in terms])
    bars = [_td(_bar(t.product, 96, canvas) if t else "", bgcolor=c.page, width=112) for t in terms]
    rows += line("size (log scale)", bars)
    return _table(rows, cellborder=1, cellpadding=6, color=c.rule)


def running_norm(chain: Chain) -> str:
    """What the running norm of a chain of norms is the norm of."""
    return "‖δ‖ here, its rows summed" if any([t.apart is not None for t in chain.terms]) else "‖δ‖ here"


def _columns(terms: Sequence[Term]) -> list[Term | None]:
    """The terms that have room: all, or both ends with a gap."""
    return list(terms) if len(terms) <= 12 else [*terms[:6], None, *terms[-5:]]


def chain_notes(chain: Chain) -> list[str]:
    """What must be said about a chain beside its table."""
    notes = []
    if chain.count > 1 and not chain.of_norms:
        sums = [number(p.value) for p in chain.paths] + ([f"{number(chain.rest)} (the others)"] if chain.others else [])
        told = f"{chain.name} = {number(chain.value)} is a sum over {chain.counted} paths: {' + '.join(sums)}"
        notes.append(f"{told}; the table shows the largest".replace("+ −", "− "))
    if chain.count > 1 and chain.of_norms:
        notes.append(f"one of {chain.counted} paths: the one that carries the largest share")
    return notes + [f"no gradient passes {cut}" for cut in chain.cuts]


# ---------------------------------------------------------------------------------------------------- one box a layer


def draw_layers(found: tuple[list[Layer], list[Node], list[Link]], canvas: Canvas) -> str:
    """The picture at the level of layers, as DOT."""
    boxes, loose, links = found
    g = canvas.graph(0.25)
    for layer in boxes:
        _write_layer(g, layer, canvas)
    for node in loose:
        _write_node(g, node, canvas)
        targets = {edge.target for edge in node.outputs}
        if node.role == "constant" and len(targets) == 1 and targets <= set(loose):  # labels stand below the cost
            with g.subgraph() as column:
                column.attr(rank="same")
                column.edge(node.id, targets.pop().id, style="invis")
    for link in links:
        _write_link(g, link, canvas, said=link.source in {node.id for node in loose})
    _legend(g, canvas)
    return str(g.source)


def _write_layer(g: Any, layer: Layer, canvas: Canvas) -> None:
    c = canvas.colours
    head = _bold(text(layer.title)) + (f"&#160;&#160; {text(_shorter(layer.formula))}" if layer.formula else "")
    cells = [_td(_font(_pad(w), c.soft, 9), align=a) for w, a in zip(_COLUMNS, _SIDES, strict=True)]
    rows = _tr(*cells)
    strong = layer.bar[0] if layer.bar else ""
    for node in layer.nodes[:ROWS_LIMIT]:
        rows += _tensor_row(node, node.role == "leaf" and node.expr.text == strong)
    if len(layer.nodes) > ROWS_LIMIT:
        rows += _tr(
            _td(
                _font(_pad(f"… and {len(layer.nodes) - ROWS_LIMIT:,} more tensors"), c.soft, 9), colspan=4, align="left"
            )
        )
    if layer.slope:
        name, mean, top = layer.slope
        limit = "" if top is None else "&#160;" + _font(f"&#160;(at most {number(top)})", c.soft, 9)
        rows += _tr(_td(f"&#160;mean {text(name)} = {number(mean)}{limit}", colspan=4, align="left"))
    if layer.bar:
        label = _font(_pad(text(f"‖∂{canvas.root}/∂{layer.bar[0]}‖")), c.soft, 9)
        bar = _bar(layer.bar[1], 156, canvas)
        rows += _tr(_td(label, align="left"), _td(bar, colspan=3, align="left", width=156))
    mark = canvas.wrt is not None and any([n.tensor is canvas.wrt for n in layer.nodes])
    # The lanes end at the sides of the box, at two fixed heights, whatever the rows in it.
    lanes = _table(rows, cellpadding=3)
    body = _tr(_td(lanes, colspan=2))
    g.node(layer.id, label=_box(head, "act", body, 2, c, mark), tooltip=_tip(layer.formula or layer.title))


_COLUMNS = ("tensor", "shape", "‖value‖", "‖grad‖")
_SIDES = ("left", "right", "right", "right")


def _tensor_row(node: Node, strong: bool) -> str:
    grad = "—" if node.grad is None else number(norm(node.grad))
    cells = [text(node.expr.text), text(_shape(node.value)), number(norm(node.value)), _bold(grad) if strong else grad]
    return _tr(*[_td(_pad(cell), align=side) for cell, side in zip(cells, _SIDES, strict=True)])


def _told(width: str, c: Palette) -> dict[str, str]:
    return {"label": _label(_font(text(f" {width} "), c.soft))} if width else {}


def _write_link(g: Any, link: Link, canvas: Canvas, said: bool = False) -> None:
    """Forward edge with the shape, unless the box has said it; backward edge with the norm of what comes back."""
    c = canvas.colours
    more = f" and {link.count - len(link.names):,} more" if link.count > len(link.names) else ""
    width = "" if said else link.width if link.count == 1 else f"{link.count:,} tensors"
    g.edge(link.source, link.target, weight="20", **_told(width, c))
    if link.flow is None:
        return
    names = ", ".join([n for n in link.names if n])
    first = (
        f"‖∂{canvas.root}/∂{names}‖"
        if link.count == 1 and names
        else f"‖{_shorter(names, 20)}{more}‖"
        if names
        else "‖grad‖"
    )
    if not link.flow:
        g.edge(link.source, link.target, dir="back", style="dashed", label=_two_lines(first, "= 0", c.soft))
        return
    line, ink, thick = canvas.scale.line(link.flow, c)
    label = _two_lines(first, f"= {number(link.flow)}", ink)
    g.edge(link.source, link.target, dir="back", color=line, penwidth=str(thick), label=label)


# ------------------------------------------------------------------------------------- one box a thousand operations


def draw_blocks(found: tuple[list[Block], list[Link]], canvas: Canvas) -> str:
    """The picture of a graph too large for anything else, as DOT."""
    g = canvas.graph(0.25)
    for block in found[0]:
        _write_block(g, block, canvas)
    for link in found[1]:
        _write_link(g, link, canvas)
    _legend(g, canvas)
    return str(g.source)


def _write_block(g: Any, block: Block, canvas: Canvas) -> None:
    c = canvas.colours
    facts = [("", f"{count:,} × {name}") for name, count in block.kinds[:4]]
    if len(block.kinds) > 4:
        facts.append(("", f"{len(block.kinds) - 4:,} other kinds"))
    if block.leaves:
        facts.append(("leaves", f"{block.leaves:,}"))
    if block.named[1]:
        more = f" … ({block.named[1]:,} names)" if block.named[1] > len(block.named[0]) else ""
        facts.append(("names", _shorter(", ".join(block.named[0]), 30) + more))
    if block.scopes:
        facts.append(("scopes", _shorter(" – ".join(block.scopes), 36)))
    facts.append(("‖grad‖ at its end", "—" if block.grad is None else number(block.grad)))
    rows = "".join([_row(f"f{i}", name, value, c) for i, (name, value) in enumerate(facts)])
    g.node(
        block.id, label=_box(_bold(text(block.title)), "pre", rows, 2, c, block.wrt), tooltip=f"{block.ops} operations"
    )
