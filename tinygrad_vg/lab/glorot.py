"""Which initialisation suits which activation: five hidden layers before training, and their first steps.

Source: X. Glorot & Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS
2010, which chapter 5 of Nielsen's book reports. As there the outputs are a softmax with cross-entropy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tinygrad_vg.checks import Array
from tinygrad_vg.lab.glorot_pictures import (
    BOOK_RATIOS,
    NORMALISED,
    SIGMOID,
    STANDARD,
    TRAINED,
    Histograms,
    Measured,
    Pair,
    Runs,
    figure,
)
from tinygrad_vg.lab.judging import student_p, too_few
from tinygrad_vg.lab.results import Claim, Result, Table
from tinygrad_vg.lab.settings import (
    Progress,
    count,
    counts,
    images_of,
    numbers,
    one_blas_thread,
    seed_list,
    spread,
    train_and_validation,
)
from tinygrad_vg.lab.signals import (
    gradient_ratio,
    measure_signals,
    small_signal_ratio,
    theoretical_ratio,
    weight_gradient_shares,
)
from tinygrad_vg.lab.whole import fit_wholly
from tinygrad_vg.modes import no_grad
from tinygrad_vg.nn import MLP, losses
from tinygrad_vg.nn.activations import by_name as activation_by_name
from tinygrad_vg.nn.init import by_name as initialiser_by_name
from tinygrad_vg.training import Callback, Run, accuracy

__all__ = ["run"]

HIDDEN = 5

BOOK_SINGULAR = {STANDARD: 0.49, NORMALISED: 0.79}
"""Mean singular value of the Jacobian from one hidden layer to the next; "≈" is read as ± 0.03."""


# ------------------------------------------------------------------------------------------------- the first steps


class Course(Callback):
    """Record accuracy and the mean activation of each hidden layer after 0, 1, 2, 5, 10, 20, 50 … mini-batches.

    Attributes
    ----------
    steps : list of int
    accuracy : list of float
        On the validation images.
    means : list of list of float
        Of the activations of each hidden layer, on the training images given.
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
        """Record after the 1st, 2nd, 5th, 10th … mini-batch, and after the last."""
        step = run.epoch * run.batches + run.batch
        if str(step).rstrip("0") in ("1", "2", "5") or step == run.epochs * run.batches:
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


