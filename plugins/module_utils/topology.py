# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""Topologies: many wants under one name, and the marks by which the host remembers whose a thing is.

The marks lie in the kernel and die with what they are on. A link carries a link group derived from the topology's name,
the only mark that travels in the creating request, for both ends of a veth; a namespace carries its owner's name as the
alias of its `lo`. What can carry none (rows of tables, sysctls, devices that were moved) is in a file under /run/vnet,
written before anything else.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any, Callable

from . import desired, errors
from .kinds import LINK_KINDS, ROW_KINDS
from .kinds.link import LINK
from .later import Later
from .rows import RowKey
from .state import Forward, Key, Link, Vlan, key_text
from .values import LINK_LOCAL, NetnsName

if TYPE_CHECKING:
    from .kinds import nat
else:
    nat = Later("kinds.nat")

RECORDS = "/run/vnet/topologies"
OWNER = "vnet_topology:"
GROUPS = 0x76000000
"""Link groups of topologies: this byte on top, 24 bits of the name's checksum below."""


@dataclass(frozen=True)
class Topology:
    """Whose the wants of a run are, and what may be done with what is not wanted any more."""

    name: str
    absent: bool = False
    prune: bool = True
    adopt: bool = False

    @property
    def owner(self) -> str:
        """The mark of its namespaces."""
        return OWNER + self.name

    @property
    def link_group(self) -> int:
        """The mark of its links."""
        return GROUPS | zlib.crc32(self.name.encode()) & 0xFFFFFF

    @property
    def link_groups(self) -> tuple[int, int]:
        """`link_group`, and the one in which links wait for a deletion that spares others: who is killed in between leaves some there."""
        return self.link_group, self.link_group ^ 0x800000

    def owns(self, link: Link) -> bool:
        """Whether a link carries the mark."""
        return link.get("link_group") in self.link_groups

    @property
    def record(self) -> str:
        """The file that remembers what can carry no mark."""
        return f"{RECORDS}/{self.name}.json"


@dataclass
class Record:
    """What a topology made that can carry no mark."""

    rows: list[list[Any]]
    """What identifies each row of a table: its kind, its namespace, and the rest."""
    sysctls: list[list[str]]
    """[namespace, key, value before, value set] of each."""
    moved: list[list[str]]
    """[namespace, name, namespace that it came from] of each device that is not ours."""
    namespaces: list[str]
    """Namespaces of others in which it has made links."""
    ports: list[list[Any]] = field(default_factory=list)
    """[namespace, name, option, value before, value set] of what bridges were told of ports."""
    nats: list[list[str]] = field(default_factory=list)
    """[namespace, name] of each address translation. Whose it is its rules say; this is where to look."""

    @classmethod
    def read(cls, content: str | None) -> Record:
        """From the file's content; an unreadable one is as good as none, as the next run writes it anew."""
        try:
            found = json.loads(content or "{}")
            return cls(
                [[str(key[0]), str(key[1]), *key[2:]] for key in found.get("rows", [])],
                [[str(entry[place]) for place in range(4)] for entry in found.get("sysctls", [])],
                [[str(entry[place]) for place in range(3)] for entry in found.get("moved", [])],
                [str(name) for name in found.get("namespaces", [])],
                [
                    [str(entry[0]), str(entry[1]), str(entry[2]), *map(told, entry[3:5])]
                    for entry in found.get("ports", [])
                ],
                [[str(entry[place]) for place in range(2)] for entry in found.get("nats", [])],
            )
        except (ValueError, AttributeError, TypeError, IndexError, KeyError):
            return cls([], [], [], [])

    @property
    def row_keys(self) -> set[RowKey]:
        """The rows as the state has them."""
        return {tuple(key) for key in self.rows}

    @property
    def places(self) -> set[str]:
        """All the namespaces that it speaks of."""
        found = {*self.namespaces, *(key[1] for key in self.row_keys)}
        found.update(entry[0] for entry in (*self.sysctls, *self.ports, *self.nats))
        return found.union(*((netns, origin) for netns, _name, origin in self.moved))

    @property
    def nat_keys(self) -> set[Key]:
        """The address translations as the state has them."""
        return {(entry[0], entry[1]) for entry in self.nats}

    def written(self) -> str:
        """The file's content, "" where there is nothing to remember."""
        if not any(self.__dict__.values()):
            return ""
        return json.dumps(self.__dict__, indent=1, sort_keys=True) + "\n"


def told(value: Any) -> Any:
    """A value of what bridges are told of ports, from JSON, which has no tuples."""
    return tuple(Vlan(*vlan) for vlan in value) if isinstance(value, list) else value


