"""What losses do with the arguments that say how they are reduced."""

from __future__ import annotations

import warnings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rgrad._rgrad import Tensor


def reduction_meant(size_average: bool | None, reduce: bool | None, stacklevel: int = 3) -> str:
    """The `reduction` that the two arguments it has replaced stand for; both default to true."""
    if reduce is False:
        reduction = "none"
    elif size_average is False:
        reduction = "sum"
    else:
        reduction = "mean"
    warnings.warn(f"size_average and reduce are deprecated: write reduction={reduction!r}", stacklevel=stacklevel)
    return reduction


def reduced(losses: Tensor, reduction: str) -> Tensor:
    """The losses themselves, their mean or their sum.

    Raises:
        ValueError: `reduction` is none of `"none"`, `"mean"` and `"sum"`.
    """
    check_reduction(reduction)
    if reduction == "none":
        return losses
    return losses.mean() if reduction == "mean" else losses.sum()


def check_reduction(reduction: str) -> None:
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"reduction has to be 'none', 'mean' or 'sum', got {reduction!r}")


def warn_of_broadcast(function: str, input: Tensor, target: Tensor) -> None:
    if input.shape != target.shape:
        warnings.warn(
            f"{function}: the input of size {tuple(input.shape)} and the target of size {tuple(target.shape)} are "
            "broadcast, which is seldom meant",
            stacklevel=3,
        )
