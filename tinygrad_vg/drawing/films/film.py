"""A film of backprop for slides: the values appear node by node, then the cotangents flow back edge by edge.

It is the picture of `draw`, drawn once; every step adds some of its parts. As SVG the steps are a CSS animation without
a script; those who asked their system for less motion, and programs that know no animation, show the last frame. As GIF
the same parts are painted by matplotlib, frame by frame.
"""

from __future__ import annotations

import hashlib
import os
import xml.etree.ElementTree as ET
from collections import Counter
from functools import cached_property
from pathlib import Path
from typing import Any

from tinygrad_vg.drawing import dot
from tinygrad_vg.drawing.films.film_steps import Step, steps_of
from tinygrad_vg.drawing.films.gif import animated_gif
from tinygrad_vg.drawing.films.stage import HOLD, animation, staged, there
from tinygrad_vg.drawing.graph import Graph, draw
from tinygrad_vg.drawing.layout import LayoutError, finish_svg, write_atomically
from tinygrad_vg.drawing.sketching.picture import checked_suffix
from tinygrad_vg.drawing.sketching.raster import Sheet
from tinygrad_vg.drawing.theme import dark_css, palette
from tinygrad_vg.tensor import Tensor

__all__ = ["Film", "draw_film"]

MAX_NODES = 40
GIF_WIDTH = 1600


def draw_film(
    t: Tensor, wrt: Tensor | None = None, *, seconds: float = 1.5, theme: str = "auto", max_nodes: int = MAX_NODES
) -> Film:
    """Draw how backprop goes: forward, node by node, then backward, edge by edge.

    Parameters
    ----------
    t : Tensor
        The root, as for `draw`.
    wrt : Tensor, optional
        The last frame shows the product that is the derivative by this.
    seconds : float
        How long a step is shown.
    theme : {"auto", "light", "dark"}
        "auto" follows the reader's system (SVG; elsewhere light).
    max_nodes : int
        With more boxes than this there is no film.

    Returns
    -------
    Film

    Raises
    ------
    TypeError, ValueError
        As `draw`, and if there are more than `max_nodes` boxes.

    Examples
    --------
    >>> import tinygrad_vg as vg
    >>> x = vg.Tensor(3.0, "x")
    >>> print(draw_film((x * x).named("y")))
    forward: y = x·x = 9
    backward: ∂y/∂y = 1: here the sweep begins
    backward: ∂y/∂x, part 1 of 2: x = 3
    backward: ∂y/∂x, part 2 of 2: x = 3; the sum is 6
    gradients: all gradients of y, in one sweep
    """
    if not seconds > 0:
        raise ValueError(f"seconds must be positive, got {seconds!r}")
    graph = draw(t, wrt, level="tensor", theme=theme, max_nodes=max_nodes)
    model = graph._plan.model
    if graph.level != "tensor" or model is None:
        raise ValueError(
            f"draw_film shows one box a named tensor, and there are more than max_nodes={max_nodes} of them; raise it, "
            "or name fewer tensors"
        )
    return Film(graph, steps_of(model, graph.chain), seconds)


class Film:
    """A film of backprop; made by `draw_film`.

    Attributes
    ----------
    graph : Graph
        The picture that it ends with.
    captions : list of str
        What happens in each step.
    seconds : float
        How long a step is shown.
    theme : str
        ``auto``, ``light`` or ``dark``.
    """

    def __init__(self, graph: Graph, steps: list[Step], seconds: float) -> None:
        self.graph, self.seconds, self.theme = graph, seconds, graph.theme
        self._steps = steps
        self.captions = [step.caption for step in steps]

    def __len__(self) -> int:
        """The number of steps."""
        return len(self._steps)

    @cached_property
    def _stage(self) -> ET.Element:
        """The picture with captions, every part marked with the step in which it appears."""
        raw = dot.plain_tooltips(self.graph._render("svg").decode())
        return staged(raw, self._steps, palette(self.theme))

    def to_svg(self) -> str:
        """The film as one ``<svg>`` element that moves by itself and begins again when it has ended.

        Raises
        ------
        NoLayoutEngineError, LayoutError
            As `Graph.to_svg`.
        """
        stage = ET.tostring(self._stage, encoding="unicode")
        name = "vg-" + hashlib.sha256(f"{stage}{self.seconds}{self.theme}".encode()).hexdigest()[:8]
        css = dark_css() if self.theme == "auto" else ""
        title = f"Film: {self.graph.title}"
        svg = finish_svg(stage, title=title, description=self._description, id_prefix=name, css=css)
        moving = f"<style>\n{animation(name, len(self), self.seconds)}</style>"
        return svg.replace("</desc>", f"</desc>\n{moving}", 1)

    @property
    def _description(self) -> str:
        count = Counter([step.phase for step in self._steps])
        return f"{count['forward']} steps forward, {count['backward']} backward. {self.graph.description}"

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the film as ``.svg`` or ``.gif``, or its last frame as ``.png`` or ``.pdf``.

        Returns
        -------
        Path
            Where it is.

        Raises
        ------
        ValueError
            For another suffix.
        """
        target = Path(path)
        suffix = checked_suffix(target, ("svg", "gif", "png", "pdf"))
        if suffix == "svg":
            data = self.to_svg().encode()
        elif suffix == "gif":
            data = self._gif()
        else:
            sheet = self._sheet()
            sheet.show(there(len(self) - 1))
            data = sheet.save(suffix, 144.0)
        write_atomically(target, data)
        return target

    def _sheet(self) -> Sheet:
        return Sheet(ET.tostring(self._stage, encoding="unicode"))

    def _gif(self) -> bytes:
        sheet, frames = self._sheet(), []
        dpi = min(144.0, GIF_WIDTH / float(sheet.figure.get_figwidth()))
        for step in range(len(self)):
            sheet.show(there(step))
            frames.append(sheet.pixels(dpi))
        times = [round(1000 * self.seconds)] * len(frames)
        return animated_gif(frames, [*times[:-1], HOLD * times[-1]])

    def __repr__(self) -> str:
        return f"<Film of {self.graph._plan.root!r}: {len(self)} steps of {self.seconds:g} s>"

    def __str__(self) -> str:
        return "\n".join([f"{step.phase}: {step.caption}" for step in self._steps])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """For notebooks: SVG and the captions; the captions and one sentence where nothing can lay the graph out."""
        try:
            return {"image/svg+xml": self.to_svg(), "text/plain": str(self)}
        except LayoutError as error:
            return {"text/plain": f"{self}\n\n{error}"}
