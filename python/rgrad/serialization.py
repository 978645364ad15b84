"""`save` and `load`: tensors, and what holds them, as a file of the safetensors format.

A file of that format has tensors by name, and text. The text says how the tensors were held, as JSON: see `_Writer`.
What is not made of data alone, such as a module, becomes a pickle: see `_pickled`.
"""

from __future__ import annotations

import json
import os
import pickle
from base64 import b64decode, b64encode
from collections import Counter, OrderedDict
from typing import TypeAlias

import rgrad
from rgrad._pickled import (
    HEAD,
    add_safe_globals,
    clear_safe_globals,
    get_safe_globals,
    pickled,
    safe_globals,
    unpickled,
)
from rgrad._rgrad import Tensor, _read_safetensors, _rebuild, _write_safetensors
from rgrad._size import Size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rgrad._rgrad import dtype

#: What `map_location` may be: of the places that it can name, the CPU's is the only one.
MAP_LOCATION: TypeAlias = "Callable[[Any, str], Any] | rgrad.device | str | dict[str, str] | None"

__all__ = ["add_safe_globals", "clear_safe_globals", "get_safe_globals", "load", "safe_globals", "save"]

#: The key of the text that says how the tensors were held.
_KEY = "rgrad"

_DTYPES = {
    "bool": "BOOL",
    "uint8": "U8",
    "int8": "I8",
    "int16": "I16",
    "uint16": "U16",
    "int32": "I32",
    "uint32": "U32",
    "int64": "I64",
    "uint64": "U64",
    "float16": "F16",
    "bfloat16": "BF16",
    "float32": "F32",
    "float64": "F64",
    "complex64": "C64",
}

#: The collections that are kept as what they are, by their name in a file.
_COLLECTIONS: dict[str, Any] = {"tuple": tuple, "set": set, "frozenset": frozenset, "size": Size}
_MAPPINGS: dict[str, Any] = {"dict": dict, "ordered": OrderedDict, "counter": Counter}


def save(
    obj: Any,
    f: Any,
    pickle_module: Any = None,
    pickle_protocol: int = 2,
    _use_new_zipfile_serialization: bool = True,
) -> None:
    """Write tensors, and numbers, text, lists, tuples, sets and dictionaries around them, to a file.

    The file is in the safetensors format, which other programs read, not in PyTorch's own: that is a pickle, which runs
    code when it is loaded. A dictionary of tensors by name is there under these names. Other objects, such as modules,
    do become a pickle, which `load` reads only if it is told to trust the file.

    Args:
        obj: what to write. Of a module, better its `state_dict()`.
        f: the path of the file, or a file object that takes bytes.
        pickle_module: accepted; Python's `pickle` is used.
        pickle_protocol: that of a pickle, at least 4.

    Raises:
        TypeError: something in `obj` is neither data nor can be pickled; nothing is written then.
    """
    writer = _Writer()
    try:
        shape = json.dumps(writer.packed(obj, ()), separators=(",", ":"))
        data = _write_safetensors(writer.tensors, {_KEY: shape})
    except TypeError as no_data:
        try:
            data = pickled(obj, pickle_protocol)
        except (AttributeError, TypeError, pickle.PicklingError):
            raise no_data from None
    if hasattr(f, "write"):
        f.write(data)
        return
    with open(os.fspath(f), "wb") as file:
        file.write(data)


def load(
    f: Any,
    map_location: Any = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
    **pickle_load_args: Any,
) -> Any:
    """Read what `save` wrote, or the tensors by name of any other safetensors file.

    Args:
        f: the path of the file, or a file object that gives bytes.
        map_location: where the tensors are to be; a function is accepted, as all are on the CPU.
        pickle_module: accepted; Python's `pickle` is used.
        weights_only: `False` to trust the file, if it holds a pickle of `save` with more than data.
        mmap: accepted; the file is read.

    Raises:
        RuntimeError: the file is not of the safetensors format, or `map_location` names another device than the CPU.
        pickle.UnpicklingError: the file holds a pickle with more than data, and is not trusted.
        FileNotFoundError: there is no such file.
    """
    if isinstance(map_location, (str, rgrad.device)) and rgrad.device(map_location).type != "cpu":
        raise RuntimeError(f"load(): device '{map_location}' is not available: rgrad computes on the CPU")
    if hasattr(f, "read"):
        data = f.read()
    else:
        with open(os.fspath(f), "rb") as file:
            data = file.read()
    if data.startswith(HEAD):
        return unpickled(data, weights_only is not False)
    _require_format(data)
    try:
        entries, text = _read_safetensors(data)
    except ValueError as error:
        raise RuntimeError(f"load(): this is not a file of the safetensors format: {error}") from None
    tensors = {name: _tensor(name, kind, sizes, content) for name, kind, sizes, content in entries}
    if _KEY not in text:
        return tensors
    return _Reader(tensors).unpacked(json.loads(text[_KEY]))


def _require_format(data: bytes) -> None:
    """Raise `RuntimeError` for PyTorch's own files, which is better said than that a header is too long."""
    # A header begins with a brace, after its length.
    if data[:4] == b"PK\x03\x04" or (data[:1] == b"\x80" and data[8:9] != b"{"):
        raise RuntimeError(
            "load(): this file is in PyTorch's own format, a pickle, which can run any code and is not read here; "
            "write its tensors with safetensors.torch.save_file, in a program with PyTorch, and load that file"
        )


