"""Which initialisation suits which activation: signals and gradients in five hidden layers, and the first steps.

Source: X. Glorot & Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS
2010, which chapter 5 of Nielsen's book reports. As there the output layer is a softmax with cross-entropy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_vg.autodiff import backprop
from tinygrad_vg.checks import Array
from tinygrad_vg.lab.results import Claim, Result, Table
from tinygrad_vg.lab.settings import Progress, count, images_of, numbers, seed_list, spread, train_and_validation
from tinygrad_vg.modes import no_grad
from tinygrad_vg.nn import MLP, losses
from tinygrad_vg.nn.activations import by_name as activation_by_name
from tinygrad_vg.nn.init import by_name as initialiser_by_name
from tinygrad_vg.tensor import Tensor
from tinygrad_vg.training import Callback, Run, accuracy, fit

__all__ = ["Signals", "run", "signals"]

HIDDEN = 5
PER_LAYER = ("activation", "gradient", "weight_gradient", "slope", "gain")
"""What `measure` gives for each hidden layer."""

SIGMOID, STANDARD, NORMALISED = ("sigmoid", "glorot_standard"), ("tanh", "glorot_standard"), ("tanh", "glorot_normalised")
TRAINED = (SIGMOID, STANDARD, NORMALISED, ("relu", "he"))
"""The pairs of activation and initialiser that are trained, and measured at all widths."""

BOOK_RATIOS = {SIGMOID: (2500 / 1.2, 2500 * 1.2), STANDARD: (8.0, 11.0), NORMALISED: (1.1, 1.8)}
"""Gradient sd of the last hidden layer over that of the first; "≈ 2500" is read as within a factor of 1.2."""

BOOK_SINGULAR = {STANDARD: 0.49, NORMALISED: 0.79}
"""Mean singular value of the Jacobian from one hidden layer to the next; "≈" is read as ± 0.03."""

Pair = tuple[str, str]
Measured = dict[tuple[int, Pair], dict[str, Array]]
Runs = dict[Pair, dict[str, Array]]


# ------------------------------------------------------------------------------------------------ before any training


@dataclass(frozen=True, eq=False)
class Signals:
    """What goes forwards and backwards through the hidden layers of a network; of each, one array a layer.

    Attributes
    ----------
    a
        Activations, shape (n, units).
    slopes
        f′(z), shape (n, units).
    dz
        Each sample's own ∂C/∂z, shape (n, units).
    dw
        ∂C/∂w of the mean cost, shape (inputs, units).
    """

    a: tuple[Array, ...]
    slopes: tuple[Array, ...]
    dz: tuple[Array, ...]
    dw: tuple[Array, ...]


def signals(net: MLP, X: Array, y: Array) -> Signals:
    """Send samples forwards and their gradients back.

    Parameters
    ----------
    net : MLP
        Its output layer is taken as a softmax.
    X, y : ndarray
        Samples, shape (n, inputs), and integer labels.

    Notes
    -----
    The cost is the average over the samples, so a row of ∂C/∂z holds 1/n of a sample's gradient; it is multiplied by n.
    """
    z, a = [], [X]
    for layer in net.layers:
        z.append(layer.logits(a[-1]))
        a.append(layer.activation(z[-1]))
    hidden = z[:-1]
    found = backprop(losses.softmax_cross_entropy(z[-1], y), wrt=[*hidden, *[layer.w for layer in net.layers[:-1]]])
    slopes = []
    for layer, t in zip(net.layers[:-1], hidden, strict=True):
        free = Tensor(t.data)
        slopes.append(backprop(layer.activation(free).sum(), wrt=[free])[free])
    return Signals(
        tuple([t.data for t in a[1:-1]]),
        tuple(slopes),
        tuple([len(X) * found[t] for t in hidden]),
        tuple([found[layer.w] for layer in net.layers[:-1]]),
    )


def mean_singular_values(net: MLP, slopes: Sequence[Array], rows: int) -> Array:
    """The mean singular value of ∂zˡ⁺¹/∂zˡ = Σ′(zˡ)wˡ⁺¹ for each two hidden layers, averaged over the first rows."""
    found = []
    for slope, layer in zip(slopes[:-1], net.layers[1:-1], strict=True):
        jacobians = slope[:rows, :, None] * layer.w.data
        found.append(np.mean(np.linalg.svd(jacobians, compute_uv=False)))
    return np.array(found)


def measure(net: MLP, X: Array, y: Array) -> dict[str, Array]:
    """Standard deviations over samples and units of each hidden layer, and what theory makes of them.

    Returns
    -------
    dict
        By layer: ``activation``, ``gradient`` (of ∂C/∂z), ``weight_gradient``, ``slope`` (root mean square of f′(z)).
        By step from a layer to the next: ``gain`` (√(fan-out·Var w) of the weights between them), ``singular``. And
        the densities of ``activations`` and ``log_gradients``, log₁₀|∂C/∂z|, both of what is not 0, shape (layers, bins).
    """
    s = signals(net, X, y)
    name = net.layers[0].activation_name
    rows = max(1, 2000 // net.sizes[1])  # an average over units already: a few samples are enough for wide layers
    return {
        "activation": np.array([np.std(a) for a in s.a]),
        "gradient": np.array([np.std(d) for d in s.dz]),
        "weight_gradient": np.array([np.std(d) for d in s.dw]),
        "slope": np.array([np.sqrt(np.mean(f**2)) for f in s.slopes]),
        "gain": np.array([np.sqrt(layer.n_out * np.mean(layer.w.data**2)) for layer in net.layers[1:-1]]),
        "singular": mean_singular_values(net, s.slopes, rows),
        "activations": np.array([_density(a[a != 0], *BINS.get(name, (-3, 3, 80))) for a in s.a]),
        "log_gradients": np.array([_density(np.log10(np.abs(d[d != 0])), *LOG_BINS) for d in s.dz]),
    }


BINS = {"sigmoid": (0, 1, 80), "tanh": (-1, 1, 80), "softsign": (-1, 1, 80), "relu": (0, 2, 80)}
"""From, to, and number of the bins of activations, by name."""

LOG_BINS = (-9, 1, 100)


def _density(x: Array, low: float, high: float, bins: int) -> Array:
    """The share of `x` in each bin, by its width."""
    return np.histogram(x, bins, (low, high))[0] / (max(1, x.size) * (high - low) / bins)


def ratio(found: Mapping[str, Array]) -> Array:
    """Gradient sd of the last hidden layer over that of the first, of each seed."""
    return np.asarray(found["gradient"][:, -1] / found["gradient"][:, 0])


def theory(found: Mapping[str, Array]) -> Array:
    """The same by theory: each step back multiplies the sd by √(fan-out·Var w)·rms f′ (their equation 6, with f′)."""
    return np.asarray(1 / np.prod(found["gain"] * found["slope"][:, :-1], axis=1))


def small_signal_theory(found: Mapping[str, Array], activation: str) -> float:
    """The same before any activation bends: with f′ at 0, from both sides."""
    free = Tensor([-1e-9, 1e-9])
    slope = backprop(activation_by_name(activation)[1](free).sum(), wrt=[free])[free]
    return float(np.mean(1 / np.prod(found["gain"] * np.sqrt(np.mean(slope**2)), axis=1)))


def uneven(found: Mapping[str, Array]) -> Array:
    """The weight-gradient sd of each hidden layer but the first, over their mean: of each seed."""
    sd = found["weight_gradient"][:, 1:]
    return np.asarray(sd / np.mean(sd, axis=1, keepdims=True))


# ------------------------------------------------------------------------------------------------- the first steps


class Course(Callback):
    """Record accuracy and the mean activation of each hidden layer after 0, 1, 2, 5, 10, 20, 50 … steps.

    Attributes
    ----------
    steps : list of int
    accuracy : list of float
        On the validation images.
    means : list of list of float
        Of the activations of each hidden layer on the training images.
    """

    def __init__(self, X: Array, validation: tuple[Array, Array]) -> None:
        self.X, self.validation = X, validation
        self.steps: list[int] = []
        self.accuracy: list[float] = []
        self.means: list[list[float]] = []

    def start(self, run: Run) -> None:
        """Record the network before training."""
        self._record(run, 0)

    def batch(self, run: Run) -> None:
        """Record at the 1st, 2nd, 5th, 10th … step, and at the last."""
        step = run.epoch * run.batches + run.batch
        if int(str(step).rstrip("0")) in (1, 2, 5) or step == run.epochs * run.batches:
            self._record(run, step)

    def _record(self, run: Run, step: int) -> None:
        self.steps.append(step)
        self.accuracy.append(accuracy(run.model, *self.validation))
        a, means = self.X, []
        with no_grad():
            for layer in run.model.layers[:-1]:
                a = layer(a)
                means.append(float(np.mean(a)))
        self.means.append(means)


def softmax_cross_entropy(model: Any, X: Any, y: Any) -> Any:
    """The cost, for `fit`."""
    return losses.softmax_cross_entropy(model.logits(X), y)


def train(net: MLP, data: Any, validation: Any, *, epochs: int, lr: float, seed: int) -> dict[str, Array]:
    """Train by mini-batches of 10 and give the `Course`."""
    course = Course(data[0][:300], validation)
    fit(net, softmax_cross_entropy, data, epochs=epochs, lr=lr, seed=seed, callbacks=[course], progress=False)
    return {
        "steps": np.array(course.steps),
        "accuracy": np.array(course.accuracy),
        "means": np.array(course.means),
    }


# -------------------------------------------------------------------------------------------------- the experiment


def run(
    *,
    quick: bool = False,
    seeds: int | None = None,
    data: Any = None,
    progress: Progress = None,
    activations: Sequence[str] = ("sigmoid", "tanh", "softsign", "relu"),
    initialisers: Sequence[str] = ("glorot_standard", "glorot_normalised", "he", "default"),
    widths: Sequence[int] | None = None,
    samples: int = 1000,
    epochs: int | None = None,
    lr: float = 0.2,
) -> Result:
    """Measure five hidden layers at initialisation, for each activation with each initialiser, and train some.

    Parameters
    ----------
    quick : bool
        The embedded images, one width, two seeds.
    seeds : int, optional
        Networks of each kind (5; quick 2).
    data : dataset or (X, y), optional
        MNIST if not given.
    progress : callable, optional
        ``progress(done, total)``.
    activations, initialisers : sequence of str
        Names of `tinygrad_vg.nn.activations` and `tinygrad_vg.nn.init`.
    widths : sequence of int, optional
        Units of each hidden layer (100 and 1000; quick 100). The first is for everything, at the others only the pairs
        in `TRAINED` are measured.
    samples : int
        Images to measure at initialisation.
    epochs : int, optional
        Of training with mini-batches of 10 (1 with 50,000 images; quick 5 with 1,000).
    lr : float
        Learning rate.

    Raises
    ------
    TypeError, ValueError
        For settings or data that do not fit.
    DatasetError
        If MNIST is not to be had.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    names = [activation_by_name(a)[0] for a in activations]
    pairs = [(a, initialiser_by_name(i).name) for a in names for i in initialisers]
    sizes = [count(w, "widths") for w in (widths if widths is not None else (100,) if quick else (100, 1000))]
    epochs = count(epochs if epochs is not None else 5 if quick else 1, "epochs")
    (lr,) = numbers([lr], "lr")
    chosen = seed_list(seeds, 2 if quick else 5)
    if not pairs or not sizes:
        raise ValueError("activations, initialisers and widths: give at least one each")
    X, y = images_of(data, count(samples, "samples"))
    trained = [pair for pair in TRAINED if pair in pairs]
    kinds = [(sizes[0], pair) for pair in pairs] + [(width, pair) for width in sizes[1:] for pair in trained]
    total, done = len(chosen) * (len(kinds) + len(trained)), 0

    def network(width: int, pair: Pair, seed: int) -> MLP:
        return MLP([X.shape[1], *[width] * HIDDEN, 10], *pair, seed=seed, output="softmax")

    def over_seeds(made: Callable[[int], dict[str, Array]]) -> dict[str, Array]:
        nonlocal done
        rows = []
        for seed in chosen:
            rows.append(made(seed))
            done += 1
            if progress is not None:
                progress(done, total)
        return {name: np.array([row[name] for row in rows]) for name in rows[0]}

    measured: Measured = {}
    runs: Runs = {}
    with threadpool_limits(1, user_api="blas"):
        for width, pair in kinds:
            measured[width, pair] = over_seeds(lambda seed, w=width, p=pair: measure(network(w, p, seed), X, y))
        if trained:
            training, validation = train_and_validation(data, quick=quick)
            for pair in trained:
                runs[pair] = over_seeds(
                    lambda seed, p=pair: train(
                        network(sizes[0], p, seed), training, validation, epochs=epochs, lr=lr, seed=seed
                    )
                )
    settings = {
        "quick": bool(quick),
        "seeds": chosen,
        "activations": names,
        "initialisers": [initialiser_by_name(i).name for i in initialisers],
        "widths": sizes,
        "samples": len(X),
        "epochs": epochs,
        "lr": lr,
    }
    return Result(
        name="glorot",
        title="Initialisation and activation in five hidden layers",
        settings=settings,
        data={
            **{f"{w}.{a}.{i}.{name}": v for (w, (a, i)), found in measured.items() for name, v in found.items()},
            **{f"trained.{a}.{i}.{name}": v for (a, i), found in runs.items() for name, v in found.items()},
        },
        tables=tables(measured, runs),
        claims=claims(measured, runs, len(chosen)),
        draw=lambda: figure(measured, runs, sizes[0]),
        pictures={"histograms": lambda: Histograms(measured, sizes[0])},
    )


