"""What the figures were taken with."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

PEERS = ("torch", "mygrad", "autograd", "micrograd")


def processor():
    """The processor as the system calls it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def blas():
    """The library behind NumPy's matrix products."""
    found = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return f"{found['name']} {found['version']}"


def described(**settings):
    """Machine, versions and how it was measured, by name; None for a peer that is not installed."""
    versions = {}
    for name in PEERS:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = None
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        "NumPy": np.__version__,
        "BLAS": f"{blas()}, one thread",
        **versions,
        **settings,
    }


def sentence(found):
    """The same in words, with how it was measured."""
    peers = ", ".join([f"{name} {found[name]}" for name in PEERS if found[name]])
    missing = ", ".join([name for name in PEERS if not found[name]])
    return (
        f"Taken with Python {found['Python']}, NumPy {found['NumPy']} ({found['BLAS']}) on {found['processor']}, "
        f"{found['cores']} cores, {found['system']}; {peers or 'no other framework'}"
        + (f"; not installed: {missing}. " if missing else ". ")
        + f"Python's garbage collector is {found['garbage collector']}. Medians over {found['rounds']} rounds, "
        "fewer where one takes minutes."
    )
