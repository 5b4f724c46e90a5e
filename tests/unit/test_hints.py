# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do about refusals of the kernel whose own words say too little."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils.attachments import AltnameAdd, RowAdd, RowReplace
from ansible_collections.linuxnet.vnet.plugins.module_utils.hints import hint_for
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.bridge import BRIDGE
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.macvlan import MACVLAN
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.vlan import VLAN
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.vxlan import VXLAN
from ansible_collections.linuxnet.vnet.plugins.module_utils.link_operations import LinkAdd, LinkSet
from ansible_collections.linuxnet.vnet.plugins.module_utils.operations import SysctlSet
from ansible_collections.linuxnet.vnet.plugins.module_utils.port_operations import VlanAdd
from ansible_collections.linuxnet.vnet.plugins.module_utils.rows import Fdb, Route
from ansible_collections.linuxnet.vnet.plugins.module_utils.state import Vlan

if TYPE_CHECKING:
    from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.base import LinkKind
    from ansible_collections.linuxnet.vnet.plugins.module_utils.operations import Operation


@pytest.mark.parametrize(
    ("kind", "options", "code", "words"),
    [
        (BRIDGE, {}, errno.EEXIST, "a device of that name came up meanwhile"),
        (VXLAN, {"vni": 7}, errno.EEXIST, "or is a vxlan of the same vni: see 'ip -d link show type vxlan'"),
        (VLAN, {"parent": "p", "vid": 7}, errno.EEXIST, "or is a vlan of the same parent and vid"),
        (
            MACVLAN,
            {"mode": "passthru"},
            errno.EINVAL,
            "in this mode it has the device under it to itself: see by 'ip -d link'",
        ),
        (MACVLAN, {"mode": "bridge"}, errno.EINVAL, "another device may have the device under it to itself"),
        (VXLAN, {"vni": 7}, errno.EOPNOTSUPP, "lacks one of these options: 'modprobe vxlan' tells which"),
        (BRIDGE, {}, errno.EINVAL, ""),
    ],
)
def test_a_refusal_to_make_a_device_comes_with_its_likely_reason(
    kind: LinkKind, options: dict[str, Any], code: int, words: str
) -> None:
    hint = hint_for(LinkAdd("", "new", kind, options), code)
    assert words in hint
    assert bool(words) == bool(hint)


ROUTE = Route("10.0.0.0/8", 4, gateway="192.0.2.1")
OF_VLAN = Fdb("02:00:00:00:00:09", vlan=7, master=True)


@pytest.mark.parametrize(
    ("operation", "code", "words"),
    [
        (LinkSet("", "p1", "veth", {"master": "br0"}), errno.EBUSY, "it is a port of Open vSwitch, or carries devices"),
        (LinkSet("", "p1", "veth", {"mtu": 9000}), errno.EBUSY, "a program or another device holds it"),
        (LinkSet("", "vx1", "vxlan", {"admin_state": "up"}), errno.EADDRINUSE, "its 'dstport' is that of another"),
        (AltnameAdd("", "p1", "p2"), errno.EEXIST, "another device has that name already"),
        (VlanAdd("", "p1", Vlan(7)), errno.EOPNOTSUPP, "has no VLANs of bridges"),
        (RowAdd("", "", ROUTE), errno.ENETUNREACH, "no address of a device leads to the gateway"),
        (RowReplace("", "", ROUTE, ROUTE), errno.ENETDOWN, "the device has to be up"),
        (SysctlSet("", "net.ipv4.conf.eth0/7.rp_filter", "1"), errno.ENOENT, "no such device is there"),
        (SysctlSet("", "net.ipv4.conf.all.nothing", "1"), errno.ENOENT, "has no such key, or its module isn't loaded"),
        (RowAdd("", "", ROUTE), errno.EINVAL, ""),
        (RowAdd("", "p1", OF_VLAN), errno.EINVAL, "p1 has to carry VLAN 7 for that"),
        (RowAdd("", "p1", OF_VLAN._replace(vlan=0)), errno.EINVAL, ""),
    ],
)
def test_a_refusal_of_anything_else_too(operation: Operation, code: int, words: str) -> None:
    hint = hint_for(operation, code)
    assert words in hint
    assert bool(words) == bool(hint)
