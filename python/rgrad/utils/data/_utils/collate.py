"""Making batches of examples."""

from rgrad.utils.data.collate import *  # noqa: F403
from rgrad.utils.data.collate import __all__ as __all__
