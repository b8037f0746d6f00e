"""An interrupted training must not pass for a finished one."""

import signal

import numpy as np
import pytest

from tinygrad_vg.lab.speeds import cross_entropy
from tinygrad_vg.lab.whole import fit_wholly
from tinygrad_vg.nn import MLP

DATA = np.random.default_rng(0).random((6, 3)), np.arange(6) % 2


def test_a_finished_training():
    assert len(fit_wholly(MLP([3, 2, 2], seed=0), cross_entropy, DATA, epochs=2, lr=0.1, seed=0)) == 2


def test_ctrl_c_ends_the_experiment():
    press = lambda run: signal.raise_signal(signal.SIGINT)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    try:
        with pytest.raises(KeyboardInterrupt):
            fit_wholly(MLP([3, 2, 2], seed=0), cross_entropy, DATA, epochs=3, lr=0.1, seed=0, callbacks=[press])
    finally:
        signal.signal(signal.SIGINT, before)
