"""``tinygrad-vg check``: what is wrong is found and named, what is right passes, and every misuse has its cure."""

import json
import os
import shlex
import subprocess
import sys

import numpy as np
import pytest
from rich.console import Console

import tinygrad_vg as vg
from tinygrad_vg.cli import main
from tinygrad_vg.commands import check as check_command
from tinygrad_vg.commands import check_function, check_table
from tinygrad_vg.gradcheck.properties import PROPERTIES, OpReport
from tinygrad_vg.opcases import table
from tinygrad_vg.tensor import RULES

HOMEWORK = """
import numpy as np
import tinygrad_vg as vg

pi = 3.14
shift = vg.primitive(lambda z: np.tanh(z), (lambda g, out, z: g * (1 - out**2),), name="shift")
half = vg.primitive(lambda z: np.tanh(z), (lambda g, out, z: g * (1 - out**2) / 2,), name="half")

def right(x, w, power=2):
    return np.sum(np.tanh(x @ w) ** power)

def wrong(x, w):
    return half(x @ w)

def all_of(*xs):
    return sum([np.sum(x * x) for x in xs])

def above(x):
    if np.min(x) < 9:
        raise RuntimeError("too small")
    return np.log(x)

def log(x):
    return np.log(x)

def constant(x):
    return 3

def leaves(x):
    raise SystemExit(0)

def named(x, *, scale):
    return scale * x

def nothing():
    return 1.0

class Net:
    def __call__(self, x):
        return x * x

net = Net()
"""


