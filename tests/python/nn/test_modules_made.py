"""Every layer as it is made: what it shows, holds and is called with, beside torch."""

from __future__ import annotations

import copy
import pickle

import pytest

from oracle import agree, lines, raises, run, torch
from rgrad import nn

MADE = """
    Threshold(0.1, 20, True)
    ReLU()
    RReLU(inplace=True)
    Hardtanh(-2, 2, True)
    Hardtanh(min_value=-3.0, max_value=1.0)
    ReLU6(True)
    Sigmoid()
    Hardsigmoid(True)
    Hardswish(True)
    Tanh()
    SiLU(True)
    Mish()
    ELU(1.5, True)
    CELU(0.5)
    SELU(True)
    GLU()
    GELU("tanh")
    Hardshrink()
    LeakyReLU(0.1, True)
    LogSigmoid()
    Softplus()
    Softshrink(0.3)
    Softsign()
    Tanhshrink()
    PReLU(3, 0.1)
    Softmin(1)
    Softmax(dim=2)
    Softmax2d()
    LogSoftmax(-1)
    MultiheadAttention(4, 2)
    MultiheadAttention(4, 2, 0.1, bias=False, add_zero_attn=True)
    MultiheadAttention(4, 2, kdim=3, vdim=5, add_bias_kv=True, batch_first=True)
    AdaptiveLogSoftmaxWithLoss(8, 20, [5, 10], div_value=2.0, head_bias=True)
    BatchNorm1d(3)
    BatchNorm2d(3, 1e-3, None, affine=False, track_running_stats=False)
    BatchNorm3d(3, momentum=0.3, bias=False)
    SyncBatchNorm(3)
    InstanceNorm1d(3)
    InstanceNorm2d(3, affine=True, track_running_stats=True)
    InstanceNorm3d(3, affine=True, bias=False)
    GroupNorm(2, 4)
    GroupNorm(2, 4, bias=False)
    GroupNorm(1, 4, affine=False)
    LayerNorm(3)
    LayerNorm((3, 4), bias=False)
    LayerNorm([3, 4], elementwise_affine=False)
    RMSNorm(3)
    RMSNorm([2, 3], eps=1e-3, elementwise_affine=False)
    LocalResponseNorm(2)
    CrossMapLRN2d(2)
    ChannelShuffle(2)
    PixelShuffle(2)
    PixelUnshuffle(3)
    Conv1d(2, 4, 3)
    Conv2d(2, 4, 3, 2, 1, 2, 2, False, "reflect")
    Conv2d(2, 4, (3, 2), padding="same")
    Conv3d(4, 2, (1, 2, 3), padding=(0, 1, 2), groups=2, padding_mode="circular")
    ConvTranspose1d(2, 4, 3, 2, output_padding=1)
    ConvTranspose2d(4, 2, 3, groups=2, bias=False, dilation=2)
    ConvTranspose3d(2, 4, (1, 2, 3), stride=2)
    Linear(3, 4)
    Bilinear(2, 3, 4)
    Bilinear(2, 3, 4, bias=False)
    Identity(3, a=4)
    CosineSimilarity(2)
    PairwiseDistance(1.0, keepdim=True)
    Dropout(0.3, True)
    Dropout1d()
    Dropout2d(0.1)
    Dropout3d()
    AlphaDropout(0.2, True)
    FeatureAlphaDropout()
    Flatten()
    Unflatten(1, (2, 3))
    Fold((2, 3), 2)
    Unfold(2, 1, (0, 1))
    ZeroPad1d(1)
    ZeroPad2d((1, 2, 3, 4))
    ZeroPad3d(1)
    ConstantPad1d(1, 2.0)
    ConstantPad2d(1, 2)
    ConstantPad3d(1, -1.0)
    CircularPad1d(1)
    CircularPad2d((1, 2, 1, 2))
    CircularPad3d(1)
    ReflectionPad1d(2)
    ReflectionPad2d(2)
    ReflectionPad3d((1, 0, 1, 0, 1, 0))
    ReplicationPad1d(2)
    ReplicationPad2d(2)
    ReplicationPad3d(2)
    AdaptiveAvgPool1d(3)
    AdaptiveAvgPool2d((3, None))
    AdaptiveAvgPool3d(2)
    AdaptiveMaxPool1d(3)
    AdaptiveMaxPool2d((3, None), True)
    AdaptiveMaxPool3d(2)
    AvgPool1d(2)
    AvgPool2d(2, 3)
    AvgPool3d(2, divisor_override=3)
    MaxPool1d(2)
    MaxPool2d(2, 3, 1, ceil_mode=True)
    MaxPool3d((1, 2, 3), return_indices=True)
    MaxUnpool1d(2)
    MaxUnpool2d(2, 3)
    MaxUnpool3d(2, padding=(0, 1, 0))
    LPPool1d(2, 3)
    LPPool2d(1.5, 3, 2, True)
    LPPool3d(2, 3)
    FractionalMaxPool2d(2, 3)
    FractionalMaxPool2d(2, output_ratio=0.5)
    FractionalMaxPool3d(2, (1, 2, 3), return_indices=True)
    RNN(2, 3)
    RNN(2, 3, 2, "relu", bidirectional=True)
    GRU(2, 3, bias=False)
    LSTM(2, 3)
    LSTM(2, 3, 2, False, True, 0.5, True, 2)
    RNNCell(2, 3)
    RNNCell(2, 3, False, "relu")
    GRUCell(2, 3, bias=False)
    LSTMCell(2, 3)
    Embedding(3, 4)
    Embedding(3, 4, -1, 1.0, 3.0, True)
    Embedding.from_pretrained(lib.ones(2, 3))
    EmbeddingBag(3, 4)
    EmbeddingBag(3, 4, mode="sum", padding_idx=0, max_norm=1.0)
    EmbeddingBag.from_pretrained(lib.ones(2, 3), freeze=False)
    Upsample(3)
    Upsample(scale_factor=(2, 3), mode="bilinear")
    UpsamplingBilinear2d(3)
    UpsamplingNearest2d(scale_factor=2)
    TransformerEncoderLayer(4, 2, 8)
    TransformerDecoderLayer(4, 2, 8, bias=False, norm_first=True)
    TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8), 2, nn.LayerNorm(4))
    TransformerDecoder(nn.TransformerDecoderLayer(4, 2, 8), 2)
    Transformer(4, 2, 1, 2, 8)
    L1Loss()
    MSELoss(reduction="sum")
    NLLLoss(lib.ones(3), ignore_index=1)
    NLLLoss2d()
    CrossEntropyLoss(label_smoothing=0.1)
    BCELoss()
    BCEWithLogitsLoss(pos_weight=lib.ones(2))
    CTCLoss(zero_infinity=True)
    CosineEmbeddingLoss(0.2)
    GaussianNLLLoss(full=True)
    HingeEmbeddingLoss()
    HuberLoss(delta=2.0)
    KLDivLoss(log_target=True)
    MarginRankingLoss()
    MultiLabelMarginLoss()
    MultiLabelSoftMarginLoss()
    MultiMarginLoss(2, 0.5, lib.ones(3))
    PoissonNLLLoss(False)
    SmoothL1Loss(beta=0.5)
    SoftMarginLoss(size_average=False)
    TripletMarginLoss(p=1.0)
    TripletMarginWithDistanceLoss(margin=0.5)
    ModuleList([nn.ReLU(), nn.Conv1d(1, 2, 1)])
    DataParallel(nn.Linear(2, 3))
"""

