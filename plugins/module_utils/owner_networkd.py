# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""An uplink and its bridge in the words of systemd-networkd: systemd.network(5), systemd.netdev(5). Pure, text to text.

The file by which a device is configured so far is left as it is. Ours come before it in the order of the alphabet, in
which networkd takes the first that matches: so whoever removes them has the device as it was. The bridge gets all that
concerns IP, in the same words and order; the device keeps what concerns Ethernet.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from . import errors

DIRECTORY = "/etc/systemd/network"
UNCONFIRMED = "/run/systemd/network"
"""For what is not to be there after the next boot."""

PREFIX = "0-vnet-"

HEADER = "# Written by linuxnet.vnet (vnet_bridge, 'uplink'), and removed when {bridge} gives {uplink} back.\n"

OF_DEVICE = (
    *("LLDP", "EmitLLDP", "VLAN"),
    *("ARP", "Multicast", "AllMulticast", "Promiscuous", "MACAddress"),
)
"""The keys of [Network] and [Link] that stay with the device: they are about frames, or of what stands on it."""

OF_BOTH = ("MTUBytes", "ActivationPolicy")
OF_LINK = ("RequiredForOnline", "RequiredFamilyForOnline")
"""The keys of [Link] that pass to the bridge."""

NO_PORT = (
    *("Bridge", "Bond", "VRF", "BatmanAdvanced", "MACVLAN", "MACVTAP", "IPVLAN", "IPVTAP", "MACsec", "Xfrm"),
    *("Tunnel", "VXLAN", "L2TP", "ActiveSlave", "PrimarySlave", "IPoIB"),
)
"""The keys of [Network] by which a device is part of another one, or carries some that take its frames or its addresses."""

SECTIONS_OF_DEVICE = (
    *("SR-IOV", "QDisc", "CAKE", "FlowQueuePIE", "FairQueueing", "FairQueueingCoDel", "PFIFO", "PFIFOFast", "CoDel"),
    *("TokenBucketFilter", "NetworkEmulator", "StochasticFairBlue", "StochasticFairnessQueueing", "BFIFO", "PIE"),
    *("PFIFOHeadDrop", "QuickFairQueueing", "QuickFairQueueingClass", "TrivialLinkEqualizer"),
    *("GenericRandomEarlyDetection", "HeavyHitterFilter", "ClassfulMultiQueueing", "DeficitRoundRobinScheduler"),
    *("DeficitRoundRobinSchedulerClass", "EnhancedTransmissionSelection", "ControlledDelay"),
    *("HierarchyTokenBucket", "HierarchyTokenBucketClass", "BandMultiQueueing"),
)
SECTIONS_OF_BRIDGE = (
    *("Address", "Neighbor", "IPv6AddressLabel", "RoutingPolicyRule", "NextHop", "Route"),
    *("DHCP", "DHCPv4", "DHCPv6", "DHCPPrefixDelegation", "IPv6PrefixDelegation", "IPv6AcceptRA"),
    *("DHCPServer", "DHCPServerStaticLease", "IPv6SendRA", "IPv6Prefix", "IPv6RoutePrefix"),
)


class Section(NamedTuple):
    """A section with its settings in their order."""

    name: str
    settings: tuple[tuple[str, str], ...]


class Source(NamedTuple):
    """How networkd configures a device so far. `name`: of its .network file; `text`: of that, and of its drop-ins after it.

    `iaid`, `iaid6`: by which DHCP servers know it, None where it has no lease, or one by the MAC address.
    """

    name: str
    text: str
    iaid: int | None = None
    iaid6: int | None = None


class Bridge(NamedTuple):
    """What the bridge shall be. `addresses`: those that are asked for besides what the device had."""

    name: str
    mac: str
    mtu: int | None = None
    group: int = 0
    addresses: tuple[str, ...] = ()


def sections(text: str) -> tuple[Section, ...]:
    """The sections of a file; Refused where it is none."""
    found: list[tuple[str, list[tuple[str, str]]]] = []
    # A line that ends in a backslash goes on in the next one; comments in between don't end it.
    kept = [line for line in text.splitlines() if not line.lstrip().startswith(("#", ";"))]
    for line in re.sub(r"\\\n", " ", "\n".join(kept)).splitlines():
        stripped = line.strip()
        if not stripped:
            continue
        heading = re.fullmatch(r"\[([^\[\]]+)\]", stripped)
        key, equals, value = stripped.partition("=")
        if heading:
            found.append((heading[1], []))
        elif equals and found:
            found[-1][1].append((key.strip(), value.strip()))
        else:
            raise errors.Refused(f"the line {stripped!r} is not understood")
    return tuple(Section(name, tuple(settings)) for name, settings in found)


