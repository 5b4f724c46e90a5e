#!/usr/bin/python
# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vnet_info
short_description: Gather the virtual networks of a host
version_added: "0.1.0"
description:
  - Returns network devices, routes, rules, neighbors, forwarding databases and forwarding, of the host and of its named
    network namespaces, in the words of the options of this collection's modules.
  - It also returns what these modules could make of it as one topology (RV(topology)). Each of its entries is a task
    for the module of its kind that changes nothing on this host.
  - It only reads. No process is started, and reading hundreds of namespaces takes about a second.
author:
  - linuxnet.vnet contributors (@linuxnet)
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying the target.
    details: It only reads, so that it does the same in check mode. Where O(netns) is not there, as the task that makes it
      has made nothing yet, that is a warning then, and what is returned is empty.
    support: full
  diff_mode:
    description: Returns details on what has changed, or in C(check_mode) would change, when in diff mode.
    details: It never changes anything.
    support: none
  platform:
    description: Target operating systems that can be operated against.
    platforms: linux
    support: full
  action_group:
    description: Use C(group/linuxnet.vnet.netns), which has every module that takes O(netns), in C(module_defaults).
    support: full
    membership:
      - linuxnet.vnet.netns
requirements:
  - Linux 5.10 or newer
  - Python 3.9 or newer
  - pyroute2 0.7.2 or newer (the package C(python3-pyroute2) of Debian and Ubuntu)
  - root to read any namespace but the one in which the module runs, by C(become=true) where needed
options:
  netns:
    description:
      - The one namespace to read. V("") is the one in which the module runs.
      - If omitted, all named network namespaces (see C(ip-netns(8))) are read, and the one in which the module runs.
    type: str
  gather_subset:
    description:
      - What to gather. With a C(!) in front, what not to gather; where nothing else is named, it is all but that.
      - V(links) are the devices with their addresses, V(fdb) the forwarding databases of bridges and VXLAN devices.
        V(topology) is RV(topology), and complete whatever else is named.
    type: list
    elements: str
    choices:
      - all
      - links
      - routes
      - rules
      - neighbors
      - fdb
      - forwarding
      - nats
      - ovs_bridges
      - topology
      - '!links'
      - '!routes'
      - '!rules'
      - '!neighbors'
      - '!fdb'
      - '!forwarding'
      - '!nats'
      - '!ovs_bridges'
      - '!topology'
    default: [all]
seealso:
  - module: linuxnet.vnet.vnet_netns
  - module: linuxnet.vnet.vnet_bridge
  - module: linuxnet.vnet.vnet_veth
"""

EXAMPLES = r"""
- name: Gather all
  linuxnet.vnet.vnet_info:
  register: network

- name: Show which namespaces there are
  ansible.builtin.debug:
    msg: "{{ network.namespaces | list }}"

- name: Gather the devices of one namespace
  linuxnet.vnet.vnet_info:
    netns: web
    gather_subset: [links]
  register: web

- name: Fail unless the container has its address
  ansible.builtin.assert:
    that: "'192.168.9.10/24' in web.namespaces.web.links.eth0.addresses"

- name: Gather all of the host itself, but not the forwarding databases of its bridges
  linuxnet.vnet.vnet_info:
    netns: ""
    gather_subset: ['!fdb']
  register: itself

- name: Show behind which ports the hosts of a bridge are
  linuxnet.vnet.vnet_info:
    netns: ""
    gather_subset: [fdb]
  register: bridged

- name: Show the learned MAC addresses
  ansible.builtin.debug:
    msg: "{{ item.mac }} is behind {{ item.device }}"
  loop: "{{ bridged.host.fdb | selectattr('learned') }}"

- name: Write what is there as a topology that could be kept in a repository
  ansible.builtin.copy:
    content: "{{ network.topology | ansible.builtin.to_nice_yaml }}"
    dest: /tmp/topology.yml
    mode: "0600"

