#!/usr/bin/python
# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vnet_vrf
short_description: Manage VRF devices
version_added: "0.1.0"
description:
  - Makes, changes and deletes VRF devices (virtual routing and forwarding). The devices that are ports of one, by their
    O(linuxnet.vnet.vnet_veth#module:master), take their routes from its table, apart from all others.
author:
  - linuxnet.vnet contributors (@linuxnet)
extends_documentation_fragment:
  - linuxnet.vnet.link
  - linuxnet.vnet.persist
  - linuxnet.vnet.attributes
  - linuxnet.vnet.attributes.groups
options:
  table:
    description:
      - Number of the routing table, V(1) to V(4294967295), or one of V(main), V(default) and V(local).
      - Needed to make a device. If omitted, it is left alone on an existing device.
      - It can't be changed on an existing device, see O(recreate).
    type: str
  mtu:
    description:
      - Maximum transmission unit in bytes, V(1280) to V(65575).
      - If omitted, it is left alone on an existing device, and a new one gets the kernel's own, the largest.
    type: int
notes:
  - With the first VRF of a network namespace, the kernel adds a policy rule of priority 1000 there
    (C(from all lookup [l3mdev-table])), and leaves it when the last one goes.
  - When a device becomes a port of a VRF, or ceases to be one, the kernel sets it down and up, and forgets the routes
    through it. Those of its addresses come back by themselves, in the other table.
  - Give the table a default route of type C(unreachable) with a high metric, so that packets without a route do not go
    on to the other tables.
seealso:
  - module: linuxnet.vnet.vnet_route
  - name: The kernel's documentation of VRF
    description: How tables, rules and devices work together.
    link: https://docs.kernel.org/networking/vrf.html
"""

EXAMPLES = r"""
- name: Give a customer a routing table
  linuxnet.vnet.vnet_vrf:
    name: red
    table: 10

- name: Let nothing of the customer's go on to the other tables
  linuxnet.vnet.vnet_route:
    table: 10
    destination: default
    type: unreachable
    metric: 4278198272

- name: Wire the customer to it
  linuxnet.vnet.vnet_veth:
    name: red0
    master: red
    addresses: [192.168.9.1/24]
    peer:
      name: red1

- name: Delete it
  linuxnet.vnet.vnet_vrf:
    name: red
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
    - ip link add red type vrf table 10
    - ip link set dev red up
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
      sample: red
    kind:
      description: Kind of the device, in the kernel's word for it (C(vrf)).
      returned: when the device is there
      type: str
      sample: vrf
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
      sample: ["red-alt"]
    link_group:
      description: The link group, by which a topology knows its devices.
      returned: when it is not 0
      type: int
      sample: 7001
    table:
      description: As O(table), a number or a word.
      returned: when the device is there
      type: raw
      sample: 10
"""

from ..module_utils.kinds.vrf import VRF
from ..module_utils.module import run_link


def main() -> None:
    run_link(VRF)


if __name__ == "__main__":
    main()
