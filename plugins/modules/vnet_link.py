#!/usr/bin/python
# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vnet_link
short_description: Configure network devices that something else made
version_added: "0.1.0"
description:
  - Changes what all network devices have in common, such as addresses, MTU and bridge, on a device that is already
    there. It may be a physical one, C(lo), or one that a hypervisor or a container engine made.
  - Brings such a device into a namespace, and gives it back. It neither makes nor deletes devices, so the modules
    for veth pairs, bridges and other kinds are the ones for what the playbook makes itself.
author:
  - linuxnet.vnet contributors (@linuxnet)
extends_documentation_fragment:
  - linuxnet.vnet.link
  - linuxnet.vnet.persist
  - linuxnet.vnet.attributes
  - linuxnet.vnet.attributes.groups
options:
  name:
    description:
      - Name of the device, 1 to 15 bytes. It has no C(/), C(:), C(%) or whitespace in it, and is neither C(.)
        nor C(..).
      - The device may be of any kind, but it has to exist, in O(netns) or in O(from_netns).
    type: str
    required: true
  state:
    description:
      - V(present) moves the device to O(netns) if it is not there yet, and changes what differs from the options
        that are given.
      - V(absent) gives the device back. If it is in O(netns), it is moved to O(from_netns), and otherwise nothing
        changes. It is never deleted.
    type: str
    choices: [present, absent]
    default: present
  netns:
    description:
      - The named network namespace (see C(ip-netns(8))) in which the device should be.
      - If omitted or V(""), it is the namespace in which the module runs.
      - The namespace has to exist; M(linuxnet.vnet.vnet_netns) makes one.
      - The kernel takes a device that moves from its bridge, sets it down, and removes its addresses and routes. Only
        what this task asks for is set in the new place.
    type: str
  from_netns:
    description:
      - The named network namespace in which to look for the device if it is not in O(netns), and to which
        O(state=absent) gives it back.
      - If omitted or V(""), it is the namespace in which the module runs.
    type: str
  recreate:
    description:
      - Does nothing here, as this module makes no device. It is an option so that it can be set for all modules at once
        in C(module_defaults).
    type: bool
    default: false
notes:
  - O(state=absent) does not put back addresses, the MTU and other options that an earlier task has changed, but a
    device that moves loses its addresses and is down afterwards.
  - Some devices can't be moved, as the kernel keeps them in their namespace, C(lo) and bridges among them. The task
    says so and changes nothing.
  - A physical device whose namespace is deleted goes back to the initial namespace. A virtual one is deleted with it.
seealso:
  - module: linuxnet.vnet.vnet_netns
  - module: linuxnet.vnet.vnet_bridge
  - module: linuxnet.vnet.vnet_topology
  - name: ip-link(8)
    description: What the options mean in detail.
    link: https://man7.org/linux/man-pages/man8/ip-link.8.html
"""

EXAMPLES = r"""
- name: Add an address to the loopback device, and keep those that it has
  linuxnet.vnet.vnet_link:
    name: lo
    addresses: [192.0.2.53/32]
    append: true

- name: Use jumbo frames on the network card
  linuxnet.vnet.vnet_link:
    name: eth0
    mtu: 9000

- name: Make a namespace for a router
  linuxnet.vnet.vnet_netns:
    name: router

- name: Hand a second network card to the router
  linuxnet.vnet.vnet_link:
    name: eth1
    netns: router
    addresses: [198.51.100.2/24, "2001:db8:100::2/64"]

- name: Make a bridge for VMs
  linuxnet.vnet.vnet_bridge:
    name: br0

- name: Plug a device that the hypervisor made into the bridge
  linuxnet.vnet.vnet_link:
    name: vnet7
    master: br0
    alias: VM of the accounting department

- name: Give the network card back to the host
  linuxnet.vnet.vnet_link:
    name: eth1
    netns: router
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
    - ip link set dev eth1 netns router
    - ip -n router link set dev eth1 mtu 9000
    - ip -n router address add 198.51.100.2/24 dev eth1
    - ip -n router link set dev eth1 up
link:
  description:
    - The device afterwards, in the words of the options. In check mode, without what the kernel would decide.
    - A device of a kind that has a module of its own has also what that module returns.
    - Empty if it is not there.
  returned: success
  type: dict
  contains:
    name:
      description: Name of the device.
      returned: when the device is there
      type: str
      sample: eth1
    kind:
      description: Kind of the device, in the kernel's word for it. Empty for a physical one.
      returned: when the device is there
      type: str
      sample: bond
    netns:
      description: As O(netns).
      returned: when the device is not in the namespace in which the module runs
      type: str
      sample: router
    admin_state:
      description: As O(admin_state).
      returned: when the device is there
      type: str
      sample: up
    mtu:
      description: As O(mtu), also where the kernel decided.
      returned: when the device is there
      type: int
      sample: 1500
    mac:
      description: The MAC address, whoever decided it.
      returned: when the device is there
      type: str
      sample: "86:e1:6f:a6:3e:53"
    master:
      description: As O(master).
      returned: when the device is a port, or O(master) was given
      type: str
      sample: br0
    addresses:
      description: As O(addresses).
      returned: when the device is there
      type: list
      elements: str
      sample: ["198.51.100.2/24"]
    alias:
      description: As O(alias).
      returned: when the device has one, or O(alias) was given
      type: str
      sample: uplink of the router
    altnames:
      description: As O(altnames).
      returned: when the device has some, or O(altnames) was given
      type: list
      elements: str
      sample: ["enp4s0f1"]
    link_group:
      description: The link group, by which a topology knows its devices.
      returned: when it is not 0
      type: int
      sample: 7001
"""

from ..module_utils.kinds.link import LINK
from ..module_utils.module import run_link


def main() -> None:
    run_link(LINK)


if __name__ == "__main__":
    main()
