"""Functions that give the derivatives of functions: `grad`, `vjp`, `jvp`, Jacobians and Hessians.

All take a function of tensors, or of nested containers of tensors, and can be combined with each other and with `vmap`.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from .. import _rgrad
from .._rgrad import Tensor
from ..autograd import forward_ad
from ..autograd.grad_mode import enable_grad
from ..utils._pytree import tree_flatten, tree_map, tree_unflatten
from .vmap import _check_randomness, vmap

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "linearize", "vjp"]


def _tensors(name: str, leaves: list[Any]) -> None:
    for leaf in leaves:
        if not isinstance(leaf, Tensor):
            raise ValueError(
                f"{name}: the inputs that are differentiated have to be Tensors, got a {type(leaf).__name__}"
            )


def _chosen(name: str, args: tuple[Any, ...], argnums: int | tuple[int, ...]) -> tuple[int, ...]:
    """The places that `argnums` names, counted from the start."""
    numbers = (argnums,) if isinstance(argnums, int) else argnums
    if not isinstance(numbers, tuple) or not all(isinstance(number, int) for number in numbers):
        raise RuntimeError(f"{name}: argnums has to be an int or a tuple of ints, got {argnums!r}")
    if not numbers:
        raise RuntimeError(f"{name}: argnums must not be empty")
    for number in numbers:
        if not -len(args) <= number < len(args):
            raise RuntimeError(f"{name}: argnum {number} is out of range for {len(args)} positional inputs")
    places = tuple(number % len(args) for number in numbers)
    if len(set(places)) < len(places):
        raise RuntimeError(f"{name}: argnums {argnums} name one input twice")
    return places


def _with(args: tuple[Any, ...], places: tuple[int, ...], values: Any) -> list[Any]:
    """The arguments with others in some places."""
    replaced = list(args)
    for place, value in zip(places, values):
        replaced[place] = value
    return replaced


def _split_aux(name: str, output: Any, has_aux: bool) -> tuple[Any, Any]:
    if not has_aux:
        return output, None
    if not (isinstance(output, tuple) and len(output) == 2):
        raise RuntimeError(f"{name}: with has_aux=True the function has to return a pair (output, aux)")
    return output


def _detached(tree: Any) -> Any:
    return tree_map(lambda leaf: _rgrad._without_history(leaf) if isinstance(leaf, Tensor) else leaf, tree)


def _call(func: Callable[..., Any], leaves: list[Tensor], spec: Any) -> Any:
    """What `func` gives for inputs that are about to be differentiated, while it is known to be transformed."""
    _rgrad._enter_transform()
    try:
        return func(*tree_unflatten(leaves, spec))
    finally:
        _rgrad._exit_transform()


class _Pullback:
    """A function run with fresh inputs, through which cotangents can be pulled back any number of times."""

    def __init__(self, name: str, func: Callable[..., Any], primals: tuple[Any, ...], has_aux: bool) -> None:
        leaves, self.spec = tree_flatten(primals)
        _tensors(name, leaves)
        self.recorded = _rgrad.is_grad_enabled()
        with enable_grad():
            self.inputs = [_rgrad._fresh_input(leaf, self.recorded) for leaf in leaves]
            self.output, self.aux = _split_aux(name, _call(func, self.inputs, self.spec), has_aux)
        self.outputs, self.output_spec = tree_flatten(self.output)

    def differentiate(self) -> None:
        """To be called when the outputs are known to be tensors, before anything is pulled back."""
        self.roots = [output for output in self.outputs if output.requires_grad]
        self.further = self.recorded and _rgrad._depends_on_others(self.roots, self.inputs)
        _rgrad._end_inputs(self.inputs)

    def results(self, tree: Any) -> Any:
        """Outputs as the caller gets them: they know nothing of the fresh inputs if those are all they depend on."""
        return tree if self.further else _detached(tree)

    def pull(self, cotangents: list[Tensor], retain_graph: bool, create_graph: bool) -> Any:
        """The gradients of the inputs, in the structure of the inputs."""
        given = [cotangent for output, cotangent in zip(self.outputs, cotangents) if output.requires_grad]
        gradients: Any = [None] * len(self.inputs)
        if self.roots:
            gradients = _rgrad.grad(
                self.roots, self.inputs, given, retain_graph or create_graph, create_graph, allow_unused=True
            )
        filled = [
            _rgrad.zeros_like(leaf).detach() if gradient is None else gradient
            for leaf, gradient in zip(self.inputs, gradients)
        ]
        return tree_unflatten(filled, self.spec)


def grad_and_value(
    func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """A function that gives the gradient of `func`, which returns a tensor without dimensions, and its value.

    argnums: for which of the positional inputs; a tuple gives a tuple.
    has_aux: `func` returns a pair, whose second part is handed through: `(gradient, (value, aux))`.

    Raises RuntimeError if `func` returns anything else, or `argnums` is out of range.
    """

    @wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        places = _chosen("grad", args, argnums)

        def chosen(*values: Any) -> Any:
            return func(*_with(args, places, values), **kwargs)

        pullback = _Pullback("grad", chosen, tuple(args[place] for place in places), has_aux)
        value, aux = pullback.output, pullback.aux
        if not isinstance(value, Tensor):
            raise RuntimeError(f"grad: the function has to return a Tensor, it returned a {type(value).__name__}")
        if value.dim() != 0:
            raise RuntimeError(
                f"grad: the function has to return a tensor without dimensions, it returned one of size "
                f"{tuple(value.shape)}; vjp and jacrev differentiate functions with more outputs"
            )
        if has_aux:
            for leaf in tree_flatten(aux)[0]:
                if not isinstance(leaf, Tensor):
                    raise RuntimeError(f"grad: aux has to hold Tensors, got a {type(leaf).__name__}")
        pullback.differentiate()
        gradients = pullback.pull([_rgrad.ones_like(value).detach()], False, pullback.further)
        gradient = gradients[0] if isinstance(argnums, int) else gradients
        value = pullback.results(value)
        return gradient, ((value, pullback.results(aux)) if has_aux else value)

    return wrapper


def grad(func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that gives the gradient of `func`; see `grad_and_value`. With `has_aux`, `(gradient, aux)`."""
    both = grad_and_value(func, argnums, has_aux)

    @wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        gradient, value = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return wrapper


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """The output of `func` and a function from cotangents to vector-Jacobian products: `(output, vjp_fn)`.

    `vjp_fn` takes cotangents in the structure of the output, and gives a tuple with one gradient for each of `primals`.
    With `has_aux`, `func` returns a pair whose second part is handed through as a third result.

    Raises RuntimeError if the output holds anything but tensors, or cotangents do not fit.
    """
    pullback = _Pullback("vjp", func, primals, has_aux)
    for leaf in pullback.outputs:
        if not isinstance(leaf, Tensor):
            raise RuntimeError(f"vjp: the function has to return Tensors, it returned a {type(leaf).__name__}")
    pullback.differentiate()

    def vjp_fn(cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None) -> Any:
        create = _rgrad.is_grad_enabled() if create_graph is None else create_graph
        leaves, spec = tree_flatten(cotangents)
        if spec != pullback.output_spec:
            raise RuntimeError(
                f"vjp: the cotangents have to have the structure of the output, {pullback.output_spec}, got {spec}"
            )
        create &= pullback.further or any(isinstance(leaf, Tensor) and leaf.requires_grad for leaf in leaves)
        return pullback.pull(leaves, retain_graph, create)

    output = pullback.results(pullback.output)
    return (output, vjp_fn, pullback.results(pullback.aux)) if has_aux else (output, vjp_fn)


