"""Names that programs import without needing what they stand for, also under the name `torch`."""

from __future__ import annotations

import subprocess
import sys
import warnings

import pytest

import rgrad
from oracle import Raised, agree, lines, raises, run, same, torch

# What both libraries answer without a GPU.
ANSWERS = lines(
    """
    lib.cuda.is_available()
    lib.cuda.device_count()
    lib.cuda.is_initialized()
    lib.cuda.manual_seed(3)
    lib.cuda.manual_seed_all(3)
    lib.cuda.empty_cache()
    lib.cuda.get_arch_list()
    lib.cuda.is_bf16_supported()
    lib.mps.is_available()
    lib.mps.device_count()
    lib.xpu.is_available()
    lib.xpu.device_count()
    lib.backends.cudnn.is_available()
    lib.backends.cudnn.version()
    lib.backends.cudnn.enabled
    lib.backends.cudnn.benchmark
    lib.backends.cudnn.deterministic
    lib.backends.mps.is_available()
    lib.backends.mps.is_built()
    lib.backends.cuda.is_built()
    lib.backends.cuda.matmul.allow_tf32
    lib.distributed.is_initialized()
    lib.distributed.is_torchelastic_launched()
    lib.jit.is_scripting()
    lib.jit.is_tracing()
    lib.jit.annotate(int, 3)
    lib.jit.isinstance([1], list[int])
    lib.set_float32_matmul_precision("low")
    lib.compiler.is_compiling()
    lib.version.cuda
    lib.version.hip
    lib.get_float32_matmul_precision()
    lib.set_float32_matmul_precision("high")
    lib.set_float32_matmul_precision("highest")
    lib.are_deterministic_algorithms_enabled()
    lib.use_deterministic_algorithms(False)
    lib.is_deterministic_algorithms_warn_only_enabled()
    lib.set_deterministic_debug_mode("default")
    lib.get_deterministic_debug_mode()
    lib.set_warn_always(False)
    lib.is_warn_always_enabled()
    lib.accelerator.is_available()
    lib.accelerator.current_accelerator()
    lib.cuda.get_rng_state_all()
    lib.cuda.memory_stats()
    lib.get_device(lib.ones(2))
    lib.is_distributed(lib.ones(2))
    lib.is_inference(lib.ones(2))
    lib.is_signed(lib.ones(2, dtype=lib.uint8))
    [lib.pi, lib.e, lib.inf, lib.newaxis]
    [lib.__version__ >= "2.2", lib.__version__ > (1, 9), lib.__version__ < "2.0.1", "1.0" > lib.__version__]
    [int(part) for part in lib.__version__.split("+")[0].split(".")]
    [str(lib.strided), str(lib.channels_last), repr(lib.preserve_format)]
    str(lib.ones(2).layout)
    [lib.ones(2).is_sparse, lib.ones(2).is_quantized, lib.ones(2).is_mps, lib.ones(2).is_meta, lib.ones(2).is_cuda]
    [lib.ones(2).is_pinned(), lib.ones(2).is_shared(), lib.ones(2).share_memory_().is_shared()]
    [str(lib.device("cuda", 1)), lib.device("cuda:1").index, lib.device("mps").type, lib.device("meta").type]
    lib.device("cpu") == lib.device("cpu:0")
    lib.device("cuda:0") == lib.device("cuda", 0)
    str(lib.ones(2).to("cpu:0").device)
    str(lib.get_default_device())
    lib.set_default_device("cpu")
    lib.set_default_device(None)
    lib.set_default_tensor_type("torch.FloatTensor")
    lib.set_default_tensor_type(lib.FloatTensor)
    lib.is_storage(lib.ones(2))
    lib.is_storage(3)
    lib.typename(3)
    lib.typename(lib.ones(2))
    lib.typename(lib.nn.Linear(1, 1)).split(".", 1)[1]
    lib.multiprocessing.get_sharing_strategy()
    (lambda device: [str(device.__enter__()), device.__exit__(None, None, None)])(lib.device("cpu"))
    lib.amp.is_autocast_available("cpu")
    lib.cuda.amp.GradScaler().is_enabled()
    lib.amp.GradScaler("cuda").get_scale()
    """
)


@pytest.mark.parametrize("expression", ANSWERS)
def test_answers(expression):
    code = compile(expression, expression, "eval")
    agree(lambda lib: eval(code, {"lib": lib}))


REFUSALS = lines(
    """
    lib.set_deterministic_debug_mode(5)
    lib.set_deterministic_debug_mode(None)
    lib.set_num_interop_threads(0)
    lib.distributed.get_rank()
    lib.distributed.get_world_size()
    lib.jit.freeze(lib.nn.Linear(1, 1))
    lib.ones(2).cuda()
    lib.ones(2).to("cuda")
    lib.ones(2).to(lib.device("xpu"))
    lib.zeros(2, device="cuda:0")
    lib.zeros(2, device="mps")
    lib.nn.Linear(1, 1, device="cuda")
    lib.device("cuda:x")
    lib.device("cuda:0", 1)
    lib.ones(2).pin_memory()
    lib.ones(2).to("meta").to("cpu")
    lib.ones(2, 3).contiguous(memory_format=lib.channels_last)
    lib.empty(2, 3, memory_format=3)
    lib.amp.is_autocast_available(3)
    lib.amp.GradScaler("cpu", growth_factor=0.5)
    lib.amp.GradScaler("cpu", backoff_factor=1.5)
    lib.amp.GradScaler("cpu").scale(3)
    lib.amp.GradScaler("cpu").update()
    lib.compile(abs, mode="default", options={})
    """
)


