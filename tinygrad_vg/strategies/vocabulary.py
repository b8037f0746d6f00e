"""The ops that expressions are made of, each written as Python: ``"np.sin({0})"``, ``"{0} * {1}"``."""

from __future__ import annotations

import inspect
import keyword
import re
import string
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import tinygrad_vg as vg
from tinygrad_vg.checks import Array

__all__ = ["KINKED", "SMOOTH", "Op", "op_of"]

# Simplest first: that is where shrinking ends. No argument of a logarithm, a root or a divisor can leave the domain.
SMOOTH: tuple[str, ...] = (
    "{0} + {1}",
    "{0} - {1}",
    "{0} * {1}",
    "-{0}",
    "np.square({0})",
    "{0} / (1 + {1} * {1})",
    "np.sin({0})",
    "np.cos({0})",
    "np.exp({0})",
    "np.tanh({0})",
    "np.arctan({0})",
    "vg.sigmoid({0})",
    "vg.softplus({0})",
    "np.log(1 + {0} * {0})",
    "np.sqrt(1 + {0} * {0})",
    "np.sum({0})",
    "np.sum({0}, axis=0)",
    "np.mean({0})",
    "np.mean({0}, axis=-1, keepdims=True)",
    "np.cumsum({0})",
    "vg.logsumexp({0})",
    "vg.softmax({0})",
    "{0} @ {1}",
    "np.transpose({0})",
    "np.reshape({0}, -1)",
    "np.broadcast_to({0}, (2, 3))",
    "np.stack([{0}, {1}])",
    "np.concatenate([{0}, {1}])",
    "{0}[0]",
    "{0}[::-1]",
    "{0}[[0, 0]]",
)
"""Smooth and analytic ops for `expressions`: each has one derivative everywhere, and takes complex arrays."""

KINKED: tuple[str, ...] = (
    "np.abs({0})",
    "vg.relu({0})",
    "np.maximum({0}, {1})",
    "np.minimum({0}, {1})",
    "np.max({0})",
    "np.min({0}, axis=0)",
    "np.clip({0}, -1, 1)",
)
"""Ops with kinks, for ``expressions(kinks=True)``."""


@dataclass(frozen=True)
class Op:
    """An op of expressions: how it is written, what it does, and whose function it is if it is the user's own."""

    text: str
    call: Callable[..., Any]
    arity: int
    own: Callable[..., Any] | None = None

    def __repr__(self) -> str:
        return f"<op {self.text}>"

    def value(self, operands: list[Array], limit: float) -> Array | None:
        """What it gives, or None where it takes no such shapes, or the result is not finite or too large."""
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the mean of nothing
                value = np.asarray(self.call(*operands))
        except (ValueError, IndexError):
            return None
        return value if np.all(np.abs(value) <= limit) else None


def op_of(given: str | Callable[..., Any]) -> Op:
    """An op from a template, or from a function that is to be called."""
    if isinstance(given, str):
        arity = _arity_of_template(given)
        words = [f"a{i}" for i in range(arity)]
        try:
            call = eval(f"lambda {', '.join(words)}: {given.format(*words)}", {"np": np, "vg": vg})
        except SyntaxError as error:
            raise ValueError(f"the op {given!r} is no Python expression: {error.msg}") from None
        return Op(given, call, arity)
    if not callable(given):
        raise TypeError(f"an op is a function, or Python such as 'np.sin({{0}})' or '{{0}} * {{1}}', not {given!r:.60}")
    arity, name, own = _arity_of(given), getattr(given, "__name__", ""), None
    for prefix, room in (("np.", np), ("np.linalg.", np.linalg), ("vg.", vg)):
        if getattr(room, name, None) is given:
            name = prefix + name
            break
    else:
        own = given
        if not name.isidentifier() or keyword.iskeyword(name) or re.fullmatch(r"np|vg|expression|[xt]\d+", name):
            raise ValueError(f"the op {given!r:.60} is called {name!r}: give it a name that can stand in a program")
    if arity < 1:
        raise ValueError(f"the op {name} takes no array")
    operands = ", ".join([f"{{{i}}}" for i in range(arity)])
    return Op(f"{name}({operands})", given, arity, own)


def _arity_of_template(text: str) -> int:
    """How many operands a template has: the numbers in its braces are 0, 1, … without a gap."""
    try:
        fields = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    except ValueError:
        fields = set()
    if not fields or fields != {str(i) for i in range(len(fields))}:
        raise ValueError(f"{text!r} is no op: write its operands as {{0}}, {{1}}, such as 'np.sin({{0}})'")
    return len(fields)


def _arity_of(function: Callable[..., Any]) -> int:
    """How many arrays a function takes: as many as it has rules, else as it has parameters without a default."""
    row = getattr(function, "op", None)
    if row is not None and not row.variadic:
        return len(row.vjps)
    if isinstance(function, np.ufunc):
        return function.nin
    try:
        kinds = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        raise ValueError(
            f"how many arrays {function!r:.60} takes cannot be told; write it as text: 'np.dot({{0}}, {{1}})'"
        ) from None
    if any([p.kind is p.VAR_POSITIONAL for p in kinds]):
        return 2
    return len([p for p in kinds if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)])
