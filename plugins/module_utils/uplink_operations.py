# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""The operations on what passes, besides addresses and routes, from an uplink to its bridge: neighbours, nexthop objects."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .operations import Operation, ip
from .state import Neighbor, Nexthop, Route, State
from .values import quoted

NTF_PROXY = 8


@dataclass(frozen=True)
class NeighborAdd(Operation):
    """Give a link a permanent neighbour, or have it answer for an address."""

    netns: str
    device: str
    neighbor: Neighbor

    def simulate(self, model: State) -> None:
        link = model.links.get((self.netns, self.device))
        if link:
            others = tuple(entry for entry in link.neighbors if entry.address != self.neighbor.address)
            model.put(replace(link, neighbors=(*others, self.neighbor)))

    def inverse(self, model: State) -> tuple[Operation, ...]:
        return (NeighborDelete(self.netns, self.device, self.neighbor),)

    def command(self) -> str:
        return neighbor_command(self.netns, "replace", self.device, self.neighbor)


@dataclass(frozen=True)
class NeighborDelete(Operation):
    """Take a permanent neighbour off a link."""

    netns: str
    device: str
    neighbor: Neighbor

    def simulate(self, model: State) -> None:
        link = model.links.get((self.netns, self.device))
        if link:
            model.put(replace(link, neighbors=tuple(entry for entry in link.neighbors if entry != self.neighbor)))

    def inverse(self, model: State) -> tuple[Operation, ...]:
        return (NeighborAdd(self.netns, self.device, self.neighbor),)

    def command(self) -> str:
        return neighbor_command(self.netns, "delete", self.device, self.neighbor)


def neighbor_command(netns: str, verb: str, device: str, neighbor: Neighbor) -> str:
    """A command line of ip-neighbour(8)."""
    words = ["proxy"] if neighbor.flags & NTF_PROXY else []
    words.append(neighbor.address)
    if verb != "delete" and neighbor.mac:
        words += ["lladdr", neighbor.mac, "nud permanent"]
    return ip(netns, "neighbour", verb, *words, "dev", quoted(device))


@dataclass(frozen=True)
class NexthopMove(Operation):
    """Let a nexthop object lead through another device; the routes that use it follow."""

    netns: str
    nexthop: Nexthop
    device: str
    to: str

    def simulate(self, model: State) -> None:
        old, new = (model.links.get((self.netns, name)) for name in (self.device, self.to))
        if not old or not new:
            return
        follow = [route for route in old.routes if self.moved(route) != route]
        old = replace(
            old,
            nexthops=tuple(entry for entry in old.nexthops if entry != self.nexthop),
            routes=tuple(self.moved(route) for route in old.routes if self.device in self.moved(route).devices),
        )
        kept = tuple(route for route in new.routes if route not in follow)
        new = replace(
            new,
            nexthops=(*new.nexthops, self.nexthop),
            routes=kept + tuple(moved for moved in map(self.moved, follow) if moved not in kept),
        )
        model.put(old)
        model.put(new)

    def moved(self, route: Route) -> Route:
        """The route as it is afterwards; one through a group has the object among its hops."""
        if route.nexthop_id == self.nexthop.number:
            return route._replace(device=self.to if route.device == self.device else route.device)
        if not route.nexthop_id:
            return route
        hops = tuple(
            (gateway, self.to if (gateway, device) == (self.nexthop.gateway, self.device) else device, weight)
            for gateway, device, weight in route.nexthops
        )
        return route._replace(nexthops=hops)

    def inverse(self, model: State) -> tuple[Operation, ...]:
        return (NexthopMove(self.netns, self.nexthop, self.to, self.device),)

    def command(self) -> str:
        words = ["via", self.nexthop.gateway] if self.nexthop.gateway else []
        return ip(self.netns, "nexthop replace id", str(self.nexthop.number), *words, "dev", quoted(self.to))
