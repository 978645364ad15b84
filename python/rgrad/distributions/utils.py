"""What families of distributions share: parameters of one size, probabilities and their logarithms."""

from __future__ import annotations

from functools import update_wrapper
from typing import Any, Generic, TypeVar

import rgrad
from rgrad._rgrad import Tensor
from rgrad.nn import functional

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from rgrad._rgrad import dtype as _dtype

__all__ = [
    "Centred",
    "_standard_normal",
    "_sum_rightmost",
    "TwoOutcomes",
    "broadcast_all",
    "broadcast_shape",
    "clamp_probs",
    "cross_entropy_of_two",
    "epsilon",
    "euler_constant",
    "largest",
    "lazy_property",
    "log_sigmoid",
    "logits_to_probs",
    "probs_to_logits",
    "smallest",
    "softplus",
    "tril_matrix_to_vec",
    "vec_to_tril_matrix",
]

euler_constant = 0.57721566490153286060

R = TypeVar("R")


def epsilon(dtype: _dtype) -> float:
    """The distance from one to the next number of a dtype."""
    return {2: 2.0**-10, 4: 2.0**-23}.get(dtype.itemsize, 2.0**-52)


def smallest(dtype: _dtype) -> float:
    """The smallest normal number of a dtype."""
    return {2: 2.0**-14, 4: 2.0**-126}.get(dtype.itemsize, 2.0**-1022)


def largest(dtype: _dtype) -> float:
    """The largest finite number of a dtype."""
    return {2: 65504.0, 4: (2 - 2.0**-23) * 2.0**127}.get(dtype.itemsize, (2 - 2.0**-52) * 2.0**1023)


def _sum_rightmost(value: Any, dims: int) -> Tensor:
    """The sums over the last `dims` dimensions."""
    if dims == 0:
        return value  # type: ignore[no-any-return]
    kept = value.dim() - dims
    return value.reshape(tuple(value.shape[:kept]) + (-1,)).sum(-1)  # type: ignore[no-any-return]


def tril_matrix_to_vec(mat: Tensor, diag: int = 0) -> Tensor:
    """The entries of square matrices up to a diagonal, row by row.

    Raises:
        ValueError: the matrices have no such diagonal.
    """
    rows = mat.shape[-1]
    if not -rows <= diag < rows:
        raise ValueError(f"tril_matrix_to_vec(): diag={diag} is out of range for {rows} rows")
    i, j = rgrad.tril_indices(rows, rows, offset=diag)
    return mat[..., i, j]


def vec_to_tril_matrix(vec: Tensor, diag: int = 0) -> Tensor:
    """Square matrices with the entries of vectors up to a diagonal, row by row, and zeros above it.

    Raises:
        ValueError: no matrix has so many entries there.
    """
    count = vec.shape[-1]
    # The positive root of n^2 + (1 + 2 diag) n - |diag| (diag + 1) - 2 count = 0.
    linear = 1 + 2 * diag
    rows = round(((linear**2 + 8 * count + 4 * abs(diag) * (diag + 1)) ** 0.5 - linear) / 2)
    i, j = rgrad.tril_indices(rows, rows, offset=diag)
    if len(i) != count:
        raise ValueError(f"vec_to_tril_matrix(): no square matrix has {count} entries up to diagonal {diag}")
    matrix = vec.new_zeros(tuple(vec.shape[:-1]) + (rows, rows))
    matrix[..., i, j] = vec
    return matrix


def broadcast_shape(*shapes: Any) -> rgrad.Size:
    """The sizes that all `shapes` broadcast to.

    Raises:
        RuntimeError: there are none.
    """
    return rgrad.Size(rgrad.broadcast_shapes(*map(tuple, shapes)))


def broadcast_all(*values: Any) -> tuple[Tensor, ...]:
    """Numbers and tensors as tensors of one size; numbers get the dtype of the tensors.

    Raises:
        ValueError: a value is neither a number nor a tensor.
        RuntimeError: their sizes do not fit together.
    """
    for value in values:
        if not isinstance(value, (Tensor, int, float)):
            raise ValueError(f"a parameter must be a number or a tensor, not a {type(value).__name__}")
    tensors = [value for value in values if isinstance(value, Tensor)]
    dtype = next((tensor.dtype for tensor in tensors), rgrad.get_default_dtype())
    made = [value if isinstance(value, Tensor) else rgrad.tensor(value, dtype=dtype) for value in values]
    shape = broadcast_shape(*(tensor.shape for tensor in made))
    return tuple(tensor.expand(shape) for tensor in made)


def _standard_normal(shape: rgrad.Size, dtype: _dtype, device: Any = None) -> Tensor:
    """Normal numbers of mean 0 and variance 1."""
    return rgrad.empty(shape, dtype=dtype, device=device).normal_()


def log_sigmoid(logits: Tensor) -> Tensor:
    """The logarithm of the sigmoid function."""
    return functional.logsigmoid(logits)


def softplus(x: Tensor) -> Tensor:
    """`log(1 + exp(x))`, without the threshold from which on `nn.functional.softplus` gives `x`."""
    return -functional.logsigmoid(-x)


def clamp_probs(probs: Tensor) -> Tensor:
    """Probabilities a little above 0 and below 1."""
    least = epsilon(probs.dtype)
    return probs.clamp(least, 1 - least)


def logits_to_probs(logits: Tensor, is_binary: bool = False) -> Tensor:
    """Probabilities by their logarithms, which need not be normalized; of two outcomes by the logarithm of the odds."""
    return logits.sigmoid() if is_binary else logits.softmax(-1)


def probs_to_logits(probs: Tensor, is_binary: bool = False) -> Tensor:
    """The logarithms of probabilities; of two outcomes that of the odds."""
    probs = clamp_probs(probs)
    return probs.log() - (-probs).log1p() if is_binary else probs.log()


def cross_entropy_of_two(logits: Tensor, value: Tensor) -> Tensor:
    """`-log` of the probability of outcomes, given the logarithm of the odds, entry by entry."""
    return functional.binary_cross_entropy_with_logits(logits, value, reduction="none")


class lazy_property(Generic[R]):
    """A property that is computed when it is first asked for, and then kept."""

    def __init__(self, wrapped: Callable[[Any], R]) -> None:
        self.wrapped = wrapped
        update_wrapper(self, wrapped)  # type: ignore[arg-type]

    def __get__(self, instance: Any, owner: Any = None) -> R:
        if instance is None:
            return self  # type: ignore[return-value]
        with rgrad.enable_grad():
            value = self.wrapped(instance)
        setattr(instance, self.wrapped.__name__, value)
        return value


class Centred:
    """What families that are symmetric about `loc` share: their mean and their mode lie there."""

    loc: Tensor

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc


class TwoOutcomes:
    """What families of trials that succeed or fail share: of `probs` and `logits` one is given, the other computed."""

    @lazy_property
    def logits(self) -> Tensor:
        """The logarithms of the odds."""
        return probs_to_logits(self.probs, is_binary=True)

    @lazy_property
    def probs(self) -> Tensor:
        """The probabilities of success, or of 1."""
        return logits_to_probs(self.logits, is_binary=True)
