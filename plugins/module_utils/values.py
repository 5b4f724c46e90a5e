# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""The types of option values.

A type knows four things about a value: what Ansible's argument spec calls it, how to bring what a
user wrote to one canonical form (so that plans compare values and never spellings), how the kernel
carries it, and how iproute2 would write it. Everything here is pure, but for the user and group
databases behind `Account`.
"""

from __future__ import annotations

import grp
import ipaddress
import math
import pwd
import re
import socket
from collections.abc import Mapping, Sequence
from typing import Any


class BadValue(Exception):
    """What a user wrote is not acceptable; `str()` of it ends a sentence that begins with the option."""


def _shown(value: Any) -> str:
    return "true" if value is True else "false" if value is False else "null" if value is None else repr(value)


class Type:
    """Base of all types. `spec` is the fragment of Ansible's argument spec that describes the type."""

    spec: Mapping[str, Any] = {"type": "str"}

    def parse(self, value: Any) -> Any:
        """Bring `value`, as YAML gave it, to its canonical form; raise BadValue if it has none."""
        raise NotImplementedError

    def encode(self, value: Any) -> Any:
        """From the canonical form to what pyroute2 puts into the netlink attribute."""
        return value

    def decode(self, raw: Any) -> Any:
        """From what pyroute2 read out of the netlink attribute to the canonical form."""
        return raw

    def text(self, value: Any) -> str:
        """As iproute2 writes the value."""
        return str(value)

    def same(self, wanted: Any, found: Any) -> bool:
        """Whether the kernel's `found` is what `wanted` asks for, rounding aside."""
        return bool(wanted == found)


class Bool(Type):
    """True or false; the kernel carries 1 or 0."""

    spec: Mapping[str, Any] = {"type": "bool"}

    def parse(self, value: Any) -> bool:
        if isinstance(value, bool):
            return value
        word = str(value).lower()
        if word in ("true", "yes", "on", "1", "y", "t"):
            return True
        if word in ("false", "no", "off", "0", "n", "f"):
            return False
        raise BadValue(f"{_shown(value)} is neither true nor false")

    def encode(self, value: bool) -> int:
        return int(value)

    def decode(self, raw: Any) -> bool:
        return bool(raw)

    def text(self, value: bool) -> str:
        return "1" if value else "0"


class Flag(Bool):
    """A boolean that the kernel carries as an attribute without content: there, or not there."""

    def encode(self, value: bool) -> Any:
        return True if value else None

    def decode(self, raw: Any) -> bool:
        return raw is not None and raw is not False


class Int(Type):
    """A whole number within bounds."""

    spec: Mapping[str, Any] = {"type": "int"}

    def __init__(self, low: int, high: int, what: str = "") -> None:
        self.low, self.high, self.what = low, high, what

    def parse(self, value: Any) -> int:
        number: int | None = None
        if isinstance(value, int) and not isinstance(value, bool):
            number = value
        elif (isinstance(value, str) and re.fullmatch(r"[+-]?[0-9]+", value.strip())) or (
            isinstance(value, float) and value.is_integer()
        ):
            number = int(value)
        if number is None:
            raise BadValue(f"{_shown(value)} is not a whole number")
        if not self.low <= number <= self.high:
            raise BadValue(f"{number} is not between {self.low} and {self.high}{self.what}")
        return number


class Word(Int):
    """A number, or one of a few words: `ttl`, `tos`, `table`. A string in the argument spec."""

    spec: Mapping[str, Any] = {"type": "str"}

    def __init__(self, low: int, high: int, words: Mapping[str, int]) -> None:
        super().__init__(low, high)
        self.words = words

    def parse(self, value: Any) -> int | str:  # type: ignore[override]  # wider than Int by intent
        if isinstance(value, str) and value.strip().lower() in self.words:
            return value.strip().lower()
        try:
            if isinstance(value, str) and re.fullmatch(r"0[xX][0-9a-fA-F]+", value.strip()):
                value = int(value, 16)
            number = super().parse(value)
        except BadValue as exc:
            raise BadValue(f"{exc} (nor one of the words {', '.join(self.words)})") from None
        return self.decode(number)  # type: ignore[no-any-return]

    def encode(self, value: int | str) -> int:
        return self.words[value] if isinstance(value, str) else value

    def decode(self, raw: Any) -> Any:
        return next((word for word, number in self.words.items() if number == raw), raw)


