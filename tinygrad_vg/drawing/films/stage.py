"""From Graphviz's SVG to a film: every part gets a class that says in which step it appears.

``from-N`` is there from step N on, ``only-N`` in step N alone. Who knows neither the classes nor the animation sees the
last frame.
"""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence

from tinygrad_vg.drawing.films.film_steps import Step
from tinygrad_vg.drawing.sketching.sketch import Sketch, fit, num, text_width
from tinygrad_vg.drawing.theme import Palette

__all__ = ["HOLD", "animation", "staged", "there"]

Box = tuple[float, float, float, float]

_SVG = "{http://www.w3.org/2000/svg}"

HOLD = 4
"""How many steps long the last one is."""
FADE = 0.2
"""How many steps long it takes to appear."""
MARGIN, WIDEST = 18.0, 900.0
"""Around the captions, and how wide they make a narrow picture at most."""
SIZES = (11.0, 19.0)
"""The smallest and the largest size of the captions: what can be read when the picture is as wide as the page."""


def staged(raw: str, steps: Sequence[Step], colours: Palette) -> ET.Element:
    """Put captions over a picture, and mark its parts with the steps in which they appear.

    Parameters
    ----------
    raw : str
        As Graphviz drew it.
    steps : sequence of Step
    colours : Palette
        Of the theme it was drawn in.

    Returns
    -------
    Element
        The ``<svg>``.
    """
    root = ET.fromstring(raw)
    (picture,) = root.findall(f"{_SVG}g")
    parts = _parts(picture, {key for step in steps for key in step.parts}, colours)
    boxes = {key[1]: _box(group) for key, group in parts.items() if key[0] == "node"}
    for number, step in enumerate(steps):
        for key in step.parts:
            if key in parts:
                _mark(parts[key], number)
    for element in list(picture)[2:]:  # behind the title and the background
        if element.tag != f"{_SVG}g":
            _mark(element, len(steps) - 1)  # the table of the product, and the notes
    _focus(picture, steps, boxes, colours)
    return _with_captions(root, picture, steps, colours)


def there(step: int) -> Callable[[tuple[str, ...]], bool]:
    """Whether something with these classes is there in a step."""

    def is_there(classes: tuple[str, ...]) -> bool:
        known = [c.split("-") for c in classes if c.startswith(("from-", "only-"))]
        return all([int(n) <= step if kind == "from" else int(n) == step for kind, n in known])

    return is_there


def _mark(element: ET.Element, step: int) -> None:
    element.set("class", f"{element.get('class', '')} from-{step}".strip())


Key = tuple[str, str]


def _parts(picture: ET.Element, wanted: set[Key], colours: Palette) -> dict[Key, ET.Element]:
    """What a step can let appear: nodes and the numbers of their gradients by the node's id, edges by their own."""
    found: dict[Key, ET.Element] = {}
    for group in picture.findall(f"{_SVG}g[@class='node']"):
        name = group.findtext(f"{_SVG}title", "")
        found["node", name] = group
        if (text := _gradient(group)) is not None:
            found["grad", name] = text
    boxes = {name: _box(group) for (kind, name), group in found.items() if kind == "node"}
    for group in picture.findall(f"{_SVG}g[@class='edge']"):
        name = group.attrib["id"]
        found["edge", name] = group
        key = "edge", f"{name.removesuffix('both')}line"
        if key in wanted:
            found[key] = _line(group, boxes, colours)
            found[key].set("id", key[1])
            picture.insert(list(picture).index(group), found[key])
    return found


def _gradient(group: ET.Element) -> ET.Element | None:
    """The text that is a node's gradient: the one behind its label."""
    texts = list(group.iter(f"{_SVG}text"))
    labels = [i for i, text in enumerate(texts[:-1]) if (text.text or "").strip("\xa0 ") in ("grad", "‖grad‖")]
    return texts[labels[-1] + 1] if labels else None


def _line(group: ET.Element, boxes: dict[str, Box], colours: Palette) -> ET.Element:
    """The forward half of an edge that is both: a thin line from box to box with a head at the target."""
    d = group.findall(f"{_SVG}path")[0].attrib["d"]
    points = _pairs(d)
    tail, head = group.findtext(f"{_SVG}title", "").split("->")
    points = [_nearest(boxes[tail], points[0]), *points, _nearest(boxes[head], points[-1])]
    look = {"stroke": colours.forward, "fill": "none"}
    line = ET.Element(f"{_SVG}g", {"class": "edge"})
    ET.SubElement(line, f"{_SVG}path", {**look, "d": f"M{_point(points[0])}L{d[1:]}L{_point(points[-1])}"})
    if group.attrib["id"].startswith(f"{tail}-"):
        points = points[::-1]
    (x0, y0), (x1, y1) = points[-2:]
    length = math.dist((x0, y0), (x1, y1)) or 1.0
    dx, dy = 6 * (x1 - x0) / length, 6 * (y1 - y0) / length
    sides = [(x1 - dx - s * dy / 2.6, y1 - dy + s * dx / 2.6) for s in (1, -1)]
    triangle = " ".join(map(_point, [sides[0], (x1, y1), sides[1], sides[0]]))
    ET.SubElement(line, f"{_SVG}polygon", {**look, "fill": colours.forward, "points": triangle})
    return line


def _nearest(box: Box, point: tuple[float, float]) -> tuple[float, float]:
    """The point of a box that is nearest."""
    left, top, right, low = box
    return min(max(point[0], left), right), min(max(point[1], top), low)


def _pairs(numbers: str) -> list[tuple[float, float]]:
    """The points of a path or a polygon."""
    words = [float(word) for word in re.findall(r"-?[\d.]+(?:e-?\d+)?", numbers)]
    return list(zip(words[::2], words[1::2], strict=True))


