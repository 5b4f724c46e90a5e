# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""The phases of the plan about a bridge's uplink: what it has passes to the bridge, and back.

Packets pass all the while. What is added comes before what is taken away, and a route is replaced where it is; the only
moment in which frames are lost is the one in which the kernel makes a port of the device, or an ordinary device of the
port. IPv6 addresses have passed duplicate address detection where they were, and don't have to again.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection

from . import attachments, desired, errors, file_operations, link_operations, operations, plan_owner, sysctl
from .plan_addresses import carries
from .planner import Planner
from .rows import ONLINK, RTPROT_KERNEL, Route
from .state import IFA_F_NOPREFIXROUTE, IFA_F_PERMANENT, Addr, Key, Link, State, key_text
from .uplink import Record, path_of
from .uplink_operations import NexthopMove

COPIED = 1
"""Added to the metric of a learned route where it is copied, as kernels give even ones (1024, and 256 on the link itself)."""

EVERYTHING = {4: "0.0.0.0/0", 6: "::/0"}


def implied(current: State, wants: tuple[desired.Want, ...]) -> tuple[desired.Want, ...]:
    """The wants, those of bridges with an uplink with its MAC and MTU where they don't say otherwise."""

    def whole(want: desired.Want) -> desired.Want:
        uplink = (
            current.link((want.netns, desired.uplink_of(want)))
            if isinstance(want, desired.LinkWant) and desired.uplink_of(want)
            else None
        )
        if not isinstance(want, desired.LinkWant) or not uplink or want.absent:
            return want
        given = {name: uplink.attrs[name] for name in ("mac", "mtu") if name in uplink.attrs}
        return want._replace(options={**given, **want.options})

    return tuple(map(whole, wants))


# -- taking over -------------------------------------------------------------------------------------------------------


def take(planner: Planner) -> None:
    """Let bridges take over what their uplinks have. They are up by now, and spanning tree is not yet on."""
    for want in planner.links:
        if not want.absent and desired.uplink_of(want):
            uplink = planner.model.link((want.netns, desired.uplink_of(want)))
            if uplink is None:
                planner.lack(
                    want.where, f"uplink: there is no device {key_text((want.netns, desired.uplink_of(want)))}"
                )
            elif planner.model.link(want.key):
                check(planner, want, uplink)
                take_over(planner, want, uplink)


def check(planner: Planner, want: desired.LinkWant, uplink: Link) -> None:
    """Refuse what can't pass, before anything is done."""
    where = f"{want.where}: " if want.where else ""
    bridge, facts = planner.model.link(want.key), planner.model.uplinks.get(uplink.key)
    other = planner.uplink_record(want.key).uplink
    if other not in ("", uplink.name):
        raise errors.Refused(
            f"{where}uplink: {key_text(want.key)} has {other} as its uplink: give it back first, with 'uplink: \"\"'"
        )
    persists = planner.persists(want)
    if persists:
        plan_owner.check(planner, want, where)
    if uplink.get("master") == want.name and not has_what_moves(uplink):
        return
    if facts and facts.blocked:
        raise errors.Refused(f"{where}uplink: {key_text(uplink.key)} can't become a port, {facts.blocked}")
    if facts and facts.owner and not persists:
        raise errors.Refused(f"{where}uplink: {facts.owner}")
    if bridge and bridge.get("vlan_filtering") and bridge.get("vlan_default_pvid") == 0:
        raise errors.Refused(
            f"{where}uplink: {key_text(want.key)} filters VLANs and gives ports none (vlan_default_pvid is 0),"
            f" so nothing would pass: let it have one till {uplink.name} is its port"
        )


def has_what_moves(uplink: Link) -> bool:
    """Whether there is anything on the uplink that belongs to the bridge."""
    return any(not addr.linklocal for addr in uplink.addresses) or bool(
        uplink.routes or uplink.neighbors or uplink.nexthops
    )


