"""Learning speeds: the conventions that decide the numbers, the law behind them, and verdicts that are computed."""

import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from threadpoolctl import threadpool_limits

from tinygrad_vg.datasets import mnist_sample
from tinygrad_vg.lab import learning_speed, speeds
from tinygrad_vg.lab.learning_speed import Courses
from tinygrad_vg.nn import MLP
from tinygrad_vg.optim import SGD
from tinygrad_vg.training import LearningSpeed, fit

RNG = np.random.default_rng(0)
DATA = RNG.random((60, 9)), RNG.integers(0, 10, size=60)
TRAIN = mnist_sample().train


# ---------------------------------------------------------------------------------------------------- at initialisation


def one_sample(net, x, label):
    """δ of every hidden layer for one sample, by the chain rule in plain NumPy."""
    activations = [x]
    for layer in net.layers:
        activations.append(1 / (1 + np.exp(-(activations[-1] @ layer.w.data + layer.b.data))))
    delta, found = activations[-1] - np.eye(10)[label], []
    for layer, a in zip(net.layers[:0:-1], activations[-2:0:-1], strict=True):
        delta = (layer.w.data @ delta) * a * (1 - a)
        found.insert(0, delta)
    return found


def test_the_norm_of_the_mean_is_not_the_mean_of_the_norms():
    found = speeds.initial_speeds([5, 4], *DATA, seeds=[3])
    deltas = [one_sample(MLP([9, 5, 4, 10], seed=3), x, label) for x, label in zip(*DATA, strict=True)]
    for layer in range(2):
        of_layer = np.array([d[layer] for d in deltas])
        assert_allclose(found.norms[0, layer], np.linalg.norm(of_layer.mean(axis=0)), rtol=1e-12)
        assert_allclose(found.sample_norms[0, layer], np.linalg.norm(of_layer, axis=1).mean(), rtol=1e-12)
    assert np.all(found.sample_norms > 1.05 * found.norms)


@pytest.mark.parametrize(
    ("depth", "expected"),
    [(2, (0.058, 0.286)), (3, (0.0123, 0.0591, 0.297)), (4, (0.00233, 0.0116, 0.0578, 0.296))],
)
def test_initial_norms_are_the_chapters(depth, expected):
    """Medians over 200 seeds; over 50 the median of the first layer, spread over a factor 2.5, is known to 8 %."""
    found = speeds.initial_speeds([30] * depth, *TRAIN, seeds=range(50))
    rows = list(found.rows())
    assert_allclose([median for median, *_ in rows], expected, rtol=0.2)
    assert found.increasing == 50
    for _, low, high, book in rows:
        assert low < book < high


def test_the_law():
    """v = 1 + E[σ²] and 1/rms σ′, held to a large random sample; and the factor that layers really cost."""
    variance, factor = speeds.predicted_factor()
    z = np.random.default_rng(0).normal(size=1_000_000) * math.sqrt(variance)
    s = 1 / (1 + np.exp(-z))
    assert_allclose(variance, 1 + np.mean(s**2), rtol=1e-3)
    assert_allclose(factor, 1 / np.sqrt(np.mean((s * (1 - s)) ** 2)), rtol=1e-3)
    assert f"{variance:.2f} {factor:.2f}" == "1.30 4.88"
    found = speeds.initial_speeds([30] * 6, *TRAIN, seeds=range(40)).factors
    assert found.shape == (40, 5)
    assert_allclose(np.median(found, axis=0), factor, rtol=0.15)


def test_large_weights_nearly_make_up_for_it():
    found = np.median(speeds.initial_speeds([30] * 5, *TRAIN, seeds=range(30), init="large").factors, axis=0)
    assert 3.2 < found[0] < 4.8
    assert np.all((found[1:] > 1.2) & (found[1:] < 2))


# ----------------------------------------------------------------------------------------------------- along a training


def test_a_course_is_what_fit_and_its_recorder_see():
    X, y = DATA
    course = speeds.train_and_measure(MLP([9, 5, 4, 10], seed=1), X, y, epochs=6, lr=0.5, weight_decay=0.2)
    net, recorder = MLP([9, 5, 4, 10], seed=1), LearningSpeed(X, y)
    optimizer = SGD(net.parameters(), 0.5, weight_decay=0.2)
    history = fit(
        net,
        speeds.cross_entropy,
        DATA,
        epochs=6,
        batch_size=60,
        shuffle=False,
        optimizer=optimizer,
        callbacks=[recorder],
        progress=False,
    )
    assert_allclose(course.norms, recorder.norms[:6], rtol=1e-10)
    assert_allclose(course.sample_norms, recorder.sample_norms[:6], rtol=1e-10)
    assert_allclose(course.cost, history.cost, rtol=1e-10)


