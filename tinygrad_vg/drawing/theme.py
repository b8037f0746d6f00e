"""Colours and widths: two palettes built on Okabe and Ito's, and the scale of the running product.

Every line has a contrast of at least 3:1, and every text one of at least 4.5:1, on the surfaces it stands on, in both
themes (a test computes it). Colour is never alone: the width and the number say the same.

A picture is drawn in the light colours; the dark ones are put in their place by CSS, colour by colour. So each colour
of the light palette stands for one thing only.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["DARK", "LIGHT", "Palette", "Scale", "dark_css", "palette"]


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of a theme.

    Attributes
    ----------
    page, cluster, cluster_line, rule
        Background; the box of a layer, its border; the lines of the table.
    ink, soft
        Text; labels of rows.
    box, forward
        Borders of nodes; forward edges.
    heads
        Head of a node by kind: input, param, pre (a sum), act (a function), loss.
    ramp
        (line, text) of the running product, from tiny to 1.
    hot
        (line, text) above 1: vermillion.
    mark
        The outline of the variable.
    """

    page: str
    cluster: str
    cluster_line: str
    rule: str
    ink: str
    soft: str
    box: str
    forward: str
    heads: dict[str, str]
    ramp: tuple[tuple[str, str], ...]
    hot: tuple[str, str]
    mark: str

    def colours(self) -> list[str]:
        """All colours, in a fixed order."""
        plain = [self.page, self.cluster, self.cluster_line, self.rule, self.ink, self.soft, self.box, self.forward]
        return [*plain, *self.heads.values(), *[c for pair in self.ramp for c in pair], *self.hot, self.mark]


LIGHT = Palette(
    page="#ffffff",
    cluster="#f7f9fa",
    cluster_line="#82909a",
    rule="#7a8892",
    ink="#1b2730",
    soft="#51646f",
    box="#455a64",
    forward="#7f8d95",
    heads={"input": "#eceff1", "param": "#e1f0fb", "pre": "#fff0dc", "act": "#e6f4e7", "loss": "#fde6ee"},
    ramp=(
        ("#3f8fc9", "#2470ab"),
        ("#2e7fbe", "#236fa9"),
        ("#1b68ae", "#1a67ad"),
        ("#0b4f94", "#0a4e93"),
        ("#08306b", "#072f6a"),
    ),
    hot=("#d55e00", "#a84300"),
    mark="#d45d00",
)

DARK = Palette(
    page="#11181f",
    cluster="#18222b",
    cluster_line="#627682",
    rule="#6f838f",
    ink="#eef3f6",
    soft="#a9bac5",
    box="#8297a3",
    forward="#84959f",
    heads={"input": "#2a363f", "param": "#193a56", "pre": "#4a3312", "act": "#1d4023", "loss": "#542039"},
    ramp=(
        ("#4a90c8", "#7db9e6"),
        ("#5ea3d8", "#7cb8e5"),
        ("#7bb7e4", "#7bb7e4"),
        ("#a3cff0", "#a3cff0"),
        ("#d6ebfb", "#d6ebfb"),
    ),
    hot=("#ff9d52", "#ffb37a"),
    mark="#ff9d52",
)


def palette(theme: str) -> Palette:
    """The palette a picture is drawn in; "auto" is drawn light."""
    return DARK if theme == "dark" else LIGHT


def dark_css() -> str:
    """The rule that turns a light picture dark where the reader's system is dark."""
    swaps = []
    for light, dark in zip(LIGHT.colours(), DARK.colours(), strict=True):
        swaps += [f'[fill="{light}"] {{ fill: {dark} }}', f'[stroke="{light}"] {{ stroke: {dark} }}']
    return "@media (prefers-color-scheme: dark) {\n" + "\n".join(swaps) + "\n}"


@dataclass(frozen=True, slots=True)
class Scale:
    """How wide and how dark a running product is drawn: by its logarithm.

    Attributes
    ----------
    low
        log₁₀ of what is drawn thinnest: −3, or the smallest product of the picture if that is smaller.
    high
        log₁₀ of the largest product, at least 0.
    """

    low: float
    high: float

    @classmethod
    def of(cls, products: Iterable[float | None]) -> Scale:
        """A scale on which all these products can be told apart."""
        logs = [math.log10(abs(p)) for p in products if p and math.isfinite(p)]
        return cls(min([-3.0, *logs]), max([0.0, *logs]))

    def _size(self, product: float) -> float:
        """0 for the smallest to 1 for a product of 1; above, to 2 for the largest."""
        if not product or not math.isfinite(product):
            return 2.0 if product else 0.0
        log = math.log10(abs(product))
        return 1 - log / self.low if log <= 0 else 1 + log / self.high

    def line(self, product: float, colours: Palette) -> tuple[str, str, float]:
        """Colour of the line, colour of the text on it, and width."""
        size = self._size(product)
        if size > 1:
            return (*colours.hot, round(4.5 + 1.3 * (size - 1), 2))
        step = min([i for i, top in enumerate((0.02, 0.34, 0.67, 0.84, 1.0)) if size <= top + 1e-9], default=4)
        return (*colours.ramp[step], round(1.2 + 3.2 * size, 2))

    def bar(self, product: float, length: int) -> int:
        """Length of a bar, on the logarithmic scale from the smallest to the largest product."""
        if not product or not math.isfinite(product):
            return length if product else 0
        part = (math.log10(abs(product)) - self.low) / (self.high - self.low)
        return max(4, round(length * part))
