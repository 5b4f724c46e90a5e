# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter of role bridged_vm_host: which uplink it finds, what the taps are called, and which variables are refused."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.vnet.plugins.filter.bridged_network import bridged_network

DEFAULT = {"destination": "default", "device": "eth0", "family": "inet", "metric": 0}
FOUND: dict[str, Any] = {"host": {"links": {"eth0": {}, "eth1": {"master": "br7"}}, "routes": [DEFAULT]}}
TAKEN: dict[str, Any] = {
    "host": {
        "links": {
            "br0": {"kind": "bridge"},
            "eth0": {"master": "br0"},
            "tap-a": {"master": "br0", "kind": "tun"},
            "veth1": {"master": "br0", "kind": "veth"},
        },
        "routes": [{**DEFAULT, "device": "br0"}],
    }
}


def test_an_empty_list_is_a_bridge_with_the_device_of_the_default_route() -> None:
    found = bridged_network([], found=FOUND)
    assert found["bridges"] == [{"name": "br0", "uplink": "eth0"}]
    assert (found["name"], found["tuntaps"], found["bridge_ports"]) == ("bridged_vm_host-br0", [], [])


def test_each_vm_has_a_tap_that_its_user_may_open() -> None:
    vms: list[dict[str, Any]] = [
        {"name": "web", "user": "alice", "group": "kvm", "multi_queue": True, "mtu": 9000},
        {"name": "a-rather-long-name"},
        {"name": "db", "tap": "vm7"},
    ]
    first, second, third = bridged_network(vms, found=FOUND)["tuntaps"]
    assert first == {
        "name": "tap-web",
        "mode": "tap",
        "master": "br0",
        "owner": "alice",
        "group": "kvm",
        "multi_queue": True,
        "mtu": 9000,
    }
    assert len(second["name"]) == 15
    assert second["name"].startswith("tap-a-rath")
    assert third == {"name": "vm7", "mode": "tap", "master": "br0"}


def test_with_vlans_the_uplink_carries_all_and_each_guest_is_in_one() -> None:
    vms: list[dict[str, Any]] = [
        {"name": "a", "vlan": 20},
        {"name": "b"},
        {"name": "c", "vlan": "30"},
        {"name": "d", "vlan": 20},
    ]
    found = bridged_network(vms, found=FOUND)
    assert found["bridges"][0]["vlan_filtering"] is True
    ports = {port["name"]: port["vlans"] for port in found["bridge_ports"]}
    own = {"vid": "1", "pvid": True, "untagged": True}
    assert ports["tap-a"] == ports["tap-d"] == [{**own, "vid": "20"}]
    assert ports["tap-b"] == [own]
    assert ports["eth0"] == [own, {"vid": "20"}, {"vid": "30"}]


def test_the_bridge_filters_no_more_when_the_last_vlan_goes() -> None:
    found = {"host": {**FOUND["host"], "links": {**FOUND["host"]["links"], "br0": {"vlan_filtering": True}}}}
    assert bridged_network([{"name": "a"}], found=found)["bridges"][0]["vlan_filtering"] is False
    assert "vlan_filtering" not in bridged_network([{"name": "a"}], found=FOUND)["bridges"][0]


def test_the_uplink_that_the_bridge_has_is_found_again() -> None:
    assert bridged_network([], found=TAKEN)["uplink"] == "eth0"
    assert bridged_network([], found=TAKEN, record={"uplink": "veth1"})["uplink"] == "veth1"
    assert bridged_network([], found=TAKEN, record={"uplink": "gone0"})["uplink"] == "eth0"


def test_addresses_of_its_own() -> None:
    assert bridged_network([], found=FOUND, addresses=["192.168.3.101/24"])["bridges"] == [
        {"name": "br0", "uplink": "eth0", "addresses": ["192.168.3.101/24"]}
    ]
    assert bridged_network([], found=FOUND, addresses=[])["bridges"][0]["addresses"] == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"uplink": "eth7"}, ["_uplink", "no device 'eth7'"]),
        ({"uplink": "eth1"}, ["_uplink", "eth1", "port of br7"]),
        ({"uplink": "br0"}, ["_uplink", "the bridge itself"]),
        ({"found": {}}, ["_uplink", "no default route"]),
        ({"found": {"host": {"links": {"br0": {}}, "routes": TAKEN["host"]["routes"]}}}, ["_uplink", "can't be told"]),
        ({"bridge": "a b"}, ["_bridge", "'a b'"]),
        ({"addresses": ["192.168.3.101"]}, ["_addresses", "prefix length"]),
        ({"addresses": ["home"]}, ["_addresses", "'home'"]),
        ({"vms": [{"name": "a"}, {"name": "a"}]}, ["_vms", "two entries", "name 'a'"]),
        ({"vms": [{"name": "a", "tap": "t"}, {"name": "b", "tap": "t"}]}, ["_vms", "two entries", "tap 't'"]),
        ({"vms": [{"name": "a", "tap": "eth0"}]}, ["_vms", "'eth0'", "uplink"]),
        ({"vms": [{"name": "a", "tap": "more-than-fifteen"}]}, ["_vms", "15 bytes"]),
        ({"vms": [{"name": "a", "vlan": 4095}]}, ["_vms", "vlan", "1 to 4094"]),
        ({"vms": [{"name": "a", "vlan": True}]}, ["_vms", "vlan"]),
        ({"vms": [{"name": "-"}]}, ["_vms", "'-'"]),
    ],
)
def test_what_can_not_be_is_said_in_a_sentence(given: dict[str, Any], words: list[str]) -> None:
    problem = bridged_network(**{"vms": [], "found": FOUND, **given})["problem"]
    assert problem.startswith("bridged_vm_host_")
    assert all(word in problem for word in words), problem


def test_in_a_check_run_devices_may_be_missing() -> None:
    assert bridged_network([], found={}, checking=True)["bridges"] == [{"name": "br0"}]
    assert bridged_network([], uplink="eth7", found=FOUND, checking=True)["uplink"] == "eth7"