# --------------------------------------------------------------------------------------------------- what is said of it


def tables(measured: Measured, runs: Runs) -> tuple[Table, ...]:
    """Ratios of gradients against theory; all layers; training."""
    ratios = []
    for (width, (activation, init)), found in measured.items():
        small = f"{small_signal_theory(found, activation):.3g}"
        singular = spread(np.mean(found["singular"], axis=1), ".2f")
        bent = f"{np.mean(theory(found)):.3g}"
        ratios.append((width, activation, init, small, bent, spread(ratio(found)), singular))
    layers = []
    for (width, (activation, init)), found in measured.items():
        for name in ("activation", "gradient", "weight_gradient"):
            means = [f"{x:.2g}" for x in np.mean(found[name], axis=0)]
            layers.append((width, activation, init, name.replace("_", " "), *means))
    made = [
        Table.of(
            ("width", "activation", "initialiser", "small-signal theory", "theory", "measured", "mean singular value"),
            ratios,
            "Back-propagated gradient at initialisation: sd in the last hidden layer over sd in the first",
        ),
        Table.of(
            ("width", "activation", "initialiser", "sd of", *[f"layer {i + 1}" for i in range(HIDDEN)]),
            layers,
            "Standard deviations at initialisation, mean over the seeds",
        ),
    ]
    if runs:
        rows = [
            (a, i, int(found["steps"][0, -1]), spread(100 * found["accuracy"][:, -1]), spread(found["means"][:, -1, -1]))
            for (a, i), found in runs.items()
        ]
        heads = ("activation", "initialiser", "steps", "accuracy in %", "mean activation of the last hidden layer")
        made.append(Table.of(heads, rows, "After short training"))
    return tuple(made)


