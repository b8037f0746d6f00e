"""Classical against Nesterov momentum: an oblong bowl, the theorem about quadratics, the schedule, an autoencoder.

Source: I. Sutskever, J. Martens, G. Dahl & G. Hinton, "On the importance of initialization and momentum in deep
learning", ICML 2013, which chapter 5 of Nielsen's book reports.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_vg.checks import Array
from tinygrad_vg.drawing.plots import PALETTE
from tinygrad_vg.lab.results import Claim, Result, Table
from tinygrad_vg.lab.settings import Progress, count, images_of, numbers, one_blas_thread, seed_list, spread
from tinygrad_vg.lab.whole import fit_wholly
from tinygrad_vg.modes import no_grad
from tinygrad_vg.nn import MLP, losses
from tinygrad_vg.optim import SGD, sutskever_schedule
from tinygrad_vg.tensor import Tensor
from tinygrad_vg.training import Callback, Run

__all__ = ["METHODS", "descend", "oblong", "run", "theorem_gap"]


# ---------------------------------------------------------------------------------------------------- the oblong bowl

OBLONG = {"start": (-10.0, 1.0), "momentum": 0.95, "lr": 0.009, "steps": 150}
BOOK_LENGTHS = {"classical": 26.6, "Nesterov": 1.16}
"""Σ|Δy| along the path, in `OBLONG`."""


def oblong(theta: Any) -> Any:
    """(x² + 100y²)/2, a hundred times steeper along y than along x."""
    return 0.5 * (np.array([1.0, 100.0]) * theta**2).sum()


def descend(
    f: Callable[[Any], Any],
    start: Sequence[float] | Array,
    *,
    lr: float,
    momentum: float = 0.0,
    nesterov: bool = False,
    steps: int = 100,
) -> Array:
    """The path of gradient descent with momentum.

    Parameters
    ----------
    f : callable
        Of a Tensor of the shape of `start`; gives a Tensor with one number.
    start : array_like, shape (n,)
        θ₀; the velocity is 0.
    lr, momentum, nesterov
        As for `SGD`.
    steps : int

    Returns
    -------
    ndarray, shape (steps + 1, n)
        θ (not θ + μv, where Nesterov takes the gradient) before the first and after each step.

    Examples
    --------
    >>> descend(lambda t: (t**2).sum(), [1.0], lr=0.25, steps=3).ravel()
    array([1.   , 0.5  , 0.25 , 0.125])
    """
    theta = Tensor(start)
    optimizer = SGD([theta], lr, momentum, nesterov)
    path = [theta.data]
    for _ in range(count(steps, "steps")):
        f(theta).backward()
        optimizer.step()
        with optimizer.at_theta():
            path.append(theta.data)
    return np.array(path)


def path_lengths(path: Array) -> Array:
    """Σ|Δ| of each coordinate."""
    return np.asarray(np.sum(np.abs(np.diff(path, axis=0)), axis=0))


# --------------------------------------------------------------------------------------------------------- the theorem


def theorem_gap(seed: int, *, n: int = 6, momentum: float = 0.95, steps: int = 100, shrink: bool = True) -> float:
    """How far Nesterov's path on a random quadratic is from the classical one with momentum μ(1 − λε).

    Parameters
    ----------
    seed : int
        Of the quadratic ½θᵀHθ (eigenvalues λ from 1 to 100, random axes) and of θ₀.
    n : int
        Dimensions.
    momentum : float
        Nesterov's μ.
    steps : int
    shrink : bool
        False gives the classical path the same μ along every axis: then the paths differ.

    Returns
    -------
    float
        The largest difference in any coordinate at any step, relative to ‖θ₀‖.

    Notes
    -----
    Theorem 2.1 of the paper. Nesterov descends along all axes at once; the classical path is put together from one
    descent along each eigenvector, each with its own momentum. ε is 0.9/λ_max, so that 1 − λε is not negative.
    """
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(rng.normal(size=(n, n)))[0]
    curvatures = np.exp(rng.uniform(0, math.log(100), n))
    lr, start = 0.9 / float(np.max(curvatures)), rng.normal(size=n)
    hessian = (axes * curvatures) @ axes.T
    quadratic = lambda theta: 0.5 * theta @ (hessian @ theta)
    nesterov = descend(quadratic, axes @ start, lr=lr, momentum=momentum, nesterov=True, steps=steps) @ axes
    classical = np.empty_like(nesterov)
    for i, curvature in enumerate(curvatures.tolist()):
        mu = momentum * (1 - curvature * lr) if shrink else momentum
        classical[:, i] = descend(_parabola(curvature), start[i : i + 1], lr=lr, momentum=mu, steps=steps)[:, 0]
    return float(np.max(np.abs(nesterov - classical)) / np.linalg.norm(start))


def _parabola(curvature: float) -> Callable[[Any], Any]:
    return lambda t: (0.5 * curvature * t**2).sum()


# -------------------------------------------------------------------------------------------------------- the schedule


def schedule_by_formula(t: int, mu_max: float) -> float:
    """Equation 5 as it is printed: min(1 − 2^(−1−log₂(⌊t/250⌋+1)), μ_max)."""
    return min(1 - 2 ** (-1 - math.log2(t // 250 + 1)), mu_max)


SCHEDULED = range(0, 15_000, 125)
"""The steps t at which the schedule is looked at."""


# ----------------------------------------------------------------------------------------------------- the autoencoder

SIZES = (100, 50, 10, 50, 100)
"""Units of the autoencoder's hidden layers."""


