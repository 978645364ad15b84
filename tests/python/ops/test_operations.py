"""Every operation of the registry beside torch's of the same name: values, types, strides, gradients of two orders."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import rgrad
from oracle import Raised, run, same, torch
from samples import Of, Sample, operations, samples

EXACTLY = (0.0, 0.0)
LAYOUTS = ["contiguous", "transposed", "strided", "expanded"]
# Operations that are not compared where elements are equal, which in an expanded tensor they are: the places that are
# chosen differ, or what is left of differences by rounding.
DISTINCT = {"corrcoef", "kthvalue", "median", "nanmedian", "std_mean", "topk"}
NAMES = sorted(operations())
# Operations that torch refuses for most tensors that are not row-major: it makes a view where it would have to copy.
ROW_MAJOR = {"conv_tbc", "kron"}
# Names that are those of other operations in nn.functional, which nn/test_layer_functions.py calls.
OTHER_FUNCTIONS = {"unfold"}
# Operations of which torch has `out=` for some forms of the arguments: ours has it for all.
OUT_OF_SOME_FORMS = {
    "bitwise_and",
    "bitwise_left_shift",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "bucketize",
    "diff",
    "mean",
    "remainder",
}
# By how much of the largest number results and gradients in complex64 may differ.
SINGLE_SLACK = 2e-4
# Their derivative is missing in PyTorch where they are in place.
NOT_IN_PLACE = {"acosh", "asinh", "atanh"}


def layouts_of(name: str) -> list[str]:
    return LAYOUTS[:1] if name in ROW_MAJOR else LAYOUTS[: -1 if name in DISTINCT else None]


def arranged(library, array: np.ndarray, layout: str):
    """A tensor with the values of an array (or of its first row, expanded) in a memory layout."""
    if not array.size:
        # NumPy's strides of nothing, which torch takes over, are 0.
        return library.zeros(array.shape, dtype=getattr(library, array.dtype.name))
    if layout == "transposed" and array.ndim >= 2:
        return library.tensor(np.ascontiguousarray(array.T)).permute(tuple(reversed(range(array.ndim))))
    if layout == "strided" and array.ndim >= 1:
        wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), dtype=array.dtype)
        wide[..., ::2] = array
        return library.tensor(wide)[..., ::2]
    if layout == "expanded" and array.ndim >= 1 and array.shape[0] > 0:
        return library.tensor(array[:1]).expand(array.shape)
    return library.tensor(array)


class Call:
    """One sample, ready to be made on either library."""

    def __init__(self, sample: Sample, dtype: str, layout: str, requires_grad: bool, seed: int = 0) -> None:
        self.sample, self.dtype, self.layout, self.requires_grad = sample, dtype, layout, requires_grad
        self.seed = seed
        # Whether numbers of that type are held in float32.
        self.wide = False

    def arguments(self, library):
        """Fresh arguments, and those tensors among them whose gradient is asked for."""
        random = np.random.default_rng(self.seed)
        leaves = []

        def made(value):
            if isinstance(value, Of):
                dtype = self.dtype if value.differentiable else None
                # numpy does not have bfloat16: the tensor is converted.
                held = "float32" if dtype == "bfloat16" else dtype or "float64"
                tensor = arranged(library, value.array(random, held), self.layout)
                if dtype == "bfloat16":
                    tensor = tensor.to(library.bfloat16)
                if self.wide and value.differentiable:
                    tensor = tensor.float()
                if value.differentiable and self.requires_grad:
                    leaves.append(tensor.requires_grad_())
                return tensor
            if isinstance(value, (list, tuple)):
                return type(value)(made(item) for item in value)
            return value

        positional = [made(value) for value in self.sample.arguments]
        keywords = {key: made(value) for key, value in self.sample.keywords.items()}
        if "dtype" in keywords:
            keywords["dtype"] = getattr(library, keywords["dtype"])
        return positional, keywords, leaves


def callables(name: str):
    """The ways to call an operation that torch has too: `(label, call)`."""
    row = operations()[name]
    functional = any(r["functional"] for r in row) and name not in OTHER_FUNCTIONS
    torch_functional = torch.nn.functional
    if functional and hasattr(torch_functional, name):
        yield (
            "functional",
            lambda lib, a, k: (lib._rgrad._nn if lib is rgrad else lib.nn.functional).__dict__[name](*a, **k),
        )
    if any(r["special"] for r in row) and hasattr(torch.special, name):
        yield "special", lambda lib, a, k: getattr(lib.special, name)(*a, **k)
    if any(r["function"] for r in row) and hasattr(torch, name):
        yield "function", lambda lib, a, k: getattr(lib, name)(*a, **k)
    if any(r["method"] for r in row) and hasattr(torch.Tensor, name):
        yield "method", lambda lib, a, k: getattr(a[0], name)(*a[1:], **k)


def tensors_in(result) -> list:
    if isinstance(result, (list, tuple)):
        return [tensor for item in result for tensor in tensors_in(item)]
    return [result] if hasattr(result, "requires_grad") else []


def weighted(library, tensors, seed):
    """A sum with uneven weights, so that every element's gradient differs."""
    random = np.random.default_rng(seed)
    total = None
    for tensor in tensors:
        if tensor.requires_grad:
            weights = library.tensor(random.uniform(0.5, 1.5, tuple(tensor.shape)), dtype=tensor.dtype)
            if tensor.is_complex():
                # A real number that depends on both parts.
                weights = weights * (1 - 0.5j)
                tensor = library.view_as_real(library.resolve_conj(tensor * weights))
                weights = 1
            term = (tensor * weights).sum()
            total = term if total is None else total + term
    return total


