"""How fast each hidden layer learns: ‖δˡ‖ at initialisation over many seeds, and along a training run.

‖δˡ‖ is the norm of the *mean* over the samples of ∂C/∂bˡ. Source: Nielsen, ch. 5, "The vanishing gradient problem";
there 500 epochs are 500 full-batch steps on the first 1,000 training images with η = 0.1 and λ = 5, and n = 1,000.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from tinygrad_vg.checks import Array
from tinygrad_vg.lab.judging import FEWEST, is_like, too_few
from tinygrad_vg.lab.results import Claim, Result, Table
from tinygrad_vg.lab.settings import (
    Progress,
    count,
    images_of,
    numbers,
    one_blas_thread,
    seed_list,
    train_and_validation,
)
from tinygrad_vg.lab.speeds import (
    BOOK_INITIAL,
    BOOK_RATIOS,
    InitialSpeeds,
    cross_entropy,
    initial_speeds,
    predicted_factor,
    train_and_measure,
)
from tinygrad_vg.nn import MLP
from tinygrad_vg.training import accuracy

__all__ = ["BOOK_INITIAL", "BOOK_RATIOS", "InitialSpeeds", "cross_entropy", "initial_speeds", "run"]

DEPTHS = (2, 3, 4)
"""Hidden layers of the networks that are trained."""

ENOUGH = 20
"""Initialisations from which quantiles of 5 % and 95 % mean something."""

WIDTH = 30
DEEPEST = 8
"""Hidden layers of the networks in which the law is looked at."""

BOOK_IMAGES = 1000
"""The first so many training images are what the chapter measures and trains on here."""

BOOK_OVER_100 = 88
"""In so many of the book's 500 epochs the first of four hidden layers is more than 100 times slower than the last."""


@dataclass(frozen=True)
class Courses:
    """Trainings of one kind of network, one a seed.

    Attributes
    ----------
    hidden
        Sizes of the hidden layers.
    norms, sample_norms
        As in `speeds.Course`, shape (seeds, epochs, hidden layers).
    cost
        Shape (seeds, epochs).
    right
        The share of the training images, and of the validation images, that are classified right at the end; shape
        (seeds, 2).
    """

    hidden: tuple[int, ...]
    norms: Array
    sample_norms: Array
    cost: Array
    right: Array

    @property
    def ratio(self) -> Array:
        """‖δ‖ of the last over that of the first hidden layer, shape (seeds, epochs)."""
        return np.asarray(self.norms[:, :, -1] / self.norms[:, :, 0])

    @property
    def sample_ratio(self) -> Array:
        """The same of the means of the samples' norms."""
        return np.asarray(self.sample_norms[:, :, -1] / self.sample_norms[:, :, 0])


@dataclass(frozen=True)
class Findings:
    """Everything that was measured.

    Attributes
    ----------
    initial, large
        At initialisation by the number of hidden layers, with the book's default and its large initial weights.
    courses
        Trainings by the number of hidden layers.
    free
        Trainings of the deepest of them without weight decay.
    plateau
        The cost of a network that knows the shares of the classes and nothing else, and the largest share, of the
        training images and of the validation images.
    """

    initial: Mapping[int, InitialSpeeds]
    large: Mapping[int, InitialSpeeds]
    courses: Mapping[int, Courses]
    free: Courses
    plateau: tuple[float, float, float]

    @property
    def marks(self) -> list[int]:
        """The epochs at which the ratios are told."""
        return [e for e in BOOK_RATIOS[(WIDTH,) * 2] if e < self.free.cost.shape[1]]


