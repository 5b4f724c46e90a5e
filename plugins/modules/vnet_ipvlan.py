#!/usr/bin/python
# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vnet_ipvlan
short_description: Manage ipvlan and ipvtap devices
version_added: "0.1.0"
description:
  - Makes, changes and deletes ipvlan devices. Each puts IP addresses of its own onto the device on which it stands, whose
    MAC address it shares, so that containers are in the network of the host's network card also where a switch or a
    wireless network allows but one MAC address.
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
        have macvlan devices. When it is deleted, the kernel deletes the ipvlan device with it.
      - Needed to make a device. If omitted, it is left alone on an existing device.
      - It can't be changed on an existing device, see O(recreate).
    type: str
  link_netns:
    description:
      - The named network namespace in which O(parent) is. V("") is the one in which the module runs. So the ipvlan
        device can be in a container (O(netns)) and its parent in the host.
      - If omitted, it is left alone on an existing device, and a new one gets O(netns).
      - It can't be changed on an existing device, see O(recreate).
    type: str
  mode:
    description:
      - What the device is to its container. V(l2), an Ethernet device. V(l3), one that only carries IP packets, which
        O(parent) routes, without broadcast and multicast. V(l3s), the same, with the host's firewall in between.
      - It is that of O(parent), and so of all ipvlan devices on that, which change with this one.
      - If omitted, it is left alone on an existing device. A new one gets the kernel's own (V(l3)), and with it all
        others on O(parent).
    type: str
    choices: [l2, l3, l3s]
  flag:
    description:
      - Who can talk to whom, among the devices on one O(parent). V(bridge), each to each. V(private), none to another.
        V(vepa), only by way of a router or switch that sends packets back where they came from.
      - It is that of O(parent), as O(mode) is.
      - If omitted, it is left alone on an existing device, and a new one gets that of the others on O(parent), which
        for the first one is V(bridge).
    type: str
    choices: [bridge, private, vepa]
  tap:
    description:
      - Whether it is an ipvtap device, with a file C(/dev/tapN), see RV(link.device).
      - If omitted, it is left alone on an existing device, and a new one is an ipvlan device.
      - It can't be changed on an existing device, see O(recreate).
    type: bool
notes:
  - O(mac) can't be given, as it is that of O(parent).
  - The host itself can't talk to ipvlan devices by way of O(parent). Give the host an ipvlan device of its own for that.
  - An ipvlan device always has the MTU of O(parent), until it is given another one, and again when that changes.
seealso:
  - module: linuxnet.vnet.vnet_macvlan
  - module: linuxnet.vnet.vnet_bridge
"""

EXAMPLES = r"""
- name: Make two containers
  linuxnet.vnet.vnet_netns:
    name: "{{ item }}"
  loop: [web, db]

- name: Put them into the network of the host's network card, under its MAC address
  linuxnet.vnet.vnet_ipvlan:
    name: eth0
    netns: "{{ item.name }}"
    link_netns: ""
    parent: eth0
    mode: l2
    addresses: ["{{ item.address }}"]
  loop:
    - name: web
      address: 192.0.2.21/24
    - name: db
      address: 192.0.2.22/24

- name: Let the host talk to them
  linuxnet.vnet.vnet_ipvlan:
    name: to-containers
    parent: eth0
    mode: l2
    addresses: [192.0.2.20/32]

- name: Make a device whose packets a program reads and writes
  linuxnet.vnet.vnet_ipvlan:
    name: vm7
    parent: eth0
    mode: l2
    tap: true

- name: Delete the host's own
  linuxnet.vnet.vnet_ipvlan:
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
    - ip link add eth0 link eth0 netns web type ipvlan mode l2
    - ip -n web address add 192.0.2.21/24 dev eth0
    - ip -n web link set dev eth0 up
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
      sample: eth0
    kind:
      description: Kind of the device, in the kernel's word for it (C(ipvlan), C(ipvtap)).
      returned: when the device is there
      type: str
      sample: ipvlan
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
      sample: ["eth0-alt"]
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
      sample: l2
    flag:
      description: As O(flag).
      returned: when the device is there
      type: str
      sample: bridge
    tap:
      description: As O(tap).
      returned: when the device is there
      type: bool
      sample: false
    device:
      description: The file through which a program has the packets of an ipvtap device.
      returned: when it is an ipvtap device, but not in check mode for a new one
      type: str
      sample: /dev/tap8
    owner:
      description: The user whose the file is.
      returned: when it is an ipvtap device
      type: str
      sample: root
    group:
      description: The group whose members may open the file.
      returned: when it is an ipvtap device whose file a group may open
      type: str
      sample: kvm
"""

from ..module_utils.kinds.ipvlan import IPVLAN
from ..module_utils.module import run_link


def main() -> None:
    run_link(IPVLAN)


if __name__ == "__main__":
    main()
