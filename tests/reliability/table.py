"""The table of docs/reliability.md: what is tried, how often, what happens.

``python tests/reliability/table.py`` writes it. It runs every test that the table names, and leaves the page as it is
if one of them fails.
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent))

from amounts import (
    BYTES,
    CALLS,
    DAMAGES,
    DISKS,
    HEADERS,
    MANY_MOMENTS,
    MANY_PROGRAMS,
    MOMENTS,
    NAMES,
    PROGRAMS,
    ROUNDS,
    STEPS,
    TEXTS,
)

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- generated: reliability-table -->\n", "<!-- end -->"


class Row(NamedTuple):
    """What is tried, how often beyond the number of tests, what must happen, and the tests: a file and words for -k."""

    what: str
    often: str
    happens: str
    file: str
    words: str = ""


ROWS = [
    Row(
        "faults that other engines have or had",
        "",
        "right gradients, or an error that says why not",
        "test_known_bugs.py",
    ),
    Row(
        "random programs: shared nodes, slices, stretched shapes, several losses, second backward, no_grad, updates",
        f"{PROGRAMS} programs of up to {STEPS} steps; {MANY_PROGRAMS:,} longer ones at night",
        "every cotangent is the sum over all paths, each walked by itself, to 1e-12 of what was added up",
        "reliability/test_state_machine.py",
    ),
    Row(
        "threads and asyncio tasks that differentiate at once",
        f"{ROUNDS} rounds of each thread, with turns taken as often as Python can",
        "the same bits as alone; no context reaches another thread",
        "reliability/test_threads.py",
    ),
    Row(
        "kill −9 during training",
        f"at {MOMENTS} moments, evenly spread over all lines executed, and at each line around a renaming; "
        f"at {MANY_MOMENTS} at night",
        "a checkpoint that can be read; resumed, the same weights bit for bit",
        "reliability/test_training_faults.py",
        "killed",
    ),
    Row(
        "a full disk, a disk too small for the file, a read-only file system",
        f"{DISKS} sizes that are too small",
        "an error that names the file; what was there is there, byte for byte",
        "reliability/test_training_faults.py",
        "disk or folder",
    ),
    Row(
        "checkpoints damaged on the way",
        f"{DAMAGES} with bytes changed, cut off, put in",
        "the same numbers, or an error that names the file",
        "reliability/test_parsers.py",
        "damaged",
    ),
    Row(
        "foreign checkpoints, with strange arrays in a whole archive",
        f"{HEADERS} arrays",
        "an error that names the file; file, model and generator stay as they were",
        "reliability/test_parsers.py",
        "strange or unfolds",
    ),
    Row(
        "IDX files, damaged or with absurd lengths",
        f"{BYTES} files",
        "the bytes, or a ValueError; no memory for what is merely promised",
        "reliability/test_parsers.py",
        "idx",
    ),
    Row(
        "texts as expressions and values",
        f"{TEXTS} texts",
        "a graph, or an error with its place; nothing is run",
        "reliability/test_parsers.py",
        "expression",
    ),
    Row(
        "downloads: cut, reset, silent, endless, wrong length or hash, HTML, gzip bombs, redirects, two at once, kill",
        "",
        "refused with the reason, and the next mirror is asked; nothing but verified files in the cache",
        "test_datasets.py",
        "mirror or bomb or processes or killed or cache or bad_file",
    ),
    Row(
        "hostile names in pictures, DOT, notebooks and pages: markup, quotes, control characters, 10,000 characters",
        f"{NAMES} names in each kind of text, {max(NAMES // 8, 2)} in each kind of picture",
        "the elements of a plain name; nothing that a browser would load or run",
        "reliability/test_markup.py",
    ),
    Row(
        "ways in: pickle, shell, eval, files elsewhere than said",
        "every call in the source; every command with a home and a temporary folder of its own",
        "there are none",
        "reliability/test_doors.py",
    ),
    Row(
        "wrong arguments: every option of every command without a value, with wrong ones; random words",
        f"once each, and {CALLS} random calls",
        "one line on stderr and exit status 2",
        "reliability/test_command_line.py",
        "argument or random",
    ),
    Row(
        "commands with LANG=C, NO_COLOR, 80 columns, no terminal, a closed pipe, a full device, no streams, Ctrl-C",
        "",
        "results in ASCII, quiet ends, 130 with what was finished kept",
        "reliability/test_command_line.py",
        "not (argument or random or tried)",
    ),
]


def pytest(row, *options):
    """Run or collect the tests of a row; those for the night, too, are left out."""
    words = ["-k", row.words] if row.words else []
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:randomly",
        str(ROOT / "tests" / row.file),
        *words,
        *options,
    ]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def count(row):
    """How many tests the row names."""
    found = pytest(row, "--collect-only")
    return len(re.findall(r"^tests/.*::", found.stdout, flags=re.MULTILINE))


def table(counts):
    """The table as Markdown, with these numbers of tests."""
    lines = ["| tried | how often | what happens | tests |", "| --- | --- | --- | --- |"]
    for row, number in zip(ROWS, counts, strict=True):
        lines.append(f"| {row.what} | {row.often or 'once each'} | {row.happens} | {number} in `{row.file}` |")
    return "\n".join(lines) + "\n"


def main():
    """Run everything, and write the table."""
    for row in ROWS:
        done = pytest(row)
        if done.returncode:
            sys.exit(f"{row.what}: not as the table says\n{done.stdout[-2000:]}")
    text = PAGE.read_text(encoding="utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}{table(map(count, ROWS))}{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
