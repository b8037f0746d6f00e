"""``module:function`` from the command line as a function; it imports the module, and so runs it."""

from __future__ import annotations

import difflib
import importlib
import os
import sys
import sysconfig
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

__all__ = ["UsageError", "load", "near", "told"]

PACKAGE = Path(__file__).parents[1]
INSTALLED = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})


class UsageError(ValueError):
    """Something the caller can put right; the message says what is wrong and what to do."""


def load(target: str) -> Callable[..., Any]:
    """Import a module, with the current folder on the path as ``python -m`` has it, and get a function of it.

    Parameters
    ----------
    target : str
        ``"homework:loss"``, ``"package.module:Class.method"``.

    Raises
    ------
    UsageError
        If there is no such module or function, if it is not callable, or if the module raises as it is imported.
    """
    name, colon, path = target.partition(":")
    if not colon or not name:
        raise UsageError(
            f"{target!r}: give module:function, such as homework:loss for the function loss in homework.py"
        )
    if name.endswith(".py") or "/" in name or "\\" in name:
        raise UsageError(
            f"{target!r}: give the module and not its file, {Path(name).stem}:{path or 'function'}, from inside the "
            "folder it is in"
        )
    value, reached = _imported(name), name
    for part in path.split("."):
        if not hasattr(value, part):
            have = [key for key in dir(value) if not key.startswith("_") and callable(getattr(value, key, None))]
            what = f"{reached} has no {part!r}" if part else f"{target!r} names no function"
            raise UsageError(
                what + (_meant(near(part, have)) or (f"; it has {', '.join(have)}" if len(have) < 20 else ""))
            )
        value, reached = getattr(value, part), f"{reached}{':' if reached == name else '.'}{part}"
    if not callable(value):
        raise UsageError(f"{target} is of type {type(value).__name__}, which is not a function and cannot be called")
    return value  # type: ignore[no-any-return]


def _imported(name: str) -> Any:
    folder = os.getcwd()
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        return importlib.import_module(name)
    except SystemExit:
        raise UsageError(
            f"{name} ended the program as it was imported; put what it does as a script below "
            '``if __name__ == "__main__":``'
        ) from None
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and error.name and f"{name}.".startswith(f"{error.name}."):
            here = [path.stem for path in Path(folder).glob("*.py")]
            raise UsageError(
                f"there is no module {error.name!r} in {folder} or among the installed ones"
                f"{_meant(near(error.name, here)) or '; go to the folder it is in, or install it'}"
            ) from None
        raise UsageError(f"{name} cannot be imported: {told(error)}") from error


def near(word: str, words: Iterable[str]) -> list[str]:
    """The words that `word` may have been meant for, the likeliest first."""
    by_case = {w.lower(): w for w in words}
    return [by_case[w] for w in difflib.get_close_matches(word.lower(), by_case, n=4, cutoff=0.6)]


def _meant(words: list[str]) -> str:
    return f"; did you mean {' or '.join(words)}?" if words else ""


def told(error: BaseException) -> str:
    """An error in one line, and below it the last line of the user's own code on the way to it."""
    text = f"{type(error).__name__}: {' '.join(str(error).split())}"
    if isinstance(error, SyntaxError) and error.filename:
        return f"{text}\n    {_place(error.filename, error.lineno, error.text)}"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not _is_library(f.filename)]
    return f"{text}\n    {_place(frames[-1].filename, frames[-1].lineno, frames[-1].line)}" if frames else text


def _is_library(file: str) -> bool:
    return file.startswith(("<", *INSTALLED)) or PACKAGE in Path(file).parents


def _place(file: str, line: int | None, code: str | None) -> str:
    path = Path(file)
    shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    return f"{shown}, line {line}: {(code or '').strip()}"
