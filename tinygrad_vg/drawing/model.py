"""The picture as data: which tensors are nodes, what folds into them, and what every edge multiplies by.

A *named* tensor is a node; so are the root, leaves, constant arrays, and unnamed tensors used several times. All others
fold into the one tensor that is made of them, so ``z₂ = w₂·a₁ + b₂`` is one node. Only a function inside a function is
not folded: in ``L = (σ(w·x + b) − y)²`` the sigmoid is a node too, called by its formula, so that the chain rule shows.
Its inputs are the visible tensors met on the way down; every meeting is an edge (``x + x`` has two), and since what is
folded is a tree, an edge has one path through it and one local derivative: the product of the table's along that path.

Nothing here recurses, and everything is linear in the number of operations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from typing import Any, NamedTuple

import numpy as np

from tinygrad_vg.autodiff import backprop
from tinygrad_vg.checks import Array
from tinygrad_vg.drawing.formula import ATOM, Expr, Product, derivative, expression, is_guard, literal, variable
from tinygrad_vg.ops import Scattered, scatter, sum_to
from tinygrad_vg.tensor import OpNode, Tensor

__all__ = ["Ancestry", "Edge", "Model", "Node"]

FOLD_LIMIT = 12
"""How many operations one node's formula may hold; beyond it, a sub-expression becomes a node of its own."""

SYMBOL_LIMIT = 20
"""How long the formula of a local derivative may be before it is written ∂z/∂a."""

NAME_LIMIT = 16
"""How long a formula may be that stands for the name of its node."""

SPELLED_LIMIT = 24
"""What `SYMBOL_LIMIT` is at a node that is called by its formula, where ∂z/∂a would be no shorter."""


# ------------------------------------------------------------------------------------------------ who is in the graph


class Ancestry:
    """Everything a tensor was computed from, and which of it is to be seen.

    Parameters
    ----------
    root : Tensor
        What the picture is of.
    wrt : Tensor, optional
        A tensor that must be a node whatever its use.

    Attributes
    ----------
    tensors
        The ancestors and the root, oldest first.
    visible
        Those that are nodes.
    inner
        Those among them that are nodes only because they are functions inside a function.
    """

    def __init__(self, root: Tensor, wrt: Tensor | None = None) -> None:
        self.root, self.wrt = root, wrt
        self.tensors = _ancestors(root)
        self.uses = Counter([a for t in self.tensors if t.node for a in t.node.inputs if type(a) is Tensor])
        self.inner: set[Tensor] = set()
        self.visible = self._choose()

    def _choose(self) -> set[Tensor]:
        visible: set[Tensor] = set()
        size: dict[Tensor, int] = {}  # operations in the formula of each tensor
        curved: dict[Tensor, list[Tensor]] = {}  # the functions in it; none is inside another
        for t in self.tensors:
            inner = _functions_inside(t, curved, visible)
            self.inner.update(inner)
            visible.update(inner)
            folded = [a for a in t.node.inputs if type(a) is Tensor and a not in visible] if t.node else []
            for a in folded:
                size[a] -= sum([size[f] for f in curved[a] if f in visible])
                curved[a] = [f for f in curved[a] if f not in visible]
            folded.sort(key=lambda a: size[a])
            while sum([size[a] for a in folded]) >= FOLD_LIMIT:
                visible.add(folded.pop())
            size[t] = 1 + sum([size[a] for a in folded])
            curved[t] = [t] if _is_curved(t) else [f for a in folded for f in curved[a]]
            if t.node is None or t.name or t is self.root or t is self.wrt or self.uses[t] != 1:
                visible.add(t)
        return visible

    @cached_property
    def cotangents(self) -> dict[Tensor, Any]:
        """The drawing's own sweep, from 1; if the root has several elements, from the sum of them."""
        with np.errstate(all="ignore"):
            return backprop(self.root, np.ones(self.root.shape))

    @cached_property
    def names(self) -> dict[Tensor, str]:
        """The name of every visible tensor that is not `inner`: the user's, or t1, t2 … in order of birth."""
        taken = {t.name for t in self.visible if t.name}
        names, count = {}, 0
        for t in self.tensors:
            if t not in self.visible or t in self.inner:
                continue
            if t.name:
                names[t] = t.name
            elif t is self.root and "out" not in taken:
                names[t] = "out"
            else:
                count += 1
                while f"t{count}" in taken:
                    count += 1
                names[t] = f"t{count}"
        return names


