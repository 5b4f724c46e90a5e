# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""Routes, as rtnetlink(7) and ip-route(8) describe them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .. import route_metrics
from ..rows import ONLINK, ROUTE_TYPES, SCOPE_WORDS, SCOPES, TABLES, Route, RowKey, places
from ..state import Link
from ..values import LINK_LOCAL, BadValue, Bool, Choice, DeviceName, Int, Ip, Network, Type, Word
from .base import Option
from .row import NETNS, RowKind, Rows

BY_NUMBER = {number: word for word, number in ROUTE_TYPES.items()}
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
        if not found:
            raise BadValue("an empty list says nothing: omit it")
        if len(found) < 2:
            raise BadValue("one next hop alone is written as 'gateway' and 'device'")
        return tuple(sorted(found))

    def same(self, wanted: Any, found: Any) -> bool:
        hops = sorted(found or ())
        return len(hops) == len(wanted) and all(
            gateway == has[0] and device in ("", has[1]) and weight == has[2]
            for (gateway, device, weight), has in zip(wanted, hops)
        )


class AnyDevice(DeviceName):
    """The name of a device; "" is whichever the kernel takes."""

    def same(self, wanted: Any, found: Any) -> bool:
        return not wanted or super().same(wanted, found)


OPTIONS = (
    Option("gateway", Ip(unset=True), level="none"),
    Option("device", AnyDevice(unset=True), level="none"),
    Option("source", Ip(unset=True), level="none"),
    Option("nexthops", NextHops(), level="none"),
    Option("type", Choice(ROUTE_TYPES), level="none", new="unicast"),
    Option("onlink", Bool(), level="none"),
    Option("scope", Choice(SCOPES), level="none"),
    *(Option(name, kind, level="none") for name, kind in route_metrics.TYPES.items()),
)

IDENTITY = (
    Option("destination", Network(), level="none"),
    Option("table", Word(1, 2**32 - 1, TABLE_NUMBERS), level="none", default="main"),
    Option("metric", Int(0, 2**32 - 1), level="none"),
    NETNS,
)

DEFAULT_METRIC = {4: 0, 6: 1024}
"""What the kernel gives a route whose request names none (IP6_RT_PRIO_USER)."""


def family_of(options: Mapping[str, Any]) -> int:
    """4 or 6: of the destination, or where that is `default` of the addresses that go with it."""
    words = [options["destination"], options.get("gateway"), options.get("source")]
    words += [hop[0] for hop in options.get("nexthops", ())]
    for word in words:
        if word and re.search(r"[.:]", word):
            return 6 if ":" in word else 4
    return 4


def check_together(options: Mapping[str, Any]) -> str | None:
    """What can be said of options together."""
    family, by_name = family_of(options), options["destination"] == "default"
    gateways = [options.get("gateway", ""), *(hop[0] for hop in options.get("nexthops", ()))]
    if family == 4 and not by_name:
        gateways = [gateway for gateway in gateways if ":" not in gateway]  # those of IPv6 do as well
    if any((":" in word) != (family == 6) for word in (options.get("source", ""), *gateways) if word):
        hint = "; 0.0.0.0/0 is the default route of IPv4, which may have gateways of both" if by_name else ""
        return f"destination: {options['destination']} and the addresses given with it mix IPv4 and IPv6{hint}"
    if family == 6 and options.get("scope", "global") != "global":
        return f"scope: a route of IPv6 has none but 'global', and so not {options['scope']!r}"
    if options.get("nexthops") and (options.get("gateway") or options.get("device")):
        return "nexthops: each next hop has its own gateway and device, so neither is given beside them"
    leads = [name for name in ("gateway", "device", "nexthops") if options.get(name)]
    if options.get("type", "unicast") != "unicast" and leads:
        return f"{leads[0]}: a route of type {options['type']} leads nowhere"
    return None


