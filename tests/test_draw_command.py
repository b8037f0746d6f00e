"""``tinygrad-vg draw`` and ``tinygrad-vg explain``: pictures, formulas, and what is said when something is wrong."""

import math
import os
import re
import shlex
import subprocess
import sys
import unicodedata
from xml.etree import ElementTree

import pytest

import tinygrad_vg as vg
from tinygrad_vg import cli
from tinygrad_vg.commands.draw import draw_target
from tinygrad_vg.commands.subject import subject_of
from tinygrad_vg.commands.target import UsageError
from tinygrad_vg.drawing import layout
from tinygrad_vg.expressions import ExpressionError


def command(*args, **environment):
    """Run ``tinygrad-vg`` as a process of its own, in a window of 80 columns."""
    code = "from tinygrad_vg.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *args],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "COLUMNS": "80", **environment},
    )


def called(monkeypatch, capsys, *args):
    """The same in this process: exit status, what is on stdout, what is on stderr."""
    monkeypatch.setattr(sys, "argv", ["tinygrad-vg", *args])
    monkeypatch.setenv("COLUMNS", "100")
    try:
        cli.main()
    except SystemExit as end:
        status = end.code
    else:
        status = 0
    return (status, *capsys.readouterr())


def drawn(target, **changes):
    """The status of ``draw``, in this process."""
    options = {"out": None, "wrt": None, "settings": (), "level": "auto", "theme": "auto", "max_nodes": None}
    return draw_target(target, **{**options, "seed": None, "sizes": None, "dot": False, **changes})


# -------------------------------------------------------------------------------------------------------- explain


def test_explain_the_chain():
    done = command("explain", "chain", "--wrt", "b1")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("∂C/∂b₁ = σ′(z₁) · w₂σ′(z₂) · w₃σ′(z₃) · w₄σ′(z₄) · ∂C/∂a₄ = 2.798e−4\n")
    assert re.search(r"w₂σ′\(z₂\) +−0.1374 +0.001246\n", done.stdout)


def test_explain_an_expression_and_its_latex():
    args = ("explain", "C = (a - y)**2; a = sigmoid(z); z = w*x + b", "--wrt", "w", "--set", "w=0.5", "--set", "x = 2")
    done = command(*args, "--set", "b=-1", "--set", "y=1/2")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("∂C/∂w = xσ′(z) · 2(a − y) = 0\n")
    assert "Random" not in done.stdout
    done = command(*args, "--latex")
    assert done.stdout.startswith(r"\frac{\partial C}{\partial w} = x\,\sigma '(z) \cdot 2\,\left(a - y\right) = ")
    assert done.stdout.count("\n") == 1


def test_random_values_are_said_and_follow_the_seed():
    one, two = (command("explain", "x*sin(x)", "--wrt", "x", "--seed", seed).stdout for seed in ("1", "2"))
    value = float(re.search(r"Random values \(--seed 1\): x = (0\.\d+)\n", one)[1])
    assert one != two
    assert f"sin(x) = {math.sin(value):.4g}" in one


def test_explain_a_network_has_matrices():
    done = command("explain", "mlp", "--wrt", "b1", "--sizes", "6,5,4")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"w₂ᵀΣ′\(z₁\) +4×5 +0\.\d+ +0\.\d+ +0\.\d+\n", done.stdout)


@pytest.mark.parametrize(
    "args", [("explain", "mlp", "--wrt", "w1"), ("draw", "x*exp(x)"), ("explain", "x/y", "--wrt", "x")]
)
def test_80_columns_are_enough(args):
    for line in command(*args).stdout.split("\n"):
        assert len([c for c in line if not unicodedata.combining(c)]) <= 80


# ----------------------------------------------------------------------------------------------------------- draw


def test_draw_prints_an_outline():
    done = command("draw", "sigmoid(w*x + b)", "--wrt", "w", "--set", "w=2")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("w weight   value 2   grad ")
    assert "out = σ(w·x + b)" in done.stdout
    assert "∂out/∂w = xσ′(w·x + b) = " in done.stdout
    assert "Random values (--seed 0): x = " in done.stdout


def test_the_outline_of_the_chain_is_read_layer_by_layer():
    lines = command("draw", "chain").stdout.split("\n")
    heads = ("a₀", "[layer 1]", "  w₁", "  z₁", "  a₁", "[layer 2]", "  w₂", "  z₂", "[layer 3]", "[layer 4]", "C = ")
    places = [lines.index(next(line for line in lines if line.startswith(head))) for head in heads]
    assert places == sorted(places)
    assert [line for line in lines if line.startswith("[")] == [f"[layer {j}]" for j in (1, 2, 3, 4)]


