"""Reproductions: what is finished is kept, what fails ends nothing else, and the report says it all."""

import io
import json
import queue
import xml.etree.ElementTree as ET

import pytest
from typer.testing import CliRunner

from tinygrad_vg.cli import app
from tinygrad_vg.datasets import DatasetError
from tinygrad_vg.lab import EXPERIMENTS, reproduce, reproduction
from tinygrad_vg.lab.report import command, lead, overview, unsettled, write_report
from tinygrad_vg.lab.reproduction import Outcome, perform

runner = CliRunner()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("report")


@pytest.fixture(scope="module")
def circuits(folder):
    seen = []
    outcomes = reproduce(folder, quick=True, only=["circuits"], progress=lambda *now: seen.append(now))
    return outcomes, seen


def test_an_experiment_leaves_its_files_and_its_progress(circuits, folder):
    (outcome,), seen = circuits
    assert not outcome.error
    assert not outcome.kept
    assert {"circuits.npz", "circuits.svg", "circuits.md", "circuits.json", "circuits.run.json"} <= {
        path.name for path in folder.iterdir()
    }
    assert seen[0] == ("circuits", 0, 1)
    assert seen[-1][1] == seen[-1][2] > 0
    ET.fromstring((folder / "circuits.svg").read_text(encoding="utf-8"))
    assert json.loads((folder / "circuits.json").read_text())["claims"] == outcome.result["claims"]


def test_it_is_not_run_again_unless_the_settings_changed_or_a_file_is_missing(circuits, folder, monkeypatch):
    def no(*_):
        raise AssertionError("run again")

    monkeypatch.setattr(reproduction, "_run", no)
    (again,) = reproduce(folder, quick=True, only=["circuits"])
    assert again.kept
    assert again.result == circuits[0][0].result
    for change in ({"quick": False}, {"quick": True, "seeds": 3}):
        with pytest.raises(AssertionError, match="run again"):
            reproduce(folder, only=["circuits"], **change)
    picture = folder / "circuits.svg"
    text = picture.read_text(encoding="utf-8")
    picture.unlink()
    with pytest.raises(AssertionError, match="run again"):
        reproduce(folder, quick=True, only=["circuits"])
    picture.write_text(text, encoding="utf-8")


def test_a_failure_is_recorded_with_its_reason(tmp_path):
    outcome = perform(str(tmp_path), "nothing_of_the_kind", True, None, queue.Queue())
    assert "ModuleNotFoundError" in outcome.error
    assert not list(tmp_path.iterdir())


def test_the_report_names_every_claim_every_number_and_how_to_make_it(circuits, tmp_path, folder):
    (done,), _ = circuits
    failed = Outcome("chain", {"quick": True, "seeds": 2, "version": "0"}, 1.0, "ValueError: <no> luck", {})
    index = write_report(folder, [done, failed])
    html, text = index.read_text(encoding="utf-8"), (folder / "report.md").read_text(encoding="utf-8")
    for claim in done.result["claims"]:
        assert claim["says"] in text
        assert claim["verdict"] in text
    for picture in folder.glob("circuits*.svg"):
        assert f"]({picture.name})" in text
    assert "<no>" not in html
    assert "&lt;no&gt; luck" in html
    assert html.count("<svg") >= 2
    assert "This was a quick run" in html
    assert "http:" not in html.replace("http://www.w3.org", "")
    for outcome in (done, failed):
        assert command(outcome) in html
    assert command(failed) == "tinygrad-vg reproduce --quick --seeds 2 --only chain"


def outcome_of(name, *verdicts, error=""):
    claims = [
        {"says": f"claim {i}", "book": "", "measured": f"{i}.5", "runs": "", "verdict": v}
        for i, v in enumerate(verdicts)
    ]
    return Outcome(name, {}, 2.0, error, {} if error else {"claims": claims})


def test_the_overview_counts():
    outcomes = [outcome_of("chain", "holds", "undecided", "holds"), outcome_of("cures", error="ValueError: no")]
    assert list(overview(outcomes).rows) == [
        ("chain", "3", "2", "0", "1", "2"),
        ("cures", "failed", "", "", "", "2"),
        ("all", "3", "2", "0", "1", "4"),
    ]
    assert len(overview(outcomes[:1]).rows) == 1


def test_what_is_not_settled_is_told_with_its_value():
    outcomes = [outcome_of("chain", "holds", "undecided"), outcome_of("cures", "undecided", "does not hold")]
    assert unsettled(outcomes, "undecided") == ["chain: claim 1: 1.5", "cures: claim 0: 0.5"]
    assert unsettled(outcomes, "does not hold") == ["cures: claim 1: 1.5"]


@pytest.mark.parametrize(
    ("verdicts", "words"),
    [
        (("holds",), "Of 1 claim about chapter 5 of Nielsen's book, 1 holds."),
        (("holds", "holds", "does not hold"), "Of 3 claims about"),
        (("holds", "holds", "does not hold"), "2 hold, 1 does not hold as stated."),
        (("does not hold", "does not hold", "undecided"), "2 do not hold as stated, 1 could not be decided."),
    ],
)
def test_the_sentence_about_them(verdicts, words):
    assert words in lead([outcome_of("chain", *verdicts)])


def test_a_bar_for_the_whole_counts_experiments(monkeypatch):
    from rich.console import Console

    from tinygrad_vg.commands import reproduce as command

    shown = io.StringIO()
    monkeypatch.setattr(command, "Console", lambda **_: Console(file=shown, force_terminal=True, width=100))
    with command._bars(["chain", "cures"], quiet=False) as tell:
        tell("chain", 0, 4)
        tell("chain", 4, 4)
        tell("cures", 0, 0)
    whole, chain, cures = [line for line in shown.getvalue().splitlines() if "/" in line or "failed" in line][-3:]
    assert "2/2 experiments" in whole
    assert "4/4" in chain
    assert "failed" in cures


def test_from_the_command_line(circuits, folder):
    said = runner.invoke(app, ["reproduce", "--quick", "--only", "circuits", "--out", str(folder)])
    assert said.exit_code == 0
    assert "5 hold" in said.output
    assert "Undecided" not in said.output
    assert len(said.output.splitlines()) < 8
    assert str(folder / "index.html") in said.output.replace("\n", "")
    wrong = runner.invoke(app, ["reproduce", "--only", "circuit"])
    assert wrong.exit_code != 0
    assert "no such experiment" in str(wrong.exception)


def test_without_mnist_it_does_not_begin(tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("TINYGRAD_VG_DATA", str(tmp_path / "empty"))
    monkeypatch.setattr(reproduction, "_run", lambda folder, names, *_: {name: name for name in names})
    with pytest.raises(DatasetError, match="no MNIST in"):
        reproduce(tmp_path / "report", only=["circuits", "sigmoid"])
    assert reproduce(tmp_path / "report", only=["circuits", "chain"]) == ["circuits", "chain"]
    assert reproduce(tmp_path / "report", quick=True, only=["sigmoid"]) == ["sigmoid"]


def test_unknown_names_are_refused(tmp_path):
    with pytest.raises(ValueError, match="no experiment 'circuit'"):
        reproduce(tmp_path, only=["circuit"])


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_can_be_run(name):
    from tinygrad_vg import lab

    assert callable(getattr(lab, name).run)


@pytest.mark.slow
def test_the_quick_reproduction(tmp_path):
    outcomes = reproduce(tmp_path, quick=True)
    assert [outcome.name for outcome in outcomes] == list(EXPERIMENTS)
    assert not [outcome.error for outcome in outcomes if outcome.error]
