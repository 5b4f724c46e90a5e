# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Open vSwitch bridges without Open vSwitch: options, the database's words, the plan, and what ovs-vsctl says."""

from __future__ import annotations

import json
import signal
import subprocess
from typing import Any

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils import ovs
from ansible_collections.linuxnet.vnet.plugins.module_utils.apply import Applier
from ansible_collections.linuxnet.vnet.plugins.module_utils.desired import LinkWant, link_want, ovs_want
from ansible_collections.linuxnet.vnet.plugins.module_utils.errors import Refused, Unfinished
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.link import LINK
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.veth import VETH
from ansible_collections.linuxnet.vnet.plugins.module_utils.merging import merged
from ansible_collections.linuxnet.vnet.plugins.module_utils.operations import Operation
from ansible_collections.linuxnet.vnet.plugins.module_utils.ovs_operations import OvsReplace
from ansible_collections.linuxnet.vnet.plugins.module_utils.ovs_table import (
    TABLES,
    OvsBridge,
    OvsInterface,
    OvsPort,
    bridges_of,
    documents,
    fresh,
    replacing,
    written,
)
from ansible_collections.linuxnet.vnet.plugins.module_utils.persist import Document, Entry
from ansible_collections.linuxnet.vnet.plugins.module_utils.plan import Plan, plan
from ansible_collections.linuxnet.vnet.plugins.module_utils.state import Addr, Link, State
from ansible_collections.linuxnet.vnet.plugins.module_utils.topology import topology_wants

UP = {"admin_state": "up", "mtu": 1500, "alias": "", "master": ""}


def port(name: str, tag: int | str = "", trunks: tuple[int, ...] = (), type_: str = "system") -> OvsPort:
    return OvsPort(name, tag, trunks, (OvsInterface(name, type_),))


def host(*bridges: OvsBridge, devices: tuple[str, ...] = ("eth1", "eth2")) -> State:
    """A host with these bridges and what they made, and some devices."""
    state = State(ovs={bridge.name: bridge for bridge in bridges}, datapath_types=("netdev", "system"))
    for name in devices:
        state.put(Link("", name, "veth", UP))
    for bridge in bridges:
        for name in bridge.devices:
            state.put(
                Link("", name, "openvswitch", UP, addresses=(Addr("192.0.2.1/24"),) if name == bridge.name else ())
            )
    return state


def planned(found: State, **entry: Any) -> Plan:
    return plan(found, (ovs_want({"name": "br0", **entry}),))


# -- options -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"name": "a b"}, "name: "),
        ({"name": "x" * 16}, "name: "),
        ({"ports": [{"tag": 7}]}, "ports: entry 0: name: it is needed"),
        ({"ports": ["eth1"]}, "ports: entry 0: 'eth1' is not a dictionary"),
        ({"ports": [{"name": "br0"}]}, "ports: br0 is the bridge itself"),
        ({"ports": [{"name": "eth1"}, {"name": "eth1"}]}, "ports: entry 1: name: eth1 is listed twice"),
        ({"ports": [{"name": "eth1", "tag": 4096}]}, "ports: entry 0: tag: 4096 is not between 0 and 4095"),
        ({"ports": [{"name": "eth1", "tag": "ten"}]}, "ports: entry 0: tag: 'ten' is not a whole number"),
        ({"ports": [{"name": "eth1", "trunks": ["9-8"]}]}, "ports: entry 0: trunks: the range 9-8 is empty, write 8-9"),
        ({"ports": [{"name": "eth1", "tag": 7, "trunks": [8]}]}, "ports: entry 0: trunks: eth1 has a 'tag'"),
        (
            {"ports": [{"name": "eth1", "type": "lacp"}]},
            "ports: entry 0: type: 'lacp' is not one of system, internal",
        ),
        (
            {"ports": [{"name": "eth1", "type": "vxlan"}]},
            "ports: entry 0: options: eth1 is of type vxlan, which needs 'remote_ip'",
        ),
        ({"controller": ["192.0.2.1"]}, "controller: '192.0.2.1' is not a controller such as tcp:192.0.2.1:6653"),
        ({"controller": ["tcp:"]}, "controller: 'tcp:' is not"),
        ({"controller": ["unix:/a b"]}, "controller: "),
        ({"fail_mode": "open"}, "fail_mode: 'open' is not one of standalone, secure"),
        ({"datapath_type": "a b"}, "datapath_type: 'a b' is not a kind of datapath"),
    ],
)
def test_bad_input_is_one_sentence(entry: dict[str, Any], says: str) -> None:
    with pytest.raises(Refused) as refused:
        ovs_want({"name": "br0", **entry})
    assert says in str(refused.value)