def claims(measured: Measured, runs: Runs, seeds: int) -> tuple[Claim, ...]:
    """Row 27, judged by the means over the seeds."""
    made = []
    over = f"{seeds} seeds"
    words = {SIGMOID: "sigmoid, standard", STANDARD: "tanh, standard", NORMALISED: "tanh, normalised"}
    book = {SIGMOID: "≈ 2500", STANDARD: "8–11 (theory √3⁴ = 9)", NORMALISED: "1.1–1.8"}
    for (width, pair), found in measured.items():
        of_kind = f"{words.get(pair)} initialisation, width {width}"
        if pair in BOOK_RATIOS:
            low, high = BOOK_RATIOS[pair]
            mine = ratio(found)
            made.append(
                Claim(
                    f"the sd of the back-propagated gradient, last over first hidden layer: {of_kind}",
                    book[pair],
                    f"{spread(mine)}; theory with the measured slopes {np.mean(theory(found)):.3g}",
                    over,
                    bool(low <= round(float(np.mean(mine)), 1) <= high),
                    "27",
                )
            )
        if pair in BOOK_SINGULAR:
            mine = np.mean(found["singular"], axis=1)
            made.append(
                Claim(
                    f"the mean singular value of the Jacobian from one hidden layer to the next: {of_kind}",
                    f"≈ {BOOK_SINGULAR[pair]}",
                    spread(mine, ".2f"),
                    over,
                    bool(abs(np.mean(mine) - BOOK_SINGULAR[pair]) <= 0.03),
                    "27",
                )
            )
            share = np.mean(uneven(found), axis=0)
            made.append(
                Claim(
                    f"the weight gradients of layers 2–5 are of one size: {of_kind}",
                    "equal within 10 %",
                    f"{np.min(share):.2f} to {np.max(share):.2f} of their mean "
                    f"(single networks {np.min(uneven(found)):.2f} to {np.max(uneven(found)):.2f})",
                    over,
                    bool(np.all(np.abs(share - 1) <= 0.1)),
                    "27",
                )
            )
    if STANDARD in runs and NORMALISED in runs:
        made.append(_faster(runs, seeds))
    if SIGMOID in runs:
        made += [_stuck(runs[SIGMOID], seeds), _saturates(runs[SIGMOID], seeds)]
    return tuple(made)


