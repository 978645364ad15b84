"""Calling a module with other parameters, under older names."""

from __future__ import annotations

import warnings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from typing import Any

    from rgrad._rgrad import Tensor
    from rgrad.nn.module import Module

__all__ = ["functional_call"]


def functional_call(
    module: Module,
    parameters_and_buffers: dict[str, Tensor],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Deprecated name of `rgrad.func.functional_call`."""
    from rgrad import func  # not before it is used: that imports transforms

    warnings.warn(
        "nn.utils.stateless.functional_call is deprecated: write func.functional_call", FutureWarning, stacklevel=2
    )
    return func.functional_call(module, parameters_and_buffers, args, kwargs, tie_weights=tie_weights, strict=strict)


def _reparametrize_module(
    module: Module,
    parameters_and_buffers: dict[str, Tensor],
    tie_weights: bool = False,
    strict: bool = False,
    stack_weights: bool = False,
) -> AbstractContextManager[None]:
    """A `with` block in which a module has other parameters and buffers."""
    from rgrad.func.modules import _replaced

    return _replaced(module, parameters_and_buffers, tie_weights, strict)