def run(
    *,
    quick: bool = False,
    seeds: int | None = None,
    data: Any = None,
    progress: Progress = None,
    initial_seeds: int | None = None,
    images: int | None = None,
    epochs: int = 500,
    lr: float = 0.1,
    lmbda: float | None = None,
) -> Result:
    """Measure the learning speed of every hidden layer, at initialisation and along trainings.

    Parameters
    ----------
    quick : bool
        Fewer seeds and images.
    seeds : int, optional
        Trainings of each kind; 20, or 2 if `quick`.
    data
        See `tinygrad_vg.lab.settings.train_and_validation`.
    progress : callable, optional
        ``progress(done, total)`` after every network measured or trained; a training counts as many as its epochs.
    initial_seeds : int, optional
        Networks of each kind that are measured at initialisation; ten times `seeds`, but at least 40.
    images : int, optional
        The first so many are trained on; 1,000, or 200 if `quick`. At initialisation it is always 1,000, or all.
    epochs : int
        Steps of each training: a mini-batch is all of the images.
    lr : float
        η.
    lmbda : float, optional
        λ; by default 5 for every 1,000 images, so that the weight decay λ/n is the book's.

    Returns
    -------
    Result
        Its data: ``initial_2``, ``large_2`` … are ‖δ‖ of shape (seeds, hidden layers); ``norms_2``, ``sample_norms_2``
        … and ``norms_4_free`` of shape (seeds, epochs, hidden layers); ``cost_…`` of shape (seeds, epochs);
        ``right_…`` as in `Courses`.

    Raises
    ------
    TypeError, ValueError
        For settings or data that do not fit.
    """
    chosen = seed_list(seeds, 2 if quick else 20)
    many = seed_list(initial_seeds, max(40, 10 * len(chosen)))
    images = count((200 if quick else 1000) if images is None else images, "images")
    epochs = count(epochs, "epochs")
    (lr,) = numbers([lr], "lr")
    (lmbda,) = numbers([5.0 * images / BOOK_IMAGES if lmbda is None else lmbda], "lmbda", positive=False)
    train, validation = train_and_validation(data, quick=quick)
    X, y = images_of(train, images)
    first = images_of(train, min(BOOK_IMAGES, len(train[1])))
    done, total = 0, 2 * (len(DEPTHS) + 1) * len(many) + (len(DEPTHS) + 1) * len(chosen) * epochs

    def tick(units: int = 1) -> None:
        nonlocal done
        done += units
        if progress is not None:
            progress(done, total)

    def fresh(init: str) -> dict[int, InitialSpeeds]:
        return {d: initial_speeds((WIDTH,) * d, *first, many, tick, init=init) for d in (*DEPTHS, DEEPEST)}

    def trained(depth: int, weight_decay: float) -> Courses:
        options = {"epochs": epochs, "lr": lr, "weight_decay": weight_decay}
        return _train((WIDTH,) * depth, (X, y), validation, chosen, options, lambda: tick(epochs))

    with one_blas_thread():
        initial, large = fresh("default"), fresh("large")
        courses = {d: trained(d, lmbda / len(X)) for d in DEPTHS}
        free = trained(DEPTHS[-1], 0.0)
    shares = [np.bincount(labels, minlength=10) / len(labels) for labels in (y, validation[1])]
    common = int(np.argmax(shares[0]))
    found = Findings(initial, large, courses, free, (_entropy(shares[0]), shares[0][common], shares[1][common]))
    usual = (images, epochs, lr, lmbda) == (BOOK_IMAGES, 500, 0.1, 5.0)
    return Result(
        name="learning_speed",
        title="How fast each hidden layer learns",
        settings={
            "quick": bool(quick),
            "seeds": chosen,
            "initial_seeds": many,
            "images": images,
            "initial_images": len(first[1]),
            "validation_images": len(validation[1]),
            "epochs": epochs,
            "lr": lr,
            "lmbda": lmbda,
        },
        data=_arrays(found),
        tables=(_initial_table(found), _law_table(found), _course_table(found), _end_table(found)),
        claims=_claims(found, usual),
        draw=partial(_draw, found),
    )


def _train(
    hidden: tuple[int, ...],
    train: tuple[Array, Array],
    validation: tuple[Array, Array],
    seeds: Sequence[int],
    options: dict[str, Any],
    tick: Callable[[], Any],
) -> Courses:
    X, y = train
    courses, right = [], []
    for seed in seeds:
        net = MLP([X.shape[1], *hidden, 10], seed=seed)
        courses.append(train_and_measure(net, X, y, **options))
        right.append([accuracy(net, X, y), accuracy(net, *validation)])
        tick()
    parts = [np.array([getattr(c, name) for c in courses]) for name in ("norms", "sample_norms", "cost")]
    return Courses(hidden, parts[0], parts[1], parts[2], np.array(right))


