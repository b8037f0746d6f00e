"""A measurement over a grid of settings and seeds, on all cores or on a cluster, into a file that can be resumed.

What is measured is a function of plain settings and a seed that gives numbers. Each of its runs is a task by itself, so
any `concurrent.futures.Executor` can do them, in any order: the numbers depend on settings and seed alone, computed
with one BLAS thread.
"""

from __future__ import annotations

import importlib
import inspect
import itertools
import json
import math
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tinygrad_vg.checks import Array
from tinygrad_vg.lab.results import Table
from tinygrad_vg.lab.settings import one_blas_thread

__all__ = ["Record", "Sweep", "SweepError", "Task", "settings_of", "sweep", "tasks_of"]

IN_FLIGHT = 4  # tasks handed out per worker: enough that none waits, few enough that 10⁶ tasks need no memory


class SweepError(ValueError):
    """A sweep that cannot be begun or continued; the message says why."""


class Task(NamedTuple):
    """One run of the measurement.

    Attributes
    ----------
    experiment
        ``module:function``.
    settings
        Keyword arguments, plain values.
    seed
        The keyword argument ``seed``.
    """

    experiment: str
    settings: dict[str, Any]
    seed: int

    @property
    def key(self) -> str:
        """The same for the same task, in whatever order its settings were given."""
        return json.dumps([self.experiment, sorted(self.settings.items()), self.seed], ensure_ascii=False)


class Record(NamedTuple):
    """What became of a task: one line of the file.

    Attributes
    ----------
    task
        Which one.
    values
        What was measured, by name; empty if it failed.
    error
        Why it failed; empty if it did not.
    seconds
        How long it took.
    """

    task: Task
    values: dict[str, Any]
    error: str
    seconds: float

    def line(self) -> str:
        """The record as a line of JSON."""
        return json.dumps({**self.task._asdict(), **self._asdict(), "task": None}, ensure_ascii=False) + "\n"

    @classmethod
    def read(cls, line: str) -> Record:
        """The record from its line."""
        found = json.loads(line)
        task = Task(found["experiment"], found["settings"], found["seed"])
        return cls(task, found["values"], found["error"], found["seconds"])


@dataclass(frozen=True, eq=False)
class Sweep:
    """The results of a sweep, in the order of its grid, whatever the order in which they came.

    Attributes
    ----------
    grid
        The values of each setting.
    seeds
        Of each point of the grid.
    records
        One a task: settings vary like the digits of a number, the last setting fastest, then the seed.
    """

    grid: dict[str, tuple[Any, ...]]
    seeds: tuple[int, ...]
    records: tuple[Record, ...]

    @property
    def failed(self) -> list[Record]:
        """The tasks that failed."""
        return [record for record in self.records if record.error]

    @property
    def names(self) -> list[str]:
        """Of the numbers measured."""
        return list(dict.fromkeys([name for record in self.records for name in record.values]))

    def values(self, name: str) -> Array:
        """One of the numbers as an array: an axis a setting, then one for the seeds; nan where a task failed."""
        if name not in self.names:
            raise KeyError(f"nothing called {name!r} was measured; there are {', '.join(self.names)}")
        flat = np.array([record.values.get(name, math.nan) for record in self.records], dtype=float)
        return flat.reshape(*[len(values) for values in self.grid.values()], len(self.seeds))

    def table(self) -> Table:
        """Everything measured, over the seeds, at every point of the grid.

        Mean ± standard deviation; but median (5 % to 95 %) of what is positive and spreads over a decade somewhere, as
        ratios of gradients do: there a mean says what the largest is.
        """
        n, rows = len(self.seeds), []
        failed = ["failed"] if self.failed else []
        columns = {name: self.values(name).reshape(-1, n) for name in self.names}
        tell = {name: _quantiles if _over_decades(values) else _spread for name, values in columns.items()}
        for i, point in enumerate(itertools.product(*self.grid.values())):
            errors = sum([bool(record.error) for record in self.records[i * n : (i + 1) * n]])
            told = [tell[name](values[i]) for name, values in columns.items()]
            rows.append([*point, *told, *[errors for _ in failed]])
        title = f"over {n} seed{'s' * (n > 1)}"
        if n > 1 and columns:
            title += f": {', or '.join(dict.fromkeys([_WAYS[way] for way in tell.values()]))}"
        return Table.of([*self.grid, *columns, *failed], rows, title)

    def __repr__(self) -> str:
        return f"<sweep of {len(self.records)} tasks, {len(self.failed)} failed: {', '.join(self.names)}>"


def _spread(values: Array) -> str:
    found = values[np.isfinite(values)]
    if not found.size:
        return "—"
    return f"{np.mean(found):.4g} ± {np.std(found, ddof=1):.2g}" if found.size > 1 else f"{found[0]:.4g}"


def _quantiles(values: Array) -> str:
    found = values[np.isfinite(values)]
    if found.size < 2:
        return _spread(values)
    middle, low, high = np.quantile(found, [0.5, 0.05, 0.95])
    return f"{middle:.3g} ({low:.2g} to {high:.2g})"


_WAYS = {_spread: "mean ± sd", _quantiles: "median (5 % to 95 %)"}


