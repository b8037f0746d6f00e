"""Listings of the source lead back to where a name is explained, whatever module it is listed under there.

Sphinx supposes that all names of a file are explained under one module; here `explain` is ``tinygrad_vg.explain``,
while `Chain`, from the same file, is ``tinygrad_vg.drawing.Chain``.
"""

import re
from typing import Any

from sphinx.application import Sphinx

__all__ = ["setup"]

BACK = re.compile(r'(<a class="viewcode-back" href="(?:\.\./)*([^"#]*)\.html)#([\w.]+)"')


def lead_back(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Correct the links of a listing."""
    if not pagename.startswith("_modules/") or "body" not in context:
        return
    explained = app.env.domains.python_domain.objects

    def corrected(found: re.Match[str]) -> str:
        page, name = found[2], found[3]
        there = [other for other, place in explained.items() if place.docname == page]
        if name in there:
            return found[0]
        tails = [name.split(".", k)[-1] for k in (1, 2)]  # without the package, and without the room
        same = [other for tail in tails for other in there if other.endswith(f".{tail}")]
        return f'{found[1]}#{same[0]}"' if same else f'{found[1]}"'

    context["body"] = BACK.sub(corrected, context["body"])


def setup(app: Sphinx) -> dict[str, bool]:
    """Sphinx calls it."""
    app.connect("html-page-context", lead_back)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
