"""The libraries that PyTorch computes with.

rgrad has kernels of its own: none of these is used; their switches are kept.
"""

from __future__ import annotations

from rgrad.backends import cpu, cuda, cudnn, mkl, mkldnn, mps, openmp

__all__ = ["cpu", "cuda", "cudnn", "mkl", "mkldnn", "mps", "openmp"]
