"""Layers: convolutions, pools, padding, normalization, embeddings, attention, recurrent steps."""

from __future__ import annotations

import numpy as np

from .making import Of, each, index, mask, values_of

# A spatial size for one, two and three dimensions.
SIZES = {1: (7,), 2: (6, 5), 3: (4, 5, 4)}
BAGS = np.array([0, 2, 1, 2])


def convolutions(rank: int) -> list:
    size, kernel = SIZES[rank], (2, 3, 2)[:rank]
    image, weight, bias = Of((2, 4, *size)), Of((6, 4, *kernel)), Of((6,))
    steps = [
        {"stride": 2},
        {"padding": 1},
        {"padding": (1,) * rank, "dilation": 2 if rank < 3 else 1},
        {"padding": "same"},
        {"padding": "valid", "stride": 2},
        {"padding": "same", "stride": 2},
        {"padding": "most"},
        {"stride": 0},
        {"padding": -1},
    ]
    return each(
        (image, weight),
        (image, weight, bias),
        (Of((4, *size)), weight, bias),
        (image, Of((6, 2, *kernel)), bias, 1, 0, 1, 2),
        (image, Of((4, 1, *kernel)), {"groups": 4, "padding": 1}),
        (image, Of((6, 4, *(1,) * rank)), bias),
        (image, Of((6, 3, *kernel))),
        (image, weight, Of((5,))),
        *[(image, weight, bias, keywords) for keywords in steps],
    )


def transposed(rank: int) -> list:
    size, kernel = SIZES[rank], (2, 3, 2)[:rank]
    image, weight, bias = Of((2, 4, *size)), Of((4, 3, *kernel)), Of((3,))
    return each(
        (image, weight),
        (image, weight, bias, 2, 1, 1),
        (Of((4, *size)), weight, bias, {"dilation": 2}),
        (image, weight, Of((6,)), {"groups": 2, "stride": 2}),
        (image, weight, bias, {"output_padding": 1}),
    )


def windows(rank: int, *more: dict) -> list:
    image = Of((2, 3, *SIZES[rank]))
    return each(
        (image, 2),
        (Of((3, *SIZES[rank])), 2),
        (image, 3, 1, 1),
        (image, (2,) * rank, {"stride": (1,) * rank, "ceil_mode": True}),
        (image, 3, 2, 1, {"ceil_mode": True}),
        (image, 9),
        (image, 2, 1, 2),
        *[(image, 3, 2, 1, keywords) for keywords in more],
    )


def adaptive(rank: int) -> list:
    image = Of((2, 3, *SIZES[rank]))
    return each((image, 1), (image, 3), (Of((3, *SIZES[rank])), (2,) * rank), (image, 8))


def padded() -> list:
    rows = [(Of((2, 3, 4)), (1, 1)), (Of((2, 3, 4)), (-1, 2)), (Of((2, 2, 3, 4)), (1, 2, 0, 1))]
    deep = (Of((1, 2, 3, 4, 3)), (1, 1, 2, 1, 0, 2))
    kept = ("constant", "reflect", "replicate")
    # PyTorch copies into slices.
    circular = values_of(*[(*row, "circular") for row in [*rows, deep]])
    return circular + each(
        *[(*row, mode) for row in [*rows, deep] for mode in kept],
        (Of((2, 3)), (1, 1), "constant", 1.5),
        (Of((2, 3)), (1,)),
        (Of((2, 3)), (9, 9), "reflect"),
        (Of((2, 3)), (1, 1, 1, 1, 1, 1)),
        (Of((2, 3)), (1, 1), "most"),
    )


def sampled() -> list:
    image, grid = Of((2, 3, 4, 5)), Of((2, 3, 4, 2))
    modes = [
        {"mode": mode, "padding_mode": padding, "align_corners": aligned}
        for mode in ("bilinear", "nearest", "bicubic")
        for padding in ("zeros", "border", "reflection")
        for aligned in (True, False)
    ]
    rows = [(image, grid, keywords) for keywords in modes]
    rows += [
        (Of((2, 3, 4, 5, 3)), Of((2, 3, 4, 2, 3)), keywords) for keywords in modes if keywords["mode"] != "bicubic"
    ]
    # PyTorch has no second derivative.
    return values_of(*rows, (image, Of((2, 3, 4, 3))), (image, grid, "most"))


def sequences(gates: int, states: int) -> list:
    def row(layers: int, sides: int, biases: bool, first: bool) -> tuple:
        params = []
        for layer in range(layers):
            for _ in range(sides):
                width = 3 if layer == 0 else 2 * sides
                params += [Of((2 * gates, width)), Of((2 * gates, 2))]
                params += [Of((2 * gates,)), Of((2 * gates,))] if biases else []
        state = Of((layers * sides, 2, 2))
        held = state if states == 1 else [state] * states
        shape = (2, 4, 3) if first else (4, 2, 3)
        return Of(shape), held, params, biases, layers, 0.0, False, sides == 2, first

    # PyTorch transposes in place.
    return values_of(row(1, 1, True, False), row(2, 2, True, True), row(1, 1, False, False))


