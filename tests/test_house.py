"""The house itself: which way imports run, what an import loads, what is public, and that its examples are true."""

import ast
import difflib
import doctest
import importlib
import inspect
import os
import pkgutil
import re
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

import tinygrad_vg as vg

PACKAGE = Path(vg.__file__).parent

FLOORS = [  # from the ground upwards; rooms of one floor do not know each other, but for the pairs below
    ["checks", "modes"],
    ["tensor"],
    ["ops", "autodiff"],
    ["nn", "optim", "gradcheck", "opcases", "datasets", "expressions"],
    ["training", "drawing", "strategies"],
    ["lab", "network2", "mnist_loader", "tutorials"],
    ["tour", "commands"],
    ["cli"],
    ["__main__"],
]
SAME_FLOOR = {("autodiff", "ops"), ("gradcheck", "opcases"), ("mnist_loader", "network2")}
UPWARDS = {("tensor", "autodiff")}  # Tensor.backward, where it is called
GROUND = ("checks", "modes", "tensor", "ops", "autodiff")
HEAVY = ("PIL", "graphviz", "pygraphviz", "matplotlib", "hypothesis", "rich", "typer", "pooch", "scipy", "jupytext")


def floor(room):
    (number,) = [i for i, rooms in enumerate(FLOORS) if room in rooms]
    return number


def files():
    return sorted(PACKAGE.rglob("*.py"))


def room_of(path):
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports(path):
    """Every module named in an import statement of the file, wherever it stands: (name, whether at the top)."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    top = set(map(id, tree.body))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, id(node) in top
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            if node.module == "tinygrad_vg":
                for alias in node.names:
                    inside = (PACKAGE / alias.name).exists() or (PACKAGE / f"{alias.name}.py").exists()
                    yield f"tinygrad_vg.{alias.name}" if inside else "tinygrad_vg", id(node) in top
            else:
                yield node.module, id(node) in top


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_downwards(path):
    room = room_of(path)
    if room == "__init__":
        return
    for name, at_top in imports(path):
        if name.split(".")[0] != "tinygrad_vg":
            continue
        if name == "tinygrad_vg":  # the public names: only from above all that they load
            assert floor(room) > floor("autodiff"), f"{path} imports the whole package"
            continue
        other = name.split(".")[1]
        if other == room or (room, other) in SAME_FLOOR:
            continue
        if (room, other) in UPWARDS:
            assert not at_top
            continue
        assert floor(other) < floor(room), f"{room} must not know {other}"


def test_every_room_has_its_floor():
    rooms = {room_of(path) for path in files()} - {"__init__"}
    assert rooms <= {room for rooms in FLOORS for room in rooms}


@pytest.mark.parametrize("room", GROUND)
def test_the_ground_floors_import_numpy_and_nothing_else(room):
    outside = {name.split(".")[0] for name, _ in imports(PACKAGE / f"{room}.py")}
    assert outside <= {"numpy", "tinygrad_vg", *sys.stdlib_module_names}


def loaded_by(statement):
    """The names of all top-level modules that a fresh Python has after a statement."""
    code = f"{statement}; import sys; print(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_importing_the_package_loads_numpy_and_nothing_else():
    loaded = loaded_by("import tinygrad_vg") - loaded_by("pass")
    assert not loaded & set(HEAVY)
    assert loaded - set(sys.stdlib_module_names) - loaded_by("import numpy") == {"tinygrad_vg"}


def test_the_op_cases_need_no_hypothesis():
    assert not loaded_by("import tinygrad_vg.opcases") & set(HEAVY)


def modules():
    """The names of all modules of the package."""
    found = pkgutil.walk_packages(vg.__path__, "tinygrad_vg.")
    return ["tinygrad_vg", *[module.name for module in found if not module.name.endswith("__main__")]]


# ------------------------------------------------------------------------------------------------- the public names


def public():
    return {name: getattr(vg, name) for name in vg.__all__}


def test_all_is_sorted_and_complete():
    assert vg.__all__ == sorted(vg.__all__)
    assert set(vg.__all__) <= set(dir(vg))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        vg.nonsense
    assert isinstance(vg.__version__, str)


@pytest.mark.parametrize("package", [name for name in modules() if hasattr(importlib.import_module(name), "__path__")])
def test_no_public_function_shares_its_name_with_a_module(package):
    """Importing a module binds its name in its package, and would replace the function."""
    for name in modules():
        importlib.import_module(name)
    package = importlib.import_module(package)
    inside = {module.name for module in pkgutil.iter_modules(package.__path__)}
    for name in getattr(package, "__all__", []):
        value = getattr(package, name)
        assert isinstance(value, types.ModuleType) or name not in inside, f"{package.__name__}.{name} is a module too"


def own_members(cls):
    """The public methods and properties that a class of the package defines, in order of name."""
    for name in sorted(vars(cls)):
        member = vars(cls)[name]
        if not name.startswith("_") and (callable(member) or isinstance(member, property | classmethod | staticmethod)):
            yield name, member


def test_every_public_thing_has_a_docstring():
    missing = []
    for name, value in public().items():
        if not inspect.getdoc(value):
            missing.append(name)
        if inspect.isclass(value):
            for member, thing in own_members(value):
                if not inspect.getdoc(thing) and not hasattr(BaseException, member):
                    missing.append(f"{name}.{member}")
    assert not missing


def test_every_module_says_what_it_is_for():
    for path in files():
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path


SNAPSHOT = Path(__file__).with_name("public_api.txt")


def signature(value):
    """A signature without types: names, order, kinds and defaults are what other people's scripts rely on."""
    if isinstance(value, np.ufunc):
        return "(...)"  # NumPy's own; older ones do not tell
    found = inspect.signature(value)
    bare = [p.replace(annotation=p.empty) for p in found.parameters.values()]
    return re.sub(r"<function (\S+) at \w+>", r"\1", str(found.replace(parameters=bare, return_annotation=found.empty)))