def _faster(runs: Runs, seeds: int) -> Claim:
    """Averaged over the recorded steps, which are spread evenly over their logarithm."""
    gain = np.mean(runs[NORMALISED]["accuracy"] - runs[STANDARD]["accuracy"], axis=1)
    error = np.std(gain, ddof=1) / np.sqrt(seeds) if seeds > 1 else np.inf
    return Claim(
        "tanh learns faster with the normalised initialisation than with the standard one",
        "",
        f"accuracy {spread(100 * gain)} points higher on average over the course",
        f"{seeds} seeds, {int(runs[STANDARD]['steps'][0, -1])} steps",
        None if abs(np.mean(gain)) < 2 * error else bool(np.mean(gain) > 0),
        "27",
    )


def _stuck(found: Mapping[str, Array], seeds: int) -> Claim:
    last = found["accuracy"][:, -1]
    return Claim(
        "sigmoid layers with the standard initialisation are still at chance after these steps",
        "",
        f"accuracy {spread(100 * last)} %, at most {100 * np.max(last):.1f}",
        f"{seeds} seeds, {int(found['steps'][0, -1])} steps",
        bool(np.max(last) < 0.2),
        "27",
    )


def _saturates(found: Mapping[str, Array], seeds: int) -> Claim:
    """Near 0: below half of what it was, while no other layer is."""
    means = np.mean(found["means"], axis=0)
    fell = means[-1] < means[0] / 2
    falling = means[-1, -1] < means[-2, -1] < means[0, -1]
    told = ", ".join([f"{first:.2f} → {last:.2f}" for first, last in zip(means[0], means[-1], strict=True)])
    return Claim(
        "with sigmoids the last hidden layer, and it alone, saturates near 0 early in training",
        "",
        f"mean activation of layers 1 to {len(fell)}: {told}" + "; still falling" * bool(falling and not fell[-1]),
        f"{seeds} seeds, {int(found['steps'][0, -1])} steps",
        None if falling and not fell[-1] else bool(fell[-1] and not np.any(fell[:-1])),
        "27",
    )


