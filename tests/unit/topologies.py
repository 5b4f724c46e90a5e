# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random topologies, as vnet_topology takes them.

Devices of every kind in the registry are drawn, from the kind's own table. Names, addresses and destinations are few,
so that what one topology lists another often wants otherwise. All that the entries refer to is there.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

from ansible_collections.linuxnet.vnet.plugins.module_utils.desired import link_want
from ansible_collections.linuxnet.vnet.plugins.module_utils.errors import Refused
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds import LINK_KINDS
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.tuntap import TUNTAP
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.vxlan import VXLAN
from ansible_collections.linuxnet.vnet.plugins.module_utils.values import Bool, Choice, Int, Seconds, Word
from ansible_collections.linuxnet.vnet.tests.unit.strategies import (
    altnames_of,
    some_of,
    value_of,
    vxlan_options,
)
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.base import LinkKind

Entry = dict[str, Any]
Entries = dict[str, Any]
Place = tuple[str, str]
Draw = st.DrawFn

NAME = "t"
SPACES = ("", "a", "b", "theirs")
"""The host, two namespaces that are the topology's where it lists them, and one that is somebody else's."""
NICS = {"nic0": "a", "nic1": "theirs"}
"""Devices of somebody else, and where a topology puts them."""
LARGEST = 30
SUBNETS = (*(f"10.0.{number}.%d/24" for number in range(5)), *(f"2001:db8:0:{number}::%d/64" for number in range(5)))
"""No two devices of a namespace are on one subnet: the kernel takes a gateway for unreachable that it sees behind another."""
MTUS = (1280, 1400, 1500, 9000)
DESTINATIONS = ("10.9.0.0/16", "10.9.1.0/24", "198.51.100.7/32", "2001:db8:9::/48", "2001:db8:9:1::/64")
WAYS = (
    {"mtu": 1400, "mtu_lock": True},
    {"mtu": 1300, "advmss": 1200},
    {"rto_min": 0.05, "quickack": True},
    {"congctl": "reno"},
)
SYSCTLS = ("net.ipv4.ip_default_ttl", "net.ipv4.conf.default.arp_notify", "net.ipv6.conf.default.hop_limit")
SIMPLE = (Bool, Int, Seconds, Choice, Word)


def place_number(place: Place) -> int:
    """A number from 1 to 299 of its own for each place, or nearly so."""
    return 1 + zlib.crc32("/".join(place).encode()) % 299


def names_of(kind: LinkKind) -> list[str]:
    return [f"{kind.name[:10]}{number}" for number in range(3)]


PLACES = {(netns, name): kind for kind in LINK_KINDS for netns in SPACES for name in names_of(kind)}
"""By place, the kind that is there most often."""


def peer_name(place: Place) -> str:
    """The name of a pair's other end, which no other pair's has, wherever they are."""
    return f"p{SPACES.index(place[0])}-{place[1]}"


@st.composite
def shared_options(draw: Draw, place: Place) -> Entry:
    """Options that all devices have; addresses, masters and what is below are given out later."""
    entry: Entry = {}
    if not draw(st.integers(0, 3)):
        entry["admin_state"] = "down"
    if not draw(st.integers(0, 2)):
        entry["mtu"] = draw(st.sampled_from(MTUS))
    if draw(st.booleans()):
        number = place_number(place)
        entry["mac"] = f"02:00:{draw(st.integers(0, 1)):02x}:00:{number >> 8:02x}:{number & 255:02x}"
    if not draw(st.integers(0, 2)):
        entry["alias"] = draw(st.sampled_from(["", "the name of it"]))
    return entry


@st.composite
def own_options(draw: Draw, kind: LinkKind, place: Place) -> Entry:
    """Options of the kind: those that it needs, and some others whose type says all that there is to say."""
    if kind is VXLAN:
        return draw(vxlan_options(place_number(place)))
    needed = {draw(st.sampled_from(words.split("|"))) for words in kind.needed}
    simple = [option for option in kind.options if isinstance(option.type, SIMPLE)]
    chosen = {option.name for option in draw(some_of(simple, 4))} if simple else set()
    entry = {option.name: draw(value_of(option)) for option in simple if option.name in needed | chosen}
    if kind is TUNTAP:
        entry["owner"] = draw(st.sampled_from([None, "root", 1, "4242"]))
        entry["mode"] = draw(st.sampled_from(["tap", "tap", "tun"]))
    return entry


def is_sound(kind: LinkKind, entry: Entry) -> bool:
    """Whether the table has nothing to say against these options together."""
    try:
        link_want(kind, {"peer": {}, **entry} if kind.paired else entry)
    except Refused:
        return False
    return True


