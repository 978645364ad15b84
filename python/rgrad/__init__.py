"""Automatic differentiation on the CPU, with PyTorch's semantics.

Names, signatures and rules are PyTorch's: a program that imports ``torch`` runs after
``import rgrad as torch``.
"""

from __future__ import annotations

from builtins import bool as _bool, int as _int  # `bool` and `int` are dtypes here
from math import e as e, inf as inf, nan as nan, pi as pi

from . import _alias, _rgrad, functional
from ._rgrad import *
from ._limits import finfo, iinfo
from ._rgrad import (
    Tensor,
    complex64,
    complex128,
    default_generator,
    float16,
    float32,
    float64,
    int16,
    int32,
    int64,
)
from . import _methods  # noqa: F401 - its functions become methods of Tensor
from ._size import Size
from .functional import *  # type: ignore[no-redef]  # these call the operations of the same name
from .autograd.anomaly_mode import is_anomaly_check_nan_enabled, is_anomaly_enabled
from .autograd.grad_mode import enable_grad, inference_mode, no_grad, set_grad_enabled
from .version import __version__ as __version__
from . import autograd

_alias.install()

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeGuard

    from . import (
        amp as amp,
        backends as backends,
        compiler as compiler,
        cuda as cuda,
        distributed as distributed,
        distributions as distributions,
        fft as fft,
        func,
        graph,
        jit as jit,
        linalg as linalg,
        mps as mps,
        multiprocessing as multiprocessing,
        nn,
        optim,
        overrides,
        profiler,
        random as random,
        serialization as serialization,
        signal as signal,
        special,
        storage as storage,
        testing as testing,
        types as types,
        utils,
        version as version,
        xpu as xpu,
    )
    from ._lobpcg import lobpcg as lobpcg
    from ._lowrank import pca_lowrank as pca_lowrank, svd_lowrank as svd_lowrank
    from ._rgrad import Generator
    from ._settings import *
    from .amp import GradScaler as GradScaler, autocast as autocast
    from .compiler import compile as compile
    from .func import vmap
    from .serialization import load as load, save as save
    from .storage import TypedStorage as TypedStorage, UntypedStorage as UntypedStorage

newaxis = None


class OutOfMemoryError(RuntimeError):
    """Raised by PyTorch where a device has no more memory; here, that is a `MemoryError` of the CPU."""


__all__ = [
    "Size",
    "autograd",
    "cdouble",
    "cfloat",
    "double",
    "enable_grad",
    "fft",
    "finfo",
    "float",
    "func",
    "get_rng_state",
    "graph",
    "half",
    "iinfo",
    "inference_mode",
    "initial_seed",
    "int",
    "is_anomaly_check_nan_enabled",
    "is_anomaly_enabled",
    "is_complex",
    "is_conj",
    "is_floating_point",
    "is_neg",
    "is_tensor",
    "linalg",
    "lobpcg",
    "long",
    "manual_seed",
    "nn",
    "no_grad",
    "optim",
    "overrides",
    "pca_lowrank",
    "profiler",
    "seed",
    "set_grad_enabled",
    "set_rng_state",
    "short",
    "signal",
    "special",
    "svd_lowrank",
    "utils",
    "vmap",
]
__all__ += _rgrad.__all__
__all__ += functional.__all__

half = float16
float = float32
double = float64
cfloat = complex64
cdouble = complex128
short = int16
int = int32
long = int64


def manual_seed(seed: Any) -> Generator:
    """Start the default random generator from `seed`, a number that makes an int of at most 64 bits, and give it."""
    return default_generator.manual_seed(_int(seed))


def initial_seed() -> _int:
    """The seed that the default random generator started from."""
    return default_generator.initial_seed()


def seed() -> _int:
    """Start the default random generator from a seed that nobody can guess, and give that seed."""
    return default_generator.seed()


def get_rng_state() -> Tensor:
    """The state of the default random generator, a uint8 tensor."""
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Go on with the default random generator from a state that `get_rng_state` gave."""
    default_generator.set_state(new_state)


def is_tensor(object: Any) -> TypeGuard[Tensor]:
    """Whether `object` is a Tensor."""
    return isinstance(object, Tensor)


def is_floating_point(input: Tensor) -> _bool:
    """Whether the elements of a tensor are floats."""
    return input.is_floating_point()


def is_complex(input: Tensor) -> _bool:
    """Whether the elements of a tensor are complex numbers."""
    return input.is_complex()


def is_conj(input: Tensor) -> _bool:
    """Whether a tensor only remembers to be conjugated: never, conjugates are computed."""
    return input.is_conj()


def is_neg(input: Tensor) -> _bool:
    """Whether a tensor only remembers to be negated: never, opposites are computed."""
    return input.is_neg()


if not TYPE_CHECKING:  # To a type checker, this function would be a definition of every name.
    # The larger packages are imported when they are asked for: `import rgrad` stays quick.
    _LATER = {
        "": "_C _dynamo _utils accelerator amp backends compiler cpu cuda distributed distributions fft func futures "
        "graph hub jit linalg masked mps multiprocessing nn onnx ops optim overrides profiler random serialization "
        "signal sparse special storage testing torch_version types utils version xpu",
        "_lobpcg": "lobpcg",
        "_lowrank": "pca_lowrank svd_lowrank",
        "_settings": "are_deterministic_algorithms_enabled get_default_device get_deterministic_debug_mode "
        "get_float32_matmul_precision get_num_interop_threads is_deterministic_algorithms_warn_only_enabled is_storage "
        "is_warn_always_enabled set_default_device set_default_tensor_type set_deterministic_debug_mode "
        "set_float32_matmul_precision set_flush_denormal set_num_interop_threads set_warn_always typename "
        "use_deterministic_algorithms",
        "amp": "GradScaler autocast",
        "amp.autocast_mode": "get_autocast_cpu_dtype get_autocast_dtype get_autocast_gpu_dtype "
        "is_autocast_cache_enabled is_autocast_cpu_enabled is_autocast_enabled set_autocast_cache_enabled "
        "set_autocast_cpu_dtype set_autocast_cpu_enabled set_autocast_dtype set_autocast_enabled",
        "compiler": "compile",
        "func": "vmap",
        "futures": "Future",
        "serialization": "load save",
        "sparse": "sparse_coo_tensor sparse_csr_tensor",
        "storage": "TypedStorage UntypedStorage",
        "utils.dlpack": "to_dlpack",
    }
    _HOMES = {name: home for home, names in _LATER.items() for name in names.split()}

    def __getattr__(name):
        home = _HOMES.get(name)
        if home is not None:
            from importlib import import_module

            return getattr(import_module(f"rgrad.{home}"), name) if home else import_module(f"rgrad.{name}")
        if name.startswith("_foreach_"):
            from . import _foreach

            if hasattr(_foreach, name):
                return getattr(_foreach, name)
        from importlib import import_module

        for module in ("_legacy", "_toplevel", "_histograms", "_private"):
            home = import_module(f"rgrad.{module}")
            if name in home.__all__:
                return getattr(home, name)
        raise AttributeError(f"module 'rgrad' has no attribute '{name}'")
