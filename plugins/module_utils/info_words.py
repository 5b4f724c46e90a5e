# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""What was read, in the words of the modules' options. Pure: no I/O.

What is empty, zero where zero means nothing, or usual is left out, so that what is there says something.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Callable

from . import netlink, port_operations, read_links
from .kinds import BY_NETLINK, LINK_KINDS, ROW_KINDS, kind_of
from .kinds.base import LinkKind, Option
from .kinds.bridge_port import COSTS_BY_SPEED, PORT_INITIAL, port_shown
from .kinds.neighbor import NEIGHBOR
from .kinds.route import DEFAULT_METRIC, ROUTE, told_besides
from .kinds.rule import RULE, shown_mark
from .read_rows import NO_SUPPRESSION, PROTOCOL_NAMES, rule_value, span
from .rows import INVERTED, NTF_PROXY, ONLINK, ROUTE_TYPES, SCOPES, TABLES, Fdb
from .state import Key, Link, Nat, State, nat_shown, vnis_shown

FAMILIES = {2: "inet", 10: "inet6"}
KERNEL = 2
"""The protocol of what the kernel made by itself (`RTPROT_KERNEL`)."""
PROTOCOLS = {
    0: "unspec", 1: "redirect", 2: "kernel", 3: "boot", 4: "static", 8: "gated", 9: "ra", 10: "mrt", 11: "zebra",
    12: "bird", 13: "dnrouted", 14: "xorp", 15: "ntk", 16: "dhcp", 17: "mrouted", 18: "keepalived", 42: "babel",
    99: "openr", 186: "bgp", 187: "isis", 188: "ospf", 189: "rip", 192: "eigrp",
}  # fmt: skip
ALL_ROUTE_TYPES = {
    1: "unicast", 2: "local", 3: "broadcast", 4: "anycast", 5: "multicast", 6: "blackhole", 7: "unreachable",
    8: "prohibit", 9: "throw", 10: "nat",
}  # fmt: skip
SOMEBODYS = ("boot", "static")
"""The protocols of routes that a person or a script made. Others are the kernel's, or some daemon's that learned them."""
OF_ADDRESSES = ("local", "broadcast", "anycast", "multicast")
REFUSING = ("blackhole", "unreachable", "prohibit", "throw")
RULE_ACTIONS = {2: "goto", 3: "nop", 6: "blackhole", 7: "unreachable", 8: "prohibit"}
RTA_FLOW = 11
ROUTER_PREFERENCES = {b"\1": "high", b"\3": "low"}
ENCAPSULATIONS = {
    1: "mpls", 2: "ip", 3: "ila", 4: "ip6", 5: "seg6", 6: "bpf", 7: "seg6local", 8: "rpl", 9: "ioam6", 10: "xfrm",
}  # fmt: skip
"""`enum lwtunnel_encap_types` in include/uapi/linux/lwtunnel.h."""
NUD = {1: "incomplete", 2: "reachable", 4: "stale", 8: "delay", 16: "probe", 32: "failed", 128: "permanent"}
STATIC = 0xC0
"""The states of an FDB entry that doesn't age: permanent and noarp (`NUD_PERMANENT`, `NUD_NOARP`)."""
EXT_LEARNED = 0x10
"""The flag of an FDB entry that some control plane learned (`NTF_EXT_LEARNED`)."""

NameAt = Callable[[int], str]
"""The name of the device with an index."""


