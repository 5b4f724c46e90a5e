# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""dhclient(8), as ifupdown starts it: one for each device, with files named after the device."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from contextlib import suppress

from . import errors, files

WAIT_SECONDS = 45
"""For the server to acknowledge the lease on the other device."""


def move(device: str, to: str) -> None:
    """End the client of a device without giving its lease back, and start one of another device that asks for the same.

    The identifier by which the server knows it is in the file of leases, and in the MAC address, which both have. The
    first device's file stays: after a crash the host would boot with it.
    """
    pid_file, leases, new_leases = (
        f"/run/dhclient.{device}.pid",
        f"/var/lib/dhcp/dhclient.{device}.leases",
        f"/var/lib/dhcp/dhclient.{to}.leases",
    )
    pid = int((files.read_text(pid_file) or "0").strip() or 0)
    command = (files.read_text(f"/proc/{pid}/cmdline") or "").rstrip("\0").split("\0") if pid else []
    if not command or os.path.basename(command[0]) != "dhclient":
        raise errors.Refused(f"no dhclient runs on {device}")
    end(pid)
    with suppress(FileNotFoundError):
        os.unlink(pid_file)
    content = files.read_text(leases)
    if content is not None:
        files.write(new_leases, content.replace(f'interface "{device}"', f'interface "{to}"'), 0o644)
    try:
        start([renamed(word, device, to) for word in command], to)
    except errors.Refused:
        # Undoing this step would begin with ending the one on the other device, which there is not.
        with suppress(errors.Refused):
            start(command, device)
        raise


def renamed(word: str, device: str, to: str) -> str:
    """A word of the command line, as it is for another device."""
    return to if word == device else re.sub(rf"(/dhclient6?\.){re.escape(device)}\.", rf"\g<1>{to}.", word)


def end(pid: int) -> None:
    """Without a chance to give the lease back."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            os.kill(pid, 0)
            time.sleep(0.01)


def start(command: list[str], device: str) -> None:
    """It goes into the background by itself as soon as it has a lease; Refused where it doesn't."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=WAIT_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise errors.Refused(f"dhclient got no lease on {device} ({type(exc).__name__})") from None
    if done.returncode:
        raise errors.Refused(f"dhclient on {device} ended with {done.returncode}")
