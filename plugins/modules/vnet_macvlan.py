#!/usr/bin/python
# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vnet_macvlan
short_description: Manage macvlan and macvtap devices
version_added: "0.1.0"
description:
  - Makes, changes and deletes macvlan devices. Each puts a MAC address of its own onto the device on which it stands, so
    that a container is in the network of the host's network card without a bridge.
  - With O(tap=true) it is a macvtap device, whose frames a program (a virtual machine) reads and writes through a file
    under C(/dev).
author:
  - linuxnet.vnet contributors (@linuxnet)
extends_documentation_fragment:
  - linuxnet.vnet.link
  - linuxnet.vnet.persist
  - linuxnet.vnet.attributes
  - linuxnet.vnet.attributes.groups
options:
  parent:
    description:
      - Name of the device on which it stands, in O(link_netns). It has to exist, and can't be a port of a bridge, nor
        have ipvlan devices. When it is deleted, the kernel deletes the macvlan device with it.
      - Needed to make a device. If omitted, it is left alone on an existing device.
      - It can't be changed on an existing device, see O(recreate).
    type: str
  link_netns:
    description:
      - The named network namespace in which O(parent) is. V("") is the one in which the module runs. So the macvlan
        device can be in a container (O(netns)) and its parent in the host.
      - If omitted, it is left alone on an existing device, and a new one gets O(netns).
      - It can't be changed on an existing device, see O(recreate).
    type: str
  mode:
    description:
      - Who can talk to whom, among the devices on one O(parent).
      - V(private), none of them to another. V(vepa), only by way of a switch that sends frames back where they came
        from (IEEE 802.1Qbg). V(bridge), each to each.
      - V(passthru), there is only one, which has O(parent) for itself, with its MAC address. V(source), it gets only
        frames from the MAC addresses in O(macaddrs).
      - If omitted, it is left alone on an existing device, and a new one gets the kernel's own (V(vepa)).
      - The kernel can't switch V(passthru) on or off on an existing device, see O(recreate).
    type: str
    choices: [private, vepa, bridge, passthru, source]
  macaddrs:
    description:
      - The MAC addresses from which a device in the mode V(source) takes frames. V([]) is none.
      - The list is the whole truth, unless O(append=true). If omitted, it is left alone. It goes when O(mode) becomes
        another one.
    type: list
    elements: str
  bcqueuelen:
    description:
      - How many broadcast and multicast frames may wait to be handed to the devices on O(parent), V(1) to
        V(4294967295). The largest of all its devices counts. It needs Linux 5.11.
      - If omitted, it is left alone on an existing device, and a new one gets the kernel's own (V(1000)).
    type: int
  tap:
    description:
      - Whether it is a macvtap device, with a file C(/dev/tapN), see RV(link.device).
      - If omitted, it is left alone on an existing device, and a new one is a macvlan device.
      - It can't be changed on an existing device, see O(recreate).
    type: bool
  owner:
    description:
      - Name or number of the user who may open the file of a macvtap device. V("") is root.
      - If omitted, it is left alone on an existing device, and a new one's file is root's.
    type: str
  group:
    description:
      - Name or number of the group whose members may open the file of a macvtap device.
      - V("") lets none.
      - If omitted, it is left alone on an existing device, and for a new one's file there is none.
    type: str
notes:
  - The host itself can't talk to macvlan devices by way of O(parent). Give the host a macvlan device of its own for that.
  - A macvlan device carries at most the MTU of O(parent), and a new one gets that. When O(parent) gets a smaller one,
    it follows.
  - In mode V(passthru) O(mac) is set on O(parent), too.
  - All network namespaces share C(/dev), where files are named by the index of the device. Two indexes that are alike,
    in two network namespaces, are kept apart by giving the new device another one.
  - Where C(/dev) is not the kernel's own (devtmpfs), as in a container, the module makes the file.
seealso:
  - module: linuxnet.vnet.vnet_ipvlan
  - module: linuxnet.vnet.vnet_bridge
  - module: linuxnet.vnet.vnet_tuntap
"""

EXAMPLES = r"""
- name: Make two containers
  linuxnet.vnet.vnet_netns:
    name: "{{ item }}"
  loop: [web, db]

