# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random hosts and random tasks for them.

Few names and few addresses, so that they meet often. A host is consistent as the kernel keeps it: a port's bridge is
there, a veth has its peer, what is down has no routes. `tasks` are consistent in themselves too; `wild_tasks` may
contradict themselves in every way that the options allow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ansible_collections.linuxnet.vnet.plugins.module_utils.desired import (
    Want,
    forward_want,
    link_want,
    namespace_want,
)
from ansible_collections.linuxnet.vnet.plugins.module_utils.errors import Refused
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds import LINK_KINDS
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.bridge import BRIDGE
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.tuntap import TUNTAP
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.veth import VETH
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.vxlan import VXLAN
from ansible_collections.linuxnet.vnet.plugins.module_utils.values import (
    Bool,
    Choice,
    Int,
    Seconds,
    Word,
)
from hypothesis import strategies as st

if TYPE_CHECKING:
    from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.base import LinkKind, Option

Entry = dict[str, Any]
Draw = st.DrawFn


class Task(tuple[Want, ...]):
    """Wants that print briefly: a kind's whole table is no help to whoever reads a counterexample."""

    def __repr__(self) -> str:
        return "Task(" + ", ".join(brief(want) for want in self) + ")"


def brief(want: Want) -> str:
    shown = {
        name: value.name if name == "kind" else value
        for name, value in vars(want).items()
        if value not in (False, "", None) and value != {}
    }
    return f"{type(want).__name__}({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


NAMESPACES = ("", "a", "b")
NAMES = tuple(f"d{number}" for number in range(8))
ADDRESSES = (
    "10.0.0.1/24",
    "10.0.0.2/24",
    "10.0.1.1/24",
    "192.0.2.1/32",
    "2001:db8::1/64",
    "2001:db8::2/64",
    "fd00::1/128",
)
MACS = ("02:00:00:00:00:01", "02:00:00:00:00:02", "02:00:00:00:00:03")
MTUS = (576, 1280, 1400, 1500, 9000)
SYSCTLS = (
    "net.ipv4.ip_forward",
    # TODO finding U1: "net.ipv4.conf.all.accept_redirects", "net.ipv4.conf.default.forwarding",
    "net/ipv4/conf/lo/forwarding",
    "net.ipv6.conf.all.forwarding",
)
PLACES = st.sampled_from([(netns, name) for netns in NAMESPACES for name in NAMES])


def altnames_of(netns: str, name: str) -> list[str]:
    """Alternative names are unique in their namespace, so they derive from the device's."""
    return [f"{netns or 'home'}-{name}-{which}" for which in ("x", "y")]


def some_of(values: Any, most: int = 3) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(list(values)), max_size=most, unique=True)


def value_of(option: Option) -> st.SearchStrategy[Any]:
    """Values of an option whose type says all that there is to say, as a user may write them."""
    kind = option.type
    if isinstance(kind, Bool):
        return st.booleans()
    if isinstance(kind, Word):
        return st.sampled_from([*kind.words, 1, 64, kind.high, str(kind.high)])
    if isinstance(kind, Int):
        return st.sampled_from([kind.low, min(kind.low + 1, kind.high), kind.high, str(kind.high)])
    if isinstance(kind, Seconds):
        return st.sampled_from([kind.low, min(kind.low + 2.5, kind.high), min(20, kind.high), str(min(20, kind.high))])
    assert isinstance(kind, Choice), f"{option.name} needs values of its own"
    return st.sampled_from(list(kind.values))


@st.composite
def shared_options(draw: Draw, kind: LinkKind, place: tuple[str, str], masters: list[str]) -> Entry:
    """The options that all links have. `masters`: what may be its bridge."""
    entry: Entry = {}
    if draw(st.booleans()):
        entry["admin_state"] = draw(st.sampled_from(["up", "down"]))
    if draw(st.booleans()):
        entry["addresses"] = draw(some_of(ADDRESSES))
    six = any(":" in address for address in entry.get("addresses", ()))
    if draw(st.booleans()):
        entry["mtu"] = draw(st.sampled_from([mtu for mtu in MTUS if mtu >= 1280 or not six]))
    if draw(st.booleans()):
        entry["mac"] = draw(st.sampled_from(MACS)).upper()
    if draw(st.booleans()):
        entry["alias"] = draw(st.sampled_from(["", "the name of it"]))
    if draw(st.booleans()):
        entry["altnames"] = draw(some_of(altnames_of(*place)))
    if kind is not BRIDGE and draw(st.booleans()):
        entry["master"] = draw(st.sampled_from(["", *masters]))
    return entry


