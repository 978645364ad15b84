"""`save` and `load`: what comes back, from which files, and what is refused."""

from __future__ import annotations

import io
import json
import pickle
from collections import Counter, OrderedDict, namedtuple

import numpy as np
import pytest

import rgrad
from oracle import raises, same, torch

Pair = namedtuple("Pair", "first second")


def again(value):
    buffer = io.BytesIO()
    rgrad.save(value, buffer)
    buffer.seek(0)
    return rgrad.load(buffer)


VALUES = {
    "tensor": lambda: rgrad.arange(6).reshape(2, 3),
    "every dtype": lambda: [
        rgrad.ones(2).to(getattr(rgrad, d)) for d in "bool uint8 int32 int64 float32 float64".split()
    ],
    "layouts": lambda: [
        rgrad.arange(6.0).reshape(2, 3).t(),
        rgrad.arange(9.0)[::2],
        rgrad.ones(0, 3),
        rgrad.tensor(2.5),
    ],
    "numbers": lambda: [1, 2.5, float("inf"), True, None, 1 + 2j, "text", b"\x00\xff", 10**30, -0.0],
    "collections": lambda: {"a": [1, (2, {3})], 5: OrderedDict(b=1, a=2), (1, 2): frozenset({4}), "c": Counter("aab")},
    "sizes and dtypes": lambda: [rgrad.Size([1, 2]), rgrad.float64, rgrad.device("cpu")],
    "names that meet": lambda: {"a.b": rgrad.ones(1), "a": {"b": rgrad.zeros(1)}},
    "empty": lambda: {},
}


@pytest.mark.parametrize("name", VALUES)
def test_values_come_back(name):
    value = VALUES[name]()
    found = again(value)
    assert type(found) is type(value)
    assert repr(found) == repr(value)


def test_gradients_and_parameters():
    model = rgrad.nn.Linear(2, 3)
    weight, leaf = again([model.weight, rgrad.ones(2, requires_grad=True)])
    assert type(weight) is rgrad.nn.Parameter and weight.requires_grad and rgrad.equal(weight, model.weight)
    assert leaf.requires_grad and leaf.is_leaf


def test_one_tensor_stays_one():
    tensor = rgrad.ones(3)
    first, second = again([tensor, tensor])
    assert first is second
    assert again({"x": rgrad.ones(2), "y": rgrad.ones(2)})["x"] is not None


def test_training_goes_on():
    def program(stop):
        rgrad.manual_seed(1)
        model = rgrad.nn.Sequential(rgrad.nn.Linear(3, 4), rgrad.nn.Tanh(), rgrad.nn.Linear(4, 1))
        optimizer = rgrad.optim.Adam(model.parameters(), lr=0.05)
        scheduler = rgrad.optim.lr_scheduler.MultiStepLR(optimizer, [2, 4])
        for step in range(6):
            if step == stop:
                state = again(
                    {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "s": scheduler.state_dict()}
                )
                model = rgrad.nn.Sequential(rgrad.nn.Linear(3, 4), rgrad.nn.Tanh(), rgrad.nn.Linear(4, 1))
                optimizer = rgrad.optim.Adam(model.parameters())
                scheduler = rgrad.optim.lr_scheduler.MultiStepLR(optimizer, [7])
                model.load_state_dict(state["model"])
                optimizer.load_state_dict(state["optimizer"])
                scheduler.load_state_dict(state["s"])
            optimizer.zero_grad()
            model(rgrad.ones(2, 3)).pow(2).sum().backward()
            optimizer.step()
            scheduler.step()
        return [p.detach() for p in model.parameters()]

    for ours, theirs in zip(program(3), program(None)):
        assert rgrad.equal(ours, theirs)


def test_a_state_keeps_its_metadata():
    state = rgrad.nn.Linear(2, 2).state_dict()
    found = again(state)
    assert type(found) is OrderedDict and list(found) == list(state)
    assert getattr(found, "_metadata", None) == getattr(state, "_metadata", None)


@pytest.mark.parametrize("options", [{}, {"map_location": "cpu"}, {"weights_only": True}, {"mmap": True}], ids=str)
def test_paths(tmp_path, options):
    path = tmp_path / "state.safetensors"
    rgrad.save({"x": rgrad.ones(2)}, path)
    assert rgrad.load(str(path), **options)["x"].tolist() == [1.0, 1.0]
    assert rgrad.load(path, map_location=lambda storage, location: storage)["x"].tolist() == [1.0, 1.0]


def test_files_of_safetensors():
    """Both ways, with the library that torch's users have."""
    library = pytest.importorskip("safetensors.torch")
    tensors = {"b": torch.arange(4), "a.weight": torch.rand(2, 3), "flag": torch.tensor([True, False])}
    found = rgrad.load(io.BytesIO(library.save(tensors)))
    assert set(found) == set(tensors)
    for name, tensor in tensors.items():
        same(found[name], tensor)
    buffer = io.BytesIO()
    rgrad.save({"weight": rgrad.ones(2, 3), "count": rgrad.tensor(4)}, buffer)
    theirs = library.load(buffer.getvalue())
    assert theirs["weight"].shape == (2, 3) and theirs["count"].item() == 4


def test_the_header_is_readable():
    buffer = io.BytesIO()
    rgrad.save({"weight": rgrad.ones(2)}, buffer)
    data = buffer.getvalue()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    assert header["weight"] == {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    np.testing.assert_array_equal(np.frombuffer(data[-8:], np.float32), [1.0, 1.0])


def test_what_is_not_saved(tmp_path):
    for value in (object(), rgrad.nn.Linear(1, 1), {"deep": [Pair(1, 2)]}, lambda: 0):
        path = tmp_path / "file"
        with pytest.raises(TypeError, match="save()"):
            rgrad.save(value, path)
        assert not path.exists()
    with pytest.raises(TypeError, match=r"state_dict\(\)"):
        rgrad.save(rgrad.nn.Linear(1, 1), io.BytesIO())
    with pytest.raises(TypeError, match=r"deep\.0"):
        rgrad.save({"deep": [Pair(1, 2)]}, io.BytesIO())


def test_files_that_are_not_loaded():
    archive = io.BytesIO()
    torch.save({"x": torch.ones(2)}, archive)
    for data in (archive.getvalue(), pickle.dumps([1, 2])):
        with pytest.raises(RuntimeError, match="PyTorch's own format"):
            rgrad.load(io.BytesIO(data))
    good = io.BytesIO()
    rgrad.save({"x": rgrad.ones(20)}, good)
    for data in (b"", b"garbage", b"\x08" + bytes(20), good.getvalue()[:-3]):
        with pytest.raises(RuntimeError, match="safetensors"):
            rgrad.load(io.BytesIO(data))


def test_no_such_file_or_device(tmp_path):
    raises(lambda lib: lib.load(tmp_path / "nothing"))
    rgrad.save({}, tmp_path / "empty")
    with pytest.raises(RuntimeError):
        rgrad.load(tmp_path / "empty", map_location="cuda")
