# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random hosts and random tasks for them.

Few names and few addresses, so that they meet often. A host is consistent as the kernel keeps it: a port's bridge is
there, a veth has its peer, what is down has no routes. `tasks` are consistent in themselves too; `wild_tasks` may
contradict themselves in every way that the options allow.
"""

from __future__ import annotations

import os
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
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.dummy import DUMMY
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.geneve import GENEVE
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.ipvlan import IPVLAN
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.macvlan import MACVLAN
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.tuntap import TUNTAP
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.veth import VETH
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.vlan import VLAN
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.vrf import VRF
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.vxlan import VXLAN
from ansible_collections.linuxnet.vnet.plugins.module_utils.values import (
    Bool,
    Choice,
    Int,
    Seconds,
    Word,
)
from hypothesis import settings
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
        for name, value in want._asdict().items()
        if value not in (False, "", None) and value != {}
    }
    return f"{type(want).__name__}({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


NAMESPACES = ("", "a", "b")
BRIDGES, VETHS, TUNTAPS, VXLANS = ("br0", "br1"), ("ve0", "ve1", "ve2"), ("tt0", "tt1"), ("vx0", "vx1")
DUMMIES, UPPERS, GENEVES = ("dm0", "dm1"), ("vl0", "vl1", "vl2", "mv0", "mv1", "iv0"), ("ge0",)
PEERS = tuple(f"pe{number}{netns}" for number in range(3) for netns in ("h", "a", "b"))
NAMES = (*BRIDGES, *VETHS, *TUNTAPS, *VXLANS, *DUMMIES, *UPPERS, *GENEVES, *PEERS)
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
SYSCTL_FILE = "/etc/sysctl.d/30-ipforward.conf"
SYSCTLS = (
    "net.ipv4.ip_forward",
    "net.ipv4.conf.all.accept_redirects",
    "net.ipv4.conf.default.forwarding",
    "net/ipv4/conf/lo/forwarding",
    "net.ipv6.conf.all.forwarding",
)
Place = tuple[str, str]
PLACES = st.sampled_from([(netns, name) for netns in NAMESPACES for name in NAMES])
OWN_PLACES = PLACES.filter(lambda place: place[1] not in PEERS)
KIND_OF = {
    "br": BRIDGE,
    "ve": VETH,
    "tt": TUNTAP,
    "vx": VXLAN,
    "dm": DUMMY,
    "vl": VLAN,
    "mv": MACVLAN,
    "iv": IPVLAN,
    "ge": GENEVE,
}


@st.composite
def kinds_for(draw: Draw, name: str) -> LinkKind:
    """Mostly the kind that goes with the name, as most tasks are no mistakes."""
    if name[:2] in KIND_OF and draw(st.integers(0, 9)):
        return KIND_OF[name[:2]]
    return draw(st.sampled_from([kind for kind in LINK_KINDS if kind is not VRF]))


def examples(usual: int) -> settings:
    """So many examples of a property, always the same; or as many new ones as a campaign asks for, which is what looks for bugs."""
    asked = os.environ.get("VNET_EXAMPLES")
    return settings(max_examples=int(asked or usual), derandomize=not asked)


def peer_name(place: Place) -> str:
    """The name of a veth's other end, which no other pair's has."""
    netns, name = place
    return f"pe{NAMES.index(name) % 3}{netns or 'h'}" if name in VETHS else f"pe-{netns}-{name}"


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
    if option.name == "group_fwd_mask":
        return st.sampled_from([0, 8, "65528"])  # bits 0 to 2 are the kernel's own
    if option.name == "ageing":
        return st.sampled_from([1, "20", 4294967295])  # 0 is the kernel's word for 300
    if option.name == "mcast_hash_max":
        return st.sampled_from([64, "4096", 2147483648])  # a bridge that has more groups than that stops to snoop
    if isinstance(kind, Word):
        return st.sampled_from([*kind.words, 1, 64, kind.high, str(kind.high)])
    if isinstance(kind, Int):
        return st.sampled_from([kind.low, min(kind.low + 1, kind.high), kind.high, str(kind.high)])
    if isinstance(kind, Seconds):
        return st.sampled_from([kind.low, min(kind.low + 2.5, kind.high), min(20, kind.high), str(min(20, kind.high))])
    assert isinstance(kind, Choice), f"{option.name} needs values of its own"
    return st.sampled_from(list(kind.values))


@st.composite
def shared_options(draw: Draw, place: Place) -> Entry:
    """The options that all links have, but for `master`."""
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
    return entry


@st.composite
def kind_options(draw: Draw, kind: LinkKind, place: Place) -> Entry:
    """Options of the kind itself, of those whose values stand for themselves."""
    own = [option for option in kind.options if isinstance(option.type, (Bool, Int, Seconds, Choice))]
    own = [option for option in own if option.name not in ("tap", "external", *kind.shared)]
    entry = {option.name: draw(value_of(option)) for option in (draw(some_of(own, 4)) if own else ())}
    if kind is VXLAN:
        entry.update(draw(vxlan_options(1 + NAMESPACES.index(place[0]) * 100 + NAMES.index(place[1]))))
    if kind is VLAN:
        entry.setdefault("vid", 1 + NAMESPACES.index(place[0]) * 100 + NAMES.index(place[1]))
    if kind is GENEVE:
        entry["vni"] = 1 + NAMESPACES.index(place[0]) * 100 + NAMES.index(place[1])
        remotes = ["2001:db8::9", *([] if entry.get("label") else ["10.9.9.9", "10.9.9.8"])]
        entry["remote"] = draw(st.sampled_from(remotes))
    if kind.lower == "parent":
        entry["parent"] = draw(st.sampled_from([name for name in (*VETHS, *DUMMIES) if name != place[1]]))
    if kind is TUNTAP:
        entry["mode"] = draw(st.sampled_from(["tap", "tap", "tun"]))
        if draw(st.booleans()):
            entry["owner"] = draw(st.sampled_from(["root", "0", 0, 1, "4242"]))
    return entry


@st.composite
def vxlan_options(draw: Draw, vni: int) -> Entry:
    """Endpoints of one family, and `vni` (1 to 315, one that no other device of the host has) or one that goes with it."""
    own, far = draw(st.sampled_from([("2001:db8::1", "2001:db8::9"), ("10.0.0.1", "10.9.9.9")]))
    entry: Entry = {"vni": draw(st.sampled_from([vni, f"{vni}", vni + 16776900])), "external": None, "vnifilter": None}
    entry["srcport_min"], entry["srcport_max"] = draw(st.sampled_from([(None, None), (4000, 5000)]))
    for option, value in (("local", own), ("remote", far)):
        if draw(st.booleans()):
            entry[option] = draw(st.sampled_from([value, ""]))
    if draw(st.booleans()) and (entry.get("local") or "." in own):
        entry["remotes"] = draw(some_of([far, far[:-1] + "7", far[:-1] + "5"]))
    return entry


@st.composite
def link_entries(draw: Draw, kind: LinkKind, place: Place) -> Entry:
    netns, name = place
    entry: Entry = {"name": name, "netns": netns}
    entry.update(draw(kind_options(kind, place)))
    entry.update(draw(shared_options(place)))
    if entry.get("mode") == "tun" or kind is IPVLAN:
        entry.pop("mac", None)
    if entry.get("stp"):
        entry.pop("forward_delay", None)
        entry.pop("max_age", None)
    entry["append"] = draw(st.booleans())
    entry["recreate"] = draw(st.booleans())
    return entry


@st.composite
def peer_entries(draw: Draw, place: Place) -> Entry:
    entry = draw(shared_options(place))
    entry.pop("altnames", None)
    return {"name": place[1], "netns": place[0], **entry}


def want_of(kind: LinkKind, entry: Entry) -> Want:
    try:
        return link_want(kind, entry)
    except Refused as exc:
        raise AssertionError(f"a bad {kind.name} was made up: {entry}: {exc}") from None


@st.composite
def tasks(draw: Draw, least: int = 0, most: int = 8) -> Task:
    """Wants that can hold all at once: each device, and what bridge it is in, is spoken of by one of them."""
    gone = draw(st.sampled_from([(), (), (), ("b",), ("a", "b")]))
    spaces = [netns for netns in NAMESPACES if netns not in gone]
    wants: list[Want] = [namespace_want({"name": name, "state": "absent"}) for name in gone]
    wants += [namespace_want({"name": name}) for name in spaces if name and draw(st.integers(0, 4))]
    choice = st.sampled_from([(netns, name) for netns in spaces for name in NAMES if name not in PEERS])
    places = draw(st.lists(choice, min_size=least, max_size=most, unique=True))
    entries: dict[Place, Entry] = {}
    kinds: dict[Place, LinkKind] = {}
    for place in places:
        kinds[place] = draw(kinds_for(place[1]))
        if draw(st.integers(0, 4)):
            entries[place] = draw(link_entries(kinds[place], place))
        else:
            wants.append(link_want(kinds[place], {"name": place[1], "netns": place[0], "state": "absent"}))
    ends = dict(entries)
    for place in [place for place in entries if kinds[place] is VETH]:
        peer = (draw(st.sampled_from(spaces)), peer_name(place))
        entries[place]["peer"] = ends[peer] = draw(peer_entries(peer))
    bridges = [place for place in entries if kinds[place] is BRIDGE]
    join_bridges(draw, ends, bridges)
    stand_on_devices(draw, entries, kinds)
    wants += [want_of(kinds[place], entry) for place, entry in entries.items()]
    return Task(draw(st.permutations(wants)))


def join_bridges(draw: Draw, ends: dict[Place, Entry], bridges: list[Place]) -> None:
    """Make some devices ports: said by the port's `master`, or by the bridge's `ports`, never by both."""
    exact = {bridge: ends[bridge].setdefault("ports", []) for bridge in bridges if draw(st.booleans())}
    for (netns, name), entry in ends.items():
        near = [bridge for bridge in bridges if bridge[0] == netns]
        if (netns, name) in bridges or entry.get("mode") == "tun" or draw(st.booleans()):
            continue
        bridge = draw(st.sampled_from([None, *near]))
        if bridge in exact:
            exact[bridge].append(name)
        else:
            entry["master"] = bridge[1] if bridge else ""


def stand_on_devices(draw: Draw, entries: dict[Place, Entry], kinds: dict[Place, LinkKind]) -> None:
    """Give some VXLAN devices a device under them, and all that need one; without loops, as those under stand on none."""
    for place, entry in list(entries.items()):
        if kinds[place].lower == "parent":
            standing = [other for other in entries if kinds[other] in (VETH, DUMMY)]
            if not standing:
                del entries[place]
                continue
            entry["link_netns"], entry["parent"] = draw(st.sampled_from(standing))
            entry.pop("mtu", None)
        under = [lower for lower in entries if kinds[lower] in (VETH, TUNTAP)]
        if draw(st.booleans()) and kinds[place] is VXLAN and under:
            entry["link_netns"], entry["dev"] = draw(st.sampled_from(under))
            if draw(st.booleans()) and not entry.get("remote"):
                entry["group"] = "ff05::1" if ":" in f"{entry.get('local')} {entry.get('remotes')}" else "239.0.0.1"


@st.composite
def namespace_tasks(draw: Draw) -> Task:
    entry: Entry = {"name": draw(st.sampled_from(NAMESPACES[1:]))}
    entry["state"] = draw(st.sampled_from(["present", "present", "absent"]))
    entry["loopback"] = draw(st.sampled_from([True, False, None]))
    entry["sysctl"] = draw(st.dictionaries(st.sampled_from(SYSCTLS), st.sampled_from([0, "1"]), max_size=3))
    return Task([namespace_want(entry)])


@st.composite
def link_tasks(draw: Draw) -> Task:
    place = draw(st.one_of(OWN_PLACES, PLACES))
    kind = draw(kinds_for(place[1]))
    entry = draw(link_entries(kind, place))
    entry["state"] = draw(st.sampled_from(["present", "present", "absent"]))
    if draw(st.booleans()) and entry.get("mode") != "tun":
        entry["master"] = draw(st.sampled_from(["", *(name for name in BRIDGES if name != place[1])]))
    if kind is BRIDGE and draw(st.integers(0, 2)) == 0 and entry.get("admin_state") != "down":
        entry["uplink"] = draw(st.sampled_from(["", *(name for name in (*VETHS, *TUNTAPS) if name != place[1])]))
    if kind is BRIDGE and draw(st.booleans()):
        entry["ports"] = draw(some_of([name for name in NAMES if name != place[1]]))
    if kind is VETH and draw(st.integers(0, 3)):
        entry["peer"] = draw(loose_peers(place))
    if kind is VXLAN and draw(st.booleans()):
        entry["dev"] = draw(st.sampled_from(["", *VETHS, *TUNTAPS]))
        entry["link_netns"] = draw(st.sampled_from([None, *NAMESPACES]))
    if draw(st.integers(0, 4)) == 0:
        entry.pop("mode" if kind is TUNTAP else "vni", None)
    return Task([want_of(kind, entry)])


@st.composite
def loose_peers(draw: Draw, place: Place) -> Entry:
    """A peer of which perhaps not all is said."""
    usual = (draw(st.sampled_from(NAMESPACES)), peer_name(place))
    other = draw(st.one_of(st.just(usual), PLACES.filter(lambda other: other != place)))
    entry = draw(peer_entries(other))
    entry.pop(draw(st.sampled_from(["netns", "name", "admin_state", "admin_state"])), None)
    if entry.get("netns") is None and other[1] == place[1]:
        entry.pop("name", None)
    return entry


@st.composite
def forward_tasks(draw: Draw) -> Task:
    return Task([draw(forward_wants())])


def single_tasks() -> st.SearchStrategy[Task]:
    """What a task of one module asks for; it may refer to what isn't there."""
    return st.one_of(namespace_tasks(), forward_tasks(), link_tasks(), link_tasks(), link_tasks())


@st.composite
def forward_wants(draw: Draw) -> Want:
    entry: Entry = {
        "netns": draw(st.sampled_from(NAMESPACES)),
        "ipv4": draw(st.sampled_from([True, False])),
        "ipv6": draw(st.sampled_from([None, True, False])),
        "interfaces": draw(st.sampled_from([None, [BRIDGES[0]], list(VETHS[:2])])),
        "keep_ra": draw(st.booleans()),
    }
    if not entry["netns"]:
        entry.update(persist=draw(st.sampled_from([None, True, False])), sysctl_file=SYSCTL_FILE)
    return forward_want(entry)


@st.composite
def wild_tasks(draw: Draw) -> Task:
    """Any wants at all, side by side."""
    return Task(want for group in draw(st.lists(single_tasks(), max_size=5)) for want in group)
