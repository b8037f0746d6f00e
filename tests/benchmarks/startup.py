"""What is waited for before anything happens: import and ``--help``, in fresh processes."""

import subprocess
import sys
from pathlib import Path

import numpy as np

from .rows import Row
from .timing import QUIET, Ratio

ROOT = Path(__file__).parents[2]
STARTS = 8  # of each kind in a round
LEAVE = "import atexit, sys, time; atexit.register(lambda: print('\\n', time.process_time()))\n"
"""Print the CPU time since the process began, as its last deed."""

CODES = {
    "numpy": "import numpy",
    "package": "import tinygrad_vg",
    "help": "sys.argv = ['tinygrad-vg', '--help']\nfrom tinygrad_vg.cli import main\nmain()",
}


def seconds(code):
    """CPU time of a fresh Python that runs this, from its start on."""
    made = subprocess.run(
        [sys.executable, "-c", LEAVE + code], capture_output=True, text=True, check=True, cwd=ROOT, timeout=60
    )
    return float(made.stdout.split()[-1])


def rows(rounds):
    """The rows of the table; a round is some starts of each kind."""
    taken = {name: np.zeros((rounds, STARTS)) for name in CODES}
    for code in CODES.values():
        seconds(code)  # writes the bytecode
    for i in range(rounds):
        for j in range(STARTS):
            for name, code in CODES.items():
                taken[name][i, j] = seconds(code)
    numpy, package, help_ = (1000 * np.quantile(taken[name], QUIET, axis=1) for name in CODES)
    yield Row("import tinygrad_vg", "import numpy", Ratio.of(package - numpy), "ms more", 30.0)
    yield Row("tinygrad-vg --help", "", Ratio.of(help_), "ms", 400.0)
