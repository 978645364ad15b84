"""What every layer computes, from one seed: outputs and gradients of inputs and parameters, beside torch."""

from __future__ import annotations

import numpy as np
import pytest

import rgrad
from oracle import agree, lines

# A layer and, after the arrow, what it is called with.
CALLS = """
    Threshold(0.1, 20) -> line
    ReLU() -> line
    RReLU() -> line
    RReLU().eval() -> line
    Hardtanh(-0.3, 0.4) -> line
    ReLU6() -> line * 5
    Sigmoid() -> line
    Hardsigmoid() -> line
    Tanh() -> line
    SiLU() -> line
    Mish() -> line
    Hardswish() -> line
    ELU(1.5) -> line
    CELU(0.5) -> line
    SELU() -> line
    GLU() -> line
    GLU(0) -> line
    GELU() -> line
    GELU("tanh") -> line
    Hardshrink() -> line
    Softshrink(0.3) -> line
    LeakyReLU(0.1) -> line
    LogSigmoid() -> line
    Softplus(2.0, 1.0) -> line
    Softsign() -> line
    Tanhshrink() -> line
    PReLU() -> line
    PReLU(3) -> line
    Softmin(1) -> line
    Softmax(2) -> line
    Softmax2d() -> image
    LogSoftmax(-1) -> line
    ELU(inplace=True) -> line * 1
    SiLU(inplace=True) -> line * 1
    Threshold(0.1, 2, inplace=True) -> line * 1
    Linear(6, 3) -> line
    Bilinear(6, 4, 2) -> line[:, 0], line[:, 1, :4]
    Identity() -> line
    Flatten() -> image
    Unflatten(2, (2, 3)) -> line
    Dropout(0.4) -> line
    Dropout1d(0.4) -> line
    Dropout2d(0.4) -> image
    Dropout3d(0.4) -> volume
    AlphaDropout(0.4) -> line
    FeatureAlphaDropout(0.4) -> image
    Conv1d(3, 4, 3) -> line
    Conv1d(3, 4, 3) -> line[0]
    Conv1d(3, 4, 3, padding="same", dilation=2) -> line
    Conv1d(3, 4, 3, padding=2, padding_mode="circular") -> line
    Conv2d(3, 4, 3) -> image
    Conv2d(3, 4, (3, 2), stride=2, padding=(1, 0), dilation=(1, 2), bias=False) -> image
    Conv2d(3, 6, 3, groups=3, padding=1) -> image
    Conv2d(3, 4, 3, padding=1, padding_mode="reflect") -> image
    Conv2d(3, 4, 3, padding=1, padding_mode="replicate") -> image
    Conv2d(3, 4, 3, padding="valid") -> image[0]
    Conv3d(3, 2, 2) -> volume
    ConvTranspose1d(3, 4, 3, stride=2) -> line
    ConvTranspose2d(3, 4, 3, stride=2, padding=1, output_padding=1) -> image
    ConvTranspose2d(3, 4, 3, stride=2) -> image, [12, 13]
    ConvTranspose2d(3, 6, 2, groups=3, dilation=2) -> image
    ConvTranspose3d(3, 2, 2) -> volume
    MaxPool1d(2) -> line
    MaxPool1d(2, return_indices=True) -> line
    MaxPool2d(2) -> image
    MaxPool2d(3, 2, 1, ceil_mode=True) -> image
    MaxPool2d(2, 1, dilation=2, return_indices=True) -> image
    MaxPool3d(2) -> volume
    MaxUnpool1d(2) -> line[:, :, :3], lib.tensor([[[0, 2, 5]] * 3] * 2)
    MaxUnpool2d(2) -> image[:1, :1, :1, :2], lib.tensor([[[[0, 3]]]])
    AvgPool1d(2) -> line
    AvgPool2d(3, 2, 1, count_include_pad=False) -> image
    AvgPool2d(2, divisor_override=3) -> image
    AvgPool3d(2) -> volume
    LPPool1d(2, 2) -> line.abs() + 1
    LPPool2d(3, 2, 1) -> image.abs() + 1
    AdaptiveAvgPool1d(4) -> line
    AdaptiveAvgPool2d((2, None)) -> image
    AdaptiveAvgPool3d(2) -> volume
    AdaptiveMaxPool1d(4) -> line
    AdaptiveMaxPool2d(2, return_indices=True) -> image
    AdaptiveMaxPool3d((1, 2, 1)) -> volume
    FractionalMaxPool2d(2, 3) -> image
    FractionalMaxPool2d(2, output_ratio=0.6, return_indices=True) -> image
    FractionalMaxPool3d(1, (2, 3, 1)) -> volume
    ZeroPad1d(1) -> line
    ZeroPad2d((1, 2, 0, -1)) -> image
    ZeroPad3d(1) -> volume
    ConstantPad1d(1, 2.0) -> line
    ConstantPad2d(1, 0.5) -> image
    ConstantPad3d(1, -1.0) -> volume
    CircularPad1d(2) -> line
    CircularPad2d((1, 2, 1, 0)) -> image
    CircularPad3d(1) -> volume
    ReflectionPad1d(2) -> line
    ReflectionPad2d(1) -> image
    ReflectionPad3d(1) -> volume
    ReplicationPad1d(2) -> line
    ReplicationPad2d(1) -> image
    ReplicationPad3d(1) -> volume
    BatchNorm1d(3) -> line
    BatchNorm1d(6) -> line[0]
    BatchNorm2d(3) -> image
    BatchNorm2d(3, momentum=None) -> image
    BatchNorm2d(3, affine=False) -> image
    BatchNorm2d(3, track_running_stats=False) -> image
    BatchNorm2d(3, track_running_stats=False).eval() -> image
    BatchNorm2d(3, bias=False).eval() -> image
    BatchNorm3d(3) -> volume
    SyncBatchNorm(3) -> image
    InstanceNorm1d(3) -> line
    InstanceNorm1d(3, affine=True) -> line[0]
    InstanceNorm2d(3, affine=True, track_running_stats=True) -> image
    InstanceNorm2d(3, affine=True, track_running_stats=True).eval() -> image
    InstanceNorm3d(3) -> volume
    LayerNorm(6) -> line
    LayerNorm((3, 6), bias=False) -> line
    LayerNorm(6, elementwise_affine=False) -> line
    GroupNorm(1, 3) -> image
    GroupNorm(3, 3, affine=False) -> image
    RMSNorm(6) -> line
    RMSNorm((3, 6), 0.1) -> line
    LocalResponseNorm(2) -> image
    Embedding(5, 3) -> numbers
    Embedding(5, 3, padding_idx=1) -> numbers
    Embedding(5, 3, max_norm=1.0) -> numbers
    Embedding(5, 3, scale_grad_by_freq=True) -> numbers
    EmbeddingBag(5, 3) -> numbers
    EmbeddingBag(5, 3, mode="sum") -> numbers.flatten(), lib.tensor([0, 3, 4])
    EmbeddingBag(5, 3, mode="max") -> numbers
    CosineSimilarity() -> line, line.flip(0)
    PairwiseDistance(keepdim=True) -> line, line.flip(0)
    PixelShuffle(2) -> image.reshape(1, 4, 3, 10)
    PixelUnshuffle(2) -> image[:, :, :4, :4]
    ChannelShuffle(3) -> line.reshape(2, 6, 3, 1)
    Upsample(scale_factor=2) -> image
    Upsample(7, mode="linear") -> line
    Upsample(scale_factor=1.5, mode="bicubic", align_corners=True) -> image
    Upsample(3, mode="trilinear") -> volume
    UpsamplingBilinear2d(7) -> image
    UpsamplingNearest2d(scale_factor=2) -> image
    Fold((4, 5), 2) -> image.reshape(2, 60)[:, :48].reshape(2, 4, 12)
    Unfold(2, padding=1) -> image
    RNNCell(6, 4) -> line[0]
    RNNCell(6, 4, nonlinearity="relu") -> line[0], line[1, :, :4]
    GRUCell(6, 4) -> line[0]
    GRUCell(6, 4, bias=False) -> line[0, 0], line[1, 0, :4]
    LSTMCell(6, 4) -> line[0]
    LSTMCell(6, 4) -> line[0], (line[1, :, :4], line[0, :, 2:])
    RNN(6, 4) -> line
    RNN(6, 4, 2, "relu", batch_first=True, bidirectional=True) -> line
    GRU(6, 4) -> line
    GRU(6, 4, 2, bidirectional=True) -> line[0]
    GRU(6, 3) -> line, line[:1, :, :3]
    LSTM(6, 4) -> line
    LSTM(6, 4, 2, batch_first=True, bidirectional=True, bias=False) -> line
    LSTM(6, 4, 3, dropout=0.4) -> line
    LSTM(6, 4, 2, proj_size=2, bidirectional=True) -> line
    LSTM(6, 3) -> line, (line[:1, :, :3], line[:1, :, 3:])
    LSTM(6, 3) -> line[0], (line[0, :1, :3], line[0, :1, 3:])
    LSTM(6, 3, 2, bidirectional=True) -> packed
    LSTM(6, 3, batch_first=True) -> packed
    GRU(6, 3, 2) -> packed
    RNN(6, 3) -> packed, line[:1, :, :3]
    LSTM(6, 3) -> packed, (line[:1, :, :3], line[:1, :, 3:])
    MultiheadAttention(6, 2) -> line, line, line
    MultiheadAttention(6, 2, batch_first=True) -> line, line.flip(0), line.flip(1)
    MultiheadAttention(6, 3, bias=False, add_zero_attn=True) -> line, line, line
    MultiheadAttention(6, 3, add_bias_kv=True) -> line, line, line
    MultiheadAttention(6, 3, kdim=4, vdim=5) -> line, line[:, :, :4], line[:, :, 1:]
    MultiheadAttention(6, 2, 0.5) -> line, line, line
    MultiheadAttention(6, 2) -> line[0], line[1], line[1]
    MultiheadAttention(6, 2) -> line, line, line, lib.tensor([[False, True]] * 3), False
    MultiheadAttention(6, 2) -> line, line, line, None, True, lib.tensor([[0.0, -1.0], [0.5, 0.0]]), False
    MultiheadAttention(6, 2) -> line, line, line, None, False, causal, True, True
    TransformerEncoderLayer(6, 2, 8, dropout=0.0) -> line
    TransformerEncoderLayer(6, 2, 8, 0.3, "gelu", norm_first=True) -> line
    TransformerEncoderLayer(6, 2, 8, 0.0, nn.Tanh(), bias=False, batch_first=True) -> line, None, padding
    TransformerDecoderLayer(6, 2, 8, dropout=0.0) -> line, line.flip(0)
    TransformerDecoderLayer(6, 2, 8, 0.3, norm_first=True) -> line, line.flip(0), causal
    TransformerEncoder(nn.TransformerEncoderLayer(6, 2, 8, 0.1), 2, nn.LayerNorm(6)) -> line, causal
    TransformerDecoder(nn.TransformerDecoderLayer(6, 2, 8, 0.1), 2) -> line, line.flip(1)
    Transformer(6, 2, 1, 1, 8, 0.1) -> line, line.flip(0), None, causal
    AdaptiveLogSoftmaxWithLoss(6, 8, [2, 5], div_value=2.0) -> line[0], lib.tensor([1, 3, 7])
    AdaptiveLogSoftmaxWithLoss(6, 8, [2]) -> line[0, 0], lib.tensor(5)
    L1Loss() -> line, line.flip(0)
    MSELoss(reduction="sum") -> line, line.flip(0)
    NLLLoss() -> scores.log_softmax(1), classes
    CrossEntropyLoss(label_smoothing=0.1) -> scores, classes
    CrossEntropyLoss(lib.tensor([1.0, 2.0, 0.5])) -> scores, scores.detach().softmax(1)
    BCELoss() -> line.sigmoid(), truths
    BCEWithLogitsLoss(pos_weight=lib.tensor(2.0)) -> line, truths
    CosineEmbeddingLoss(0.2) -> scores, scores.flip(0), lib.tensor([1, -1, 1, 1])
    GaussianNLLLoss(full=True) -> line, line.flip(0), line.detach().abs() + 0.1
    HingeEmbeddingLoss() -> line, truths * 2 - 1
    HuberLoss(delta=0.5) -> line, line.flip(0)
    KLDivLoss(reduction="batchmean") -> scores.log_softmax(1), scores.softmax(0)
    KLDivLoss(log_target=True) -> scores.log_softmax(1), scores.detach().log_softmax(0)
    MarginRankingLoss(0.1) -> line, line.flip(0), truths * 2 - 1
    MultiLabelMarginLoss() -> scores, lib.tensor([[0, 2, -1]] * 4)
    MultiLabelSoftMarginLoss() -> scores, lib.tensor([[0.0, 1.0, 1.0]] * 4)
    MultiMarginLoss(2, 0.5) -> scores, classes
    PoissonNLLLoss() -> line, truths * 3
    SmoothL1Loss(beta=0.5) -> line, line.flip(0)
    SoftMarginLoss() -> line, truths * 2 - 1
    TripletMarginLoss(swap=True) -> scores, scores.flip(0), scores.flip(1)
    TripletMarginWithDistanceLoss() -> scores, scores.flip(0), scores.flip(1)
    CTCLoss() -> sequence, lib.tensor([[1, 2], [2, 2]]), (6, 5), (2, 1)
    LazyLinear(3) -> line
    LazyConv1d(4, 3) -> line
    LazyConv2d(4, 3, padding=1) -> image
    LazyConv3d(2, 2) -> volume
    LazyConvTranspose1d(4, 3) -> line
    LazyConvTranspose2d(4, 3, 2, bias=False) -> image
    LazyConvTranspose3d(2, 2) -> volume
    LazyBatchNorm1d() -> line
    LazyBatchNorm2d(momentum=None) -> image
    LazyBatchNorm3d(affine=False) -> volume
    LazyInstanceNorm1d() -> line
    LazyInstanceNorm2d(affine=True) -> image
    LazyInstanceNorm3d() -> volume
    DataParallel(nn.Linear(6, 2)) -> line
"""


