#!/usr/bin/python
# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vnet_bridge_port
short_description: Configure ports of Linux bridges
version_added: "0.1.0"
description:
  - Tells a bridge which VLANs a port carries, whether it may talk to other ports, and what is flooded to it.
  - The device has to be a port already, by the O(linuxnet.vnet.vnet_veth#module:master) of its own module or the
    O(linuxnet.vnet.vnet_bridge#module:ports) of the bridge's. With the name of a bridge, it is about the VLANs that
    the bridge itself carries, and with it the host.
  - All of this belongs to the port. It is gone when the device leaves the bridge.
author:
  - linuxnet.vnet contributors (@linuxnet)
extends_documentation_fragment:
  - linuxnet.vnet.attributes
  - linuxnet.vnet.attributes.groups
options:
  name:
    description:
      - Name of the port.
    type: str
    required: true
  netns:
    description:
      - The named network namespace (see C(ip-netns(8))) in which the port is.
      - If omitted or V(""), it is the namespace in which the module runs.
    type: str
  vlans:
    description:
      - The VLANs that the port carries. This is the whole truth, so the VLAN that each port gets when it joins
        (O(linuxnet.vnet.vnet_bridge#module:vlan_default_pvid)) is taken off if it is not in the list. V([]) takes off all.
      - They count where the bridge filters VLANs (O(linuxnet.vnet.vnet_bridge#module:vlan_filtering)).
      - If omitted, they are left alone.
    type: list
    elements: dict
    suboptions:
      vid:
        description:
          - Number of the VLAN, V(1) to V(4094), or a range of them such as V(20-30).
        type: str
        required: true
      pvid:
        description:
          - Whether frames that come in without a VLAN are put into this one. A port has one such VLAN at most.
        type: bool
        default: false
      untagged:
        description:
          - Whether frames of this VLAN go out without its number.
        type: bool
        default: false
      tunnel_id:
        description:
          - The VNI that frames of this VLAN have in the tunnel, on a port that is one for several (O(vlan_tunnel)), V(1)
            to V(16777215). Of a range of VLANs it is a range as long, such as V(1020-1030).
          - Without it, they have none.
        type: str
  append:
    description:
      - Whether O(vlans) are added to those that are there. With V(false) they are all that there are.
    type: bool
    default: false
  isolated:
    description:
      - Whether the port is kept from other isolated ports. It exchanges frames only with ports that are not.
      - If omitted, it is left alone.
    type: bool
  hairpin:
    description:
      - Whether a frame may go out by the port by which it came in.
      - If omitted, it is left alone.
    type: bool
  learning:
    description:
      - Whether the bridge learns from the frames that come in which MAC addresses are behind the port.
      - If omitted, it is left alone.
    type: bool
  flood:
    description:
      - Whether frames for a MAC address that the bridge does not know go out by the port.
      - If omitted, it is left alone.
    type: bool
  mcast_flood:
    description:
      - Whether multicast frames go out by the port of whose group nobody there has said anything.
      - If omitted, it is left alone.
    type: bool
  neigh_suppress:
    description:
      - Whether the bridge answers ARP and neighbor discovery in place of the port where it knows the answer.
      - If omitted, it is left alone.
    type: bool
  bpdu_guard:
    description:
      - Whether the port is shut when a BPDU of spanning tree comes in (C(guard)).
      - If omitted, it is left alone.
    type: bool
  root_block:
    description:
      - Whether the port may not become the one that leads to the root of the spanning tree.
      - If omitted, it is left alone.
    type: bool
  cost:
    description:
      - Cost of the way over the port for spanning tree, V(1) to V(65535).
      - If omitted, it is left alone, which is what the speed of the device makes it.
    type: int
  priority:
    description:
      - Priority of the port for spanning tree, V(0) to V(63). The lower is taken.
      - If omitted, it is left alone.
    type: int
  bcast_flood:
    description:
      - Whether broadcast frames go out by the port.
      - If omitted, it is left alone.
    type: bool
  mcast_to_unicast:
    description:
      - Whether a multicast frame goes out by the port as one unicast frame for each host there that joined the group.
      - If omitted, it is left alone.
    type: bool
  fastleave:
    description:
      - Whether the port is out of a multicast group as soon as one host there says that it leaves, without asking for others.
      - If omitted, it is left alone.
    type: bool
  mcast_router:
    description:
      - Whether a multicast router is behind the port, to which all groups go. V(0) never, V(1) where queries come in by it,
        V(2) always.
      - If omitted, it is left alone.
    type: int
  mcast_max_groups:
    description:
      - How many multicast groups the port may join, V(0) to V(4294967295), where V(0) is any number. It needs Linux 6.3.
      - If omitted, it is left alone.
    type: int
  proxy_arp:
    description:
      - Whether the bridge answers ARP requests that come in by the port where it knows the answer.
      - If omitted, it is left alone.
    type: bool
  proxy_arp_wifi:
    description:
      - The same for hosts behind the port that can't hear each other, as in IEEE 802.11 (Proxy ARP) and Hotspot 2.0.
      - If omitted, it is left alone.
    type: bool
  neigh_vlan_suppress:
    description:
      - Whether neighbor suppression is a matter of each VLAN of the port (C(bridge vlan set)), in place of
        O(neigh_suppress). It needs Linux 6.4.
      - If omitted, it is left alone.
    type: bool
  locked:
    description:
      - Whether only frames come in by the port whose source has an entry for it in the bridge's FDB, as IEEE 802.1X wants.
        See M(linuxnet.vnet.vnet_fdb). It needs Linux 5.18.
      - If omitted, it is left alone.
    type: bool
  mab:
    description:
      - Whether a O(locked) port notes who else wants in, as a locked entry of the FDB (MAC authentication bypass). It
        needs Linux 6.2, and O(learning).
      - If omitted, it is left alone.
    type: bool
  vlan_tunnel:
    description:
      - Whether the port is a tunnel for several VLANs, each in a VNI of its own (the C(tunnel_id) in O(vlans)), such as a VXLAN device with
        O(linuxnet.vnet.vnet_vxlan#module:external). Turning it off takes all of them away.
      - If omitted, it is left alone.
    type: bool
  persist:
    description:
      - Whether the host brings this back when it boots.
      - V(true) keeps the options of the task in a file under C(/etc/vnet/conf.d), in JSON. A task that names only some
        options is merged into it. With the first file, the systemd unit C(vnet-restore.service) comes to the host.
        At boot it applies each file in one transaction, without Ansible, before what needs networks starts.
      - V(false) removes the file, and the unit with the last file.
      - If omitted, a file that is there is kept up to date, and none is made.
    type: bool
notes:
  - There is no C(state), as a port is one as long as its device is in the bridge. M(linuxnet.vnet.vnet_topology) puts
    back what was there before when a port is no longer listed.
  - When the modules of this collection make a port or its bridge anew, all of this comes back.
seealso:
  - module: linuxnet.vnet.vnet_bridge
  - module: linuxnet.vnet.vnet_fdb
  - module: linuxnet.vnet.vnet_topology
  - name: bridge(8)
    description: What the options mean in detail.
    link: https://man7.org/linux/man-pages/man8/bridge.8.html
"""

EXAMPLES = r"""
- name: Make a bridge
  linuxnet.vnet.vnet_bridge:
    name: br0

- name: Make a tap for each of two customers
  linuxnet.vnet.vnet_tuntap:
    name: "{{ item }}"
    mode: tap
    master: br0
  loop: [tap-one, tap-two]

- name: Keep customers from each other
  linuxnet.vnet.vnet_bridge_port:
    name: "{{ item }}"
    isolated: true
  loop: [tap-one, tap-two]

- name: Put one of them into a VLAN, of which its VM knows nothing
  linuxnet.vnet.vnet_bridge_port:
    name: tap-one
    vlans:
      - vid: 20
        pvid: true
        untagged: true

- name: Hand the other a range of VLANs, besides the one that it has
  linuxnet.vnet.vnet_bridge_port:
    name: tap-two
    vlans:
      - vid: 100-199
    append: true

- name: Make one device for all VNIs of an overlay
  linuxnet.vnet.vnet_vxlan:
    name: vxlan0
    external: true
    local: 192.0.2.11
    mtu: 1450
    master: br0

- name: Put VLANs 100 to 199 into VNIs 10100 to 10199
  linuxnet.vnet.vnet_bridge_port:
    name: vxlan0
    vlan_tunnel: true
    vlans:
      - vid: 100-199
        tunnel_id: 10100-10199

- name: Let the host itself take part in a VLAN
  linuxnet.vnet.vnet_bridge_port:
    name: br0
    vlans:
      - vid: 20
    append: true
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
    - bridge vlan delete dev tap-one vid 1
    - bridge vlan add dev tap-one vid 20 pvid untagged
bridge_port:
  description: The port afterwards, in the words of the options.
  returned: success
  type: dict
  contains:
    name:
      description: As O(name).
      returned: when the device is there
      type: str
      sample: tap-one
    netns:
      description: As O(netns).
      returned: when the port is not in the namespace in which the module runs
      type: str
      sample: web
    bridge:
      description: The bridge that it is a port of, empty for a bridge itself.
      returned: when the device is there
      type: str
      sample: br0
    vlans:
      description: As O(vlans), neighbors with the same flags as a range, and flags only where they are on.
      returned: when the device is there
      type: list
      elements: dict
      sample: [{vid: "20", pvid: true, untagged: true}]
    isolated:
      description: As O(isolated).
      returned: when it is a port
      type: bool
      sample: true
    hairpin:
      description: As O(hairpin).
      returned: when it is a port
      type: bool
      sample: false
    learning:
      description: As O(learning).
      returned: when it is a port
      type: bool
      sample: true
    flood:
      description: As O(flood).
      returned: when it is a port
      type: bool
      sample: true
    mcast_flood:
      description: As O(mcast_flood).
      returned: when it is a port
      type: bool
      sample: true
    neigh_suppress:
      description: As O(neigh_suppress).
      returned: when it is a port
      type: bool
      sample: false
    bpdu_guard:
      description: As O(bpdu_guard).
      returned: when it is a port
      type: bool
      sample: false
    root_block:
      description: As O(root_block).
      returned: when it is a port
      type: bool
      sample: false
    cost:
      description: As O(cost).
      returned: when it is a port
      type: int
      sample: 2
    priority:
      description: As O(priority).
      returned: when it is a port
      type: int
      sample: 32
    bcast_flood:
      description: As O(bcast_flood).
      returned: when it is a port, and the kernel knows it
      type: bool
      sample: true
    mcast_to_unicast:
      description: As O(mcast_to_unicast).
      returned: when it is a port, and the kernel knows it
      type: bool
      sample: false
    fastleave:
      description: As O(fastleave).
      returned: when it is a port, and the kernel knows it
      type: bool
      sample: false
    mcast_router:
      description: As O(mcast_router).
      returned: when it is a port, and the kernel knows it
      type: int
      sample: 1
    mcast_max_groups:
      description: As O(mcast_max_groups).
      returned: when it is a port, and the kernel knows it
      type: int
      sample: 0
    proxy_arp:
      description: As O(proxy_arp).
      returned: when it is a port, and the kernel knows it
      type: bool
      sample: false
    proxy_arp_wifi:
      description: As O(proxy_arp_wifi).
      returned: when it is a port, and the kernel knows it
      type: bool
      sample: false
    neigh_vlan_suppress:
      description: As O(neigh_vlan_suppress).
      returned: when it is a port, and the kernel knows it
      type: bool
      sample: false
    vlan_tunnel:
      description: As O(vlan_tunnel).
      returned: when it is a port, and the kernel knows it
      type: bool
      sample: false
    locked:
      description: As O(locked).
      returned: when it is a port, and the kernel knows it
      type: bool
      sample: false
    mab:
      description: As O(mab).
      returned: when it is a port, and the kernel knows it
      type: bool
      sample: false
"""

from ..module_utils.module_topology import run_port


def main() -> None:
    run_port()


if __name__ == "__main__":
    main()
