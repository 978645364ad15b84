"""Losses with all their options, as functions and as modules: values and gradients of two orders, refusals."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from oracle import agree, gradients, raises

RANDOM = np.random.default_rng(5)
REDUCTIONS = ["mean", "sum", "none"]


def product(**choices):
    return [dict(zip(choices, values)) for values in itertools.product(*choices.values())]


# Names of tensors made in `made`, by which the tables speak of them.
VALUES = {
    "scores": RANDOM.normal(size=(5, 4)),
    "other scores": RANDOM.normal(size=(5, 4)),
    "probabilities": RANDOM.uniform(0.05, 0.95, (5, 4)),
    "certain": np.array([[0.0, 1.0], [1.0, 0.0]]),
    "truths": (RANDOM.random((5, 4)) < 0.5).astype(float),
    "positive": RANDOM.uniform(0.5, 2, (5, 4)),
    "of columns": RANDOM.uniform(0.5, 2, 4),
    "classes": np.array([0, 3, 1, 1, 2]),
    "some ignored": np.array([0, -100, 1, 3, -100]),
    "all ignored": np.array([-100] * 5),
    "one class": np.array(2),
    "row": RANDOM.normal(size=4),
    "image": RANDOM.normal(size=(2, 4, 3, 2)),
    "image classes": RANDOM.integers(0, 4, (2, 3, 2)),
    "sequence": RANDOM.normal(size=(2, 4, 3)),
    "sequence classes": RANDOM.integers(0, 4, (2, 3)),
    "distributions": RANDOM.dirichlet([1.0] * 4, 5),
    "image distributions": np.moveaxis(RANDOM.dirichlet([1.0] * 4, (2, 3, 2)), -1, 1),
    "no rows": np.zeros((0, 4)),
    "no classes": np.zeros(0, dtype=np.int64),
    "far": np.array([[1e4, -1e4], [-1e4, 1e4]]),
    "column": RANDOM.normal(size=(5, 1)),
}


def rows(functions, pairs, **choices):
    """Each function with each pair of an input and a target and all combinations of options."""
    return [(f, *pair, o) for f in functions for pair in pairs for o in product(reduction=REDUCTIONS, **choices)]


DISTANCES = ["mse_loss", "l1_loss"]
NLL, ENTROPY = ["nll_loss"], ["cross_entropy"]
OF_TRUTHS, OF_LOGITS = ["binary_cross_entropy"], ["binary_cross_entropy_with_logits"]
SAME_SIZES = [("scores", "other scores"), ("row", "of columns"), ("no rows", "no rows")]
BROADCAST = [("scores", "row"), ("column", "scores")]
CLASSES = [("scores", "classes"), ("scores", "some ignored"), ("row", "one class"), ("image", "image classes")]
MORE = [("sequence", "sequence classes"), ("scores", "distributions"), ("image", "image distributions")]
WEIGHTS = [None, "of columns"]
TRUTHS = ["truths", "probabilities"]

# A function, its input and target, and its options.
ROWS = [
    *rows(DISTANCES, [*SAME_SIZES, *BROADCAST]),
    *rows(DISTANCES, [("scores", "other scores")], weight=["positive"]),
    *rows(NLL, CLASSES, weight=WEIGHTS),
    *rows(NLL, [("scores", "classes")], weight=WEIGHTS, ignore_index=[1, 7]),
    *rows(ENTROPY, [*CLASSES, *MORE], weight=WEIGHTS, label_smoothing=[0.0, 0.2]),
    *rows(ENTROPY, [("scores", "classes")], weight=WEIGHTS, label_smoothing=[0.0, 0.2], ignore_index=[1]),
    *rows([*NLL, *ENTROPY], [("scores", "all ignored"), ("no rows", "no classes")]),
    *rows(ENTROPY, [("row", "row")]),
    *rows(OF_TRUTHS, [("probabilities", t) for t in TRUTHS], weight=[None, "positive", "of columns"]),
    *rows(OF_TRUTHS, [("certain", "certain")]),
    *rows(OF_LOGITS, [("scores", t) for t in TRUTHS], weight=[None, "positive", "of columns"], pos_weight=WEIGHTS),
    *rows(OF_LOGITS, [("far", "certain")]),
]
MODULES = {
    "mse_loss": "MSELoss",
    "l1_loss": "L1Loss",
    "nll_loss": "NLLLoss",
    "cross_entropy": "CrossEntropyLoss",
    "binary_cross_entropy": "BCELoss",
    "binary_cross_entropy_with_logits": "BCEWithLogitsLoss",
}


def label(row):
    return "-".join(str(part).replace(" ", "_") for part in row)


class Made:
    """The tensors of one run, each made once."""

    def __init__(self, lib, dtype):
        self.lib, self.dtype = lib, dtype

    def __call__(self, name):
        array = VALUES[name]
        return self.lib.tensor(array, dtype=getattr(self.lib, self.dtype) if array.dtype.kind == "f" else None)

    def options(self, row):
        return {k: self(v) if k in ("weight", "pos_weight") and v else v for k, v in row.items()}


@pytest.mark.parametrize("row", ROWS, ids=label)
def test_functions(row):
    """Value, and gradients of two orders in the input and, where that has any, in the target."""
    name, given, wanted, options = row

    def program(lib):
        made = Made(lib, "float64")
        x, target = made(given).requires_grad_(), made(wanted)
        differentiable = target.is_floating_point() and name != "binary_cross_entropy"
        leaves = [x, target.requires_grad_()] if differentiable else [x]
        loss = getattr(lib.nn.functional, name)(x, target, **made.options(options))
        return loss, gradients(lib, loss, leaves)

    agree(program, strides=False, graph=False)


@pytest.mark.parametrize("row", ROWS[:: len(ROWS) // 60], ids=label)
def test_modules(row):
    """In single precision, with the text of the module and what it saves."""
    name, given, wanted, options = row
    if name in ("mse_loss", "l1_loss") and "weight" in options:
        options = {k: v for k, v in options.items() if k != "weight"}

    def program(lib):
        made = Made(lib, "float32")
        module = getattr(lib.nn, MODULES[name])(**made.options(options))
        x = made(given).requires_grad_()
        loss = module(x, made(wanted))
        loss.sum().backward()
        return loss, x.grad, repr(module), dict(module.state_dict())

    agree(program, strides=False, graph=False)


REFUSED = {
    "reduction": lambda f, t: f.mse_loss(t("scores"), t("scores"), reduction="median"),
    "reduction of classes": lambda f, t: f.cross_entropy(t("scores"), t("classes"), reduction="median"),
    "reduction of truths": lambda f, t: f.binary_cross_entropy(t("probabilities"), t("truths"), reduction="x"),
    "sizes": lambda f, t: f.mse_loss(t("scores"), t("image")),
    "sizes of truths": lambda f, t: f.binary_cross_entropy(t("probabilities"), t("row")),
    "sizes of logits": lambda f, t: f.binary_cross_entropy_with_logits(t("scores"), t("row")),
    "probability beyond one": lambda f, t: f.binary_cross_entropy(t("positive"), t("truths")),
    "class beyond the last": lambda f, t: f.nll_loss(t("scores"), t("classes") + 2),
    "class below zero": lambda f, t: f.nll_loss(t("scores"), t("classes") - 3),
    "class beyond the last of scores": lambda f, t: f.cross_entropy(t("scores"), t("classes") + 2),
    "number of classes": lambda f, t: f.nll_loss(t("scores"), t("image classes")),
    "number of rows": lambda f, t: f.nll_loss(t("scores"), t("classes")[:3]),
    "number of weights": lambda f, t: f.nll_loss(t("scores"), t("classes"), weight=t("row")[:3]),
    "classes that are floats": lambda f, t: f.nll_loss(t("scores"), t("scores")[:, 0]),
    "classes that are bytes of the wrong kind": lambda f, t: f.nll_loss(t("scores"), t("classes").int()),
    "smoothing": lambda f, t: f.cross_entropy(t("scores"), t("classes"), label_smoothing=1.5),
    "probabilities that are classes": lambda f, t: f.cross_entropy(t("scores"), t("scores").long()),
    "no target": lambda f, t: f.mse_loss(t("scores")),
    "integers": lambda f, t: f.mse_loss(t("classes"), t("classes")),
    "no dimensions": lambda f, t: f.nll_loss(t("one class").double(), t("one class")),
    "two types of truths": lambda f, t: f.binary_cross_entropy(t("probabilities"), t("truths").float()),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals(case):
    raises(lambda lib: REFUSED[case](lib.nn.functional, Made(lib, "float64")))


@pytest.mark.parametrize("size_average", [None, True, False])
@pytest.mark.parametrize("reduce", [None, True, False])
@pytest.mark.parametrize("name", MODULES)
def test_deprecated_options(name, reduce, size_average):
    """The two options that `reduction` has replaced still mean what they meant."""
    given, wanted = next((row[1], row[2]) for row in ROWS if row[0] == name)

    def program(lib):
        made = Made(lib, "float64")
        arguments = (made(given), made(wanted))
        function = getattr(lib.nn.functional, name)
        return function(*arguments, size_average=size_average, reduce=reduce)

    agree(program)


def test_shapes_that_are_broadcast_are_warned_of():
    def program(lib):
        made = Made(lib, "float64")
        for name in ("mse_loss", "l1_loss"):
            with pytest.warns(UserWarning):
                getattr(lib.nn.functional, name)(made("column"), made("row"))

    agree(program)
