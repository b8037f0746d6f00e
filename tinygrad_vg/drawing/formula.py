"""Formulas and numbers as a reader writes them: ``z₂ = w₂·a₁ + b₂``, ``σ′(z₁)``, ``−1.012e−4``.

An `Expr` is a piece of formula, as plain text and as LaTeX, with how tightly it binds. The table of operations gives
templates (``"{0} + {1}"``, ``"σ′({0})"``); `fill` puts arguments into one and adds the parentheses that are needed.
A local derivative is a `Product`: a number times factors, so that ½ · 2·(a − y) · 1 becomes a − y.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from tinygrad_vg.tensor import OpNode

__all__ = [
    "Expr",
    "Product",
    "derivative",
    "expression",
    "fill",
    "is_guard",
    "latex_number",
    "literal",
    "may_touch",
    "number",
    "shown",
    "variable",
]

# How tightly an expression binds: a part in a place that needs more gets parentheses.
SUM, MATMUL, PRODUCT, POWER, ATOM = range(5)


@dataclass(frozen=True, slots=True)
class Expr:
    """A piece of formula.

    Attributes
    ----------
    text, latex
        How it is written.
    level
        How tightly it binds: SUM, MATMUL, PRODUCT, POWER or ATOM.
    """

    text: str
    latex: str
    level: int

    def inside(self, level: int) -> Expr:
        """It, in parentheses if it binds less tightly than `level`."""
        return self if self.level >= level else Expr(f"({self.text})", rf"\left({self.latex}\right)", ATOM)


# ------------------------------------------------------------------------------------------------- names and numbers

_DOWN = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_UP = str.maketrans("−-0123456789", "⁻⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_PLAIN = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
# Control characters by their pictures; C1 controls and half characters have none. The newline is the drawing's matter.
_CONTROL = {c: chr(0x2400 + c) for c in range(0x20) if c != 0x0A} | {0x7F: "␡"} | dict.fromkeys(range(0x80, 0xA0), "�")


LONGEST = 80  # characters of a name; Graphviz takes labels of 16,384 bytes, in which a name may stand several times


def shown(name: str) -> str:
    """A user's name as it is drawn: trailing digits as subscripts, control characters as their pictures.

    Of a name that is too long to read, the beginning and the end.

    Examples
    --------
    >>> shown("w12"), shown("layer 1"), shown("7")
    ('w₁₂', 'layer 1', '7')
    """
    if len(name) > LONGEST:
        name = f"{name[: LONGEST - 20]}…{name[-19:]}"
    name = re.sub("[\ud800-\udfff\ufffe\uffff]", "�", name.translate(_CONTROL))
    match = re.fullmatch(r"(.*[^\W\d_])([0-9]+)", name, re.DOTALL)
    return match[1] + match[2].translate(_DOWN) if match else name


def variable(name: str) -> Expr:
    """A user's name as a formula; nothing in it can become markup."""
    text = shown(name)
    match = re.fullmatch(r"(.*?)([₀-₉]*)", text.replace("\n", "␊"), re.DOTALL)
    assert match is not None  # the pattern matches everything
    stem, digits = match[1], match[2].translate(_PLAIN)
    if len(stem) != 1 or not stem.isalpha():
        stem = rf"\mathrm{{{_latex_text(stem)}}}" if stem.isalpha() else rf"\text{{{_latex_text(stem)}}}"
    latex = _latex_symbols(stem) if len(stem) == 1 else stem
    return Expr(text, latex + (f"_{{{digits}}}" if digits else ""), ATOM)


def number(x: float) -> str:
    """A number with four significant digits and a real minus sign; scientific below 1e-3 and from 1e5 up.

    Examples
    --------
    >>> number(-0.00101234), number(7.6e-10), number(24790), number(0.25)
    ('−0.001012', '7.6e−10', '24790', '0.25')
    """
    x = float(x)
    if not math.isfinite(x):
        return "NaN" if math.isnan(x) else "∞" if x > 0 else "−∞"
    if x == int(x) and abs(x) < 1e5:
        return f"{int(x)}".replace("-", "−")
    digits, power = f"{x:.3e}".split("e")  # rounded first: 0.00099996 is 1e-3
    if -3 <= int(power) < 5:
        plain = f"{float(f'{digits}e{power}'):.{max(3 - int(power), 0)}f}"
        text = plain.rstrip("0").rstrip(".") if "." in plain else plain
    else:
        text = f"{digits.rstrip('0').rstrip('.')}e{int(power)}"
    return text.replace("-", "−")


def latex_number(x: float) -> str:
    """`number` in LaTeX."""
    digits, e, power = number(x).replace("−", "-").partition("e")
    words = {"NaN": r"\mathrm{NaN}", "∞": r"\infty", "-∞": r"-\infty"}
    return rf"{digits}\times 10^{{{power}}}" if e else words.get(digits, digits)


