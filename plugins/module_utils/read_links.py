# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""Reading links and what hangs on them: messages to values."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Callable

from . import desired, errors, netlink
from .kinds import kind_of
from .kinds.link import LINK
from .later import Later
from .rows import ALL_ZEROS, NTF_STICKY, ONLINK, PERMANENT, ROUTE_TYPES, Fdb, Neighbor, Rest, Route
from .state import IFA_F_PERMANENT, Addr, Key, Link, State, Vlan, Vni
from .values import Account

if TYPE_CHECKING:
    from . import sysctl, taps
    from .host import Host
    from .kinds import bridge_port
    from .topology import Topology
else:
    bridge_port, sysctl, taps = Later("kinds.bridge_port"), Later("sysctl"), Later("taps")

USER_HZ = 100
NTF_ROUTER = 0x80
RTA_PREF, RTA_NH_ID = 20, 30
RTA_OTHERS = (8, 11, RTA_PREF, 21, 22)
"""RTA_METRICS, RTA_FLOW, RTA_ENCAP_TYPE and RTA_ENCAP besides: include/uapi/linux/rtnetlink.h."""
IFA_OTHERS = (9, 11)
"""IFA_RT_PRIORITY, the metric of the route that comes with an address, and IFA_PROTO: include/uapi/linux/if_addr.h."""


