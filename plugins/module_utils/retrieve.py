# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""Reading the host: kernel to state, and no more of it than the plan for these wants will look at."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from . import desired, errors, files, netlink, persist, read_links
from .host import Host
from .kinds import kind_of
from .kinds.link import LINK
from .later import Later
from .namespaces import path_of

if TYPE_CHECKING:
    from . import nat_table, netfilter, nft, read_ovs, read_rows, read_uplink, sysctl, taps
    from . import topology as topologies
    from .kinds.base import LinkKind
    from .state import Key, Link, State
    from .topology import Record, Topology
else:
    nat_table, netfilter, nft = Later("nat_table"), Later("netfilter"), Later("nft")
    read_ovs, read_rows, read_uplink = Later("read_ovs"), Later("read_rows"), Later("read_uplink")
    sysctl, taps, topologies = Later("sysctl"), Later("taps"), Later("topology")

DUMP_FROM = 12
"""From so many names on, one dump of a namespace's links is cheaper than asking for each (measured: see tests/bench)."""


class Reader(read_links.LinkReader):
    """One reading of the host for some wants, and for what a topology may have to take away."""

    def read(self) -> State:
        """All that the plan will look at."""
        for want in self.wants:
            self._note_want(want)
        record = self._record() if self.topology else None
        made = record.row_keys if record else set()
        for netns in {*self.names, *(record.places if record else ())}:
            if netns and self.host.namespaces.descriptor(netns) is not None:
                self.state.namespaces[netns] = {}
        if self.topology and record:
            self._sysctls("", sysctl.NEIGHBOR_ROOM.values())
            self._owned(self.topology, record)
        self._named_links()
        self._far_links()
        if self.topology or self._asked_about(desired.OvsWant):
            read_ovs.read(self)
        for want in self.wants:
            self._details_of(want)
        self._follow_ports()
        if record:
            self._moved(record)
            for netns, name in {(entry[0], entry[1]) for entry in record.ports}:
                self._told((netns, name))
        if made or self._asked_about(desired.RowWant):
            read_rows.read(self, made)
        self._nats_asked(record.nat_keys if record else set())
        return self.state

    def _asked_about(self, kind: type[desired.Want]) -> bool:
        return any(isinstance(want, kind) for want in self.wants)

    def _named_links(self) -> None:
        """The links that the wants name."""
        for netns, names in self.names.items():
            if self.state.has_netns(netns):
                if len(names) > DUMP_FROM or (self.topology and netns):
                    self.host.read_all_links(netns)
                for name in sorted(names):
                    self.link(netns, name)
            else:
                self.state.links.update({(netns, name): None for name in names})

    def _far_links(self) -> None:
        """The links that wants name without a namespace, where that is the one of a veth's peer, or of the device under it."""
        for want in self.wants:
            if not isinstance(want, desired.LinkWant):
                continue
            link = self.state.links.get(want.key)
            place, names = far_names(want, link) if link and not want.absent else (None, [])
            if place is not None:
                if place:
                    self.state.namespaces.setdefault(place, {})
                for name in filter(None, names):
                    self.places.setdefault((place, name), want.where)
                    self.link(place, name)

    def _note_want(self, want: desired.Want) -> None:
        if isinstance(want, desired.LinkWant):
            self._note_link(want)
        elif isinstance(want, desired.NamespaceWant):
            self._note(want.name, [] if want.absent else ["lo"])
        elif isinstance(want, desired.RowWant):
            self._note(want.netns, [name for _option, name in want.kind.devices(want.said)])
        elif isinstance(want, desired.PortWant):
            self._note(want.netns, [want.name], want.where)
        elif isinstance(want, desired.NatWant):
            self._note(want.netns, [])
        elif isinstance(want, desired.OvsWant):
            self._note("", [want.name, *(port["name"] for port in want.options.get("ports", ()))], want.where)
        else:
            self._note(want.netns, want.devices or [])

    def _details_of(self, want: desired.Want) -> None:
        if isinstance(want, desired.LinkWant):
            self._details(want)
            if want.kind.holds_ports and (want.absent or "uplink" in want.options):
                for name in read_uplink.names_of(self, want.key, want.options.get("uplink")):
                    read_uplink.read(self, want.key, name)
            if want.kind.holds_ports and not want.absent and self.state.has_netns(want.netns):
                self._firewall(want.netns)
            for port, _master in desired.becoming_ports(want, self.state):
                self._addresses(port)
        elif isinstance(want, desired.NamespaceWant):
            self._details_of_namespace(want)
        elif isinstance(want, desired.ForwardWant):
            self._forwarding(want)
        elif isinstance(want, desired.PortWant):
            self._told(want.key)

    def _details_of_namespace(self, want: desired.NamespaceWant) -> None:
        self._sysctls(want.name, want.sysctls)
        if any(
            key.endswith(sysctl.DISABLE_IPV6) and self.state.sysctls.get((want.name, key), value) != value
            for key, value in want.sysctls.items()
        ):
            self._ipv6(want.name)
        if want.absent and want.name in self.state.namespaces:
            self._far_ends(want.name)
        loopback = self.state.links.get((want.name, "lo"))
        if loopback and want.loopback is False and not want.absent:
            # IPv6's routes that lead nowhere go with it.
            self.attached(loopback, desired.LinkWant(LINK, *loopback.key), {"admin_state": "down"})

    def _follow_ports(self) -> None:
        """The bridges whose MTU the kernel lowers to that of a port, with all that they and what stands on them may lose by it."""
        found = {}
        for want in self.wants:
            for port, kind, options in ports_of(want) if isinstance(want, desired.LinkWant) else ():
                has = self.state.links.get(port)
                master = options.get("master", has.get("master") if has else "")
                bridge = self.link(port[0], master) if master and self.state.has_netns(port[0]) else None
                # A new tunnel has less than what carries it.
                initial = 0 if kind.lower or kind.tunnels else kind.table["mtu"].initial
                mtu = options.get("mtu", has.get("mtu") if has else initial)
                stays = has and has.get("master") == master and has.get("mtu") == mtu
                if bridge and not stays and kind_of(bridge.kind).holds_ports and mtu < bridge.get("mtu"):
                    found[bridge.key] = bridge
        for key, bridge in found.items():
            self.attached(bridge, desired.LinkWant(LINK, *key, absent=True), {})

    def _addresses(self, key: Key) -> None:
        """The addresses of a device that loses their use."""
        link = self.state.links.get(key)
        if link and not link.addresses:
            messages = self._dumped(link, "addresses", "index")
            self.state.put(
                replace(link, addresses=tuple(addr for addr in map(read_links.address_value, messages) if addr))
            )

    def _told(self, key: Key) -> None:
        """What a bridge was told of a port; and the bridge itself, by whose default VLAN ports are known that have just joined."""
        link = self.state.links.get(key)
        if link:
            self.state.put(replace(link, vlans=self._vlans(link), port=self.port(link)))
            if link.get("master"):
                self.link(link.netns, link.get("master"))

    def _firewall(self, netns: str) -> None:
        """Whether br_netfilter shows bridged frames to a firewall that drops them."""
        if (
            netns not in self.state.dropping
            and self.inside(netns, sysctl.read, "net.bridge.bridge-nf-call-iptables") == "1"
        ):
            self.state.dropping[netns] = ", ".join(found.chain for found in self.inside(netns, netfilter.obstacles))

    def _far_ends(self, netns: str) -> None:
        """The veths of a namespace that goes: their other ends go with it, wherever they are."""
        for raw in self.host.read_all_links(netns):
            if kind_of(raw.kind).paired:
                link = self.link(netns, raw.name)
                for end in [link, self.link(*link.peer) if link and link.peer else None]:
                    if end:
                        self.attached(end, desired.LinkWant(LINK, *end.key, absent=True), {})
        for below, uppers in self._standing().items():
            # And so do the devices elsewhere that stand on one in it.
            if below[0] == netns and any(upper[0] != netns for upper in uppers):
                lower = self.link(*below)
                if lower:
                    self._uppers(lower, True)

    # -- what a topology made before -------------------------------------------------------------------------------

    def _record(self) -> Record:
        path = self.topology.record if self.topology else ""
        content = self.state.files[path] = files.read_text(path)
        return topologies.Record.read(content)

    def _owned(self, topology: Topology, record: Record) -> None:
        """The namespaces and the links that carry the topology's mark, and what its record names."""
        places = {"", *record.namespaces, *self.names}
        for name in self.host.namespaces.leftovers(topology.owner):
            self.state.files[path_of(name)] = topology.owner
        for name in self.host.namespaces.names():
            if name in places:
                self.host.read_all_links(name)
            loopback = self.host.link(name, "lo")
            owner = loopback.alias if loopback and loopback.alias.startswith(topologies.OWNER) else ""
            if owner == topology.owner or name in self.state.namespaces:
                self.state.namespaces[name] = {"owner": owner}
                places.add(name)
        self._marked(topology, places)
        for netns, key, _before, _now in record.sysctls:
            self._sysctls(netns, [key])
        listed = {want.name for want in self.wants if isinstance(want, desired.NamespaceWant)}
        going = {name for name, facts in self.state.namespaces.items() if facts.get("owner") == topology.owner} - listed
        self._records_of_others(topology, {entry[0] for entry in record.sysctls}, going)
        for netns, name, origin in record.moved:
            self._note(netns, [name])
            self._note(origin, [name])
        for netns, name, _option, _before, _now in record.ports:
            self._note(netns, [name])

    def _records_of_others(self, topology: Topology, places: set[str], going: set[str]) -> None:
        """What other topologies have recorded, as this one may give sysctls back that they want as they are, or take a namespace that they use."""
        for path in files.listed(topologies.RECORDS) if places or going else ():
            if path != topology.record and path.endswith(".json"):
                content = self.state.files[path] = files.read_text(path)
                for netns, key, _before, _now in topologies.Record.read(content).sysctls:
                    if netns in places:
                        self._sysctls(netns, [key])

    def _moved(self, record: Record) -> None:
        """The devices that were moved, which carry no mark."""
        for netns, name, origin in record.moved:
            link = self.state.links.get((netns, name))
            if link:
                self.attached(link, desired.LinkWant(LINK, netns, name, absent=True, origin=origin), {})

    def _marked(self, topology: Topology, places: set[str]) -> None:
        """The links that carry the mark, and of those that are not listed any more all that undoing would need."""
        listed = {want.key for want in self.wants if isinstance(want, desired.LinkWant)}
        for netns in places:
            if self.state.has_netns(netns):
                for raw in self.host.read_all_links(netns):
                    if raw.group in topology.link_groups:
                        link = self.link(netns, raw.name)
                        if link and link.key not in listed and link.peer not in listed:
                            # All that undoing its deletion would need.
                            self.attached(link, desired.LinkWant(LINK, *link.key, absent=True), {})
                            for name in (
                                read_uplink.names_of(self, link.key, None) if kind_of(link.kind).holds_ports else ()
                            ):
                                read_uplink.read(self, link.key, name)

    # -- address translation ---------------------------------------------------------------------------------------

    def _nats_asked(self, made: set[Key]) -> None:
        """The address translations of the wants and those that the topology `made`, and what stands in their way."""
        wants = [want for want in self.wants if isinstance(want, desired.NatWant)]
        making = {want.netns for want in wants if not want.absent}
        if making:
            nft.require()
        for netns in sorted({want.netns for want in wants} | {key[0] for key in made}):
            # What is made may get in the way of what is there.
            names = {key[1] for key in (*made, *(want.key for want in wants)) if key[0] == netns}
            self.nats(netns, names, others=netns in making)
        for netns in making:
            if self.state.has_netns(netns):
                self._sysctls(netns, ["net.ipv4.ip_forward"])
                self._firewall(netns)
                self.state.obstacles[netns] = tuple(self.inside(netns, netfilter.obstacles))

    def nats(self, netns: str, names: Iterable[str] = (), others: bool = True) -> None:
        """Read the address translations of these names in a namespace, and `others` that are there."""
        tables = self.inside(netns, netfilter.tables) if self.state.has_netns(netns) else {}
        found = {table[len(nat_table.PREFIX) :] for table in tables if nat_table.is_ours(table)} if others else set()
        for name in sorted({*names, *found}):
            flags = tables.get(nat_table.table_name(name))
            self.state.nats[netns, name] = None if flags is None else self.inside(netns, nft.read, netns, name, flags)

    def _note(self, netns: str, names: Iterable[str], where: str = "") -> None:
        for name in filter(None, names):
            self.names.setdefault(netns, set()).add(name)
            if where:
                self.places.setdefault((netns, name), where)
        self.names.setdefault(netns, set())

    def _note_link(self, want: desired.LinkWant) -> None:
        if want.kind.tap_info:  # one that is there may be a tap without being told so again
            self.state.has_devtmpfs = taps.kernel_makes_files()
        options, where = want.options, want.where
        self._note(want.netns, [want.name, options.get("master", ""), *options.get("ports", ())], where)
        if not want.kind.name:
            self._note(want.origin or "", [want.name], where)
        if want.kind.holds_ports:
            self._note(want.netns, read_uplink.names_of(self, want.key, options.get("uplink")), where)
        if want.kind.lower:
            self._note(options.get("link_netns", want.netns), [options.get(want.kind.lower, "")], where)
        if want.peer:
            self._note(want.peer_netns, [want.peer.name or "", want.peer.options.get("master", "")], where)

    def _details(self, want: desired.LinkWant) -> None:
        """What the phases will look at of a link that is there: its peer, ports, addresses, routes and FDB entries."""
        for name in want.options.get("altnames", ()) if self.state.has_netns(want.netns) else ():
            holder = self.host.link(want.netns, name)
            if holder:
                self.link(want.netns, holder.name)
        link = self.state.links.get(want.key)
        if want.peer_key and link is None:
            # Perhaps the first end was moved away: then the peer leads to it.
            other = self.state.links.get(want.peer_key)
            if other and other.peer and kind_of(other.kind) is want.kind and other.peer not in self.state.links:
                link = self.link(*other.peer)
        if not want.kind.name and link is None:
            link = self.state.links.get((want.origin or "", want.name))
        place = want.options.get("link_netns", link.get("link_netns") if link else want.netns)
        under = self.state.links.get((place, want.options.get(want.kind.lower, "")))
        if want.kind.exclusive and under and under.get("master"):
            self.link(under.netns, under.get("master"))  # with which it may have to share
        if link is None:
            return
        try:
            self._hanging(link, want)
        except errors.KernelError as exc:
            if exc.code != errno.ENODEV:
                raise
            # It went between two questions: a namespace that was deleted takes its time.
            self.host.forget()
            self.state.links[want.key] = None

    def _hanging(self, link: Link, want: desired.LinkWant) -> None:
        if want.recreate or want.absent:
            for key in (link.key, link.peer):
                if key:
                    self.link(*key)
                    self._own_sysctls(key)
            link = self.state.links.get(link.key) or link
        self.attached(link, want, want.options)
        if link.get("tap"):
            self._opened(link, want)
        if link.peer and (want.peer or want.absent or want.recreate):
            peer = self.link(*link.peer)
            if peer:
                self.attached(peer, want, want.peer.options if want.peer else {})
        if kind_of(link.kind).has_ports and (
            want.absent or want.recreate or "ports" in want.options or len(self.wants) == 1
        ):
            self._ports(link, want)

    def _ports(self, link: Link, want: desired.LinkWant) -> None:
        """The ports of a bridge or a VRF, and of those that will leave it what they lose."""
        for raw in self.host.socket(link.netns).links(master=link.index):
            if raw.number(netlink.IFLA_MASTER) == link.index:
                port = self.link(link.netns, raw.name)
                if port and kind_of(link.kind).routes_ports:
                    self.attached(port, desired.LinkWant(LINK, *port.key, absent=True), {})
                elif port and (want.absent or ("ports" in want.options and raw.name not in want.options["ports"])):
                    # Leaving the bridge, it loses the static entries of the bridge's FDB.
                    self.state.put(
                        replace(port, fdb=tuple(self._fdb(port)), vlans=self._vlans(port), port=self.port(port))
                    )

    def _opened(self, link: Link, want: desired.LinkWant) -> None:
        """Whether a program has a tap device's file open, where that matters."""
        if want.recreate:
            path = f"class/net/{link.name}/tap{link.index}/dev"
            number = taps.parsed(self.host.namespaces.read_sysfs(link.netns, path))
            if number is not None and taps.is_open(number):
                link = self.state.links.get(link.key) or link
                self.state.put(replace(link, busy="the program that has it open"))

    def _sysctls(self, netns: str, keys: Iterable[str]) -> None:
        keys = list(keys)
        if keys and self.state.has_netns(netns):
            if any(key.endswith(("ip_forward", ".forwarding")) for key in keys):
                keys += self.inside(netns, sysctl.forwarding_keys)
            for key, value in self.inside(netns, sysctl.read_all, keys).items():
                self.state.sysctls[netns, key] = value

    def _ipv6(self, netns: str) -> None:
        """Which devices of a namespace have IPv6, and all that they would lose with it."""
        names = [raw.name for raw in self.host.read_all_links(netns)]
        self._sysctls(netns, [sysctl.of_device("ipv6", name, "disable_ipv6") for name in ("default", *names)])
        for name in names:
            link = self.link(netns, name)
            if link:
                self.attached(link, desired.LinkWant(LINK, netns, name, absent=True), {})

    def _forwarding(self, want: desired.ForwardWant) -> None:
        if want.file is not None:
            self.state.files[want.file] = files.read_text(want.file)
        if not self.state.has_netns(want.netns):
            return
        self._sysctls(want.netns, ["net.ipv4.ip_forward"])
        if want.ipv6 and want.keep_ra:
            devices = set()
            for message in self.host.socket(want.netns).routes(10):
                # proto 9 is `ra`: learned by router advertisement (RFC 4861)
                if message["proto"] == 9 and message.get_attr("RTA_OIF"):
                    name = self.name_at(want.netns, message.get_attr("RTA_OIF"))
                    # With 0 a program like NetworkManager listens itself, and the kernel mustn't.
                    if self.state.sysctls.get((want.netns, sysctl.of_device("ipv6", name, "accept_ra"))) != "0":
                        devices.add(name)
            # Once mended the file goes on saying so, also while the router is away.
            listed = re.findall(
                r"^net[./]ipv6[./]conf[./](.+)[./]accept_ra *= *2$", self.state.text(want.file or "") or "", re.M
            )
            devices.update(
                name.replace("/", ".")
                for name in listed
                if self.state.sysctls.get((want.netns, sysctl.of_device("ipv6", name, "accept_ra")), "0") != "0"
            )
            self.state.ra_devices[want.netns] = tuple(sorted(devices))


