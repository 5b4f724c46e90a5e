# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Notes how each task of an integration target went, one JSON object per line, in the file that VNET_RESULTS names."""

from __future__ import annotations

import json
import os
import time
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: results
type: notification
short_description: Note how each case of an integration target went
description:
  - Writes one JSON object per task or loop item to the file that the environment variable E(VNET_RESULTS) names.
requirements:
  - enable in configuration
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]  # Ansible comes without type hints
    """A line per task, or per item of a loop."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "results"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self.start = time.monotonic()

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        self.start = time.monotonic()

    def v2_runner_on_ok(self, result: Any) -> None:
        self.note(result, "ok")

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self.note(result, "failed")

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self.note(result, "failed")

    def v2_runner_on_skipped(self, result: Any) -> None:
        self.note(result, "skipped")

    def note(self, result: Any, outcome: str) -> None:
        """One line, or one per item: a loop is as many cases as it has items."""
        task, answer = result._task, result._result
        items = answer.get("results") if task.loop or task.loop_with else None
        with open(os.environ["VNET_RESULTS"], "a", encoding="utf-8") as file:
            for item in items or [answer]:
                one = (
                    outcome
                    if items is None
                    else "failed"
                    if item.get("failed")
                    else "skipped"
                    if item.get("skipped")
                    else "ok"
                )
                is_assert = task.action.rpartition(".")[2] == "assert"
                line = {
                    "name": task.get_name(),
                    "outcome": one,
                    "is_case": "asserts" in item or is_assert,
                    "asserts": item.get("asserts") or (len(task.args.get("that", [])) if is_assert else 0),
                    "seconds": round(time.monotonic() - self.start, 2),
                    "problems": item.get("problems") or ([str(item.get("msg"))] if one == "failed" else []),
                }
                file.write(json.dumps(line) + "\n")