def inputs(library):
    """The names that the table speaks of, with leaves whose gradients are compared."""
    random = np.random.default_rng(12)

    def leaf(*shape):
        return library.tensor(random.normal(size=shape).astype("float32")).requires_grad_()

    names = {
        "line": leaf(2, 3, 6),
        "image": leaf(2, 3, 5, 4),
        "volume": leaf(2, 3, 3, 4, 2),
        "scores": leaf(4, 3),
    }
    leaves = list(names.values())
    rnn = library.nn.utils.rnn
    names.update(
        packed=rnn.pack_padded_sequence(names["line"], [1, 2, 2], enforce_sorted=False),
        numbers=library.tensor([[0, 1, 4], [1, 1, 3]]),
        classes=library.tensor([0, 2, 1, 1]),
        truths=library.tensor((random.random((2, 3, 6)) < 0.5).astype("float32")),
        causal=library.nn.Transformer.generate_square_subsequent_mask(2),
        padding=library.tensor([[False, False, True]] * 2),
        sequence=(names["line"].reshape(6, 2, 3) * 1).log_softmax(2),
    )
    return names, leaves


def flat(value):
    """The tensors in a result."""
    if isinstance(value, (tuple, list)):
        return [tensor for each in value for tensor in flat(each)]
    return [] if value is None else [value]


