# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A failure at any point of a plan leaves the host exactly as it was."""

from __future__ import annotations

import errno
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils import engine
from ansible_collections.linuxnet.vnet.plugins.module_utils.apply import Applier, Failed
from ansible_collections.linuxnet.vnet.plugins.module_utils.desired import (
    Want,
    forward_want,
    link_want,
    namespace_want,
    row_want,
)
from ansible_collections.linuxnet.vnet.plugins.module_utils.errors import KernelError
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.bridge import BRIDGE
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.link import LINK
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.macvlan import MACVLAN
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.route import ROUTE
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.tuntap import TUNTAP
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.veth import VETH
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.vxlan import VXLAN
from ansible_collections.linuxnet.vnet.tests.unit.kernel.throwaway_kernel import (
    differences,
    dump,
    ip,
    needs_root,
    on_a_new_host,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ansible_collections.linuxnet.vnet.plugins.module_utils.operations import Operation

pytestmark = needs_root

A_HOST: tuple[Want, ...] = (
    namespace_want({"name": "old"}),
    namespace_want({"name": "web"}),
    link_want(BRIDGE, {"name": "br0", "addresses": ["10.0.0.1/24", "10.0.0.2/24", "2001:db8::1/64"], "alias": "lan"}),
    link_want(
        VETH,
        {
            "name": "ve0",
            "master": "br0",
            "altnames": ["first"],
            "peer": {"name": "eth0", "netns": "web", "addresses": ["10.0.0.3/24", "2001:db8::3/64"], "mtu": 1400},
        },
    ),
    link_want(TUNTAP, {"name": "tap0", "mode": "tap", "owner": "root", "master": "br0"}),
    link_want(VXLAN, {"name": "vx0", "vni": 7, "dstport": 4790, "remotes": ["10.9.9.8", "10.9.9.9"]}),
    link_want(VETH, {"name": "ve1", "peer": {"name": "ve2"}}),
)

ANOTHER: tuple[Want, ...] = (
    namespace_want({"name": "new", "sysctl": {"net.ipv4.ip_forward": True, "net.ipv4.conf.lo.forwarding": False}}),
    namespace_want({"name": "old", "state": "absent"}),
    link_want(BRIDGE, {"name": "br0", "addresses": ["10.0.0.2/24"], "alias": "", "mtu": 1300, "stp": True}),
    link_want(BRIDGE, {"name": "br1", "netns": "new", "mac": "02:00:00:00:00:01", "mtu": 1500}),
    link_want(
        VETH,
        {
            "name": "ve0",
            "altnames": ["second"],
            "mtu": 1450,
            "admin_state": "down",
            "peer": {"name": "moved", "netns": "new", "master": "br1", "addresses": ["10.0.0.4/24"]},
        },
    ),
    link_want(TUNTAP, {"name": "tap0", "mode": "tap", "owner": 1, "multi_queue": True, "recreate": True, "mtu": 1400}),
    link_want(VXLAN, {"name": "vx0", "vni": 8, "recreate": True, "remotes": ["10.9.9.7"], "ttl": 9}),
    link_want(VETH, {"name": "ve1", "state": "absent"}),
    forward_want({"ipv4": True, "ipv6": True, "sysctl_file": "/etc/sysctl.d/30-ipforward.conf"}),
)


class Fault:
    """Lets the kernel refuse the operation of this number, once; the undoing goes through."""

    def __init__(self, number: int) -> None:
        self.left = number
        self._carry_out = Applier.carry_out
        Applier.carry_out = self  # type: ignore[method-assign, assignment]

    def __get__(self, applier: Applier, _class: Any) -> Any:
        def carry_out(operation: Operation) -> None:
            self.left -= 1
            if self.left == -1:
                raise KernelError(errno.EIO, "injected")
            self._carry_out(applier, operation)

        return carry_out

    def remove(self) -> None:
        Applier.carry_out = self._carry_out  # type: ignore[method-assign]


def every_fault(first: tuple[Want, ...], commands: Iterable[str], then: tuple[Want, ...], at_least: int) -> None:
    engine.run(first)
    for command in commands:
        netns, *words = command.split(" ")
        ip(netns, *words)
    before = dump()
    operations = engine.run(then, check=True).operations
    assert len(operations) >= at_least
    for number, operation in enumerate(operations):
        fault = Fault(number)
        with pytest.raises(Failed, match="injected") as caught:
            engine.run(then)
        fault.remove()
        assert operation in str(caught.value)
        assert caught.value.undone, caught.value
        assert differences(before, dump()) == [], f"not undone after {operation}"
    assert engine.run(then).operations == operations
    assert engine.run(then).operations == []


ROUTES = (
    " route add 172.16.0.0/12 via 10.0.0.9 src 10.0.0.2 mtu lock 1300",
    " route add 172.15.0.0/16 via inet6 fe80::1 dev br0",
    "web route add default via 10.0.0.1",
    "web route add default via 2001:db8::1",
)


def test_a_fault_at_any_operation_leaves_the_host_as_it_was() -> None:
    on_a_new_host(every_fault, A_HOST, ROUTES, ANOTHER, 15)


A_BRIDGE = (
    namespace_want({"name": "web"}),
    link_want(VETH, {"name": "port", "peer": {"name": "far"}}),
    link_want(VETH, {"name": "small", "mtu": 1200, "peer": {"name": "other"}}),
    link_want(BRIDGE, {"name": "b", "ports": ["port"], "addresses": ["10.0.0.1/24", "2001:db8::1/64"]}),
)
ON_IT = (
    " link add link b name stands type macvlan mode bridge",
    " link add link b name afar netns web type macvlan mode bridge",
    " link set stands up",
    " address add 2001:db8:1::1/64 dev stands nodad",
    " route add 2001:db8:2::/64 via 2001:db8:1::2 dev stands",
    "web link set afar up",
    "web address add 2001:db8:3::1/64 dev afar nodad",
)
LOWERS_IT = (
    link_want(VETH, {"name": "port", "mtu": 1400, "peer": {"name": "far"}}),
    link_want(VETH, {"name": "port", "mtu": 1200, "peer": {"name": "far"}}),
    link_want(VETH, {"name": "small", "master": "b", "peer": {"name": "other"}}),
    link_want(VETH, {"name": "new", "mtu": 1200, "master": "b", "peer": {"name": "end"}}),
    link_want(BRIDGE, {"name": "b", "ports": ["port", "small"]}),
    link_want(BRIDGE, {"name": "b", "mtu": 1200}),
)


@pytest.mark.parametrize("want", LOWERS_IT, ids=["port", "port_below_ipv6", "joins", "new", "ports", "itself"])
def test_what_stands_on_a_bridge_has_its_mtu_again(want: Want) -> None:
    # A bridge follows its smallest port, without being told.
    on_a_new_host(
        every_fault, A_BRIDGE, ON_IT, (want, row_want(ROUTE, {"destination": "10.7.0.0/16", "type": "blackhole"})), 2
    )


A_PARENT = (
    namespace_want({"name": "web"}),
    link_want(VETH, {"name": "far", "peer": {"name": "parent", "netns": "web"}}),
    link_want(MACVLAN, {"name": "stands", "netns": "web", "parent": "parent", "mac": "02:00:00:00:00:07"}),
)
MOVED = (
    link_want(VETH, {"name": "far", "peer": {"name": "parent", "netns": ""}}),
    row_want(ROUTE, {"destination": "10.7.0.0/16", "type": "blackhole"}),
)


def every_fault_of_a_parent_that_moves() -> None:
    every_fault(A_PARENT, (), MOVED, 2)
    assert any("02:00:00:00:00:07" in str(entry) for entry in dump()[""]["fdb"]), "the device on it hears nothing"


def test_what_stands_on_a_device_that_moves_goes_on_to_hear_its_frames() -> None:
    on_a_new_host(every_fault_of_a_parent_that_moves)


A_ROUTER = (namespace_want({"name": "r"}), link_want(BRIDGE, {"name": "b", "netns": "r", "addresses": ["10.9.0.1/24"]}))
TO_NOWHERE = (
    "r route add unreachable 2001:db8:1::/48",
    "r -6 route add blackhole default metric 9 table 77",
    "r route add prohibit 10.1.0.0/16",
)
WANTED = row_want(ROUTE, {"netns": "r", "destination": "2001:db8:1::/48", "type": "unreachable"})
WITHOUT_LOOPBACK = (
    namespace_want({"name": "r", "loopback": False}),
    link_want(LINK, {"name": "lo", "netns": "r", "admin_state": "down"}),
)


@pytest.mark.parametrize("want", WITHOUT_LOOPBACK, ids=["vnet_netns", "vnet_link"])
@pytest.mark.parametrize("others", [(), (WANTED,)], ids=["", "with a route"])
def test_ipv6_routes_to_nowhere_go_with_the_loopback_device(want: Want, others: tuple[Want, ...]) -> None:
    # In the kernel they are routes over `lo`, unlike those of IPv4.
    more = link_want(BRIDGE, {"name": "b", "netns": "r", "alias": "later"})
    on_a_new_host(every_fault, A_ROUTER, TO_NOWHERE, (want, more, *others), 2)


A_GUEST = (
    namespace_want({"name": "g"}),
    link_want(
        VETH, {"name": "v.1", "netns": "g", "addresses": ["10.9.0.1/24", "2001:db8::1/64"], "peer": {"name": "w"}}
    ),
    row_want(ROUTE, {"netns": "g", "destination": "2001:db8:1::/48", "gateway": "2001:db8::2"}),
)


def without_ipv6(key: str) -> None:
    """One device has none already, and will have none when it is undone; nor will those that are yet to come."""
    engine.run(A_GUEST)
    write = "ip netns exec g sysctl -qw net.ipv6.conf.default.disable_ipv6=1"
    subprocess.run(write.split(), check=True)
    ip("g", "link", "add", "q", "type", "bridge")
    then = (
        namespace_want({"name": "g", "sysctl": {f"net.ipv6.conf.{key}.disable_ipv6": 1}}),
        link_want(BRIDGE, {"name": "q", "netns": "g", "alias": "later"}),
    )
    said = f"the sysctl net.ipv6.conf.{key}.disable_ipv6 takes 2001:db8::1/64 of v.1 away, and the IPv6 routes that lead there"
    assert engine.run(then, check=True).warnings == [said]
    every_fault((), (), then, 2)
    assert "2001:db8::1" not in str(dump()["g"]["links"]["v.1"])


@pytest.mark.parametrize("key", ["all", "v/1"])
def test_what_goes_with_ipv6_comes_back(key: str) -> None:
    on_a_new_host(without_ipv6, key)
