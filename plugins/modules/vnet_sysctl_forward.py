#!/usr/bin/python
# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vnet_sysctl_forward
short_description: Manage IP forwarding, now and at boot
version_added: "0.1.0"
description:
  - Switches forwarding of IPv4 and IPv6 packets between interfaces on or off, in the running kernel and in a file
    of C(sysctl.d(5)).
  - Values are written only where they differ. The kernel resets the settings of all interfaces when forwarding
    is switched, and for IPv6 even when the value that is there is written again.
author:
  - linuxnet.vnet contributors (@linuxnet)
extends_documentation_fragment:
  - linuxnet.vnet.attributes
  - linuxnet.vnet.attributes.groups
options:
  ipv4:
    description:
      - Whether IPv4 packets are forwarded.
      - If omitted, it is left alone. At least one of O(ipv4) and O(ipv6) is required, unless O(persist=false).
    type: bool
  ipv6:
    description:
      - Whether IPv6 packets are forwarded.
      - If omitted, it is left alone. At least one of O(ipv4) and O(ipv6) is required, unless O(persist=false).
    type: bool
  interfaces:
    description:
      - Names of the interfaces that forward what they receive. If omitted, all do, also those that come later; one that
        was switched differently by itself since then is left alone.
      - For IPv6 this needs a kernel with the sysctl C(force_forwarding) (Linux 6.17), and is refused on others.
      - Interfaces that are not listed are left alone. Switching all of them on or off afterwards overwrites
        this.
    type: list
    elements: str
  netns:
    description:
      - The named network namespace whose forwarding is meant.
      - If omitted or V(""), it is the one in which the module runs.
      - The namespace has to exist; M(linuxnet.vnet.vnet_netns) makes one.
    type: str
  keep_ra:
    description:
      - A host that forwards IPv6 ignores router advertisements, and with that loses the default route that it learned
        from one. If V(true), interfaces that have such a route get C(accept_ra=2) before O(ipv6) is switched on, so it
        stays. It is asked for even if omitted.
      - An interface with C(accept_ra=0) keeps that. A program like NetworkManager or systemd-networkd listens to the
        routers itself there, and goes on with it.
    type: bool
    default: true
  persist:
    description:
      - Whether the settings are kept for the next boot.
      - Without O(netns), O(sysctl_file) keeps them, and other settings in that file are left alone. V(false) removes
        these settings from the file, and the file if no settings are left in it. If omitted, it is V(true).
      - With O(netns), V(true) keeps the options of the task in a file under C(/etc/vnet/conf.d), in JSON, one for each
        of O(interfaces). The systemd unit C(vnet-restore.service) applies it at boot, after the namespace has come
        back (see O(linuxnet.vnet.vnet_netns#module:persist)). V(false) removes the file. If omitted, a file that is
        there is kept up to date, and none is made.
    type: bool
  sysctl_file:
    description:
      - Absolute path of the file for O(persist), which ends in C(.conf). It is written atomically.
      - Files of C(sysctl.d(5)) are applied by the order of their names, so one with a later name that has the same
        settings wins at boot.
    type: path
    default: /etc/sysctl.d/30-ipforward.conf
notes:
  - Forwarding lets packets pass between all networks of the host. Restrict it by firewall rules where they are not
    to reach each other.
  - C(systemd-sysctl(8)) applies settings of single interfaces again when an interface appears.
seealso:
  - module: linuxnet.vnet.vnet_netns
  - name: The kernel's documentation of IP sysctls
    description: What C(ip_forward), C(forwarding) and C(accept_ra) do.
    link: https://docs.kernel.org/networking/ip-sysctl.html
"""

EXAMPLES = r"""
- name: Make the host an IPv4 router, now and after the next boot
  linuxnet.vnet.vnet_sysctl_forward:
    ipv4: true

- name: Forward IPv6, too, and keep that in a file of its own
  linuxnet.vnet.vnet_sysctl_forward:
    ipv6: true
    persist: true
    sysctl_file: /etc/sysctl.d/31-ipv6-forward.conf

- name: Make a namespace for a router
  linuxnet.vnet.vnet_netns:
    name: router

- name: Let it forward both
  linuxnet.vnet.vnet_sysctl_forward:
    netns: router
    ipv4: true
    ipv6: true

- name: Make a namespace that serves one network only
  linuxnet.vnet.vnet_netns:
    name: edge

- name: Give it a device in that network
  linuxnet.vnet.vnet_veth:
    name: inside
    netns: edge
    addresses: [192.168.9.1/24]
    peer:
      name: edge0
      netns: ""

- name: Let it forward what comes in by that device, and nothing else
  linuxnet.vnet.vnet_sysctl_forward:
    netns: edge
    ipv4: true
    interfaces: [inside]

- name: Stop forwarding, and forget about it
  linuxnet.vnet.vnet_sysctl_forward:
    ipv4: false
    ipv6: false
    persist: false
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
    - sysctl -w net.ipv4.ip_forward=1
    - install -m 0644 /dev/stdin /etc/sysctl.d/30-ipforward.conf
forwarding:
  description: What the namespace forwards afterwards.
  returned: success
  type: dict
  contains:
    ipv4:
      description: Whether IPv4 packets are forwarded (C(net.ipv4.ip_forward)).
      returned: success
      type: bool
      sample: true
    ipv6:
      description: Whether IPv6 packets are forwarded (C(net.ipv6.conf.all.forwarding)).
      returned: success
      type: bool
      sample: false
    sysctl:
      description: The kernel parameters that decide it, of all interfaces, each with its value as a string.
      returned: success
      type: dict
      sample:
        net.ipv4.conf.all.forwarding: "1"
        net.ipv4.conf.eth0.forwarding: "1"
        net.ipv4.ip_forward: "1"
        net.ipv6.conf.all.forwarding: "0"
        net.ipv6.conf.eth0.accept_ra: "1"
"""

from ..module_utils.module import run_forward


def main() -> None:
    run_forward()


if __name__ == "__main__":
    main()
