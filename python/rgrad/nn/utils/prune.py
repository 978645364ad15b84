"""Setting parts of parameters to zero for good.

A pruned parameter `name` is computed before each call as `name_orig * name_mask`, a parameter and a buffer.
"""

from __future__ import annotations

import numbers
from abc import ABC, abstractmethod
from collections.abc import Iterable

import rgrad
from rgrad._rgrad import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "BasePruningMethod",
    "CustomFromMask",
    "Identity",
    "L1Unstructured",
    "LnStructured",
    "PruningContainer",
    "RandomStructured",
    "RandomUnstructured",
    "custom_from_mask",
    "global_unstructured",
    "identity",
    "is_pruned",
    "l1_unstructured",
    "ln_structured",
    "random_structured",
    "random_unstructured",
    "remove",
]


class BasePruningMethod(ABC):
    """A way to choose what is set to zero; the hook that does so before each call.

    Subclasses say in `PRUNING_TYPE` whether they choose entries, `"unstructured"`, slices, `"structured"`, or look at
    all that there is, `"global"`, and define `compute_mask`.
    """

    PRUNING_TYPE: str
    _tensor_name: str

    def __call__(self, module: Any, inputs: Any) -> None:
        setattr(module, self._tensor_name, self.apply_mask(module))

    @abstractmethod
    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask of ones and zeros for `t`, within that of former prunings, `default_mask`."""

    def apply_mask(self, module: Any) -> Tensor:
        """The pruned parameter of `module`."""
        mask = getattr(module, self._tensor_name + "_mask")
        original = getattr(module, self._tensor_name + "_orig")
        pruned: Tensor = mask.to(original.dtype) * original
        return pruned

    @classmethod
    def apply(
        cls, module: Any, name: str, *args: Any, importance_scores: Tensor | None = None, **kwargs: Any
    ) -> BasePruningMethod:
        """Prune the parameter `name` of `module`, or prune more of it.

        Args:
            module: the module.
            name: its parameter.
            *args: the arguments of the method.
            importance_scores: what is looked at instead of the parameter, of its shape.
            **kwargs: the arguments of the method.
        """
        former = [hook for hook in module._forward_pre_hooks.values() if _prunes(hook, name)]
        if len(former) > 1:
            raise AssertionError(f"{name!r} of {type(module).__name__} is pruned by several hooks")
        method: BasePruningMethod = cls(*args, **kwargs)
        method._tensor_name = name
        if former:
            _remove_hook(module, name)
            container = PruningContainer()
            container._tensor_name = name
            if isinstance(former[0], PruningContainer):
                container = former[0]
            else:
                container.add_pruning_method(former[0])
            container.add_pruning_method(method)
            method = container
        parameter = getattr(module, name)
        if importance_scores is not None:
            if importance_scores.shape != parameter.shape:
                raise AssertionError(
                    f"importance_scores have shape {tuple(importance_scores.shape)}, but {name!r} has "
                    f"{tuple(parameter.shape)}"
                )
        else:
            importance_scores = parameter
        original = parameter
        if not former:
            mask = rgrad.ones_like(importance_scores)
        else:
            original = getattr(module, name + "_orig")
            mask = getattr(module, name + "_mask").detach().clone()
        # Computed first: after a failure the module is as it was.
        with rgrad.no_grad():
            mask = method.compute_mask(importance_scores, default_mask=mask)
        if not former:
            del module._parameters[name]
            module.register_parameter(name + "_orig", original)
        module.register_buffer(name + "_mask", mask)
        setattr(module, name, method.apply_mask(module))
        module.register_forward_pre_hook(method)
        return method

    def prune(self, t: Tensor, default_mask: Tensor | None = None, importance_scores: Tensor | None = None) -> Tensor:
        """`t` with what is chosen set to zero.

        Args:
            t: the tensor.
            default_mask: what has been chosen before, as zeros.
            importance_scores: what is looked at instead of `t`, of its shape.
        """
        if importance_scores is None:
            importance_scores = t
        elif importance_scores.shape != t.shape:
            raise AssertionError(
                f"importance_scores have shape {tuple(importance_scores.shape)}, but the tensor has {tuple(t.shape)}"
            )
        if default_mask is None:
            default_mask = rgrad.ones_like(t)
        return t * self.compute_mask(importance_scores, default_mask=default_mask)

    def remove(self, module: Any) -> None:
        """Make an ordinary parameter of the pruned one."""
        name = self._tensor_name
        if not is_pruned(module):
            raise AssertionError(f"{type(module).__name__} is not pruned")
        pruned = self.apply_mask(module)
        if hasattr(module, name):
            delattr(module, name)
        original = module._parameters[name + "_orig"]
        original.data = pruned.data
        del module._parameters[name + "_orig"]
        del module._buffers[name + "_mask"]
        setattr(module, name, original)


class PruningContainer(BasePruningMethod):
    """Several prunings of one parameter, each of what the ones before have left."""

    def __init__(self, *args: Any) -> None:
        self._pruning_methods: tuple[Any, ...] = ()
        if not isinstance(args, Iterable):
            self._tensor_name = args._tensor_name
            self.add_pruning_method(args)
        elif len(args) == 1:
            self._tensor_name = args[0]._tensor_name
            self.add_pruning_method(args[0])
        else:
            for method in args:
                self.add_pruning_method(method)

    def add_pruning_method(self, method: Any) -> None:
        """Add one pruning.

        Raises:
            TypeError: `method` is no pruning.
            ValueError: it prunes another parameter.
        """
        if not isinstance(method, BasePruningMethod) and method is not None:
            raise TypeError(f"a BasePruningMethod is needed, not a {type(method).__name__}")
        if method is not None and self._tensor_name != method._tensor_name:
            raise ValueError(f"this container prunes {self._tensor_name!r}, not {method._tensor_name!r}")
        self._pruning_methods += (method,)

    def __len__(self) -> int:
        return len(self._pruning_methods)

    def __iter__(self) -> Any:
        return iter(self._pruning_methods)

    def __getitem__(self, idx: Any) -> Any:
        return self._pruning_methods[idx]

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask of the last pruning, within `default_mask`: it looks at what is left only."""
        method = self._pruning_methods[-1]
        mask = default_mask.to(t.dtype)
        if method.PRUNING_TYPE == "unstructured":
            left: Any = mask == 1
        elif method.PRUNING_TYPE == "structured":
            dim = method.dim % t.dim()
            others = [other for other in range(t.dim()) if other != dim]
            kept = mask.sum(others) != 0 if others else mask != 0
            left = (slice(None),) * dim + (kept,)
        elif method.PRUNING_TYPE == "global":
            left = (slice(None),) * t.dim()
        else:
            raise ValueError(f"PRUNING_TYPE has to be unstructured, structured or global, not {method.PRUNING_TYPE!r}")
        made = mask.clone()
        made[left] = method.compute_mask(t[left], default_mask=mask[left]).to(made.dtype)
        return made


