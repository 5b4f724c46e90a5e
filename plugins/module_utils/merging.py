# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""What a file that `persist` keeps should hold after a task which names only some options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from . import desired, errors, persist
from .kinds.base import LinkKind
from .later import Later
from .state import Link, Nat

if TYPE_CHECKING:
    from . import ovs_table
else:
    ovs_table = Later("ovs_table")

OF_PORT = ("type", "options")
"""What it takes to make a port of Open vSwitch that is no device of the kernel yet."""


def merged(
    entry: persist.Entry, content: str | None, found: Link | Nat | ovs_table.OvsBridge | None
) -> persist.Document:
    """What a file should hold after a task, which had `content`. `found` is the device, or what else it is about.

    Raises Refused where nothing could be restored from it.
    """
    said = entry.said
    if entry.want is None:
        return said  # of a topology it is always all that is said
    old = persist.Document(said.module) if content is None else persist.Document.read(entry.path, content)
    if old.module != said.module:
        raise errors.Refused(f"{entry.path} is of {old.module}, and not of {said.module}: remove it")
    options, appended = dict(old.options), dict(old.appended)
    for name, value in said.options.items():
        for other in displaced(entry.want, name, value, options):
            if other not in said.options:
                options.pop(other, None)
        has = options.get(name)
        if isinstance(value, Mapping) and isinstance(has, Mapping):
            new = {inner: added(has.get(inner), item) for inner, item in value.items()} if entry.adds else value
            options[name] = {**has, **new}
        else:
            options[name] = value
        appended.pop(name, None)
    for name, items in said.appended.items():
        known = options if name in options else appended
        known[name] = added(known.get(name), items)
    complete(options, entry.want, found)
    document = persist.Document(said.module, options, appended)
    try:
        document.wants()
    except errors.Refused as exc:
        raise errors.Refused(
            f"persist: this does not go with what {entry.path} has from earlier tasks ({exc})"
        ) from None
    return document


def added(has: Any, value: Any) -> Any:
    """A list with the elements of another one, where both are lists; else the value. Ports of a name are one."""
    if isinstance(has, list) and isinstance(value, list):
        names = {item["name"]: item for item in value if isinstance(item, dict) and "name" in item}
        has = [
            {**item, **names.pop(item["name"])} if isinstance(item, dict) and item.get("name") in names else item
            for item in has
        ]
        value = [
            item for item in value if not (isinstance(item, dict) and "name" in item and item["name"] not in names)
        ]
        return [*has, *(item for item in value if item not in has)]
    return value


def displaced(want: desired.Want, name: str, value: Any, kept: Mapping[str, Any]) -> tuple[str, ...]:
    """The options that give way to this one in what is `kept`."""
    if isinstance(want, desired.LinkWant):
        option = want.kind.table.get(name)
        return tuple(option.costs(value)) if option else ()
    if isinstance(want, desired.RowWant):
        return want.kind.displaced(name, value, kept)
    return ()


def complete(options: dict[str, Any], want: desired.Want, found: Link | Nat | ovs_table.OvsBridge | None) -> None:
    """Add what it takes to make the thing anew and a task on an existing one need not say."""
    if isinstance(found, Nat):
        options.setdefault("source", list(found.source))
    elif isinstance(found, ovs_table.OvsBridge):
        complete_ovs(options, found)
    elif isinstance(want, desired.LinkWant) and found:
        complete_link(options, want.kind, found)


def complete_ovs(options: dict[str, Any], bridge: ovs_table.OvsBridge) -> None:
    """The same of an Open vSwitch bridge: its datapath, and what those of its ports are that no device makes."""
    whole = bridge.entry()
    if "datapath_type" in whole:
        options.setdefault("datapath_type", whole["datapath_type"])
    if "ports" in options:
        ports = {port["name"]: port for port in whole.get("ports", ())}
        options["ports"] = [
            {**{name: value for name, value in ports.get(port.get("name"), {}).items() if name in OF_PORT}, **port}
            for port in options["ports"]
        ]


def complete_link(options: dict[str, Any], kind: LinkKind, link: Link) -> None:
    """The same of a device."""
    for needed in kind.needed:
        choices = needed.split("|")
        if not any(choice in options for choice in choices):
            options.update({choice: link.get(choice) for choice in choices if link.get(choice)})
    if kind.paired and link.peer:
        netns, name = link.peer
        place = {"netns": netns} if netns != link.netns else {}
        options["peer"] = {"name": name, **place, **options.get("peer", {})}
