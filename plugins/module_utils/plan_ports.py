# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""The phase of the plan that tells bridges what they should know of their ports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from . import desired, errors
from .kinds import kind_of
from .kinds.bridge_port import PORT_INITIAL, PORT_TABLE, spans
from .later import Later
from .planner import Planner
from .state import Key, Link, Vlan, key_text

if TYPE_CHECKING:
    from . import port_operations
else:
    port_operations = Later("port_operations")


def assign(planner: Planner, uplinks: bool = False) -> None:
    """Tell bridges of ports, after these have joined: of their `uplinks`, which join later, or of all others."""
    late = {
        (want.netns, desired.uplink_of(want)) for want in planner.links if not want.absent and desired.uplink_of(want)
    }
    for want in planner.ports:
        if (want.key in late) != uplinks:
            continue
        planner.netns_exists(want.where, want.netns)
        planner.asked.setdefault(want.key, set()).update(want.options)
        port = as_joined(planner, want.key)
        if port is None:
            planner.lack(want.where, f"name: there is no device {key_text(want.key)}")
            port = Link(*want.key, "")
            for state in (planner.before, planner.model):
                state.put(port)
        elif not port.get("master") and not kind_of(port.kind).holds_ports:
            planner.lack(want.where, f"name: {key_text(want.key)} is no port of a bridge, give it a 'master' first")
        if is_bridge(port):
            check_own(want, port)
        tell(planner, want, port)


def as_joined(planner: Planner, key: Key) -> Link | None:
    """A port as it will be: one that joins its bridge in this run gets the bridge's VLAN and all that is usual."""
    before, port = planner.before.link(key), planner.model.link(key)
    if port is None or not (port.get("master") or kind_of(port.kind).holds_ports):
        return port
    if before is None or before.get("master") != port.get("master") or before.kind != port.kind:
        port = replace(port, vlans=port.vlans or port_operations.usual_vlans(planner.model, port))
        planner.model.put(port)
    return port


def is_bridge(port: Link) -> bool:
    """Whether it is a bridge that is no port itself."""
    return kind_of(port.kind).holds_ports and not port.get("master")


def check_own(want: desired.PortWant, port: Link) -> None:
    """Of a bridge that is no port itself, only its own VLANs can be told."""
    others = [name for name in want.options if name != "vlans"]
    if others:
        where = f"{want.where}: " if want.where else ""
        raise errors.Refused(
            f"{where}{others[0]}: {key_text(port.key)} is a bridge and no port, of which there is no more to say than 'vlans'"
        )


def tell(planner: Planner, want: desired.PortWant, port: Link) -> None:
    """Do what differs."""
    has = {**PORT_INITIAL, **port.port}
    changes = {
        name: value
        for name, value in want.options.items()
        if name != "vlans" and not PORT_TABLE[name].type.same(value, has.get(name))
    }
    check_mab(want, {**has, **changes}, changes)
    for name, value in want.options.items():
        if name != "vlans":
            planner.told[port.key, name] = (has.get(name), value)
    if changes:
        planner.do(port_operations.PortSet(*port.key, changes))
    if "vlans" in want.options:
        wanted = want.options["vlans"]
        if want.append:
            moves = any(vlan.pvid for vlan in wanted)
            vids = {vlan.vid for vlan in wanted}
            there = planner.model.link(port.key) or port  # what it was just told may have cost tunnels
            kept = [vlan._replace(pvid=vlan.pvid and not moves) for vlan in there.vlans if vlan.vid not in vids]
            wanted = tuple(sorted([*kept, *wanted]))
        planner.told[port.key, "vlans"] = (port.vlans, wanted)
        tunnels = [str(vlan.vid) for vlan in wanted if vlan.tunnel_id]
        if tunnels and not want.options.get("vlan_tunnel", has.get("vlan_tunnel")):
            where = f"{want.where}: " if want.where else ""
            raise errors.Refused(
                f"{where}vlans: VLAN {tunnels[0]} can't have a 'tunnel_id' on {key_text(port.key)}, which takes that with 'vlan_tunnel'"
            )
        set_vlans(planner, port.key, wanted)


def check_mab(want: desired.PortWant, will: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
    """Refuse MAC authentication bypass where the port does not have what it is about (br_setport() in net/bridge/br_netlink.c)."""
    changed = [name for name in ("mab", "locked", "learning") if name in changes]
    if changed and will.get("mab") and not (will.get("locked") and will.get("learning")):
        where = f"{want.where}: " if want.where else ""
        raise errors.Refused(
            f"{where}{changed[0]}: a port with 'mab' has to be 'locked' and to have 'learning', and {want.name} would not"
        )


def set_vlans(planner: Planner, key: Key, wanted: Iterable[Vlan]) -> None:
    """Give a port these VLANs and no others, in as few requests as there are ranges."""
    port = planner.model.links[key]
    if port is None:
        return
    itself, wanted = is_bridge(port), list(wanted)
    vids, there = {vlan.vid for vlan in wanted}, {vlan[:3] for vlan in port.vlans}
    for vlan, last in spans(Vlan(vlan.vid) for vlan in port.vlans if vlan.vid not in vids):
        planner.do(port_operations.VlanDelete(*key, vlan, last, itself))
    for vlan_add in port_operations.vlan_adds(*key, [vlan for vlan in wanted if vlan[:3] not in there], itself):
        planner.do(vlan_add)
    # The kernel doesn't change the tunnel of a VLAN that has one.
    had = {vlan.vid: vlan.tunnel_id for vlan in port.vlans}
    others = [vlan for vlan in wanted if vlan.tunnel_id != had.get(vlan.vid, 0)]
    for vlan, last in port_operations.tunnel_spans(vlan._replace(tunnel_id=had.get(vlan.vid, 0)) for vlan in others):
        planner.do(port_operations.TunnelDelete(*key, vlan, last))
    for tunnel_add in port_operations.tunnel_adds(*key, others):
        planner.do(tunnel_add)


def give_back(planner: Planner, key: Key, option: str, before: Any, now: Any) -> None:
    """Tell a bridge again what it knew of a port before a topology told it something else, unless somebody has changed it since."""
    port = planner.model.link(key)
    if port is None or not (port.get("master") or kind_of(port.kind).holds_ports):
        return
    if option == "vlans":
        if not port.port.get("vlan_tunnel"):  # what goes with it may have gone just before
            now = [vlan._replace(tunnel_id=0) for vlan in now]
        if set(port.vlans) == set(now):
            set_vlans(planner, key, before)
    elif option in PORT_TABLE and port.port.get(option) == now and before not in (None, now):
        planner.do(port_operations.PortSet(*key, {option: before}))
