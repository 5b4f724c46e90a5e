# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""Address translation: the options of vnet_nat, and what can be said of them together."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..state import Forward
from ..values import BadValue, Bool, Choice, DeviceName, Ip, ListOf, NetnsName, Type, quoted
from .base import Option

Networks = Sequence[Any]
"""IPv4 and IPv6 networks of the standard library."""


def is_name(text: str) -> bool:
    """Whether an entry can have this name. It goes into that of an nft table, and nft takes more than it can read back."""
    return re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", text) is not None


class NatName(Type):
    """The name of an entry."""

    def parse(self, value: Any) -> str:
        if not isinstance(value, str) or not is_name(value):
            raise BadValue(
                f"{value!r} is not a name of letters, digits, '_', '.' and '-', at most 64 of them"
                + ("" if isinstance(value, str) else ": quote it")
            )
        return value


class Sources(Type):
    """A list of networks. Canonical is the shortest list of networks that has the same addresses in it, in order."""

    spec: Mapping[str, Any] = {"type": "list", "elements": "str"}

    def parse(self, value: Any) -> tuple[str, ...]:
        found = []
        for item in value:
            try:
                network = ipaddress.ip_network(item.strip())
            except (AttributeError, ValueError) as exc:
                said = str(exc)
                why = (
                    "has bits set behind its prefix" if "host bits" in said else "is not a network such as 192.0.2.0/24"
                )
                raise BadValue(f"{item!r} {why}") from None
            if not network.prefixlen or network.is_multicast or network.is_loopback or network.is_link_local:
                raise BadValue(f"{item!r} is not a network that packets are forwarded from")
            found.append(network)
        return collapsed(found)


def collapsed(networks: Networks) -> tuple[str, ...]:
    """The shortest list of networks with the same addresses in it, IPv4 first."""
    return tuple(
        str(network)
        for version in (4, 6)
        for network in ipaddress.collapse_addresses(network for network in networks if network.version == version)
    )


class HostAddress(Ip):
    """The address of one host, such as can stand in packets that are forwarded."""

    def parse(self, value: Any) -> str:
        text: str = super().parse(value)
        address = ipaddress.ip_address(text)
        for is_so, words in (
            (text == "255.255.255.255", "stands for many hosts"),
            (address.is_link_local, "is a link-local address, and packets with such a one are not forwarded"),
            (address.is_loopback, "is a loopback address, whose packets never leave the host"),
        ):
            if is_so:
                raise BadValue(f"{text} {words}: give the address of one host, as others know it")
        return text


class OutInterface(DeviceName):
    """A device's name that nft takes for nothing else: it has wildcards, and sets that begin with an @."""

    def parse(self, value: Any) -> str:
        name = super().parse(value)
        if not re.fullmatch(r"[A-Za-z0-9_.+-][A-Za-z0-9_.@+-]*", name):
            raise BadValue(
                f"{name!r} has characters that mean something to nft: no more than letters, digits and '_.@+-'"
            )
        return name


class Ports(Type):
    """A port, or a range of them. Canonical is a string: `8080` or `8000-8010`."""

    def parse(self, value: Any) -> str:
        match = re.fullmatch(r"([0-9]{1,5})(?:-([0-9]{1,5}))?", str(value).replace(" ", ""))
        if isinstance(value, (bool, float)) or not match:
            raise BadValue(f"{value!r} is neither a port nor a range of ports such as 8000-8010")
        first, last = int(match[1]), int(match[2] or match[1])
        if not 1 <= first <= last <= 65535:
            raise BadValue(f"{value!r} is not between 1 and 65535, or its end is before its beginning")
        return str(first) if first == last else f"{first}-{last}"


def span(ports: str) -> tuple[int, int]:
    """First and last of canonical ports."""
    first, _dash, last = ports.partition("-")
    return int(first), int(last or first)


MOST_OTHER_PORTS = 1024
"""So many ports of a range can lead to other ones: nft keeps each pair, and the command that makes them has to fit a line."""

PROTOCOL = Choice({"tcp": 6, "udp": 17})


