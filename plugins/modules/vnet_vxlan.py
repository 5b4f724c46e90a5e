#!/usr/bin/python
# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vnet_vxlan
short_description: Manage VXLAN devices
version_added: "0.1.0"
description:
  - Makes, changes and deletes VXLAN devices (RFC 7348), which carry Ethernet frames in UDP packets over an IP
    network, the underlay.
  - Frames without a known destination (broadcast, unknown unicast, multicast) go to one host (O(remote)), to a
    multicast group (O(group)), or as one copy each to a list of hosts (O(remotes)).
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
      - VXLAN network identifier, V(1) to V(16777215). Devices of one segment have the same.
      - Needed to make a device, unless O(external=true), with which it can't be given. If omitted, it is left
        alone on an existing device.
      - It can't be changed on an existing device, see O(recreate).
    type: int
  local:
    description:
      - Source address of the packets in the underlay, IPv4 or IPv6. O(remote), O(group) and O(remotes) are of the
        same family, which the kernel can't exchange for the other one on an existing device, see O(recreate).
      - V("") unsets it, so the kernel picks the address by its routes.
      - If omitted, it is left alone on an existing device, and a new one has none.
    type: str
  remote:
    description:
      - Unicast address of the host to which frames without a known destination go. Mutually exclusive with O(group).
      - V("") unsets it.
      - If omitted, it is left alone on an existing device, and a new one has none.
    type: str
  group:
    description:
      - Multicast address to which frames without a known destination go, and which the device joins on O(dev).
        Mutually exclusive with O(remote).
      - V("") unsets it.
      - If omitted, it is left alone on an existing device, and a new one has none.
    type: str
  dev:
    description:
      - Name of the device in the underlay by which packets leave, in O(link_netns). Needed with O(group). It has to
        exist; when it is deleted, the kernel deletes the VXLAN device with it.
      - V("") unsets it, so the kernel picks the device by its routes.
      - If omitted, it is left alone on an existing device, and a new one has none.
    type: str
  link_netns:
    description:
      - The named network namespace of the underlay, in which packets are sent and received. V("") is the one in
        which the module runs. So the VXLAN device can be in a container (O(netns)) that can't see the underlay.
      - If omitted, it is left alone on an existing device, and a new one gets O(netns).
      - It can't be changed on an existing device, see O(recreate).
    type: str
  dstport:
    description:
      - UDP port on which packets are sent and received, V(1) to V(65535).
      - If omitted, it is left alone on an existing device, and a new one gets V(4789), the port that IANA assigned.
        The default of the kernel and of C(ip link) is 8472.
      - It can't be changed on an existing device, see O(recreate).
    type: int
  srcport_min:
    description:
      - Lowest UDP source port, V(0) to V(65535). The kernel picks one of the range by a hash of the inner frame.
        Required together with O(srcport_max). V(0) in both is the kernel's range of local ports.
      - If omitted, it is left alone on an existing device, and a new one gets the kernel's range of local ports.
      - It can't be changed on an existing device, see O(recreate).
    type: int
  srcport_max:
    description:
      - Highest UDP source port, V(0) to V(65535). Required together with O(srcport_min).
      - If omitted, it is left alone on an existing device, and a new one gets the kernel's range of local ports.
      - It can't be changed on an existing device, see O(recreate).
    type: int
  ttl:
    description:
      - TTL or hop limit of the packets in the underlay, V(1) to V(255). V(auto) or V(0) is the kernel's own choice
        (1 for multicast, so the packets do not leave the local network). V(inherit) copies that of the inner packet.
      - If omitted, it is left alone on an existing device, and a new one gets the kernel's own (V(auto)).
      - The kernel can't switch V(inherit) on or off on an existing device.
    type: str
  tos:
    description:
      - Type of service or traffic class of the packets in the underlay, V(0) to V(255), also in hexadecimal.
        V(inherit), or V(1), copies that of the inner packet.
      - If omitted, it is left alone on an existing device, and a new one gets the kernel's own (0).
    type: str
  df:
    description:
      - Don't-fragment bit of IPv4 packets in the underlay; V(inherit) copies that of the inner packet.
      - If omitted, it is left alone on an existing device, and a new one gets the kernel's own (V(unset)).
    type: str
    choices: [unset, set, inherit]
  learning:
    description:
      - Whether the device learns from packets behind which host a MAC address is. Switch it off where a control plane
        such as BGP EVPN fills the forwarding database.
      - If omitted, it is left alone on an existing device, and a new one gets the kernel's own (on).
    type: bool
  ageing:
    description:
      - Time in seconds, a whole number, for which a learned entry stays in the forwarding database after its last
        packet, V(1) to V(4294967295).
      - If omitted, it is left alone on an existing device, and a new one gets the kernel's own (300).
    type: float
  limit:
    description:
      - Greatest number of entries in the forwarding database, V(0) to V(4294967295). V(0) sets no limit.
      - If omitted, it is left alone on an existing device, and a new one gets the kernel's own (0).
      - It can't be changed on an existing device, see O(recreate).
    type: int
  proxy:
    description:
      - Whether the device answers ARP requests and neighbor solicitations itself, from its own neighbor table.
      - If omitted, it is left alone on an existing device, and a new one gets the kernel's own (off).
      - It can't be changed on an existing device, see O(recreate).
    type: bool
  rsc:
    description:
      - Whether the device sends a routed frame directly to the destination's MAC address (route short circuit).
      - If omitted, it is left alone on an existing device, and a new one gets the kernel's own (off).
      - It can't be changed on an existing device, see O(recreate).
    type: bool
  l2miss:
    description:
      - Whether the kernel notifies by netlink of MAC addresses that the forwarding database lacks.
      - If omitted, it is left alone on an existing device, and a new one gets the kernel's own (off).
      - It can't be changed on an existing device, see O(recreate).
    type: bool
  l3miss:
    description:
      - Whether the kernel notifies by netlink of IP addresses that the neighbor table lacks.
      - If omitted, it is left alone on an existing device, and a new one gets the kernel's own (off).
      - It can't be changed on an existing device, see O(recreate).
    type: bool
  udp_csum:
    description:
      - Whether packets over IPv4 have a UDP checksum.
      - If omitted, it is left alone on an existing device, and a new one gets the kernel's own (on).
      - It can't be changed on an existing device, see O(recreate).
    type: bool
  udp6_zero_csum_tx:
    description:
      - Whether packets over IPv6 have no UDP checksum (RFC 6935).
      - If omitted, it is left alone on an existing device, and a new one gets the kernel's own (off).
      - It can't be changed on an existing device, see O(recreate).
    type: bool
  udp6_zero_csum_rx:
    description:
      - Whether packets over IPv6 that have no UDP checksum are taken. A switch may send such.
      - If omitted, it is left alone on an existing device, and a new one gets the kernel's own (off).
      - It can't be changed on an existing device, see O(recreate).
    type: bool
  label:
    description:
      - Flow label of packets over IPv6, V(0) to V(1048575).
      - If omitted, it is left alone on an existing device, and a new one gets the kernel's own (V(0)).
    type: int
  localbypass:
    description:
      - Whether a packet for a VXLAN device of this host is handed to that at once. With V(false) it takes the way of all
        others, on which a program may catch it. It needs Linux 6.5.
      - If omitted, it is left alone on an existing device, and a new one gets the kernel's own (on).
    type: bool
  gbp:
    description:
      - Whether packets carry the Group Based Policy extension, by which a mark reaches the other side.
      - If omitted, it is left alone on an existing device, and a new one gets the kernel's own (off).
      - It can't be changed on an existing device, see O(recreate).
    type: bool
  external:
    description:
      - Whether VNI and remote host come with each packet, as metadata from C(tc), a route, a bridge's VLAN tunnel
        or Open vSwitch (C(collect_md)). Such a device has no O(vni).
      - If omitted, it is left alone on an existing device, and a new one gets the kernel's own (off).
      - It can't be changed on an existing device, see O(recreate).
    type: bool
  vnifilter:
    description:
      - Whether the device accepts only the VNIs in O(vnis). Needs O(external=true) and Linux 5.18.
      - If omitted, it is left alone on an existing device, and a new one gets the kernel's own (off).
      - It can't be changed on an existing device, see O(recreate).
    type: bool
  vnis:
    description:
      - The VNIs that a device with O(vnifilter=true) takes.
      - The list is the whole truth. A VNI that is not in it is taken away, unless O(append=true). V([]) takes away all.
      - If omitted, they are left alone on an existing device, and a new one takes none.
    type: list
    elements: dict
    suboptions:
      vni:
        description: A number, V(1) to V(16777215), or a range such as V("20-30").
        type: str
        required: true
      remote:
        description: Unicast address of the host that gets what no entry of the forwarding database covers.
        type: str
      group:
        description: The same, as a multicast address. Needs O(dev).
        type: str
  remotes:
    description:
      - Unicast addresses of hosts to each of which a copy of every frame without a known destination goes (head-end
        replication). In the forwarding database they are entries of the MAC address C(00:00:00:00:00:00).
      - O(remote) and O(group) are such a destination, too, and are none of these.
      - The list is the whole truth. A host that is not in it is removed, unless O(append=true). V([]) removes all.
      - If omitted, they are left alone on an existing device, and a new one gets none.
    type: list
    elements: str
