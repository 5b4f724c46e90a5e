# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""VRF devices: a routing table of its own for the devices that are its ports."""

from __future__ import annotations

from dataclasses import replace

from ..rows import TABLES
from ..values import Int, Word
from .base import COMMON, MTU, LinkKind, Option

VRF_MTU = replace(MTU, type=Int(1280, 65575, " bytes"), initial=65575)
"""Packets only pass through it, so it takes the largest that there are (IP6_MAX_MTU)."""

VRF = LinkKind(
    name="vrf",
    module="vnet_vrf",
    plural="vrfs",
    needed=("table",),
    routes_ports=True,
    common=tuple(VRF_MTU if option is MTU else option for option in COMMON),
    options=(
        Option(
            "table",
            Word(1, 4294967295, {word: number for number, word in TABLES.items()}),
            "IFLA_VRF_TABLE",
            mutable=False,
        ),
    ),
)
