"""Pictures of backprop: `draw` a graph, `explain` a derivative, `explore` both in a page.

For the chapter there are also networks, circuits and films.

Importing this loads neither graphviz nor pygraphviz; they are imported where a picture is made.
"""

from tinygrad_vg.drawing.circuits.gates import Gate, draw_circuit
from tinygrad_vg.drawing.explanation.chains import Chain, explain
from tinygrad_vg.drawing.explorer.explorer import explore
from tinygrad_vg.drawing.films.film import Film, draw_film
from tinygrad_vg.drawing.graph import Graph, draw
from tinygrad_vg.drawing.layout import engines
from tinygrad_vg.drawing.sketching.network import draw_network
from tinygrad_vg.drawing.sketching.picture import Picture

__all__ = [
    "Chain",
    "Film",
    "Gate",
    "Graph",
    "Picture",
    "draw",
    "draw_circuit",
    "draw_film",
    "draw_network",
    "engines",
    "explain",
    "explore",
]
