# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""Sysctls: their names, their values under /proc/sys, and the sysctl.d files that keep them. No other file touches /proc/sys.

A key is written with dots between its parts; a dot of a device's own name stands as a slash, which is
sysctl(8)'s convention for names like `net.ipv4.conf.eth0/100.forwarding`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

ROOT = "/proc/sys/"
FORWARDING = re.compile(r"net\.ipv4\.ip_forward|net\.ipv[46]\.conf\..+\.(forwarding|force_forwarding|accept_ra)")

NEIGHBOR_ROOM = {4: "net.ipv4.neigh.default.gc_thresh3", 6: "net.ipv6.neigh.default.gc_thresh3"}
"""By family, the sysctl that says how many neighbours the kernel remembers: all network namespaces together, while only the initial one has it."""


def path_of(key: str) -> str:
    """The file of a key, in the network namespace of the calling thread."""
    return ROOT + "/".join(part.replace("/", ".") for part in key.split("."))


def of_device(family: str, device: str, name: str) -> str:
    """A key of one device. `family` is `ipv4` or `ipv6`."""
    return f"net.{family}.conf.{device.replace('.', '/')}.{name}"


def is_of_device(key: str) -> bool:
    """Whether the key belongs to one device, which has to be there first."""
    parts = key.split(".")
    return len(parts) == 5 and parts[2] in ("conf", "neigh") and parts[3] not in ("all", "default")


DISABLE_IPV6 = ".disable_ipv6"


def order(setting: tuple[str, str]) -> tuple[int, str]:
    """Sorts settings as they have to be written: those that set others come first, then `default`, then the rest."""
    key = setting[0]
    masters = (
        "net.ipv4.ip_forward",
        "net.ipv4.conf.all.forwarding",
        "net.ipv6.conf.all.forwarding",
        "net.ipv6.conf.all.disable_ipv6",
    )
    return (masters.index(key) if key in masters else 5 if ".default." in key else 6, key)


def read(key: str) -> str | None:
    """A value with its white space folded, None where the running kernel has no such key."""
    try:
        with open(path_of(key), encoding="ascii", errors="replace") as file:
            return " ".join(file.read().split())
    except FileNotFoundError:
        return None
    except OSError:
        # Some keys can be written only.
        return ""


def write(key: str, value: str) -> None:
    """Set a value in the network namespace of the calling thread; OSError where the kernel refuses."""
    descriptor = os.open(path_of(key), os.O_WRONLY)
    try:
        os.write(descriptor, (value + "\n").encode())
    finally:
        os.close(descriptor)


def forwarding_keys() -> list[str]:
    """All keys that a change of forwarding may change, in the network namespace of the calling thread."""
    keys = ["net.ipv4.ip_forward", "net.ipv4.conf.all.accept_redirects"]
    for family, names in (("ipv4", ("forwarding",)), ("ipv6", ("forwarding", "accept_ra", "force_forwarding"))):
        try:
            devices = os.listdir(f"{ROOT}net/{family}/conf")
        except FileNotFoundError:
            continue
        keys += [of_device(family, device, name) for device in sorted(devices) for name in names]
    return keys


def own_settings(device: str) -> tuple[tuple[str, str], ...]:
    """The settings of a device that differ from `default`, in the network namespace of the calling thread.

    Without those that the kernel derives from something else (`mtu`) or doesn't let anybody write.
    """
    found = []
    for family in ("ipv4", "ipv6"):
        folder = f"{ROOT}net/{family}/conf"
        for name in sorted(os.listdir(f"{folder}/default")) if os.path.isdir(f"{folder}/{device}") else ():
            if name in ("mtu", "mc_forwarding", "stable_secret"):
                continue
            value = read(of_device(family, device, name))
            if value and value != read(f"net.{family}.conf.default.{name}"):
                found.append((of_device(family, device, name), value))
    return tuple(found)


def read_all(keys: Iterable[str]) -> dict[str, str]:
    """The values of keys, in the network namespace of the calling thread; without those that the kernel has not."""
    found = {key: read(key) for key in keys}
    return {key: value for key, value in found.items() if value is not None}


def canonical(name: str) -> str:
    """A key as a sysctl.d file writes it, with dots or with slashes, in our form."""
    first = min((name.find(mark) for mark in "./" if mark in name), default=-1)
    if first >= 0 and name[first] == "/":
        return ".".join(part.replace(".", "/") for part in name.split("/"))
    return name


def parsed(line: str) -> tuple[str, str] | None:
    """The key and the value of a line of a sysctl.d file, None for one that sets nothing."""
    text = line.strip()
    if not text or text[0] in "#;" or "=" not in text:
        return None
    key, value = text.split("=", 1)
    return canonical(key.strip().lstrip("-").strip()), " ".join(value.split())


def has_settings(content: str) -> bool:
    """Whether a sysctl.d file's content sets anything."""
    return any(parsed(line) for line in content.splitlines())


def with_settings(content: str, settings: dict[str, str]) -> str:
    """`content` with these settings: lines that have another value are replaced, missing ones added, all else is kept."""
    left = dict(settings)
    lines = []
    for line in content.splitlines():
        setting = parsed(line)
        if setting and setting[0] in settings:
            key, value = setting
            if key not in left:
                continue
            wanted = left.pop(key)
            lines.append(line if value == wanted else f"{key}={wanted}")
        else:
            lines.append(line)
    lines += [f"{key}={value}" for key, value in left.items()]
    return "".join(line + "\n" for line in lines)


def without_forwarding(content: str) -> str:
    """`content` without the lines that set any of the keys that forwarding is made of."""
    kept = []
    for line in content.splitlines():
        setting = parsed(line)
        if not setting or not FORWARDING.fullmatch(setting[0]):
            kept.append(line)
    return "".join(line + "\n" for line in kept)
