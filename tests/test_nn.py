"""Networks: forward pass, gradients, initialisers, losses, bad input."""

import copy
import pickle
from itertools import pairwise

import mpmath
import numpy as np
import pytest
from numpy.testing import assert_allclose

import tinygrad_vg as vg
from tinygrad_vg.nn import MLP, Dense, activations, init, losses


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def book_gradients(params, x, y, cost):
    """Backprop by the book's equations BP1-BP4, with column vectors replaced by rows; averaged over the batch."""
    ws, bs = params[0::2], params[1::2]
    a, activations_, zs = x, [x], []
    for w, b in zip(ws, bs, strict=True):
        zs.append(a @ w + b)
        a = sigmoid(zs[-1])
        activations_.append(a)
    delta = a - y if cost == "cross_entropy" else (a - y) * a * (1 - a)
    grads = []
    for layer in reversed(range(len(ws))):
        grads[:0] = [activations_[layer].T @ delta / len(x), delta.mean(axis=0)]
        if layer:
            s = activations_[layer]
            delta = (delta @ ws[layer].T) * s * (1 - s)
    return grads


@pytest.mark.parametrize("cost", ["cross_entropy", "quadratic"])
@pytest.mark.parametrize("sizes", [[5, 3], [7, 4, 3], [6, 5, 4, 3, 2]])
def test_gradients_are_the_books(sizes, cost):
    rng = np.random.default_rng(sum(sizes))
    mlp = MLP(sizes, seed=rng, init="large")
    x, y = rng.normal(size=(8, sizes[0])), rng.random((8, sizes[-1]))
    C = losses.cross_entropy(mlp.logits(x), y) if cost == "cross_entropy" else losses.quadratic(mlp(x), y)
    C.backward()
    for p, expected in zip(
        mlp.parameters(), book_gradients([p.data for p in mlp.parameters()], x, y, cost), strict=True
    ):
        assert_allclose(p.grad, expected, rtol=1e-11, atol=1e-15, err_msg=p.name)


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu", "softsign", "identity", lambda z: np.sin(z) + z])
@pytest.mark.parametrize("output", ["sigmoid", "tanh", "softmax", "identity"])
def test_gradients_against_central_differences(activation, output):
    rng = np.random.default_rng(3)
    mlp = MLP([4, 5, 3], activation, output=output, seed=rng)
    x, cotangent = rng.normal(size=(6, 4)), rng.normal(size=(6, 3))

    def f(*params):
        return np.sum(cotangent * mlp.bind(params)(x))

    values = [np.array(p.data) for p in mlp.parameters()]
    grads = vg.grad(f, argnums=range(4))(*values)
    for i, (value, g) in enumerate(zip(values, grads, strict=True)):
        for index in np.ndindex(value.shape):
            ends = []
            for sign in (1, -1):
                moved = [v.copy() for v in values]
                moved[i][index] += sign * 1e-6
                ends.append(float(f(*moved)))
            assert_allclose(g[index], (ends[0] - ends[1]) / 2e-6, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu", "softsign", "identity"])
def test_the_complex_step_goes_through_a_bound_network(activation):
    rng = np.random.default_rng(8)
    mlp = MLP([4, 5, 3], activation, seed=rng)
    x, y = rng.normal(size=(6, 4)), rng.integers(0, 3, 6)
    for loss in (
        lambda net: losses.cross_entropy(net.logits(x), y),
        lambda net: losses.cross_entropy(net.logits(x), np.full((6, 3), 0.3)),
        lambda net: losses.softmax_cross_entropy(net.logits(x), y),
        lambda net: losses.quadratic(net(x), y),
    ):
        C = loss(mlp)
        gradients = vg.backprop(C, wrt=mlp.parameters())
        for i, p in enumerate(mlp.parameters()):
            direction = rng.normal(size=p.shape)
            values = [q.data.astype(complex) for q in mlp.parameters()]
            values[i] = values[i] + 1e-30j * direction
            assert_allclose(np.sum(gradients[p] * direction), loss(mlp.bind(values)).imag / 1e-30, rtol=1e-10)


def test_the_chain_of_four_neurons():
    """The chapter's chain: ∂C/∂b of four sigmoid neurons in a row, to eleven digits."""
    chain = MLP([1, 1, 1, 1, 1])
    for layer, w, b in zip(chain.layers, (0.8, -0.6, 0.9, -0.4), (0.1, -0.2, 0.3, 0.05), strict=True):
        layer.w.update([[w]])
        layer.b.update([b])
    losses.quadratic(chain(np.array([[0.7]])), [[0.0]]).backward()
    found = [layer.b.grad.item() for layer in chain.layers]
    expected = ["2.79845537236e-04", "-2.07628769018e-03", "-1.00706771205e-02", "1.10692885582e-01"]
    assert [f"{g:.11e}" for g in found] == expected
    exact = [0.000279845537236148, -0.00207628769017577, -0.01007067712045, 0.110692885581501]  # mpmath, 40 digits
    assert_allclose(found, exact, rtol=1e-13)


# ------------------------------------------------------------------------------------------------ names and structure


def test_names_and_scopes():
    mlp = MLP([3, 4, 2], seed=0)
    assert [p.name for p in mlp.parameters()] == ["w1", "b1", "w2", "b2"]
    assert [p.shape for p in mlp.parameters()] == [(3, 4), (4,), (4, 2), (2,)]
    C = losses.quadratic(mlp(np.ones((5, 3))), np.zeros((5, 2)))
    named = {t.name: t for t in vg.backprop(C) if t.name}
    assert named.keys() == {"w1", "b1", "z1", "a1", "w2", "b2", "z2", "a2", "C"}
    assert named["z1"].node.scope == named["a1"].node.scope == ("layer 1",)
    assert named["z2"].node.scope == ("layer 2",)
    assert named["C"].node.scope == ()
    z = mlp.logits(np.ones((5, 3)))
    assert z.name == "z2"
    assert z.node.scope == ("layer 2",)
    with vg.name_scope("net"):
        assert mlp(np.ones((5, 3))).node.scope == ("net", "layer 2")


def test_a_linear_layer_keeps_the_name_of_z():
    assert MLP([2, 2], output="identity", seed=0)(np.ones((1, 2))).name == "z1"


def test_bind_uses_what_it_is_given():
    mlp = MLP([3, 4, 2], seed=0)
    tensors = [vg.Tensor(p.data) for p in mlp.parameters()]
    bound = mlp.bind(tensors)
    assert all(p is t for p, t in zip(bound.parameters(), tensors, strict=True))
    assert bound.layers[1].w is tensors[2]
    arrays = [np.array(p.data) for p in mlp.parameters()]
    x = np.random.default_rng(1).normal(size=(5, 3))
    plain = mlp.bind(arrays)(x)
    assert type(plain) is np.ndarray
    with vg.no_grad():
        assert_allclose(plain, mlp(x), rtol=0)
    assert [p.name for p in mlp.parameters()] == ["w1", "b1", "w2", "b2"]


def test_one_bias_a_sample_gives_gradients_sample_by_sample():
    rng = np.random.default_rng(5)
    mlp = MLP([3, 4, 2], seed=rng)
    x, y = rng.normal(size=(6, 3)), rng.integers(0, 2, 6)
    each = [vg.Tensor(np.repeat(layer.b.data[None], 6, axis=0)) for layer in mlp.layers]
    bound = mlp.bind([mlp.layers[0].w, each[0], mlp.layers[1].w, each[1]])
    rows = vg.backprop(losses.cross_entropy(bound.logits(x), y))[each[0]]
    for i in range(6):
        one = vg.backprop(losses.cross_entropy(mlp.logits(x[i : i + 1]), y[i : i + 1]))[mlp.layers[0].b]
        assert_allclose(6 * rows[i], one, rtol=1e-12)


@pytest.mark.parametrize("activation", list(activations.ACTIVATIONS))
def test_a_network_can_be_copied_and_pickled(activation):
    mlp, x = MLP([3, 4, 2], activation, seed=0), np.ones((5, 3))
    for other in (copy.deepcopy(mlp), pickle.loads(pickle.dumps(mlp))):
        assert_allclose(other(x).data, mlp(x).data, rtol=0)
        assert [p.name for p in other.parameters()] == ["w1", "b1", "w2", "b2"]
        other.layers[0].b.update(np.ones(4))
        assert not np.array_equal(other.layers[0].b.data, mlp.layers[0].b.data)


def test_dense_alone():
    layer = Dense(3, 2, "tanh", seed=4, label="7")
    x = np.random.default_rng(0).normal(size=(5, 3))
    assert_allclose(layer(x).data, np.tanh(x @ layer.w.data + layer.b.data), rtol=1e-15)
    assert (layer.w.name, layer.b.name, layer(x).name, layer.logits(x).name) == ("w7", "b7", "a7", "z7")
    assert repr(layer) == "Dense(3, 2, 'tanh', label='7')"
    assert_allclose(layer.bind([np.zeros((3, 2)), np.ones(2)])(x), np.full((5, 2), np.tanh(1)))


def test_repr_and_dtype():
    assert repr(MLP([784, 30, 10])) == "MLP([784, 30, 10], activation='sigmoid', output='sigmoid', parameters=23860)"
    assert repr(MLP([2, 1], output="identity")) == "MLP([2, 1], output='identity', parameters=3)"
    mlp = MLP((3, 4, 2), "relu", dtype=np.float32)
    assert "dtype=float32" in repr(mlp)
    x, y = np.ones((5, 3), np.float32), np.zeros(5, int)
    for C in (
        losses.cross_entropy(mlp.logits(x), y),
        losses.cross_entropy(mlp.logits(x), np.full((5, 2), 0.5)),
        losses.softmax_cross_entropy(mlp.logits(x), y),
        losses.quadratic(mlp(x), y),
    ):
        assert C.dtype == np.float32
        assert all(g.dtype == np.float32 for g in vg.backprop(C).values())


# ------------------------------------------------------------------------------------------------------- initialisers


def test_the_same_seed_gives_the_same_network():
    def flat(**words):
        return np.concatenate([p.data.ravel() for p in MLP([6, 20, 4], **words).parameters()])

    for name in init.INITIALISERS:
        assert_allclose(flat(init=name, seed=3), flat(init=name, seed=np.random.default_rng(3)), rtol=0)
        assert not np.array_equal(flat(init=name, seed=3), flat(init=name, seed=4))
        assert_allclose(flat(init=name, seed=3), flat(init=init.INITIALISERS[name], seed=3), rtol=0)
    assert not np.array_equal(flat(), flat())


def test_a_legacy_generator_draws_the_books_network():
    """network2.py draws with np.random.randn: biases (n_out, 1) for each layer, then weights (n_out, n_in)."""
    sizes = [5, 4, 3]
    book = np.random.RandomState(12345)
    biases = [book.randn(n, 1) for n in sizes[1:]]
    weights = [book.randn(n_out, n_in) / np.sqrt(n_in) for n_in, n_out in pairwise(sizes)]
    mlp = MLP(sizes, seed=np.random.RandomState(12345))
    for layer, b, w in zip(mlp.layers, biases, weights, strict=True):
        assert_allclose(layer.b.data, b[:, 0], rtol=0)
        assert_allclose(layer.w.data, w.T, rtol=1e-15)


@pytest.mark.parametrize(
    ("name", "variance", "limit"),
    [
        ("default", 1 / 400, None),
        ("large", 1, None),
        ("glorot_standard", 1 / 1200, 1 / 20),
        ("glorot_normalised", 2 / 700, np.sqrt(6 / 700)),
        ("he", 2 / 400, None),
    ],
)
def test_distribution_of_the_weights(name, variance, limit):
    """400·300 independent draws: mean and variance within 5 standard errors of the distribution's."""
    w = MLP([400, 300], init=name, seed=11).layers[0].w.data
    n, kurtosis = w.size, 1.8 if limit else 3.0
    assert abs(w.mean()) < 5 * np.sqrt(variance / n)
    assert abs(w.var() / variance - 1) < 5 * np.sqrt((kurtosis - 1) / n)
    if limit:
        assert limit * (1 - 20 / n) < np.abs(w).max() <= limit
    else:
        assert abs(np.mean(w**4) / variance**2 - 3) < 5 * np.sqrt(96 / n)  # a normal distribution, not a uniform one


@pytest.mark.parametrize("name", list(init.INITIALISERS))
def test_distribution_of_the_biases(name):
    b = MLP([3, 20_000], init=name, seed=12).layers[0].b.data
    if name in ("default", "large"):
        assert abs(b.mean()) < 5 / np.sqrt(b.size)
        assert abs(b.var() - 1) < 5 * np.sqrt(2 / b.size)
    else:
        assert not b.any()


def test_sparse_initialisation():
    w = MLP([200, 500, 7], init="sparse", seed=13).layers[0].w.data
    assert set(np.count_nonzero(w, axis=0)) == {15}
    drawn = w[w != 0]
    assert abs(drawn.var() - 1) < 5 * np.sqrt(2 / drawn.size)
    assert np.count_nonzero(w, axis=1).min() > 10  # spread over all inputs: 37.5 ± 6 connections each
    assert np.count_nonzero(MLP([10, 6], init="sparse", seed=0).layers[0].w.data) == 60  # fewer inputs than 15


def test_an_initialiser_of_ones_own():
    mlp = MLP([2, 3, 1], init=lambda n_in, n_out, rng: np.full((n_in, n_out), 7.0), seed=0)
    assert_allclose(mlp.layers[0].w.data, 7)
    assert not mlp.layers[0].b.data.any()
    with pytest.raises(ValueError, match=r"shape \(3, 2\) instead of \(2, 3\)"):
        MLP([2, 3, 1], init=lambda n_in, n_out, rng: np.zeros((n_out, n_in)))
    with pytest.raises(ValueError, match="NaN"):
        MLP([2, 3, 1], init=lambda n_in, n_out, rng: np.full((n_in, n_out), np.nan))


# ------------------------------------------------------------------------------------------------------------- losses


def exact_cross_entropy(logits, y):
    with mpmath.workdps(60):
        total = mpmath.mpf(0)
        for z, t in zip(logits.ravel(), y.ravel(), strict=True):
            p, q = 1 / (1 + mpmath.exp(-mpmath.mpf(z))), 1 / (1 + mpmath.exp(mpmath.mpf(z)))
            total -= mpmath.mpf(t) * mpmath.log(p) + (1 - mpmath.mpf(t)) * mpmath.log(q)
        return float(total / len(logits))


def test_cross_entropy_value():
    rng = np.random.default_rng(20)
    z = rng.normal(size=(6, 4)) * 5
    for y in (rng.random((6, 4)), rng.integers(0, 2, (6, 4))):
        assert_allclose(losses.cross_entropy(z, y), exact_cross_entropy(z, y), rtol=1e-13)


def test_cross_entropy_of_a_sure_and_right_network_keeps_its_digits():
    z, y = np.array([[40.0, -50.0]]), np.array([[1, 0]])
    assert_allclose(losses.cross_entropy(z, y), exact_cross_entropy(z, y), rtol=1e-14)
    gradient = vg.grad(lambda z: losses.cross_entropy(z, y))(z)
    assert_allclose(gradient, [[-1 / (1 + np.exp(40.0)), 1 / (1 + np.exp(50.0))]], rtol=1e-14)


@pytest.mark.parametrize("y", [np.array([1]), np.array([[0.25, 0.75]])])
@pytest.mark.parametrize("loss", [losses.cross_entropy, losses.softmax_cross_entropy])
def test_extreme_logits(loss, y):
    z = np.array([[800.0, -800.0]])
    value, gradient = vg.value_and_grad(lambda z: loss(z, y))(z)
    if loss is losses.softmax_cross_entropy:
        expected, slope = (1600, [[1, -1]]) if y.ndim == 1 else (1200, [[0.75, -0.75]])
    else:
        expected, slope = (1600, [[1, -1]]) if y.ndim == 1 else (1200, [[0.75, -0.75]])
    assert_allclose(value, expected, rtol=1e-14)
    assert_allclose(gradient, slope, rtol=1e-14)


def test_softmax_cross_entropy_value():
    rng = np.random.default_rng(21)
    z, labels = rng.normal(size=(6, 4)) * 3, rng.integers(0, 4, 6)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    assert_allclose(losses.softmax_cross_entropy(z, labels), -np.log(p[np.arange(6), labels]).mean(), rtol=1e-13)
    soft = rng.dirichlet(np.ones(4), 6)
    assert_allclose(losses.softmax_cross_entropy(z, soft), -(soft * np.log(p)).sum(axis=1).mean(), rtol=1e-13)
    gradient = vg.grad(lambda z: losses.softmax_cross_entropy(z, soft))(z)
    assert_allclose(gradient, (p - soft) / 6, rtol=1e-12, atol=1e-15)


def test_quadratic_value():
    rng = np.random.default_rng(22)
    a, y = rng.normal(size=(5, 3)), rng.normal(size=(5, 3)) * 9
    assert_allclose(
        losses.quadratic(a, y), np.mean([np.linalg.norm(r - t) ** 2 / 2 for r, t in zip(a, y, strict=True)])
    )
    assert_allclose(vg.grad(lambda a: losses.quadratic(a, y))(a), (a - y) / 5, rtol=1e-13)


def test_the_curvature_of_the_costs():
    """Of the cross-entropy it is σ′(z)/n, whatever the targets; of the quadratic cost 1/n."""
    rng = np.random.default_rng(23)
    z, v = rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
    slope = 1 / (2 + np.exp(z) + np.exp(-z))
    for y in (rng.integers(0, 2, (5, 3)), rng.random((5, 3))):
        along = vg.hvp(lambda z, y=y: losses.cross_entropy(z, y), [z], [v])
        assert_allclose(along, slope * v / 5, rtol=1e-12)
        assert_allclose(vg.hvp(lambda a, y=y: losses.quadratic(a, y), [z], [v]), v / 5, rtol=1e-12)


@pytest.mark.parametrize("loss", [losses.cross_entropy, losses.softmax_cross_entropy, losses.quadratic])
def test_labels_mean_one_hot_rows(loss):
    rng = np.random.default_rng(23)
    z, labels = rng.normal(size=(6, 4)), np.array([3, 0, 1, 2, 3, 3])
    assert loss(z, labels) == loss(z, np.eye(4)[labels]) == loss(z, labels.astype(np.uint8)) == loss(z, labels.tolist())
    assert loss(vg.Tensor(z), labels).name == "C"
    assert loss(vg.Tensor(z), labels).shape == ()
    assert np.ndim(loss(z, labels)) == 0


def test_targets_of_a_single_output():
    z, y = np.array([[0.3], [-1.0], [2.0]]), np.array([1, 0, 1])
    for loss in (losses.cross_entropy, losses.quadratic):
        assert loss(z, y) == loss(z, y[:, None]) == loss(z, y == 1) == loss(z, y.astype(float))
    assert_allclose(losses.quadratic(z, [2, 3, 4]), np.mean((z[:, 0] - [2, 3, 4]) ** 2) / 2)


@pytest.mark.parametrize("loss", [losses.cross_entropy, losses.softmax_cross_entropy, losses.quadratic])
@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        (np.zeros((3, 2)), ValueError, r"targets y have shape \(3, 2\), the outputs \(3, 4\)"),
        (np.zeros((3, 1), int), ValueError, r"labels of shape \(3,\)"),
        (np.zeros(4, int), ValueError, r"\(4,\).*\(3, 4\)"),
        (0, ValueError, r"shape \(\)"),
        (np.zeros(3), TypeError, r"astype\(int\)"),
        (np.array([True, False, True]), TypeError, "must be integers"),
        ([0, 1, 4], ValueError, r"from 0 to 4, but 4 outputs need 0 … 3"),
        ([0, -1, 2], ValueError, r"from -1 to 2"),
        (["a", "b", "c"], TypeError, "numbers"),
        (vg.Tensor(np.zeros((3, 4))), TypeError, "constant"),
    ],
)
def test_bad_targets(loss, y, error, message):
    with pytest.raises(error, match=message):
        loss(vg.Tensor(np.zeros((3, 4))), y)