- name: Show what a host made by that would be without
  ansible.builtin.debug:
    var: network.left_out
"""

RETURN = r"""
operations:
  description: What was done, which is nothing.
  returned: success
  type: list
  elements: str
  sample: []
host:
  description:
    - The namespace in which the module runs.
    - Empty where O(netns) names another one.
  returned: success
  type: dict
  contains:
    links:
      description:
        - The devices by name, each with the options that it has. Which these are depends on its kind.
        - Options whose value is empty are left out.
      returned: when gathered
      type: dict
      contains:
        name:
          description: Name of the device.
          returned: always
          type: str
          sample: br0
        kind:
          description:
            - What the kernel calls its kind (C(tun) for tun and tap devices), C(loopback), or the empty string for a
              device that is not virtual.
          returned: always
          type: str
          sample: bridge
        netns:
          description: Its namespace.
          returned: in a named namespace
          type: str
          sample: web
        admin_state:
          description: Whether it is set C(up) or C(down).
          returned: always
          type: str
          sample: up
        mtu:
          description: Its maximum transmission unit in bytes.
          returned: always
          type: int
          sample: 1500
        mac:
          description: Its MAC address.
          returned: where it has one
          type: str
          sample: "52:54:00:12:34:56"
        master:
          description: The bridge that it is a port of.
          returned: when it is a port
          type: str
          sample: br0
        addresses:
          description: Its addresses, but those of RV(host.links.kernel_addresses).
          returned: always
          type: list
          elements: str
          sample: [192.168.9.1/24, "2001:db8::1/64"]
        bridge_port:
          description: What its bridge knows of it, in the options of M(linuxnet.vnet.vnet_bridge_port).
          returned: for ports of bridges
          type: dict
          sample: {isolated: false, learning: true, vlans: [{vid: "1", pvid: true, untagged: true}]}
        kernel_addresses:
          description:
            - Link-local, dynamic and temporary addresses, which the modules never count or remove.
          returned: where there are any
          type: list
          elements: str
          sample: ["fe80::5054:ff:fe12:3456/64"]
        operstate:
          description:
            - Whether it works, as C(ip link) shows it. One that is set C(up) is C(down) or C(lowerlayerdown) while it has no
              carrier, such as a bridge of which no port is up, or a device whose parent or other end is down.
            - Devices that know nothing of carriers, such as C(lo), are C(unknown) while they work.
          returned: always
          type: str
          sample: up
        dadfailed:
          description: IPv6 addresses that another host has as well, so that the kernel does not use them here.
          returned: where there are any
          type: list
          elements: str
          sample: ["2001:db8::1/64"]
        alias:
          description: Its alias.
          returned: where it has one
          type: str
          sample: uplink of the lab
        altnames:
          description: Its alternative names.
          returned: where it has any
          type: list
          elements: str
          sample: [uplink]
        ports:
          description: The devices that are ports of it.
          returned: for bridges
          type: list
          elements: str
          sample: [tap0, veth1]
        peer:
          description: The C(name) and the C(netns) of the other end, which is V("") in the namespace of the module.
          returned: for veth devices whose other end is in a namespace with a name
          type: dict
          sample: {name: eth0, netns: web}
        remotes:
          description: The destinations of frames that no other FDB entry covers.
          returned: for VXLAN devices that have any
          type: list
          elements: str
          sample: [192.0.2.2, 192.0.2.3]
    routes:
      description:
        - The routes of all tables, but those to the host's own addresses, and broadcast and multicast ones, that the
          kernel keeps by itself.
      returned: when gathered
      type: list
      elements: dict
      contains:
        destination:
          description: In CIDR notation, or C(default).
          returned: always
          type: str
          sample: default
        family:
          description: C(inet) or C(inet6).
          returned: always
          type: str
          sample: inet
        table:
          description: C(main), C(local), C(default), or a number.
          returned: always
          type: raw
          sample: main
        metric:
          description: Its metric, less being better.
          returned: always
          type: int
          sample: 0
        type:
          description: C(unicast), C(blackhole), C(unreachable), C(prohibit), or another of C(ip-route(8)).
          returned: always
          type: str
          sample: unicast
        protocol:
          description: Who made it, as C(kernel), C(boot), C(static), C(ra), C(dhcp), or a number without a name.
          returned: always
          type: raw
          sample: static
        gateway:
          description: The next hop.
          returned: where it has one
          type: str
          sample: 192.168.9.1
        device:
          description: The device through which it leads.
          returned: where it has one
          type: str
          sample: eth0
        source:
          description: The source address that it prefers.
          returned: where it has one
          type: str
          sample: 192.168.9.10
        nexthops:
          description: Its ways, each with C(gateway) and C(device) where it has these, and C(weight).
          returned: where it has several
          type: list
          elements: dict
          sample: [{gateway: 192.0.2.1, device: eth0, weight: 1}, {gateway: 198.51.100.1, device: eth1, weight: 2}]
        onlink:
          description: True where the gateway needs no route to it.
          returned: where true
          type: bool
          sample: true
        scope:
          description: How far away its destination is, as C(scope) of M(linuxnet.vnet.vnet_route), or a number without a name.
          returned: where it is not the one that a route has where nobody says one
          type: str
          sample: link
        mtu:
          description: The largest packet, in bytes, that is sent by it.
          returned: where it has one
          type: int
          sample: 1400
        mtu_lock:
          description: True where that holds whatever routers on the way report.
          returned: where true
          type: bool
          sample: true
        advmss:
          description: The largest segment, in bytes, that TCP tells the other end to send.
          returned: where it has one
          type: int
          sample: 1360
        hoplimit:
          description: Over how many routers packets go at most.
          returned: where it has one
          type: int
          sample: 64
        initcwnd:
          description: How many segments a TCP connection sends at first.
          returned: where it has one
          type: int
          sample: 20
        initrwnd:
          description: How many segments a TCP connection lets the other end send at first.
          returned: where it has one
          type: int
          sample: 20
        rto_min:
          description: How long TCP waits at least before it sends again, in seconds.
          returned: where it has one
          type: float
          sample: 0.05
        quickack:
          description: True where TCP confirms at once.
          returned: where true
          type: bool
          sample: true
        congctl:
          description: TCP's congestion control.
          returned: where it has one
          type: str
          sample: bbr
        tos:
          description: The type of service that it is for.
          returned: where it is for one
          type: int
          sample: 16
        from:
          description: The network whose packets it is for.
          returned: where it is not for those of all, which IPv6 only has
          type: str
          sample: 2001:db8:1::/48
        realm:
          description: Its realms, as C(ip-route(8)) writes them, the source's first where it has both.
          returned: where it has one
          type: str
          sample: 3/5
        pref:
          description: The preference that a router has told of it, or somebody for a router.
          returned: where it is another than C(medium)
          type: str
          sample: high
        encap:
          description: How it wraps up the packets that it takes, or one of its ways does.
          returned: where it does
          type: str
          sample: mpls
    rules:
      description: The policy rules, those of the kernel (C(protocol) is C(kernel)) included.
      returned: when gathered
      type: list
      elements: dict
      contains:
        priority:
          description: Its place among the rules.
          returned: always
          type: int
          sample: 32766
        family:
          description: C(inet) or C(inet6).
          returned: always
          type: str
          sample: inet
        protocol:
          description: Who made it, as of RV(host.routes[].protocol).
          returned: always
          type: raw
          sample: boot
        table:
          description: The table in which it looks, C(main), C(local), C(default), or a number.
          returned: where it looks in one
          type: raw
          sample: 77
        from:
          description: The source addresses that it is for, in CIDR notation.
          returned: where it is not for all
          type: str
          sample: 192.168.9.0/24
        to:
          description: The destination addresses that it is for, in CIDR notation.
          returned: where it is not for all
          type: str
          sample: 198.51.100.0/24
        iif:
          description: The device by which packets came in.
          returned: where it names one
          type: str
          sample: br0
        oif:
          description: The device to which their socket is bound.
          returned: where it names one
          type: str
          sample: eth0
        fwmark:
          description: Their mark, and after a slash its mask where that is not all ones.
          returned: where it has one
          type: str
          sample: "0x1/0xff"
        action:
          description: C(blackhole), C(unreachable), C(prohibit), C(goto) or C(nop).
          returned: where it looks in no table
          type: str
          sample: prohibit
        not:
          description: True where it is for all packets but those described.
          returned: where true
          type: bool
          sample: true
        goto:
          description: The priority of the rule to go on with.
          returned: where RV(host.rules[].action) is C(goto)
          type: int
          sample: 1000
        tos:
          description: The type of service of the packets, in hex.
          returned: where it has one
          type: str
          sample: "0x10"
        ipproto:
          description: Their protocol, by its number where O(linuxnet.vnet.vnet_rule#module:ipproto) has no name for it.
          returned: where it has one
          type: raw
          sample: udp
        sport:
          description: Their source port, or a range.
          returned: where it has one
          type: str
          sample: 1000-2000
        dport:
          description: Their destination port, or a range.
          returned: where it has one
          type: str
          sample: "53"
        uidrange:
          description: The user whose packets they are, or a range.
          returned: where it has one
          type: str
          sample: 1000-1999
        l3mdev:
          description: True where it looks in the table of the VRF of the packets.
          returned: where true
          type: bool
          sample: true
        suppress_prefixlength:
          description: Routes that it finds with a prefix of this length or a shorter one don't count.
          returned: where it has one
          type: int
          sample: 0
    neighbors:
      description: The neighbors by IPv4 (ARP) and IPv6 (NDP), but for what needs no resolving, such as multicast.
      returned: when gathered
      type: list
      elements: dict
      contains:
        device:
          description: The device behind which it is.
          returned: always
          type: str
          sample: eth0
        address:
          description: Its IP address.
          returned: always
          type: str
          sample: 192.168.9.1
        mac:
          description: Its MAC address.
          returned: where it is known
          type: str
          sample: "52:54:00:12:34:56"
        proxy:
          description: Whether it is an address that the device answers for.
          returned: where it is so
          type: bool
          sample: true
        nud:
          description:
            - What the kernel knows of it, in the words of C(ip-neighbour(8)). C(permanent) ones were set, all others
              learned.
          returned: always, but for a C(proxy)
          type: str
          sample: reachable
    fdb:
      description:
        - The entries of the forwarding databases of bridges and VXLAN devices that were set or learned. The devices'
          own MAC addresses and multicast filters are left out.
      returned: when gathered
      type: list
      elements: dict
      contains:
        device:
          description: The port, or VXLAN device, behind which the MAC address is.
          returned: always
          type: str
          sample: tap0
        mac:
          description: The MAC address. Only zeros stand for all that no other entry covers.
          returned: always
          type: str
          sample: "52:54:00:12:34:56"
        dst:
          description: The IP address of the VXLAN endpoint to send it to.
          returned: where it has one
          type: str
          sample: 192.0.2.2
        vni:
          description: The VNI to send it with, where that is not the device's.
          returned: where it has one
          type: int
          sample: 42
        src_vni:
          description: The VNI of the frames that it is for, on a device that takes those of several.
          returned: where it has one
          type: int
          sample: 42
        vlan:
          description: The VLAN to which it applies.
          returned: where it has one
          type: int
          sample: 20
        port:
          description: The UDP port to send it to, where that is not the device's.
          returned: where it has one
          type: int
          sample: 4790
        via:
          description: The device to send it through.
          returned: where it has one
          type: str
          sample: eth0
        sticky:
          description: True where the bridge leaves it there, though frames from the MAC address come in elsewhere.
          returned: where it is
          type: bool
          sample: true
        master:
          description: The bridge in whose forwarding database it is. Without one it is in that of the device itself.
          returned: where it is in that of a bridge
          type: str
          sample: br0
        learned:
          description: Whether it was learned, from frames or by a control plane, and not set.
          returned: always
          type: bool
          sample: true
    forwarding:
      description: What the namespace forwards, as M(linuxnet.vnet.vnet_sysctl_forward) returns it.
      returned: when gathered
      type: dict
      contains:
        ipv4:
          description: Whether it forwards IPv4.
          returned: always
          type: bool
          sample: true
        ipv6:
          description: Whether it forwards IPv6.
          returned: always
          type: bool
          sample: false
        sysctl:
          description: The kernel settings behind it, those of each device included.
          returned: always
          type: dict
          sample: {net.ipv4.ip_forward: "1", net.ipv4.conf.eth0.forwarding: "1"}
    nats:
      description:
        - The address translations that M(linuxnet.vnet.vnet_nat) made, each in its options. One whose table somebody changed
          since has V(altered) true besides.
      returned: when gathered
      type: list
      elements: dict
      sample: [{name: containers, source: [192.168.9.0/24], out_interface: [eth0], isolate: true}]
    ovs_bridges:
      description:
        - The bridges of Open vSwitch, each in the options of M(linuxnet.vnet.vnet_ovs_bridge). Its database is the host's, so
          that they are with the namespace in which the module runs.
      returned: when gathered
      type: list
      elements: dict
      sample: [{name: ovsbr0, datapath_type: system, ports: [{name: eth0, type: system, tag: 10}]}]
namespaces:
  description:
    - The named network namespaces, each under its name with the same contents as RV(host).
    - Only the one of O(netns) where that is given, and empty where it is V("").
  returned: success
  type: dict
  sample: {web: {links: {lo: {name: lo, kind: loopback, netns: web, admin_state: up, addresses: [127.0.0.1/8]}}}}
topology:
  description:
    - The same as desired state. Under the name of each kind is a list of what there is of it, each entry in the options
      of that kind's module, without what a new one has anyway.
    - Left out is what this collection's modules can't make, and what the kernel makes by itself. So are MAC addresses
      that the kernel picked, dynamic and link-local addresses, and routes that were learned.
    - A veth pair is there once. It is left out where its other end is in a namespace without a name, and what stands
      on another device where that is in one. The kernel does not tell of a GENEVE device in which namespace its
      underlay is.
  returned: when gathered
  type: dict
  contains:
    namespaces:
      description: Options of M(linuxnet.vnet.vnet_netns).
      returned: always
      type: list
      elements: dict
      sample: [{name: web}]
    bridges:
      description:
        - Options of M(linuxnet.vnet.vnet_bridge). Ports that are entries themselves say so by their C(master); only
          the others are in C(ports), with C(append).
      returned: always
      type: list
      elements: dict
      sample: [{name: br0, addresses: [192.168.9.1/24], ports: [eth1], append: true}]
    veths:
      description: Options of M(linuxnet.vnet.vnet_veth).
      returned: always
      type: list
      elements: dict
      sample: [{name: veth1, master: br0, peer: {name: eth0, netns: web, addresses: [192.168.9.10/24]}}]
    tuntaps:
      description: Options of M(linuxnet.vnet.vnet_tuntap).
      returned: always
      type: list
      elements: dict
      sample: [{name: tap0, mode: tap, owner: vm, master: br0}]
    vxlans:
      description: Options of M(linuxnet.vnet.vnet_vxlan).
      returned: always
      type: list
      elements: dict
      sample: [{name: vxlan42, vni: 42, local: 192.0.2.1, remotes: [192.0.2.2]}]
    geneves:
      description: Options of M(linuxnet.vnet.vnet_geneve).
      returned: always
      type: list
      elements: dict
      sample: [{name: gnv1, vni: 1, remote: 192.0.2.2}]
    macvlans:
      description: Options of M(linuxnet.vnet.vnet_macvlan).
      returned: always
      type: list
      elements: dict
      sample: [{name: eth0, netns: web, link_netns: "", parent: eth0, mode: bridge}]
    ipvlans:
      description: Options of M(linuxnet.vnet.vnet_ipvlan).
      returned: always
      type: list
      elements: dict
      sample: [{name: eth0, netns: web, link_netns: "", parent: eth0, mode: l2}]
    dummies:
      description: Options of M(linuxnet.vnet.vnet_dummy).
      returned: always
      type: list
      elements: dict
      sample: [{name: lo1, addresses: [192.0.2.201/32]}]
    vlans:
      description: Options of M(linuxnet.vnet.vnet_vlan).
      returned: always
      type: list
      elements: dict
      sample: [{name: eth0.20, parent: eth0, vid: 20}]
    vrfs:
      description: Options of M(linuxnet.vnet.vnet_vrf).
      returned: always
      type: list
      elements: dict
      sample: [{name: red, table: 10}]
    routes:
      description:
        - Options of M(linuxnet.vnet.vnet_route), for routes that somebody set (their protocol is C(boot) or
          C(static)).
      returned: always
      type: list
      elements: dict
      sample: [{netns: web, destination: default, gateway: 192.168.9.1, device: eth0}]
    bridge_ports:
      description:
        - Options of M(linuxnet.vnet.vnet_bridge_port), for ports, and bridges, of which something else than usual is to be
          said.
      returned: always
      type: list
      elements: dict
      sample: [{name: web0, isolated: true, vlans: [{vid: "20", pvid: true, untagged: true}]}]
    rules:
      description: Options of M(linuxnet.vnet.vnet_rule), less the rules that the kernel has from the start.
      returned: always
      type: list
      elements: dict
      sample: [{priority: 1000, from: 192.168.9.0/24, table: 77}]
    neighbors:
      description: Options of M(linuxnet.vnet.vnet_neighbor), for permanent ones.
      returned: always
      type: list
      elements: dict
      sample: [{device: br0, address: 192.168.9.2, mac: "02:00:00:00:09:02"}]
    fdb_entries:
      description:
        - Options of M(linuxnet.vnet.vnet_fdb), for static entries, less those that are C(remotes) of a VXLAN device.
      returned: always
      type: list
      elements: dict
      sample: [{device: vxlan42, mac: "52:54:00:65:43:21", dst: 192.0.2.2}]
    nats:
      description: Options of M(linuxnet.vnet.vnet_nat).
      returned: always
      type: list
      elements: dict
      sample: [{name: containers, source: [192.168.9.0/24], out_interface: [eth0]}]
    ovs_bridges:
      description: Options of M(linuxnet.vnet.vnet_ovs_bridge).
      returned: always
      type: list
      elements: dict
      sample: [{name: ovsbr0, ports: [{name: eth0, tag: "10"}]}]
    forwarding:
      description: Options of M(linuxnet.vnet.vnet_sysctl_forward), less those about its file.
      returned: always
      type: list
      elements: dict
      sample: [{ipv4: true}, {netns: web, ipv4: true, interfaces: [eth0]}]
left_out:
  description:
    - What somebody made in these namespaces and RV(topology) does not say, as no option of these modules can, a sentence
      for each. A host that is made by RV(topology) alone is without it.
    - These are devices of other kinds (bonds, WireGuard, ...), those whose other end or underlay is in a namespace
      without a name, addresses with a peer, and routes and rules with more to them. Devices of the hardware, and the
      addresses on these, are none of what RV(topology) is about.
  returned: when RV(topology) is
  type: list
  elements: str
  sample: ["bond0: its kind is 'bond', which no module makes", "tun0: the address 10.8.0.1/32 has the peer 10.8.0.2/32"]
"""

from ..module_utils.module_info import run_info


def main() -> None:
    run_info()


if __name__ == "__main__":
    main()
