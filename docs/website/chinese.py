"""Search in Chinese: jieba cuts the pages into words, and the reader's browser cuts what is searched for.

Sphinx brings the first half. What is typed, however, it takes as one word, so that a phrase would only be found where
jieba happened to make one word of it. Here the phrase is cut into the longest words that the index has.
"""

import csv
import logging
from pathlib import Path

import jieba
import sphinx.search
from sphinx.application import Sphinx
from sphinx.search.zh import SearchChinese

__all__ = ["CUT", "ChineseSearch", "setup"]

GLOSSARY = Path(__file__).resolve().parents[2] / "tutorials" / "glossary.csv"

CUT = """
var splitQuery = (query) => {
  const index = (typeof Search !== "undefined" && Search._index) || {};
  const known = (word) => [index.terms, index.titleterms].some((terms) => terms && Object.hasOwn(terms, word));
  const words = (run) => {
    const found = [];
    for (let start = 0; start < run.length; ) {
      let end = run.length;
      while (end - start > 1 && !known(run.slice(start, end))) end -= 1;
      if (end - start > 1) found.push(run.slice(start, end));
      start = end;
    }
    return found.length ? found : [run];
  };
  const runs = query.match(/\\p{Script=Han}+|(?:(?!\\p{Script=Han})[\\p{Letter}\\p{Number}_])+/gu) || [];
  return runs.flatMap((run) => /\\p{Script=Han}/u.test(run) ? words(run) : [run]);
};
"""


class ChineseSearch(SearchChinese):
    """jieba, with the terms of the glossary as words of their own."""

    js_splitter_code = CUT
    language_name = "English"  # Sphinx 9.0 names the stemmer after it, and Chinese pages are given the English one

    def __init__(self, options: dict[str, str]) -> None:
        jieba.setLogLevel(logging.WARNING)
        super().__init__(options)
        for term in terms():
            jieba.add_word(term)


def terms() -> list[str]:
    """The Chinese terms of the glossary."""
    with GLOSSARY.open(encoding="utf-8", newline="") as file:
        return [term for row in csv.DictReader(file) for term in row["zh"].split("|") if term]


def setup(app: Sphinx) -> dict[str, bool]:
    """Sphinx calls it."""
    sphinx.search.languages["zh"] = ChineseSearch
    return {"parallel_read_safe": True, "parallel_write_safe": True}
