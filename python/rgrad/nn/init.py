"""Filling tensors with initial values, in place and unrecorded.

Each function returns the tensor it was given. Random numbers are drawn from `generator`, or from
the default one if that is `None`, in a fixed order: the same seed gives the same values.
"""

from __future__ import annotations

import math
import warnings

import rgrad
from rgrad.nn.truncated_normal import fill_with_truncated_normal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rgrad._rgrad import Generator, Tensor

__all__ = [
    "calculate_gain",
    "constant_",
    "dirac_",
    "eye_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "orthogonal_",
    "sparse_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]

_LINEAR = ("linear", *(f"conv{t}{d}d" for t in ("", "_transpose") for d in (1, 2, 3)))


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """How much larger weights should be before `nonlinearity` so that the variance is kept.

    Args:
        nonlinearity: `"linear"`, `"conv1d"` and the like, `"sigmoid"`, `"tanh"`, `"relu"`,
            `"leaky_relu"` or `"selu"`.
        param: the slope of `"leaky_relu"` below zero, 0.01 if `None`.

    Raises:
        ValueError: another nonlinearity, or a slope that is not a number.
    """
    if nonlinearity in _LINEAR or nonlinearity == "sigmoid":
        return 1.0
    if nonlinearity == "tanh":
        return 5.0 / 3
    if nonlinearity == "relu":
        return math.sqrt(2.0)
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, (int, float)):
            raise ValueError(f"the negative slope must be a number, not {slope!r}")
        # He et al., "Delving deep into rectifiers" (2015), equation 15.
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity == "selu":
        return 3.0 / 4
    raise ValueError(f"no gain is known for {nonlinearity!r}")


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Draw each entry uniformly between `a` and `b`."""
    with rgrad.no_grad():
        return tensor.uniform_(a, b, generator=generator)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Draw each entry from the normal distribution of this mean and standard deviation."""
    with rgrad.no_grad():
        return tensor.normal_(mean, std, generator=generator)


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """Draw each entry from a normal distribution restricted to values between `a` and `b`."""
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            f"the mean {mean} is more than two standard deviations away from [{a}, {b}]: the "
            "values may be distributed wrongly",
            stacklevel=2,
        )
    with rgrad.no_grad():
        return fill_with_truncated_normal(tensor, mean, std, a, b, generator)


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Set each entry to `val`."""
    with rgrad.no_grad():
        return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """Set each entry to one."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Set each entry to zero."""
    with rgrad.no_grad():
        return tensor.zero_()


