"""The error of a derivative against the step it is computed with, for one sigmoid neuron and for many in a row."""

from collections.abc import Callable
from functools import cache
from typing import Any

import mpmath
import numpy as np

import tinygrad_vg as vg
from pictures.texts import markdown, power, rough
from tinygrad_vg.drawing.plots import PALETTE, figure_to_svg, plot_style
from tinygrad_vg.gradcheck import finite_difference

__all__ = ["picture", "table"]

BOUNDED, CENTRAL, COMPLEX, _ = PALETTE
FORWARD = "0.45"
POINTS = np.linspace(0.5, 1.5, 25)  # the worst of them is shown, so that no step is lucky
STEPS = 10.0 ** np.linspace(0, -20, 81)
USUAL = 1e-6
NEURONS, WEIGHT = 16, 0.8

BY_STEP: dict[str, Callable[[Any, np.ndarray, float], np.ndarray]] = {
    "forward difference": lambda phi, z, h: (phi(z + h) - phi(z)) / h,
    "central difference": lambda phi, z, h: (phi(z + h) - phi(z - h)) / (2 * h),
    "complex step": lambda phi, z, h: np.imag(phi(z + 1j * h)) / h,
}
LOOKS = {
    "forward difference": {"color": FORWARD, "linestyle": "--"},
    "central difference": {"color": CENTRAL},
    "complex step": {"color": COMPLEX},
}


def chain(neurons: int) -> Callable[[Any], Any]:
    """The output of neurons in a row as a function of the first one's z."""

    def output(z):
        for _ in range(neurons - 1):
            z = WEIGHT * vg.sigmoid(z)
        return vg.sigmoid(z)

    return output


@cache
def exact(neurons: int, z: float) -> float:
    """Its derivative, by the chain rule in 60 digits."""
    with mpmath.workdps(60):
        z, slope = mpmath.mpf(z), mpmath.mpf(1)
        for layer in range(neurons):
            a = 1 / (1 + mpmath.exp(-z))
            slope *= a * (1 - a) * (WEIGHT if layer < neurons - 1 else 1)
            z = mpmath.mpf(WEIGHT) * a
        return float(slope)


@cache
def errors(neurons: int, name: str) -> np.ndarray:
    """The largest relative error over `POINTS` for each step."""
    truth = np.array([exact(neurons, z) for z in POINTS])
    return np.array([np.max(np.abs(BY_STEP[name](chain(neurons), POINTS, h) / truth - 1)) for h in STEPS])


@cache
def extrapolated(neurons: int) -> tuple[float, float]:
    """The largest relative error of `finite_difference` over `POINTS`, and its largest bound."""
    found = []
    for z in POINTS:
        estimate, truth = finite_difference(chain(neurons), z), exact(neurons, z)
        found.append((abs(estimate.value / truth - 1), estimate.bound / truth))
    error, bound = np.max(found, axis=0)
    return float(error), float(bound)


def picture() -> str:
    """As SVG."""
    from matplotlib.figure import Figure

    with plot_style():
        figure = Figure(figsize=(9.2, 4.8))
        panels = figure.subplots(1, 2, sharey=True)
        for axes, neurons in zip(panels, (1, NEURONS), strict=True):
            draw(axes, neurons)
        panels[0].set_ylabel("relative error, worst of 25 points")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="upper center", ncols=3, bbox_to_anchor=(0.5, 0.0))
    best = {n: power(min(errors(n, "central difference"))) for n in (1, NEURONS)}
    return figure_to_svg(
        figure,
        title="The error of a derivative against the step it is computed with",
        description=(
            "Two plots. The errors of forward and central differences have the form of a U: a large step truncates, a "
            f"small one rounds. For one neuron a central difference is right to {best[1]} at best; for {NEURONS} in a "
            f"row, where the derivative is {rough(exact(NEURONS, 1.0))}, to {best[NEURONS]}, and at the usual step of "
            "1e-6 it is noise. The complex step is right to 1e-15 in both, however small the step."
        ),
    )


def draw(axes: Any, neurons: int) -> None:
    """One panel."""
    for name, look in LOOKS.items():
        axes.loglog(STEPS, errors(neurons, name), label=name, **look)
    error, bound = extrapolated(neurons)
    steps = [2.0**-19, 2.0**-3]  # those it takes
    axes.loglog(
        steps, [bound] * 2, color=BOUNDED, linewidth=6, alpha=0.45, label="finite_difference: the bound it gives"
    )
    axes.loglog(steps, [error] * 2, color=BOUNDED, label="finite_difference: its true error")
    axes.axvline(USUAL, color="0.5", linewidth=1, linestyle=":")
    axes.text(USUAL / 2, 3e3, "the usual 1e-6", ha="right")
    axes.axhline(1, color="0.5", linewidth=1, linestyle=":")
    words = "one neuron" if neurons == 1 else f"{neurons} neurons in a row"
    axes.set_title(f"{words}: φ′ = {rough(exact(neurons, 1.0))}")
    axes.set_xlabel("← it rounds        step h        it truncates →")
    axes.set_xticks([1, 1e-5, 1e-10, 1e-15, 1e-20])
    axes.set_ylim(1e-17, 3e4)


def table() -> str:
    """The bottom of each U, and what the usual step gives."""
    both = (1, NEURONS)
    rows = [["relative error", *[f"{n} neuron{'s' * (n > 1)}, φ′ = {rough(exact(n, 1.0))}" for n in both]]]
    usual = int(np.argmin(abs(STEPS - USUAL)))
    for name in ("forward difference", "central difference"):
        rows.append([f"{name}, h = 1e-6", *[power(errors(n, name)[usual]) for n in both]])
        rows.append([f"{name}, best h", *[power(min(errors(n, name))) for n in both]])
    rows.append(["`finite_difference`, the bound it gives", *[power(extrapolated(n)[1]) for n in both]])
    rows.append(["`finite_difference`, its true error", *[power(extrapolated(n)[0]) for n in both]])
    rows.append(["complex step, h = 1e-20", *[power(errors(n, "complex step")[-1]) for n in both]])
    return markdown(rows)
