#!/usr/bin/python
# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vnet_topology
short_description: Bring the virtual network of a host to a described state
version_added: "0.1.0"
description:
  - Takes the namespaces, devices, routes and forwarding that belong together as lists, and makes, changes and removes
    what it takes to get there, in one task that is one transaction.
  - All entries are checked, together with their references to one another and to the host, before anything is written.
    If something fails on the way, all of it is undone in reverse order. If the task is killed, the next run goes on
    from what it finds.
  - The host remembers what a topology has made. What is no longer listed is removed by the next run, and what someone
    has changed by hand is mended. What a topology did not make, it never removes.
  - It orders the work by itself. The order of the entries does not matter.
author:
  - linuxnet.vnet contributors (@linuxnet)
extends_documentation_fragment:
  - linuxnet.vnet.confirm
  - linuxnet.vnet.attributes
  - linuxnet.vnet.attributes.groups
options:
  name:
    description:
      - Name of the topology, 1 to 64 of letters, digits, C(_), C(.) and C(-), the first of which is a letter, a
        digit or C(_). A host can have several, which do not touch each other's things.
      - What was made under one name is unknown under another. To rename a topology, remove it under its old name
        first, or take it over with O(adopt).
    type: str
    required: true
  state:
    description:
      - V(present) brings the host to what is listed.
      - V(absent) removes what the topology has made, and gives back what it has only used. Namespaces and devices
        that carry its mark and routes that it has made are deleted, devices that O(links) moved go back to where
        they were found, and sysctls outside its own namespaces, forwarding among them, get the value that they had
        before, unless someone else has changed them in the meantime, or another topology lists them as they are. The
        last of such topologies gives them back. The lists are not looked at.
    type: str
    choices: [present, absent]
    default: present
  netns:
    description:
      - The named network namespace of entries that do not name one by a C(netns) of their own.
      - If omitted or V(""), it is the namespace in which the module runs.
      - It may be one that O(namespaces) makes.
    type: str
  prune:
    description:
      - Whether what the topology made earlier, and what is no longer listed, is removed.
      - A namespace is not removed while another topology has something in it, or while an entry of this one is to be
        in it. That is an error, and nothing is changed.
    type: bool
    default: true
  adopt:
    description:
      - What to do with a namespace, a device or a route that is listed, but was not made by this topology. If it
        is already as listed, it is used as it is, and never removed. Otherwise the task fails, unless this is
        V(true).
      - With V(true) it becomes the topology's own if it is of the right kind, is brought to what is listed, and is
        removed when it is no longer listed. That is the way in for a host that was set up by hand, and for a
        device that someone has deleted and made again.
      - What belongs to another topology is never taken over, nor used as it is; the task fails.
    type: bool
    default: false
  persist:
    description:
      - Whether the host brings the topology back when it boots.
      - V(true) keeps the options of the task in a file under C(/etc/vnet/conf.d), in JSON. With the first file, the
        systemd unit C(vnet-restore.service) comes to the host. At boot it applies each file in one transaction,
        without Ansible, before what needs networks starts.
      - V(false), and O(state=absent), remove the file, and the unit with the last file.
      - If omitted, a file that is there is kept up to date, and none is made.
    type: bool
  namespaces:
    description:
      - Network namespaces. Each entry takes the options of M(linuxnet.vnet.vnet_netns), less C(state) and C(persist).
      - If omitted, it equals V([]).
    type: list
    elements: dict
  links:
    description:
      - Devices that something else made, such as network cards. Each entry takes the options of
        M(linuxnet.vnet.vnet_link), less C(state) and C(persist).
      - They do not become the topology's own. When an entry is no longer listed, a device that was moved goes back,
        and its other options stay as they are.
      - If omitted, it equals V([]).
    type: list
    elements: dict
  bridges:
    description:
      - Bridges. Each entry takes the options of M(linuxnet.vnet.vnet_bridge), less C(state), C(persist) and
        C(confirm_timeout).
      - If omitted, it equals V([]).
    type: list
    elements: dict
  veths:
    description:
      - Veth pairs. Each entry takes the options of M(linuxnet.vnet.vnet_veth), less C(state) and C(persist). If
        C(peer.netns) is omitted, a new pair has both ends in one namespace.
      - If omitted, it equals V([]).
    type: list
    elements: dict
  tuntaps:
    description:
      - Tun and tap devices. Each entry takes the options of M(linuxnet.vnet.vnet_tuntap), less C(state) and C(persist).
      - If omitted, it equals V([]).
    type: list
    elements: dict
  vxlans:
    description:
      - VXLAN devices. Each entry takes the options of M(linuxnet.vnet.vnet_vxlan), less C(state) and C(persist).
      - If omitted, it equals V([]).
    type: list
    elements: dict
  geneves:
    description:
      - GENEVE devices. Each entry takes the options of M(linuxnet.vnet.vnet_geneve), less C(state) and C(persist).
      - If omitted, it equals V([]).
    type: list
    elements: dict
  macvlans:
    description:
      - macvlan and macvtap devices. Each entry takes the options of M(linuxnet.vnet.vnet_macvlan), less C(state) and C(persist).
      - If omitted, it equals V([]).
    type: list
    elements: dict
  ipvlans:
    description:
      - ipvlan and ipvtap devices. Each entry takes the options of M(linuxnet.vnet.vnet_ipvlan), less C(state) and C(persist).
      - If omitted, it equals V([]).
    type: list
    elements: dict
  dummies:
    description:
      - Dummy devices. Each entry takes the options of M(linuxnet.vnet.vnet_dummy), less C(state) and C(persist).
      - If omitted, it equals V([]).
    type: list
    elements: dict
  vlans:
    description:
      - VLAN devices. Each entry takes the options of M(linuxnet.vnet.vnet_vlan), less C(state) and C(persist).
      - If omitted, it equals V([]).
    type: list
    elements: dict
  vrfs:
    description:
      - VRF devices. Each entry takes the options of M(linuxnet.vnet.vnet_vrf), less C(state) and C(persist).
      - If omitted, it equals V([]).
    type: list
    elements: dict
  routes:
    description:
      - Routes. Each entry takes the options of M(linuxnet.vnet.vnet_route), less C(state) and C(persist).
      - If omitted, it equals V([]).
    type: list
    elements: dict
  bridge_ports:
    description:
      - What bridges are told of their ports. Each entry takes the options of M(linuxnet.vnet.vnet_bridge_port), less
        C(persist).
      - When an option is no longer listed, it goes back to what it was before, unless somebody has changed it since.
      - If omitted, it equals V([]).
    type: list
    elements: dict
  rules:
    description:
      - Rules of policy routing. Each entry takes the options of M(linuxnet.vnet.vnet_rule), less C(state) and C(persist).
      - If omitted, it equals V([]).
    type: list
    elements: dict
  neighbors:
    description:
      - Permanent neighbors. Each entry takes the options of M(linuxnet.vnet.vnet_neighbor), less C(state) and
        C(persist).
      - If omitted, it equals V([]).
    type: list
    elements: dict
  fdb_entries:
    description:
      - Static entries of forwarding databases. Each entry takes the options of M(linuxnet.vnet.vnet_fdb), less C(state)
        and C(persist).
      - If omitted, it equals V([]).
    type: list
    elements: dict
  nats:
    description:
      - Address translations. Each entry takes the options of M(linuxnet.vnet.vnet_nat), less C(state) and C(persist).
      - If omitted, it equals V([]).
    type: list
    elements: dict
  ovs_bridges:
    description:
      - Open vSwitch bridges. Each entry takes the options of M(linuxnet.vnet.vnet_ovs_bridge), less C(state) and
        C(persist).
      - They are in the namespace in which the module runs, whatever O(netns) says.
      - If omitted, it equals V([]).
    type: list
    elements: dict
  forwarding:
    description:
      - IP forwarding, one entry for each namespace that should forward. Each takes the options of
        M(linuxnet.vnet.vnet_sysctl_forward), less C(persist) and C(sysctl_file).
      - If omitted, it equals V([]).
    type: list
    elements: dict
