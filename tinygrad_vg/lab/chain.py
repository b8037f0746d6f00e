"""Neurons in a row, one a layer: the chapter's smallest deep network, in which the vanishing gradient is one product.

`neuron_chain` builds one; `run` does with many what the chapter argues: the product of the local derivatives, how it
follows from small changes, how large a term |wσ′(z)| is, the factor 16, and where the gradient explodes instead.

Source: Nielsen, "Neural Networks and Deep Learning", ch. 5, "What's causing the vanishing gradient problem? Unstable
gradients in deep neural nets".
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from tinygrad_vg.autodiff import backprop
from tinygrad_vg.checks import Array
from tinygrad_vg.lab.chain_terms import exact_gradients, product_of_terms, small_changes
from tinygrad_vg.lab.plotting import book_mark, name_curve
from tinygrad_vg.lab.random_chains import (
    critical_scale,
    growth_in_chains,
    growth_in_layers,
    predicted_growth,
    random_chains,
)
from tinygrad_vg.lab.results import Claim, Result, Table
from tinygrad_vg.lab.settings import Progress, count, numbers, one_blas_thread, seed_list, spread
from tinygrad_vg.modes import name_scope
from tinygrad_vg.ops import sigmoid
from tinygrad_vg.tensor import Tensor

__all__ = ["NeuronChain", "neuron_chain", "run"]

SCALES = (0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.6, 8.0, 11.0, 16.0, 22.0, 32.0, 45.0, 64.0)
"""Of the weights, in the sweep."""
BINS = np.linspace(-5, 1, 61)
"""For log₁₀ |wσ′(z)|."""
EXAMPLE: dict[str, Any] = {"w": (0.8, -0.6, 0.9, -0.4), "b": (0.1, -0.2, 0.3, 0.05), "a0": 0.7, "y": 0.0}
"""The chain that `neuron_chain` builds by itself."""


@dataclass(frozen=True)
class NeuronChain:
    """A chain of sigmoid neurons: its cost, and the variables it was computed from.

    Attributes
    ----------
    cost
        C = ½(a_L − y)².
    w, b
        Weight and bias of each neuron, in order.
    """

    cost: Tensor
    w: tuple[Tensor, ...]
    b: tuple[Tensor, ...]


def neuron_chain(
    w: Sequence[float] = (0.8, -0.6, 0.9, -0.4),
    b: Sequence[float] = (0.1, -0.2, 0.3, 0.05),
    a0: float = 0.7,
    y: float = 0.0,
) -> NeuronChain:
    """Build z_j = w_j a_{j−1} + b_j, a_j = σ(z_j) for each weight and bias, and C = ½(a_L − y)².

    Parameters
    ----------
    w, b : sequence of float
        Weights and biases, as many of each.
    a0, y : float
        Input and desired output.

    Raises
    ------
    ValueError
        If there are not as many biases as weights, or none.
    """
    if len(w) != len(b) or not len(w):
        raise ValueError(
            f"a chain needs as many biases as weights and at least one, got {len(w)} weights, {len(b)} biases"
        )
    weights = tuple([Tensor(value, name=f"w{j}") for j, value in enumerate(w, start=1)])
    biases = tuple([Tensor(value, name=f"b{j}") for j, value in enumerate(b, start=1)])
    a = Tensor(a0, name="a0")
    for j, (wj, bj) in enumerate(zip(weights, biases, strict=True), start=1):
        with name_scope(f"layer {j}"):
            z = (wj * a + bj).named(f"z{j}")
            a = sigmoid(z).named(f"a{j}")
    return NeuronChain((0.5 * (a - y) ** 2).named("C"), weights, biases)


# -------------------------------------------------------------------------------------------------------- single chains


def gradients(chain: NeuronChain) -> list[float]:
    """∂C/∂b₁ … ∂C/∂b_L by backprop."""
    found = backprop(chain.cost, wrt=chain.b)
    return [float(found[b]) for b in chain.b]


def balanced_chain(weight: float, depth: int, a0: float = 0.5) -> NeuronChain:
    """Equal weights, and biases that make every z zero: every σ′(z) is ¼ and every term weight/4."""
    return neuron_chain([weight] * depth, [-weight * a0] + [-weight / 2] * (depth - 1), a0)


# ------------------------------------------------------------------------------------------------------- the experiment


def run(
    *,
    quick: bool = False,
    seeds: int | None = None,
    data: Any = None,
    progress: Progress = None,
    chains: int | None = None,
    depth: int = 16,
    width: int = 100,
    layers: int = 20,
    scales: Sequence[float] = SCALES,
) -> Result:
    """Measure what happens to the gradient along chains of neurons.

    Parameters
    ----------
    quick : bool
        Fewer seeds and fewer chains.
    seeds : int, optional
        Independent repetitions, by which the spread is told.
    data
        Not used: chains need none.
    progress : callable, optional
        ``progress(done, total)`` after each seed.
    chains, depth : int
        Random chains a seed, with weights and biases N(0, 1) and an input uniform in [0, 1]; neurons in each (at least
        3).
    width, layers : int
        Of the random networks in the sweep; `layers` (at least 2) is also the length of its chains.
    scales : sequence of float
        Standard deviations of the weights in the sweep, ascending, at most 100.

    Returns
    -------
    Result

    Raises
    ------
    TypeError, ValueError
        For settings that are no such numbers.
    """
    chosen = seed_list(seeds, 5 if quick else 20)
    chains = count((5_000 if quick else 50_000) if chains is None else chains, "chains")
    width, depth, layers = count(width, "width"), count(depth, "depth", 3), count(layers, "layers", 2)
    swept = numbers(scales, "scales")
    if swept != sorted(set(swept)) or swept[-1] > 100:
        raise ValueError(f"scales must ascend, to 100 at most, got {swept}")
    found = []
    with one_blas_thread():
        for seed in chosen:
            found.append(_measured(seed, chains, depth, width, layers, swept))
            if progress is not None:
                progress(len(found), len(chosen))
    data = {key: np.array([f[key] for f in found]) for key in found[0]}
    changes = 0.5 ** np.arange(13)
    errors = small_changes(EXAMPLE["w"], EXAMPLE["b"], EXAMPLE["a0"], changes)
    data |= {
        "chains": np.array(chains),
        "scales": np.array(swept),
        "changes": changes,
        "change_errors": np.array(list(errors.values())),
    }
    balanced = [gradients(balanced_chain(s, layers)) for s in swept]
    data["growth_balanced"] = np.array([abs(g[0] / g[-1]) ** (1 / (layers - 1)) for g in balanced])
    data["growth_predicted"] = np.array([predicted_growth(s) for s in swept])
    return Result(
        name="chain",
        title="The gradient along a chain of neurons",
        settings={
            "quick": bool(quick),
            "seeds": chosen,
            "chains": chains,
            "depth": depth,
            "width": width,
            "layers": layers,
            "scales": swept,
        },
        data=data,
        tables=(_example_table(), _loss_table(data), _sweep_table(data), _changes_table(errors, changes)),
        claims=(_formula(chosen), _derivation(errors), *_terms(data), *_sixteen(data), _exploding(), *_unstable(data)),
        draw=partial(_figure, data, list(errors)),
    )


def _measured(seed: int, chains: int, depth: int, width: int, layers: int, scales: Sequence[float]) -> dict[str, Any]:
    """Everything that one seed gives."""
    rng = np.random.default_rng(seed)
    made = random_chains(chains, depth, rng)
    terms, loss = made.log_terms[1:], made.log_loss()
    alone = {a: random_chains(chains, 1, rng, a0=a).log_terms for a in (0, 1)}
    quarter = math.log(1 / 4)
    return {
        "below_quarter": np.mean(terms < quarter),
        "below_quarter_a0": np.mean(alone[0] < quarter),
        "below_quarter_a1": np.mean(alone[1] < quarter),
        "above_one": np.mean(terms > 0),
        "weights_below_one": np.mean(np.abs(made.w) < 1),
        "geometric_mean": np.exp(np.mean(terms)),
        "histogram": np.histogram(terms / math.log(10), BINS, density=True)[0],
        "loss_quantiles": np.quantile(loss, [0.05, 0.5, 0.95], axis=1).T,
        "above_sixteen": np.mean(loss[2] > math.log(16)),
        "growth_chains": [growth_in_chains(s, chains // 10 + 1, layers, np.random.default_rng(seed)) for s in scales],
        "growth_layers": [growth_in_layers(s, width, layers, seed) for s in scales],
    }


# ------------------------------------------------------------------------------------------------------ tables, claims


def _example_table() -> Table:
    """The chapter's chain, worked out for plain weights, for weights 1 and for weights 100."""
    rows = []
    chains = (
        ("w = .8, −.6, .9, −.4", neuron_chain(**EXAMPLE)),
        ("w = 1, z = 0", balanced_chain(1, 4)),
        ("w = 100, z = 0", balanced_chain(100, 4)),
    )
    for words, chain in chains:
        g = gradients(chain)
        rows.append([words, *[f"{x:.12g}" for x in g], f"{abs(g[2] / g[0]):.6g}"])
    return Table.of(("chain", *[f"∂C/∂b{j}" for j in "₁₂₃₄"], "|∂C/∂b₃ : ∂C/∂b₁|"), rows, "Single chains")


