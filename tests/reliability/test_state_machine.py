"""Random programs over the whole engine, every gradient of which is held to the sum over all paths."""

import contextlib

import numpy as np
import pytest
from amounts import MANY_PROGRAMS, PROGRAMS, STEPS
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, multiple, rule, run_state_machine_as_test
from numpy.testing import assert_allclose
from paths import Step, binary, derivatives, linear, unary

import tinygrad_vg as vg
from tinygrad_vg import Tensor

SHAPES = [(2,), (2,), (2,), (), (1,), (2, 1), (2, 2)]  # mostly alike, so that most pairs need no stretching
MOST_PATHS = 300
LARGEST = 100.0  # where exp and cosh are far from overflowing


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


# The function of Tensors, the same of arrays, and its derivatives, each as the calculus book has it.
UNARY = {
    "sin": (np.sin, np.sin, np.cos),
    "tanh": (np.tanh, np.tanh, lambda x: 1 / np.cosh(x) ** 2),
    "sigmoid": (vg.sigmoid, sigmoid, lambda x: sigmoid(x) * sigmoid(-x)),
    "negative": (np.negative, np.negative, lambda x: -np.ones_like(x)),
    "square": (np.square, np.square, lambda x: 2 * x),
    "relu": (vg.relu, lambda x: np.where(x > 0, x, 0.0), lambda x: (x > 0) * 1.0),
}
BINARY = {
    "add": (np.add, (lambda a, b: 1.0, lambda a, b: 1.0)),
    "subtract": (np.subtract, (lambda a, b: 1.0, lambda a, b: -1.0)),
    "multiply": (np.multiply, (lambda a, b: b, lambda a, b: a)),
    "divide": (
        lambda a, b: a / (2 + b * b),
        (lambda a, b: 1 / (2 + b * b), lambda a, b: -2 * a * b / (2 + b * b) ** 2),
    ),
    "maximum": (np.maximum, (lambda a, b: (a > b) + 0.5 * (a == b), lambda a, b: (b > a) + 0.5 * (a == b))),
}
LINEAR = {
    "sum": np.sum,
    "sum of columns": lambda x: np.sum(np.reshape(x, (-1, 1)), axis=0),
    "mean": np.mean,
    "transpose": np.transpose,
    "ravel": lambda x: np.ravel(x)[:2],
    "slice": lambda x: x[-1:] if np.ndim(x) else x,
    "last element": lambda x: np.ravel(x)[-1],
    "repeated indices": lambda x: np.ravel(x)[[0, 0]],
    "backwards": lambda x: np.ravel(x)[1::-1],
}
JOINS = {
    "stack": lambda a, b: np.stack([np.ravel(a)[0], np.ravel(b)[-1]]),
    "concatenate": lambda a, b: np.concatenate([np.ravel(a), np.ravel(b)])[:2],
}

numbers = st.integers(-20, 20).map(lambda i: i / 8)
contexts = st.sampled_from([contextlib.nullcontext, vg.detect_anomaly, lambda: vg.name_scope("a scope")])


def arrays(shape):
    size = int(np.prod(shape))
    return st.lists(numbers, min_size=size, max_size=size).map(lambda found: np.array(found).reshape(shape))


