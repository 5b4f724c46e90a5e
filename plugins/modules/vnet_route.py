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
        otherwise. V(0.0.0.0/0) and V(::/0) always tell them apart. It takes V(0.0.0.0/0) for the default route of IPv4
        where its gateway is one of IPv6.
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
      - Address of the router that the packets go to. That of a route of IPv4 may be one of IPv6 (RFC 5549, and
        C(via inet6) in C(ip-route(8))), as where the routers between have no addresses of IPv4.
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
          - Address of the router on this way, as O(gateway). Each way needs this, O(nexthops[].device), or both.
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
  scope:
    description:
      - How far away the destination of a route of IPv4 is, C(global) behind a router, C(link) on the device itself, C(host)
        on this host. The kernel asks for it where another route's gateway, or an address to send from, is looked up.
        IPv6 has none but V(global).
      - If omitted, it is left alone on an existing route as long as it goes with its O(gateway), and otherwise is
        V(link) for a route without a gateway and V(global) for all others.
    type: str
    choices: [global, site, link, host]
  mtu:
    description:
      - The largest packet, in bytes, that is sent by this route, V(0) to V(65520). V(0) is the MTU of the device.
      - If omitted, it is left alone on an existing route, and a new one has none.
    type: int
  mtu_lock:
    description:
      - Whether O(mtu) holds whatever routers on the way report, and packets of IPv4 may be fragmented there.
      - If omitted, it is left alone on an existing route, unless O(mtu) is V(0), and a new one gets the kernel's own (off).
    type: bool
  advmss:
    description:
      - The largest segment, in bytes, that TCP tells the other end to send, V(0) to V(65495). V(0) is what follows from
        the MTU.
      - If omitted, it is left alone on an existing route, and a new one has none.
    type: int
  hoplimit:
    description:
      - Over how many routers packets of this host go at most, V(0) to V(255). V(0) is what the sysctls say.
      - If omitted, it is left alone on an existing route, and a new one has none.
    type: int
  initcwnd:
    description:
      - How many segments a TCP connection sends at first without having heard of the other end, V(0) to V(4294967295).
        V(0) is the kernel's own.
      - If omitted, it is left alone on an existing route, and a new one has none.
    type: int
  initrwnd:
    description:
      - How many segments a TCP connection lets the other end send at first, V(0) to V(4294967295). V(0) is the
        kernel's own.
      - If omitted, it is left alone on an existing route, and a new one has none.
    type: int
  rto_min:
    description:
      - How long TCP waits at least before it sends again what was not confirmed, in seconds, V(0) to V(4294967), by the
        millisecond. V(0) is the kernel's own.
      - If omitted, it is left alone on an existing route, and a new one has none.
    type: float
  quickack:
    description:
      - Whether TCP confirms what it has received at once, without a delay.
      - If omitted, it is left alone on an existing route, and a new one gets the kernel's own (off).
    type: bool
  congctl:
    description:
      - TCP's congestion control, such as V(bbr) or V(cubic). The host's kernel has to have it.
      - V("") is that of the sysctl C(net.ipv4.tcp_congestion_control).
      - If omitted, it is left alone on an existing route, and a new one has none.
    type: str
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

- name: Send smaller packets where a tunnel is on the way, whatever the routers there report
  linuxnet.vnet.vnet_route:
    destination: 198.51.100.0/24
    gateway: 192.168.9.10
    mtu: 1400
    mtu_lock: true
    advmss: 1360

- name: Reach a network of IPv4 by way of a router that is known by its IPv6 address
  linuxnet.vnet.vnet_route:
    destination: 10.30.0.0/16
    gateway: fe80::1
    device: web0

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
    scope:
      description: As O(scope).
      returned: when it is not the one that a route has where nobody says one
      type: str
      sample: link
    mtu:
      description: As O(mtu).
      returned: when the route has one
      type: int
      sample: 1400
    mtu_lock:
      description: As O(mtu_lock).
      returned: when it is on
      type: bool
      sample: true
    advmss:
      description: As O(advmss).
      returned: when the route has one
      type: int
      sample: 1360
    hoplimit:
      description: As O(hoplimit).
      returned: when the route has one
      type: int
      sample: 64
    initcwnd:
      description: As O(initcwnd).
      returned: when the route has one
      type: int
      sample: 20
    initrwnd:
      description: As O(initrwnd).
      returned: when the route has one
      type: int
      sample: 20
    rto_min:
      description: As O(rto_min).
      returned: when the route has one
      type: float
      sample: 0.05
    quickack:
      description: As O(quickack).
      returned: when it is on
      type: bool
      sample: true
    congctl:
      description: As O(congctl).
      returned: when the route has one
      type: str
      sample: bbr
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
