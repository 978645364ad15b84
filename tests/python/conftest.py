"""Marks the tests that are listed in pending.py, and has random programs drawn the same way in every run."""

from __future__ import annotations

import pytest
from hypothesis import settings

from pending import reason_of

# `pytest --hypothesis-profile=search` draws others.
settings.register_profile("steady", derandomize=True)
settings.register_profile("search", derandomize=False)
settings.load_profile("steady")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        reason = reason_of(item.nodeid)
        if reason is not None:
            item.add_marker(pytest.mark.xfail(reason=reason, strict=True))
