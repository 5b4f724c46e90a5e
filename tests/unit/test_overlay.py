# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What role vxlan_overlay makes of its variables."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.vnet.plugins.filter.overlay_network import overlay_network
from ansible_collections.linuxnet.vnet.plugins.module_utils.topology import topology_wants

HOSTS = {"node1": "10.4.0.1", "node2": "10.4.0.2", "node3": "10.4.0.3"}
BLUE = {"name": "blue", "vni": 100}


def links(mtu: int = 1500) -> dict[str, Any]:
    addresses = ["10.4.0.1/24", "fd00:4::1/64", "fe80::1/64"]
    return {"host": {"links": {"lo": {"mtu": 65536}, "eth0": {"mtu": mtu, "addresses": addresses}}}}


def planned(*segments: dict[str, Any], **variables: Any) -> dict[str, Any]:
    return overlay_network(segments, **{"hosts": HOSTS, "host": "node1", "found": links(), **variables})


def test_a_segment_is_a_bridge_and_a_way_to_each_other_host() -> None:
    found = planned({**BLUE, "addresses": ["192.168.100.1/24"]})
    (bridge,), (vxlan,) = found["bridges"], found["vxlans"]
    mac = bridge.pop("mac")
    assert bridge == {"name": "br-blue", "mtu": 1450, "addresses": ["192.168.100.1/24"]}
    assert vxlan == {
        "name": "vx-blue",
        "vni": 100,
        "local": "10.4.0.1",
        "dstport": 4789,
        "mtu": 1450,
        "master": "br-blue",
        "remotes": ["10.4.0.2", "10.4.0.3"],
    }
    assert found["name"] == "vxlan_overlay-vxlan_overlay_hosts"
    topology_wants({name: found[name] for name in ("name", "bridges", "vxlans")})  # which vnet_topology takes
    # On one segment no two devices may have one MAC, and a host's has to stay.
    assert mac == planned(BLUE)["bridges"][0]["mac"]
    elsewhere = {"host": {"links": {"eth0": {"mtu": 1500, "addresses": ["10.4.0.2/24"]}}}}
    assert mac != planned(BLUE, host="node2", found=elsewhere)["bridges"][0]["mac"]


def test_by_multicast_a_host_needs_to_know_no_other() -> None:
    (vxlan,) = planned({**BLUE, "group": "239.1.1.1"})["vxlans"]
    assert (vxlan["group"], vxlan["dev"], "remotes" in vxlan) == ("239.1.1.1", "eth0", False)


def test_the_mtu_is_what_the_underlay_carries() -> None:
    six = {"node1": "fd00:4::1", "node2": "fd00:4::2"}
    assert planned(BLUE, hosts=six)["segments"][0]["mtu"] == 1430
    assert planned(BLUE, found=links(9000))["segments"][0]["mtu"] == 8950
    assert planned({**BLUE, "mtu": 1400})["vxlans"][0]["mtu"] == 1400


def test_a_long_name_makes_devices_all_the_same() -> None:
    (segment,) = planned({**BLUE, "name": "customers-of-the-south"})["segments"]
    assert segment["bridge"].startswith("br-custome-")
    assert max(len(segment["bridge"]), len(segment["device"])) <= 15


@pytest.mark.parametrize(
    ("segments", "variables", "problem"),
    [
        ([BLUE], {"host": "node9"}, "vxlan_overlay_group: node9 is not in the group vxlan_overlay_hosts"),
        ([BLUE], {"hosts": {**HOSTS, "node2": "node2"}}, "vxlan_overlay_address: host node2 has 'node2', which is no IP address"),
        ([BLUE], {"hosts": {**HOSTS, "node2": "127.0.0.1"}}, "vxlan_overlay_address: host node2 has 127.0.0.1, under which no other"),
        ([BLUE], {"hosts": {**HOSTS, "node2": "10.4.0.3"}}, "vxlan_overlay_address: node2 and node3 both have 10.4.0.3"),
        ([BLUE], {"hosts": {**HOSTS, "node2": "10.4.0.1"}}, "vxlan_overlay_address: this host and node2 both have 10.4.0.1"),
        ([BLUE], {"hosts": {**HOSTS, "node2": "fd00::2"}}, "vxlan_overlay_address: node2 has fd00::2, and this host has 10.4.0.1"),
        ([BLUE], {"found": {}}, "vxlan_overlay_address: no device of host node1 has the address 10.4.0.1"),
        ([{**BLUE, "vni": 0}], {}, "vxlan_overlay_segments: blue has the VNI 0, where 1 to 16777215 can be"),
        ([BLUE, {**BLUE, "name": "red"}], {}, "vxlan_overlay_segments: two entries have the vni '100'"),
        ([BLUE, {**BLUE, "vni": 7}], {}, "vxlan_overlay_segments: two entries have the name 'blue'"),
        ([{**BLUE, "name": "b l"}], {}, "vxlan_overlay_segments: 'b l' can't be a segment's name"),
        ([{**BLUE, "bridge": "a-bridge-with-a-long-name"}], {}, "vxlan_overlay_segments: blue has the bridge a-bridge"),
        ([{**BLUE, "mtu": 1500}], {}, "vxlan_overlay_segments: blue has the MTU 1500, and the underlay carries 1450"),
        ([{**BLUE, "group": "10.0.0.1"}], {}, "vxlan_overlay_segments: blue has the group 10.0.0.1, which is no multicast"),
        ([{**BLUE, "group": "ff05::1"}], {}, "vxlan_overlay_segments: blue has the group ff05::1, which is no multicast"),
        ([{**BLUE, "group": "all"}], {}, "vxlan_overlay_segments: blue has the group 'all', which is no IP address"),
        ([{**BLUE, "addresses": ["192.168.100.1"]}], {}, "vxlan_overlay_segments: 192.168.100.1 has no room for others"),
    ],
)  # fmt: skip
def test_what_can_not_be_is_one_sentence(
    segments: list[dict[str, Any]], variables: dict[str, Any], problem: str
) -> None:
    said = planned(*segments, **variables)["problem"]
    assert said.startswith(problem)
    assert "\n" not in said