def test_targets_that_are_no_probabilities():
    z = np.zeros((2, 3))
    for bad in (np.full((2, 3), 1.5), np.full((2, 3), -0.5), np.full((2, 3), np.nan)):
        with pytest.raises(ValueError, match=r"\[0, 1\]"):
            losses.cross_entropy(z, bad)
        with pytest.raises(ValueError, match="sum to 1"):
            losses.softmax_cross_entropy(z, bad)
    with pytest.raises(ValueError, match="sum to 1"):
        losses.softmax_cross_entropy(z, np.ones((2, 3)))
    with pytest.raises(ValueError, match="single output"):
        losses.softmax_cross_entropy(np.zeros((2, 1)), np.ones((2, 1)))


@pytest.mark.parametrize("shape", [(3,), (), (0, 2), (2, 0), (1, 2, 3)])
def test_bad_outputs(shape):
    with pytest.raises(ValueError, match="outputs have shape"):
        losses.quadratic(np.zeros(shape), np.zeros(shape))


# ---------------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: MLP([3]), ValueError, "number of inputs"),
        (lambda: MLP(3), TypeError, r"\[784, 30, 10\]"),
        (lambda: MLP([3, 0, 1]), ValueError, "positive integer"),
        (lambda: MLP([3, 2.0]), ValueError, "2.0"),
        (lambda: MLP([3, True]), ValueError, "True"),
        (lambda: MLP("ab"), ValueError, "'a'"),
        (lambda: MLP([3, 2, 1], "sigmoidal"), ValueError, "unknown activation 'sigmoidal'; there are sigmoid"),
        (lambda: MLP([3, 2], output=3), TypeError, "activation"),
        (lambda: MLP([3, 2], init="xavier"), ValueError, "unknown initialiser 'xavier'; there are default"),
        (lambda: MLP([3, 2], init=3), TypeError, "initialiser"),
        (lambda: MLP([3, 2], seed="x"), TypeError, "seed must be an int"),
        (lambda: MLP([3, 2], seed=1.0), TypeError, "seed must be an int"),
        (lambda: MLP([3, 2], seed=-1), ValueError, "negative"),
        (lambda: MLP([3, 2], dtype=np.float16), TypeError, "float64 or float32"),
        (lambda: MLP([3, 2])(np.zeros((5, 4))), ValueError, r"shape \(5, 4\); it needs \(n, 3\)"),
        (lambda: MLP([3, 2]).logits(np.zeros(())), ValueError, r"shape \(\)"),
        (lambda: Dense(3, 2)(np.zeros((5, 4))), ValueError, r"shape \(5, 4\); it needs \(n, 3\)"),
        (lambda: MLP([3, 2]).bind([np.zeros((3, 2))]), ValueError, "2 parameters .* 1 were given"),
        (lambda: MLP([3, 2]).bind([np.zeros((2, 3)), np.zeros(2)]), ValueError, r"\(3, 2\).*\(2, 3\)"),
        (lambda: MLP([3, 2]).bind([np.zeros((3, 2)), np.zeros(3)]), ValueError, r"\(2,\).*\(3,\)"),
    ],
)
def test_bad_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_activations_by_name():
    assert activations.by_name(np.tanh)[0] == "tanh"
    x = np.linspace(-3, 3, 13)
    assert_allclose(activations.softsign(x), x / (1 + abs(x)))
    assert_allclose(vg.grad(lambda x: np.sum(activations.softsign(x)))(x), 1 / (1 + abs(x)) ** 2, rtol=1e-14)
    second = vg.grad(vg.grad(activations.softsign))
    assert_allclose(second(-1.5), 2 / 2.5**3, rtol=1e-13)
