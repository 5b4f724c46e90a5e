#!/usr/bin/python
# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vnet_bridge
short_description: Manage Linux bridges
version_added: "0.1.0"
description:
  - Makes, changes and deletes Linux bridges, the kernel's own Ethernet switches, and says which devices are their
    ports.
  - A device can be made a port from either side, by O(ports) of its bridge or by O(master) of the device.
    Use O(master) where the ports are not all known in one place, as those of containers and VMs.
author:
  - linuxnet.vnet contributors (@linuxnet)
extends_documentation_fragment:
  - linuxnet.vnet.link
  - linuxnet.vnet.persist
  - linuxnet.vnet.confirm
  - linuxnet.vnet.attributes
  - linuxnet.vnet.attributes.groups
options:
  ports:
    description:
      - Names of the devices that are ports of the bridge, in its namespace. They have to exist. One that is a port
        of another bridge is taken from there.
      - The list is the whole truth. A port that is not in it is detached, unless O(append=true). V([]) detaches
        all.
      - Addresses and routes of a device that becomes a port stay on it, but packets no longer reach them. The device
        by which Ansible reaches the host is for O(uplink), and need not be listed here.
      - If omitted, they are left alone on an existing bridge, and a new one gets none.
    type: list
    elements: str
  uplink:
    description:
      - A device that becomes a port of the bridge, and whose place on its network the bridge takes. The bridge gets
        its MAC address and its MTU, unless O(mac) and O(mtu) of the same task say otherwise, its addresses with their lifetimes, its
        routes in all tables, its nexthop objects and its permanent neighbors. Connections stay alive.
      - All of it goes back with O(state=absent), and with V(""), by which the bridge stays. What has come to the
        bridge since then goes with it, but for addresses that were given by O(addresses) and did not come from the
        device. What somebody took off the bridge since then, or deleted with it, is not given back, and told in a
        warning; a route to whose gateway none of the addresses leads any more goes back all the same, with C(onlink).
      - With O(addresses), the list is the whole truth here, too. Addresses of the device that are not in it are
        taken off, and come back with the rest.
      - A default route that was learned by router advertisement is copied with a worse metric and the expiry that it
        has, until the next advertisement brings another one. Where the kernel takes no advertisements on the device
        (C(accept_ra)), it takes none on the bridge. Link-local addresses are the kernel's own business and stay.
      - A task that says what it said before mends what has changed since, as an address that came back to the device.
      - With O(persist=true), the program that configures the device at boot is told to make the bridge, and to put on
        it what it put on the device. This is done in that program's own words, for systemd-networkd, for netplan where
        it hands on to systemd-networkd, for NetworkManager, and for ifupdown (with the package bridge-utils), with
        static addresses and with DHCP. As the bridge has the MAC address of the device and the same DHCP identifier, it
        has the same lease. When the bridge gives the device back, the configuration is as it was. What it was is kept
        in C(/etc/vnet/uplinks).
      - With systemd-networkd, files of the collection's own come before the one that matches the device, and it is
        restarted, without releasing its leases. With netplan, what concerns IP leaves the definition of the device, and
        is in C(/etc/netplan/90-vnet-BRIDGE.yaml), which defines the bridge; the rest of the files stays as it is. With
        ifupdown, the stanzas of the device become those of the bridge where they stand.
      - With NetworkManager, the profile of the device has to be a file in C(/etc/NetworkManager/system-connections). It
        gets C(autoconnect=false), and two of the collection's own, C(vnet-BRIDGE) and C(vnet-BRIDGE-port), take its
        place. NetworkManager is stopped for the moment in which the device becomes a port, and goes on with what it
        then finds, so that wired connections stay as they are; Wi-Fi, mobile broadband and VPN connections of the host
        are interrupted. IPv6 addresses by DHCP or router advertisement pass duplicate address detection again. Other
        options of the bridge, as O(stp), are set back by C(nmcli connection up) till the task runs again, or the host
        boots.
      - Of that, what is not understood for sure is refused before anything is changed, as are other programs, such as
        dhcpcd, or a DHCP client that was started by hand.
      - Without O(persist=true), it is refused, before anything is changed, where a program like systemd-networkd,
        NetworkManager or a DHCP client configures the device and would put the addresses back or lose its lease.
        Where nobody would, it lasts till the next boot, at which the device is configured as it was before.
      - Where a macvlan or ipvlan device is on it, it is refused as well. What names the device and does not move is
        told in a warning, as firewall rules, rules of policy routing, sysctls, queueing disciplines and VLAN devices.
      - If omitted, it is left alone on an existing bridge, and a new one gets none.
    type: str
  stp:
    description:
      - Whether the bridge speaks the Spanning Tree Protocol (IEEE 802.1D).
      - If omitted, it is left alone on an existing bridge, and a new one gets the kernel's own (off).
      - It is switched on after the ports of the same task have come up, so they forward at once. A port that joins
        later does so only after two times O(forward_delay).
    type: bool
  priority:
    description:
      - Priority of the bridge in the election of the root bridge, V(0) to V(65535); the lowest wins.
      - If omitted, it is left alone on an existing bridge, and a new one gets the kernel's own (32768).
    type: int
  forward_delay:
    description:
      - Time in seconds that a port spends in each of the states listening and learning, V(0) to V(30), and with
        O(stp) at least V(2).
      - If omitted, it is left alone on an existing bridge, and a new one gets the kernel's own (15).
    type: float
  hello_time:
    description:
      - Time in seconds between hello packets of the root bridge, V(1) to V(10).
      - If omitted, it is left alone on an existing bridge, and a new one gets the kernel's own (2).
    type: float
  max_age:
    description:
      - Time in seconds after which what is known of the root bridge is outdated, V(6) to V(40). With O(stp), it is
        at most two times (O(forward_delay) - 1).
      - If omitted, it is left alone on an existing bridge, and a new one gets the kernel's own (20).
    type: float
  ageing_time:
    description:
      - Time in seconds for which a learned MAC address stays in the forwarding database after its last packet,
        V(0) to V(10000000). With V(0) nothing is learned, so every frame is flooded.
      - If omitted, it is left alone on an existing bridge, and a new one gets the kernel's own (300).
    type: float
  vlan_filtering:
    description:
      - Whether the bridge tells VLANs apart. Needs a kernel with C(CONFIG_BRIDGE_VLAN_FILTERING).
      - If omitted, it is left alone on an existing bridge, and a new one gets the kernel's own (off).
    type: bool
  vlan_protocol:
    description:
      - The tags that mark a VLAN, those of customers (V(802.1q)) or of providers (V(802.1ad)).
      - If omitted, it is left alone on an existing bridge, and a new one gets the kernel's own (V(802.1q)).
    type: str
    choices: [802.1q, 802.1ad]
  vlan_default_pvid:
    description:
      - The VLAN of untagged frames on ports that join from now on, V(1) to V(4094). With V(0), ports join without
        a VLAN.
      - If omitted, it is left alone on an existing bridge, and a new one gets the kernel's own (1).
    type: int
  mcast_snooping:
    description:
      - Whether the bridge sends multicast only where IGMP and MLD say that it is wanted. Off makes a bridge with
        hundreds of ports come up several times faster.
      - If omitted, it is left alone on an existing bridge, and a new one gets the kernel's own (on).
    type: bool
  mcast_querier:
    description:
      - Whether the bridge sends IGMP and MLD queries itself. Snooping needs a querier on the segment.
      - If omitted, it is left alone on an existing bridge, and a new one gets the kernel's own (off).
    type: bool
  mcast_vlan_snooping:
    description:
      - Whether it does so for each VLAN by itself, with a querier for each. Needs O(vlan_filtering), and Linux 5.15.
      - If omitted, it is left alone on an existing bridge, and a new one gets the kernel's own (off).
    type: bool
  mcast_router:
    description:
      - Whether the bridge itself counts as a multicast router, which gets all groups. V(0) never, V(1) when it hears
        queries, V(2) always.
      - If omitted, it is left alone on an existing bridge, and a new one gets the kernel's own (1).
    type: int
  mcast_query_use_ifaddr:
    description:
      - Whether IGMP queries come from the bridge's own IPv4 address. Otherwise they come from C(0.0.0.0).
      - If omitted, it is left alone on an existing bridge, and a new one gets the kernel's own (off).
    type: bool
  mcast_stats_enabled:
    description:
      - Whether IGMP and MLD messages are counted.
      - If omitted, it is left alone on an existing bridge, and a new one gets the kernel's own (off).
    type: bool
  mcast_hash_max:
    description:
      - Greatest number of group entries that the bridge remembers, V(1) to V(2147483648). With one more, its own groups included, the kernel
        turns O(mcast_snooping) off.
      - If omitted, it is left alone on an existing bridge, and a new one gets the kernel's own (4096).
    type: int
  mcast_igmp_version:
    description:
      - Version of IGMP that the querier speaks, V(2) or V(3).
      - If omitted, it is left alone on an existing bridge, and a new one gets the kernel's own (2).
    type: int
  mcast_mld_version:
    description:
      - Version of MLD that the querier speaks, V(1) or V(2). It is there in kernels with IPv6.
      - If omitted, it is left alone on an existing bridge, and a new one gets the kernel's own (1).
    type: int
  mcast_last_member_count:
    description:
      - Number of queries that remain unanswered before a group that somebody left is given up, V(0) to V(4294967295).
      - If omitted, it is left alone on an existing bridge, and a new one gets the kernel's own (2).
    type: int
  mcast_startup_query_count:
    description:
      - Number of queries that the querier begins with, V(0) to V(4294967295).
      - If omitted, it is left alone on an existing bridge, and a new one gets the kernel's own (2).
    type: int
  mcast_last_member_interval:
    description:
      - Time in seconds between the queries for a group that somebody left, V(0) to V(10000000).
      - If omitted, it is left alone on an existing bridge, and a new one gets the kernel's own (1).
    type: float
  mcast_membership_interval:
    description:
      - Time in seconds after which a group is given up for which no reports have come, V(0) to V(10000000).
      - If omitted, it is left alone on an existing bridge, and a new one gets the kernel's own (260).
    type: float
  mcast_querier_interval:
    description:
      - Time in seconds after which another querier that is silent counts as gone, V(0) to V(10000000).
      - If omitted, it is left alone on an existing bridge, and a new one gets the kernel's own (255).
    type: float
  mcast_query_interval:
    description:
      - Time in seconds between the queries of the querier, V(1) to V(10000000).
      - If omitted, it is left alone on an existing bridge, and a new one gets the kernel's own (125).
    type: float
  mcast_query_response_interval:
    description:
      - Time in seconds that members get to answer a query, V(0) to V(10000000).
      - If omitted, it is left alone on an existing bridge, and a new one gets the kernel's own (10).
    type: float
  mcast_startup_query_interval:
    description:
      - Time in seconds between the queries that the querier begins with, V(1) to V(10000000).
      - If omitted, it is left alone on an existing bridge, and a new one gets the kernel's own (31.25).
    type: float
  group_fwd_mask:
    description:
      - Link-local groups that the bridge forwards instead of keeping them to itself, V(0) to V(65535). Bit I(n)
        stands for the MAC address C(01:80:C2:00:00:0n), so V(0x4000) lets LLDP pass, and V(8) lets IEEE 802.1X.
        The kernel refuses bits 0 to 2 (STP, pause frames, LACP).
      - If omitted, it is left alone on an existing bridge, and a new one gets the kernel's own (0).
    type: int
  no_linklocal_learn:
    description:
      - Whether the bridge doesn't learn where MAC addresses are from frames to link-local groups (LLDP, STP).
      - If omitted, it is left alone on an existing bridge, and a new one gets the kernel's own (off).
    type: bool
  mst_enabled:
    description:
      - Whether a port has a state of spanning tree for each group of VLANs (MST, IEEE 802.1Q), which a program such as mstpd
        tells the bridge. It changes only while no port has VLANs. Needs Linux 5.18.
      - If omitted, it is left alone on an existing bridge, and a new one gets the kernel's own (off).
    type: bool
  fdb_max_learned:
    description:
      - Greatest number of learned entries in the forwarding database, V(0) to V(4294967295). V(0) is any number.
        Needs Linux 6.8.
      - If omitted, it is left alone on an existing bridge, and a new one gets the kernel's own (0).
    type: int
  vlan_stats_enabled:
    description:
      - Whether packets are counted by VLAN. It is there in kernels with VLAN filtering.
      - If omitted, it is left alone on an existing bridge, and a new one gets the kernel's own (off).
    type: bool
  nf_call_iptables:
    description:
      - Whether IPv4 packets that cross the bridge go through the rules of nftables and iptables, too. Has an effect
        only where the kernel module C(br_netfilter) is loaded.
      - The kernel takes the sysctl C(net.bridge.bridge-nf-call-iptables) of the namespace or this, whichever is
        on. That sysctl is on unless someone switched it off, so V(false) alone does not keep packets from the
        rules.
      - If omitted, it is left alone on an existing bridge, and a new one gets the kernel's own (off).
    type: bool
  nf_call_ip6tables:
    description:
      - The same as O(nf_call_iptables), for IPv6 and C(net.bridge.bridge-nf-call-ip6tables).
      - If omitted, it is left alone on an existing bridge, and a new one gets the kernel's own (off).
    type: bool
  nf_call_arptables:
    description:
      - The same as O(nf_call_iptables), for ARP and C(net.bridge.bridge-nf-call-arptables).
      - If omitted, it is left alone on an existing bridge, and a new one gets the kernel's own (off).
    type: bool
