"""Node by node: each rule of a graph against finite differences of its own forward, and the wiring, exactly.

From end to end a deep network's gradient cannot be told from noise: in layer 1 of 24 it is 4e-18, while the loss rounds
at 1e-16. But by the chain rule that gradient is nothing but many local derivatives, multiplied along paths and added
up, and each *local* derivative is of ordinary size. So a gradient is right, at any depth, if

* every rule is right where it was applied: its answer to the cotangent g it was given is gᵀJ of its node. That is
  linear in g, so g is scaled by an exact power of two to about 1, and a finite difference of ⟨g, forward⟩ decides;
* the sweep joined them rightly: every rule called once, every cotangent the sum of what the consumers emitted. No
  tolerance there: the sum is repeated in the sweep's own order and compared bit for bit;
* no rule's answer depends on g but linearly: for 2g it is twice as large. (At the loss g is 1, and 1·J, J, 1·|1|·J are
  all the same.)

By induction from the loss backwards nothing else can go wrong, and whatever does go wrong has a place with a name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinygrad_vg.autodiff import backprop
from tinygrad_vg.checks import Array
from tinygrad_vg.gradcheck.differences import Estimate, finite_difference
from tinygrad_vg.gradcheck.judging import RTOL, SAFETY, judge, summary
from tinygrad_vg.gradcheck.report import Finding, GradientMismatch, GradientReport, InputReport, Verdict
from tinygrad_vg.gradcheck.wiring import (
    Edge,
    Watch,
    changed_forwards,
    faults_at_seed_2,
    faults_of_backward,
    faults_of_sweep,
    same,
)
from tinygrad_vg.modes import no_grad
from tinygrad_vg.tensor import Op, Tensor

__all__ = ["certify_backward"]

PROBES = (2.0**-3, 2.0**-10)  # steps at which is looked which outputs move, and how much
COMPLEX_STEPS = (1e-20, 3e-20, 7e-21)
EXTREMES = 2  # of each kind: smallest, smallest but zero, largest, any


def certify_backward(
    loss: Tensor,
    *,
    raises: bool = True,
    seed: int = 0,
    kinks: bool = False,
    elementwise: int = 64,
    directions: int = 8,
    progress: Callable[[int, int], None] | None = None,
    _backprop: Callable[..., dict[Tensor, Any]] = backprop,
) -> GradientReport:
    """Check backward through the graph of `loss` node by node, by finite differences that work at any magnitude.

    Every rule's answer is compared with a finite difference of its own node's forward, every cotangent with the sum of
    what the consumers emitted. A failure names the guilty node: the op, the tensor, the argument, the path to the loss.

    Parameters
    ----------
    loss : Tensor
        A single number, as `Tensor.backward` takes it. The graph is not changed, no ``.grad`` is set; the values are
        those the nodes kept, so it may have been built before an update.
    raises : bool
        Raise if anything fails or stays unresolved.
    seed : int
        Of the random directions.
    kinks : bool
        Say True where kinks are expected: they pass if the gradient lies between the slopes on either side.
    elementwise : int
        Arguments of up to so many elements are checked element by element.
    directions : int
        Larger ones in so many random directions, and at their smallest and largest elements; the report says which.
    progress : callable, optional
        Called as ``progress(done, total)`` after every argument.

    Returns
    -------
    GradientReport
        One row for each argument of each node, with the node's `path` to the loss; `faults` has what is wrong with the
        wiring, `notes` what was not checked in full, `cuts` where an op without a rule ends the gradient.

    Raises
    ------
    GradientMismatch
        An AssertionError with the report as its message.
    TypeError
        If `loss` is no Tensor.
    ValueError
        If it has several elements, is not finite, or nothing differentiable leads to it.

    Notes
    -----
    What it measures: *this* gradient, at these values and cotangents; of second derivatives it says nothing, unless the
    loss is itself made of gradients (``create_graph=True``). Each forward is computed again, on the values its node
    kept and in float64, about 30 times an element that is looked at. When it lies:

    * A rule that is wrong elsewhere (at other signs, shapes, for other cotangents) is right here. Transposing a
      constant cotangent is no error in this graph.
    * A wrong *forward* is differentiated as it stands; compare values for that (`check_op`).
    * In a large argument the error of one element that is neither among the largest nor the smallest must show in a sum
      over all elements, where 1e-9 of the sum is the threshold.
    * A finite difference sees nothing finer than its steps. Where a forward is flat to the last digit, as σ is beyond
      z = 30, the complex step stands in, if the op says it is analytic and the two do not contradict each other; else
      the verdict is UNRESOLVED.

    Examples
    --------
    >>> x = Tensor([0.3, -1.2], name="x")
    >>> bool(certify_backward(np.sum(np.sin(x) * x)))
    True
    """
    _check_loss(loss)
    rng = np.random.default_rng(seed)
    graph = Watch(loss)
    faults = faults_of_sweep(graph, _backprop, None)
    graph.suppose_zero()
    edges = [edge for edge in graph.edges() if len(edge.calls) == 1]
    inputs = []
    with no_grad(), np.errstate(all="ignore"):
        faults += changed_forwards(graph)
        for done, edge in enumerate(edges, start=1):
            inputs.append(_Check(graph, edge, rng, kinks).report(elementwise, directions))
            if progress is not None:
                progress(done, len(edges))
    faults += faults_at_seed_2(graph, _backprop) + faults_of_backward(graph)
    notes, cuts = [f"{r.name}: {r.how}" for r in inputs if r.how != "every element"], list(_cuts(graph))
    graph.take_apart()
    report = GradientReport(
        tuple(inputs),
        seed,
        faults=tuple(faults),
        notes=tuple(notes),
        cuts=tuple(cuts),
        call=f"certify_backward(loss, seed={seed})",
    )
    if raises and not report:
        raise GradientMismatch(report)
    return report


def _check_loss(loss: Any) -> None:
    if type(loss) is not Tensor:
        raise TypeError(
            f"certify_backward takes the loss, a Tensor, not {type(loss).__name__}; call the function first, on Tensors"
        )
    if loss.size != 1:
        raise ValueError(f"certify_backward: the loss has shape {loss.shape}; sum or average it to a single number")
    if not np.isfinite(loss.data).all():
        raise ValueError(f"certify_backward: the loss is {loss.item()}; a gradient needs a finite value")


# ----------------------------------------------------------------------------------------------------- a node's forward


@dataclass(frozen=True)
class _Line:
    """A straight line through an argument: ``move(s)`` is a point of it, at `start` the argument itself.

    Attributes
    ----------
    slope
        ⟨c, d⟩: the derivative along the line by backward, with its emitted cotangent c.
    size
        Σ|cᵢ||dᵢ|: how large the numbers are that are added up there.
    """

    start: float
    move: Callable[[float], Array]
    slope: float
    size: float
    unit: float = 1.0


class _Check:
    """The check of one edge: ⟨g, forward(… x + s·d …)⟩ around s = 0 against ⟨c, d⟩, for many d.

    g is the incoming cotangent and c the emitted one, both scaled by the same power of two, so that the largest |gⱼ| is
    about 1 and no digit changes.
    """

    def __init__(self, graph: Watch, edge: Edge, rng: np.random.Generator, kinks: bool) -> None:
        self.edge, self.rng, self.kinks = edge, rng, kinks
        self.name = f"{graph.label(edge.result)}, {edge.argument} = {graph.label(edge.parent)}"
        self.path = graph.path(edge.result)
        self.op: Op = edge.node.op
        self.values = [_as_float64(v) for v in edge.node.values]
        self.x = self.values[edge.position]
        incoming = np.asarray(edge.calls[0].g, np.float64)
        self.exponent = math.frexp(float(np.max(np.abs(incoming), initial=0.0)))[1]
        g = np.ldexp(incoming, -self.exponent).ravel()
        self.c = np.ldexp(edge.dense().astype(np.float64), -self.exponent)
        self.live = np.flatnonzero(g)  # outputs that do not matter may do what they like, even be infinite
        self.g = g[self.live]
        self.base = self.outputs(self.x)
        kind = np.finfo(edge.parent.dtype)
        self.rtol = RTOL if kind.bits == 64 else 64 * float(kind.eps)
        self.faint = math.ldexp(float(np.sum(np.abs(self.g))), -1050)  # outputs beyond have lost digits to underflow
        self.underflow = math.ldexp(float(kind.smallest_subnormal) * max(1, g.size), -self.exponent)

    def report(self, elementwise: int, directions: int) -> InputReport:
        """The findings on this argument: all elements, or random directions and the extreme elements."""
        if self.x.size <= elementwise:
            where = list(np.ndindex(self.x.shape))
            findings = [self.element(index) for index in where]
            how = "every element"
        else:
            where = self.extremes()
            findings = [self.direction(k) for k in range(directions)] + [self.element(index) for index in where]
            how = f"{directions} directions and the elements {', '.join([str(list(index)) for index in where])}"
        found = summary(self.name, self.x.shape, [self.unscaled(finding) for finding in findings])
        return replace(found, path=self.path, how=how)

    def unscaled(self, finding: Finding) -> Finding:
        """A finding in the gradient's own size."""

        def back(value: float) -> float:
            return math.ldexp(value, self.exponent) if math.isfinite(value) else value

        return replace(
            finding,
            backward=back(finding.backward),
            numerical=back(finding.numerical),
            bound=back(finding.bound),
            tolerance=back(finding.tolerance),
            slopes=finding.slopes and (back(finding.slopes[0]), back(finding.slopes[1])),
        )

    # Where to look.

    def extremes(self) -> list[tuple[int, ...]]:
        """The elements with the smallest and the largest |c|, and some others."""
        ranked = np.argsort(np.abs(self.c), axis=None, kind="stable")
        moving = ranked[np.count_nonzero(self.c == 0) :]
        chosen = [*ranked[:EXTREMES], *moving[:EXTREMES], *ranked[-EXTREMES:]]
        chosen += self.rng.choice(self.c.size, EXTREMES, replace=False).tolist()
        return [tuple(map(int, np.unravel_index(k, self.c.shape))) for k in dict.fromkeys(map(int, chosen))]

    def element(self, index: tuple[int, ...]) -> Finding:
        """One element: in its own units, then, where that cannot tell, in finer ones."""
        x, c = float(self.x[index]), float(self.c[index])

        def line(unit: float, start: float, at: Callable[[float], float]) -> _Line:
            def move(s: float) -> Array:
                moved: Array = self.x.copy()
                moved[index] = at(s)
                return moved

            return _Line(start, move, c * unit, abs(c * unit), unit)

        lines = [line(1.0, x, lambda s: s)]
        if 0 < abs(x) < 1:
            unit = 2.0 ** math.floor(math.log2(abs(x)))
            lines.append(line(unit, x / unit, lambda s: s * unit))  # exact: a power of two
        lines.append(line(2.0**-10, 0.0, lambda s: x + s * 2.0**-10))
        one = np.zeros_like(self.x)
        one[index] = 1
        return replace(self.along(lines, one), index=index)

    def direction(self, k: int) -> Finding:
        """A random direction whose weights spread over decades, so that no element hides behind larger ones.

        Every other direction favours elements in which the gradient is small.
        """
        weights = self.rng.choice([-1.0, 1.0], self.x.shape) * 10 ** self.rng.uniform(-3, 0, self.x.shape)
        if k % 2:
            size = np.abs(np.nan_to_num(self.c))
            largest = np.max(size)
            weights /= np.where(size > 0, np.maximum(size, 1e-6 * largest), largest) / largest if largest else 1.0
            weights /= np.max(np.abs(weights))
        ds = [weights, weights * np.abs(self.x), weights * 2.0**-10]
        lines = [_Line(0.0, self.towards(d), *_dot(self.c, d)) for d in ds]
        return self.along(lines, weights)

    def towards(self, d: Array) -> Callable[[float], Array]:
        """The straight way from the argument in the direction `d`."""
        origin: Array = self.x
        return lambda s: np.asarray(origin + s * d)

    # What is there.

    def outputs(self, x: Array) -> Array:
        """The forward with `x` for the argument, as a flat array of the outputs that matter."""
        values = [x if i == self.edge.position else v for i, v in enumerate(self.values)]
        y: Array = np.asarray(self.op.forward(*values, **self.edge.node.params)).ravel()[self.live]
        wide: Array = y if y.dtype.kind == "c" else y.astype(np.float64, copy=False)
        return wide

    def change(self, x: Array) -> Array:
        """How far the outputs move; exactly 0 where they do not, so that the others' rounding is not added in."""
        y = self.outputs(x)
        return np.where(y == self.base, 0.0, y - self.base)

    def along(self, lines: list[_Line], d: Array) -> Finding:
        """The finding on the first line where finite differences can tell; else by the complex step, if they agree."""
        first: Finding | None = None
        for line in lines:
            finding = self.compare(line)
            if finding.verdict in (Verdict.PASS, Verdict.ZERO, Verdict.FAIL) and finding.slopes is None:
                return finding
            first = first or finding
        assert first is not None
        if first.verdict is Verdict.UNRESOLVED and self.op.analytic:
            exact, scale = self.complex_step(d)
            if exact is not None and abs(exact.value - first.numerical) <= SAFETY * first.bound:
                return self.judged(*_dot(self.c, d), exact, scale)
        if first.verdict is Verdict.KINK and self.kinks:
            return replace(first, verdict=Verdict.PASS)
        return first

    def compare(self, line: _Line) -> Finding:
        """Backward's slope along a line against the finite difference, in units of the argument."""
        unit = max(1.0, abs(line.start))
        changes = [self.change(line.move(line.start + sign * h * unit)) for h in PROBES for sign in (1, -1)]
        moving = np.any([change != 0 for change in changes], axis=0)
        floor = float(np.sum(np.abs(self.g * self.base)[moving & np.isfinite(self.base)]))
        scale = float(np.sum(np.abs(self.g) * np.abs(changes[2] - changes[3]))) / (2 * PROBES[1] * unit)
        lift = _exponent([floor, *[np.sum(np.abs(self.g * change)) for change in changes]])
        still = True

        def phi(s: float) -> float:
            nonlocal still
            change = self.change(line.move(s))
            still = still and not change.any()
            return float(np.ldexp(floor + self.g @ change, -lift))  # as large as its parts, so is its rounding

        estimate = _lifted(finite_difference(phi, line.start), lift)
        kink = estimate.kink and max(abs(estimate.left), abs(estimate.right)) > self.faint
        estimate = estimate._replace(bound=estimate.bound + self.faint, kink=kink)
        still = still and not moving.any()
        if not moving.any():  # flat to the last digit: what moves less than that cannot be seen
            unseen = (
                np.finfo(np.float64).eps * float(np.sum(np.abs(self.g * np.nan_to_num(self.base)))) / (PROBES[0] * unit)
            )
            estimate = estimate._replace(bound=max(estimate.bound, unseen))
        if line.slope == 0 and not estimate.kink and not still:
            still = self.even(line)  # x² at 0: the slopes of both sides cancel exactly
        finding = self.judged(line.slope, line.size, estimate._replace(still=still), scale)
        return _in_units(finding, line.unit)

    def even(self, line: _Line) -> bool:
        """Whether the outputs change alike to the last bit on both sides, at every step that is looked at."""
        steps = [2.0**-k for k in range(3, 20)]
        return all(
            [same(self.change(line.move(line.start + h)), self.change(line.move(line.start - h))) for h in steps]
        )

    def judged(self, slope: float, size: float, estimate: Estimate, scale: float) -> Finding:
        """The verdict; backward's rounding is relative to the numbers it added up, not to what is left of them."""
        scale = max(size, abs(estimate.value), scale if math.isfinite(scale) else 0.0)
        finding = judge((), slope, estimate, scale * self.rtol / RTOL)
        if math.isfinite(slope) and not math.isfinite(estimate.value + estimate.bound):
            return replace(finding, verdict=Verdict.UNRESOLVED)
        cancels = finding.verdict is Verdict.UNRESOLVED and SAFETY * estimate.bound <= self.rtol * scale
        off = abs(slope - estimate.value)
        tiny = (
            finding.verdict is not Verdict.KINK
            and off <= SAFETY * self.underflow
            and estimate.bound <= self.underflow + self.faint
        )
        if cancels or (tiny and finding.verdict is not Verdict.ZERO):
            # As near as backward's rounding lets it come: to the numbers it added up, or to the smallest there are.
            return replace(finding, verdict=Verdict.PASS)
        return finding

    def complex_step(self, d: Array) -> tuple[Estimate | None, float]:
        """Im⟨g, forward(x + ihd)⟩/h for tiny h, and Σⱼ|gⱼ||Jⱼd|; no difference is taken, so no digit is lost.

        None where the forward takes no complex numbers.
        """
        slopes = []
        for h in COMPLEX_STEPS:
            try:
                slopes.append(self.g * np.imag(self.outputs(self.x + 1j * h * d)) / h)
            except (TypeError, ValueError):
                return None, 0.0
        values = [float(np.sum(s)) for s in slopes]
        scale = float(np.sum(np.abs(slopes[0])))
        rounding = 16 * float(np.finfo(np.float64).eps) * scale
        bound = max(values) - min(values) + rounding + self.faint / min(COMPLEX_STEPS)
        if not math.isfinite(bound):
            return None, 0.0
        return Estimate(values[0], bound, False, False, values[0], values[0]), scale


