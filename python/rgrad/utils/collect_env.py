"""A description of the machine and the versions in use, for reports of errors."""

from __future__ import annotations

import platform

import rgrad
from rgrad.version import rgrad_version

__all__ = ["get_pretty_env_info", "main"]


def get_pretty_env_info() -> str:
    """One line for each of: rgrad, the version of PyTorch that it follows, Python, the system, threads."""
    rows = {
        "rgrad": rgrad_version,
        "Follows PyTorch": rgrad.__version__,
        "Python": platform.python_version(),
        "System": platform.platform(),
        "Processor": platform.processor() or platform.machine(),
        "Threads": rgrad.get_num_threads(),
    }
    return "\n".join(f"{name}: {value}" for name, value in rows.items())


def main() -> None:
    """Print the description."""
    print(get_pretty_env_info())


if __name__ == "__main__":
    main()
