"""Is deeper better? The accuracy of networks with one to four hidden layers, over several seeds.

Source: Nielsen, ch. 5, the introduction: 30 epochs, mini-batches of 10, η = 0.1, λ = 5, hidden layers of 30 neurons;
and ch. 3 for 100 hidden neurons. The book gives one run of each.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from tinygrad_vg.checks import Array
from tinygrad_vg.lab.judging import FEWEST, is_like, sign_flip_p, too_few
from tinygrad_vg.lab.plotting import book_mark
from tinygrad_vg.lab.results import Claim, Result, Table
from tinygrad_vg.lab.settings import Progress, count, numbers, one_blas_thread, seed_list, train_and_validation
from tinygrad_vg.lab.stack import train_stack
from tinygrad_vg.nn import MLP
from tinygrad_vg.training import accuracy

__all__ = ["BOOK", "BOOK_WIDE", "run"]

BOOK = {1: 96.48, 2: 96.90, 3: 96.57, 4: 96.53}
"""Per cent of the validation images that the book's networks get right, by the number of hidden layers of 30."""

BOOK_WIDE = {"default": 98.04, "large": 97.92}
"""With one hidden layer of 100, by initialisation: 60 epochs with η = 0.1, 30 epochs with η = 0.5."""

BOOK_IMAGES, BOOK_EPOCHS = 50_000, 30
LAST = 5
"""The result of a run is the median of its last five epochs: from one epoch to the next it jitters by 0.1 to 0.3."""

START = 5_000
"""Mini-batches after which the late start of deep networks is looked at: the book's first epoch."""

PAIRS = ((2, 1), (3, 2), (4, 2))
"""Which depths are compared with which."""

WORDS = {1: "One", 2: "Two", 3: "Three", 4: "Four"}
LEVEL = 0.05

STACK = 784 * 30 * 8
"""Weights that are trained side by side: more do not fit the processor's cache."""


