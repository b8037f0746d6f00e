"""What the commands show: progress on stderr while they compute, results on stdout."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from textwrap import fill
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

__all__ = ["GOOD", "WEAK", "WRONG", "say", "screen", "side_by_side", "verdict", "waiting"]

GOOD, WRONG, WEAK = "bold green", "bold red", "dim"  # colours only repeat what the words say
WIDEST = 100  # longer lines are hard to read


def screen() -> Console:
    """Standard output, where text is shown as it is."""
    console = Console(highlight=False, markup=False, emoji=False)
    console.width = min(console.width, WIDEST)
    return console


def say(console: Console, thing: Any = "", *, style: str | None = None, whole: bool = False) -> None:
    """Print a table, or text with its further lines indented; `whole` leaves a line as it is, for copying.

    A reader that has gone (``check | head``) does not change the result.
    """
    if isinstance(thing, str) and not whole:
        indent = " " * (len(thing) - len(thing.lstrip()) + 2)
        thing = fill(thing, console.width, subsequent_indent=indent, break_on_hyphens=False)
    with suppress(BrokenPipeError, SystemExit):  # rich raises the second
        console.print(thing, style=style, soft_wrap=whole)


def side_by_side(rows: Iterable[Sequence[str | Text]], indent: int = 0) -> Table:
    """Rows of a few words, and a text that takes the rest of the width."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(width=max(indent - 2, 0))
    for row in rows:
        table.add_row("", *row)
    for column in table.columns[1:-1]:
        column.no_wrap = True
    return table


def verdict(passed: bool) -> Text:
    """``pass`` or ``FAIL``."""
    return Text("pass", style=GOOD) if passed else Text("FAIL", style=WRONG)


@contextmanager
def waiting(what: str, total: int | None, quiet: bool = False) -> Iterator[Callable[..., None]]:
    """A bar with the time used and left, on stderr, if that is a terminal; gone when all is done.

    Parameters
    ----------
    what : str
        What is being done.
    total : int or None
        How many steps there are, if that is known.
    quiet : bool
        Show none.

    Yields
    ------
    callable
        ``tell(done, total=None, what=None)``.
    """
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda done, total=None, what=None: None
        return
    parts = (
        TextColumn("{task.description:<16}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    shared = sys.stdout is not None and sys.stdout.isatty()  # what goes to a file stays there
    with Progress(*parts, console=console, transient=True, redirect_stdout=shared) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done, total=None, what=None: progress.update(
            task,
            completed=done,
            total=total,
            description=what,  # None leaves both as they are
        )
