# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: overlay_network
short_description: Plan a host's part of Ethernet segments that several hosts share
version_added: "0.1.0"
description:
  - Makes of a list of segments, of the addresses of all hosts, and of what is on this one, the entries with which
    M(linuxnet.vnet.vnet_topology) builds the bridges and the VXLAN devices. The role P(linuxnet.vnet.vxlan_overlay#role) is made of it.
  - It writes nothing, and asks nobody.
author:
  - linuxnet.vnet contributors (@linuxnet)
positional: _input
options:
  _input:
    description:
      - The segments, each with a C(name) and a C(vni), and if need be with C(bridge), C(addresses), C(group) and C(mtu).
    type: list
    elements: dict
    required: true
  hosts:
    description:
      - The addresses under which the hosts reach each other, by their inventory names.
    type: dict
    required: true
  host:
    description:
      - The inventory name of this host, which is one of O(hosts).
    type: str
    required: true
  group:
    description:
      - The inventory group that the hosts are of. The topology is named for it.
    type: str
    default: vxlan_overlay_hosts
  port:
    description:
      - The UDP port of VXLAN.
    type: int
    default: 4789
  control_plane:
    description:
      - How the hosts get to know what is behind which other one. With V(flood) from the packets, of which each host gets what
        is for all; with V(evpn) by BGP EVPN, that FRR speaks.
    type: str
    choices: [flood, evpn]
    default: flood
  asn:
    description:
      - The number of the AS that all hosts are in, with O(control_plane=evpn).
    type: int
    default: 65000
  route_reflectors:
    description:
      - The inventory names of the hosts that pass on what the others tell. If there are none, each host tells each other one.
    type: list
    elements: str
    default: []
  frr_config:
    description:
      - What is in the file that FRR reads, V("") where there is none. If omitted, nothing is to be written there.
    type: str
  found:
    description:
      - What M(linuxnet.vnet.vnet_info) has returned for the whole host, with its links.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Look what there is
  linuxnet.vnet.vnet_info:
    gather_subset: [links]
  register: found

- name: Say what this host's part of a segment would be made of
  ansible.builtin.debug:
    var: segments | linuxnet.vnet.overlay_network(hosts=hosts, host='node1', found=found)
  vars:
    hosts:
      node1: 10.4.0.1
      node2: 10.4.0.2
    segments:
      - name: blue
        vni: 100
"""

RETURN = r"""
_value:
  description:
    - The options C(name), C(bridges), C(vxlans) and C(bridge_ports) of M(linuxnet.vnet.vnet_topology).
    - C(segments), all of them with their C(bridge), C(device) and C(mtu).
    - C(frr), what FRR's file has to say, which is V("") where that is nothing.
    - C(problem), a sentence, in place of all these where something is wrong.
  type: dict
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..plugin_utils.layouts import Problem
from ..plugin_utils.overlay import overlay_network as plan
from ..plugin_utils.overlay_bgp import asked


def overlay_network(
    segments: Sequence[Mapping[str, Any]],
    *,
    hosts: Mapping[str, Any],
    host: str,
    group: str = "vxlan_overlay_hosts",
    port: int = 4789,
    control_plane: str = "flood",
    asn: int = 65000,
    route_reflectors: Sequence[str] = (),
    frr_config: str | None = None,
    found: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    try:
        return plan(
            segments,
            group=group,
            hosts=hosts,
            host=host,
            port=port,
            control_plane=control_plane,
            bgp=None if frr_config is None else asked(asn, route_reflectors, frr_config),
            found=found or {},
        )
    except Problem as problem:
        return {"problem": str(problem)}


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"overlay_network": overlay_network}
