# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""Open vSwitch's bridges as values: from what its database says, and to the words of ovs-vsctl. Pure: no I/O."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from .kinds.ovs_bridge import PORT_TYPE

OWNER_KEY = "vnet_owner"
"""The key in a bridge's `external_ids` under which the topology stands that made it."""

TABLES = ("Open_vSwitch", "Bridge", "Port", "Interface", "Controller")

# What else is configured, by table: it is kept and, where a deletion is undone, put back. What is not in these lists is
# status, or refers to rows of other tables (mirrors, QoS, NetFlow, sFlow, IPFIX).
BRIDGE_REST = (
    *("external_ids", "flood_vlans", "mcast_snooping_enable", "other_config", "protocols", "rstp_enable", "stp_enable"),
)
PORT_REST = (
    *(
        "bond_downdelay",
        "bond_fake_iface",
        "bond_mode",
        "bond_updelay",
        "cvlans",
        "external_ids",
        "fake_bridge",
        "lacp",
    ),
    *("mac", "other_config", "protected", "vlan_mode"),
)
INTERFACE_REST = (
    *("bfd", "external_ids", "ingress_policing_burst", "ingress_policing_kpkts_burst", "ingress_policing_kpkts_rate"),
    *("ingress_policing_rate", "lldp", "mac", "mtu_request", "ofport_request", "other_config"),
)

Row = Mapping[str, Any]


class OvsInterface(NamedTuple):
    """A device on a port; `options` is what its type is told, by key, and `rest` what else is configured of it, as `column=value`."""

    name: str
    type: str = "system"
    rest: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = ()

    def columns(self, was: OvsInterface) -> list[str]:
        """What makes it of one that `was` there, but for what goes."""
        found = [f"type={self.type}"] if self.type != was.type else []
        found += [f"options:{key}={bare(value)}" for key, value in self.options if (key, value) not in was.options]
        return found + [column for column in self.rest if column not in was.rest]

    def gone(self, was: OvsInterface) -> list[str]:
        """The keys of `options` that go."""
        return sorted(dict(was.options).keys() - dict(self.options).keys())


class OvsPort(NamedTuple):
    """A port of a bridge. `tag` is "" for none. Only a bond has more than one interface."""

    name: str
    tag: int | str = ""
    trunks: tuple[int, ...] = ()
    interfaces: tuple[OvsInterface, ...] = ()
    rest: tuple[str, ...] = ()

    @property
    def type(self) -> str:
        return self.interfaces[0].type if self.interfaces else "system"

    @property
    def has_mode(self) -> bool:
        """Whether somebody said how `tag` and `trunks` go together."""
        return any(column.startswith("vlan_mode=") for column in self.rest)

    def shown(self) -> dict[str, Any]:
        """In the options' words."""
        words: dict[str, Any] = {"name": self.name, "type": self.type}
        if self.tag != "":
            words["tag"] = self.tag
        if self.trunks:
            words["trunks"] = list(self.trunks)
        if self.interfaces and self.interfaces[0].options:
            words["options"] = dict(self.interfaces[0].options)
        return words


@dataclass(frozen=True)
class OvsBridge:
    """A bridge: the options of vnet_ovs_bridge, and what else is configured of it."""

    name: str
    ports: tuple[OvsPort, ...] = ()
    """By name, without its own."""
    datapath_type: str = "system"
    fail_mode: str = ""
    controller: tuple[str, ...] = ()
    owner: str = ""
    """The mark of the topology that made it."""
    rest: tuple[str, ...] = ()
    local: OvsPort | None = None
    """Its own port, where something is configured of that."""

    def port(self, name: str) -> OvsPort | None:
        return next((port for port in self.ports if port.name == name), None)

    @property
    def devices(self) -> tuple[str, ...]:
        """The devices that Open vSwitch makes for it, and that go with it."""
        internal = (one.name for port in self.ports for one in port.interfaces if one.type == "internal")
        return (self.name, *internal)

    def shown(self) -> dict[str, Any]:
        """In the options' words."""
        words: dict[str, Any] = {"name": self.name, "datapath_type": self.datapath_type}
        if self.fail_mode:
            words["fail_mode"] = self.fail_mode
        if self.controller:
            words["controller"] = list(self.controller)
        return {**words, "ports": [port.shown() for port in self.ports]}

    def entry(self) -> dict[str, Any]:
        """In the options that make it, less what is usual, and less the types of port that there is no option for."""
        words = self.shown()
        for port in words["ports"]:
            if port["type"] == "system" or port["type"] not in PORT_TYPE.values:
                del port["type"]
                port.pop("options", None)
            if "trunks" in port:
                port["trunks"] = [str(vid) for vid in port["trunks"]]
            if "tag" in port:
                port["tag"] = str(port["tag"])
        if self.datapath_type == "system":
            del words["datapath_type"]
        if not self.ports:
            del words["ports"]
        return words