def literal(x: float) -> Expr:
    """A constant number in a formula; halves and quarters as ½ and ¼."""
    text = {0.5: "½", 0.25: "¼"}.get(float(x), number(x))
    level = SUM if text.startswith("−") else PRODUCT if "e" in text else ATOM
    return Expr(text, {"½": r"\tfrac{1}{2}", "¼": r"\tfrac{1}{4}"}.get(text, latex_number(x)), level)


# --------------------------------------------------------------------------------------------------------- templates


class _Slot(NamedTuple):
    """A place in a template: whose argument, how tightly it must bind, and whether a leading minus needs brackets."""

    argument: int
    level: int
    bracket_minus: bool


@lru_cache(maxsize=1024)
def _parse(template: str) -> tuple[tuple[str, ...], tuple[str, ...], tuple[_Slot, ...], int]:
    """A template as its literal texts (plain, LaTeX), the slots between them, and how tightly the whole binds."""
    pieces = re.split(r"\{(\d)\}", template)
    texts = tuple(pieces[::2])
    slots = tuple([_slot(int(i), texts[k], texts[k + 1]) for k, i in enumerate(pieces[1::2])])
    braced = re.sub(r"\^\(([^()]*)\)", "^⟦\\1⟧", template)  # x^(n−1): the brackets become LaTeX's braces
    latex = tuple([_latex_symbols(piece).replace("⟦", "{").replace("⟧", "}") for piece in re.split(r"\{\d\}", braced)])
    return texts, latex, slots, _level(template)


def _slot(index: int, before: str, after: str) -> _Slot:
    """What an argument must be like to stand between these texts without parentheses."""
    if re.match(r"[²³^ᵀ\[⁻⁰¹⁴-⁹]", after) or re.search(r"[√∛^]$", before):
        return _Slot(index, ATOM, True)
    if re.search(r"(/|@ | mod |[a-z] |½)$", before) or after.startswith(" mod "):
        return _Slot(index, POWER, True)
    if before.endswith("·") or after.startswith(("·", "/")) or re.search(r"− ?$", before):
        return _Slot(index, PRODUCT, True)
    if after.startswith(" @ "):
        return _Slot(index, MATMUL, True)
    return _Slot(index, SUM, before.endswith("+ "))


def _level(template: str) -> int:
    """How tightly a filled template binds, from the signs outside all brackets."""
    text = re.sub(r"\{\d\}", "x", template)
    for pair in (r"\|[^|]*\|", r"‖[^‖]*‖", r"⌊[^⌋]*⌋", r"\[[^\]]*\]"):
        text = re.sub(pair, "x", text)
    while (fewer := re.sub(r"\([^()]*\)", "x", text)) != text:
        text = fewer
    for signs, level in ((r"[+−=><]| of ", SUM), ("@", MATMUL), (r"[·/½]| mod ", PRODUCT), (r"[\^√∛²³⁻⁰-⁹]", POWER)):
        if re.search(signs, text):
            return level
    return ATOM


def fill(template: str, args: Sequence[Expr]) -> Expr:
    """Put arguments into a template such as ``"{0} + {1}"``, or after a function's name such as ``"σ"``.

    Examples
    --------
    >>> a, y = variable("a4"), variable("y")
    >>> fill("½{0}", [fill("{0}²", [fill("{0} − {1}", [a, y])])]).text
    '½(a₄ − y)²'
    """
    if "{0}" not in template and "{1}" not in template:
        inner = ", ".join([a.text for a in args]), ", ".join([a.latex for a in args])
        return Expr(f"{template}({inner[0]})", f"{_latex_symbols(template)}({inner[1]})", ATOM)
    texts, latexes, slots, level = _parse(template)
    text, latex = texts[0], latexes[0]
    for slot, after, latex_after in zip(slots, texts[1:], latexes[1:], strict=True):
        given = args[slot.argument] if slot.argument < len(args) else Expr("·", r"\cdot", ATOM)
        need = POWER if slot.bracket_minus and given.text.startswith("−") else slot.level
        part = given.inside(need)
        raised = latex.endswith("^")
        text += part.text + after
        latex += (f"{{{part.latex}}}" if raised or latex.endswith("sqrt") else part.latex) + latex_after
    return Expr(text, latex, level)