class Seconds(Type):
    """A time in seconds, with fractions; the kernel counts it in 1/`per_second`."""

    spec: Mapping[str, Any] = {"type": "float"}

    def __init__(self, low: float, high: float, per_second: int = 100) -> None:
        self.low, self.high, self.per_second = low, high, per_second

    def parse(self, value: Any) -> int | float:
        try:
            if isinstance(value, bool):
                raise ValueError
            number = float(value)
        except (TypeError, ValueError):
            raise BadValue(f"{_shown(value)} is not a number of seconds") from None
        if not math.isfinite(number):
            raise BadValue(f"{_shown(value)} is not a number of seconds")
        if not self.low <= number <= self.high:
            raise BadValue(f"{number:.12g} is not between {self.low:.12g} and {self.high:.12g} seconds")
        return self.decode(round(number * self.per_second))

    def encode(self, value: int | float) -> int:
        return round(value * self.per_second)

    def decode(self, raw: Any) -> int | float:
        number: float = raw / self.per_second
        return int(number) if number.is_integer() else number

    def text(self, value: int | float) -> str:
        return str(self.encode(value))

    def same(self, wanted: Any, found: Any) -> bool:
        # The bridge keeps clock ticks: at HZ=250 one of 1/100 s is two and a half of them and the half is
        # lost, so that 5.01 s reads back as 5.00 s. It never rounds up.
        if found is None:
            return False
        return self.encode(wanted) - self.encode(found) in (0, 1 if self.per_second == 100 else 0)


