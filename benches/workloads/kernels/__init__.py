"""Numeric loops on larger tensors, a module for each kind of work."""

from workloads.kernels import elementwise, indexing, products, reductions, windows

__all__ = ["elementwise", "indexing", "products", "reductions", "windows"]
