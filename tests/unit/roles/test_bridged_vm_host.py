# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role bridged_vm_host on a throwaway host: the first picture, arrow by arrow, and how it comes and goes."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ansible_collections.linuxnet.vnet.tests.unit.roles.role_host import OUTSIDE, RoleHost, play, refused

if TYPE_CHECKING:
    from collections.abc import Iterator

ROLE = "bridged_vm_host"
# No program configures this host's eth0 at boot, so nobody could be told of the bridge.
PICTURE: dict[str, Any] = {
    "vms": [{"name": "vm1", "user": "nobody"}, {"name": "vm2"}],
    "persist": False,
    "confirm_timeout": 20,
}
NOTHING: dict[str, Any] = {"state": "absent", "confirm_timeout": 20}

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can look into the namespaces of a host's namespaces"
)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[RoleHost]:
    host = RoleHost(tmp_path / "lab")
    yield host
    host.lab.down()


def test_the_picture(lab: RoleHost) -> None:
    before = lab.dump()
    done = lab.converge((ROLE, PICTURE))
    assert len(done.topologies) == 1
    assert lab.sh(
        "ip -4 -o address show dev br0 | grep -c 192.168.3.101/24; ip -o address show dev eth0 scope global | wc -l"
    ).split() == ["1", "0"]
    assert lab.sh("cat /sys/class/net/tap-vm1/owner").strip() == lab.sh("id -u nobody").strip()
    vms = lab.machine("tap-vm1", "192.168.3.102"), lab.machine("tap-vm2", "192.168.3.103")
    with vms[0] as (vm1, mac1), vms[1] as (vm2, mac2):
        # VirtualMachine1 <-> the physical network, over br0 and eth0; and 2
        assert lab.pings("192.168.3.1", vm1)
        assert lab.pings("192.168.3.102", at=OUTSIDE)
        assert lab.pings("192.168.3.1", vm2)
        assert lab.pings("192.168.3.103", at=OUTSIDE)
        # VirtualMachine1 <-> VirtualMachine2, over br0
        assert lab.pings("192.168.3.103", vm1)
        # the host's stack <-> br0 <-> VirtualMachine1 and 2
        assert lab.pings("192.168.3.102")
        assert lab.pings("192.168.3.101", vm2)
        # the host's stack <-> br0 <-> eth0 <-> the physical network
        assert lab.pings("192.168.3.1")
        assert lab.pings("192.168.3.101", at=OUTSIDE)
        # br0 has learned behind which port each of them is
        learned = lab.sh("bridge fdb show br br0 dynamic")
        assert f"{mac1} dev tap-vm1" in learned
        assert f"{mac2} dev tap-vm2" in learned
        # What only passes br0 does not enter the host's stack
        rules = "add table ip t { chain c { type filter hook prerouting priority -300 ; ip saddr 192.168.3.102 counter ; } ; }"
        lab.sh(f"nft '{rules}'")
        assert lab.pings("192.168.3.1", vm1)
        assert "packets 0" in lab.sh("nft list table ip t; nft delete table ip t")

    lab.sh("ip link delete tap-vm2; ip link set tap-vm1 nomaster")
    lab.run(play((ROLE, PICTURE)))
    assert lab.sh("ip -o link show master br0 | wc -l").strip() == "3"
    assert lab.pings("192.168.3.1")
    lab.run(play((ROLE, {**PICTURE, "vms": [{"name": "vm2"}]})))
    assert not lab.goes("ip link show tap-vm1")

    lab.converge((ROLE, NOTHING))
    assert lab.dump() == before
    assert lab.pings("192.168.3.1")


def test_each_vm_is_in_its_vlan(lab: RoleHost) -> None:
    if not lab.goes("ip link add t0 type bridge vlan_filtering 1 && ip link delete t0", at=OUTSIDE):
        pytest.skip("no VLAN filtering in this kernel: ./dev campaign vlans tries it on the second one")
    before = lab.dump()
    lab.sh(
        "ip link add link eth0 name eth0.20 up type vlan id 20; ip address add 192.168.20.1/24 dev eth0.20", at=OUTSIDE
    )
    lab.run(play((ROLE, {**PICTURE, "vms": [{"name": "vm1", "vlan": 20}, {"name": "vm2"}]})))
    vms = lab.machine("tap-vm1", "192.168.20.102", "192.168.20.1"), lab.machine("tap-vm2", "192.168.3.103")
    with vms[0] as (vm1, _mac1), vms[1] as (vm2, _mac2):
        assert lab.pings("192.168.20.1", vm1)
        assert lab.pings("192.168.3.1", vm2)
        assert lab.pings("192.168.3.103")
        lab.sh(f"nsenter --net={vm1} ip address add 192.168.3.102/24 dev eth0")
        assert not lab.pings("192.168.3.103", vm1)
    lab.run(play((ROLE, PICTURE)))
    assert "vlan_filtering 0" in lab.sh("ip -d link show br0")
    lab.run(play((ROLE, NOTHING)))
    assert lab.dump() == before


