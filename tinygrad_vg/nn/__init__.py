"""Networks: layers and the MLP, activations, initialisers, losses."""

from tinygrad_vg.nn import activations, init, losses
from tinygrad_vg.nn.layers import MLP, Dense

__all__ = ["MLP", "Dense", "activations", "init", "losses"]
