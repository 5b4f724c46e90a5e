# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the tests are made random: the same examples on every run, unless VNET_EXAMPLES asks for so many new ones."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, settings
from hypothesis.database import DirectoryBasedExampleDatabase

if TYPE_CHECKING:
    import pytest

EXAMPLES = os.environ.get("VNET_EXAMPLES")

settings.register_profile("same", deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
settings.register_profile(
    "campaign",
    deadline=None,
    max_examples=int(EXAMPLES or 100),
    suppress_health_check=list(HealthCheck),
    database=DirectoryBasedExampleDatabase(".cache/hypothesis"),
)
settings.load_profile("campaign" if EXAMPLES else "same")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "kernel: changes the network of a kernel's throwaway namespaces; needs root")
