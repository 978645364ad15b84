"""Pools with or without the places of what they find, and of sizes that may be left open."""

from __future__ import annotations

from rgrad import _rgrad
from rgrad._rgrad import _nn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from rgrad._rgrad import Tensor

    Size = int | Sequence[int]
    OpenSize = int | None | Sequence[int | None]


def max_pool1d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window; see `max_pool2d`."""
    pool = _nn.max_pool1d_with_indices if return_indices else _nn.max_pool1d
    return pool(input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool2d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window of the last two dimensions.

    Args:
        input: a tensor of shape `(batch, channels, height, width)` or `(channels, height, width)`.
        kernel_size: how many elements a window has, along both dimensions or each.
        stride: how far windows are apart; by default, as far as they are large.
        padding: how much is put around the input, at most half of a window; it never wins.
        dilation: how far the elements of a window are apart.
        ceil_mode: whether the last window may reach over the end.
        return_indices: whether the places are given too, counted over the height and width of the input.

    Raises:
        RuntimeError: the numbers do not fit the input.
    """
    pool = _nn.max_pool2d_with_indices if return_indices else _nn.max_pool2d
    return pool(input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool3d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window of the last three dimensions; see `max_pool2d`."""
    pool = _nn.max_pool3d_with_indices if return_indices else _nn.max_pool3d
    return pool(input, kernel_size, stride, padding, dilation, ceil_mode)


def adaptive_avg_pool2d(input: Tensor, output_size: OpenSize) -> Tensor:
    """The mean of each of `output_size` windows that divide the input evenly; `None` keeps the input's size."""
    return _nn.adaptive_avg_pool2d(input, _filled(input, output_size, 2))


def adaptive_avg_pool3d(input: Tensor, output_size: OpenSize) -> Tensor:
    """The mean of each window, in three dimensions; see `adaptive_avg_pool2d`."""
    return _nn.adaptive_avg_pool3d(input, _filled(input, output_size, 3))


def adaptive_max_pool1d(input: Tensor, output_size: Size, return_indices: bool = False) -> Any:
    """The largest element of each of `output_size` windows that divide the input evenly, and its place if asked for."""
    found = _rgrad.adaptive_max_pool1d(input, output_size)
    return found if return_indices else found[0]


def adaptive_max_pool2d(input: Tensor, output_size: OpenSize, return_indices: bool = False) -> Any:
    """The largest element of each window, in two dimensions; see `adaptive_max_pool1d`."""
    found = _nn.adaptive_max_pool2d_with_indices(input, _filled(input, output_size, 2))
    return found if return_indices else found[0]


def adaptive_max_pool3d(input: Tensor, output_size: OpenSize, return_indices: bool = False) -> Any:
    """The largest element of each window, in three dimensions; see `adaptive_max_pool1d`."""
    found = _nn.adaptive_max_pool3d_with_indices(input, _filled(input, output_size, 3))
    return found if return_indices else found[0]


def fractional_max_pool2d(
    input: Tensor,
    kernel_size: Size,
    output_size: Size | None = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """The largest element of each window, the windows lying at random places.

    B. Graham, "Fractional max-pooling", 2014.

    Args:
        input: a tensor of shape `(batch, channels, height, width)` or `(channels, height, width)`.
        kernel_size: how many elements a window has, along both dimensions or each.
        output_size: how many windows there are, or
        output_ratio: how many, as a part of the input's size between 0 and 1.
        return_indices: whether the places are given too.
        _random_samples: where the windows lie: numbers from 0 to 1 of shape `(batch, channels, 2)`.

    Raises:
        ValueError: neither size nor ratio is given, or a ratio is not between 0 and 1.
    """
    pool = _nn._fractional_max_pool2d_with_indices
    return _fractional(pool, 2, input, kernel_size, output_size, output_ratio, return_indices, _random_samples)


def fractional_max_pool3d(
    input: Tensor,
    kernel_size: Size,
    output_size: Size | None = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """The same in three dimensions; see `fractional_max_pool2d`."""
    pool = _nn._fractional_max_pool3d_with_indices
    return _fractional(pool, 3, input, kernel_size, output_size, output_ratio, return_indices, _random_samples)


def _fractional(
    pool: Callable[..., Any],
    rank: int,
    input: Tensor,
    kernel_size: Size,
    output_size: Size | None,
    output_ratio: Any,
    return_indices: bool,
    samples: Tensor | None,
) -> Any:
    name = f"fractional_max_pool{rank}d"
    if output_size is None:
        if output_ratio is None:
            raise ValueError(f"{name}: either output_size or output_ratio has to be given")
        ratios = output_ratio if len(output_ratio) > 1 else [*output_ratio] * rank
        if not all(0 < ratio < 1 for ratio in ratios):
            raise ValueError(f"{name}: output_ratio has to be between 0 and 1, got {output_ratio}")
        output_size = [int(size * ratio) for size, ratio in zip(input.shape[-rank:], ratios, strict=True)]
    if samples is None:
        lead = input.shape[: input.dim() - rank] if input.dim() == rank + 2 else (1, *input.shape[:1])
        samples = _rgrad.rand(*lead, rank, dtype=input.dtype)
    found = pool(input, kernel_size, output_size, samples)
    return found if return_indices else found[0]


def _filled(input: Tensor, size: OpenSize, rank: int) -> Size:
    """The sizes of a result, where those left open are the input's."""
    given = [size] * rank if size is None or isinstance(size, int) else list(size)
    if len(given) > input.dim():
        raise ValueError(f"{len(given)} sizes are too many for a tensor of {input.dim()} dimensions")
    return [kept if wanted is None else wanted for wanted, kept in zip(given, input.shape[-len(given) :], strict=True)]