@pytest.mark.parametrize("expression", REFUSALS)
def test_refusals(expression):
    code = compile(expression, expression, "eval")
    theirs = run(lambda lib: eval(code, {"lib": lib}), torch)
    ours = run(lambda lib: eval(code, {"lib": lib}), rgrad)
    assert isinstance(ours, Raised) and isinstance(theirs, Raised), (ours, theirs)
    # torch asserts where it could raise a class of its own.
    if theirs.kind is not AssertionError:
        same(ours, theirs)


@pytest.mark.parametrize("expression", ["set_device(0)", "current_device()", "Stream()", "get_device_name()"])
def test_what_needs_the_device_is_refused(expression):
    with pytest.raises(RuntimeError, match="the CPU only"):
        eval(f"rgrad.cuda.{expression}")


def square(x):
    return x * x


@pytest.mark.parametrize(
    "mark",
    [
        lambda lib: lib.jit.script(square),
        lambda lib: lib.jit.ignore(square),
        lambda lib: lib.jit.ignore(drop=True)(square),
        lambda lib: lib.jit.unused(square),
        lambda lib: lib.jit.export(square),
        lambda lib: lib.jit.script_if_tracing(square),
        lambda lib: lib.compiler.disable(square),
        lambda lib: lib.compiler.disable()(square),
        lambda lib: lib.compile(square, disable=True),
        lambda lib: lib.device("cpu")(square),
    ],
)
def test_functions_stay_what_they_are(mark):
    assert mark(rgrad)(3.0) == 9.0


def test_compiled_and_traced_modules_are_the_modules():
    model = rgrad.nn.Linear(2, 2)
    assert rgrad.compile(model) is model
    assert rgrad.compile(fullgraph=True)(square) is square
    assert rgrad.jit.trace(model, rgrad.ones(1, 2)) is model
    assert rgrad.jit.wait(rgrad.jit.fork(square, 4)) == 16


def test_switches_for_a_while():
    def program(lib):
        cudnn = lib.backends.cudnn
        with cudnn.flags(enabled=False, deterministic=True):
            within = cudnn.enabled, cudnn.deterministic
        return within, (cudnn.enabled, cudnn.deterministic)

    agree(program)
    with pytest.raises(TypeError, match="speed"):
        rgrad.backends.cudnn.flags(speed=1).__enter__()


def test_random_numbers_of_a_stretch():
    def program(lib):
        lib.manual_seed(3)
        with lib.random.fork_rng():
            within = lib.rand(2)
        return within, lib.rand(2), lib.random.initial_seed(), lib.random.get_rng_state().shape

    agree(program)
    with pytest.raises(RuntimeError):
        rgrad.random.fork_rng(devices=[0]).__enter__()


def test_autocast_without_the_device():
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        with rgrad.autocast("cuda", dtype=rgrad.float32):
            product = rgrad.ones(2, 2) @ rgrad.ones(2, 2)
    assert product.dtype is rgrad.float32 and len(seen) == 1
    assert rgrad.amp.autocast("cuda", enabled=False)(square)(2) == 4
    raises(lambda lib: lib.autocast(3))


def test_scaled_gradients():
    """The scale grows after steps that were taken, and falls after one that was skipped."""

    def program(lib):
        parameter = lib.tensor([1.0, -2.0], requires_grad=True)
        optimizer = lib.optim.SGD([parameter], lr=0.1)
        scaler = lib.amp.GradScaler("cpu", init_scale=8.0, growth_interval=2)
        seen = []
        for factor in (1.0, 2.0, float("inf"), 1.0):
            optimizer.zero_grad()
            scaler.scale((parameter**2).sum() * factor).backward()
            if factor == 2.0:
                scaler.unscale_(optimizer)
                seen.append(parameter.grad.clone())
            scaler.step(optimizer)
            scaler.update()
            seen.append((parameter.detach().clone(), scaler.get_scale()))
        lists = scaler.scale([lib.ones(1), (lib.ones(1),)])
        twice = run(lambda lib: (scaler.unscale_(optimizer), scaler.unscale_(optimizer)), lib)
        return seen, scaler.state_dict(), lists, twice

    agree(program)


def test_extensions_cannot_be_built():
    from rgrad.utils import cpp_extension

    for refused in (lambda: cpp_extension.load("x", ["x.cpp"]), lambda: cpp_extension.CppExtension("x", [])):
        with pytest.raises(NotImplementedError, match="Function"):
            refused()


def doubled(number, results):
    results.put((number, rgrad.full((2,), number * 2.0)))


