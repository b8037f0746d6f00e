"""Momentum: the oblong bowl against plain recursions, the theorem, the schedule, the autoencoder and its verdict."""

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_vg as vg
from tinygrad_vg.lab import momentum
from tinygrad_vg.lab.momentum import METHODS, OBLONG, autoencode, descend, oblong, ordering, path_lengths, theorem_gap
from tinygrad_vg.nn import MLP, losses

CURVATURES = np.array([1.0, 100.0])
RNG = np.random.default_rng(5)
IMAGES = (RNG.random((12, 20)), RNG.integers(0, 10, 12))
SMALL = {"quick": True, "seeds": 2, "data": IMAGES, "images": 12, "steps": 7}


def by_hand(nesterov, mu=0.95, lr=0.009, steps=150):
    """Equations 1 to 4 of the paper for the oblong bowl, word for word."""
    theta, v = np.array([-10.0, 1.0]), np.zeros(2)
    path = [theta]
    for _ in range(steps):
        v = mu * v - lr * CURVATURES * (theta + mu * v if nesterov else theta)
        theta = theta + v
        path.append(theta)
    return np.array(path)


# ---------------------------------------------------------------------------------------------------- the oblong bowl


@pytest.mark.parametrize("nesterov", [False, True])
def test_the_path_is_that_of_the_paper(nesterov):
    path = descend(oblong, (-10.0, 1.0), lr=0.009, momentum=0.95, nesterov=nesterov, steps=150)
    assert_allclose(path, by_hand(nesterov), rtol=1e-9, atol=1e-15)


def test_the_lengths_across_the_valley():
    bowl = dict(OBLONG)
    start = bowl.pop("start")
    classical, nesterov = [path_lengths(descend(oblong, start, **bowl, nesterov=n))[1] for n in (False, True)]
    assert_allclose(classical, 26.6, atol=0.05)
    assert_allclose(nesterov, 1.16, atol=0.005)


def test_the_path_shows_theta_and_not_the_point_ahead():
    """The tensors hold θ + μv between steps; on its way that point's path is another one."""
    path = by_hand(nesterov=True)
    ahead = path[1:] + 0.95 * np.diff(path, axis=0)
    assert abs(path_lengths(ahead)[1] / path_lengths(path)[1] - 1) > 0.1


def test_without_momentum_it_is_gradient_descent():
    path = descend(oblong, (-10.0, 1.0), lr=0.001, steps=5)
    assert_allclose(path, np.array([-10.0, 1.0]) * (1 - 0.001 * CURVATURES) ** np.arange(6)[:, None], rtol=1e-13)


@pytest.mark.parametrize(("steps", "error"), [(0, ValueError), (2.5, TypeError)])
def test_steps_that_are_none(steps, error):
    with pytest.raises(error, match="steps"):
        descend(oblong, (-10.0, 1.0), lr=0.001, steps=steps)


# ------------------------------------------------------------------------------------------ the theorem, the schedule


@pytest.mark.parametrize("seed", range(4))
def test_the_theorem(seed):
    assert theorem_gap(seed) < 1e-13
    assert theorem_gap(seed, shrink=False) > 1e-2


def test_the_theorem_is_about_quadratics():
    """On t⁴ no constant momentum along the axis gives Nesterov's path, not even with the curvature at the start."""
    lr, mu, start = 0.01, 0.9, 1.0
    nesterov = descend(lambda t: (t**4).sum(), [start], lr=lr, momentum=mu, nesterov=True, steps=50)
    shrunk = descend(lambda t: (t**4).sum(), [start], lr=lr, momentum=mu * (1 - 12 * lr), steps=50)
    assert np.max(np.abs(nesterov - shrunk)) > 1e-2


def test_the_printed_schedule():
    printed = [momentum.schedule_by_formula(t, 0.99) for t in (0, 249, 250, 500, 750)]
    assert_allclose(printed, [1 / 2, 1 / 2, 3 / 4, 5 / 6, 7 / 8], rtol=1e-15)
    assert momentum.schedule_by_formula(100_000, 0.99) == 0.99


def test_the_momentum_of_the_methods():
    """The schedule is gone through 80 times as fast: ½, then after 4 steps ¾, …, and .99 from step 154 on."""
    mu = METHODS[3].momentum
    assert [mu(t) for t in (0, 3, 4, 153, 154)] == [
        momentum.schedule_by_formula(80 * t, 0.99) for t in (0, 3, 4, 153, 154)
    ]
    assert [mu(t) for t in (3, 4, 154)] == [0.5, 0.75, 0.99]
    assert mu(153) < 0.99
    assert METHODS[0].momentum == 0
    assert METHODS[5].momentum == 0.99


# ----------------------------------------------------------------------------------------------------- the autoencoder


