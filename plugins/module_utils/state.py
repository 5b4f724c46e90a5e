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

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple, Union

from .rows import HANGS_ON_LINK, SCOPES, Fdb, Neighbor, Rest, Route, Row, RowKey, places

if TYPE_CHECKING:
    from . import ovs_table

Key = tuple[str, str]
"""A link: (namespace, name)."""

IFA_F_PERMANENT = 0x80
IFA_F_NODAD = 0x02
IFA_F_DADFAILED = 0x08
IFA_F_TENTATIVE = 0x40
IFA_F_NOPREFIXROUTE = 0x200
IFA_F_STABLE_PRIVACY = 0x800
OF_THE_LINK = (11, b"\3")
"""IFA_PROTO with IFAPROT_KERNEL_LL: the kernel made a link-local address by itself, as it says from Linux 5.18 on."""


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


OF_LOOPBACK = (Addr("127.0.0.1/8", scope=SCOPES["host"]), Addr("::1/128", scope=SCOPES["host"]))
"""What the kernel gives to a loopback device that comes up."""


class Nexthop(NamedTuple):
    """A nexthop object (ip-nexthop(8)) on a link."""

    number: int
    gateway: str = ""
    header: bytes = b""
    """`struct nhmsg` as it was read."""
    rest: Rest = ()


class Setup(NamedTuple):
    """By what a device is configured at boot."""

    program: str = ""
    source: Mapping[str, Any] = {}
    """What its configuration consists of, in words of the program's owner_*.py. Empty where it is ours."""
    others: Mapping[str, str] = {}
    """By path, the files that might mistake the bridge."""
    client: str = ""
    """The device on which a DHCP client runs that has to be moved."""
    unfit: str = ""
    """Why it can't be rewritten."""


class UplinkFacts(NamedTuple):
    """What matters of a device that is, or shall be, a bridge's uplink."""

    blocked: str = ""
    """Why it can't be a port: something on it that takes its frames."""
    bound: tuple[str, ...] = ()
    """What names it, and won't name the bridge."""
    owner: str = ""
    """Why its addresses can't be moved for the time being: the program that would put them back. A whole sentence."""
    setup: Setup = Setup()


class Vlan(NamedTuple):
    """A VLAN that a port carries, where its bridge filters by VLAN."""

    vid: int
    pvid: bool = False
    untagged: bool = False
    tunnel_id: int = 0
    """The id of the tunnel (a VNI) that it goes through, where the port is a tunnel for several; 0 for none."""


class Vni(NamedTuple):
    """A VNI that a VXLAN device with a VNI filter takes, and its own remote or multicast group."""

    vni: int
    remote: str = ""


def vni_spans(vnis: Iterable[Vni]) -> list[tuple[Vni, int]]:
    """VNIs in as few ranges as they make: the first of each, and the number of the last."""
    found: list[tuple[Vni, int]] = []
    for vni in sorted(vnis):
        if found and found[-1][1] == vni.vni - 1 and found[-1][0].remote == vni.remote:
            found[-1] = (found[-1][0], vni.vni)
        else:
            found.append((vni, vni.vni))
    return found


