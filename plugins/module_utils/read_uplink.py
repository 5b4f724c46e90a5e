# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""Reading what is on an uplink and on its bridge, what can't leave it, and who would mind."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from . import files, netlink, programs, read_links, sysctl
from .later import Later
from .rows import RTPROT_KERNEL, Route
from .state import IFA_F_NOPREFIXROUTE, Addr, Key, Link, Nexthop, Setup, UplinkFacts
from .uplink import KeptUplink, Record, kept_path, path_of, unconfirmed_path

if TYPE_CHECKING:
    from . import owners, read_owner
else:
    owners = Later("owners")
    read_owner = Later("read_owner")

TAKES_ALL_FRAMES = ("macvlan", "macvtap", "ipvlan", "ipvtap")
"""Devices on another one that take its frames before a bridge could (its rx_handler)."""

STANDS_ON = {"vlan": "frames of its VLAN never reach the bridge", "vxlan": "its packets go on being sent there"}
USUAL_QUEUEING = ("", "noqueue", "noop", "mq", "fq", "fq_codel", "pfifo_fast", "pfifo")
ROUTE_TYPES = (1, 6, 7, 8)
"""The types of routes that somebody made; the others the kernel keeps for its own addresses."""


def names_of(reader: read_links.LinkReader, bridge: Key, asked: str | None) -> list[str]:
    """The devices that are, or shall be, uplinks of a bridge. Reads its record."""
    path = path_of(bridge)
    for place in (path, kept_path(bridge), unconfirmed_path(bridge)):
        if place not in reader.state.files:
            reader.state.files[place] = files.read_text(place)
    known = [Record.read(reader.state.text(place)).uplink for place in (path, kept_path(bridge))]
    return list(dict.fromkeys(name for name in (asked, *known) if name))


def read(reader: read_links.LinkReader, bridge: Key, name: str) -> None:
    """Read all that passes between a bridge and an uplink."""
    uplink, netns = reader.link(bridge[0], name), bridge[0]
    for link in (uplink, reader.state.links.get(bridge)):
        if link:
            reader.state.put(with_all(reader, link))
            for device in (link.name, "default"):
                key = sysctl.of_device("ipv6", device, "accept_ra")
                value = reader.inside(netns, sysctl.read, key)
                if value is not None:
                    reader.state.sysctls[netns, key] = value
    kept = [KeptUplink.read(path, reader.state.text(path)) for path in (kept_path(bridge), unconfirmed_path(bridge))]
    if uplink:
        reader.state.uplinks[uplink.key] = facts_of(reader, uplink, bridge[1])
    facts = reader.state.uplinks.get((netns, name), UplinkFacts())
    for path in read_owner.written_to([facts.setup, *filter(None, kept)], name, bridge[1]):
        reader.state.files[path] = files.read_text(path)


def with_all(reader: read_links.LinkReader, link: Link) -> Link:
    """A link with all that may have to pass to another one."""
    messages = reader.host.socket(link.netns).addresses(link.index)
    link = replace(link, addresses=tuple(addr for addr in map(read_links.address_value, messages) if addr))
    return replace(
        link,
        routes=tuple(all_routes(reader, link)),
        neighbors=tuple(reader.neighbors(link)),
        nexthops=tuple(nexthops(reader, link)),
        mac_is_set=reader.mac_is_set(link) if link.kind == "bridge" else True,
    )


def all_routes(reader: read_links.LinkReader, link: Link) -> Iterator[Route]:
    """Those through a link in all tables, learned ones among them; not those that come and go with its addresses."""
    bare = {network_of(addr) for addr in link.addresses if addr.flags & IFA_F_NOPREFIXROUTE}
    networks = bare - {network_of(addr) for addr in link.addresses if not addr.flags & IFA_F_NOPREFIXROUTE}
    for family in (2, 10):
        for message in reader.host.socket(link.netns).routes(family, by_kernel=False):
            if message["flags"] & 0x200 or message["type"] not in ROUTE_TYPES or message["proto"] == 1:
                continue
            if read_links.leads_through(message, link.index):
                route = reader.route(link.netns, message)
                if route.protocol != RTPROT_KERNEL or is_given(route, networks):
                    yield route


def network_of(addr: Addr) -> str:
    """The network that an address is in, or that it leads to."""
    return str(ipaddress.ip_interface(addr.peer or addr.cidr).network)


def is_given(route: Route, networks: Collection[str]) -> bool:
    """Whether a route in the kernel's name comes with no address: it was learned, or a program gave it for one without.

    `networks`: those of addresses with IFA_F_NOPREFIXROUTE, with which the kernel makes no route by itself.
    """
    return not route.destination.startswith("fe80:") and (route.learned or route.destination in networks)


def nexthops(reader: read_links.LinkReader, link: Link) -> Iterator[Nexthop]:
    """The nexthop objects on a link."""
    for number, header, rest in reader.host.socket(link.netns).nexthops(link.index):
        gateway = next((content for kind, content in rest if kind == netlink.NHA_GATEWAY), b"")
        yield Nexthop(number, ip_text(gateway), header, rest)


