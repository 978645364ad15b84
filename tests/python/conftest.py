"""Marks the tests that are listed in pending.py."""

from __future__ import annotations

import pytest

from pending import reason_of


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        reason = reason_of(item.nodeid)
        if reason is not None:
            item.add_marker(pytest.mark.xfail(reason=reason, strict=True))
