"""The docs do what they say: their Python runs, prints what stands there, and their tables are what is computed."""

import importlib
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
pytestmark = pytest.mark.skipif(not DOCS.exists(), reason="the tests run away from the repository")

NUMBER = re.compile(r"[-−]?\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]?\d+)?")


@pytest.fixture
def images(monkeypatch):
    """docs/make_images.py as a module."""
    monkeypatch.syspath_prepend(str(DOCS))
    return importlib.import_module("make_images")


def alike(kept, now, slack=0):
    """Whether two texts are the same but for what rounding, and so the machine, has a say in.

    Numbers with an exponent may differ by a factor of 10, whole numbers by `slack`; what a finite difference gives
    beyond its bound is noise and is not looked at.
    """
    kept, now = [re.sub(r"finite difference \S+ ±", "finite difference ±", text) for text in (kept, now)]
    kept, now = [re.sub(r" *[|-]{3,}|  +", " ", text).strip() for text in (kept, now)]
    if NUMBER.sub("#", kept).split() != NUMBER.sub("#", now).split():
        return False
    pairs = zip(NUMBER.findall(kept), NUMBER.findall(now), strict=True)
    return all(same_number(a, b, slack) for a, b in pairs)


def same_number(a, b, slack):
    a, b, tiny = (*[float(text.replace(",", "").replace("−", "-")) for text in (a, b)], "e" in a + b)
    if not tiny or 0 in (a, b):
        return abs(a - b) <= slack
    return 0.1 <= a / b <= 10.01


def test_what_may_differ_and_what_may_not():
    assert alike("| 1e-9 | 10 |", "| 3e-10 | 10 |")
    assert alike("finite difference -2e-14 ± 5e-13", "finite difference 3e-15 ± 4e-13")
    assert alike("| a   | 9 |", "| a | 10 |", slack=1)
    assert not alike("| 1e-9 | 10 |", "| 1e-6 | 10 |")
    assert not alike("| 1e-9 | 10 |", "| -1e-9 | 10 |")
    assert not alike("| 1e-9 | 10 |", "| 1e-9 | 9 |")
    assert not alike("PASS", "FAIL")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_pictures_are_there_and_every_picture_has_a_text(page):
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert target.startswith("http") or (page.parent / target).exists(), target
    assert all(re.findall(r"!\[([^]]*)\]", text))


def test_the_page_has_all_tables_and_pictures_filled_in(images):
    text = images.PAGE.read_text(encoding="utf-8")
    kept = {part.name: part.kept for part in images.page.parts(text) if part.name}
    assert kept.keys() == images.TABLES.keys()
    assert all([table.count("\n| ") > 2 for table in kept.values()])
    assert set(re.findall(r"images/([\w-]+)\.svg", text)) == {n for n in images.PICTURES if n.startswith("checking")}
    assert all([part.kept.count("\n") > 3 for part in images.page.parts(text) if part.code and part.kept is not None])


def test_the_examples_print_what_stands_there(images):
    text = images.PAGE.read_text(encoding="utf-8")
    blocks = [part for part in images.page.parts(text) if part.code]
    for part, printed in zip(blocks, images.page.printed(text), strict=True):
        assert part.kept is not None or not printed
        assert part.kept is None or alike(part.kept, f"```text\n{printed}```"), printed


def made(images, name):
    """The table that stands on the page, and the one that is computed."""
    text = images.PAGE.read_text(encoding="utf-8")
    (kept,) = [part.kept for part in images.page.parts(text) if part.name == name]
    return kept, images.TABLES[name]()


def drawn_and_kept(images, name):
    kept = (DOCS / "images" / f"{name}.svg").read_text(encoding="utf-8")
    return [
        " ".join("".join(ElementTree.fromstring(svg).itertext()).split()) for svg in (images.PICTURES[name](), kept)
    ]


def test_the_table_of_steps_is_what_is_computed(images):
    kept, now = made(images, "step-table")
    assert alike(kept, now), now


def test_the_picture_of_steps_is_what_is_drawn_and_the_same_twice(images):
    drawn, kept = drawn_and_kept(images, "checking-step")
    assert alike(kept, drawn)
    assert images.PICTURES["checking-step"]() == images.PICTURES["checking-step"]()


def said(svg):
    """All texts of a picture but its style, which depends on the place of every line."""
    elements = [e for e in ElementTree.fromstring(svg).iter() if not e.tag.endswith("style")]
    return " ".join([e.text.strip() for e in elements if e.text])


@pytest.mark.slow
def test_the_tables_and_pictures_of_depth_are_what_is_computed(images):
    for name in ("depth-table", "faults-table"):
        kept, now = made(images, name)
        assert alike(kept, now, slack=1), now
    for name in ("checking-depth", "checking-alarms"):
        drawn, kept = drawn_and_kept(images, name)
        assert alike(kept, drawn)


@pytest.mark.slow
def test_the_table_of_mutants_is_what_is_counted(images):
    kept, now = made(images, "mutants-table")
    rows = [[row.split("|") for row in text.splitlines() if "%" in row] for text in (kept, now)]
    for before, after in zip(*rows, strict=True):
        shares = [[int(cell.strip(" %")) for cell in row if "%" in cell] for row in (before, after)]
        assert all([abs(a - b) <= 2 for a, b in zip(*shares, strict=True)]), now


def test_the_gallery_shows_what_its_code_draws(images):
    text = (DOCS / "gallery.md").read_text(encoding="utf-8")
    names = re.findall(r"images/([\w-]+)\.svg", text)
    assert names == list(images.gallery.PICTURES)
    for name in names:
        kept = (DOCS / "images" / f"{name}.svg").read_text(encoding="utf-8")
        assert alike(said(kept), said(images.PICTURES[name]())), name
        assert len(kept.encode()) < 60_000


def test_a_page_is_filled_in_where_it_is_marked(images):
    page = images.page
    text = "```python\nprint(1)\n```\n\n<!-- output -->\n<!-- end -->\n\n<!-- generated: a -->\nold\n<!-- end -->\n"
    full = page.filled(text, {"a": "new"}, page.printed(text))
    assert [(part.name, part.kept.strip()) for part in page.parts(full)] == [("", "```text\n1\n```"), ("a", "new")]
    assert page.filled(full, {"a": "new"}, page.printed(full)) == full
    with pytest.raises(ValueError, match=r"there is no place .* for b"):
        page.filled(text, {"b": "new"})
