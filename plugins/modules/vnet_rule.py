#!/usr/bin/python
# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vnet_rule
short_description: Manage the rules of policy routing
version_added: "0.1.0"
description:
  - Makes, changes and deletes the rules by which the kernel chooses a routing table for a packet (see C(ip-rule(8))), of
    IPv4 and of IPv6, in any namespace.
  - A rule is identified by its namespace, family, priority, and what it says of packets (O(from), O(to), O(iif),
    O(oif), O(fwmark)). Another O(table) for it is a change; another priority or another address is another rule,
    beside the one that is there.
author:
  - linuxnet.vnet contributors (@linuxnet)
extends_documentation_fragment:
  - linuxnet.vnet.persist
  - linuxnet.vnet.attributes
  - linuxnet.vnet.attributes.groups
options:
  priority:
    description:
      - The kernel goes through the rules in the order of their priority, V(0) to V(4294967295), the lowest first.
      - If omitted, it is the rule that says the same of packets whatever its priority, and a new one comes before
        all that are there but the first, as C(ip rule add) has it.
    type: int
  from:
    description:
      - Network that the source address of packets is in, such as V(192.0.2.0/24). An address alone is a network of one.
      - If omitted or V(""), it is a rule about any source. With O(state=absent), it may be any rule.
    type: str
  to:
    description:
      - Network that the destination address of packets is in.
      - If omitted or V(""), it is a rule about any destination. With O(state=absent), it may be any rule.
    type: str
  iif:
    description:
      - Name of the device by which packets come in, V(lo) for those of the host itself. It need not be there. The
        rule waits for it, and stays when it goes.
      - If omitted or V(""), it is a rule about any device. With O(state=absent), it may be any rule.
    type: str
  oif:
    description:
      - Name of the device to which the socket that sends is bound. It need not be there.
      - If omitted or V(""), it is a rule about any device. With O(state=absent), it may be any rule.
    type: str
  fwmark:
    description:
      - Firewall mark that packets carry, such as V(0x10), with V(0x10/0xff) only as far as the mask after the slash goes.
      - If omitted or V(""), it is a rule about any mark. With O(state=absent), it may be any rule.
    type: str
  tos:
    description:
      - Type of service that packets carry, V(1) to V(255), also in hex such as V("0x10").
      - If omitted or V(""), it is a rule about any. With O(state=absent), it may be any rule.
    type: str
  ipproto:
    description:
      - Protocol of packets, a number of V(1) to V(255) or one of the names V(icmp), V(tcp), V(udp), V(gre), V(esp), V(ah),
        V(ipv6-icmp) and V(sctp).
      - If omitted or V(""), it is a rule about any protocol. With O(state=absent), it may be any rule.
    type: str
  sport:
    description:
      - Source port of packets, V(1) to V(65534), or a range such as V(1000-2000).
      - If omitted or V(""), it is a rule about any port. With O(state=absent), it may be any rule.
    type: str
  dport:
    description:
      - Destination port of packets, V(1) to V(65534), or a range.
      - If omitted or V(""), it is a rule about any port. With O(state=absent), it may be any rule.
    type: str
  uidrange:
    description:
      - Number of the user whose program sends, V(0) to V(4294967294), or a range such as V(1000-1999).
      - If omitted or V(""), it is a rule about anybody. With O(state=absent), it may be any rule.
    type: str
  not:
    description:
      - Whether the rule is about all packets but those of which the other options tell.
      - If omitted, it is about those. With O(state=absent), it may be any rule.
    type: bool
  table:
    description:
      - The routing table to look at, V(1) to V(4294967295), or one of the words V(main), V(default) and V(local).
      - A new rule needs this, unless O(action) is another one than V(lookup).
      - If omitted, it is left alone on an existing rule.
    type: str
  action:
    description:
      - What becomes of the packets. V(lookup) looks at O(table). V(blackhole) drops them, V(unreachable) and
        V(prohibit) tell the sender so.
      - If omitted, it is left alone on an existing rule, and a new one gets V(lookup).
    type: str
    choices: [lookup, blackhole, unreachable, prohibit]
  suppress_prefixlength:
    description:
      - Routes of the table with a prefix of this length (V(0) to V(128)) or a shorter one do not count. With V(0) that
        is the default route, as VPNs want it.
      - V("") lets all routes count. If omitted, it is left alone on an existing rule.
    type: str
  family:
    description:
      - Whether the rule is of IPv4 (V(inet), or V(ipv4)) or of IPv6 (V(inet6), or V(ipv6)).
      - If omitted, it is the family of O(from) and O(to), and IPv4 where they are not given.
    type: str
    choices: [inet, inet6, ipv4, ipv6]
  state:
    description:
      - V(present) makes the rule if it is missing, and gives it its O(table), O(action) and O(suppress_prefixlength).
      - V(absent) deletes all rules that have everything that is given, of one family; V("") is given for what a rule should
        not have. The rules that the kernel has from the start are deleted only by their O(priority).
    type: str
    choices: [present, absent]
    default: present
  netns:
    description:
      - The named network namespace (see C(ip-netns(8))) in which the rule is.
      - If omitted or V(""), it is the namespace in which the module runs.
      - The namespace has to exist; M(linuxnet.vnet.vnet_netns) makes one.
    type: str
