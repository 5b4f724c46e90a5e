# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What others have set on a device, or beside it, is there again once a run was undone, or the device made anew."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils import engine
from ansible_collections.linuxnet.vnet.plugins.module_utils.apply import Failed
from ansible_collections.linuxnet.vnet.plugins.module_utils.desired import Want, link_want
from ansible_collections.linuxnet.vnet.plugins.module_utils.errors import VnetError
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.link import LINK
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.vxlan import VXLAN
from ansible_collections.linuxnet.vnet.tests.unit.kernel.throwaway_kernel import ip, needs_root, on_a_new_host

if TYPE_CHECKING:
    from ansible_collections.linuxnet.vnet.plugins.module_utils.plan import Plan

pytestmark = needs_root

A_LINK = (
    "netns add away",
    "link add v0 type veth peer name v1",
    "link set v0 up",
    "link set v1 up",
    "address add 10.0.0.1/24 dev v0",
    "address add 2001:db8::1/64 dev v0 nodad",
    "address add 2001:db8:1::1/64 dev v1 nodad",
)
GOES_DOWN = link_want(LINK, {"name": "v0", "admin_state": "down"})
HAS_NO_IPV6 = link_want(LINK, {"name": "v0", "mtu": 1000})
MOVES = link_want(LINK, {"name": "v0", "netns": "away"})


def made(*commands: str) -> None:
    for command in commands:
        ip("", *command.split())


def shown(command: str) -> list[str]:
    """The lines of a command's output, in the order of the alphabet."""
    done = subprocess.run(command.split(), check=True, capture_output=True, text=True)
    return sorted(line.strip() for line in done.stdout.splitlines())


def broken_off(want: Want) -> None:
    """Let a run do all that it takes, and fail then."""

    def fail(_left: Plan) -> None:
        raise VnetError("the end")

    engine.check_done = fail  # type: ignore[assignment]  # it goes with the process of the test
    with pytest.raises(Failed, match="the end; the host is as it was before"):
        engine.run((want,))


def link_local(device: str) -> list[str]:
    return [line.split()[3] for line in shown(f"ip -6 -o address show dev {device} scope link")]


def undone_with_its_own_link_local_address(want: Want) -> None:
    made(*A_LINK, "address add fe80::1/64 dev v0 nodad")
    before = link_local("v0")
    assert len(before) == 2
    broken_off(want)
    assert link_local("v0") == before


@pytest.mark.parametrize("want", [GOES_DOWN, HAS_NO_IPV6, MOVES], ids=["down", "mtu", "move"])
def test_a_link_local_address_that_somebody_gave_is_back(want: Want) -> None:
    on_a_new_host(undone_with_its_own_link_local_address, want)


def anew_with_its_own_link_local_address() -> None:
    engine.run((link_want(VXLAN, {"name": "vx", "vni": 5, "addresses": ["fe80::1/64"]}),))
    before = link_local("vx")
    assert len(before) == 2
    engine.run((link_want(VXLAN, {"name": "vx", "vni": 6, "recreate": True}),))
    assert link_local("vx") == before


def test_a_device_that_is_made_anew_keeps_its_link_local_address() -> None:
    on_a_new_host(anew_with_its_own_link_local_address)
