"""Chains of neurons: the chapter's numbers, the statistics of random chains, and where gradients explode."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_vg as vg
from tinygrad_vg.lab import chain, chain_terms, random_chains
from tinygrad_vg.lab.chain import balanced_chain, gradients, neuron_chain

SMALL = {
    "quick": True,
    "seeds": 4,
    "chains": 2000,
    "depth": 8,
    "width": 40,
    "layers": 12,
    "scales": (0.5, 1, 4, 16, 32),
}
NUMBERS = (2.79845537236e-4, -2.07628769018e-3, -1.00706771205e-2, 1.10692885582e-1)
"""∂C/∂b of the example, worked out elsewhere."""


def sigma(z):
    return 1 / (1 + np.exp(-z))


def random_chain(seed, depth):
    rng = np.random.default_rng(seed)
    return rng.standard_normal(depth).tolist(), rng.standard_normal(depth).tolist(), float(rng.random())


# ------------------------------------------------------------------------------------------------------- single chains


def test_the_example():
    assert_allclose(gradients(neuron_chain()), NUMBERS, rtol=1e-11)
    assert_allclose(chain_terms.product_of_terms(**chain.EXAMPLE), NUMBERS, rtol=1e-11)
    assert_allclose(chain_terms.exact_gradients(**chain.EXAMPLE), NUMBERS, rtol=1e-11)


@pytest.mark.parametrize("seed", range(5))
def test_backprop_formula_and_exact_arithmetic_agree(seed):
    case = random_chain(seed, 3 + 4 * seed)
    truth = chain_terms.exact_gradients(*case)
    assert_allclose(gradients(neuron_chain(*case)), truth, rtol=1e-14 * 4 * len(truth))
    assert_allclose(chain_terms.product_of_terms(*case), truth, rtol=1e-14 * 4 * len(truth))
    w, b, a0 = case

    def cost(first):
        a = a0
        for j, (wj, bj) in enumerate(zip(w, b, strict=True)):
            a = sigma(wj * a + (first if j == 0 else bj))
        return a**2 / 2

    slope = (cost(b[0] + 1e-20j)).imag / 1e-20  # the complex step
    assert_allclose(truth[0], slope, rtol=1e-11)


def test_exactly_16_and_625():
    g = gradients(balanced_chain(1, 4))
    assert g[2] / g[0] == 16
    g = gradients(balanced_chain(100, 4))
    assert_allclose([g[0] / g[2], g[0] / g[1], g[1] / g[2]], [625, 25, 25], rtol=1e-12)
    made = balanced_chain(100, 4, a0=0.7)
    assert [float(b.data) for b in made.b] == [-70, -50, -50, -50]


def test_the_error_of_small_changes_falls_to_a_quarter():
    changes = 0.5 ** np.arange(6, 14)
    errors = chain_terms.small_changes((0.8, -0.6, 0.9, -0.4), (0.1, -0.2, 0.3, 0.05), 0.7, changes)
    assert list(errors) == ["a₁", "a₂", "a₃", "a₄", "C"]
    for error in errors.values():
        assert np.all(np.abs(error[:-1] / error[1:] / 4 - 1) < 0.02)
    z = 0.8 * 0.7 + 0.1
    slope = sigma(z) * sigma(-z)
    assert_allclose(errors["a₁"], np.abs(sigma(z + changes) - sigma(z) - slope * changes), rtol=1e-6)


# ------------------------------------------------------------------------------------------------------- random chains


def test_random_chains_are_the_chains_of_neurons():
    made = random_chains.random_chains(5, 6, np.random.default_rng(3), a0=0.7)
    loss = made.log_loss()
    for k in range(5):
        a, b = 0.7, []
        for j in range(6):
            b.append(made.z[j, k] - made.w[j, k] * a)
            a = float(sigma(made.z[j, k]))
        g = np.abs(gradients(neuron_chain(made.w[:, k].tolist(), b, 0.7)))
        assert_allclose(np.exp(loss[:, k]), g / g[0], rtol=1e-10)
    assert_allclose(np.exp(made.log_terms), np.abs(made.w * sigma(made.z) * sigma(-made.z)), rtol=1e-12)


def test_no_term_is_lost_where_the_slope_underflows():
    made = random_chains.RandomChains(np.array([[2.0]]), np.array([[800.0]]))
    assert_allclose(made.log_terms, [[math.log(2) - 800]], rtol=1e-14)


def test_the_law_behind_the_learning_speeds():
    assert_allclose(1 / random_chains.predicted_growth(1), 4.88, atol=0.005)
    t = np.random.default_rng(0).standard_normal(100_000)
    for scale in (0.5, 1, 3):
        predicted = random_chains.predicted_growth(scale)
        v = 1.0
        for _ in range(25):  # the same fixed point by sampling
            v = 1 + scale**2 * np.mean(vg.sigmoid(math.sqrt(v) * t) ** 2)
        z = math.sqrt(v) * t
        assert_allclose(scale * np.sqrt(np.mean((vg.sigmoid(z) * vg.sigmoid(-z)) ** 2)), predicted, rtol=0.02)


def test_layers_grow_as_predicted():
    for scale in (0.5, 1.0, 4.0):
        found = [random_chains.growth_in_layers(scale, 60, 10, seed) for seed in range(6)]
        spread = np.std(found, ddof=1)
        assert (
            abs(np.mean(found) - random_chains.predicted_growth(scale)) < 4 * spread / math.sqrt(6) + 0.05 * scale / 4
        )


def test_the_critical_scale():
    assert_allclose(random_chains.critical_scale(lambda s: s / 4), 4, rtol=1e-8)
    with pytest.raises(ValueError, match="does not pass 1"):
        random_chains.critical_scale(lambda s: 0.1)
    critical = random_chains.critical_scale(random_chains.predicted_growth)
    assert_allclose(random_chains.predicted_growth(critical), 1, rtol=1e-6)


# ------------------------------------------------------------------------------------------------------- the experiment


@pytest.fixture(scope="module")
def small():
    return chain.run(**SMALL)


def test_all_claims_hold(small):
    assert [(claim.row, claim.word) for claim in small.claims] == [
        (row, "holds") for row in ("20-21", "29", "23", "23", "24", "24", "25, 30", "26, 31", "26, 31")
    ]


@pytest.mark.parametrize(
    ("key", "number", "allowed"),
    [
        ("weights_below_one", 0.6827, 0.01),
        ("below_quarter", 0.812, 0.012),
        ("below_quarter_a0", 0.773, 0.025),
        ("below_quarter_a1", 0.887, 0.02),
        ("geometric_mean", 0.0995, 0.002),
        ("above_sixteen", 0.904, 0.02),
    ],
)
def test_random_chains_have_the_statistics_told(small, key, number, allowed):
    """Within three standard deviations of one seed with 2,000 chains."""
    assert np.all(np.abs(small.data[key] - number) < allowed)


def test_the_median_of_the_ratio_is_79(small):
    medians = np.exp(small.data["loss_quantiles"][:, 2, 1])
    assert abs(np.mean(medians) - 79.2) < 5
    assert np.all(small.data["loss_quantiles"][:, 0] == 0)


def test_the_sweep(small):
    assert_allclose(small.data["growth_balanced"], np.array(SMALL["scales"]) / 4, rtol=1e-10)
    layers = small.data["growth_layers"]
    assert np.all(layers[:, :3] < 1)
    assert np.all(layers[:, -1] > 1)
    assert np.all(small.data["growth_chains"] < 0.25)


def test_the_same_settings_give_the_same(small):
    again = chain.run(**SMALL)
    assert again.to_dict() == small.to_dict()
    for key, array in small.data.items():
        assert_array_equal(again.data[key], array)


def test_it_can_be_saved(small, tmp_path):
    small.save(tmp_path)
    with np.load(tmp_path / "chain.npz") as data:
        assert set(data) == set(small.data)
    assert "book: 16" in (tmp_path / "chain.svg").read_text(encoding="utf-8")


def test_one_seed_and_a_sweep_that_does_not_reach():
    seen = []
    run = chain.run(
        seeds=1, chains=1, depth=3, layers=2, width=1, scales=[0.5, 1], progress=lambda *at: seen.append(at)
    )
    assert seen == [(1, 1)]
    assert run.claims[-2].word == "undecided"
    assert "±" not in str(run.verdict)
    run.plot()


def test_seeds_that_differ_decide_nothing():
    assert chain._usual(np.array([0.6, 0.7])) is True
    assert chain._usual(np.array([0.4, 0.3])) is False
    assert chain._usual(np.array([0.4, 0.7])) is None


def test_a_crossing_is_found_where_the_curve_passes_one():
    scales = np.array([1.0, 4.0, 16.0])
    assert_allclose(chain._crossing(scales, np.array([0.5, 2, 8])), 2)
    for growth in ([0.1, 0.2, 0.3], [2, 3, 4], [0.5, 2, 0.5], [2, 0.5, 2]):
        assert chain._crossing(scales, np.array(growth)) is None


@pytest.mark.parametrize(
    "settings",
    [
        {"seeds": "x"},
        {"seeds": 0},
        {"chains": 0},
        {"depth": 2},
        {"width": 0},
        {"layers": 1},
        {"scales": []},
        {"scales": [1, -1]},
        {"scales": [2, 1]},
        {"scales": [1, 200]},
        {"scales": "ab"},
    ],
)
def test_bad_settings(settings):
    (name,) = settings
    with pytest.raises((ValueError, TypeError), match=f"^{name} must"):
        chain.run(**settings)


# ------------------------------------------------------------------------------------------------------ planted errors


def shifted(w, b, a0, y=0.0):
    """The product with each weight at the wrong neuron."""
    return chain_terms.product_of_terms([*w[1:], w[0]], b, a0, y)


def all_terms(self):
    """The ratio with w₁ in it, and without the last weight."""
    return -np.cumsum(self.log_terms, axis=0)


@pytest.mark.parametrize(
    ("place", "name", "fault", "claim"),
    [
        (chain, "product_of_terms", shifted, 0),
        (chain, "small_changes", lambda *args: {"a₁": 0.1 * args[-1]}, 1),  # an error of first order
        (chain, "balanced_chain", lambda w, n, a0=0.5: neuron_chain([w] * n, [-w / 3] * n, a0), 4),
        (chain, "growth_in_layers", lambda s, *rest: 0.9, 7),
        (chain, "growth_in_chains", lambda s, *rest: s, 8),
    ],
)
def test_a_planted_error_is_found_out(monkeypatch, place, name, fault, claim):
    monkeypatch.setattr(place, name, fault)
    assert not chain.run(**SMALL).claims[claim].holds


def test_a_wrong_product_moves_the_median(monkeypatch):
    monkeypatch.setattr(random_chains.RandomChains, "log_loss", all_terms)
    medians = np.exp(chain.run(**SMALL).data["loss_quantiles"][:, 2, 1])
    assert abs(np.mean(medians) - 79.2) > 50


@pytest.mark.slow
def test_full_size():
    found = chain.run()
    assert found.verdict
    assert all([claim.holds for claim in found.claims])
    assert abs(np.mean(np.exp(found.data["loss_quantiles"][:, 2, 1])) - 79) < 1
    assert abs(np.mean(found.data["below_quarter"]) - 0.812) < 0.002
