"""Switches of CUDA, which is not there; they are kept and change nothing."""

from __future__ import annotations

from types import SimpleNamespace

__all__ = ["is_built", "matmul"]

matmul = SimpleNamespace(
    allow_tf32=False,
    allow_fp16_reduced_precision_reduction=True,
    allow_bf16_reduced_precision_reduction=True,
    allow_fp16_accumulation=False,
    fp32_precision="none",
)

_scaled_dot_product_attention = {"flash": True, "mem_efficient": True, "math": True, "cudnn": True}


def is_built() -> bool:
    """Whether there are kernels for CUDA: no."""
    return False


def flash_sdp_enabled() -> bool:
    """What `enable_flash_sdp` was given last."""
    return _scaled_dot_product_attention["flash"]


def enable_flash_sdp(enabled: bool) -> None:
    """Note a choice of kernel for CUDA, which changes nothing."""
    _scaled_dot_product_attention["flash"] = bool(enabled)


def mem_efficient_sdp_enabled() -> bool:
    """What `enable_mem_efficient_sdp` was given last."""
    return _scaled_dot_product_attention["mem_efficient"]


def enable_mem_efficient_sdp(enabled: bool) -> None:
    """Note a choice of kernel for CUDA, which changes nothing."""
    _scaled_dot_product_attention["mem_efficient"] = bool(enabled)


def math_sdp_enabled() -> bool:
    """What `enable_math_sdp` was given last."""
    return _scaled_dot_product_attention["math"]


def enable_math_sdp(enabled: bool) -> None:
    """Note a choice of kernel for CUDA, which changes nothing."""
    _scaled_dot_product_attention["math"] = bool(enabled)


def cudnn_sdp_enabled() -> bool:
    """What `enable_cudnn_sdp` was given last."""
    return _scaled_dot_product_attention["cudnn"]


def enable_cudnn_sdp(enabled: bool) -> None:
    """Note a choice of kernel for CUDA, which changes nothing."""
    _scaled_dot_product_attention["cudnn"] = bool(enabled)
