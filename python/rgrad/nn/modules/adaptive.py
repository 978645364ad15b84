"""A softmax over very many classes, the rarer ones in clusters."""

from __future__ import annotations

from collections import namedtuple

import rgrad
from rgrad.nn.functional import log_softmax
from rgrad.nn.module import Module
from rgrad.nn.modules.container import ModuleList, Sequential
from rgrad.nn.modules.linear import Linear

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from rgrad._rgrad import Tensor

__all__ = ["AdaptiveLogSoftmaxWithLoss"]

_ASMoutput = namedtuple("_ASMoutput", ["output", "loss"])


class AdaptiveLogSoftmaxWithLoss(Module):
    """Log-probabilities of classes numbered from the most to the least frequent.

    The first `cutoffs[0]` classes and the clusters of the others are scored together by the head; only where a class is
    in a cluster is its tail computed. Grave et al., "Efficient softmax approximation for GPUs" (2017).

    Args:
        in_features: the size of the last dimension of the input.
        n_classes: the number of classes.
        cutoffs: the first classes of the clusters, increasing.
        div_value: by which power of it each tail is smaller than the one before.
        head_bias: whether the head has a bias.
        device: where the parameters are.
        dtype: their dtype.

    Raises:
        ValueError: there are no cutoffs, or they are not increasing whole numbers between 1 and `n_classes - 1`.
    """

    in_features: int
    n_classes: int
    cutoffs: list[int]
    div_value: float
    head_bias: bool
    head: Linear
    tail: ModuleList

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        cutoffs = list(cutoffs)
        if not cutoffs:
            raise ValueError("AdaptiveLogSoftmaxWithLoss: at least one cutoff is needed")
        increasing = all(first < second for first, second in zip(cutoffs, cutoffs[1:]))
        whole = all(int(cutoff) == cutoff for cutoff in cutoffs)
        if not increasing or not whole or cutoffs[0] <= 0 or cutoffs[-1] > n_classes - 1:
            raise ValueError(
                "AdaptiveLogSoftmaxWithLoss: the cutoffs have to be increasing whole numbers between 1 and "
                f"{n_classes - 1}, not {cutoffs}"
            )
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = [*cutoffs, n_classes]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = self.cutoffs[0]
        self.n_clusters = len(self.cutoffs) - 1
        self.head_size = self.shortlist_size + self.n_clusters
        made: dict[str, Any] = {"device": device, "dtype": dtype}
        self.head = Linear(in_features, self.head_size, bias=head_bias, **made)
        self.tail = ModuleList()
        for cluster in range(self.n_clusters):
            hidden = int(in_features // div_value ** (cluster + 1))
            classes = self.cutoffs[cluster + 1] - self.cutoffs[cluster]
            self.tail.append(
                Sequential(Linear(in_features, hidden, bias=False, **made), Linear(hidden, classes, bias=False, **made))
            )

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        self.head.reset_parameters()
        for hidden, classes in self.tail:
            hidden.reset_parameters()
            classes.reset_parameters()

    def forward(self, input_: Tensor, target_: Tensor) -> Any:
        """The log-probability of each target and its negative mean, a named tuple `(output, loss)`.

        Args:
            input_: of shape `(N, in_features)` or `(in_features)`.
            target_: of shape `(N)` or `()`.

        Raises:
            RuntimeError: the shapes do not go together, or a target is not the number of a class.
        """
        batched = target_.dim() > 0
        if batched and input_.shape[0] != target_.shape[0]:
            raise RuntimeError(
                "AdaptiveLogSoftmaxWithLoss: input and target have to be of one batch, but their first dimensions "
                f"are {input_.shape[0]} and {target_.shape[0]}"
            )
        if input_.dim() != (2 if batched else 1):
            raise RuntimeError(
                f"AdaptiveLogSoftmaxWithLoss: an input of {2 if batched else 1} dimensions goes with a target of "
                f"{target_.dim()}, not of {input_.dim()}"
            )
        input = input_ if batched else input_.unsqueeze(0)
        target = target_ if batched else target_.unsqueeze(0)
        if bool(((target < 0) | (target >= self.n_classes)).any()):
            raise RuntimeError(
                f"AdaptiveLogSoftmaxWithLoss: targets have to be between 0 and {self.n_classes - 1}, but they are "
                f"between {int(target.min())} and {int(target.max())}"
            )
        output = self._log_prob_of(input, target)
        loss = (-output).mean()
        return _ASMoutput(output if batched else output.squeeze(0), loss)

    def _log_prob_of(self, input: Tensor, target: Tensor) -> Tensor:
        """The log-probability of each target."""
        in_head = target  # what the head gives the probability of: the class itself or its cluster
        of_tail = input.new_zeros(target.shape[0])
        for cluster, tail in enumerate(self.tail):
            low, high = self.cutoffs[cluster], self.cutoffs[cluster + 1]
            inside = (target >= low) & (target < high)
            rows = inside.nonzero().squeeze(1)
            if rows.numel() == 0:
                continue
            in_head = rgrad.where(inside, rgrad.full_like(target, self.shortlist_size + cluster), in_head)
            scores = log_softmax(tail(input.index_select(0, rows)), dim=1)
            chosen = scores.gather(1, (target.index_select(0, rows) - low).unsqueeze(1)).squeeze(1)
            of_tail = of_tail.index_add(0, rows, chosen.to(of_tail.dtype))
        of_head = log_softmax(self.head(input), dim=1).gather(1, in_head.unsqueeze(1)).squeeze(1)
        return of_tail + of_head

    def _get_full_log_prob(self, input: Tensor, head_output: Tensor) -> Tensor:
        """The log-probabilities of all classes for what the head gave."""
        of_head = log_softmax(head_output, dim=1)
        parts = [of_head[:, : self.shortlist_size]]
        for cluster, tail in enumerate(self.tail):
            of_cluster = of_head[:, self.shortlist_size + cluster].unsqueeze(1)
            parts.append(log_softmax(tail(input), dim=1) + of_cluster)
        return rgrad.cat(parts, 1)

    def log_prob(self, input: Tensor) -> Tensor:
        """The log-probabilities of all classes, `(N, n_classes)` for an input `(N, in_features)`."""
        return self._get_full_log_prob(input, self.head(input))

    def predict(self, input: Tensor) -> Tensor:
        """The most probable class of each row, `(N)` for an input `(N, in_features)`."""
        of_head = self.head(input)
        output: Tensor = of_head.argmax(1)
        in_tail = output >= self.shortlist_size
        if not bool(in_tail.any()):
            return output
        return rgrad.where(in_tail, self._get_full_log_prob(input, of_head).argmax(1), output)