_LATEX = {
    "σ": r"\sigma ", "Σ": r"\Sigma ", "Π": r"\Pi ", "α": r"\alpha ", "β": r"\beta ", "γ": r"\gamma ", "δ": r"\delta ",
    "ε": r"\varepsilon ", "ζ": r"\zeta ", "η": r"\eta ", "θ": r"\theta ", "κ": r"\kappa ", "λ": r"\lambda ",
    "μ": r"\mu ", "ν": r"\nu ", "ξ": r"\xi ", "π": r"\pi ", "ρ": r"\rho ", "τ": r"\tau ", "φ": r"\varphi ",
    "χ": r"\chi ", "ψ": r"\psi ", "ω": r"\omega ", "Δ": r"\Delta ", "Γ": r"\Gamma ", "Θ": r"\Theta ",
    "Λ": r"\Lambda ", "Φ": r"\Phi ", "Ψ": r"\Psi ", "Ω": r"\Omega ", "∂": r"\partial ", "∞": r"\infty ",
    "′": "'", "·": r"\cdot ", "−": "-", "½": r"\tfrac{1}{2}", "ᵀ": r"^{\top}", "²": "^{2}", "³": "^{3}", "‖": r"\Vert ",
    "√": r"\sqrt", "∛": r"\sqrt[3]", "≤": r"\le ", "≥": r"\ge ", "⌊": r"\lfloor ", "⌋": r"\rfloor ", "…": r"\dots ",
    " @ ": r"\,", "%": r"\%", "#": r"\#", "&": r"\&", "$": r"\$", "_": r"\_", "{": r"\{", "}": r"\}",
    "\\": r"\backslash ",
}  # fmt: skip
_LATEX_WORDS = {
    word: f"\\{word} " for word in ("sin", "cos", "tan", "exp", "ln", "log", "tanh", "sinh", "cosh", "max", "min")
}


def _latex_symbols(text: str) -> str:
    """The literal part of a template in LaTeX; words upright, so that they do not read as products of letters."""

    def word(match: re.Match[str]) -> str:
        return _LATEX_WORDS.get(match[0], rf"\mathrm{{{match[0]}}}")

    parts = re.split(r"([A-Za-z]{2,}|[₀-₉]+|[⁻⁰¹⁴-⁹]+)", text)
    out = ""
    for part in parts:
        if re.fullmatch(r"[A-Za-z]{2,}", part):
            out += re.sub(r".+", word, part)
        elif re.fullmatch(r"[₀-₉]+", part):
            out += f"_{{{part.translate(_PLAIN)}}}"
        elif re.fullmatch(r"[⁻⁰¹⁴-⁹]+", part):
            out += f"^{{{part.translate(str.maketrans('⁻⁰¹⁴⁵⁶⁷⁸⁹', '-01456789'))}}}"
        else:
            out += "".join([_LATEX.get(c, c) for c in re.split(r"( @ |.)", part) if c])
    return out


def _latex_text(text: str) -> str:
    """Any text for LaTeX's text mode."""
    special = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    return "".join([special.get(c, f"\\{c}" if c in "%#&$_{}" else c) for c in text])


# -------------------------------------------------------------------------------------------- operations as formulas


def _scalar_constant(node: OpNode, i: int) -> float | None:
    """The number that argument `i` is, if it is a constant number."""
    given = node.inputs[i] if i < len(node.inputs) else None
    if isinstance(given, bool | int | float | np.number | np.bool_):
        return float(given)
    return float(given.item()) if isinstance(given, np.ndarray) and given.size == 1 else None


def _exponent(node: OpNode) -> float | None:
    return _scalar_constant(node, 1) if node.op.name == "power" else None


def _raised(n: float) -> str | None:
    """The template of a power with a constant exponent that can be written small."""
    if n == 0.5:
        return "√{0}"
    return "{0}" + f"{int(n)}".translate(_UP) if n == int(n) and abs(n) < 1000 else None


def is_guard(node: OpNode) -> bool:
    """Whether a node is ``where(bad, 1, x)`` with nothing bad: as the table's rules keep x from what they must not see.

    It is x then, and only x is to be drawn.
    """
    return node.op.name == "where" and _scalar_constant(node, 1) == 1 and not np.any(node.values[0])


def expression(node: OpNode, args: Sequence[Expr]) -> Expr:
    """The result of an operation in terms of its arguments: its symbol, filled."""
    power, name = _exponent(node), node.op.name
    if power == 1:
        return args[0]
    if is_guard(node):
        return args[2]
    if power is not None and (template := _raised(power)):
        return fill(template, args)
    if name == "multiply":
        for i in (0, 1):
            constant = _scalar_constant(node, i)
            if constant == 1:
                return args[1 - i]
            if constant is not None:  # numbers stand in front
                text = args[i].text
                return fill("½{0}", [args[1 - i]]) if text == "½" else fill("{0}·{1}", [args[i], args[1 - i]])
    if name == "getitem" and args:
        return fill("{0}[" + _index_text(node.params.get("index")) + "]", args)
    return fill(node.op.symbol, args)


