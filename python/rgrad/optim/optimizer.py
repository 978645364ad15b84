"""`Optimizer`, the base class of all optimizers: its groups of parameters, its steps, its hooks."""

from __future__ import annotations

import warnings
from collections import OrderedDict, defaultdict
from typing import TypeAlias

import rgrad
from rgrad._rgrad import Tensor
from rgrad.nn.conversion import clear_gradient
from rgrad.optim.state import load_state, saved_state
from rgrad.utils.hooks import RemovableHandle, register

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    Table = OrderedDict[int, Callable[..., Any]]

__all__ = [
    "Optimizer",
    "ParamsT",
    "register_optimizer_step_post_hook",
    "register_optimizer_step_pre_hook",
]

_STEP_PRE_HOOKS: Table = OrderedDict()
_STEP_POST_HOOKS: Table = OrderedDict()

#: The tables of hooks that every optimizer has of its own.
_TABLES = (
    "_optimizer_step_pre_hooks",
    "_optimizer_step_post_hooks",
    "_optimizer_state_dict_pre_hooks",
    "_optimizer_state_dict_post_hooks",
    "_optimizer_load_state_dict_pre_hooks",
    "_optimizer_load_state_dict_post_hooks",
)


#: What an optimizer is made for: parameters, by name or not, or groups of them.
ParamsT: TypeAlias = "Iterable[Tensor] | Iterable[dict[str, Any]] | Iterable[tuple[str, Tensor]]"


class _Required:
    """Stands for a default that every group has to give."""

    def __repr__(self) -> str:
        return "<required parameter>"


required = _Required()


def register_optimizer_step_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call `hook(optimizer, args, kwargs)` before every step of every optimizer."""
    return register(_STEP_PRE_HOOKS, hook)


def register_optimizer_step_post_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call `hook(optimizer, args, kwargs)` after every step of every optimizer."""
    return register(_STEP_POST_HOOKS, hook)


