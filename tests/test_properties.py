"""check_op, op_test and the properties: each must hold for what is right and fail for what it was made to see."""

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st

import tinygrad_vg as vg
from tinygrad_vg.gradcheck.faults import FAULTS, mutants, rows_reached
from tinygrad_vg.gradcheck.properties import PROPERTIES, OpMismatch, check_op, first_failure, of_case, op_test
from tinygrad_vg.opcases import CASES, Kink, OpCase, table
from tinygrad_vg.tensor import Tensor

RNG = np.random.default_rng(0)
POINTS = [0.5, np.array([[1.0, -2.0, 0.3], [0.7, 1.5, -0.4]]), np.array([[0.25]])]


def cube_with(rule, forward=lambda x: x**3):
    return vg.primitive(forward, (rule,), name="cube")


def right(g, out, x):
    return g * 3 * x**2


cube = cube_with(right)


def reference(x):
    return x * x * x


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_property_holds_for_every_case_of_the_table(case):
    assert first_failure(of_case(case), seed=1) is None


def test_a_right_op_passes_and_the_report_says_what_was_tried():
    report = check_op(cube, samples=POINTS, reference=reference)
    assert report
    assert report.checked == {p.name: len(POINTS) for p in PROPERTIES}
    assert not report.notes
    assert report.to_dict()["passed"]
    assert "every property holds" in str(report)
    assert report._repr_html_().startswith("<pre>cube")


def test_functions_of_the_table_need_no_samples():
    for op in (np.multiply, vg.softmax, np.var):
        assert check_op(op)


# What goes wrong, by the property that must say so.
WRONG = {
    "vjp(0) = 0": cube_with(lambda g, out, x: right(g, out, x) + 1e-8),
    "vjp(2ᵏg) = 2ᵏ·vjp(g)": cube_with(lambda g, out, x: np.where(np.less(np.abs(g), 1e-7), 0, right(g, out, x))),
    "determinism": cube_with(lambda g, out, x: right(g, out, x) * (1 + 1e-15 * RNG.normal())),
    "first order": cube_with(lambda g, out, x: right(g, out, x) * (1 + 1e-6)),
    "forward": cube_with(right, lambda x: x**3 + 1e-9),
    "second order": cube_with(
        lambda g, out, x: g * 3 * vg.stop_gradient(x) ** 2 if type(x) is Tensor else right(g, out, x)
    ),
    "shape and dtype": cube_with(lambda g, out, x: np.reshape(right(g, out, x), -1)),
}


@pytest.mark.parametrize("name", WRONG)
def test_the_property_that_was_made_for_it_fails_and_says_where(name):
    with pytest.raises(OpMismatch) as caught:
        check_op(WRONG[name], samples=POINTS, reference=reference)
    assert name in {f.property for f in caught.value.report.failures}
    assert f"FAIL {name}" in str(caught.value)
    assert "cube(" in str(caught.value)


def test_a_rule_that_writes_to_its_cotangent_is_found():
    def rule(g, out, x):
        answer = right(g, out, x)
        if type(g) is np.ndarray:
            g *= 2
        return answer

    report = check_op(cube_with(rule), samples=POINTS, reference=reference, raises=False)
    assert {"nothing changed or shared"} <= {f.property for f in report.failures}
    assert "must not write into its arguments" in str(report)


def test_a_rule_that_forgets_to_sum_the_copies_is_found():
    def outer_sum(g, out, x, y):
        return g if np.shape(g) == np.shape(y) else np.resize(g, np.shape(y))

    add = vg.primitive(np.add, (lambda g, out, x, y: g, outer_sum), name="add_")
    samples = [(np.array([[1.0, 2.0], [3.0, 5.0]]), np.array([0.5, 0.25]))]
    failed = {f.property for f in check_op(add, samples=samples, raises=False).failures}
    assert {"first order", "broadcasting"} <= failed


def test_an_op_without_a_reference_passes_with_a_note_and_without_samples_not_at_all():
    report = check_op(cube, samples=POINTS)
    assert report
    assert "not checked: the value itself" in str(report)
    for check in (check_op, op_test):
        with pytest.raises(ValueError, match="samples"):
            check(cube)
        with pytest.raises(ValueError, match="samples"):
            check(cube, samples=[])
    with pytest.raises(ValueError, match="order 1 or 2"):
        check_op(cube, samples=POINTS, order=3)


def test_kinks_are_checked_as_given():
    hinge = vg.primitive(lambda x: np.maximum(x, 0), (lambda g, out, x: g * np.greater(x, 0),), name="hinge")
    samples = [np.array([0.5, -0.7]), -1.0]
    assert check_op(hinge, samples=samples, kinks=[(0.0, 0.0)])
    assert check_op(hinge, samples=samples, kinks=[Kink((0.0,), (0.0,), "0 at 0")])
    with pytest.raises(OpMismatch, match="FAIL kinks: the gradient of argument 0"):
        check_op(hinge, samples=samples, kinks=[(0.0, 0.5)])
    with pytest.raises(OpMismatch, match="first order"):  # a sample on a kink is none
        check_op(hinge, samples=[0.0])


def test_a_rule_for_numbers_only_passes_at_order_1():
    tan = vg.primitive(np.tan, (lambda g, out, x: g / np.square(np.vectorize(math.cos)(x)),), name="tan_")
    assert check_op(tan, samples=[0.5, -1.0], order=1)
    with pytest.raises(OpMismatch, match="adjoint"):
        check_op(tan, samples=[0.5, -1.0])


