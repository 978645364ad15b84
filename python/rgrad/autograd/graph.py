"""Nodes of the graph."""

from .._rgrad import Node

__all__ = ["Node"]
