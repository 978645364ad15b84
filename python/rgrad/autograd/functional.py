"""Derivatives of functions: products with a Jacobian or a Hessian from either side, and the whole matrices."""

from __future__ import annotations

from .. import _rgrad
from . import forward_ad
from .grad_mode import enable_grad
from .jacobians import basis

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from .._rgrad import Tensor

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]

_OUTPUTS = "outputs of the function"


@enable_grad()
def vjp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The product of a vector and the Jacobian of `func` at `inputs`: one backward pass.

    Args:
        func: takes tensors and returns a tensor or a tuple of tensors.
        inputs: a tensor or a tuple of tensors, of a floating-point type.
        v: one tensor for each result, of its size; may be missing if there is one result of one element (it is 1).
        create_graph: whether what is returned can be differentiated again.
        strict: whether an input on which the results do not depend is an error; otherwise its part is zeros.

    Returns:
        `func(*inputs)`, and the product: a tensor for each input, of its size. Each is a tuple where func's results
        or `inputs` are one.

    Raises:
        TypeError: something is not a tensor.
        RuntimeError: `v` does not fit, or `strict` is violated.
    """
    problem = _Problem("vjp", func, inputs, create_graph, strict)
    outputs = problem.run()
    if v is not None:
        v = problem.vector(v, outputs, problem.several_outputs)
    elif len(outputs) != 1 or outputs[0].numel() != 1:
        raise RuntimeError("vjp(): v may be missing only if the function returns one tensor of one element")
    gradients = _gradients(outputs, problem.inputs, v, create_graph=create_graph)
    product = problem.filled(gradients, problem.inputs, "the outputs do not depend on input {}")
    return problem.as_outputs(outputs), problem.as_inputs(product)


@enable_grad()
def jvp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The product of the Jacobian of `func` at `inputs` and a vector.

    Computed by two backward passes: the gradient is linear in the vector that it is multiplied with, and the
    derivative in that direction is the product. See `rgrad.autograd.forward_ad` for one forward pass instead.

    Args:
        func: takes tensors and returns a tensor or a tuple of tensors.
        inputs: a tensor or a tuple of tensors, of a floating-point type.
        v: one tensor for each input, of its size; may be missing if there is one input of one element (it is 1).
        create_graph: whether what is returned can be differentiated again.
        strict: whether an input on which the results do not depend is an error; otherwise its part is zeros.

    Returns:
        `func(*inputs)`, and the product: a tensor for each result, of its size.

    Raises:
        TypeError: something is not a tensor.
        RuntimeError: `v` does not fit, or `strict` is violated.
    """
    problem = _Problem("jvp", func, inputs, create_graph, strict)
    v = problem.direction(v)
    outputs = problem.run()
    cotangents = tuple(_rgrad.zeros_like(output, requires_grad=True) for output in outputs)
    gradients = _gradients(outputs, problem.inputs, cotangents, create_graph=True)
    problem.demand(gradients, "the outputs do not depend on input {}")
    products = _gradients(gradients, cotangents, v, create_graph=create_graph)
    product = problem.filled(products, outputs, "the gradient of the inputs does not depend on that of output {}")
    return problem.as_outputs(outputs), problem.as_outputs(product)


def jacobian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """All derivatives of all results of `func` at `inputs`.

    Args:
        func: takes tensors and returns a tensor or a tuple of tensors.
        inputs: a tensor or a tuple of tensors, of a floating-point type.
        create_graph: whether the Jacobian can be differentiated again; in reverse mode only.
        strict: whether an input on which the results do not depend is an error; otherwise its part is zeros. Not
            together with `vectorize`.
        vectorize: accepted for PyTorch's sake; the result is the same, one row (or column) after another.
        strategy: `"reverse-mode"`, one backward pass for each element of the results, or `"forward-mode"`, one
            forward pass for each element of the inputs, which needs `vectorize=True`.

    Returns:
        For result `i` and input `j` a tensor of the size of the result followed by the size of the input, of the
        input's dtype (in forward mode, of the result's): `J[i][j]` if there are tuples of both, `J[i]` or `J[j]` if
        only one is a tuple, or `J`. Several inputs give lists in forward mode, else tuples.

    Raises:
        AssertionError: `strategy` is neither of the two.
        NotImplementedError: forward mode with `create_graph`, or without `vectorize`.
        TypeError: something is not a tensor.
        RuntimeError: `strict` is violated, or cannot be combined with the other options.
    """
    _check_strategy("jacobian", strategy)
    if strategy == "forward-mode":
        if create_graph:
            raise NotImplementedError("jacobian(): forward mode is without create_graph; use strategy='reverse-mode'")
        return _columns(func, inputs, strict, vectorize)
    return _rows(func, inputs, create_graph, strict, vectorize)


