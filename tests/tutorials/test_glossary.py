"""The glossary pages have the terms of the glossary, and the Chinese README keeps to them."""

import re
from pathlib import Path

import pytest
from test_translation import glossary, missing_terms

ROOT = Path(__file__).parents[2]
ENGLISH, CHINESE = ROOT / "docs/glossary.md", ROOT / "docs/zh/glossary.md"
READMES = ROOT / "README.md", ROOT / "README.zh.md"
pytestmark = pytest.mark.skipif(not ENGLISH.exists(), reason="the tests run away from the repository")


def rows(page):
    """The cells of a page's table."""
    lines = [line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("| ")][2:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


@pytest.mark.parametrize(("page", "order"), [(ENGLISH, (0, 1)), (CHINESE, (1, 0))], ids=["en", "zh"])
def test_the_page_has_every_term_with_its_translation(page, order):
    listed = [(row[order[0]].lower(), row[order[1]]) for row in rows(page)]
    due = [(words[0], "、".join(translations)) for words, translations, _ in glossary()]
    assert not set(due) - set(listed), "these are in glossary.csv and not on the page"
    assert listed == due
    assert all([len(row) == 3 and len(row[2]) > 5 for row in rows(page)]), "every term has a meaning"


@pytest.mark.parametrize("page", [CHINESE, READMES[1]], ids=lambda page: page.name)
def test_no_word_to_be_avoided_is_on_it(page):
    text = page.read_text(encoding="utf-8")
    assert not [word for _, _, avoided in glossary() for word in avoided if word in text]


def test_the_chinese_readme_has_the_terms_of_the_english_one():
    sections = [re.split(r"^## ", page.read_text(encoding="utf-8"), flags=re.MULTILINE) for page in READMES]
    for english, chinese in zip(*sections, strict=True):
        missing = list(missing_terms(without_code(english), without_code(chinese)))
        assert not missing, f"{missing} in\n{chinese}"


def test_both_readmes_name_the_same_commands():
    commands = [re.findall(r"`(tinygrad-vg [^`]*)`", page.read_text(encoding="utf-8")) for page in READMES]
    assert commands[0] == commands[1]
    assert len(commands[0]) > 5


@pytest.mark.parametrize("page", [CHINESE, READMES[1]], ids=lambda page: page.name)
def test_chinese_has_chinese_marks(page):
    for line in without_code(page.read_text(encoding="utf-8")).splitlines():
        assert not re.search(r"[\u4e00-\u9fff][,;:?!](?!\S*\))", line), f"a western mark: {line}"


def without_code(text):
    return re.sub(r"```.*?```", "", text, flags=re.DOTALL)