# -- from the database ---------------------------------------------------------------------------------------------------


def plain(value: Any) -> Any:
    """A value of the database's JSON (RFC 7047): a set is a list, a map a dictionary, a row's number a string."""
    if isinstance(value, list) and len(value) == 2:
        kind, content = value
        if kind == "set":
            return [plain(item) for item in content]
        if kind == "map":
            return {plain(key): plain(item) for key, item in content}
        return content
    return value


def listed(value: Any) -> list[Any]:
    """A set as a list; one with a single element is written without being one."""
    return value if isinstance(value, list) else [value]


def rows_of(table: Mapping[str, Any]) -> list[Row]:
    """The rows of a table that ovs-vsctl lists."""
    return [dict(zip(table["headings"], map(plain, row))) for row in table["data"]]


def documents(text: str) -> list[Any]:
    """The JSON texts of which some output consists, one behind the other."""
    found, decoder, text = [], json.JSONDecoder(), text.strip()
    while text:
        document, end = decoder.raw_decode(text)
        found.append(document)
        text = text[end:].strip()
    return found


def written(value: Any) -> str:
    """A value as ovs-vsctl takes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{','.join(sorted(map(written, value)))}]"
    if isinstance(value, dict):
        return f"{{{','.join(sorted(f'{written(key)}={written(item)}' for key, item in value.items()))}}}"
    return json.dumps(value) if isinstance(value, str) else str(value)


def bare(value: str) -> str:
    """A string as ovs-vsctl takes it, in quotes only where it needs them."""
    return value if re.fullmatch(r"[A-Za-z0-9._-]+", value) else json.dumps(value)


def rest_of(row: Row, columns: Iterable[str]) -> tuple[str, ...]:
    """What else is configured, as `column=value`, without what is empty."""
    return tuple(
        f"{column}={written(row[column])}" for column in columns if row.get(column) not in (None, [], {}, "", 0)
    )


def bridges_of(tables: Sequence[Mapping[str, Any]]) -> tuple[dict[str, OvsBridge], tuple[str, ...]]:
    """The bridges by name, and the kinds of datapath that there can be, from what ovs-vsctl lists of TABLES."""
    root, bridges, *others = (rows_of(table) for table in tables)
    ports, interfaces, controllers = ({row["_uuid"]: row for row in rows} for rows in others)
    found = {}
    for row in bridges:
        members = [port_of(ports[number], interfaces) for number in listed(row["ports"]) if number in ports]
        own = next((port for port in members if port.name == row["name"]), None)
        marks = dict(row["external_ids"])
        owner = marks.pop(OWNER_KEY, "")
        found[row["name"]] = OvsBridge(
            row["name"],
            tuple(sorted(port for port in members if port is not own)),
            row["datapath_type"] or "system",
            "".join(listed(row["fail_mode"])),
            tuple(
                sorted(controllers[number]["target"] for number in listed(row["controller"]) if number in controllers)
            ),
            owner,
            rest_of({**row, "external_ids": marks}, BRIDGE_REST),
            own if own and (own.tag != "" or own.trunks or own.rest or own.interfaces[0].rest) else None,
        )
    kinds = tuple(sorted(kind for row in root for kind in listed(row.get("datapath_types", []))))
    return found, kinds


def port_of(row: Row, interfaces: Mapping[str, Row]) -> OvsPort:
    """A port from its row and those of its interfaces."""
    members = [interfaces[number] for number in listed(row["interfaces"]) if number in interfaces]
    tag = listed(row["tag"])
    return OvsPort(
        row["name"],
        tag[0] if tag else "",
        tuple(sorted(listed(row["trunks"]))),
        tuple(
            sorted(
                OvsInterface(
                    one["name"],
                    one["type"] or "system",
                    rest_of(one, INTERFACE_REST),
                    tuple(sorted((one.get("options") or {}).items())),
                )
                for one in members
            )
        ),
        rest_of(row, PORT_REST),
    )


# -- to the words of ovs-vsctl -------------------------------------------------------------------------------------------

Command = list[str]


def replacing(new: OvsBridge, old: OvsBridge | None) -> list[Command]:
    """The commands that make `new` of `old`, which is what is there."""
    name = new.name
    commands: list[Command] = [] if old else [["add-br", name]]
    old = old or OvsBridge(name)
    columns = [] if new.datapath_type == old.datapath_type else [f"datapath_type={new.datapath_type}"]
    columns += [f"fail_mode={new.fail_mode}"] if new.fail_mode not in ("", old.fail_mode) else []
    columns += [column for column in new.rest if column not in old.rest]
    columns += [f"external_ids:{OWNER_KEY}={written(new.owner)}"] if new.owner not in ("", old.owner) else []
    if columns:
        commands.append(["set", "Bridge", name, *columns])
    if old.fail_mode and not new.fail_mode:
        commands.append(["clear", "Bridge", name, "fail_mode"])
    if old.owner and not new.owner:
        commands.append(["remove", "Bridge", name, "external_ids", OWNER_KEY])
    if new.controller != old.controller:
        commands.append(["set-controller", name, *new.controller] if new.controller else ["del-controller", name])
    commands += [["del-port", name, port.name] for port in old.ports if new.port(port.name) is None]
    for port in new.ports:
        before = old.port(port.name)
        commands += port_changes(port, before) if before else port_added(name, port)
    if new.local and new.local != old.local:
        commands += port_changes(new.local, OvsPort(name, interfaces=(OvsInterface(name, "internal"),)))
    return commands


def vlan_columns(port: OvsPort) -> list[str]:
    """What a port's VLANs are, without those that are not."""
    tag = [] if port.tag == "" else [f"tag={port.tag}"]
    return tag + ([f"trunks={','.join(map(str, port.trunks))}"] if port.trunks else [])


