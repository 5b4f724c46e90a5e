#!/usr/bin/python
# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vnet_geneve
short_description: Manage GENEVE devices
version_added: "0.1.0"
description:
  - Makes, changes and deletes GENEVE devices (RFC 8926), which carry Ethernet frames in UDP packets to one other host, or
    to the host that each packet's metadata names.
author:
  - linuxnet.vnet contributors (@linuxnet)
extends_documentation_fragment:
  - linuxnet.vnet.link
  - linuxnet.vnet.persist
  - linuxnet.vnet.attributes
  - linuxnet.vnet.attributes.groups
options:
  vni:
    description:
      - Virtual network identifier, V(0) to V(16777215). Both ends have the same.
      - Needed to make a device, unless O(external=true), with which it can't be given. If omitted, it is left
        alone on an existing device.
      - It can't be changed on an existing device, see O(recreate).
    type: int
  remote:
    description:
      - Unicast address of the other end, IPv4 or IPv6. Needed to make a device, unless O(external=true).
      - If omitted, it is left alone on an existing device.
      - The kernel can't exchange an IPv4 address for an IPv6 one on an existing device, see O(recreate).
    type: str
  link_netns:
    description:
      - The named network namespace of the underlay, in which packets are sent and received. V("") is the one in
        which the module runs. So the GENEVE device can be in a container (O(netns)) that can't see the underlay.
      - The kernel does not tell what it is on an existing device, so it counts only when the device is made, and is
        needed again with O(recreate).
      - If omitted, a new device gets O(netns).
    type: str
  dstport:
    description:
      - UDP port on which packets are sent and received, V(1) to V(65535).
      - If omitted, it is left alone on an existing device, and a new one gets V(6081), the port that IANA assigned.
      - It can't be changed on an existing device, see O(recreate).
    type: int
  ttl:
    description:
      - TTL or hop limit of the packets in the underlay, V(1) to V(255). V(auto) or V(0) is the kernel's own choice.
        V(inherit) copies that of the inner packet.
      - If omitted, it is left alone on an existing device, and a new one gets the kernel's own (V(auto)).
    type: str
  tos:
    description:
      - Type of service or traffic class of the packets in the underlay, V(0) to V(255), also in hexadecimal.
        V(inherit), or V(1), copies that of the inner packet.
      - If omitted, it is left alone on an existing device, and a new one gets the kernel's own (0).
    type: str
  label:
    description:
      - Flow label of packets over IPv6, V(0) to V(1048575).
      - If omitted, it is left alone on an existing device, and a new one gets the kernel's own (V(0)).
    type: int
  df:
    description:
      - Don't-fragment bit of IPv4 packets in the underlay; V(inherit) copies that of the inner packet.
      - If omitted, it is left alone on an existing device, and a new one gets the kernel's own (V(unset)).
    type: str
    choices: [unset, set, inherit]
  udp_csum:
    description:
      - Whether packets have a UDP checksum. Over IPv6 a device without sends none and demands none.
      - If omitted, it is left alone on an existing device, and a new one gets the kernel's own (off over IPv4, on over
        IPv6).
      - It can't be changed on an existing device, see O(recreate).
    type: bool
  external:
    description:
      - Whether VNI and remote host come with each packet, as metadata from C(tc), a route, or Open vSwitch
        (C(collect_md)). Such a device has no O(vni), O(remote), O(ttl), O(tos), O(label) and
        O(udp_csum).
      - If omitted, it is left alone on an existing device, and a new one gets the kernel's own (off).
      - It can't be changed on an existing device, see O(recreate).
    type: bool
notes:
  - The headers of GENEVE take 50 bytes and more, over IPv6 70. A new device gets the MTU of the route to O(remote) less
    that, where there is a route by then, and else 1500.
  - That O(dstport) is taken, the kernel finds only when the device comes up.
seealso:
  - module: linuxnet.vnet.vnet_vxlan
  - name: RFC 8926
    description: Generic Network Virtualization Encapsulation (GENEVE).
    link: https://www.rfc-editor.org/rfc/rfc8926
"""

EXAMPLES = r"""
- name: Make a tunnel to another host
  linuxnet.vnet.vnet_geneve:
    name: gnv100
    vni: 100
    remote: 192.0.2.12
    mtu: 1450
    addresses: [10.100.0.1/30]

- name: Make one over IPv6, and tell from inside how long a packet may live
  linuxnet.vnet.vnet_geneve:
    name: gnv200
    vni: 200
    remote: "2001:db8::12"
    ttl: inherit
    mtu: 1430
    addresses: [10.200.0.1/30]

- name: Make a namespace for a tenant
  linuxnet.vnet.vnet_netns:
    name: tenant

- name: Give the tenant a tunnel, and keep the underlay in the namespace of the host
  linuxnet.vnet.vnet_geneve:
    name: eth0
    netns: tenant
    link_netns: ""
    vni: 300
    remote: 192.0.2.12
    mtu: 1450
    addresses: [10.30.0.1/30]

- name: Make one device for all that a switch sends (the port differs, as the devices above have taken 6081)
  linuxnet.vnet.vnet_geneve:
    name: gnv-sys
    external: true
    dstport: 6082

- name: Delete a tunnel
  linuxnet.vnet.vnet_geneve:
    name: gnv200
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
    - ip link add gnv100 type geneve id 100 remote 192.0.2.12 dstport 6081
    - ip link set dev gnv100 mtu 1450
    - ip address add 10.100.0.1/30 dev gnv100
    - ip link set dev gnv100 up
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
      sample: gnv100
    kind:
      description: Kind of the device, in the kernel's word for it (C(geneve)).
      returned: when the device is there
      type: str
      sample: geneve
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
      sample: ["gnv100-alt"]
    link_group:
      description: The link group, by which a topology knows its devices.
      returned: when it is not 0
      type: int
      sample: 7001
    vni:
      description: As O(vni).
      returned: when the device is there
      type: int
      sample: 100
    remote:
      description: As O(remote).
      returned: when the device is there, and not O(external)
      type: str
      sample: 192.0.2.12
    link_netns:
      description: As O(link_netns).
      returned: in check mode, when O(link_netns) was given for a new device
      type: str
      sample: ""
    dstport:
      description: As O(dstport).
      returned: when the device is there
      type: int
      sample: 6081
    ttl:
      description: As O(ttl), a number or a word.
      returned: when the device is there
      type: raw
      sample: 64
    tos:
      description: As O(tos), a number or a word.
      returned: when the device is there
      type: raw
      sample: 0
    label:
      description: As O(label).
      returned: when the device is there
      type: int
      sample: 0
    df:
      description: As O(df).
      returned: when the device is there
      type: str
      sample: unset
    udp_csum:
      description: As O(udp_csum).
      returned: when the device is there, and not O(external)
      type: bool
      sample: false
    external:
      description: As O(external).
      returned: when it is on, or in check mode, when O(external) was given
      type: bool
      sample: false
"""

from ..module_utils.kinds.geneve import GENEVE
from ..module_utils.module import run_link


def main() -> None:
    run_link(GENEVE)


if __name__ == "__main__":
    main()