def test_what_is_asked_for_beside_it(lab: RoleHost) -> None:
    before = lab.dump()
    lab.sh("! test -e /proc/sys/net/bridge || echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables")
    wanted = {**PICTURE, "vms": [], "qemu_bridge_conf": True, "libvirt_network": "lan"}
    lab.converge((ROLE, wanted))
    assert lab.sh("cat /etc/qemu/bridge.conf") == "allow br0\n"
    network = ET.fromstring(lab.sh("cat /etc/libvirt/qemu/networks/autostart/lan.xml"))
    bridge = network.find("bridge")
    assert bridge is not None
    assert (network.findtext("name"), bridge.get("name")) == ("lan", "br0")
    assert "net.bridge.bridge-nf-call-iptables = 0" in lab.sh("cat /run/sysctl.d/30-bridged_vm_host-br0.conf")
    assert lab.sh("cat /proc/sys/net/bridge/bridge-nf-call-iptables 2>/dev/null || echo 0").strip() == "0"
    lab.run(play((ROLE, {**wanted, "qemu_bridge_conf": False, "libvirt_network": "net2"})))
    assert lab.sh("ls /etc/libvirt/qemu/networks /etc/libvirt/qemu/networks/autostart").split()[1:] == [
        "autostart",
        "net2.xml",
        "/etc/libvirt/qemu/networks/autostart:",
        "net2.xml",
    ]
    lab.run(play((ROLE, NOTHING)))
    assert not lab.goes("test -e /etc/qemu/bridge.conf || test -e /run/sysctl.d/30-bridged_vm_host-br0.conf")
    lab.sh("rmdir /etc/qemu || true")
    assert lab.dump() == before


def test_two_of_them_in_one_play_do_not_disturb_each_other(lab: RoleHost) -> None:
    lab.sh("ip link add lan1 type veth peer name far1; ip link set far1 up; ip link set lan1 up")
    lab.sh("ip address add 192.168.4.101/24 dev lan1")
    before = lab.dump()
    second = {**PICTURE, "bridge": "br1", "uplink": "lan1", "vms": [{"name": "vm3"}], "qemu_bridge_conf": True}
    both = play((ROLE, {**PICTURE, "uplink": "eth0", "qemu_bridge_conf": True}), (ROLE, second))
    _done, again = lab.run(both, both)
    assert again.changed == []
    ports = {bridge: lab.sh(f"ls /sys/class/net/{bridge}/brif").split() for bridge in ("br0", "br1")}
    assert ports == {"br0": ["eth0", "tap-vm1", "tap-vm2"], "br1": ["lan1", "tap-vm3"]}
    lab.run(play((ROLE, {**NOTHING, "bridge": "br1"})))
    assert lab.sh("cat /etc/qemu/bridge.conf; ls /run/sysctl.d").split() == [
        "allow",
        "br0",
        "30-bridged_vm_host-br0.conf",
    ]
    assert lab.pings("192.168.3.1")
    lab.run(play((ROLE, NOTHING)))
    lab.sh("rmdir /etc/qemu || true")
    assert lab.dump() == before


def test_flushed_addresses_keep_nothing_from_going_back(lab: RoleHost) -> None:
    flush = "ip -6 address flush dev br0 scope global"
    own = {**PICTURE, "vms": [], "addresses": ["192.168.3.101/24", "fd00:3::101/64"]}
    lab.run(play((ROLE, own)))
    lab.sh(flush)
    lab.run(play((ROLE, own)), play((ROLE, NOTHING)))
    assert lab.pings("fd00:3::1")
    lab.run(play((ROLE, {**PICTURE, "vms": []})))
    lab.sh(flush)
    lab.run(play((ROLE, NOTHING)))
    assert lab.pings("192.168.3.1")
    assert "via fd00:3::1 dev eth0" in lab.sh("ip -6 route show default")
    assert not lab.goes("ip link show br0")


BAD: list[tuple[dict[str, Any], list[str]]] = [
    ({"uplink": "eth7"}, ["_uplink", "no device 'eth7'"]),
    ({"uplink": "spare0"}, ["_uplink", "spare0", "port of br9"]),
    ({"vms": [{"name": "a"}, {"name": "a"}]}, ["_vms", "two entries"]),
    ({"vms": [{"name": "a", "user": "nobody-of-that-name"}]}, ["owner", "knows no user"]),
    ({"vms": [{"name": "a", "vlan": 5000}]}, ["_vms", "vlan"]),
    ({"addresses": ["192.168.3.101"]}, ["_addresses", "prefix length"]),
    ({"libvirt_network": "a/b"}, ["_libvirt_network", "a/b"]),
]


def test_variables_that_can_not_be_are_refused_before_anything_changes(lab: RoleHost) -> None:
    lab.sh("ip link add br9 type bridge; ip link add spare0 type veth peer name spare1; ip link set spare0 master br9")
    before = lab.dump()
    runs = lab.run(*(refused(ROLE, {**PICTURE, **variables}) for variables, _words in BAD))
    assert len(runs) == len(BAD)
    for (variables, words), run in zip(BAD, runs):
        said = run.failed
        assert said, (variables, run)
        assert all(word in said for word in words), said
        assert "\n" not in said
    assert lab.dump() == before
