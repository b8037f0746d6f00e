"""The recorded backward pass as steps: run with other numbers, they give what backprop gives there."""

from importlib.resources import files

import numpy as np
import pytest
from graphs import chain
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import tinygrad_vg as vg
from tinygrad_vg import ops
from tinygrad_vg.drawing.explorer.explorer import operations
from tinygrad_vg.drawing.explorer.tape import _MEANS, _SAME, NoTapeError, Recording, Tape
from tinygrad_vg.drawing.model import Ancestry, Model
from tinygrad_vg.nn import MLP, losses
from tinygrad_vg.tensor import PLAIN, RULES

ROWS = [f for f in [*RULES.values(), *vars(ops).values(), *vars(losses).values()] if hasattr(f, "op")]
FORWARD = {row.op.name: row.op.forward for row in ROWS}
FORWARD["affine"] = lambda x, w, b: x * w + b  # of single numbers, as in the page
FORWARD |= {f.__name__: f for f in PLAIN if isinstance(f, np.ufunc)}

SCRIPT = files("tinygrad_vg.drawing.explorer").joinpath("explorer.js").read_text(encoding="utf-8")
IN_THE_PAGE = operations(SCRIPT)

UNARY = [np.sin, np.tanh, vg.sigmoid, vg.relu, np.abs, np.square, vg.softplus, np.arctan, np.negative, np.exp2]
BINARY = [np.add, np.subtract, np.multiply, np.maximum, np.minimum, np.hypot, np.logaddexp, np.arctan2]


def random_graph(seed, size=14):
    """A function of four numbers, made of `size` random operations with a name each: its root and its leaves."""

    def build(numbers):
        rng = np.random.default_rng(seed)
        leaves = [vg.Tensor(x, f"x{i}") for i, x in enumerate(numbers)]
        pool = list(leaves)
        for i in range(size):
            f = (UNARY + BINARY)[rng.integers(len(UNARY) + len(BINARY))]
            arguments = [pool[k] for k in rng.choice(len(pool), 1 if f in UNARY else 2)]
            made = f(*arguments) if rng.random() < 0.7 else np.where(i % 2 == 0, f(*arguments) * 0.5, arguments[0])
            pool.append(made.named(f"t{i}"))
        # Squares of what may be 0, a division, a reshaped matrix product: the ops whose rules ask questions.
        total = sum([0.1 * t**2 for t in pool[-4:]]) + pool[1] / (1 + pool[2] ** 2) + np.sum(pool[0]) * pool[3]
        return total.named("C"), leaves

    return build


def taped(root, known=tuple(FORWARD)):
    model = Model(Ancestry(root))
    recording, tape = Recording(model), Tape(known)
    leaves = [node for node in model.nodes if node.role == "leaf"]
    wanted = [*recording.value.values(), *recording.grad.values(), *recording.local.values()]
    slots = tape.record([recording.value[n] for n in leaves], [t for t in wanted if t is not None])
    return model, recording, tape, slots


def run(tape, numbers=None):
    slots = list(tape.constants)
    for slot, x in zip(tape.leaves, numbers or [], strict=False):
        slots[slot] = x
    with np.errstate(all="ignore"):
        for name, args in tape.steps:
            slots.append(float(FORWARD[name](*[np.float64(slots[a]) for a in args])))
    return slots


@given(st.integers(0, 10_000), st.lists(st.floats(-3, 3).map(lambda x: round(x, 3)), min_size=4, max_size=4))
def test_run_with_other_numbers_it_gives_what_backprop_gives_there(seed, numbers):
    build = random_graph(seed)
    root, _ = build([0.3, -0.7, 1.1, 0.2])
    model, recording, tape, slots = taped(root)
    names = [node.name for node in model.nodes if node.role == "leaf"]
    with np.errstate(all="ignore"):
        there, _ = build(numbers)
        truth = {t.name: (t.item(), g.item()) for t, g in vg.backprop(there).items() if t.name}
    assume(np.isfinite(list(truth.values())).all())  # arctan2′ at (0, 0), exp2 of exp2
    now = run(tape, [numbers[int(name[1:])] for name in names])
    found = {node.name: node for node in model.nodes if recording.grad[node] is not None}
    assert truth.keys() <= found.keys()
    for name, (value, g) in truth.items():
        assert_allclose(now[slots[recording.value[found[name]]]], value, rtol=1e-12)
        assert_allclose(now[slots[recording.grad[found[name]]]], g, rtol=1e-11, atol=1e-300)


@given(st.integers(0, 10_000))
def test_gradients_are_the_sums_over_edges(seed):
    root, _ = random_graph(seed)([0.3, -0.7, 1.1, 0.2])
    model, recording, tape, slots = taped(root)
    now = run(tape)
    assume(np.isfinite(now).all())
    for node in model.nodes:
        live = [e for e in node.outputs if recording.local[e] is not None]
        if live:
            parts = [now[slots[recording.grad[e.target]]] * now[slots[recording.local[e]]] for e in live]
            scale = max(map(abs, parts))
            assert_allclose(sum(parts), now[slots[recording.grad[node]]], rtol=1e-11, atol=1e-13 * scale)
    for edge in model.edges:
        if recording.local[edge] is not None:
            assert_allclose(now[slots[recording.local[edge]]], edge.value, rtol=1e-13)


def test_what_a_rule_asks_is_asked_anew():
    """relu′ is (x > 0): recorded as it was at x = −1, the gradient at 2 would be 0."""
    x = vg.Tensor(-1.0, "x")
    _, recording, tape, slots = taped((vg.relu(x) * 3).named("y"))
    (leaf,) = [node for node in recording.grad if node.name == "x"]
    assert run(tape)[slots[recording.grad[leaf]]] == 0
    assert run(tape, [2.0])[slots[recording.grad[leaf]]] == 3