def hessian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """All second derivatives of a function with a single number as its result: the Jacobian of its gradient.

    Args:
        func: takes tensors and returns a tensor of one element.
        inputs: a tensor or a tuple of tensors, of a floating-point type.
        create_graph: whether the Hessian can be differentiated again.
        strict: whether it is an error if the result, or the gradient, does not depend on some input.
        vectorize: as for `jacobian`.
        outer_jacobian_strategy: how the gradient is differentiated, as for `jacobian`.

    Returns:
        For inputs `i` and `j` a tensor of the size of `i` followed by the size of `j`: `H[i][j]` if `inputs` is a
        tuple, else `H`.

    Raises:
        AssertionError, NotImplementedError, TypeError: as for `jacobian`.
        RuntimeError: the result is not one tensor of one element, or `strict` is violated.
    """
    several, inputs = _tensors(inputs, "inputs", "hessian")
    _check_strategy("hessian", outer_jacobian_strategy)

    def scalar(*point: Tensor) -> Tensor:
        return _Problem("hessian", func, point, True, strict).run_scalar().squeeze()

    def gradient(*point: Tensor) -> Any:
        if outer_jacobian_strategy == "forward-mode":
            # The inner Jacobian cuts off what does not require grad, and the tangents with it.
            point = tuple(one.requires_grad_(True) for one in point)
        result = jacobian(scalar, point, create_graph=True)
        if strict:
            _demand("hessian", result, "the gradient does not depend on input {}")
        return result

    result = jacobian(
        gradient,
        inputs,
        create_graph=create_graph,
        strict=strict,
        vectorize=vectorize,
        strategy=outer_jacobian_strategy,
    )
    return result if several else result[0][0]


@enable_grad()
def vhp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The product of a vector and the Hessian of `func` at `inputs`: a backward pass through a backward pass.

    Args:
        func: takes tensors and returns a tensor of one element.
        inputs: a tensor or a tuple of tensors, of a floating-point type.
        v: one tensor for each input, of its size; may be missing if there is one input of one element (it is 1).
        create_graph: whether what is returned can be differentiated again.
        strict: whether it is an error if the result, or the gradient, does not depend on some input.

    Returns:
        `func(*inputs)`, and the product: a tensor for each input, of its size.

    Raises:
        TypeError: something is not a tensor.
        RuntimeError: the result is not one tensor of one element, `v` does not fit, or `strict` is violated.
    """
    problem = _Problem("vhp", func, inputs, create_graph, strict)
    v = problem.direction(v)
    output = problem.run_scalar()
    gradients = problem.gradient_of(output)
    products = _gradients(gradients, problem.inputs, v, create_graph=create_graph)
    product = problem.filled(products, problem.inputs, "the gradient does not depend on input {}")
    return problem.as_outputs((output,)), problem.as_inputs(product)


@enable_grad()
def hvp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The product of the Hessian of `func` at `inputs` and a vector.

    It takes a backward pass more than `vhp`, whose product is the same wherever the Hessian is symmetric.

    Args, results and errors are those of `vhp`.
    """
    problem = _Problem("hvp", func, inputs, create_graph, strict)
    v = problem.direction(v)
    output = problem.run_scalar()
    gradients = problem.gradient_of(output)
    cotangents = tuple(_rgrad.zeros_like(one, requires_grad=True) for one in problem.inputs)
    linear = _gradients(gradients, problem.inputs, cotangents, create_graph=True)
    products = _gradients(linear, cotangents, v, create_graph=create_graph)
    product = problem.filled(products, problem.inputs, "the Hessian does not depend on entry {} of its left factor")
    return problem.as_outputs((output,)), problem.as_inputs(product)


