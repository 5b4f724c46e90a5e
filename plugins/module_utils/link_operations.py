# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""The operations on links themselves: make, change, move, delete, and make anew as they were."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from . import attachments, node_operations, operations, port_operations
from .kinds import BY_NETLINK, kind_of
from .kinds.base import LinkKind
from .state import Key, Link, State
from .values import quoted
from .vni_operations import put_vnis_back


@dataclass(frozen=True)
class LinkAdd(operations.Operation):
    """Make a device, and with a veth its peer, in one request. `options` and `peer_options` are canonical values."""

    netns: str
    name: str
    kind: LinkKind
    options: Mapping[str, Any]
    peer: Key | None = None
    peer_options: Mapping[str, Any] = field(default_factory=dict)

    def simulate(self, model: State) -> None:
        attrs: dict[str, Any] = {"admin_state": "down", **self.options}
        if self.kind.lower:
            attrs.setdefault("link_netns", self.netns)
        mac_is_set = "mac" in self.options or not self.kind.holds_ports
        kind = self.kind.netlink_of(self.options)
        model.put(Link(self.netns, self.name, kind, attrs, peer=self.peer, mac_is_set=mac_is_set))
        if self.peer:
            attrs = {"admin_state": "down", **self.peer_options}
            model.put(Link(*self.peer, self.kind.netlink, attrs, peer=(self.netns, self.name)))

    def inverse(self, model: State) -> tuple[operations.Operation, ...]:
        return (LinkDelete(self.netns, self.name, self.kind.netlink_of(self.options)),)

    def command(self) -> str:
        table = self.kind.table
        if self.kind.by_ioctl:
            words = [
                option.words(self.options[name])
                for name, option in table.items()
                if name in self.options and option.level == "info"
            ]
            mark = self.options.get("link_group")
            then = (
                f" && {operations.ip(self.netns, 'link set dev', quoted(self.name), f'group {mark}')}" if mark else ""
            )
            return operations.ip(self.netns, "tuntap add dev", quoted(self.name), *words) + then
        head = [
            option.words(self.options[name])
            for name, option in table.items()
            if name in self.options and option.level == "link"
        ]
        tail = [
            option.words(self.options[name])
            for name, option in table.items()
            if name in self.options and option.level == "info"
        ]
        head += ["up"] if self.options.get("admin_state") == "up" else []
        where = self.options.get("link_netns", self.netns)
        if where != self.netns:
            head.append(f"netns {quoted(self.netns) if self.netns else '1'}")
        if self.peer:
            tail += ["peer name", quoted(self.peer[1])]
            if self.peer[0] != self.netns:
                tail += ["netns", quoted(self.peer[0]) if self.peer[0] else "1"]
            tail += [self.kind.table[name].words(value) for name, value in self.peer_options.items()]
        kind = self.kind.netlink_of(self.options)
        return operations.ip(where, "link add", quoted(self.name), *head, "type", kind, *tail)


@dataclass(frozen=True)
class LinkDelete(operations.Operation):
    """Delete a device, and with a veth its peer."""

    netns: str
    name: str
    kind: str

    def simulate(self, model: State) -> None:
        link = model.links.get((self.netns, self.name))
        gone = [link, model.links.get(link.peer) if link.peer else None] if link else []
        for end in gone:
            if end:
                if kind_of(end.kind).has_ports:
                    for port in model.ports(end.key):
                        LinkSet(end.netns, port, "", {"master": ""}).simulate(model)
                model.links[end.key] = None
                model.drop_rows(end, None)
                for upper in model.uppers(end.key):
                    LinkDelete(*upper.key, upper.kind).simulate(model)

    def inverse(self, model: State) -> tuple[operations.Operation, ...]:
        link = model.links.get((self.netns, self.name))
        if link is None or link.kind not in BY_NETLINK:
            return ()
        return rebuild(model, link)

    def command(self) -> str:
        if kind_of(self.kind).by_ioctl:
            return operations.ip(self.netns, "link delete dev", quoted(self.name))
        return operations.ip(self.netns, "link delete dev", quoted(self.name), "type", self.kind)