# Attributes that say how a library computes rather than what.
INNER = {"_flat_weight_refs", "_flat_weights", "_flat_weights_names", "activation", "use_nested_tensor"}


def made(library, expression):
    library.manual_seed(4)
    return eval("lib.nn." + expression, {"lib": library, "nn": library.nn})


def settings(module):
    """The plain attributes of a module and of those below it."""
    registered = {"_parameters", "_buffers", "_modules", "_non_persistent_buffers_set"}
    found = {}
    for path, each in module.named_modules():
        for name, value in vars(each).items():
            held = name in registered or any(name in getattr(each, table) for table in ("_parameters", "_buffers"))
            hooks = "hook" in name or name in ("_is_full_backward_hook", "_compiled_call_impl", "_keys", "_size")
            if not held and not hooks and name not in each._modules and name not in INNER:
                found[f"{path}.{name}"] = repr(value)
    return dict(sorted(found.items()))


@pytest.mark.parametrize("expression", lines(MADE))
def test_what_it_is_made_of(expression):
    """Text, settings, names and first values, drawn in the same order: the next number drawn is the same too."""

    def program(library):
        module = made(library, expression)
        following = library.rand(1)
        parameters = [(name, value.requires_grad) for name, value in module.named_parameters()]
        return repr(module), settings(module), parameters, dict(module.state_dict()), following

    agree(program, slack=(1e-6, 1e-7))


@pytest.mark.parametrize("expression", lines(MADE))
def test_copies_are_the_same(expression):
    import rgrad

    module = made(rgrad, expression)
    for copied in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert repr(copied) == repr(module)
        assert list(settings(copied)) == list(settings(module))
        state, other = module.state_dict(), copied.state_dict()
        assert list(state) == list(other)
        assert all(rgrad.equal(state[name], other[name]) for name in state)


