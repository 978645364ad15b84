"""Robust losses, losses with a margin, divergences."""

from __future__ import annotations

from .making import Of, Sample, each, in_any_layout, index, once

REDUCTIONS = ("none", "mean", "sum", "most")
SIGNS = [[1.0, -1.0, 1.0], [-1.0, -1.0, 1.0]]
PROBABILITIES = [[0.2, 0.3, 0.5], [0.6, 0.1, 0.3]]
RATES = [[0.5, 2.0, 1.5], [3.0, 0.1, 0.7]]


def with_reductions(*arguments, make=each, **keywords) -> list[Sample]:
    return make(*[(*arguments, {"reduction": reduction, **keywords}) for reduction in REDUCTIONS])


SIGN = Of(values=SIGNS, differentiable=False)

NAMED = {
    "huber_loss": [
        *with_reductions(Of((2, 3)), Of((2, 3))),
        *each((Of((2, 3)), Of((2, 3)), {"delta": 0.3}), (Of((3,)), Of((3,)), {"delta": 0.0}), (Of((2, 3)), Of((3,)))),
        *each((Of(()), Of(())), (Of((0,)), Of((0,)))),
    ],
    "smooth_l1_loss": [
        *with_reductions(Of((2, 3)), Of((2, 3))),
        *each((Of((2, 3)), Of((2, 3)), {"beta": 0.3}), (Of((3,)), Of((3,)), {"beta": 0.0})),
        *each((Of((3,)), Of((3,)), {"beta": -1.0}), (Of((2, 3)), Of((3,))), (Of(()), Of(())), (Of((0,)), Of((0,)))),
    ],
    "kl_div": [
        *with_reductions(Of((2, 3)), Of(values=PROBABILITIES)),
        *with_reductions(Of((2, 3)), Of((2, 3)), log_target=True),
    ],
    "poisson_nll_loss": [
        *with_reductions(Of((2, 3)), Of(values=RATES)),
        *with_reductions(Of(values=RATES), Of(values=RATES), log_input=False),
        *with_reductions(Of((2, 3)), Of(values=RATES), full=True),
    ],
    "hinge_embedding_loss": [
        *with_reductions(Of((2, 3)), SIGN),
        *each((Of((2, 3)), SIGN, 0.3), (Of((3,)), Of(values=[0.0, 1.0, -1.0], differentiable=False))),
    ],
    "margin_ranking_loss": [
        *with_reductions(Of((2, 3)), Of((2, 3)), Of(values=SIGNS)),
        *each((Of((2, 3)), Of((2, 3)), Of(values=SIGNS), 0.5), (Of((2, 3)), Of((3,)), Of(values=SIGNS))),
    ],
    "soft_margin_loss": [
        *with_reductions(Of((2, 3)), SIGN),
        *each((Of((3,)), Of(values=[1.0, -1.0], differentiable=False)), (Of((2, 3)), Of((2, 3)))),
    ],
    "multi_margin_loss": [
        *with_reductions(Of((2, 3)), index([2, 0]), make=once),
        *with_reductions(Of((3,)), index(1), make=once),
        *once(
            *[(Of((2, 3)), index([2, 0]), {"p": p}) for p in (1, 2, 3)],
            (Of((2, 3)), index([2, 0]), {"margin": 0.3}),
            (Of((2, 3)), index([2, 3])),
            (Of((2, 3)), index([2])),
        ),
    ],
    "multilabel_margin_loss": [
        *with_reductions(Of((2, 3)), index([[2, 0, -1], [1, -1, 0]]), make=once),
        *with_reductions(Of((3,)), index([1, -1, 0]), make=once),
        *once((Of((2, 3)), index([[2, 0, 3], [1, -1, 0]])), (Of((2, 3)), index([2, 0]))),
    ],
}

# Where torch composes a loss, the layout of a gradient is that of the operation that comes last.
for _name in ("kl_div", "poisson_nll_loss", "margin_ranking_loss", "hinge_embedding_loss"):
    NAMED[_name] = in_any_layout(NAMED[_name])
