# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What bridges are told of their ports: VLANs in ranges, flags, and what becomes of them when a port leaves."""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils.desired import Want, link_want, port_want
from ansible_collections.linuxnet.vnet.plugins.module_utils.errors import Refused
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.bridge import BRIDGE
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.bridge_port import Vlans, spans, vlans_shown
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.veth import VETH
from ansible_collections.linuxnet.vnet.plugins.module_utils.link_operations import LinkSet
from ansible_collections.linuxnet.vnet.plugins.module_utils.netlink import port_message
from ansible_collections.linuxnet.vnet.plugins.module_utils.plan import plan
from ansible_collections.linuxnet.vnet.plugins.module_utils.state import Link, State, Vlan
from ansible_collections.linuxnet.vnet.plugins.module_utils.topology import Topology, topology_wants
from ansible_collections.linuxnet.vnet.plugins.module_utils.wire import attributes
from ansible_collections.linuxnet.vnet.tests.unit.strategies import examples
from hypothesis import given
from hypothesis import strategies as st

VLANS = st.dictionaries(st.integers(1, 12), st.booleans(), max_size=12)


def vlans_of(untagged: dict[int, bool], pvid: int) -> tuple[Vlan, ...]:
    return tuple(Vlan(vid, vid == pvid, flag) for vid, flag in sorted(untagged.items()))


def host(vlans: tuple[Vlan, ...] = (Vlan(1, pvid=True, untagged=True),), port: dict[str, Any] | None = None) -> State:
    """A bridge with a port."""
    state = State()
    state.put(Link("", "br0", "bridge", {"admin_state": "up", "master": ""}))
    attrs = {"admin_state": "up", "master": "br0", "num_tx_queues": 1}
    state.put(Link("", "p1", "veth", attrs, vlans=vlans, port=port or {}, peer=("", "q1")))
    state.put(Link("", "q1", "veth", {"admin_state": "up", "master": ""}, peer=("", "p1")))
    return state


def port_of(state: State) -> Link:
    port = state.link(("", "p1"))
    assert port is not None
    return port


def undone(state: State, *options: dict[str, Any]) -> list[str]:
    """What it takes; and that nothing is left to do afterwards, and that undoing it leads back."""
    wants = tuple(port_want({"name": "p1", **given_options}) for given_options in options)
    found = plan(state, wants)
    assert plan(found.after, wants).steps == ()
    after = found.after.copy()
    for step in reversed(found.steps):
        for operation in step.undo:
            operation.simulate(after)
    port, before = port_of(after), port_of(state)
    assert port.vlans == before.vlans
    assert {**before.port, **port.port} == {**port.port, **before.port}
    return found.commands


TUNNELS = st.dictionaries(st.integers(1, 12), st.integers(1, 20), max_size=12)


@examples(200)
@given(VLANS, TUNNELS, VLANS, TUNNELS, st.booleans(), st.sampled_from([None, True, False]))
def test_any_tunnels_become_any_others_and_back(
    had: dict[int, bool],
    through: dict[int, int],
    wanted: dict[int, bool],
    new_through: dict[int, int],
    append: bool,
    on: bool | None,
) -> None:
    state = host(
        tuple(vlan._replace(tunnel_id=through.get(vlan.vid, 0)) for vlan in vlans_of(had, 0)), {"vlan_tunnel": True}
    )
    if on is False:
        new_through = {}
    asked = tuple(vlan._replace(tunnel_id=new_through.get(vlan.vid, 0)) for vlan in vlans_of(wanted, 0))
    options = {"vlans": vlans_shown(asked), "append": append, **({} if on is None else {"vlan_tunnel": on})}
    undone(state, options)
    after = port_of(plan(state, (port_want({"name": "p1", **options}),)).after)
    assert {vlan for vlan in after.vlans if vlan.vid in wanted} == set(asked)
    if on is False:
        assert not any(vlan.tunnel_id for vlan in after.vlans)


def test_tunnels_take_few_requests_and_go_with_the_flag() -> None:
    vlans = [{"vid": "10-19", "tunnel_id": "110-119"}, {"vid": "20", "tunnel_id": "5"}]
    found = undone(host((), {"vlan_tunnel": False}), {"vlan_tunnel": True, "vlans": vlans})
    assert found == [
        "bridge link set dev p1 vlan_tunnel on",
        "bridge vlan add dev p1 vid 10-20",
        "bridge vlan add dev p1 vid 10-19 tunnel_info id 110-119",
        "bridge vlan add dev p1 vid 20 tunnel_info id 5",
    ]
    state = host((Vlan(10, tunnel_id=110), Vlan(11, tunnel_id=111)), {"vlan_tunnel": True})
    assert undone(state, {"vlan_tunnel": False}) == ["bridge link set dev p1 vlan_tunnel off"]
    off = plan(state, (port_want({"name": "p1", "vlan_tunnel": False}),))
    back = [operation.command() for step in off.steps for operation in step.undo]
    assert back == ["bridge link set dev p1 vlan_tunnel on", "bridge vlan add dev p1 vid 10-11 tunnel_info id 110-111"]
    with pytest.raises(Refused, match="tunnel_id"):
        plan(host(), (port_want({"name": "p1", "vlans": vlans}),))


