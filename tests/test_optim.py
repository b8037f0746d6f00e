"""SGD against plain NumPy loops of the papers' equations."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_vg as vg
from tinygrad_vg.optim import SGD, sutskever_schedule


class Problem:
    """C(w, b) = Σ cos(w·k) + Σ (b + Σw)⁴/50: coupled, not quadratic, with a hand-written gradient."""

    def __init__(self, seed=0):
        rng = np.random.default_rng(seed)
        self.k, self.w0, self.b0 = rng.normal(size=(3, 2)), rng.normal(size=(3, 2)), rng.normal(size=2)

    def cost(self, w, b):
        return np.sum(np.cos(w * self.k)) + np.sum((b + np.sum(w, axis=0)) ** 4) / 50

    def gradient(self, w, b):
        gb = 4 * (b + w.sum(axis=0)) ** 3 / 50
        return -np.sin(w * self.k) * self.k + gb, gb

    def tensors(self):
        return [vg.Tensor(self.w0, "w"), vg.Tensor(self.b0, "b")]

    def run(self, opt, steps):
        for _ in range(steps):
            opt.zero_grad()
            self.cost(*opt.params).backward()
            opt.step()


def reference(problem, steps, lr, mu, nesterov, decay):
    """The paper's equations, with θ and v as they are written there; decay on the weights, outside the velocity."""
    theta = [problem.w0.copy(), problem.b0.copy()]
    v = [np.zeros_like(t) for t in theta]
    for t in range(steps):
        at = [x + mu(t) * u for x, u in zip(theta, v, strict=True)] if nesterov else theta
        g = problem.gradient(*at)
        v = [mu(t) * u - lr * d for u, d in zip(v, g, strict=True)]
        theta = [theta[0] * (1 - lr * decay) + v[0], theta[1] + v[1]]
    return theta, v


SCHEDULES = {
    "none": 0.0,
    "constant": 0.9,
    "growing": lambda t: min(0.9, 0.1 * t),
    "jumping": lambda t: [0.5, 0.95, 0.0, 0.8][t % 4],
}


