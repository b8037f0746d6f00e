"""What Sphinx reads: all pages of one language in one folder, those that are kept and those that are made."""

import os
import re
import shutil
from pathlib import Path

from tinygrad_vg.tutorials.files import listed
from website import api, explorer, report, tutorials
from website.plan import SECTIONS, Page

__all__ = ["gather", "names"]

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

LINK = re.compile(r"(?<=\]\()(?!https?:|mailto:|#)([^)\s#]+)(#[^)\s]*)?(?=\))")
CODE = re.compile(r"(^```.*?^```$|`[^`\n]+`)", re.DOTALL | re.MULTILINE)
STARTS = {"README.md": "index", "README.zh.md": "index"}

NOT_YET = """# {title}

这一页还没有译成中文，请看<a href="{up}{name}.html" hreflang="en">英文版</a>。
"""
MISSING = """# {title}

This page is not written yet.
"""


def gather(lang: str, into: Path) -> None:
    """Put everything that Sphinx reads for one language into a folder.

    Parameters
    ----------
    lang : {"en", "zh"}
        A page without a Chinese text becomes one line that leads to the English page.
    into : Path
        Made anew, but files that stay as they were keep their time, so that only changed pages are built again.
    """
    fresh = into.with_name(into.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(DOCS / "images", fresh / "images")
    home = DOCS if lang == "en" else DOCS / lang
    start = home / "index.md"
    put(fresh / "index.md", relinked(start.read_text(encoding="utf-8"), "index", start, fresh) + _menu(lang))
    for section in SECTIONS:
        for page in section.pages:
            if page.source:
                _kept(page, lang, fresh)
    tutorials.write(lang, fresh)
    if lang == "en":
        api.write(fresh)
        report.write(fresh)
    for section in SECTIONS:
        for page in section.pages:
            if not any((fresh / page.name).with_suffix(suffix).exists() for suffix in (".md", ".rst")):
                put(fresh / f"{page.name}.md", _stub(page, lang))
    explorer.write(fresh / "extra")
    _replace(into, fresh)


def names(lang: str) -> list[str]:
    """The pages that a language has, but for those of the reference."""
    kept = [page.name for section in SECTIONS for page in section.pages]
    return ["index", *kept, *[f"tutorials/{tutorial.name}" for tutorial in listed(lang)]]


def put(path: Path, text: str) -> None:
    """Write a page, and its folder if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def relinked(text: str, name: str, source: Path, into: Path) -> str:
    """A page with its links leading to where their targets are in the site.

    What is a page of the site becomes a link to it; other files of the repository are copied along, to be looked at.
    """
    up = "../" * name.count("/")

    def lead(found: re.Match[str]) -> str:
        target, anchor = (source.parent / found[1]).resolve(), found[2] or ""
        if not target.is_relative_to(ROOT):
            raise ValueError(f"{source}: the link {found[1]} leads out of the repository")
        path = target.relative_to(ROOT).as_posix().replace("docs/zh/", "docs/")
        if path in PAGES:
            return f"{up}{PAGES[path]}.md{anchor}"
        if path.startswith("docs/images/"):
            return up + path.removeprefix("docs/")
        if not target.is_file():
            raise FileNotFoundError(f"{source}: there is no {found[1]}")
        copy = into / "files" / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(target, copy)
        return f"{up}files/{path}"

    parts = CODE.split(text)
    parts[::2] = [LINK.sub(lead, part) for part in parts[::2]]
    return "".join(parts)


PAGES = {page.source: page.name for section in SECTIONS for page in section.pages if page.source} | STARTS


def _kept(page: Page, lang: str, into: Path) -> None:
    source = ROOT / page.source if lang == "en" else DOCS / lang / f"{page.name}.md"
    if source.exists():
        put(into / f"{page.name}.md", relinked(source.read_text(encoding="utf-8"), page.name, source, into))


def _menu(lang: str) -> str:
    """All pages, as Sphinx puts them beside every page."""
    captions = [(section.en if lang == "en" else section.zh, section.pages) for section in SECTIONS]
    trees = [[":hidden:", f":caption: {caption}", "", *[page.name for page in pages]] for caption, pages in captions]
    return "".join(["\n```{toctree}\n" + "\n".join(tree) + "\n```\n" for tree in trees])


def _stub(page: Page, lang: str) -> str:
    if lang == "en":
        return MISSING.format(title=page.name.capitalize())
    return NOT_YET.format(title=page.zh, name=page.name, up="../" * (page.name.count("/") + 1))


def _replace(old: Path, new: Path) -> None:
    """Put a folder in the place of another; files that are the same keep their time."""
    for path in new.rglob("*"):
        before = old / path.relative_to(new)
        if path.is_file() and before.is_file() and path.read_bytes() == before.read_bytes():
            times = before.stat()
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    shutil.rmtree(old, ignore_errors=True)
    new.rename(old)
