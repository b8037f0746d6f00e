"""The derivative spelled out: a sum over paths of products of local derivatives, as data, text and LaTeX.

Paths can be exponentially many. Their number and their sum come from one walk over the graph each; the largest few by
magnitude are found by deviation: the best path, then the best that leaves it at some node, and so on. Each costs no
more than its own length.
"""

from __future__ import annotations

import heapq
import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygrad_vg.drawing.formula import PRODUCT, Expr, Product, latex_number, literal, number, variable
from tinygrad_vg.drawing.model import Ancestry, Edge, Model, Node, norm
from tinygrad_vg.tensor import Tensor

__all__ = ["Chain", "Path", "Term", "explain"]

SHOWN_PATHS = 5
SHOWN_TERMS = 16
COUNT_LIMIT = 10**18
"""Paths are counted up to here; exact counts of deep graphs have thousands of digits."""


@dataclass(frozen=True, slots=True)
class Term:
    """One factor of a path: a local derivative, or two that belong together, such as w₂σ′(z₂).

    Attributes
    ----------
    expr
        How it is written; `text` and `latex` give its two forms.
    value
        The number; for arrays the factor by which the norm of the cotangent changes.
    product
        The product of this and all terms behind it, up to the root; for arrays the norm of the cotangent here.
    edges
        The edges of the picture it stands for.
    """

    expr: Expr
    value: float
    product: float
    edges: tuple[Edge, ...] = field(repr=False, default=())

    @property
    def text(self) -> str:
        """``w₂σ′(z₂)``."""
        return self.expr.text

    @property
    def latex(self) -> str:
        """The same in LaTeX."""
        return self.expr.latex


@dataclass(frozen=True, slots=True)
class Path:
    """One way from the variable to the root: its terms, and their product."""

    terms: tuple[Term, ...]
    value: float

    @property
    def edges(self) -> tuple[Edge, ...]:
        """The edges of the picture on it, from the variable to the root."""
        return tuple([edge for term in self.terms for edge in term.edges])

    @property
    def text(self) -> str:
        """``σ′(z₁) · w₂σ′(z₂) · ∂C/∂a₂``; the middle of a very long product is left out and counted."""
        return " · ".join([t if isinstance(t, str) else t.text for t in self._factors()])

    @property
    def latex(self) -> str:
        """The same in LaTeX."""
        return r" \cdot ".join([r"\cdots" if isinstance(t, str) else t.latex for t in self._factors()])

    def _factors(self) -> list[Expr | str]:
        """What stands between the dots."""
        shown, alone = _shortened(self.terms), len(self.terms) == 1
        return [t if isinstance(t, str) else _factor(t, i, alone) for i, t in enumerate(shown)] or [literal(1.0)]