@st.composite
def devices(draw: Draw, kind: LinkKind, place: Place) -> Entry:
    """A device; where its options don't go together, as many of them as do."""
    shared = draw(shared_options(place))
    own = draw(own_options(kind, place))
    if draw(st.booleans()):
        shared["altnames"] = draw(some_of(altnames_of(*place)))
    needed = {name for words in kind.needed for name in words.split("|")}
    entry = {"netns": place[0], "name": place[1], **{name: own[name] for name in own if name in needed}}
    for name, value in {**own, **shared}.items():
        if is_sound(kind, {**entry, name: value}):
            entry[name] = value
    # Without it most changes between two topologies would be refused.
    entry["recreate"] = bool(draw(st.integers(0, 9)))
    return entry


@st.composite
def topologies(draw: Draw, kinds_here: Sequence[LinkKind] = LINK_KINDS) -> Entries:
    """A topology of 1 to 30 entries, its devices of these kinds."""
    size = draw(st.integers(1, LARGEST))
    own_spaces = draw(st.sampled_from([[], ["a"], ["a", "b"], ["a", "b"]]))[:size]
    spaces = ["", "theirs", *own_spaces]
    entries: Entries = {"name": NAME, "namespaces": [draw(namespaces(name)) for name in own_spaces]}
    places = [place for place, kind in PLACES.items() if place[0] in spaces and kind in kinds_here]
    choice = st.sampled_from(places)
    room = min(draw(st.integers(0, size - len(own_spaces))), len(places))
    ends: dict[Place, Entry] = {}
    kinds: dict[Place, LinkKind] = {}
    for place in draw(st.lists(choice, min_size=room, max_size=room, unique=True)):
        # Now and then a name is another kind's than it was.
        kind = PLACES[place] if draw(st.integers(0, 9)) else draw(st.sampled_from(kinds_here))
        ends[place], kinds[place] = draw(devices(kind, place)), kind
    for place, kind in list(kinds.items()):
        if kind.paired:
            other = (draw(st.sampled_from(spaces)), peer_name(place))
            ends[place]["peer"] = ends[other] = {
                "netns": other[0],
                "name": other[1],
                **draw(shared_options(other)),
            }
    stand_on_others(draw, ends, kinds)
    join_bridges(draw, ends, kinds)
    for name, netns in NICS.items():
        if netns in spaces and draw(st.booleans()):
            ends[netns, name] = {"netns": netns, "name": name}
            entries.setdefault("links", []).append(ends[netns, name])
    give_addresses(draw, ends)
    for place, kind in kinds.items():
        if is_sound(kind, ends[place]):
            entries.setdefault(kind.plural, []).append(ends[place])
    listed = {
        end
        for kind in LINK_KINDS
        for entry in entries.get(kind.plural, ())
        for end in [(entry["netns"], entry["name"]), *([place_of(entry["peer"])] if "peer" in entry else [])]
    }
    left = max(0, size - sum(len(value) for value in entries.values() if isinstance(value, list)))
    up = {place: ends[place] for place in ends if place in listed and ends[place].get("admin_state") != "down"}
    entries["routes"] = draw(routes(spaces, up, left))
    if draw(st.booleans()):
        entries["forwarding"] = draw(forwarding(spaces))
    return {name: value for name, value in entries.items() if value}


def place_of(entry: Entry) -> Place:
    return (entry["netns"], entry["name"])


@st.composite
def namespaces(draw: Draw, name: str) -> Entry:
    entry: Entry = {"name": name, "loopback": draw(st.sampled_from([True, None]))}
    entry["sysctl"] = draw(st.dictionaries(st.sampled_from(SYSCTLS), st.sampled_from([1, "64"]), max_size=2))
    return entry


@st.composite
def forwarding(draw: Draw, spaces: list[str]) -> list[Entry]:
    return [
        {"netns": netns, "ipv4": draw(st.booleans()), "ipv6": draw(st.sampled_from([None, True, False]))}
        for netns in draw(some_of(spaces, 2))
    ]


