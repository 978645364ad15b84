"""Gradients: the functions behind `Tensor.backward`, and the modes that switch recording."""

from .._rgrad import backward, grad
from . import forward_ad, function, functional, graph
from .function import Function
from .grad_mode import enable_grad, no_grad, set_grad_enabled

__all__ = [
    "Function",
    "backward",
    "enable_grad",
    "forward_ad",
    "function",
    "grad",
    "graph",
    "no_grad",
    "set_grad_enabled",
]