@dataclass(frozen=True)
class LinkGroupDelete(operations.Operation):
    """Delete many links by one request: one by one a thousand take twenty times as long.

    `group` holds none but them.
    """

    netns: str
    names: tuple[str, ...]
    group: int

    def simulate(self, model: State) -> None:
        for name in self.names:
            if model.links.get((self.netns, name)):
                LinkDelete(self.netns, name, "").simulate(model)

    def inverse(self, model: State) -> tuple[operations.Operation, ...]:
        links = [model.links.get((self.netns, name)) for name in self.names]
        found = [link for link in links if link and link.kind in BY_NETLINK]
        going = {link.key for link in found}
        # Bridges first, as the others' requests name them as master; what stands on another comes back with that.
        found.sort(key=lambda link: (link.below in going, not kind_of(link.kind).has_ports, link.name))
        made: set[Key] = set()
        steps: tuple[operations.Operation, ...] = ()
        for link in found:
            if link.key not in made:
                made |= {link.key, link.peer or link.key, *(upper.key for upper in all_uppers(model, link))}
                steps += rebuild(model, link, set(self.names))
        return steps

    def command(self) -> str:
        return operations.ip(self.netns, f"link delete group {self.group}")


@dataclass(frozen=True)
class LinkSet(operations.Operation):
    """Change attributes of a device in place, in one request.

    `changes` goes from option word to canonical value; `replaces` is what the device has now, where the request depends on it.
    """

    netns: str
    name: str
    kind: str
    changes: Mapping[str, Any]
    replaces: Mapping[str, Any] = field(default_factory=dict)

    def simulate(self, model: State) -> None:
        link = model.links.get((self.netns, self.name))
        if link:
            after = self.on(link, model)
            model.put(after)
            model.drop_rows(link, after)
            for upper in model.uppers(link.key):
                changes = self.followed_by(upper)
                if changes:
                    LinkSet(*upper.key, upper.kind, changes).simulate(model)

    def followed_by(self, upper: Link) -> dict[str, Any]:
        """What the kernel changes along of a device that stands on this one."""
        kind = kind_of(upper.kind)
        follows, changes = kind.follows, {}
        goes_along = "admin_state" in follows and not upper.get(kind.loose)
        if goes_along and self.changes.get("admin_state", upper.get("admin_state")) != upper.get("admin_state"):
            changes["admin_state"] = self.changes["admin_state"]
        mtu = self.changes.get("mtu")
        has = upper.get("mtu")
        if mtu and has and (("same mtu" in follows and mtu != has) or ("mtu" in follows and mtu < has)):
            changes["mtu"] = mtu
        return changes

    def on(self, link: Link, model: State) -> Link:
        """The link after the change, with the kernel's side effects."""
        table = kind_of(self.kind).table
        displaced: dict[str, Any] = {}
        for name, value in self.changes.items():
            displaced.update(table[name].costs(value))
        before, link = link, link.having(**{**displaced, **self.changes})
        if "mac" in self.changes:
            link = replace(link, mac_is_set=True)
        if link.attrs.get("master", "") != before.attrs.get("master", ""):
            # The bridge forgets what it was told of this port.
            link = replace(link, fdb=tuple(entry for entry in link.fdb if not entry.master), vlans=(), port={})
        if link.default_remote != before.default_remote:
            # The kernel makes of one of the remotes what the device has without an entry, and takes it away later.
            known = {link.default_remote, before.default_remote}
            link = replace(link, fdb=tuple(entry for entry in link.fdb if not (entry.for_all and entry.dst in known)))
        four = tuple(addr for addr in link.addresses if addr.family == 4)
        if "mac" in self.changes:
            link = replace(link, neighbors=tuple(neighbor for neighbor in link.neighbors if neighbor.proxy))
        masters = {before.attrs.get("master"), link.attrs.get("master")} if "master" in self.changes else set()
        cycled = before.get("admin_state") == "up" and any(
            kind_of(master.kind).routes_ports
            for master in (model.link((link.netns, name)) for name in masters if name)
            if master
        )
        if self.changes.get("admin_state") == "down" or (cycled and len(masters) > 1):
            # All routes through it go, and its IPv6 addresses (but for the sysctl keep_addr_on_down).
            return replace(link, routes=(), addresses=four, neighbors=())
        if self.changes.get("mtu", 1280) < 1280:
            return link.without_ipv6()
        return link

    def inverse(self, model: State) -> tuple[operations.Operation, ...]:
        link = model.links.get((self.netns, self.name))
        if link is None:
            return ()
        table = kind_of(self.kind).table
        displaced = {other for name, value in self.changes.items() for other in table[name].costs(value)}
        old = {
            name: link.attrs.get(name) for name in (*self.changes, *(other for other in displaced if link.get(other)))
        }
        if any(not old[name] and not table[name].clearable for name in self.changes):
            # What can't be taken off a device again can be left out of a new one.
            return (LinkDelete(self.netns, self.name, self.kind), *rebuild(model, link))
        back = {name: value for name, value in old.items() if value is not None}
        if "master" in old and old["master"] is None:
            back["master"] = ""
        if "alias" in old and old["alias"] is None:
            back["alias"] = ""
        after = self.on(link, model)
        left = "master" in self.changes and self.changes["master"] != link.attrs.get("master", "")
        port = port_operations.put_port_back(model, link) if left and link.attrs.get("master") else ()
        # Going back may cost what going there did: out of a VRF as into it.
        lost = after
        if back:
            lost = LinkSet(self.netns, self.name, self.kind, back).on(after, model)
        return (
            ((LinkSet(self.netns, self.name, self.kind, back, after.attrs),) if back else ())
            + port
            + attachments.put_back(link, lost)
            + self.undone_above(model, link)
        )

    def undone_above(self, model: State, link: Link) -> tuple[operations.Operation, ...]:
        """What of those that follow this device has to be put back by itself."""
        steps: tuple[operations.Operation, ...] = ()
        for upper in model.uppers(link.key):
            changes = self.followed_by(upper)
            if changes:
                followed = LinkSet(*upper.key, upper.kind, changes)
                after = followed.on(upper, model)
                back = {name: upper.attrs[name] for name in changes}
                steps += (LinkSet(*upper.key, upper.kind, back, after.attrs), *attachments.put_back(upper, after))
                steps += followed.undone_above(model, upper)
        return steps

    def command(self) -> str:
        table = kind_of(self.kind).table
        owner = [name for name in ("owner", "group") if name in self.changes and kind_of(self.kind).by_ioctl]
        if owner:
            # iproute2 can't change the owner of a device that is there; uml-utilities' tunctl can.
            flags = {"owner": "-u", "group": "-g"}
            netns = f"ip netns exec {quoted(self.netns)} " if self.netns else ""
            return netns + " ".join(
                ["tunctl", "-t", quoted(self.name), *(f"{flags[name]} {self.changes[name]}" for name in owner)]
            )
        head = [
            option.words(self.changes[name])
            for name, option in table.items()
            if name in self.changes and option.level == "link"
        ]
        head += [str(self.changes[name]) for name in ("admin_state",) if name in self.changes]
        tail = [
            option.change_words(self.changes[name], self.replaces)
            for name, option in table.items()
            if name in self.changes and option.level == "info"
        ]
        again = [name for name in kind_of(self.kind).retold if name not in self.changes and self.replaces.get(name)]
        tail = [*(table[name].words(self.replaces[name]) for name in again), *tail] if tail else []
        return operations.ip(
            self.netns, "link set dev", quoted(self.name), *head, *(["type", self.kind, *tail] if tail else [])
        )