def _index_text(index: Any) -> str:
    """An index as it was typed, if it is short."""
    parts = index if isinstance(index, tuple) else (index,)
    out = []
    for part in parts:
        if isinstance(part, slice):
            out.append(":".join(["" if p is None else str(p) for p in (part.start, part.stop)]))
        elif isinstance(part, int | np.integer):
            out.append(str(int(part)).replace("-", "−"))
        else:
            out.append("…")
    return ", ".join(out).replace("{", "").replace("}", "")


@dataclass(frozen=True, slots=True)
class Product:
    """A local derivative: a number times factors.

    Attributes
    ----------
    coefficient
        The numbers, multiplied out.
    factors
        The rest, outermost function first.
    """

    coefficient: float = 1.0
    factors: tuple[Expr, ...] = ()

    def times(self, other: Product) -> Product:
        """The product of both."""
        return Product(self.coefficient * other.coefficient, self.factors + other.factors)

    @property
    def trivial(self) -> bool:
        """Whether it is 1."""
        return self.coefficient == 1 and not self.factors

    def expr(self) -> Expr:
        """As a formula: the number, then plain factors, then those of functions (``w₂σ′(z₂)``)."""
        if len(self.factors) == 1 and self.coefficient == 1:
            return self.factors[0]
        if not self.factors:
            return literal(self.coefficient)
        below = [f for f in self.factors if f.text.startswith("1/") and f.level == PRODUCT]
        above = [f for f in self.factors if f not in below]
        text, latex = _coefficient(self.coefficient)
        for factor in sorted(above, key=lambda f: "(" in f.text):
            part = factor.inside(POWER if factor.text.startswith("−") else PRODUCT)
            close = text in ("", "−") or text.endswith("½") or may_touch(text, part.text)
            text, latex = (
                text + ("" if close else "·") + part.text,
                latex + (r"\," if latex.strip("-") else "") + part.latex,
            )
        if not text.strip("−"):
            text, latex = text + "1", latex + "1"
        for factor in below:
            over = factor.latex[1:] if factor.latex.startswith("1/") else rf"\,{factor.latex}"
            text, latex = text + factor.text[1:], latex + over
        return Expr(text, latex, SUM if text.startswith("−") else PRODUCT)


def may_touch(before: str, after: str) -> bool:
    """Whether two factors need no dot: w₂σ′(z₂), but v·relu′(z) and weight·σ′(z), where words would read as one."""
    if before.endswith(")") and re.fullmatch(r"[^\W\d_₀-₉][₀-₉ᵀ]*", after):  # Σ′(z₁)w₂ᵀ
        return True
    return bool(re.match(r"(.′)?\(", after)) and not re.search(r"[^\W\d_₀-₉ᵀ]{2}[₀-₉ᵀ]*$", before)


def _coefficient(c: float) -> tuple[str, str]:
    """A number in front of factors, as text and LaTeX."""
    if c in (1, -1):
        return ("", "") if c == 1 else ("−", "-")
    sign, size = ("−" if c < 0 else ""), literal(abs(c))
    return sign + size.text, ("-" if c < 0 else "") + size.latex


def derivative(node: OpNode, i: int, args: Sequence[Expr]) -> Product:
    """The local derivative of an operation by its argument `i`, as the table writes it."""
    power, name, local = _exponent(node), node.op.name, node.op.local
    if is_guard(node) and i == 2:
        return Product()
    if power is not None and i == 0 and power not in (0, 0.5) and (template := _raised(power - 1)):
        return Product(power, () if power == 1 else (args[0] if power == 2 else fill(template, args),))
    if name == "mean" and node.values and np.size(node.values[0]):
        count = np.size(node.values[0]) // max(int(np.size(node.op.forward(*node.values, **node.params))), 1)
        return Product(1.0, (Expr(f"1/{count}", rf"\tfrac{{1}}{{{count}}}", PRODUCT),)) if count > 1 else Product()
    if name == "divide" and i == 0 and (by := _scalar_constant(node, 1)):
        return Product(1 / by)
    if not local:
        word = node.op.name if "{" in node.op.symbol else node.op.symbol
        word = f"{word}′" if len(args) == 1 else f"∂{i + 1}".translate(_DOWN) + word
        return Product(1.0, (fill(word, args),))
    template = local[i] if i < len(local) else local[-1]
    sign, template = (-1.0, template[1:]) if template.startswith("−") else (1.0, template)
    if template.startswith("2·"):
        sign, template = 2 * sign, template[2:]
    if template == "1":
        return Product(sign)
    if match := re.fullmatch(r"\{(\d)\}", template):
        constant = _scalar_constant(node, int(match[1]))
        return (
            Product(sign)
            if constant is None and int(match[1]) >= len(args)
            else (Product(sign * constant) if constant is not None else Product(sign, (args[int(match[1])],)))
        )
    return Product(sign, (fill(template, args) if "{" in template else Expr(template, _latex_symbols(template), SUM),))
