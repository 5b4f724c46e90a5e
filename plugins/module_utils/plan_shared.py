# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""Sysctls that topologies have set, which more than one of them may want.

They carry no mark. So each topology records those that it wants: one that it changed with the value before, one that it
found as it is wanted with that same value as the value before. Whoever goes leaves what another one holds, and hands that
one its own value before: the last one puts it back.
"""

from __future__ import annotations

from . import desired, file_operations, operations
from .planner import Planner
from .state import Key
from .topology import RECORDS, Record

Sysctls = dict[Key, tuple[str, str]]
"""By namespace and key, the value before and the value that is wanted."""


def remembered(planner: Planner, old: Record) -> list[list[str]]:
    """What the record has to say of sysctls after this run. Those in the topology's own namespaces go with these."""
    own = {want.name for want in planner.wants if isinstance(want, desired.NamespaceWant)}
    found: Sysctls = {(netns, key): (before, now) for netns, key, before, now in old.sysctls}
    for step in planner.steps:
        operation = step.operation
        if isinstance(operation, operations.SysctlSet) and not operation.passes and operation.netns not in own:
            place = (operation.netns, operation.key)
            before = planner.before.sysctls.get(place, "")
            if before == operation.value and place not in found:
                continue  # put back as it was, on a device that is made anew
            first, last = found.get(place, (before, ""))
            # What was only found as it is wanted, and is so no more, is changed from now on.
            found[place] = (before if first == last else first, operation.value)
    for place in planner.settled:
        value = planner.model.sysctls.get(place)
        if place not in found and place[0] not in own and value is not None:
            found[place] = (value, value)
    return [[*place, *values] for place, values in sorted(found.items())]


def give_back(planner: Planner, new: Record) -> None:
    """Put back the sysctls that the topology wants no more, unless another one does, and forget them."""
    if planner.topology is None:
        return
    own = planner.topology.record
    others = {
        path: Record.read(planner.model.text(path)) for path in sorted(planner.model.files) if is_other(path, own)
    }
    held = {path: {(one[0], one[1]): one for one in record.sysctls} for path, record in others.items()}
    steps = (step.operation for step in planner.steps)
    wanted = {(one.netns, one.key) for one in steps if isinstance(one, operations.SysctlSet)} | planner.settled
    for entry in [entry for entry in new.sysctls if (entry[0], entry[1]) not in wanted]:
        new.sysctls.remove(entry)
        netns, key, before, now = entry
        if planner.model.sysctls.get((netns, key)) != now or before in ("", now):
            continue
        holders = [
            one for entries in held.values() for one in entries.values() if one[:2] == [netns, key] and one[3] == now
        ]
        for one in holders:
            one[2] = before if one[2] == one[3] else one[2]
        if not holders:
            planner.do(operations.SysctlSet(netns, key, before))
    for place, one in ((place, one) for entries in held.values() for place, one in entries.items()):
        value = planner.model.sysctls.get(place)
        # One that changed along with another.
        if planner.before.sysctls.get(place) == one[3] and value not in (None, one[3]) and place not in wanted:
            planner.do(operations.SysctlSet(*place, one[3]))
            one[2] = str(value) if one[2] == one[3] else one[2]
    for path, record in others.items():
        if record.sysctls != Record.read(planner.model.text(path)).sysctls:
            planner.do(file_operations.FileWrite(path, record.written(), 0o600))


def is_other(path: str, own: str) -> bool:
    """Whether a file is the record of another topology."""
    return path.startswith(f"{RECORDS}/") and path != own
