"""Writes pictures as SVG, as DOT for Graphviz, and as Mermaid for Markdown."""

from rgrad.graph.formats.dot import to_dot
from rgrad.graph.formats.mermaid import to_mermaid
from rgrad.graph.formats.svg import to_svg

__all__ = ["to_dot", "to_mermaid", "to_svg"]