def differentiate(library, outputs, leaves, orders=2):
    """The gradients of an uneven sum of the outputs, order by order."""
    given = []
    for order in range(orders):
        total = weighted(library, tensors_in(outputs), 7 + order)
        if total is None or not leaves:
            break
        gradients = library.autograd.grad(total, leaves, create_graph=order + 1 < orders, allow_unused=True)
        given.append([None if g is None else g.detach() for g in gradients])
        outputs = [g for g in gradients if g is not None]
    return given


@pytest.mark.parametrize("name", NAMES)
def test_values_and_gradients(name):
    """Over layouts, in float64, with first and second gradients."""
    for label, call in callables(name):
        for i, sample in enumerate(samples(name)):
            for layout in layouts_of(name):
                prepared = Call(sample, "float64", layout, requires_grad=sample.differentiated)

                def program(library):
                    positional, keywords, leaves = prepared.arguments(library)
                    result = call(library, positional, keywords)
                    gradients = differentiate(library, result, leaves, sample.orders)
                    return result, gradients

                check(program, f"{name} {label}, sample {i}: {sample}, {layout}", sample.strides)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", ["float32", "int64", "int32", "uint8", "bool"])
def test_other_types(name, dtype):
    """Values and result types; what torch refuses for a type is refused with the same class."""
    for label, call in callables(name):
        for i, sample in enumerate(samples(name)):
            if sample.floating and not dtype.startswith("float"):
                continue
            prepared = Call(sample, dtype, "contiguous", requires_grad=False)

            def program(library):
                positional, keywords, _ = prepared.arguments(library)
                return call(library, positional, keywords)

            check(program, f"{name} {label}, sample {i}: {sample}, {dtype}")


# Note: What torch does not compute
# Of these types rgrad has all operations that their category allows; torch has not, and its CPU refuses the others with
# "not implemented for". Such a refusal is no measure. The other way round, rgrad has no complex type of 16-bit floats.
MAKES_COMPLEX = {"complex", "polar", "view_as_complex"}
NARROW = ["float16", "bfloat16", "int8", "int16"]
# Of several operations, between which both round, at places that differ.
ROUNDED_BETWEEN = {"grid_sample", "gru", "lstm", "rnn_relu", "rnn_tanh"}
# Gradients are compared by so much of their largest number: torch rounds after each of several operations.
GRADIENT_SLACK = {"float16": 2e-2, "bfloat16": 1e-1}


def is_no_measure(name, dtype, theirs, ours) -> bool:
    if name in MAKES_COMPLEX and dtype in GRADIENT_SLACK:
        return isinstance(ours, Raised)
    return is_unimplemented(theirs)


def same_or_rounded_once(ours, theirs, prepared: Call, program, **more) -> None:
    """The same as torch's, which rounds after each of several operations; or as what it computes from the same numbers
    in float32, rounded once."""
    try:
        same(ours, theirs, **more)
    except AssertionError:
        if prepared.dtype not in GRADIENT_SLACK or isinstance(theirs, Raised):
            raise
        prepared.wide = True
        same(ours, rounded(run(program, torch), getattr(torch, prepared.dtype)), **more)


def rounded(result, dtype):
    if isinstance(result, (list, tuple)):
        return type(result)(rounded(item, dtype) for item in result)
    return result.to(dtype) if isinstance(result, torch.Tensor) and result.dtype == torch.float32 else result


def is_unimplemented(result) -> bool:
    return isinstance(result, Raised) and "not implemented for" in str(result.error)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", NARROW)