@st.composite
def kind_options(draw: Draw, kind: LinkKind) -> Entry:
    """Options of the kind itself, of those whose values stand for themselves."""
    own = [option for option in kind.options if isinstance(option.type, (Bool, Int, Seconds, Choice))]
    entry = {option.name: draw(value_of(option)) for option in draw(some_of(own, 4))}
    if kind is VXLAN:
        entry.update(draw(vxlan_options()))
    if kind is TUNTAP:
        entry.setdefault("mode", draw(st.sampled_from(["tap", "tun"])))
        if draw(st.booleans()):
            entry["owner"] = draw(st.sampled_from(["root", "0", 0, 1, "4242"]))
    return entry


@st.composite
def vxlan_options(draw: Draw) -> Entry:
    six = draw(st.booleans())
    own, far, group = ("2001:db8::1", "2001:db8::9", "ff05::1") if six else ("10.0.0.1", "10.9.9.9", "239.0.0.1")
    entry: Entry = {"vni": draw(st.sampled_from([1, 42, "16777215"])), "external": None, "vnifilter": None}
    entry["srcport_min"], entry["srcport_max"] = draw(st.sampled_from([(None, None), (4000, 5000)]))
    for option, value in (("local", own), ("remote", far)):
        if draw(st.booleans()):
            entry[option] = draw(st.sampled_from([value, ""]))
    if not entry.get("remote") and draw(st.booleans()):
        entry["group"] = draw(st.sampled_from([group, ""]))
    if draw(st.booleans()):
        entry["remotes"] = draw(some_of([far, far[:-1] + "7", far[:-1] + "5"]))
    return entry


@st.composite
def link_entries(draw: Draw, kind: LinkKind, place: tuple[str, str], masters: list[str]) -> Entry:
    netns, name = place
    entry: Entry = {"name": name, "netns": netns}
    entry.update(draw(kind_options(kind)))
    entry.update(draw(shared_options(kind, place, masters)))
    if entry.get("mode") == "tun":
        entry.pop("mac", None)
        entry.pop("master", None)
    if entry.get("stp"):
        entry.pop("forward_delay", None)
        entry.pop("max_age", None)
    entry["append"] = draw(st.booleans())
    entry["recreate"] = draw(st.booleans())
    return entry


def want_of(kind: LinkKind, entry: Entry) -> Want:
    try:
        return link_want(kind, entry)
    except Refused as exc:
        raise AssertionError(f"a bad {kind.name} was made up: {entry}: {exc}") from None


@st.composite
def tasks(draw: Draw, most: int = 6) -> Task:
    """Wants that can hold all at once: each device, and what bridge it is in, is spoken of by one of them."""
    gone = draw(st.sampled_from([(), (), ("b",), ("a", "b")]))
    spaces = [netns for netns in NAMESPACES if netns not in gone]
    wants: list[Want] = [namespace_want({"name": name, "state": "absent"}) for name in gone]
    wants += [
        namespace_want({"name": name, "loopback": draw(st.sampled_from([True, False, None]))})
        for name in spaces
        if name and draw(st.booleans())
    ]
    places = draw(
        st.lists(st.sampled_from([(netns, name) for netns in spaces for name in NAMES]), max_size=most, unique=True)
    )
    kinds = {place: draw(st.sampled_from(LINK_KINDS)) for place in places}
    absent = {place for place in places if draw(st.integers(0, 3)) == 0}
    bridges = [place for place in places if kinds[place] is BRIDGE and place not in absent]
    exact = {place for place in bridges if draw(st.integers(0, 2)) == 0}
    free = [(netns, name) for netns in spaces for name in NAMES if (netns, name) not in places]
    for place in places:
        kind = kinds[place]
        if place in absent:
            wants.append(link_want(kind, {"name": place[1], "netns": place[0], "state": "absent"}))
            continue
        masters = [name for netns, name in bridges if netns == place[0] and (netns, name) not in exact]
        entry = draw(link_entries(kind, place, masters))
        if place in exact:
            entry["ports"] = []  # what would take other bridges' ports away is for single tasks
        if exact and "master" in entry and entry["master"] not in masters:
            entry.pop("master")
        if kind is VETH and free:
            peer = free.pop(draw(st.integers(0, len(free) - 1)))
            entry["peer"] = draw(
                peer_entries(peer, masters=[n for s, n in bridges if s == peer[0] and (s, n) not in exact])
            )
        wants.append(want_of(kind, entry))
    return Task(draw(st.permutations(wants)))


