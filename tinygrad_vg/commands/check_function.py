"""``tinygrad-vg check module:function``: the gradient of somebody's function at a random point."""

from __future__ import annotations

import inspect
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from tinygrad_vg.checks import Array
from tinygrad_vg.commands.screen import GOOD, WEAK, WRONG, say, waiting
from tinygrad_vg.commands.target import UsageError, told
from tinygrad_vg.gradcheck import GradientReport, check_gradients
from tinygrad_vg.gradcheck.report import HEADINGS, Verdict

__all__ = ["Point", "check_at", "choose_point", "show_gradients"]

Shape = tuple[int, ...]
ROOMY = 100  # columns, from which on the range of the gradients is given in decades, too


@dataclass(frozen=True)
class Point:
    """Where a function is checked: random arrays, one an argument.

    Attributes
    ----------
    names, shapes
        Of the arguments.
    domain
        The numbers are uniform between these two.
    seed
        Of the numbers.
    given
        Whether the caller said which shapes.
    """

    names: tuple[str, ...]
    shapes: tuple[Shape, ...]
    domain: tuple[float, float]
    seed: int
    given: bool

    def arrays(self, rng: np.random.Generator | None = None) -> tuple[Array, ...]:
        """The arrays, or others of the same kind from another generator."""
        rng = np.random.default_rng(self.seed) if rng is None else rng
        return tuple([np.asarray(rng.uniform(*self.domain, shape)) for shape in self.shapes])

    def __str__(self) -> str:
        parts = [
            f"{name}: {'×'.join(map(str, s)) or 'a number'}" for name, s in zip(self.names, self.shapes, strict=True)
        ]
        low, high = self.domain
        return f"{', '.join(parts)}; random between {low:g} and {high:g}, seed {self.seed}"

    def options(self) -> list[str]:
        """The options of the command line that give this point again."""
        shapes = [f"--shape={','.join(map(str, shape)) or '()'}" for shape in self.shapes] if self.given else []
        low, high = self.domain
        return [*shapes, *([f"--domain={low:g},{high:g}"] if self.domain != (-2, 2) else []), f"--seed={self.seed}"]


def choose_point(
    f: Callable[..., Any],
    target: str,
    shapes: Sequence[Shape] = (),
    domain: tuple[float, float] = (-2.0, 2.0),
    seed: int = 0,
) -> Point:
    """The point at which to check: of these shapes, or a number for each argument without a default.

    Raises
    ------
    UsageError
        If the function does not take so many arguments, or none, or if it does not tell.
    """
    names, required, variadic = _parameters(f, target)
    count = len(shapes) or required or min(len(names), 1) or bool(variadic)
    if not count:
        raise UsageError(f"{target} takes no arguments, so there is nothing to differentiate it by")
    if count < required or (count > len(names) and not variadic):
        most = "or more " if variadic else f"to {len(names)} " if len(names) > required else ""
        called = f"{target}({', '.join([*names, *([f'*{variadic}'] if variadic else [])])})"
        raise UsageError(
            f"{called} takes {required} {most}arguments, and there is a --shape for {len(shapes)}: give one for each, "
            "'()' for a number"
        )
    names = names[:count] + [f"{variadic}[{k}]" for k in range(count - len(names))]
    return Point(tuple(names), tuple(shapes) or ((),) * count, domain, seed, bool(shapes))


def _parameters(f: Callable[..., Any], target: str) -> tuple[list[str], int, str]:
    """The names of the positional parameters, how many have no default, and the name of ``*args``."""
    if isinstance(f, np.ufunc):
        return [f"x{i}" for i in range(f.nin)], f.nin, ""
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        return [], 0, "x"  # a function in C that does not tell
    for p in parameters:
        if p.kind is p.KEYWORD_ONLY and p.default is p.empty:
            raise UsageError(
                f"{target} cannot do without {p.name}=, which is no array: wrap it in a function that gives it"
            )
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    variadic = [p.name for p in parameters if p.kind is p.VAR_POSITIONAL]
    return [p.name for p in positional], sum([p.default is p.empty for p in positional]), "".join(variadic)


class _Watched:
    """A function of somebody's, of which is known what it raised and how often it did not."""

    def __init__(self, f: Callable[..., Any]) -> None:
        self.f, self.returned, self.raised = f, 0, list[BaseException]()

    def __call__(self, *args: Any) -> Any:
        try:
            y = self.f(*args)
        except (Exception, SystemExit) as error:
            self.raised.append(error)
            raise
        self.returned += 1
        return y


def check_at(
    f: Callable[..., Any],
    target: str,
    point: Point,
    *,
    order: int = 1,
    sample: int | None = None,
    quiet: bool = False,
) -> GradientReport:
    """Run `check_gradients` there, with a progress bar.

    Raises
    ------
    UsageError
        If the function raises or exits, and for what `check_gradients` cannot check, with the cure.
    """
    watched = _Watched(f)
    command = ["tinygrad-vg", "check", target, *point.options()]
    command += [f"--order={order}"] if order != 1 else []
    command += [f"--sample={sample}"] if sample is not None else []
    settings: dict[str, Any] = {"order": order, "sample": sample, "seed": point.seed, "names": point.names}
    try:
        with np.errstate(all="ignore"), waiting(target.rpartition(":")[2], None, quiet) as tell:
            report = check_gradients(watched, *point.arrays(), **settings, raises=False, progress=tell)
    except (Exception, SystemExit) as error:
        if any([error is one for one in watched.raised]):
            raise UsageError(f"{target}({point}) raised {told(error)}{_cure(error, watched, point)}") from error
        says = str(error)
        if not says.startswith("check_gradients: "):
            raise
        cure = "; try --domain 0.1,2" if "finite value" in says else ""
        raise UsageError(f"{target}({point}): {says.removeprefix('check_gradients: ')}{cure}") from error
    return replace(report, call=shlex.join(command))


def _cure(error: BaseException, watched: _Watched, point: Point) -> str:
    """What may help against an error that somebody's function raised: a line, or nothing."""
    if watched.returned > 1:  # the first two calls are at the point itself
        return (
            "\n    It was called near this point. Where it is not defined let it return nan, or choose another --domain"
        )
    if not point.given and isinstance(error, TypeError | ValueError | IndexError):
        return "\n    It was given numbers; for arrays say --shape 3,4, once for each argument"
    return ""


def show_gradients(console: Console, target: str, point: Point, report: GradientReport) -> None:
    """Print the report: as `GradientReport` has it, without the columns of verdicts that nothing got."""
    say(console, f"{target}   {point}", style="bold")
    if not point.given:
        say(console, "No --shape was given, so every argument is a number; for arrays: --shape 3,4", style=WEAK)
    unused = {v.value for v in Verdict if v is not Verdict.PASS and not any([r.counts[v] for r in report.inputs])}
    kept = [heading for heading in HEADINGS if heading not in unused]
    table = Table(box=None, padding=(0, 2, 0, 0), header_style=WEAK)
    for heading in kept:
        table.add_column(heading, justify="left" if heading in ("input", "shape") else "right")
    for row, r in zip(report.rows(), report.inputs, strict=True):
        cells = dict(zip(HEADINGS, row, strict=True))
        if console.width < ROOMY:
            cells["|gradient|"] = cells["|gradient|"].partition(",")[0]
        table.add_row(*[cells[heading] for heading in kept], style=None if r else WRONG)
    for thing in ("", table, ""):
        say(console, thing)
    first, *rest = report.lines()
    say(console, first, style=GOOD if report else WRONG)
    for line in rest:
        say(console, line, whole=line.startswith("Repeat:"))
