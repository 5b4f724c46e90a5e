#!/usr/bin/python
# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vnet_dummy
short_description: Manage dummy devices
version_added: "0.1.0"
description:
  - Makes, changes and deletes dummy devices, which are always there and swallow what is sent by them.
  - They hold addresses that belong to the host and to no network card (loopback addresses of routers, addresses of
    services), and stand in for a network card in trials.
author:
  - linuxnet.vnet contributors (@linuxnet)
extends_documentation_fragment:
  - linuxnet.vnet.link
  - linuxnet.vnet.persist
  - linuxnet.vnet.attributes
  - linuxnet.vnet.attributes.groups
seealso:
  - module: linuxnet.vnet.vnet_link
"""

EXAMPLES = r"""
- name: Give the host an address that does not depend on any network card
  linuxnet.vnet.vnet_dummy:
    name: lo-router
    addresses: [192.0.2.201/32, "2001:db8::201/128"]

- name: Make a port for trials, which stands in for a network card
  linuxnet.vnet.vnet_dummy:
    name: inner
    mtu: 9000
    alias: goes nowhere

- name: Delete it again
  linuxnet.vnet.vnet_dummy:
    name: inner
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
    - ip link add lo-router type dummy
    - ip address add 192.0.2.201/32 dev lo-router
    - ip link set dev lo-router up
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
      sample: lo-router
    kind:
      description: Kind of the device, in the kernel's word for it (C(dummy)).
      returned: when the device is there
      type: str
      sample: dummy
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
      sample: ["lo-router-alt"]
    link_group:
      description: The link group, by which a topology knows its devices.
      returned: when it is not 0
      type: int
      sample: 7001
"""

from ..module_utils.kinds.dummy import DUMMY
from ..module_utils.module import run_link


def main() -> None:
    run_link(DUMMY)


if __name__ == "__main__":
    main()
