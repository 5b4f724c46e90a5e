# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sooner from the task to the host: what Ansible does before a module runs."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ansible.plugins.action.normal import ActionModule as NormalAction

from . import packed


class PackedAction(NormalAction):  # type: ignore[misc]  # Ansible comes without types
    """The module as any other, in the form that an earlier run packed, or packed while Python's garbage collector rests.

    Ansible parses each source that goes along, some hundred and sixty, to find what that imports. Their syntax trees are so many objects that
    the collector would walk all that Ansible has in memory again and again: a third of the packing. Afterwards it is told to leave them where they
    are, as the first thing that it did would be to take them apart, for a tenth of a second: Ansible's worker ends with the task, and packs a
    module once in a run. 35 MB wait for that.
    """

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """The module's result. Raises what Ansible's own action raises."""
        with packed.kept(self._task.action.rpartition(".")[2]), resting():
            return dict(super().run(tmp, task_vars))


@contextmanager
def resting() -> Iterator[None]:
    """Without the garbage collector."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.freeze()
            gc.enable()
