# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""The operations on the VNIs that a VXLAN device with a VNI filter takes."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from dataclasses import dataclass, replace

from . import operations
from .rows import tool
from .state import Link, State, Vni, vni_spans
from .values import quoted


@dataclass(frozen=True)
class VniAdd(operations.Operation):
    """Let a device take a VNI, or all up to `last`; one that it takes gets this remote. The kernel can't take a remote away."""

    netns: str
    device: str
    vni: Vni
    last: int = 0

    @property
    def numbers(self) -> Collection[int]:
        return range(self.vni.vni, max(self.last, self.vni.vni) + 1)

    def simulate(self, model: State) -> None:
        link = model.links.get((self.netns, self.device))
        if link:
            kept = [vni for vni in link.vnis if vni.vni not in self.numbers]
            new = [self.vni._replace(vni=number) for number in self.numbers]
            model.put(replace(link, vnis=tuple(sorted(kept + new))))

    def inverse(self, model: State) -> tuple[operations.Operation, ...]:
        link = model.links.get((self.netns, self.device))
        before = [vni for vni in link.vnis if vni.vni in self.numbers] if link else []
        gone = [Vni(number) for number in self.numbers]
        return (
            *(VniDelete(self.netns, self.device, vni, last) for vni, last in vni_spans(gone)),
            *(VniAdd(self.netns, self.device, vni, last) for vni, last in vni_spans(before)),
        )

    def command(self) -> str:
        return vni_command(self, "add")


@dataclass(frozen=True)
class VniDelete(operations.Operation):
    """Let a device take a VNI no more, or all up to `last`."""

    netns: str
    device: str
    vni: Vni
    last: int = 0

    @property
    def numbers(self) -> Collection[int]:
        return range(self.vni.vni, max(self.last, self.vni.vni) + 1)

    def simulate(self, model: State) -> None:
        link = model.links.get((self.netns, self.device))
        if link:
            model.put(replace(link, vnis=tuple(vni for vni in link.vnis if vni.vni not in self.numbers)))

    def inverse(self, model: State) -> tuple[operations.Operation, ...]:
        link = model.links.get((self.netns, self.device))
        gone = [vni for vni in link.vnis if vni.vni in self.numbers] if link else []
        return tuple(VniAdd(self.netns, self.device, vni, last) for vni, last in vni_spans(gone))

    def command(self) -> str:
        return vni_command(self, "delete")


def vni_command(op: VniAdd | VniDelete, verb: str) -> str:
    """Write a command line of bridge(8) about VNIs."""
    vni = str(op.vni.vni) if op.last <= op.vni.vni else f"{op.vni.vni}-{op.last}"
    remote = op.vni.remote
    word = "group" if remote and ipaddress.ip_address(remote).is_multicast else "remote"
    words = f"{word} {remote}" if remote and verb == "add" else ""
    return tool(f"bridge vni {verb} vni {vni}", op.netns, words, f"dev {quoted(op.device)}")


def put_vnis_back(before: Link) -> tuple[operations.Operation, ...]:
    """What gives a device that was made anew its VNIs again."""
    return tuple(VniAdd(before.netns, before.name, vni, last) for vni, last in vni_spans(before.vnis))
