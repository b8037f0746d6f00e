"""The steps of the tour, one function each, and `run`, which takes them in order."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from tinygrad_vg import __version__, drawing
from tinygrad_vg.datasets import MNIST, mnist_sample
from tinygrad_vg.gradcheck import GradientReport, Verdict, check_gradients
from tinygrad_vg.lab.chain import neuron_chain
from tinygrad_vg.lab.learning_speed import BOOK_RATIOS, InitialSpeeds, initial_speeds
from tinygrad_vg.nn import MLP, losses
from tinygrad_vg.tour.page import Section, code, page, paragraph, picture, table
from tinygrad_vg.tour.texts import TEXTS

__all__ = ["run"]

CHECK_DIGITS = 5
CHECK_SAMPLE = 100
SEEDS = 40
RATE, DECAY = 0.1, 5.0

TEN_LINES = """\
import numpy as np
import tinygrad_vg as vg

X, y = vg.datasets.mnist_sample().train
net = vg.nn.MLP([784, 30, 30, 10], seed=0)
C = vg.nn.losses.cross_entropy(net.logits(X), y)
C.backward()
for layer in net.layers:
    print(layer.b.name, np.linalg.norm(layer.b.grad))
vg.draw(C, level="layer").save("network.svg")
"""
