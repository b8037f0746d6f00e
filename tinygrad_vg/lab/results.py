"""What every experiment gives: a table, a picture, its data, and a verdict on what the chapter claims."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_vg.checks import Array
from tinygrad_vg.drawing.layout import write_atomically

__all__ = ["Claim", "Result", "Table", "Verdict"]


@dataclass(frozen=True)
class Table:
    """A table of short texts, for the terminal (plain, or printed by rich), for Markdown and for notebooks.

    Attributes
    ----------
    heads
        Of the columns.
    rows
        As many texts each.
    title
        Above it.
    """

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""

    @classmethod
    def of(cls, heads: Sequence[str], rows: Sequence[Sequence[Any]], title: str = "") -> Table:
        """A table of anything that has a text."""
        made = tuple([tuple(map(str, row)) for row in rows])
        if any([len(row) != len(heads) for row in made]):
            raise ValueError(f"a table with the columns {list(heads)} needs {len(heads)} texts in every row")
        return cls(tuple(heads), made, title)

    def __str__(self) -> str:
        lines = [self.heads, *self.rows]
        widths = [max([len(line[i]) for line in lines]) for i in range(len(self.heads))]
        text = ["  ".join([cell.ljust(w) for cell, w in zip(line, widths, strict=True)]).rstrip() for line in lines]
        return "\n".join([self.title, *text] if self.title else text)

    def markdown(self) -> str:
        """The table in Markdown."""
        lines = [self.heads, ("---",) * len(self.heads), *self.rows]
        text = "\n".join(["| " + " | ".join([cell.replace("|", "\\|") for cell in line]) + " |" for line in lines])
        return f"**{self.title}**\n\n{text}" if self.title else text

    def __rich__(self) -> Any:
        from rich.table import Column
        from rich.table import Table as RichTable
        from rich.text import Text

        table = RichTable(
            *[Column(Text(head)) for head in self.heads], title=self.title or None, title_justify="left", box=None
        )
        for row in self.rows:
            table.add_row(*map(Text, row))
        return table

    def _repr_html_(self) -> str:
        head = "".join([f"<th>{escape(h)}</th>" for h in self.heads])
        body = "".join(["<tr>" + "".join([f"<td>{escape(c)}</td>" for c in row]) + "</tr>" for row in self.rows])
        caption = f"<caption>{escape(self.title)}</caption>" if self.title else ""
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


@dataclass(frozen=True)
class Claim:
    """One thing that the chapter says, and what was measured.

    Attributes
    ----------
    says
        The claim in words.
    book
        Its number, with what it is a number of; empty if it has none.
    measured
        Ours, with its spread.
    runs
        Over how many seeds, circuits, draws …, in words: ``"20 seeds"``.
    holds
        None where it cannot be decided: then `measured` says why (too few seeds, no full data).
    row
        Of the list of claims in the docs: ``"12-14"``.
    """

    says: str
    book: str
    measured: str
    runs: str
    holds: bool | None
    row: str = ""

    @property
    def word(self) -> str:
        """``holds``, ``does not hold`` or ``undecided``."""
        return {True: "holds", False: "does not hold", None: "undecided"}[self.holds]


@dataclass(frozen=True)
class Verdict:
    """The claims of one experiment with what was found; true if all that could be decided hold."""

    claims: tuple[Claim, ...]

    def __bool__(self) -> bool:
        return all([claim.holds is not False for claim in self.claims])

    def table(self) -> Table:
        """Claim, book, measured, over what, verdict."""
        return Table.of(
            ("claim", "book", "measured", "over", "verdict"),
            [(c.says, c.book or "—", c.measured, c.runs, c.word) for c in self.claims],
        )

    def __str__(self) -> str:
        return "\n".join(
            [
                f"{c.word.upper()}: {c.says}{f' (book: {c.book})' if c.book else ''}: {c.measured} ({c.runs})"
                for c in self.claims
            ]
        )


@dataclass(frozen=True, eq=False)
class Result:
    """What an experiment found.

    Attributes
    ----------
    name
        Of the experiment, also of its files: ``"learning_speed"``.
    title
        In words.
    settings
        What it was run with, as plain values: the same settings give the same numbers.
    data
        Every number behind the tables and the pictures.
    tables
        The first is the main one.
    claims
        Of the chapter.
    draw
        Draws the picture: a matplotlib Figure, made inside `tinygrad_vg.drawing.plots.plot_style`.
    pictures
        Drawings beside it, by name: each makes something with ``to_svg()``, such as a circuit.
    """

    name: str
    title: str
    settings: Mapping[str, Any]
    data: Mapping[str, Array]
    tables: tuple[Table, ...]
    claims: tuple[Claim, ...]
    draw: Callable[[], Any] = field(repr=False)
    pictures: Mapping[str, Callable[[], Any]] = field(default_factory=dict, repr=False)

    def table(self) -> Table:
        """The main table."""
        return self.tables[0]

    def plot(self) -> Any:
        """The picture, as a matplotlib Figure."""
        return self.draw()

    @property
    def verdict(self) -> Verdict:
        """What the chapter claims, what was measured, does it hold."""
        return Verdict(self.claims)

    def markdown(self) -> str:
        """Tables and verdict as a section of Markdown."""
        parts = [f"## {self.title}", self.verdict.table().markdown(), *[table.markdown() for table in self.tables]]
        return "\n\n".join(parts) + "\n"

    def save(self, folder: str | Path) -> Path:
        """Write data, picture and text into a folder: ``NAME.npz``, ``NAME.svg``, ``NAME.md`` and ``NAME.json``.

        Drawings beside the picture are ``NAME-DRAWING.svg``.

        Parameters
        ----------
        folder : path
            Made if missing.

        Returns
        -------
        Path
            The folder.
        """
        from tinygrad_vg.drawing.plots import figure_to_svg

        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        arrays = io.BytesIO()
        np.savez_compressed(arrays, allow_pickle=False, **self.data)
        picture = figure_to_svg(self.plot(), title=self.title, description=str(self.verdict))
        files = {"npz": arrays.getvalue(), "svg": picture.encode(), "md": self.markdown().encode()}
        files["json"] = json.dumps(self.to_dict(), indent=1, ensure_ascii=False).encode()
        for suffix, content in files.items():
            write_atomically(folder / f"{self.name}.{suffix}", content)
        for name, draw in self.pictures.items():
            write_atomically(folder / f"{self.name}-{name}.svg", draw().to_svg().encode())
        return folder

    def to_dict(self) -> dict[str, Any]:
        """Settings, tables and claims as plain values."""
        return {
            "name": self.name,
            "title": self.title,
            "settings": dict(self.settings),
            "tables": [vars(table) for table in self.tables],
            "claims": [{**vars(claim), "verdict": claim.word} for claim in self.claims],
        }

    def __str__(self) -> str:
        return f"{self.title}\n\n{self.table()}\n\n{self.verdict}"

    def __repr__(self) -> str:
        return f"<{self.name}: {', '.join([claim.word for claim in self.claims])}>"

    def _repr_html_(self) -> str:
        tables = "".join([table._repr_html_() for table in (self.verdict.table(), *self.tables)])
        return f"<h3>{escape(self.title)}</h3>{tables}"
