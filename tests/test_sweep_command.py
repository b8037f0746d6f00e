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
    assert "failed: depth=1, seed 0: ValueError: depth=1" in said.output


@pytest.mark.filterwarnings("default")
def test_a_dask_cluster_by_its_address(tmp_path):
    """Two worker processes; one line a run, failures among them, and the same numbers as on this machine."""
    distributed = pytest.importorskip("distributed", reason="needs the extra dask")
    out = [tmp_path / "far.jsonl", tmp_path / "near.jsonl"]
    words = ("chain", "depth=1,2,6", "--seeds", "4")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    ) as cluster:
        address = cluster.scheduler_address
        far = typed(*words, "--dask", address, "--out", str(out[0]))
        again = typed(*words, "--dask", address, "--out", str(out[0]))
    near = typed(*words, "--workers", "1", "--out", str(out[1]))
    assert far.exit_code == again.exit_code == near.exit_code == 1
    assert far.output == again.output == near.output
    far_records, near_records = [[json.loads(line) for line in path.read_text().splitlines()] for path in out]
    numbers = lambda records: {(r["settings"]["depth"], r["seed"]): (r["values"], r["error"]) for r in records}
    assert numbers(far_records) == numbers(near_records)
    assert len(far_records) == 12


def test_an_address_where_no_scheduler_answers(monkeypatch):
    distributed = pytest.importorskip("distributed", reason="needs the extra dask")

    def none(*_, **__):
        raise OSError("Timed out trying to connect")

    monkeypatch.setattr(distributed, "Client", none)
    said = typed("chain", "--dask", "tcp://127.0.0.1:9")
    assert said.exit_code != 0
    assert "no scheduler answers there" in str(said.exception)


def test_without_a_name_it_lists_what_there_is():
    said = typed()
    assert said.exit_code == 0
    assert {"chain:", "initial:", "trained:"} <= set(said.output.split())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("chian",), "Did you mean chain"),
        (("chain", "deep=3"), "it has depth=4, scale=1.0"),
        (("chain", "seed=3"), "the seed is no setting"),
        (("chain", "depth=3", "depth=4"), "depth is given twice"),
        (("math:sqrt", "x=3"), "keyword argument called seed"),
        (("chain", "depth"), "NAME=V1,V2"),
        (("chain", "depth="), "NAME=V1,V2"),
        (("nowhere:f",), "no module"),
    ],
)
def test_what_is_wrong_is_said(words, message):
    said = typed(*words)
    assert said.exit_code != 0
    assert message in str(said.exception)
