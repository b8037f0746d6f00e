"""Grade a learner's copy: run it with the tutorial's own checks, in a process of its own, and collect what they say."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jupytext

from tinygrad_vg.tutorials.exercises import RECORD
from tinygrad_vg.tutorials.files import LANGUAGES, Exercise, Tutorial, exercise_of, has_tag, listed, text_of

__all__ = ["Grade", "Grading", "TutorialFileError", "grade", "run_notebook"]

SECONDS = 300  # a copy that takes longer does not end
_BEGIN = re.compile(r"""begin\(\s*["'](\w+)["'](?:,\s*lang\s*=\s*["'](\w+)["'])?""")


class TutorialFileError(ValueError):
    """A file is no copy of a tutorial, or cannot be read; the message says what to do."""


@dataclass(frozen=True)
class Grade:
    """What became of one exercise.

    Attributes
    ----------
    exercise : Exercise
    status : str
        ``solved``, ``wrong``, ``error`` (the answer raised), ``blank``, ``missing`` (no check cell in the file), or
        ``unreached`` (the file ended before it).
    said : str
        What the check said.
    """

    exercise: Exercise
    status: str
    said: str


@dataclass(frozen=True)
class Grading:
    """What became of a copy; true if all exercises are solved.

    Attributes
    ----------
    tutorial : Tutorial
    grades : list of Grade
        One an exercise.
    stopped : str
        Why the file did not run to its end; empty if it did.
    """

    tutorial: Tutorial
    grades: list[Grade]
    stopped: str

    def __bool__(self) -> bool:
        return all([grade.status == "solved" for grade in self.grades])

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain data."""
        return {
            "tutorial": self.tutorial.name,
            "lang": self.tutorial.lang,
            "passed": bool(self),
            "solved": sum([grade.status == "solved" for grade in self.grades]),
            "stopped": self.stopped,
            "exercises": [
                {"number": g.exercise.number, "title": g.exercise.title, "status": g.status, "said": g.said}
                for g in self.grades
            ],
        }


def grade(path: Path) -> Grading:
    """Grade a learner's copy. Its code is run, with all that it does.

    Parameters
    ----------
    path : Path
        A ``.py`` or ``.ipynb`` that came from a tutorial. Its check cells are replaced by the tutorial's own.

    Returns
    -------
    Grading

    Raises
    ------
    TutorialFileError
        If it cannot be read, or is no copy of a tutorial.
    """
    notebook = _read(path)
    tutorial = _tutorial_of(notebook, path)
    checks = {exercise_of(cell): cell for cell in tutorial.cells if has_tag(cell, "check")}
    for cell in notebook.cells:
        if has_tag(cell, "check") and exercise_of(cell) in checks:
            cell.source = checks[exercise_of(cell)].source
    present = {exercise_of(cell) for cell in notebook.cells if has_tag(cell, "check")}
    records, stopped = run_notebook(notebook, path.resolve().parent)
    last = {record["exercise"]: record for record in records}
    grades = []
    for exercise in tutorial.exercises:
        missing = "unreached" if exercise.number in present else "missing"
        record = last.get(exercise.number, {"status": missing, "said": ""})
        grades.append(Grade(exercise, record["status"], record["said"]))
    return Grading(tutorial, grades, stopped)


def _read(path: Path) -> Any:
    if path.suffix not in (".py", ".ipynb"):
        raise TutorialFileError(f"{path}: give a .py or .ipynb that tinygrad-vg tutorial wrote")
    try:
        return jupytext.reads(path.read_text(encoding="utf-8"), fmt="py:percent" if path.suffix == ".py" else "ipynb")
    except OSError:
        raise
    except Exception as error:  # of as many kinds as there are broken files
        raise TutorialFileError(f"{path} cannot be read as a notebook: {error}") from error


def _tutorial_of(notebook: Any, path: Path) -> Tutorial:
    code = "\n".join([cell.source for cell in notebook.cells if cell.cell_type == "code"])
    found = _BEGIN.search(code)
    name, lang = (found[1], found[2] or "en") if found else ("", "en")
    for tutorial in listed(lang) if lang in LANGUAGES else []:
        if tutorial.name == name:
            return tutorial
    raise TutorialFileError(
        f"{path} is no copy of a tutorial: "
        + (f"there is no tutorial {name!r} in {lang!r} here" if found else 'its cell with begin("…") is gone')
        + "; tinygrad-vg tutorial N writes a fresh copy"
    )


def run_notebook(notebook: Any, folder: Path) -> tuple[list[dict[str, str]], str]:
    """Run a notebook as a script in a folder.

    Returns
    -------
    list of dict
        What each `check` recorded: ``exercise``, ``status``, ``said``.
    str
        Why it stopped before its end; empty if it did not.
    """
    with tempfile.TemporaryDirectory() as work:
        script, record = Path(work) / "graded_copy.py", Path(work) / "record"
        script.write_text(text_of(notebook, "py"), encoding="utf-8")
        path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
        variables = {RECORD: str(record), "PYTHONPATH": path, "MPLBACKEND": "Agg", "PYTHONIOENCODING": "utf-8"}
        stopped = ""
        try:
            done = subprocess.run(
                [sys.executable, str(script)],
                cwd=folder,
                env={**os.environ, **variables},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=SECONDS,
            )
            stopped = _reason(done.stderr, script) if done.returncode else ""
        except subprocess.TimeoutExpired:
            stopped = f"it did not end within {SECONDS} seconds"
        lines = record.read_text(encoding="utf-8").splitlines() if record.exists() else []
        return [json.loads(line) for line in lines], stopped


def _reason(stderr: str, script: Path) -> str:
    """The error of a traceback, and the line of the script on the way to it."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    places = [k for k, line in enumerate(lines) if line.startswith(f'File "{script}"')]
    where = f" (at: {lines[places[-1] + 1]})" if places and places[-1] + 1 < len(lines) else ""
    return (lines[-1] if lines else "it ended with an error") + where
