"""One set of modules under every name that the package has.

After ``sys.modules["torch"] = rgrad``, ``import torch.nn`` would load `rgrad/nn` a second time, with its own classes.
The finder here gives the module that `rgrad` has. It acts only below a name in `sys.modules` under which stands a
package of rgrad that is called otherwise.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any
else:
    Loader = object  # what is asked of one are the two methods; `importlib.abc` takes long to import

PACKAGE = __name__.partition(".")[0]


class AliasFinder:
    """Finds `alias.name`, where `alias` stands for a package of rgrad, as `rgrad.name`."""

    @staticmethod
    def find_spec(fullname: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        parent, dot, child = fullname.rpartition(".")
        if not dot:
            return None
        own = getattr(sys.modules.get(parent), "__name__", parent)
        if own == parent or own.partition(".")[0] != PACKAGE:
            return None
        # Imported here, because few programs come here.
        from importlib.machinery import ModuleSpec
        from importlib.util import find_spec

        name = f"{own}.{child}"
        # What rgrad has not is reported under the name that was asked for.
        return ModuleSpec(fullname, AliasLoader(name)) if find_spec(name) else None


class AliasLoader(Loader):
    """Gives a module of rgrad under another name, as it is."""

    def __init__(self, name: str) -> None:
        self.name = name

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        from importlib import import_module

        module = import_module(self.name)
        self.spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        # The import system has written the alias' spec into the module.
        module.__spec__ = self.spec


def install() -> None:
    """Put the finder before those that look for files."""
    if AliasFinder not in sys.meta_path:
        sys.meta_path.insert(0, AliasFinder)