def port_added(bridge: str, port: OvsPort) -> list[Command]:
    """The commands that make a port."""
    verb = "add-bond" if len(port.interfaces) > 1 else "add-port"
    members = [one.name for one in port.interfaces] if verb == "add-bond" else []
    commands = [[verb, bridge, port.name, *members, *vlan_columns(port), *port.rest]]
    for one in port.interfaces:
        columns = one.columns(OvsInterface(one.name))
        if columns:
            commands.append(["set", "Interface", one.name, *columns])
    return commands


def port_changes(port: OvsPort, old: OvsPort) -> list[Command]:
    """The commands that make `port` of `old`."""
    columns = [column for column in vlan_columns(port) if column not in vlan_columns(old)]
    columns += [column for column in port.rest if column not in old.rest]
    commands = [["set", "Port", port.name, *columns]] if columns else []
    empty = [
        word for word in ("tag", "trunks") if getattr(port, word) in ("", ()) and getattr(old, word) not in ("", ())
    ]
    commands += [["clear", "Port", port.name, *empty]] if empty else []
    for one in port.interfaces:
        was = next((other for other in old.interfaces if other.name == one.name), OvsInterface(one.name))
        columns, gone = one.columns(was), one.gone(was)
        commands += [["set", "Interface", one.name, *columns]] if columns else []
        commands += [["remove", "Interface", one.name, "options", *gone]] if gone else []
    return commands


def fresh(new: OvsBridge, old: OvsBridge | None) -> tuple[str, ...]:
    """The devices of `new` that Open vSwitch has to set up, coming from `old`. A patch is none: it waits for its other end."""
    known = {(one.name, one.type) for port in old.ports for one in port.interfaces} if old else set()
    interfaces = [one for port in new.ports for one in port.interfaces if one.type != "patch"]
    found = [one for one in interfaces if (one.name, one.type) not in known]
    return (*(() if old else (new.name,)), *(one.name for one in found))
