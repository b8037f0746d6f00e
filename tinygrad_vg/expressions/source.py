"""A text and its places: what `ast` is given, what is said of a mistake, and where it is."""

from __future__ import annotations

import ast
import keyword
import re
import textwrap
import unicodedata
import warnings

__all__ = ["ALLOWED", "ExpressionError", "Source"]

LENGTH = 5_000
NESTED = 50
DIGITS = 309  # 1e308 is the largest power of ten that a float holds

ALLOWED = (
    "Allowed are numbers, names, + - * / ** @, parentheses, functions such as sigmoid(z), and name = expression, "
    "separated by ; or on lines of their own."
)


class ExpressionError(ValueError):
    """A text that is no expression of ours: what is wrong, where, and what is allowed.

    Parameters
    ----------
    what : str
        The message without the place.
    text : str
        The whole text.
    line, column : int
        The place, from 1.
    cure : str
        What to write instead; may be empty.
    """

    def __init__(self, what: str, text: str, line: int = 1, column: int = 1, cure: str = "") -> None:
        super().__init__(what, text, line, column, cure)  # all, so that the exception can be pickled
        self.what, self.text, self.line, self.column, self.cure = what, text, line, column, cure

    def __str__(self) -> str:
        lines = self.text.split("\n")
        place = f"line {self.line}, column {self.column}" if len(lines) > 1 else f"column {self.column}"
        shown, under = _excerpt(lines[self.line - 1] if self.line <= len(lines) else "", self.column)
        return "\n".join([f"{place}: {self.what}", f"    {shown}", f"    {under}", *textwrap.wrap(self.cure, 80)])


_IN_PARTS = "Name parts of it: a = …; b = …"

# Signs that people copy from formulas and pictures, one for one, so that columns stay.
_SIGNS = str.maketrans("₀₁₂₃₄₅₆₇₈₉·×−\t\f", "0123456789**-  ")


class Source:
    """The text, and where things stand in it."""

    def __init__(self, text: str) -> None:
        self.text = text.replace("\r\n", "\n").replace("\r", "\n")
        lines = self.text.translate(_SIGNS).split("\n")
        self.lines = [line.lstrip(" ") for line in lines]
        self.shifts = [len(line) - len(short) for line, short in zip(lines, self.lines, strict=True)]

    def error(self, what: str, node: ast.AST | None = None, cure: str = "") -> ExpressionError:
        """An error at the place of a node, or at the beginning."""
        if node is None:
            return ExpressionError(what, self.text, cure=cure)
        line, offset = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        if isinstance(node, ast.BinOp) and node.left.end_lineno == line:  # the operator, not all that is left of it
            bare = self.lines[line - 1].encode("utf-8", "replace")
            offset = node.left.end_col_offset or 0
            offset += len(bare[offset:]) - len(bare[offset:].lstrip(b" )"))
        before = self.lines[line - 1].encode("utf-8", "replace")[:offset].decode("utf-8", "replace")
        return ExpressionError(what, self.text, line, len(before) + self.shifts[line - 1] + 1, cure)

    def at(self, what: str, index: int, cure: str = "") -> ExpressionError:
        """An error at the character of this index."""
        before = self.text[:index].split("\n")
        return ExpressionError(what, self.text, len(before), len(before[-1]) + 1, cure)

    def statements(self) -> list[ast.stmt]:
        """The text as a tree, after the checks that keep `ast` out of trouble."""
        self._check()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = ast.parse("\n".join(self.lines)).body
        except SyntaxError as error:
            raise self._unreadable(error) from None
        except (RecursionError, MemoryError):
            raise self.error("this is nested too deeply", cure=_IN_PARTS) from None
        except ValueError as error:
            raise self.error(f"this cannot be read: {error}") from None
        if not found:
            raise self.error("the text is empty", cure="Write an expression, such as sigmoid(w*x + b).")
        return found

    def _check(self) -> None:
        depth = 0
        for i, c in enumerate(self.text):
            depth += (c in "([{") - (c in ")]}")
            if depth > NESTED:
                raise self.at(f"brackets are nested more than {NESTED} deep", i, _IN_PARTS)
            if unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t\f":
                raise self.at(f"the character U+{ord(c):04X} is not allowed", i)
        if digits := re.search(rf"[0-9]{{{DIGITS},}}", self.text):
            raise self.at(f"a number with {len(digits[0]):,} digits is too large", digits.start())
        if len(self.text) > LENGTH:
            raise self.error(f"the text has {len(self.text):,} characters, more than {LENGTH:,}")

    def _unreadable(self, error: SyntaxError) -> ExpressionError:
        """Python's complaint about its grammar, in a sentence and at our place."""
        line = min(max(error.lineno or 1, 1), len(self.lines))
        column = min(max(error.offset or 1, 1), len(self.lines[line - 1]) + 1)
        word = re.match(r"\w*", self.lines[line - 1][column - 1 :])
        if word and keyword.iskeyword(word[0]):
            what = f"{word[0]} is not allowed: it is a word of Python's grammar and cannot be a name"
        else:
            what = f"this cannot be read ({re.split('[.:] ', error.msg or 'invalid syntax')[0]})"
        return ExpressionError(what, self.text, line, column + self.shifts[line - 1], ALLOWED)


def _excerpt(line: str, column: int) -> tuple[str, str]:
    """The part of a line around a column, and a mark under it."""
    start = max(column - 41, 0)
    part = line[start : start + 72]
    shown = "".join([c if c.isprintable() else " " if c == "\t" else "�" for c in part])
    if start:
        shown = "…" + shown[1:]
    if start + 72 < len(line):
        shown = shown[:-1] + "…"
    before = shown[: column - 1 - start]
    width = sum(
        [0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in before]
    )
    return shown, " " * width + "^"
