"""What other libraries do where deep chains of sigmoids are hard on them, for docs/compared.md.

Run ``python docs/probe_others.py --write`` in an environment that has them (``pip install micrograd autograd mygrad
dezero torch jax``); those that are missing keep the row they have.
"""

import argparse
import importlib
import math
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

PAGE = Path(__file__).resolve().parent / "compared.md"
BEGIN, END = "<!-- generated: probes -->\n", "<!-- end -->"
HEADS = ("library", "version", "10,000 sines in a row", "tanh″(½)", "σ′(30), relative error", "σ′(40)")
LONG = 10_000


class Probe:
    """One library: how it writes the derivative of a function that uses its own vocabulary."""

    name = dist = ""

    @property
    def version(self) -> str:
        """The one that is installed."""
        return version(self.dist).partition("+")[0]

    def grad(self, f: Callable[[Any], Any], x: float) -> float:
        """f′(x)."""
        raise NotImplementedError

    def second(self, x: float) -> float:
        """tanh″(x)."""
        raise NotImplementedError

    def op(self, name: str) -> Callable[[Any], Any]:
        """Its sin, tanh or sigmoid."""
        return getattr(importlib.import_module(self.dist), name)


class _Here(Probe):
    name = dist = "tinygrad_vg"

    @property
    def version(self):
        return importlib.import_module("tinygrad_vg").__version__

    def grad(self, f, x):
        return importlib.import_module("tinygrad_vg").grad(f)(x)

    def second(self, x):
        vg = importlib.import_module("tinygrad_vg")
        return vg.grad(vg.grad(np.tanh))(x)

    def op(self, name):
        return importlib.import_module("tinygrad_vg").sigmoid if name == "sigmoid" else getattr(np, name)


class _Micrograd(Probe):
    """It has no sine and no sigmoid; tanh of the later versions is not in the released one."""

    name = dist = "micrograd"

    def grad(self, f, x):
        value = importlib.import_module("micrograd.engine").Value(x)
        f(value).backward()
        return value.grad

    def second(self, x):
        raise Missing("none: backward gives floats")

    def op(self, name):
        if name == "sin":  # a sine is as good as any other op to make a long chain of
            return lambda value: value * 1.0001
        raise Missing(f"has no {name}")


class _Autograd(Probe):
    name, dist = "HIPS autograd", "autograd"

    def grad(self, f, x):
        return importlib.import_module("autograd").grad(f)(x)

    def second(self, x):
        grad = importlib.import_module("autograd").grad
        return grad(grad(self.op("tanh")))(x)

    def op(self, name):
        np_ = importlib.import_module("autograd.numpy")
        return (lambda x: 1 / (1 + np_.exp(-x))) if name == "sigmoid" else getattr(np_, name)


class _MyGrad(Probe):
    name, dist = "MyGrad", "mygrad"

    def grad(self, f, x):
        tensor = importlib.import_module("mygrad").tensor(x)
        f(tensor).backward()
        return float(tensor.grad)

    def second(self, x):
        raise Missing("none: gradients are arrays")

    def op(self, name):
        where = "mygrad.nnet.activations" if name == "sigmoid" else "mygrad"
        return getattr(importlib.import_module(where), name)


class _DeZero(Probe):
    name = dist = "dezero"

    def grad(self, f, x, create_graph=False):
        variable = self._dezero().Variable(np.array(x))
        f(variable).backward(create_graph=create_graph)
        return float(variable.grad.data) if not create_graph else (variable, variable.grad)

    def second(self, x):
        variable, first = self.grad(self.op("tanh"), x, create_graph=True)
        variable.cleargrad()
        first.backward()
        return float(variable.grad.data)

    def op(self, name):
        self._dezero()
        return getattr(importlib.import_module("dezero.functions"), name)

    def _dezero(self):
        if not hasattr(np, "int"):
            np.int = int  # removed in NumPy 1.24; without it the package cannot be imported
        return importlib.import_module("dezero")


