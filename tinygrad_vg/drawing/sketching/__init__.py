"""Pictures drawn by hand, shape for shape, as SVG, PNG and PDF; the network as the book draws it."""
