"""`draw` and the `Graph` it returns: the picture as DOT, SVG, PNG, PDF, and as an outline in plain text."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_vg.drawing import dot, levels
from tinygrad_vg.drawing.explanation.chains import Chain, chain_of
from tinygrad_vg.drawing.formula import number, shown
from tinygrad_vg.drawing.model import Ancestry, Model, Node, describe
from tinygrad_vg.drawing.theme import Scale, dark_css, palette
from tinygrad_vg.tensor import Tensor

__all__ = ["Graph", "draw"]

LEVELS = ("auto", "scalar", "tensor", "layer")
THEMES = ("auto", "light", "dark")
MAX_NODES = 60
OUTLINE_LINES = 60


def draw(
    t: Tensor, wrt: Tensor | None = None, level: str = "auto", theme: str = "auto", max_nodes: int = MAX_NODES
) -> Graph:
    """Draw what a tensor was computed from, with its backprop.

    Parameters
    ----------
    t : Tensor
        The root. The gradients shown are the drawing's own sweep; no ``.grad`` is read or changed. If `t` has several
        elements, they are those of its sum, and the picture says so.
    wrt : Tensor, optional
        Highlight the path from here to the root, and put the product of its terms under the picture.
    level : {"auto", "scalar", "tensor", "layer"}
        One box a named tensor ("scalar" and "tensor": the same picture, of numbers or of arrays), or one a layer, that
        is a `name_scope`. "auto" takes the finest that has at most `max_nodes` boxes.
    theme : {"auto", "light", "dark"}
        "auto" follows the reader's system (SVG; elsewhere light).
    max_nodes : int
        A picture with more boxes is drawn coarser: by layer, and if there are none, in eight blocks of operations.
        It says so.

    Returns
    -------
    Graph

    Raises
    ------
    TypeError
        If `t` or `wrt` is no Tensor.
    ValueError
        For an unknown level or theme, or a `wrt` that `t` was not computed from.

    Examples
    --------
    >>> import tinygrad_vg as vg
    >>> x = vg.Tensor(3.0, "x")
    >>> print(draw((x * x).named("y")))  # doctest: +NORMALIZE_WHITESPACE
    x input   value 3   grad 6
    y = x·x   value 9   grad 1
      from x ×x = 3
      from x ×x = 3
    """
    if type(t) is not Tensor or (wrt is not None and type(wrt) is not Tensor):
        wrong = t if type(t) is not Tensor else wrt
        raise TypeError(f"draw needs a Tensor, not {type(wrong).__name__}: a plain array does not know what made it")
    for word, given, known in (("level", level, LEVELS), ("theme", theme, THEMES)):
        if given not in known:
            raise ValueError(f"{word} must be one of {', '.join(known)}, got {given!r}")
    if max_nodes < 1:
        raise ValueError(f"max_nodes must be at least 1, got {max_nodes}")
    ancestry = Ancestry(t, wrt)
    if wrt is not None and wrt not in ancestry.visible:
        raise ValueError(f"draw: the tensor was not computed from wrt={wrt.label()}")
    return Graph(_plan(ancestry, level, max_nodes), theme)


# ------------------------------------------------------------------------------------------------- choosing the level


@dataclass
class Plan:
    """What will be drawn, at which level, and what is to be said about it."""

    ancestry: Ancestry
    level: str
    notes: list[str]
    model: Model | None = None
    layers: tuple[list[levels.Layer], list[Node], list[levels.Link]] | None = None
    blocks: tuple[list[levels.Block], list[levels.Link]] | None = None
    chain: Chain | None = None

    @property
    def root(self) -> str:
        """The root's name as it is drawn."""
        return shown(self.ancestry.names[self.ancestry.root])

    def scale(self) -> Scale:
        """The scale on which everything coloured in the picture can be told apart."""
        flows: list[float | None] = []
        if self.layers:
            flows = [link.flow for link in self.layers[2]]
            flows += [layer.bar[1] for layer in self.layers[0] if layer.bar]
        elif self.blocks:
            flows = [link.flow for link in self.blocks[1]]
        elif self.model:
            flows = [edge.flow for edge in self.model.edges]
        return Scale.of(flows + [term.product for term in (self.chain.terms if self.chain else ())])


