"""Normalisation over the batch, with running statistics for evaluation."""

from __future__ import annotations

import rgrad
from rgrad._rgrad import Tensor
from rgrad.nn import functional, init
from rgrad.nn.module import Module
from rgrad.nn.modules.lazy import LazyModuleMixin
from rgrad.nn.parameter import Parameter, UninitializedBuffer, UninitializedParameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "LazyBatchNorm1d",
    "LazyBatchNorm2d",
    "LazyBatchNorm3d",
    "SyncBatchNorm",
]


class _NormBase(Module):
    """What normalisations with running statistics share.

    Args:
        num_features: the number of channels, the size of the second dimension.
        eps: added to the variance.
        momentum: the part that a new batch has in the running statistics; all batches count alike if `None`.
        affine: whether each channel is scaled and moved by parameters.
        track_running_stats: whether there are running statistics, which evaluation then uses.
        device: where parameters and statistics are.
        dtype: their dtype.
        bias: whether there is a parameter to move by, if `affine`.

    Attributes:
        weight: the scales, of shape `(num_features)`, or `None`.
        bias: what is added, of shape `(num_features)`, or `None`.
        running_mean: a buffer of shape `(num_features)`, or `None`.
        running_var: a buffer of shape `(num_features)`, or `None`.
        num_batches_tracked: a buffer, the number of batches seen in training, or `None`.
    """

    # The second version counts the batches.
    _version = 2

    num_features: int
    eps: float
    momentum: float | None
    affine: bool
    track_running_stats: bool
    weight: Any
    bias: Any
    running_mean: Any
    running_var: Any
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        for name, wanted in (("weight", affine), ("bias", affine and bias)):
            values = Parameter(rgrad.empty(num_features, device=device, dtype=dtype)) if wanted else None
            self.register_parameter(name, values)
        self._register_statistics(num_features, device, dtype)
        self.reset_parameters()

    def _register_statistics(self, num_features: int, device: Any, dtype: Any) -> None:
        tracked = self.track_running_stats
        self.register_buffer("running_mean", rgrad.zeros(num_features, device=device, dtype=dtype) if tracked else None)
        self.register_buffer("running_var", rgrad.ones(num_features, device=device, dtype=dtype) if tracked else None)
        self.register_buffer(
            "num_batches_tracked", rgrad.tensor(0, dtype=rgrad.long, device=device) if tracked else None
        )

    def reset_running_stats(self) -> None:
        """Forget the batches seen."""
        if self.track_running_stats:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            if self.num_batches_tracked is not None:
                self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Forget the batches seen, and neither scale nor move any more."""
        self.reset_running_stats()
        if self.affine:
            init.ones_(self.weight)
            if self.bias is not None:
                init.zeros_(self.bias)

    def _check_input_dim(self, input: Tensor) -> None:
        """Raise `ValueError` unless `input` has a number of dimensions that the class is for."""
        raise NotImplementedError

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )

    def _load_from_state_dict(self, state_dict: Any, prefix: str, local_metadata: dict[str, Any], *others: Any) -> None:
        version = local_metadata.get("version")
        key = prefix + "num_batches_tracked"
        if (version is None or version < 2) and self.track_running_stats and key not in state_dict:
            counted = self.num_batches_tracked
            state_dict[key] = rgrad.tensor(0, dtype=rgrad.long) if counted is None else counted
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *others)


class _BatchNorm(_NormBase):
    """Normalises each channel over the batch and whatever dimensions follow the channels.

    In training by the statistics of the batch, which also go into the running ones; in evaluation by the running ones,
    if there are any. Ioffe and Szegedy, "Batch normalization" (2015).
    """

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        factor = 0.0 if self.momentum is None else self.momentum
        if self.training and self.track_running_stats and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:
                factor = 1.0 / float(self.num_batches_tracked)
        mean, variance = self.running_mean, self.running_var
        by_batch = self.training or (mean is None and variance is None)
        if self.training and not self.track_running_stats:
            mean = variance = None
        return functional.batch_norm(input, mean, variance, self.weight, self.bias, by_batch, factor, self.eps)


class BatchNorm1d(_BatchNorm):
    """Batch normalisation of `(N, C)` or `(N, C, L)`."""

    def _check_input_dim(self, input: Tensor) -> None:
        _require_dimensions(self, input, (2, 3))


class BatchNorm2d(_BatchNorm):
    """Batch normalisation of `(N, C, H, W)`."""

    def _check_input_dim(self, input: Tensor) -> None:
        _require_dimensions(self, input, (4,))


class BatchNorm3d(_BatchNorm):
    """Batch normalisation of `(N, C, D, H, W)`."""

    def _check_input_dim(self, input: Tensor) -> None:
        _require_dimensions(self, input, (5,))


class SyncBatchNorm(_BatchNorm):
    """Batch normalisation over the batches of several processes; with one process, ordinary batch normalisation.

    Args:
        num_features: the number of channels; the arguments up to `track_running_stats` are those of `BatchNorm1d`.
        process_group: the processes; there is only this one.
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        process_group: Any = None,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)
        self.process_group = process_group

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() < 2:
            raise ValueError(f"SyncBatchNorm: an input of at least 2 dimensions is needed, not {input.dim()}")

    @classmethod
    def convert_sync_batchnorm(cls, module: Module, process_group: Any = None) -> Module:
        """`module` with a `SyncBatchNorm` of the same parameters for each batch normalisation in it."""
        converted = module
        if isinstance(module, _BatchNorm):
            converted = cls(
                module.num_features,
                module.eps,
                module.momentum,
                module.affine,
                module.track_running_stats,
                process_group,
                bias=module.bias is not None,
            )
            converted.weight, converted.bias = module.weight, module.bias
            converted.running_mean, converted.running_var = module.running_mean, module.running_var
            converted.num_batches_tracked = module.num_batches_tracked
            converted.training = module.training
        for name, child in module.named_children():
            converted.add_module(name, cls.convert_sync_batchnorm(child, process_group))
        return converted