@pytest.fixture
def homework(tmp_path, monkeypatch):
    """A folder with ``homework.py``, from inside which the command is called."""
    (tmp_path / "homework.py").write_text(HOMEWORK)
    (tmp_path / "broken.py").write_text("import numpy\n\nx = numpy.nonsense\n")
    (tmp_path / "typo.py").write_text("def f(x:\n    return x\n")
    (tmp_path / "script.py").write_text("import sys\nsys.exit(0)\n")
    (tmp_path / "lacking.py").write_text("import no_such_library\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("homework", "broken", "typo", "script", "lacking"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield tmp_path
    sys.modules.pop("homework", None)


@pytest.fixture
def check(capsys, monkeypatch):
    """``tinygrad-vg check …`` in this process: the exit status and what was printed."""

    def called(*args, columns=80):
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setattr(sys, "argv", ["tinygrad-vg", "check", *args])
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        return left.value.code, said.out, said.err

    return called


def small_table(monkeypatch, *functions):
    for module in (check_command, check_table):
        monkeypatch.setattr(module, "table", lambda: list(functions))


def plant(monkeypatch, factor):
    """Make the derivative of exp wrong by a factor."""
    wrong = vg.primitive(np.exp, (lambda g, out, x: g * out * factor,), name="exp")
    monkeypatch.setitem(RULES, np.exp, wrong)


# -------------------------------------------------------------------------------------------------------- the table


def test_a_right_table_passes(check, monkeypatch):
    small_table(monkeypatch, np.copy, np.exp, np.sum)
    status, out, err = check()
    assert (status, err) == (0, "")
    assert "All 3 functions pass" in out
    assert {"arithmetic", "exp", "reductions"} <= set(out.split())
    assert "FAIL" not in out


@pytest.mark.parametrize("factor", [-1.0, 1 + 1e-6])
def test_a_planted_wrong_derivative_is_found_and_named(check, monkeypatch, factor):
    small_table(monkeypatch, np.add, np.exp, np.sum)
    plant(monkeypatch, factor)
    status, out, _ = check()
    assert status == 1
    assert "1 of 3 functions FAIL" in out
    assert "FAIL exp: 2 of 15 properties" in out
    assert "finite difference" in out
    assert "FAIL add" not in out
    assert "--op exp" in out


def test_quiet_prints_what_fails_and_nothing_else(check, monkeypatch):
    small_table(monkeypatch, np.add, np.exp)
    assert check("--quiet") == (0, "", "")
    plant(monkeypatch, 1.01)
    status, out, err = check("-q")
    assert (status, err) == (1, "")
    assert out.startswith("FAIL exp")
    assert "add" not in out


@pytest.mark.slow
def test_the_whole_table_passes(check):
    status, out, _ = check()
    assert status == 0
    assert f"All {len(table())} functions pass" in out


def test_sections_begin_with_functions_of_the_table():
    names = [f.__name__ for f in table()]
    begins = [names.index(name) for name in check_table.SECTIONS]
    assert begins == sorted(begins)
    assert begins[0] == 0


def test_one_op_in_detail(check):
    status, out, _ = check("--op", "sigmoid", "--op", "vg.relu")
    assert status == 0
    assert out.count("second order") == 2
    assert all([p.name in out for p in PROPERTIES])
    assert "relu passes" in out
    assert "agreed on" in out  # the kink of relu


def test_order_1_leaves_second_derivatives_out(check):
    status, out, _ = check("--op", "exp", "--order", "1")
    assert status == 0
    assert "first order" in out
    assert "second order" not in out
    assert "Not checked: second derivatives" in out


def test_mutants_are_counted(check, tmp_path):
    status, out, _ = check("--op", "tanh", "--mutants", "--json", str(tmp_path / "found.json"))
    assert status == 0
    (found,) = json.loads((tmp_path / "found.json").read_text())["ops"]
    assert found["killed"] > 20
    assert found["missed"] == []
    assert f"{found['killed']} of {found['killed']} noticed" in out
    assert all([name in " ".join(out.split()) for name in found["idle"]])


def test_a_fault_that_nothing_notices_fails(capsys):
    report = OpReport("cube", {"forward": 1}, (), 0, killed=3, missed=("cube: ×1.01",))
    check_table.show_op(Console(), report)
    out = capsys.readouterr().out
    assert "3 of 4 noticed" in out
    assert "cube: ×1.01" in out
    assert "passes" not in out


@pytest.mark.parametrize("word", ["absolute", "abs", "np.abs", "numpy.absolute"])
def test_an_op_by_any_of_its_names(word):
    assert check_table.find(word) is np.absolute


def test_an_op_of_a_namespace_and_a_method():
    assert check_table.find("linalg.norm") is np.linalg.norm
    assert check_table.name_of(check_table.find("getitem")) == "getitem"


# ------------------------------------------------------------------------------------------------- somebody's function


def test_a_right_function_passes(check, homework):
    status, out, err = check("homework:right", "--shape", "3,4", "--shape", "4")
    assert (status, err) == (0, "")
    assert "x: 3×4, w: 4" in out
    assert "12/12" in out
    assert "agree with finite differences" in " ".join(out.split())


def test_a_wrong_function_is_found_with_its_culprit(check, homework):
    status, out, err = check("homework:wrong", "--shape", "2,3", "--shape", "3", "--seed", "4")
    assert (status, err) == (1, "")
    assert "DISAGREE" in out
    assert "FAIL x[" in out
    assert "FAIL w[" in out
    assert "half" in out
    assert "one half" in out or "½" in out or "half of" in out
    (again,) = [line.removeprefix("Repeat: tinygrad-vg check ") for line in out.splitlines() if "Repeat" in line]
    assert check(*shlex.split(again)) == (status, out, err)


def test_without_shapes_the_arguments_are_numbers_and_it_says_so(check, homework):
    status, out, _ = check("homework:log", "--domain", "1,2")
    assert status == 0
    assert "x: a number" in out
    assert "No --shape" in out
    for shape in ("", "()"):
        assert "x: a number; random between 1 and 2" in check("homework:log", "--domain", "1,2", "--shape", shape)[1]


def test_arguments_with_defaults_keep_them_unless_a_shape_is_given(check, homework):
    assert "power" not in check("homework:right", "--shape", "2", "--shape", "2")[1]
    assert "power: a number" in check("homework:right", "--domain", "1,2", *["--shape=2"] * 2, "--shape=()")[1]


def test_any_number_of_arguments(check, homework):
    assert "xs[0]: a number;" in check("homework:all_of")[1]
    assert "xs[0]: 2, xs[1]: 3×1;" in check("homework:all_of", "--shape", "2", "--shape", "3,1")[1]


def test_methods_and_callable_objects(check, homework):
    assert check("homework:net")[0] == 0
    assert check("homework:Net.__call__", "--shape", "()")[0] == 2


def test_the_domain_holds(check, homework):
    assert check("homework:above", "--domain", "90,91", "--shape", "5")[0] == 0
    assert "too small" in check("homework:above", "--domain", "8,9", "--shape", "5")[2]


def test_a_function_that_raises_nearby_is_told_to_give_nan(check, homework):
    status, _, err = check("homework:above", "--domain", "9.1,9.2", "--shape", "5")
    assert status == 2
    assert "too small" in err
    assert "nan" in err


def test_second_order_and_a_sample(check, homework):
    status, out, _ = check("homework:right", "--shape=3,4", "--shape=4", "--order=2", "--sample=5")
    assert status == 0
    assert "5/12" in out
    assert "order 2" in out


def test_properties_see_more_than_the_gradient(check, homework):
    status, out, _ = check("homework:shift", "--shape", "2,3")
    assert status == 0
    assert "--properties" in out
    status, out, _ = check("homework:shift", "--shape", "2,3", "--properties")
    assert status == 0
    assert "memory layout" in out
    assert "Not checked: the value itself" in out
    assert check("homework:half", "--shape", "2,3", "--properties", "-q")[0] == 1
    assert "noticed" in check("homework:shift", "--shape", "2,3", "--mutants")[1]


def test_a_function_of_the_table_has_samples_of_its_own(check, homework):
    assert "tanh passes" in check("numpy:tanh")[1]
    assert "x0: 3; random" in check("numpy:tanh", "--shape", "3")[1]


def test_the_findings_as_json(check, homework):
    def no_constant(name):
        raise AssertionError(f"{name} is no JSON")

    for name, passed in (("right", True), ("wrong", False)):
        status, out, _ = check(f"homework:{name}", "--shape=2,3", "--shape=3", "--json", "found.json", "--quiet")
        found = json.loads((homework / "found.json").read_text(encoding="utf-8"), parse_constant=no_constant)
        assert found["passed"] is passed
        assert status == (not passed)
        assert (out == "") is passed
        assert found["arguments"] == {"x": [2, 3], "w": [3]}
        assert found["gradients"]["inputs"][0]["counts"]["pass"] == 6 * passed


@pytest.mark.parametrize("columns", [80, 120])
def test_lines_fit_the_screen(check, homework, monkeypatch, columns):
    small_table(monkeypatch, np.copy, np.exp, *table()[58:64])
    plant(monkeypatch, 1.01)
    texts = [check("homework:wrong", "--shape=2,3", "--shape=3", columns=columns)[1]]
    texts += [check("--op=exp", columns=columns)[1], check(columns=columns)[1]]
    for line in "\n".join(texts).splitlines():
        assert len(line) <= columns or line.startswith("Repeat:")


# ----------------------------------------------------------------------------------------------------------- misuse


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("homwork:right",), "did you mean homework?"),
        (("homework.part:right",), "no module 'homework.part'"),
        (("homework:rihgt",), "did you mean right?"),
        (("homework:",), "names no function"),
        (("homework",), "homework:loss"),
        ((":right",), "homework:loss"),
        (("homework.py:right",), "homework:right"),
        (("./homework.py:right",), "not its file"),
        (("exp",), "--op exp"),
        (("homework:pi",), "of type float"),
        (("homework:nothing",), "takes no arguments"),
        (("homework:named",), "scale="),
        (("homework:constant",), "returned int"),
        (("homework:leaves",), "SystemExit"),
        (("homework:log", "--domain=-2,-1"), "--domain 0.1,2"),
        (("homework:right", "--shape", "3"), "there is a --shape for 1"),
        (("homework:log", "--shape", "3", "--shape", "3"), "takes 1 arguments"),
        (("homework:right",), "for arrays say --shape"),
        (("homework:right", "--shape", "2,3", "--shape", "2"), "return np.sum(np.tanh(x @ w) ** power)"),
        (("homework:log", "--shape", "3;4"), "--shape 3;4"),
        (("homework:log", "--shape", "3,0"), "--shape 3,0"),
        (("homework:log", "--domain", "2,1"), "the smaller one first"),
        (("homework:log", "--domain", "1"), "--domain 1"),
        (("homework:log", "--domain", "0,inf"), "--domain 0,inf"),
        (("homework:log", "--op", "exp"), "one of them"),
        (("--shape", "3"), "module:function"),
        (("--domain", "0,1"), "module:function"),
        (("--properties",), "module:function"),
        (("--op", "expp"), "did you mean exp"),
        (("--op", "zzzzz"), "no 'zzzzz'"),
        (("--json", "missing/found.json"), "a folder that exists"),
        (("broken:f",), "broken.py, line 3: x = numpy.nonsense"),
        (("typo:f",), "typo.py, line 1: def f(x:"),
        (("script:f",), "__main__"),
        (("lacking:f",), "No module named 'no_such_library'"),
        (("--order", "3"), "order"),
        (("--seed", "x"), "seed"),
    ],
)
def test_a_misuse_is_named_with_status_2(check, homework, args, says):
    status, out, err = check(*args)
    assert (status, out) == (2, "")
    assert says in err
    assert "Traceback" not in err


