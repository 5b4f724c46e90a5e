# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""What `vnet_info` gathers: whole namespaces, in the words of the options. It reads and never writes.

One dump per table and namespace; no process is started, but for nft where there are address translations, and ovs-vsctl
where Open vSwitch runs. The host's lock is left to those who change something.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from . import errors, netlink, read_links, read_ovs, sysctl
from .host import Host
from .info_left_out import links_left_out, routes_left_out, rules_left_out
from .info_words import (
    FAMILIES,
    expressible,
    fdb_shown,
    is_learned,
    neighbor_entry,
    neighbor_shown,
    route_entry,
    route_shown,
    rule_entry,
    rule_shown,
    topology_shown,
)
from .kinds import kind_of
from .kinds.bridge_port import vlans_shown
from .kinds.fdb import FDB
from .retrieve import Reader
from .rows import Fdb
from .state import IFA_F_DADFAILED, Addr, Key, Link, Nat, State, Vlan, forwarding_shown, link_shown, nat_shown

SUBSETS = ("links", "routes", "rules", "neighbors", "fdb", "forwarding", "nats", "ovs_bridges", "topology")
"""What can be gathered, besides `all`."""

SET_BY_SOMEBODY = "3"
"""`NET_ADDR_SET`: the `addr_assign_type` of a device whose MAC the kernel did not pick."""


def subsets(asked: Sequence[str]) -> frozenset[str]:
    """What a `gather_subset` means. One that only says what not to gather means all but that."""
    without = {word[1:] for word in asked if word.startswith("!")}
    named = {word for word in asked if not word.startswith("!")}
    return frozenset(SUBSETS if "all" in named or not named else named) - without


def gather(netns: str | None, asked: frozenset[str]) -> dict[str, Any]:
    """The `asked` subsets of a namespace (`""`: the one that the process is in), with None of the host and all of them.

    Returns `host` and `namespaces` (by name), each by subset, `topology`, and what is `left_out` of it. Raises Missing
    where there is no such namespace, and Refused where it can't be entered.
    """
    with Host() as host:
        if netns is not None:
            host.descriptor(netns)
        names = ["", *host.namespaces.names()] if netns is None else [netns]
        try:
            return Gatherer(host, names, asked).gather()
        except OSError as exc:
            raise errors.of_the_system(exc) or errors.Refused(
                f"the network namespaces of this host can't be read ({exc.strerror}):"
                " that needs root, add 'become: true'"
            ) from None


def nothing(netns: str, asked: frozenset[str]) -> dict[str, Any]:
    """What `gather` would return of a namespace that has nothing in it, and is itself not there."""
    empty: dict[str, Any] = {"links": {}, "forwarding": forwarding_shown({})}
    found = {subset: empty.get(subset, []) for subset in asked - {"ovs_bridges", "topology"}}
    topology = {"topology": topology_shown(State(), {}, set()), "left_out": []} if "topology" in asked else {}
    return {"host": {}, "namespaces": {netns: found}, **topology}


def present(entries: Iterable[dict[str, Any] | None]) -> list[dict[str, Any]]:
    """Those that are not None."""
    return [entry for entry in entries if entry is not None]