notes:
  - The headers of VXLAN take 50 bytes, over IPv6 70. With O(dev), a new device gets the MTU of the underlay less that;
    without, 1500. It does not follow later changes of the underlay. Unless the underlay carries more than 1500, lower
    O(mtu) on all devices of the segment.
  - That O(dstport) is taken by a device with other settings, the kernel finds only when the device comes up.
seealso:
  - module: linuxnet.vnet.vnet_bridge
  - name: RFC 7348
    description: Virtual eXtensible Local Area Network (VXLAN).
    link: https://www.rfc-editor.org/rfc/rfc7348
  - name: The kernel's documentation of VXLAN
    description: How devices and their forwarding database work.
    link: https://docs.kernel.org/networking/vxlan.html
"""

EXAMPLES = r"""
- name: Make the bridge of a segment that several hosts share
  linuxnet.vnet.vnet_bridge:
    name: br100
    mac: "52:54:00:00:64:0b"
    mtu: 1450
    addresses: [10.100.0.11/24]

- name: Join it with the other hosts by a static list of them
  linuxnet.vnet.vnet_vxlan:
    name: vxlan100
    vni: 100
    local: 192.0.2.11
    remotes: [192.0.2.12, 192.0.2.13]
    mtu: 1450
    master: br100

- name: Join a segment whose hosts find each other by multicast in the network of eth0
  linuxnet.vnet.vnet_vxlan:
    name: vxlan200
    vni: 200
    group: 239.0.0.200
    dev: eth0
    ttl: 8
    addresses: [10.200.0.11/24]