# ------------------------------------------------------------------------------------------------------- the picture

LOOK = {
    SIGMOID: ("#0072B2", "o", "sigmoid, standard"),
    STANDARD: ("#D55E00", "s", "tanh, standard"),
    NORMALISED: ("#009E73", "D", "tanh, normalised"),
    ("relu", "he"): ("#CC79A7", "^", "ReLU, He"),
}
"""Colour, marker and name of the pairs in `TRAINED`."""


def figure(measured: Measured, runs: Runs, width: int) -> Any:
    """Histograms of tanh, gradients by layer, weight gradients, the course of training, saturation."""
    from matplotlib.figure import Figure

    from tinygrad_vg.drawing.plots import plot_style

    with plot_style():
        made = Figure(figsize=(9.6, 11.4), layout="constrained")
        (left, right), (gradients, weights), (course, saturation) = made.subplots(3, 2)
        shown = {pair: measured[width, pair] for pair in TRAINED if (width, pair) in measured}
        tanh = {LOOK[pair][2]: found for pair, found in shown.items() if pair[0] == "tanh"}
        colours = [LOOK[STANDARD][0], LOOK[NORMALISED][0]]
        _ridges(left, tanh, "activations", BINS["tanh"], colours)
        _ridges(right, tanh, "log_gradients", LOG_BINS, colours)
        left.set(title="tanh: activations before training", xlabel="activation a")
        right.set(title="tanh: gradients before training", xlabel="log₁₀ |∂C/∂z|", xlim=(-6, 0))
        _gradients(gradients, shown)
        _weight_gradients(weights, shown)
        _courses(course, runs)
        _saturation(saturation, runs)
    return made


