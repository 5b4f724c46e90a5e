# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""What a route says of the way to its destination (RTA_METRICS), by the words of ip-route(8). Pure.

It is read from the bytes of the attribute and written into them, so that what no option is about stays as it is.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Mapping
from typing import Any

from . import wire
from .values import Bool, Int, Seconds, Text, Type

RTA_METRICS = 8
RTAX_LOCK, RTAX_MTU, RTAX_RTO_MIN = 1, 2, 13

METRICS: Mapping[str, tuple[int, Type]] = {
    "mtu": (RTAX_MTU, Int(0, 65520, " bytes")),
    "advmss": (8, Int(0, 65495, " bytes")),
    "hoplimit": (10, Int(0, 255)),
    "initcwnd": (11, Int(0, 2**32 - 1)),
    "rto_min": (RTAX_RTO_MIN, Seconds(0, 4294967, per_second=1000)),
    "initrwnd": (14, Int(0, 2**32 - 1)),
    "quickack": (15, Bool()),
    "congctl": (16, Text(15)),
}
"""By option, the number (RTAX_* in include/uapi/linux/rtnetlink.h) and the type. What is zero or empty is the kernel's to choose."""

TYPES: Mapping[str, Type] = {**{name: kind for name, (_number, kind) in METRICS.items()}, "mtu_lock": Bool()}
"""All options. What is locked is not changed by what the kernel learns, a bit for each number in RTAX_LOCK."""


LOCKED = ((RTAX_MTU, "mtu_lock"), (RTAX_RTO_MIN, "rto_min"))
"""Which option locks what. The kernel looks at an RTO that is locked only."""


def read(content: bytes) -> dict[str, Any]:
    """The canonical values of all options, from the content of the attribute."""
    found = dict(wire.attributes(content))
    values = {name: kind.decode(_raw(kind, found.get(number, b""))) for name, (number, kind) in METRICS.items()}
    locks = int.from_bytes(found.get(RTAX_LOCK, b""), sys.byteorder)
    if not locks >> RTAX_RTO_MIN & 1:
        values["rto_min"] = 0
    return {**values, "mtu_lock": bool(locks >> RTAX_MTU & 1)}


def _raw(kind: Type, content: bytes) -> Any:
    if isinstance(kind, Text):
        return content.rstrip(b"\0").decode(errors="replace")
    return int.from_bytes(content, sys.byteorder)


def changed(content: bytes, said: Mapping[str, Any]) -> bytes:
    """The content of the attribute with the options in it that are `said`."""
    found = dict(wire.attributes(content))
    locks = int.from_bytes(found.get(RTAX_LOCK, b""), sys.byteorder)
    for number, name in LOCKED:
        if name in said:
            locks = locks & ~(1 << number) | bool(said[name]) << number
    found[RTAX_LOCK] = struct.pack("=I", locks)
    for name, (number, kind) in METRICS.items():
        if name in said:
            raw = kind.encode(said[name])
            found[number] = raw.encode() if isinstance(raw, str) else struct.pack("=I", raw)
    # The kernel doesn't tell of what is zero.
    return wire.written((number, value) for number, value in sorted(found.items()) if value.strip(b"\0"))


def words(content: bytes) -> list[str]:
    """As iproute2 writes them."""
    said = {name: value for name, value in read(content).items() if value}
    lock = ["lock"] if said.pop("mtu_lock", False) else []
    found = [[name, *(lock if name == "mtu" else []), TYPES[name].text(value)] for name, value in said.items()]
    return [word for parts in found for word in parts]
