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
  table:
    description:
      - The routing table to look at, V(1) to V(4294967295), or one of the words V(main), V(default) and V(local).
      - A new rule needs this.
      - If omitted, it is left alone on an existing rule.
    type: str
  family:
    description:
      - Whether the rule is of IPv4 (V(inet), or V(ipv4)) or of IPv6 (V(inet6), or V(ipv6)).
      - If omitted, it is the family of O(from) and O(to), and IPv4 where they are not given.
    type: str
    choices: [inet, inet6, ipv4, ipv6]
  state:
    description:
      - V(present) makes the rule if it is missing, and gives it its O(table).
      - V(absent) deletes all rules that have everything that is given, of one family. The rules that the kernel has
        from the start are deleted only by their O(priority).
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
  - A rule that says more than these options can say (C(not), C(tos), C(ipproto), C(goto) and others) is none of those
    that this module compares, changes or deletes.
  - While its table changes, the new rule stands beside the old one for a moment.
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

- name: Look at another table for what comes in by a device, in a namespace
  linuxnet.vnet.vnet_rule:
    netns: router
    iif: eth0
    table: 78

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
    table:
      description: As O(table), a word where there is one.
      returned: when the rule is there
      type: raw
      sample: 77
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