def outputs_and_gradients(library, layer, arguments, leaves):
    result = flat(layer(*arguments))
    total = None
    for tensor in result:
        if tensor.requires_grad:
            weights = library.arange(1.0, tensor.numel() + 1).reshape(tensor.shape)
            total = (tensor * weights).sum() if total is None else total + (tensor * weights).sum()
    wanted = [*leaves, *layer.parameters()]
    wanted = [tensor for tensor in wanted if tensor.requires_grad]
    found = [] if total is None else library.autograd.grad(total, wanted, allow_unused=True)
    gradients = [library.zeros(1) if gradient is None else gradient.detach() for gradient in found]
    return [tensor.detach() for tensor in result], gradients


@pytest.mark.parametrize("call", lines(CALLS))
def test_values(call):
    """In one call and, where something is kept between calls, in a second one."""
    expression, _, arguments = call.partition(" -> ")

    def program(library):
        library.manual_seed(13)
        names, leaves = inputs(library)
        names.update(lib=library, nn=library.nn)
        layer = eval("nn." + expression, names)
        given = eval(f"({arguments},)", names)
        first = outputs_and_gradients(library, layer, given, leaves)
        names, leaves = inputs(library)
        names.update(lib=library, nn=library.nn)
        second = outputs_and_gradients(library, layer, eval(f"({arguments},)", names), leaves)
        return first, second, type(layer).__name__, dict(layer.state_dict())

    agree(program, strides=False, graph=False, slack=(2e-4, 2e-5))


