# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of tables: what a want means, what becomes of it, and what the kernel does to those that hang on a device."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils import route_metrics
from ansible_collections.linuxnet.vnet.plugins.module_utils.attachments import AddressDelete
from ansible_collections.linuxnet.vnet.plugins.module_utils.desired import row_want
from ansible_collections.linuxnet.vnet.plugins.module_utils.errors import Refused
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.fdb import FDB
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.neighbor import NEIGHBOR
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.route import ROUTE
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.rule import RULE
from ansible_collections.linuxnet.vnet.plugins.module_utils.link_operations import LinkDelete, LinkSet
from ansible_collections.linuxnet.vnet.plugins.module_utils.netlink import extended, rest_of, route_message
from ansible_collections.linuxnet.vnet.plugins.module_utils.plan import plan
from ansible_collections.linuxnet.vnet.plugins.module_utils.rows import (
    BEYOND_OPTIONS,
    NTF_PROXY,
    STATIC,
    Fdb,
    Neighbor,
    Route,
    Row,
    Rule,
)
from ansible_collections.linuxnet.vnet.plugins.module_utils.state import Addr, Link, State
from ansible_collections.linuxnet.vnet.plugins.module_utils.topology import Record, Topology
from hypothesis import given
from hypothesis import strategies as st
from pyroute2.netlink.rtnl.rtmsg import rtmsg

MAC = "02:00:00:00:00:09"
KERNELS = (
    Rule(0, 4, table=255, protocol=2),
    Rule(32766, 4, table=254, protocol=2),
    Rule(32767, 4, table=253, protocol=2),
)


def host(*rows: Row, link: Link | None = None) -> State:
    """A host with the rules that each has, these rows, and a device."""
    state = State()
    link = link or Link("", "v1", "veth", {"admin_state": "up", "master": "br0"})
    state.put(link)
    for row in (*KERNELS, *rows):
        state.rows[row.key("", link.name)] = row
    return state


def commands(current: State, kind: Any, /, **options: Any) -> list[str]:
    """What it takes; and that nothing is left to do afterwards, and that undoing it leads back."""
    want = row_want(kind, options)
    found = plan(current, (want,))
    assert plan(found.after, (want,)).steps == ()
    after = found.after.copy()
    for step in reversed(found.steps):
        for operation in step.undo:
            operation.simulate(after)
    before = {key: row for key, row in current.rows.items() if row}
    assert {key: row for key, row in after.rows.items() if row} == before
    return found.commands


# --- routes -----------------------------------------------------------------------------------------------------------

NET = "10.9.0.0/16"
ON_LINK = Route(NET, 4, device="v1", scope=253)
NEAR = Route(NET, 4, gateway="fe80::1", device="v1")
WAYS = Route(NET, 4, nexthops=(("10.0.0.9", "v1", 1), ("fe80::1", "v1", 1)))
BEYOND = Route(NET, 4, gateway="10.0.0.9", device="v1")
WAY = BEYOND._replace(rest=((route_metrics.RTA_METRICS, route_metrics.changed(b"", {"mtu": 1400, "mtu_lock": True})),))


