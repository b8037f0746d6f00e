"""The page to play with that the start page shows."""

from pathlib import Path

import tinygrad_vg as vg

__all__ = ["write"]


def write(folder: Path) -> None:
    """Write ``explorer.html``: the chapter's four neurons in a row."""
    folder.mkdir(parents=True, exist_ok=True)
    chain = vg.lab.neuron_chain()
    vg.explore(chain.cost, folder / "explorer.html", wrt=chain.b[0])