class Programs(RuleBasedStateMachine):
    """A program of Tensors, and beside each Tensor its `Step`; both must say the same of every derivative."""

    tensors = Bundle("tensors")
    leaves = Bundle("leaves")

    def __init__(self):
        super().__init__()
        self.step = {}  # of each Tensor, by identity; of a leaf, the one of its present value
        self.owner = {}  # the Tensor of each Step, also of a leaf's values before it was updated
        self.expected = {}  # of each leaf, the sum of the gradients since they were forgotten, and of their sizes

    def know(self, tensor, step):
        assert type(tensor) is Tensor
        assert_allclose(tensor.data, step.value, rtol=1e-13, atol=1e-13)
        step.value = tensor.data  # so that both come to the same side of a kink
        self.step[tensor], self.owner[step] = step, tensor
        return tensor

    def made(self, old, step, compute):
        """A new Tensor, unless it has too many paths or is too large, where an old one is given again."""
        if step.paths > MOST_PATHS or np.abs(step.value).max() > LARGEST:
            return old
        return self.know(compute(), step)

    # ------------------------------------------------------------------------------------------------- what is made

    @initialize(targets=(leaves, tensors), data=st.data(), shapes=st.tuples(*[st.sampled_from(SHAPES)] * 3))
    def variables(self, data, shapes):
        return multiple(*[self.variable(data.draw(arrays(shape))) for shape in shapes])

    @rule(targets=(leaves, tensors), data=st.data(), shape=st.sampled_from(SHAPES))
    def another_variable(self, data, shape):
        return self.variable(data.draw(arrays(shape)))

    def variable(self, value):
        leaf = self.know(Tensor(value), Step(value))
        self.expected[leaf] = None
        return leaf

    @rule(target=tensors, x=tensors, name=st.sampled_from(sorted(UNARY)), context=contexts)
    def of_one(self, x, name, context):
        function, of_arrays, slope = UNARY[name]
        with context():
            return self.made(x, unary(self.step[x], of_arrays, slope), lambda: function(x))

    @rule(target=tensors, x=tensors, y=tensors, name=st.sampled_from(sorted(BINARY)), context=contexts)
    def of_two(self, x, y, name, context):
        function, slopes = BINARY[name]
        with context():
            return self.made(x, binary(self.step[x], self.step[y], function, slopes), lambda: function(x, y))

    @rule(target=tensors, x=tensors, name=st.sampled_from(sorted(BINARY)))
    def of_the_same_twice(self, x, name):
        return self.of_two(x, x, name, contextlib.nullcontext)

    @rule(target=tensors, some=st.lists(tensors, min_size=2, max_size=4))
    def sum_of_several(self, some):
        """Sums hand the same array on to all they are made of."""
        x = some[0]
        for y in some[1:]:
            x = self.of_two(x, y, "add", contextlib.nullcontext)
        return x

    @rule(target=tensors, x=tensors, name=st.sampled_from(sorted(LINEAR)))
    def moved(self, x, name):
        return self.made(x, linear([self.step[x]], LINEAR[name]), lambda: LINEAR[name](x) * 1)

    @rule(target=tensors, x=tensors, y=tensors, name=st.sampled_from(sorted(JOINS)))
    def joined(self, x, y, name):
        return self.made(x, linear([self.step[x], self.step[y]], JOINS[name]), lambda: JOINS[name](x, y) * 1)

    @rule(target=tensors, x=tensors)
    def all_of_it_and_a_slice(self, x):
        """One contribution is as large as x, the other is for some of its elements only."""
        part = linear([self.step[x]], LINEAR["slice"])
        return self.made(x, binary(self.step[x], part, *BINARY["multiply"]), lambda: x * LINEAR["slice"](x))

    @rule(target=tensors, x=tensors)
    def product_of_a_matrix_with_itself(self, x):
        a, one = self.step[x], np.eye(2)
        if a.value.shape != (2, 2):
            return x
        edges = [(a, np.kron(one, a.value.T)), (a, np.kron(a.value, one))]
        return self.made(x, Step(a.value @ a.value, edges), lambda: x @ x)

    # ---------------------------------------------------------------------------------------------- what is no variable

    @rule(target=tensors, x=tensors, y=tensors)
    def times_a_constant_from_no_grad(self, x, y):
        with vg.no_grad():
            constant = np.sin(y) * 2
        assert type(constant) is not Tensor
        given = Step(2 * np.sin(self.step[y].value))
        assert_allclose(constant, given.value, rtol=1e-13)
        product = binary(self.step[x], given, *BINARY["multiply"])
        return self.made(x, Step(product.value, product.edges[:1]), lambda: x * constant)

    @rule(target=tensors, x=tensors)
    def stopped(self, x):
        return self.made(x, Step(self.step[x].value), lambda: vg.stop_gradient(x * 1))

    @rule(x=tensors)
    def what_fails_inside_no_grad(self, x):
        with contextlib.suppress(ValueError), vg.no_grad(), vg.name_scope("lost"), vg.detect_anomaly():
            x + np.ones((3, 1)) @ np.ones(7)
        node = (x * 1).node
        assert (node.scope, node.witness) == ((), None)

    # ------------------------------------------------------------------------------------------------- what changes

    @rule(leaf=leaves, data=st.data())
    def update(self, leaf, data):
        """What was built keeps the old value, and what is built from now on has the new one."""
        self.update_to(leaf, data.draw(arrays(leaf.shape)))

    def update_to(self, leaf, value):
        leaf.update(value)
        self.know(leaf, Step(value))

    @rule(leaf=leaves)
    def forget_the_gradient(self, leaf):
        leaf.grad = self.expected[leaf] = None

    # ---------------------------------------------------------------------------------------------- what is compared

    def by_tensor(self, root, seed):
        """What the paths say: the cotangent of each Tensor below the root, and the size of what it is the sum of."""
        found = {}
        for step, shares in derivatives(self.step[root], seed).items():
            tensor = self.owner.get(step)
            if tensor is not None:
                total = found.get(tensor, (0.0, 0.0))
                found[tensor] = total[0] + shares[0], total[1] + shares[1]
        return found

    def is_stale(self, root):
        """Whether a leaf was updated since it was used."""
        owners = [(self.owner.get(step), step) for step in derivatives(self.step[root], np.zeros(root.shape))]
        return any([tensor is not None and self.step[tensor] is not step for tensor, step in owners])

    @rule(root=tensors, data=st.data(), times=st.integers(1, 2))
    def backward(self, root, data, times):
        """One of several losses, and perhaps the same one again."""
        seed = data.draw(arrays(root.shape))
        for _ in range(times):
            root.backward(seed)
            for tensor, (share, size) in self.by_tensor(root, seed).items():
                if tensor.node is None:
                    before = self.expected[tensor] or (0.0, 0.0)
                    self.expected[tensor] = before[0] + share, before[1] + size
        for leaf, expected in self.expected.items():
            if expected is None:
                assert leaf.grad is None
            else:
                same(leaf.grad, *expected)

    @rule(root=tensors, data=st.data(), some=st.lists(tensors, max_size=3), recorded=st.booleans())
    def backprop(self, root, data, some, recorded):
        """Of all tensors, and of some; recorded, where nothing was updated since."""
        seed = data.draw(arrays(root.shape))
        expected = self.by_tensor(root, seed)
        grads = {leaf: leaf.grad for leaf in self.expected}
        if recorded and self.is_stale(root):
            with pytest.raises(vg.StaleGraphError):
                vg.backprop(root, seed, create_graph=True)
            return
        found = vg.backprop(root, seed, create_graph=recorded)
        for tensor, (share, size) in expected.items():
            gradient = found[tensor].data if recorded else found[tensor]
            same(gradient, share, size)
        for tensor, gradient in vg.backprop(root, seed, wrt=some).items():
            same(gradient, *expected.get(tensor, (np.zeros(tensor.shape),) * 2))
        assert all([leaf.grad is gradient for leaf, gradient in grads.items()])

    def teardown(self):
        """At the end every tensor once more by all it was made of, before and after all variables are updated."""
        self.compare_all()
        for leaf in self.expected:
            self.update_to(leaf, leaf.data + 1)
        self.compare_all()
        assert type(Tensor(1.0) * 1) is Tensor

    def compare_all(self):
        for root in self.step:
            seed = np.linspace(1.0, 1.5, root.size).reshape(root.shape)
            found, expected = vg.backprop(root, seed), self.by_tensor(root, seed)
            for tensor, (share, size) in expected.items():
                same(found[tensor], share, size)
            if self.is_stale(root):
                with pytest.raises(vg.StaleGraphError):
                    vg.backprop(root, seed, create_graph=True)


def same(gradient, expected, size):
    """Equal but for rounding, which is relative to what was added up."""
    assert gradient.shape == expected.shape
    assert np.all(np.abs(gradient - expected) <= 1e-12 * size), (gradient, expected)


def test_every_gradient_is_the_sum_over_all_paths():
    run_state_machine_as_test(Programs, settings=settings(max_examples=PROGRAMS, stateful_step_count=STEPS))


@pytest.mark.slow
def test_many_more_programs():
    run_state_machine_as_test(Programs, settings=settings(max_examples=MANY_PROGRAMS, stateful_step_count=2 * STEPS))
