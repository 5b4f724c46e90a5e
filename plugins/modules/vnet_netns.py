#!/usr/bin/python
# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vnet_netns
short_description: Manage named network namespaces
version_added: "0.1.0"
description:
  - Makes, configures and deletes named network namespaces, as C(ip netns) does, each a mount under
    C(/run/netns).
  - Sysctls are set before a device enters the namespace, so a device gets its own settings from
    C(net.*.conf.default).
author:
  - linuxnet.vnet contributors (@linuxnet)
extends_documentation_fragment:
  - linuxnet.vnet.persist
  - linuxnet.vnet.attributes
attributes:
  action_group:
    description:
      - Use C(group/linuxnet.vnet.vnet), which has every module that changes something, in C(module_defaults).
    support: full
    membership:
      - linuxnet.vnet.vnet
options:
  name:
    description:
      - Name of the namespace, 1 to 255 bytes without C(/) or whitespace, and neither C(.) nor C(..).
    type: str
    required: true
  state:
    description:
      - V(present) makes the namespace if it is missing, and changes what differs from the options that are given.
      - V(absent) deletes its name. The kernel then deletes its virtual devices, with them the other ends of
        veth pairs, and moves physical devices back to the initial namespace. While a process still runs in the
        namespace, or holds it open, all of this waits until that ends.
    type: str
    choices: [present, absent]
    default: present
  loopback:
    description:
      - Whether C(lo) is up in the namespace. It is asked for even if omitted. Programs that bind or connect to
        V(127.0.0.1) or V(::1) need it.
    type: bool
    default: true
  sysctl:
    description:
      - Kernel parameters in the namespace, by name. Names begin with C(net.), and have dots or slashes between
        their parts; use slashes where a part has a dot of its own, as in C(net/ipv4/conf/eth0.100/rp_filter).
      - Values are numbers, strings, or booleans, which stand for V(1) and V(0).
      - A parameter is written only if it differs, as some have effects on others even if written unchanged.
      - Parameters that are not listed are left alone. If omitted, all are, and a new namespace gets the
        kernel's own.
      - Parameters of a device need a device of that name, which is there only after the namespace.
    type: dict
notes:
  - A namespace is gone after a reboot, unless O(persist) keeps it.
  - With O(state=absent), the files that O(persist) has made of what is in the namespace are removed, too.
  - The deletion of a namespace that has many devices goes on in the kernel after the task has returned.
seealso:
  - module: linuxnet.vnet.vnet_veth
  - module: linuxnet.vnet.vnet_sysctl_forward
  - name: ip-netns(8)
    description: What a named network namespace is.
    link: https://man7.org/linux/man-pages/man8/ip-netns.8.html
"""

EXAMPLES = r"""
- name: Make a namespace for a container
  linuxnet.vnet.vnet_netns:
    name: web

- name: Make one without IPv6 for its devices
  linuxnet.vnet.vnet_netns:
    name: legacy
    sysctl:
      net.ipv6.conf.all.disable_ipv6: 1
      net.ipv6.conf.default.disable_ipv6: 1

- name: Make one that routes, and checks the source of packets loosely (RFC 3704)
  linuxnet.vnet.vnet_netns:
    name: router
    sysctl:
      net.ipv4.ip_forward: 1
      net.ipv4.conf.all.rp_filter: 2
      net.ipv4.ping_group_range: 0 2147483647

- name: Make a namespace in which not even the loopback device is up
  linuxnet.vnet.vnet_netns:
    name: sandbox
    loopback: false

- name: Make one that comes back when the host boots
  linuxnet.vnet.vnet_netns:
    name: lasting
    persist: true

- name: Delete the container's namespace with all devices in it
  linuxnet.vnet.vnet_netns:
    name: web
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
    - ip netns add router
    - ip netns exec router sysctl -w net.ipv4.ip_forward=1
    - ip netns exec router sysctl -w net.ipv4.conf.all.rp_filter=2
    - ip -n router link set dev lo up
namespace:
  description: The namespace afterwards, in the words of the options. Empty if it is not there.
  returned: success
  type: dict
  contains:
    name:
      description: Name of the namespace.
      returned: when the namespace is there
      type: str
      sample: router
    loopback:
      description: As O(loopback).
      returned: when the namespace is there
      type: bool
      sample: true
    sysctl:
      description: The parameters of O(sysctl), each with its value as a string.
      returned: when the namespace is there
      type: dict
      sample: {"net.ipv4.conf.all.rp_filter": "2", "net.ipv4.ip_forward": "1"}
"""

from ..module_utils.module import run_netns


def main() -> None:
    run_netns()


if __name__ == "__main__":
    main()
