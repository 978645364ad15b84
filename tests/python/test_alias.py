"""rgrad under another name in `sys.modules`: one set of modules, whichever name they are imported by."""

import subprocess
import sys
import textwrap

import pytest


def run(program):
    """The program in an interpreter of its own: `sys.modules` is changed there."""
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


HEAD = """
import sys
import rgrad
sys.modules["torch"] = rgrad
"""


@pytest.mark.parametrize(
    "program",
    [
        "import torch.nn.functional as F, rgrad.nn.functional as G; assert F is G",
        "import rgrad.nn.functional as G; import torch.nn.functional as F; assert F is G",
        "from torch.nn.functional import relu; assert relu is rgrad.nn.functional.relu",
        "import torch.autograd; assert sys.modules['torch.autograd'] is rgrad.autograd; assert torch is rgrad",
        "from torch.autograd import Function; assert Function is rgrad.autograd.Function",
        "from torch import nn, optim; assert nn is rgrad.nn and optim is rgrad.optim",
        "from torch.nn import Module; from rgrad.nn import Module as M; assert Module is M",
        "import torch.nn as nn; import torch.optim as optim; assert nn is rgrad.nn; assert optim is rgrad.optim",
        "from torch.utils.checkpoint import checkpoint; import rgrad.utils.checkpoint as c; "
        "assert c.checkpoint is checkpoint",
        "from torch.nn.parameter import Parameter; assert Parameter is rgrad.nn.Parameter",
        "import torch; assert isinstance(torch.nn.Linear(2, 3).weight, rgrad.nn.Parameter)",
        "import torch.nn.modules.linear; assert rgrad.nn.__name__ == 'rgrad.nn'",
        "import torch.overrides; assert torch.overrides.TorchFunctionMode is rgrad.overrides.TorchFunctionMode",
        "import torch._C; assert torch._C.DisableTorchFunctionSubclass",
    ],
)
def test_imports_give_the_same_modules(program):
    run(HEAD + program)


def test_modules_keep_their_own_specifications():
    run(
        HEAD
        + """
import torch.nn.functional
import importlib, torch.nn.init
for name in ("nn", "nn.functional", "nn.init"):
    module = sys.modules[f"torch.{name}"]
    assert module is sys.modules[f"rgrad.{name}"]
    assert module.__spec__.name == module.__name__ == f"rgrad.{name}", module.__spec__
"""
    )


def test_what_is_missing_is_missed_under_its_name():
    run(
        HEAD
        + """
try:
    import torch.there_is_none
except ModuleNotFoundError as error:
    assert error.name == "torch.there_is_none", error.name
else:
    raise AssertionError
"""
    )


def test_pickles_of_both_spellings():
    run(
        HEAD
        + """
import pickle
from torch.nn import Linear
layer = Linear(2, 3)
data = pickle.dumps(layer, 0)
assert type(pickle.loads(data)) is Linear
renamed = data.replace(b"crgrad.", b"ctorch.").replace(b"crgrad\\n", b"ctorch\\n")
assert renamed != data
again = pickle.loads(renamed)
assert type(again) is Linear and type(again.weight) is rgrad.nn.Parameter
"""
    )


def test_rgrad_as_torch_in_one_file():
    run(
        """
        import rgrad as torch
        from rgrad.nn import Linear
        from rgrad.nn.functional import relu
        assert torch.nn.Linear is Linear and torch.nn.functional.relu is relu
        import sys
        assert "torch" not in sys.modules
        """
    )


def test_other_names_are_left_alone():
    run(
        """
        import sys
        import rgrad
        from rgrad._alias import AliasFinder
        assert sys.meta_path.count(AliasFinder) == 1
        assert AliasFinder.find_spec("json") is None
        assert AliasFinder.find_spec("json.decoder") is None
        assert AliasFinder.find_spec("rgrad.nn") is None
        assert AliasFinder.find_spec("torch.nn") is None
        import json.tool, email.mime.text, rgrad.nn.init
        assert email.mime.text.__spec__.name == "email.mime.text"
        """
    )


def test_any_alias():
    run(
        """
        import sys
        import rgrad
        sys.modules["engine"] = rgrad
        sys.modules["layers"] = rgrad.nn
        import engine.nn.functional, layers.functional
        assert engine.nn.functional is rgrad.nn.functional
        assert sys.modules["layers.functional"] is rgrad.nn.functional
        """
    )
