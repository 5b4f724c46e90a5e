# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""The phases of the plan about Open vSwitch's bridges.

Those of a topology are made before its links, which may be about the devices that come with them; they get their ports
after the links. A single task is one transaction.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from . import desired, errors, ovs_table
from .ovs_operations import NETLINK, OvsDelete, OvsReplace
from .planner import Planner


def make(planner: Planner) -> None:
    """Make the bridges that are missing, and the devices that come with ports, before the links that may be about them."""
    if len(planner.wants) == 1:
        return
    for want in planner.ovs_bridges:
        if want.absent:
            continue
        found = planner.model.ovs.get(want.name)
        wanted = asked(planner, want, found)
        has = found or replace(wanted, ports=())
        new = [port for port in wanted.ports if port.type == "internal" and not has.port(port.name)]
        for port in new:
            take(planner, want, port)
        if new or found is None:
            planner.do(OvsReplace(replace(has, ports=tuple(sorted([*has.ports, *new]))), found))


def assign(planner: Planner) -> None:
    """Bring the bridges to what is wanted."""
    for want in planner.ovs_bridges:
        if want.absent:
            continue
        found = planner.model.ovs.get(want.name)
        wanted = asked(planner, want, found)
        for port in wanted.ports:
            if found is None or found.port(port.name) is None:
                take(planner, want, port)
                if port.type == "system" and planner.model.link(("", port.name)) is None:
                    planner.lack(want.where, f"ports: there is no device {port.name!r}")
        if wanted != found:
            planner.do(OvsReplace(wanted, found))


def take(planner: Planner, want: desired.OvsWant, port: ovs_table.OvsPort) -> None:
    """Take a port from the bridge that has it; refuse one whose device would have a name that is taken."""
    for other in list(planner.model.ovs.values()):
        if other and other.name != want.name and other.port(port.name):
            kept = tuple(kept for kept in other.ports if kept.name != port.name)
            planner.do(OvsReplace(replace(other, ports=kept), other))
    link = planner.model.link(("", port.name))
    if port.type == "internal" and link and link.kind != NETLINK:
        raise refused(
            want, "ports", f"there is a device {port.name} already, so that no internal port can have its name"
        )


def refused(want: desired.OvsWant, option: str, why: str) -> errors.Refused:
    """The refusal of an option."""
    return errors.Refused(f"{want.where}: {option}: {why}" if want.where else f"{option}: {why}")


def asked(planner: Planner, want: desired.OvsWant, found: ovs_table.OvsBridge | None) -> ovs_table.OvsBridge:
    """The bridge as it should be: what is asked for, and else what it has."""
    options = dict(want.options)
    if found is None:
        check_name(planner, want)
    has = found or ovs_table.OvsBridge(want.name)
    kind = options.get("datapath_type", has.datapath_type)
    kinds = planner.model.datapath_types
    if found and kind != found.datapath_type:
        why = f"{want.name} has the datapath {found.datapath_type}, and for another one it has to be made anew: delete it first"
        raise refused(want, "datapath_type", why)
    if found is None and kinds and kind not in kinds:
        lacking = (
            "running kernel has no module openvswitch and so" if kind == "system" else "Open vSwitch of this host has"
        )
        raise refused(want, "datapath_type", f"the {lacking} no {kind}, but there is {', '.join(kinds)}")
    if "ports" in options:
        listed = {entry["name"]: port_asked(entry, has.port(entry["name"])) for entry in options["ports"]}
        kept = [port for port in has.ports if port.name not in listed] if want.append else []
        options["ports"] = tuple(sorted([*kept, *listed.values()]))
    if want.append and "controller" in options:
        options["controller"] = tuple(sorted({*has.controller, *options["controller"]}))
    return replace(has, **options, owner=want.owner or has.owner)


def port_asked(entry: Any, found: ovs_table.OvsPort | None) -> ovs_table.OvsPort:
    """A port as it should be. Unless somebody said how they go together, a tag takes the place of trunks, and these of a tag."""
    port = found or ovs_table.OvsPort(entry["name"], interfaces=(ovs_table.OvsInterface(entry["name"]),))
    if "type" in entry and len(port.interfaces) == 1:
        port = port._replace(interfaces=(port.interfaces[0]._replace(type=entry["type"]),))
    if "options" in entry and len(port.interfaces) == 1:
        port = port._replace(interfaces=(port.interfaces[0]._replace(options=entry["options"]),))
    given = {word: entry[word] for word in ("tag", "trunks") if word in entry}
    if not port.has_mode:
        if entry.get("tag", "") != "":
            given.setdefault("trunks", ())
        elif entry.get("trunks"):
            given.setdefault("tag", "")
    return port._replace(**given)


def check_name(planner: Planner, want: desired.OvsWant) -> None:
    """Refuse a bridge whose name is taken."""
    for other in planner.model.ovs.values():
        if other and other.port(want.name):
            raise refused(want, "name", f"{want.name} is a port of the Open vSwitch bridge {other.name}")
    link = planner.model.link(("", want.name))
    if link and link.kind != NETLINK:
        raise refused(
            want, "name", f"{want.name} is there already, and is no Open vSwitch bridge but a {link.kind or 'device'}"
        )


def delete(planner: Planner) -> None:
    """Delete the bridges that should be absent."""
    for want in planner.ovs_bridges:
        if want.absent and planner.model.ovs.get(want.name):
            planner.do(OvsDelete(want.name))
