"""Weights as a length and a direction, by a hook before each call: the older of two ways.

Salimans and Kingma, "Weight normalization" (2016).
"""

from __future__ import annotations

import warnings

from rgrad.nn.parameter import Parameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    from rgrad._rgrad import Tensor

    M = TypeVar("M")

__all__ = ["WeightNorm", "remove_weight_norm", "weight_norm"]


def norm_except_dim(v: Tensor, dim: int) -> Tensor:
    """The norms of the slices of `v` along `dim`, as many dimensions as before; of all of it for -1."""
    if dim == -1:
        return v.square().sum().sqrt()
    others = [other for other in range(v.dim()) if other != dim % v.dim()]
    squares = v.square()
    return (squares.sum(others, keepdim=True) if others else squares).sqrt()


def with_norm(v: Tensor, g: Tensor, dim: int) -> Tensor:
    """`v` with slices along `dim` of the lengths `g`."""
    return v * (g / norm_except_dim(v, dim))


class WeightNorm:
    """The hook that computes a weight from its parts."""

    def __init__(self, name: str, dim: int | None) -> None:
        self.name = name
        self.dim = -1 if dim is None else dim

    def compute_weight(self, module: Any) -> Tensor:
        """The weight of `module`."""
        return with_norm(getattr(module, self.name + "_v"), getattr(module, self.name + "_g"), self.dim)

    @staticmethod
    def apply(module: Any, name: str, dim: int | None) -> WeightNorm:
        """Replace the parameter `name` by its parts and compute it before each call.

        Raises:
            RuntimeError: that has been done.
        """
        warnings.warn(
            "nn.utils.weight_norm is deprecated: write nn.utils.parametrizations.weight_norm",
            FutureWarning,
            stacklevel=3,
        )
        for hook in module._forward_pre_hooks.values():
            if isinstance(hook, WeightNorm) and hook.name == name:
                raise RuntimeError(f"weight_norm: {name!r} of {type(module).__name__} is normalised already")
        made = WeightNorm(name, dim)
        weight = getattr(module, name)
        del module._parameters[name]
        module.register_parameter(name + "_g", Parameter(norm_except_dim(weight, made.dim).data))
        module.register_parameter(name + "_v", Parameter(weight.data))
        setattr(module, name, made.compute_weight(module))
        module.register_forward_pre_hook(made)
        return made

    def remove(self, module: Any) -> None:
        """Make a parameter of the weight again."""
        weight = self.compute_weight(module)
        delattr(module, self.name)
        del module._parameters[self.name + "_g"]
        del module._parameters[self.name + "_v"]
        setattr(module, self.name, Parameter(weight.data))

    def __call__(self, module: Any, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module))


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """Let the parameter `name` be computed from `name_g`, lengths, and `name_v`, directions. Deprecated.

    Args:
        module: the module, which is given back.
        name: its parameter.
        dim: the dimension along which slices have lengths of their own; `None` for one length in all.
    """
    WeightNorm.apply(module, name, dim)
    return module


def remove_weight_norm(module: M, name: str = "weight") -> M:
    """Undo `weight_norm`.

    Raises:
        ValueError: the parameter is not normalised.
    """
    hooks: Any = module._forward_pre_hooks  # type: ignore[attr-defined]
    for number, hook in hooks.items():
        if isinstance(hook, WeightNorm) and hook.name == name:
            hook.remove(module)
            del hooks[number]
            return module
    raise ValueError(f"remove_weight_norm: {name!r} of {type(module).__name__} is not normalised")
