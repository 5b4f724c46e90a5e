# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""The network of role vxlan_overlay: variables, and what is on the host, to the entries of one topology."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

from .layouts import DEVICE_BYTES, Address, Problem, derived_mac, device_name, interface, links_of, plain, unique
from .overlay_bgp import Bgp, block, has_block

ROLE = "vxlan_overlay"
SEGMENTS = f"{ROLE}_segments"
ADDRESS = f"{ROLE}_address"
CONTROL_PLANE = f"{ROLE}_control_plane"
FLOOD, EVPN = "flood", "evpn"
"""How a host gets to know what is behind which other one: from the packets themselves, or by BGP (RFC 8365)."""

HEADERS = {4: 50, 6: 70}
"""What a frame takes more as a packet between hosts: Ethernet, VXLAN, UDP and IP of the underlay's version (RFC 7348)."""
HIGHEST_VNI = (1 << 24) - 1


def overlay_network(
    segments: Sequence[Mapping[str, Any]],
    *,
    group: str,
    hosts: Mapping[str, Any],
    host: str,
    port: int,
    found: Mapping[str, Any],
    control_plane: str = FLOOD,
    bgp: Bgp | None = None,
) -> dict[str, Any]:
    """What `vnet_topology` is to be called with, and under `segments` all of them with their devices and MTU. Raises Problem.

    `hosts` are the addresses of the group's hosts in the underlay, by inventory name, and `host` is one of these names. Under
    `frr` is what FRR's file has to say, "" for nothing, and where `bgp` is None, as FRR is not to be looked after.
    """
    if control_plane not in (FLOOD, EVPN):
        raise Problem(f"{CONTROL_PLANE}: {control_plane!r} is neither {FLOOD} nor {EVPN}")
    plain(f"{ROLE}_group", group, "a group's name here")
    addresses = {each: _address(each, text, group) for each, text in hosts.items()}
    if host not in addresses:
        raise Problem(f"{ROLE}_group: {host} is not in the group {group}, whose hosts share the segments")
    own = addresses.pop(host)
    _fit(own, addresses)
    device = _device_of(own, host, found)
    links = links_of(found)
    underlay = int(links[device]["mtu"])
    placed = [_placed(segment, own, underlay) for segment in segments]
    if control_plane == EVPN:
        _fit_evpn(own, placed)
    for key in ("name", "vni", "bridge"):
        unique(SEGMENTS, placed, key)
    others = sorted(addresses.values(), key=int)
    name = f"{ROLE}-{group}"
    ours = bgp is not None and has_block(bgp.text, name)
    return {
        "name": name,
        "segments": placed,
        "bridges": [
            {
                "name": segment["bridge"],
                "mac": derived_mac(host, segment["bridge"]),
                "mtu": segment["mtu"],
                "addresses": segment["addresses"],
            }
            for segment in placed
        ],
        "vxlans": [
            {
                "name": segment["device"],
                "vni": segment["vni"],
                "local": str(own),
                "dstport": port,
                "mtu": segment["mtu"],
                "master": segment["bridge"],
                **_control(control_plane, segment, others, device, links.get(segment["device"], {}), ours),
            }
            for segment in placed
        ],
        "bridge_ports": [
            # As FRR asks for: it tells the bridge which MACs are behind the device, and the kernel which ARP requests it can answer by itself.
            {"name": segment["device"], "learning": False, "neigh_suppress": True}
            for segment in placed
            if control_plane == EVPN
        ],
        "frr": block(bgp, name, host, own, addresses) if bgp and control_plane == EVPN else "",
    }


def _address(name: str, text: Any, group: str) -> Address:
    try:
        found = ipaddress.ip_address(str(text))
    except ValueError:
        raise Problem(
            f"{ADDRESS}: host {name} has {str(text)!r}, which is no IP address: each host of the group {group} needs the"
            " one under which the others reach it"
        ) from None
    if found.is_multicast or found.is_unspecified or found.is_loopback:
        raise Problem(f"{ADDRESS}: host {name} has {found}, under which no other host reaches it")
    return found


def _fit(own: Address, others: Mapping[str, Address]) -> None:
    """Raise Problem where the hosts can't be in one underlay."""
    seen = {own: "this host"}
    for name, address in others.items():
        if address in seen:
            raise Problem(f"{ADDRESS}: {seen[address]} and {name} both have {address}")
        seen[address] = name
        if address.version != own.version:
            raise Problem(
                f"{ADDRESS}: {name} has {address}, and this host has {own}: IPv4 or IPv6, but the same for all"
            )


