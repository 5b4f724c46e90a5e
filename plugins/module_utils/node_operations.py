# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""The operation on the file of a tap device that no ioctl made: `/dev/tapN`, N being the device's index."""

from __future__ import annotations

from dataclasses import dataclass

from . import operations
from .state import State
from .values import quoted


@dataclass(frozen=True)
class NodeSet(operations.Operation):
    """Say who may open the file of a macvtap or ipvtap device: its owner, and its group, where there is one.

    `make`: the file has to be made, as nothing keeps /dev here.
    """

    netns: str
    device: str
    owner: str = ""
    group: str = ""
    make: bool = False

    def simulate(self, model: State) -> None:
        link = model.links.get((self.netns, self.device))
        if link:
            model.put(link.having(owner=self.owner or "root", group=self.group, file=True))

    def inverse(self, model: State) -> tuple[operations.Operation, ...]:
        link = model.links.get((self.netns, self.device))
        if link is None or not link.get("file"):
            return ()
        return (NodeSet(self.netns, self.device, link.get("owner") or "", link.get("group") or ""),)

    def command(self) -> str:
        netns = f"-n {quoted(self.netns)} " if self.netns else ""
        path = f"/dev/tap$(ip {netns}-o link show dev {quoted(self.device)} | cut -d: -f1)"
        within = f"ip netns exec {quoted(self.netns)} " if self.netns else ""
        numbers = f"$({within}sh -c \"tr : ' ' </sys/class/net/{self.device}/tap*/dev\")"
        commands = [f"mknod {path} c {numbers}"] if self.make else []
        commands += [
            f"chown {quoted(self.owner or 'root')}:{quoted(self.group or 'root')} {path}",
            f"chmod {'660' if self.group else '600'} {path}",
        ]
        return " && ".join(commands)