def train_and_watch(net: MLP, data: Any, validation: Any, *, epochs: int, lr: float, seed: int) -> dict[str, Array]:
    """Train by mini-batches of 10 and give the `Course` as arrays."""
    course = Course(data[0][:300], validation)
    fit_wholly(net, softmax_cross_entropy, data, epochs=epochs, lr=lr, seed=seed, callbacks=[course])
    return {name: np.array(getattr(course, name)) for name in ("steps", "accuracy", "means")}


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
    """Measure five hidden layers before training, for each activation with each initialiser, and train some of them.

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
        Units of each hidden layer (100 and 1000; quick 100). All is done with the first; with the others only the four
        pairs that are trained are measured.
    samples : int
        Images to measure with before training.
    epochs : int, optional
        Of training by mini-batches of 10 (1 with 50,000 images; quick 5 with 1,000).
    lr : float
        Learning rate.

    Raises
    ------
    TypeError, ValueError
        For settings or data that do not fit.
    DatasetError
        If MNIST is not to be had.
    """
    if widths is None:
        widths = (100,) if quick else (100, 1000)
    names = list(dict.fromkeys([activation_by_name(a)[0] for a in activations]))
    rules = list(dict.fromkeys([initialiser_by_name(i).name for i in initialisers]))
    sizes = list(dict.fromkeys(counts(widths, "widths")))
    if not names or not rules:
        raise ValueError("activations, initialisers: give one of each at least")
    pairs = [(a, i) for a in names for i in rules]
    epochs = count(epochs if epochs is not None else 5 if quick else 1, "epochs")
    (lr,) = numbers([lr], "lr")
    chosen = seed_list(seeds, 2 if quick else 5)
    X, y = images_of(data, count(samples, "samples"))
    training, validation = train_and_validation(data, quick=quick)
    trained = [pair for pair in TRAINED if pair in pairs]
    kinds = [(sizes[0], pair) for pair in pairs] + [(width, pair) for width in sizes[1:] for pair in trained]
    total, done = len(chosen) * (len(kinds) + len(trained)), 0

    def over_seeds(width: int, pair: Pair, work: Callable[[MLP, int], dict[str, Array]]) -> dict[str, Array]:
        """What the work gives for a network of each seed, stacked."""
        nonlocal done
        rows = []
        for seed in chosen:
            net = MLP([X.shape[1], *[width] * HIDDEN, 10], *pair, seed=seed, output="softmax")
            rows.append(work(net, seed))
            done += 1
            if progress is not None:
                progress(done, total)
        return {name: np.array([row[name] for row in rows]) for name in rows[0]}

    with one_blas_thread():
        measured: Measured = {
            (width, pair): over_seeds(width, pair, lambda net, _: measure_signals(net, X, y)) for width, pair in kinds
        }
        watched = lambda net, seed: train_and_watch(net, training, validation, epochs=epochs, lr=lr, seed=seed)
        runs: Runs = {pair: over_seeds(sizes[0], pair, watched) for pair in trained}
    return Result(
        name="glorot",
        title="Initialisation and activation in five hidden layers",
        settings={
            "quick": bool(quick),
            "seeds": chosen,
            "activations": names,
            "initialisers": rules,
            "widths": sizes,
            "samples": len(X),
            "epochs": epochs,
            "lr": lr,
        },
        data={
            **{f"{w}.{a}.{i}.{name}": v for (w, (a, i)), found in measured.items() for name, v in found.items()},
            **{f"trained.{a}.{i}.{name}": v for (a, i), found in runs.items() for name, v in found.items()},
        },
        tables=tables(measured, runs),
        claims=claims(measured, runs),
        draw=lambda: figure(measured, runs, sizes[0]) if trained else Histograms(measured, sizes[0]).plot(),
        pictures={"histograms": lambda: Histograms(measured, sizes[0])},
    )


# --------------------------------------------------------------------------------------------------- what is said of it


def tables(measured: Measured, runs: Runs) -> tuple[Table, ...]:
    """The gradient's ratio against theory; all layers; after training."""
    ratios, layers = [], []
    for (width, (activation, init)), found in measured.items():
        kind = (str(width), activation, init)
        at_zero, theory = small_signal_ratio(found, activation), float(np.mean(theoretical_ratio(found)))
        singular = spread(np.mean(found["singular"], axis=1), ".2f")
        ratios.append((*kind, f"{at_zero:.3g}", f"{theory:.3g}", spread(gradient_ratio(found)), singular))
        for name in ("activation", "gradient", "weight_gradient"):
            layers.append((*kind, name.replace("_", " "), *[f"{x:.2g}" for x in np.mean(found[name], axis=0)]))
    after = [
        (a, i, int(found["steps"][0, -1]), spread(100 * found["accuracy"][:, -1]), spread(found["means"][:, -1, -1]))
        for (a, i), found in runs.items()
    ]
    heads = ("width", "activation", "initialiser")
    return (
        Table.of(
            (*heads, "theory, f′(0)", "theory, rms f′(z)", "measured", "mean singular value"),
            ratios,
            "Back-propagated gradient before training: sd in the last hidden layer over sd in the first",
        ),
        Table.of(
            (*heads, "sd of", *[f"layer {i + 1}" for i in range(HIDDEN)]),
            layers,
            "Standard deviations before training, means over the seeds",
        ),
        *[
            Table.of(
                (*heads[1:], "mini-batches", "accuracy in %", "mean activation of the last hidden layer"),
                after,
                "After a short training",
            )
        ]
        * bool(after),
    )


def claims(measured: Measured, runs: Runs) -> tuple[Claim, ...]:
    """Row 27: what is known of the pairs that were measured, judged by the means over the seeds."""
    made = [claim for (width, pair), found in measured.items() for claim in _before_training(width, pair, found)]
    if STANDARD in runs and NORMALISED in runs:
        made.append(_faster(runs[STANDARD], runs[NORMALISED]))
    if SIGMOID in runs:
        made += [_stuck(runs[SIGMOID]), _saturates(runs[SIGMOID])]
    return tuple(made)


