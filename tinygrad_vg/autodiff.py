"""Backprop and what is built on it: grad, vjp, jvp, hvp, jacobian, hessian.

There is one sweep. It goes from a tensor back through its ancestors, youngest first: whatever could still add to a
tensor's cotangent was made of it, is younger, and has been dealt with. No recursion, no marks on the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from heapq import heappop, heappush
from operator import index as as_integer
from sys import getrefcount
from typing import Any, NamedTuple, NoReturn

import numpy as np

from tinygrad_vg.checks import leaf_array
from tinygrad_vg.modes import STATE, StaleGraphError, check_finite, state
from tinygrad_vg.ops import Scattered, cast, identity, scatter, sum_to
from tinygrad_vg.tensor import ALONE, OpNode, Tensor

__all__ = ["backprop", "grad", "hessian", "hvp", "jacobian", "jvp", "value_and_grad", "vjp"]

Trace = Callable[[OpNode, Any, tuple[Any, ...]], None]


def _sweep(
    root: Tensor, seed: Any, *, oldest: int = -1, record: bool = False, trace: Trace | None = None
) -> Iterator[tuple[Tensor, Any, bool]]:
    """Go backwards from `root`, giving each tensor with its finished cotangent, youngest first.

    The third thing given is True if that cotangent is an array of the sweep's own, whose memory nobody else holds.
    With `record` the cotangents are Tensors, so that they can be differentiated. Tensors born before `oldest` are not
    visited.
    """
    ready = [-root.birth]  # a heap: the youngest tensor that has received something is complete
    pending: dict[int, tuple[Tensor, Any, bool]] = {root.birth: (root, seed, False)}
    scattered: dict[int, list[Scattered]] = {}
    anomaly = STATE.get().anomaly
    while ready:
        birth = -heappop(ready)
        tensor, g, owned = pending.pop(birth)
        if birth in scattered:
            whole = _gather(scattered.pop(birth), tensor)
            g, owned = whole if g is None else g + whole, True
        yield tensor, g, owned
        node = tensor.node
        if node is None:
            continue
        if anomaly:
            node.check_constants()
        if record:
            _check_fresh(node)
        if type(g) is np.ndarray:
            g.setflags(write=False)  # other rules, and other tensors, may be given the same array
        op, params = node.op, node.params
        out, args = (tensor, node._variables()) if record else (tensor._array, node.values)
        if not op.needs_args:
            args = ()
        rules = op.vjps if type(op.vjps) is tuple else op.rules(len(node.inputs))
        emitted: list[Any] = []
        for parent, rule in zip(node.inputs, rules, strict=True):
            if type(parent) is not Tensor or parent.birth < oldest or rule is None:
                emitted.append(None)
                continue
            try:
                given = rule(g, out, *args, **params)
            except (FloatingPointError, ValueError) as error:
                _blame(error, node, parent)
            if type(given) is Scattered and trace is None:
                scattered.setdefault(parent.birth, []).append(given)
                given = None
            else:
                given = _fit(given, parent, node, tensor)
            if anomaly and given is not None:
                check_finite(given, f"the cotangent that {op.name} gives {parent.label()}", node.origin)
            fresh = type(given) is np.ndarray and given.base is None and getrefcount(given) == ALONE and trace is None
            emitted.append(given)
            before = pending.get(parent.birth)
            if before is None:
                pending[parent.birth] = (parent, given, fresh)
                heappush(ready, -parent.birth)
            elif given is not None:  # by reference, then a sum of our own, to which all further ones are added in place
                total = before[1]
                if total is None:
                    pending[parent.birth] = (parent, given, fresh)
                elif before[2] and type(total) is np.ndarray:
                    np.add(total, given, out=total)
                else:
                    pending[parent.birth] = (parent, total + given, True)
        if trace is not None:
            trace(node, g, tuple(emitted))


def _blame(error: Exception, node: OpNode, parent: Tensor) -> NoReturn:
    """Raise an error from inside a rule anew, saying whose rule it is."""
    if type(error) not in (FloatingPointError, ValueError):  # a subclass may want other arguments
        raise error
    written = "read-only" in str(error)
    cure = "; a rule must not write into its arguments, nor into what it has returned" if written else ""
    raise type(error)(
        f"in the cotangent that {node.op.name} gives {parent.label()}: {error}{cure}. {node.origin}"
    ) from error


def _gather(pieces: list[Scattered], tensor: Tensor) -> Any:
    """Add scattered pieces of a cotangent into one array: one pass, however many there are."""
    indices = tuple([piece.index for piece in pieces])
    whole = scatter(*[piece.g for piece in pieces], indices=indices, shape=tensor.shape)
    return whole if whole.dtype == tensor.dtype else cast(whole, dtype=tensor.dtype)


def _fit(given: Any, parent: Tensor, node: OpNode, result: Tensor) -> Any:
    """What a rule gave, in the shape and dtype of the argument: the one place where broadcasting is undone."""
    want = parent._array
    if type(given) is np.ndarray and given.shape == want.shape and given.dtype is want.dtype:
        return given
    if type(given) is Scattered:
        return _gather([given], parent)
    if not hasattr(given, "dtype"):
        if not isinstance(given, int | float):
            raise TypeError(
                f"the vjp of {node.op.name} for {parent.label()} returned {type(given).__name__}, not an array"
            )
        given = np.asarray(given, want.dtype)
    if given.shape != want.shape:
        shape = given.shape
        if shape != result.shape or not _broadcasts(node, shape):
            raise ValueError(
                f"the vjp of {node.op.name} for {parent.label()} returned shape {shape}; it must have the shape of the "
                f"argument, {want.shape}, or of the output, {result.shape}, if arguments are broadcast to it"
            )
        given = sum_to(given, want.shape)
    if given.dtype is not want.dtype and given.dtype != want.dtype:
        given = cast(given, dtype=want.dtype)
    return given


def _broadcasts(node: OpNode, shape: tuple[int, ...]) -> bool:
    """Whether the arguments of an operation are broadcast to `shape`."""
    forward = node.op.forward
    if isinstance(forward, np.ufunc) and forward.signature is None:
        return True
    try:
        return np.broadcast_shapes(*map(np.shape, node.values)) == shape
    except ValueError:
        return False


def _check_fresh(node: OpNode) -> None:
    """Refuse to record a derivative at a value that the tensor no longer has."""
    for given, value in zip(node.inputs, node.values, strict=True):
        if type(given) is Tensor and given._array is not value:
            raise StaleGraphError(
                f"{given.label()} was updated after {node.op.name} had used it; a derivative that is to be "
                "differentiated again needs the graph built anew (a first-order backward still works)"
            )


# --------------------------------------------------------------------------------------------------- the public sweep


def backprop(
    root: Tensor,
    seed: Any = None,
    *,
    wrt: Sequence[Tensor] | None = None,
    create_graph: bool = False,
    trace: Trace | None = None,
) -> dict[Tensor, Any]:
    """The cotangent of every tensor `root` was computed from, without touching any ``.grad``.

    Parameters
    ----------
    root : Tensor
        What to differentiate.
    seed : array_like, optional
        Cotangent of `root`, of its shape; 1 for a single element.
    wrt : sequence of Tensor, optional
        Give only these (zeros where `root` does not depend on one); nothing older than the oldest of them is visited.
    create_graph : bool
        Give Tensors that can themselves be differentiated, instead of arrays.
    trace : callable, optional
        ``trace(node, incoming, emitted)`` is called once a node with the cotangent of its output and the tuple of those
        its rules gave, None for constants; what a rule gave for a slice is shown as the whole array.

    Returns
    -------
    dict
        Tensor (by identity) to its cotangent, of the tensor's shape and dtype, youngest tensor first.

    Raises
    ------
    TypeError
        If `root` is no Tensor: then nothing was recorded.
    ValueError
        If the seed is missing for several elements or has the wrong shape, or a rule answers in a wrong shape.
    StaleGraphError
        With `create_graph`, if a tensor was updated since it was used.
    """
    g = _seed(root, seed, create_graph)
    found: dict[Tensor, Any] = {}
    with state(recording=create_graph):
        if wrt is None:
            for tensor, cotangent, owned in _sweep(root, g, record=create_graph, trace=trace):
                found[tensor] = _given(cotangent, owned, create_graph)
            return _writeable(found)
        if any([type(t) is not Tensor for t in wrt]):
            raise TypeError("backprop: wrt must be a list of Tensors; arrays are constants and have no gradient")
        missing = dict.fromkeys(wrt)
        oldest = min([t.birth for t in missing], default=root.birth)
        for tensor, cotangent, owned in _sweep(root, g, oldest=oldest, record=create_graph, trace=trace):
            if tensor in missing:
                found[tensor] = _given(cotangent, owned, create_graph)
    zero = Tensor if create_graph else np.array
    return _writeable({t: found[t] if t in found else zero(np.zeros_like(t._array)) for t in missing})


def _writeable(found: dict[Tensor, Any]) -> dict[Tensor, Any]:
    """The arrays, which rules were not to write into, for the caller to do with as they like."""
    for cotangent in found.values():
        if type(cotangent) is np.ndarray:
            cotangent.setflags(write=True)
    return found


def _given(cotangent: Any, owned: bool, as_tensor: bool) -> Any:
    """A cotangent to hand out: a Tensor, or an array whose memory nobody else holds."""
    if as_tensor:
        return cotangent if type(cotangent) is Tensor else Tensor(cotangent)
    return cotangent if owned and type(cotangent) is np.ndarray else np.array(cotangent)


def _seed(root: Any, seed: Any, as_tensor: bool) -> Any:
    """The cotangent to start from, checked."""
    if type(root) is not Tensor:
        raise TypeError(
            f"backward starts from a Tensor, not from {type(root).__name__}: no Tensor went into this value, or it was "
            "computed inside no_grad()"
        )
    if seed is None:
        if root.size != 1:
            raise ValueError(
                f"backward of {root.label()} of shape {root.shape}: only a single number has a gradient. Sum or "
                f"average it first, or give a seed (cotangent) of shape {root.shape}"
            )
        seed = np.ones(root.shape, root.dtype)
        return Tensor(seed) if as_tensor else seed
    if np.shape(seed) != root.shape:
        raise ValueError(f"the seed has shape {np.shape(seed)}, the tensor {root.label()} has shape {root.shape}")
    if type(seed) is Tensor:
        return seed if as_tensor else np.array(seed._array, root.dtype)
    array = leaf_array(seed).astype(root.dtype)
    return Tensor(array) if as_tensor else array


def accumulate_gradients(root: Tensor, seed: Any = None) -> None:
    """What ``root.backward(seed)`` does: add to ``.grad`` of the leaves, keeping no other cotangent."""
    swept = _sweep(root, _seed(root, seed, as_tensor=False))
    leaves = [(t, cotangent, owned) for t, cotangent, owned in swept if t.node is None]
    for t, cotangent, owned in leaves:  # only now: a sweep that fails half-way leaves every gradient as it was
        t.grad = _given(cotangent, owned, False) if t.grad is None else np.asarray(t.grad + cotangent)


# ------------------------------------------------------------------------------------------ functions of functions


class _Run(NamedTuple):
    """A function called on fresh variables: its value, the variables, and whether gradients must be recorded."""

    y: Any
    xs: list[Tensor]
    record: bool


def _run(f: Callable[..., Any], args: Sequence[Any], argnums: Sequence[int], kwargs: dict[str, Any]) -> _Run:
    """Call `f` with the arguments `argnums` wrapped in fresh variables, which no other derivative knows of."""
    now = STATE.get()
    given = [*args, *kwargs.values()]
    record = now.recording and (now.nested or any([type(a) is Tensor for a in given]))
    with state(recording=True, nested=True):
        wrapped = list(args)
        for i in argnums:
            a = wrapped[i]
            wrapped[i] = identity(a) if type(a) is Tensor and record else Tensor(a._array if type(a) is Tensor else a)
        y = f(*wrapped, **kwargs)
    if isinstance(y, tuple | list | dict) or (type(y) is not Tensor and np.asarray(y).dtype.kind not in "fiub"):
        raise TypeError(
            f"the function returned {'None' if y is None else type(y).__name__}; it must return one array or number "
            "(is a return missing? join several with np.concatenate)"
        )
    return _Run(y, [wrapped[i] for i in argnums], record)


def _plain(y: Any, record: bool) -> Any:
    """A value to hand out: the Tensor itself to an outer derivative, else an array of the caller's own."""
    return y if record else np.array(y._array if type(y) is Tensor else y)