@pytest.mark.parametrize(
    "target", ["tcp:192.0.2.1", "ssl:[2001:db8::1]:6653", "ptcp:6653", "pssl:", "unix:/run/x", "punix:/run/x"]
)
def test_controllers(target: str) -> None:
    assert ovs_want({"name": "br0", "controller": [target, target]}).options["controller"] == (target,)


# -- the database ------------------------------------------------------------------------------------------------------

FULL = OvsBridge(
    "br0",
    (
        OvsPort("bond0", "", (), (OvsInterface("eth3"), OvsInterface("eth4")), ('bond_mode="balance-slb"',)),
        OvsPort("eth1", 7, (), (OvsInterface("eth1", "system", ("mtu_request=1400",)),), ('vlan_mode="access"',)),
        port("int0", "", (8, 9), "internal"),
    ),
    "netdev",
    "secure",
    ("ptcp:6653", "tcp:192.0.2.1:6653"),
    "vnet_topology:t",
    ('external_ids={"a b"="c,d"}', "stp_enable=true"),
    OvsPort("br0", 5, (), (OvsInterface("br0", "internal"),)),
)


def table(*rows: dict[str, Any]) -> dict[str, Any]:
    """A table as ovs-vsctl lists it."""
    headings = sorted({column for row in rows for column in row})
    return {"headings": headings, "data": [[row[column] for column in headings] for row in rows]}


def interface(name: str, type_: str = "", **columns: Any) -> dict[str, Any]:
    usual = {"type": type_, "mtu_request": ["set", []], "external_ids": ["map", []], "error": ["set", []], "ofport": 1}
    return {"_uuid": ["uuid", f"i-{name}"], "name": name, **usual, **columns}


def port_row(name: str, *members: str, **columns: Any) -> dict[str, Any]:
    usual = {"tag": ["set", []], "trunks": ["set", []], "bond_mode": ["set", []], "vlan_mode": ["set", []]}
    references = [["uuid", f"i-{member}"] for member in members or (name,)]
    return {
        "_uuid": ["uuid", f"p-{name}"],
        "name": name,
        "bond_downdelay": 0,
        "bond_fake_iface": False,
        "interfaces": references[0] if len(references) == 1 else ["set", references],
        **usual,
        **columns,
    }


def listing() -> str:
    """What ovs-vsctl prints of a database with FULL in it."""
    ports = ["bond0", "br0", "eth1", "int0"]
    bridge = {
        "_uuid": ["uuid", "b"],
        "name": "br0",
        "ports": ["set", [["uuid", f"p-{name}"] for name in ports]],
        "controller": ["set", [["uuid", "c1"], ["uuid", "c2"]]],
        "datapath_type": "netdev",
        "fail_mode": "secure",
        "external_ids": ["map", [["a b", "c,d"], ["vnet_owner", "vnet_topology:t"]]],
        "stp_enable": True,
        "rstp_enable": False,
        "flood_vlans": ["set", []],
    }
    tables = [
        table({"_uuid": ["uuid", "o"], "datapath_types": ["set", ["system", "netdev"]]}),
        table(bridge),
        table(
            port_row("bond0", "eth3", "eth4", bond_mode="balance-slb"),
            port_row("br0", tag=5),
            port_row("eth1", tag=7, vlan_mode="access"),
            port_row("int0", trunks=["set", [9, 8]]),
        ),
        table(
            *(interface(name) for name in ("eth3", "eth4")),
            *(interface(name, "internal") for name in ("br0", "int0")),
            interface("eth1", mtu_request=1400),
        ),
        table(
            {"_uuid": ["uuid", "c1"], "target": "tcp:192.0.2.1:6653"}, {"_uuid": ["uuid", "c2"], "target": "ptcp:6653"}
        ),
    ]
    return "\n".join(map(json.dumps, tables))


