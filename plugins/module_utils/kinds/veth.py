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


# Told no number, the kernel makes as many queues as there are processors, and then takes all but one out of use again: on both ends of each
# pair that waits until no processor can be using them any more, which costs as much time as all else, and their memory stays.
VETH = LinkKind(
    name="veth",
    module="vnet_veth",
    plural="veths",
    needed=("peer",),
    check=check,
    paired=True,
    peer=(ADMIN_STATE, MTU, MAC, MASTER, ADDRESSES, ALIAS),
    # What one end sends in many queues, the other receives in as many.
    mirrored={"num_tx_queues": "num_rx_queues", "num_rx_queues": "num_tx_queues"},
    options=(
        Option(
            "num_tx_queues",
            Int(1, 4096),
            "IFLA_NUM_TX_QUEUES",
            level="link",
            cli="numtxqueues {}",
            new=1,
            mutable=False,
            initial=os.cpu_count(),
        ),
        Option(
            "num_rx_queues",
            Int(1, 4096),
            "IFLA_NUM_RX_QUEUES",
            level="link",
            silent=True,  # without CONFIG_RPS
            cli="numrxqueues {}",
            new=1,
            mutable=False,
            initial=os.cpu_count(),
        ),
    ),
)
