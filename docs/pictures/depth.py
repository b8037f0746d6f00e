"""Depth against what each way of checking can still see."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pictures import measure
from pictures.measure import DEEP, DEPTHS, TOLD, Measured, at, compared
from pictures.texts import markdown, rough
from tinygrad_vg.drawing.plots import PALETTE, figure_to_svg, plot_style

__all__ = ["alarms_picture", "faults_table", "picture", "table"]

BOUNDED, CENTRAL, COMPLEX, CERTIFIED = PALETTE
PYTORCH, FINITE, STEP, NODES = (
    "as PyTorch's `gradcheck`",
    "finite differences with a bound",
    "complex step",
    "`certify_backward`",
)


def spread(value: Callable[[Measured], float], depths: Sequence[int]) -> np.ndarray:
    """Smallest, median and largest over the networks of each depth, a column a depth."""
    found = [[value(m) for m in at(depth)] for depth in depths]
    return np.quantile(found, [0, 0.5, 1], axis=1, method="nearest")


def share(name: str, depths: Sequence[int]) -> list[float]:
    """The mean of a share over the networks of each depth."""
    return [float(np.mean([getattr(m, name) for m in at(depth)])) for depth in depths]


def picture() -> str:
    """|gradient| in layer 1, and below it the smallest fault that each way of checking notices."""
    from matplotlib.figure import Figure

    with plot_style():
        figure = Figure(figsize=(8.6, 8.0))
        top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[2, 3], gridspec_kw={"hspace": 0.12})
        draw_gradient(top)
        draw_noticed(bottom)
        bottom.set_xticks(DEPTHS)
        bottom.set_xlabel("layers")
        figure.align_ylabels()
    small, *_, tiny = [rough(g) for g in spread(lambda m: m.gradient, DEPTHS)[1]]
    return figure_to_svg(
        figure,
        title="Depth against what each way of checking can still see",
        description=(
            f"Above, the gradient of layer 1 falls from {small} with 1 layer to {tiny} with {DEPTHS[-1]}, through the "
            "absolute tolerance of 1e-5 and the rounding of central differences. Below, the smallest relative fault "
            "that is noticed: with an absolute tolerance it soon rises beyond 1, so that even a gradient twice too "
            "large passes; finite differences with a bound see better, and say UNRESOLVED where they no longer do; "
            "complex step and node certificate see a few parts in 1e9 at every depth."
        ),
    )


def draw_gradient(axes: Any) -> None:
    """The upper panel."""
    low, middle, high = spread(lambda m: m.gradient, DEPTHS)
    axes.semilogy(DEPTHS, middle, color="0.45", marker="o", markersize=4)
    axes.fill_between(DEPTHS, low, high, color="0.5", alpha=0.25, linewidth=0)
    axes.set_ylabel("|gradient| in layer 1")
    noise = np.finfo(np.float64).eps * np.median([m.loss for depth in DEPTHS for m in at(depth)]) / 1e-6
    for level in (1e-5, noise):
        axes.axhline(level, color=CENTRAL, linewidth=1.2, linestyle="--")
    axes.text(24.3, 2e-5, "absolute tolerance 1e-5", ha="right", va="bottom")
    axes.text(0.6, noise / 3, "rounding of a central difference\nof step 1e-6: ε·C/h", va="top")


def draw_noticed(axes: Any) -> None:
    """The lower panel."""
    unresolved = np.array(share("unresolved", DEPTHS)) > 0.5
    for name, colour, marker in (
        (PYTORCH, CENTRAL, "s"),
        (FINITE, BOUNDED, "o"),
        (STEP, COMPLEX, ""),
        (NODES, CERTIFIED, "D"),
    ):
        depths = np.array(TOLD if name == NODES else DEPTHS)
        low, middle, high = np.minimum(spread(lambda m, name=name: m.smallest[name], depths), measure.SIZES[-1])
        axes.fill_between(depths, low, high, color=colour, alpha=0.15, linewidth=0)
        look = {"color": colour, "marker": marker, "markersize": 5, "linestyle": "none" if name == NODES else "-"}
        if name == FINITE:
            first = int(np.argmax(unresolved))
            axes.semilogy(depths[first:], middle[first:], **{**look, "linestyle": ":", "markerfacecolor": "none"})
            axes.text(depths[-1], 30, "says UNRESOLVED", ha="right", va="bottom")
            depths, middle = depths[: first + 1], middle[: first + 1]
        axes.semilogy(depths, middle, label=name.replace("`", ""), **look)
    axes.axhline(1, color="0.5", linewidth=1, linestyle=":")
    axes.text(24.3, 1e-2, "above the dotted line even\na gradient twice too large passes", ha="right", va="top")
    axes.set_ylabel("smallest relative fault noticed")
    axes.legend(loc="upper left")


def table() -> str:
    """The smallest fault noticed, by depth."""
    rows = [["layers", *map(str, TOLD)]]
    rows.append(["gradient in layer 1", *[rough(g) for g in spread(lambda m: m.gradient, TOLD)[1]]])
    for name in measure.WAYS:
        sizes = spread(lambda m, name=name: m.smallest[name], TOLD)[1]
        cells = [rough(size) if size < 1 else "blind" for size in sizes]
        if name == FINITE:
            cells = ["UNRESOLVED" if s > 0.5 else c for s, c in zip(share("unresolved", TOLD), cells, strict=True)]
        rows.append([name, *cells])
    return markdown(rows)


def faults_table() -> str:
    """How many networks of one depth each way of checking complains of, by kind of fault."""
    networks = list(at(DEEP))
    rows = [[f"complaints about {len(networks)} networks of {DEEP} layers", *measure.FAULTS]]
    for name in compared():
        rows.append([name, *[str(sum([name in m.faults[fault] for m in networks])) for fault in measure.FAULTS]])
    return markdown(rows)


def alarms_picture() -> str:
    """What becomes of right gradients if the absolute tolerance is merely dropped."""
    from matplotlib.figure import Figure

    lines = (
        (
            "alarms",
            "central differences of step 1e-6, relative tolerance 1e-3: called wrong",
            CENTRAL,
            "s",
            "-",
            DEPTHS,
        ),
        ("unresolved", "finite differences with a bound: called UNRESOLVED", BOUNDED, "o", ":", DEPTHS),
        ("missed", "check_gradients: anything but PASS", CERTIFIED, "D", "none", TOLD),
    )
    with plot_style():
        figure = Figure(figsize=(8.0, 3.6))
        axes = figure.subplots()
        for name, words, colour, marker, style, depths in lines:
            shares = 100 * np.array(share(name, depths))
            axes.plot(depths, shares, color=colour, linestyle=style, marker=marker, markersize=5, label=words)
        axes.set_xticks(DEPTHS)
        axes.set_xlabel("layers")
        axes.set_ylabel("% of the right gradients\nin layer 1")
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0))
    at_eight, deep = [round(100 * s, -1) for s in share("alarms", (8, DEEP))]
    return figure_to_svg(
        figure,
        title="Right gradients that a check does not pass, against depth",
        description=(
            f"Central differences with a relative tolerance alone call about {at_eight:.0f} % of the right gradients "
            f"wrong at 8 layers and {deep:.0f} % at {DEEP}. Finite differences with a bound call them unresolved "
            "instead, and check_gradients, which goes on to the complex step, passes all of them."
        ),
    )
