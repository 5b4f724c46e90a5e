# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""An address translation as an nft table; read_nat.py has the way back. Pure: nft.py has the tool.

The lists of the options are sets of the table, and each port forward is one rule, so that all options can be read out of
the table again. What was read is ours exactly if making the table anew from these options gives the same.

Each part of a rule is kept in both of nft's languages: JSON is what is sent, as no name can break out of it, and text
is what people are shown. See nft(8) and libnftables-json(5).
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from .kinds.nat import is_name, span
from .state import Forward, Nat

Object = dict[str, Any]
"""One object of a ruleset as nft's JSON has it: {"rule": {...}}."""

PREFIX = "vnet_"
DORMANT = "dormant"
"""The flag of a table that is there, and whose rules no packet meets."""
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


def is_ours(table: str) -> bool:
    """Whether a table of the family `inet` has a name that an entry's can have."""
    return table.startswith(PREFIX) and is_name(table[len(PREFIX) :])


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


def network(version: int, field: str, value: str, op: str = "==") -> Part:
    """The same with a network."""
    host, _slash, length = value.partition("/")
    part = address(version, field, value, op)
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


def within(left: Mapping[str, Any], words: str, ports: str) -> Part:
    """A comparison with a port, or with a range of them."""
    first, last = span(ports)
    if first == last:
        return match(left, words, first)
    part = match(left, words, ports)
    return Part({"match": {**part.json["match"], "right": {"range": [first, last]}}}, part.text)


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
    ports = within(key, f"{forward.protocol} dport", forward.port)
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


def admitted(forward: Forward) -> tuple[Part, ...]:
    """The rule that lets new connections pass that came by a port forward: this one, and nobody else's."""
    version = version_of(forward.to_address)
    key = {"payload": {"protocol": forward.protocol, "field": "dport"}}
    before: tuple[Part, ...] = ()
    if forward.in_address:
        addresses = forward.in_address if len(forward.in_address) > 1 else forward.in_address[0]
        left = {"ct": {"key": f"{FAMILY[version]} daddr", "dir": "original"}}
        before = (match(left, f"ct original {FAMILY[version]} daddr", addresses),)
    return (
        DNATTED,
        address(version, "daddr", forward.to_address),
        within(key, f"{forward.protocol} dport", forward.to_port or forward.port),
        # Right behind the protocol's own port: nft has to know whose port it is.
        within({"ct": {"key": "proto-dst", "dir": "original"}}, "ct original proto-dst", forward.port),
        *before,
        verdict("accept"),
    )


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
                    *map(admitted, nat.port_forwards),
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
    # With br_netfilter on, one who looks for a neighbour on the same bridge comes by as well. Nobody forwards such addresses (RFC 4291, 2.5.6).
    unless = (network(6, "saddr", "fe80::/10", "!="),) if version == 6 else ()
    yield address(version, "saddr", f"@source{version}", "!="), *unless, inside, verdict("drop")


def only(item: Object) -> tuple[str, dict[str, Any]]:
    """What an object is, and what there is of it."""
    ((kind, body),) = item.items()
    return kind, body


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
    # In JSON only the newest nft take the flags of a table.
    objects = [
        {kind: {key: value for key, value in body.items() if kind != "table" or key != "flags"}}
        for kind, body in map(only, objects_of(nat))
    ]
    return [*deleting(nat.name), *({"add": item} for item in objects)]


def is_dormant(nat: Nat) -> bool:
    """Whether somebody had switched its table off."""
    return any(kind == "table" and "flags" in body for kind, body in map(only, objects_of(nat)))


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
