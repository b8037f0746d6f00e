"""What a wrong gradient looks like: the usual mistakes, recognised by comparing it with the right one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tinygrad_vg.checks import Array

__all__ = ["hint"]

LIKE = 1e-4  # relative; coarser than the check, since here a suspicion is enough


def hint(backward: Array, numerical: Array) -> str:
    """Name the mistake that turns `numerical`, the right gradient of one input, into `backward`; empty if none fits.

    Parameters
    ----------
    backward, numerical : ndarray
        Of the same shape, all elements of one input.
    """
    for words, candidate in _mistakes(numerical):
        if candidate.shape == backward.shape and _alike(backward, candidate) and not _alike(candidate, numerical):
            return words
    return ""


def _alike(a: Array, b: Array) -> bool:
    return bool(np.all(np.abs(a - b) <= LIKE * np.maximum(np.abs(a), np.abs(b))))


def _mistakes(right: Array) -> Iterator[tuple[str, Array]]:
    yield "the sign is wrong", -right
    yield "it is twice what it should be: something is counted twice, or 2 is missing from ½(…)²", 2 * right
    yield "it is half of what it should be", right / 2
    if right.size > 1:
        yield f"it is {right.size} times what it should be: a mean treated as a sum?", right.size * right
        yield f"it is 1/{right.size} of what it should be: a sum treated as a mean?", right / right.size
    for axis, n in enumerate(right.shape):
        if 1 < n < right.size:
            yield f"it is {n} times what it should be, the length of axis {axis}", n * right
            yield f"it is 1/{n} of what it should be; {n} is the length of axis {axis}", right / n
    yield "it is 0 everywhere: the graph is cut, or the rule returns nothing", 0 * right
    if right.ndim > 1:
        yield "it is transposed", right.T
    for axis in range(right.ndim):
        yield f"it is reversed along axis {axis}", np.flip(right, axis)
        for shift in (1, -1):
            yield f"it is rolled by {shift} along axis {axis}", np.roll(right, shift, axis)
    if right.size > 1:
        yield "every element has the sum of all: not reduced over the broadcast axis", np.full_like(right, right.sum())
        yield "every element has the same value: the incoming cotangent is ignored", np.full_like(right, right.flat[0])
