# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""The operations on what a bridge is told of its ports: their VLANs, and all else that goes when a port leaves."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from . import operations
from .kinds.bridge_port import COSTS_BY_SPEED, ONLY_BY_IP, PORT_INITIAL, PORT_TABLE, numbers, spans
from .rows import tool
from .state import Key, Link, State, Vlan
from .values import quoted


@dataclass(frozen=True)
class OfVlans(operations.Operation):
    """Base of those on a VLAN of a port, or on all up to `last`."""

    netns: str
    device: str
    vlan: Vlan
    last: int = 0

    @property
    def vids(self) -> Collection[int]:
        return range(self.vlan.vid, max(self.last, self.vlan.vid) + 1)

    def written(self, verb: str, *words: str) -> str:
        """A command line of bridge(8)."""
        vid = numbers(self.vlan.vid, len(self.vids) - 1)
        return tool(f"bridge vlan {verb} dev", self.netns, quoted(self.device), f"vid {vid}", *words)


@dataclass(frozen=True)
class VlanAdd(OfVlans):
    """Let a port carry a VLAN, or all up to `last`; one that it carries gets these flags. `itself`: the bridge's own."""

    itself: bool = False

    def simulate(self, model: State) -> None:
        link = model.links.get((self.netns, self.device))
        if link:
            # A port has one PVID at most.
            kept = [
                vlan._replace(pvid=vlan.pvid and not self.vlan.pvid) for vlan in link.vlans if vlan.vid not in self.vids
            ]
            tunnels = {vlan.vid: vlan.tunnel_id for vlan in link.vlans}
            new = [self.vlan._replace(vid=vid, tunnel_id=tunnels.get(vid, 0)) for vid in self.vids]
            model.put(replace(link, vlans=tuple(sorted(kept + new))))

    def inverse(self, model: State) -> tuple[operations.Operation, ...]:
        link = model.links.get((self.netns, self.device))
        before = link.vlans if link else ()
        changed = [vlan for vlan in before if vlan.vid in self.vids or (vlan.pvid and self.vlan.pvid)]
        new = [Vlan(vid) for vid in self.vids if all(vlan.vid != vid for vlan in before)]
        return (
            *(VlanDelete(self.netns, self.device, vlan, last, self.itself) for vlan, last in spans(new)),
            *vlan_adds(self.netns, self.device, changed, self.itself),
        )

    def command(self) -> str:
        words = ["pvid"] * self.vlan.pvid + ["untagged"] * self.vlan.untagged
        return self.written("add", *words, "self" * self.itself)


@dataclass(frozen=True)
class VlanDelete(OfVlans):
    """Take a VLAN off a port, or all up to `last`."""

    itself: bool = False

    def simulate(self, model: State) -> None:
        link = model.links.get((self.netns, self.device))
        if link:
            model.put(replace(link, vlans=tuple(vlan for vlan in link.vlans if vlan.vid not in self.vids)))

    def inverse(self, model: State) -> tuple[operations.Operation, ...]:
        link = model.links.get((self.netns, self.device))
        gone = [vlan for vlan in link.vlans if vlan.vid in self.vids] if link else []
        return vlan_adds(self.netns, self.device, gone, self.itself) + tunnel_adds(self.netns, self.device, gone)

    def command(self) -> str:
        return self.written("delete", "self" * self.itself)


def vlan_adds(netns: str, device: str, vlans: Iterable[Vlan], itself: bool = False) -> tuple[VlanAdd, ...]:
    """What gives a port these VLANs, without their tunnels, in as few requests as there are ranges."""
    # The one that is the PVID comes last, as it takes that from another.
    found = sorted(spans(vlan._replace(tunnel_id=0) for vlan in vlans), key=lambda span: span[0].pvid)
    return tuple(VlanAdd(netns, device, vlan, last, itself) for vlan, last in found)


@dataclass(frozen=True)
class OfTunnels(OfVlans):
    """Base of those on the tunnel of a VLAN, or of all up to `last`, each of which has its own."""

    def written(self, verb: str, *words: str) -> str:
        return super().written(verb, f"tunnel_info id {numbers(self.vlan.tunnel_id, len(self.vids) - 1)}", *words)


@dataclass(frozen=True)
class TunnelAdd(OfTunnels):
    """Send the VLANs of a port through their tunnels. None of them has one yet."""

    def simulate(self, model: State) -> None:
        tunnels = {vid: self.vlan.tunnel_id + vid - self.vlan.vid for vid in self.vids}
        with_tunnels(model, (self.netns, self.device), tunnels)

    def inverse(self, model: State) -> tuple[operations.Operation, ...]:
        return (TunnelDelete(self.netns, self.device, self.vlan, self.last),)

    def command(self) -> str:
        return self.written("add")


