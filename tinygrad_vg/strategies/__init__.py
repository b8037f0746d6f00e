"""Hypothesis strategies for tests of derivatives: shapes, arrays, cotangents, samples of ops, expressions, networks.

A strategy tells Hypothesis what to try; when a test fails, Hypothesis looks for the smallest thing that still fails.
So everything here is made to become small and readable: fewer nodes, shorter axes, round numbers. In use::

    from hypothesis import given, note, settings
    import tinygrad_vg as vg
    from tinygrad_vg import strategies as vgs

    @settings(deadline=None)  # a check takes longer than the 200 ms that Hypothesis allows
    @given(vgs.expressions(ops=[*vgs.SMOOTH, my_op]))
    def test_my_op_in_company(e):
        note(e.source())  # of the smallest program that fails
        vg.check_gradients(e, *e.leaves)
"""

from tinygrad_vg.strategies.inputs import arrays, broadcast_shapes, cotangents, matmul_shapes, op_cases, shapes
from tinygrad_vg.strategies.networks import Network, mlps
from tinygrad_vg.strategies.programs import Expression, expressions
from tinygrad_vg.strategies.vocabulary import KINKED, SMOOTH

__all__ = [
    "KINKED",
    "SMOOTH",
    "Expression",
    "Network",
    "arrays",
    "broadcast_shapes",
    "cotangents",
    "expressions",
    "matmul_shapes",
    "mlps",
    "op_cases",
    "shapes",
]
