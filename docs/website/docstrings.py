"""Docstrings as they are meant: ``|x|`` is an absolute value, not one of reStructuredText's substitutions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

__all__ = ["setup"]

CODE = re.compile(r"(``.*?``)")
BARS = re.compile(r"\|(?=\S[^|]*\|)|(?<=\S)\|")


def literal_bars(app: Sphinx, kind: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Escape the bars in running text; examples and code stay as they are."""
    example = False
    for k, line in enumerate(lines):
        example = line.lstrip().startswith((">>>", "...")) or (example and bool(line.strip()))
        if not example:
            parts = CODE.split(line)
            parts[::2] = [BARS.sub(r"\\|", part) for part in parts[::2]]
            lines[k] = "".join(parts)


def setup(app: Sphinx) -> dict[str, bool]:
    """Sphinx calls it."""
    app.connect("autodoc-process-docstring", literal_bars, priority=900)  # after numpydoc
    return {"parallel_read_safe": True, "parallel_write_safe": True}
