"""The neuron-bar figure: how fast each single neuron of two hidden layers learns at initialisation.

Source: Nielsen, ch. 5, "The vanishing gradient problem": the first six neurons of both hidden layers of [784, 30, 30,
10], each with a bar for ∂C/∂b, the mean over the first 1,000 training images.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from tinygrad_vg.autodiff import backprop
from tinygrad_vg.checks import Array
from tinygrad_vg.drawing import draw_network
from tinygrad_vg.lab.judging import too_few
from tinygrad_vg.lab.learning_speed import cross_entropy
from tinygrad_vg.lab.results import Claim, Result, Table
from tinygrad_vg.lab.settings import Progress, count, images_of, one_blas_thread, seed_list, spread
from tinygrad_vg.nn import MLP

__all__ = ["BOOK", "bias_gradients", "run"]

ENOUGH = 20
"""Initialisations from which a share of 95 % means something."""

BOOK = (
    (-0.00397, -0.00317, 0.00810, 0.01260, -0.02647, 0.00176),
    (0.0415, 0.0440, -0.0097, 0.0467, 0.0388, 0.0123),
)
"""∂C/∂b of the first six neurons of hidden layers 1 and 2 in the book's run."""


def bias_gradients(mlp: MLP, X: Array, y: Array) -> list[Array]:
    """∂C/∂b of each hidden layer: the mean over the samples, a number a neuron."""
    biases = [layer.b for layer in mlp.layers[:-1]]
    found = backprop(cross_entropy(mlp, X, y), wrt=biases)
    return [found[b] for b in biases]


def run(
    *,
    quick: bool = False,
    seeds: int | None = None,
    data: Any = None,
    progress: Progress = None,
    images: int = 1000,
    width: int = 30,
    shown: int = 6,
) -> Result:
    """Compare the neurons of two hidden layers in pairs, over many initialisations.

    Parameters
    ----------
    quick : bool
        Fewer seeds.
    seeds : int, optional
        Networks; 200, or 40 if `quick`.
    data
        See `tinygrad_vg.lab.settings.images_of`.
    progress : callable, optional
        ``progress(done, total)`` after each network.
    images : int
        The first so many are taken.
    width : int
        Neurons of each hidden layer.
    shown : int
        So many of each layer are compared and drawn, the first ones.

    Returns
    -------
    Result
        Its data: ``gradients``, ∂C/∂b of shape (seeds, 2, width); ``faster``, in how many pairs the second layer's is
        larger, shape (seeds,).

    Raises
    ------
    TypeError, ValueError
        For settings or data that do not fit.
    """
    chosen = seed_list(seeds, 40 if quick else 200)
    images, width, shown = count(images, "images"), count(width, "width"), count(shown, "shown")
    if shown > width:
        raise ValueError(f"shown={shown}: a layer has only {width} neurons")
    X, y = images_of(data, images)
    found = []
    with one_blas_thread():
        for seed in chosen:
            found.append(bias_gradients(MLP([X.shape[1], width, width, 10], seed=seed), X, y))
            if progress is not None:
                progress(len(found), len(chosen))
    gradients: Array = np.array(found)
    lengths = np.abs(gradients[:, :, :shown])
    faster = np.sum(lengths[:, 1] > lengths[:, 0], axis=1)
    sizes = [X.shape[1], width, width, 10]
    look: Any = {"name": "∂C/∂b", "shown": shown, "inputs": False, "output": False}
    settings = {"quick": bool(quick), "seeds": chosen, "images": images, "width": width, "shown": shown}
    return Result(
        name="neurons",
        title="How fast single neurons learn at initialisation",
        settings=settings,
        data={"gradients": gradients, "faster": faster},
        tables=(_bars(gradients, shown), _pairs(faster, shown)),
        claims=_claims(lengths, faster),
        draw=partial(_draw, gradients[0, :, :shown], chosen[0], faster),
        pictures={"network": lambda: draw_network(sizes, [*gradients[0], None], **look)},
    )


# ---------------------------------------------------------------------------------------------------- tables and claims


def _bars(gradients: Array, shown: int) -> Table:
    """Each of the first neurons: the book's, that of the first seed, and how large it usually is."""
    rows = []
    for layer in range(2):
        for j in range(shown):
            low, middle, high = np.quantile(np.abs(gradients[:, layer, j]), [0.05, 0.5, 0.95])
            book = f"{BOOK[layer][j]:.5f}" if j < len(BOOK[layer]) else "—"
            span = f"{middle:.4f} ({low:.4f} to {high:.4f})"
            rows.append((f"layer {layer + 1}, neuron {j + 1}", book, f"{gradients[0, layer, j]:.5f}", span))
    heads = ("∂C/∂b", "book", "seed 0", "absolute value over the seeds: median (5 % to 95 %)")
    return Table.of(heads, rows, f"The first {shown} neurons of both hidden layers")


def _pairs(faster: Array, shown: int) -> Table:
    seen = np.bincount(faster, minlength=shown + 1)
    rows = [(f"{pairs} of {shown}", number, f"{100 * number / len(faster):.0f} %") for pairs, number in enumerate(seen)]
    return Table.of(("pairs in which layer 2 is faster", "seeds", "share"), rows)


