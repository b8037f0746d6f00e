"""``tinygrad-vg tutorial``: list the tutorials, write a copy of one, grade a copy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rich.table import Table

from tinygrad_vg.commands.screen import GOOD, WEAK, WRONG, say, screen, waiting
from tinygrad_vg.commands.target import UsageError
from tinygrad_vg.drawing.layout import write_atomically
from tinygrad_vg.tutorials.files import Tutorial, learners_copy, listed, text_of
from tinygrad_vg.tutorials.grading import Grading, TutorialFileError, grade

__all__ = ["run"]


def run(
    number: int | None = None,
    *,
    lang: str = "en",
    to: str = "py",
    blank: bool = False,
    force: bool = False,
    check: Path | None = None,
    as_json: bool = False,
) -> int:
    """List the tutorials, write a copy of number `number`, or grade the copy `check`.

    Parameters
    ----------
    number : int, optional
        Which tutorial to copy into the current folder.
    lang, to
        Language and format of the copy.
    blank, force : bool
        Leave the solutions out; write over a file that is there.
    check : Path, optional
        The copy to grade. Its code is run.
    as_json : bool
        Print the grading as JSON.

    Returns
    -------
    int
        The exit status: 0, or 1 if an exercise of `check` is not solved.

    Raises
    ------
    UsageError
        With the cure.
    """
    if check is not None and number is not None:
        raise UsageError(f"{number} or --check {check}: write a copy or grade one, not both")
    if as_json and check is None:
        raise UsageError("--json goes with --check FILE")
    if check is not None:
        return _grade(check, as_json)
    if number is None:
        _list(lang)
    else:
        _write(_find(number, lang), to, blank, force)
    return 0


_SAYS: dict[str, dict[str, Any]] = {
    "en": {
        "columns": ("tutorial", "minutes", "exercises"),
        "begin": "Begin with: tinygrad-vg tutorial 1",
        "wrote": "{path}: {title}; {minutes} minutes, exercises: {exercises}",
        "ipynb": "Work through it in VS Code, or in Jupyter:",
        "py": "Work through it in VS Code, cell by cell, or in any editor, and run the whole file:",
        "check": "To see which exercises are solved:",
        "missing": "the check cell is gone from the file: write a fresh copy and put your answers there",
        "unreached": "not yet: the file stopped before this check",
        "stopped": "{path} did not run to its end: {reason}",
        "solved": "{solved} of {all} solved",
    },
    "zh": {
        "columns": ("教程", "分钟", "练习"),
        "begin": "从这里开始：tinygrad-vg tutorial 1 --lang zh",
        "wrote": "{path}：{title}；{minutes} 分钟，练习 {exercises} 道",
        "ipynb": "用 VS Code 打开，或者用 Jupyter：",
        "py": "用 VS Code 打开，逐个单元格做；也可以用任何编辑器，再运行整个文件：",
        "check": "看看做对了哪些练习：",
        "missing": "文件里的检验单元格不见了：请重新生成一份，把你的答案放进去",
        "unreached": "还没有完成：文件在运行到这个检验之前就停了",
        "stopped": "{path} 没有运行到底：{reason}",
        "solved": "做对了 {solved} 道，共 {all} 道",
    },
}


def _list(lang: str) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0))
    name, minutes, exercises = _SAYS[lang]["columns"]
    table.add_column("", justify="right")
    table.add_column(name)
    table.add_column(minutes, justify="right")
    table.add_column(exercises, justify="right")
    for tutorial in listed(lang):
        table.add_row(*map(str, (tutorial.number, tutorial.title, tutorial.minutes, len(tutorial.exercises))))
    console = screen()
    say(console, table)
    say(console)
    say(console, _SAYS[lang]["begin"], style=WEAK)


def _find(number: int, lang: str) -> Tutorial:
    known = {tutorial.number: tutorial for tutorial in listed(lang)}
    if number not in known:
        numbers = ", ".join(map(str, known))
        raise UsageError(f"there is no tutorial {number} in {lang!r}; there are {numbers or 'none'}")
    return known[number]


def _write(tutorial: Tutorial, to: str, blank: bool, force: bool) -> None:
    path = Path(f"{tutorial.name}{'' if tutorial.lang == 'en' else '.' + tutorial.lang}.{to}")
    if path.exists() and not force:
        raise UsageError(
            f"{path} is there already, perhaps with your answers: move it away, or give --force to lose it"
        )
    write_atomically(path, text_of(learners_copy(tutorial, blank=blank), to).encode())
    console, says = screen(), _SAYS[tutorial.lang]
    count, minutes = len(tutorial.exercises), tutorial.minutes
    say(console, says["wrote"].format(path=path, title=tutorial.title, minutes=minutes, exercises=count))
    say(console, says[to])
    say(console, f"  {'jupyter lab' if to == 'ipynb' else 'python'} {path}", whole=True)
    say(console, says["check"])
    say(console, f"  tinygrad-vg tutorial --check {path}", whole=True)


def _grade(path: Path, as_json: bool) -> int:
    try:
        with waiting(f"running {path}", None, as_json):
            grading = grade(path)
    except TutorialFileError as error:
        raise UsageError(str(error)) from error
    if as_json:
        found = {"file": str(path), **grading.to_dict()}
        say(screen(), json.dumps(found, indent=1, ensure_ascii=False), whole=True)
    else:
        _show(grading, path)
    return int(not grading)


def _show(grading: Grading, path: Path) -> None:
    console, says = screen(), _SAYS[grading.tutorial.lang]
    for found in grading.grades:
        said = found.said or f"✗ {found.exercise.number} {says[found.status]}"
        for line in said.splitlines():
            say(console, line, style=GOOD if found.status == "solved" else None, whole=True)
    if grading.stopped:
        say(console, says["stopped"].format(path=path, reason=grading.stopped), style=WRONG)
    solved = sum([found.status == "solved" for found in grading.grades])
    say(console, says["solved"].format(solved=solved, all=len(grading.grades)))