def test_what_the_users_code_raises_is_told_with_its_line(check, homework):
    _, _, err = check("homework:above", "--shape", "3")
    first, second = err.split(" | ")
    assert first.startswith(
        "tinygrad-vg: homework:above(x: 3; random between -2 and 2, seed 0) raised RuntimeError: too"
    )
    assert second.strip() == 'homework.py, line 20: raise RuntimeError("too small")'


def test_an_error_of_our_own_is_no_misuse(check, homework, monkeypatch):
    def fails(*args, **settings):
        raise ZeroDivisionError("a mistake in the check")

    monkeypatch.setattr(check_function, "check_gradients", fails)
    monkeypatch.setattr(sys, "argv", ["tinygrad-vg", "check", "homework:log"])
    with pytest.raises(ZeroDivisionError):
        main()


# --------------------------------------------------------------------------------------------- as a process of its own


def process(folder, *args, **environment):
    code = "from tinygrad_vg.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code, "check", *args],
        capture_output=True,
        encoding="utf-8",
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "COLUMNS": "100", **environment},
    )


def test_in_an_old_locale(homework):
    done = process(homework, "homework:wrong", *["--shape=2"] * 2, LANG="C", LC_ALL="C", PYTHONUTF8="0")
    assert done.returncode == 1
    assert done.stderr == ""
    assert "DISAGREE" in done.stdout


def test_help_says_that_code_is_run(homework):
    done = process(homework, "--help")
    assert done.returncode == 0
    assert "imported, so its code runs" in " ".join(done.stdout.replace("│", " ").split())


def test_the_command_line_loads_no_command_before_it_is_called():
    code = "import sys, tinygrad_vg.cli; print(*[m for m in sys.modules if m.startswith('tinygrad_vg.')])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not [name for name in loaded if "commands" in name or "gradcheck" in name]
