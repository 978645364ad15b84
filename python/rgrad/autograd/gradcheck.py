"""Checking derivatives against finite differences.

For an input x and a result y, the derivative of y along a direction u is compared with the central difference
(y(x + eps u) - y(x - eps u)) / (2 eps). Inputs are changed in place for this, and restored, so that a function which
uses them without taking them as arguments is checked too.
"""

from __future__ import annotations

import warnings
from math import prod

from .. import _rgrad
from . import forward_ad
from .function import Function
from .jacobians import backward_jacobian, basis, central_difference, numerical_jacobian, stacked, vector_product

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from .._rgrad import Tensor

__all__ = [
    "GradcheckError",
    "get_analytical_jacobian",
    "get_numerical_jacobian",
    "get_numerical_jacobian_wrt_specific_input",
    "gradcheck",
    "gradgradcheck",
]

# Of float32, a central difference is most precise at a step of about the cube root of the rounding error; the
# tolerances are what is left of its digits.
_FLOAT32_STEP, _FLOAT32_ATOL, _FLOAT32_RTOL = 5e-3, 1e-3, 1e-2


class GradcheckError(RuntimeError):
    """A derivative is wrong, or is not computed as it has to be."""


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Compare the derivatives of `func` with finite differences.

    The results that require grad are differentiated by the inputs that do. Inputs of float64 are expected. If some
    are of float32, the function is checked at the same point in float64, as differences in float32 say little; if it
    does not work in float64, it is checked in float32 with larger steps and tolerances, and a warning. A complex number
    is checked as two real ones.

    Args:
        func: takes `inputs` and returns a tensor or several.
        inputs: a tensor or a tuple; what is no tensor is passed on as it is.
        eps: the step of the finite differences.
        atol, rtol: derivatives agree if they differ by at most `atol + rtol * |difference quotient|`.
        raise_exception: whether a failure is an exception, which tells what is wrong, or False.
        nondet_tol: how far two backward passes from the same results may differ.
        check_undefined_grad: whether to check that a gradient which is missing counts as zeros.
        check_grad_dtypes: whether gradients have to have the dtype of their inputs.
        check_batched_grad, check_batched_forward_grad: accepted; vectors are multiplied one after another here, so
            that there is nothing more to check.
        check_forward_ad: whether to check forward mode.
        check_backward_ad: whether to check backward mode.
        fast_mode: whether to compare a random projection of each Jacobian instead of all its elements.
        masked: accepted; it matters to sparse tensors only, and there are none.

    Returns:
        True if everything agrees.

    Raises:
        GradcheckError: something does not agree.
        ValueError: no input requires grad.
        RuntimeError: an input has elements that share memory.
        AssertionError: the options contradict each other, or results change their size or dtype with the inputs.
    """
    if not (check_forward_ad or check_backward_ad):
        raise AssertionError("gradcheck(): neither check_forward_ad nor check_backward_ad is set")
    if check_batched_grad and not check_backward_ad:
        raise AssertionError("gradcheck(): check_batched_grad=True needs check_backward_ad=True")
    if check_batched_forward_grad and not check_forward_ad:
        raise AssertionError("gradcheck(): check_batched_forward_grad=True needs check_forward_ad=True")
    inputs = _tuple(inputs)
    _check_inputs(inputs)
    func, inputs = _of_real_numbers(func, inputs)
    promoted = _promoted(func, inputs)
    if promoted is None:
        warnings.warn(
            "gradcheck(): the function does not work in float64, so it is checked in float32, coarsely", stacklevel=2
        )
        eps, atol, rtol = max(eps, _FLOAT32_STEP), max(atol, _FLOAT32_ATOL), max(rtol, _FLOAT32_RTOL)
    else:
        inputs = promoted
    check = _Check(func, inputs, eps, atol, rtol, nondet_tol, check_grad_dtypes)
    try:
        check.run(check_forward_ad, check_backward_ad, check_undefined_grad, fast_mode)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """Compare the second derivatives of `func` with finite differences of the first.

    What is checked is the backward pass of `func` as a function of `inputs` and of the gradients of the results.

    Args:
        func, inputs: as for `gradcheck`.
        grad_outputs: the gradients of the results; random numbers between -1 and 1 if it is None.
        gen_non_contig_grad_outputs: whether those random gradients are not contiguous.
        check_fwd_over_rev, check_rev_over_rev: whether to differentiate the backward pass in forward mode, and in
            backward mode.

    The other arguments, the result and the errors are those of `gradcheck`.
    """
    if not (check_fwd_over_rev or check_rev_over_rev):
        raise AssertionError("gradgradcheck(): neither check_fwd_over_rev nor check_rev_over_rev is set")
    if check_undefined_grad and not check_rev_over_rev:
        raise AssertionError("gradgradcheck(): check_undefined_grad=True needs check_rev_over_rev=True")
    if check_batched_grad and not check_rev_over_rev:
        raise AssertionError("gradgradcheck(): check_batched_grad=True needs check_rev_over_rev=True")
    inputs = _tuple(inputs)
    if grad_outputs is None:
        outputs = _requiring(_tuple(func(*inputs)))
        gradients = tuple(_random_gradient(output, gen_non_contig_grad_outputs) for output in outputs)
    else:
        gradients = _tuple(grad_outputs)
    everything = inputs + gradients
    needed = [_is_tensor(one) and one.requires_grad for one in everything]

    def backward(*args: Any) -> tuple[Tensor, ...]:
        # Forward mode passes tensors that do not require grad.
        args = tuple(one.requires_grad_() if need else one for one, need in zip(args, needed))
        arguments, vectors = args[: len(inputs)], args[len(inputs) :]
        wanted = [one for one, need in zip(arguments, needed) if need]
        outputs = _requiring(_tuple(func(*arguments)))
        found = _rgrad.grad(outputs, wanted, vectors, create_graph=True, allow_unused=True)
        return tuple(one for one in found if one is not None)

    return gradcheck(
        backward,
        everything,
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        nondet_tol=nondet_tol,
        check_undefined_grad=check_undefined_grad,
        check_grad_dtypes=check_grad_dtypes,
        check_batched_grad=check_batched_grad,
        check_forward_ad=check_fwd_over_rev,
        check_backward_ad=check_rev_over_rev,
        fast_mode=fast_mode,
        masked=masked,
    )


class _Check:
    """A function at a point, and how precisely its derivatives have to agree."""

    def __init__(
        self,
        func: Callable[..., Any],
        inputs: tuple[Any, ...],
        eps: float,
        atol: float,
        rtol: float,
        nondet_tol: float,
        check_grad_dtypes: bool,
    ) -> None:
        self.func = func
        self.inputs = inputs
        self.eps = eps
        self.atol = atol
        self.rtol = rtol
        self.nondet_tol = nondet_tol
        self.check_grad_dtypes = check_grad_dtypes
        self.positions = [i for i, one in enumerate(inputs) if _is_tensor(one) and one.requires_grad]
        self.sources = [inputs[i] for i in self.positions]
        self.results = _tuple(func(*inputs))
        self.outputs = [i for i, one in enumerate(self.results) if _is_tensor(one) and one.requires_grad]

    def run(self, forward: bool, backward: bool, undefined: bool, fast: bool) -> None:
        if not self.outputs:
            self._expect_constants()
            return
        if backward:
            self._compare_projections(self._vector_products) if fast else self._compare_all(self._backward_jacobian)
        if forward:
            self._compare_tangents(fast)
            if undefined:
                self._check_missing_tangents()
        if backward:
            self._check_zero_gradients()
            if undefined:
                self._check_missing_gradients()

    # Finite differences

    def _evaluate(self) -> list[Tensor]:
        return [one.detach().clone() for one in _tuple(self.func(*self.inputs)) if _is_tensor(one)]

    def _numerical_jacobian(self, source: Tensor) -> list[Tensor]:
        return numerical_jacobian(self._evaluate, source, self.eps)

    def _selected(self, of_all_tensors: Sequence[Tensor]) -> list[Tensor]:
        """Those that belong to results which require grad, of one for each result that is a tensor."""
        tensors = [i for i, one in enumerate(self.results) if _is_tensor(one)]
        return [one for i, one in zip(tensors, of_all_tensors) if i in self.outputs]

    # All elements

    def _backward_jacobian(self, output: int) -> list[Tensor]:
        """The derivatives of a result by each input, as matrices of input size by output size."""
        jacobians, again = (backward_jacobian(self.sources, self.results[output]) for _ in range(2))
        for position, one, other in zip(self.positions, jacobians, again):
            if self.check_grad_dtypes and one.dtype != self.inputs[position].dtype:
                raise GradcheckError(
                    f"the gradient of input {position} is {one.dtype}, the input {self.inputs[position].dtype}"
                )
            self._expect_same(one, other, output, position)
        return jacobians

    def _expect_same(self, first: Tensor, second: Tensor, output: int, position: int) -> None:
        if first.numel() and not ((first - second).abs().max() <= self.nondet_tol).item():
            raise GradcheckError(
                f"two backward passes from output {output} give different gradients of input {position}, by up to "
                f"{(first - second).abs().max().item():g}; nondet_tol={self.nondet_tol:g} allows less"
            )

    def _compare_all(self, jacobian: Callable[[int], list[Tensor]], mode: str = "backward") -> None:
        numerical = [self._selected(self._numerical_jacobian(source)) for source in self.sources]
        for row, output in enumerate(self.outputs):
            for column, (position, analytical) in enumerate(zip(self.positions, jacobian(output))):
                self._compare(analytical, numerical[column][row], output, position, mode)

    def _compare(self, analytical: Tensor, numerical: Tensor, output: int, position: int, mode: str) -> None:
        wrong = _excess(analytical, numerical, self.atol, self.rtol)
        count = (wrong > 0).sum().item() if wrong.numel() else 0
        if not count:
            return
        length = numerical.shape[1]
        at = int(wrong.reshape(-1).argmax().item())
        x = _index(at // length, self.inputs[position].shape)
        y = _index(at % length, self.results[output].shape)
        raise GradcheckError(
            f"Jacobian mismatch: the derivative of output {output}{y} by input {position}{x} is "
            f"{analytical.reshape(-1)[at].item():g} by {mode} mode and {numerical.reshape(-1)[at].item():g} by finite "
            f"differences; {count} of {wrong.numel()} elements of this Jacobian differ\n"
            f"numerical: {numerical}\nanalytical: {analytical}"
        )

    # Random projections

    def _vector_products(self, vectors: list[Tensor]) -> list[list[Tensor]]:
        """For each result, its vector times its Jacobian by each input."""
        products = []
        for vector, output in zip(vectors, self.outputs):
            result = self.results[output]
            vector = vector.reshape(result.shape)
            first, second = (vector_product(self.sources, result, vector) for _ in range(2))
            for position, one, other in zip(self.positions, first, second):
                self._expect_same(one, other, output, position)
            products.append(first)
        return products

    def _compare_projections(self, products: Callable[[list[Tensor]], list[list[Tensor]]]) -> None:
        generator = _rgrad.Generator()
        vectors = [_random_direction(self.results[output], generator) for output in self.outputs]
        directions = [_random_direction(source, generator) for source in self.sources]
        analytical = products(vectors)
        for column, (position, direction) in enumerate(zip(self.positions, directions)):
            numerical = self._directional(position, direction)
            for row, (output, vector) in enumerate(zip(self.outputs, vectors)):
                left = (analytical[row][column].reshape(-1) * direction).sum()
                right = (vector * numerical[row]).sum()
                # An error of atol in each element adds up to this.
                atol = self.atol * vector.sum().item() * direction.sum().item()
                self._compare_projected(left, right, atol, output, position, "backward", self._backward_jacobian)

    def _directional(self, position: int, direction: Tensor) -> list[Tensor]:
        source = self.inputs[position]
        step = direction.reshape(source.shape) * self.eps
        return self._selected(central_difference(self._evaluate, source.data, step, self.eps))

    def _compare_projected(
        self,
        analytical: Tensor,
        numerical: Tensor,
        atol: float,
        output: int,
        position: int,
        mode: str,
        jacobian: Callable[[int], list[Tensor]],
    ) -> None:
        if not (_excess(analytical, numerical, atol, self.rtol) > 0).any().item():
            return
        # All elements tell more than their projection.
        self._compare_all(jacobian, mode)
        raise GradcheckError(
            f"Jacobian mismatch: a random projection of the Jacobian of output {output} by input {position} is "
            f"{analytical} by {mode} mode and {numerical} by finite differences; each element agrees, as "
            "fast_mode=False would find"
        )

    # Forward mode

    def _tangents(self, tangents: Sequence[Tensor | None]) -> list[Tensor | None]:
        """The tangents of the results that require grad, from one for each input that does."""
        point = list(self.inputs)
        with forward_ad.dual_level():
            for position, tangent in zip(self.positions, tangents):
                value = self.inputs[position].detach()
                point[position] = value if tangent is None else forward_ad.make_dual(value, tangent)
            results = _tuple(self.func(*point))
            return [forward_ad.unpack_dual(results[output]).tangent for output in self.outputs]

    def _push(self, column: int, direction: Tensor) -> list[Tensor]:
        """The tangents of the results, flat, if one input moves in a direction."""
        tangents = [_rgrad.zeros_like(source) for source in self.sources]
        tangents[column] = direction
        results = zip(self.outputs, self._tangents(tangents))
        return [
            self.results[output].detach().new_zeros(self.results[output].numel()) if one is None else one.reshape(-1)
            for output, one in results
        ]

    def _forward_jacobians(self) -> list[list[Tensor]]:
        """For each result, its derivatives by each input."""
        by_input = []
        for column, source in enumerate(self.sources):
            rows = [self._push(column, unit) for unit in basis(source)]
            by_input.append(stacked(rows, [self.results[output] for output in self.outputs]))
        return [list(row) for row in zip(*by_input)]

    def _forward_jacobian(self, output: int) -> list[Tensor]:
        return self._forward_jacobians()[self.outputs.index(output)]

    def _compare_tangents(self, fast: bool) -> None:
        if not fast:
            jacobians = dict(zip(self.outputs, self._forward_jacobians()))
            self._compare_all(jacobians.__getitem__, "forward")
            return
        generator = _rgrad.Generator()
        for column, position in enumerate(self.positions):
            direction = _random_direction(self.inputs[position], generator)
            analytical = self._push(column, direction.reshape(self.inputs[position].shape))
            numerical = self._directional(position, direction)
            atol = self.atol * direction.sum().item()
            for output, left, right in zip(self.outputs, analytical, numerical):
                self._compare_projected(left, right, atol, output, position, "forward", self._forward_jacobian)

    def _check_missing_tangents(self) -> None:
        """An input without a tangent has to give what one with a tangent of zeros gives."""
        generator = _rgrad.Generator()
        directions = [_random_direction(source, generator).reshape(source.shape) for source in self.sources]
        for column, position in enumerate(self.positions):
            tangents: list[Tensor | None] = list(directions)
            tangents[column] = _rgrad.zeros_like(self.sources[column])
            zeros = self._tangents(tangents)
            tangents[column] = None
            for output, one, other in zip(self.outputs, zeros, self._tangents(tangents)):
                if one is not None and other is not None and not _rgrad.allclose(one, other):
                    raise GradcheckError(
                        f"the tangent of output {output} is not the same if input {position} has no tangent as if it "
                        f"has one of zeros: {other} and {one}"
                    )

    # Special gradients

    def _expect_constants(self) -> None:
        """Results that do not require grad must not depend on the inputs."""
        for position, source in zip(self.positions, self.sources):
            for output, jacobian in enumerate(self._numerical_jacobian(source)):
                if (jacobian != 0).any().item():
                    raise GradcheckError(
                        f"no result requires grad, but output {output} changes with input {position}:\n{jacobian}"
                    )

    def _check_zero_gradients(self) -> None:
        """Gradients of zeros have to give gradients of zeros."""
        outputs = [self.results[output] for output in self.outputs]
        self._expect_zeros(outputs, "the gradient of input {} is not zero where those of all outputs are")

    def _check_missing_gradients(self) -> None:
        """Results without a gradient have to count as ones with a gradient of zeros."""
        count = len(self.outputs)
        for missing in [range(count)] + ([[i] for i in range(count)] if count > 1 else []):
            results = _requiring(_tuple(self.func(*self.inputs)))
            outputs = [_NoGradient.apply(one) if i in missing else one for i, one in enumerate(results)]
            which = "all outputs have" if len(missing) == count else f"output {self.outputs[missing[0]]} has"
            try:
                self._expect_zeros(outputs, f"the gradient of input {{}} is not zero where {which} no gradient")
            except GradcheckError:
                raise
            except RuntimeError as error:
                raise GradcheckError(f"backward fails where {which} no gradient: {error}") from error

    def _expect_zeros(self, outputs: Sequence[Tensor], complaint: str) -> None:
        zeros = [_rgrad.zeros_like(output) for output in outputs]
        for position, gradient in zip(
            self.positions, _rgrad.grad(outputs, self.sources, zeros, allow_unused=True, retain_graph=True)
        ):
            if gradient is not None and not (gradient == 0).all().item():
                raise GradcheckError(complaint.format(position))


class _NoGradient(Function):
    """The identity, with no gradient for its argument whatever that of its result is."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        return value.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> None:
        return None