def far_names(want: desired.LinkWant, link: Link) -> tuple[str | None, list[str]]:
    """Of a device that is there: the namespace to which it leads, None for one without a name, and what is meant to be in it."""
    if want.peer and want.peer.netns is None and link.peer:
        return link.peer[0], [want.peer.name or "", want.peer.options.get("master", "")]
    if want.kind.lower and "link_netns" not in want.options:
        return link.get("link_netns"), [want.options.get(want.kind.lower, "")]
    return None, []


def ports_of(want: desired.LinkWant) -> list[tuple[Key, LinkKind, Mapping[str, Any]]]:
    """The ends that a want is about, and what it asks of each; for a bridge also its ports."""
    if want.absent:
        return []
    found: list[tuple[Key, LinkKind, Mapping[str, Any]]] = [(want.key, want.kind, want.options)]
    if want.peer and want.peer_key:
        found.append((want.peer_key, want.kind, want.peer.options))
    ports = want.options.get("ports", ()) if want.kind.holds_ports else ()
    return found + [((want.netns, name), LINK, {"master": want.name}) for name in ports]


def retrieve(
    host: Host, wants: tuple[desired.Want, ...], topology: Topology | None = None, keep: persist.Keep | None = None
) -> State:
    """What the plan for `wants` needs to know of the host, the files of `keep` included."""
    state = Reader(host, wants, topology).read()
    if keep:
        persist.look(state, keep)
    return state
