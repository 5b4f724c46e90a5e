#!/usr/bin/python
# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vnet_ovs_bridge
short_description: Manage Open vSwitch bridges and their ports
version_added: "0.1.0"
description:
  - Makes, changes and deletes bridges of Open vSwitch with their ports and VLANs.
  - What a task changes is one transaction of Open vSwitch's database, by C(ovs-vsctl). When Open vSwitch then can't
    set up a port, the task takes the transaction back and fails in Open vSwitch's words.
author:
  - linuxnet.vnet contributors (@linuxnet)
extends_documentation_fragment:
  - linuxnet.vnet.persist
  - linuxnet.vnet.attributes
attributes:
  action_group:
    description:
      - Use C(group/linuxnet.vnet.vnet), which has every module that changes something, in C(module_defaults).
    support: full
    membership:
      - linuxnet.vnet.vnet
requirements:
  - Open vSwitch, running, with C(ovs-vsctl) (the package C(openvswitch-switch) of Debian and Ubuntu, C(openvswitch)
    elsewhere)
options:
  name:
    description:
      - Name of the bridge, and of the device that Open vSwitch makes for the host to take part in it. 1 to 15 bytes.
    type: str
    required: true
  state:
    description:
      - V(present) makes the bridge if it is missing, and changes what differs from the options that are given.
      - V(absent) deletes it, its own device and its internal ports with it. Other devices stay.
    type: str
    choices: [present, absent]
    default: present
  ports:
    description:
      - The ports of the bridge, besides its own. The list is the whole truth, unless O(append=true). V([]) takes all of them
        away. If omitted, they are left alone.
      - A port that another Open vSwitch bridge has is taken from it first.
      - What is not said of a port that is there already is left alone.
    type: list
    elements: dict
    suboptions:
      name:
        description:
          - Name of the port, which is that of the device. It has to exist in the namespace in which Open vSwitch runs,
            unless it is V(internal).
        type: str
        required: true
      tag:
        description:
          - The VLAN of an access port, V(0) to V(4095). Its frames have no tag outside of the bridge.
          - It takes the place of O(ports[].trunks). V("") takes it away.
        type: str
      trunks:
        description:
          - The VLANs of a trunk port, numbers, or ranges such as V(20-30). V([]) stands for all.
          - It takes the place of O(ports[].tag).
        type: list
        elements: str
      type:
        description:
          - V(system) is a device that something else made.
          - V(internal) is one that Open vSwitch makes, with that name, and that goes with the port. It may be moved into
            a namespace (M(linuxnet.vnet.vnet_link)).
          - V(patch) leads into another bridge of Open vSwitch, V(vxlan), V(geneve) and V(gre) to another host. They
            need O(ports[].options), and are no devices of the kernel. A patch waits until its other end is there.
          - If omitted, a new port is V(system).
        type: str
        choices: [system, internal, patch, vxlan, geneve, gre]
      options:
        description:
          - What Open vSwitch wants to be told of a port of its type, by the keys of the table C(Interface) in
            C(ovs-vswitchd.conf.db(5)). V(patch) needs C(peer), the name of the port at the other end. Tunnels need
            C(remote_ip), and mostly C(key), the number of the network.
          - The dictionary is the whole truth. V({}) takes all off. If omitted, it is left alone.
        type: dict
  datapath_type:
    description:
      - Who forwards the packets. V(system) is the kernel, which needs its module C(openvswitch); V(netdev) is
        Open vSwitch itself, in user space. C(ovs-vsctl get Open_vSwitch . datapath_types) lists what it was built with.
      - If omitted, a new bridge gets V(system). A bridge that is there can't change it, as all its devices would
        have to be made anew.
    type: str
  fail_mode:
    description:
      - What the bridge does when no controller of O(controller) can be reached. V(standalone) forwards like any switch,
        V(secure) only what its flows say.
      - V("") takes it away; Open vSwitch then does as with V(standalone). If omitted, it is left alone, and a new bridge has
        none.
    type: str
    choices: [standalone, secure, ""]
  controller:
    description:
      - The OpenFlow controllers, such as V(tcp:192.0.2.1:6653), V(ssl:[2001:db8::1]:6653), V(unix:/run/controller) or, to
        listen, V(ptcp:6653).
      - The list is the whole truth, unless O(append=true). V([]) takes all of them away. If omitted, they are left alone.
    type: list
    elements: str
  append:
    description:
      - Whether O(ports) and O(controller) are additions to what is there.
    type: bool
    default: false
