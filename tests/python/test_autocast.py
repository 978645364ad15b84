"""Autocast on the CPU: which operations compute in which type, and what comes of it for gradients."""

from __future__ import annotations

import pytest

from oracle import agree, lines

# The types of results from float32 and from bfloat16 operands, called x (3, 3) and v (3,).
EXPRESSIONS = lines(
    """
    x @ x
    lib.mm(x, x)
    lib.bmm(x[None], x[None])
    lib.mv(x, v)
    lib.dot(v, v)
    lib.addmm(x, x, x)
    lib.baddbmm(x[None], x[None], x[None])
    lib.addbmm(x, x[None], x[None])
    lib.einsum("ij,jk->ik", x, x)
    lib.chain_matmul(x, x)
    lib.nn.functional.linear(x, x, v)
    lib.nn.functional.bilinear(x, x, x[None])
    lib.nn.functional.conv1d(x[None], x[None])
    lib.nn.functional.conv2d(x[None, None], x[None, None])
    lib.nn.functional.conv_transpose2d(x[None, None], x[None, None])
    lib.nn.functional.prelu(x, v[:1])
    lib.nn.functional.scaled_dot_product_attention(x[None], x[None], x[None])
    lib.nn.functional.softmax(x, 0)
    lib.nn.functional.layer_norm(x, [3])
    lib.nn.functional.layer_norm(x, [3], lib.ones(3))
    lib.nn.functional.group_norm(x, 3, lib.ones(3), lib.ones(3))
    lib.nn.functional.batch_norm(x, lib.zeros(3), lib.ones(3), lib.ones(3), lib.zeros(3), training=True)
    lib.nn.functional.instance_norm(x[None], weight=lib.ones(3))
    lib.nn.functional.gelu(x)
    lib.nn.functional.avg_pool2d(x[None], 2)
    lib.nn.functional.avg_pool3d(x[None, None], (1, 2, 2))
    lib.nn.functional.adaptive_avg_pool3d(x[None, None], 1)
    lib.nn.functional.max_pool3d(x[None, None], (1, 2, 2))
    lib.nn.functional.pad(x, (1, 1), mode="reflect")
    lib.nn.functional.pad(x, (1, 1), mode="replicate")
    lib.nn.functional.pad(x, (1, 1))
    lib.nn.functional.mse_loss(x, x)
    lib.nn.functional.mse_loss(x, lib.ones(3, 3))
    lib.nn.functional.l1_loss(x, x)
    lib.nn.functional.smooth_l1_loss(x, x)
    lib.nn.functional.huber_loss(x, x)
    lib.nn.functional.kl_div(x, x)
    lib.nn.functional.nll_loss(x, lib.tensor([0, 1, 2]))
    lib.nn.functional.cross_entropy(x, lib.tensor([0, 1, 2]))
    lib.nn.functional.binary_cross_entropy(x.sigmoid(), x.sigmoid())
    lib.nn.functional.binary_cross_entropy_with_logits(x, x)
    lib.nn.functional.poisson_nll_loss(x, x)
    lib.nn.functional.cosine_embedding_loss(x, x, lib.ones(3))
    lib.nn.functional.hinge_embedding_loss(x, lib.ones(3))
    lib.nn.functional.margin_ranking_loss(v, v, lib.ones(3))
    lib.nn.functional.soft_margin_loss(v, lib.ones(3))
    lib.nn.functional.triplet_margin_loss(x, x, x)
    lib.nn.functional.multi_margin_loss(x, lib.tensor([0, 1, 2]))
    lib.nn.functional.multilabel_margin_loss(x, lib.zeros(3, 3, dtype=lib.int64))
    lib.nn.functional.ctc_loss(x[:, None].log_softmax(2), lib.tensor([[1]]), lib.tensor([3]), lib.tensor([1]))
    lib.nn.functional.grid_sample(x[None, None], x[None, None, :, :2])
    lib.polar(x, x)
    lib.prod(x)
    lib.prod(x, 0)
    lib.cdist(x, x)
    lib.trace(x)
    lib.quantile(v, 0.5)
    lib.view_as_complex(x[:, :2].contiguous())
    lib.cat([v, lib.ones(3)])
    lib.stack([v, v])
    lib.index_copy(v, 0, lib.tensor([0]), lib.ones(1))
    x + lib.ones(3)
    x.double() @ x.double()
    v.sum()
    x.norm()
    x.exp()
    """
)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_types(expression):
    code = compile(expression, expression, "eval")

    def program(lib):
        found = []
        for dtype in (lib.float32, lib.bfloat16):
            x = (lib.arange(9.0).reshape(3, 3) / 9).to(dtype)
            with lib.autocast("cpu", dtype=lib.bfloat16):
                found.append(eval(code, {"lib": lib, "x": x, "v": x[0]}).dtype)
        return found

    agree(program)


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN", "MultiheadAttention", "TransformerEncoderLayer"])
def test_modules(kind):
    def program(lib):
        lib.manual_seed(0)
        module = (
            getattr(lib.nn, kind)(4, 2)
            if kind != "TransformerEncoderLayer"
            else lib.nn.TransformerEncoderLayer(4, 2, 8)
        )
        inputs = [lib.randn(2, 1, 4)] * (3 if kind == "MultiheadAttention" else 1)
        with lib.autocast("cpu"):
            result = module(*inputs)
        return (result if isinstance(result, lib.Tensor) else result[0]).dtype

    agree(program)


