# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""An address translation as an nft table, there and back. Pure: nft.py has the tool.

The lists of the options are sets of the table, and each port forward is one rule, so that all options can be read out of
the table again. What was read is ours exactly if making the table anew from these options gives the same.

Each part of a rule is kept in both of nft's languages: JSON is what is sent, as no name can break out of it, and text
is what people are shown. See nft(8) and libnftables-json(5).
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from .kinds.nat import collapsed, span
from .state import Forward, Nat

Object = dict[str, Any]
"""One object of a ruleset as nft's JSON has it: {"rule": {...}}."""

PREFIX = "vnet_"
FAMILY = {4: "ip", 6: "ip6"}


class Part(NamedTuple):
    """A part of a rule, in both languages."""

    json: Mapping[str, Any]
    text: str


class Chain(NamedTuple):
    """A chain: its rules, and the hook that it is on, as (type, hook, priority)."""

    name: str
    rules: tuple[tuple[Part, ...], ...]
    hook: tuple[str, str, int] | None = None


class Set(NamedTuple):
    """A named set of strings; networks where it has intervals."""

    name: str
    type: str
    elements: tuple[str, ...]


def table_name(name: str) -> str:
    """The table of an entry."""
    return PREFIX + name


# -- from options to chains and sets -----------------------------------------------------------------------------------


def match(left: Mapping[str, Any], words: str, value: Any, op: str = "==") -> Part:
    """A comparison. `value`: a string, a number, or a list of them."""
    right = {"set": list(value)} if isinstance(value, tuple) else value
    shown = "{ " + ", ".join(value) + " }" if isinstance(value, tuple) else str(value)
    return Part(
        {"match": {"op": op, "left": left, "right": right}}, f"{words} {shown if op != '!=' else '!= ' + shown}"
    )


def address(version: int, field: str, value: Any, op: str = "==") -> Part:
    """A comparison of a packet's source (`saddr`) or destination (`daddr`)."""
    if isinstance(value, tuple) and len(value) == 1:
        value = value[0]
    return match({"payload": {"protocol": FAMILY[version], "field": field}}, f"{FAMILY[version]} {field}", value, op)


def network(version: int, field: str, value: str) -> Part:
    """The same with a network."""
    host, _slash, length = value.partition("/")
    part = address(version, field, value)
    right = {"prefix": {"addr": host, "len": int(length)}}
    return Part({"match": {**part.json["match"], "right": right}}, part.text)


def tracked(key: str, value: Any) -> Part:
    """A look at the packet's connection: its `state`, or its `status`."""
    shown = ",".join(value) if isinstance(value, list) else value
    return Part({"match": {"op": "in", "left": {"ct": {"key": key}}, "right": value}}, f"ct {key} {shown}")


def device(key: str, value: str, op: str = "==") -> Part:
    """A comparison of the name of the device, `iifname` or `oifname`."""
    shown = value if value.startswith("@") else f'"{value}"'
    part = match({"meta": {"key": key}}, key, shown, op)
    return Part({"match": {**part.json["match"], "right": value}}, part.text)


def verdict(word: str) -> Part:
    """What becomes of the packet, in one word."""
    return Part({word: None}, word)


def jump(chain: str) -> Part:
    """Going on with the rules of another chain, and then here."""
    return Part({"jump": {"target": chain}}, f"jump {chain}")


LOCAL = match({"fib": {"result": "type", "flags": ["daddr"]}}, "fib daddr type", "local")
DNATTED = tracked("status", "dnat")
LOOPBACK = {4: network(4, "daddr", "127.0.0.0/8"), 6: address(6, "daddr", "::1")}


def version_of(text: str) -> int:
    """The IP version of an address or network."""
    return 6 if ":" in text else 4