PRODUCTS = ("matmul", "affine")  # whose first two arguments are matrices, multiplied


def _is_curved(t: Tensor) -> bool:
    """Whether a tensor was made by an operation that is not linear in some tensor."""
    return t.node is not None and any([_curves(t.node, i) for i in range(len(t.node.inputs))])


def _functions_inside(t: Tensor, curved: dict[Tensor, list[Tensor]], visible: set[Tensor]) -> list[Tensor]:
    """The functions that would be inside the function that made `t`, if all its arguments were folded.

    Nor are they folded into a matrix product: its two sides are different matrices of the chain rule.
    """
    if t.node is None:
        return []
    keeps = t.node.op.name in PRODUCTS
    inputs = [a for i, a in enumerate(t.node.inputs) if type(a) is Tensor and (keeps or _curves(t.node, i))]
    return [f for a in inputs if a not in visible for f in curved[a]]


def _curves(op: OpNode, i: int) -> bool:
    """Whether an operation is not linear in its argument `i`: whether its derivative by it depends on it."""
    vjps, local = op.op.vjps, op.op.local
    if type(op.inputs[i]) is not Tensor or (isinstance(vjps, tuple) and vjps[i] is None):
        return False
    return not local or f"{{{i}}}" in (local[i] if i < len(local) else local[-1])


def _ancestors(root: Tensor) -> list[Tensor]:
    """`root` and all it was computed from, oldest first."""
    found, stack = {root}, [root]
    while stack:
        node = stack.pop().node
        if node is not None:
            for a in node.inputs:
                if type(a) is Tensor and a not in found:
                    found.add(a)
                    stack.append(a)
    return sorted(found, key=lambda t: t.birth)


# --------------------------------------------------------------------------------------------------- nodes and edges

Steps = tuple[tuple[Tensor, int], ...]


@dataclass(slots=True, eq=False)
class Node:
    """A box of the picture.

    Attributes
    ----------
    id
        Generated (``n0``, ``n1`` …), so that no user's name is ever an id.
    name
        The user's name, or a generated one.
    by_formula
        Whether it is called by its formula instead, being nothing but a function inside a function.
    role
        ``leaf``, ``op``, ``root`` or ``constant``.
    value, grad
        The value *the graph was computed with*, and the cotangent; None if there is none.
    formula
        The right-hand side; None for leaves and constants.
    scope
        The path of name scopes it belongs to.
    tensor
        The Tensor; None for a constant.
    ops
        How many operations are folded into it.
    inputs
        Its edges, in the order in which the formula reads.
    """

    id: str
    name: str
    role: str
    value: Array
    grad: Array | None
    tensor: Tensor | None
    formula: Expr | None = None
    scope: tuple[str, ...] = ()
    ops: int = 0
    by_formula: bool = False
    inputs: list[Edge] = field(default_factory=list)
    outputs: list[Edge] = field(default_factory=list)

    @property
    def expr(self) -> Expr:
        """Its name as a formula, or the formula it is called by."""
        return self.formula if self.by_formula and self.formula is not None else variable(self.name)

    @property
    def is_nameless(self) -> bool:
        """Whether its name is the drawing's, such as t₁ or c₁, and says nothing; x and y of the data do."""
        named = bool(self.tensor.name) if self.tensor is not None else self.name in ("x", "y")
        return not named and not self.by_formula and self.role != "root"

    @property
    def equation(self) -> str:
        """``z = w·x + b``; the formula alone if that is what it is called by, the name alone if it has none."""
        return self.expr.text if self.formula is None or self.by_formula else f"{self.expr.text} = {self.formula.text}"


