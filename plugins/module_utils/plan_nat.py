# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""The phases of the plan about address translation: before links and forwarding when it is made, and after forwarding when it goes."""

from __future__ import annotations

from dataclasses import replace

from . import desired, errors
from .kinds.nat import NAT_OPTIONS, check
from .nat_operations import NatDelete, NatReplace
from .planner import Planner
from .state import Nat


def assign(planner: Planner) -> None:
    """Make the address translations that are wanted, and change those that are not as wanted."""
    for want in planner.nats:
        if want.absent:
            continue
        planner.netns_exists(want.where, want.netns)
        found = planner.model.nats.get(want.key)
        wanted = asked(want, found)
        if wanted != found:
            planner.do(NatReplace(wanted, found is not None))


def asked(want: desired.NatWant, found: Nat | None) -> Nat:
    """The address translation as it should be: what is asked for, and else what it has."""
    where = f"{want.where}: " if want.where else ""
    if found is None and "source" not in want.options:
        raise errors.Refused(
            f"{where}source: to make the address translation {want.name}, it takes the networks to translate"
        )
    has = found or Nat(want.netns, want.name)
    problem = check({**{option.name: getattr(has, option.name) for option in NAT_OPTIONS}, **want.options})
    if problem:
        raise errors.Refused(where + problem)
    return replace(has, **want.options, owner=want.owner or has.owner, altered="")


def delete(planner: Planner) -> None:
    """Delete the address translations that should be absent."""
    for want in planner.nats:
        if want.absent and planner.model.nats.get(want.key):
            planner.do(NatDelete(want.netns, want.name))