def test_n_of_the_decay_is_the_number_of_images_trained_on(monkeypatch):
    """With 1,000 images, λ = 5 and η = 0.1 a step leaves 0.9995 of a weight; and as much with fewer by default."""
    seen = []

    def watch(net, X, y, **options):
        seen.append((len(X), options["weight_decay"] * options["lr"]))
        return speeds.train_and_measure(net, X, y, **options)

    monkeypatch.setattr(learning_speed, "train_and_measure", watch)
    words = {"seeds": 1, "initial_seeds": 1, "epochs": 1}
    learning_speed.run(**words, quick=True, images=1000)
    learning_speed.run(**words, quick=True)
    assert [images for images, _ in seen] == [1000] * 4 + [200] * 4
    assert_allclose([1 - decay for _, decay in seen], [0.9995, 0.9995, 0.9995, 1] * 2, rtol=1e-12)


def test_the_plateau_is_the_entropy_of_the_classes():
    """The best outputs that know no image are the shares of the classes: try all others near them."""
    labels = mnist_sample().train[1]
    shares = np.bincount(labels) / 1000
    targets = np.eye(10)[labels]

    def cost(a):
        return -np.mean(np.sum(targets * np.log(a) + (1 - targets) * np.log(1 - a), axis=1))

    entropy = learning_speed._entropy(shares)
    assert_allclose(entropy, cost(shares), rtol=1e-12)
    assert f"{entropy:.4f}" == "3.2459"
    rng = np.random.default_rng(0)
    assert all(cost(shares * rng.uniform(0.9, 1.1, size=10)) > entropy for _ in range(50))
    assert_allclose(learning_speed._entropy(np.array([0.5, 0.5, 0.0])), 2 * math.log(2))


# ------------------------------------------------------------------------------------------------------------- the run


SMALL = {"seeds": 2, "initial_seeds": 3, "data": DATA, "images": 40, "epochs": 3}


def test_a_small_run_has_everything(tmp_path):
    seen = []
    result = learning_speed.run(**SMALL, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1]
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})
    assert result.data["initial_3"].shape == result.data["large_3"].shape == (3, 3)
    assert result.data["norms_4_free"].shape == result.data["sample_norms_4"].shape == (2, 3, 4)
    assert result.data["right_2"].shape == (2, 2)
    assert len(result.claims) == 14
    assert all(claim.holds is None for claim in result.claims)  # three seeds, 40 images
    assert all(re.search(r"it takes \d+ seeds|not the book's", claim.measured) for claim in result.claims)
    assert json.loads(json.dumps(result.settings)) == result.settings
    result.save(tmp_path)
    assert len(list(tmp_path.iterdir())) == 4
    assert result.table().rows == learning_speed.run(**SMALL).table().rows


def test_more_seeds_leave_the_first_as_they_were():
    few, more = (learning_speed.run(**SMALL | {"seeds": n}) for n in (1, 2))
    assert_array_equal(few.data["norms_3"][0], more.data["norms_3"][0])


# ------------------------------------------------------------------------------------------ verdicts follow the numbers


def courses(ratios, seeds=6, **changes):
    """Trainings in which the last of the hidden layers is so many times faster, at every epoch, with some spread."""
    noise = np.exp(np.random.default_rng(1).normal(0, 0.1, size=(seeds, 1)))
    first = np.full((seeds, len(ratios)), 1e-5)
    last = first * np.asarray(ratios) * noise
    hidden = changes.pop("hidden", (30,) * 4)
    norms = np.stack([first] * (len(hidden) - 1) + [last], axis=2)
    made = Courses(hidden, norms, norms, np.full(first.shape, 3.2), np.full((seeds, 2), 0.1))
    return replace(made, **changes)


