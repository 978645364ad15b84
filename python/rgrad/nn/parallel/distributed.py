"""Training by several processes, which is not supported."""

from __future__ import annotations

from rgrad.nn.module import Module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["DistributedDataParallel"]


class DistributedDataParallel(Module):
    """Stands for training by several processes in programs that ask whether a module does that.

    Raises:
        RuntimeError: on construction: there is no communication between processes here.
    """

    def __init__(self, module: Module, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError(
            "DistributedDataParallel: rgrad trains in one process; use the module itself, whose operations already run "
            "on several cores"
        )