@dataclass(frozen=True)
class LinkMove(operations.Operation):
    """Give a device another namespace or another name; on the way it loses addresses, routes, master, sysctls and admin state."""

    netns: str
    name: str
    to: Key

    def simulate(self, model: State) -> None:
        link = model.links.get((self.netns, self.name))
        if link is None:
            return
        model.links[self.netns, self.name] = None
        if self.to[0] != self.netns:
            model.drop_rows(link, None)
        moved = replace(link, netns=self.to[0], name=self.to[1], sysctls=())
        above = model.uppers(link.key)
        if self.to[0] != self.netns:
            attrs = {**link.attrs, "admin_state": "down", "master": ""}
            moved = replace(
                moved,
                attrs=attrs,
                addresses=(),
                routes=(),
                neighbors=(),
                vlans=(),
                port={},
                fdb=tuple(entry for entry in link.fdb if not entry.master),
            )
        model.put(moved)
        for upper in above:
            lower = kind_of(upper.kind).lower
            model.put(upper.having(**{lower: moved.name, "link_netns": moved.netns}))
            changes = self.down(link).followed_by(upper)
            if changes:
                LinkSet(*upper.key, upper.kind, changes).simulate(model)
        if link.peer:
            peer = model.links.get(link.peer)
            if peer:
                model.put(replace(peer, peer=self.to))

    def inverse(self, model: State) -> tuple[operations.Operation, ...]:
        link = model.links.get((self.netns, self.name))
        if link is None:
            return ()
        back: tuple[operations.Operation, ...] = (LinkMove(*self.to, (self.netns, self.name)),)
        if self.to[0] == self.netns:
            return back
        back += tuple(operations.SysctlSet(self.netns, key, value) for key, value in link.sysctls)
        if link.attrs.get("master"):
            back += (LinkSet(self.netns, self.name, link.kind, {"master": link.attrs["master"]}),)
        if link.attrs.get("admin_state") == "up":
            back += (LinkSet(self.netns, self.name, link.kind, {"admin_state": "up"}),)
        back += port_operations.put_port_back(model, link) + attachments.put_back(link, None)
        return back + self.down(link).undone_above(model, link)

    def down(self, link: Link) -> LinkSet:
        """What the move is to those that stand on the device: into another namespace it goes down, if it is up."""
        changes = {"admin_state": "down"} if self.to[0] != self.netns and link.attrs.get("admin_state") == "up" else {}
        return LinkSet(self.netns, self.name, link.kind, changes)

    def command(self) -> str:
        words = ["netns", quoted(self.to[0]) if self.to[0] else "1"] if self.to[0] != self.netns else []
        words += ["name", quoted(self.to[1])] if self.to[1] != self.name else []
        return operations.ip(self.netns, "link set dev", quoted(self.name), *words)