class Gatherer:
    """One gathering, of the namespaces with these names."""

    def __init__(self, host: Host, names: Sequence[str], asked: frozenset[str]) -> None:
        self.host = host
        self.names = names
        self.asked = asked
        self.reader = Reader(host, ())
        self.state = self.reader.state
        self.found: dict[str, dict[str, Any]] = {name: {} for name in names}
        self.doing: dict[Key, dict[str, Any]] = {}
        """How links are just now: what is no setting, and so not in the state."""
        self.rows: dict[str, dict[str, list[dict[str, Any]]]] = {name: {} for name in names}
        """What `vnet_topology` takes for rows of tables, by namespace and by its option."""
        self.left_out: list[str] = []
        """The rows that it can't take."""

    def gather(self) -> dict[str, Any]:
        """Read all; see `gather` beside this class for what it returns."""
        # All links first: what leads from one namespace to another is then known in both.
        raws = {netns: self.host.read_all_links(netns) for netns in self.names}
        for netns in self.names:
            if self.asked & {"links", "fdb", "topology"}:
                self._links(netns, raws[netns])
            if self.asked & {"forwarding", "topology"}:
                self._forwarding(netns)
            if netns:
                self.state.namespaces.setdefault(netns, {})
            self._tables(netns)
        if "" in self.names and self.asked & {"ovs_bridges", "topology"}:
            read_ovs.read_all(self.reader)
            if "ovs_bridges" in self.asked:
                self.found[""]["ovs_bridges"] = [
                    bridge.shown() for _name, bridge in sorted(self.state.ovs.items()) if bridge
                ]
        answer: dict[str, Any] = {
            "host": self.found.get("", {}),
            "namespaces": {name: found for name, found in self.found.items() if name},
        }
        if "topology" in self.asked:
            answer["topology"] = self._topology()
            answer["left_out"] = [*links_left_out(self.state, self.names), *self.left_out]
        return answer

    def _links(self, netns: str, raws: Sequence[netlink.RawLink]) -> None:
        links = {raw.index: self.reader.convert(netns, raw) for raw in raws}
        self.doing.update({(netns, raw.name): {"operstate": raw.operstate} for raw in raws})
        addresses: dict[int, list[Addr]] = {}
        for message in self.host.socket(netns).addresses():
            address, link = read_links.address_value(message), links.get(message["index"])
            if address and link:
                addresses.setdefault(link.index, []).append(address)
                # Another host has it, so that this one does not use it (RFC 4862, 5.4.5).
                if message["family"] == socket.AF_INET6 and message["flags"] & IFA_F_DADFAILED:
                    self.doing[link.key].setdefault("dadfailed", []).append(address.cidr)
        fdb: dict[int, list[Fdb]] = {}
        if self.asked & {"fdb", "topology"} or any(kind_of(link.kind).own_fdb for link in links.values()):
            fdb = self._fdb(netns, links)
        bridged = any(kind_of(link.kind).holds_ports for link in links.values())
        vlans = self.host.socket(netns).vlans() if bridged else {}
        for index, link in links.items():
            self.state.put(
                replace(
                    link,
                    addresses=tuple(addresses.get(index, ())),
                    fdb=tuple(fdb.get(index, ())),
                    vlans=tuple(Vlan(*found) for found in vlans.get(index, ())),
                    port=self.reader.port(link),
                    vnis=self.reader.vnis(link) if link.get("vnifilter") else (),
                )
            )
        if "links" in self.asked:
            self.found[netns]["links"] = {link.name: self._link_shown(link.key) for link in links.values()}

    def _link_shown(self, key: Key) -> dict[str, Any]:
        link = self.state.links[key]
        if link is None:
            return {}
        shown = {**link_shown(self.state, link, {"mac"}), **self.doing[key]}
        if link.port:
            shown["bridge_port"] = {**link.port, "vlans": vlans_shown(link.vlans)}
        kept = [addr.cidr for addr in link.addresses if not addr.ours]
        return {**shown, "kernel_addresses": kept} if kept else shown

    def _fdb(self, netns: str, links: Mapping[int, Link]) -> dict[int, list[Fdb]]:
        """The static entries by the index of their device; what is shown has the learned ones too."""
        static: dict[int, list[Fdb]] = {}
        shown = []
        for message in self.host.socket(netns).fdb():
            link = links.get(message["ifindex"])
            if link is None:
                continue
            entry = self.reader.fdb_entry(link, message)
            if entry:
                if not self.reader.by_option(link, entry):
                    static.setdefault(link.index, []).append(entry)
                shown.append(fdb_shown(link, entry, learned=False))
            elif is_learned(message):
                shown.append(fdb_shown(link, self.reader.fdb_value(link, message), learned=True))
        if "fdb" in self.asked:
            self.found[netns]["fdb"] = shown
        entries = (FDB.entry(links[index], entry) for index, found in static.items() for entry in found)
        self.rows[netns]["fdb_entries"] = present(entries)
        return static

    def _forwarding(self, netns: str) -> None:
        with self.host.namespaces.inside(netns):
            found = sysctl.read_all(sysctl.forwarding_keys())
        self.state.sysctls.update({(netns, key): value for key, value in found.items()})
        if "forwarding" in self.asked:
            self.found[netns]["forwarding"] = forwarding_shown(found)

    def _tables(self, netns: str) -> None:
        sock, found = self.host.socket(netns), self.found[netns]

        def name_at(index: int) -> str:
            link = self.host.link_at(netns, index)
            return link.name if link else f"if{index}"

        rows = self.rows[netns]
        if self.asked & {"routes", "topology"}:
            routes = present(
                route_shown(message, name_at) for family in FAMILIES for message in sock.routes(family, by_kernel=False)
            )
            found["routes"] = routes
            rows["routes"] = present(route_entry(netns, route) for route in routes)
            self.left_out += routes_left_out(netns, routes)
        if self.asked & {"rules", "topology"}:
            rules = [message for family in FAMILIES for message in sock.rules(family)]
            found["rules"] = [rule_shown(message) for message in rules]
            rows["rules"] = present(rule_entry(netns, message) for message in rules)
            self.left_out += rules_left_out(netns, rules)
        if self.asked & {"neighbors", "topology"}:
            neighbors = [*sock.neighbors(), *sock.proxies()]
            found["neighbors"] = present(neighbor_shown(message, name_at) for message in neighbors)
            rows["neighbors"] = present(neighbor_entry(netns, message, name_at) for message in neighbors)
        for subset in ("routes", "rules", "neighbors"):
            if subset not in self.asked:
                found.pop(subset, None)
        if self.asked & {"nats", "topology"}:
            self.reader.nats(netns)
        if "nats" in self.asked:
            found["nats"] = [nat_shown(nat) for nat in self._nats(netns)]

    def _nats(self, netns: str) -> list[Nat]:
        # Without a source it is somebody's table that only has such a name.
        found = (nat for (place, _name), nat in sorted(self.state.nats.items()) if nat and place == netns)
        return [nat for nat in found if nat.source]

    def _topology(self) -> dict[str, Any]:
        for link in list(self.state.links.values()):
            # The other end of a pair may be in a namespace that was not asked about.
            if link and link.peer and link.peer not in self.state.links:
                raw = self.host.link(*link.peer)
                self.state.links[link.peer] = self.reader.convert(link.peer[0], raw) if raw else None
        return topology_shown(self.state, self.rows, self._macs())

    def _macs(self) -> set[Key]:
        """The links whose MAC somebody gave them, as only sysfs tells."""
        paths: dict[str, list[str]] = {}
        ends: dict[tuple[str, str], Key] = {}
        for _kind, link, peer in expressible(self.state, self.names):
            for end in (link, peer):
                if end and "mac" in end.attrs:
                    path = f"class/net/{end.name}/addr_assign_type"
                    paths.setdefault(end.netns, []).append(path)
                    ends[end.netns, path] = end.key
        found = self.host.namespaces.read_sysfs_of(paths)
        return {ends[place] for place, value in found.items() if value == SET_BY_SOMEBODY}
