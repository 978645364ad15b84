"""What an operation costs beside its arithmetic: tensors of 8 elements, long graphs, the way to numpy and back."""

from __future__ import annotations

from workloads import Library, Step, normal, workload

SMALL = {
    "mul": lambda torch, x, y: torch.mul(x, y),
    "x * y": lambda torch, x, y: x * y,
    "x + 1": lambda torch, x, y: x + 1,
    "exp": lambda torch, x, y: torch.exp(x),
    "sum": lambda torch, x, y: x.sum(),
    "view": lambda torch, x, y: x.view(2, 4),
    "x[1:3]": lambda torch, x, y: x[1:3],
    "x[0]": lambda torch, x, y: x[0],
    "reshape": lambda torch, x, y: x.reshape(4, 2),
    "cat": lambda torch, x, y: torch.cat([x, y]),
    "detach": lambda torch, x, y: x.detach(),
}


@workload("{operation} of 8 elements", operation=SMALL)
def plain(torch: Library, operation: object) -> Step:
    x, y = normal(torch, 8), normal(torch, 8, seed=1)
    return lambda: operation(torch, x, y)  # type: ignore[operator]


@workload("{operation} of 8 elements, recorded", operation=SMALL)
def recorded(torch: Library, operation: object) -> Step:
    x, y = normal(torch, 8).requires_grad_(), normal(torch, 8, seed=1)
    return lambda: operation(torch, x, y)  # type: ignore[operator]


@workload("exp of 8 elements under no_grad")
def without_recording(torch: Library) -> Step:
    x = normal(torch, 8).requires_grad_()

    def step() -> object:
        with torch.no_grad():
            return torch.exp(x)

    return step


@workload("add_ of 8 elements")
def in_place(torch: Library) -> Step:
    x, y = normal(torch, 8), torch.zeros(8)
    return lambda: x.add_(y)


@workload("add_ of 8 elements, recorded")
def in_place_recorded(torch: Library) -> Step:
    x, y = normal(torch, 8), torch.zeros(8, requires_grad=True)
    return lambda: x.clone().add_(y)


@workload("matmul 4 x 4")
def matmul(torch: Library) -> Step:
    x = normal(torch, 4, 4)
    return lambda: x @ x


@workload("matmul 4 x 4, recorded")
def matmul_recorded(torch: Library) -> Step:
    x = normal(torch, 4, 4).requires_grad_()
    return lambda: x @ x


@workload("shape")
def shape(torch: Library) -> Step:
    x = normal(torch, 2, 4)
    return lambda: tuple(x.shape)


@workload("item")
def item(torch: Library) -> Step:
    x = normal(torch, 1)
    return lambda: x.item()


@workload("tensor of a list of 3 numbers")
def from_list(torch: Library) -> Step:
    return lambda: torch.tensor([1.0, 2.0, 3.0])


@workload("zeros of 8 elements")
def zeros(torch: Library) -> Step:
    return lambda: torch.zeros(8)


@workload("numpy and back")
def numpy_round_trip(torch: Library) -> Step:
    x = normal(torch, 8)
    return lambda: torch.from_numpy(x.numpy())


@workload("exp and its backward pass")
def one_operation(torch: Library) -> Step:
    x = normal(torch, 8).requires_grad_()
    seed = torch.ones(8)

    def step() -> object:
        x.grad = None
        torch.exp(x).backward(seed)
        return x.grad

    return step


@workload("100 operations")
def chain(torch: Library) -> Step:
    x = normal(torch, 8)

    def step() -> object:
        y = x
        for _ in range(50):
            y = (y * 0.9).tanh()
        return y

    return step


@workload("100 operations and their backward pass")
def chain_with_backward(torch: Library) -> Step:
    x = normal(torch, 8).requires_grad_()

    def step() -> object:
        x.grad = None
        y = x
        for _ in range(50):
            y = (y * 0.9).tanh()
        y.sum().backward()
        return x.grad

    return step


@workload("a graph of 100,000 nodes: made, walked, freed")
def long_chain(torch: Library) -> Step:
    x = normal(torch, 8).requires_grad_()

    def step() -> object:
        x.grad = None
        y = x
        for _ in range(100_000):
            y = y + 1
        y.sum().backward()
        return x.grad

    return step


@workload("the loss of the notes and its gradients")
def notes(torch: Library) -> Step:
    x, y = torch.ones(5), torch.zeros(3)
    w, b = normal(torch, 5, 3).requires_grad_(), normal(torch, 3).requires_grad_()

    def step() -> object:
        w.grad = b.grad = None
        z = torch.matmul(x, w) + b
        loss = torch.nn.functional.binary_cross_entropy_with_logits(z, y)
        loss.backward()
        return loss, w.grad, b.grad

    return step
