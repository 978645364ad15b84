"""The autograd graph seen from outside: pictures of it, what it keeps in memory, and where its gradients break.

>>> import rgrad
>>> w = rgrad.ones(3, requires_grad=True)
>>> picture = rgrad.graph.draw((w * 2).sum(), names={"w": w})
>>> picture.save("graph.svg")
"""

from rgrad.graph.drawing import Drawing, draw
from rgrad.graph.memory import MemoryReport, MemoryRow, memory_report
from rgrad.graph.nonfinite import NonfiniteGradient, NonfiniteReport, nonfinite_report

__all__ = [
    "Drawing",
    "MemoryReport",
    "MemoryRow",
    "NonfiniteGradient",
    "NonfiniteReport",
    "draw",
    "memory_report",
    "nonfinite_report",
]
