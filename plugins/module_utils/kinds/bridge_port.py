# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""What a bridge is told of its ports, as net/bridge/br_netlink.c and bridge(8) describe it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..state import Link, Vlan
from ..values import BadValue, Bool, DeviceName, Int, NetnsName, Type
from .base import Option


class Vlans(Type):
    """VLANs of a port, each a number or a range; canonical is a sorted tuple of Vlan, one for each number."""

    spec: Mapping[str, Any] = {
        "type": "list",
        "elements": "dict",
        "options": {
            "vid": {"type": "str", "required": True},
            "pvid": {"type": "bool", "default": False},
            "untagged": {"type": "bool", "default": False},
            "tunnel_id": {"type": "str"},
        },
    }

    def parse(self, value: Any) -> tuple[Vlan, ...]:
        found: dict[int, Vlan] = {}
        for entry in value:
            if not isinstance(entry, dict) or entry.get("vid") is None:
                raise BadValue(f"{entry!r} has no 'vid', a number or a range such as 20-30")
            low, high = self._range("vid", entry["vid"], 4094)
            tunnel = 0
            if entry.get("tunnel_id") is not None:
                tunnel, tunnels_end = self._range("tunnel_id", entry["tunnel_id"], 2**24 - 1)
                if tunnels_end - tunnel != high - low:
                    raise BadValue(
                        f"tunnel_id: {entry['tunnel_id']} has not as many numbers as the vid {entry['vid']}, write {tunnel}-{tunnel + high - low}"
                    )
            pvid, untagged = (Bool().parse(entry.get(name) or False) for name in ("pvid", "untagged"))
            if pvid and high > low:
                raise BadValue(
                    f"{entry['vid']} can't be the 'pvid', as a port puts frames without a VLAN into one of them"
                )
            for vid in range(low, high + 1):
                if vid in found:
                    raise BadValue(f"VLAN {vid} is listed twice")
                found[vid] = Vlan(vid, pvid, untagged, tunnel and tunnel + vid - low)
        pvids = [str(vlan.vid) for vlan in found.values() if vlan.pvid]
        if len(pvids) > 1:
            raise BadValue(f"{' and '.join(pvids)} are 'pvid', and a port puts frames without a VLAN into one of them")
        return tuple(sorted(found.values()))

    @staticmethod
    def _range(name: str, value: Any, most: int) -> tuple[int, int]:
        """The first and the last number."""
        first, dash, last = str(value).partition("-")
        try:
            low = Int(1, most).parse(first.strip())
            high = Int(1, most).parse(last.strip()) if dash else low
        except BadValue as exc:
            raise BadValue(f"{name}: {exc}") from None
        if high < low:
            raise BadValue(f"the range {value} is empty, write {high}-{low}")
        return low, high

    def same(self, wanted: Any, found: Any) -> bool:
        return set(wanted) == set(found or ())


def spans(vlans: Iterable[Vlan]) -> list[tuple[Vlan, int]]:
    """VLANs in as few ranges as they make: the first of each, and the number of the last."""
    found: list[tuple[Vlan, int]] = []
    for vlan in sorted(vlans):
        first, last = found[-1] if found else (vlan, 0)
        tunnel = first.tunnel_id and first.tunnel_id + vlan.vid - first.vid
        if found and not vlan.pvid and last == vlan.vid - 1 and vlan[1:] == (first.pvid, first.untagged, tunnel):
            found[-1] = (first, vlan.vid)
        else:
            found.append((vlan, vlan.vid))
    return found


def vlans_shown(vlans: Iterable[Vlan]) -> list[dict[str, Any]]:
    """VLANs in the words of the option, less what is off."""
    return [
        {
            "vid": numbers(first.vid, last - first.vid),
            **({"pvid": True} if first.pvid else {}),
            **({"untagged": True} if first.untagged else {}),
            **({"tunnel_id": numbers(first.tunnel_id, last - first.vid)} if first.tunnel_id else {}),
        }
        for first, last in spans(vlans)
    ]


def numbers(first: int, more: int) -> str:
    """A number, or the range of it and so many more."""
    return f"{first}-{first + more}" if more else str(first)


IDENTITY = (
    Option("name", DeviceName(), level="none"),
    Option("netns", NetnsName(), level="none"),
)

