"""Checking derivatives: backward's gradients against finite differences that come with an error bound.

Gradients of deep sigmoid networks are small, 1e-10 and less, so nothing here has an absolute tolerance: a gradient
passes when it lies within the *measured* error of the finite difference, and that error must itself be small
against the gradient. Where it is not, the verdict is UNRESOLVED, which is not a pass.
"""

from tinygrad_vg.gradcheck.certificate import certify_backward
from tinygrad_vg.gradcheck.check import check_gradients
from tinygrad_vg.gradcheck.differences import NumericalGradient, finite_difference, numerical_gradient
from tinygrad_vg.gradcheck.faults import mutants
from tinygrad_vg.gradcheck.properties import check_op, op_test
from tinygrad_vg.gradcheck.report import Finding, GradientMismatch, GradientReport, InputReport, Verdict

__all__ = [
    "Finding",
    "GradientMismatch",
    "GradientReport",
    "InputReport",
    "NumericalGradient",
    "Verdict",
    "certify_backward",
    "check_gradients",
    "check_op",
    "finite_difference",
    "mutants",
    "numerical_gradient",
    "op_test",
]
