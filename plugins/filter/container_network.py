# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: container_network
short_description: Plan the network of a host whose containers are behind NAT
version_added: "0.1.0"
description:
  - Makes of a list of containers, and of what is on the host, the entries with which M(linuxnet.vnet.vnet_topology) builds
    their network. The role P(linuxnet.vnet.nat_container_host#role) is made of it.
  - It writes nothing, and asks nobody.
author:
  - linuxnet.vnet contributors (@linuxnet)
positional: _input
options:
  _input:
    description:
      - The containers, each with a C(name), which is that of its network namespace, and if need be with C(address),
        C(address6), C(mac) and C(mtu).
    type: list
    elements: dict
    required: true
  bridge:
    description:
      - Name of the bridge that is their gateway.
    type: str
    default: br0
  gateway:
    description:
      - The address of the bridge, with the prefix length of the containers' network.
    type: str
    default: 192.168.9.1/24
  gateway6:
    description:
      - The same for IPv6. If omitted, the containers have IPv4 only.
    type: str
  uplink:
    description:
      - The device that leads outside. If omitted, it is that of the default route.
    type: str
  port_forwards:
    description:
      - Ports of the host that lead to containers, each with C(container), C(port), and if need be with C(protocol), C(to_port)
        and C(in_address).
    type: list
    elements: dict
    default: []
  isolate:
    description:
      - Whether the containers can be reached from outside by port forwards only.
    type: bool
    default: true
  nameservers:
    description:
      - The C(nameservers) of containers that name none.
    type: list
    elements: str
    default: []
  found:
    description:
      - What M(linuxnet.vnet.vnet_info) has returned for the whole host, with its links and routes.
    type: dict
    default: {}
  kept:
    description:
      - The content of the file in which O(linuxnet.vnet.vnet_topology#module:persist) keeps the network, if there is one.
        A container keeps the address that it has there.
    type: dict
    default: {}
  checking:
    description:
      - Whether that is for a check run. Then it is no problem that a device is not there, as an earlier task might make it.
    type: bool
    default: false
seealso:
  - plugin: linuxnet.vnet.container_addresses
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Look what there is
  linuxnet.vnet.vnet_info:
    gather_subset: [links, routes]
  register: found

- name: Say what a network of two containers would be made of
  ansible.builtin.debug:
    var: containers | linuxnet.vnet.container_network(found=found)
  vars:
    containers:
      - name: web
      - name: db
        address: 192.168.9.20
"""

RETURN = r"""
_value:
  description:
    - The options C(name), C(bridges), C(namespaces), C(veths), C(routes), C(forwarding) and C(nats) of
      M(linuxnet.vnet.vnet_topology).
    - C(uplink), the device, and C(containers), all of them with the addresses and nameservers that they get.
    - C(problem), a sentence, in place of all these where something is wrong.
  type: dict
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..plugin_utils.containers import container_network as plan
from ..plugin_utils.layouts import Problem


def container_network(
    containers: Sequence[Mapping[str, Any]],
    *,
    bridge: str = "br0",
    gateway: str = "192.168.9.1/24",
    gateway6: str | None = None,
    uplink: str | None = None,
    port_forwards: Sequence[Mapping[str, Any]] = (),
    isolate: bool = True,
    nameservers: Sequence[str] = (),
    found: Mapping[str, Any] | None = None,
    kept: Mapping[str, Any] | None = None,
    checking: bool = False,
) -> dict[str, Any]:
    try:
        return plan(
            containers,
            bridge=bridge,
            gateway=gateway,
            gateway6=gateway6 or None,
            uplink=uplink or None,
            port_forwards=port_forwards,
            isolate=isolate,
            nameservers=nameservers,
            found=found or {},
            kept=kept or {},
            checking=checking,
        )
    except Problem as problem:
        return {"problem": str(problem)}


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"container_network": container_network}
