"""``python -m tests.benchmarks``."""

import os

# Read by the libraries of linear algebra when they are loaded, so it has to stand before NumPy is imported.
for library in ("OMP", "OPENBLAS", "MKL", "BLIS", "VECLIB"):
    os.environ[f"{library}_{'MAXIMUM' if library == 'VECLIB' else 'NUM'}_THREADS"] = "1"

from .command import main  # noqa: E402

if __name__ == "__main__":
    main()
