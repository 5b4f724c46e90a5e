# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""An uplink and its bridge in the words of NetworkManager: nm-settings-keyfile(5). Pure, text to text.

The profile by which a device is configured so far stays, and is only told not to begin by itself. Two of our own take its
place: the bridge's gets all that concerns IP, in the same words; the port's keeps what concerns Ethernet.
"""

from __future__ import annotations

import ipaddress
import re
import uuid
from collections.abc import Mapping
from typing import NamedTuple

from . import errors
from .owner_networkd import HEADER, Section, sections, text_of

DIRECTORY = "/etc/NetworkManager/system-connections"
UNCONFIRMED = "/run/NetworkManager/system-connections"
"""For what is not to be there after the next boot."""

DISPATCHER = "/etc/NetworkManager/dispatcher.d"
PREFIX = "vnet-"
SUFFIX = ".nmconnection"

SCRIPT = """\
#!/bin/sh
# Written by linuxnet.vnet (vnet_bridge, 'uplink'): the mark of the topology that {bridge} is of, for which profiles have no word.
if [ "$1 $2" = "{bridge} up" ]; then
    ip link set dev "$1" group {group}
fi
"""
ASLEEP = "autoconnect=false\n"

CONNECTION_OF_DEVICE = ("lldp", "wait-device-timeout")
CONNECTION_OF_BRIDGE = (
    *("zone", "metered", "mdns", "llmnr", "dns-over-tls", "stable-id", "secondaries", "gateway-ping-timeout"),
    "mptcp-flags",
)
CONNECTION_OF_BOTH = ("autoconnect-priority", "autoconnect-retries", "permissions")
REPLACED = (
    "id",
    "uuid",
    "type",
    "interface-name",
    "autoconnect",
    "timestamp",
    "autoconnect-slaves",
    "autoconnect-ports",
)
"""The keys of [connection] for which each of ours has its own value, or none."""

PORT_OF_ANOTHER = ("master", "controller", "slave-type", "port-type")
TYPES = ("ethernet", "802-3-ethernet")

SECTIONS_OF_DEVICE = ("ethtool", "sriov", "tc", "link", "dcb")
SECTIONS_OF_BRIDGE = ("ipv4", "ipv6", "proxy", "hostname", "user")
METHODS = {
    "ipv4": ("auto", "manual", "link-local", "disabled"),
    "ipv6": ("auto", "dhcp", "manual", "link-local", "ignore", "disabled"),
}

Profile = dict[str, dict[str, str]]


class Source(NamedTuple):
    """How NetworkManager configures a device so far: by the profile with this `uuid`, which is the file `path` with `text`.

    `metric`: of the default routes. `client_id`, `iaid`, `duid`: by which DHCP servers know it, "" where it has no lease.
    `iid`: the lower half of its IPv6 addresses that are made from router advertisements, "" where it has none.
    """

    path: str
    text: str
    uuid: str
    metric: str = ""
    client_id: str = ""
    iaid: str = ""
    duid: str = ""
    iid: str = ""


class Bridge(NamedTuple):
    """What the bridge shall be. `addresses`: those that are asked for besides what the device had."""

    name: str
    mac: str
    mtu: int | None = None
    addresses: tuple[str, ...] = ()


def profile(text: str) -> Profile:
    """The settings of a file by section; Refused where it is none."""
    found: Profile = {}
    for section in sections(text):
        name = "ethernet" if section.name in TYPES else section.name
        found.setdefault(name, {}).update(section.settings)
    return found


def uuids(source: str, bridge: str) -> tuple[str, str]:
    """By which NetworkManager knows the profiles of the bridge and of its port; the same each time."""
    try:
        space = uuid.UUID(source)
    except ValueError:
        raise errors.Refused(f"its uuid is {source!r}, which is none") from None
    return str(uuid.uuid5(space, f"{bridge} bridge")), str(uuid.uuid5(space, f"{bridge} port"))


def names(bridge: str) -> tuple[str, str]:
    """The files of the bridge and of its port."""
    return f"{PREFIX}{bridge}{SUFFIX}", f"{PREFIX}{bridge}-port{SUFFIX}"


def script(bridge: str) -> str:
    """The path of what marks the bridge as a topology's."""
    return f"{DISPATCHER}/{PREFIX}{bridge}"


def lease(profile_uuid: str, device: str) -> str:
    """The file in which its own DHCP client keeps which address it had."""
    return f"/var/lib/NetworkManager/internal-{profile_uuid}-{device}.lease"


def mode_of(path: str) -> int:
    """With which NetworkManager takes a file: no profile that others may read, and no script that is none."""
    return 0o755 if path.startswith(DISPATCHER) else 0o600


