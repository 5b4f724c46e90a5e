# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""Undoing what a run has done: its operations' inverses, last things first, and what the kernel changed along by itself."""

from __future__ import annotations

import errno
from collections.abc import Iterable
from typing import TYPE_CHECKING

from . import attachments, desired, errors, files, link_operations, read_links
from .kinds import kind_of
from .kinds.link import LINK
from .rows import Route
from .state import key_text

if TYPE_CHECKING:
    from .apply import Applier
    from .host import Host
    from .operations import Operation
    from .state import Link, State

Late = dict[tuple[str, Route], attachments.RowAdd]
"""Routes that could not come back yet, by namespace: over two devices they take both, and one may lead to the gateway of another."""


def undo(applier: Applier, done: list[tuple[Operation, ...]], before: State) -> list[str]:
    """Undo, and go on where something can't be undone: the commands that failed, with the reason."""
    applier.undoing = True
    applier.host.forget()
    late: Late = {}
    left = [words for operations in reversed(done) for words in attempt(applier, operations, late)]
    left += follow_up(applier, before, late)
    left += [words for operation in late.values() for words in attempt(applier, (operation,), None)]
    files.remove_empty(applier.directories)
    return left


def attempt(applier: Applier, operations: Iterable[Operation], late: Late | None) -> list[str]:
    """Carry out what undoes: the commands that failed, with the reason, but for those that go to `late`."""
    left = []
    for operation in operations:
        route = route_of(operation)
        if late and route:
            late.pop(route, None)  # what becomes of it is up to this one
        try:
            applier.carry_out(operation)
        except (errors.KernelError, errors.Refused) as exc:
            if already_so(operation, exc) or has_all(applier.host, operation):
                continue
            if late is not None and route and isinstance(operation, attachments.RowAdd):
                late[route] = operation
            else:
                left.append(f"{operation.command()} ({exc})")
    return left


def route_of(operation: Operation) -> tuple[str, Route] | None:
    """The route that an operation makes or takes away, with its namespace."""
    if not isinstance(operation, (attachments.RowAdd, attachments.RowDelete, attachments.RowReplace)):
        return None
    row = operation.old if isinstance(operation, attachments.RowReplace) else operation.row
    return (operation.netns, row) if isinstance(row, Route) else None


def follow_up(applier: Applier, before: State, late: Late) -> list[str]:
    """Give bridges, and what stands on them, what they lost by following a port.

    A bridge follows its smallest port down and up again, but takes what stands on it only down; and under 1280 bytes all
    of them lose their IPv6 addresses.
    """
    left: list[str] = []
    applier.host.forget()
    reader = read_links.LinkReader(applier.host, ())
    for link in following_ports(before):
        try:
            left += attempt(applier, lost_by(link, reader), late)
        except (errors.KernelError, errors.Refused) as exc:
            left.append(f"looking at {key_text(link.key)} ({exc})")
    return left


def lost_by(link: Link, reader: read_links.LinkReader) -> tuple[Operation, ...]:
    """What gives a device back that is there again what it has lost."""
    gone = link.netns and reader.host.namespaces.descriptor(link.netns) is None
    now = None if gone else reader.link(*link.key)
    if now is None:
        return ()
    back: tuple[Operation, ...] = ()
    if link.below and now.get("mtu") != link.get("mtu"):
        back += (link_operations.LinkSet(*link.key, link.kind, {"mtu": link.get("mtu")}, now.attrs),)
    six = {addr.cidr for addr in link.addresses if addr.family == 6 and not link.brings(addr)}
    if six:
        reader.attached(now, desired.LinkWant(LINK, *link.key, absent=True), {})
        now = reader.state.links[link.key]
    if now and not six <= {addr.cidr for addr in now.addresses}:
        back += attachments.put_back(link, now)
    return back


def following_ports(state: State) -> Iterable[Link]:
    """All bridges, each before what stands on it."""
    for bridge in [link for link in state.links.values() if link and kind_of(link.kind).holds_ports]:
        yield bridge
        yield from link_operations.all_uppers(state, bridge)


def has_all(host: Host, operation: Operation) -> bool:
    """Whether a device has all that it should have again. The kernel refuses also what it is told to leave as it is, where it has no other way."""
    if not isinstance(operation, link_operations.LinkSet):
        return False
    host.forget_link(operation.netns, operation.name)
    raw = host.link(operation.netns, operation.name)
    link = read_links.LinkReader(host, ()).convert(operation.netns, raw) if raw else None
    table = kind_of(operation.kind).table
    return link is not None and all(
        table[name].type.same(value, link.get(name)) for name, value in operation.changes.items()
    )


def already_so(operation: Operation, exc: errors.VnetError) -> bool:
    """Whether the undoing failed because there is nothing to undo any more."""
    code = getattr(exc, "code", 0)
    adding = isinstance(operation, (attachments.AddressAdd, attachments.RowAdd, attachments.AltnameAdd))
    return (adding and code == errno.EEXIST) or (
        not adding and code in (errno.ENODEV, errno.ENOENT, errno.EADDRNOTAVAIL, errno.ESRCH)
    )
