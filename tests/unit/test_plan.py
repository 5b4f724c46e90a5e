# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for every plan, whatever the host and whatever is asked for."""

from __future__ import annotations

import contextlib
import copy
from dataclasses import replace

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils import diff
from ansible_collections.linuxnet.vnet.plugins.module_utils.desired import link_want
from ansible_collections.linuxnet.vnet.plugins.module_utils.errors import Refused
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.bridge import BRIDGE
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.link import LINK
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.macvlan import MACVLAN
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.veth import VETH
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.vxlan import VXLAN
from ansible_collections.linuxnet.vnet.plugins.module_utils.plan import Plan, plan
from ansible_collections.linuxnet.vnet.plugins.module_utils.rows import ALL_ZEROS, STATIC, Fdb
from ansible_collections.linuxnet.vnet.plugins.module_utils.state import Link, State
from ansible_collections.linuxnet.vnet.plugins.module_utils.topology import topology_wants
from ansible_collections.linuxnet.vnet.tests.unit.hosts import (
    Simulation,
    comparable,
    hosts,
    settled,
)
from ansible_collections.linuxnet.vnet.tests.unit.strategies import (
    Task,
    examples,
    single_tasks,
    tasks,
    wild_tasks,
)
from hypothesis import assume, event, given
from hypothesis import strategies as st

sound_tasks = st.one_of(single_tasks(), tasks())


def planned(host: State, task: Task) -> Plan:
    """The plan, of tasks that are not refused."""
    try:
        found = plan(host, task)
    except Refused:
        event("refused")
        assume(False)
        raise
    event(f"{min(len(found.steps), 5)} steps or more")
    return found


@examples(80)
@given(hosts(), sound_tasks)
def test_what_was_planned_satisfies_what_was_asked_for(host: State, task: Task) -> None:
    first = planned(host, task)
    assert plan(first.after, task).commands == []


@examples(80)
@given(hosts(), sound_tasks)
def test_a_second_run_finds_nothing_to_do_on_what_the_kernel_then_tells(host: State, task: Task) -> None:
    first = planned(host, task)
    assert plan(settled(first.after), task).commands == []


@examples(80)
@given(hosts(), wild_tasks())
def test_after_is_before_with_the_operations_done(host: State, task: Task) -> None:
    found = planned(host, task)
    kernel = Simulation(found.before)
    for step in found.steps:
        kernel.carry_out(step.operation)
    assert comparable(kernel.state) == comparable(found.after)


@examples(80)
@given(hosts(), st.one_of(sound_tasks, wild_tasks()), st.data())
def test_undoing_restores_the_host_wherever_it_stopped(host: State, task: Task, data: st.DataObject) -> None:
    found = planned(host, task)
    assume(not found.missing)  # what refers to what isn't there is refused when it is no check run
    done = data.draw(st.integers(0, len(found.steps)), label="operations done")
    kernel = Simulation(found.before)
    for step in found.steps[:done]:
        kernel.carry_out(step.operation)
    for step in reversed(found.steps[:done]):
        for operation in step.undo:
            kernel.carry_out(operation)
    # A device that is made anew is told nothing that it would have anyway.
    assert comparable(settled(kernel.state)) == comparable(settled(found.before))


@examples(80)
@given(hosts(), sound_tasks)
def test_operations_and_diff_are_empty_exactly_when_nothing_changes(host: State, task: Task) -> None:
    found = planned(host, task)
    diff = found.diff()
    assert len(found.commands) == len(found.steps)
    if found.steps:
        assert diff["before"] != diff["after"]
        assert comparable(found.before) != comparable(found.after)
    else:
        assert diff == {"before": {}, "after": {}}
        assert comparable(found.before) == comparable(found.after)


@examples(80)
@given(hosts(), wild_tasks())
def test_a_plan_is_found_or_refused_in_one_sentence(host: State, task: Task) -> None:
    try:
        found = plan(host, task)
    except Refused as exc:
        sentences = [str(exc)]
    else:
        sentences = [*found.missing, *found.commands]
    for sentence in sentences:
        assert sentence
        assert "\n" not in sentence
        assert not sentence.endswith(".")
        assert "None" not in sentence
        assert "  " not in sentence


@examples(80)
@given(hosts(), wild_tasks())
def test_planning_changes_nothing_of_what_it_is_given(host: State, task: Task) -> None:
    before, asked = copy.deepcopy(host), repr(task)
    with contextlib.suppress(Refused):
        plan(host, task)
    assert host == before
    assert repr(task) == asked


