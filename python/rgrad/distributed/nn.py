"""Exchanges between processes through which gradients pass: refused like those without."""

from __future__ import annotations

from rgrad.distributed import all_gather, all_reduce, all_to_all, broadcast, gather, reduce, reduce_scatter, scatter

__all__ = ["all_gather", "all_reduce", "all_to_all", "broadcast", "gather", "reduce", "reduce_scatter", "scatter"]