@dataclass(slots=True, eq=False)
class Edge:
    """One use of `source` in the formula of `target`.

    Attributes
    ----------
    local
        The local derivative as the table composes it, in full.
    symbol
        How the picture writes it: the same, or ``∂z/∂a`` where that would be long.
    value
        The local derivative as a number, if both ends are single numbers.
    flow
        What this edge gives to the gradient of `source`: the number, or its norm; None where nothing flows.
    cut
        Whether an operation without a derivative (`stop_gradient`) stands on it, or `source` is a constant.
    cut_by
        The name of that operation.
    steps
        The operations on it, from the target down: the tensor each one made, and which of its arguments is followed.
    """

    source: Node
    target: Node
    local: Product
    symbol: Expr
    value: float | None
    flow: float | None
    cut: bool
    cut_by: str = ""
    steps: Steps = ()

    @property
    def is_one(self) -> bool:
        """Whether it multiplies by 1, so that formulas leave it away."""
        return self.local.trivial

    @property
    def is_partial(self) -> bool:
        """Whether it is written ∂z/∂a."""
        return self.symbol.text.startswith("∂")

    def pull(self, g: Any) -> Any:
        """What this edge alone makes of a cotangent `g` of its target: one of its source."""
        with np.errstate(all="ignore"):
            for t, i in self.steps:
                assert t.node is not None
                rule = t.node.op.rules(len(t.node.inputs))[i]
                g = None if g is None else _pull(t.node, i, rule, t._array, g)
        return g


class Model:
    """The whole graph at the level of tensors: nodes and edges, oldest first.

    Parameters
    ----------
    ancestry : Ancestry
        What is in it.
    """

    def __init__(self, ancestry: Ancestry) -> None:
        self.ancestry = ancestry
        self.nodes: list[Node] = []
        self._of: dict[Tensor, Node] = {}
        self._constants: dict[int, Node] = {}
        self._names = _ConstantNames(ancestry)
        taken = set(ancestry.names.values())
        self.free_names = (name for k in count(1) if (name := f"t{k}") not in taken)
        for t in ancestry.tensors:
            if t in ancestry.visible:
                self._add(t)
        self.root = self._of[ancestry.root]
        self.wrt = self._of.get(ancestry.wrt) if ancestry.wrt is not None else None
        _settle_leaves(self.nodes)

    @property
    def edges(self) -> list[Edge]:
        """All edges, by target, in reading order."""
        return [edge for node in self.nodes for edge in node.inputs]

    @property
    def as_read(self) -> list[Node]:
        """The nodes as one reads them: each after what its formula mentions, leaves just before their first use."""
        order: dict[Node, None] = {}
        for node in self.nodes:
            if node.formula is not None or not node.outputs:
                order.update(dict.fromkeys([*[edge.source for edge in node.inputs], node]))
        return list(order)

    def node_of(self, t: Tensor) -> Node | None:
        """The box of a tensor; None if it is folded or not in the graph."""
        return self._of.get(t)

    def _add(self, t: Tensor) -> None:
        a = self.ancestry
        grad = a.cotangents.get(t)
        role = "leaf" if t.node is None else "root" if t is a.root else "op"
        node = Node("", a.names.get(t, ""), role, t._array, grad, t, scope=t.node.scope if t.node else ())
        if t.node is not None:
            with np.errstate(all="ignore"):
                _Fold(self, node).run()
        node.id = f"n{len(self.nodes)}"
        self.nodes.append(node)
        self._of[t] = node

    def slot(self, given: Any, value: Any, user: OpNode, i: int) -> Node | None:
        """The node an argument stands for: a visible tensor's or a constant array's; None if it is neither."""
        if type(given) is Tensor:
            node = self._of.get(given)
            if node is not None and node.role == "leaf":
                node.value = np.asarray(value)  # a parameter may have been updated since
            return node
        if not isinstance(given, np.ndarray | list | tuple) or np.size(value) == 1 or not np.size(value):
            return None
        if is_guard(user):
            return None
        if id(given) not in self._constants:
            name = self._names.next(user, i)
            node = Node(f"n{len(self.nodes)}", name, "constant", np.asarray(value), None, None)
            self._constants[id(given)] = node
            self.nodes.append(node)
        return self._constants[id(given)]


_COMPARING = ("subtract", "cross_entropy", "quadratic")


