"""From a text to Tensors: its statements in the order in which they need each other, computed one after the other."""

from __future__ import annotations

import ast
import math
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygrad_vg.expressions.allowed import FUNCTIONS, Step, check_name, refusal, steps_of
from tinygrad_vg.expressions.source import ExpressionError, Source
from tinygrad_vg.tensor import Tensor

__all__ = ["Expression", "parse_expression", "parse_value"]

Steps = Sequence[Step]


@dataclass(frozen=True)
class Expression:
    """What `parse_expression` made of a text.

    Attributes
    ----------
    root : Tensor
        The result.
    tensors : dict
        Every name of the text and its Tensor, in the order in which they were made.
    variables : tuple of str
        The names that nothing was computed for: what the text can be differentiated by, and what can be given values.
    drawn : tuple of str
        Those of them whose value was drawn at random.
    """

    root: Tensor
    tensors: dict[str, Tensor] = field(default_factory=dict)
    variables: tuple[str, ...] = ()
    drawn: tuple[str, ...] = ()


def parse_expression(text: str, values: Mapping[str, Any] | None = None, *, seed: int = 0) -> Expression:
    """Make Tensors of a text such as ``"sigmoid(w*x + b)"`` or ``"C = (a - y)**2; a = sigmoid(z); z = w*x + b"``.

    Parameters
    ----------
    text : str
        Statements, each on a line of its own or separated by semicolons, in any order: ``name = expression`` names a
        tensor, an expression alone is the result. Without one, the result is the name that no other statement uses.
        Numbers are constants; names that nothing is assigned to, or a number, are variables. There are + - * / ** @,
        comparisons as the condition of ``where(a > b, x, y)``, the number ``pi``, and the functions of the table of
        derivatives.
    values : mapping, optional
        Values of variables: numbers or arrays.
    seed : int
        Of the variables without a value: each is drawn from 0.1 … 0.9, where log, sqrt and arcsin are defined, by its
        name, so that another variable does not change it.

    Returns
    -------
    Expression

    Raises
    ------
    ExpressionError
        With the place, for whatever else is in the text, and for values of names that are no variables.

    Examples
    --------
    >>> found = parse_expression("a = sigmoid(z); z = w*x + b; b = -1", {"w": 2.0, "x": 0.5})
    >>> found.root.item()
    0.5
    >>> found.variables
    ('w', 'x', 'b')
    """
    source = Source(text)
    definitions, root = _statements(source)
    order = _in_order(source, definitions, root)
    with np.errstate(all="ignore"):
        return _Builder(source, definitions, values or {}, seed).build(order, root)


def parse_value(text: str) -> Any:
    """A number or a nested list of numbers, such as ``"-0.5"``, ``"pi/2"``, ``"[[1, 2], [3, 4]]"``.

    Returns
    -------
    float or list

    Raises
    ------
    ExpressionError
        For anything else.
    """
    source = Source(text)
    statements = source.statements()
    if len(statements) != 1 or not isinstance(statements[0], ast.Expr):
        raise source.error("this is no value", cure="Give a number, such as 0.5, or a list of numbers: [1, 2].")
    with np.errstate(all="ignore"):
        return _plain_value(source, statements[0].value)


def _plain_value(source: Source, node: ast.expr) -> Any:
    """A list as a list of what is in it, anything else as a number; that brackets are limited limits the depth."""
    if isinstance(node, ast.List):
        return [_plain_value(source, element) for element in node.elts]

    def refuse(name: ast.Name) -> Any:
        raise source.error(f"{name.id:.40} is a name; here only numbers are allowed", name)

    return _compute(source, steps_of(source, node), refuse)


# ---------------------------------------------------------------------------------------------------------- statements


def _statements(source: Source) -> tuple[dict[str, Steps], Steps]:
    """How each name is computed, and the result."""
    definitions: dict[str, Steps] = {}
    alone: list[Steps] = []
    for statement in source.statements():
        if isinstance(statement, ast.Expr):
            if alone:
                raise source.error("this is a second result", statement, "Name the other: a = …")
            alone.append(steps_of(source, statement.value))
        elif isinstance(statement, ast.Assign):
            name = _target(source, statement)
            if name in definitions:
                raise source.error(f"{name} is defined twice", statement, "A name stands for one tensor.")
            definitions[name] = steps_of(source, statement.value)
        else:
            raise refusal(source, statement)
    return definitions, alone[0] if alone else _last(source, definitions)


def _target(source: Source, statement: ast.Assign) -> str:
    """The name on the left, which must be a single one."""
    target = statement.targets[0]
    if len(statement.targets) > 1:
        raise source.error("two equals signs", target, "Write one definition after the other: b = …; a = b")
    if not isinstance(target, ast.Name):
        raise refusal(source, target, " before =, where a name stands")
    check_name(source, target)
    if target.id == "pi" or target.id in FUNCTIONS:
        kind = "the number 3.14…" if target.id == "pi" else "a function"
        raise source.error(f"{target.id} is {kind} and cannot be defined", target, "Take another name.")
    return target.id