- name: Make a tunnel between two hosts over IPv6
  linuxnet.vnet.vnet_vxlan:
    name: vxlan300
    vni: 300
    local: "2001:db8::11"
    remote: "2001:db8::12"
    mtu: 1430
    addresses: [10.30.0.1/31]

- name: Make a namespace for a tenant
  linuxnet.vnet.vnet_netns:
    name: tenant

- name: Give the tenant a segment, and keep the underlay in the namespace of the host
  linuxnet.vnet.vnet_vxlan:
    name: eth0
    netns: tenant
    link_netns: ""
    vni: 400
    local: 192.0.2.11
    remotes: [192.0.2.12]
    mtu: 1450
    addresses: [10.40.0.11/24]

- name: Make one device for all segments of an EVPN (the port differs, as the devices above have taken 4789)
  linuxnet.vnet.vnet_vxlan:
    name: evpn
    external: true
    local: 192.0.2.11
    dstport: 4790
    learning: false

- name: Make one device that takes the segments 100 to 199, and sends what it knows no place for in 100 to one host
  linuxnet.vnet.vnet_vxlan:
    name: segments
    external: true
    vnifilter: true
    vnis:
      - vni: 100
        remote: 192.0.2.12
      - vni: 101-199
    local: 192.0.2.11
    dstport: 4791
    learning: false

