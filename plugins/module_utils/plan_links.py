# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""The phases of the plan that make, change and delete links."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from . import desired, errors
from .kinds import kind_of
from .kinds.base import LinkKind, Option
from .later import Later
from .plan_stack import check_lower, check_macs, check_siblings, ends, from_below, identity, open_node, prefix, storeys
from .planner import Planner
from .state import Key, Link, key_text
from .values import ListOf

if TYPE_CHECKING:
    from . import attachments, link_operations, plan_topology
else:
    attachments, link_operations = Later("attachments"), Later("link_operations")
    plan_topology = Later("plan_topology")

MOST_PORTS = 1023
"""BR_MAX_PORTS less the one number that the kernel keeps (net/bridge/br_private.h)."""


def matches(option: Option, wanted: Any, link: Link) -> bool:
    """Whether the link has the option as wanted. What the kernel says nothing of counts as off."""
    found = link.get(option.name)
    if found is None:
        return option.silent or wanted is False or wanted in ("", ())
    return option.type.same(wanted, found)


def bring_about(planner: Planner) -> None:
    """Make links and change them. A new bridge has its ports, and so their MTU, before a device on it takes that over."""
    check_siblings(planner)
    check_macs(planner)
    drop_altnames(planner)
    move_peers(planner)
    waiting = {want.key: want for want in planner.links if not want.absent}
    for storey in storeys(planner):
        make_links(planner, storey, waiting)
        move_peers(planner)
        change_links(planner, waiting)


def make_links(planner: Planner, wants: Sequence[desired.LinkWant], waiting: dict[Key, desired.LinkWant]) -> None:
    """Make of what is waiting these wants, devices under others first; make anew what can't be changed in place."""
    holders = {
        (want.kind.name, identity(planner.model.link(want.key))): want for want in waiting.values() if want.kind.unique
    }

    def make(want: desired.LinkWant) -> None:
        together = with_rivals(planner, want, holders) if want.kind.unique else [want]
        together = [one for one in together if waiting.pop(one.key, None)]
        for one in together:
            for under in ("master", one.kind.lower):
                name = one.options.get(under) if under else None
                place = one.netns if under == "master" else one.options.get("link_netns", one.netns)
                if name and (place, name) in waiting:
                    make(waiting[place, name])
        # A new one comes when the others have made room.
        there = [one for one in together if planner.model.link(one.key)]
        anew = [found for found in (make_link(planner, one) for one in there) if found]
        make_anew(planner, anew)
        if want not in there:
            make_link(planner, want)

    for want in sorted(wants, key=lambda want: not want.kind.has_ports):
        if want.key in waiting:
            make(want)


def with_rivals(
    planner: Planner, want: desired.LinkWant, holders: Mapping[tuple[str, tuple[Any, ...]], desired.LinkWant]
) -> list[desired.LinkWant]:
    """The want, and those that have what shall be its device's alone, such as a VNI, or that of one of them, and shall get another."""
    found = [want]
    while True:
        one = found[-1]
        link = planner.model.link(one.key)
        wanted = identity(link, one)
        rival = holders.get((one.kind.name, wanted)) if wanted != identity(link) else None
        if not rival or rival in found or identity(planner.model.link(rival.key), rival) == wanted:
            return found
        found.append(rival)


def make_link(planner: Planner, want: desired.LinkWant) -> tuple[desired.LinkWant, Link, Mapping[str, Any]] | None:
    """Make one link, or bring it where it should be. Returns what has to be made anew, with what can't be changed in place."""
    planner.asked.setdefault(want.key, set()).update(want.options)
    planner.netns_exists(want.where, want.netns)
    link = planner.model.link(want.key)
    if link is None and want.peer and found_by_peer(planner, want):
        return None
    if not want.kind.name:
        fetch(planner, want)
        return None
    if link is None:
        create(planner, want)
        return None
    check_kind(want, link)
    check_together(want, link.attrs)
    together = want.kind.fixed_together(want.options, link.attrs)
    fixed = {
        name: value
        for name, value in want.options.items()
        if (name in together or want.kind.table[name].is_fixed(value, link.get(name)))
        and not matches(want.kind.table[name], value, link)
    }
    return (want, link, fixed) if fixed else None


