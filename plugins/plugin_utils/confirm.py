# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The controller's half of `confirm_timeout`, for the actions of the modules that have it.

The host's half is module_utils/confirm.py, where the files are described that both know.
"""

from __future__ import annotations

import json
import shlex
import time
from contextlib import suppress
from typing import Any

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action.normal import ActionModule as NormalAction

BEGIN_SECONDS = 75.0
"""For a host to begin, as it may have to wait for its lock first."""

AFTER_SECONDS = 30.0
"""For a host to undo what nobody confirmed, and to be reached again."""

PAUSE_SECONDS = 0.3
ALIVE = "-o ServerAliveInterval=2 -o ServerAliveCountMax=3 -o ConnectTimeout=5"
"""So that a connection that was cut is not waited for: ssh_config(5)."""


class Host:
    """What is at the other end, each time by a connection that is made then."""

    def __init__(self, action: NormalAction, directory: str) -> None:
        self.action = action
        self.directory = shlex.quote(directory)

    def ask(self, command: str) -> str | None:
        """What a shell command in the change's directory says; None where the host can't be reached."""
        anew(self.action)
        try:
            done = self.action._low_level_execute_command(  # noqa: SLF001  # what actions are given to use
                f"cd {self.directory} 2>/dev/null || {{ echo gone; exit 0; }}; {command}"
            )
        except (AnsibleConnectionFailure, AnsibleError, OSError):
            return None
        # What a broken connection makes of it has another code (ssh: 255).
        return str(done["stdout"]).strip() if done["rc"] == 0 else None


def anew(action: NormalAction) -> None:
    """Close the connection, also one that others share (multiplexing): the next command makes another one."""
    with suppress(Exception):  # a connection plugin that keeps none open
        action._connection.reset()  # noqa: SLF001


def impatient(action: NormalAction) -> None:
    """Let connections by ssh notice soon that they were cut."""
    connection = action._connection  # noqa: SLF001
    with suppress(Exception):  # one that is not by ssh has no such option
        extra = connection.get_option("ssh_extra_args") or ""
        if ALIVE not in extra:
            connection.set_option("ssh_extra_args", f"{extra} {ALIVE}".strip())


class ActionModule(NormalAction):  # type: ignore[misc]  # Ansible comes without types
    """Run the module, and where it armed a watchdog, confirm the change over a new connection."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        asked = self._task.args.get("confirm_timeout") not in (None, "", 0, "0")
        if asked and self._task.async_val:
            return {
                "failed": True,
                "changed": False,
                "msg": "confirm_timeout: it does not go together with 'async', as the task itself comes back to confirm:"
                " leave one of the two out",
            }
        if not asked or self._task.check_mode:
            return dict(super().run(tmp, task_vars))
        impatient(self)
        anew(self)
        result = dict(super().run(tmp, task_vars))
        armed = result.pop("confirm", None)
        if isinstance(armed, dict) and not result.get("failed"):
            return self.confirmed(result, Host(self, str(armed["directory"])), float(armed["seconds"]))
        return result

    def confirmed(self, result: dict[str, Any], host: Host, seconds: float) -> dict[str, Any]:
        """The result when all is said: what the module planned, or why it was not kept."""
        deadline = time.monotonic() + BEGIN_SECONDS
        answer: str | None = None
        while time.monotonic() < deadline:
            answer = host.ask("ls")
            if answer is None:
                # It may have been cut just now: from here on the host's own time counts.
                deadline = min(deadline, time.monotonic() + seconds + AFTER_SECONDS)
            elif "pending" in answer.split():
                # Seen over a connection that may be older than the change: so over another one.
                host.ask("mv pending confirmed 2>/dev/null; true")
            elif "verdict" in answer.split() or answer == "gone":
                break
            if "confirmed" not in (answer or ""):
                time.sleep(PAUSE_SECONDS)
        return self.said(result, host, answer, seconds)

    def said(self, result: dict[str, Any], host: Host, answer: str | None, seconds: float) -> dict[str, Any]:
        """The worker's verdict."""
        verdict: dict[str, Any] = {}
        text = host.ask("cat verdict") if answer and answer != "gone" else None
        with suppress(ValueError):
            verdict = json.loads(text or "")
        if verdict:
            host.ask(f"cd / && rm -rf {host.directory} && rmdir {host.directory.rpartition('/')[0]} 2>/dev/null; true")
        outcome = verdict.get("outcome")
        if outcome == "kept":
            return {**result, **verdict.get("shown", {})}
        why = {
            "undone": f"the change was undone, as {verdict.get('msg')}",
            "failed": str(verdict.get("msg")),
        }.get(
            str(outcome),
            f"the host could not be reached any more after the change; by itself it goes back to the state before, {seconds:g} seconds"
            " after it was made",
        )
        kept = {
            name: value for name, value in result.items() if name.startswith("_") or name in ("invocation", "warnings")
        }
        return {**kept, "failed": True, "changed": False, "msg": why}
