"""Tables and numbers in Markdown."""

from collections.abc import Iterable, Sequence

import numpy as np

__all__ = ["markdown", "power", "rough"]


def markdown(rows: Iterable[Sequence[str]]) -> str:
    """A table; the first row is its head."""
    head, *body = rows
    return "\n".join(["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *body)])


def power(x: float) -> str:
    """A rounding error as a power of ten: its digits depend on the machine."""
    return f"1e{round(np.log10(x))}".replace("1e0", "1")


def rough(x: float) -> str:
    """A number to one digit."""
    return f"{x:.0e}".replace("e-0", "e-").replace("e+0", "e")
