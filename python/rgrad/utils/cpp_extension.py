"""Extensions in C++, which need PyTorch's headers and cannot be built for rgrad."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

__all__ = ["BuildExtension", "CUDAExtension", "CppExtension", "include_paths", "load", "load_inline"]

CUDA_HOME: str | None = None
ROCM_HOME: str | None = None


def _refuse(name: str) -> NoReturn:
    raise NotImplementedError(
        f"cpp_extension.{name}: extensions are built against PyTorch's C++ interface, which rgrad has not; "
        "write the operation as an rgrad.autograd.Function"
    )


def load(name: str, sources: Any, *arguments: Any, **options: Any) -> NoReturn:
    """Refused. Raises `NotImplementedError`."""
    _refuse("load")


def load_inline(name: str, cpp_sources: Any, *arguments: Any, **options: Any) -> NoReturn:
    """Refused. Raises `NotImplementedError`."""
    _refuse("load_inline")


def include_paths(*arguments: Any, **options: Any) -> NoReturn:
    """Refused. Raises `NotImplementedError`."""
    _refuse("include_paths")


def CppExtension(name: str, sources: Any, *arguments: Any, **options: Any) -> NoReturn:
    """Refused. Raises `NotImplementedError`."""
    _refuse("CppExtension")


def CUDAExtension(name: str, sources: Any, *arguments: Any, **options: Any) -> NoReturn:
    """Refused. Raises `NotImplementedError`."""
    _refuse("CUDAExtension")


class BuildExtension:
    """The command of a build, which cannot be made. Raises `NotImplementedError`."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        _refuse("BuildExtension")

    @classmethod
    def with_options(cls, **options: Any) -> type[BuildExtension]:
        """The command with options."""
        return cls