class _ConstantNames:
    """Names for constant arrays, which have none: x is what is multiplied by weights, y what the root compares with."""

    def __init__(self, ancestry: Ancestry) -> None:
        self.taken = set(ancestry.names.values())
        self.count = 0

    def next(self, user: OpNode, i: int) -> str:
        wish = "x" if user.op.name in PRODUCTS and i == 0 else "y" if user.op.name in _COMPARING else ""
        if not wish or wish in self.taken:
            self.count += 1
            while f"c{self.count}" in self.taken:
                self.count += 1
            wish = f"c{self.count}"
        self.taken.add(wish)
        return wish


def _settle_leaves(nodes: list[Node]) -> None:
    """Put each parameter into the scope it is used in; data (constants, and leaves called x or a0) stay outside."""
    for node in nodes:
        if node.role == "leaf" and describe(node) != "input":
            scopes = {edge.target.scope for edge in node.outputs}
            if len(scopes) == 1:
                node.scope = scopes.pop()


def describe(node: Node) -> str:
    """One word for a node without a formula: what it seems to be, from its name."""
    stem = node.name.rstrip("0123456789₀₁₂₃₄₅₆₇₈₉")
    if node.role == "constant":
        return "constant"
    if node.name in ("x", "X", "a0", "a₀"):
        return "input"
    words = {"w": "weight", "weight": "weight", "权重": "weight", "b": "bias", "bias": "bias", "偏置": "bias"}
    return words.get(stem.lower(), "variable") if stem != "B" else "variable"  # A @ B


# --------------------------------------------------------------------------------------------------------- the folding


class _Place(NamedTuple):
    """Where the walk down a fold is: what is there, and the derivative of the top by it."""

    there: Any
    product: Product
    g: Any
    cut_by: str
    steps: Steps


