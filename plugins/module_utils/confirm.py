# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""`confirm_timeout`: a change that is kept only when the controller reaches the host again.

The module plans, hands the change to a worker of its own session, and ends before a connection can be cut. The worker
begins when the controller has the module's answer and says so, carries the change out, and waits. What undoes it is the
engine's own undo log, which the worker has: it ends its waiting by a failure, or by success. One renaming decides which,
and a file can be renamed only once.

In a directory under /run/vnet/confirm that only root may enter:

- `worker`: the number of the worker's process.
- `begin`: made by the controller, which is from then on there to confirm. Without it nothing is changed.
- `pending`: the change is made, and can be confirmed. Who renames it to `confirmed` keeps it, and the worker, by
  renaming it to `expired`, undoes it.
- `verdict`: JSON of what came of it, the worker's last word. Whoever read it removes the directory, and else the worker
  does after a while.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from . import errors, netlink
from .engine import Change, Note, Result, run
from .later import load_all

DIRECTORY = "/run/vnet/confirm"
PROCESS = "vnet-confirm"
"""What the worker is called in lists of processes."""

BEGIN_SECONDS = 120.0
"""For a controller to say that the change may begin: it has to have read the module's answer first."""

DELAY_SECONDS = 0.5
"""After that, until the change begins: for the connection over which it was said to end."""

SCOPE_SECONDS = 10.0
"""For systemd to take the worker out of the session, and no longer: the change waits for it."""

LINGER_SECONDS = 120.0
"""For which a verdict waits to be read."""

STEP_SECONDS = 0.05
MOST_SECONDS = 3600


def seconds_of(params: Mapping[str, Any]) -> int:
    """The option `confirm_timeout`, 0 for none; Refused where it makes no sense."""
    seconds = params.get("confirm_timeout") or 0
    if not isinstance(seconds, int) or not 0 <= seconds <= MOST_SECONDS:
        raise errors.Refused(f"confirm_timeout: {seconds!r} is not between 0 and {MOST_SECONDS} seconds")
    return seconds


def arm(change: Change, seconds: int) -> str:
    """Start the worker; return its directory. It begins when the calling process has ended, and `begin` is there."""
    directory = f"{DIRECTORY}/{os.urandom(8).hex()}"
    os.makedirs(DIRECTORY, 0o700, exist_ok=True)
    os.mkdir(directory, 0o700)
    # Ansible takes the sources away when the calling process has ended.
    load_all()
    netlink.message_class("ifinfmsg")
    reader, writer = os.pipe()
    if os.fork() == 0:
        # The child of a child has nobody to wait for it, and a session of its own no terminal to hang up.
        os.setsid()
        if os.fork() == 0:
            try:
                leave_all_behind(reader)
                os.read(reader, 1)
                if bidden(directory):
                    work(change, seconds, directory)
                forget(directory)
            finally:
                os._exit(0)
        os._exit(0)
    os.wait()
    os.close(reader)
    del writer  # the kernel closes it when this process ends, and that is what the worker waits for
    return directory


def leave_all_behind(kept: int) -> None:
    """Hold nothing of the connection that the module was started by, nor of its session."""
    os.chdir("/")
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    for name in os.listdir("/proc/self/fd"):
        if int(name) not in (0, 1, 2, kept):
            with suppress(OSError):
                os.close(int(name))
    for name, word in (("oom_score_adj", "-1000"), ("comm", PROCESS)):
        with suppress(OSError), open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(word)
    if os.path.isdir("/run/systemd/system"):
        # systemd may end with a session all that is in it (KillUserProcesses in logind.conf).
        with suppress(OSError, subprocess.SubprocessError):
            subprocess.run(
                [
                    *("busctl", "call", "org.freedesktop.systemd1", "/org/freedesktop/systemd1"),
                    *("org.freedesktop.systemd1.Manager", "StartTransientUnit", "ssa(sv)a(sa(sv))"),
                    *(f"vnet-confirm-{os.getpid()}.scope", "fail", "1", "PIDs", "au", "1", str(os.getpid()), "0"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=SCOPE_SECONDS,
                check=False,
            )


def bidden(directory: str) -> bool:
    """Whether the controller comes to say that the change may begin."""
    with open(f"{directory}/worker", "w", encoding="ascii") as file:
        file.write(str(os.getpid()))
    deadline = time.monotonic() + BEGIN_SECONDS
    while not os.path.exists(f"{directory}/begin"):
        if time.monotonic() > deadline:
            return False
        time.sleep(STEP_SECONDS)
    time.sleep(DELAY_SECONDS)
    return True


def work(change: Change, seconds: int, directory: str) -> None:
    """Carry the change out, wait, and leave a verdict."""

    def wait(note: Note) -> None:
        """Return when it is confirmed; raise VnetError when it is not in time."""
        deadline = time.monotonic() + seconds
        note(unconfirmed(change.what, deadline))
        touch(f"{directory}/pending")
        while not os.path.exists(f"{directory}/confirmed"):
            if time.monotonic() > deadline:
                with suppress(FileNotFoundError):
                    os.rename(f"{directory}/pending", f"{directory}/expired")
                    raise errors.VnetError(f"nobody confirmed it over a new connection within {seconds} seconds")
            time.sleep(STEP_SECONDS)
        note("")

    try:
        result: Result = run(change.wants, topology=change.topology, keep=change.keep, confirm=wait)
        verdict = {"outcome": "kept", "shown": change.show(result.state)}
    except errors.VnetError as exc:
        outcome = "undone" if os.path.exists(f"{directory}/expired") else "failed"
        verdict = {"outcome": outcome, "msg": str(exc)}
    except Exception as exc:  # noqa: BLE001  # there is nobody else to tell it to
        verdict = {"outcome": "failed", "msg": f"this is a bug in linuxnet.vnet, please report it: {exc!r}"}
    tell(directory, verdict)


def tell(directory: str, verdict: dict[str, Any]) -> None:
    """Leave the verdict, until it was read or nobody came."""
    with suppress(OSError):
        with open(f"{directory}/.verdict", "w", encoding="utf-8") as file:
            json.dump(verdict, file)
        os.rename(f"{directory}/.verdict", f"{directory}/verdict")
    deadline = time.monotonic() + LINGER_SECONDS
    while os.path.isdir(directory) and time.monotonic() < deadline:
        time.sleep(STEP_SECONDS)


def forget(directory: str) -> None:
    """Leave nothing behind."""
    shutil.rmtree(directory, ignore_errors=True)
    with suppress(OSError):
        os.rmdir(DIRECTORY)


def touch(path: str) -> None:
    """Make an empty file."""
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def unconfirmed(what: str, deadline: float) -> str:
    """What stands in the lock's file meanwhile: see engine.py."""
    return f"{deadline} {what}"
