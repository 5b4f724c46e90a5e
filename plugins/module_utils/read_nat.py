# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""An nft table as the address translation that it is. Pure: nft.py has the tool, nat_table.py the way there."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from . import nat_table
from .kinds.nat import collapsed
from .state import Forward, Nat

ADDRESS_TYPES = ("ipv4_addr", "ipv6_addr")


def nat_of(netns: str, name: str, listed: Sequence[nat_table.Object], dormant: bool = False) -> Nat:
    """The address translation that a table is, from the objects that nft lists of it. `dormant`: whether it is switched off.

    Of one that somebody changed the options are those that can still be read; `altered` has the whole of it.
    """
    objects = plain(listed)
    for kind, body in map(nat_table.only, objects):
        if kind == "table":
            body.pop("flags", None)  # which some releases of nft list
            body.update({"flags": [nat_table.DORMANT]} if dormant else {})
    sets = {body["name"]: body.get("elem", []) for kind, body in map(nat_table.only, objects) if kind == "set"}
    rules = [body for kind, body in map(nat_table.only, objects) if kind == "rule"]
    chains = {body["name"] for kind, body in map(nat_table.only, objects) if kind == "chain"}
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
    if in_order(plain(nat_table.objects_of(nat))) == in_order(objects):
        return nat
    return replace(nat, altered=json.dumps(objects))


def plain(listed: Iterable[nat_table.Object]) -> list[nat_table.Object]:
    """Objects without what says nothing of the table: handles, counts of packets, the order of sets, spellings."""
    found = []
    for item in listed:
        kind, body = nat_table.only(item)
        if kind != "metainfo":
            kept = {key: steady(value, key) for key, value in body.items() if key != "handle"}
            if kind == "set" and "interval" in kept.get("flags", ()) and kept.get("type") in ADDRESS_TYPES:
                networks = [networks_in([one]) for one in kept.get("elem", [])]
                if all(networks):  # else it has what we would never put there, and is kept as it is
                    kept["elem"] = [
                        nat_table.element(text) for text in collapsed([one for some in networks for one in some])
                    ]
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


def in_order(objects: Iterable[nat_table.Object]) -> tuple[list[str], dict[str, list[str]]]:
    """Objects to compare: tables, sets and chains in any order, rules in that of their chain."""
    others: list[str] = []
    rules: dict[str, list[str]] = {}
    for item in objects:
        kind, body = nat_table.only(item)
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
    try:
        return read_forward(rule)
    except (AttributeError, LookupError, TypeError, ValueError):
        return None  # nft has many forms that ours never have


def read_forward(rule: Mapping[str, Any]) -> Forward | None:
    """The same for a rule of the forms that ours have; any of several exceptions for others."""
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