def _plan(ancestry: Ancestry, level: str, max_nodes: int) -> Plan:
    count = len(ancestry.visible)
    plan = Plan(ancestry, level, [])
    if ancestry.root.size != 1:
        plan.notes.append(f"gradients of the sum of the elements of {plan.root}, shape {ancestry.root.shape}")
    fine = level != "layer" and count <= max_nodes
    scoped = any([t.node.scope for t in ancestry.tensors if t.node is not None])
    if fine or (count <= levels.MODEL_LIMIT and (scoped or count <= max_nodes)):
        model = Model(ancestry)
        if fine and len(model.nodes) <= max_nodes:  # constant arrays are boxes too
            plan.level, plan.model = "tensor", model
        else:
            found = levels.layers(model)
            if found[0] and len(found[0]) + len(found[1]) <= max_nodes:
                plan.level, plan.model, plan.layers = "layer", model, found
            elif level == "layer" and not found[0] and len(model.nodes) <= max_nodes:
                plan.level, plan.model = "tensor", model
                plan.notes.append("one box a named tensor: there are no layers (no name_scope) in this graph")
    if plan.model is None:
        plan.level, plan.blocks = "blocks", levels.blocks(ancestry)
    if plan.blocks or (plan.layers and level != "layer"):
        plan.notes.append(_coarser(plan, count, max_nodes))
    if level == "scalar" and plan.level == "tensor" and any([t.size != 1 for t in ancestry.visible]):
        plan.notes.append("one box a named tensor: there are arrays in this graph, which no level takes apart")
    plan.notes += _not_finite(ancestry)
    if ancestry.wrt is not None and plan.model is not None and ancestry.root.size == 1:
        plan.chain = chain_of(plan.model, ancestry.wrt)
        plan.notes = dot.chain_notes(plan.chain) + plan.notes
    return plan


def _not_finite(ancestry: Ancestry) -> list[str]:
    """Where the first number that is none comes from, forwards or backwards."""
    forwards = [(t, t._array, "value") for t in ancestry.tensors]
    backwards = [(t, ancestry.cotangents.get(t), "gradient") for t in reversed(ancestry.tensors)]
    for t, array, what in forwards + backwards:
        if array is not None and not np.all(np.isfinite(array)):
            word = "NaN (not a number)" if np.any(np.isnan(array)) else "∞"
            op = t.node.op.name if t.node is not None else "leaf"
            where = f"{what} of {shown(ancestry.names[t])}" if t in ancestry.names else f"{what} that {op} makes"
            where = where.replace("gradient that", "gradient of what")
            return [f"{word}, drawn in orange, first appears in the {where}"]
    return []


def _coarser(plan: Plan, count: int, max_nodes: int) -> str:
    """The sentence that says that this is a summary."""
    ops = sum([t.node is not None for t in plan.ancestry.tensors])
    what = "one box a layer" if plan.layers else f"{len(plan.blocks[0]) if plan.blocks else 0} blocks in order of birth"
    return f"summary: {ops:,} operations, {count:,} nodes are more than max_nodes={max_nodes:,}, so {what}"


# --------------------------------------------------------------------------------------------------------------- Graph