@pytest.mark.parametrize(
    ("there", "options", "expected"),
    [
        (None, {"device": "v1", "mtu": 1400}, ["add 10.9.0.0/16 dev v1 mtu 1400"]),
        (
            None,
            {"gateway": "10.0.0.9", "mtu": 1400, "mtu_lock": True, "congctl": "bbr", "rto_min": 0.05, "quickack": True},
            ["add 10.9.0.0/16 via 10.0.0.9 mtu lock 1400 rto_min 50 quickack 1 congctl bbr"],
        ),
        (WAY, {"mtu": 1400}, []),
        (WAY, {"device": "v1", "hoplimit": 0, "quickack": False, "congctl": "", "rto_min": 0}, []),
        (WAY, {"mtu": 1300}, ["replace 10.9.0.0/16 via 10.0.0.9 dev v1 mtu lock 1300"]),
        (WAY, {"mtu_lock": False}, ["replace 10.9.0.0/16 via 10.0.0.9 dev v1 mtu 1400"]),
        (WAY, {"mtu": 0}, ["replace 10.9.0.0/16 via 10.0.0.9 dev v1"]),
        (WAY, {"gateway": "10.0.0.8"}, ["replace 10.9.0.0/16 via 10.0.0.8 mtu lock 1400"]),
        (WAY, {"type": "blackhole"}, ["replace blackhole 10.9.0.0/16 mtu lock 1400"]),
        (WAY, {"state": "absent", "mtu": 1300}, []),
        (WAY, {"state": "absent", "mtu": 1400}, ["delete 10.9.0.0/16 via 10.0.0.9 dev v1 mtu lock 1400"]),
        (BEYOND, {"gateway": "10.0.0.9", "device": ""}, []),
        (BEYOND, {"gateway": "10.0.0.8", "device": ""}, ["replace 10.9.0.0/16 via 10.0.0.8"]),
        (WAY, {"device": "", "mtu": 1300}, ["replace 10.9.0.0/16 via 10.0.0.9 dev v1 mtu lock 1300"]),
        (ON_LINK, {"device": ""}, []),
        (BEYOND, {"state": "absent", "device": ""}, ["delete 10.9.0.0/16 via 10.0.0.9 dev v1"]),
        (NEAR, {"gateway": "fe80::1"}, []),
        (NEAR, {"gateway": "fe80::1", "mtu": 1400}, ["replace 10.9.0.0/16 via inet6 fe80::1 dev v1 mtu 1400"]),
        (
            WAYS,
            {"nexthops": [{"gateway": "fe80::1"}, {"gateway": "10.0.0.9"}], "mtu": 1400},
            [
                "replace 10.9.0.0/16 mtu 1400 nexthop via 10.0.0.9 dev v1 weight 1 nexthop via inet6 fe80::1 dev v1 weight 1"
            ],
        ),
        (None, {"gateway": "fe80::1", "device": "v1"}, ["add 10.9.0.0/16 via inet6 fe80::1 dev v1"]),
        (
            None,
            {"nexthops": [{"gateway": "fe80::1", "device": "v1"}, {"gateway": "10.0.0.9"}]},
            ["add 10.9.0.0/16 nexthop via 10.0.0.9 weight 1 nexthop via inet6 fe80::1 dev v1 weight 1"],
        ),
        (ON_LINK, {"scope": "link"}, []),
        (ON_LINK, {"scope": "global"}, ["replace 10.9.0.0/16 dev v1 scope global"]),
        (ON_LINK._replace(scope=0), {"source": "10.0.0.1"}, ["replace 10.9.0.0/16 dev v1 src 10.0.0.1 scope global"]),
        (ON_LINK._replace(scope=0), {"scope": "host"}, ["replace 10.9.0.0/16 dev v1 scope host"]),
        (ON_LINK._replace(scope=254), {"gateway": "10.0.0.9"}, ["replace 10.9.0.0/16 via 10.0.0.9"]),
        (BEYOND._replace(scope=200), {"gateway": "10.0.0.8"}, ["replace 10.9.0.0/16 via 10.0.0.8 scope site"]),
        (BEYOND._replace(scope=200), {"gateway": "", "device": "v1"}, ["replace 10.9.0.0/16 dev v1"]),
        (BEYOND._replace(nexthop_id=9), {"mtu": 1400}, ["replace 10.9.0.0/16 nhid 9 mtu 1400"]),
        (BEYOND._replace(nexthop_id=9), {"gateway": "10.0.0.8"}, ["replace 10.9.0.0/16 via 10.0.0.8"]),
    ],
)
def test_what_becomes_of_a_route(there: Route | None, options: dict[str, Any], expected: list[str]) -> None:
    found = commands(host(*([there] if there else [])), ROUTE, destination=NET, **options)
    assert [command.removeprefix("ip route ") for command in found] == expected


def test_absent_with_any_device_is_also_of_what_is_kept_with_one() -> None:
    kept = {"destination": NET, "gateway": "10.0.0.9", "device": "v1"}
    assert ROUTE.covers({"destination": NET, "device": ""}, kept)
    assert not ROUTE.covers({"destination": NET, "device": "v2"}, kept)