def test_questions_are_recorded_nowhere_else():
    x = vg.Tensor([-1.0, 2.0])
    taped((vg.relu(vg.Tensor(1.0, "x")) * 3).named("y"))
    assert type(x > 0) is np.ndarray
    assert (np.where(x > 0, x, 0)).node.inputs[0].dtype == bool


def test_shapes_of_one_element_are_single_numbers():
    x = vg.Tensor([[0.5]], "x")
    y = (np.reshape(x @ x, 1)[0] + np.sum(x.T) + np.max(np.concatenate([x]))).named("y")
    _, recording, tape, slots = taped(y)
    assert {name for name, _ in tape.steps} <= {"add", "multiply", "equal", "divide"}
    (leaf,) = [node for node in recording.grad if node.name == "x"]
    assert run(tape, [2.0])[slots[recording.grad[leaf]]] == 6


def test_parameters_may_have_been_updated_since():
    cost, _ = chain()
    for t in Model(Ancestry(cost)).ancestry.tensors:
        if t.node is None:
            t.update(99.0)
    _, recording, tape, slots = taped(cost)
    truth = {t.name: g.item() for t, g in vg.backprop(chain()[0]).items() if t.name}
    now = run(tape)
    for node, g in recording.grad.items():
        assert_allclose(now[slots[g]], truth[node.name], rtol=1e-13)


def test_equal_steps_are_done_once():
    x = vg.Tensor(0.5, "x")
    _, _, tape, _ = taped((np.sin(x) * np.sin(x) + np.sin(x)).named("y"))
    assert len(tape.steps) == len(set(tape.steps))
    assert [name for name, _ in tape.steps].count("sin") == 1


def cube(x):
    return vg.primitive(lambda x: x**3, (lambda g, out, x: g * 3 * x**2,), name="cube")(x)


def fake_sine(x):
    return vg.primitive(lambda x: x + 1, (lambda g, out, x: g,), name="sin")(x)


def changed_half_way(x):
    y = x * 2
    x.update(5.0)
    return y * x


@pytest.mark.parametrize(
    ("f", "reason"),
    [
        (cube, "no JavaScript forward for cube"),
        (fake_sine, "no JavaScript forward for sin"),
        (lambda x: vg.softmax(x.reshape(1))[0], "no JavaScript forward for softmax"),
        (lambda x: np.sum(x * np.ones(3)), r"arrays in this graph \(an argument of multiply of shape \(3,\)\)"),
        (lambda x: np.sum(np.stack([x, x])), r"arrays in this graph"),
        (changed_half_way, "'x' was updated while the graph was being built"),
        (vg.primitive(np.exp, (lambda g, out, x: g * float(x),)), "the derivative cannot be recorded"),
    ],
)
def test_it_says_why_a_graph_cannot_be_run_again(f, reason):
    with pytest.raises(NoTapeError, match=reason):
        taped(f(vg.Tensor(0.5, "x")).named("y"), IN_THE_PAGE)


def test_float32_is_refused():
    with pytest.raises(NoTapeError, match="'x' is float32"):
        taped((vg.Tensor(np.float32(0.5), "x") * 2).named("y"))


def test_a_users_rule_for_a_known_forward_is_the_one_that_is_recorded():
    double = vg.primitive(np.exp, (lambda g, out, x: 2 * g * out,))  # wrong, and to be seen
    _, recording, tape, slots = taped(double(vg.Tensor(0.5, "x")).named("y"))
    (leaf,) = [node for node in recording.grad if node.name == "x"]
    assert_allclose(run(tape, [1.0])[slots[recording.grad[leaf]]], 2 * np.e, rtol=1e-15)


@pytest.mark.parametrize("y", [0, 1])
@pytest.mark.parametrize("cost", ["quadratic", "cross_entropy"])
def test_a_network_of_single_neurons_can_be_run_again(cost, y):
    def cost_of(w1, b1, w2, b2):
        net = MLP([1, 1, 1], seed=0)
        for p, value in zip(net.parameters(), (w1, b1, w2, b2), strict=True):
            p.update(np.full(p.shape, value))
        z = net.logits(np.ones((1, 1)))
        C = losses.cross_entropy(z, [[y]]) if cost == "cross_entropy" else losses.quadratic(vg.sigmoid(z), [[y]])
        return C, net.parameters()

    C, parameters = cost_of(0.5, -0.3, 1.2, 0.1)
    _, recording, tape, slots = taped(C, IN_THE_PAGE)
    numbers = {"w1": 2.0, "b1": 0.7, "w2": -1.5, "b2": 0.2}
    leaves = [node.tensor.name for node in Model(Ancestry(C)).nodes if node.role == "leaf"]
    found = run(tape, [numbers[name] for name in leaves])
    other, parameters = cost_of(*numbers.values())
    gradients = vg.backprop(other)
    for node, grad in recording.grad.items():
        if node.role == "leaf":
            expected = gradients[parameters[list(numbers).index(node.tensor.name)]]
            assert_allclose(found[slots[grad]], expected.item(), rtol=1e-13)


def test_every_operation_on_single_numbers_is_covered_but_for_these():
    table = {row.op.name for row in ROWS}
    questions = {f.__name__ for f in PLAIN if isinstance(f, np.ufunc)}
    assert table | questions >= IN_THE_PAGE
    assert table - IN_THE_PAGE - _SAME - _MEANS.keys() == {
        "softmax",
        "log_softmax",
        "einsum",
        "tril",
        "triu",
        "pad",
    }
    assert questions - IN_THE_PAGE == {"spacing"}
