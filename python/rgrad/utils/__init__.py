"""Tools around tensors and modules: hooks, checkpoints."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType


def __getattr__(name: str) -> "ModuleType":
    # Checkpoints, data and extensions are imported when they are asked for: `import rgrad` stays quick.
    if name in ("checkpoint", "cpp_extension", "data"):
        from importlib import import_module

        return import_module(f"rgrad.utils.{name}")
    raise AttributeError(f"module 'rgrad.utils' has no attribute '{name}'")
