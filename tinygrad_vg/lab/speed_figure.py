"""The picture of the learning speeds: at initialisation, what a layer costs, along a training, and with λ = 0."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_vg.checks import Array
from tinygrad_vg.lab.plotting import book_mark
from tinygrad_vg.lab.speeds import BOOK_INITIAL, BOOK_RATIOS, InitialSpeeds, predicted_factor

if TYPE_CHECKING:
    from tinygrad_vg.lab.learning_speed import Courses, Findings

__all__ = ["draw_speeds"]

STYLES = ("-", "--", "-.", ":")


def draw_speeds(found: Findings) -> Any:
    """Four panels, as a matplotlib Figure."""
    from matplotlib.figure import Figure

    from tinygrad_vg.drawing.plots import plot_style

    with plot_style():
        figure = Figure(figsize=(9.6, 8.0), layout="constrained")
        (initial, law), (course, cause) = figure.subplots(2, 2)
        _initial(initial, found.initial, list(found.courses))
        _law(law, found)
        _course(course, found.courses)
        _cause(cause, found.courses[max(found.courses)], found.free)
    return figure


def _band(axes: Any, x: Any, values: Array, label: str, place: int) -> None:
    """A median over the seeds with the range of nine in ten."""
    from tinygrad_vg.drawing.plots import PALETTE

    low, middle, high = np.quantile(values, [0.05, 0.5, 0.95], axis=0)
    colour = PALETTE[place % len(PALETTE)]
    marker = "o" if len(middle) < 20 else None
    axes.plot(x, middle, STYLES[place % len(STYLES)], marker=marker, markersize=4, color=colour, label=label)
    axes.fill_between(x, low, high, color=colour, alpha=0.2, lw=0)


def _initial(axes: Any, initial: Mapping[int, InitialSpeeds], depths: list[int]) -> None:
    for place, depth in enumerate(depths):
        speeds = initial[depth]
        layers = np.arange(1, depth + 1)
        _band(axes, layers, speeds.norms, f"{depth} hidden layers", place)
        book_mark(axes, layers, BOOK_INITIAL[speeds.hidden], "book" if depth == depths[-1] else "")
    axes.set_yscale("log")
    axes.set_xticks(range(1, depths[-1] + 1))
    axes.set_xlabel("hidden layer")
    axes.set_title(f"‖δ‖ at initialisation, {len(initial[depths[0]].norms)} seeds", fontsize=10)
    axes.legend(loc="lower right")


def _law(axes: Any, found: Findings) -> None:
    from matplotlib import rcParams

    deepest = max(found.initial)
    for place, (name, speeds) in enumerate((("default", found.initial), ("large, N(0, 1)", found.large))):
        _band(axes, np.arange(1, deepest), speeds[deepest].factors, f"{name} initial weights", place)
    _, law = predicted_factor()
    axes.axhline(law, color=rcParams["text.color"], linestyle=":", linewidth=1.4, label=f"1/rms σ′(z) = {law:.2f}")
    axes.set_ylim(0, 1.4 * np.quantile(found.initial[deepest].factors, 0.95))
    axes.set_xticks(range(1, deepest), [f"{layer}→{layer + 1}" for layer in range(1, deepest)])
    axes.set_xlabel("from hidden layer to hidden layer")
    axes.set_title("What a layer costs: ‖δ‖ of the later over the earlier", fontsize=10)
    axes.legend(loc="upper right")


def _course(axes: Any, courses: Mapping[int, Courses]) -> None:
    for place, (depth, course) in enumerate(courses.items()):
        epochs = course.ratio.shape[1]
        _band(axes, np.arange(epochs), course.ratio, f"{depth} hidden layers", place)
        told = {e: value for e, value in BOOK_RATIOS[course.hidden].items() if e < epochs}
        book_mark(axes, list(told), list(told.values()), "book" if depth == max(courses) else "")
    axes.axhline(1, color="gray", linewidth=0.8)
    axes.set_yscale("log")
    axes.set_xlabel("epoch")
    axes.set_title(f"‖δ‖ of the last over the first hidden layer, {len(course.ratio)} seeds", fontsize=10)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2)


def _cause(axes: Any, decayed: Courses, free: Courses) -> None:
    epochs = np.arange(free.ratio.shape[1])
    _band(axes, epochs, decayed.ratio, "‖δ‖, with weight decay", 0)
    _band(axes, epochs, free.ratio, "‖δ‖, λ = 0", 1)
    _band(axes, epochs, decayed.sample_ratio, "mean of samples' norms, with decay", 2)
    _band(axes, epochs, free.sample_ratio, "mean of samples' norms, λ = 0", 3)
    axes.axhline(1, color="gray", linewidth=0.8)
    axes.set_yscale("log")
    axes.set_xlabel("epoch")
    axes.set_title(f"The same ratio of {len(free.hidden)} hidden layers, λ on and off", fontsize=10)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2, fontsize=9)
