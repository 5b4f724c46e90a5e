# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.
"""The part of the plan about bridges with an uplink that NetworkManager makes at boot.

It is stopped before anything else, and started after all else: so it sees nothing of what passes from the uplink to the
bridge, finds its devices as its profiles want them, and goes on with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import owner_ifupdown
from .errors import Refused
from .file_operations import FileRemove, FileWrite
from .operations import Operation
from .owner_networkmanager import (
    ASLEEP,
    DIRECTORY,
    SCRIPT,
    UNCONFIRMED,
    Bridge,
    Source,
    all_statics,
    asleep,
    lease,
    mode_of,
    profile,
    script,
    uuids,
    written,
)
from .owner_operations import Leases, NetworkManagerReload, NetworkManagerStart, NetworkManagerStop, Profiles
from .plan_owner import MODE, USUAL_MTU, edits_of, put, waits
from .planner import Planner, Step
from .state import Link, Setup
from .uplink import KeptUplink, kept_path, unconfirmed_path

PROGRAM = "NetworkManager"


def write(planner: Planner, uplink: str, bridge: Link, source: dict[str, Any], setup: Setup) -> None:
    """Two profiles are our own. Till they are confirmed they are where they don't outlast a boot, and no other one changes."""
    if "path" not in source:
        raise Refused(f"NetworkManager configures {uplink} by a profile that this collection wrote for another bridge")
    found, kept = source_of(source), planner.kept_uplink(bridge.key)
    try:
        texts = written(uplink, shape_of(bridge, source), found)
    except Refused as exc:
        raise Refused(f"{found.path}: {exc}") from None
    record_path, other_path = kept_path(bridge.key), unconfirmed_path(bridge.key)
    unconfirmed = waits(planner, bridge)
    if unconfirmed:
        record_path, other_path = other_path, record_path
    contents = own_files(bridge, texts, unconfirmed)
    edits: list[tuple[str, str, str | None]] = [(path, text, None) for path, text in contents.items()]
    original = planner.model.text(found.path)
    if original is not None and not unconfirmed:
        # Falls asleep last and wakes up first: there is one that begins whenever the host boots.
        awake = owner_ifupdown.back(original, edits_of(kept, found.path))
        contents[found.path], lost = asleep(original if awake is None else awake)
        edits.insert(0, (found.path, ASLEEP, lost))
    record = KeptUplink(planner.uplink_record_after(bridge.key), PROGRAM, source, tuple(edits))
    put(planner, record_path, record.written(), MODE)
    own = {path: text for path, text, replaced in kept.edits if replaced is None} if kept else {}
    for path, text in contents.items():
        put(planner, path, text, mode_of(path))
    for path in (*sorted(set(own) - set(contents)), other_path):
        if planner.model.text(path) is not None:
            planner.do(FileRemove(path, mode_of(path)))
    tell(planner, uplink, bridge.name, found, setup, set(texts.values()) <= set(own.values()))


def own_files(bridge: Link, texts: Mapping[str, str], unconfirmed: bool) -> dict[str, str]:
    """The files that are our own, by path. `unconfirmed`: where these are gone after a boot."""
    place, group = UNCONFIRMED if unconfirmed else DIRECTORY, bridge.get("link_group")
    found = {f"{place}/{name}": text for name, text in texts.items()}
    if group and not unconfirmed:
        found[script(bridge.name)] = SCRIPT.format(bridge=bridge.name, group=group)
    return found


def tell(planner: Planner, uplink: str, bridge: str, source: Source, setup: Setup, knows: bool) -> None:
    """Have it go on with the bridge by its profiles. `knows`: whether it has such, if in other places."""
    bridge_uuid, port_uuid = uuids(source.uuid, bridge)
    ours: Profiles = ((bridge, bridge_uuid), (uplink, port_uuid))
    if setup.source:
        leases = ((lease(source.uuid, uplink), lease(bridge_uuid, bridge)),)
        hand_over(planner, ((uplink, source.uuid), (bridge, "")), ours, leases)
    elif not knows:
        hand_over(planner, ours, ours)
    elif setup.program == PROGRAM and any(is_about_profiles(step.operation) for step in planner.steps):
        planner.undo_also(0, NetworkManagerReload())
        planner.do(NetworkManagerReload())


def is_about_profiles(operation: Operation) -> bool:
    """Whether an operation changes what NetworkManager reads."""
    return isinstance(operation, (FileWrite, FileRemove)) and operation.path.startswith((DIRECTORY, UNCONFIRMED))


def give_back(planner: Planner, bridge: str, kept: KeptUplink) -> None:
    """Let it go on with the uplink by the profile that was there first. Files are as they were by now."""
    found, uplink = source_of(kept.source), kept.record.uplink
    bridge_uuid, port_uuid = uuids(found.uuid, bridge)
    hand_over(
        planner,
        ((bridge, bridge_uuid), (uplink, port_uuid)),
        ((uplink, found.uuid), (bridge, "")),
        ((lease(bridge_uuid, bridge), lease(found.uuid, uplink)),),
    )


def hand_over(planner: Planner, before: Profiles, after: Profiles, leases: Leases = ()) -> None:
    """Stop it before all that is planned, and start it after that, once, for however many bridges."""
    for step in list(planner.steps):
        operation = step.operation
        if isinstance(operation, NetworkManagerStop):
            before = (*operation.devices, *before)
            planner.steps.remove(step)
        elif isinstance(operation, NetworkManagerStart):
            after, leases = (*operation.devices, *after), (*operation.leases, *leases)
            planner.steps.remove(step)
    stop = NetworkManagerStop(before)
    planner.steps.insert(0, Step(stop, stop.inverse(planner.before)))
    planner.do(NetworkManagerStart(after, leases))


def shape_of(bridge: Link, source: Mapping[str, Any]) -> Bridge:
    """What it shall make of the bridge."""
    mtu, says_mtu = bridge.get("mtu"), "mtu" in profile(source["text"]).get("ethernet", {})
    addresses = tuple(source["addresses"])
    return Bridge(bridge.name, str(bridge.get("mac")), mtu if mtu != USUAL_MTU or says_mtu else None, addresses)


def statics(source: Mapping[str, Any]) -> set[str]:
    """The addresses that the profile gives by itself."""
    return all_statics(source["text"]) if source else set()


def source_of(source: Mapping[str, Any]) -> Source:
    """From what is remembered."""
    return Source(*(source[field] for field in Source._fields))
