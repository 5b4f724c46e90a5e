# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""ipvlan and ipvtap devices: IP addresses of their own on another device, whose MAC address they share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..values import Choice
from .base import LINK_NETNS, PARENT, LinkKind, Option
from .macvlan import TAP


def check(options: Mapping[str, Any], _found: Mapping[str, Any] | None) -> str | None:
    """What can be said of options together."""
    if options.get("mac"):
        return "mac: an ipvlan device has that of its parent; a macvlan device has one of its own"
    return None


IPVLAN = LinkKind(
    name="ipvlan",
    module="vnet_ipvlan",
    plural="ipvlans",
    needed=("parent",),
    lower="parent",
    flat=True,
    exclusive=True,
    follows=("same mtu",),
    tap_info="ipvtap",
    shared=("mac", "mode", "flag"),
    late=("alias", "mtu"),
    check=check,
    options=(
        PARENT,
        LINK_NETNS,
        Option("mode", Choice({"l2": 0, "l3": 1, "l3s": 2}), "IFLA_IPVLAN_MODE", initial="l3"),
        Option("flag", Choice({"bridge": 0, "private": 1, "vepa": 2}), "IFLA_IPVLAN_FLAGS", cli="{}", initial="bridge"),
        TAP,
    ),
)
