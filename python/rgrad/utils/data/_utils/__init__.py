"""Parts of the loader by the names under which PyTorch has them."""

from rgrad.utils.data import worker
from rgrad.utils.data._utils import collate

__all__ = ["collate", "worker"]
