"""A chain in plain text: what was found in a line, the products, and a table of the terms."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tinygrad_vg.drawing.explanation.paths import BOOLEANS, COUNT_LIMIT
from tinygrad_vg.drawing.formula import number
from tinygrad_vg.drawing.model import norm

if TYPE_CHECKING:
    from tinygrad_vg.drawing.explanation.chains import Chain, Path, Term
    from tinygrad_vg.drawing.model import Node

__all__ = ["Column", "chain_text", "columns", "counted", "footnotes", "headline", "intro", "one_line", "shortened"]

SHOWN_TERMS, SHOWN_NAMES = 16, 8
WIDTH = 80


class Column(NamedTuple):
    """A column of the table: its heading, and what it says of a term."""

    heading: str
    cell: Callable[[Term], str]


def columns(chain: Chain, path: Path) -> list[Column]:
    """The columns that have something to say about a path."""
    if not chain.of_norms:
        last = f"product from here to {chain.of.text}"
        return [
            Column("term", lambda t: t.text),
            Column("value", lambda t: number(t.value)),
            Column(last, lambda t: number(t.product)),
        ]
    found = [Column("factor", lambda t: t.text)]
    if any([t.matrix for t in path.terms]):
        found += [
            Column("matrix", lambda t: f"{t.matrix.shape[0]}×{t.matrix.shape[1]}" if t.matrix else "—"),
            Column("spectral norm", lambda t: _or_dash(t.matrix.spectral_norm if t.matrix else None)),
            Column("mean sing. value", lambda t: _or_dash(t.matrix.mean_singular_value if t.matrix else None)),
        ]
    if any([t.apart is not None for t in path.terms]):
        found += [
            Column("‖sum of δ‖", lambda t: number(t.product)),
            Column("sum of ‖δ‖", lambda t: _or_dash(t.apart)),
        ]
    else:
        found.append(Column("‖δ‖", lambda t: number(t.product)))
    return found


def _or_dash(x: float | None) -> str:
    return "—" if x is None else number(x)


def headline(chain: Chain) -> str:
    """What was found, in one line."""
    if np.ndim(chain.value):
        return f"‖{chain.name}‖ = {number(norm(chain.value))}, shape {np.shape(chain.value)}{_why_not(chain)}"
    if chain.of_norms or not chain.paths:
        return f"{chain.name} = {number(chain.value)}{_why_not(chain)}"
    if chain.count == 1:
        return f"{chain.name} = {_equal(chain.paths[0].text, chain.value)}"
    return f"{chain.name} = {number(chain.value)}, the sum over {chain.counted} paths"


def _why_not(chain: Chain) -> str:
    """Why there is no path, if there is none."""
    if chain.paths:
        return ""
    stopped = chain.cuts and not chain.cuts[0].startswith(BOOLEANS)
    return ": every path is cut" if stopped else f": {chain.of.text} does not depend on {chain.by.text}"


def intro(chain: Chain, path: Path) -> str:
    """A path as a formula; empty where the headline says it already."""
    if chain.of_norms:
        over = f"the sum over {chain.rows:,} rows of " if chain.rows > 1 else ""
        others = f" + {counted(chain.others)} more path{_s(chain.others)}" if chain.others else ""
        return f"{chain.name} = {over}{path.text}{others}"
    return _equal(path.text, path.value) if chain.count > 1 else ""


def footnotes(chain: Chain) -> list[str]:
    """What must be said under the tables."""
    notes = []
    if chain.others and not chain.of_norms:
        notes.append(f"and {counted(chain.others)} more path{_s(chain.others)}, together {number(chain.rest)}")
    if chain.others and chain.of_norms:
        notes.append("The table follows the path with the largest share; each δ is that of all paths.")
    wild = dict.fromkeys([t.text for path in chain.paths for t in path.terms if not math.isfinite(t.value)])
    if wild:
        notes.append(f"Not a finite number: {', '.join(list(wild)[:SHOWN_NAMES])}")
    matrices = [t.matrix for t in chain.terms if t.matrix is not None]
    if matrices:
        notes.append("δ is the gradient by what a factor starts from: the δ of the line below times the matrix.")
    rows = max([m.samples for m in matrices], default=1)
    if rows > 1:
        notes.append(
            f"The {rows:,} rows (samples) keep to themselves: each has a matrix and a δ of its own. "
            "Singular values are means over the rows; the two norms differ where the rows cancel."
        )
    few = [m for m in matrices if 0 < m.analysed < m.samples]
    if few:
        told = ", ".join([f"{m.analysed:,} of {m.samples:,} for {m.shape[0]}×{m.shape[1]}" for m in few])
        notes.append(f"Singular values are those of some rows only, evenly spaced: {told}.")
    if any([not m.analysed for m in matrices]):
        notes.append("— stands for singular values that would take too long.")
    return notes + [f"no gradient passes {cut}" for cut in chain.cuts] + _nameless(chain)


def _nameless(chain: Chain) -> list[str]:
    """What t₁ is, for tensors that the program gave no name but a term mentions."""
    terms = [t for path in chain.paths for t in shortened(path.terms) if not isinstance(t, str)]
    text = " ".join([t.text for t in terms])
    near = [node for t in terms for e in t.edges for node in (e.source, e.target, *[i.source for i in e.target.inputs])]
    known = dict.fromkeys([node for node in near if node.is_nameless])
    told: list[Node] = []
    while found := next((n for n in known if n not in told and _mentions(text, n.expr.text)), None):
        told.append(found)
        text += f" {found.equation}"  # which may mention others
        known |= dict.fromkeys([e.source for e in found.inputs if e.source.is_nameless])
        if len(told) > SHOWN_NAMES:
            break
    said = [node.equation + _what(node) for node in sorted(told[:SHOWN_NAMES], key=lambda node: int(node.id[1:]))]
    said += ["…"] if len(told) > SHOWN_NAMES else []
    return [f"Without a name in the program: {'; '.join(said)}"] if said else []


def _what(node: Node) -> str:
    """What a node without a formula is."""
    if node.formula is not None:
        return ""
    value = f"value {number(float(node.value.item()))}" if node.value.size == 1 else f"shape {node.value.shape}"
    return f", a {'constant' if node.role == 'constant' else 'variable'} of {value}"


def _mentions(text: str, name: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None


def chain_text(chain: Chain) -> str:
    """The chain as text, at most 80 columns wide where it can be broken."""
    lines = _wrapped(headline(chain), 0, 2)
    for path in chain.paths:
        formula = intro(chain, path)
        lines += ["", *_wrapped(formula, 2, 2)] if formula else []
        if len(path.terms) > 1 or (chain.of_norms and path.terms):
            lines += ["", *_table(columns(chain, path), path.terms)]
    notes = footnotes(chain)
    if notes and chain.paths:
        lines.append("")
    return "\n".join([*lines, *[line for note in notes for line in _wrapped(note, 2)]])


def one_line(text: str) -> str:
    """A text with the line ends that are in somebody's names made visible."""
    return text.replace("\n", "␊")


