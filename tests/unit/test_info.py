# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What vnet_info shows: the words for what the kernel says, and a topology that asks for what is there already."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils import module_info, netlink
from ansible_collections.linuxnet.vnet.plugins.module_utils.desired import Want
from ansible_collections.linuxnet.vnet.plugins.module_utils.info import SUBSETS, subsets
from ansible_collections.linuxnet.vnet.plugins.module_utils.info_left_out import (
    links_left_out,
    routes_left_out,
    rules_left_out,
)
from ansible_collections.linuxnet.vnet.plugins.module_utils.info_words import (
    forwarding_entries,
    is_learned,
    neighbor_shown,
    route_entry,
    route_shown,
    rule_shown,
    topology_shown,
)
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds import LINK_KINDS, ROW_KINDS
from ansible_collections.linuxnet.vnet.plugins.module_utils.plan import plan
from ansible_collections.linuxnet.vnet.plugins.module_utils.rows import Fdb
from ansible_collections.linuxnet.vnet.plugins.module_utils.state import Addr, Link, State, Vlan
from ansible_collections.linuxnet.vnet.plugins.module_utils.topology import PARSERS
from ansible_collections.linuxnet.vnet.tests.unit.hosts import hosts
from ansible_collections.linuxnet.vnet.tests.unit.strategies import examples
from hypothesis import given

NAMES = {2: "eth0", 3: "eth1"}
ROUTE = {"family": "inet", "table": "main", "metric": 0, "type": "unicast", "protocol": "static"}
UP = {"admin_state": "up", "mtu": 1500, "alias": "", "altnames": (), "master": ""}


def told(kind: str, fields: dict[str, int], attrs: list[tuple[str, Any]]) -> Any:
    """A message as it comes from the kernel."""
    return netlink.decoded(kind, netlink.filled(kind, fields, attrs))


def route(attrs: list[tuple[str, Any]], **fields: int) -> dict[str, Any] | None:
    header = {"family": 2, "table": 254, "proto": 4, "type": 1, **fields}
    return route_shown(told("rtmsg", header, attrs), NAMES.__getitem__)


def rule(attrs: list[tuple[str, Any]], **fields: int) -> dict[str, Any]:
    return rule_shown(told("fibmsg", {"family": 2, "action": 1, "table": 254, **fields}, attrs))


def neighbor(attrs: list[tuple[str, Any]], **fields: int) -> Any:
    return told("ndmsg", {"family": 2, "ifindex": 2, "state": 2, **fields}, attrs)


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        (["all"], set(SUBSETS)),
        ([], set(SUBSETS)),
        (["links", "fdb"], {"links", "fdb"}),
        (["!fdb"], set(SUBSETS) - {"fdb"}),
        (["all", "!fdb", "!links"], set(SUBSETS) - {"fdb", "links"}),
        (["links", "!links"], set()),
    ],
)
def test_a_gather_subset_means(asked: list[str], meant: set[str]) -> None:
    assert subsets(asked) == meant


def test_a_default_route() -> None:
    assert route([("RTA_GATEWAY", "192.0.2.1"), ("RTA_OIF", 2), ("RTA_PREFSRC", "192.0.2.9")]) == {
        "destination": "default",
        **ROUTE,
        "gateway": "192.0.2.1",
        "device": "eth0",
        "source": "192.0.2.9",
    }


def test_a_route_over_several_ways() -> None:
    ways = [
        {"oif": 2, "hops": 1, "flags": 0, "attrs": [("RTA_GATEWAY", "192.0.2.1")]},
        {"oif": 3, "hops": 0, "flags": 0, "attrs": []},
    ]
    shown = route([("RTA_DST", "10.0.0.0"), ("RTA_MULTIPATH", ways)], dst_len=8)
    assert shown is not None
    assert shown["nexthops"] == [
        {"gateway": "192.0.2.1", "device": "eth0", "weight": 2},
        {"device": "eth1", "weight": 1},
    ]
    assert "device" not in shown


