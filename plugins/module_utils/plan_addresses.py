# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""The phases of the plan that give links their addresses, and VXLAN devices their replication lists."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .later import Later
from .plan_stack import ends
from .planner import Planner
from .rows import ALL_ZEROS, MAIN, ONLINK, SCOPES, Fdb, Route
from .state import OF_LOOPBACK, Addr, Key, Link

if TYPE_CHECKING:
    from . import attachments, operations
else:
    attachments = Later("attachments")


def assign(planner: Planner) -> None:
    """Give all links the addresses that they should have."""
    for want in planner.links:
        if not want.absent:
            for key, options in ends(planner, want):
                if "addresses" in options:
                    assign_to(planner, key, options["addresses"], "addresses" in want.append)
                if "mac" in options:
                    put_neighbors_back(planner, key)


def assign_to(planner: Planner, key: Key, wanted: Sequence[str], append: bool) -> None:
    """Give one link its addresses, in an order that keeps its routes."""
    link = planner.model.link(key)
    if link is None:
        return
    have = {addr.cidr: addr for addr in link.addresses}
    # An address that the kernel made itself and may take away again (a lifetime) is not the one asked for.
    # One of 127.0.0.0/8 is no source of what leaves the host: iproute2 and the kernel itself give it this scope.
    new = [
        Addr(cidr, scope=SCOPES["host"] if cidr.startswith("127.") else 0)
        for cidr in wanted
        if cidr not in have or not (have[cidr].ours or have[cidr].linklocal)
    ]
    passing = planner.passing(key)
    new = [addr for addr in new if addr.cidr not in passing]
    kept = (*wanted, *(addr.cidr for addr in OF_LOOPBACK if link.kind == "loopback"))
    gone = [] if append else [addr for addr in link.addresses if addr.ours and addr.cidr not in kept]
    going, again = with_their_secondaries(link, gone)
    # First what is to come, so that the device never is without an address (its routes would go); but what would
    # be secondary to one that goes would go with it, and IPv6 has an address once only, whatever its prefix.
    later = [
        addr
        for addr in new
        if any(attachments.same_subnet(addr, other) or same_in_ipv6(addr, other) for other in going)
    ]
    for addr in new:
        if addr not in later:
            planner.do(attachments.AddressAdd(*key, addr, known=planner.is_source(key, addr)))
    for addr in going:
        planner.do(attachments.AddressDelete(*key, addr))
    for addr in again + later:
        planner.do(attachments.AddressAdd(*key, addr, known=planner.is_source(key, addr)))
    if gone:
        put_routes_back(planner, link)


def same_in_ipv6(one: Addr, other: Addr) -> bool:
    """Whether two addresses are the same but for the prefix, and of IPv6."""
    return one.family == 6 and one.cidr.split("/")[0] == other.cidr.split("/")[0]


def with_their_secondaries(link: Link, gone: list[Addr]) -> tuple[list[Addr], list[Addr]]:
    """What has to be deleted for `gone` to go, in order, and what of it has to come back.

    Whether the secondary addresses of a subnet go with its primary is up to a sysctl (promote_secondaries). Taking them
    off first and putting them back after it is right under both of its values.
    """
    going: list[Addr] = []
    again: list[Addr] = []
    # The kernel puts a new address of IPv4 last, and one of IPv6 first. What is deleted in this order comes back in its own.
    for addr in [addr for addr in reversed(gone) if addr.family == 4] + [addr for addr in gone if addr.family == 6]:
        if addr.family == 4 and not addr.secondary:
            for mate in reversed(link.addresses):
                if mate != addr and mate.secondary and attachments.same_subnet(mate, addr) and mate not in going:
                    going.append(mate)
                    if mate not in gone:
                        again.insert(0, mate)
        if addr not in going:
            going.append(addr)
    return going, again


def put_neighbors_back(planner: Planner, key: Key) -> None:
    """With its MAC a device forgets its neighbors, permanent ones too."""
    before, after = planner.before.link(key), planner.model.link(key)
    if before and after and after.get("admin_state") in ("up", before.get("admin_state")):
        for neighbor in before.neighbors:
            if neighbor not in after.neighbors:
                planner.do(attachments.RowAdd(*key, neighbor))


