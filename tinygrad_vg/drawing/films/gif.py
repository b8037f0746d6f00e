"""Frames to an animated GIF, through Pillow (which matplotlib brings)."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_vg.checks import Array

__all__ = ["animated_gif"]


def animated_gif(frames: Sequence[Array], milliseconds: Sequence[int]) -> bytes:
    """Write frames as a GIF that begins again when it has ended.

    Parameters
    ----------
    frames : sequence of ndarray
        Of one shape (height, width, 3), uint8.
    milliseconds : sequence of int
        How long each is shown.

    Returns
    -------
    bytes

    Notes
    -----
    A GIF has 256 colours. The most frequent ones of all frames are kept exactly, so that the page stays white; the
    others, which are the blended edges of letters and lines, become the nearest of these.
    """
    from PIL import Image

    codes = [frame.astype(np.int64) @ [1 << 16, 1 << 8, 1] for frame in frames]
    found, counts = np.unique(np.concatenate([code.ravel() for code in codes]), return_counts=True)
    kept = np.sort(found[np.argsort(-counts, kind="stable")[:256]])
    table = _parts(kept)
    nearest = np.array([np.argmin(np.sum((table - colour) ** 2, axis=1)) for colour in _parts(found)], dtype=np.uint8)
    images: list[Any] = []
    for code in codes:
        image = Image.fromarray(nearest[np.searchsorted(found, code)])
        image.putpalette(table.astype(np.uint8).tobytes())
        images.append(image)
    out = io.BytesIO()
    images[0].save(
        out, "gif", save_all=True, append_images=images[1:], duration=list(milliseconds), loop=0, optimize=False
    )
    return out.getvalue()


def _parts(codes: Array) -> Array:
    """Red, green and blue, shape (n, 3)."""
    return np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=1)
