# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""The operations on what is attached to links: addresses, rows of tables, alternative names."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from . import operations
from .rows import HANGS_ON_LINK, MAIN, SCOPE_WORDS, Fdb, Route, Row, Rule, places, rivals
from .state import Addr, Link, State
from .values import quoted


@dataclass(frozen=True)
class AddressAdd(operations.Operation):
    """Give a link an address; one that it has already gets these lifetimes and flags.

    `known`: it has passed duplicate address detection before, or is not to wait for it, as while that goes on, routes with the address are refused.
    """

    netns: str
    device: str
    addr: Addr
    known: bool = False

    def simulate(self, model: State) -> None:
        link = model.links.get((self.netns, self.device))
        if link:
            others = [addr for addr in link.addresses if addr.cidr != self.addr.cidr]
            first = not any(same_subnet(addr, self.addr) for addr in others)
            addr = self.addr._replace(secondary=not first and self.addr.family == 4)
            if len(others) < len(link.addresses):
                addresses = tuple(addr if old.cidr == addr.cidr else old for old in link.addresses)
            else:
                addresses = (*link.addresses, addr)
            model.put(replace(link, addresses=addresses))

    def inverse(self, model: State) -> tuple[operations.Operation, ...]:
        link = model.links.get((self.netns, self.device))
        old = next((addr for addr in link.addresses if addr.cidr == self.addr.cidr), None) if link else None
        if old:
            return (AddressAdd(self.netns, self.device, old, known=True),)
        return (AddressDelete(self.netns, self.device, self.addr),)

    def command(self) -> str:
        words = [self.addr.cidr] if not self.addr.peer else [self.addr.cidr.split("/")[0], "peer", self.addr.peer]
        words += ["broadcast", self.addr.broadcast] if self.addr.broadcast else []
        words += ["label", quoted(self.addr.label)] if self.addr.label and self.addr.label != self.device else []
        words += ["scope", SCOPE_WORDS.get(self.addr.scope, str(self.addr.scope))] if self.addr.scope else []
        return operations.ip(self.netns, "address add", *words, "dev", quoted(self.device))


def same_subnet(one: Addr, other: Addr) -> bool:
    """Whether one of two IPv4 addresses is secondary to the other."""
    return (
        one.family == other.family == 4
        and ipaddress.ip_interface(one.cidr).network == ipaddress.ip_interface(other.cidr).network
    )


@dataclass(frozen=True)
class AddressDelete(operations.Operation):
    """Take an address off a link; the routes that need it go, too."""

    netns: str
    device: str
    addr: Addr

    def simulate(self, model: State) -> None:
        routes = self.routes_from(model)
        link = model.links.get((self.netns, self.device))
        if link:
            after = self.on(link)
            model.put(after)
            model.drop_rows(link, after)
        for operation in routes:
            operation.simulate(model)

    def on(self, link: Link) -> Link:
        """The link without the address, and without what goes with the last one of IPv4."""
        addresses = tuple(addr for addr in link.addresses if addr.cidr != self.addr.cidr)
        if self.addr.family == 6 or any(addr.family == 4 for addr in addresses):
            return replace(link, addresses=addresses)
        routes = tuple(route for route in link.routes if route.family == 6)
        neighbors = tuple(neighbor for neighbor in link.neighbors if neighbor.family == 6)
        return replace(link, addresses=addresses, routes=routes, neighbors=neighbors)

    def routes_from(self, model: State) -> Sequence[RowDelete | RowReplace]:
        """What becomes of the routes with this source, on any device.

        IPv6 forgets their source, also where another device has the address, too. IPv4 deletes those of the device's table.
        """
        source, links = self.addr.cidr.split("/")[0], model.links_in(self.netns)
        known = [route for link in links for route in link.routes]
        known += [row for key, row in model.rows.items() if isinstance(row, Route) and key[1] == self.netns]
        from_it = sorted({route for route in known if route.source == source})
        if self.addr.family == 6:
            return [RowReplace(self.netns, route.device, route, route._replace(source="")) for route in from_it]
        there = {(link.name, addr.cidr) for link in links for addr in link.addresses} - {(self.device, self.addr.cidr)}
        if any(cidr.split("/")[0] == source for _name, cidr in there):
            return []
        table = table_of(model, self.netns, self.device)
        return [RowDelete(self.netns, route.device, route) for route in from_it if route.table == table]

    def inverse(self, model: State) -> tuple[operations.Operation, ...]:
        link = model.links.get((self.netns, self.device))
        if link is None:
            return ()
        gone = self.routes_from(model)
        back = put_back(link, self.on(link))
        return back + tuple(step for operation in gone for step in operation.inverse(model) if step not in back)

    def command(self) -> str:
        return operations.ip(self.netns, "address delete", self.addr.cidr, "dev", quoted(self.device))