def test_a_name_alone_is_taken_for_a_typo(monkeypatch, capsys):
    for name, cure in (("chian", "did you mean chain?"), ("MPL", "did you mean mlp?"), ("q", "give chain, mlp or")):
        for words in (("draw", name), ("explain", name, "--wrt", "b1")):
            status, out, err = called(monkeypatch, capsys, *words)
            assert (status, out) == (2, "")
            assert f"{name}: a name alone is nothing to compute; {cure}" in " ".join(err.split())
    assert called(monkeypatch, capsys, "draw", "chian", "--set", "chian=2")[0] == 0


def test_draw_prints_dot_alone():
    done = command("draw", "x*y", "--dot")
    assert done.stdout.startswith("digraph")
    assert done.stdout.endswith("}\n")


@pytest.mark.parametrize(
    ("target", "options", "texts"),
    [
        ("chain", {"wrt": "b₁"}, ["∂C/∂b₁", "w₂σ′(z₂)"]),
        ("mlp", {"level": "layer", "sizes": "5,4,3"}, ["layer 1", "layer 2"]),
        ("where(x > 0, x*exp(-x**2), sin(x))", {"theme": "dark"}, ["where(true, x·exp(−x²), sin(x))"]),
        ("loss = sum((W@x - y)**2)", {"settings": ["W=[[1,2],[3,4]]", "x=[1,1]", "y=[0,1]"]}, ["W", "2×2", "loss"]),
        ("权重*x", {}, ["权重"]),
    ],
)
def test_pictures(tmp_path, capsys, target, options, texts):
    assert drawn(target, out=tmp_path / "x.svg", **options) == 0
    svg = ElementTree.parse(tmp_path / "x.svg").getroot()
    found = "".join(svg.itertext()).replace("\xa0", " ")
    for text in texts:
        assert text in found
    assert str(tmp_path / "x.svg") in capsys.readouterr().out


@pytest.mark.parametrize(
    ("suffix", "start"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("dot", b"digraph"), ("html", b"<!")]
)
def test_the_suffix_says_what_is_saved(tmp_path, suffix, start):
    assert drawn("x*y", out=tmp_path / f"x.{suffix}") == 0
    assert (tmp_path / f"x.{suffix}").read_bytes().lower().startswith(start.lower())


def test_coarser_pictures_say_so(tmp_path, capsys):
    drawn("; ".join(f"a{i} = sin(a{i + 1})" for i in range(9)), out=tmp_path / "x.dot", max_nodes=5)
    assert "more than max_nodes=5" in capsys.readouterr().out


def test_without_an_engine_the_dot_text_is_saved_with_the_cure(tmp_path, capsys, monkeypatch):
    def none(*args, **settings):
        raise layout.NoLayoutEngineError("there is no Graphviz here", "", f"To cure it, {layout.INSTALL_DOT}")

    monkeypatch.setattr(layout, "render", none)
    (tmp_path / "x.dot").write_text("somebody's own", encoding="utf-8")
    assert drawn("x*y", out=tmp_path / "x.svg") == 1
    assert (tmp_path / "x.dot").read_text(encoding="utf-8") == "somebody's own"
    assert (tmp_path / "x.svg.dot").read_text(encoding="utf-8").startswith("digraph")
    assert not (tmp_path / "x.svg").exists()
    said = capsys.readouterr()
    assert said.out == ""
    assert "no Graphviz here" in said.err
    assert "apt install graphviz" in said.err
    assert str(tmp_path / "x.svg.dot") in said.err


# ------------------------------------------------------------------------------------------------ what they are about


def test_the_chain_takes_values_and_seeds():
    own = subject_of("chain", ["w2=8", "b₂=-5.3", "y=1", "a0=0.1"], None, None)
    assert own.tensor("w2").item() == 8.0
    assert own.tensor("b2").item() == -5.3
    assert own.tensor("a0").item() == 0.1
    assert own.told == ""
    one, two = (subject_of("chain", ["w3=3"], seed, None) for seed in (0, 1))
    assert one.tensor("w1").item() != two.tensor("w1").item()
    assert one.tensor("w3").item() == two.tensor("w3").item() == 3.0
    assert "--seed 0" in one.told


def test_the_network_takes_sizes_and_values():
    own = subject_of("mlp", ["b2=[1, 2]"], 3, "4,3,2")
    assert own.tensor("w1").shape == (4, 3)
    assert own.tensor("b2").data.tolist() == [1.0, 2.0]
    assert own.root.item() == subject_of("mlp", ["b2=[1, 2]"], 3, "4,3,2").root.item()
    assert own.root.item() != subject_of("mlp", ["b2=[1, 2]"], 4, "4,3,2").root.item()