def test_the_default_routes_of_both_families() -> None:
    assert commands(host(), ROUTE, destination="default", gateway="fe80::1", device="v1") == [
        "ip -6 route add default via fe80::1 dev v1 metric 1024"
    ]
    assert commands(host(), ROUTE, destination="0.0.0.0/0", gateway="fe80::1", device="v1") == [
        "ip route add default via inet6 fe80::1 dev v1"
    ]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"destination": NET, "gateway": "10.0.0.9", "scope": "link"}, "scope: .*10.0.0.9.*'link'"),
        (
            {"destination": NET, "nexthops": [{"gateway": "10.0.0.8"}, {"gateway": "10.0.0.9"}], "scope": "host"},
            "scope",
        ),
        ({"destination": "2001:db8::/32", "device": "v1", "scope": "link"}, "scope: a route of IPv6"),
        ({"destination": "2001:db8::/32", "gateway": "10.0.0.9"}, "destination: .*mix"),
        ({"destination": "default", "gateway": "fe80::1", "source": "10.0.0.1"}, "destination: .*0.0.0.0/0"),
        ({"destination": NET, "gateway": "fe80::1", "source": "2001:db8::1"}, "destination: .*mix"),
        ({"destination": NET, "device": "v1", "mtu_lock": True}, "mtu_lock: without 'mtu'"),
        ({"destination": NET, "device": "v1", "mtu": 0, "mtu_lock": True}, "mtu_lock: without 'mtu'"),
        ({"destination": "default", "gateway": "fe80::1"}, "device: .*fe80::1 is a link-local"),
        ({"destination": NET, "gateway": "febf::1"}, "device: .*febf::1 is a link-local"),
        ({"destination": NET, "nexthops": []}, "^nexthops: an empty list says nothing: omit it$"),
        ({"destination": NET, "nexthops": [{"gateway": "10.0.0.9"}]}, "^nexthops: one next hop alone is written as"),
        (
            {"destination": NET, "nexthops": [{"gateway": "10.0.0.9"}, {"gateway": "fe80::1"}]},
            "nexthops: .*fe80::1 is a link-local",
        ),
    ],
)
def test_a_route_that_cannot_be(options: dict[str, Any], says: str) -> None:
    with pytest.raises(Refused, match=says):
        plan(host(), (row_want(ROUTE, options),))


PATHS = st.fixed_dictionaries(
    {},
    optional={
        **{name: st.integers(0, 255) for name in ("mtu", "advmss", "hoplimit", "initcwnd", "initrwnd")},
        "rto_min": st.integers(0, 9999).map(lambda number: number / 1000),
        **{name: st.booleans() for name in ("quickack", "mtu_lock")},
        "congctl": st.sampled_from(["", "bbr", "reno"]),
    },
)


@given(PATHS, PATHS)
def test_what_is_written_of_the_way_is_read_again(first: dict[str, Any], then: dict[str, Any]) -> None:
    content = route_metrics.changed(route_metrics.changed(b"", first), then)
    assert route_metrics.read(content) == {**route_metrics.read(b""), **first, **then}
    assert route_metrics.changed(content, dict.fromkeys(route_metrics.TYPES, 0) | {"congctl": ""}) == b""


def test_what_no_option_is_about_stays_as_it_is() -> None:
    message = rtmsg()
    message["family"] = 2
    of_way = [("RTAX_LOCK", 1 << 7), ("RTAX_CWND", 9), ("RTAX_MTU", 1400), ("RTAX_RTO_MIN", 50)]
    message["attrs"] = [("RTA_METRICS", {"attrs": of_way})]
    message.encode()
    ((_number, content),) = rest_of(bytes(message.data), 28, (route_metrics.RTA_METRICS,))
    found = route_metrics.read(content)
    # The kernel looks at an RTO only where that is locked.
    assert {name: value for name, value in found.items() if value} == {"mtu": 1400}
    message = rtmsg(extended(route_message({"family": 2}, []), ((8, route_metrics.changed(content, {"mtu": 9000})),)))
    message.decode()
    assert dict(message.get_attr("RTA_METRICS")["attrs"]) == {**dict(of_way), "RTAX_MTU": 9000}


# --- rules ------------------------------------------------------------------------------------------------------------


