"""Mistakes that `mypy --strict` finds before the program runs; the comment on a line names the kind of each."""

import rgrad as torch
from rgrad import Tensor, nn, optim

x = torch.ones(3, requires_grad=True)

torch.exp("x")  # refused: arg-type
torch.exq(x)  # refused: attr-defined
x.shap  # refused: attr-defined
x.sum(dims=0)  # refused: call-overload
x.view("2")  # refused: arg-type
x + "1"  # refused: operator
x @ 2.0  # refused: operator
torch.zeros("3")  # refused: arg-type
torch.ones(3, dtype="float32")  # refused: call-overload
torch.cat(x, x)  # refused: arg-type
x.is_leaf = True  # refused: misc
x.grad + 1  # refused: operator
x.grad_fn.next_functions  # refused: union-attr
x.backward(gradient=1.0)  # refused: arg-type
torch.autograd.grad(x.sum(), "x")  # refused: arg-type
torch.autograd.grad(x.sum(), x, allow_unused=True)[0] + 1  # refused: operator
count: int = x.numel() / 2  # refused: assignment
name: str = x.shape[0]  # refused: assignment
values: Tensor = x.max(dim=0)  # refused: assignment
nn.Linear("3", 2)  # refused: arg-type
nn.functional.relu(3)  # refused: arg-type
nn.functional.softmax(x, "0")  # refused: arg-type
optim.SGD([x], momentum="0.9")  # refused: arg-type


@torch.no_grad()
def double(value: Tensor) -> Tensor:
    return 2 * value


double(3)  # refused: arg-type