def take_over(planner: Planner, want: desired.LinkWant, uplink: Link) -> None:
    """Bring the bridge all that its uplink has, and the uplink itself."""
    key = want.key
    going = [addr for addr in uplink.addresses if not addr.linklocal]
    unwanted = displaced(want, going)
    for addr in going:
        if addr not in unwanted and lacks(planner.model.link(key), addr):
            add(planner, key, relabelled(addr, uplink.name, want.name))
    for neighbor in uplink.neighbors:
        planner.do(attachments.RowAdd(*key, neighbor))
    if uplink.attrs.get("master") != want.name:
        ignore_advertisements(planner, uplink.key, key)
        join(planner, key, uplink)
    accept_advertisements(planner, uplink.key, key)
    for nexthop in uplink.nexthops:
        planner.do(NexthopMove(want.netns, nexthop, uplink.name, want.name))
    left = move_routes(planner, uplink.key, key, unwanted)
    for route in left:
        planner.do(attachments.RowDelete(want.netns, route.device, route))
    for neighbor in uplink.neighbors:
        planner.do(attachments.RowDelete(*uplink.key, neighbor))
    for addr in reversed(going):
        planner.do(attachments.AddressDelete(*uplink.key, addr))
    remember(planner, want, uplink, unwanted, left)


def displaced(want: desired.LinkWant, going: list[Addr]) -> list[Addr]:
    """The uplink's addresses that the bridge shall not have, as `addresses` is the whole truth."""
    if "addresses" not in want.options or "addresses" in want.append:
        return []
    return [addr for addr in going if addr.ours and addr.cidr not in want.options["addresses"]]


def lacks(link: Link | None, addr: Addr) -> bool:
    """Whether a link has not this address, or with a lifetime that a DHCP client has prolonged since."""
    has = next((other for other in link.addresses if other.cidr == addr.cidr), None) if link else None
    return has is None or (not addr.ours and addr.valid > has.valid)


def add(planner: Planner, key: Key, addr: Addr) -> None:
    """Give a device an address that it, or its other half, has used already."""
    link = planner.model.link(key)
    is_new = link is not None and all(other.cidr != addr.cidr for other in link.addresses)
    planner.do(attachments.AddressAdd(*key, addr, known=True))
    if is_new and addr.family == 6 and not addr.flags & (IFA_F_PERMANENT | IFA_F_NOPREFIXROUTE):
        # With a lifetime, it leaves the route to its network behind where it goes.
        network = str(ipaddress.ip_interface(addr.cidr).network)
        route = Route(network, 6, metric=256, protocol=RTPROT_KERNEL, device=key[1], expires=addr.valid)
        step = planner.steps[-1]
        planner.steps[-1] = step._replace(undo=(*step.undo, attachments.RowDelete(*key, route)))


def relabelled(addr: Addr, old: str, new: str) -> Addr:
    """The address with the label that it has on the other device: the kernel begins each with the device's name."""
    label = addr.label if addr.label.split(":")[0] != old else new + addr.label[len(old) :]
    return addr._replace(label=label if len(label.encode()) < 16 else "", secondary=False)


def join(planner: Planner, bridge: Key, uplink: Link) -> None:
    """Make the uplink a port that forwards at once: with spanning tree on it would listen for half a minute."""
    if uplink.get("admin_state") != "up":
        planner.do(link_operations.LinkSet(*uplink.key, uplink.kind, {"admin_state": "up"}))
    link = planner.model.link(bridge)
    listens = bool(link and link.get("stp"))
    if link and listens:
        planner.do(link_operations.LinkSet(*bridge, link.kind, {"stp": False}))
    planner.do(link_operations.LinkSet(*uplink.key, uplink.kind, {"master": bridge[1]}))
    if link and listens:
        planner.do(link_operations.LinkSet(*bridge, link.kind, {"stp": True}))


def ignore_advertisements(planner: Planner, of: Key, to: Key) -> None:
    """Where the kernel does not learn from routers on one device, as nobody does, or a program itself, let it not begin to on the other."""
    key, value, has = acceptance(planner, of, to)
    if value == "0" and has != value:
        planner.do(operations.SysctlSet(to[0], key, value, passes=True))


