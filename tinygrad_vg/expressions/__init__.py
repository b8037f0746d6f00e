"""Expressions typed as text, such as ``sigmoid(w*x + b)``, as Tensors: read against a whitelist, never run as code.

`ast` makes a tree of the text; whatever is not numbers, names, arithmetic and functions of the table of derivatives is
refused by its place, and our own walk, which does not recurse, computes the rest. Nothing is compiled or evaluated, so
a text from a stranger can do nothing but arithmetic.
"""

from tinygrad_vg.expressions.parse import Expression, parse_expression, parse_value
from tinygrad_vg.expressions.source import ExpressionError

__all__ = ["Expression", "ExpressionError", "parse_expression", "parse_value"]
