"""Resizing by interpolation, and grids to sample images at."""

from __future__ import annotations

import warnings

from rgrad import _rgrad
from rgrad._rgrad import _nn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from rgrad._rgrad import Tensor

ALIGNABLE = ("linear", "bilinear", "bicubic", "trilinear")
# Which modes resize how many dimensions.
MODES = {
    1: ("nearest", "nearest-exact", "linear", "area"),
    2: ("nearest", "nearest-exact", "bilinear", "bicubic", "lanczos", "area"),
    3: ("nearest", "nearest-exact", "trilinear", "area"),
}


def interpolate(
    input: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """`input` resized along all dimensions after the second.

    Args:
        input: a tensor of shape `(batch, channels, ..)` with one, two or three dimensions more.
        size: the sizes of the result, or
        scale_factor: what the sizes are multiplied by.
        mode: `"nearest"`, `"nearest-exact"`, `"area"`; `"linear"`, `"bilinear"` or `"trilinear"` for one, two or three
            dimensions; `"bicubic"` for two, and `"lanczos"` with `antialias`.
        align_corners: whether the outermost elements of input and result lie at the same place, rather than the edges.
        recompute_scale_factor: whether the factor is taken from the sizes again once these are rounded.
        antialias: whether elements are averaged where the result is smaller; for the modes bilinear, bicubic, lanczos.

    Raises:
        ValueError: the arguments exclude each other, or are too many or too few.
        NotImplementedError: the mode does not resize as many dimensions.
    """
    if mode not in ALIGNABLE and align_corners is not None:
        raise ValueError(f"interpolate: align_corners goes with the modes {', '.join(ALIGNABLE)}, not with {mode!r}")
    rank = input.dim() - 2
    if size is not None and scale_factor is not None:
        raise ValueError("interpolate: size and scale_factor exclude each other")
    if size is None and scale_factor is None:
        raise ValueError("interpolate: either size or scale_factor has to be given")
    factors: list[Any] = []
    sizes: list[Any]
    if size is not None:
        sizes = list(size) if isinstance(size, (tuple, list)) else [size] * rank
        given = "sizes"
    else:
        factors = list(scale_factor) if isinstance(scale_factor, (tuple, list)) else [scale_factor] * rank
        sizes = [int(length * factor) for length, factor in zip(input.shape[2:], factors, strict=False)]
        given = "factors"
    if max(len(sizes), len(factors)) != rank:
        raise ValueError(
            f"interpolate: {rank} {given} are needed for a tensor of shape {tuple(input.shape)}, got {sizes or factors}"
        )
    if recompute_scale_factor and size is not None:
        raise ValueError("interpolate: recompute_scale_factor goes with scale_factor, not with size")
    if antialias and not (mode in ("bilinear", "bicubic", "lanczos") and rank == 2):
        raise ValueError("interpolate: antialias goes with the modes bilinear, bicubic and lanczos of two dimensions")
    if mode not in MODES.get(rank, ()) or (mode == "lanczos" and not antialias):
        raise NotImplementedError(f"interpolate: mode {mode!r} does not resize a tensor of shape {tuple(input.shape)}")
    if mode == "area":
        pools = (_nn.adaptive_avg_pool1d, _nn.adaptive_avg_pool2d, _nn.adaptive_avg_pool3d)
        return pools[rank - 1](input, sizes)
    if recompute_scale_factor:
        factors = []
    if input.dtype == _rgrad.uint8 and mode in ("bilinear", "bicubic", "lanczos"):
        resized = _nn._upsample(input.float(), mode, sizes, bool(align_corners), factors, antialias)
        return resized.add(0.5).floor().clamp(0, 255).to(_rgrad.uint8)
    return _nn._upsample(input, mode, sizes, bool(align_corners), factors, antialias)


def upsample(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:
    """`interpolate` under its former name."""
    warnings.warn("upsample is deprecated: write interpolate", stacklevel=2)
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """`interpolate` by the nearest element, under its former name."""
    warnings.warn("upsample_nearest is deprecated: write interpolate", stacklevel=2)
    return interpolate(input, size, scale_factor, mode="nearest")


def upsample_bilinear(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """`interpolate` between elements with aligned corners, under its former name."""
    warnings.warn("upsample_bilinear is deprecated: write interpolate", stacklevel=2)
    return interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)


def affine_grid(theta: Tensor, size: Sequence[int], align_corners: bool | None = None) -> Tensor:
    """The grid for `grid_sample` that affine maps make of the points of an image.

    Args:
        theta: maps of shape `(batch, 2, 3)`, or `(batch, 3, 4)` for volumes.
        size: the shape of what is to be sampled, `(batch, channels, ..)`.
        align_corners: whether -1 and 1 are the outermost elements, rather than the edges.

    Raises:
        ValueError: the maps are no floats or do not fit the shape, or that has a dimension without elements.
        NotImplementedError: the shape has neither four nor five dimensions.
    """
    if not theta.is_floating_point():
        raise ValueError(f"affine_grid: theta has to be of a floating-point dtype, it is {theta.dtype}")
    if len(size) not in (4, 5):
        raise NotImplementedError(f"affine_grid: images and volumes have four and five dimensions, got {tuple(size)}")
    rank = len(size) - 2
    if theta.dim() != 3 or tuple(theta.shape[-2:]) != (rank, rank + 1):
        raise ValueError(f"affine_grid: maps of shape (batch, {rank}, {rank + 1}) are needed, got {tuple(theta.shape)}")
    if min(size) <= 0:
        raise ValueError(f"affine_grid: a shape with elements is needed, got {tuple(size)}")
    return _nn.affine_grid_generator(theta, size, bool(align_corners))
