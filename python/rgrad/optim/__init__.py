"""Optimizers, which update parameters by their gradients, and schedules of learning rates."""

from __future__ import annotations

from rgrad.optim import lr_scheduler
from rgrad.optim.adam import Adam
from rgrad.optim.adamw import AdamW
from rgrad.optim.optimizer import Optimizer
from rgrad.optim.sgd import SGD

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "lr_scheduler"]
