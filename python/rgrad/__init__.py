"""Automatic differentiation on the CPU, with PyTorch's semantics.

Names, signatures and rules are PyTorch's: a program that imports ``torch`` runs after
``import rgrad as torch``.
"""

from __future__ import annotations

from . import _rgrad
from ._rgrad import *  # noqa: F403
from ._rgrad import Tensor, dtype, float32, float64, int32, int64, uint8
from ._rgrad import _manual_seed as _seed_default_generator
from ._size import Size
from .autograd.anomaly_mode import is_anomaly_check_nan_enabled, is_anomaly_enabled
from .autograd.grad_mode import enable_grad, inference_mode, no_grad, set_grad_enabled
from . import autograd

__version__ = "0.1.0"

float = float32
double = float64
int = int32
long = int64


def manual_seed(seed):
    """Start the default random generator from `seed` (an int of at most 64 bits)."""
    _seed_default_generator(seed)


def is_tensor(object):
    """Whether `object` is a Tensor."""
    return isinstance(object, Tensor)


def __getattr__(name):
    # The larger packages are imported when they are asked for: `import rgrad` stays quick.
    if name in ("nn", "optim", "graph"):
        from importlib import import_module

        return import_module(f"rgrad.{name}")
    raise AttributeError(f"module 'rgrad' has no attribute '{name}'")
