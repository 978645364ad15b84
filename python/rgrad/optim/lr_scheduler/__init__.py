"""Changing the learning rates of an optimizer as training goes on."""

from __future__ import annotations

from rgrad.optim.lr_scheduler.cosine import CosineAnnealingLR
from rgrad.optim.lr_scheduler.decay import ExponentialLR, MultiStepLR, StepLR
from rgrad.optim.lr_scheduler.multiplier import LambdaLR
from rgrad.optim.lr_scheduler.plateau import ReduceLROnPlateau
from rgrad.optim.lr_scheduler.schedule import LRScheduler

__all__ = [
    "CosineAnnealingLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "MultiStepLR",
    "ReduceLROnPlateau",
    "StepLR",
]
