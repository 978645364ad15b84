"""Functions, methods and objects of the top level that need no operation of their own, beside torch's."""

from __future__ import annotations

from importlib import import_module

import pytest

import rgrad
from oracle import agree, lines

VALUES = lines(
    """
    # Losses with a number for their reduction.
    [lib.kl_div(X.log(), X, 2), lib.kl_div(X.log(), X, reduction=1)]
    lib.cosine_embedding_loss(X, X + 1, lib.tensor([1, -1]), 0.1, 2)
    lib.hinge_embedding_loss(X, lib.ones(2, 3), 1.0, 1)
    lib.margin_ranking_loss(X, X, lib.ones(2, 3), 0.5, 2)
    lib.triplet_margin_loss(X, X + 1, X + 2, 1.0, 2.0, 1e-6, False, 2)
    lib.binary_cross_entropy_with_logits(X, X, None, None, 2)
    lib.poisson_nll_loss(X, X, True, False, 1e-8, 2)
    lib.ctc_loss(X.log_softmax(1)[:, None], lib.tensor([[1]]), lib.tensor([2]), lib.tensor([1]), 0, 2, True)
    # Copies of views, and functions of the names of methods.
    [lib.view_copy(X, (3, 2)), lib.t_copy(X), lib.permute_copy(X, (1, 0)), lib.expand_copy(X[:1], (4, 3))]
    [lib.unbind_copy(X), lib.split_copy(X, 2, 1), lib.squeeze_copy(X[:, :1]), lib.unsqueeze_copy(X, 0)]
    [lib.select_copy(X, 1, 2), lib.slice_copy(X, 1, 0, 2), lib.as_strided_copy(X, (2,), (3,)), lib.alias_copy(X)]
    [lib.detach(X), lib.detach_copy(X), lib.fill(X, 2.5), lib.fill_(X.clone(), 2), lib.zero_(X.clone())]
    lib.view_copy(X, (6,)).data_ptr() == X.data_ptr()
    [lib.dropout(X, 0.5, False), lib.dropout_(X.clone(), 0.0, True), lib.native_dropout(X, 0.5, False)]
    lib.embedding_bag(X, lib.tensor([0, 1, 1]), lib.tensor([0, 2]), mode=1)[0]
    [lib.norm_except_dim(X, 2, 1), lib.frobenius_norm(X, (0, 1)), lib.spmm(X, X.t())]
    # What PyTorch keeps to itself.
    [lib._softmax(X, 1, False), lib._log_softmax(X, 0, False), lib._safe_softmax(X - lib.inf, 1)]
    lib._softmax_backward_data(X, X.softmax(1), 1, lib.float32)
    lib._log_softmax_backward_data(X, X.log_softmax(1), 1, lib.float32)
    [lib.ops.aten.sigmoid_backward(X, X), lib.ops.aten.tanh_backward.default(X, X), lib.ops.aten.add.Tensor(X, X)]
    lib.ops.aten.threshold_backward(X, X, 1.0)
    [lib._stack([X, X], 1), lib._unsafe_index(X, [lib.tensor([1])]), lib._chunk_cat([X, X[:1]], 0, 2)]
    lib._unsafe_masked_index(X, lib.tensor([True, False]), [lib.tensor([1, 9])], 7.0)
    lib._unsafe_masked_index_put_accumulate(X, lib.tensor([True, False]), [lib.tensor([1, 9])], X)
    lib._trilinear(X, X, X, [1], [0], [1], [1])
    lib._weight_norm(X, lib.ones(2, 1), 0)
    lib._int_mm(X.to(lib.int8), X.t().to(lib.int8))
    lib._addmm_activation(X[:, 0], X, X.t(), beta=0.5)
    list(lib._unique2(X, return_inverse=True))
    list(lib.native_group_norm(P, None, None, 2, 3, 20, 3, 1e-5))
    list(lib._native_batch_norm_legit(P, None, None, True, 0.1, 1e-5))
    lib.native_channel_shuffle(lib.cat([P, P], 1), 3)
    lib.grid_sampler_2d(P, lib.zeros(2, 1, 2, 2) + 0.3, 0, 0, False)
    lib.affine_grid_generator(X[None], (1, 1, 2, 2), True)
    lib.embedding_renorm_(X.clone(), lib.tensor([1]), 1.0, 2.0)
    lib.as_strided_(X.clone(), (2, 2), (1, 2), 1)
    [lib.nuclear_norm(X), lib.nuclear_norm(P, (1, 2)), lib.norm(X, "nuc"), lib.rsub(X, 1, alpha=2)]
    [lib._shape_as_tensor(X), lib._is_all_true(X > 0), lib._is_any_true(X > 9), lib._prelu_kernel(-X, X)]
    [lib.hash_tensor(X), lib.hash_tensor(P, (1, 3), keepdim=True), X.int().hash_tensor(1)]
    # Kernels of layers, with numbers for reductions.
    [lib._C._nn.mse_loss(X, X + 1, 1), lib._C._nn.huber_loss(X, X + 3, 2, 0.5), lib._C._nn.l1_loss(X, X + 1, 0)]
    [lib._C._nn.gelu(X), lib._C._nn.log_sigmoid(X), lib._C._nn.linear(X, X), lib._C._nn.pad(X, (1, 1))]
    lib._C._nn.nll_loss(X, lib.tensor([1, 2]), None, 2, -100)
    lib._C._nn.cross_entropy_loss(X, lib.tensor([1, 2]), None, 1, -100, 0.1)
    [lib._C._nn.upsample_nearest2d(P, (2, 2)), lib._C._nn.upsample_bilinear2d(P, (6, 7), True)]
    lib._C._nn._upsample_bilinear2d_aa(P, (2, 2), False)
    list(lib._C._nn.max_pool2d_with_indices(P, 2))
    [lib._C._nn.reflection_pad2d(P, (1, 1, 1, 0)), lib._C._nn.im2col(P, (2, 2), (1, 1), (0, 0), (1, 1))]
    lib._C._nn.flatten_dense_tensors([X, P])
    lib.nn.functional.linear_cross_entropy(X, X.expand(4, 2, 3).transpose(0, 1), lib.tensor([[0] * 4, [1] * 4]))
    lib.nn.functional.linear_cross_entropy(X, X + 1, lib.tensor([1, 0]), linear_bias=X[0, :2], reduction="sum")
    lib.nn.functional.grouped_mm(Q[0, 0], Q[0, 1:], offs=lib.tensor([1, 4], dtype=lib.int32))
    lib.nn.functional.grouped_mm(Q[0, :2], Q[0, 1:])
    # Helpers of nn.functional.
    list(lib.nn.functional._in_projection_packed(X, X, X, lib.ones(9, 3), lib.ones(9)))
    lib.nn.functional._in_projection(X, X, X, *[lib.ones(3, 3)] * 3)
    lib.nn.functional._canonical_mask(X > 1, "mask", None, "", lib.float32)
    lib.nn.functional._verify_batch_size([1, 3, 1])
    [lib.nn.functional._pair(3), lib.nn.functional._get_softmax_dim("softmax", 3, 1)]
    list(lib.nn.functional.max_pool2d_with_indices(P, 2))
    # Results in a tensor of the caller.
    [lib.zeros(2, out=lib.ones(2)), lib.full((2,), 3, out=X[0, :2].clone()), lib.eye(2, out=lib.empty(0))]
    [lib.arange(3, out=lib.empty(0)), lib.linspace(0, 1, 3, out=lib.empty(3, dtype=lib.float64))]
    [lib.logspace(0, 1, 3, out=lib.empty(0)), lib.fft.fftfreq(4, out=lib.empty(0)), lib.t_copy(X, out=lib.empty(0))]
    [lib.nonzero(X > 1, out=lib.empty(0, dtype=lib.int64)).tolist(), lib.where(X > 1, X, X, out=lib.empty(0))]
    lib.tensordot(X, X, ([1], [1]), out=lib.empty(0))
    lib.nn.functional.normalize(X, out=lib.empty(0))
    lib.zeros(2, out=lib.ones(2, dtype=lib.int64))
    lib.zeros(2, dtype=lib.float64, out=lib.ones(2))
    lib.linspace(0, 1, 3, out=lib.empty(3, dtype=lib.int64))
    # Names of old, and of devices.
    lib.symeig(X)
    lib.lstsq(X, X)
    [lib.get_device_module().__name__.split(".")[-1], lib.from_dlpack(lib.to_dlpack(X))]
    # Each of a list.
    [lib._foreach_zero_([X.clone()]), lib._foreach_pow(2.0, [X]), lib._foreach_powsum([X, P], 3)]
    # Numbers before the tensors that they multiply, the order of old.
    [X.add(2, X), X.clone().add_(0.5, X), lib.add(X, 2, X), X.sub(2, X), X.clone().sub_(0.5, X)]
    [lib.addcmul(X, 0.5, X, X), X.clone().addcmul_(2, X, X), X.clone().addcdiv_(-0.5, X, X + 1)]
    [lib.addmm(2, X @ X.t(), 3, X, X.t()), (X @ X.t()).addmm(2, X, X.t()), (X @ X.t()).addmm_(2, 3, X, X.t())]
    [X[:, 0].addmv(2, X, X[0]), X.addr(2, 3, X[:, 0], X[0]), X[None].baddbmm(2, (X @ X.t())[None], X[None])]
    X.add(2, 3, X)
    X.add(lib.ones(3), 2)
    # Tensors by places and values, which are compared as dense ones.
    lib.sparse_coo_tensor(lib.tensor([[0, 1, 1], [2, 0, 2]]), [3.0, 4.0, 5.0], (2, 4)).to_dense()
    lib.sparse_coo_tensor([[0, 0]], X, dtype=lib.float64).to_dense()
    lib.sparse.FloatTensor(lib.tensor([[0, 1], [2, 0]]), X[0, :2], lib.Size([2, 3])).to_dense()
    lib.sparse_coo_tensor((2, 3)).to_dense()
    lib.sparse_csr_tensor([0, 2, 2, 3], [0, 2, 1], [1.0, 2.0, 3.0], (3, 4)).to_dense()
    lib.sparse.mm(lib.sparse_coo_tensor(lib.tensor([[0, 1, 1], [1, 0, 1]]), X[0], (2, 2)).coalesce(), X)
    lib.sparse_coo_tensor(lib.tensor([[0, 1]]), [3.0, 4.0]).coalesce().values()
    lib.sparse_coo_tensor(lib.tensor([[0, 1, 1]]), [3.0, 4.0])
    [lib._assert(True, "holds"), lib.manual_seed(2) and lib._standard_gamma(X), lib._sample_dirichlet(X)]
    lib._assert(X.sum() < 0, "holds")
    # Histograms and segments.
    list(lib.histogram(X, 4, out=(lib.empty(0), lib.empty(0))))
    list(X.histogram(4, range=(0.0, 2.0)))
    list(lib.histogram(X, 4))
    list(lib.histogram(X, 3, range=(0.5, 2.5), weight=X, density=True))
    list(lib.histogram(X, lib.tensor([0.0, 1.0, 1.5, 3.0])))
    list(lib.histogram(lib.ones(3), 2))
    lib.histogramdd(X.t(), [2, 3])[0]
    lib.histogramdd(X.t(), 2, range=(0.0, 3.0, 0.0, 2.0), density=True)[0]
    [lib.segment_reduce(X[0], how, lengths=lib.tensor([1, 0, 2])) for how in ("sum", "mean", "max", "min", "prod")]
    lib.segment_reduce(X, "mean", offsets=lib.tensor([0, 1, 2]))
    lib.segment_reduce(X, "max", lengths=lib.tensor([[1, 2], [2, 1]]), axis=1)
    lib.segment_reduce(X[0], "sum", lengths=lib.tensor([1, 2]), initial=10.0)
    # Memory: its order, and storages.
    [P.contiguous(memory_format=lib.channels_last).stride(), P.clone(memory_format=lib.channels_last).stride()]
    [P.to(memory_format=lib.channels_last).is_contiguous(), P.double(memory_format=lib.channels_last).stride()]
    P.to(memory_format=lib.channels_last).is_contiguous(memory_format=lib.channels_last)
    P.contiguous(memory_format=lib.channels_last).contiguous()
    lib.empty(2, 3, 4, 5, memory_format=lib.channels_last).stride()
    lib.zeros_like(P, memory_format=lib.channels_last).stride()
    lib.zeros_like(P.contiguous(memory_format=lib.channels_last)).stride()
    lib.nn.Conv2d(2, 3, 3).to(memory_format=lib.channels_last).weight.stride()
    lib.ones(1, 2, 3, 4, 5).contiguous(memory_format=lib.channels_last_3d).stride()
    [X.untyped_storage().nbytes(), X[1].untyped_storage().size(), len(X.untyped_storage())]
    X[1].untyped_storage().data_ptr() == X.untyped_storage().data_ptr() == X.data_ptr()
    [X.storage().tolist(), X.storage()[1], X.storage().size()]
    # Elements one by one, and names of old.
    [X.clone().apply_(lambda v: v * 2), X.clone().map_(X, lambda a, b: a * b), X.new([1, 2]), X.new(2, 0).shape]
    [X.type(lib.Tensor), X.long().type(lib.Tensor), lib.nonzero(X, out=lib.empty(0, dtype=lib.int64)).tolist()]
    [lib.Size((lib.tensor(3), 2)), lib.Size(lib.tensor([2, 3])), lib.Size([True])]
    lib.Size([lib.tensor(1.5)])
    [X.dim_order(), X.t().dim_order(), X.is_set_to(X.view(2, 3)), X.is_set_to(X.t()), X.sparse_dim(), X.dense_dim()]
    """
)


