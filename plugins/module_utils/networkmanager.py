# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.
"""NetworkManager, as a service that is stopped while its devices change, and goes on with them as they are then."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence
from contextlib import suppress

from . import errors, files, owner_networkmanager, owners, programs, systemd

UNIT = "NetworkManager.service"

RESCUE = "vnet-networkmanager"
"""The transient units by which systemd starts it where we didn't."""

RESCUE_SECONDS = 60

MISSING = (
    "this host has no 'nmcli', by which NetworkManager is asked: install its package network-manager"
    " (NetworkManager on Fedora and RHEL)"
)

ACTIVATED = "100"
"""NM_DEVICE_STATE_ACTIVATED, as nmcli(1) says it: a number, and then a word."""

ACTIVATED_SECONDS = 60.0
"""For it to go on with a device, which may take a DHCP server's answer."""


def stop() -> None:
    """End it. It leaves all devices as they are, and holds on to its leases.

    Should nobody start it again, as who is killed meanwhile can't, systemd does so after a while.
    """
    with suppress(errors.Refused):
        systemd.systemctl("stop", f"{RESCUE}.timer")  # of one who was killed
    rescue = ("--quiet", "--collect", f"--unit={RESCUE}", f"--on-active={RESCUE_SECONDS}")
    systemd.run("systemd", "systemd-run", *rescue, "systemctl", "start", UNIT)
    systemd.systemctl("stop", UNIT)


def start(devices: Sequence[tuple[str, str]], leases: Sequence[tuple[str, str]], wait: bool) -> None:
    """Start it with these profiles on these devices, as if it had put them there, and return when it has taken them up.

    A device with an empty one is none that it is to go on with. `leases`: files to copy, (from, to). Unfinished where it
    starts and does otherwise.
    """
    for device, profile in devices:
        index = (files.read_text(f"/sys/class/net/{device}/ifindex") or "").strip()
        path = f"{owners.NETWORK_MANAGER}/{index}"
        noted = files.read_text(path) if index else None
        if index and profile:
            is_bridge = os.path.isdir(f"/sys/class/net/{device}/bridge")
            files.write(path, owner_networkmanager.state_with(noted or "", profile, is_bridge))
        elif noted is not None:
            files.remove(path)
    for path, to in leases:
        lease = files.read_text(path)
        if lease is not None:
            files.write(to, lease)
    systemd.systemctl("start", UNIT)
    with suppress(errors.Refused):
        systemd.systemctl("stop", f"{RESCUE}.timer")
    if wait:
        await_profiles([(device, profile) for device, profile in devices if profile])


def await_profiles(devices: Sequence[tuple[str, str]]) -> None:
    """Return when each device is configured by its profile; Unfinished where that does not come about."""
    deadline = time.monotonic() + ACTIVATED_SECONDS
    for device, profile in devices:
        while True:
            state, _line, has = nmcli("-g", "GENERAL.STATE,GENERAL.CON-UUID", "device", "show", device).partition("\n")
            if state.split(" ")[0] == ACTIVATED and has == profile:
                break
            if time.monotonic() > deadline:
                raise errors.Unfinished(
                    f"NetworkManager did not go on with {device} within {ACTIVATED_SECONDS:g} seconds, but says '{state}'"
                )
            time.sleep(0.1)


def dhcp_options(device: str) -> dict[str, str]:
    """What its DHCP clients know of a device, in the words in which it notes that: `dhcp6.iaid`. Empty where it doesn't say.

    It notes that up to some seconds after the lease.
    """
    said = nmcli("-t", "-e", "no", "-f", "DHCP4,DHCP6", "device", "show", device)
    found = re.findall(r"(?m)^(DHCP[46])\.OPTION\[\d+\]:(\S+) = (.*)$", said)
    return {f"{family.lower()}.{name}": value for family, name, value in found}


def reload() -> None:
    """Let it read its profiles again, which changes no device."""
    nmcli("connection", "reload")


def nmcli(*words: str) -> str:
    """What nmcli answers; nothing where it knows no answer yet."""
    program = programs.find("nmcli")
    if program is None:
        raise errors.Unfinished(MISSING)
    try:
        return programs.run(program, *words).stdout.strip()
    except errors.Refused as exc:
        raise errors.Unfinished(str(exc)) from None  # NetworkManager itself does something by now
