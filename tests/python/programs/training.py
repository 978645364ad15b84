"""What the programs have in common."""

from __future__ import annotations


def train(optimizer, loss, steps, after=None):
    """The losses of `steps` steps, each behind one call of `after`."""
    curve = []
    for _ in range(steps):
        optimizer.zero_grad()
        value = loss()
        value.backward()
        optimizer.step()
        if after is not None:
            after()
        curve.append(value.item())
    return curve