def forward_rule(forward: Forward) -> tuple[Part, ...]:
    """The rule of a port forward."""
    version = version_of(forward.to_address)
    where = (
        (address(version, "daddr", forward.in_address),)
        if forward.in_address
        else (match({"meta": {"key": "nfproto"}}, "meta nfproto", f"ipv{version}"), LOCAL)
    )
    first, last = span(forward.port)
    key = {"payload": {"protocol": forward.protocol, "field": "dport"}}
    ports = match(key, f"{forward.protocol} dport", first if first == last else f"{first}-{last}")
    if first != last:
        ports = Part({"match": {**ports.json["match"], "right": {"range": [first, last]}}}, ports.text)
    target: dict[str, Any] = {"family": FAMILY[version], "addr": forward.to_address}
    shown = f"dnat {FAMILY[version]} to {forward.to_address}"
    if forward.to_port:
        to_first, to_last = span(forward.to_port)
        shown = f"dnat {FAMILY[version]} to " + (f"[{forward.to_address}]" if version == 6 else forward.to_address)
        if first == last:
            target["port"] = to_first
            shown += f":{to_first}"
        else:
            pairs = list(zip(range(first, last + 1), range(to_first, to_last + 1)))
            target["port"] = {"map": {"key": key, "data": {"set": [list(pair) for pair in pairs]}}}
            listed = ", ".join(f"{one} : {other}" for one, other in pairs)
            shown += f":{forward.protocol} dport map {{ {listed} }}"
    return (*where, ports, Part({"dnat": target}, shown))


def sets_of(nat: Nat) -> list[Set]:
    """The sets of the table."""
    found = [
        Set(f"source{version}", f"ipv{version}_addr", tuple(one for one in nat.source if version_of(one) == version))
        for version in (4, 6)
    ]
    found.append(Set("out_interface", "ifname", nat.out_interface))
    return [one for one in found if one.elements]


def chains_of(nat: Nat) -> list[Chain]:
    """The chains of the table. Those that are used stand before those that use them."""
    versions = [version for version in (4, 6) if any(version_of(one) == version for one in nat.source)]
    found = []
    if nat.port_forwards:
        found = [
            Chain("port_forwards", tuple(map(forward_rule, nat.port_forwards))),
            Chain("prerouting", ((jump("port_forwards"),),), ("nat", "prerouting", -100)),
            # What the host sends itself. What it sends to a loopback address never gets out.
            Chain(
                "output",
                (*((LOOPBACK[version], verdict("return")) for version in (4, 6)), (jump("port_forwards"),)),
                ("nat", "output", -100),
            ),
        ]
    found.append(
        Chain(
            "postrouting",
            tuple(rule for version in versions for rule in translated(nat, version)),
            ("nat", "postrouting", 100),
        )
    )
    if nat.isolate:
        found.append(
            Chain(
                "forward",
                (
                    (tracked("state", ["established", "related"]), verdict("accept")),
                    (DNATTED, verdict("accept")),
                    *(rule for version in versions for rule in dropped(nat, version)),
                ),
                ("filter", "forward", 0),
            )
        )
    return found


def translated(nat: Nat, version: int) -> Iterable[tuple[Part, ...]]:
    """The rules that give packets another source."""
    inside = address(version, "saddr", f"@source{version}")
    # A neighbour that came by a port forward: its answer has to come back this way.
    yield inside, address(version, "daddr", f"@source{version}"), DNATTED, verdict("masquerade")
    snat = next((one for one in nat.snat_to if version_of(one) == version), "")
    to = verdict("masquerade")
    if snat:
        family = FAMILY[version]
        to = Part({"snat": {"family": family, "addr": snat}}, f"snat {family} to {snat}")
    out = device("oifname", "@out_interface") if nat.out_interface else device("oifname", "lo", "!=")
    yield inside, address(version, "daddr", f"@source{version}", "!="), out, to


def dropped(nat: Nat, version: int) -> Iterable[tuple[Part, ...]]:
    """The rules that keep new connections of others out."""
    inside = address(version, "daddr", f"@source{version}")
    if nat.out_interface:
        # Whoever comes in there and says that it is from inside lies.
        yield device("iifname", "@out_interface"), inside, verdict("drop")
    yield address(version, "saddr", f"@source{version}", "!="), inside, verdict("drop")


# -- to nft ------------------------------------------------------------------------------------------------------------


