"""The gradient of a layered network as a product of matrices, and the singular values of each of them.

Source: Nielsen, "Neural Networks and Deep Learning", ch. 5, "Unstable gradients in more complex networks":
δˡ = Σ′(zˡ)(wˡ⁺¹)ᵀ Σ′(zˡ⁺¹)(wˡ⁺²)ᵀ … Σ′(zᴸ) ∇ₐC, where Σ′(z) is the diagonal matrix of σ′(z).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from tinygrad_vg.autodiff import backprop
from tinygrad_vg.checks import Array
from tinygrad_vg.lab.learning_speed import BOOK_INITIAL
from tinygrad_vg.lab.plotting import book_mark, name_curve
from tinygrad_vg.lab.random_chains import predicted_growth
from tinygrad_vg.lab.results import Claim, Result, Table
from tinygrad_vg.lab.settings import Progress, count, counts, images_of, one_blas_thread, seed_list, spread
from tinygrad_vg.nn import MLP, losses
from tinygrad_vg.ops import sigmoid
from tinygrad_vg.tensor import Tensor

__all__ = ["Factors", "factors_of", "run"]


class Factors(NamedTuple):
    """The book's product for every sample.

    Attributes
    ----------
    matrices
        Σ′(zˡ)(wˡ⁺¹)ᵀ for l = 1, 2 …, each of shape (samples, units of layer l, units of the next).
    last
        Σ′(zᴸ)∇ₐC, shape (samples, outputs).
    """

    matrices: list[Array]
    last: Array

    def products(self) -> list[Array]:
        """The running product of the matrices, from that of layer l to the last, for l = 1, 2 …."""
        found = [self.matrices[-1]]
        for matrix in self.matrices[-2::-1]:
            found.append(matrix @ found[-1])
        return found[::-1]

    def deltas(self) -> list[Array]:
        """δˡ of the hidden layers, each of shape (samples, units)."""
        return [(product @ self.last[:, :, None])[:, :, 0] for product in self.products()]


def factors_of(net: MLP, X: Array, y: Array) -> Factors:
    """The factors of the book's product, worked out from weights and weighted inputs, without backprop.

    Parameters
    ----------
    net : MLP
        Of sigmoid neurons, with a hidden layer.
    X, y : array
        Samples, and integer labels. The cost is the cross-entropy, so that ∇ₐC = (a − y)/(a(1 − a)).
    """
    if len(net.layers) < 2 or any([layer.activation_name != "sigmoid" for layer in net.layers]):
        raise ValueError(f"the product is that of layers of sigmoid neurons, at least one hidden, not of {net!r}")
    a, slopes, weights = X, [], []
    for layer in net.layers:
        z = a @ layer.w.data + layer.b.data
        a = sigmoid(z)
        slopes.append(a * sigmoid(-z))
        weights.append(layer.w.data)
    targets = y[:, None] == np.arange(a.shape[1])
    gradient = np.where(targets, -1 / a, 1 / sigmoid(-z))
    matrices = [slope[:, :, None] * w for slope, w in zip(slopes[:-1], weights[1:], strict=True)]
    return Factors(matrices, slopes[-1] * gradient)


def backprop_deltas(net: MLP, X: Array, y: Array) -> list[Array]:
    """δˡ of the hidden layers for every sample, by backprop: the gradients by a bias of its own for each sample."""
    biases = [Tensor(np.repeat(layer.b.data[None], len(X), axis=0)) for layer in net.layers]
    bound = net.bind([p for layer, b in zip(net.layers, biases, strict=True) for p in (layer.w.data, b)])
    found = backprop(losses.cross_entropy(bound.logits(X), y), wrt=biases[:-1])
    return [found[b] * len(X) for b in biases[:-1]]


def run(
    *,
    quick: bool = False,
    seeds: int | None = None,
    data: Any = None,
    progress: Progress = None,
    hidden: Sequence[int] = (30, 30, 30, 30),
    inits: Sequence[str] = ("default", "large"),
    samples: int | None = None,
) -> Result:
    """Multiply the matrices, compare with backprop, and take each factor's norms and singular values.

    Parameters
    ----------
    quick : bool
        Fewer seeds and samples.
    seeds : int, optional
        Networks of each initialisation.
    data
        A dataset or a pair ``(X, y)``; by default MNIST, of which the first 1,000 training images are embedded.
    progress : callable, optional
        ``progress(done, total)`` after each network.
    hidden : sequence of int
        Sizes of the hidden layers, at least two.
    inits : sequence of str
        Initialisations, as `MLP` takes them.
    samples : int
        The first so many training images; by default the book's 1,000, or 100.

    Returns
    -------
    Result

    Raises
    ------
    TypeError, ValueError
        For settings and data that do not fit.
    """
    chosen = seed_list(seeds, 5 if quick else 20)
    samples = count((100 if quick else 1000) if samples is None else samples, "samples")
    sizes = counts(hidden, "hidden", entries=2)
    if isinstance(inits, str) or not inits or len(set(inits)) < len(inits):
        raise ValueError(f"inits must be a list of different initialisations such as ['default'], not {inits!r:.60}")
    X, y = images_of(data, samples)
    found: dict[str, list[dict[str, Any]]] = {str(init): [] for init in inits}
    with one_blas_thread():
        for i, init in enumerate(found):
            for seed in chosen:
                net = MLP([X.shape[1], *sizes, 1 + max(int(y.max()), 9)], init=init, seed=seed)
                found[init].append(_measured(net, X, y))
                if progress is not None:
                    progress(i * len(chosen) + len(found[init]), len(found) * len(chosen))
    of = {init: {key: np.array([f[key] for f in rows]) for key in rows[0]} for init, rows in found.items()}
    return Result(
        name="jacobians",
        title="The gradient as a product of matrices",
        settings={
            "quick": bool(quick),
            "seeds": chosen,
            "hidden": sizes,
            "inits": list(found),
            "samples": samples,
        },
        data={f"{init}_{key}": array for init, arrays in of.items() for key, array in arrays.items()},
        tables=(_factor_table(of), _product_table(of)),
        claims=(_equal(of, samples), *[_shrinking(init, arrays) for init, arrays in of.items()]),
        draw=partial(_figure, of, sizes),
    )


def _measured(net: MLP, X: Array, y: Array) -> dict[str, Any]:
    """Everything that one network gives; norms and singular values are means over the samples."""
    factors = factors_of(net, X, y)
    deltas, products = factors.deltas(), factors.products()
    errors = [
        np.max(np.linalg.norm(ours - theirs, axis=1) / np.linalg.norm(theirs, axis=1))
        for ours, theirs in zip(deltas, backprop_deltas(net, X, y), strict=True)
    ]
    spectra = [np.linalg.svd(matrix, compute_uv=False) for matrix in factors.matrices]
    running = [np.linalg.svd(product, compute_uv=False) for product in products]
    return {
        "error": errors,
        "largest": [np.mean(s[:, 0]) for s in spectra],
        "rms": [np.sqrt(np.mean(np.square(s))) for s in spectra],
        "mean": [np.mean(s) for s in spectra],
        "running_largest": [np.mean(s[:, 0]) for s in running],
        "running_spectrum": [np.mean(s, axis=0)[: min(r.shape[1] for r in running)] for s in running],
        "delta": [np.mean(np.linalg.norm(d, axis=1)) for d in deltas],
        "mean_delta": [np.linalg.norm(d.mean(axis=0)) for d in deltas],
    }


# ------------------------------------------------------------------------------------------------------ tables, claims

Measured = Mapping[str, Mapping[str, Array]]
"""For each initialisation what was measured, an array of which the first axis is the seeds."""


def _factor_table(of: Measured) -> Table:
    rows = []
    for init, found in of.items():
        for i in range(found["largest"].shape[1]):
            name = f"Σ′(z{_sub(i + 1)})(w{_sub(i + 2)})ᵀ"
            rows.append((init, name, *[spread(found[key][:, i]) for key in ("largest", "rms", "mean")]))
    heads = ("weights", "factor", "largest singular value", "rms", "mean")
    return Table.of(heads, rows, "The factors")


def _product_table(of: Measured) -> Table:
    keys = ("running_largest", "delta", "mean_delta")
    rows = []
    for init, found in of.items():
        bounds = np.cumprod(found["largest"][:, ::-1], axis=1)[:, ::-1]
        for i in range(bounds.shape[1]):
            columns = [found[keys[0]][:, i], bounds[:, i], *[found[key][:, i] for key in keys[1:]]]
            rows.append((init, i + 1, *map(spread, columns)))
    heads = (
        "weights",
        "from layer",
        "largest singular value",
        "product of the factors' largest",
        "mean of ‖δ‖",
        "‖mean of δ‖",
    )
    return Table.of(heads, rows, "The running product")


def _sub(number: int) -> str:
    return str(number).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def _equal(of: Measured, samples: int) -> Claim:
    """Row 36: the formula."""
    worst = max([float(np.max(found["error"])) for found in of.values()])
    networks = sum([len(found["error"]) for found in of.values()])
    return Claim(
        "δˡ = Σ′(zˡ)(wˡ⁺¹)ᵀ Σ′(zˡ⁺¹)(wˡ⁺²)ᵀ … Σ′(zᴸ)∇ₐC",
        "",
        f"equal to backprop but for {worst:.0e} of ‖δˡ‖ at most",
        f"{networks} networks, {samples} images each",
        worst < 1e-12,
        "36",
    )


def _shrinking(init: str, found: Mapping[str, Array]) -> Claim:
    """Row 36: what the factors do."""
    delta, largest = found["delta"], found["largest"]
    each = (delta[:, -1] / delta[:, 0]) ** (1 / (delta.shape[1] - 1))
    law = f" (predicted {1 / predicted_growth(1):.2f} for infinitely wide ones)" if init == "default" else ""
    return Claim(
        f"each factor tends to make the gradient smaller, so it vanishes towards the first layer ({init} weights)",
        "exponentially",
        f"‖δ‖ falls by {spread(each)} a layer{law}; largest singular value of a factor "
        f"{np.mean(largest, axis=0).min():.2g} to {np.mean(largest, axis=0).max():.2g}",
        f"{len(delta)} networks",
        bool(np.all(np.diff(delta, axis=1) > 0)),
        "36",
    )


# ------------------------------------------------------------------------------------------------------------- picture


def _figure(of: Measured, hidden: Sequence[int]) -> Any:
    from matplotlib.figure import Figure

    from tinygrad_vg.drawing.plots import plot_style

    with plot_style():
        figure = Figure(figsize=(9.2, 7.4))
        figure.set_layout_engine("constrained", h_pad=0.12)
        axes = figure.subplots(2, 2)
        _draw_curves(axes[0, 0], of, {"largest": ("o-", "largest"), "rms": ("s:", "rms")})
        axes[0, 0].set(title="Singular values of Σ′(zˡ)(wˡ⁺¹)ᵀ", yscale="log")
        _draw_curves(axes[0, 1], of, {"running_largest": ("o-", ""), "mean_delta": ("s:", "")})
        axes[0, 1].set(title="Running product: its largest singular value", yscale="log")
        _explain_product(axes[0, 1], of, hidden)
        _draw_spectra(axes[1, 0], of)
        _draw_errors(axes[1, 1], of)
    return figure


def _draw_curves(axes: Any, of: Measured, curves: Mapping[str, tuple[str, str]]) -> None:
    """Mean and standard deviation over the seeds, by layer."""
    for i, (init, found) in enumerate(of.items()):
        for key, (style, words) in curves.items():
            mean, sd = found[key].mean(axis=0), found[key].std(axis=0)
            layers = np.arange(1, len(mean) + 1)
            axes.errorbar(layers, mean, sd, fmt=style, ms=4, capsize=2, color=f"C{i % 4}")
            if words:
                name_curve(axes, layers[-1], mean[-1], f"{words},\n{init}")
    axes.set(xlabel="layer l", xticks=layers)


def _explain_product(axes: Any, of: Measured, hidden: Sequence[int]) -> None:
    """What colours and lines stand for, and the book's ‖δ‖ if it has the same layers."""
    handles = [axes.plot([], [], f"C{i % 4}o-", ms=4)[0] for i in range(len(of))]
    handles += [axes.plot([], [], "s:", ms=4, color="0.5")[0]]
    words = [f"largest singular value, {init}" for init in of] + ["‖mean of δˡ‖"]
    book = BOOK_INITIAL.get(tuple(hidden), ()) if "default" in of else ()
    if book:
        book_mark(axes, np.arange(1, len(book) + 1), book, "book: ‖δˡ‖")
        handles.append(axes.lines[-1])
        words.append("book: ‖δˡ‖, default")
    axes.legend(handles, words, loc="lower right", fontsize=9)
    axes.set_ylim(bottom=axes.get_ylim()[0] / 12)