def test_a_rule_without_a_priority_comes_where_the_kernel_would_have_it() -> None:
    assert commands(host(), RULE, table="7", fwmark="16") == ["ip rule add priority 32765 fwmark 0x10 table 7"]
    first = Rule(100, 4, source="10.0.0.0/8", table=7)
    assert commands(host(first), RULE, table=7, iif="x") == ["ip rule add priority 99 iif x table 7"]
    assert commands(host(Rule(100, 6, iif="x", table=7)), RULE, table=7, iif="x") == [
        "ip rule add priority 32765 iif x table 7"
    ]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"from": "10.0.0.0/8", "table": 7}, []),
        ({"from": "10.0.0.0/8"}, []),
        ({"from": "10.0.0.0/8", "table": 8, "priority": 100}, ["add priority 100 from 10.0.0.0/8 table 8"]),
        ({"from": "10.0.0.0/8", "table": 8, "priority": 99}, ["add priority 99 from 10.0.0.0/8 table 8"]),
        ({"priority": 100, "table": 8}, ["add priority 100 table 8"]),
        ({"priority": 32766, "table": "main"}, []),
        ({"priority": 32766, "table": 8}, ["add priority 32766 table 8"]),
        ({"state": "absent", "priority": 100}, ["delete priority 100 from 10.0.0.0/8 table 7"]),
        ({"state": "absent", "from": "10.0.0.0/8"}, ["delete priority 100 from 10.0.0.0/8 table 7"]),
        ({"state": "absent", "table": 7}, ["delete priority 100 from 10.0.0.0/8 table 7"]),
        ({"state": "absent", "table": "main"}, []),
        ({"state": "absent", "priority": 32766}, ["delete priority 32766 table 254"]),
        ({"from": "10.0.0.0/8", "action": "lookup", "not": False, "suppress_prefixlength": ""}, []),
        ({"from": "10.0.0.0/8", "action": "prohibit"}, ["add priority 100 from 10.0.0.0/8 prohibit"]),
        (
            {"from": "10.0.0.0/8", "suppress_prefixlength": 0},
            ["add priority 100 from 10.0.0.0/8 table 7 suppress_prefixlength 0"],
        ),
        ({"from": "10.0.0.0/8", "not": True, "table": 7}, ["add not priority 99 from 10.0.0.0/8 table 7"]),
        ({"state": "absent", "table": 7, "ipproto": "tcp"}, []),
        ({"state": "absent", "from": "10.0.0.0/8", "iif": "x"}, []),
        ({"state": "absent", "from": "10.0.0.0/8", "table": 8}, []),
    ],
)
def test_which_rule_is_meant(options: dict[str, Any], expected: list[str]) -> None:
    found = commands(host(Rule(100, 4, source="10.0.0.0/8", table=7)), RULE, **options)
    assert [command.split(" && ")[0].replace("ip rule ", "") for command in found] == expected


def test_the_table_that_is_there_already_is_the_one_that_is_meant() -> None:
    rules = [Rule(100, 4, iif="x", table=table) for table in (7, 8)]
    assert commands(host(*rules), RULE, iif="x", table=8) == []
    assert len(commands(host(*rules), RULE, iif="x", state="absent")) == 2


def test_a_rule_comes_before_one_with_more_to_it_than_options() -> None:
    other = Rule(100, 4, action=BEYOND_OPTIONS)
    assert commands(host(other), RULE, table=7, iif="x") == ["ip rule add priority 99 iif x table 7"]
    assert commands(host(other), RULE, priority=100, state="absent") == []
    assert commands(host(other), RULE, priority=100, table=7) == ["ip rule add priority 100 table 7"]