notes:
  - Devices are marked by a link group that is computed from the name of the topology (RV(topology.link_group)),
    both ends of a veth pair alike. C(ip link show group) lists them. Do not put devices of your own into that
    group.
  - Open vSwitch bridges are marked by the key C(vnet_owner) of their C(external_ids) in Open vSwitch's database.
  - Address translations are marked by the comment of their rules, V(vnet_topology:) and the name.
  - Namespaces are marked by the alias of their C(lo), V(vnet_topology:) and the name. Marks are gone with what they
    are on, so a device that someone has deleted and made again by hand is not the topology's any more.
  - What can carry no mark is remembered in C(/run/vnet/topologies), in a file named for the topology, which is written
    before anything else. It holds the routes, rules, neighbors, FDB entries and address translations that it made, the devices
    that it moved, and with their values before the sysctls that it set and what it told bridges of their ports.
  - One run at a time works on a host. A second one waits, for up to a minute.
  - A bridge takes 1023 ports. A topology that would give it more is refused before anything is written.
  - All network namespaces share one table of neighbours for each of IPv4 and IPv6, which the sysctls
    C(net.ipv4.neigh.default.gc_thresh3) and C(net.ipv6.neigh.default.gc_thresh3) limit, 1024 entries unless somebody
    has set them. When it is full, packets get lost. A container that talks to its gateway takes two entries. A
    task that changes something warns where what it lists may fill nine tenths of it. Only the initial network
    namespace has these sysctls, so a run in another one takes the kernel's default for granted.
  - All of it is gone after a reboot, unless O(persist) keeps it.