HURRY = 80
"""The schedule is gone through so many times faster than printed: it was made for 750,000 steps, here are hundreds."""


@dataclass(frozen=True)
class Method:
    """A way to train.

    Attributes
    ----------
    name
        In words: CM is classical momentum, NAG Nesterov's accelerated gradient.
    highest
        μ_max.
    nesterov
        Where the gradient is taken.
    constant
        μ is μ_max from the first step on.
    """

    name: str
    highest: float = 0.0
    nesterov: bool = False
    constant: bool = False

    @property
    def momentum(self) -> Any:
        """μ, or the function μ(t)."""
        if self.constant:
            return self.highest
        schedule = sutskever_schedule(self.highest)
        return lambda t: schedule(HURRY * t)


METHODS = (
    Method("SGD", constant=True),
    Method("CM .9", 0.9),
    Method("NAG .9", 0.9, nesterov=True),
    Method("CM .99", 0.99),
    Method("NAG .99", 0.99, nesterov=True),
    Method("NAG .99 at once", 0.99, nesterov=True, constant=True),
)
"""The last is there to see what the schedule does."""


def reconstruction(model: Any, X: Any, y: Any) -> Any:
    """The cost of an autoencoder, for `fit`: cross-entropy of the pixels, summed over them."""
    return losses.cross_entropy(model.logits(X), X)


class Course(Callback):
    """Record the cost on all images at θ, before training, every so many steps, and at the end.

    Attributes
    ----------
    every : int
    costs : list of float
    """

    def __init__(self, X: Array, every: int) -> None:
        self.X, self.every = X, every
        self.costs: list[float] = []

    def epoch(self, run: Run) -> None:
        """A step is an epoch here."""
        if run.epoch % self.every == 0 or run.epoch == run.epochs:
            with no_grad():
                self.costs.append(float(run.loss(run.model, self.X, self.X)))

    start = epoch


def autoencode(X: Array, method: Method, *, seed: int, steps: int, lr: float, every: int) -> list[float]:
    """Train an autoencoder on all images at once.

    Parameters
    ----------
    X : ndarray, shape (n, inputs)
        In [0, 1]; inputs and targets.
    method : Method
    seed : int
        Of the network: sigmoid units, 15 weights N(0, 1) into each, biases 0.
    steps, lr
        Number of updates, and learning rate.
    every : int
        Record the cost every so many steps.

    Returns
    -------
    list of float
        The cost at θ before training and along it.
    """
    net = MLP([X.shape[1], *SIZES, X.shape[1]], "sigmoid", "sparse", seed=seed, dtype=X.dtype)
    optimizer = SGD(net.parameters(), lr, method.momentum, method.nesterov)
    course = Course(X, every)
    fit_wholly(
        net,
        reconstruction,
        (X, X),
        epochs=steps,
        batch_size=len(X),
        shuffle=False,
        optimizer=optimizer,
        callbacks=[course],
    )
    return course.costs


# -------------------------------------------------------------------------------------------------- the experiment


@dataclass(frozen=True, eq=False)
class Found:
    """What was measured.

    Attributes
    ----------
    classical, nesterov, shrunk
        Paths in `OBLONG`; the last is classical with μ(1 − λε) along each axis.
    gaps, control
        `theorem_gap` of each seed, and without the factor 1 − λε.
    schedule
        μ_t of `sutskever_schedule` and by the printed formula, shape (2, steps), for μ_max = .99.
    at
        The steps at which costs were recorded.
    costs
        Of the autoencoder, shape (methods, seeds, records).
    """

    classical: Array
    nesterov: Array
    shrunk: Array
    gaps: Array
    control: Array
    schedule: Array
    at: Array
    costs: Array


