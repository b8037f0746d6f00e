"""The chapter's report: the one that is kept in ``docs/report``, or how to make it."""

import shutil
from importlib import import_module
from pathlib import Path

from tinygrad_vg.lab import EXPERIMENTS

__all__ = ["write"]

END = "\n\n"
KEPT = Path(__file__).resolve().parents[1] / "report"

HOW = """# Why deep networks are hard to train: every claim, measured

`tinygrad-vg reproduce` measures every claim of chapter 5, over many seeds, and writes a report: each claim with the
book's number, what was measured, and whether it holds. `--quick` does so with few seeds and on the embedded digits.

```sh
tinygrad-vg reproduce --quick --out report
```

It is kept with the site once it has been made in full. The experiments, each of which can be run alone with `--only`:

{experiments}
"""


def write(into: Path) -> None:
    """Write ``report/index.md`` and its pictures."""
    folder = into / "report"
    folder.mkdir(parents=True, exist_ok=True)
    text = KEPT / "report.md"
    if not text.exists():
        (folder / "index.md").write_text(HOW.format(experiments=_experiments()), encoding="utf-8", newline="\n")
        return
    for picture in sorted(KEPT.glob("*.svg")):
        shutil.copyfile(picture, folder / picture.name)
    (folder / "index.md").write_text(text.read_text(encoding="utf-8"), encoding="utf-8", newline="\n")


def _experiments() -> str:
    modules = [(name, import_module(f"tinygrad_vg.lab.{name}").__doc__ or "") for name in EXPERIMENTS]
    return "\n".join([f"* `{name}`: {' '.join(text.partition(END)[0].split())}" for name, text in modules])
