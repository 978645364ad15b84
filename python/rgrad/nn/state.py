"""Saving a tree of modules into one dictionary of tensors, and loading it back."""

from __future__ import annotations

import warnings
from collections import OrderedDict, namedtuple
from collections.abc import Mapping

import rgrad
from rgrad._rgrad import Tensor
from rgrad.nn.conversion import Conversion
from rgrad.nn.parameter import Parameter, is_lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rgrad.nn.module import Module

__all__ = ["StateDict"]

_EXTRA_STATE_KEY_SUFFIX = "_extra_state"


class _IncompatibleKeys(namedtuple("IncompatibleKeys", ["missing_keys", "unexpected_keys"])):
    """What `load_state_dict` returns: the names it missed and those it had no use for."""

    __slots__ = ()

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return super().__repr__()

    __str__ = __repr__


class StateDict(Conversion):
    """The part of `Module` that saves and loads its tensors.

    A class whose layout changes counts its `_version` up; `_load_from_state_dict` finds the version
    a dictionary was saved with in `local_metadata["version"]`.
    """

    _version: int = 1

    def get_extra_state(self) -> Any:
        """Whatever else `state_dict` should save for this module; for subclasses to override.

        Raises:
            RuntimeError: not overridden, which `state_dict` takes for nothing to save.
        """
        raise RuntimeError(f"{type(self).__name__} has no extra state")

    def set_extra_state(self, state: Any) -> None:
        """Take back what `get_extra_state` returned; for subclasses to override with it.

        Raises:
            RuntimeError: not overridden.
        """
        raise RuntimeError(f"{type(self).__name__} has no extra state to be set")

    def state_dict(self, *args: Any, destination: Any = None, prefix: str = "", keep_vars: bool = False) -> Any:
        """The parameters and persistent buffers, here and below, by their dotted names.

        The tensors share their storage with the module. The versions of the classes are kept in
        the attribute `_metadata` of the dictionary.

        Args:
            *args: `destination`, `prefix` and `keep_vars` by position, which is deprecated.
            destination: the dictionary to fill and return; a new one if `None`.
            prefix: put before every name.
            keep_vars: whether the parameters themselves are saved rather than detached tensors.
        """
        if args:
            warnings.warn(
                "pass destination, prefix and keep_vars to state_dict by name: passing them by position is deprecated",
                FutureWarning,
                stacklevel=2,
            )
            named = {"destination": destination, "prefix": prefix, "keep_vars": keep_vars}
            named.update(zip(named, args))
            return self.state_dict(**named)
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        local_metadata: dict[str, Any] = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = local_metadata
        for hook in self._table("_state_dict_pre_hooks"):
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        returning_nothing = self.__dict__.get("_state_dict_hooks_returning_nothing", {})
        for number, hook in list(self.__dict__.get("_state_dict_hooks", {}).items()):
            returned = hook(self, destination, prefix, local_metadata)
            if number not in returning_nothing:
                destination = destination if returned is None else returned
            elif returned is not None:
                raise RuntimeError("a state_dict post-hook must return None")
        return destination

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        """Write this module's own tensors into `destination`; for subclasses to override."""
        for name, tensor in self._own_state().items():
            if tensor is not None:
                destination[prefix + name] = tensor if keep_vars else tensor.detach()
        if _overrides(self, "get_extra_state"):
            destination[prefix + _EXTRA_STATE_KEY_SUFFIX] = self.get_extra_state()

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> _IncompatibleKeys:
        """Copy the tensors of `state_dict` into the parameters and buffers of the same names.

        Args:
            state_dict: what `state_dict()` returned, of this module or one like it.
            strict: whether the names must be the same on both sides.
            assign: whether the tensors replace those of the module instead of being copied into
                them; parameters keep their `requires_grad`.

        Returns:
            The names missing in `state_dict` and those not expected there, a named tuple
            `(missing_keys, unexpected_keys)`.

        Raises:
            TypeError: `state_dict` is not a mapping.
            RuntimeError: names differ although `strict`, or a tensor has another shape.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"the state must be a mapping, not {type(state_dict).__name__}")
        loading = _Loading(state_dict, assign)
        this: Any = self
        loading.fill(this, loading.entries, "")
        if strict:
            loading.refuse_differing_names()
        if loading.errors:
            raise RuntimeError("\n\t".join([f"{type(self).__name__} could not load the state:", *loading.errors]))
        return _IncompatibleKeys(loading.missing, loading.unexpected)

    def _load_from_state_dict(
        self,
        state_dict: Any,
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Fill this module's own tensors from `state_dict`; for subclasses to override.

        What goes wrong is added to the three lists; nothing is raised. The names below this module
        are checked only as to whether there is such a submodule.
        """
        report = missing_keys, unexpected_keys, error_msgs
        for hook in self._table("_load_state_dict_pre_hooks"):
            hook(self, state_dict, prefix, local_metadata, strict, *report)
        assign = local_metadata.get("assign_to_params_buffers", False)
        own_state = {name: held for name, held in self._own_state().items() if held is not None}
        for name, held in own_state.items():
            key = prefix + name
            if key in state_dict:
                problem = self._load_tensor(name, key, held, state_dict[key], assign)
                if problem is not None:
                    error_msgs.append(problem)
            elif strict:
                missing_keys.append(key)

        extra_key = prefix + _EXTRA_STATE_KEY_SUFFIX
        takes_extra = _overrides(self, "set_extra_state")
        if takes_extra and extra_key in state_dict:
            self.set_extra_state(state_dict[extra_key])
        elif strict and takes_extra:
            missing_keys.append(extra_key)
        elif strict and extra_key in state_dict:
            unexpected_keys.append(extra_key)

        if strict:
            for key in state_dict:
                if key.startswith(prefix) and key != extra_key:
                    name, dot, _ = key[len(prefix) :].partition(".")
                    if name not in (self._modules if dot else own_state):
                        unexpected_keys.append(key)

    def _load_tensor(self, name: str, key: str, held: Tensor, saved: Any, assign: bool) -> str | None:
        """Copy or assign one tensor; the reason if that cannot be done."""
        if not isinstance(saved, Tensor):
            return f"{key}: a Tensor is needed, not {type(saved).__name__}"
        if is_lazy(saved):
            return None if is_lazy(held) else f"{key}: what was saved has no shape yet, here it is {tuple(held.shape)}"
        if held.dim() == 0 and saved.dim() == 1:
            saved = saved[0]  # scalars used to be saved as vectors of one element
        if saved.shape != held.shape:
            return f"{key}: the shape saved is {tuple(saved.shape)}, here it is {tuple(held.shape)}"
        try:
            with rgrad.no_grad():
                if not assign:
                    held.copy_(saved)
                elif isinstance(held, Parameter):
                    if not isinstance(saved, Parameter):
                        saved = Parameter(saved, requires_grad=held.requires_grad)
                    setattr(self, name, saved.requires_grad_(held.requires_grad))
                else:
                    setattr(self, name, saved)
        except Exception as failure:
            return f"{key}: {failure}"
        return None

    def _own_state(self) -> dict[str, Any]:
        """This module's parameters and persistent buffers, those that are `None` included."""
        state: dict[str, Any] = dict(self._parameters)
        for name, buffer in self._buffers.items():
            if name not in self._non_persistent_buffers_set:
                state[name] = buffer
        return state

    def _table(self, name: str) -> list[Any]:
        return list(self.__dict__.get(name, {}).values())


