"""What cures the vanishing gradient: the chapter's depth sweep with other neurons, connections, layers and updates.

Beyond the chapter. One thing is changed at a time, all else stays as in the book's networks: layers of 30, biases
N(0, 1) and weights N(0, 1/fan-in), mini-batches of 10, η = 0.1.

Sources: He, Zhang, Ren & Sun 2015 (ReLU); Glorot & Bengio 2010 (tanh); He, Zhang, Ren & Sun, "Deep residual learning
for image recognition", 2016; Ba, Kiros & Hinton, "Layer normalization", 2016; Sutskever et al. 2013 (Nesterov).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_vg.checks import Array
from tinygrad_vg.drawing.plots import PALETTE
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
from tinygrad_vg.lab.speeds import BOOK_RATIOS, cross_entropy
from tinygrad_vg.lab.whole import fit_wholly
from tinygrad_vg.nn import MLP, Dense
from tinygrad_vg.ops import sigmoid
from tinygrad_vg.optim import SGD
from tinygrad_vg.training import LearningSpeed, accuracy

__all__ = ["CURES", "Cure", "Layer", "Network", "deep_network", "normalised", "run"]


# ----------------------------------------------------------------------------------------------------------- the layers


def normalised(x: Any) -> Any:
    """Each row shifted to mean 0 and scaled to standard deviation 1, as in layer normalisation but without gain.

    Parameters
    ----------
    x : array or Tensor, shape (n, units)

    Notes
    -----
    Rows whose elements are all equal become 0: the variance is increased by 1e-5, as is usual. Written with ops of the
    table, so its vjp is theirs.

    Examples
    --------
    >>> normalised(np.array([[1.0, 3.0, 1.0, 3.0]])).round(3)
    array([[-1.,  1., -1.,  1.]])
    """
    centred = x - np.mean(x, axis=-1, keepdims=True)
    return centred / np.sqrt(np.mean(centred**2, axis=-1, keepdims=True) + 1e-5)


@dataclass(frozen=True)
class Layer:
    """A dense layer with something about it.

    Attributes
    ----------
    dense
        Weights, biases and activation f.
    kind
        ``"plain"``: f(xw + b); ``"residual"``: x + f(xw + b); ``"normalised inputs"``: f(x̂w + b);
        ``"normalised sums"``: f(ẑ + b) with z = xw. A hat means `normalised`.
    """

    dense: Dense
    kind: str = "plain"

    def logits(self, x: Any) -> Any:
        """What the activation is taken of, shape (n, units)."""
        if self.kind == "normalised inputs":
            return self.dense.logits(normalised(x))
        if self.kind == "normalised sums":
            return normalised(x @ self.w) + self.b
        return self.dense.logits(x)

    def __call__(self, x: Any) -> Any:
        """The outputs, shape (n, units), for x of shape (n, inputs)."""
        a = self.dense.activation(self.logits(x))
        return x + a if self.kind == "residual" else a

    @property
    def w(self) -> Any:
        """The weights."""
        return self.dense.w

    @property
    def b(self) -> Any:
        """The biases."""
        return self.dense.b

    def bind(self, params: Iterable[Any]) -> Layer:
        """The same layer on another w and b."""
        return Layer(self.dense.bind(params), self.kind)


@dataclass(frozen=True)
class Network:
    """Layers one after the other, with sigmoid outputs; used like an `MLP`."""

    layers: tuple[Layer, ...]

    def logits(self, x: Any) -> Any:
        """The weighted inputs of the output layer, shape (n, outputs)."""
        for layer in self.layers[:-1]:
            x = layer(x)
        return self.layers[-1].logits(x)

    def __call__(self, x: Any) -> Any:
        """The outputs."""
        return sigmoid(self.logits(x))

    def parameters(self) -> list[Any]:
        """``[w1, b1, w2, b2, …]``."""
        return [p for layer in self.layers for p in (layer.w, layer.b)]

    def bind(self, params: Iterable[Any]) -> Network:
        """The same network on these parameters; see `MLP.bind`."""
        given = list(params)
        return Network(tuple([layer.bind(given[2 * i : 2 * i + 2]) for i, layer in enumerate(self.layers)]))


# ------------------------------------------------------------------------------------------------------------ the cures


@dataclass(frozen=True)
class Cure:
    """What is changed of the book's networks and their training.

    Attributes
    ----------
    name
        In words.
    activation, init
        As for `MLP`.
    kind
        Of the layers behind the first; see `Layer`.
    faster
        Times the learning rate.
    momentum
        Nesterov's μ.
    expected
        Whether it should bring back the gradient of the first layer, and an accuracy like that of a shallow network;
        None if that is left open.
    """

    name: str
    activation: str = "sigmoid"
    init: str = "default"
    kind: str = "plain"
    faster: float = 1.0
    momentum: float = 0.0
    expected: tuple[bool, bool | None] = (True, True)


BASE = Cure("sigmoid, as in the book", expected=(False, False))

CURES = (
    BASE,
    Cure("ReLU, He", "relu", "he"),
    Cure("tanh, Glorot normalised", "tanh", "glorot_normalised"),
    Cure("residual connections", kind="residual"),
    Cure("normalised inputs of layers", kind="normalised inputs"),
    Cure("normalised sums of layers", kind="normalised sums", expected=(False, None)),
    Cure("Nesterov, μ = .9", momentum=0.9, expected=(False, False)),
    Cure("ten times the learning rate", faster=10.0, expected=(False, False)),
)
"""The first is the base line. The last is there to compare with Nesterov: velocities of μ = .9 add up to ten steps."""


def deep_network(cure: Cure, sizes: Sequence[int], seed: int) -> Network:
    """A network with the cure, drawn like ``MLP(sizes, …, seed=seed)``.

    The first layer is always plain: it is the digits that come into it. Of the output layer only the inputs can be
    normalised. Layers with residual connections must be as wide as those before them.

    Parameters
    ----------
    cure : Cure
    sizes : sequence of int
        Of the layers, as for `MLP`.
    seed : int
    """
    dense = MLP(sizes, cure.activation, cure.init, seed=seed).layers
    last = cure.kind if cure.kind == "normalised inputs" else "plain"
    kinds = ["plain", *[cure.kind] * (len(dense) - 2), last] if len(dense) > 1 else ["plain"]
    return Network(tuple([Layer(layer, kind) for layer, kind in zip(dense, kinds, strict=True)]))


def learns(cure: Cure, net: Network, data: Any, *, epochs: int, lr: float, weight_decay: float, seed: int) -> None:
    """Train a network with the cure by mini-batches of 10."""
    optimizer = SGD(net.parameters(), lr * cure.faster, cure.momentum, cure.momentum > 0, weight_decay)
    fit_wholly(net, cross_entropy, data, epochs=epochs, optimizer=optimizer, seed=seed)


# -------------------------------------------------------------------------------------------------- the experiment


@dataclass(frozen=True, eq=False)
class Ablation:
    """What was measured.

    Attributes
    ----------
    cures
        The first is the base line.
    depths
        Numbers of hidden layers, ascending.
    width
        Units of each.
    ratio
        ‖δ‖ of the last over that of the first hidden layer before training, shape (cures, depths, seeds).
    sample_ratio
        The same with the mean over the samples of the norm, instead of the norm of the mean.
    accuracy
        On validation images after training, in per cent, shape (cures, depths, seeds).
    """

    cures: tuple[Cure, ...]
    depths: tuple[int, ...]
    width: int
    ratio: Array
    sample_ratio: Array
    accuracy: Array

    @property
    def judged(self) -> int:
        """Which depth the verdict is about: four layers, the chapter's deepest, or else the deepest."""
        return self.depths.index(4) if 4 in self.depths else len(self.depths) - 1

    def factor(self, cure: int, depth: int) -> float:
        """The geometric mean over seeds and layers of the factor from one layer to the next."""
        steps = max(1, self.depths[depth] - 1)
        return float(np.exp(np.mean(np.log(self.ratio[cure, depth])) / steps))

    def keeps_gradient(self, cure: int, depth: int) -> bool:
        """Whether it changes by less than a factor of 2 from one layer to the next."""
        return 0.5 < self.factor(cure, depth) < 2

    def lets_learn(self, cure: int, depth: int) -> bool:
        """Whether accuracy is no more than 2 points below that of the shallowest network of the base line."""
        return bool(np.mean(self.accuracy[cure, depth]) > np.mean(self.accuracy[0, 0]) - 2)

    def hardly_learns(self, cure: int, depth: int) -> bool:
        """Whether accuracy is less than half of that of the shallowest network of the base line."""
        return bool(np.mean(self.accuracy[cure, depth]) < np.mean(self.accuracy[0, 0]) / 2)

    def learning(self, cure: int, depth: int) -> str:
        """How well it learns, in a word or two."""
        if self.lets_learn(cure, depth):
            return "yes"
        return "hardly" if self.hardly_learns(cure, depth) else "less well"