class _LazyNormBase(LazyModuleMixin, _NormBase):
    """A normalisation whose number of channels is that of the first input it is called with."""

    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        # Neither parameters nor statistics of no channels are wanted: they follow uninitialized.
        super().__init__(0, eps, momentum, False, False, device, dtype, bias=False)
        self.affine = affine
        self.track_running_stats = track_running_stats
        if affine:
            self.weight = UninitializedParameter(device=device, dtype=dtype)
            if bias:
                self.bias = UninitializedParameter(device=device, dtype=dtype)
        if track_running_stats:
            self.running_mean = UninitializedBuffer(device=device, dtype=dtype)
            self.running_var = UninitializedBuffer(device=device, dtype=dtype)
            self.num_batches_tracked = rgrad.tensor(0, dtype=rgrad.long, device=device)

    def reset_parameters(self) -> None:
        if not self.has_uninitialized_params() and self.num_features != 0:
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor) -> None:
        """Give parameters and statistics the size of the second dimension of `input`."""
        if not self.has_uninitialized_params():
            return
        self.num_features = input.shape[1]
        for held in (self.weight, self.bias, self.running_mean, self.running_var):
            if isinstance(held, (UninitializedParameter, UninitializedBuffer)):
                held.materialize((self.num_features,))
        self.reset_parameters()


class LazyBatchNorm1d(_LazyNormBase, _BatchNorm):
    """`BatchNorm1d` with the channels of the first input."""

    cls_to_become = BatchNorm1d

    def _check_input_dim(self, input: Tensor) -> None:
        _require_dimensions(self, input, (2, 3))


class LazyBatchNorm2d(_LazyNormBase, _BatchNorm):
    """`BatchNorm2d` with the channels of the first input."""

    cls_to_become = BatchNorm2d

    def _check_input_dim(self, input: Tensor) -> None:
        _require_dimensions(self, input, (4,))


class LazyBatchNorm3d(_LazyNormBase, _BatchNorm):
    """`BatchNorm3d` with the channels of the first input."""

    cls_to_become = BatchNorm3d

    def _check_input_dim(self, input: Tensor) -> None:
        _require_dimensions(self, input, (5,))


def _require_dimensions(module: Module, input: Tensor, allowed: tuple[int, ...]) -> None:
    if input.dim() not in allowed:
        numbers = " or ".join(map(str, allowed))
        raise ValueError(f"{type(module).__name__}: an input of {numbers} dimensions is needed, not {input.dim()}")
