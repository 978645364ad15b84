"""Normalisation of each channel of each sample."""

from __future__ import annotations

import warnings

from rgrad.nn import functional
from rgrad.nn.modules.batchnorm import _LazyNormBase, _NormBase

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rgrad._rgrad import Tensor

__all__ = [
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "LazyInstanceNorm1d",
    "LazyInstanceNorm2d",
    "LazyInstanceNorm3d",
]


class _InstanceNorm(_NormBase):
    """Normalises each channel of each sample over the dimensions that follow the channels.

    Arguments are those of batch normalisation, with other defaults: neither parameters nor running statistics.
    Ulyanov et al., "Instance normalization" (2016).
    """

    _dimensions: int

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def _get_no_batch_dim(self) -> int:
        """The number of dimensions of a single sample."""
        return self._dimensions + 1

    def _check_input_dim(self, input: Tensor) -> None:
        single = self._get_no_batch_dim()
        if input.dim() not in (single, single + 1):
            raise ValueError(
                f"{type(self).__name__}: an input of {single} or {single + 1} dimensions is needed, not {input.dim()}"
            )

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        single = self._get_no_batch_dim()
        channels = input.shape[input.dim() - single]
        if channels != self.num_features:
            if self.affine:
                raise ValueError(
                    f"{type(self).__name__}: the input has {channels} channels, but num_features is {self.num_features}"
                )
            warnings.warn(
                f"the input has {channels} channels, but num_features, which is not used without affine, is "
                f"{self.num_features}",
                stacklevel=2,
            )
        if input.dim() == single:
            return self._normalised(input.unsqueeze(0)).squeeze(0)
        return self._normalised(input)

    def _normalised(self, input: Tensor) -> Tensor:
        return functional.instance_norm(
            input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            self.momentum if self.momentum is not None else 0.0,
            self.eps,
        )

    def _load_from_state_dict(
        self,
        state_dict: Any,
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        if local_metadata.get("version") is None and not self.track_running_stats:
            # Statistics used to be kept whether they were asked for or not.
            for name in ("running_mean", "running_var"):
                if prefix + name in state_dict:
                    error_msgs.append(
                        f"{prefix}{name}: {type(self).__name__} was saved with statistics, which it now keeps only "
                        "with track_running_stats=True: say so, or remove them from the dictionary"
                    )
        super()._load_from_state_dict(
            state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
        )


class InstanceNorm1d(_InstanceNorm):
    """Instance normalisation of `(N, C, L)` or `(C, L)`."""

    _dimensions = 1


class InstanceNorm2d(_InstanceNorm):
    """Instance normalisation of `(N, C, H, W)` or `(C, H, W)`."""

    _dimensions = 2


class InstanceNorm3d(_InstanceNorm):
    """Instance normalisation of `(N, C, D, H, W)` or `(C, D, H, W)`."""

    _dimensions = 3


class LazyInstanceNorm1d(_LazyNormBase, _InstanceNorm):
    """`InstanceNorm1d` with the channels of the first input."""

    cls_to_become = InstanceNorm1d
    _dimensions = 1


class LazyInstanceNorm2d(_LazyNormBase, _InstanceNorm):
    """`InstanceNorm2d` with the channels of the first input."""

    cls_to_become = InstanceNorm2d
    _dimensions = 2


class LazyInstanceNorm3d(_LazyNormBase, _InstanceNorm):
    """`InstanceNorm3d` with the channels of the first input."""

    cls_to_become = InstanceNorm3d
    _dimensions = 3
