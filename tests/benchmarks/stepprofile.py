"""Where the time of one step goes: NumPy's arithmetic, the memory it asks for, and Python."""

import time
from typing import NamedTuple

import numpy as np

from tinygrad_vg.lab.results import Table

from . import byhand
from .calls import observed_file, observed_package
from .competitors import BYHAND, DECAY, LR, OURS, initial
from .steps import SHAPES, digits
from .timing import QUIET, let_malloc_keep_memory
from .trace import Trace, seconds_by_name

TURNS, STEPS = 60, 6  # a turn is so many steps
PHASES = ("forward", "backward", "update")


class Part(NamedTuple):
    """A part of a step, in seconds."""

    name: str
    calls: int
    arithmetic: float
    memory: float
    python: float

    def texts(self):
        """The part as a row, in microseconds."""
        parts = self[2:]
        return self.name, str(self.calls), *[f"{1e6 * t:.1f}" for t in (*parts, sum(parts))]


def our_step(sizes):
    """A step of the library as it is imported now; it gives the time at its beginning and at the end of each phase."""
    from tinygrad_vg.nn import MLP, losses
    from tinygrad_vg.optim import SGD

    mlp = MLP(sizes, seed=0)
    opt = SGD(mlp.parameters(), lr=LR, weight_decay=DECAY)
    now = time.perf_counter

    def step(x, y, phase=now):
        times = [now()]
        cost = losses.cross_entropy(mlp.logits(x), y)
        times.append(phase())
        cost.backward()
        times.append(phase())
        del cost
        opt.step()
        times.append(phase())
        return times

    return step


def hand_step(sizes, code):
    """The same by hand; it has one phase."""
    params, now = initial(sizes), time.perf_counter

    def step(x, y, phase=now):
        began = now()
        code(params, x, y, LR, 1 - LR * DECAY)
        return [began, phase()]

    return step


def recorded(trace, step, batches):
    """Record one step, after another that it may need to get going."""
    step(*batches[0])
    trace.on = True
    step(*batches[1], trace.phase)
    trace.on = False


def quiet(times):
    return float(np.quantile(times, QUIET))


def phase_times(runs):
    """Seconds of every phase of functions that give the times at which they end, taken turn by turn."""
    taken = {name: [] for name in runs}
    for turn in range(TURNS):
        for name, run in runs.items():
            taken[name] += [np.diff(run(turn * STEPS + i)) for i in range(STEPS)]
    return {name: [quiet(phase) for phase in np.transpose(times)] for name, times in taken.items()}


def profile(sizes, size):
    """The parts of our step and of the one by hand, and what our NumPy calls take by name."""
    batches = digits(size)
    mine, hand = Trace(), Trace()
    with observed_package(mine):
        recorded(mine, our_step(sizes), batches)
    recorded(hand, hand_step(sizes, observed_file(byhand.__file__, hand)["step"]), batches)
    let_malloc_keep_memory()
    steps = {OURS: our_step(sizes), BYHAND: hand_step(sizes, byhand.step)}
    runs = {}
    for name, trace in {OURS: mine, BYHAND: hand}.items():
        fresh, reuse = trace.function(), trace.function(reuse=True)
        runs[name, "step"] = lambda i, step=steps[name]: step(*batches[i % len(batches)])
        runs[name, "NumPy"] = lambda _, run=fresh: run()
        runs[name, "reuse"] = lambda _, run=reuse: run()
    times = phase_times(runs)
    parts = [*parts_of(PHASES, mine, times, OURS)]
    whole = Part(OURS, *[sum(numbers) for numbers in list(zip(*parts, strict=True))[1:]])
    return [*parts, whole, *parts_of((BYHAND,), hand, times, BYHAND)], seconds_by_name(mine, TURNS * STEPS, quiet)


def parts_of(names, trace, times, who):
    """The phases of someone's step."""
    starts = [0, *trace.ends]
    columns = zip(*[times[who, kind] for kind in ("step", "NumPy", "reuse")], strict=True)
    for i, (name, (step, numpy, reuse)) in enumerate(zip(names, columns, strict=True)):
        yield Part(name, trace.ends[i] - starts[i], reuse, numpy - reuse, step - numpy)


def tables():
    """The profile of a step on each network, with mini-batches of 10."""
    for workload, (sizes, size, _) in SHAPES.items():
        if size > 10:
            continue
        found, calls = profile(sizes, size)
        heads = ("µs", "NumPy calls", "arithmetic", "new memory", "Python", "together")
        yield Table.of(heads, [part.texts() for part in found], title=f"A {workload}")
        shown, rest = calls[:8], calls[8:]
        shown.append(("all others", sum([n for _, n, _ in rest]), sum([t for *_, t in rest])))
        lines = [(name, n, f"{1e6 * seconds:.1f}") for name, n, seconds in shown]
        yield Table.of(("NumPy call", "times", "µs"), lines, title=f"NumPy in a {workload}")
