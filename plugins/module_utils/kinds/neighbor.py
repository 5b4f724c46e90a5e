# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""Permanent neighbors: the entries of ARP's and of IPv6's table that somebody set, as ip-neighbour(8) describes them.

And what a device answers for in place of those who have it: the proxies.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..rows import NTF_PROXY, Neighbor, RowKey
from ..state import Link
from ..values import BadValue, Bool, DeviceName, Ip, Mac
from . import kind_of
from .base import Option
from .row import NETNS, RowKind, Rows


class NeighborKind(RowKind):
    """Neighbors: see RowKind."""

    name, module, plural = "neighbor", "vnet_neighbor", "neighbors"
    required = ("device", "address")
    identity = (
        Option("device", DeviceName(), level="none"),
        Option("address", Ip(), level="none"),
        Option("proxy", Bool(), level="none"),
        NETNS,
    )
    options = (Option("mac", Mac(), level="none"),)

    def check(self, said: Mapping[str, Any], absent: bool) -> str | None:
        if said.get("proxy") and "mac" in said:
            return f"mac: with 'proxy' the device answers for {said['address']} with its own MAC address"
        return None

    def key(self, netns: str, said: Mapping[str, Any]) -> RowKey:
        return ("neighbor", netns, said["device"], said["address"], *(["proxy"] if said.get("proxy") else []))

    def has(self, row: Any) -> dict[str, Any]:
        return {"mac": row.mac}

    def wanted(self, key: RowKey, said: Mapping[str, Any], found: Any, rows: Rows, link: Link | None) -> Any:
        if said.get("proxy"):
            return Neighbor(said["address"], flags=NTF_PROXY)
        if "mac" not in said:
            raise BadValue(f"mac: there is no {self.words(key)}, and to make it this option is needed")
        if link and (link.kind == "loopback" or not kind_of(link.kind).carries_frames(link.attrs)):
            # The kernel would say yes, and keep one for 0.0.0.0 (arp_constructor() in net/ipv4/arp.c).
            raise BadValue(f"device: {key[2]} carries no Ethernet frames, and so has no neighbors")
        return Neighbor(said["address"], said["mac"])

    def shown(self, key: RowKey, row: Any) -> dict[str, Any]:
        place = {"netns": key[1]} if key[1] else {}
        said = {**({"mac": row.mac} if row.mac else {}), **({"proxy": True} if row.proxy else {})}
        return {"device": key[2], "address": row.address, **said, **place}

    def words(self, key: RowKey) -> str:
        return f"{'proxy' if key[4:] else 'permanent neighbor'} {key[3]} on {key[2]}"

    def brief(self, key: RowKey) -> str:
        return " ".join([*key[4:], key[3], "on", key[2]])

    def file_words(self, key: RowKey) -> list[str]:
        return list(key[2:])


NEIGHBOR = NeighborKind()