def described(name, value):
    """The lines of the snapshot for one public thing."""
    if isinstance(value, types.ModuleType):
        yield f"{name}: module"
        for inner in sorted(getattr(value, "__all__", [])):
            yield from described(f"{name}.{inner}", getattr(value, inner))
    elif inspect.isclass(value):
        yield f"{name}{'' if issubclass(value, BaseException) else signature(value)}: class"
        for member, thing in own_members(value):
            if isinstance(thing, property):
                yield f"{name}.{member}"
            else:
                yield f"{name}.{member}{signature(getattr(thing, '__func__', thing))}"
        yield from [f"{name}.{s}" for s in sorted(getattr(value, "__slots__", ())) if not s.startswith("_")]
    elif callable(value):
        yield f"{name}{signature(value)}"
    else:
        yield f"{name}: {type(value).__name__}"


def test_the_public_names_are_a_contract():
    """Run with TINYGRAD_VG_SNAPSHOT=1 to write the file anew, and say in the CHANGELOG what changed."""
    now = [line for name, value in sorted(public().items()) for line in described(name, value)]
    if os.environ.get("TINYGRAD_VG_SNAPSHOT"):
        SNAPSHOT.write_text("\n".join(now) + "\n", encoding="utf-8")
    before = SNAPSHOT.read_text(encoding="utf-8").splitlines()
    changes = "\n".join(difflib.unified_diff(before, now, "tests/public_api.txt", "now", n=0, lineterm=""))
    assert not changes, (
        f"the public names changed; if that is meant, run\n"
        f"    TINYGRAD_VG_SNAPSHOT=1 pytest tests/test_house.py -k contract\n{changes}"
    )


# ----------------------------------------------------------------------------------------------------------- doctests


@pytest.mark.parametrize("name", modules())
def test_the_examples_in_docstrings_are_true(name):
    module = importlib.import_module(name)
    result = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.failed == 0


def test_the_engine_has_examples():
    names = ["tensor", "ops", "autodiff"]
    assert min([doctest.testmod(importlib.import_module(f"tinygrad_vg.{name}")).attempted for name in names]) > 0
