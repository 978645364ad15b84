"""Programs of views, in-place changes and backward passes, made at random and run on both libraries."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oracle import Raised, agree, run

# Each step takes the library, the tensors so far and three numbers, and gives a tensor, or None.
VIEWS = {
    "select": lambda lib, t, i, j: t.select(i % t.dim(), j % t.size(i % t.dim())),
    "narrow": lambda lib, t, i, j: t.narrow(i % t.dim(), 0, 1 + j % t.size(i % t.dim())),
    "slice": lambda lib, t, i, j: t[j % t.size(0) :: 1 + i % 2],
    "transpose": lambda lib, t, i, j: t.transpose(i % t.dim(), j % t.dim()),
    "permute": lambda lib, t, i, j: t.permute(tuple(reversed(range(t.dim())))),
    "reshape": lambda lib, t, i, j: t.reshape(-1),
    "view": lambda lib, t, i, j: t.view(-1),
    "flatten": lambda lib, t, i, j: t.flatten(),
    "expand": lambda lib, t, i, j: t.expand(2, *t.shape),
    "unsqueeze": lambda lib, t, i, j: t.unsqueeze(i % (t.dim() + 1)),
    "squeeze": lambda lib, t, i, j: t.squeeze(),
    "T": lambda lib, t, i, j: t.T if t.dim() == 2 else t,
    "detach": lambda lib, t, i, j: t.detach(),
    "None": lambda lib, t, i, j: t[None],
    "Ellipsis": lambda lib, t, i, j: t[..., 0],
    "view_of": lambda lib, t, i, j: t[:],
}
COMPUTED = {
    "mul": lambda lib, t, i, j: t * (i + 1),
    "square": lambda lib, t, i, j: t * t,
    "exp": lambda lib, t, i, j: (t * 0.1).exp(),
    "sum": lambda lib, t, i, j: t.sum(0, keepdim=True) + t,
    "clone": lambda lib, t, i, j: t.clone(),
    "pick": lambda lib, t, i, j: t[[0, -1]],
    "mask": lambda lib, t, i, j: t[t > 0],
}
IN_PLACE = {
    "add_": lambda lib, t, i, j: t.add_(i + 1),
    "mul_": lambda lib, t, i, j: t.mul_(0.5),
    "zero_": lambda lib, t, i, j: None if is_expanded(t) else t.zero_(),
    "fill_": lambda lib, t, i, j: None if is_expanded(t) else t.fill_(j),
    "copy_": lambda lib, t, i, j: t.copy_(lib.full_like(t, 0.25)),
    "exp_": lambda lib, t, i, j: t.mul_(0.1).exp_(),
    "sigmoid_": lambda lib, t, i, j: t.sigmoid_(),
    "sub_ itself": lambda lib, t, i, j: t.sub_(t * 0.5),
    "setitem": lambda lib, t, i, j: t.__setitem__(j % t.size(0), 0.5),
    "setitem slice": lambda lib, t, i, j: t.__setitem__(slice(None, None, 2), i * 0.5),
    "setitem mask": lambda lib, t, i, j: None if not t.dim() or is_expanded(t) else t.__setitem__(t > 0.3, -0.1),
    "setitem index": lambda lib, t, i, j: None if is_expanded(t) else t.__setitem__([0, -1], 0.7),
    "no_grad add_": lambda lib, t, i, j: unrecorded(lib, t),
    "requires_grad_": lambda lib, t, i, j: t.requires_grad_(),
    "data": lambda lib, t, i, j: t.data.add_(0.125),
}


def is_expanded(tensor):
    """Whether several indices name the same memory: there torch still fills, see `CHANGES`."""
    return 0 in tensor.stride()


def unrecorded(lib, t):
    with lib.no_grad():
        t.add_(0.25)


def with_tensor(lib, t, other):
    t.mul_(other.detach().sum())
    t.add_(other.sum() * 0.1)


STEPS = {**VIEWS, **COMPUTED, **IN_PLACE}


def facts(tensor):
    return {
        "value": tensor.detach().clone(),
        "version": tensor._version,
        "leaf": tensor.is_leaf,
        "requires_grad": tensor.requires_grad,
        "sizes": tuple(tensor.shape),
        "offset": tensor.storage_offset(),
    }


def program_of(steps, shape, leaf_first, create_graph):
    """Runs the steps, each of which a library may refuse, then asks for the gradients of all that there is."""

    def program(lib):
        leaf = ((lib.arange(24, dtype=lib.float64)[: shape[0] * shape[1]] - 5) * 0.1).reshape(shape)
        if leaf_first:
            leaf.requires_grad_()
        tensors = [leaf, leaf * 1.0]
        log = []
        for name, which, i, j in steps:
            operand = tensors[which % len(tensors)]
            if name == "with tensor":
                outcome = run(lambda lib: with_tensor(lib, operand, tensors[i % len(tensors)]), lib)
            else:
                outcome = run(lambda lib: STEPS[name](lib, operand, i, j), lib)
            if isinstance(outcome, Raised):
                log.append(f"{name}: {outcome.kind.__name__}")
            elif name not in IN_PLACE and outcome is not None:
                tensors.append(outcome)
            else:
                log.append(name)
        log.append([facts(t) for t in tensors])
        wanted = [t for t in tensors if t.requires_grad]
        total = sum((t.sum() * (n + 1) for n, t in enumerate(wanted)), lib.zeros((), dtype=lib.float64))
        log.append(run(lambda lib: total.backward(create_graph=create_graph), lib))
        log.append([t.grad.detach().clone() if t.is_leaf and t.grad is not None else None for t in tensors])
        return log

    return program


STEP = st.tuples(st.sampled_from([*STEPS, "with tensor"]), st.integers(0, 7), st.integers(0, 3), st.integers(0, 3))
SETTINGS = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@SETTINGS
@given(st.lists(STEP, max_size=9), st.sampled_from([(2, 3), (4, 1), (1, 1), (3, 2)]), st.booleans(), st.booleans())
def test_programs(steps, shape, leaf_first, create_graph):
    agree(program_of(steps, shape, leaf_first, create_graph), strides=False)


VIEW_STEP = st.tuples(st.sampled_from(list(VIEWS)), st.integers(0, 3), st.integers(0, 3), st.integers(0, 3))
CHANGE_STEP = st.tuples(st.sampled_from(list(IN_PLACE)), st.integers(0, 7), st.integers(0, 3), st.integers(0, 3))


@SETTINGS
@given(st.lists(VIEW_STEP, min_size=1, max_size=5), st.lists(CHANGE_STEP, min_size=1, max_size=5))
def test_changes_through_chains_of_views(views, changes):
    """All views first, then all changes: each has to reach the base and every other view."""
    agree(program_of([*views, *changes], (2, 3), True, False), strides=False)


def changed_view(change):
    def program(lib):
        leaf = lib.arange(6, dtype=lib.float64).reshape(2, 3).requires_grad_()
        base = leaf * 1
        views = [base[0], base.t(), base.reshape(-1)[1:4], base[:, 1]]
        outcome = run(lambda lib: change(lib, base, views), lib)
        total = sum((v * v).sum() for v in [base, *views])
        after = run(lambda lib: total.backward(), lib)
        return outcome, base, views, [v._version for v in views], after, leaf.grad

    return program


CHANGES = {
    "of the base": lambda lib, b, v: b.mul_(2),
    "of a view": lambda lib, b, v: v[0].mul_(2),
    "of two views": lambda lib, b, v: (v[1].exp_(), v[2].add_(1), None)[-1],
    "of a view by another": lambda lib, b, v: v[0].add_(v[3].sum()),
    "of a view of a view": lambda lib, b, v: v[1][0].zero_(),
    "between a view and its use": lambda lib, b, v: (
        (v[0] * v[0]).sum().backward(inputs=[b]) if b.add_(1) is None else None
    ),
    "by a tensor that asks for gradients": lambda lib, b, v: v[3].copy_(
        lib.ones(2, dtype=lib.float64, requires_grad=True)
    ),
    "swapped": lambda lib, b, v: v[0].copy_(b[1].clone()),
    "without recording": lambda lib, b, v: unrecorded(lib, v[0]),
    "of data": lambda lib, b, v: v[0].data.add_(3) is None,
    "of an unbound part": lambda lib, b, v: b.unbind(0)[0].add_(1),
    "of a split part": lambda lib, b, v: b.split(1)[0].mul_(3),
    "of an expanded view": lambda lib, b, v: b[:, :1].expand(2, 3).add_(1),
    "filled, of an expanded view": lambda lib, b, v: b[:, :1].expand(2, 3).fill_(4),
    "clamped": lambda lib, b, v: b.clamp_(1, 3),
    "of a view made without recording": lambda lib, b, v: made_without_recording(lib, b).mul_(2),
    "of a detached tensor": lambda lib, b, v: b.detach().mul_(2) is None,
}


def made_without_recording(lib, base):
    with lib.no_grad():
        return base[0]


@pytest.mark.parametrize("change", CHANGES)
def test_changes(change):
    agree(changed_view(CHANGES[change]), strides=False)


REFUSED = {
    "a leaf": lambda lib, leaf: leaf.add_(1),
    "a view of a leaf": lambda lib, leaf: leaf[0].add_(1),
    "out of a saved square": lambda lib, leaf: saved(lib, leaf, lambda x: x * x, lambda x: x.add_(1)),
    "out of a saved result": lambda lib, leaf: saved(lib, leaf, lambda x: x.exp(), lambda x: x, lambda y: y.add_(1)),
    "through a view": lambda lib, leaf: saved(lib, leaf, lambda x: x * x, lambda x: x[0].add_(1)),
    "through data": lambda lib, leaf: saved(lib, leaf, lambda x: x * x, lambda x: x.data.add_(1)),
    "detach_ of a saved tensor": lambda lib, leaf: saved(lib, leaf, lambda x: x * x, lambda x: x.detach_()),
    "detach_ of a view": lambda lib, leaf: (leaf * 1)[0].detach_(),
    "another type": lambda lib, leaf: leaf.detach().long().add_(1.5),
    "a larger size": lambda lib, leaf: (leaf * 1)[0].add_(lib.ones(5, 3, dtype=lib.float64)),
    "requires_grad_ of a computed one": lambda lib, leaf: (leaf * 1).requires_grad_(False),
    "requires_grad_ of integers": lambda lib, leaf: leaf.long().requires_grad_(),
    "grad of another size": lambda lib, leaf: setattr(leaf, "grad", lib.ones(5, dtype=lib.float64)),
    "grad of another type": lambda lib, leaf: setattr(leaf, "grad", lib.ones(2, 3)),
    "grad of no type": lambda lib, leaf: setattr(leaf, "grad", 3),
    "itself as grad": lambda lib, leaf: setattr(leaf, "grad", leaf),
    "data of no type": lambda lib, leaf: setattr(leaf, "data", 3),
}


def saved(lib, leaf, compute, change_input, change_output=None):
    x = leaf * 1
    y = compute(x)
    change_input(x)
    if change_output:
        change_output(y)
    y.sum().backward()
    return leaf.grad


@pytest.mark.parametrize("case", REFUSED)
def test_refusals(case):
    def program(lib):
        leaf = lib.arange(6, dtype=lib.float64).reshape(2, 3).requires_grad_()
        outcome = run(lambda lib: REFUSED[case](lib, leaf), lib)
        return outcome, leaf, leaf._version, leaf.grad

    agree(program, strides=False)


def several(lib, base):
    class Halves(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x[:1], x[1:]

        @staticmethod
        def backward(ctx, first, second):
            return lib.cat([first, second])

    return Halves.apply(base)[0]


def made_under(mode):
    def view(lib, base):
        with getattr(lib, mode)():
            return base[:2]

    return view


# Views which cannot get a new history when their base is changed.
UNFOLLOWED = {
    "unbind": lambda lib, base: base.unbind()[0],
    "chunk": lambda lib, base: base.chunk(2)[0],
    "split": lambda lib, base: base.split(1)[1],
    "under no_grad": made_under("no_grad"),
    "in inference mode": made_under("inference_mode"),
    "of a function": several,
}


@pytest.mark.parametrize("use", ["grad_fn", "is_leaf", "requires_grad", "add"])
@pytest.mark.parametrize("requires", ["base", "factor"])
@pytest.mark.parametrize("case", UNFOLLOWED)
def test_the_base_of_a_view_that_cannot_be_followed_is_changed(case, requires, use):
    def program(lib):
        base = lib.ones(3, 2, requires_grad=requires == "base").clone()
        view = UNFOLLOWED[case](lib, base)
        base.mul_(lib.full((3, 2), 2.0, requires_grad=requires == "factor"))
        found = view + 1 if use == "add" else getattr(view, use)
        return found if isinstance(found, bool) else type(found).__name__

    agree(program)


def test_a_view_that_cannot_be_followed_is_printed():
    def program(lib):
        base = lib.ones(2, requires_grad=True).clone()
        view = base.unbind()[0]
        base.mul_(2)
        return repr(view)

    agree(program)
