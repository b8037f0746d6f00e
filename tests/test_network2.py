"""The book's own API: held to a reference that goes through the samples one by one, as the book does."""

import json
import math
import os
import random
import re

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from tinygrad_vg import mnist_loader, network2
from tinygrad_vg.datasets import mnist_sample
from tinygrad_vg.nn import MLP

COSTS = ["CrossEntropyCost", "QuadraticCost"]
SIZES = [[6, 4], [6, 5, 4], [6, 5, 3, 7, 4]]


# ------------------------------------------------------------------------------------- the reference: numbers and loops


def squash(z):
    return 1 / (1 + math.exp(-z))


def forward(weights, biases, x):
    """The activations of every layer, as lists of numbers."""
    layers = [[float(v) for v in x.ravel()]]
    for w, b in zip(weights, biases, strict=True):
        below = layers[-1]
        layers.append([squash(sum(w[i, j] * below[j] for j in range(len(below))) + b[i, 0]) for i in range(len(b))])
    return layers


def one_gradient(weights, biases, x, y, cost):
    """∂C/∂b and ∂C/∂w of one sample, by the chain rule written out."""
    layers, wanted = forward(weights, biases, x), y.ravel()
    error = [a - t for a, t in zip(layers[-1], wanted, strict=True)]
    if cost == "QuadraticCost":
        error = [e * a * (1 - a) for e, a in zip(error, layers[-1], strict=True)]
    by_b, by_w = [], []
    for level in range(len(weights) - 1, -1, -1):
        below, w = layers[level], weights[level]
        by_b.insert(0, np.array(error)[:, None])
        by_w.insert(0, np.array([[e * a for a in below] for e in error]))
        back = [sum(w[i, j] * error[i] for i in range(len(error))) for j in range(len(below))]
        error = [e * a * (1 - a) for e, a in zip(back, below, strict=True)]
    return by_b, by_w


def one_step(weights, biases, batch, eta, lmbda, n, cost):
    """w ← (1 − ηλ/n)w − (η/m)Σ∂C/∂w; the same without decay for the biases."""
    found = [one_gradient(weights, biases, x, y, cost) for x, y in batch]
    keep, rate = 1 - eta * lmbda / n, eta / len(batch)
    return (
        [keep * w - rate * sum(f[1][level] for f in found) for level, w in enumerate(weights)],
        [b - rate * sum(f[0][level] for f in found) for level, b in enumerate(biases)],
    )


def one_cost(a, y, cost):
    if cost == "QuadraticCost":
        return sum((p - t) ** 2 for p, t in zip(a, y.ravel(), strict=True)) / 2
    return -sum(t * math.log(p) + (1 - t) * math.log(1 - p) for p, t in zip(a, y.ravel(), strict=True))


def whole_cost(weights, biases, data, lmbda, cost):
    costs = [one_cost(forward(weights, biases, x)[-1], y, cost) for x, y in data]
    return sum(costs) / len(data) + lmbda / (2 * len(data)) * sum(float((w * w).sum()) for w in weights)


def hits(weights, biases, data):
    return sum(int(np.argmax(forward(weights, biases, x)[-1]) == np.argmax(y)) for x, y in data)


def samples(n, sizes, seed=0, soft=False):
    rng = np.random.default_rng(seed)
    wanted = [rng.random((sizes[-1], 1)) if soft else np.eye(sizes[-1])[:, [rng.integers(sizes[-1])]] for _ in range(n)]
    return [(rng.normal(size=(sizes[0], 1)), y) for y in wanted]


def labelled(data):
    return [(x, int(y.argmax())) for x, y in data]


def network(sizes, cost="CrossEntropyCost", seed=0):
    np.random.seed(seed)
    return network2.Network(sizes, cost=getattr(network2, cost))


def same(found, expected, rtol=1e-12):
    assert len(found) == len(expected)
    for f, e in zip(found, expected, strict=True):
        assert f.shape == e.shape
        assert_allclose(f, e, rtol=rtol, atol=rtol * np.abs(e).max())


