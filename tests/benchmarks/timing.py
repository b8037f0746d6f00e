"""Times of several competitors, taken turn by turn in one process, and ratios of them.

What is taken is CPU time: on a machine that does nothing else it is the time on the clock, since everyone computes in
one thread, and elsewhere it leaves out the time in which the process waits for its turn.
"""

import gc
import statistics
import time
from typing import NamedTuple

import numpy as np

QUIET = 0.1
"""Of the turns of a round the tenth percentile counts: what else goes on in a machine can only make a turn longer."""


class Ratio(NamedTuple):
    """How many times as long one thing takes as another: the median over rounds, the least and the most of them."""

    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, rounds):
        """Of one number a round."""
        return cls(float(statistics.median(rounds)), float(min(rounds)), float(max(rounds)))


class Times(NamedTuple):
    """Seconds of every turn, by competitor an array of shape (rounds, turns)."""

    seconds: dict[str, np.ndarray]

    def rounds(self, name):
        """What a turn takes, for each round."""
        return np.quantile(self.seconds[name], QUIET, axis=1)

    def ratio(self, one, other):
        """How many times as long as the other the one takes."""
        return Ratio.of(self.rounds(one) / self.rounds(other))


def take_turns(runs, rounds, turns=1):
    """Let everyone run once a turn, each turn another one first.

    Parameters
    ----------
    runs : dict
        Functions of the number of the turn.
    rounds, turns : int
        So many turns a round.

    Returns
    -------
    Times
    """
    names = list(runs)
    seconds = {name: np.zeros((rounds, turns)) for name in names}
    for i in range(rounds * turns):
        if i % turns == 0:
            gc.collect()
        first = i % len(names)
        for name in names[first:] + names[:first]:
            run = runs[name]
            began = time.process_time()
            run(i)
            seconds[name][divmod(i, turns)] = time.process_time() - began
    return Times(seconds)


def let_malloc_keep_memory():
    """What `training.fit` does, for everyone: otherwise those who allocate wait for the system in half of a step."""
    np.empty(2**24, np.uint8)
