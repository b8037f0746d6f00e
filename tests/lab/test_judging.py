"""The two small tests of significance, held to scipy's."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from tinygrad_vg.lab.judging import is_like, sign_flip_p


@pytest.mark.parametrize("seed", range(5))
def test_sign_flips_are_scipys(seed):
    d = np.random.default_rng(seed).normal(0.5, 1, size=9)
    expected = stats.permutation_test((d,), np.mean, permutation_type="samples", n_resamples=np.inf).pvalue
    assert_allclose(sign_flip_p(d), expected, rtol=1e-12)


def test_many_pairs_are_drawn():
    d = np.random.default_rng(3).normal(0.45, 1, size=30)
    expected = stats.ttest_1samp(d, 0).pvalue
    assert 0.01 < expected < 0.1
    assert_allclose(sign_flip_p(d), expected, rtol=0.15)
    assert sign_flip_p(d) == sign_flip_p(d)
    assert sign_flip_p(np.full(30, 5.0)) == pytest.approx(1e-5, rel=0.1)


def test_few_pairs_settle_nothing():
    assert sign_flip_p([0.3] * 5) == 2 / 2**5
    assert sign_flip_p([0.3] * 6) < 0.05
    assert sign_flip_p([0.0, 0.0]) == 1
    assert sign_flip_p([0.7]) == 1


def test_a_run_like_these():
    runs = np.random.default_rng(0).normal(10, 2, size=400)
    assert is_like(10 + 2.5 * 2, runs)
    assert not is_like(10 + 3.6 * 2, runs)
    assert not is_like(10 - 3.6 * 2, runs)
    assert is_like(10, runs[:2]) is None