def element(text: str) -> Any:
    """An element of a set: a network of more than one address has a form of its own."""
    host, _slash, length = text.partition("/")
    if not length or int(length) == ipaddress.ip_address(host).max_prefixlen:
        return host
    return {"prefix": {"addr": host, "len": int(length)}}


def objects_of(nat: Nat) -> list[Object]:
    """The objects that the table consists of, as nft takes and lists them."""
    if nat.altered:
        found: list[Object] = json.loads(nat.altered)
        return found
    place = {"family": "inet", "table": table_name(nat.name)}
    objects: list[Object] = [{"table": {"family": "inet", "name": place["table"]}}]
    for one in sets_of(nat):
        flags = {} if one.type == "ifname" else {"flags": ["interval"]}
        elements = [element(text) for text in one.elements]
        objects.append({"set": {**place, "name": one.name, "type": one.type, **flags, "elem": elements}})
    rules: list[Object] = []
    for chain in chains_of(nat):
        hook = dict(zip(("type", "hook", "prio"), chain.hook or ()))
        objects.append({"chain": {**place, "name": chain.name, **hook, **({"policy": "accept"} if hook else {})}})
        comment = {"comment": nat.owner} if nat.owner else {}
        rules += [
            {"rule": {**place, "chain": chain.name, "expr": [part.json for part in rule], **comment}}
            for rule in chain.rules
        ]
    return objects + rules


def replacing(nat: Nat) -> list[Object]:
    """The commands that make the table in place of whatever there is of its name, in one transaction."""
    return [*deleting(nat.name), *({"add": item} for item in objects_of(nat))]


def deleting(name: str) -> list[Object]:
    """The commands that delete the table, if it is there."""
    table = {"table": {"family": "inet", "name": table_name(name)}}
    return [{"add": table}, {"delete": table}]


def text_of(nat: Nat) -> str:
    """The table in nft's own words, on one line."""
    parts = []
    for one in sets_of(nat):
        flags = "" if one.type == "ifname" else "flags interval; "
        elements = ", ".join(f'"{text}"' if one.type == "ifname" else text for text in one.elements)
        parts.append(f"set {one.name} {{ type {one.type}; {flags}elements = {{ {elements} }}; }};")
    comment = f' comment "{nat.owner}"' if nat.owner else ""
    for chain in chains_of(nat):
        hook = "type {} hook {} priority {}; policy accept;".format(*chain.hook) if chain.hook else ""
        rules = [" ".join(part.text for part in rule) + comment + ";" for rule in chain.rules]
        parts.append(f"chain {chain.name} {{ {' '.join([*([hook] if hook else []), *rules])} }};")
    return f"table inet {table_name(nat.name)} {{ {' '.join(parts)} }}"


# -- and back ----------------------------------------------------------------------------------------------------------


def nat_of(netns: str, name: str, listed: Sequence[Object]) -> Nat:
    """The address translation that a table is, from the objects that nft lists of it.

    Of one that somebody changed the options are those that can still be read; `altered` has the whole of it.
    """
    objects = plain(listed)
    sets = {body["name"]: body.get("elem", []) for kind, body in map(only, objects) if kind == "set"}
    rules = [body for kind, body in map(only, objects) if kind == "rule"]
    chains = {body["name"] for kind, body in map(only, objects) if kind == "chain"}
    owners = [rule["comment"] for rule in rules if rule.get("comment")]
    nat = Nat(
        netns,
        name,
        collapsed(networks_in([*sets.get("source4", []), *sets.get("source6", [])])),
        tuple(sorted(one for one in sets.get("out_interface", []) if isinstance(one, str))),
        snat_in(rules),
        tuple(sorted(filter(None, (forward_in(rule) for rule in rules if rule["chain"] == "port_forwards")))),
        "forward" in chains,
        owners[0] if owners else "",
    )
    # Both ways round, as nft lists rules by chain and has no order for all else.
    if in_order(plain(objects_of(nat))) == in_order(objects):
        return nat
    return replace(nat, altered=json.dumps(objects))


