"""Layered layout: every item on a line below its inputs, with few crossings and straight arrows."""

from rgrad.graph.layout.arrange import Arrangement, Placed, Route, arrange

__all__ = ["Arrangement", "Placed", "Route", "arrange"]