def written(uplink: str, bridge: Bridge, source: Source) -> dict[str, str]:
    """The files by name: the bridge, and what is configured on it and on the device. Refused where that is not safe."""
    names = {f"{PREFIX}{device}.network" for device in (uplink, bridge.name)}
    if source.name <= max(names):
        raise errors.Refused(
            f"its name is before {PREFIX}* in the order of the alphabet, so that nothing could take its place"
        )
    near, far = split(uplink, sections(source.text))
    have = {value.split()[0] for name, settings in far for key, value in settings if key == "Address" and value.split()}
    header = HEADER.format(bridge=bridge.name, uplink=uplink)
    device = [("Name", bridge.name), ("Kind", "bridge"), ("MACAddress", bridge.mac)]
    device += [("MTUBytes", str(bridge.mtu))] if bridge.mtu else []
    extra: list[Section] = []
    if bridge.group:
        extra.append(Section("Link", (("Group", str(bridge.group)),)))
    more = [("Address", address) for address in bridge.addresses if address not in have]
    if more:
        extra.append(Section("Network", tuple(more)))
    extra += identities(source.iaid, source.iaid6)
    port = (
        Section("Link", (("RequiredForOnline", "no"),)),
        Section("Network", (("Bridge", bridge.name), ("LinkLocalAddressing", "no"), ("IPv6AcceptRA", "no"))),
    )
    return {
        f"{PREFIX}{bridge.name}.netdev": header + text_of([Section("NetDev", tuple(device))]),
        f"{PREFIX}{bridge.name}.network": header + text_of([named(bridge.name), *far, *extra]),
        f"{PREFIX}{uplink}.network": header + text_of([named(uplink), *near, *port]),
    }


def identities(iaid: int | None, iaid6: int | None) -> list[Section]:
    """By which DHCP servers know the bridge as what the device was."""
    numbers = (("DHCPv4", iaid), ("DHCPv6", iaid6))
    return [Section(name, (("IAID", str(number)),)) for name, number in numbers if number is not None]


def split(uplink: str, found: Iterable[Section]) -> tuple[list[Section], list[Section]]:
    """What stays with the device, and what passes to the bridge."""
    near: list[Section] = []
    far: list[Section] = []
    for section in found:
        for place, keys in ((near, staying(uplink, section)), (far, passing(section))):
            settings = tuple(setting for setting in section.settings if setting[0] in keys)
            if settings:
                place.append(Section(section.name, settings))
    return near, far


def staying(uplink: str, section: Section) -> set[str]:
    """The keys of a section that stay with the device. Refused where one can't, and can't pass either."""
    keys = {key for key, _value in section.settings}
    if section.name == "Match":
        return set()
    if section.name == "Link":
        unknown = sorted(keys - {*OF_DEVICE, *OF_BOTH, *OF_LINK})
        if unknown:
            raise errors.Refused(f"it has {unknown[0]}= in [Link], of which it is not known where it belongs then")
        return keys - {*OF_LINK}
    if section.name == "Network":
        barred = sorted(keys & {*NO_PORT})
        if barred:
            raise errors.Refused(f"it has {barred[0]}=, which does not go together with a bridge")
    elif section.name in SECTIONS_OF_DEVICE:
        return keys
    elif section.name not in SECTIONS_OF_BRIDGE:
        raise errors.Refused(f"it has a section [{section.name}], of which it is not known where it belongs then")
    for key, value in section.settings:
        if uplink in value.split() and key not in OF_DEVICE:
            raise errors.Refused(f"it names {uplink} by {key}=, which would have to name the bridge")
    return keys & {*OF_DEVICE} if section.name == "Network" else set()


def passing(section: Section) -> set[str]:
    """The keys of a section that pass to the bridge."""
    keys = {key for key, _value in section.settings}
    if section.name == "Link":
        return keys & {*OF_LINK, *OF_BOTH}
    if section.name == "Network":
        return keys - {*OF_DEVICE}
    return keys if section.name in SECTIONS_OF_BRIDGE else set()


def named(device: str) -> Section:
    """What a file is for."""
    return Section("Match", (("Name", device),))


def text_of(found: Iterable[Section]) -> str:
    """Sections as a file has them."""
    return "\n".join(
        "".join([f"[{section.name}]\n", *(f"{key}={value}\n" for key, value in section.settings)]) for section in found
    )


def statics(source: Source) -> set[str]:
    """The addresses that the file gives by itself."""
    found = (setting for section in sections(source.text) for setting in section.settings)
    return {value.split()[0] for key, value in found if key == "Address" and value.split()}


def check_others(bridge: str, uplink_mac: str, others: Mapping[str, str]) -> None:
    """Refused where other files in networkd's and udev's directories would mistake the bridge, which has the device's MAC."""
    for path, text in sorted(others.items()):
        if path.rpartition("/")[2].startswith(PREFIX):
            continue
        found = {name: dict(settings) for name, settings in sections(text)}
        if path.endswith(".netdev") and found.get("NetDev", {}).get("Name") == bridge:
            raise errors.Refused(f"{path} makes a device {bridge} already")
        match = found.get("Match", {})
        macs = match.get("MACAddress", "").lower().replace("-", ":").split()
        particular = {"Type", "Driver", "Path", "OriginalName", "PermanentMACAddress", "Kind"} & set(match)
        if path.endswith(".link") and uplink_mac.lower() in macs and not particular:
            raise errors.Refused(
                f"{path} is for all devices with the MAC address {uplink_mac}, which the bridge will have, too: let it have"
                " 'Type=ether' or PermanentMACAddress= in [Match]"
            )


def iaid_of(client_id: str) -> int | None:
    """The IAID in a DHCPv4 client identifier in hexadecimal (RFC 4361), None where it is of another kind."""
    return int(client_id[2:10], 16) if re.fullmatch(r"(?i)ff[0-9a-f]{8,}", client_id) else None
