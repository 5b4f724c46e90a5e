# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to cross the demo's smaller pictures, and what a machine may lack for them."""

from __future__ import annotations

import functools
import os
import platform
import subprocess
from typing import TYPE_CHECKING

import demo_checks as check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from demo_checks import Crossing
    from throwaway_lab import Lab


@functools.cache
def lacks(*words: str) -> str | None:
    """Return a sentence saying that this kernel has no such device, the words of ``ip link add type``, None if it has."""
    alone = ["unshare", *(["--map-root-user"] if os.geteuid() else []), "--net"]
    made = subprocess.run(
        [*alone, "ip", "link", "add", "probe", "type", *words], capture_output=True, text=True, check=False
    )
    if "Unknown device type" in made.stderr or "not supported" in made.stderr:
        return f"This machine's kernel ({platform.release()}) has no {' '.join(words)}."
    return None


def in_two_vlans(lab: Lab) -> Iterator[Crossing]:
    """Those of a VLAN hear each other, and nobody of the other one."""
    yield check.answered(lab, "vlans", "a1", "192.168.6.2")
    yield check.answered(lab, "vlans", "b1", "192.168.6.4")
    yield check.unanswered(lab, "vlans", "a1", "192.168.6.3")
    yield check.unanswered(lab, "vlans", "b2", "192.168.6.2")


def to_all(lab: Lab) -> Iterator[Crossing]:
    """Everybody gets the frames of the group."""
    yield check.group(lab, "groups", "239.1.2.3", "sender", "member", "other", flooded=True)


def to_members(lab: Lab) -> Iterator[Crossing]:
    """Only who has joined the group gets its frames."""
    yield check.group(lab, "groups", "239.1.2.3", "sender", "member", "other", flooded=False)