def accept_advertisements(planner: Planner, of: Key, to: Key) -> None:
    """Where one device learns from routers, let the other one learn, too: a forwarding host does so only if told."""
    link = planner.model.link(of)
    if link is None or not any(route.learned for route in link.routes):
        return
    key, value, has = acceptance(planner, of, to)
    if value is not None and value != has:
        planner.do(operations.SysctlSet(to[0], key, value, passes=True))


def acceptance(planner: Planner, of: Key, to: Key) -> tuple[str, str | None, str | None]:
    """The sysctl by which a device learns from routers, its value on another one, and the one that it has, or will have when it is made."""
    old, new, default = (sysctl.of_device("ipv6", name, "accept_ra") for name in (of[1], to[1], "default"))
    known = planner.model.sysctls
    return new, known.get((of[0], old)), known.get((to[0], new), known.get((to[0], default)))


def move_routes(planner: Planner, of: Key, to: Key, staying: Collection[Addr]) -> list[Route]:
    """Let routes lead through another device. Returns those that are left, as they need addresses that don't move."""
    link, left = planner.model.link(of), []
    routes = link.routes if link else ()
    bearing = [route for route in routes if bears(route, routes) and not needs(route, staying, planner.model.link(to))]
    copies = [copy_for(planner, route, of[1], to) for route in bearing]
    for copy in copies:
        planner.do(attachments.RowAdd(of[0], copy.device, copy))
    # First those on the link itself, but for those by which the others' gateways are found: these are there on both till the end.
    for route in sorted(routes, key=lambda route: (route in bearing, route.beyond)):
        target = planner.model.link(to)
        new = renamed(route, of[1], to[1])
        if route.nexthop_id:
            continue
        if needs(route, staying, target):
            left.append(route)
        elif route.learned and not is_copy(route):
            # The next advertisement brings the true one, which a withdrawal takes away again.
            new = new._replace(metric=route.metric | COPIED)
            comes_along = not route.gateway and any(
                covers(route, addr) for addr in (target.addresses if target else ())
            )
            if not comes_along and not has_route(target, new):
                planner.do(attachments.RowAdd(of[0], new.device, new, again=True))
            planner.do(attachments.RowDelete(of[0], route.device, route))
        elif has_route(target, new):
            planner.do(attachments.RowDelete(of[0], route.device, route))
        else:
            mates = [*(target.routes if target else ()), *routes[: routes.index(route)]]
            lead(planner, of[0], route, new, target, any(is_rival(route, other) for other in mates))
    for copy in copies:
        planner.do(attachments.RowDelete(of[0], copy.device, copy))
    return left


def bears(route: Route, routes: Collection[Route]) -> bool:
    """Whether the gateways of other routes are found by this one, which does not come and go with an address."""
    if route.beyond or route.learned or route.destination == "default":
        return False
    network = ipaddress.ip_network(route.destination)
    return any(
        ipaddress.ip_address(gateway) in network
        for other in routes
        for gateway in (other.gateway, *(hop[0] for hop in other.nexthops))
        if gateway
    )


def copy_for(planner: Planner, route: Route, old: str, to: Key) -> Route:
    """The route through the other device, as one that can stand beside it."""
    new, link = renamed(route, old, to[1]), planner.model.link(to)
    has = {other.metric for other in (*(link.routes if link else ()), route) if other.destination == route.destination}
    return new._replace(metric=next(metric for metric in range(route.metric + 1, 1 << 32) if metric not in has))


def lead(planner: Planner, netns: str, old: Route, new: Route, target: Link | None, beside: bool) -> None:
    """Let a route lead through `target`; also one that has stayed although somebody took away the address by which its gateway was found.

    The kernel takes that only with the word that the gateway is on the link, and so it does when this is undone.
    `beside`: there is one with the same key before it, which the kernel would replace.
    """
    word = 0 if target is None or finds_gateways(target, new) else ONLINK
    new, back = new._replace(flags=new.flags | word), old._replace(flags=old.flags | word)
    undo: operations.Operation
    if beside:
        planner.do(attachments.RowAdd(netns, new.device, new, again=True))
        planner.do(attachments.RowDelete(netns, old.device, old))
        undo = attachments.RowAdd(netns, old.device, back, again=True)
    else:
        planner.do(attachments.RowReplace(netns, new.device, old, new))
        undo = attachments.RowReplace(netns, old.device, new, back)
    planner.steps[-1] = planner.steps[-1]._replace(undo=(undo,))