@examples(200)
@given(VLANS, st.integers(0, 12), VLANS, st.integers(0, 12), st.booleans())
def test_any_vlans_become_any_others_and_back(
    had: dict[int, bool], pvid: int, wanted: dict[int, bool], new_pvid: int, append: bool
) -> None:
    state = host(vlans_of(had, pvid))
    listed = [{"vid": vlan.vid, "pvid": vlan.pvid, "untagged": vlan.untagged} for vlan in vlans_of(wanted, new_pvid)]
    undone(state, {"vlans": listed, "append": append})
    after = port_of(plan(state, (port_want({"name": "p1", "vlans": listed, "append": append}),)).after)
    kept = [vlan.vid for vlan in vlans_of(had, pvid)] if append else []
    assert {vlan.vid for vlan in after.vlans} == {*wanted, *kept}
    assert sum(vlan.pvid for vlan in after.vlans) <= 1


@examples(100)
@given(VLANS, st.integers(0, 12))
def test_what_is_shown_can_be_asked_for(untagged: dict[int, bool], pvid: int) -> None:
    vlans = vlans_of(untagged, pvid)
    assert Vlans().parse(vlans_shown(vlans)) == vlans
    assert sum(last - first.vid + 1 for first, last in spans(vlans)) == len(vlans)


def test_ranges_take_few_requests() -> None:
    assert undone(host(), {"vlans": [{"vid": "1-4094"}]}) == ["bridge vlan add dev p1 vid 1-4094"]
    assert undone(host(), {"vlans": []}) == ["bridge vlan delete dev p1 vid 1"]


@pytest.mark.parametrize(
    ("port", "options", "said"),
    [
        ({}, {"mab": True}, "mab: a port with 'mab' has to be 'locked' and to have 'learning', and p1 would not"),
        ({}, {"mab": True, "locked": True, "learning": False}, "mab: "),
        ({"mab": True, "locked": True}, {"locked": False}, "locked: "),
    ],
)
def test_mac_authentication_bypass_takes_a_locked_port(
    port: dict[str, Any], options: dict[str, Any], said: str
) -> None:
    with pytest.raises(Refused, match=f"^{said}"):
        plan(host(port=port), (port_want({"name": "p1", **options}),))
    assert undone(host(), {"mab": True, "locked": True}) == ["bridge link set dev p1 locked on mab on"]


def test_flags_are_set_together_and_put_back() -> None:
    found = undone(host(port={"isolated": False, "cost": 2}), {"isolated": True, "learning": True, "cost": 5})
    assert found == ["bridge link set dev p1 isolated on cost 5"]


def test_a_port_that_leaves_forgets_and_undoing_tells_it_again() -> None:
    state = host((Vlan(20), Vlan(21)), {"hairpin": True, "learning": True, "cost": 100})
    leaving = LinkSet("", "p1", "veth", {"master": ""})
    back = [operation.command() for operation in leaving.inverse(state)]
    assert back == [
        "ip link set dev p1 master br0",
        "bridge vlan add dev p1 vid 20-21",
        "bridge vlan delete dev p1 vid 1",
        "bridge link set dev p1 hairpin on",
    ]
    leaving.simulate(state)
    assert (port_of(state).vlans, port_of(state).port) == ((), {})


def test_a_port_made_anew_is_told_again() -> None:
    state = host((Vlan(20), Vlan(21)), {"hairpin": True})
    want = link_want(VETH, {"name": "p1", "num_tx_queues": 3, "recreate": True})
    found = plan(state, (want,)).commands
    assert "bridge vlan add dev p1 vid 20-21" in found
    assert "bridge link set dev p1 hairpin on" in found


def test_what_a_device_made_anew_has_as_before_is_no_difference() -> None:
    state = host((Vlan(20), Vlan(21)), {"hairpin": True, "isolated": False, "cost": 2})
    port = port_of(state)
    state.put(port.having(num_rx_queues=1, link_group=0, mtu=1500))
    want = link_want(VETH, {"name": "p1", "num_tx_queues": 3, "recreate": True})
    diff = plan(state, (want,)).diff()
    before, after = diff["before"]["links"]["p1"], diff["after"]["links"]["p1"]
    assert {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)} == {"num_tx_queues"}
    assert diff["before"].keys() == diff["after"].keys() == {"links"}