def test_what_a_route_says_of_the_way_is_shown() -> None:
    metrics = [("RTAX_LOCK", 1 << 2 | 1 << 13), ("RTAX_MTU", 1400), ("RTAX_RTO_MIN", 50), ("RTAX_QUICKACK", 1)]
    via = {"family": 10, "addr": "fe80::1"}
    shown = route([("RTA_METRICS", {"attrs": metrics}), ("RTA_OIF", 2), ("RTA_VIA", via)])
    assert shown == {
        "destination": "default",
        **ROUTE,
        "gateway": "fe80::1",
        "device": "eth0",
        "mtu": 1400,
        "mtu_lock": True,
        "rto_min": 0.05,
        "quickack": True,
    }
    on_link = {"destination": "default", **ROUTE, "device": "eth0"}
    assert route([("RTA_OIF", 2)], scope=253) == on_link
    assert route([("RTA_OIF", 2)], scope=0) == {**on_link, "scope": "global"}
    assert route([("RTA_OIF", 2)], scope=7) == {**on_link, "scope": "7"}


def test_the_words_for_tables_types_and_protocols() -> None:
    shown = route([("RTA_DST", "10.0.0.0"), ("RTA_TABLE", 1000), ("RTA_OIF", 2)], dst_len=8, type=6, proto=200)
    assert shown is not None
    assert shown == {"destination": "10.0.0.0/8", **ROUTE, "table": 1000, "type": "blackhole", "protocol": 200}


def test_what_the_kernel_keeps_for_its_own_addresses_is_not_shown() -> None:
    assert route([("RTA_DST", "192.0.2.9"), ("RTA_OIF", 2)], dst_len=32, type=2, proto=2, table=255) is None
    assert route([("RTA_DST", "192.0.2.0"), ("RTA_OIF", 2)], dst_len=24, proto=2) is not None


def test_a_rule_with_all_that_there_are_options_for() -> None:
    attrs = [
        ("FRA_PRIORITY", 100),
        ("FRA_SRC", "192.0.2.0"),
        ("FRA_DST", "198.51.100.0"),
        ("FRA_IIFNAME", "eth0"),
        ("FRA_OIFNAME", "eth1"),
        ("FRA_FWMARK", 1),
        ("FRA_FWMASK", 255),
        ("FRA_TABLE", 77),
        ("FRA_PROTOCOL", 4),
    ]
    assert rule(attrs, src_len=24, dst_len=25) == {
        "priority": 100,
        "family": "inet",
        "protocol": "static",
        "from": "192.0.2.0/24",
        "to": "198.51.100.0/25",
        "iif": "eth0",
        "oif": "eth1",
        "fwmark": "0x1/0xff",
        "table": 77,
    }


def test_a_rule_that_looks_in_no_table() -> None:
    shown = rule([("FRA_PRIORITY", 7), ("FRA_GOTO", 9), ("FRA_DPORT_RANGE", "53:53")], action=2, table=0, flags=2)
    assert shown == {
        "priority": 7,
        "family": "inet",
        "protocol": "unspec",
        "not": True,
        "dport": "53",
        "action": "goto",
        "goto": 9,
    }


def test_a_suppressed_prefix_length_of_zero_says_something() -> None:
    assert rule([("FRA_SUPPRESS_PREFIXLEN", 0)])["suppress_prefixlength"] == 0
    assert "suppress_prefixlength" not in rule([("FRA_SUPPRESS_PREFIXLEN", 0xFFFFFFFF)])


def test_neighbors() -> None:
    attrs = [("NDA_DST", "192.0.2.1"), ("NDA_LLADDR", "02:00:00:00:00:01")]
    shown = {"device": "eth0", "address": "192.0.2.1", "mac": "02:00:00:00:00:01", "nud": "reachable"}
    assert neighbor_shown(neighbor(attrs), NAMES.__getitem__) == shown
    unknown = neighbor_shown(neighbor(attrs[:1], state=32), NAMES.__getitem__)
    assert unknown == {"device": "eth0", "address": "192.0.2.1", "nud": "failed"}
    assert neighbor_shown(neighbor(attrs, state=64), NAMES.__getitem__) is None


def test_what_was_learned() -> None:
    mac = [("NDA_LLADDR", "02:00:00:00:00:01")]
    assert is_learned(neighbor(mac, family=7, state=2))
    assert is_learned(neighbor(mac, family=7, state=64, flags=0x10))
    assert not is_learned(neighbor(mac, family=7, state=128))
    assert not is_learned(neighbor([], family=7, state=2))


# -- the topology ----------------------------------------------------------------------------------------------------


