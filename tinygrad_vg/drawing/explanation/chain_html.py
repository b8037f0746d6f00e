"""A chain for notebooks: a self-contained table with bars, in the reader's light or dark colours."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from tinygrad_vg.drawing.explanation.chain_text import columns, footnotes, headline, intro, one_line, shortened
from tinygrad_vg.drawing.formula import number
from tinygrad_vg.drawing.theme import DARK, LIGHT, Palette, Scale

if TYPE_CHECKING:
    from tinygrad_vg.drawing.explanation.chains import Chain, Path, Term

__all__ = ["chain_html"]

_NAMES = "page", "ink", "soft", "rule", "shade"

_STYLE = """
.tinygrad-vg-chain { %LIGHT%; margin: 0; padding: .8em 1em; max-width: 100%; overflow-x: auto;
  box-sizing: border-box; background: var(--page); color: var(--ink); color-scheme: light dark;
  font: 14px/1.5 system-ui, "Segoe UI", "Noto Sans", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif; }
.tinygrad-vg-chain p { margin: 0 0 .6em; }
.tinygrad-vg-chain .note { color: var(--soft); font-size: .93em; margin: .5em 0 0; max-width: 52em; }
.tinygrad-vg-chain table { border-collapse: collapse; margin: .3em 0; background: none; color: inherit;
  font-size: inherit; font-variant-numeric: tabular-nums; }
.tinygrad-vg-chain :is(th, td) { padding: .25em .8em; border: 1px solid var(--rule); text-align: right;
  white-space: nowrap; background: var(--page); color: var(--ink); font-weight: 400; }
.tinygrad-vg-chain thead th { background: var(--shade); font-weight: 600; white-space: normal; vertical-align: top; }
.tinygrad-vg-chain :is(th:first-child, td.gap) { text-align: left; font-weight: 600; }
.tinygrad-vg-chain th:last-child { text-align: left; }
.tinygrad-vg-chain td.bar { width: 10em; min-width: 8em; }
.tinygrad-vg-chain td.bar i { display: block; height: .8em; background: var(--light); }
.tinygrad-vg-chain summary { cursor: pointer; padding: .2em 0; }
@media (prefers-color-scheme: dark) {
  .tinygrad-vg-chain { %DARK% }
  .tinygrad-vg-chain td.bar i { background: var(--dark); }
}
@media print { .tinygrad-vg-chain td.bar i { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""


def _variables(c: Palette) -> str:
    colours = c.page, c.ink, c.soft, c.rule, c.heads["input"]
    return "; ".join([f"--{name}: {colour}" for name, colour in zip(_NAMES, colours, strict=True)])


def chain_html(chain: Chain) -> str:
    """The chain as one HTML element with its own style; nothing is loaded, and no name in it is markup."""
    scale = Scale.of([term.product for path in chain.paths for term in path.terms])
    parts = [f"<p><b>{_text(headline(chain))}</b></p>"]
    for i, path in enumerate(chain.paths):
        formula, table = intro(chain, path), _table(chain, path, scale)
        if i == 0:
            parts += [f"<p>{_text(formula)}</p>" if formula else "", table]
        else:  # the others on demand
            parts.append(
                f"<details><summary>{_text(formula)}</summary>{table}</details>"
                if table
                else f"<p>{_text(formula)}</p>"
            )
    parts += [f'<p class="note">{_text(note)}</p>' for note in footnotes(chain)]
    style = _STYLE.replace("%LIGHT%", _variables(LIGHT)).replace("%DARK%", _variables(DARK))
    return (
        f'<div class="tinygrad-vg-chain" tabindex="0"><style>{style}</style>\n'
        + "\n".join(filter(None, parts))
        + "\n</div>"
    )


def _text(s: str) -> str:
    return escape(one_line(s))


def _table(chain: Chain, path: Path, scale: Scale) -> str:
    """The terms of a path, one a row."""
    if not path.terms:
        return ""
    found = columns(chain, path)
    heads = [*[column.heading for column in found], f"size, log scale ({_range(scale)})"]
    rows = [_tr([f'<th scope="col">{_text(head)}</th>' for head in heads])]
    body = []
    for term in shortened(path.terms):
        if isinstance(term, str):
            body.append(_tr([f'<td class="gap" colspan="{len(heads)}">{_text(term)}</td>']))
        else:
            cells = [f"<td>{_text(column.cell(term))}</td>" for column in found[1:]]
            body.append(_tr([f'<th scope="row">{_text(term.text)}</th>', *cells, _bar(term, scale)]))
    return f"<table><thead>{''.join(rows)}</thead>\n<tbody>{''.join(body)}</tbody></table>"


def _tr(cells: Sequence[str]) -> str:
    return f"<tr>{''.join(cells)}</tr>\n"


def _range(scale: Scale) -> str:
    """What the ends of the longest bar stand for: ``1e−4 … 1``."""
    low, high = [number(float(f"{10.0**end:.1e}")) for end in (scale.low, scale.high)]
    return f"{low} … {high}"


def _bar(term: Term, scale: Scale) -> str:
    """The running product as a bar; its number stands beside it."""
    light, dark = scale.line(term.product, LIGHT)[0], scale.line(term.product, DARK)[0]
    style = f"--light: {light}; --dark: {dark}; width: {scale.bar(term.product, 100)}%"
    return f'<td class="bar" aria-hidden="true"><i style="{style}"></i></td>'
