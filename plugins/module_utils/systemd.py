# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""systemd, as far as this collection has to do with it: telling it that unit files came or went."""

from __future__ import annotations

import os
import subprocess

from .errors import Refused

RUNNING = "/run/systemd/system"
"""Is there exactly where systemd is the init of this host: sd_booted(3)."""


PROGRAMS = ("/usr/lib/systemd/systemd", "/lib/systemd/systemd")


def state() -> str:
    """`running` where systemd is the init of this host, `installed` where it may be after the next boot, else nothing."""
    if os.path.isdir(RUNNING):
        return "running"
    return "installed" if any(map(os.path.exists, PROGRAMS)) else ""


def reload() -> None:
    """Let it read its unit files again; Refused, with its own words, where it doesn't."""
    try:
        done = subprocess.run(
            ["systemctl", "daemon-reload"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    except OSError as exc:
        raise Refused(f"systemctl: {os.strerror(exc.errno or 0)}") from None
    if done.returncode:
        said = " ".join(done.stderr.split()).rstrip(".") or f"systemctl ended with {done.returncode}"
        raise Refused(f"systemd says '{said}'")
