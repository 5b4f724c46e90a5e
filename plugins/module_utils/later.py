# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""Parts that most tasks don't need, loaded when something of them is first used.

Starting is most of what a small task costs: its sources come in an archive without bytecode, and each has to be compiled.
"""

from __future__ import annotations

import importlib
from typing import Any

_announced: list[str] = []


class Later:
    """Stands for a module of this package until something of it is used.

    The module is imported by name beside it for type checkers, by which Ansible finds out, too, what goes into a payload.
    """

    def __init__(self, name: str) -> None:
        self._name = f"{__package__}.{name}"
        _announced.append(self._name)

    def __getattr__(self, attribute: str) -> Any:
        return getattr(importlib.import_module(self._name), attribute)


def load_all() -> None:
    """Load them now: for who goes on when the archive is gone."""
    for name in _announced:  # which grows meanwhile
        importlib.import_module(name)