def _tensor(name: str, kind: str, sizes: list[int], content: bytes) -> Tensor:
    made: dtype | None = next(
        (getattr(rgrad, own, None) for own, theirs in _DTYPES.items() if theirs == kind),
        None,
    )
    if made is None:
        raise RuntimeError(f"load(): tensor {name!r} is of dtype {kind}, which rgrad has not")
    return _rebuild(Tensor, content, made, sizes, False)


class _Writer:
    """Turns objects into JSON, and collects the tensors.

    None, truths, integers and text stand for themselves, arrays for lists, and objects of one key, or with options
    beside it, for all else: `{"tensor": name}`, `{"tuple": [...]}`, `{"dict": [[key, value], ...]}`.
    """

    def __init__(self) -> None:
        self.tensors: list[tuple[str, str, tuple[int, ...], bytes]] = []
        self.names: dict[int, str] = {}
        self.taken: set[str] = set()

    def packed(self, value: Any, path: tuple[str, ...]) -> Any:
        """The JSON of a value found at a path."""
        if value is None or type(value) in (bool, int, str):
            return value
        if isinstance(value, Tensor):
            return self.packed_tensor(value, path)
        if type(value) is list:
            return [self.packed(entry, (*path, str(i))) for i, entry in enumerate(value)]
        for name, kind in _COLLECTIONS.items():
            if type(value) is kind:
                return {name: [self.packed(entry, (*path, str(i))) for i, entry in enumerate(value)]}
        for name, kind in _MAPPINGS.items():
            if type(value) is kind:
                return {
                    name: [
                        [self.packed(key, path), self.packed(entry, (*path, str(key)))] for key, entry in value.items()
                    ],
                    **self.packed_attributes(value, path),
                }
        if type(value) is float:
            return {"float": repr(value)}
        if type(value) is complex:
            return {"complex": [repr(value.real), repr(value.imag)]}
        if type(value) is bytes:
            return {"bytes": b64encode(value).decode("ascii")}
        if isinstance(value, rgrad.dtype):
            return {"dtype": str(value).rpartition(".")[2]}
        if isinstance(value, rgrad.device):
            return {"device": str(value)}
        where = ".".join(path) or "the object"
        hint = "; save its state_dict()" if hasattr(value, "state_dict") else ""
        raise TypeError(
            f"save(): {where} is a {type(value).__name__}, but tensors, numbers, text, lists, tuples, sets and "
            f"dictionaries are saved{hint}"
        )

    def packed_attributes(self, value: Any, path: tuple[str, ...]) -> dict[str, Any]:
        """Attributes of a mapping, as the `_metadata` of a module's state."""
        attributes = getattr(value, "__dict__", None)
        return {"attributes": self.packed(dict(attributes), path)} if attributes else {}

    def packed_tensor(self, tensor: Tensor, path: tuple[str, ...]) -> dict[str, Any]:
        """The JSON of a tensor, which is written once even if it is found again."""
        name = self.names.get(id(tensor))
        if name is None:
            name = base = ".".join(path) or "tensor"
            number = 1
            while name in self.taken:
                number += 1
                name = f"{base}#{number}"
            self.taken.add(name)
            self.names[id(tensor)] = name
            kind = str(tensor.dtype).rpartition(".")[2]
            _, (_, content, *_) = Tensor.__reduce_ex__(tensor.detach().as_subclass(Tensor), 2)[:2]
            self.tensors.append((name, _DTYPES.get(kind, kind), tuple(tensor.shape), content))
        packed: dict[str, Any] = {"tensor": name}
        if tensor.requires_grad:
            packed["requires_grad"] = True
        if _is_parameter(tensor):
            packed["parameter"] = True
        return packed


class _Reader:
    """Turns the JSON of a `_Writer` back into objects."""

    def __init__(self, tensors: dict[str, Tensor]) -> None:
        self.tensors = tensors
        self.made: dict[str, Tensor] = {}

    def unpacked(self, value: Any) -> Any:
        """The value of some JSON."""
        if isinstance(value, list):
            return [self.unpacked(entry) for entry in value]
        if not isinstance(value, dict):
            return value
        kind, content = next(iter(value.items()))
        if kind == "tensor":
            return self.unpacked_tensor(content, value)
        if kind in _COLLECTIONS:
            return _COLLECTIONS[kind](self.unpacked(content))
        if kind in _MAPPINGS:
            # Filled afterwards: a `Counter` would count the pairs.
            mapping = _MAPPINGS[kind]()
            for key, entry in content:
                mapping[self.unpacked(key)] = self.unpacked(entry)
            if "attributes" in value:
                mapping.__dict__.update(self.unpacked(value["attributes"]))
            return mapping
        if kind == "float":
            return float(content)
        if kind == "complex":
            return complex(*map(float, content))
        if kind == "bytes":
            return b64decode(content)
        if kind == "dtype":
            return getattr(rgrad, content)
        if kind == "device":
            return rgrad.device(content)
        raise RuntimeError(f"load(): the file holds a {kind!r}, which this version does not know")

    def unpacked_tensor(self, name: str, options: dict[str, Any]) -> Tensor:
        """A tensor by its name, the same one each time."""
        if name not in self.made:
            tensor = self.tensors[name]
            if options.get("parameter"):
                from rgrad.nn import Parameter

                tensor = Parameter(tensor, requires_grad=options.get("requires_grad", False))
            elif options.get("requires_grad"):
                tensor.requires_grad_()
            self.made[name] = tensor
        return self.made[name]


def _is_parameter(tensor: Tensor) -> bool:
    if type(tensor) is Tensor:
        return False
    from rgrad.nn import Parameter

    return isinstance(tensor, Parameter)