def said(words: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the words that say something: zero, false and empty don't."""
    return {word: value for word, value in words.items() if value}


def prefix(address: str | None, length: int) -> str:
    """An address with its prefix length, "" for none."""
    return f"{address}/{length}" if address else ""


def route_shown(message: Any, name_at: NameAt) -> dict[str, Any] | None:
    """A route in the words of `vnet_route`; None for those that the kernel keeps for its own addresses."""
    family = FAMILIES.get(message["family"])
    type_ = ALL_ROUTE_TYPES.get(message["type"], message["type"])
    if family is None or (message["proto"] == KERNEL and type_ in OF_ADDRESSES):
        return None
    route = read_links.route_value(message, name_at)
    rest = dict(route.rest)
    index = message.get_attr("RTA_OIF")
    ways = [
        said({"gateway": gateway, "device": device}) | {"weight": weight} for gateway, device, weight in route.nexthops
    ]
    return {
        "destination": route.destination,
        "family": family,
        "table": TABLES.get(route.table, route.table),
        "metric": route.metric,
        "type": type_,
        "protocol": PROTOCOLS.get(route.protocol, route.protocol),
        **said(
            {
                "gateway": route.gateway,
                # IPv6 names lo for what goes nowhere.
                "device": name_at(index) if index and type_ not in REFUSING else "",
                "source": route.source,
                "nexthops": ways,
                "onlink": bool(route.flags & ONLINK),
                "tos": route.tos,
                "from": route.senders,
                "realm": realms(rest.get(RTA_FLOW)),
                "pref": ROUTER_PREFERENCES.get(rest.get(read_links.RTA_PREF, b"")),
                "encap": encapsulation(message),
            }
        ),
        **told_besides(route),
    }


def realms(value: bytes | None) -> str:
    """The realms of RTA_FLOW as ip-route(8) writes them, the source's first, "" for none."""
    number = int.from_bytes(value or b"", sys.byteorder)
    return "/".join(str(part) for part in (number >> 16, number & 0xFFFF) if part)


def encapsulation(message: Any) -> str:
    """How a route, or one of its ways, wraps up what it takes, as ip-route(8) names that, "" for none."""
    found = [way.get_attr("RTA_ENCAP_TYPE") for way in (message, *(message.get_attr("RTA_MULTIPATH") or ()))]
    return next((ENCAPSULATIONS.get(number, str(number)) for number in found if number), "")


def rule_shown(message: Any) -> dict[str, Any]:
    """A policy rule in the words of `vnet_rule`, and of ip-rule(8) for what that has no option for."""
    attrs = netlink.attributes_of(message)
    table = attrs.get("FRA_TABLE") or message["table"]
    suppressed = attrs.get("FRA_SUPPRESS_PREFIXLEN")
    protocol = attrs.get("FRA_PROTOCOL") or 0
    ipproto = attrs.get("FRA_IP_PROTO") or 0
    return {
        "priority": attrs.get("FRA_PRIORITY") or 0,
        "family": FAMILIES[message["family"]],
        "protocol": PROTOCOLS.get(protocol, protocol),
        **said(
            {
                "not": bool(message["flags"] & INVERTED),
                "from": prefix(attrs.get("FRA_SRC"), message["src_len"]),
                "to": prefix(attrs.get("FRA_DST"), message["dst_len"]),
                "iif": attrs.get("FRA_IIFNAME"),
                "oif": attrs.get("FRA_OIFNAME"),
                "fwmark": shown_mark(attrs.get("FRA_FWMARK"), attrs.get("FRA_FWMASK")),
                "tos": f"{message['tos']:#x}" if message["tos"] else "",
                "ipproto": PROTOCOL_NAMES.get(ipproto, ipproto),
                "sport": span(attrs.get("FRA_SPORT_RANGE")),
                "dport": span(attrs.get("FRA_DPORT_RANGE")),
                "uidrange": span(attrs.get("FRA_UID_RANGE")),
                "table": TABLES.get(table, table),
                "l3mdev": bool(attrs.get("FRA_L3MDEV")),
                "action": RULE_ACTIONS.get(message["action"]),
                "goto": attrs.get("FRA_GOTO"),
            }
        ),
        # Zero says something here: no default routes.
        **({} if suppressed in (None, NO_SUPPRESSION) else {"suppress_prefixlength": suppressed}),
    }


def neighbor_shown(message: Any, name_at: NameAt) -> dict[str, Any] | None:
    """A neighbor in the words of `vnet_neighbor`, and its state; None for what needs no resolving."""
    nud = NUD.get(message["state"])
    proxy = bool(message["flags"] & NTF_PROXY)
    if message["family"] not in FAMILIES or (nud is None and not proxy):
        return None
    attrs = netlink.attributes_of(message)
    if proxy:
        return {"device": name_at(message["ifindex"]), "address": attrs.get("NDA_DST"), "proxy": True}
    return {
        "device": name_at(message["ifindex"]),
        "address": attrs.get("NDA_DST"),
        **said({"mac": attrs.get("NDA_LLADDR")}),
        "nud": nud,
    }


def is_learned(message: Any) -> bool:
    """Whether an FDB entry came from packets or from a control plane, and may go by itself."""
    aging = not message["state"] & STATIC
    return bool(message.get_attr("NDA_LLADDR")) and (aging or bool(message["flags"] & EXT_LEARNED))


def fdb_shown(link: Link, entry: Fdb, learned: bool) -> dict[str, Any]:
    """An FDB entry of a device in the words of `vnet_fdb`."""
    return {
        "device": link.name,
        "mac": entry.mac,
        **said(
            {
                "dst": entry.dst,
                "vni": entry.vni,
                "src_vni": entry.src_vni,
                "vlan": entry.vlan,
                "port": entry.port,
                "via": entry.via,
                "sticky": entry.sticky,
                "master": link.attrs.get("master") if entry.master else "",
            }
        ),
        "learned": learned,
    }


# -- the shape that vnet_topology takes ------------------------------------------------------------------------------


def expressible(state: State, names: Collection[str]) -> list[tuple[LinkKind, Link, Link | None]]:
    """The links in these namespaces that the collection could make, a pair once: (kind, link, its peer).

    Not among them is what leads into a namespace without a name.
    """
    found: list[tuple[LinkKind, Link, Link | None]] = []
    seconds: set[Key] = set()
    datapaths = of_ovs(state)
    for key, link in sorted(state.links.items()):
        kind = (
            kind_of(link.kind)
            if link and link.kind in BY_NETLINK and link.netns in names and key not in datapaths
            else None
        )
        if link is None or kind is None or key in seconds:
            continue
        if kind.lower and link.attrs.get("link_netns") is None:
            continue
        peer = state.link(link.peer) if kind.paired and link.peer else None
        if kind.paired and peer is None:
            continue
        if peer:
            seconds.add(peer.key)
        found.append((kind, link, peer))
    return found


def of_ovs(state: State) -> set[Key]:
    """The devices that Open vSwitch makes for its bridges: with a datapath in user space these are tap devices."""
    return {
        ("", name)
        for bridge in state.ovs.values()
        if bridge
        for name in (*bridge.devices, f"ovs-{bridge.datapath_type}")
    }


def asked_for(link: Link, options: Iterable[Option], macs: Collection[Key]) -> dict[str, Any]:
    """The options to make the link with, less what it has anyway. `macs`: links that were given theirs."""
    words: dict[str, Any] = {}
    for option in options:
        value = link.get(option.name)
        if option.name == "link_netns":
            usual = value == link.netns
        elif option.name == "mac":
            usual = link.key not in macs or "mac" in kind_of(link.kind).shared
        else:
            usual = value in ("", ()) or (option.usual is not None and option.type.same(option.usual, value))
        if value is not None and not usual:
            words[option.name] = vnis_shown(value) if option.name == "vnis" else plain(value)
    return words


def plain(value: Any) -> Any:
    """A value as JSON has it."""
    return list(value) if isinstance(value, tuple) else value


def topology_shown(
    state: State, rows: Mapping[str, Mapping[str, Sequence[dict[str, Any]]]], macs: Collection[Key]
) -> dict[str, list[dict[str, Any]]]:
    """What is in some namespaces as `vnet_topology` takes it.

    `rows`: the entries for rows of tables, by namespace and by the option that lists them. `macs`: the links whose MAC somebody
    gave them.
    """
    names = rows.keys()
    shown: dict[str, list[dict[str, Any]]] = {"namespaces": [], **{kind.plural: [] for kind in LINK_KINDS}}
    for name in sorted(name for name in names if name):
        loopback = state.link((name, "lo"))
        down = loopback is not None and loopback.get("admin_state") == "down"
        shown["namespaces"].append({"name": name, **({"loopback": False} if down else {})})
    links = expressible(state, names)
    entries = {end.key for _kind, link, peer in links for end in (link, peer) if end}
    for kind, link, peer in links:
        entry = {
            "name": link.name,
            **said({"netns": link.netns}),
            **asked_for(link, (*kind.common, *kind.options), macs),
        }
        if peer:
            entry["peer"] = {"name": peer.name}
            if peer.netns != link.netns:
                entry["peer"]["netns"] = peer.netns
            entry["peer"].update(asked_for(peer, kind.peer, macs))
        if kind.holds_ports:
            # The other ports say so themselves, by `master`.
            ports = [port for port in state.ports(link.key) if (link.netns, port) not in entries]
            entry.update({"ports": ports, "append": True} if ports else {})
        shown[kind.plural].append(entry)
    shown["ovs_bridges"] = [bridge.entry() for _name, bridge in sorted(state.ovs.items()) if bridge]
    shown["bridge_ports"] = bridge_ports(state, names)
    for row_kind in ROW_KINDS:
        shown[row_kind.plural] = [entry for netns in sorted(names) for entry in rows[netns].get(row_kind.plural, ())]
    nats = [nat for (netns, _name), nat in sorted(state.nats.items()) if nat and nat.source and netns in names]
    shown["nats"] = [nat_entry(nat) for nat in nats]
    on: dict[str, dict[str, bool]] = {name: {} for name in sorted(names)}
    for (netns, key), value in state.sysctls.items():
        if netns in on:
            on[netns][key] = value == "1"
    shown["forwarding"] = [entry for netns, keys in on.items() for entry in forwarding_entries(netns, keys)]
    return shown


def bridge_ports(state: State, names: Collection[str]) -> list[dict[str, Any]]:
    """What bridges were told of ports, and of themselves, less what is usual."""
    entries = []
    for _key, link in sorted(state.links.items()):
        if link is None or link.netns not in names:
            continue
        shown = port_shown(link)
        told = {name: value for name, value in link.port.items() if value != PORT_INITIAL.get(name)}
        if told.get("cost") in COSTS_BY_SPEED:
            del told["cost"]
        bridge = state.link((link.netns, link.get("master") or link.name))
        # A kernel that can't filter VLANs tells of none, and of no default either.
        if (
            bridge
            and bridge.get("vlan_default_pvid") is not None
            and link.vlans != port_operations.usual_vlans(state, link)
        ):
            told["vlans"] = shown["vlans"]
        if told:
            entries.append({"name": link.name, **said({"netns": link.netns}), **told})
    return entries


def route_entry(netns: str, route: Mapping[str, Any]) -> dict[str, Any] | None:
    """A route in the options that make it; None for what was learned, and for what the options can't say."""
    is_inet6 = route["family"] == "inet6"
    if route["protocol"] not in SOMEBODYS or not_said_of_route(route):
        return None
    usual = {"table": "main", "metric": DEFAULT_METRIC[6 if is_inet6 else 4], "type": "unicast"}
    kept = ("table", "metric", *(option.name for option in ROUTE.options))
    destination = route["destination"]
    via_inet6 = any(":" in way.get("gateway", "") for way in (route, *route.get("nexthops", ())))
    if destination == "default" and (is_inet6 or via_inet6):
        destination = "::/0" if is_inet6 else "0.0.0.0/0"
    return {
        "destination": destination,
        **said({"netns": netns}),
        **{word: route[word] for word in kept if word in route and route[word] != usual.get(word)},
    }


def not_said_of_route(route: Mapping[str, Any]) -> str:
    """What of a route that somebody made the options can't say, "" for all others."""
    if route["protocol"] not in SOMEBODYS:
        return ""
    unsaid = {word: word in route for word in ("tos", "from", "realm", "pref", "encap")}
    unsaid |= {"type": route["type"] not in ROUTE_TYPES, "scope": route.get("scope", "global") not in SCOPES}
    return next((f"{word} is {route[word]}" for word, is_so in unsaid.items() if is_so), "")


def rule_entry(netns: str, message: Any) -> dict[str, Any] | None:
    """A rule in the options that make it; None for the kernel's, and for what the options can't say."""
    rule = rule_value(message)
    if rule is None or rule.by_kernel:
        return None
    entry = RULE.shown(rule.key(netns), rule)
    if rule.family == 4 or ":" in rule.source + rule.destination:
        del entry["family"]
    return entry


def neighbor_entry(netns: str, message: Any, name_at: NameAt) -> dict[str, Any] | None:
    """A neighbor in the options that make it; None for one that nobody set."""
    neighbor = read_links.neighbor_of(message) if message["flags"] & NTF_PROXY else read_links.neighbor_value(message)
    return NEIGHBOR.shown(neighbor.key(netns, name_at(message["ifindex"])), neighbor) if neighbor else None


def nat_entry(nat: Nat) -> dict[str, Any]:
    """An address translation in the options that make it."""
    return {
        name: value
        for name, value in nat_shown(nat).items()
        if name != "altered" and (name, value) != ("isolate", True)
    }


def forwarding_entries(netns: str, on: Mapping[str, bool]) -> list[dict[str, Any]]:
    """What a namespace forwards: on all devices, and on those that differ from the rest. `on`: by sysctl."""
    ipv4 = on.get("net.ipv4.ip_forward", False)
    ipv6 = on.get("net.ipv6.conf.all.forwarding", False) and on.get("net.ipv6.conf.default.forwarding", False)
    only4 = devices_with(on, "ipv4", "forwarding", not ipv4)
    only6 = [] if ipv6 else devices_with(on, "ipv6", "force_forwarding", True)
    entries = [said({"ipv4": ipv4, "ipv6": ipv6})]
    entries += [{"ipv4": not ipv4, "interfaces": only4}] if only4 else []
    entries += [{"ipv6": True, "interfaces": only6}] if only6 else []
    return [{**said({"netns": netns}), **entry} for entry in entries if entry]


def devices_with(on: Mapping[str, bool], family: str, name: str, value: bool) -> list[str]:
    """The devices whose sysctl of this name has the value."""
    devices = []
    for key, is_on in on.items():
        parts = key.split(".")
        if (
            parts[:3] == ["net", family, "conf"]
            and parts[4] == name
            and is_on == value
            and parts[3] not in ("all", "default")
        ):
            devices.append(parts[3].replace("/", "."))
    return sorted(devices)