class RouteKind(RowKind):
    """Routes: see RowKind."""

    name, module, plural = "route", "vnet_route", "routes"
    identity, options, required = IDENTITY, OPTIONS, ("destination",)

    def check(self, said: Mapping[str, Any], absent: bool) -> str | None:
        return None if absent else check_together(said)

    def key(self, netns: str, said: Mapping[str, Any]) -> RowKey:
        family = family_of(said)
        destination = "default" if said["destination"] in ("0.0.0.0/0", "::/0") else said["destination"]
        # The kernel makes its default of a zero, for IPv6.
        metric = said.get("metric") or DEFAULT_METRIC[family]
        return ("route", netns, family, IDENTITY[1].type.encode(said["table"]), destination, metric)

    def find(self, key: RowKey, said: Mapping[str, Any], rows: Rows, absent: bool) -> list[tuple[RowKey, Any]]:
        if not absent:
            return super().find(key, said, rows, absent)
        found = [(place, rows[place]) for place in places(key, rows) if rows.get(place)]
        # As undoing puts each behind the others. IPv6 takes the first with that device for one that has no gateway.
        return found if key[2] == 6 else found[::-1]

    def devices(self, said: Mapping[str, Any]) -> list[tuple[str, str]]:
        names = [said.get("device"), *(hop[1] for hop in said.get("nexthops", ()))]
        return [("device", name) for name in names if name]

    def device(self, key: RowKey, row: Any) -> str:
        return str(row.device)

    def has(self, row: Any) -> dict[str, Any]:
        return {
            "gateway": row.gateway,
            "device": row.device,
            "source": row.source,
            "nexthops": row.nexthops,
            "type": BY_NUMBER.get(row.type, ""),
            "onlink": bool(row.flags & ONLINK),
            "scope": SCOPE_WORDS.get(row.scope, str(row.scope)),
            **route_metrics.read(row.metrics),
        }

    def wanted(self, key: RowKey, said: Mapping[str, Any], found: Any, rows: Rows, link: Link | None) -> Any:
        leads = any(said.get(name) for name in ("gateway", "device", "nexthops"))
        was = found
        if found is None:
            _kind, _netns, family, table, destination, metric = key
            found = Route(destination, family, table, metric)
            if said.get("type", "unicast") == "unicast" and not leads:
                raise BadValue(
                    f"gateway: to make the route to {destination}, it takes a gateway, a device, or nexthops"
                )
        # Who says where it leads means one that leads somewhere.
        kind = ROUTE_TYPES[said.get("type", "unicast" if leads else BY_NUMBER.get(found.type, "unicast"))]
        same_way = said.get("gateway", found.gateway) == found.gateway
        nexthops = said.get("nexthops", found.nexthops)
        if NextHops().same(nexthops, found.nexthops):
            nexthops = found.nexthops  # with the devices that go without saying
        route = found._replace(
            gateway=said.get("gateway", found.gateway),
            device=said.get("device") or (found.device if same_way else ""),
            source=said.get("source", found.source),
            nexthops=nexthops,
            type=kind,
            flags=ONLINK if said.get("onlink", bool(found.flags & ONLINK)) else 0,
        )
        if "nexthops" in said or kind != ROUTE_TYPES["unicast"]:
            route = route._replace(gateway="", device="")
        if kind != ROUTE_TYPES["unicast"] or said.get("gateway") or said.get("device"):
            route = route._replace(nexthops=())
        if lead(route) != lead(found):
            route = route._replace(nexthop_id=0)
        return with_metrics(route._replace(scope=scope_of(route, said, was)), said)

    def refuse(self, row: Any) -> None:
        hops = [("device", row.gateway, row.device), *(("nexthops", *hop[:2]) for hop in row.nexthops)]
        for option, gateway, device in hops:
            if LINK_LOCAL.match(gateway) and not device:
                raise BadValue(
                    f"{option}: the gateway {gateway} is a link-local address, which any link can have: name the device that leads to it"
                )

    def shown(self, key: RowKey, row: Any) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "destination": row.destination,
            "table": TABLES.get(row.table, row.table),
            "metric": row.metric,
            "type": BY_NUMBER.get(row.type, row.type),
        }
        for name in ("gateway", "device", "source"):
            if getattr(row, name):
                shown[name] = getattr(row, name)
        if key[1]:
            shown["netns"] = key[1]
        if row.flags & ONLINK:
            shown["onlink"] = True
        shown.update(told_besides(row))
        if row.nexthops:
            shown["nexthops"] = [dict(zip(("gateway", "device", "weight"), hop)) for hop in row.nexthops]
        return shown

    def words(self, key: RowKey) -> str:
        return f"route to {key[4]}"

    def brief(self, key: RowKey) -> str:
        return f"{key[4]} table {key[3]} metric {key[5]}"

    def file_words(self, key: RowKey) -> list[str]:
        _kind, _netns, family, table, destination, metric = key
        name = destination.replace("/", "_")
        words = [f"{name}6" if name == "default" and family == 6 else name]
        if TABLES.get(table) != "main":
            words.append(f"table{table}")
        if metric != DEFAULT_METRIC[family]:
            words.append(f"metric{metric}")
        return words

    def displaced(self, name: str, value: Any, kept: Mapping[str, Any]) -> tuple[str, ...]:
        if name == "mtu":
            return () if value else ("mtu_lock",)
        ways = ("gateway", "device", "nexthops") if value != "unicast" else ()
        leads = {"gateway": ("nexthops",), "device": ("nexthops",), "nexthops": ("gateway", "device"), "type": ways}
        gone = leads.get(name, ())
        if gone and name != "type" and kept.get("type") != "unicast":
            gone = (*gone, "type")
        left = {**{word: kept[word] for word in kept if word not in gone}, name: value}
        return (*gone, "scope") if leads_on(left) != leads_on(kept) else gone