def fetch(planner: Planner, want: desired.LinkWant) -> None:
    """Bring a device that is not ours to the namespace where it should be."""
    if planner.model.link(want.key):
        return
    origin = (want.origin or "", want.name)
    if planner.model.link(origin) is None and planner.topology:
        origin = plan_topology.moved_to(planner, origin)
    found = planner.model.link(origin)
    if found and found.kind == "loopback":
        origin = want.key  # each namespace has its own
    if planner.model.link(origin) is None:
        place = f" nor in {want.origin or 'the namespace of the host'}" if origin != want.key else ""
        planner.lack(want.where, f"name: there is no device {key_text(want.key)}{place}, and this module makes none")
        # So that the rest of a check run is about the device that will be; in both, as it is not this run's to make.
        for state in (planner.before, planner.model):
            state.put(Link(*origin, ""))
    if origin != want.key:
        check_moves(planner, want, origin)
        planner.do(link_operations.LinkMove(*origin, want.key))


def check_moves(planner: Planner, want: desired.LinkWant, origin: Key) -> None:
    """Refuse to move what the kernel has in one namespace for good (`netns_immutable` in struct net_device)."""
    link = planner.model.link(origin)
    if link and kind_of(link.kind).has_ports:
        raise errors.Refused(
            f"{prefix(want)}netns: {key_text(origin)} is a {link.kind}, and the kernel moves none to another network namespace:"
            " make one there, and delete this one"
        )


def check_kind(want: desired.LinkWant, link: Link) -> None:
    """Refuse to touch a device of another kind."""
    if kind_of(link.kind) is not want.kind:
        what = f"a {link.kind} device" if link.kind else "a device that is not virtual"
        raise errors.Refused(
            f"{prefix(want)}name: {key_text(want.key)} is {what} and no {want.kind.name}; it was left alone:"
            " choose another name, or delete it first"
        )


def check_together(want: desired.LinkWant, found: Mapping[str, Any]) -> None:
    """Refuse options that do not go together with what the device has."""
    problem = want.kind.check({**want.options, "name": want.name, "netns": want.netns}, found)
    if problem:
        raise errors.Refused(f"{prefix(want)}{problem}")


def create(planner: Planner, want: desired.LinkWant) -> None:
    """Make a device that is not there."""
    kind = want.kind
    for needed in kind.needed:
        choice = needed.split("|")
        if not any(want.options.get(option) is not None or (option == "peer" and want.peer) for option in choice):
            raise errors.Refused(
                f"{prefix(want)}{choice[0]}: {key_text(want.key)} is not there, and to make a {kind.name} this option is needed"
            )
    asked = {**want.new, **want.options}
    check_together(want, {})
    check_lower(planner, want, asked.get("link_netns", want.netns), asked.get(kind.lower) if kind.lower else None)
    peer_key: Key | None = None
    peer_options: dict[str, Any] = {}
    if want.peer:
        peer_key = want.peer_key
        if not peer_key:
            raise errors.Refused(
                f"{prefix(want)}peer: name: {key_text(want.key)} is not there, and to make a veth this option is needed"
            )
        if peer_key == want.key:
            raise errors.Refused(f"{prefix(want)}peer: name: both ends would be {key_text(peer_key)}")
        planner.netns_exists(want.where, peer_key[0], "peer: netns")
        taken = planner.model.link(peer_key)
        if taken:
            other = f", the peer of {key_text(taken.peer)}" if taken.peer and taken.peer[0] is not None else ""
            raise errors.Refused(
                f"{prefix(want)}peer: name: {key_text(peer_key)} is already there (a {taken.kind or 'physical'} device{other}); it was left alone"
            )
        planner.asked.setdefault(peer_key, set()).update(want.peer.options)
        # The kernel overlooks a master in the peer's half of the request.
        in_request = {name: value for name, value in want.peer.options.items() if name != "master"}
        in_request.update({other: asked[name] for name, other in kind.mirrored.items() if name in asked})
        peer_options = in_creating_request(planner, want, kind, peer_key[0], in_request)
    options = in_creating_request(planner, want, kind, want.netns, asked)
    if (
        options.get("master")
        and want.options.get("admin_state") == "up"
        and not (want.options.get("addresses") or kind.by_ioctl or "admin_state" in kind.follows)
    ):
        # Nothing has to come before it is up, as what is under it may: one request less.
        options["admin_state"] = "up"
    planner.do(link_operations.LinkAdd(want.netns, want.name, kind, options, peer_key, peer_options))


