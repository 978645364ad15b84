"""Neural networks: modules, their parameters, layers and losses."""

from __future__ import annotations

from rgrad.nn import attention, functional, init, modules, parallel, utils
from rgrad.nn.modules import *  # noqa: F403 - as many names as there are layers
from rgrad.nn.parallel import DataParallel
from rgrad.nn.parameter import Buffer, Parameter, UninitializedBuffer, UninitializedParameter

__all__ = [
    "Buffer",
    "DataParallel",
    "Parameter",
    "UninitializedBuffer",
    "UninitializedParameter",
    "attention",
    "functional",
    "init",
    "modules",
    "parallel",
    "utils",
]
__all__ += modules.__all__