def test_an_op_that_loses_the_derivative_is_told_so():
    with pytest.raises(OpMismatch, match="derivative is lost"):
        check_op(lambda x: np.sin(x.data if type(x) is Tensor else x), samples=[0.5])


def test_cases_and_random_samples_can_be_given():
    case = OpCase("cube", cube, reference, domains=(((-2.0, -0.3), (0.3, 2.0)),))
    assert check_op(cube, cases=[case])
    assert check_op(cube, samples=lambda rng: rng.normal(size=(2, 3)), reference=reference)


def test_the_same_seed_gives_the_same_report():
    wrong = WRONG["first order"]
    reports = [check_op(wrong, samples=POINTS, seed=s, raises=False) for s in (3, 3, 4)]
    assert reports[0] == reports[1]
    assert str(reports[0]) != str(reports[2])


# ------------------------------------------------------------------------------------------------------------- mutants


def test_mutants_give_the_same_values_and_have_the_promised_names():
    found = mutants(np.multiply)
    assert len({m.name for m in found}) == len(found) == 2 * len(FAULTS)
    for m in found:
        y = m.function(Tensor([2.0, 3.0]), Tensor([4.0, 5.0]))
        assert y.data.tolist() == [8.0, 15.0]
    by_name = {m.name: m.function for m in found}
    assert [float(g) for g in vg.grad(by_name["swapped arguments, argument 0"], (0, 1))(2.0, 5.0)] == [2.0, 2.0]
    assert [float(g) for g in vg.grad(by_name["sign, argument 1"], (0, 1))(2.0, 5.0)] == [5.0, -2.0]


def test_a_mutant_changes_nothing_but_itself():
    before = vg.grad(np.exp)(1.0)
    for m in mutants(np.exp):
        vg.backprop(m.function(Tensor([1.0, 2.0])), np.ones(2))
    assert vg.grad(np.exp)(1.0) == before


def test_mutants_of_a_composite_sit_in_the_ops_it_is_made_of():
    names = {m.name for m in mutants(np.var)}
    assert "sign, in sum" in names
    assert [op.name for op in rows_reached(np.std, [np.array([1.0, 2.0])])][:2] == ["divide", "norm"]
    with pytest.raises(TypeError, match="no rules of its own"):
        mutants(lambda x: np.sin(x) * x)


def test_check_op_tells_which_mutants_the_samples_would_miss():
    good = check_op(cube, samples=POINTS, reference=reference, mutants=True)
    assert good
    assert good.killed > 20
    assert not good.missed
    assert "noticed" in str(good)
    poor = check_op(cube, samples=[0.5], reference=reference, mutants=True)  # a single number has no order
    assert {"cube: transpose", "cube: roll", "cube: flip"} <= set(poor.idle)
    assert "idle   cube: flip" in str(poor)
    first = check_op(cube, samples=POINTS, reference=reference, mutants=True, order=1, raises=False)
    assert first.missed == ("cube: cut from the second derivative",)
    assert not first


# ------------------------------------------------------------------------------------------------------------- op_test

test_cube = op_test(cube, samples=POINTS, reference=reference)
test_cube_on_a_strategy = op_test(cube, samples=st.floats(-2, 2).map(lambda x: round(x, 3) or 0.5), reference=reference)
test_hypot = op_test(np.hypot)


def test_a_counterexample_is_small_and_readable():
    """What the user sees: a plain assertion with one number, not a page of random digits."""
    wrong = cube_with(lambda g, out, x: g * 3 * x**2 * np.where(np.greater(x, 0.9), 1.001, 1))
    case = OpCase("wrong", wrong, reference, domains=(((-2.0, 2.0),),))
    fixed = settings(derandomize=True, max_examples=200, database=None, deadline=None)
    test = op_test(wrong, cases=[case], settings=fixed)
    with pytest.raises(AssertionError, match=r"backward.*finite difference(.|\n)*wrong\(") as caught:
        test()
    args = str(caught.value).split("in wrong(")[1]
    assert len(args) < 12, args
    assert test.__name__ == "test_wrong"


def test_op_test_needs_no_pytest():
    code = (
        "import numpy as np, tinygrad_vg as vg; from tinygrad_vg.gradcheck.properties import op_test; "
        "op_test(np.exp)(); import sys; assert 'pytest' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_function_of_the_table_can_be_mutated():
    for op in table():
        if op is not vg.stop_gradient:
            assert mutants(op), op


def test_faults_are_planted_in_ones_own_rows_and_not_in_the_tables():
    mine = vg.primitive(lambda x: x**3, (lambda g, out, x: g * 3 * x**2,), name="mine")
    points = [np.array([[0.5, -1.0, 0.3], [0.7, 1.5, -0.4]])]
    report = check_op(lambda x: (mine(x) + x).sum(), samples=points, reference=lambda x: (x**3 + x).sum(), mutants=True)
    assert report.killed > 10
    whole = check_op(lambda x: np.sin(x).sum(), samples=points, reference=lambda x: np.sin(x).sum(), mutants=True)
    assert (whole.killed, whole.missed, whole.idle) == (0, (), ())


@pytest.mark.slow
@pytest.mark.parametrize("function", [np.var, np.inner])
def test_a_difference_below_rounding_is_no_missed_fault(function):
    assert not check_op(function, mutants=True, raises=False).missed