@pytest.mark.parametrize("options", [(3,), (2, 0.1), (1, 0.5, 1.0, 2.0), (5, 0.3)])
def test_response_normalisation_over_channels(options):
    """The values beside torch, whose gradient is not theirs; ours is."""

    def program(library):
        library.manual_seed(18)
        images = library.randn(2, 6, 3, 2)
        return library.nn.CrossMapLRN2d(*options)(images)

    agree(program)
    rgrad.manual_seed(18)
    images = rgrad.randn(1, 4, 2, 1, dtype=rgrad.float64, requires_grad=True)
    assert rgrad.autograd.gradcheck(rgrad.nn.CrossMapLRN2d(*options), (images,))


def test_masks_of_causal_models():
    agree(lambda library: library.nn.Transformer.generate_square_subsequent_mask(4))
    agree(lambda library: library.nn.Transformer.generate_square_subsequent_mask(3, dtype=library.float64))


def test_all_probabilities_of_an_adaptive_softmax():
    def program(library):
        library.manual_seed(14)
        layer = library.nn.AdaptiveLogSoftmaxWithLoss(6, 9, [2, 5], div_value=2.0, head_bias=True)
        points = library.randn(5, 6)
        layer.reset_parameters()
        return layer.log_prob(points), layer.predict(points), layer.log_prob(points).exp().sum(1)

    agree(program, graph=False, slack=(1e-4, 1e-5))