class Forwards(Type):
    """A list of port forwards; canonical is a sorted tuple, as their order means nothing."""

    spec: Mapping[str, Any] = {
        "type": "list",
        "elements": "dict",
        "options": {
            "protocol": {"type": "str", "choices": list(PROTOCOL.values), "default": "tcp"},
            "port": {"type": "str", "required": True},
            "to_address": {"type": "str", "required": True},
            "to_port": {"type": "str"},
            "in_address": {"type": "list", "elements": "str"},
        },
    }

    def parse(self, value: Any) -> tuple[Forward, ...]:
        found: list[Forward] = []
        for number, item in enumerate(value):
            try:
                forward = self._one(item)
                for other in found:
                    if clash(forward, other):
                        raise BadValue(f"{forward.protocol} {forward.port} is also forwarded to {other.to_address}")
            except BadValue as exc:
                raise BadValue(f"entry {number}: {exc}") from None
            found.append(forward)
        return tuple(sorted(found))

    def _one(self, item: Any) -> Forward:
        if not isinstance(item, Mapping):
            raise BadValue(f"{item!r} is not a dictionary of options")
        words = {
            name: self._part(name, type_, item[name]) for name, type_ in PARTS.items() if item.get(name) is not None
        }
        for name in ("port", "to_address"):
            if name not in words:
                raise BadValue(f"{name}: it is needed")
        port, to_port = words["port"], words.get("to_port", words["port"])
        (first, last), (to_first, to_last) = span(port), span(to_port)
        if last - first != to_last - to_first:
            raise BadValue(f"to_port: {to_port} has not as many ports as {port}")
        if to_port != port and last - first >= MOST_OTHER_PORTS:
            raise BadValue(
                f"to_port: no more than {MOST_OTHER_PORTS} ports can lead to others, and {port} has {last - first + 1}"
            )
        addresses = tuple(sorted(words.get("in_address", ())))
        for address in addresses:
            if (":" in address) != (":" in words["to_address"]):
                raise BadValue(f"in_address: {address} and {words['to_address']} mix IPv4 and IPv6")
        to_port = "" if to_port == port else to_port
        return Forward(words.get("protocol", "tcp"), port, words["to_address"], to_port, addresses)

    @staticmethod
    def _part(name: str, type_: Type, value: Any) -> Any:
        try:
            return type_.parse(value)
        except BadValue as exc:
            raise BadValue(f"{name}: {exc}") from None


PARTS: dict[str, Type] = {
    "protocol": PROTOCOL,
    "port": Ports(),
    "to_address": HostAddress(),
    "to_port": Ports(),
    "in_address": ListOf(HostAddress()),
}


def clash(one: Forward, other: Forward) -> bool:
    """Whether there are packets that both would forward."""
    (first, last), (other_first, other_last) = span(one.port), span(other.port)
    return (
        one.protocol == other.protocol
        and (":" in one.to_address) == (":" in other.to_address)
        and first <= other_last
        and other_first <= last
        and (not one.in_address or not other.in_address or bool(set(one.in_address) & set(other.in_address)))
    )


def common_ports(one: Forward, other: Forward) -> str:
    """The ports that both are of."""
    ends = list(zip(span(one.port), span(other.port)))
    first, last = max(ends[0]), min(ends[1])
    return str(first) if first == last else f"{first}-{last}"


def is_inside(address: str, networks: Sequence[str]) -> bool:
    """Whether an address is in one of the networks."""
    return any(ipaddress.ip_address(address) in ipaddress.ip_network(network) for network in networks)


class SnatTo(Type):
    """Addresses to translate to, one of a family at most, IPv4 first."""

    spec: Mapping[str, Any] = {"type": "list", "elements": "str"}

    def parse(self, value: Any) -> tuple[str, ...]:
        found = [HostAddress().parse(item) for item in value]
        if len({":" in address for address in found}) < len(found):
            raise BadValue(f"{' and '.join(found)} are of one family, and it takes one address for each")
        return tuple(sorted(found, key=lambda address: ":" in address))


class Interfaces(ListOf):
    """Devices' names; canonical is sorted, as their order means nothing."""

    def __init__(self) -> None:
        super().__init__(OutInterface())

    def parse(self, value: Any) -> tuple[str, ...]:
        return tuple(sorted(super().parse(value)))

    def text(self, value: Sequence[Any]) -> str:
        return " ".join(map(quoted, value))


NAT_IDENTITY = (
    Option("name", NatName(), level="none"),
    Option("netns", NetnsName(), level="none"),
)

NAT_OPTIONS = (
    Option("source", Sources(), level="none"),
    Option("out_interface", Interfaces(), level="none"),
    Option("snat_to", SnatTo(), level="none"),
    Option("port_forwards", Forwards(), level="none"),
    Option("isolate", Bool(), level="none", default=True),
)


def nat_spec() -> dict[str, Any]:
    """Ansible's argument spec of vnet_nat."""
    spec: dict[str, Any] = {option.name: option.argument() for option in NAT_IDENTITY + NAT_OPTIONS}
    spec["name"]["required"] = True
    spec["state"] = {"type": "str", "choices": ["present", "absent"], "default": "present"}
    spec["persist"] = {"type": "bool"}
    return spec


def check(options: Mapping[str, Any]) -> str | None:
    """What can be said of options together."""
    if "source" not in options:
        return None
    if not options["source"]:
        return "source: without a network there is nothing to translate; state 'absent' takes the entry away"
    families = {":" in network for network in options["source"]}
    for address in options.get("snat_to", ()):
        if (":" in address) not in families:
            return f"snat_to: 'source' has no IPv{6 if ':' in address else 4} network that {address} could be for"
    return None
