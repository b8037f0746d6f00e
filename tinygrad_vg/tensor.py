"""Tensor and OpNode: a value that remembers which operation made it, speaking NumPy's own protocols.

Arrays are constants, Tensors are variables. An operation on a Tensor computes its NumPy result at once and keeps, in
an `OpNode`, the arrays it was computed from; `autodiff.py` walks these nodes backwards. Which operations there are is
the business of `ops.py`, which fills the two tables `RULES` and `PLAIN`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from sys import _getframe, getrefcount
from typing import Any, NoReturn, final

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from tinygrad_vg.checks import CONSTANTS, Array, constant, explain_failure, leaf_array, settled
from tinygrad_vg.modes import SCOPE, STATE, check_finite, check_unchanged, user_line

__all__ = ["OpNode", "Tensor"]

RULES: dict[Callable[..., Any], Any] = {}  # NumPy function -> the differentiable function that stands for it
PLAIN: set[Callable[..., Any]] = set()  # NumPy functions that only ask: their answer is a constant, so a plain array

_births = itertools.count()  # one clock for all tensors: an input is always older than what is made of it


# ------------------------------------------------------------------------------------------------ the graph's records


@dataclass(frozen=True, slots=True, eq=False)
class Op:
    """A row of the derivative table.

    Attributes
    ----------
    name
        What messages call it.
    forward
        ``forward(*arrays, **params)``, ordinary NumPy.
    vjps
        One rule ``vjp(g, out, *args, **params)`` an argument, None where there is no derivative; or, for an op of any
        number of arguments, a single rule ``vjp(i, g, out, *args, **params)``.
    symbol
        How it is written in formulas: ``"σ"`` for σ(z), or a template such as ``"{0} + {1}"``.
    local
        How the local derivative of each argument is written, as templates over the arguments: ``("{1}", "{0}")``.
    analytic
        Whether `forward` also computes on complex arrays, as an analytic function (the complex step needs it).
    names
        The names of forward's parameters, array arguments first.
    needs_args
        False if the rules of an op of many arguments look at none of them: joining n arrays stays linear then.
    """

    name: str
    forward: Callable[..., Any]
    vjps: tuple[Callable[..., Any] | None, ...] | Callable[..., Any]
    symbol: str
    local: tuple[str, ...]
    analytic: bool
    names: tuple[str, ...]
    needs_args: bool = True

    @property
    def variadic(self) -> bool:
        """Whether the op takes any number of array arguments."""
        return callable(self.vjps)

    def rules(self, count: int) -> Sequence[Callable[..., Any] | None]:
        """The vjp of each of `count` arguments, as ``vjp(g, out, *args, **params)``."""
        if isinstance(self.vjps, tuple):
            return self.vjps
        return [partial(self.vjps if self.needs_args else _without_args(self.vjps), i) for i in range(count)]

    def __repr__(self) -> str:
        return f"<op {self.name}>"


def _without_args(rule: Callable[..., Any]) -> Callable[..., Any]:
    return lambda i, g, out, *args, **params: rule(i, g, out, **params)


@dataclass(slots=True, eq=False)
class OpNode:
    """One executed operation: what made a Tensor.

    Attributes
    ----------
    op
        The row of the table.
    inputs
        The arguments as given: Tensors, and constants (arrays, numbers).
    values
        The arrays the result was computed from. An update of a parameter binds a new array, so these stay as they were.
    params
        Keyword parameters such as ``axis``.
    scope
        The path of `name_scope` names around the call.
    witness
        Under `detect_anomaly`, the user's line and copies of the constant arrays; else None.
    """

    op: Op
    inputs: tuple[Any, ...]
    values: tuple[Any, ...]
    params: dict[str, Any]
    scope: tuple[str, ...]
    witness: tuple[str, list[Array]] | None = None

    @property
    def origin(self) -> str:
        """Which tensors it was made from and, under `detect_anomaly`, by which line: for messages."""
        named = [f"{a.label()} of shape {a.shape}" for a in self.inputs if type(a) is Tensor]
        line = self.witness[0] if self.witness else "Build the graph inside detect_anomaly() to see the line."
        return f"Inputs: {', '.join(named)}. {line}"

    def _variables(self) -> tuple[Any, ...]:
        """What it was computed from, the Tensors as they are, for a derivative that is to be recorded."""
        return tuple([a if type(a) is Tensor else value for a, value in zip(self.inputs, self.values, strict=True)])

    def constants(self) -> list[Array]:
        """The constant arrays it used: arguments that are no Tensors, and index arrays."""
        used = [value for given, value in zip(self.inputs, self.values, strict=True) if type(given) is not Tensor]
        for value in self.params.values():
            used += value if isinstance(value, tuple) else [value]
        return [a for a in used if isinstance(a, np.ndarray)]

    def check_constants(self) -> None:
        """Under `detect_anomaly`, raise StaleGraphError if one of them was changed since."""
        if self.witness is not None:
            check_unchanged(self.constants(), self.witness[1], self.op.name, self.witness[0])

    def __repr__(self) -> str:
        given = [("Tensor" if a.name is None else a.name) if type(a) is Tensor else f"{a!r:.20}" for a in self.inputs]
        return f"<OpNode {self.op.name}({', '.join(given)})>"


_NO_PARAMS: dict[str, Any] = {}
_new = object.__new__


def _references_of_one_variable() -> int:
    array = np.empty(0)
    return getrefcount(array)


ALONE = _references_of_one_variable()  # so many means: only this variable refers to it, so its memory is free to use


def apply(op: Op, args: tuple[Any, ...], params: dict[str, Any] = _NO_PARAMS) -> Any:
    """Run `op` on arrays and Tensors; with a Tensor among them, and recording on, return a Tensor that remembers it."""
    values = tuple(
        [a._array if type(a) is Tensor else a if type(a) in CONSTANTS else constant(a, op.name) for a in args]
    )
    try:
        out = op.forward(*values, **params)
    except (ValueError, IndexError) as error:
        explain_failure(error, op.name, isinstance(op.forward, np.ufunc), values)
    current = STATE.get()
    if not current.recording or Tensor not in map(type, args):
        return out
    if type(out) is not np.ndarray or out.dtype.char not in "df":
        out = settled(out, op.name)
    if (getrefcount(out) != ALONE or out.base is not None) and out.flags.writeable:
        out = out.copy()  # it may be the memory of a constant, which the caller may change
    out.setflags(write=False)  # what cannot be written already is a view of a Tensor's value, and stays as it is
    node = OpNode(op, args, values, params, SCOPE.get())
    if current.anomaly:
        node.witness = (user_line(), [a.copy() for a in node.constants()])
        check_finite(out, f"the result of {op.name}", node.origin)
    result: Tensor = _new(Tensor)  # without __init__, which would copy
    result._array, result.node, result.name, result.grad, result.birth = out, node, None, None, next(_births)
    return result


# ---------------------------------------------------------------------------------------------------------- Tensor


@final
class Tensor(NDArrayOperatorsMixin):
    """A variable: a float array that remembers how it was made.

    Parameters
    ----------
    data : array_like
        The value, copied. float64 and float32 are kept; integers, bools and other floats become float64 (float16 has
        too few digits for gradients, longdouble differs between machines, a foreign byte order is slow everywhere).
    name : str, optional
        What pictures and messages call it.

    Attributes
    ----------
    grad : ndarray or None
        Set by `backward` on tensors that no operation made (leaves), added to by every further `backward`.
    node : OpNode or None
        The operation that made it; None for a leaf.

    Raises
    ------
    TypeError
        For strings, objects, complex numbers, masked arrays, ragged lists, and for a Tensor.

    Examples
    --------
    >>> w = Tensor([1.0, 2.0], name="w")
    >>> (w * w).sum().backward()
    >>> w.grad
    array([2., 4.])
    """

    __slots__ = ("__weakref__", "_array", "birth", "grad", "name", "node")
    __hash__ = object.__hash__  # by identity: == compares values, as in NumPy, and the mixin would remove the hash

    def __init__(self, data: Any, name: str | None = None) -> None:
        if type(data) is Tensor:
            raise TypeError("this is a Tensor already; for a new variable with its value write Tensor(t.data)")
        self._array: Array = leaf_array(data)
        self.name = name
        self.grad: Array | None = None
        self.node: OpNode | None = None
        self.birth = next(_births)

    @property
    def data(self) -> Array:
        """The value as a read-only array. To change a parameter, `update` it."""
        return self._array

    @data.setter
    def data(self, value: Any) -> NoReturn:
        raise AttributeError("the value of a Tensor is immutable; t.update(array) binds a new one")

    def update(self, array: Any) -> None:
        """Bind a new value (copied) of the same shape and dtype to a leaf; graphs already built keep the old one.

        Raises
        ------
        TypeError
            If an operation made this tensor.
        ValueError
            If the shape differs.
        """
        if self.node is not None:
            raise TypeError(f"update: {self!r:.60} was made by {self.node.op.name}; only a leaf can be updated")
        if type(array) is Tensor:
            raise TypeError("update takes an array; for the value of another Tensor write t.update(other.data)")
        new = leaf_array(array)
        if new.shape != self._array.shape:
            raise ValueError(
                f"update: the new value has shape {new.shape}, the tensor {self.label()} {self._array.shape}"
            )
        self._bind(new.astype(self._array.dtype, copy=False))

    def _bind(self, array: Array) -> None:
        """Take an array as the value that has its shape and dtype and that nobody else holds."""
        array.setflags(write=False)
        self._array = array

    def named(self, name: str) -> Tensor:
        """Give it a name and return it: ``z = (w @ x + b).named("z₁")``."""
        self.name = name
        return self

    def label(self) -> str:
        """Its name in quotes if it has one, else what made it: for messages."""
        if self.name is not None:
            return repr(self.name)
        return "(a leaf)" if self.node is None else f"(made by {self.node.op.name})"

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        shape: tuple[int, ...] = self._array.shape
        return shape

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self._array.ndim

    @property
    def dtype(self) -> np.dtype[Any]:
        """float64 or float32."""
        return self._array.dtype

    @property
    def size(self) -> int:
        """Number of elements."""
        return self._array.size

    @property
    def T(self) -> Any:
        """The axes in reverse order."""
        return np.transpose(self)

    def item(self) -> float:
        """The value of a one-element tensor as a Python float."""
        return float(self._array.item())

    def backward(self, seed: Any = None) -> None:
        """Add the derivative of this tensor to ``.grad`` of every leaf it was computed from.

        Parameters
        ----------
        seed : array_like, optional
            Cotangent of this tensor, of its shape. Needed unless it has a single element, where it is 1.

        Raises
        ------
        ValueError
            Without a seed for several elements, or with one of another shape.
        """
        from tinygrad_vg.autodiff import accumulate_gradients  # the one call upwards: the sweep lives a page further on

        accumulate_gradients(self, seed)

    def sum(self, axis: Any = None, keepdims: bool = False) -> Any:
        """``np.sum``."""
        return RULES[np.sum](self) if axis is None and not keepdims else np.sum(self, axis=axis, keepdims=keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> Any:
        """``np.mean``."""
        return np.mean(self, axis=axis, keepdims=keepdims)

    def max(self, axis: Any = None, keepdims: bool = False) -> Any:
        """``np.max``; equal largest elements share the gradient equally."""
        return np.max(self, axis=axis, keepdims=keepdims)

    def min(self, axis: Any = None, keepdims: bool = False) -> Any:
        """``np.min``; equal smallest elements share the gradient equally."""
        return np.min(self, axis=axis, keepdims=keepdims)

    def reshape(self, *shape: Any) -> Any:
        """``np.reshape``; the shape as one tuple or as several numbers."""
        return np.reshape(self, shape[0] if len(shape) == 1 else shape)

    def transpose(self, *axes: Any) -> Any:
        """``np.transpose``; the axes as one tuple, as several numbers, or none to reverse them."""
        return np.transpose(self, axes[0] if len(axes) == 1 else axes or None)

    def __getitem__(self, index: Any) -> Any:
        parts = index if type(index) is tuple else (index,)
        if any([type(part) is list or isinstance(part, np.ma.MaskedArray) for part in parts]):
            index = _frozen(index)
        return RULES[Tensor.__getitem__](self, index)

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        raise TypeError(
            "t[i] = v would change a value that earlier operations were computed from; make a new tensor: "
            "np.where(mask, v, t), np.concatenate([...]), or t.update(array) for a parameter"
        )

    def __len__(self) -> int:
        return len(self._array)

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self._array)))

    def __bool__(self) -> bool:
        return bool(self._array)

    # t += y rebinds the name t to a new tensor; nothing is changed in place.
    __iadd__ = NDArrayOperatorsMixin.__add__
    __isub__ = NDArrayOperatorsMixin.__sub__
    __imul__ = NDArrayOperatorsMixin.__mul__
    __itruediv__ = NDArrayOperatorsMixin.__truediv__
    __ipow__ = NDArrayOperatorsMixin.__pow__
    __imatmul__ = NDArrayOperatorsMixin.__matmul__
    __imod__ = NDArrayOperatorsMixin.__mod__

    # NumPy's protocols: np.exp(t) and array + t arrive at the first, np.sum(t, axis=0) at the second.

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method == "__call__" and not kwargs and (rule := RULES.get(ufunc)) is not None:
            return rule(*inputs)
        if kwargs.get("out") is not None and (ufunc not in PLAIN or any(type(o) is Tensor for o in kwargs["out"])):
            raise TypeError(
                f"np.{ufunc.__name__}(…, out=…) with a Tensor would lose the gradient; "
                "write a = a + t instead of a += t, and leave out= away"
            )
        if method == "reduce" and ufunc is np.add:
            return RULES[np.sum](*inputs, **{"axis": 0, **kwargs})
        if method != "__call__":
            raise TypeError(f"np.{ufunc.__name__}.{method} has no derivative rule; only np.add.reduce (np.sum) has")
        return _dispatch(ufunc, inputs, kwargs)

    def __array_function__(self, func: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        if not all(issubclass(t, Tensor | np.ndarray) for t in types):
            return NotImplemented
        return _dispatch(func, args, kwargs)

    # The ways out of the protocols would drop the gradient in silence, so they say what to do instead.

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if _getframe(1).f_globals.get("__name__", "").startswith("numpy.testing"):
            return self.data  # assert_allclose(t, …) only asks
        raise TypeError(
            "a Tensor was about to be turned into a plain array, which would lose the gradient. To join tensors use "
            "np.stack or np.concatenate (not np.array); for the plain value use t.data; to cut the gradient on "
            "purpose, vg.stop_gradient(t)"
        )

    def _no_scalar(self, *_: Any) -> NoReturn:
        raise TypeError(
            "a Tensor was about to be turned into a Python number, which would lose the gradient. Use NumPy's function "
            "instead of math's (np.exp(t)), or t.item() for the plain value"
        )

    __float__ = __int__ = __complex__ = __index__ = _no_scalar

    def __round__(self, ndigits: int = 0) -> Any:
        return np.round(self._array, ndigits)

    def __format__(self, spec: str) -> str:
        return format(self._array.item(), spec) if spec and self._array.ndim == 0 else format(str(self), spec)

    def __repr__(self) -> str:
        text = np.array2string(self._array, separator=", ", prefix="Tensor(", threshold=20, edgeitems=3)
        parts = [text] if self._array.size else [f"[], shape={self.shape}"]
        parts += [f"shape={self.shape}"] if self._array.size > 20 else []
        parts += [f"dtype={self.dtype}"] if self._array.dtype != np.float64 else []
        parts += [f"name={self.name!r}"] if self.name is not None else []
        parts += [f"op={self.node.op.name!r}"] if self.node is not None else []
        return f"Tensor({', '.join(parts)})"

    def __reduce__(self) -> Any:
        if self.node is not None:
            raise TypeError(
                f"copying or pickling a tensor {self.label()} would tear it out of its graph; copy t.data instead"
            )
        return Tensor, (np.array(self._array), self.name)

    def __getattr__(self, name: str) -> NoReturn:
        cure = f"; np.{name}(t) works" if callable(f := getattr(np, name, None)) and f in RULES else ""
        raise AttributeError(f"Tensor has no attribute {name!r}{cure}")


def _shortcut(ufunc: np.ufunc, word: str) -> None:
    """Let an operator go to the table directly where NumPy's dispatch, half of a small operation's time, would end."""
    through_numpy, reflected = getattr(Tensor, f"__{word}__"), getattr(Tensor, f"__r{word}__")

    def operator(self: Tensor, other: Any) -> Any:
        direct = type(other) is Tensor or type(other) in CONSTANTS
        return apply(RULES[ufunc].op, (self, other)) if direct else through_numpy(self, other)

    def reflected_operator(self: Tensor, other: Any) -> Any:
        return apply(RULES[ufunc].op, (other, self)) if type(other) in CONSTANTS else reflected(self, other)

    for name, function in ((f"__{word}__", operator), (f"__i{word}__", operator), (f"__r{word}__", reflected_operator)):
        function.__name__ = function.__qualname__ = name
        setattr(Tensor, name, function)


for _ufunc, _word in (
    (np.add, "add"),
    (np.subtract, "sub"),
    (np.multiply, "mul"),
    (np.true_divide, "truediv"),
    (np.power, "pow"),
    (np.matmul, "matmul"),
):
    _shortcut(_ufunc, _word)


def _dispatch(func: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """Answer a NumPy function called with a Tensor: by its rule, as a plain question, or with a refusal."""
    if (rule := RULES.get(func)) is not None:
        return rule(*args, **kwargs)
    if func in PLAIN:
        if isinstance(func, np.ufunc) and STATE.get().questions:
            return apply(question(func), args)
        return func(*plain(args), **{key: plain(value) for key, value in kwargs.items()})
    where = getattr(func, "__module__", None) or "numpy"
    raise TypeError(
        f"{where.replace('numpy', 'np')}.{func.__name__} has no derivative rule. Add one with "
        "vg.primitive(forward, vjps=…), write it with functions that have one, or pass t.data for a constant"
    )


@cache
def question(func: np.ufunc) -> Op:
    """A function that only asks as an op without derivatives; its answer as a number."""
    return Op(func.__name__, lambda *x: np.asarray(func(*x), float), (None,) * func.nin, func.__name__, (), False, ())


def _frozen(index: Any) -> Any:
    """An index with arrays of its own for the lists in it, which may be changed before the sweep comes back."""
    if type(index) is tuple:
        return tuple([_frozen(i) for i in index])
    if isinstance(index, np.ma.MaskedArray):
        raise TypeError("a masked array as an index would lose its mask; use i[~i.mask], or i.filled(value)")
    if type(index) is not list:
        return index
    return np.array(index, dtype=None if len(index) else np.intp)


def plain(x: Any) -> Any:
    """`x` with every Tensor in it, also in lists and tuples, replaced by its array."""
    if type(x) is Tensor:
        return x._array
    return type(x)([plain(item) for item in x]) if type(x) in (list, tuple) else x