# ------------------------------------------------------------------------------------------------- initial parameters


def test_a_seed_gives_the_books_network():
    """All biases first, then all weights, from the global legacy generator."""
    net, drawn = network([5, 4, 3], seed=7), np.random.RandomState(7)
    biases = [drawn.randn(4, 1), drawn.randn(3, 1)]
    weights = [drawn.randn(4, 5) / np.sqrt(5), drawn.randn(3, 4) / np.sqrt(4)]
    for found, expected in zip([*net.biases, *net.weights], [*biases, *weights], strict=True):
        assert_array_equal(found, expected)
    net.large_weight_initializer()
    for found, shape in zip([*net.biases, *net.weights], [(4, 1), (3, 1), (4, 5), (3, 4)], strict=True):
        assert_array_equal(found, drawn.randn(*shape))
    assert net.num_layers == 3
    assert net.sizes == [5, 4, 3]


def test_it_is_the_mlp_of_the_same_seed():
    net, mlp = network([5, 4, 3], seed=7), MLP([5, 4, 3], seed=np.random.RandomState(7))
    for w, b, layer in zip(net.weights, net.biases, mlp.layers, strict=True):
        assert_array_equal(w.T, layer.w.data)
        assert_array_equal(b[:, 0], layer.b.data)
    x = np.random.default_rng(0).normal(size=(5, 1))
    assert_allclose(net.feedforward(x).T, mlp(x.T).data, rtol=1e-14)


# ------------------------------------------------------------------------------------------------------------ gradients


@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("soft", [False, True])
def test_backprop_is_the_chain_rule(cost, sizes, soft):
    net = network(sizes, cost)
    for x, y in samples(5, sizes, soft=soft):
        before = [a.copy() for a in (x, y, *net.weights, *net.biases)]
        nabla_b, nabla_w = net.backprop(x, y)
        by_b, by_w = one_gradient(net.weights, net.biases, x, y, cost)
        same(nabla_b, by_b)
        same(nabla_w, by_w)
        for now, then in zip((x, y, *net.weights, *net.biases), before, strict=True):
            assert_array_equal(now, then)


def test_gradients_are_yours_to_change():
    net = network([6, 5, 4])
    ((x, y),) = samples(1, net.sizes)
    first = net.backprop(x, y)
    for array in (*first[0], *first[1]):
        array += 1e3
    by_b, by_w = one_gradient(net.weights, net.biases, x, y, "CrossEntropyCost")
    again = net.backprop(x, y)
    same(again[0], by_b)
    same(again[1], by_w)


def test_weights_changed_in_place_or_replaced_are_the_networks():
    net = network([6, 5, 4])
    ((x, y),) = samples(1, net.sizes)
    net.weights[0][2, 3] += 0.5
    net.biases[1][0, 0] = -2.0
    net.weights[1] = 3 * net.weights[1]
    by_b, by_w = one_gradient(net.weights, net.biases, x, y, "CrossEntropyCost")
    same(net.backprop(x, y)[0], by_b)
    same(net.backprop(x, y)[1], by_w)


def test_a_saturated_output_keeps_its_gradient_and_its_cost():
    """At z = 40 the textbook's a(1 − a) is 0 and ln(1 − a) is −∞."""
    net = network([1, 1], "QuadraticCost")
    net.weights, net.biases = [np.array([[40.0]])], [np.zeros((1, 1))]
    x, y = np.ones((1, 1)), np.zeros((1, 1))
    assert_allclose(net.backprop(x, y)[0][0], math.exp(-40), rtol=1e-12)
    net.cost = network2.CrossEntropyCost
    assert_allclose(net.total_cost([(x, y)], 0.0), 40.0, rtol=1e-12)
    assert network2.CrossEntropyCost.fn(np.array([[0.0], [1.0]]), np.array([[0.0], [1.0]])) == 0
    assert network2.CrossEntropyCost.fn(np.array([[0.0], [1.0]]), np.array([[1.0], [1.0]])) == np.inf