def test_the_verdict_on_ratios_is_computed():
    book = [95.8, 50.6, 69.8]
    marks = [0, 1, 2]

    def claim(ratios, usual=True, seeds=6):
        made = courses(ratios, seeds)
        kept = {made.hidden: dict(zip(marks, book, strict=True))}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(learning_speed, "BOOK_RATIOS", kept)
            return learning_speed._ratio_claim(made, marks, usual).holds

    assert claim(book) is True
    assert claim([95.8, 5.0, 69.8]) is False
    assert claim(book, usual=False) is None
    assert claim(book, seeds=2) is None


def test_the_verdict_on_the_order_is_computed():
    assert learning_speed._slower_claim(courses([5, 3, 2])).holds is True
    crossing = learning_speed._slower_claim(courses([5, 0.5, 2]))
    assert crossing.holds is False
    assert "in 0 of 6 seeds; at epoch 1 it is faster in 100 %" in crossing.measured


def test_the_verdict_on_a_hundred_is_computed():
    assert learning_speed._hundred_claim(courses([300, 300, 20]), True).holds is True
    assert learning_speed._hundred_claim(courses([300, 20, 20]), True).holds is False
    assert learning_speed._hundred_claim(courses([300, 20, 20]), False).holds is None


def findings(decayed, free, plateau=(3.2, 0.1, 0.1)):
    return learning_speed.Findings({}, {}, {4: decayed}, free, plateau)


def test_the_verdict_on_the_decay_is_computed():
    free = courses([100, 1.5])
    cancelled = replace(free, sample_norms=courses([110, 110]).norms)
    assert learning_speed._decay_claim(findings(courses([100, 120]), cancelled), True).holds is True
    assert learning_speed._decay_claim(findings(courses([100, 120]), free), True).holds is False
    assert learning_speed._decay_claim(findings(courses([100, 120]), courses([100, 120])), True).holds is False


def test_the_verdict_on_the_plateau_is_computed():
    made = courses([100, 100])
    assert learning_speed._plateau_claim(findings(made, made), True).holds is True
    assert learning_speed._plateau_claim(findings(made, made, (3.1, 0.1, 0.1)), True).holds is False
    assert learning_speed._plateau_claim(findings(made, made, (3.2, 0.09, 0.1)), True).holds is False
    below = learning_speed._plateau_claim(findings(made, made, (3.2, 0.2, 0.1)), True)
    assert below.holds is True
    assert "exactly that share right in 0 of" in below.measured
    assert learning_speed._plateau_claim(findings(made, made), False).holds is None


@pytest.mark.parametrize(
    ("wrong", "error", "says"),
    [
        ({"seeds": "x"}, TypeError, "seeds must be an integer"),
        ({"initial_seeds": 0}, ValueError, "seeds must be at least 1"),
        ({"images": 0}, ValueError, "images must be at least 1"),
        ({"images": 51}, ValueError, "51 samples are asked for, but there are 50"),
        ({"epochs": 0}, ValueError, "epochs must be at least 1"),
        ({"lr": float("nan")}, ValueError, "lr must be"),
        ({"data": (DATA[0].T, DATA[1])}, ValueError, "data: X of shape"),
    ],
)
def test_one_clear_line(wrong, error, says):
    with pytest.raises(error, match=says):
        learning_speed.run(**SMALL | wrong)


# ------------------------------------------------------------------------------------------------------------ full size


@pytest.mark.slow
def test_500_epochs_of_four_layers():
    """The late factor of 100 is made by the weight decay, and the training ends at the entropy of the classes."""
    words = {"epochs": 500, "lr": 0.1}
    nets = [MLP([784, 30, 30, 30, 30, 10], seed=0) for _ in range(3)]
    with threadpool_limits(1):
        decayed, free, wrong = (
            speeds.train_and_measure(net, *TRAIN, weight_decay=decay, **words)
            for net, decay in zip(nets, (5 / 1000, 0.0, 5 / 50_000), strict=True)
        )
    late = [course.norms[-1, -1] / course.norms[-1, 0] for course in (decayed, free, wrong)]
    assert 60 < late[0] < 250
    assert late[1] < 5
    assert late[0] / late[2] > 20  # n = 50,000 in the decay would be seen
    assert 70 < free.sample_norms[-1, -1] / free.sample_norms[-1, 0] < 200
    assert 3e-6 < decayed.norms[-1, 0] < 3e-5
    assert_allclose(decayed.cost[-1], 3.2459, rtol=1e-4)
    assert np.mean(nets[0](TRAIN[0]).data.argmax(axis=1) == TRAIN[1]) == 0.117
