"""The tour: check, draw, measure and train a network on the embedded digits, and write a page of what was found."""

from tinygrad_vg.tour.steps import run

__all__ = ["run"]
