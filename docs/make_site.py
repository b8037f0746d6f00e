"""Build the site, in both languages, into ``docs/build/html``.

``pip install -e '.[docs]'`` gets what it needs; ``python docs/make_site.py --open`` builds and shows it. Warnings are
errors. What the tutorials print is kept and computed anew only when they or the package change.
"""

import argparse
import hashlib
import shutil
import sys
import webbrowser
from pathlib import Path

from sphinx.cmd.build import build_main
from website.plan import LANGUAGES
from website.sources import gather

DOCS = Path(__file__).resolve().parent
BUILD = DOCS / "build"
PACKAGE = DOCS.parent / "tinygrad_vg"


def outputs() -> Path:
    """The folder for what the tutorials print: another one for every state of the package."""
    state = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        state.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0" + path.read_bytes())
    folder = BUILD / "outputs" / state.hexdigest()[:16]
    for old in folder.parent.glob("*"):
        if old != folder:
            shutil.rmtree(old)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def build(lang: str) -> int:
    """Build one language; English is at the top, Chinese in ``zh``."""
    sources = BUILD / "sources" / lang
    sources.parent.mkdir(parents=True, exist_ok=True)
    gather(lang, sources)
    html = BUILD / "html" / ("" if lang == "en" else lang)
    options = ["-W", "--keep-going", "-q", "-c", str(DOCS), "-d", str(BUILD / "doctrees" / lang), "-t", lang]
    options += ["-D", f"nb_execution_cache_path={outputs()}"]
    return build_main([*options, str(sources), str(html)])


def main() -> int:
    """Build and say where it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lang", choices=LANGUAGES, help="only this language")
    parser.add_argument("--fresh", action="store_true", help="begin with an empty folder; outputs are kept")
    parser.add_argument("--open", action="store_true", help="show it in the browser")
    asked = parser.parse_args()
    if asked.fresh:
        for folder in ("html", "doctrees"):
            shutil.rmtree(BUILD / folder, ignore_errors=True)
    for lang in LANGUAGES if asked.lang is None else [asked.lang]:
        if build(lang):
            return 1
    index = BUILD / "html" / "index.html"
    print(f"the site is in {index}")
    if asked.open:
        webbrowser.open(index.as_uri())
    return 0


if __name__ == "__main__":
    sys.exit(main())
