"""Parameters that are functions of others: they can be read as before, and writing inverts the function."""

from __future__ import annotations

import collections
import copy
from contextlib import contextmanager

import rgrad
from rgrad._rgrad import Tensor
from rgrad.nn.module import Module
from rgrad.nn.modules.container import ModuleDict, ModuleList
from rgrad.nn.parameter import Parameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

__all__ = [
    "ParametrizationList",
    "cached",
    "is_parametrized",
    "register_parametrization",
    "remove_parametrizations",
    "transfer_parametrizations_and_params",
    "type_before_parametrizations",
]

#: How many blocks `with cached():` are open, and what has been computed in them.
_cache_enabled = 0
_cache: dict[tuple[int, str], Tensor | None] = {}


@contextmanager
def cached() -> Iterator[None]:
    """Within the block each parametrized tensor is computed only once."""
    global _cache, _cache_enabled
    _cache_enabled += 1
    try:
        yield
    finally:
        _cache_enabled -= 1
        if not _cache_enabled:
            _cache = {}


class ParametrizationList(ModuleList):
    """The functions that make one tensor, applied one after the other, and what the first one starts from.

    Called, it gives the tensor; what it starts from is its parameter or buffer `original`, or `original0`,
    `original1` and so on if the inverse of the first function gives several tensors.

    Args:
        modules: the functions.
        original: the tensor as it was.
        unsafe: whether dtype, shape and inverse are taken on trust.

    Raises:
        ValueError: there is no function, the inverse gives neither tensors nor a sequence of them, or dtype or shape
            of the result differ from those of `original`.
    """

    original: Tensor
    unsafe: bool

    def __init__(self, modules: Sequence[Module], original: Tensor, unsafe: bool = False) -> None:
        if not modules:
            raise ValueError("ParametrizationList: at least one parametrization is needed")
        super().__init__(modules)
        self.unsafe = unsafe
        before = original.shape, original.dtype
        start: Any = original
        with rgrad.no_grad():
            for module in reversed(list(self)):
                if hasattr(module, "right_inverse"):
                    try:
                        start = module.right_inverse(start)
                    except NotImplementedError:
                        pass
        if not isinstance(start, (Tensor, collections.abc.Sequence)):
            raise ValueError(
                f"right_inverse has to return a Tensor or a sequence of them, not a {type(start).__name__}"
            )
        self.is_tensor = isinstance(start, Tensor)
        self.ntensors = 1 if self.is_tensor else len(start)
        made: Any
        if isinstance(start, Tensor):
            if original.dtype != start.dtype:
                raise ValueError(
                    "right_inverse has to keep the dtype if it returns one tensor: "
                    f"the parameter is of {original.dtype}, the result of {start.dtype}"
                )
            # The parameter stays the same object, so that optimizers which know it go on with it.
            with rgrad.no_grad():
                original.data = start.detach()
            _register_parameter_or_buffer(self, "original", original)
        else:
            for position, part in enumerate(start):
                if not isinstance(part, Tensor):
                    raise ValueError(
                        f"right_inverse has to return tensors, but entry {position} is a {type(part).__name__}"
                    )
                if isinstance(original, Parameter):
                    part = Parameter(part, original.requires_grad and part.is_floating_point())
                else:
                    part = part.requires_grad_(original.requires_grad)
                _register_parameter_or_buffer(self, f"original{position}", part)
        if not self.unsafe:
            made = self()
            if not isinstance(made, Tensor):
                raise ValueError(f"a parametrization has to return a Tensor, not a {type(made).__name__}")
            _require_same("dtype", made.dtype, before[1])
            _require_same("shape", tuple(made.shape), tuple(before[0]))

    def _originals(self) -> list[Tensor]:
        if self.is_tensor:
            return [self.original]
        return [getattr(self, f"original{position}") for position in range(self.ntensors)]

    def right_inverse(self, value: Tensor) -> None:
        """Set what the first function starts from such that the tensor becomes `value`.

        Raises:
            RuntimeError: a function has no `right_inverse`.
            ValueError: what it gives differs in kind, number, dtype or shape from what there is.
        """
        with rgrad.no_grad():
            start: Any = value
            for module in reversed(list(self)):
                if not hasattr(module, "right_inverse"):
                    raise RuntimeError(
                        f"{type(module).__name__} has no right_inverse: the parametrized tensor cannot be written"
                    )
                start = module.right_inverse(start)
            if self.is_tensor:
                if not isinstance(start, Tensor):
                    raise ValueError(f"right_inverse has to return a Tensor, not a {type(start).__name__}")
                parts = [start]
            else:
                if not isinstance(start, collections.abc.Sequence) or len(start) != self.ntensors:
                    raise ValueError(f"right_inverse has to return {self.ntensors} tensors, not {start!r}")
                parts = list(start)
            for original, part in zip(self._originals(), parts):
                _require_same("dtype", part.dtype, original.dtype)
                original.data = part.detach().clone() if part is value else part.detach()

    def forward(self) -> Tensor:
        first, *others = list(self)
        made: Tensor = first(*self._originals())
        for module in others:
            made = module(made)
        return made


