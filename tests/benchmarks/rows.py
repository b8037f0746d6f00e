"""The rows of the table: what was compared, how it came out, and what it is to come out at."""

from typing import NamedTuple

from tinygrad_vg.lab.results import Table

from .timing import Ratio


class Row(NamedTuple):
    """One comparison.

    Attributes
    ----------
    workload, against
        What was done, and beside whom.
    value
        A ratio, or a figure with a unit; None if `against` could not be had.
    unit
        "×" (times as long, or as much), "× faster", or a unit such as "ms".
    goal
        What is to be reached: at most that, or of "× faster" at least that. None for a row that only informs.
    note
        For instance why there is no value.
    """

    workload: str
    against: str
    value: Ratio | None
    unit: str = "×"
    goal: float | None = None
    note: str = ""

    @property
    def reached(self):
        """Whether the goal is reached; None without a goal or a value."""
        if self.goal is None or self.value is None:
            return None
        return self.value.middle >= self.goal if self.faster else self.value.middle <= self.goal

    @property
    def faster(self):
        return self.unit == "× faster"

    def texts(self):
        """The row as it is shown, but for the workload."""
        sign = (
            ""
            if self.goal is None
            else f"{'≥' if self.faster else '≤'} {self.goal:g}{self.unit_text.removesuffix(' faster')}"
        )
        goal = sign + {True: ": yes", False: ": no", None: ""}[self.reached]
        if self.value is None:
            return self.against, self.note, "", goal
        middle, low, high = map(figure, self.value)
        return self.against, middle + self.unit_text, f"{low} … {high}", goal

    @property
    def unit_text(self):
        return self.unit if self.unit.startswith("×") else f" {self.unit}"

    def data(self):
        """The row for JSON."""
        value = None if self.value is None else self.value._asdict()
        return {**self._asdict(), "value": value, "reached": self.reached}


HEADS = ("workload", "beside", "tinygrad_vg", "least … most", "to reach")


def figure(value):
    """Three digits, but no exponents."""
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def absent(workload, who, goal=None, unit="× faster"):
    """The row of someone who is not installed."""
    return Row(workload, who, None, unit, goal, note="not installed")


def notes(rows):
    """What there is to say about rows that have a value."""
    return [f"{row.workload}: {row.note}" for row in rows if row.note and row.value is not None]


def table(rows):
    """All rows; a workload is named in its first one only."""
    before = [None, *[row.workload for row in rows]]
    return Table.of(
        HEADS,
        [("" if row.workload == last else row.workload, *row.texts()) for row, last in zip(rows, before, strict=False)],
    )
