# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""TUN and TAP devices, made persistent through /dev/net/tun."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..values import Account, Bool, Choice
from .base import LinkKind, Option


def carries_frames(attrs: Mapping[str, Any]) -> bool:
    """Whether a bridge can take it as a port."""
    return attrs.get("mode") != "tun"


def check(options: Mapping[str, Any], found: Mapping[str, Any] | None) -> str | None:
    """What can be said of options together."""
    if options.get("mode", (found or {}).get("mode")) == "tun":
        for option in ("mac", "master"):
            if options.get(option):
                return f"{option}: a tun device carries IP packets and no Ethernet frames, so it has no MAC and can't be a port"
    return None


TUNTAP = LinkKind(
    name="tuntap",
    info="tun",
    module="vnet_tuntap",
    plural="tuntaps",
    needed=("mode",),
    late=("alias", "mtu", "mac", "master"),
    by_ioctl=True,
    check=check,
    carries_frames=carries_frames,
    options=(
        Option("mode", Choice({"tun": 1, "tap": 2}), "IFLA_TUN_TYPE", mutable=False),
        Option("owner", Account(), "IFLA_TUN_OWNER", cli="user {}", clearable=False),
        Option("group", Account(group=True), "IFLA_TUN_GROUP", clearable=False),
        Option("multi_queue", Bool(), "IFLA_TUN_MULTI_QUEUE", cli="multi_queue|", mutable=False, initial=False),
        # These two become what the last program to attach asked for, and stay so.
        Option("vnet_hdr", Bool(), "IFLA_TUN_VNET_HDR", cli="vnet_hdr|", create_only=True, initial=False),
        Option("packet_info", Bool(), "IFLA_TUN_PI", cli="pi|", new=False, create_only=True),
    ),
)