def _claims(lengths: Array, faster: Array) -> tuple[Claim, ...]:
    seeds, _, shown = lengths.shape
    runs = f"{seeds} seeds" if seeds > 1 else "1 seed"
    book = sum([abs(b) > abs(a) for a, b in zip(*BOOK, strict=True)])
    most = float(np.mean(faster > shown / 2))
    every = float(np.mean(faster == shown))
    doubt = too_few(faster, ENOUGH)
    # more than half of the pairs, by three standard errors of the mean over the seeds
    surely = np.mean(faster) - 3 * np.std(faster) / np.sqrt(seeds) > shown / 2
    typical = np.median(lengths, axis=(0, 2))
    ratio = np.median(np.abs(BOOK[1])) / np.median(np.abs(BOOK[0]))
    return (
        Claim(
            says="Neurons of the second hidden layer learn faster than those of the first, in most pairs",
            book=f"{book} of {len(BOOK[0])} pairs",
            measured=f"{spread(faster, '.2g')} of {shown} pairs; in more than half in {100 * most:.0f} % of seeds"
            + doubt,
            runs=runs,
            holds=None if doubt else bool(surely),
            row="11",
        ),
        Claim(
            says="Every neuron shown of the second hidden layer learns faster than its partner in the first",
            book=f"{book} of {len(BOOK[0])} pairs",
            measured=f"in {100 * every:.0f} % of seeds{doubt}",
            runs=runs,
            holds=None if doubt else every > 0.95,
            row="11",
        ),
        Claim(
            says="The typical bar of the second layer is several times as long as that of the first",
            book=f"{ratio:.1f} times",
            measured=f"{typical[1] / typical[0]:.1f} times{doubt}",
            runs=runs,
            holds=None if doubt else bool(typical[1] > 2 * typical[0]),
            row="11",
        ),
    )


# ---------------------------------------------------------------------------------------------------------- the picture


def _draw(ours: Array, seed: int, faster: Array) -> Any:
    from matplotlib.figure import Figure

    from tinygrad_vg.drawing.plots import PALETTE, plot_style

    shown = ours.shape[1]
    book = np.array(BOOK)[:, :shown]
    full = max(float(np.abs(ours).max()), float(np.abs(book).max()))
    with plot_style():
        figure = Figure(figsize=(9.6, 4.0), layout="constrained")
        left, middle, right = figure.subplots(1, 3, width_ratios=(1, 1, 0.9))
        _network(left, book, full, "The book's network")
        _network(middle, ours, full, f"Ours, seed {seed}")
        share = np.bincount(faster, minlength=shown + 1) / len(faster)
        right.bar(np.arange(shown + 1), 100 * share, color=PALETTE[0], width=0.7)
        right.axvline(float(np.mean(faster)), color=PALETTE[1], linestyle="--", label=f"mean {np.mean(faster):.1f}")
        right.set_xlabel(f"pairs of {shown} in which layer 2 learns faster")
        right.set_ylabel(f"% of {len(faster)} seeds")
        right.set_xticks(range(shown + 1))
        right.set_title("Over the seeds", fontsize=10)
        right.legend(loc="upper left")
    return figure


def _network(axes: Any, values: Sequence[Any] | Array, full: float, title: str) -> None:
    """Two columns of neurons with lines between them, in each a bar of |∂C/∂b| and beside it the number."""
    from matplotlib import rcParams
    from matplotlib.collections import LineCollection
    from matplotlib.patches import Circle, Rectangle

    from tinygrad_vg.drawing.plots import PALETTE

    ink, radius, apart = rcParams["text.color"], 0.4, 2.6
    rows = len(values[0])
    ends = [[(radius, -i), (apart - radius, -j)] for i in range(rows) for j in range(rows)]
    axes.add_collection(LineCollection(ends, colors=ink, alpha=0.25, linewidths=0.6))
    for column, layer in enumerate(values):
        x, side = column * apart, (-1, 1)[column]
        axes.text(x, 0.85, f"hidden layer {column + 1}", ha="center", fontsize=9)
        for row, value in enumerate(layer):
            axes.add_patch(Circle((x, -row), radius, fill=False, edgecolor=ink, linewidth=1))
            height = 1.4 * radius * abs(float(value)) / full
            bar = Rectangle((x - 0.15, -row - 0.7 * radius), 0.3, height, color=PALETTE[column], linewidth=0)
            axes.add_patch(bar)
            place = {"ha": ("right", "left")[column], "va": "center", "fontsize": 8}
            axes.text(x + side * (radius + 0.12), -row, f"{float(value):.4f}".replace("-", "−"), **place)
    axes.set_xlim(-1.75, apart + 1.75)
    axes.set_ylim(-rows + 0.4, 1.2)
    axes.set_aspect("equal")
    axes.axis("off")
    axes.set_title(f"{title}: |∂C/∂b| as bars", fontsize=10)
