"""Reading pictures in tests: what stands where, whatever drew it."""

import re
import xml.etree.ElementTree as ET

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from tinygrad_vg.drawing.theme import DARK, LIGHT

SVG = "{http://www.w3.org/2000/svg}"


def shapes(svg, kind, tag="*"):
    """The elements of a class, in the order in which they are painted."""
    found = [e for e in ET.fromstring(svg).iter() if kind in e.get("class", "").split()]
    return [e for e in found if tag in ("*", e.tag.removeprefix(SVG))]


def circle(element):
    """Middle and radius."""
    return tuple(float(element.get(key)) for key in ("cx", "cy", "r"))


def branches(element):
    """The corners of each line of a path of straight lines."""
    lines = re.findall(r"M[^M]*", element.get("d"))
    return [[tuple(map(float, pair.split(","))) for pair in re.findall(r"-?[\d.]+,-?[\d.]+", line)] for line in lines]


def bounds(element):
    """Left, top, right and bottom of a path or circle."""
    if element.get("cx"):
        x, y, r = circle(element)
        return x - r, y - r, x + r, y + r
    numbers = [float(n) for n in re.findall(r"-?[\d.]+", element.get("d"))]
    return min(numbers[::2]), min(numbers[1::2]), max(numbers[::2]), max(numbers[1::2])


def page(svg):
    """Width and height."""
    return tuple(map(float, ET.fromstring(svg).get("viewBox").split()[2:]))


def texts(svg):
    """Every text, as it is read."""
    return ["".join(t.itertext()).replace("\xa0", " ").strip() for t in ET.fromstring(svg).iter(SVG + "text")]


def text_boxes(svg):
    """(text, left, top, right, bottom) of every text in DejaVu Sans, which stands in for Verdana."""
    for t in ET.fromstring(svg).iter(SVG + "text"):
        words, size = "".join(t.itertext()), float(t.get("font-size"))
        font = FontProperties(family="DejaVu Sans", size=size, weight=t.get("font-weight", "normal"))
        width = text_to_path.get_text_width_height_descent(words, font, False)[0]
        x, y = float(t.get("x")), float(t.get("y"))
        left = x - width * {"start": 0, "middle": 0.5, "end": 1}[t.get("text-anchor", "start")]
        yield words, left, y - 0.76 * size, left + width, y + 0.24 * size


def apart(first, second, gap=0.0):
    """Whether two boxes (left, top, right, bottom) do not touch."""
    return (
        first[2] + gap <= second[0]
        or second[2] + gap <= first[0]
        or first[3] + gap <= second[1]
        or second[3] + gap <= first[1]
    )


def assert_texts_fit(svg):
    """Every text is inside the page, and none lies on another."""
    width, height = page(svg)
    boxes = list(text_boxes(svg))
    for words, left, top, right, bottom in boxes:
        assert left >= 0, words
        assert top >= 0, words
        assert right <= width, words
        assert bottom <= height, words
    for i, (words, *box) in enumerate(boxes):
        for other, *second in boxes[i + 1 :]:
            assert apart(box, second), (words, other)


def luminance(colour):
    """Relative luminance, as WCAG defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a, b):
    """From 1 to 21."""
    low, high = sorted([luminance(a), luminance(b)])
    return (high + 0.05) / (low + 0.05)


def assert_readable(svg, theme):
    """All colours are the palette's; texts, lines and what is filled with a colour of lines stand out on the page."""
    palette = DARK if theme == "dark" else LIGHT
    root = ET.fromstring(svg)
    fills = {palette.page} | {palette.heads[k] for k in palette.heads}
    for element in root.iter():
        for key in ("fill", "stroke"):
            colour = element.get(key, "none")
            assert colour == "none" or colour in palette.colours(), colour
        if element.tag == SVG + "text":
            assert contrast(element.get("fill"), palette.page) >= 4.5
        elif element.get("stroke", "none") != "none":
            assert contrast(element.get("stroke"), palette.page) >= 3, element.attrib
        elif element.get("fill", "none") not in ("none", *fills):
            assert contrast(element.get("fill"), palette.page) >= 3, element.attrib


HOSTILE = [
    '<b>&"x"</b>',
    "\\N{}|:;",
    "</script>",
    "]]>&amp;",
    "a\x00\x1b[31m",
    "权重",
    "two\nlines",
    "-->",
    "$\\frac{1}{2}$",
    "{0}%s",
    "</style></desc>",
]


def as_drawn(name):
    """How a hostile name reads in a picture."""
    return name.replace("\x00", "␀").replace("\x1b", "␛").replace("\n", "␊")
