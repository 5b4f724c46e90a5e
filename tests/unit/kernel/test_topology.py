# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Topologies on the real kernel: a failure at any point of making, changing or removing one leaves the host as it was."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils import engine
from ansible_collections.linuxnet.vnet.plugins.module_utils.apply import Failed
from ansible_collections.linuxnet.vnet.plugins.module_utils.bundle import software
from ansible_collections.linuxnet.vnet.plugins.module_utils.persist import SOFTWARE, TOPOLOGY, keep
from ansible_collections.linuxnet.vnet.plugins.module_utils.topology import topology_wants
from ansible_collections.linuxnet.vnet.tests.unit.kernel.test_faults import Fault
from ansible_collections.linuxnet.vnet.tests.unit.kernel.throwaway_kernel import (
    bridges_filter_vlans,
    differences,
    dump,
    ip,
    kinds_here,
    needs_root,
    on_a_new_host,
    operations_tried,
    own_device_files,
    tally,
    with_systemd,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = needs_root

Entries = dict[str, Any]

A: Entries = {
    "name": "t",
    "persist": True,
    "namespaces": [{"name": name, "sysctl": {"net.ipv4.ip_default_ttl": 63}} for name in ("one", "two", "three")],
    "bridges": [
        {"name": "br0", "mac": "02:00:00:00:00:01", "addresses": ["10.1.0.1/24", "10.1.0.2/24", "fd00:1::1/64"]},
        {"name": "br1", "mac": "02:00:00:00:00:02", "stp": True},
    ],
    "veths": [
        {
            "name": f"v-{netns}",
            "master": "br0",
            "alias": f"to {netns}",
            "altnames": [f"the-way-to-{netns}"],
            "peer": {"name": "eth0", "netns": netns, "addresses": [f"10.1.0.1{number}/24", f"fd00:1::1{number}/64"]},
        }
        for number, netns in enumerate(("one", "two", "three"))
    ],
    "tuntaps": [{"name": "tap0", "mode": "tap", "owner": "root", "master": "br1"}],
    "bridge_ports": [{"name": "tap0", "isolated": True, "cost": 7}],
    "vxlans": [
        {"name": "vx0", "vni": 7, "recreate": True, "master": "br1", "remotes": ["192.0.2.7", "192.0.2.8"]},
        {"name": "vx1", "external": True, "vnifilter": True, "dstport": 4790, "vnis": [{"vni": "7-9"}, {"vni": "12"}]},
    ],
    "macvlans": [{"name": "mt0", "parent": "nic-far", "mode": "bridge", "tap": True, "owner": 1}],
    "links": [{"name": "nic", "netns": "one", "addresses": ["10.2.0.1/24", "10.2.0.2/24", "fd00:2::1/64"]}],
    "routes": [
        *({"netns": netns, "destination": "default", "gateway": "10.1.0.1"} for netns in ("one", "two", "three")),
        {"netns": "one", "destination": "default", "gateway": "fd00:1::1"},
        {"netns": "one", "destination": "10.3.0.0/16", "gateway": "10.2.0.9", "source": "10.2.0.2"},
        {"destination": "10.4.0.0/16", "nexthops": [{"gateway": "10.1.0.10"}, {"gateway": "10.1.0.11", "weight": 2}]},
        {"destination": "10.5.0.0/16", "type": "blackhole"},
    ],
    "forwarding": [{"ipv4": True, "ipv6": True}, {"netns": "one", "ipv4": True}],
}

B: Entries = {
    "name": "t",
    "persist": False,
    "namespaces": [{"name": "two", "sysctl": {"net.ipv4.ip_default_ttl": 62}}, {"name": "four", "loopback": False}],
    "bridges": [
        {"name": "br0", "mac": "02:00:00:00:00:03", "addresses": ["10.1.0.2/24"], "mtu": 1400, "ageing_time": 20},
        {"name": "br4", "netns": "four", "mac": "02:00:00:00:00:04"},
    ],
    "veths": [
        {
            "name": "v-two",
            "altnames": ["to-two"],
            "master": "br0",
            "peer": {"name": "eth4", "netns": "four", "master": "br4"},
        },
        {"name": "v-new", "master": "br0", "peer": {"name": "eth0", "netns": "two", "addresses": ["10.1.0.20/24"]}},
    ],
    "tuntaps": [{"name": "tap0", "mode": "tap", "owner": 1, "multi_queue": True, "recreate": True, "mtu": 1300}],
    "bridge_ports": [{"name": "v-new", "hairpin": True}],
    "vxlans": [
        {"name": "vx0", "vni": 8, "recreate": True, "remotes": ["192.0.2.8"]},
        {
            "name": "vx1",
            "external": True,
            "vnifilter": True,
            "dstport": 4790,
            "vnis": [{"vni": "8", "remote": "192.0.2.8"}],
        },
    ],
    "macvlans": [{"name": "mt0", "parent": "nic-far", "tap": True, "owner": 2, "group": 1}],
    "links": [{"name": "nic2", "netns": "two"}],
    "routes": [
        {"netns": "two", "destination": "default", "gateway": "10.1.0.2"},
        {"destination": "10.4.0.0/16", "gateway": "10.1.0.20"},
    ],
    "forwarding": [{"ipv4": True}],
}

# What not every kernel has.
WITH_VLANS: Entries = {
    "name": "t",
    "bridges": [{"name": "br0", "mac": "02:00:00:00:00:01", "vlan_filtering": True}],
    "veths": [{"name": "v0", "master": "br0", "peer": {"name": "v1"}}],
    "vxlans": [{"name": "vx0", "master": "br0", "external": True}],
    "bridge_ports": [
        {"name": "v0", "vlans": [{"vid": "7", "pvid": True, "untagged": True}, {"vid": "20-30"}], "learning": False},
        {"name": "vx0", "vlan_tunnel": True, "vlans": [{"vid": "20-30", "tunnel_id": "120-130"}]},
    ],
}
OTHER_VLANS: Entries = {
    **WITH_VLANS,
    "bridge_ports": [
        {"name": "v0", "vlans": [{"vid": "7"}, {"vid": "25-40"}], "hairpin": True},
        {"name": "vx0", "vlan_tunnel": True, "vlans": [{"vid": "25-40", "tunnel_id": "225-240"}]},
    ],
}
ON_A_SWITCH: Entries = {
    "name": "t",
    "ovs_bridges": [
        {"name": "ovs0", "datapath_type": "netdev", "ports": [{"name": "in0", "type": "internal", "tag": 10}]},
        {"name": "ovs1", "datapath_type": "netdev"},
    ],
    "bridges": [{"name": "br0", "mac": "02:00:00:00:00:01"}],
}
OTHERWISE: Entries = {
    "name": "t",
    "ovs_bridges": [
        {
            "name": "ovs0",
            "datapath_type": "netdev",
            "fail_mode": "secure",
            "ports": [
                {"name": "in0", "type": "internal", "trunks": ["10", "20-29"]},
                {"name": "in1", "type": "internal"},
            ],
        }
    ],
    "bridges": [{"name": "br0", "mac": "02:00:00:00:00:02"}],
}

GONE: Entries = {"name": "t", "state": "absent", "persist": False}


def run(entries: Entries, check: bool = False) -> engine.Result:
    topology, wants = topology_wants(entries)
    kept = keep(TOPOLOGY, entries, None, software) if "persist" in entries else None
    return engine.run(wants, check=check, topology=topology, keep=kept)


def everything() -> dict[str, Any]:
    """The host, and what it remembers of topologies, now and for the next boot."""
    kept = [*Path("/run/vnet/topologies").glob("*"), *Path("/etc/vnet").rglob("*"), *map(Path, SOFTWARE)]
    found = dump()
    for name in ("ovs0", "ovs1", "ovs-netdev"):
        # Open vSwitch gives these their MAC addresses by chance, and others would not last.
        found[""]["links"].get(name, {}).pop("address", None)
    return {**found, "switch": switch(), "records": {str(path): path.read_bytes() for path in kept if path.is_file()}}


def foreign_things() -> None:
    """What is none of the topology's: network cards with all that such have, and things like its own."""
    for name in ("nic", "nic2"):
        ip("", "link", "add", name, "type", "veth", "peer", "name", f"{name}-far")
        ip("", "link", "set", f"{name}-far", "up")
    ip("", "link", "set", "nic", "up")
    ip("", "address", "add", "192.0.2.1/24", "dev", "nic")
    ip("", "address", "add", "2001:db8::1/64", "dev", "nic", "nodad")
    ip("", "route", "add", "default", "via", "192.0.2.254")
    ip("", "-6", "route", "add", "default", "via", "2001:db8::fe", "dev", "nic")
    ip("", "netns", "add", "foreign")
    ip("", "link", "add", "br-foreign", "type", "bridge")


def by_hand() -> None:
    """What somebody did to a port that goes: with it go its VLANs, which no plan makes, and only undoing puts back."""
    if bridges_filter_vlans() and Path("/sys/class/net/v-one").exists():
        for words in (("add", "dev", "v-one", "vid", "7"), ("del", "dev", "v-one", "vid", "1")):
            subprocess.run(["bridge", "vlan", *words], check=True)


def every_fault(start: Entries, end: Entries, at_least: int, taps: bool = False) -> None:
    if taps:
        own_device_files()
    with_systemd()
    foreign_things()
    run(start)
    by_hand()
    before = everything()
    tried = operations_tried()
    promised = run(end, check=True)
    assert differences(before, everything()) == [], "a check run changed something"
    assert len(promised.operations) >= at_least, promised.operations
    for number, operation in enumerate(promised.operations):
        fault = Fault(number)
        with pytest.raises(Failed, match="injected") as caught:
            run(end)
        fault.remove()
        assert operation in str(caught.value)
        assert caught.value.undone, caught.value
        assert differences(before, everything()) == [], f"not undone after {operation}"
    done = run(end)
    assert (done.operations, lasting(done.diff)) == (promised.operations, lasting(promised.diff))
    assert run(end).operations == []
    tally(faults=len(promised.operations), **tried)


@contextmanager
def open_vswitch() -> Iterator[None]:
    """The database and the daemon of an Open vSwitch of the host's own."""
    schema, place = "/usr/share/openvswitch/vswitch.ovsschema", "/run/openvswitch"
    Path(place).mkdir()
    subprocess.run(["ovsdb-tool", "create", f"{place}/conf.db", schema], check=True)
    log = f"--log-file={place}/log"
    quiet = subprocess.DEVNULL
    database = ["ovsdb-server", f"{place}/conf.db", f"--remote=punix:{place}/db.sock", log]
    daemons = [subprocess.Popen(database, stderr=quiet)]
    try:
        while not Path(place, "db.sock").exists():
            assert daemons[0].poll() is None, "ovsdb-server has ended"
            time.sleep(0.05)
        subprocess.run(["ovs-vsctl", "--no-wait", "init"], check=True)
        daemons.append(subprocess.Popen(["ovs-vswitchd", "--pidfile", log], stderr=quiet))
        yield
    finally:
        for daemon in daemons:
            daemon.terminate()
            daemon.wait()


SWITCH = (
    "--format=csv --columns=name,datapath_type,fail_mode list Bridge",
    "--format=csv --columns=name,tag,trunks list Port",
    "--format=csv --columns=name,type list Interface",
)


def switch() -> list[str]:
    """What the database of Open vSwitch, if there is one, says in its own words."""
    if not Path("/run/openvswitch/db.sock").exists():
        return []
    asked = [["ovs-vsctl", *words.split()] for words in SWITCH]
    return sorted(line for command in asked for line in subprocess.check_output(command, text=True).splitlines())


def lasting(diff: Any) -> str:
    """A diff without the numbers of a macvtap's files, which are others each time that it is made, be it by undoing."""
    return re.sub("/dev/tap[0-9]+", "/dev/tapN", json.dumps(diff, sort_keys=True))


@pytest.mark.parametrize(
    ("start", "end", "at_least"),
    [(GONE, A, 40), (A, B, 40), (B, A, 40), (A, GONE, 10)],
    ids=["made", "changed", "changed back", "removed"],
)
def test_a_fault_at_any_operation_leaves_the_host_as_it_was(start: Entries, end: Entries, at_least: int) -> None:
    on_a_new_host(every_fault, start, end, at_least, True)


@pytest.mark.parametrize(("start", "end"), [(GONE, WITH_VLANS), (WITH_VLANS, OTHER_VLANS), (OTHER_VLANS, GONE)])
def test_a_fault_at_any_operation_leaves_the_vlans_of_ports_as_they_were(start: Entries, end: Entries) -> None:
    if not bridges_filter_vlans():
        pytest.skip("no VLAN filtering in this kernel: ./dev campaign vlans tries it on the second one")
    on_a_new_host(every_fault, start, end, 2)


MADE_ROOM_FOR: dict[str, tuple[Entries, Entries]] = {
    "a VNI": ({"vxlans": [{"name": "vx0", "vni": 7}]}, {"vxlans": [{"name": "vx1", "vni": 7}]}),
    "a parent for itself": (
        {
            "namespaces": [{"name": "a"}],
            "macvlans": [{"name": "m", "netns": "a", "link_netns": "", "parent": "nic-far"}],
        },
        {"macvlans": [{"name": "m", "parent": "nic-far", "mode": "passthru"}]},
    ),
    "a parent for others": (
        {"macvlans": [{"name": "m", "parent": "nic-far", "mode": "passthru"}]},
        {"macvlans": [{"name": "n", "parent": "nic-far", "mode": "bridge"}]},
    ),
    "a port": (
        {"links": [{"name": "nic-far"}], "macvlans": [{"name": "m", "parent": "nic-far"}]},
        {"bridges": [{"name": "b"}], "links": [{"name": "nic-far", "master": "b"}]},
    ),
    "a parent": (
        {"bridges": [{"name": "b"}], "links": [{"name": "nic-far", "master": "b"}]},
        {"links": [{"name": "nic-far", "master": ""}], "macvlans": [{"name": "m", "parent": "nic-far"}]},
    ),
    "a VLAN": (
        {"vlans": [{"name": "one", "parent": "nic-far", "vid": 7}]},
        {"vlans": [{"name": "two", "parent": "nic-far", "vid": 7}]},
    ),
    "another kind": (
        {"macvlans": [{"name": "m", "parent": "nic-far"}]},
        {"ipvlans": [{"name": "i", "parent": "nic-far"}]},
    ),
}
ON_SECOND_KERNEL = {"a VLAN": "vlan", "another kind": "ipvlan"}


@pytest.mark.parametrize("what", MADE_ROOM_FOR)
def test_what_goes_makes_room_for_what_comes(what: str) -> None:
    if what in ON_SECOND_KERNEL and ON_SECOND_KERNEL[what] not in {kind.name for kind in kinds_here()}:
        pytest.skip(
            f"no {ON_SECOND_KERNEL[what]} devices in this kernel: ./dev campaign vlans tries it on the second one"
        )
    start, end = ({"name": "t", **entries} for entries in MADE_ROOM_FOR[what])
    on_a_new_host(every_fault, start, end, 2)


def on_a_switch(start: Entries, end: Entries) -> None:
    with open_vswitch():
        every_fault(start, end, 2)


@pytest.mark.skipif(not shutil.which("ovs-vswitchd"), reason="ovs-vswitchd is missing; install openvswitch-switch")
@pytest.mark.parametrize(("start", "end"), [(GONE, ON_A_SWITCH), (ON_A_SWITCH, OTHERWISE), (OTHERWISE, GONE)])
def test_a_fault_at_any_operation_leaves_open_vswitch_as_it_was(start: Entries, end: Entries) -> None:
    on_a_new_host(on_a_switch, start, end)


def there_and_back() -> None:
    own_device_files()
    with_systemd()
    foreign_things()
    # What it is given back, a device that was moved had lost in moving.
    run({"name": "t", "namespaces": [{"name": "x"}], "links": [{"name": "nic", "netns": "x"}]})
    run(GONE)
    before = everything()
    for entries in (A, B, A, GONE):
        run(entries)
        assert run(entries).operations == []
    assert differences(before, everything()) == []


def test_what_a_topology_made_goes_with_it() -> None:
    on_a_new_host(there_and_back)


def two_that_forward() -> None:
    before = dump()
    first, second = ({"name": name, "forwarding": [{"ipv4": True, "ipv6": True}]} for name in ("t", "u"))
    run(first)
    assert not any("sysctl" in operation for operation in run(second).operations)
    forwarding = dump()
    gone = {"name": "t", "state": "absent"}
    promised = run(gone, check=True)
    done = run(gone)
    assert (done.operations, done.diff) == (promised.operations, promised.diff)
    assert differences(forwarding, dump()) == [], "it cut off the other one"
    assert run(second).operations == []
    run({"name": "u", "state": "absent"})
    assert differences(before, dump()) == []


def test_of_two_topologies_that_forward_the_last_one_gives_it_back() -> None:
    on_a_new_host(two_that_forward)
