"""What may come into a Tensor and into an operation, and what is said of the rest."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

CONSTANTS = frozenset([np.ndarray, float, int, bool, np.float64, np.float32, np.int64, np.bool_, type(None)])

_NO_MATRIX = "np.matrix is not supported, whose * and ** are not those of arrays; use np.asarray(m), and @ for products"


def constant(x: Any, op: str) -> Any:
    """An argument that is no Tensor as something NumPy computes with: lists become arrays, masked ones are refused."""
    if isinstance(x, np.ma.MaskedArray):
        raise TypeError(f"{op}: masked arrays are not supported; use x.filled(value) and np.where(mask, …)")
    if isinstance(x, np.matrix):
        raise TypeError(f"{op}: {_NO_MATRIX}")
    return x if isinstance(x, np.generic | str) else np.asarray(x)


def leaf_array(data: Any) -> Array:
    """The array of a new leaf: a fresh float64 or float32 copy that nobody else can write to."""
    if isinstance(data, np.ma.MaskedArray):
        raise TypeError("masked arrays are not supported; use x.filled(value), or np.where(mask, …) in the function")
    if isinstance(data, np.matrix):
        raise TypeError(_NO_MATRIX)
    try:
        array = np.asarray(data)
    except ValueError as error:
        raise TypeError(f"Tensor needs numbers in a rectangular array: {error}") from None
    if array.dtype.kind not in "fiub":
        hint = "split it into real and imaginary parts" if array.dtype.kind == "c" else "give numbers"
        raise TypeError(f"a Tensor holds real numbers, not dtype {array.dtype}; {hint}")
    keep = array.dtype in (np.float64, np.float32)
    array = np.array(array, dtype=array.dtype if keep else np.float64, order="C", subok=False)
    array.flags.writeable = False
    return array


def settled(out: Any, op: str) -> Array:
    """The result of a forward as an array of float64 or float32."""
    array = np.asarray(out)
    if array.dtype.kind != "f":
        raise TypeError(f"{op} gave dtype {array.dtype}; only real floating-point results can be differentiated")
    return array if array.dtype.char in "df" else array.astype(np.float64)


def explain_failure(error: Exception, op: str, elementwise: bool, values: tuple[Any, ...]) -> NoReturn:
    """Re-raise NumPy's complaint with the op, the shapes and what to do."""
    shapes = " and ".join([str(np.shape(v)) for v in values[:8]])
    if op in ("matmul", "affine"):
        cure = "; the last axis of the left must be as long as the last but one of the right: (…, k, n) @ (…, n, m)"
    elif elementwise:
        cure = (
            "; compared from the last axis backwards, lengths must be equal or 1: reshape, or add axes with [:, None]"
        )
    else:
        cure = ""
    kind = type(error) if type(error) in (ValueError, IndexError, np.exceptions.AxisError) else ValueError
    raise kind(f"{op} of shape {shapes}: {error}{cure}") from error
