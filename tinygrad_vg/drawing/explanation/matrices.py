"""The factors of a chain through arrays as matrices, and their singular values.

Where rows are samples, a factor such as w₂ᵀΣ′(z₁) turns each row of ∂C/∂z₂ into a row of ∂C/∂z₁, by a matrix from the
right (Σ′(z) is the diagonal matrix of σ′(z)). Nothing is assumed about the operations: the matrix is what the
derivative rules make of the unit vectors, and whether rows keep to themselves is tried out. Where they do not on all
the way, the matrices are those of the whole arrays.

Source: Nielsen, "Neural Networks and Deep Learning", ch. 5, "Unstable gradients in more complex networks".
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from tinygrad_vg.checks import Array
from tinygrad_vg.drawing.model import Edge

__all__ = ["Matrix", "matrices_of"]

PROBING = 2e10
"""How many multiplications working a matrix out may take, were it a product of full matrices: some seconds."""

DECOMPOSING = 3e7
"""What the singular values of a term may cost, in products of the sides of its matrices: a thousand of 30×30, or thirty
of 100×100. Of more, evenly spaced samples are taken; one is always taken."""


class Matrix:
    """What a run of edges multiplies the cotangent by.

    Parameters
    ----------
    edges : sequence of Edge
        From the variable towards the root, all between arrays.
    samples : int
        How many rows keep to themselves, and have a matrix each; 1: the matrix is that of the whole arrays.

    Attributes
    ----------
    source, target
        The nodes between which it leads: from the cotangent of `target` to that of `source`.
    shape
        (elements of a row of the target, elements of a row of the source).
    """

    def __init__(self, edges: Sequence[Edge], samples: int = 1) -> None:
        self.edges, self.samples = tuple(edges), samples
        self.source, self.target = self.edges[0].source, self.edges[-1].target
        self.shape = (self.target.value.size // samples, self.source.value.size // samples)

    def pull(self, g: Any) -> Array:
        """The cotangent of the source, from one of the target."""
        for edge in reversed(self.edges):
            g = edge.pull(g)
        return np.asarray(g, dtype=float)

    def apart(self, axis: int) -> int:
        """How many parts along an axis do not mix: scaling each part of the cotangent must scale that of the result."""
        here, there = self.source.value.shape, self.target.value.shape
        if min(len(here), len(there)) < 2 or here[axis] != there[axis]:
            return 1
        rng = np.random.default_rng(0)
        g, scale = np.asarray(rng.standard_normal(there)), rng.uniform(1, 2, here[axis])
        with np.errstate(all="ignore"):
            before = _parts(self.pull(np.moveaxis(np.moveaxis(g, axis, -1) * scale, -1, axis)), axis)
            after = _parts(self.pull(g), axis) * scale[:, None]
            off = np.linalg.norm(before - after, axis=1)
            return int(here[axis]) if np.all(off <= 1e-9 * np.linalg.norm(after, axis=1)) else 1

    def array(self, samples: Any = None) -> Array:
        """The matrices, of shape (samples, *shape): a row of the source's cotangent is ``row_of_target @ matrix``.

        Parameters
        ----------
        samples : sequence of int, optional
            Of which samples; by default of all.
        """
        chosen = np.arange(self.samples) if samples is None else np.asarray(samples)
        found = np.empty((len(chosen), *self.shape))
        for j in range(self.shape[0]):
            unit = np.zeros((self.samples, self.shape[0]))
            unit[:, j] = 1
            back = self.pull(unit.reshape(self.target.value.shape))
            found[:, j] = back.reshape(self.samples, self.shape[1])[chosen]
        return found

    @property
    def analysed(self) -> int:
        """Of how many samples the singular values are worked out; 0 if that would take too long."""
        rows, columns = self.shape
        if self.samples * float(rows) ** 2 * columns > PROBING:
            return 0
        return min(self.samples, max(1, int(DECOMPOSING / (rows * columns * min(rows, columns)))))

    @cached_property
    def singular_values(self) -> Array:
        """The singular values of each sample, of shape (analysed, min(shape)), the largest first."""
        if not self.analysed:
            return np.empty((0, min(self.shape)))
        chosen = np.linspace(0, self.samples - 1, self.analysed).round().astype(int)
        matrices = self.array(chosen)
        if not np.isfinite(matrices).all():
            return np.full((self.analysed, min(self.shape)), np.nan)
        return np.linalg.svd(matrices, compute_uv=False)

    @property
    def spectral_norm(self) -> float | None:
        """The largest singular value, the mean over the samples: by how much a row can grow at most."""
        return float(np.mean(self.singular_values[:, 0])) if self.analysed else None

    @property
    def mean_singular_value(self) -> float | None:
        """The mean of all singular values of all samples."""
        return float(np.mean(self.singular_values)) if self.analysed else None

    def __repr__(self) -> str:
        many = f", {self.samples:,} samples" if self.samples > 1 else ""
        return f"<Matrix {self.shape[0]}×{self.shape[1]}{many}>"


def _parts(array: Array, axis: int) -> Array:
    """An array as a matrix whose rows are its parts along an axis."""
    return np.moveaxis(array, axis, 0).reshape(array.shape[axis], -1)


# ----------------------------------------------------------------------------------------------------- along a path


def matrices_of(groups: Sequence[Sequence[Edge]]) -> list[Matrix | None]:
    """The matrix of each term of a path, from the variable to the root; None where one end is a single number."""
    found = [_of(group) for group in groups]
    rows = _rows(found, groups[0])
    for i, matrix in enumerate(found):
        if matrix is not None and rows > 1 and matrix.apart(0) == rows:
            found[i] = Matrix(matrix.edges, rows)
    return found


def _of(group: Sequence[Edge]) -> Matrix | None:
    """A term's matrix of the whole arrays; a parameter that is broadcast in front (a bias) stays outside."""
    inner = list(group)
    while len(inner) > 1 and _is_broadcast(inner[0]):
        del inner[0]
    return Matrix(inner) if min(inner[0].source.value.size, inner[-1].target.value.size) > 1 else None


def _is_broadcast(edge: Edge) -> bool:
    return edge.is_one and edge.source.value.shape != edge.target.value.shape


def _rows(found: Sequence[Matrix | None], first: Sequence[Edge]) -> int:
    """How many samples there are: rows that keep to themselves on all the way, except in the factor of a parameter.

    In elementwise functions everything keeps to itself, rows as well as columns. So something must tell that rows are
    samples: a factor that mixes the elements of a row, or a bias that is the same for all rows.
    """
    inner = [matrix for matrix in found if matrix is not None and matrix.source.role != "leaf"]
    counts = {matrix.apart(0) for matrix in inner}
    if len(counts) != 1:
        return 1
    here, there = first[0].source.value.shape, first[0].target.value.shape
    same = _is_broadcast(first[0]) and (1, *here)[-len(there)] == 1
    return counts.pop() if same or any([matrix.apart(-1) == 1 for matrix in inner]) else 1
