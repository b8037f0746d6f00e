"""The tutorials as files: which there are, and what a learner's copy of one is.

Cells are told apart by their tags. An exercise is its statement (a markdown cell with a heading), the stub
(``exercise``), the ``solution`` and the ``check``; ``hidden`` cells assert the numbers that the text quotes. A
learner's copy leaves the hidden cells out and has the solutions folded at its end, or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jupytext
from nbformat.v4 import new_markdown_cell

__all__ = ["LANGUAGES", "Exercise", "Tutorial", "exercise_of", "has_tag", "learners_copy", "listed", "text_of"]

LANGUAGES = ("en", "zh")
_HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)
_CHECK = re.compile(r"""check\(\s*["']([\d.]+)["']""")

_SOLUTIONS = {
    "en": ("Solutions", "Solution", "To be opened after you have tried; there is more than one good answer."),
    "zh": ("参考答案", "答案", "先自己动手，再打开来对照；好的答案不止一种。"),
}


@dataclass(frozen=True)
class Exercise:
    """An exercise.

    Attributes
    ----------
    number : str
        ``"1.2"``.
    title : str
        Its heading.
    """

    number: str
    title: str


@dataclass(frozen=True)
class Tutorial:
    """One tutorial in one language.

    Attributes
    ----------
    path : Path
        Its file.
    lang : str
        ``en`` or ``zh``.
    """

    path: Path
    lang: str

    @property
    def name(self) -> str:
        """``01_chain_rule``."""
        return self.path.stem

    @property
    def number(self) -> int:
        """Its place in the row."""
        return int(self.name.split("_")[0])

    def notebook(self) -> Any:
        """All its cells, as a new notebook each time."""
        return jupytext.read(self.path, fmt="py:percent")

    @cached_property
    def cells(self) -> list[Any]:
        """Its cells, to be read only."""
        return list(self.notebook().cells)

    @property
    def title(self) -> str:
        """Its heading, without the number."""
        return _heading(self.cells[0]).partition(" ")[2]

    @property
    def minutes(self) -> int:
        """How long it takes to read and to do."""
        return int(self.cells[0].metadata["minutes"])

    @property
    def exercises(self) -> list[Exercise]:
        """In order."""
        found, heading = [], ""
        for cell in self.cells:
            if cell.cell_type == "markdown" and _HEADING.search(cell.source):
                heading = _heading(cell)
            if has_tag(cell, "check"):
                found.append(Exercise(exercise_of(cell) or "", heading))
        return found


def _heading(cell: Any) -> str:
    """The last heading in a markdown cell."""
    return str(_HEADING.findall(cell.source)[-1]).strip()


def has_tag(cell: Any, tag: str) -> bool:
    """Whether a cell has this tag."""
    return tag in cell.metadata.get("tags", ())


def exercise_of(cell: Any) -> str | None:
    """The number of the exercise that a check cell judges."""
    found = _CHECK.search(cell.source)
    return found[1] if found else None


def folder() -> Path:
    """Where the tutorials are: in the installed package, or beside it in a clone of the repository."""
    installed = Path(__file__).with_name("pages")
    return installed if installed.is_dir() else Path(__file__).parents[2] / "tutorials"


def listed(lang: str = "en") -> list[Tutorial]:
    """All tutorials in a language, in order.

    Parameters
    ----------
    lang : {"en", "zh"}
        A tutorial that is not translated is left out.
    """
    where = folder() if lang == "en" else folder() / lang
    return [Tutorial(path, lang) for path in sorted(where.glob("[0-9][0-9]_*.py"))]


# ---------------------------------------------------------------------------------------------------- a learner's copy


def learners_copy(tutorial: Tutorial, *, blank: bool = False) -> Any:
    """A tutorial for working through, as a notebook.

    Parameters
    ----------
    tutorial : Tutorial
    blank : bool
        Leave the solutions out, instead of folding them at the end.

    Returns
    -------
    NotebookNode
    """
    notebook = tutorial.notebook()
    kept = [cell for cell in notebook.cells if not (has_tag(cell, "hidden") or has_tag(cell, "solution"))]
    if not blank:
        kept += _solutions(tutorial)
    for k, cell in enumerate(kept):
        cell["id"] = f"cell-{k}"  # the same at every call
        cell.metadata = {key: value for key, value in cell.metadata.items() if key == "tags"}
    notebook.cells = kept
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return notebook


def _markdown(text: str) -> Any:
    return new_markdown_cell(text)  # type: ignore[no-untyped-call]


def _solutions(tutorial: Tutorial) -> Iterator[Any]:
    """Markdown cells with the solutions, each folded."""
    several, one, words = _SOLUTIONS[tutorial.lang]
    yield _markdown(f"## {several}\n\n{words}")
    parts: list[str] = []
    exercises = iter(tutorial.exercises)
    for cell in tutorial.cells:
        if has_tag(cell, "solution"):
            parts.append(cell.source if cell.cell_type == "markdown" else f"```python\n{cell.source}\n```")
        elif has_tag(cell, "check"):
            body, parts = "\n\n".join(parts), []
            yield _markdown(f"<details><summary>{one} {next(exercises).number}</summary>\n\n{body}\n\n</details>")


def text_of(notebook: Any, to: str) -> str:
    """A notebook as the text of a file.

    Parameters
    ----------
    notebook : NotebookNode
    to : {"py", "ipynb"}
        Percent-format Python, or Jupyter's format.
    """
    if to == "ipynb":
        return str(jupytext.writes(notebook, fmt="ipynb")).rstrip("\n") + "\n"
    notebook.metadata = {"jupytext": {"notebook_metadata_filter": "-all"}}
    return str(jupytext.writes(notebook, fmt="py:percent"))
