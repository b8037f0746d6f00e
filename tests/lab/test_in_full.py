"""Every experiment in full, as `tinygrad-vg reproduce` runs it: all claims hold but those that one seed's luck made.

About an hour of computing on one core.
"""

import importlib
import os

import pytest

from tinygrad_vg.lab import EXPERIMENTS

SEED_BOUND = {
    "neurons": {"Every neuron shown of the second hidden layer learns faster than its partner in the first"},
    "learning_speed": {
        "2 hidden layers: the first learns slower than the last in every epoch",
        "The first of 4 hidden layers learns more than 100 times slower than the last in most epochs",
    },
}
"""What was so in the book's run, or for some time, and is not so over seeds."""


@pytest.mark.slow
@pytest.mark.skipif("TINYGRAD_VG_DATA" not in os.environ, reason="TINYGRAD_VG_DATA names no folder with MNIST")
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_in_full(name):
    claims = importlib.import_module(f"tinygrad_vg.lab.{name}").run().claims
    assert {claim.says for claim in claims if claim.holds is False} == SEED_BOUND.get(name, set())
    assert not [str(claim) for claim in claims if claim.holds is None]
