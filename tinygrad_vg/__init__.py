"""A reverse-mode autodiff to read, to see and to check; its subject is why deep networks are hard to train.

``import tinygrad_vg as vg`` loads the engine and nothing but NumPy; networks, checking, drawing and the rest are loaded
when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tinygrad_vg.autodiff import backprop, grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from tinygrad_vg.modes import StaleGraphError, detect_anomaly, name_scope, no_grad
from tinygrad_vg.ops import log_softmax, logsumexp, primitive, relu, sigmoid, softmax, softplus, stop_gradient
from tinygrad_vg.tensor import OpNode, Tensor

if TYPE_CHECKING:
    from tinygrad_vg import datasets, drawing, lab, nn, optim, strategies, training
    from tinygrad_vg.drawing import draw, explain, explore
    from tinygrad_vg.gradcheck import (
        GradientMismatch,
        GradientReport,
        certify_backward,
        check_gradients,
        check_op,
        mutants,
        numerical_gradient,
        op_test,
    )

__version__ = "0.1.0"

__all__ = [
    "GradientMismatch",
    "GradientReport",
    "OpNode",
    "StaleGraphError",
    "Tensor",
    "backprop",
    "certify_backward",
    "check_gradients",
    "check_op",
    "datasets",
    "detect_anomaly",
    "draw",
    "drawing",
    "explain",
    "explore",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "lab",
    "log_softmax",
    "logsumexp",
    "mutants",
    "name_scope",
    "nn",
    "no_grad",
    "numerical_gradient",
    "op_test",
    "optim",
    "primitive",
    "relu",
    "sigmoid",
    "softmax",
    "softplus",
    "stop_gradient",
    "strategies",
    "training",
    "value_and_grad",
    "vjp",
]

_CHECKING = ["GradientMismatch", "GradientReport", "certify_backward", "check_gradients", "check_op", "mutants"]
_WHERE = {
    **dict.fromkeys([*_CHECKING, "numerical_gradient", "op_test"], "gradcheck"),
    **dict.fromkeys(["draw", "explain", "explore"], "drawing"),
}


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(import_module(f"tinygrad_vg.{_WHERE[name]}"), name)
    if name in __all__:
        return import_module(f"tinygrad_vg.{name}")
    raise AttributeError(f"module 'tinygrad_vg' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