notes:
  - The bridge's own device, and those of internal ports, are down and have no addresses at first.
    M(linuxnet.vnet.vnet_link) gives them what a device can have.
  - Whatever else the database has of a bridge stays as it is, such as mirrors, QoS, bonds, tunnels and flows.
  - Open vSwitch remembers its bridges over a reboot by itself. O(persist) keeps what should be, for a host whose database
    is lost or changed.
seealso:
  - module: linuxnet.vnet.vnet_bridge
  - module: linuxnet.vnet.vnet_link
  - module: linuxnet.vnet.vnet_topology
  - name: ovs-vsctl(8)
    description: Everything else that Open vSwitch can do.
    link: https://docs.openvswitch.org/en/latest/ref/ovs-vsctl.8/
"""

EXAMPLES = r"""
- name: Make a bridge that needs no kernel module, with a device for the host and one for a container, besides any others
  linuxnet.vnet.vnet_ovs_bridge:
    name: ovsbr0
    datapath_type: netdev
    ports:
      - name: mgmt0
        type: internal
        tag: 10
      - name: web0
        type: internal
    append: true

- name: Give the host its address on the first one
  linuxnet.vnet.vnet_link:
    name: mgmt0
    addresses: [192.0.2.10/24]

- name: Add the uplink as a trunk, and leave all other ports as they are
  linuxnet.vnet.vnet_ovs_bridge:
    name: ovsbr0
    ports:
      - name: eth0
        trunks: ["10", "20-29"]
    append: true

- name: Let a controller say what is forwarded, and nothing be forwarded without it
  linuxnet.vnet.vnet_ovs_bridge:
    name: ovsbr0
    controller: ["tcp:192.0.2.1:6653"]
    fail_mode: secure

- name: Lead to the same bridge of another host, by VXLAN
  linuxnet.vnet.vnet_ovs_bridge:
    name: ovsbr0
    ports:
      - name: to-host2
        type: vxlan
        options:
          remote_ip: 192.0.2.2
          key: 5000
    append: true

- name: Delete the bridge
  linuxnet.vnet.vnet_ovs_bridge:
    name: ovsbr0
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
    - ovs-vsctl add-br ovsbr0 -- add-port ovsbr0 eth0 tag=10
ovs_bridge:
  description: The bridge afterwards, in the words of the options. Empty if it is not there.
  returned: success
  type: dict
  contains:
    name:
      description: As O(name).
      returned: when the bridge is there
      type: str
      sample: ovsbr0
    datapath_type:
      description: As O(datapath_type).
      returned: when the bridge is there
      type: str
      sample: system
    fail_mode:
      description: As O(fail_mode).
      returned: when there is one
      type: str
      sample: secure
    controller:
      description: As O(controller), sorted.
      returned: when there are any
      type: list
      elements: str
      sample: ["tcp:192.0.2.1:6653"]
    ports:
      description:
        - As O(ports), by name, VLANs as numbers. The type may be one that there is no option for, such as V(vxlan).
      returned: when the bridge is there
      type: list
      elements: dict
      sample:
        - name: eth0
          type: system
          trunks: [10, 20, 21]
        - name: mgmt0
          type: internal
          tag: 10
"""

from ..module_utils.module_topology import run_ovs


def main() -> None:
    run_ovs()


if __name__ == "__main__":
    main()
