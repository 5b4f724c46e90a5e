# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Single tasks on the real kernel, as users found them to fail: the check run promises what the run does, and a second one has nothing to do."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils import engine
from ansible_collections.linuxnet.vnet.plugins.module_utils.desired import link_want, row_want
from ansible_collections.linuxnet.vnet.plugins.module_utils.errors import Refused
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.macvlan import MACVLAN
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.rule import RULE
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.veth import VETH
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.vxlan import VXLAN
from ansible_collections.linuxnet.vnet.plugins.module_utils.topology import topology_wants
from ansible_collections.linuxnet.vnet.tests.unit.kernel.throwaway_kernel import ip, needs_root, on_a_new_host

if TYPE_CHECKING:
    from ansible_collections.linuxnet.vnet.plugins.module_utils.desired import Want

pytestmark = needs_root

HOST = (
    "netns add web",
    "link add br0 type bridge",
    "link add br1 type bridge",
    "-n web link add brw type bridge",
    "link add v0 type veth peer name eth0 netns web",
    "link add mv link br0 netns web address 02:00:00:00:00:09 type macvlan mode bridge",
)


def carried_out(want: Want, expected: list[str]) -> None:
    for command in HOST:
        ip("", *command.split())
    promised = engine.run((want,), check=True)
    assert (promised.operations, promised.warnings) == (expected, [])
    assert engine.run((want,)).operations == expected
    assert engine.run((want,)).operations == []


@pytest.mark.parametrize(
    ("want", "expected"),
    [
        (
            link_want(VETH, {"name": "v0", "admin_state": "down", "peer": {"name": "eth1", "admin_state": "down"}}),
            ["ip -n web link set dev eth0 name eth1"],
        ),
        (
            link_want(VETH, {"name": "v0", "admin_state": "down", "peer": {"master": "brw", "admin_state": "down"}}),
            ["ip -n web link set dev eth0 master brw"],
        ),
    ],
)
def test_what_a_veth_has_elsewhere_stays_there(want: Want, expected: list[str]) -> None:
    on_a_new_host(carried_out, want, expected)


def test_what_stands_on_a_device_elsewhere_gets_another_one_there() -> None:
    anew = {"name": "mv", "netns": "web", "parent": "br1", "admin_state": "down", "recreate": True}
    expected = [
        "ip -n web link delete dev mv type macvlan",
        "ip link add mv link br1 netns web type macvlan mode bridge",
        "ip -n web link set dev mv mtu 1500 address 02:00:00:00:00:09",
    ]
    on_a_new_host(carried_out, link_want(MACVLAN, anew), expected)


def gets_a_port_as_its_parent() -> None:
    for command in (*HOST, "link set v0 master br1"):
        ip("", *command.split())
    anew = link_want(MACVLAN, {"name": "mv", "netns": "web", "parent": "v0", "recreate": True})
    for check in (True, False):
        with pytest.raises(
            Refused, match=r"^parent: v0 is a port of br1, and a macvlan device takes its frames as well"
        ):
            engine.run((anew,), check=check)


def test_what_is_made_anew_gets_no_port_of_a_bridge_as_its_parent() -> None:
    on_a_new_host(gets_a_port_as_its_parent)


def rules_of_a_new_namespace() -> None:
    rules = [{"netns": "n", "from": source, "table": 3} for source in ("10.3.0.0/24", "10.4.0.0/24", "fd03::/64")]
    there = {"netns": "n", "priority": 32766, "table": "main"}
    topology, wants = topology_wants({"name": "t", "namespaces": [{"name": "n"}], "rules": [*rules, there]})
    alone = engine.run((row_want(RULE, rules[0]),), check=True)
    assert alone.operations == ["ip -n n rule add priority 32765 from 10.3.0.0/24 table 3"]
    promised = engine.run(wants, check=True, topology=topology)
    done = engine.run(wants, topology=topology)
    assert done.operations == promised.operations
    assert done.operations[2:] == [
        "ip -n n rule add priority 32765 from 10.3.0.0/24 table 3",
        "ip -n n rule add priority 32764 from 10.4.0.0/24 table 3",
        "ip -n n -6 rule add priority 32765 from fd03::/64 table 3",
    ]
    assert not engine.run(wants, topology=topology).changed


def test_rules_of_a_new_namespace_come_before_those_of_the_kernel() -> None:
    on_a_new_host(rules_of_a_new_namespace)


def comes_before_others() -> None:
    # The kernel's own for VRFs, and one with more to it than we read.
    for command in ("rule add priority 1000 l3mdev", "rule add from 10.1.1.1 realms 3 table 50"):
        ip("", *command.split())
    want = row_want(RULE, {"from": "10.1.1.1", "table": 99})
    promised = engine.run((want,), check=True)
    ip("", *["rule", "add", "from", "10.1.1.1", "table", "99"])
    rules = json.loads(subprocess.check_output(["ip", "-j", "rule", "show"]))
    chosen = next(rule["priority"] for rule in rules if rule.get("table") == "99")
    ip("", *["rule", "delete", "from", "10.1.1.1", "table", "99"])
    assert promised.operations == [f"ip rule add priority {chosen} from 10.1.1.1/32 table 99"]
    assert engine.run((want,)).operations == promised.operations
    assert engine.run((want,)).operations == []


def test_a_rule_comes_before_others_of_which_not_all_is_read() -> None:
    on_a_new_host(comes_before_others)


def from_one_family_to_the_other() -> None:
    ip("", *["link", "add", "br0", "type", "bridge"])
    ends = {4: {"local": "10.0.0.1", "remotes": ["10.0.0.9"]}, 6: {"local": "fd00::1", "remotes": ["fd00::9"]}}
    for family in (4, 6, 4):
        want = link_want(VXLAN, {"name": "vx", "vni": 5, "dev": "br0", "recreate": True, **ends[family]})
        promised = engine.run((want,), check=True)
        assert engine.run((want,)).operations == promised.operations != []
        assert engine.run((want,)).operations == []


def test_a_vxlan_device_is_made_anew_in_the_other_address_family() -> None:
    on_a_new_host(from_one_family_to_the_other)
