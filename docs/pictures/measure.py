"""What each way of checking a gradient notices in deep sigmoid networks: this project's ways, and those of others.

A fault is planted in layer 1, so that every gradient there is wrong by a known factor, and each way of checking is
asked whether it complains. The policies of other libraries are written out here from their source, each in the few
lines that decide; they are asked about layer 1 alone, which is in their favour, and with a cotangent of 1.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from typing import NamedTuple

import numpy as np

import tinygrad_vg as vg
from tinygrad_vg.gradcheck import Verdict
from tinygrad_vg.gradcheck.complex_step import AGREEMENT, complex_step
from tinygrad_vg.gradcheck.judging import RESOLVED, RTOL, SAFETY

DEPTHS = (1, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24)
TOLD = (1, 4, 8, 12, 16, 24)  # the depths of the table, at which the slow certificate is tried too
DEEP = 16  # the depth at which the kinds of faults are compared
SEEDS = range(10)
WIDTH, BATCH = 3, 4
SIZES = 10.0 ** np.arange(-12, 18.5, 0.5)  # of the faults that are tried to find the smallest one noticed

Fault = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]  # from the right answer of σ's rule, g and σ(z)


class Network:
    """A sigmoid network, its layer 1 as the variables: weights N(0, 1/fan-in), biases N(0, 1), quadratic loss."""

    def __init__(self, depth: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.depth = depth
        self.x, self.y = rng.normal(size=(BATCH, WIDTH)), rng.random((BATCH, WIDTH))
        layers = [(rng.normal(size=(WIDTH, WIDTH)) / WIDTH**0.5, rng.normal(size=WIDTH)) for _ in range(depth)]
        self.first, self.others = layers[0], layers[1:]
        self.direction = rng.normal(size=WIDTH * WIDTH + WIDTH)

    def loss(self, w, b, sigmoid=vg.sigmoid):
        """The loss as a function of layer 1, with another σ in this layer, perhaps."""
        a = sigmoid(self.x @ w + b)
        for v, c in self.others:
            a = vg.sigmoid(a @ v + c)
        return np.sum((a - self.y) ** 2) / (2 * BATCH)

    def planted(self, fault: Fault | None):
        """The same function with a fault in the derivative of layer 1's σ."""
        if fault is None:
            return self.loss
        op = vg.sigmoid.op
        (right,) = op.vjps
        wrong = vg.primitive(op.forward, (lambda g, out, z: fault(right(g, out, z), g, out),), name="σ", analytic=True)
        return lambda w, b: self.loss(w, b, wrong)

    def gradient(self, fault: Fault | None = None) -> np.ndarray:
        """∂C/∂w₁ and ∂C/∂b₁ by backward, as one vector."""
        return np.concatenate([np.ravel(g) for g in vg.grad(self.planted(fault), (0, 1))(*self.first)])

    def at(self, step: np.ndarray):
        """The loss one step away."""
        w, b = self.first
        return self.loss(w + step[: w.size].reshape(w.shape), b + step[w.size :])

    def slope(self, direction: np.ndarray, h: float) -> float:
        """The central difference along a direction."""
        return float(self.at(h * direction) - self.at(-h * direction)) / (2 * h)

    @cache  # noqa: B019  a network lives as long as it is measured
    def differences(self, h: float) -> np.ndarray:
        """The central differences of all elements."""
        return np.array([self.slope(unit, h) for unit in np.eye(self.direction.size)])

    @cache  # noqa: B019
    def reference(self, method: str) -> tuple[np.ndarray, np.ndarray]:
        """The gradient by another method, and the bound of its error; nan and inf where it gives none."""
        if method == "finite":
            pairs = vg.numerical_gradient(self.loss, *self.first, method="finite")
            value, bound = [np.concatenate([np.ravel(part) for part in parts]) for parts in zip(*pairs, strict=True)]
            return value, bound
        found = [complex_step(lambda t, unit=unit: self.at(t * unit), 0.0) for unit in np.eye(self.direction.size)]
        value = np.array([np.nan if slope is None else slope for slope in found])
        return value, np.where(np.isnan(value), np.inf, AGREEMENT * np.abs(value))


# --------------------------------------------------------------------------------------------------- ways of checking
# Each says whether it complains of the gradient that backward gives.


def like_pytorch(net: Network, fault: Fault | None) -> bool:
    """torch.autograd.gradcheck: each element, step 1e-6, |a − n| ≤ 1e-5 + 1e-3·|n|."""
    return not np.allclose(net.gradient(fault), net.differences(1e-6), rtol=1e-3, atol=1e-5)


def like_chainer(net: Network, fault: Fault | None) -> bool:
    """chainer.gradient_check.check_backward: a random unit direction, step 1e-3, |n − a| ≤ 1e-5 + 1e-4·|a|."""
    d = net.direction / np.linalg.norm(net.direction)
    return not np.isclose(net.slope(d, 1e-3), net.gradient(fault) @ d, rtol=1e-4, atol=1e-5)


def like_jax(net: Network, fault: Fault | None) -> bool:
    """jax.test_util.check_vjp in float64: a random direction, step 1e-4, |a − n| ≤ 1e-5 + 1e-5·|n|."""
    d = net.direction
    return not np.isclose(net.gradient(fault) @ d, net.slope(d, 1e-4), rtol=1e-5, atol=1e-5)


def like_autograd(net: Network, fault: Fault | None) -> bool:
    """autograd.test_util.check_vjp: a random direction, step 5e-7, |a − n| < 1e-6 or |a − n| / |a + n| < 1e-6."""
    d = net.direction
    a, n = net.gradient(fault) @ d, net.slope(d, 5e-7)
    return not (abs(a - n) < 1e-6 or abs(a - n) / abs(a + n) < 1e-6)


