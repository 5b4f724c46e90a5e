# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: bridged_network
short_description: Plan the network of a host whose VMs share its own network by a bridge
version_added: "0.1.0"
description:
  - Makes of a list of VMs, and of what is on the host, the entries with which M(linuxnet.vnet.vnet_topology) builds their
    network. The role P(linuxnet.vnet.bridged_vm_host#role) is made of it.
  - It writes nothing, and asks nobody.
author:
  - linuxnet.vnet contributors (@linuxnet)
positional: _input
options:
  _input:
    description:
      - The VMs, each with a C(name), and if need be with C(tap), C(user), C(group), C(vlan), C(multi_queue) and C(mtu).
    type: list
    elements: dict
    required: true
  bridge:
    description:
      - Name of the bridge.
    type: str
    default: br0
  uplink:
    description:
      - The device that leads outside. If omitted, it is that of the default route, or where the bridge has one already, its
        uplink.
    type: str
  addresses:
    description:
      - The host's addresses, which the bridge then has. If omitted, they are those of the uplink.
    type: list
    elements: str
  found:
    description:
      - What M(linuxnet.vnet.vnet_info) has returned for the whole host, with its links and routes.
    type: dict
    default: {}
  record:
    description:
      - What the host remembers of the bridge's uplink under C(/run/vnet/uplinks), if there is anything.
    type: dict
    default: {}
  checking:
    description:
      - Whether that is for a check run. Then it is no problem that a device is not there, as an earlier task might make it.
    type: bool
    default: false
seealso:
  - plugin: linuxnet.vnet.container_network
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Look what there is
  linuxnet.vnet.vnet_info:
    gather_subset: [links, routes]
  register: found

- name: Say what a network of two VMs would be made of
  ansible.builtin.debug:
    var: vms | linuxnet.vnet.bridged_network(found=found)
  vars:
    vms:
      - name: web
        user: alice
      - name: db
        user: alice
        vlan: 20
"""

RETURN = r"""
_value:
  description:
    - The options C(name), C(bridges), C(tuntaps) and C(bridge_ports) of M(linuxnet.vnet.vnet_topology).
    - C(uplink), the device, and C(vms), all of them with the taps and VLANs that they get.
    - C(problem), a sentence, in place of all these where something is wrong.
  type: dict
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..plugin_utils.bridged import bridged_network as plan
from ..plugin_utils.layouts import Problem


def bridged_network(
    vms: Sequence[Mapping[str, Any]],
    *,
    bridge: str = "br0",
    uplink: str | None = None,
    addresses: Sequence[str] | None = None,
    found: Mapping[str, Any] | None = None,
    record: Mapping[str, Any] | None = None,
    checking: bool = False,
) -> dict[str, Any]:
    try:
        return plan(
            vms,
            bridge=bridge,
            uplink=uplink or None,
            addresses=addresses,
            found=found or {},
            record=record or {},
            checking=checking,
        )
    except Problem as problem:
        return {"problem": str(problem)}


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"bridged_network": bridged_network}
