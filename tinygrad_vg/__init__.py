"""A reverse-mode autodiff to read, to see and to check; its subject is why deep networks are hard to train."""

from tinygrad_vg.autodiff import backprop, grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from tinygrad_vg.modes import StaleGraphError, detect_anomaly, name_scope, no_grad
from tinygrad_vg.ops import log_softmax, logsumexp, primitive, relu, sigmoid, softmax, softplus, stop_gradient
from tinygrad_vg.tensor import OpNode, Tensor

__version__ = "0.1.0"

__all__ = [
    "OpNode",
    "StaleGraphError",
    "Tensor",
    "backprop",
    "detect_anomaly",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "log_softmax",
    "logsumexp",
    "name_scope",
    "no_grad",
    "primitive",
    "relu",
    "sigmoid",
    "softmax",
    "softplus",
    "stop_gradient",
    "value_and_grad",
    "vjp",
]
