"""The training step."""

import numpy as np

from tinygrad_vg.datasets import mnist_sample

from .competitors import (
    BOOK,
    BUFFERED,
    BYHAND,
    HIPS,
    MYGRAD,
    OURS,
    TORCH,
    UNGUARDED,
    check_alike,
    everyone,
)
from .rows import Row, absent
from .timing import Ratio, let_malloc_keep_memory, take_turns

SHAPES = {
    "step of 10, [784,30,10]": ((784, 30, 10), 10, 1.20),
    "step of 10, [784,30×4,10]": ((784, 30, 30, 30, 30, 10), 10, 1.35),
    "step of 1000, [784,30,10]": ((784, 30, 10), 1000, 1.05),
}
"""Sizes, rows of a mini-batch, and how many times as long as by hand it may take."""

FASTER = {TORCH: 3.0, MYGRAD: 3.0, UNGUARDED: None, HIPS: 5.0, BOOK: 4.0}
"""How many times as fast as these it is to be, with mini-batches of 10."""

TURN = 100  # samples that everyone trains on in one turn, at least
TURNS = 30  # a round, with mini-batches of 10


def rows(rounds):
    """The rows of the table for all shapes."""
    for workload, (sizes, size, goal) in SHAPES.items():
        times, missing = measure(sizes, size, rounds, TURNS if size <= TURN else TURNS // 3)
        count = max(1, TURN // size)
        yield Row(workload, "", Ratio.of(1e6 * times.rounds(OURS) / count), "µs")
        yield Row(workload, BYHAND, times.ratio(OURS, BYHAND), "×", goal)
        yield Row(workload, BUFFERED, times.ratio(OURS, BUFFERED), "×")
        for who, faster in FASTER.items():
            goal = faster if size <= TURN else None
            if who in missing:
                yield absent(workload, who, goal)
            else:
                yield Row(workload, who, times.ratio(who, OURS), "× faster", goal)


def digits(size):
    """Mini-batches of the embedded digits, with one-hot rows as targets."""
    x, labels = mnist_sample().train
    y = np.eye(10)[labels]
    return [(x[i : i + size].copy(), y[i : i + size]) for i in range(0, len(x) - size + 1, size)]


def measure(sizes, size, rounds, turns):
    """Times of a turn by competitor, and who is not installed."""
    batches = digits(size)
    found, missing = everyone(sizes, batches)
    check_alike(found)
    let_malloc_keep_memory()
    count = max(1, TURN // size)
    runs = {name: turn_of(who, count) for name, who in found.items()}
    take_turns(runs, 1, 2)  # to warm up
    times = take_turns(runs, rounds, turns)
    return times, missing


def turn_of(who, count):
    """A turn: `count` steps, going on in the data from turn to turn."""
    step, batches = who.step, who.batches

    def run(turn):
        for i in range(turn * count, (turn + 1) * count):
            step(*batches[i % len(batches)])

    return run