def rebuild(model: State, link: Link, without_ports: Collection[str] = ()) -> tuple[operations.Operation, ...]:
    """All that makes `link`, and the peer of a veth, as they are in `model`, when they are gone.

    The ports in `without_ports` come back by themselves, with their master.
    """
    peer = model.links.get(link.peer) if link.peer else None
    of_peer = _given(peer, False) if peer else {}
    # The kernel overlooks a master in the peer's half of the request.
    master = of_peer.pop("master", None)
    kind = kind_of(link.kind)
    steps: tuple[operations.Operation, ...] = (
        LinkAdd(link.netns, link.name, kind, _given(link, False), link.peer, of_peer),
    )
    if peer and master:
        steps += (LinkSet(peer.netns, peer.name, peer.kind, {"master": master}),)
    for end in filter(None, (link, peer)):
        steps += _settings(end) + _ports(model, end, without_ports)
        if end.attrs.get("admin_state") == "up":
            steps += (LinkSet(end.netns, end.name, end.kind, {"admin_state": "up"}),)
        steps += port_operations.put_port_back(model, end) + put_vnis_back(end) + attachments.put_back(end, None)
    for end in filter(None, (link, peer)):
        for upper in model.uppers(end.key):
            steps += rebuild(model, upper, without_ports)
    return attachments.each_route_once(steps)


def all_uppers(model: State, link: Link) -> list[Link]:
    """All that stands on a link or on its peer, however far up."""
    ends = [link, model.links.get(link.peer) if link.peer else None]
    found = [upper for end in ends if end for upper in model.uppers(end.key)]
    return found + [higher for upper in found for higher in all_uppers(model, upper)]


def _given(end: Link, late: bool) -> dict[str, Any]:
    """What a new device has to be told to become `end`, in the creating request or after it."""
    kind = kind_of(end.kind)
    return {
        name: end.attrs[name]
        for name, option in kind.table.items()
        if (option.level in ("link", "info", "kind") or name == "link_netns")
        and (end.attrs.get(name) not in (None, "") or (name == "link_netns" and end.attrs.get(name) is not None))
        # What a new device has anyway a kernel may refuse to be told (VLAN filtering that it lacks).
        and (
            name == "mtu"
            or not option.mutable
            or option.initial is None
            or not option.type.same(option.initial, end.attrs[name])
        )
        and (name in kind.late) == late
    }


def _settings(end: Link) -> tuple[operations.Operation, ...]:
    """The device's own sysctls, what its creating request can't carry, and its other names."""
    steps: tuple[operations.Operation, ...] = tuple(
        operations.SysctlSet(end.netns, key, value) for key, value in end.sysctls
    )
    late, table = _given(end, True), kind_of(end.kind).table
    for level in ("info", "link"):
        part = {name: value for name, value in late.items() if table[name].level == level}
        if part:
            steps += (LinkSet(end.netns, end.name, end.kind, part),)
    if end.attrs.get("tap") and (end.attrs.get("owner") != "root" or end.attrs.get("group")):
        steps += (
            node_operations.NodeSet(end.netns, end.name, end.attrs.get("owner") or "", end.attrs.get("group") or ""),
        )
    return steps + tuple(attachments.AltnameAdd(end.netns, end.name, name) for name in end.get("altnames") or ())


def _ports(model: State, bridge: Link, without: Collection[str]) -> tuple[operations.Operation, ...]:
    """The ports of a bridge, with what they told it."""
    steps: tuple[operations.Operation, ...] = ()
    for port in model.ports(bridge.key) if kind_of(bridge.kind).has_ports else ():
        member = model.links[bridge.netns, port]
        if member and port not in without:
            joined = LinkSet(bridge.netns, port, "", {"master": bridge.name})
            steps += (joined, *port_operations.put_port_back(model, member))
            steps += tuple(attachments.RowAdd(bridge.netns, port, entry) for entry in member.fdb if entry.master)
            if kind_of(bridge.kind).routes_ports and member.attrs.get("admin_state") == "up":
                four = tuple(addr for addr in member.addresses if addr.family == 4)
                steps += attachments.put_back(member, replace(member, routes=(), addresses=four))
    return steps
