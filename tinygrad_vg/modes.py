"""What surrounds an operation: recording or not, the name scope, and the watch for NaNs and changed arrays."""

from __future__ import annotations

import linecache
import os
import sys
from collections.abc import Iterator
from contextlib import ContextDecorator, contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np

__all__ = ["StaleGraphError", "detect_anomaly", "name_scope", "no_grad"]


class StaleGraphError(RuntimeError):
    """A value that a recorded operation was computed from is no longer the one it was."""


class State(NamedTuple):
    """What surrounds the operation being executed; threads and asyncio tasks each have their own."""

    recording: bool = True
    nested: bool = False  # inside grad, vjp …: inner gradients must be differentiable too
    anomaly: bool = False
    questions: bool = False  # also record what only asks (x > 0), so that it can be asked again of other values


STATE: ContextVar[State] = ContextVar("tinygrad_vg_state", default=State())
SCOPE: ContextVar[tuple[str, ...]] = ContextVar("tinygrad_vg_scope", default=())  # the name scopes, outermost first


@contextmanager
def state(**changes: Any) -> Iterator[None]:
    """Change fields of the current `State` for the length of a ``with`` block, whatever ends it."""
    token = STATE.set(STATE.get()._replace(**changes))
    try:
        yield
    finally:
        STATE.reset(token)


@contextmanager
def no_grad() -> Iterator[None]:
    """Inside, operations on Tensors record nothing and give plain NumPy arrays; `detect_anomaly` sees nothing there."""
    with state(recording=False):
        yield


@contextmanager
def detect_anomaly() -> Iterator[None]:
    """Inside, stop at the first NaN or Inf, forward or backward, naming op, tensor, shape and the line that made it.

    It also keeps a copy of every constant array an operation used and compares it when the sweep comes back, so a
    batch buffer refilled between forward and backward is noticed. Build the graph *and* sweep it inside the block.

    Raises
    ------
    FloatingPointError
        At the first value or cotangent that is not finite.
    StaleGraphError
        If a constant array was changed between forward and backward.
    """
    with state(anomaly=True):
        yield


class name_scope(ContextDecorator):
    """Inside, recorded operations belong to the group `name` (nested scopes make a path); pictures draw it as a box."""

    # A class, since every layer enters one in every forward pass, and a generator would take three times as long.

    def __init__(self, name: str) -> None:
        self._name = str(name)

    def __enter__(self) -> None:
        SCOPE.set((*SCOPE.get(), self._name))

    def __exit__(self, *_: object) -> None:
        SCOPE.set(SCOPE.get()[:-1])


_LIBRARY = tuple([os.path.dirname(os.path.abspath(file)) + os.sep for file in (__file__, np.__file__)])


def user_line() -> str:
    """The innermost line outside this package and NumPy that is being executed."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_LIBRARY):
        frame = frame.f_back
    file, number = frame.f_code.co_filename, frame.f_lineno
    return f"Made at {file}:{number}: {linecache.getline(file, number).strip()}"


def check_finite(array: Any, what: str, where: str) -> None:
    """Raise FloatingPointError if `array` holds a NaN or Inf, saying what it is and where it was made."""
    bad = np.size(array) - np.count_nonzero(np.isfinite(array))
    if bad:
        kind = "NaN" if np.isnan(array).any() else "Inf"
        raise FloatingPointError(
            f"{what}: {kind} in {bad} of {np.size(array)} elements, shape {np.shape(array)}. {where}"
        )


def check_unchanged(now: list[Any], before: list[Any], op: str, where: str) -> None:
    """Raise StaleGraphError if a constant array that `op` used is no longer what it was in the forward pass."""
    for array, copy in zip(now, before, strict=True):
        if not np.array_equal(array, copy, equal_nan=copy.dtype.kind == "f"):
            raise StaleGraphError(
                f"a constant array of shape {copy.shape} used by {op} was changed between forward and backward; "
                f"give the operation a copy. {where}"
            )
