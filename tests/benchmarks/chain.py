"""A chain of scalars: y ← sin(y·w) over and over, then dy/dw; what a node of the graph costs."""

import math
import sys

import numpy as np

import tinygrad_vg as vg

from .competitors import HIPS, OURS
from .rows import Row, absent
from .timing import Ratio, take_turns

NODES = (1_000, 10_000, 100_000, 1_000_000)
MICROGRAD = "micrograd"
W, Y = 1.3, 0.5


def ours(nodes):
    w, y = vg.Tensor(W), Y
    for _ in range(nodes // 2):
        y = np.sin(y * w)
    y.backward()
    return float(w.grad)


def hips():
    import autograd.numpy as anp
    from autograd import grad

    def chain(w, nodes):
        y = Y
        for _ in range(nodes // 2):
            y = anp.sin(y * w)
        return y

    gradient = grad(chain)
    return lambda nodes: float(gradient(W, nodes))


def micrograd():
    from micrograd.engine import Value

    def sin(x):
        """As its own methods are written; it has no sine."""
        out = Value(math.sin(x.data), (x,), "sin")

        def backward():
            x.grad += math.cos(x.data) * out.grad

        out._backward = backward
        return out

    def run(nodes):
        w, y = Value(W), Y
        for _ in range(nodes // 2):
            y = sin(y * w)
        usual = sys.getrecursionlimit()
        sys.setrecursionlimit(usual + 2 * nodes)  # its backward is recursive
        try:
            y.backward()
        finally:
            sys.setrecursionlimit(usual)
        return w.grad

    return run


def derivative(nodes):
    """dy/dw going forwards, in plain floats."""
    y, dy = Y, 0.0
    for _ in range(nodes // 2):
        z, dz = y * W, dy * W + y
        y, dy = math.sin(z), math.cos(z) * dz
    return dy


def everyone():
    """All who can be had, and the names of those who are not installed."""
    found, missing = {OURS: ours}, []
    for name, make in {HIPS: hips, MICROGRAD: micrograd}.items():
        try:
            found[name] = make()
        except ModuleNotFoundError:
            missing.append(name)
    return found, missing


def check_alike(found, nodes=NODES[0]):
    """Compare everyone's derivative with the one that is known."""
    wanted = derivative(nodes)
    for name, run in found.items():
        off = abs(run(nodes) - wanted) / abs(wanted)
        assert off < 1e-10, f"{name}: the derivative of the chain is {off:.1e} off"


def rows(rounds):
    """The rows of the table, one length after the other."""
    found, missing = everyone()
    check_alike(found)
    each = {}
    for nodes in NODES:
        turns = max(1, 30_000 // nodes)
        runs = {name: lambda _, run=run, nodes=nodes: run(nodes) for name, run in found.items()}
        times = take_turns(runs, min(rounds, 3) if nodes > 100_000 else rounds, turns)
        each[nodes] = float(np.median(times.rounds(OURS))) / nodes
        workload = f"chain of {nodes:,} nodes"
        for who, goal in {HIPS: 3.0, MICROGRAD: None}.items():
            if who in missing:
                yield absent(workload, who, goal)
            else:
                yield Row(workload, who, times.ratio(who, OURS), "× faster", goal)
    per_node = np.array([1e6 * t for t in each.values()])
    yield Row("chain: a node", "", Ratio.of(per_node), "µs")
    yield Row(
        "chain: a node, of the slowest length", "the fastest", Ratio.of([per_node.max() / per_node.min()]), "×", 2
    )
