"""The derivative spelled out: a sum over paths of products of local derivatives, as data, text, LaTeX and HTML.

Source: Nielsen, "Neural Networks and Deep Learning", ch. 5: ∂C/∂b₁ = σ′(z₁) · w₂σ′(z₂) · w₃σ′(z₃) · w₄σ′(z₄) · ∂C/∂a₄
for a chain of neurons, and δˡ = Σ′(zˡ)(wˡ⁺¹)ᵀΣ′(zˡ⁺¹) … Σ′(zᴸ)∇ₐC for layers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_vg.drawing.explanation.chain_html import chain_html
from tinygrad_vg.drawing.explanation.chain_text import chain_text, counted, headline, one_line, shortened
from tinygrad_vg.drawing.explanation.matrices import Matrix, matrices_of
from tinygrad_vg.drawing.explanation.paths import COUNT_LIMIT, Paths, cuts_of
from tinygrad_vg.drawing.formula import PRODUCT, Expr, Product, latex_number, literal, may_touch, number, variable
from tinygrad_vg.drawing.model import PRODUCTS, Ancestry, Edge, Model, Node, norm
from tinygrad_vg.tensor import Tensor

__all__ = ["Chain", "Path", "Term", "explain"]

SHOWN_PATHS = 5


@dataclass(frozen=True, slots=True, repr=False)
class Term:
    """One factor of a path: a local derivative, or two that belong together, such as w₂σ′(z₂).

    Attributes
    ----------
    expr
        How it is written; `text` and `latex` give its two forms.
    value
        The number; for arrays the factor by which `product` changes.
    product
        The product of this and all terms behind it, up to the root; for arrays the norm of the cotangent here, which
        the chapter calls ‖δ‖. Rows that keep to themselves (samples) are summed first: for a cost that is a mean over
        the samples this is the norm of the mean, and equals that of the bias's gradient.
    edges
        The edges of the picture it stands for.
    matrix
        For arrays, what it multiplies the cotangent by, with its singular values; None if one end is a single number.
    apart
        For rows that keep to themselves, the sum of their norms: `product` if they did not cancel.
    from_left
        For arrays, whether it multiplies from the left, as the Wᵀ of a ``z = W @ a`` does.
    """

    expr: Expr
    value: float
    product: float
    edges: tuple[Edge, ...] = ()
    matrix: Matrix | None = None
    apart: float | None = None
    from_left: bool = False

    @property
    def text(self) -> str:
        """``w₂σ′(z₂)``."""
        return self.expr.text

    @property
    def latex(self) -> str:
        """The same in LaTeX."""
        return self.expr.latex

    def __repr__(self) -> str:
        return f"<Term {one_line(self.text)}: value {number(self.value)}, product {number(self.product)}>"


@dataclass(frozen=True, slots=True, repr=False)
class Path:
    """One way from the variable to the root: its terms, and their product.

    Attributes
    ----------
    terms
        From the variable to the root.
    value
        Their product; for arrays the norm of the variable's gradient.
    of_arrays
        Whether the terms are matrices. Then they are written on the side they multiply from: for rows, where
        z = a @ w, the product is ∂C/∂a₃ · Σ′(z₃) · w₃ᵀΣ′(z₂) · w₂ᵀΣ′(z₁); for columns, W @ a, the other way around.
    """

    terms: tuple[Term, ...]
    value: float
    of_arrays: bool = False

    @property
    def edges(self) -> tuple[Edge, ...]:
        """The edges of the picture on it, from the variable to the root."""
        return tuple([edge for term in self.terms for edge in term.edges])

    @property
    def factors(self) -> list[Expr | str]:
        """What stands between the dots; a text in place of the middle of a very long product."""
        alone, terms = len(self.terms) == 1, self.terms
        if self.of_arrays:
            terms = (*[t for t in terms if t.from_left], *[t for t in reversed(terms) if not t.from_left])
        shown = shortened(terms)
        return [t if isinstance(t, str) else _factor(t, i, alone) for i, t in enumerate(shown)] or [literal(1.0)]

    @property
    def text(self) -> str:
        """``σ′(z₁) · w₂σ′(z₂) · ∂C/∂a₂``; the middle of a very long product is left out and counted."""
        return " · ".join([f if isinstance(f, str) else f.text for f in self.factors])

    @property
    def latex(self) -> str:
        """The same in LaTeX."""
        return r" \cdot ".join([r"\cdots" if isinstance(f, str) else f.latex for f in self.factors])

    def __repr__(self) -> str:
        return f"<Path of {len(self.terms)} terms, value {number(self.value)}>"


@dataclass(frozen=True, slots=True, repr=False)
class Chain:
    """What `explain` returns: ``print`` it for a table; a notebook shows it with bars.

    Attributes
    ----------
    of, by
        What is differentiated and by what: names as they are drawn.
    value
        The derivative: a float, or the gradient as an array.
    paths
        The largest paths by magnitude; with arrays, the one path with the largest share.
    count
        How many paths there are (at most 10¹⁸ is counted).
    rest
        The sum of all paths that are not in `paths`; 0 with arrays.
    cuts
        Where paths end without reaching the root: ``stop_gradient between x and C``.
    of_norms
        True if arrays are on the way: then the terms are matrices (`Term.matrix`), and norms stand for their product.
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
        return counted(self.count)

    @property
    def headline(self) -> str:
        """What was found, in one line."""
        return one_line(headline(self))

    @property
    def rows(self) -> int:
        """How many rows (samples) the gradient is summed over on the way; 1 if it is not."""
        first = self.terms[0] if self.terms else None
        summed = first and first.matrix and first.edges[0].source is not first.matrix.source
        return first.matrix.samples if first and first.matrix and summed else 1

    def latex(self) -> str:
        """The formula in LaTeX, for math mode."""
        left = rf"\frac{{\partial {self.of.latex}}}{{\partial {self.by.latex}}}"
        more = r" + \cdots" if self.others else ""
        sums = " + ".join([path.latex for path in self.paths] or ["0"]).replace("+ -", "- ")
        if self.of_norms:
            over = rf"\sum_{{i=1}}^{{{self.rows}}} " if self.rows > 1 else ""
            if np.ndim(self.value) == 0:
                return rf"{left} = {over}{sums}{more} = {latex_number(self.value)}"
            size = rf"\left\Vert {left} \right\Vert = {latex_number(norm(self.value))}"
            return rf"{left} = {over}{sums}{more}, \quad {size}"
        return f"{left} = {sums}{more} = {latex_number(float(self.value))}"

    def _repr_latex_(self) -> str:
        return f"${self.latex()}$"

    def _repr_html_(self) -> str:
        return chain_html(self)

    def __str__(self) -> str:
        return chain_text(self)

    def __repr__(self) -> str:
        if np.ndim(self.value):
            what = f"‖{self.name}‖ = {number(norm(self.value))}, shape {np.shape(self.value)}"
        else:
            what = f"{self.name} = {number(float(self.value))}"
        what = one_line(what)
        terms = f"{len(self.terms)} term{'s' * (len(self.terms) != 1)}"
        return f"<Chain {what}: {self.counted} paths>" if self.count != 1 else f"<Chain {what}: {terms}>"


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
        If `t` has several elements; if `wrt` is not in the graph, but another tensor of its name is.

    Notes
    -----
    The terms follow the picture that `draw` makes. Of many paths the largest five by magnitude are given, and the sum
    and the number of the others; no walk is exponential.

    Where arrays are on the way, the terms of the path with the largest share are matrices: ``term.matrix`` has the
    spectral norm, the mean singular value, and the matrix itself, each sample's; ``term.product`` is the norm of the
    cotangent on the way. Where the rows of a batch keep to themselves, norms and singular values are means over them.

    Examples
    --------
    >>> import tinygrad_vg as vg
    >>> w, b = vg.Tensor(2.0, "w"), vg.Tensor(-1.0, "b")
    >>> a = vg.sigmoid((w * 0.5 + b).named("z")).named("a")
    >>> chain = explain((a * a).named("C"), wrt=w)
    >>> chain
    <Chain ∂C/∂w = 0.125: 2 paths>
    >>> chain = explain((0.5 * (a - 1) ** 2).named("C"), wrt=w)
    >>> print(chain)
    ∂C/∂w = ½σ′(z) · ∂C/∂a = −0.0625
    <BLANKLINE>
      term    value  product from here to C
      ½σ′(z)  0.125  −0.0625
      ∂C/∂a    −0.5  −0.5
    """
    for given, place in ((t, "first"), (wrt, "second")):
        if type(given) is not Tensor:
            raise TypeError(f"explain: the {place} argument must be a Tensor, not {type(given).__name__}")
    if t.size != 1:
        raise ValueError(f"explain: {t.label()} has shape {t.shape}; only a single number is explained. Sum it first")
    ancestry = Ancestry(t, wrt)
    if wrt not in ancestry.visible and _stranger(wrt).text in _names(ancestry):
        raise ValueError(
            f"explain: {ancestry.names[t]} was not computed from this wrt={wrt.label()}, but from another tensor "
            "of that name; give the one that was used"
        )
    return chain_of(Model(ancestry), wrt)


def _stranger(wrt: Tensor) -> Expr:
    """What a tensor is called that is not in the graph."""
    return variable(wrt.name or "wrt")


def _names(ancestry: Ancestry) -> set[str]:
    """The names in a graph, as they are drawn."""
    return {variable(name).text for name in ancestry.names.values()}


def chain_of(model: Model, wrt: Tensor) -> Chain:
    """The chain from `wrt` to the root of a model that shows `wrt`."""
    start, root = model.node_of(wrt), model.root
    if start is root:
        return Chain(root.expr, root.expr, 1.0, (Path((), 1.0),), 1, 0.0)
    cuts, zero = cuts_of(model, start), 0.0 if wrt.size == 1 else np.zeros(wrt.shape)
    if start is None:
        return Chain(root.expr, _stranger(wrt), zero, (), 0, 0.0, cuts, wrt.size != 1)
    paths = Paths(model, start)
    count = paths.count[start]
    if paths.of_arrays or wrt.size != 1:
        gradient = zero if start.grad is None else start.grad if wrt.size != 1 else float(start.grad.item())
        best = (_through_arrays(paths.heaviest()),) if count else ()
        return Chain(root.expr, start.expr, gradient, best, count, 0.0, cuts, True)
    found, rest = paths.largest(SHOWN_PATHS)
    return Chain(root.expr, start.expr, paths.total[start], tuple([_product(p) for p in found]), count, rest, cuts)


# ------------------------------------------------------------------------------------------------ numbers into terms


def _product(edges: Sequence[Edge]) -> Path:
    """A path of single numbers as terms with the running product."""
    terms: list[Term] = []
    running = 1.0
    groups = _grouped(edges, _weight_before_slope)
    for group in reversed(groups):
        value = math.prod([e.value or 0.0 for e in group])
        running *= value
        terms.append(Term(_written(group, len(groups) == 1), value, running, tuple(group)))
    return Path(tuple(terms[::-1]), running)


def _grouped(edges: Sequence[Edge], pair: Callable[[Edge, Edge], bool]) -> list[list[Edge]]:
    """Edges joined into terms: two that are a pair, and factors of 1 with their neighbour."""
    groups: list[list[Edge]] = []
    ones: list[Edge] = []
    for edge in edges:
        if edge.is_one:
            ones.append(edge)
            continue
        before = [e for e in groups[-1] if not e.is_one] if groups and not ones else []
        if len(before) == 1 and pair(before[0], edge):
            groups[-1].append(edge)
        else:
            groups.append([*ones, edge])
        ones = []
    if ones:
        groups = [*groups[:-1], [*groups[-1], *ones]] if groups else [ones]
    return groups


def _weight_before_slope(first: Edge, second: Edge) -> bool:
    """Whether two numbers on a path are a w₂ and the σ′(z₂) behind it."""
    return _is_plain(first) and _is_slope(second)


def _slope_before_weight(first: Edge, second: Edge) -> bool:
    """Whether two factors of arrays are a σ′(z₁) and the w₂ᵀ behind it: together they lead from δ² to δ¹."""
    return _is_slope(first) and _is_plain(second) and second.target.value.size > 1


def _is_plain(edge: Edge) -> bool:
    return "(" not in edge.symbol.text and not edge.is_partial


def _is_slope(edge: Edge) -> bool:
    return "′(" in edge.symbol.text and not edge.is_partial


def _written(edges: Sequence[Edge], whole: bool = False) -> Expr:
    """How a term is written; in full if it is the `whole` path, where ∂C/∂a would only say ∂C/∂a = ∂C/∂a.

    So it is next to a tensor without a name of its user's: ∂t₁/∂a says nothing to somebody who sees no picture.
    """
    shown = [e for e in edges if not e.is_one]
    alone = whole and len(edges) == 1
    full = [alone or not e.is_partial or _is_unknown(e.source) or _is_unknown(e.target) for e in shown]
    if len(shown) == 1:
        return shown[0].local.expr() if full[0] else shown[0].symbol
    product = Product()
    for edge, spelled in zip(shown, full, strict=True):
        product = product.times(edge.local if spelled else Product(1.0, (edge.symbol,)))
    return product.expr() if shown else literal(1.0)


def _is_unknown(node: Node) -> bool:
    return node.role == "op" and node.tensor is not None and not node.tensor.name


def _factor(term: Term, place: int, alone: bool) -> Expr:
    """A term as a factor of the product: sums, and a minus that is not in front, in parentheses."""
    in_front = place == 0 and term.text.startswith("−") and " + " not in term.text and " − " not in term.text
    return term.expr if alone or in_front else term.expr.inside(PRODUCT)


# ------------------------------------------------------------------------------------------------- arrays into terms


def _through_arrays(edges: Sequence[Edge]) -> Path:
    """A path through arrays as terms with their matrices and the norm of the cotangent."""
    groups = _grouped(edges, _slope_before_weight)
    left = _sides(groups)
    matrices = matrices_of(groups)
    rows = {node: m.samples for m in matrices if m is not None and m.samples > 1 for node in (m.source, m.target)}
    terms: list[Term] = []
    running = 1.0
    for group, matrix, side in zip(reversed(groups), reversed(matrices), reversed(left), strict=True):
        here = group[0].source
        size, _ = _norms(here, here in rows)
        _, apart = _norms(matrix.source if matrix is not None else here, True)
        separate = here in rows or (matrix is not None and matrix.samples > 1)
        ratio = size / running if running else math.nan
        expr = _matrix_written(group, side, len(groups) == 1)
        terms.append(Term(expr, ratio, size, tuple(group), matrix, apart if separate else None, side))
        running = size
    return Path(tuple(terms[::-1]), norm(0.0 if edges[0].source.grad is None else edges[0].source.grad), True)


def _norms(node: Node, rows: bool) -> tuple[float, float]:
    """The norm of a node's cotangent, its rows summed if asked, and the sum of the norms of its rows."""
    if node.grad is None:
        return 0.0, 0.0
    if not rows or node.grad.ndim == 0:
        return norm(node.grad), norm(node.grad)
    return norm(np.sum(node.grad, axis=0)), math.fsum([norm(row) for row in node.grad])


