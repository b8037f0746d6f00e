"""The strategies: what they promise of every drawn thing; that everything is reached, and shrinks to a lesson."""

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample, Unsatisfiable

import tinygrad_vg as vg
from tinygrad_vg import strategies as vgs
from tinygrad_vg.opcases import OpCase, cases_of, table
from tinygrad_vg.strategies.vocabulary import op_of

FIXED = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=500,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


def smallest(strategy, such=lambda thing: True):
    """The same in every run."""
    return find(strategy, such, settings=FIXED)


def reached(strategy, such, examples=500):
    """Something of the kind, small or not."""
    return find(strategy, such, settings=settings(FIXED, phases=[Phase.generate], max_examples=examples))


def some(percent):
    """A share of the profile's examples, for what takes long."""
    return settings(max_examples=max(5, settings.default.max_examples * percent // 100))


def same_bits(a, b):
    a, b = [x.data if isinstance(x, vg.Tensor) else np.asarray(x) for x in (a, b)]
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()


# ------------------------------------------------------------------------------------------------------------- shapes


@given(vgs.shapes(min_dims=1, max_dims=2, min_side=2, max_side=4, empty=False))
def test_shapes_keep_to_their_bounds(shape):
    assert 1 <= len(shape) <= 2
    assert all(2 <= n <= 4 for n in shape)


@given(vgs.shapes())
def test_shapes_are_tuples_of_whole_numbers(shape):
    assert type(shape) is tuple
    assert len(shape) <= 3
    assert all(type(n) is int and 0 <= n <= 3 for n in shape)


@given(st.integers(1, 4).flatmap(lambda n: st.tuples(st.just(n), vgs.broadcast_shapes(n))))
def test_shapes_can_be_broadcast(drawn):
    n, shapes = drawn
    assert len(shapes) == n
    assert np.broadcast_shapes(*shapes) == sum(map(np.zeros, shapes), np.zeros(())).shape
    assert all(k <= 3 for shape in shapes for k in shape)


@given(vgs.matmul_shapes())
def test_shapes_can_be_multiplied(pair):
    one, two = pair
    assert (np.zeros(one) @ np.zeros(two)).ndim <= 3
    assert all(k <= 3 for shape in pair for k in shape)


def test_all_shapes_are_reached_and_the_smallest_comes_out():
    assert smallest(vgs.shapes()) == ()
    assert smallest(vgs.shapes(), lambda s: len(s) == 3) == (1, 1, 1)
    assert smallest(vgs.shapes(), lambda s: 3 in s) == (3,)
    assert smallest(vgs.shapes(), lambda s: 0 in s) == (0,)
    assert smallest(vgs.shapes(min_dims=1)) == (1,)
    assert smallest(vgs.shapes(min_dims=2, min_side=2)) == (2, 2)
    assert smallest(vgs.broadcast_shapes(3)) == ((), (), ())
    assert reached(vgs.broadcast_shapes(2), lambda s: 0 in s[0] and s[1] != s[0])
    crossed = smallest(vgs.broadcast_shapes(2), lambda s: np.broadcast_shapes(*s) not in s)  # (2, 1) and (2,), say
    assert sum(map(len, crossed)) <= 4
    assert {n for shape in crossed for n in shape} == {1, 2}
    assert smallest(vgs.matmul_shapes()) == ((1,), (1,))
    assert smallest(vgs.matmul_shapes(), lambda s: len(s[0]) == 1 and len(s[1]) == 3) == ((1,), (1, 1, 1))
    stretched = smallest(vgs.matmul_shapes(), lambda s: len(s[0]) == len(s[1]) == 3 and s[0][0] != s[1][0])
    assert sorted(stretched) == [(1, 1, 1), (2, 1, 1)]
    assert smallest(vgs.matmul_shapes(), lambda s: 0 in s[0]) == ((0,), (0,))


def test_shapes_left_out_are_never_drawn():
    for strategy, never in [
        (vgs.shapes(min_dims=1), lambda s: s == ()),
        (vgs.shapes(empty=False), lambda s: 0 in s),
        (vgs.shapes(min_side=2), lambda s: 1 in s),
        (vgs.broadcast_shapes(2, empty=False), lambda s: 0 in s[0] + s[1]),
        (vgs.matmul_shapes(empty=False), lambda s: 0 in s[0] + s[1]),
        (vgs.matmul_shapes(max_dims=2), lambda s: len(s[0]) > 2),
    ]:
        with pytest.raises(NoSuchExample):
            reached(strategy, never, examples=150)
    with pytest.raises(ValueError, match="two axes"):
        vgs.matmul_shapes(max_dims=1)


# ------------------------------------------------------------------------------------------------------------- arrays


@given(vgs.arrays(vgs.shapes()))
def test_arrays_hold_eighths(x):
    assert type(x) is np.ndarray
    assert x.dtype == np.float64
    assert (8 * x == np.round(8 * x)).all()
    assert (np.abs(x) <= 2).all()


@given(st.data(), vgs.shapes(max_side=5))
def test_distinct_numbers_lie_apart(data, shape):
    x = data.draw(vgs.arrays(shape, "distinct"))
    assert x.shape == shape
    assert (np.diff(np.sort(x, axis=None)) >= 4 / max(64, 8 * x.size)).all()


DOMAINS = [(0.3, 3.0), (-1e-3, 1e-3), ((-2.0, -0.3), (0.3, 2.0)), (1e6, 1e9), (0.9, 1.1)]


@given(st.sampled_from(DOMAINS).flatmap(lambda d: st.tuples(st.just(d), vgs.arrays(vgs.shapes(), domain=d))))
def test_numbers_lie_in_the_domain(drawn):
    domain, x = drawn
    inside = [(low <= x) & (x <= high) for low, high in np.reshape(domain, (-1, 2))]
    assert np.logical_or.reduce(inside, initial=x.size == 0).all()


@given(vgs.arrays((2, 3), "log-uniform", domain=(1e-300, 1e3)))
def test_log_uniform_numbers_have_one_digit(x):
    assert ((np.abs(x) >= 1e-300) & (np.abs(x) <= 1e3)).all()
    assert all(len(f"{v:e}".split("e")[0].strip("-0.")) == 1 for v in x.flat)


def test_all_decades_are_alike():
    counts = {}

    @settings(FIXED, max_examples=300)
    @given(vgs.arrays(20, "log-uniform", domain=(1e-3, 1e3)))
    def draw(x):
        for v in x:
            decade = math.floor(math.log10(abs(v)) + 1e-9)
            counts[decade] = counts.get(decade, 0) + 1

    draw()
    assert set(counts) == set(range(-3, 4))
    inner = [counts[d] for d in range(-3, 3)]
    assert max(inner) < 4 * min(inner)


def test_all_numbers_are_reached_and_round_ones_come_out():
    assert smallest(vgs.arrays((2, 2))).tolist() == [[0, 0], [0, 0]]
    assert smallest(vgs.arrays(()), lambda x: x > 1) == 2
    assert smallest(vgs.arrays(()), lambda x: 0 < abs(x) < 1) == 0.5
    assert smallest(vgs.arrays((), domain=(0.3, 3.0))) == 1
    assert smallest(vgs.arrays((), domain=(0.3, 0.9))) == 0.5
    assert smallest(vgs.arrays(vgs.shapes()), lambda x: x.size == 0).shape == (0,)
    assert smallest(vgs.arrays(3, "distinct")).tolist() == [0, 1, -1]
    assert smallest(vgs.arrays((), "saturated")) == 0
    assert smallest(vgs.arrays((), "saturated"), lambda z: z < -36) == -37
    assert smallest(vgs.arrays(20, "saturated"), lambda z: 40 in z and -40 in z).size == 20
    assert smallest(vgs.arrays((), "log-uniform")) == 1
    assert smallest(vgs.arrays((), "log-uniform"), lambda x: x < 0) == -1
    assert smallest(vgs.arrays((), "log-uniform", domain=(1e-300, 1.0)), lambda x: abs(x) < 1e-200) == 1e-201


def test_bad_kinds_and_domains_are_refused_at_once():
    for kind, domain, message in [
        ("normal", None, "unknown kind 'normal'; there are grid, distinct, saturated, log-uniform"),
        ("grid", (2.0, 1.0), "low < high"),
        ("grid", (0.0, np.inf), "finite"),
        ("grid", 3.0, "a domain is"),
        ("grid", (), "a domain is"),
        ("log-uniform", (0.0, 1.0), "must be positive"),
    ]:
        with pytest.raises(ValueError, match=message):
            vgs.arrays((), kind, domain=domain)


@given(vgs.cotangents(vgs.shapes(max_side=5)))
def test_cotangents_hide_nothing(g):
    assert g.dtype == np.float64
    assert len(set(np.abs(g).flat)) == g.size  # no two of the same size: nothing can be shuffled
    assert not np.isin(np.abs(g), [0.0, 1.0]).any()
    assert g.size < 2 or (g.min() < 0 < g.max())


@given(vgs.cotangents((2, 3), magnitudes=(1e-18, 1.0)))
def test_cotangents_of_all_decades(g):
    assert ((np.abs(g) >= 1e-18) & (np.abs(g) < 1)).all()
    assert len(set(np.abs(g).flat)) == g.size


def test_the_smallest_cotangents():
    assert smallest(vgs.cotangents(())) == 2
    assert smallest(vgs.cotangents(()), lambda g: g < 0) == -2
    assert smallest(vgs.cotangents(3)).tolist() == [2, 0.5, -1.5]
    tiny = smallest(vgs.cotangents(3, magnitudes=(1e-18, 1.0)), lambda g: np.abs(g).max() < 1e-15)
    assert len(tiny) == 3


def test_a_cotangent_of_ones_would_have_hidden_the_fault():
    """What the strategy is for: a rule that ignores its cotangent is right for ones and wrong for all drawn ones."""

    def deaf(g, out, x):
        return np.cos(x)

    sin = vg.primitive(np.sin, (deaf,), name="sin_")

    def wrong(g):
        x = vg.Tensor(np.full(g.shape, 0.5))
        return not np.array_equal(vg.backprop(sin(x), g, wrt=[x])[x], g * np.cos(0.5))

    assert not wrong(np.ones(3))
    with pytest.raises(NoSuchExample):
        reached(vgs.cotangents(vgs.shapes(empty=False)), lambda g: not wrong(g), examples=100)


# ------------------------------------------------------------------------------------------------------ samples of ops


@some(50)
@given(st.sampled_from(table()).flatmap(vgs.op_cases))
def test_op_cases_of_the_table_give_what_the_reference_gives(sample):
    value = np.asarray(sample.subject.call(*sample.args))
    expected = np.asarray(sample.subject.reference(*sample.args))
    assert value.shape == expected.shape == sample.cotangent.shape
    np.testing.assert_allclose(value, expected, rtol=1e-11, atol=1e-13)
    assert [g.shape for g in sample.gradients] == [a.shape for a in sample.args]


def test_every_way_of_calling_an_op_is_reached():
    for op in (np.matmul, np.linalg.norm, np.sum):
        for case in cases_of(op):
            assert reached(vgs.op_cases(op), lambda s, case=case: s.subject.name == case.name)
    assert reached(vgs.op_cases(np.hypot), lambda s: s.args[0].size == 0)
    assert repr(smallest(vgs.op_cases(np.exp))) == "exp(0.0)"
    assert repr(smallest(vgs.op_cases(np.log))) == "log(1.65)"


def cube_rule(g, out, x):
    return g * 3 * x**2


cube = vg.primitive(lambda x: x**3, (cube_rule,), name="cube")


def test_an_op_of_ones_own_needs_samples():
    assert repr(smallest(vgs.op_cases(cube, samples=[0.5, np.ones(2)]))) == "cube(0.5)"
    assert repr(smallest(vgs.op_cases(cube, samples=vgs.arrays(())), lambda s: s.args[0] > 0)) == "cube(1.0)"
    assert smallest(vgs.op_cases(cube, samples=lambda rng: rng.random(3))).args[0].shape == (3,)
    case = OpCase("cube", cube, lambda x: x * x * x)
    assert smallest(vgs.op_cases(cube, cases=[case]), lambda s: s.args[0].ndim == 2).subject.name == "cube"
    for samples in (None, []):
        with pytest.raises(ValueError, match="samples"):
            vgs.op_cases(cube, samples=samples)


# ---------------------------------------------------------------------------------------------------------- expressions


def gradients(f, leaves, cotangent):
    """The value on Tensors and the gradient of each leaf."""
    xs = [vg.Tensor(x) for x in leaves]
    y = f(*xs)
    found = vg.backprop(y, cotangent, wrt=xs)
    return y, [found[x] for x in xs]


def cotangent_for(y):
    rng = np.random.default_rng(0)
    return 0.3 + rng.standard_normal(np.shape(y))


@given(vgs.expressions())
def test_arrays_and_tensors_give_the_same_bits(e):
    value = e.build()
    assert same_bits(value, e.build(e.leaves))
    assert same_bits(value, e(*e.leaves))
    assert same_bits(value, e(*map(vg.Tensor, e.leaves)))
    assert len(e.names) == len(e.leaves) + len(e.steps)


@given(vgs.expressions(kinks=True))
def test_values_are_finite_and_of_ordinary_size(e):
    for n in range(1, len(e.steps) + 1):
        with np.errstate(all="raise", under="ignore"):
            value = vgs.Expression(e.leaves, e.steps[:n]).build()
        assert np.isfinite(value).all()
        assert (np.abs(value) <= 8).all()
    numbers = np.concatenate([x.ravel() for x in e.leaves])
    assert len(set(numbers)) == len(numbers)
    assert not (numbers == 0).any()


OPTIONS = {
    "leaves": (vgs.expressions(leaves=(2, 2)), lambda e: len(e.leaves) == 2),
    "nodes": (vgs.expressions(nodes=(3, 5)), lambda e: 3 <= len(e.steps) <= 5),
    "as many nodes": (vgs.expressions(nodes=(6, 6)), lambda e: len(e.steps) == 6),
    "no nodes": (vgs.expressions(nodes=(0, 0)), lambda e: e.build() is e.leaves[-1]),
    "numbers": (vgs.expressions(max_dims=0), lambda e: {x.shape for x in e.leaves} == {()}),
    "sides": (vgs.expressions(max_dims=3, max_side=5), lambda e: all(max(x.shape, default=0) <= 5 for x in e.leaves)),
    "broadcast": (vgs.expressions(leaves=(3, 3)), lambda e: sum(e.leaves).size > 0),
    "scalar": (vgs.expressions(scalar=True), lambda e: np.shape(e.build()) == ()),
    "ops": (vgs.expressions(ops=["np.sin({0})", np.multiply]), lambda e: "+" not in repr(e)),
    "domain": (vgs.expressions(domain=(5.0, 6.0)), lambda e: all(((x >= 5) & (x <= 6)).all() for x in e.leaves)),
    "limit": (vgs.expressions(limit=0.5, ops=["np.sin({0})"]), lambda e: (np.abs(e.build()) <= 0.5).all()),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_options_are_honoured(name):
    strategy, holds = OPTIONS[name]

    @some(50)
    @given(strategy)
    def test(e):
        assert holds(e)

    test()


@some(50)
@given(vgs.expressions(kinks=True, empty=True, max_dims=3))
def test_the_source_gives_the_same_bits(e):
    names = {}
    exec("\n".join(e.source().splitlines()[:-1]), names)  # without the check
    leaves = [names[name] for name in e.names[: len(e.leaves)]]
    assert all(same_bits(x, mine) for x, mine in zip(leaves, e.leaves, strict=True))
    y, mine = gradients(e, e.leaves, cotangent_for(e.build()))
    again, theirs = gradients(names["expression"], leaves, cotangent_for(e.build()))
    assert same_bits(y, again)
    assert all(same_bits(a, b) for a, b in zip(mine, theirs, strict=True))


def test_the_source_runs_by_itself(tmp_path):
    e = reached(vgs.expressions(leaves=(2, 2)), lambda e: "@" in e.source() and e.shared and e.unused)
    path = tmp_path / "lesson.py"
    path.write_text(e.source(), encoding="utf-8")
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout == f"{vg.check_gradients(e, *e.leaves)}\n"


def test_the_same_draw_gives_the_same_expression():
    runs = []
    for _ in range(2):
        runs.append([])

        @settings(FIXED, max_examples=30)
        @given(vgs.expressions())
        def draw(e):
            runs[-1].append(repr(e))

        draw()
    assert runs[0] == runs[1]
    assert len(set(runs[0])) > 15


def repeated(e):
    return any(len(set(step.operands)) < len(step.operands) for step in e.steps)


def inner(names):
    return [name for name in names if name[0] == "t"]


# What backprop goes wrong with, and the most lines the smallest example may take.
REACHED = {
    "a repeated operand": (repeated, 1),
    "a shared line": (lambda e: inner(e.shared), 2),
    "an unused line": (lambda e: inner(e.unused), 4),
    "an unused leaf": (lambda e: e.unused == ("x0",), 4),
    "three leaves, all used": (lambda e: len(e.leaves) == 3 and not e.unused, 4),
    "an axis of length 1 that is stretched": (lambda e: {x.shape for x in e.leaves} >= {(1,), (2,)}, 2),
    "a number among arrays": (lambda e: {x.shape for x in e.leaves} >= {(), (2,)}, 2),
    "axes crossed": (lambda e: sum(e.leaves).shape not in {x.shape for x in e.leaves}, 2),  # (2, 1) and (2,), say
    "a product of matrices": (lambda e: "@" in repr(e), 3),
    "a result with axes": (lambda e: np.ndim(e.build()) == 2, 2),
    "all the lines": (lambda e: len(e.steps) == 5 and not inner(e.unused), 5),
}


@pytest.mark.parametrize("name", REACHED)
def test_everything_is_reached_and_shrinks(name):
    such, lines = REACHED[name]
    e = smallest(vgs.expressions(nodes=(1, 5)), such)
    assert len(e.steps) <= lines, e
    assert all((2 * x == np.round(2 * x)).all() for x in e.leaves), e


def test_axes_of_length_0_are_reached_when_asked_for():
    e = smallest(vgs.expressions(empty=True), lambda e: any(x.size == 0 for x in e.leaves))
    assert len(e.steps) == 1
    assert [g.shape for g in gradients(e, e.leaves, cotangent_for(e.build()))[1]] == [x.shape for x in e.leaves]
    with pytest.raises(NoSuchExample):
        reached(vgs.expressions(), lambda e: any(x.size == 0 for x in e.leaves), examples=100)


def test_every_op_is_reached():
    seen = set()

    @settings(FIXED, max_examples=100)
    @given(vgs.expressions(kinks=True, nodes=(12, 16)))
    def draw(e):
        seen.update([step.op.text for step in e.steps])

    draw()
    assert seen == {*vgs.SMOOTH, *vgs.KINKED}


def test_the_smallest_expression_with_a_shared_line():
    e = smallest(vgs.expressions(), lambda e: inner(e.shared))
    assert repr(e) == "<expression x0 = 1.0; t0 = x0 + x0; t1 = t0 + t0>"
    assert (e.names, e.shared, e.unused) == (("x0", "t0", "t1"), ("x0", "t0"), ())
    assert e.source() == (
        "import numpy as np\n\nimport tinygrad_vg as vg\n\n\n"
        "def expression(x0):\n    t0 = x0 + x0\n    return t0 + t0\n\n\n"
        "x0 = np.array(1.0)\nprint(vg.check_gradients(expression, x0, raises=False))\n"
    )


def test_what_is_not_used_has_gradient_zero_and_is_marked():
    e = reached(vgs.expressions(), lambda e: "x0" in e.unused and "t0" in e.unused)
    _, (g, *_) = gradients(e, e.leaves, cotangent_for(e.build()))
    assert (g == 0).all()
    assert e.source().count("# not used") == len(inner(e.unused))


@given(vgs.expressions())
def test_unused_is_what_the_graph_does_not_reach(e):
    xs = [vg.Tensor(x, name) for x, name in zip(e.leaves, e.names, strict=False)]
    reached = set()

    def walk(t):
        reached.add(t.name)
        for parent in t.node.inputs if t.node is not None else ():
            if isinstance(parent, vg.Tensor):
                walk(parent)

    walk(e(*xs))
    assert {name for name in e.unused if name[0] == "x"} == {x.name for x in xs} - reached


def test_bad_ops_are_refused_at_once():
    def twin(x):
        return x

    def nothing():
        return 1.0

    twin.__name__ = "cube"
    for ops, error, message in [
        ([], ValueError, "ops is empty"),
        (["np.sin(x)"], ValueError, "is no op"),
        (["{1}"], ValueError, "is no op"),
        (["np.sin({0}"], ValueError, "no Python expression"),
        (["{0} +* {1}"], ValueError, "no Python expression"),
        ([3.0], TypeError, "an op is a function"),
        ([lambda x: x], ValueError, "give it a name"),
        ([cube, twin], ValueError, "several ops called cube"),
        ([nothing], ValueError, "nothing takes no array"),
        ([min], ValueError, "write it as text"),
    ]:
        with pytest.raises(error, match=message):
            vgs.expressions(ops=ops)
    for words in ({"leaves": (0, 1)}, {"leaves": (2, 1)}, {"nodes": (-1, 1)}, {"nodes": (2, 1)}):
        with pytest.raises(ValueError, match="at least one leaf"):
            vgs.expressions(**words)
    e = smallest(vgs.expressions())
    with pytest.raises(ValueError, match="1 leaves, but 2 were given"):
        e(1.0, 2.0)


def join(*arrays):
    return np.concatenate(arrays)


@pytest.mark.parametrize("text", vgs.SMOOTH)
def test_smooth_ops_have_a_derivative_everywhere(text):
    op = op_of(text)
    operands = [np.array([-8.0, 0.0, 8.0]), np.array([8.0, -8.0, 0.5])][: op.arity]
    with np.errstate(all="raise"):
        y, found = gradients(op.call, operands, cotangent_for(op.call(*operands)))
    assert np.isfinite(y.data).all()
    assert all(np.isfinite(g).all() for g in found)


def test_functions_are_called_by_the_name_one_knows():
    texts = {f: op_of(f).text for f in (np.sin, np.hypot, np.linalg.norm, vg.sigmoid, vg.softmax, cube, join)}
    assert list(texts.values()) == [
        "np.sin({0})",
        "np.hypot({0}, {1})",
        "np.linalg.norm({0})",
        "vg.sigmoid({0})",
        "vg.softmax({0})",
        "cube({0})",
        "join({0}, {1})",
    ]
    assert [op_of(f).own for f in (np.sin, vg.softmax, cube)] == [None, None, cube]


# ------------------------------------------------------------------------------------- what their gradients must be


def local(node, i):
    """The Jacobian of a node by one of its inputs, by the complex step: shape (output's size, input's size)."""
    columns = []
    for k in range(node.values[i].size):
        moved = [np.array(v, complex) if j == i else v for j, v in enumerate(node.values)]
        moved[i].flat[k] += 1e-20j
        columns.append(np.imag(node.op.forward(*moved, **node.params)).ravel() / 1e-20)
    return np.stack(columns, axis=-1)


def over_paths(y, leaf, cotangent):
    """The gradient as the sum over all paths of the products of their edges, and the same of absolute values."""
    edges = {}

    def walk(t, row, sizes):
        if t is leaf:
            total[0] += row
            total[1] += sizes
        for i, parent in enumerate(t.node.inputs if t.node is not None else ()):
            if isinstance(parent, vg.Tensor):
                if (t, i) not in edges:
                    assert t.node.op.analytic
                    edges[t, i] = local(t.node, i)
                walk(parent, row @ edges[t, i], sizes @ np.abs(edges[t, i]))

    total = [np.zeros(leaf.size), np.zeros(leaf.size)]
    walk(y, cotangent.ravel(), np.abs(cotangent).ravel())
    return [part.reshape(leaf.shape) for part in total]


def off_the_paths(e):
    """Whether backprop differs from the sum over paths."""
    xs = [vg.Tensor(x) for x in e.leaves]
    y = e(*xs)
    g = cotangent_for(y)
    found = vg.backprop(y, g, wrt=xs)
    for x in xs:
        due, sizes = over_paths(y, x, g)
        if not (np.abs(found[x] - due) <= 1e-11 * sizes).all():
            return True
    return False


PATHS = {"nodes": (1, 6), "limit": 4.0}


@some(50)
@given(vgs.expressions(**PATHS))
def test_gradients_are_the_sum_over_all_paths(e):
    assert not off_the_paths(e)


@given(vgs.expressions(ops=[*vgs.SMOOTH, cube]))
def test_the_result_depends_on_an_op_of_ones_own(e):
    text = e.source().splitlines()
    assert any("cube(" in line and "# not used" not in line for line in text)


@some(25)
@given(vgs.expressions(nodes=(1, 5), max_side=2))
def test_gradients_pass_the_check(e):
    assert vg.check_gradients(e, *e.leaves)


@some(25)
@given(vgs.expressions(scalar=True))
def test_scalar_expressions_pass_the_certificate(e):
    y = e(*map(vg.Tensor, e.leaves))
    if set(e.names[: len(e.leaves)]) <= set(e.unused):
        return
    assert vg.certify_backward(y)


swish = vg.primitive(
    lambda x: x * vg.sigmoid(x),
    (lambda g, out, x: g * vg.sigmoid(x) + out * vg.sigmoid(-x),),  # g is missing in the second term
    name="swish",
    analytic=True,
)
mix = vg.primitive(
    lambda x, y: x * np.exp(y),
    (lambda g, out, x, y: g * np.exp(y), lambda g, out, x, y: g * np.exp(y)),  # for y it is g * out
    name="mix",
    analytic=True,
)


@pytest.mark.parametrize(("op", "lines"), [(swish, 1), (mix, 2)])  # where x = 1 nothing is wrong with mix
def test_a_wrong_rule_is_found_and_shrunk_to_a_lesson(op, lines):
    e = smallest(vgs.expressions(ops=[*vgs.SMOOTH, op], **PATHS), off_the_paths)
    assert f"return {op.__name__}(" in e.source()
    assert len(e.steps) <= lines, e
    assert max(x.size for x in e.leaves) == 1
    assert f"from {__name__} import {op.__name__}" in e.source()
    with pytest.raises(vg.GradientMismatch):
        vg.check_gradients(e, *e.leaves)


def test_a_rule_that_is_wrong_in_company_only_is_found():
    """A rule that unlocks the cotangent it is given and writes to it spoils what the other operand of the sum gets."""

    def greedy(g, out, x):
        answer = g * np.cos(x)
        if type(g) is np.ndarray and g.base is None and g.ndim:
            g.setflags(write=True)
            g *= 2
        return answer

    sin = vg.primitive(np.sin, (greedy,), name="sin_", analytic=True)
    e = smallest(vgs.expressions(ops=["{0} + {1}", "{0} * {1}", sin], **PATHS), off_the_paths)
    assert 2 <= len(e.steps) <= 3, e
    assert "sin_(" in e.source()
    assert "# sin_ is a function of your own" in e.source()


def test_an_op_is_only_given_what_it_takes():
    """A ValueError says that shapes do not suit an op; other errors are the user's to see."""

    def only_pairs(x, y):
        if np.shape(x) != (2,) or np.shape(y) != (2,):
            raise ValueError("pairs, please")
        return x * y

    e = reached(vgs.expressions(ops=[*vgs.SMOOTH, only_pairs]), lambda e: "only_pairs" in e.source())
    assert np.isfinite(e.build()).all()

    def refuses(x):
        raise ValueError("nothing suits me")

    with pytest.raises(Unsatisfiable):  # not a test that passes because the op was never tried
        reached(vgs.expressions(ops=[*vgs.SMOOTH, refuses]), lambda e: True, examples=10)

    def broken(x):
        return x.nonsense

    with pytest.raises(AttributeError, match="nonsense"):
        reached(vgs.expressions(ops=[broken]), lambda e: True)


# ------------------------------------------------------------------------------------------------------------ networks


@some(50)
@given(vgs.mlps(depth=(1, 6), activation=("sigmoid", "tanh", "relu"), init=("default", "he")))
def test_networks_can_be_made_again_from_what_is_printed(net):
    again = eval(f"vg.nn.{net.made}")
    assert all(same_bits(p, q) for p, q in zip(again.parameters(), net.arrays, strict=True))
    x, y = [text.split(" = ")[1] for text in repr(net).strip("<>").split("; ")[1:]]
    assert same_bits(np.array(eval(x)), net.x)
    loss = vg.nn.losses.cross_entropy(again.logits(np.array(eval(x))), np.array(eval(y)))
    assert same_bits(loss, net.loss())
    assert same_bits(net.loss(*net.arrays), net.loss())
    assert net.x.shape == (len(net.y), net.mlp.sizes[0])
    assert all(0 <= label <= max(1, net.mlp.sizes[-1] - 1) for label in net.y)


@some(10)
@given(vgs.mlps())
def test_deep_networks_pass_the_certificate(net):
    assert vg.certify_backward(net.loss())


@some(10)
@given(vgs.mlps(depth=(20, 24), width=(1, 3)))
def test_very_deep_networks_pass_the_certificate(net):
    assert vg.certify_backward(net.loss())


def test_networks_shrink_to_one_unit_and_reach_depth_24():
    assert repr(smallest(vgs.mlps())) == (
        "<network vg.nn.MLP([1, 1], 'sigmoid', 'default', seed=0); x = [[1.0]]; y = [0]>"
    )
    deep = smallest(vgs.mlps(), lambda net: len(net.mlp.layers) == 24)
    assert deep.mlp.sizes == (1,) * 25
    tiny = smallest(vgs.mlps(), lambda net: 0 < abs(vg.grad(net.loss)(*net.arrays).item(0)) < 1e-12)
    assert len(tiny.mlp.layers) < 24
    assert smallest(vgs.mlps(), lambda net: len(net.y) == 3 and net.mlp.sizes[-1] == 4).mlp.sizes == (1, 4)


def test_a_fault_in_layer_1_of_a_deep_network_is_found():
    """A rule with a threshold of 1e-7 is right in every shallow network."""

    def flushed(g, out, z):
        slope = g * out * vg.sigmoid(-z)
        return np.where(np.less(np.abs(slope), 1e-7), 0, slope)

    sigmoid = vg.primitive(vg.sigmoid.op.forward, (flushed,), name="flushed", analytic=True)

    def fails(net):
        w = net.mlp.layers[0].w
        honest = vg.nn.MLP(net.mlp.sizes).bind(net.mlp.parameters())
        losses = [vg.nn.losses.cross_entropy(mlp.logits(net.x), net.y) for mlp in (net.mlp, honest)]
        wrong, right = [vg.backprop(loss, wrt=[w])[w] for loss in losses]
        return not np.allclose(wrong, right, rtol=1e-9, atol=0)

    net = smallest(vgs.mlps(width=(1, 1), batch=(1, 1), activation=sigmoid), fails)
    assert 4 < len(net.mlp.layers) < 16
    assert ", flushed, 'default', seed=" in repr(net)
    with pytest.raises(vg.GradientMismatch, match="flushed"):
        vg.certify_backward(net.loss())


# --------------------------------------------------------------------------------------------------------- the package


def test_strategies_are_loaded_when_they_are_asked_for():
    code = (
        "import sys, tinygrad_vg as vg; assert 'hypothesis' not in sys.modules; "
        "vg.strategies.shapes(); assert 'hypothesis' in sys.modules and 'pytest' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
