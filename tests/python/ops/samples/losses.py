"""Losses, and dropout."""

from __future__ import annotations

from .making import Of, each, index

PAIRED_LOSS = [
    *[(Of((2, 3)), Of((2, 3)), {"reduction": r}) for r in ("mean", "sum", "none", "most")],
    (Of((3,)), Of((3,))),
    (Of((2, 3)), Of((3,))),
    (Of((2, 1)), Of((1, 3)), {"reduction": "none"}),
    (Of(()), Of(())),
    (Of((0,)), Of((0,))),
    *[(Of((3,)), Of((3,)), {"reduction": r, "weight": Of((3,))}) for r in ("mean", "sum", "none")],
]

NAMED = {
    "mse_loss": each(*PAIRED_LOSS),
    "l1_loss": each(*PAIRED_LOSS),
    "binary_cross_entropy": each(
        *[(Of(values=[0.2, 0.9, 0.5]), Of(values=[0.0, 1.0, 0.5]), {"reduction": r}) for r in ("mean", "sum", "none")],
        (Of(values=[0.2, 0.9]), Of(values=[0.0, 1.0]), {"weight": Of(values=[0.5, 2.0])}),
        (Of(values=[0.0, 1.0]), Of(values=[1.0, 0.0])),
    ),
    "binary_cross_entropy_with_logits": each(
        *[(Of((2, 3)), Of(values=[[0.0, 1.0, 0.5]] * 2), {"reduction": r}) for r in ("mean", "sum", "none")],
        (Of((2,)), Of(values=[0.0, 1.0]), {"weight": Of(values=[0.5, 2.0])}),
        (Of((3, 2)), Of(values=[[0.0, 1.0]] * 3), {"pos_weight": Of(values=[0.5, 2.0])}),
        (
            Of((3, 2)),
            Of(values=[[0.0, 1.0]] * 3),
            {"weight": Of(values=[0.5, 2.0]), "pos_weight": Of(values=[0.5, 2.0])},
        ),
    ),
    "nll_loss": each(
        *[(Of((3, 4)), index([0, 3, 1]), {"reduction": r}) for r in ("mean", "sum", "none")],
        (Of((3, 2)), index([0, 1, 1]), {"weight": Of(values=[0.5, 2.0])}),
        (Of((3, 2)), index([0, -100, 1])),
        (Of((3, 2)), index([0, 1, 1]), {"ignore_index": 1}),
        (Of((4,)), index(2)),
        (Of((2, 3, 2)), index([[0, 1], [2, 2]])),
    ),
    "cross_entropy": each(
        *[(Of((3, 4)), index([0, 3, 1]), {"reduction": r}) for r in ("mean", "sum", "none")],
        (Of((3, 2)), index([0, 1, 1]), {"weight": Of(values=[0.5, 2.0])}),
        (Of((3, 2)), index([0, 1, -100])),
        (Of((3, 4)), index([0, 3, 1]), {"label_smoothing": 0.1}),
        (Of((4,)), index(2)),
        (Of((2, 3, 2)), index([[0, 1], [2, 2]])),
        (Of((2, 3)), Of(values=[[0.1, 0.4, 0.5], [0.0, 1.0, 0.0]])),
        (Of((2, 3)), Of(values=[[0.1, 0.4, 0.5], [0.0, 1.0, 0.0]]), {"label_smoothing": 0.2}),
    ),
    "dropout": each(
        (Of((2, 3)), 0.0),
        (Of((2, 3)), 1.0),
        (Of(()), 1.0),
        (Of((2, 3)), 0.5, False),
        (Of((0,)), 0.5),
        (Of((2, 3)), 1.5),
        (Of((2, 3)), 1.0, True, True),
    ),
}
