#!/usr/bin/python
# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vnet_nat
short_description: Manage address translation and port forwards
version_added: "0.1.0"
description:
  - Lets networks behind the host, such as those of its containers, reach what is outside under the host's address, and
    lets what is outside reach services in them by port forwards. IPv4 and IPv6.
  - Each entry is one nftables table, C(inet vnet_NAME), which is replaced as a whole in one transaction, so that no
    packet ever meets half of it. No table, chain or rule of anybody else is touched.
author:
  - linuxnet.vnet contributors (@linuxnet)
extends_documentation_fragment:
  - linuxnet.vnet.persist
  - linuxnet.vnet.attributes
  - linuxnet.vnet.attributes.groups
requirements:
  - nft 0.9.8 or newer, built with JSON (the package C(nftables) of the distributions). It was tested with 0.9.8, 1.0.6
    and 1.1.3, those of Debian 11, 12 and 13, the first and the last only as to what they read and list.
options:
  name:
    description:
      - Name of the entry, letters, digits, C(_), C(.) and C(-), at most 64 of them. The table has the same name
        with C(vnet_) in front.
    type: str
    required: true
  state:
    description:
      - V(present) makes the table if it is missing, and replaces it if it differs from the options that are given or
        somebody changed it.
      - V(absent) deletes the table.
    type: str
    choices: [present, absent]
    default: present
  netns:
    description:
      - The named network namespace (see C(ip-netns(8))) whose packets are translated, which is the router's.
      - If omitted or V(""), it is the namespace in which the module runs.
      - The namespace has to exist; M(linuxnet.vnet.vnet_netns) makes one.
    type: str
  source:
    description:
      - The networks inside, such as V(192.168.9.0/24) or V(fd00:9::/64). Packets from there to anywhere else get another
        source address.
      - A new entry needs this. If omitted, it is left alone on an existing one.
    type: list
    elements: str
  out_interface:
    description:
      - Names of the devices that lead outside. Only what leaves by one of them is translated. They need not exist yet.
      - With O(isolate), no packet that comes in by one of them passes as one from O(source).
      - V([]) stands for all devices but C(lo). If omitted, it is left alone on an existing entry, and a new one has
        none, which is the same as V([]).
      - Letters, digits and C(_.@+-) only, as other characters mean something to nft.
    type: list
    elements: str
  snat_to:
    description:
      - Addresses that the packets get as their source, one of IPv4, one of IPv6, or both. The host has to have them.
      - For a family without one, it is the address of the device by which they leave (C(masquerade)), whatever
        that is at the time.
      - V([]) takes them away. If omitted, it is left alone on an existing entry, and a new one has none.
    type: list
    elements: str
  port_forwards:
    description:
      - Ports of the host that lead to services inside. They work from outside, from the host itself, and from
        O(source), a container's own service included; where C(br_netfilter) is on, for that the container's port of the
        bridge takes C(hairpin) (M(linuxnet.vnet.vnet_bridge_port)).
      - The list is the whole truth. V([]) takes all of them away. If omitted, it is left alone on an existing entry, and
        a new one has none.
    type: list
    elements: dict
    suboptions:
      protocol:
        description:
          - Which protocol's port it is.
        type: str
        choices: [tcp, udp]
        default: tcp
      port:
        description:
          - The port of the host, V(1) to V(65535), or a range such as V(8000-8010).
        type: str
        required: true
      to_address:
        description:
          - The address of the service, mostly one in O(source).
        type: str
        required: true
      to_port:
        description:
          - The port of the service, or where O(port_forwards[].port) is a range, a range of as many, each port of
            the one leading to its counterpart of the other.
          - A range that leads to other ports has 1024 of them at most. One that leads to the same ports can be of any size.
          - If omitted, it is the same as O(port_forwards[].port).
        type: str
      in_address:
        description:
          - Addresses of the host, in the family of O(port_forwards[].to_address), whose port it is. Loopback addresses are
            refused, as the kernel does not let packets for them leave, and so are link-local and multicast ones.
          - If omitted, it is every address of the host but those of loopback.
        type: list
        elements: str
  isolate:
    description:
      - Whether new connections that are forwarded towards O(source) pass only from O(source) itself and through
        O(port_forwards). Answers always pass, and so does what the host itself sends.
      - What another entry or another program forwards to an address in O(source) is kept out as well, so such forwards
        belong into this entry.
      - With V(false) whoever has a route to O(source) by this host reaches it. It is asked for even if omitted.
    type: bool
    default: true
