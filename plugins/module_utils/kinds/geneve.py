# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""GENEVE devices (RFC 8926), as drivers/net/geneve.c and `ip link help geneve` describe them."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..values import Bool, Choice, Flag, Int, Ip, Word
from .base import LINK_NETNS, Attributes, FlowLabel, LinkKind, Option


class Remote(Option):
    """The other end of the tunnel: it can move, but not from one address family to the other."""

    def is_fixed(self, value: Any, found: Any) -> bool:
        return (":" in str(value)) != (":" in str(found or "."))

    def read(self, attrs: Mapping[str, Any]) -> Any:
        address = super().read(attrs)
        return "" if not address or ipaddress.ip_address(address).is_unspecified else address


class Ttl(Option):
    """A hop limit, `auto` (the kernel's zero), or `inherit`, which is an attribute of its own."""

    def read(self, attrs: Mapping[str, Any]) -> Any:
        return "inherit" if attrs.get("IFLA_GENEVE_TTL_INHERIT") else super().read(attrs)

    def write(self, value: Any, found: Mapping[str, Any]) -> Attributes:
        return [("IFLA_GENEVE_TTL_INHERIT", 1)] if value == "inherit" else super().write(value, found)


class Checksum(Option):
    """UDP checksums: over IPv4 an attribute says that there are some, over IPv6 two others that there are none."""

    def read(self, attrs: Mapping[str, Any]) -> Any:
        without = attrs.get("IFLA_GENEVE_UDP_ZERO_CSUM6_TX")
        return super().read(attrs) if without is None else not without

    def write(self, value: Any, found: Mapping[str, Any]) -> Attributes:
        without = [("IFLA_GENEVE_UDP_ZERO_CSUM6_TX", 1), ("IFLA_GENEVE_UDP_ZERO_CSUM6_RX", 1)]
        return [*super().write(value, found), *([] if value else without)]


OF_PACKETS = ("vni", "remote", "ttl", "tos", "label", "udp_csum")
"""What an `external` device takes from the metadata of each packet."""


def check(options: Mapping[str, Any], found: Mapping[str, Any] | None) -> str | None:
    """What can be said of options together."""
    both = {**(found or {}), **options}
    if options.get("external", (found or {}).get("external")):
        for name in OF_PACKETS:
            if options.get(name) not in (None, 0, "auto", "", False):
                return f"{name}: an 'external' device takes it from each packet's metadata, so it has none of its own"
    elif found == {} and not both.get("remote"):
        return "remote: a GENEVE device that is not 'external' needs the address of the other end"
    elif both.get("label") and both.get("remote") and ":" not in both["remote"]:
        return f"label: only packets over IPv6 have one, and the other end is {both['remote']}"
    return None


GENEVE = LinkKind(
    name="geneve",
    module="vnet_geneve",
    plural="geneves",
    unique=("vni",),
    tunnels=True,
    needed=("vni|external",),
    late=("alias", "mtu"),
    retold=("vni", "remote"),
    check=check,
    options=(
        Option("vni", Int(0, 16777215), "IFLA_GENEVE_ID", cli="id {}", mutable=False, initial=0),
        Remote("remote", Ip(multicast=False), "IFLA_GENEVE_REMOTE", "IFLA_GENEVE_REMOTE6"),
        # The kernel tells nobody where it is.
        replace(LINK_NETNS, create_only=True),
        Option("dstport", Int(1, 65535), "IFLA_GENEVE_PORT", new=6081, mutable=False),
        Ttl("ttl", Word(0, 255, {"auto": 0, "inherit": -1}), "IFLA_GENEVE_TTL", initial="auto"),
        Option("tos", Word(0, 255, {"inherit": 1}), "IFLA_GENEVE_TOS", initial=0),
        FlowLabel("label", Int(0, 1048575), "IFLA_GENEVE_LABEL", initial=0),
        Option("df", Choice({"unset": 0, "set": 1, "inherit": 2}), "IFLA_GENEVE_DF", initial="unset"),
        Checksum("udp_csum", Bool(), "IFLA_GENEVE_UDP_CSUM", cli="udpcsum|noudpcsum", mutable=False),
        Option(
            "external",
            Flag(),
            "IFLA_GENEVE_COLLECT_METADATA",
            cli="external|noexternal",
            mutable=False,
            initial=False,
            displaces=OF_PACKETS,
        ),
    ),
)
