"""Measurements for the tests of sweeps, where other processes can import them."""

import os
import time
from pathlib import Path

import numpy as np

import tinygrad_vg as vg


def sum_of_squares(n, seed, scale=1.0):
    return {"sum": float(np.sum((scale * np.random.default_rng(seed).normal(size=n)) ** 2)), "n": n}


def attenuation(depth, seed):
    """∂C/∂b₁ over ∂C/∂b_L of a chain of random neurons."""
    rng = np.random.default_rng(seed)
    chain = vg.lab.neuron_chain(rng.normal(size=depth), rng.normal(size=depth))
    found = vg.backprop(chain.cost, wrt=[chain.b[0], chain.b[-1]])
    return abs(found[chain.b[0]] / found[chain.b[-1]])


def moody(n, seed):
    if n == 2:
        raise ValueError(f"no luck with seed {seed}")
    return n + seed


def deadly(n, seed):
    if (n, seed) == (2, 1):
        os._exit(1)
    return n


def counted(n, seed, folder):
    """Leaves a mark each time it is run."""
    with Path(folder, f"{n}-{seed}").open("a") as file:
        file.write("x")
    return n


def slow(n, seed, folder):
    Path(folder, f"{n}-{seed}").touch()
    time.sleep(0.2)
    return n


def spreading(n, seed):
    """A ratio over many decades, and a number beside it."""
    return {"ratio": n * 10.0**-seed, "number": seed + 20.0}


def seedless(n):
    return n


def open_to_all(seed, **settings):
    return len(settings)


def not_a_number(seed):
    return float("nan")