@pytest.mark.parametrize("cost", COSTS)
def test_a_mini_batch_moves_as_its_samples_one_by_one(cost):
    net, batch = network([6, 5, 4], cost), samples(7, [6, 5, 4])
    weights, biases = one_step(net.weights, net.biases, batch, 0.7, 3.0, 50, cost)
    before = [a.copy() for a in (*net.weights, *net.biases)]
    kept = [*net.weights, *net.biases]
    net.update_mini_batch(batch, 0.7, 3.0, 50)
    same(net.weights, weights)
    same(net.biases, biases)
    for array, then in zip(kept, before, strict=True):  # a step makes new arrays, as in the book
        assert_array_equal(array, then)


# --------------------------------------------------------------------------------------------------- costs of one's own


class SoftmaxCost:
    """Looks at a whole column, so it would be wrong if it were given several at once."""

    @staticmethod
    def fn(a, y):
        z = np.log(a) - np.log(1 - a)
        return np.log(np.sum(np.exp(z))) - np.sum(y * z)

    @staticmethod
    def delta(z, a, y):
        return np.exp(z) / np.sum(np.exp(z)) - y


class Undifferentiated:
    fn = SoftmaxCost.fn


@pytest.mark.parametrize("cost", [SoftmaxCost, Undifferentiated])
def test_a_cost_of_your_own(cost):
    sizes = [6, 5, 4]
    batch = samples(7, sizes)
    np.random.seed(1)
    net = network2.Network(sizes, cost=cost)
    expected = [SoftmaxCost.fn(net.feedforward(x), y) for x, y in batch]
    assert_allclose(net.total_cost(batch, 0.0), np.mean(expected), rtol=1e-12)
    singles = [net.backprop(x, y) for x, y in batch]
    for (x, y), (nabla_b, _) in zip(batch, singles, strict=True):
        a = net.feedforward(x)
        z = np.log(a / (1 - a))
        same([nabla_b[-1]], [np.exp(z) / np.exp(z).sum() - y], rtol=1e-11)
    weights = [w - 0.3 / 7 * sum(s[1][level] for s in singles) for level, w in enumerate(net.weights)]
    net.update_mini_batch(batch, 0.3, 0.0, 7)
    same(net.weights, weights)


@pytest.mark.parametrize("cost", COSTS)
def test_delta_is_what_the_engine_makes_of_fn(cost):
    """The same gradients, whether the cost says its derivative or the engine has to find it."""
    given = getattr(network2, cost)
    bare = type("Bare", (), {"fn": staticmethod(given.fn)})
    net = network([6, 5, 4], cost)
    for x, y in samples(4, net.sizes, soft=True):
        net.cost = given
        expected = net.backprop(x, y)
        net.cost = bare
        found = net.backprop(x, y)
        same(found[0], expected[0], rtol=1e-11)
        same(found[1], expected[1], rtol=1e-11)


# ------------------------------------------------------------------------------------------------------------- training


