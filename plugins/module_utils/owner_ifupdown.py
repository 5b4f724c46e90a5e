# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""An uplink and its bridge in the words of ifupdown: interfaces(5), bridge-utils-interfaces(5). Pure, text to text.

A stanza of the device becomes one of the bridge where it stands, with the options that it has. What is replaced by what
is remembered, so that it can be put back also where the rest of the file has changed since.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from . import errors

MAIN = "/etc/network/interfaces"
KEYWORDS = ("iface", "mapping", "source", "source-directory", "template", "rename", "no-auto-down", "no-scripts")
METHODS = {"inet": ("static", "dhcp", "manual"), "inet6": ("static", "auto", "dhcp", "manual")}

OF_DEVICE = ("ethtool-", "ethernet-", "hardware-", "offload-", "link-speed", "link-duplex", "link-autoneg", "driver-")
"""How options begin that are about the device as such, and stay with it."""

OF_BRIDGE = (
    *("address", "netmask", "broadcast", "network", "gateway", "metric", "pointopoint", "scope", "mtu"),
    *("hostname", "leasehours", "leasetime", "vendor", "client", "accept_ra", "autoconf", "privext", "dhcp"),
    *("dad-attempts", "dad-interval", "preferred-lifetime", "request_prefix", "ll-attempts", "ll-interval"),
)
PARTS = ("bridge-ports", "bond-slaves", "slaves", "bond-primary")
SCRIPTS = ("pre-up", "up", "post-up", "down", "pre-down", "post-down")


class Stanza(NamedTuple):
    """A keyword with what follows it, as logical lines, and the text that it stands in."""

    words: tuple[str, ...]
    options: tuple[tuple[str, str], ...]
    text: str

    @property
    def keyword(self) -> str:
        return self.words[0]


class Edit(NamedTuple):
    """A piece of a file, and what stood there before."""

    path: str
    new: str
    old: str


class Bridge(NamedTuple):
    """What the bridge shall be. `addresses`: those that are asked for besides what the device had."""

    name: str
    mac: str
    group: int = 0
    addresses: tuple[str, ...] = ()


def stanzas(text: str) -> Iterator[Stanza]:
    """The stanzas of a file. Comments and blank lines after one belong to none."""
    words: tuple[str, ...] = ()
    options: list[tuple[str, str]] = []
    taken, pending = "", ""
    for logical in logical_lines(text):
        parts = re.sub(r"\\\n", " ", logical).split(None, 1)
        if not parts or parts[0].startswith("#"):
            pending += logical
            continue
        first, rest = parts[0], parts[1].strip() if len(parts) > 1 else ""
        if first in KEYWORDS or first == "auto" or first.startswith("allow-"):
            if words:
                yield Stanza(words, tuple(options), taken)
            words, options, taken, pending = (first, *rest.split()), [], logical, ""
        elif words and words[0] in ("iface", "mapping", "template"):
            options.append((first.replace("_", "-") if first.startswith("bridge") else first, rest))
            taken, pending = taken + pending + logical, ""
        else:
            raise errors.Refused(f"the line {logical.strip()!r} is not understood")
    if words:
        yield Stanza(words, tuple(options), taken)


def logical_lines(text: str) -> Iterator[str]:
    """Lines, those that end in a backslash together with the next one."""
    held = ""
    for line in text.splitlines(keepends=True):
        held += line
        if not line.rstrip("\n").endswith("\\"):
            yield held
            held = ""
    if held:
        yield held


def sources(text: str) -> list[tuple[str, str]]:
    """What a file reads besides: (keyword, pattern)."""
    return [
        (stanza.keyword, word)
        for stanza in stanzas(text)
        if stanza.keyword in ("source", "source-directory")
        for word in stanza.words[1:]
    ]


def edits(uplink: str, bridge: Bridge, files: Mapping[str, str]) -> list[Edit]:
    """How the stanzas of the device become those of the bridge. `files`: all that ifupdown reads, by path.

    Refused where that is not safe; sentences begin with the file.
    """
    found: list[Edit] = []
    wakes = any(
        uplink in stanza.words[1:]
        for text in files.values()
        for stanza in stanzas(text)
        if stanza.keyword == "auto" or stanza.keyword.startswith("allow-")
    )
    for path, text in files.items():
        try:
            for stanza in stanzas(text):
                if stanza.keyword == "iface" and stanza.words[1:2] == (uplink,):
                    found.append(Edit(path, replaced(uplink, bridge, stanza, not found, wakes), stanza.text))
                else:
                    check_other(uplink, bridge.name, stanza)
        except errors.Refused as exc:
            raise errors.Refused(f"{path}: {exc}") from None
        mine = [edit for edit in found if edit.path == path]
        if mine and "cloud-init" in path:
            raise errors.Refused(
                f"{path}: cloud-init writes it anew when the host boots: have cloud-init make the bridge"
            )
        for edit in mine:
            if text.count(edit.old) != 1:
                raise errors.Refused(f"{path}: it has the stanza of {uplink} more than once")
    if not found:
        raise errors.Refused(f"{MAIN}: neither it nor what it reads has a stanza of {uplink}")
    more = "".join(
        f"\niface {bridge.name} inet{'6' if ':' in address else ''} static\n    address {address}\n"
        for address in bridge.addresses
    )
    return [*found[:-1], found[-1]._replace(new=found[-1].new + more)]