def test_older_states_of_normalisation():
    """Those that did not count batches are taken; their count stays."""

    def program(library):
        layer = library.nn.BatchNorm1d(2)
        state = layer.state_dict()
        del state["num_batches_tracked"]
        del state._metadata
        return str(layer.load_state_dict(state)), layer.num_batches_tracked

    agree(program)


def test_normalisations_are_converted():
    def program(library):
        library.manual_seed(15)
        model = library.nn.Sequential(library.nn.Conv1d(1, 2, 1), library.nn.BatchNorm1d(2, 0.1))
        converted = library.nn.SyncBatchNorm.convert_sync_batchnorm(model)
        return repr(converted), dict(converted.state_dict()), converted is model

    agree(program)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("transposed", [True, False])
def test_convolutions_are_fused(transposed, bias):
    def program(library):
        library.manual_seed(16)
        kind = library.nn.ConvTranspose2d if transposed else library.nn.Conv2d
        layer, norm = kind(3, 4, 2, bias=bias), library.nn.BatchNorm2d(4)
        with library.no_grad():
            for held in norm.state_dict().values():
                if held.is_floating_point():
                    held.uniform_(0.5, 1.5)
        images = library.randn(2, 3, 5, 4)
        fused = library.nn.utils.fuse_conv_bn_eval(layer.eval(), norm.eval(), transpose=transposed)
        return dict(fused.state_dict()), fused(images), norm(layer(images))

    agree(program, graph=False, slack=(1e-4, 1e-5))


LAZY = """
    LazyLinear(3)
    LazyConv2d(4, 3)
    LazyBatchNorm1d()
    LazyInstanceNorm2d(affine=True)
"""


@pytest.mark.parametrize("expression", lines(LAZY))
def test_lazy_layers_before_their_first_call(expression):
    def program(library):
        layer = eval("library.nn." + expression, {"library": library})
        held = [*layer.parameters(), *layer.buffers()]
        lazy = [library.nn.parameter.is_lazy(tensor) for tensor in held]
        shown = repr(layer), [repr(tensor) for tensor, is_lazy in zip(held, lazy) if is_lazy]
        state = layer.state_dict()
        layer.double()
        return shown, lazy, list(state), layer.has_uninitialized_params(), [str(tensor.dtype) for tensor in held]

    agree(program)


def test_states_are_loaded_into_lazy_layers():
    def program(library):
        library.manual_seed(17)
        layer, lazy = library.nn.Linear(4, 3), library.nn.LazyLinear(3)
        lazy.load_state_dict(layer.state_dict())
        shape = lazy.weight.shape
        value = lazy(library.ones(1, 4))
        return shape, value.detach(), type(lazy).__name__, lazy.in_features

    agree(program)