def test_training():
    """Gradients come in the types of the parameters, and losses as near as bfloat16 allows."""

    def program(lib, dtype="bfloat16"):
        nn = lib.nn
        lib.manual_seed(0)
        net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 8), nn.GELU())
        head, images, labels = nn.Linear(8, 3), lib.randn(8, 1, 6, 6), lib.randint(0, 3, (8,))
        optimizer = lib.optim.SGD([*net.parameters(), *head.parameters()], lr=0.1)
        seen = []
        for _ in range(4):
            optimizer.zero_grad()
            with lib.autocast("cpu", dtype=getattr(lib, dtype)):
                scores = head(net(images))
                loss = nn.functional.cross_entropy(scores, labels)
            loss.backward()
            optimizer.step()
            seen.append((scores.dtype, net[0].weight.grad.dtype, loss.detach()))
        return seen

    agree(program, slack=(2e-2, 2e-2))
    agree(lambda lib: program(lib, "float16"), slack=(5e-3, 5e-3))


def test_a_parameter_is_converted_once():
    def program(lib):
        weight, x = lib.eye(3, requires_grad=True), lib.ones(2, 3)
        with lib.autocast("cpu"):
            first, second = x @ weight, x @ weight
            shared = first.grad_fn.next_functions[1][0] is second.grad_fn.next_functions[1][0]
            weight.data.mul_(2)
            stale = (x @ weight).detach()
        with lib.autocast("cpu", cache_enabled=False):
            third, fourth = x @ weight, x @ weight
        apart = third.grad_fn.next_functions[1][0] is fourth.grad_fn.next_functions[1][0]
        (first + second).sum().backward()
        return shared, apart, stale, third.detach(), weight.grad

    agree(program)


def test_nesting_and_state():
    def program(lib):
        product = lib.ones(2, 2)

        def state():
            return lib.is_autocast_enabled("cpu"), lib.get_autocast_dtype("cpu"), lib.is_autocast_cache_enabled()

        seen = [state(), lib.is_autocast_enabled(), lib.get_autocast_gpu_dtype()]
        with lib.autocast("cpu", cache_enabled=False):
            seen.append(state())
            with lib.autocast("cpu", dtype=lib.float16):
                seen += [state(), (product @ product).dtype]
            with lib.autocast("cpu", enabled=False):
                seen += [state(), (product @ product).dtype]
            seen.append((product @ product).dtype)

        @lib.autocast("cpu")
        def decorated(x):
            return x @ x

        try:
            with lib.autocast("cpu"):
                raise KeyError
        except KeyError:
            seen.append(state())
        return [*seen, decorated(product).dtype, state()]

    agree(program)


def test_functions():
    """`custom_fwd` and `custom_bwd` have both methods compute in one way."""

    def program(lib):
        seen = []

        class Product(lib.autograd.Function):
            @staticmethod
            @lib.amp.custom_fwd(device_type="cpu")
            def forward(ctx, a, b):
                ctx.save_for_backward(a, b)
                return a @ b

            @staticmethod
            @lib.amp.custom_bwd(device_type="cpu")
            def backward(ctx, gradient):
                a, b = ctx.saved_tensors
                seen.append(lib.is_autocast_enabled("cpu"))
                return gradient @ b.T, a.T @ gradient

        class Exact(lib.autograd.Function):
            @staticmethod
            @lib.amp.custom_fwd(device_type="cpu", cast_inputs=lib.float32)
            def forward(ctx, a):
                seen.append((a.dtype, (a @ a).dtype, lib.is_autocast_enabled("cpu")))
                return a * 2

            @staticmethod
            @lib.amp.custom_bwd(device_type="cpu")
            def backward(ctx, gradient):
                seen.append(lib.is_autocast_enabled("cpu"))
                return gradient * 2

        x = lib.eye(2, requires_grad=True)
        with lib.autocast("cpu"):
            result = Exact.apply(Product.apply(x, x))
        result.sum().backward()
        return seen, result.dtype, x.grad

    agree(program)
