# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""The rows of the kernel's tables as values: routes, FDB entries, neighbors, rules.

Each kind of row has the same three methods, so that one mechanism carries them all: `key` is what identifies it on a
host, `text` is how iproute2 writes it, and `command` is the command line that adds, replaces or deletes it. A device that
a row hangs on is no part of it, as it is on the device.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Union

from . import route_metrics
from .values import quoted

RowKey = tuple[Any, ...]
"""What identifies a row: (kind, namespace, and the rest), in values that JSON can hold."""


Rest = tuple[tuple[int, bytes], ...]
"""Netlink attributes that nobody here looks into, (type, content) of each: they are put back as they were."""

RTPROT_KERNEL, RTPROT_RA = 2, 9

PROTOCOLS = {RTPROT_KERNEL: "kernel", RTPROT_RA: "ra", 16: "dhcp"}
"""Who makes routes, besides people (RTPROT_STATIC, and RTPROT_BOOT)."""

NTF_STICKY = 64
"""Of an FDB entry: see Fdb.sticky."""
NTF_PROXY = 8
"""Of a neighbor: the device answers for this address, which is elsewhere."""


def tool(words: str, netns: str, *more: str) -> str:
    """A command line of iproute2, in a namespace where one is named. `words` begins with the program."""
    program, *rest = words.split()
    return " ".join([program, *(["-n", quoted(netns)] if netns else []), *rest, *(word for word in more if word)])


def pairs(**words: object) -> list[str]:
    """The words that say something, each with its value behind it."""
    return [part for word, value in words.items() if value for part in (word.rstrip("_"), quoted(str(value)))]


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
    senders: str = ""
    """The network whose packets it is for, "" for those of all; of IPv6."""

    @property
    def devices(self) -> set[str]:
        """The devices that it leads through."""
        return {name for name in (self.device, *(hop[1] for hop in self.nexthops)) if name}

    @property
    def metrics(self) -> bytes:
        """The content of RTA_METRICS: see route_metrics.py."""
        return dict(self.rest).get(route_metrics.RTA_METRICS, b"")

    @property
    def beyond(self) -> bool:
        """Whether what it leads to is not on the link itself."""
        return bool(self.gateway or self.nexthops or self.nexthop_id)

    @property
    def usual_scope(self) -> int:
        """The scope where nobody says one: a destination on the link itself has none wider than the link (ip-route(8), SCOPE)."""
        near = self.family == 4 and self.type == ROUTE_TYPES["unicast"] and not self.beyond
        return SCOPES["link"] if near else 0

    @property
    def learned(self) -> bool:
        """Whether the kernel learned it from a router's advertisement (RFC 4861), and forgets it in time.

        A program that learns itself, as NetworkManager does, gives its routes the same protocol, and forgets them itself.
        """
        return self.protocol in (RTPROT_RA, RTPROT_KERNEL) and self.expires > 0

    def key(self, netns: str, _device: str = "") -> RowKey:
        # No option asks for one of certain packets only.
        among = ([f"tos {self.tos}"] if self.tos else []) + ([f"from {self.senders}"] if self.senders else [])
        return ("route", netns, self.family, self.table, self.destination, self.metric, *among)

    def command(self, verb: str, netns: str, _device: str = "") -> str:
        # Where the destination does not say so by itself.
        family = "-6 " if self.family == 6 and self.destination == "default" else ""
        return tool(f"ip {family}route {verb}", netns, self.text())

    def text(self, _device: str = "") -> str:
        words = [word for word, number in ROUTE_TYPES.items() if number == self.type and word != "unicast"]
        # A nexthop object says itself where it leads, and ip takes nothing beside it.
        by_object = bool(self.nexthop_id)
        words += [self.destination, *pairs(from_=self.senders, tos=f"{self.tos:#x}" if self.tos else "")]
        words += pairs(nhid=self.nexthop_id)
        words += [] if by_object else [*self.via(self.gateway), *pairs(dev=self.device)]
        words += pairs(table=self.table if self.table != MAIN else 0, metric=self.metric)
        words += pairs(proto=PROTOCOLS.get(self.protocol, self.protocol) if self.protocol not in (3, 4) else 0)
        words += pairs(src=self.source)
        if self.scope != self.usual_scope:
            words += ["scope", SCOPE_WORDS.get(self.scope, str(self.scope))]
        words += route_metrics.words(self.metrics)
        words += ["onlink"] if self.flags & ONLINK else []
        for gateway, device, weight in () if by_object else self.nexthops:
            words += ["nexthop", *self.via(gateway), *pairs(dev=device, weight=weight)]
        return " ".join(words)

    def via(self, gateway: str) -> list[str]:
        """The words for a gateway, which says its family where that is not the route's."""
        return ["via", *(["inet6"] if self.family == 4 and ":" in gateway else []), gateway] if gateway else []