class _Problem:
    """A function at a point: its inputs cut off from the caller's graph, and the shape that results are given."""

    def __init__(self, name: str, func: Callable[..., Any], inputs: Any, create_graph: bool, strict: bool) -> None:
        self.name = name
        self.func = func
        self.create_graph = create_graph
        self.strict = strict
        self.several_inputs, given = _tensors(inputs, "inputs", name)
        # A tensor of its own for each input tells an argument of func from the same tensor used behind its back.
        self.inputs = self._aliases(given, requires_grad=True)
        self.several_outputs = False

    def _aliases(self, tensors: tuple[Tensor, ...], requires_grad: bool) -> tuple[Tensor, ...]:
        return tuple(
            one.view(one.shape)
            if self.create_graph and one.requires_grad
            else one.detach().requires_grad_(requires_grad)
            for one in tensors
        )

    def run(self) -> tuple[Tensor, ...]:
        """The results of the function."""
        self.several_outputs, outputs = _tensors(self.func(*self.inputs), _OUTPUTS, self.name)
        self.demand(outputs, "output {} does not depend on the inputs")
        return outputs

    def run_scalar(self) -> Tensor:
        """The result of the function, which has to be one number."""
        outputs = self.run()
        if self.several_outputs:
            raise RuntimeError(f"{self.name}(): the function has to return a tensor, not a tuple")
        if outputs[0].numel() != 1:
            raise RuntimeError(
                f"{self.name}(): the function has to return one element, it returned the size {tuple(outputs[0].shape)}"
            )
        return outputs[0]

    def gradient_of(self, output: Tensor) -> tuple[Tensor | None, ...]:
        gradients = _gradients((output,), self.inputs, None, create_graph=True)
        self.demand(gradients, "the gradient does not depend on input {}")
        return gradients

    def vector(self, v: Any, like: Sequence[Tensor], several: bool) -> tuple[Tensor, ...]:
        """The caller's vector, checked against the tensors that it multiplies."""
        _, given = _tensors(v, "v", self.name)
        vector = self._aliases(given, requires_grad=False)
        if len(vector) != len(like):
            raise RuntimeError(f"{self.name}(): v has {len(vector)} tensors, {len(like)} are expected")
        for i, (one, other) in enumerate(zip(vector, like)):
            if one.shape != other.shape:
                which = f"v[{i}]" if several else "v"
                raise RuntimeError(
                    f"{self.name}(): {which} has the size {tuple(one.shape)}, {tuple(other.shape)} is expected"
                )
        return vector

    def direction(self, v: Any) -> tuple[Tensor, ...] | None:
        """The caller's vector in the space of the inputs."""
        if v is not None:
            return self.vector(v, self.inputs, self.several_inputs)
        if len(self.inputs) != 1 or self.inputs[0].numel() != 1:
            raise RuntimeError(f"{self.name}(): v may be missing only if there is one input of one element")
        return None

    def demand(self, tensors: Sequence[Tensor | None], complaint: str) -> None:
        """In strict mode, refuse tensors that no gradient goes through."""
        if self.strict:
            _demand(self.name, tensors, complaint)

    def filled(self, tensors: Sequence[Tensor | None], like: Sequence[Tensor], complaint: str) -> tuple[Tensor, ...]:
        """`tensors` with zeros for those that are missing; in strict mode none may be."""
        if self.strict:
            for i, one in enumerate(tensors):
                if one is None:
                    raise _violation(self.name, complaint, i)
                if self.create_graph and not one.requires_grad:
                    raise _violation(self.name, "part {} of the result is constant, with create_graph=True", i)
        return tuple(_rgrad.zeros_like(other) if one is None else one for one, other in zip(tensors, like))

    def _returned(self, tensors: Sequence[Tensor], several: bool) -> Any:
        tensors = tuple(tensors) if self.create_graph else tuple(one.detach() for one in tensors)
        return tensors if several else tensors[0]

    def as_outputs(self, tensors: Sequence[Tensor]) -> Any:
        return self._returned(tensors, self.several_outputs)

    def as_inputs(self, tensors: Sequence[Tensor]) -> Any:
        return self._returned(tensors, self.several_inputs)


