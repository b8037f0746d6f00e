"""`check` and `answered`: what is said, in both languages, and that nothing raised inside comes out."""

import json

import numpy as np
import pytest

from tinygrad_vg.tutorials import answered, begin, check, plot, show
from tinygrad_vg.tutorials.exercises import RECORD
from tinygrad_vg.tutorials.session import NOW


@pytest.fixture(autouse=True)
def session(monkeypatch, tmp_path):
    """The session as it is at the start, and a folder of its own."""
    for name, value in (("tutorial", "tutorial"), ("lang", "en"), ("pictures", 0)):
        monkeypatch.setattr(NOW, name, value)
    monkeypatch.chdir(tmp_path)


def bare(x): ...


def documented(x):
    """Nothing yet."""


def begun(x):
    """Something."""
    return x


@pytest.mark.parametrize("answer", [..., None, bare, documented, [1, ...], (None,), {"a": [1, ...]}])
def test_what_is_not_filled_in(answer, capsys):
    with check("1.1", hint="Try 3."):
        answered(1, answer)
        raise AssertionError("never reached")
    assert capsys.readouterr().out == (
        "○ 1.1 not yet: in the cell above, put your answer where the ... stands\n  Hint: Try 3.\n"
    )


@pytest.mark.parametrize("answer", [0, 0.0, "", [], {}, np.zeros(3), begun, lambda x: x, print, Exception])
def test_what_is(answer, capsys):
    with check("1.1", hint="Try 3."):
        answered(answer)
    assert capsys.readouterr().out == "✓ 1.1 solved\n"


def test_a_failed_assertion_gives_its_message_or_its_line(capsys):
    with check("1.2", hint="h"):
        raise AssertionError("one is not two")
    with check("1.2", hint="h"):
        raise AssertionError
    said = capsys.readouterr().out
    assert said == "✗ 1.2 not yet: one is not two\n  Hint: h\n✗ 1.2 not yet: raise AssertionError\n  Hint: h\n"


def test_an_error_is_told_with_the_line_it_comes_from(capsys):
    def answer():
        return undefined_name  # noqa: F821

    with check("1.3", hint="h"):
        answer()
    said = capsys.readouterr().out
    assert "✗ 1.3 not yet: your answer raised NameError: name 'undefined_name' is not defined" in said
    assert "return undefined_name" in said
    assert "Traceback" not in said


def test_a_long_reason_is_cut(capsys):
    with check("1.4", hint="h"):
        raise AssertionError("\n".join(map(str, range(100))))
    said = capsys.readouterr().out
    assert "\n  13\n  …\n  Hint: h\n" in said


def test_the_learner_may_interrupt():
    with pytest.raises(KeyboardInterrupt), check("1.5", hint="h"):
        raise KeyboardInterrupt


def test_in_chinese(capsys):
    begin("01_chain_rule", lang="zh")
    with check("1.1", hint="试试 3。"):
        answered(...)
    with check("1.1", hint="试试 3。"):
        pass
    said = capsys.readouterr().out
    assert "○ 1.1 还没有完成" in said
    assert "提示：试试 3。" in said
    assert "✓ 1.1 做对了" in said
    with pytest.raises(ValueError, match="en or zh"):
        begin("01_chain_rule", lang="fr")


def test_verdicts_are_recorded_where_grading_asks(tmp_path, monkeypatch):
    monkeypatch.setenv(RECORD, str(tmp_path / "record"))
    with check("1.1", hint="h"):
        pass
    with check("1.2", hint="h"):
        answered(...)
    records = [json.loads(line) for line in (tmp_path / "record").read_text(encoding="utf-8").splitlines()]
    assert [(r["exercise"], r["status"]) for r in records] == [("1.1", "solved"), ("1.2", "blank")]


class Drawn:
    """A picture that can, or cannot, be drawn."""

    def __init__(self, error=None):
        self.error = error

    def to_svg(self):
        if self.error:
            raise self.error
        return "<svg/>"

    def __str__(self):
        return "an outline"


def test_a_script_writes_its_pictures_and_says_where(tmp_path, capsys):
    begin("05_x")
    show(Drawn(), "a thing")
    with plot("a line going up", panels=2) as (left, right):
        left.plot([0, 1], [0, 1])
        right.plot([0, 1], [1, 0])
    said = capsys.readouterr().out
    assert (tmp_path / "pictures" / "05_x-1.svg").read_text() == "<svg/>"
    assert "a line going up" in (tmp_path / "pictures" / "05_x-2.svg").read_text(encoding="utf-8")
    assert "05_x-1.svg: a thing]" in said


def test_without_graphviz_there_is_an_outline(tmp_path, capsys):
    from tinygrad_vg.drawing.layout import NoLayoutEngineError

    show(Drawn(NoLayoutEngineError("no engine", "here", "install one")), "a thing")
    assert capsys.readouterr().out == "a thing\nan outline\n"
    assert not (tmp_path / "pictures").exists()


def test_grading_writes_no_pictures(tmp_path, monkeypatch):
    monkeypatch.setenv(RECORD, str(tmp_path / "record"))
    show(Drawn(), "a thing")
    assert not (tmp_path / "pictures").exists()
