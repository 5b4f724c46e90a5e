# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: container_addresses
short_description: Give containers addresses of a network, and each the one that it has
version_added: "0.1.0"
description:
  - Gives each container the address that is asked for, else one that it has already, else the next free one of the network, in the order
    of the list. No container gets another address because others come and go.
  - The network's own address, the broadcast address and the gateway's are nobody else's.
author:
  - linuxnet.vnet contributors (@linuxnet)
positional: _input, gateway
options:
  _input:
    description:
      - The containers, each with a C(name), and those that are to have a certain address with it under O(key).
    type: list
    elements: dict
    required: true
  gateway:
    description:
      - The address of the gateway, with the prefix length of the network.
    type: str
    required: true
  existing:
    description:
      - The addresses that the containers have, as a list for each name, the best first. What is not of the network is passed over.
    type: dict
    default: {}
  key:
    description:
      - What a container's address is called in the list.
    type: str
    default: address
"""

EXAMPLES = r"""
- name: Give two containers addresses, one of which has one
  ansible.builtin.debug:
    msg: "{{ containers | linuxnet.vnet.container_addresses('192.168.9.1/24', existing={'db': ['192.168.9.2/24']}) }}"
  vars:
    containers:
      - name: web
      - name: db
"""

RETURN = r"""
_value:
  description:
    - The address of each container with the prefix length, by name.
  type: dict
  sample:
    web: 192.168.9.3/24
    db: 192.168.9.2/24
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils.layouts import Problem, allocate, interface, unique


def container_addresses(
    containers: Sequence[Mapping[str, Any]],
    gateway: str,
    *,
    existing: Mapping[str, Sequence[str]] | None = None,
    key: str = "address",
) -> dict[str, str]:
    try:
        unique("container_addresses", containers, "name")
        found = allocate(
            "container_addresses", containers, key, interface("container_addresses", gateway), existing or {}
        )
    except Problem as problem:
        raise AnsibleFilterError(str(problem)) from None
    return {name: str(address) for name, address in found.items()}


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"container_addresses": container_addresses}
