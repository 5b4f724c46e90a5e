# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""The few messages of which there are thousands, in bytes: links, addresses and routes with their common attributes.

pyroute2 knows every attribute and takes 50 to 450 microseconds for a message, most of what a run of a thousand containers
costs beside the kernel; the same by `struct` takes 5 to 20. Names and values here are pyroute2's, and whatever has one attribute
that isn't in these tables goes through pyroute2 whole. So nothing is known here that isn't known there: these tables can go, and only time is lost.
Layouts: include/uapi/linux/{if_link,if_addr,rtnetlink}.h.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import Any, Callable

HEADER = struct.Struct("=IHHII")
"""`struct nlmsghdr`: length, type, flags, sequence number, port."""

_ATTRIBUTE = struct.Struct("=HH")
_NUMBER = struct.Struct("=I")
_LINK_FIELDS = struct.Struct("=BxHiII")


class Unknown(Exception):
    """A message has something that isn't in the tables."""


class Codec:
    """How the content of an attribute is written and read; one that nobody reads raises Unknown there."""

    def __init__(self, pack: Callable[[Any], bytes], unpack: Callable[[bytes], Any]) -> None:
        self.pack = pack
        self.unpack = unpack


class Shape:
    """A kind of message: its fixed part, and the attributes that it may have."""

    def __init__(self, layout: str, fields: tuple[str, ...], attributes: Mapping[str, tuple[int, Codec]]) -> None:
        self.layout = struct.Struct(layout)
        self.fields = fields
        self.by_name = attributes
        self.by_number = {number: (name, codec.unpack) for name, (number, codec) in attributes.items()}

    def encode(self, fields: Mapping[str, Any], attrs: Any) -> bytes:
        """The whole message, its type, flags and sequence number still 0. Raises Unknown."""
        content = self.layout.pack(*(fields.get(name, 0) for name in self.fields)) + packed(attrs, self.by_name)
        return HEADER.pack(16 + len(content), 0, 0, 0, 0) + content

    def decode(self, data: bytes) -> Message:
        """The message from its bytes, header included. Raises Unknown."""
        message = Message(zip(self.fields, self.layout.unpack_from(data, 16)))
        message.data = data
        found = message["attrs"] = []
        for number, content in attributes(data, 16 + self.layout.size):
            if number not in self.by_number:
                raise Unknown(number)
            name, unpack = self.by_number[number]
            found.append((name, unpack(content)))
        return message


class Message(dict[str, Any]):
    """A decoded message, to be asked in the ways in which one asks pyroute2's. `data`: its bytes."""

    data: bytes = b""

    def get_attr(self, name: str) -> Any:
        """The value of the first attribute of this name, None where there is none."""
        for found, value in self["attrs"]:
            if found == name:
                return value
        return None


def attributes(data: bytes, offset: int = 0) -> Iterator[tuple[int, bytes]]:
    """The netlink attributes in `data`, without decoding them: (type, content)."""
    end = len(data)
    while offset + 4 <= end:
        length, kind = _ATTRIBUTE.unpack_from(data, offset)
        if length < 4:
            return
        yield kind & 0x3FFF, data[offset + 4 : offset + length]
        offset += (length + 3) & ~3


def written(attrs: Iterable[tuple[int, bytes]]) -> bytes:
    """Attributes by their numbers, each with its content as it is, padded to four bytes."""
    return b"".join(
        _ATTRIBUTE.pack(len(content) + 4, number) + content + b"\0" * (-len(content) % 4) for number, content in attrs
    )


def packed(attrs: Any, table: Mapping[str, tuple[int, Codec]]) -> bytes:
    """Attributes by their names. Raises Unknown."""
    parts = []
    for name, value in attrs:
        if name not in table:
            raise Unknown(name)
        number, codec = table[name]
        parts.append((number, codec.pack(value)))
    return written(parts)


def _unreadable(_content: bytes) -> Any:
    raise Unknown


def _ip(text: str) -> bytes:
    return inet_pton(AF_INET6 if ":" in text else AF_INET, text)


def _ip_text(content: bytes) -> str:
    return inet_ntop(AF_INET6 if len(content) == 16 else AF_INET, content)


def _via(value: Mapping[str, Any]) -> bytes:
    """`struct rtvia`: a gateway of another family than the route's."""
    return struct.pack("=H", value["family"]) + _ip(value["addr"])


