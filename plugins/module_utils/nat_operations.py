# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""The operations on address translations. Each is one transaction of nft."""

from __future__ import annotations

from dataclasses import dataclass

from . import nat_table, operations
from .state import Nat, State
from .values import quoted


def nft(netns: str, *words: str) -> str:
    """Join words to a command line of nft, in a namespace where one is named."""
    return " ".join([*(["ip", "netns", "exec", quoted(netns)] if netns else []), "nft", *words])


@dataclass(frozen=True)
class NatReplace(operations.Operation):
    """Make the table of an address translation, in place of that which is there. `replaces`: whether one is."""

    nat: Nat
    replaces: bool = False

    def simulate(self, model: State) -> None:
        model.nats[self.nat.key] = self.nat

    def inverse(self, model: State) -> tuple[operations.Operation, ...]:
        old = model.nats.get(self.nat.key)
        return (NatReplace(old, True),) if old else (NatDelete(self.nat.netns, self.nat.name),)

    def command(self) -> str:
        # Of a table that somebody changed we have no words: only undoing puts such a one back.
        text = (
            f"# table inet {nat_table.table_name(self.nat.name)} as it was"
            if self.nat.altered
            else nat_table.text_of(self.nat)
        )
        before = f"delete table inet {nat_table.table_name(self.nat.name)}; " if self.replaces else ""
        return nft(self.nat.netns, quoted(before + text))


@dataclass(frozen=True)
class NatDelete(operations.Operation):
    """Delete the table of an address translation."""

    netns: str
    name: str

    def simulate(self, model: State) -> None:
        model.nats[self.netns, self.name] = None

    def inverse(self, model: State) -> tuple[operations.Operation, ...]:
        old = model.nats.get((self.netns, self.name))
        return (NatReplace(old),) if old else ()

    def command(self) -> str:
        return nft(self.netns, "delete table inet", quoted(nat_table.table_name(self.name)))