def _require_same(what: str, made: Any, wanted: Any) -> None:
    if made != wanted:
        raise ValueError(
            f"a parametrization may change the {what} only with unsafe=True: it was {wanted} and would become {made}"
        )


def _register_parameter_or_buffer(module: Module, name: str, tensor: Tensor) -> None:
    if isinstance(tensor, Parameter):
        module.register_parameter(name, tensor)
    else:
        module.register_buffer(name, tensor)


def _inject_new_class(module: Any) -> None:
    """Give the module a class of its own, on which the parametrized names can be properties."""
    cls = type(module)

    def default_deepcopy(self: Any, memo: dict[int, Any]) -> Any:
        copied = memo.get(id(self))
        if copied is None:
            copied = self.__new__(type(self))
            memo[id(self)] = copied
            copied.__dict__ = copy.deepcopy(self.__dict__, memo)
        return copied

    def getstate(self: Any) -> Any:
        raise RuntimeError(
            "a parametrized module cannot be pickled, because its class is made at runtime: save its state_dict"
        )

    attributes: dict[str, Any] = {"__getstate__": getstate}
    if not hasattr(cls, "__deepcopy__"):
        attributes["__deepcopy__"] = default_deepcopy
    module.__class__ = type(f"Parametrized{cls.__name__}", (cls,), attributes)


def _inject_property(module: Any, tensor_name: str) -> None:
    """Let the name be computed when it is read and inverted when it is written."""

    def get(self: Any) -> Tensor:
        parametrization: Any = self.parametrizations[tensor_name]
        if not _cache_enabled:
            return parametrization()  # type: ignore[no-any-return]
        key = (id(self), tensor_name)
        made = _cache.get(key)
        if made is None:
            made = _cache[key] = parametrization()
        return made

    def set(self: Any, value: Tensor) -> None:
        self.parametrizations[tensor_name].right_inverse(value)

    setattr(type(module), tensor_name, property(get, set))


