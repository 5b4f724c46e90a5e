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

from . import errors, file_operations, operations, owner_ifupdown, owner_networkmanager, owner_operations
from .plan_owner import MODE, USUAL_MTU, edits_of, put, waits
from .planner import Planner
from .state import Link, Setup
from .uplink import KeptUplink, kept_path, unconfirmed_path

PROGRAM = "NetworkManager"


def write(planner: Planner, uplink: str, bridge: Link, source: dict[str, Any], setup: Setup) -> None:
    """Two profiles are our own. Till they are confirmed they are where they don't outlast a boot, and no other one changes."""
    if "path" not in source:
        raise errors.Refused(
            f"NetworkManager configures {uplink} by a profile that this collection wrote for another bridge"
        )
    found, kept = source_of(source), planner.kept_uplink(bridge.key)
    try:
        texts = owner_networkmanager.written(uplink, shape_of(bridge, source), found)
    except errors.Refused as exc:
        raise errors.Refused(f"{found.path}: {exc}") from None
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
        contents[found.path], lost = owner_networkmanager.asleep(original if awake is None else awake)
        edits.insert(0, (found.path, owner_networkmanager.ASLEEP, lost))
    record = KeptUplink(planner.uplink_record_after(bridge.key), PROGRAM, source, tuple(edits))
    put(planner, record_path, record.written(), MODE)
    own = {path: text for path, text, replaced in kept.edits if replaced is None} if kept else {}
    for path, text in contents.items():
        put(planner, path, text, owner_networkmanager.mode_of(path))
    for path in (*sorted(set(own) - set(contents)), other_path):
        if planner.model.text(path) is not None:
            planner.do(file_operations.FileRemove(path, owner_networkmanager.mode_of(path)))
    tell(planner, uplink, bridge.name, found, setup, set(texts.values()) <= set(own.values()))


def own_files(bridge: Link, texts: Mapping[str, str], unconfirmed: bool) -> dict[str, str]:
    """The files that are our own, by path. `unconfirmed`: where these are gone after a boot."""
    place, group = (
        owner_networkmanager.UNCONFIRMED if unconfirmed else owner_networkmanager.DIRECTORY,
        bridge.get("link_group"),
    )
    found = {f"{place}/{name}": text for name, text in texts.items()}
    if group and not unconfirmed:
        found[owner_networkmanager.script(bridge.name)] = owner_networkmanager.SCRIPT.format(
            bridge=bridge.name, group=group
        )
    return found


def tell(
    planner: Planner, uplink: str, bridge: str, source: owner_networkmanager.Source, setup: Setup, knows: bool
) -> None:
    """Have it go on with the bridge by its profiles. `knows`: whether it has such, if in other places."""
    bridge_uuid, port_uuid = owner_networkmanager.uuids(source.uuid, bridge)
    ours: owner_operations.Profiles = ((bridge, bridge_uuid), (uplink, port_uuid))
    if setup.source:
        leases = ((owner_networkmanager.lease(source.uuid, uplink), owner_networkmanager.lease(bridge_uuid, bridge)),)
        hand_over(planner, ((uplink, source.uuid), (bridge, "")), ours, leases)
    elif not knows:
        hand_over(planner, ours, ours)
    elif setup.program == PROGRAM and any(is_about_profiles(step.operation) for step in planner.steps):
        planner.undo_also(0, owner_operations.NetworkManagerReload())
        planner.do(owner_operations.NetworkManagerReload())


def is_about_profiles(operation: operations.Operation) -> bool:
    """Whether an operation changes what NetworkManager reads."""
    return isinstance(operation, (file_operations.FileWrite, file_operations.FileRemove)) and operation.path.startswith(
        (owner_networkmanager.DIRECTORY, owner_networkmanager.UNCONFIRMED)
    )


def give_back(planner: Planner, bridge: str, kept: KeptUplink) -> None:
    """Let it go on with the uplink by the profile that was there first. Files are as they were by now."""
    found, uplink = source_of(kept.source), kept.record.uplink
    bridge_uuid, port_uuid = owner_networkmanager.uuids(found.uuid, bridge)
    hand_over(
        planner,
        ((bridge, bridge_uuid), (uplink, port_uuid)),
        ((uplink, found.uuid), (bridge, "")),
        ((owner_networkmanager.lease(bridge_uuid, bridge), owner_networkmanager.lease(found.uuid, uplink)),),
    )


def hand_over(
    planner: Planner,
    before: owner_operations.Profiles,
    after: owner_operations.Profiles,
    leases: owner_operations.Leases = (),
) -> None:
    """Stop it before all that is planned, and start it after that, once, for however many bridges."""
    for step in list(planner.steps):
        operation = step.operation
        if isinstance(operation, owner_operations.NetworkManagerStop):
            before = (*operation.devices, *before)
            planner.steps.remove(step)
        elif isinstance(operation, owner_operations.NetworkManagerStart):
            after, leases = (*operation.devices, *after), (*operation.leases, *leases)
            planner.steps.remove(step)
    planner.do_first(owner_operations.NetworkManagerStop(before))
    planner.do(owner_operations.NetworkManagerStart(after, leases))


def shape_of(bridge: Link, source: Mapping[str, Any]) -> owner_networkmanager.Bridge:
    """What it shall make of the bridge."""
    mtu, says_mtu = bridge.get("mtu"), "mtu" in owner_networkmanager.profile(source["text"]).get("ethernet", {})
    addresses = tuple(source["addresses"])
    return owner_networkmanager.Bridge(
        bridge.name, str(bridge.get("mac")), mtu if mtu != USUAL_MTU or says_mtu else None, addresses
    )


def statics(source: Mapping[str, Any]) -> set[str]:
    """The addresses that the profile gives by itself."""
    return owner_networkmanager.all_statics(source["text"]) if source else set()


def source_of(source: Mapping[str, Any]) -> owner_networkmanager.Source:
    """From what is remembered."""
    return owner_networkmanager.Source(*(source[field] for field in owner_networkmanager.Source._fields))
