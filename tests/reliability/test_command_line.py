"""Every command, however it is called: wrongly, without a terminal, into a pipe that closes, or interrupted."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
import typing

import pytest
import typer
from amounts import CALLS
from hypothesis import given, settings
from hypothesis import strategies as st
from names import hostile

from tinygrad_vg import cli

COMMANDS = typer.main.get_command(cli.app).commands
CODE = "from tinygrad_vg.cli import main; main()"


def called(capsys, monkeypatch, *args):
    """What `main` does with these words: its exit status, and what it writes."""
    monkeypatch.setattr(sys, "argv", ["tinygrad-vg", *args])
    with pytest.raises(SystemExit) as ending:
        cli.main()
    return ending.value.code or 0, *capsys.readouterr()


def assert_refused(status, out, error):
    assert (status, out) == (2, ""), error
    assert error.startswith("tinygrad-vg: ")
    assert error.count("\n") == 1
    assert "Traceback" not in error
    assert error[:-1].isprintable()
    assert error.isascii() or "\x1b" not in error


# ------------------------------------------------------------------------------------------------------ wrong arguments

# A right call of each command, to which one wrong word is added.
RIGHT = {
    "tour": ("--epochs", "1", "--hidden", "3"),
    "data": (),
    "check": ("numpy:tanh",),
    "draw": ("x*y",),
    "explain": ("x*y", "--wrt", "x"),
    "reproduce": ("--quick", "--only", "circuits"),
    "sweep": ("chain",),
    "tutorial": ("1",),
}
NOWHERE = "/dev/null/no/such/folder/file.svg"
WRONG = {  # a wrong value for each option that takes text; the others are tried by their types
    "wrt": ("nothing", "\x1b[31mred", "a\nb", ""),
    "set": ("x", "=1", "x=", "x=y.z", "x=[1,[2]]", "q=1", "x=1e999", "x=__import__('os')"),
    "sizes": ("3;4", "3", "0,1", "-1,2", "x"),
    "hidden": ("3;4", "0", "-1", "x", "", "1" * 30),
    "shape": ("3;4", "0", "-1", "x"),
    "domain": ("2,1", "1", "x,y", "0,inf", "nan,1"),
    "op": ("nonsense", "", "np.sin)"),
    "only": ("nonsense", ""),
    "dask": ("nonsense",),
    **dict.fromkeys(("out", "json", "check"), (NOWHERE,)),
    **dict.fromkeys(("level", "theme", "lang", "to"), ("nonsense", "", "AUTO ")),
}
NUMBERS = ("x", "-1", "1.5", "", "1e3", "9" * 5_000, "١x")


def wrong_calls():
    """Of every command: each option without its value, with wrong values, and one that does not exist."""
    for command, right in RIGHT.items():
        yield (command, "--no-such-option", *right)
        yield (command, *right, "too", "many=1", "words\x1b[2J")
        types = typing.get_type_hints(getattr(cli, command))
        for option in COMMANDS[command].params:
            flags = [flag for flag in option.opts if flag.startswith("--")]
            if not flags or flags[0] in ("--help", "--version"):
                continue
            if option.is_flag:
                yield (command, *right, f"{flags[0]}=3")
                continue
            yield (command, *right, flags[0])
            values = (
                NUMBERS
                if int in (types[option.name], *typing.get_args(types[option.name]))
                else WRONG[flags[0].removeprefix("--")]
            )
            for value in values:
                yield (command, *right, f"{flags[0]}={value}")


def test_every_command_is_tried():
    assert COMMANDS.keys() == RIGHT.keys()


@pytest.mark.parametrize("call", [*wrong_calls()], ids=lambda call: ascii(" ".join(call))[1:60])
def test_a_wrong_argument_gives_one_line_and_status_2(call, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert_refused(*called(capsys, monkeypatch, *call))
    assert os.listdir(tmp_path) == []


WORDS = st.sampled_from(
    ["x*y", "--wrt", "x", "--set", "--out", "-o", "--", "-", "", "--dot", "=", "[1", "x=1", "--seed", "chain"]
)


@settings(max_examples=CALLS)
@given(
    command=st.sampled_from(["draw", "explain", "check", "sweep", "data"]),
    words=st.lists(WORDS | hostile, min_size=1, max_size=4),
)
def test_random_words_give_a_result_or_one_line(command, words, tmp_path_factory):
    """Whatever is typed; NUL cannot be, and half characters stand for bytes that are no text."""
    words = [re.sub("[\0]", "", word) for word in words]
    if command in ("check", "sweep"):
        words[0] = "!" + words[0]  # no name of anything that would then be run
    if command == "data":
        words[0] = "/dev/null/" + words[0]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.getbasetemp())
        patch.setattr(sys, "argv", ["tinygrad-vg", command, *words])
        patch.setattr(sys, "stderr", error := Lines())
        patch.setattr(sys, "stdout", Lines())
        with pytest.raises(SystemExit) as ending:
            cli.main()
    if ending.value.code:
        assert_refused(ending.value.code, "", error.text)
    else:
        assert error.text == ""


class Lines:
    """A stream that keeps what is written to it, and is no terminal."""

    encoding = "utf-8"
    errors = "strict"

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text
        return len(text)

    def flush(self):
        pass

    def isatty(self):
        return False


def test_at_a_terminal_a_mark_stands_under_the_place(monkeypatch):
    class Terminal(Lines):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    monkeypatch.setattr(sys, "argv", ["tinygrad-vg", "draw", "x + y^2"])
    with pytest.raises(SystemExit) as ending:
        cli.main()
    assert ending.value.code == 2
    first, shown, mark, cure = terminal.text.rstrip("\n").split("\n")
    assert first == "tinygrad-vg: column 6: ^ is not allowed"
    assert shown[mark.index("^")] == "^"
    assert cure == "A power is written **."


# ----------------------------------------------------------------------------------------------- processes of their own

CALLED = {
    "help": ("--help",),
    "check": ("check", "--op", "tanh", "--op", "logsumexp"),
    "draw": ("draw", "mlp", "--wrt", "b1"),
    "dot": ("draw", "chain", "--dot"),
    "explain": ("explain", "chain", "--wrt", "b1"),
    "sweep": ("sweep", "chain", "depth=2,3", "--workers", "1"),
    "list": ("sweep",),
    "tutorials": ("tutorial",),
}
SLOW_CALLS = {
    "tour": ("tour", "--epochs", "1", "--hidden", "3", "--out", "tour"),
    "reproduce": ("reproduce", "--quick", "--only", "circuits", "--seeds", "1", "--out", "report"),
    "table": ("check",),
}
EVERY = [*CALLED, *[pytest.param(name, marks=pytest.mark.slow) for name in SLOW_CALLS]]
PLAIN = {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "NO_COLOR": "1", "COLUMNS": "80"}


def start(name, folder, **streams):
    environment = {key: value for key, value in os.environ.items() if key not in ("FORCE_COLOR", "TERM")} | PLAIN
    command = [sys.executable, "-W", "error", "-c", CODE, *(CALLED | SLOW_CALLS)[name]]
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams
    return subprocess.Popen(command, cwd=folder, env=environment, **streams)


@pytest.mark.parametrize("name", EVERY)
def test_without_terminal_colours_and_unicode_in_80_columns(name, tmp_path):
    out, error = start(name, tmp_path).communicate()
    assert error == b""
    assert out.isascii()
    assert b"\x1b" not in out
    long = [line for line in out.decode().splitlines() if len(line) > 80]
    if name != "dot":  # which is for Graphviz to read
        assert long == []


@pytest.mark.parametrize("name", EVERY)
def test_a_pipe_that_closes_ends_it_quietly(name, tmp_path):
    with start(name, tmp_path) as process:
        process.stdout.close()
        error = process.stderr.read()
    assert error == b""
    assert process.returncode in (0, 1)


def test_there_may_be_no_streams_at_all(tmp_path):
    for stream in (">&-", "2>&-", ">&- 2>&- <&-"):
        for args, status in (("draw x*y", 0), ("draw x^2", 2)):
            shell = ["/bin/sh", "-c", f'exec "$0" -c "{CODE}" {args} {stream}', sys.executable]
            done = subprocess.run(shell, cwd=tmp_path, capture_output=True, text=True, check=False)
            assert done.returncode == status
            assert "Traceback" not in done.stderr


def test_full_is_no_pipe(tmp_path):
    """Output that cannot be written is not the same as a reader who has gone."""
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    with open("/dev/full", "wb") as full, start("explain", tmp_path, stdout=full) as process:
        error = process.stderr.read()
    assert process.returncode == 2
    assert error.startswith(b"tinygrad-vg: ")
    assert b"No space left" in error
    assert error.count(b"\n") == 1


# Each of these works for a while and says so by what it has written.
LONG = {
    "sweep": (("sweep", "study:slow", "n=1,2,3,4,5,6,7,8", "--workers", "2", "--out", "kept.jsonl"), "kept.jsonl"),
    "sweep alone": (
        ("sweep", "study:slow", "n=1,2,3,4,5,6,7,8", "--workers", "1", "--out", "kept.jsonl"),
        "kept.jsonl",
    ),
    "check": (("check", "study:endless", "--shape", "3"), "began"),
}
STUDY = """
import time, pathlib
def slow(n, seed):
    time.sleep(0.02 if n < 3 else 60)
    return n
def endless(x):
    pathlib.Path("began").write_text("now")
    time.sleep(60)
"""


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT to a group of processes")
@pytest.mark.parametrize("name", LONG)
def test_ctrl_c_gives_130_and_keeps_results(name, tmp_path):
    """As from a keyboard: the signal goes to all processes of the call."""
    args, kept = LONG[name]
    (tmp_path / "study.py").write_text(STUDY)
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, *args],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    watchdog = threading.Timer(60, lambda: os.killpg(process.pid, signal.SIGKILL))
    watchdog.start()
    enough = 2 if kept.endswith("jsonl") else 1
    while process.poll() is None and not ((tmp_path / kept).exists() and len(lines(tmp_path / kept)) >= enough):
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    out, error = process.communicate()
    watchdog.cancel()
    assert (process.returncode, out) == (130, b""), error.decode()
    assert error == b"tinygrad-vg: interrupted\n"
    assert len(lines(tmp_path / kept)) >= enough


def lines(file):
    return file.read_text().splitlines()
