# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo's topologies: which playbook on which hosts, and what has to cross them afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import demo_checks as check
import demo_pictures as picture
from throwaway_host import tun_problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from demo_checks import Crossing
    from throwaway_lab import Lab


@dataclass(frozen=True)
class Stage:
    """The playbook run with some variables, and what is tried on the hosts after it."""

    title: str
    try_out: Callable[[Lab], Iterator[Crossing]]
    variables: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Topology:
    """A playbook of the same name, the throwaway hosts for it, and its stages.

    ``limit`` are the hosts that the playbook is for, by default all. ``given`` are commands for what is not the
    playbook's to make: addresses and routes of real networks; ``routers`` forward already. ``inventories`` are those of the
    playbook, beside the lab's, and ``options`` are for ansible-playbook. ``obstacle`` says why the topology can't be shown
    here, or None.
    """

    name: str
    hosts: tuple[str, ...]
    stages: tuple[Stage, ...]
    limit: tuple[str, ...] = ()
    wires: tuple[str, ...] = ()
    given: tuple[tuple[str, str], ...] = ()
    routers: tuple[str, ...] = ()
    inventories: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    obstacle: Callable[[], str | None] = lambda: None

    @property
    def playbook(self) -> str:
        """The playbook's file name."""
        return f"{self.name}.yml"


def plugged(lab: Lab) -> Iterator[Crossing]:
    """Both ends have a carrier, and packets go both ways."""
    yield check.carrier(lab, "cable", "ns2", "veth-ns2", expected=True)
    yield check.answered(lab, "cable", "ns1", "192.168.1.2")
    yield check.answered(lab, "cable", "ns2", "192.168.1.1")


def unplugged(lab: Lab) -> Iterator[Crossing]:
    """The end that is up has no carrier, since the other is down."""
    yield check.carrier(lab, "cable", "ns2", "veth-ns2", expected=False)
    yield check.unanswered(lab, "cable", "ns2", "192.168.1.1")


def switched(lab: Lab) -> Iterator[Crossing]:
    """Each namespace reaches the next, and the bridge has learned all three."""
    for source, target in (("ns1", 2), ("ns2", 3), ("ns3", 1)):
        yield check.answered(lab, "switch", source, f"192.168.1.{target}")
    for name in ("ns1", "ns2", "ns3"):
        yield check.learned(lab, "switch", "linux-bridge", f"veth-{name}-br", name, f"veth-{name}")


def not_routed(lab: Lab) -> Iterator[Crossing]:
    """Nothing crosses the host, though it can reach both sides itself."""
    # Each half of the way works: that nothing comes back is the forwarding's doing.
    for gateway, outside in (("192.168.1.1", "10.0.2.2"), ("fd00:1::1", "fd00:2::2")):
        yield check.answered(lab, "router", "ns1", gateway)
        yield check.answered(lab, "router", "", outside)
        yield check.unanswered(lab, "router", "ns1", outside)


def routed(lab: Lab) -> Iterator[Crossing]:
    """Packets cross the host, in both directions and both families; and will after the next boot."""
    for name in ("ns1", "ns2"):
        for outside in ("10.0.2.2", "fd00:2::2"):
            yield check.answered(lab, "router", name, outside)
    for inside in ("192.168.1.3", "fd00:1::3"):
        yield check.answered(lab, "outside", "", inside)
    yield check.kept(
        lab,
        "router",
        "/etc/sysctl.d/30-ipforward.conf",
        ("net.ipv4.ip_forward=1", "net.ipv6.conf.default.forwarding=1", "net.ipv6.conf.all.forwarding=1"),
    )


def tapped(lab: Lab) -> Iterator[Crossing]:
    """An ARP request goes into one tap and out of the other; packets routed to the tun reach a program."""
    with check.program(lab, "taps", "guest", "tap1", "192.168.3.103") as guest:
        yield check.asked(lab, "taps", "tap0", "192.168.3.102", "192.168.3.103")
        yield guest.saw("arp: 192.168.3.102", "the request came out")
        yield check.answered(lab, "taps", "", "192.168.3.103")
        yield guest.saw("ping: from 192.168.3.101", "the pings reached the program")
    with check.program(lab, "taps", "far-end", "tun0") as far_end:
        yield check.answered(lab, "taps", "", "10.8.0.99")
        yield far_end.saw("packet: ", "the packets reached the program")


def overlaid(lab: Lab) -> Iterator[Crossing]:
    """Guests of two hosts are on one segment, with a router between the hosts but none between the guests."""
    yield check.answered(lab, "left", "guest", "192.168.100.2")
    yield check.answered(lab, "right", "guest", "192.168.100.1")
    # 1422 bytes, and 28 of headers: the overlay's whole MTU, and all that the underlay has room for.
    yield check.answered(lab, "left", "guest", "192.168.100.2", "-M", "do", "-s", "1422", note="1450 bytes, unbroken")
    yield check.expired(lab, "left", "10.2.0.1", note="the underlay has a router in between")
    yield check.answered(lab, "left", "guest", "192.168.100.2", "-t", "1", note="ttl 1: the overlay has none")