@dataclass(frozen=True, eq=False)
class Histograms:
    """Activations and gradients of each hidden layer for each activation with each initialiser, as one picture."""

    measured: Measured
    width: int

    def plot(self) -> Any:
        """A matplotlib Figure, a row for each activation."""
        from matplotlib.figure import Figure

        from tinygrad_vg.drawing.plots import PALETTE, plot_style

        pairs = [pair for width, pair in self.measured if width == self.width]
        names = list(dict.fromkeys([activation for activation, _ in pairs]))
        with plot_style():
            made = Figure(figsize=(9.6, 3.9 * len(names)), layout="constrained")
            for (left, right), name in zip(made.subplots(len(names), 2, squeeze=False), names, strict=True):
                shown = {i.replace("_", " "): self.measured[self.width, (a, i)] for a, i in pairs if a == name}
                _ridges(left, shown, "activations", BINS.get(name, (-3, 3, 80)), PALETTE, fill=False)
                _ridges(right, shown, "log_gradients", LOG_BINS, PALETTE, fill=False)
                left.set(title=f"{name}: activations before training", xlabel="activation a, where not 0")
                right.set(title=f"{name}: gradients before training", xlabel="log₁₀ |∂C/∂z|", xlim=(-8, 0))
        return made

    def to_svg(self) -> str:
        """The picture as ``<svg>``."""
        from tinygrad_vg.drawing.plots import figure_to_svg

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
    """A histogram for each hidden layer on a base line of its own, the first at the bottom; each as high as the rest."""
    edges = np.linspace(bins[0], bins[1], bins[2] + 1)
    for i, (label, found) in enumerate(shown.items()):
        colour, line = colours[i % len(colours)], "-" if fill else LINES[i // len(colours) % 4]
        for layer, density in enumerate(np.mean(found[name], axis=0), start=1):
            height = layer + 0.85 * density / max(np.max(density), 1e-300)
            if fill:
                axes.stairs(height, edges, baseline=layer, fill=True, color=colour, alpha=0.18, linewidth=0)
            axes.stairs(
                height, edges, baseline=None, color=colour, linestyle=line, label=label if layer == 1 else None, lw=1.3
            )
    axes.set_yticks(range(1, HIDDEN + 1), [f"layer {i + 1}" for i in range(HIDDEN)])
    axes.locator_params(axis="x", nbins=6)
    axes.set_ylim(0.9, HIDDEN + 1.25 + 0.35 * ((len(shown) + 1) // 2))
    axes.legend(loc="upper center", ncols=2, fontsize=9)


def _gradients(axes: Any, shown: Mapping[Pair, Mapping[str, Array]]) -> None:
    book = [BOOK_RATIOS[pair] for pair in shown if pair in BOOK_RATIOS]
    for i, (low, high) in enumerate(book):
        ends = [1 / high, 1 / low]
        axes.plot([0.75, 0.75], ends, color=_ink(), lw=4, solid_capstyle="butt", label=None if i else "book")
    for pair, found in shown.items():
        _by_layer(axes, pair, found["gradient"] / found["gradient"][:, -1:], 1)
    axes.set(yscale="log", title="sd of the gradient, relative to layer 5", xlabel="hidden layer")
    axes.legend(loc="lower right", fontsize=9)


def _weight_gradients(axes: Any, shown: Mapping[Pair, Mapping[str, Array]]) -> None:
    axes.axhspan(0.9, 1.1, color=_ink(), alpha=0.15, linewidth=0, label="book: equal within 10 %")
    for pair, found in shown.items():
        _by_layer(axes, pair, uneven(found), 2)
    axes.set(yscale="log", title="sd of the weight gradient, relative to its mean", xlabel="hidden layer")
    axes.legend(loc="lower right", fontsize=9)


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
    from tinygrad_vg.drawing.plots import PALETTE

    sigmoid = {pair: found for pair, found in runs.items() if pair == SIGMOID}
    for found in sigmoid.values():
        for layer in range(HIDDEN):
            style = {"color": PALETTE[layer % 4], "linestyle": LINES[layer // 4]}
            _band(axes, found["steps"][0], found["means"][:, :, layer], label=f"layer {layer + 1}", **style)
    _mini_batches(axes, sigmoid)
    axes.set(title="sigmoid, standard: mean activation", ylim=(0, 1))


def _mini_batches(axes: Any, runs: Runs) -> None:
    if runs:
        axes.set(xscale="log", xlabel="mini-batches")
        axes.legend(loc="upper left", fontsize=9)
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


def _ink() -> Any:
    """The colour of text."""
    from matplotlib import rcParams

    return rcParams["text.color"]
