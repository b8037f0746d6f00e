"""The benchmarks measure what they say: everyone who can be had computes the same, and ratios are ratios."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from benchmarks import byhand, chain, memory, startup, steps, timing
from benchmarks.calls import Counting, observed_file
from benchmarks.competitors import BYHAND, OURS, check_alike, everyone, initial
from benchmarks.rows import Row, absent, notes, table
from benchmarks.stepprofile import PHASES, hand_step, recorded
from benchmarks.timing import Ratio, Times, take_turns
from benchmarks.trace import Trace

from tinygrad_vg.nn import MLP, losses

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
SIZES = (784, 30, 30, 10)


def shifted(who, share):
    """Someone whose steps are off by a share of what they change."""

    def step(x, y):
        before = [p.copy() for p in who.params()]
        who.step(x, y)
        for p, q in zip(who.params(), before, strict=True):
            p += share * (p - q)

    return who._replace(step=step)


@pytest.mark.parametrize("size", [1, 10])
def test_everyone_learns_the_same(size):
    check_alike(everyone(SIZES, steps.digits(size)[:6])[0])


@pytest.mark.parametrize("share", [1e-8, -1.0, 1.0])
def test_a_step_that_is_slightly_off_is_refused(share):
    found, _ = everyone(SIZES, steps.digits(10)[:6])
    found["liar"] = shifted(everyone(SIZES, steps.digits(10)[:6])[0][BYHAND], share)
    with pytest.raises(AssertionError, match="liar: parameter 0 is"):
        check_alike(found)


def test_the_gradient_by_hand_is_the_librarys():
    (x, y), mlp = steps.digits(10)[0], MLP(SIZES, seed=0)
    cost = losses.cross_entropy(mlp.logits(x), y)
    cost.backward()
    value, found = byhand.cost_and_gradients(initial(SIZES), x, y)
    np.testing.assert_allclose(value, cost.item(), rtol=1e-14)
    for g, p in zip(found, mlp.parameters(), strict=True):
        np.testing.assert_allclose(g, p.grad, rtol=1e-12, atol=1e-12 * np.abs(g).max())


def test_everyone_differentiates_the_chain():
    chain.check_alike(chain.everyone()[0], 200)
    with pytest.raises(AssertionError, match="liar"):
        chain.check_alike({"liar": lambda nodes: chain.derivative(nodes) * (1 + 1e-9)}, 200)


def test_the_memory_of_a_step_is_at_least_a_gradient():
    found, _ = everyone(SIZES, steps.digits(10))
    assert all([memory.peak(found[name]) > 784 * 30 * 8 for name in (BYHAND, OURS)])


def test_a_fresh_python_tells_its_time():
    assert startup.seconds("print('something else')") > 0


# ------------------------------------------------------------------------------------------------------ ratios and rows


def test_turns_change_places_and_ratios_are_of_quiet_turns(monkeypatch):
    clock, order = itertools.count(), []
    now = {"time": 0.0}
    monkeypatch.setattr(timing.time, "process_time", lambda: now["time"])

    def run(name, takes):
        def turn(i):
            order.append(name)
            now["time"] += takes * (100 if next(clock) == 5 else 1)  # once, something disturbs

        return turn

    times = take_turns({"a": run("a", 3.0), "b": run("b", 2.0)}, rounds=2, turns=20)
    assert "".join(order).startswith("abbaabba")
    assert times.ratio("a", "b") == pytest.approx((1.5, 1.5, 1.5))


def test_ratios_are_medians_over_rounds():
    times = Times({"a": np.array([[2.0], [3.0], [10.0]]), "b": np.ones((3, 1))})
    assert times.ratio("a", "b") == Ratio(3.0, 2.0, 10.0)


def test_a_row_tells_whether_its_goal_is_reached():
    slow, fast = Ratio(2.0, 1.9, 2.1), Ratio(5.0, 4.0, 6.0)
    assert [Row("", "", slow, goal=goal).reached for goal in (2.0, 1.9, None)] == [True, False, None]
    assert [Row("", "", fast, "× faster", goal).reached for goal in (5.0, 5.1)] == [True, False]
    assert Row("w", "x", fast, "× faster", 4.0).texts() == ("x", "5.00× faster", "4.00 … 6.00", "≥ 4×: yes")
    assert Row("w", "x", Ratio(29.0, 25.0, 1234.0), "ms", 30.0).texts() == (
        "x",
        "29.0 ms",
        "25.0 … 1,234",
        "≤ 30 ms: yes",
    )


def test_who_is_not_installed_is_reported_and_not_guessed():
    row = absent("w", "x", 3.0)
    assert row.texts() == ("x", "not installed", "", "≥ 3×")
    assert row.data()["value"] is None
    assert row.reached is None


def test_the_table_names_a_workload_once():
    rows = [Row("w", "x", Ratio(1.0, 1.0, 1.0), note="of digits"), absent("w", "y"), absent("v", "y")]
    assert [line[0] for line in table(rows).rows] == ["w", "", "v"]
    assert notes(rows) == ["w: of digits"]


# ---------------------------------------------------------------------------------------------------------- the profile


def test_a_recorded_step_makes_the_calls_and_numbers_of_the_step():
    batches, counted, trace = steps.digits(10), Counting(), Trace()
    observed_file(byhand.__file__, counted)["step"](initial(SIZES), *batches[1], 0.1, 1.0)
    recorded(trace, hand_step(SIZES, observed_file(byhand.__file__, trace)["step"]), batches)
    assert [call.name for call in trace.calls] != []
    assert len(trace.calls) == counted.calls.total()
    assert len(trace.function()()) == len(trace.function(reuse=True)()) == 2  # its beginning, and the end of its phase
    assert len(trace.function(clock_each=True)()) == 1 + len(trace.calls)


def test_a_recorded_function_computes_what_was_recorded(tmp_path):
    path = tmp_path / "sample.py"
    path.write_text("import numpy as np\ndef f(a, b, out):\n    out += np.exp(a.T @ b)\n", encoding="utf-8")
    for reuse in (False, True):
        trace = Trace()
        f = observed_file(path, trace)["f"]
        a, b, out = np.ones((3, 2)), np.full((3, 4), 0.5), np.zeros((2, 4))
        trace.on = True
        f(a, b, out)
        trace.phase()
        assert [call.name for call in trace.calls] == ["matmul", "exp", "add"]
        kept = next(c for c in trace.constants.values() if isinstance(c, np.ndarray) and c.shape == out.shape)
        before = kept.copy()
        trace.function(reuse=reuse)()
        np.testing.assert_allclose(kept - before, np.exp(np.full((2, 4), 1.5)), rtol=1e-14)


# ------------------------------------------------------------------------------------------------------------- the page


@pytest.mark.skipif(not PAGE.exists(), reason="the tests run away from the repository")
def test_the_page_has_a_figure_for_every_workload():
    text = PAGE.read_text(encoding="utf-8")
    for workload, (_, size, _) in steps.SHAPES.items():
        assert f"| {workload} |" in text
        assert f"| memory: {workload} |" in text
        assert (f"**A {workload}**" in text) == (size == 10)  # of these there is a profile
    assert all([f"\n| {phase} |" in text for phase in PHASES])
    assert all([f"\n| chain of {n:,} nodes |" in text for n in chain.NODES])