@pytest.mark.parametrize(
    ("target", "settings", "sizes", "says"),
    [
        ("chain", ["w9=1"], None, "--set w9: the chain has the numbers w1, "),
        ("chain", ["w1=[1]"], None, "--set w1: the chain has the numbers"),
        ("chain", ["w1"], None, "--set w1: give a name and a value"),
        ("chain", ["=1"], None, "--set =1: give a name and a value"),
        ("chain", ["w1=x.y"], None, "an attribute (a.b) is not allowed"),
        ("chain", ["w1=1", "w1=2"], None, "w1 has been given a value already"),
        ("chain", [], "3,2", "only mlp has layers"),
        ("x*y", [], "3,2", "only mlp has layers"),
        ("mlp", [], "3", "2 to 12 layer sizes"),
        ("mlp", [], "3,x", "2 to 12 layer sizes"),
        ("mlp", [], "3,0", "2 to 12 layer sizes"),
        ("mlp", ["q=1"], None, "--set q: the network has the parameters w1, b1, w2, b2"),
        ("mlp", ["b1=[1]"], None, "--set b1: update: the new value has shape (1,)"),
        ("x*y", ["q=1"], None, "q is not in it"),
    ],
)
def test_wrong_settings(target, settings, sizes, says):
    with pytest.raises((UsageError, ExpressionError), match=re.escape(says)):
        subject_of(target, settings, None, sizes)


def test_names_for_wrt():
    subject = subject_of("C = (a - y)**2; a = sigmoid(z); z = w*x + b", [], None, None)
    assert subject.list_of_names() == "w, x, b, y, z, a, C"
    assert subject.tensor("z").name == "z"
    with pytest.raises(UsageError, match="--wrt q: there is no such name in it; it has w, x"):
        subject.tensor("q")
    many = subject_of("+".join(f"x{i}" for i in range(50)), [], None, None)
    assert many.list_of_names().endswith("x39 and 10 more")


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("explain", "chain"), "Give --wrt one of these names: w1, "),
        (("explain", "chain", "--wrt", "q"), "there is no such name in it"),
        (("explain", "tanh(x)", "--wrt", "x", "--set", "x=[1,2]"), "only a single number is explained"),
        (("explain", "x.__class__", "--wrt", "x"), "column 1: an attribute"),
        (("draw", "x*y", "-o", "x.gif"), "unknown suffix '.gif'"),
        (("draw", "x*y", "-o", "x.svg", "--dot"), "leave --dot away and write -o x.dot"),
        (("draw", "x*y", "-o", "no/such/folder/x.dot"), "folder"),
        (("draw", "x*y", "--level", "atom"), "atom"),
        (("draw", "x*y", "--max-nodes", "0"), "max-nodes"),
        (("draw", "x*y", "--seed", "-1"), "seed"),
        (("draw",), "chain|mlp|EXPR"),
    ],
)
def test_what_is_wrong_is_said_with_status_2(args, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    status, out, error = called(monkeypatch, capsys, *args)
    assert (status, out) == (2, "")
    assert says in error
    assert "Traceback" not in error
    assert not list(tmp_path.iterdir())


def test_help_teaches():
    text = command("draw", "--help").stdout
    for example in (
        "draw chain --wrt b1",
        'draw "sigmoid(w*x + b)" --set w=2',
        "read, never run as code",
        "exit status",
    ):
        assert example in " ".join(text.split())
    assert "explain chain --wrt b1" in command("explain", "--help").stdout


def test_the_examples_of_the_help_run(tmp_path, monkeypatch, capsys):
    """Every ``tinygrad-vg …`` in the two help texts."""
    monkeypatch.chdir(tmp_path)
    calls = re.findall(r"tinygrad-vg (.*)", f"{cli.draw.__doc__}{cli.explain.__doc__}")
    assert len(calls) == 8
    for call in calls:
        status, out, error = called(monkeypatch, capsys, *shlex.split(call))
        assert (status, error) == (0, ""), call
        assert out


def test_an_expression_with_a_minus_in_front():
    assert "out = " in command("draw", "--", "-x*y").stdout


def test_the_numbers_are_the_engines():
    subject = subject_of("tanh(w*x)", ["w=0.3", "x=2"], None, None)
    gradient = vg.backprop(subject.root)[subject.tensor("w")]
    assert f"{gradient:.4g}" in command("explain", "tanh(w*x)", "--wrt", "w", "--set", "w=0.3", "--set", "x=2").stdout