def test_processes():
    multiprocessing = rgrad.multiprocessing
    results = multiprocessing.get_context("fork").Queue()
    processes = multiprocessing.spawn(doubled, (results,), nprocs=2, join=False, start_method="fork")
    found = dict(results.get(timeout=60) for _ in processes)
    for process in processes:
        process.join(60)
    assert {number: tensor.tolist() for number, tensor in found.items()} == {0: [0.0, 0.0], 1: [2.0, 2.0]}


def test_several_tensors_as_one():
    def program(lib):
        tensors = [lib.ones(2, 3), lib.zeros(4)]
        flat = lib._utils._flatten_dense_tensors(tensors)
        return flat, lib._utils._unflatten_dense_tensors(flat, tensors)

    agree(program)


STATEMENTS = lines(
    """
    import torch.backends.cudnn as cudnn; cudnn.benchmark = True
    import torch.multiprocessing as mp; mp.Queue, mp.Process
    import torch.distributed as dist; assert not dist.is_available()
    from torch.cuda.amp import GradScaler, autocast
    from torch.amp import GradScaler, autocast
    from torch.utils.data import DataLoader, Dataset, TensorDataset, random_split
    from torch.utils.data.distributed import DistributedSampler
    from torch.utils.data.dataloader import default_collate
    from torch.utils.data.sampler import SubsetRandomSampler
    from torch.optim.lr_scheduler import _LRScheduler, LRScheduler, OneCycleLR
    from torch.optim.swa_utils import AveragedModel
    from torch.optim.optimizer import Optimizer, required
    from torch.jit import script
    from torch.types import Number, Device, _size
    from torch.random import fork_rng
    from torch.testing import assert_close, make_tensor
    from torch import compile, save, load, autocast, typename, device, Generator, Tensor, Size
    import torch.version; torch.version.cuda
    import torch.utils.cpp_extension
    from torch.hub import load_state_dict_from_url; from torch.utils.model_zoo import load_url
    from torch.utils.dlpack import from_dlpack, to_dlpack
    from torch.distributions.utils import _standard_normal, _sum_rightmost, lazy_property, broadcast_all
    from torch.distributions.multivariate_normal import _batch_mahalanobis, _batch_mv, _precision_to_scale_tril
    from torch.distributions.transforms import _InverseTransform, Transform
    from torch.nn.modules.module import _IncompatibleKeys, _EXTRA_STATE_KEY_SUFFIX
    from torch.nn.utils.stateless import _reparametrize_module
    from torch.optim.optimizer import Optimizer, ParamsT, required
    from torch.utils._foreach_utils import _group_tensors_by_device_and_dtype
    from torch.serialization import MAP_LOCATION; from torch.cuda import nvtx; nvtx.range_push("a"); nvtx.range_pop()
    from torch.jit import TracerWarning, ScriptModule; import torch; assert issubclass(ScriptModule, torch.nn.Module)
    import torch; torch.Future; torch._C._get_tracing_state() is None or exit(1); torch._C._log_api_usage_once("a")
    from torch.distributed import ReduceOp, all_reduce, init_process_group
    import torch._dynamo; torch._dynamo.config.suppress_errors = True
    import torch.onnx, torch.hub, torch.cpu, torch.accelerator, torch.sparse, torch.utils.collect_env
    from packaging.version import parse; import torch; assert parse("2.0") <= parse(torch.__version__) < parse("3")
    import torch; isinstance(torch.ones(1), (torch.cuda.FloatTensor, torch.FloatTensor)) or exit(1)
    import torch.serialization, torch.storage, torch.mps, torch.xpu, torch.compiler
    import torch; torch.cuda.is_available() or torch.backends.mps.is_available()
    """
)


def test_results_that_come_later():
    def program(lib):
        Future, collect_all, wait_all = lib.futures.Future, lib.futures.collect_all, lib.futures.wait_all
        first, second, order = Future(), Future(), []
        both = collect_all([first, second])
        after = first.then(lambda future: future.value() * 2)
        first.add_done_callback(lambda future: order.append(future.value()))
        before = [first.done(), both.done()]
        first.set_result(4)
        second.set_exception(KeyError("none"))
        seen = [first.wait(), after.wait(), both.done(), order]
        try:
            wait_all([first, second])
        except KeyError:
            seen.append("raised")
        return before, seen, lib.jit.wait(lib.jit.fork(lambda a: a + 1, 2))

    agree(program)
    raises(lambda lib: [future := lib.futures.Future(), future.set_result(1), future.set_result(2)])


def test_lists_of_tensors_by_type():
    def program(lib):
        from importlib import import_module

        group = import_module(f"{lib.__name__}.utils._foreach_utils")._group_tensors_by_device_and_dtype
        rows = [lib.ones(2), lib.ones(3, dtype=lib.int64), lib.zeros(1)]
        groups = group([rows, [None, rows[1], rows[0]]], with_indices=True)
        return sorted(((str(key[1]), found) for key, found in groups.items()), key=lambda row: row[0])

    agree(program)


@pytest.mark.parametrize("statement", STATEMENTS)
def test_imports_under_the_name_torch(statement):
    program = f"import sys, rgrad; sys.modules['torch'] = rgrad\n{statement}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
