"""A step without the library: the NumPy calls it makes, recorded and written down one after the other as a function.

What that function takes is NumPy's part of the step; what the step takes beyond it is Python's. Once more with every
result going into memory allocated beforehand it tells what new memory costs.
"""

import time
import weakref
from collections import Counter
from typing import Any, NamedTuple

import numpy as np

from .calls import as_ufunc, is_new, is_numpy, name_of


class Call(NamedTuple):
    """A line of the function: ``result = f(args)``."""

    f: Any
    name: str
    args: str
    result: str
    used: set[str]
    buffer: np.ndarray | None  # for the result, if it may be given as out=


class Trace:
    """An observer that writes down what NumPy computes in one step.

    It holds no array that the step computes: the library asks how many references there are.
    """

    def __init__(self):
        self.on, self.calls, self.ends = False, [], []
        self.constants, self._known = {}, {}

    def __call__(self, f, /, *args, **kwargs):
        result = f(*args, **kwargs)
        if self.on and isinstance(result, np.ndarray | np.generic) and is_numpy(f, args):
            self._write(f, args, kwargs, result)
        return result

    def phase(self):
        """A phase of the step has ended."""
        self.ends.append(len(self.calls))

    def _write(self, f, args, kwargs, result):
        used = set()
        texts = [self._text(a, used) for a in args]
        texts += [f"{key}={self._text(a, used)}" for key, a in kwargs.items()]
        name, new = f"v{len(self.calls)}", is_new(result, args, kwargs)
        takes_out = isinstance(getattr(f, "__self__", None), np.ufunc) or as_ufunc(f) is not None
        buffer = np.empty_like(result) if new and takes_out else None
        if isinstance(result, np.ndarray) and self._name(result) is None:
            self._known[id(result)] = weakref.ref(result), name
        self.calls.append(Call(f, name_of(f), ", ".join(texts), name, used, buffer))

    def _name(self, array):
        reference, name = self._known.get(id(array), (lambda: None, None))
        return name if reference() is array else None

    def _text(self, value, used):
        """How an argument is written; adds the name it is kept under to those that are used."""
        text = ""
        if isinstance(value, np.ndarray):
            base = value.base
            if self._name(value) is None and isinstance(base, np.ndarray) and _is_transposed(value, base):
                value, text = base, ".T"
            name = self._name(value)
            if name is None:
                name = self._constant(value.copy(order="K"))
                self._known[id(value)] = weakref.ref(value), name
        else:
            name = self._constant(value)
        used.add(name)
        return name + text

    def _constant(self, value):
        name = f"c{len(self.constants)}"
        self.constants[name] = value
        return name

    def function(self, reuse=False, clock_each=False):
        """The step as a function, which gives the time at its beginning and at the end of each phase.

        Parameters
        ----------
        reuse : bool
            Have results put into arrays that are there already.
        clock_each : bool
            Give the time at the end of each call, instead.
        """
        last = {name: i for i, call in enumerate(self.calls) for name in (call.result, *call.used)}
        lines, scope = ["def run():", "    times = [now()]"], {**self.constants, "now": time.perf_counter}
        for i, call in enumerate(self.calls):
            f, out = call.f, ""
            if reuse and call.buffer is not None:
                f = f if isinstance(getattr(f, "__self__", None), np.ufunc) else as_ufunc(f)
                scope[f"b{i}"], out = call.buffer, f", out=b{i}"
            scope[f"f{i}"] = f
            lines.append(f"    {call.result} = f{i}({call.args}{out})")
            dead = [name for name in (call.result, *call.used) if name[0] == "v" and last[name] == i]
            lines += [f"    del {', '.join(sorted(dead))}"] if dead else []
            lines += ["    times.append(now())"] if clock_each or i + 1 in self.ends else []
        exec("\n".join([*lines, "    return times"]), scope)
        return scope["run"]


def _is_transposed(value, base):
    return value.ndim > 1 and value.shape == base.shape[::-1] and value.strides == base.strides[::-1]


def seconds_by_name(trace, rounds, quiet):
    """(name, calls, seconds) of the calls, the costliest first."""
    run = trace.function(clock_each=True)
    clock = quiet([np.diff([time.perf_counter(), time.perf_counter()])[0] for _ in range(1000)])
    taken = np.array([np.diff(run()) for _ in range(rounds)])
    times, seconds = Counter(), Counter()
    for call, column in zip(trace.calls, taken.T, strict=True):
        times[call.name] += 1
        seconds[call.name] += max(0.0, quiet(column) - clock)
    return [(name, times[name], total) for name, total in seconds.most_common()]