def eye_(tensor: Tensor) -> Tensor:
    """Set a matrix to ones on its diagonal and zeros elsewhere.

    Raises:
        ValueError: `tensor` does not have two dimensions.
    """
    _require_matrix(tensor)
    with rgrad.no_grad():
        return tensor.copy_(rgrad.eye(*tensor.shape, dtype=tensor.dtype, device=tensor.device))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Set the weights of a convolution so that it hands its input channels on unchanged.

    Args:
        tensor: of shape `(out_channels, in_channels / groups, ...)` with 1 to 3 more dimensions.
        groups: the number of groups the convolution has; each hands on its own channels.

    Raises:
        ValueError: `tensor` has fewer than 3 or more than 5 dimensions, or the size of the first
            is not divisible by `groups`.
    """
    if tensor.dim() not in (3, 4, 5):
        raise ValueError(f"the weights of a convolution have 3 to 5 dimensions, not {tensor.dim()}")
    out_channels, in_channels, *window = tensor.shape
    if out_channels % groups != 0:
        raise ValueError(f"{out_channels} channels cannot be split into {groups} groups")
    out_of_group = out_channels // groups
    middle = tuple(size // 2 for size in window)
    with rgrad.no_grad():
        tensor.zero_()
        for group in range(groups):
            for channel in range(min(out_of_group, in_channels)):
                place = (group * out_of_group + channel, channel, *middle)
                tensor[place] = 1
    return tensor


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Draw uniformly so that the variance is `2 * gain**2 / (fan_in + fan_out)`.

    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks"
    (2010), equation 16.

    Raises:
        ValueError: `tensor` has fewer than two dimensions.
    """
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    std = gain * math.sqrt(2.0 / float(fan_in + fan_out))
    bound = math.sqrt(3.0) * std
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Draw normally with mean 0 and the variance of `xavier_uniform_`.

    Raises:
        ValueError: `tensor` has fewer than two dimensions.
    """
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    std = gain * math.sqrt(2.0 / float(fan_in + fan_out))
    return normal_(tensor, 0.0, std, generator)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Draw uniformly so that the variance is `gain**2 / fan`.

    He et al., "Delving deep into rectifiers" (2015), equations 10 and 14.

    Args:
        tensor: the weights, of shape `(out, in, ...)`.
        a: the slope below zero of the leaky ReLU that follows.
        mode: `"fan_in"` keeps the variance of the forward pass, `"fan_out"` of the backward pass.
        nonlinearity: what follows, as in `calculate_gain`.
        generator: the source of the random numbers.

    Raises:
        ValueError: `tensor` has fewer than two dimensions, or `mode` is neither of the two.
    """
    if 0 in tensor.shape:
        return _unchanged(tensor)
    std = _kaiming_deviation(tensor, a, mode, nonlinearity)
    bound = math.sqrt(3.0) * std
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Draw normally with mean 0 and the variance of `kaiming_uniform_`; arguments as there."""
    if 0 in tensor.shape:
        return _unchanged(tensor)
    std = _kaiming_deviation(tensor, a, mode, nonlinearity)
    return normal_(tensor, 0.0, std, generator)


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Tensor:
    """Fill with a random orthogonal matrix, the dimensions after the first taken as one.

    A matrix with more rows than columns gets orthonormal columns, any other orthonormal rows; all
    is multiplied by `gain`. Saxe et al., "Exact solutions to the nonlinear dynamics of learning in
    deep linear neural networks" (2013).

    Raises:
        ValueError: `tensor` has fewer than two dimensions.
    """
    if tensor.dim() < 2:
        raise ValueError(f"an orthogonal tensor has at least 2 dimensions, not {tensor.dim()}")
    if tensor.numel() == 0:
        return tensor
    rows = tensor.size(0)
    columns = tensor.numel() // rows
    with rgrad.no_grad():
        gaussian = tensor.new_empty((rows, columns)).normal_(0, 1, generator=generator)
        if rows < columns:
            gaussian = gaussian.t()
        orthonormal, triangular = rgrad.linalg.qr(gaussian)
        # The decomposition with a positive diagonal is the one distributed uniformly.
        orthonormal = orthonormal * triangular.diagonal().sign()
        if rows < columns:
            orthonormal = orthonormal.t()
        return tensor.copy_(orthonormal.reshape(tensor.shape)).mul_(gain)


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None) -> Tensor:
    """Draw normally with mean 0, then set the part `sparsity` of each column to zero.

    Martens, "Deep learning via Hessian-free optimization" (2010).

    Raises:
        ValueError: `tensor` does not have two dimensions.
    """
    _require_matrix(tensor)
    rows, columns = tensor.shape
    zeros = math.ceil(sparsity * rows)
    with rgrad.no_grad():
        tensor.normal_(0, std, generator=generator)
        for column in range(columns):
            tensor[rgrad.randperm(rows)[:zeros], column] = 0
    return tensor


def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    """How many inputs each output of weights `(out, in, ...)` has, and outputs each input."""
    if tensor.dim() < 2:
        raise ValueError(f"fan-in and fan-out need at least 2 dimensions, not {tensor.dim()}")
    out_channels, in_channels, *window = tensor.shape
    field = math.prod(window)
    return in_channels * field, out_channels * field


def _kaiming_deviation(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    modes = ("fan_in", "fan_out")
    if mode.lower() not in modes:
        raise ValueError(f"the mode must be fan_in or fan_out, not {mode!r}")
    fan = _calculate_fan_in_and_fan_out(tensor)[modes.index(mode.lower())]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def _require_matrix(tensor: Tensor) -> None:
    if tensor.dim() != 2:
        raise ValueError(f"only a tensor of 2 dimensions can be filled so, not {tensor.dim()}")


def _unchanged(tensor: Tensor) -> Tensor:
    warnings.warn("a tensor without elements has nothing to fill", stacklevel=3)
    return tensor


def _deprecated(function: Callable[..., Any]) -> Callable[..., Any]:
    """The older name, without underscore, of a function here."""
    name = function.__name__

    def warn_and_fill(*args: Any, **kwargs: Any) -> Any:
        warnings.warn(f"nn.init.{name[:-1]} is deprecated: write nn.init.{name}", FutureWarning, stacklevel=2)
        return function(*args, **kwargs)

    warn_and_fill.__name__ = name[:-1]
    warn_and_fill.__doc__ = f"Deprecated name of `{name}`."
    return warn_and_fill


uniform = _deprecated(uniform_)
normal = _deprecated(normal_)
constant = _deprecated(constant_)
eye = _deprecated(eye_)
dirac = _deprecated(dirac_)
xavier_uniform = _deprecated(xavier_uniform_)
xavier_normal = _deprecated(xavier_normal_)
kaiming_uniform = _deprecated(kaiming_uniform_)
kaiming_normal = _deprecated(kaiming_normal_)
orthogonal = _deprecated(orthogonal_)
sparse = _deprecated(sparse_)
