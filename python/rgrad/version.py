"""The versions of the package and of the interface that it follows; and of what it does not use.

`rgrad.__version__` is read by programs that ask whether PyTorch is new enough for them: it begins with the version of
PyTorch that this package follows. The package's own version is what its metadata say.
"""

from __future__ import annotations

from rgrad.torch_version import TorchVersion

__all__ = ["__version__", "cuda", "debug", "git_version", "hip", "rgrad_version", "xpu"]

rgrad_version = "0.1.0"
__version__ = TorchVersion(f"2.13.0+rgrad.{rgrad_version}")
debug = False
cuda: str | None = None
git_version: str | None = None
hip: str | None = None
xpu: str | None = None
