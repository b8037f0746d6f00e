"""The pictures of `tinygrad_vg.lab.glorot`, and what they mark of the book."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_vg.checks import Array
from tinygrad_vg.drawing.plots import PALETTE, figure_to_svg, plot_style
from tinygrad_vg.lab.signals import LOG_BINS, bins_of, weight_gradient_shares

__all__ = [
    "BOOK_RATIOS",
    "NORMALISED",
    "SIGMOID",
    "STANDARD",
    "TRAINED",
    "Histograms",
    "Measured",
    "Pair",
    "Runs",
    "figure",
]

Pair = tuple[str, str]
"""Activation and initialiser."""

Measured = dict[tuple[int, Pair], dict[str, Array]]
"""By width and pair: what `measure_signals` gives, the seeds stacked on a first axis."""

Runs = dict[Pair, dict[str, Array]]
"""By pair: the course of the training, the seeds stacked on a first axis."""

SIGMOID, STANDARD, NORMALISED = (
    ("sigmoid", "glorot_standard"),
    ("tanh", "glorot_standard"),
    ("tanh", "glorot_normalised"),
)
HE = ("relu", "he")
TRAINED = (SIGMOID, STANDARD, NORMALISED, HE)
"""The pairs that are trained, and measured at all widths."""

BOOK_RATIOS = {
    SIGMOID: (2000.0, 3000.0, "≈ 2500"),
    STANDARD: (8.0, 11.0, "8–11 (theory √3⁴ = 9)"),
    NORMALISED: (1.1, 1.8, "1.1–1.8"),
}
"""The gradient's sd in the last hidden layer over that in the first: from, to, in words."""

LOOK = {
    SIGMOID: ("#0072B2", "o", "sigmoid, standard"),
    STANDARD: ("#D55E00", "s", "tanh, standard"),
    NORMALISED: ("#009E73", "D", "tanh, normalised"),
    HE: ("#CC79A7", "^", "ReLU, He"),
}
"""Colour, marker and name of the pairs in `TRAINED`."""


def figure(measured: Measured, runs: Runs, width: int) -> Any:
    """Histograms of tanh, gradients by layer, weight gradients, the course of training, saturation."""
    from matplotlib.figure import Figure

    with plot_style():
        made = Figure(figsize=(9.6, 11.4), layout="constrained")
        (left, right), (gradients, weights), (course, saturation) = made.subplots(3, 2)
        shown = {pair: measured[width, pair] for pair in TRAINED if (width, pair) in measured}
        tanh = {LOOK[pair][2]: found for pair, found in shown.items() if pair[0] == "tanh"}
        colours = [LOOK[pair][0] for pair in shown if pair[0] == "tanh"]
        _ridges(left, tanh, "activations", bins_of("tanh"), colours)
        _ridges(right, tanh, "log_gradients", LOG_BINS, colours)
        left.set(title="tanh: activations before training", xlabel="activation a")
        right.set(title="tanh: gradients before training", xlabel="log₁₀ |∂C/∂z|", xlim=(-6, 0))
        _gradients(gradients, shown)
        _weight_gradients(weights, shown)
        _courses(course, runs)
        _saturation(saturation, runs)
        for axes in () if tanh else (left, right):
            axes.remove()
    return made


@dataclass(frozen=True, eq=False)
class Histograms:
    """Activations and gradients of each hidden layer for each activation with each initialiser, as one picture."""

    measured: Measured
    width: int

    def plot(self) -> Any:
        """A matplotlib Figure, a row for each activation."""
        from matplotlib.figure import Figure

        pairs = [pair for width, pair in self.measured if width == self.width]
        names = list(dict.fromkeys([activation for activation, _ in pairs]))
        with plot_style():
            made = Figure(figsize=(9.6, 3.9 * len(names)), layout="constrained")
            for (left, right), name in zip(made.subplots(len(names), 2, squeeze=False), names, strict=True):
                shown = {i.replace("_", " "): self.measured[self.width, (a, i)] for a, i in pairs if a == name}
                _ridges(left, shown, "activations", bins_of(name), PALETTE, fill=False)
                _ridges(right, shown, "log_gradients", LOG_BINS, PALETTE, fill=False)
                left.set(title=f"{name}: activations before training", xlabel="activation a, where not 0")
                right.set(title=f"{name}: gradients before training", xlabel="log₁₀ |∂C/∂z|", xlim=(-8, 0))
        return made

    def to_svg(self) -> str:
        """The picture as ``<svg>``."""
        title = "Activations and back-propagated gradients of each hidden layer before training"
        return figure_to_svg(self.plot(), title=title, description=f"Histograms; width {self.width}")


LINES = ("-", "--", "-.", ":")


