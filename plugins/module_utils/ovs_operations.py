# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""The operations on Open vSwitch's bridges. Each is one transaction of its database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from . import attachments, link_operations, operations, ovs_table
from .state import Link, State
from .values import quoted

NETLINK = "openvswitch"
"""The kind of the devices that Open vSwitch makes in the kernel's datapath; those of others are tap devices."""


def ovs_vsctl(commands: Iterable[Iterable[str]]) -> str:
    """Join commands to one command line of ovs-vsctl."""
    return "ovs-vsctl " + " -- ".join(" ".join(map(quoted, command)) for command in commands)


@dataclass(frozen=True)
class OvsReplace(operations.Operation):
    """Make a bridge, or make another one of that which is there."""

    new: ovs_table.OvsBridge
    old: ovs_table.OvsBridge | None = None

    def simulate(self, model: State) -> None:
        model.ovs[self.new.name] = self.new
        drop_devices(model, self.gone)
        kind = NETLINK if self.new.datapath_type == "system" else "tun"
        for name in self.new.devices:
            if model.link(("", name)) is None and name not in (self.old.devices if self.old else ()):
                model.put(Link("", name, kind, {"admin_state": "down", "alias": "", "master": "", "mtu": 1500}))

    @property
    def gone(self) -> list[str]:
        """The devices that go."""
        return [name for name in (self.old.devices if self.old else ()) if name not in self.new.devices]

    def inverse(self, model: State) -> tuple[operations.Operation, ...]:
        if self.old is None:
            return (OvsDelete(self.new.name),)
        return (OvsReplace(self.old, self.new), *devices_back(model, self.old, self.gone))

    def command(self) -> str:
        return ovs_vsctl(ovs_table.replacing(self.new, self.old))


@dataclass(frozen=True)
class OvsDelete(operations.Operation):
    """Delete a bridge, and with it the devices that Open vSwitch made for it."""

    name: str

    def simulate(self, model: State) -> None:
        old = model.ovs.get(self.name)
        model.ovs[self.name] = None
        drop_devices(model, old.devices if old else ())

    def inverse(self, model: State) -> tuple[operations.Operation, ...]:
        old = model.ovs.get(self.name)
        return (OvsReplace(old), *devices_back(model, old, old.devices)) if old else ()

    def command(self) -> str:
        return ovs_vsctl([["del-br", self.name]])


def drop_devices(model: State, names: Iterable[str]) -> None:
    """Take devices, and what hangs on them, out of the model."""
    for name in names:
        link = model.link(("", name))
        if link:
            model.links[link.key] = None
            model.drop_rows(link, None)


def devices_back(model: State, bridge: ovs_table.OvsBridge, names: Iterable[str]) -> tuple[operations.Operation, ...]:
    """What gives devices of a bridge that were made anew what hung on them, and what they were."""
    steps: tuple[operations.Operation, ...] = ()
    for name in names:
        link = model.link(("", name))
        if link:
            back = {"mtu": link.get("mtu")} if link.get("mtu") not in (None, 1500) else {}
            if name != bridge.name and link.get("mac"):  # the bridge's own comes from its ports, or by chance
                back["mac"] = link.get("mac")
            back.update({"admin_state": "up"} if link.get("admin_state") == "up" else {})
            steps += (link_operations.LinkSet("", name, link.kind, back),) if back else ()
            steps += attachments.put_back(link, None)
    return steps
