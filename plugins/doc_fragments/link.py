# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that all modules for network devices share."""

from __future__ import annotations


class ModuleDocFragment:
    """`linuxnet.vnet.link`: the counterpart of `COMMON` and `link_spec()` in module_utils/kinds/base.py."""

    DOCUMENTATION = r"""
options:
  name:
    description:
      - Name of the device, 1 to 15 bytes. It has no C(/), C(:), C(%) or whitespace in it, and is neither C(.)
        nor C(..).
      - A device of this name but of another kind is never touched. The task fails and says what is there.
    type: str
    required: true
  state:
    description:
      - V(present) creates the device if it is missing, and changes what differs from the options that are given.
      - V(absent) deletes it. Where the device or its namespace is not there, nothing changes.
    type: str
    choices: [present, absent]
    default: present
  netns:
    description:
      - The named network namespace (see C(ip-netns(8))) in which the device is.
      - If omitted or V(""), it is the namespace in which the module runs.
      - The namespace has to exist; M(linuxnet.vnet.vnet_netns) makes one.
    type: str
  admin_state:
    description:
      - The administrative state of the device. It is asked for even if omitted, so a device that is down is set
        up by any task that does not say V(down).
      - On V(down) the kernel removes the routes through the device and its IPv6 addresses.
    type: str
    choices: [up, down]
    default: up
  mtu:
    description:
      - Maximum transmission unit in bytes, V(68) to V(65535). The kernel has narrower bounds for some kinds of
        device, and turns IPv6 off on a device with less than 1280.
      - If omitted, it is left alone on an existing device, and a new one gets the kernel's own.
    type: int
  mac:
    description:
      - MAC address, a unicast one, in any case, with C(:) or C(-) between its octets.
      - Always quote it. YAML 1.1 takes C(52:54:00:12:34:56) without quotes for a number.
      - If omitted, it is left alone on an existing device, and the kernel picks one at random for a new one.
    type: str
  master:
    description:
      - Name of the bridge, in the same namespace, that the device is a port of.
      - V("") detaches the device from the bridge that it is a port of.
      - If omitted, it is left alone on an existing device, and a new one is no port.
    type: str
  addresses:
    description:
      - Addresses of the device in CIDR notation, each with its prefix length, as V(192.0.2.1/24) or
        V(2001:db8::1/64).
      - The list is the whole truth. An address that is not in it is removed, unless O(append=true).
        V([]) removes all.
      - IPv6 link-local addresses, dynamic and temporary ones, and V(127.0.0.1/8) and V(::1/128) of loopback devices are
        never removed.
      - If omitted, they are left alone on an existing device, and a new one gets none.
    type: list
    elements: str
  alias:
    description:
      - Free text that the kernel keeps with the device and C(ip link) shows, up to 255 bytes.
      - V("") removes it.
      - If omitted, it is left alone on an existing device, and a new one gets none.
    type: str
  altnames:
    description:
      - Alternative names of the device, each of 1 to 127 bytes and under the rules of O(name).
      - The list is the whole truth. A name that is not in it is removed, unless O(append=true).
        V([]) removes all.
      - If omitted, they are left alone on an existing device, and a new one gets none.
    type: list
    elements: str
  append:
    description:
      - If V(true), the elements of lists such as O(addresses) are added to what the device has, and nothing is
        removed.
    type: bool
    default: false
  recreate:
    description:
      - The kernel can't change some options of an existing device. If such an option differs, the task fails and
        names it, unless this is V(true). Then the device is deleted and made again, with its other options, its
        addresses, routes, ports, static FDB entries and administrative state as they were.
      - A device made again has a new interface index, and has lost what was learned (FDB and neighbor entries)
        and what programs had attached to it. While a program has the device open, or an XDP program is on it,
        the task fails instead.
      - It does nothing where all can be changed in place.
    type: bool
    default: false
"""