def state_of(*links: Link) -> State:
    spaces: dict[str, dict[str, Any]] = {link.netns: {} for link in links if link.netns}
    return State(namespaces=spaces, links={link.key: link for link in links})


def topology(state: State, names: tuple[str, ...] = ("", "c1"), macs: Any = ()) -> dict[str, list[dict[str, Any]]]:
    return topology_shown(state, {name: {} for name in names}, macs)


def pair(netns: str, peer_netns: str) -> tuple[Link, Link]:
    first = Link(netns, "v1", "veth", {**UP, "master": "br0"}, peer=(peer_netns, "eth0"))
    address = Addr("192.0.2.1/24")
    autoconfigured = Addr("2001:db8::1/64", flags=0)
    linklocal = Addr("fe80::1/64")
    return first, Link(
        peer_netns, "eth0", "veth", UP, addresses=(address, autoconfigured, linklocal), peer=(netns, "v1")
    )


def test_a_pair_is_there_once() -> None:
    state = state_of(*pair("", "c1"))
    entry = {
        "name": "v1",
        "master": "br0",
        "peer": {"name": "eth0", "netns": "c1", "addresses": ["192.0.2.1/24"]},
    }
    assert topology(state)["veths"] == [entry]
    assert topology(state, ("",))["veths"] == [entry]


def test_a_pair_seen_from_the_namespace_of_its_other_end() -> None:
    entry = {
        "name": "eth0",
        "netns": "c1",
        "addresses": ["192.0.2.1/24"],
        "peer": {"name": "v1", "netns": "", "master": "br0"},
    }
    assert topology(state_of(*pair("", "c1")), ("c1",))["veths"] == [entry]


def test_what_leads_to_a_namespace_without_a_name_is_left_out() -> None:
    lost = Link("", "v1", "veth", UP)
    overlay = Link("", "vx1", "vxlan", {**UP, "vni": 1, "link_netns": None})
    found = topology(state_of(lost, overlay))
    assert found["veths"] == found["vxlans"] == []


def test_a_bridge_lists_only_ports_that_say_nothing_themselves() -> None:
    bridge = Link("", "br0", "bridge", UP)
    nic = Link("", "eth9", "", {**UP, "master": "br0"})
    found = topology(state_of(bridge, nic, *pair("", "c1")))
    assert found["bridges"] == [{"name": "br0", "ports": ["eth9"], "append": True}]
    kinds = {kind.plural for kind in LINK_KINDS} | {kind.plural for kind in ROW_KINDS}
    assert set(found) == {"namespaces", "bridge_ports", "nats", "ovs_bridges", "forwarding"} | kinds


def test_bridge_ports_say_what_is_not_usual() -> None:
    usual = (Vlan(1, pvid=True, untagged=True),)
    bridge = Link("", "br0", "bridge", {**UP, "vlan_default_pvid": 1}, vlans=usual)
    told = {"isolated": True, "learning": True, "cost": 2, "priority": 32}
    port = Link("", "p1", "", {**UP, "master": "br0"}, vlans=usual, port=told)
    assert topology(state_of(bridge, port))["bridge_ports"] == [{"name": "p1", "isolated": True}]
    trunk = replace(port, vlans=(Vlan(5), Vlan(6)), port={})
    assert topology(state_of(bridge, trunk))["bridge_ports"] == [{"name": "p1", "vlans": [{"vid": "5-6"}]}]
    unable = replace(bridge, attrs=UP, vlans=())
    assert topology(state_of(unable, replace(port, vlans=(), port={})))["bridge_ports"] == []


def test_a_mac_is_there_where_somebody_gave_it() -> None:
    tap = Link("", "tap0", "tun", {**UP, "mode": "tap", "mac": "02:00:00:00:00:01"})
    assert topology(state_of(tap))["tuntaps"] == [{"name": "tap0", "mode": "tap"}]
    assert topology(state_of(tap), macs={tap.key})["tuntaps"][0]["mac"] == "02:00:00:00:00:01"


