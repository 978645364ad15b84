"""Finding the operation whose backward fails: its forward call is shown, and gradients that are nan are errors."""

from __future__ import annotations

import warnings

from .. import _rgrad

__all__ = ["detect_anomaly", "set_detect_anomaly"]


class detect_anomaly:  # noqa: N801
    """A context in which each operation keeps the stack of its call.

    If its backward then fails, a warning shows that stack. With `check_nan`, a gradient that contains nan is a
    RuntimeError that names the operation. For debugging: keeping stacks is slow, of which a UserWarning reminds.
    """

    def __init__(self, check_nan: bool = True) -> None:
        self.check_nan = check_nan
        self.prev, self.prev_check_nan = _rgrad._anomaly()
        warnings.warn("anomaly detection slows everything down: it is for debugging only", stacklevel=2)

    def __enter__(self) -> None:
        _rgrad._set_anomaly(True, self.check_nan)

    def __exit__(self, *failure: object) -> None:
        _rgrad._set_anomaly(self.prev, self.prev_check_nan)


class set_detect_anomaly:  # noqa: N801
    """Switches `detect_anomaly` on or off from now on; as a context manager, until its end."""

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self.prev, self.prev_check_nan = _rgrad._anomaly()
        _rgrad._set_anomaly(mode, check_nan)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *failure: object) -> None:
        _rgrad._set_anomaly(self.prev, self.prev_check_nan)


def is_anomaly_enabled() -> bool:
    """Whether `detect_anomaly` is on."""
    return _rgrad._anomaly()[0]


def is_anomaly_check_nan_enabled() -> bool:
    """Whether gradients that are nan are errors while `detect_anomaly` is on."""
    return _rgrad._anomaly()[1]
