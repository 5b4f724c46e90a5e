# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What role vxlan_overlay makes of its variables."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.vnet.plugins.filter.overlay_frr import overlay_frr
from ansible_collections.linuxnet.vnet.plugins.filter.overlay_network import overlay_network
from ansible_collections.linuxnet.vnet.plugins.module_utils.topology import topology_wants

HOSTS = {"node1": "10.4.0.1", "node2": "10.4.0.2", "node3": "10.4.0.3"}
BLUE = {"name": "blue", "vni": 100}
EVPN = {"control_plane": "evpn", "frr_config": ""}


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


def test_by_evpn_frr_says_who_is_where() -> None:
    found = planned(BLUE, control_plane="evpn", frr_config="log syslog\n")
    (vxlan,), (port,) = found["vxlans"], found["bridge_ports"]
    assert (vxlan["learning"], vxlan["local"], "remotes" in vxlan, vxlan["group"]) == (False, "10.4.0.1", False, "")
    assert port == {"name": "vx-blue", "learning": False, "neigh_suppress": True}
    topology_wants({name: found[name] for name in ("name", "bridges", "vxlans", "bridge_ports")})
    assert found["frr"].splitlines() == [
        "router bgp 65000",
        " bgp router-id 10.4.0.1",
        " neighbor 10.4.0.2 remote-as 65000",
        " neighbor 10.4.0.2 update-source 10.4.0.1",
        " neighbor 10.4.0.3 remote-as 65000",
        " neighbor 10.4.0.3 update-source 10.4.0.1",
        " address-family ipv4 unicast",
        "  no neighbor 10.4.0.2 activate",
        "  no neighbor 10.4.0.3 activate",
        " exit-address-family",
        " address-family l2vpn evpn",
        "  neighbor 10.4.0.2 activate",
        "  neighbor 10.4.0.3 activate",
        "  advertise-all-vni",
        "  advertise-svi-ip",
        " exit-address-family",
        "exit",
    ]


def test_frr_is_told_nothing_where_it_is_not_asked_for() -> None:
    assert planned(BLUE, frr_config="")["frr"] == ""
    assert planned(BLUE)["bridge_ports"] == []
    assert planned(BLUE, control_plane="evpn")["frr"] == ""


def with_link(**options: Any) -> dict[str, Any]:
    found = links()
    found["host"]["links"]["vx-blue"] = {"mtu": 1450, **options}
    return found


def test_the_list_of_before_goes_once_when_evpn_comes() -> None:
    def remotes(found: dict[str, Any], text: str | None) -> Any:
        (vxlan,) = planned(BLUE, control_plane="evpn", found=found, frr_config=text)["vxlans"]
        return vxlan.get("remotes", "left alone")

    ours = "! BEGIN linuxnet.vnet vxlan_overlay-vxlan_overlay_hosts\n! END linuxnet.vnet vxlan_overlay-vxlan_overlay_hosts\n"
    assert remotes(with_link(learning=True), "") == []
    assert remotes(with_link(learning=True), None) == []
    # What is there then may be FRR's.
    assert remotes(with_link(learning=False), "") == "left alone"
    assert remotes(with_link(learning=True), ours) == "left alone"


def frr(host: str = "node1", **variables: Any) -> list[str]:
    address = HOSTS[host]
    found = {"host": {"links": {"eth0": {"mtu": 1500, "addresses": [f"{address}/24"]}}}}
    words = {"control_plane": "evpn", "frr_config": "", "host": host, "found": found, **variables}
    lines: list[str] = planned(BLUE, **words)["frr"].splitlines()
    return [line.strip() for line in lines]


def test_a_route_reflector_speaks_with_all_and_the_others_with_it() -> None:
    def heard(host: str, *reflectors: str) -> list[str]:
        lines = frr(host, route_reflectors=reflectors)
        return [line for line in lines if line.endswith(("remote-as 65000", "client"))]

    peer, client = "neighbor {} remote-as 65000", "neighbor {} route-reflector-client"
    assert heard("node1", "node1") == [
        *(peer.format(other) for other in ("10.4.0.2", "10.4.0.3")),
        *(client.format(other) for other in ("10.4.0.2", "10.4.0.3")),
    ]
    assert heard("node2", "node1") == [peer.format("10.4.0.1")]
    assert heard("node2", "node1", "node2") == [
        *(peer.format(other) for other in ("10.4.0.1", "10.4.0.3")),
        client.format("10.4.0.3"),
    ]