def in_creating_request(
    planner: Planner, want: desired.LinkWant, kind: LinkKind, netns: str, asked: Mapping[str, Any]
) -> dict[str, Any]:
    """The options that the request which makes the device can carry."""
    chosen = {}
    for name, value in asked.items():
        option = kind.table[name]
        if name in kind.late or (option.level in ("none", "node") and name != "link_netns"):
            continue
        if value == "" and name != "link_netns":
            continue
        if value is False and option.initial is False and option.level == "info":
            continue  # as all new ones are; a kernel that has no such thing would refuse even that
        if name == "master":
            check_master(planner, want.where, (netns, want.name), kind, value)
        if name in kind.after_up or (name == "link_netns" and value == netns):
            continue
        chosen[name] = value
    return chosen


def check_master(planner: Planner, where: str, port: Key, kind: LinkKind, name: str) -> None:
    """Refuse a master that is none, or none for a port of this kind, and note one that is missing."""
    master = planner.model.link((port[0], name))
    if master is None:
        planner.lack(where, f"master: there is no device {key_text((port[0], name))}")
    elif master.kind not in ("bridge", "bond", "team", "vrf", "hsr"):
        why = "an Open vSwitch bridge, whose 'ports' list it" if planner.model.ovs.get(name) else "no bridge"
        raise errors.Refused(f"{where + ': ' if where else ''}master: {key_text(master.key)} is {why}")
    elif kind_of(master.kind).has_ports:
        check_nesting(where, "master", port, kind, kind_of(master.kind))


def in_words(value: Any) -> str:
    """A value that a device has, in a sentence."""
    if value in (None, ""):
        return "not set"
    return str(value).lower() if isinstance(value, bool) else repr(value)


def make_anew(planner: Planner, found: Sequence[tuple[desired.LinkWant, Link, Mapping[str, Any]]]) -> None:
    """Delete devices and make them again with what can't be changed in place, and with all that hung on them.

    They are gone together, as each may get what another has had, and the kernel would not have both.
    """
    changed = [as_wanted(planner, *one) for one in found]
    others = [also_anew(planner, link)[1:] for _want, link, _fixed in found]
    restore = [operation for link in changed for operation in link_operations.rebuild(planner.model, link)]
    for _want, link, _fixed in found:
        planner.do(link_operations.LinkDelete(link.netns, link.name, link.kind))
    for operation in restore:
        planner.do(operation)
    for one, ends_anew in zip(changed, others):
        for end in (one, *ends_anew):
            tell_usual(planner, end)


def also_anew(planner: Planner, link: Link) -> list[Link]:
    """All that is made anew with a device: itself, its peer, and what stands on it."""
    peer = planner.model.link(link.peer) if link.peer else None
    return [end for end in (link, peer, *link_operations.all_uppers(planner.model, link)) if end]