@dataclass(frozen=True, slots=True)
class Chain:
    """What `explain` returns.

    Attributes
    ----------
    of, by
        What is differentiated and by what: names as they are drawn.
    value
        The derivative: a float, or the gradient as an array.
    paths
        The largest paths by magnitude.
    count
        How many paths there are (at most 10¹⁸ is counted).
    rest
        The sum of all paths that are not in `paths`.
    cuts
        Where paths end without reaching the root: ``stop_gradient between x and C``.
    of_norms
        True if arrays are on the way: then the terms are ratios of norms along one path.
    """

    of: Expr
    by: Expr
    value: Any
    paths: tuple[Path, ...]
    count: int
    rest: float
    cuts: tuple[str, ...] = ()
    of_norms: bool = False

    @property
    def terms(self) -> tuple[Term, ...]:
        """The terms of the largest path, from the variable to the root; empty if there is no path."""
        return self.paths[0].terms if self.paths else ()

    @property
    def name(self) -> str:
        """``∂C/∂b₁``."""
        return f"∂{self.of.text}/∂{self.by.text}"

    @property
    def others(self) -> int:
        """How many paths are not in `paths`."""
        return self.count if self.count == COUNT_LIMIT else self.count - len(self.paths)

    @property
    def counted(self) -> str:
        """How many paths there are, in words."""
        return _counted(self.count)

    def latex(self) -> str:
        """The formula in LaTeX, for math mode."""
        left = rf"\frac{{\partial {self.of.latex}}}{{\partial {self.by.latex}}}"
        sums = [path.latex for path in self.paths] or ["0"]
        if self.of_norms:
            return rf"\left\Vert {left} \right\Vert = {latex_number(norm(self.value))} \quad (" + sums[0] + ")"
        more = r" + \cdots" if self.others else ""
        return f"{left} = {' + '.join(sums)}{more} = {latex_number(self.value)}".replace("+ -", "- ")

    def _repr_latex_(self) -> str:
        return f"${self.latex()}$"

    def __str__(self) -> str:
        lines = [self._headline()]
        for path in self.paths:
            if len(self.paths) > 1:
                lines += ["", f"  {_equal(path.text, path.value)}"]
            if len(path.terms) > 1:
                lines += ["", *_table(path.terms, self)]
        if self.others > 0 and not self.of_norms:
            lines += ["", f"  and {_counted(self.others)} more paths, together {number(self.rest)}"]
        lines += [f"  no gradient passes {cut}" for cut in self.cuts]
        return "\n".join(lines).replace("\n\n\n", "\n\n")

    def _headline(self) -> str:
        if self.of_norms:
            size = number(norm(self.value))
            text = f"‖{self.name}‖ = {size}, shape {np.shape(self.value)}"
            if self.paths:
                text += f"\n\n  {self.paths[0].text}"
                more = f"; the path with the largest share of {_counted(self.count)}" if self.count > 1 else ""
                text += f"\n  (terms as ratios of the norm of the cotangent{more})"
            return text
        if not self.paths:
            why = "every path is cut" if self.cuts else f"{self.of.text} does not depend on {self.by.text}"
            return (
                f"{self.name} = {number(self.value)}: {why}"
                if self.value == 0
                else f"{self.name} = {number(self.value)}"
            )
        if len(self.paths) == 1 and not self.others:
            return f"{self.name} = {_equal(self.paths[0].text, self.value)}"
        return f"{self.name} = {number(self.value)}, the sum over {_counted(self.count)} paths"


def explain(t: Tensor, wrt: Tensor) -> Chain:
    """Spell a derivative out as a sum over paths of products of named local derivatives.

    Parameters
    ----------
    t : Tensor
        What to differentiate, of one element.
    wrt : Tensor
        By what.

    Returns
    -------
    Chain
        ``print`` it, or use its ``value``, ``terms``, ``paths`` and ``latex()``.

    Raises
    ------
    TypeError
        If one of the two is no Tensor.
    ValueError
        If `t` has several elements.

    Notes
    -----
    The terms follow the picture that `draw` makes. Where arrays are on the way, a factor is a matrix; this version
    gives, along the path with the largest share, the norm of the cotangent at each tensor and the ratio of neighbours.
    Spectral norms and mean singular values of the factors are not in it.
    """
    for given, place in ((t, "first"), (wrt, "second")):
        if type(given) is not Tensor:
            raise TypeError(f"explain: the {place} argument must be a Tensor, not {type(given).__name__}")
    if t.size != 1:
        raise ValueError(f"explain: {t.label()} has shape {t.shape}; only a single number is explained. Sum it first")
    return chain_of(Model(Ancestry(t, wrt)), wrt)


def chain_of(model: Model, wrt: Tensor) -> Chain:
    """The chain from `wrt` to the root of a model that shows `wrt`."""
    start, root = model.node_of(wrt), model.root
    if start is None:
        zero = 0.0 if wrt.size == 1 else np.zeros(wrt.shape)
        return Chain(root.expr, variable(wrt.name or "x"), zero, (), 0, 0.0, of_norms=wrt.size != 1)
    cuts = _cuts(start)
    if start is root:
        return Chain(root.expr, root.expr, 1.0, (Path((), 1.0),), 1, 0.0)
    paths = _Paths(model, start)
    if paths.of_norms:
        gradient = np.zeros(wrt.shape) if start.grad is None else start.grad
        best = (_ratios(paths.heaviest()),) if paths.count[start] else ()
        return Chain(root.expr, start.expr, gradient, best, paths.count[start], 0.0, cuts, True)
    found = tuple([_product(edges) for edges in paths.largest(SHOWN_PATHS)])
    total, count = paths.total[start], paths.count[start]
    rest = total - math.fsum([p.value for p in found]) if count > len(found) else 0.0
    return Chain(root.expr, start.expr, total, found, count, rest, cuts)