def table_of(model: State, netns: str, device: str) -> int:
    """The routing table that a device's own routes are in: its VRF's, or the main one."""
    link = model.links.get((netns, device))
    master = model.links.get((netns, link.get("master") or "")) if link else None
    return int((master.get("table") if master else 0) or MAIN)


def holders(model: State, netns: str, device: str, row: Row) -> Iterator[tuple[Link, str, tuple[Row, ...]]]:
    """The links on which a row hangs, each with the field that has such rows, and what is in it. Routes may have several."""
    held = HANGS_ON_LINK.get(type(row))
    for name in sorted({device} | (row.devices if isinstance(row, Route) else set())):
        link = model.links.get((netns, name))
        if link and held:
            yield link, held, getattr(link, held)


@dataclass(frozen=True)
class RowAdd(operations.Operation):
    """Make a row of a table, or put one back that went with its device or its address. `device`: what it hangs on.

    `again`: it was there before, so there may have been another route beside it that differs in nothing but where it leads.
    """

    netns: str
    device: str
    row: Row
    again: bool = False

    def simulate(self, model: State) -> None:
        for other in self.moves(model):
            other.simulate(model)
        for link, held, rows in holders(model, self.netns, self.device, self.row):
            if self.row not in rows:
                model.put(link.holding(**{held: (*rows, self.row)}))
        key = self.row.key(self.netns, self.device)
        if key in model.rows:
            if isinstance(self.row, Rule):
                del model.rows[key]  # it goes behind the others of its priority
            free = [place for place in places(key, model.rows) if model.rows.get(place) is None]
            model.rows[(*free, key)[0]] = self.row

    def moves(self, model: State) -> list[RowDelete]:
        """What it takes off other ports: a bridge has one entry for a MAC and VLAN."""
        row, here = self.row, model.links.get((self.netns, self.device))
        if not isinstance(row, Fdb) or not row.master or here is None:
            return []
        found = []
        for key, other in model.rows.items():
            if isinstance(other, Fdb) and other.master and (other.mac, other.vlan) == (row.mac, row.vlan):
                there = model.links.get((key[1], key[2]))
                if there and there.netns == here.netns and there.get("master") == here.get("master") and there != here:
                    found.append(RowDelete(self.netns, there.name, other))
        return found

    def inverse(self, model: State) -> tuple[operations.Operation, ...]:
        back = tuple(RowAdd(other.netns, other.device, other.row) for other in self.moves(model))
        return (*row_deletes(model, self.netns, self.device, self.row), *back)

    def command(self) -> str:
        return self.row.command("add", self.netns, self.device)


@dataclass(frozen=True)
class RowDelete(operations.Operation):
    """Delete a row of a table."""

    netns: str
    device: str
    row: Row

    def simulate(self, model: State) -> None:
        for link, held, rows in holders(model, self.netns, self.device, self.row):
            model.put(link.holding(**{held: tuple(row for row in rows if row != self.row)}))
        model.drop_row(self.row.key(self.netns, self.device), self.row)

    def inverse(self, model: State) -> tuple[operations.Operation, ...]:
        return (RowAdd(self.netns, self.device, self.row, again=True),)

    def command(self) -> str:
        return self.row.command("delete", self.netns, self.device)


