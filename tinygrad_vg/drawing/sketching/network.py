"""A network as the book draws it: a circle for each neuron, a column for each layer, and in each neuron a bar.

The bar is how fast the neuron learns, ∂C/∂b, or any other value of each neuron; its scale is the same in all layers.
Source: Nielsen, "Neural Networks and Deep Learning", ch. 5, "The vanishing gradient problem".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from tinygrad_vg.autodiff import backprop
from tinygrad_vg.checks import Array
from tinygrad_vg.drawing.formula import number
from tinygrad_vg.drawing.sketching.picture import Picture, checked_theme
from tinygrad_vg.drawing.sketching.sketch import Sketch, fit, one_line, text_width
from tinygrad_vg.drawing.theme import palette
from tinygrad_vg.nn import MLP
from tinygrad_vg.tensor import Tensor

__all__ = ["draw_network"]

SCALES = ("linear", "log")
RADIUS, INPUT_RADIUS = 19.0, 8.0
ROW, COLUMN, MARGIN, TOP = 46.0, 144.0, 18.0, 70.0
BAR, FULL = 11.0, 31.0
"""Width of a bar, and the length of a full one; drawn to both sides of zero, each side has half of it."""
SEEN = 1.5
"""The least length of a bar on a logarithmic scale, where one is either nothing or must be seen."""


def draw_network(
    network: MLP | Sequence[int],
    bars: Tensor | Sequence[Any] | None = None,
    *,
    name: str | None = None,
    scale: str = "linear",
    signed: bool = False,
    shown: int = 6,
    inputs: bool = True,
    output: bool = True,
    theme: str = "auto",
) -> Picture:
    """Draw a network with a bar in each neuron, and under each layer the norm of all its neurons' values.

    Parameters
    ----------
    network : MLP or sequence of int
        The network, or the sizes of its layers.
    bars : Tensor or sequence of array_like, optional
        A cost that was computed from the network: the bars are its derivatives by the biases. They are the drawing's
        own sweep; no ``.grad`` is read or changed. Or one value a neuron: an array for each layer but the inputs, of
        shape (neurons,); None for a layer without bars.
    name : str, optional
        What a bar is, such as ``"∂C/∂b"``; by default the derivative of the cost by the layer's bias.
    scale : {"linear", "log"}
        The length of a bar is proportional to the value; or to its logarithm, over the decades of the values shown.
    signed : bool
        Bars go up from the middle for positive values and down for negative ones; otherwise they are absolute values.
    shown : int
        Of a larger layer only so many neurons are drawn, the first ones; the picture says so. The norms are of all.
    inputs, output : bool
        Whether to draw the inputs, and the last layer. The book's picture has neither; what is not drawn does not
        count for the scale.
    theme : {"auto", "light", "dark"}
        "auto" follows the reader's system (SVG; elsewhere light).

    Returns
    -------
    Picture

    Raises
    ------
    TypeError, ValueError
        If the network is none, the cost was not computed from its biases, or the values do not fit its layers.

    Examples
    --------
    >>> print(draw_network([784, 3, 2], [[0.3, -0.4, 0.0], [1.0, 2.0]], name="∂C/∂b"))
    Network [784, 3, 2] with ∂C/∂b in each neuron
    inputs: 784, of which 6 are shown
    layer 1: 3 neurons, ‖∂C/∂b‖ = 0.5
    layer 2: 2 neurons, ‖∂C/∂b‖ = 2.236
    """
    checked_theme(theme)
    if scale not in SCALES:
        raise ValueError(f"scale must be one of {', '.join(SCALES)}, got {scale!r}")
    if isinstance(shown, bool) or not isinstance(shown, int | np.integer) or shown < 1:
        raise ValueError(f"shown must be a positive number of neurons, got {shown!r}")
    layers = _layers(network, bars, name, int(shown))
    drawn = layers[0 if inputs else 1 : None if output else -1]
    if not drawn:
        raise ValueError(f"draw_network: nothing is left of {network!r:.80} without its inputs and its output")
    what = _what(bars, name) if any([layer.values is not None for layer in drawn]) else ""
    figure = _Figure(drawn, _Ruler.of(drawn, scale, signed), what)
    return Picture(
        f"Network {[layer.size for layer in layers]}" + (f" with {what} in each neuron" if what else ""),
        _described(figure),
        "\n".join([_told(layer) for layer in figure.layers]),
        theme,
        _draw(figure, Sketch(palette(theme))),
    )


# ------------------------------------------------------------------------------------------------- what is to be drawn


@dataclass(frozen=True)
class _Layer:
    """A column.

    Attributes
    ----------
    title
        ``inputs``, ``layer 1``, ….
    size, drawn
        How many neurons there are, and how many are drawn.
    values
        One a neuron; None for no bars.
    name
        What the values are.
    """

    title: str
    size: int
    drawn: int
    values: Array | None
    name: str

    @property
    def is_input(self) -> bool:
        return self.title == "inputs"

    @property
    def norm(self) -> float:
        """Of all values."""
        if self.values is None:
            return 0.0
        top = float(np.max(np.abs(self.values)))  # scaled, so that the squares of 1e-200 do not vanish
        if not top or not math.isfinite(top):
            return top
        return top * float(np.linalg.norm(self.values / top))

    @property
    def seen(self) -> list[float | None]:
        """The values of the neurons that are drawn."""
        return [None] * self.drawn if self.values is None else self.values[: self.drawn].tolist()


def _layers(network: Any, bars: Any, name: str | None, shown: int) -> list[_Layer]:
    sizes = list(network.sizes) if isinstance(network, MLP) else _sizes(network)
    if type(bars) is Tensor:
        values, names = _gradients(network, bars)
    else:
        values, names = _values(sizes, bars), ["∂C/∂b"] * (len(sizes) - 1)
    layers = [_Layer("inputs", sizes[0], min(sizes[0], shown), None, "")]
    for i, (size, array, own) in enumerate(zip(sizes[1:], values, names, strict=True), start=1):
        layers.append(_Layer(f"layer {i}", size, min(size, shown), array, one_line(name or own)))
    return layers


def _sizes(network: Any) -> list[int]:
    sizes = list(network) if isinstance(network, Sequence | np.ndarray) and not isinstance(network, str) else []
    wrong = [n for n in sizes if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1]
    if len(sizes) < 2 or wrong:
        raise TypeError(f"draw_network needs an MLP or the sizes of at least two layers, not {network!r:.80}")
    return [int(n) for n in sizes]


def _gradients(network: Any, cost: Tensor) -> tuple[list[Array | None], list[str]]:
    """∂C/∂b of each layer, and how it is written."""
    if not isinstance(network, MLP):
        raise TypeError("draw_network needs the MLP itself to find the biases that the cost was computed from")
    if cost.size != 1:
        raise ValueError(f"draw_network needs a cost, one number; this Tensor has shape {cost.shape}: take its mean")
    biases = [layer.b for layer in network.layers]
    found = backprop(cost)
    values = [found.get(b) if type(b) is Tensor else None for b in biases]
    if all([v is None for v in values]):
        raise ValueError(f"draw_network: {cost.label()} was not computed from the biases of {network!r}")
    flat = [None if v is None else v.sum(axis=0) if v.ndim == 2 else v for v in values]  # a bias for each sample
    root = one_line(cost.name or "C")
    return flat, [f"∂{root}/∂{one_line(b.name or 'b') if type(b) is Tensor else 'b'}" for b in biases]


def _values(sizes: list[int], bars: Any) -> list[Array | None]:
    if bars is None:
        return [None] * (len(sizes) - 1)
    if not isinstance(bars, Sequence | np.ndarray) or isinstance(bars, str):
        raise TypeError(f"draw_network: bars must be a cost (a Tensor) or one array a layer, not {bars!r:.80}")
    given = list(bars)
    if len(given) != len(sizes) - 1:
        raise ValueError(
            f"draw_network: a network of sizes {sizes} has {len(sizes) - 1} layers of neurons, but bars has "
            f"{len(given)} entries; give None for a layer without bars"
        )
    arrays = [None if v is None else np.asarray(v, dtype=np.float64) for v in given]
    for i, (array, size) in enumerate(zip(arrays, sizes[1:], strict=True), start=1):
        if array is not None and (array.size != size or array.ndim > 2):
            raise ValueError(f"draw_network: layer {i} has {size} neurons, but its bars have shape {array.shape}")
    return [None if array is None else array.reshape(-1) for array in arrays]


def _what(bars: Any, name: str | None) -> str:
    """What a bar is, whatever the layer."""
    root = one_line(bars.name or "C") if type(bars) is Tensor else "C"
    return fit(one_line(name) if name else f"∂{root}/∂b", 10, 240)


# ------------------------------------------------------------------------------------------------ how long a bar is


@dataclass(frozen=True)
class _Ruler:
    """The one scale of all bars.

    Attributes
    ----------
    kind
        linear or log.
    signed
        Whether bars go both ways.
    low, high
        A bar has no length, or its full length, at these values; on a logarithmic scale they are powers of ten: the
        one below the smallest value that is drawn, and the one above the largest.
    """

    kind: str
    signed: bool
    low: float
    high: float

    @classmethod
    def of(cls, layers: Sequence[_Layer], kind: str, signed: bool) -> _Ruler:
        """The scale on which the largest bar that is drawn is full."""
        sizes = [abs(v) for layer in layers for v in layer.seen if v and math.isfinite(v)]
        if kind == "linear" or not sizes:
            return cls(kind, signed, 0.0, max(sizes, default=0.0))
        return cls(kind, signed, math.ceil(math.log10(min(sizes))) - 1.0, float(math.ceil(math.log10(max(sizes)))))

    @property
    def full(self) -> float:
        """The length of a full bar."""
        return FULL / 2 if self.signed else FULL

    @property
    def is_empty(self) -> bool:
        """Whether no neuron has a bar."""
        return self.low == self.high

    def length(self, value: float) -> float:
        """The length of the bar of a value, never negative."""
        size = abs(value)
        if self.is_empty or not size or not math.isfinite(size):
            return 0.0
        if self.kind == "linear":
            return self.full * (size / self.high)
        return max(SEEN, self.full * ((math.log10(size) - self.low) / (self.high - self.low)))

    def marks(self) -> list[tuple[str, float]]:
        """What the key shows: (its text, value)."""
        if self.is_empty:
            return []
        if self.kind == "linear":
            sizes = [(number(self.high * part), self.high * part) for part in (0.1, 0.5, 1.0)]
        else:
            low, high = round(self.low) + 1, round(self.high)
            step = max(1, math.ceil((high - low) / 5))
            decades = [e for e in range(high, low - 1, -step) if -308 <= e <= 308]
            sizes = [(number(10.0**e), 10.0**e) for e in decades[::-1]]
        return [(f"−{words}", -size) for words, size in sizes[-1:] if self.signed] + sizes


# ------------------------------------------------------------------------------------------------------------ geometry


@dataclass(frozen=True)
class _Figure:
    """Where everything is."""

    layers: Sequence[_Layer]
    ruler: _Ruler
    what: str

    @property
    def rows(self) -> int:
        """Neurons in the tallest column."""
        return max([layer.drawn for layer in self.layers])

    @property
    def bottom(self) -> float:
        """Where the columns end, with the dots and the words that stand for what is not drawn."""
        cut = any([layer.drawn < layer.size for layer in self.layers])
        return TOP + (self.rows - 1) * ROW + RADIUS + (50.0 if cut else 6.0)

    @property
    def caption(self) -> str:
        """What a bar is."""
        if not self.what:
            return ""
        if self.ruler.is_empty:
            return f"No bars: {self.what} is 0 or no finite number in all neurons shown"
        kind = "logarithmic" if self.ruler.kind == "log" else "linear"
        bars = f"A bar is {self.what}, up if positive, down if negative" if self.ruler.signed else ""
        return f"{bars or f'A bar is |{self.what}|'}; {kind} scale, the same in all layers"

    @property
    def key_step(self) -> float:
        """From one mark of the key to the next."""
        return 2 * RADIUS + 26 + max([text_width(words, 9.5) for words, _ in self.ruler.marks()], default=0.0)

    @property
    def width(self) -> float:
        """Of the whole picture: room for all columns, and for all that stands under them."""
        room = [COLUMN * len(self.layers), text_width(self.caption, 10), self.key_step * len(self.ruler.marks())]
        return 2 * MARGIN + max(room)

    def x(self, column: int) -> float:
        """The middle of a column."""
        return self.width / 2 + COLUMN * (column - (len(self.layers) - 1) / 2)

    def y(self, layer: _Layer, row: int) -> float:
        """The middle of a neuron; short columns stand at half height."""
        return TOP + (row + (self.rows - layer.drawn) / 2) * ROW


def _radius(layer: _Layer) -> float:
    return INPUT_RADIUS if layer.is_input else RADIUS


# ------------------------------------------------------------------------------------------------------------- drawing


def _draw(figure: _Figure, page: Sketch) -> str:
    for column, (left, right) in enumerate(pairwise(figure.layers)):
        _edges(page, figure, column, left, right)
    for column, layer in enumerate(figure.layers):
        _head(page, figure, column, layer)
        for row, value in enumerate(layer.seen):
            _neuron(page, figure, (figure.x(column), figure.y(layer, row)), layer, row, value)
        if layer.drawn < layer.size:
            _dots(page, figure.x(column), figure.y(layer, layer.drawn - 1) + _radius(layer) + 9)
        _foot(page, figure, column, layer)
    return page.svg(figure.width, _key(page, figure, figure.bottom + 44))


def _edges(page: Sketch, figure: _Figure, column: int, left: _Layer, right: _Layer) -> None:
    """A line between each two neurons that are drawn, from rim to rim."""
    x0, x1 = figure.x(column), figure.x(column + 1)
    for i in range(left.drawn):
        for j in range(right.drawn):
            y0, y1 = figure.y(left, i), figure.y(right, j)
            length = math.hypot(x1 - x0, y1 - y0)
            along = (x1 - x0) / length, (y1 - y0) / length
            ends = [(x0, y0, _radius(left)), (x1, y1, -_radius(right))]
            points = [(x + r * along[0], y + r * along[1]) for x, y, r in ends]
            page.line(points, stroke=page.colours.forward, width=0.6, kind="edge")


def _head(page: Sketch, figure: _Figure, column: int, layer: _Layer) -> None:
    count = f"{layer.size:,}" + ("" if layer.is_input else " neuron" + "s" * (layer.size > 1))
    page.text(figure.x(column), 24, layer.title, size=11, bold=True)
    page.text(figure.x(column), 39, count, size=9.5, colour=page.colours.soft)


def _neuron(
    page: Sketch, figure: _Figure, middle: tuple[float, float], layer: _Layer, row: int, value: float | None
) -> None:
    c = page.colours
    if layer.is_input:
        page.circle(*middle, INPUT_RADIUS, fill=c.heads["input"], stroke=c.box, kind="input")
        return
    told = f": {layer.name} = {number(value)}" if value is not None else ""
    with page.group("neuron", tip=f"neuron {row + 1} of {layer.title}{told}"):
        page.circle(*middle, RADIUS, fill=c.page, stroke=c.box, width=1.3)
        if value is not None:
            _bar(page, figure.ruler, middle, value)


def _bar(page: Sketch, ruler: _Ruler, middle: tuple[float, float], value: float) -> None:
    """A bar that goes up from its ground line, or down for a negative value on a signed scale."""
    x, y = middle
    c = page.colours
    down = ruler.signed and value < 0
    ground = y if ruler.signed else y + FULL / 2
    length = ruler.length(value)
    if not math.isfinite(value):
        page.text(x, y + 3.5, number(value), size=10, colour=c.hot[1], bold=True)
        return
    if length:
        top = ground if down else ground - length
        page.rect(x - BAR / 2, top, BAR, length, fill=c.hot[0] if down else c.ramp[3][0], kind="bar")
    page.line([(x - BAR / 2 - 2.5, ground), (x + BAR / 2 + 2.5, ground)], stroke=c.box, width=1, kind="ground")


def _dots(page: Sketch, x: float, y: float) -> None:
    for i in range(3):
        page.circle(x, y + 6 * i, 1.5, fill=page.colours.soft, kind="dots")


def _foot(page: Sketch, figure: _Figure, column: int, layer: _Layer) -> None:
    """What is drawn of the layer, and the norm of all of it."""
    x, y, soft = figure.x(column), figure.bottom, page.colours.soft
    if layer.drawn < layer.size:
        which = "the first" if layer.drawn == 1 else f"1–{layer.drawn}"
        page.text(x, y - 8, f"{which} of {layer.size:,}", size=9.5, colour=soft)
    if layer.values is not None:
        page.text(x, y + 16, f"‖{fit(layer.name, 9.5, COLUMN - 24)}‖", size=9.5, colour=soft)
        page.text(x, y + 32, number(layer.norm), size=12, bold=True)


def _key(page: Sketch, figure: _Figure, y: float) -> float:
    """What a bar is, and how long it is for which value; gives the height of the whole picture."""
    c, ruler, middle = page.colours, figure.ruler, figure.width / 2
    if not figure.caption:
        return figure.bottom + 8
    page.text(middle, y + 24, figure.caption, size=10, colour=c.soft)
    marks = ruler.marks()
    for i, (words, value) in enumerate(marks):
        x = middle + (i - len(marks) / 2) * figure.key_step + RADIUS + 8
        page.circle(x, y + 58, RADIUS, fill=c.page, stroke=c.forward, width=0.8, kind="key")
        _bar(page, ruler, (x, y + 58), value)
        page.text(x + RADIUS + 6, y + 61.5, words, size=9.5, colour=c.soft, anchor="start")
    return y + (92 if marks else 40)


# --------------------------------------------------------------------------------------------------------------- words


def _told(layer: _Layer) -> str:
    count = f"{layer.size:,}" + (f" neuron{'s' * (layer.size > 1)}" if not layer.is_input else "")
    cut = f", of which {layer.drawn} are shown" if layer.drawn < layer.size else ""
    found = f", ‖{layer.name}‖ = {number(layer.norm)}" if layer.values is not None else ""
    return f"{layer.title}: {count}{cut}{found}"


def _described(figure: _Figure) -> str:
    told = [layer for layer in figure.layers if layer.values is not None]
    if not told:
        return "A network: neurons as circles, layers as columns."
    norms = ", ".join([f"{number(layer.norm)} in {layer.title}" for layer in told])
    return f"The norm of {figure.what} over all neurons is {norms}. The bars have one {figure.ruler.kind} scale."