seealso:
  - module: linuxnet.vnet.vnet_netns
  - module: linuxnet.vnet.vnet_link
  - module: linuxnet.vnet.vnet_bridge
  - module: linuxnet.vnet.vnet_veth
  - module: linuxnet.vnet.vnet_tuntap
  - module: linuxnet.vnet.vnet_vxlan
  - module: linuxnet.vnet.vnet_bridge_port
  - module: linuxnet.vnet.vnet_geneve
  - module: linuxnet.vnet.vnet_macvlan
  - module: linuxnet.vnet.vnet_ipvlan
  - module: linuxnet.vnet.vnet_dummy
  - module: linuxnet.vnet.vnet_vlan
  - module: linuxnet.vnet.vnet_vrf
  - module: linuxnet.vnet.vnet_route
  - module: linuxnet.vnet.vnet_rule
  - module: linuxnet.vnet.vnet_neighbor
  - module: linuxnet.vnet.vnet_fdb
  - module: linuxnet.vnet.vnet_nat
  - module: linuxnet.vnet.vnet_ovs_bridge
  - module: linuxnet.vnet.vnet_sysctl_forward
"""

EXAMPLES = r"""
- name: Two containers behind a bridge, with the host as their gateway
  linuxnet.vnet.vnet_topology:
    name: containers
    bridges:
      - name: br0
        mac: "52:54:00:00:09:01"
        addresses: [192.168.9.1/24, "fd00:9::1/64"]
    namespaces:
      - name: web
      - name: db
        sysctl:
          net.ipv4.tcp_syncookies: 1
    veths:
      - name: web0
        master: br0
        peer:
          name: eth0
          netns: web
          addresses: [192.168.9.10/24, "fd00:9::10/64"]
      - name: db0
        master: br0
        peer:
          name: eth0
          netns: db
          addresses: [192.168.9.11/24, "fd00:9::11/64"]
    routes:
      - netns: web
        destination: default
        gateway: 192.168.9.1
      - netns: web
        destination: default
        gateway: fd00:9::1
      - netns: db
        destination: default
        gateway: 192.168.9.1
    forwarding:
      - ipv4: true
        ipv6: true

- name: A container for each element of a variable, on a bridge without IPv6
  linuxnet.vnet.vnet_topology:
    name: workers
    bridges:
      - name: br-work
        mac: "52:54:00:00:0a:01"
        addresses: [192.168.10.1/24]
        mcast_snooping: false
    namespaces: "{{ listed.namespaces }}"
    veths: "{{ listed.veths }}"
    routes: "{{ listed.routes }}"
  vars:
    workers:
      - name: alice
        address: 192.168.10.10
      - name: bob
        address: 192.168.10.11
      - name: carol
        address: 192.168.10.12
    listed: "{{ template | from_yaml }}"
    template: |
      namespaces:
      {% for worker in workers %}
      - name: {{ worker.name }}
        sysctl:
          net.ipv6.conf.all.disable_ipv6: 1
          net.ipv6.conf.default.disable_ipv6: 1
      {% endfor %}
      veths:
      {% for worker in workers %}
      - name: work-{{ worker.name }}
        master: br-work
        peer:
          name: eth0
          netns: {{ worker.name }}
          addresses: [{{ worker.address }}/24]
      {% endfor %}
      routes:
      {% for worker in workers %}
      - netns: {{ worker.name }}
        destination: default
        gateway: 192.168.10.1
      {% endfor %}

