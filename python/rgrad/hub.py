"""Models and weights by their address, which are not fetched: rgrad makes no connections.

What lies in the folder that `get_dir` names is found.
"""

from __future__ import annotations

import os
import sys
from importlib.util import module_from_spec, spec_from_file_location
from urllib.parse import urlparse

import rgrad

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

__all__ = ["download_url_to_file", "get_dir", "help", "list", "load", "load_state_dict_from_url", "set_dir"]

_dir: str | None = None
_list = list


def get_dir() -> str:
    """The folder for what would be fetched: `$TORCH_HOME/hub`, unless `set_dir` named another."""
    home = os.environ.get("TORCH_HOME", os.path.join("~", ".cache", "torch"))
    return _dir or os.path.join(os.path.expanduser(home), "hub")


def set_dir(d: str) -> None:
    """Set the folder that `get_dir` gives."""
    global _dir
    _dir = os.path.expanduser(d)


def load_state_dict_from_url(
    url: str,
    model_dir: str | None = None,
    map_location: Any = None,
    progress: bool = True,
    check_hash: bool = False,
    file_name: str | None = None,
    weights_only: bool = False,
) -> dict[str, Any]:
    """Load what an address names, from a file of that name in `model_dir`, by default `get_dir()/checkpoints`.

    Raises:
        RuntimeError: there is no such file.
    """
    name = file_name or os.path.basename(urlparse(url).path)
    path = os.path.join(model_dir or os.path.join(get_dir(), "checkpoints"), name)
    if not os.path.exists(path):
        raise RuntimeError(f"load_state_dict_from_url(): nothing is fetched; put {url} into {path}")
    loaded: dict[str, Any] = rgrad.load(path, map_location=map_location, weights_only=weights_only)
    return loaded


def download_url_to_file(url: str, dst: str, hash_prefix: str | None = None, progress: bool = True) -> NoReturn:
    """Refused.

    Raises:
        RuntimeError: always.
    """
    raise RuntimeError(f"download_url_to_file(): rgrad makes no connections; put {url} into {dst}")


def load(repo_or_dir: str, model: str, *args: Any, source: str = "github", **kwargs: Any) -> Any:
    """Call the function `model` of `hubconf.py` in a folder.

    Raises:
        RuntimeError: `source` is not `"local"`.
    """
    for option in ("trust_repo", "force_reload", "verbose", "skip_validation"):
        kwargs.pop(option, None)
    return getattr(_configuration(repo_or_dir, source), model)(*args, **kwargs)


def list(github: str, *arguments: Any, source: str = "github", **options: Any) -> Any:
    """The names of the functions in `hubconf.py` of a folder."""
    found = vars(_configuration(github, source)).items()
    return [name for name, value in found if callable(value) and not name.startswith("_")]


def help(github: str, model: str, *arguments: Any, source: str = "github", **options: Any) -> str | None:
    """The documentation of a function in `hubconf.py` of a folder."""
    documentation: str | None = getattr(_configuration(github, source), model).__doc__
    return documentation


def _configuration(folder: str, source: str) -> Any:
    if source != "local":
        raise RuntimeError(f"hub: {folder} is not fetched; pass a folder and source='local'")
    path = os.path.join(os.path.expanduser(folder), "hubconf.py")
    spec = spec_from_file_location("hubconf", path)
    if spec is None or spec.loader is None:
        raise RuntimeError(f"hub: there is no {path}")
    module = module_from_spec(spec)
    sys.path.insert(0, os.path.dirname(path))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.pop(0)
    return module
