"""Saving and loading the state of modules, beside torch."""

from __future__ import annotations

import pytest

from oracle import agree, run


def network(library):
    """Layers of known values with persistent and other buffers."""
    nn = library.nn
    root = nn.Module()
    root.first = nn.Linear(2, 3)
    root.second = nn.Sequential(nn.ReLU(), nn.Linear(3, 1, bias=False))
    root.scale = nn.Parameter(library.tensor(2.0))
    root.register_buffer("mean", library.tensor([1.0, 2.0]))
    root.register_buffer("cache", library.tensor([5.0]), persistent=False)
    root.register_buffer("none", None)
    with library.no_grad():
        for number, parameter in enumerate(root.parameters()):
            parameter.copy_(library.arange(parameter.numel()).reshape(parameter.shape) + number)
    return root


def entries(state):
    return dict(state), type(state).__name__


def test_saving():
    agree(lambda library: entries(network(library).state_dict()))


@pytest.mark.parametrize("options", [{"prefix": "net."}, {"keep_vars": True}, {"destination": {}, "prefix": "a."}])
def test_saving_with_options(options):
    agree(lambda library: entries(network(library).state_dict(**options)), graph=True)


def test_positional_options_are_deprecated():
    def program(library):
        return dict(network(library).state_dict({"kept": 1}, "net.", True))

    agree(program)


def test_the_versions_are_saved():
    def program(library):
        class Versioned(library.nn.Module):
            _version = 3

        root = network(library)
        root.versioned = Versioned()
        return {name: dict(metadata) for name, metadata in root.state_dict()._metadata.items()}

    agree(program)


def test_the_saved_tensors_share_storage():
    def program(library):
        root = network(library)
        state = root.state_dict()
        with library.no_grad():
            root.scale.fill_(9)
        return state["scale"], state["scale"] is root.scale, root.state_dict(keep_vars=True)["scale"] is root.scale

    agree(program)


def test_loading():
    def program(library):
        source, target = network(library), network(library)
        with library.no_grad():
            for parameter in target.parameters():
                parameter.zero_()
        weight = target.first.weight
        result = target.load_state_dict(source.state_dict())
        return str(result), list(result), dict(target.state_dict()), weight is target.first.weight

    agree(program)


CHANGES = {
    "nothing": lambda library, state: None,
    "missing": lambda library, state: state.pop("first.bias"),
    "unexpected": lambda library, state: state.update(
        {"first.extra": library.ones(1), "other.weight": library.ones(1)}
    ),
    "another shape": lambda library, state: state.update({"first.weight": library.ones(2, 2)}),
    "no tensor": lambda library, state: state.update({"first.weight": 3}),
    "another dtype": lambda library, state: state.update({"mean": library.tensor([3.0, 4.0], dtype=library.float64)}),
    "a scalar as a vector": lambda library, state: state.update({"scale": library.tensor([7.0])}),
    "a buffer that is not saved": lambda library, state: state.update({"cache": library.tensor([7.0])}),
    "extra state": lambda library, state: state.update({"_extra_state": 3}),
    "several": lambda library, state: (state.pop("mean"), state.update({"x": 1, "scale": library.ones(2, 2)})),
}


@pytest.mark.parametrize("assign", [False, True])
@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("change", CHANGES)
def test_loading_what_does_not_fit(change, strict, assign):
    def program(library):
        state = network(library).state_dict()
        CHANGES[change](library, state)
        target = network(library)
        result = run(lambda library: list(target.load_state_dict(state, strict=strict, assign=assign)), library)
        return result, dict(target.state_dict())

    agree(program)


@pytest.mark.parametrize("state", [3, [("a", 1)], None])
def test_only_mappings_are_loaded(state):
    agree(lambda library: network(library).load_state_dict(state))


def test_the_error_names_each_reason():
    import rgrad

    state = network(rgrad).state_dict()
    del state["mean"]
    state["other"] = rgrad.ones(1)
    state["first.weight"] = rgrad.ones(2, 2)
    with pytest.raises(RuntimeError) as caught:
        network(rgrad).load_state_dict(state)
    for part in ("missing: 'mean'", "unexpected: 'other'", "first.weight", "(2, 2)", "(3, 2)"):
        assert part in str(caught.value)


