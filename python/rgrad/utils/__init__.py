"""Tools around tensors and modules: hooks, checkpoints."""


def __getattr__(name):
    # Checkpoints are imported when they are asked for: `import rgrad` stays quick.
    if name == "checkpoint":
        from importlib import import_module

        return import_module("rgrad.utils.checkpoint")
    raise AttributeError(f"module 'rgrad.utils' has no attribute '{name}'")