@st.composite
def peer_entries(draw: Draw, place: tuple[str, str], masters: list[str]) -> Entry:
    entry = draw(shared_options(VETH, place, masters))
    entry.pop("altnames", None)
    return {"name": place[1], "netns": place[0], **entry}


@st.composite
def namespace_tasks(draw: Draw) -> Task:
    entry: Entry = {"name": draw(st.sampled_from(NAMESPACES[1:]))}
    entry["state"] = draw(st.sampled_from(["present", "present", "absent"]))
    entry["loopback"] = draw(st.sampled_from([True, False, None]))
    entry["sysctl"] = draw(st.dictionaries(st.sampled_from(SYSCTLS), st.sampled_from([0, "1"]), max_size=3))
    return Task([namespace_want(entry)])


@st.composite
def link_tasks(draw: Draw, kind: LinkKind) -> Task:
    place = draw(PLACES)
    entry = draw(link_entries(kind, place, [name for name in NAMES[:3] if name != place[1]]))
    entry["state"] = draw(st.sampled_from(["present", "present", "absent"]))
    if kind is BRIDGE and draw(st.booleans()):
        entry["ports"] = draw(some_of([name for name in NAMES if name != place[1]]))
    if kind is VETH and draw(st.booleans()):
        entry["peer"] = draw(loose_peers(place))
    if kind is VXLAN and draw(st.booleans()):
        entry["dev"] = draw(st.sampled_from([*([] if entry.get("group") else [""]), *NAMES[3:]]))
        entry["link_netns"] = draw(st.sampled_from([None, *NAMESPACES]))
    if draw(st.integers(0, 4)) == 0:
        for needed in ("mode", "vni"):
            entry.pop(needed, None)
    return Task([want_of(kind, entry)])


@st.composite
def loose_peers(draw: Draw, place: tuple[str, str]) -> Entry:
    """A peer of which perhaps not all is said."""
    other = draw(PLACES.filter(lambda other: other != place))
    entry = draw(peer_entries(other, [name for name in NAMES[:3] if name != other[1]]))
    entry.pop(draw(st.sampled_from(["netns", "name", "admin_state"])), None)
    if entry.get("netns") is None and other[1] == place[1]:
        entry.pop("name", None)
    return entry


@st.composite
def forward_tasks(draw: Draw) -> Task:
    return Task([draw(forward_wants())])


def single_tasks() -> st.SearchStrategy[Task]:
    """What a task of one module asks for; it may refer to what isn't there."""
    return st.one_of(namespace_tasks(), forward_tasks(), *(link_tasks(kind) for kind in LINK_KINDS))


@st.composite
def forward_wants(draw: Draw) -> Want:
    entry: Entry = {
        "netns": draw(st.sampled_from(NAMESPACES)),
        "ipv4": draw(st.sampled_from([True, False])),
        "ipv6": draw(st.sampled_from([None, True, False])),
        "interfaces": draw(st.sampled_from([None, [NAMES[0]], list(NAMES[1:3])])),
        "keep_ra": draw(st.booleans()),
    }
    if not entry["netns"]:
        entry.update(persist=draw(st.sampled_from([None, True, False])), sysctl_file="/etc/sysctl.d/30-ipforward.conf")
    return forward_want(entry)


@st.composite
def wild_tasks(draw: Draw) -> Task:
    """Any wants at all, side by side."""
    return Task(want for group in draw(st.lists(single_tasks(), max_size=5)) for want in group)