def jvp(func: Callable[..., Any], primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False) -> Any:
    """The output of `func` at `primals` and its derivative along `tangents`, both tuples: `(output, tangent)`.

    strict: a RuntimeError for an output that does not depend on the inputs, instead of zeros.
    has_aux: `func` returns a pair whose second part is handed through as a third result.

    Computed in forward mode. Inside another such computation, whose tangents would be mistaken for its own, by two
    vector-Jacobian products (J. Townsend, "A new trick for calculating Jacobian vector products", 2017).
    Raises RuntimeError if tangents do not fit the primals.
    """
    if not isinstance(primals, tuple):
        raise RuntimeError(f"jvp: primals have to be a tuple, got a {type(primals).__name__}")
    leaves, spec = tree_flatten(primals)
    directions, tangent_spec = tree_flatten(tangents)
    if spec != tangent_spec:
        raise RuntimeError(f"jvp: tangents have to have the structure of the primals, {spec}, got {tangent_spec}")
    if not leaves:
        raise RuntimeError("jvp: at least one primal is needed")
    for leaf in (*leaves, *directions):
        if not isinstance(leaf, Tensor):
            raise RuntimeError(f"jvp: primals and tangents have to be Tensors, got a {type(leaf).__name__}")
    push = _push_by_vjp if forward_ad._level >= 0 else _push
    outputs, pushed, output_spec, aux = push(func, leaves, directions, spec, has_aux)
    if strict and any(tangent is None for tangent in pushed):
        raise RuntimeError("jvp: an output does not depend on the inputs, which strict=True does not allow")
    filled = [_rgrad.zeros_like(output) if tangent is None else tangent for output, tangent in zip(outputs, pushed)]
    result = (tree_unflatten(outputs, output_spec), tree_unflatten(filled, output_spec))
    return (*result, aux) if has_aux else result


