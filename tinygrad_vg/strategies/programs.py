"""Random programs of a few lines: graphs with shared, repeated and unused nodes, of arrays that are broadcast.

An op is written as Python, with ``{0}`` and ``{1}`` for what it is applied to. A random list of ops becomes an
expression one op after the other: it is tried on operands until NumPy takes their shapes and the result is finite and
not too large. So any list makes sense, and so does any part of it: that is what lets Hypothesis throw lines away until
only the guilty ones are left.
"""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tinygrad_vg.checks import Array
from tinygrad_vg.opcases import Domain
from tinygrad_vg.strategies.inputs import NONZERO, Interval, Shape, arrays, shapes
from tinygrad_vg.strategies.vocabulary import KINKED, SMOOTH, Op, op_of

__all__ = ["Expression", "expressions"]


@dataclass(frozen=True)
class Step:
    """One line of an expression: an op and the positions of its operands among leaves and earlier lines."""

    op: Op
    operands: tuple[int, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Expression:
    """A small program: some leaves, and lines each of which applies an op to leaves and earlier lines.

    Attributes
    ----------
    leaves : tuple of ndarray
        x0, x1, …: the point at which it was drawn.
    steps : tuple
        The lines t0, t1, …; the last one is the result.
    """

    leaves: tuple[Array, ...]
    steps: tuple[Step, ...]

    def build(self, leaves: Sequence[Any] | None = None) -> Any:
        """The result for these leaves (default: its own): arrays give an array, Tensors a Tensor.

        Raises
        ------
        ValueError
            For another number of leaves.
        """
        given = list(self.leaves if leaves is None else leaves)
        if len(given) != len(self.leaves):
            raise ValueError(f"build: the expression has {len(self.leaves)} leaves, but {len(given)} were given")
        for step in self.steps:
            given.append(step.op.call(*[given[i] for i in step.operands]))
        return given[-1]

    def __call__(self, *leaves: Any) -> Any:
        """`build` with the leaves one by one, as `vg.grad` and `vg.check_gradients` call a function."""
        return self.build(leaves)

    @property
    def names(self) -> tuple[str, ...]:
        """x0, x1, … for the leaves, then t0, t1, … for the lines."""
        return tuple([f"x{i}" for i in range(len(self.leaves))] + [f"t{i}" for i in range(len(self.steps))])

    @property
    def unused(self) -> tuple[str, ...]:
        """Names of leaves and lines that the result does not depend on: their gradient is zero."""
        return tuple([name for name, needed in zip(self.names, self._needed(), strict=True) if not needed])

    @property
    def shared(self) -> tuple[str, ...]:
        """Names that the result uses at several places: there gradients add up."""
        uses = Counter([i for step in self._needed_steps() for i in step.operands])
        return tuple([name for i, name in enumerate(self.names) if uses[i] > 1])

    def _needed(self) -> list[bool]:
        """For each leaf and line, whether the result depends on it."""
        needed = [False] * (len(self.names) - 1) + [True]
        for k in reversed(range(len(self.steps))):
            for i in self.steps[k].operands if needed[len(self.leaves) + k] else ():
                needed[i] = True
        return needed

    def _needed_steps(self) -> list[Step]:
        """The lines that the result depends on."""
        return [step for step, needed in zip(self.steps, self._needed()[len(self.leaves) :], strict=True) if needed]

    def _lines(self) -> dict[str, str]:
        """The right side of each line, by name."""
        names = self.names
        texts = [step.op.text.format(*[names[i] for i in step.operands]) for step in self.steps]
        return dict(zip(names[len(self.leaves) :], texts, strict=True))

    def source(self) -> str:
        """A Python program that computes the same, to the last bit, and checks its gradients.

        Functions of your own are imported if they can be; else a comment says where they belong.
        """
        inputs, lines, unused = self.names[: len(self.leaves)], self._lines(), self.unused
        result = lines.pop(self.names[-1], self.names[-1])
        own = dict.fromkeys([step.op.own for step in self.steps if step.op.own is not None])
        parts = [
            "import numpy as np\n\nimport tinygrad_vg as vg",
            *[_import_of(function) for function in own],
            "\n",
            f"def expression({', '.join(inputs)}):",
            *[f"    {name} = {text}{'  # not used' * (name in unused)}" for name, text in lines.items()],
            f"    return {result}",
            "\n",
            *[f"{name} = {_literal(x)}" for name, x in zip(inputs, self.leaves, strict=True)],
            f"print(vg.check_gradients(expression, {', '.join(inputs)}, raises=False))",
        ]
        return "\n".join(parts) + "\n"

    def __repr__(self) -> str:
        leaves = [f"{name} = {x.tolist()}" for name, x in zip(self.names, self.leaves, strict=False)]
        return f"<expression {'; '.join([*leaves, *[f'{name} = {text}' for name, text in self._lines().items()]])}>"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))  # Hypothesis would print the fields of a dataclass one by one


