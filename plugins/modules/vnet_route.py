#!/usr/bin/python
# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vnet_route
short_description: Manage IP routes
version_added: "0.1.0"
description:
  - Makes, changes and deletes IPv4 and IPv6 routes, in any routing table and in any namespace.
  - A route is identified by its namespace, family, table, destination and metric. One that is there with the same
    identity is changed in place, so no packet is lost in between.
author:
  - linuxnet.vnet contributors (@linuxnet)
extends_documentation_fragment:
  - linuxnet.vnet.persist
  - linuxnet.vnet.attributes
  - linuxnet.vnet.attributes.groups
options:
  destination:
    description:
      - The network that the route leads to, such as V(192.0.2.0/24) or V(2001:db8::/32). An address alone is a
        network of one.
      - V(default) is the default route, of IPv6 if an address that is given with it is one of IPv6, and of IPv4
        otherwise. V(0.0.0.0/0) and V(::/0) always tell them apart.
    type: str
    required: true
  state:
    description:
      - V(present) makes the route if it is missing, and changes what differs from the options that are given.
      - V(absent) deletes the route of this identity, provided that it has every other option that is given. A route
        that leads elsewhere is left alone, and so is one that the kernel made by itself.
    type: str
    choices: [present, absent]
    default: present
  netns:
    description:
      - The named network namespace (see C(ip-netns(8))) in which the route is.
      - If omitted or V(""), it is the namespace in which the module runs.
      - The namespace has to exist; M(linuxnet.vnet.vnet_netns) makes one.
    type: str
  table:
    description:
      - The routing table, V(1) to V(4294967295), or one of the words V(main), V(default) and V(local).
      - A table other than these is looked at only where a rule says so (see C(ip-rule(8))).
    type: str
    default: main
  metric:
    description:
      - Of two routes to one destination in one table, the one with the lower metric is taken, V(0) to
        V(4294967295).
      - If omitted, it is the kernel's own, V(0) for IPv4 and V(1024) for IPv6.
    type: int
  gateway:
    description:
      - Address of the router that the packets go to.
      - A new route needs this, O(device) or O(nexthops), unless O(type) says that it leads nowhere.
      - V("") makes it a route to a network on O(device) itself.
      - If omitted, it is left alone on an existing route, and a new one has none.
    type: str
  device:
    description:
      - Name of the device, in the same namespace, by which the packets leave. The device has to exist and to be up.
      - V("") leaves the choice to the kernel.
      - If omitted, it is left alone on an existing route, unless its O(gateway) changes. Then, and for a new route,
        it is the device by which the gateway is reached.
    type: str
  source:
    description:
      - The address that packets of the host itself have as their source on this route. It has to be an address of
        the host.
      - V("") leaves the choice to the kernel.
      - If omitted, it is left alone on an existing route, and a new one has none.
    type: str
  nexthops:
    description:
      - Two or more ways that packets are spread over (ECMP), by connection or by address as the kernel decides.
        This replaces O(gateway) and O(device), which can't be given beside it.
      - If omitted, they are left alone on an existing route, unless O(gateway) or O(device) is given, and a new one has
        none.
    type: list
    elements: dict
    suboptions:
      gateway:
        description:
          - Address of the router on this way. Each way needs this, O(nexthops[].device), or both.
        type: str
      device:
        description:
          - Name of the device by which packets leave on this way.
          - If omitted, it is the device by which the gateway is reached.
        type: str
      weight:
        description:
          - Share of this way in relation to the others, V(1) to V(256).
        type: int
        default: 1
  type:
    description:
      - V(unicast) leads to a network. The others lead nowhere, V(blackhole) silently, V(unreachable) and
        V(prohibit) with an ICMP message that says so.
      - If omitted, it is left alone on an existing route, and a new one gets V(unicast).
    type: str
    choices: [unicast, blackhole, unreachable, prohibit]
  onlink:
    description:
      - Whether O(gateway) is taken to be on the link of O(device) even where no address of the device says so.
      - If omitted, it is left alone on an existing route, and a new one gets the kernel's own (off).
    type: bool
