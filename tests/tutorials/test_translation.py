"""The Chinese tutorials: the same cells and code as the English ones, nothing stale, the terms of the glossary.

After translating what a test names, run with TINYGRAD_VG_STAMP=1 to note which English text each cell now translates.
"""

import csv
import os
import re

import pytest
from tutorial_cells import code, prose, stamp, tags, without_strings

from tinygrad_vg.tutorials.files import folder, listed

ENGLISH = {tutorial.name: tutorial for tutorial in listed()}
CHINESE = listed("zh")

each = pytest.mark.parametrize("chinese", CHINESE, ids=lambda t: t.name)


def pairs(chinese):
    """Its cells with those they translate."""
    return list(zip(chinese.cells, ENGLISH[chinese.name].cells, strict=True))


def test_every_translation_has_its_original():
    assert {tutorial.name for tutorial in CHINESE} <= ENGLISH.keys()


@each
def test_the_cells_are_the_same(chinese):
    kinds = [[(cell.cell_type, tags(cell)) for cell in t.cells] for t in (chinese, ENGLISH[chinese.name])]
    for k, (ours, theirs) in enumerate(zip(*kinds, strict=False)):
        assert ours == theirs, f"cell {k} is the first that differs: {chinese.cells[k].source[:200]}"
    assert len(kinds[0]) == len(kinds[1])
    assert chinese.minutes == ENGLISH[chinese.name].minutes


@each
def test_the_code_is_the_same_but_for_its_strings(chinese):
    for ours, theirs in pairs(chinese):
        if ours.cell_type == "code":
            assert without_strings(ours.source) == without_strings(theirs.source), ours.source


@each
def test_nothing_is_stale(chinese):
    if os.environ.get("TINYGRAD_VG_STAMP"):
        write_stamps(chinese)
    stale = [
        f"{ours.source.splitlines()[0]!r} translates another version of\n{theirs.source}\n"
        for ours, theirs in pairs(chinese)
        if ours.cell_type == "markdown" and ours.metadata.get("en") != stamp(theirs)
    ]
    assert not stale, "\n".join(stale)


def write_stamps(chinese):
    """Note in the first line of each Chinese cell which English text it translates."""
    stamps = iter([stamp(cell) for cell in prose(ENGLISH[chinese.name])])
    lines = chinese.path.read_text(encoding="utf-8").splitlines()
    for k, line in enumerate(lines):
        if line.startswith("# %% [markdown]"):
            lines[k] = re.sub(r' en="\w*"', "", line) + f' en="{next(stamps)}"'
    chinese.path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    chinese.__dict__.pop("cells", None)


def test_what_differs_is_seen():
    english = 'with check("1.1", hint="a"):\n    assert f(x) == 2, f"at {x} it is {f(x)}"'
    assert without_strings(english) == without_strings(
        'with check("1.1", hint="甲"):\n    assert f(x) == 2, f"得到 {f(x)}，在 {x} 处"  # 注'
    )
    assert without_strings(english) != without_strings(english.replace("== 2", "== 3"))
    assert without_strings(english) != without_strings(english.replace("{x} it", "{y} it"))


# ------------------------------------------------------------------------------------------------------------ glossary


def glossary():
    with (folder() / "glossary.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield row["en"].split("|"), row["zh"].split("|"), list(filter(None, row["avoid"].split("|")))


def missing_terms(english, chinese):
    """The English terms of a text that its translation does not have."""
    english = re.sub(r"`[^`]*`", "", english)
    for english_words, chinese_words, _ in glossary():
        spellings = "|".join([re.escape(word) for word in english_words])
        if re.search(rf"(?<![\w-])(?:{spellings})s?(?![\w-])", english, re.IGNORECASE) and not any(
            [word in chinese for word in chinese_words]
        ):
            yield english_words[0], chinese_words


def test_the_glossary_is_in_order_and_tells_terms_apart():
    rows = list(glossary())
    assert [en[0] for en, _, _ in rows] == sorted([en[0] for en, _, _ in rows])
    assert all([en and zh and all(zh) for en, zh, _ in rows])
    assert [t for t, _ in missing_terms("The **weights** and a bias-free cost, as of `neuron`", "各个权重")] == ["cost"]


@each
def test_the_terms_are_the_glossarys(chinese):
    for ours, theirs in pairs(chinese):
        if ours.cell_type == "markdown":
            missing = list(missing_terms(theirs.source, ours.source))
            assert not missing, f"{missing} in\n{ours.source}"
    everything = "\n".join([cell.source for cell in [*prose(chinese), *code(chinese)]])
    for _, _, avoided in glossary():
        assert not [word for word in avoided if word in everything]


@each
def test_it_is_written_in_chinese_with_chinese_marks(chinese):
    for cell in prose(chinese):
        assert re.search(r"[\u4e00-\u9fff]", cell.source)
        for line in cell.source.splitlines():
            assert not re.search(r"[\u4e00-\u9fff][,;:?!](?!\S*\))", line), f"a western mark: {line}"
            assert not re.search(r"(?<=[\u4e00-\u9fff])[(]|[)](?=[\u4e00-\u9fff])", line), f"a western bracket: {line}"