def _last(source: Source, definitions: dict[str, Steps]) -> Steps:
    """The name that no definition uses: the result, if there is no expression alone."""
    used = {name for steps in definitions.values() for name in _names(steps)}
    free = [name for name in definitions if name not in used]
    if len(free) > 1:
        raise source.error(f"which is the result, {' or '.join(free)}?", cure=f"End with its name: …; {free[0]}")
    return [Step(ast.Name(free[0] if free else next(iter(definitions)), ast.Load()), None, 0)]


def _names(steps: Steps) -> list[str]:
    """The variables in an expression."""
    names = [step.node.id for step in steps if isinstance(step.node, ast.Name)]
    return [name for name in dict.fromkeys(names) if name != "pi"]


def _in_order(source: Source, definitions: dict[str, Steps], root: Steps) -> list[str]:
    """What is to be computed for the result, each after what it needs itself; numbers are no computation."""
    needs = {name: _names(steps) for name, steps in definitions.items()}
    computed = {name for name, needed in needs.items() if needed}
    order: dict[str, None] = {}
    path: list[str] = []  # from the result down to where we are
    waiting = [[name for name in _names(root) if name in computed]]
    while waiting:
        if not waiting[-1]:
            waiting.pop()
            if path:
                order[path.pop()] = None
            continue
        name = waiting[-1].pop(0)
        if name in path:
            circle = " → ".join([*path[path.index(name) :], name])
            raise source.error(f"{name} is defined by itself: {circle}", definitions[name][-1].node)
        if name not in order:
            path.append(name)
            waiting.append([needed for needed in needs[name] if needed in computed])
    return list(order)


# ------------------------------------------------------------------------------------------------------------ computing


def _compute(source: Source, steps: Steps, lookup: Callable[[ast.Name], Any]) -> Any:
    """The value of an expression, on a stack of our own."""
    results: list[Any] = []
    for node, function, arity in steps:
        arguments = results[len(results) - arity :]
        del results[len(results) - arity :]
        try:
            results.append(_value(node, function, arguments, lookup))
        except ExpressionError:
            raise
        except (ValueError, TypeError, IndexError, ArithmeticError) as error:
            raise source.error(str(error), node) from None
    return results[0]


def _value(node: ast.expr, function: Callable[..., Any] | None, given: list[Any], lookup: Any) -> Any:
    """What one step gives: a Tensor, a number, or the truth of a comparison."""
    if isinstance(node, ast.Name):
        return math.pi if node.id == "pi" else lookup(node)
    if function is np.matmul and min(map(np.ndim, given)) == 0:
        raise ValueError("@ multiplies arrays: give its variables lists for values, such as [1, 2]")
    value = function(*given) if function is not None else float(node.value)  # type: ignore[attr-defined]
    if type(value) is Tensor or np.asarray(value).dtype == np.bool_:
        return value
    if not np.all(np.isfinite(value)):
        raise ValueError("this is too large, or no number at all")
    return float(value) if np.ndim(value) == 0 else value


class _Builder:
    """The Tensors of a text, made one definition after the other."""

    def __init__(self, source: Source, definitions: dict[str, Steps], values: Mapping[str, Any], seed: int) -> None:
        self.source, self.definitions, self.seed = source, definitions, seed
        self.values = {unicodedata.normalize("NFKC", name): value for name, value in values.items()}
        self.results: dict[str, Any] = {}  # of every name: a Tensor, or a number that depends on no variable
        self.variables: list[str] = []
        self.drawn: list[str] = []

    def build(self, order: Sequence[str], root: Steps) -> Expression:
        for name in order:
            self.results[name] = self._named(name, _compute(self.source, self.definitions[name], self._lookup))
        result = _compute(self.source, root, self._lookup)
        self._check_values()
        if type(result) is not Tensor:
            raise self.source.error("no gradient leads back from this", cure="It needs a variable, a name such as x.")
        tensors = {name: t for name, t in self.results.items() if type(t) is Tensor}
        return Expression(result, tensors, tuple(self.variables), tuple(self.drawn))

    def _lookup(self, node: ast.Name) -> Any:
        if node.id not in self.results:
            self.results[node.id] = self._variable(node.id)
            self.variables.append(node.id)
        return self.results[node.id]

    def _variable(self, name: str) -> Tensor:
        """A new variable, with the value that was given for it, or its number in the text, or a random one."""
        if name in self.values:
            try:
                return Tensor(self.values[name], name)
            except (TypeError, ValueError) as error:
                raise self.source.error(f"the value of {name}: {error}") from None
        if name in self.definitions:
            return Tensor(_compute(self.source, self.definitions[name], self._lookup), name)
        self.drawn.append(name)
        rng = np.random.default_rng([self.seed, *name.encode()])
        return Tensor(round(float(rng.uniform(0.1, 0.9)), 2), name)

    def _named(self, name: str, result: Any) -> Any:
        """A result under its name; what has a name already gets a copy."""
        if type(result) is not Tensor:
            return result
        own: Any = np.copy(result) if result.name is not None else result
        return own.named(name)

    def _check_values(self) -> None:
        for name in self.values:
            if name not in self.variables:
                why = "is computed" if name in self.results else "is not in it"
                known = f"The variables are {', '.join(self.variables) or 'none'}."
                raise self.source.error(f"{name:.40} {why}, so it can be given no value", cure=known)