class _Torch(Probe):
    name, dist = "PyTorch", "torch"

    def grad(self, f, x):
        torch = importlib.import_module("torch")
        tensor = torch.tensor(x, dtype=torch.float64, requires_grad=True)
        return float(torch.autograd.grad(f(tensor), tensor)[0])

    def second(self, x):
        torch = importlib.import_module("torch")
        return float(torch.func.grad(torch.func.grad(torch.tanh))(torch.tensor(x, dtype=torch.float64)))


class _Jax(Probe):
    name, dist = "JAX", "jax"

    def grad(self, f, x):
        jax = importlib.import_module("jax")
        jax.config.update("jax_enable_x64", True)
        return float(jax.grad(f)(x))

    def second(self, x):
        jax = importlib.import_module("jax")
        return float(jax.grad(jax.grad(self.op("tanh")))(x))

    def op(self, name):
        return getattr(importlib.import_module("jax.nn" if name == "sigmoid" else "jax.numpy"), name)


class Missing(Exception):
    """A library does not have something."""


PROBES = (_Here(), _Micrograd(), _Autograd(), _MyGrad(), _DeZero(), _Torch(), _Jax())


def long_chain(probe: Probe) -> str:
    """Whether a long chain can be differentiated with Python's usual limits."""
    sin = probe.op("sin")

    def chain(x: Any) -> Any:
        for _ in range(LONG):
            x = sin(x)
        return x

    probe.grad(chain, 0.5)
    return "yes"


def second_derivative(probe: Probe) -> str:
    """tanh″(½), right or not."""
    right = -2 * math.tanh(0.5) * (1 - math.tanh(0.5) ** 2)
    found = probe.second(0.5)
    return "right" if math.isclose(found, right, rel_tol=1e-6) else f"{found:.6g}, not {right:.6g}"


def tail(probe: Probe, z: float) -> float:
    """σ′(z)."""
    return probe.grad(probe.op("sigmoid"), z)


def at_30(probe: Probe) -> str:
    """The relative error of σ′(30)."""
    error = abs(tail(probe, 30.0) / true_slope(30.0) - 1)
    return "below 1e-15" if error < 1e-15 else f"{error:.0e}".replace("e-0", "e-")


def at_40(probe: Probe) -> str:
    """σ′(40)."""
    found = tail(probe, 40.0)
    return "0" if found == 0 else f"{found:.2e}"


def true_slope(z: float) -> float:
    """σ′(z) = e⁻ᶻ / (1 + e⁻ᶻ)²."""
    return math.exp(-z) / (1 + math.exp(-z)) ** 2


def answer(ask: Callable[[Probe], str], probe: Probe) -> str:
    """What a probe finds, or why it finds nothing."""
    try:
        return ask(probe)
    except Missing as why:
        return str(why)
    except RecursionError:
        return "RecursionError"


def row(probe: Probe) -> tuple[str, ...] | None:
    """A line of the table; None where the library is not installed or cannot run here."""
    try:
        number = probe.version
    except (ImportError, PackageNotFoundError):
        return None
    asks = (long_chain, second_derivative, at_30, at_40)
    return (probe.name, number, *[answer(ask, probe) for ask in asks])


def rows_of(text: str) -> dict[str, tuple[str, ...]]:
    """The rows that stand in a table."""
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {cells[0].strip(): tuple(map(str.strip, cells)) for cells in lines[2:]}


def main() -> None:
    """Print the table, or write it into the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write it into {PAGE.name}")
    write = parser.parse_args().write
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN) if PAGE.exists() else ("", "", "")
    kept, _, after = rest.partition(END)
    rows = rows_of(kept)
    for probe in PROBES:
        print(probe.name, "…", file=sys.stderr)
        found = row(probe)
        if found:
            rows[probe.name] = found
    ordered = [rows[probe.name] for probe in PROBES if probe.name in rows]
    table = "\n".join(["| " + " | ".join(cells) + " |" for cells in (HEADS, ["---"] * len(HEADS), *ordered)])
    if write:
        PAGE.write_text(f"{before}{BEGIN}\n{table}\n\n{END}{after}", encoding="utf-8", newline="\n")
    else:
        print(table)


if __name__ == "__main__":
    main()
