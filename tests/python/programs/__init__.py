"""Small training runs, each a function of the library that it runs on and giving the curve of its losses.

A module holds programs of one kind; `FAMILIES` has them all, by name.
"""

from __future__ import annotations

from . import generation, language, learning, physics, vision

FAMILIES = {
    name: program
    for module in (vision, language, generation, physics, learning)
    for name, program in vars(module).items()
    if name in module.__all__
}
