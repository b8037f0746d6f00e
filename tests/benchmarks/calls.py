"""Which NumPy calls a piece of Python makes: its source, loaded once more with an observer at every call and operator.

No profiler tells: Python's hooks report neither operators on arrays nor ufuncs. So the library's modules are compiled
from a changed syntax tree, in which ``f(x)`` reads ``observe(f, x)`` and ``a + b`` ``observe(operator.add, a, b)``. The
counts depend neither on the machine nor on the versions of Python and NumPy. Not seen are attributes (``x.T``), and
what NumPy calls inside itself.
"""

import ast
import importlib
import importlib.util
import operator
import sys
from collections import Counter
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import SourceFileLoader
from pathlib import Path

import numpy as np

PACKAGE = "tinygrad_vg"

BINARY = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "truediv",
    ast.FloorDiv: "floordiv",
    ast.Mod: "mod",
    ast.Pow: "pow",
    ast.MatMult: "matmul",
    ast.BitAnd: "and_",
    ast.BitOr: "or_",
    ast.BitXor: "xor",
    ast.LShift: "lshift",
    ast.RShift: "rshift",
}
COMPARE = {ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge", ast.Eq: "eq", ast.NotEq: "ne"}
UNARY = {ast.USub: "neg", ast.Invert: "invert", ast.UAdd: "pos"}

LEFT_ALONE = {"super", "getrefcount", "_getframe", "locals"}
"""These look at the frame that calls them, or at how many references there are to what they are given."""


# ------------------------------------------------------------------------------------------------ the changed source


class Observed(ast.NodeTransformer):
    """Puts ``__observe__`` at every call and operator."""

    def seen(self, node, function, *args, keywords=()):
        made = ast.Call(ast.Name("__observe__", ast.Load()), [function, *args], list(keywords))
        return ast.copy_location(made, node)

    def operation(self, name):
        return ast.Attribute(ast.Name("__operator__", ast.Load()), name, ast.Load())

    def visit_Call(self, node):
        self.generic_visit(node)
        if getattr(node.func, "id", getattr(node.func, "attr", "")) in LEFT_ALONE:
            return node
        return self.seen(node, node.func, *node.args, keywords=node.keywords)

    def visit_BinOp(self, node):
        self.generic_visit(node)
        return self.seen(node, self.operation(BINARY[type(node.op)]), node.left, node.right)

    def visit_UnaryOp(self, node):
        self.generic_visit(node)
        name = UNARY.get(type(node.op))  # not for `not`
        return self.seen(node, self.operation(name), node.operand) if name else node

    def visit_Compare(self, node):
        self.generic_visit(node)
        name = COMPARE.get(type(node.ops[0])) if len(node.ops) == 1 else None
        return self.seen(node, self.operation(name), node.left, *node.comparators) if name else node

    def visit_AugAssign(self, node):
        """``x += y`` as ``x = operator.iadd(x, y)``; what stands around an attribute or index is evaluated twice."""
        self.generic_visit(node)
        name = BINARY[type(node.op)].strip("_")
        target = ast.parse(ast.unparse(node.target), mode="eval").body
        value = self.seen(node, self.operation(f"i{name}"), target, node.value)
        return ast.copy_location(ast.Assign([node.target], value), node)

    def visit_AnnAssign(self, node):
        """Annotations stay as they are."""
        if node.value is not None:
            node.value = self.visit(node.value)
        return node

    def visit_arg(self, node):
        return node


def observed_code(path):
    """The compiled source of a file, with observers."""
    tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    return compile(ast.fix_missing_locations(Observed().visit(tree)), str(path), "exec")


def observed_file(path, observe):
    """The names that a file of Python defines."""
    scope = {"__name__": "observed", "__observe__": observe, "__operator__": operator}
    exec(observed_code(path), scope)
    return scope


# ---------------------------------------------------------------------------------------------- the package once more


class Loader(SourceFileLoader):
    """Loads a module with observers, and never from bytecode."""

    def __init__(self, name, path, observe):
        super().__init__(name, path)
        self.observe = observe

    def get_code(self, fullname):
        return observed_code(self.path)

    def exec_module(self, module):
        module.__observe__, module.__operator__ = self.observe, operator
        super().exec_module(module)


class Finder(MetaPathFinder):
    """Finds the modules of the package where they are, and has them loaded with observers."""

    def __init__(self, root, observe):
        self.root, self.observe = Path(root), observe

    def find_spec(self, name, path=None, target=None):
        parts = name.split(".")
        if parts[0] != PACKAGE:
            return None
        place = self.root.joinpath(*parts[1:])
        inside = [str(place)] if place.is_dir() else None
        file = str(place / "__init__.py" if inside else place.with_suffix(".py"))
        return importlib.util.spec_from_file_location(
            name, file, loader=Loader(name, file, self.observe), submodule_search_locations=inside
        )


def _loaded():
    return [name for name in sys.modules if name.split(".")[0] == PACKAGE]


@contextmanager
def observed_package(observe):
    """Inside, ``import tinygrad_vg`` gives a copy in which ``observe(f, *args)`` stands for ``f(*args)``."""
    root = Path(importlib.import_module(PACKAGE).__file__).parent
    usual = {name: sys.modules.pop(name) for name in _loaded()}
    finder = Finder(root, observe)
    sys.meta_path.insert(0, finder)
    try:
        yield importlib.import_module(PACKAGE)
    finally:
        sys.meta_path.remove(finder)
        for name in _loaded():
            del sys.modules[name]
        sys.modules.update(usual)


# ------------------------------------------------------------------------------------------------------ the observers

NUMBERS = (np.ndarray, np.generic, int, float, complex)


def is_numpy(f, args):
    """Whether calling `f` with these has NumPy compute something."""
    if getattr(f, "__module__", "") == "_operator":
        return any([isinstance(a, np.ndarray | np.generic) for a in args]) and all(
            [isinstance(a, NUMBERS) for a in args]
        )
    if any([type(a).__name__ == "Tensor" for a in args]):
        return False  # comes back to the library, which then calls NumPy
    if isinstance(f, np.ufunc) or isinstance(getattr(f, "__self__", None), np.ndarray | np.generic | np.ufunc):
        return True
    return not isinstance(f, type) and str(getattr(f, "__module__", "")).split(".")[0] == "numpy"


def is_new(result, args, kwargs):
    """Whether a result is an array with memory of its own that was not there before."""
    there = [*args, *kwargs.values()]
    return isinstance(result, np.ndarray) and result.base is None and not any([result is a for a in there])


def name_of(f):
    """What a call is counted as: operators as their ufuncs, ``x.sum()`` as ``add.reduce`` would be, by its name."""
    owner, name = getattr(f, "__self__", None), getattr(f, "__name__", str(f))
    if isinstance(owner, np.ufunc):
        return f"{owner.__name__}.{name}"
    return as_ufunc(f).__name__ if as_ufunc(f) else name


UFUNCS = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "truediv": np.divide,
    "floordiv": np.floor_divide,
    "mod": np.remainder,
    "pow": np.power,
    "matmul": np.matmul,
    "and_": np.bitwise_and,
    "or_": np.bitwise_or,
    "xor": np.bitwise_xor,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "eq": np.equal,
    "ne": np.not_equal,
    "neg": np.negative,
    "invert": np.invert,
    "pos": np.positive,
}


def as_ufunc(f):
    """The ufunc that `f` is, or as an operator stands for; None if it is none."""
    if isinstance(f, np.ufunc):
        return f
    if getattr(f, "__module__", "") != "_operator":
        return None
    return UFUNCS.get(f.__name__) or UFUNCS.get(f.__name__.removeprefix("i"))


class Counting:
    """An observer that counts.

    Attributes
    ----------
    calls
        Of NumPy, by name.
    arrays
        The bytes of every array that was made.
    """

    def __init__(self):
        self.calls, self.arrays = Counter(), []

    def __call__(self, f, /, *args, **kwargs):
        if not is_numpy(f, args):
            return f(*args, **kwargs)
        result = f(*args, **kwargs)
        if isinstance(result, np.ndarray | np.generic):  # otherwise nothing was computed, as by setflags
            self.calls[name_of(f)] += 1
            if is_new(result, args, kwargs):
                self.arrays.append(result.nbytes)
        return result

    def clear(self):
        """Begin anew."""
        self.calls, self.arrays = Counter(), []

    def taken(self):
        """The calls and arrays so far, from which counting begins anew."""
        found = self.calls, self.arrays
        self.clear()
        return found
