# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""Reading Open vSwitch's bridges, and the devices that it made for those which may go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .desired import LinkWant, OvsWant
from .kinds.link import LINK
from .later import Later
from .read_links import LinkReader

if TYPE_CHECKING:
    from . import generic_netlink, ovs
else:
    generic_netlink, ovs = Later("generic_netlink"), Later("ovs")

DATAPATH = "ovs_datapath"
"""By this the kernel's module openvswitch is spoken to: OVS_DATAPATH_FAMILY in include/uapi/linux/openvswitch.h."""


class OvsReader(LinkReader):
    """What of the reading is about Open vSwitch."""

    def ovs_bridges(self) -> None:
        """Read the bridges if wants are about them, or a topology may have made some."""
        wants = {want.name: want for want in self.wants if isinstance(want, OvsWant)}
        needed = any(not want.absent for want in wants.values())
        if needed or (wants and ovs.program()) or (self.topology and ovs.is_there()):
            found, kinds = ovs.read()
            self.state.ovs.update(found)
            # Open vSwitch lists what it was built with, whether the kernel has its part of that or not.
            if any(not want.absent and name not in found for name, want in wants.items()):
                has_module = "system" not in kinds or generic_netlink.has_family(DATAPATH)
                self.state.datapath_types = tuple(kind for kind in kinds if kind != "system" or has_module)
            for bridge in found.values():
                want = wants.get(bridge.name)
                owned = self.topology is not None and bridge.owner == self.topology.owner
                if want.absent or "ports" in want.options if want else owned:
                    for name in bridge.devices:
                        self._ovs_device(name)

    def all_ovs_bridges(self) -> None:
        """Read them where there is an Open vSwitch."""
        if ovs.is_there():
            self.state.ovs.update(ovs.read()[0])

    def _ovs_device(self, name: str) -> None:
        """Read a device with all that undoing its deletion would need."""
        link = self._link("", name)
        if link:
            self._attached(link, LinkWant(LINK, "", name, absent=True), {})
