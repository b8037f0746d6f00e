"""Pages whose tables and outputs are computed.

Between ``<!-- generated: NAME -->`` and ``<!-- end -->`` stands what a function gives, between ``<!-- output -->`` and
``<!-- end -->`` what the block of Python above it prints. The blocks of a page share their names, as in a notebook.
"""

import io
import re
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from typing import NamedTuple

__all__ = ["Part", "filled", "parts", "printed"]

_PART = re.compile(
    r"```python\n(?P<code>.*?)```\n(?:\n<!-- output -->\n(?P<output>.*?)<!-- end -->)?"
    r"|<!-- generated: (?P<name>[\w-]+) -->\n(?P<table>.*?)<!-- end -->",
    re.DOTALL,
)


class Part(NamedTuple):
    """A block of Python or a generated table.

    Attributes
    ----------
    code
        The Python; empty for a table.
    name
        Of the table; empty for Python.
    kept
        What stands on the page as output or table; None for Python without output.
    """

    code: str
    name: str
    kept: str | None


def parts(page: str) -> Iterator[Part]:
    """The parts of a page, in order."""
    for found in _PART.finditer(page):
        kept = found["table"] if found["name"] else found["output"]
        yield Part(found["code"] or "", found["name"] or "", kept)


def printed(page: str) -> list[str]:
    """Run the blocks of Python of a page one after the other; what each prints."""
    scope: dict[str, object] = {}
    texts = []
    for part in parts(page):
        if part.code:
            out = io.StringIO()
            with redirect_stdout(out):
                exec(compile(part.code, "<page>", "exec"), scope)
            texts.append(out.getvalue())
    return texts


def filled(page: str, tables: Mapping[str, str], outputs: list[str] | None = None) -> str:
    """The page with these tables and outputs (one a block of Python) in their places; the others stay as they are."""
    left = iter(outputs or [])

    def put(found: re.Match[str]) -> str:
        if found["name"]:
            table = tables.get(found["name"])
            return found[0] if table is None else f"<!-- generated: {found['name']} -->\n\n{table}\n\n<!-- end -->"
        text = next(left, None)
        if text is None or found["output"] is None:
            return found[0]
        return f"```python\n{found['code']}```\n\n<!-- output -->\n\n```text\n{text}```\n\n<!-- end -->"

    missing = tables.keys() - {part.name for part in parts(page)}
    if missing:
        raise ValueError(f"there is no place <!-- generated: … --> … <!-- end --> for {', '.join(sorted(missing))}")
    return _PART.sub(put, page)