def test_an_overlay_whose_underlay_is_elsewhere() -> None:
    attrs = {**UP, "vni": 7, "dev": "up0", "link_netns": "", "mtu": 1450}
    overlay = Link("c1", "vx1", "vxlan", attrs, fdb=(Fdb("00:00:00:00:00:00", "192.0.2.2"),))
    assert topology(state_of(overlay))["vxlans"] == [
        {
            "name": "vx1",
            "netns": "c1",
            "mtu": 1450,
            "vni": 7,
            "dev": "up0",
            "link_netns": "",
            "remotes": ["192.0.2.2"],
        }
    ]


def test_namespaces_say_where_lo_is_down() -> None:
    lo = Link("c1", "lo", "loopback", UP)
    assert topology(state_of(lo))["namespaces"] == [{"name": "c1"}]
    assert topology(state_of(lo.having(admin_state="down")))["namespaces"] == [{"name": "c1", "loopback": False}]


def test_routes_in_the_options_that_make_them() -> None:
    assert route_entry("", {"destination": "default", **ROUTE, "gateway": "192.0.2.1", "device": "eth0"}) == {
        "destination": "default",
        "gateway": "192.0.2.1",
        "device": "eth0",
    }
    via_inet6 = {
        "destination": "default",
        **ROUTE,
        "gateway": "fe80::1",
        "device": "eth0",
        "mtu": 1400,
        "mtu_lock": True,
    }
    assert route_entry("", via_inet6) == {
        "destination": "0.0.0.0/0",
        "gateway": "fe80::1",
        "device": "eth0",
        "mtu": 1400,
        "mtu_lock": True,
    }
    ways = [{"gateway": "192.0.2.1", "weight": 1}, {"gateway": "fe80::1", "device": "eth0", "weight": 1}]
    several = route_entry("", {"destination": "default", **ROUTE, "nexthops": ways})
    assert several == {"destination": "0.0.0.0/0", "nexthops": ways}
    six = {"destination": "default", **ROUTE, "family": "inet6", "metric": 1024, "device": "eth0", "table": 77}
    assert route_entry("c1", six) == {"destination": "::/0", "netns": "c1", "table": 77, "device": "eth0"}


@pytest.mark.parametrize(
    "other",
    [
        {"protocol": "kernel"},
        {"protocol": "ra"},
        {"protocol": "dhcp"},
        {"type": "local"},
        {"tos": 4},
        {"from": "2001:db8:1::/48"},
        {"scope": "7"},
        {"realm": "5"},
        {"pref": "high"},
        {"encap": "mpls"},
    ],
)
def test_a_route_that_was_learned_or_that_no_option_can_say_is_left_out(other: dict[str, Any]) -> None:
    unsaid = {"destination": "10.0.0.0/8", **ROUTE, "device": "eth0", **other}
    assert route_entry("", unsaid) is None
    told = [f"c1: the route to 10.0.0.0/8 of table main: its {word} is {value}" for word, value in other.items()]
    assert list(routes_left_out("c1", [unsaid])) == ([] if "protocol" in other else told)


def test_a_route_that_the_options_can_say_is_not_left_out() -> None:
    assert list(routes_left_out("", [{"destination": "10.0.0.0/8", **ROUTE, "device": "eth0", "scope": "link"}])) == []


def test_rules_that_no_option_can_say_are_left_out() -> None:
    def told(attrs: list[tuple[str, Any]], **fields: int) -> list[str]:
        message = {"family": 2, "table": 254, **fields}
        return list(rules_left_out("", [netlink.decoded("fibmsg", netlink.filled("fibmsg", message, attrs))]))

    goto = [("FRA_PRIORITY", 7), ("FRA_GOTO", 9), ("FRA_PROTOCOL", 4)]
    assert told(goto, action=2) == ["the rule of priority 7: there is more to it than vnet_rule has options for"]
    assert told([("FRA_PRIORITY", 7), ("FRA_PROTOCOL", 4)], action=1) == []
    # The kernel's own for VRFs.
    assert told([("FRA_PRIORITY", 1000), ("FRA_L3MDEV", 1), ("FRA_PROTOCOL", 2)], action=1) == []


