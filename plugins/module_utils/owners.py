# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""Who configures a device: which program gave it its addresses, and will want to again. Read-only.

A program counts only where it runs in the device's network namespace, and says of the device that it is its own.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import NamedTuple

NETWORKD = "/run/systemd/netif/links"
NETWORK_MANAGER = "/run/NetworkManager/devices"
IFUPDOWN = "/run/network/ifstate"

DHCP_CLIENTS = ("dhclient", "dhcpcd", "udhcpc")


class Owner(NamedTuple):
    """Who configures a device. `dhcp`: whether it holds a lease there. `file`: what it was told by, "" where unknown."""

    program: str
    dhcp: bool = False
    file: str = ""


def owner_of(device: str, index: int, root: str = "") -> Owner | None:
    """The program that configures a device of the calling thread's network namespace; None where nobody was found.

    `root`: where the host's files are, for tests.
    """
    running = dict(programs_here(root))
    link = settings(f"{root}{NETWORKD}/{index}")
    if "systemd-networkd" in running and link.get("ADMIN_STATE", "unmanaged") not in ("unmanaged", "initialized"):
        file = link.get("NETWORK_FILE", "")
        program = "netplan" if "netplan" in os.path.basename(file) else "systemd-networkd"
        leased = os.path.exists(f"{root}/run/systemd/netif/leases/{index}")
        return Owner(program, leased or "DHCP4_ADDRESS" in link, file)
    device_file = settings(f"{root}{NETWORK_MANAGER}/{index}")
    if "NetworkManager" in running and device_file.get("managed", "").lower() in ("1", "true", "yes"):
        return Owner("NetworkManager", "dhcp4" in " ".join(device_file))
    for program in DHCP_CLIENTS:
        if any(serves(command, device) for command in running.get(program, ())):
            return Owner(program, dhcp=True)
    if device in [line.partition("=")[0] for line in lines(f"{root}{IFUPDOWN}")]:
        return Owner("ifupdown", file="/etc/network/interfaces")
    return None


def serves(command: tuple[str, ...], device: str) -> bool:
    """Whether a DHCP client with this command line is about the device; without any device it is about all."""
    # Clients write what they do into their own title, as one word: "dhcpcd: eth0 [ip4]".
    words = [word for argument in command[1:] or command for word in argument.split()]
    named = [word.rstrip(":") for word in words]
    others = [word for word in named if os.path.isdir(f"/sys/class/net/{word}")]
    return device in named or not others


def programs_here(root: str = "") -> Iterator[tuple[str, list[tuple[str, ...]]]]:
    """The programs in the calling thread's network namespace that may configure devices: (name, command lines)."""
    here = netns_of(f"{root}/proc/thread-self") or netns_of("/proc/thread-self")
    found: dict[str, list[tuple[str, ...]]] = {}
    for process in os.listdir(f"{root}/proc"):
        path = f"{root}/proc/{process}"
        if not process.isdigit():
            continue
        # The kernel keeps 15 bytes of a program's name.
        names = [
            name
            for name in ("systemd-networkd", "NetworkManager", *DHCP_CLIENTS)
            if lines(f"{path}/comm")[:1] == [name[:15]]
        ]
        if names and netns_of(path) == here:
            command = "\0".join(lines(f"{path}/cmdline")).rstrip("\0").split("\0")
            found.setdefault(names[0], []).append(tuple(command))
    yield from found.items()


def netns_of(process: str) -> str:
    """The network namespace of a process under /proc."""
    try:
        return os.readlink(f"{process}/ns/net")
    except OSError:
        return ""


def lines(path: str) -> list[str]:
    """The lines of a text file, none where it can't be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()
    except OSError:
        return []


def settings(path: str) -> dict[str, str]:
    """The `NAME=value` lines of a file."""
    found = (re.fullmatch(r"([\w.-]+)=(.*)", line.strip()) for line in lines(path))
    return {match[1]: match[2].strip("\"'") for match in found if match}
