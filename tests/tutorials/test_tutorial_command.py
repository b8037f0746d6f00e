"""``tinygrad-vg tutorial`` as it is typed: lists, copies, grades."""

import json

import jupytext
import nbformat
import pytest
from tutorial_cells import exercises
from typer.testing import CliRunner

from tinygrad_vg.cli import app
from tinygrad_vg.tutorials.files import exercise_of, has_tag, learners_copy, listed, text_of
from tinygrad_vg.tutorials.grading import grade

FIRST = listed()[0]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


def typed(*words):
    return CliRunner().invoke(app, ["tutorial", *map(str, words)])


def solved_copy(path, leave=(), to="py"):
    """A learner's copy with the solutions of all exercises but some in place."""
    notebook, parts = learners_copy(FIRST, blank=True), exercises(FIRST)
    for cell in notebook.cells:
        for number, own in parts.items():
            if cell.source == own.stub[-1].source and number not in leave:
                cell.source = "\n\n".join([solution.source for solution in own.solution])
    path.write_text(text_of(notebook, to), encoding="utf-8")
    return path


# ---------------------------------------------------------------------------------------------------- lists and copies


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_it_lists_what_there_is(lang):
    said = typed("--lang", lang)
    assert said.exit_code == 0
    for tutorial in listed(lang):
        (line,) = [line for line in said.output.splitlines() if line.strip().startswith(f"{tutorial.number} ")]
        assert tutorial.title in line
        assert line.split()[-2:] == [str(tutorial.minutes), str(len(tutorial.exercises))]


def test_a_copy_as_python_has_folded_solutions_at_its_end_and_no_hidden_cells(here):
    assert typed(1).exit_code == 0
    text = (here / "01_chain_rule.py").read_text(encoding="utf-8")
    compile(text, "copy", "exec")
    cells = jupytext.reads(text, fmt="py:percent").cells
    assert not [cell for cell in cells if has_tag(cell, "hidden") or has_tag(cell, "solution")]
    folded = [cell.source for cell in cells if cell.source.startswith("<details>")]
    assert cells[-len(folded) :] == [cell for cell in cells if cell.source in folded]
    for solution, parts in zip(folded, exercises(FIRST).values(), strict=True):
        assert parts.solution[0].source in solution


def test_a_blank_copy_has_no_solutions(here):
    assert typed(1, "--blank").exit_code == 0
    text = (here / "01_chain_rule.py").read_text(encoding="utf-8")
    assert "<details>" not in text
    for parts in exercises(FIRST).values():
        assert parts.solution[0].source not in text


def test_a_copy_as_notebook_is_valid_and_the_same_each_time(here):
    path = here / "01_chain_rule.ipynb"
    assert typed(1, "--to", "ipynb").exit_code == 0
    first = path.read_bytes()
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    assert typed(1, "--to", "ipynb", "--force").exit_code == 0
    assert path.read_bytes() == first


def test_a_copy_that_is_there_is_not_lost(here):
    path = here / "01_chain_rule.py"
    path.write_text("my answers")
    said = typed(1)
    assert said.exit_code != 0
    assert "--force" in str(said.exception)
    assert path.read_text() == "my answers"
    assert typed(1, "--force").exit_code == 0
    assert "my answers" not in path.read_text(encoding="utf-8")


def test_it_says_what_to_do_next():
    said = typed(1).output
    assert "python 01_chain_rule.py" in said
    assert "tinygrad-vg tutorial --check 01_chain_rule.py" in said
    assert "jupyter" in typed(1, "--to", "ipynb").output


# ------------------------------------------------------------------------------------------------------------ grading


@pytest.mark.parametrize("to", ["py", "ipynb"])
def test_a_solved_copy_passes(here, to):
    said = typed("--check", solved_copy(here / f"mine.{to}", to=to))
    assert said.exit_code == 0, said.output
    assert "3 of 3 solved" in said.output


def test_a_copy_half_done_does_not_and_json_says_which(here):
    said = typed("--check", solved_copy(here / "mine.py", leave=["1.2"]), "--json")
    assert said.exit_code == 1
    grades = json.loads(said.stdout)
    assert [e["status"] for e in grades["exercises"]] == ["solved", "blank", "solved"]
    assert (grades["passed"], grades["solved"], grades["tutorial"]) == (False, 2, "01_chain_rule")


def test_checks_that_were_tampered_with_are_the_tutorials_own_again(here):
    path = solved_copy(here / "mine.py", leave=["1.1", "1.2", "1.3"])
    notebook = jupytext.read(path, fmt="py:percent")
    for cell in notebook.cells:
        if has_tag(cell, "check"):
            cell.source = f'with check("{exercise_of(cell)}", hint=""):\n    pass'
    path.write_text(jupytext.writes(notebook, fmt="py:percent"), encoding="utf-8")
    assert [g.status for g in grade(path).grades] == ["blank"] * 3


def test_a_check_that_is_gone_is_missing(here):
    path = solved_copy(here / "mine.py")
    notebook = jupytext.read(path, fmt="py:percent")
    notebook.cells = [cell for cell in notebook.cells if exercise_of(cell) != "1.2"]
    path.write_text(jupytext.writes(notebook, fmt="py:percent"), encoding="utf-8")
    said = typed("--check", path)
    assert said.exit_code == 1
    assert "✗ 1.2 the check cell is gone" in said.output


@pytest.mark.parametrize(
    ("line", "reason"), [("da_db = 1 / 0", "ZeroDivisionError"), ("da_db = = 1", "SyntaxError"), ("exit()", "")]
)
def test_a_file_that_stops_says_where(here, line, reason):
    path = solved_copy(here / "mine.py")
    path.write_text(path.read_text(encoding="utf-8").replace("da_db = 1 * 0.2246", line), encoding="utf-8")
    said = typed("--check", path)
    assert said.exit_code == 1
    assert "0 of 3 solved" in said.output
    assert reason in said.output
    assert not reason or line in said.output


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.py", "x = 1\n", "is no copy of a tutorial"),
        ("a.py", 'begin("99_nothing", lang="en")\n', "no tutorial '99_nothing'"),
        ("a.py", 'begin("01_chain_rule", lang="tlh")\n', "in 'tlh'"),
        ("a.ipynb", "x", "cannot be read"),
        ("a.txt", "x", ".py or .ipynb"),
        ("a.py", b"\xff\xfe", "cannot be read"),
    ],
)
def test_a_file_that_is_no_copy_is_refused(here, name, content, says):
    path = here / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    said = typed("--check", path)
    assert said.exit_code != 0
    assert says in str(said.exception)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((99,), "there is no tutorial 99"),
        ((1, "--check", "a.py"), "not both"),
        (("--json",), "--check FILE"),
        (("--check", "nowhere.py"), "nowhere.py"),
    ],
)
def test_a_wrong_call_is_explained(words, says):
    said = typed(*words)
    assert said.exit_code != 0
    assert says in str(said.exception)
