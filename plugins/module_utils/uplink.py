# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""What is remembered of a bridge's uplink, so that it can be given back: a file under /run/vnet. Pure.

What is on the bridge goes back, unless it was the bridge's own; and with it what the task's `addresses` displaced.
All this is true as long as the kernel's state is, so the file goes with it at the next boot.

Where the bridge comes back at boot, by the configuration of the program that configured the uplink before, another file
under /etc/vnet says so, and has the way back of that configuration.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import errors
from .rows import Rest, Route
from .state import Addr, Key

RECORDS = "/run/vnet/uplinks"
KEPT = "/etc/vnet/uplinks"
UNCONFIRMED = "/run/vnet/unconfirmed"


def path_of(bridge: Key) -> str:
    """The file that remembers the uplink of a bridge."""
    return "/".join([RECORDS, *filter(None, bridge[:1]), f"{bridge[1]}.json"])


def kept_path(bridge: Key) -> str:
    """The file that remembers how an uplink was configured before its bridge was kept."""
    return "/".join([KEPT, *filter(None, bridge[:1]), f"{bridge[1]}.json"])


def unconfirmed_path(bridge: Key) -> str:
    """The same, as long as it is not yet confirmed that it is to be kept: the next boot is without it."""
    return "/".join([UNCONFIRMED, *filter(None, bridge[:1]), f"{bridge[1]}.json"])


@dataclass(frozen=True)
class Record:
    """What a bridge took, as far as the bridge itself does not tell."""

    uplink: str = ""
    own: tuple[str, ...] = ()
    """The bridge's own addresses."""
    addresses: tuple[Addr, ...] = ()
    """What the uplink had and the bridge has not, as other addresses were asked for; and the routes that went with them."""
    routes: tuple[Route, ...] = field(default=())
    taken: tuple[str, ...] = ()
    """The addresses that came from the uplink to stay. They go back also if somebody took one off and a task gave it again."""

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
                tuple(map(str, found.get("taken", ()))),
            )
        except (ValueError, TypeError, AttributeError):
            return cls()

    def parts(self) -> dict[str, Any]:
        """As JSON has it."""
        parts: dict[str, Any] = {"uplink": self.uplink, "own": sorted(self.own)}
        parts["addresses"] = [_written(addr._asdict()) for addr in self.addresses]
        parts["routes"] = [_written(route._asdict()) for route in self.routes]
        parts["taken"] = sorted(self.taken)
        return parts

    def written(self) -> str:
        """The file's content."""
        return json.dumps(self.parts(), indent=1, sort_keys=True) + "\n"


@dataclass(frozen=True)
class KeptUplink:
    """How an uplink was configured before, and what was written instead. `record`: what else is to be remembered.

    `source`: what the configuration of the bridge was made from. `edits`: (path, what was written, what it replaced), which
    is None for a file of our own.
    """

    record: Record
    program: str
    source: Mapping[str, Any]
    edits: tuple[tuple[str, str, str | None], ...]

    @classmethod
    def read(cls, path: str, content: str | None) -> KeptUplink | None:
        """From the file's content, None without one. A corrupt one is refused: the way back is in it."""
        if content is None:
            return None
        try:
            found = json.loads(content)
            edits = tuple((str(path), str(new), old) for path, new, old in found["edits"])
            kept = cls(Record.read(content), str(found["program"]), dict(found["source"]), edits)
        except (ValueError, TypeError, KeyError, AttributeError):
            kept = None
        if kept is None or not kept.record.uplink:
            raise errors.Refused(f"{path} does not hold how an uplink was configured before: mend it, or remove it")
        return kept

    def written(self) -> str:
        """The file's content."""
        more = {"program": self.program, "source": self.source, "edits": self.edits}
        return json.dumps({**self.record.parts(), **more}, indent=1, sort_keys=True) + "\n"


def _written(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {**entry, "rest": [[kind, content.hex()] for kind, content in entry["rest"]]}


def _read(entry: Mapping[str, Any]) -> dict[str, Any]:
    rest: Rest = tuple((int(kind), bytes.fromhex(content)) for kind, content in entry["rest"])
    hops = {"nexthops": tuple((str(a), str(b), int(c)) for a, b, c in entry["nexthops"])} if "nexthops" in entry else {}
    return {**entry, "rest": rest, **hops}
