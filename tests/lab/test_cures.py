"""The layers of the cures, gradients included, that plain ones are the book's, and what the ablation concludes."""

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_vg as vg
from tinygrad_vg.datasets import mnist_sample
from tinygrad_vg.lab import cures
from tinygrad_vg.lab.cures import BASE, CURES, Ablation, Cure, deep_network, normalised
from tinygrad_vg.lab.speeds import cross_entropy
from tinygrad_vg.nn import MLP, losses
from tinygrad_vg.optim import SGD
from tinygrad_vg.training import LearningSpeed, fit

RNG = np.random.default_rng(17)
X = RNG.random((30, 8))
Y = RNG.integers(0, 10, 30)
SIZES = [8, 5, 5, 5, 10]
SMALL = {"quick": True, "seeds": 2, "data": (X, Y), "depths": (3, 1), "width": 5, "epochs": 1}
KINDS = ["plain", "residual", "normalised inputs", "normalised sums"]


def network(kind, seed=0):
    return deep_network(Cure("", kind=kind), SIZES, seed)


# ---------------------------------------------------------------------------------------------------------- the layers


def test_normalised_rows():
    x = normalised(RNG.normal(3, 7, (4, 50)))
    assert_allclose(x.mean(axis=1), 0, atol=1e-14)
    assert_allclose(x.std(axis=1), 1, rtol=1e-5)
    assert_array_equal(normalised(np.full((2, 5), 3.0)), 0)


def test_its_gradient():
    vg.check_gradients(normalised, RNG.normal(size=(3, 6)))
    vg.check_gradients(normalised, RNG.normal(size=(2, 3)), order=2)


@pytest.mark.parametrize("kind", KINDS)
def test_the_gradients_of_networks(kind):
    net = deep_network(Cure("", kind=kind), [8, 3, 3, 3, 10], 0)
    cost = lambda *p: losses.cross_entropy(net.bind(p).logits(X[:4]), Y[:4])
    vg.check_gradients(cost, *[p.data for p in net.parameters()])


def test_plain_layers_are_the_books_network():
    net, mlp = deep_network(BASE, SIZES, 3), MLP(SIZES, seed=3)
    assert_array_equal(net(X), mlp(X).data)
    assert_array_equal(net.logits(X).data, mlp.logits(X).data)
    for mine, theirs in zip(net.parameters(), mlp.parameters(), strict=True):
        assert_array_equal(mine.data, theirs.data)


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_layer_computes(kind):
    layers = network(kind, seed=4).layers
    inputs = [X]
    for layer in layers[:-1]:
        inputs.append(layer(inputs[-1]).data)
    hat = lambda x: (x - x.mean(axis=1)[:, None]) / np.sqrt(x.var(axis=1) + 1e-5)[:, None]
    sigma = lambda z: 1 / (1 + np.exp(-z))
    for i, layer in enumerate(layers):
        x, w, b = inputs[i], layer.w.data, layer.b.data
        hidden, last = 0 < i < len(layers) - 1, i == len(layers) - 1
        z = {
            "normalised inputs": hat(x) @ w + b if hidden or last else x @ w + b,
            "normalised sums": hat(x @ w) + b if hidden else x @ w + b,
        }.get(kind, x @ w + b)
        assert_allclose(layer.logits(x).data, z, rtol=1e-12)
        if not last:
            a = sigma(z) + (x if kind == "residual" and hidden else 0)
            assert_allclose(inputs[i + 1], a, rtol=1e-12)


def test_the_gradient_of_each_sample_by_the_biases():
    """`LearningSpeed` gives each sample biases of its own; the sum of their gradients is the gradient by the biases."""
    for kind in KINDS:
        net = network(kind, seed=5)
        norms, _ = LearningSpeed(X, Y).measure(net, cross_entropy)
        found = vg.backprop(cross_entropy(net, X, Y))
        assert_allclose(norms, [np.linalg.norm(found[layer.b]) for layer in net.layers[:-1]], rtol=1e-10)


# ------------------------------------------------------------------------------------------ what they do to gradients


def factors(cure, depth=4, seeds=6):
    """The factor from a hidden layer to the next, by seed, on digits."""
    digits, labels = mnist_sample().train
    probe = LearningSpeed(digits[:200], labels[:200])
    found = []
    for seed in range(seeds):
        norms, _ = probe.measure(deep_network(cure, [784, *[30] * depth, 10], seed), cross_entropy)
        found.append((norms[-1] / norms[0]) ** (1 / (depth - 1)))
    return np.array(found)


@pytest.mark.parametrize("cure", CURES, ids=[cure.name for cure in CURES])
def test_gradients_before_training(cure):
    """The book's layers cost a factor of 4.9 each, normalised sums one of 2.5, the real cures less than 2."""
    low, high = (0.5, 2) if cure.expected[0] else (2, 3.5) if cure.kind == "normalised sums" else (3.5, 6.5)
    found = factors(cure)
    assert low < np.exp(np.mean(np.log(found))) < high


# ------------------------------------------------------------------------------------------------------- conclusions


def ablation(ratio, accuracy, depths=(1, 4)):
    """The book's network and one cure, with these ratios and accuracies by depth; two seeds."""
    two = lambda rows: np.repeat(np.array(rows, float)[:, :, None], 2, axis=2)
    return Ablation((BASE, CURES[1]), depths, 30, two(ratio), two(ratio), two(accuracy))


def test_what_keeps_the_gradient_and_what_learns():
    found = ablation([[1, 100], [1, 7]], [[90, 10], [93, 89]])
    assert_allclose(found.factor(0, 1), 100 ** (1 / 3))
    assert not found.keeps_gradient(0, 1)
    assert found.keeps_gradient(1, 1)  # 7 over three steps
    assert not found.lets_learn(0, 1)
    assert found.lets_learn(1, 1)
    assert [claim.holds for claim in cures.claims(found, 500)] == [True, True]


