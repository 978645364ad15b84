"""Results are the same to the last bit however many threads compute them, and whenever they are computed again."""

from __future__ import annotations

import pytest

import rgrad


@pytest.fixture
def threads():
    """Sets the number of threads, and the usual one afterwards."""
    usual = rgrad.get_num_threads()
    yield rgrad.set_num_threads
    rgrad.set_num_threads(usual)


def training_step(size):
    """A step large enough for several threads to take part in: losses, gradients, parameters."""
    rgrad.manual_seed(2)
    nn = rgrad.nn
    model = nn.Sequential(nn.Linear(size, 2 * size), nn.Tanh(), nn.Dropout(0.1), nn.Linear(2 * size, 10))
    optimizer = rgrad.optim.Adam(model.parameters(), lr=0.01)
    inputs, targets = rgrad.randn(300, size), rgrad.randint(10, (300,))
    seen = []
    for _ in range(2):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(inputs), targets)
        loss.backward()
        seen += [loss.detach(), *(p.grad.clone() for p in model.parameters())]
        optimizer.step()
    return [*seen, *(p.detach() for p in model.parameters())]


OPERATIONS = {
    "sum": lambda x: x.sum(),
    "sum of rows": lambda x: x.sum(1),
    "sum of columns": lambda x: x.sum(0),
    "mean": lambda x: x.mean(),
    "var": lambda x: x.var(),
    "product of matrices": lambda x: x @ x.t(),
    "transposed product": lambda x: x.t() @ x,
    "softmax": lambda x: x.softmax(1),
    "logsumexp": lambda x: x.logsumexp(0),
    "exp": lambda x: x.exp(),
    "strided": lambda x: x.t()[::3] * x.t()[::3],
    "broadcast": lambda x: x + x[0] * x[:, :1],
    "prod": lambda x: (x * 0.01 + 1).prod(0),
    "scatter_add": lambda x: rgrad.zeros(7, x.shape[1]).scatter_add(
        0, (rgrad.arange(x.numel()) % 7).reshape(x.shape), x
    ),
    "index_add": lambda x: rgrad.zeros(7, x.shape[1]).index_add(0, rgrad.arange(x.shape[0]) % 7, x),
}


def bits(tensors):
    return [t.numpy().tobytes() for t in tensors]


@pytest.mark.parametrize("size", [7, 64, 200])
def test_a_training_step(size, threads):
    found = []
    for count in (1, 2, 3, 2):
        threads(count)
        assert rgrad.get_num_threads() == count
        found.append(bits(training_step(size)))
    assert all(row == found[0] for row in found)


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations(name, threads):
    """Values and gradients of tensors of a size that no number of threads divides."""
    rgrad.manual_seed(1)
    x = rgrad.randn(517, 331)
    found = []
    for count in (1, 2, 3):
        threads(count)
        leaf = x.clone().requires_grad_()
        result = OPERATIONS[name](leaf)
        (result * result).sum().backward()
        found.append(bits([result.detach(), leaf.grad]))
    assert all(row == found[0] for row in found)
