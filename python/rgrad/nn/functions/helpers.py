"""What PyTorch's `nn.functional` has for itself and code made from it calls: checks, projections, pools with places."""

from __future__ import annotations

import math

from rgrad import _rgrad
from rgrad._rgrad import _nn

from . import pooling

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from rgrad._rgrad import Tensor


def _with_indices(function: Callable[..., Any]) -> Callable[..., Any]:
    """A pool that gives the places of the largest elements, too."""

    def pooled(*arguments: Any, **keywords: Any) -> Any:
        keywords.pop("return_indices", None)
        return function(*arguments, **keywords, return_indices=True)

    pooled.__name__ = pooled.__qualname__ = f"{function.__name__}_with_indices"
    pooled.__doc__ = f"`{function.__name__}` with the places of the largest elements."
    return pooled


max_pool1d_with_indices = _with_indices(pooling.max_pool1d)
max_pool2d_with_indices = _with_indices(pooling.max_pool2d)
max_pool3d_with_indices = _with_indices(pooling.max_pool3d)
adaptive_max_pool1d_with_indices = _with_indices(pooling.adaptive_max_pool1d)
adaptive_max_pool2d_with_indices = _with_indices(pooling.adaptive_max_pool2d)
adaptive_max_pool3d_with_indices = _with_indices(pooling.adaptive_max_pool3d)
fractional_max_pool2d_with_indices = _with_indices(pooling.fractional_max_pool2d)
fractional_max_pool3d_with_indices = _with_indices(pooling.fractional_max_pool3d)


def _verify_batch_size(size: Sequence[int]) -> None:
    """Refuse, with ValueError, a single value for each channel, which has no variance."""
    if size[0] * math.prod(size[2:]) == 1:
        raise ValueError(f"more than one value for each channel is needed in training, the input has size {list(size)}")


def _verify_spatial_size(size: Sequence[int]) -> None:
    """Refuse, with ValueError, a single value for each channel of an example."""
    if math.prod(size[2:]) == 1:
        raise ValueError(f"more than one value for each channel is needed in training, the input has size {list(size)}")


def _get_softmax_dim(name: str, ndim: int, stacklevel: int) -> int:
    """The dimension of a softmax for which none is given."""
    return 0 if ndim in (0, 1, 3) else 1


def _none_or_dtype(input: Tensor | None) -> Any:
    """The dtype of a tensor, if there is one."""
    return None if input is None else input.dtype


def _canonical_mask(
    mask: Tensor | None,
    mask_name: str,
    other_type: Any,
    other_name: str,
    target_type: Any,
    check_other: bool = True,
) -> Tensor | None:
    """A mask as numbers to be added: -inf where a bool mask is true.

    Raises:
        AssertionError: the mask is neither bool nor floating point.
    """
    if mask is None or mask.is_floating_point():
        return mask
    if mask.dtype != _rgrad.bool:
        raise AssertionError(f"{mask_name} has to be of bool or a floating-point dtype, it is {mask.dtype}")
    return _rgrad.zeros(*mask.shape, dtype=target_type).masked_fill(mask, -math.inf)


def _in_projection(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    w_q: Tensor,
    w_k: Tensor,
    w_v: Tensor,
    b_q: Tensor | None = None,
    b_k: Tensor | None = None,
    b_v: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Query, key and value each by its own linear map."""
    return _nn.linear(q, w_q, b_q), _nn.linear(k, w_k, b_k), _nn.linear(v, w_v, b_v)


def _in_projection_packed(q: Tensor, k: Tensor, v: Tensor, w: Tensor, b: Tensor | None = None) -> list[Tensor]:
    """Query, key and value by linear maps whose weights lie one behind the other."""
    biases = (None, None, None) if b is None else b.chunk(3)
    return [_nn.linear(x, weight, bias) for x, weight, bias in zip((q, k, v), w.chunk(3), biases, strict=True)]


def _unpool_output_size(
    input: Tensor, kernel_size: Sequence[int], stride: Sequence[int], padding: Sequence[int], output_size: Any
) -> Any:
    """The size of what was pooled, or `output_size` if it is not farther from that than a step.

    Raises:
        ValueError: it is farther.
    """
    rank = len(kernel_size)
    sizes = input.shape[-rank:]
    usual = [(n - 1) * s - 2 * p + k for n, s, p, k in zip(sizes, stride, padding, kernel_size)]
    if output_size is None:
        return usual
    chosen = list(output_size)[-rank:]
    if len(chosen) != rank or any(abs(n - m) >= s for n, m, s in zip(chosen, usual, stride)):
        raise ValueError(f"an output_size of {rank} numbers near {usual} is expected, got {list(output_size)}")
    return chosen
