# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""What the phases on links need to know of stacks: devices on devices, in which order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .desired import LinkWant
from .planner import Planner
from .state import Key, key_text


def prefix(want: LinkWant) -> str:
    """What an error about the want begins with."""
    return f"{want.where}: " if want.where else ""


def check_lower(planner: Planner, want: LinkWant, place: str, lower: str | None) -> None:
    """Note a namespace or a device that a new device would stand on, and that is missing."""
    if place != want.netns:
        planner.netns_exists(want.where, place, "link_netns")
    if lower and planner.model.link((place, lower)) is None:
        planner.lack(want.where, f"{want.kind.lower}: there is no device {key_text((place, lower))}")


def ends(planner: Planner, want: LinkWant) -> list[tuple[Key, Mapping[str, Any]]]:
    """The devices of a want that are there, each with what is asked of it."""
    found: list[tuple[Key, Mapping[str, Any]]] = [(want.key, want.options)]
    link = planner.model.link(want.key)
    if want.peer and link and link.peer:
        found.append((link.peer, want.peer.options))
    return found


def from_below(planner: Planner) -> list[LinkWant]:
    """The links that should be there, in the order of their stacking.

    What stands on another comes after that, and a bridge after its ports; all else comes before bridges.
    """
    waiting = {want.key: want for want in planner.links if not want.absent}
    ports: dict[Key, list[Key]] = {}
    for want in waiting.values():
        for key, options in ends(planner, want):
            if options.get("master"):
                ports.setdefault((key[0], options["master"]), []).append(want.key)
        ports.setdefault(want.key, []).extend((want.netns, port) for port in want.options.get("ports", ()))
    order: list[LinkWant] = []

    def place(want: LinkWant) -> None:
        del waiting[want.key]
        link = planner.model.link(want.key)
        for key in [link.below if link else None, *ports.get(want.key, ())]:
            if key in waiting:
                place(waiting[key])
        order.append(want)

    for want in sorted(waiting.values(), key=lambda want: want.kind.has_ports):
        if want.key in waiting:
            place(want)
    return order