def vnis_shown(vnis: Iterable[Vni]) -> list[dict[str, str]]:
    """VNIs in the words of the option."""
    shown = []
    for first, last in vni_spans(vnis):
        entry = {"vni": str(first.vni) if first.vni == last else f"{first.vni}-{last}"}
        if first.remote:
            entry["group" if ipaddress.ip_address(first.remote).is_multicast else "remote"] = first.remote
        shown.append(entry)
    return shown


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
    neighbors: tuple[Neighbor, ...] = ()
    """Permanent ones."""
    vlans: tuple[Vlan, ...] = ()
    """A port's, or a bridge's own."""
    port: Mapping[str, Any] = field(default_factory=dict)
    """What its bridge was told of it, by option word: see kinds/bridge_port.py."""
    vnis: tuple[Vni, ...] = ()
    sysctls: tuple[tuple[str, str], ...] = ()
    """Its own settings, (key, value) of each that differs from the namespace's default."""
    peer: Key | None = None
    index: int = 0
    mac_is_set: bool = True
    """False where the kernel may still change the MAC by itself, as with a bridge that nobody gave one."""
    nexthops: tuple[Nexthop, ...] = ()
    """Of an uplink and its bridge."""
    busy: str = ""
    """What would be lost if the device were made anew: a program on it, XDP, a queueing discipline."""

    @property
    def key(self) -> Key:
        return (self.netns, self.name)

    @property
    def below(self) -> Key | None:
        """The device that it stands on, and goes with; None also where that is in a namespace without a name."""
        name = self.attrs.get("parent") or self.attrs.get("dev")
        place = self.attrs.get("link_netns", self.netns)
        return (place, name) if name and place is not None else None

    def get(self, option: str) -> Any:
        if option == "addresses":
            return tuple(addr.cidr for addr in self.addresses if addr.ours)
        if option == "remotes":
            return self.remotes
        if option == "vnis":
            return self.vnis
        return self.attrs.get(option)

    @property
    def remotes(self) -> tuple[str, ...]:
        return tuple(
            entry.dst for entry in self.fdb if entry.for_all and entry.dst and entry.dst != self.default_remote
        )

    @property
    def default_remote(self) -> str:
        """Where a VXLAN device sends what no FDB entry covers; an entry of its own, which is none of those in `fdb`."""
        return self.attrs.get("remote") or self.attrs.get("group") or ""

    def holding(self, **rows: tuple[Any, ...]) -> Link:
        """The same link with other rows of tables: see HANGS_ON_LINK."""
        return replace(self, **rows)  # type: ignore[arg-type]  # which field has which rows, mypy can't see

    def without_ipv6(self) -> Link:
        """The same link when the kernel has taken IPv6 off it."""
        return self.holding(
            **{
                name: tuple(row for row in getattr(self, name) if row.family == 4)
                for name in ("addresses", "routes", "neighbors")
            }
        )

    def brings(self, addr: Addr) -> bool:
        """Whether the kernel gives this address by itself as the device comes up. A link-local one may also be somebody's, as a router's."""
        if not addr.linklocal:
            return addr.cidr == "::1/128"
        return bool(addr.flags & IFA_F_STABLE_PRIVACY) or OF_THE_LINK in addr.rest or self._from_mac(addr)

    def _from_mac(self, addr: Addr) -> bool:
        """Whether an address ends in the device's MAC. In the two bytes in its middle the kernel numbers devices that share one (ipvlan)."""
        mac = bytes.fromhex((self.get("mac") or "").replace(":", ""))
        end = ipaddress.ip_interface(addr.cidr).packed[8:]
        return len(mac) == 6 and mac[1:] == end[1:3] + end[5:] and mac[0] | 2 == end[0] | 2

    def having(self, **changes: Any) -> Link:
        """The same link with other attributes."""
        return replace(self, attrs={**self.attrs, **changes})

    def without(self, *names: str) -> Link:
        """The same link without these attributes."""
        return replace(self, attrs={name: value for name, value in self.attrs.items() if name not in names})


class Forward(NamedTuple):
    """A port forward of an address translation. `to_port` is "" for the same; no `in_address` is any of the host's."""

    protocol: str
    port: str
    to_address: str
    to_port: str = ""
    in_address: tuple[str, ...] = ()


@dataclass(frozen=True)
class Nat:
    """An address translation: the options of vnet_nat, and the nft table that they are kept in."""

    netns: str
    name: str
    source: tuple[str, ...] = ()
    out_interface: tuple[str, ...] = ()
    snat_to: tuple[str, ...] = ()
    port_forwards: tuple[Forward, ...] = ()
    isolate: bool = True
    owner: str = ""
    """The mark of the topology that made it."""
    altered: str = ""
    """The table as JSON, where it is not what these options make: somebody had a hand in it."""

    @property
    def key(self) -> Key:
        return (self.netns, self.name)


