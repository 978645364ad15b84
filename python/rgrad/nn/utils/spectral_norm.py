"""Weights divided by their largest singular value, by a hook before each call: the older of two ways.

Miyato et al., "Spectral normalization for generative adversarial networks" (2018).
"""

from __future__ import annotations

import rgrad
from rgrad.nn.parameter import Parameter
from rgrad.nn.utils.power_iteration import as_matrix, estimate, improve, normalized

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    from rgrad._rgrad import Tensor

    M = TypeVar("M")

__all__ = ["SpectralNorm", "remove_spectral_norm", "spectral_norm"]


class SpectralNorm:
    """The hook that computes a weight from the one that is learnt.

    Raises:
        ValueError: the number of iterations is not positive.
    """

    _version: int = 1

    def __init__(self, name: str = "weight", n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        if n_power_iterations <= 0:
            raise ValueError(f"spectral_norm: at least one iteration is needed, not {n_power_iterations}")
        self.name = name
        self.dim = dim
        self.n_power_iterations = n_power_iterations
        self.eps = eps

    def compute_weight(self, module: Any, do_power_iteration: bool) -> Tensor:
        """The weight of `module`, after another iteration if wanted."""
        weight = getattr(module, self.name + "_orig")
        left, right = getattr(module, self.name + "_u"), getattr(module, self.name + "_v")
        matrix = as_matrix(weight, self.dim)
        if do_power_iteration:
            # The right vector comes first here, as if the matrix were transposed.
            improve(matrix.t(), right, left, self.n_power_iterations, self.eps)
            # The vectors of this call are kept for its backward pass, whatever later calls change.
            left, right = left.clone(), right.clone()
        divided: Tensor = weight / estimate(matrix, left, right)
        return divided

    @staticmethod
    def apply(module: Any, name: str, n_power_iterations: int, dim: int, eps: float) -> SpectralNorm:
        """Replace the parameter `name` by the one that is learnt and compute it before each call.

        Raises:
            RuntimeError: that has been done.
        """
        for hook in module._forward_pre_hooks.values():
            if isinstance(hook, SpectralNorm) and hook.name == name:
                raise RuntimeError(f"spectral_norm: {name!r} of {type(module).__name__} is normalised already")
        made = SpectralNorm(name, n_power_iterations, dim, eps)
        weight = module._parameters[name]
        if weight is None:
            raise ValueError(f"spectral_norm: {name!r} of {type(module).__name__} is None")
        with rgrad.no_grad():
            rows, columns = as_matrix(weight, dim).shape
            left = normalized(weight.new_empty(rows).normal_(0, 1), eps)
            right = normalized(weight.new_empty(columns).normal_(0, 1), eps)
        delattr(module, name)
        module.register_parameter(name + "_orig", weight)
        setattr(module, name, weight.data)
        module.register_buffer(name + "_u", left)
        module.register_buffer(name + "_v", right)
        module.register_forward_pre_hook(made)
        module._register_state_dict_hook(made._note_version)
        module._register_load_state_dict_pre_hook(made._complete_state)
        return made

    def remove(self, module: Any) -> None:
        """Make a parameter of the weight again."""
        with rgrad.no_grad():
            weight = self.compute_weight(module, do_power_iteration=False)
        delattr(module, self.name)
        for suffix in ("_u", "_v", "_orig"):
            delattr(module, self.name + suffix)
        module.register_parameter(self.name, Parameter(weight.detach()))

    def __call__(self, module: Any, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module, do_power_iteration=module.training))

    def _note_version(self, module: Any, state_dict: Any, prefix: str, local_metadata: dict[str, Any]) -> None:
        versions = local_metadata.setdefault("spectral_norm", {})
        versions[self.name + ".version"] = self._version

    def _complete_state(
        self,
        state_dict: Any,
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """A state saved with the computed weight is loaded without it."""
        versions = local_metadata.get("spectral_norm", {})
        if versions.get(self.name + ".version") is None:
            state_dict.pop(prefix + self.name, None)


def spectral_norm(
    module: M, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> M:
    """Let the parameter `name` be computed as `name_orig` divided by its largest singular value.

    Args:
        module: the module, which is given back.
        name: its parameter.
        n_power_iterations: how often the estimate is improved by each call in training.
        eps: the least length that vectors are divided by.
        dim: the dimension that counts as rows: 1 for transposed convolutions, else 0, if `None`.
    """
    if dim is None:
        dim = 1 if "ConvTranspose" in type(module).__name__ else 0
    SpectralNorm.apply(module, name, n_power_iterations, dim, eps)
    return module


def remove_spectral_norm(module: M, name: str = "weight") -> M:
    """Undo `spectral_norm`.

    Raises:
        ValueError: the parameter is not normalised.
    """
    hooks: Any = module._forward_pre_hooks  # type: ignore[attr-defined]
    for number, hook in hooks.items():
        if isinstance(hook, SpectralNorm) and hook.name == name:
            hook.remove(module)
            del hooks[number]
            break
    else:
        raise ValueError(f"remove_spectral_norm: {name!r} of {type(module).__name__} is not normalised")
    _forget(module._state_dict_hooks, "_note_version", name)  # type: ignore[attr-defined]
    _forget(module._load_state_dict_pre_hooks, "_complete_state", name)  # type: ignore[attr-defined]
    return module


def _forget(hooks: Any, method: str, name: str) -> None:
    """Take out the hook that is that method of the normalisation of `name`."""
    for number, hook in hooks.items():
        bound = getattr(hook, "hook", hook)
        owner = getattr(bound, "__self__", None)
        if isinstance(owner, SpectralNorm) and owner.name == name and bound.__name__ == method:
            del hooks[number]
            return
