"""Layers and activations, as functions and as modules, and small networks in training, beside torch."""

from __future__ import annotations

import numpy as np
import pytest

from oracle import agree, evaluated, gradients, lines

FUNCTIONS = """
    f.relu(x)
    f.relu(x.clone(), inplace=True)
    f.sigmoid(x)
    f.tanh(x)
    f.softmax(x, 0)
    f.softmax(x, 1)
    f.softmax(x, dim=-1)
    f.softmax(x)
    f.softmax(x, -1, dtype=lib.float32)
    f.softmax(x * 1e4, 1)
    f.log_softmax(x, 0)
    f.log_softmax(x, dim=1)
    f.log_softmax(x)
    f.log_softmax(x, 1, dtype=lib.float32)
    f.log_softmax(x * 1e4, 1)
    f.linear(x, w)
    f.linear(x, w, b)
    f.linear(x[0], w, b)
    f.linear(x.reshape(1, 3, 1, 4), w, b)
    f.linear(x, w[0])
    f.linear(x, w[0], b[0])
    f.linear(x.t().contiguous().t(), w, b)
    f.linear(input=x, weight=w, bias=b)
    f.dropout(x, 0.0)
    f.dropout(x, 1.0)
    f.dropout(x, 0.5, training=False)
    f.dropout(x, p=0.3, training=True)
    lib.relu(x)
    lib.sigmoid(x)
    x.tanh()
    x.relu()
    lib.softmax(x, 1)
    x.log_softmax(0)
    lib.nn.ReLU()(x)
    lib.nn.ReLU(inplace=True)(x * 1)
    lib.nn.Sigmoid()(x)
    lib.nn.Tanh()(x)
    lib.nn.Softmax(1)(x)
    lib.nn.Softmax(dim=0)(x)
    lib.nn.Softmax()(x)
    lib.nn.LogSoftmax(dim=-1)(x)
    lib.nn.Identity(3, unused=4)(x)
    lib.nn.Flatten()(x.reshape(1, 3, 4))
    lib.nn.Flatten(0)(x)
    lib.nn.Flatten(0, -1)(x.reshape(1, 3, 4))
    lib.nn.Flatten(1, 1)(x)
    lib.nn.Unflatten(1, (2, 2))(x)
    lib.nn.Unflatten(-1, (-1, 2))(x)
    lib.nn.Unflatten(1, (3, 2))(x)
    lib.nn.Unflatten(1, [2, 2])(x)
    lib.nn.Dropout(0.5)(x)
    lib.nn.Dropout(0.5).eval()(x)
    lib.nn.Dropout(0.5, inplace=True)(x * 1)
    lib.nn.Dropout(p=1.5)
    lib.nn.Dropout(p=-0.5)
    lib.nn.Linear(4, 2, dtype=lib.float64)(x)
    lib.nn.Linear(4, 2, bias=False, dtype=lib.float64)(x)
    lib.nn.Linear(4, 0, dtype=lib.float64)(x)
    lib.nn.Linear(4, 2)(x)
    lib.nn.Linear(3, 2, dtype=lib.float64)(x)
    lib.nn.Linear(4, 2, dtype=lib.float64)(x.long())
    lib.nn.Linear(-4, 2)
    lib.nn.Linear(4)
    lib.nn.Linear(4, 2.5)
    f.linear(x, w, b.float())
    f.linear(x, w.t())
    f.linear(x, w, lib.ones(7, dtype=lib.float64))
    f.linear(3, w)
    f.softmax(x, 2)
    f.softmax(x, -3)
    f.softmax(x.long(), 1)
    f.softmax(x, "a")
    f.relu("a")
    f.relu(x > 0)
    f.relu(x.long())
    f.sigmoid(x.long())
    f.tanh(x > 0)
    f.dropout(x, 2)
    f.dropout(x, "a")
    f.dropout(x.long(), 0.5)
    f.relu(lib.tensor([float("nan"), -0.0, 0.0, float("inf"), -float("inf")]))
    f.sigmoid(lib.tensor([-1000.0, 1000.0, float("nan")]))
    f.tanh(lib.tensor([-1000.0, 1000.0, 1e-30]))
    f.softmax(lib.tensor([-float("inf"), 0.0]), 0)
    f.softmax(lib.tensor([-float("inf"), -float("inf")]), 0)
    f.log_softmax(lib.tensor([-float("inf"), 0.0]), 0)
    f.softmax(lib.zeros(0, 3), 1)
    f.softmax(lib.zeros(3, 0), 1)
    f.softmax(lib.tensor(2.0), 0)
"""


