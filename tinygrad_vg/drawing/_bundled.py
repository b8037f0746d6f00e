"""The child process that runs the Graphviz inside pygraphviz: DOT on stdin, the picture on stdout.

`layout.py` runs this *file* (``python -I -S _bundled.py HOME FORMATS DPI``), not ``-m tinygrad_vg.drawing._bundled``:
that would import the package and with it NumPy. HOME is the folder that holds pygraphviz; it is handed over because the
caller may have found it on a ``sys.path`` of its own, and because ``-S`` (no site-packages) starts sooner.

Exit status: 0 a picture, 1 Graphviz refused the text, 3 pygraphviz cannot be loaded. Complaints go to stderr.
"""

import sys

REFUSED = 1
UNUSABLE = 3


def main(home: str, formats: str, dpi: str) -> int:
    """Lay out the DOT text on stdin with `dot` and write it to stdout in each of `formats`.

    Parameters
    ----------
    home
        The folder that holds the ``pygraphviz`` package.
    formats
        ``svg``, ``png``, ``pdf`` or ``json``, or several of them with commas between.
    dpi
        Pixels per inch, or an empty string for Graphviz's own 96.

    Returns
    -------
    int
        The exit status.
    """
    sys.path.append(home)  # behind the standard library, which nothing in site-packages may shadow
    try:
        from pygraphviz import graphviz as gv
    except Exception as error:  # a missing system library, a wheel for another platform
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return UNUSABLE
    # The wheels link Graphviz's plug-ins in and must name them; a pygraphviz built on the spot may not know the call.
    context = getattr(gv, "gvContextWithBuiltins", gv.gvContext)()
    try:
        graph = gv.agread(sys.stdin.buffer, None)
    except ValueError:
        return REFUSED  # the parser has already written its complaint to stderr
    if dpi:
        gv.agattr(graph, gv.AGRAPH, b"dpi", dpi.encode())
    if gv.gvLayout(context, graph, b"dot"):
        return REFUSED
    for each in formats.split(","):
        failed, picture = gv.gvRenderData(context, graph, each.encode())
        if failed:
            return REFUSED
        sys.stdout.buffer.write(picture)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