def test_the_database_is_read_as_values() -> None:
    assert bridges_of(documents(listing())) == ({"br0": FULL}, ("netdev", "system"))


def test_an_empty_database() -> None:
    empty: dict[str, Any] = {"headings": [], "data": []}
    assert bridges_of([table({"_uuid": ["uuid", "o"]}), *[empty] * 4]) == ({}, ())


def test_values_as_ovs_vsctl_takes_them() -> None:
    assert written({"b": 'say "x"', "a": ""}) == '{"a"="","b"="say \\"x\\""}'
    assert written([9, 10]) == "[10,9]"
    assert written(True) == "true"


def test_all_of_a_bridge_is_put_back() -> None:
    words = [" ".join(command) for command in replacing(FULL, None)]
    assert words == [
        "add-br br0",
        'set Bridge br0 datapath_type=netdev fail_mode=secure external_ids={"a b"="c,d"} stp_enable=true external_ids:vnet_owner="vnet_topology:t"',
        "set-controller br0 ptcp:6653 tcp:192.0.2.1:6653",
        'add-bond br0 bond0 eth3 eth4 bond_mode="balance-slb"',
        'add-port br0 eth1 tag=7 vlan_mode="access"',
        "set Interface eth1 mtu_request=1400",
        "add-port br0 int0 trunks=8,9",
        "set Interface int0 type=internal",
        "set Port br0 tag=5",
    ]


def test_what_is_shown_makes_the_same() -> None:
    plain = OvsBridge(
        "br0", (port("eth1", 7), port("int0", "", (8, 9), "internal")), "netdev", "secure", ("ptcp:6653",)
    )
    state = host(devices=("eth1",))
    made = plan(state, (ovs_want(plain.entry()),)).after.ovs["br0"]
    assert made == plain


# -- the plan ----------------------------------------------------------------------------------------------------------


def test_a_new_bridge_is_one_transaction() -> None:
    found = planned(
        host(), datapath_type="netdev", ports=[{"name": "eth2", "tag": "7"}, {"name": "int0", "type": "internal"}]
    )
    (command,) = found.commands
    assert command.split(" -- ") == [
        "ovs-vsctl add-br br0",
        "set Bridge br0 datapath_type=netdev",
        "add-port br0 eth2 tag=7",
        "add-port br0 int0",
        "set Interface int0 type=internal",
    ]
    assert found.diff()["before"] == {}
    assert found.diff()["after"]["ovs_bridges"]["br0"]["ports"][0] == {"name": "eth2", "type": "system", "tag": 7}
    assert found.steps[0].undo[0].command() == "ovs-vsctl del-br br0"


THERE = OvsBridge("br0", (port("eth1", 7), port("eth2", "", (8, 9))), "system", "secure", ("ptcp:6653",))


@pytest.mark.parametrize(
    ("entry", "command"),
    [
        ({}, ""),
        ({"ports": [{"name": "eth2"}, {"name": "eth1"}]}, ""),
        ({"ports": [{"name": "eth2", "trunks": ["8-9"]}, {"name": "eth1", "tag": 7}]}, ""),
        ({"ports": [{"name": "eth2"}], "append": True}, ""),
        ({"controller": ["ptcp:6653"], "fail_mode": "secure", "datapath_type": "system"}, ""),
        ({"ports": []}, "del-port br0 eth1 -- del-port br0 eth2"),
        ({"ports": [{"name": "eth2"}]}, "del-port br0 eth1"),
        ({"ports": [{"name": "eth1", "tag": ""}], "append": True}, "clear Port eth1 tag"),
        ({"ports": [{"name": "eth1", "trunks": [5]}], "append": True}, "set Port eth1 trunks=5 -- clear Port eth1 tag"),
        ({"ports": [{"name": "eth2", "tag": 8}], "append": True}, "set Port eth2 tag=8 -- clear Port eth2 trunks"),
        (
            {"ports": [{"name": "new", "type": "internal"}], "append": True},
            "add-port br0 new -- set Interface new type=internal",
        ),
        ({"fail_mode": ""}, "clear Bridge br0 fail_mode"),
        ({"fail_mode": "standalone"}, "set Bridge br0 fail_mode=standalone"),
        ({"controller": []}, "del-controller br0"),
        ({"controller": ["tcp:x"], "append": True}, "set-controller br0 ptcp:6653 tcp:x"),
        ({"state": "absent"}, "del-br br0"),
    ],
)
def test_only_what_differs(entry: dict[str, Any], command: str) -> None:
    found = planned(host(THERE), **entry)
    assert found.commands == ([f"ovs-vsctl {command}"] if command else [])
    if found.commands and entry.get("state") != "absent":
        assert plan(found.after, (ovs_want({"name": "br0", **entry}),)).commands == []


