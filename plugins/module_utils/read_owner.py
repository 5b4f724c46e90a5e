# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""Reading by what a device is configured at boot, so that it can be rewritten."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable

from . import errors, files, owner_ifupdown, owner_netplan, owner_networkd, owners, read_networkmanager
from .state import Setup
from .uplink import KeptUplink

NETWORKD_PLACES = tuple(f"{place}/systemd/network" for place in ("/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib"))
"""A file in an earlier place hides one of the same name in a later one: systemd.network(5)."""

BRIDGE_SCRIPT = "/etc/network/if-pre-up.d/bridge"
"""By which ifupdown knows bridges: of the package bridge-utils."""

CLIENTS = ("dhclient", "dhclient6")
"""How the files of ifupdown's DHCP clients begin."""

CLOUD_INIT = "/etc/cloud"
CLOUD_INIT_FILE = "50-cloud-init.yaml"

OTHER_IFUPDOWNS = {"ifupdown2": "/usr/share/ifupdown2", "ifupdown-ng": "/usr/libexec/ifupdown-ng"}


def setup_of(owner: owners.Owner | None, device: str, index: int, bridge: str, root: str = "") -> Setup:
    """By what a device is configured at boot. `root`: where the host's files are, for tests."""
    noted = [line.partition("=")[0] for line in owners.lines(f"{root}{owners.IFUPDOWN}")]
    try:
        if owner is None:
            return Setup(unfit=f"nobody was found who configures {device} at boot", client=client_of(bridge, root))
        if owner.program == "systemd-networkd":
            return networkd(owner.file, index, root)
        if owner.program == "netplan":
            return netplan(owner.file, device, index, bridge, root)
        if owner.program == "NetworkManager":
            return read_networkmanager.setup_of(device, index, bridge, root)
        if owner.program == "ifupdown" or (device in noted and any(client_of(device, root, name) for name in CLIENTS)):
            return ifupdown(owner, device, bridge, root)
    except errors.Refused as exc:
        return Setup(owner.program if owner else "", unfit=str(exc))
    return Setup(
        owner.program, unfit=f"{owner.program} configures {device}, whose configuration can't be rewritten yet"
    )


def written_to(known: Iterable[Setup | KeptUplink], device: str, bridge: str) -> set[str]:
    """The files that may be written, or have to be looked at before."""
    found: set[str] = set()
    for item in known:
        if item.program == "systemd-networkd":
            names = (f"{bridge}.netdev", f"{bridge}.network", f"{device}.network")
            places = (owner_networkd.DIRECTORY, owner_networkd.UNCONFIRMED)
            found.update(f"{place}/{owner_networkd.PREFIX}{name}" for place in places for name in names)
        elif item.program == "netplan":
            names = (owner_netplan.own_name(bridge), *map(os.path.basename, filter(None, [item.source.get("path")])))
            found.update(f"{place}/{name}" for place in owner_netplan.PLACES[1:] for name in names)
            places = (owner_networkd.DIRECTORY, owner_networkd.UNCONFIRMED)
            found.update(f"{place}/{owner_netplan.drop_in_name(bridge)}" for place in places)
        elif item.program == "NetworkManager":
            found.update(read_networkmanager.written_to(item.source.get("path", ""), bridge))
        elif item.program == "ifupdown":
            found.update((*item.source.get("files", ()), owners.IFUPDOWN))
    return found


# -- systemd-networkd --------------------------------------------------------------------------------------------------


def networkd(path: str, index: int, root: str) -> Setup:
    """From the file by which networkd says that it configures the device."""
    name = os.path.basename(path)
    others = networkd_others(root)
    if name.startswith(owner_networkd.PREFIX):
        return Setup("systemd-networkd", others=others)
    if not path:
        return Setup("systemd-networkd", unfit="systemd-networkd does not say by which file it configures the device")
    text = files.read_text(f"{root}{path}")
    if text is None:
        raise errors.Refused(
            f"{path}, by which systemd-networkd configures the device, is gone: let it read its files again"
        )
    parts = [text, *drop_ins(name, root)]
    for part in parts:
        owner_networkd.sections(part)
    source = {"name": name, "text": "\n".join(parts), **identity(index, root)}
    return Setup("systemd-networkd", source, others)


def networkd_others(root: str) -> dict[str, str]:
    """The files of networkd and udev that might be about the bridge, by path."""
    return {
        found[len(root) :]: files.read_text(found) or ""
        for place in reversed(NETWORKD_PLACES)
        for kind in ("netdev", "link")
        for found in glob.glob(f"{root}{place}/*.{kind}")
    }


def identity(index: int, root: str) -> dict[str, int | None]:
    """By which numbers networkd's DHCP clients call a device, None where there is none."""
    lease = owners.settings(f"{root}/run/systemd/netif/leases/{index}")
    iaid6 = owners.settings(f"{root}{owners.NETWORKD}/{index}").get("DHCP6_CLIENT_IAID", "")
    return {
        "iaid": owner_networkd.iaid_of(lease.get("CLIENTID", "")),
        "iaid6": int(iaid6, 16) if iaid6 else None,
    }