def test_a_rule_is_not_taken_for_one_that_has_more() -> None:
    more, less = Rule(100, 4, source="10.0.0.0/8", iif="x", table=7), Rule(100, 4, source="10.0.0.0/8", table=7)
    most = more._replace(ipproto="tcp")
    added, deleted = "ip rule add priority 100 from 10.0.0.0/8", "ip rule delete priority 100 from 10.0.0.0/8"
    gone = {"priority": 100, "from": "10.0.0.0/8", "iif": "", "state": "absent"}
    assert commands(host(less, more), RULE, **gone) == [f"{deleted} table 7"]
    assert commands(host(more, most, less), RULE, **gone) == [
        f"{deleted} iif x ipproto tcp table 7",
        f"{deleted} iif x table 7",
        f"{deleted} table 7",
        f"{added} iif x table 7",
        f"{added} iif x ipproto tcp table 7",
    ]
    # Without that, all of them are meant.
    all_gone = {**gone, "iif": "x", "from": "10.0.0.0/8"}
    assert commands(host(more, most, less), RULE, **all_gone) == [
        f"{deleted} iif x ipproto tcp table 7",
        f"{deleted} iif x table 7",
    ]
    # Others are none of its business.
    others = [more._replace(table=8), more._replace(priority=99), more._replace(action="prohibit", table=0)]
    assert commands(host(*others, less), RULE, **gone) == [f"{deleted} table 7"]
    # One that is made comes after them, and so is what is undone.
    found = plan(host(more), (row_want(RULE, {"priority": 100, "from": "10.0.0.0/8", "table": 7}),))
    assert [operation.command() for operation in found.steps[0].undo] == [
        f"{deleted} iif x table 7",
        f"{deleted} table 7",
        f"{added} iif x table 7",
    ]
    assert commands(host(more, less), RULE, priority=100, table=8, **{"from": "10.0.0.0/8"}) == [
        f"{added} table 8",
        f"{deleted} iif x table 7",
        f"{deleted} table 7",
        f"{added} iif x table 7",
    ]


def test_a_rule_needs_a_table() -> None:
    with pytest.raises(Refused, match=r"^rules\[0\]: table: there is no rule priority 5 iif x, and to make it"):
        plan(host(), (row_want(RULE, {"priority": 5, "iif": "x"}, "rules[0]"),))


def test_a_rule_that_is_there_needs_a_table_to_look_somewhere_up() -> None:
    want = row_want(RULE, {"priority": 50, "action": "lookup"})
    with pytest.raises(Refused, match=r"^table: a rule that looks somewhere up needs one$"):
        plan(host(Rule(50, 4, action="blackhole")), (want,))
    with pytest.raises(Refused, match=r"^table: there is no rule priority 50, and to make it this option is needed$"):
        plan(host(), (want,))


# --- neighbors and FDB entries ----------------------------------------------------------------------------------------


def test_neighbors() -> None:
    assert commands(host(), NEIGHBOR, device="v1", address="10.0.0.9", mac=MAC) == [
        f"ip neighbor replace 10.0.0.9 lladdr {MAC} dev v1 nud permanent"
    ]
    there = host(Neighbor("10.0.0.9", MAC))
    assert commands(there, NEIGHBOR, device="v1", address="10.0.0.9") == []
    assert commands(there, NEIGHBOR, device="v1", address="10.0.0.9", state="absent") == [
        "ip neighbor delete 10.0.0.9 dev v1"
    ]


def test_a_proxy_is_an_entry_of_its_own() -> None:
    there = host(Neighbor("10.0.0.9", MAC))
    proxy = {"device": "v1", "address": "10.0.0.9", "proxy": True}
    assert commands(there, NEIGHBOR, **proxy) == ["ip neighbor replace proxy 10.0.0.9 dev v1"]
    both = host(Neighbor("10.0.0.9", MAC), Neighbor("10.0.0.9", flags=NTF_PROXY))
    assert commands(both, NEIGHBOR, **proxy) == []
    assert commands(both, NEIGHBOR, **proxy, state="absent") == ["ip neighbor delete proxy 10.0.0.9 dev v1"]
    assert commands(both, NEIGHBOR, device="v1", address="10.0.0.9", state="absent") == [
        "ip neighbor delete 10.0.0.9 dev v1"
    ]
    with pytest.raises(Refused, match=r"^mac: with 'proxy' the device answers for 10\.0\.0\.9 with its own"):
        row_want(NEIGHBOR, {**proxy, "mac": MAC})


@pytest.mark.parametrize(
    "link", [Link("", "v1", "loopback", {"admin_state": "up"}), Link("", "v1", "tun", {"mode": "tun"})]
)
def test_what_carries_no_frames_has_no_neighbors(link: Link) -> None:
    want = row_want(NEIGHBOR, {"device": "v1", "address": "10.0.0.9", "mac": MAC}, "neighbors[0]")
    with pytest.raises(
        Refused, match=r"^neighbors\[0\]: device: v1 carries no Ethernet frames, and so has no neighbors$"
    ):
        plan(host(link=link), (want,))


