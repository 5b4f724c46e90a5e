# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""veth pairs: two devices, each the other's wire."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ..values import Int
from .base import ADDRESSES, ADMIN_STATE, ALIAS, MAC, MASTER, MTU, LinkKind, Option


def check(options: Mapping[str, Any], _found: Mapping[str, Any] | None) -> str | None:
    """What can be said of options together."""
    peer = options.get("peer") or {}
    if peer.get("name") == options.get("name") and peer.get("netns", options.get("netns")) == options.get("netns"):
        return f"peer: name: {peer.get('name')!r} is the first end's own name, and both would be in one namespace"
    return None


VETH = LinkKind(
    name="veth",
    module="vnet_veth",
    plural="veths",
    needed=("peer",),
    check=check,
    paired=True,
    peer=(ADMIN_STATE, MTU, MAC, MASTER, ADDRESSES, ALIAS),
    options=(
        Option(
            "num_tx_queues",
            Int(1, 4096),
            "IFLA_NUM_TX_QUEUES",
            level="link",
            cli="numtxqueues {}",
            mutable=False,
            initial=os.cpu_count(),
        ),
        Option(
            "num_rx_queues",
            Int(1, 4096),
            "IFLA_NUM_RX_QUEUES",
            level="link",
            cli="numrxqueues {}",
            mutable=False,
            initial=os.cpu_count(),
        ),
    ),
)
