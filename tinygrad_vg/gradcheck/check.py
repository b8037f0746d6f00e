"""End to end: the gradient of a function of arrays against finite differences, element by element."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from tinygrad_vg.autodiff import backprop, grad
from tinygrad_vg.checks import Array
from tinygrad_vg.gradcheck.certificate import certify_backward
from tinygrad_vg.gradcheck.complex_step import complex_step, is_analytic
from tinygrad_vg.gradcheck.differences import along, as_float64, finite_difference, restricted
from tinygrad_vg.gradcheck.judging import RTOL, judge, judge_complex, summary
from tinygrad_vg.gradcheck.report import Finding, GradientMismatch, GradientReport, InputReport, Verdict
from tinygrad_vg.modes import no_grad, state
from tinygrad_vg.tensor import Tensor

__all__ = ["check_gradients"]

WRITTEN_OUT = 24  # inputs of up to so many numbers are written into the line that repeats the check
METHODS = ("auto", "finite")


def check_gradients(
    f: Callable[..., Any],
    *inputs: Any,
    order: int = 1,
    raises: bool = True,
    method: str = "auto",
    sample: int | Sequence[int | None] | None = None,
    seed: int = 0,
    names: Sequence[str] | None = None,
    kinks: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> GradientReport:
    """Compare the gradients that backward gives with finite differences, element by element.

    Parameters
    ----------
    f : callable
        Of arrays and Tensors alike, giving one array. If it has several elements, what is checked and reported is the
        gradient of their sum with random weights (the cotangent), so that no two errors cancel.
    *inputs : array_like or Tensor
        The point at which to check, float64.
    order : {1, 2}
        2 checks the gradient of the gradient (weighted likewise) instead.
    raises : bool
        Raise if anything fails or stays unresolved.
    method : {"auto", "finite"}
        ``"auto"``: what finite differences cannot resolve is decided by the complex step if every operation is analytic
        and the two do not contradict each other, else by the node certificate (`certify_backward`); and each input's
        whole gradient is compared with the complex step along one random direction. ``"finite"``: by finite differences
        alone.
    sample : int or sequence, optional
        At most so many elements of each input, drawn at random; one number, or one an input (None: all).
    seed : int
        Of the cotangent and the sample.
    names : sequence of str, optional
        For the report; default: the names of Tensors, else x0, x1 …
    kinks : bool
        Say True where a kink is expected: it passes if the gradient lies between the slopes on either side.
    progress : callable, optional
        Called as ``progress(done, total)`` after every element.

    Returns
    -------
    GradientReport

    Raises
    ------
    GradientMismatch
        An AssertionError with the report as its message: a wrong gradient, one that cannot be resolved, or an
        unexpected kink. It names the node that is to blame.
    ValueError
        For another order or method, no inputs, a value that is not finite, an `f` that changes its inputs or is not the
        same at the second call.
    TypeError
        For integer inputs, and for an `f` that depends on none of its inputs.

    Notes
    -----
    What it measures: Σⱼ gⱼ·∂fⱼ/∂xᵢ at this point, for one random cotangent g. A gradient passes within 8 times the
    *measured* error of its reference plus 1e-9 of the numbers it was added up from; there is no absolute tolerance.
    UNRESOLVED is what is left when the complex step does not apply and the certificate cannot speak for the whole
    graph, because an op without a rule ends the gradient somewhere. A node that is wrong anywhere in the graph fails
    every element that the certificate is asked about.

    When it lies: elsewhere f may be wrong, as a branch that was not taken is not seen; a wrong forward has a right
    gradient of its own (`check_op` compares values); an error below 1e-9 of the gradient passes; and see
    `finite_difference`. An input of n elements takes about 30·n evaluations of f: `sample` some of a large
    one; the others are then covered by the random direction alone, and only where f is analytic.

    Examples
    --------
    >>> bool(check_gradients(np.sin, np.array([0.3, 1.2])))
    True
    """
    if order not in (1, 2) or not inputs or method not in METHODS:
        raise ValueError(
            "check_gradients checks order 1 or 2 at one or more inputs by method 'auto' or 'finite'; it was given "
            f"order {order}, {len(inputs)} inputs and method {method!r}"
        )
    _check_call(f, len(inputs))
    rng = np.random.default_rng(seed)
    labels = list(names) if names else [getattr(x, "name", None) or f"x{i}" for i, x in enumerate(inputs)]
    arrays = [_checked_input(x, label) for x, label in zip(inputs, labels, strict=True)]
    call = _call(f, arrays, labels, order=order, method=method, sample=sample, seed=seed, kinks=kinks)
    if order == 2:
        f = _slope(f, arrays, rng)
    point = _Point(f, arrays, rng, kinks)
    limits = [sample] * len(arrays) if sample is None or isinstance(sample, int) else list(sample)
    chosen = [_choose(x, limit, rng) for x, limit in zip(arrays, limits, strict=True)]
    total, done = sum(map(len, chosen)), 0
    reports = []
    for i, indices in enumerate(chosen):
        findings = []
        for index in indices:
            finding = point.by_differences(i, index)
            if finding.verdict in (Verdict.UNRESOLVED, Verdict.ZERO) and method == "auto":
                finding = point.resolved(i, finding)
            findings.append(finding)
            done += 1
            if progress is not None:
                progress(done, total)
        found = summary(labels[i], arrays[i].shape, findings)
        reports.append(point.seconded(i, found, rng) if method == "auto" else found)
    failed = any([r.failed for r in reports])
    report = GradientReport(tuple(reports), seed, order, call=call, culprit=point.culprit() if failed else "")
    if raises and not report:
        raise GradientMismatch(report)
    return report


class _Point:
    """f at the inputs, backward's gradients there, and the ways to find them out without backward.

    Attributes
    ----------
    unit
        What gradients are divided by when they are told: the cotangent, if f gives a single number. (It is checked for
        a random cotangent like any other, and told for a cotangent of 1.)
    """

    def __init__(self, f: Callable[..., Any], arrays: list[Array], rng: np.random.Generator, kinks: bool) -> None:
        self.f, self.arrays, self.kinks = f, arrays, kinks
        self.y, tensors = _forward(f, arrays)
        self.cotangent = rng.normal(size=self.y.shape)
        self.unit = float(self.cotangent.item()) if self.y.size == 1 else 1.0
        found = backprop(self.y, self.cotangent, wrt=tensors)
        self.gradients = [found[tensor] / self.unit for tensor in tensors]
        self.analytic = is_analytic(self.y)

    def by_differences(self, i: int, index: tuple[int, ...]) -> Finding:
        """The verdict on one element of one input by finite differences."""
        x = float(self.arrays[i][index])
        estimate = finite_difference(along(self.f, self.arrays, i, index, self.cotangent), x).divided_by(self.unit)
        return judge(index, float(self.gradients[i][index]), estimate, self.scale(i, index), self.kinks)

    def scale(self, i: int, index: tuple[int, ...]) -> float:
        """Σⱼ|gⱼ||Jⱼᵢ|, roughly: how large the numbers are whose sum is the derivative, where outputs cancel."""
        if self.y.size == 1:
            return 0.0  # nothing to cancel: the derivative itself is the scale
        moved = [x.copy() for x in self.arrays]
        h = 1e-4 * max(1.0, abs(float(self.arrays[i][index])))
        values = []
        for step in (h, -h):
            moved[i][index] = self.arrays[i][index] + step
            with no_grad(), np.errstate(all="ignore"):
                values.append(np.asarray(self.f(*moved)))
        total = float(np.sum(np.abs(self.cotangent) * np.abs(values[0] - values[1]))) / (2 * h)
        return total if np.isfinite(total) else 0.0

    def resolved(self, i: int, finding: Finding) -> Finding:
        """The verdict where finite differences cannot tell: by the complex step, else by the node certificate.

        Nor can they tell 0 from what is below the resolution of f, if f does not move at all.
        """
        finding = judge_complex(finding, self.complex_step(i, finding.index), self.scale(i, finding.index))
        if finding.by == "finite difference":
            if self.certificate.failed:
                return replace(finding, verdict=Verdict.FAIL, by="node certificate")
            if self.certificate and not self.certificate.cuts and finding.verdict is Verdict.UNRESOLVED:
                return replace(finding, verdict=Verdict.PASS, by="node certificate")
        return finding

    def complex_step(self, i: int, index: tuple[int, ...]) -> float | None:
        """The derivative by one element by the complex step, if it is to be trusted."""
        if not self.analytic:
            return None
        exact = _tried(restricted(self.f, self.arrays, i, index, self.cotangent), float(self.arrays[i][index]))
        return None if exact is None else exact / self.unit

    def seconded(self, i: int, found: InputReport, rng: np.random.Generator) -> InputReport:
        """The report with the complex step as a second reference: of the worst element, and along a random direction.

        One direction an input: in a sum over all inputs those with small gradients would not show.
        """
        if found.worst is not None and found.worst.complex_step is None:
            found = replace(found, worst=replace(found.worst, complex_step=self.complex_step(i, found.worst.index)))
        crossed = found.worst is not None and found.worst.slopes is not None  # at a kink there is nothing to compare
        direction = self.direction(i, rng) if self.analytic and not crossed else None
        return replace(found, direction=direction)

    def direction(self, i: int, rng: np.random.Generator) -> Finding | None:
        """The derivative along a random direction, backward's against the complex step's."""
        d = rng.choice([-1.0, 1.0], self.arrays[i].shape) * rng.uniform(0.5, 1.5, self.arrays[i].shape)

        def outputs(t: complex) -> Any:
            with no_grad(), np.errstate(all="ignore"):
                y = self.f(*self.arrays[:i], self.arrays[i] + t * d, *self.arrays[i + 1 :])
            return self.cotangent * (y.data if type(y) is Tensor else np.asarray(y))

        exact = _tried(lambda t: complex(np.sum(outputs(t))), 0.0)
        if exact is None:
            return None
        exact /= self.unit
        parts = self.gradients[i] * d
        slope = float(np.sum(parts))
        cancelling = float(np.sum(np.abs(outputs(1e-20j).imag))) / 1e-20 / abs(self.unit)
        tolerance = RTOL * max(abs(exact), float(np.sum(np.abs(parts))), cancelling)
        off, size = abs(slope - exact), max(abs(slope), abs(exact))
        verdict = Verdict.PASS if off <= tolerance else Verdict.FAIL
        return Finding(
            (), slope, np.nan, np.inf, off / size if size else 0.0, verdict, tolerance, None, exact, "complex step"
        )

    @cached_property
    def certificate(self) -> GradientReport:
        """Every node of the graph checked by itself."""
        with state(recording=True):
            loss = (self.cotangent * self.y).sum()
        return certify_backward(loss, raises=False, kinks=self.kinks)

    def culprit(self) -> str:
        """Which node is to blame for a wrong gradient."""
        for r in self.certificate.inputs:
            if r.failed:
                return f"{r.name}; path: {r.path}"
        if self.certificate.faults:
            return self.certificate.faults[0]
        return (
            "none of the nodes, as each rule is right where it was applied (certify_backward): the graph is not this "
            "function. A value was taken out of it (.data, stop_gradient, a comparison), or f jumps nearby"
        )


def _tried(phi: Callable[[complex], complex], x: float) -> float | None:
    """`complex_step`, None if f does something on the way that takes no complex numbers."""
    try:
        return complex_step(phi, x)
    except (TypeError, ValueError, AttributeError):
        return None


def _call(f: Callable[..., Any], arrays: list[Array], labels: list[str], **settings: Any) -> str:
    """The line that repeats the check."""
    name = getattr(f, "__name__", "f")
    short = sum([x.size for x in arrays]) <= WRITTEN_OUT
    shown = [f"np.array({x.tolist()!r})" for x in arrays] if short else labels
    defaults = {"order": 1, "method": "auto", "sample": None, "kinks": False}
    options = [f"{key}={value!r}" for key, value in settings.items() if key not in defaults or value != defaults[key]]
    return f"check_gradients({', '.join(['f' if name == '<lambda>' else name, *shown, *options])})"


def _check_call(f: Any, count: int) -> None:
    """Refuse what cannot be called with so many inputs."""
    if not callable(f):
        raise TypeError(f"check_gradients checks a function of arrays, not {f!r:.60}; for a loss write lambda *p: …")
    try:
        signature = inspect.signature(f)
        signature.bind(*[None] * count)
    except ValueError:  # a function in C that does not tell
        return
    except TypeError as error:
        name = getattr(f, "__name__", "f")
        raise TypeError(
            f"check_gradients calls {name}{signature} with the {count} inputs, but {error}; for the parameters of a "
            "network write lambda *p: loss(net.bind(p))"
        ) from None


def _checked_input(x: Any, label: str) -> Array:
    """An input as a float64 array; integers are refused, since a whole number has no neighbours to compare with."""
    array = x.data if type(x) is Tensor else np.asarray(x)
    if array.dtype.kind != "f":
        cure = "give floats, 3.0 instead of 3" if array.dtype.kind in "iub" else "give an array of floats"
        raise TypeError(f"check_gradients: {label} has dtype {array.dtype}; {cure}")
    return as_float64(x)


def _forward(f: Callable[..., Any], arrays: list[Array]) -> tuple[Tensor, list[Tensor]]:
    """The value of `f` on Tensors, once it is sure that `f` is a function at all."""
    tensors = [Tensor(x) for x in arrays]
    with state(recording=True):
        y = f(*tensors)
    if isinstance(y, tuple | list | dict):
        raise TypeError(
            f"check_gradients: f returned a {type(y).__name__}; it must return one array: join them with "
            "np.concatenate, or check one at a time"
        )
    if type(y) is not Tensor:
        raise TypeError(
            f"check_gradients: f returned {type(y).__name__}, not a Tensor, so it depends on none of its inputs; give "
            "one array computed from them with NumPy functions"
        )
    if not np.all(np.isfinite(y.data)):
        raise ValueError(f"check_gradients: f is {y.data!r:.60} here; a gradient needs a finite value")
    given = [x.copy() for x in arrays]
    with no_grad():
        plain = f(*given)
    if not all([np.array_equal(x, y) for x, y in zip(given, arrays, strict=True)]):
        raise ValueError("check_gradients: f changes its inputs; make it compute new arrays instead")
    if not np.allclose(plain, y.data, rtol=1e-12, atol=0):  # powers of NumPy's scalars are rounded differently
        raise ValueError(
            "check_gradients: f gave another value at the second call, on arrays, than at the first, on Tensors; it "
            "must be deterministic (seed what is random inside it) and the same for both"
        )
    return y, tensors


def _slope(f: Callable[..., Any], arrays: list[Array], rng: np.random.Generator) -> Callable[..., Any]:
    """The gradient of ⟨u, f⟩ in a random direction v: a number whose gradient is a second derivative of f."""
    with no_grad():
        u = rng.normal(size=np.shape(f(*arrays)))
    vs = [rng.normal(size=x.shape) for x in arrays]
    first = grad(lambda *xs: np.sum(u * f(*xs)), range(len(arrays)))
    return lambda *xs: sum([np.sum(v * g) for v, g in zip(vs, first(*xs), strict=True)])


def _choose(x: Array, limit: int | None, rng: np.random.Generator) -> list[tuple[int, ...]]:
    """Indices of the elements to check: all, or a random sample of `limit`."""
    flat = np.arange(x.size) if limit is None or limit >= x.size else np.sort(rng.choice(x.size, limit, replace=False))
    return list(zip(*[axis.tolist() for axis in np.unravel_index(flat, x.shape)], strict=True)) if x.ndim else [()]
