# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""VLAN devices (IEEE 802.1Q): the frames of one VLAN on another device, without their tag."""

from __future__ import annotations

from ..values import Choice, Int
from .base import LINK_NETNS, PARENT, LinkKind, Option

VLAN = LinkKind(
    name="vlan",
    module="vnet_vlan",
    plural="vlans",
    needed=("parent", "vid"),
    lower="parent",
    follows=("admin_state", "mtu"),
    # Its parent may get its own MTU in the same run.
    late=("alias", "mtu"),
    options=(
        PARENT,
        LINK_NETNS,
        Option(
            "protocol",
            Choice({"802.1q": 0x8100, "802.1ad": 0x88A8}),
            "IFLA_VLAN_PROTOCOL",
            mutable=False,
            initial="802.1q",
        ),
        Option("vid", Int(0, 4094), "IFLA_VLAN_ID", cli="id {}", mutable=False),
    ),
)
