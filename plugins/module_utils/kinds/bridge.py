# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""Linux bridges, as net/bridge and `ip link help bridge` describe them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..values import Bool, Choice, DeviceName, Int, ListOf, Seconds
from .base import BitOption, LinkKind, Option

LONGEST = 10_000_000
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
    if both.get("mcast_vlan_snooping") and found is not None and not both.get("vlan_filtering"):
        if "mcast_vlan_snooping" in options:
            return "mcast_vlan_snooping: it needs 'vlan_filtering'"
        return "vlan_filtering: it can't be turned off while 'mcast_vlan_snooping' is on: turn that off, too"
    return None


BOOLOPT = "IFLA_BR_MULTI_BOOLOPT"
"""Its bits are BR_BOOLOPT_* in linux/if_bridge.h."""

MULTICAST = (
    BitOption("mcast_vlan_snooping", Bool(), BOOLOPT, bit=1, since="5.15", initial=False),
    Option("mcast_router", Int(0, 2), "IFLA_BR_MCAST_ROUTER", initial=1),
    Option("mcast_query_use_ifaddr", Bool(), "IFLA_BR_MCAST_QUERY_USE_IFADDR", initial=False),
    Option("mcast_stats_enabled", Bool(), "IFLA_BR_MCAST_STATS_ENABLED", initial=False),
    Option("mcast_hash_max", Int(1, 2147483648), "IFLA_BR_MCAST_HASH_MAX", initial=4096),
    Option("mcast_igmp_version", Int(2, 3), "IFLA_BR_MCAST_IGMP_VERSION", initial=2),
    Option("mcast_mld_version", Int(1, 2), "IFLA_BR_MCAST_MLD_VERSION", initial=1),
    Option("mcast_last_member_count", Int(0, 4294967295), "IFLA_BR_MCAST_LAST_MEMBER_CNT", initial=2),
    Option("mcast_startup_query_count", Int(0, 4294967295), "IFLA_BR_MCAST_STARTUP_QUERY_CNT", initial=2),
    Option("mcast_last_member_interval", Seconds(0, LONGEST), "IFLA_BR_MCAST_LAST_MEMBER_INTVL", initial=1),
    Option("mcast_membership_interval", Seconds(0, LONGEST), "IFLA_BR_MCAST_MEMBERSHIP_INTVL", initial=260),
    Option("mcast_querier_interval", Seconds(0, LONGEST), "IFLA_BR_MCAST_QUERIER_INTVL", initial=255),
    # Newer kernels make it a second where it is less, without a word.
    Option("mcast_query_interval", Seconds(1, LONGEST), "IFLA_BR_MCAST_QUERY_INTVL", initial=125),
    Option("mcast_query_response_interval", Seconds(0, LONGEST), "IFLA_BR_MCAST_QUERY_RESPONSE_INTVL", initial=10),
    Option("mcast_startup_query_interval", Seconds(1, LONGEST), "IFLA_BR_MCAST_STARTUP_QUERY_INTVL", initial=31.25),
)
"""IGMP and MLD snooping, and the querier (RFC 3376 and 3810), in detail."""

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
        *MULTICAST,
        Option("group_fwd_mask", Int(0, 65535), "IFLA_BR_GROUP_FWD_MASK", initial=0),
        BitOption("no_linklocal_learn", Bool(), BOOLOPT, bit=0, since="5.0", initial=False),
        BitOption("mst_enabled", Bool(), BOOLOPT, bit=2, since="5.18", initial=False),
        Option("fdb_max_learned", Int(0, 4294967295), "IFLA_BR_FDB_MAX_LEARNED", since="6.8", initial=0),
        Option("vlan_stats_enabled", Bool(), "IFLA_BR_VLAN_STATS_ENABLED", initial=False),
        Option("nf_call_iptables", Bool(), "IFLA_BR_NF_CALL_IPTABLES", initial=False),
        Option("nf_call_ip6tables", Bool(), "IFLA_BR_NF_CALL_IP6TABLES", initial=False),
        Option("nf_call_arptables", Bool(), "IFLA_BR_NF_CALL_ARPTABLES", initial=False),
    ),
)
