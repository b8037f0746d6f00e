"""What the tutorials call: `begin` them, `check` an answer, `show` and `plot` a picture.

The tutorials themselves are percent-format Python files; ``tinygrad-vg tutorial`` lists and copies them.
"""

from tinygrad_vg.tutorials.exercises import answered, check
from tinygrad_vg.tutorials.pictures import plot, show
from tinygrad_vg.tutorials.session import begin

__all__ = ["answered", "begin", "check", "plot", "show"]
