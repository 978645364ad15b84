"""Finding the operation at which gradients become infinite or nan, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rgrad import _rgrad
from rgrad.graph.causes import advice
from rgrad.graph.trace import trace

if TYPE_CHECKING:
    from rgrad import Tensor
    from rgrad.autograd.graph import Node


@dataclass(frozen=True)
class NonfiniteGradient:
    """A gradient with infinite or nan elements, where everything that it was computed from was finite.

    `gradient` is what `node` gave for its input number `input`; `input` is None if the gradient arrived at the node so:
    as a sum of finite gradients that overflowed, or because the pass was started with it. `index` is that of the first
    element that is not finite, `count` says how many there are, and `masked_out` whether the gradients that arrived
    for all of them were 0: then their results had no influence, and 0 times infinity has made the nan.
    """

    node: Node
    operation: str
    place: tuple[str, int] | None
    input: int | None
    index: tuple[int, ...]
    count: int
    gradient: Tensor
    masked_out: bool

    @property
    def mask(self) -> Tensor:
        """True where `gradient` is not finite."""
        return _rgrad.logical_not(_rgrad.isfinite(self.gradient))

    def __str__(self) -> str:
        where = f" (made at {self.place[0]}:{self.place[1]})" if self.place else ""
        value = self.gradient[self.index].item()
        elements = f"{self.count} of {self.gradient.numel()} elements, the first {value} at {list(self.index)}"
        if self.input is None:
            return (
                f"the gradient that arrived at {self.operation}{where} is not finite: {elements}. All operations "
                "before gave finite gradients: their sum overflows, or the pass was started with this gradient"
            )
        text = f"{self.operation}{where} gave a gradient for input {self.input} that is not finite: {elements}"
        return f"{text}. {advice(self.operation, self.masked_out)}"


class NonfiniteReport:
    """Where gradients became infinite or nan: `findings`, in the order of the backward pass; empty if nowhere.

    It is true if there are findings. As a context manager it watches the backward passes of its block, which run in
    the same thread, and may be read when the block has ended.
    """

    def __init__(self) -> None:
        self.findings: list[NonfiniteGradient] = []

    @property
    def first(self) -> NonfiniteGradient | None:
        """The first finding: what came after may only be its consequence."""
        return self.findings[0] if self.findings else None

    def __enter__(self) -> NonfiniteReport:
        _rgrad._begin_nonfinite_search()
        return self

    def __exit__(self, *failure: object) -> None:
        self.findings.extend(_finding(*row) for row in _rgrad._end_nonfinite_search())

    def __bool__(self) -> bool:
        return bool(self.findings)

    def __str__(self) -> str:
        return "\n".join(map(str, self.findings)) or "all gradients were finite"

    def __repr__(self) -> str:
        return f"<NonfiniteReport: {len(self.findings)} findings>"


def nonfinite_report(
    outputs: Tensor | Sequence[Tensor] | None = None,
    grad_outputs: Tensor | Sequence[Tensor | None] | None = None,
) -> NonfiniteReport:
    """The operations whose backward makes infinite or nan gradients of finite ones.

    With `outputs`, a backward pass from them is run. It leaves every `grad` as it is, and the graph can still be used;
    hooks run as in any other pass. Without, the report is a context manager that watches what runs in its block:

    >>> import rgrad
    >>> x = rgrad.tensor([0.0, 4.0], requires_grad=True)
    >>> y = rgrad.where(x > 0, rgrad.sqrt(x), x)
    >>> with rgrad.graph.nonfinite_report() as report:
    ...     y.sum().backward()
    >>> report.first.operation, report.first.index
    ('SqrtBackward0', (0,))

    The gradient of `sqrt` at 0 is infinite. `where` asks nothing of that element and gives it the gradient 0, but 0
    times infinity is nan. The remedy is to mask the argument, and not the result alone: `where(x > 0, sqrt(where(x > 0,
    x, 1)), x)` has finite gradients everywhere.

    Arguments:
        outputs: floating point tensors that require grad; of one element each unless `grad_outputs` is given.
        grad_outputs: the gradients to start from, of the outputs' shapes and dtypes.

    Raises:
        RuntimeError: what `rgrad.autograd.grad` raises for these arguments.
    """
    report = NonfiniteReport()
    if outputs is not None:
        leaves = _leaves(list(outputs) if isinstance(outputs, Sequence) else [outputs])
        with report:
            _rgrad.grad(outputs, leaves, grad_outputs, retain_graph=True, allow_unused=True)
    return report


def _leaves(outputs: list[Tensor]) -> list[Tensor]:
    found = [node.variable for node in trace(outputs).nodes if node.variable is not None]
    return found or [tensor for tensor in outputs if tensor.requires_grad] or outputs


def _finding(
    node: Any,
    input: int | None,
    gradient: Tensor,
    arrived: list[Tensor | None],
    index: list[int],
    count: int,
) -> NonfiniteGradient:
    masked_out = False
    if input is not None and len(arrived) == 1 and arrived[0] is not None and arrived[0].shape == gradient.shape:
        broken = _rgrad.logical_not(_rgrad.isfinite(gradient))
        masked_out = not bool((arrived[0][broken] != 0).any())
    operation = node.name().rpartition("::")[2]
    return NonfiniteGradient(node, operation, node.place, input, tuple(index), count, gradient, masked_out)