@dataclass(frozen=True)
class Plan:
    """One kind of network, and how it is to be trained.

    Attributes
    ----------
    key
        What its data are called.
    told
        What is special about it.
    hidden, init
        Sizes of its hidden layers; initialisation.
    lr, epochs, seeds
        How it is trained, and with which seeds.
    book
        The book's number.
    """

    key: str
    told: str
    hidden: tuple[int, ...]
    init: str
    lr: float
    epochs: int
    seeds: Sequence[int]
    book: float

    @property
    def name(self) -> str:
        """Its hidden layers, and what is special about it."""
        return f"{list(self.hidden)}{self.told}"

    def stacks(self, n_in: int) -> list[Sequence[int]]:
        """The seeds in groups, each to be trained side by side."""
        size = max(1, STACK // (n_in * self.hidden[0]))
        return [self.seeds[i : i + size] for i in range(0, len(self.seeds), size)]


@dataclass(frozen=True)
class Runs:
    """What came of a plan.

    Attributes
    ----------
    plan
        The plan.
    correct
        Per cent of the validation images, shape (seeds, epochs).
    """

    plan: Plan
    correct: Array

    @property
    def final(self) -> Array:
        """The result of each seed."""
        return np.median(self.correct[:, -LAST:], axis=1)

    @property
    def jitter(self) -> float:
        """How much the last epochs of a run differ among themselves: a standard deviation, the mean over the seeds."""
        return float(np.mean(np.std(self.correct[:, -LAST:], axis=1)))


def run(
    *,
    quick: bool = False,
    seeds: int | None = None,
    data: Any = None,
    progress: Progress = None,
    epochs: int | None = None,
    width: int = 30,
    wide: int = 100,
    wide_seeds: int | None = None,
    lr: float = 0.1,
    lmbda: float | None = None,
    batch_size: int = 10,
) -> Result:
    """Train networks of four depths, and one with a wide hidden layer, and compare them seed by seed.

    Parameters
    ----------
    quick : bool
        On the embedded 1,000 images, which shows the late start of deep networks and decides nothing else.
    seeds : int, optional
        Networks of each depth; 8, or 3 if `quick`.
    data
        See `tinygrad_vg.lab.settings.train_and_validation`.
    progress : callable, optional
        ``progress(done, total)`` after every epoch of several networks.
    epochs : int, optional
        30, or 12 if `quick`. The wide network with the default initialisation has twice as many.
    width, wide : int
        Neurons of each hidden layer; of the only one of the wide network.
    wide_seeds : int, optional
        Wide networks of each initialisation; at most 3 by default, or 2 if `quick`.
    lr : float
        η; the wide network with large initial weights has five times as much, as in the book.
    lmbda : float, optional
        λ; by default 5 for every 50,000 images, so that the weight decay λ/n is the book's.
    batch_size : int

    Returns
    -------
    Result
        Its data are per cents of the validation images, shape (seeds, epochs), for each network.

    Raises
    ------
    TypeError, ValueError
        For settings or data that do not fit.
    """
    chosen = seed_list(seeds, 3 if quick else 8)
    wide_list = seed_list(wide_seeds, min(2 if quick else 3, len(chosen)))
    epochs = count((12 if quick else BOOK_EPOCHS) if epochs is None else epochs, "epochs")
    width, wide, batch_size = count(width, "width"), count(wide, "wide"), count(batch_size, "batch_size")
    (X, y), validation = train_and_validation(data, quick=quick)
    (lr,) = numbers([lr], "lr")
    (lmbda,) = numbers([5.0 * len(X) / BOOK_IMAGES if lmbda is None else lmbda], "lmbda", positive=False)
    plans = [Plan(f"layers_{d}", "", (width,) * d, "default", lr, epochs, chosen, BOOK[d]) for d in BOOK]
    for init, rate, length in (("default", lr, 2 * epochs), ("large", 5 * lr, epochs)):
        told = f", η = {rate:g}, {init} initialisation, {length} epochs"
        plans.append(Plan(f"wide_{init}", told, (wide,), init, rate, length, wide_list, BOOK_WIDE[init]))
    total = sum([len(plan.stacks(X.shape[1])) * plan.epochs for plan in plans])
    done = itertools.count(1)
    options = {"batch_size": batch_size, "weight_decay": lmbda / len(X)}
    found = []
    for plan in plans:
        correct = _train(plan, (X, y), validation, options, lambda: progress and progress(next(done), total))
        found.append(Runs(plan, correct))
    settings = {
        "quick": bool(quick),
        "seeds": chosen,
        "wide_seeds": wide_list,
        "images": len(X),
        "validation_images": len(validation[1]),
        "epochs": epochs,
        "width": width,
        "wide": wide,
        "lr": lr,
        "lmbda": lmbda,
        "batch_size": batch_size,
    }
    steps = -(-len(X) // batch_size)
    first = min(-(-START // steps), epochs)  # the epoch after which as many mini-batches have been seen
    own = (len(X), epochs, width, wide, lr, lmbda, batch_size)
    decides = own == (BOOK_IMAGES, BOOK_EPOCHS, 30, 100, 0.1, 5.0, 10)
    return Result(
        name="accuracy",
        title="Is deeper better?",
        settings=settings,
        data={runs.plan.key: runs.correct for runs in found},
        tables=(_table(found, first, first * steps), _comparison(found)),
        claims=(*_book_claims(found, decides), *_depth_claims(found, decides), _late_start(found, first, steps)),
        draw=partial(_draw, found, steps),
    )


def _train(plan: Plan, train: Any, validation: Any, options: dict[str, Any], tick: Callable[[], Any]) -> Array:
    """Per cent correct of every seed after every epoch."""
    X, y = train
    parts = []
    for seeds in plan.stacks(X.shape[1]):
        nets = [MLP([X.shape[1], *plan.hidden, 10], init=plan.init, seed=seed) for seed in seeds]
        seen: list[list[float]] = []

        def measure(nets: list[MLP] = nets, seen: list[list[float]] = seen) -> None:
            seen.append([100 * accuracy(net, *validation) for net in nets])
            tick()

        with one_blas_thread():
            train_stack(nets, X, y, seeds=seeds, epochs=plan.epochs, lr=plan.lr, after_epoch=measure, **options)
        parts.append(np.array(seen).T)
    return np.concatenate(parts)


# ---------------------------------------------------------------------------------------------------- tables and claims


def _deviation(values: Array) -> float:
    """Standard deviation over the seeds; NaN for a single one."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")


def _percent(values: Array) -> str:
    """Mean ± standard deviation."""
    mean = f"{np.mean(values):.2f}"
    return (f"{mean} ± {_deviation(values):.2f}" if len(values) > 1 else mean).replace("-", "−")


def _range(values: Array) -> str:
    return f"{np.mean(values):.1f} ({np.min(values):.1f} to {np.max(values):.1f})"


def _table(found: Sequence[Runs], first: int, seen: int) -> Table:
    heads = (
        "hidden layers",
        "book",
        f"median of the last {LAST} epochs",
        "last epoch",
        "jitter",
        f"after {seen:,} steps",
    )
    rows = [
        (
            runs.plan.name,
            f"{runs.plan.book:.2f}",
            _percent(runs.final),
            _percent(runs.correct[:, -1]),
            f"{runs.jitter:.2f}",
            _range(runs.correct[:, first - 1]),
        )
        for runs in found
    ]
    return Table.of(heads, rows, "Per cent of the validation images, mean ± standard deviation over the seeds")


def _comparison(found: Sequence[Runs]) -> Table:
    rows = []
    for deep, shallow in PAIRS:
        d = found[deep - 1].final - found[shallow - 1].final
        rows.append((f"{deep} − {shallow}", _percent(d), f"{np.sum(d > 0)} of {len(d)}", f"{sign_flip_p(d):.2g}"))
    return Table.of(
        ("hidden layers", "difference in points", "seeds in which the deeper one is better", "p"),
        rows,
        "The same seeds, compared in pairs (sign-flip test)",
    )


def _runs(values: Any) -> str:
    return f"{len(values)} seed{'s' * (len(values) != 1)}"


def _book_claims(found: Sequence[Runs], decides: bool) -> list[Claim]:
    """Could the book's run be one of ours?"""
    claims = []
    for runs in found:
        plan, last = runs.plan, runs.correct[:, -1]
        claims.append(
            Claim(
                says=f"Hidden layers {plan.name}: {plan.book:.2f} % of the digits right",
                book=f"{plan.book:.2f} %",
                measured=f"{_percent(runs.final)} %, last epoch {_percent(last)} %{_doubt(decides, last)}",
                runs=_runs(last),
                holds=is_like(plan.book, last) if decides else None,
                row="5" if plan.key.startswith("wide") else "6-9",
            )
        )
    return claims


def _doubt(decides: bool, runs: Array, needed: int = FEWEST) -> str:
    """Why it cannot be decided."""
    return too_few(runs, needed) if decides else " (not with the book's images and settings)"


def _depth_claims(found: Sequence[Runs], decides: bool) -> list[Claim]:
    """Two beat one; three and four fall behind two."""
    claims = []
    for deep, shallow in PAIRS:
        d = found[deep - 1].final - found[shallow - 1].final
        p, better = sign_flip_p(d), bool(np.mean(d) > 0)
        settled = p < LEVEL
        verdict = "" if settled else ": not settled"
        word = "better" if deep == 2 else "worse"
        claims.append(
            Claim(
                says=f"{WORDS[deep]} hidden layers are {word} than {WORDS[shallow].lower()}",
                book=f"{BOOK[deep]:.2f} against {BOOK[shallow]:.2f} %, one run each",
                measured=f"{_percent(d)} points, p = {p:.2g}{verdict}{_doubt(decides, d, 0)}",
                runs=_runs(d),
                holds=better == (deep == 2) if settled and decides else None,
                row="6-9",
            )
        )
    return claims


def _late_start(found: Sequence[Runs], first: int, steps: int) -> Claim:
    """The deeper, the later learning starts."""
    early = np.array([runs.correct[:, first - 1] for runs in found[: len(BOOK)]])
    mean, deepest = early.mean(axis=1), early[-1]
    shares = " / ".join([f"{m:.1f}" for m in mean])
    doubt = too_few(deepest, 2) or (" (too few steps)" if first * steps < 1000 else "")
    return Claim(
        says=f"The deeper the network, the later it starts: after {first * steps:,} steps it gets fewer digits right",
        book="",
        measured=f"{shares} %, the deepest {deepest.min():.1f} to {deepest.max():.1f}{doubt}",
        runs=_runs(early[0]),
        holds=None if doubt else bool(np.all(np.diff(mean) < 0)),
        row="6-9",
    )


# ---------------------------------------------------------------------------------------------------------- the picture


def _draw(found: Sequence[Runs], steps: int) -> Any:
    from matplotlib.figure import Figure

    from tinygrad_vg.drawing.plots import PALETTE, plot_style

    depths = found[: len(BOOK)]
    names = [f"{len(runs.plan.hidden)} × {runs.plan.hidden[0]}" for runs in depths]
    with plot_style():
        figure = Figure(figsize=(9.6, 4.4), layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=(1, 1.25))
        for place, (runs, colour) in enumerate(zip(depths, PALETTE, strict=True), start=1):
            final = runs.final
            scatter = place + np.linspace(-0.16, 0.16, len(final)) * (len(final) > 1)
            left.plot(scatter, final, "o", markersize=3.5, alpha=0.7, color=colour)
            left.errorbar(place + 0.3, final.mean(), _deviation(final), fmt="s", markersize=5, capsize=4, color=colour)
        book_mark(left, list(BOOK), list(BOOK.values()))
        left.set_xticks(list(BOOK), names)
        left.set_xlim(0.5, len(BOOK) + 0.7)
        left.set_xlabel("hidden layers × neurons")
        left.set_ylabel("validation images right, %")
        left.set_title("Result of each seed (dots), mean ± sd (squares)", fontsize=10, pad=26)
        left.legend(loc="best")
        for runs, name, colour, style in zip(depths, names, PALETTE, ("-", "--", "-.", ":"), strict=True):
            x = np.arange(1, runs.correct.shape[1] + 1) * steps
            right.plot(x, runs.correct.mean(axis=0), style, color=colour, label=name)
            right.fill_between(x, runs.correct.min(axis=0), runs.correct.max(axis=0), color=colour, alpha=0.2, lw=0)
        right.set_xscale("log")
        right.set_ylim(0, 100)
        right.set_xlabel("mini-batches seen")
        right.set_title("Mean over the seeds, and all of them (band)", fontsize=10, pad=26)
        right.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(depths), columnspacing=1.2)
    return figure
