"""Changing the learning rates of an optimizer as training goes on."""

from __future__ import annotations

from rgrad.optim.lr_scheduler.combined import ChainedScheduler, SequentialLR
from rgrad.optim.lr_scheduler.cosine import CosineAnnealingLR, CosineAnnealingWarmRestarts
from rgrad.optim.lr_scheduler.cyclic import CyclicLR, OneCycleLR
from rgrad.optim.lr_scheduler.decay import ExponentialLR, MultiStepLR, StepLR
from rgrad.optim.lr_scheduler.factor import ConstantLR, LinearLR, PolynomialLR
from rgrad.optim.lr_scheduler.multiplier import LambdaLR, MultiplicativeLR
from rgrad.optim.lr_scheduler.plateau import ReduceLROnPlateau
from rgrad.optim.lr_scheduler.schedule import LRScheduler

__all__ = [
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]

#: The name of `LRScheduler` in older programs.
_LRScheduler = LRScheduler