@enable_grad()
def _rows(func: Callable[..., Any], inputs: Any, create_graph: bool, strict: bool, vectorize: bool) -> Any:
    """The Jacobian by one backward pass for each element of the outputs."""
    problem = _Problem("jacobian", func, inputs, create_graph, strict)
    outputs = problem.run()
    if vectorize and strict:
        raise RuntimeError("jacobian(): strict=True cannot be combined with vectorize=True")
    matrix = []
    for output in outputs:
        rows = [
            problem.filled(
                _gradients((output,), problem.inputs, (unit,), create_graph=create_graph, retain_graph=True),
                problem.inputs,
                "the outputs do not depend on input {}",
            )
            for unit in basis(output)
        ]
        matrix.append(
            problem.as_inputs(
                [
                    _rgrad.stack(parts).view(*output.shape, *one.shape)
                    for parts, one in zip(zip(*rows) if rows else [()] * len(problem.inputs), problem.inputs)
                ]
            )
        )
    return tuple(matrix) if problem.several_outputs else matrix[0]


def _columns(func: Callable[..., Any], inputs: Any, strict: bool, vectorize: bool) -> Any:
    """The Jacobian by one forward pass for each element of the inputs."""
    if strict:
        raise RuntimeError("jacobian(): strict=True needs strategy='reverse-mode'")
    several_inputs, inputs = _tensors(inputs, "inputs", "jacobian")
    if not vectorize:
        raise NotImplementedError("jacobian(): forward mode needs vectorize=True")
    by_input: list[list[Tensor]] = []
    several_outputs = False
    for i, one in enumerate(inputs):
        columns: list[list[Tensor]] = []
        sizes: list[Any] = []
        for unit in basis(one):
            with forward_ad.dual_level():
                point = tuple(
                    forward_ad.make_dual(other, unit if j == i else _rgrad.zeros_like(other))
                    for j, other in enumerate(inputs)
                )
                several_outputs, outputs = _tensors(func(*point), _OUTPUTS, "jacobian")
                unpacked = [forward_ad.unpack_dual(output) for output in outputs]
            sizes = [value.shape for value, _ in unpacked]
            columns.append([_rgrad.zeros_like(value) if t is None else t for value, t in unpacked])
        by_input.append(
            [_rgrad.stack(parts, -1).reshape(*size, *one.shape) for parts, size in zip(zip(*columns), sizes)]
        )
    # Lists where the reverse mode has tuples, as PyTorch gives them.
    matrix = [list(row) for row in zip(*by_input)] if several_inputs else tuple(row[0] for row in zip(*by_input))
    return matrix if several_outputs else matrix[0]


def _gradients(
    outputs: Sequence[Tensor | None],
    inputs: Sequence[Tensor],
    vectors: Sequence[Tensor] | None,
    *,
    create_graph: bool,
    retain_graph: bool | None = None,
) -> tuple[Tensor | None, ...]:
    """`grad`, without those outputs that have no gradient."""
    roots = [(i, output) for i, output in enumerate(outputs) if output is not None and output.requires_grad]
    if not roots:
        return (None,) * len(inputs)
    return _rgrad.grad(
        [output for _, output in roots],
        inputs,
        None if vectors is None else [vectors[i] for i, _ in roots],
        allow_unused=True,
        create_graph=create_graph,
        retain_graph=retain_graph,
    )


def _tensors(value: Any, what: str, name: str) -> tuple[bool, tuple[Tensor, ...]]:
    """Whether `value` is a tuple, and it as one; TypeError if there is anything but tensors."""
    several = isinstance(value, tuple)
    tensors = value if several else (value,)
    for i, one in enumerate(tensors):
        if not isinstance(one, _rgrad.Tensor):
            place = f" at position {i}" if several else ""
            raise TypeError(
                f"{name}(): {what} have to be a tensor or a tuple of tensors, got {type(one).__name__}{place}"
            )
    return several, tensors


def _demand(name: str, tensors: Sequence[Tensor | None], complaint: str) -> None:
    for i, one in enumerate(tensors):
        if one is None or not one.requires_grad:
            raise _violation(name, complaint, i)


def _violation(name: str, complaint: str, position: int) -> RuntimeError:
    return RuntimeError(f"{name}(): strict=True does not allow that {complaint.format(position)}")


def _check_strategy(name: str, strategy: str) -> None:
    if strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError(f"{name}(): the strategy is 'forward-mode' or 'reverse-mode', got {strategy!r}")
