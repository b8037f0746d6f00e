"""A second account of what is computed, which knows nothing of the engine: derivatives by walking every single path.

A `Step` holds its value and, for each thing it was made of, the matrix of its local derivatives, written by hand. The
derivative of a root is the sum, over all paths to a step, of the products of the matrices on the way. There is no
order of visiting, no adding up at a node and no undoing of broadcasts that could be wrong in the same way as a sweep.
"""

from dataclasses import dataclass, field

import numpy as np

__all__ = ["Step", "binary", "derivatives", "linear", "unary"]


@dataclass(eq=False)
class Step:
    """A value, and the matrices (its size × the other's size) of its derivatives by what it was made of."""

    value: np.ndarray
    edges: list = field(default_factory=list)

    @property
    def paths(self):
        """How many paths lead down from it."""
        count, stack = 0, [self]
        while stack:
            step = stack.pop()
            count += 1
            stack += [below for below, _ in step.edges]
        return count


def derivatives(root, seed):
    """The cotangent of everything below the root: every path is walked by itself, from the root down.

    With it comes the sum of the absolute values of what was added up, by which rounding is to be judged.
    """
    seed = np.asarray(seed, float).reshape(-1)
    found, stack = {}, [(root, seed, np.abs(seed))]
    while stack:
        step, product, size = stack.pop()
        shape = step.value.shape
        total, sizes = found.get(step, (0.0, 0.0))
        found[step] = total + product.reshape(shape), sizes + size.reshape(shape)
        stack += [(below, product @ matrix, size @ np.abs(matrix)) for below, matrix in step.edges]
    return found


def places(shape, out):
    """For each element of the output, which element of the argument it comes from."""
    return np.broadcast_to(np.arange(int(np.prod(shape))).reshape(shape), out).reshape(-1)


def unary(step, function, slope):
    """A function of each element."""
    return Step(function(step.value), [(step, np.diag(slope(step.value).reshape(-1)))])


def binary(left, right, function, slopes):
    """A function of two elements, of which the smaller array is stretched."""
    value = np.asarray(function(left.value, right.value))
    edges = []
    for step, slope in zip((left, right), slopes, strict=True):
        matrix = np.zeros((value.size, step.value.size))
        local = np.broadcast_to(slope(left.value, right.value), value.shape).reshape(-1)
        matrix[np.arange(value.size), places(step.value.shape, value.shape)] = local
        edges.append((step, matrix))
    return Step(value, edges)


def linear(steps, function):
    """Whatever only moves and adds elements: its matrix is what it does to one element at a time."""
    value, edges = np.asarray(function(*[step.value for step in steps])), []
    for k, step in enumerate(steps):
        rows = []
        for i in range(step.value.size):
            units = [np.zeros_like(other.value) for other in steps]
            units[k].flat[i] = 1.0
            rows.append(np.asarray(function(*units)).reshape(-1))
        edges.append((step, np.array(rows).T.reshape(value.size, step.value.size)))
    return Step(value, edges)
