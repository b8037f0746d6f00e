"""``tinygrad-vg draw`` and ``tinygrad-vg explain``: a picture of a graph, and a derivative spelled out."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from tinygrad_vg.commands.subject import Subject, subject_of
from tinygrad_vg.commands.target import UsageError
from tinygrad_vg.drawing import Graph, draw, explain
from tinygrad_vg.drawing.graph import MAX_NODES
from tinygrad_vg.drawing.layout import LayoutError

__all__ = ["draw_target", "explain_target"]


def draw_target(
    target: str,
    *,
    out: Path | None,
    wrt: str | None,
    settings: Sequence[str],
    level: str,
    theme: str,
    max_nodes: int | None,
    seed: int | None,
    sizes: str | None,
    dot: bool,
) -> int:
    """Save the picture of a graph, or print its outline or its DOT.

    Returns
    -------
    int
        The exit status: 0, or 1 if only the DOT text could be saved.

    Raises
    ------
    UsageError
        For what the caller can put right.
    """
    if out is not None and dot:
        raise UsageError(f"--dot prints DOT text; to save it, leave --dot away and write -o {out.with_suffix('.dot')}")
    subject = subject_of(target, settings, seed, sizes)
    by = None if wrt is None else subject.tensor(wrt)
    try:
        graph = draw(subject.root, by, level, theme, max_nodes or MAX_NODES)
        if out is not None:
            return _save(graph, subject, out)
    except ValueError as error:
        raise UsageError(str(error)) from None
    print(graph.source.rstrip() if dot else "\n".join([_fitting(line) for line in str(graph).split("\n")]))
    if subject.told and not dot:
        _say("", *subject.told.split("\n"))
    return 0


def _fitting(line: str) -> str:
    """A line of an outline; what goes beyond 80 columns comes under it."""
    indent = len(line) - len(line.lstrip())
    cut = line.rfind("   ", indent, 81) if len(line) > 80 else -1
    return line if cut < 0 else f"{line[:cut]}\n{' ' * (indent + 4)}{line[cut:].lstrip()}"


def _save(graph: Graph, subject: Subject, out: Path) -> int:
    try:
        graph.save(out)
    except LayoutError as error:
        instead = out.with_name(f"{out.name}.dot")  # not x.dot, which may be somebody's own
        graph.save(instead)
        print(f"tinygrad-vg: {error}\nThe graph is in {instead} as DOT text.", file=sys.stderr)
        return 1
    print(f"{out}: {graph.title}")
    _say(*graph.notes, *filter(None, subject.told.split("\n")))
    return 0


def _say(*lines: str) -> None:
    for line in lines:
        print(textwrap.fill(line, 80, break_on_hyphens=False))


def explain_target(
    target: str, *, wrt: str | None, settings: Sequence[str], seed: int | None, sizes: str | None, latex: bool
) -> None:
    """Print a derivative as the product of its terms.

    Raises
    ------
    UsageError
        For what the caller can put right.
    """
    subject = subject_of(target, settings, seed, sizes)
    if wrt is None:
        raise UsageError(f"by what? Give --wrt one of these names: {subject.list_of_names()}")
    by = subject.tensor(wrt)
    try:
        chain = explain(subject.root, by)
    except ValueError as error:
        raise UsageError(str(error)) from None
    print(chain.latex() if latex else chain)
    if subject.told and not latex:
        _say("", *subject.told.split("\n"))