def _loss_table(data: Mapping[str, Array]) -> Table:
    rows = []
    quantiles = np.exp(data["loss_quantiles"])
    for j in range(1, quantiles.shape[1]):
        low, median, high = (spread(quantiles[:, j, q], ".3g") for q in range(3))
        rows.append((j + 1, median, low, high, f"{4**j:.3g}"))
    return Table.of(
        ("neuron j", "median |∂C/∂b_j : ∂C/∂b₁|", "5 %", "95 %", "4 to the j − 1"),
        rows,
        "Random chains, w, b ~ N(0, 1)",
    )


def _sweep_table(data: Mapping[str, Array]) -> Table:
    rows = [
        (f"{s:g}", f"{balanced:.4g}", spread(chains), spread(layers), f"{predicted:.3g}")
        for s, balanced, chains, layers, predicted in zip(
            data["scales"],
            data["growth_balanced"],
            data["growth_chains"].T,
            data["growth_layers"].T,
            data["growth_predicted"],
            strict=True,
        )
    ]
    heads = ("weight scale", "neurons, z = 0", "neurons, random b", "layers", "layers, predicted")
    return Table.of(heads, rows, "By which factor a layer changes the gradient on its way back")


def _changes_table(errors: Mapping[str, Array], changes: Array) -> Table:
    ratios = {name: e[:-1] / e[1:] for name, e in errors.items()}
    rows = [(f"{c:.4g}", *[f"{ratios[name][i]:.4f}" for name in errors]) for i, c in enumerate(changes[:-1])]
    return Table.of(("Δb₁", *errors), rows, "How many times the error falls when Δb₁ is halved")


