# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""Linux bridges, as net/bridge and `ip link help bridge` describe them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..values import Bool, Choice, DeviceName, Int, ListOf, Seconds
from .base import LinkKind, Option

RESTRICTED = 7
"""BR_GROUPFWD_RESTRICTED in net/bridge/br_private.h."""


def check(options: Mapping[str, Any], found: Mapping[str, Any] | None) -> str | None:
    """What can be said of options together."""
    name = options.get("name")
    claims = (
        ("ports", options.get("ports", ())),
        ("master", [options.get("master")]),
        ("uplink", [options.get("uplink")]),
    )
    for option, devices in claims:
        if name and name in devices:
            return f"{option}: {name!r} is the bridge itself, which can't be its own port"
    if options.get("uplink") and options.get("admin_state") == "down":
        return (
            f"uplink: {options['uplink']} would lose its connection to a bridge that is down: leave 'admin_state' out"
        )
    if options.get("group_fwd_mask", 0) & RESTRICTED:
        return f"group_fwd_mask: {options['group_fwd_mask']} has one of the bits 0 to 2 (STP, PAUSE, LACP), which the kernel never forwards"
    both = {**(found or {}), **options}
    if both.get("stp") and {"stp", "forward_delay", "max_age"} & set(options):
        delay, age = both.get("forward_delay", 15), both.get("max_age", 20)
        if delay < 2:
            return f"forward_delay: {delay} is not possible with 'stp', 802.1D wants 2 to 30 seconds"
        if "max_age" in options and age > 2 * (delay - 1):
            return f"max_age: {age} is not possible with 'stp', 802.1D wants at most 2 * (forward_delay - 1), which is {2 * (delay - 1)}"
    return None


BRIDGE = LinkKind(
    name="bridge",
    module="vnet_bridge",
    plural="bridges",
    # A bridge forgets the MTU of its creating request.
    late=("alias", "mtu"),
    check=check,
    holds_ports=True,
    # A port that joins with spanning tree on listens for twice forward_delay; one that forwards goes on forwarding.
    after_up=("stp",),
    options=(
        Option("ports", ListOf(DeviceName()), level="none"),
        Option("uplink", DeviceName(unset=True), level="none"),
        Option("stp", Bool(), "IFLA_BR_STP_STATE", cli="stp_state {}", initial=False),
        Option("priority", Int(0, 65535), "IFLA_BR_PRIORITY", initial=32768),
        Option("forward_delay", Seconds(0, 30), "IFLA_BR_FORWARD_DELAY", initial=15),
        Option("hello_time", Seconds(1, 10), "IFLA_BR_HELLO_TIME", initial=2),
        Option("max_age", Seconds(6, 40), "IFLA_BR_MAX_AGE", initial=20),
        Option("ageing_time", Seconds(0, 10_000_000), "IFLA_BR_AGEING_TIME", initial=300),
        Option("vlan_filtering", Bool(), "IFLA_BR_VLAN_FILTERING", initial=False),
        Option(
            "vlan_protocol", Choice({"802.1q": 0x8100, "802.1ad": 0x88A8}), "IFLA_BR_VLAN_PROTOCOL", initial="802.1q"
        ),
        Option("vlan_default_pvid", Int(0, 4094), "IFLA_BR_VLAN_DEFAULT_PVID", initial=1),
        Option("mcast_snooping", Bool(), "IFLA_BR_MCAST_SNOOPING", initial=True),
        Option("mcast_querier", Bool(), "IFLA_BR_MCAST_QUERIER", initial=False),
        Option("group_fwd_mask", Int(0, 65535), "IFLA_BR_GROUP_FWD_MASK", initial=0),
        Option("nf_call_iptables", Bool(), "IFLA_BR_NF_CALL_IPTABLES", initial=False),
        Option("nf_call_ip6tables", Bool(), "IFLA_BR_NF_CALL_IP6TABLES", initial=False),
    ),
)
