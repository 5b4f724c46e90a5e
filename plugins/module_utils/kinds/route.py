# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""Routes, as rtnetlink(7) and ip-route(8) describe them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..state import ROUTE_TYPES, TABLES
from ..values import BadValue, Bool, Choice, DeviceName, Int, Ip, NetnsName, Network, Type, Word
from .base import Option

TABLE_NUMBERS = {word: number for number, word in TABLES.items()}


class NextHops(Type):
    """A list of next hops; canonical is a tuple of (gateway, device, weight), sorted, as their order means nothing."""

    spec: Mapping[str, Any] = {
        "type": "list",
        "elements": "dict",
        "options": {
            "gateway": {"type": "str"},
            "device": {"type": "str"},
            "weight": {"type": "int", "default": 1},
        },
    }

    def parse(self, value: Any) -> tuple[tuple[str, str, int], ...]:
        found = []
        for hop in value:
            if not isinstance(hop, dict) or not (hop.get("gateway") or hop.get("device")):
                raise BadValue("each needs a 'gateway', a 'device', or both")
            gateway = Ip().parse(hop["gateway"]) if hop.get("gateway") else ""
            device = DeviceName().parse(hop["device"]) if hop.get("device") else ""
            weight = 1 if hop.get("weight") is None else hop["weight"]
            found.append((gateway, device, Int(1, 256).parse(weight)))
        if len(found) < 2:
            raise BadValue("one next hop alone is written as 'gateway' and 'device'")
        return tuple(sorted(found))

    def same(self, wanted: Any, found: Any) -> bool:
        hops = sorted(found or ())
        return len(hops) == len(wanted) and all(
            gateway == has[0] and device in ("", has[1]) and weight == has[2]
            for (gateway, device, weight), has in zip(wanted, hops)
        )


ROUTE_OPTIONS = (
    Option("gateway", Ip(unset=True), level="none"),
    Option("device", DeviceName(unset=True), level="none"),
    Option("source", Ip(unset=True), level="none"),
    Option("nexthops", NextHops(), level="none"),
    Option("type", Choice(ROUTE_TYPES), level="none", new="unicast"),
    Option("onlink", Bool(), level="none"),
)

ROUTE_IDENTITY = (
    Option("destination", Network(), level="none"),
    Option("table", Word(1, 2**32 - 1, TABLE_NUMBERS), level="none", default="main"),
    Option("metric", Int(0, 2**32 - 1), level="none"),
    Option("netns", NetnsName(), level="none"),
)

DEFAULT_METRIC = {4: 0, 6: 1024}
"""What the kernel gives a route whose request names none (IP6_RT_PRIO_USER)."""


def route_spec() -> dict[str, Any]:
    """Ansible's argument spec of vnet_route."""
    spec: dict[str, Any] = {option.name: option.argument() for option in ROUTE_IDENTITY + ROUTE_OPTIONS}
    spec["destination"]["required"] = True
    spec["state"] = {"type": "str", "choices": ["present", "absent"], "default": "present"}
    spec["persist"] = {"type": "bool"}
    return spec


def family_of(options: Mapping[str, Any]) -> int:
    """4 or 6: of the destination, or where that is `default` of the addresses that go with it."""
    words = [options["destination"], options.get("gateway"), options.get("source")]
    words += [hop[0] for hop in options.get("nexthops", ())]
    for word in words:
        if word and re.search(r"[.:]", word):
            return 6 if ":" in word else 4
    return 4


def check(options: Mapping[str, Any]) -> str | None:
    """What can be said of options together."""
    families = {
        6 if ":" in word else 4
        for word in [options.get("gateway"), options.get("source"), *(hop[0] for hop in options.get("nexthops", ()))]
        if word
    }
    if options["destination"] != "default":
        families.add(6 if ":" in options["destination"] else 4)
    if len(families) > 1:
        return f"destination: {options['destination']} and the addresses given with it mix IPv4 and IPv6"
    if options.get("nexthops") and (options.get("gateway") or options.get("device")):
        return "nexthops: each next hop has its own gateway and device, so neither is given beside them"
    leads = [name for name in ("gateway", "device", "nexthops") if options.get(name)]
    if options.get("type", "unicast") != "unicast" and leads:
        return f"{leads[0]}: a route of type {options['type']} leads nowhere"
    return None
