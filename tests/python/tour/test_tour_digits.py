"""The network of the tour: its data, its training, its test."""

from __future__ import annotations

import rgrad
from rgrad.tour import digits


def test_the_test_images_are_not_among_those_learned_from() -> None:
    data = digits.load(0)
    assert tuple(data.images.shape) == (1347, 64)
    assert tuple(data.test_images.shape) == (450, 64)
    assert data.images.dtype is rgrad.float32
    assert data.labels.dtype is rgrad.int64
    learned = {tuple(image) for image in data.images.tolist()}
    assert not any(tuple(image) in learned for image in data.test_images.tolist())


def test_every_digit_has_its_share_in_the_test() -> None:
    labels = digits.load(0).test_labels.tolist()
    assert all(40 <= labels.count(digit) <= 50 for digit in range(10))


def test_training_reaches_the_accuracy_promised() -> None:
    data = digits.load(1)
    rgrad.manual_seed(1)
    model = digits.build()
    reported: list[float] = []
    losses = digits.train(model, data, 600, reported.append)
    assert reported == losses
    assert len(losses) == 600
    assert losses[-1] < losses[0]
    assert digits.accuracy(model, data.test_images, data.test_labels) > 0.95