def _argnums(f: Callable[..., Any], argnums: Any, count: int) -> list[int]:
    """`argnums` as a list, checked against the number of arguments."""
    chosen = [as_integer(i) for i in ([argnums] if np.ndim(argnums) == 0 else argnums)]
    for i in chosen:
        if not -count <= i < count:
            name = getattr(f, "__name__", "the function")
            raise TypeError(f"argnums={argnums}: {name} was called with {count} positional arguments")
    return chosen


def value_and_grad(f: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., tuple[Any, Any]]:
    """The function that gives ``f(*args)`` and its gradient.

    Parameters
    ----------
    f : callable
        Of arrays, giving a single number.
    argnums : int or sequence of int
        Which positional arguments to differentiate by; for a sequence the gradient is a tuple.

    Returns
    -------
    callable
        Of the same arguments. It gives arrays; inside another derivative, or given Tensors, it gives Tensors that can
        be differentiated again, so it nests to any order.

    Raises
    ------
    ValueError
        If `f` gives several elements (use `jacobian`).

    Examples
    --------
    >>> value, slope = value_and_grad(lambda x: x**3)(2.0)
    >>> float(value), float(slope)
    (8.0, 12.0)
    """

    def wrapped(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        chosen = _argnums(f, argnums, len(args))
        y, xs, record = _run(f, args, chosen, kwargs)
        if np.size(y) != 1:
            raise ValueError(
                f"grad needs a function with a single number as its value; it has shape {np.shape(y)}. Sum it, or use "
                "jacobian or vjp"
            )
        gradients = _pull_back(y, None, xs, record)
        return _plain(y, record), gradients[0] if np.ndim(argnums) == 0 else tuple(gradients)

    return wrapped


def _pull_back(y: Any, seed: Any, xs: list[Tensor], record: bool) -> list[Any]:
    """The cotangents of `xs`; zeros if `y` depends on no variable at all."""
    if type(y) is not Tensor:
        return [np.zeros_like(x._array) for x in xs]
    found = backprop(y, seed, wrt=xs, create_graph=record)
    return [found[x] for x in xs]


def grad(f: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """The gradient of `f` as a function of the same arguments; see `value_and_grad`.

    Examples
    --------
    >>> import numpy as np
    >>> float(grad(np.sin)(0.0)), float(grad(grad(np.sin))(np.pi / 2))
    (1.0, -1.0)
    """
    both = value_and_grad(f, argnums)
    return lambda *args, **kwargs: both(*args, **kwargs)[1]


def vjp(f: Callable[..., Any], *args: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """``f(*args)`` and its pullback, which takes a cotangent of the value to the tuple of cotangents of the arguments.

    Examples
    --------
    >>> y, pullback = vjp(lambda x, w: x * w, np.array([1.0, 2.0]), 3.0)
    >>> pullback(np.array([1.0, 10.0]))
    (array([ 3., 30.]), array(21.))
    """
    y, xs, record = _run(f, args, range(len(args)), {})

    def pullback(cotangent: Any) -> tuple[Any, ...]:
        now = STATE.get()
        recorded = now.recording and (record or now.nested or type(cotangent) is Tensor)
        if np.shape(cotangent) != np.shape(y):
            raise ValueError(f"the cotangent has shape {np.shape(cotangent)}, the value of the function {np.shape(y)}")
        return tuple(_pull_back(y, cotangent, xs, recorded))

    return _plain(y, record), pullback


def jvp(f: Callable[..., Any], args: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """``f(*args)`` and its derivative in the direction `tangents`.

    Made for teaching: the pullback u ↦ uᵀJ is linear in u, so differentiating ⟨uᵀJ, v⟩ by u gives Jv, with nothing but
    reverse mode. It costs about as much as two sweeps; a forward mode would need one.

    Parameters
    ----------
    f : callable
        Of arrays, giving one array.
    args, tangents : sequence of array_like
        As many tangents as arguments, of the same shapes.

    Examples
    --------
    >>> y, dy = jvp(np.sin, (0.0,), (2.0,))
    >>> float(dy)
    2.0
    """
    if len(args) != len(tangents) or any([np.shape(a) != np.shape(v) for a, v in zip(args, tangents, strict=False)]):
        raise ValueError(f"jvp: arguments have shapes {[*map(np.shape, args)]}, tangents {[*map(np.shape, tangents)]}")
    y, xs, record = _run(f, args, range(len(args)), {})
    record = record or (STATE.get().recording and any([type(v) is Tensor for v in tangents]))
    if type(y) is not Tensor:
        return _plain(y, record), np.zeros_like(y)
    u = Tensor(np.zeros_like(y._array))  # any value: what is linear in u has the same derivative everywhere
    rows = _pull_back(y, u, xs, True)
    with state(recording=True):
        product = sum([np.sum(row * v) for row, v in zip(rows, tangents, strict=True)])
    return _plain(y, record), _pull_back(product, None, [u], record)[0]


def hvp(f: Callable[..., Any], args: Sequence[Any], vectors: Sequence[Any]) -> Any:
    """The Hessian of `f` times a vector, without forming the Hessian: the derivative of ⟨∇f, v⟩.

    Parameters
    ----------
    f : callable
        Of arrays, giving a single number.
    args, vectors : sequence of array_like
        As many vectors as arguments, of the same shapes.

    Returns
    -------
    array or tuple of arrays
        One an argument; just the array if there is one argument.

    Examples
    --------
    >>> hvp(lambda x: np.sum(x**3), [np.array([1.0, 2.0])], [np.array([1.0, 1.0])])
    array([ 6., 12.])
    """
    if len(args) != len(vectors) or any([np.shape(a) != np.shape(v) for a, v in zip(args, vectors, strict=False)]):
        raise ValueError(f"hvp: arguments have shapes {[*map(np.shape, args)]}, vectors {[*map(np.shape, vectors)]}")
    everything = range(len(args))

    def slope(*xs: Any) -> Any:
        return sum([np.sum(g * v) for g, v in zip(grad(f, everything)(*xs), vectors, strict=True)])

    products = grad(slope, everything)(*args)
    return products[0] if len(args) == 1 else products


def jacobian(f: Callable[..., Any], argnums: int = 0) -> Callable[..., Any]:
    """The function that gives all derivatives of the value by an argument: shape ``f(x).shape + x.shape``.

    One sweep for each element of the value.

    Examples
    --------
    >>> jacobian(lambda x: x**2)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        y, (x,), record = _run(f, args, _argnums(f, argnums, len(args)), kwargs)
        shape = np.shape(y)
        unit = np.zeros(shape)
        rows = []
        for i in range(unit.size):
            unit.flat[i] = 1
            rows.append(_pull_back(y, unit, [x], record)[0])
            unit.flat[i] = 0
        if not rows:
            return np.zeros(shape + x.shape, x.dtype)
        return np.reshape(np.stack(rows), shape + x.shape)

    return wrapped


def hessian(f: Callable[..., Any], argnums: int = 0) -> Callable[..., Any]:
    """The function that gives all second derivatives of a single number by an argument: shape ``x.shape + x.shape``.

    Examples
    --------
    >>> hessian(lambda x: x[0] * x[1] ** 2)(np.array([1.0, 3.0]))
    array([[0., 6.],
           [6., 2.]])
    """
    return jacobian(grad(f, argnums), argnums)