class Choice(Type):
    """One of some words, each with the kernel's value for it."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values
        self.spec = {"type": "str", "choices": list(values)}

    def parse(self, value: Any) -> str:
        word = str(value).lower()
        if word not in self.values:
            raise BadValue(f"{_shown(value)} is not one of {', '.join(self.values)}")
        return word

    def encode(self, value: str) -> Any:
        return self.values[value]

    def decode(self, raw: Any) -> Any:
        return next((word for word, number in self.values.items() if number == raw), raw)


class Text(Type):
    """A string of at most `limit` bytes."""

    def __init__(self, limit: int = 255) -> None:
        self.limit = limit

    def parse(self, value: Any) -> str:
        if not isinstance(value, str):
            raise BadValue(f"{_shown(value)} is not a string: quote it")
        if len(value.encode()) > self.limit:
            raise BadValue(f"{_shown(value)} is longer than {self.limit} bytes")
        if any(ord(char) < 32 or ord(char) == 127 for char in value):
            raise BadValue(f"{_shown(value)} has a control character in it")
        return value

    def decode(self, raw: Any) -> str:
        return "" if raw is None else str(raw)

    def text(self, value: str) -> str:
        return quoted(value)


class DeviceName(Type):
    """What the kernel takes for an interface name (`dev_valid_name()` in net/core/dev.c)."""

    def __init__(self, unset: bool = False, limit: int = 15) -> None:
        self.unset, self.limit = unset, limit

    def parse(self, value: Any) -> str:
        if not isinstance(value, str):
            raise BadValue(f"{_shown(value)} is not a name: quote it")
        if value == "" and self.unset:
            return value
        if not 1 <= len(value.encode()) <= self.limit:
            raise BadValue(f"{_shown(value)} has {len(value.encode())} bytes, a device name has 1 to {self.limit}")
        if value in (".", "..") or re.search(r"[/:\s\x00-\x20\x7f]", value):
            raise BadValue(f"{_shown(value)} is no device name: no '/', ':' or blank in it, and not '.' or '..' itself")
        if "%" in value:
            raise BadValue(f"{_shown(value)} is no device name: the kernel would replace its '%'")
        if value in ("all", "default") and self.limit == 15:
            raise BadValue(
                f"{_shown(value)} is no device name: sysctls of that name are for all devices, or for new ones"
            )
        return value


class NetnsName(Type):
    """The name of a network namespace: that of a file under /run/netns."""

    def __init__(self, unset: bool = True) -> None:
        self.unset = unset

    def parse(self, value: Any) -> str:
        if not isinstance(value, str):
            raise BadValue(f"{_shown(value)} is not a name: quote it")
        if value == "" and self.unset:
            return value
        if not 1 <= len(value.encode()) <= 255:
            raise BadValue(f"{_shown(value)} has {len(value.encode())} bytes, a namespace name has 1 to 255")
        if value in (".", "..") or re.search(r"[/\s\x00-\x20\x7f]", value):
            raise BadValue(f"{_shown(value)} is no namespace name: no '/' or blank in it, and not '.' or '..' itself")
        return value


class Mac(Type):
    """The MAC address of a device: unicast, written with colons and small letters."""

    any = False
    """Whether it may as well be that of a group, or the one of zeros."""

    def parse(self, value: Any) -> str:
        if isinstance(value, (int, float)):
            raise BadValue(f"{_shown(value)} is a number, which is what YAML makes of a MAC without letters: quote it")
        if not isinstance(value, str) or not re.fullmatch(
            r"([0-9a-fA-F]{2}([:-])){1}([0-9a-fA-F]{2}\2){4}[0-9a-fA-F]{2}", value
        ):
            raise BadValue(f"{_shown(value)} is not a MAC address such as 52:54:00:12:34:56")
        mac = value.lower().replace("-", ":")
        if self.any:
            return mac
        if int(mac[:2], 16) & 1:
            raise BadValue(f"{_shown(value)} is a multicast MAC address, which no device can have")
        if mac == "00:00:00:00:00:00":
            raise BadValue(f"{_shown(value)} is not a MAC address that a device can have")
        return mac

    def decode(self, raw: Any) -> Any:
        return raw.lower() if isinstance(raw, str) else raw


def spelled(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """As inet_ntop(3) writes it, and so whatever is read from the kernel: Python has other spellings for `::ffff:192.0.2.1`."""
    return socket.inet_ntop(socket.AF_INET if address.version == 4 else socket.AF_INET6, address.packed)


class Address(Type):
    """An address of an interface with its prefix length: `192.0.2.1/24`, `2001:db8::1/64`."""

    def parse(self, value: Any) -> str:
        if not isinstance(value, str):
            raise BadValue(f"{_shown(value)} is not an address with a prefix length such as 192.0.2.1/24")
        host, slash, prefix = value.strip().partition("/")
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            raise BadValue(f"{_shown(value)} is not an address with a prefix length such as 192.0.2.1/24") from None
        if not slash:
            raise BadValue(
                f"{_shown(value)} has no prefix length, write {host}/{address.max_prefixlen} for a single address"
            )
        if not re.fullmatch(r"[0-9]{1,3}", prefix) or int(prefix) > address.max_prefixlen:
            raise BadValue(
                f"{_shown(value)} has the prefix length {prefix!r}, IPv{address.version} has 0 to {address.max_prefixlen}"
            )
        if getattr(address, "scope_id", None) or address.is_multicast or address.is_unspecified:
            raise BadValue(f"{_shown(value)} is not an address that an interface can have")
        return f"{spelled(address)}/{int(prefix)}"


LINK_LOCAL = re.compile("fe[89ab]", re.IGNORECASE)
"""How addresses of fe80::/10 (RFC 4291) begin."""


class Ip(Type):
    """An address without prefix length; the kernel has one attribute per family, so `encode` is the caller's."""

    def __init__(self, multicast: bool | None = False, unset: bool = False) -> None:
        self.multicast, self.unset = multicast, unset

    def parse(self, value: Any) -> str:
        if value == "" and self.unset:
            return ""
        try:
            if not isinstance(value, str):
                raise ValueError
            address = ipaddress.ip_address(value.strip())
        except ValueError:
            raise BadValue(f"{_shown(value)} is not an IP address") from None
        if getattr(address, "scope_id", None):
            raise BadValue(f"{_shown(value)} names a device behind its '%', which has an option of its own")
        if self.multicast is not None and address.is_multicast != self.multicast:
            raise BadValue(f"{_shown(value)} is {'not ' if self.multicast else ''}a multicast address")
        if address.is_unspecified:
            raise BadValue(f"{_shown(value)} is the unspecified address")
        return spelled(address)


