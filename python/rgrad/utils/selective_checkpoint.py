"""Checkpoints that keep some tensors instead of computing them again.

Which operation has made a tensor is known when another operation saves it for backward, and this is when a policy is
asked. Hence it decides about tensors that are saved, not about every call of an operation; it does not get the
operation's arguments; and an operation whose result is kept is still called when the function is run again for the sake
of other tensors, as long as those come later.
"""

from __future__ import annotations

import threading
from contextlib import nullcontext
from enum import Enum

from .. import _rgrad

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from typing import Any

    from .._rgrad import Tensor

__all__ = ["CheckpointPolicy", "SelectiveCheckpointContext", "create_selective_checkpoint_contexts"]


class CheckpointPolicy(Enum):
    """What becomes of the result of an operation: it is kept for backward, or computed again.

    MUST and PREFER are the same here, and what is offloaded to the CPU is kept, as it is there already.
    """

    MUST_SAVE = 0
    PREFER_SAVE = 1
    MUST_RECOMPUTE = 2
    PREFER_RECOMPUTE = 3
    MUST_CPU_OFFLOAD = 4
    PREFER_CPU_OFFLOAD = 5


_KEEPING = frozenset(CheckpointPolicy) - {CheckpointPolicy.MUST_RECOMPUTE, CheckpointPolicy.PREFER_RECOMPUTE}


class SelectiveCheckpointContext:
    """What a policy is told besides the operation: its result. `is_recompute` is always False."""

    def __init__(self, *, is_recompute: bool, op_output: Tensor | None = None) -> None:
        self.is_recompute = is_recompute
        self.op_output = op_output


def create_selective_checkpoint_contexts(
    policy_fn_or_list: Callable[..., Any] | list[Any], allow_cache_entry_mutation: bool = False
) -> tuple[AbstractContextManager[Any], AbstractContextManager[Any]]:
    """The two contexts for `checkpoint`'s `context_fn`, of a checkpoint that keeps the results of some operations.

    Args:
        policy_fn_or_list: operations like `rgrad.mm`, whose results are kept; or a function that gets a
            `SelectiveCheckpointContext` and an operation, and returns a `CheckpointPolicy` (or a bool: whether the
            result is kept).
        allow_cache_entry_mutation: whether kept tensors may be changed in place. Otherwise it is a RuntimeError in
            backward if one was.

    Raises:
        ValueError: something in the list is no operation that is recorded under its own name.
        TypeError: what was given is neither a list nor a function.
    """
    if isinstance(policy_fn_or_list, list):
        recorded = _operations_by_node().values()
        for one in policy_fn_or_list:
            if not any(one is operation for operation in recorded):
                raise ValueError(
                    f"create_selective_checkpoint_contexts(): {one!r} is no operation with a node of its own, like "
                    "rgrad.mm"
                )

        def policy(context: SelectiveCheckpointContext, operation: Any) -> bool:
            return any(one is operation for one in policy_fn_or_list)

    elif callable(policy_fn_or_list):
        policy = policy_fn_or_list
    else:
        raise TypeError(
            "create_selective_checkpoint_contexts(): a list of operations or a function is expected, got "
            f"{type(policy_fn_or_list).__name__}"
        )
    return _Selecting(policy, allow_cache_entry_mutation), nullcontext()


class _Selecting:
    """A context in which a policy decides what is kept."""

    def __init__(self, policy: Callable[..., Any], mutable: bool) -> None:
        self.policy = policy
        self.mutable = mutable
        self._outer: _Selecting | None = None

    def __enter__(self) -> None:
        self._outer, _current.selecting = _current.selecting, self

    def __exit__(self, *failure: object) -> None:
        _current.selecting = self._outer


class _Current(threading.local):
    selecting: _Selecting | None = None


_current = _Current()


class Kept:
    """A tensor that is kept, without its history, and the version that it had."""

    def __init__(self, tensor: Tensor, mutable: bool) -> None:
        self._tensor = tensor.detach()
        self._version = None if mutable else tensor._version

    def tensor(self) -> Tensor:
        if self._version is not None and self._tensor._version != self._version:
            raise RuntimeError("a tensor that was kept by a selective checkpoint has been changed in place")
        return self._tensor


def keep(tensor: Tensor) -> Kept | None:
    """The tensor, if the policy of this thread's checkpoint is to keep it."""
    selecting = _current.selecting
    if selecting is None or tensor.grad_fn is None:
        return None
    operation = _operations_by_node().get(tensor.grad_fn.name())
    if operation is None:
        return None
    choice = selecting.policy(SelectiveCheckpointContext(is_recompute=False, op_output=tensor), operation)
    kept = choice if isinstance(choice, bool) else choice in _KEEPING
    return Kept(tensor, selecting.mutable) if kept else None


_by_node: dict[str, Any] = {}


def _operations_by_node() -> dict[str, Any]:
    """The public operations, by the names of their nodes."""
    if not _by_node:
        for row in _rgrad._operations():
            if row["node"] and row["function"] and hasattr(_rgrad, row["name"]):
                _by_node[row["node"]] = getattr(_rgrad, row["name"])
    return _by_node
