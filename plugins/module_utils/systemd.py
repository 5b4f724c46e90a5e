# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""systemd, as far as this collection has to do with it: telling it that unit files, or networkd's files, came or went."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence

from . import errors, files, programs

RUNNING = "/run/systemd/system"
"""Is there exactly where systemd is the init of this host: sd_booted(3)."""

CONFIGURED_SECONDS = 60.0
"""For systemd-networkd to configure a device, which may take a DHCP server's answer."""

PROGRAMS = ("/usr/lib/systemd/systemd", "/lib/systemd/systemd")


def state() -> str:
    """`running` where systemd is the init of this host, `installed` where it may be after the next boot, else nothing."""
    if os.path.isdir(RUNNING):
        return "running"
    return "installed" if any(map(os.path.exists, PROGRAMS)) else ""


def reload() -> None:
    """Let it read its unit files again; Refused, with its own words, where it doesn't."""
    systemctl("daemon-reload")


def generate_netplan() -> None:
    """Let netplan write networkd's files; Refused, with its own words, where it doesn't."""
    run("netplan", "netplan", "generate")


def restart_networkd(devices: Sequence[str]) -> None:
    """Let systemd-networkd begin anew, and return when it has configured these devices; Refused where it doesn't."""
    systemctl("restart", "systemd-networkd.service")
    deadline = time.monotonic() + CONFIGURED_SECONDS
    for device in devices:
        while admin_state(device) != "configured":
            if time.monotonic() > deadline:
                raise errors.Refused(
                    f"systemd-networkd did not configure {device} within {CONFIGURED_SECONDS:g} seconds, but says"
                    f" '{admin_state(device)}'"
                )
            time.sleep(0.1)


def admin_state(device: str) -> str:
    """How far systemd-networkd is with a device: networkctl(1)."""
    index = (files.read_text(f"/sys/class/net/{device}/ifindex") or "").strip()
    found = re.search(r"^ADMIN_STATE=(.*)$", files.read_text(f"/run/systemd/netif/links/{index}") or "", re.M)
    return found[1] if found else ""


def systemctl(*words: str) -> None:
    """Run it; Refused, with its own words, where it fails."""
    run("systemd", "systemctl", *words)


def run(speaker: str, program: str, *words: str) -> None:
    """Run a program; Refused, as its `speaker` says it, where it fails."""
    done = programs.run(program, *words)
    if done.returncode:
        said = " ".join(done.stderr.split()).rstrip(".") or f"{program} ended with {done.returncode}"
        raise errors.Refused(f"{speaker} says '{said}'")
