"""Small graphs for the tests of the drawing room."""

from itertools import pairwise

import numpy as np

import tinygrad_vg as vg

BOOK_W, BOOK_B, BOOK_A0, BOOK_Y = (0.8, -0.6, 0.9, -0.4), (0.1, -0.2, 0.3, 0.05), 0.7, 0.0
BOOK_GRADIENT = (2.79845537236e-4, -2.07628769018e-3, -1.00706771205e-2, 1.10692885582e-1)


def chain(w=BOOK_W, b=BOOK_B, a0=BOOK_A0, y=BOOK_Y):
    """The chapter's chain of neurons: the cost, and the biases."""
    a, biases = a0, []
    for j, (wj, bj) in enumerate(zip(w, b, strict=True), 1):
        with vg.name_scope(f"layer {j}"):
            weight, bias = vg.Tensor(wj, f"w{j}"), vg.Tensor(bj, f"b{j}")
            z = (weight * a + bias).named(f"z{j}")
            a = vg.sigmoid(z).named(f"a{j}")
        biases.append(bias)
    return (0.5 * (a - y) ** 2).named("C"), biases


def network(sizes=(784, 30, 30, 10), samples=10):
    """A sigmoid network with the quadratic cost, on random images: the cost, and the biases."""
    rng = np.random.default_rng(0)
    a, biases = rng.random((samples, sizes[0])), []
    for j, (n_in, n_out) in enumerate(pairwise(sizes), 1):
        with vg.name_scope(f"layer {j}"):
            w = vg.Tensor(rng.standard_normal((n_in, n_out)) / np.sqrt(n_in), f"w{j}")
            b = vg.Tensor(rng.standard_normal(n_out), f"b{j}")
            a = vg.sigmoid((a @ w + b).named(f"z{j}")).named(f"a{j}")
        biases.append(b)
    cost = 0.5 * np.mean(np.sum((a - np.eye(samples, sizes[-1])) ** 2, axis=1))
    return cost.named("C"), biases


def long_chain(n):
    """`n` unnamed operations, one after the other: the leaf and the end."""
    x = y = vg.Tensor(1.0, "x")
    for _ in range(n):
        y = y * 0.999
    return x, y
