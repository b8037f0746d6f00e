"""``tinygrad-vg sweep``: a measurement over a grid typed as NAME=V1,V2."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from tinygrad_vg.commands.screen import say, screen, waiting
from tinygrad_vg.commands.target import UsageError, load, near
from tinygrad_vg.lab.measures import MEASURES
from tinygrad_vg.lab.sweeps import settings_of, sweep

__all__ = ["run"]


def run(
    experiment: str | None,
    settings: Sequence[str] = (),
    *,
    seeds: int = 1,
    out: Path | None = None,
    workers: int | None = None,
    dask: str | None = None,
    retry: bool = False,
    quiet: bool = False,
) -> int:
    """Run a sweep and print its table.

    Parameters
    ----------
    experiment : str, optional
        One of `MEASURES`, or ``module:function``; None lists them.
    settings : sequence of str
        ``"depth=2,4,8"`` each.
    seeds, out, workers, retry
        As for `sweep`.
    dask : str, optional
        Address of a scheduler of dask.distributed.
    quiet : bool
        No progress.

    Returns
    -------
    int
        The exit status: 0, or 1 if a task failed.

    Raises
    ------
    UsageError, SweepError
        With the cure.
    """
    console = screen()
    if experiment is None:
        for name, measure in MEASURES.items():
            say(console, f"{name}: {(measure.__doc__ or '').strip().splitlines()[0]}")
            say(console, f"  {settings_of(measure)}")
        return 0
    function = _measure(experiment)
    grid: dict[str, tuple[Any, ...]] = {}
    for name, values in map(_setting, settings):
        if name in grid:
            raise UsageError(f"{name} is given twice; give all its values at once, as {name}=V1,V2")
        grid[name] = values
    where = f"{function.__module__}:{function.__qualname__}"
    with _executor(dask) as executor, waiting(experiment, None, quiet) as tell:
        found = sweep(
            where,
            grid,
            seeds,
            executor=executor,
            workers=workers,
            out=out,
            retry=retry,
            progress=lambda *now: tell(*now),
        )
    table = found.table()
    say(console, table.title)
    say(console, replace(table, title=""))
    for record in found.failed[:5]:
        settings = [f"{name}={value}" for name, value in record.task.settings.items()]
        say(console, f"failed: {', '.join([*settings, f'seed {record.task.seed}'])}: {record.error}")
    if len(found.failed) > 5:
        say(console, f"and {len(found.failed) - 5} more that failed; see the file given with --out")
    return int(bool(found.failed))


def _measure(experiment: str) -> Callable[..., Any]:
    """One of ours by its name, or somebody's own."""
    if experiment in MEASURES:
        return MEASURES[experiment]
    if ":" in experiment:
        return load(experiment)
    meant = near(experiment, MEASURES)
    raise UsageError(
        f"there is no experiment {experiment!r}; there are {', '.join(MEASURES)}, or give module:function"
        + (f". Did you mean {' or '.join(meant)}?" if meant else "")
    )


def _setting(text: str) -> tuple[str, tuple[Any, ...]]:
    """``"depth=2,4"`` as ("depth", (2, 4))."""
    name, equals, values = text.partition("=")
    if not equals or not name or not values:
        raise UsageError(f"{text!r}: give a setting and its values as NAME=V1,V2, such as depth=2,4,8")
    return name, tuple([_value(part) for part in values.split(",")])


def _value(text: str) -> Any:
    """A number, true or false, or text."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


@contextmanager
def _executor(dask: str | None) -> Iterator[Executor | None]:
    """The cluster's, if there is an address."""
    if dask is None:
        yield None
        return
    try:
        from distributed import Client
    except ImportError:
        raise UsageError("--dask needs the extra: pip install 'tinygrad_vg[dask]'") from None
    try:
        client = Client(dask, timeout=10)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise UsageError(f"--dask {dask}: no scheduler answers there ({error})") from None
    with client, client.get_executor() as executor:  # type: ignore[no-untyped-call]
        yield executor