def test_a_port_that_joins_in_the_same_run_has_the_bridges_vlan_first() -> None:
    state = host()
    state.put(replace(port_of(state), attrs={"admin_state": "up", "master": ""}, vlans=()))
    wants = (link_want(VETH, {"name": "p1", "master": "br0"}), port_want({"name": "p1", "vlans": [{"vid": 20}]}))
    assert [command for command in plan(state, wants).commands if "vlan" in command] == [
        "bridge vlan delete dev p1 vid 1",
        "bridge vlan add dev p1 vid 20",
    ]


def test_what_is_no_port_is_said() -> None:
    found = plan(host(), (port_want({"name": "q1", "isolated": True}), port_want({"name": "p9", "isolated": True})))
    assert [sentence.split(",")[0] for sentence in found.missing] == [
        "name: q1 is no port of a bridge",
        "name: there is no device p9",
    ]
    with pytest.raises(Refused, match="isolated: br0 is a bridge and no port"):
        plan(host(), (port_want({"name": "br0", "isolated": True}),))


def test_a_topology_puts_back_what_was_unless_somebody_has_changed_it() -> None:
    lab = Topology("lab")
    state = host(port={"isolated": False, "hairpin": False, "cost": 9})
    want = port_want({"name": "p1", "isolated": True, "hairpin": True, "cost": 9, "vlans": [{"vid": 7}]})
    made = plan(state, (want,), lab).after
    made.put(replace(port_of(made), port={**port_of(made).port, "hairpin": False}))
    gone = plan(made, (), Topology("lab", absent=True))
    assert [command for command in gone.commands if command.startswith("bridge")] == [
        "bridge link set dev p1 isolated off",
        "bridge vlan delete dev p1 vid 7",
        "bridge vlan add dev p1 vid 1 pvid untagged",
    ]


def test_a_topology_tells_nothing_of_its_own_ports_that_go() -> None:
    lab = Topology("lab")
    pair = {"name": "v1", "master": "br0", "peer": {"name": "v2"}}
    wants = (link_want(VETH, pair), port_want({"name": "v1", "isolated": True}))
    made = plan(host(), wants, lab).after
    gone = plan(made, (), Topology("lab", absent=True)).commands
    assert [command for command in gone if "v1" in command] == ["ip link delete dev v1 type veth"]


def test_the_request_is_laid_out_as_the_kernel_has_it() -> None:
    message = port_message(7, {4: 1, 3: 100, 2: 5})
    assert struct.unpack_from("=I", message)[0] == len(message)
    assert message[16] == 7  # AF_BRIDGE
    ((number, nested),) = attributes(message, 32)
    assert number == 12
    assert list(attributes(nested)) == [(4, b"\1"), (3, struct.pack("=I", 100)), (2, struct.pack("=H", 5))]


def test_of_an_uplink_a_bridge_is_told_when_it_has_joined() -> None:
    state = State()
    state.put(Link("", "eth0", "veth", {"admin_state": "up", "master": ""}))
    wants = (
        link_want(BRIDGE, {"name": "br0", "uplink": "eth0", "vlan_filtering": True}),
        port_want({"name": "eth0", "vlans": [{"vid": 1, "pvid": True, "untagged": True}, {"vid": 20}]}),
    )
    found = plan(state, wants)
    assert found.missing == ()
    told = found.commands.index("bridge vlan add dev eth0 vid 20")
    assert found.commands.index("ip link set dev eth0 master br0") < told
    assert plan(found.after, wants).commands == []


def many_ports(number: int, *, bridge: bool) -> tuple[Topology, tuple[Want, ...]]:
    """A topology of so many ports of a bridge, which is listed, too, or is somebody else's."""
    names = [f"v{x}" for x in range(number)]
    bridges = [{"name": "br0", "mac": "02:00:00:00:00:01"}] if bridge else []
    veths = [{"name": name, "master": "br0", "peer": {"name": f"p{name}"}} for name in names]
    return topology_wants({"name": "t", "bridges": bridges, "veths": veths})


@pytest.mark.parametrize("listed", [True, False])
def test_the_kernel_has_numbers_for_1023_ports_of_a_bridge_and_the_plan_knows(listed: bool) -> None:
    state = State(links={} if listed else {("", "br0"): Link("", "br0", "bridge", {"admin_state": "up"})})
    topology, wants = many_ports(1023, bridge=listed)
    assert len(plan(state, wants, topology).after.ports(("", "br0"))) == 1023
    topology, wants = many_ports(1024, bridge=listed)
    with pytest.raises(Refused) as caught:
        plan(state, wants, topology)
    where = "bridges[0]: " if listed else ""
    assert str(caught.value) == f"{where}br0 would have 1024 ports, and a bridge has at most 1023"


def test_what_bridge_has_no_word_for_is_told_by_ip() -> None:
    assert undone(host(), {"proxy_arp": True}) == ["ip link set dev p1 type bridge_slave proxy_arp on"]
    assert undone(host(), {"proxy_arp_wifi": True, "hairpin": True}) == [
        "bridge link set dev p1 hairpin on && ip link set dev p1 type bridge_slave proxy_arp_wifi on"
    ]
