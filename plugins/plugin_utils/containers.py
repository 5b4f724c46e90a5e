# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""The network of role nat_container_host: variables, and what is on the host, to the entries of one topology."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

from .layouts import (
    Interface,
    Problem,
    allocate,
    default_device,
    derived_mac,
    device_name,
    interface,
    links_of,
    networks_on,
    plain,
    unique,
)

ROLE = "nat_container_host"
CONTAINERS = f"{ROLE}_containers"
DEVICE = "eth0"
"""What a container calls its only device."""


def container_network(
    containers: Sequence[Mapping[str, Any]],
    *,
    bridge: str,
    gateway: str,
    gateway6: str | None,
    uplink: str | None,
    port_forwards: Sequence[Mapping[str, Any]],
    isolate: bool,
    nameservers: Sequence[str],
    found: Mapping[str, Any],
    kept: Mapping[str, Any],
    checking: bool = False,
) -> dict[str, Any]:
    """What `vnet_topology` is to be called with, and under `containers` all of them with their addresses. Raises Problem.

    Where it is for a check run, devices may be missing: an earlier task might have made them.
    """
    plain(f"{ROLE}_bridge", bridge, "a bridge's name here")
    for entry in containers:
        plain(CONTAINERS, entry["name"], "a container's name")
    unique(CONTAINERS, containers, "name")
    gateways = [interface(f"{ROLE}_gateway", gateway)]
    if gateways[0].version != 4:
        raise Problem(f"{ROLE}_gateway: {gateway} is none of IPv4; {ROLE}_gateway6 takes one of IPv6")
    if gateway6:
        gateways.append(interface(f"{ROLE}_gateway6", gateway6))
        if gateways[1].version != 6:
            raise Problem(f"{ROLE}_gateway6: {gateway6} is none of IPv6")
    elif any(entry.get("address6") for entry in containers):
        raise Problem(f"{CONTAINERS}: an address6 was given, but {ROLE}_gateway6 was not")
    outside = _uplink(uplink, bridge, found, checking)
    _apart(bridge, gateways, found)
    placed = _placed(containers, gateways, found, kept)
    for entry in placed:
        entry["nameservers"] = [_nameserver(entry, each) for each in _listed(entry.get("nameservers", nameservers))]
    name = f"{ROLE}-{bridge}"
    forwards = _forwards(port_forwards, placed)
    return {
        "name": name,
        "uplink": outside,
        "containers": placed,
        "bridges": [{"name": bridge, "mac": derived_mac(ROLE, bridge), "addresses": [str(each) for each in gateways]}],
        "namespaces": [{"name": entry["name"]} for entry in placed],
        "veths": [_veth(entry, bridge) for entry in placed],
        "bridge_ports": _ports(placed, port_forwards),
        "routes": [
            {"netns": entry["name"], "destination": "default", "gateway": str(each.ip)}
            for entry in placed
            for each in gateways
        ],
        "forwarding": [{"ipv4": True, "ipv6": True} if gateway6 else {"ipv4": True}],
        "nats": [
            {
                "name": name,
                "source": [str(each.network) for each in gateways],
                "out_interface": [outside] if outside else [],
                "isolate": isolate,
                "port_forwards": forwards,
            }
        ],
    }


def _uplink(uplink: str | None, bridge: str, found: Mapping[str, Any], checking: bool) -> str | None:
    variable, links = f"{ROLE}_uplink", links_of(found)
    device = uplink or default_device(found)
    if device is None and checking:
        return None
    if device is None:
        raise Problem(f"{variable}: the host has no default route that would tell which device leads outside: name it")
    if device == bridge:
        raise Problem(
            f"{variable}: {device} is the containers' own bridge: name another device, or another {ROLE}_bridge"
        )
    link = links.get(device)
    if link is None and not checking:
        raise Problem(f"{variable}: the host has no device {device!r}")
    if link and link.get("master"):
        raise Problem(
            f"{variable}: {device} is a port of {link['master']}, where the host's addresses belong: name that one"
        )
    return device


def _apart(bridge: str, gateways: Sequence[Interface], found: Mapping[str, Any]) -> None:
    """Raise Problem where the host has the containers' network elsewhere."""
    for variable, gateway in zip((f"{ROLE}_gateway", f"{ROLE}_gateway6"), gateways):
        for name, link in links_of(found).items():
            if name != bridge and any(gateway.network == network for network in networks_on(link)):
                raise Problem(
                    f"{variable}: {name} has an address in {gateway.network} already: take another network for the containers"
                )