def _random_direction(tensor: Tensor, generator: Any) -> Tensor:
    """A random vector of length 1, without negative elements, for the elements of `tensor`."""
    vector = _rgrad.rand(tensor.numel(), dtype=tensor.dtype, generator=generator)
    return vector / (vector * vector).sum().sqrt()


def _random_gradient(output: Tensor, spread: bool) -> Tensor:
    """A random gradient of `output`; if `spread`, every second element of a larger tensor."""
    if spread:
        values = _rgrad.rand((*output.shape, 2), dtype=output.dtype).select(-1, 0)
    else:
        values = _rgrad.rand(output.shape, dtype=output.dtype)
    return values.mul_(2).sub_(1).requires_grad_()


def _excess(found: Tensor, expected: Tensor, atol: float, rtol: float) -> Tensor:
    """By how much two tensors differ more than they may; infinite where one is nan."""
    excess = (found - expected).abs() - (atol + rtol * expected.abs())
    equal = found == expected
    return _rgrad.where(equal, _rgrad.zeros_like(excess), _rgrad.where(excess.isnan(), float("inf"), excess))


def _index(flat: int, shape: Sequence[int]) -> list[int]:
    """The place in a tensor of the element with a number."""
    place = []
    for i in range(len(shape)):
        below = prod(shape[i + 1 :])
        place.append(flat // below % shape[i])
    return place


def _check_inputs(inputs: tuple[Any, ...]) -> None:
    needed = [(i, one) for i, one in enumerate(inputs) if _is_tensor(one) and one.requires_grad]
    for i, one in needed:
        if any(stride == 0 and size > 1 for stride, size in zip(one.stride(), one.shape)):
            raise RuntimeError(
                f"gradcheck(): elements of input {i} share memory, so that one cannot be changed alone; pass a "
                "contiguous() copy"
            )
    if not needed:
        raise ValueError("gradcheck(): no input requires grad")


def _of_real_numbers(func: Callable[..., Any], inputs: tuple[Any, ...]) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """The function with a pair of real numbers in the place of each complex one, and its inputs.

    The gradient by a complex number is that by its real part plus i times that by its imaginary part: nothing is lost.
    """
    complex_ones = [_is_tensor(one) and one.is_complex() for one in inputs]

    def of_pairs(*args: Any) -> tuple[Any, ...]:
        args = tuple(_rgrad.view_as_complex(one) if is_pair else one for one, is_pair in zip(args, complex_ones))
        results = _tuple(func(*args))
        return tuple(_rgrad.view_as_real(one) if _is_tensor(one) and one.is_complex() else one for one in results)

    pairs = tuple(
        _rgrad.view_as_real(one.detach()).requires_grad_(one.requires_grad) if is_complex else one
        for one, is_complex in zip(inputs, complex_ones)
    )
    return of_pairs, pairs


def _promoted(func: Callable[..., Any], inputs: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """The inputs in float64, or None if the function does not work with them."""
    if not any(_is_tensor(one) and one.requires_grad and one.dtype is not _rgrad.float64 for one in inputs):
        return inputs
    promoted: dict[int, Tensor] = {}
    for one in inputs:
        if _is_tensor(one) and one.is_floating_point():
            promoted[id(one)] = one.detach().to(_rgrad.float64, copy=True).requires_grad_(one.requires_grad)
    candidate = tuple(promoted.get(id(one), one) for one in inputs)
    try:
        outputs = _requiring(_tuple(func(*candidate)))
    except Exception:  # noqa: BLE001 - whatever it is, the function is to be checked as it was given
        return None
    return candidate if all(output.dtype is _rgrad.float64 for output in outputs) else None


def _is_tensor(value: Any) -> bool:
    return isinstance(value, _rgrad.Tensor)


def _tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def _requiring(values: Sequence[Any]) -> tuple[Tensor, ...]:
    return tuple(one for one in values if _is_tensor(one) and one.requires_grad)


def _warn_deprecated(name: str) -> None:
    warnings.warn(f"{name}() is kept for old programs; use gradcheck()", FutureWarning, stacklevel=3)


def get_numerical_jacobian(
    fn: Callable[..., Any], inputs: Any, target: Any = None, eps: float = 1e-3, grad_out: float = 1.0
) -> tuple[Tensor, ...]:
    """The differences of the first result of `fn(inputs)` by each tensor of `target` (or `inputs`) that requires grad.

    Deprecated. Each is a matrix of the input's size by the result's. Raises ValueError if `grad_out` is not 1.
    """
    _warn_deprecated("get_numerical_jacobian")
    if grad_out != 1.0:
        raise ValueError(f"get_numerical_jacobian(): grad_out has to be 1.0, got {grad_out}")

    def evaluate() -> list[Tensor]:
        return [_tuple(fn(inputs))[0].detach().clone()]

    sources = _requiring(_tuple(inputs if target is None else target))
    return tuple(numerical_jacobian(evaluate, source, eps)[0] for source in sources)


def get_numerical_jacobian_wrt_specific_input(
    fn: Callable[..., Any],
    input_idx: int,
    inputs: Any,
    outputs: Any,
    eps: float,
    input: Tensor | None = None,
    is_forward_ad: bool = False,
) -> tuple[Tensor, ...]:
    """The differences of each result of `fn(*inputs)` by `input`, or by the input of number `input_idx`."""
    source = inputs[input_idx] if input is None else input
    if not source.requires_grad:
        raise AssertionError(f"input {input_idx} does not require grad")

    def evaluate() -> list[Tensor]:
        return [one.detach().clone() for one in _tuple(fn(*_tuple(inputs)))]

    return tuple(numerical_jacobian(evaluate, source, eps))


def get_analytical_jacobian(
    inputs: Any, output: Tensor, nondet_tol: float = 0.0, grad_out: float = 1.0
) -> tuple[tuple[Tensor, ...], bool, bool, bool]:
    """The derivatives of `output` by each tensor of `inputs` that requires grad, by backward passes.

    Deprecated. Gives the matrices, of the input's size by the output's; whether a second time gives the same, within
    `nondet_tol`; and whether sizes and dtypes are those of the inputs, which they always are. Raises ValueError if
    `grad_out` is not 1.
    """
    _warn_deprecated("get_analytical_jacobian")
    if grad_out != 1.0:
        raise ValueError(f"get_analytical_jacobian(): grad_out has to be 1.0, got {grad_out}")
    sources = _requiring(_tuple(inputs))
    first, second = (backward_jacobian(sources, output) for _ in range(2))
    same = all(not one.numel() or ((one - other).abs().max() <= nondet_tol).item() for one, other in zip(first, second))
    return tuple(first), same, True, True
