"""Linear algebra, under the names that PyTorch has in `torch.linalg`."""

from __future__ import annotations

from . import _rgrad
from ._rgrad import _LinAlgError as LinAlgError, _linalg

__all__ = ["LinAlgError"]

# Every operation of the registry whose name begins with `linalg_`.
for _name in dir(_linalg):
    if _name.startswith("linalg_"):
        globals()[_name.removeprefix("linalg_")] = getattr(_linalg, _name)
        __all__.append(_name.removeprefix("linalg_"))
del _name


def diagonal(A, *, offset: int = 0, dim1: int = -2, dim2: int = -1):
    """The diagonal of each matrix, a view: `Tensor.diagonal` for the last two dimensions."""
    return _rgrad.Tensor.diagonal(A, offset, dim1, dim2)


__all__ += ["diagonal"]


def norm(A, ord=None, dim=None, keepdim: bool = False, *, dtype=None):
    """A norm of vectors or matrices.

    Without `ord` and `dim`, that of all elements; with an `ord` and without `dim`, the input has to be a vector or
    a matrix. One dimension in `dim` means vectors, two mean matrices.
    """
    functions = globals()
    if dim is not None:
        dims = (dim,) if isinstance(dim, int) else tuple(dim)
    elif ord is None:
        dims = None
    else:
        if A.dim() not in (1, 2):
            raise RuntimeError(f"linalg.norm: with ord and without dim a vector or a matrix is expected, not {A.dim()} dimensions")
        dims = tuple(range(A.dim()))
    if ord is not None and dims is not None and (len(dims) == 2 or isinstance(ord, str)):
        return functions["matrix_norm"](A, ord, dims, keepdim, dtype=dtype)
    return functions["vector_norm"](A, 2 if ord is None else ord, dims, keepdim, dtype=dtype)


__all__ += ["norm"]
