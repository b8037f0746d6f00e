"""The chapter's experiments."""

from tinygrad_vg.lab.chain import NeuronChain, neuron_chain

__all__ = ["NeuronChain", "neuron_chain"]