class Identity(BasePruningMethod):
    """Chooses nothing: the parameter only gets a mask of ones."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        return default_mask


class RandomUnstructured(BasePruningMethod):
    """Chooses entries at random: `amount` of them, or that part of them if it is a float."""

    PRUNING_TYPE = "unstructured"

    def __init__(self, amount: Any) -> None:
        _validate_pruning_amount_init(amount)
        self.amount = amount

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        # Those of the largest draws are chosen.
        return _without_least(-rgrad.rand_like(t), t, default_mask, self.amount)


class L1Unstructured(BasePruningMethod):
    """Chooses the entries of the least absolute value: `amount` of them, or that part of them if it is a float."""

    PRUNING_TYPE = "unstructured"

    def __init__(self, amount: Any) -> None:
        _validate_pruning_amount_init(amount)
        self.amount = amount

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        return _without_least(t.abs(), t, default_mask, self.amount)


class RandomStructured(BasePruningMethod):
    """Chooses slices along `dim` at random: `amount` of them, or that part of them if it is a float."""

    PRUNING_TYPE = "structured"

    def __init__(self, amount: Any, dim: int = -1) -> None:
        _validate_pruning_amount_init(amount)
        self.amount = amount
        self.dim = dim

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        _validate_structured_pruning(t)
        _validate_pruning_dim(t, self.dim)
        slices = t.shape[self.dim]
        chosen = _number_chosen(self.amount, slices)
        _validate_pruning_amount(chosen, slices)
        if chosen == 0:
            return default_mask
        draws = rgrad.rand(slices)
        kept = draws > draws[rgrad.tensor(_least(draws, chosen))].max()
        return _of_slices(default_mask, kept, self.dim)


class LnStructured(BasePruningMethod):
    """Chooses the slices along `dim` of the least norm: `amount` of them, or that part of them if it is a float.

    Args:
        amount: how many.
        n: the exponent of the norm.
        dim: the dimension.
    """

    PRUNING_TYPE = "structured"

    def __init__(self, amount: Any, n: Any, dim: int = -1) -> None:
        _validate_pruning_amount_init(amount)
        self.amount = amount
        self.n = n
        self.dim = dim

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        _validate_structured_pruning(t)
        _validate_pruning_dim(t, self.dim)
        slices = t.shape[self.dim]
        chosen = _number_chosen(self.amount, slices)
        _validate_pruning_amount(chosen, slices)
        if chosen == 0:
            return default_mask
        kept = rgrad.ones(slices, dtype=rgrad.bool)
        kept[rgrad.tensor(_least(_norms(t, self.n, self.dim), chosen))] = False
        return _of_slices(default_mask, kept, self.dim)


class CustomFromMask(BasePruningMethod):
    """Chooses where a mask is zero."""

    PRUNING_TYPE = "global"

    def __init__(self, mask: Tensor) -> None:
        self.mask = mask

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        return default_mask * self.mask.to(default_mask.dtype)


def identity(module: Any, name: str) -> Any:
    """Give the parameter `name` of `module`, which is given back, a mask of ones."""
    Identity.apply(module, name)
    return module


def random_unstructured(module: Any, name: str, amount: Any) -> Any:
    """Prune `amount` entries, or that part of them if it is a float, at random."""
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(module: Any, name: str, amount: Any, importance_scores: Tensor | None = None) -> Any:
    """Prune the `amount` entries, or that part of them if it is a float, of the least absolute value."""
    L1Unstructured.apply(module, name, amount=amount, importance_scores=importance_scores)
    return module


def random_structured(module: Any, name: str, amount: Any, dim: int) -> Any:
    """Prune `amount` slices along `dim`, or that part of them if it is a float, at random."""
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(
    module: Any, name: str, amount: Any, n: Any, dim: int, importance_scores: Tensor | None = None
) -> Any:
    """Prune the `amount` slices along `dim`, or that part of them if it is a float, of the least norm of order `n`."""
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def custom_from_mask(module: Any, name: str, mask: Tensor) -> Any:
    """Prune where `mask` is zero."""
    CustomFromMask.apply(module, name, mask)
    return module


def global_unstructured(
    parameters: Any, pruning_method: type[Any], importance_scores: dict[Any, Tensor] | None = None, **kwargs: Any
) -> None:
    """Prune several parameters as if they were one.

    Args:
        parameters: pairs of a module and the name of its parameter.
        pruning_method: a class that chooses entries.
        importance_scores: what is looked at instead of a parameter, by its pair.
        **kwargs: the arguments of the class.

    Raises:
        TypeError: `parameters` are no iterable, or the class does not choose entries.
    """
    if not isinstance(parameters, Iterable):
        raise TypeError(f"global_unstructured: an iterable of pairs is needed, not a {type(parameters).__name__}")
    pairs = list(parameters)
    scores = importance_scores or {}
    if not isinstance(scores, dict):
        raise TypeError(f"global_unstructured: importance_scores have to be a dictionary, not {type(scores).__name__}")

    def joined(parts: list[Tensor]) -> Tensor:
        return rgrad.cat([part.detach().reshape(-1) for part in parts])

    looked_at = joined([scores.get(pair, getattr(*pair)) for pair in pairs])
    masks = [getattr(module, name + "_mask", rgrad.ones_like(getattr(module, name))) for module, name in pairs]
    container = PruningContainer()
    container._tensor_name = "temp"
    method = pruning_method(**kwargs)
    method._tensor_name = "temp"
    container.add_pruning_method(method)
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(f"global_unstructured: {pruning_method.__name__} does not choose entries")
    mask = container.compute_mask(looked_at, joined(masks))
    start = 0
    for module, name in pairs:
        parameter = getattr(module, name)
        custom_from_mask(module, name, mask[start : start + parameter.numel()].reshape(parameter.shape))
        start += parameter.numel()


def remove(module: Any, name: str) -> Any:
    """Make an ordinary parameter of a pruned one, with its zeros.

    Raises:
        ValueError: the parameter is not pruned.
    """
    for number, hook in module._forward_pre_hooks.items():
        if _prunes(hook, name):
            hook.remove(module)
            del module._forward_pre_hooks[number]
            return module
    raise ValueError(f"{name!r} of {type(module).__name__} is not pruned")


def is_pruned(module: Any) -> bool:
    """Whether a parameter of the module, or of one below it, is pruned."""
    return any(
        isinstance(hook, BasePruningMethod)
        for _, submodule in module.named_modules()
        for hook in submodule.__dict__.get("_forward_pre_hooks", {}).values()
    )


def _prunes(hook: Any, name: str) -> bool:
    return isinstance(hook, BasePruningMethod) and hook._tensor_name == name


def _remove_hook(module: Any, name: str) -> None:
    for number, hook in list(module._forward_pre_hooks.items()):
        if _prunes(hook, name):
            del module._forward_pre_hooks[number]


def _least(values: Tensor, number: int) -> list[int]:
    """The places of the least values, the first of equal ones."""
    listed = values.reshape(-1).tolist()
    return sorted(range(len(listed)), key=listed.__getitem__)[:number]


def _without_least(values: Tensor, t: Tensor, default_mask: Tensor, amount: Any) -> Tensor:
    """The mask without the least values, as many as `amount` says of the entries of `t`."""
    chosen = _number_chosen(amount, t.numel())
    _validate_pruning_amount(chosen, t.numel())
    if chosen == 0:
        return default_mask.clone()
    mask = default_mask.clone().reshape(-1)
    mask[rgrad.tensor(_least(values, chosen))] = 0
    return mask.reshape(default_mask.shape)


def _norms(t: Tensor, order: Any, dim: int) -> Tensor:
    """The norms of the slices along `dim`."""
    rows = t.transpose(0, dim).reshape(t.shape[dim], -1)
    sizes = rows.abs()
    if order == float("inf"):
        return sizes.amax(1)
    if order == float("-inf"):
        return sizes.amin(1)
    if order == 0:
        return (rows != 0).sum(1).to(t.dtype)
    if order in (2, "fro"):
        return sizes.square().sum(1).sqrt()
    return sizes.pow(order).sum(1).pow(1.0 / order)


def _of_slices(default_mask: Tensor, kept: Tensor, dim: int) -> Tensor:
    """`default_mask` with zeros in the slices that are not kept."""
    shape = [1] * default_mask.dim()
    shape[dim] = -1
    return default_mask * kept.reshape(shape).to(default_mask.dtype)


def _validate_pruning_amount_init(amount: Any) -> None:
    if not isinstance(amount, numbers.Real):
        raise TypeError(f"the amount to prune has to be a number, not {amount!r}")
    count = isinstance(amount, numbers.Integral)
    negative_count = count and float(amount) < 0
    no_part = not count and not 0 <= float(amount) <= 1
    if negative_count or no_part:
        raise ValueError(f"the amount to prune has to be a number of entries or a part between 0 and 1, not {amount}")


def _validate_pruning_amount(amount: int, tensor_size: int) -> None:
    if amount > tensor_size:
        raise ValueError(f"{amount} cannot be pruned of {tensor_size}")


def _validate_structured_pruning(t: Tensor) -> None:
    if t.dim() <= 1:
        raise ValueError(f"slices can be pruned of tensors of at least 2 dimensions, not {t.dim()}")


def _validate_pruning_dim(t: Tensor, dim: int) -> None:
    if dim >= t.dim():
        raise IndexError(f"dim={dim} is out of range for a tensor of {t.dim()} dimensions")


def _number_chosen(amount: Any, size: int) -> int:
    return int(amount) if isinstance(amount, numbers.Integral) else round(float(amount) * size)
