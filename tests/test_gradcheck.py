"""The first gradient checker: it must find planted errors at any magnitude, and raise no false alarm."""

import mpmath
import numpy as np
import pytest

import tinygrad_vg as vg
from tinygrad_vg.gradcheck import GradientMismatch, Verdict, check_gradients, finite_difference, numerical_gradient


def sigmoid_with(rule):
    return vg.primitive(lambda z: vg.sigmoid(z), (rule,), name="planted")


def chain(depth, activation=vg.sigmoid):
    """Sigmoid neurons in a row: the gradient by the first bias shrinks to 1e-10 and below."""

    def f(b):
        a = 0.5
        for i in range(depth):
            a = activation(0.9 * a + b[i])
        return a

    return f, np.linspace(-0.5, 0.5, depth)


FAULTS = {
    "sign": lambda g, out, z: -g * (out * vg.sigmoid(-z)),
    "one in a million": lambda g, out, z: g * (out * vg.sigmoid(-z)) * (1 + 1e-6),
    "ignores g": lambda g, out, z: out * vg.sigmoid(-z) + 0 * g,
    "zero": lambda g, out, z: 0 * g,
    "shifted": lambda g, out, z: g * (out * vg.sigmoid(-z)) + 1e-8,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_error_is_found(fault):
    with pytest.raises(GradientMismatch) as caught:
        check_gradients(sigmoid_with(FAULTS[fault]), np.array([0.3, -1.2, 2.0]))
    report = caught.value.report
    assert not report
    assert report.inputs[0].counts[Verdict.FAIL] == 3
    assert "FAIL x0[" in str(caught.value)


@pytest.mark.parametrize(("fault", "wrong"), [("sign", 3), ("zero", 6)])  # an even number of wrong signs is right
def test_an_error_in_the_small_gradients_of_a_chain_is_found(fault, wrong):
    f, b = chain(6, sigmoid_with(FAULTS[fault]))
    report = check_gradients(f, b, raises=False)
    assert report.inputs[0].counts[Verdict.FAIL] == wrong
    honest, b = chain(6)
    assert check_gradients(honest, b)


def test_what_finite_differences_cannot_tell_is_unresolved_and_no_pass():
    f, b = chain(22)  # |g| ≈ 1e-14, rounding noise of the differences 1e-13
    report = check_gradients(f, b, method="finite", raises=False)
    assert not report
    assert report.inputs[0].counts[Verdict.UNRESOLVED] > 0
    assert report.inputs[0].counts[Verdict.FAIL] == 0
    with pytest.raises(GradientMismatch, match="UNRESOLVED"):
        check_gradients(f, b, method="finite")


def both_sides(z):
    """A sigmoid of which the complex step sees nothing."""
    return vg.sigmoid(np.maximum(z, -50.0))


@pytest.mark.parametrize(("activation", "by"), [(vg.sigmoid, "complex step"), (both_sides, "node certificate")])
def test_what_finite_differences_cannot_tell_is_decided_by_another_way(activation, by):
    f, b = chain(22, activation)
    (found,) = check_gradients(f, b).inputs
    assert found.counts[Verdict.PASS] == 22
    report = check_gradients(lambda b0: f(np.concatenate([b0, b[1:]])), b[:1])
    assert f"agree with {by}s (1)" in str(report)
    (first,) = report.inputs
    assert first.worst.by == by
    assert 0 < first.worst.backward < 1e-13
    assert (first.worst.complex_step is None) == (by == "node certificate")


@pytest.mark.parametrize("activation", [vg.sigmoid, both_sides])
@pytest.mark.parametrize("fault", ["one in a million", "shifted", "zero"])
def test_an_error_in_gradients_beyond_finite_differences_is_found_and_its_node_named(activation, fault):
    f, b = chain(22, activation)
    wrong = sigmoid_with(FAULTS[fault])

    def planted(b0):
        return f(np.concatenate([0.01 * wrong(b0), b[1:]]))

    with pytest.raises(GradientMismatch, match="Culprit: planted") as caught:
        check_gradients(planted, b[:1])
    assert "path: planted → " in str(caught.value)


def test_a_wrong_element_that_was_not_sampled_shows_along_a_random_direction():
    def rule(g, out, x):
        slope = np.cos(x)
        slope[7, 9] *= 1.001
        return g * slope

    wrong = vg.primitive(np.sin, (rule,), name="mistaken", analytic=True)
    x = np.linspace(-1, 1, 200).reshape(10, 20)
    report = check_gradients(wrong, x, sample=5, raises=False)
    assert not report
    assert report.inputs[0].counts[Verdict.PASS] == 5
    assert "FAIL x0 along a random direction" in str(report)
    assert "Culprit: mistaken" in str(report)
    assert check_gradients(np.sin, x, sample=5).inputs[0].direction.error < 1e-12
    assert check_gradients(wrong, x, sample=5, method="finite")


def test_a_slope_that_vanishes_by_symmetry_is_zero_by_the_complex_step():
    (found,) = check_gradients(lambda x: np.sum(x**2), np.array([0.0, 1.0])).inputs
    assert (found.counts[Verdict.ZERO], found.counts[Verdict.PASS]) == (1, 1)


def test_a_graph_that_is_not_the_function_is_blamed_on_no_node():
    with pytest.raises(GradientMismatch, match="Culprit: none of the nodes"):
        check_gradients(lambda x: x * vg.stop_gradient(np.sin(x)), np.array([0.3, 0.4]))


def test_second_derivatives_beyond_finite_differences():
    x = np.array([0.3, 0.9])  # the slope is 1 + 1e-15·eˣ, and its slope lost in rounding
    (found,) = check_gradients(lambda x: x + 1e-15 * np.exp(x), x, order=2).inputs
    assert found.worst.by == "node certificate"
    wrong = vg.primitive(np.exp, (lambda g, out, x: g * vg.stop_gradient(np.exp(x)),), name="cut")
    (found,) = check_gradients(lambda x: x + 1e-15 * wrong(x), x, order=2, raises=False).inputs
    assert not found


def test_the_report_says_how_to_repeat_it():
    wrong = sigmoid_with(FAULTS["sign"])
    report = check_gradients(wrong, np.array([[0.1, 1 / 3]]), raises=False, seed=5)
    (line,) = [line for line in str(report).splitlines() if line.startswith("Repeat: ")]
    wrong.__name__ = "wrong"
    again = eval(
        line.removeprefix("Repeat: ").replace("seed=5", "seed=5, raises=False").replace("planted", "wrong"),
        {"check_gradients": check_gradients, "np": np, "wrong": wrong},
    )
    assert again.inputs == report.inputs


def test_the_report_as_a_page_shows_the_same_and_names_are_no_markup():
    report = check_gradients(sigmoid_with(FAULTS["sign"]), 0.3, names=["<b>&"], raises=False)
    page = report._repr_html_()
    assert "<b>" not in page
    assert "&lt;b&gt;&amp;" in page
    for line in report.lines():
        assert line.split(":")[-1].strip()[:10] in page
    assert page.count("<tr") == 2


def test_a_long_report_is_shortened_to_what_matters():
    x = vg.Tensor(np.linspace(0.1, 1, 3))
    t = x
    for _ in range(60):
        t = np.sin(t) + x
    report = vg.certify_backward(t.sum())
    assert len(report.inputs) > 100
    assert len(str(report).splitlines()) < 50
    assert f"and {len(report.inputs) - 40} more" in str(report)


@pytest.mark.parametrize("size", [1e300, 1e-290])
def test_functions_of_any_magnitude(size):
    estimate = finite_difference(lambda t: size * np.sin(t), 0.7)
    assert abs(estimate.value - size * np.cos(0.7)) <= estimate.bound < 1e-9 * size
    assert not estimate.kink


def test_a_gradient_that_is_exactly_zero_is_counted_apart():
    pixels = np.array([0.0, 0.7])
    report = check_gradients(lambda w: vg.sigmoid(np.sum(pixels * w)), np.array([0.2, 0.3]))
    assert report
    counts = report.inputs[0].counts
    assert {verdict: n for verdict, n in counts.items() if n} == {Verdict.PASS: 1, Verdict.ZERO: 1}


@pytest.mark.parametrize("order", [1, 2])
def test_both_orders_pass_for_a_layer(order):
    rng = np.random.default_rng(1)
    x, w, b = rng.normal(size=(4, 3)), rng.normal(size=(3, 2)), rng.normal(size=2)
    report = check_gradients(lambda x, w, b: np.tanh(x @ w + b), x, w, b, order=order)
    assert [r.checked for r in report.inputs] == [12, 6, 2]
    assert all(r.worst.error < 1e-7 for r in report.inputs)


def test_an_error_of_second_order_only_is_found():
    wrong = vg.primitive(np.sin, (lambda g, out, x: g * vg.stop_gradient(np.cos(x)),), name="cut")
    x = np.array([0.4, 1.0])
    assert check_gradients(wrong, x)
    with pytest.raises(GradientMismatch):
        check_gradients(wrong, x, order=2)


def test_a_sample_is_stated_and_repeats_with_its_seed():
    w = np.linspace(-1, 1, 600).reshape(20, 30)
    first = check_gradients(lambda w: np.sin(w), w, sample=7, seed=3)
    assert first == check_gradients(lambda w: np.sin(w), w, sample=7, seed=3)
    assert first.inputs[0].checked == 7
    assert "7/600" in str(first)
    assert first != check_gradients(lambda w: np.sin(w), w, sample=7, seed=4)


def test_names_of_tensors_are_used_and_progress_is_reported():
    seen = []
    w = vg.Tensor([0.5, 1.5], name="w₁")
    report = check_gradients(np.exp, w, progress=lambda done, total: seen.append((done, total)))
    assert report.inputs[0].name == "w₁"
    assert seen == [(1, 2), (2, 2)]


@pytest.mark.parametrize(
    ("f", "exact", "points"),
    [
        (np.exp, mpmath.exp, (-30.0, -1.0, 0.0, 2.0, 40.0)),
        (np.tanh, lambda x: mpmath.sech(x) ** 2, (-6.0, -0.5, 0.0, 3.0)),
        (np.log, lambda x: 1 / x, (1e-3, 0.3, 1.0, 50.0)),
        (vg.sigmoid, lambda z: mpmath.exp(-z) / (1 + mpmath.exp(-z)) ** 2, (-36.0, -10.0, 0.0, 1.0, 12.0, 36.0)),
        (lambda x: x**3, lambda x: 3 * x**2, (-4.0, 1e-8, 5.0)),
    ],
)
def test_the_true_error_of_a_finite_difference_is_within_its_bound(f, exact, points):
    for x in points:
        with np.errstate(invalid="ignore"):
            value, bound, *_ = finite_difference(lambda t: float(f(t)), x)
        assert abs(mpmath.mpf(value) - exact(mpmath.mpf(x))) <= 8 * bound


def test_steps_shrink_until_the_function_is_finite():
    value, bound = numerical_gradient(lambda x: np.log(x), 1e-3)
    assert abs(value - 1000) <= 8 * bound < 1e-2


def test_numerical_gradient_of_several_inputs():
    (gx, gw) = numerical_gradient(lambda x, w: np.sum(x**2 * w), np.array([1.0, 2.0]), np.array([[3.0], [4.0]]))
    assert gx.value.shape == (2,)
    assert gw.value.shape == (2, 1)
    np.testing.assert_allclose(gx.value, [14.0, 28.0], rtol=1e-10)
    np.testing.assert_allclose(gw.value, [[5.0], [5.0]], rtol=1e-10)


def test_bad_calls():
    with pytest.raises(ValueError, match="order 3"):
        check_gradients(np.sin, 1.0, order=3)
    with pytest.raises(ValueError, match="0 inputs"):
        check_gradients(np.sin)


def test_a_kink_is_named_with_both_slopes_and_may_be_expected():
    x = np.array([-1.0, 0.0, 2.0])
    report = check_gradients(vg.relu, x, raises=False)
    assert report.inputs[0].counts[Verdict.KINK] == 1
    worst = report.inputs[0].worst
    assert worst.index == (1,)
    left, right = worst.slopes
    assert left == 0 != right
    with pytest.raises(GradientMismatch, match="slopes"):
        check_gradients(vg.relu, x)
    assert check_gradients(vg.relu, x, kinks=True)
    beyond = vg.primitive(lambda x: vg.relu(x), (lambda g, out, x: g * np.where(x >= 0, 2.0, 0.0),), name="beyond")
    assert check_gradients(beyond, np.array([0.0]), kinks=True, raises=False).inputs[0].counts[Verdict.FAIL] == 1


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (lambda g, out, x: -g * np.cos(x), "sign"),
        (lambda g, out, x: 2 * g * np.cos(x), "twice"),
        (lambda g, out, x: g * np.cos(x) / 6, "1/6 of"),
        (lambda g, out, x: g * np.cos(x) * 3, "3 times what it should be, the length of axis 1"),
        (lambda g, out, x: 0 * g, "0 everywhere"),
        (lambda g, out, x: np.roll(g * np.cos(x), 1, axis=1), "rolled by 1 along axis 1"),
        (lambda g, out, x: (g * np.cos(x))[::-1], "reversed along axis 0"),
    ],
)
def test_the_usual_mistakes_are_recognised(rule, words):
    x = np.linspace(0.1, 0.9, 6).reshape(2, 3)
    report = check_gradients(vg.primitive(np.sin, (rule,), name="mistaken"), x, raises=False)
    assert words in report.inputs[0].hint
    assert report.inputs[0].hint in str(report)


