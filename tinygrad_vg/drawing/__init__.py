"""Pictures of backprop: `draw` a graph, `explain` a derivative.

Importing this loads neither graphviz nor pygraphviz; they are imported where a picture is made.
"""

from tinygrad_vg.drawing.chains import Chain, explain
from tinygrad_vg.drawing.graph import Graph, draw
from tinygrad_vg.drawing.layout import engines

__all__ = ["Chain", "Graph", "draw", "engines", "explain"]
