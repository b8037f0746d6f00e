"""The sigmoid neuron: how steep it can be, when |wσ′(wa + b)| is 1 or more, and how it can hand its input on.

Source: Nielsen, "Neural Networks and Deep Learning", ch. 5, "The prevalence of the vanishing gradient problem" and the
two problems after it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext
from functools import partial
from typing import Any

import numpy as np

from tinygrad_vg.autodiff import grad
from tinygrad_vg.checks import Array
from tinygrad_vg.lab.identity_neurons import identity_error, with_identity_layers
from tinygrad_vg.lab.plotting import book_mark, name_curve
from tinygrad_vg.lab.results import Claim, Result, Table
from tinygrad_vg.lab.settings import (
    Progress,
    count,
    counts,
    numbers,
    one_blas_thread,
    seed_list,
    spread,
    train_and_validation,
)
from tinygrad_vg.modes import no_grad
from tinygrad_vg.nn import MLP, losses
from tinygrad_vg.ops import sigmoid
from tinygrad_vg.training import fit

__all__ = ["run"]

POINTS = (0.0, 1.0, 2.0, 4.0)
"""Where σ′ is told; it is even."""
BOOK_WIDEST = (6.9, 0.45)
"""The weight at which the interval is widest, and its width, in the book."""
IDENTITY_WEIGHTS = (0.001, 0.01, 0.1, 0.3, 1.0, 2.0, 4.0, 8.0, 16.0)
"""w₁ of the identity neurons put into a network; the first is the one that is claimed for."""


def run(
    *,
    quick: bool = False,
    seeds: int | None = None,
    data: Any = None,
    progress: Progress = None,
    draws: int = 200_000,
    hidden: int = 30,
    epochs: int | None = None,
    lr: float = 0.5,
    weights: Sequence[float] = IDENTITY_WEIGHTS,
    layers: Sequence[int] = (1, 10),
) -> Result:
    """Work the chapter's problems on the sigmoid neuron, and put identity neurons into trained networks.

    Parameters
    ----------
    quick : bool
        Fewer seeds, and the embedded sample of MNIST instead of the full set.
    seeds : int, optional
        Networks trained, and repetitions of the random search.
    data
        A dataset with ``train`` and ``validation``, or a pair ``(X, y)`` of which the last sixth validates.
    progress : callable, optional
        ``progress(done, total)`` after each seed.
    draws : int
        Random neurons tried for |wσ′(wa + b)| ≥ 1, a seed.
    hidden, epochs, lr
        Of the networks [inputs, hidden, classes] and their training in mini-batches of 10.
    weights : sequence of float
        w₁ of the identity neurons, ascending.
    layers : sequence of int
        How many layers of them are put in.

    Returns
    -------
    Result

    Raises
    ------
    TypeError, ValueError
        For settings and data that do not fit.
    DatasetError
        If the full set is needed and not there.
    """
    chosen = seed_list(seeds, 3 if quick else 10)
    draws, hidden = count(draws, "draws"), count(hidden, "hidden")
    epochs = count((10 if quick else 3) if epochs is None else epochs, "epochs")
    tried = numbers(weights, "weights")
    if tried != sorted(set(tried)):
        raise ValueError(f"weights must ascend, got {tried}")
    put_in = counts(layers, "layers")
    train, validation = train_and_validation(data, quick=quick)
    sizes = [train[0].shape[1], hidden, 1 + max([int(y.max()) for _, y in (train, validation)])]
    found = []
    with one_blas_thread():
        for seed in chosen:
            steep, widths = _random_neurons(seed, draws), _widths(seed)
            told = _told_apart(_trained(train, seed, sizes, epochs, lr), validation, tried, put_in)
            found.append({"steepest": steep, "width_error": widths, **told})
            if progress is not None:
                progress(len(found), len(chosen))
    numbers_of = {key: np.array([f[key] for f in found]) for key in found[0]}
    w = np.concatenate([np.linspace(4, 8, 200), np.geomspace(8, 100, 200)])
    small = 2.0 ** -np.arange(-3.0, 9.0)
    numbers_of |= {
        "w": w,
        "width": interval_width(w),
        "widest": np.array(widest_interval()),
        "identity_weights": np.array(tried),
        "identity_w1": small,
        "identity_error": np.array([identity_error(w1, np.linspace(0, 1, 2001)) for w1 in small]),
    }
    images = len(validation[1])
    return Result(
        name="sigmoid",
        title="The sigmoid neuron",
        settings={
            "quick": bool(quick),
            "seeds": chosen,
            "draws": draws,
            "hidden": hidden,
            "epochs": epochs,
            "lr": float(lr),
            "weights": tried,
            "layers": put_in,
            "images": images,
        },
        data=numbers_of,
        tables=(_slope_table(), _width_table(), _error_table(numbers_of), _network_table(numbers_of, put_in)),
        claims=(
            _slopes(),
            _steep(numbers_of, draws),
            _widest(numbers_of),
            _identity(numbers_of),
            _unchanged(numbers_of, put_in, images),
        ),
        draw=partial(_figure, numbers_of, put_in),
    )


# ------------------------------------------------------------------------------------------------------- single neurons


def exact_slope(z: float) -> float:
    """σ′(z) in decimal numbers of 50 digits, rounded at the end."""
    with localcontext(prec=50):
        e = (-Decimal(z)).exp()
        return float(e / (1 + e) ** 2)


def interval_width(w: Any) -> Any:
    """For how long an interval of activations a there is |wσ′(wa + b)| ≥ 1; whatever b, it is needed that |w| ≥ 4.

    The boundary is σ(1 − σ) = 1/|w|, so σ = (1 ± √(1 − 4/|w|))/2, and z = ±ln(|w|(1 + √(1 − 4/|w|))/2 − 1).
    """
    w = np.abs(w)
    return 2 / w * np.log(w * (1 + np.sqrt(1 - 4 / w)) / 2 - 1)


def measured_width(w: Array, b: Array) -> Array:
    """The same found by bisection in a, to both sides of the steepest point."""
    middle = -b / w
    edges = []
    for side in (-1, 1):
        near, far = np.zeros_like(middle), np.full_like(middle, 10.0)
        for _ in range(60):
            half = (near + far) / 2
            z = w * (middle + side * half) + b
            inside = np.abs(w) * sigmoid(z) * sigmoid(-z) >= 1
            near, far = np.where(inside, half, near), np.where(inside, far, half)
        edges.append(near)
    return np.asarray(edges[0] + edges[1])


def widest_interval() -> tuple[float, float]:
    """The weight for which the interval is widest, and its width: where the derivative of the width is zero."""
    slope = grad(interval_width)
    low, high = 5.0, 10.0
    while high - low > 1e-12:
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) > 0 else (low, middle)
    return low, float(interval_width(low))


def _random_neurons(seed: int, draws: int) -> float:
    """The largest |wσ′(z)| among neurons with |w| < 4; b being free, z is N(0, 1) whatever w and a are."""
    rng = np.random.default_rng(seed)
    w, z = rng.uniform(-4, 4, draws), rng.standard_normal(draws)
    return float(np.max(np.abs(w) * sigmoid(z) * sigmoid(-z)))


def _widths(seed: int) -> float:
    """The largest relative error of the formula for the width, over weights of both signs and random biases."""
    rng = np.random.default_rng(seed)
    w = rng.choice([-1, 1], 500) * np.geomspace(4.01, 100, 500)
    return float(np.max(np.abs(measured_width(w, rng.standard_normal(500)) / interval_width(w) - 1)))


# --------------------------------------------------------------------------------------------------------- in a network


def _trained(train: tuple[Array, Array], seed: int, sizes: Sequence[int], epochs: int, lr: float) -> MLP:
    net = MLP(sizes, seed=seed)
    fit(net, _cost, train, epochs=epochs, lr=lr, seed=seed, progress=False)
    return net


def _cost(net: Any, X: Any, y: Any) -> Any:
    return losses.cross_entropy(net.logits(X), y)


def _told_apart(
    net: MLP, validation: tuple[Array, Array], weights: Sequence[float], layers: Sequence[int]
) -> dict[str, Any]:
    """Accuracy with and without identity neurons, and how many images they move to another class."""
    X, y = validation
    plain = _classes(net, X)
    others = [[_classes(with_identity_layers(net, w1, n), X) for w1 in weights] for n in layers]
    return {
        "accuracy": np.mean(plain == y),
        "identity_accuracy": [[np.mean(other == y) for other in row] for row in others],
        "moved": [[np.sum(other != plain) for other in row] for row in others],
    }


def _classes(net: MLP, X: Array) -> Array:
    with no_grad():
        logits: Array = net.logits(X)
    return np.asarray(logits.argmax(axis=1))


# ------------------------------------------------------------------------------------------------------ tables, claims


def _slope(z: float) -> float:
    """σ′(z) as backprop has it."""
    return float(grad(sigmoid)(z))


def _slope_table() -> Table:
    rows = [(f"{'±' * (z > 0)}{z:g}", f"{sigmoid(z):.8f}", f"{_slope(z):.8f}", f"{exact_slope(z):.8f}") for z in POINTS]
    return Table.of(("z", "σ(|z|)", "σ′(z) by backprop", "exactly"), rows, "σ and σ′")


def _width_table() -> Table:
    best, _ = widest_interval()
    rows = [(f"{w:.6g}", f"{interval_width(w):.6f}") for w in sorted([4, 4.5, 5, 6, 8, 10, 20, 50, 100, best])]
    return Table.of(("|w|", "width of the interval of a"), rows, "Where |wσ′(wa + b)| ≥ 1")


def _error_table(data: Mapping[str, Array]) -> Table:
    rows = [
        (f"{w1:.4g}", f"{error:.4g}", f"{error * 96 / w1**2:.4f}")
        for w1, error in zip(data["identity_w1"], data["identity_error"], strict=True)
    ]
    return Table.of(("w₁", "largest error for x in [0, 1]", "of w₁²/96"), rows, "An identity neuron")


def _network_table(data: Mapping[str, Array], layers: Sequence[int]) -> Table:
    rows: list[tuple[Any, ...]] = [("—", "—", spread(100 * data["accuracy"], ".2f"), "—")]
    for i, n in enumerate(layers):
        for j, w1 in enumerate(data["identity_weights"]):
            accuracy = spread(100 * data["identity_accuracy"][:, i, j], ".2f")
            rows.append((n, f"{w1:g}", accuracy, int(data["moved"][:, i, j].sum())))
    heads = ("layers put in", "w₁", "accuracy, %", "images moved, all seeds")
    return Table.of(heads, rows, "Identity neurons in a trained network")


def _slopes() -> Claim:
    """Row 22."""
    z = np.linspace(-8, 8, 16001)
    slopes = grad(lambda z: np.sum(sigmoid(z)))(z)
    top = float(z[np.argmax(slopes)])
    worst = max([abs(_slope(sign * p) / exact_slope(p) - 1) for p in POINTS for sign in (-1, 1)])
    told = ", ".join([f"{_slope(p):.8f} at ±{p:g}" for p in POINTS[1:]])
    return Claim(
        "σ′ has its maximum, ¼, at 0",
        "1/4",
        f"{slopes.max():.8g} at {top:g}; {told}",
        f"{len(z):,} values of z",
        bool(abs(top) < 1e-9 and slopes.max() == 0.25 and worst < 1e-14),
        "22",
    )


def _steep(data: Mapping[str, Array], draws: int) -> Claim:
    """Row 33."""
    steepest, seeds = data["steepest"], len(data["steepest"])
    return Claim(
        "|wσ′(wa + b)| ≥ 1 needs |w| ≥ 4",
        "|w| ≥ 4",
        f"neurons with |w| < 4 reach {np.max(steepest):.4f} at most; with |w| = 4 it is {4 * _slope(0.0):g} at z = 0",
        f"{seeds} × {draws:,} neurons",
        bool(np.all(steepest < 1) and 4 * _slope(0.0) >= 1),
        "33",
    )


def _widest(data: Mapping[str, Array]) -> Claim:
    """Row 34."""
    w, width = data["widest"]
    error = float(np.max(data["width_error"]))
    return Claim(
        "even then it is so only on a short interval of a, the longest at |w| = 6.9",
        "0.45 at |w| ≈ 6.9",
        f"{width:.6f} at |w| = {w:.5f}; formula and bisection differ by {error:.0e} at most",
        f"{500 * len(data['width_error']):,} weights and biases",
        bool(round(w, 1) == BOOK_WIDEST[0] and round(width, 2) == BOOK_WIDEST[1] and error < 1e-9),
        "34",
    )


def _identity(data: Mapping[str, Array]) -> Claim:
    """Row 35."""
    w1, error = data["identity_w1"], data["identity_error"]
    part = error * 96 / w1**2
    return Claim(
        "w₂σ(w₁x + b) with b = −w₁/2, w₂ = 4/w₁ is x for x in [0, 1], but for a constant and an error of w₁²/96",
        "≈ x",
        f"the largest error is {part[w1 == 1][0]:.3f} of w₁²/96 at w₁ = 1, {part[-1]:.5f} at {w1[-1]:.2g}; the "
        "constant, 2/w₁ − ½, goes into the next bias",
        f"{len(w1)} weights",
        bool(np.all(part < 1 + 1e-5) and abs(part[-1] - 1) < 1e-3),
        "35",
    )


def _unchanged(data: Mapping[str, Array], layers: Sequence[int], images: int) -> Claim:
    """Row 37."""
    moved, with_them, without = data["moved"][:, :, 0], data["identity_accuracy"][:, :, 0], data["accuracy"]
    seeds = len(without)
    return Claim(
        "identity neurons put into a trained network leave its accuracy unchanged: deeper can do as well",
        "",
        f"accuracy {spread(100 * without, '.2f')} % without, "
        + ", ".join([f"{spread(100 * with_them[:, i], '.2f')} % with {n} more" for i, n in enumerate(layers)])
        + f"; {int(moved.sum())} images change their class (w₁ = {data['identity_weights'][0]:g})",
        f"{seeds} network{'s' * (seeds > 1)}, {images:,} images each",
        bool(np.all(with_them == without[:, None])),
        "37",
    )


# ------------------------------------------------------------------------------------------------------------- picture


def _figure(data: Mapping[str, Array], layers: Sequence[int]) -> Any:
    from matplotlib.figure import Figure

    from tinygrad_vg.drawing.plots import plot_style

    with plot_style():
        figure = Figure(figsize=(9.2, 7.4))
        figure.set_layout_engine("constrained", h_pad=0.12)
        axes = figure.subplots(2, 2)
        _draw_slope(axes[0, 0])
        _draw_width(axes[0, 1], data)
        _draw_error(axes[1, 0], data)
        _draw_accuracy(axes[1, 1], data, layers)
    return figure


def _draw_slope(axes: Any) -> None:
    z = np.linspace(-8, 8, 401)
    axes.plot(z, sigmoid(z), "--", label="σ(z)")
    axes.plot(z, sigmoid(z) * sigmoid(-z), label="σ′(z)")
    book_mark(axes, [0], [0.25], "book: maximum ¼")
    for p in POINTS[1:]:
        axes.annotate(f"{_slope(p):.4f}", (p, _slope(p)), (4, 5), textcoords="offset points", fontsize=9)
        axes.plot([p], [_slope(p)], "o", ms=4, color="C1")
    axes.legend(loc="upper left", fontsize=9)
    axes.set(title="σ and its derivative", xlabel="z")


def _draw_width(axes: Any, data: Mapping[str, Array]) -> None:
    w, width = data["widest"]
    axes.semilogx(data["w"], data["width"])
    book_mark(axes, BOOK_WIDEST[0], BOOK_WIDEST[1], f"book: {BOOK_WIDEST[1]} at {BOOK_WIDEST[0]}")
    axes.annotate(f"{width:.4f} at {w:.5f}", (w, width), (14, 2), textcoords="offset points", fontsize=9)
    axes.set_xticks([4, 5, 7, 10, 20, 50, 100], ["4", "5", "7", "10", "20", "50", "100"])
    axes.minorticks_off()
    axes.legend(loc="lower right", fontsize=9)
    axes.set(title="Where |wσ′(wa + b)| ≥ 1", xlabel="|w|", ylabel="width of the interval of a", ylim=(0, 0.52))


def _draw_error(axes: Any, data: Mapping[str, Array]) -> None:
    w1 = data["identity_w1"]
    axes.loglog(w1, data["identity_error"], "o", ms=4, label="measured")
    axes.loglog(w1, w1**2 / 96, "--", label="w₁²/96")
    axes.legend(loc="upper left", fontsize=9)
    axes.set(title="Identity neuron", xlabel="w₁", ylabel="largest error for x in [0, 1]")


def _draw_accuracy(axes: Any, data: Mapping[str, Array], layers: Sequence[int]) -> None:
    w1, without = data["identity_weights"], 100 * data["accuracy"]
    axes.axhline(np.mean(without), ls="--", lw=1, color="0.5")
    for i, (n, style) in enumerate(zip(layers, ("o-", "s--", "^-.", "v:") * len(layers), strict=False)):
        accuracy = 100 * data["identity_accuracy"][:, i]
        axes.errorbar(w1, accuracy.mean(axis=0), accuracy.std(axis=0), fmt=style, ms=4, capsize=2)
        name_curve(axes, w1[-1], accuracy.mean(axis=0)[-1], f"{n} layer{'s' * (n > 1)}\nput in")
    axes.set_xscale("log")
    axes.annotate("without", (w1[0], np.mean(without)), (0, -12), textcoords="offset points", fontsize=9)
    axes.set(title="In a trained network", xlabel="w₁", ylabel="accuracy, %")