def test_a_transposed_gradient_is_recognised():
    x = np.linspace(0.1, 0.9, 9).reshape(3, 3)
    wrong = vg.primitive(np.sin, (lambda g, out, x: (g * np.cos(x)).T,), name="mistaken")
    assert check_gradients(wrong, x, raises=False).inputs[0].hint == "it is transposed"


def test_outputs_that_cancel_are_judged_by_their_size():
    def f(x):
        return np.stack([1e8 * np.sin(x), -1e8 * np.sin(x), np.cos(x)])

    assert check_gradients(f, np.array(0.7), raises=False).inputs[0].counts[Verdict.FAIL] == 0


def moving(x):
    x += 1.0
    return np.sin(x)


calls = iter(range(1000))


@pytest.mark.parametrize(
    ("f", "x", "error", "words"),
    [
        (lambda x: np.floor(x), 1.5, TypeError, "depends on none"),
        (lambda x: 3.0, 1.5, TypeError, "depends on none"),
        (lambda x: (x, x), 1.5, TypeError, "returned a tuple; it must return one array"),
        (lambda: 3.0, 1.5, TypeError, "with the 1 inputs, but too many"),
        (lambda x, y: x * y, 1.5, TypeError, "missing a required argument"),
        (3.0, 1.5, TypeError, "checks a function"),
        (np.sin, 3, TypeError, "int64"),
        (np.sin, np.array([True]), TypeError, "bool"),
        (lambda x: x + next(calls), 1.0, ValueError, "deterministic"),
        (moving, np.array([1.0]), ValueError, "changes its inputs"),
        (lambda x: x * np.nan, 1.0, ValueError, "finite"),
    ],
)
def test_what_is_no_function_to_check_is_said(f, x, error, words):
    with pytest.raises(error, match=words):
        check_gradients(f, x)


def test_the_report_as_data():
    report = check_gradients(np.sin, np.array([0.3, 0.4]))
    data = report.to_dict()
    assert data["passed"] is True
    assert data["inputs"][0]["counts"][Verdict.PASS] == 2
    assert data["inputs"][0]["worst"]["tolerance"] > 0


def test_nothing_to_check_is_no_agreement():
    assert "without a single element" in str(check_gradients(lambda x: x.sum(), np.zeros(0)))


def test_a_kink_names_the_way_out_and_an_expected_one_has_no_error():
    report = check_gradients(vg.relu, np.array([0.0, 1.0]), raises=False)
    assert not report
    assert "kinks=True" in str(report)
    (found,) = check_gradients(vg.relu, np.array([0.0, 1.0]), kinks=True).inputs
    assert found.worst.error < 1e-9


def test_numbers_may_be_rounded_differently_on_arrays_and_on_tensors():
    assert check_gradients(lambda x: np.sum(x) ** 2, np.array([-0.1485287634829131, -0.8529245382058592]))
