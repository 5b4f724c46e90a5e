# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Callback plugin for the demo: one JSON line per task, host and loop item, in the file $VNET_RECORD."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: vnet_record
type: notification
short_description: Record the result of each task as a JSON line
version_added: 0.1.0
description:
  - Writes one JSON object per line, each with the task's host, name, action and loop item and what came of it.
options:
  path:
    description: The file to append to.
    type: path
    required: true
    env:
      - name: VNET_RECORD
"""

KEPT = ("changed", "operations", "diff")


class CallbackModule(CallbackBase):  # type: ignore[misc]  # Ansible has no type hints
    """Records results; says nothing."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "vnet_record"
    CALLBACK_NEEDS_ENABLED = True

    def _record(self, result: Any, outcome: str) -> None:
        # The public names came with ansible-core 2.19; these go with 2.23.
        found, task, host = result._result, result._task, result._host  # noqa: SLF001
        if "results" in found and task.loop is not None:
            return  # the items of the loop were recorded one by one
        entry = {
            "host": host.get_name(),
            "task": task.get_name().strip(),
            "action": task.action,
            "item": found.get("_ansible_item_label", found.get("item")),
            "outcome": outcome,
            "warnings": [_text(warning) for warning in found.get("warnings") or []],
            **{key: found[key] for key in KEPT if key in found},
            **({"msg": str(found.get("msg", ""))} if outcome == "failed" else {}),
        }
        with Path(self.get_option("path")).open("a", encoding="utf-8") as record:
            record.write(json.dumps(entry, default=str) + "\n")

    def v2_runner_on_ok(self, result: Any) -> None:
        self._record(result, "ok")

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._record(result, "failed")

    def v2_runner_on_skipped(self, result: Any) -> None:
        self._record(result, "skipped")

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._record(result, "unreachable")

    def v2_runner_item_on_ok(self, result: Any) -> None:
        self._record(result, "ok")

    def v2_runner_item_on_failed(self, result: Any) -> None:
        self._record(result, "failed")

    def v2_runner_item_on_skipped(self, result: Any) -> None:
        self._record(result, "skipped")


def _text(warning: Any) -> str:
    """Return a warning's sentence: since ansible-core 2.19 it comes inside an object."""
    return str(getattr(getattr(warning, "event", None), "msg", warning))
