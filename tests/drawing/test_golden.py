"""The DOT text of pictures, kept as files: a change of a picture is seen as a change of a file."""

import difflib
import os
from pathlib import Path

import numpy as np
import pytest
from graphs import chain, network

import tinygrad_vg as vg
from tinygrad_vg.drawing import draw

GOLDEN = Path(__file__).with_name("golden")


def small_chain():
    cost, biases = chain()
    return draw(cost, wrt=biases[0])


def small_network():
    cost, biases = network(sizes=(4, 3, 2), samples=2)
    return draw(cost, wrt=biases[0], level="layer")


def shared_and_cut():
    x = vg.Tensor(0.5, "x")
    s = np.sin(x).named("s")
    return draw((s * s + vg.stop_gradient(s) * np.where(x > 0, x, 0.1 * x)).named("y"), wrt=x, theme="dark")


PICTURES = {"chain": small_chain, "network": small_network, "shared": shared_and_cut}


@pytest.mark.parametrize("name", PICTURES)
def test_the_dot_text_is_as_it_was(name):
    """Run with TINYGRAD_VG_SNAPSHOT=1 to write the files anew; then look at the pictures."""
    now = PICTURES[name]().source
    path = GOLDEN / f"{name}.dot"
    if os.environ.get("TINYGRAD_VG_SNAPSHOT"):
        path.write_text(now, encoding="utf-8")
    before = path.read_text(encoding="utf-8")
    changes = "\n".join(difflib.unified_diff(before.split("\n"), now.split("\n"), path.name, "now", n=0, lineterm=""))
    assert not changes, (
        f"this picture changed; if that is meant, look at it and run\n"
        f"    TINYGRAD_VG_SNAPSHOT=1 pytest tests/drawing/test_golden.py\n{changes}"
    )


def test_every_file_is_of_a_picture():
    assert {path.stem for path in GOLDEN.iterdir()} == set(PICTURES)