- name: Delete a tunnel
  linuxnet.vnet.vnet_vxlan:
    name: vxlan300
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
    - ip link add vxlan100 master br0 type vxlan id 100 local 192.0.2.11 dstport 4789
    - ip link set dev vxlan100 mtu 1450
    - ip link set dev vxlan100 up
    - bridge fdb append 00:00:00:00:00:00 dev vxlan100 dst 192.0.2.12
    - bridge fdb append 00:00:00:00:00:00 dev vxlan100 dst 192.0.2.13
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
      sample: vxlan100
    kind:
      description: Kind of the device, in the kernel's word for it (C(vxlan)).
      returned: when the device is there
      type: str
      sample: vxlan
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
      sample: 1450
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
      sample: ["vxlan100-alt"]
    link_group:
      description: The link group, by which a topology knows its devices.
      returned: when it is not 0
      type: int
      sample: 7001
    vni:
      description: As O(vni).
      returned: when the device is there, and not O(external)
      type: int
      sample: 100
    local:
      description: As O(local).
      returned: when the device has one, or O(local) was given
      type: str
      sample: 192.0.2.11
    remote:
      description: As O(remote).
      returned: when the device has one, or O(remote) was given
      type: str
      sample: 192.0.2.12
    group:
      description: As O(group).
      returned: when the device has one, or O(group) was given
      type: str
      sample: 239.0.0.200
    dev:
      description: As O(dev).
      returned: when the device has one, or O(dev) was given
      type: str
      sample: eth0
    link_netns:
      description: As O(link_netns), null for a namespace that has no name.
      returned: when the underlay is not in the namespace in which the module runs, or O(link_netns) was given
      type: str
      sample: ""
    dstport:
      description: As O(dstport).
      returned: when the device is there
      type: int
      sample: 4789
    srcport_min:
      description: As O(srcport_min). V(0) is the kernel's range of local ports.
      returned: when the device is there
      type: int
      sample: 0
    srcport_max:
      description: As O(srcport_max). V(0) is the kernel's range of local ports.
      returned: when the device is there
      type: int
      sample: 0
    ttl:
      description: As O(ttl), a number or a word.
      returned: when the device is there
      type: raw
      sample: auto
    tos:
      description: As O(tos), a number or a word.
      returned: when the device is there
      type: raw
      sample: 0
    df:
      description: As O(df).
      returned: when the device is there
      type: str
      sample: unset
    learning:
      description: As O(learning).
      returned: when the device is there
      type: bool
      sample: true
    ageing:
      description: As O(ageing), in seconds.
      returned: when the device is there
      type: float
      sample: 300
    limit:
      description: As O(limit).
      returned: when the device is there
      type: int
      sample: 0
    proxy:
      description: As O(proxy).
      returned: when the device is there
      type: bool
      sample: false
    rsc:
      description: As O(rsc).
      returned: when the device is there
      type: bool
      sample: false
    l2miss:
      description: As O(l2miss).
      returned: when the device is there
      type: bool
      sample: false
    l3miss:
      description: As O(l3miss).
      returned: when the device is there
      type: bool
      sample: false
    udp_csum:
      description: As O(udp_csum).
      returned: when the device is there
      type: bool
      sample: true
    udp6_zero_csum_tx:
      description: As O(udp6_zero_csum_tx).
      returned: when the device is there
      type: bool
      sample: false
    udp6_zero_csum_rx:
      description: As O(udp6_zero_csum_rx).
      returned: when the device is there
      type: bool
      sample: false
    label:
      description: As O(label).
      returned: when the device is there
      type: int
      sample: 0
    localbypass:
      description: As O(localbypass).
      returned: when the device is there, and the kernel knows it
      type: bool
      sample: true
    gbp:
      description: As O(gbp).
      returned: when it is on
      type: bool
      sample: true
    external:
      description: As O(external).
      returned: when the device is there
      type: bool
      sample: false
    vnifilter:
      description: As O(vnifilter).
      returned: when the kernel knows it
      type: bool
      sample: false
    vnis:
      description: As O(vnis).
      returned: when the device has some, or O(vnis) was given
      type: list
      elements: dict
      sample: [{vni: "100", remote: 192.0.2.12}, {vni: 101-199}]
    remotes:
      description: As O(remotes).
      returned: when the device has some, or O(remotes) was given
      type: list
      elements: str
      sample: ["192.0.2.12", "192.0.2.13"]
"""

from ..module_utils.kinds.vxlan import VXLAN
from ..module_utils.module import run_link


def main() -> None:
    run_link(VXLAN)


if __name__ == "__main__":
    main()