def cells(gates: int) -> list:
    weights = (Of((4 * gates, 3)), Of((4 * gates, 4)))
    return each(
        (Of((2, 3)), Of((2, 4)), *weights, Of((4 * gates,)), Of((4 * gates,))),
        (Of((2, 3)), Of((2, 4)), *weights),
        (Of((2, 5)), Of((2, 4)), *weights),
    )


NAMED = {
    **{f"conv{rank}d": convolutions(rank) for rank in (1, 2, 3)},
    **{f"conv_transpose{rank}d": transposed(rank) for rank in (1, 2, 3)},
    "convolution": each(
        (Of((2, 4, 5, 5)), Of((6, 4, 2, 3)), Of((6,)), (1, 2), (1, 0), (1, 1), False, (0, 0), 1),
        (Of((2, 4, 5, 5)), Of((4, 3, 2, 3)), None, (2, 2), (0, 0), (1, 1), True, (1, 0), 2),
    ),
    "conv_tbc": values_of((Of((5, 2, 3)), Of((2, 3, 4)), Of((4,)), 1), (Of((5, 2, 3)), Of((3, 3, 4)), Of((4,)))),
    "avg_pool1d": windows(1, {"count_include_pad": False}),
    **{
        f"avg_pool{rank}d": windows(
            rank, {"count_include_pad": False}, {"divisor_override": 3}, {"divisor_override": 0}
        )
        for rank in (2, 3)
    },
    **{f"max_pool{rank}d": windows(rank, {"dilation": 1, "ceil_mode": True}) for rank in (1, 2, 3)},
    **{f"max_pool{rank}d_with_indices": windows(rank, {"dilation": 1}) for rank in (1, 2, 3)},
    **{f"adaptive_avg_pool{rank}d": adaptive(rank) for rank in (1, 2, 3)},
    "adaptive_max_pool1d": adaptive(1),
    **{f"adaptive_max_pool{rank}d_with_indices": adaptive(rank) for rank in (2, 3)},
    **{
        f"_fractional_max_pool{rank}d_with_indices": each(
            (Of((2, 3, *SIZES[rank])), 2, 2, Of(values=np.full((2, 3, rank), 0.3)))
        )
        for rank in (2, 3)
    },
    "max_unpool1d": values_of((Of((2, 2, 2)), index([[[0, 2], [1, 3]]] * 2), 2)),
    "max_unpool2d": values_of(
        (Of((1, 1, 2, 2)), index([[[[0, 2], [8, 10]]]]), 2),
        (Of((1, 1, 2, 2)), index([[[[0, 2], [8, 10]]]]), 2, {"output_size": (5, 5)}),
        (Of((1, 1, 2, 2)), index([[[[0, 2], [8, 10]]]]), 2, {"output_size": (9, 9)}),
        (Of((1, 1, 2, 2)), index([[[[0, 2], [8, 99]]]]), 2),
    ),
    "max_unpool3d": values_of((Of((1, 1, 1, 1, 2)), index([[[[[0, 2]]]]]), 2)),
    **{
        f"lp_pool{rank}d": each((Of((2, 3, *SIZES[rank])), 2.0, 2), (Of((2, 3, *SIZES[rank])), 3.0, 2, 1))
        for rank in (1, 2, 3)
    },
    "pad": padded(),
    "constant_pad_nd": each((Of((2, 3)), (1, 2)), (Of((2, 3)), (-1, 0, 1, 1), 1.5), (Of((2, 3)), (-9, 0))),
    "_upsample": each((Of((2, 3, 5)), "nearest", (3,))),
    "fold": each(
        (Of((2, 8, 12)), (4, 5), 2),
        (Of((8, 12)), (4, 5), (2, 2)),
        (Of((2, 8, 6)), (4, 5), 2, 1, 1, 2),
        (Of((2, 7, 12)), (4, 5), 2),
    ),
    "pixel_shuffle": each((Of((2, 8, 2, 3)), 2), (Of((4, 2, 3)), 2), (Of((3, 2, 3)), 2), (Of((4, 2)), 2)),
    "pixel_unshuffle": each((Of((2, 2, 4, 6)), 2), (Of((1, 4, 6)), 2), (Of((1, 3, 6)), 2)),
    "channel_shuffle": each((Of((2, 6, 2, 2)), 2), (Of((2, 6, 3)), 3), (Of((2, 6, 3)), 4)),
    "affine_grid_generator": each(
        (Of((2, 2, 3)), (2, 1, 3, 4), True),
        (Of((2, 2, 3)), (2, 1, 3, 4), False),
        (Of((1, 3, 4)), (1, 1, 2, 3, 2), False),
    ),
    "grid_sample": sampled(),
    "bilinear": values_of(
        (Of((2, 3)), Of((2, 4)), Of((5, 3, 4)), Of((5,))),
        (Of((2, 2, 3)), Of((2, 2, 4)), Of((5, 3, 4))),
        (Of((2, 3)), Of((3, 4)), Of((5, 3, 4))),
    ),
    "layer_norm": each(
        (Of((2, 3)), (3,), Of((3,)), Of((3,))),
        (Of((2, 3, 4)), (3, 4), Of((3, 4)), Of((3, 4)), 0.1),
        (Of((0, 3)), (3,), Of((3,)), Of((3,))),
        (Of((2, 3)), (4,)),
    )
    # PyTorch's second derivative needs a weight.
    + values_of((Of((2, 3)), (3,)), (Of((2, 3)), (3,), None, Of((3,)))),
    # PyTorch leaves out the gradients of mean and deviation.
    "native_layer_norm": values_of((Of((2, 3)), (3,), Of((3,)), Of((3,)), 1e-5)),
    "native_batch_norm": values_of(
        (Of((4, 3)), Of((3,)), Of((3,)), None, None, True, 0.1, 1e-5),
        (Of((4, 3)), Of((3,)), Of((3,)), Of(values=[0.5, 1.0, 2.0]), Of(values=[0.5, 1.0, 2.0]), False, 0.1, 1e-5),
    ),
    "rms_norm": each((Of((2, 3)), (3,)), (Of((2, 3, 4)), (3, 4), Of((3, 4)), 0.1), (Of((2, 3)), (4,))),
    "batch_norm": each(
        (Of((4, 3)), None, None, {"training": True}),
        (Of((2, 3, 2, 2)), None, None, Of((3,)), Of((3,)), True),
        (Of((1, 3)), None, None, {"training": True}),
        (Of((4, 3)), None, None),
    )
    + values_of((Of((4, 3)), Of((3,)), Of(values=[0.5, 1.0, 2.0]), Of((3,)), Of((3,)), False)),
    "group_norm": each(
        (Of((2, 4, 3)), 2),
        (Of((2, 4, 3)), 2, Of((4,)), Of((4,))),
        (Of((3, 4)), 2, Of((4,)), Of((4,))),
        (Of((2, 4, 3)), 3),
    ),
    "instance_norm": each(
        (Of((2, 3, 4)), None, None, Of((3,)), Of((3,))),
        (Of((2, 3, 4)),),
        (Of((2, 3, 1)),),
        (Of((2, 3, 2, 2)), {"eps": 0.1}),
    ),
    "local_response_norm": each((Of((2, 4, 3)), 2), (Of((2, 4, 3, 2)), 3, 0.1, 0.5, 2.0), (Of((2, 4)), 2)),
    "embedding": each(
        (Of((3, 2)), index([0, 2, 2])),
        (Of((3, 2)), index([[0, 1], [1, 1]]), 1),
        (Of((3, 2)), index(1)),
        (Of((3, 2)), index([5])),
        (Of((3,)), index([1])),
    )
    + values_of((Of((3, 2)), index([0, 2, 2]), -1, True)),
    "_embedding_bag": each((Of((3, 2)), Of(values=BAGS, differentiable=False), index([0, 2]))),
    "embedding_renorm": values_of((Of((3, 2)), index([0, 2, 2]), 1.0, 2.0)),
    "scaled_dot_product_attention": each(
        (Of((2, 3, 4)), Of((2, 3, 4)), Of((2, 3, 4))),
        (Of((2, 3, 4)), Of((2, 5, 4)), Of((2, 5, 2)), {"is_causal": True}),
        (Of((2, 3, 4)), Of((2, 3, 4)), Of((2, 3, 4)), Of((3, 3))),
        (Of((2, 2, 4)), Of((2, 2, 4)), Of((2, 2, 4)), mask([[True, False], [False, False]])),
        (Of((4,)), Of((4,)), Of((4,))),
        (Of((2, 3, 4)), Of((2, 3, 4)), Of((2, 3, 4)), Of((3, 3)), 0.0, True),
    ),
    "ctc_loss": values_of(
        (Of((5, 2, 3)), index([[1, 2], [1, 1]]), (5, 4), (2, 1)),
        (Of((5, 2, 3)), index([[1, 2], [1, 1]]), index([5, 4]), index([2, 1]), 0, "none"),
        (Of((2, 2, 3)), index([[1, 1], [1, 1]]), (2, 2), (2, 1), 0, "none", True),
        (Of((5, 3)), index([1, 2]), (5,), (2,)),
        (Of((5, 2, 3)), index([[1, 2], [1, 1]]), (9, 4), (2, 1)),
    ),
    "lstm_cell": each(
        (Of((2, 3)), [Of((2, 4)), Of((2, 4))], Of((16, 3)), Of((16, 4)), Of((16,)), Of((16,))),
        (Of((2, 3)), [Of((2, 4)), Of((2, 4))], Of((16, 3)), Of((16, 4))),
    ),
    "gru_cell": cells(3),
    "rnn_tanh_cell": cells(1),
    "rnn_relu_cell": cells(1),
    "lstm": sequences(4, 2),
    "gru": sequences(3, 1),
    "rnn_tanh": sequences(1, 1),
    "rnn_relu": sequences(1, 1),
}

for _samples in NAMED.values():
    for _sample in _samples:
        _sample.orders, _sample.floating = 1, True
