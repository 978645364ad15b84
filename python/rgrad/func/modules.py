"""Modules as functions of their parameters, and many modules as one."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .. import _rgrad
from .._rgrad import Tensor

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..nn import Module, ModuleList

__all__ = ["functional_call", "replace_all_batch_norm_modules_", "stack_module_state"]


def functional_call(
    module: Module,
    parameter_and_buffer_dicts: dict[str, Tensor] | Sequence[dict[str, Tensor]],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """What `module` gives for `args` and `kwargs` with other parameters and buffers, which it has only meanwhile.

    parameter_and_buffer_dicts: the tensors by name, in one dictionary or several that share no name.
    args: the arguments; what is no tuple is the only one.
    tie_weights: a tensor that the module has under several names is replaced under all of them.
    strict: every parameter and buffer has to be given, and nothing else; otherwise unknown names are passed over.

    Raises ValueError for a name given twice or for different values of tied weights, and RuntimeError if `strict` is
    not met.
    """
    given = _merged(parameter_and_buffer_dicts)
    if args is None:
        args = ()
    elif not isinstance(args, tuple):
        args = (args,)
    with _replaced(module, given, tie_weights, strict):
        return module(*args, **(kwargs or {}))


def _merged(dicts: Any) -> dict[str, Tensor]:
    if isinstance(dicts, dict):
        return dicts
    if not isinstance(dicts, (list, tuple)):
        raise ValueError(
            f"functional_call: parameters have to be a dictionary or a sequence of them, got a {type(dicts).__name__}"
        )
    merged: dict[str, Tensor] = {}
    for part in dicts:
        if not isinstance(part, dict):
            raise ValueError(f"functional_call: parameters have to be dictionaries, got a {type(part).__name__}")
        for name, tensor in part.items():
            if name in merged:
                raise ValueError(f"functional_call: {name!r} is in more than one of the dictionaries")
            merged[name] = tensor
    return merged


def _named(module: Module) -> dict[str, Tensor]:
    """All parameters and buffers, with every name that a shared one has."""
    named: dict[str, Tensor] = dict(module.named_parameters(remove_duplicate=False))
    named.update(module.named_buffers(remove_duplicate=False))
    return named


def _tied(named: dict[str, Tensor], given: dict[str, Tensor]) -> dict[str, Tensor]:
    """What is given, for all names of shared tensors."""
    groups: dict[int, list[str]] = {}
    for name, tensor in named.items():
        groups.setdefault(id(tensor), []).append(name)
    tied = dict(given)
    for names in groups.values():
        known = [name for name in names if name in given]
        if not known:
            continue
        if any(given[name] is not given[known[0]] for name in known):
            raise ValueError(
                f"functional_call: {known} are names of one tensor, but different values are given for them"
            )
        for name in names:
            tied[name] = given[known[0]]
    return tied


@contextmanager
def _replaced(module: Module, given: dict[str, Tensor], tie_weights: bool, strict: bool) -> Iterator[None]:
    named = _named(module)
    if tie_weights:
        given = _tied(named, given)
    if strict:
        missing, unexpected = sorted(named.keys() - given.keys()), sorted(given.keys() - named.keys())
        if missing or unexpected:
            raise RuntimeError(
                f"functional_call: with strict=True, names are missing: {missing}, or unknown: {unexpected}"
            )
    given = {name: tensor for name, tensor in given.items() if name in named}
    places = [_place(module, name) for name in given]
    before = [place[key] for place, key in places]
    try:
        for (place, key), tensor in zip(places, given.values()):
            place[key] = tensor
        yield
    finally:
        for (place, key), tensor in zip(places, before):
            place[key] = tensor


def _place(module: Module, name: str) -> tuple[dict[str, Any], str]:
    """The dictionary in which the module of that parameter or buffer has it."""
    path, _, key = name.rpartition(".")
    owner = module.get_submodule(path)
    return (owner._parameters if key in owner._parameters else owner._buffers), key


def stack_module_state(models: Sequence[Module] | ModuleList) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parameters and the buffers of modules of one class, each put side by side along a new first dimension.

    With `functional_call` and `vmap` they run as an ensemble. The parameters are new leaves.
    Raises RuntimeError if there is no module, if classes differ, or if some train and others evaluate.
    """
    if len(models) == 0:
        raise RuntimeError("stack_module_state: at least one module is needed")
    if not (all(model.training for model in models) or all(not model.training for model in models)):
        raise RuntimeError("stack_module_state: all modules have to be in the same mode, training or evaluation")
    kind = type(models[0])
    if not all(type(model) is kind for model in models):
        raise RuntimeError("stack_module_state: all modules have to be of one class")
    parameters = {
        name: _stacked([dict(model.named_parameters())[name] for model in models])
        for name, _ in models[0].named_parameters()
    }
    buffers = {
        name: _stacked([dict(model.named_buffers())[name] for model in models]) for name, _ in models[0].named_buffers()
    }
    return parameters, buffers


def _stacked(tensors: list[Tensor]) -> Tensor:
    if any(tensor.requires_grad != tensors[0].requires_grad for tensor in tensors):
        raise RuntimeError("stack_module_state: a parameter has to require grad in all modules or in none")
    stacked = _rgrad.stack(tensors).detach()
    return stacked.requires_grad_(tensors[0].requires_grad)


def replace_all_batch_norm_modules_(root: Module) -> Module:
    """Makes the batch norms of a module, itself among them, use the statistics of each batch alone; gives it back.

    Running statistics are changed in place, which `vmap` cannot do for tensors that all examples share.
    """
    from ..nn.modules.batchnorm import _BatchNorm

    for module in root.modules():
        if isinstance(module, _BatchNorm):
            module.running_mean = module.running_var = module.num_batches_tracked = None
            module.track_running_stats = False
    return root
