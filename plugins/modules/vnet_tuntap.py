#!/usr/bin/python
# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vnet_tuntap
short_description: Manage tun and tap devices
version_added: "0.1.0"
description:
  - Makes, changes and deletes persistent tun and tap devices, as C(ip tuntap) does. A program that opens
    C(/dev/net/tun) and attaches to such a device reads what the kernel sends there, and what the program writes is
    what the kernel receives. VMs and VPNs use them.
  - The device has a carrier only while a program is attached to it.
author:
  - linuxnet.vnet contributors (@linuxnet)
extends_documentation_fragment:
  - linuxnet.vnet.link
  - linuxnet.vnet.persist
  - linuxnet.vnet.attributes
  - linuxnet.vnet.attributes.groups
options:
  mode:
    description:
      - V(tap) carries Ethernet frames and can be a port of a bridge. V(tun) carries IP packets, and has no MAC
        address and no O(master).
      - Needed to make a device. If omitted, it is left alone on an existing one.
      - It can't be changed on an existing device, see O(recreate).
    type: str
    choices: [tun, tap]
  owner:
    description:
      - The user, by name or number, who may attach to the device without the capability C(CAP_NET_ADMIN). Where
        O(group) is given, too, a user has to match both.
      - If omitted, it is left alone on an existing device, and a new one gets none. Then, and without a O(group),
        every user may attach who can open C(/dev/net/tun).
      - It can't be changed while a program is attached, and not be unset.
    type: str
  group:
    description:
      - The group, by name or number, whose members may attach to the device without the capability
        C(CAP_NET_ADMIN).
      - If omitted, it is left alone on an existing device, and a new one gets none.
      - It can't be changed while a program is attached, and not be unset.
    type: str
  multi_queue:
    description:
      - Whether a program can attach several times and use that many queues in parallel. A program has to ask for the
        same.
      - If omitted, it is left alone on an existing device, and a new one gets the kernel's own (off).
      - It can't be changed on an existing device, see O(recreate).
    type: bool
  vnet_hdr:
    description:
      - Whether frames have a virtio header in front of them, for checksum and segmentation offload.
      - Each program that attaches sets this anew as it needs it, so it is set on a new device and never compared
        afterwards.
      - If omitted, a new device gets the kernel's own (off).
    type: bool
  packet_info:
    description:
      - Whether packets have four bytes of flags and protocol in front of them.
      - Each program that attaches sets this anew as it needs it, so it is set on a new device and never compared
        afterwards.
      - If omitted, a new device gets V(false).
    type: bool
notes:
  - The device lasts until it is deleted or the host reboots, also while no program is attached. With O(persist)
    it comes back at boot.
  - C(/dev/net/tun) has to be there, that is the kernel module C(tun). Containers often lack it.
  - C(ip tuntap) can't change O(owner) and O(group) of an existing device. RV(operations) shows such a change as
    a command of C(tunctl(8)).
seealso:
  - module: linuxnet.vnet.vnet_bridge
  - name: The kernel's documentation of TUN/TAP
    description: How a program uses such a device.
    link: https://docs.kernel.org/networking/tuntap.html
"""

EXAMPLES = r"""
- name: Make the user who runs the VM
  ansible.builtin.user:
    name: vm1
    system: true
    create_home: false

- name: Make a bridge for VMs
  linuxnet.vnet.vnet_bridge:
    name: br0
    mac: "52:54:00:00:09:01"
    addresses: [192.168.9.1/24]

- name: Make a tap on the bridge to which only this user's VM can attach
  linuxnet.vnet.vnet_tuntap:
    name: tap-vm1
    mode: tap
    owner: vm1
    vnet_hdr: true
    master: br0

- name: Make the group whose members run VMs
  ansible.builtin.group:
    name: vmrunners
    system: true

- name: Make taps with several queues for them
  linuxnet.vnet.vnet_tuntap:
    name: "{{ item }}"
    mode: tap
    group: vmrunners
    multi_queue: true
    mtu: 9000
    alias: "VM of the group vmrunners"
  loop: [tap-vm2, tap-vm3]

- name: Make a tun for a VPN daemon without privileges
  linuxnet.vnet.vnet_tuntap:
    name: vpn0
    mode: tun
    owner: nobody
    mtu: 1420
    addresses: [10.8.0.1/24, "fd00:8::1/64"]

- name: Make a namespace for an appliance
  linuxnet.vnet.vnet_netns:
    name: appliance

- name: Make a tap in the namespace
  linuxnet.vnet.vnet_tuntap:
    name: tap0
    netns: appliance
    mode: tap
    addresses: [192.0.2.1/24]

- name: Delete the VM's tap
  linuxnet.vnet.vnet_tuntap:
    name: tap-vm1
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
    - ip tuntap add dev tap-vm1 mode tap user vmuser vnet_hdr
    - ip link set dev tap-vm1 master br0
    - ip link set dev tap-vm1 up
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
      sample: tap-vm1
    kind:
      description: Kind of the device, in the kernel's word for it (C(tun)).
      returned: when the device is there
      type: str
      sample: tun
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
      returned: when the device has one
      type: str
      sample: "72:c2:c0:e8:7b:7c"
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
      sample: ["tap-vm1-alt"]
    link_group:
      description: The link group, by which a topology knows its devices.
      returned: when it is not 0
      type: int
      sample: 7001
    mode:
      description: As O(mode).
      returned: when the device is there
      type: str
      sample: tap
    owner:
      description: As O(owner), by name where it has one.
      returned: when the device has one, or O(owner) was given
      type: str
      sample: vm1
    group:
      description: As O(group), by name where it has one.
      returned: when the device has one, or O(group) was given
      type: str
      sample: vmrunners
    multi_queue:
      description: As O(multi_queue).
      returned: when the device is there
      type: bool
      sample: false
    vnet_hdr:
      description: As O(vnet_hdr), or as the last program set it.
      returned: when the device is there
      type: bool
      sample: true
    packet_info:
      description: As O(packet_info), or as the last program set it.
      returned: when the device is there
      type: bool
      sample: false
"""

from ..module_utils.kinds.tuntap import TUNTAP
from ..module_utils.module import run_link


def main() -> None:
    run_link(TUNTAP)


if __name__ == "__main__":
    main()
