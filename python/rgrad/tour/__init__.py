"""A walk through study notes on `torch.autograd`, run with rgrad: `python -m rgrad`."""
