"""Turning an optimizer's state into a dictionary of numbered parameters, and back."""

from __future__ import annotations

from collections import defaultdict
from copy import deepcopy

from rgrad._rgrad import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rgrad.optim.optimizer import Optimizer

__all__ = ["load_state", "saved_state"]


def saved_state(optimizer: Optimizer) -> dict[str, Any]:
    """The state and the groups of `optimizer`, with numbers in place of parameters."""
    numbers: dict[Tensor, int] = {}
    groups = []
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            numbers.setdefault(parameter, len(numbers))
        packed = {option: value for option, value in group.items() if option != "params"}
        packed["params"] = [numbers[parameter] for parameter in group["params"]]
        groups.append(packed)
    state: dict[Any, Any] = {}
    for key, remembered in optimizer.state.items():
        state[numbers[key] if isinstance(key, Tensor) else key] = remembered
    return {"state": state, "param_groups": groups}


def load_state(optimizer: Optimizer, state_dict: dict[str, Any]) -> None:
    """Give `optimizer` the groups and the state saved in `state_dict`.

    Raises:
        ValueError: the number of groups, or of parameters in one, is not the same.
    """
    groups = optimizer.param_groups
    saved_groups = deepcopy(state_dict["param_groups"])
    if len(saved_groups) != len(groups):
        raise ValueError(f"{len(saved_groups)} groups were saved, but there are {len(groups)}")
    parameters: dict[Any, Tensor] = {}
    groups_of: dict[Any, dict[str, Any]] = {}
    for group, saved in zip(groups, saved_groups):
        if len(saved["params"]) != len(group["params"]):
            raise ValueError(
                f"a group was saved with {len(saved['params'])} parameters, but has {len(group['params'])}"
            )
        for number, parameter in zip(saved["params"], group["params"]):
            parameters[number] = parameter
            groups_of[number] = saved
        saved["params"] = group["params"]
        if "param_names" in group and "param_names" not in saved:
            saved["param_names"] = group["param_names"]
    state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
    for key, remembered in state_dict["state"].items():
        if key in parameters:
            state[parameters[key]] = _fitted(parameters[key], groups_of[key], remembered)
        else:
            state[key] = remembered
    optimizer.__setstate__({"state": state, "param_groups": saved_groups})


def _fitted(parameter: Tensor, group: dict[str, Any], value: Any, name: object = None) -> Any:
    """`value` with its tensors converted to suit the state of `parameter`."""
    if isinstance(value, Tensor):
        if name == "step" and not (group.get("capturable") or group.get("fused")):
            # The count of steps has a dtype of its own; see `Adam`.
            return value
        if name == "step":
            return value.float()
        return value.to(parameter.dtype) if parameter.is_floating_point() else value
    if isinstance(value, dict):
        return {key: _fitted(parameter, group, entry, key) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)([_fitted(parameter, group, entry) for entry in value])
    return value
