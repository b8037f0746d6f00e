"""The cells of a tutorial as the tests see them."""

import ast
import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path

import jupytext

from tinygrad_vg.tutorials.files import exercise_of, has_tag

WRONG = Path(__file__).with_name("wrong")
TAGS = {"exercise", "solution", "check", "hidden"}


@dataclass
class Parts:
    """The cells of one exercise."""

    stub: list = field(default_factory=list)
    solution: list = field(default_factory=list)
    check: object = None


def tags(cell):
    return set(cell.metadata.get("tags", ()))


def exercises(tutorial):
    """The parts of each exercise by its number."""
    found, parts = {}, Parts()
    for cell in tutorial.cells:
        if has_tag(cell, "exercise"):
            parts.stub.append(cell)
        elif has_tag(cell, "solution"):
            parts.solution.append(cell)
        elif has_tag(cell, "check"):
            parts.check = cell
            found[exercise_of(cell)], parts = parts, Parts()
    return found


def wrong_answers(name):
    """What the tests try in vain: (exercise, what is wrong, code)."""
    notebook = jupytext.read(WRONG / f"{name}.py", fmt="py:percent")
    for cell in notebook.cells:
        if "title" in cell.metadata:
            number, _, what = cell.metadata["title"].partition(": ")
            yield number, what, cell.source


def prose(tutorial):
    """Its markdown cells."""
    return [cell for cell in tutorial.cells if cell.cell_type == "markdown"]


def code(tutorial):
    """Its code cells."""
    return [cell for cell in tutorial.cells if cell.cell_type == "code"]


def stamp(cell):
    """A short hash of a cell's text; how lines are broken does not count."""
    return hashlib.sha256(" ".join(cell.source.split()).encode()).hexdigest()[:8]


_NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]?\d+)?")
_ASIDE = re.compile(
    r"\$\$.*?\$\$|`[^`]*`|\]\([^)]*\)"  # formulas, code, addresses
    r"|^#[^\n]*$|(?:xercise|练习) ?\d+\.\d+|(?<![\d.,])(?:19|20)\d\d(?![\d.,])",  # headings, exercises, years
    re.DOTALL | re.MULTILINE,
)


def quoted_numbers(text):
    """The numbers of a text that say something measured: those with a point or an exponent, and those from 100."""
    for word in _NUMBER.findall(_ASIDE.sub(" ", text).replace("−", "-").replace("\N{NARROW NO-BREAK SPACE}", "")):
        plain = word.replace(",", "")
        if not plain.isdigit() or int(plain) >= 100:
            yield plain


def numbers_in(source):
    """All numbers that stand in a piece of code, as they are written there, those in its strings among them."""
    return {word.replace(",", "") for word in _NUMBER.findall(re.sub(r"(?<=\d)_(?=\d)", "", source))}


class _Blank(ast.NodeTransformer):
    """Take out of a program what a translation may change: its strings, and the order of values within one."""

    def visit_Constant(self, node):
        return ast.Constant("") if isinstance(node.value, str) else node

    def visit_JoinedStr(self, node):
        values = [self.visit(part.value) for part in node.values if isinstance(part, ast.FormattedValue)]
        return ast.Tuple(sorted(values, key=ast.dump), ast.Load())


def without_strings(source):
    """A program as text, with all strings empty: two languages of one cell are alike."""
    return ast.dump(_Blank().visit(ast.parse(source)))


def used(source):
    """The names that a program reads."""
    return {n.id for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def bound(source):
    """The names that the top level of a program binds."""
    found = set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        else:
            found |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return found


def calls(source, name):
    """All calls of the function `name` in a program."""
    called = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [node for node in called if isinstance(node.func, ast.Name) and node.func.id == name]
