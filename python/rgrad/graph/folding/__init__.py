"""Makes a large graph readable: what repeats is drawn once, what is too long is shortened."""

from rgrad.graph.folding.fold import fold
from rgrad.graph.folding.truncate import truncate

__all__ = ["fold", "truncate"]
