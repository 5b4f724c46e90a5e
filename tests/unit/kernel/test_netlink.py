# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Netlink as the running kernel speaks it: its own sentences in our errors."""

from __future__ import annotations

import errno
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils import generic_netlink, netlink
from ansible_collections.linuxnet.vnet.plugins.module_utils.errors import KernelError
from ansible_collections.linuxnet.vnet.tests.unit.kernel.throwaway_kernel import ip, needs_root, on_a_new_host

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = needs_root

MAKE = netlink.NLM_F_CREATE | netlink.NLM_F_EXCL


def device(name: str, kind: str, **data: Any) -> bytes:
    info: list[tuple[str, Any]] = [("IFLA_INFO_KIND", kind)]
    info += [("IFLA_INFO_DATA", {"attrs": list(data.items())})] if data else []
    return netlink.link_message([("IFLA_IFNAME", name), ("IFLA_LINKINFO", {"attrs": info})])


def address(cidr: str, index: int) -> bytes:
    host, prefix = cidr.split("/")
    fields = {"family": 2, "prefixlen": int(prefix), "index": index}
    return netlink.address_message(fields, [("IFA_LOCAL", host), ("IFA_ADDRESS", host)])


def refusal(request: bytes, kind: int, flags: int = 0) -> KernelError:
    with closing(netlink.Socket()) as sock, pytest.raises(KernelError) as caught:
        sock.request(request, kind, flags)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("the kernel says '")
    return caught.value


def vni_too_large() -> None:
    said = refusal(device("x", "vxlan", IFLA_VXLAN_ID=1 << 24), netlink.RTM_NEWLINK, MAKE)
    assert (said.code, said.said) == (errno.ERANGE, "VXLAN ID must be lower than 16777216")
    assert str(said) == "the kernel says 'VXLAN ID must be lower than 16777216' (ERANGE)"


def name_taken() -> None:
    ip("", "link", "add", "x", "type", "bridge")
    said = refusal(device("x", "bridge"), netlink.RTM_NEWLINK, MAKE)
    assert str(said) == "the kernel says 'File exists' (EEXIST)"


def no_such_kind() -> None:
    said = refusal(device("x", "nosuchkind"), netlink.RTM_NEWLINK, MAKE)
    assert said.code == errno.EOPNOTSUPP
    assert said.said == "Unknown device type"


def mtu_out_of_bounds() -> None:
    ip("", "link", "add", "x", "type", "bridge")
    with closing(netlink.Socket()) as sock:
        found = sock.link(name="x")
    assert found
    said = refusal(netlink.link_message([("IFLA_MTU", 67)], found.index), netlink.RTM_NEWLINK)
    assert (said.code, said.said) == (errno.EINVAL, "mtu less than device minimum")


def no_such_device() -> None:
    assert refusal(address("10.0.0.1/24", 4711), netlink.RTM_NEWADDR, MAKE).code == errno.ENODEV
    with closing(netlink.Socket()) as sock:
        assert sock.link(name="x") is None
        assert sock.link(index=4711) is None
        assert sock.link(name="a-name-of-more-than-fifteen-bytes") is None


def after_a_refusal_the_next_answer_is_the_next_request_s() -> None:
    with closing(netlink.Socket()) as sock:
        for _attempt in range(3):
            with pytest.raises(KernelError):
                sock.request(device("x", "vxlan", IFLA_VXLAN_ID=1 << 24), netlink.RTM_NEWLINK, MAKE)
            found = sock.link(name="lo")
            assert found
            assert (found.name, found.kind) == ("lo", "loopback")
        assert [link.name for link in sock.links()] == ["lo"]


def all_that_was_told_is_read() -> None:
    ip("", "link", "add", "ve0", "type", "veth", "peer", "name", "ve1")
    ip("", "link", "property", "add", "dev", "ve0", "altname", "an-alternative-name-that-is-long")
    ip("", "link", "add", "br0", "type", "bridge")
    ip("", "link", "set", "ve0", "master", "br0")
    with closing(netlink.Socket()) as sock:
        found = sock.link(name="an-alternative-name-that-is-long")
        bridge = sock.link(name="br0")
        assert found
        assert bridge
        assert (found.name, found.kind, found.altnames) == ("ve0", "veth", ("an-alternative-name-that-is-long",))
        assert found.number(netlink.IFLA_MASTER) == bridge.index
        assert [port.name for port in sock.links(master=bridge.index)] == ["ve0"]
        assert not found.has_xdp


def a_family_of_generic_netlink_is_there_or_not() -> None:
    assert generic_netlink.has_family("nlctrl")  # that of the families themselves
    assert not generic_netlink.has_family("no_such_family")


@pytest.mark.parametrize(
    "scenario",
    [
        vni_too_large,
        name_taken,
        no_such_kind,
        mtu_out_of_bounds,
        no_such_device,
        after_a_refusal_the_next_answer_is_the_next_request_s,
        all_that_was_told_is_read,
        a_family_of_generic_netlink_is_there_or_not,
    ],
)
def test_the_kernel_is_quoted_in_its_own_words(scenario: Callable[[], None]) -> None:
    on_a_new_host(scenario)