def check_other(uplink: str, bridge: str, stanza: Stanza) -> None:
    """Refused where another stanza has to do with the device or the bridge in a way that is not foreseen."""
    names = stanza.words[1:2] if stanza.keyword == "iface" else stanza.words[1:]
    shown = " ".join(stanza.words)
    if stanza.keyword in ("source", "source-directory", "no-auto-down", "no-scripts"):
        return
    for name in names:
        if uplink in name.split("=") and stanza.keyword in ("rename", "mapping", "template"):
            raise errors.Refused(f"'{shown}' is about {uplink}, in a way that is not known here")
        if name == bridge or name.startswith(f"{bridge}:"):
            raise errors.Refused(f"'{shown}' is about {bridge} already")
        if name.startswith(f"{uplink}:") or (is_pattern(name) and matches(uplink, name)):
            raise errors.Refused(f"'{shown}' is about {uplink}, too, and may be about others: name {uplink} alone")
    for option, value in stanza.options:
        if uplink in value.split() and option in PARTS:
            raise errors.Refused(f"'{shown}' has {uplink} as part of another device")


def is_pattern(name: str) -> bool:
    """Whether a name stands for several."""
    return "/" in name or bool(re.search(r"[*?\[]", name))


def matches(device: str, pattern: str) -> bool:
    """Whether a pattern may be about a device. Of one with sysfs properties that is assumed."""
    return "/" in pattern or fnmatch.fnmatchcase(device, pattern)


def replaced(uplink: str, bridge: Bridge, stanza: Stanza, is_first: bool, wakes: bool) -> str:
    """The text that takes the place of a stanza of the device."""
    family, method = (*stanza.words[2:4], "", "")[:2]
    if len(stanza.words) != 4 or method not in METHODS.get(family, ()):
        raise errors.Refused(f"'{' '.join(stanza.words)}' is not one of the methods {', '.join(METHODS['inet6'])}")
    near, far = [], []
    for option, value in stanza.options:
        if stays(uplink, option, value):
            near.append(f"    {option} {value}\n")
        elif option in SCRIPTS:
            moved = re.sub(rf"\bdev {re.escape(uplink)}(?!\S)", f"dev {bridge.name}", value)
            far.append(f"    {option} {moved}\n")
        else:
            far.append(f"    {option} {value}\n")
    lines: list[str] = []
    if is_first:
        lines += [f"# {uplink} is a port of {bridge.name}, which has what was configured here: linuxnet.vnet\n"]
        lines += [f"iface {uplink} {family} manual\n", *near, "\n", *([f"auto {bridge.name}\n"] if wakes else [])]
    elif near:
        lines += [f"iface {uplink} {family} manual\n", *near, "\n"]
    lines += [f"iface {bridge.name} {family} {method}\n"]
    if is_first:
        lines += [f"    bridge_ports {uplink}\n", f"    bridge_hw {bridge.mac}\n"]
        lines += ["    bridge_stp off\n", "    bridge_waitport 30\n", "    bridge_maxwait 0\n"]
        lines += [f"    up ip link set dev {bridge.name} group {bridge.group}\n"] if bridge.group else []
    return "".join([*lines, *far])


def stays(uplink: str, option: str, value: str) -> bool:
    """Whether an option stays with the device, or else passes to the bridge; Refused where nobody can say."""
    if option.startswith(OF_DEVICE) or option == "hwaddress":
        return True
    if option in SCRIPTS:
        return script_stays(uplink, option, value)
    if option in OF_BRIDGE or option.startswith("dns-"):
        return False
    raise errors.Refused(
        f"the stanza of {uplink} has the option {option}, of which it is not known where it belongs then"
    )


def script_stays(uplink: str, option: str, command: str) -> bool:
    """The same of a command."""
    plain = re.sub(r"\s*\|\|\s*(true|:)$", "", command)
    about = re.search(rf"\b{re.escape(uplink)}\b|\$\{{?(IFACE|LOGICAL)\b|--all\b", plain)
    if not about:
        return False
    simple = not re.search(r"[;&|<>`()]", plain)
    words = [word.rpartition("/")[2] if number == 0 else word for number, word in enumerate(plain.split())]
    if simple and words and words[0] in ("ethtool", "mii-tool"):
        return True
    if (
        simple
        and words
        and words[0] == "ip"
        and re.search(r"\b(route|rule|addr|address|neigh|neighbor|neighbour|r|a)\b", plain)
    ):
        return False
    raise errors.Refused(
        f"the stanza of {uplink} has the command '{option} {command}', of which nobody can say whether it is about the bridge then"
    )


def changed(text: str, done: list[Edit]) -> str:
    """A file's text with the new in place of the old."""
    for edit in done:
        text = text.replace(edit.old, edit.new, 1)
    return text


def back(text: str, done: list[Edit]) -> str | None:
    """A file's text with the old in place of the new; None where somebody has changed it there since."""
    for edit in reversed(done):
        if text.count(edit.new) != 1:
            return None
        text = text.replace(edit.new, edit.old, 1)
    return text


def statics(uplink: str, files: Mapping[str, str]) -> set[str]:
    """The addresses that the stanzas of a device give by themselves, those with a netmask in CIDR."""
    found = set()
    for text in files.values():
        for stanza in stanzas(text):
            options = dict(stanza.options)
            if stanza.keyword == "iface" and stanza.words[1:2] == (uplink,) and "address" in options:
                address, slash, length = options["address"].partition("/")
                found.add(f"{address}/{length if slash else length_of(options.get('netmask', ''))}")
    return found


def length_of(netmask: str) -> str:
    """A netmask as a prefix length."""
    if "." not in netmask:
        return netmask
    return str(sum(bin(int(part)).count("1") for part in netmask.split(".") if part.isdigit()))


def state_with(text: str, device: str) -> str:
    """Ifupdown's own state, where it notes what is up, with one more device."""
    line = f"{device}={device}\n"
    return text if line in text.splitlines(keepends=True) else text + line


def state_without(text: str, device: str) -> str:
    """The same with one less."""
    return "".join(line for line in text.splitlines(keepends=True) if line.partition("=")[0] != device)
