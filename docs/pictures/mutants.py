"""What the checks are worth: how many planted faults they notice, and how many two policies in use elsewhere would."""

import sys
from pathlib import Path

from pictures.texts import markdown

__all__ = ["table"]

KINDS = {"rule": "in a rule of the table", "sweep": "in the sweep", "forward": "in a forward", "": "all"}


def table() -> str:
    """The run of ``python -m tests.mutation``, by where the fault is."""
    sys.path.append(str(Path(__file__).parents[2]))
    from tests.mutation import run

    outcomes = [o for o in run() if o.by or o.effective]
    rows = [["fault", "mutants", "`check_op`", "as PyTorch's `gradcheck`", "as minitorch's `grad_check`"]]
    for kind, words in KINDS.items():
        group = [o for o in outcomes if o.kind == kind or not kind]
        noticed = [
            sum(map(bool, column)) for column in zip(*[(o.by, o.torch, o.minitorch) for o in group], strict=True)
        ]
        rows.append([words, f"{len(group):,}", *[f"{100 * n // len(group)} %" for n in noticed]])
    return markdown(rows)
