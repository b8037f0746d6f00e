"""Draw the pictures that stand in the READMEs: ``python docs/make_images.py [FOLDER]``."""

import sys
from pathlib import Path

import tinygrad_vg as vg


def main(folder: Path) -> None:
    """Write ``chain.svg`` into `folder`."""
    chain = vg.lab.neuron_chain()
    vg.draw(chain.cost, wrt=chain.b[0]).save(folder / "chain.svg")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "images")
