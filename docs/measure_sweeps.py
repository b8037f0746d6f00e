"""Measure what a sweep costs beyond its tasks, and write the table of scaling.md: ``python docs/measure_sweeps.py``.

It takes about two minutes, on a machine that does nothing else, and needs the MNIST set.
"""

import os
import platform
import tempfile
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pictures.page import filled

from tinygrad_vg.lab.measures import digits, trained
from tinygrad_vg.lab.results import Table
from tinygrad_vg.lab.sweeps import sweep

PAGE = Path(__file__).with_name("scaling.md")
CHAIN = "tinygrad_vg.lab.measures:neurons_in_a_row"
DEPTH = {"depth": (4,)}
MILLION = 1_000_000


def seconds(n, **where):
    """Of a sweep of n short tasks."""
    began = time.perf_counter()
    sweep(CHAIN, DEPTH, n, **where)
    return time.perf_counter() - began


def each(few, many, **where):
    """Seconds for each further task, without what starting takes."""
    return (seconds(many, **where) - seconds(few, **where)) / (many - few)


def rows():
    """What was measured, and what it makes of a million tasks."""
    workers = os.cpu_count() or 1
    with ThreadPoolExecutor(1) as here:
        alone = each(200, 2200, executor=here)
    processes = each(200, 4200, workers=workers)
    yield "a row of 4 neurons, in this process", alone
    yield f"the same, handed to {workers} processes", processes
    try:
        from distributed import Client, LocalCluster

        with (
            LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster,
            Client(cluster) as client,
            client.get_executor() as executor,
        ):
            yield f"the same, through a dask scheduler to {workers} workers", each(200, 2200, executor=executor)
    except ImportError:
        pass
    for full, images in ((False, "1,000"), (True, "50,000")):
        digits(full)  # read before the clock starts: a process does that once
        began = time.perf_counter()
        trained(epochs=1, full=full, seed=0)
        yield f"one epoch of [784, 30, 10] on {images} digits", time.perf_counter() - began


def file_figures():
    """Bytes of a record, seconds to read one again, and bytes of memory for each in the result."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(1) as here:
        out, n = Path(folder) / "sweep.jsonl", 3000
        sweep(CHAIN, DEPTH, n, executor=here, out=out)
        size = out.stat().st_size / n
        began = time.perf_counter()
        sweep(CHAIN, DEPTH, n, executor=here, out=out)
        read = (time.perf_counter() - began) / n
        tracemalloc.start()
        found = sweep(CHAIN, DEPTH, n, executor=here, out=out)
        memory = tracemalloc.get_traced_memory()[0] / n
        tracemalloc.stop()
        assert len(found.records) == n
    return size, read, memory


def time_of(value):
    """Seconds as a person says them."""
    for least, unit, name in ((2, 86400, "days"), (2, 3600, "hours"), (2, 60, "minutes"), (1, 1, "s"), (1, 1e-3, "ms")):
        if value >= least * unit:
            return f"{value / unit:.2g} {name}"
    return f"{value * 1e6:.2g} µs"


def table():
    """The table as Markdown."""
    lines = [(what, time_of(cost), time_of(cost * MILLION)) for what, cost in rows()]
    size, read, memory = file_figures()
    lines.append(("reading a record again", time_of(read), time_of(read * MILLION)))
    lines.append(("a record in the file", f"{size:.0f} bytes", f"{size * MILLION / 1e6:.0f} MB"))
    lines.append(("a record in memory", f"{memory:.0f} bytes", f"{memory * MILLION / 1e6:.0f} MB"))
    machine = f"Measured with Python {platform.python_version()} on {platform.system()} {platform.machine()}, "
    return f"{machine}{os.cpu_count()} cores.\n\n" + Table.of(("what", "one", "a million"), lines).markdown()


if __name__ == "__main__":
    made = table()
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), {"scaling-table": made}), encoding="utf-8")
    print(made)