def is_rival(route: Route, other: Route) -> bool:
    """Whether the kernel takes one route for the other where it replaces. With IPv6 that one has a gateway as well, or has none."""
    alike = route.family == 4 or other.beyond == route.beyond
    return alike and other != route and other.key("") == route.key("")


def finds_gateways(link: Link, route: Route) -> bool:
    """Whether the kernel finds on a link all gateways that a route has there."""
    hops = route.nexthops or ((route.gateway, route.device, 1),)
    gateways = [ipaddress.ip_address(gateway) for gateway, device, _weight in hops if gateway and device == link.name]
    near = [addr.peer or addr.cidr for addr in link.addresses if not addr.flags & IFA_F_NOPREFIXROUTE]
    near += [
        EVERYTHING[other.family] if other.destination == "default" else other.destination
        for other in link.routes
        if not other.beyond
    ]
    networks = [ipaddress.ip_interface(text).network for text in near]
    return bool(route.flags & ONLINK) or all(
        gateway.is_link_local or any(gateway in network for network in networks) for gateway in gateways
    )


def needs(route: Route, addresses: Collection[Addr], target: Link | None) -> bool:
    """Whether a route is of no use without some of these addresses: on `target`, which has not got them."""
    if route.source:
        return any(addr.cidr.split("/")[0] == route.source for addr in addresses)
    gateways = [word for word in (route.gateway, *(hop[0] for hop in route.nexthops)) if word]
    near = [ipaddress.ip_interface(addr.cidr).network for addr in (target.addresses if target else ())]
    networks = [ipaddress.ip_interface(addr.cidr).network for addr in addresses]
    return any(
        any(ipaddress.ip_address(gateway) in network for network in networks)
        and not any(ipaddress.ip_address(gateway) in network for network in near)
        for gateway in gateways
    )


def is_copy(route: Route) -> bool:
    """Whether a learned route is the copy of one, and so can be moved as it is."""
    return bool(route.gateway) and route.metric & COPIED == COPIED


def has_route(link: Link | None, route: Route) -> bool:
    """Whether a link has this route already, though it may expire later, or its gateway be said to be on the link."""
    return any(lasting(other) == lasting(route) for other in link.routes) if link else False


def lasting(route: Route) -> Route:
    """The route without what may have changed since it passed."""
    return route._replace(expires=0, flags=route.flags & ~ONLINK)


def covers(route: Route, addr: Addr) -> bool:
    """Whether a route is the one to the network of an address, which comes with it."""
    return addr.family == route.family and str(ipaddress.ip_interface(addr.cidr).network) == route.destination


def renamed(route: Route, old: str, new: str) -> Route:
    """The route through another device."""
    hops = tuple((gateway, new if device == old else device, weight) for gateway, device, weight in route.nexthops)
    return route._replace(device=new if route.device == old else route.device, nexthops=hops)


def remember(planner: Planner, want: desired.LinkWant, uplink: Link, unwanted: list[Addr], left: list[Route]) -> None:
    """Write down what the bridge itself does not tell."""
    old, before = planner.uplink_record(want.key), planner.before.link(want.key)
    after = planner.model.link(want.key)
    has = {addr.cidr for addr in after.addresses} if after else set()
    brought = {addr.cidr for addr in uplink.addresses}
    taken = {addr.cidr for addr in uplink.addresses if addr.ours and addr not in unwanted} | set(old.taken)
    had = [addr for addr in before.addresses if addr.ours] if before else []
    # What the bridge had before it had an uplink is its own, and what a task gives it besides.
    own = set(old.own) if old.uplink else {addr.cidr for addr in had}
    own |= {cidr for cidr in want.options.get("addresses", ()) if all(addr.cidr != cidr for addr in had)}
    given_up = [relabelled(addr, want.name, uplink.name) for addr in had if addr.cidr in taken - has]
    addresses = {addr.cidr: addr for addr in (*old.addresses, *unwanted, *given_up)}
    record = Record(
        uplink.name,
        tuple(sorted((own & has) - brought - taken)),
        tuple(addresses.values()),
        tuple(dict.fromkeys((*old.routes, *left))),
        tuple(sorted(taken)),
    )
    write(planner, want.key, record)


