"""docs/reliability.md says what the tests do: their numbers, and where each known fault is tried."""

import re

import pytest
from table import BEGIN, END, PAGE, ROOT, ROWS, count, table

pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="the tests run away from the repository")


def text():
    return PAGE.read_text(encoding="utf-8")


def kept():
    return text().split(BEGIN)[1].split(END)[0]


def test_the_table_has_the_numbers_of_the_tests():
    counts = [int(number) for number in re.findall(r"\| (\d+) in `", kept())]
    assert kept() == table(counts)
    assert min(counts) > 0


@pytest.mark.slow
def test_the_table_counts_the_tests():
    assert kept() == table(map(count, ROWS))


def test_every_test_it_names_is_there():
    named = re.findall(r"`([\w/]+\.py)::(\w+)`", text())
    assert len(named) > 20
    for file, test in named:
        assert re.search(rf"^def {test}\(", (ROOT / "tests" / file).read_text(encoding="utf-8"), re.MULTILINE), (
            file,
            test,
        )


def test_what_is_open_is_what_is_expected_to_fail():
    """A fault that is mended loses its mark, and then its line on the page."""
    marked = set(
        re.findall(r'xfail\(\s*reason="([^"]*)"', (ROOT / "tests" / "test_known_bugs.py").read_text(encoding="utf-8"))
    )
    listed = set(re.findall(r"^\* \*open\*: (.*)\.$", text(), re.MULTILINE))
    assert listed == marked
