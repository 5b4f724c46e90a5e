#!/usr/bin/python
# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vnet_fdb
short_description: Manage static entries of forwarding databases
version_added: "0.1.0"
description:
  - Makes, changes and deletes the entries of forwarding databases (FDB) that nobody has to learn. In that of a bridge,
    an entry says which port leads to a MAC address. In that of a VXLAN device, it says which host does.
  - An entry is identified by its namespace, device, MAC address and VLAN, and of a VXLAN device that is a port of a bridge
    by whose FDB it is in (O(master)). A VXLAN device can have several for the MAC
    address of a group and for V(00:00:00:00:00:00), and there O(dst) identifies them, too.
  - One that was learned gives way to a static one of the same MAC address. Learned ones are otherwise left alone.
author:
  - linuxnet.vnet contributors (@linuxnet)
extends_documentation_fragment:
  - linuxnet.vnet.persist
  - linuxnet.vnet.attributes
  - linuxnet.vnet.attributes.groups
options:
  device:
    description:
      - Name of the device that leads to the MAC address, a port of a bridge or a VXLAN device. It has to exist.
    type: str
    required: true
  mac:
    description:
      - The MAC address. V(00:00:00:00:00:00) on a VXLAN device stands for all that have no entry; such
        entries are what the option O(linuxnet.vnet.vnet_vxlan#module:remotes) is about.
    type: str
    required: true
  vlan:
    description:
      - The VLAN that the entry is for, on a port of a bridge that filters VLANs, V(1) to V(4094).
      - If omitted, the entry is for frames without one. On a bridge that filters VLANs, the kernel adds one for each VLAN
        of the port.
    type: int
  dst:
    description:
      - Address of the host that has the MAC address, on a VXLAN device. An entry with it is in the device's own FDB, and
        one without it in that of the bridge that the device is a port of.
      - A new entry of a VXLAN device that is no port needs this.
      - If omitted, it is left alone on an existing entry.
    type: str
  vni:
    description:
      - VNI to send to that host, where it is another one than that of the VXLAN device, V(1) to V(16777215).
      - If omitted, it is left alone on an existing entry, and a new one has that of the device.
    type: int
  src_vni:
    description:
      - VNI of the frames that the entry is for, on a VXLAN device that takes those of several
        (O(linuxnet.vnet.vnet_vxlan#module:external)), V(1) to V(16777215). It is part of what identifies the entry.
      - If omitted, the entry is one without.
    type: int
  master:
    description:
      - Whether the entry is in the FDB of the bridge that the device is a port of, V(true), or in its own, V(false). Only a
        VXLAN device that is a port has both.
      - If omitted, an entry with a O(dst), O(vni), O(port) or O(via) is in its own. Any other is the one that is there, and a
        new one in that of the bridge, where there is one.
    type: bool
  port:
    description:
      - UDP port to send to at that host, where it is another one than the O(linuxnet.vnet.vnet_vxlan#module:dstport) of the
        VXLAN device, V(1) to V(65535).
      - If omitted, it is left alone on an existing entry, and a new one has that of the device.
    type: int
  via:
    description:
      - Name of the device through which packets go to that host. It has to be in the namespace of the VXLAN device, and
        that has to have its underlay there, too.
      - If omitted, it is left alone on an existing entry, and of a new one the routes say that.
    type: str
  sticky:
    description:
      - Whether the entry of a bridge stays at its port, though frames from the MAC address come in by another one.
      - If omitted, it is left alone on an existing entry, and a new one moves, as others do.
    type: bool
  state:
    description:
      - V(present) makes the entry if it is missing, and changes what differs from the options that are given.
      - V(absent) deletes the entry, and where several have everything that is given, all of them. Those that were learned are
        left alone, and so is the default destination of a VXLAN device (O(linuxnet.vnet.vnet_vxlan#module:remote)).
    type: str
    choices: [present, absent]
    default: present
  netns:
    description:
      - The named network namespace (see C(ip-netns(8))) in which the device is.
      - If omitted or V(""), it is the namespace in which the module runs.
      - The namespace has to exist; M(linuxnet.vnet.vnet_netns) makes one.
    type: str
notes:
  - A bridge has one entry for a MAC address and VLAN. One on another port moves it there.
  - The kernel deletes entries with their device, and those of a bridge also when the device is no longer a port of it.
    The modules of this collection put static ones back when they make a device anew.
seealso:
  - module: linuxnet.vnet.vnet_neighbor
  - module: linuxnet.vnet.vnet_vxlan
  - module: linuxnet.vnet.vnet_topology
  - name: bridge(8)
    description: What an entry is in detail.
    link: https://man7.org/linux/man-pages/man8/bridge.8.html
"""

EXAMPLES = r"""
- name: Make a bridge
  linuxnet.vnet.vnet_bridge:
    name: br0

- name: Make a tap for a VM
  linuxnet.vnet.vnet_tuntap:
    name: tap-mail
    mode: tap
    master: br0

- name: Say that the VM's MAC address is behind the tap, whatever frames claim
  linuxnet.vnet.vnet_fdb:
    device: tap-mail
    mac: "52:54:00:12:34:56"
    sticky: true

- name: Make an overlay that learns nothing
  linuxnet.vnet.vnet_vxlan:
    name: vxlan42
    vni: 42
    local: 192.0.2.1
    learning: false

- name: Say which host has a MAC address
  linuxnet.vnet.vnet_fdb:
    device: vxlan42
    mac: "52:54:00:65:43:21"
    dst: 192.0.2.2

- name: Forget it
  linuxnet.vnet.vnet_fdb:
    device: vxlan42
    mac: "52:54:00:65:43:21"
    state: absent
"""

RETURN = r"""
operations:
  description:
    - What was done, or in check mode would be, in order, each as the command line that does the same.
    - Empty exactly when nothing changed.
  returned: success
  type: list
  elements: str
  sample:
    - bridge fdb replace 52:54:00:12:34:56 dev tap-mail master static
fdb:
  description: The entry afterwards, in the words of the options. Empty if it is not there.
  returned: success
  type: dict
  contains:
    device:
      description: As O(device).
      returned: when the entry is there
      type: str
      sample: vxlan42
    mac:
      description: As O(mac).
      returned: when the entry is there
      type: str
      sample: "52:54:00:65:43:21"
    dst:
      description: As O(dst).
      returned: when the entry has one
      type: str
      sample: 192.0.2.2
    vni:
      description: As O(vni).
      returned: when the entry has one
      type: int
      sample: 43
    src_vni:
      description: As O(src_vni).
      returned: when the entry has one
      type: int
      sample: 42
    port:
      description: As O(port).
      returned: when the entry has one
      type: int
      sample: 4790
    via:
      description: As O(via).
      returned: when the entry has one
      type: str
      sample: eth1
    sticky:
      description: As O(sticky).
      returned: when the entry is
      type: bool
      sample: true
    vlan:
      description: As O(vlan).
      returned: when the entry has one
      type: int
      sample: 20
    netns:
      description: As O(netns).
      returned: when the device is not in the namespace in which the module runs
      type: str
      sample: web
"""

from ..module_utils.kinds.fdb import FDB
from ..module_utils.module_topology import run_row


def main() -> None:
    run_row(FDB)


if __name__ == "__main__":
    main()