class Network(Type):
    """A destination: `default`, or a network such as `192.0.2.0/24`; an address alone is a network of one."""

    def parse(self, value: Any) -> str:
        if value == "default":
            return "default"
        try:
            if not isinstance(value, str):
                raise ValueError
            network = ipaddress.ip_network(value.strip(), strict=False)
        except ValueError:
            raise BadValue(f"{_shown(value)} is neither 'default' nor a network such as 192.0.2.0/24") from None
        if ipaddress.ip_interface(value.strip()).ip != network.network_address:
            raise BadValue(f"{_shown(value)} has bits set behind its prefix, the network is {network}")
        return f"{spelled(network.network_address)}/{network.prefixlen}"


class Account(Type):
    """A user or a group, by name or by number. Canonical is the name that the host has for the number."""

    def __init__(self, group: bool = False) -> None:
        self.group = group

    def parse(self, value: Any) -> str:
        what = "group" if self.group else "user"
        if value == "":
            return ""
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            raise BadValue(f"{_shown(value)} is not the name or the number of a {what}")
        word = str(value)
        if re.fullmatch(r"[0-9]+", word):
            if int(word) >= 2**32 - 1:
                raise BadValue(f"{word} is not the number of a {what}")
            return self.decode(int(word))
        try:
            return self.decode(grp.getgrnam(word).gr_gid if self.group else pwd.getpwnam(word).pw_uid)
        except KeyError:
            raise BadValue(f"this host knows no {what} {word!r}") from None

    def encode(self, value: str) -> int:
        if value.isdigit():
            return int(value)
        return grp.getgrnam(value).gr_gid if self.group else pwd.getpwnam(value).pw_uid

    def decode(self, raw: Any) -> str:
        if raw is None or raw in (-1, 2**32 - 1):
            return ""
        try:
            return grp.getgrgid(raw).gr_name if self.group else pwd.getpwuid(raw).pw_name
        except KeyError:
            return str(raw)


class ListOf(Type):
    """A list without order or duplicates; canonical is a tuple in the order in which it was written."""

    def __init__(self, element: Type) -> None:
        self.element = element
        self.spec = {"type": "list", "elements": element.spec["type"]}

    def parse(self, value: Any) -> Sequence[Any]:
        if not isinstance(value, (list, tuple)):
            value = [part for part in str(value).split(",") if part]
        found = []
        for item in value:
            if item is None:
                raise BadValue("null is not an element of a list")
            parsed = self.element.parse(item)
            if parsed not in found:
                found.append(parsed)
        return tuple(found)

    def joined(self, found: Sequence[Any], value: Sequence[Any]) -> Sequence[Any]:
        """What is `found`, and `value` besides."""
        return (*found, *(item for item in value if item not in found))

    def text(self, value: Sequence[Any]) -> str:
        return " ".join(self.element.text(item) for item in value)

    def same(self, wanted: Any, found: Any) -> bool:
        return set(wanted) == set(found or ())


def quoted(value: str) -> str:
    """`value` as a word of a POSIX shell's command line."""
    return value if re.fullmatch(r"[A-Za-z0-9_./:@%+=,-]+", value) else "'" + value.replace("'", "'\\''") + "'"
