"""What may stand in an expression, and in what order it is computed."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tinygrad_vg.expressions.source import ALLOWED, ExpressionError, Source
from tinygrad_vg.ops import log_softmax, logsumexp, relu, sigmoid, softmax, softplus, stop_gradient
from tinygrad_vg.tensor import RULES

__all__ = ["FUNCTIONS", "Step", "check_name", "refusal", "steps_of"]

_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Pow: np.power,
    ast.MatMult: np.matmul,
    ast.USub: np.negative,
    ast.UAdd: np.positive,
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}


def _functions() -> dict[str, dict[int, Callable[..., Any]]]:
    """What each name calls, by the number of its arguments: the ufuncs of the table, and some more."""
    found: dict[str, dict[int, Any]] = {f.__name__: {f.nin: f} for f in RULES if isinstance(f, np.ufunc)}
    own = sigmoid, relu, softplus, softmax, log_softmax, logsumexp, stop_gradient
    found |= {f.__name__: {1: f} for f in own}
    found |= {"sum": {1: np.sum}, "mean": {1: np.mean}, "prod": {1: np.prod}, "where": {3: np.where}}
    found |= {"max": {1: np.max, 2: np.maximum}, "min": {1: np.min, 2: np.minimum}}
    others = {"abs": "absolute", "ln": "log", "pow": "power", "σ": "sigmoid"}
    others |= {f"a{name}": f"arc{name}" for name in ("sin", "cos", "tan", "tan2", "sinh", "cosh", "tanh")}
    return found | {name: found[same] for name, same in others.items()}


FUNCTIONS = _functions()

# ------------------------------------------------------------------------------------------------------------- refusals

_WORDS: dict[type[ast.AST], str] = {
    ast.Attribute: "an attribute (a.b)",
    ast.Subscript: "an index (a[…])",
    ast.Lambda: "lambda",
    ast.IfExp: "if … else",
    ast.NamedExpr: ":=",
    ast.Starred: "a star in front",
    ast.List: "a list",
    ast.Tuple: "a comma outside a function",
    ast.Dict: "a dictionary",
    ast.Set: "a set",
    ast.JoinedStr: "a text in quotes",
    ast.Compare: "a comparison here",
    ast.AugAssign: "+= and its like",
    ast.AnnAssign: "a colon",
    ast.ImportFrom: "import",
    ast.FunctionDef: "def",
    ast.ClassDef: "class",
    ast.BitXor: "^",
    ast.Mod: "%",
    ast.FloorDiv: "//",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.Invert: "~",
}
_INSTEAD: dict[type[ast.AST], str] = {
    ast.BitXor: "A power is written **.",
    ast.Mod: "Write remainder(x, y).",
    ast.IfExp: "Write where(a > b, x, y).",
    ast.Compare: "Compare in the condition of where(a > b, x, y).",
    ast.NamedExpr: "Write name = expression as a statement of its own.",
}


def refusal(source: Source, node: ast.AST, place: str = "") -> ExpressionError:
    """What is not allowed, in words, and what to write instead, or what is allowed."""
    if isinstance(node, ast.Constant):
        word = "a text in quotes" if isinstance(node.value, str | bytes) else f"{node.value!r}"
        return source.error(f"{word} is not allowed{place}", node, ALLOWED)
    kind = type(node.op) if isinstance(node, ast.BinOp | ast.UnaryOp | ast.BoolOp) else type(node)
    name = kind.__name__
    word = _WORDS.get(kind) or ("a comprehension" if name.endswith(("Comp", "Exp")) else name.lower())
    return source.error(f"{word} is not allowed{place}", node, _INSTEAD.get(kind, ALLOWED))


def check_name(source: Source, node: ast.Name) -> None:
    """Refuse Python's own names."""
    if node.id.startswith("__"):
        raise source.error(f"names with two underscores in front, such as {node.id:.40}, are not allowed", node)


# --------------------------------------------------------------------------------------------------------------- steps


class Step(NamedTuple):
    """One operation of an expression: its place in the text, the function, and the number of its arguments.

    Names and numbers have no function.
    """

    node: ast.expr
    function: Callable[..., Any] | None
    arity: int


def steps_of(source: Source, root: ast.expr) -> list[Step]:
    """An expression in the order of computing, parts first, from the left; whatever is not allowed is refused."""
    steps: list[Step] = []
    stack: list[ast.expr | Step] = [root]
    conditions = set()
    while stack:
        node = stack.pop()
        if isinstance(node, Step):
            steps.append(node)
            continue
        function, parts = _taken_apart(source, node, node in conditions)
        if function is np.where:
            conditions.add(parts[0])
        stack += [Step(node, function, len(parts)), *reversed(parts)]
    return steps


def _taken_apart(source: Source, node: ast.expr, condition: bool) -> tuple[Callable[..., Any] | None, list[ast.expr]]:
    """What a node does, and to what."""
    match node:
        case ast.Constant() if type(node.value) in (int, float):
            return None, []
        case ast.Name():
            check_name(source, node)
            if node.id in FUNCTIONS:
                raise source.error(f"{node.id} is a function", node, f"Write {node.id}(…).")
            return None, []
        case ast.BinOp() if type(node.op) in _OPERATORS:
            return _OPERATORS[type(node.op)], [node.left, node.right]
        case ast.UnaryOp() if type(node.op) in _OPERATORS:
            return _OPERATORS[type(node.op)], [node.operand]
        case ast.Call():
            return _function(source, node), node.args
        case ast.Compare() if condition:
            if len(node.ops) > 1 or type(node.ops[0]) not in _OPERATORS:
                raise source.error("this is no condition", node, "A condition is one comparison: < <= > >= == or !=.")
            return _OPERATORS[type(node.ops[0])], [node.left, node.comparators[0]]
    raise refusal(source, node)


def _function(source: Source, node: ast.Call) -> Callable[..., Any]:
    """The function that is called, with as many arguments as it takes."""
    if not isinstance(node.func, ast.Name):
        raise refusal(source, node.func)
    name = node.func.id
    if name not in FUNCTIONS:
        near = difflib.get_close_matches(name, FUNCTIONS, 3)
        cure = f"Did you mean {' or '.join(near)}?" if near else f"There are {', '.join(sorted(FUNCTIONS))}."
        raise source.error(f"there is no function {name:.40}", node, cure)
    if node.keywords:
        raise source.error(f"{name}: settings by name ({node.keywords[0].arg or '**':.40}=…) are not allowed", node)
    takes = FUNCTIONS[name]
    if len(node.args) not in takes:
        wanted = " or ".join(map(str, takes))
        raise source.error(f"{name} takes {wanted} argument{'s' * (wanted != '1')}, not {len(node.args)}", node)
    return takes[len(node.args)]