def _ridges(
    axes: Any,
    shown: Mapping[str, Mapping[str, Array]],
    name: str,
    bins: tuple[float, float, int],
    colours: Sequence[str],
    *,
    fill: bool = True,
) -> None:
    """A histogram for each hidden layer on a base line of its own, the first at the bottom; all equally high."""
    edges, layers = np.linspace(bins[0], bins[1], bins[2] + 1), 1
    for i, (label, found) in enumerate(shown.items()):
        colour, line = colours[i % len(colours)], "-" if fill else LINES[i // len(colours) % 4]
        layers = found[name].shape[1]
        for layer, density in enumerate(np.mean(found[name], axis=0), start=1):
            height = layer + 0.85 * density / max(np.max(density), 1e-300)
            if fill:
                axes.stairs(height, edges, baseline=layer, fill=True, color=colour, alpha=0.18, linewidth=0)
            axes.stairs(
                height, edges, baseline=None, color=colour, linestyle=line, label=label if layer == 1 else None, lw=1.3
            )
    axes.set_yticks(range(1, layers + 1), [f"layer {i + 1}" for i in range(layers)])
    axes.locator_params(axis="x", nbins=6)
    axes.set_ylim(0.9, layers + 1.25 + 0.35 * ((len(shown) + 1) // 2))
    _legend(axes, loc="upper center", ncols=2)


def _gradients(axes: Any, shown: Mapping[Pair, Mapping[str, Array]]) -> None:
    book = [BOOK_RATIOS[pair] for pair in shown if pair in BOOK_RATIOS]
    for i, (low, high, _) in enumerate(book):
        ends = [1 / high, 1 / low]
        axes.plot([0.75, 0.75], ends, color=_ink(), lw=4, solid_capstyle="butt", label=None if i else "book")
    for pair, found in shown.items():
        _by_layer(axes, pair, found["gradient"] / found["gradient"][:, -1:], 1)
    axes.set(yscale="log", title="sd of the gradient, relative to layer 5", xlabel="hidden layer")
    _legend(axes, loc="lower right")


def _weight_gradients(axes: Any, shown: Mapping[Pair, Mapping[str, Array]]) -> None:
    axes.axhspan(0.9, 1.1, color=_ink(), alpha=0.15, linewidth=0, label="book: equal within 10 %")
    for pair, found in shown.items():
        _by_layer(axes, pair, weight_gradient_shares(found), 2)
    axes.set(yscale="log", title="sd of the weight gradient, relative to its mean", xlabel="hidden layer")
    _legend(axes, loc="lower right")


def _by_layer(axes: Any, pair: Pair, rows: Array, first: int) -> None:
    """The mean of the rows with their standard deviation, against the number of the layer."""
    colour, marker, label = LOOK[pair]
    layers, mean = np.arange(first, first + rows.shape[1]), np.mean(rows, axis=0)
    axes.plot(layers, mean, color=colour, marker=marker, label=label)
    axes.errorbar(layers, mean, np.minimum(_sd(rows), 0.9 * mean), color=colour, linestyle="none", capsize=3)
    axes.set_xticks(layers)


def _courses(axes: Any, runs: Runs) -> None:
    for pair, found in runs.items():
        colour, _, label = LOOK[pair]
        _band(axes, found["steps"][0], 100 * found["accuracy"], color=colour, label=label)
    _mini_batches(axes, runs)
    axes.set(title="accuracy on validation images, %", ylim=(0, 100))


def _saturation(axes: Any, runs: Runs) -> None:
    sigmoid = {pair: found for pair, found in runs.items() if pair == SIGMOID}
    for found in sigmoid.values():
        for layer in range(found["means"].shape[2]):
            style = {"color": PALETTE[layer % 4], "linestyle": LINES[layer // 4]}
            _band(axes, found["steps"][0], found["means"][:, :, layer], label=f"layer {layer + 1}", **style)
    _mini_batches(axes, sigmoid)
    axes.set(title="sigmoid, standard: mean activation", ylim=(0, 1))


def _mini_batches(axes: Any, runs: Runs) -> None:
    if runs:
        axes.set(xscale="log", xlabel="mini-batches")
        _legend(axes, loc="upper left")
    else:
        axes.set_axis_off()


def _band(axes: Any, steps: Array, rows: Array, **style: Any) -> None:
    """The mean of the rows from the first step on, with a band of their standard deviation."""
    mean, sd = np.mean(rows, axis=0)[1:], _sd(rows)[1:]
    axes.plot(steps[1:], mean, **style)
    axes.fill_between(steps[1:], mean - sd, mean + sd, color=style["color"], alpha=0.2, linewidth=0)


def _sd(rows: Array) -> Array:
    """The standard deviation over the first axis; 0 of a single row."""
    return np.asarray(np.std(rows, axis=0, ddof=1) if len(rows) > 1 else np.zeros(rows.shape[1:]))


def _legend(axes: Any, **where: Any) -> None:
    """A legend, if there is anything to name."""
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=9, **where)


def _ink() -> Any:
    """The colour of text."""
    from matplotlib import rcParams

    return rcParams["text.color"]