VLANS = Option("vlans", Vlans(), level="none")

PORT_OPTIONS = (
    Option("isolated", Bool(), "33", level="port", cli="isolated on|isolated off", initial=False),
    Option("hairpin", Bool(), "4", level="port", cli="hairpin on|hairpin off", initial=False),
    Option("learning", Bool(), "8", level="port", cli="learning on|learning off", initial=True),
    Option("flood", Bool(), "9", level="port", cli="flood on|flood off", initial=True),
    Option("mcast_flood", Bool(), "27", level="port", cli="mcast_flood on|mcast_flood off", initial=True),
    Option("neigh_suppress", Bool(), "32", level="port", cli="neigh_suppress on|neigh_suppress off", initial=False),
    Option("bpdu_guard", Bool(), "5", level="port", cli="guard on|guard off", initial=False),
    Option("root_block", Bool(), "6", level="port", cli="root_block on|root_block off", initial=False),
    Option("cost", Int(1, 65535), "3", level="port"),
    Option("priority", Int(0, 63), "2", level="port", initial=32),
    Option("bcast_flood", Bool(), "30", level="port", cli="bcast_flood on|bcast_flood off", initial=True),
    Option(
        "mcast_to_unicast", Bool(), "28", level="port", cli="mcast_to_unicast on|mcast_to_unicast off", initial=False
    ),
    Option("fastleave", Bool(), "7", level="port", cli="fastleave on|fastleave off", initial=False),
    Option("mcast_router", Int(0, 2), "25", level="port", initial=1),
    Option("mcast_max_groups", Int(0, 4294967295), "42", level="port", initial=0, since="6.3"),
    Option("proxy_arp", Bool(), "10", level="port", cli="proxy_arp on|proxy_arp off", initial=False),
    Option("proxy_arp_wifi", Bool(), "12", level="port", cli="proxy_arp_wifi on|proxy_arp_wifi off", initial=False),
    Option(
        "neigh_vlan_suppress",
        Bool(),
        "43",
        level="port",
        cli="neigh_vlan_suppress on|neigh_vlan_suppress off",
        initial=False,
        since="6.4",
    ),
    Option("locked", Bool(), "39", level="port", cli="locked on|locked off", initial=False, since="5.18"),
    Option("vlan_tunnel", Bool(), "29", level="port", cli="vlan_tunnel on|vlan_tunnel off", initial=False),
    Option("mab", Bool(), "40", level="port", cli="mab on|mab off", initial=False, since="6.2"),
)
"""`attr` is the number of the attribute (IFLA_BRPORT_*): these few are read and written without pyroute2, for speed and as not all releases do."""

PORT_TABLE: Mapping[str, Option] = {option.name: option for option in (*PORT_OPTIONS, VLANS)}
PORT_INITIAL: Mapping[str, Any] = {option.name: option.initial for option in PORT_OPTIONS if option.initial is not None}
"""What a port has that has just joined."""
ONLY_BY_IP = ("proxy_arp", "proxy_arp_wifi")
"""What bridge(8) has no word for, but ip(8) has."""
COSTS_BY_SPEED = (2, 4, 19, 100)
"""What the kernel makes the cost by itself (port_cost() in net/bridge/br_if.c)."""


def port_spec() -> dict[str, Any]:
    """Ansible's argument spec of vnet_bridge_port."""
    spec: dict[str, Any] = {option.name: option.argument() for option in (*IDENTITY, VLANS, *PORT_OPTIONS)}
    spec["name"]["required"] = True
    spec["append"] = {"type": "bool", "default": False}
    spec["persist"] = {"type": "bool"}
    return spec


def port_shown(link: Link) -> dict[str, Any]:
    """What a bridge knows of a port, in the words of the options."""
    place = {"netns": link.netns} if link.netns else {}
    return {"name": link.name, **place, "bridge": link.get("master"), **link.port, "vlans": vlans_shown(link.vlans)}


def port_options(attrs: Mapping[int, bytes], order: Any) -> dict[str, Any]:
    """The options' values in the attributes of a message, by their numbers."""
    found = {}
    for option in PORT_OPTIONS:
        content = attrs.get(int(option.attr))
        if content is not None:
            found[option.name] = option.type.decode(int.from_bytes(content, order))
    return found
