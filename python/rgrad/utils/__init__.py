"""Tools around tensors and modules: hooks, checkpoints."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType


def __getattr__(name: str) -> "ModuleType":
    # Checkpoints are imported when they are asked for: `import rgrad` stays quick.
    if name == "checkpoint":
        from importlib import import_module

        return import_module("rgrad.utils.checkpoint")
    raise AttributeError(f"module 'rgrad.utils' has no attribute '{name}'")