# ------------------------------------------------------------------------------------------------------------- paths


class _Paths:
    """All paths from a node to the root: their number, their sum, and the largest."""

    def __init__(self, model: Model, start: Node) -> None:
        self.model, self.start = model, start
        below = _reachable(start)
        self.order = [node for node in reversed(model.nodes) if node in below]  # the root first
        self.ways = {node: [e for e in node.outputs if not e.cut] for node in self.order}
        self.of_norms = any([e.value is None for ways in self.ways.values() for e in ways])
        self.count: dict[Node, int] = {model.root: 1}
        self.total: dict[Node, float] = {model.root: 1.0}
        self.best: dict[Node, float] = {model.root: 0.0}  # log₁₀ of the largest product from here
        for node in self.order:
            if node is not model.root:
                self._visit(node)

    def _visit(self, node: Node) -> None:
        ways = [e for e in self.ways[node] if self.count[e.target]]
        self.count[node] = min(sum([self.count[e.target] for e in ways]), COUNT_LIMIT)
        if self.of_norms:
            ways.sort(key=lambda e: -(e.flow or 0.0))
        else:
            self.total[node] = math.fsum([_times(e.value, self.total[e.target]) for e in ways])
            ways.sort(key=lambda e: -self._size(e))
            self.best[node] = self._size(ways[0]) if ways else -math.inf
        self.ways[node] = ways

    def _size(self, edge: Edge) -> float:
        """log₁₀ of the largest product of a path that starts with this edge."""
        return _log(edge.value or 0.0) + self.best[edge.target]

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

    def largest(self, k: int) -> list[list[Edge]]:
        """The `k` largest paths by magnitude, each found as the best deviation from one found before."""
        if not self.count[self.start]:
            return []
        found: list[list[Edge]] = []
        # (minus size, number, the path it leaves, where, by which of the ways there)
        queue: list[tuple[float, int, list[Edge], int, int]] = [(0.0, 0, self._onward(self.start), 0, 0)]
        number_ = 0
        while queue and len(found) < k:
            _, _, path, place, rank = heapq.heappop(queue)
            node = path[place].source
            if rank:
                edge = self.ways[node][rank]
                path = [*path[:place], edge, *self._onward(edge.target)]
            found.append(path)
            before = math.fsum([_log(e.value or 0.0) for e in path[:place]])
            for i in range(place, len(path)):
                ways, other = self.ways[path[i].source], rank + 1 if i == place else 1
                if other < len(ways):
                    number_ += 1
                    heapq.heappush(queue, (-(before + self._size(ways[other])), number_, path, i, other))
                before += _log(path[i].value or 0.0)
        return found


def _times(a: float | None, b: float) -> float:
    return 0.0 if a is None else a * b


def _log(x: float) -> float:
    """log₁₀|x|; what is not a number comes first, so that it is seen."""
    return math.inf if x != x else math.log10(abs(x)) if x else -math.inf


def _reachable(start: Node, cut: bool = False) -> set[Node]:
    """The nodes that depend on `start`; through cuts too, if asked."""
    found, stack = {start}, [start]
    while stack:
        for edge in stack.pop().outputs:
            if edge.target not in found and (cut or not edge.cut):
                found.add(edge.target)
                stack.append(edge.target)
    return found


def _cuts(start: Node) -> tuple[str, ...]:
    """Where paths from `start` meet an operation that passes no gradient."""
    cut = [e for node in _reachable(start, cut=True) for e in node.outputs if e.cut_by]
    told = sorted({(e.target.id, f"{e.cut_by} between {e.source.expr.text} and {e.target.expr.text}") for e in cut})
    return tuple([text for _, text in told])


# ------------------------------------------------------------------------------------------------------------- terms


