"""MathJax travels with the site: pages show their formulas without asking anybody.

The package sphinx-mathjax-offline, which the extra ``docs`` installs, brings MathJax 3 along. As an extension it
would put all of it into the site, 24 MB; of that, one program and its fonts are what our pages load.
"""

import shutil
from importlib.metadata import files
from pathlib import Path

from sphinx.application import Sphinx

__all__ = ["setup"]

PROGRAM = "tex-chtml.js"
FONTS = "output/chtml/fonts/woff-v2"


def home() -> Path:
    """The folder of MathJax in the package that brings it."""
    for file in files("sphinx-mathjax-offline") or ():
        if file.name == PROGRAM:
            return Path(str(file.locate())).parent
    raise FileNotFoundError(f"sphinx-mathjax-offline has no {PROGRAM}")


def copied(app: Sphinx, error: Exception | None) -> None:
    """Put the program and the fonts beside the other static files."""
    if error is None and app.builder.format == "html":
        into = Path(app.outdir) / "_static" / "mathjax"
        shutil.copytree(home() / FONTS, into / FONTS, dirs_exist_ok=True)
        shutil.copyfile(home() / PROGRAM, into / PROGRAM)


def setup(app: Sphinx) -> dict[str, bool]:
    """Sphinx calls it."""
    app.config.mathjax_path = f"mathjax/{PROGRAM}"
    app.config.mathjax3_config = {"options": {"enableMenu": False}}
    app.connect("build-finished", copied)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
