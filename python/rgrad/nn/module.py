"""`Module`, the base class of everything with parameters."""

from __future__ import annotations

from rgrad.nn.call import call_with_hooks
from rgrad.nn.state import StateDict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Module"]


class Module(StateDict):
    """A function with parameters, buffers and submodules, which it registers on assignment.

    Subclasses call `super().__init__()` first, assign what they hold to attributes and define
    `forward`; they are used by calling them, which runs the hooks around `forward`.

    Attributes:
        training: whether the module is in training mode, as set by `train` and `eval`.
        call_super_init: set by a class that has another base whose `__init__` is to be given the
            arguments of this one.
    """

    call_super_init: bool = False
    dump_patches: bool = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not self.call_super_init and (args or kwargs):
            surplus = ", ".join([*map(repr, args), *kwargs])
            raise TypeError(f"{type(self).__name__}: Module.__init__() takes no arguments: {surplus}")
        self._prepare_members()
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    def forward(self, *input: Any, **kwargs: Any) -> Any:
        """What calling the module computes; for subclasses to define.

        Raises:
            NotImplementedError: not defined.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define forward()")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._hooked:
            return call_with_hooks(self, args, kwargs)
        return self.forward(*args, **kwargs)

    _call_impl = __call__

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Taken for compatibility: there is nothing to compile."""

    def extra_repr(self) -> str:
        """What `repr` shows of the module itself; for subclasses to override."""
        return ""

    def _get_name(self) -> str:
        return type(self).__name__

    def __repr__(self) -> str:
        own = self.extra_repr()
        lines = own.split("\n") if own else []
        children = [f"({name}): {_indented(module)}" for name, module in self._modules.items()]
        if not children and len(lines) <= 1:
            return f"{self._get_name()}({own})"
        return "\n  ".join([f"{self._get_name()}(", *lines, *children]) + "\n)"

    def __dir__(self) -> list[str]:
        names = {*dir(type(self)), *self.__dict__}
        names.update(self._parameters, self._buffers, self._modules)
        return sorted(name for name in names if not name[0].isdigit())


def _indented(module: Module | None) -> str:
    return repr(module).replace("\n", "\n  ")
