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

from .packing import PackedAction

AFTER_SECONDS = 60.0
"""For a host to make a change, to undo what nobody confirmed, and to be reached again."""

PAUSE_SECONDS = 0.3
ALIVE = "-o ServerAliveInterval=2 -o ServerAliveCountMax=4"
"""So that a connection that was cut is not waited for: ssh_config(5)."""

LOOK = '[ -d "/proc/$(cat worker)" ] || echo dead; ls -1; cat verdict'
"""What there is by now, a name a line also on a terminal, and the verdict if there is one; first whether the worker lives, as it may just end."""

CONFIRM = (
    "mv pending confirmed; n=0; while [ ! -e verdict ] && [ $n -lt 50 ]; do sleep 0.2 || sleep 1; n=$((n + 1)); done; "
    + LOOK
)
"""Confirm, and wait a while for what the worker has to say then: another connection may take seconds."""


class Host:
    """What is at the other end, each time by a connection that is made then."""

    def __init__(self, action: NormalAction, directory: str) -> None:
        self.action = action
        self.directory = shlex.quote(directory)

    def ask(self, command: str) -> str | None:
        """What a shell command in the change's directory says, `gone` without that; None where the host can't be reached."""
        anew(self.action)
        try:
            done = self.action._low_level_execute_command(  # noqa: SLF001  # what actions are given to use
                f"cd {self.directory} 2>/dev/null || {{ echo gone; exit 0; }}; {{ {command}; }} 2>/dev/null; exit 0"
            )
        except (AnsibleConnectionFailure, AnsibleError, OSError):
            return None
        # What a broken connection makes of it has another code (ssh: 255).
        return str(done["stdout"]).strip() if done["rc"] == 0 else None

    def forget(self) -> None:
        """Let the worker end: its verdict is known."""
        self.ask(f"cd / && rm -rf {self.directory} && rmdir {self.directory.rpartition('/')[0]}")


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


class ActionModule(PackedAction):
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
            return super().run(tmp, task_vars)
        impatient(self)
        anew(self)
        result = super().run(tmp, task_vars)
        armed = result.pop("confirm", None)
        if isinstance(armed, dict) and not result.get("failed"):
            return self.confirmed(result, Host(self, str(armed["directory"])), float(armed["seconds"]))
        return result

    def confirmed(self, result: dict[str, Any], host: Host, seconds: float) -> dict[str, Any]:
        """The result when all is said: what the module planned, or why it was not kept.

        A host that can be reached says itself what came of it, however long that takes. One that can't is waited for
        as long as it may take to go back to where it could.
        """
        host.ask("touch begin")
        heard = time.monotonic()
        command = LOOK
        tried = False
        while time.monotonic() < heard + seconds + AFTER_SECONDS:
            answer = host.ask(command)
            if answer is not None:
                heard = time.monotonic()
                words = answer.splitlines()
                verdict = verdict_in(words)
                if verdict or "gone" in words or "dead" in words:
                    return outcome(result, host, verdict, why_none(words, tried))
                # Seen over a connection that may be older than the change: so over another one.
                command = CONFIRM if "pending" in words else LOOK
                tried = tried or command == CONFIRM
                if command == CONFIRM:
                    continue
            time.sleep(PAUSE_SECONDS)
        return outcome(result, host, {}, why_silent(seconds, tried))


def verdict_in(words: list[str]) -> dict[str, Any]:
    """The worker's last word, if it has said that already."""
    for word in words:
        if word.startswith("{"):
            with suppress(ValueError):
                return dict(json.loads(word))
    return {}


def why_none(words: list[str], tried: bool) -> str:
    """Why nobody will say what came of the change, of a host that can be reached."""
    if "gone" in words:
        known = "though it may have been confirmed" if tried else "which was not confirmed"
        return (
            f"the host knows nothing of the change any more, {known}: if it was started anew meanwhile, that has undone it;"
            " run the task again"
        )
    return (
        "the process that made the change was ended by somebody, so that nothing undoes it: it may be there in part,"
        " and nothing is kept for the next boot; run the task again, or start the host anew"
    )


def why_silent(seconds: float, tried: bool) -> str:
    """What is known of a host that can't be reached."""
    if tried:
        return (
            "the host was reached after the change, and then no more: either it has got the confirmation and keeps the"
            f" change, or it goes back to the state before by itself, {seconds:g} seconds after the change was made"
        )
    return (
        "the host could not be reached any more after the change; by itself it goes back to the state before,"
        f" {seconds:g} seconds after it was made"
    )


def outcome(result: dict[str, Any], host: Host, verdict: dict[str, Any], why: str) -> dict[str, Any]:
    """What the task says: by the worker's verdict, and without one `why`."""
    if verdict:
        host.forget()
    if verdict.get("outcome") == "kept":
        return {**result, **verdict.get("shown", {})}
    if verdict:
        said = str(verdict.get("msg"))
        why = f"the change was undone, as {said}" if verdict.get("outcome") == "undone" else said
    kept = {name: value for name, value in result.items() if name.startswith("_") or name in ("invocation", "warnings")}
    return {**kept, "failed": True, "changed": False, "msg": why}
