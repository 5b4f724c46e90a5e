# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""What the phases on links need to know of stacks: devices on devices, in which order, and what they share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from . import desired, errors
from .kinds import kind_of
from .later import Later
from .planner import Planner
from .state import Key, Link, key_text

if TYPE_CHECKING:
    from . import link_operations, node_operations, plan_topology
else:
    node_operations, link_operations = Later("node_operations"), Later("link_operations")
    plan_topology = Later("plan_topology")


def prefix(want: desired.LinkWant) -> str:
    """What an error about the want begins with."""
    return f"{want.where}: " if want.where else ""


def check_siblings(planner: Planner) -> None:
    """Refuse devices that can't be as wanted side by side, as some of their options are their parent's (ipvlan)."""
    seen: dict[tuple[Key, str], tuple[str, Any]] = {}
    for want in planner.links:
        for name in () if want.absent else want.kind.shared:
            link = planner.model.link(want.key)
            place = want.options.get("link_netns", link.get("link_netns") if link else want.netns)
            parent = want.options.get(want.kind.lower, link.get(want.kind.lower) if link else None)
            if name in want.options and parent:
                where, value = seen.setdefault(((place, parent), name), (want.where, want.options[name]))
                if value != want.options[name]:
                    raise errors.Refused(
                        f"{prefix(want)}{name}: all {want.kind.name} devices on {key_text((place, parent))} have one,"
                        f" and in {where} it is {value!r}"
                    )


def check_macs(planner: Planner) -> None:
    """Refuse two MACs for a device and the one under it where both have the same (macvlan's passthru)."""
    asked: dict[Key, tuple[str, str]] = {}
    for want in planner.links:
        for key, options in ((want.key, want.options), (want.peer_key, want.peer.options if want.peer else {})):
            if key and "mac" in options and not want.absent:
                asked[key] = (want.where, options["mac"])
    for want in planner.links if len(asked) > 1 else ():
        link = planner.model.link(want.key)
        attrs = {**(link.attrs if link else {}), **want.new, **want.options}
        place = attrs.get("link_netns")  # "" is a namespace, too: the host's
        lower = (want.netns if place is None else place, attrs.get(want.kind.lower) or "")
        if want.key in asked and want.kind.same_mac(attrs) and lower in asked:
            where, mac = asked[lower]
            if mac != want.options["mac"]:
                raise errors.Refused(
                    f"{prefix(want)}mac: in this mode it is that of {key_text(lower)}, and in {where} that is {mac}"
                )


def check_lower(planner: Planner, want: desired.LinkWant, place: str, lower: str | None) -> None:
    """Note a namespace or a device that a new device would stand on, and that is missing."""
    if place != want.netns:
        planner.netns_exists(want.where, place, "link_netns")
    under = planner.model.link((place, lower)) if lower else None
    if lower and under is None:
        planner.lack(want.where, f"{want.kind.lower}: there is no device {key_text((place, lower))}")
    if want.kind.flat and under and kind_of(under.kind) is want.kind:
        what = f"{key_text(under.key)} is a {want.kind.name} device itself"
        instead = key_text(under.below) if under.below else "what is under that"
        raise errors.Refused(
            f"{prefix(want)}{want.kind.lower}: {what}, and the kernel would take {instead} instead: name that"
        )
    if under and lower and want.kind.lower == "parent":
        check_parent(want, under)
    if under and under.get("master"):
        free(planner, want, under)


def check_parent(want: desired.LinkWant, under: Link) -> None:
    """Refuse a parent that the kernel refuses: none of Ethernet."""
    if under.kind == "loopback" or not kind_of(under.kind).carries_frames(under.attrs):
        raise errors.Refused(
            f"{prefix(want)}{want.kind.lower}: {key_text(under.key)} carries no Ethernet frames, which a {want.kind.name} device is about"
        )


def identity(link: Link | None, want: desired.LinkWant | None = None) -> tuple[Any, ...]:
    """By which the kernel tells a device from all others of its kind, once it is as wanted; () where it is by its name alone."""
    kind = want.kind if want else kind_of(link.kind) if link else None
    if kind is None or not kind.unique:
        return ()
    netns = want.netns if want else link.netns if link else ""
    attrs = {"link_netns": netns, **(link.attrs if link else {}), **(want.options if want else {})}
    return (attrs["link_netns"], *(attrs.get(name) for name in kind.unique))


