"""The steps of the tour, one function each, and `run`, which takes them in order."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from tinygrad_vg.datasets import MNIST, mnist_sample
from tinygrad_vg.drawing import draw, explain
from tinygrad_vg.gradcheck import GradientReport, check_gradients
from tinygrad_vg.lab.chain import neuron_chain
from tinygrad_vg.lab.learning_speed import InitialSpeeds, cross_entropy, initial_speeds
from tinygrad_vg.nn import MLP
from tinygrad_vg.optim import SGD
from tinygrad_vg.tour.report import Findings, write_report
from tinygrad_vg.tour.texts import TEXTS
from tinygrad_vg.training import LearningSpeed, accuracy, fit

__all__ = ["run"]

CHECK_DIGITS = 5
CHECK_SAMPLE = 100
SEEDS = 100
RATE, DECAY = 0.1, 5.0


@dataclass(frozen=True)
class _Guide:
    """Says what is being done, in the language of the tour, or nothing at all."""

    console: Console
    text: dict[str, str]
    quiet: bool

    def say(self, *things: Any) -> None:
        """Print, unless quiet."""
        if not self.quiet:
            self.console.print(
                *things, soft_wrap=all([isinstance(x, str) for x in things]), highlight=False, markup=False
            )

    def heading(self, number: int, key: str, **words: Any) -> None:
        """The title of a step."""
        if not self.quiet:
            self.console.print(f"\n[bold]{number}/4[/bold]  {self.text[key].format(**words)}")

    @contextmanager
    def bar(self, total: int) -> Iterator[Callable[[int], None]]:
        """A progress bar; what it gives sets how much is done."""
        if self.quiet or not self.console.is_terminal:
            yield lambda done: None
            return
        columns = (TextColumn("    "), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=self.console, transient=True) as progress:
            task = progress.add_task("", total=total)
            yield lambda done: progress.update(task, completed=done)

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """A table with its first column to the left."""
        made = Table(box=None, padding=(0, 1), header_style="dim")
        for i, heading in enumerate(headings):
            made.add_column(heading, justify="left" if i == 0 else "right", no_wrap=False)
        for row in rows:
            made.add_row(*row)
        self.say(made)


def run(
    out: Path,
    *,
    epochs: int = 500,
    hidden: Sequence[int] = (30, 30),
    seed: int = 0,
    lang: str = "en",
    quiet: bool = False,
) -> Path:
    """Check, draw, measure and train a sigmoid network on the embedded digits, and write a page about it.

    Parameters
    ----------
    out : Path
        Folder for ``index.html``, ``chain.svg``, ``network.svg``, ``learning_speed.svg`` and ``numbers.json``.
    epochs : int
        Full-batch steps of training, as in the book's figures (there 500).
    hidden : sequence of int
        Sizes of the hidden layers.
    seed : int
        Of everything random.
    lang : {"en", "zh"}
        Language of the page and of the messages.
    quiet : bool
        Print nothing.

    Returns
    -------
    Path
        Of the page.

    Raises
    ------
    OSError
        If the folder cannot be written to; found out before anything is computed.
    """
    started = time.perf_counter()
    out.mkdir(parents=True, exist_ok=True)
    text = TEXTS[lang]
    guide = _Guide(Console(), text, quiet)
    data = mnist_sample()
    net = MLP([784, *hidden, 10], seed=seed)
    guide.say(f"tinygrad_vg · {net!r}")

    checked = _check(net, data, seed, guide)
    guide.heading(2, "step_draw")
    chain = neuron_chain()
    chain_graph = draw(chain.cost, wrt=chain.b[0])
    guide.say(str(explain(chain.cost, chain.b[0])))
    X, y = data.train
    network_graph = draw(cross_entropy(net, X[:CHECK_DIGITS], y[:CHECK_DIGITS]), level="layer")
    chain.cost.backward()
    initial = _measure(hidden, data, seed, guide)
    trained = _train(net, data, epochs, seed, guide)

    parameters = sum([p.size for p in net.parameters()])
    found = Findings(
        sizes=net.sizes,
        seed=seed,
        parameters=parameters,
        images=len(y),
        check=checked,
        check_digits=CHECK_DIGITS,
        check_sample=CHECK_SAMPLE,
        chain=chain_graph,
        network=network_graph,
        chain_gradients=tuple([float(b.grad) for b in chain.b if b.grad is not None]),
        initial=initial,
        rate=RATE,
        decay=DECAY,
        **trained,
    )
    guide.table(text["columns_speed"].format(**found.words).split("|"), found.speed_rows())
    guide.table(text["columns_ratio"].split("|"), found.ratio_rows())
    index = write_report(out, found, lang, time.perf_counter() - started)
    guide.say("\n" + text["wrote"].format(path=index))
    guide.say(text["open_hint"])
    return index


def _check(net: MLP, data: MNIST, seed: int, guide: _Guide) -> GradientReport:
    """Step 1: every parameter array's gradient against finite differences, on a few digits."""
    guide.heading(1, "step_check")
    X, y = (part[:CHECK_DIGITS] for part in data.train)
    parameters = net.parameters()
    samples = [CHECK_SAMPLE if p.ndim > 1 else None for p in parameters]
    total = sum([p.size if limit is None else min(limit, p.size) for p, limit in zip(parameters, samples, strict=True)])
    with guide.bar(total) as show:
        report = check_gradients(
            lambda *params: cross_entropy(net.bind(params), X, y),
            *parameters,
            sample=samples,
            seed=seed,
            raises=False,
            progress=lambda done, total: show(done),
        )
    headings = guide.text["columns_check"].split("|")
    narrow = [0, 1, 2, 3, 4, 5, 7, 9]  # what fits into 80 columns; the page has all
    guide.table([headings[i] for i in narrow], [[row[i] for i in narrow] for row in report.rows()])
    return report


def _measure(hidden: Sequence[int], data: MNIST, seed: int, guide: _Guide) -> InitialSpeeds:
    """Step 3: ‖δ‖ of fresh networks."""
    guide.heading(3, "step_speed", seeds=SEEDS)
    done = iter(range(1, SEEDS + 1))
    with guide.bar(SEEDS) as show:
        return initial_speeds(hidden, *data.train, range(seed, seed + SEEDS), progress=lambda: show(next(done)))


def _train(net: MLP, data: MNIST, epochs: int, seed: int, guide: _Guide) -> dict[str, Any]:
    """Step 4: full-batch gradient descent, the norms recorded before each step."""
    guide.heading(4, "step_train", epochs=epochs)
    X, y = data.train
    recorder = LearningSpeed(X, y)
    history = fit(
        net,
        cross_entropy,
        data.train,
        epochs=epochs,
        batch_size=len(y),
        optimizer=SGD(net.parameters(), RATE, weight_decay=DECAY / len(y)),
        seed=seed,
        shuffle=False,
        callbacks=[recorder],
        progress=False if guide.quiet else None,
    )
    costs = np.atleast_1d(history.cost)
    return {
        "norms": recorder.norms[: max(len(history), 1)],
        "cost": (float(costs[0]), float(costs[-1])),
        "accuracy": accuracy(net, *data.validation),
        "interrupted": history.interrupted,
    }