ONLINK = 4
"""RTNH_F_ONLINK: the gateway is on the link whatever the addresses say."""

MAIN = 254
TABLES = {253: "default", MAIN: "main", 255: "local"}

SCOPES = {"global": 0, "site": 200, "link": 253, "host": 254}
"""RT_SCOPE_*: how far it is to the destination of a route of IPv4, or how far an address is known."""

SCOPE_WORDS = {number: word for word, number in SCOPES.items()}

ROUTE_TYPES = {"unicast": 1, "blackhole": 6, "unreachable": 7, "prohibit": 8}

RULE_ACTIONS = {"lookup": 1, "blackhole": 6, "unreachable": 7, "prohibit": 8}
"""FR_ACT_* of include/uapi/linux/fib_rules.h."""

INVERTED = 2
"""FIB_RULE_INVERT there."""

IP_PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17, "gre": 47, "esp": 50, "ah": 51, "ipv6-icmp": 58, "sctp": 132}
"""The names of some of IANA's numbers, as iproute2 has them of /etc/protocols."""

ALL_ZEROS = "00:00:00:00:00:00"
"""The FDB's entry for what no other entry covers: VXLAN's head-end replication list."""

PERMANENT, STATIC = 0x80, 0x40
"""NUD_PERMANENT, and NUD_NOARP, which is what `bridge fdb` calls static.

Neither ages. In a bridge's FDB a permanent entry is the host's own MAC, and a static one leads out of the port.
"""


class Fdb(NamedTuple):
    """A static entry of a forwarding database: `master` in the bridge's, else in the device's own."""

    mac: str
    dst: str = ""
    port: int = 0
    vni: int = 0
    vlan: int = 0
    via: str = ""
    master: bool = False
    state: int = PERMANENT
    src_vni: int = 0
    """The VNI of the frames that it is for, on a VXLAN device that takes several."""
    sticky: bool = False
    """Whether the bridge leaves it where it is, though frames from that MAC come in by another port."""

    @property
    def many(self) -> bool:
        """Whether one MAC can have several destinations: it is a group's, or stands for all."""
        return not self.master and (self.mac == ALL_ZEROS or bool(int(self.mac[:2], 16) & 1))

    @property
    def for_all(self) -> bool:
        """Whether it is one of a VXLAN device's list of remotes."""
        return self.mac == ALL_ZEROS and not (self.port or self.vni or self.src_vni or self.via or self.master)

    def key(self, netns: str, device: str) -> RowKey:
        # Words in all cases, as keys are put in order.
        among = f"vlan {self.vlan}" if self.vlan else f"src_vni {self.src_vni}" if self.src_vni else ""
        return ("fdb", netns, device, self.mac, among, self.master, self.dst if self.many else "")

    def command(self, verb: str, netns: str, device: str) -> str:
        if verb == "add":
            # One that was learned gives way.
            verb = "append" if self.many else "replace"
        return tool(f"bridge fdb {verb}", netns, self.text(device))

    def text(self, device: str) -> str:
        words = pairs(
            dev=device,
            dst=self.dst,
            vni=self.vni,
            src_vni=self.src_vni,
            port=self.port,
            vlan=self.vlan,
            via=self.via,
        )
        words += ["master"] * self.master + ["static"] * (self.state != PERMANENT) + ["sticky"] * self.sticky
        return " ".join([self.mac, *words])


class Neighbor(NamedTuple):
    """A permanent entry of a neighbor table, of ARP's or of IPv6's; with NTF_PROXY an address that the device answers for."""

    address: str
    mac: str = ""
    flags: int = 0
    protocol: int = 0

    @property
    def family(self) -> int:
        return 6 if ":" in self.address else 4

    def key(self, netns: str, device: str) -> RowKey:
        return ("neighbor", netns, device, self.address, *(["proxy"] if self.proxy else []))

    @property
    def proxy(self) -> bool:
        return bool(self.flags & NTF_PROXY)

    def command(self, verb: str, netns: str, device: str) -> str:
        if verb == "delete" or self.proxy:
            # One that was learned gives way.
            verb = verb if verb == "delete" else "replace"
            return tool(f"ip neighbor {verb}", netns, "proxy" * self.proxy, self.address, *pairs(dev=device))
        return tool("ip neighbor replace", netns, self.text(device), "nud permanent")

    def text(self, device: str) -> str:
        return " ".join(["proxy "[: 6 * self.proxy] + self.address, *pairs(lladdr=self.mac, dev=device)])


