"""The gradients of one chain of neurons without backprop: by the chapter's product, exactly, and by small changes.

Source: Nielsen, "Neural Networks and Deep Learning", ch. 5, "Why the vanishing gradient problem occurs".
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, localcontext
from typing import Any

import numpy as np

from tinygrad_vg.checks import Array
from tinygrad_vg.ops import sigmoid

__all__ = ["exact_gradients", "product_of_terms", "small_changes"]


def product_of_terms(w: Sequence[float], b: Sequence[float], a0: float, y: float = 0.0) -> list[float]:
    """The chapter's formula without backprop: ∂C/∂b_j = σ′(z_j) w_{j+1}σ′(z_{j+1}) … w_Lσ′(z_L) (a_L − y)."""
    a, slopes = _forward(w, b, a0)
    products, rest = [], a[-1] - y
    for wj, slope in zip(reversed(w), reversed(slopes), strict=True):
        products.append(float(slope * rest))
        rest = rest * slope * wj
    return products[::-1]


def exact_gradients(w: Sequence[float], b: Sequence[float], a0: float, y: float = 0.0) -> list[float]:
    """The same in decimal numbers of 50 digits, rounded once at the end."""
    with localcontext(prec=50):
        a, slopes = Decimal(a0), []
        for wj, bj in zip(w, b, strict=True):
            e = (-(Decimal(wj) * a + Decimal(bj))).exp()
            a = 1 / (1 + e)
            slopes.append(a * a * e)
        products, rest = [], a - Decimal(y)
        for wj, slope in zip(reversed(w), reversed(slopes), strict=True):
            products.append(float(slope * rest))
            rest *= slope * Decimal(wj)
    return products[::-1]


def small_changes(w: Sequence[float], b: Sequence[float], a0: float, changes: Array) -> dict[str, Array]:
    """By how much each step of the chapter's derivation is off, when b₁ is changed by so much.

    The steps are Δa₁ ≈ σ′(z₁)Δb₁, Δa₂ ≈ w₂σ′(z₂)Δa₁ and so on to ΔC, for y = 0. Each goes on from the estimate before
    it, not from the true change.
    """
    before, slopes = _forward(w, b, a0)
    after, _ = _forward(w, [b[0] + changes, *b[1:]], a0)
    errors, estimate = {}, changes / w[0]
    for j, (wj, slope) in enumerate(zip(w, slopes, strict=True)):
        estimate = wj * slope * estimate
        errors[f"a{'₁₂₃₄₅₆₇₈₉'[j]}"] = np.abs(after[j] - before[j] - estimate)
    errors["C"] = np.abs((after[-1] ** 2 - before[-1] ** 2) / 2 - before[-1] * estimate)
    return errors


def _forward(w: Sequence[Any], b: Sequence[Any], a: Any) -> tuple[list[Any], list[Any]]:
    """The activations and σ′ of every neuron."""
    activations, slopes = [], []
    for wj, bj in zip(w, b, strict=True):
        z = wj * a + bj
        a = sigmoid(z)
        activations.append(a)
        slopes.append(a * sigmoid(-z))
    return activations, slopes