def test_a_training_is_the_books_to_the_last_line(capsys):
    """Shuffling, mini-batches with a short last one, decay, the four lists and what is printed."""
    sizes, eta, lmbda = [6, 5, 4], 0.5, 0.4
    training, evaluation = samples(23, sizes), samples(9, sizes, seed=1)
    net = network(sizes)
    weights, biases, order = net.weights, net.biases, list(training)
    random.seed(5)
    expected, lines = [[], [], [], []], []
    for epoch in range(3):
        random.shuffle(order)
        for k in range(0, 23, 10):
            weights, biases = one_step(weights, biases, order[k : k + 10], eta, lmbda, 23, "CrossEntropyCost")
        lines.append(f"Epoch {epoch} training complete")
        values = [
            whole_cost(weights, biases, evaluation, lmbda, "CrossEntropyCost"),
            hits(weights, biases, evaluation),
            whole_cost(weights, biases, order, lmbda, "CrossEntropyCost"),
            hits(weights, biases, order),
        ]
        for kept, value in zip(expected, values, strict=True):
            kept.append(value)
        lines += [
            f"Cost on training data: {values[2]:.9f}",
            f"Accuracy on training data: {values[3]} / 23",
            f"Cost on evaluation data: {values[0]:.9f}",
            f"Accuracy on evaluation data: {values[1]} / 9",
            "",
        ]
    random.seed(5)
    given = list(training)
    found = net.SGD(given, 3, 10, eta, lmbda, labelled(evaluation), True, True, True, True)
    for f, e in zip(found, expected, strict=True):
        assert isinstance(f, list)
        assert_allclose(f, e, rtol=1e-11)
    same(net.weights, weights, rtol=1e-11)
    same(net.biases, biases, rtol=1e-11)
    assert [x is y for (x, _), (y, _) in zip(given, order, strict=True)] == [True] * 23  # shuffled in place
    shown = [re.sub(r"\d+\.\d+", lambda m: f"{float(m[0]):.9f}", line) for line in capsys.readouterr().out.splitlines()]
    assert shown == lines


class Told(network2.Network):
    """A reader's class with a step of its own."""

    def update_mini_batch(self, mini_batch, eta, lmbda, n):
        self.told = [*getattr(self, "told", []), mini_batch]
        super().update_mini_batch(mini_batch, eta, lmbda, n)


class Frozen(network2.Network):
    """A reader's class with a gradient of its own: the first layer stays as it is."""

    def backprop(self, x, y):
        nabla_b, nabla_w = super().backprop(x, y)
        return [0 * nabla_b[0], *nabla_b[1:]], [0 * nabla_w[0], *nabla_w[1:]]


def trained(kind, data):
    np.random.seed(3)
    random.seed(4)
    net = kind([6, 5, 4])
    net.SGD(data, 2, 5, 0.3, 0.2)
    return net


def test_a_step_of_your_own_is_given_the_samples_as_the_book_gives_them():
    data = samples(12, [6, 5, 4])
    told, plain = list(data), list(data)
    net, usual = trained(Told, told), trained(network2.Network, plain)
    same(net.weights, usual.weights)
    same(net.biases, usual.biases)
    assert [len(batch) for batch in net.told] == [5, 5, 2] * 2
    second_epoch = [sample for batch in net.told[3:] for sample in batch]
    assert [x is y for (x, _), (y, _) in zip(second_epoch, plain, strict=True)] == [True] * 12


def test_a_gradient_of_your_own_is_what_a_step_follows():
    data = samples(12, [6, 5, 4])
    np.random.seed(3)
    start = network2.Network([6, 5, 4])
    net, usual = trained(Frozen, list(data)), trained(network2.Network, list(data))
    assert_array_equal(net.biases[0], start.biases[0])
    assert_allclose(net.weights[0], start.weights[0] * (1 - 0.3 * 0.2 / 12) ** 6, rtol=1e-12)  # the decay alone
    assert not np.allclose(net.weights[0], usual.weights[0])
    assert not np.allclose(net.weights[1], start.weights[1])


@pytest.mark.parametrize("dtype", [np.float32, int])
def test_weights_of_another_type_become_the_engines(dtype):
    net = network([6, 5, 4])
    net.weights = [np.round(3 * w).astype(dtype) for w in net.weights]
    ((x, y),) = samples(1, net.sizes)
    by_b, by_w = one_gradient(net.weights, net.biases, x, y, "CrossEntropyCost")
    nabla_b, nabla_w = net.backprop(x, y)
    same(nabla_b, by_b, rtol=1e-6)
    same(nabla_w, by_w, rtol=1e-6)


@pytest.mark.parametrize("flag", range(4))
def test_each_flag_by_itself(flag, capsys):
    names = ["evaluation_cost", "evaluation_accuracy", "training_cost", "training_accuracy"]
    data = samples(12, [6, 5, 4])
    found = network([6, 5, 4]).SGD(data, 2, 4, 0.1, evaluation_data=labelled(data), **{f"monitor_{names[flag]}": True})
    assert [len(kept) for kept in found] == [2 if i == flag else 0 for i in range(4)]
    assert len(capsys.readouterr().out.splitlines()) == 6