def put_routes_back(planner: Planner, before: Link) -> None:
    """Routes that went with an address, where what is left of the addresses can still carry them."""
    # Those to what is on the link itself first: they may lead to the gateways of others.
    for route in sorted(before.routes, key=lambda route: route.beyond):
        after = planner.model.link(before.key)
        if after and route not in after.routes and carries(after, route):
            bare = route._replace(source="")  # which IPv6 has left of it
            if bare in after.routes:
                planner.do(attachments.RowReplace(*before.key, bare, route))
            else:
                planner.do(attachments.RowAdd(*before.key, route, again=True))


def carries(link: Link, route: Route) -> bool:
    """Whether the link, as it is now, can have this route."""
    if link.get("admin_state") != "up":
        return False
    if route.source and all(addr.cidr.split("/")[0] != route.source for addr in link.addresses):
        return False
    return bool(route.flags & ONLINK) or not route.gateway or reaches(link, route.gateway) or finds(link, route)


def reaches(link: Link, word: str) -> bool:
    """Whether an address of the link leads to a gateway."""
    gateway = ipaddress.ip_address(word)
    # An IPv4 route goes with the last IPv4 address also where its gateway is one of IPv6.
    by_itself = gateway.version == 6 and gateway.is_link_local
    return by_itself or any(
        gateway in ipaddress.ip_interface(cidr).network
        for addr in link.addresses
        for cidr in (addr.cidr, addr.peer)
        if cidr
    )


def finds(link: Link, route: Route) -> bool:
    """Whether another route, to what is on the link itself, leads to the gateway of this one."""
    gateway = ipaddress.ip_address(route.gateway)
    return any(
        gateway in ipaddress.ip_network(other.destination)
        for other in link.routes
        if not other.beyond and other.destination != "default" and other.table in (route.table, MAIN)
        # The kernel looks among those that are nearer.
        if other.family == 6 or other.scope > route.scope
    )


def replicate(planner: Planner) -> None:
    """`remotes`: the destinations of what no FDB entry covers, besides the device's own `remote` or `group`."""
    for want in planner.links:
        link = planner.model.link(want.key)
        if want.absent or link is None or "remotes" not in want.options:
            continue
        wanted = [address for address in want.options["remotes"] if address != link.default_remote]
        for address in wanted:
            if address not in link.remotes:
                planner.do(attachments.RowAdd(*want.key, Fdb(ALL_ZEROS, address)))
        for entry in () if "remotes" in want.append else link.fdb:
            # As it was found: by hand it may have been made in another state.
            if entry.for_all and entry.dst in link.remotes and entry.dst not in wanted:
                planner.do(attachments.RowDelete(*want.key, entry))


def undo_routes_late(planner: Planner) -> None:
    """Let routes come back, where the run is undone, when all addresses are there again that it took in their namespace.

    The kernel keeps a route when the address goes that led to its gateway, or is its source in another table, and refuses it from then on.
    """
    first: dict[str, int] = {}
    for number, step in enumerate(planner.steps):
        if isinstance(step.operation, attachments.AddressDelete):
            first.setdefault(step.operation.netns, number)
    for netns, number in first.items():
        late: list[operations.Operation] = []
        for place in range(len(planner.steps) - 1, number - 1, -1):
            step = planner.steps[place]
            routes = [operation for operation in step.undo if brings_route(operation, netns)]
            if routes:
                planner.steps[place] = step._replace(undo=tuple(one for one in step.undo if one not in routes))
                late += routes
        step = planner.steps[number]
        planner.steps[number] = step._replace(undo=(*step.undo, *late))


def brings_route(operation: operations.Operation, netns: str) -> bool:
    """Whether an operation makes or changes a route of a namespace that takes an address to be there."""
    if isinstance(operation, (attachments.RowAdd, attachments.RowReplace)) and operation.netns == netns:
        row = operation.row if isinstance(operation, attachments.RowAdd) else operation.new
        return isinstance(row, Route) and not row.flags & ONLINK
    return False