def only(item: Object) -> tuple[str, dict[str, Any]]:
    """What an object is, and what there is of it."""
    ((kind, body),) = item.items()
    return kind, body


def plain(listed: Iterable[Object]) -> list[Object]:
    """Objects without what says nothing of the table: handles, counts of packets, the order of sets, spellings."""
    found = []
    for item in listed:
        kind, body = only(item)
        if kind != "metainfo":
            kept = {key: steady(value, key) for key, value in body.items() if key != "handle"}
            if kind == "set" and "interval" in kept.get("flags", ()):
                kept["elem"] = [element(text) for text in collapsed(networks_in(kept.get("elem", [])))]
            if kept.get("elem") == []:
                del kept["elem"]  # which nft would not take
            found.append({kind: kept})
    return found


def steady(value: Any, key: str = "") -> Any:
    """A value as it is whatever order and whatever release of nft it was listed in."""
    if isinstance(value, dict):
        return {
            name: None if name == "counter" and isinstance(part, dict) else steady(part, name)
            for name, part in value.items()
        }
    if key == "flags" and isinstance(value, str):
        value = [value]
    if isinstance(value, list):
        items = [steady(item) for item in value]
        return sorted(items, key=json.dumps) if key in ("set", "elem", "flags", "right") else items
    return value


def in_order(objects: Iterable[Object]) -> tuple[list[str], dict[str, list[str]]]:
    """Objects to compare: tables, sets and chains in any order, rules in that of their chain."""
    others: list[str] = []
    rules: dict[str, list[str]] = {}
    for item in objects:
        kind, body = only(item)
        if kind == "rule":
            rules.setdefault(body["chain"], []).append(json.dumps(body, sort_keys=True))
        else:
            others.append(json.dumps(item, sort_keys=True))
    return sorted(others), rules


def networks_in(elements: Iterable[Any]) -> list[Any]:
    """The networks in the elements of a set; what is none is left out."""
    found: list[Any] = []
    for item in elements:
        try:
            if isinstance(item, str):
                found.append(ipaddress.ip_network(item))
            elif "prefix" in item:
                found.append(ipaddress.ip_network(f"{item['prefix']['addr']}/{item['prefix']['len']}"))
            elif "range" in item:
                ends = [ipaddress.ip_address(end) for end in item["range"]]
                found += ipaddress.summarize_address_range(ends[0], ends[1])
        except (ValueError, TypeError, KeyError):
            continue
    return found


def snat_in(rules: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """The addresses that sources are translated to."""
    parts = [part["snat"] for rule in rules for part in rule["expr"] if isinstance(part.get("snat"), dict)]
    found = {part["addr"] for part in parts if isinstance(part.get("addr"), str)}
    return tuple(sorted(found, key=lambda one: (":" in one, one)))


def forward_in(rule: Mapping[str, Any]) -> Forward | None:
    """The port forward that a rule is, None for any other rule."""
    addresses: tuple[str, ...] = ()
    protocol = port = ""
    for part in rule["expr"]:
        left, right = (part.get("match", {}).get(side) for side in ("left", "right"))
        payload = left.get("payload", {}) if isinstance(left, dict) else {}
        if payload.get("field") == "dport":
            protocol, port = payload.get("protocol", ""), ports_in(right)
        elif payload.get("field") == "daddr":
            addresses = tuple(sorted(right["set"])) if isinstance(right, dict) and "set" in right else (str(right),)
        if isinstance(part.get("dnat"), dict) and isinstance(part["dnat"].get("addr"), str) and port:
            to_port = part["dnat"].get("port", "")
            if isinstance(to_port, dict) and "map" in to_port:
                pairs = sorted(to_port["map"]["data"]["set"])
                to_port = f"{pairs[0][1]}-{pairs[-1][1]}"
            return Forward(protocol, port, part["dnat"]["addr"], str(to_port), addresses)
    return None


def ports_in(right: Any) -> str:
    """The ports that a rule matches, as the options have them."""
    if isinstance(right, dict) and "range" in right:
        return "{}-{}".format(*right["range"])
    return str(right) if isinstance(right, int) else ""