- name: Put them into the network of the host's network card, where they can talk to each other
  linuxnet.vnet.vnet_macvlan:
    name: eth0
    netns: "{{ item.name }}"
    link_netns: ""
    parent: eth0
    mode: bridge
    addresses: ["{{ item.address }}"]
  loop:
    - name: web
      address: 192.0.2.21/24
    - name: db
      address: 192.0.2.22/24

- name: Let the host talk to them
  linuxnet.vnet.vnet_macvlan:
    name: to-containers
    parent: eth0
    mode: bridge
    addresses: [192.0.2.20/32]

- name: Make a device for a virtual machine, whose file its user may open
  linuxnet.vnet.vnet_macvlan:
    name: vm7
    parent: eth0
    mode: vepa
    tap: true
    owner: nobody
    mac: "52:54:00:00:07:01"
  register: vm7

- name: Show the file for the command line of the hypervisor
  ansible.builtin.debug:
    msg: "-netdev tap,id=net0,fd=3 3<>{{ vm7.link.device }}"

- name: Hear nobody but two senders
  linuxnet.vnet.vnet_macvlan:
    name: from-cameras
    parent: eth0
    mode: source
    macaddrs: ["52:54:00:00:09:01", "52:54:00:00:09:02"]

- name: Delete the host's own
  linuxnet.vnet.vnet_macvlan:
    name: to-containers
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
    - ip link add vm7 link eth0 type macvtap mode vepa
    - ip link set dev vm7 address 52:54:00:00:07:01
    - "chown nobody:root /dev/tap$(ip -o link show dev vm7 | cut -d: -f1) && chmod 600 /dev/tap$(ip -o link show dev vm7 | cut -d: -f1)"
    - ip link set dev vm7 up
link:
  description:
    - The device afterwards, in the words of the options. In check mode, without what the kernel would decide.
    - Empty if it is not there.
  returned: success
  type: dict
  contains:
    name:
      description: Name of the device.
      returned: when the device is there
      type: str
      sample: vm7
    kind:
      description: Kind of the device, in the kernel's word for it (C(macvlan), C(macvtap)).
      returned: when the device is there
      type: str
      sample: macvlan
    netns:
      description: As O(netns).
      returned: when the device is not in the namespace in which the module runs
      type: str
      sample: web
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
      sample: "d6:70:0d:e1:7b:27"
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
      sample: ["192.168.9.1/24"]
    alias:
      description: As O(alias).
      returned: when the device has one, or O(alias) was given
      type: str
      sample: uplink
    altnames:
      description: As O(altnames).
      returned: when the device has some, or O(altnames) was given
      type: list
      elements: str
      sample: ["vm7-alt"]
    link_group:
      description: The link group, by which a topology knows its devices.
      returned: when it is not 0
      type: int
      sample: 7001
    parent:
      description: As O(parent).
      returned: when the device is there
      type: str
      sample: eth0
    link_netns:
      description: As O(link_netns), null for a namespace that has no name.
      returned: when the parent is not in the namespace in which the module runs, or O(link_netns) was given
      type: str
      sample: ""
    mode:
      description: As O(mode).
      returned: when the device is there
      type: str
      sample: bridge
    macaddrs:
      description: As O(macaddrs).
      returned: when it has some, or in a task that gives O(macaddrs)
      type: list
      elements: str
      sample: []
    bcqueuelen:
      description: As O(bcqueuelen).
      returned: when the device is there
      type: int
      sample: 1000
    tap:
      description: As O(tap).
      returned: when the device is there
      type: bool
      sample: true
    device:
      description: The file through which a program has the frames of a macvtap device.
      returned: when it is a macvtap device, but not in check mode for a new one
      type: str
      sample: /dev/tap8
    owner:
      description: As O(owner), also where the kernel decided.
      returned: when it is a macvtap device
      type: str
      sample: nobody
    group:
      description: As O(group).
      returned: when it is a macvtap device that has one, or O(group) was given
      type: str
      sample: kvm
"""

from ..module_utils.kinds.macvlan import MACVLAN
from ..module_utils.module import run_link


def main() -> None:
    run_link(MACVLAN)


if __name__ == "__main__":
    main()