def _groups(edges: Sequence[Edge]) -> list[list[Edge]]:
    """Edges joined into terms: factors of 1 go with their neighbour, a weight with the σ′ behind it."""
    groups: list[list[Edge]] = []
    ones: list[Edge] = []
    for edge in edges:
        if edge.is_one:
            ones.append(edge)
            continue
        pair = groups and _is_plain(groups[-1]) and _is_function(edge) and not ones
        if pair:
            groups[-1].append(edge)
        else:
            groups.append([*ones, edge])
        ones = []
    if ones:
        groups = [*groups[:-1], [*groups[-1], *ones]] if groups else [ones]
    return groups


def _is_plain(group: list[Edge]) -> bool:
    """A single factor such as w₂, that a σ′(z₂) may join."""
    return sum([not e.is_one for e in group]) == 1 and all(
        ["(" not in e.symbol.text and not e.is_partial for e in group]
    )


def _is_function(edge: Edge) -> bool:
    return "′(" in edge.symbol.text and not edge.is_partial


def _group_expr(edges: Sequence[Edge]) -> Expr:
    """How a term is written."""
    shown = [e for e in edges if not e.is_one]
    if len(shown) == 1:
        return shown[0].symbol
    product = Product()
    for edge in shown:
        product = product.times(Product(1.0, (edge.symbol,)) if edge.is_partial else edge.local)
    return product.expr() if shown else literal(1.0)


def _product(edges: Sequence[Edge]) -> Path:
    """A path of single numbers as terms with the running product."""
    terms: list[Term] = []
    running = 1.0
    for group in reversed(_groups(edges)):
        value = math.prod([e.value or 0.0 for e in group])
        running *= value
        expr = _group_expr(group)
        terms.append(Term(expr, value, running, tuple(group)))
    return Path(tuple(terms[::-1]), running)


def _ratios(edges: Sequence[Edge]) -> Path:
    """A path through arrays as terms with the norm of the cotangent, and the ratio of neighbouring norms."""
    terms = []
    for group in _groups(edges):
        here, there = _norm_of(group[0].source), _norm_of(group[-1].target)
        expr = _group_expr(group)
        terms.append(Term(expr, here / there if there else math.nan, here, tuple(group)))
    return Path(tuple(terms), _norm_of(edges[0].source))


def _norm_of(node: Node) -> float:
    return 0.0 if node.grad is None else norm(node.grad)


# -------------------------------------------------------------------------------------------------------------- text


def _factor(term: Term, place: int, alone: bool) -> Expr:
    """A term as a factor of the product: sums, and a minus that is not in front, in parentheses."""
    in_front = place == 0 and term.text.startswith("−") and " + " not in term.text and " − " not in term.text
    return term.expr if alone or in_front else term.expr.inside(PRODUCT)


def _equal(text: str, value: float) -> str:
    """``formula = number``, or only the number if the formula is nothing else."""
    return text if text == number(value) else f"{text} = {number(value)}"


def _shortened(terms: Sequence[Term]) -> list[Term | str]:
    """The terms, or their two ends with the number of those left out between them."""
    if len(terms) <= SHOWN_TERMS:
        return list(terms)
    half = SHOWN_TERMS // 2
    return [*terms[:half], f"… ({_counted(len(terms) - 2 * half)} more) …", *terms[-half:]]


def _counted(n: int) -> str:
    return f"{n:,}" if n < COUNT_LIMIT else "at least 10¹⁸"


def _table(terms: Sequence[Term], chain: Chain) -> list[str]:
    """The terms, one a line: its value and the product from there to the root."""
    heads = ("term", "ratio" if chain.of_norms else "value")
    last = "‖cotangent‖" if chain.of_norms else f"product from here to {chain.of.text}"
    rows: list[tuple[str, str, str]] = [(*heads, last)]
    for term in _shortened(terms):
        rows.append((term, "", "") if isinstance(term, str) else (term.text, number(term.value), number(term.product)))
    widths = [max([_width(row[i]) for row in rows]) for i in (0, 1)]
    return ["  " + (_pad(a, widths[0]) + "  " + _pad(b, widths[1], right=True) + "  " + c).rstrip() for a, b, c in rows]


def _width(text: str) -> int:
    """How many columns a terminal gives to a text: two to each Chinese character."""
    return sum([0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text])


def _pad(text: str, width: int, right: bool = False) -> str:
    space = " " * (width - _width(text))
    return space + text if right else text + space