def test_links_that_no_module_makes_are_left_out() -> None:
    state = state_of(
        Link("", "eth9", "", UP),
        Link("", "lo", "loopback", UP),
        Link("", "br0", "bridge", UP),
        Link("", "ovs-system", "openvswitch", UP),
        Link("", "sit0", "sit", UP),
        Link("", "bond0", "bond", UP),
        Link("", "v9", "veth", UP),
        Link("", "vx1", "vxlan", {**UP, "vni": 1, "link_netns": None}),
        *pair("", "c1"),
    )
    assert list(links_left_out(state, ("", "c1"))) == [
        "bond0: its kind is 'bond', which no module makes",
        "v9: its other end is in a namespace without a name",
        "vx1: the device it stands on is in a namespace without a name",
    ]
    assert list(links_left_out(state, ("c1",))) == []


def test_the_peers_of_addresses_are_left_out() -> None:
    first, second = pair("", "c1")
    pointed = Addr("10.8.0.1/32", peer="10.8.0.2/32")
    state = state_of(first, replace(second, addresses=(*second.addresses, pointed)))
    told = ["c1/eth0: the address 10.8.0.1/32 has the peer 10.8.0.2/32"]
    assert list(links_left_out(state, ("", "c1"))) == told
    assert list(links_left_out(state, ("",))) == told, "the pair is one entry"


def test_forwarding() -> None:
    assert forwarding_entries("", {"net.ipv4.ip_forward": False, "net.ipv6.conf.all.forwarding": False}) == []
    assert forwarding_entries("c1", {"net.ipv4.ip_forward": True, "net.ipv4.conf.eth0/1.forwarding": False}) == [
        {"netns": "c1", "ipv4": True},
        {"netns": "c1", "ipv4": False, "interfaces": ["eth0.1"]},
    ]
    six = {"net.ipv6.conf.all.forwarding": True, "net.ipv6.conf.default.forwarding": True}
    assert forwarding_entries("", six) == [{"ipv6": True}]
    assert forwarding_entries("", {"net.ipv6.conf.eth0.force_forwarding": True}) == [
        {"ipv6": True, "interfaces": ["eth0"]}
    ]


@examples(150)
@given(hosts())
def test_the_topology_of_a_host_asks_for_what_is_there(host: State) -> None:
    for link in list(host.links.values()):
        # The reader always says where the underlay is.
        if link and link.kind == "vxlan" and "link_netns" not in link.attrs:
            host.put(replace(link, attrs={**link.attrs, "link_netns": link.netns}))
    # Where advertised routes would be lost, asking for forwarding rightly does something about it.
    host.ra_devices.clear()
    macs = {link.key for link in host.links.values() if link and link.mac_is_set}
    wants: list[Want] = [
        PARSERS[plural](entry, "", "")
        for plural, entries in topology(host, ("", *host.namespaces), macs).items()
        for entry in entries
    ]
    assert plan(host, tuple(wants)).commands == []


class Ended(Exception):
    """The module has said what it has to say."""


class Module:
    """As much of AnsibleModule as the rim of vnet_info asks for."""

    def __init__(self, check_mode: bool, asked: list[str]) -> None:
        self.check_mode = check_mode
        self.params = {"netns": "there-is-none", "gather_subset": asked}
        self.warnings: list[str] = []
        self.answer: dict[str, Any] = {}

    def warn(self, warning: str) -> None:
        self.warnings.append(warning)

    def exit_json(self, **answer: Any) -> None:
        self.answer = answer

    def fail_json(self, msg: str, **_details: Any) -> None:
        raise Ended(msg)


def test_a_namespace_that_is_not_there_yet_is_empty_in_a_check_run(monkeypatch: pytest.MonkeyPatch) -> None:
    said = "netns: there is no network namespace 'there-is-none' on this host"
    checked = Module(check_mode=True, asked=["all"])
    monkeypatch.setattr(module_info, "start", lambda _spec: (checked, {}))
    module_info.run_info()
    assert checked.warnings == [said]
    found = checked.answer["namespaces"]["there-is-none"]
    assert set(found) == {"links", "routes", "rules", "neighbors", "fdb", "forwarding", "nats"}
    assert (found["links"], found["routes"], found["forwarding"]["ipv4"]) == ({}, [], False)
    assert set(checked.answer["topology"]) == set(PARSERS) - {"links"}
    assert not any(checked.answer["topology"].values())
    assert checked.answer["left_out"] == []
    monkeypatch.setattr(module_info, "start", lambda _spec: (Module(check_mode=False, asked=["links"]), {}))
    with pytest.raises(Ended, match=f"^{said}$"):
        module_info.run_info()
