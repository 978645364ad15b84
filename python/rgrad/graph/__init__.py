"""Pictures of the autograd graph, drawn without any system program.

>>> import rgrad
>>> w = rgrad.ones(3, requires_grad=True)
>>> picture = rgrad.graph.draw((w * 2).sum(), names={"w": w})
>>> picture.save("graph.svg")
"""

from rgrad.graph.drawing import Drawing, draw

__all__ = ["Drawing", "draw"]