def free(planner: Planner, want: desired.LinkWant, under: Link) -> None:
    """Take a device off its bridge already now, where it can't carry what is wanted before; refuse that where it stays."""
    bridge = (under.netns, under.get("master") or "")
    found = planner.model.link(bridge)
    if not (want.kind.exclusive and found and kind_of(found.kind).holds_ports):
        return
    if not leaves(planner, under.key, bridge):
        raise errors.Refused(
            f"{prefix(want)}{want.kind.lower}: {key_text(under.key)} is a port of {key_text(bridge)}, and a {want.kind.name}"
            " device takes its frames as well: it can be one of the two"
        )
    planner.do(link_operations.LinkSet(*under.key, under.kind, {"master": ""}))


def leaves(planner: Planner, port: Key, bridge: Key) -> bool:
    """Whether a port will be none of this bridge any more: by its own want, by the bridge's, or as the bridge goes."""
    if planner.uplink_record(bridge).uplink == port[1]:
        return False  # it gets back what it has given, and later: see plan_uplink.py
    for want in planner.links:
        for key, options in [] if want.absent else ends(planner, want):
            if key == port and options.get("master", bridge[1]) != bridge[1]:
                return True
        if want.key == bridge and "ports" in want.options and "ports" not in want.append:
            return port[1] not in want.options["ports"] and port[1] != want.options.get("uplink")
    return planner.topology is not None and bridge in plan_topology.bridges_going(planner)


def ends(planner: Planner, want: desired.LinkWant) -> list[tuple[Key, Mapping[str, Any]]]:
    """The devices of a want that are there, each with what is asked of it."""
    found: list[tuple[Key, Mapping[str, Any]]] = [(want.key, want.options)]
    link = planner.model.link(want.key)
    if want.peer and link and link.peer:
        found.append((link.peer, want.peer.options))
    return found


def from_below(planner: Planner) -> list[desired.LinkWant]:
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
    order: list[desired.LinkWant] = []

    def place(want: desired.LinkWant) -> None:
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


def storeys(planner: Planner) -> list[list[desired.LinkWant]]:
    """The links that should be there, those on new bridges behind the ports of these."""
    wants = {key: want for want in planner.links if not want.absent for key in (want.key, want.peer_key) if key}
    new = {key for key, want in wants.items() if want.kind.holds_ports and planner.before.link(key) is None}
    ports: dict[Key, list[Key]] = {}
    for key, want in wants.items() if new else ():
        options = want.options if key == want.key or not want.peer else want.peer.options
        ports.setdefault((key[0], options.get("master") or ""), []).append(key)
        ports.setdefault(key, []).extend((key[0], name) for name in options.get("ports", ()))
    heights: dict[Key, int] = {}

    def height(key: Key) -> int:
        if key in wants and key not in heights:
            heights[key] = 0  # should it come round to itself
            want = wants[key]
            lower = want.options.get(want.kind.lower) if want.kind.lower and new else None
            below = (want.options.get("link_netns", want.netns), lower or "")
            on_ports = max(map(height, ports.get(below, ())), default=0) + 1 if below in new else 0
            heights[key] = max(height(below), on_ports)
        return heights.get(key, 0)

    found: dict[int, list[desired.LinkWant]] = {}
    for want in planner.links:
        if not want.absent:
            found.setdefault(height(want.key), []).append(want)
    return [found[number] for number in sorted(found)]


def open_node(planner: Planner, want: desired.LinkWant) -> None:
    """Let those who are named open the file of a tap device."""
    link = planner.model.link(want.key)
    if link is None or not link.get("tap"):
        return
    has = {"owner": link.get("owner") or "root", "group": link.get("group") or ""}
    asked = {name: want.options[name] for name in has if name in want.options}
    asked["owner"] = asked.get("owner", has["owner"]) or "root"
    missing = not link.get("file") and not (planner.model.has_devtmpfs and not link.index)
    if missing or any(value != has[name] for name, value in asked.items()):
        planner.do(node_operations.NodeSet(*want.key, **{**has, **asked}, make=missing))
