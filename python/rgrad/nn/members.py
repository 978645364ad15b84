"""What a module holds: its parameters, buffers and submodules, and how attributes reach them."""

from __future__ import annotations

from collections import OrderedDict
from weakref import ref

from rgrad._rgrad import Tensor
from rgrad.nn.parameter import Buffer, Parameter
from rgrad.nn.registration import BUFFER_HOOKS, MODULE_HOOKS, PARAMETER_HOOKS, announce
from rgrad.nn.registry import REGISTRIES, Registry, is_registry_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rgrad.nn.module import Module

__all__ = ["Members"]


class Members:
    """The part of `Module` that registers what is assigned to it and finds it again."""

    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _non_persistent_buffers_set: set[str]
    _modules: dict[str, Module | None]

    def _prepare_members(self) -> None:
        """Give a new module its empty registries."""
        owner = ref(self)
        attributes = self.__dict__
        attributes["training"] = True
        attributes["_parameters"] = Registry(owner)
        attributes["_buffers"] = Registry(owner)
        attributes["_non_persistent_buffers_set"] = set()
        attributes["_modules"] = Registry(owner)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Register `param` as the attribute `name`; `None` reserves the name.

        Raises:
            AttributeError: `Module.__init__` has not run.
            TypeError: `name` is not a string, or `param` is neither a `Parameter` nor `None`.
            KeyError: `name` is empty, contains a dot or names an attribute that exists.
            ValueError: `param` was computed from other tensors.
        """
        if "_parameters" not in self.__dict__:
            raise AttributeError("call Module.__init__() before registering a parameter")
        self._check_name("parameter", name, "_parameters")
        if param is None:
            # Of a parameter that is missing no hook is told, unlike of other entries.
            self._enter("_parameters", name, None)
            return
        if not isinstance(param, Parameter):
            raise TypeError(f"parameter {name!r} must be a Parameter or None, not {type(param).__name__}")
        if param.grad_fn is not None:
            raise ValueError(
                f"parameter {name!r} must be a leaf, but it was computed from other tensors; "
                "compute it in forward() instead"
            )
        self._enter("_parameters", name, announce(PARAMETER_HOOKS, self, name, param))

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Register `tensor`, which is no parameter, as the attribute `name`.

        Args:
            name: the attribute.
            tensor: its value; `None` is kept but not saved.
            persistent: whether `state_dict` includes it.

        Raises:
            AttributeError: `Module.__init__` has not run.
            TypeError: `name` is not a string, or `tensor` is neither a tensor nor `None`.
            KeyError: `name` is empty, contains a dot or names an attribute that exists.
        """
        if "_buffers" not in self.__dict__:
            raise AttributeError("call Module.__init__() before registering a buffer")
        self._check_name("buffer", name, "_buffers")
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(f"buffer {name!r} must be a Tensor or None, not {type(tensor).__name__}")
        self._enter("_buffers", name, announce(BUFFER_HOOKS, self, name, tensor))
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Register `module` as the submodule `name`; `None` reserves the name.

        Raises:
            TypeError: `module` is neither a `Module` nor `None`, or `name` is not a string.
            KeyError: `name` is empty, contains a dot or names an attribute that exists.
        """
        if module is not None and not isinstance(module, Members):
            raise TypeError(f"{type(module).__name__} is not a Module")
        self._check_name("module", name, "_modules")
        self._enter("_modules", name, announce(MODULE_HOOKS, self, name, module))

    def register_module(self, name: str, module: Module | None) -> None:
        """Another name of `add_module`."""
        self.add_module(name, module)

    def _check_name(self, kind: str, name: str, registry: str) -> None:
        """Raise unless `name` may be registered: free, or already an entry of that registry."""
        if not isinstance(name, str):
            raise TypeError(f"a {kind} name must be a string, not {type(name).__name__}")
        if hasattr(self, name) and name not in getattr(self, registry):
            raise KeyError(f"{name!r} is already an attribute of this {type(self).__name__}")
        if "." in name:
            raise KeyError(f"a {kind} name must not contain a dot, as {name!r} does")
        if name == "":
            raise KeyError(f"a {kind} name must not be empty")

    def __getattr__(self, name: str) -> Any:
        """Find a registered entry that ordinary look-up has missed."""
        attributes = self.__dict__
        for registry in REGISTRIES:
            entries = attributes.get(registry)
            if entries is not None and name in entries:
                return entries[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        attributes = self.__dict__
        is_tensor = isinstance(value, Tensor)
        if is_tensor and isinstance(value, Parameter):
            self._claim("_parameters", name)
            self.register_parameter(name, value)
        elif name in attributes.get("_parameters", ()):
            _require_none("parameter", name, value)
            self.register_parameter(name, None)
        elif isinstance(value, Members):
            self._claim("_modules", name)
            self._enter("_modules", name, announce(MODULE_HOOKS, self, name, value))
        elif name in attributes.get("_modules", ()):
            _require_none("module", name, value)
            self._enter("_modules", name, announce(MODULE_HOOKS, self, name, None))
        elif is_tensor and isinstance(value, Buffer):
            self._claim("_buffers", name)
            self.register_buffer(name, value, value.persistent)
        elif name in attributes.get("_buffers", ()):
            if not is_tensor:
                _require_none("buffer", name, value)
            self._enter("_buffers", name, announce(BUFFER_HOOKS, self, name, value))
        elif name in REGISTRIES:
            self._replace_registry(name, value)
        else:
            object.__setattr__(self, name, value)
            if name == "__dict__":
                self._own_registries()

    def __delattr__(self, name: str) -> None:
        for registry in REGISTRIES:
            entries = self.__dict__.get(registry, ())
            if name in entries:
                del entries[name]
                self.__dict__.pop(name, None)
                self._non_persistent_buffers_set.discard(name)
                return
        object.__delattr__(self, name)

    def _claim(self, registry: str, name: str) -> None:
        """Forget whatever else `name` was, before an entry of `registry` takes it."""
        attributes = self.__dict__
        if registry not in attributes:
            raise AttributeError(f"call Module.__init__() before assigning {name!r}: only then can it be registered")
        if name in attributes[registry]:
            return
        attributes.pop(name, None)
        for other in REGISTRIES:
            if other != registry:
                attributes[other].pop(name, None)
        attributes["_non_persistent_buffers_set"].discard(name)

    def _enter(self, registry: str, name: str, value: Any) -> None:
        """Write an entry into a registry that may have been put there by other code."""
        entries = self.__dict__[registry]
        entries[name] = value
        if not is_registry_of(entries, self):
            self.__dict__.pop(name, None)

    def _replace_registry(self, registry: str, entries: Any) -> None:
        attributes = self.__dict__
        for name, value in attributes.get(registry, {}).items():
            if attributes.get(name) is value:
                attributes.pop(name, None)
        # A mapping with look-ups of its own stays what it is, and is read by `__getattr__`.
        if isinstance(entries, Registry) or type(entries) in (dict, OrderedDict):
            entries = Registry(ref(self), entries)
        attributes[registry] = entries

    def _own_registries(self) -> None:
        """Make registries of this module out of those that came with copied attributes."""
        for registry in REGISTRIES:
            if registry in self.__dict__:
                self._replace_registry(registry, self.__dict__[registry])

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over the attributes of a copied or unpickled module."""
        self.__dict__.update(state)
        self._own_registries()


def _require_none(kind: str, name: str, value: object) -> None:
    if value is not None:
        wanted = {"parameter": "Parameter", "module": "Module", "buffer": "Tensor"}[kind]
        raise TypeError(f"{kind} {name!r} must be a {wanted} or None, not {type(value).__name__}")
