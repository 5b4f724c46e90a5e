# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""The phases of the plan about routes that are asked for; those that hang on a link that changes are rebuilt with it."""

from __future__ import annotations

import ipaddress
from typing import Any

from .attachments import RouteAdd, RouteDelete, RouteReplace
from .desired import RouteWant
from .errors import Refused
from .kinds.route import ROUTE_OPTIONS
from .plan_stack import ends
from .planner import Planner
from .state import ONLINK, ROUTE_TYPES, Route, key_text

BY_NUMBER = {number: word for word, number in ROUTE_TYPES.items()}


def assign(planner: Planner) -> None:
    """Make the routes that are wanted, after the links and addresses that carry them."""
    networks = networks_of(planner)
    for want in planner.routes:
        if want.absent:
            continue
        planner.netns_exists(want.where, want.netns)
        for name in [want.options.get("device"), *(hop[1] for hop in want.options.get("nexthops", ()))]:
            if name and planner.model.link((want.netns, name)) is None:
                planner.lack(want.where, f"device: there is no device {key_text((want.netns, name))}")
        found = planner.model.routes.get(want.key)
        if found is None:
            if want.options.get("type", "unicast") == "unicast" and not any(
                want.options.get(name) for name in ("gateway", "device", "nexthops")
            ):
                where = f"{want.where}: " if want.where else ""
                raise Refused(
                    f"{where}gateway: to make the route to {want.destination}, it takes a gateway, a device, or nexthops"
                )
            new = asked(want, Route(want.destination, want.family, want.table, want.metric))
            planner.do(RouteAdd(want.netns, over_listed(networks, want, new)))
        elif differs(want, found):
            planner.do(RouteReplace(want.netns, found, over_listed(networks, want, asked(want, found))))


Networks = dict[str, list[tuple[Any, str]]]
"""By namespace, the networks that listed devices have addresses in, and the device of each."""


def networks_of(planner: Planner) -> Networks:
    """Where gateways of a topology's routes can be."""
    found: Networks = {}
    for want in planner.links if planner.topology else ():
        for key, _options in ends(planner, want):
            link = planner.model.link(key)
            for cidr in link.get("addresses") if link else ():
                found.setdefault(key[0], []).append((ipaddress.ip_interface(cidr).network, key[1]))
    return found


def over_listed(networks: Networks, want: RouteWant, route: Route) -> Route:
    """The route over that of the topology's devices which reaches the gateway.

    Left to itself the kernel may choose one that this very run takes away.
    """
    if route.device or not route.gateway:
        return route
    gateway = ipaddress.ip_address(route.gateway)
    device = next((name for network, name in networks.get(want.netns, ()) if gateway in network), "")
    return route._replace(device=device)


def differs(want: RouteWant, found: Route) -> bool:
    """Whether the route has anything else than what is asked of it."""
    has = {
        "gateway": found.gateway,
        "device": found.device,
        "source": found.source,
        "nexthops": found.nexthops,
        "type": BY_NUMBER.get(found.type, ""),
        "onlink": bool(found.flags & ONLINK),
    }
    table = {option.name: option for option in ROUTE_OPTIONS}
    return any(not table[name].type.same(value, has[name]) for name, value in want.options.items())


def asked(want: RouteWant, found: Route) -> Route:
    """The route as it should be: what is asked for, and else what it has."""
    options = want.options
    kind = ROUTE_TYPES[options.get("type", BY_NUMBER.get(found.type, "unicast"))]
    route = found._replace(
        gateway=options.get("gateway", found.gateway),
        device=options.get("device", found.device if options.get("gateway", found.gateway) == found.gateway else ""),
        source=options.get("source", found.source),
        nexthops=options.get("nexthops", found.nexthops),
        type=kind,
        flags=ONLINK if options.get("onlink", bool(found.flags & ONLINK)) else 0,
    )
    if "nexthops" in options or kind != ROUTE_TYPES["unicast"]:
        route = route._replace(gateway="", device="")
    if kind != ROUTE_TYPES["unicast"] or options.get("gateway") or options.get("device"):
        route = route._replace(nexthops=())
    # A destination on the link itself has no wider scope than the link (ip-route(8), SCOPE).
    on_link = route.family == 4 and kind == 1 and not route.gateway and not route.nexthops
    return route._replace(scope=253 if on_link else 0)


def delete(planner: Planner) -> None:
    """Delete the routes that should be absent."""
    for want in planner.routes:
        found = planner.model.routes.get(want.key)
        if want.absent and found and not differs(want, found):
            planner.do(RouteDelete(want.netns, found))