def _output_leaves(output: Any) -> tuple[list[Tensor], Any]:
    leaves, spec = tree_flatten(output)
    for leaf in leaves:
        if not isinstance(leaf, Tensor):
            raise RuntimeError(f"jvp: the function has to return Tensors, it returned a {type(leaf).__name__}")
    return leaves, spec


def _push(func: Any, leaves: list[Tensor], directions: list[Tensor], spec: Any, has_aux: bool) -> Any:
    """Outputs and tangents in forward mode."""
    with forward_ad.dual_level():
        duals = [forward_ad.make_dual(leaf, direction) for leaf, direction in zip(leaves, directions)]
        output, aux = _split_aux("jvp", _call(func, duals, spec), has_aux)
        outputs, output_spec = _output_leaves(output)
        unpacked = [forward_ad.unpack_dual(leaf) for leaf in outputs]
        aux = tree_map(lambda leaf: forward_ad.unpack_dual(leaf)[0] if isinstance(leaf, Tensor) else leaf, aux)
        return [pair.primal for pair in unpacked], [pair.tangent for pair in unpacked], output_spec, aux


def _push_by_vjp(func: Any, leaves: list[Tensor], directions: list[Tensor], spec: Any, has_aux: bool) -> Any:
    """Outputs and tangents as the derivative of `v -> J^T v` along the directions."""
    recorded = _rgrad.is_grad_enabled()
    with enable_grad():
        inputs = [_rgrad._fresh_input(leaf, recorded) for leaf in leaves]
        output, aux = _split_aux("jvp", _call(func, inputs, spec), has_aux)
        outputs, output_spec = _output_leaves(output)
        roots = [root for root in outputs if root.requires_grad]
        further = recorded and _rgrad._depends_on_others(roots, inputs)
        _rgrad._end_inputs(inputs)
        pushed: list[Tensor | None] = [None] * len(outputs)
        for i, root in enumerate(outputs):
            if not root.requires_grad:
                continue
            cotangent = _rgrad._fresh_input(_rgrad.zeros_like(root), False)
            _rgrad._end_inputs([cotangent])
            products = _rgrad.grad([root], inputs, [cotangent], True, True, allow_unused=True)
            pairs = [pair for pair in zip(products, directions) if pair[0] is not None and pair[0].requires_grad]
            if pairs:
                seconds, along = zip(*pairs)
                pushed[i] = _rgrad.grad(seconds, [cotangent], along, True, further, allow_unused=True)[0]
    if not further:
        outputs, aux = _detached((outputs, aux))
    return outputs, pushed, output_spec, aux


