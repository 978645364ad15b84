"""Automatic differentiation on the CPU, with PyTorch's semantics.

Names, signatures and rules are PyTorch's: a program that imports ``torch`` runs after
``import rgrad as torch``.
"""

from __future__ import annotations

from . import _rgrad
from ._rgrad import *  # noqa: F403
from ._rgrad import Tensor, default_generator, dtype, float32, float64, int32, int64, uint8
from ._size import Size
from .autograd.grad_mode import enable_grad, no_grad, set_grad_enabled
from . import autograd

__version__ = "0.1.0"

_int = int  # the name is a dtype's below

float = float32
double = float64
int = int32
long = int64


def manual_seed(seed):
    """Start the default random generator from `seed`, a number that makes an int of at most 64 bits, and give it."""
    return default_generator.manual_seed(_int(seed))


def initial_seed():
    """The seed that the default random generator started from."""
    return default_generator.initial_seed()


def seed():
    """Start the default random generator from a seed that nobody can guess, and give that seed."""
    return default_generator.seed()


def get_rng_state():
    """The state of the default random generator, a uint8 tensor."""
    return default_generator.get_state()


def set_rng_state(new_state):
    """Go on with the default random generator from a state that `get_rng_state` gave."""
    default_generator.set_state(new_state)


def is_tensor(object):
    """Whether `object` is a Tensor."""
    return isinstance(object, Tensor)


def __getattr__(name):
    # The larger packages are imported when they are asked for: `import rgrad` stays quick.
    if name in ("nn", "optim", "graph"):
        from importlib import import_module

        return import_module(f"rgrad.{name}")
    raise AttributeError(f"module 'rgrad' has no attribute '{name}'")
