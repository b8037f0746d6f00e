"""What goes forwards and backwards through the hidden layers of a network before training, and what theory says of it.

Source: X. Glorot & Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS
2010, section 4.2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tinygrad_vg.autodiff import backprop
from tinygrad_vg.checks import Array
from tinygrad_vg.nn import MLP, losses
from tinygrad_vg.nn.activations import Activation, by_name
from tinygrad_vg.tensor import Tensor

__all__ = [
    "LOG_BINS",
    "Signals",
    "bins_of",
    "gradient_ratio",
    "layer_signals",
    "mean_singular_values",
    "measure_signals",
    "small_signal_ratio",
    "theoretical_ratio",
    "weight_gradient_shares",
]


@dataclass(frozen=True, eq=False)
class Signals:
    """What goes through the hidden layers of a network; of each kind one array a layer.

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


def layer_signals(net: MLP, X: Array, y: Array) -> Signals:
    """Send samples forwards and their gradients back.

    Parameters
    ----------
    net : MLP
        Its output layer is taken as a softmax with cross-entropy.
    X, y : ndarray
        Samples, shape (n, inputs), and integer labels.

    Notes
    -----
    The cost is the average over the samples, so a row of ∂C/∂z is 1/n of a sample's gradient; it is multiplied by n.
    """
    sums, outputs = [], []
    a = X
    for layer in net.layers:
        z = layer.logits(a)
        a = layer.activation(z)
        sums.append(z)
        outputs.append(a)
    hidden, weights = sums[:-1], [layer.w for layer in net.layers[:-1]]
    found = backprop(losses.softmax_cross_entropy(sums[-1], y), wrt=[*hidden, *weights])
    return Signals(
        a=tuple([t.data for t in outputs[:-1]]),
        slopes=tuple([_slopes(layer.activation, z.data) for layer, z in zip(net.layers, hidden, strict=False)]),
        dz=tuple([len(X) * found[z] for z in hidden]),
        dw=tuple([found[w] for w in weights]),
    )


def _slopes(activation: Activation, z: Array) -> Array:
    """f′(z), elementwise."""
    free = Tensor(z)
    return np.asarray(backprop(activation(free).sum(), wrt=[free])[free])


def mean_singular_values(net: MLP, slopes: Sequence[Array], rows: int) -> Array:
    """The mean singular value of ∂zˡ⁺¹/∂zˡ = Σ′(zˡ)wˡ⁺¹ for each two hidden layers, averaged over the first rows."""
    found = []
    for slope, layer in zip(slopes[:-1], net.layers[1:-1], strict=True):
        jacobians = slope[:rows, :, None] * layer.w.data
        found.append(np.mean(np.linalg.svd(jacobians, compute_uv=False)))
    return np.array(found)


def measure_signals(net: MLP, X: Array, y: Array) -> dict[str, Array]:
    """Statistics over samples and units of each hidden layer.

    Parameters
    ----------
    net, X, y
        As for `layer_signals`.

    Returns
    -------
    dict
        By layer the standard deviations ``activation``, ``gradient`` (of ∂C/∂z) and ``weight_gradient``, and
        ``slope``, the root mean square of f′(z). From a layer to the next ``gain``, √(fan-out·Var w) of the weights
        between them, and ``singular``, from `mean_singular_values`. And, shape (layers, bins), the densities of
        ``activations`` in the bins of `bins_of` and of ``log_gradients``, log₁₀|∂C/∂z|, in `LOG_BINS`; both leave
        zeros out.
    """
    found = layer_signals(net, X, y)
    bins = bins_of(net.layers[0].activation_name)
    rows = max(1, 2000 // net.sizes[1])  # an average over the units already: of wide layers a few samples are enough
    return {
        "activation": np.array([np.std(a) for a in found.a]),
        "gradient": np.array([np.std(d) for d in found.dz]),
        "weight_gradient": np.array([np.std(d) for d in found.dw]),
        "slope": np.array([np.sqrt(np.mean(f**2)) for f in found.slopes]),
        "gain": np.array([np.sqrt(layer.n_out * np.mean(layer.w.data**2)) for layer in net.layers[1:-1]]),
        "singular": mean_singular_values(net, found.slopes, rows),
        "activations": np.array([_density(a[a != 0], *bins) for a in found.a]),
        "log_gradients": np.array([_density(np.log10(np.abs(d[d != 0])), *LOG_BINS) for d in found.dz]),
    }


LOG_BINS = (-9.0, 1.0, 100)
"""From, to, and number of the bins of log₁₀|∂C/∂z|."""


def bins_of(activation: str) -> tuple[float, float, int]:
    """From, to, and number of the bins of activations."""
    ends = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0), "softsign": (-1.0, 1.0), "relu": (0.0, 2.0)}
    return *ends.get(activation, (-3.0, 3.0)), 80


def _density(x: Array, low: float, high: float, bins: int) -> Array:
    """The share of `x` in each bin, by the bin's width."""
    return np.asarray(np.histogram(x, bins, (low, high))[0] / (max(1, x.size) * (high - low) / bins))


# --------------------------------------------------------------------------- of several seeds, stacked on a first axis


def gradient_ratio(found: Mapping[str, Array]) -> Array:
    """The gradient's standard deviation in the last hidden layer over that in the first, of each seed."""
    return np.asarray(found["gradient"][:, -1] / found["gradient"][:, 0])


def theoretical_ratio(found: Mapping[str, Array]) -> Array:
    """The same by theory: a step back multiplies the standard deviation by √(fan-out·Var w)·rms f′(z) (equation 6)."""
    return np.asarray(1 / np.prod(found["gain"] * found["slope"][:, :-1], axis=1))


def small_signal_ratio(found: Mapping[str, Array], activation: str) -> float:
    """The same, supposing that z is nearly 0 everywhere: with f′(0), of both sides if there is a kink."""
    slope = _slopes(by_name(activation)[1], np.array([-1e-9, 1e-9]))
    return float(np.mean(1 / np.prod(found["gain"] * np.sqrt(np.mean(slope**2)), axis=1)))


def weight_gradient_shares(found: Mapping[str, Array]) -> Array:
    """The weight gradient's standard deviation in each hidden layer but the first, over their mean, of each seed."""
    sd = found["weight_gradient"][:, 1:]
    return np.asarray(sd / np.mean(sd, axis=1, keepdims=True))