def both_hosts(lab: Lab) -> Iterator[Crossing]:
    """Every arrow of the two pictures that the roles are made from, by the names that it has there; and one that must not be."""
    tap1, tap2 = ("tap-vm1", "192.168.3.102/24", "192.168.3.1"), ("tap-vm2", "192.168.3.103/24", "192.168.3.1")
    with check.program(lab, "vmhost", "machine", *tap1) as vm1, check.program(lab, "vmhost", "machine", *tap2) as vm2:
        places = {
            "VirtualMachine1": ("vmhost", vm1.namespace(), "192.168.3.102"),
            "VirtualMachine2": ("vmhost", vm2.namespace(), "192.168.3.103"),
            "Host of the VMs": ("vmhost", "", "192.168.3.101"),
            "Physical Network": ("lan", "", "192.168.3.1"),
        }
        yield from check.arrows(lab, places)
    places = {
        "Container 1": ("nathost", "web", "192.168.9.2"),
        "Container 2": ("nathost", "db", "192.168.9.3"),
        "Host of the containers": ("nathost", "", "192.168.3.111"),
        "Physical Network": ("lan", "", "192.168.3.1"),
    }
    yield from check.arrows(lab, places, {("Physical Network", "Container 1"), ("Physical Network", "Container 2")})
    yield check.answered(lab, "nathost", "web", "192.168.9.1", note="its gateway")
    yield check.served(lab, ("nathost", "web", 80), ("lan", "", "192.168.3.111", 8080))
    yield check.answered(lab, "vmhost", "", "192.168.100.2", note="on the segment that both hosts share")


SWITCH = "/run/openvswitch"
SERVICE = "--pidfile --detach --no-chdir"