def test_training_data_may_be_any_iterable(capsys):
    data = samples(12, [6, 5, 4])
    for given in (data, tuple(data), zip(*zip(*data, strict=True), strict=True)):
        net = network([6, 5, 4])
        random.seed(2)
        net.SGD(given if type(given) is not list else list(given), 1, 5, 0.3)
        if given is data:
            expected = net.weights
        same(net.weights, expected)


@pytest.mark.parametrize("chunk", [1, 4, 1000])
def test_measuring_in_chunks_changes_nothing(chunk, monkeypatch):
    monkeypatch.setattr(network2, "CHUNK", chunk)
    for cost in COSTS:
        net, data = network([6, 5, 4], cost), samples(11, [6, 5, 4])
        assert net.accuracy(labelled(data)) == net.accuracy(data, convert=True) == hits(net.weights, net.biases, data)
        expected = whole_cost(net.weights, net.biases, data, 0.6, cost)
        assert_allclose(net.total_cost(data, 0.6), expected, rtol=1e-12)
        assert_allclose(net.total_cost(labelled(data), 0.6, convert=True), expected, rtol=1e-12)


# --------------------------------------------------------------------------------------------------------------- files


@pytest.mark.parametrize("cost", COSTS)
def test_what_is_saved_is_loaded(tmp_path, cost):
    net = network([6, 5, 4], cost)
    net.save(tmp_path / "net.json")
    back = network2.load(str(tmp_path / "net.json"))
    assert back.cost is net.cost
    assert back.sizes == net.sizes
    for found, expected in zip([*back.weights, *back.biases], [*net.weights, *net.biases], strict=True):
        assert_array_equal(found, expected)
    keys = json.loads((tmp_path / "net.json").read_text(encoding="utf-8"))
    assert sorted(keys) == ["biases", "cost", "sizes", "weights"]  # the book's


def test_a_cost_of_your_own_is_given_to_load(tmp_path):
    network2.Network([2, 2], cost=SoftmaxCost).save(tmp_path / "net.json")
    assert network2.load(tmp_path / "net.json", cost=SoftmaxCost).cost is SoftmaxCost
    with pytest.raises(ValueError, match="'SoftmaxCost', which is not one of QuadraticCost, CrossEntropyCost"):
        network2.load(tmp_path / "net.json")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"cost": "os"}, "has the cost 'os'"),
        ({"sizes": [6, 5, 5]}, "do not fit the sizes"),
        ({"biases": [[[1]], [[2]]]}, "do not fit the sizes"),
        ({"weights": [["a"]]}, "is not a network"),
        ({"sizes": None}, "is not a network"),
    ],
)
def test_files_that_are_no_networks(tmp_path, change, says):
    net = network([6, 5, 4])
    net.save(tmp_path / "net.json")
    data = json.loads((tmp_path / "net.json").read_text(encoding="utf-8"))
    (tmp_path / "bad.json").write_text(json.dumps(data | change), encoding="utf-8")
    with pytest.raises(ValueError, match=says):
        network2.load(tmp_path / "bad.json")
    (tmp_path / "bad.json").write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match="is not a network"):
        network2.load(tmp_path / "bad.json")


# --------------------------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize("sizes", [[784], [784, 0, 10], [3, -1], [3, 2.5], [3, True], 5, "abc", None])
def test_sizes_that_are_none(sizes):
    with pytest.raises(ValueError, match="at least two positive integers"):
        network2.Network(sizes)


