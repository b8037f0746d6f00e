"""The steps of the tour, one function each, and `run`, which takes them in order."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from tinygrad_vg.datasets import MNIST, mnist_sample
from tinygrad_vg.drawing import draw, explain
from tinygrad_vg.gradcheck import GradientReport, check_gradients
from tinygrad_vg.lab.chain import neuron_chain
from tinygrad_vg.lab.learning_speed import InitialSpeeds, cross_entropy, initial_speeds
from tinygrad_vg.modes import no_grad
from tinygrad_vg.nn import MLP
from tinygrad_vg.optim import SGD
from tinygrad_vg.tour.report import Findings, speed_rows, write_report
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

    def say(self, *things: Any, style: str | None = None) -> None:
        """Print, unless quiet; a reader that has gone (``tour | head``) does not end the tour."""
        wrapped = all([isinstance(x, str) for x in things])
        if not self.quiet:
            with suppress(BrokenPipeError, SystemExit):  # rich raises the second
                self.console.print(*things, style=style, soft_wrap=wrapped, highlight=False, markup=False)

    def heading(self, number: int, key: str, **words: Any) -> None:
        """The title of a step."""
        self.say(f"\n{number}/4  {self.text[key].format(**words)}", style="bold")

    @contextmanager
    def bar(self, total: int) -> Iterator[Callable[[int], None]]:
        """A progress bar; what it gives sets how much is done."""
        if self.quiet or not self.console.is_terminal:
            yield lambda done: None
            return
        columns = (TextColumn("    "), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
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
    show_hint: bool = True,
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
    show_hint : bool
        Say at the end how to open the page.

    Returns
    -------
    Path
        Of the page.

    Raises
    ------
    OSError
        If the folder cannot be written to; found out before anything is computed.
    KeyboardInterrupt
        If Ctrl-C ended the training; the page about what was done until then is written first.
    """
    started = time.perf_counter()
    if out.exists() and not out.is_dir():
        raise NotADirectoryError(f"{out} is a file; --out needs a folder")
    out.mkdir(parents=True, exist_ok=True)
    text = TEXTS[lang]
    guide = _Guide(Console(), text, quiet)
    data = mnist_sample()
    net = MLP([784, *hidden, 10], seed=seed)
    guide.say(fill(f"tinygrad_vg · {net!r}", 80, subsequent_indent="  "))

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
    guide.table(text["columns_ratio"].split("|"), found.ratio_rows())
    index = write_report(out, found, lang, time.perf_counter() - started)
    guide.say("\n" + text["wrote"].format(path=index))
    if show_hint:
        guide.say(text["open_hint"])
    if found.interrupted:
        guide.say(text["interrupted"].format(**found.words))
        raise KeyboardInterrupt
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
        found = initial_speeds(hidden, *data.train, range(seed, seed + SEEDS), progress=lambda: show(next(done)))
    guide.table(guide.text["columns_speed"].format(seed=seed, seeds=SEEDS).split("|"), speed_rows(found))
    return found


def _train(net: MLP, data: MNIST, epochs: int, seed: int, guide: _Guide) -> dict[str, Any]:
    """Step 4: full-batch gradient descent, the norms recorded before each step."""
    guide.heading(4, "step_train", epochs=epochs)
    X, y = data.train
    recorder = LearningSpeed(X, y)
    with no_grad():
        first = float(cross_entropy(net, X, y))
    start = np.array([recorder.measure(net, cross_entropy)[0]])
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
    norms = recorder.norms if len(recorder.norms) else start  # Ctrl-C may come before the first record
    with no_grad():
        last = float(cross_entropy(net, X, y))
    return {
        "norms": norms[: max(len(history), 1)],
        "cost": (first, last),
        "accuracy": accuracy(net, *data.validation),
        "interrupted": history.interrupted,
    }
