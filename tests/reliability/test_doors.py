"""Ways in that do not exist: no pickle, no shell, no eval of anybody's text; files only where they were asked for."""

import ast
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import tinygrad_vg as vg
from tinygrad_vg.datasets import mnist_sample
from tinygrad_vg.drawing import explore
from tinygrad_vg.lab.chain import neuron_chain

PACKAGE = Path(vg.__file__).parent
TREES = {
    path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in PACKAGE.rglob("*.py")
}


def found(kind):
    """All nodes of a kind, with the file they are in."""
    return [(file, node) for file, tree in TREES.items() for node in ast.walk(tree) if isinstance(node, kind)]


@cache
def called():
    """What is called, as it is written: (file, name, call)."""
    return [(file, ast.unparse(node.func), node) for file, node in found(ast.Call)]


def keywords(call):
    return {word.arg: ast.unparse(word.value) for word in call.keywords}


def test_nothing_is_pickled_and_nothing_is_unpickled():
    modules = {alias.name for _, node in found(ast.Import) for alias in node.names}
    modules |= {node.module for _, node in found(ast.ImportFrom)}
    roots = {(module or "").split(".")[0] for module in modules}
    assert not roots & {"pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "dbm"}
    files = [call for call in called() if re.search(r"\bnp\.(load|save\w*)$|(read|write)_array$|NpzFile$", call[1])]
    assert "np.load" in {name for _, name, _ in files}
    for file, name, call in files:
        if name != "np.savez":  # which has no such word in every version; checkpoints give it numbers and texts alone
            assert keywords(call).get("allow_pickle") == "False", (file, name)


def test_no_shell_is_ever_used():
    for file, name, call in called():
        assert name not in ("os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"), file
        assert "shell" not in keywords(call), file
        if name in ("subprocess.run", "subprocess.Popen", "subprocess.check_output"):
            assert isinstance(call.args[0], ast.List | ast.Name), ast.unparse(call)  # words, no line to be taken apart
    commands = {node.value for _, node in found(ast.Constant) if isinstance(node.value, str)}
    assert not [text for text in commands if re.match(r"(ba)?sh -c|cmd /c", text)]


def test_no_text_of_a_user_is_run_as_code():
    """One eval there is, of the library's own templates of ops, whose operands are called a0, a1 …"""
    runs = [
        (file, name) for file, name, _ in called() if name in ("eval", "exec", "compile", "__import__", "builtins.eval")
    ]
    assert runs == [("strategies/vocabulary.py", "eval")]
    loads = [(file, call.args[0]) for file, name, call in called() if name.endswith("import_module")]
    imports = {file for file, module in loads if not isinstance(module, ast.Constant)}
    # The package's own modules, by their own names; a function that is named to be swept; and module:function.
    assert imports == {"__init__.py", "lab/__init__.py", "lab/reproduction.py", "lab/sweeps.py", "commands/target.py"}


def test_whoever_names_a_function_is_told_that_its_module_is_run():
    from tinygrad_vg import cli
    from tinygrad_vg.commands import target

    said = " ".join(f"{ast.unparse(TREES['cli.py'])} {target.__doc__}".split())
    assert "The module is imported, so its code runs" in said
    assert "The module's code is run" in " ".join((cli.sweep.__doc__ or "").split())
    assert "imports the module, and so runs it" in said


# ------------------------------------------------------------------------------------------------------ where files go

RUNS = {
    "draw svg": (["draw", "chain", "-o", "here.svg"], "here.svg"),
    "draw html": (["draw", "chain", "-o", "here.html"], "here.html"),
    "draw nothing": (["draw", "x*y"], None),
    "explain": (["explain", "chain", "--wrt", "b1"], None),
    "check": (["check", "--op", "tanh", "--json", "here.json"], "here.json"),
    "sweep": (["sweep", "chain", "depth=2", "--workers", "1", "--out", "here.jsonl"], "here.jsonl"),
}
LONG_RUNS = {
    "tour": (["tour", "--epochs", "1", "--hidden", "3", "--out", "here"], "here"),
    "reproduce": (
        ["reproduce", "--quick", "--only", "circuits", "--seeds", "1", "--workers", "1", "--out", "here"],
        "here",
    ),
}


@pytest.mark.parametrize("name", [*RUNS, *[pytest.param(name, marks=pytest.mark.slow) for name in LONG_RUNS]])
def test_files_are_written_where_it_was_said_and_nowhere_else(name, tmp_path):
    """Not in the folder one is in, nor at home, nor are any left among the temporary ones."""
    args, place = (RUNS | LONG_RUNS)[name]
    folders = {word: tmp_path / word for word in ("cwd", "home", "tmp", "fonts")}
    for folder in folders.values():
        folder.mkdir()
    given = {
        "HOME": str(folders["home"]),
        "TMPDIR": str(folders["tmp"]),
        "MPLCONFIGDIR": str(folders["fonts"]),  # matplotlib's own list of fonts
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    hidden = ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME")
    environment = {key: value for key, value in os.environ.items() if key not in hidden} | given
    code = "from tinygrad_vg.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *args], cwd=folders["cwd"], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert os.listdir(folders["cwd"]) == ([place] if place else [])
    assert os.listdir(folders["home"]) == []
    assert os.listdir(folders["tmp"]) == []
    for page in folders["cwd"].rglob("*.html"):
        loads_nothing(page.read_text(encoding="utf-8"))


def loads_nothing(html):
    """No address but those that are mere names (of XML's vocabularies) and links that somebody would have to follow."""
    assert not re.search(
        r"<(script|img|iframe|link|object|embed|audio|video|source|base)\b[^>]*\b(src|href|data)=(?!\"data:)", html
    )
    assert not re.search(
        r"@import|url\((?!['\"]?(#|data:))|\bfetch\(|XMLHttpRequest|WebSocket|importScripts|sendBeacon", html
    )
    assert not re.search(r"(src|srcset|poster|action|background)=[\"']?(?!data:|#)\w+:", html)


def test_what_would_be_loaded_is_found():
    for bad in (
        '<script src="https://x/y.js">',
        "<img src='http://x'>",
        '<link rel="stylesheet" href="x.css">',
        "@import 'x'",
        "a{b:url(http://x)}",
        'fetch("x")',
    ):
        with pytest.raises(AssertionError):
            loads_nothing(f"<p>{bad}</p>")


def test_saving_writes_one_file_and_leaves_no_other(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    cost = neuron_chain().cost
    for name in ("a.svg", "a.png", "a.pdf", "a.dot", "a.html"):
        vg.draw(cost).save(tmp_path / "there" / name)
    explore(cost, tmp_path / "there" / "b.html")
    assert os.listdir(tmp_path) == ["there"]
    assert sorted(os.listdir(tmp_path / "there")) == ["a.dot", "a.html", "a.pdf", "a.png", "a.svg", "b.html"]
    mnist_sample()
    vg.check_op(np.tanh)
    assert os.listdir(tmp_path) == ["there"]