def _entropy(shares: Array) -> float:
    """The sum of the classes' Bernoulli entropies: the least cost of outputs that do not depend on the image."""
    p = shares[(shares > 0) & (shares < 1)]
    return float(-np.sum(p * np.log(p) + (1 - p) * np.log(1 - p)))


def _arrays(found: Findings) -> dict[str, Array]:
    arrays = {f"initial_{d}": speeds.norms for d, speeds in found.initial.items()}
    arrays |= {f"initial_sample_{d}": speeds.sample_norms for d, speeds in found.initial.items()}
    arrays |= {f"large_{d}": speeds.norms for d, speeds in found.large.items()}
    for name, courses in [*found.courses.items(), (f"{DEPTHS[-1]}_free", found.free)]:
        for part in ("norms", "sample_norms", "cost", "right"):
            arrays[f"{part}_{name}"] = getattr(courses, part).astype(np.float32)  # half the file, seven digits
    return arrays


# --------------------------------------------------------------------------------------------------------------- tables


def _band(values: Array, spec: str = ".3g") -> str:
    """Median and the range that nine of ten lie in."""
    low, middle, high = np.quantile(values, [0.05, 0.5, 0.95])
    return f"{middle:{spec}} ({low:{spec}} to {high:{spec}})"


def _initial_table(found: Findings) -> Table:
    rows = []
    for depth in DEPTHS:
        for layer, (_, _, _, book) in enumerate(found.initial[depth].rows()):
            rows.append(
                (
                    depth,
                    layer + 1,
                    f"{book:.3g}",
                    _band(found.initial[depth].norms[:, layer]),
                    _band(found.initial[depth].sample_norms[:, layer]),
                    _band(found.large[depth].norms[:, layer]),
                )
            )
    heads = ("hidden layers", "layer", "book", "‖δ‖", "mean of the samples' norms", "‖δ‖, large initial weights")
    return Table.of(heads, rows, "‖δ‖ at initialisation: median over the seeds (5 % to 95 %)")


def _law_table(found: Findings) -> Table:
    _, law = predicted_factor()
    rows = []
    for layer in range(DEEPEST - 1):
        default, large = found.initial[DEEPEST].factors[:, layer], found.large[DEEPEST].factors[:, layer]
        rows.append((f"{layer + 1} → {layer + 2}", f"{law:.2f}", _band(default), _band(large)))
    heads = ("layer", "predicted", "default initial weights", "large initial weights")
    return Table.of(heads, rows, f"What each layer costs: ‖δ‖ of a layer over that of the one before, {DEEPEST} layers")


def _kinds(found: Findings) -> list[tuple[str, Courses]]:
    return [*[(f"{d}", c) for d, c in found.courses.items()], (f"{DEPTHS[-1]}, λ = 0", found.free)]


def _course_table(found: Findings) -> Table:
    rows = []
    for name, courses in _kinds(found):
        for epoch in found.marks:
            book = "—" if courses is found.free else f"{BOOK_RATIOS[courses.hidden][epoch]:.1f}"
            ratios = [_band(part[:, epoch]) for part in (courses.ratio, courses.sample_ratio)]
            rows.append((name, epoch, book, *ratios))
    heads = ("hidden layers", "epoch", "book", "‖δ‖", "mean of the samples' norms")
    return Table.of(heads, rows, "Last over first hidden layer along a training: median over the seeds (5 % to 95 %)")


def _end_table(found: Findings) -> Table:
    rows = []
    for name, courses in _kinds(found):
        right = [f"{100 * np.mean(part):.1f}" for part in courses.right.T]
        rows.append((name, _band(courses.norms[:, -1, 0], ".2g"), _band(courses.cost[:, -1], ".5g"), *right))
    heads = ("hidden layers", "‖δ‖ of the first", "cost", "% of training images", "% of validation images")
    return Table.of(heads, rows, "At the end of the training")


