"""What experiments are given: bad settings get one clear line, and data come as they were meant."""

import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from threadpoolctl import threadpool_info, threadpool_limits

from tinygrad_vg import datasets
from tinygrad_vg.lab import settings

X, Y = np.arange(24.0).reshape(12, 2), np.arange(12) % 3


@pytest.mark.parametrize("value", ["x", 1.5, True, None])
def test_a_count_is_an_integer(value):
    with pytest.raises(TypeError, match="width must be an integer"):
        settings.count(value, "width")


def test_counts():
    assert settings.count(np.int64(3), "width") == 3
    assert settings.count(0, "width", 0) == 0
    with pytest.raises(ValueError, match="width must be at least 2, got 1"):
        settings.count(1, "width", 2)


def test_seeds():
    assert settings.seed_list(None, 3) == [0, 1, 2]
    assert settings.seed_list(2, 3) == [0, 1]
    with pytest.raises(ValueError, match="seeds must be at least 1"):
        settings.seed_list(0, 3)


def test_numbers():
    assert settings.numbers(np.array([1, 2]), "scales") == [1.0, 2.0]
    assert settings.numbers([-1], "scales", positive=False) == [-1.0]
    for value in ("ab", 3, [1, "x"], [[1, 2], [3]]):
        with pytest.raises(TypeError, match="scales must be a list of numbers"):
            settings.numbers(value, "scales")
    for value in ([], [0, 1], [1, np.nan], [[1, 2], [3, 4]]):
        with pytest.raises(ValueError, match="scales must be a list of positive numbers"):
            settings.numbers(value, "scales")


def test_spread():
    assert settings.spread([1.0, 2.0, 3.0]) == "2 ± 1"
    assert settings.spread([2.0]) == "2"
    assert settings.spread([97.96, 98.04], ".2f") == "98.00 ± 0.057"


def test_one_thread_while_it_lasts(monkeypatch):
    threads = lambda: [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]
    with threadpool_limits(2, user_api="blas"):
        for _ in range(2):
            with settings.one_blas_thread():
                assert set(threads()) == {1}
            assert set(threads()) == {2}
        with settings.one_blas_thread():
            known = settings._blas(len(sys.modules))
        monkeypatch.setitem(sys.modules, "one_more", sys)
        assert settings._blas(len(sys.modules)) is not known


def test_a_pair_keeps_a_sixth_for_validation():
    (a, b), (c, d) = settings.train_and_validation((X, Y), quick=True)
    assert_array_equal(np.concatenate([a, c]), X)
    assert_array_equal(np.concatenate([b, d]), Y)
    assert len(d) == 2
    with pytest.raises(ValueError, match="too few"):
        settings.train_and_validation((X[:5], Y[:5]), quick=True)


def test_the_sample_and_a_dataset():
    sample = datasets.mnist_sample()
    for given in (None, sample):
        (a, b), (c, _) = settings.train_and_validation(given, quick=True)
        assert_array_equal(a, sample.train[0])
        assert_array_equal(b, sample.train[1])
        assert_array_equal(c, sample.validation[0])
        assert_array_equal(settings.images_of(given, 20)[0], sample.train[0][:20])


def test_the_full_set_is_asked_for(monkeypatch, tmp_path):
    monkeypatch.setenv("TINYGRAD_VG_DATA", str(tmp_path))
    with pytest.raises(datasets.DatasetError, match="no MNIST in"):
        settings.train_and_validation(None, quick=False)
    with pytest.raises(datasets.DatasetError, match="no MNIST in"):
        settings.images_of(None, 1001)
    assert len(settings.images_of(None, 1000)[1]) == 1000


@pytest.mark.parametrize("data", ["mnist", 3, (X,), (X, Y, Y), (X, "abc")])
def test_data_that_are_none(data):
    with pytest.raises((TypeError, ValueError), match="data"):
        settings.images_of(data, 1)


@pytest.mark.parametrize("data", [(X, Y[:5]), (X[:, 0], Y), (X[:0], Y[:0]), (X, Y + 0.5), (X, Y - 1)])
def test_data_of_the_wrong_shape(data):
    with pytest.raises(ValueError, match="data: "):
        settings.images_of(data, 1)


def test_too_few_images():
    with pytest.raises(ValueError, match="13 samples are asked for, but there are 12"):
        settings.images_of((X, Y), 13)