def _formula(seeds: Sequence[int]) -> Claim:
    """Rows 20 and 21."""
    worst, cases = 0.0, [tuple(EXAMPLE.values())]
    for seed in seeds:
        rng = np.random.default_rng(seed)
        n = 4 + seed % 13
        cases.append((rng.standard_normal(n).tolist(), rng.standard_normal(n).tolist(), float(rng.random()), 0.0))
    for case in cases:
        truth = np.array(exact_gradients(*case))
        for found in (gradients(neuron_chain(*case)), product_of_terms(*case)):
            worst = max(worst, float(np.max(np.abs(np.array(found) / truth - 1))))
    b1, *_ = gradients(neuron_chain(**EXAMPLE))
    return Claim(
        "∂C/∂b₁ = σ′(z₁)·w₂σ′(z₂)·w₃σ′(z₃)·w₄σ′(z₄)·∂C/∂a₄, and so for every neuron",
        "",
        f"{b1:.11e} for the example; backprop and formula differ from 50-digit arithmetic by {worst:.0e} at most",
        f"{len(cases)} chains of 4 to {max([len(c[0]) for c in cases])} neurons",
        worst < 1e-13,
        "20-21",
    )


def _derivation(errors: Mapping[str, Array]) -> Claim:
    """Row 29."""
    ratios = np.array([e[-2] / e[-1] for e in errors.values()])
    return Claim(
        "the product follows from small changes, Δa₁ ≈ σ′(z₁)Δb₁ … ΔC: halve Δb₁, and the error falls to a quarter",
        "",
        f"the error falls by {ratios.min():.4f} to {ratios.max():.4f} at the last halving",
        f"{len(ratios)} signals, {len(next(iter(errors.values()))) - 1} halvings",
        bool(np.all(np.abs(ratios / 4 - 1) < 0.01)),
        "29",
    )