notes:
  - Unless it is given a MAC address by O(mac), a bridge has the lowest one of its ports, and changes it as they come
    and go. Give one to a bridge that has addresses, so that neighbors and DHCP servers recognize it.
  - Unless it is given an MTU by O(mtu), a bridge has the lowest one of its ports.
  - The kernel counts times in ticks of its own clock and rounds down to them. That is not a difference.
  - A bridge takes 1023 ports.
seealso:
  - module: linuxnet.vnet.vnet_veth
  - module: linuxnet.vnet.vnet_tuntap
  - module: linuxnet.vnet.vnet_sysctl_forward
  - name: The kernel's documentation of bridges
    description: What the options mean in detail.
    link: https://docs.kernel.org/networking/bridge.html
"""

EXAMPLES = r"""
- name: Make a bridge that is the gateway of containers
  linuxnet.vnet.vnet_bridge:
    name: br0
    mac: "52:54:00:00:09:01"
    addresses: [192.168.9.1/24, "fd00:9::1/64"]

- name: Make a namespace for a container
  linuxnet.vnet.vnet_netns:
    name: web

- name: Plug the container into the bridge
  linuxnet.vnet.vnet_veth:
    name: web0
    master: br0
    peer:
      name: eth0
      netns: web
      addresses: [192.168.9.2/24]

