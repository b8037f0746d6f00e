"""Whole epochs: what `training.fit` adds to its steps, and the chapter's table beside the book's own loop."""

import io
import os
import random
from contextlib import redirect_stderr

import numpy as np

from tinygrad_vg.datasets import mnist, mnist_sample
from tinygrad_vg.nn import losses
from tinygrad_vg.optim import SGD
from tinygrad_vg.training import fit

from . import book
from .competitors import BOOK, DECAY, LR, initial, network
from .rows import Row
from .timing import let_malloc_keep_memory, take_turns

SIZES, BATCH, STEPS = (784, 30, 10), 10, 5_000
DEPTHS, EPOCHS = (1, 2, 3, 4), 30


class Terminal(io.StringIO):
    """So that the progress bar is drawn."""

    def isatty(self):
        return True


def data():
    """Training and validation data, and what they are called."""
    if os.environ.get("TINYGRAD_VG_DATA"):
        full = mnist()
        return full.train, full.validation, "MNIST, 50,000 digits"
    sample = mnist_sample()
    return sample.train, sample.validation, "the embedded 1,000 digits"


def cross_entropy(model, x, y):
    return losses.cross_entropy(model.logits(x), y)


def optimizer(mlp):
    return SGD(mlp.parameters(), lr=LR, weight_decay=DECAY)


def bare(mlp, opt, x, y):
    """One epoch, the samples as they come."""
    for start in range(0, len(x), BATCH):
        cost = cross_entropy(mlp, x[start : start + BATCH], y[start : start + BATCH])
        cost.backward()
        del cost
        opt.step()


def fitted(mlp, opt, x, y, **settings):
    with redirect_stderr(Terminal()):
        fit(mlp, cross_entropy, (x, y), epochs=1, batch_size=BATCH, optimizer=opt, progress=True, **settings)


def check_fit_is_the_bare_loop(x, y):
    nets = [network(SIZES), network(SIZES)]
    bare(nets[0], optimizer(nets[0]), x, y)
    fitted(nets[1], optimizer(nets[1]), x, y, shuffle=False)
    for p, q in zip(*[net.parameters() for net in nets], strict=True):
        np.testing.assert_array_equal(p.data, q.data)


def epoch_rows(rounds):
    """`fit` with shuffling, history and progress bar beside the bare loop of as many steps."""
    (x, y), _, what = data()
    check_fit_is_the_bare_loop(x[:500], y[:500])
    times = -(-STEPS * BATCH // len(x))
    x, y = np.tile(x, (times, 1))[: STEPS * BATCH], np.tile(y, times)[: STEPS * BATCH]
    let_malloc_keep_memory()
    mlp, mine = network(SIZES), network(SIZES)
    opt, my_opt = optimizer(mlp), optimizer(mine)
    runs = {
        "fit": lambda turn: fitted(mlp, opt, x, y, seed=turn),
        "bare": lambda turn: bare(mine, my_opt, x, y),
    }
    took = take_turns(runs, rounds)
    yield Row(f"fit, {STEPS:,} steps of {BATCH}", "bare loop", took.ratio("fit", "bare"), "×", 1.10, note=what)


def chapter_rows(rounds):
    """The chapter's table: four networks, 30 epochs each, of which one is measured, with validation after it."""
    (x, y), validation, what = data()
    columns = [(sample[:, None], target[:, None]) for sample, target in zip(x, np.eye(10)[y], strict=True)]
    labelled = [(sample[:, None], label) for sample, label in zip(*validation, strict=True)]
    networks = [(784, *[30] * depth, 10) for depth in DEPTHS]
    random.seed(0)

    def ours(turn):
        for sizes in networks:
            mlp = network(sizes)
            fitted(mlp, optimizer(mlp), x, y, validation=validation, seed=turn)

    def the_books(turn):
        for sizes in networks:
            params = initial(sizes)
            loop = book.Loop([w.T.copy() for w in params[::2]], [b[:, None] for b in params[1::2]])
            loop.epoch(columns, BATCH, LR, 1 - LR * DECAY)
            loop.accuracy(labelled)

    took = take_turns({"ours": ours, "book": the_books}, min(rounds, 3))
    minutes = [float(np.median(took.rounds(who))) * EPOCHS / 60 for who in ("ours", "book")]
    note = f"{what}; {EPOCHS} epochs: {minutes[0]:.1f} minutes, the book's loop {minutes[1]:.1f}"
    yield Row("the chapter's table", BOOK, took.ratio("book", "ours"), "× faster", 5.0, note=note)