class Graph:
    """A picture of a graph; made by `draw`.

    Attributes
    ----------
    level : str
        At which level it is drawn: ``tensor``, ``layer``, or ``blocks``.
    theme : str
        ``auto``, ``light`` or ``dark``.
    chain : Chain or None
        With ``wrt``, the terms under the picture as data.
    notes : list of str
        What stands under the picture in words, such as that it is a summary.
    """

    def __init__(self, plan: Plan, theme: str) -> None:
        self._plan = plan
        self.theme = theme
        self.level = plan.level
        self.chain = plan.chain
        self.notes = list(plan.notes)

    @cached_property
    def source(self) -> str:
        """The DOT text."""
        plan = self._plan
        wrt = plan.ancestry.wrt
        canvas = dot.Canvas(palette(self.theme), plan.scale(), self.chain, self.notes, plan.root, wrt)
        if plan.layers:
            return dot.draw_layers(plan.layers, canvas)
        if plan.blocks:
            return dot.draw_blocks(plan.blocks, canvas)
        assert plan.model is not None
        return dot.draw_nodes(plan.model, canvas)

    def to_svg(self, *, timeout: float = 60.0) -> str:
        """The picture as one ``<svg>`` element, titled and described.

        Parameters
        ----------
        timeout : float
            Seconds for the layout.

        Raises
        ------
        NoLayoutEngineError
            If there is no Graphviz here; the message says how to get one.
        LayoutError
            If the layout failed or took too long.
        """
        from tinygrad_vg.drawing.layout import finish_svg

        css = dark_css() if self.theme == "auto" else ""
        svg = dot.plain_tooltips(self._render("svg", timeout=timeout).decode())
        return finish_svg(svg, title=self.title, description=self.description, css=css)

    def save(self, path: str | os.PathLike[str], *, timeout: float = 60.0) -> Path:
        """Write the picture, in the format its suffix names: ``.svg``, ``.png``, ``.pdf``, ``.dot`` or ``.html``.

        ``.html`` is the page that `explore` writes.

        Returns
        -------
        Path
            Where it is.

        Raises
        ------
        ValueError
            For another suffix.
        """
        from tinygrad_vg.drawing.layout import write_atomically

        target = Path(path)
        suffix = target.suffix.lower()
        if suffix == ".svg":
            data = self.to_svg(timeout=timeout).encode()
        elif suffix in (".dot", ".gv"):
            data = self.source.encode()
        elif suffix in (".html", ".htm"):
            from tinygrad_vg.drawing.explorer.explorer import page_of

            data = page_of(self._plan, theme=self.theme, title=self.title, description=self.description).encode()
        elif suffix in (".png", ".pdf"):
            data = self._render(suffix[1:], timeout=timeout, **({"dpi": 144.0} if suffix == ".png" else {}))
        else:
            known = ".svg, .png, .pdf, .dot or .html"
            raise ValueError(f"save: unknown suffix {target.suffix!r} of {target.name!r}; use {known}")
        write_atomically(target, data)
        return target

    def _render(self, format: str, **settings: Any) -> bytes:
        """Lay it out; where Graphviz's router loses an edge (a bug it has), ask for less, then for straight lines."""
        from tinygrad_vg.drawing import layout

        loose = self.source.replace("rank=same", "")
        for source in (self.source, loose):
            try:
                return layout.render(source, format, **settings)
            except layout.LayoutError as error:
                if "routesplines" not in str(error):
                    raise
        return layout.render(loose.replace("splines=true", "splines=line"), format, **settings)

    @property
    def title(self) -> str:
        """What the picture is of, in a few words."""
        name = self._plan.root.replace("\n", " ")
        return f"{self.chain.name}, along the backprop graph of {name}" if self.chain else f"Backprop graph of {name}"

    @property
    def description(self) -> str:
        """What the picture shows, in a sentence or two, for those who do not see it."""
        found = [f"{self.chain.headline}."] if self.chain else []
        if self._plan.layers:
            bars = [(layer.title, *layer.bar) for layer in self._plan.layers[0] if layer.bar]
            if bars:
                told = ", ".join([f"{number(size)} in {title} ({name})" for title, name, size in bars])
                found.append(f"Norm of the gradient: {told}.")
        return " ".join(found + [note + "." for note in self.notes]) or self.title

    # ----------------------------------------------------------------------------------------------- text and notebooks

    def __repr__(self) -> str:
        return f"<Graph of {self._plan.root!r}: level {self.level}, {len(self._plan.ancestry.tensors):,} tensors>"

    def __str__(self) -> str:
        """An outline: one line a box, its inputs under it, then the chain."""
        lines = self._outline()
        if len(lines) > OUTLINE_LINES:
            lines = [*lines[:OUTLINE_LINES], f"… and {len(lines) - OUTLINE_LINES:,} more lines"]
        if self.chain is None:
            return "\n".join([*lines, *self.notes])
        said = dot.chain_notes(self.chain)  # by the chain itself
        return "\n".join([*lines, "", str(self.chain), *[note for note in self.notes if note not in said]])

    def _outline(self) -> list[str]:
        plan = self._plan
        if plan.blocks:
            return [_block_line(block) for block in plan.blocks[0]]
        if plan.layers:
            loose = [_node_line(node) for node in plan.layers[1]]
            return [line for layer in plan.layers[0] for line in _layer_lines(layer)] + loose
        assert plan.model is not None
        return _node_lines(plan.model)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """For notebooks: SVG and the outline; the outline and one sentence where nothing can lay the graph out."""
        from tinygrad_vg.drawing.layout import LayoutError

        try:
            return {"image/svg+xml": self.to_svg(), "text/plain": str(self)}
        except LayoutError as error:  # a cell must not die of a missing program
            return {"text/plain": f"{self}\n\n{error}"}


def _one_line(text: str) -> str:
    return text.replace("\n", "␊")


def _node_line(node: Node) -> str:
    head = node.equation if node.formula else f"{node.expr.text} {describe(node)}"
    rows = "   ".join([f"{name} {value}" for _, name, value in dot.value_rows(node)])
    return _one_line(f"{head}   {rows}")


def _by_scope(nodes: Sequence[Node]) -> list[Node]:
    """The nodes of each scope together; a leaf outside the scopes in front of the one that uses it first."""
    first: dict[tuple[str, ...], int] = {}
    for k, node in enumerate(nodes):
        first.setdefault(node.scope, k)

    def place(k: int) -> tuple[int, bool]:
        node = nodes[k]
        if node.scope:
            return first[node.scope], True
        user = node.outputs[0].target.scope if not node.inputs and node.outputs else ()
        return (min(k, first[user]) if user else k), False

    return [nodes[k] for k in sorted(range(len(nodes)), key=place)]


def _node_lines(model: Model) -> list[str]:
    lines: list[str] = []
    scope: tuple[str, ...] = ()
    for node in _by_scope(model.as_read):
        if node.scope != scope:
            scope = node.scope
            lines += [f"[{_one_line(' / '.join([shown(s) for s in scope]))}]"] if scope else []
        indent = "  " * bool(scope)
        lines.append(indent + _node_line(node))
        for edge in node.inputs:
            words = " ".join([w for w in dot.edge_words(edge) if w]) if not edge.cut else edge.cut_by and "no gradient"
            if words:
                lines.append(_one_line(f"{indent}  from {edge.source.expr.text} {words}"))
    return lines


def _layer_lines(layer: levels.Layer) -> list[str]:
    return [_one_line(f"[{layer.title}] {layer.formula}"), *["  " + _node_line(node) for node in layer.nodes]]


def _block_line(block: levels.Block) -> str:
    kinds = ", ".join([f"{count:,} × {name}" for name, count in block.kinds[:4]])
    grad = "—" if block.grad is None else number(block.grad)
    return f"{block.title}: {kinds}   ‖grad‖ at its end {grad}"