def _terms(data: Mapping[str, Array]) -> tuple[Claim, ...]:
    """Row 23."""
    below, runs = data["below_quarter"], _draws(data)
    return (
        Claim(
            "with weights N(0, 1), usually |w| < 1",
            "usually",
            f"in {spread(100 * data['weights_below_one'])} % of draws",
            runs,
            _usual(data["weights_below_one"]),
            "23",
        ),
        Claim(
            "so usually |wσ′(z)| < ¼",
            "< ¼",
            f"in {spread(100 * below)} % of draws ({spread(100 * data['below_quarter_a0'])} % for a = 0, "
            f"{spread(100 * data['below_quarter_a1'])} % for a = 1); geometric mean {spread(data['geometric_mean'])}",
            runs,
            _usual(below),
            "23",
        ),
    )


def _seeds(data: Mapping[str, Array]) -> str:
    n = len(data["below_quarter"])
    return f"{n} seed{'s' * (n > 1)}"


def _draws(data: Mapping[str, Array]) -> str:
    return f"{_seeds(data)}, {data['chains']:,} chains each"


def _usual(shares: Array) -> bool | None:
    """Whether it is so in more than half of the draws, for every seed; None if seeds differ."""
    more = shares > 0.5
    return bool(more[0]) if np.all(more == more[0]) else None


def _sixteen(data: Mapping[str, Array]) -> tuple[Claim, Claim]:
    """Row 24."""
    g = gradients(balanced_chain(1, 4))
    exact = abs(g[2] / g[0])
    return (
        Claim(
            "∂C/∂b₃ is 16 times ∂C/∂b₁ where w = 1 and z = 0",
            "16",
            f"{exact:.15g}",
            "one chain",
            math.isclose(exact, 16, rel_tol=1e-14),
            "24",
        ),
        Claim(
            "∂C/∂b₁ is usually a factor of 16 or more smaller than ∂C/∂b₃",
            "16 or more",
            f"median {spread(np.exp(data['loss_quantiles'][:, 2, 1]))}, above 16 in "
            f"{spread(100 * data['above_sixteen'])} % of chains",
            _draws(data),
            _usual(data["above_sixteen"]),
            "24",
        ),
    )


def _exploding() -> Claim:
    """Rows 25 and 30."""
    chain = balanced_chain(100, 4)
    g = gradients(chain)
    terms = [abs(a / b) for a, b in pairwise(g)]
    return Claim(
        "with w = 100 and biases that make z = 0 the gradient explodes: every term wσ′(z) is 25",
        "25",
        f"terms {', '.join([f'{t:.12g}' for t in terms])}; ∂C/∂b₁ : ∂C/∂b₃ = {abs(g[0] / g[2]):.12g}",
        "one chain",
        all([math.isclose(t, 25, rel_tol=1e-12) for t in terms]),
        "25, 30",
    )


def _unstable(data: Mapping[str, Array]) -> tuple[Claim, Claim]:
    """Rows 26 and 31."""
    scales, layers = data["scales"], data["growth_layers"]
    crossings = [_crossing(scales, growth) for growth in layers]
    passed = [c for c in crossings if c is not None]
    balanced = _crossing(scales, data["growth_balanced"])
    if not passed or balanced is None:
        measured = "the scales swept do not reach from one to the other"
        holds = None
    else:
        measured = (
            f"critical scale {balanced:.4g} for neurons with z = 0, {spread(passed)} for layers "
            f"(predicted for infinitely wide ones: {critical_scale(predicted_growth):.4g})"
        )
        holds = len(passed) == len(layers)
    chains = data["growth_chains"]
    best = np.max(chains, axis=1)
    return (
        Claim(
            "the gradient is unstable: it vanishes below a critical weight scale and explodes above",
            "",
            measured,
            _seeds(data),
            holds,
            "26, 31",
        ),
        Claim(
            "chains with random biases vanish at every scale: a large weight makes z large and σ′(z) small",
            "",
            f"a neuron multiplies the gradient by {spread(best)} at most, at scale "
            f"{scales[int(np.argmax(np.mean(chains, axis=0)))]:g}",
            _seeds(data),
            bool(np.all(best < 1)),
            "26, 31",
        ),
    )


def _crossing(scales: Array, growth: Array) -> float | None:
    """Where the growth passes 1 upwards, between two scales; None if it does not do so once and for all."""
    above = growth >= 1
    k = int(np.argmax(above))
    if above[0] or not np.all(above[k:]) or not above[-1]:
        return None
    x, y = np.log(scales[k - 1 : k + 1]), np.log(growth[k - 1 : k + 1])
    return float(np.exp(x[0] - y[0] * (x[1] - x[0]) / (y[1] - y[0])))