class _Loading:
    """One run of `load_state_dict` over a tree of modules, and what it has found amiss."""

    def __init__(self, state_dict: Mapping[str, Any], assign: bool) -> None:
        self.metadata = getattr(state_dict, "_metadata", None)
        entries: Any = OrderedDict(state_dict)
        if self.metadata is not None:
            entries._metadata = self.metadata
        self.entries = entries
        self.assign = assign
        self.missing: list[str] = []
        self.unexpected: list[str] = []
        self.errors: list[str] = []

    def fill(self, module: Module, entries: Any, prefix: str) -> None:
        """Fill `module` and all below it from the entries whose names begin with `prefix`."""
        local_metadata = {} if self.metadata is None else dict(self.metadata.get(prefix[:-1], {}))
        if self.assign:
            local_metadata["assign_to_params_buffers"] = True
        report = self.missing, self.unexpected, self.errors
        module._load_from_state_dict(entries, prefix, local_metadata, True, *report)
        for name, child in module._modules.items():
            if child is not None:
                below = f"{prefix}{name}."
                chosen = {key: entries[key] for key in entries if key.startswith(below)}
                self.fill(child, chosen, below)
        for hook in module._table("_load_state_dict_post_hooks"):
            if hook(module, _IncompatibleKeys(self.missing, self.unexpected)) is not None:
                raise AssertionError(
                    "a load_state_dict post-hook must return None; it can change the lists of its argument in place"
                )

    def refuse_differing_names(self) -> None:
        """Put names on one side only in front of the other errors."""
        for kind, names in (("unexpected", self.unexpected), ("missing", self.missing)):
            if names:
                self.errors.insert(0, f"{kind}: " + ", ".join(map(repr, names)))


def _overrides(module: StateDict, method: str) -> bool:
    return getattr(type(module), method) is not getattr(StateDict, method)
