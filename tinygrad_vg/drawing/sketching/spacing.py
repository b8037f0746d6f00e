"""Things in a row, each as near as can be to where it wants to stand, and none too near to the next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate

__all__ = ["kept_apart"]


def kept_apart(wishes: Sequence[float], distances: Iterable[float]) -> list[float]:
    """The places nearest to those wished for, in least squares, that keep order and distances.

    Parameters
    ----------
    wishes : sequence of float
        In the order of the row.
    distances : iterable of float
        From each to the next, at least: one fewer.

    Notes
    -----
    Pool adjacent violators (Barlow et al., "Statistical Inference under Order Restrictions", 1972).

    Examples
    --------
    >>> kept_apart([0.0, 1.0, 9.0], [4.0, 4.0])
    [-1.5, 2.5, 9.0]
    """
    offsets = list(accumulate(distances, initial=0.0))
    pools: list[tuple[float, int]] = []  # (mean of what its members wish for the first of the row, how many they are)
    for wish, offset in zip(wishes, offsets, strict=False):
        mean, count = wish - offset, 1
        while pools and pools[-1][0] > mean:
            other, others = pools.pop()
            mean, count = (mean * count + other * others) / (count + others), count + others
        pools.append((mean, count))
    starts = [mean for mean, count in pools for _ in range(count)]
    return [start + offset for start, offset in zip(starts, offsets, strict=False)]
