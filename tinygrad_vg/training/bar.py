"""The progress of a training on stderr."""

from __future__ import annotations

import math
import sys
import time
from typing import Any

from tinygrad_vg.training.records import Run, shown

__all__ = ["ProgressBar", "progress_bar"]


class ProgressBar:
    """A bar with epoch, cost, accuracy and time left; not on a terminal, a line an epoch.

    Attributes
    ----------
    due
        When it is to be drawn again, as `time.monotonic` tells it. Drawing takes milliseconds, a step a tenth of one.
    """

    PERIOD = 0.25  # seconds

    def __init__(self, run: Run, console: Any) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self.console = console
        self.live = console.is_terminal or console.is_jupyter
        self.due = 0.0 if self.live else math.inf
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TimeRemainingColumn(),
            console=console,
            auto_refresh=False,
            redirect_stdout=sys.stdout is not None and sys.stdout.isatty(),  # what goes to a file stays there
        )
        self._task = self._progress.add_task("", total=run.epochs * run.batches, completed=run.epoch * run.batches)
        if self.live:
            self._progress.start()
            self.show(run)

    def show(self, run: Run) -> None:
        """Draw it."""
        cost = run.total / run.seen if run.seen else run.records[-1].cost if run.records else math.nan
        share = run.records[-1].accuracy if run.records else math.nan
        text = f"epoch {min(run.epoch + 1, run.epochs)}/{run.epochs}  cost {shown(cost, '.4f')}"
        text += "" if math.isnan(share) else f"  accuracy {share:.2%}"
        done = run.epoch * run.batches + run.batch
        self._progress.update(self._task, description=text, completed=done, refresh=True)
        self.due = time.monotonic() + self.PERIOD

    def epoch(self, run: Run) -> None:
        """Tell that an epoch is complete."""
        last = run.records[-1]
        if self.live:
            if time.monotonic() >= self.due or last.epoch == run.epochs:
                self.show(run)
            return
        share = "" if math.isnan(last.accuracy) else f"  accuracy {last.accuracy:.2%}"
        line = f"epoch {last.epoch}/{run.epochs}  cost {last.cost:.4f}{share}  {last.seconds:.2f} s"
        self.console.print(line, highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Leave the last picture and give the cursor back."""
        if self.live:
            self._progress.stop()


def progress_bar(run: Run, asked: bool | None) -> ProgressBar | None:
    """The bar, if it is wanted: None wants it in a terminal only."""
    if asked is False or sys.stderr is None or (asked is None and not sys.stderr.isatty()):
        return None
    from rich.console import Console

    return ProgressBar(run, Console(stderr=True))