def is_group_of_topology(group: object) -> bool:
    """Whether a link group is the mark of some topology."""
    return isinstance(group, int) and group & 0xFF000000 == GROUPS


PARSERS: dict[str, Callable[[Mapping[str, Any], str, str], desired.Want]] = {
    "namespaces": desired.namespace_want,
    **{kind.plural: partial(desired.link_want, kind) for kind in (LINK, *LINK_KINDS)},
    **{kind.plural: partial(desired.row_want, kind) for kind in ROW_KINDS},
    "ovs_bridges": desired.ovs_want,
    "bridge_ports": desired.port_want,
    "nats": desired.nat_want,
    "forwarding": desired.forward_want,
}
"""By the option of vnet_topology that lists them, what makes a want of an entry, its place, and the default namespace."""


def topology_wants(params: Mapping[str, Any]) -> tuple[Topology, tuple[desired.Want, ...]]:
    """The wants behind vnet_topology's options, checked against one another; Refused names the entry."""
    name = params.get("name")
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}", name):
        raise errors.Refused(
            f"name: {name!r} is not the name of a topology: letters, digits, '_', '.' and '-', at most 64 of them"
        )
    topology = Topology(
        name, params.get("state") == "absent", params.get("prune") is not False, bool(params.get("adopt"))
    )
    if topology.absent:
        return topology, ()
    netns = desired.name_of("", "netns", params.get("netns") or "", NetnsName())
    wants = [
        parser(entry, f"{plural}[{number}]", netns)
        for plural, parser in PARSERS.items()
        for number, entry in enumerate(params.get(plural) or ())
    ]
    check_addresses(wants)
    check_masters(wants)
    check_loops(wants)
    check_forwards(wants)
    check_sysctls(wants)
    return topology, tuple(wants)


def _keys(want: desired.Want) -> Iterable[tuple[str, object]]:
    """What a want claims for itself, each with the words for it."""
    if isinstance(want, desired.NamespaceWant):
        yield f"the namespace {want.name}", ("namespace", want.name)
    elif isinstance(want, desired.LinkWant):
        yield f"the device {key_text(want.key)}", want.key
        if want.peer_key:
            yield f"the device {key_text(want.peer_key)}", want.peer_key
        for name in want.options.get("altnames", ()):
            yield f"the device name {key_text((want.netns, name))}", (want.netns, name)
    elif isinstance(want, desired.RowWant):
        yield f"the {want.kind.words(want.key)}", want.key
    elif isinstance(want, desired.PortWant):
        yield f"the bridge port {key_text(want.key)}", ("port", *want.key)
    elif isinstance(want, desired.NatWant):
        yield f"the address translation {key_text(want.key)}", ("nat", want.key)
    elif isinstance(want, desired.OvsWant):
        yield f"the Open vSwitch bridge {want.name}", ("ovs", want.name)
    elif isinstance(want, desired.ForwardWant):
        yield from _forward_keys(want)


def _forward_keys(want: desired.ForwardWant) -> Iterable[tuple[str, object]]:
    """What forwarding claims: a family, on a device or on all."""
    where = f" in {want.netns}" if want.netns else ""
    for device, family in product(want.devices or ("",), ("ipv4", "ipv6")):
        if getattr(want, family) is not None:
            yield f"forwarding of {family}{where}", (family, want.netns, device)


def check_names(wants: Iterable[desired.Want]) -> None:
    """No two entries for one thing."""
    seen: dict[object, str] = {}
    for want in wants:
        for words, key in _keys(want):
            if key in seen:
                place = f"{want.where}: " if want.where else ""
                raise errors.Refused(
                    f"{place}{words} is also in {seen[key] or 'another want'}, one of the two has to go"
                )
            seen[key] = want.where


def check_addresses(wants: Iterable[desired.Want]) -> None:
    """No address twice in one namespace, or one of its VRFs. A master that is no bridge in the list may be one of these.

    Link-local ones are each link's own.
    """
    links = [want for want in wants if isinstance(want, desired.LinkWant)]
    bridges = {want.key for want in links if want.kind.holds_ports}
    seen: dict[tuple[str, str, str, str], str] = {}
    for want in links:
        ends = [(want.key, want.options)]
        if want.peer:
            ends.append(((want.peer_netns, want.peer.name or ""), want.peer.options))
        for (netns, name), options in ends:
            master = want.name if want.kind.routes_ports else options.get("master", "")
            domain = "" if (netns, master) in bridges else master
            for address in options.get("addresses", ()):
                key = (netns, domain, address.split("/")[0], name if LINK_LOCAL.match(address) else "")
                if key in seen:
                    place = f" in {netns}" if netns else ""
                    raise errors.Refused(
                        f"{want.where}: addresses: {key[2]} is also in {seen[key]}{place}, and can be on one device only"
                    )
                seen[key] = want.where