class LinkReader:
    """What one reading of the host has found so far, and how a link gets into it."""

    def __init__(self, host: Host, wants: tuple[desired.Want, ...], topology: Topology | None = None) -> None:
        self.host = host
        self.wants = wants
        self.topology = topology
        self.state = State()
        self.names: dict[str, set[str]] = {}
        self.dumps: dict[tuple[str, str], dict[int, list[Any]]] = {}
        """What was read of a namespace at once, by (namespace, what) and then by the index of the link."""
        self.places: dict[Key, str] = {}
        """By link, the entry that names it."""
        self._all_uppers: dict[Key, list[Key]] | None = None

    def link(self, netns: str, name: str) -> Link | None:
        key = (netns, name)
        if key not in self.state.links:
            raw = self.host.link(netns, name)
            if raw and raw.name != name:
                where = self.places.get(key, "")
                raise errors.Refused(
                    f"{where + ': ' if where else ''}{name!r} is an alternative name of the device {raw.name}, and so is taken"
                )
            self.state.links[key] = None
            if raw:
                self.state.put(self.convert(netns, raw))
        return self.state.links[key]

    def convert(self, netns: str, raw: netlink.RawLink) -> Link:
        """A link message as a value; of its addresses, routes and FDB nothing yet."""
        kind = kind_of(raw.kind)
        attrs = kind.read(raw.attrs(), raw.data_attrs() if kind.has_data else {})
        attrs["admin_state"] = "up" if raw.flags & 1 else "down"
        attrs.setdefault("alias", "")
        attrs["altnames"] = raw.altnames
        master = raw.number(netlink.IFLA_MASTER)
        above = self.host.link_at(netns, master) if master else None
        # A port of Open vSwitch has its datapath there, which is no bridge, and says nothing of which one it is.
        attrs["master"] = "" if above and above.kind == "openvswitch" else self.name_at(netns, master) if master else ""
        place: str | None = netns
        nsid = raw.number(netlink.IFLA_LINK_NETNSID)
        if nsid is not None:
            place = self.host.netns_of(netns, nsid)
        if kind.lower:
            attrs["link_netns"] = place
            index = attrs.get(kind.lower)
            attrs[kind.lower] = self.name_at(place, index) if index and place is not None else ""
        if kind.tap_info:
            attrs["tap"] = raw.kind == kind.tap_info
            if attrs["tap"]:
                attrs.update(self._node(netns, raw))
        if raw.type == 65534:  # ARPHRD_NONE: it has no link-layer address
            attrs.pop("mac", None)
        peer: Key | None = None
        if kind.paired and place is not None and raw.number(netlink.IFLA_LINK):
            other = self.host.link_at(place, raw.number(netlink.IFLA_LINK) or 0)
            peer = (place, other.name) if other else None
        busy = "its XDP program" if raw.has_xdp else ""
        if kind.by_ioctl and raw.raw.get(netlink.IFLA_CARRIER, b"\0")[:1] == b"\1":
            busy = "the program that has it open"
        return Link(netns, raw.name, raw.kind, attrs, peer=peer, index=raw.index, busy=busy)

    def _node(self, netns: str, raw: netlink.RawLink) -> dict[str, Any]:
        """The file of a tap device, and who may open it."""
        found: dict[str, Any] = {"device": taps.path_of(raw.index)}
        number = taps.parsed(self.host.namespaces.read_sysfs(netns, f"class/net/{raw.name}/tap{raw.index}/dev"))
        access = taps.access(raw.index, number) if number is not None else None
        found["file"] = access is not None
        if access:
            user, group = access
            found["owner"] = Account().decode(user)
            found["group"] = "" if group is None else Account(group=True).decode(group)
        return found

    def name_at(self, netns: str | None, index: int) -> str:
        found = self.host.link_at(netns, index) if netns is not None else None
        return found.name if found else f"if{index}"

    def attached(self, link: Link, want: desired.LinkWant, options: Mapping[str, Any]) -> None:
        """Read what hangs on a link: that much of it as the plan may compare, or would have to put back."""
        moves = self._moves(link, want)
        losing = want.absent or want.recreate or moves
        changes_state = options.get("admin_state", link.get("admin_state")) != link.get("admin_state")
        going_down = changes_state and options.get("admin_state") == "down"
        losing_ipv6 = options.get("mtu", 1280) < 1280 <= (link.get("mtu") or 0)
        table = kind_of(link.kind).table
        fixing = any(
            value and not link.get(name) and not table[name].clearable
            for name, value in options.items()
            if name in table
        )
        losing = losing or going_down or losing_ipv6 or fixing
        if "mtu" in kind_of(link.kind).follows and link.below and options.get("mtu", 0) > (link.get("mtu") or 0):
            self.link(*link.below)  # by which it is limited
        # What is shown of a single link is all of it; of a thousand it is their names.
        losing = losing or self._joins_vrf(link, options)
        if losing or "addresses" in options or len(self.wants) == 1:
            messages = self._dumped(link, "addresses", "index")
            link = replace(link, addresses=tuple(addr for addr in map(address_value, messages) if addr))
        gone = (
            "addresses" not in want.append
            and any(addr.ours and addr.cidr not in options["addresses"] for addr in link.addresses)
            if "addresses" in options
            else False
        )
        if losing or gone:
            link = replace(link, routes=tuple(self._routes(link)))
        changes_mac = options.get("mac", link.get("mac")) != link.get("mac") or (
            "mac" in options and kind_of(link.kind).holds_ports
        )
        if losing or gone or changes_mac:
            link = replace(link, neighbors=tuple(self.neighbors(link)))
        changes_master = options.get("master", link.get("master")) != link.get("master")
        if losing or changes_state or options.get("mtu", link.get("mtu")) != link.get("mtu"):
            self._uppers(link, losing)
        if (
            losing
            or changes_master
            or "remotes" in options
            or any(options.get(name, link.get(name)) != link.get(name) for name in ("remote", "group"))
            or (kind_of(link.kind).own_fdb and len(self.wants) == 1)
        ):
            link = replace(link, fdb=tuple(self._fdb(link)))
            link = replace(link, vlans=self._vlans(link), port=self.port(link))
        if link.get("vnifilter") and (losing or "vnis" in options or len(self.wants) == 1):
            link = replace(link, vnis=self.vnis(link))
        if kind_of(link.kind).holds_ports and options.get("mac") == link.attrs.get("mac"):
            link = replace(link, mac_is_set=self.mac_is_set(link))
        self.state.put(link)
        if moves:
            self._own_sysctls(link.key)

    def _joins_vrf(self, link: Link, options: Mapping[str, Any]) -> bool:
        """Whether the link becomes a port of a VRF, or ceases to be one: it goes down and up then."""
        masters = {options.get("master", link.get("master")), link.get("master")}
        found = [self.link(link.netns, name) for name in masters if name] if len(masters) > 1 else []
        return any(kind_of(master.kind).routes_ports for master in found if master)

    def _uppers(self, link: Link, losing: bool) -> None:
        """The devices that stand on a link, wherever they are: they go with it, or follow it."""
        for key in self._standing().get(link.key, ()):
            upper = self.state.links.get(key)
            if upper:
                self.attached(upper, desired.LinkWant(LINK, *key, absent=losing), {"admin_state": "down"})
                if losing:
                    self._own_sysctls(key)

    def _standing(self) -> dict[Key, list[Key]]:
        """All devices of the host that stand on others, by those."""
        if self._all_uppers is None:
            self._all_uppers = {}
            for netns in ["", *self.host.namespaces.names()]:
                for raw in self.host.read_all_links(netns):
                    upper = self.link(netns, raw.name) if kind_of(raw.kind).lower else None
                    if upper and upper.below:
                        self._all_uppers.setdefault(upper.below, []).append(upper.key)
        return self._all_uppers

    def _own_sysctls(self, key: Key) -> None:
        """The settings of a device that may be made anew, or get another namespace, which has defaults of its own."""
        link = self.state.links.get(key)
        if link:
            settings = self.inside(link.netns, sysctl.own_settings, link.name)
            self.state.put(replace(link, sysctls=settings))
            self.state.sysctls.update({(link.netns, name): value for name, value in settings})

    def inside(self, netns: str, function: Any, *arguments: Any) -> Any:
        with self.host.namespaces.inside(netns):
            return function(*arguments)

    def _moves(self, link: Link, want: desired.LinkWant) -> bool:
        """Whether the want will give this end of a veth, or this device, another place."""
        if want.kind.name and kind_of(link.kind) is not want.kind:
            # With a topology it gives way, if it is its own.
            return True
        if not want.kind.name:
            return link.key != want.key or (want.absent and want.origin not in (None, want.netns))
        first = self.state.links.get(want.key)
        if first is None:
            return True
        if not want.peer or not first.peer:
            return False
        place = first.netns if want.peer.netns is None else want.peer.netns
        return first.peer != (place, want.peer.name or first.peer[1])

    def _routes(self, link: Link) -> list[Route]:
        return [
            self.route(link.netns, message)
            for family in (2, 10)
            for message in self._routes_of(link, family)
            if made_by_somebody(message) and leads_through(message, link.index)
        ]

    def _routes_of(self, link: Link, family: int) -> list[Any]:
        sock = self.host.socket(link.netns)
        if self.topology is None:
            return sock.routes(family, link.index, by_kernel=False)
        key = (link.netns, f"routes {family}")
        if key not in self.dumps:
            self.dumps[key] = {0: sock.routes(family, by_kernel=False)}
        return self.dumps[key][0]

    def _dumped(self, link: Link, what: str, index: str) -> list[Any]:
        """A link's addresses, neighbors or FDB entries. With a topology's many links one dump of all serves each of them."""
        dump = getattr(self.host.socket(link.netns), what)
        if self.topology is None:
            return list(dump(index=link.index))
        key = (link.netns, what)
        if key not in self.dumps:
            found: dict[int, list[Any]] = {}
            for message in dump():
                found.setdefault(message[index], []).append(message)
            self.dumps[key] = found
        return self.dumps[key].get(link.index, [])

    def route(self, netns: str, message: Any) -> Route:
        return route_value(message, lambda index: self.name_at(netns, index))

    def neighbors(self, link: Link) -> list[Neighbor]:
        """Those that somebody set, and the addresses that it answers for."""
        found = (neighbor_value(message) for message in self._dumped(link, "neighbors", "ifindex"))
        proxies = [neighbor_of(message) for message in self._dumped(link, "proxies", "ifindex")]
        return [*(neighbor for neighbor in found if neighbor), *proxies]

    def _fdb(self, link: Link) -> list[Fdb]:
        found = []
        for message in self._dumped(link, "fdb", "ifindex"):
            entry = self.fdb_entry(link, message)
            if entry and not self.by_option(link, entry):
                found.append(entry)
        return found

    def by_option(self, link: Link, entry: Fdb) -> bool:
        """Whether an entry is there as the device has a remote, or a VNI of its has one."""
        if entry.mac != ALL_ZEROS:
            return False
        if entry.src_vni and link.get("vnifilter"):
            return Vni(entry.src_vni, entry.dst) in self.vnis(link)
        return entry.dst == link.default_remote

    def fdb_entry(self, link: Link, message: Any) -> Fdb | None:
        """A static entry that somebody made; None for what was learned, and for the device's own address."""
        mac = message.get_attr("NDA_LLADDR")
        state, flags = message["state"], message["flags"]
        if message["ifindex"] != link.index or not mac or not state & 0xC0 or flags & 0x10:
            return None
        if mac == link.attrs.get("mac") or (not kind_of(link.kind).own_fdb and (flags & 2 or int(mac[:2], 16) & 1)):
            return None
        return self.fdb_value(link, message)

    def fdb_value(self, link: Link, message: Any) -> Fdb:
        """An FDB message as a value, whoever made the entry."""
        master = bool(message["flags"] & 4) or message.get_attr("NDA_MASTER") is not None
        via = message.get_attr("NDA_IFINDEX") or 0
        return Fdb(
            message.get_attr("NDA_LLADDR"),
            message.get_attr("NDA_DST") or "",
            message.get_attr("NDA_PORT") or 0,
            message.get_attr("NDA_VNI") or 0,
            message.get_attr("NDA_VLAN") or 0,
            self.name_at(link.netns, via) if via else "",
            master,
            message["state"],
            message.get_attr("NDA_SRC_VNI") or 0,
            bool(message["flags"] & NTF_STICKY),
        )

    def _vlans(self, link: Link) -> tuple[Vlan, ...]:
        if not link.get("master") and not kind_of(link.kind).holds_ports:
            return ()
        key = (link.netns, "vlans")
        if key not in self.dumps:
            self.dumps[key] = self.host.socket(link.netns).vlans()
        return tuple(Vlan(*found) for found in self.dumps[key].get(link.index, ()))

    def vnis(self, link: Link) -> tuple[Vni, ...]:
        """The VNIs that a VXLAN device with a VNI filter takes."""
        key = (link.netns, "vnis")
        if key not in self.dumps:
            self.dumps[key] = self.host.socket(link.netns).vnis()
        return tuple(sorted(Vni(*found) for found in self.dumps[key].get(link.index, ())))

    def port(self, link: Link) -> dict[str, Any]:
        """What its bridge was told of it."""
        raw = self.host.link(link.netns, link.name) if link.get("master") else None
        return bridge_port.port_options(raw.port_attrs(), sys.byteorder) if raw else {}

    def mac_is_set(self, link: Link) -> bool:
        """Whether somebody gave the bridge its MAC: told by sysfs only, which shows one namespace per mount."""
        value = self.host.namespaces.read_sysfs(link.netns, f"class/net/{link.name}/addr_assign_type")
        return value is None or value == "3"


