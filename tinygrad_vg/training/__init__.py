"""Training: mini-batches, `fit`, its `History`, callbacks, checkpoints that resume to the last bit."""

from tinygrad_vg.training.callbacks import Callback, LearningSpeed
from tinygrad_vg.training.checkpoints import CheckpointError
from tinygrad_vg.training.loop import fit
from tinygrad_vg.training.records import EpochRecord, History, Run, accuracy

__all__ = ["Callback", "CheckpointError", "EpochRecord", "History", "LearningSpeed", "Run", "accuracy", "fit"]