def row_deletes(model: State, netns: str, device: str, row: Row) -> tuple[operations.Operation, ...]:
    """What deletes this row and no other: rules that the kernel would take for it get out of the way for a moment."""
    others = rivals(model.rows, netns, row) if isinstance(row, Rule) else []
    # Of these again, each that has all of another, and more, before that.
    away = sorted(others, key=lambda other: -other.weight)
    return (
        *(RowDelete(netns, device, other) for other in (*away, row)),
        *(RowAdd(netns, device, other) for other in others),
    )


@dataclass(frozen=True)
class RowReplace(operations.Operation):
    """Give a row other attributes without a moment in which there is none. A route may change its device."""

    netns: str
    device: str
    old: Row
    new: Row

    @property
    def was_on(self) -> str:
        """The device that the old row hangs on."""
        return self.old.device if isinstance(self.old, Route) else self.device

    @property
    def beside(self) -> bool:
        """Whether there is no request that changes one, so that the new one stands beside the old for a moment."""
        return isinstance(self.new, Rule) or (isinstance(self.new, Fdb) and self.new.many)

    def simulate(self, model: State) -> None:
        RowDelete(self.netns, self.was_on, self.old).simulate(model)
        RowAdd(self.netns, self.device, self.new).simulate(model)

    def inverse(self, model: State) -> tuple[operations.Operation, ...]:
        return (RowReplace(self.netns, self.was_on, self.new, self.old),)

    def command(self) -> str:
        if self.beside:
            steps = (
                self.new.command("add", self.netns, self.device),
                self.old.command("delete", self.netns, self.device),
            )
            return " && ".join(steps)
        return self.new.command("replace", self.netns, self.device)


@dataclass(frozen=True)
class AltnameAdd(operations.Operation):
    """Give a link another name beside its own."""

    netns: str
    device: str
    altname: str

    def simulate(self, model: State) -> None:
        link = model.links.get((self.netns, self.device))
        if link:
            model.put(link.having(altnames=(*(link.get("altnames") or ()), self.altname)))

    def inverse(self, model: State) -> tuple[operations.Operation, ...]:
        return (AltnameDelete(self.netns, self.device, self.altname),)

    def command(self) -> str:
        return operations.ip(self.netns, "link property add dev", quoted(self.device), "altname", quoted(self.altname))


@dataclass(frozen=True)
class AltnameDelete(operations.Operation):
    """Take an alternative name off a link."""

    netns: str
    device: str
    altname: str

    def simulate(self, model: State) -> None:
        link = model.links.get((self.netns, self.device))
        if link:
            model.put(link.having(altnames=tuple(name for name in link.get("altnames") or () if name != self.altname)))

    def inverse(self, model: State) -> tuple[operations.Operation, ...]:
        return (AltnameAdd(self.netns, self.device, self.altname),)

    def command(self) -> str:
        return operations.ip(self.netns, "link property del dev", quoted(self.device), "altname", quoted(self.altname))


def put_back(before: Link, after: Link | None) -> tuple[operations.Operation, ...]:
    """What gives `before`'s addresses and rows of tables back to a device that became `after`."""
    kept_addresses = {addr.cidr for addr in after.addresses} if after else set()
    back: tuple[operations.Operation, ...] = ()
    for addr in before.addresses:
        if addr.cidr not in kept_addresses and not before.brings(addr):
            back += (AddressAdd(before.netns, before.name, addr, known=True),)
    return back + tuple(
        RowAdd(before.netns, before.name, row, again=True)
        for held in ("fdb", "routes", "neighbors")
        # Gateways are found by the routes to what is on the link itself.
        for row in sorted(getattr(before, held), key=lambda row: isinstance(row, Route) and row.beyond)
        if not after or row not in getattr(after, held)
    )


def each_route_once(steps: Sequence[operations.Operation]) -> tuple[operations.Operation, ...]:
    """What puts several devices back, a route over more than one of them with the last."""
    seen: set[tuple[str, Route]] = set()
    kept: list[operations.Operation] = []
    for step in reversed(steps):
        if isinstance(step, RowAdd) and isinstance(step.row, Route):
            if (step.netns, step.row) in seen:
                continue
            seen.add((step.netns, step.row))
        kept.append(step)
    return tuple(reversed(kept))