def _over_decades(columns: Array) -> bool:
    """Whether no number is negative, and at some point of the grid (a row) they differ by more than a factor of ten."""
    found = [row[row > 0] for row in columns]
    return not np.any(columns < 0) and any([row.max() > 10 * row.min() for row in found if row.size])


def sweep(
    experiment: Callable[..., Any] | str,
    grid: Mapping[str, Sequence[Any]],
    seeds: int | Sequence[int] = 1,
    *,
    executor: Executor | None = None,
    workers: int | None = None,
    out: str | Path | None = None,
    retry: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Sweep:
    """Measure at every point of a grid, for every seed.

    Parameters
    ----------
    experiment : callable or str
        ``experiment(seed=…, **settings)`` that gives a number or a mapping of names to numbers; a function of a module
        (other processes must find it), or ``"module:function"``, which imports that module and runs its code.
    grid : mapping
        The values of each setting: numbers, texts, booleans, None, and lists of them.
    seeds : int or sequence of int
        How many (0, 1, …), or which.
    executor : concurrent.futures.Executor, optional
        Where to run: by default processes of this machine; ``dask.distributed.Client(address).get_executor()`` is a
        cluster. It is left open.
    workers : int, optional
        How many processes, without an executor; by default one a core.
    out : path, optional
        A file of one record a line, appended to as tasks finish. What stands there is not computed again.
    retry : bool
        Run again what failed according to the file.
    progress : callable, optional
        Called as ``progress(done, total)``.

    Returns
    -------
    Sweep

    Raises
    ------
    SweepError
        Before anything is run: for an experiment that other processes cannot import, settings that it does not have or
        that are no plain values, an empty grid, and a file that is something else. A task that fails raises nothing:
        its record says why.

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> with ThreadPoolExecutor(1) as here:
    ...     found = sweep("tinygrad_vg.lab.measures:neurons_in_a_row", {"depth": (2, 8)}, seeds=30, executor=here)
    >>> ratios = np.median(found.values("first/last"), axis=1)
    >>> bool(ratios[1] < 1e-3 * ratios[0])  # six more neurons
    True
    """
    name = _name(experiment)
    _check_settings(name, grid)
    chosen = tuple(range(seeds) if isinstance(seeds, int) else seeds)
    tasks = tasks_of(name, grid, chosen)
    path = None if out is None else Path(out)
    known = {} if path is None else _recorded(path)
    done = {task.key: known[task.key] for task in tasks if task.key in known and not (retry and known[task.key].error)}
    waiting = [task for task in tasks if task.key not in done]
    if progress is not None:
        progress(len(done), len(tasks))
    for record in _run(waiting, executor, workers or os.cpu_count() or 1):
        if path is not None:
            _append(path, record)
        done[record.task.key] = record
        if progress is not None:
            progress(len(done), len(tasks))
    values = {key: tuple(column) for key, column in grid.items()}
    return Sweep(values, chosen, tuple([done[task.key] for task in tasks]))


def tasks_of(experiment: str, grid: Mapping[str, Sequence[Any]], seeds: Sequence[int]) -> list[Task]:
    """Every point of the grid for every seed.

    Raises
    ------
    SweepError
        If there is none, or a value has no place in JSON.
    """
    for key, values in grid.items():
        if isinstance(values, str) or not isinstance(values, Sequence) or not values:
            raise SweepError(f"sweep: give the values of {key} as a list of at least one, not {values!r:.60}")
        for value in values:
            try:
                same = json.loads(json.dumps(value)) == (list(value) if isinstance(value, tuple) else value)
            except (TypeError, ValueError):
                same = False
            if not same:
                raise SweepError(f"sweep: {key}={value!r:.60} is no plain value; give numbers, texts, or lists of them")
    if not seeds or not all([type(seed) is int and seed >= 0 for seed in seeds]):
        raise SweepError(f"sweep: seeds are a number of seeds, or a list of integers from 0, not {seeds!r:.60}")
    points = [dict(zip(grid, point, strict=True)) for point in itertools.product(*grid.values())]
    return [Task(experiment, json.loads(json.dumps(point)), seed) for point in points for seed in seeds]


def _name(experiment: Callable[..., Any] | str) -> str:
    """``module:function``, once it is sure that it leads there."""
    if not isinstance(experiment, str):
        name = f"{getattr(experiment, '__module__', None)}:{getattr(experiment, '__qualname__', None)}"
        if name.startswith("__main__:") or "<" in name or _found(name) is not experiment:
            raise SweepError(
                f"sweep: other processes cannot import {experiment!r:.60}; put the function into a module of its own, "
                "at its top level"
            )
        return name
    _found(experiment)
    return experiment


def _check_settings(name: str, grid: Mapping[str, Any]) -> None:
    """Refuse at once what every single task would be refused for."""
    function = _found(name)
    try:
        known = inspect.signature(function).parameters
    except (TypeError, ValueError):  # some functions written in C do not tell
        return
    has = f"it has {settings_of(function) or 'none'}"
    takes_any = any([p.kind is p.VAR_KEYWORD for p in known.values()])
    named = [key for key, p in known.items() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    if "seed" in grid:
        raise SweepError("sweep: the seed is no setting of the grid; say how many seeds, or which, beside it")
    if not takes_any and "seed" not in named:
        raise SweepError(f"sweep: {name} must take a keyword argument called seed; it has {', '.join(known) or 'none'}")
    unknown = [key for key in grid if not takes_any and key not in named]
    if unknown:
        raise SweepError(f"sweep: {', '.join(unknown)}: there is no such setting of {name}; {has}")
    needed = [key for key in named if known[key].default is known[key].empty and key != "seed"]
    missing = [key for key in needed if key not in grid]
    if missing:
        raise SweepError(f"sweep: give the values of {', '.join(missing)}, which have no default; {has}")


def settings_of(function: Callable[..., Any]) -> str:
    """The settings of an experiment with their defaults, as ``depth=4, scale=1.0``."""
    words = []
    for p in inspect.signature(function).parameters.values():
        if p.name != "seed":
            words.append(p.name if p.default is p.empty else f"{p.name}={p.default}")
    return ", ".join(words)


def _found(name: str) -> Callable[..., Any]:
    """The function called ``module:function``."""
    module, _, function = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise SweepError(f"sweep: there is no {name!r}; give module:function ({error})") from None
    if not callable(found):
        raise SweepError(f"sweep: {name} is no function")
    return found  # type: ignore[no-any-return]


# ------------------------------------------------------------------------------------------------------- in the worker


def perform(task: Task) -> Record:
    """Run one task, here; whatever it raises is recorded."""
    began = time.perf_counter()
    try:
        experiment = _found(task.experiment)  # its imports may load a BLAS
        with one_blas_thread():
            found = experiment(**task.settings, seed=task.seed)
        values, error = _plain(found), ""
    except Exception as problem:
        values, error = {}, f"{type(problem).__name__}: {problem}"
    return Record(task, values, error, round(time.perf_counter() - began, 4))


def _plain(found: Any) -> dict[str, Any]:
    """Numbers by name, as JSON has them."""
    given = found if isinstance(found, Mapping) else {"value": found}
    return {str(key): value if isinstance(value, int | str) else float(value) for key, value in given.items()}


# -------------------------------------------------------------------------------------------------- handing tasks out


def _run(tasks: list[Task], executor: Executor | None, workers: int) -> Iterator[Record]:
    """The records of all tasks, as they finish."""
    if executor is not None:
        yield from _hand_out(tasks, executor, IN_FLIGHT * max(workers, 64))
        return
    left = tasks
    suspects: list[Task] = []  # they were running when a process died
    while left or suspects:
        alone = bool(suspects)
        batch = [suspects.pop()] if alone else left
        # Ctrl-C ends the workers at once and without words; the parent tells.
        pool = ProcessPoolExecutor(
            min(workers, len(batch)), get_context("spawn"), signal.signal, (signal.SIGINT, signal.SIG_DFL)
        )
        finished: set[str] = set()
        try:
            for record in _hand_out(batch, pool, IN_FLIGHT * workers):
                finished.add(record.task.key)
                yield record
        except BrokenExecutor:
            missing = [task for task in batch if task.key not in finished]
            if alone:
                yield Record(missing[0], {}, "the worker process died (out of memory?)", 0.0)
            else:
                suspects, left = missing[: IN_FLIGHT * workers], missing[IN_FLIGHT * workers :]
                continue
        finally:
            pool.shutdown(cancel_futures=True)
        left = left if alone else []


def _hand_out(tasks: list[Task], executor: Executor, window: int) -> Iterator[Record]:
    """Keep so many tasks with the executor, and give their records as they finish."""
    waiting, running = iter(tasks), dict[Future[Record], Task]()
    try:
        while True:
            for task in itertools.islice(waiting, window - len(running)):
                running[executor.submit(perform, task)] = task
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                task = running.pop(future)
                try:
                    record = future.result()
                except BrokenExecutor:
                    raise
                except Exception as problem:  # it could not even be sent there or back
                    record = Record(task, {}, f"{type(problem).__name__}: {problem}", 0.0)
                yield record
    finally:
        for future in running:
            future.cancel()


# ------------------------------------------------------------------------------------------------------------ the file


def _recorded(path: Path) -> dict[str, Record]:
    """The records of a file; a last line that was cut off in the middle is taken away."""
    if not path.exists():
        return {}
    text = path.read_text(encoding="utf-8")
    whole, _, rest = text.rpartition("\n")
    if rest:  # a crash in the middle of a line
        os.truncate(path, len(text[: len(text) - len(rest)].encode()))
    found = {}
    for number, line in enumerate(whole.split("\n") if whole else [], start=1):
        try:
            record = Record.read(line)
        except (ValueError, KeyError, TypeError):
            raise SweepError(f"sweep: line {number} of {path} is no record of a sweep; give another file") from None
        found[record.task.key] = record
    return found


def _append(path: Path, record: Record) -> None:
    """Write one line at the end, at once; what cannot be written names the file."""
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(record.line())
    except OSError as error:
        raise type(error)(error.errno, error.strerror, str(path)) from error