notes:
  - The kernel deletes routes with the device or the address that they hang on, and IPv4 routes of a device that is set
    down.
  - Routes that the kernel makes for addresses, and those learned by router advertisement, are never changed.
seealso:
  - module: linuxnet.vnet.vnet_sysctl_forward
  - module: linuxnet.vnet.vnet_topology
  - name: ip-route(8)
    description: What the options mean in detail.
    link: https://man7.org/linux/man-pages/man8/ip-route.8.html
"""

EXAMPLES = r"""
- name: Make a namespace for a container
  linuxnet.vnet.vnet_netns:
    name: web

- name: Wire it to the host
  linuxnet.vnet.vnet_veth:
    name: web0
    addresses: [192.168.9.1/24, "fd00:9::1/64"]
    peer:
      name: eth0
      netns: web
      addresses: [192.168.9.10/24, "fd00:9::10/64"]

- name: Let the container reach everything else by way of the host
  linuxnet.vnet.vnet_route:
    netns: web
    destination: default
    gateway: 192.168.9.1

- name: The same for IPv6
  linuxnet.vnet.vnet_route:
    netns: web
    destination: default
    gateway: fd00:9::1

- name: Reach a network behind the container, less gladly than by another way
  linuxnet.vnet.vnet_route:
    destination: 10.20.0.0/16
    gateway: 192.168.9.10
    device: web0
    source: 192.168.9.1
    metric: 500

- name: Drop what goes to addresses that are not in use
  linuxnet.vnet.vnet_route:
    destination: 10.0.0.0/8
    type: blackhole

- name: Spread the packets for a network over two routers, one of which takes two thirds
  linuxnet.vnet.vnet_route:
    destination: 203.0.113.0/24
    nexthops:
      - gateway: 192.168.9.10
        weight: 2
      - gateway: 192.168.9.11

- name: Fill a table of its own, for a rule to point to
  linuxnet.vnet.vnet_route:
    table: 77
    destination: default
    device: web0

- name: Reach a router whose address is in no network of the device
  linuxnet.vnet.vnet_route:
    destination: 198.18.0.0/15
    gateway: 172.31.1.1
    device: web0
    onlink: true

- name: Delete a route, wherever it leads
  linuxnet.vnet.vnet_route:
    destination: 10.20.0.0/16
    metric: 500
    state: absent

- name: Delete a default route, but only if it leads to this gateway
  linuxnet.vnet.vnet_route:
    netns: web
    destination: default
    gateway: fd00:9::1
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
    - ip -n web route add default via 192.168.9.1
route:
  description: The route afterwards, in the words of the options. Empty if it is not there.
  returned: success
  type: dict
  contains:
    destination:
      description: As O(destination), V(default) for a default route.
      returned: when the route is there
      type: str
      sample: default
    table:
      description: As O(table), a word where there is one.
      returned: when the route is there
      type: raw
      sample: main
    metric:
      description: As O(metric), also where the kernel decided.
      returned: when the route is there
      type: int
      sample: 0
    type:
      description: As O(type).
      returned: when the route is there
      type: str
      sample: unicast
    gateway:
      description: As O(gateway).
      returned: when the route has one
      type: str
      sample: 192.168.9.1
    device:
      description: As O(device), also where the kernel decided.
      returned: when the route has one
      type: str
      sample: eth0
    source:
      description: As O(source).
      returned: when the route has one
      type: str
      sample: 192.168.9.10
    netns:
      description: As O(netns).
      returned: when the route is not in the namespace in which the module runs
      type: str
      sample: web
    onlink:
      description: As O(onlink).
      returned: when it is on
      type: bool
      sample: true
    nexthops:
      description: As O(nexthops), an empty string where a way has no gateway.
      returned: when the route has several
      type: list
      elements: dict
      sample:
        - gateway: 192.168.9.10
          device: web0
          weight: 2
        - gateway: 192.168.9.11
          device: web0
          weight: 1
"""

from ..module_utils.kinds.route import ROUTE
from ..module_utils.module_topology import run_row


def main() -> None:
    run_row(ROUTE)


if __name__ == "__main__":
    main()
