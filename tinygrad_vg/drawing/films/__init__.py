"""`draw_film`: backprop step by step, as an animated SVG or GIF."""
