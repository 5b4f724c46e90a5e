# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""What somebody made and no option can say: a sentence for each thing. Pure: no I/O."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from . import netlink
from .info_words import KERNEL, expressible, not_said_of_route, of_ovs
from .kinds import BY_NETLINK, kind_of
from .read_rows import rule_value
from .state import Link, State, key_text

MADE_BY_MODULES = frozenset(
    {"erspan0", "gre0", "gretap0", "ip6_vti0", "ip6gre0", "ip6tnl0", "ip_vti0", "sit0", "tunl0"}
)
"""The devices that modules of the kernel make as they are loaded, in each namespace: net.core.fb_tunnels_only_for_init_net."""

NOT_MADE = ("", "loopback", "openvswitch")
"""Kinds of what nobody made, or what the bridges of Open vSwitch say."""


def links_left_out(state: State, names: Collection[str]) -> Iterator[str]:
    """Of the links in these namespaces: which ones no module makes as they are, and whose addresses have another end."""
    ends = {end.key for _kind, link, peer in expressible(state, names) for end in (link, peer) if end}
    datapaths = of_ovs(state)
    for key, link in sorted(state.links.items()):
        if link is None or (link.netns not in names and key not in ends):
            continue
        if key in ends:
            yield from (
                f"{key_text(key)}: the address {address.cidr} has the peer {address.peer}"
                for address in link.addresses
                if address.ours and address.peer
            )
        elif key not in datapaths and link.kind not in NOT_MADE and link.name not in MADE_BY_MODULES:
            yield f"{key_text(key)}: {why_no_module_makes(link)}"


def why_no_module_makes(link: Link) -> str:
    """What it is about a link that is none of those that can be made."""
    if link.kind not in BY_NETLINK:
        return f"its kind is '{link.kind}', which no module makes"
    if kind_of(link.kind).paired:
        return "its other end is in a namespace without a name"
    return "the device it stands on is in a namespace without a name"


def routes_left_out(netns: str, routes: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Of these routes, as they are shown."""
    for route in routes:
        why = not_said_of_route(route)
        if why:
            yield f"{within(netns)}the route to {route['destination']} of table {route['table']}: its {why}"


def rules_left_out(netns: str, messages: Iterable[Any]) -> Iterator[str]:
    """Of these rules, as the kernel tells them."""
    for message in messages:
        attrs = netlink.attributes_of(message)
        if attrs.get("FRA_PROTOCOL") != KERNEL and rule_value(message) is None:
            yield f"{within(netns)}the rule of priority {attrs.get('FRA_PRIORITY') or 0}: there is more to it than vnet_rule has options for"


def within(netns: str) -> str:
    """How a sentence about what has no name of its own begins."""
    return f"{netns}: " if netns else ""
