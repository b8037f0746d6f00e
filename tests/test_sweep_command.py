"""``tinygrad-vg sweep`` as it is typed."""

import json

import pytest
from typer.testing import CliRunner

from tinygrad_vg.cli import app

runner = CliRunner()


def typed(*words):
    return runner.invoke(app, ["sweep", *words])


def test_a_grid_as_a_table_and_a_file_that_is_not_computed_again(tmp_path):
    out = tmp_path / "chain.jsonl"
    words = ("chain", "depth=2,6", "--seeds", "3", "--workers", "1", "--out", str(out))
    said = typed(*words)
    assert said.exit_code == 0
    assert "first/last" in said.output
    records = [json.loads(line) for line in out.read_text().splitlines()]
    assert {(r["settings"]["depth"], r["seed"]) for r in records} == {(d, s) for d in (2, 6) for s in range(3)}
    before = out.read_text()
    assert typed(*words).output == said.output
    assert out.read_text() == before


def test_a_function_of_ones_own(tmp_path, monkeypatch):
    (tmp_path / "study.py").write_text(
        "def f(n, seed, flag=True, word='a'):\n    return n + seed if flag else len(word)\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    said = typed("study:f", "n=1.5,2", "flag=true,false", "word=abc", "--workers", "1")
    assert said.exit_code == 0
    assert [line.split()[-1] for line in said.output.splitlines()[-4:]] == ["1.5", "3", "2", "3"]


def test_a_failure_gives_status_1_and_its_reason():
    said = typed("chain", "depth=1,2", "--workers", "1")
    assert said.exit_code == 1
    assert "two at least" in said.output


def test_without_a_name_it_lists_what_there_is():
    said = typed()
    assert said.exit_code == 0
    assert {"chain:", "initial:", "trained:"} <= set(said.output.split())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("chian",), "Did you mean chain"),
        (("chain", "deep=3"), "it has depth=4, scale=1.0"),
        (("chain", "depth"), "NAME=V1,V2"),
        (("chain", "depth="), "NAME=V1,V2"),
        (("nowhere:f",), "no module"),
    ],
)
def test_what_is_wrong_is_said(words, message):
    said = typed(*words)
    assert said.exit_code != 0
    assert message in str(said.exception)
