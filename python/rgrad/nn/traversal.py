"""Walking a tree of modules: listing and finding parameters, buffers and submodules."""

from __future__ import annotations

from rgrad.nn.hooks import Hooks
from rgrad.nn.parameter import Parameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from rgrad._rgrad import Tensor
    from rgrad.nn.module import Module

    Memo = set[Module]

__all__ = ["Traversal"]


class Traversal(Hooks):
    """The part of `Module` that lists what is registered in it and below it."""

    def children(self) -> Iterator[Module]:
        """The submodules registered on this module, each once."""
        for _, module in self.named_children():
            yield module

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The submodules registered on this module with their names, each once."""
        seen = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """This module and all below it, each before its own submodules."""
        for _, module in self.named_modules(remove_duplicate=remove_duplicate):
            yield module

    def named_modules(
        self, memo: Memo | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """This module and all below it with their dotted names, this one being `prefix`.

        Args:
            memo: modules to leave out, to which those listed are added.
            prefix: the name of this module, put before all others.
            remove_duplicate: whether a module reached by two names is listed by the first only.
        """
        seen: Memo = set() if memo is None else memo
        this: Any = self
        if this in seen:
            return
        if remove_duplicate:
            seen.add(this)
        yield prefix, this
        for name, module in self._modules.items():
            if module is not None:
                yield from module.named_modules(seen, _join(prefix, name), remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters of this module and, if `recurse`, of all below it, each once."""
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """The parameters with their dotted names.

        Args:
            prefix: put before every name.
            recurse: whether the modules below are included.
            remove_duplicate: whether a parameter of two names is listed by the first only.
        """
        return self._named_members(lambda module: module._parameters.items(), prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers of this module and, if `recurse`, of all below it, each once."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """The buffers with their dotted names; arguments as in `named_parameters`."""
        return self._named_members(lambda module: module._buffers.items(), prefix, recurse, remove_duplicate)

    def _named_members(
        self,
        get_members_fn: Callable[[Module], Iterable[tuple[str, Any]]],
        prefix: str = "",
        recurse: bool = True,
        remove_duplicate: bool = True,
    ) -> Iterator[tuple[str, Any]]:
        """What `get_members_fn` gives for each module, `None` left out, with dotted names."""
        seen = set()
        modules: Any = [(prefix, self)]
        if recurse:
            modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate)
        for module_name, module in modules:
            for name, member in get_members_fn(module):
                if member is None or member in seen:
                    continue
                if remove_duplicate:
                    seen.add(member)
                yield _join(module_name, name), member

    def get_submodule(self, target: str) -> Module:
        """The module of the dotted name `target`; this one if it is empty.

        Raises:
            AttributeError: a part of the name is missing or names something other than a module.
        """
        module: Any = self
        if target:
            for name in target.split("."):
                owner = module
                module = _attribute(owner, name)
                if not isinstance(module, Hooks):
                    raise AttributeError(f"{name!r} of {type(owner).__name__} is not a Module")
        found: Module = module
        return found

    def get_parameter(self, target: str) -> Parameter:
        """The parameter of the dotted name `target`.

        Raises:
            AttributeError: a part of the name is missing, or the last names no parameter.
        """
        path, _, name = target.rpartition(".")
        owner = self.get_submodule(path)
        parameter = _attribute(owner, name)
        if not isinstance(parameter, Parameter):
            raise AttributeError(f"{name!r} of {type(owner).__name__} is not a Parameter")
        return parameter

    def get_buffer(self, target: str) -> Tensor:
        """The buffer of the dotted name `target`.

        Raises:
            AttributeError: a part of the name is missing, or the last names no buffer.
        """
        path, _, name = target.rpartition(".")
        owner = self.get_submodule(path)
        buffer: Tensor = _attribute(owner, name)
        if name not in owner._buffers:
            raise AttributeError(f"{name!r} of {type(owner).__name__} is not a buffer")
        return buffer

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put `module` at the dotted name `target`.

        Args:
            target: where to put it; all but the last part must exist.
            module: the module to put there.
            strict: whether the last part must exist too, and be a module.

        Raises:
            ValueError: `target` is empty or `module` is not a module.
            AttributeError: a part that must exist does not, or is not a module.
        """
        if target == "":
            raise ValueError("the empty name is this module itself, which cannot be replaced")
        if not isinstance(module, Hooks):
            raise ValueError(f"the replacement must be a Module, not {type(module).__name__}")
        path, _, name = target.rpartition(".")
        owner = self.get_submodule(path)
        if strict or hasattr(owner, name):
            owner.get_submodule(name)
        setattr(owner, name, module)


def _join(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name


def _attribute(owner: object, name: str) -> Any:
    if not hasattr(owner, name):
        raise AttributeError(f"{type(owner).__name__} has no attribute {name!r}")
    return getattr(owner, name)