def _via_read(content: bytes) -> dict[str, Any]:
    return {"family": struct.unpack_from("=H", content)[0], "addr": _ip_text(content[2:])}


def _number(content: bytes) -> int:
    return int(_NUMBER.unpack(content)[0])


def _record(layout: str, *names: str) -> Codec:
    """A C structure of numbers, as a dict; what is not given is 0."""
    record = struct.Struct(layout)
    return Codec(
        lambda values: record.pack(*(values.get(name, 0) for name in names)),
        lambda content: dict(zip(names, record.unpack_from(content))),
    )


def _nested(table: Mapping[str, tuple[int, Codec]]) -> Codec:
    return Codec(lambda value: packed(value["attrs"], table), _unreadable)


def _peer(value: Mapping[str, Any]) -> bytes:
    """The peer of a veth: a link message within the attribute."""
    return bytes(_LINK_FIELDS.size) + packed(value["attrs"], _LINK)


NUMBER = Codec(_NUMBER.pack, _number)
BYTE = Codec(lambda value: bytes((value,)), lambda content: content[0])
TEXT = Codec(
    lambda value: value.encode(errors="surrogateescape") + b"\0",
    lambda content: content.rstrip(b"\0").decode(errors="surrogateescape"),
)
MAC = Codec(lambda value: bytes.fromhex(value.replace(":", "")), lambda content: content.hex(":"))
IP = Codec(_ip, _ip_text)

_NESTED = 0x8000
_INFO = {
    "IFLA_INFO_KIND": (1, TEXT),
    "IFLA_INFO_DATA": (2 | _NESTED, _nested({"VETH_INFO_PEER": (1 | _NESTED, Codec(_peer, _unreadable))})),
}
_LINK: dict[str, tuple[int, Codec]] = {
    "IFLA_ADDRESS": (1, MAC),
    "IFLA_IFNAME": (3, TEXT),
    "IFLA_MTU": (4, NUMBER),
    "IFLA_MASTER": (10, NUMBER),
    "IFLA_LINKINFO": (18 | _NESTED, _nested(_INFO)),
    "IFLA_IFALIAS": (20, TEXT),
    "IFLA_GROUP": (27, NUMBER),
    "IFLA_NET_NS_FD": (28, NUMBER),
    "IFLA_EXT_MASK": (29, NUMBER),
    "IFLA_NUM_TX_QUEUES": (31, NUMBER),
    "IFLA_NUM_RX_QUEUES": (32, NUMBER),
}
LINK = Shape("=BxHiII", ("family", "type", "index", "flags", "change"), _LINK)
ADDRESS = Shape(
    "=BBBBI",
    ("family", "prefixlen", "flags", "scope", "index"),
    {
        "IFA_ADDRESS": (1, IP),
        "IFA_LOCAL": (2, IP),
        "IFA_LABEL": (3, TEXT),
        "IFA_BROADCAST": (4, IP),
        "IFA_CACHEINFO": (6, _record("=IIII", "ifa_preferred", "ifa_valid", "cstamp", "tstamp")),
        "IFA_FLAGS": (8, NUMBER),
        "IFA_RT_PRIORITY": (9, NUMBER),
        "IFA_PROTO": (11, BYTE),
    },
)
NSID = Shape("=Bxxx", ("family",), {"NETNSA_FD": (3, NUMBER)})
_CACHE = ("rta_clntref", "rta_lastuse", "rta_expires", "rta_error", "rta_used", "rta_id", "rta_ts", "rta_tsage")
ROUTE = Shape(
    "=BBBBBBBBI",
    ("family", "dst_len", "src_len", "tos", "table", "proto", "scope", "type", "flags"),
    {
        "RTA_DST": (1, IP),
        "RTA_OIF": (4, NUMBER),
        "RTA_GATEWAY": (5, IP),
        "RTA_PRIORITY": (6, NUMBER),
        "RTA_PREFSRC": (7, IP),
        "RTA_CACHEINFO": (12, _record("=IIiIIIII", *_CACHE)),
        "RTA_TABLE": (15, NUMBER),
        "RTA_VIA": (18, Codec(_via, _via_read)),
        "RTA_PREF": (20, BYTE),
    },
)
