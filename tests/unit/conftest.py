# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the tests are made random: the same examples on every run, unless a campaign asks for new ones, with VNET_EXAMPLES for so many."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.database import DirectoryBasedExampleDatabase

EXAMPLES = os.environ.get("VNET_EXAMPLES")

settings.register_profile("same", deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
settings.register_profile(
    "campaign",
    deadline=None,
    max_examples=int(EXAMPLES or 100),
    suppress_health_check=list(HealthCheck),
    database=DirectoryBasedExampleDatabase(".cache/hypothesis"),
)
settings.load_profile("campaign" if EXAMPLES or "VNET_NATS" in os.environ else "same")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "kernel: changes the network of a kernel's throwaway namespaces; needs root")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out, with the reason, what would wait for ever for a kernel that makes no mount namespaces (tools/mounts.py)."""
    problem = os.environ.get("VNET_NO_MOUNTS")
    for item in items if problem else ():
        if "kernel" in item.keywords or "lab" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.skip(reason=str(problem)))
