"""Optimizers, which update parameters by their gradients, and schedules of learning rates."""

from __future__ import annotations

from rgrad.optim import lr_scheduler
from rgrad.optim.adadelta import Adadelta
from rgrad.optim.adafactor import Adafactor
from rgrad.optim.adagrad import Adagrad
from rgrad.optim.adam import Adam
from rgrad.optim.adamax import Adamax
from rgrad.optim.adamw import AdamW
from rgrad.optim.asgd import ASGD
from rgrad.optim.lbfgs import LBFGS
from rgrad.optim.muon import Muon
from rgrad.optim.nadam import NAdam
from rgrad.optim.optimizer import Optimizer
from rgrad.optim.radam import RAdam
from rgrad.optim.rmsprop import RMSprop
from rgrad.optim.rprop import Rprop
from rgrad.optim.sgd import SGD
from rgrad.optim.sparse_adam import SparseAdam

__all__ = [
    "ASGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "LBFGS",
    "Muon",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "SGD",
    "SparseAdam",
    "lr_scheduler",
    "swa_utils",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from rgrad.optim import swa_utils


def __getattr__(name: str) -> ModuleType:
    # Averages of models need modules, which an optimizer does not.
    if name == "swa_utils":
        from importlib import import_module

        return import_module("rgrad.optim.swa_utils")
    raise AttributeError(f"module 'rgrad.optim' has no attribute '{name}'")
