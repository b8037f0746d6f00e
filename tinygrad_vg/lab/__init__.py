"""The chapter's experiments: ``vg.lab.chain.run()`` gives a `Result`, as does every module named in `EXPERIMENTS`."""

from importlib import import_module
from typing import Any

from tinygrad_vg.lab.chain import NeuronChain, neuron_chain
from tinygrad_vg.lab.reproduction import EXPERIMENTS, reproduce
from tinygrad_vg.lab.results import Claim, Result, Table, Verdict
from tinygrad_vg.lab.sweeps import Sweep, sweep

__all__ = [
    "EXPERIMENTS",
    "Claim",
    "NeuronChain",
    "Result",
    "Sweep",
    "Table",
    "Verdict",
    "neuron_chain",
    "reproduce",
    "sweep",
]


def __getattr__(name: str) -> Any:
    if name in EXPERIMENTS:
        return import_module(f"tinygrad_vg.lab.{name}")
    raise AttributeError(f"module 'tinygrad_vg.lab' has no attribute {name!r}")
