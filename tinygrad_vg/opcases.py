"""For every op of the table: how to sample it, where its kinks are, and what it should give.

A case is a row of data that needs NumPy only: `OpCase.shapes` draws shapes through any function ``pick(low, high)``
(a NumPy generator's, or a Hypothesis draw, which then shrinks), `OpCase.sample` fills them with numbers of the op's
domain, at a distance from its kinks, and `OpCase.reference` computes the value in another way than the op does. The
tests, the checks and the mutants run over `CASES`; an op of the table without a case fails the suite.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_vg import ops
from tinygrad_vg.checks import Array
from tinygrad_vg.tensor import RULES, Tensor

__all__ = ["CASES", "Kink", "OpCase", "cases_of", "picker", "table"]

Pick = Callable[[int, int], int]
Shape = tuple[int, ...]
Domain = tuple[tuple[float, float], ...]  # a union of intervals

KINDS = ("scalar", "ones", "same", "plain", "plain", "empty")  # simplest first, so that shrinking ends there

REAL: Domain = ((-2.0, 2.0),)
POSITIVE: Domain = ((0.3, 3.0),)
NONZERO: Domain = ((-2.0, -0.3), (0.3, 2.0))
UNIT: Domain = ((-0.8, 0.8),)


@dataclass(frozen=True)
class Kink:
    """A point where there is no derivative, or no obvious one, and what the table says there.

    Attributes
    ----------
    at
        The arguments.
    gradient
        The gradient of the summed output by each argument.
    why
        The convention in words.
    """

    at: tuple[Any, ...]
    gradient: tuple[Any, ...]
    why: str


@dataclass(frozen=True, eq=False)
class OpCase:
    """One way of calling one function of the table.

    Attributes
    ----------
    name
        Unique, for messages: the function and what is special about the call.
    function
        The entry of the table: ``np.exp``, ``np.einsum``, ``vg.sigmoid``, ``Tensor.__getitem__`` …
    reference
        The same value from other NumPy functions.
    templates
        The shape of each argument. A letter is an axis (the same letter, the same length), a digit an axis of that
        length, ``*`` any number of axes; several ``*`` are broadcast against each other.
    call
        The call with its settings, on arrays and Tensors alike; `function` itself by default.
    domains
        The numbers of each argument; the last one serves all further arguments.
    distinct
        Keep all numbers of all arguments (of the first domain) apart from each other, because ties are kinks.
    empty
        Whether axes may have length 0.
    least
        The smallest length of a lettered axis.
    analytic
        Whether `call` on complex arrays is an analytic function, as the complex step needs.
    smooth
        False for what has no derivative on purpose (stop_gradient).
    kinks
        Points for explicit tests.
    """

    name: str
    function: Callable[..., Any]
    reference: Callable[..., Any]
    templates: tuple[str, ...] = ("*",)
    call: Callable[..., Any] = None  # type: ignore[assignment]  # __post_init__ puts the function there
    domains: tuple[Domain, ...] = (REAL,)
    distinct: bool = False
    empty: bool = True
    least: int = 1
    analytic: bool = True
    smooth: bool = True
    kinks: tuple[Kink, ...] = ()

    def __post_init__(self) -> None:
        if self.call is None:
            object.__setattr__(self, "call", self.function)

    def __repr__(self) -> str:
        return f"<case {self.name}>"

    def shapes(self, pick: Pick, kind: str | None = None) -> tuple[Shape, ...]:
        """Shapes of the arguments: of a `kind` (scalar, ones, same, plain, empty), or of any.

        ``pick(low, high)`` gives an integer from `low` to `high`, both included.
        """
        kind = KINDS[pick(0, len(KINDS) - 1)] if kind is None else kind
        letters = sorted({c for template in self.templates for c in template if c.isalpha()})
        stars = sum(["*" in template for template in self.templates])
        rank = 0 if kind == "scalar" or not stars else pick(1, 2)
        low, high = (1, 1) if kind == "ones" else (2, 3)
        axes = {c: max(self.least, pick(low, high)) for c in letters}
        batch = [pick(low, high) for _ in range(rank)]
        if kind == "empty" and self.empty and (letters or rank):
            gone = pick(0, len(letters) + rank - 1)
            if gone < len(letters):
                axes[letters[gone]] = 0
            else:
                batch[gone - len(letters)] = 0
        whole = pick(0, stars - 1) if stars > 1 else 0  # this argument keeps all the axes; others may be stretched
        shapes, seen = [], 0
        for template in self.templates:
            shape: list[int] = []
            for c in template:
                if c == "*":
                    mine = list(batch)
                    if seen != whole and kind != "same":
                        mine = [length if pick(0, 2) else 1 for length in batch][pick(0, rank) :]
                    shape += mine
                    seen += 1
                else:
                    shape.append(axes[c] if c in axes else int(c))
            shapes.append(tuple(shape))
        return tuple(shapes)

    def sample(self, rng: np.random.Generator, shapes: Sequence[Shape] | str | None = None) -> tuple[Array, ...]:
        """Arguments of these shapes, or of shapes of this kind, or of any."""
        if shapes is None or isinstance(shapes, str):
            shapes = self.shapes(picker(rng), shapes)
        sizes = [int(np.prod(shape)) for shape in shapes]
        if self.distinct:  # one grid with a little noise for all arguments together
            total = sum(sizes)
            grid = np.arange(total) + 0.5 + rng.uniform(-0.25, 0.25, total)
            parts = np.split(rng.permutation(_spread(self.domains[0], grid / max(total, 1))), np.cumsum(sizes)[:-1])
        else:
            domains = [self.domains[min(i, len(self.domains) - 1)] for i in range(len(shapes))]
            parts = [_spread(domain, rng.random(size)) for domain, size in zip(domains, sizes, strict=True)]
        return tuple([np.reshape(part, shape) for part, shape in zip(parts, shapes, strict=True)])


def picker(rng: np.random.Generator) -> Pick:
    """``pick(low, high)`` from a generator."""
    return lambda low, high: int(rng.integers(low, high + 1))


def _spread(domain: Domain, part: Array) -> Array:
    """The numbers that lie these parts (0 to 1) of the way through a union of intervals."""
    low, high = np.array(domain).T
    before = np.concatenate([[0.0], np.cumsum(high - low)])
    way = part * before[-1]
    which = np.clip(np.searchsorted(before, way, side="right") - 1, 0, len(domain) - 1)
    numbers: Array = low[which] + way - before[which]
    return numbers


# ------------------------------------------------------------------------------------------------------- elementwise


def _elementwise(
    function: Any,
    reference: Callable[..., Any],
    *domains: Domain,
    analytic: bool = True,
    kinks: tuple[Kink, ...] = (),
    distinct: bool = False,
) -> OpCase:
    arguments = getattr(function, "nin", 1)
    return OpCase(
        name=function.__name__,
        function=function,
        reference=reference,
        templates=("*",) * arguments,
        domains=domains or (REAL,),
        analytic=analytic,
        kinks=kinks,
        distinct=distinct,
    )


_TIE = "equal elements share the gradient"
_ZERO_SLOPE = "the derivative at 0 is taken as 0"
_HALF = ((0.5, 0.5),)


def _log1p(x: Any) -> Any:
    return 2 * np.arctanh(x / (2 + x))


_CASES: list[OpCase] = [
    _elementwise(np.add, lambda x, y: x - (-y)),
    _elementwise(np.subtract, lambda x, y: x + (-y)),
    _elementwise(np.multiply, lambda x, y: np.einsum("...,...->...", x, y)),
    _elementwise(np.divide, lambda x, y: x * np.reciprocal(y), REAL, NONZERO),
    _elementwise(np.power, lambda x, y: np.exp(y * np.log(x)), POSITIVE, REAL),
    _elementwise(
        np.remainder,
        lambda x, y: x - y * np.floor(x / y),
        ((-0.7, -0.3), (0.3, 0.7), (1.3, 1.7)),
        ((0.9, 1.1),),
        analytic=False,
    ),
    _elementwise(np.negative, lambda x: 0 - x),
    _elementwise(np.positive, lambda x: 1 * x),
    _elementwise(
        np.absolute,
        lambda x: np.where(x < 0, -x, x),
        NONZERO,
        analytic=False,
        kinks=(Kink((np.array([0.0, -1.0]),), ([0.0, -1.0],), _ZERO_SLOPE),),
    ),
    _elementwise(
        np.fabs,
        lambda x: np.where(x < 0, -x, x),
        NONZERO,
        analytic=False,
        kinks=(Kink((np.array([0.0, 1.0]),), ([0.0, 1.0],), _ZERO_SLOPE),),
    ),
    _elementwise(np.square, lambda x: x * x),
    _elementwise(np.reciprocal, lambda x: 1 / x, NONZERO),
    _elementwise(
        np.sqrt,
        lambda x: x**0.5,
        POSITIVE,
        kinks=(Kink((np.array([0.0, 4.0]),), ([np.inf, 0.25],), "the slope at 0 is infinite, as calculus has it"),),
    ),
    _elementwise(np.cbrt, lambda x: np.sign(x) * np.abs(x) ** (1 / 3), NONZERO, analytic=False),
    _elementwise(np.exp, lambda x: np.power(math.e, x)),
    _elementwise(np.exp2, lambda x: np.power(2.0, x)),
    _elementwise(np.expm1, lambda x: 2 * np.exp(x / 2) * np.sinh(x / 2)),
    _elementwise(np.log, lambda x: np.log2(x) * np.log(2.0), POSITIVE),
    _elementwise(np.log2, lambda x: np.log(x) / np.log(2.0), POSITIVE),
    _elementwise(np.log10, lambda x: np.log(x) / np.log(10.0), POSITIVE),
    _elementwise(np.log1p, _log1p, ((-0.7, 2.0),)),
    _elementwise(np.sin, lambda x: np.imag(np.exp(1j * x))),
    _elementwise(np.cos, lambda x: np.real(np.exp(1j * x))),
    _elementwise(np.tan, lambda x: np.sin(x) / np.cos(x), ((-1.2, 1.2),)),
    _elementwise(np.arcsin, lambda x: np.arctan2(x, np.sqrt((1 - x) * (1 + x))), UNIT),
    _elementwise(np.arccos, lambda x: np.arctan2(np.sqrt((1 - x) * (1 + x)), x), UNIT),
    _elementwise(np.arctan, lambda x: np.angle(1 + 1j * x)),
    _elementwise(np.arctan2, lambda y, x: np.angle(x + 1j * y), NONZERO, NONZERO, analytic=False),
    _elementwise(np.sinh, lambda x: (np.expm1(x) - np.expm1(-x)) / 2),
    _elementwise(np.cosh, lambda x: (np.exp(x) + np.exp(-x)) / 2),
    _elementwise(np.tanh, lambda x: np.expm1(2 * x) / (np.expm1(2 * x) + 2)),
    _elementwise(np.arcsinh, lambda x: np.sign(x) * np.log1p(np.abs(x) + x * x / (1 + np.sqrt(1 + x * x)))),
    _elementwise(np.arccosh, lambda x: np.log(x + np.sqrt(x * x - 1)), ((1.3, 4.0),)),
    _elementwise(np.arctanh, lambda x: np.log1p(2 * x / (1 - x)) / 2, UNIT),
    _elementwise(
        np.hypot,
        lambda x, y: np.sqrt(x * x + y * y),
        NONZERO,
        analytic=False,
        kinks=(Kink((np.array([0.0, 3.0]), np.array([0.0, 4.0])), ([0.0, 0.6], [0.0, 0.8]), _ZERO_SLOPE),),
    ),
    _elementwise(np.logaddexp, lambda x, y: np.log(np.exp(x) + np.exp(y)), analytic=False),
    _elementwise(
        np.maximum,
        lambda x, y: np.where(x > y, x, y),
        analytic=False,
        distinct=True,
        kinks=(Kink((np.array([1.0, 2.0]), np.array([1.0, 3.0])), ([0.5, 0.0], [0.5, 1.0]), _TIE),),
    ),
    _elementwise(
        np.minimum,
        lambda x, y: np.where(x < y, x, y),
        analytic=False,
        distinct=True,
        kinks=(Kink((np.array([1.0, 2.0]), np.array([1.0, 3.0])), ([0.5, 1.0], [0.5, 0.0]), _TIE),),
    ),
    _elementwise(ops.sigmoid, lambda z: 0.5 * (1 + np.tanh(z / 2)), ((-4.0, 4.0),)),
    _elementwise(
        ops.relu,
        lambda x: (x + np.sqrt(x * x)) / 2,
        NONZERO,
        kinks=(Kink((np.array([0.0, -1.0, 1.0]),), ([0.0, 0.0, 1.0],), _ZERO_SLOPE),),
    ),
    _elementwise(ops.softplus, lambda x: np.log(1 + np.exp(x)), ((-4.0, -0.05), (0.05, 4.0))),
    _elementwise(np.copy, lambda x: 1 * x),
    OpCase("stop_gradient", ops.stop_gradient, lambda x: 1 * x, analytic=False, smooth=False),
    OpCase("cast", ops.cast, lambda x: 1 * x, call=lambda x: ops.cast(x, dtype=np.float64), analytic=False),
    OpCase(
        "where",
        np.where,
        lambda x, y: np.maximum(x, 0) + (x < 0) * y,
        ("*", "*"),
        call=lambda x, y: np.where(np.greater(x, 0), x, y),
        domains=(NONZERO, REAL),
    ),
    OpCase(
        "clip",
        np.clip,
        lambda x: np.where(x < -1, -1, np.where(x > 1, 1, x)),
        call=lambda x: np.clip(x, -1, 1),
        domains=(((-2.0, -1.2), (-0.8, 0.8), (1.2, 2.0)),),
        analytic=False,
        kinks=(Kink((np.array([-1.0, 0.0, 1.0, 2.0]),), ([0.5, 1.0, 0.5, 0.0],), "shared with the bound"),),
    ),
    OpCase(
        "clip by arrays",
        np.clip,
        lambda x, low, high: np.where(x < low, low, np.where(x > high, high, x)),
        ("*", "*", "*"),
        call=lambda x, low, high: np.clip(x, low, high),
        domains=(((-2.0, -1.2), (-0.8, 0.8), (1.2, 2.0)), ((-1.1, -0.9),), ((0.9, 1.1),)),
        analytic=False,
    ),
    OpCase(
        "clip from below",
        np.clip,
        lambda x: np.where(x < -1, -1, x),
        call=lambda x: np.clip(x, -1, None),
        domains=(((-2.0, -1.2), (-0.8, 2.0)),),
        analytic=False,
    ),
]


# -------------------------------------------------------------------------------------------------------- reductions


def _reductions(
    function: Any,
    reference: Callable[..., Any],
    *,
    axes: Sequence[Any] = (None, 0, -1, (0, -1)),
    keepdims: bool = True,
    kinks: tuple[Kink, ...] = (),
    note: str = "",
    **words: Any,
) -> list[OpCase]:
    """Cases over all axes, the first, the last and two; ``reference(a, axes)`` takes a tuple and keeps the axes."""
    cases = []
    for axis in axes:
        for kept in (False, True) if keepdims and axis != 0 else (False,):
            template = {None: "*", 0: "n*", -1: "*n"}.get(axis, "m*n")
            more = {"keepdims": True} if kept else {}
            text = "".join([f", {k}={v}" for k, v in {**({} if axis is None else {"axis": axis}), **more}.items()])

            def call(a: Any, axis: Any = axis, more: Any = more) -> Any:
                return function(a, **({} if axis is None else {"axis": axis}), **more)

            def answer(a: Any, axis: Any = axis, kept: bool = kept) -> Any:
                numbers = range(a.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
                full = reference(a, tuple([n % a.ndim for n in numbers]))
                return full if kept else np.squeeze(full, tuple([n % a.ndim for n in numbers]))

            cases.append(
                OpCase(
                    f"{function.__name__}{note}{text}",
                    function,
                    answer,
                    (template,),
                    call=call,
                    kinks=kinks if axis is None and not kept else (),
                    **words,
                )
            )
    return cases


def _fold(two: Callable[[Any, Any], Any], start: Any = None) -> Callable[..., Any]:
    """A reduction spelled out as a loop over slices."""

    def folded(a: Any, axes: tuple[int, ...]) -> Any:
        for axis in axes:
            slices = [np.take(a, [i], axis=axis) for i in range(a.shape[axis])]
            total = slices[0] if start is None else np.full(np.shape(np.sum(a, axis=axis, keepdims=True)), start)
            for s in slices[1:] if start is None else slices:
                total = two(total, s)
            a = total
        return a

    return folded


def _count(a: Any, axes: tuple[int, ...]) -> int:
    return int(np.prod([a.shape[i] for i in axes], dtype=int))


_total = _fold(lambda x, y: x + y, 0.0)


def _variance(a: Any, axes: tuple[int, ...]) -> Any:
    n = _count(a, axes)
    return _total(a * a, axes) / n - (_total(a, axes) / n) ** 2


def _ties(extreme: float) -> tuple[Kink, ...]:
    return (Kink((np.array([[extreme, 0.0], [extreme, 0.1]]),), ([[0.5, 0.0], [0.5, 0.0]],), _TIE),)


_pair = np.array([[2.0, 2.0], [2.0, 2.0]])

_CASES += [
    *_reductions(np.sum, _total),
    *_reductions(np.mean, lambda a, axes: _total(a, axes) / _count(a, axes), empty=False),
    *_reductions(np.prod, _fold(lambda x, y: x * y, 1.0)),
    *[
        case
        for function, reference, extreme in [
            (np.max, lambda x, y: np.where(x > y, x, y), 3.0),
            (np.amax, lambda x, y: np.where(x > y, x, y), 3.0),
            (np.min, lambda x, y: np.where(x < y, x, y), -3.0),
            (np.amin, lambda x, y: np.where(x < y, x, y), -3.0),
        ]
        for case in _reductions(
            function, _fold(reference), empty=False, distinct=True, analytic=False, kinks=_ties(extreme)
        )
    ],
    *_reductions(np.var, _variance, empty=False, analytic=False),
    *_reductions(
        np.std,
        lambda a, axes: np.sqrt(_variance(a, axes)),
        axes=(-1,),
        empty=False,
        least=2,
        distinct=True,
        analytic=False,
    ),
    OpCase(
        "std of everything",
        np.std,
        lambda a: np.sqrt(np.var(a)),
        ("n*",),
        empty=False,
        least=2,
        distinct=True,
        analytic=False,
        kinks=(Kink((_pair,), (0 * _pair,), "the derivative where all elements are equal is taken as 0"),),
    ),
    OpCase(
        "var, ddof=1",
        np.var,
        lambda a: np.var(a, axis=0) * a.shape[0] / (a.shape[0] - 1),
        ("n*",),
        call=lambda a: np.var(a, axis=0, ddof=1),
        empty=False,
        least=2,
        analytic=False,
    ),
    OpCase(
        "std, correction=1, keepdims=True",
        np.std,
        lambda a: np.sqrt(np.var(a, axis=0, keepdims=True) * a.shape[0] / (a.shape[0] - 1)),
        ("n*",),
        call=lambda a: np.std(a, axis=0, correction=1, keepdims=True),
        empty=False,
        least=2,
        distinct=True,
        analytic=False,
    ),
    *_reductions(
        np.linalg.norm,
        lambda a, axes: np.sqrt(_total(a * a, axes)),
        domains=(NONZERO,),
        empty=False,
        analytic=False,
        kinks=(Kink((np.zeros((2, 2)),), (np.zeros((2, 2)),), "the derivative of the norm at 0 is taken as 0"),),
    ),
    *[
        OpCase(
            f"norm, ord={order}, axis={axis}",
            np.linalg.norm,
            reference,
            ("*n",),
            call=lambda a, order=order, axis=axis: np.linalg.norm(a, order, axis=axis),
            domains=(((-2.0, -1.3), (0.3, 1.0)),),
            empty=False,
            analytic=False,
            kinks=kinks,
        )
        for order, axis, reference, kinks in [
            (1, -1, lambda a: np.sum(np.abs(a), axis=-1), ()),
            (2, -1, lambda a: np.sqrt(np.sum(a * a, axis=-1)), ()),
            (
                3,
                -1,
                lambda a: np.cbrt(np.sum(np.abs(a * a * a), axis=-1)),
                (Kink((np.zeros(3),), (np.zeros(3),), "the derivative of the norm at 0 is taken as 0"),),
            ),
            (-2, -1, lambda a: 1 / np.sqrt(np.sum(1 / (a * a), axis=-1)), ()),
        ]
    ],
    *[
        OpCase(
            f"norm, ord={order}",
            np.linalg.norm,
            reference,
            ("n",),
            call=lambda a, order=order: np.linalg.norm(a, ord=order),
            domains=(((0.3, 2.0),),),
            distinct=True,
            empty=False,
            analytic=False,
        )
        for order, reference in [(np.inf, np.max), (-np.inf, np.min)]
    ],
    OpCase(
        "norm, ord='fro'",
        np.linalg.norm,
        lambda a: np.sqrt(np.trace(a.T @ a)),
        ("mn",),
        call=lambda a: np.linalg.norm(a, "fro", keepdims=False),
        domains=(NONZERO,),
        empty=False,
        analytic=False,
    ),
    *[
        OpCase(
            f"cumsum, axis={axis}",
            np.cumsum,
            lambda a, axis=axis: np.add.accumulate(np.reshape(a, -1) if axis is None else a, axis or 0),
            (template,),
            call=lambda a, axis=axis: np.cumsum(a, axis=axis),
        )
        for axis, template in [(None, "*"), (0, "n*"), (-1, "*n")]
    ],
    *_reductions(ops.logsumexp, lambda a, axes: np.log(np.sum(np.exp(a), axis=axes, keepdims=True)), empty=False),
    *[
        OpCase(
            f"{f.__name__}, axis={axis}",
            f,
            lambda a, f=f, axis=axis: (np.log if f is ops.log_softmax else np.positive)(
                np.exp(a) / np.sum(np.exp(a), axis=axis, keepdims=True)
            ),
            (template,),
            call=lambda a, f=f, axis=axis: f(a) if axis == -1 else f(a, axis=axis),
            empty=False,
        )
        for f in (ops.softmax, ops.log_softmax)
        for axis, template in [(-1, "*n"), (0, "n*"), (None, "*")]
    ],
]


# ---------------------------------------------------------------------------------------- shape, order, and selection


def _placed(index: Any) -> Callable[..., Any]:
    """What a selection gives, through the positions of the elements in the flat array."""
    return lambda a: np.take(np.ravel(a), np.arange(a.size).reshape(a.shape)[index])


def _moved(name: str, function: Any, template: str, call: Callable[..., Any], **words: Any) -> OpCase:
    """A case of a function that only moves elements: its reference moves their positions."""

    def reference(a: Any) -> Any:
        return np.take(np.append(np.ravel(a), 0.0), call(np.arange(a.size).reshape(a.shape)))

    return OpCase(name, function, words.pop("reference", reference), (template,), call=call, **words)


_MASK = np.array([[True, False, True, True], [False, False, True, False], [True, True, False, False]])


def _joined(*arrays: Any, axis: int) -> Any:
    """Concatenation by filling an empty array."""
    axis %= arrays[0].ndim
    shape = list(arrays[0].shape)
    shape[axis] = sum([a.shape[axis] for a in arrays])
    out, start = np.empty(shape), 0
    for a in arrays:
        out[(slice(None),) * axis + (slice(start, start + a.shape[axis]),)] = a
        start += a.shape[axis]
    return out


def _rejoined(parts: Any, axis: int) -> Any:
    """The parts of a split in another order, the second one squared."""
    x, y, *more = parts
    return np.concatenate([*more, *([x, y**2] if more else [y**2, x])], axis=axis)


_CASES += [
    _moved("reshape", np.reshape, "2n*", lambda a: np.reshape(a, (*np.shape(a)[1:], 2))),
    _moved("reshape to one axis", np.reshape, "n*", lambda a: np.reshape(a, np.size(a))),
    _moved("ravel", np.ravel, "*", np.ravel),
    _moved("squeeze", np.squeeze, "*1", np.squeeze),
    _moved("squeeze, axis=-2", np.squeeze, "*1n", lambda a: np.squeeze(a, axis=-2)),
    _moved("expand_dims", np.expand_dims, "*", lambda a: np.expand_dims(a, 0)),
    _moved("expand_dims, axis=(0, -1)", np.expand_dims, "*", lambda a: np.expand_dims(a, axis=(0, -1))),
    _moved("transpose", np.transpose, "*", np.transpose),
    _moved("transpose, axes", np.transpose, "kmn", lambda a: np.transpose(a, (1, -1, 0))),
    _moved("swapaxes", np.swapaxes, "m*n", lambda a: np.swapaxes(a, 0, -1)),
    _moved("moveaxis", np.moveaxis, "m*n", lambda a: np.moveaxis(a, 0, -1)),
    _moved("moveaxis, several", np.moveaxis, "kmn", lambda a: np.moveaxis(a, (0, 1), (-1, 0))),
    _moved("broadcast_to", np.broadcast_to, "1n", lambda a: np.broadcast_to(a, (2, 3, np.shape(a)[-1]))),
    _moved("broadcast_to, same shape", np.broadcast_to, "*", lambda a: np.broadcast_to(a, np.shape(a))),
    _moved("flip", np.flip, "*", np.flip),
    _moved("flip, axis=-1", np.flip, "*n", lambda a: np.flip(a, -1)),
    _moved("flip, axis=(0, 1)", np.flip, "mn*", lambda a: np.flip(a, axis=(0, 1))),
    _moved("roll", np.roll, "*", lambda a: np.roll(a, 2)),
    _moved("roll, axis=-1", np.roll, "*n", lambda a: np.roll(a, -1, axis=-1)),
    _moved("roll, two axes", np.roll, "mn*", lambda a: np.roll(a, (1, 2), axis=(0, 1))),
    OpCase(
        "tril",
        np.tril,
        lambda a: a * (np.arange(a.shape[-2])[:, None] >= np.arange(a.shape[-1])),
        ("*mn",),
    ),
    OpCase(
        "tril, k=1",
        np.tril,
        lambda a: a * (np.arange(a.shape[-2])[:, None] >= np.arange(a.shape[-1]) - 1),
        ("*mn",),
        call=lambda a: np.tril(a, k=1),
    ),
    OpCase(
        "triu",
        np.triu,
        lambda a: a * (np.arange(a.shape[-2])[:, None] <= np.arange(a.shape[-1])),
        ("*mn",),
    ),
    OpCase(
        "triu, k=-1",
        np.triu,
        lambda a: a * (np.arange(a.shape[-2])[:, None] <= np.arange(a.shape[-1]) + 1),
        ("*mn",),
        call=lambda a: np.triu(a, -1),
    ),
    OpCase(
        "concatenate",
        np.concatenate,
        lambda *a: _joined(*a, axis=0),
        ("mn", "kn", "2n"),
        call=lambda *a: np.concatenate(a),
    ),
    OpCase(
        "concatenate, axis=-1",
        np.concatenate,
        lambda *a: _joined(*a, axis=-1),
        ("nm", "nk"),
        call=lambda *a: np.concatenate(a, axis=-1),
    ),
    OpCase(
        "concatenate, axis=None",
        np.concatenate,
        lambda *a: np.array([x for one in a for x in one.flat]),
        ("mn", "k", ""),
        call=lambda *a: np.concatenate(a, axis=None),
        analytic=True,
    ),
    OpCase(
        "stack",
        np.stack,
        lambda x, y: _joined(x[None], y[None], axis=0),
        ("mn", "mn"),
        call=lambda *a: np.stack(a),
    ),
    OpCase(
        "stack, axis=-1",
        np.stack,
        lambda x, y: _joined(x[..., None], y[..., None], axis=-1),
        ("mn", "mn"),
        call=lambda *a: np.stack(a, axis=-1),
    ),
    OpCase("stack of numbers", np.stack, lambda x, y: np.array([x, y]), ("", ""), call=lambda *a: np.stack(a)),
    OpCase(
        "vstack",
        np.vstack,
        lambda x, y: _joined(x[None], y, axis=0),
        ("n", "mn"),
        call=lambda *a: np.vstack(a),
    ),
    OpCase(
        "hstack",
        np.hstack,
        lambda x, y: _joined(x, y, axis=1),
        ("mk", "mn"),
        call=lambda *a: np.hstack(a),
    ),
    OpCase(
        "hstack of vectors",
        np.hstack,
        lambda x, y: _joined(x, y[None], axis=0),
        ("k", ""),
        call=lambda *a: np.hstack(a),
    ),
    OpCase(
        "split",
        np.split,
        lambda a: _joined(a[2:] ** 2, a[:2], axis=0),
        ("4*",),
        call=lambda a: _rejoined(np.split(a, 2), 0),
    ),
    OpCase(
        "split at indices, axis=-1",
        np.split,
        lambda a: _joined(a[..., 3:], a[..., :1], a[..., 1:3] ** 2, axis=-1),
        ("*4",),
        call=lambda a: _rejoined(np.split(a, [1, 3], axis=-1), -1),
    ),
    OpCase(
        "array_split",
        np.array_split,
        lambda a: _joined(a[3:] ** 2, a[:3], axis=0),
        ("5*",),
        call=lambda a: _rejoined(np.array_split(a, 2), 0),
    ),
    OpCase(
        "array_split at indices, axis=-1",
        np.array_split,
        lambda a: _joined(a[..., 3:], a[..., :1], a[..., 1:3] ** 2, axis=-1),
        ("*4",),
        call=lambda a: _rejoined(np.array_split(a, [1, 3], axis=-1), -1),
    ),
    OpCase("diff", np.diff, lambda a: a[..., 1:] - a[..., :-1], ("*n",)),
    OpCase(
        "diff, n=2, axis=0",
        np.diff,
        lambda a: a[2:] - 2 * a[1:-1] + a[:-2],
        ("4*",),
        call=lambda a: np.diff(a, n=2, axis=0),
    ),
    _moved("tile", np.tile, "*", lambda a: np.tile(a, 2)),
    _moved("tile, more axes", np.tile, "n", lambda a: np.tile(a, (2, 1, 3))),
    _moved("tile, fewer axes", np.tile, "kmn", lambda a: np.tile(a, (2, 1))),
    _moved("tile, no copies", np.tile, "mn", lambda a: np.tile(a, (0, 1))),
    _moved("repeat", np.repeat, "*", lambda a: np.repeat(a, 2)),
    _moved("repeat, axis=-1", np.repeat, "*n", lambda a: np.repeat(a, 3, axis=-1)),
    _moved("repeat, counts", np.repeat, "3*", lambda a: np.repeat(a, [2, 0, 3], axis=0)),
    OpCase(
        "pad",
        np.pad,
        lambda a: _joined(np.zeros((2, *a.shape[1:])), a, np.zeros((1, *a.shape[1:])), axis=0),
        ("n",),
        call=lambda a: np.pad(a, (2, 1)),
    ),
    OpCase(
        "pad, constant_values",
        np.pad,
        lambda a: np.array([[7.0, *row, 7.0, 7.0] for row in a]).reshape(len(a), a.shape[1] + 3),
        ("mn",),
        call=lambda a: np.pad(a, ((0, 0), (1, 2)), constant_values=7.0),
    ),
    *[
        _moved(
            f"pad, mode={mode}",
            np.pad,
            "mn",
            lambda a, mode=mode: np.pad(a, ((1, 0), (2, 1)), mode=mode),
            empty=False,
            least=2,
        )
        for mode in ("edge", "reflect", "symmetric", "wrap")
    ],
    *[
        OpCase(
            f"getitem [{text}]",
            Tensor.__getitem__,
            _placed(index),
            (template,),
            call=lambda a, index=index: a[index],
        )
        for text, index, template in [
            ("()", (), "*"),
            ("...", ..., "*"),
            ("-1", -1, "3*"),
            ("np.int64(1), 0-d array", (np.int64(1), np.array(2)), "34"),
            ("1:, ::-2", (slice(1, None), slice(None, None, -2)), "34"),
            ("None, ..., 0", (None, ..., 0), "*3"),
            ("1, None, :2", (1, None, slice(2)), "34"),
            ("mask", _MASK, "34"),
            ("row mask", np.array([True, False, True]), "3*"),
            ("True", True, "n"),
            ("nothing", [], "n*"),
            ("repeated", [0, 2, 2, 0, 2], "3*"),
            ("repeated pairs", ([0, 0, 1, 0], [1, 1, 2, -3]), "34"),
            ("array of two axes", np.array([[0, 1], [1, 1]]), "3n"),
            (":, repeated, None", (slice(None), [2, 2], None), "n3"),
            ("apart", ([0, 1, 1], slice(None), [2, 2, 2]), "2n3"),
            ("broadcast indices", (np.array([[0], [1]]), [1, 1, 3]), "34"),
        ]
    ],
    OpCase(
        "getitem [:, mask, 0]",
        Tensor.__getitem__,
        _placed((slice(None), np.array([False, True, True, False]), 0)),
        ("m42",),
        call=lambda a: a[:, np.array([False, True, True, False]), 0],
    ),
    OpCase(
        "scatter",
        ops.scatter,
        lambda x, y: np.array([0.0, x[0] + x[1], 0.0]) + np.array([y[0], y[1], 0.0]),
        ("2", "2"),
        call=lambda x, y: ops.scatter(x, y, indices=([1, 1], slice(None, 2)), shape=(3,)),
    ),
    _moved("take", np.take, "3*", lambda a: np.take(a, [[0, 2], [2, 1]]), empty=False),
    _moved("take, axis=-1", np.take, "*3", lambda a: np.take(a, [2, 0, 2], axis=-1)),
    _moved("take one, axis=0", np.take, "3*", lambda a: np.take(a, 1, axis=0)),
    OpCase("diagonal", np.diagonal, lambda a: np.array([a[i, i] for i in range(min(a.shape))], dtype=float), ("mn",)),
    OpCase(
        "diagonal, offset=-1, axes",
        np.diagonal,
        lambda a: np.moveaxis(np.array([a[i, :, i + 1] for i in range(3)]), 0, -1),
        ("3n4",),
        call=lambda a: np.diagonal(a, offset=-1, axis1=-1, axis2=0),
    ),
    OpCase("trace", np.trace, lambda a: np.sum([a[i, i] for i in range(min(a.shape))]), ("mn",)),
    OpCase(
        "trace, offset=-1, axes",
        np.trace,
        lambda a: a[:, 1, 0] + a[:, 2, 1],
        ("n34",),
        call=lambda a: np.trace(a, offset=-1, axis1=1, axis2=2),
    ),
]


# ----------------------------------------------------------------------------------------------------------- products


def _loops(subscripts: str) -> Callable[..., Any]:
    """An einsum as nested loops over all its letters."""
    inputs, result = subscripts.split("->")
    terms = inputs.split(",")
    letters = sorted(set(inputs) - {","})

    def looped(*arrays: Any) -> Any:
        lengths = dict.fromkeys(letters, 0)
        for term, a in zip(terms, arrays, strict=True):
            for letter, length in zip(term, a.shape, strict=True):
                lengths[letter] = length if lengths[letter] in (0, 1) else lengths[letter]
        lengths |= {c: 0 for t, a in zip(terms, arrays, strict=True) for c, n in zip(t, a.shape, strict=True) if n == 0}
        out = np.zeros([lengths[c] for c in result])
        for place in np.ndindex(*lengths.values()):
            at = dict(zip(letters, place, strict=True))
            product = 1.0
            for term, a in zip(terms, arrays, strict=True):
                product *= a[tuple([at[c] if n > 1 else 0 for c, n in zip(term, a.shape, strict=True)])]
            out[tuple([at[c] for c in result])] += product
        return out

    return looped


def _batched(core: str) -> Callable[..., Any]:
    return lambda a, b: np.einsum(core, a, b, optimize=True)


_CASES += [
    OpCase("matmul, vectors", np.matmul, _loops("k,k->"), ("k", "k")),
    OpCase("matmul, matrix and vector", np.matmul, _batched("...mk,k->...m"), ("*mk", "k")),
    OpCase("matmul, vector and matrix", np.matmul, _batched("k,...kn->...n"), ("k", "*kn")),
    OpCase("matmul", np.matmul, _loops("mk,kn->mn"), ("mk", "kn")),
    OpCase("matmul, batches", np.matmul, _batched("...mk,...kn->...mn"), ("*mk", "*kn")),
    *[
        OpCase(name, ops.affine, lambda x, w, b: _loops("mk,kn->mn")(x, w) + b, ("mk", "kn", bias))
        for name, bias in (("affine", "n"), ("affine, a bias for each row", "mn"))
    ],
    OpCase("dot, numbers", np.dot, np.multiply, ("*", "")),
    OpCase("dot, number first", np.dot, np.multiply, ("", "*")),
    OpCase("dot, vectors", np.dot, _loops("k,k->"), ("k", "k")),
    OpCase("dot, matrices", np.dot, _loops("mk,kn->mn"), ("mk", "kn")),
    OpCase("dot, matrix and vector", np.dot, _loops("mk,k->m"), ("mk", "k")),
    OpCase("dot, three axes and two", np.dot, _loops("amk,kn->amn"), ("amk", "kn")),
    OpCase("dot, two axes and three", np.dot, _loops("mk,bkn->mbn"), ("mk", "bkn")),
    OpCase("dot, vector and three axes", np.dot, _loops("k,bkn->bn"), ("k", "bkn")),
    OpCase("inner, vectors", np.inner, _loops("k,k->"), ("k", "k")),
    OpCase("inner", np.inner, _loops("mk,nk->mn"), ("mk", "nk")),
    OpCase("inner, three axes and one", np.inner, _loops("amk,k->am"), ("amk", "k")),
    OpCase("inner, numbers", np.inner, np.multiply, ("*", "")),
    OpCase("outer", np.outer, _loops("m,n->mn"), ("m", "n")),
    OpCase("outer, flattened", np.outer, lambda a, b: np.reshape(a, (-1, 1)) * np.reshape(b, (1, -1)), ("mn", "")),
    OpCase("tensordot", np.tensordot, _loops("amn,mnb->ab"), ("amn", "mnb")),
    OpCase(
        "tensordot, axes=1", np.tensordot, _loops("am,mb->ab"), ("am", "mb"), call=lambda a, b: np.tensordot(a, b, 1)
    ),
    OpCase(
        "tensordot, axes=0", np.tensordot, _loops("m,n->mn"), ("m", "n"), call=lambda a, b: np.tensordot(a, b, axes=0)
    ),
    OpCase(
        "tensordot, pairs",
        np.tensordot,
        _loops("mna,bnm->ab"),
        ("mna", "bnm"),
        call=lambda a, b: np.tensordot(a, b, axes=([0, 1], [-1, 1])),
    ),
    *[
        OpCase(
            f"einsum {given}",
            np.einsum,
            _loops(explicit),
            templates,
            call=lambda *a, given=given: np.einsum(given, *a),
        )
        for given, explicit, templates in [
            ("mk,kn->mn", "mk,kn->mn", ("mk", "kn")),
            ("mk, kn", "mk,kn->mn", ("mk", "kn")),  # implicit output
            ("ba", "ba->ab", ("ba",)),  # implicit output in alphabetical order
            ("ii->i", "ii->i", ("ii",)),
            ("ii", "ii->", ("ii",)),  # the trace of one operand
            ("iij,i->j", "iij,i->j", ("iij", "i")),
            ("iii->", "iii->", ("iii",)),
            ("ij->", "ij->", ("ij",)),
            ("i,j->", "i,j->", ("i", "j")),
            ("ij,jk,kl->il", "ij,jk,kl->il", ("ij", "jk", "kl")),
            ("i,i,i->i", "i,i,i->i", ("i", "i", "i")),
            (",i->i", ",i->i", ("", "i")),
            ("...i,...i->...", "ami,ami->am", ("ami", "ami")),
            ("...i,i...", "ami,iam->am", ("ami", "iam")),
            ("i...->...", "iam->am", ("iam",)),
            ("...ij,jk->...ik", "amij,jk->amik", ("amij", "jk")),
            ("ij,ij->i", "ij,ij->i", ("i1", "ij")),  # broadcast ones
            ("ij,ij->ij", "ij,ij->ij", ("1j", "i1")),
            ("ij,ij->", "ij,ij->", ("1j", "i1")),
            ("...i,...i->...i", "ami,ami->ami", ("1mi", "a1i")),
        ]
    ],
    OpCase(
        "einsum, optimize",
        np.einsum,
        _loops("ij,jk,kl->il"),
        ("ij", "jk", "kl"),
        call=lambda *a: np.einsum("ij,jk,kl->il", *a, optimize=True),
    ),
]

CASES: tuple[OpCase, ...] = tuple(_CASES)


def table() -> list[Callable[..., Any]]:
    """Every function of the table that must have a case: those of NumPy that are replaced, and those of our own."""
    own = [getattr(ops, name) for name in ops.__all__ if name != "primitive"]
    return [*RULES, *own, ops.cast, ops.scatter]


def cases_of(function: Callable[..., Any]) -> tuple[OpCase, ...]:
    """The cases of one function of the table."""
    return tuple([case for case in CASES if case.function is function])