def test_undoing_leads_back() -> None:
    found = planned(host(THERE), ports=[{"name": "eth1", "trunks": [5]}], fail_mode="", controller=["tcp:x"])
    (back,) = found.steps[0].undo
    assert isinstance(back, OvsReplace)
    state = found.after.copy()
    back.simulate(state)
    assert state.ovs["br0"] == THERE


def test_a_deleted_bridge_comes_back_with_the_address_of_its_device() -> None:
    undo = planned(host(THERE), state="absent").steps[0].undo
    assert [operation.command() for operation in undo[1:]] == [
        "ip link set dev br0 up",
        "ip address add 192.0.2.1/24 dev br0",
    ]


def test_a_port_is_taken_from_the_bridge_that_has_it() -> None:
    other = OvsBridge("br1", (port("eth1"),))
    found = planned(host(other), ports=[{"name": "eth1"}])
    assert found.commands == ["ovs-vsctl del-port br1 eth1", "ovs-vsctl add-br br0 -- add-port br0 eth1"]


@pytest.mark.parametrize(
    ("state", "entry", "says"),
    [
        (host(THERE), {"datapath_type": "netdev"}, "datapath_type: br0 has the datapath system"),
        (
            host(),
            {"datapath_type": "dpdk"},
            "datapath_type: the Open vSwitch of this host has no dpdk, but there is netdev, system",
        ),
        (
            State(datapath_types=("netdev",)),
            {},
            "datapath_type: the running kernel has no module openvswitch and so no system, but there is netdev",
        ),
        (host(devices=("br0",)), {}, "name: br0 is there already, and is no Open vSwitch bridge but a veth"),
        (host(OvsBridge("br1", (port("br0"),))), {}, "name: br0 is a port of the Open vSwitch bridge br1"),
        (host(), {"ports": [{"name": "eth1", "type": "internal"}]}, "ports: there is a device eth1 already"),
    ],
)
def test_what_can_not_be(state: State, entry: dict[str, Any], says: str) -> None:
    with pytest.raises(Refused) as refused:
        planned(state, **entry)
    assert says in str(refused.value)


def test_ports_that_are_no_devices() -> None:
    far = {"name": "far0", "type": "vxlan", "options": {"remote_ip": "2001:db8::2", "key": 5, "csum": True}}
    asked = planned(host(THERE), ports=[far], append=True)
    assert asked.commands == [
        "ovs-vsctl add-port br0 far0 -- set Interface far0 type=vxlan options:csum=true options:key=5 'options:remote_ip=\"2001:db8::2\"'"
    ]
    assert planned(asked.after, ports=[far], append=True).commands == []
    assert planned(asked.after, ports=[{"name": "far0"}], append=True).commands == []
    assert planned(asked.after, ports=[{"name": "far0", "options": {}}], append=True).commands == [
        "ovs-vsctl remove Interface far0 options csum key remote_ip"
    ]
    bridge = asked.after.ovs["br0"]
    assert bridge
    assert next(port for port in bridge.entry()["ports"] if port["name"] == "far0") == {
        "name": "far0",
        "type": "vxlan",
        "options": {"csum": "true", "key": "5", "remote_ip": "2001:db8::2"},
    }