notes:
  - A rule that says more than these options can say (C(goto), C(l3mdev), C(tun_id), C(suppress_ifgroup)) is none of
    those that this module compares, changes or deletes.
  - While its table or action changes, the new rule stands beside the old one for a moment.
seealso:
  - module: linuxnet.vnet.vnet_route
  - module: linuxnet.vnet.vnet_topology
  - name: ip-rule(8)
    description: What the options mean in detail.
    link: https://man7.org/linux/man-pages/man8/ip-rule.8.html
"""

EXAMPLES = r"""
- name: Give what comes from one network a routing table of its own
  linuxnet.vnet.vnet_rule:
    priority: 1000
    from: 192.168.9.0/24
    table: 77

- name: Let that table lead to another router
  linuxnet.vnet.vnet_route:
    destination: default
    table: 77
    type: unreachable

- name: The same for packets that the firewall has marked, of IPv6
  linuxnet.vnet.vnet_rule:
    priority: 1001
    fwmark: "0x10/0xff"
    family: inet6
    table: 77

- name: Make a namespace
  linuxnet.vnet.vnet_netns:
    name: router

- name: Look at another table for what comes in by a device, in a namespace
  linuxnet.vnet.vnet_rule:
    netns: router
    iif: eth0
    table: 78

- name: Look for all but the default route in the main table first, as a VPN does
  linuxnet.vnet.vnet_rule:
    priority: 900
    table: main
    suppress_prefixlength: 0

- name: Send what does not come from the VPN itself into its table
  linuxnet.vnet.vnet_rule:
    priority: 901
    not: true
    fwmark: "0xca6c"
    table: 51820

- name: Keep a user's programs from sending mail by themselves
  linuxnet.vnet.vnet_rule:
    priority: 800
    uidrange: 1000-1999
    ipproto: tcp
    dport: 25
    action: prohibit

- name: Delete a rule by its priority
  linuxnet.vnet.vnet_rule:
    priority: 1000
    state: absent

- name: Delete all rules of IPv6 that lead to a table
  linuxnet.vnet.vnet_rule:
    family: inet6
    table: 77
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
    - ip rule add priority 1000 from 192.168.9.0/24 table 77
rule:
  description: The rule afterwards, in the words of the options. Empty if it is not there.
  returned: success
  type: dict
  contains:
    priority:
      description: As O(priority), also where the kernel would have decided.
      returned: when the rule is there
      type: int
      sample: 1000
    family:
      description: V(inet) or V(inet6).
      returned: when the rule is there
      type: str
      sample: inet
    from:
      description: As O(from).
      returned: when the rule has one
      type: str
      sample: 192.168.9.0/24
    to:
      description: As O(to).
      returned: when the rule has one
      type: str
      sample: 10.0.0.0/8
    iif:
      description: As O(iif).
      returned: when the rule has one
      type: str
      sample: eth0
    oif:
      description: As O(oif).
      returned: when the rule has one
      type: str
      sample: eth1
    fwmark:
      description: As O(fwmark), in the form in which C(ip rule) prints it.
      returned: when the rule has one
      type: str
      sample: "0x10/0xff"
    tos:
      description: As O(tos).
      returned: when the rule has one
      type: str
      sample: "0x10"
    ipproto:
      description: As O(ipproto).
      returned: when the rule has one
      type: str
      sample: tcp
    sport:
      description: As O(sport).
      returned: when the rule has one
      type: str
      sample: 1000-2000
    dport:
      description: As O(dport).
      returned: when the rule has one
      type: str
      sample: "25"
    uidrange:
      description: As O(uidrange).
      returned: when the rule has one
      type: str
      sample: 1000-1999
    not:
      description: As O(not).
      returned: when the rule has one
      type: bool
      sample: true
    table:
      description: As O(table), a word where there is one.
      returned: when the rule is there
      type: raw
      sample: 77
    action:
      description: As O(action).
      returned: when the rule looks at no table
      type: str
      sample: prohibit
    suppress_prefixlength:
      description: As O(suppress_prefixlength).
      returned: when the rule has one
      type: int
      sample: 0
    netns:
      description: As O(netns).
      returned: when the rule is not in the namespace in which the module runs
      type: str
      sample: router
"""

from ..module_utils.kinds.rule import RULE
from ..module_utils.module_topology import run_row


def main() -> None:
    run_row(RULE)


if __name__ == "__main__":
    main()
