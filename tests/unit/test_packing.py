# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules are packed while the garbage collector rests, which is as it was afterwards, but for what was made meanwhile."""

from __future__ import annotations

import gc
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.linuxnet.vnet.plugins.plugin_utils import packing


class Unbound(packing.PackedAction):
    """The action without the task, connection and loaders that Ansible would give it."""

    def __init__(self) -> None:
        self._task = SimpleNamespace(action="linuxnet.vnet.vnet_x")


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("fails", [True, False])
def test_the_collector_rests_meanwhile(monkeypatch: pytest.MonkeyPatch, enabled: bool, fails: bool) -> None:
    seen = []

    def run(_action: Any, _tmp: Any, task_vars: Any) -> dict[str, Any]:
        seen.append(gc.isenabled())
        if fails:
            raise ValueError("said by the module")
        return {"given": task_vars}

    monkeypatch.setattr("ansible.plugins.action.normal.ActionModule.run", run)
    try:
        (gc.enable if enabled else gc.disable)()
        if fails:
            with pytest.raises(ValueError, match="said by the module"):
                Unbound().run(None, {"a": 1})
        else:
            assert Unbound().run(None, {"a": 1}) == {"given": {"a": 1}}
        assert gc.isenabled() == enabled
        assert (gc.get_freeze_count() > 0) == enabled
    finally:
        gc.enable()
        gc.unfreeze()
    assert seen == [False]