def stand_on_others(draw: Draw, ends: dict[Place, Entry], kinds: dict[Place, LinkKind]) -> None:
    """Put what needs a device under it on one that needs none; a kind of which there can be none is dropped."""
    for place, kind in list(kinds.items()):
        if not kind.lower:
            continue
        must = any(kind.lower in words.split("|") for words in kind.needed)
        under = [
            end
            for end, entry in ends.items()
            if end != place
            and not (end in kinds and kinds[end].lower)
            and entry.get("mode") != "tun"
            and (end[0] == place[0] or "link_netns" in kind.table)
        ]
        if not under:
            if must:
                ends.pop(place)
                kinds.pop(place)
            continue
        if not must:
            continue
        lower = draw(st.sampled_from(under))
        standing = {kind.lower: lower[1], **({"link_netns": lower[0]} if "link_netns" in kind.table else {})}
        if is_sound(kind, {**ends[place], **standing}):
            ends[place].update(standing)
            # No device carries more than what it stands on.
            ends[place].pop("mtu", None)


def join_bridges(draw: Draw, ends: dict[Place, Entry], kinds: dict[Place, LinkKind]) -> None:
    """Make some devices ports: said by the port's `master`, or by the bridge's `ports`, never by both."""
    bridges = [place for place, kind in kinds.items() if kind.holds_ports and "ports" in kind.table]
    exact = {bridge: ends[bridge].setdefault("ports", []) for bridge in bridges if not draw(st.integers(0, 2))}
    # What others stand on, and what itself stands on a bridge, are none: that way lie loops.
    lower = {
        (entry.get("link_netns", place[0]), entry[kinds[place].lower])
        for place, entry in ends.items()
        if place in kinds and kinds[place].lower and entry.get(kinds[place].lower)
    }
    for place, entry in ends.items():
        kind = kinds.get(place)
        near = [bridge for bridge in bridges if bridge[0] == place[0]]
        if (
            place in bridges
            or place in lower
            or (kind and (not kind.carries_frames(entry) or "master" not in kind.table))
        ):
            continue
        if kind and kind.lower and entry.get(kind.lower):
            continue
        bridge = draw(st.sampled_from([None, *near]))
        if bridge in exact:
            exact[bridge].append(place[1])
        elif bridge or not draw(st.integers(0, 3)):
            entry["master"] = bridge[1] if bridge else ""


def give_addresses(draw: Draw, ends: dict[Place, Entry]) -> None:
    """Give out addresses, each subnet once in its namespace."""
    for netns in SPACES:
        here = [entry for place, entry in ends.items() if place[0] == netns]
        left = draw(st.permutations(SUBNETS))
        for entry in here:
            if draw(st.integers(0, 2)):
                count = draw(st.integers(0, 2))
                taken, left = left[:count], left[count:]
                hosts = draw(st.sampled_from([(1,), (2,), (1, 2), (2, 1)]))
                entry["addresses"] = [subnet % host for subnet in taken for host in hosts]


@st.composite
def routes(draw: Draw, spaces: list[str], up: dict[Place, Entry], most: int) -> list[Entry]:
    """Routes to different places: over a device that is up, through a gateway on one's subnet, or nowhere."""
    choice = [(netns, destination, metric) for netns in spaces for destination in DESTINATIONS for metric in (None, 7)]
    found = []
    for netns, destination, metric in draw(st.lists(st.sampled_from(choice), max_size=most, unique=True)):
        entry: Entry = {"netns": netns, "destination": destination, "metric": metric}
        six = ":" in destination
        near = [place for place in up if place[0] == netns]
        gates = [
            (device, subnet % 99)
            for _netns, device in near
            for subnet in SUBNETS
            if (":" in subnet) >= six and {subnet % 1, subnet % 2} & set(up[netns, device].get("addresses", ()))
        ]
        way = draw(st.sampled_from(["nowhere", *(["device"] if near else []), *(["gateway"] * 3 if gates else [])]))
        if way == "nowhere":
            entry["type"] = draw(st.sampled_from(["blackhole", "unreachable", "prohibit"]))
        elif way == "device":
            entry["device"] = draw(st.sampled_from(near))[1]
        else:
            hops = [
                {"gateway": gateway.split("/")[0], "device": device}
                for device, gateway in draw(st.lists(st.sampled_from(gates), min_size=1, max_size=2, unique=True))
            ]
            entry.update(hops[0] if len(hops) == 1 else {"nexthops": hops})
        if not draw(st.integers(0, 3)):
            entry["table"] = draw(st.sampled_from([7, "main"]))
        if not draw(st.integers(0, 2)):
            entry.update(draw(st.sampled_from(WAYS)))
        found.append({name: value for name, value in entry.items() if value is not None})
    return unique_routes(found)


def unique_routes(entries: Iterable[Entry]) -> list[Entry]:
    """Of routes that would be one and the same, the first."""
    found: dict[tuple[Any, ...], Entry] = {}
    for entry in entries:
        found.setdefault((entry["netns"], entry["destination"], entry.get("metric"), entry.get("table", "main")), entry)
    return list(found.values())