def _draw_spectra(axes: Any, of: Measured) -> None:
    """All singular values of the running product, of the first initialisation."""
    init, found = next(iter(of.items()))
    spectra = found["running_spectrum"].mean(axis=0)
    for layer, (spectrum, style) in enumerate(zip(spectra, ("o-", "s--", "^-.", "v:") * len(spectra), strict=False), 1):
        k = np.arange(1, len(spectrum) + 1)
        axes.semilogy(k, spectrum, style, ms=3)
        name_curve(axes, k[-1], spectrum[-1], f"from layer {layer}")
    axes.set(title=f"Running product: all singular values ({init})", xlabel="number", xticks=k)


def _draw_errors(axes: Any, of: Measured) -> None:
    for init, found in of.items():
        worst = found["error"].max(axis=0)
        layers = np.arange(1, len(worst) + 1)
        axes.semilogy(layers, worst, "o-", ms=4)
        name_curve(axes, layers[-1], worst[-1], init)
    epsilon = np.finfo(float).eps
    axes.axhline(epsilon, ls="--", lw=1, color="0.5")
    axes.annotate("2⁻⁵²", (layers[0], epsilon), (0, -12), textcoords="offset points", fontsize=9)
    axes.set(
        title="Product and backprop differ by", xlabel="layer l", xticks=layers, ylabel="largest, relative to ‖δˡ‖"
    )
    axes.set_ylim(epsilon / 5, None)