def _as_float64(value: Any) -> Any:
    """Floats in double precision, which sees the errors of single precision; anything else as it is."""
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind == "f":
        return np.asarray(value, np.float64)
    return value


def _dot(c: Array, d: Array) -> tuple[float, float]:
    """⟨c, d⟩ and Σ|cᵢ||dᵢ|."""
    return float(np.sum(c * d)), float(np.sum(np.abs(c * d)))


def _exponent(sizes: list[Any]) -> int:
    """The power of two of the largest finite number; dividing by it changes no digit."""
    return math.frexp(max([float(size) for size in sizes if math.isfinite(size)], default=0.0))[1]


def _lifted(estimate: Estimate, exponent: int) -> Estimate:
    """An estimate times a power of two."""
    value, bound, left, right = [
        float(np.ldexp(part, exponent)) for part in (estimate.value, estimate.bound, estimate.left, estimate.right)
    ]
    return estimate._replace(value=value, bound=bound, left=left, right=right)


def _in_units(finding: Finding, unit: float) -> Finding:
    slopes = finding.slopes and (finding.slopes[0] / unit, finding.slopes[1] / unit)
    return replace(
        finding,
        backward=finding.backward / unit,
        numerical=finding.numerical / unit,
        bound=finding.bound / unit,
        tolerance=finding.tolerance / unit,
        slopes=slopes,
    )


def _cuts(graph: Watch) -> Iterator[str]:
    """Where an op without any rule ends the gradient; an argument without one, beside others, is checked to be flat."""
    for edge in graph.cut:
        if not graph.incoming[edge.result]:
            yield (
                f"{graph.label(edge.result)} has no rule for {edge.argument}, {edge.parent.label()}: no gradient flows "
                "there; that was not checked"
            )
