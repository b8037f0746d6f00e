"""``tinygrad-vg reproduce``: all experiments, with a bar for each, and the report."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from tinygrad_vg.commands.screen import say, screen
from tinygrad_vg.commands.target import UsageError
from tinygrad_vg.lab.report import lead, overview, unsettled, write_report
from tinygrad_vg.lab.reproduction import EXPERIMENTS, Outcome, reproduce

__all__ = ["run"]


def run(
    out: Path,
    *,
    quick: bool = False,
    only: Sequence[str] = (),
    seeds: int | None = None,
    workers: int = 2,
    quiet: bool = False,
) -> int:
    """Reproduce the chapter into a folder and print what holds.

    Returns
    -------
    int
        The exit status: 0, or 1 if an experiment failed. A claim that does not hold is no failure.

    Raises
    ------
    UsageError
        For names that are no experiments.
    """
    for name in only:
        if name not in EXPERIMENTS:
            raise UsageError(f"--only {name}: there is no such experiment; there are {', '.join(EXPERIMENTS)}")
    with _bars([name for name in EXPERIMENTS if not only or name in only], quiet) as tell:
        outcomes = reproduce(out, quick=quick, only=only, seeds=seeds, workers=workers, progress=tell)
    index = write_report(out, outcomes)
    console = screen()
    if not quiet:
        say(console, overview(outcomes))
        _say_unsettled(console, outcomes, quick)
        say(console)
    for outcome in outcomes:
        if outcome.error:
            say(console, f"{outcome.name} failed: {outcome.error}")
    say(console, lead(outcomes))
    say(console, f"{index}", whole=True)
    return int(any([outcome.error for outcome in outcomes]))


def _say_unsettled(console: Console, outcomes: Sequence[Outcome], quick: bool) -> None:
    """The claims that do not hold and those that could not be decided; the others are in the report."""
    few = "too few seeds, or not the book's images and settings"
    why = f"{few}; --quick trains on the embedded digits. The full run decides most of them" if quick else few
    for word, title in (("does not hold", "Do not hold as stated:"), ("undecided", f"Undecided ({why}):")):
        lines = unsettled(outcomes, word)
        if lines:
            say(console)
            say(console, title, style="bold")
        for line in lines:
            say(console, f"  {line}")


@contextmanager
def _bars(names: Sequence[str], quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """A bar for the whole and one for each experiment, on stderr if that is a terminal."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda name, done, total: None
        return
    finished: set[str] = set()
    parts = (TextColumn("{task.description:<16}"), BarColumn(bar_width=30), TextColumn("{task.fields[said]}"))
    with Progress(*parts, TimeElapsedColumn(), console=console) as progress:
        whole = progress.add_task("all", total=len(names), said=f"0/{len(names)} experiments")
        tasks: dict[str, TaskID] = {}
        shares = dict.fromkeys(names, 0.0)

        def tell(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = progress.add_task(name, total=max(total, 1), said="")
            said = f"{done:,}/{total:,}" if total else "failed"
            progress.update(tasks[name], completed=done, total=max(total, 1), said=said)
            if done == total:
                progress.stop_task(tasks[name])
                finished.add(name)
            shares[name] = done / total if total else 1.0
            count = f"{len(finished)}/{len(names)} experiments"
            progress.update(whole, completed=sum(shares.values()), said=count)

        yield tell
