"""What a drawing by hand gives: the picture as SVG, PNG and PDF, and as text."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tinygrad_vg.drawing.layout import finish_svg, write_atomically
from tinygrad_vg.drawing.sketching.raster import rasterise
from tinygrad_vg.drawing.theme import dark_css

__all__ = ["THEMES", "Picture", "checked_suffix", "checked_theme"]

THEMES = ("auto", "light", "dark")


def checked_theme(theme: str) -> str:
    """`theme`, if it is one."""
    if theme not in THEMES:
        raise ValueError(f"theme must be one of {', '.join(THEMES)}, got {theme!r}")
    return theme


def checked_suffix(path: Path, known: Sequence[str]) -> str:
    """The suffix of `path` without the dot, if it is one of those `known`."""
    suffix = path.suffix.lower().removeprefix(".")
    if suffix not in known:
        dotted = [f".{k}" for k in known]
        raise ValueError(
            f"save: unknown suffix {path.suffix!r} of {path.name!r}; use {', '.join(dotted[:-1])} or {dotted[-1]}"
        )
    return suffix


@dataclass(frozen=True, repr=False)
class Picture:
    """A picture of a network or a circuit; made by `draw_network` and `draw_circuit`.

    Attributes
    ----------
    title : str
        What it is of, in a few words.
    description : str
        What it shows, in a sentence or two, for those who do not see it.
    outline : str
        The same as lines of text.
    theme : str
        ``auto``, ``light`` or ``dark``.
    drawn : str
        The SVG as `Sketch.svg` wrote it: without title, and in one set of colours.
    """

    title: str
    description: str
    outline: str
    theme: str
    drawn: str

    @cached_property
    def _svg(self) -> str:
        css = dark_css() if self.theme == "auto" else ""
        return finish_svg(self.drawn, title=self.title, description=self.description, css=css)

    def to_svg(self) -> str:
        """The picture as one ``<svg>`` element, titled and described."""
        return self._svg

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture, in the format its suffix names: ``.svg``, ``.png`` or ``.pdf``.

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
        suffix = checked_suffix(target, ("svg", "png", "pdf"))
        write_atomically(target, self._svg.encode() if suffix == "svg" else rasterise(self.drawn, suffix))
        return target

    def __repr__(self) -> str:
        return f"<Picture: {self.title}>"

    def __str__(self) -> str:
        return f"{self.title}\n{self.outline}"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """For notebooks: SVG and the outline."""
        return {"image/svg+xml": self._svg, "text/plain": str(self)}