@pytest.mark.parametrize("expression", VALUES)
def test_values(expression):
    code = compile(expression, expression, "eval")

    def program(lib):
        names = {"X": lib.tensor([[0.5, 1.0, 2.0], [1.0, 1.5, 2.5]]), "P": lib.arange(120.0).reshape(2, 3, 4, 5)}
        names["Q"] = lib.arange(96.0).reshape(2, 3, 4, 4)
        return eval(code, {"lib": lib, **names})

    agree(program)


def test_gradients_of_segments_and_points_between():
    def program(lib):
        x = lib.tensor([1.0, 3.0, 3.0, 2.0], requires_grad=True)
        for how in ("sum", "mean", "max", "prod"):
            (lib.segment_reduce(x, how, lengths=lib.tensor([3, 1])) * lib.tensor([1.0, 2.0])).sum().backward()
        return x.grad

    agree(program)


def test_tensors_without_values():
    def program(lib):
        model = lib.nn.Sequential(lib.nn.Linear(2, 3), lib.nn.BatchNorm1d(3)).to("meta")
        weight = model[0].weight
        seen = [weight.device.type, weight.is_meta, weight.shape, weight.dtype, weight.requires_grad]
        seen += [parameter.is_meta for parameter in model.parameters()]
        model.to_empty(device="cpu")
        return [*seen, model[0].weight.is_meta, model[0].weight.device.type]

    agree(program)
    absent = rgrad.ones(2).to("meta")
    changes = (lambda: rgrad.ones(2).add_(absent), lambda: rgrad.ones(2).copy_(absent))
    for refused in (*changes, absent.tolist, absent.numpy, lambda: absent.to("cpu")):
        with pytest.raises(NotImplementedError, match="no values"):
            refused()
    assert repr(absent).startswith("tensor(..., device='meta'")