def _device_of(own: Address, host: str, found: Mapping[str, Any]) -> str:
    """The device that has this host's address."""
    for name, link in links_of(found).items():
        if any(ipaddress.ip_interface(text).ip == own for text in link.get("addresses", ())):
            return name
    raise Problem(f"{ADDRESS}: no device of host {host} has the address {own}")


def _placed(segment: Mapping[str, Any], own: Address, underlay: int) -> dict[str, Any]:
    """A segment, with all that was not said of it."""
    name = plain(SEGMENTS, segment.get("name", ""), "a segment's name")
    vni = int(segment.get("vni") or 0)
    if not 1 <= vni <= HIGHEST_VNI:
        raise Problem(f"{SEGMENTS}: {name} has the VNI {vni}, where 1 to {HIGHEST_VNI} can be")
    bridge = str(segment.get("bridge") or device_name("br-", name))
    plain(SEGMENTS, bridge, "a bridge's name here")
    if len(bridge) > DEVICE_BYTES:
        raise Problem(f"{SEGMENTS}: {name} has the bridge {bridge}, a name of more than {DEVICE_BYTES} bytes")
    most = underlay - HEADERS[own.version]
    mtu = int(segment.get("mtu") or most)
    if mtu > most:
        raise Problem(
            f"{SEGMENTS}: {name} has the MTU {mtu}, and the underlay carries {most}: its own is {underlay}, and headers"
            f" take {HEADERS[own.version]}"
        )
    return {
        "name": name,
        "vni": vni,
        "bridge": bridge,
        "device": device_name("vx-", name),
        "mtu": mtu,
        "addresses": [str(interface(SEGMENTS, address)) for address in segment.get("addresses") or ()],
        "group": _group(name, segment.get("group"), own),
    }


def _group(name: str, text: Any, own: Address) -> str:
    """The multicast group of a segment, "" where each host is told the others."""
    if text in (None, ""):
        return ""
    try:
        group = ipaddress.ip_address(str(text))
    except ValueError:
        raise Problem(f"{SEGMENTS}: {name} has the group {text!r}, which is no IP address") from None
    if not group.is_multicast or group.version != own.version:
        raise Problem(f"{SEGMENTS}: {name} has the group {group}, which is no multicast address of IPv{own.version}")
    return str(group)


def _fit_evpn(own: Address, segments: Sequence[Mapping[str, Any]]) -> None:
    """Raise Problem where FRR's EVPN can't be for these."""
    if own.version != 4:
        raise Problem(f"{CONTROL_PLANE}: {EVPN} by FRR takes an underlay of IPv4, and this host has {own} there")
    for segment in segments:
        if segment["group"]:
            raise Problem(
                f"{SEGMENTS}: {segment['name']} has the group {segment['group']}, which goes with the control plane {FLOOD}:"
                f" by {EVPN} each host knows the others of a segment"
            )


def _control(
    control_plane: str,
    segment: Mapping[str, Any],
    others: Sequence[Address],
    device: str,
    found: Mapping[str, Any],
    begun: bool,
) -> dict[str, Any]:
    """Who tells a VXLAN device what is where. `found`: the device as it is, empty for none; `begun`: FRR is told already."""
    if control_plane == EVPN:
        # The entries of an earlier list go. The kernel doesn't tell them from FRR's own, so nothing is said of them once FRR writes some.
        earlier: dict[str, Any] = {"remotes": []} if found.get("learning", False) and not begun else {}
        return {"learning": False, "group": "", **earlier}
    if not found.get("learning", True):
        raise Problem(
            f"{CONTROL_PLANE}: {segment['device']} is one that {EVPN} looks after, and what FRR has written goes with FRR's"
            f" own time: run the role with {ROLE}_state: absent, before it can be one of {FLOOD}"
        )
    return _flooding(segment, others, device)


def _flooding(segment: Mapping[str, Any], others: Sequence[Address], device: str) -> dict[str, Any]:
    """To whom goes what nobody knows the place of."""
    if segment["group"]:
        return {"group": segment["group"], "dev": device}
    return {"remotes": [str(address) for address in others]}
