"""Functions of the top level that are other operations under another name or with arguments in another form."""

from __future__ import annotations

import rgrad
from rgrad import _rgrad
from rgrad._rgrad import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# Losses of `nn.functional` whose reduction is a number here, and the names of their parameters.
_LOSSES = {
    "binary_cross_entropy_with_logits": "input target weight pos_weight reduction",
    "cosine_embedding_loss": "input1 input2 target margin reduction",
    "ctc_loss": "log_probs targets input_lengths target_lengths blank reduction zero_infinity",
    "hinge_embedding_loss": "input target margin reduction",
    "kl_div": "input target reduction",
    "margin_ranking_loss": "input1 input2 target margin reduction",
    "triplet_margin_loss": "anchor positive negative margin p eps swap reduction",
}
_REDUCTIONS = ("none", "mean", "sum")

# Operations that give views, of whose results `*_copy` gives copies.
_VIEWS = (
    "as_strided",
    "detach",
    "expand",
    "permute",
    "select",
    "split",
    "split_with_sizes",
    "squeeze",
    "t",
    "transpose",
    "unbind",
    "unfold",
    "unsqueeze",
    "view",
    "view_as_complex",
    "view_as_real",
)

# Methods that are functions, too.
_METHODS = (
    "as_strided_",
    "detach",
    "detach_",
    "fill_",
    "get_device",
    "is_inference",
    "is_signed",
    "resize_as_",
    "zero_",
)

# Dropout in place, and the function of `nn.functional` that does it.
_DROPOUTS = {
    "alpha_dropout_": "alpha_dropout",
    "dropout_": "dropout",
    "feature_alpha_dropout_": "feature_alpha_dropout",
}

# Functions that are no more, and what takes their places in `linalg`.
_REMOVED = {
    "eig": "eig",
    "lstsq": "lstsq",
    "matrix_rank": "matrix_rank",
    "solve": "solve",
    "symeig": "eigh",
}

__all__ = [
    *_LOSSES,
    *(f"{name}_copy" for name in _VIEWS),
    *_METHODS,
    *_DROPOUTS,
    *_REMOVED,
    "alias_copy",
    "dropout",
    "dsmm",
    "embedding_bag",
    "fill",
    "frobenius_norm",
    "get_device_module",
    "is_distributed",
    "native_dropout",
    "norm_except_dim",
    "nuclear_norm",
    "poisson_nll_loss",
    "slice_copy",
    "spmm",
]


def dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """`nn.functional.dropout`."""
    return rgrad.nn.functional.dropout(input, p, train)


def native_dropout(input: Tensor, p: float, train: bool | None) -> tuple[Tensor, Tensor]:
    """The elements that dropout keeps, scaled, with zeros for the others; and which it keeps."""
    if train is False or p == 0:
        return input.clone(), rgrad.ones_like(input, dtype=rgrad.bool)
    kept = rgrad.rand_like(input) >= p
    return input * kept * (0.0 if p == 1 else 1 / (1 - p)), kept


def poisson_nll_loss(input: Tensor, target: Tensor, log_input: bool, full: bool, eps: float, reduction: int) -> Tensor:
    """`nn.functional.poisson_nll_loss`."""
    return rgrad.nn.functional.poisson_nll_loss(
        input, target, log_input, full, eps=eps, reduction=reduction_named(reduction)
    )