SELECTING = (
    "source",
    "destination",
    "iif",
    "oif",
    "fwmark",
    "tos",
    "ipproto",
    "sport",
    "dport",
    "uidrange",
    "inverted",
)
"""The fields of a rule that say which packets it is about, in the order in which a key has them."""


BEYOND_OPTIONS = "with more to it than options"


class Rule(NamedTuple):
    """A rule of policy routing, as far as the options of vnet_rule go, each as iproute2 writes it and "" where it says nothing."""

    priority: int
    family: int
    source: str = ""
    destination: str = ""
    iif: str = ""
    oif: str = ""
    fwmark: str = ""
    table: int = 0
    """0 where it leads to none."""
    tos: str = ""
    ipproto: str = ""
    sport: str = ""
    dport: str = ""
    uidrange: str = ""
    inverted: str = ""
    """`not`: it is about all packets but these."""
    action: str = "lookup"
    """`BEYOND_OPTIONS` where there is more to it, and nothing of that is here but its priority."""
    suppress_prefixlength: str = ""
    protocol: int = 4

    @property
    def selectors(self) -> tuple[str, ...]:
        """What says which packets it is about."""
        return tuple(getattr(self, name) for name in SELECTING)

    def hits(self, other: Rule) -> bool:
        """Whether the kernel takes `other` for this one in a request to delete it (rule_find() in net/core/fib_rules.c).

        It compares what the request names, and so not what this rule has not.
        """
        same = (self.family, self.priority, self.table, self.action, self.protocol)
        named = [name for name in (*SELECTING, "suppress_prefixlength") if name != "inverted" and getattr(self, name)]
        return same == (other.family, other.priority, other.table, other.action, other.protocol) and all(
            getattr(self, name) == getattr(other, name) for name in named
        )

    @property
    def weight(self) -> int:
        """How much it says: one that hits another has less than that."""
        return sum(map(bool, self))

    @property
    def by_kernel(self) -> bool:
        """Whether it has been there from the start (RTPROT_KERNEL)."""
        return self.protocol == 2

    def key(self, netns: str, _device: str = "") -> RowKey:
        # Two rules may differ in nothing but the table.
        what = (self.table, self.action, self.suppress_prefixlength)
        return ("rule", netns, self.priority, self.family, *self.selectors, *what)

    def command(self, verb: str, netns: str, _device: str = "") -> str:
        return tool(f"ip {'-6 ' if self.family == 6 else ''}rule {verb}", netns, self.text())

    def text(self, _device: str = "") -> str:
        words = [*([self.inverted] if self.inverted else []), "priority", str(self.priority)]
        words += pairs(from_=self.source, to=self.destination, iif=self.iif, oif=self.oif, fwmark=self.fwmark)
        words += pairs(tos=self.tos, ipproto=self.ipproto, sport=self.sport, dport=self.dport, uidrange=self.uidrange)
        words += pairs(table=self.table) if self.action == "lookup" else [self.action]
        return " ".join([*words, *pairs(suppress_prefixlength=self.suppress_prefixlength)])


FIRST_RULES = tuple(
    Rule(priority, family, table=table, protocol=RTPROT_KERNEL)
    for family, priority, table in ((4, 0, 255), (4, 32766, 254), (4, 32767, 253), (6, 0, 255), (6, 32766, 254))
)
"""Those with which a network namespace begins."""

Row = Union[Route, Fdb, Neighbor, Rule]


def rivals(rows: Mapping[RowKey, Row | None], netns: str, rule: Rule) -> list[Rule]:
    """The rules that the kernel would delete in place of this one, as they come before it and have all that it has."""
    found = []
    for key, other in rows.items():
        if key == rule.key(netns):
            break
        if isinstance(other, Rule) and key[1] == netns and rule.hits(other):
            found.append(other)
    return found


def places(key: RowKey, rows: Mapping[RowKey, Row | None]) -> list[RowKey]:
    """Where rows with this key are in a state: where all are asked for, of routes that differ in nothing but where they lead each has one."""
    found = [key]
    while (*key, f"another {len(found)}") in rows:
        found.append((*key, f"another {len(found)}"))
    return found


HANGS_ON_LINK: Mapping[type, str] = {Route: "routes", Fdb: "fdb", Neighbor: "neighbors"}
"""The rows that go with their device, and where a Link has them. Rules name devices that need not be there."""
