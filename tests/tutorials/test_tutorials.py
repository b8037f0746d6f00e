"""Every tutorial runs, its pictures render, its checks tell right from wrong, and its numbers are asserted."""

import copy
import os
import subprocess
import sys
from xml.etree import ElementTree

import pytest
from nbformat.v4 import new_code_cell
from tutorial_cells import (
    TAGS,
    bound,
    calls,
    code,
    exercises,
    numbers_in,
    prose,
    quoted_numbers,
    tags,
    used,
    wrong_answers,
)

from tinygrad_vg.tutorials.files import exercise_of, has_tag, learners_copy, listed, text_of
from tinygrad_vg.tutorials.grading import run_notebook

ENGLISH = listed()
ALL = ENGLISH + listed("zh")

SLOWER = [pytest.param(tutorial, marks=[pytest.mark.slow] * (tutorial.lang != "en")) for tutorial in ALL]


def name_of(tutorial):
    return f"{tutorial.lang}-{tutorial.name}"


each = pytest.mark.parametrize("tutorial", ALL, ids=name_of)
each_run = pytest.mark.parametrize(
    "tutorial", SLOWER, ids=name_of
)  # the Chinese code is the English one but for strings
each_in_english = pytest.mark.parametrize("tutorial", ENGLISH, ids=lambda t: t.name)


def test_they_are_numbered_from_1():
    assert [tutorial.number for tutorial in ENGLISH] == list(range(1, len(ENGLISH) + 1))


@each
def test_its_cells_are_as_a_tutorials(tutorial):
    first, second, *_ = tutorial.cells
    assert first.source.startswith(f"# {tutorial.number}. ")
    assert 10 <= tutorial.minutes <= 20
    assert f'begin("{tutorial.name}", lang="{tutorial.lang}")' in second.source
    assert all([tags(cell) <= TAGS for cell in tutorial.cells])
    assert not any([tags(cell) - {"solution"} for cell in prose(tutorial)])
    assert all([cell.source.strip() for cell in tutorial.cells])


@each
def test_its_exercises_are_whole(tutorial):
    numbers = [exercise.number for exercise in tutorial.exercises]
    assert numbers == [f"{tutorial.number}.{k + 1}" for k in range(len(numbers))]
    word = {"en": "Exercise", "zh": "练习"}[tutorial.lang]
    for exercise, parts in zip(tutorial.exercises, exercises(tutorial).values(), strict=True):
        assert exercise.title.startswith(f"{word} {exercise.number}")
        assert parts.stub
        assert parts.solution
        assert len(calls(parts.check.source, "answered")) == 1, "a check begins with answered(…)"
    order = [tag for cell in tutorial.cells for tag in ("exercise", "solution", "check") if has_tag(cell, tag)]
    runs = [tag for k, tag in enumerate(order) if k == 0 or order[k - 1] != tag]
    assert runs == ["exercise", "solution", "check"] * len(numbers)


@each
def test_only_checks_use_what_an_answer_defines(tutorial):
    """Otherwise the story would end where an exercise is not solved."""
    asked = set()
    for cell in code(tutorial):
        if has_tag(cell, "exercise"):
            asked |= bound(cell.source)
        elif not tags(cell) & {"solution", "check"}:
            asked -= bound(cell.source)
            assert not used(cell.source) & asked, cell.source


@each
def test_every_number_it_quotes_stands_in_its_code(tutorial):
    """As given in what is shown, or as asserted in a hidden cell."""
    known = set()
    for cell in code(tutorial):
        known |= numbers_in(cell.source)
    for cell in prose(tutorial):
        unknown = [number for number in quoted_numbers(cell.source) if number not in known]
        assert not unknown, f"assert these in a hidden cell: {unknown}, from\n{cell.source}"


def test_what_counts_as_a_quoted_number():
    text = "# 3.5\nof 0.25, not 12 but 1,000 or 2e-5 (2010), `0.7`, $$4.5$$ and exercise 1.2; −0.5"
    assert list(quoted_numbers(text)) == ["0.25", "1000", "2e-5", "0.5"]
    assert numbers_in('assert f"{x:.2f}" == "-0.50" and 1_000 < 2e-5') >= {"0.50", "1000", "2e-5"}


@each
def test_every_picture_says_what_is_to_be_seen(tutorial):
    for cell in code(tutorial):
        for call in calls(cell.source, "show"):
            assert len(call.args[1].value) > 20
        for call in calls(cell.source, "plot"):
            assert len(call.args[0].value) > 20


# ---------------------------------------------------------------------------------------------------------- they run


def run_file(path, folder):
    """Run a file as a user would, warnings being errors."""
    variables = {"MPLBACKEND": "Agg", "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        [sys.executable, "-W", "error", str(path)],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        encoding="utf-8",
    )


@each_run
def test_it_runs_with_its_solutions_and_its_pictures_render(tutorial, tmp_path):
    done = run_file(tutorial.path, tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stderr == ""
    assert done.stdout.startswith(f"{tutorial.name} · Python ")
    for exercise in tutorial.exercises:
        assert f"✓ {exercise.number} " in done.stdout
    assert "✗" not in done.stdout
    shown = sum([len(calls(cell.source, name)) for cell in code(tutorial) for name in ("show", "plot")])
    pictures = sorted((tmp_path / "pictures").glob(f"{tutorial.name}-*.svg"))
    assert len(pictures) >= shown > 0  # a loop may show more
    for path in pictures:
        svg = ElementTree.parse(path).getroot()
        assert svg.tag.endswith("svg")
        assert len("".join(svg.itertext()).split()) > 5


@each_in_english
def test_checks_say_not_yet_to_blanks_and_wrong_answers_and_yes_to_solutions(tutorial, tmp_path):
    """One run, in which every check sees the stub, each wrong answer, and the solution."""
    parts, wrong = exercises(tutorial), {}
    for number, what, source in wrong_answers(tutorial.name):
        wrong.setdefault(number, []).append((what, [new_code_cell(source)]))
    assert wrong.keys() == parts.keys(), "every exercise needs wrong answers to be tried"
    assert min(map(len, wrong.values())) >= 2
    notebook, cells, expected = tutorial.notebook(), [], []
    for cell in notebook.cells:
        if not has_tag(cell, "check"):
            cells.append(cell)
            continue
        number = exercise_of(cell)
        own = parts[number]
        for what, answer in [("nothing", []), *wrong[number], ("the solution", own.solution)]:
            cells += copy.deepcopy([*own.stub, *answer, cell])
            expected.append((number, what))
    notebook.cells = cells
    records, stopped = run_notebook(notebook, tmp_path)
    assert not stopped
    for (number, what), record in zip(expected, records, strict=True):
        assert record["exercise"] == number
        allowed = {"nothing": ["blank"], "the solution": ["solved"]}.get(what, ["wrong", "error"])
        assert record["status"] in allowed, f"to {what}, {number} says: {record['said']}"
        assert ("not yet" in record["said"] and "Hint: " in record["said"]) == (record["status"] != "solved")


@pytest.mark.slow
@each
def test_a_blank_copy_runs_to_its_end_and_every_check_says_not_yet(tutorial, tmp_path):
    path = tmp_path / f"{tutorial.name}.py"
    path.write_text(text_of(learners_copy(tutorial, blank=True), "py"), encoding="utf-8")
    done = run_file(path, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    for exercise in tutorial.exercises:
        said = {"en": "not yet", "zh": "还没有完成"}[tutorial.lang]
        assert f"○ {exercise.number} {said}" in done.stdout
    assert "✓" not in done.stdout
