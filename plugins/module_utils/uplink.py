# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""What is remembered of a bridge's uplink, so that it can be given back: a file under /run/vnet. Pure.

What is on the bridge goes back, unless it was the bridge's own; and with it what the task's `addresses` displaced.
All this is true as long as the kernel's state is, so the file goes with it at the next boot.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .rows import Rest, Route
from .state import Addr, Key

RECORDS = "/run/vnet/uplinks"


def path_of(bridge: Key) -> str:
    """The file that remembers the uplink of a bridge."""
    return "/".join([RECORDS, *filter(None, bridge[:1]), f"{bridge[1]}.json"])


@dataclass(frozen=True)
class Record:
    """What a bridge took, as far as the bridge itself does not tell."""

    uplink: str = ""
    own: tuple[str, ...] = ()
    """The bridge's own addresses."""
    addresses: tuple[Addr, ...] = ()
    """What the uplink had and the bridge has not, as other addresses were asked for; and the routes that went with them."""
    routes: tuple[Route, ...] = field(default=())

    @classmethod
    def read(cls, content: str | None) -> Record:
        """From the file's content; one that is corrupt is as good as none."""
        try:
            found = json.loads(content or "{}")
            return cls(
                str(found.get("uplink", "")),
                tuple(map(str, found.get("own", ()))),
                tuple(Addr(**_read(entry)) for entry in found.get("addresses", ())),
                tuple(Route(**_read(entry)) for entry in found.get("routes", ())),
            )
        except (ValueError, TypeError, AttributeError):
            return cls()

    def written(self) -> str:
        """The file's content."""
        parts: dict[str, Any] = {"uplink": self.uplink, "own": sorted(self.own)}
        parts["addresses"] = [_written(addr._asdict()) for addr in self.addresses]
        parts["routes"] = [_written(route._asdict()) for route in self.routes]
        return json.dumps(parts, indent=1, sort_keys=True) + "\n"


def _written(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {**entry, "rest": [[kind, content.hex()] for kind, content in entry["rest"]]}


def _read(entry: Mapping[str, Any]) -> dict[str, Any]:
    rest: Rest = tuple((int(kind), bytes.fromhex(content)) for kind, content in entry["rest"])
    hops = {"nexthops": tuple((str(a), str(b), int(c)) for a, b, c in entry["nexthops"])} if "nexthops" in entry else {}
    return {**entry, "rest": rest, **hops}