def _multiplies(t: Tensor, i: int) -> bool:
    return t.node is not None and t.node.op.name in PRODUCTS and i < 2


def _sides(groups: Sequence[Sequence[Edge]]) -> list[bool]:
    """Whether each term multiplies from the left; one that could do either goes with the next towards the variable."""
    sides: list[bool] = []
    for group in groups:
        places = [i for edge in group for t, i in edge.steps if _multiplies(t, i)]
        sides.append(places[-1] == 1 if places else sides[-1] if sides else False)
    return sides


def _matrix_written(edges: Sequence[Edge], left: bool, whole: bool) -> Expr:
    """A term of arrays: its factors in their order, and σ′(z), elementwise, as the book's diagonal matrix Σ′(z)."""
    expr, shown = _written(edges, whole), [e.symbol for e in edges if not e.is_one]
    if left and len(shown) == 2:
        parts = [symbol.inside(PRODUCT) for symbol in shown]
        dot = "" if may_touch(parts[0].text, parts[1].text) else "·"
        expr = Expr(f"{parts[0].text}{dot}{parts[1].text}", rf"{parts[0].latex}\,{parts[1].latex}", PRODUCT)
    text, latex = expr.text.replace("σ′(", "Σ′("), expr.latex.replace(r"\sigma '(", r"\Sigma '(")
    return Expr(text, latex, expr.level)
