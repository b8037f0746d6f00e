"""The complex step: a derivative without a difference, and so without cancellation.

For an analytic f, f(x + ih) = f(x) + ih·f′(x) − h²·f″(x)/2 − …, so Im f(x + ih)/h is f′(x) but for h². Nothing is
subtracted, h may be 1e-20, and a derivative of 1e-260 comes out with the digits of one of 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from tinygrad_vg.tensor import Tensor

__all__ = ["AGREEMENT", "complex_step", "is_analytic"]

STEPS = (1.1e-20, 7.3e-18, 3.7e-15)  # no powers of 2, which would be rounded alike; h² is below 1e-28 for all
AGREEMENT = 1e-12  # how far apart, relatively, the slopes of the three steps may be


def complex_step(f: Callable[[complex], complex], x: float) -> float | None:
    """The derivative of an analytic function of one number by complex steps, usually to 14 digits.

    Parameters
    ----------
    f : callable
        Of one complex number, giving one complex number. A result without an imaginary part counts as constant.
    x : float
        Where. The steps are relative to |x| below 1: log and the powers change on the scale of x.

    Returns
    -------
    float or None
        None where three steps over five decades do not agree to 12 digits, or are not finite: digits are lost in sums
        that cancel, h·f′ is below the smallest double (f′ < 1e-290), or f is not analytic.

    Raises
    ------
    TypeError
        From `f`, if it computes with something that takes no complex numbers.

    Notes
    -----
    What it measures: f′(x), to the precision f computes in, at any magnitude.

    It lies where f looks at parts of a number: what goes through ``.real``, ``abs``, ``np.conj``, ``np.linalg.norm``,
    ``np.angle``, ``np.maximum``, sorting or a cast to float loses its imaginary part or turns it round, and with it,
    silently and at every step alike, its share of the derivative. A comparison ignores the imaginary part, so at a kink
    it gives the slope of the branch that was taken. On the cut of log, √ and the powers, the negative numbers, it
    differentiates the complex function, where the real one is not defined. Never let it be the only reference: f may
    call anything. `is_analytic` asks this of a graph.

    Source: Squire & Trapp, SIAM Review 40 (1998); Martins, Sturdza & Alonso, ACM Transactions on Mathematical Software
    29 (2003).

    Examples
    --------
    >>> import cmath
    >>> f"{complex_step(lambda z: cmath.exp(-z * z), 25.0):.10e}"
    '-1.8404279274e-270'
    """
    scale = min(1.0, abs(x)) or 1.0
    slopes = [complex(f(complex(x, h * scale))).imag / (h * scale) for h in STEPS]
    if not all(map(math.isfinite, slopes)) or max(slopes) - min(slopes) > AGREEMENT * max(map(abs, slopes)):
        return None
    return slopes[-1]


def is_analytic(root: Tensor) -> bool:
    """Whether every operation that `root` was computed by is analytic, so that the complex step can be trusted.

    It sees the graph only: what was computed outside of Tensors, such as from ``t.data``, it takes for constant, as
    backward does and the complex step does not.

    Parameters
    ----------
    root : Tensor
        The result of the function.
    """
    stack, seen = [root], {root}
    while stack:
        node = stack.pop().node
        if node is None:
            continue
        if not node.op.analytic:
            return False
        fresh = {given for given in node.inputs if type(given) is Tensor} - seen
        seen |= fresh
        stack += fresh
    return True