# ------------------------------------------------------------------------------------------------------------- picture


def _figure(data: Mapping[str, Array], signals: Sequence[str]) -> Any:
    from matplotlib.figure import Figure

    from tinygrad_vg.drawing.plots import plot_style

    with plot_style():
        figure = Figure(figsize=(9.2, 7.4))
        figure.set_layout_engine("constrained", h_pad=0.12)
        axes = figure.subplots(2, 2)
        _draw_terms(axes[0, 0], data)
        _draw_loss(axes[0, 1], data)
        _draw_sweep(axes[1, 0], data)
        _draw_changes(axes[1, 1], data, signals)
    return figure


def _draw_terms(axes: Any, data: Mapping[str, Array]) -> None:
    """The distribution of the factors."""
    centres, density = (BINS[1:] + BINS[:-1]) / 2, data["histogram"]
    axes.fill_between(centres, np.mean(density, axis=0), step="mid", alpha=0.35, lw=0)
    axes.step(centres, np.mean(density, axis=0), where="mid")
    top = float(np.mean(density, axis=0).max())
    for x, words in ((math.log10(1 / 4), "¼"), (0, "1")):
        axes.axvline(x, color="0.5", lw=1, ls="--")
        axes.annotate(words, (x, top * 1.04), (3, 0), textcoords="offset points", fontsize=9)
    below = 100 * float(np.mean(data["below_quarter"]))
    axes.text(
        -4.9, top * 0.8, f"{below:.0f} % below ¼,\ngeometric mean {np.mean(data['geometric_mean']):.3f}", fontsize=9
    )
    axes.set(title="One factor of a random chain", xlabel="log₁₀ |wσ′(z)|", ylabel="density", ylim=(0, top * 1.15))


def _draw_loss(axes: Any, data: Mapping[str, Array]) -> None:
    """How much smaller the first gradient is than the j-th."""
    quantiles = np.exp(np.mean(data["loss_quantiles"], axis=0))
    j = np.arange(1, len(quantiles) + 1)
    axes.fill_between(j, quantiles[:, 0], quantiles[:, 2], alpha=0.25, lw=0, label="5–95 % of chains")
    axes.semilogy(j, quantiles[:, 1], "o-", ms=3, label="median")
    axes.semilogy(j, 4.0 ** (j - 1), "--", label="w = 1, z = 0: 4 a neuron")
    book_mark(axes, [3], [16], "book: 16")
    axes.legend(loc="upper left", fontsize=9)
    axes.set(title="Random chains", xlabel="neuron j", ylabel="|∂C/∂b$_j$ : ∂C/∂b₁|", xlim=(0.5, j[-1] + 0.5))


def _draw_sweep(axes: Any, data: Mapping[str, Array]) -> None:
    """Vanishing, critical, exploding."""
    s, layers, chains = data["scales"], data["growth_layers"], data["growth_chains"]
    axes.loglog(s, data["growth_balanced"], "^:", ms=4, label="neurons, b so that z = 0")
    axes.errorbar(s, layers.mean(axis=0), layers.std(axis=0), fmt="o-", ms=3, capsize=2, label="layers")
    axes.loglog(s, data["growth_predicted"], "--", label="layers, infinitely wide")
    axes.errorbar(s, chains.mean(axis=0), chains.std(axis=0), fmt="s-.", ms=3, capsize=2, label="neurons, random b")
    axes.axhline(1, color="0.5", lw=1, ls="--")
    axes.set_ylim(0.01, 30)
    axes.legend(loc="upper left", fontsize=9)
    axes.set(title="Vanishing and exploding", xlabel="scale of the weights", ylabel="factor of ∂C/∂b, a layer")


def _draw_changes(axes: Any, data: Mapping[str, Array], signals: Sequence[str]) -> None:
    """The error of the small changes."""
    x = data["changes"]
    for name, errors, style in zip(signals, data["change_errors"], ("o-", "s--", "^-.", "v:", "d-"), strict=False):
        axes.loglog(x, errors, style, ms=3)
        name_curve(axes, x[0], errors[0], name, dy=-3 if name == "C" else 3)
    axes.set(title="Small changes: error ∝ Δ²", xlabel="Δb₁", ylabel="|true change − estimate|")