# --------------------------------------------------------------------------------------------------------------- claims


def _claims(found: Findings, usual: bool) -> tuple[Claim, ...]:
    """All of them; those about the book's own numbers can be decided with its settings only."""
    return (
        *[_initial_claim(found.initial[depth]) for depth in DEPTHS],
        _law_claim(found),
        _large_claim(found),
        *[_ratio_claim(courses, found.marks, usual) for courses in found.courses.values()],
        *[_slower_claim(courses) for courses in found.courses.values()],
        _hundred_claim(found.courses[DEPTHS[-1]], usual),
        _decay_claim(found, usual),
        _plateau_claim(found, usual),
    )


def _runs(values: Any) -> str:
    return f"{len(values)} seed{'s' * (len(values) != 1)}"


OTHERWISE = " (not the book's images, epochs, η and λ)"


def _initial_claim(speeds: InitialSpeeds) -> Claim:
    rows = list(speeds.rows())
    inside = all([low <= book <= high for _, low, high, book in rows if book is not None])
    total = len(speeds.norms)
    middles = " / ".join([f"{median:.3g}" for median, *_ in rows])
    return Claim(
        says=f"With {len(rows)} hidden layers ‖δ‖ at initialisation grows towards the output, from about "
        f"{rows[0][3]:.3g} to {rows[-1][3]:.3g}",
        book=" / ".join([f"{book:.3g}" for *_, book in rows]),
        measured=f"medians {middles}, growing in {speeds.increasing} of {total} seeds; the book's "
        f"{'lie' if inside else 'do not all lie'} between 5 % and 95 %" + too_few(speeds.norms, ENOUGH),
        runs=_runs(speeds.norms),
        holds=inside and speeds.increasing > 0.95 * total if total >= ENOUGH else None,
        row={2: "12", 3: "13", 4: "14"}[len(rows)],
    )


def _law_claim(found: Findings) -> Claim:
    variance, law = predicted_factor()
    factors = found.initial[DEEPEST].factors
    middle = np.median(factors, axis=0)
    return Claim(
        says=f"Each layer costs a factor 1/rms σ′(z), z ~ N(0, {variance:.2f}): {law:.2f}, whatever its place",
        book="",
        measured=f"medians {middle.min():.2f} to {middle.max():.2f} in {DEEPEST} hidden layers"
        + too_few(factors, ENOUGH),
        runs=_runs(factors),
        holds=bool(np.all(np.abs(middle / law - 1) < 0.1)) if len(factors) >= ENOUGH else None,
        row="12-14",
    )


def _large_claim(found: Findings) -> Claim:
    factors = found.large[DEEPEST].factors
    middle = np.median(factors, axis=0)
    rest = middle[1:]
    return Claim(
        says="With N(0, 1) weights, of which the text speaks, a layer costs less than 2, but for the first, which "
        "saturates",
        book="",
        measured=f"medians {rest.min():.2f} to {rest.max():.2f}; layer 1 to 2: {middle[0]:.2f}"
        + too_few(factors, ENOUGH),
        runs=_runs(factors),
        holds=bool(np.all((rest > 1) & (rest < 2)) and middle[0] > 2) if len(factors) >= ENOUGH else None,
        row="12-14",
    )


def _ratio_claim(courses: Courses, marks: Sequence[int], usual: bool) -> Claim:
    """Could the book's run be one of ours? Ratios are compared by their logarithms."""
    book = BOOK_RATIOS[courses.hidden]
    like = [is_like(np.log(book[e]), np.log(courses.ratio[:, e])) for e in marks]
    enough = usual and None not in like
    epochs = ", ".join(map(str, marks))
    return Claim(
        says=f"{len(courses.hidden)} hidden layers: how much faster the last learns than the first, at epochs {epochs}",
        book=" / ".join([f"{book[e]:.1f}" for e in marks]),
        measured=f"medians {' / '.join([f'{np.median(courses.ratio[:, e]):.1f}' for e in marks])}"
        + (too_few(courses.ratio, FEWEST) if usual else OTHERWISE),
        runs=_runs(courses.ratio),
        holds=all(like) if enough else None,
        row="15-17",
    )


