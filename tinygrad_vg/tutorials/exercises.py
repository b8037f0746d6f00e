"""How an exercise is judged: a check that says "not yet" and why, and never ends in a traceback.

A check cell reads::

    with check("1.2", hint="How large is σ′(0)?"):
        answered(slope)
        for z in (-2.0, 0.5):
            assert math.isclose(slope(z), judge(z), rel_tol=1e-6), f"at z = {z} the slope is another"
"""

from __future__ import annotations

import json
import os
import sysconfig
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import indent
from types import FunctionType
from typing import Any

from tinygrad_vg.tutorials.session import NOW

__all__ = ["RECORD", "answered", "check"]

RECORD = "TINYGRAD_VG_RECORD"  # the variable that names the file in which grading finds the verdicts
LONGEST = 14  # lines of a reason

_SAYS = {
    "en": {
        "solved": "✓ {exercise} solved",
        "blank": "○ {exercise} not yet: in the cell above, put your answer where the ... stands",
        "wrong": "✗ {exercise} not yet: {reason}",
        "error": "✗ {exercise} not yet: your answer raised {reason}",
        "hint": "  Hint: {hint}",
    },
    "zh": {
        "solved": "✓ {exercise} 做对了",
        "blank": "○ {exercise} 还没有完成：请在上面的单元格里，把 ... 换成你的答案",
        "wrong": "✗ {exercise} 还不对：{reason}",
        "error": "✗ {exercise} 还不对：你的代码运行出错：{reason}",
        "hint": "  提示：{hint}",
    },
}

PACKAGE = Path(__file__).parents[1]
LIBRARIES = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})


class NotAnswered(Exception):
    """An answer is still the ``...`` of the stub."""


def _empty() -> None: ...
def _empty_with_docstring() -> None:
    """Say something."""


_STUBS = {f.__code__.co_code for f in (_empty, _empty_with_docstring)}


def answered(*answers: Any) -> None:
    """Let a check go on only if each of these is filled in.

    Parameters
    ----------
    *answers
        What the exercise asks for. ``...``, None, a list, tuple or dict with one of them inside, and a function without
        a body are not filled in.

    Raises
    ------
    NotAnswered
        Which `check` turns into "not yet".
    """
    if any([_is_blank(answer) for answer in answers]):
        raise NotAnswered


def _is_blank(answer: Any) -> bool:
    if isinstance(answer, dict):
        return _is_blank(list(answer.values()))
    if isinstance(answer, list | tuple):
        return any([_is_blank(part) for part in answer])
    if isinstance(answer, FunctionType):  # one that returns a constant has the same code, but not the same constants
        constants = {*answer.__code__.co_consts} - {answer.__doc__}
        return answer.__code__.co_code in _STUBS and constants <= {None, ...}
    return answer is ... or answer is None


@contextmanager
def check(exercise: str, *, hint: str) -> Iterator[None]:
    """Judge an exercise by what is asserted inside, and say how it went; whatever is raised inside ends here.

    Parameters
    ----------
    exercise : str
        Its number, ``"1.2"``.
    hint : str
        Shown as long as it is not solved.

    Examples
    --------
    >>> double = lambda x: x + 2
    >>> with check("0.1", hint="Is it twice as much at 3, too?"):
    ...     answered(double)
    ...     assert double(2) == 4
    ...     assert double(3) == 6, f"double(3) gives {double(3)}"
    ✗ 0.1 not yet: double(3) gives 5
      Hint: Is it twice as much at 3, too?
    """
    status, reason = "solved", ""
    try:
        yield
    except NotAnswered:
        status = "blank"
    except AssertionError as error:
        status, reason = "wrong", _shortened(str(error).strip()) or _line(error)
    except Exception as error:
        status, reason = "error", _shortened(f"{type(error).__name__}: {error}")
        reason += f"\n{_line(error)}" if _line(error) else ""
    says = _SAYS[NOW.lang]
    said = says[status].format(exercise=exercise, reason=indent(reason, "  ").lstrip())
    if status != "solved":
        said += "\n" + says["hint"].format(hint=hint)
    print(said)
    if RECORD in os.environ:
        with open(os.environ[RECORD], "a", encoding="utf-8") as record:
            record.write(json.dumps({"exercise": exercise, "status": status, "said": said}) + "\n")


def _shortened(text: str) -> str:
    lines = text.splitlines()
    return "\n".join([*lines[:LONGEST], "…"] if len(lines) > LONGEST else lines)


def _line(error: BaseException) -> str:
    """The last line of the tutorial or of the learner on the way to an error."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [
        f.line
        for f in frames
        if f.line and not f.filename.startswith(LIBRARIES) and PACKAGE not in Path(f.filename).parents
    ]
    return own[-1] if own else ""
