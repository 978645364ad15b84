"""Automatic differentiation on the CPU, with PyTorch's semantics.

Names, signatures and rules are PyTorch's: a program that imports ``torch`` runs after
``import rgrad as torch``.
"""

from __future__ import annotations

from . import _rgrad
from ._rgrad import *
from ._rgrad import Tensor, float32, float64, int32, int64
from ._rgrad import _manual_seed as _seed_default_generator
from ._size import Size
from .autograd.anomaly_mode import is_anomaly_check_nan_enabled, is_anomaly_enabled
from .autograd.grad_mode import enable_grad, inference_mode, no_grad, set_grad_enabled
from . import autograd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeGuard

    from . import graph, nn, optim

__version__ = "0.1.0"

__all__ = [
    "Size",
    "autograd",
    "double",
    "enable_grad",
    "float",
    "graph",
    "int",
    "is_tensor",
    "long",
    "manual_seed",
    "nn",
    "no_grad",
    "optim",
    "set_grad_enabled",
]
__all__ += _rgrad.__all__

float = float32
double = float64
int = int32
long = int64


def manual_seed(seed: Any) -> None:
    """Start the default random generator from `seed` (an int of at most 64 bits)."""
    _seed_default_generator(seed)


def is_tensor(object: Any) -> TypeGuard[Tensor]:
    """Whether `object` is a Tensor."""
    return isinstance(object, Tensor)


if not TYPE_CHECKING:  # To a type checker, this function would be a definition of every name.

    def __getattr__(name):
        # The larger packages are imported when they are asked for: `import rgrad` stays quick.
        if name in ("nn", "optim", "graph"):
            from importlib import import_module

            return import_module(f"rgrad.{name}")
        raise AttributeError(f"module 'rgrad' has no attribute '{name}'")
