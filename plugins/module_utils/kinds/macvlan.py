# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""macvlan and macvtap devices: MAC addresses of their own on another device, each for a host or a container, or with `tap` for a program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..values import Account, Bool, Choice, Int, ListOf, Mac
from .base import LINK_NETNS, PARENT, Attributes, LinkKind, Option


class Mode(Option):
    """All modes but `passthru` can be exchanged in place."""

    def is_fixed(self, value: Any, found: Any) -> bool:
        return bool((value == "passthru") != (found == "passthru"))

    def costs(self, value: Any) -> Mapping[str, Any]:
        return {} if value == "source" else {"macaddrs": ()}


class Sources(Option):
    """The MAC addresses from which it takes frames. A request has all of them, and says that it has (MACVLAN_MACADDR_SET)."""

    def read(self, attrs: Mapping[str, Any]) -> Any:
        found = attrs.get(self.attr) or {"attrs": ()}
        return tuple(sorted(slot[1].lower() for slot in found["attrs"]))

    def write(self, value: Any, found: Mapping[str, Any]) -> Attributes:
        if not value and not found.get(self.name):
            return []
        listed = [("IFLA_MACVLAN_MACADDR", mac) for mac in value]
        return [("IFLA_MACVLAN_MACADDR_MODE", 3), (self.attr, {"attrs": listed})]

    def words(self, value: Any) -> str:
        return f"macaddr set {' '.join(value)}" if value else ""

    def change_words(self, value: Any, found: Mapping[str, Any]) -> str:
        return self.words(value) or "macaddr flush"


def check(options: Mapping[str, Any], found: Mapping[str, Any] | None) -> str | None:
    """What can be said of options together."""
    for name in ("owner", "group"):
        if options.get(name) and not options.get("tap", found is None or found.get("tap")):
            return f"{name}: it is that of the file under /dev, which only a device with 'tap' has"
    if options.get("macaddrs") and found is not None and {"mode": "vepa", **found, **options}["mode"] != "source":
        return "macaddrs: only a device in the mode 'source' chooses by the sender"
    return None


TAP = Option("tap", Bool(), level="kind", mutable=False, initial=False)
OWNER = Option("owner", Account(), level="node", initial="root")
GROUP = Option("group", Account(group=True), level="node", initial="")

MACVLAN = LinkKind(
    name="macvlan",
    module="vnet_macvlan",
    plural="macvlans",
    needed=("parent",),
    lower="parent",
    flat=True,
    exclusive=True,
    follows=("mtu",),
    same_mac=lambda attrs: attrs.get("mode") == "passthru",
    tap_info="macvtap",
    # Its parent may get its own MTU in the same run; and in passthru mode the creating request makes the MAC its parent's.
    late=("alias", "mtu", "mac"),
    check=check,
    options=(
        PARENT,
        LINK_NETNS,
        Mode(
            "mode",
            Choice({"private": 1, "vepa": 2, "bridge": 4, "passthru": 8, "source": 16}),
            "IFLA_MACVLAN_MODE",
            initial="vepa",
        ),
        Sources("macaddrs", ListOf(Mac()), "IFLA_MACVLAN_MACADDR_DATA", initial=()),
        Option("bcqueuelen", Int(1, 4294967295), "IFLA_MACVLAN_BC_QUEUE_LEN", since="5.11", initial=1000),
        TAP,
        OWNER,
        GROUP,
    ),
)
