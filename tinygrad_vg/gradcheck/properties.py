"""What every op must do, value and derivative, beyond agreeing with finite differences.

A finite difference compares a derivative with its *own* forward, at one cotangent. It cannot see a wrong forward, a
rule that is right for cotangents around 1 and wrong for 1e-12, a result that lives in somebody else's memory, or a
rule that takes its inputs for constants and is wrong one derivative later. Each property below looks at one such
thing; its docstring says what it sees and what it does not. `check_op` runs them all over samples of an op, `op_test`
lets Hypothesis look for the samples, and `mutants` tells whether they would have noticed.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from html import escape
from typing import Any

import numpy as np

from tinygrad_vg.autodiff import backprop, hvp, jvp
from tinygrad_vg.checks import Array
from tinygrad_vg.gradcheck.differences import finite_difference
from tinygrad_vg.gradcheck.faults import Mutant, mutants_of, row_of, rows_reached
from tinygrad_vg.gradcheck.judging import RESOLVED, RTOL, SAFETY
from tinygrad_vg.modes import no_grad
from tinygrad_vg.opcases import Kink, OpCase, cases_of, picker
from tinygrad_vg.tensor import RULES, Op, Tensor

__all__ = ["PROPERTIES", "Failure", "OpMismatch", "OpReport", "Property", "Sample", "Subject", "check_op", "op_test"]

DRAWS = 6  # from a function that gives random samples
ROUNDING = 1e-12  # relative, where two ways of computing the same thing are compared


class Broken(Exception):
    """A property does not hold; the message says where and with which values."""


@dataclass(frozen=True, eq=False)
class Subject:
    """A function to be checked and how it is called: a row of `opcases`, or what the user gave.

    Attributes
    ----------
    name, call, function, reference, kinks, smooth
        As in `OpCase`; the reference is None where there is none.
    drawn
        From a seed to the samples.
    """

    name: str
    call: Callable[..., Any]
    function: Callable[..., Any]
    reference: Callable[..., Any] | None
    kinks: tuple[Kink, ...]
    smooth: bool
    drawn: Callable[[int], Sequence[tuple[str, tuple[Array, ...]]]]

    def samples(self, seed: int) -> list[Sample]:
        """The samples of this seed, each with numbers of its own for cotangents and directions."""
        return [Sample(self, label, args, [seed, n]) for n, (label, args) in enumerate(self.drawn(seed))]

    def planted(self, mutant: Mutant) -> Subject:
        """The same with a fault in it."""
        return replace(self, call=mutant.plant(self.call), function=mutant.plant(self.function))


class Sample:
    """One point at which the properties are tried.

    Attributes
    ----------
    subject
        What is called.
    label
        Where the point comes from.
    args
        The arguments, float64 arrays.
    seed
        Of the cotangents and directions.
    worst_error
        The largest relative error of a derivative against its finite difference, as far as it was tried.
    """

    def __init__(self, subject: Subject, label: str, args: tuple[Array, ...], seed: Any) -> None:
        self.subject, self.label, self.args, self.seed = subject, label, args, seed
        self.worst_error = 0.0

    def __repr__(self) -> str:
        return f"{self.subject.name}({', '.join([_brief(a) for a in self.args])})"

    def rng(self) -> np.random.Generator:
        """A fresh generator, so that no property depends on which ones ran before."""
        return np.random.default_rng(self.seed)

    def graph(self, args: Sequence[Any] | None = None) -> tuple[list[Tensor], Tensor]:
        """Fresh variables and the value computed from them."""
        xs = [Tensor(a) for a in (self.args if args is None else args)]
        return xs, _tensor(self.subject.call(*xs))

    @cached_property
    def plain(self) -> Array:
        """The value on plain arrays."""
        with no_grad():
            return np.asarray(self.subject.call(*[np.array(a) for a in self.args]))

    @cached_property
    def cotangent(self) -> Array:
        """A cotangent with no two entries alike and of both signs."""
        return np.asarray(0.3 + self.rng().standard_normal(self.plain.shape))

    @cached_property
    def gradients(self) -> list[Array]:
        """What backward gives for `cotangent`."""
        return self.pull(self.cotangent)

    def pull(self, g: Array, args: Sequence[Any] | None = None) -> list[Array]:
        """The vjp: the cotangents of the arguments for the cotangent `g` of the value."""
        xs, y = self.graph(args)
        found = backprop(y, g, wrt=xs)
        return [found[x] for x in xs]

    def directions(self) -> list[Array]:
        """A random direction for each argument."""
        rng = np.random.default_rng([*np.atleast_1d(self.seed), 1])
        return [rng.choice([-1.0, 1.0], a.shape) * rng.uniform(0.5, 1.5, a.shape) for a in self.args]


def _tensor(y: Any) -> Tensor:
    if type(y) is not Tensor:
        raise Broken(
            f"it returned a {type(y).__name__} where a Tensor was due: the derivative is lost on the way; an op "
            "returns one array computed with NumPy functions"
        )
    return y


def _brief(a: Any) -> str:
    """An array as one writes it, short."""
    a = a.data if type(a) is Tensor else np.asarray(a)
    if not a.size:
        return f"np.zeros({a.shape})"
    number: Any = {"float_kind": lambda v: repr(float(v)) if a.size == 1 else format(float(v), ".6g")}
    text = np.array2string(a, separator=", ", threshold=12, edgeitems=2, formatter=number, max_line_width=10**6)
    return " ".join(text.split())


def _compare(what: str, found: Any, expected: Any, tolerance: Any = 0.0) -> None:
    """Raise Broken unless the arrays agree, with the worst place and both values."""
    a, b = np.asarray(found), np.asarray(expected)
    if a.shape != b.shape:
        raise Broken(f"{what}: shape {a.shape} where {b.shape} is due")
    with np.errstate(all="ignore"):
        wrong = ~((a == b) | (np.abs(a - b) <= tolerance) | (np.isnan(a) & np.isnan(b)))
    if wrong.any():
        error = np.where(wrong, np.abs(a - b), -1.0)
        at = np.unravel_index(int(np.argmax(np.where(np.isnan(error), np.inf, error))), a.shape)
        allowed = float(np.broadcast_to(tolerance, a.shape)[at])
        where = f" at [{', '.join(map(str, at))}]" if a.ndim else ""
        how = f", allowed are {allowed:.1e}" if allowed else ", bit for bit"
        raise Broken(f"{what}{where}: {float(a[at])!r} where {float(b[at])!r} is due{how}")


def _size(*arrays: Any) -> float:
    """The largest absolute value of all."""
    return max([0.0, *[float(np.max(np.abs(a))) for a in arrays if np.size(a)]])


# ------------------------------------------------------------------------------------------------------ the properties


def forward(s: Sample) -> None:
    """The value equals an independent reference, on arrays and on Tensors.

    No derivative check sees a wrong forward: the derivative of the wrong function may be right.
    """
    _, y = s.graph()
    if s.subject.reference is None:
        expected, tolerance = s.plain, 0.0
    else:
        expected = np.asarray(s.subject.reference(*[np.array(a) for a in s.args]), dtype=float)
        tolerance = ROUNDING * np.abs(expected) + 1e-14 * max(1.0, _size(*s.args))
    _compare("the value on Tensors", y.data, expected, tolerance)
    _compare("the value on plain arrays", s.plain, expected, tolerance)


def shape_and_dtype(s: Sample) -> None:
    """Each gradient has its argument's shape and dtype: in float64, in float32, and where the two meet.

    A rule that computes with ``np.float64`` numbers promotes in silence; an error of 1e-3 in float32 is a formula that
    cancels.
    """
    count = len(s.args)
    mixtures = [["d"] * count, ["f"] * count, *([["f", "d"] * count, ["d", "f"] * count] if count > 1 else [])]
    for codes in mixtures:
        args = [a.astype(code) for a, code in zip(s.args, codes, strict=False)]
        mixture = ", ".join([a.dtype.name for a in args])
        xs, y = s.graph(args)
        with no_grad():
            plain = np.asarray(s.subject.call(*args))
        if plain.dtype.kind != "f":
            raise Broken(f"the value on plain arrays of {mixture} has dtype {plain.dtype}, no floating-point one")
        if (y.shape, y.dtype) != (plain.shape, plain.dtype):
            raise Broken(f"the value has shape {y.shape}, dtype {y.dtype}; on arrays {plain.shape}, {plain.dtype}")
        found = backprop(y, s.cotangent.astype(y.dtype), wrt=xs)
        for k, x in enumerate(xs):
            if (found[x].shape, found[x].dtype) != (x.shape, x.dtype):
                raise Broken(
                    f"the gradient of argument {k} has shape {found[x].shape}, dtype {found[x].dtype}; "
                    f"the argument has {x.shape}, {x.dtype}"
                )
            if "f" in codes and s.subject.smooth:
                right = s.gradients[k]
                _compare(f"the float32 gradient of argument {k}", found[x], right, 1e-3 * max(_size(right), 1e-2))


def nothing_changed(s: Sample) -> None:
    """Inputs, output and the incoming cotangent are as before; gradients live in memory of their own.

    A rule is handed the sweep's own arrays. One that writes to its cotangent spoils what the other operand of the same
    sum is about to receive; here that other operand is a leaf, whose gradient must be the cotangent bit for bit.
    """
    constants = [np.array(a) for a in s.args]
    bystander = Tensor(np.zeros(s.plain.shape))
    xs, y = s.graph(constants)
    value, g = np.array(y.data), s.cotangent.copy()
    found = backprop(_tensor(np.add(y, bystander)), g)
    _compare("the incoming cotangent was changed: another operand got", found[bystander], s.cotangent)
    _compare("the cotangent that was given was changed: it", g, s.cotangent)
    _compare("the value was changed by backward: it", y.data, value)
    for k, (x, a, before) in enumerate(zip(xs, constants, s.args, strict=True)):
        _compare(f"argument {k} was changed: it", x.data, before)
        _compare(f"the array given as argument {k} was changed: it", a, before)
    held = {"array that was given as cotangent": g, "value": y.data}
    held |= {f"value of argument {k}": x.data for k, x in enumerate(xs)}
    names = {x: f"gradient of argument {k}" for k, x in enumerate(xs)}
    for tensor, gradient in found.items():
        name = names.get(tensor, f"cotangent of a tensor {tensor.label()}")
        for other, memory in held.items():
            if np.shares_memory(gradient, memory):
                raise Broken(f"the {name} shares its memory with the {other.strip()}")
        held[name + " " * len(held)] = gradient  # names may repeat


def powers_of_two(s: Sample) -> None:
    """vjp(2ᵏg) == 2ᵏ·vjp(g) bit for bit, k = −160, −30, 30, and vjp(−g) == −vjp(g).

    A vjp is linear, and multiplying by a power of two rounds nothing. So this has no tolerance, and it sees at once
    what no tolerance of 1e-5 can: a rule with a threshold, an addend, a clip, a detour through float32. In the first
    layer of a deep network cotangents *are* 2⁻³⁰.
    """
    for factor, written in ((2.0**-160, "2⁻¹⁶⁰g"), (2.0**-30, "2⁻³⁰g"), (2.0**30, "2³⁰g"), (-1.0, "−g")):
        for k, (got, one) in enumerate(zip(s.pull(factor * s.cotangent), s.gradients, strict=True)):
            _compare(f"vjp({written}) of argument {k}, divided by the factor,", got / factor, one)


def additivity(s: Sample) -> None:
    """vjp(g + h) == vjp(g) + vjp(h), up to rounding."""
    rng = s.rng()
    g, h = [np.round(64 * rng.standard_normal(s.plain.shape)) / 64 for _ in range(2)]
    both, one, two = s.pull(g + h), s.pull(g), s.pull(h)
    for k, (whole, a, b) in enumerate(zip(both, one, two, strict=True)):
        _compare(f"vjp(g + h) of argument {k}", whole, a + b, ROUNDING * _size(a, b) + 1e-15 * _size(g, h))


def zero(s: Sample) -> None:
    """vjp(0) = 0, exactly: no addend, no NaN from 0/0."""
    for k, got in enumerate(s.pull(np.zeros(s.plain.shape))):
        _compare(f"vjp(0) of argument {k}", got, np.zeros(np.shape(got)))


def first_order(s: Sample) -> None:
    """The gradient agrees with finite differences that come with an error bound, one direction for each argument.

    The directions are random and dense; an error in one element shows in proportion. There is no absolute tolerance:
    see `check_gradients`, which looks at every element.
    """
    if not s.subject.smooth:
        return
    g = s.cotangent
    for k, (a, d, gradient) in enumerate(zip(s.args, s.directions(), s.gradients, strict=True)):

        def phi(t: float, k: int = k, a: Array = a, d: Array = d) -> float:
            with no_grad(), np.errstate(all="ignore"):
                y = s.subject.call(*s.args[:k], a + t * d, *s.args[k + 1 :])
            return float(np.sum(g * np.asarray(y)))

        _judge(s, f"the derivative along a random direction of argument {k}", float(np.sum(gradient * d)), phi)


def _judge(s: Sample, what: str, backward: float, phi: Callable[[float], float], size: float = 0.0) -> None:
    """Compare a directional derivative with the finite difference of φ at 0."""
    estimate = finite_difference(phi, 0.0)
    value, bound = estimate.value, estimate.bound
    if estimate.still and backward == 0:
        return
    size = max(abs(backward), abs(value), size)
    s.worst_error = max(s.worst_error, abs(backward - value) / size if size else 0.0)
    text = f"{what}: backward {backward:.10e}, finite difference {value:.10e} ± {bound:.1e}"
    if estimate.kink and not abs(backward - value) <= RTOL * size:
        raise Broken(f"{text}; slopes {estimate.left:.6e} on the left, {estimate.right:.6e} on the right: a kink?")
    if not abs(backward - value) <= RTOL * size + SAFETY * bound:
        raise Broken(text)
    if size and not SAFETY * bound <= RESOLVED * size:
        raise Broken(f"{text}: too inexact to tell; give samples where the function is larger or smoother")


def adjoint(s: Sample) -> None:
    """⟨w, Jv⟩ = ⟨Jᵀw, v⟩: the rule differentiated by its cotangent is J again, and recording changes nothing.

    Jv is made of vjps only, so this says that a rule is linear in g *as a recorded computation*, not that it is right.
    """
    xs, y = s.graph()
    recorded = backprop(y, Tensor(s.cotangent), wrt=xs, create_graph=True)
    for k, (x, plain) in enumerate(zip(xs, s.gradients, strict=True)):
        _compare(f"the recorded gradient of argument {k}", recorded[x].data, plain, 1e-14 * np.abs(plain))
    vs = s.directions()
    w = s.cotangent
    _, jv = jvp(s.subject.call, [np.array(a) for a in s.args], vs)
    right = [float(np.sum(g * v)) for g, v in zip(s.gradients, vs, strict=True)]
    scale = float(np.sum(np.abs(w * jv))) + sum(
        [float(np.sum(np.abs(g * v))) for g, v in zip(s.gradients, vs, strict=True)]
    )
    _compare("⟨w, Jv⟩, with ⟨Jᵀw, v⟩ beside it,", float(np.sum(w * jv)), sum(right), 1e-11 * scale + 1e-14 * _size(w))


def broadcasting(s: Sample) -> None:
    """The gradient of a stretched argument is the sum over its copies, added up one by one with exact sums."""
    shapes = [a.shape for a in s.args]
    try:
        whole = np.broadcast_shapes(*shapes)
    except ValueError:
        return
    if len(shapes) < 2 or whole != s.plain.shape or all([shape == whole for shape in shapes]):
        return
    full = [np.array(np.broadcast_to(a, whole)) for a in s.args]
    try:
        with no_grad():
            stretches = np.array_equal(np.asarray(s.subject.call(*full)), s.plain)
    except (ValueError, TypeError):
        stretches = False
    if not stretches:
        return  # the shapes fit by chance: it is no broadcasting op
    for k, (got, copies) in enumerate(zip(s.gradients, s.pull(s.cotangent, full), strict=True)):
        home = np.broadcast_to(np.arange(got.size).reshape(got.shape), whole).ravel()
        parts: list[list[float]] = [[] for _ in range(got.size)]
        for place, number in zip(home, copies.ravel(), strict=True):
            parts[place].append(float(number))
        total = np.reshape([math.fsum(p) for p in parts], got.shape)
        sizes = np.reshape([math.fsum(map(abs, p)) for p in parts], got.shape)
        _compare(f"the gradient of the broadcast argument {k}", got, total, ROUNDING * sizes)


def last_axis(s: Sample) -> None:
    """Axis −1 is the last axis, for functions that take one: value and gradient, bit for bit."""
    f = s.subject.function
    if len(s.args) != 1 or not s.args[0].ndim or not s.args[0].size or not _takes_axis(f):
        return
    (a,) = s.args
    results = []
    for axis in (-1, a.ndim - 1):
        x = Tensor(a)
        try:
            y = f(x, axis=axis)
        except (TypeError, ValueError):
            return  # it needs further settings, or this axis is not one it can take
        if type(y) is not Tensor or y.ndim > a.ndim:
            return  # it makes several arrays, or counts the axes of its result
        g = 0.3 + s.rng().standard_normal(y.shape)
        results.append((y.data, backprop(y, g, wrt=[x])[x]))
    (y1, g1), (y2, g2) = results
    _compare("the value with axis=-1", y1, y2)
    _compare("the gradient with axis=-1", g1, g2)


def _takes_axis(f: Callable[..., Any]) -> bool:
    try:
        return "axis" in inspect.signature(f).parameters
    except (TypeError, ValueError):  # ufuncs and functions in C
        return False


LAYOUTS: dict[str, Callable[[Any], Any]] = {  # of arrays and Tensors alike; the numbers stay the same
    "in Fortran order": lambda a: np.transpose(_copied(np.transpose(a))),
    "with negative strides": lambda a: np.flip(_copied(np.flip(a))),
    "every second of another": lambda a: np.repeat(a, 2, axis=-1)[..., ::2] if np.ndim(a) else a,
    "read-only": lambda a: np.broadcast_to(a, np.shape(a)),
}


def _copied(a: Any) -> Any:
    return np.array(a, order="C") if isinstance(a, np.ndarray) else np.copy(a)


def memory_layout(s: Sample) -> None:
    """Non-contiguous, Fortran-ordered, reversed and read-only arrays give the same, also as cotangents."""
    for name, strange in LAYOUTS.items():
        leaves = [Tensor(strange(np.array(a))) for a in s.args]
        xs = [strange(x) for x in leaves]
        y = _tensor(s.subject.call(*xs))
        _compare(f"the value of arrays {name}", y.data, s.plain, ROUNDING * np.abs(s.plain) + 1e-14 * _size(*s.args))
        found = backprop(y, strange(s.cotangent), wrt=xs)
        for k, (x, g) in enumerate(zip(xs, s.gradients, strict=True)):
            _compare(f"the gradient of argument {k}, arrays {name},", found[x], g, ROUNDING * _size(g, 1e-3))


def constants(s: Sample) -> None:
    """With a plain array in any place the gradients of the others stay, and the array is left alone."""
    for k, a in enumerate(s.args if len(s.args) > 1 else ()):
        given: list[Any] = [np.array(b) for b in s.args]
        given[k] = x = Tensor(a)
        y = s.subject.call(*given)
        found = backprop(_tensor(y), s.cotangent, wrt=[x])[x]
        _compare(f"the gradient of argument {k} alone among constants", found, s.gradients[k])
        for j, before in enumerate(s.args):
            if j != k:
                _compare(f"the constant given as argument {j} was changed: it", given[j], before)


def determinism(s: Sample) -> None:
    """The same again, bit for bit."""
    _, one = s.graph()
    _, two = s.graph()
    _compare("the value, computed again,", one.data, two.data)
    for k, (got, before) in enumerate(zip(s.pull(s.cotangent), s.gradients, strict=True)):
        _compare(f"the gradient of argument {k}, computed again,", got, before)


def used_twice(s: Sample) -> None:
    """In f(x) + 4·f(x) the gradients of both uses add up: answers kept in memory that is used again would not."""
    xs = [Tensor(a) for a in s.args]
    y = _tensor(np.add(s.subject.call(*xs), np.multiply(4.0, s.subject.call(*xs))))
    found = backprop(y, s.cotangent, wrt=xs)
    for k, (x, g) in enumerate(zip(xs, s.gradients, strict=True)):
        _compare(f"the gradient of argument {k}, used twice,", found[x], g + 4.0 * g, 1e-13 * _size(g))


def second_order(s: Sample) -> None:
    """The Hessian is symmetric and agrees with finite differences of the gradient.

    A rule that calls ``stop_gradient``, or looks at ``x.data``, is right at first order and wrong here.
    """
    if not s.subject.smooth or not s.plain.size:
        return
    u, args = s.cotangent, [np.array(a) for a in s.args]
    rng = np.random.default_rng([*np.atleast_1d(s.seed), 2])
    vs, ws = s.directions(), [0.5 + rng.random(a.shape) for a in args]

    def h(*xs: Any) -> Any:
        return np.sum(u * s.subject.call(*xs))

    hv, hw = [p if type(p) is tuple else (p,) for p in (hvp(h, args, vs), hvp(h, args, ws))]
    left = [float(np.sum(a * w)) for a, w in zip(hv, ws, strict=True)]
    right = [float(np.sum(a * v)) for a, v in zip(hw, vs, strict=True)]
    scale = sum([float(np.sum(np.abs(a))) for a in (*hv, *hw)])
    _compare("⟨w, Hv⟩, with ⟨v, Hw⟩ beside it,", sum(left), sum(right), 1e-10 * scale + 1e-14 * _size(u))
    for k, (a, d) in enumerate(zip(args, ws, strict=True)):

        def psi(t: float, k: int = k, a: Array = a, d: Array = d) -> float:
            with np.errstate(all="ignore"):
                slopes = s.pull(u, [*args[:k], a + t * d, *args[k + 1 :]])
            return float(sum([np.sum(g * v) for g, v in zip(slopes, vs, strict=True)]))

        floor = 1e-5 * float(np.sum(np.abs(u)))  # a second derivative of 0 is seldom 0 to the last bit
        _judge(s, f"the second derivative along random directions, argument {k}", left[k], psi, floor)


@dataclass(frozen=True)
class Property:
    """A named property: `holds` raises where it does not hold."""

    name: str
    holds: Callable[[Sample], None]
    order: int = 1


PROPERTIES: tuple[Property, ...] = (  # the quick ones that find most first
    Property("vjp(0) = 0", zero),
    Property("vjp(2ᵏg) = 2ᵏ·vjp(g)", powers_of_two),
    Property("determinism", determinism),
    Property("shape and dtype", shape_and_dtype),
    Property("first order", first_order),
    Property("forward", forward),
    Property("nothing changed or shared", nothing_changed),
    Property("used twice", used_twice),
    Property("additivity", additivity),
    Property("constants", constants),
    Property("broadcasting", broadcasting),
    Property("axis −1", last_axis),
    Property("memory layout", memory_layout),
    Property("adjoint", adjoint, order=2),
    Property("second order", second_order, order=2),
)
KINKS = "kinks"


def at_kink(subject: Subject, kink: Kink) -> None:
    """At a point without derivative the gradient of the summed value is what the kink says."""
    xs = [Tensor(a) for a in kink.at]
    y = _tensor(subject.call(*xs))
    found = backprop(y, np.ones(y.shape), wrt=xs)
    for k, (x, expected) in enumerate(zip(xs, kink.gradient, strict=True)):
        due = np.broadcast_to(np.asarray(expected, dtype=float), x.shape)
        _compare(f"the gradient of argument {k} at {_brief(x)} ({kink.why})", found[x], due, 1e-15 * np.abs(due))


# ------------------------------------------------------------------------------------------------------------ reports


@dataclass(frozen=True)
class Failure:
    """A property that does not hold: which, where, and what was found."""

    property: str
    case: str
    sample: str
    args: str
    message: str

    def __str__(self) -> str:
        return f"FAIL {self.property}: {self.message}\n     {self.args} ({self.sample})"


@dataclass(frozen=True)
class OpReport:
    """The result of `check_op`: true iff every property holds and no mutant that matters was missed.

    Attributes
    ----------
    name
        Of the op.
    checked
        How many samples each property was tried on.
    failures
        Where one did not hold; the first one of each property and case.
    seed
        Of samples, cotangents and directions; the same seed repeats the check.
    notes
        What could not be checked.
    worst_error
        The largest relative error of a derivative, first or second, against its finite difference.
    killed
        How many mutants were noticed; None if none were tried.
    missed
        Mutants whose derivatives differ on the samples, and that no property noticed.
    idle
        Mutants whose derivatives never differed on the samples: equivalent, or the samples are too simple.
    """

    name: str
    checked: dict[str, int]
    failures: tuple[Failure, ...]
    seed: int
    notes: tuple[str, ...] = ()
    worst_error: float = 0.0
    killed: int | None = None
    missed: tuple[str, ...] = ()
    idle: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return not self.failures and not self.missed

    def __str__(self) -> str:
        failed = {f.property for f in self.failures}
        width = max(map(len, self.checked), default=0)
        lines = [
            f"{self.name}: {'every property holds' if not failed else 'NOT what an op must be'} (seed {self.seed})"
        ]
        lines += [
            f"  {'FAIL' if p in failed else 'ok  '} {p.ljust(width)}  {n} samples" for p, n in self.checked.items()
        ]
        lines += [f"  not checked: {note}" for note in self.notes]
        lines += [str(f) for f in self.failures]
        if self.killed is not None:
            total = self.killed + len(self.missed) + len(self.idle)
            lines.append(f"  mutants: {self.killed} of {total} noticed")
            lines += [f"  MISSED {name}: it gives other gradients, and nothing noticed" for name in self.missed]
            lines += [f"  idle   {name}: it makes no difference on these samples" for name in self.idle]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"

    def to_dict(self) -> dict[str, Any]:
        """The report as plain numbers, texts and lists."""
        words = {name: getattr(self, name) for name in ("name", "seed", "worst_error", "killed")}
        lists = {name: list(getattr(self, name)) for name in ("notes", "missed", "idle")}
        failures = [{name: getattr(f, name) for name in f.__dataclass_fields__} for f in self.failures]
        return {**words, **lists, "passed": bool(self), "checked": dict(self.checked), "failures": failures}


class OpMismatch(AssertionError):
    """An op that is not what it must be; the findings are in ``.report``."""

    def __init__(self, report: OpReport) -> None:
        super().__init__("\n" + str(report))
        self.report = report


# ----------------------------------------------------------------------------------------------------------- check_op


def _telling(case: OpCase, rng: np.random.Generator) -> Iterator[tuple[str, tuple[tuple[int, ...], ...]]]:
    """Shapes that show something new: a matrix that is not square, an axis of length 1, a stretched argument …"""
    seen: set[tuple[str, int]] = set()
    for kind in ("plain",) * 40 + ("ones", "scalar", "empty"):
        shapes = case.shapes(picker(rng), kind)
        new = {(kind, 0)}
        for k, shape in enumerate(shapes):
            longer = {n for n in shape if n > 1}
            new |= {("matrix", k)} if len(longer) > 1 else set()
            new |= {("a 1", k)} if 1 in shape and longer else set()
            new |= {("stretched", k)} if np.prod(shape) < max(map(np.prod, shapes)) else set()
        if not new <= seen:
            seen |= new
            yield kind, shapes


def of_case(case: OpCase) -> Subject:
    """A row of `opcases` as something to check."""

    def drawn(seed: int) -> list[tuple[str, tuple[Array, ...]]]:
        rng = np.random.default_rng([seed, *map(ord, case.name)])
        return [(kind, case.sample(rng, shapes)) for kind, shapes in _telling(case, rng)]

    return Subject(case.name, case.call, case.function, case.reference, case.kinks, case.smooth, drawn)


def subjects_of(
    op: Callable[..., Any],
    cases: Sequence[OpCase] | None = None,
    samples: Any = None,
    reference: Callable[..., Any] | None = None,
    kinks: Sequence[Any] = (),
) -> list[Subject]:
    """What there is to check of an op, from its rows in `opcases` or from what the user gave."""
    name = getattr(op, "__name__", "function")
    if cases is None and samples is None:
        cases = cases_of(op)
    if samples is None:
        if not cases:
            raise ValueError(
                f"{name} has no samples, and nothing can be said of an op without any: give samples=[…] (each one "
                "array, or the tuple of all arguments) and reference=, or cases=[OpCase(…)]"
            )
        given = [of_case(case) for case in cases]
        return given if reference is None else [replace(s, reference=reference) for s in given]

    def drawn(seed: int) -> list[tuple[str, tuple[Array, ...]]]:
        if callable(samples):
            rng = np.random.default_rng(seed)
            return [(f"samples(rng), {n}", _arguments(samples(rng))) for n in range(DRAWS)]
        return [(f"samples[{n}]", _arguments(a)) for n, a in enumerate(samples)]

    points = tuple([k if isinstance(k, Kink) else Kink(_arguments(k[0]), _settled(k[1]), "as given") for k in kinks])
    return [Subject(name, op, op, reference, points, True, drawn)]


def _arguments(sample: Any) -> tuple[Array, ...]:
    """A sample as a tuple of float64 arrays of our own; one that is no tuple is the only argument."""
    return tuple([np.array(a, dtype=np.float64) for a in (sample if type(sample) is tuple else (sample,))])


def _settled(gradient: Any) -> tuple[Any, ...]:
    return gradient if type(gradient) is tuple else (gradient,)


def tried(subject: Subject, samples: Sequence[Sample], order: int = 2) -> Iterator[tuple[str, Failure | None]]:
    """Try every property on every sample, one after the other, cheap and telling ones first."""
    for sample in samples:
        yield from on_sample(sample, order)
    for kink in subject.kinks:
        message = _found(lambda kink=kink: at_kink(subject, kink))  # type: ignore[misc]
        args = f"{subject.name}({', '.join(map(_brief, kink.at))})"
        yield KINKS, None if message is None else Failure(KINKS, subject.name, kink.why, args, message)


def on_sample(sample: Sample, order: int = 2) -> Iterator[tuple[str, Failure | None]]:
    """Try every property on one sample."""
    for p in PROPERTIES:
        if p.order <= order:
            message = _found(lambda p=p: p.holds(sample))  # type: ignore[misc]
            name = sample.subject.name
            yield p.name, None if message is None else Failure(p.name, name, sample.label, repr(sample), message)


def _found(check: Callable[[], None]) -> str | None:
    """What is wrong, if anything; an error on the way is."""
    try:
        with np.errstate(all="ignore"):
            check()
    except Broken as broken:
        return str(broken)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def first_failure(subject: Subject, seed: int = 0, order: int = 2) -> Failure | None:
    """The first property found not to hold."""
    return next((failure for _, failure in tried(subject, subject.samples(seed), order) if failure), None)


def differs(subject: Subject, mutant: Mutant, seed: int = 0) -> bool:
    """Whether a mutant's derivatives, first or second, differ from the op's by more than rounding on any sample."""
    for right, wrong in zip(subject.samples(seed), subject.planted(mutant).samples(seed), strict=True):
        if not all(map(_alike, _derivatives(right), _derivatives(wrong))):
            return True
    return False


def _alike(right: Any, wrong: Any) -> bool:
    """Whether two lists of arrays are the same, up to the rounding of the largest number, or the same error."""
    if isinstance(right, str) or isinstance(wrong, str):
        return isinstance(right, str) and isinstance(wrong, str)
    shapes = [(np.shape(a), np.asarray(a).dtype) for a in right] == [(np.shape(b), np.asarray(b).dtype) for b in wrong]
    slack = 1e-14 * _size(*right)
    return shapes and all(
        [np.allclose(a, b, rtol=0, atol=slack, equal_nan=True) for a, b in zip(right, wrong, strict=True)]
    )


def _derivatives(s: Sample) -> Iterator[Any]:
    """All that backward gives at a sample: for each size of the cotangent the gradients, then the second derivatives.

    Where it raises, a text.
    """
    scales = (1.0, 2.0**-60, 2.0**60, 0.0)

    def products() -> list[Any]:
        u, args = s.cotangent, [np.array(a) for a in s.args]
        found = hvp(lambda *xs: np.sum(u * s.subject.call(*xs)), args, s.directions())
        return list(found) if type(found) is tuple else [found]

    for part in (*[lambda c=c: s.pull(c * s.cotangent) for c in scales], products):
        try:
            with np.errstate(all="ignore"):
                yield part()
        except Exception as error:
            yield type(error).__name__


def check_op(
    op: Callable[..., Any],
    *,
    cases: Sequence[OpCase] | None = None,
    samples: Any = None,
    reference: Callable[..., Any] | None = None,
    kinks: Sequence[Any] = (),
    seed: int = 0,
    order: int = 2,
    mutants: bool = False,
    raises: bool = True,
) -> OpReport:
    """Check that a function is what an op must be: its value, its derivatives, and its manners.

    Parameters
    ----------
    op : callable
        A function of the table (``np.exp``, ``vg.softmax``: the samples are there), an op of `vg.primitive`, or any
        function of arrays made of ops.
    cases : sequence of OpCase, optional
        How to call it and how to sample it, as rows of `tinygrad_vg.opcases`.
    samples : sequence or callable, optional
        Instead: points, each an array or the tuple of all arguments, away from kinks; or a function from a NumPy
        generator to one. Take several shapes, among them ones of two axes of different length, of length 1, and where
        arguments are broadcast.
    reference : callable, optional
        The same value computed in another way. Finite differences cannot see a wrong forward.
    kinks : sequence, optional
        Points without derivative and what the gradient of the summed value is to be there: ``(at, gradient)``.
    seed : int
        Of samples, cotangents and directions.
    order : {1, 2}
        1 leaves second derivatives out.
    mutants : bool
        Try also the op's `mutants`, and report those that these samples would not have noticed.
    raises : bool
        Raise if a property does not hold, or a mutant that makes a difference was missed.

    Returns
    -------
    OpReport

    Raises
    ------
    OpMismatch
        An AssertionError with the report as its message.
    ValueError
        Without samples, for another order.

    Examples
    --------
    >>> import tinygrad_vg as vg
    >>> cube = vg.primitive(lambda x: x**3, (lambda g, out, x: g * 3 * x**2,), name="cube")
    >>> points = [0.5, np.array([[1.0, -2.0, 0.3], [0.7, 1.5, -0.4]])]
    >>> bool(check_op(cube, samples=points, reference=lambda x: x * x * x))
    True
    >>> wrong = vg.primitive(lambda x: x**3, (lambda g, out, x: 3 * x**2,), name="cube")
    >>> report = check_op(wrong, samples=points, reference=lambda x: x * x * x, raises=False)
    >>> report.failures[0].property
    'vjp(0) = 0'
    """
    if order not in (1, 2):
        raise ValueError(f"check_op checks up to order 1 or 2, not {order}")
    subjects = subjects_of(op, cases, samples, reference, kinks)
    checked: dict[str, int] = {}
    failures: dict[tuple[str, str], Failure] = {}
    worst_error = 0.0
    for subject in subjects:
        points = subject.samples(seed)
        for name, failure in tried(subject, points, order):
            checked[name] = checked.get(name, 0) + 1
            if failure is not None:
                failures.setdefault((name, subject.name), failure)
        worst_error = max([worst_error, *[s.worst_error for s in points]])
    if not checked:
        raise ValueError(f"check_op: there are no samples of {getattr(op, '__name__', op)}")
    notes = []
    if any([s.reference is None for s in subjects]):
        notes.append("the value itself, for want of a reference= (no derivative check sees a wrong forward)")
    if order == 1:
        notes.append("second derivatives (order=1)")
    report = OpReport(
        subjects[0].name if samples is not None else getattr(op, "__name__", "function"),
        checked,
        tuple(failures.values()),
        seed,
        tuple(notes),
        worst_error,
    )
    if mutants and not failures:
        killed, missed, idle = 0, list[str](), list[str]()
        for row in _rows(op, subjects, seed):
            for mutant in mutants_of(row, op):
                name = f"{row.name}: {mutant.name}"
                if any([first_failure(s.planted(mutant), seed, order) for s in subjects]):
                    killed += 1
                else:
                    (missed if any([differs(s, mutant, seed) for s in subjects]) else idle).append(name)
        report = replace(report, killed=killed, missed=tuple(missed), idle=tuple(idle))
    if raises and not report:
        raise OpMismatch(report)
    return report


def _rows(op: Callable[..., Any], subjects: Sequence[Subject], seed: int) -> list[Op]:
    """The rows to put faults in: the op's own; of a composite of the table all it goes through; else the user's own.

    What a function of the user's takes from the table is checked with the table: his samples need not notice its
    faults.
    """
    row = row_of(op)
    if row is not None:
        return [row]
    samples = [sample for subject in subjects for sample in subject.samples(seed)]
    reached = dict.fromkeys([r for s in samples for r in rows_reached(s.subject.call, s.args)])
    if any([op is known for known in (*RULES, *RULES.values())]) or cases_of(op):
        return list(reached)
    ours = {found.op for found in RULES.values() if hasattr(found, "op")}
    return [r for r in reached if r not in ours and getattr(r.forward, "__module__", "") != "tinygrad_vg.ops"]


# ------------------------------------------------------------------------------------------------------------ op_test


class _Drawn:
    """Stands for a NumPy generator where `OpCase.sample` asks for one: numbers on a grid, drawn by Hypothesis."""

    def __init__(self, draw: Callable[[Any], Any]) -> None:
        from hypothesis import strategies as st

        self._draw, self._st = draw, st

    def random(self, size: int) -> Array:
        """Parts of the way through a domain: the middle first, that is what shrinking ends at."""
        steps = self._draw(self._st.lists(self._st.integers(0, 16), min_size=size, max_size=size))
        return np.array([(8 + (n + 1) // 2 * (-1) ** n) / 16 for n in steps])

    def uniform(self, low: float, high: float, size: int) -> Array:
        return np.full(size, (low + high) / 2)

    def permutation(self, x: Array) -> Array:
        return np.array(self._draw(self._st.permutations(list(x))))


def drawn_samples(
    op: Callable[..., Any],
    cases: Sequence[OpCase] | None = None,
    samples: Any = None,
    reference: Callable[..., Any] | None = None,
    kinks: Sequence[Any] = (),
) -> tuple[list[Subject], Any]:
    """What there is to check of an op, and a Hypothesis strategy that gives samples of it."""
    from hypothesis import strategies as st

    is_strategy = isinstance(samples, st.SearchStrategy)
    subjects = subjects_of(op, cases, [] if is_strategy else samples, reference, kinks)
    rows = cases_of(op) if cases is None else cases
    listed = samples is not None and not is_strategy and not callable(samples)
    if listed and not len(samples):
        raise ValueError(f"there are no samples of {subjects[0].name}: give at least one in samples=[…]")
    seeds = st.integers(0, 2**16)

    @st.composite
    def points(draw: Any) -> Sample:
        which = draw(st.integers(0, len(subjects) - 1))
        subject = subjects[which]
        if is_strategy:
            args = _arguments(draw(samples))
        elif listed:
            args = _arguments(draw(st.sampled_from(list(samples))))
        elif samples is not None:
            args = _arguments(samples(np.random.default_rng(draw(seeds))))
        else:
            shapes = rows[which].shapes(lambda low, high: draw(st.integers(low, high)))
            exact = rows[which].sample(_Drawn(draw), shapes)
            args = tuple([np.round(a, 6) for a in exact])  # 0.3, not 0.30000000000000004
        return Sample(subject, "drawn", args, [draw(seeds)])

    return subjects, points()


def op_test(
    op: Callable[..., Any],
    *,
    cases: Sequence[OpCase] | None = None,
    samples: Any = None,
    reference: Callable[..., Any] | None = None,
    kinks: Sequence[Any] = (),
    order: int = 2,
    settings: Any = None,
) -> Callable[[], None]:
    """A test of an op in one line: Hypothesis looks for the sample, pytest (or you) calls it.

    Parameters
    ----------
    op, cases, reference, kinks, order
        As for `check_op`.
    samples
        As for `check_op`, or a Hypothesis strategy that gives one array or the tuple of all arguments.
    settings : hypothesis.settings, optional
        Default: those of the profile, without a deadline.

    Returns
    -------
    function
        Takes nothing; raises a plain AssertionError with a small counterexample.

    Examples
    --------
    In a test file::

        test_cube = vg.op_test(cube, samples=[0.5, np.array([1.0, -2.0])], reference=lambda x: x * x * x)
    """
    import hypothesis
    from hypothesis import HealthCheck, given, note

    subjects, points = drawn_samples(op, cases, samples, reference, kinks)
    if settings is None:
        settings = hypothesis.settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

    @settings  # type: ignore[untyped-decorator]
    @given(sample=points)
    def test(sample: Sample) -> None:
        for _, failure in on_sample(sample, order):
            if failure is not None:
                note(f"seed of the cotangents: {sample.seed[0]}")
                raise AssertionError(f"{failure.property}: {failure.message}\n    in {failure.args}")
        if math.isfinite(sample.worst_error):
            hypothesis.target(sample.worst_error, label="relative error of a derivative")
        for subject in subjects:
            for kink in subject.kinks:
                message = _found(lambda kink=kink, subject=subject: at_kink(subject, kink))  # type: ignore[misc]
                if message is not None:
                    raise AssertionError(f"{KINKS}: {message}")

    test.__name__ = test.__qualname__ = f"test_{subjects[0].name}"
    test.__doc__ = f"Every property of {subjects[0].name}, on samples that Hypothesis draws."
    return test  # type: ignore[no-any-return]
