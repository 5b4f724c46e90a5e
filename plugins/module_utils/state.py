# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""The network of a host as plain, comparable values.

`State` is both what was retrieved and the model on which the plan tries out its operations, so all that it
holds is in the options' own words, with names and never with indexes. `""` is the namespace in which the
engine itself runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Union

from .values import quoted

Key = tuple[str, str]
"""A link: (namespace, name)."""

Rest = tuple[tuple[int, bytes], ...]
"""Netlink attributes that nobody here looks into, (type, content) of each: they are put back as they were."""

IFA_F_PERMANENT = 0x80
IFA_F_NODAD = 0x02
IFA_F_MANAGETEMPADDR = 0x100
IFA_F_NOPREFIXROUTE = 0x200


class Addr(NamedTuple):
    """An address on a link, with what is needed to put it back as it was (times in seconds)."""

    cidr: str
    peer: str = ""
    broadcast: str = ""
    label: str = ""
    scope: int = 0
    flags: int = IFA_F_PERMANENT
    secondary: bool = False
    valid: int = 0xFFFFFFFF
    preferred: int = 0xFFFFFFFF
    rest: Rest = ()

    @property
    def family(self) -> int:
        return 6 if ":" in self.cidr else 4

    @property
    def linklocal(self) -> bool:
        return self.cidr.lower().startswith(("fe8", "fe9", "fea", "feb"))

    @property
    def ours(self) -> bool:
        """Whether it counts: link-local, autoconfigured and temporary addresses are the kernel's business."""
        return bool(self.flags & IFA_F_PERMANENT) and not self.linklocal


RouteKey = tuple[str, int, int, str, int]
"""A route: (namespace, family, table, destination, metric)."""


class Route(NamedTuple):
    """A route that somebody made, with what is needed to put it back."""

    destination: str
    family: int
    table: int = 254
    metric: int = 0
    gateway: str = ""
    source: str = ""
    protocol: int = 4
    scope: int = 0
    type: int = 1
    flags: int = 0
    tos: int = 0
    device: str = ""
    """"" where `nexthops` has the devices, or where the route leads nowhere."""
    nexthops: tuple[tuple[str, str, int], ...] = ()
    """(gateway, device, weight) of each, where there are several."""
    nexthop_id: int = 0
    """The nexthop object, or the group of them, that it leads through."""
    expires: int = 0
    """In so many seconds it goes by itself; 0: never."""
    rest: Rest = ()

    @property
    def devices(self) -> set[str]:
        """The devices that it leads through."""
        return {name for name in (self.device, *(hop[1] for hop in self.nexthops)) if name}

    @property
    def learned(self) -> bool:
        """Whether the kernel learned it from a router's advertisement (RFC 4861), and forgets it in time."""
        return self.protocol == RTPROT_RA or (self.protocol == RTPROT_KERNEL and self.expires > 0)

    def key(self, netns: str) -> RouteKey:
        """What identifies it on a host."""
        return (netns, self.family, self.table, self.destination, self.metric)


RTPROT_KERNEL, RTPROT_RA = 2, 9

ONLINK = 4
"""RTNH_F_ONLINK: the gateway is on the link whatever the addresses say."""

TABLES = {253: "default", 254: "main", 255: "local"}

PROTOCOLS = {RTPROT_KERNEL: "kernel", RTPROT_RA: "ra", 16: "dhcp"}
"""Who makes routes, besides people (RTPROT_STATIC, and RTPROT_BOOT)."""

ROUTE_TYPES = {"unicast": 1, "blackhole": 6, "unreachable": 7, "prohibit": 8}


class Fdb(NamedTuple):
    """A static entry of a forwarding database: `master` in the bridge's, else in the device's own."""

    mac: str
    dst: str = ""
    port: int = 0
    vni: int = 0
    vlan: int = 0
    via: str = ""
    master: bool = False
    state: int = 0x80


class Neighbor(NamedTuple):
    """A permanent neighbour of a link, or with NTF_PROXY among its flags an address that the link answers for."""

    address: str
    mac: str = ""
    flags: int = 0
    protocol: int = 0


class Nexthop(NamedTuple):
    """A nexthop object (ip-nexthop(8)) on a link."""

    number: int
    gateway: str = ""
    header: bytes = b""
    """`struct nhmsg` as it was read."""
    rest: Rest = ()


