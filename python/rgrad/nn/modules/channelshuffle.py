"""Mixing the channels of groups."""

from __future__ import annotations

from rgrad.nn import functional
from rgrad.nn.module import Module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rgrad._rgrad import Tensor

__all__ = ["ChannelShuffle"]


class ChannelShuffle(Module):
    """Takes the channels of `(N, C, ...)` in turn from each of `groups` groups of neighbours; the shape stays."""

    groups: int

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, input: Tensor) -> Tensor:
        return functional.channel_shuffle(input, self.groups)

    def extra_repr(self) -> str:
        return f"groups={self.groups}"