def written(uplink: str, bridge: Bridge, source: Source) -> dict[str, str]:
    """The files by name: the profiles of the bridge and of its port. Refused where that is not safe."""
    found = profile(source.text)
    connection = found.get("connection", {})
    check(uplink, found)
    check_connection(uplink, connection, found.get("ethernet", {}))
    bridge_uuid, port_uuid = uuids(source.uuid, bridge.name)
    near = {name: found[name] for name in found if name in SECTIONS_OF_DEVICE}
    far = {name: found[name] for name in found if name in SECTIONS_OF_BRIDGE}
    for family in METHODS:
        far[family] = internet(family, far.get(family, {}), bridge, source)
    ethernet = {"cloned-mac-address": bridge.mac, **({"mtu": str(bridge.mtu)} if bridge.mtu else {})}
    of_bridge: Profile = {
        "connection": {
            "id": f"{PREFIX}{bridge.name}",
            "uuid": bridge_uuid,
            "type": "bridge",
            "interface-name": bridge.name,
            "autoconnect-slaves": "1",
            **only(connection, (*CONNECTION_OF_BRIDGE, *CONNECTION_OF_BOTH)),
        },
        "ethernet": ethernet,
        "bridge": {"stp": "false"},
        **far,
    }
    of_port: Profile = {
        "connection": {
            "id": f"{PREFIX}{bridge.name}-port",
            "uuid": port_uuid,
            "type": "ethernet",
            "interface-name": uplink,
            "master": bridge.name,
            "slave-type": "bridge",
            **only(connection, (*CONNECTION_OF_DEVICE, *CONNECTION_OF_BOTH)),
        },
        "ethernet": found.get("ethernet", {}),
        **near,
    }
    header = HEADER.format(bridge=bridge.name, uplink=uplink)
    return {name: header + keyfile(part) for name, part in zip(names(bridge.name), (of_bridge, of_port))}


def only(settings: Mapping[str, str], keys: tuple[str, ...]) -> dict[str, str]:
    """Those of the settings that have one of these keys."""
    return {key: value for key, value in settings.items() if key in keys}


def keyfile(found: Profile) -> str:
    """A profile as a file has it."""
    return text_of([Section(name, tuple(settings.items())) for name, settings in found.items()])


def check(uplink: str, found: Profile) -> None:
    """Refused where a section is not known for sure to belong to the device or to the bridge, or names the device."""
    for name, settings in found.items():
        if name not in ("connection", "ethernet", *SECTIONS_OF_DEVICE, *SECTIONS_OF_BRIDGE):
            raise errors.Refused(f"it has a section [{name}], of which it is not known where it belongs then")
        for key, value in settings.items():
            if name in SECTIONS_OF_BRIDGE and uplink in re.split(r"[\s,;=]+", value):
                raise errors.Refused(f"it names {uplink} by {key}= in [{name}], which would have to name the bridge")
    cloned = found.get("ethernet", {}).get("cloned-mac-address", "preserve")
    if cloned not in ("preserve", "permanent") and not re.fullmatch(r"(?i)([0-9a-f]{2}:){5}[0-9a-f]{2}", cloned):
        raise errors.Refused(
            f"it has cloned-mac-address={cloned}, by which the device has another MAC address after a boot"
        )


def check_connection(uplink: str, connection: Mapping[str, str], ethernet: Mapping[str, str]) -> None:
    """Refused where the profile is none for this one device alone, which is configured by it when the host boots."""
    if connection.get("type") not in TYPES:
        raise errors.Refused(f"it is of the type {connection.get('type')}, and not ethernet")
    for key in PORT_OF_ANOTHER:
        if connection.get(key):
            raise errors.Refused(f"it has {key}={connection[key]}, so {uplink} is part of another device")
    if connection.get("autoconnect", "true") not in ("true", "1"):
        raise errors.Refused(
            f"it has autoconnect={connection['autoconnect']}, so {uplink} is not configured when the host boots"
        )
    if connection.get("multi-connect", "0") not in ("0", "1"):
        raise errors.Refused(
            f"it has multi-connect={connection['multi-connect']}, so it may be about others than {uplink}"
        )
    if connection.get("interface-name", "") != uplink and not ethernet.get("mac-address"):
        raise errors.Refused(
            f"it may be about others than {uplink}, too: let it have interface-name={uplink} in [connection]"
        )
    known = {
        *REPLACED,
        *CONNECTION_OF_DEVICE,
        *CONNECTION_OF_BRIDGE,
        *CONNECTION_OF_BOTH,
        *PORT_OF_ANOTHER,
        "multi-connect",
    }
    unknown = sorted(set(connection) - known)
    if unknown:
        raise errors.Refused(f"it has {unknown[0]}= in [connection], of which it is not known where it belongs then")


