"""The order of the weights of convolutions in memory."""

from __future__ import annotations

import rgrad

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["convert_conv2d_weight_memory_format", "convert_conv3d_weight_memory_format"]


def convert_conv2d_weight_memory_format(module: Any, memory_format: Any) -> Any:
    """Put the weights of the convolutions of images in `module`, which is given back, into a memory format."""
    return _convert(module, memory_format, (rgrad.nn.Conv2d, rgrad.nn.ConvTranspose2d))


def convert_conv3d_weight_memory_format(module: Any, memory_format: Any) -> Any:
    """Put the weights of the convolutions of volumes in `module`, which is given back, into a memory format."""
    return _convert(module, memory_format, (rgrad.nn.Conv3d, rgrad.nn.ConvTranspose3d))


def _convert(module: Any, memory_format: Any, kinds: tuple[Any, ...]) -> Any:
    for each in module.modules():
        if isinstance(each, kinds):
            each.weight.data = each.weight.detach().clone(memory_format=memory_format)
    return module