class UplinkFacts(NamedTuple):
    """What matters of a device that is, or shall be, a bridge's uplink."""

    blocked: str = ""
    """Why it can't be a port: something on it that takes its frames."""
    bound: tuple[str, ...] = ()
    """What names it, and won't name the bridge."""
    owner: str = ""
    """Why its addresses can't be moved: the program that would put them back. A whole sentence."""


class Vlan(NamedTuple):
    """A VLAN that a port carries, where its bridge filters by VLAN."""

    vid: int
    pvid: bool = False
    untagged: bool = False


ALL_ZEROS = "00:00:00:00:00:00"
"""The FDB's entry for what no other entry covers: VXLAN's head-end replication list."""


@dataclass(frozen=True)
class Link:
    """A network device. `attrs` is by option word; what the kernel said nothing of is not in it."""

    netns: str
    name: str
    kind: str
    attrs: Mapping[str, Any] = field(default_factory=dict)
    addresses: tuple[Addr, ...] = ()
    routes: tuple[Route, ...] = ()
    fdb: tuple[Fdb, ...] = ()
    vlans: tuple[Vlan, ...] = ()
    """A port's, or a bridge's own."""
    sysctls: tuple[tuple[str, str], ...] = ()
    """Its own settings, (key, value) of each that differs from the namespace's default."""
    peer: Key | None = None
    index: int = 0
    mac_is_set: bool = True
    """False where the kernel may still change the MAC by itself, as with a bridge that nobody gave one."""
    neighbors: tuple[Neighbor, ...] = ()
    """Of an uplink and its bridge, as `nexthops`."""
    nexthops: tuple[Nexthop, ...] = ()
    busy: str = ""
    """What would be lost if the device were made anew: a program on it, XDP, a queueing discipline."""

    @property
    def key(self) -> Key:
        return (self.netns, self.name)

    def get(self, option: str) -> Any:
        if option == "addresses":
            return tuple(addr.cidr for addr in self.addresses if addr.ours)
        if option == "remotes":
            return self.remotes
        return self.attrs.get(option)

    @property
    def remotes(self) -> tuple[str, ...]:
        default = self.attrs.get("remote") or self.attrs.get("group")
        return tuple(
            entry.dst
            for entry in self.fdb
            if entry.mac == ALL_ZEROS
            and entry.dst
            and entry.dst != default
            and not (entry.port or entry.vni or entry.master)
        )

    def having(self, **changes: Any) -> Link:
        """The same link with other attributes."""
        return replace(self, attrs={**self.attrs, **changes})


class Symlink(NamedTuple):
    """A symbolic link, where files are spoken of by their content."""

    target: str


FileContent = Union[str, bytes, Symlink]


@dataclass
class State:
    """What is known of a host. Only what was asked for is in it: `links` holds None for a name that is free."""

    namespaces: dict[str, dict[str, Any]] = field(default_factory=dict)
    links: dict[Key, Link | None] = field(default_factory=dict)
    sysctls: dict[Key, str] = field(default_factory=dict)
    files: dict[str, FileContent | None] = field(default_factory=dict)
    kept: frozenset[str] = frozenset()
    """The files under /etc/vnet/conf.d, where it matters whether there are others."""
    systemd: str = ""
    """Whether systemd is there, where that matters: see systemd.state()."""
    ra_devices: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By namespace, the devices that hold a route learned by router advertisement."""
    routes: dict[RouteKey, Route | None] = field(default_factory=dict)
    """The routes that are asked about; None where there is none."""
    dropping: dict[str, str] = field(default_factory=dict, compare=False)
    """By namespace, the firewall chain that br_netfilter shows bridged frames to, and that drops what is not accepted."""
    uplinks: dict[Key, UplinkFacts] = field(default_factory=dict, compare=False)
    names: dict[str, set[str]] = field(default_factory=dict, compare=False, repr=False)
    """By namespace, the names in `links`: with a thousand namespaces nobody wants to search them all."""

    def __post_init__(self) -> None:
        for netns, name in self.links:
            self.names.setdefault(netns, set()).add(name)

    def copy(self) -> State:
        return State(
            dict(self.namespaces),
            dict(self.links),
            dict(self.sysctls),
            dict(self.files),
            self.kept,
            self.systemd,
            dict(self.ra_devices),
            dict(self.routes),
            dict(self.dropping),
            dict(self.uplinks),
        )

    def text(self, path: str) -> str | None:
        """The content of a text file, None where there is none."""
        content = self.files.get(path)
        return content if isinstance(content, str) else None

    def links_in(self, netns: str) -> list[Link]:
        """The links that are there in a namespace."""
        found = (self.links.get((netns, name)) for name in self.names.get(netns, ()))
        return [link for link in found if link]

    def link(self, key: Key) -> Link | None:
        return self.links.get(key)

    def has_netns(self, name: str) -> bool:
        return name == "" or name in self.namespaces

    def ports(self, bridge: Key) -> list[str]:
        """The names of a bridge's ports, in the order of the alphabet."""
        netns, name = bridge
        return sorted(link.name for link in self.links_in(netns) if link.attrs.get("master") == name)

    def put(self, link: Link) -> None:
        self.links[link.key] = link
        self.names.setdefault(link.netns, set()).add(link.name)

    def drop_routes(self, before: Link, after: Link | None) -> None:
        """Take out of `routes` what a link has lost."""
        kept = after.routes if after else ()
        for route in before.routes:
            if route not in kept and self.routes.get(route.key(before.netns)) == route:
                self.routes[route.key(before.netns)] = None


