"""Trains a small network on the handwritten digits that come with scikit-learn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import rgrad
from rgrad import Tensor, nn, optim

_BATCH = 64
_HIDDEN = 64
_LEARNING_RATE = 3e-3
# The grey levels reach from 0 to 16 by definition: nothing is learned from the data here.
_BRIGHTEST = 16.0


@dataclass(frozen=True)
class Digits:
    """Images `(n, 64)` in float32 between 0 and 1, labels `(n,)` in int64."""

    images: Tensor
    labels: Tensor
    test_images: Tensor
    test_labels: Tensor


def load(seed: int) -> Digits:
    """The digits, a quarter of each kind put aside for the test."""
    images, labels = load_digits(return_X_y=True)
    parts = train_test_split(images / _BRIGHTEST, labels, test_size=0.25, stratify=labels, random_state=seed)
    train_images, test_images, train_labels, test_labels = parts
    return Digits(
        images=rgrad.tensor(train_images, dtype=rgrad.float32),
        labels=rgrad.tensor(train_labels, dtype=rgrad.int64),
        test_images=rgrad.tensor(test_images, dtype=rgrad.float32),
        test_labels=rgrad.tensor(test_labels, dtype=rgrad.int64),
    )


def build() -> nn.Module:
    """A network of one hidden layer: 64 pixels in, 10 scores out."""
    return nn.Sequential(nn.Linear(64, _HIDDEN), nn.ReLU(), nn.Linear(_HIDDEN, 10))


def train(model: nn.Module, digits: Digits, steps: int, on_step: Callable[[float], None]) -> list[float]:
    """Adam on shuffled batches; calls `on_step` with each loss and returns all of them."""
    optimizer = optim.Adam(model.parameters(), lr=_LEARNING_RATE)
    criterion = nn.CrossEntropyLoss()
    losses: list[float] = []
    for _, (images, labels) in zip(range(steps), _batches(digits), strict=False):
        optimizer.zero_grad()
        loss = criterion(model(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        on_step(losses[-1])
    return losses


def accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    """The share of images whose highest score is that of their label."""
    with rgrad.no_grad():
        guesses = model(images).argmax(dim=1)
    return float((guesses == labels).to(rgrad.float32).mean().item())


def _batches(digits: Digits) -> Iterator[tuple[Tensor, Tensor]]:
    """Without end: each round takes every image once, in a new order."""
    count = len(digits.labels)
    while True:
        order = rgrad.randperm(count)
        for start in range(0, count - _BATCH + 1, _BATCH):
            batch = order[start : start + _BATCH]
            yield digits.images[batch], digits.labels[batch]
