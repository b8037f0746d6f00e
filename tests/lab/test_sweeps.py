"""Sweeps: the same numbers in any order and place, and nothing lost when something dies."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import measured
import numpy as np
import pytest

from tinygrad_vg.lab.sweeps import Record, SweepError, Task, sweep

GRID = {"n": (1, 2, 3), "scale": (1.0, 0.5)}


@pytest.fixture(scope="module")
def here():
    with ThreadPoolExecutor(2) as executor:
        yield executor


def test_every_point_for_every_seed_in_the_order_of_the_grid(here):
    found = sweep(measured.sum_of_squares, GRID, seeds=4, executor=here)
    sums = found.values("sum")
    assert sums.shape == (3, 2, 4)
    for i, n in enumerate(GRID["n"]):
        for j, scale in enumerate(GRID["scale"]):
            for k in range(4):
                assert sums[i, j, k] == measured.sum_of_squares(n, k, scale)["sum"]
    assert not found.failed
    assert found.names == ["sum", "n"]


def test_processes_threads_and_one_after_the_other_give_the_same_numbers(here):
    grid = {"depth": (2, 5, 9)}
    threads = sweep(measured.attenuation, grid, [3, 0], executor=here)
    two = sweep("measured:attenuation", grid, [3, 0], workers=2)
    one = sweep("measured:attenuation", grid, [3, 0], workers=1)
    np.testing.assert_array_equal(threads.values("value"), two.values("value"))
    np.testing.assert_array_equal(threads.values("value"), one.values("value"))
    assert np.all(np.diff(np.log(threads.values("value").mean(axis=1))) < 0)


def test_a_failed_task_is_recorded_and_does_not_end_the_sweep(here, tmp_path):
    out = tmp_path / "sweep.jsonl"
    found = sweep(measured.moody, {"n": (1, 2, 3)}, 2, executor=here, out=out)
    assert [record.error for record in found.failed] == [f"ValueError: no luck with seed {k}" for k in (0, 1)]
    np.testing.assert_array_equal(found.values("value"), [[1, 2], [np.nan, np.nan], [3, 4]])
    assert len(out.read_text().splitlines()) == 6
    assert "no luck" in out.read_text()
    assert str(found.table()).splitlines()[3].split() == ["2", "—", "2"]


def test_what_is_in_the_file_is_not_run_again_and_failures_only_when_asked(here, tmp_path):
    out, marks = tmp_path / "s.jsonl", tmp_path / "marks"
    marks.mkdir()
    grid = {"n": (1, 2), "folder": (str(marks),)}
    sweep(measured.counted, grid, 2, executor=here, out=out)
    again = sweep(measured.counted, {**grid, "n": (2, 1, 5)}, 2, executor=here, out=out)
    assert again.values("value")[:, 0, 0].tolist() == [2, 1, 5]
    assert {mark.name: mark.read_text() for mark in marks.iterdir()} == dict.fromkeys(
        ["1-0", "1-1", "2-0", "2-1", "5-0", "5-1"], "x"
    )
    task = Task("measured:counted", {"folder": str(marks), "n": 7}, 0)
    with out.open("a") as file:
        file.write(Record(task, {}, "MemoryError: too little", 0.0).line())
    seven = {"n": (7,), "folder": (str(marks),)}
    assert sweep(measured.counted, seven, executor=here, out=out).failed
    assert not sweep(measured.counted, seven, executor=here, out=out, retry=True).failed
    assert not sweep(measured.counted, seven, executor=here, out=out).failed


def test_a_line_cut_off_by_a_crash_is_done_again(here, tmp_path):
    out = tmp_path / "s.jsonl"
    whole = sweep(measured.sum_of_squares, GRID, 2, executor=here, out=out)
    text = out.read_text()
    for cut in (len(text) - 1, len(text) - 30, text.index("\n") + 5, 3):
        out.write_text(text[:cut])
        again = sweep(measured.sum_of_squares, GRID, 2, executor=here, out=out)
        np.testing.assert_array_equal(again.values("sum"), whole.values("sum"))
        assert len(out.read_text().splitlines()) == 12
        assert all(json.loads(line)["error"] == "" for line in out.read_text().splitlines())


def test_a_worker_that_dies_takes_only_its_own_task_along(tmp_path):
    out = tmp_path / "s.jsonl"
    found = sweep("measured:deadly", {"n": (1, 2, 3)}, 3, workers=2, out=out)
    assert [(record.task.settings["n"], record.task.seed) for record in found.failed] == [(2, 1)]
    assert "died" in found.failed[0].error
    assert len(out.read_text().splitlines()) == 9


def test_a_sweep_that_is_killed_goes_on_where_it_was(tmp_path):
    out, marks = tmp_path / "s.jsonl", tmp_path / "marks"
    marks.mkdir()
    script = tmp_path / "begin.py"
    script.write_text(
        textwrap.dedent(f"""
        from tinygrad_vg.lab.sweeps import sweep
        if __name__ == "__main__":
            sweep("measured:slow", {{"n": tuple(range(40)), "folder": ({str(marks)!r},)}}, workers=1, out={str(out)!r})
        """)
    )
    path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    child = subprocess.Popen([sys.executable, script], env={**os.environ, "PYTHONPATH": path}, start_new_session=True)
    while not out.exists() or len(out.read_text().splitlines()) < 3:
        assert child.poll() is None
        time.sleep(0.05)
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    before = {mark.name for mark in marks.iterdir()}
    kept = len(out.read_text().splitlines())
    assert 3 <= kept < 40
    for mark in marks.iterdir():
        mark.unlink()
    with ThreadPoolExecutor(20) as executor:
        grid = {"n": tuple(range(40)), "folder": (str(marks),)}
        assert not sweep("measured:slow", grid, executor=executor, out=out).failed
    assert len(before & {mark.name for mark in marks.iterdir()}) <= len(before) - kept


def test_progress_counts_all_tasks_also_those_of_before(here, tmp_path):
    seen = []
    out = tmp_path / "s.jsonl"
    sweep(measured.sum_of_squares, {"n": (1,)}, 2, executor=here, out=out)
    sweep(measured.sum_of_squares, {"n": (1, 2)}, 2, executor=here, out=out, progress=lambda *now: seen.append(now))
    assert seen == [(2, 4), (3, 4), (4, 4)]


def test_any_setting_may_be_given_to_a_function_that_takes_any(here):
    assert sweep(measured.open_to_all, {"n": (3,), "what": ("a",)}, executor=here).values("value").item() == 2


def test_ratios_over_decades_are_told_by_their_quantiles(here):
    table = sweep(measured.spreading, {"n": (1, 2)}, 21, executor=here).table()
    assert table.title == "over 21 seeds: median (5 % to 95 %), or mean ± sd"
    low, high = np.quantile(10.0 ** -np.arange(21), [0.05, 0.95])
    assert table.rows[0][1:] == (f"1e-10 ({low:.2g} to {high:.2g})", "30 ± 6.2")
    assert table.rows[1][1] == f"2e-10 ({2 * low:.2g} to {2 * high:.2g})"
    assert sweep(measured.sum_of_squares, {"n": (50,)}, 4, executor=here).table().title == "over 4 seeds: mean ± sd"
    assert sweep(measured.spreading, {"n": (1,)}, executor=here).table().rows == (("1", "1", "20"),)


def test_not_a_number_is_a_number_here(here, tmp_path):
    out = tmp_path / "s.jsonl"
    for _ in range(2):
        assert np.isnan(sweep(measured.not_a_number, {}, executor=here, out=out).values("value")).all()


@pytest.mark.parametrize(
    ("experiment", "grid", "seeds", "words"),
    [
        (lambda seed: 1, {}, 1, "cannot import"),
        ("nowhere:nothing", {}, 1, "no 'nowhere:nothing'"),
        ("measured:nothing", {}, 1, "no 'measured:nothing'"),
        ("measured", {}, 1, "module:function"),
        (measured.moody, {"n": ()}, 1, "values of n"),
        (measured.moody, {"n": "123"}, 1, "values of n"),
        (measured.moody, {"n": [{1, 2}]}, 1, "no plain value"),
        (measured.moody, {"n": [np.float64(1) * 1j]}, 1, "no plain value"),
        (measured.moody, {"m": [1]}, 1, "m: there is no such setting of measured:moody; it has n"),
        (measured.sum_of_squares, {"n": [1], "scales": [1]}, 1, "it has n, scale=1.0"),
        (measured.counted, {"n": [1]}, 1, "give the values of folder, which have no default; it has n, folder"),
        (measured.moody, {}, 1, "give the values of n"),
        (measured.moody, {"n": [1], "seed": [1]}, 1, "the seed is no setting"),
        (measured.seedless, {"n": [1]}, 1, "called seed; it has n"),
        (measured.moody, {"n": [1]}, 0, "seeds"),
        (measured.moody, {"n": [1]}, [-1], "seeds"),
    ],
)
def test_what_is_no_sweep_is_refused(experiment, grid, seeds, words):
    with pytest.raises(SweepError, match=words):
        sweep(experiment, grid, seeds)


def test_another_file_is_left_alone(here, tmp_path):
    out = tmp_path / "notes.txt"
    out.write_text("my notes\nmore of them\n")
    with pytest.raises(SweepError, match="line 1 of"):
        sweep(measured.moody, {"n": [1]}, executor=here, out=out)
    assert out.read_text() == "my notes\nmore of them\n"


@pytest.mark.filterwarnings("default")
def test_a_dask_cluster_gives_the_same_numbers(here):
    distributed = pytest.importorskip("distributed", reason="needs the extra dask")
    grid = {"depth": (2, 6)}
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
        ) as cluster,
        distributed.Client(cluster) as client,
        client.get_executor() as executor,
    ):
        far = sweep("measured:attenuation", grid, 5, executor=executor)
    near = sweep("measured:attenuation", grid, 5, executor=here)
    assert not far.failed
    np.testing.assert_array_equal(far.values("value"), near.values("value"))
