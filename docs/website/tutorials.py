"""The tutorials as notebooks that Sphinx executes, and the page that lists them."""

from pathlib import Path
from typing import Any

import jupytext
from nbformat.v4 import new_markdown_cell

from tinygrad_vg.tutorials.files import Tutorial, has_tag, learners_copy, listed, text_of

__all__ = ["notebook", "write"]

WORDS = {
    "en": {
        "index": "Tutorials",
        "lead": (
            "Each takes a quarter of an hour or so, needs high-school calculus and some Python, and has exercises that "
            "check themselves. Read them here, or work through a copy of your own: `tinygrad-vg tutorial 1` writes one "
            "into the current folder, as a notebook with `--to ipynb`."
        ),
        "heads": "| | exercises | minutes |",
        "facts": "{minutes} minutes · {exercises} · to work through it yourself: `tinygrad-vg tutorial {number}`, or "
        "{{download}}`the file <copies/{name}.py>`, {{download}}`the notebook <copies/{name}.ipynb>`",
        "exercises": ("{} exercise", "{} exercises"),
        "solution": "Solution",
    },
    "zh": {
        "index": "教程",
        "lead": (
            "每一课大约一刻钟，只需要高中的微积分和一点 Python，练习会自己检验对错。可以在这里读，"
            "也可以拿一份副本自己动手做：`tinygrad-vg tutorial 1 --lang zh` 会在当前文件夹里写出一份，"
            "加上 `--to ipynb` 则是笔记本。"
        ),
        "heads": "| | 练习 | 分钟 |",
        "facts": "{minutes} 分钟 · {exercises} · 自己动手做：`tinygrad-vg tutorial {number} --lang zh`，"
        "或者下载{{download}}`文件 <copies/{name}.py>`、{{download}}`笔记本 <copies/{name}.ipynb>`",
        "exercises": ("{} 道练习", "{} 道练习"),
        "solution": "答案",
    },
}


def write(lang: str, into: Path) -> None:
    """Write the notebooks, the learner's copies and the list of all of them into ``tutorials/``."""
    folder, words = into / "tutorials", WORDS[lang]
    (folder / "copies").mkdir(parents=True)
    there = {tutorial.name: tutorial for tutorial in listed(lang)}
    rows = [words["heads"], "| --- | --- | --- |"]
    for english in listed():
        found = there.get(english.name)
        shown = found or english
        title = f"{shown.number}. {shown.title}"
        elsewhere = f'<a href="../../tutorials/{english.name}.html" hreflang="en">{title}</a>（英文）'
        link = f"[{title}]({english.name}.ipynb)" if found else elsewhere
        rows.append(f"| {link} | {len(shown.exercises)} | {shown.minutes} |")
        if found:
            put(folder, found)
    tree = "\n".join(["```{toctree}", ":hidden:", "", *there, "```"])
    page = "\n\n".join([f"# {words['index']}", str(words["lead"]), "\n".join(rows), tree])
    (folder / "index.md").write_text(page + "\n", encoding="utf-8", newline="\n")


def put(folder: Path, tutorial: Tutorial) -> None:
    """Write one tutorial as a notebook, and its copies for learners."""
    text = jupytext.writes(notebook(tutorial), fmt="ipynb")
    (folder / f"{tutorial.name}.ipynb").write_text(text, encoding="utf-8", newline="\n")
    for to in ("py", "ipynb"):
        copy = text_of(learners_copy(tutorial), to)
        (folder / "copies" / f"{tutorial.name}.{to}").write_text(copy, encoding="utf-8", newline="\n")


def notebook(tutorial: Tutorial) -> Any:
    """A tutorial as its page: without the hidden cells, the solutions folded where they stand.

    The notes that tests and translators need are left out as well, and the facts are put below the title.
    """
    words, made = WORDS[tutorial.lang], tutorial.notebook()
    made.cells = [cell for cell in made.cells if not has_tag(cell, "hidden")]
    for cell in made.cells:
        solution = has_tag(cell, "solution")
        cell.metadata = {"tags": ["hide-cell"]} if solution and cell.cell_type == "code" else {}
        if solution and cell.cell_type == "markdown":
            cell.source = f"<details><summary>{words['solution']}</summary>\n\n{cell.source}\n\n</details>"
    title, _, rest = made.cells[0].source.partition("\n")
    made.cells[0].source = title
    made.cells[1:1] = [new_markdown_cell(_facts(tutorial)), new_markdown_cell(rest.strip())]  # type: ignore[no-untyped-call]
    for k, cell in enumerate(made.cells):
        cell["id"] = f"cell-{k}"  # the same at every build
    made.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return made


def _facts(tutorial: Tutorial) -> str:
    words, number = WORDS[tutorial.lang], len(tutorial.exercises)
    exercises = words["exercises"][number != 1].format(number)
    return str(words["facts"]).format(
        minutes=tutorial.minutes, exercises=exercises, number=tutorial.number, name=tutorial.name
    )
