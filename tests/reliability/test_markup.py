"""No name becomes markup: whatever it is, pictures and pages have the elements they have for a plain name.

The explorer's page is tried in tests/drawing/test_explorer.py, and single names in each kind of picture.
"""

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest
from amounts import NAMES
from hypothesis import example, given, settings
from names import LONG, hostile

import tinygrad_vg as vg
from tinygrad_vg.drawing import draw_network
from tinygrad_vg.drawing.page import Section, code, page, paragraph, table
from tinygrad_vg.lab.results import Table

NAME = "abc"


def named(name):
    """A graph that has the name wherever a name can be: of a variable, a constant's op, a result, a scope."""
    x, w = vg.Tensor(0.5, name), vg.Tensor(np.ones(3), name)
    own = vg.primitive(np.sin, (lambda g, out, x: g * np.cos(x),), name="own", symbol="s")
    with vg.name_scope(name):
        y = (own(x) * np.sum(w)).named(name)
    return (y + x * y).named(name), x


class Elements(HTMLParser):
    """The elements of a page and the names of their attributes, in order."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.found = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, sorted([name for name, _ in attrs])))

    def handle_comment(self, data):
        self.found.append(("comment", data))

    def handle_decl(self, decl):
        self.found.append(("declaration", decl))

    def handle_pi(self, data):
        self.found.append(("instruction", data))

    def unknown_decl(self, data):
        self.found.append(("declaration", data))


def of_xml(text):
    """The same of a picture, which must be well-formed; lines of text may be more or fewer."""
    root = ElementTree.fromstring(text)
    kinds = {element.tag for element in root.iter()}
    return kinds, {name for element in root.iter() for name in element.attrib if not name.startswith("on")}


def harmless(text):
    assert not re.search("[\\0-\\x08\\x0b\\x0c\\x0e-\\x1f\\ud800-\\udfff]", text)
    text.encode()


def of_network(name):
    net = vg.nn.MLP([2, 2], seed=0)
    return net.bind([net.layers[0].w.data, vg.Tensor([0.1, 0.2], name)])


PICTURES = {
    "scalar": lambda t, x: vg.draw(t, x, "scalar").to_svg(),
    "tensor": lambda t, x: vg.draw(t, None, "tensor").to_svg(),
    "layer": lambda t, x: vg.draw(t, None, "layer").to_svg(),
    "network": lambda t, x: draw_network(of_network(t.name)).to_svg(),
}


@pytest.mark.parametrize("kind", PICTURES)
@settings(max_examples=max(NAMES // 8, 2))
@given(name=hostile)
@example(name=LONG)
def test_pictures(kind, name):
    svg = PICTURES[kind](*named(name))
    harmless(svg)
    kinds, attributes = of_xml(svg)
    plain_kinds, plain_attributes = of_xml(PICTURES[kind](*named(NAME)))
    assert {tag.rpartition("}")[2] for tag in kinds - plain_kinds} <= {"tspan", "title"}
    assert attributes <= plain_attributes | {"font-weight", "textLength", "lengthAdjust"}
    assert not any(["script" in tag.lower() or "image" in tag.lower() for tag in kinds])


def structure(dot):
    """DOT text without what stands in quotes and in HTML-like labels: what is left is Graphviz's to obey."""
    text = re.sub(r'"(?:[^"\\]|\\.)*"', '""', dot, flags=re.DOTALL).replace("->", "→")
    left, depth = [], 0
    for c in text:
        depth += c == "<"
        left.append(" " if depth else c)
        depth -= c == ">"
        assert depth >= 0
    assert depth == 0
    return set(re.sub(r"[\d.]+", "0", "".join(left)).split())


@settings(max_examples=NAMES)
@given(name=hostile)
@example(name=LONG)
def test_dot(name):
    found, plain = [structure(vg.draw(*named(n), "scalar").source) for n in (name, NAME)]
    assert found <= plain


@settings(max_examples=NAMES)
@given(name=hostile)
@example(name=LONG)
def test_texts_and_notebooks(name):
    """The chain of terms, in a notebook and as LaTeX, and tables."""
    t, x = named(name)
    chain, plain = [vg.explain(*named(n)) for n in (name, NAME)]
    assert set(map(str, Elements(chain._repr_html_()).found)) <= set(map(str, Elements(plain._repr_html_()).found))
    harmless(chain._repr_html_())
    harmless(chain.latex())
    harmless(str(chain))
    assert "\x1b" not in str(chain) + str(vg.draw(t, x))
    cells = Table.of((name, "b"), [(name, 1)], title=name)._repr_html_()
    assert Elements(cells).found == Elements(Table.of((NAME, "b"), [(NAME, 1)], title=NAME)._repr_html_()).found


@settings(max_examples=max(NAMES // 8, 2))
@given(name=hostile)
@example(name=LONG)
def test_reports_of_checks(name):
    report, plain = [vg.certify_backward(named(n)[0], raises=False)._repr_html_() for n in (name, NAME)]
    assert set(map(str, Elements(report).found)) <= set(map(str, Elements(plain).found))


def whole_page(name):
    parts = [paragraph(name), table([name, "b"], [[name, "1"]]), code(name)]
    return page(lang="en", title=name, lead=name, sections=[Section(name, parts)], footer=name)


@settings(max_examples=NAMES)
@given(name=hostile)
@example(name=LONG)
def test_pages(name):
    assert Elements(whole_page(name)).found == Elements(whole_page(NAME)).found
