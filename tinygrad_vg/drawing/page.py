"""A page of the project: one self-contained HTML file, nothing loaded from outside, light and dark."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from string import Template

__all__ = ["Section", "page", "table"]

_PAGE = Template("""<!doctype html>
<html lang="$lang">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="color-scheme" content="light dark">
<title>$title</title>
<style>
:root { --ink: #1b2631; --soft: #52616b; --page: #ffffff; --line: #d5dce1; --shade: #f4f7f9; --accent: #0067a8; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #dde5ea; --soft: #9fb0bb; --page: #11191f; --line: #33424c; --shade: #18232b; --accent: #6db9ea; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 76rem; padding: 2rem 1.25rem 4rem; background: var(--page); color: var(--ink);
  font: 1rem/1.6 system-ui, "Segoe UI", "Noto Sans", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif; }
h1 { font-size: 1.9rem; line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1.3rem; margin: 2.75rem 0 .5rem; }
p { max-width: 48rem; margin: .5rem 0 1rem; }
.lead { color: var(--soft); font-size: 1.08rem; }
.scroll { overflow-x: auto; margin: 1rem 0; }
.picture { width: calc(100vw - 2.5rem); max-width: 110rem; margin: 1rem calc(50% - 50vw + 1.25rem); overflow-x: auto; }
.picture svg { display: block; height: auto; width: clamp(calc(.8 * var(--natural)), 100%, var(--natural)); }
.plot svg { display: block; max-width: 100%; height: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .94rem; }
th, td { padding: .3rem .8rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { color: var(--soft); font-weight: 600; background: var(--shade); }
th:first-child, td:first-child { text-align: left; }
.words th, .words td { text-align: left; white-space: normal; vertical-align: top; min-width: 6rem; }
.words td:first-child { min-width: 14rem; }
pre { background: var(--shade); border: 1px solid var(--line); border-radius: .4rem; padding: .8rem 1rem;
  overflow-x: auto; font: .9rem/1.5 ui-monospace, Consolas, "DejaVu Sans Mono", monospace; }
a { color: var(--accent); }
.warn { border-left: .25rem solid #D55E00; padding-left: .8rem; font-weight: 600; }
footer { margin-top: 3rem; color: var(--soft); font-size: .88rem; }
</style>
</head>
<body>
<main>
<h1>$title</h1>
<p class="lead">$lead</p>
$sections
</main>
<footer>$footer</footer>
</body>
</html>
""")


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it; `parts` are HTML already (see `paragraph`, `table`, `picture`, `code`)."""

    title: str
    parts: Sequence[str]

    def __str__(self) -> str:
        return f"<section>\n<h2>{escape(self.title)}</h2>\n" + "\n".join(self.parts) + "\n</section>"


def paragraph(text: str, kind: str = "") -> str:
    """Text as a paragraph of class `kind`."""
    return f'<p class="{kind}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], *, words: bool = False) -> str:
    """A table of numbers, or of sentences (`words`), which are broken; it scrolls sideways where the page is narrow."""
    head = "".join([f'<th scope="col">{escape(h)}</th>' for h in headings])
    body = "\n".join(["<tr>" + "".join([f"<td>{escape(cell)}</td>" for cell in row]) + "</tr>" for row in rows])
    return (
        f'<div class="scroll{" words" if words else ""}" tabindex="0"><table>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>"
    )


def picture(svg: str) -> str:
    """A wide ``<svg>`` element: as wide as the window, not larger than drawn, scrolling where it would be too small."""
    width = re.search(r'<svg[^>]*?\swidth="([0-9.]+(?:pt|px)?)"', svg)
    natural = width[1] if width else "100%"
    return f'<div class="picture" style="--natural: {natural}" tabindex="0">{svg}</div>'


def plot(svg: str) -> str:
    """An ``<svg>`` element that shrinks with the page."""
    return f'<div class="plot">{svg}</div>'


def code(text: str) -> str:
    """Text as a block of code."""
    return f"<pre>{escape(text)}</pre>"


def page(*, lang: str, title: str, lead: str, sections: Sequence[Section], footer: str) -> str:
    """The whole page as text.

    Parameters
    ----------
    lang : str
        The language tag, ``"en"`` or ``"zh-CN"``.
    title, lead, footer : str
        Plain text.
    sections : sequence of Section
    """
    return _PAGE.substitute(
        lang=escape(lang),
        title=escape(title),
        lead=escape(lead),
        sections="\n".join(map(str, sections)),
        footer=escape(footer),
    )
