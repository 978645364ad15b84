"""Counts of values between edges, and reductions of segments."""

from __future__ import annotations

from typing import NamedTuple

import rgrad
from rgrad import _rgrad
from rgrad._rgrad import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

__all__ = ["_segment_reduce", "histogram", "histogramdd", "segment_reduce"]


class Histogram(NamedTuple):
    """Sums of weights between edges."""

    hist: Tensor
    bin_edges: Tensor


class Histograms(NamedTuple):
    """Sums of weights in boxes, and the edges along each dimension."""

    hist: Tensor
    bin_edges: tuple[Tensor, ...]


def histogram(
    input: Tensor,
    bins: Any,
    *,
    range: Any = None,
    weight: Tensor | None = None,
    density: bool = False,
    out: tuple[Tensor, Tensor] | None = None,
) -> Histogram:
    """Count the elements of a tensor between edges, of which the last interval alone has both.

    Args:
        input: any size, of a float dtype.
        bins: a number of intervals of the same length, or their edges in increasing order.
        range: from where to where the intervals of the same length reach; by default from the least element to the
            largest. What lies outside is not counted.
        weight: what each element counts, of the size of `input`; 1 by default.
        density: whether to divide by the sum and the lengths, so that the integral is 1.
        out: two tensors that get the counts and the edges.

    Raises:
        RuntimeError: a number of intervals that is not positive, edges with another dtype or number of dimensions, a
            weight of another size.
        NotImplementedError: `input` is not of a float dtype.
    """
    if weight is not None and weight.shape != input.shape:
        raise RuntimeError(f"histogram(): weight has size {list(weight.shape)}, the input {list(input.shape)}")
    counts, edges = _count(
        "histogram", input.reshape(-1, 1), [bins], range, None if weight is None else weight.reshape(-1), density
    )
    if out is None:
        return Histogram(counts, edges[0])
    return Histogram(_rgrad._store("histogram", counts, out[0]), _rgrad._store("histogram", edges[0], out[1]))


def histogramdd(
    input: Tensor, bins: Any, range: Sequence[float] | None = None, weight: Tensor | None = None, density: bool = False
) -> Histograms:
    """Count points in boxes between edges along each of their coordinates.

    Args:
        input: points in the last dimension, of a float dtype.
        bins: for each coordinate a number of intervals or their edges; one number for all.
        range: the least and the largest limit for each coordinate, one after the other.
        weight: what each point counts; 1 by default.
        density: whether to divide by the sum and the volumes of the boxes.

    Raises:
        RuntimeError: there are not as many `bins`, limits or weights as coordinates and points.
        NotImplementedError: `input` is not of a float dtype.
    """
    if input.dim() < 2:
        raise RuntimeError(f"histogramdd(): points are in the last of two dimensions or more, got {input.dim()}")
    count = input.shape[-1]
    bins = [bins] * count if isinstance(bins, int) else list(bins)
    if len(bins) != count:
        raise RuntimeError(f"histogramdd(): {len(bins)} bins are given for {count} coordinates")
    weight = None if weight is None else weight.reshape(-1)
    return Histograms(*_count("histogramdd", input.reshape(-1, count), bins, range, weight, density))


def _count(
    name: str, points: Tensor, bins: list[Any], limits: Any, weight: Tensor | None, density: bool
) -> tuple[Tensor, tuple[Tensor, ...]]:
    if not points.is_floating_point():
        raise NotImplementedError(f"{name}(): not implemented for {points.dtype}")
    points = points.detach()
    if limits is not None and len(limits) != 2 * len(bins):
        raise RuntimeError(f"{name}(): {2 * len(bins)} limits are expected in range, got {len(limits)}")
    edges = tuple(
        _edges(name, points[:, i], each, None if limits is None else limits[2 * i : 2 * i + 2])
        for i, each in enumerate(bins)
    )
    sizes = [len(each) - 1 for each in edges]
    place = _rgrad.zeros(len(points), dtype=rgrad.int64)
    inside = _rgrad.ones(len(points), dtype=rgrad.bool)
    for i, each in enumerate(edges):
        column = points[:, i].contiguous()
        index = _rgrad.searchsorted(each, column, right=True) - 1
        index = _rgrad.where(column == each[-1], sizes[i] - 1, index)
        inside &= (index >= 0) & (index < sizes[i])
        place = place * sizes[i] + index
    weights = _rgrad.ones(len(points), dtype=points.dtype) if weight is None else weight.to(points.dtype)
    total = 1
    for size in sizes:
        total *= size
    counts = _rgrad.zeros(total, dtype=points.dtype).index_add(0, place[inside], weights[inside]).reshape(sizes)
    if density:
        counts = counts / counts.sum()
        for i, each in enumerate(edges):
            counts = counts / each.diff().reshape([-1 if i == j else 1 for j in range(len(edges))])
    return counts, edges


