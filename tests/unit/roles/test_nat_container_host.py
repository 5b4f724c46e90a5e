# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role nat_container_host on a throwaway host: the second picture, arrow by arrow, and how it comes and goes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ansible_collections.linuxnet.vnet.tests.unit.roles.role_host import HOST, OUTSIDE, RoleHost, play, refused

if TYPE_CHECKING:
    from collections.abc import Iterator

ROLE = "nat_container_host"
NAMESERVER = "192.168.3.1"  # which is not there, and says so
PICTURE: dict[str, Any] = {
    "gateway6": "fd00:9::1/64",
    "containers": [{"name": "c1"}, {"name": "c2", "nameservers": [NAMESERVER]}],
    "port_forwards": [{"container": "c1", "port": 8080, "to_port": 80}],
}
NOTHING: dict[str, Any] = {"state": "absent"}
FETCH = """
for attempt in 1 2 3 4 5 6 7 8 9; do
    python3 -c 'import urllib.request as u; print(u.urlopen("http://192.168.9.3/etc/resolv.conf").read().decode(), end="")' 2>/dev/null && exit
    sleep 1
done
exit 1
"""
BRIDGED = "/proc/sys/net/bridge/bridge-nf-call-iptables"

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
    with lab.service(80, "c1", "c1"), lab.service(80, "c2", "c2"), lab.service(80, "outside", at=OUTSIDE):
        # Container 1 -> br0 -> eth0 -> the physical network, which sees the host
        assert lab.ask("192.168.3.1", 80, "c1") == "outside saw 192.168.3.101"
        assert lab.ask("fd00:3::1", 80, "c2") == "outside saw fd00:3::101"
        # Container 1 <-> Container 2, over br0, each as it is
        assert lab.ask("192.168.9.3", 80, "c1") == "c2 saw 192.168.9.2"
        assert lab.ask("192.168.9.2", 80, "c2") == "c1 saw 192.168.9.3"
        # the host's stack <-> br0 <-> Container
        assert lab.ask("192.168.9.2", 80) == "c1 saw 192.168.9.1"
        assert lab.pings("192.168.9.1", "c1")
        assert lab.pings("fd00:9::1", "c1")
        # the physical network -> eth0 -> br0 -> Container: where a port is forwarded, and nowhere else
        assert lab.ask("192.168.3.101", 8080, at=OUTSIDE) == "c1 saw 192.168.3.1"
        assert lab.ask("192.168.3.101", 8080) == "c1 saw 192.168.3.101"
        assert lab.ask("192.168.3.101", 8080, "c2").startswith("c1 saw 192.168.")
        # also to itself, whether or not br_netfilter, if it is there, has the bridge translate the frame
        for value in "01":
            lab.sh(f"! test -e {BRIDGED} || echo {value} >{BRIDGED}")
            assert lab.ask("192.168.3.101", 8080, "c1") == "c1 saw 192.168.9.1", value
            assert lab.ask("fd00:3::101", 8080, "c1") == "c1 saw fd00:9::1", value
        assert lab.ask("192.168.9.2", 80, at=OUTSIDE).startswith("nobody")
        assert not lab.pings("192.168.9.3", at=OUTSIDE)
    assert lab.sh("cat /etc/netns/c2/resolv.conf").splitlines()[1:] == [f"nameserver {NAMESERVER}"]
    # As the README has it: a service that serves all files, and in its /etc are the container's.
    serve = "(cd / && exec ip netns exec c2 python3 -m http.server 80) >/dev/null 2>&1 & echo $!"
    pid = lab.sh(serve).strip()
    assert lab.sh(FETCH).splitlines()[1:] == [f"nameserver {NAMESERVER}"]
    lab.sh(f"kill {pid}")

    # What somebody broke is mended, and a container keeps its address though another one comes first.
    lab.sh("ip link delete veth-c1; nft flush ruleset; echo 0 >/proc/sys/net/ipv4/ip_forward")
    lab.sh("nsenter --net=/run/netns/c2 ip address flush dev eth0 scope global; rm /etc/netns/c2/resolv.conf")
    (mended,) = lab.run(play((ROLE, PICTURE)))
    assert mended.topologies[0].operations
    assert lab.pings("192.168.3.1", "c1")
    assert lab.pings("192.168.3.1", "c2")
    assert lab.sh("cat /etc/netns/c2/resolv.conf").splitlines()[1:] == [f"nameserver {NAMESERVER}"]
    grown = {**PICTURE, "containers": [{"name": "c0"}, {"name": "c2"}]}
    lab.run(play((ROLE, {**grown, "port_forwards": []})))
    assert "192.168.9.3/24" in lab.sh("nsenter --net=/run/netns/c2 ip address show dev eth0")
    assert lab.sh("ls /run/netns").split() == ["c0", "c2"]
    assert not lab.goes("test -e /etc/netns")

    lab.converge((ROLE, NOTHING))
    assert lab.dump() == before


