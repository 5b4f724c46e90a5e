#!/usr/bin/python
# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vnet_neighbor
short_description: Manage permanent neighbors
version_added: "0.1.0"
description:
  - Makes, changes and deletes the permanent entries of the neighbor tables. They say which MAC address belongs to an IP
    address on the link of a device, so that nobody has to ask by ARP, or in IPv6 by neighbor discovery.
  - With O(proxy=true) it is the entries that say for which addresses a device answers who asks, in place of those who have them.
  - An entry is identified by its namespace, device and address, and by whether it is a O(proxy).
  - One that was learned gives way to a permanent one of the same address. Learned ones are otherwise left alone.
author:
  - linuxnet.vnet contributors (@linuxnet)
extends_documentation_fragment:
  - linuxnet.vnet.persist
  - linuxnet.vnet.attributes
  - linuxnet.vnet.attributes.groups
options:
  device:
    description:
      - Name of the device on whose link the neighbor is. It has to exist.
    type: str
    required: true
  address:
    description:
      - IP address of the neighbor.
    type: str
    required: true
  mac:
    description:
      - MAC address of the neighbor.
      - A new entry needs this, unless it is a O(proxy), which has none.
      - If omitted, it is left alone on an existing entry.
    type: str
  proxy:
    description:
      - Whether the device answers ARP requests and neighbor solicitations for the address with its own MAC address, as the host
        forwards to where the address is (proxy ARP and proxy NDP for single addresses).
      - The kernel does so where the host forwards (M(linuxnet.vnet.vnet_sysctl_forward)) and its route to the address leads
        through another device. In IPv6 it wants the sysctl C(net.ipv6.conf.DEVICE.proxy_ndp), too.
      - If omitted, it is not about such entries.
    type: bool
  state:
    description:
      - V(present) makes the entry if it is missing, and changes the MAC address that differs.
      - V(absent) deletes the entry, provided that it has O(mac) if that is given. One that was learned is left alone.
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
  - The kernel forgets all neighbors of a device that goes, that is set down, or that gets another MAC address, and those of IPv4
    with its last IPv4 address. The modules of this collection put permanent ones back when they change a MAC address
    or make a device anew.
seealso:
  - module: linuxnet.vnet.vnet_fdb
  - module: linuxnet.vnet.vnet_topology
  - name: ip-neighbour(8)
    description: What a neighbor is in detail.
    link: https://man7.org/linux/man-pages/man8/ip-neighbour.8.html
"""

EXAMPLES = r"""
- name: Make a pair of devices
  linuxnet.vnet.vnet_veth:
    name: left
    addresses: [192.168.9.1/24]
    peer:
      name: right
      mac: "02:00:00:00:09:02"

- name: Say who has an address, so that nobody can claim it by ARP
  linuxnet.vnet.vnet_neighbor:
    device: left
    address: 192.168.9.2
    mac: "02:00:00:00:09:02"

- name: The same in IPv6
  linuxnet.vnet.vnet_neighbor:
    device: left
    address: fd00:9::2
    mac: "02:00:00:00:09:02"

- name: Answer for an address that is behind another device
  linuxnet.vnet.vnet_neighbor:
    device: left
    address: 192.168.9.77
    proxy: true

- name: Let it be learned again
  linuxnet.vnet.vnet_neighbor:
    device: left
    address: 192.168.9.2
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
    - ip neighbor replace 192.168.9.2 lladdr 02:00:00:00:09:02 dev left nud permanent
neighbor:
  description: The entry afterwards, in the words of the options. Empty if it is not there.
  returned: success
  type: dict
  contains:
    device:
      description: As O(device).
      returned: when the entry is there
      type: str
      sample: left
    address:
      description: As O(address).
      returned: when the entry is there
      type: str
      sample: 192.168.9.2
    mac:
      description: As O(mac).
      returned: when the entry is there, and no proxy
      type: str
      sample: "02:00:00:00:09:02"
    proxy:
      description: As O(proxy).
      returned: when it is one
      type: bool
      sample: true
    netns:
      description: As O(netns).
      returned: when the device is not in the namespace in which the module runs
      type: str
      sample: web
"""

from ..module_utils.kinds.neighbor import NEIGHBOR
from ..module_utils.module_topology import run_row


def main() -> None:
    run_row(NEIGHBOR)


if __name__ == "__main__":
    main()