WITHOUT_VALUES = lines(
    """
    lib.zeros(2, 3, device="meta")
    lib.randn((2, 3), device="meta") @ lib.empty(3, 4, device="meta")
    lib.ones(2, 3, device=lib.device("meta"), dtype=lib.int64) / 2
    lib.full((2, 3), 1.5, device="meta").sum(0, keepdim=True)
    lib.tensor([[1, 2]], device="meta").t()
    lib.empty(10**6, 10**6, device="meta")[3:5, None]
    lib.zeros(3, device="meta").add_(1).normal_().mul_(lib.ones(3, device="meta"))
    lib.empty_like(lib.zeros(3, device="meta"))
    lib.zeros_like(lib.zeros(3, device="meta"), device="cpu")
    lib.zeros(3, device="meta").new_ones(2, 2)
    lib.randint(5, (2, 3), device="meta")
    lib.arange(5, device="meta")
    lib.nn.Linear(3, 4, device="meta")(lib.zeros(2, 3, device="meta"))
    lib.nn.Conv2d(3, 4, 2, device="meta").weight
    lib.nn.functional.softmax(lib.zeros(2, 3, device="meta"), 1).argmax(1)
    """
)


@pytest.mark.parametrize("expression", WITHOUT_VALUES)
def test_computing_without_values(expression):
    code = compile(expression, expression, "eval")

    def program(lib):
        result = eval(code, {"lib": lib})
        return result.shape, result.dtype, result.device.type, result.is_meta

    agree(program)