def as_wanted(planner: Planner, want: desired.LinkWant, link: Link, fixed: Mapping[str, Any]) -> Link:
    """The device with what can't be changed in place. Raises Refused where it must not be made anew, or can't."""
    names, together = ", ".join(fixed), want.kind.fixed_together(want.options, link.attrs)
    if not want.recreate:
        now = ", ".join(f"{name} is {in_words(link.get(name))}" for name in fixed)
        lost = ", but for its FDB entries with a 'dst'" if together else ""
        raise errors.Refused(
            f"{prefix(want)}{names}: the kernel can't change this on {key_text(link.key)}, which is there ({now});"
            f" set 'recreate: true' to have the device made anew, with all that hangs on it put back{lost}"
        )
    for end in also_anew(planner, link):
        if end.busy:
            raise errors.Refused(
                f"{prefix(want)}recreate: {key_text(end.key if end.key != link.peer else link.key)} would lose {end.busy},"
                " which can't be put back: take it off first"
            )
    table = want.kind.table
    displaced = {other for name, value in fixed.items() for other in table[name].costs(value)} - set(fixed)
    # What the kernel can't tell of the old one, the task may know.
    untold = {name: value for name, value in want.options.items() if table[name].create_only and link.get(name) is None}
    changed = link.having(**untold, **fixed)
    # "" is nothing, but of `link_netns` it is the namespace of the host.
    gone = displaced | {name for name, value in fixed.items() if value == "" and name != "link_netns"}
    changed = replace(changed.without(*gone), kind=want.kind.netlink_of(changed.attrs))
    if together:
        # In the other address family there is no way to where its entries lead, nor may there be room for its MTU.
        changed = replace(changed, fdb=tuple(entry for entry in changed.fdb if not entry.dst))
        changed = changed.without("mtu") if changed.below and "mtu" not in want.options else changed
    if not want.kind.carries_frames(changed.attrs):
        # A tun that was a tap has no MAC, and is nobody's port.
        changed = replace(changed.without("mac", "master"), fdb=(), vlans=())
    return on_lower(planner, want, link, changed, fixed.get(want.kind.lower)) if want.kind.lower else changed


def on_lower(planner: Planner, want: desired.LinkWant, link: Link, changed: Link, lower: Any) -> Link:
    """A device that is made anew, on the one under it: without what it had of that, or would give that. `lower`: a new one's name."""
    place = want.options.get("link_netns", changed.attrs.get("link_netns", changed.netns))
    if place is None:
        raise errors.Refused(
            f"{prefix(want)}recreate: what {key_text(link.key)} stands on is in a network namespace that has no name (any more):"
            " say by 'link_netns' where it shall be"
        )
    if changed.attrs.get("link_netns", place) != place:
        changed = changed.having(link_netns=place)
    check_lower(planner, want, place, lower)
    was_same, same = want.kind.same_mac(link.attrs), want.kind.same_mac(changed.attrs)
    if was_same != same or (same and changed.below != link.below):
        # It had, or will have, the MAC of the one under it, and would give that one its own.
        changed = changed.without("mac")
    if "mtu" in want.kind.follows and "mtu" not in want.options and changed.below != link.below:
        old, new = (planner.model.link(key) if key else None for key in (link.below, changed.below))
        mtu = changed.get("mtu")
        if mtu and ((old and old.get("mtu") == mtu) or (new and (new.get("mtu") or mtu) < mtu)):
            # It had that of the one under it, or the new one has no room for it.
            changed = changed.without("mtu")
    return changed


def tell_usual(planner: Planner, end: Link) -> None:
    """Note of a device made anew what it need not be told to be as it was."""
    after, table = planner.model.link(end.key), kind_of(end.kind).table
    if after:
        usual = {
            name: value
            for name, value in end.attrs.items()
            if name in table and name not in after.attrs and value == table[name].initial
        }
        planner.model.put(after.having(**usual))


def found_by_peer(planner: Planner, want: desired.LinkWant) -> bool:
    """Whether the first end is away but the peer is where it should be: then the first end was moved, and comes back."""
    peer = planner.model.link(want.peer_key) if want.peer_key else None
    if peer is None or peer.kind != want.kind.netlink or not peer.peer:
        return False
    first = planner.model.link(peer.peer)
    if first is None or first.name != want.name:
        return False
    planner.do(link_operations.LinkMove(first.netns, first.name, want.key))
    return True


def move_peers(planner: Planner) -> None:
    """Bring a veth's other end to the namespace and the name that it should have."""
    for want in planner.links:
        if want.absent or not want.peer:
            continue
        link = planner.model.link(want.key)
        if link is None or link.kind != want.kind.netlink:
            continue
        if link.peer is None:
            raise errors.Refused(
                f"{prefix(want)}peer: the other end of {key_text(want.key)} is in a network namespace that has no name on this host:"
                " give it one (ip netns attach), or delete the pair first"
            )
        netns = link.peer[0] if want.peer.netns is None else want.peer.netns
        to = (netns, want.peer.name or link.peer[1])
        planner.asked.setdefault(to, set()).update(want.peer.options)
        if to == link.peer:
            continue
        planner.netns_exists(want.where, netns, "peer: netns")
        taken = planner.model.link(to)
        if taken:
            raise errors.Refused(
                f"{prefix(want)}peer: name: {key_text(to)} is already there (a {taken.kind or 'physical'} device); it was left alone"
            )
        planner.do(link_operations.LinkMove(*link.peer, to))