def test_costs_are_recorded_at_theta_before_along_and_after():
    X = IMAGES[0].astype(np.float32)
    plain = [autoencode(X, METHODS[0], seed=1, steps=n, lr=0.01, every=3)[-1] for n in (1, 3, 6, 7)]
    along = autoencode(X, METHODS[0], seed=1, steps=7, lr=0.01, every=3)
    assert_array_equal(along[1:], plain[1:])
    assert along[0] > plain[0] > plain[1]
    # at the first step velocities are 0, so that all methods stand at the same θ after it
    first = [autoencode(X, method, seed=1, steps=1, lr=0.01, every=1)[1] for method in METHODS]
    assert_allclose(first, first[0], rtol=1e-6)


@pytest.mark.parametrize("method", [METHODS[3], METHODS[5]], ids=lambda method: method.name)
def test_the_autoencoder_moves_as_the_paper_says(method):
    X = IMAGES[0]
    net = MLP([20, *momentum.SIZES, 20], "sigmoid", "sparse", seed=2)
    cost = lambda *p: losses.cross_entropy(net.bind(p).logits(X), X)
    theta = [p.data for p in net.parameters()]
    v = [np.zeros_like(p) for p in theta]
    for t in range(6):
        mu = method.highest if method.constant else momentum.schedule_by_formula(80 * t, method.highest)
        at = [p + mu * u for p, u in zip(theta, v, strict=True)] if method.nesterov else theta
        gradient = vg.grad(cost, argnums=range(len(theta)))(*at)
        v = [mu * u - 0.01 * g for u, g in zip(v, gradient, strict=True)]
        theta = [p + u for p, u in zip(theta, v, strict=True)]
    assert_allclose(autoencode(X, method, seed=2, steps=6, lr=0.01, every=3)[-1], cost(*theta), rtol=1e-12)


def fake(*means, seeds=3):
    return np.array(means)[:, None] + 0.01 * np.arange(seeds)


@pytest.mark.parametrize(
    ("costs", "holds"),
    [
        (fake(200, 170, 169, 130, 128, 180), (True, True)),
        (fake(200, 170, 169, 127, 128, 180), (False, True)),  # the last two the other way round
        (fake(200, 170, 150, 130, 128, 120), (False, False)),  # CM .9 and NAG .9 too far apart; the schedule no help
        (fake(160, 170, 169, 130, 128, 180), (False, True)),
    ],
)
def test_the_verdict_on_the_order(costs, holds):
    assert tuple([claim.holds for claim in ordering(costs, 100)]) == holds


def test_one_seed_out_of_order_leaves_it_undecided():
    costs = fake(200, 170, 169, 130, 128, 180)
    costs[4, 0] = 131
    order, _ = ordering(costs, 100)
    assert order.holds is None
    assert "2 of 3 seeds" in order.measured


# ------------------------------------------------------------------------------------------------- the experiment


@pytest.fixture(scope="module")
def small():
    told = []
    result = momentum.run(**SMALL, progress=lambda done, total: told.append((done, total)))
    assert told == [(k, 12) for k in range(1, 13)]
    return result


def test_the_rows_that_need_no_training_hold(small):
    assert [claim.holds for claim in small.claims[:4]] == [True] * 4
    assert {claim.row for claim in small.claims} == {"28"}


def test_the_result_is_plain_and_repeats(small):
    assert json.loads(json.dumps(small.settings)) == small.settings
    again = momentum.run(**SMALL)
    for name, array in small.data.items():
        assert_array_equal(array, again.data[name])
    assert small.data["costs"].shape == (6, 2, len(small.data["at"]))
    assert small.data["at"][[0, -1]].tolist() == [0, 7]


def test_it_is_saved_with_its_picture(small, tmp_path):
    small.save(tmp_path)
    svg = (tmp_path / "momentum.svg").read_text(encoding="utf-8")
    for words in ("book 26.6", "book 1.16", "NAG .99 at once", "the printed formula"):
        assert words in svg
    with np.load(tmp_path / "momentum.npz") as data:
        assert_array_equal(data["nesterov"], small.data["nesterov"])


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"seeds": 0}, ValueError, "seeds"),
        ({"seeds": "x"}, TypeError, "seeds"),
        ({"images": 0}, ValueError, "images"),
        ({"images": 13}, ValueError, "13 samples are asked for, but there are 12"),
        ({"steps": 0}, ValueError, "steps"),
        ({"lr": -1.0}, ValueError, "lr"),
        ({"data": np.zeros(3)}, TypeError, "data"),
    ],
)
def test_bad_settings(settings, error, words):
    with pytest.raises(error, match=words):
        momentum.run(**{**SMALL, **settings})


@pytest.mark.slow
def test_the_order_of_the_methods():
    """A quick run on the embedded digits; over three seeds, since CM .99 and NAG .99 end near each other."""
    assert momentum.run(quick=True, seeds=3).verdict
