#!/usr/bin/python
# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vnet_veth
short_description: Manage veth pairs
version_added: "0.1.0"
description:
  - Makes, changes and deletes veth pairs, two Ethernet devices of which each receives what the other sends.
  - One task describes both ends. Each can be in a namespace of its own, which is how a container gets its
    network device. A new pair is made with both ends in their places at once.
author:
  - linuxnet.vnet contributors (@linuxnet)
extends_documentation_fragment:
  - linuxnet.vnet.link
  - linuxnet.vnet.persist
  - linuxnet.vnet.attributes
  - linuxnet.vnet.attributes.groups
options:
  num_tx_queues:
    description:
      - Number of transmit queues of the first end, V(1) to V(4096). A new pair's other end gets as many receive queues.
      - If omitted, it is left alone on an existing pair, and a new one gets V(1). Left to itself, the kernel makes one
        for each processor and then uses one of them, which takes as long as all else about a pair.
      - It can't be changed on an existing pair, see O(recreate).
    type: int
  num_rx_queues:
    description:
      - Number of receive queues of the first end, V(1) to V(4096). A new pair's other end gets as many transmit queues.
      - If omitted, it is left alone on an existing pair, and a new one gets V(1).
      - It can't be changed on an existing pair, see O(recreate).
    type: int
  peer:
    description:
      - The other end of the pair. Needed to make a pair. If omitted, the other end of an existing pair is left
        alone.
      - O(append) holds for its lists, too.
    type: dict
    suboptions:
      name:
        description:
          - Name of the other end, under the rules of O(name). Needed to make a pair.
          - If omitted, it is left alone on an existing pair. If it differs, the other end is renamed.
        type: str
      netns:
        description:
          - The named network namespace in which the other end is. V("") is the one in which the module runs.
          - If omitted, it is left alone on an existing pair, and that of the first end (O(netns)) for a new one.
          - If the other end is somewhere else, it is moved. The kernel takes a device that moves from its bridge
            and removes its addresses and routes; only what this task asks for is set in the new place.
        type: str
      admin_state:
        description:
          - The administrative state of the other end. It is asked for even if omitted, once O(peer) is given.
          - The pair has a carrier only while both ends are up.
        type: str
        choices: [up, down]
        default: up
      mtu:
        description:
          - Maximum transmission unit of the other end in bytes, V(68) to V(65535). Give both ends the same.
          - If omitted, it is left alone on an existing pair, and a new one gets the kernel's own.
        type: int
      mac:
        description:
          - MAC address of the other end, under the rules of O(mac).
          - If omitted, it is left alone on an existing pair, and the kernel picks one at random for a new one.
        type: str
      master:
        description:
          - Name of the bridge, in the namespace of the other end, that the other end is a port of.
          - V("") detaches it.
          - If omitted, it is left alone on an existing pair, and the other end of a new one is no port.
        type: str
      addresses:
        description:
          - Addresses of the other end in CIDR notation, under the rules of O(addresses).
          - If omitted, they are left alone on an existing pair, and the other end of a new one gets none.
        type: list
        elements: str
      alias:
        description:
          - Free text that the kernel keeps with the other end, up to 255 bytes.
          - V("") removes it.
          - If omitted, it is left alone on an existing pair, and the other end of a new one gets none.
        type: str
notes:
  - A pair whose first end was moved to another namespace is found by O(peer), and the first end is moved back.
  - Deleting one end, or its namespace, deletes both.
seealso:
  - module: linuxnet.vnet.vnet_netns
  - module: linuxnet.vnet.vnet_bridge
  - name: veth(4)
    description: How the two ends of a pair behave.
    link: https://man7.org/linux/man-pages/man4/veth.4.html
"""

EXAMPLES = r"""
- name: Make a namespace for a container
  linuxnet.vnet.vnet_netns:
    name: web

- name: Wire the container to the host
  linuxnet.vnet.vnet_veth:
    name: web0
    addresses: [192.168.9.1/24]
    peer:
      name: eth0
      netns: web
      addresses: [192.168.9.2/24]

- name: Make a bridge for containers
  linuxnet.vnet.vnet_bridge:
    name: br0
    mac: "52:54:00:00:09:01"
    addresses: [192.168.10.1/24, "fd00:10::1/64"]

- name: Make their namespaces
  linuxnet.vnet.vnet_netns:
    name: "{{ item }}"
  loop: [db, cache]

- name: Wire the containers to the bridge
  linuxnet.vnet.vnet_veth:
    name: "{{ item.name }}0"
    master: br0
    alias: "container {{ item.name }}"
    peer:
      name: eth0
      netns: "{{ item.name }}"
      mac: "{{ item.mac }}"
      addresses: "{{ item.addresses }}"
  loop:
    - name: db
      mac: "52:54:00:00:09:02"
      addresses: [192.168.10.2/24, "fd00:10::2/64"]
    - name: cache
      mac: "52:54:00:00:09:03"
      addresses: [192.168.10.3/24, "fd00:10::3/64"]

- name: Wire two namespaces to each other, with jumbo frames and four queues in each direction
  linuxnet.vnet.vnet_veth:
    name: replica
    netns: db
    mtu: 9000
    num_tx_queues: 4
    num_rx_queues: 4
    addresses: [10.0.0.0/31]
    peer:
      name: primary
      netns: cache
      mtu: 9000
      addresses: [10.0.0.1/31]

- name: Delete the container's pair
  linuxnet.vnet.vnet_veth:
    name: web0
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
    - ip link add web0 master br0 type veth peer name eth0 netns web
    - ip link set dev web0 alias 'container web'
    - ip link property add dev web0 altname container-web
    - ip -n web address add 192.168.9.2/24 dev eth0
    - ip link set dev web0 up
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
      sample: web0
    kind:
      description: Kind of the device, in the kernel's word for it (C(veth)).
      returned: when the device is there
      type: str
      sample: veth
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
      sample: ["192.168.9.1/24"]
    alias:
      description: As O(alias).
      returned: when the device has one, or O(alias) was given
      type: str
      sample: container web
    altnames:
      description: As O(altnames).
      returned: when the device has some, or O(altnames) was given
      type: list
      elements: str
      sample: ["container-web"]
    link_group:
      description: The link group, by which a topology knows its devices.
      returned: when it is not 0
      type: int
      sample: 7001
    num_tx_queues:
      description: As O(num_tx_queues).
      returned: when the device is there
      type: int
      sample: 2
    num_rx_queues:
      description: As O(num_rx_queues).
      returned: when the device is there
      type: int
      sample: 2
    peer:
      description: Where the other end is.
      returned: when it is in a namespace that has a name
      type: dict
      contains:
        name:
          description: Name of the other end.
          returned: success
          type: str
          sample: eth0
        netns:
          description: Its namespace, empty for the one in which the module runs.
          returned: success
          type: str
          sample: web
"""

from ..module_utils.kinds.veth import VETH
from ..module_utils.module import run_link


def main() -> None:
    run_link(VETH)


if __name__ == "__main__":
    main()