def facts_of(reader: read_links.LinkReader, uplink: Link, bridge: str) -> UplinkFacts:
    """What can't leave the device, and who would mind."""
    raws = reader.host.socket(uplink.netns).links()
    on_it = [
        raw
        for raw in raws
        if raw.number(netlink.IFLA_LINK) == uplink.index
        and raw.index != uplink.index
        and raw.number(netlink.IFLA_LINK_NETNSID) is None
    ]
    blocking = [f"the {raw.kind} device {raw.name}" for raw in on_it if raw.kind in TAKES_ALL_FRAMES]
    standing = [
        f"the {raw.kind} device {raw.name} ({STANDS_ON.get(raw.kind, 'it stays on it')})"
        for raw in on_it
        if raw.kind not in TAKES_ALL_FRAMES and raw.kind != "veth"
    ]
    own = next(raw for raw in raws if raw.index == uplink.index)
    blocked = f"{blocking[0]} is on it" if blocking else unfit(reader, uplink, own)
    with reader.host.namespaces.inside(uplink.netns):
        owner = owners.owner_of(uplink.name, uplink.index)
    setup = Setup() if uplink.netns else read_owner.setup_of(owner, uplink.name, uplink.index, bridge)
    return UplinkFacts(blocked, (*standing, *bound(reader, uplink, own)), minds(owner, uplink.name, setup), setup)


def unfit(reader: read_links.LinkReader, uplink: Link, raw: netlink.RawLink) -> str:
    """Why a device can be no port at all."""
    if uplink.kind in ("bridge", "loopback"):
        return f"it is a {uplink.kind} device"
    if raw.type != 1:
        return "it carries no Ethernet frames"
    master = (
        reader.host.link_at(uplink.netns, raw.number(netlink.IFLA_MASTER) or 0)
        if raw.number(netlink.IFLA_MASTER)
        else None
    )
    return f"it is part of the {master.kind} {master.name}" if master and master.kind != "bridge" else ""


def bound(reader: read_links.LinkReader, uplink: Link, raw: netlink.RawLink) -> Iterator[str]:
    """What names the device, and stays as it is."""
    name, sock = uplink.name, reader.host.socket(uplink.netns)
    for family in (2, 10):
        for rule in sock.rules(family):
            for attribute, word in (("FRA_IIFNAME", "iif"), ("FRA_OIFNAME", "oif")):
                if rule.get_attr(attribute) == name:
                    yield f"the rule of priority {rule.get_attr('FRA_PRIORITY') or 0} ({word})"
    yield from sorted(nft_chains(reader, uplink))
    for key, value in reader.inside(uplink.netns, sysctl.own_settings, name):
        if not key.endswith((".accept_ra", ".forwarding")):
            yield f"the sysctl {key}={value}"
    yield from (f"the queueing discipline {kind}" for kind in sock.queueing(raw.index) if kind not in USUAL_QUEUEING)
    if raw.has_xdp:
        yield "an XDP program"


def nft_chains(reader: read_links.LinkReader, uplink: Link) -> set[str]:
    """The chains whose rules name the device, or that are hooked to it. None where there is no nft."""
    nft = programs.find("nft")
    if not nft:
        return set()
    with reader.host.namespaces.inside(uplink.netns):
        listed = programs.run(nft, "-j", "list", "ruleset").stdout
    try:
        items = json.loads(listed or "{}").get("nftables", [])
    except ValueError:
        return set()
    found = set()
    for item in items:
        kind, what = next(iter(item.items()))
        if kind in ("rule", "chain", "set", "map", "flowtable", "element") and mentions(what, uplink.name):
            chain = what.get("chain") or what.get("name", "")
            found.add(f"the nft {'chain' if kind == 'rule' else kind} {what['family']} {what['table']} {chain}")
    return found


def minds(owner: owners.Owner | None, uplink: str, setup: Setup) -> str:
    """Why the device's owner would mind, in one sentence; "" where nobody would. `setup`: what 'persist' would rewrite."""
    if owner is None or owner.program == "ifupdown":
        return ""  # ifupdown is no daemon: it does nothing until somebody calls it
    by = f" ({owner.file})" if owner.file else ""
    then = "would lose its DHCP lease there" if owner.dhcp else "would put its addresses back there"
    way_out = (
        f"have it make the bridge itself, or leave {uplink} alone"
        if setup.unfit or not setup.program
        else f"add 'persist: true', by which {setup.program} is told of the bridge"
    )
    return f"{owner.program} configures {uplink}{by} and {then}: {way_out}"


def mentions(value: Any, word: str) -> bool:
    """Whether a word is anywhere among the strings of some JSON."""
    if isinstance(value, dict):
        return any(
            mentions(item, word) for name, item in value.items() if name not in ("name", "table", "chain", "comment")
        )
    if isinstance(value, list):
        return any(mentions(item, word) for item in value)
    return bool(value == word)


def ip_text(packed: bytes) -> str:
    """An address from its bytes, "" from none."""
    return str(ipaddress.ip_address(packed)) if packed else ""