def _point(point: tuple[float, float]) -> str:
    return f"{num(point[0])},{num(point[1])}"


# --------------------------------------------------------------------------------------------------- what leads the eye


def _box(group: ET.Element) -> Box:
    """Left, top, right and bottom of a node, from its first outline."""
    outline = next(e for e in group.iter() if e.tag in (f"{_SVG}path", f"{_SVG}polygon"))
    xs, ys = zip(*_pairs(outline.get("d") or outline.attrib["points"]), strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _focus(picture: ET.Element, steps: Sequence[Step], boxes: dict[str, Box], colours: Palette) -> None:
    """A frame around the node that a step is about."""
    for number, step in enumerate(steps):
        if step.focus in boxes:
            left, top, right, low = boxes[step.focus]
            look = {"fill": "none", "stroke": colours.hot[0], "stroke-width": "2", "stroke-dasharray": "6,4"}
            frame = {"class": f"focus only-{number}", "opacity": "0", **look}
            ET.SubElement(picture, f"{_SVG}path", {**frame, "d": _rounded(left - 5, top - 5, right + 5, low + 5, 11)})


def _rounded(left: float, top: float, right: float, low: float, r: float) -> str:
    """A rectangle with round corners."""
    path, bend = "", 0.45 * r  # the control points of a quarter circle
    corners = [(right, top, 1, 0), (right, low, 0, 1), (left, low, -1, 0), (left, top, 0, -1)]
    for x, y, dx, dy in corners:  # coming along (dx, dy), and turning right
        into, out = (x - r * dx, y - r * dy), (x - r * dy, y + r * dx)
        bends = (x - bend * dx, y - bend * dy), (x - bend * dy, y + bend * dx)
        path += f"L{_point(into)}C{_point(bends[0])} {_point(bends[1])} {_point(out)}"
    return f"M{path[1:]}Z"


def _with_captions(root: ET.Element, picture: ET.Element, steps: Sequence[Step], colours: Palette) -> ET.Element:
    """The picture under a band with the caption of each step and a row of dots, one a step."""
    width, height = map(float, root.attrib["viewBox"].split()[2:])
    ems = max([text_width(step.caption, 1, bold=True) for step in steps])
    size = min(max(width / 75, SIZES[0]), SIZES[1], max((width - 2 * MARGIN) / ems, SIZES[0]))
    whole = max(width, min(ems * size, WIDEST) + 2 * MARGIN)
    band = 4.4 * size
    page = Sketch(colours)
    for number, step in enumerate(steps):
        with page.group(f"caption only-{number}"):
            ink = colours.ink if step.phase == "forward" else colours.ramp[3][1]
            page.text(whole / 2, 1.5 * size, step.phase, size=0.72 * size, colour=colours.soft)
            caption = fit(step.caption, size, whole - 2 * MARGIN, bold=True)
            page.text(whole / 2, 2.8 * size, caption, size=size, colour=ink, bold=True)
    _dots(page, steps, whole, 3.8 * size)
    over = ET.fromstring(page.svg(whole, band + height))
    for group in over.findall(f"{_SVG}g")[:-1]:
        group.set("opacity", "0")  # where nothing moves, the last caption is the one to read
    moved = ET.SubElement(over, f"{_SVG}g", {"transform": f"translate({num((whole - width) / 2)} {num(band)})"})
    moved.append(picture)
    return over


def _dots(page: Sketch, steps: Sequence[Step], width: float, y: float) -> None:
    """How far the film is."""
    pitch = min(12.0, (width - 2 * MARGIN) / len(steps))
    for number, step in enumerate(steps):
        x = width / 2 + (number - (len(steps) - 1) / 2) * pitch
        page.circle(x, y, 0.28 * pitch, fill=page.colours.page, stroke=page.colours.forward, width=0.8)
        done = page.colours.box if step.phase == "forward" else page.colours.ramp[3][0]
        page.circle(x, y, 0.28 * pitch + 0.5, fill=done, kind=f"from-{number}")


# ----------------------------------------------------------------------------------------------------------- animation


def animation(name: str, count: int, seconds: float) -> str:
    """The style sheet that lets the parts of the SVG called `name` appear, step after step, again and again."""
    length = count - 1 + HOLD
    rules, frames = [], []
    for step in range(count):
        begin, end = step / length, (step + 1) / length
        soon, gone = begin + FADE / length, end + FADE / length
        on, off = "opacity:1", "opacity:0"
        if step:
            frames.append(_frames(f"{name}-from-{step}", [(0, off), (begin, off), (soon, on), (1, on)]))
            rules.append(_rule(name, "from", step, length * seconds))
        start = [(0.0, off), (begin, off), (soon, on)] if step else [(0.0, on)]
        stop = [(end, on), (gone, off), (1.0, off)] if step < count - 1 else [(1.0, on)]
        frames.append(_frames(f"{name}-only-{step}", start + stop))
        rules.append(_rule(name, "only", step, length * seconds))
    moving = "@media screen and (prefers-reduced-motion: no-preference) {\n" + "\n".join(rules) + "\n}"
    return "\n".join([*frames, moving]) + "\n"


def _rule(name: str, kind: str, step: int, seconds: float) -> str:
    return f"#{name} .{kind}-{step} {{ animation: {name}-{kind}-{step} {seconds:g}s linear infinite }}"


def _frames(name: str, stops: Sequence[tuple[float, str]]) -> str:
    told = " ".join([f"{num(100 * at)}% {{ {style} }}" for at, style in stops])
    return f"@keyframes {name} {{ {told} }}"
