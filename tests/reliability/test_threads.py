"""Several threads, and several tasks of one thread: nobody's numbers and nobody's contexts reach anybody else.

That contexts as such stay where they are is in test_tensor.py. Here all of them differentiate at the same time.
"""

import asyncio
import contextlib
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from amounts import ROUNDS, SWITCHES
from numpy.testing import assert_array_equal

import tinygrad_vg as vg
from tinygrad_vg import Tensor
from tinygrad_vg.nn import MLP, losses
from tinygrad_vg.training import fit

X = np.linspace(-1, 1, 12).reshape(4, 3)
Y = np.array([0, 1, 1, 0])


@pytest.fixture(autouse=True)
def many_switches():
    """Let the threads take turns as often as the interpreter can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCHES)
    yield
    sys.setswitchinterval(before)


def at_once(*jobs):
    """Run functions in threads that begin together, and give what they return."""
    start = threading.Barrier(len(jobs), timeout=30)

    def run(job):
        start.wait()
        return job()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return [future.result(timeout=120) for future in [pool.submit(run, job) for job in jobs]]


def network(seed):
    """The gradients of a network of its own, as one list of arrays."""
    mlp = MLP([3, 4, 2], "tanh", seed=seed)
    losses.cross_entropy(mlp.logits(X), Y).backward()
    return [p.grad for p in mlp.parameters()]


def same(found, expected):
    for one, two in zip(found, expected, strict=True):
        assert_array_equal(one, two)


def test_different_graphs_in_different_threads():
    expected = [network(seed) for seed in range(4)]

    def job(seed):
        return lambda: [network(seed) for _ in range(ROUNDS)]

    for seed, rounds in enumerate(at_once(*[job(seed) for seed in range(4)])):
        for found in rounds:
            same(found, expected[seed])


def shared():
    """A graph with diamonds, slices and a variable used everywhere."""
    x = Tensor(np.linspace(0.1, 1, 20))
    y = x
    for i in range(15):
        y = np.sin(y) * x + y * x[i]
    return np.sum(y), x


def test_one_graph_swept_by_several_threads_in_several_ways():
    """Also recorded sweeps, and sweeps that stop at a variable, side by side."""
    root, x = shared()
    expected = vg.backprop(root)

    def some():
        return [vg.backprop(root, wrt=[x])[x] for _ in range(ROUNDS)]

    def recorded():
        return [vg.backprop(root, wrt=[x], create_graph=True)[x].data for _ in range(ROUNDS)]

    def everything():
        return [vg.backprop(root) for _ in range(ROUNDS)]

    plain, again, tensors, whole = at_once(some, some, recorded, everything)
    for gradient in plain + again:
        assert_array_equal(gradient, expected[x])
    for gradient in tensors:
        np.testing.assert_allclose(gradient, expected[x], rtol=1e-13)
    for found in whole:
        same(found.values(), expected.values())


def test_no_grad_and_the_other_contexts_in_some_threads_only():
    """A thousand entries and exits in one thread, while another records."""

    def quiet():
        kinds = set()
        for i in range(20 * ROUNDS):
            with contextlib.suppress(KeyError), vg.no_grad(), vg.name_scope(f"{i}"):
                kinds.add(type(Tensor(1.0) * 2))
                raise KeyError
        return kinds

    def watched():
        with np.errstate(all="ignore"), vg.detect_anomaly():
            for _ in range(ROUNDS):
                with pytest.raises(FloatingPointError):
                    np.log(Tensor(-1.0))
        return "raised"

    def loud():
        made = [np.sqrt(Tensor(0.0)) * 2 for _ in range(20 * ROUNDS)]
        return {type(t) for t in made}, {(t.node.scope, t.node.witness) for t in made}

    found = at_once(quiet, loud, watched, loud)
    assert found == [{np.float64}, ({Tensor}, {((), None)}), "raised", ({Tensor}, {((), None)})]


def test_derivatives_of_derivatives_in_threads():
    """`grad` counts itself active while its function runs: only in its own thread."""

    def nested():
        return [float(vg.grad(vg.grad(vg.grad(lambda x: x**4 * np.sin(x))))(0.7)) for _ in range(ROUNDS)]

    def outermost():
        return {type(vg.grad(np.sin)(0.3)) for _ in range(4 * ROUNDS)}

    one, kinds, two = at_once(nested, outermost, nested)
    assert len({*one, *two}) == 1
    assert kinds == {np.ndarray}


def trained(seed):
    mlp = MLP([3, 4, 2], seed=seed)
    fit(mlp, lambda m, X, y: losses.cross_entropy(m.logits(X), y), (X, Y), epochs=10, batch_size=2, lr=0.5, seed=seed)
    return [p.data for p in mlp.parameters()]


def test_trainings_in_threads():
    expected = [trained(seed) for seed in range(3)]
    for found, alone in zip(at_once(*[lambda s=s: trained(s) for s in range(3)]), expected, strict=True):
        same(found, alone)


def test_tasks_that_wait_in_the_middle():
    """Tasks of one thread, which hand over to each other inside their contexts and between forward and backward."""

    async def task(seed, context):
        with context:
            found = []
            for _ in range(ROUNDS):
                mlp = MLP([3, 4, 2], "tanh", seed=seed)
                z = mlp.logits(X)
                await asyncio.sleep(0)
                cost = losses.cross_entropy(z, Y)
                await asyncio.sleep(0)
                if type(cost) is Tensor:
                    cost.backward()
                found.append([p.grad for p in mlp.parameters()])
                await asyncio.sleep(0)
            return found

    async def all_of_them():
        contexts = [vg.name_scope("a"), vg.no_grad(), vg.detect_anomaly(), contextlib.nullcontext()]
        return await asyncio.gather(*[task(seed, context) for seed, context in enumerate(contexts)])

    for seed, rounds in enumerate(asyncio.run(all_of_them())):
        for found in rounds:
            if seed == 1:  # the one in no_grad
                assert found == [None] * 4
            else:
                same(found, network(seed))


def test_a_thread_that_is_given_the_context_has_it():
    """asyncio.to_thread copies the context, so no_grad holds there too; a thread of one's own begins without it."""

    async def both():
        with vg.no_grad():
            given = await asyncio.to_thread(lambda: type(Tensor(1.0) * 2))
            [own] = at_once(lambda: type(Tensor(1.0) * 2))
        return given, own

    given, own = asyncio.run(both())
    assert given is np.float64
    assert own is Tensor or sys.flags.thread_inherit_context
