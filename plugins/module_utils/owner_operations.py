# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""The operations on running programs that configure an uplink: each is told that its device is another one now."""

from __future__ import annotations

from dataclasses import dataclass

from . import operations
from .state import State
from .values import quoted


@dataclass(frozen=True)
class NetworkdRestart(operations.Operation):
    """Let systemd-networkd begin anew with its files, and wait till it has configured these devices.

    Not a reload: with that it would release the DHCP lease of a device whose file changes, and the bridge might get
    another address. When it is restarted it releases none, and the bridge asks for the same one by the same identifier.
    Whoever writes its files has to see to it that undoing ends with this, too. `netplan`: its files are written by netplan.
    """

    devices: tuple[str, ...]
    netplan: bool = False

    def simulate(self, model: State) -> None:
        pass

    def inverse(self, model: State) -> tuple[operations.Operation, ...]:
        return ()

    def command(self) -> str:
        return f"{'netplan generate && ' if self.netplan else ''}systemctl restart systemd-networkd.service"


Profiles = tuple[tuple[str, str], ...]
"""Devices, each with the uuid of the profile by which NetworkManager configures it, "" for none."""

Leases = tuple[tuple[str, str], ...]
"""Files of NetworkManager's DHCP client, each with where it is to be copied to."""


@dataclass(frozen=True)
class NetworkManagerStop(operations.Operation):
    """Stop NetworkManager, which leaves its devices as they are. `devices`: what it goes on with when this is undone."""

    devices: Profiles

    def simulate(self, model: State) -> None:
        pass

    def inverse(self, model: State) -> tuple[operations.Operation, ...]:
        return (NetworkManagerStart(self.devices),)

    def command(self) -> str:
        return "systemctl stop NetworkManager.service"


@dataclass(frozen=True)
class NetworkManagerStart(operations.Operation):
    """Start NetworkManager so that it goes on with these devices as they are, and asks for the leases that they have.

    Not a restart: with that it would see what happens to its devices before, and mend it.
    """

    devices: Profiles
    leases: Leases = ()

    def simulate(self, model: State) -> None:
        pass

    def inverse(self, model: State) -> tuple[operations.Operation, ...]:
        return (NetworkManagerStop(()),)

    def command(self) -> str:
        return "systemctl start NetworkManager.service"


@dataclass(frozen=True)
class NetworkManagerReload(operations.Operation):
    """Let NetworkManager read its profiles again. Whoever moves them has to see to it that undoing ends with this, too."""

    def simulate(self, model: State) -> None:
        pass

    def inverse(self, model: State) -> tuple[operations.Operation, ...]:
        return ()

    def command(self) -> str:
        return "nmcli connection reload"


@dataclass(frozen=True)
class DhcpMove(operations.Operation):
    """Let the DHCP client that ifupdown started on one device go on on another one, with the same lease."""

    device: str
    to: str

    def simulate(self, model: State) -> None:
        pass

    def inverse(self, model: State) -> tuple[operations.Operation, ...]:
        return (DhcpMove(self.to, self.device),)

    def command(self) -> str:
        old, new = (quoted(f"/var/lib/dhcp/dhclient.{name}.leases") for name in (self.device, self.to))
        return (
            f"pkill -KILL -F /run/dhclient.{quoted(self.device)}.pid && sed s/{quoted(self.device)}/{quoted(self.to)}/ {old} > {new}"
            f" && dhclient -pf /run/dhclient.{quoted(self.to)}.pid -lf {new} {quoted(self.to)}"
        )