def leads_on(options: Mapping[str, Any]) -> bool:
    """Whether a route with these options is none to what is on the link itself, and so has another scope."""
    return bool(options.get("gateway") or options.get("nexthops") or options.get("type", "unicast") != "unicast")


def lead(route: Route) -> tuple[Any, ...]:
    """Where it leads to."""
    return (route.gateway, route.device, route.nexthops, route.type)


def scope_of(route: Route, said: Mapping[str, Any], was: Route | None) -> int:
    """The scope that is said, or that there was, as long as it goes with where the route leads now. Raises BadValue."""
    gateways = [word for word in (route.gateway, *(hop[0] for hop in route.nexthops)) if word and ":" not in word]
    near = SCOPES["link"] if gateways else 256
    if "scope" in said:
        if SCOPES[said["scope"]] >= near:
            raise BadValue(f"scope: what is behind the gateway {gateways[0]} is farther away than {said['scope']!r}")
        return SCOPES[said["scope"]]
    left = was is not None and was.usual_scope == route.usual_scope and was.scope < near
    return was.scope if was and left else route.usual_scope


def with_metrics(route: Route, said: Mapping[str, Any]) -> Route:
    """The route with those of route_metrics.py that are said. Raises BadValue."""
    asked = dict(said)
    if asked.get("mtu") == 0:
        asked.setdefault("mtu_lock", False)
    content = route_metrics.changed(route.metrics, asked)
    found = route_metrics.read(content)
    if asked.get("mtu_lock") and not found["mtu"]:
        raise BadValue("mtu_lock: without 'mtu' there is none to keep")
    others = tuple(entry for entry in route.rest if entry[0] != route_metrics.RTA_METRICS)
    return route._replace(rest=(((route_metrics.RTA_METRICS, content),) if content else ()) + others)


def told_besides(route: Route) -> dict[str, Any]:
    """The scope where it is not the one that goes without saying, and what the route says of the way, in the words of the options."""
    scope = {"scope": SCOPE_WORDS.get(route.scope, str(route.scope))} if route.scope != route.usual_scope else {}
    return {**scope, **{name: value for name, value in route_metrics.read(route.metrics).items() if value}}


ROUTE = RouteKind()
