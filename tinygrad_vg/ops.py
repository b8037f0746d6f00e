"""The derivative table: for every op a forward function and one vjp an argument, like the table in a calculus book.

A rule reads ``vjp(g, out, *args, **params)``: from the cotangent `g` of the output it makes the cotangent of its
argument. It is an ordinary NumPy expression, so the same line serves raw arrays in a first-order sweep and Tensors
when the gradient itself is to be differentiated. Where arguments broadcast, rules answer in the output's shape; the
sweep sums.

Conventions where there is no derivative: relu′(0) = 0, |x|′(0) = 0, norm and std have derivative 0 where they are 0,
equal elements share the gradient of max, min, maximum, minimum and clip equally; sqrt′(0) = ∞, as calculus has it.
"""

from __future__ import annotations

import inspect
import string
from collections.abc import Callable
from functools import wraps
from itertools import accumulate, pairwise
from operator import index as as_integer
from typing import Any, NamedTuple

import numpy as np

from tinygrad_vg.checks import Array
from tinygrad_vg.modes import STATE
from tinygrad_vg.tensor import PLAIN, RULES, Op, Tensor, apply, plain

__all__ = ["affine", "log_softmax", "logsumexp", "primitive", "relu", "sigmoid", "softmax", "softplus", "stop_gradient"]


# --------------------------------------------------------------------------------------------- how a row is entered


def primitive(
    forward: Callable[..., Any] | None = None,
    vjps: tuple[Callable[..., Any] | None, ...] | Callable[..., Any] = (),
    *,
    name: str | None = None,
    symbol: str | None = None,
    local: str | tuple[str, ...] | None = None,
    analytic: bool = False,
) -> Any:
    """Make a differentiable op from a NumPy function and its derivative rules; by call or as a decorator.

    Parameters
    ----------
    forward
        A function of arrays that returns one float array. Its first ``len(vjps)`` parameters are arrays, the others
        plain settings such as ``axis``. It must not change its arguments.
    vjps
        For each array argument a rule ``vjp(g, out, *args, **params)`` that returns the cotangent of that argument,
        given the cotangent `g` of the output; None for an argument without derivative. A single callable makes an op
        of any number of arguments, with the rule ``vjp(i, g, out, *args, **params)`` (without ``*args`` where it does
        not need them). Written with NumPy functions, a rule can itself be differentiated, to any order. Where the
        arguments are broadcast, a rule answers in the *output's* shape; the engine sums over the broadcast axes and
        casts to the argument's dtype.
    name, symbol
        What messages call it (default: forward's name), and how formulas write it (default: the name).
    local
        How pictures write the local derivative of each argument: ``"2·{0}"``, ``("{1}", "{0}")``.
    analytic
        Say True if `forward` also computes complex arrays as an analytic function.

    Returns
    -------
    function
        Works on arrays and Tensors alike; its attribute ``.op`` is the row of the table.

    Examples
    --------
    >>> import numpy as np, tinygrad_vg as vg
    >>> cube = vg.primitive(lambda x: x**3, (lambda g, out, x: g * 3 * x**2,), name="cube", local="3·{0}²")
    >>> float(vg.grad(cube)(2.0))
    12.0
    """
    if forward is None:
        return lambda f: primitive(f, vjps, name=name, symbol=symbol, local=local, analytic=analytic)
    variadic = callable(vjps)
    if isinstance(forward, np.ufunc):
        names = tuple([f"x{i + 1}" for i in range(forward.nin)])
        places = len(names)
    else:
        kinds = inspect.signature(forward).parameters.values()
        names = tuple([p.name for p in kinds if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)])
        places = len([p for p in kinds if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)])
    name = name or forward.__name__
    if not variadic and not 0 < len(vjps) <= len(names):  # type: ignore[arg-type]
        raise TypeError(
            f"primitive {name}: {len(vjps)} rules for the parameters ({', '.join(names)}); "  # type: ignore[arg-type]
            "give one rule for each array argument, in order, None where there is no derivative"
        )
    if not variadic:
        _check_rules(name, names, vjps)  # type: ignore[arg-type]
    local = (local,) if isinstance(local, str) else local or ()
    needs_args = not callable(vjps) or _takes_args(vjps)
    op = Op(name, forward, vjps, symbol or name, local, analytic, names, needs_args)
    arrays = 0 if variadic else len(vjps)  # type: ignore[arg-type]

    def differentiable(*args: Any, **params: Any) -> Any:
        if params or (len(args) != arrays and not variadic):
            args, params = _sort_out(op, arrays, places, args, params)
        return apply(op, args, params)

    differentiable.__name__ = differentiable.__qualname__ = name
    differentiable.__module__ = getattr(forward, "__module__", __name__) or __name__
    differentiable.__doc__ = forward.__doc__
    if not isinstance(forward, np.ufunc):
        differentiable.__wrapped__ = forward  # type: ignore[attr-defined]  # help() shows forward's signature
    differentiable.op = op  # type: ignore[attr-defined]
    return differentiable


