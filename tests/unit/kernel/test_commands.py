# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands that a task shows do what the task would: by whichever iproute2 is here."""

from __future__ import annotations

import subprocess

from ansible_collections.linuxnet.vnet.plugins.module_utils import engine
from ansible_collections.linuxnet.vnet.plugins.module_utils.desired import Want, link_want, port_want
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.bridge import BRIDGE
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.veth import VETH
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.vxlan import VXLAN
from ansible_collections.linuxnet.vnet.tests.unit.kernel.throwaway_kernel import needs_root, on_a_new_host

pytestmark = needs_root

TUNNELS = {"name": "vx", "external": True, "vnifilter": True, "vnis": [{"vni": "7-9"}]}
THERE: tuple[Want, ...] = (
    link_want(BRIDGE, {"name": "br0"}),
    link_want(VETH, {"name": "v0", "master": "br0", "peer": {"name": "v1"}}),
    link_want(VXLAN, TUNNELS),
)
WANTED: tuple[Want, ...] = (
    port_want({"name": "v0", "hairpin": True, "proxy_arp": True, "proxy_arp_wifi": True}),
    link_want(VXLAN, {**TUNNELS, "vnis": [{"vni": "7"}]}),
)


def by_hand() -> None:
    engine.run(THERE)
    for command in engine.run(WANTED, check=True).operations:
        subprocess.run(command, shell=True, check=True)  # that is what they are for
    assert not engine.run(WANTED).changed


def test_who_carries_the_commands_out_leaves_nothing_to_do() -> None:
    on_a_new_host(by_hand)
