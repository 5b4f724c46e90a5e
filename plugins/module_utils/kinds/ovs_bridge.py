# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""Open vSwitch's bridges: the options of vnet_ovs_bridge, and what can be said of them together."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..values import BadValue, Choice, DeviceName, Int, Type
from .base import Option

TUNNELS = ("vxlan", "geneve", "gre")
PORT_TYPE = Choice({name: name for name in ("system", "internal", "patch", *TUNNELS)})
NEEDED = {"patch": "peer", **dict.fromkeys(TUNNELS, "remote_ip")}
"""By the type of a port, the key that its `options` have to have."""


class Tag(Type):
    """The VLAN of an access port, 0 to 4095; "" for none."""

    spec: Mapping[str, Any] = {"type": "str"}

    def parse(self, value: Any) -> int | str:
        return "" if value == "" else Int(0, 4095).parse(value)


class Trunks(Type):
    """VLANs, each a number or a range; canonical is a sorted tuple of numbers."""

    spec: Mapping[str, Any] = {"type": "list", "elements": "str"}

    def parse(self, value: Any) -> tuple[int, ...]:
        found: set[int] = set()
        for item in value if isinstance(value, (list, tuple)) else [value]:
            first, dash, last = str(item).partition("-")
            low = Int(0, 4095).parse(first.strip())
            high = Int(0, 4095).parse(last.strip()) if dash else low
            if high < low:
                raise BadValue(f"the range {item} is empty, write {high}-{low}")
            found.update(range(low, high + 1))
        return tuple(sorted(found))


class PortOptions(Type):
    """What Open vSwitch wants to be told of a port of its type; canonical is a tuple of (key, value), sorted, each a string."""

    spec: Mapping[str, Any] = {"type": "dict"}

    def parse(self, value: Any) -> tuple[tuple[str, str], ...]:
        if not isinstance(value, Mapping):
            raise BadValue(f"{value!r} is not a dictionary")
        found = []
        for key, item in value.items():
            if isinstance(item, (Mapping, list)) or item is None or not re.fullmatch(r"[A-Za-z0-9_-]+", str(key)):
                raise BadValue(f"{key!r}: {item!r} is not a key with one value, such as remote_ip: 192.0.2.2")
            found.append((str(key), str(item).lower() if isinstance(item, bool) else str(item)))
        return tuple(sorted(found))


PARTS: dict[str, Type] = {
    "name": DeviceName(),
    "tag": Tag(),
    "trunks": Trunks(),
    "type": PORT_TYPE,
    "options": PortOptions(),
}


class OvsPorts(Type):
    """Ports, each a dictionary with a `name`; canonical is a tuple of such dictionaries by name, with what was given."""

    spec: Mapping[str, Any] = {
        "type": "list",
        "elements": "dict",
        "options": {
            "name": {"type": "str", "required": True},
            "tag": {"type": "str"},
            "trunks": {"type": "list", "elements": "str"},
            "type": {"type": "str", "choices": list(PORT_TYPE.values)},
            "options": {"type": "dict"},
        },
    }

    def parse(self, value: Any) -> tuple[Mapping[str, Any], ...]:
        found: dict[str, Mapping[str, Any]] = {}
        for number, item in enumerate(value):
            try:
                port = self._one(item)
            except BadValue as exc:
                raise BadValue(f"entry {number}: {exc}") from None
            if port["name"] in found:
                raise BadValue(f"entry {number}: name: {port['name']} is listed twice")
            found[port["name"]] = port
        return tuple(found[name] for name in sorted(found))

    def _one(self, item: Any) -> Mapping[str, Any]:
        if not isinstance(item, Mapping):
            raise BadValue(f"{item!r} is not a dictionary of options")
        if item.get("name") is None:
            raise BadValue("name: it is needed")
        port: dict[str, Any] = {}
        for name, type_ in PARTS.items():
            if item.get(name) is not None:
                try:
                    port[name] = type_.parse(item[name])
                except BadValue as exc:
                    raise BadValue(f"{name}: {exc}") from None
        needed = NEEDED.get(port.get("type", ""))
        if needed and needed not in dict(port.get("options", ())):
            raise BadValue(f"options: {port['name']} is of type {port['type']}, which needs '{needed}' there")
        if port.get("tag", "") != "" and port.get("trunks"):
            raise BadValue(
                f"trunks: {port['name']} has a 'tag', and Open vSwitch ignores the trunks of such a port: give one of the two"
            )
        return port


class Controllers(Type):
    """OpenFlow controllers; canonical is sorted, as their order means nothing."""

    spec: Mapping[str, Any] = {"type": "list", "elements": "str"}

    def parse(self, value: Any) -> tuple[str, ...]:
        return tuple(sorted({self._one(item) for item in value}))

    @staticmethod
    def _one(value: Any) -> str:
        if not isinstance(value, str) or not re.fullmatch(
            r"(tcp|ssl):[^\s:/]\S*|(tcp|ssl):\[\S+\](:[0-9]+)?|(ptcp|pssl):[0-9]*(:\S+)?|p?unix:\S+", value
        ):
            raise BadValue(
                f"{value!r} is not a controller such as tcp:192.0.2.1:6653, ptcp:6653 or unix:/run/controller"
            )
        return value


class DatapathType(Type):
    """The name of a kind of datapath; which ones there are, Open vSwitch knows."""

    spec: Mapping[str, Any] = {"type": "str"}

    def parse(self, value: Any) -> str:
        if not isinstance(value, str) or not re.fullmatch(r"[a-z][a-z0-9_-]*", value):
            raise BadValue(f"{value!r} is not a kind of datapath such as system or netdev")
        return value


OVS_IDENTITY = (Option("name", DeviceName(), level="none"),)

OVS_OPTIONS = (
    Option("ports", OvsPorts(), level="none"),
    Option("datapath_type", DatapathType(), level="none"),
    Option("fail_mode", Choice({"standalone": "standalone", "secure": "secure", "": ""}), level="none"),
    Option("controller", Controllers(), level="none"),
)


def ovs_spec() -> dict[str, Any]:
    """Ansible's argument spec of vnet_ovs_bridge."""
    spec: dict[str, Any] = {option.name: option.argument() for option in OVS_IDENTITY + OVS_OPTIONS}
    spec["name"]["required"] = True
    spec["state"] = {"type": "str", "choices": ["present", "absent"], "default": "present"}
    spec["append"] = {"type": "bool", "default": False}
    spec["persist"] = {"type": "bool"}
    return spec


def check(name: str, ports: Sequence[Mapping[str, Any]]) -> str | None:
    """What can be said of options together."""
    if any(port["name"] == name for port in ports):
        return f"ports: {name} is the bridge itself, whose own port Open vSwitch makes"
    return None
