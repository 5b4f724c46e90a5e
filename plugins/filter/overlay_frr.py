# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: overlay_frr
short_description: Say what FRR has to be told when a block of its file changes
version_added: "0.1.0"
description:
  - Compares a marked block in the file that FRR reads with what it is to become, and makes commands of the difference for FRR that runs.
    What else is in the file, and what FRR was told otherwise, is left alone. The role P(linuxnet.vnet.vxlan_overlay#role) uses it.
  - It writes nothing, and asks nobody.
author:
  - linuxnet.vnet contributors (@linuxnet)
positional: _input
options:
  _input:
    description:
      - What is in the file that FRR reads.
    type: str
    required: true
  name:
    description:
      - The name of the topology, which is in the marks of the block after C(! BEGIN linuxnet.vnet) and C(! END linuxnet.vnet).
    type: str
    required: true
  block:
    description:
      - What is to be between the marks; V("") for no block at all.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Say what FRR would be told when the block goes
  ansible.builtin.debug:
    msg: "{{ lookup('ansible.builtin.file', '/etc/frr/frr.conf') | linuxnet.vnet.overlay_frr(name='vxlan_overlay-vxlan_overlay_hosts') }}"
"""

RETURN = r"""
_value:
  description:
    - Lists of commands, each for the mode that C(configure terminal) begins. The last of them is the block; each before it takes
      back one thing, which may be gone already. None where the block is so already.
  type: list
  elements: list
"""

from collections.abc import Callable
from typing import Any

from ..plugin_utils.overlay_bgp import changes


def overlay_frr(text: str, *, name: str, block: str = "") -> list[list[str]]:
    return changes(text, name, block)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"overlay_frr": overlay_frr}