PORT, OVERLAY, SIX = (
    Link("", "v1", "veth", {"master": "br0"}),
    Link("", "v1", "vxlan", {"vni": 5, "local": "10.0.0.1"}),
    Link("", "v1", "vxlan", {"external": True, "local": "2001:db8::1"}),
)


@pytest.mark.parametrize(
    ("link", "options", "said"),
    [
        (PORT, {"mac": "01:00:5e:00:00:01"}, "mac: 01:00:5e:00:00:01 is a group's, and a bridge's FDB has single"),
        (PORT, {"mac": "00:00:00:00:00:00"}, "mac: 00:00:00:00:00:00 stands for no device"),
        (
            replace(PORT, attrs={**PORT.attrs, "mac": MAC}),
            {},
            f"mac: {MAC} is v1's own, and what is for that the host takes itself: it needs no entry",
        ),
        (replace(PORT, attrs={**PORT.attrs, "mac": MAC}), {"sticky": True}, f"mac: {MAC} is v1's own"),
        (PORT, {"src_vni": 5}, "dst: there is no FDB entry for .* with 'src_vni' this option is needed"),
        (
            replace(OVERLAY, attrs={**OVERLAY.attrs, "master": "br0", "mac": MAC}),
            {"master": True},
            f"mac: {MAC} is v1's own",
        ),
        (OVERLAY, {"dst": "2001:db8::9"}, "dst: 2001:db8::9 is not of IPv4, which v1 speaks"),
        (OVERLAY, {"dst": "10.0.0.9", "src_vni": 6}, "src_vni: v1 is not 'external'"),
        (SIX, {"dst": "10.0.0.9", "src_vni": 6}, "dst: 10.0.0.9 is not of IPv6, which v1 speaks"),
    ],
)
def test_entries_that_no_fdb_has(link: Link, options: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused, match=f"^{said}"):
        plan(host(link=link), (row_want(FDB, {"device": "v1", "mac": MAC, **options}),))


def test_vxlan_keeps_an_entry_for_its_own_mac() -> None:
    link = replace(OVERLAY, attrs={**OVERLAY.attrs, "mac": MAC})
    asked = {"device": "v1", "mac": MAC, "dst": "10.0.0.9"}
    assert commands(host(link=link), FDB, **asked) == [f"bridge fdb replace {MAC} dev v1 dst 10.0.0.9"]
    assert commands(host(Fdb(MAC, "10.0.0.9"), link=link), FDB, **asked) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"tos": 3}, "tos: 0x3 has bits of 0x3, which are those of ECN"),
        ({"sport": "http"}, "sport: 'http' is neither a number nor a range"),
        ({"uidrange": -1}, "uidrange: -1 is neither a number nor a range"),
        ({"dport": "10-"}, "dport: '10-' is neither a number nor a range"),
    ],
)
def test_what_no_rule_is_about(options: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused, match=f"^{said}"):
        row_want(RULE, {"table": 7, **options})


def test_a_bridges_fdb_and_a_vxlan_devices_own() -> None:
    assert commands(host(), FDB, device="v1", mac=MAC, vlan=7) == [
        f"bridge fdb replace {MAC} dev v1 vlan 7 master static"
    ]
    overlay = Link("", "v1", "vxlan", {"admin_state": "up", "master": "br0"})
    assert commands(host(link=overlay), FDB, device="v1", mac=MAC) == [f"bridge fdb replace {MAC} dev v1 master static"]
    assert commands(host(link=overlay), FDB, device="v1", mac=MAC, dst="10.0.0.1") == [
        f"bridge fdb replace {MAC} dev v1 dst 10.0.0.1"
    ]
    both = host(Fdb(MAC, "10.0.0.1"), Fdb(MAC, master=True, state=STATIC), link=overlay)
    assert commands(both, FDB, device="v1", mac=MAC, dst="10.0.0.2", vni=5) == [
        f"bridge fdb replace {MAC} dev v1 dst 10.0.0.2 vni 5"
    ]
    assert len(commands(both, FDB, device="v1", mac=MAC, state="absent")) == 2