notes:
  - Packets are forwarded only where M(linuxnet.vnet.vnet_sysctl_forward) or something else has switched that on, of
    which this module warns.
  - What drops forwarded packets elsewhere, such as the C(FORWARD) chain of Docker or ufw, or firewalld, drops them
    still, as a packet has to be accepted by every chain that sees it. This module finds such chains, leaves them alone
    and warns of them. It does not see rules of the old C(iptables-legacy).
  - Connections that the kernel knows already go on as they began. C(conntrack -D) makes it forget one. This goes for UDP,
    too, where a flow is forgotten after it paused for two minutes (half a minute, if nobody answered). One that never pauses
    that long goes on for ever without being translated, or with it.
  - The kernel only knows connections where some rule already asked it to. With the first entry of a namespace those that it
    forwarded before are new to it, which most of them don't survive.
  - A port of the host that two entries of one namespace forward leads only to one of the two places, of which this module
    warns.
  - A reload of the distribution's C(nftables.service) flushes all tables, this module's too. The next run makes
    them again.
  - Services see the address of whoever connects from outside or from the host, and that of the gateway where someone in
    O(source) connects through a port forward.
seealso:
  - module: linuxnet.vnet.vnet_sysctl_forward
  - module: linuxnet.vnet.vnet_topology
  - name: nft(8)
    description: The rules in detail.
    link: https://www.netfilter.org/projects/nftables/manpage.html
"""

EXAMPLES = r"""
- name: Let containers reach everything under the address of the host
  linuxnet.vnet.vnet_nat:
    name: containers
    source: [192.168.9.0/24, "fd00:9::/64"]

- name: Forward, as there is no translation without that
  linuxnet.vnet.vnet_sysctl_forward:
    ipv4: true
    ipv6: true

- name: The same, by one interface only, under a fixed address, and with a web server that others can reach
  linuxnet.vnet.vnet_nat:
    name: containers
    source: [192.168.9.0/24, "fd00:9::/64"]
    out_interface: [eth0]
    snat_to: [203.0.113.5]
    port_forwards:
      - port: 8080
        to_address: 192.168.9.10
        to_port: 80
      - port: 8080
        to_address: fd00:9::10
        to_port: 80
      - protocol: udp
        port: 5000-5010
        to_address: 192.168.9.11
        in_address: [203.0.113.5]
    persist: true

- name: Take the port forwards away, and leave all else as it is
  linuxnet.vnet.vnet_nat:
    name: containers
    port_forwards: []

- name: Let others who have a route connect to the containers, too
  linuxnet.vnet.vnet_nat:
    name: containers
    isolate: false

- name: Translate no more
  linuxnet.vnet.vnet_nat:
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
    - nft 'delete table inet vnet_containers'
nat:
  description: The entry afterwards, in the words of the options. Empty if it is not there.
  returned: success
  type: dict
  contains:
    name:
      description: As O(name).
      returned: when the entry is there
      type: str
      sample: containers
    netns:
      description: As O(netns).
      returned: when the entry is not in the namespace in which the module runs
      type: str
      sample: router
    source:
      description: As O(source), in as few networks as have the same addresses in them.
      returned: when the entry is there
      type: list
      elements: str
      sample: [192.168.9.0/24, "fd00:9::/64"]
    out_interface:
      description: As O(out_interface).
      returned: when there are any
      type: list
      elements: str
      sample: [eth0]
    snat_to:
      description: As O(snat_to).
      returned: when there are any
      type: list
      elements: str
      sample: [203.0.113.5]
    port_forwards:
      description: As O(port_forwards), sorted, ports as strings.
      returned: when there are any
      type: list
      elements: dict
      sample:
        - protocol: tcp
          port: "8080"
          to_address: 192.168.9.10
          to_port: "80"
    isolate:
      description: As O(isolate).
      returned: when the entry is there
      type: bool
      sample: true
"""

from ..module_utils.module_topology import run_nat


def main() -> None:
    run_nat()


if __name__ == "__main__":
    main()