def run(
    *,
    quick: bool = False,
    seeds: int | None = None,
    data: Any = None,
    progress: Progress = None,
    images: int | None = None,
    steps: int | None = None,
    lr: float = 0.002,
) -> Result:
    """Compare classical and Nesterov momentum.

    Parameters
    ----------
    quick : bool
        Fewer images, steps and seeds for the autoencoder.
    seeds : int, optional
        Autoencoders of each kind (3; quick 2).
    data : dataset or (X, y), optional
        MNIST if not given; its 1,000 embedded images are enough.
    progress : callable, optional
        ``progress(done, total)``.
    images : int, optional
        For the autoencoder to learn (1000; quick 100).
    steps : int, optional
        Updates of the autoencoder, each with all images (600; quick 200).
    lr : float
        ε of the autoencoder, the same for all methods.

    Raises
    ------
    TypeError, ValueError
        For settings or data that do not fit.
    """
    chosen = seed_list(seeds, 2 if quick else 3)
    images = count(images if images is not None else 100 if quick else 1000, "images")
    steps = count(steps if steps is not None else 200 if quick else 600, "steps")
    (lr,) = numbers([lr], "lr")
    X = images_of(data, images)[0].astype(np.float32)  # half the time, and the costs need no more
    every = max(1, steps // 40)
    bowl: Any = dict(OBLONG)
    start, mu, eps = bowl.pop("start"), bowl["momentum"], bowl["lr"]
    along = [
        descend(_parabola(c), [x], lr=eps, momentum=mu * (1 - c * eps), steps=bowl["steps"])
        for x, c in zip(start, (1.0, 100.0), strict=True)
    ]
    scheduled = sutskever_schedule(0.99)
    total = len(METHODS) * len(chosen)
    with one_blas_thread():
        costs = []
        for method in METHODS:
            for seed in chosen:
                costs.append(autoencode(X, method, seed=seed, steps=steps, lr=lr, every=every))
                if progress is not None:
                    progress(len(costs), total)
        found = Found(
            classical=descend(oblong, start, **bowl),
            nesterov=descend(oblong, start, **bowl, nesterov=True),
            shrunk=np.concatenate(along, axis=1),
            gaps=np.array([theorem_gap(seed) for seed in range(10)]),
            control=np.array([theorem_gap(seed, shrink=False) for seed in range(10)]),
            schedule=np.array([[scheduled(k) for k in SCHEDULED], [schedule_by_formula(k, 0.99) for k in SCHEDULED]]),
            at=np.unique([*range(0, steps, every), steps]),
            costs=np.array(costs).reshape(len(METHODS), len(chosen), -1),
        )
    return Result(
        name="momentum",
        title="Classical and Nesterov momentum",
        settings={"quick": bool(quick), "seeds": chosen, "images": images, "steps": steps, "lr": lr},
        data={**vars(found), "methods": np.array([method.name for method in METHODS])},
        tables=tables(found),
        claims=claims(found),
        draw=lambda: figure(found),
    )


# --------------------------------------------------------------------------------------------------- what is said of it


def tables(found: Found) -> tuple[Table, ...]:
    """The autoencoder's costs, the oblong bowl, the theorem and the schedule."""
    half = len(found.at) // 2
    costs = [
        (method.name, *[spread(row[:, k], ".4g") for k in (0, half, -1)])
        for method, row in zip(METHODS, found.costs, strict=True)
    ]
    bowl = [
        (name, *[f"{x:.3g}" for x in (*path_lengths(path), *path[-1])])
        for name, path in (
            ("classical, μ = .95", found.classical),
            ("Nesterov, μ = .95", found.nesterov),
            ("classical, μ = .95(1 − λε) along each axis", found.shrunk),
        )
    ]
    heads = ("method", *[f"after {found.at[k]:,} steps" for k in (0, half, -1)])
    gaps = [
        (words, f"{np.median(gap):.2g}", f"{np.max(gap):.2g}")
        for words, gap in (("μ(1 − λε) along each axis", found.gaps), ("the same μ along all", found.control))
    ]
    changes = [k for k in range(len(SCHEDULED)) if k == 0 or found.schedule[0, k] != found.schedule[0, k - 1]]
    some = [k for k in changes if SCHEDULED[k] // 250 in (0, 1, 2, 4, 9, 24, 49)]
    return (
        Table.of(
            heads,
            costs,
            f"Autoencoder with hidden layers {'-'.join(map(str, SIZES))}: cost; μ by the schedule, {HURRY} × as fast",
        ),
        Table.of(
            ("method", "Σ|Δx|", "Σ|Δy|", "x at the end", "y at the end"),
            bowl,
            f"(x² + 100y²)/2 from (−10, 1), ε = .009, {len(found.classical) - 1} steps",
        ),
        Table.of(
            ("classical path with", "median", "largest"),
            gaps,
            f"Difference from Nesterov's path on {len(found.gaps)} random quadratics, relative to ‖θ₀‖",
        ),
        Table.of(
            ("from step", "μ"),
            [(SCHEDULED[k], f"{found.schedule[0, k]:.4g}") for k in some],
            "Schedule for μ_max = .99",
        ),
    )


def claims(found: Found) -> tuple[Claim, ...]:
    """Row 28."""
    made = []
    for name, path in (("classical", found.classical), ("Nesterov", found.nesterov)):
        length, book = float(path_lengths(path)[1]), BOOK_LENGTHS[name]
        made.append(
            Claim(
                f"the oblong bowl: length of the {name} path across the valley",
                str(book),
                f"{length:.4g}",
                f"{len(path) - 1} steps",
                bool(abs(length / book - 1) < 0.005),
                "28",
            )
        )
    made.append(
        Claim(
            "on a quadratic Nesterov is classical momentum with μ(1 − λε) along each eigenvector",
            "equal",
            f"the paths differ by at most {np.max(found.gaps):.1g} of ‖θ₀‖; with the same μ by "
            f"{np.min(found.control):.2g} or more",
            f"{len(found.gaps)} random quadratics of 6 dimensions",
            bool(np.max(found.gaps) < 1e-10 and np.min(found.control) > 1e-3),
            "28",
        )
    )
    made.append(
        Claim(
            "the schedule is min(1 − 2^(−1−log₂(⌊t/250⌋+1)), μ_max)",
            "½ at first, μ_max in the end",
            f"{found.schedule[0, 0]:g} at first, {found.schedule[0, -1]:g} in the end; at most "
            f"{np.max(np.abs(found.schedule[0] - found.schedule[1])):.1g} from the formula",
            f"{len(SCHEDULED)} steps from 0 to {SCHEDULED[-1]:,}",
            bool(np.allclose(found.schedule[0], found.schedule[1], rtol=1e-14, atol=0)),
            "28",
        )
    )
    return (*made, *ordering(found.costs[:, :, -1], int(found.at[-1])))


def ordering(costs: Array, steps: int) -> tuple[Claim, Claim]:
    """The order of `METHODS` by their final costs, shape (methods, seeds), and what the schedule does.

    The order holds if every seed has it, and is undecided if only their means have. ".9 ≈ .9" is read as: the means
    differ by less than a tenth of the distance from the worst method to the best.
    """
    sgd, cm9, nag9, cm99, nag99, at_once = costs
    pairs = ((sgd, cm9), (sgd, nag9), (cm9, cm99), (nag9, cm99), (cm99, nag99))
    every = np.all([worse > better for worse, better in pairs], axis=0)
    on_average = all([np.mean(worse) > np.mean(better) for worse, better in pairs])
    close = bool(abs(np.mean(cm9) - np.mean(nag9)) < 0.1 * (np.mean(sgd) - np.mean(nag99)))
    seeds = costs.shape[1]
    over = f"{seeds} seed{'s' * (seeds > 1)}, {steps:,} steps, μ by the schedule {HURRY} times as fast"
    order = Claim(
        "the autoencoder's cost: SGD > CM .9 ≈ NAG .9 > CM .99 > NAG .99",
        "SGD > CM .9 ≈ NAG .9 > CM .99 > NAG .99",
        f"{' / '.join([spread(row, '.4g') for row in costs[:5]])}; in this order in {np.count_nonzero(every)} of "
        f"{seeds} seeds",
        over,
        (True if np.all(every) else None) if on_average and close else False,
        "28",
    )
    better = np.count_nonzero(nag99 < at_once)
    schedule = Claim(
        "a large momentum wants its schedule: NAG .99 ends lower with it than with μ = .99 from the first step on",
        "",
        f"{spread(nag99, '.4g')} against {spread(at_once, '.4g')}; lower in {better} of {seeds} seeds",
        over,
        True if better == seeds else None if np.mean(nag99) < np.mean(at_once) else False,
        "28",
    )
    return order, schedule


# ------------------------------------------------------------------------------------------------------- the picture


def figure(found: Found) -> Any:
    """Both paths on contour lines, the theorem, the schedule, the autoencoder."""
    from matplotlib.figure import Figure

    from tinygrad_vg.drawing.plots import plot_style

    with plot_style():
        made = Figure(figsize=(9.6, 10.4), layout="constrained")
        axes = made.subplot_mosaic([["paths", "paths"], ["theorem", "schedule"], ["costs", "costs"]])
        _paths(axes["paths"], found)
        _theorem(axes["theorem"], found)
        _schedule(axes["schedule"], found)
        _costs(axes["costs"], found)
    return made


def _paths(axes: Any, found: Found) -> None:
    from matplotlib import rcParams

    x, y = np.meshgrid(np.linspace(-11, 9, 201), np.linspace(-1.25, 1.25, 201))
    axes.contour(
        x,
        y,
        (x**2 + 100 * y**2) / 2,
        [1, 4, 10, 20, 35, 55, 80, 110],
        colors=[rcParams["text.color"]],
        alpha=0.3,
        linewidths=0.8,
    )
    for path, colour, marker, name in (
        (found.classical, PALETTE[1], "o", "classical"),
        (found.nesterov, PALETTE[0], "s", "Nesterov"),
    ):
        length = path_lengths(path)[1]
        label = f"{name}: {length:.3g} across the valley (book {BOOK_LENGTHS[name]})"
        axes.plot(*path.T, color=colour, marker=marker, markersize=3, linewidth=1.1, label=label)
    axes.plot(*found.classical[0], marker="*", markersize=13, color=rcParams["text.color"], linestyle="none", zorder=5)
    axes.annotate("start", found.classical[0], (8, 6), textcoords="offset points")
    axes.grid(visible=False)
    axes.set(title="(x² + 100y²)/2 with μ = .95, ε = .009", xlabel="x", ylabel="y", ylim=(-1.25, 1.65))
    axes.legend(loc="upper right", ncols=2, fontsize=9)


def _theorem(axes: Any, found: Found) -> None:
    steps = slice(0, 31)
    axes.plot(found.classical[steps, 1], color=PALETTE[1], linewidth=1.2, label="classical, μ = .95")
    axes.plot(found.nesterov[steps, 1], color=PALETTE[0], label="Nesterov, μ = .95")
    axes.plot(
        found.shrunk[steps, 1],
        color=PALETTE[2],
        linestyle="none",
        marker="o",
        markerfacecolor="none",
        label="classical, μ(1 − λε) = .095",
    )
    axes.set(title="the theorem, along y (λ = 100)", xlabel="step", ylabel="y", ylim=(-1.1, 1.9))
    axes.legend(loc="upper right", fontsize=9)


def _schedule(axes: Any, found: Found) -> None:
    axes.plot(SCHEDULED, found.schedule[0], drawstyle="steps-post", label="μ_max = .99")
    axes.plot(
        list(SCHEDULED)[::4],
        found.schedule[1, ::4],
        linestyle="none",
        marker="x",
        color=PALETTE[1],
        label="the printed formula",
    )
    axes.set(title="schedule of the momentum μ", xlabel="step", ylim=(0.48, 1.02))
    axes.legend(loc="lower right", fontsize=9)


def _costs(axes: Any, found: Found) -> None:
    looks = [(PALETTE[3], "-"), (PALETTE[1], "-"), (PALETTE[0], "-"), (PALETTE[1], "--"), (PALETTE[0], "--")]
    looks.append((PALETTE[2], ":"))
    for method, rows, (colour, line) in zip(METHODS, found.costs, looks, strict=True):
        mean = np.mean(rows, axis=0)
        axes.plot(found.at[1:], mean[1:], color=colour, linestyle=line, label=f"{method.name}: {mean[-1]:.1f}")
        if len(rows) > 1:
            sd = np.std(rows, axis=0, ddof=1)
            axes.fill_between(found.at[1:], (mean - sd)[1:], (mean + sd)[1:], color=colour, alpha=0.15, linewidth=0)
    best = float(np.min(found.costs))
    axes.set(
        title="autoencoder: cost, mean ± sd (book: SGD > CM .9 ≈ NAG .9 > CM .99 > NAG .99)",
        xlabel="step",
        ylim=(0.95 * best, 2 * best),
    )
    axes.legend(loc="upper right", fontsize=9, ncols=2)
