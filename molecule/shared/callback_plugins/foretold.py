# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Callback plugin: what the last check run of converge.yml would have changed, and what its last run did."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ansible import context
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: foretold
type: notification
short_description: Note what converge.yml changed, or would
version_added: 0.1.0
description:
  - At the end of a run of C(converge.yml), writes the tasks that changed something as a list in JSON. It is C(check.json) in
    molecule's ephemeral directory after a check run, C(run.json) after another.
  - Of this collection's tasks it has the operations and the diff too, which a check run has to foretell.
"""

OURS = "linuxnet.vnet."


class CallbackModule(CallbackBase):  # type: ignore[misc]  # Ansible has no type hints
    """Notes results; says nothing."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "foretold"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._changes: list[dict[str, Any]] | None = None

    def v2_playbook_on_start(self, playbook: Any) -> None:
        if Path(playbook._file_name).name == "converge.yml":  # noqa: SLF001  # Ansible has no public name for it
            self._changes = []

    def v2_runner_on_ok(self, result: Any) -> None:
        if result._task.loop is None:  # noqa: SLF001  # the public names came with ansible-core 2.19; these go with 2.23
            self._note(result)

    def v2_runner_item_on_ok(self, result: Any) -> None:
        self._note(result)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        if self._changes is not None:
            name = "check.json" if context.CLIARGS["check"] else "run.json"
            text = json.dumps(self._changes, indent=1, default=str) + "\n"
            Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], name).write_text(text, encoding="utf-8")

    def _note(self, result: Any) -> None:
        found, task = result._result, result._task  # noqa: SLF001  # as above
        if self._changes is None or not found.get("changed"):
            return
        kept = ("operations", "diff") if task.action.startswith(OURS) else ()
        entry = {
            "host": result._host.get_name(),  # noqa: SLF001  # as above
            "task": task.get_name().strip(),
            "item": found.get("_ansible_item_label", found.get("item")),
            **{key: found.get(key) for key in kept},
        }
        self._changes.append(entry)