def test_a_topology_may_have_entries_of_one_mac_in_a_vlan_and_in_a_vni() -> None:
    link = Link("", "v1", "vxlan", {"external": True, "master": "br0"})
    entries = ({"dst": "10.0.0.1", "src_vni": 4001}, {"vlan": 220}, {"master": True})
    wants = tuple(row_want(FDB, {"device": "v1", "mac": MAC, **entry}) for entry in entries)
    made = plan(host(link=link), wants, Topology("lab"))
    assert len([command for command in made.commands if command.startswith("bridge fdb replace")]) == 3
    assert plan(made.after, wants, Topology("lab")).commands == []
    gone = plan(made.after, (), Topology("lab", absent=True))
    assert len([command for command in gone.commands if command.startswith("bridge fdb delete")]) == 3


def test_an_entry_of_a_bridge_moves_to_another_port() -> None:
    state = host(Fdb(MAC, master=True, state=STATIC))
    for name, bridge in (("v2", "br0"), ("v3", "br1")):
        state.put(Link("", name, "veth", {"admin_state": "up", "master": bridge}))
    elsewhere = Fdb(MAC, master=True, state=STATIC)
    state.rows[elsewhere.key("", "v3")] = elsewhere
    commands(state, FDB, device="v2", mac=MAC)
    after = plan(state, (row_want(FDB, {"device": "v2", "mac": MAC}),)).after
    assert {key[2] for key, row in after.rows.items() if key[0] == "fdb" and row} == {"v2", "v3"}


def test_what_hangs_on_a_device_goes_with_it() -> None:
    neighbors = (Neighbor("10.0.0.9", MAC), Neighbor("2001:db8::9", MAC))
    link = Link("", "v1", "veth", {"admin_state": "up", "mtu": 1500}, (Addr("10.0.0.1/24"),), neighbors=neighbors)
    for operation, left in (
        (LinkSet("", "v1", "veth", {"admin_state": "down"}), ()),
        (LinkSet("", "v1", "veth", {"mac": MAC}), ()),
        (LinkSet("", "v1", "veth", {"mtu": 1000}), neighbors[:1]),
        (LinkSet("", "v1", "veth", {"alias": "x"}), neighbors),
        (AddressDelete("", "v1", link.addresses[0]), neighbors[1:]),
        (LinkDelete("", "v1", "veth"), ()),
    ):
        state = host(*neighbors, link=link)
        back = operation.inverse(state)
        operation.simulate(state)
        after = state.link(link.key)
        assert (after.neighbors if after else ()) == left
        assert {row for row in state.rows.values() if isinstance(row, Neighbor)} == set(left)
        for step in back:
            step.simulate(state)
        again = state.link(link.key)
        assert again is not None
        assert set(again.neighbors) == set(neighbors)


# --- topologies -------------------------------------------------------------------------------------------------------


def test_a_topology_takes_away_the_rows_that_it_made_and_no_others() -> None:
    lab = Topology("lab")
    wants = tuple(row_want(RULE, {"priority": number, "table": 7}) for number in (1, 2))
    used = host(Rule(1, 4, table=7))
    made = plan(used, wants, lab).after
    assert Record.read(made.text(lab.record)).rows == [["rule", "", 2, 4, *[""] * 11, 7, "lookup", ""]]
    gone = plan(made, (), Topology("lab", absent=True))
    assert [command for command in gone.commands if "rule" in command] == ["ip rule delete priority 2 table 7"]


def test_a_changed_row_stays_the_topologys_own() -> None:
    lab = Topology("lab")
    made = plan(host(), (row_want(RULE, {"priority": 2, "table": 7}),), lab).after
    changed = plan(made, (row_want(RULE, {"priority": 2, "table": 8}),), lab).after
    assert Record.read(changed.text(lab.record)).rows == [["rule", "", 2, 4, *[""] * 11, 8, "lookup", ""]]


def test_a_route_of_some_packets_is_not_the_one_of_all() -> None:
    some = BEYOND._replace(tos=16)
    assert some.key("") != BEYOND.key("")
    assert some.text().startswith(f"{NET} tos 0x10 via")
