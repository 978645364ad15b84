"""`__torch_function__`: who is asked, in which order, and what comes of the answers; side by side with torch."""

import subprocess
import sys

import numpy as np
import pytest

import oracle
import rgrad
from rgrad import overrides

torch = oracle.torch


def logging_class(lib, log, base=None):
    """A subclass of `Tensor` that writes down the functions it is asked about."""

    class Logged(base or lib.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            log.append((func, [kind.__name__ for kind in types], len(args)))
            return super().__torch_function__(func, types, args, kwargs)

    return Logged


def asked(expression, lib):
    """The functions, by name, about which a subclass is asked, and the class and value of the result."""
    log = []
    kind = logging_class(lib, log)
    names = {
        "lib": lib,
        "np": np,
        "F": lib.nn.functional,
        "p": lib.tensor([3.0, 4.0]),
        "t": lib.tensor([1.0, 2.0]).as_subclass(kind),
        "i": lib.tensor([1, 2]).as_subclass(kind),
    }
    value = eval(expression, names)
    calls = [(simple(func), arguments) for func, _, arguments in log]
    return calls, type(value).__name__, value


def simple(func):
    owner = getattr(func, "__self__", None)
    if func.__name__ in ("__get__", "__set__", "__delete__"):
        return f"{owner.__name__}.{func.__name__}"
    return func.__name__


EXPRESSIONS = oracle.lines("""
    t + 2
    2 + t
    p + t
    t - 2
    2 - t
    p - t
    t * t
    2 * t
    t / 2
    t // 2
    2 // t
    t % 2
    2 % t
    t ** 2
    2 ** t
    t < 2
    2 < t
    t == p
    t != p
    t >= p
    i & 1
    i | 1
    i ^ 1
    t @ p
    p @ t
    -t
    abs(t)
    ~i
    len(t)
    t[0]
    p[i - 1]
    t[0:1]
    bool(t[0])
    float(t[0])
    int(t[0])
    [5, 6, 7][i[0]]
    1.0 in t
    t.exp()
    t.add(p)
    lib.add(t, 1)
    lib.add(p, t, alpha=2)
    lib.cat([p, t])
    lib.stack((t, p))
    lib.max(t, 0)[0]
    t.max()
    lib.where(t > 1, t, p)
    t.shape
    t.dtype
    t.grad
    t.is_leaf
    t.data
    t.requires_grad
    t.ndim
    t.size()
    t.dim()
    t.numel()
    t.detach()
    t.clone()
    t.tolist()
    t[0].item()
    t.to(lib.float64)
    t.requires_grad_()
    t.new_zeros(2)
    t.view(2, 1)
    t.unbind()
    t.fill_(2)
    t.zero_()
    t.add_(1)
    t.type()
    lib.zeros_like(t)
    lib.ones_like(t, dtype=lib.float64)
    lib.allclose(t, p)
    lib.equal(t, t)
    lib.result_type(t, 1)
    F.relu(t)
    F.linear(t[None], p[None])
    F.mse_loss(t, p)
    F.softmax(t, dim=0)
    lib.tensor([1.0, 2.0])
    lib.as_tensor(t)
    lib.is_tensor(t)
    t.as_subclass(lib.Tensor)
    setattr(t, "requires_grad", True)
    setattr(t, "grad", None)
    delattr(t, "grad")
    t.__setitem__(0, 1.0)
    hash(t) == id(t)
""")


# Torch's softmax and mse_loss hand on each keyword; which of them are named is not compared.
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_functions_asked_about(expression):
    ours, theirs = asked(expression, rgrad), asked(expression, torch)
    assert ours[:2] == theirs[:2]
    if ours[1] in ("Tensor", "Logged"):
        oracle.same(ours[2].as_subclass(rgrad.Tensor), theirs[2].as_subclass(torch.Tensor))
    elif ours[1] in ("int", "float", "bool", "str", "list"):
        assert ours[2] == theirs[2]


@pytest.mark.parametrize("operator", ["add", "sub", "mul", "truediv", "pow", "mod", "floordiv"])
def test_in_place_operators(operator):
    def program(lib):
        import operator as operators

        log = []
        kind = logging_class(lib, log)
        tensor = lib.tensor([4.0, 5.0]).as_subclass(kind)
        before = tensor
        tensor = getattr(operators, f"i{operator}")(tensor, 2)
        assert tensor is before
        plain = lib.tensor([4.0, 5.0])
        plain = getattr(operators, f"i{operator}")(plain, tensor)
        # An alias of the plain tensor: what the default makes of a result that is none of the class.
        return [func.__name__ for func, _, _ in log], type(plain).__name__, plain.tolist()

    oracle.agree(program)


def test_in_place_operators_give_what_the_override_gives():
    def program(lib):
        class Answering(lib.Tensor):
            @classmethod
            def __torch_function__(cls, func, types, args=(), kwargs=None):
                return "answered"

        one = two = lib.ones(1)
        one += lib.ones(1).as_subclass(Answering)
        two *= lib.ones(1).as_subclass(Answering)
        return one, two

    oracle.agree(program)


def test_the_function_is_the_one_of_the_class():
    log = []
    tensor = rgrad.ones(2).as_subclass(logging_class(rgrad, log))
    tensor.add(1), tensor + 1, rgrad.add(tensor, 1), tensor.shape, tensor.size(), tensor[0]
    T = rgrad.Tensor
    expected = [T.add, T.add, rgrad.add, T.shape.__get__, T.size, T.__getitem__]
    assert [func for func, _, _ in log] == expected
    assert [hash(func) for func, _, _ in log] == [hash(func) for func in expected]


def test_subclasses_are_asked_before_their_bases():
    def program(lib):
        order = []

        class Base(lib.Tensor):
            @classmethod
            def __torch_function__(cls, func, types, args=(), kwargs=None):
                order.append((cls.__name__, [kind.__name__ for kind in types]))
                return NotImplemented

        class Derived(Base):
            pass

        class Other(lib.Tensor):
            @classmethod
            def __torch_function__(cls, func, types, args=(), kwargs=None):
                order.append((cls.__name__, [kind.__name__ for kind in types]))
                return "answered"

        base, derived, other = (lib.ones(1).as_subclass(kind) for kind in (Base, Derived, Other))
        results = [
            lib.where(other, base, derived),
            lib.where(base, derived, other),
            lib.cat([base, base, derived, other]),
        ]
        results.append(lib.add(base, other))
        return order, results

    oracle.agree(program)


def test_nobody_answers():
    def program(lib):
        class Refusing(lib.Tensor):
            @classmethod
            def __torch_function__(cls, func, types, args=(), kwargs=None):
                return NotImplemented

        return lib.exp(lib.ones(1).as_subclass(Refusing))

    assert "exp" in str(oracle.raises(program))


def test_unrelated_subclasses_refuse_each_other():
    def program(lib):
        class One(lib.Tensor):
            pass

        class Two(lib.Tensor):
            pass

        return lib.add(lib.ones(1).as_subclass(One), lib.ones(1).as_subclass(Two))

    assert "add" in str(oracle.raises(program))


@pytest.mark.parametrize(
    "expression",
    oracle.lines("""
        lib.add(d, 1)
        lib.add(lib.ones(2), d)
        lib.mul(d, other=d)
        lib.ones(2) + d
        lib.ones(2) * d
        lib.ones(2).add(d)
        lib.ones(2) < d
        lib.ones(2) @ d
        lib.cat([lib.ones(2), d])
        lib.stack((d, d))
        lib.zeros_like(d)
        lib.nn.functional.relu(d)
        lib.nn.functional.mse_loss(d, lib.ones(2))
        lib.nn.functional.cross_entropy(d, d)
        lib.where(d, 1.0, 2.0)
        lib.sum(d, dim=0)
        lib.allclose(d, d)
        lib.autograd.grad(d, d)
    """),
)
def test_objects_that_are_no_tensors(expression):
    def program(lib):
        class Diagonal:
            @classmethod
            def __torch_function__(cls, func, types, args=(), kwargs=None):
                return func.__name__, [kind.__name__ for kind in types]

        return eval(expression, {"lib": lib, "d": Diagonal()})

    oracle.agree(program)


def test_an_override_of_results():
    def program(lib):
        handled = {}

        class Diagonal:
            def __init__(self, size, value):
                self.size, self.value = size, value

            @classmethod
            def __torch_function__(cls, func, types, args=(), kwargs=None):
                if func not in handled or not all(issubclass(kind, (lib.Tensor, Diagonal)) for kind in types):
                    return NotImplemented
                return handled[func](*args, **(kwargs or {}))

        handled[lib.mean] = lambda input: input.value / input.size
        assert lib.mean(Diagonal(5, 2.0)) == 0.4
        return lib.exp(Diagonal(5, 2.0))

    oracle.raises(program)


def test_parameters_override_nothing():
    parameter = rgrad.nn.Parameter(rgrad.ones(2))
    assert type(parameter + 1) is rgrad.Tensor
    assert type(rgrad.zeros_like(parameter)) is rgrad.Tensor
    assert not overrides.has_torch_function((parameter, 1, rgrad.ones(1)))


FIRST_OBJECT = """
import sys, rgrad

class Counting(rgrad.Tensor):
    asked = 0

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        Counting.asked += 1
        return super().__torch_function__(func, types, args, kwargs)

def become():
    tensor = rgrad.ones(1)
    tensor.__class__ = Counting
    return tensor

tensor = eval(sys.argv[1])
before = Counting.asked
result = tensor * 2
assert Counting.asked > before and type(result) is Counting, (before, Counting.asked, type(result))
"""


@pytest.mark.parametrize(
    "made",
    [
        "Counting([1.0])",
        "rgrad.ones(1).as_subclass(Counting)",
        "rgrad.Tensor._make_subclass(Counting, rgrad.ones(1))",
        "become()",
    ],
)
def test_the_first_object_of_a_class_is_asked_however_it_was_made(made):
    # In a process of its own: whether anything overrides at all is remembered for good.
    done = subprocess.run([sys.executable, "-c", FIRST_OBJECT, made], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def mode_of(lib, log):
    module = overrides if lib is rgrad else torch.overrides

    class Mode(module.TorchFunctionMode):
        def __init__(self, name=""):
            self.name = name

        def __torch_function__(self, func, types, args=(), kwargs=None):
            log.append(self.name + simple(func))
            return func(*args, **(kwargs or {}))

    return Mode


def test_modes_see_everything():
    def program(lib):
        log = []
        with mode_of(lib, log)():
            a = lib.ones(2, 2)
            b = a + 1
            b.sum()
            b[0]
            lib.zeros_like(b)
            lib.tensor([1.0])
            lib.arange(3)
            b.shape
            lib.nn.functional.relu(b)
            lib.nn.functional.mse_loss(a, b)
            b.add_(1)
            lib.rand(2)
        lib.ones(1)
        return log

    oracle.agree(program)


def test_modes_nest():
    def program(lib):
        log = []
        mode = mode_of(lib, log)
        with mode("outer "), mode("inner "):
            lib.ones(1).exp()
        return log

    oracle.agree(program)


def test_a_mode_is_left_in_an_error():
    def program(lib):
        log = []
        with pytest.raises(ZeroDivisionError):
            with mode_of(lib, log)():
                1 / 0
        lib.ones(1)
        return log

    oracle.agree(program)


def test_an_error_in_a_mode_keeps_it():
    def program(lib):
        log = []
        with mode_of(lib, log)():
            for _ in range(2):
                with pytest.raises(RuntimeError):
                    lib.ones(2) + lib.ones(3)
        return log

    oracle.agree(program)


def test_switches():
    def program(lib):
        log, modes = [], []
        tensor = lib.ones(2).as_subclass(logging_class(lib, log))
        with lib._C.DisableTorchFunctionSubclass():
            first = type(tensor + 1).__name__
            with mode_of(lib, modes)():
                tensor + 1
        second = type(tensor + 1).__name__
        with mode_of(lib, modes)(), lib._C.DisableTorchFunction():
            third = type(tensor + 1).__name__
        return first, second, third, len(log), modes

    oracle.agree(program)


def test_the_default_converts_nested_results():
    def program(lib):
        class Kind(lib.Tensor):
            pass

        tensor = lib.arange(6.0).reshape(2, 3).as_subclass(Kind)
        parts = tensor.split(1)
        named = tensor.max(0)
        return (
            type(parts).__name__,
            [type(part).__name__ for part in parts],
            type(named).__name__,
            [type(part).__name__ for part in named],
            [type(part).__name__ for part in tensor],
            type(tensor.shape).__name__,
        )

    oracle.agree(program)


def test_gradients_through_a_subclass():
    def program(lib):
        class Kind(lib.Tensor):
            pass

        leaf = lib.tensor([1.0, 2.0]).as_subclass(Kind).requires_grad_()
        total = (leaf * leaf).sum()
        total.backward()
        return type(total).__name__, total.grad_fn.name(), type(leaf.grad).__name__, leaf.grad.tolist()

    oracle.agree(program)


def test_handle_torch_function():
    def program(lib):
        module = overrides if lib is rgrad else torch.overrides

        class Kind(lib.Tensor):
            @classmethod
            def __torch_function__(cls, func, types, args=(), kwargs=None):
                return func, types == (cls,), len(args), kwargs

        def function(a, b=1):
            if module.has_torch_function((a,)):
                return module.handle_torch_function(function, (a,), a, b=b)
            return a + b

        tensor = lib.ones(1).as_subclass(Kind)
        given = function(tensor, b=3)
        assert given[0] is function
        return given[1:], function(lib.ones(1)), module.has_torch_function_unary(tensor)

    oracle.agree(program)


def test_questions():
    T = rgrad.Tensor
    assert overrides.is_tensor_method_or_property(T.add)
    assert overrides.is_tensor_method_or_property(T.shape.__get__)
    assert not overrides.is_tensor_method_or_property(rgrad.add)
    assert overrides.is_tensor_like(rgrad.ones(1))
    assert not overrides.is_tensor_like(1)
    assert overrides.resolve_name(T.add) == "torch.Tensor.add"
    assert overrides.resolve_name(rgrad.add) == "torch.add"
    assert overrides.resolve_name(T.shape.__get__) == "torch.Tensor.shape.__get__"
    functions = overrides.get_overridable_functions()
    assert rgrad.add in functions[rgrad]
    assert rgrad.nn.functional.mse_loss in functions[rgrad.nn.functional]
    assert T.add in functions[T] and T.shape.__get__ in functions[T] and T.__add__ in functions[T]
    assert rgrad.manual_seed in overrides.get_ignored_functions()
    assert rgrad.add not in overrides.get_ignored_functions()


def test_functions_keep_what_is_known_of_them():
    import inspect
    import pickle

    from rgrad.nn import functional

    assert list(inspect.signature(functional.mse_loss).parameters)[:2] == ["input", "target"]
    assert list(inspect.signature(rgrad.Tensor.backward).parameters)[:2] == ["self", "gradient"]
    assert "squared differences" in functional.mse_loss.__doc__
    for function in (functional.mse_loss, rgrad.zeros, rgrad.add, rgrad.Tensor.size, rgrad.Tensor.add):
        assert pickle.loads(pickle.dumps(function)) is function