def linearize(func: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """The output of `func` and the linear function from tangents to the derivative along them: `(output, jvp_fn)`.

    `func` runs once; `jvp_fn` takes one tangent for each of `primals`. Two vector-Jacobian products.
    Raises RuntimeError if tangents do not fit the primals.
    """
    leaves, spec = tree_flatten(primals)
    if not leaves:
        raise RuntimeError("linearize: at least one primal is needed")
    output, vjp_fn = vjp(func, *primals)
    outputs, output_spec = tree_flatten(output)
    with enable_grad():
        cotangents = [_rgrad._fresh_input(_rgrad.zeros_like(leaf), False) for leaf in outputs]
        products = tree_flatten(vjp_fn(tree_unflatten(cotangents, output_spec), create_graph=True))[0]
        _rgrad._end_inputs(cotangents)

    def jvp_fn(*tangents: Any) -> Any:
        directions, tangent_spec = tree_flatten(tangents)
        if tangent_spec != spec:
            raise RuntimeError(
                f"linearize: tangents have to have the structure of the primals, {spec}, got {tangent_spec}"
            )
        for leaf, direction in zip(leaves, directions):
            if leaf.shape != direction.shape or leaf.dtype != direction.dtype:
                raise RuntimeError(
                    f"linearize: a tangent has to have its primal's size {tuple(leaf.shape)} and dtype {leaf.dtype}, "
                    f"got {tuple(direction.shape)} and {direction.dtype}"
                )
        pairs = [pair for pair in zip(products, directions) if pair[0].requires_grad]
        pushed: Any = [None] * len(outputs)
        if pairs:
            seconds, along = zip(*pairs)
            further = _rgrad.is_grad_enabled() and _rgrad._depends_on_others(list(seconds), cotangents)
            pushed = _rgrad.grad(seconds, cotangents, along, True, further, allow_unused=True)
        filled = [_rgrad.zeros_like(leaf) if tangent is None else tangent for leaf, tangent in zip(outputs, pushed)]
        return tree_unflatten(filled, output_spec)

    return output, jvp_fn


def _basis(leaves: list[Tensor]) -> list[Tensor]:
    """The unit vectors of the space of all elements of `leaves`: row i of each is its part of vector i."""
    counts = [leaf.numel() for leaf in leaves]
    total = sum(counts)
    parts = []
    start = 0
    for leaf, count in zip(leaves, counts):
        identity = _rgrad.eye(total, dtype=leaf.dtype)
        parts.append(identity.narrow(1, start, count).reshape(total, *leaf.shape))
        start += count
    return parts


def jacrev(
    func: Callable[..., Any],
    argnums: int | tuple[int, ...] = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
    _preallocate_and_copy: bool = False,
) -> Callable[..., Any]:
    """A function that gives the Jacobian of `func` in reverse mode: one row for each element of the output.

    The result has the structure of the output, with the structure of the inputs that `argnums` names in place of each
    tensor; sizes are the output's followed by the input's. chunk_size: how many rows are computed at a time.
    """
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError(f"jacrev: chunk_size has to be None or positive, got {chunk_size}")

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        places = _chosen("jacrev", args, argnums)

        def chosen(*values: Any) -> Any:
            return func(*_with(args, places, values), **kwargs)

        values = tuple(args[place] for place in places)
        output, vjp_fn, *aux = vjp(chosen, *values, has_aux=has_aux)
        outputs, output_spec = tree_flatten(output)
        primals, primal_spec = tree_flatten(values)

        def rows(basis: list[Tensor]) -> list[Tensor]:
            return tree_flatten(vjp_fn(tree_unflatten(basis, output_spec)))[0]

        stacked = vmap(rows, chunk_size=chunk_size)(_basis(outputs))
        jacobians = []
        start = 0
        for leaf in outputs:
            count = leaf.numel()
            parts = [
                part.narrow(0, start, count).view(*leaf.shape, *primal.shape) for part, primal in zip(stacked, primals)
            ]
            jacobian = tree_unflatten(parts, primal_spec)
            jacobians.append(jacobian[0] if isinstance(argnums, int) else jacobian)
            start += count
        result = tree_unflatten(jacobians, output_spec)
        return (result, aux[0]) if has_aux else result

    return wraps(func)(wrapper)


def jacfwd(
    func: Callable[..., Any],
    argnums: int | tuple[int, ...] = 0,
    has_aux: bool = False,
    *,
    randomness: str = "error",
) -> Callable[..., Any]:
    """A function that gives the Jacobian of `func` in forward mode: one column for each element of the input.

    The result is that of `jacrev`. `randomness` is that of `vmap`.
    """
    _check_randomness(randomness)

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        places = _chosen("jacfwd", args, argnums)

        def chosen(*values: Any) -> Any:
            return func(*_with(args, places, values), **kwargs)

        values = tuple(args[place] for place in places)
        primals, primal_spec = tree_flatten(values)
        _tensors("jacfwd", primals)
        shape: Any = None

        def columns(basis: list[Tensor]) -> tuple[list[Tensor], list[Any]]:
            nonlocal shape
            output, tangent, *aux = jvp(chosen, values, tree_unflatten(basis, primal_spec), has_aux=has_aux)
            shape = tree_flatten(output)[1]
            return tree_flatten(tangent)[0], aux

        stacked, aux = vmap(columns, out_dims=(0, None), randomness=randomness)(_basis(primals))
        counts = [leaf.numel() for leaf in primals]
        jacobians = []
        for whole in stacked:
            moved = whole.movedim(0, -1)
            parts = [
                part.reshape(*part.shape[:-1], *primal.shape) for part, primal in zip(moved.split(counts, -1), primals)
            ]
            jacobian = tree_unflatten(parts, primal_spec)
            jacobians.append(jacobian[0] if isinstance(argnums, int) else jacobian)
        result = tree_unflatten(jacobians, shape)
        return (result, aux[0]) if has_aux else result

    return wraps(func)(wrapper)


def hessian(func: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """A function that gives the Hessian of `func`: its second derivatives, forward over reverse mode."""
    return jacfwd(jacrev(func, argnums), argnums)