@dataclass(frozen=True)
class TunnelDelete(OfTunnels):
    """Send the VLANs of a port through their tunnels no more."""

    def simulate(self, model: State) -> None:
        with_tunnels(model, (self.netns, self.device), dict.fromkeys(self.vids, 0))

    def inverse(self, model: State) -> tuple[operations.Operation, ...]:
        return (TunnelAdd(self.netns, self.device, self.vlan, self.last),)

    def command(self) -> str:
        return self.written("delete")


def with_tunnels(model: State, key: Key, tunnels: Mapping[int, int]) -> None:
    """Give VLANs of a port, by their numbers, other tunnels."""
    link = model.links.get(key)
    if link:
        model.put(
            replace(
                link, vlans=tuple(vlan._replace(tunnel_id=tunnels.get(vlan.vid, vlan.tunnel_id)) for vlan in link.vlans)
            )
        )


def tunnel_spans(vlans: Iterable[Vlan]) -> list[tuple[Vlan, int]]:
    """The VLANs that have a tunnel in as few ranges as they make, whatever else they are."""
    return spans(Vlan(vlan.vid, tunnel_id=vlan.tunnel_id) for vlan in vlans if vlan.tunnel_id)


def tunnel_adds(netns: str, device: str, vlans: Iterable[Vlan]) -> tuple[TunnelAdd, ...]:
    """What gives VLANs of a port their tunnels."""
    return tuple(TunnelAdd(netns, device, vlan, last) for vlan, last in tunnel_spans(vlans))


@dataclass(frozen=True)
class PortSet(operations.Operation):
    """Tell a bridge something of a port. `changes` goes from option word to canonical value."""

    netns: str
    device: str
    changes: Mapping[str, Any]

    def simulate(self, model: State) -> None:
        link = model.links.get((self.netns, self.device))
        if link:
            model.put(replace(link, port={**link.port, **self.changes}))
            if self.changes.get("vlan_tunnel") is False:
                with_tunnels(model, link.key, {vlan.vid: 0 for vlan in link.vlans})

    def inverse(self, model: State) -> tuple[operations.Operation, ...]:
        link = model.links.get((self.netns, self.device))
        has = {**PORT_INITIAL, **(link.port if link else {})}
        back = {name: has[name] for name in self.changes if name in has}
        tunnels = tunnel_adds(*link.key, link.vlans) if link and self.changes.get("vlan_tunnel") is False else ()
        return ((PortSet(self.netns, self.device, back),) if back else ()) + tunnels

    def command(self) -> str:
        by_bridge, by_ip = (
            [
                PORT_TABLE[name].words(value)
                for name, value in self.changes.items()
                if (name in ONLY_BY_IP) is told_by_ip
            ]
            for told_by_ip in (False, True)
        )
        device = quoted(self.device)
        steps = [tool("bridge link set dev", self.netns, device, *by_bridge)] if by_bridge else []
        steps += [tool("ip link set dev", self.netns, device, "type bridge_slave", *by_ip)] if by_ip else []
        return " && ".join(steps)


def usual_vlans(model: State, link: Link) -> tuple[Vlan, ...]:
    """What a port carries that has just joined the bridge that it is in in `model`, or a bridge that is new."""
    bridge = model.links.get((link.netns, link.attrs.get("master") or link.name))
    usual = bridge.get("vlan_default_pvid") if bridge else None
    vid = 1 if usual is None else usual
    return (Vlan(vid, pvid=True, untagged=True),) if vid else ()


def put_port_back(model: State, before: Link) -> tuple[operations.Operation, ...]:
    """What gives a port its VLANs and its flags again, when it has joined the bridge that it is in in `model`."""
    itself = not before.attrs.get("master")
    back: tuple[operations.Operation, ...] = ()
    if before.vlans:
        usual = {vlan.vid for vlan in usual_vlans(model, before)}
        back += vlan_adds(*before.key, before.vlans, itself)
        gone = usual - {vlan.vid for vlan in before.vlans}
        # The bridge gives it to each port that joins.
        back += tuple(VlanDelete(before.netns, before.name, Vlan(vid), itself=itself) for vid in gone)
    told = {name: value for name, value in before.port.items() if value != PORT_INITIAL.get(name)}
    if told.get("cost") in COSTS_BY_SPEED:
        del told["cost"]
    back += (PortSet(*before.key, told),) if told and not itself else ()
    return back + tunnel_adds(*before.key, before.vlans)
