# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""VLAN devices (IEEE 802.1Q): the frames of one VLAN on another device, without their tag."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..values import BadValue, Bool, Choice, Int, ListOf, Type
from .base import LINK_NETNS, PARENT, Attributes, BitOption, LinkKind, Option

FLAGS = "IFLA_VLAN_FLAGS"
"""Its bits are VLAN_FLAG_* in linux/if_vlan.h."""


class Priority(Type):
    """A priority that becomes another one, as iproute2 writes it: `3:5`. A VLAN has eight of them, the kernel 32 bits."""

    def __init__(self, outward: bool) -> None:
        self.most = (2**32 - 1, 7) if outward else (7, 2**32 - 1)

    def parse(self, value: Any) -> str:
        if isinstance(value, int):
            raise BadValue(f"{value!r} is a number, which is what YAML makes of 3:5 and the like: quote it")
        words = re.fullmatch(r"\s*([0-9]+):([0-9]+)\s*", str(value))
        if not words:
            raise BadValue(f"{value!r} is not a priority that becomes another one, such as '3:5'")
        return ":".join(str(Int(0, most).parse(word)) for word, most in zip(words.groups(), self.most))


class Priorities(ListOf):
    """Several of them; canonical is sorted, without what becomes 0, as all does that is not listed."""

    def parse(self, value: Any) -> Sequence[Any]:
        found: dict[int, int] = {}
        for before, after in map(numbers, super().parse(value)):
            if before in found:
                raise BadValue(f"{before} becomes {found[before]} and {after}, and can only become one of them")
            found[before] = after
        return tuple(f"{before}:{after}" for before, after in sorted(found.items()) if after)

    def joined(self, found: Sequence[Any], value: Sequence[Any]) -> Sequence[Any]:
        both = {**dict(map(numbers, found)), **dict(map(numbers, value))}
        return tuple(f"{before}:{after}" for before, after in sorted(both.items()))


def numbers(pair: str) -> tuple[int, int]:
    """The two priorities of a pair."""
    before, _colon, after = pair.partition(":")
    return int(before), int(after)


class PriorityMap(Option):
    """A map of priorities. A request changes those that it names, so that those which go have to be named, too."""

    def read(self, attrs: Mapping[str, Any]) -> Any:
        found = attrs.get(self.attr) or {"attrs": ()}
        pairs = sorted((slot[1]["from"], slot[1]["to"]) for slot in found["attrs"])
        return tuple(f"{before}:{after}" for before, after in pairs)

    def pairs(self, value: Any, found: Mapping[str, Any]) -> list[str]:
        """What changes a device that has `found` into one with `value`."""
        gone = dict(map(numbers, found.get(self.name) or ())).keys() - dict(map(numbers, value)).keys()
        return [*(f"{before}:0" for before in sorted(gone)), *value]

    def write(self, value: Any, found: Mapping[str, Any]) -> Attributes:
        pairs = map(numbers, self.pairs(value, found))
        maps = [("IFLA_VLAN_QOS_MAPPING", {"from": before, "to": after}) for before, after in pairs]
        return [(self.attr, {"attrs": maps})] if maps else []

    def words(self, value: Any) -> str:
        return self.change_words(value, {})

    def change_words(self, value: Any, found: Mapping[str, Any]) -> str:
        pairs = self.pairs(value, found)
        return " ".join([self.name.replace("_", "-"), *pairs]) if pairs else ""


def flag(name: str, bit: int, initial: bool = False) -> Option:
    """One of the flags."""
    return BitOption(name, Bool(), FLAGS, cli=f"{name} on|{name} off", bit=bit, initial=initial)


VLAN = LinkKind(
    name="vlan",
    module="vnet_vlan",
    plural="vlans",
    unique=("parent", "vid"),
    needed=("parent", "vid"),
    lower="parent",
    follows=("admin_state", "mtu"),
    loose="loose_binding",
    # Its parent may get its own MTU in the same run.
    late=("alias", "mtu"),
    options=(
        PARENT,
        LINK_NETNS,
        Option(
            "protocol",
            Choice({"802.1q": 0x8100, "802.1ad": 0x88A8}),
            "IFLA_VLAN_PROTOCOL",
            mutable=False,
            initial="802.1q",
        ),
        Option("vid", Int(0, 4094), "IFLA_VLAN_ID", cli="id {}", mutable=False),
        flag("reorder_hdr", 0, initial=True),
        flag("gvrp", 1),
        flag("mvrp", 3),
        flag("loose_binding", 2),
        flag("bridge_binding", 4),
        PriorityMap("ingress_qos_map", Priorities(Priority(outward=False)), "IFLA_VLAN_INGRESS_QOS", initial=()),
        PriorityMap("egress_qos_map", Priorities(Priority(outward=True)), "IFLA_VLAN_EGRESS_QOS", initial=()),
    ),
)
