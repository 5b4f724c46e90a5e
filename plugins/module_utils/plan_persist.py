# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""The phase of the plan about what is kept for the next boot. It comes last: what failed is not kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import desired, errors, persist
from .later import Later
from .planner import Planner

if TYPE_CHECKING:
    from . import file_operations, merging, plan_owner
else:
    plan_owner = Later("plan_owner")
    file_operations, merging = Later("file_operations"), Later("merging")

DIRECTORIES = file_operations.DirectoriesRemove((persist.DIRECTORY, persist.ENGINE.rpartition("/")[0]))


def keep(planner: Planner) -> None:
    """Write, merge and remove the files under /etc/vnet/conf.d, and what restores them at boot."""
    kept = planner.keep
    if kept is None or kept.later:
        return
    gone = set()
    for path in paths_that_go(planner, kept):
        planner.do(file_operations.FileRemove(path, persist.MODE))
        gone.add(path)
    for entry in kept.entries:
        old = planner.model.text(entry.path)
        if not entry.goes and (entry.persist or old is not None):
            link = planner.model.link(entry.want.key) if isinstance(entry.want, desired.LinkWant) else None
            nat = planner.model.nats.get(entry.want.key) if isinstance(entry.want, desired.NatWant) else None
            bridge = planner.model.ovs.get(entry.want.name) if isinstance(entry.want, desired.OvsWant) else None
            new = plan_owner.awaiting(planner, merging.merged(entry, old, link or nat or bridge), entry).written()
            if new != old:
                planner.do(file_operations.FileWrite(entry.path, new, persist.MODE))
                if planner.model.files.get(persist.ENGINE) is None:
                    planner.undo_also(len(planner.steps) - 1, DIRECTORIES)
    if gone and not planner.model.kept - gone:
        uninstall(planner)
    elif kept.software:
        install(planner, kept)


def paths_that_go(planner: Planner, kept: persist.Keep) -> list[str]:
    """The files that are there and shall not be: of what the task names, and of what goes with a namespace."""
    own = {entry.path for entry in kept.entries}
    going = [entry.path for entry in kept.entries if entry.goes and is_meant(entry, planner.model.text(entry.path))]
    for path in sorted(planner.model.files):
        content = planner.model.text(path)
        if path.startswith(persist.DIRECTORY) and path not in own and content and persist.goes_too(path, content, kept):
            going.append(path)
    return going


def is_meant(entry: persist.Entry, content: str | None) -> bool:
    """Whether there is a file, and of what the task names: a route that leads elsewhere than it says is left alone."""
    if content is None or not isinstance(entry.want, desired.RowWant):
        return content is not None
    try:
        found = persist.Document.read(entry.path, content).wants()[1][0]
    except errors.Refused:
        return True  # nobody will miss it
    return not isinstance(found, desired.RowWant) or entry.want.kind.covers(entry.want.said, found.said)


def install(planner: Planner, kept: persist.Keep) -> None:
    """Put there what restores at boot, or bring it up to date."""
    first = len(planner.steps)
    for path, content in kept.software.items():
        if planner.model.files.get(path) != content:
            planner.do(file_operations.FileWrite(path, content))
    tell_systemd(planner, first)


def uninstall(planner: Planner) -> None:
    """Take it away with the last file."""
    first = len(planner.steps)
    for path in reversed(persist.SOFTWARE):
        if planner.model.files.get(path) is not None:
            planner.do(file_operations.FileRemove(path))
    tell_systemd(planner, first)
    planner.do(DIRECTORIES)


def tell_systemd(planner: Planner, first: int) -> None:
    """Where the steps from `first` on change the unit: also when they are undone, after the last of them."""
    units = [
        step for step in planner.steps[first:] if getattr(step.operation, "path", "") in (persist.UNIT, persist.ENABLED)
    ]
    if units and planner.model.systemd == "running":
        planner.undo_also(first, file_operations.SystemdReload())
        planner.do(file_operations.SystemdReload())