def _check_rules(name: str, names: tuple[str, ...], vjps: tuple[Callable[..., Any] | None, ...]) -> None:
    """Refuse a rule that cannot be called as the sweep calls it."""
    arguments = ("g", "out", *names[: len(vjps)])
    called = f"vjp({', '.join(arguments)})"
    for argument, rule in zip(names, vjps, strict=False):
        if rule is None:
            continue
        try:
            signature = inspect.signature(rule)
            signature.bind_partial(*arguments)
        except ValueError:  # a function in C that does not tell
            continue
        except TypeError as error:
            raise TypeError(
                f"primitive {name}: the rule for {argument} cannot be called as {called}: {error}"
            ) from None
        others = list(signature.parameters.values())[len(arguments) :]
        unknown = [p.name for p in others if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
        if set(unknown) - set(names):
            raise TypeError(f"primitive {name}: the rule for {argument} wants {signature}, but is called as {called}")


def _takes_args(rule: Callable[..., Any]) -> bool:
    """Whether a rule ``vjp(i, g, out, …)`` asks for the arguments, too."""
    kinds = [p.kind for p in inspect.signature(rule).parameters.values()]
    named = [k for k in kinds if k in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    return inspect.Parameter.VAR_POSITIONAL in kinds or len(named) > 3


# NumPy's optional keywords when they say what happens anyway; anything else an op does not know is refused.
_SAME_AS_DEFAULT: dict[str, Any] = {"out": None, "dtype": None, "where": True, "casting": "same_kind", "subok": True}


def _sort_out(
    op: Op, arrays: int, places: int, args: tuple[Any, ...], params: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Split a call into array arguments and settings, and refuse every keyword the op would ignore."""
    if not op.variadic:
        if len(args) > places:
            raise TypeError(
                f"{op.name} takes at most {places} arguments by position ({', '.join(op.names[:places])}), got "
                f"{len(args)}; give further settings by name"
            )
        params = {**dict(zip(op.names[arrays:], args[arrays:], strict=False)), **params}
        params = {key: tuple(value) if type(value) is list else value for key, value in params.items()}
        args = args[:arrays]
        for missing in op.names[len(args) : arrays]:  # np.sum(a=t)
            if missing not in params:
                raise TypeError(f"{op.name}: the argument {missing!r} is missing")
            args = (*args, params.pop(missing))
    return args, _known(op.name, op.names[arrays:], params)


def _known(name: str, settings: tuple[str, ...], params: dict[str, Any]) -> dict[str, Any]:
    """The keywords that are `settings`; any other is refused, unless it says what happens anyway."""
    for key in params.keys() - set(settings):
        value = params[key]
        if value is not np._NoValue and not (key in _SAME_AS_DEFAULT and value is _SAME_AS_DEFAULT[key]):
            known = ", ".join(settings) or "none"
            raise TypeError(f"{name} of a Tensor does not support {key}={value!r:.40}; supported settings: {known}")
    return {key: value for key, value in params.items() if key in settings and value is not np._NoValue}


def rule(function: Any, *vjps: Callable[..., Any] | None, **words: Any) -> Any:
    """Enter a ufunc with its rules into the table."""
    RULES[function] = op = primitive(function, vjps, **{"name": function.__name__, **words})
    return op


def rule_of(*functions: Any, vjps: Any, **words: Any) -> Callable[[Any], Any]:
    """Enter the decorated forward with its rules into the table, as the meaning of these NumPy functions."""

    def enter(forward: Any) -> Any:
        op = primitive(forward, vjps, **{"name": forward.__name__.strip("_"), **words})
        RULES.update(dict.fromkeys(functions, op))
        return op

    return enter


def composite(*functions: Any) -> Callable[[Any], Any]:
    """Let the decorated function, written with ops of the table, stand for these NumPy functions."""

    def enter(function: Any) -> Any:
        kinds = inspect.signature(function).parameters.values()
        settings = tuple([p.name for p in kinds if p.kind is not p.VAR_POSITIONAL])
        open_ended = any([p.kind is p.VAR_KEYWORD for p in kinds])
        name = functions[0].__name__

        @wraps(function)
        def called(*args: Any, **params: Any) -> Any:
            if params and not open_ended:
                params = _known(name, settings, params)
            try:
                return function(*args, **params)
            except np.exceptions.AxisError as error:
                raise np.exceptions.AxisError(f"{name}: {error}") from error

        called.__name__ = called.__qualname__ = name
        RULES.update(dict.fromkeys(functions, called))
        return called

    return enter


# ------------------------------------------------------------------------------------------------- shapes and helpers


_add_up: Any = np.add.reduce  # half the overhead of np.sum
_multiply_up: Any = np.multiply.reduce


class Scattered(NamedTuple):
    """A cotangent that is zero but for the entries ``[index]``; the sweep adds all of them into one array."""

    g: Any
    index: Any


def integer_axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """`axis` (None, a number, or several) as a tuple of non-negative numbers; NumPy's AxisError where there is none."""
    if axis is None:
        return tuple(range(ndim))
    axes = [as_integer(a) for a in axis] if isinstance(axis, tuple | list) else [as_integer(axis)]
    if ndim == 0 and axes in ([0], [-1]):
        return ()  # NumPy lets a single number be reduced along an axis it does not have
    for a in axes:
        if not -ndim <= a < ndim:
            raise np.exceptions.AxisError(a, ndim)
    return tuple([a % ndim for a in axes])


def one_axis(axis: Any, ndim: int) -> int:
    """`axis` as a non-negative number."""
    if ndim == 0:
        raise np.exceptions.AxisError(as_integer(axis), 0)
    return integer_axes(as_integer(axis), ndim)[0]


def sum_to(x: Any, shape: tuple[int, ...]) -> Any:
    """Undo a broadcast: sum over the axes that broadcasting `shape` to the shape of `x` added or stretched."""
    extra = x.ndim - len(shape)
    if x.shape[extra:] == shape:
        return np.add.reduce(x, axis=tuple(range(extra))) if extra else x
    axes = tuple([i for i in range(x.ndim) if i < extra or (shape[i - extra] == 1 != x.shape[i])])
    summed = np.add.reduce(x, axis=axes) if axes else x
    return summed if summed.shape == shape else np.reshape(summed, shape)


def _expand(g: Any, x: Any, axis: Any) -> Any:
    """A reduced `g` with its lost axes back, of length 1."""
    kept = list(np.shape(x))
    for a in integer_axes(axis, len(kept)):
        kept[a] = 1
    return np.reshape(g, tuple(kept))


def _reverse(x: Any, axis: int) -> Any:
    return np.flip(x, axis=axis)


# ---------------------------------------------------------------------------------------------------- σ and its family


def _sigmoid_forward(z: Any) -> Any:
    """σ(z) = e^min(z,0) / (1 + e^−|z|), where nothing overflows."""
    low = np.minimum(z, 0.0)
    return np.exp(low) / (1 + np.exp(_minus_abs(z, low)))


def _minus_abs(z: Any, low: Any) -> Any:
    """−|z|, given min(z, 0), as a function that is analytic on both sides of the imaginary axis."""
    return low - np.maximum(z, 0.0)


def _sigmoid_vjp(g: Any, out: Any, z: Any) -> Any:
    return g * (out * sigmoid(-z))


@rule_of(vjps=(_sigmoid_vjp,), symbol="σ", local="σ′({0})", analytic=True)
def sigmoid(z: Any) -> Any:
    """The logistic function σ(z) = 1/(1+e⁻ᶻ), elementwise; σ(0) = ½, σ′(0) = ¼.

    Value and derivative have full relative accuracy at every z: the rule is σ(z)·σ(−z). The textbook σ(1−σ) is 0.1 %
    off at z = 30 and exactly 0 from z ≈ 37, where the true derivative is 1e-16.
    """
    return _sigmoid_forward(z)


@rule_of(vjps=(lambda g, out, x: g * (x > 0),), local="relu′({0})", analytic=True)
def relu(x: Any) -> Any:
    """max(x, 0), elementwise; relu′(0) = 0."""
    return np.where(np.real(x) <= 0, 0, x)


@rule_of(vjps=(lambda g, out, x: g * sigmoid(x),), local="σ({0})", analytic=True)
def softplus(x: Any) -> Any:
    """log(1+eˣ), elementwise, without overflow; its derivative is σ(x)."""
    return np.maximum(x, 0.0) + np.log1p(np.exp(_minus_abs(x, np.minimum(x, 0.0))))


@rule_of(
    vjps=(lambda g, out, x, axis=None, keepdims=False: _expand(g, x, axis) * np.exp(x - _expand(out, x, axis)),),
    local="softmax({0})",
    analytic=True,
)
def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Log Σ exp(x) over `axis` (all by default), without overflow; its derivative is softmax."""
    top = np.max(np.real(x), axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0)
    total = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return total if keepdims else np.squeeze(total, axis=axis)


@rule_of(
    vjps=(lambda g, out, x, axis=-1: out * (g - np.add.reduce(g * out, axis=axis, keepdims=True)),),
    local="softmax′({0})",
    analytic=True,
)
def softmax(x: Any, axis: Any = -1) -> Any:
    """exp(x)/Σ exp(x) over `axis`."""
    e = np.exp(x - np.max(np.real(x), axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


@rule_of(
    vjps=(lambda g, out, x, axis=-1: g - np.exp(out) * np.add.reduce(g, axis=axis, keepdims=True),),
    local="log_softmax′({0})",
    analytic=True,
)
def log_softmax(x: Any, axis: Any = -1) -> Any:
    """log(softmax(x)) over `axis`, accurate where softmax underflows."""
    shifted = x - np.max(np.real(x), axis=axis, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


@rule_of(vjps=(None,))
def stop_gradient(x: Any) -> Any:
    """The same value, through which no gradient flows back."""
    return np.array(x)


@rule_of(np.copy, vjps=(lambda g, out, x: g,), symbol="{0}", local="1", analytic=True)
def identity(x: Any) -> Any:
    """The same value as a new variable (what `grad` wraps its argument in)."""
    return np.array(x)


@rule_of(vjps=(lambda g, out, x, dtype: g,), symbol="{0}", local="1")
def cast(x: Any, dtype: Any) -> Any:
    """The same value in another precision; the sweep casts the cotangent back."""
    return np.asarray(x).astype(dtype)


# ---------------------------------------------------------------------------------------- arithmetic, elementwise

rule(np.add, lambda g, out, x, y: g, lambda g, out, x, y: g, symbol="{0} + {1}", local=("1", "1"), analytic=True)
rule(np.subtract, lambda g, out, x, y: g, lambda g, out, x, y: -g, symbol="{0} − {1}", local=("1", "−1"), analytic=True)
rule(
    np.multiply,
    lambda g, out, x, y: g * y,
    lambda g, out, x, y: g * x,
    symbol="{0}·{1}",
    local=("{1}", "{0}"),
    analytic=True,
)
rule(
    np.divide,
    lambda g, out, x, y: g / y,
    lambda g, out, x, y: -g * (out / y),
    symbol="{0}/{1}",
    local=("1/{1}", "−{0}/{1}²"),
    analytic=True,
)
rule(
    np.power,  # right at base 0 to any order; the derivative by the exponent is 0 there, and NaN for a negative base
    lambda g, out, x, y: g * (y * np.where(np.logical_and(np.equal(x, 0), np.equal(y, 0)), 1, x) ** (y - 1)),
    lambda g, out, x, y: g * (out * np.log(np.where(np.equal(x, 0), 1, x))),
    symbol="{0}^{1}",
    local=("{1}·{0}^({1}−1)", "{0}^{1}·ln {0}"),
    analytic=True,
)
rule(
    np.remainder,
    lambda g, out, x, y: g,
    lambda g, out, x, y: -g * np.floor_divide(x, y),
    symbol="{0} mod {1}",
    local=("1", "−⌊{0}/{1}⌋"),
)
rule(np.negative, lambda g, out, x: -g, symbol="−{0}", local="−1", analytic=True)
rule(np.positive, lambda g, out, x: g, symbol="{0}", local="1", analytic=True)
rule(np.absolute, lambda g, out, x: g * np.sign(x), symbol="|{0}|", local="sign({0})")
rule(np.fabs, lambda g, out, x: g * np.sign(x), symbol="|{0}|", local="sign({0})")
rule(np.square, lambda g, out, x: g * (2 * x), symbol="{0}²", local="2·{0}", analytic=True)
rule(np.reciprocal, lambda g, out, x: -g * (out * out), symbol="1/{0}", local="−1/{0}²", analytic=True)
rule(np.sqrt, lambda g, out, x: g / (2 * out), symbol="√{0}", local="1/(2√{0})", analytic=True)
rule(np.cbrt, lambda g, out, x: g / (3 * out * out), symbol="∛{0}", local="1/(3∛{0}²)")
rule(np.exp, lambda g, out, x: g * out, symbol="exp", local="exp({0})", analytic=True)
rule(np.exp2, lambda g, out, x: g * (out * np.log(2)), symbol="exp2", local="ln 2·2^{0}", analytic=True)
rule(np.expm1, lambda g, out, x: g * np.exp(x), symbol="expm1", local="exp({0})", analytic=True)
rule(np.log, lambda g, out, x: g / x, symbol="ln", local="1/{0}", analytic=True)
rule(np.log2, lambda g, out, x: g / (x * np.log(2)), symbol="log₂", local="1/({0}·ln 2)", analytic=True)
rule(np.log10, lambda g, out, x: g / (x * np.log(10)), symbol="log₁₀", local="1/({0}·ln 10)", analytic=True)
rule(np.log1p, lambda g, out, x: g / (1 + x), symbol="log1p", local="1/(1 + {0})", analytic=True)
rule(np.sin, lambda g, out, x: g * np.cos(x), symbol="sin", local="cos({0})", analytic=True)
rule(np.cos, lambda g, out, x: -g * np.sin(x), symbol="cos", local="−sin({0})", analytic=True)
rule(np.tan, lambda g, out, x: g / np.square(np.cos(x)), symbol="tan", local="1/cos²({0})", analytic=True)
rule(np.arcsin, lambda g, out, x: g / np.sqrt((1 - x) * (1 + x)), local="1/√(1 − {0}²)", analytic=True)
rule(np.arccos, lambda g, out, x: -g / np.sqrt((1 - x) * (1 + x)), local="−1/√(1 − {0}²)", analytic=True)
rule(np.arctan, lambda g, out, x: g / (1 + x * x), local="1/(1 + {0}²)", analytic=True)
rule(
    np.arctan2,
    lambda g, out, y, x: g * (x / (x * x + y * y)),
    lambda g, out, y, x: -g * (y / (x * x + y * y)),
    local=("{1}/({0}² + {1}²)", "−{0}/({0}² + {1}²)"),
)
rule(np.sinh, lambda g, out, x: g * np.cosh(x), symbol="sinh", local="cosh({0})", analytic=True)
rule(np.cosh, lambda g, out, x: g * np.sinh(x), symbol="cosh", local="sinh({0})", analytic=True)
# tanh′ = 4σ(2x)σ(−2x) is accurate at every x; 1 − tanh² is 0 from x ≈ 19, and 1/cosh² overflows.
rule(
    np.tanh,
    lambda g, out, x: g * (4 * sigmoid(2 * x) * sigmoid(-2 * x)),
    symbol="tanh",
    local="tanh′({0})",
    analytic=True,
)
rule(np.arcsinh, lambda g, out, x: g / np.sqrt(1 + x * x), local="1/√(1 + {0}²)", analytic=True)
rule(np.arccosh, lambda g, out, x: g / (np.sqrt(x - 1) * np.sqrt(x + 1)), local="1/√({0}² − 1)", analytic=True)
rule(np.arctanh, lambda g, out, x: g / ((1 - x) * (1 + x)), local="1/(1 − {0}²)", analytic=True)
rule(
    np.hypot,  # the derivative at (0, 0) is taken as 0
    lambda g, out, x, y: g * (x / np.where(np.equal(out, 0), 1, out)),
    lambda g, out, x, y: g * (y / np.where(np.equal(out, 0), 1, out)),
    local=("{0}/hypot({0}, {1})", "{1}/hypot({0}, {1})"),
)
rule(
    np.logaddexp,
    lambda g, out, x, y: g * sigmoid(x - y),
    lambda g, out, x, y: g * sigmoid(y - x),
    local=("σ({0} − {1})", "σ({1} − {0})"),
)
rule(
    np.maximum,
    lambda g, out, x, y: g * np.where(np.equal(x, y), 0.5, np.greater(x, y)),
    lambda g, out, x, y: g * np.where(np.equal(x, y), 0.5, np.greater(y, x)),
    symbol="max",
    local=("[{0} > {1}]", "[{1} > {0}]"),
)
rule(
    np.minimum,
    lambda g, out, x, y: g * np.where(np.equal(x, y), 0.5, np.less(x, y)),
    lambda g, out, x, y: g * np.where(np.equal(x, y), 0.5, np.less(y, x)),
    symbol="min",
    local=("[{0} < {1}]", "[{1} < {0}]"),
)


@rule_of(
    vjps=(None, lambda g, out, c, x, y: np.where(c, g, 0), lambda g, out, c, x, y: np.where(c, 0, g)),
    local=("0", "[{0}]", "[not {0}]"),
    analytic=True,
    name="where",
)
def _choose(condition: Any, x: Any, y: Any) -> Any:
    return np.where(condition, x, y)


@composite(np.where)
def _where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """``np.where``; a Tensor as the condition is a plain question. Both arguments are computed: guard *inside* them."""
    if x is None and y is None:
        return np.where(plain(condition))
    if x is None or y is None:
        raise ValueError("np.where: give both x and y, or neither")
    return _choose(condition if STATE.get().questions else plain(condition), x, y)


@composite(np.clip)
def _clip(a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    """min(max(a, a_min), a_max); exactly at a bound the gradient is shared with it equally."""
    if (min is not None or max is not None) and (a_min is not None or a_max is not None):
        raise TypeError("np.clip: give the bounds as a_min and a_max, or by the keywords min= and max=, not both")
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    a = a if low is None else np.maximum(a, low)
    return a if high is None else np.minimum(a, high)


# ------------------------------------------------------------------------------------------------------- reductions


@rule_of(
    np.sum,
    vjps=(lambda g, out, a, axis=None, keepdims=False: np.broadcast_to(_expand(g, a, axis), np.shape(a)),),
    symbol="Σ",
    local="1",
    analytic=True,
)
def _sum(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return _add_up(a, axis=axis, keepdims=keepdims)


def _count(a: Any, axis: Any) -> int:
    """How many elements each result of a reduction over `axis` is made of."""
    count = 1
    for i in integer_axes(axis, np.ndim(a)):
        count *= np.shape(a)[i]
    return count


@rule_of(
    np.mean,
    vjps=(
        lambda g, out, a, axis=None, keepdims=False: np.broadcast_to(
            _expand(g, a, axis) / _count(a, axis), np.shape(a)
        ),
    ),
    local="1/n",
    analytic=True,
)
def _mean(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return np.mean(a, axis=axis, keepdims=keepdims)


def _share(g: Any, out: Any, a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The gradient of max and min: to the extreme element, in equal parts if there are several."""
    chosen = np.equal(a, _expand(out, a, axis))
    return _expand(g, a, axis) * (chosen / np.sum(chosen, axis=integer_axes(axis, np.ndim(a)), keepdims=True))


@rule_of(np.max, np.amax, vjps=(_share,), symbol="max", local="[{0} = max]")
def _max(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return np.max(a, axis=axis, keepdims=keepdims)


@rule_of(np.min, np.amin, vjps=(_share,), symbol="min", local="[{0} = min]")
def _min(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return np.min(a, axis=axis, keepdims=keepdims)


def _products_before(x: Any) -> Any:
    """The product of all earlier elements along the last axis, by doubling: x₀, then pairs, then fours …"""
    if np.shape(x)[-1] == 0:
        return x
    ones = np.ones((*np.shape(x)[:-1], 1), x.dtype)
    y, step = np.concatenate([ones, x[..., :-1]], axis=-1), 1
    while step < np.shape(x)[-1]:
        ones = np.ones((*np.shape(x)[:-1], step), x.dtype)
        y, step = y * np.concatenate([ones, y[..., :-step]], axis=-1), 2 * step
    return y


def _products_of_others(a: Any, axis: Any) -> Any:
    """For each element the product of all others along `axis`, right with zeros among them and to any order."""
    axes = integer_axes(axis, np.ndim(a))
    order = [i for i in range(np.ndim(a)) if i not in axes] + list(axes)
    moved = np.transpose(a, order)
    rows = np.reshape(moved, (*np.shape(moved)[: len(order) - len(axes)], _count(a, axis)))
    others = _products_before(rows) * _reverse(_products_before(_reverse(rows, -1)), -1)
    return np.transpose(np.reshape(others, np.shape(moved)), np.argsort(order).tolist())


@rule_of(
    np.prod,
    vjps=(lambda g, out, a, axis=None, keepdims=False: _expand(g, a, axis) * _products_of_others(a, axis),),
    symbol="Π",
    local="Π of the others",
    analytic=True,
)
def _prod(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return _multiply_up(a, axis=axis, keepdims=keepdims)


@rule_of(
    np.cumsum,
    vjps=(
        lambda g, out, a, axis=None: (
            np.reshape(_reverse(np.cumsum(_reverse(g, 0)), 0), np.shape(a))
            if axis is None
            else _reverse(np.cumsum(_reverse(g, axis), axis=axis), axis)
        ),
    ),
    local="[i ≤ j]",
    analytic=True,
)
def _cumsum(a: Any, axis: Any = None) -> Any:
    return np.cumsum(a, axis=axis)


@rule_of(
    vjps=(
        lambda g, out, x, axis=None, keepdims=False: (
            _expand(g, x, axis) * (x / np.where(np.equal(_expand(out, x, axis), 0), 1, _expand(out, x, axis)))
        ),
    ),
    symbol="‖{0}‖",
    local="{0}/‖{0}‖",
    analytic=True,
)
def norm(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """√Σx² over `axis` (all elements by default); its derivative where it is 0 is taken as 0."""
    return np.sqrt(_add_up(x * x, axis=integer_axes(axis, np.ndim(x)), keepdims=keepdims))


@composite(np.linalg.norm)
def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """``np.linalg.norm``: the Euclidean or Frobenius norm, and the p-norms, also p = 1 and ±∞, of vectors."""
    vectors = isinstance(axis, int | np.integer) or (axis is None and np.ndim(x) == 1)
    if isinstance(axis, tuple | list) and len(axis) not in (1, 2):
        raise ValueError(f"norm: axis={axis}; a norm goes over one axis (vectors) or two (matrices)")
    matrix = not vectors and (axis is not None or np.ndim(x) == 2)
    if ord is None or (ord == "fro" and matrix) or (vectors and ord == 2):
        return norm(x, axis=axis, keepdims=keepdims)
    if not vectors or isinstance(ord, str) or ord == 0:
        raise TypeError(
            f"np.linalg.norm of a Tensor has no rule for ord={ord!r} with axis={axis} and ndim={np.ndim(x)}: "
            "there are the Frobenius norm of matrices and the p-norms of vectors (give one axis)"
        )
    if np.isinf(ord):
        return (np.max if ord > 0 else np.min)(np.abs(x), axis=axis, keepdims=keepdims)
    total = np.sum(np.abs(x) ** (1 if ord == 1 else ord), axis=axis, keepdims=keepdims)
    if ord == 1:
        return total
    nothing = np.equal(total, 0)  # there the derivative is taken as 0, as for ord=2
    return np.where(nothing, 0, np.where(nothing, 1, total) ** (1 / ord))


def _freedom(x: Any, axis: Any, ddof: float, correction: Any) -> float:
    return max(_count(x, axis) - (ddof if correction is np._NoValue else correction), 0)


@composite(np.var)
def _var(a: Any, axis: Any = None, *, ddof: float = 0, keepdims: bool = False, correction: Any = np._NoValue) -> Any:
    """``np.var``: the mean square distance from the mean."""
    squares = np.square(a - np.mean(a, axis=axis, keepdims=True))
    return np.sum(squares, axis=axis, keepdims=keepdims) / _freedom(a, axis, ddof, correction)


@composite(np.std)
def _std(a: Any, axis: Any = None, *, ddof: float = 0, keepdims: bool = False, correction: Any = np._NoValue) -> Any:
    """``np.std``; its derivative is taken as 0 where all elements are equal."""
    distance = norm(a - np.mean(a, axis=axis, keepdims=True), axis=axis, keepdims=keepdims)
    return distance / float(np.sqrt(_freedom(a, axis, ddof, correction)))


# ----------------------------------------------------------------------------------------------------- shape and order


@rule_of(np.reshape, vjps=(lambda g, out, a, shape: np.reshape(g, np.shape(a)),), local="1", analytic=True)
def _reshape(a: Any, shape: Any) -> Any:
    return np.reshape(a, shape)


@rule_of(np.ravel, vjps=(lambda g, out, a: np.reshape(g, np.shape(a)),), local="1", analytic=True)
def _ravel(a: Any) -> Any:
    return np.ravel(a)


@rule_of(np.squeeze, vjps=(lambda g, out, a, axis=None: np.reshape(g, np.shape(a)),), local="1", analytic=True)
def _squeeze(a: Any, axis: Any = None) -> Any:
    return np.squeeze(a, axis=axis)


@rule_of(np.expand_dims, vjps=(lambda g, out, a, axis: np.reshape(g, np.shape(a)),), local="1", analytic=True)
def _expand_dims(a: Any, axis: Any) -> Any:
    return np.expand_dims(a, axis)


@rule_of(
    np.transpose,
    vjps=(
        lambda g, out, a, axes=None: np.transpose(
            g, None if axes is None else np.argsort(integer_axes(axes, np.ndim(a))).tolist()
        ),
    ),
    symbol="{0}ᵀ",
    local="ᵀ",
    analytic=True,
)
def _transpose(a: Any, axes: Any = None) -> Any:
    return np.transpose(a, axes)


@rule_of(np.swapaxes, vjps=(lambda g, out, a, axis1, axis2: np.swapaxes(g, axis1, axis2),), local="1", analytic=True)
def _swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    return np.swapaxes(a, axis1, axis2)


@rule_of(
    np.moveaxis,
    vjps=(lambda g, out, a, source, destination: np.moveaxis(g, destination, source),),
    local="1",
    analytic=True,
)
def _moveaxis(a: Any, source: Any, destination: Any) -> Any:
    return np.moveaxis(a, source, destination)


@rule_of(np.broadcast_to, vjps=(lambda g, out, array, shape: sum_to(g, np.shape(array)),), local="1", analytic=True)
def _broadcast_to(array: Any, shape: Any) -> Any:
    return np.broadcast_to(array, shape)


@rule_of(np.flip, vjps=(lambda g, out, m, axis=None: np.flip(g, axis),), local="1", analytic=True)
def _flip(m: Any, axis: Any = None) -> Any:
    return np.flip(m, axis)


@rule_of(
    np.roll,
    vjps=(
        lambda g, out, a, shift, axis=None: np.roll(g, tuple(np.negative(shift)) if np.ndim(shift) else -shift, axis),
    ),
    local="1",
    analytic=True,
)
def _roll(a: Any, shift: Any, axis: Any = None) -> Any:
    return np.roll(a, shift, axis)


@rule_of(np.tril, vjps=(lambda g, out, m, k=0: np.tril(g, k),), local="[i ≥ j − k]", analytic=True)
def _tril(m: Any, k: int = 0) -> Any:
    return np.tril(m, k)


@rule_of(np.triu, vjps=(lambda g, out, m, k=0: np.triu(g, k),), local="[i ≤ j − k]", analytic=True)
def _triu(m: Any, k: int = 0) -> Any:
    return np.triu(m, k)


@rule_of(
    vjps=lambda i, g, out, *, axis, edges: g[(slice(None),) * axis + (slice(edges[i], edges[i + 1]),)],
    local=("1",),
    analytic=True,
)
def _concatenate(*arrays: Any, axis: int, edges: tuple[int, ...]) -> Any:
    return np.concatenate(arrays, axis=axis)


def _join(arrays: Any, axis: Any) -> Any:
    """Concatenate, noting once where each piece begins."""
    axis = one_axis(axis, np.ndim(arrays[0])) if arrays else 0
    lengths = [np.shape(a)[axis] if axis < np.ndim(a) else 0 for a in arrays]  # NumPy refuses what does not fit
    return _concatenate(*arrays, axis=axis, edges=(0, *accumulate(lengths)))


@composite(np.concatenate)
def _concat(arrays: Any, axis: Any = 0) -> Any:
    """``np.concatenate``."""
    return _join([*map(np.ravel, arrays)], 0) if axis is None else _join(list(arrays), axis)


@composite(np.stack)
def _stack(arrays: Any, axis: int = 0) -> Any:
    """``np.stack``."""
    return _join([np.expand_dims(a, axis) for a in arrays], axis)


@composite(np.vstack)
def _vstack(tup: Any) -> Any:
    return _join([a if np.ndim(a) > 1 else np.reshape(a, (1, -1)) for a in tup], 0)


@composite(np.hstack)
def _hstack(tup: Any) -> Any:
    arrays = [a if np.ndim(a) else np.reshape(a, 1) for a in tup]
    return _join(arrays, 0 if np.ndim(arrays[0]) == 1 else 1)


@composite(np.split)
def _split(ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """``np.split``: a list of slices."""
    axis = one_axis(axis, np.ndim(ary))
    length = np.shape(ary)[axis]
    if np.ndim(indices_or_sections) == 0:
        if length % indices_or_sections:
            raise ValueError(
                f"split: {length} elements along axis {axis} do not divide into {indices_or_sections} equal parts"
            )
        indices_or_sections = [length // indices_or_sections * i for i in range(1, indices_or_sections)]
    edges = [0, *indices_or_sections, length]
    ahead = (slice(None),) * axis
    return [ary[(*ahead, slice(a, b))] for a, b in pairwise(edges)]


@composite(np.array_split)
def _array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """``np.array_split``: as split, but the parts may differ by one in length."""
    if np.ndim(indices_or_sections) == 0:
        parts = np.array_split(np.arange(np.shape(ary)[one_axis(axis, np.ndim(ary))]), indices_or_sections)
        indices_or_sections = np.cumsum([len(part) for part in parts[:-1]]).tolist()
    return _split(ary, indices_or_sections, axis)


@composite(np.diff)
def _diff(a: Any, n: int = 1, axis: int = -1) -> Any:
    """``np.diff``: each element less the one before, `n` times."""
    if n < 0:
        raise ValueError(f"diff: n={n}; it must not be negative")
    ahead = (slice(None),) * one_axis(axis, np.ndim(a))
    for _ in range(n):
        a = a[(*ahead, slice(1, None))] - a[(*ahead, slice(None, -1))]
    return a


@rule_of(
    np.tile,
    vjps=(lambda g, out, A, reps: _untile(g, np.shape(A), reps),),
    local="1",
    analytic=True,
)
def _tile(A: Any, reps: Any) -> Any:
    return np.tile(A, reps)


def _untile(g: Any, shape: tuple[int, ...], reps: Any) -> Any:
    """The sum of the copies that tiling made."""
    times = (reps,) if np.ndim(reps) == 0 else tuple(reps)
    n = max(len(times), len(shape))
    times, lengths = (1,) * (n - len(times)) + times, (1,) * (n - len(shape)) + shape
    parts = np.reshape(g, tuple([k for pair in zip(times, lengths, strict=True) for k in pair]))
    return np.reshape(np.add.reduce(parts, axis=tuple(range(0, 2 * n, 2))), shape)


@composite(np.repeat)
def _repeat(a: Any, repeats: Any, axis: Any = None) -> Any:
    """``np.repeat``, as a selection of elements."""
    a, axis = (np.ravel(a), 0) if axis is None else (a, one_axis(axis, np.ndim(a)))
    return np.take(a, np.repeat(np.arange(np.shape(a)[axis]), repeats), axis=axis)


@composite(np.pad)
def _pad(array: Any, pad_width: Any, mode: str = "constant", **settings: Any) -> Any:
    """``np.pad`` with a constant number, or with elements of the array: edge, reflect, symmetric, wrap."""
    widths = [tuple(map(int, w)) for w in np.broadcast_to(pad_width, (np.ndim(array), 2))]
    if mode == "constant" and not settings.keys() - {"constant_values"}:
        return _pad_constant(array, widths, settings.get("constant_values", 0))
    if mode not in ("edge", "reflect", "symmetric", "wrap") or settings:
        raise TypeError(
            f"np.pad of a Tensor does not support mode={mode!r} with {settings}; "
            "there are constant, edge, reflect, symmetric and wrap"
        )
    for axis, width in enumerate(widths):
        if width != (0, 0):
            array = np.take(array, np.pad(np.arange(np.shape(array)[axis]), width, mode=mode), axis=axis)  # type: ignore[call-overload]
    return array


@rule_of(
    vjps=(
        lambda g, out, array, widths, value: g[
            tuple([slice(before, before + n) for (before, _), n in zip(widths, np.shape(array), strict=True)])
        ],
    ),
    local="1",
    analytic=True,
    name="pad",
)
def _pad_constant(array: Any, widths: Any, value: Any) -> Any:
    return np.pad(array, widths, constant_values=value)


# ------------------------------------------------------------------------------------------------------------ indexing


@rule_of(
    Tensor.__getitem__, vjps=(lambda g, out, x, index: Scattered(g, index),), symbol="{0}[…]", local="1", analytic=True
)
def getitem(x: Any, index: Any) -> Any:
    """``x[index]`` with slices, integers, masks and index arrays; an element taken twice gets both gradients."""
    return np.asarray(x)[index]


@rule_of(vjps=lambda i, g, out, *, indices, shape: g[indices[i]], local=("1",), analytic=True)
def scatter(*pieces: Any, indices: tuple[Any, ...], shape: tuple[int, ...]) -> Array:
    """Zeros of `shape` with each piece added at its index: what undoes any number of `getitem`."""
    total = np.zeros(shape, np.result_type(*pieces))
    for piece, index in zip(pieces, indices, strict=True):
        parts = index if isinstance(index, tuple) else (index,)
        if all([isinstance(p, int | np.integer | slice) or p is None or p is Ellipsis for p in parts]):
            total[index] += piece
        else:
            np.add.at(total, index, piece)  # an element may be taken several times
    return total


@composite(np.take)
def _take(a: Any, indices: Any, axis: Any = None, out: None = None, mode: str = "raise") -> Any:
    """``np.take``: elements, or slices along `axis`."""
    if out is not None or mode != "raise":
        raise TypeError(f"np.take of a Tensor supports neither out= nor mode={mode!r}")
    a, axis = (np.ravel(a), 0) if axis is None else (a, one_axis(axis, np.ndim(a)))
    chosen = np.array(indices)
    if chosen.dtype.kind == "b" or not chosen.size:
        chosen = chosen.astype(np.intp)  # for np.take, True is the number 1, and no mask
    return a[(*(slice(None),) * axis, chosen if chosen.ndim else int(chosen))]


@composite(np.diagonal)
def _diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """``np.diagonal``, as a selection of elements."""
    if np.ndim(a) < 2:
        raise ValueError(f"diagonal: the array needs at least two axes, but its shape is {np.shape(a)}")
    axis1, axis2 = one_axis(axis1, np.ndim(a)), one_axis(axis2, np.ndim(a))
    rows, columns = np.shape(a)[axis1], np.shape(a)[axis2]
    i = np.arange(max(-offset, 0), max(max(-offset, 0), min(rows, columns - offset)))
    return np.moveaxis(a, (axis1, axis2), (-2, -1))[..., i, i + offset]


@composite(np.trace)
def _trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """``np.trace``."""
    return np.sum(_diagonal(a, offset, axis1, axis2), axis=-1)


# ------------------------------------------------------------------------------------------------------------ products


def _left(g: Any, out: Any, a: Any, b: Any, *_: Any) -> Any:
    """The cotangent of the left factor of a matrix product: g bᵀ."""
    if b.ndim == 1:
        product = g[..., None] * b
    elif a.ndim == 1:
        product = (b @ g[..., None])[..., 0]
    else:
        product = g @ _transposed(b)
    return product if product.shape == a.shape else sum_to(product, a.shape)


def _right(g: Any, out: Any, a: Any, b: Any, *_: Any) -> Any:
    """The cotangent of the right factor: aᵀ g."""
    if a.ndim == 1:
        product = g * a if b.ndim == 1 else a[:, None] * g[..., None, :]
    elif b.ndim == 1:
        product = (_transposed(a) @ g[..., None])[..., 0]
    else:
        product = _transposed(a) @ g
    return product if product.shape == b.shape else sum_to(product, b.shape)


def _transposed(matrices: Any) -> Any:
    return matrices.T if matrices.ndim == 2 else np.swapaxes(matrices, -1, -2)


rule(np.matmul, _left, _right, symbol="{0} @ {1}", local=("{1}ᵀ", "{0}ᵀ"), analytic=True)


@rule_of(
    vjps=(_left, _right, lambda g, out, x, w, b: sum_to(g, b.shape)),
    symbol="{0} @ {1} + {2}",
    local=("{1}ᵀ", "{0}ᵀ", "1"),
    analytic=True,
)
def affine(x: Any, w: Any, b: Any) -> Any:
    """``x @ w + b``, the weighted input of a layer, as one operation: half the nodes of a network are saved so."""
    return x @ w + b


@composite(np.dot)
def _dot(a: Any, b: Any) -> Any:
    """``np.dot``: multiply for numbers, matmul up to two axes, else a sum over the last and the last but one axis."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return a * b
    return a @ b if np.ndim(b) <= 2 else np.tensordot(a, b, (-1, -2))


@composite(np.inner)
def _inner(a: Any, b: Any) -> Any:
    """``np.inner``: a sum over the last axes."""
    return a * b if np.ndim(a) == 0 or np.ndim(b) == 0 else np.tensordot(a, b, (-1, -1))


@composite(np.outer)
def _outer(a: Any, b: Any) -> Any:
    """``np.outer``."""
    return np.ravel(a)[:, None] * np.ravel(b)


@composite(np.tensordot)
def _tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """``np.tensordot``, as an einsum."""
    if np.ndim(axes) == 0:
        left, right = list(range(-axes, 0)), list(range(axes))
    else:
        left, right = [list(x) if np.ndim(x) else [x] for x in axes]
    try:
        fit = [np.shape(a)[i] for i in left] == [np.shape(b)[j] for j in right]
    except IndexError:
        fit = False
    if not fit:  # einsum would stretch a length of 1
        raise ValueError(
            f"tensordot of shape {np.shape(a)} and {np.shape(b)}: the axes {left} of the left must be as long as the "
            f"axes {right} of the right"
        )
    letters = iter(string.ascii_letters)
    sa, sb = [next(letters) for _ in range(np.ndim(a))], [next(letters) for _ in range(np.ndim(b))]
    for i, j in zip(left, right, strict=True):
        sb[j] = sa[i]
    kept = [s for s in sa if s not in sb] + [s for s in sb if s not in sa]
    return _einsum(a, b, subscripts=f"{''.join(sa)},{''.join(sb)}->{''.join(kept)}")


def _einsum_vjp(i: int, g: Any, out: Any, *operands: Any, subscripts: str, optimize: Any = False) -> Any:
    """An einsum again: of g and the other operands, onto the letters of operand `i`.

    A letter only operand `i` has, or has at more than length 1, was summed over: the gradient is the same along it (a
    factor of ones). A letter it has twice picked a diagonal: the gradient lies on that diagonal (a factor of the unit
    matrix).
    """
    inputs, result = subscripts.split("->")
    terms = inputs.split(",")
    factors = [g, *operands[:i], *operands[i + 1 :]]
    given = [result, *terms[:i], *terms[i + 1 :]]
    target = ""
    unused = iter(sorted(set(string.ascii_letters) - set(subscripts)))
    for letter, length in zip(terms[i], np.shape(operands[i]), strict=True):
        if letter in target:
            double = next(unused)
            factors.append(np.eye(length, dtype=g.dtype))
            given.append(letter + double)
            target += double
        else:
            there = [np.shape(x)[term.index(letter)] for term, x in zip(given, factors, strict=True) if letter in term]
            if max(there, default=1) == 1 != length or not there:
                factors.append(np.ones(length, dtype=g.dtype))
                given.append(letter)
            target += letter
    product = _einsum(*factors, subscripts=f"{','.join(given)}->{target}", optimize=optimize)
    return sum_to(product, np.shape(operands[i]))


@rule_of(vjps=_einsum_vjp, local=("einsum of the others",), analytic=True)
def _einsum(*operands: Any, subscripts: str, optimize: Any = False) -> Any:
    return np.einsum(subscripts, *operands, optimize=optimize)


@composite(np.einsum)
def _einsum_call(subscripts: Any, *operands: Any, optimize: Any = False, **settings: Any) -> Any:
    """``np.einsum`` with a string of subscripts; an ellipsis is spelled out in letters first."""
    if not isinstance(subscripts, str) or settings:
        raise TypeError(
            f"np.einsum of Tensors needs its subscripts as a string and supports optimize= only, not {sorted(settings)}"
        )
    inputs, arrow, result = subscripts.replace(" ", "").partition("->")
    terms = inputs.split(",")
    if len(terms) != len(operands):
        raise ValueError(f"einsum: {len(terms)} terms in {subscripts!r} for {len(operands)} operands")
    free = sorted(set(string.ascii_letters) - set(subscripts))
    hidden = [np.ndim(x) - len(t.replace("...", "")) if "..." in t else 0 for t, x in zip(terms, operands, strict=True)]
    dots = "".join(free[: max([0, *hidden])])
    terms = [t.replace("...", dots[len(dots) - n :]) for t, n in zip(terms, hidden, strict=True)]
    if dots and arrow and "..." not in result:
        raise ValueError(f"einsum: the axes of the ellipsis are missing in the output of {subscripts!r}")
    if not arrow:
        once = [s for s in sorted(set("".join(terms)) - set(dots)) if "".join(terms).count(s) == 1]
        result = "..." + "".join(once)
    return _einsum(*operands, subscripts=f"{','.join(terms)}->{result.replace('...', dots)}", optimize=optimize)


# ------------------------------------------------------------------------- functions that only ask: plain answers

_ASKS: list[Any] = (
    [np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal]
    + [np.isfinite, np.isnan, np.isinf, np.signbit, np.sign, np.floor, np.ceil, np.trunc, np.rint, np.floor_divide]
    + [np.logical_and, np.logical_or, np.logical_xor, np.logical_not, np.spacing]
    + [np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.iscomplexobj, np.isrealobj, np.min_scalar_type]
    + [np.zeros_like, np.ones_like, np.empty_like, np.round, np.fix, np.around]
    + [np.argmax, np.argmin, np.argsort, np.nonzero, np.flatnonzero, np.argwhere, np.count_nonzero, np.searchsorted]
    + [np.isclose, np.allclose, np.array_equal, np.array_equiv, np.all, np.any, np.shares_memory, np.may_share_memory]
    + [np.unravel_index, np.digitize, np.array_repr, np.array_str, np.array2string]
)
PLAIN.update(_ASKS)
