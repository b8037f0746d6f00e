"""The command line: help that teaches, one line for what goes wrong, and exit codes."""

import os
import subprocess
import sys

import pytest

import tinygrad_vg


def command(*args, **environment):
    """Run ``tinygrad-vg`` as a process of its own."""
    code = "from tinygrad_vg.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *args],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "COLUMNS": "100", **environment},
    )


def test_version():
    done = command("--version")
    assert (done.returncode, done.stdout) == (0, f"tinygrad_vg {tinygrad_vg.__version__}\n")


@pytest.mark.parametrize("args", [("--help",), ("tour", "--help"), ("data", "-h")])
def test_help(args):
    done = command(*args)
    assert done.returncode == 0
    assert "Usage" in done.stdout
    assert done.stderr == ""


def test_help_says_how_to_begin():
    assert "tinygrad-vg tour" in command("--help").stdout


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("tour", "--hidden", "30;30"), "30;30"),
        (("tour", "--hidden", "0"), "hidden layers"),
        (("tour", "--epochs", "0"), "epochs"),
        (("tour", "--lang", "fr"), "lang"),
        (("tour", "--seed", "x"), "seed"),
        (("nonsense",), "nonsense"),
    ],
)
def test_a_bad_argument_is_named_with_status_2(args, says):
    done = command(*args)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_folder_without_mnist_gives_one_line(tmp_path):
    done = command("data", str(tmp_path))
    assert done.returncode == 2
    assert done.stderr.startswith("tinygrad-vg: ")
    assert str(tmp_path) in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_in_the_way_gives_one_line(tmp_path):
    (tmp_path / "out").write_text("")
    done = command("tour", "--out", str(tmp_path / "out"))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


def test_the_tour_without_a_terminal_and_in_an_old_locale(tmp_path):
    done = command(
        "tour", "--epochs", "2", "--hidden", "4", "--out", str(tmp_path), LANG="C", LC_ALL="C", PYTHONUTF8="0"
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert str(tmp_path / "index.html") in done.stdout.replace("\n", "")


def test_a_reader_that_goes_away_does_not_end_the_tour(tmp_path):
    code = "from tinygrad_vg.cli import main; main()"
    tour = [sys.executable, "-c", code, "tour", "--epochs", "2", "--hidden", "3", "--out", str(tmp_path)]
    with subprocess.Popen(tour, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        error = process.stderr.read()
    assert (process.returncode, error) == (0, b"")
    assert (tmp_path / "index.html").exists()


def test_without_a_browser_the_page_is_named(tmp_path):
    args = ("tour", "--epochs", "1", "--hidden", "3", "--out", str(tmp_path), "--open", "-q")
    done = command(*args, BROWSER="false %s", DISPLAY="", PATH="/nonexistent")
    assert done.returncode == 0
    assert str(tmp_path / "index.html") in done.stderr or done.stderr == ""
    assert done.stdout == ""
