# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who configures a device, told from files and processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils.owners import Owner, owner_of, serves
from ansible_collections.linuxnet.vnet.plugins.module_utils.read_uplink import minds
from ansible_collections.linuxnet.vnet.plugins.module_utils.state import Setup

if TYPE_CHECKING:
    from pathlib import Path

HERE, ELSEWHERE = "net:[1]", "net:[2]"
NETPLAN = "/run/systemd/network/10-netplan-eth0.network"


class Root:
    """The files of a host."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.number = 100
        self.process("thread-self", "python3", HERE)

    def process(self, number: str, command: str, netns: str = HERE) -> None:
        folder = self.path / "proc" / number
        (folder / "ns").mkdir(parents=True)
        (folder / "ns" / "net").symlink_to(netns)
        words = command.split()
        (folder / "comm").write_text(words[0][:15] + "\n")
        (folder / "cmdline").write_text("\0".join(words) + "\0")

    def runs(self, command: str, netns: str = HERE) -> None:
        self.number += 1
        self.process(str(self.number), command, netns)

    def has(self, path: str, content: str) -> None:
        file = self.path / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)

    @property
    def owner(self) -> Owner | None:
        return owner_of("eth0", 2, str(self.path))


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return Root(tmp_path)


def test_a_host_on_which_nobody_does(root: Root) -> None:
    assert root.owner is None


def test_networkd(root: Root) -> None:
    root.runs("systemd-networkd")
    root.has("/run/systemd/netif/links/2", "ADMIN_STATE=configured\nNETWORK_FILE=/etc/systemd/network/lan.network\n")
    assert root.owner == Owner("systemd-networkd", False, "/etc/systemd/network/lan.network")
    root.has("/run/systemd/netif/leases/2", "ADDRESS=10.0.0.5\n")
    assert root.owner == Owner("systemd-networkd", True, "/etc/systemd/network/lan.network")


def test_netplan_over_networkd(root: Root) -> None:
    root.runs("systemd-networkd")
    root.has("/run/systemd/netif/links/2", f"ADMIN_STATE=configured\nNETWORK_FILE={NETPLAN}\n")
    assert root.owner == Owner("netplan", False, NETPLAN)


@pytest.mark.parametrize("state", ["ADMIN_STATE=unmanaged\n", ""])
def test_networkd_without_a_say(root: Root, state: str) -> None:
    root.runs("systemd-networkd")
    root.has("/run/systemd/netif/links/2", state)
    assert root.owner is None


def test_networkd_in_another_namespace(root: Root) -> None:
    root.runs("systemd-networkd", ELSEWHERE)
    root.has("/run/systemd/netif/links/2", "ADMIN_STATE=configured\n")
    assert root.owner is None


def test_files_of_a_networkd_that_does_not_run(root: Root) -> None:
    root.has("/run/systemd/netif/links/2", "ADMIN_STATE=configured\n")
    assert root.owner is None


def test_network_manager(root: Root) -> None:
    root.runs("NetworkManager --no-daemon")
    root.has("/run/NetworkManager/devices/2", "[device]\nmanaged=true\n")
    assert root.owner == Owner("NetworkManager")
    root.has("/run/NetworkManager/devices/2", "[device]\nmanaged=false\n")
    assert root.owner is None


@pytest.mark.parametrize(
    "command",
    [
        "dhclient -4 -v -i -pf /run/dhclient.eth0.pid -lf /var/lib/dhcp/dhclient.eth0.leases eth0",
        "dhclient",
        "udhcpc -i eth0",
        "dhcpcd eth0 [ip4]",
    ],
)
def test_dhcp_clients(root: Root, command: str) -> None:
    root.runs(command)
    found = root.owner
    assert found is not None
    assert found.dhcp


def test_a_dhcp_client_on_another_device(root: Root) -> None:
    root.runs("dhclient -4 lo")
    assert root.owner is None
    assert not serves(("udhcpc", "-i", "lo"), "eth0")
    assert serves(("dhcpcd: eth0 [ip4]",), "eth0")


def test_ifupdown(root: Root) -> None:
    root.has("/run/network/ifstate", "lo=lo\neth0=eth0\n")
    assert root.owner == Owner("ifupdown", file="/etc/network/interfaces")


CANT = Setup("x", unfit="its configuration can't be rewritten yet")


@pytest.mark.parametrize(
    ("owner", "setup", "says"),
    [
        (None, CANT, ""),
        (Owner("ifupdown", file="/etc/network/interfaces"), Setup("ifupdown"), ""),
        (
            Owner("systemd-networkd", True, "/etc/systemd/network/lan.network"),
            Setup("systemd-networkd"),
            (
                "systemd-networkd configures eth0 (/etc/systemd/network/lan.network) and would lose its DHCP lease there:"
                " add 'persist: true', by which systemd-networkd is told of the bridge"
            ),
        ),
        (
            Owner("dhclient", dhcp=True),
            Setup("ifupdown"),
            (
                "dhclient configures eth0 and would lose its DHCP lease there:"
                " add 'persist: true', by which ifupdown is told of the bridge"
            ),
        ),
        *(
            (
                Owner(program, dhcp),
                CANT,
                f"{program} configures eth0 and {then}: have it make the bridge itself, or leave eth0 alone",
            )
            for program in ("NetworkManager", "netplan", "dhcpcd", "dhclient", "udhcpc")
            for dhcp, then in (
                (True, "would lose its DHCP lease there"),
                (False, "would put its addresses back there"),
            )
        ),
    ],
)
def test_what_an_owner_minds_is_said_with_the_way_out(owner: Owner | None, setup: Setup, says: str) -> None:
    assert minds(owner, "eth0", setup) == says