@pytest.mark.parametrize("expression", lines(FUNCTIONS))
def test_functions(expression):
    """Value and gradients of two orders."""
    code = compile(expression, expression, "eval")

    def program(lib):
        random = np.random.default_rng(2)
        lib.manual_seed(1)
        x, w, b = (lib.tensor(random.normal(size=s)).requires_grad_() for s in ((3, 4), (2, 4), 2))
        result = eval(code, {"lib": lib, "f": lib.nn.functional, "x": x, "w": w, "b": b})
        if not isinstance(result, lib.Tensor) or not result.requires_grad:
            return result
        return result, gradients(lib, result, [x, w, b])

    agree(program, strides=False, slack=(2e-5, 2e-6) if "float32" in expression else None)


TEXTS = """
    lib.nn.ReLU(inplace=True)
    lib.nn.Softmax(dim=1)
    lib.nn.Dropout(0.3, inplace=True)
    lib.nn.Linear(3, 4, bias=False)
    lib.nn.Flatten(1, 2)
    lib.nn.Unflatten(1, (2, 3))
    lib.nn.Identity()
    lib.nn.CrossEntropyLoss(label_smoothing=0.1)
    lib.nn.ModuleList([lib.nn.ReLU(), lib.nn.ReLU(), lib.nn.Linear(2, 2)])
    lib.nn.ModuleDict({"a": lib.nn.Tanh(), "b": lib.nn.Sequential(lib.nn.Linear(1, 1))})
    lib.nn.ParameterList([lib.ones(2), lib.ones(2, 3)])
    lib.nn.ParameterDict({"w": lib.ones(2)})
    lib.nn.Sequential(lib.nn.Sequential(lib.nn.Linear(2, 2), lib.nn.ReLU()), lib.nn.Sigmoid())
"""


@pytest.mark.parametrize("expression", lines(TEXTS))
def test_texts(expression):
    program = evaluated(expression)
    agree(lambda lib: (repr(program(lib)), list(program(lib).state_dict())))


NETWORKS = {
    "classes, SGD": (lambda nn: nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3)), "CrossEntropyLoss", "SGD"),
    "classes, Adam": (
        lambda nn: nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Dropout(0.2), nn.Linear(8, 3), nn.LogSoftmax(1)),
        "NLLLoss",
        "Adam",
    ),
    "numbers, AdamW": (lambda nn: nn.Sequential(nn.Linear(6, 4), nn.Sigmoid(), nn.Linear(4, 1)), "MSELoss", "AdamW"),
    "truths, SGD": (lambda nn: nn.Sequential(nn.Linear(6, 1)), "BCEWithLogitsLoss", "SGD"),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_training(name):
    """From one seed to the same losses and weights, with dropout on the way."""
    network, loss_name, optimizer_name = NETWORKS[name]

    def program(lib):
        lib.manual_seed(3)
        model, criterion = network(lib.nn), getattr(lib.nn, loss_name)()
        optimizer = getattr(lib.optim, optimizer_name)(model.parameters(), lr=0.05)
        inputs = lib.randn(20, 6)
        targets = lib.randint(3, (20,)) if "classes" in name else (inputs.sum(1, keepdim=True) > 0).float()
        losses = []
        for _ in range(10):
            optimizer.zero_grad()
            loss = criterion(model(inputs), targets)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        model.eval()
        return losses, model(inputs), list(model.parameters())

    agree(program, slack=(1e-4, 1e-5))