def change_links(planner: Planner, waiting: Container[Key]) -> None:
    """Change in place what differs; give bridges their `ports`, and their MTU, which follows that of the ports until it is set."""
    for want in from_below(planner):
        for key, options in ends(planner, want):
            change_link(planner, want, key, options)
        add_altnames(planner, want)
        if want.kind.holds_ports:
            if "ports" in want.options:
                assign_ports_of(planner, want, waiting)
            set_bridge_mtu(planner, want)
        if want.kind.tap_info:
            open_node(planner, want)


def change_link(planner: Planner, want: desired.LinkWant, key: Key, options: Mapping[str, Any]) -> None:
    """Change one device in place."""
    link = planner.model.link(key)
    if link is None:
        return
    options = with_additions(want, options, link)
    changes = differing(want.kind, options, link)
    if changes.get("master"):
        check_master(planner, want.where, key, kind_of(link.kind), changes["master"])
        check_port(want.where, "master", link)
        check_carried(planner, want.where, "master", link, changes["master"])
    if "mac" in changes and not kind_of(link.kind).carries_frames(link.attrs):
        raise errors.Refused(
            f"{prefix(want)}mac: {key_text(key)} carries IP packets and no Ethernet frames, so it has no MAC"
        )
    if options.get("admin_state") == "down" and link.get("admin_state") != "down":
        changes["admin_state"] = "down"
    if want.kind.holds_ports and "mtu" in changes:
        # It follows its ports: after they have joined.
        changes.pop("mtu")
    if "mtu" in changes and "mtu" in want.kind.follows:
        check_mtu(planner, want, link, changes["mtu"])
    # Drivers refuse some of what all links have beside what is their own (vxlan: the MTU), and an ioctl takes neither.
    own = {name: value for name, value in changes.items() if want.kind.table[name].level == "info"}
    for part in (own, {name: value for name, value in changes.items() if name not in own}):
        if part:
            planner.do(link_operations.LinkSet(*key, link.kind, part, link.attrs))
    if "master" in changes and changes.get("admin_state") != "down" and "addresses" not in options:
        # A VRF makes its ports forget their IPv6 addresses, when they come and when they go.
        put_addresses_back(planner, link)


def check_mtu(planner: Planner, want: desired.LinkWant, link: Link, mtu: int) -> None:
    """Refuse an MTU larger than that of the device below. That of a bridge follows its ports, so the kernel has to say."""
    under = planner.model.link(link.below) if link.below else None
    if under and not kind_of(under.kind).holds_ports:
        most = under.get("mtu") or kind_of(under.kind).table["mtu"].initial
        if mtu > most:
            raise errors.Refused(f"{prefix(want)}mtu: {mtu} is more than {key_text(under.key)} has, which is {most}")


def with_additions(want: desired.LinkWant, options: Mapping[str, Any], link: Link) -> Mapping[str, Any]:
    """The options, with what the device has already in the lists that are additions, and that are attributes of its kind."""
    whole = dict(options)
    for name in want.append & options.keys():
        option = want.kind.table[name]
        if option.level == "info" and isinstance(option.type, ListOf):
            whole[name] = option.type.joined(link.get(name) or (), options[name])
    return whole


def put_addresses_back(planner: Planner, before: Link) -> None:
    """Give a device the addresses again that an operation has cost it."""
    after = planner.model.link(before.key)
    for addr in (addr for addr in before.addresses if after and addr.ours and addr not in after.addresses):
        planner.do(attachments.AddressAdd(*before.key, addr, known=True))


