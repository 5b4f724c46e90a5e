#!/usr/bin/python
# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vnet_vlan
short_description: Manage VLAN devices
version_added: "0.1.0"
description:
  - Makes, changes and deletes VLAN devices (IEEE 802.1Q and 802.1ad). Each sends and receives the frames of one VLAN on
    the device on which it stands, and adds and removes their tag.
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
      - Name of the device on which it stands, in O(link_netns). It has to exist. When it is deleted, the kernel
        deletes the VLAN device with it.
      - Needed to make a device. If omitted, it is left alone on an existing device.
      - It can't be changed on an existing device, see O(recreate).
    type: str
  link_netns:
    description:
      - The named network namespace in which O(parent) is. V("") is the one in which the module runs. So the VLAN
        device can be in a container (O(netns)) and its parent in the host.
      - If omitted, it is left alone on an existing device, and a new one gets O(netns).
      - It can't be changed on an existing device, see O(recreate).
    type: str
  protocol:
    description:
      - Protocol of the tag. V(802.1ad) is that of providers, for a VLAN device on which others stand (QinQ).
      - If omitted, it is left alone on an existing device, and a new one gets the kernel's own (V(802.1q)).
      - It can't be changed on an existing device, see O(recreate).
    type: str
    choices: [802.1q, 802.1ad]
  vid:
    description:
      - Number of the VLAN, V(0) to V(4094).
      - Needed to make a device. If omitted, it is left alone on an existing device.
      - It can't be changed on an existing device, see O(recreate).
    type: int
  reorder_hdr:
    description:
      - Whether frames come in without the tag. With V(false) a program that captures them sees it.
      - If omitted, it is left alone on an existing device, and a new one gets the kernel's own (V(true)).
    type: bool
  gvrp:
    description:
      - Whether the switch is told by GVRP that the VLAN is wanted here.
      - If omitted, it is left alone on an existing device, and a new one gets the kernel's own (V(false)).
    type: bool
  mvrp:
    description:
      - The same by MVRP.
      - If omitted, it is left alone on an existing device, and a new one gets the kernel's own (V(false)).
    type: bool
  loose_binding:
    description:
      - Whether it can be up while O(parent) is down, and does not go down and up with that.
      - If omitted, it is left alone on an existing device, and a new one gets the kernel's own (V(false)).
    type: bool
  bridge_binding:
    description:
      - Whether it has a carrier only while a port of the bridge O(parent) that is in the VLAN has one.
      - If omitted, it is left alone on an existing device, and a new one gets the kernel's own (V(false)).
    type: bool
  ingress_qos_map:
    description:
      - Which priority a frame that comes in gets in the kernel by that in its tag, each pair as C(ip-link(8)) writes it,
        such as V("3:5"). Quote it, for YAML would make a number of it. What is not listed gets 0.
      - The list is the whole truth, unless O(append=true). V([]) takes all off. If omitted, it is left alone.
    type: list
    elements: str
  egress_qos_map:
    description:
      - The same for frames that go out, the kernel's priority first, and that of the tag (V(0) to V(7)) second.
      - The list is the whole truth, unless O(append=true). V([]) takes all off. If omitted, it is left alone.
    type: list
    elements: str
notes:
  - The kernel sets VLAN devices down and up with O(parent). While that is down, a VLAN device can't be set up.
  - A VLAN device carries at most the MTU of O(parent), and a new one gets that. When O(parent) gets a smaller one,
    it follows.
  - Frames of a VLAN that has a device on a port of a bridge do not reach the bridge.
seealso:
  - module: linuxnet.vnet.vnet_bridge
  - module: linuxnet.vnet.vnet_macvlan
"""

EXAMPLES = r"""
- name: Take VLAN 20 off the network card
  linuxnet.vnet.vnet_vlan:
    name: eth0.20
    parent: eth0
    vid: 20
    addresses: [10.20.0.11/24]

- name: Make a bridge for the virtual machines that are in VLAN 30
  linuxnet.vnet.vnet_bridge:
    name: br30
    mac: "52:54:00:00:30:01"

- name: Make VLAN 30 of the network card a port of it
  linuxnet.vnet.vnet_vlan:
    name: eth0.30
    parent: eth0
    vid: 30
    master: br30

- name: Take the VLAN of a provider off the network card
  linuxnet.vnet.vnet_vlan:
    name: provider
    parent: eth0
    protocol: 802.1ad
    vid: 100

- name: Take VLAN 5 of the customer out of it
  linuxnet.vnet.vnet_vlan:
    name: customer
    parent: provider
    vid: 5
    mtu: 1496

- name: Make a container
  linuxnet.vnet.vnet_netns:
    name: web

- name: Put the container into VLAN 40, with the network card left in the host
  linuxnet.vnet.vnet_vlan:
    name: eth0
    netns: web
    link_netns: ""
    parent: eth0
    vid: 40
    addresses: [10.40.0.11/24]

- name: Keep a VLAN for telephones apart by the priority in its tags
  linuxnet.vnet.vnet_vlan:
    name: phones
    parent: eth0
    vid: 50
    egress_qos_map: ["0:5", "6:7"]

- name: Delete the customer's device
  linuxnet.vnet.vnet_vlan:
    name: customer
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
    - ip link add eth0.20 link eth0 type vlan id 20
    - ip address add 10.20.0.11/24 dev eth0.20
    - ip link set dev eth0.20 up
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
      sample: eth0.20
    kind:
      description: Kind of the device, in the kernel's word for it (C(vlan)).
      returned: when the device is there
      type: str
      sample: vlan
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
      sample: ["eth0.20-alt"]
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
    protocol:
      description: As O(protocol).
      returned: when the device is there
      type: str
      sample: 802.1q
    vid:
      description: As O(vid).
      returned: when the device is there
      type: int
      sample: 20
    reorder_hdr:
      description: As O(reorder_hdr).
      returned: when the device is there
      type: bool
      sample: true
    gvrp:
      description: As O(gvrp).
      returned: when the device is there
      type: bool
      sample: false
    mvrp:
      description: As O(mvrp).
      returned: when the device is there
      type: bool
      sample: false
    loose_binding:
      description: As O(loose_binding).
      returned: when the device is there
      type: bool
      sample: false
    bridge_binding:
      description: As O(bridge_binding).
      returned: when the device is there
      type: bool
      sample: false
    ingress_qos_map:
      description: As O(ingress_qos_map).
      returned: when it has some, or in a task that gives O(ingress_qos_map)
      type: list
      elements: str
      sample: []
    egress_qos_map:
      description: As O(egress_qos_map).
      returned: when it has some, or in a task that gives O(egress_qos_map)
      type: list
      elements: str
      sample: ["0:5", "6:7"]
"""

from ..module_utils.kinds.vlan import VLAN
from ..module_utils.module import run_link


def main() -> None:
    run_link(VLAN)


if __name__ == "__main__":
    main()
