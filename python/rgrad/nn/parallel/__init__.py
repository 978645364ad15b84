"""Modules on several devices at once, of which there is only one here."""

from __future__ import annotations

from rgrad.nn.parallel.data_parallel import DataParallel, data_parallel
from rgrad.nn.parallel.distributed import DistributedDataParallel

__all__ = ["DataParallel", "DistributedDataParallel", "data_parallel"]