def drop_ins(name: str, root: str) -> list[str]:
    """What is added to a .network file, in the order of the names."""
    found: dict[str, str] = {}
    for place in reversed(NETWORKD_PLACES):
        for path in glob.glob(f"{root}{place}/{name}.d/*.conf"):
            found[os.path.basename(path)] = path
    return [files.read_text(found[key]) or "" for key in sorted(found)]


# -- netplan -----------------------------------------------------------------------------------------------------------


def netplan(path: str, device: str, index: int, bridge: str, root: str) -> Setup:
    """From all files that netplan reads. `path`: what it wrote for networkd about the device."""
    others = {name: text for name, text in networkd_others(root).items() if owner_netplan.GENERATED not in name}
    texts: dict[str, str] = {}
    for place in owner_netplan.PLACES:
        for found in sorted(glob.glob(f"{root}{place}/*.yaml")):
            hidden = [name for name in texts if os.path.basename(name) == os.path.basename(found)]
            for name in hidden:
                del texts[name]
            texts[found[len(root) :]] = files.read_text(found) or ""
    if any(os.path.basename(name) == owner_netplan.own_name(bridge) for name in texts):
        return Setup("netplan", others=others)
    added = drop_ins(os.path.basename(path), root)
    if added:
        raise errors.Refused(
            f"drop-ins add to {path}, which netplan wrote, and would have to add to that of the bridge"
        )
    source = owner_netplan.source_of(owner_netplan.definition_of(path), device, bridge, texts)
    check_cloud_init(source.path, root)
    return Setup("netplan", {**source._asdict(), **identity(index, root)}, others)


def check_cloud_init(path: str, root: str) -> None:
    """Refused where cloud-init might write a file again."""
    if os.path.basename(path) != CLOUD_INIT_FILE or not os.path.isdir(f"{root}{CLOUD_INIT}"):
        return
    if os.path.exists(f"{root}{CLOUD_INIT}/cloud-init.disabled"):
        return
    texts = (files.read_text(found) or "" for found in glob.glob(f"{root}{CLOUD_INIT}/cloud.cfg.d/*.cfg"))
    if not any(re.search(r"(?m)^network:\s*\{?\s*config:\s*[\"']?disabled\b", text) for text in texts):
        raise errors.Refused(
            f"cloud-init might write {path} again: put 'network: {{config: disabled}}' into"
            f" {CLOUD_INIT}/cloud.cfg.d/99-disable-network-config.cfg"
        )


# -- ifupdown ----------------------------------------------------------------------------------------------------------


def ifupdown(owner: owners.Owner, device: str, bridge: str, root: str) -> Setup:
    """From all files that ifupdown reads."""
    for name, place in OTHER_IFUPDOWNS.items():
        if os.path.exists(f"{root}{place}"):
            raise errors.Refused(f"{name} configures {device}, whose configuration can't be rewritten yet")
    if not os.path.exists(f"{root}{BRIDGE_SCRIPT}"):
        raise errors.Refused("ifupdown makes bridges only with the package bridge-utils: install it")
    found: dict[str, str] = {}
    read_interfaces(owner_ifupdown.MAIN, root, found)
    if client_of(device, root, "dhclient6"):
        raise errors.Refused(f"a DHCPv6 client of ifupdown runs on {device}, which can't go on on another device yet")
    client = client_of(device, root) or client_of(bridge, root)
    if owner.dhcp and not client_of(device, root):
        raise errors.Refused(f"{owner.program} holds a DHCP lease of {device}, and it was not ifupdown that started it")
    return Setup("ifupdown", {"files": found}, client=client)


def read_interfaces(path: str, root: str, found: dict[str, str]) -> None:
    """A file, and those that it reads, into `found`."""
    text = files.read_text(f"{root}{path}")
    if text is None or path in found:
        return
    found[path] = text
    try:
        for keyword, pattern in owner_ifupdown.sources(text):
            place = pattern if pattern.startswith("/") else f"{os.path.dirname(path)}/{pattern}"
            for other in sorted(glob.glob(f"{root}{place}")):
                paths = [other] if keyword == "source" and not os.path.isdir(other) else in_directory(other)
                for name in paths:
                    read_interfaces(name[len(root) :], root, found)
    except errors.Refused as exc:
        raise exc if str(exc).startswith("/") else errors.Refused(f"{path}: {exc}") from None


def in_directory(path: str) -> list[str]:
    """The files of a directory that ifupdown reads."""
    if not os.path.isdir(path):
        return []
    return [f"{path}/{name}" for name in sorted(os.listdir(path)) if re.fullmatch(r"[a-zA-Z0-9_-]+", name)]


def client_of(device: str, root: str = "", files_of: str = "dhclient") -> str:
    """The device, where a DHCP client runs on it that ifupdown started, by default one for IPv4; else nothing."""
    pid = "".join(owners.lines(f"{root}/run/{files_of}.{device}.pid")[:1]).strip()
    return device if pid.isdigit() and owners.lines(f"{root}/proc/{pid}/comm")[:1] == ["dhclient"] else ""
