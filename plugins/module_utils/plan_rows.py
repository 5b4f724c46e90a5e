# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""The phases of the plan about table rows that are asked for; those that hang on a link that changes are rebuilt with it."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from . import desired, errors, plan_addresses
from .later import Later
from .plan_stack import ends
from .planner import Planner
from .rows import ONLINK, Route, Row, RowKey
from .state import Key, State, key_text
from .values import BadValue

if TYPE_CHECKING:
    from . import attachments, plan_topology
else:
    attachments, plan_topology = Later("attachments"), Later("plan_topology")


def found(state: State, want: desired.RowWant) -> list[tuple[RowKey, Any]]:
    """The rows that a want is about, in a state."""
    return want.kind.find(want.key, want.said, state.rows, want.absent)


def assign(planner: Planner) -> None:
    """Make the rows that are wanted, after the links and addresses that carry them."""
    networks = networks_of(planner)
    leaving = plan_topology.links_going(planner) if planner.topology else set()
    for want in planner.rows:
        if want.absent:
            continue
        check_devices(planner, want, leaving)
        rows = found(planner.model, want)
        old = rows[0][1] if rows else None
        link = planner.model.link((want.netns, want.said.get("device", "")))
        said = want.kind.meant(want.said, link)
        stays = without_devices(planner, networks, old, want.netns, leaving)
        if old is not None and stays is old and not want.kind.differs(said, old):
            continue
        try:
            new = over_listed(networks, want.netns, want.kind.wanted(want.key, said, stays, planner.model.rows, link))
            want.kind.refuse(new)
        except BadValue as exc:
            raise errors.Refused(f"{want.where}: {exc}" if want.where else str(exc)) from None
        if new == old:
            continue
        device = want.kind.device(want.key, new)
        for state in (planner.before, planner.model):
            state.rows.setdefault(new.key(want.netns, device), None)
        if old is None:
            planner.do(attachments.RowAdd(want.netns, device, new))
        elif want.kind.takes_place(want.netns, old, new, planner.model.rows):
            planner.do(attachments.RowReplace(want.netns, device, old, new))
        else:
            planner.do(attachments.RowAdd(want.netns, device, new))
            delete_row(planner, want.netns, device, old)


def check_devices(planner: Planner, want: desired.RowWant, leaving: set[Key]) -> None:
    """Note a namespace or a device that a row names, and that is missing, or goes in this run."""
    planner.netns_exists(want.where, want.netns)
    for option, name in want.kind.devices(want.said):
        if planner.model.link((want.netns, name)) is None or (want.netns, name) in leaving:
            planner.lack(want.where, f"{option}: there is no device {key_text((want.netns, name))}")


def without_devices(planner: Planner, networks: Networks, row: Row | None, netns: str, leaving: set[Key]) -> Row | None:
    """A route without those of its devices that this very run takes away, or from which it took the network of the gateway to another one."""
    if not isinstance(row, Route):
        return row
    table, onlink = row.table, row.flags & ONLINK

    def kept(gateway: str, name: str) -> str:
        link = planner.model.link((netns, name))
        if (netns, name) in leaving:
            return ""
        if not name or not gateway or link is None or onlink or plan_addresses.reaches(link, gateway):
            return name
        return "" if reaching(networks, netns, table, gateway) else name

    hops = tuple((gateway, kept(gateway, name), weight) for gateway, name, weight in row.nexthops)
    device = kept(row.gateway, row.device)
    return row if (device, hops) == (row.device, row.nexthops) else row._replace(device=device, nexthops=hops)


Networks = dict[str, list[tuple[Any, int, str]]]
"""By namespace, the networks that listed devices have addresses in, the routing table of the VRF (or 0) and the device of each."""


def networks_of(planner: Planner) -> Networks:
    """Where gateways of a topology's routes can be."""
    found: Networks = {}
    for want in planner.links if planner.topology else ():
        for key, _options in ends(planner, want):
            link = planner.model.link(key)
            master = planner.model.link((key[0], link.get("master") or "")) if link else None
            table = int(master.get("table") or 0) if master else 0
            for cidr in link.get("addresses") if link else ():
                found.setdefault(key[0], []).append((ipaddress.ip_interface(cidr).network, table, key[1]))
    return found


def over_listed(networks: Networks, netns: str, row: Row) -> Row:
    """A route over those of the topology's devices which reach its gateways.

    Left to itself the kernel may choose one that this very run takes away.
    """
    if not isinstance(row, Route):
        return row

    table = row.table

    def over(gateway: str, name: str) -> str:
        return name or (gateway and reaching(networks, netns, table, gateway))

    hops = tuple((gateway, over(gateway, name), weight) for gateway, name, weight in row.nexthops)
    return row._replace(device=over(row.gateway, row.device), nexthops=hops)


def reaching(networks: Networks, netns: str, table: int, gateway: str) -> str:
    """The listed device that has the gateway's network, "" where none has."""
    address = ipaddress.ip_address(gateway)
    found = {of: name for network, of, name in reversed(networks.get(netns, ())) if address in network}
    # As the kernel does: what the VRF of that table reaches, or what is in none.
    return found.get(table) or found.get(0, "")


def delete(planner: Planner) -> None:
    """Delete the rows that should be absent, rules before what they lead to."""
    for want in reversed(planner.rows):
        said = want.kind.meant(want.said, planner.model.link((want.netns, want.said.get("device", ""))))
        rows = found(planner.model, want) if want.absent else []
        for key, row in sorted(rows, key=lambda item: -want.kind.weight(item[1])):
            if not want.kind.differs(said, row, absent=True):
                delete_row(planner, want.netns, want.kind.device(key, row), row)


def delete_row(planner: Planner, netns: str, device: str, row: Row) -> None:
    """Delete a row, and no other."""
    for operation in attachments.row_deletes(planner.model, netns, device, row):
        planner.do(operation)