def _slower_claim(courses: Courses) -> Claim:
    ratio = courses.ratio
    always, crossing = np.all(ratio > 1, axis=1), np.mean(ratio < 1, axis=0)
    worst = int(np.argmax(crossing))
    seldom = f"; at epoch {worst} it is faster in {100 * crossing[worst]:.0f} % of the seeds" if crossing[worst] else ""
    return Claim(
        says=f"{len(courses.hidden)} hidden layers: the first learns slower than the last in every epoch",
        book="",
        measured=f"in {np.sum(always)} of {len(ratio)} seeds{seldom}" + too_few(ratio, FEWEST),
        runs=_runs(ratio),
        holds=bool(np.all(always)) if len(ratio) >= FEWEST else None,
        row="15-17",
    )


def _hundred_claim(courses: Courses, usual: bool) -> Claim:
    over = np.sum(courses.ratio > 100, axis=1)
    epochs = courses.ratio.shape[1]
    return Claim(
        says=f"The first of {len(courses.hidden)} hidden layers learns more than 100 times slower than the last "
        "in most epochs",
        book=f"in {BOOK_OVER_100} of 500 epochs",
        measured=f"in {int(np.median(over))} of {epochs} epochs ({over.min()} to {over.max()})"
        + (too_few(over, FEWEST) if usual else OTHERWISE),
        runs=_runs(over),
        holds=bool(np.median(over) > epochs / 2) if usual and len(over) >= FEWEST else None,
        row="17",
    )


def _decay_claim(found: Findings, usual: bool) -> Claim:
    """Without weight decay the samples' gradients come to cancel in their mean, while each is attenuated as before."""
    decayed, free = found.courses[DEPTHS[-1]], found.free
    late = [float(np.median(part[:, -1])) for part in (decayed.ratio, free.ratio, free.sample_ratio)]
    return Claim(
        says="The late factor is made by weight decay: with λ = 0 the ratio of ‖δ‖ falls, that of the samples' norms "
        "stays",
        book="",
        measured=f"last epoch: {late[0]:.0f} with λ, {late[1]:.2g} without; samples' norms {late[2]:.0f} without"
        + (too_few(free.ratio, FEWEST) if usual else OTHERWISE),
        runs=_runs(free.ratio),
        holds=late[1] < late[0] / 10 and late[2] > 50 if usual and len(free.ratio) >= FEWEST else None,
        row="15-17",
    )


def _plateau_claim(found: Findings, usual: bool) -> Claim:
    """Whether these networks know the shares of the classes and nothing else."""
    courses, (cost, share, other) = found.courses[DEPTHS[-1]], found.plateau
    last, first, right = courses.cost[:, -1], courses.norms[:, -1, 0], courses.right
    alike = int(np.sum(np.all(np.isclose(right, [share, other], rtol=1e-9), axis=1)))
    return Claim(
        says=f"A small gradient is not an optimum: {DEPTHS[-1]} hidden layers end at the entropy of the classes, "
        f"{cost:.4f}, and get no more right than the share of the commonest one, {100 * share:.1f} %",
        book="",
        measured=f"cost {_band(last, '.5g')}, ‖δ¹‖ {_band(first, '.2g')}; exactly that share right in {alike} of "
        f"{len(last)} seeds ({100 * other:.1f} % on validation), {100 * right[:, 0].min():.1f} to "
        f"{100 * right[:, 0].max():.1f} % in all{'' if usual else OTHERWISE}",
        runs=_runs(last),
        holds=bool(np.allclose(last, cost, rtol=1e-3) and np.all(right[:, 0] < share + 1e-9)) if usual else None,
        row="18",
    )


def _draw(found: Findings) -> Any:
    from tinygrad_vg.lab.speed_figure import draw_speeds

    return draw_speeds(found)
