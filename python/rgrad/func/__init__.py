"""Functions of functions: vectorised (`vmap`) and differentiated, in any combination."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import _rgrad
from .modules import functional_call, replace_all_batch_norm_modules_, stack_module_state
from .per_sample import per_sample_gradients
from .transforms import grad, grad_and_value, hessian, jacfwd, jacrev, jvp, linearize, vjp
from .vmap import vmap

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._rgrad import Tensor

__all__ = [
    "debug_unwrap",
    "functional_call",
    "functionalize",
    "grad",
    "grad_and_value",
    "hessian",
    "jacfwd",
    "jacrev",
    "jvp",
    "linearize",
    "per_sample_gradients",
    "replace_all_batch_norm_modules_",
    "stack_module_state",
    "vjp",
    "vmap",
]


def functionalize(func: Callable[..., Any], *, remove: str = "mutations") -> Callable[..., Any]:
    """`func` itself: changes in place need no rewriting here.

    Raises RuntimeError unless `remove` is 'mutations' or 'mutations_and_views'.
    """
    if remove not in ("mutations", "mutations_and_views"):
        raise RuntimeError(f"functionalize: remove has to be 'mutations' or 'mutations_and_views', got {remove!r}")
    return func


def debug_unwrap(tensor: Tensor, *, recurse: bool = True) -> Tensor:
    """The tensor of all examples that a tensor inside `vmap` stands for, to look at it; of the innermost level only
    unless `recurse`. What is computed from it is right for nobody."""
    return _rgrad._debug_unwrap(tensor, recurse)