class _Fold:
    """Everything that folds into one node: its formula, and the edges that enter it."""

    def __init__(self, model: Model, node: Node) -> None:
        self.model, self.node = model, node
        self.exprs: dict[Tensor, Expr] = {}  # of the folded tensors

    def run(self) -> None:
        node = self.node
        assert node.tensor is not None
        pieces = self._pieces(node.tensor)
        node.ops = len(pieces)
        for t in pieces:
            assert t.node is not None
            self.exprs[t] = expression(t.node, self._args(t.node))
        node.formula = self.exprs[node.tensor]
        if node.tensor in self.model.ancestry.inner:
            node.by_formula = len(node.formula.text) <= NAME_LIMIT and not self._holds_formula(pieces)
            node.name = node.formula.text if node.by_formula else next(self.model.free_names)
        self._edges(node.tensor)

    def _holds_formula(self, pieces: list[Tensor]) -> bool:
        """Whether an argument is called by its formula already: names would grow from node to node."""
        given = [self.model.node_of(a) for t in pieces if t.node for a in t.node.inputs if type(a) is Tensor]
        return any([node.by_formula for node in given if node is not None])

    def _pieces(self, top: Tensor) -> list[Tensor]:
        """The tensors that fold into `top`, and itself, oldest first."""
        pieces, stack = [], [top]
        while stack:
            t = stack.pop()
            pieces.append(t)
            assert t.node is not None
            stack += [a for a in t.node.inputs if type(a) is Tensor and self.model.node_of(a) is None]
        return sorted(pieces, key=lambda t: t.birth)

    def _args(self, op: OpNode) -> list[Expr]:
        """What stands in the formula for each argument."""
        args = []
        for i, (given, value) in enumerate(zip(op.inputs, op.values, strict=True)):
            node = self.model.slot(given, value, op, i)
            if node is not None:
                args.append(node.expr)
            elif type(given) is Tensor:
                args.append(self.exprs[given])
            elif isinstance(value, bool | np.bool_):
                args.append(Expr(str(bool(value)).lower(), rf"\mathrm{{{str(bool(value)).lower()}}}", ATOM))
            elif isinstance(value, int | float | np.number) or (np.size(value) == 1 and np.ndim(value) < 9):
                args.append(literal(float(np.asarray(value).item())))
            else:
                args.append(Expr("…", r"\dots", 4))
        return args

    def _edges(self, top: Tensor) -> None:
        """Walk down in reading order with the derivative of the top by the place one is at."""
        start = np.ones(top.shape) if top.size == 1 else self.node.grad
        stack: list[_Place] = [_Place(top, Product(), start, "", ())]
        while stack:
            place, product, g, cut_by, steps = stack.pop()
            found = self.model.node_of(place) if isinstance(place, Tensor) else place
            if found is not None:
                self._connect(found, product, g, cut_by, steps)
                continue
            op = place.node
            assert op is not None
            args, below = self._args(op), []
            rules = op.op.rules(len(op.inputs))
            for i, (given, value) in enumerate(zip(op.inputs, op.values, strict=True)):
                if type(given) is not Tensor and self.model.slot(given, value, op, i) is None:
                    continue
                there = given if type(given) is Tensor else self.model.slot(given, value, op, i)
                no_rule = type(given) is Tensor and rules[i] is None
                local = product.times(derivative(op, i, args))
                cut = cut_by or (op.op.name if no_rule else "")
                back = None if g is None else _pull(op, i, rules[i], place._array, g)
                below.append(_Place(there, local, back, cut, (*steps, (place, i))))
            stack += below[::-1]

    def _connect(self, source: Node, local: Product, g: Any, cut_by: str, steps: Steps) -> None:
        target = self.node
        cut = bool(cut_by) or source.role == "constant"
        value = flow = None
        if not cut and g is not None:
            above = float(target.grad.reshape(-1)[0]) if target.grad is not None and target.value.size == 1 else None
            if target.value.size == 1 and np.size(g) == 1:
                value = float(np.asarray(g).reshape(-1)[0])
                flow = None if above is None else value * above
            elif target.value.size == 1:
                flow = None if above is None else norm(g) * abs(above)
            else:
                flow = norm(g)
        edge = Edge(source, target, local, self._symbol(source, local), value, flow, cut, cut_by, steps)
        target.inputs.append(edge)
        source.outputs.append(edge)

    def _symbol(self, source: Node, local: Product) -> Expr:
        """How the local derivative is written: as it is, or ∂C/∂a where that would be long."""
        expr = local.expr()
        spelled = source.by_formula or self.node.by_formula
        at_root = self.node.role == "root" and expr.level == 0 and local.factors and not spelled
        wordy = len(expr.text) > (SPELLED_LIMIT if spelled else SYMBOL_LIMIT) or at_root
        if wordy and self._uses(source) == 1:
            top, bottom = self.node.expr.inside(ATOM), source.expr.inside(ATOM)
            return Expr(f"∂{top.text}/∂{bottom.text}", rf"\frac{{\partial {top.latex}}}{{\partial {bottom.latex}}}", 3)
        return expr

    def _uses(self, source: Node) -> int:
        """How often the formula mentions a node: ∂C/∂a would mean all of its uses together."""
        count = 0
        for t in self.exprs:
            assert t.node is not None
            for i, (given, value) in enumerate(zip(t.node.inputs, t.node.values, strict=True)):
                count += self.model.slot(given, value, t.node, i) is source
        return count


def norm(g: Any) -> float:
    """The Euclidean norm of all elements."""
    sizes = np.abs(np.asarray(g, dtype=float))
    largest = float(np.max(sizes, initial=0.0))
    if largest == 0 or not np.isfinite(largest):
        return largest
    return largest * float(np.sqrt(np.sum(np.square(sizes / largest))))  # squares of 1e-200 and 1e200 stay numbers


def _pull(op: OpNode, i: int, rule: Callable[..., Any] | None, out: Array, g: Any) -> Any:
    """What the rule of argument `i` makes of the cotangent `g`: an array of its shape; None for a constant."""
    parent = op.inputs[i]
    if type(parent) is not Tensor or rule is None:
        return None
    back = rule(g, out, *op.values, **op.params)
    if type(back) is Scattered:
        back = scatter(back.g, indices=(back.index,), shape=parent.shape)
    return back if np.shape(back) == parent.shape else sum_to(np.asarray(back), parent.shape)


def kinds(nodes: Iterable[OpNode | None]) -> list[tuple[str, int]]:
    """How many operations of each kind, the most frequent first."""
    counts = Counter([node.op.name for node in nodes if node is not None])
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
