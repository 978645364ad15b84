"""A program whose types are right: `mypy --strict` accepts it."""

import numpy as np

import rgrad as torch
from rgrad import Tensor, nn, optim
from rgrad.nn import functional as F


class Net(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(2, width)
        self.out = nn.Linear(width, 1)

    def forward(self, x: Tensor) -> Tensor:
        hidden: Tensor = F.relu(self.hidden(x))
        result: Tensor = self.out(hidden)
        return result


@torch.no_grad()
def evaluate(net: Net, x: Tensor) -> float:
    return float(net(x).mean())


@torch.no_grad
def mean(x: Tensor) -> Tensor:
    return x.mean()


def train(steps: int = 3) -> list[float]:
    torch.manual_seed(0)
    net = Net(8)
    optimizer = optim.Adam(net.parameters(), lr=1e-2)
    x = torch.randn(16, 2)
    target = (x[:, 0] > 0).float().unsqueeze(1)
    losses: list[float] = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(net(x), target)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.item()))
    return losses


def shapes(x: Tensor) -> tuple[int, torch.Size, list[int]]:
    rows, columns = x.shape
    largest = x.max(dim=1)
    indices: Tensor = largest.indices
    y = x.view(-1, columns).reshape([rows, columns]).permute(1, 0)[None, ..., 1:]
    y.mul_(2).add_(1)
    parts = torch.split(indices, 1)
    return y.dim() + len(parts), x.shape[:1], list(x.size())


def derivatives() -> Tensor:
    x = torch.tensor([1.0, 2.0], requires_grad=True, dtype=torch.float64)
    y = (x**2 + 1.0 / x - np.float64(2.0)).sum()
    (first,) = torch.autograd.grad(y, x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), [x], retain_graph=True)
    y.backward()
    gradient = x.grad
    assert gradient is not None
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(x, torch.ones_like(x))
        tangent = torch.autograd.forward_ad.unpack_dual(dual * dual).tangent
    assert tangent is not None
    return second + gradient + tangent


def arrays() -> Tensor:
    shared = torch.from_numpy(np.zeros(3, dtype=np.float32))
    return torch.stack([shared, torch.as_tensor(shared.numpy())]).to(torch.float64)


if __name__ == "__main__":
    print(train(), evaluate(Net(2), torch.ones(1, 2)), mean(torch.ones(3)).item(), shapes(torch.rand(2, 3)))
    print(derivatives().tolist(), arrays().shape)
