"""Training that is finished or not at all: half of one would give numbers that nothing shows to be half."""

from __future__ import annotations

from typing import Any

from tinygrad_vg.training import History, fit

__all__ = ["fit_wholly"]


def fit_wholly(*args: Any, **settings: Any) -> History:
    """`fit` without a progress bar, and an interruption ends the experiment.

    Raises
    ------
    KeyboardInterrupt
        After Ctrl-C, which `fit` by itself answers with the history so far.
    """
    history = fit(*args, **settings, progress=False)
    if history.interrupted:
        raise KeyboardInterrupt
    return history