def test_in_passthru_mode_a_macvlan_and_its_parent_have_one_mac() -> None:
    parent = {"name": "p", "mac": "02:00:00:00:00:01", "peer": {"name": "q", "mac": "02:00:00:00:00:02"}}
    upper = {"name": "m", "parent": "p", "mode": "passthru"}
    elsewhere = {**upper, "netns": "n", "link_netns": ""}
    for macvlan, other in (
        (upper, "02:00:00:00:00:01"),
        ({**upper, "parent": "q"}, "02:00:00:00:00:02"),
        (elsewhere, "02:00:00:00:00:01"),
    ):
        host = {"name": "t", "namespaces": [{"name": "n"}], "veths": [parent]}
        wants = topology_wants({**host, "macvlans": [{**macvlan, "mac": "02:00:00:00:00:03"}]})[1]
        said = (
            rf"^macvlans\[0\]: mac: in this mode it is that of {macvlan['parent']}, and in veths\[0\] that is {other}$"
        )
        with pytest.raises(Refused, match=said):
            plan(State(), wants)
        for same in ({**macvlan, "mac": other}, {**macvlan, "mode": "bridge", "mac": "02:00:00:00:00:03"}, macvlan):
            assert plan(State(), topology_wants({**host, "macvlans": [same]})[1]).steps


def test_where_a_new_device_shall_stand_has_to_be_said_where_the_old_one_leads_nowhere_known() -> None:
    host = plan(
        State(),
        (link_want(VETH, {"name": "p", "peer": {"name": "q"}}), link_want(MACVLAN, {"name": "m", "parent": "p"})),
    ).after
    old = host.links["", "m"]
    assert old
    host.put(replace(old, attrs={**old.attrs, "link_netns": None, "parent": ""}))
    anew = {"name": "m", "parent": "q", "recreate": True}
    with pytest.raises(
        Refused, match=r"^recreate: what m stands on is in a network namespace that has no name .* 'link_netns'"
    ):
        plan(host, (link_want(MACVLAN, anew),))
    assert plan(host, (link_want(MACVLAN, {**anew, "link_netns": ""}),)).steps


def test_a_diff_has_no_sysctl_of_a_device_that_went() -> None:
    name, value = "net.ipv4.conf.eth0/20.forwarding", "net.ipv4.ip_forward"
    before = State(links={("", "eth0.20"): Link("", "eth0.20", "vlan")}, sysctls={("", name): "1", ("", value): "1"})
    after = State(links={("", "eth0.20"): None}, sysctls={("", name): "0", ("", value): "0"})
    assert diff.half(before, after, {})["sysctls"] == {name: "1", value: "1"}
    assert diff.half(after, before, {})["sysctls"] == {value: "0"}


FOUR = {"local": "10.0.0.1", "remote": "10.0.0.9", "group": ""}
SIX = {"local": "fd00::1", "remote": "fd00::9", "group": ""}


@pytest.mark.parametrize(
    ("found", "asked", "said"),
    [
        (FOUR, {"local": "fd00::1", "remote": "fd00::9"}, "local, remote: the kernel can't change this on vx"),
        (SIX, {"local": "", "group": "239.1.1.1", "dev": "v"}, "local, group: the kernel can't change this on vx"),
        (
            {},
            {"remote": "fd00::9"},
            r"remote: the kernel can't change this on vx, which is there \(remote is not set\)",
        ),
        (FOUR, {"remote": "fd00::9"}, "remote: fd00::9 is IPv6 and local 10.0.0.1 is IPv4: a VXLAN device speaks one"),
        (SIX, {"local": "10.0.0.1"}, "local: 10.0.0.1 is IPv4 and remote fd00::9 is IPv6: a VXLAN device speaks one"),
        (
            SIX,
            {"remotes": ["10.0.0.9"]},
            "remotes: 10.0.0.9 is IPv4 and local fd00::1 is IPv6: a VXLAN device speaks one",
        ),
    ],
)
def test_no_vxlan_device_goes_from_one_address_family_to_the_other(
    found: dict[str, str], asked: dict[str, str], said: str
) -> None:
    host = State(links={("", "vx"): Link("", "vx", "vxlan", {"vni": 5, **found}), ("", "v"): Link("", "v", "veth")})
    with pytest.raises(Refused, match=f"^{said}"):
        plan(host, (link_want(VXLAN, {"name": "vx", **asked}),))


