# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Devices on devices and in devices: what can't be is refused before anything is done."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils.errors import Refused
from ansible_collections.linuxnet.vnet.plugins.module_utils.plan import plan
from ansible_collections.linuxnet.vnet.plugins.module_utils.state import Link, State
from ansible_collections.linuxnet.vnet.plugins.module_utils.topology import topology_wants

DEVICES = (
    Link("", "lo", "loopback", {"admin_state": "up"}),
    Link("", "tun0", "tun", {"mode": "tun"}),
    Link("", "eth0", "veth", {"mtu": 1500}),
    Link("", "br0", "bridge", {}),
    Link("", "p0", "veth", {"mtu": 1500, "master": "br0"}),
    Link("", "vrf0", "vrf", {"table": 10}),
)


def planned(**listed: Any) -> list[str]:
    """What a topology takes on a host that has one device of each kind."""
    state = State()
    for link in DEVICES:
        state.put(link)
    topology, wants = topology_wants({"name": "t", "adopt": True, **listed})
    return plan(state, wants, topology).commands


@pytest.mark.parametrize(
    ("listed", "said"),
    [
        ({"bridges": [{"name": "br1", "ports": ["lo"]}]}, "bridges[0]: ports: lo is a loopback device, which can be"),
        (
            {"links": [{"name": "lo", "master": "br0"}]},
            "links[0]: master: lo is a loopback device, which can be no port",
        ),
        (
            {"bridges": [{"name": "br1", "ports": ["br0"]}]},
            "bridges[0]: ports: br0 is a bridge, and can't be a port of",
        ),
        (
            {"bridges": [{"name": "br1", "master": "br0"}]},
            "bridges[0]: master: br1 is a bridge, and can't be a port of",
        ),
        (
            {"bridges": [{"name": "br1", "ports": ["vrf0"]}]},
            "bridges[0]: ports: vrf0 is a vrf, and can't be a port of a",
        ),
        (
            {"vrfs": [{"name": "vrf1", "table": 5, "master": "vrf0"}]},
            "vrfs[0]: master: vrf1 is a vrf, and can't be a port",
        ),
        (
            {"macvlans": [{"name": "m0", "parent": "lo"}]},
            "macvlans[0]: parent: lo carries no Ethernet frames, which a mac",
        ),
        ({"vlans": [{"name": "v0", "parent": "tun0", "vid": 5}]}, "vlans[0]: parent: tun0 carries no Ethernet frames"),
        ({"macvlans": [{"name": "m0", "parent": "eth0", "mtu": 1501}]}, "macvlans[0]: mtu: 1501 is more than eth0 has"),
        (
            {"links": [{"name": "tun0", "mac": "02:00:00:00:00:01"}]},
            "links[0]: mac: tun0 carries IP packets and no Ether",
        ),
        (
            {"macvlans": [{"name": "m0", "parent": "p0"}]},
            "macvlans[0]: parent: p0 is a port of br0, and a macvlan device",
        ),
        ({"vxlans": [{"name": "x0", "vni": 5, "label": 7}]}, "vxlans[0]: label: it is a thing of IPv6"),
        ({"vxlans": [{"name": "x0", "vni": 5, "vnifilter": True}]}, "vxlans[0]: vnifilter: it needs 'external'"),
        (
            {"vxlans": [{"name": "x0", "vni": 5, "local": "fe80::1"}]},
            "vxlans[0]: dev: the local fe80::1 is that of a link",
        ),
        (
            {
                "vxlans": [
                    {"name": "x0", "external": True, "vnifilter": True, "vnis": [{"vni": 5, "group": "239.1.1.1"}]}
                ]
            },
            "vxlans[0]: dev: the multicast 'group' needs the device on which to join it",
        ),
    ],
)
def test_what_no_kernel_makes_is_refused(listed: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused) as caught:
        planned(**listed)
    assert said in str(caught.value)


def test_what_is_much_the_same_can_be() -> None:
    assert "ip link set dev br0 master vrf0" in planned(links=[{"name": "br0", "master": "vrf0"}])
    larger = planned(links=[{"name": "eth0", "mtu": 9000}], macvlans=[{"name": "m0", "parent": "eth0", "mtu": 9000}])
    assert [command.split(" dev ")[1] for command in larger if "mtu" in command] == ["eth0 mtu 9000", "m0 mtu 9000"]


def test_a_vlan_comes_up_with_its_parent_and_not_before() -> None:
    # The kernel has none up on one that is down (vlan_dev_open() in net/8021q/vlan_dev.c).
    made = planned(dummies=[{"name": "d0"}], vlans=[{"name": "v0", "parent": "d0", "vid": 5, "master": "vrf0"}])
    assert [command for command in made if " up" in command] == ["ip link set dev d0 up"]
