"""Tables of vectors that are looked up by number."""

from __future__ import annotations

import rgrad
from rgrad.nn import functional, init
from rgrad.nn.module import Module
from rgrad.nn.parameter import Parameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rgrad._rgrad import Tensor

__all__ = ["Embedding", "EmbeddingBag"]


class _Table(Module):
    """What both share: the weights and the vector of padding."""

    num_embeddings: int
    embedding_dim: int
    padding_idx: int | None
    weight: Parameter

    def _make_weight(self, given: Tensor | None, requires_grad: bool, device: Any, dtype: Any) -> None:
        shape = (self.num_embeddings, self.embedding_dim)
        if given is None:
            self.weight = Parameter(rgrad.empty(shape, device=device, dtype=dtype), requires_grad=requires_grad)
            self.reset_parameters()
        else:
            if tuple(given.shape) != shape:
                raise AssertionError(f"{type(self).__name__}: the weights have shape {tuple(given.shape)}, not {shape}")
            self.weight = Parameter(given, requires_grad=requires_grad)

    def _place_of_padding(self, padding_idx: int | None) -> int | None:
        """`padding_idx` counted from the start.

        Raises:
            AssertionError: it is out of range.
        """
        if padding_idx is None:
            return None
        if not -self.num_embeddings <= padding_idx < self.num_embeddings:
            raise AssertionError(f"padding_idx={padding_idx} is out of range for {self.num_embeddings} vectors")
        return padding_idx % self.num_embeddings if padding_idx < 0 else padding_idx

    def reset_parameters(self) -> None:
        """Draw the vectors normally; that of padding is zero."""
        init.normal_(self.weight)
        self._fill_padding_idx_with_zero()

    def _fill_padding_idx_with_zero(self) -> None:
        if self.padding_idx is not None:
            with rgrad.no_grad():
                self.weight[self.padding_idx].fill_(0)


class Embedding(_Table):
    """Replaces each number by the vector of that number: `(*)` becomes `(*, embedding_dim)`.

    Args:
        num_embeddings: the number of vectors.
        embedding_dim: the size of a vector.
        padding_idx: the number whose vector is zero at first and gets no gradient.
        max_norm: vectors looked up are shortened to this norm, in place.
        norm_type: the exponent of that norm.
        scale_grad_by_freq: whether a gradient is divided by how often its number is in the batch.
        sparse: whether the gradient is to be sparse.
        _weight: the vectors to begin with.
        _freeze: whether the vectors are not to be learnt.
        device: where they are.
        dtype: their dtype.

    Attributes:
        weight: of shape `(num_embeddings, embedding_dim)`, first drawn normally.

    Raises:
        AssertionError: `padding_idx` is out of range, or `_weight` has another shape.
    """

    max_norm: float | None
    norm_type: float
    scale_grad_by_freq: bool
    sparse: bool

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Tensor | None = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = self._place_of_padding(padding_idx)
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self._make_weight(_weight, not _freeze, device, dtype)
        self.sparse = sparse

    def forward(self, input: Tensor) -> Tensor:
        return functional.embedding(
            input,
            self.weight,
            self.padding_idx,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.sparse,
        )

    def extra_repr(self) -> str:
        shown = f"{self.num_embeddings}, {self.embedding_dim}"
        if self.padding_idx is not None:
            shown += f", padding_idx={self.padding_idx}"
        if self.max_norm is not None:
            shown += f", max_norm={self.max_norm}"
        if self.norm_type != 2:
            shown += f", norm_type={self.norm_type}"
        if self.scale_grad_by_freq:
            shown += f", scale_grad_by_freq={self.scale_grad_by_freq}"
        if self.sparse:
            shown += ", sparse=True"
        return shown

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Embedding:
        """A table of the vectors `embeddings`, of two dimensions, learnt on only if not `freeze`.

        Raises:
            AssertionError: `embeddings` does not have two dimensions.
        """
        if embeddings.dim() != 2:
            raise AssertionError(f"from_pretrained: vectors of 2 dimensions are needed, not {embeddings.dim()}")
        rows, columns = embeddings.shape
        return cls(
            rows,
            columns,
            padding_idx,
            max_norm,
            norm_type,
            scale_grad_by_freq,
            sparse,
            _weight=embeddings,
            _freeze=freeze,
        )


class EmbeddingBag(_Table):
    """The sum, mean or largest of the vectors of several numbers, without all of them in memory.

    Args:
        num_embeddings: the number of vectors.
        embedding_dim: the size of a vector.
        max_norm: vectors looked up are shortened to this norm, in place.
        norm_type: the exponent of that norm.
        scale_grad_by_freq: whether a gradient is divided by how often its number is in the batch.
        mode: `"sum"`, `"mean"` or `"max"`.
        sparse: whether the gradient is to be sparse.
        _weight: the vectors to begin with.
        include_last_offset: whether the offsets end with the number of numbers.
        padding_idx: the number that does not count, and whose vector gets no gradient.
        device: where the vectors are.
        dtype: their dtype.

    Attributes:
        weight: of shape `(num_embeddings, embedding_dim)`, first drawn normally.
    """

    max_norm: float | None
    norm_type: float
    scale_grad_by_freq: bool
    mode: str
    sparse: bool
    include_last_offset: bool

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        _weight: Tensor | None = None,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.padding_idx = self._place_of_padding(padding_idx)
        self._make_weight(_weight, True, device, dtype)
        self.mode = mode
        self.sparse = sparse
        self.include_last_offset = include_last_offset

    def forward(self, input: Tensor, offsets: Tensor | None = None, per_sample_weights: Tensor | None = None) -> Tensor:
        """One vector for each bag: of shape `(B, embedding_dim)`.

        Args:
            input: the numbers, of shape `(B, N)`, or `(M)` together with `offsets`.
            offsets: where in `input` each bag begins.
            per_sample_weights: a factor for each number, if `mode` is `"sum"`.
        """
        return functional.embedding_bag(
            input,
            self.weight,
            offsets,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.mode,
            self.sparse,
            per_sample_weights,
            self.include_last_offset,
            self.padding_idx,
        )

    def extra_repr(self) -> str:
        shown = f"{self.num_embeddings}, {self.embedding_dim}"
        if self.max_norm is not None:
            shown += f", max_norm={self.max_norm}"
        if self.norm_type != 2:
            shown += f", norm_type={self.norm_type}"
        if self.scale_grad_by_freq:
            shown += f", scale_grad_by_freq={self.scale_grad_by_freq}"
        shown += f", mode={self.mode!r}"
        if self.padding_idx is not None:
            shown += f", padding_idx={self.padding_idx}"
        return shown

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
    ) -> EmbeddingBag:
        """A table of the vectors `embeddings`, of two dimensions, learnt on only if not `freeze`.

        Raises:
            AssertionError: `embeddings` does not have two dimensions.
        """
        if embeddings.dim() != 2:
            raise AssertionError(f"from_pretrained: vectors of 2 dimensions are needed, not {embeddings.dim()}")
        rows, columns = embeddings.shape
        table = cls(
            rows,
            columns,
            max_norm,
            norm_type,
            scale_grad_by_freq,
            mode,
            sparse,
            embeddings,
            include_last_offset,
            padding_idx,
        )
        table.weight.requires_grad = not freeze
        return table
