"""Texts as wide as the boxes drawn around them, whatever font the reader has.

Graphviz measures each text with a font of the machine it runs on, rounded to whole pixels, and its SVG does not tell
what it found. Its JSON does. So an engine writes both, and here every text gets the width it was measured with as its
``textLength``: a browser then draws it exactly so wide, and none leaves its box.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from html import unescape

__all__ = ["with_widths"]

_END = b"</svg>"


def with_widths(output: bytes) -> bytes:
    """Give the texts of an SVG the widths that stand in the JSON behind it.

    Parameters
    ----------
    output : bytes
        What ``dot -Tsvg -Tjson`` writes.

    Returns
    -------
    bytes
        The SVG alone; all of it, if what follows the SVG is no JSON.
    """
    end = output.rfind(_END) + len(_END)
    try:
        graph = json.loads(output[end:])
    except ValueError:
        return output
    measured: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    for part in (graph, *graph.get("objects", ()), *graph.get("edges", ())):
        for op in part.get("_ldraw_", ()):
            if op["op"] == "T":
                measured[_key(op["text"])].append((*op["pt"], op["width"]))

    def fitted(match: re.Match[str]) -> str:
        words, place = _key(unescape(match[2])), re.search(r' x="([^"]+)" y="-?([^"]+)"', match[1])
        if place is None or words not in measured or not words.strip():
            return match[0]
        x, y = map(float, place.groups())  # upwards, as in the JSON
        width = min([(abs(found[0] - x) + abs(found[1] - y), found[2]) for found in measured[words]])[1]
        return f'<text{match[1]} textLength="{width:g}" lengthAdjust="spacingAndGlyphs">{match[2]}</text>'

    return re.sub("<text([^>]*)>([^<]*)</text>", fitted, output[:end].decode()).encode()


def _key(words: str) -> str:
    """What both agree on: the SVG makes the second of two spaces a hard one, the JSON doubles backslashes."""
    return re.sub(r"\\+", r"\\", words.replace("\xa0", " "))
