# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users are warned of although nothing failed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils.desired import link_want
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.bridge import BRIDGE
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.link import LINK
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.veth import VETH
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.vrf import VRF
from ansible_collections.linuxnet.vnet.plugins.module_utils.plan import plan
from ansible_collections.linuxnet.vnet.plugins.module_utils.state import Addr, Link, State
from ansible_collections.linuxnet.vnet.plugins.module_utils.sysctl import NEIGHBOR_ROOM
from ansible_collections.linuxnet.vnet.plugins.module_utils.topology import topology_wants
from ansible_collections.linuxnet.vnet.plugins.module_utils.warn import warnings_for

if TYPE_CHECKING:
    from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.base import LinkKind


def warned(containers: int, addresses: list[str], room: str | None = None) -> list[str]:
    """What is said of so many containers; `room`: what gc_thresh3 of IPv4 is, None where it can't be read."""
    names = [f"c{number}" for number in range(containers)]
    topology, wants = topology_wants(
        {
            "name": "t",
            "namespaces": [{"name": name} for name in names],
            "veths": [
                {
                    "name": name,
                    "peer": {
                        "name": "eth0",
                        "netns": name,
                        "addresses": [text.format(number // 250, number % 250 + 1) for text in addresses],
                    },
                }
                for number, name in enumerate(names)
            ],
        }
    )
    state = State(sysctls={("", NEIGHBOR_ROOM[4]): room} if room else {})
    made = plan(state, wants, topology)
    # Who was told once need not hear it on every run.
    assert warnings_for(plan(made.after, wants, topology), wants) == []
    return warnings_for(made, wants)


@pytest.mark.parametrize(
    ("containers", "room", "said"),
    [(40, "100", False), (46, "100", True), (46, "1000", False), (460, None, False), (470, None, True)],
)
def test_more_neighbours_than_the_kernel_remembers(containers: int, room: str | None, said: bool) -> None:
    assert [NEIGHBOR_ROOM[4] in warning for warning in warned(containers, ["10.1.{}.{}/8"], room)] == [True] * said


def test_a_warning_about_neighbours_names_the_setting_to_make() -> None:
    (warning,) = warned(60, ["10.1.{}.{}/8"], "100")
    assert warning == (
        "60 devices with IPv4 addresses may take 120 entries of the neighbour table that all network namespaces share, which has"
        " room for 100: packets get lost when it overflows, so set the sysctl net.ipv4.neigh.default.gc_thresh3 to 240 on the host"
    )


def test_each_family_has_a_table_of_its_own() -> None:
    (warning,) = warned(480, ["fd00::{:x}:{:x}/64"], "100")
    assert warning.startswith("480 devices with IPv6 addresses may take 960 entries")
    assert "room for 1024 (the kernel's default" in warning


def nic(kind: str = "", **attrs: str) -> Link:
    addresses = (Addr("192.0.2.5/24"), Addr("fe80::1/64"), Addr("192.0.2.6/24", flags=0))
    return Link("", "eth0", kind, {"admin_state": "up", "master": "", **attrs}, addresses)


@pytest.mark.parametrize(
    ("link", "options", "said"),
    [
        (nic(), {"ports": ["eth0"]}, True),
        (nic(master="br0"), {"ports": ["eth0"], "alias": "changed"}, False),
        (nic(), {"alias": "changed"}, False),
        (replace(nic(), addresses=(Addr("fe80::1/64"),)), {"ports": ["eth0"]}, False),
    ],
)
def test_a_device_that_keeps_its_addresses_as_a_port(link: Link, options: dict[str, Any], said: bool) -> None:
    bridge = Link("", "br0", "bridge", {"admin_state": "up"})
    wants = (link_want(BRIDGE, {"name": "br0", **options}),)
    found = warnings_for(plan(State(links={link.key: link, bridge.key: bridge}), wants), wants)
    assert [
        "eth0 becomes a port of br0 and keeps its addresses (192.0.2.5/24, 192.0.2.6/24)" in one for one in found
    ] == [True] * said


@pytest.mark.parametrize(("kind", "said"), [(BRIDGE, True), (VRF, False)])
def test_the_same_from_the_port_s_side(kind: LinkKind, said: bool) -> None:
    above = Link("", "above", kind.name, {"admin_state": "up"})
    wants = (link_want(LINK, {"name": "eth0", "master": "above"}),)
    found = warnings_for(plan(State(links={nic().key: nic(), above.key: above}), wants), wants)
    assert ["with 'uplink: eth0' the bridge takes them over" in one for one in found] == [True] * said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"mtu": 1400, "peer": {"name": "v2"}}, True),
        ({"peer": {"name": "v2", "mtu": 1400}}, True),
        ({"mtu": 1400, "peer": {"name": "v2", "mtu": 1400}}, False),
        ({"mtu": 1500, "peer": {"name": "v2"}}, False),
        ({"peer": {"name": "v2"}}, False),
    ],
)
def test_a_pair_with_different_mtus(options: dict[str, Any], said: bool) -> None:
    wants = (link_want(VETH, {"name": "v1", **options}),)
    made = plan(State(), wants)
    assert ["of a pair differ in 'mtu'" in one for one in warnings_for(made, wants)] == [True] * said
    assert warnings_for(plan(made.after, wants), wants) == []