def address_value(message: Any) -> Addr | None:
    """An address message as a value, None where it has no address."""
    attrs = netlink.attributes_of(message)
    local = attrs.get("IFA_LOCAL") or attrs.get("IFA_ADDRESS")
    if not local:
        return None
    remote = attrs.get("IFA_ADDRESS")
    prefix = message["prefixlen"]
    flags = attrs.get("IFA_FLAGS") or message["flags"]
    cache = attrs.get("IFA_CACHEINFO") or {}
    return Addr(
        f"{local}/{prefix}",
        f"{remote}/{prefix}" if remote and remote != local else "",
        attrs.get("IFA_BROADCAST") or "",
        attrs.get("IFA_LABEL") or "",
        message["scope"],
        # What the kernel reports of its own doings (deprecated, tentative, dadfailed) is not part of the address.
        flags & ~0x69 & 0xFFFFFFFF if message["family"] == 10 else flags & IFA_F_PERMANENT | flags & 0x200,
        message["family"] == 2 and bool(flags & 1),
        cache.get("ifa_valid", 0xFFFFFFFF),
        cache.get("ifa_preferred", 0xFFFFFFFF) if not flags & 0x20 else 0,
        netlink.rest_of(message.data, 24, IFA_OTHERS),
    )


def route_value(message: Any, name_at: Callable[[int], str]) -> Route:
    """A route message as a value. `name_at`: the name of the device with an index."""
    destination, device = message.get_attr("RTA_DST"), message.get_attr("RTA_OIF")
    senders = message.get_attr("RTA_SRC")
    ways = message.get_attr("RTA_MULTIPATH") or ()
    onlink = ONLINK if any(each["flags"] & ONLINK for each in (message, *ways)) else 0
    return Route(
        f"{destination}/{message['dst_len']}" if destination else "default",
        4 if message["family"] == 2 else 6,
        message.get_attr("RTA_TABLE") or message["table"],
        message.get_attr("RTA_PRIORITY") or 0,
        gateway(message),
        message.get_attr("RTA_PREFSRC") or "",
        message["proto"],
        message["scope"],
        message["type"],
        onlink,
        message["tos"],
        name_at(device) if device and message["type"] == 1 else "",
        tuple((gateway(way), name_at(way["oif"]) if way["oif"] else "", way["hops"] + 1) for way in ways),
        message.get_attr("RTA_NH_ID") or _number(netlink.rest_of(message.data, 28, (RTA_NH_ID,))),
        _seconds_left((message.get_attr("RTA_CACHEINFO") or {}).get("rta_expires", 0)),
        tuple(
            entry
            for entry in netlink.rest_of(message.data, 28, RTA_OTHERS)
            if entry != (RTA_PREF, b"\0")  # medium, which goes without saying (RFC 4191)
        ),
        f"{senders}/{message['src_len']}" if senders else "",
    )