class Optimizer:
    """Updates parameters by their gradients; subclasses define `step`.

    Args:
        params: the parameters; or pairs of names and parameters; or groups, dictionaries with
            parameters of either form at `"params"` and options of their own beside it.
        defaults: the options of a group that does not give them.

    Attributes:
        defaults: those options.
        param_groups: the groups, dictionaries with all options and the list `"params"`.
        state: for each parameter a dictionary of what the optimizer remembers of it.

    Raises:
        TypeError: `params` is a tensor, a group's parameters are a set, or one is not a tensor.
        ValueError: there is no parameter, one is not a leaf or is in two groups, or only some of
            them are named.
    """

    _optimizer_step_pre_hooks: Table
    _optimizer_step_post_hooks: Table
    _optimizer_state_dict_pre_hooks: Table
    _optimizer_state_dict_post_hooks: Table
    _optimizer_load_state_dict_pre_hooks: Table
    _optimizer_load_state_dict_post_hooks: Table

    #: Whether a step has been taken; learning-rate schedulers warn if they come first.
    _opt_called = False

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self._prepare_hooks()
        if isinstance(params, Tensor):
            raise TypeError("an optimizer needs an iterable of parameters or groups, not one tensor")
        self.state: defaultdict[Tensor, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        entries = list(params)
        if not entries:
            raise ValueError("an optimizer needs at least one parameter")
        if not isinstance(entries[0], dict):
            entries = [{"params": entries}]
        for group in entries:
            self.add_param_group(group)

    def _prepare_hooks(self) -> None:
        for table in _TABLES:
            setattr(self, table, OrderedDict())
        # Wrapped where the class of an instance finds it: a `step` that calls the one it overrides
        # then runs the hooks once.
        step = type(self).step
        if not hasattr(step, "hooked"):
            type(self).step = _with_hooks(step)  # type: ignore[method-assign]

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update the parameters once.

        Args:
            closure: clears the gradients, computes them anew and returns the loss, which is then
                returned by `step` as well.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define step()")

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or fill them with zeros if not `set_to_none`."""
        for group in self.param_groups:
            for parameter in group["params"]:
                clear_gradient(parameter, set_to_none)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group: parameters at `"params"`, and options where the defaults do not hold.

        Raises:
            TypeError: `param_group` is not a dictionary, its parameters are a set, or one is not
                a tensor.
            ValueError: a parameter is not a leaf or belongs to a group already, an option without
                a default is missing, or only some of all parameters are named.
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"a group must be a dictionary, not {type(param_group).__name__}")
        _separate_names(param_group)
        for parameter in param_group["params"]:
            self._check_parameter(parameter)
        for option, default in self.defaults.items():
            if default is required and option not in param_group:
                raise ValueError(f"a group must give the option {option!r}, which has no default")
            param_group.setdefault(option, default)
        members = set(param_group["params"])
        if len(members) != len(param_group["params"]):
            warnings.warn("a parameter is in the same group twice", stacklevel=3)
        for group in self.param_groups:
            if ("param_names" in group) != ("param_names" in param_group):
                raise ValueError("either all groups of parameters are named or none")
            if not members.isdisjoint(group["params"]):
                raise ValueError("a parameter is in more than one group")
        self.param_groups.append(param_group)

    def _check_parameter(self, parameter: object) -> None:
        if not isinstance(parameter, Tensor):
            raise TypeError(f"only tensors can be optimized, not {type(parameter).__name__}")
        differentiable = self.defaults.get("differentiable", False)
        if not (differentiable or parameter.is_leaf or parameter.retains_grad):
            raise ValueError("a tensor computed from others cannot be optimized")

    def state_dict(self) -> dict[str, Any]:
        """The groups and what is remembered of each parameter, as `load_state_dict` takes them.

        Parameters are numbered in the order of their groups: `"param_groups"` lists the groups with
        numbers at `"params"`, `"state"` maps numbers to what is remembered.
        """
        for hook in list(self._optimizer_state_dict_pre_hooks.values()):
            hook(self)
        state_dict = saved_state(self)
        for hook in list(self._optimizer_state_dict_post_hooks.values()):
            returned = hook(self, state_dict)
            if returned is not None:
                state_dict = returned
        return state_dict

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over the options and the state of another optimizer of as many parameters.

        The tensors themselves are taken over, converted to the dtype of their parameter where that
        is another one.

        Raises:
            ValueError: the number of groups, or of parameters in one, is not the same.
        """
        state_dict = state_dict.copy()
        for hook in list(self._optimizer_load_state_dict_pre_hooks.values()):
            returned = hook(self, state_dict)
            if returned is not None:
                state_dict = returned
        load_state(self, state_dict)
        for hook in list(self._optimizer_load_state_dict_post_hooks.values()):
            hook(self)

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(optimizer, args, kwargs)` before every step.

        `args` begins with the optimizer itself. The hook may return a tuple of new arguments and
        keywords; the step raises `RuntimeError` if it returns anything else but `None`.
        """
        return register(self._optimizer_step_pre_hooks, hook)

    def register_step_post_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        """Call `hook(optimizer, args, kwargs)` after every step."""
        return register(self._optimizer_step_post_hooks, hook)

    def register_state_dict_pre_hook(self, hook: Callable[..., None], prepend: bool = False) -> RemovableHandle:
        """Call `hook(optimizer)` before `state_dict` reads anything."""
        return register(self._optimizer_state_dict_pre_hooks, hook, prepend=prepend)

    def register_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call `hook(optimizer, state_dict)` on the result, which it may change or replace."""
        return register(self._optimizer_state_dict_post_hooks, hook, prepend=prepend)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call `hook(optimizer, state_dict)` before loading; it may change or replace the copy."""
        return register(self._optimizer_load_state_dict_pre_hooks, hook, prepend=prepend)

    def register_load_state_dict_post_hook(self, hook: Callable[..., None], prepend: bool = False) -> RemovableHandle:
        """Call `hook(optimizer)` once a state has been loaded."""
        return register(self._optimizer_load_state_dict_post_hooks, hook, prepend=prepend)

    def __getstate__(self) -> dict[str, Any]:
        return {
            "defaults": self.defaults,
            "state": self.state,
            "param_groups": self.param_groups,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if "_optimizer_step_pre_hooks" not in self.__dict__:
            self._prepare_hooks()
        self.defaults.setdefault("differentiable", False)

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for number, group in enumerate(self.param_groups):
            lines += ["", f"Parameter Group {number}"] if number else ["Parameter Group 0"]
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
        return "\n".join([*lines, ")"])


def loss_of(closure: Callable[[], Any] | None) -> Any:
    """What `closure` returns, called with gradients recorded; `None` without one."""
    if closure is None:
        return None
    with rgrad.enable_grad():
        return closure()


def _with_hooks(step: Callable[..., Any]) -> Callable[..., Any]:
    """`step` with the hooks of all optimizers and then those of its own run around it."""

    def hooked_step(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
        self._opt_called = True
        if not (
            self._optimizer_step_pre_hooks or self._optimizer_step_post_hooks or _STEP_PRE_HOOKS or _STEP_POST_HOOKS
        ):
            return step(self, *args, **kwargs)
        arguments: tuple[Any, ...] = (self, *args)
        for hook in [*_STEP_PRE_HOOKS.values(), *self._optimizer_step_pre_hooks.values()]:
            returned = hook(self, arguments, kwargs)
            if returned is None:
                continue
            if not (isinstance(returned, tuple) and len(returned) == 2):
                raise RuntimeError(f"a step pre-hook must return None or a tuple of args and kwargs: {returned!r}")
            arguments, kwargs = returned
        result = step(*arguments, **kwargs)
        for hook in [*self._optimizer_step_post_hooks.values(), *_STEP_POST_HOOKS.values()]:
            hook(self, arguments, kwargs)
        return result

    hooked_step.__name__ = step.__name__
    hooked_step.__qualname__ = step.__qualname__
    hooked_step.__doc__ = step.__doc__
    hooked_step.hooked = True  # type: ignore[attr-defined]
    return hooked_step


def _separate_names(group: dict[str, Any]) -> None:
    """Make the parameters of a group a list, any names a list of their own at `"param_names"`.

    Raises:
        TypeError: the parameters are a set, which has no order to number them by.
        ValueError: some are named and some are not.
    """
    parameters = group["params"]
    if isinstance(parameters, Tensor):
        parameters = [parameters]
    elif isinstance(parameters, set):
        raise TypeError("the parameters of a group must be ordered, as in a list; a set is not")
    parameters = list(parameters)
    named = [isinstance(parameter, tuple) for parameter in parameters]
    if any(named):
        if not all(named):
            raise ValueError("either all parameters of a group are named or none")
        group["param_names"] = [name for name, _ in parameters]
        parameters = [parameter for _, parameter in parameters]
    group["params"] = parameters