def _edges(name: str, values: Tensor, bins: Any, limits: Any) -> Tensor:
    if isinstance(bins, Tensor):
        if bins.dim() != 1 or bins.numel() == 0 or bins.dtype != values.dtype:
            raise RuntimeError(f"{name}(): edges are {values.dtype} in one dimension, got {bins.dtype} {bins.dim()}-d")
        return bins
    if bins < 1:
        raise RuntimeError(f"{name}(): at least one bin is needed, got {bins}")
    if limits is not None:
        low, high = (float(limit) for limit in limits)
    elif values.numel() == 0:
        low, high = 0.0, 1.0
    else:
        low, high = values.min().item(), values.max().item()
    if not (abs(low) < float("inf") and abs(high) < float("inf") and low <= high):
        raise RuntimeError(f"{name}(): the limits have to be finite and in order, got {low} and {high}")
    if low == high:
        low, high = low - 0.5, high + 0.5
    return _rgrad.linspace(low, high, bins + 1, dtype=values.dtype)


# The names of reductions as `scatter_reduce` has them, and what each gives for nothing.
_SEGMENTS = {
    "sum": ("sum", 0.0),
    "mean": ("mean", float("nan")),
    "max": ("amax", -float("inf")),
    "min": ("amin", float("inf")),
    "prod": ("prod", 1.0),
}


def segment_reduce(
    data: Tensor,
    reduce: str,
    *,
    lengths: Tensor | None = None,
    indices: Tensor | None = None,
    offsets: Tensor | None = None,
    axis: int = 0,
    unsafe: bool = False,
    initial: Any = None,
) -> Tensor:
    """Reduce segments of `data` along a dimension, one behind the other.

    Args:
        data: of a float dtype.
        reduce: `"sum"`, `"mean"`, `"max"`, `"min"` or `"prod"`.
        lengths: of the segments, in the last of `axis + 1` dimensions.
        indices: not supported, as in PyTorch.
        offsets: where segments begin, and behind them where the last one ends, in place of `lengths`.
        axis: the dimension that is cut into segments; those before it are as in `lengths`.
        unsafe: accepted; lengths are always checked.
        initial: what the reduction begins with.

    Raises:
        RuntimeError: neither `lengths` nor `offsets`, or lengths that do not sum to the size.
        NotImplementedError: `data` is not of a float dtype.
    """
    if reduce not in _SEGMENTS:
        raise RuntimeError(f"segment_reduce(): reduce is one of {', '.join(_SEGMENTS)}, not {reduce!r}")
    if not data.is_floating_point():
        raise NotImplementedError(f"segment_reduce(): not implemented for {data.dtype}")
    if indices is not None or (lengths is None and offsets is None):
        raise RuntimeError("segment_reduce(): lengths or offsets are needed, and indices not supported")
    if offsets is None:
        assert lengths is not None
        ends = lengths.cumsum(-1)
        if bool((lengths < 0).any()) or bool((ends[..., -1:] != data.shape[axis]).any()):
            raise RuntimeError(f"segment_reduce(): the lengths do not sum to the size {data.shape[axis]}")
    else:
        ends = offsets[..., 1:]
    axis %= data.dim()
    rest = [1] * (data.dim() - axis - 1)
    positions = _rgrad.arange(data.shape[axis])
    index = (positions.unsqueeze(-1) >= ends.unsqueeze(-2)).sum(-1)
    index = index.reshape(*index.shape, *rest).expand(data.shape)
    name, nothing = _SEGMENTS[reduce]
    sizes = [*data.shape[:axis], ends.shape[-1], *data.shape[axis + 1 :]]
    begin = _rgrad.full(sizes, nothing if initial is None else initial, dtype=data.dtype)
    if initial is None and name == "mean":
        counts = _rgrad.zeros(sizes, dtype=data.dtype).scatter_add(axis, index, _rgrad.ones_like(data))
        return _rgrad.zeros(sizes, dtype=data.dtype).scatter_add(axis, index, data) / counts
    return begin.scatter_reduce(axis, index, data, name, include_self=True)


_segment_reduce = segment_reduce