def key_text(key: Key) -> str:
    """A link as messages and diffs name it."""
    return f"{key[0]}/{key[1]}" if key[0] else key[1]


def link_shown(state: State, link: Link, asked: set[str], routes: bool = False) -> dict[str, Any]:
    """A link in the options' words. A MAC that the kernel picked is shown only where it was `asked` about."""
    shown: dict[str, Any] = {"name": link.name, "kind": link.kind}
    if link.netns:
        shown["netns"] = link.netns
    for option, value in sorted(link.attrs.items()):
        if option == "mac" and option not in asked:
            continue
        if (value in ("", ()) and option not in asked) or (option == "link_group" and not value):
            continue
        shown[option] = list(value) if isinstance(value, tuple) else value
    shown["addresses"] = list(link.get("addresses"))
    if link.kind == "bridge":
        shown["ports"] = state.ports(link.key)
    if link.remotes or "remotes" in asked:
        shown["remotes"] = sorted(link.remotes)
    if routes and link.routes:
        shown["routes"] = sorted(route_text(route) for route in link.routes)
    if link.peer:
        shown["peer"] = {"name": link.peer[1], "netns": link.peer[0]}
    return shown


def forwarding_shown(sysctls: Mapping[str, str]) -> dict[str, Any]:
    """What a namespace forwards, from its sysctls by key."""
    return {
        "ipv4": sysctls.get("net.ipv4.ip_forward") == "1",
        "ipv6": sysctls.get("net.ipv6.conf.all.forwarding") == "1",
        "sysctl": dict(sorted(sysctls.items())),
    }


def route_shown(netns: str, route: Route) -> dict[str, Any]:
    """A route in the options of vnet_route."""
    shown: dict[str, Any] = {
        "destination": route.destination,
        "table": TABLES.get(route.table, route.table),
        "metric": route.metric,
    }
    shown["type"] = next((word for word, number in ROUTE_TYPES.items() if number == route.type), route.type)
    for name in ("gateway", "device", "source"):
        if getattr(route, name):
            shown[name] = getattr(route, name)
    if netns:
        shown["netns"] = netns
    if route.flags & ONLINK:
        shown["onlink"] = True
    if route.nexthops:
        shown["nexthops"] = [dict(zip(("gateway", "device", "weight"), hop)) for hop in route.nexthops]
    return shown


def route_text(route: Route) -> str:
    """A route in the words of `ip route`."""
    kind = next((word for word, number in ROUTE_TYPES.items() if number == route.type), "unicast")
    words = [kind] if kind != "unicast" else []
    words.append(route.destination)
    words += ["via", route.gateway] if route.gateway else []
    words += ["dev", quoted(route.device)] if route.device else []
    words += ["table", str(route.table)] if route.table != 254 else []
    words += ["metric", str(route.metric)] if route.metric else []
    words += ["proto", PROTOCOLS.get(route.protocol, str(route.protocol))] if route.protocol not in (3, 4) else []
    words += ["src", route.source] if route.source else []
    words += ["onlink"] if route.flags & ONLINK else []
    words += ["nhid", str(route.nexthop_id)] if route.nexthop_id else []
    for gateway, device, weight in route.nexthops:
        words += ["nexthop", *(["via", gateway] if gateway else []), *(["dev", quoted(device)] if device else [])]
        words += ["weight", str(weight)]
    return " ".join(words)
