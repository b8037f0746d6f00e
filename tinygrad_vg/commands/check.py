"""``tinygrad-vg check``: which of the checks is meant, and what becomes of the findings."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tinygrad_vg import __version__
from tinygrad_vg.commands.check_function import Point, check_at, choose_point, show_gradients
from tinygrad_vg.commands.check_table import check_ops, find, name_of, show_failures, show_op, show_table
from tinygrad_vg.commands.screen import WEAK, say, screen, waiting
from tinygrad_vg.commands.target import UsageError, load
from tinygrad_vg.gradcheck import check_op
from tinygrad_vg.gradcheck.faults import row_of
from tinygrad_vg.gradcheck.properties import OpReport
from tinygrad_vg.opcases import table

__all__ = ["run"]


def run(
    target: str | None = None,
    *,
    ops: Sequence[str] = (),
    shapes: Sequence[str] = (),
    domain: str | None = None,
    sample: int | None = None,
    properties: bool = False,
    mutants: bool = False,
    order: int | None = None,
    seed: int = 0,
    out: Path | None = None,
    quiet: bool = False,
) -> int:
    """Check the whole table, some functions of it, or somebody's own function.

    Parameters
    ----------
    target : str, optional
        ``module:function``; the module is imported.
    ops : sequence of str
        Functions of the table, by name.
    shapes, domain
        Of the random arguments of `target`: ``"3,4"`` once an argument, and ``"-2,2"``.
    sample : int, optional
        At most so many elements of each argument of `target`.
    properties : bool
        Run `check_op` on `target`, too.
    mutants : bool
        Plant faults in ops, and tell which ones their properties notice.
    order : {1, 2}, optional
        Of the derivatives: by default 1 for the gradient of `target`, and up to 2 for ops.
    seed : int
        Of all that is random.
    out : Path, optional
        Where to write the findings as JSON.
    quiet : bool
        Print what fails, and nothing else.

    Returns
    -------
    int
        The exit status: 0 if everything passes, else 1.

    Raises
    ------
    UsageError
        With the cure.
    """
    if out is not None and (out.is_dir() or not out.absolute().parent.is_dir()):
        raise UsageError(f"--json {out}: give a file, in a folder that exists")
    if target is None:
        for option, given in {"shape": shapes, "domain": domain, "sample": sample, "properties": properties}.items():
            if given:
                raise UsageError(f"--{option} is for a function of yours: name it as module:function")
        return _run_ops([find(word) for word in ops], mutants, order or 2, seed, out, quiet)
    if ops:
        raise UsageError(f"{target} or --op {ops[0]}: check one of them at a time")
    if target in map(name_of, table()):
        raise UsageError(f"{target} is a function of the table: check it with --op {target}")
    f = load(target)
    if any([f is known for known in table()]) and not (shapes or domain or sample):  # it has samples of its own
        return _run_ops([f], mutants, order or 2, seed, out, quiet)
    point = choose_point(f, target, [_shape(text) for text in shapes], _domain(domain), seed)
    gradients = check_at(f, target, point, order=order or 1, sample=sample, quiet=quiet)
    manners = _manners(f, point, order or 2, mutants, quiet) if properties or mutants else None
    passed = bool(gradients) and (manners is None or bool(manners))
    _write(
        out,
        passed,
        target=target,
        arguments=dict(zip(point.names, point.shapes, strict=True)),
        domain=point.domain,
        gradients=gradients.to_dict(),
        properties=None if manners is None else manners.to_dict(),
    )
    console = screen()
    if not (quiet and gradients):
        show_gradients(console, target, point, gradients)
    if manners is not None and not (quiet and manners):
        say(console)
        show_op(console, manners)
    elif row_of(f) is not None and not quiet:
        say(console, f"{target} is an op: --properties checks all that an op must do.", style=WEAK)
    return int(not passed)


def _run_ops(
    functions: list[Callable[..., Any]], mutants: bool, order: int, seed: int, out: Path | None, quiet: bool
) -> int:
    """Check some functions of the table one by one, or all of it if there are none."""
    start = time.perf_counter()
    reports = check_ops(functions or table(), seed=seed, order=order, mutants=mutants, quiet=quiet)
    seconds = time.perf_counter() - start
    passed = all([bool(report) for report in reports])
    _write(out, passed, ops=[report.to_dict() for report in reports])
    console = screen()
    if quiet:
        for report in [r for r in reports if not r]:
            show_failures(console, report)
    elif functions:
        for report in reports:
            show_op(console, report)
    else:
        show_table(console, reports, seconds)
    return int(not passed)


def _manners(f: Callable[..., Any], point: Point, order: int, mutants: bool, quiet: bool) -> OpReport:
    """`check_op` at random points of these shapes."""
    with waiting("properties", None, quiet):
        return check_op(f, samples=point.arrays, seed=point.seed, order=order, mutants=mutants, raises=False)


def _shape(text: str) -> tuple[int, ...]:
    """``"3,4"`` as (3, 4), ``"()"`` and ``""`` as ()."""
    inside = text.strip().removeprefix("(").removesuffix(")").rstrip(",")
    try:
        shape = tuple([int(part) for part in inside.split(",")]) if inside.strip() else ()
    except ValueError:
        shape = (0,)
    if min(shape, default=1) < 1:
        raise UsageError(f"--shape {text}: give lengths from 1, as 3,4 for a matrix, or '()' for a number")
    return shape


def _domain(text: str | None) -> tuple[float, float]:
    """``"-2,2"`` as (-2.0, 2.0)."""
    try:
        low, high = map(float, (text or "-2,2").split(","))
    except ValueError:
        low, high = math.inf, math.inf
    if not -math.inf < low < high < math.inf:
        raise UsageError(f"--domain {text}: give two numbers, the smaller one first, as -2,2")
    return low, high


def _write(out: Path | None, passed: bool, **found: Any) -> None:
    """The findings as JSON; what is not finite, as "inf", "-inf" or "nan"."""
    if out is not None:
        from tinygrad_vg.drawing.layout import write_atomically

        text = json.dumps({"version": __version__, "passed": passed, **_plain(found)}, indent=1, ensure_ascii=False)
        write_atomically(out, (text + "\n").encode())


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