def test_narrow_types(name, dtype):
    """Values, rounded once, and result types."""
    for label, call in callables(name):
        for i, sample in enumerate(samples(name)):
            if sample.floating and dtype.startswith("int"):
                continue
            prepared = Call(sample, dtype, "contiguous", requires_grad=False)

            def program(library):
                positional, keywords, _ = prepared.arguments(library)
                return call(library, positional, keywords)

            theirs, ours = run(program, torch), run(program, rgrad)
            if not is_no_measure(name, dtype, theirs, ours):
                where = f"{name} {label}, sample {i}: {sample}, {dtype}"
                slack = GRADIENT_SLACK.get(dtype) if name in ROUNDED_BETWEEN else None
                slack = slack and (slack, slack)
                same_or_rounded_once(ours, theirs, prepared, program, slack=slack, where=where)


def largest(result) -> float:
    """The size of the largest finite number in some gradients."""
    numbers = [x for x in tensors_in(result) if x.numel() and (x.is_floating_point() or x.is_complex())]
    sizes = [float(x.abs().max()) for x in numbers]
    return max((size for size in sizes if np.isfinite(size)), default=0.0)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_gradients_of_narrow_types(name, dtype):
    for label, call in list(callables(name))[:1]:
        for i, sample in enumerate(samples(name)):
            if not sample.differentiated:
                continue
            prepared = Call(sample, dtype, "contiguous", requires_grad=True)

            def program(library):
                positional, keywords, leaves = prepared.arguments(library)
                return differentiate(library, call(library, positional, keywords), leaves, orders=1)

            theirs, ours = run(program, torch), run(program, rgrad)
            if is_no_measure(name, dtype, theirs, ours):
                continue
            where = f"{name} {label}, sample {i}: {sample}, {dtype}"
            slack = GRADIENT_SLACK[dtype]
            slack = (slack, slack * max(1.0, largest(theirs)))
            same_or_rounded_once(ours, theirs, prepared, program, slack=slack, where=where)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("layout", ["contiguous", "strided"])
def test_complex_numbers(name, layout):
    """Values and gradients of two orders in complex128; what has no order or no such rule is refused."""
    if layout not in layouts_of(name):
        return
    for label, call in callables(name):
        for i, sample in enumerate(samples(name)):
            prepared = Call(sample, "complex128", layout, requires_grad=sample.differentiated)

            def program(library):
                positional, keywords, leaves = prepared.arguments(library)
                result = call(library, positional, keywords)
                return result, differentiate(library, result, leaves, sample.orders)

            # torch's conjugates are views with the strides of what they are of, ours are copies without gaps.
            where = f"{name} {label}, sample {i}: {sample}, {layout}"
            same(run(program, rgrad), run(program, torch), strides=layout == "contiguous", where=where)


@pytest.mark.parametrize("name", NAMES)
def test_complex_numbers_of_single_precision(name):
    """Values and first gradients in complex64."""
    for label, call in callables(name):
        for i, sample in enumerate(samples(name)):
            prepared = Call(sample, "complex64", "contiguous", requires_grad=sample.differentiated)

            def program(library):
                positional, keywords, leaves = prepared.arguments(library)
                result = call(library, positional, keywords)
                return result, differentiate(library, result, leaves, orders=1)

            theirs, ours = run(program, torch), run(program, rgrad)
            size = 1.0 if isinstance(theirs, Raised) else max(1.0, largest(theirs))
            slack = (SINGLE_SLACK, SINGLE_SLACK * size)
            same(ours, theirs, slack=slack, where=f"{name} {label}, sample {i}: {sample}")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", ["float64", "int64"])
def test_results_in_tensors_of_the_caller(name, dtype):
    """`out=` takes the result, in its own strides, where torch has it; where torch has not, it is refused."""
    for label, call in callables(name):
        if label not in ("function", "special"):
            continue
        for i, sample in enumerate(samples(name)):
            if sample.floating and dtype == "int64":
                continue
            prepared = Call(sample, dtype, "contiguous", requires_grad=False)

            def program(library, spread):
                positional, keywords, _ = prepared.arguments(library)
                out = fitting(library, call(library, positional, keywords), spread)
                given = call(library, positional, keywords | {"out": out})
                return given, out, [a is b for a, b in zip(tensors_in(given), tensors_in(out))]

            for spread in (False, True):
                theirs = run(lambda library, spread=spread: program(library, spread), torch)
                ours = run(lambda library, spread=spread: program(library, spread), rgrad)
                if name in OUT_OF_SOME_FORMS and isinstance(theirs, Raised):
                    continue
                # PyTorch's narrow_copy fills `out=` as if it were row-major.
                if name == "narrow_copy" and spread:
                    continue
                where = f"{name} {label}, sample {i}: {sample}, {'spread' if spread else 'row-major'}"
                same(ours, theirs, strides=name != "matmul", where=where)