def test_assigning_replaces_the_tensors():
    def program(library):
        source, target = network(library), network(library)
        target.first.weight.requires_grad_(False)
        state = source.state_dict()
        weight = target.first.weight
        target.load_state_dict(state, assign=True)
        with library.no_grad():
            state["first.weight"].fill_(8)
        again = network(library)
        kept = again.first.weight
        again.load_state_dict(source.state_dict())
        return (
            weight is target.first.weight,
            target.first.weight,
            type(target.first.weight).__name__,
            target.mean is state["mean"],
            kept is again.first.weight,
        )

    agree(program)


def test_loading_an_empty_module():
    agree(lambda library: str(library.nn.ReLU().load_state_dict({})))


def test_extra_state():
    def program(library):
        class Counting(library.nn.Linear):
            count = 3

            def get_extra_state(self):
                return {"count": self.count}

            def set_extra_state(self, state):
                self.count = state["count"]

        source, target = library.nn.Sequential(Counting(1, 1)), library.nn.Sequential(Counting(1, 1))
        source[0].count = 5
        state = source.state_dict()
        target.load_state_dict(state)
        names = list(state)
        del state["0._extra_state"]
        missing = target.load_state_dict(state, strict=False)
        return names, target[0].count, list(missing)

    agree(program)


def test_extra_state_has_to_be_defined():
    agree(lambda library: library.nn.Module().get_extra_state())
    agree(lambda library: library.nn.Module().set_extra_state(3))


def test_loading_may_be_overridden():
    def program(library):
        class Renamed(library.nn.Linear):
            def _load_from_state_dict(self, state_dict, prefix, local_metadata, *others):
                versions.append(local_metadata.get("version"))
                state_dict[prefix + "weight"] = state_dict.pop(prefix + "kernel")
                super()._load_from_state_dict(state_dict, prefix, local_metadata, *others)

        versions = []
        layer = library.nn.Sequential(Renamed(1, 1, bias=False))
        state = layer.state_dict()
        state["0.kernel"] = state.pop("0.weight") * 0 + 4
        result = layer.load_state_dict(state)
        return list(result), versions, layer[0].weight

    agree(program)


def test_hooks_of_saving():
    def program(library):
        calls = []
        root = network(library)

        def before(module, prefix, keep_vars):
            calls.append(("before", type(module).__name__, prefix, keep_vars))

        def after(module, state_dict, prefix, local_metadata):
            calls.append(("after", type(module).__name__, prefix, local_metadata["version"], len(state_dict)))
            state_dict[prefix + "added"] = 1

        first = root.first.register_state_dict_pre_hook(before)
        root.first.register_state_dict_post_hook(after)
        root._register_state_dict_hook(lambda module, state_dict, prefix, metadata: {"only": len(state_dict)})
        state = dict(root.state_dict(prefix="p."))
        first.remove()
        root.first.state_dict()
        root.second.register_state_dict_post_hook(lambda *arguments: 3)
        return calls, state, run(lambda library: root.second.state_dict(), library)

    agree(program)


def test_hooks_of_loading():
    def program(library):
        calls = []
        root = network(library)

        def before(module, state_dict, prefix, local_metadata, strict, missing, unexpected, errors):
            calls.append(("before", type(module).__name__, prefix, strict, len(missing), len(unexpected)))
            state_dict[prefix + "weight"] = state_dict.pop(prefix + "weight") * 2

        def without_module(state_dict, prefix, local_metadata, strict, missing, unexpected, errors):
            calls.append(("without module", prefix, local_metadata.get("version")))

        def after(module, incompatible):
            calls.append(("after", type(module).__name__, list(incompatible.missing_keys)))
            incompatible.missing_keys.clear()

        root.first.register_load_state_dict_pre_hook(before)
        root.first._register_load_state_dict_pre_hook(without_module)
        handle = root.register_load_state_dict_post_hook(after)
        state = network(library).state_dict()
        del state["mean"]
        result = root.load_state_dict(state)
        handle.remove()
        root.register_load_state_dict_post_hook(lambda module, incompatible: 3)
        return calls, list(result), root.first.weight, run(lambda library: root.load_state_dict(state), library)

    agree(program)