def test_every_layer_is_there():
    """Every class of the same name, but those of a prototype."""
    classes = {name for name in dir(torch.nn) if isinstance(getattr(torch.nn, name), type)}
    prototype = {"LinearCrossEntropyLoss", "LinearCrossEntropyOptions"}
    assert {name for name in classes if not hasattr(nn, name)} == prototype


REFUSED = """
    Conv2d(3, 4, 2, groups=2)
    Conv2d(4, 3, 2, groups=2)
    Conv2d(2, 2, 2, groups=0)
    Conv2d(2, 2, 2, padding="full")
    Conv2d(2, 2, 2, 2, padding="same")
    Conv2d(2, 2, 2, padding_mode="mirror")
    ConvTranspose2d(2, 2, 2, padding_mode="reflect")
    Dropout2d(1.5)
    Bilinear(0, 2, 3)
    GroupNorm(3, 4)
    GroupNorm(0, 4)
    MultiheadAttention(5, 2)
    MultiheadAttention(0, 2)
    TransformerEncoderLayer(4, 2, activation="sine")
    AdaptiveLogSoftmaxWithLoss(4, 5, [])
    AdaptiveLogSoftmaxWithLoss(4, 5, [3, 2])
    AdaptiveLogSoftmaxWithLoss(4, 5, [3, 3])
    AdaptiveLogSoftmaxWithLoss(4, 5, [5])
    AdaptiveLogSoftmaxWithLoss(4, 5, [0, 2])
    AdaptiveLogSoftmaxWithLoss(4, 5, [1.5, 2])
    Embedding(3, 2, 3)
    Embedding(3, 2, -4)
    Embedding(3, 2, _weight=lib.ones(2, 2))
    Embedding.from_pretrained(lib.ones(3))
    FractionalMaxPool2d(2)
    FractionalMaxPool2d(2, 3, 0.5)
    FractionalMaxPool2d(2, output_ratio=1.5)
    LSTM(2, 3, dropout=1.5)
    LSTM(2, 3, dropout="a")
    LSTM(2, 3.0)
    LSTM(2, 0)
    LSTM(2, 3, 0)
    LSTM(2, 3, proj_size=-1)
    LSTM(2, 3, proj_size=3)
    GRU(2, 3, proj_size=1)
    RNN(2, 3, proj_size=1)
    RNN(2, 3, nonlinearity="sine")
    RNNBase("SINE", 2, 3)
    Hardtanh(2.0, 1.0)
    MultiMarginLoss(3)
    MultiMarginLoss(weight=lib.ones(2, 2))
    TripletMarginLoss(0.0)
    TripletMarginWithDistanceLoss(margin=-1.0)
    ReLU(1, 2)
    Linear()
    Module(3)
    BatchNorm1d(2)(lib.ones(2, 2, 2, 2))
    BatchNorm2d(2)(lib.ones(2, 2))
    InstanceNorm1d(2)(lib.ones(2))
    InstanceNorm1d(2, affine=True)(lib.ones(3, 5))
    Softmax2d()(lib.ones(2, 2))
    CircularPad2d(1)(lib.ones(2, 2))
    ConvTranspose1d(1, 1, 2, 2)(lib.ones(1, 1, 4), output_size=[12])
    ConvTranspose1d(1, 1, 2, 2)(lib.ones(1, 1, 4), output_size=[1, 2, 3, 4])
    LSTM(2, 3)(lib.ones(2))
    LSTM(2, 3)(lib.ones(2, 2, 3))
    LSTM(2, 3)(lib.ones(2, 2, 2).double())
    LSTM(2, 3)(lib.ones(2, 2, 2), (lib.ones(1, 2, 2), lib.ones(1, 2, 3)))
    LSTM(2, 3)(lib.ones(2, 2, 2), (lib.ones(1, 3), lib.ones(1, 3)))
    GRU(2, 3)(lib.ones(2, 2, 2), lib.ones(1, 3))
    GRU(2, 3)(lib.ones(2, 2), lib.ones(1, 2, 3))
    GRU(2, 3)(lib.ones(2, 2, 2), lib.ones(1, 3, 3))
    GRUCell(2, 3)(lib.ones(2, 2, 2))
    GRUCell(2, 3)(lib.ones(2, 2), lib.ones(2, 2, 3))
    RNNCell(2, 3, nonlinearity="sine")(lib.ones(2, 2))
    LSTMCell(2, 3)(lib.ones(2, 2, 2))
    Transformer(4, 2, 1, 1, 8)(lib.ones(3, 2, 4), lib.ones(3, 1, 4))
    Transformer(4, 2, 1, 1, 8)(lib.ones(3, 2, 3), lib.ones(3, 2, 4))
    AdaptiveLogSoftmaxWithLoss(4, 5, [2])(lib.ones(3, 4), lib.tensor([0, 1]))
    AdaptiveLogSoftmaxWithLoss(4, 5, [2])(lib.ones(4), lib.tensor([0]))
    AdaptiveLogSoftmaxWithLoss(4, 5, [2])(lib.ones(2, 4), lib.tensor([0, 5]))
    ModuleList([])(3)
    ModuleDict({})(3)
    ParameterList([])(3)
    Linear(2, 2).cuda()
"""