def fitting(library, result, spread):
    """New tensors that a result fits: row-major, or every second element of larger ones."""
    if isinstance(result, (list, tuple)):
        return tuple(fitting(library, part, spread) for part in result)
    wide = library.zeros((*result.shape, 2), dtype=result.dtype)
    return wide[..., 0] if spread else wide[..., 0].contiguous()


@pytest.mark.parametrize("name", [n for n in NAMES if any(r["in_place"] for r in operations()[n])])
@pytest.mark.parametrize("dtype", ["float64", "int64", "bool"])
def test_in_place(name, dtype):
    """The in-place form on a fresh copy: values, history, gradients; after a refusal the values are as before."""
    if not hasattr(torch.Tensor, f"{name}_"):
        return
    for i, sample in enumerate(samples(name)):
        recorded = dtype == "float64" and sample.differentiated and name not in NOT_IN_PLACE
        for layout in LAYOUTS[:3]:
            prepared = Call(sample, dtype, layout, requires_grad=recorded)

            def program(library):
                positional, keywords, leaves = prepared.arguments(library)
                if not hasattr(positional[0], "clone"):
                    return None
                target = positional[0].clone()
                before = target.detach().clone()
                try:
                    result = getattr(target, f"{name}_")(*positional[1:], **keywords)
                except Exception as error:
                    assert library.equal(target.detach(), before), "a refused operation changed the tensor"
                    assert target._version == 0
                    return f"refused with {type(error).__name__}"
                assert result is target
                return target, target._version, differentiate(library, target, leaves, sample.orders)

            check(program, f"{name}_, sample {i}: {sample}, {layout}, {dtype}", sample.strides)


def check(program, label, strides=True):
    ours, theirs = run(program, rgrad), run(program, torch)
    same(ours, theirs, strides=strides, where=label)


class Packed:
    """Keeps what is saved for backward as numpy arrays."""

    @staticmethod
    def pack(tensor):
        return tensor.detach().numpy().copy(), tensor.dtype

    @staticmethod
    def unpack(packed):
        array, dtype = packed
        return rgrad.tensor(array, dtype=dtype)


def runs(name):
    """The calls of an operation that rgrad can differentiate, as functions that give results, leaves and gradients.

    Such a function may copy the arguments before.
    """
    for _, call in callables(name):
        for i, sample in enumerate(samples(name)):
            made = Call(sample, "float64", "contiguous", requires_grad=True, seed=i)

            def once(copied=lambda value: value, made=made, call=call):
                rgrad.manual_seed(3)
                arguments, keywords, leaves = copied(made.arguments(rgrad))
                results = call(rgrad, arguments, keywords)
                return results, differentiate(rgrad, results, leaves, orders=1)

            if not isinstance(run(lambda _, once=once: once(), rgrad), Raised):
                yield once


@pytest.mark.parametrize("name", NAMES)
def test_saved_tensors_may_leave_the_library(name):
    for once in runs(name):
        expected = once()
        with rgrad.autograd.graph.saved_tensors_hooks(Packed.pack, Packed.unpack):
            found = once()
        same(found, expected, strides=False)


@pytest.mark.parametrize("name", NAMES)
def test_deep_copies(name):
    for once in runs(name):
        expected = once()
        same(once(copy.deepcopy), expected, slack=EXACTLY)
        constants = [one if one.is_leaf else one.detach() for one in tensors_in(expected)]
        same(tensors_in(copy.deepcopy(expected)), constants, slack=EXACTLY, strides=False)


def test_registry_is_covered():
    """Every public operation has samples that torch accepts, unless torch does not have the operation."""
    for name in NAMES:
        ways = [call for _, call in callables(name)]
        if not ways:
            continue
        accepted = 0
        for sample, dtype in [(sample, dtype) for sample in samples(name) for dtype in ("float64", "complex128")]:
            for call in ways:
                positional, keywords, _ = Call(sample, dtype, "contiguous", False).arguments(torch)
                outcome = run(lambda _, call=call, a=positional, k=keywords: call(torch, a, k), torch)
                accepted += not isinstance(outcome, Raised)
        integral = name.startswith("bitwise") or name in ("gcd", "lcm")
        assert accepted or integral, f"{name}: torch refuses all samples"
