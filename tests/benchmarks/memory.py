"""The memory of a training step: the most that is allocated at a moment, beyond parameters and data."""

import tracemalloc

from .competitors import BYHAND, by_hand, ours
from .rows import Row
from .steps import SHAPES, digits
from .timing import Ratio

GOAL = 1.5


def peak(who):
    """Bytes that a step needs at most beyond what is there before it."""
    for x, y in who.batches[:2]:  # what the first steps set up stays
        who.step(x, y)
    x, y = who.batches[0]
    tracemalloc.start()
    try:
        who.step(x, y)
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        who.step(x, y)
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def rows(rounds):
    """The rows of the table; a peak is the same in every round."""
    for workload, (sizes, size, _) in SHAPES.items():
        batches = digits(size)
        ratio = peak(ours(sizes, batches)) / peak(by_hand(sizes, batches))
        yield Row(f"memory: {workload}", BYHAND, Ratio.of([ratio]), "×", GOAL)