def differing(kind: LinkKind, options: Mapping[str, Any], link: Link) -> dict[str, Any]:
    """The options that a device has not as asked, and that the kernel can change in place."""
    changes = {}
    for name, value in options.items():
        option = kind.table[name]
        if (
            option.level not in ("link", "info")
            or option.create_only
            or option.is_fixed(value, link.get(name))
            or (name in kind.after_up and value)
        ):
            continue
        if not matches(option, value, link) or (name == "mac" and not link.mac_is_set):
            changes[name] = value
    return changes


def drop_altnames(planner: Planner) -> None:
    """Take off all alternative names that go, as each may be another device's from now on. The list is the whole truth, unless with `append`."""
    for want in planner.links:
        link = planner.model.link(want.key)
        if link and not want.absent and "altnames" in want.options and "altnames" not in want.append:
            for name in link.get("altnames") or ():
                if name not in want.options["altnames"]:
                    planner.do(attachments.AltnameDelete(*want.key, name))


def add_altnames(planner: Planner, want: desired.LinkWant) -> None:
    """Give a device the alternative names that it should have."""
    link = planner.model.link(want.key)
    have = (link.get("altnames") or ()) if link else want.options.get("altnames", ())
    for name in want.options.get("altnames", ()):
        if name not in have:
            check_altname(planner, want, name)
            planner.do(attachments.AltnameAdd(*want.key, name))


def check_altname(planner: Planner, want: desired.LinkWant, name: str) -> None:
    """Refuse an alternative name that is a name of another device."""
    for other in planner.model.links_in(want.netns):
        if other.key != want.key and name in (other.name, *(other.get("altnames") or ())):
            what = "the name of another device" if name == other.name else f"an alternative name of {other.name}"
            raise errors.Refused(f"{prefix(want)}altnames: {name!r} is {what}, and so is taken")


def check_port(where: str, option: str, port: Link) -> None:
    """Refuse a device that can be no port; `option` asked for it."""
    if not kind_of(port.kind).carries_frames(port.attrs):
        raise errors.Refused(
            f"{where + ': ' if where else ''}{option}: {key_text(port.key)} is a tun device, which carries IP packets"
            " and no Ethernet frames: a bridge takes a tap"
        )
    if port.kind == "loopback":
        raise errors.Refused(
            f"{where + ': ' if where else ''}{option}: {key_text(port.key)} is a loopback device, which can be no port"
        )


def check_carried(planner: Planner, where: str, option: str, port: Link, bridge: str) -> None:
    """Refuse a port of a bridge whose frames a device on it takes; of what was there before, as far as it was read."""
    master = planner.model.link((port.netns, bridge))
    taker = next((upper for upper in planner.model.uppers(port.key) if kind_of(upper.kind).exclusive), None)
    if taker and master and kind_of(master.kind).holds_ports:
        raise errors.Refused(
            f"{where + ': ' if where else ''}{option}: {key_text(port.key)} is the parent of {key_text(taker.key)}, and a"
            f" {kind_of(taker.kind).name} device takes its frames as well: choose another port, or delete that device first"
        )


def check_nesting(where: str, option: str, port: Key, kind: LinkKind, master: LinkKind) -> None:
    """Refuse to make a port of what has ports itself; but a bridge can be one of a VRF."""
    if kind.has_ports and not (kind.holds_ports and master.routes_ports):
        raise errors.Refused(
            f"{where + ': ' if where else ''}{option}: {key_text(port)} is a {kind.name}, and can't be a port of a {master.name}"
        )


def assign_ports_of(planner: Planner, want: desired.LinkWant, waiting: Container[Key]) -> None:
    """Make the devices that are listed the bridge's ports, as far as they don't wait to be made, and without `append` no others."""
    uplink = want.options.get("uplink", planner.uplink_record(want.key).uplink)
    for name in want.options["ports"]:
        if name and name == uplink:
            continue  # it joins last, with all that passes to the bridge: see plan_uplink.py
        if (want.netns, name) in waiting:
            continue
        port = planner.model.link((want.netns, name))
        if port is None:
            planner.lack(want.where, f"ports: there is no device {key_text((want.netns, name))}")
            port = Link(want.netns, name, "")
            planner.model.put(port)
            planner.before.put(port)
        check_port(want.where, "ports", port)
        check_nesting(want.where, "ports", port.key, kind_of(port.kind), want.kind)
        if port.get("master") != want.name:
            check_carried(planner, want.where, "ports", port, want.name)
            planner.do(link_operations.LinkSet(*port.key, port.kind, {"master": want.name}))
    for name in () if "ports" in want.append else planner.model.ports(want.key):
        port = planner.model.link((want.netns, name))
        if port and name not in want.options["ports"] and name != uplink:
            planner.do(link_operations.LinkSet(*port.key, port.kind, {"master": ""}))


