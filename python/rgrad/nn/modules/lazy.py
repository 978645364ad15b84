"""Modules that learn the shapes of their parameters from the first input they are called with."""

from __future__ import annotations

import warnings

from rgrad._rgrad import Tensor
from rgrad.nn.parameter import is_lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rgrad.utils.hooks import RemovableHandle

    class _Lazy:
        """What the mixin relies on in the module it is mixed into."""

        _parameters: dict[str, Any]
        _buffers: dict[str, Any]

        def __init__(self, *args: Any, **kwargs: Any) -> None: ...

        def register_forward_pre_hook(
            self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
        ) -> RemovableHandle: ...

        def register_load_state_dict_pre_hook(self, hook: Callable[..., None]) -> RemovableHandle: ...

        def _own_state(self) -> dict[str, Any]: ...

        def _forget_empty_tables(self) -> None: ...
else:
    _Lazy = object

__all__ = ["LazyModuleMixin"]


class LazyModuleMixin(_Lazy):
    """Put before a module class, lets its parameters begin as `UninitializedParameter`s.

    The first call hands its arguments to `initialize_parameters`, which subclasses define to materialize them; from
    then on the module is a `cls_to_become`. Loading a state materializes them too.
    """

    cls_to_become: type[Any] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._load_hook = self.register_load_state_dict_pre_hook(_materialize_as_saved)
        self._initialize_hook = self.register_forward_pre_hook(_initialize_by_input, with_kwargs=True)
        warnings.warn(
            "a lazy module has no parameters before its first call: apply dry runs before handing them to an optimizer",
            stacklevel=2,
        )

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Materialize the parameters for the arguments of the first call; for subclasses to define.

        Raises:
            NotImplementedError: not defined.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define initialize_parameters()")

    def has_uninitialized_params(self) -> bool:
        """Whether a parameter or buffer of this module has no shape yet."""
        return any(is_lazy(held) for held in (*self._parameters.values(), *self._buffers.values()))

    def _infer_parameters(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any] | None = None) -> None:
        """Materialize the parameters for one call and become an ordinary module.

        Raises:
            RuntimeError: a parameter is uninitialized still.
        """
        module.initialize_parameters(*args, **(kwargs or {}))
        if module.has_uninitialized_params():
            raise RuntimeError(f"{type(module).__name__}: initialize_parameters() has left parameters uninitialized")
        module._initialize_hook.remove()
        module._load_hook.remove()
        del module._initialize_hook, module._load_hook
        module._forget_empty_tables()
        if module.cls_to_become is not None:
            module.__class__ = module.cls_to_become

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        """As other modules; what is uninitialized is saved as it is."""
        for name, held in self._own_state().items():
            if held is not None:
                destination[prefix + name] = held if keep_vars or is_lazy(held) else held.detach()


def _initialize_by_input(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    module._infer_parameters(module, args, kwargs)


def _materialize_as_saved(module: Any, state_dict: Any, prefix: str, *others: Any) -> None:
    """Give each uninitialized tensor the shape of the one that is about to be loaded into it."""
    for name, held in module._own_state().items():
        saved = state_dict.get(prefix + name)
        if is_lazy(held) and isinstance(saved, Tensor) and not is_lazy(saved):
            held.materialize(saved.shape)