def register_parametrization(module: Any, tensor_name: str, parametrization: Module, *, unsafe: bool = False) -> Any:
    """Let the parameter or buffer `tensor_name` be what `parametrization` makes of it.

    Registered several times, the functions follow each other. If the first function has a `right_inverse`, the value
    that there is goes through it; if all have one, the parameter can be assigned to.

    Args:
        module: the module, which is given back.
        tensor_name: its parameter or buffer.
        parametrization: a module that makes a tensor of one.
        unsafe: whether the function may change dtype and shape.

    Raises:
        ValueError: there is no such parameter or buffer, or dtype or shape change without `unsafe`.
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        if not unsafe:
            _check_another(module, tensor_name, parametrization)
        chain: Any = module.parametrizations[tensor_name]
        chain.append(parametrization)
        chain.unsafe |= unsafe
    elif tensor_name in module._buffers or tensor_name in module._parameters:
        original = getattr(module, tensor_name)
        chain = ParametrizationList([parametrization], original, unsafe=unsafe)
        delattr(module, tensor_name)
        if not is_parametrized(module):
            _inject_new_class(module)
            module.parametrizations = ModuleDict()
        _inject_property(module, tensor_name)
        module.parametrizations[tensor_name] = chain
    else:
        raise ValueError(f"{type(module).__name__} has neither a parameter nor a buffer {tensor_name!r}")
    return module


def _check_another(module: Any, tensor_name: str, parametrization: Any) -> None:
    """Raise `ValueError` unless one more function keeps dtype and shape, and its inverse does."""
    value = getattr(module, tensor_name)
    with rgrad.no_grad():
        made = parametrization(value)
        if not isinstance(made, Tensor):
            raise ValueError(f"a parametrization has to return a Tensor, not a {type(made).__name__}")
        _require_same("dtype", made.dtype, value.dtype)
        _require_same("shape", tuple(made.shape), tuple(value.shape))
        if hasattr(parametrization, "right_inverse"):
            inverse = parametrization.right_inverse(made)
            if not isinstance(inverse, Tensor):
                raise ValueError(
                    f"right_inverse of all but the first parametrization has to return a Tensor, not a "
                    f"{type(inverse).__name__}"
                )
            _require_same("dtype", inverse.dtype, value.dtype)
            _require_same("shape", tuple(inverse.shape), tuple(value.shape))


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether that tensor of the module, or any if `None`, is parametrized."""
    parametrizations = getattr(module, "parametrizations", None)
    if not isinstance(parametrizations, ModuleDict):
        return False
    return len(parametrizations) > 0 if tensor_name is None else tensor_name in parametrizations


def remove_parametrizations(module: Any, tensor_name: str, leave_parametrized: bool = True) -> Any:
    """Let the tensor be an ordinary parameter or buffer again.

    Args:
        module: the module, which is given back.
        tensor_name: its tensor.
        leave_parametrized: whether it keeps the value that was computed, rather than that it was computed from.

    Raises:
        ValueError: it is not parametrized, or was computed from several tensors, which cannot be left.
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"{tensor_name!r} of {type(module).__name__} is not parametrized")
    chain: Any = module.parametrizations[tensor_name]
    if chain.is_tensor:
        original = chain.original
        if leave_parametrized:
            with rgrad.no_grad():
                # The same object again, so that optimizers which know it go on with it.
                original.data = getattr(module, tensor_name).detach()
    elif leave_parametrized:
        value = getattr(module, tensor_name)
        original = Parameter(value.detach()) if value.requires_grad else value
    else:
        raise ValueError(
            "with leave_parametrized=False a tensor can be restored only if it was computed from one tensor"
        )
    delattr(type(module), tensor_name)
    del module.parametrizations[tensor_name]
    _register_parameter_or_buffer(module, tensor_name, original)
    if not is_parametrized(module):
        delattr(module, "parametrizations")
        module.__class__ = type(module).__bases__[0]
    return module


def type_before_parametrizations(module: Module) -> type:
    """The class of the module as it was before tensors were parametrized."""
    return type(module).__bases__[0] if is_parametrized(module) else type(module)


def transfer_parametrizations_and_params(from_module: Any, to_module: Any, tensor_name: str | None = None) -> Any:
    """Let the tensors of `to_module`, which is given back, be computed as those of `from_module` are, from copies.

    Args:
        from_module: the parametrized module.
        to_module: the other one.
        tensor_name: the one tensor, or all that are parametrized if `None`.
    """
    if is_parametrized(from_module):
        if tensor_name is not None and tensor_name not in from_module.parametrizations:
            raise AssertionError(f"{tensor_name!r} of {type(from_module).__name__} is not parametrized")
        names = list(from_module.parametrizations) if tensor_name is None else [tensor_name]
        for name in names:
            if not hasattr(to_module, name):
                setattr(to_module, name, Parameter(getattr(from_module, name)))
            for parametrization in from_module.parametrizations[name]:
                register_parametrization(to_module, name, parametrization)
            source, target = from_module.parametrizations[name], to_module.parametrizations[name]
            for key in source._parameters:
                setattr(target, key, Parameter(source._parameters[key]))
    return to_module