def test_an_instance_of_the_user_s_is_joined_where_it_is_in_the_same_as() -> None:
    theirs = "router bgp 65000\n neighbor 10.9.0.1 remote-as 65001\nexit\nrouter bgp 7 vrf red\nexit\n"
    own = "! BEGIN linuxnet.vnet vxlan_overlay-{0}\nrouter bgp {1}\n! END linuxnet.vnet vxlan_overlay-{0}\n"
    router_id = "bgp router-id 10.4.0.1"
    assert router_id not in frr(frr_config=theirs)
    assert router_id not in frr(frr_config=theirs.replace("65000", "0.65000", 1))
    # What the role has written itself is nobody's wish, and may change.
    assert router_id in frr(frr_config=own.format("vxlan_overlay_hosts", 65000))
    assert router_id in frr(frr_config=own.format("other", 65000))
    assert "router bgp 65001" in frr(frr_config=own.format("vxlan_overlay_hosts", 65000), asn=65001)
    said = planned(BLUE, control_plane="evpn", frr_config=own.format("other", 65000), asn=65001)["problem"]
    assert said.startswith("vxlan_overlay_asn: FRR's file has a 'router bgp 65000' already")


NAME = "vxlan_overlay-vxlan_overlay_hosts"
MESH = """\
router bgp 65000
 neighbor 10.4.0.2 remote-as 65000
 neighbor 10.4.0.3 remote-as 65000
 address-family ipv4 unicast
  no neighbor 10.4.0.3 activate
 exit-address-family
 address-family l2vpn evpn
  neighbor 10.4.0.2 route-reflector-client
  neighbor 10.4.0.3 activate
  advertise-all-vni
 exit-address-family
exit"""


def marked(block: str, around: str = "") -> str:
    return f"{around}! BEGIN linuxnet.vnet {NAME}\n{block}\n! END linuxnet.vnet {NAME}\nline vty\n"


def test_frr_is_told_the_block_where_it_is_new_and_nothing_where_it_is_not() -> None:
    assert overlay_frr("", name=NAME, block=MESH) == [MESH.splitlines()]
    assert overlay_frr(marked(MESH), name=NAME, block=MESH) == []
    assert overlay_frr("router bgp 7\n", name=NAME) == []
    assert overlay_frr(marked(MESH), name="another") == []


def test_frr_takes_back_what_the_block_no_longer_has() -> None:
    less = "\n".join(line for line in MESH.splitlines() if "10.4.0.3" not in line and "client" not in line)
    assert overlay_frr(marked(MESH), name=NAME, block=less) == [
        ["router bgp 65000", "no neighbor 10.4.0.3"],
        ["router bgp 65000", "address-family l2vpn evpn", "no neighbor 10.4.0.2 route-reflector-client"],
        less.splitlines(),
    ]
    assert overlay_frr(marked(MESH), name=NAME) == [["no router bgp 65000"], []]
    other = MESH.replace("65000", "65001")
    assert overlay_frr(marked(MESH), name=NAME, block=other) == [["no router bgp 65000"], other.splitlines()]


def test_frr_keeps_what_the_user_has_in_the_same_instance() -> None:
    theirs = """\
! mine
router bgp 65000
 neighbor 10.4.0.2 remote-as internal
 neighbor 10.9.0.1 remote-as 65001
 address-family ipv4 unicast
  network 10.9.0.0/24
 exit-address-family
exit
interface eth0
 ip ospf area 0
exit
"""
    evpn = ["router bgp 65000", "address-family l2vpn evpn"]
    assert overlay_frr(marked(MESH, theirs), name=NAME) == [
        ["router bgp 65000", "no neighbor 10.4.0.3"],
        # The user's own neighbor stays, less what only the block said of it.
        [*evpn, "no neighbor 10.4.0.2 route-reflector-client"],
        [*evpn, "no advertise-all-vni"],
        [],
    ]


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
        ([BLUE], {"control_plane": "is-is"}, "vxlan_overlay_control_plane: 'is-is' is neither flood nor evpn"),
        ([{**BLUE, "group": "239.1.1.1"}], EVPN, "vxlan_overlay_segments: blue has the group 239.1.1.1, which goes with the control plane flood"),
        ([BLUE], {**EVPN, "hosts": {"node1": "fd00:4::1"}}, "vxlan_overlay_control_plane: evpn by FRR takes an underlay of IPv4, and"),
        ([BLUE], {**EVPN, "asn": 0}, "vxlan_overlay_asn: 0 is no AS number"),
        ([BLUE], {**EVPN, "asn": "my own"}, "vxlan_overlay_asn: 'my own' is no AS number"),
        ([BLUE], {**EVPN, "route_reflectors": ["spine"]}, "vxlan_overlay_route_reflectors: spine is none of the hosts"),
        ([BLUE], {**EVPN, "frr_config": "router bgp 7\n"}, "vxlan_overlay_asn: FRR's file has a 'router bgp 7' already, and can't have one of 65000"),
        ([BLUE], {"found": with_link(learning=False)}, "vxlan_overlay_control_plane: vx-blue is one that evpn looks after"),
        ([{**BLUE, "addresses": ["192.168.100.1"]}], {}, "vxlan_overlay_segments: 192.168.100.1 has no room for others"),
    ],
)  # fmt: skip
def test_what_can_not_be_is_one_sentence(
    segments: list[dict[str, Any]], variables: dict[str, Any], problem: str
) -> None:
    said = planned(*segments, **variables)["problem"]
    assert said.startswith(problem)
    assert "\n" not in said