def run(
    *,
    quick: bool = False,
    seeds: int | None = None,
    data: Any = None,
    progress: Progress = None,
    depths: Sequence[int] | None = None,
    width: int = 30,
    epochs: int | None = None,
    lr: float = 0.1,
    weight_decay: float = 1e-4,
) -> Result:
    """Train networks of several depths with each of `CURES`.

    Parameters
    ----------
    quick : bool
        The embedded images, two depths, two seeds.
    seeds : int, optional
        Networks of each kind (3; quick 2).
    data : dataset or (X, y), optional
        MNIST if not given.
    progress : callable, optional
        ``progress(done, total)``.
    depths : sequence of int, optional
        Numbers of hidden layers (1, 2, 3, 4, 8; quick 1, 4).
    width : int
        Units of each.
    epochs : int, optional
        1 with 50,000 images; quick 5 with 1,000.
    lr : float
        η, but for the cure that changes it.
    weight_decay : float
        λ/n of the chapter: 5/50,000.

    Raises
    ------
    TypeError, ValueError
        For settings or data that do not fit.
    DatasetError
        If MNIST is not to be had.
    """
    if depths is None:
        depths = (1, 4) if quick else (1, 2, 3, 4, 8)
    layers = tuple(sorted(set(counts(depths, "depths"))))
    if len(layers) < 2:
        raise ValueError(f"depths={list(depths)}: give two different numbers of hidden layers at least, to compare")
    width, epochs = count(width, "width"), count(epochs if epochs is not None else 5 if quick else 1, "epochs")
    (lr,), (weight_decay,) = numbers([lr], "lr"), numbers([weight_decay], "weight_decay", positive=False)
    chosen = seed_list(seeds, 2 if quick else 3)
    training, validation = train_and_validation(data, quick=quick)
    probe = LearningSpeed(training[0][:1000], training[1][:1000])
    shape = (len(CURES), len(layers), len(chosen))
    found = Ablation(CURES, layers, width, np.empty(shape), np.empty(shape), np.empty(shape))
    with one_blas_thread():
        for done, place in enumerate(np.ndindex(shape), start=1):
            cure, depth, seed = CURES[place[0]], layers[place[1]], chosen[place[2]]
            net = deep_network(cure, [training[0].shape[1], *[width] * depth, 10], seed)
            norms, sample_norms = probe.measure(net, cross_entropy)
            found.ratio[place] = norms[-1] / norms[0]
            found.sample_ratio[place] = sample_norms[-1] / sample_norms[0]
            learns(cure, net, training, epochs=epochs, lr=lr, weight_decay=weight_decay, seed=seed)
            found.accuracy[place] = 100 * accuracy(net, *validation)
            if progress is not None:
                progress(done, int(np.prod(shape)))
    steps = epochs * -(-len(training[0]) // 10)
    return Result(
        name="cures",
        title="What cures the vanishing gradient",
        settings={
            "quick": bool(quick),
            "seeds": chosen,
            "depths": list(layers),
            "width": width,
            "epochs": epochs,
            "lr": lr,
            "weight_decay": weight_decay,
        },
        data={
            "cures": np.array([cure.name for cure in CURES]),
            "depths": np.array(layers),
            "ratio": found.ratio,
            "sample_ratio": found.sample_ratio,
            "accuracy": found.accuracy,
        },
        tables=tables(found, steps),
        claims=claims(found, steps),
        draw=lambda: figure(found, steps),
    )


# --------------------------------------------------------------------------------------------------- what is said of it


def tables(found: Ablation, steps: int) -> tuple[Table, ...]:
    """The ablation at the depth that is judged; accuracy and gradient at all depths."""
    deep = found.judged
    rows = [
        (
            cure.name,
            spread(found.ratio[i, deep]),
            f"{found.factor(i, deep):.2f}",
            spread(found.accuracy[i, deep], ".1f"),
            "yes" if found.keeps_gradient(i, deep) else "no",
            found.learning(i, deep),
        )
        for i, cure in enumerate(found.cures)
    ]
    heads = ("change", "last/first gradient", "a layer", "accuracy in %", "gradient kept", "learns")
    depths = [f"{depth} layer{'s' * (depth > 1)}" for depth in found.depths]
    by_depth = [
        Table.of(
            ("change", *depths),
            [(cure.name, *[spread(v, spec) for v in values[i]]) for i, cure in enumerate(found.cures)],
            title,
        )
        for values, spec, title in (
            (found.accuracy, ".1f", f"Accuracy in % on validation images after {steps:,} mini-batches"),
            (found.ratio, ".3g", "‖δ‖ of the last over that of the first hidden layer before training"),
        )
    ]
    title = (
        f"{found.depths[deep]} hidden layers: the gradient before training, and accuracy after {steps:,} mini-batches"
    )
    return (Table.of(heads, rows, title), *by_depth)


def claims(found: Ablation, steps: int) -> tuple[Claim, ...]:
    """That the base line falls behind with depth, and what each cure does about it."""
    deep, seeds = found.judged, found.ratio.shape[2]
    over = f"{seeds} seed{'s' * (seeds > 1)}, {steps:,} mini-batches"
    layers, shallow = found.depths[deep], found.depths[0]
    base = np.mean(found.accuracy[0], axis=1)
    told = " / ".join([f"{mean:.1f}" for mean in base])
    made = [
        Claim(
            "the deeper the sigmoid network, the later it begins to learn",
            "",
            f"accuracy with {' / '.join(map(str, found.depths))} layers: {told} %",
            over,
            bool(base[0] - base[deep] > 10 and np.all(np.diff(base) < 1)),
        )
    ]
    one = f"{base[0]:.1f} with {shallow} sigmoid layer{'s' * (shallow > 1)}"
    for i, cure in enumerate(found.cures[1:], start=1):
        gradient, learning = cure.expected
        does = {
            (True, True): f"the gradient is kept, and {layers} layers learn as well as {shallow}",
            (False, False): f"the gradient is not kept, and {layers} layers learn less well than {shallow}",
            (False, None): "the gradient is not kept",
        }[gradient, learning]
        ratio, share = spread(found.ratio[i, deep]), spread(found.accuracy[i, deep], ".1f")
        told = f"last/first gradient {ratio} instead of {np.mean(found.ratio[0, deep]):.3g}; "
        told += f"accuracy {share} % instead of {base[deep]:.1f} ({one})"
        agrees = found.keeps_gradient(i, deep) is gradient
        agrees &= learning is None or found.lets_learn(i, deep) is learning
        made.append(Claim(f"{cure.name}: {does}", "", told, over, agrees))
    return (*made, *_deepest(found, over))


def _deepest(found: Ablation, over: str) -> tuple[Claim, ...]:
    """What becomes of still deeper networks, if there are any: where the gradient is lost, nothing else helps."""
    last = len(found.depths) - 1
    if last == found.judged:
        return ()
    groups: dict[bool, list[str]] = {True: [], False: []}
    for i, cure in enumerate(found.cures):
        groups[found.keeps_gradient(i, last)].append(f"{cure.name} {np.mean(found.accuracy[i, last]):.1f} %")
    kept, lost = ["; ".join(group) or "none" for group in (groups[True], groups[False])]
    agrees = [found.keeps_gradient(i, last) is not found.hardly_learns(i, last) for i in range(len(found.cures))]
    says = f"with {found.depths[last]} layers exactly those networks learn whose gradient is kept"
    return (Claim(says, "", f"kept: {kept}. Not kept: {lost}", over, all(agrees)),)


# ------------------------------------------------------------------------------------------------------- the picture

MARKERS = ("o", "s", "D", "^", "v")


def figure(found: Ablation, steps: int) -> Any:
    """Gradient and accuracy of each cure, a mark for each depth."""
    from matplotlib import rcParams
    from matplotlib.figure import Figure

    from tinygrad_vg.drawing.plots import plot_style
    from tinygrad_vg.lab.plotting import book_mark

    rows, offsets = np.arange(len(found.cures)), np.linspace(-0.3, 0.3, len(found.depths))
    with plot_style():
        made = Figure(figsize=(9.6, 6.4), layout="constrained")
        left, right = made.subplots(1, 2, sharey=True)
        for k, depth in enumerate(found.depths):
            style = {"marker": MARKERS[k % len(MARKERS)], "color": PALETTE[k % len(PALETTE)], "linestyle": "none"}
            for axes, values in ((left, found.ratio[:, k]), (right, found.accuracy[:, k])):
                mean = np.mean(values, axis=1)
                label = f"{depth} layer{'s' * (depth > 1)}" if axes is right else None
                axes.errorbar(mean, rows + offsets[k], xerr=np.minimum(_sd(values), 0.9 * mean), label=label, **style)
        book = [BOOK_RATIOS.get((found.width,) * depth, {}).get(0, np.nan) for depth in found.depths]
        if np.any(np.isfinite(book)):
            book_mark(left, book, offsets)
        ink = rcParams["text.color"]
        for axes in (left, right):
            axes.grid(visible=True, axis="x")
            axes.grid(visible=False, axis="y")
            axes.hlines(
                rows[:-1] + 0.5, 0, 1, transform=axes.get_yaxis_transform(), color=ink, alpha=0.25, linewidth=0.7
            )
        left.axvline(1, color=ink, linewidth=0.8)
        left.set(xscale="log", title="‖δ‖ before training, last over first layer")
        right.axvline(np.mean(found.accuracy[0, 0]), color=PALETTE[0], linewidth=0.8)
        right.set(title=f"accuracy after {steps:,} mini-batches, %", xlim=(0, 100))
        left.set_yticks(rows, [cure.name for cure in found.cures])
        left.invert_yaxis()
        made.legend(loc="outside lower center", ncols=len(found.depths) + 1, fontsize=9)
    return made


def _sd(rows: Array) -> Array:
    """The standard deviation over the last axis; 0 of a single column."""
    return np.asarray(np.std(rows, axis=-1, ddof=1) if rows.shape[-1] > 1 else np.zeros(rows.shape[:-1]))