@pytest.mark.parametrize("decay", [0.0, 0.7])
@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("schedule", list(SCHEDULES))
def test_against_the_papers_equations(schedule, nesterov, decay):
    momentum, problem = SCHEDULES[schedule], Problem(1)
    mu = momentum if callable(momentum) else lambda t: momentum
    params = problem.tensors()
    opt = SGD(params, 0.05, momentum, nesterov, decay)
    for steps in (1, 2, 3, 60):
        problem.run(opt, steps - opt.steps)
        theta, v = reference(problem, steps, 0.05, mu, nesterov, decay)
        with opt.at_theta():
            for p, expected in zip(params, theta, strict=True):
                assert_allclose(p.data, expected, rtol=1e-11, atol=1e-13)
        ahead = [x + mu(steps) * u for x, u in zip(theta, v, strict=True)] if nesterov else theta
        for p, expected in zip(params, ahead, strict=True):
            assert_allclose(p.data, expected, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("lam", [0.3, 2.0, 7.0])
def test_nesterov_on_a_quadratic_is_classical_with_less_momentum(lam):
    """Sutskever et al. 2013, theorem 2.1: along curvature λ, μ becomes μ(1 − λε)."""
    mu, lr = 0.95, 0.1
    fast, slow = vg.Tensor(3.0), vg.Tensor(3.0)
    nesterov, classical = SGD([fast], lr, mu, nesterov=True), SGD([slow], lr, mu * (1 - lam * lr))
    for _ in range(40):
        for opt, p in ((nesterov, fast), (classical, slow)):
            opt.zero_grad()
            (lam / 2 * p * p).backward()
            opt.step()
        with nesterov.at_theta():
            assert_allclose(fast.data, slow.data, rtol=1e-9, atol=1e-13)
    assert abs(float(fast.data) - float(slow.data)) > 1e-12  # while the tensor itself holds θ + μv


def test_oblong_quadratic():
    """The path of Nesterov's method does not swing across the valley."""
    lengths = {}
    for nesterov in (False, True):
        p = vg.Tensor([-10.0, 1.0])
        opt = SGD([p], 0.009, 0.95, nesterov)
        ys = [1.0]
        for _ in range(150):
            opt.zero_grad()
            (np.sum(np.array([0.5, 50.0]) * p * p)).backward()
            opt.step()
            with opt.at_theta():
                ys.append(p.data[1])
        lengths[nesterov] = np.abs(np.diff(ys)).sum()
    assert lengths[False] == pytest.approx(26.6, rel=0.01)
    assert lengths[True] == pytest.approx(1.16, rel=0.01)


def test_the_schedule_of_the_paper():
    schedule = sutskever_schedule(0.99)
    for t in (0, 1, 249, 250, 499, 500, 750, 12_499, 10**6):
        assert schedule(t) == pytest.approx(min(1 - 2 ** (-1 - np.log2(t // 250 + 1)), 0.99), rel=1e-14)
    assert (schedule(0), schedule(250), schedule(10**6)) == (0.5, 0.75, 0.99)
    with pytest.raises(ValueError, match="momentum"):
        sutskever_schedule(1.0)


def test_weight_decay_in_the_books_terms():
    """w ← (1 − ηλ/n)w − η∇w, biases without decay (chapter 3, equations 93 and 94)."""
    w, b = vg.Tensor([[2.0, -3.0]]), vg.Tensor([4.0])
    opt = SGD([w, b], lr=0.5, weight_decay=5 / 1000)
    (np.sum(w * np.array([[1.0, 2.0]])) + b.sum()).backward()
    opt.step()
    assert_allclose(w.data, [[2 * (1 - 0.0025) - 0.5, -3 * (1 - 0.0025) - 1.0]], rtol=1e-15)
    assert_allclose(b.data, [3.5], rtol=1e-15)


@pytest.mark.parametrize("nesterov", [False, True])
def test_a_parameter_without_a_gradient_stays(nesterov):
    problem = Problem(2)
    w, b = problem.tensors()
    idle = vg.Tensor(np.ones((2, 2)))
    opt = SGD([w, idle, b], 0.05, lambda t: 0.1 * t, nesterov, weight_decay=0.3)
    alone = problem.tensors()
    other = SGD(alone, 0.05, lambda t: 0.1 * t, nesterov, weight_decay=0.3)
    for _ in range(5):
        problem.run(other, 1)
        opt.zero_grad()
        problem.cost(w, b).backward()
        opt.step()
    assert_array_equal(idle.data, np.ones((2, 2)))
    assert_array_equal(w.data, alone[0].data)


def test_a_parameter_that_pauses_keeps_its_own_look_ahead():
    """While it pauses, μ(t) goes on; θ must stay where it was."""
    a, b = vg.Tensor(1.0), vg.Tensor(1.0)
    opt = SGD([a, b], 0.1, lambda t: 0.1 * (t + 1), nesterov=True)

    def step(cost):
        opt.zero_grad()
        cost.backward()
        opt.step()
        with opt.at_theta():
            return float(a.data), float(b.data)

    for _ in range(3):
        before = step(a * a + b * b)
    for _ in range(3):
        after = step(a * a)
    assert after[1] == before[1]
    assert after[0] != before[0]


@pytest.mark.parametrize("settings", [{}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}])
def test_a_step_uses_the_gradient_up_but_leaves_what_others_hold(settings):
    """The new value may take the gradient's memory only if nothing else refers to it."""
    rng = np.random.default_rng(3)
    theta, g = rng.normal(size=(3, 2)), rng.normal(size=(3, 2))
    values = []
    for holder in (lambda a: None, lambda a: a, lambda a: a[1:], lambda a: memoryview(a)):
        w = vg.Tensor(theta, "w")
        opt = SGD([w], 0.1, weight_decay=0.5, **settings)
        for _ in range(3):
            w.grad = g.copy()
            held = holder(w.grad)
            opt.step()
            assert w.grad is None
            if held is not None:
                assert_array_equal(np.asarray(held), g if np.shape(held) == g.shape else g[1:])
        values.append(w.data)
        with pytest.raises(RuntimeError, match="backward"):
            opt.step()
    assert all(np.array_equal(v, values[0]) for v in values)


@pytest.mark.parametrize("settings", [{}, {"momentum": 0.9}])
def test_a_gradient_of_another_precision_or_write_protected_is_taken_too(settings):
    for g in (np.array([1, 2]), np.array([1, 2], np.float32), np.broadcast_to(2.0, 2)):
        w = vg.Tensor([1.0, 1.0])
        opt = SGD([w], 0.5, **settings)
        w.grad = g
        del g
        opt.step()
        assert w.data.tolist() in ([0.5, 0.0], [0.0, 0.0])
        assert w.dtype == np.float64


def test_float32_stays():
    w = vg.Tensor(np.ones((2, 2), np.float32))
    opt = SGD([w], np.float64(0.1), np.float64(0.5), nesterov=True, weight_decay=np.float64(0.1))
    for _ in range(2):
        opt.zero_grad()
        (w * w).sum().backward()
        opt.step()
    assert w.dtype == np.float32
    assert opt.state_dict()["velocity"][0].dtype == np.float32


def test_at_theta_is_undone_to_the_last_bit():
    problem = Problem(3)
    many = vg.Tensor(np.random.default_rng(3).normal(size=1000))  # (θ + μv) − μv + μv differs in some last bits
    opt = SGD([*problem.tensors(), many], 0.05, 0.9, nesterov=True)
    for _ in range(3):
        opt.zero_grad()
        (problem.cost(*opt.params[:2]) + np.sum(np.sin(many))).backward()
        opt.step()
    before = [np.array(p.data) for p in opt.params]
    with opt.at_theta(), opt.at_theta():
        assert not np.array_equal(opt.params[0].data, before[0])
    with pytest.raises(ZeroDivisionError), opt.at_theta():
        1 / 0
    for p, expected in zip(opt.params, before, strict=True):
        assert_array_equal(p.data, expected)
    with opt.at_theta(), pytest.raises(RuntimeError, match="look_ahead"):
        opt.step()


def test_values_given_at_theta_are_kept():
    p = vg.Tensor(1.0)
    opt = SGD([p], 0.1, 0.5, nesterov=True)
    (p * p).backward()
    opt.step()
    v = opt.state_dict()["velocity"][0]
    with opt.at_theta():
        p.update(10.0)
    assert_allclose(p.data, 10 + 0.5 * v, rtol=1e-15)


@pytest.mark.parametrize("nesterov", [False, True])
def test_state_can_be_saved_and_restored(nesterov):
    problem = Problem(4)

    def make():
        return SGD(problem.tensors(), 0.05, lambda t: 0.05 * t, nesterov, 0.1)

    whole, first, second = make(), make(), make()
    problem.run(whole, 12)
    problem.run(first, 5)
    state = first.state_dict()
    for p, q in zip(second.params, first.params, strict=True):
        p.update(q.data)
    problem.run(first, 1)  # must not change the state taken before
    second.load_state_dict(state)
    problem.run(second, 7)
    assert second.steps == 12
    for p, q in zip(whole.params, second.params, strict=True):
        assert_array_equal(p.data, q.data)


def test_a_state_of_other_parameters_is_refused():
    opt, other = SGD(Problem().tensors(), 0.1, 0.9), SGD([vg.Tensor([1.0])], 0.1, 0.9)
    Problem().run(opt, 1)
    with pytest.raises(ValueError, match="velocities have shapes"):
        other.load_state_dict(opt.state_dict())
    (other.params[0] * 2).sum().backward()
    other.step()
    with pytest.raises(ValueError, match="velocities have shapes"):
        opt.load_state_dict(other.state_dict())
    assert opt.steps == 1


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda t: SGD([], 0.1), ValueError, "empty"),
        (lambda t: SGD(t, 0.1), TypeError, r"\[t\]"),
        (lambda t: SGD([t, t], 0.1), ValueError, "twice"),
        (lambda t: SGD([np.ones(2)], 0.1), TypeError, r"params\[0\] is ndarray"),
        (lambda t: SGD([t * 2], 0.1), TypeError, "multiply"),
        (lambda t: SGD([t], -0.1), ValueError, "lr must not be negative"),
        (lambda t: SGD([t], np.nan), ValueError, "lr must be finite"),
        (lambda t: SGD([t], "x"), TypeError, "lr must be a number"),
        (lambda t: SGD([t], 0.1, 1.0), ValueError, "momentum must be in"),
        (lambda t: SGD([t], 0.1, -0.5), ValueError, "momentum must be in"),
        (lambda t: SGD([t], 0.1, weight_decay=-1), ValueError, "weight_decay"),
        (lambda t: SGD([t], 0.5, weight_decay=5), ValueError, "λ/n"),
        (lambda t: SGD([t], 0.5).step(), RuntimeError, "backward"),
    ],
)
def test_bad_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call(vg.Tensor([1.0, 2.0]))


def test_settings_are_checked_again_at_each_step():
    t = vg.Tensor(1.0)
    for opt, message in ((SGD([t], 0.1, lambda step: 1.5), "momentum"), (SGD([t], 0.1), "lr")):
        if message == "lr":
            opt.lr = -1
        opt.zero_grad()
        (t * t).backward()
        with pytest.raises(ValueError, match=message):
            opt.step()
    assert "momentum=<lambda>" in repr(SGD([t], 0.1, lambda step: 0.5)) or "lambda" in repr(SGD([t], 0.1, lambda s: 0))