def test_two_of_them_in_one_play_do_not_disturb_each_other(lab: RoleHost) -> None:
    before = lab.dump()
    second = {"bridge": "br1", "gateway": "192.168.8.1/24", "containers": [{"name": "d1"}]}
    # A check run can't foretell both: what the first one would have made is not there for the second one.
    both = play((ROLE, PICTURE), (ROLE, second))
    _done, again = lab.run(both, both)
    assert again.changed == []
    assert lab.pings("192.168.3.1", "c1")
    assert lab.pings("192.168.3.1", "d1")
    assert not lab.pings("192.168.8.2", "c1")
    lab.run(play((ROLE, {**NOTHING, "bridge": "br1"})))
    assert lab.pings("192.168.3.1", "c1")
    lab.run(play((ROLE, NOTHING)))
    assert lab.dump() == before


def test_fifty_containers_and_twenty_port_forwards_take_one_topology(lab: RoleHost) -> None:
    containers = [{"name": f"c{number}"} for number in range(50)]
    forwards = [{"container": f"c{number}", "port": 8000 + number, "to_port": 80} for number in range(20)]
    done = lab.converge((ROLE, {"containers": containers, "port_forwards": forwards}))
    assert len(done.topologies) == 1
    assert len([word for word in done.topologies[0].operations if word.startswith("ip netns add")]) == 50
    with lab.service(80, "c19", "c19"):
        assert lab.ask("192.168.3.101", 8019, at=OUTSIDE) == "c19 saw 192.168.3.1"
    assert lab.pings("192.168.3.1", "c49")


BAD: list[tuple[dict[str, Any], list[str]]] = [
    (
        {"containers": [{"name": "c1", "address": "10.0.0.2"}]},
        ["_containers", "c1", "10.0.0.2", "not in 192.168.9.0/24"],
    ),
    ({"containers": [{"name": "c1"}, {"name": "c1"}]}, ["_containers", "two entries", "c1"]),
    (
        {"containers": [{"name": "c1", "address": "192.168.9.5"}, {"name": "c2", "address": "192.168.9.5"}]},
        ["_containers", "c1 and c2", "192.168.9.5"],
    ),
    ({"containers": [{"name": "c1", "address": "192.168.9.1"}]}, ["_containers", "the gateway's own"]),
    ({"containers": [{"name": "a/b"}]}, ["_containers", "a/b"]),
    ({"containers": [{"name": "c1", "nameservers": ["ns.example"]}]}, ["_containers", "c1", "ns.example"]),
    ({"containers": [{"name": "c1"}], "nameservers": ["ns.example"]}, ["_nameservers", "c1", "ns.example"]),
    ({"gateway": "192.168.9.1"}, ["_gateway", "prefix length"]),
    ({"gateway": "192.168.3.1/24"}, ["_gateway", "eth0", "192.168.3.0/24"]),
    ({"uplink": "eth7"}, ["_uplink", "no device 'eth7'"]),
    ({"uplink": "br0"}, ["_uplink", "own bridge"]),
    ({"port_forwards": [{"container": "x", "port": 80}]}, ["_port_forwards", "'x'", "none of"]),
    ({"containers": [{"name": "c1", "address6": "fd00:9::2"}]}, ["address6", "_gateway6"]),
]


def test_variables_that_can_not_be_are_refused_before_anything_changes(lab: RoleHost) -> None:
    before = lab.dump()
    runs = lab.run(*(refused(ROLE, variables) for variables, _words in BAD))
    assert len(runs) == len(BAD)
    for (variables, words), run in zip(BAD, runs):
        said = run.failed
        assert said, (variables, run)
        assert all(word in said for word in words), said
        assert "\n" not in said
    assert lab.dump() == before
    assert lab.lab.names() == [HOST, OUTSIDE]
