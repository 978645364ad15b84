"""Losses as plain functions: robust ones, those with a margin, likelihoods of distributions.

`reduction` is everywhere `"none"`, `"sum"` or `"mean"`, the latter two giving a scalar; another raises `ValueError`.
`size_average` and `reduce` are deprecated: what they say is said by `reduction`.
"""

from __future__ import annotations

import math
import warnings

from rgrad._rgrad import _nn, log, minimum, pairwise_distance, where
from rgrad.autograd.grad_mode import no_grad
from rgrad.nn.reduction import check_reduction, reduced, reduction_meant, warn_of_broadcast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from rgrad._rgrad import Tensor

__all__ = [
    "cosine_embedding_loss",
    "gaussian_nll_loss",
    "hinge_embedding_loss",
    "huber_loss",
    "kl_div",
    "margin_ranking_loss",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "poisson_nll_loss",
    "smooth_l1_loss",
    "soft_margin_loss",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """Half the squared difference divided by `beta` where it is below `beta`, the absolute one less `beta / 2` beyond.

    Args:
        input: a floating-point tensor of any shape.
        target: a tensor of the same shape; another shape is broadcast with a warning.
        size_average: deprecated; see `reduction`.
        reduce: deprecated; see `reduction`.
        reduction: `"none"`, `"sum"` or `"mean"`.
        beta: where the loss becomes linear; with 0 it is `l1_loss`.

    Raises:
        RuntimeError: `beta` is negative.
    """
    warn_of_broadcast("smooth_l1_loss", input, target)
    if size_average is not None or reduce is not None:
        reduction = reduction_meant(size_average, reduce)
    return _nn.smooth_l1_loss(input, target, reduction, beta)


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """Half the squared difference where it is up to `delta`, `delta` times the absolute one less `delta / 2` beyond.

    Args:
        input: a floating-point tensor of any shape.
        target: a tensor of the same shape; another shape is broadcast with a warning.
        reduction: `"none"`, `"sum"` or `"mean"`.
        delta: where the loss becomes linear.
        weight: a factor for each loss, of the shape of `input`.

    Raises:
        RuntimeError: `delta` is not positive.
        ValueError: `weight` has another shape.
    """
    warn_of_broadcast("huber_loss", input, target)
    if weight is None:
        return _nn.huber_loss(input, target, reduction, delta)
    if weight.shape != input.shape:
        raise ValueError(f"huber_loss: the weights of size {tuple(weight.shape)} are for {tuple(input.shape)}")
    return reduced(_nn.huber_loss(input, target, "none", delta) * weight, reduction)


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """The divergence of the log-probabilities `input` from the probabilities `target`.

    Each entry is `target * (log(target) - input)`; their sum over a distribution is Kullback and Leibler's.

    Args:
        input: log-probabilities, of any shape.
        target: probabilities, broadcast against it.
        size_average: deprecated; see `reduction`.
        reduce: deprecated; see `reduction`.
        reduction: as everywhere, or `"batchmean"`: the sum divided by the first size, the mean divergence.
        log_target: whether `target` has logarithms.
    """
    if size_average is not None or reduce is not None:
        reduction = reduction_meant(size_average, reduce)
    elif reduction == "mean":
        warnings.warn("kl_div: the mean over entries is not that over distributions, 'batchmean'", stacklevel=2)
    if reduction == "batchmean":
        total = _nn.kl_div(input, target, "sum", log_target=log_target)
        return total / input.size(0) if input.dim() else total
    return _nn.kl_div(input, target, reduction, log_target=log_target)


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The negative log-likelihood of the counts `target` for Poisson's distribution.

    Args:
        input: the logarithm of the rate, or the rate.
        target: counts, broadcast against it.
        log_input: whether `input` is the logarithm.
        full: whether to add the term without `input`, by Stirling's approximation.
        size_average: deprecated; see `reduction`.
        eps: added to the rate before its logarithm is taken.
        reduce: deprecated; see `reduction`.
        reduction: `"none"`, `"sum"` or `"mean"`.
    """
    if size_average is not None or reduce is not None:
        reduction = reduction_meant(size_average, reduce)
    return _nn.poisson_nll_loss(input, target, log_input, full, eps, reduction)


def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """The negative log-likelihood of `target` for the normal distribution of mean `input` and variance `var`.

    Args:
        input: means, of any shape.
        target: what was observed, broadcast against it.
        var: a number; or a tensor of the shape of `input`, or of that without its last dimension, or with 1 there.
        full: whether to add the constant term.
        eps: what the variance counts at least; the gradient ignores that.
        reduction: `"none"`, `"sum"` or `"mean"`.

    Raises:
        ValueError: a variance is negative, or they have another shape.
    """
    if isinstance(var, float):
        if var < 0:
            raise ValueError(f"gaussian_nll_loss: the variance is negative, {var}")
        var = input.detach() * 0 + var
    elif var.shape != input.shape:
        if var.shape == input.shape[:-1]:
            var = var.unsqueeze(-1)
        elif var.dim() != input.dim() or any(one not in (1, other) for one, other in zip(var.shape, input.shape)):
            raise ValueError(f"gaussian_nll_loss: variances of {tuple(var.shape)} for means of {tuple(input.shape)}")
    check_reduction(reduction)
    if (var < 0).any():
        raise ValueError("gaussian_nll_loss: a variance is negative")
    var = var.clone()
    with no_grad():
        var.clamp_(min=eps)
    losses = 0.5 * (log(var) + (input - target) ** 2 / var)
    if full:
        losses = losses + 0.5 * math.log(2 * math.pi)
    return reduced(losses, reduction)


def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """`input`, a distance, where `target` is 1; `max(0, margin - input)` where it is -1.

    Args:
        input: distances, of any shape.
        target: 1 or -1 for each, broadcast against it.
        margin: how large a distance is to be where the target is -1.
        size_average: deprecated; see `reduction`.
        reduce: deprecated; see `reduction`.
        reduction: `"none"`, `"sum"` or `"mean"`.
    """
    if size_average is not None or reduce is not None:
        reduction = reduction_meant(size_average, reduce)
    return _nn.hinge_embedding_loss(input, target, margin, reduction)


def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """`1 - cos` of the angle between vectors where `target` is 1; `max(0, cos - margin)` where it is -1.

    Args:
        input1: vectors, `(N, D)` or `(D)`.
        input2: vectors that broadcast against them.
        target: 1 or -1 for each pair, `(N)` or `()`.
        margin: the largest cosine that is to be where the target is -1.
        size_average: deprecated; see `reduction`.
        reduce: deprecated; see `reduction`.
        reduction: `"none"`, `"sum"` or `"mean"`.

    Raises:
        RuntimeError: the target has another number of dimensions.
    """
    if size_average is not None or reduce is not None:
        reduction = reduction_meant(size_average, reduce)
    check_reduction(reduction)
    if target.dim() > 1:
        raise RuntimeError(f"cosine_embedding_loss: one target a pair is needed, got size {tuple(target.shape)}")
    if (input1.dim(), input2.dim()) != (target.dim() + 1, target.dim() + 1):
        raise RuntimeError(
            f"cosine_embedding_loss: targets of size {tuple(target.shape)} do not fit vectors of size "
            f"{tuple(input1.shape)} and {tuple(input2.shape)}"
        )
    eps = 1e-12
    lengths = ((input1 * input1).sum(-1) + eps) * ((input2 * input2).sum(-1) + eps)
    cosine = (input1 * input2).sum(-1) / lengths.sqrt()
    losses = where(target == 1, 1 - cosine, 0.0) + where(target == -1, (cosine - margin).clamp_min(0), 0.0)
    return reduced(losses, reduction)


def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """`max(0, margin - target * (input1 - input2))`.

    Args:
        input1: scores, of any shape.
        input2: scores with as many dimensions, broadcast.
        target: 1 where the first is to be larger, -1 where the second is, with as many dimensions.
        margin: by how much.
        size_average: deprecated; see `reduction`.
        reduce: deprecated; see `reduction`.
        reduction: `"none"`, `"sum"` or `"mean"`.

    Raises:
        RuntimeError: the three differ in their number of dimensions.
    """
    if size_average is not None or reduce is not None:
        reduction = reduction_meant(size_average, reduce)
    return _nn.margin_ranking_loss(input1, input2, target, margin, reduction)


def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The mean over the other classes of `max(0, margin - score of the class + score of the other) ** p`.

    Args:
        input: scores, `(N, C)` or `(C)`.
        target: classes, `int64`, `(N)` or `()`.
        p: 1 or 2.
        margin: by how much the class is to be ahead.
        weight: a factor for each class, `(C)`.
        size_average: deprecated; see `reduction`.
        reduce: deprecated; see `reduction`.
        reduction: `"none"`, `"sum"` or `"mean"`.

    Raises:
        ValueError: `p` is another number.
        RuntimeError: a class is out of range, or sizes do not fit.
    """
    if size_average is not None or reduce is not None:
        reduction = reduction_meant(size_average, reduce)
    return _nn.multi_margin_loss(input, target, p, margin, weight, reduction)


def multilabel_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The sum of `max(0, 1 - score of a target + score of another)` over all such pairs, divided by the classes.

    Args:
        input: scores, `(N, C)` or `(C)`.
        target: the classes of each row, `int64`, of the same size; those behind a -1 do not count.
        size_average: deprecated; see `reduction`.
        reduce: deprecated; see `reduction`.
        reduction: `"none"`, `"sum"` or `"mean"`.

    Raises:
        RuntimeError: a class is out of range, or sizes do not fit.
    """
    if size_average is not None or reduce is not None:
        reduction = reduction_meant(size_average, reduce)
    return _nn.multilabel_margin_loss(input, target, reduction)


def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The mean over classes of the cross-entropy between `sigmoid(input)` and `target`.

    Args:
        input: scores, `(..., C)`.
        target: 0 or 1 for each class, of the same size.
        weight: a factor for each class, broadcast against them.
        size_average: deprecated; see `reduction`.
        reduce: deprecated; see `reduction`.
        reduction: `"none"`, `"sum"` or `"mean"`.
    """
    if size_average is not None or reduce is not None:
        reduction = reduction_meant(size_average, reduce)
    check_reduction(reduction)
    losses = -(target * _nn.logsigmoid(input) + (1 - target) * _nn.logsigmoid(-input))
    if weight is not None:
        losses = losses * weight
    return reduced(losses.sum(-1) / (input.size(-1) if input.dim() else 1), reduction)


def soft_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """`log(1 + exp(-target * input))`.

    Args:
        input: scores, of any shape.
        target: 1 or -1 for each, a constant, broadcast against it.
        size_average: deprecated; see `reduction`.
        reduce: deprecated; see `reduction`.
        reduction: `"none"`, `"sum"` or `"mean"`.
    """
    if size_average is not None or reduce is not None:
        reduction = reduction_meant(size_average, reduce)
    return _nn.soft_margin_loss(input, target, reduction)


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """`max(0, margin + distance of the positive - distance of the negative)` from the anchor.

    Args:
        anchor: vectors, `(N, D)` or `(D)`.
        positive: vectors that are to be nearer, with as many dimensions.
        negative: vectors that are to be farther.
        margin: by how much, positive.
        p: the norm that distances are measured by.
        eps: added to differences, as in `pairwise_distance`.
        swap: whether the negative counts as near as it is to the positive (V. Balntas et al., 2016).
        size_average: deprecated; see `reduction`.
        reduce: deprecated; see `reduction`.
        reduction: `"none"`, `"sum"` or `"mean"`.

    Raises:
        RuntimeError: the three differ in their number of dimensions.
        ValueError: `margin` is not positive.
    """
    if size_average is not None or reduce is not None:
        reduction = reduction_meant(size_average, reduce)

    def distance(a: Tensor, b: Tensor) -> Tensor:
        return pairwise_distance(a, b, p, eps)

    return _triplet_loss("triplet_margin_loss", anchor, positive, negative, distance, margin, swap, reduction)


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """`triplet_margin_loss` with distances that a function gives; `pairwise_distance` by default."""
    distance = pairwise_distance if distance_function is None else distance_function
    name = "triplet_margin_with_distance_loss"
    return _triplet_loss(name, anchor, positive, negative, distance, margin, swap, reduction)


def _triplet_loss(
    name: str,
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    distance: Callable[[Tensor, Tensor], Tensor],
    margin: float,
    swap: bool,
    reduction: str,
) -> Tensor:
    check_reduction(reduction)
    if margin <= 0:
        raise ValueError(f"{name}: the margin has to be positive, got {margin}")
    if not anchor.dim() == positive.dim() == negative.dim():
        raise RuntimeError(
            f"{name}: anchor, positive and negative have {anchor.dim()}, {positive.dim()} and {negative.dim()} "
            "dimensions, which have to be the same"
        )
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = minimum(far, distance(positive, negative))
    return reduced((margin + near - far).clamp_min(0), reduction)