def write(planner: Planner, bridge: Key, record: Record) -> None:
    """Before all else, so that whoever ends in between leaves nothing that nobody knows the way back of."""
    path, content = path_of(bridge), record.written()
    if planner.uplink_record(bridge) != record:
        planner.do_first(file_operations.FileWrite(path, content, 0o600))


# -- giving back -------------------------------------------------------------------------------------------------------


def let_go(planner: Planner) -> None:
    """Give uplinks back that bridges shall have no more, before the bridges get addresses of their own."""
    for want in planner.links:
        if not want.absent and want.options.get("uplink") == "":
            give_back(planner, want.key, want)


def give_back_all(planner: Planner, going: list[Key]) -> None:
    """Give back the uplinks of bridges that go: those in `going`, and those that shall be absent."""
    for want in planner.links:
        if want.absent and want.kind.holds_ports:
            give_back(planner, want.key, want)
    for key in going:
        give_back(planner, key, None)


def give_back(planner: Planner, key: Key, want: desired.LinkWant | None) -> None:
    """Give one uplink back, where the bridge has one, and forget about it."""
    record, bridge = planner.uplink_record(key), planner.model.link(key)
    name = record.uplink or (desired.uplink_of(want) if want else "")
    uplink = planner.model.link((key[0], name)) if name else None
    if bridge and uplink and uplink.get("master") == key[1]:
        # Of a bridge that goes, 'addresses' is what it had, from wherever.
        kept = want.options.get("addresses", ()) if want and not want.absent else ()
        own = {*record.own, *kept}
        return_to(planner, bridge, uplink, own, record)
    if planner.model.text(path_of(key)) is not None:
        planner.do(file_operations.FileRemove(path_of(key), 0o600))


def return_to(planner: Planner, bridge: Link, uplink: Link, own: set[str], record: Record) -> None:
    """Give the uplink all that the bridge has, but for its own; and what had to give way to that."""
    going = [addr for addr in bridge.addresses if not addr.linklocal and addr.cidr not in own]
    back = [relabelled(addr, bridge.name, uplink.name) for addr in going]
    for addr in (*back, *(addr for addr in record.addresses if addr.cidr not in own)):
        if lacks(planner.model.link(uplink.key), addr):
            add(planner, uplink.key, addr)
    for neighbor in bridge.neighbors:
        planner.do(attachments.RowAdd(*uplink.key, neighbor))
    accept_advertisements(planner, bridge.key, uplink.key)
    for nexthop in bridge.nexthops:
        # Before the bridge loses its carrier, with which the kernel drops them.
        planner.do(NexthopMove(bridge.netns, nexthop, bridge.name, uplink.name))
    planner.do(link_operations.LinkSet(*uplink.key, uplink.kind, {"master": ""}))
    move_routes(planner, bridge.key, uplink.key, [addr for addr in bridge.addresses if addr.cidr in own])
    for neighbor in bridge.neighbors:
        planner.do(attachments.RowDelete(*bridge.key, neighbor))
    for addr in reversed(going):
        planner.do(attachments.AddressDelete(*bridge.key, addr))
    link = planner.model.link(uplink.key)
    has = {route.key("") for route in link.routes} if link else set()
    for route in record.routes:
        # What leads there by now came after it.
        if link and carries(link, route) and route.key("") not in has:
            planner.do(attachments.RowAdd(uplink.netns, route.device, route, again=True))