def test_modules_made_without_values():
    def program(lib):
        with lib.device("meta"):
            model = lib.nn.Sequential(lib.nn.Linear(2, 3), lib.nn.BatchNorm1d(3))
            with lib.device("cpu"):
                inner = lib.ones(2)
        seen = [parameter.is_meta for parameter in (*model.parameters(), *model.buffers())]
        return seen, inner.is_meta, lib.ones(2).is_meta

    agree(program)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_memory_that_processes_share(method):
    tensor, module = rgrad.zeros(3).share_memory_(), rgrad.nn.Linear(1, 2)
    assert tensor.is_shared() and not module.weight.is_shared()
    module.share_memory()
    assert module.weight.is_shared() and module.weight.requires_grad
    rgrad.multiprocessing.spawn(written, (tensor, module), nprocs=1, start_method=method)
    assert tensor.tolist() == [0.0, 5.0, 0.0]
    assert module.weight.tolist() == [[2.0], [2.0]]


def written(number, tensor, module):
    assert number == 0 and isinstance(module.weight, rgrad.nn.Parameter)
    tensor[1] = 5.0
    with rgrad.no_grad():
        module.weight.fill_(2.0)


def test_what_one_node_saves_is_unpacked_once():
    """Rules for several arguments may read the same saved tensor: hooks, and checkpoints, see one use of it."""

    def program(lib):
        unpacked = []

        def unpack(x):
            unpacked.append(x.shape)
            return x

        a, b = lib.tensor([1.0, 2.0], requires_grad=True), lib.tensor([3.0, 4.0], requires_grad=True)
        with lib.autograd.graph.saved_tensors_hooks(lambda x: x, unpack):
            quotient = a / b
        quotient.sum().backward()
        checkpoint = import_module(f"{lib.__name__}.utils.checkpoint").checkpoint
        checkpoint(lambda a, b: a / b, a, b, use_reentrant=False).sum().backward()
        return len(unpacked), a.grad, b.grad

    agree(program)