- name: Make two taps for VMs
  linuxnet.vnet.vnet_tuntap:
    name: "{{ item }}"
    mode: tap
  loop: [vm1, vm2]

- name: Make a bridge that has these two ports and no others, without multicast snooping
  linuxnet.vnet.vnet_bridge:
    name: br-vm
    ports: [vm1, vm2]
    mcast_snooping: false
    ageing_time: 60

- name: Add a port to a bridge and keep those that it has
  linuxnet.vnet.vnet_bridge:
    name: br0
    ports: [web0]
    append: true

- name: Put the host and its VMs on one network, by a bridge in the place of the host's own device
  linuxnet.vnet.vnet_bridge:
    name: br0
    uplink: eth0

- name: Give the device back what it had, and delete the bridge
  linuxnet.vnet.vnet_bridge:
    name: br0
    state: absent

- name: Make a switch for a network lab, with spanning tree, and let LLDP pass
  linuxnet.vnet.vnet_bridge:
    name: br-lab
    stp: true
    priority: 4096
    forward_delay: 4
    hello_time: 1
    max_age: 6
    group_fwd_mask: 0x4000

- name: Make a bridge that tells VLANs apart, whose ports join without a VLAN
  linuxnet.vnet.vnet_bridge:
    name: br-trunk
    vlan_filtering: true
    vlan_default_pvid: 0