def set_bridge_mtu(planner: Planner, want: desired.LinkWant) -> None:
    """Set a bridge's MTU, so that it stays."""
    link = planner.model.link(want.key)
    mtu = want.options.get("mtu")
    if link is None or mtu is None or (link.get("mtu") == mtu and not lowered(planner, link)):
        return
    if link.get("mtu") is None and mtu == 1500:
        # What a new bridge has already is not taken as set by the user, and would go on following the ports.
        planner.do(link_operations.LinkSet(*want.key, link.kind, {"mtu": mtu - 1}))
    planner.do(link_operations.LinkSet(*want.key, link.kind, {"mtu": mtu}))


def lowered(planner: Planner, bridge: Link) -> bool:
    """Whether ports that come or change here take a bridge's MTU down, unless somebody has set that, which the kernel doesn't tell."""
    for name in planner.model.ports(bridge.key):
        port, before = (state.link((bridge.netns, name)) for state in (planner.model, planner.before))
        mtu = port.get("mtu") if port else None
        stays = before and before.get("master") == bridge.name and before.get("mtu") == mtu
        if mtu and mtu < bridge.get("mtu") and not stays:
            return True
    return False


def bring_up(planner: Planner) -> None:
    """Everything but bridges, then the bridges. What stands on another follows that, and may come up with it."""
    order = from_below(planner)
    for state in ("up", "down"):
        for want in order:
            for key, options in ends(planner, want):
                link = planner.model.link(key)
                if link and options.get("admin_state") == state and link.get("admin_state") != state:
                    planner.do(link_operations.LinkSet(*key, link.kind, {"admin_state": state}))
                    # One that came up with what is under it has forgotten its IPv6 addresses by going down again.
                    put_addresses_back(planner, link)


def span_trees(planner: Planner) -> None:
    """Turn on spanning tree, where no port has to listen for half a minute any more."""
    for want in planner.links:
        link = planner.model.link(want.key)
        on = {name: True for name in want.kind.after_up if want.options.get(name) and link and not link.get(name)}
        if link and on and not want.absent:
            planner.do(link_operations.LinkSet(*want.key, link.kind, on))


def delete_links(planner: Planner) -> None:
    """Delete the links that should be absent."""
    for want in planner.links:
        link = planner.model.link(want.key)
        if want.absent and link and not want.kind.name:
            origin = (want.origin or "", want.name)
            if origin != want.key:
                if planner.model.link(origin):
                    raise errors.Refused(
                        f"{prefix(want)}name: {key_text(want.key)} can't be given back, {key_text(origin)} is already there"
                    )
                planner.do(link_operations.LinkMove(*want.key, origin))
        elif want.absent and link:
            check_kind(want, link)
            planner.do(link_operations.LinkDelete(link.netns, link.name, link.kind))


def check_limits(planner: Planner) -> None:
    """What the kernel would refuse only when it is reached, of all bridges that get ports here, listed or not."""
    ports = Counter(
        (link.netns, link.attrs["master"]) for link in planner.model.links.values() if link and link.attrs.get("master")
    )
    places = {want.key: f"{want.where}: " for want in planner.links if want.where}
    for bridge, number in sorted(ports.items()):
        found = planner.model.link(bridge)
        if number > MOST_PORTS and found and kind_of(found.kind).holds_ports:
            raise errors.Refused(
                f"{places.get(bridge, '')}{key_text(bridge)} would have {number} ports, and a bridge has at most {MOST_PORTS}"
            )