@pytest.mark.parametrize(
    ("ratio", "accuracy", "holds"),
    [
        ([[1, 100], [1, 9]], [[90, 10], [93, 92]], [True, False]),  # the gradient vanishes still
        ([[1, 100], [1, 0.1]], [[90, 10], [93, 92]], [True, False]),  # it explodes
        ([[1, 100], [1, 2]], [[90, 10], [93, 87]], [True, False]),  # it does not learn
        ([[1, 100], [1, 2]], [[90, 85], [93, 92]], [False, True]),  # the base line learns, too
    ],
)
def test_the_verdict_is_computed(ratio, accuracy, holds):
    assert [claim.holds for claim in cures.claims(ablation(ratio, accuracy), 500)] == holds


@pytest.mark.parametrize(("accuracy", "word"), [(93, "yes"), (88.1, "yes"), (87, "less well"), (44, "hardly")])
def test_how_well_it_learns_in_words(accuracy, word):
    found = ablation([[1, 100], [1, 2]], [[90, 10], [93, accuracy]])
    assert found.learning(1, 1) == word
    assert cures.tables(found, 500)[0].rows[1][-1] == word


@pytest.mark.parametrize(
    ("ratio", "accuracy", "holds"),
    [(3, 85, True), (3, 20, False), (1e5, 10, True), (1e5, 85, False)],  # 3 over seven steps is kept, 1e5 is not
)
def test_in_the_deepest_networks_gradient_and_learning_go_together(ratio, accuracy, holds):
    found = ablation([[1, 100, 7e4], [1, 2, ratio]], [[90, 10, 10], [93, 92, accuracy]], depths=(1, 4, 8))
    assert [claim.holds for claim in cures.claims(found, 500)] == [True, True, holds]


def test_four_layers_are_judged_if_there_are():
    assert ablation([[1] * 3] * 2, [[1] * 3] * 2, depths=(1, 4, 8)).judged == 1
    assert ablation([[1] * 3] * 2, [[1] * 3] * 2, depths=(1, 3, 5)).judged == 2


# ------------------------------------------------------------------------------------------------- the experiment


@pytest.fixture(scope="module")
def small():
    told = []
    result = cures.run(**SMALL, progress=lambda done, total: told.append((done, total)))
    assert told == [(k, 32) for k in range(1, 33)]
    return result


def test_the_result_is_plain_and_repeats(small):
    assert json.loads(json.dumps(small.settings)) == small.settings
    assert small.settings["depths"] == [1, 3]
    again = cures.run(**SMALL)
    for name, array in small.data.items():
        assert_array_equal(array, again.data[name])
    assert small.data["accuracy"].shape == (8, 2, 2)
    assert_array_equal(small.data["ratio"][:, 0], 1)


def test_momentum_does_not_touch_the_gradient_before_training(small):
    nesterov = small.data["cures"].tolist().index("Nesterov, μ = .9")
    assert_array_equal(small.data["ratio"][nesterov], small.data["ratio"][0])


def test_the_ratio_is_that_of_the_norms_of_the_mean(small):
    """The book's ‖δ‖; the mean of the samples' norms is kept apart from it."""
    for seed in (0, 1):
        norms, sample_norms = LearningSpeed(*(part[:25] for part in (X, Y))).measure(
            MLP([8, 5, 5, 5, 10], seed=seed), cross_entropy
        )
        assert_allclose(small.data["ratio"][0, 1, seed], norms[-1] / norms[0], rtol=1e-12)
        assert_allclose(small.data["sample_ratio"][0, 1, seed], sample_norms[-1] / sample_norms[0], rtol=1e-12)


@pytest.mark.parametrize(
    ("cure", "settings"),
    [
        (BASE, {"lr": 0.3}),
        (CURES[-2], {"lr": 0.3, "momentum": 0.9, "nesterov": True}),
        (CURES[-1], {"lr": 3.0}),
    ],
)
def test_how_networks_are_trained(cure, settings):
    mine, theirs = deep_network(cure, SIZES, 1), MLP(SIZES, seed=1)
    cures.learns(cure, mine, (X, Y), epochs=2, lr=0.3, weight_decay=0.01, seed=8)
    optimizer = SGD(theirs.parameters(), **settings, weight_decay=0.01)
    fit(theirs, cross_entropy, (X, Y), epochs=2, optimizer=optimizer, seed=8, progress=False)
    for p, q in zip(mine.parameters(), theirs.parameters(), strict=True):
        assert_array_equal(p.data, q.data)


def test_it_is_saved_with_its_picture(small, tmp_path):
    small.save(tmp_path)
    svg = (tmp_path / "cures.svg").read_text(encoding="utf-8")
    for cure in CURES:
        assert cure.name in svg


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"seeds": 0}, ValueError, "seeds"),
        ({"seeds": "x"}, TypeError, "seeds"),
        ({"depths": [3]}, ValueError, "two different"),
        ({"depths": [0, 3]}, ValueError, "depths"),
        ({"width": 0}, ValueError, "width"),
        ({"epochs": 0}, ValueError, "epochs"),
        ({"lr": 0}, ValueError, "lr"),
        ({"weight_decay": -1}, ValueError, "weight_decay"),
        ({"data": (X, Y[:3])}, ValueError, "data"),
    ],
)
def test_bad_settings(settings, error, words):
    with pytest.raises(error, match=words):
        cures.run(**{**SMALL, **settings})


@pytest.mark.slow
def test_a_quick_run():
    assert cures.run(quick=True, seeds=3).verdict