def gateway(message: Any) -> str:
    """The next hop of a route or of one of its ways. It may be of the other address family (`RTA_VIA`)."""
    via = message.get_attr("RTA_VIA")
    return message.get_attr("RTA_GATEWAY") or (via["addr"] if via else "")


def neighbor_value(message: Any) -> Neighbor | None:
    """A neighbor message as a value, None for what nobody set."""
    mac = message.get_attr("NDA_LLADDR")
    if message["state"] != PERMANENT or not mac or message["family"] not in (2, 10):
        return None
    return neighbor_of(message)


def neighbor_of(message: Any) -> Neighbor:
    """A message of a neighbor, or of an address that is answered for, as a value."""
    return Neighbor(
        message.get_attr("NDA_DST"),
        message.get_attr("NDA_LLADDR") or "",
        message["flags"] & ~NTF_ROUTER,
        message.get_attr("NDA_PROTOCOL") or 0,
    )


def _number(rest: Rest) -> int:
    """The number in an attribute that pyroute2 may not know yet, 0 where there is none."""
    return int.from_bytes(rest[0][1], sys.byteorder) if rest else 0


def _seconds_left(ticks: int) -> int:
    """Of a route's expiry, which the kernel counts in USER_HZ; it rounds up, as nothing left would mean never."""
    return max(1, ticks // USER_HZ) if ticks > 0 else 0


def leads_through(message: Any, index: int) -> bool:
    """Whether a route uses the device, be it as one of several."""
    hops = message.get_attr("RTA_MULTIPATH") or ()
    return message.get_attr("RTA_OIF") == index or any(hop["oif"] == index for hop in hops)


def made_by_somebody(message: Any) -> bool:
    """False for the routes that the kernel makes or learns by itself, and for its cache."""
    return (
        message["proto"] not in (1, 2, 9) and message["type"] in ROUTE_TYPES.values() and not message["flags"] & 0x200
    )