def counted(n: int) -> str:
    """A number of paths in words."""
    return f"{n:,}" if n < COUNT_LIMIT else "at least 10¹⁸"


def shortened(terms: Sequence[Term]) -> list[Term | str]:
    """The terms, or their two ends with the number of those left out between them."""
    if len(terms) <= SHOWN_TERMS:
        return list(terms)
    half = SHOWN_TERMS // 2
    return [*terms[:half], f"… ({len(terms) - 2 * half:,} more) …", *terms[-half:]]


def _equal(text: str, value: float) -> str:
    """``formula = number``, or only the number if the formula is nothing else."""
    return text if text == number(value) else f"{text} = {number(value)}"


def _s(n: int) -> str:
    return "s" if n != 1 else ""


# ------------------------------------------------------------------------------------------------------ in columns


def _table(found: Sequence[Column], terms: Sequence[Term]) -> list[str]:
    """The terms, one a line; the last column as far left as it goes."""
    rows = [[one_line(column.heading) for column in found]]
    rows += [[t] if isinstance(t, str) else [one_line(c.cell(t)) for c in found] for t in shortened(terms)]
    widths = [max([_width(row[i]) for row in rows if len(row) > i]) for i in range(len(found))]
    return ["  " + _line(row, widths) for row in rows]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    """Cells in columns: the first to the left, those between to the right, the last as it is."""
    cells = [_pad(cell, width, right=i > 0) for i, (cell, width) in enumerate(zip(row[:-1], widths, strict=False))]
    return "  ".join([*cells, row[-1]])


def _wrapped(text: str, indent: int, more: int = 0) -> list[str]:
    """A text in lines of at most 80 columns, broken before operators and words; the further ones indented by `more`."""
    lines: list[str] = []
    line = " " * indent
    for word in _words(one_line(text)):
        if _width(line) + _width(word.rstrip()) > WIDTH and line.strip():
            lines.append(line.rstrip())
            line = " " * (indent + more)
        line += word
    return [*lines, line.rstrip()]


def _words(text: str) -> list[str]:
    """A text in pieces that stay together: words with the space behind them, operators with what follows them."""
    words: list[str] = []
    for word in text.split(" "):
        if words and words[-1] in ("· ", "= ", "+ ", "− "):
            words[-1] += f"{word} "
        else:
            words.append(f"{word} ")
    return words


def _width(text: str) -> int:
    """How many columns a terminal gives to a text: two to each Chinese character."""
    return sum([0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text])


def _pad(text: str, width: int, right: bool = False) -> str:
    space = " " * (width - _width(text))
    return space + text if right else text + space
