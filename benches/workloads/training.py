"""Whole steps of training: forward pass, loss, backward pass, update."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workloads import Library, Step, classes, normal, workload


def prepared(torch: Library, model: Any) -> Any:
    """A model with the same weights in every library."""
    with torch.no_grad():
        for i, parameter in enumerate(model.parameters()):
            parameter.copy_(normal(torch, *parameter.shape, seed=i) * 0.1)
    return model


def trained(torch: Library, model: Any, optimizer: Any, loss_of: Callable[[], Any]) -> Step:
    """A step of training; its result is the loss and the first parameter after the step."""
    first = next(iter(model.parameters()))

    def step() -> object:
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        optimizer.step()
        return loss, first

    return step


def perceptron(torch: Library, inputs: int, hidden: int, outputs: int) -> Any:
    nn = torch.nn
    layers = nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, outputs)
    return prepared(torch, nn.Sequential(*layers))


OPTIMIZERS = {
    "SGD": lambda torch, parameters: torch.optim.SGD(parameters, lr=1e-3),
    "SGD with momentum": lambda torch, parameters: torch.optim.SGD(parameters, lr=1e-3, momentum=0.9),
    "Adam": lambda torch, parameters: torch.optim.Adam(parameters, lr=1e-4),
    "AdamW": lambda torch, parameters: torch.optim.AdamW(parameters, lr=1e-4),
}
FEW = {name: OPTIMIZERS[name] for name in ("SGD", "Adam")}


@workload("2-16-16-2, batch {batch}, {optimizer}", batch=[1, 64], optimizer=FEW)
def tiny_perceptron(torch: Library, batch: int, optimizer: Callable[..., Any]) -> Step:
    return classifier(torch, batch, optimizer, 2, 16, 2)


@workload("64-64-64-10, batch {batch}, {optimizer}", batch=[1, 32, 128, 512], optimizer=FEW)
def small_perceptron(torch: Library, batch: int, optimizer: Callable[..., Any]) -> Step:
    return classifier(torch, batch, optimizer, 64, 64, 10)


@workload("784-128-128-10, batch {batch}, {optimizer}", batch=[1, 32, 128, 512], optimizer=FEW)
def larger_perceptron(torch: Library, batch: int, optimizer: Callable[..., Any]) -> Step:
    return classifier(torch, batch, optimizer, 784, 128, 10)


def classifier(
    torch: Library, batch: int, optimizer: Callable[..., Any], inputs: int, hidden: int, outputs: int
) -> Step:
    model = perceptron(torch, inputs, hidden, outputs)
    x, target = normal(torch, batch, inputs), classes(torch, batch, outputs)
    cross_entropy = torch.nn.functional.cross_entropy
    return trained(torch, model, optimizer(torch, model.parameters()), lambda: cross_entropy(model(x), target))


@workload("forward pass only: 64-64-64-10, batch {batch}", batch=[1, 128])
def inference(torch: Library, batch: int) -> Step:
    model = perceptron(torch, 64, 64, 10)
    x = normal(torch, batch, 64)

    def step() -> object:
        with torch.no_grad():
            return model(x)

    return step


@workload("update of 100 parameters of 8 x 8, {optimizer}", optimizer=OPTIMIZERS)
def update(torch: Library, optimizer: Callable[..., Any]) -> Step:
    parameters = [normal(torch, 8, 8, seed=i).requires_grad_() for i in range(100)]
    for parameter in parameters:
        parameter.grad = torch.ones(8, 8)
    optimized = optimizer(torch, parameters)

    def step() -> object:
        optimized.step()
        return parameters

    return step


@workload("LeNet, batch 32, SGD")
def lenet(torch: Library) -> Step:
    nn = torch.nn
    first = nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)
    second = nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2)
    head = nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)
    model = prepared(torch, nn.Sequential(*first, *second, *head))
    x, target = normal(torch, 32, 1, 28, 28), classes(torch, 32, 10)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    return trained(torch, model, optimizer, lambda: nn.functional.cross_entropy(model(x), target))


@workload("residual block: 8 x 32 x 16 x 16, batch norm, SGD")
def residual(torch: Library) -> Step:
    nn = torch.nn
    layers = nn.Conv2d(32, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.Conv2d(32, 32, 3, padding=1)
    model = prepared(torch, nn.Sequential(*layers, nn.BatchNorm2d(32)))
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)
    x = normal(torch, 8, 32, 16, 16)
    return trained(torch, model, optimizer, lambda: (torch.relu(x + model(x)) ** 2).mean())


@workload("autoencoder of 8 x 1 x 28 x 28 with strided and transposed convolutions, Adam")
def autoencoder(torch: Library) -> Step:
    nn = torch.nn
    into = nn.Conv2d(1, 16, 3, stride=2, padding=1), nn.SiLU(), nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.SiLU()
    out_of = nn.ConvTranspose2d(32, 16, 4, stride=2, padding=1), nn.SiLU(), nn.ConvTranspose2d(16, 1, 4, 2, 1)
    model = prepared(torch, nn.Sequential(*into, *out_of))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
    x = normal(torch, 8, 1, 28, 28)
    return trained(torch, model, optimizer, lambda: nn.functional.mse_loss(model(x), x))


@workload("gated recurrent unit written out: 32 steps, 32 units, batch 16")
def gated_recurrent_unit(torch: Library) -> Step:
    nn = torch.nn
    model = prepared(torch, nn.ModuleList([nn.Linear(32, 96), nn.Linear(32, 96)]))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
    x, target = normal(torch, 32, 16, 32), normal(torch, 16, 32, seed=1)

    def loss() -> Any:
        of_input, of_state = model
        state = torch.zeros(16, 32)
        for now in x:
            reset_in, update_in, new_in = of_input(now).chunk(3, dim=1)
            reset_state, update_state, new_state = of_state(state).chunk(3, dim=1)
            reset = torch.sigmoid(reset_in + reset_state)
            update = torch.sigmoid(update_in + update_state)
            new = torch.tanh(new_in + reset * new_state)
            state = (1 - update) * new + update * state
        return ((state - target) ** 2).mean()

    return trained(torch, model, optimizer, loss)


@workload("nn.{layer}: 32 steps, {units} units, batch 16", layer=["GRU", "LSTM"], units=[32, 128])
def recurrent_layer(torch: Library, layer: str, units: int) -> Step:
    model = prepared(torch, getattr(torch.nn, layer)(32, units))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
    x = normal(torch, 32, 16, 32)
    return trained(torch, model, optimizer, lambda: (model(x)[0] ** 2).mean())


@workload("transformer block written out: 64 tokens, 64 wide, 4 heads, batch 8")
def transformer(torch: Library) -> Step:
    nn = torch.nn
    parts = {
        "before": nn.LayerNorm(64),
        "projections": nn.Linear(64, 192),
        "out": nn.Linear(64, 64),
        "between": nn.LayerNorm(64),
        "wide": nn.Linear(64, 256),
        "narrow": nn.Linear(256, 64),
    }
    model = prepared(torch, nn.ModuleDict(parts))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    x = normal(torch, 8, 64, 64)

    def heads(part: Any) -> Any:
        return part.reshape(8, 64, 4, 16).transpose(1, 2)

    def loss() -> Any:
        query, key, value = (heads(part) for part in model["projections"](model["before"](x)).chunk(3, dim=-1))
        weights = torch.softmax(query @ key.transpose(-2, -1) / 4.0, dim=-1)
        attended = (weights @ value).transpose(1, 2).reshape(8, 64, 64)
        y = x + model["out"](attended)
        y = y + model["narrow"](nn.functional.gelu(model["wide"](model["between"](y))))
        return (y**2).mean()

    return trained(torch, model, optimizer, loss)


@workload("nn.TransformerEncoderLayer: {tokens} tokens, 64 wide, 4 heads, batch 8", tokens=[32, 128])
def encoder_layer(torch: Library, tokens: int) -> Step:
    layer = torch.nn.TransformerEncoderLayer(64, 4, dim_feedforward=256, dropout=0.0, batch_first=True)
    model = prepared(torch, layer)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    x = normal(torch, 8, tokens, 64)
    return trained(torch, model, optimizer, lambda: (model(x) ** 2).mean())


@workload("embedding of 1000 words and a classifier, batch 64")
def embedding(torch: Library) -> Step:
    nn = torch.nn
    model = prepared(torch, nn.Sequential(nn.Embedding(1000, 32), nn.Flatten(), nn.Linear(256, 10)))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
    words, target = classes(torch, 64 * 8, 1000).view(64, 8), classes(torch, 64, 10)
    return trained(torch, model, optimizer, lambda: nn.functional.cross_entropy(model(words), target))