class Obstacle(NamedTuple):
    """A firewall chain that drops what it does not accept of what the host forwards."""

    chain: str
    """`table chain`"""
    versions: tuple[int, ...] = (4, 6)
    """The IP versions whose packets it sees."""


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
    has_devtmpfs: bool = True
    """Whether the kernel makes the files of devices under /dev."""
    ra_devices: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By namespace, the devices that hold a route learned by router advertisement."""
    rows: dict[RowKey, Row | None] = field(default_factory=dict)
    """The rows of tables that are asked about; None where there is none."""
    nats: dict[Key, Nat | None] = field(default_factory=dict)
    """By namespace and name, the address translations that are asked about, None where there is none; and those beside them."""
    ovs: dict[str, ovs_table.OvsBridge | None] = field(default_factory=dict)
    """Open vSwitch's bridges, all of them where any is asked about."""
    dropping: dict[str, str] = field(default_factory=dict, compare=False)
    """By namespace, the firewall chain that br_netfilter shows bridged frames to, and that drops what is not accepted."""
    obstacles: dict[str, tuple[Obstacle, ...]] = field(default_factory=dict, compare=False)
    """By namespace, the firewall chains that may drop what is forwarded."""
    uplinks: dict[Key, UplinkFacts] = field(default_factory=dict, compare=False)
    datapath_types: tuple[str, ...] = field(default=(), compare=False)
    """The kinds of datapath that this host's Open vSwitch has."""
    names: dict[str, set[str]] = field(default_factory=dict, compare=False, repr=False)
    """By namespace, the names in `links`: with a thousand namespaces nobody wants to search them all."""
    above: dict[Key, set[Key]] = field(default_factory=dict, compare=False, repr=False)
    """By device, those that stand on it or did."""

    def __post_init__(self) -> None:
        for (netns, name), link in self.links.items():
            self.names.setdefault(netns, set()).add(name)
            below = link.below if link else None
            if below:
                self.above.setdefault(below, set()).add((netns, name))

    def copy(self) -> State:
        return State(
            dict(self.namespaces),
            dict(self.links),
            dict(self.sysctls),
            dict(self.files),
            self.kept,
            self.systemd,
            self.has_devtmpfs,
            dict(self.ra_devices),
            dict(self.rows),
            dict(self.nats),
            dict(self.ovs),
            dict(self.dropping),
            dict(self.obstacles),
            dict(self.uplinks),
            self.datapath_types,
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

    def uppers(self, key: Key) -> list[Link]:
        """The devices that stand on one, in the order of the alphabet."""
        found = (self.links.get(upper) for upper in sorted(self.above.get(key, ())))
        return [link for link in found if link and link.below == key]

    def put(self, link: Link) -> None:
        self.links[link.key] = link
        self.names.setdefault(link.netns, set()).add(link.name)
        if link.below:
            self.above.setdefault(link.below, set()).add(link.key)

    def drop_rows(self, before: Link, after: Link | None) -> None:
        """Take out of `rows` what a link has lost."""
        for held in HANGS_ON_LINK.values():
            kept = getattr(after, held) if after else ()
            for row in getattr(before, held):
                if row not in kept:
                    self.drop_row(row.key(*before.key), row)

    def drop_row(self, key: RowKey, row: Row) -> None:
        """Take one out of `rows`, where it is there."""
        for place in places(key, self.rows):
            if self.rows.get(place) == row:
                self.rows[place] = None


def key_text(key: Key) -> str:
    """A link as messages and diffs name it."""
    return f"{key[0]}/{key[1]}" if key[0] else key[1]


def link_shown(state: State, link: Link, asked: set[str], routes: bool = False) -> dict[str, Any]:
    """A link in the options' words. A MAC that the kernel picked is shown only where it was `asked` about."""
    shown: dict[str, Any] = {"name": link.name, "kind": link.kind}
    if link.netns:
        shown["netns"] = link.netns
    for option, value in sorted(link.attrs.items()):
        if (option == "mac" and option not in asked) or option == "file":
            continue
        if (value in ("", ()) and option not in asked) or (option == "link_group" and not value):
            continue
        shown[option] = list(value) if isinstance(value, tuple) else value
    shown["addresses"] = list(link.get("addresses"))
    if link.kind == "bridge":
        shown["ports"] = state.ports(link.key)
    if link.remotes or "remotes" in asked:
        shown["remotes"] = sorted(link.remotes)
    if link.vnis or "vnis" in asked:
        shown["vnis"] = vnis_shown(link.vnis)
    if routes and link.routes:
        shown["routes"] = sorted(route.text() for route in link.routes)
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


def nat_shown(nat: Nat) -> dict[str, Any]:
    """An address translation in the options of vnet_nat; a table that somebody changed is said to be `altered`."""
    shown: dict[str, Any] = {"name": nat.name, "source": list(nat.source)}
    if nat.netns:
        shown["netns"] = nat.netns
    for name in ("out_interface", "snat_to"):
        if getattr(nat, name):
            shown[name] = list(getattr(nat, name))
    if nat.port_forwards:
        shown["port_forwards"] = [
            {name: list(part) if isinstance(part, tuple) else part for name, part in forward._asdict().items() if part}
            for forward in nat.port_forwards
        ]
    shown["isolate"] = nat.isolate
    if nat.altered:
        shown["altered"] = True
    return shown