def test_only_devices_have_to_be_set_up_at_once() -> None:
    patch = OvsPort("to-br1", interfaces=(OvsInterface("to-br1", "patch", (), (("peer", "to-br0"),)),))
    assert fresh(OvsBridge("br0", (port("eth1"), patch)), None) == ("br0", "eth1")
    assert fresh(OvsBridge("br0", (port("eth1"), patch)), OvsBridge("br0", (patch,))) == ("eth1",)


def test_a_missing_device_is_named() -> None:
    assert planned(host(), ports=[{"name": "gone"}]).missing == ("ports: there is no device 'gone'",)


def test_a_port_is_no_master() -> None:
    with pytest.raises(Refused, match="br0 is an Open vSwitch bridge, whose 'ports' list it"):
        plan(host(THERE), (link_want(LINK, {"name": "eth2", "master": "br0"}),))


# -- topologies --------------------------------------------------------------------------------------------------------


def of_topology(found: State, **params: Any) -> Plan:
    topology, wants = topology_wants({"name": "t", **params})
    for want in wants:
        if isinstance(want, LinkWant):
            found.links.setdefault(want.key, None)
    return plan(found, wants, topology)


def test_links_can_be_about_what_the_bridge_brings() -> None:
    state = host(devices=())
    state.links.update({("", "br0"): None, ("", "v0"): None, ("", "v0-far"): None})
    found = of_topology(
        state,
        ovs_bridges=[{"name": "br0", "ports": [{"name": "v0", "tag": 7}]}],
        veths=[{"name": "v0", "peer": {"name": "v0-far"}}],
        links=[{"name": "br0", "addresses": ["192.0.2.1/24"]}],
    )
    assert not found.missing
    mark = 'external_ids:vnet_owner="vnet_topology:t"'
    assert f"ovs-vsctl add-br br0 -- set Bridge br0 '{mark}'" in found.commands
    order = [command for command in found.commands if "br0" in command]
    assert order[1:] == [
        "ovs-vsctl add-port br0 v0 tag=7",
        "ip address add 192.0.2.1/24 dev br0",
        "ip link set dev br0 up",
    ]


def test_pruning_takes_the_own_and_no_others() -> None:
    own = OvsBridge("br0", owner="vnet_topology:t")
    others = (OvsBridge("br1"), OvsBridge("br2", owner="vnet_topology:u"))
    assert of_topology(host(own, *others)).commands == ["ovs-vsctl del-br br0"]
    assert of_topology(host(own, *others), state="absent").commands == ["ovs-vsctl del-br br0"]
    assert of_topology(host(own, *others), prune=False).commands == []


def test_what_others_made_is_refused_or_adopted() -> None:
    entry = [{"name": "br0", "fail_mode": "secure"}]
    with pytest.raises(Refused, match="belongs to the topology u"):
        of_topology(host(OvsBridge("br0", owner="vnet_topology:u")), ovs_bridges=entry)
    with pytest.raises(Refused, match="set 'adopt: true' to take it over"):
        of_topology(host(OvsBridge("br0")), ovs_bridges=entry)
    assert of_topology(host(OvsBridge("br0", fail_mode="secure")), ovs_bridges=entry).commands == []
    adopted = of_topology(host(OvsBridge("br0", fail_mode="secure")), ovs_bridges=entry, adopt=True)
    assert adopted.commands == ["ovs-vsctl set Bridge br0 'external_ids:vnet_owner=\"vnet_topology:t\"'"]


def test_a_device_is_a_port_of_one_bridge_only() -> None:
    with pytest.raises(Refused, match=r"v0 is to be a port of br1, and in .* of br0"):
        topology_wants(
            {
                "name": "t",
                "ovs_bridges": [{"name": "br0", "ports": [{"name": "v0"}]}, {"name": "br1", "ports": [{"name": "v0"}]}],
            }
        )
    with pytest.raises(Refused, match="v0 is to be a port of "):
        topology_wants(
            {
                "name": "t",
                "ovs_bridges": [{"name": "br0", "ports": [{"name": "v0"}]}],
                "veths": [{"name": "v0", "master": "br1", "peer": {"name": "v1"}}],
            }
        )
    assert VETH.plural == "veths"


# -- what is kept ------------------------------------------------------------------------------------------------------


