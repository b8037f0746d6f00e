"""The widths that Graphviz measured, in the SVG."""

import json
import re
import xml.etree.ElementTree as ET

import pytest

from tinygrad_vg.drawing import layout
from tinygrad_vg.drawing.widths import with_widths

SVG = "{http://www.w3.org/2000/svg}"


def said(x, y, words, width):
    return {"op": "T", "pt": [x, y], "align": "l", "width": width, "text": words}


def test_the_same_words_elsewhere_have_a_width_of_their_own():
    svg = b'<svg><text x="1" y="-2.5">a &lt; b</text><text x="1" y="-9">a &lt; b</text><text x="1" y="9"> </text></svg>'
    graph = {"objects": [{"_ldraw_": [{"op": "F"}, said(1, 9, "a < b", 20)]}], "edges": [{"_draw_": []}]}
    graph["_ldraw_"] = [said(1, 2.5, "a < b", 10.25), said(1, -9, " ", 3)]
    found = re.findall(r'textLength="([^"]*)" lengthAdjust="spacingAndGlyphs">([^<]*)<', with_widths(
        svg + json.dumps(graph).encode()
    ).decode())  # fmt: skip
    assert found == [("10.25", "a &lt; b"), ("20", "a &lt; b")]


@pytest.mark.parametrize(
    "output", [b"<svg/>", b"<svg></svg>\n", b"<svg></svg>{", b"", "<svg>\xff</svg>".encode("latin-1")]
)
def test_without_json_the_picture_stays_as_it_is(output):
    assert with_widths(output) == output


@pytest.mark.skipif(not any(engine.available for engine in layout.engines()), reason="there is no Graphviz here")
def test_every_text_of_a_picture_has_its_width():
    label = r"<<table><tr><td>two  spaces &amp; <b>bold</b></td></tr><tr><td>中文 [1  2]</td></tr></table>>"
    source = f'digraph {{ label="the graph\\nand its \\"name\\" \\\\"; a [label={label}]; a -> b [label="×σ′(z₁)"] }}'
    texts = list(ET.fromstring(layout.render(source)).iter(SVG + "text"))
    assert len(texts) == 7
    assert all(float(t.get("textLength")) > 4 for t in texts)
    bold, plain = (next(t for t in texts if words in t.text) for words in ("bold", "spaces"))
    assert float(bold.get("textLength")) < float(plain.get("textLength"))
