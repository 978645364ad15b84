"""`vmap`: a function for one example, run once for a batch of them."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from .. import _rgrad
from .._rgrad import Tensor
from ..utils._pytree import _broadcast_to_and_flatten, tree_flatten, tree_unflatten

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["vmap"]

RANDOMNESS = ("error", "different", "same")


def vmap(
    func: Callable[..., Any],
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """A function that runs `func`, written for one example, for all examples of a batch at once.

    in_dims: along which dimension each input holds the examples: an int for all, or a structure like that of the
        inputs, with None for an input that is the same for all examples. Keyword arguments are the same for all.
    out_dims: in which dimension each output is to hold the results: an int, or a structure like that of the outputs;
        None for an output that is the same for all.
    randomness: what random operations do: 'error', other numbers in each example ('different'), or the 'same'.
    chunk_size: how many examples are computed at a time; all if None.

    Raises ValueError if `in_dims` or `out_dims` do not fit, if no input or an input that is no Tensor is to be mapped,
    if sizes disagree, or if `func` returns something that is no Tensor; RuntimeError where what `func` does depends on
    the values of an example.
    """
    _check_randomness(randomness)
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError(f"vmap: chunk_size has to be None or positive, got {chunk_size}")
    name = getattr(func, "__name__", repr(func))

    @wraps(func)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        leaves, dims, spec = _examples(name, in_dims, args)
        size = _batch_size(leaves, dims)
        if chunk_size is None or chunk_size >= size:
            return _run(name, func, leaves, dims, spec, size, out_dims, randomness, kwargs)
        chunks = _chunks(leaves, dims, size, chunk_size)
        results = [_run(name, func, chunk, dims, spec, count, out_dims, randomness, kwargs) for chunk, count in chunks]
        return _joined(results, out_dims)

    return mapped


def _check_randomness(randomness: str) -> None:
    if randomness not in RANDOMNESS:
        raise RuntimeError(f"vmap: randomness has to be 'error', 'different' or 'same', got {randomness!r}")


def _is_dim(tree: Any) -> bool:
    return tree is None or isinstance(tree, int)


def _examples(name: str, in_dims: Any, args: tuple[Any, ...]) -> tuple[list[Any], list[int | None], Any]:
    """The leaves of the inputs, along which dimension each is mapped, and the shape of the inputs."""
    call = f"vmap({name}, in_dims={in_dims}, ...)"
    if not isinstance(in_dims, (int, tuple)):
        raise ValueError(
            f"{call}: in_dims has to be an int or a tuple of the structure of the inputs, it is a "
            f"{type(in_dims).__name__}"
        )
    if not args:
        raise ValueError(f"{call}: there are no inputs to map over")
    leaves, spec = tree_flatten(args)
    dims = _broadcast_to_and_flatten(in_dims, spec, _is_dim)
    if dims is None:
        raise ValueError(f"{call}: in_dims does not have the structure of the inputs, which is {spec}")
    for i, (leaf, dim) in enumerate(zip(leaves, dims)):
        if dim is None:
            continue
        if not isinstance(dim, int):
            raise ValueError(f"{call}: each of in_dims has to be an int or None, got {dim!r}")
        if not isinstance(leaf, Tensor):
            raise ValueError(
                f"{call}: in_dim {dim} is given for an input that is a {type(leaf).__name__}; what is no Tensor is "
                "mapped by None"
            )
        if not -leaf.dim() <= dim < leaf.dim():
            raise ValueError(f"{call}: in_dim {dim} is out of range for an input of {leaf.dim()} dimensions")
        dims[i] = dim % leaf.dim()
    return leaves, dims, spec


def _batch_size(leaves: list[Any], dims: list[int | None]) -> int:
    sizes = [leaf.size(dim) for leaf, dim in zip(leaves, dims) if dim is not None]
    if not sizes:
        raise ValueError("vmap: at least one input has to be mapped; all of in_dims are None")
    if any(size != sizes[0] for size in sizes):
        raise ValueError(f"vmap: all inputs need one size in the mapped dimension, got {sizes}")
    return int(sizes[0])


def _chunks(leaves: list[Any], dims: list[int | None], size: int, chunk_size: int) -> list[tuple[list[Any], int]]:
    """The leaves for each run of examples, and how many examples it has."""
    counts = [min(chunk_size, size - start) for start in range(0, size, chunk_size)]
    columns = [[leaf] * len(counts) if dim is None else leaf.split(chunk_size, dim) for leaf, dim in zip(leaves, dims)]
    return [([column[i] for column in columns], count) for i, count in enumerate(counts)]


def _joined(results: list[Any], out_dims: Any) -> Any:
    """The outputs of all runs, one after another."""
    columns = []
    for result in results:
        leaves, spec = tree_flatten(result)
        columns.append(leaves)
    dims = _broadcast_to_and_flatten(out_dims, spec, _is_dim)
    whole = [parts[0] if dim is None else _rgrad.cat(list(parts), dim) for parts, dim in zip(zip(*columns), dims or ())]
    return tree_unflatten(whole, spec)


def _run(
    name: str,
    func: Callable[..., Any],
    leaves: list[Any],
    dims: list[int | None],
    spec: Any,
    size: int,
    out_dims: Any,
    randomness: str,
    kwargs: dict[str, Any],
) -> Any:
    level = _rgrad._enter_vmap(size, randomness)
    try:
        batched = [leaf if dim is None else _rgrad._add_batch_dim(leaf, dim, level) for leaf, dim in zip(leaves, dims)]
        return _unwrap(name, func(*tree_unflatten(batched, spec), **kwargs), out_dims, level)
    finally:
        _rgrad._exit_vmap()


def _unwrap(name: str, outputs: Any, out_dims: Any, level: int) -> Any:
    """The outputs of all examples."""
    leaves, spec = tree_flatten(outputs)
    dims = _broadcast_to_and_flatten(out_dims, spec, _is_dim)
    if dims is None:
        raise ValueError(
            f"vmap({name}, ..., out_dims={out_dims}): out_dims does not have the structure of the outputs, which is "
            f"{spec}"
        )
    return tree_unflatten([_unwrap_leaf(name, leaf, dim, level) for leaf, dim in zip(leaves, dims)], spec)


def _unwrap_leaf(name: str, leaf: Any, dim: int | None, level: int) -> Any:
    if dim is None:
        if isinstance(leaf, Tensor) and _rgrad._is_batched(leaf, level):
            raise ValueError(f"vmap({name}, ...): an output differs between examples, but its out_dim is None")
        return leaf
    if not isinstance(leaf, Tensor):
        raise ValueError(
            f"vmap({name}, ...): {name} has to return Tensors, it returned a {type(leaf).__name__}; its out_dim has to "
            "be None if it is the same for all examples"
        )
    return _rgrad._remove_batch_dim(leaf, level, dim)
