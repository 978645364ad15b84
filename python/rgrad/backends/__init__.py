"""The libraries that PyTorch computes with. rgrad has its own kernels: none of them is used, their switches are kept."""

from __future__ import annotations

from rgrad.backends import cpu, cuda, cudnn, mkl, mkldnn, mps, openmp

__all__ = ["cpu", "cuda", "cudnn", "mkl", "mkldnn", "mps", "openmp"]