- name: A switch for VMs, with a tap for each that its user may open, also after the next boot
  linuxnet.vnet.vnet_topology:
    name: vms
    persist: true
    bridges:
      - name: br-vm
        mac: "52:54:00:00:0b:01"
        addresses: [192.168.11.1/24]
    tuntaps:
      - name: tap-mail
        mode: tap
        owner: nobody
        master: br-vm
      - name: tap-build
        mode: tap
        owner: nobody
        multi_queue: true
        vnet_hdr: true
        master: br-vm

- name: Two routers inside one namespace, without naming it in each entry
  linuxnet.vnet.vnet_topology:
    name: lab
    netns: lab
    namespaces:
      - name: lab
      - name: lab-far
    veths:
      - name: left
        addresses: [10.99.1.1/30]
        peer:
          name: right
          netns: lab-far
          addresses: [10.99.1.2/30]
    routes:
      - destination: 10.99.2.0/24
        gateway: 10.99.1.2
    forwarding:
      - ipv4: true
      - ipv4: true
        netns: lab-far

- name: Take over a bridge that was set up by hand, and add a tap to it
  linuxnet.vnet.vnet_topology:
    name: office
    adopt: true
    bridges:
      - name: br-office
        addresses: [192.168.12.1/24]
        mac: "52:54:00:00:0c:01"
    tuntaps:
      - name: tap-phone
        mode: tap
        master: br-office

- name: Remove the containers, their bridge and their namespaces, and stop forwarding if it was off before
  linuxnet.vnet.vnet_topology:
    name: containers
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
    - ip netns add web
    - ip link add br0 address 52:54:00:00:09:01 group 1991025675 type bridge
    - ip link add web0 master br0 group 1991025675 type veth peer name eth0 netns web group 1991025675
    - ip address add 192.168.9.1/24 dev br0
    - ip -n web address add 192.168.9.10/24 dev eth0
    - ip link set dev web0 up
    - ip -n web link set dev eth0 up
    - ip link set dev br0 up
    - ip -n web route add default via 192.168.9.1
topology:
  description:
    - What the topology consists of, by names only, as there may be thousands. M(linuxnet.vnet.vnet_info) shows all.
    - Empty with O(state=absent).
  returned: success
  type: dict
  contains:
    name:
      description: As O(name).
      returned: when it is present
      type: str
      sample: containers
    link_group:
      description: The link group by which the host knows the devices of the topology.
      returned: when it is present
      type: int
      sample: 1991025675
    namespaces:
      description: The namespaces that are listed.
      returned: when it is present
      type: list
      elements: str
      sample: [web]
    links:
      description: The devices that are listed, each with its namespace before it. Of veth pairs, the first ends.
      returned: when it is present
      type: list
      elements: str
      sample: [br0, web0]
    routes:
      description: The routes that are listed, each by what identifies it.
      returned: when it is present
      type: list
      elements: str
      sample: ["web: default table 254 metric 0"]
    bridge_ports:
      description: The ports that are listed, each with its namespace before it.
      returned: when it is present
      type: list
      elements: str
      sample: [web0]
    rules:
      description: The rules that are listed, each by what identifies it.
      returned: when it is present
      type: list
      elements: str
      sample: ["priority 1000 from 192.168.9.0/24"]
    neighbors:
      description: The neighbors that are listed, each by what identifies it.
      returned: when it is present
      type: list
      elements: str
      sample: [192.168.9.2 on left]
    fdb_entries:
      description: The FDB entries that are listed, each by what identifies it.
      returned: when it is present
      type: list
      elements: str
      sample: ["52:54:00:12:34:56 on tap-mail"]
    nats:
      description: The address translations that are listed, each with its namespace before it.
      returned: when it is present
      type: list
      elements: str
      sample: [containers]
    ovs_bridges:
      description: The Open vSwitch bridges that are listed.
      returned: when it is present
      type: list
      elements: str
      sample: [ovsbr0]
"""

from ..module_utils.module_topology import run_topology


def main() -> None:
    run_topology()


if __name__ == "__main__":
    main()
