"""Weights that are normalised or orthogonal, as parametrizations."""

from __future__ import annotations

import rgrad
from rgrad.nn.module import Module
from rgrad.nn.utils import parametrize
from rgrad.nn.utils.power_iteration import as_matrix, estimate, improve, normalized
from rgrad.nn.utils.weight_norm import norm_except_dim, with_norm

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rgrad._rgrad import Tensor

__all__ = ["spectral_norm", "weight_norm"]


class _WeightNorm(Module):
    """A tensor of its lengths, `original0`, and its directions, `original1`."""

    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        return with_norm(weight_v, weight_g, self.dim)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        return norm_except_dim(weight, self.dim), weight


def weight_norm(module: Any, name: str = "weight", dim: int | None = 0) -> Any:
    """Let a parameter be made of lengths and directions: `original0 * original1 / norm(original1)`.

    Salimans and Kingma, "Weight normalization" (2016).

    Args:
        module: the module, which is given back.
        name: its parameter.
        dim: the dimension along which slices have lengths of their own; `None` for one length in all.
    """
    parametrize.register_parametrization(module, name, _WeightNorm(dim), unsafe=True)

    def take_older_names(state_dict: Any, prefix: str, *others: Any) -> None:
        older = [f"{prefix}{name}_g", f"{prefix}{name}_v"]
        if all(key in state_dict for key in older):
            for position, key in enumerate(older):
                state_dict[f"{prefix}parametrizations.{name}.original{position}"] = state_dict.pop(key)

    module._register_load_state_dict_pre_hook(take_older_names)
    return module


class _SpectralNorm(Module):
    """A tensor divided by its largest singular value, which each call in training estimates better."""

    _u: Tensor
    _v: Tensor

    def __init__(self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        super().__init__()
        dimensions = weight.dim()
        if not -dimensions <= dim < dimensions:
            raise IndexError(f"spectral_norm: dim={dim} is out of range for a tensor of {dimensions} dimensions")
        if n_power_iterations <= 0:
            raise ValueError(f"spectral_norm: at least one iteration is needed, not {n_power_iterations}")
        self.dim = dim % dimensions
        self.eps = eps
        if dimensions > 1:
            self.n_power_iterations = n_power_iterations
            with rgrad.no_grad():
                matrix = as_matrix(weight, self.dim)
                rows, columns = matrix.shape
                left = matrix.new_empty(rows).normal_(0, 1)
                right = matrix.new_empty(columns).normal_(0, 1)
                self.register_buffer("_u", normalized(left, eps))
                self.register_buffer("_v", normalized(right, eps))
            improve(matrix, self._u, self._v, 15, eps)

    def forward(self, weight: Tensor) -> Tensor:
        if weight.dim() == 1:
            return normalized(weight, self.eps)
        matrix = as_matrix(weight, self.dim)
        if self.training:
            improve(matrix, self._u, self._v, self.n_power_iterations, self.eps)
        # The vectors of this call are kept for its backward pass, whatever later calls change.
        return weight / estimate(matrix, self._u.clone(), self._v.clone())

    def right_inverse(self, value: Tensor) -> Tensor:
        return value


def spectral_norm(
    module: Any, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Any:
    """Let a parameter be divided by its largest singular value.

    Miyato et al., "Spectral normalization for generative adversarial networks" (2018).

    Args:
        module: the module, which is given back.
        name: its parameter.
        n_power_iterations: how often the estimate is improved by each call in training.
        eps: the least length that vectors are divided by.
        dim: the dimension that counts as rows: 1 for transposed convolutions, else 0, if `None`.

    Raises:
        ValueError: the module has no such parameter.
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, rgrad.Tensor):
        raise ValueError(f"spectral_norm: {type(module).__name__} has no parameter {name!r}")
    if dim is None:
        dim = 1 if "ConvTranspose" in type(module).__name__ else 0
    return parametrize.register_parametrization(module, name, _SpectralNorm(weight, n_power_iterations, dim, eps))