def check_masters(wants: Sequence[desired.Want]) -> None:
    """No device is to be a port of two bridges, or of one whose `ports` don't list it."""
    seen: dict[Key, tuple[str, str]] = {}
    whole = {
        want.key: want
        for want in wants
        if isinstance(want, desired.LinkWant) and "ports" in want.options and "ports" not in want.append
    }
    for want in wants:
        for port, master in claims_of(want):
            where, other = seen.setdefault(port, (want.where, master))
            if other != master:
                raise errors.Refused(
                    f"{want.where}: {key_text(port)} is to be a port of {master}, and in {where} of {other}: it can be one of the two"
                )
            bridge = whole.get((port[0], master))
            if bridge and port[1] not in (*bridge.options["ports"], bridge.options.get("uplink")):
                raise errors.Refused(
                    f"{want.where}: {key_text(port)} is to be a port of {master}, whose 'ports' in {bridge.where} don't list it: add it there"
                )


def check_forwards(wants: Iterable[desired.Want]) -> None:
    """No port of a host is forwarded by two address translations."""
    seen: list[tuple[desired.NatWant, Forward]] = []
    for want in wants:
        if isinstance(want, desired.NatWant):
            mine = [(want, forward) for forward in want.options.get("port_forwards", ())]
            for (other, theirs), (_want, forward) in product(seen, mine):
                if other.netns == want.netns and nat.clash(forward, theirs):
                    raise errors.Refused(
                        f"{want.where}: port_forwards: {forward.protocol} {nat.common_ports(forward, theirs)} is also forwarded by {other.where}"
                    )
            seen += mine


def check_sysctls(wants: Iterable[desired.Want]) -> None:
    """No namespace is to forward, and not to."""
    asked = {
        (want.name, family): (want.sysctls[key] != "0", f"{want.where}: sysctl: {key}")
        for want in wants
        if isinstance(want, desired.NamespaceWant)
        for key, family in FORWARDING_OF.items()
        if key in want.sysctls
    }
    for want in wants:
        if isinstance(want, desired.ForwardWant) and want.devices is None:
            for family, said in (("ipv4", want.ipv4), ("ipv6", want.ipv6)):
                on, where = asked.get((want.netns, family), (said, ""))
                if said is not None and on != said:
                    raise errors.Refused(
                        f"{where} is {int(bool(on))}, and {want.where} wants '{family}: {str(said).lower()}' of that namespace"
                    )


FORWARDING_OF = {
    "net.ipv4.ip_forward": "ipv4",
    "net.ipv4.conf.all.forwarding": "ipv4",
    "net.ipv6.conf.all.forwarding": "ipv6",
}
"""The sysctls by which a namespace forwards a family."""


def claims_of(want: desired.Want) -> list[tuple[Key, str]]:
    """The devices that a want makes ports, each with the name of the bridge."""
    if isinstance(want, desired.OvsWant):
        return [(("", port["name"]), want.name) for port in want.options.get("ports", ())]
    if not isinstance(want, desired.LinkWant):
        return []
    claims = [((want.netns, port), want.name) for port in want.options.get("ports", ())]
    if want.options.get("master"):
        claims.append((want.key, want.options["master"]))
    if want.peer and want.peer_key and want.peer.options.get("master"):
        claims.append((want.peer_key, want.peer.options["master"]))
    return claims


def check_loops(wants: Iterable[desired.Want]) -> None:
    """No device is its own master or parent, however far around."""
    for what in ("master", "parent"):
        up: dict[Key, Key] = {}
        place: dict[Key, str] = {}
        for want in wants:
            if isinstance(want, desired.LinkWant):
                option = what if what == "master" else want.kind.lower
                name = want.options.get(option) if option else None
                if name:
                    netns = want.netns if what == "master" else want.options.get("link_netns", want.netns)
                    up[want.key], place[want.key] = (netns, name), want.where
                for port in want.options.get("ports", ()) if what == "master" else ():
                    up.setdefault((want.netns, port), want.key)
                    place.setdefault((want.netns, port), want.where)
        for start, above in up.items():
            at, steps = start, 0
            while at in up and steps <= len(up):
                at, steps = up[at], steps + 1
                if at == start:
                    raise errors.Refused(f"{place[start]}: {key_text(start)} is its own {what} over {key_text(above)}")
