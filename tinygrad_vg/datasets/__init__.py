"""MNIST, whole or as a small embedded sample, split as in the book.

>>> from tinygrad_vg import datasets
>>> data = datasets.mnist_sample()
>>> data
MNIST(train=1000, validation=1000, test=0; X float64 (n, 784) in [0, 1), y int64 (n,))
>>> X, y = data.train
>>> X.shape, y[:10].tolist()
((1000, 784), [5, 0, 4, 1, 9, 2, 1, 3, 1, 4])
"""

from tinygrad_vg.datasets.files import MNIST, DatasetError, mnist, mnist_sample, read_idx

__all__ = ["MNIST", "DatasetError", "mnist", "mnist_sample", "read_idx"]
