"""All experiments one after the other into a folder, and the report that is made of what lies there.

Each experiment's files are written when it is finished, with a record of what it was run with. What is there already,
run with the same settings, is not run again; so a reproduction that was interrupted goes on where it was.
"""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from queue import Empty
from typing import Any

from tinygrad_vg.datasets import mnist
from tinygrad_vg.drawing.layout import write_atomically
from tinygrad_vg.lab.settings import one_blas_thread

__all__ = ["EXPERIMENTS", "Outcome", "reproduce"]

EXPERIMENTS = (
    "circuits",
    "accuracy",
    "neurons",
    "learning_speed",
    "chain",
    "sigmoid",
    "jacobians",
    "glorot",
    "momentum",
    "cures",
)
"""In the order of the chapter."""

LONGEST_FIRST = ("accuracy", "cures", "learning_speed", "glorot", "momentum", "neurons")
NEED_MNIST = {"accuracy", "cures", "learning_speed", "glorot", "sigmoid"}
"""In full; for the others, and if quick, the embedded digits are enough."""

RECORD = "{}.run.json"


@dataclass(frozen=True)
class Outcome:
    """What became of one experiment.

    Attributes
    ----------
    name
        Of the experiment.
    record
        What it was run with: quick, seeds, the version of the package.
    seconds
        How long it took, now or when it was run.
    error
        Why it failed; empty if it did not.
    result
        The result as plain values (`Result.to_dict`); empty if it failed.
    kept
        Whether it lay there already.
    """

    name: str
    record: dict[str, Any]
    seconds: float
    error: str
    result: dict[str, Any]
    kept: bool = False


def reproduce(
    folder: str | Path,
    *,
    quick: bool = False,
    only: Sequence[str] = (),
    seeds: int | None = None,
    workers: int = 2,
    progress: Callable[[str, int, int], None] | None = None,
) -> list[Outcome]:
    """Run the experiments of the chapter and write everything they give into a folder.

    Parameters
    ----------
    folder : path
        Made if missing. Each experiment writes its data, picture and text there.
    quick : bool
        Small versions, on the embedded digits.
    only : sequence of str
        Some of `EXPERIMENTS`; all by default.
    seeds : int, optional
        How many, for all; each has a number of its own.
    workers : int
        How many experiments at a time, each in a process with one BLAS thread.
    progress : callable, optional
        ``progress(name, done, total)`` as an experiment goes on; ``done == total == 0`` when it fails.

    Returns
    -------
    list of Outcome
        In the order of the chapter. An experiment that fails does not end the others.

    Raises
    ------
    ValueError
        For names that are no experiments.
    DatasetError
        If MNIST is needed and not to be had, before anything is run.
    """
    unknown = [name for name in only if name not in EXPERIMENTS]
    if unknown:
        raise ValueError(f"there is no experiment {unknown[0]!r}; there are {', '.join(EXPERIMENTS)}")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    chosen = [name for name in EXPERIMENTS if not only or name in only]
    found = {name: kept for name in chosen if (kept := _kept(folder, name, _record(quick, seeds))) is not None}
    waiting = sorted([name for name in chosen if name not in found], key=_place)
    if not quick and not NEED_MNIST.isdisjoint(waiting):
        mnist()  # in the workers it would fail late, or be downloaded by several at once
    tell = progress or (lambda name, done, total: None)
    for name in found:
        tell(name, 1, 1)
    if waiting:
        found |= _run(folder, waiting, quick, seeds, max(1, min(workers, len(waiting))), tell)
    return [found[name] for name in chosen]


def _place(name: str) -> int:
    return LONGEST_FIRST.index(name) if name in LONGEST_FIRST else len(LONGEST_FIRST)


def _record(quick: bool, seeds: int | None) -> dict[str, Any]:
    from tinygrad_vg import __version__

    return {"quick": quick, "seeds": seeds, "version": __version__}


def _kept(folder: Path, name: str, record: dict[str, Any]) -> Outcome | None:
    """What an earlier run with the same settings left, if it is all there."""
    try:
        before = json.loads((folder / RECORD.format(name)).read_text(encoding="utf-8"))
        result = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    whole = all([(folder / f"{name}.{suffix}").exists() for suffix in ("npz", "svg", "md")])
    same = isinstance(before, dict) and "seconds" in before
    same = same and all([before.get(key) == value for key, value in record.items()])
    return Outcome(name, record, before["seconds"], "", result, kept=True) if whole and same else None


def _run(
    folder: Path,
    names: list[str],
    quick: bool,
    seeds: int | None,
    workers: int,
    tell: Callable[[str, int, int], None],
) -> dict[str, Outcome]:
    """Several experiments at a time, each in a process of its own; what they report is passed on."""
    context = get_context("spawn")
    found: dict[str, Outcome] = {}
    with context.Manager() as manager, ProcessPoolExecutor(workers, context) as pool:
        reports = manager.Queue()
        running = {pool.submit(perform, str(folder), name, quick, seeds, reports): name for name in names}
        try:
            while running:
                done = wait(running, timeout=0.2, return_when=FIRST_COMPLETED).done
                _pass_on(reports, tell)
                for future in done:
                    name = running.pop(future)
                    try:
                        found[name] = future.result()
                    except Exception as problem:  # the process died
                        error = f"{type(problem).__name__}: {problem}"
                        found[name] = Outcome(name, _record(quick, seeds), 0.0, error, {})
                    if found[name].error:
                        tell(name, 0, 0)
        finally:
            for future in running:
                future.cancel()
    return found


def _pass_on(reports: Any, tell: Callable[[str, int, int], None]) -> None:
    while True:
        try:
            tell(*reports.get_nowait())
        except Empty:
            return


def perform(folder: str, name: str, quick: bool, seeds: int | None, reports: Any) -> Outcome:
    """Run one experiment, here, and write its files."""
    began, shown = time.perf_counter(), 0.0

    def progress(done: int, total: int) -> None:
        nonlocal shown
        if time.perf_counter() - shown > 0.1 or done == total:
            shown = time.perf_counter()
            reports.put((name, done, total))

    record = _record(quick, seeds)
    progress(0, 1)
    try:
        with one_blas_thread():
            result = importlib.import_module(f"tinygrad_vg.lab.{name}").run(quick=quick, seeds=seeds, progress=progress)
        result.save(folder)
    except Exception as problem:
        error = f"{type(problem).__name__}: {' '.join(str(problem).split())}"
        return Outcome(name, record, time.perf_counter() - began, error, {})
    seconds = time.perf_counter() - began
    written = json.dumps({**record, "seconds": round(seconds, 1)})
    write_atomically(Path(folder) / RECORD.format(name), written.encode())
    return Outcome(name, record, seconds, "", json.loads(json.dumps(result.to_dict())))
