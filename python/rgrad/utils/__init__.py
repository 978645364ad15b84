"""Tools around tensors and modules: hooks, checkpoints."""