TOPOLOGIES = (
    Topology(
        name="veth_pair",
        hosts=("cable",),
        stages=(
            Stage("one end down", unplugged, {"first_state": "down"}),
            Stage("both ends up", plugged),
        ),
    ),
    Topology(
        name="bridge_three_namespaces",
        hosts=("switch",),
        stages=(Stage("", switched),),
    ),
    Topology(
        name="routed_host",
        hosts=("router", "outside"),
        limit=("router",),
        wires=("router:enp0s3=outside:eth0",),
        given=(
            # These addresses are nobody else's: without waiting to find that out, they can be used at once.
            ("router", "ip address add 10.0.2.15/24 dev enp0s3"),
            ("router", "ip address add fd00:2::15/64 dev enp0s3 nodad"),
            ("outside", "ip address add 10.0.2.2/24 dev eth0"),
            ("outside", "ip address add fd00:2::2/64 dev eth0 nodad"),
            ("outside", "ip route add 192.168.1.0/24 via 10.0.2.15"),
            ("outside", "ip -6 route add fd00:1::/64 via fd00:2::15"),
        ),
        stages=(
            Stage("forwarding off", not_routed, {"forwarding": "false"}),
            Stage("forwarding on", routed),
        ),
    ),
    Topology(
        name="nat_gateway",
        hosts=("gateway", "internet"),
        limit=("gateway",),
        wires=("gateway:eth0=internet:eth0",),
        given=(
            ("gateway", "ip address add 203.0.113.1/24 dev eth0"),
            ("gateway", "ip address add 2001:db8::1/64 dev eth0 nodad"),
            ("internet", "ip address add 203.0.113.2/24 dev eth0"),
            ("internet", "ip address add 2001:db8::2/64 dev eth0 nodad"),
            # It knows the way to the containers, and yet must not get in.
            ("internet", "ip route add 192.168.8.0/24 via 203.0.113.1"),
            ("internet", "ip -6 route add fd00:8::/64 via 2001:db8::1"),
        ),
        stages=(
            Stage("open to whoever knows the way", picture.open_to_all, {"isolate": "false"}),
            Stage("isolated", picture.isolated),
        ),
    ),
    Topology(
        name="taps_on_bridge",
        hosts=("taps",),
        stages=(Stage("", tapped),),
        obstacle=tun_problem,
    ),
    Topology(
        name="vxlan_two_hosts",
        hosts=("left", "middle", "right"),
        limit=("left", "right"),
        wires=("left:eth0=middle:left", "middle:right=right:eth0"),
        given=(
            ("left", "ip address add 10.1.0.1/24 dev eth0"),
            ("left", "ip route add default via 10.1.0.254"),
            ("middle", "ip address add 10.1.0.254/24 dev left"),
            ("middle", "ip address add 10.2.0.254/24 dev right"),
            ("right", "ip address add 10.2.0.1/24 dev eth0"),
            ("right", "ip route add default via 10.2.0.254"),
        ),
        routers=("middle",),
        stages=(Stage("", overlaid),),
    ),
    Topology(
        name="site",
        hosts=("vmhost", "nathost", "lan"),
        limit=("vmhost", "nathost"),
        wires=("vmhost:eth0=lan:vmhost", "nathost:eth0=lan:nathost"),
        given=(
            ("lan", "ip link add switch type bridge"),
            ("lan", "ip link set vmhost master switch"),
            ("lan", "ip link set nathost master switch"),
            ("lan", "ip address add 192.168.3.1/24 dev switch"),
            ("lan", "ip link set switch up"),
            # It knows the way to the containers, and yet must not get in.
            ("lan", "ip route add 192.168.9.0/24 via 192.168.3.111"),
            ("vmhost", "ip address add 192.168.3.101/24 dev eth0"),
            ("vmhost", "ip route add default via 192.168.3.1"),
            ("nathost", "ip address add 192.168.3.111/24 dev eth0"),
            ("nathost", "ip route add default via 192.168.3.1"),
        ),
        inventories=("playbooks/inventory",),
        # A throwaway host has all that the modules need, and nothing that configures its eth0 at boot.
        options=("--skip-tags", "prerequisites"),
        # Of two that are kept on one host, each foretells the service that the first one then brings.
        stages=(Stage("", both_hosts, {"bridged_vm_host_persist": "false", "vxlan_overlay_persist": "false"}),),
        obstacle=tun_problem,
    ),
    Topology(
        name="macvlan_modes",
        hosts=("station", "reflector"),
        limit=("station",),
        wires=("station:eth0=reflector:port",),
        given=(
            ("reflector", "ip link add switch type bridge"),
            ("reflector", "ip link set port master switch"),
            ("reflector", "ip link set switch up"),
            ("reflector", "ip address add 192.168.5.254/24 dev switch"),
        ),
        stages=(
            Stage("private: nobody to the other", picture.private, {"mode": "private"}),
            Stage("bridge: each to the other", picture.among_themselves, {"mode": "bridge"}),
            Stage("vepa: through the switch only", picture.by_the_switch, {"mode": "vepa"}),
        ),
        obstacle=lambda: picture.lacks("macvlan"),
    ),
    Topology(
        name="bridge_two_vlans",
        hosts=("vlans",),
        stages=(Stage("", picture.in_two_vlans),),
        obstacle=lambda: picture.lacks("bridge", "vlan_filtering", "1"),
    ),
    Topology(
        name="multicast_snooping",
        hosts=("groups",),
        stages=(
            Stage("a switch that floods", picture.to_all, {"snooping": "false"}),
            Stage("a switch that snoops", picture.to_members),
        ),
        obstacle=lambda: picture.lacks("bridge", "mcast_snooping", "1"),
    ),
    Topology(
        name="arp_and_fdb_tables",
        hosts=("tables",),
        stages=(Stage("", picture.said_and_learned),),
    ),
    Topology(
        name="vxlan_multicast",
        hosts=("near", "far"),
        wires=("near:eth0=far:eth0",),
        given=(
            ("near", "ip address add 10.3.0.1/24 dev eth0"),
            ("far", "ip address add 10.3.0.2/24 dev eth0"),
        ),
        stages=(Stage("", picture.grouped),),
    ),
    Topology(
        name="vxlan_static_fdb",
        hosts=("west", "east"),
        wires=("west:eth0=east:eth0",),
        given=(
            ("west", "ip address add 10.4.0.1/24 dev eth0"),
            ("east", "ip address add 10.4.0.2/24 dev eth0"),
        ),
        stages=(Stage("", picture.told_everything),),
    ),
    Topology(
        name="geneve_two_hosts",
        hosts=("north", "south"),
        wires=("north:eth0=south:eth0",),
        given=(
            ("north", "ip address add 10.5.0.1/24 dev eth0"),
            ("south", "ip address add 10.5.0.2/24 dev eth0"),
        ),
        stages=(Stage("", picture.tunnelled),),
        obstacle=lambda: picture.lacks("geneve"),
    ),
    Topology(
        name="ovs_namespaces",
        hosts=("openvswitch",),
        given=(
            ("openvswitch", "mkdir -p /run/openvswitch"),
            ("openvswitch", f"ovsdb-tool create {SWITCH}/conf.db /usr/share/openvswitch/vswitch.ovsschema"),
            (
                "openvswitch",
                f"ovsdb-server {SWITCH}/conf.db --remote=punix:{SWITCH}/db.sock --log-file={SWITCH}/db.log {SERVICE}",
            ),
            ("openvswitch", "ovs-vsctl --no-wait init"),
            ("openvswitch", f"ovs-vswitchd --log-file={SWITCH}/switch.log {SERVICE}"),
        ),
        # In user space, as that works with every kernel.
        stages=(Stage("", picture.on_open_vswitch, {"datapath": "netdev"}),),
        obstacle=picture.switch_problem,
    ),
)