- name: Delete a bridge, and leave the devices that were its ports
  linuxnet.vnet.vnet_bridge:
    name: br-vm
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
    - ip link add br-vm address 52:54:00:00:09:01 type bridge
    - ip link set dev br-vm alias VMs
    - ip link set dev vm1 master br-vm
    - ip link set dev vm2 master br-vm
    - ip address add 192.168.9.1/24 dev br-vm
    - ip link set dev br-vm up
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
      sample: br-vm
    kind:
      description: Kind of the device, in the kernel's word for it (C(bridge)).
      returned: when the device is there
      type: str
      sample: bridge
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
      sample: "52:54:00:00:09:01"
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
      sample: VMs
    altnames:
      description: As O(altnames).
      returned: when the device has some, or O(altnames) was given
      type: list
      elements: str
      sample: ["br-vm-alt"]
    link_group:
      description: The link group, by which a topology knows its devices.
      returned: when it is not 0
      type: int
      sample: 7001
    ports:
      description: As O(ports).
      returned: when the device is there
      type: list
      elements: str
      sample: ["vm1", "vm2"]
    stp:
      description: As O(stp).
      returned: when the device is there
      type: bool
      sample: false
    vlan_filtering:
      description: As O(vlan_filtering).
      returned: when the device is there
      type: bool
      sample: false
    mcast_snooping:
      description: As O(mcast_snooping).
      returned: when the device is there
      type: bool
      sample: true
    mcast_querier:
      description: As O(mcast_querier).
      returned: when the device is there
      type: bool
      sample: false
    nf_call_iptables:
      description: As O(nf_call_iptables).
      returned: when the device is there
      type: bool
      sample: false
    nf_call_ip6tables:
      description: As O(nf_call_ip6tables).
      returned: when the device is there
      type: bool
      sample: false
    mcast_vlan_snooping:
      description: As O(mcast_vlan_snooping).
      returned: when the kernel has it
      type: bool
      sample: false
    mcast_router:
      description: As O(mcast_router).
      returned: when the device is there
      type: int
      sample: 1
    mcast_query_use_ifaddr:
      description: As O(mcast_query_use_ifaddr).
      returned: when the device is there
      type: bool
      sample: false
    mcast_stats_enabled:
      description: As O(mcast_stats_enabled).
      returned: when the device is there
      type: bool
      sample: false
    mcast_hash_max:
      description: As O(mcast_hash_max).
      returned: when the device is there
      type: int
      sample: 4096
    mcast_igmp_version:
      description: As O(mcast_igmp_version).
      returned: when the device is there
      type: int
      sample: 2
    mcast_mld_version:
      description: As O(mcast_mld_version).
      returned: when the kernel has IPv6
      type: int
      sample: 1
    mcast_last_member_count:
      description: As O(mcast_last_member_count).
      returned: when the device is there
      type: int
      sample: 2
    mcast_startup_query_count:
      description: As O(mcast_startup_query_count).
      returned: when the device is there
      type: int
      sample: 2
    mcast_last_member_interval:
      description: As O(mcast_last_member_interval).
      returned: when the device is there
      type: float
      sample: 1
    mcast_membership_interval:
      description: As O(mcast_membership_interval).
      returned: when the device is there
      type: float
      sample: 260
    mcast_querier_interval:
      description: As O(mcast_querier_interval).
      returned: when the device is there
      type: float
      sample: 255
    mcast_query_interval:
      description: As O(mcast_query_interval).
      returned: when the device is there
      type: float
      sample: 125
    mcast_query_response_interval:
      description: As O(mcast_query_response_interval).
      returned: when the device is there
      type: float
      sample: 10
    mcast_startup_query_interval:
      description: As O(mcast_startup_query_interval).
      returned: when the device is there
      type: float
      sample: 31.25
    no_linklocal_learn:
      description: As O(no_linklocal_learn).
      returned: when the device is there
      type: bool
      sample: false
    mst_enabled:
      description: As O(mst_enabled).
      returned: when the kernel has it
      type: bool
      sample: false
    fdb_max_learned:
      description: As O(fdb_max_learned).
      returned: when the kernel has it
      type: int
      sample: 0
    vlan_stats_enabled:
      description: As O(vlan_stats_enabled).
      returned: when the kernel has VLAN filtering
      type: bool
      sample: false
    nf_call_arptables:
      description: As O(nf_call_arptables).
      returned: when the device is there
      type: bool
      sample: false
    vlan_protocol:
      description: As O(vlan_protocol).
      returned: when the kernel has VLAN filtering
      type: str
      sample: 802.1q
    vlan_default_pvid:
      description: As O(vlan_default_pvid).
      returned: when the kernel has VLAN filtering
      type: int
      sample: 1
    priority:
      description: As O(priority).
      returned: when the device is there
      type: int
      sample: 32768
    group_fwd_mask:
      description: As O(group_fwd_mask).
      returned: when the device is there
      type: int
      sample: 0
    forward_delay:
      description: As O(forward_delay), in seconds.
      returned: when the device is there
      type: float
      sample: 15
    hello_time:
      description: As O(hello_time), in seconds.
      returned: when the device is there
      type: float
      sample: 2
    max_age:
      description: As O(max_age), in seconds.
      returned: when the device is there
      type: float
      sample: 20
    ageing_time:
      description: As O(ageing_time), in seconds.
      returned: when the device is there
      type: float
      sample: 300
"""

from ..module_utils.kinds.bridge import BRIDGE
from ..module_utils.module import run_link


def main() -> None:
    run_link(BRIDGE)


if __name__ == "__main__":
    main()