def test_ports_are_kept_by_their_names() -> None:
    want = ovs_want({"name": "br0"})
    old = Document(
        "vnet_ovs_bridge", {"name": "br0", "ports": [{"name": "eth1", "tag": "7"}, {"name": "int0"}]}
    ).written()
    ports = [{"name": "eth1", "tag": "8"}, {"name": "eth2"}, {"name": "to-br1", "trunks": ["5"]}]
    said = Document("vnet_ovs_bridge", {"name": "br0"}, {"ports": ports})
    patch = OvsPort("to-br1", interfaces=(OvsInterface("to-br1", "patch", (), (("peer", "to-br0"),)),))
    bridge = OvsBridge("br0", (port("int0", type_="internal"), port("eth1"), patch), "netdev")
    new = merged(Entry("/etc/vnet/conf.d/ovs_bridge-br0.json", said, adds=True, want=want), old, bridge)
    assert new.options == {
        "name": "br0",
        "datapath_type": "netdev",
        "ports": [
            {"name": "eth1", "tag": "8"},
            {"name": "int0", "type": "internal"},
            {"name": "eth2"},
            {"name": "to-br1", "type": "patch", "options": {"peer": "to-br0"}, "trunks": ["5"]},
        ],
    }


# -- ovs-vsctl ---------------------------------------------------------------------------------------------------------


def answering(monkeypatch: pytest.MonkeyPatch, *answers: tuple[int, str, str]) -> list[list[str]]:
    """Let ovs-vsctl give these answers, (exit code, stdout, stderr) of each, the last one for ever; return what it is asked."""
    asked: list[list[str]] = []

    def run(words: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        asked.append(words[1:])
        code, out, err = answers[min(len(asked), len(answers)) - 1]
        return subprocess.CompletedProcess(words, code, out, err)

    monkeypatch.setattr(ovs, "program", lambda: "/usr/bin/ovs-vsctl")
    monkeypatch.setattr(subprocess, "run", run)
    return asked


NOBODY = "ovs-vsctl: unix:/var/run/openvswitch/db.sock: database connection failed (No such file or directory)\n"


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, (1, "", NOBODY))
    with pytest.raises(Refused, match=r"database connection failed.*: start Open vSwitch"):
        ovs.read()
    monkeypatch.setattr(ovs, "program", lambda: None)
    with pytest.raises(Refused, match=r"no 'ovs-vsctl'.*install its package openvswitch"):
        ovs.read()


def test_reading_is_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answering(monkeypatch, (0, listing(), ""))
    assert ovs.read()[0] == {"br0": FULL}
    (words,) = asked
    assert [words[place + 1] for place, word in enumerate(words) if word == "list"] == list(TABLES)


def test_what_open_vswitch_can_not_set_up_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    row = table(interface("br0"), interface("eth1", error="could not add eth1 (Device or resource busy)", ofport=-1))
    asked = answering(monkeypatch, (0, "", ""), (0, json.dumps(row), ""))
    with pytest.raises(Unfinished, match="can't set up eth1: could not add eth1"):
        ovs.replace(OvsBridge("br0", (port("eth1"),)), None)
    assert asked[1][-3:] == ["Interface", "br0", "eth1"]


def test_a_switch_that_does_not_follow_is_not_waited_for_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answering(monkeypatch, (-signal.SIGALRM, "", "terminating with signal 14"), (0, "", ""))
    applier = Applier(Forgetful())  # type: ignore[arg-type]  # of a host it needs no more
    operation: Operation = OvsReplace(OvsBridge("br0"))
    with pytest.raises(Unfinished, match="is it running"):
        applier.carry_out(operation)
    (undo,) = operation.inverse(State())
    applier.carry_out(undo)
    assert ["--no-wait" in words for words in asked] == [False, True]


class Forgetful:
    """A host of which nothing is remembered."""

    def forget(self) -> None:
        """Forget nothing."""


def test_a_refused_transaction_is_said_in_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(
        monkeypatch, (1, "", "ovs-vsctl: constraint violation: 5000 is not in the valid range 0 to 4095 (inclusive)\n")
    )
    with pytest.raises(Refused, match="ovs-vsctl says 'constraint violation: 5000 is not in the valid range"):
        ovs.delete("br0")
