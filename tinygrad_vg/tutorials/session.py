"""Which tutorial is running, and in which language: one a process, as a script and a notebook are."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass

import numpy as np

import tinygrad_vg as vg

__all__ = ["NOW", "Session", "begin"]


@dataclass
class Session:
    """The tutorial that is running.

    Attributes
    ----------
    tutorial : str
        Its name, such as ``01_chain_rule``.
    lang : str
        ``en`` or ``zh``.
    pictures : int
        How many it has shown so far.
    """

    tutorial: str = "tutorial"
    lang: str = "en"
    pictures: int = 0


NOW = Session()


def begin(tutorial: str, lang: str = "en") -> None:
    """Say which tutorial runs on which versions, and in which language its checks shall speak.

    Parameters
    ----------
    tutorial : str
        Its name, such as ``01_chain_rule``.
    lang : {"en", "zh"}
        Of what `check` says.

    Raises
    ------
    ValueError
        For another language.
    """
    if lang not in ("en", "zh"):
        raise ValueError(f"lang must be en or zh, got {lang!r}")
    NOW.tutorial, NOW.lang, NOW.pictures = tutorial, lang, 0
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # ✓ and ∂ must not end a script whose output is not UTF-8
    print(f"{tutorial} · Python {platform.python_version()} · NumPy {np.__version__} · tinygrad_vg {vg.__version__}")