def relative_only(net: Network, fault: Fault | None) -> bool:
    """The first again without its absolute tolerance."""
    return not np.allclose(net.gradient(fault), net.differences(1e-6), rtol=1e-3, atol=0)


def beyond(net: Network, fault: Fault | None, method: str) -> bool:
    """Whether an element is further from its reference than `check_gradients` allows."""
    (value, bound), a = net.reference(method), net.gradient(fault)
    return bool(np.any(np.abs(a - value) > RTOL * np.maximum(np.abs(a), np.abs(value)) + SAFETY * bound))


def bounded(net: Network, fault: Fault | None) -> bool:
    """Finite differences with a bound, as ``check_gradients(…, method="finite")`` judges them."""
    return beyond(net, fault, "finite")


def analytic(net: Network, fault: Fault | None) -> bool:
    """The complex step alone."""
    return beyond(net, fault, "complex")


def automatic(net: Network, fault: Fault | None) -> bool:
    """`check_gradients` as it is. UNRESOLVED is no pass, but no complaint either."""
    return vg.check_gradients(net.planted(fault), *net.first, raises=False).failed


def certificate(net: Network, fault: Fault | None) -> bool:
    """`certify_backward`."""
    return vg.certify_backward(net.planted(fault)(*map(vg.Tensor, net.first)), raises=False).failed


WAYS = {
    "as PyTorch's `gradcheck`": like_pytorch,
    "as Chainer's `check_backward`": like_chainer,
    "as JAX's `check_grads`": like_jax,
    "as HIPS autograd's `check_grads`": like_autograd,
    "finite differences with a bound": bounded,
    "complex step": analytic,
    "`check_gradients`": automatic,
    "`certify_backward`": certificate,
}
SLOW = (automatic, certificate)
FAULTS: dict[str, Fault | None] = {
    "none (a complaint is a false alarm)": None,
    "σ′ ×(1 + 10⁻⁶)": lambda right, g, out: right * (1 + 1e-6),
    "σ′ ×1.01": lambda right, g, out: right * 1.01,
    "σ′ twice": lambda right, g, out: right * 2,
    "−7·g·σ for g·σ′": lambda right, g, out: -7 * g * out,
}

# -------------------------------------------------------------------------------------------------------- measurements


def smallest_noticed(way: Callable[[Network, Fault | None], bool], net: Network) -> float:
    """The smallest ε of `SIZES` for which σ′·(1 + ε) is noticed; inf if none is."""
    low, high = -1, len(SIZES)  # not noticed, noticed
    while high - low > 1:
        middle = (low + high) // 2
        if way(net, lambda right, g, out: right * (1 + SIZES[middle])):  # noqa: B023  called at once
            high = middle
        else:
            low = middle
    return float(SIZES[high]) if high < len(SIZES) else np.inf


class Measured(NamedTuple):
    """What was measured in one network.

    Attributes
    ----------
    depth
        How many layers.
    loss
        What the rounding of differences is relative to.
    gradient
        The median |∂C/∂w₁|, |∂C/∂b₁|.
    smallest
        For each way of checking, the smallest relative fault it notices.
    alarms, unresolved, missed
        Shares of layer 1's elements whose right gradient is called wrong by central differences with a relative
        tolerance alone; is called unresolved by finite differences with a bound; is not passed by `check_gradients`
        (nan where that was not tried).
    faults
        At depth `DEEP`, for each kind of fault the ways that notice it.
    """

    depth: int
    loss: float
    gradient: float
    smallest: dict[str, float]
    alarms: float
    unresolved: float
    missed: float
    faults: dict[str, list[str]]


def measure(job: tuple[int, int]) -> Measured:
    """Try everything on the network of a depth and a seed."""
    net = Network(*job)
    ways = {name: way for name, way in WAYS.items() if way not in SLOW or net.depth in TOLD}
    right = net.gradient()
    value, bound = net.reference("finite")
    return Measured(
        depth=net.depth,
        loss=float(net.loss(*net.first)),
        gradient=float(np.median(np.abs(right))),
        smallest={name: smallest_noticed(way, net) for name, way in ways.items()},
        alarms=float(np.mean(~np.isclose(right, net.differences(1e-6), rtol=1e-3, atol=0))),
        unresolved=float(np.mean(SAFETY * bound > RESOLVED * np.maximum(np.abs(right), np.abs(value)))),
        missed=not_passed(net) if net.depth in TOLD else np.nan,
        faults={fault: [name for name, way in compared().items() if way(net, FAULTS[fault])] for fault in FAULTS}
        if net.depth == DEEP
        else {},
    )


def not_passed(net: Network) -> float:
    """The share of elements that `check_gradients` does not pass."""
    report = vg.check_gradients(net.loss, *net.first, raises=False)
    passed = sum([r.counts[v] for r in report.inputs for v in (Verdict.PASS, Verdict.ZERO)])
    return 1 - passed / sum([r.checked for r in report.inputs])


def compared() -> dict[str, Callable[[Network, Fault | None], bool]]:
    """The ways of checking whose complaints of each fault are counted."""
    return {**WAYS, "as PyTorch's `gradcheck` with atol = 0": relative_only}


@cache
def everything() -> list[Measured]:
    """All networks, in two processes; some minutes."""
    jobs = [(depth, seed) for depth in reversed(DEPTHS) for seed in SEEDS]
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        return sorted(pool.map(measure, jobs), key=lambda m: m.depth)


def at(depth: int) -> Iterator[Measured]:
    """The networks of a depth."""
    return (m for m in everything() if m.depth == depth)
