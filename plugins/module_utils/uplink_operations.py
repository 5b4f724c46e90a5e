# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""The operation on what passes, besides addresses and rows of tables, from an uplink to its bridge: nexthop objects."""

from __future__ import annotations

from dataclasses import dataclass, replace

from . import operations
from .rows import Route
from .state import Nexthop, State
from .values import quoted


@dataclass(frozen=True)
class NexthopMove(operations.Operation):
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

    def inverse(self, model: State) -> tuple[operations.Operation, ...]:
        return (NexthopMove(self.netns, self.nexthop, self.to, self.device),)

    def command(self) -> str:
        words = ["via", self.nexthop.gateway] if self.nexthop.gateway else []
        return operations.ip(self.netns, "nexthop replace id", str(self.nexthop.number), *words, "dev", quoted(self.to))
