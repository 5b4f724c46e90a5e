# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""Static entries of forwarding databases, a bridge's or a VXLAN device's own, as bridge(8) describes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..rows import ALL_ZEROS, PERMANENT, STATIC, Fdb, RowKey
from ..state import Link
from ..values import BadValue, Bool, DeviceName, Int, Ip, Mac
from .base import Option
from .row import NETNS, RowKind, Rows


class AnyMac(Mac):
    """A MAC address that frames can go to: also a group's, and the one of zeros that stands for all."""

    any = True


class FdbKind(RowKind):
    """FDB entries: see RowKind. What has a destination is in the device's own FDB, all else in that of the bridge that it is a port of."""

    name, module, plural = "fdb", "vnet_fdb", "fdb_entries"
    required = ("device", "mac")
    loose = True
    identity = (
        Option("device", DeviceName(), level="none"),
        Option("mac", AnyMac(), level="none"),
        Option("vlan", Int(1, 4094), level="none"),
        Option("src_vni", Int(1, 2**24 - 1), level="none"),
        Option("master", Bool(), level="none"),
        NETNS,
    )
    options = (
        Option("dst", Ip(multicast=None), level="none"),
        Option("vni", Int(1, 2**24 - 1), level="none"),
        Option("port", Int(1, 65535), level="none"),
        Option("via", DeviceName(), level="none"),
        Option("sticky", Bool(), level="none"),
    )

    def check(self, said: Mapping[str, Any], absent: bool) -> str | None:
        of_bridge = [name for name in ("vlan", "sticky") if name in said]
        of_vxlan = [name for name in ("dst", "vni", "src_vni", "port", "via") if name in said]
        if of_bridge and of_vxlan:
            return f"{of_bridge[0]}: only an entry of a bridge has this, only one of a VXLAN device has {of_vxlan[0]!r}, and none is both"
        wrong = of_vxlan if said.get("master") else of_bridge if "master" in said else []
        if wrong:
            where = "the bridge's FDB" if said["master"] else "the device's own FDB"
            return f"master: no entry in {where} has {wrong[0]!r}"
        return None

    def devices(self, said: Mapping[str, Any]) -> list[tuple[str, str]]:
        return [(option, said[option]) for option in ("device", "via") if said.get(option)]

    def meant(self, said: Mapping[str, Any], link: Link | None) -> Mapping[str, Any]:
        # The kernel doesn't keep what is the device's own.
        own = {"vni": link.get("vni"), "port": link.get("dstport")} if link else {}
        return {**said, **{name: 0 for name, value in own.items() if name in said and said[name] == value}}

    def key(self, netns: str, said: Mapping[str, Any]) -> RowKey:
        several = is_of_many(said["mac"])
        place = next((f"{name} {said[name]}" for name in ("src_vni", "vlan") if name in said), "")
        which = ("master",) if said.get("master") else ()
        return ("fdb", netns, said["device"], said["mac"], place, said.get("dst", "") if several else "", *which)

    def find(self, key: RowKey, said: Mapping[str, Any], rows: Rows, absent: bool) -> list[tuple[RowKey, Any]]:
        own = not {"dst", "vni", "port", "via"}.isdisjoint(said)
        master = said.get("master", False if own else True if "sticky" in said else None)
        found = []
        for place, row in rows.items():
            if not isinstance(row, Fdb) or (place[1:5] != key[1:5]) or master not in (None, row.master):
                continue
            if row.many and said.get("dst", row.dst) != row.dst:
                continue
            found.append((place, row))
        return sorted(found, key=lambda item: str(item[0]))

    def has(self, row: Any) -> dict[str, Any]:
        return {option.name: getattr(row, option.name) for option in self.options}

    def differs(self, said: Mapping[str, Any], row: Any, absent: bool = False) -> bool:
        # In a bridge, a permanent entry takes frames to the host instead of out of the port.
        of_host = row.master and row.state == PERMANENT
        return super().differs(said, row) or (of_host and not absent)

    def wanted(self, key: RowKey, said: Mapping[str, Any], found: Any, rows: Rows, link: Link | None) -> Any:
        if said.get("via") and link and underlay_is_elsewhere(link):
            raise BadValue(f"via: the kernel looks for {said['via']} where {key[2]} is, and not where its underlay is")
        if link and link.kind == "vxlan":
            check_tunnel(said, link)
        asked = {option.name: said[option.name] for option in self.options if option.name in said}
        if found:
            return changed(found, asked, link)
        is_vxlan = link is None or link.kind == "vxlan"
        is_port = bool(link and link.get("master"))
        if said.get("master") and link and not is_port:
            raise BadValue(f"master: {key[2]} is no port of a bridge")
        if "dst" in said or said.get("master") is False or (is_vxlan and link and not is_port):
            if not is_vxlan:
                raise BadValue(f"dst: {key[2]} is no VXLAN device, only those have entries with a destination")
            if "dst" not in said:
                raise BadValue(f"dst: there is no {self.words(key)}, and to make it this option is needed")
            return Fdb(said["mac"], **asked, src_vni=said.get("src_vni", 0))
        of_vxlan = next((name for name in ("vni", "src_vni", "port", "via") if name in said), "")
        if of_vxlan:
            raise BadValue(
                f"dst: there is no {self.words(key)}, and to make it with {of_vxlan!r} this option is needed"
            )
        if link and not is_port:
            raise BadValue(
                f"device: {key[2]} is no port of a bridge, and no VXLAN device either: it has no FDB to speak of"
            )
        check_single(said["mac"])
        check_not_own(said["mac"], link)
        return Fdb(said["mac"], vlan=said.get("vlan", 0), master=True, state=STATIC, sticky=said.get("sticky", False))

    def entry(self, link: Link, row: Fdb) -> dict[str, Any] | None:
        """A row in the options that make it; None for what the device's own options say, and for what no option can say."""
        of_host = row.master and row.state != STATIC
        if of_host or row.for_all or (row.via and underlay_is_elsewhere(link)):
            return None
        shown = self.shown(row.key(*link.key), row)
        # Of a VXLAN device that is a port, both have entries.
        return {**shown, "master": True} if row.master and link.kind == "vxlan" else shown

    def shown(self, key: RowKey, row: Any) -> dict[str, Any]:
        shown: dict[str, Any] = {"device": key[2], "mac": row.mac}
        words = ("dst", "vni", "src_vni", "port", "via", "vlan", "sticky")
        shown.update({name: getattr(row, name) for name in words if getattr(row, name)})
        if key[1]:
            shown["netns"] = key[1]
        return shown

    def words(self, key: RowKey) -> str:
        name, _blank, number = key[4].partition(" ")
        place = f" in VLAN {number}" if name == "vlan" else f" with {key[4]}" if name else ""
        return f"FDB entry for {key[3]} on {key[2]}{place}"

    def brief(self, key: RowKey) -> str:
        return (
            f"{key[3]} on {key[2]}"
            + (f" {key[4]}" if key[4] else "")
            + " ".join(["", *(["dst", key[5]] if key[5] else []), *key[6:]])
        )

    def file_words(self, key: RowKey) -> list[str]:
        return [
            key[2],
            key[3],
            *([key[4].replace(" ", "")] if key[4] else []),
            *([key[5]] if key[5] else []),
            *key[6:],
        ]