def internet(family: str, settings: Mapping[str, str], bridge: Bridge, source: Source) -> dict[str, str]:
    """A section [ipv4] or [ipv6] as the bridge has it: so that it gets the same addresses, and its routes the same metric."""
    found = dict(settings)
    method = found.setdefault("method", "auto")
    if method not in METHODS[family]:
        raise errors.Refused(f"it has method={method} in [{family}], which is not one of {', '.join(METHODS[family])}")
    if source.metric and method not in ("ignore", "disabled") and found.get("route-metric", "-1") == "-1":
        found["route-metric"] = source.metric
    if family == "ipv4" and source.client_id:
        found["dhcp-client-id"] = source.client_id
    if family == "ipv6":
        found.update({key: value for key, value in (("dhcp-iaid", source.iaid), ("dhcp-duid", source.duid)) if value})
        if method == "auto" and source.iid not in ("", eui64(bridge.mac)):
            found.update({"addr-gen-mode": "eui64", "token": source.iid})
    has = statics(settings)
    more = [address for address in bridge.addresses if (":" in address) == (family == "ipv6") and address not in has]
    if more and method in ("link-local", "ignore", "disabled"):
        found["method"] = "manual"
    numbers = [int(match[1] or 0) for match in (re.fullmatch(r"address(?:es)?(\d*)", key) for key in found) if match]
    for number, address in enumerate(more, max(numbers, default=0) + 1):
        found[f"address{number}"] = address
    return found


def statics(settings: Mapping[str, str]) -> set[str]:
    """The addresses that a section gives by itself."""
    found = set()
    for key, value in settings.items():
        if re.fullmatch(r"address(es)?\d*", key):
            address = re.split(r"[,;\s]", value)[0]
            try:
                found.add(str(ipaddress.ip_interface(address)))
            except ValueError:
                raise errors.Refused(f"'{key}={value}' is not understood") from None
            if "/" not in address:
                raise errors.Refused(f"'{key}={value}' is not understood, as it has no prefix length")
    return found


def all_statics(text: str) -> set[str]:
    """The addresses that a profile gives by itself."""
    found = profile(text)
    return {address for family in METHODS for address in statics(found.get(family, {}))}


def eui64(mac: str) -> str:
    """The lower half of the IPv6 addresses that are made from a MAC address."""
    octets = [int(octet, 16) for octet in mac.split(":")]
    return lower_half(bytes([octets[0] ^ 2, *octets[1:3], 0xFF, 0xFE, *octets[3:]]))


def lower_half(octets: bytes) -> str:
    """The lower half of an IPv6 address, in the words of `token`."""
    return str(ipaddress.IPv6Address(octets.rjust(16, b"\0")))


def iid_of(device: str, if_inet6: str) -> str:
    """The lower half of a device's IPv6 addresses that are made from router advertisements; Refused where there are several.

    `if_inet6`: the kernel's list of addresses (proc(5)).
    """
    found = set()
    for line in if_inet6.splitlines():
        words = line.split()
        if len(words) == 6 and words[5] == device and words[2:4] == ["40", "00"] and not int(words[4], 16) & 0x81:
            # Neither permanent nor temporary, of global scope.
            found.add(lower_half(bytes.fromhex(words[0])[8:]))
    if len(found) > 1:
        raise errors.Refused(
            f"{device} has IPv6 addresses of several networks, of which the bridge could not have the same: let the profile have"
            " addr-gen-mode=eui64 in [ipv6]"
        )
    return found.pop() if found else ""


def asleep(text: str) -> tuple[str, str]:
    """A profile that doesn't begin by itself, and the line that it has lost by that, in place of which is ASLEEP."""
    found, old, section = text.splitlines(keepends=True), "", ""
    place = 0
    for number, line in enumerate(found):
        if line.startswith("["):
            section = line.strip()
            place = number + 1 if section == "[connection]" else place
        elif section == "[connection]" and line.partition("=")[0].strip() == "autoconnect":
            old, place = line, number
            break
    return "".join([*found[:place], ASLEEP, *found[place + bool(old) :]]), old


def check_others(uplink: str, source: Source, bridge: str, others: Mapping[str, str]) -> None:
    """Refused where other profiles are about the bridge, or make something of the device that the bridge would have to be."""
    for path, text in sorted(others.items()):
        try:
            found = profile(text)
        except errors.Refused:
            continue  # nor does NetworkManager understand it
        connection = found.get("connection", {})
        if connection.get("interface-name") == bridge:
            raise errors.Refused(f"{path} is about {bridge} already")
        for name, settings in found.items():
            for key, value in settings.items():
                if key in ("parent", "master", "controller") and value in (uplink, source.uuid):
                    raise errors.Refused(
                        f"{path} has {key}={value} in [{name}], so it stands on {uplink}, which would be a port"
                    )


def state_with(text: str, profile_uuid: str, is_ours: bool) -> str:
    """What NetworkManager has noted of a device, with this profile: when it starts it goes on as it stands.

    `is_ours`: whether the device is one that it makes.
    """
    fake = "".join(re.findall(r"(?m)^perm-hw-addr-fake=.*\n", text))
    owned = str(is_ours).lower()
    return f"[device]\nmanaged=true\n{fake}connection-uuid={profile_uuid}\nnm-owned={owned}\n"