def _before_training(width: int, pair: Pair, found: Mapping[str, Array]) -> list[Claim]:
    words = {SIGMOID: "sigmoid, standard", STANDARD: "tanh, standard", NORMALISED: "tanh, normalised"}
    kind, over = f"{words.get(pair)} initialisation, five layers of {width}", _seeds(found["gradient"])
    made = []
    if pair in BOOK_RATIOS:
        low, high, book = BOOK_RATIOS[pair]
        ratio = gradient_ratio(found)
        told = f"{spread(ratio)}; theory with rms f′(z) says {np.mean(theoretical_ratio(found)):.3g}"
        says = f"sd of the back-propagated gradient, last over first hidden layer: {kind}"
        made.append(Claim(says, book, told, over, bool(low <= np.mean(ratio) <= high), "27"))
    if pair in BOOK_SINGULAR:
        singular = np.mean(found["singular"], axis=1)
        holds = bool(abs(np.mean(singular) - BOOK_SINGULAR[pair]) <= 0.03)
        says = f"mean singular value of the Jacobian from one hidden layer to the next: {kind}"
        made.append(Claim(says, f"≈ {BOOK_SINGULAR[pair]}", spread(singular, ".3f"), over, holds, "27"))
        single = weight_gradient_shares(found)
        share = np.mean(single, axis=0)
        told = f"{share.min():.2f} to {share.max():.2f} of their mean; single networks {single.min():.2f} to "
        says, holds = f"weight gradients of layers 2–5 are equally large: {kind}", bool(np.all(abs(share - 1) <= 0.1))
        made.append(Claim(says, "equal within 10 %", f"{told}{single.max():.2f}", over, holds, "27"))
    return made


def _over(found: Mapping[str, Array]) -> str:
    return f"{_seeds(found['steps'])}, {int(found['steps'][0, -1]):,} mini-batches"


def _seeds(rows: Array) -> str:
    return f"{len(rows)} seed{'s' * (len(rows) > 1)}"


def _faster(standard: Mapping[str, Array], normalised: Mapping[str, Array]) -> Claim:
    """By the mean over the recorded steps, evenly on a logarithmic axis; decided if Student's p is below 5 %."""
    gain = 100 * np.mean(normalised["accuracy"] - standard["accuracy"], axis=1)
    told, holds = f"accuracy {spread(gain)} points higher on average over the course{too_few(gain, 2)}", None
    if len(gain) > 1:
        error = float(np.std(gain, ddof=1) / np.sqrt(len(gain)))
        p = student_p(float(np.mean(gain)) / max(error, 1e-12), len(gain) - 1)
        told += f" (p = {p:.1g})"
        holds = bool(np.mean(gain) > 0) if p < 0.05 else None
    says = "tanh learns faster with the normalised than with the standard initialisation"
    return Claim(says, "", told, _over(standard), holds, "27")


def _stuck(found: Mapping[str, Array]) -> Claim:
    last = 100 * found["accuracy"][:, -1]
    return Claim(
        "sigmoids with the standard initialisation have not begun to learn by then",
        "",
        f"accuracy {spread(last)} %, at most {np.max(last):.1f}",
        _over(found),
        bool(np.max(last) < 20),
        "27",
    )


def _saturates(found: Mapping[str, Array]) -> Claim:
    """Towards 0: its mean activation falls below half of what it was, and that of no other layer does."""
    means = np.mean(found["means"], axis=0)
    fell, falling = means[-1] < means[0] / 2, means[-1, -1] < means[-2, -1] <= means[0, -1]
    told = ", ".join([f"{start:.2f} → {end:.2f}" for start, end in zip(means[0], means[-1], strict=True)])
    undecided = bool(falling and not fell[-1])
    return Claim(
        "with sigmoids the last hidden layer saturates near 0 early in training, and it alone",
        "",
        f"mean activation of layers 1 to {HIDDEN}: {told}" + "; still falling" * undecided,
        _over(found),
        None if undecided else bool(fell[-1] and not np.any(fell[:-1])),
        "27",
    )
