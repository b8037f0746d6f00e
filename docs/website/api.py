"""The reference: a page for each room with public names, filled in by autodoc, and one for the command line."""

import inspect
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import tinygrad_vg as vg
from website.docstrings import CODE

__all__ = ["ROOMS", "names_of", "write"]

ENGINE = ("tensor", "autodiff", "ops", "modes")
ROOMS = (
    ("engine", "Tensors and derivatives"),
    ("gradcheck", "Checking derivatives"),
    ("drawing", "Pictures"),
    ("nn", "Networks"),
    ("optim", "Updates"),
    ("training", "Training"),
    ("datasets", "Data"),
    ("lab", "Experiments"),
    ("strategies", "Hypothesis strategies"),
    ("expressions", "Typed expressions"),
    ("opcases", "Samples of ops"),
    ("tutorials", "In the tutorials"),
    ("network2", "The book's network"),
    ("mnist_loader", "The book's loader"),
)
INDEX = """API
===

``import tinygrad_vg as vg``. Arrays are constants, Tensors are variables; ``vg.name`` is short for what is listed here
as ``tinygrad_vg.name``. Shapes are as in NumPy: rows are samples.

.. toctree::
   :hidden:

{tree}

{tables}
"""


def write(into: Path) -> None:
    """Write ``api/``."""
    folder = into / "api"
    folder.mkdir(parents=True, exist_ok=True)
    tables = []
    for room, title in ROOMS:
        (folder / f"{room}.rst").write_text(_page(room, title), encoding="utf-8", newline="\n")
        tables.append(f":doc:`{title} <{room}>`\n{'-' * (len(title) + len(room) + 12)}\n\n{_table(room)}")
    tree = "\n".join([f"   {room}" for room, _ in ROOMS])
    index = INDEX.format(tree=tree, tables="\n\n".join(tables))
    (folder / "index.rst").write_text(index, encoding="utf-8", newline="\n")
    (folder / "command-line.md").write_text(_commands(), encoding="utf-8", newline="\n")


# ------------------------------------------------------------------------------------------------------------ the names


def names_of(room: str) -> list[tuple[str, Any]]:
    """What a room has to offer: the name it is documented by, and the thing.

    What is public in `tinygrad_vg` itself goes by that name; what belongs to another package is left out.
    """
    if room == "engine":
        return [
            (f"tinygrad_vg.{name}", getattr(vg, name)) for name in vg.__all__ if _room_of(getattr(vg, name)) in ENGINE
        ]
    module = import_module(f"tinygrad_vg.{room}")
    return list(_members(module))


def _members(module: ModuleType) -> Iterator[tuple[str, Any]]:
    for name in sorted(module.__all__, key=lambda name: (not name[0].isupper(), name)):
        value = getattr(module, name)
        if inspect.ismodule(value):
            yield from _members(value)
        elif _room_of(value) and _room_of(value) not in ENGINE:
            short = getattr(vg, name, None) is value
            yield f"{'tinygrad_vg' if short else module.__name__}.{name}", value


def _room_of(value: Any) -> str:
    """The room a thing is from: empty for things of other packages."""
    parts = str(getattr(value, "__module__", type(value).__module__)).split(".")
    if parts[0] == "tinygrad_vg" and len(parts) > 1:
        return parts[1]
    return "here" if isinstance(value, tuple | dict) else ""


# ------------------------------------------------------------------------------------------------------------ the pages


def _page(room: str, title: str) -> str:
    parts = [title, "=" * len(title) * 2, ""]
    if room != "engine":
        parts += [f".. automodule:: tinygrad_vg.{room}", "   :no-members:", ""]
    parts += [_entry(name, value) for name, value in names_of(room)]
    return "\n".join(parts)


def _entry(name: str, value: Any) -> str:
    if inspect.isclass(value):
        special = "   :no-special-members:\n"
        return f".. autoclass:: {name}\n   :members:\n{special}"
    if callable(value) and not _is_record(value):
        return f".. autofunction:: {name}\n"
    return f".. autodata:: {name}\n   :no-value:\n"


def _is_record(value: Any) -> bool:
    return not inspect.isroutine(value) and not hasattr(value, "__wrapped__") and not hasattr(value, "op")


def _table(room: str) -> str:
    lines = [".. list-table::", "   :widths: 35 65", ""]
    for name, value in names_of(room):
        role = "class" if inspect.isclass(value) else "func" if callable(value) and not _is_record(value) else "data"
        lines += [f"   * - :py:{role}:`{name.removeprefix('tinygrad_vg.')} <{name}>`", f"     - {_first(value)}"]
    return "\n".join(lines)


def _first(value: Any) -> str:
    """The first sentence of a docstring."""
    if isinstance(value, tuple | dict):
        return "All of them." if isinstance(value, tuple) else "By name."
    paragraph = " ".join((inspect.getdoc(value) or "").partition("\n\n")[0].split())
    parts = CODE.split(paragraph)
    parts[::2] = [re.sub(r"([|*])", r"\\\1", part) for part in parts[::2]]
    return "".join(parts)


def _commands() -> str:
    command = [sys.executable, "-m", "typer", "tinygrad_vg.cli", "utils", "docs", "--name", "tinygrad-vg"]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True, env=environment)
    return unescape(done.stdout.replace("# `tinygrad-vg`", "# The command line", 1))
