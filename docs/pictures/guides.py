"""The guides: what the code of their pages prints and draws."""

import io
import re
from collections.abc import Iterable
from contextlib import redirect_stdout
from functools import cache, partial
from pathlib import Path
from typing import Any

from pictures.page import filled

__all__ = ["PAGES", "PICTURES", "fill", "outputs"]

DOCS = Path(__file__).resolve().parent.parent
PAGES = (*sorted((DOCS / "guide").glob("*.md")), DOCS / "compared.md")
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n!\[[^]]*\]\([./]*images/([\w-]+)\.svg\))?", re.DOTALL | re.MULTILINE)


@cache
def ran(page: Path) -> tuple[list[str], dict[str, str]]:
    """Run a page from the top: what each block prints, and the pictures by name."""
    names: dict[str, Any] = {}
    printed, pictures = [], {}
    for code, name in BLOCK.findall(page.read_text(encoding="utf-8")):
        said = io.StringIO()
        with redirect_stdout(said):
            exec(compile(code, page.name, "exec"), names)
        printed.append(said.getvalue())
        if name:
            pictures[name] = names["picture"].to_svg()
    return printed, pictures


def outputs(page: Path) -> list[str]:
    """What each block of a page prints."""
    return ran(page)[0]


def picture(page: Path, name: str) -> str:
    """A picture of a page, as SVG."""
    return ran(page)[1][name]


def fill(pages: Iterable[Path] = PAGES) -> None:
    """Put into the pages what their code prints."""
    for page in pages:
        text = filled(page.read_text(encoding="utf-8"), {}, outputs(page))
        page.write_text(text, encoding="utf-8", newline="\n")


PICTURES = {
    name: partial(picture, page, name)
    for page in PAGES
    for _, name in BLOCK.findall(page.read_text(encoding="utf-8"))
    if name
}