def test_a_vxlan_device_made_anew_in_the_other_address_family_keeps_what_has_none() -> None:
    of_port = Fdb("02:00:00:00:00:02", master=True, state=STATIC)
    fdb = (Fdb(ALL_ZEROS, "10.0.0.8"), Fdb("02:00:00:00:00:01", "10.0.0.9"), of_port)
    old = Link("", "vx", "vxlan", {"vni": 5, "dev": "v", "mtu": 1450, **FOUR}, fdb=fdb)
    host = State(links={old.key: old, ("", "v"): Link("", "v", "veth", {"mtu": 1500})})
    want = link_want(VXLAN, {"name": "vx", "local": "fd00::1", "remote": "", "remotes": ["fd00::8"], "recreate": True})
    anew = plan(host, (want,)).after.links["", "vx"]
    assert anew
    assert (anew.get("local"), anew.get("remote"), anew.get("mtu")) == ("fd00::1", None, None)
    assert set(anew.fdb) == {of_port, Fdb(ALL_ZEROS, "fd00::8")}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"mtu": 1400}, ["ip link set dev nic mtu 1400", "ip link set dev nic up"]),
        ({"netns": "n"}, ["ip link set dev nic netns n", "ip -n n link set dev nic up"]),
        ({"netns": "n", "from_netns": "n"}, ["ip -n n link set dev nic up"]),
        ({"addresses": ["10.0.0.1/24"]}, ["ip address add 10.0.0.1/24 dev nic", "ip link set dev nic up"]),
        ({"state": "absent"}, []),
    ],
)
def test_what_is_asked_of_a_device_that_is_not_there_yet_is_foretold(
    asked: dict[str, object], expected: list[str]
) -> None:
    found = plan(State(namespaces={"n": {}}), (link_want(LINK, {"name": "nic", **asked}),))
    assert found.commands == expected
    assert bool(found.missing) == bool(expected)


def test_an_alternative_name_is_no_other_device_s() -> None:
    host = State()
    host.put(Link("", "br0", "bridge", {"altnames": ("lan",)}))
    host.put(Link("n", "br2", "bridge", {"altnames": ("elsewhere",)}))
    host.namespaces["n"] = {}
    for name, what in (("br0", "the name of another device"), ("lan", "an alternative name of br0")):
        with pytest.raises(Refused, match=f"^altnames: '{name}' is {what}, and so is taken$"):
            plan(host, (link_want(BRIDGE, {"name": "br1", "altnames": [name]}),))
    assert plan(host, (link_want(BRIDGE, {"name": "br1", "altnames": ["br2", "elsewhere"]}),)).steps


@pytest.mark.parametrize("kind", ["bridge", "vrf"])
def test_what_stays_in_its_namespace_is_not_moved(kind: str) -> None:
    host = State(namespaces={"n": {}})
    host.put(Link("", "stays", kind, {"admin_state": "up"}))
    with pytest.raises(Refused, match=f"^netns: stays is a {kind}, and the kernel moves none to another"):
        plan(host, (link_want(LINK, {"name": "stays", "netns": "n"}),))
    assert plan(host, (link_want(LINK, {"name": "stays", "mtu": 1400}),)).steps


@pytest.mark.parametrize(
    ("entries", "where"),
    [
        ({"bridges": [{"name": "b", "ports": ["v"]}]}, "bridges"),
        ({"bridges": [{"name": "b"}], "links": [{"name": "v", "master": "b"}]}, "links"),
    ],
)
@pytest.mark.parametrize(("plural", "kind"), [("macvlans", "macvlan"), ("ipvlans", "ipvlan")])
def test_what_carries_a_macvlan_is_no_port_of_a_bridge(
    entries: dict[str, list[dict[str, object]]], where: str, plural: str, kind: str
) -> None:
    host = State(links={("", "v"): Link("", "v", "")})
    _topology, wants = topology_wants({"name": "t", **entries, plural: [{"name": "m", "parent": "v"}]})
    with pytest.raises(
        Refused, match=rf"^{where}\[0\]: .*: v is the parent of m, and a {kind} device takes its frames"
    ):
        plan(host, wants)
    _topology, wants = topology_wants({"name": "t", **entries, plural: [{"name": "m", "parent": "b"}]})
    assert plan(host, wants).steps


def test_a_namespace_that_is_not_there_yet_will_have_a_loopback_device_of_its_own() -> None:
    host = State()
    host.put(Link("", "lo", "loopback", {"admin_state": "up"}))
    found = plan(host, (link_want(LINK, {"name": "lo", "netns": "n"}),))
    assert found.commands == ["ip -n n link set dev lo up"]
    assert found.missing[0].startswith("netns: there is no network namespace 'n'")
