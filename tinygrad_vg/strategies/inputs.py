"""What goes into a derivative: shapes, arrays, cotangents, and samples of an op.

Numbers are picked from lists that begin with the roundest (0, 1, −1, 2, −2, then halves, quarters, eighths), because
Hypothesis shrinks towards the beginning of a list.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinygrad_vg.checks import Array
from tinygrad_vg.gradcheck.properties import Sample, drawn_samples
from tinygrad_vg.opcases import Domain, OpCase

__all__ = ["arrays", "broadcast_shapes", "cotangents", "matmul_shapes", "op_cases", "shapes"]

Shape = tuple[int, ...]
Interval = tuple[float, float]


# ------------------------------------------------------------------------------------------------------------- shapes


def shapes(
    *, min_dims: int = 0, max_dims: int = 3, min_side: int = 1, max_side: int = 3, empty: bool = True
) -> st.SearchStrategy[Shape]:
    """Shapes of arrays, also those that code forgets: of numbers, with axes of length 1, without any element.

    Parameters
    ----------
    min_dims, max_dims : int
        How many axes; ``min_dims=1`` leaves numbers out.
    min_side, max_side : int
        How long they are; ``min_side=2`` leaves axes of length 1 out.
    empty : bool
        Whether axes may also have length 0.

    Returns
    -------
    SearchStrategy
        Of tuples; shrinks to ``()``, axes to length 1.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(shapes(), lambda shape: True)
    ()
    >>> find(shapes(), lambda shape: len(shape) == 2)
    (1, 1)
    >>> find(shapes(), lambda shape: 0 in shape)
    (0,)
    """
    return _emptied(
        lambda longest: hnp.array_shapes(min_dims=min_dims, max_dims=max_dims, min_side=min_side, max_side=longest).map(
            lambda shape: (shape,)
        ),
        max_side,
        empty,
    ).map(lambda found: found[0])


def broadcast_shapes(
    n: int = 2, *, min_dims: int = 0, max_dims: int = 3, min_side: int = 1, max_side: int = 3, empty: bool = True
) -> st.SearchStrategy[tuple[Shape, ...]]:
    """`n` shapes that NumPy broadcasts against each other, as the arguments of ``x + y`` must.

    Where a gradient is not summed over a broadcast axis, it has a wrong shape in the end; where it is summed over the
    wrong one, only shapes like (2, 1) against (3,) tell.

    Parameters
    ----------
    n : int
        How many shapes.
    min_dims, max_dims, min_side, max_side, empty
        As for `shapes`, of each. ``min_side=2`` also leaves out axes of length 1, so only whole axes are broadcast.

    Returns
    -------
    SearchStrategy
        Of tuples of shapes; shrinks to ``((), ())``.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(broadcast_shapes(2), lambda pair: pair[0] != pair[1])
    ((1,), ())
    """
    return _emptied(
        lambda longest: hnp.mutually_broadcastable_shapes(
            num_shapes=n, min_dims=min_dims, max_dims=max_dims, min_side=min_side, max_side=longest
        ).map(lambda found: found.input_shapes),
        max_side,
        empty,
    )


def matmul_shapes(
    *, max_dims: int = 3, min_side: int = 1, max_side: int = 3, empty: bool = True
) -> st.SearchStrategy[tuple[Shape, Shape]]:
    """Two shapes that ``@`` takes: vectors, matrices, and stacks of matrices that are broadcast.

    Parameters
    ----------
    max_dims : int
        How many axes, at least 2; what is beyond 2 are stacks.
    min_side, max_side, empty
        As for `shapes`.

    Returns
    -------
    SearchStrategy
        Of pairs of shapes; shrinks to ``((1,), (1,))``.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(matmul_shapes(), lambda pair: min(map(len, pair)) == 2)
    ((1, 1), (1, 1))
    """
    if max_dims < 2:
        raise ValueError(f"matmul_shapes: matrices have two axes, so max_dims must be 2 or more, not {max_dims}")
    return _emptied(
        lambda longest: hnp.mutually_broadcastable_shapes(
            signature=str(np.matmul.signature), max_dims=max_dims - 2, min_side=min_side, max_side=longest
        ).map(lambda found: found.input_shapes),
        max_side,
        empty,
    )


def _emptied(
    up_to: Callable[[int], st.SearchStrategy[tuple[Shape, ...]]], max_side: int, empty: bool
) -> st.SearchStrategy[Any]:
    """Shapes with sides up to a length, and as many again in which axes may have length 0.

    They are drawn with sides up to one more, and that length is then written as 0: what fits still fits, and Hypothesis
    shrinks to axes of length 1, not to nothing at all.
    """
    if not empty:
        return up_to(max_side)
    renamed = up_to(max_side + 1).map(
        lambda found: tuple([tuple([n if n <= max_side else 0 for n in shape]) for shape in found])
    )
    return up_to(max_side) | renamed


# ------------------------------------------------------------------------------------------------------------- numbers


NONZERO: Domain = ((-2.0, -0.125), (0.125, 2.0))
FEWEST = 24  # numbers to choose from

# The numbers of a kind: the domain if none is given, and at least how many of them there are.
KINDS: dict[str, tuple[Domain, int]] = {
    "grid": (((-2.0, 2.0),), FEWEST),
    "distinct": (((-2.0, 2.0),), FEWEST),
    "saturated": (((-40.0, 40.0),), 2 * FEWEST),
    "log-uniform": (((1e-12, 1e3),), FEWEST),
}


def arrays(
    shape: int | Shape | st.SearchStrategy[Any],
    kind: str = "grid",
    *,
    domain: Interval | Domain | None = None,
) -> st.SearchStrategy[Array]:
    """Arrays of float64 numbers that one can read.

    Parameters
    ----------
    shape : int, tuple or strategy
        Such as ``(2, 3)`` or `shapes()`; of small arrays, since every number is a choice of its own.
    kind : {'grid', 'distinct', 'saturated', 'log-uniform'}
        * grid: multiples of a power of two, some 25 to 50 of them in the domain; eighths in (−2, 2).
        * distinct: the same, but no two alike, nor nearer than a step: for functions such as max, where equal elements
          are a kink. For several arguments draw one array and split it.
        * saturated: whole numbers up to ±40. At z = 40 a sigmoid is 1 − 4e-18, which is 1; its slope must not be 0.
        * log-uniform: numbers of any magnitude and both signs, with one digit; all decades alike. For positive ones
          take ``.map(np.abs)``.
    domain : (low, high) or a sequence of such, optional
        Where the numbers lie, ends included. Default: (−2, 2), ±40 for saturated. Several intervals leave out poles
        and kinks: ``((-2, -0.25), (0.25, 2))``. For log-uniform the magnitudes, by default (1e-12, 1e3).

    Returns
    -------
    SearchStrategy
        Of float64 arrays; shrinks to round numbers: 0, else 1 …, else the one nearest to 1 in magnitude.

    Raises
    ------
    ValueError
        For an unknown kind, and a domain without numbers.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(arrays(3), lambda x: True)
    array([0., 0., 0.])
    >>> find(arrays((2, 2), "distinct"), lambda x: True)
    array([[ 0.,  1.],
           [-1.,  2.]])
    >>> find(arrays((), "log-uniform"), lambda x: 0 < x < 1e-5)
    array(1.e-06)
    """
    if kind not in KINDS:
        raise ValueError(f"arrays: unknown kind {kind!r}; there are {', '.join(KINDS)}")
    default, fewest = KINDS[kind]
    intervals = _intervals(default if domain is None else domain)
    apart = kind == "distinct"
    if kind == "log-uniform":
        numbers = [sign * x for x in _decades(intervals, fewest) for sign in (1.0, -1.0)]
    else:
        numbers = _grid(intervals, fewest)

    def filled(shape: Shape) -> st.SearchStrategy[Array]:
        size = math.prod(shape)
        choice = _grid(intervals, max(fewest, 2 * size)) if apart else numbers
        return _array(shape, st.lists(st.sampled_from(choice), min_size=size, max_size=size, unique=apart))

    return _of_shape(shape, filled)


def cotangents(
    shape: int | Shape | st.SearchStrategy[Any], *, magnitudes: Interval | None = None
) -> st.SearchStrategy[Array]:
    """Cotangents that do not hide a fault: no two entries of the same size, of both signs, none of them ±1 or 0.

    With a cotangent of ones a rule that ignores its cotangent is right, and so is one that shuffles, transposes or
    averages it; with positive ones only, so is one that takes its absolute value.

    Parameters
    ----------
    shape : int, tuple or strategy
        That of the output.
    magnitudes : (smallest, largest), optional
        Spread the sizes over all decades from one to the other: ``(1e-18, 1.0)`` is what the first layers of a deep
        network get. Default: up to 2, in simple fractions.

    Returns
    -------
    SearchStrategy
        Of float64 arrays; shrinks to 2 and, for several entries, to simple fractions.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(cotangents((2, 2)), lambda g: True)
    array([[ 2.  ,  0.5 ],
           [ 1.5 , -0.25]])
    >>> find(cotangents((), magnitudes=(1e-18, 1.0)), lambda g: abs(g) < 1e-16)
    array(1.e-17)
    """
    decades = None if magnitudes is None else _intervals(magnitudes)

    def filled(shape: Shape) -> st.SearchStrategy[Array]:
        size = math.prod(shape)
        fewest = max(FEWEST, 2 * size)
        sizes = _grid(((0.125, 2.0),), fewest) if decades is None else _decades(decades, fewest)
        entries = st.lists(st.sampled_from([x for x in sizes if x != 1.0]), min_size=size, max_size=size, unique=True)
        signs = st.lists(st.booleans(), min_size=size, max_size=size)
        return _array(shape, st.tuples(entries, signs).map(lambda found: _signed(*found)))

    return _of_shape(shape, filled)


def _signed(sizes: list[float], minus: list[bool]) -> Array:
    """The numbers with their signs, the last one turned around if all signs were the same."""
    if len(minus) > 1 and len(set(minus)) == 1:
        minus = [*minus[:-1], not minus[-1]]
    return np.where(minus, -1.0, 1.0) * np.array(sizes, np.float64)


def _of_shape(shape: Any, filled: Callable[[Shape], st.SearchStrategy[Array]]) -> st.SearchStrategy[Array]:
    """Arrays of a shape, or of the shapes a strategy gives."""
    if isinstance(shape, st.SearchStrategy):
        return shape.flatmap(lambda drawn: filled(_settled(drawn)))
    return filled(_settled(shape))


@st.composite
def _array(draw: Any, shape: Shape, entries: st.SearchStrategy[Any]) -> Array:
    return np.reshape(np.array(draw(entries), np.float64), shape)


def _settled(shape: Any) -> Shape:
    return (int(shape),) if isinstance(shape, int | np.integer) else tuple([int(n) for n in shape])


def _intervals(domain: Any) -> Domain:
    """A domain as a union of intervals, in order."""
    numbers = np.array(domain, np.float64)
    if numbers.shape != (2,) and (numbers.ndim != 2 or numbers.shape[1] != 2 or not numbers.size):
        raise ValueError(f"a domain is (low, high), or several of them, not {domain!r:.80}")
    found = numbers.reshape(-1, 2)
    if not (np.isfinite(found).all() and (found[:, 0] < found[:, 1]).all()):
        raise ValueError(f"the domain {domain!r:.80} must be given by finite numbers, low < high")
    return tuple([(float(low), float(high)) for low, high in found])


def _grid(domain: Domain, fewest: int) -> list[float]:
    """At least so many multiples of a power of two in a domain, the roundest first."""
    length = sum([high - low for low, high in domain])
    step = 2.0 ** math.floor(math.log2(length / (fewest + len(domain))))
    numbers = {k * step for low, high in domain for k in range(math.ceil(low / step), math.floor(high / step) + 1)}
    return sorted(numbers, key=lambda x: (x.as_integer_ratio()[1], abs(x), -x))


def _decades(domain: Domain, fewest: int) -> list[float]:
    """At least so many positive numbers with few digits, evenly over all decades; those nearest to 1 first."""
    low, high = min(map(min, domain)), max(map(max, domain))
    if low <= 0:
        raise ValueError(f"magnitudes of all decades must be positive, such as (1e-12, 1.0), not from {low} on")
    exponents = sorted(range(math.floor(math.log10(low)), math.floor(math.log10(high)) + 1), key=lambda e: (abs(e), e))

    def written(digits: int) -> Iterator[float]:  # so many behind the first one
        for e in exponents:
            unit = 10.0 ** (e - digits)
            first, last = max(10**digits, math.floor(low / unit)), min(10 ** (digits + 1) - 1, math.ceil(high / unit))
            yield from [float(f"{m}e{e - digits}") for m in range(first, last + 1)]

    for digits in range(16):
        found = [x for x in written(digits) if any([a <= x <= b for a, b in domain])]
        if len(found) >= fewest:
            break
    return found


# ------------------------------------------------------------------------------------------------------ samples of ops


def op_cases(
    op: Callable[..., Any],
    *,
    cases: Sequence[OpCase] | None = None,
    samples: Any = None,
    reference: Callable[..., Any] | None = None,
) -> st.SearchStrategy[Sample]:
    """Points at which to try an op: the arguments of all shapes it takes, in its domain, away from its kinks.

    `vg.op_test` holds an op to all the properties there are on such points; this is for properties of your own.

    Parameters
    ----------
    op : callable
        A function of the derivative table (``np.hypot``, ``vg.softmax``), which is called in all its ways; or any
        function of arrays, with `cases` or `samples`.
    cases, samples, reference
        As for `vg.check_op`; `samples` may also be a strategy that gives one array or the tuple of all arguments.

    Returns
    -------
    SearchStrategy
        Of `Sample`: ``.args`` are the arguments, ``.subject.call(*args)`` makes the call with its settings, on arrays
        and Tensors alike; ``.cotangent`` is one for the result, ``.gradients`` what backward gives for it.

    Raises
    ------
    ValueError
        For a function that has no samples.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(op_cases(np.hypot), lambda sample: True)
    hypot(0.3, 0.3)
    """
    strategy: st.SearchStrategy[Sample] = drawn_samples(op, cases, samples, reference)[1]
    return strategy