def underlay_is_elsewhere(link: Link) -> bool:
    """Whether a device sends into another namespace than the one that it is in."""
    return link.get("link_netns") not in (None, link.netns)


def is_of_many(mac: str) -> bool:
    """Whether a VXLAN device can have several destinations for a MAC."""
    return mac == ALL_ZEROS or bool(int(mac[:2], 16) & 1)


def check_single(mac: str) -> None:
    """Refuse what the FDB of a bridge has no entries for."""
    if is_of_many(mac):
        what = "stands for no device" if mac == ALL_ZEROS else "is a group's"
        raise BadValue(f"mac: {mac} {what}, and a bridge's FDB has single devices only")


def changed(found: Fdb, asked: Mapping[str, Any], link: Link | None) -> Fdb:
    """An entry that is there, with what is asked of it, and so that it stays."""
    if not found.master:
        return found._replace(**asked, state=PERMANENT)
    check_not_own(found.mac, link)
    return found._replace(**asked, state=STATIC)


def check_not_own(mac: str, link: Link | None) -> None:
    """Refuse what a bridge would not keep."""
    if link and mac == link.get("mac"):
        raise BadValue(
            f"mac: {mac} is {link.name}'s own, and what is for that the host takes itself: it needs no entry"
        )


def check_tunnel(said: Mapping[str, Any], link: Link) -> None:
    """Refuse what the kernel would not have in the FDB of a VXLAN device, or would pass over."""
    if "src_vni" in said and not link.get("external"):
        raise BadValue(f"src_vni: {link.name} is not 'external', so all its entries are for the one VNI that it has")
    ends = [link.get(name) for name in ("local", "remote", "group") if link.get(name)]
    own = 6 if any(":" in end for end in ends) else 4
    if "dst" in said and (6 if ":" in said["dst"] else 4) != own:
        raise BadValue(f"dst: {said['dst']} is not of IPv{own}, which {link.name} speaks")


FDB = FdbKind()
