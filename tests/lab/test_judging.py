"""The two small tests of significance, held to scipy's."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from tinygrad_vg.lab.judging import is_like, sign_flip_p, student_p


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


@pytest.mark.parametrize("freedom", [1, 2, 5, 30, 400])
@pytest.mark.parametrize("t", [0.0, -0.3, 1.0, 2.5, 7.0])
def test_student_is_scipys(t, freedom):
    assert_allclose(student_p(t, freedom), 2 * stats.t.sf(abs(t), freedom), rtol=1e-8)


@pytest.mark.parametrize("n", [3, 8, 20])
def test_one_run_in_a_hundred_is_called_unlike(n):
    """However few they are: of runs of the same kind, one in a hundred."""
    rng = np.random.default_rng(n)
    drawn = rng.normal(7, 2, size=(3000, n + 1))
    unlike = sum(not is_like(row[0], row[1:]) for row in drawn)
    assert 15 < unlike < 46  # 30 ± 5.4


def test_a_run_like_these():
    runs = np.random.default_rng(0).normal(10, 2, size=400)
    assert is_like(10 + 2.3 * 2, runs)
    assert not is_like(10 + 3 * 2, runs)
    assert not is_like(10 - 3 * 2, runs)
    assert is_like(10, runs[:2]) is None
    assert is_like(5.0, [5.0] * 3) is True
    assert is_like(5.1, [5.0] * 3) is False
