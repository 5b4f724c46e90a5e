# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""Reading Open vSwitch's bridges, and the devices that it made for those which may go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import desired, read_links
from .kinds.link import LINK
from .later import Later

if TYPE_CHECKING:
    from . import generic_netlink, ovs
else:
    generic_netlink, ovs = Later("generic_netlink"), Later("ovs")

DATAPATH = "ovs_datapath"
"""By this the kernel's module openvswitch is spoken to: OVS_DATAPATH_FAMILY in include/uapi/linux/openvswitch.h."""


def read(reader: read_links.LinkReader) -> None:
    """Read the bridges if wants are about them, or a topology may have made some."""
    wants = {want.name: want for want in reader.wants if isinstance(want, desired.OvsWant)}
    needed = any(not want.absent for want in wants.values())
    if needed or (wants and ovs.program()) or (reader.topology and ovs.is_there()):
        found, kinds = ovs.read()
        reader.state.ovs.update(found)
        # Open vSwitch lists what it was built with, whether the kernel has its part of that or not.
        if any(not want.absent and name not in found for name, want in wants.items()):
            has_module = "system" not in kinds or generic_netlink.has_family(DATAPATH)
            reader.state.datapath_types = tuple(kind for kind in kinds if kind != "system" or has_module)
        for bridge in found.values():
            want = wants.get(bridge.name)
            owned = reader.topology is not None and bridge.owner == reader.topology.owner
            if want.absent or "ports" in want.options if want else owned:
                for name in bridge.devices:
                    read_device(reader, name)


def read_all(reader: read_links.LinkReader) -> None:
    """Read them where there is an Open vSwitch."""
    if ovs.is_there():
        reader.state.ovs.update(ovs.read()[0])


def read_device(reader: read_links.LinkReader, name: str) -> None:
    """Read a device with all that undoing its deletion would need."""
    link = reader.link("", name)
    if link:
        reader.attached(link, desired.LinkWant(LINK, "", name, absent=True), {})
