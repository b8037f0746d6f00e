"""The pictures of the gallery: what the code on its page draws."""

import re
from functools import cache, partial
from pathlib import Path
from typing import Any

__all__ = ["PICTURES"]

PAGE = Path(__file__).resolve().parent.parent / "gallery.md"
BLOCK = re.compile(r"```python\n(.*?)```\n+!\[[^]]*\]\(images/([\w-]+)\.svg\)", re.DOTALL)


@cache
def drawn() -> dict[str, str]:
    """Every picture of the page as SVG, by name; the code runs from the top, and each block leaves its `picture`."""
    names: dict[str, Any] = {}
    pictures = {}
    for code, name in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        exec(compile(code, f"{PAGE.name}, before {name}", "exec"), names)
        picture = names.pop("picture")
        pictures[name] = picture if isinstance(picture, str) else picture.to_svg()
    return pictures


def one(name: str) -> str:
    """One of them."""
    return drawn()[name]


PICTURES = {name: partial(one, name) for _, name in BLOCK.findall(PAGE.read_text(encoding="utf-8"))}