def _placed(
    containers: Sequence[Mapping[str, Any]],
    gateways: Sequence[Interface],
    found: Mapping[str, Any],
    kept: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """The containers, each with its addresses: those given, those that it has, or the next free ones."""
    existing = existing_addresses(found, kept)
    placed = [
        {**entry, "name": str(entry["name"]), "device": device_name("veth-", str(entry["name"]))}
        for entry in containers
    ]
    unique(CONTAINERS, placed, "device")
    for gateway in gateways:
        key = "address" if gateway.version == 4 else "address6"
        addresses = allocate(CONTAINERS, containers, key, gateway, existing)
        for entry in placed:
            entry[key] = str(addresses[entry["name"]])
    return placed


def existing_addresses(found: Mapping[str, Any], kept: Mapping[str, Any]) -> dict[str, list[str]]:
    """The addresses that containers have, by name: those kept for the next boot first, as what is there may have been tampered with."""
    existing: dict[str, list[str]] = {}
    for veth in kept.get("options", {}).get("veths") or ():
        peer = veth.get("peer") or {}
        existing.setdefault(str(peer.get("netns")), []).extend(peer.get("addresses") or ())
    for name, namespace in found.get("namespaces", {}).items():
        existing.setdefault(name, []).extend(namespace.get("links", {}).get(DEVICE, {}).get("addresses") or ())
    return existing


def _veth(entry: Mapping[str, Any], bridge: str) -> dict[str, Any]:
    name = entry["name"]
    mtu = {} if entry.get("mtu") is None else {"mtu": entry["mtu"]}
    return {
        "name": entry["device"],
        "master": bridge,
        # Of its own, as what the kernel picks would be another one after each boot.
        "mac": derived_mac(ROLE, bridge, name, "port"),
        **mtu,
        "peer": {
            "name": DEVICE,
            "netns": name,
            "mac": entry.get("mac") or derived_mac(ROLE, bridge, name),
            "addresses": [entry[key] for key in ("address", "address6") if entry.get(key)],
            **mtu,
        },
    }


def _ports(placed: Sequence[Mapping[str, Any]], port_forwards: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The ports of containers that a port forward leads to.

    Such a container may ask for its own port. Where `br_netfilter` shows bridged frames to the firewall, that frame is
    translated in the bridge, and has to leave it by the port by which it came.
    """
    reached = {str(forward["container"]) for forward in port_forwards}
    return [{"name": entry["device"], "hairpin": True} for entry in placed if entry["name"] in reached]


def _forwards(port_forwards: Sequence[Mapping[str, Any]], placed: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The port forwards by address: one for each family that the container and `in_address` have."""
    known = {entry["name"]: entry for entry in placed}
    forwards = []
    for forward in port_forwards:
        container = known.get(str(forward["container"]))
        if container is None:
            raise Problem(
                f"{ROLE}_port_forwards: port {forward['port']} leads to {forward['container']!r}, which is none of {CONTAINERS}"
            )
        at = _listed(forward.get("in_address"))
        families = 0
        for key, version in (("address", 4), ("address6", 6)):
            inside = [str(address) for address in at if _version(forward, address) == version]
            if not container.get(key) or (at and not inside):
                continue
            families += 1
            forwards.append(
                {
                    "protocol": forward.get("protocol") or "tcp",
                    "port": str(forward["port"]),
                    "to_address": str(ipaddress.ip_interface(container[key]).ip),
                    **({"to_port": str(forward["to_port"])} if forward.get("to_port") else {}),
                    **({"in_address": inside} if inside else {}),
                }
            )
        if not families:
            raise Problem(
                f"{ROLE}_port_forwards: port {forward['port']} is of IPv6 addresses only, and {forward['container']} has none"
            )
    return forwards


def _nameserver(entry: Mapping[str, Any], value: Any) -> str:
    """An address, as resolv.conf(5) takes no names; or Problem."""
    try:
        return str(ipaddress.ip_address(str(value)))
    except ValueError:
        variable = CONTAINERS if "nameservers" in entry else f"{ROLE}_nameservers"
        raise Problem(f"{variable}: {entry['name']} has the nameserver {value!r}, which is no address") from None


def _listed(value: Any) -> Sequence[Any]:
    """A list, as Ansible reads one: a string of commas is one as well."""
    return value.split(",") if isinstance(value, str) else value or ()


def _version(forward: Mapping[str, Any], address: Any) -> int:
    try:
        return ipaddress.ip_address(str(address)).version
    except ValueError:
        raise Problem(
            f"{ROLE}_port_forwards: port {forward['port']} has the in_address {address!r}, which is no address"
        ) from None
