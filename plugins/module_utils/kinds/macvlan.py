# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""macvlan and macvtap devices: MAC addresses of their own on another device, each for a host or a container, or with `tap` for a program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..values import Account, Bool, Choice
from .base import LINK_NETNS, PARENT, LinkKind, Option


class Mode(Option):
    """All modes but `passthru` can be exchanged in place."""

    def is_fixed(self, value: Any, found: Any) -> bool:
        return bool((value == "passthru") != (found == "passthru"))


def check(options: Mapping[str, Any], found: Mapping[str, Any] | None) -> str | None:
    """What can be said of options together."""
    for name in ("owner", "group"):
        if options.get(name) and not options.get("tap", found is None or found.get("tap")):
            return f"{name}: it is that of the file under /dev, which only a device with 'tap' has"
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
    follows=("mtu",),
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
        TAP,
        OWNER,
        GROUP,
    ),
)