def _literal(x: Array) -> str:
    return f"np.array({x.tolist()})" if x.size else f"np.zeros({x.shape})"


def _import_of(function: Callable[..., Any]) -> str:
    module, name = getattr(function, "__module__", None), function.__name__
    if module != "__main__" and getattr(sys.modules.get(str(module)), name, None) is function:
        return f"from {module} import {name}"
    return f"# {name} is a function of your own, which stands here"


# ----------------------------------------------------------------------------------------------------- putting together


def expressions(
    *,
    leaves: tuple[int, int] = (1, 3),
    nodes: tuple[int, int] = (1, 8),
    max_dims: int = 2,
    max_side: int = 3,
    empty: bool = False,
    ops: Sequence[str | Callable[..., Any]] | None = None,
    kinks: bool = False,
    scalar: bool = False,
    domain: Interval | Domain = NONZERO,
    limit: float = 8.0,
) -> st.SearchStrategy[Expression]:
    """Random expressions: directed acyclic graphs of ops, written as small programs.

    They have what makes backprop wrong in practice and what tests by hand leave out: nodes used at several places,
    operands repeated as in x·x, lines that are not used, arguments that are broadcast, axes of length 1, numbers among
    arrays.

    Parameters
    ----------
    leaves, nodes : (least, most)
        How many leaves, and how many ops.
    max_dims, max_side, empty
        Of the leaves, as for `shapes`; they can be broadcast against each other. ``max_dims=0`` makes them numbers.
    ops : sequence, optional
        What to build from. An op is Python written as ``"np.sin({0})"``, ``"{0} @ {1}"``, or a function of arrays:
        NumPy's, ours, or your own. Default: `SMOOTH`. Put your op beside them: ``ops=[*SMOOTH, my_op]``. An op is only
        applied to operands whose shapes it takes (without a ValueError), and where its result is finite. If there are
        functions of your own, the result of every expression depends on one of them: no test passes for want of it.
    kinks : bool
        Add `KINKED` to the ops. An expression may then sit on a kink, where there is no one derivative.
    scalar : bool
        Add a sum at the end where the result is not a single number, as a loss is.
    domain : (low, high) or several
        Of the leaves' values, which are all different from each other; 0 is left out, since a product by 0 hides
        everything.
    limit : float
        No value of a line is larger than that in size, so that gradients stay of a size that can be checked.

    Returns
    -------
    SearchStrategy
        Of `Expression`; shrinks to few leaves, lines and axes, and to round numbers.

    Raises
    ------
    ValueError
        For an op that is none, for two functions of your own with the same name, for impossible numbers of leaves and
        nodes.

    Examples
    --------
    A test of your own op in company, which prints the smallest program that fails::

        @settings(deadline=None)
        @given(expressions(ops=[*SMOOTH, my_op]))
        def test_my_op_in_company(e):
            note(e.source())
            vg.check_gradients(e, *e.leaves)

    >>> from hypothesis import find
    >>> print(find(expressions(max_dims=0), lambda e: "t0" in e.shared).source())
    import numpy as np
    <BLANKLINE>
    import tinygrad_vg as vg
    <BLANKLINE>
    <BLANKLINE>
    def expression(x0):
        t0 = x0 + x0
        return t0 + t0
    <BLANKLINE>
    <BLANKLINE>
    x0 = np.array(1.0)
    print(vg.check_gradients(expression, x0, raises=False))
    <BLANKLINE>
    """
    if not (1 <= leaves[0] <= leaves[1] and 0 <= nodes[0] <= nodes[1]):
        raise ValueError(f"expressions: at least one leaf, and (least, most), not leaves={leaves}, nodes={nodes}")
    chosen = [*(SMOOTH if ops is None else ops), *(KINKED if kinks else ())]
    if not chosen:
        raise ValueError("expressions: ops is empty; give at least one, such as 'np.sin({0})'")
    made = [op_of(op) for op in chosen]
    twice = [name for name, n in Counter([op.own.__name__ for op in made if op.own]).items() if n > 1]
    if twice:
        raise ValueError(f"expressions: there are several ops called {twice[0]}; they could not be told apart")
    own = [op for op in made if op.own is not None]
    made += own * (len(made) // max(1, len(own)))  # every second line, or so
    total = leaves[1] + nodes[1]
    first = st.integers(0, 4 * total).map(lambda n: max(0, n - 3 * total))  # see _candidates: mostly the youngest line
    others = [st.integers(0, total)] * (max([op.arity for op in made]) - 1)
    lines = _some(st.tuples(st.sampled_from(made), st.tuples(first, *others)), *nodes)
    base = st.integers(0, max_dims).flatmap(
        lambda dims: shapes(min_dims=dims, max_dims=max_dims, max_side=max_side, empty=empty)
    )
    cuts = _some(st.tuples(st.integers(0, 3 * max_dims), st.tuples(*[st.integers(0, 3)] * max_dims)), *leaves)

    @st.composite
    def drawn(draw: Any) -> Expression:
        ops, whole = draw(lines), draw(base)
        points = draw(_points([_cut(whole, *cut) for cut in draw(cuts)], domain))
        return _assembled(points, ops, scalar, limit)

    def as_promised(e: Expression) -> bool:
        return len(e.steps) >= nodes[0] and (not own or any([step.op in own for step in e._needed_steps()]))

    return drawn().filter(as_promised)


def _some(parts: st.SearchStrategy[Any], least: int, most: int) -> st.SearchStrategy[list[Any]]:
    """A list of so many; Hypothesis likes short ones, so a least length is drawn, too.

    The list may be one longer, and is cut: where the length was fixed, Hypothesis would not record where one part ends,
    and could not shrink it.
    """
    return st.integers(least, most).flatmap(
        lambda n: st.lists(parts, min_size=n, max_size=most + 1).map(lambda found: found[:most])
    )


def _cut(shape: Shape, dropped: int, kept: Sequence[int]) -> Shape:
    """A shape that can be broadcast to `shape`: now and then an axis has length 1, or the first axes are missing."""
    lengths = [1 if keep == 3 else n for n, keep in zip(shape, kept, strict=False)]
    return tuple(lengths[max(0, dropped - 2 * len(kept)) :])


def _points(leaves: list[Shape], domain: Any) -> st.SearchStrategy[tuple[Array, ...]]:
    """Arrays of these shapes with no number twice."""
    sizes = [math.prod(shape) for shape in leaves]

    def split(numbers: Array) -> tuple[Array, ...]:
        parts = np.split(numbers, np.cumsum(sizes)[:-1])
        return tuple([part.reshape(shape) for part, shape in zip(parts, leaves, strict=True)])

    return arrays(sum(sizes), "distinct", domain=domain).map(split)


def _assembled(
    leaves: tuple[Array, ...], lines: Sequence[tuple[Op, tuple[int, ...]]], scalar: bool, limit: float
) -> Expression:
    """An expression from a list of ops, each with numbers that say what to apply it to."""
    values = list(leaves)
    steps: list[Step] = []
    for op, places in lines:
        for operands in _candidates(len(leaves), len(values), places[: op.arity]):
            value = op.value([values[i] for i in operands], limit)
            if value is not None:
                values.append(value)
                steps.append(Step(op, operands))
                break
    if scalar and np.ndim(values[-1]):
        steps.append(Step(op_of("np.sum({0})"), (len(values) - 1,)))
    return Expression(leaves, tuple(steps))


def _candidates(leaves: int, total: int, places: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Operands to try: from the places that were drawn, then the next ones.

    The youngest line is at place 0, and leaves come last. The first operand is mostly the youngest line, so that
    expressions hang together. Nothing here depends on the other lines, which stay what they are when one is taken away.
    """
    order = [*reversed(range(leaves, total)), *range(leaves)]
    starts = [place % total for place in places]
    yield from product(*[order[start:] + order[:start] for start in starts])