@pytest.mark.parametrize("expression", lines(REFUSED))
def test_refusals(expression):
    raises(lambda library: made(library, expression))


def test_running_in_several_processes_is_refused():
    with pytest.raises(RuntimeError, match="one process"):
        nn.parallel.DistributedDataParallel(nn.Linear(2, 2))


DOTTED = """
    nn.modules.module.Module
    nn.modules.conv._ConvNd
    nn.modules.conv._ConvTransposeNd
    nn.modules.conv.LazyConv2d
    nn.modules.batchnorm._BatchNorm
    nn.modules.batchnorm._NormBase
    nn.modules.instancenorm._InstanceNorm
    nn.modules.dropout._DropoutNd
    nn.modules.loss._Loss
    nn.modules.loss._WeightedLoss
    nn.modules.pooling._MaxPoolNd
    nn.modules.pooling._AvgPoolNd
    nn.modules.padding._ConstantPadNd
    nn.modules.activation.MultiheadAttention
    nn.modules.linear.NonDynamicallyQuantizableLinear
    nn.modules.lazy.LazyModuleMixin
    nn.modules.rnn.RNNBase
    nn.modules.rnn.LSTMCell
    nn.modules.sparse.Embedding
    nn.modules.transformer._get_clones
    nn.modules.utils._pair
    nn.modules.utils._single
    nn.modules.utils._triple
    nn.modules.utils._ntuple
    nn.modules.utils._reverse_repeat_tuple
    nn.modules.utils.consume_prefix_in_state_dict_if_present
    nn.modules.container.Sequential
    nn.modules.normalization.LayerNorm
    nn.modules.upsampling.Upsample
    nn.modules.adaptive.AdaptiveLogSoftmaxWithLoss
    nn.parameter.Parameter
    nn.parameter.UninitializedParameter
    nn.parameter.is_lazy
    nn.init.kaiming_uniform_
    nn.utils.rnn.PackedSequence
    nn.utils.clip_grad.clip_grad_norm_
    nn.utils.parametrize.register_parametrization
    nn.utils.parametrizations.spectral_norm
    nn.utils.stateless.functional_call
    nn.utils.fusion.fuse_conv_bn_eval
    nn.utils.weight_norm
    nn.attention.SDPBackend.MATH
    nn.attention.sdpa_kernel
    nn.parallel.DataParallel
    nn.parallel.DistributedDataParallel
"""


@pytest.mark.parametrize("name", lines(DOTTED))
def test_dotted_names(name):
    import rgrad

    for library in (rgrad, torch):
        found = run(lambda library: eval("library." + name, {"library": library}), library)
        assert getattr(found, "kind", None) is None, found


def test_sizes_of_each_dimension():
    def program(library):
        utils = library.nn.modules.utils
        return (
            [utils._pair(3), utils._triple((1, 2)), utils._single([4]), utils._ntuple(4)(1)],
            utils._reverse_repeat_tuple((1, 2, 3), 2),
            utils._list_with_default([None, 2], [5, 6, 7]),
            run(lambda library: utils._list_with_default([None, 2], [5, 6]), library),
        )

    agree(program)


def test_a_prefix_is_cut_off_the_names():
    def program(library):
        state = library.nn.ModuleDict({"module": library.nn.Sequential(library.nn.Linear(1, 1))}).state_dict()
        library.nn.modules.utils.consume_prefix_in_state_dict_if_present(state, "module.")
        return list(state), list(state._metadata)

    agree(program)


def test_attention_is_computed_in_one_way():
    def program(library):
        attention = library.nn.attention
        with attention.sdpa_kernel([attention.SDPBackend.MATH]):
            pass
        return run(lambda library: attention.sdpa_kernel(3).__enter__(), library)

    agree(program)