def test_one_clear_line():
    net, data = network([6, 5, 4]), samples(5, [6, 5, 4])
    with pytest.raises(TypeError, match=r"a class with fn\(a, y\)"):
        network2.Network([2, 2], cost="cross-entropy")
    with pytest.raises(ValueError, match="give evaluation_data"):
        net.SGD(data, 1, 5, 0.1, monitor_evaluation_accuracy=True)
    with pytest.raises(ValueError, match="needs training samples"):
        net.SGD([], 1, 5, 0.1)
    with pytest.raises(ValueError, match="mini-batches of 0"):
        net.SGD(data, 1, 0, 0.1)
    with pytest.raises(ValueError, match=r"x of every sample must be a column of shape \(6, 1\), but one has \(6,\)"):
        net.backprop(data[0][0][:, 0], data[0][1])
    with pytest.raises(ValueError, match=r"y of every sample must be a column of shape \(4, 1\)"):
        net.SGD(labelled(data), 1, 5, 0.1)
    with pytest.raises(ValueError, match="convert=True"):
        net.accuracy(data)
    with pytest.raises(ValueError, match="no samples"):
        net.accuracy([])
    with pytest.raises(ValueError, match="no samples"):
        net.total_cost([], 0.0)


def test_repr():
    assert repr(network([6, 5, 4], "QuadraticCost")) == "Network([6, 5, 4], cost=QuadraticCost)"


# ---------------------------------------------------------------------------------------------------------- the loader


def test_the_loader_gives_columns():
    data = mnist_sample()
    training, validation, test = mnist_loader.load_data_wrapper(data)
    assert (len(training), len(validation), len(test)) == (1000, 1000, 0)
    x, y = training[3]
    assert x.shape == (784, 1)
    assert y.shape == (10, 1)
    assert_array_equal(x[:, 0], data.train[0][3])
    assert_array_equal(y, mnist_loader.vectorized_result(data.train[1][3]))
    assert y.sum() == 1
    assert [int(y.argmax()) for _, y in training[:10]] == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert [int(y) for _, y in validation[:10]] == [3, 8, 6, 9, 6, 4, 5, 3, 8, 4]
    for part, expected in zip(mnist_loader.load_data(data), (data.train, data.validation, data.test), strict=True):
        assert part is expected


@pytest.mark.slow
@pytest.mark.skipif("TINYGRAD_VG_DATA" not in os.environ, reason="TINYGRAD_VG_DATA names no folder with MNIST")
def test_the_loader_gives_all_of_mnist():
    training, validation, test = mnist_loader.load_data_wrapper()
    assert (len(training), len(validation), len(test)) == (50_000, 10_000, 10_000)
    assert [int(y) for _, y in test[:10]] == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]


SCRIPT = """
from tinygrad_vg import mnist_loader
from tinygrad_vg import network2
training_data, validation_data, test_data = mnist_loader.load_data_wrapper()
net = network2.Network([784, 30, 10], cost=network2.CrossEntropyCost)
net.large_weight_initializer()
evaluation_cost, evaluation_accuracy, training_cost, training_accuracy = net.SGD(
    training_data[:300], 4, 10, 0.5, lmbda=0.1, evaluation_data=validation_data,
    monitor_evaluation_cost=True, monitor_evaluation_accuracy=True,
    monitor_training_cost=True, monitor_training_accuracy=True)
gradients = [net.backprop(x, y)[0] for x, y in training_data[:20]]
mean = [sum(layer) / len(layer) for layer in zip(*gradients)]
net.save("net.json")
again = network2.load("net.json")
"""


def test_a_readers_script_runs(tmp_path, monkeypatch, capsys):
    """As it is typed for the book; only the images are the embedded ones."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(mnist_loader, "mnist", mnist_sample)
    np.random.seed(0)
    random.seed(0)
    names = {}
    exec(SCRIPT, names)
    assert names["evaluation_accuracy"][-1] > 500  # of 1,000; chance is 100
    assert names["training_cost"][-1] < names["training_cost"][0]
    assert [g.shape for g in names["mean"]] == [(30, 1), (10, 1)]
    assert names["again"].accuracy(names["validation_data"]) == names["evaluation_accuracy"][-1]
    assert capsys.readouterr().out.count("Accuracy on evaluation data") == 4