def embedding_bag(
    weight: Tensor,
    indices: Tensor,
    offsets: Tensor,
    scale_grad_by_freq: bool = False,
    mode: int = 0,
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """`nn.functional.embedding_bag`, with the mode as a number: 0 for sums, 1 for means, 2 for the largest.

    Gives also the bag of every index and the size of every bag; in the place of the indices of the largest, nothing.
    """
    ends = offsets[1:] if include_last_offset else _rgrad.cat([offsets[1:], offsets.new_tensor([indices.numel()])])
    sizes = ends - offsets[: ends.numel()]
    bags = _rgrad.arange(ends.numel()).repeat_interleave(sizes)
    results = rgrad.nn.functional.embedding_bag(
        indices,
        weight,
        offsets,
        mode=("sum", "mean", "max")[mode],
        scale_grad_by_freq=scale_grad_by_freq,
        sparse=sparse,
        per_sample_weights=per_sample_weights,
        include_last_offset=include_last_offset,
        padding_idx=padding_idx,
    )
    return results, bags, sizes, sizes.new_empty(0)


def fill(input: Tensor, value: Any) -> Tensor:
    """A tensor like `input` with `value` everywhere."""
    return input.clone().fill_(value)


def alias_copy(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """A row-major copy."""
    return _rgrad._store("alias_copy", input.clone(memory_format=_rgrad.contiguous_format), out)


def slice_copy(
    input: Tensor,
    dim: int = 0,
    start: int | None = None,
    end: int | None = None,
    step: int = 1,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """A copy of a part of a tensor along a dimension."""
    part = input[(slice(None),) * (dim % input.dim()) + (slice(start, end, step),)].clone()
    return _rgrad._store("slice_copy", part, out)


def frobenius_norm(input: Tensor, dim: Any, keepdim: bool = False, *, out: Tensor | None = None) -> Tensor:
    """The square root of the sum of the squares over dimensions."""
    return _rgrad._store("frobenius_norm", _rgrad.norm(input, "fro", dim, keepdim), out)


def nuclear_norm(input: Tensor, dim: Any = None, keepdim: bool = False, *, out: Tensor | None = None) -> Tensor:
    """The sum of the singular values of a matrix, or of the matrices in two dimensions."""
    if isinstance(dim, bool):
        dim, keepdim = None, dim
    return _rgrad._store("nuclear_norm", _rgrad.norm(input, "nuc", dim, keepdim), out)


def norm_except_dim(v: Tensor, pow: int = 2, dim: int = 0) -> Tensor:
    """The norms over all dimensions but one, which `weight_norm` divides by; over all with `dim` -1."""
    if dim == -1:
        return v.norm(pow)
    rest = [other for other in range(v.dim()) if other != dim]
    return v.norm(pow, rest, keepdim=True)


def is_distributed(input: Tensor) -> bool:
    """Whether a tensor is spread over processes: never."""
    return False


def spmm(input: Tensor, mat2: Tensor) -> Tensor:
    """The product of two matrices, the first of which may be sparse elsewhere."""
    return _rgrad.mm(input, mat2)


dsmm = spmm


def get_device_module(device: Any = None) -> Any:
    """The module of a device, by default `rgrad.cpu`.

    Raises:
        RuntimeError: there is no such module.
    """
    kind = "cpu" if device is None else rgrad.device(device).type
    if kind not in ("cpu", "cuda", "mps", "xpu"):
        raise RuntimeError(f"get_device_module(): there is no module for the device '{kind}'")
    return getattr(rgrad, kind)


def reduction_named(reduction: int) -> str:
    """The name of a reduction that is given as a number."""
    if reduction not in (0, 1, 2):
        raise ValueError(f"the reduction has to be 0, 1 or 2, for {_REDUCTIONS}, not {reduction}")
    return _REDUCTIONS[reduction]


if not TYPE_CHECKING:

    def _described(function: Callable[..., Any], name: str, documentation: str) -> Callable[..., Any]:
        function.__name__ = function.__qualname__ = name
        function.__doc__ = documentation
        return function

    def _loss(name):
        original, names = getattr(rgrad.nn.functional, name), _LOSSES[name].split()

        def loss(*arguments, **keywords):
            given = dict(zip(names, arguments), **keywords)
            return original(**given | {"reduction": reduction_named(given.get("reduction", 0))})

        return _described(
            loss, name, f"`nn.functional.{name}`, with 0 (the default), 1 or 2 for no reduction, mean and sum."
        )

    def _copy(name):
        def own(view):
            return view.clone(memory_format=_rgrad.contiguous_format)

        def copy(input, *arguments, out=None, **keywords):
            if hasattr(input, name):
                result = getattr(input, name)(*arguments, **keywords)
            else:
                result = getattr(_rgrad, name)(input, *arguments, **keywords)
            if isinstance(result, Tensor):
                return _rgrad._store(f"{name}_copy", own(result), out)
            if out is None:
                return tuple(map(own, result))
            for part, target in zip(result, out, strict=True):
                _rgrad._store(f"{name}_copy", part, target)
            return None

        return _described(copy, f"{name}_copy", f"A copy of what `{name}` gives a view of.")

    def _function(name):
        def function(input, *arguments, **keywords):
            return getattr(input, name)(*arguments, **keywords)

        return _described(function, name, f"`Tensor.{name}` as a function.")

    def _removed(name, successor):
        def removed(*arguments, **keywords):
            raise RuntimeError(f"{name}() is no more: use linalg.{successor}()")

        return _described(removed, name, f"Refused: it is no more; see `linalg.{successor}`.")

    def _dropout_in_place(name, original):
        def in_place(input, p, train):
            return getattr(rgrad.nn.functional, original)(input, p, train, inplace=True)

        return _described(in_place, name, f"`nn.functional.{original}` in place.")

    _made = {name: _loss(name) for name in _LOSSES}
    _made |= {f"{name}_copy": _copy(name) for name in _VIEWS}
    _made |= {name: _function(name) for name in _METHODS}
    _made |= {name: _removed(name, successor) for name, successor in _REMOVED.items()}
    _made |= {name: _dropout_in_place(name, original) for name, original in _DROPOUTS.items()}
    globals().update(_made)
    for _name in __all__:
        globals()[_name] = _rgrad._overridable(globals()[_name])
