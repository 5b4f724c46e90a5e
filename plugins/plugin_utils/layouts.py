# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""What the filters of the roles have in common: names and MACs that stay, addresses, and what `vnet_info` has found.

All is pure: variables and what was found on the host go in, and entries of `vnet_topology` come out.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Union

Interface = Union[ipaddress.IPv4Interface, ipaddress.IPv6Interface]
Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]
Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]

DEVICE_BYTES = 15
PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


class Problem(ValueError):
    """What is wrong with the variables, in one sentence that begins with the variable's name."""


def device_name(prefix: str, name: str) -> str:
    """A device's name of at most 15 bytes: the prefix and `name`, shortened where it takes more, ended by a hash of it then.

    It depends on nothing else, so it stays when others come and go.
    """
    whole = prefix + name
    if len(whole) <= DEVICE_BYTES:
        return whole
    mark = hashlib.sha256(name.encode()).hexdigest()[:4]
    return f"{whole[: DEVICE_BYTES - len(mark) - 1]}-{mark}"


def derived_mac(*words: str) -> str:
    """A MAC, locally administered, that is always the same for the same words."""
    digest = hashlib.sha256("\0".join(words).encode()).digest()
    return ":".join(f"{octet:02x}" for octet in (0x02, *digest[:5]))


def plain(variable: str, value: Any, what: str) -> str:
    """A name of letters, digits, `_`, `.` and `-`, which is safe as a file's and in nft; or Problem."""
    text = str(value)
    if not PLAIN.fullmatch(text):
        raise Problem(
            f"{variable}: {text!r} can't be {what}: letters, digits, '_', '.' and '-' make one, but neither of the last two is its first"
        )
    return text


def unique(variable: str, entries: Sequence[Mapping[str, Any]], key: str) -> None:
    """Raise Problem where two entries have the same value."""
    seen: set[str] = set()
    for entry in entries:
        value = str(entry[key])
        if value in seen:
            raise Problem(f"{variable}: two entries have the {key} {value!r}")
        seen.add(value)


def interface(variable: str, text: Any) -> Interface:
    """An address with its prefix, which can be a host's own; or Problem."""
    try:
        found = ipaddress.ip_interface(str(text))
    except ValueError:
        raise Problem(f"{variable}: {text!r} is no address with a prefix length, such as '192.168.9.1/24'") from None
    if found.network.num_addresses < 4 or "/" not in str(text):
        raise Problem(
            f"{variable}: {text} has no room for others beside it: it takes a prefix length, as in '192.168.9.1/24'"
        )
    if found.ip in unusable(found.network):
        raise Problem(
            f"{variable}: {text} is no host's address in {found.network}, but stands for all of it: take the next one to it"
        )
    return found


def unusable(network: Network) -> tuple[Address, ...]:
    """The addresses of a network that no host can have: the network's, and in IPv4 the broadcast one."""
    return (network[0], network[-1]) if network.version == 4 else (network[0],)


def address_in(variable: str, name: str, text: Any, gateway: Interface) -> Address:
    """The address that was given for `name`, with or without the prefix length; or Problem."""
    try:
        given = ipaddress.ip_interface(str(text))
    except ValueError:
        raise Problem(f"{variable}: {name} has {text!r}, which is no address") from None
    address: Address = given.ip
    if given.version != gateway.version or address not in gateway.network:
        raise Problem(
            f"{variable}: {name} has {address}, which is not in {gateway.network}, the network of the gateway {gateway.ip}"
        )
    if "/" in str(text) and given.network != gateway.network:
        raise Problem(
            f"{variable}: {name} has {given}, but the gateway's prefix length is {gateway.network.prefixlen}: leave it away"
        )
    if address in unusable(gateway.network):
        raise Problem(f"{variable}: {name} has {address}, which stands for all of {gateway.network}")
    if address == gateway.ip:
        raise Problem(f"{variable}: {name} has {address}, which is the gateway's own")
    return address


class Allocation:
    """Who has which address of the gateway's network."""

    def __init__(self, variable: str, gateway: Interface) -> None:
        self.variable = variable
        self.gateway = gateway
        self.owners: dict[Address, str] = {}
        self.found: dict[str, Interface] = {}

    def give(self, name: str, address: Address) -> None:
        """Give an address to one who has none; Problem where it is somebody else's."""
        if address in self.owners:
            raise Problem(f"{self.variable}: {self.owners[address]} and {name} both have the address {address}")
        self.owners[address] = name
        self.found[name] = ipaddress.ip_interface(f"{address}/{self.gateway.network.prefixlen}")

    def keep(self, name: str, texts: Iterable[Any]) -> None:
        """Give it the first of its former addresses that is of this network and nobody else's."""
        for text in texts:
            try:
                self.give(name, address_in(self.variable, name, text, self.gateway))
            except Problem:
                continue  # what was there does not fit any more
            return

    def give_free(self, names: Sequence[str]) -> None:
        """Give the next free addresses; Problem where there are too few."""
        network = self.gateway.network
        taken = {*self.owners, self.gateway.ip, *unusable(network)}
        # No more of them than it may take: there are networks whose addresses can't be listed.
        addresses: Iterator[Address] = iter(network)
        free = (address for address in islice(addresses, len(taken) + len(names)) if address not in taken)
        for name in names:
            address = next(free, None)
            if address is None:
                raise Problem(f"{self.variable}: {network} has no address left for {name}")
            self.give(name, address)


def allocate(
    variable: str,
    entries: Sequence[Mapping[str, Any]],
    key: str,
    gateway: Interface,
    existing: Mapping[str, Sequence[Any]],
) -> dict[str, Interface]:
    """Addresses for all entries, by name: the one given under `key`, else one that it has already, else the next free one.

    `existing` are the addresses that were found for each name, the best first. An entry that has an address keeps it,
    whatever comes before it. Raises Problem.
    """
    allocation = Allocation(variable, gateway)
    names = [str(entry["name"]) for entry in entries]
    for name, entry in zip(names, entries):
        if entry.get(key) not in (None, ""):
            allocation.give(name, address_in(variable, name, entry[key], gateway))
    for name in names:
        if name not in allocation.found:
            allocation.keep(name, existing.get(name, ()))
    allocation.give_free([name for name in names if name not in allocation.found])
    return allocation.found


# What vnet_info has found


def links_of(found: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """The host's devices, by name."""
    links: Mapping[str, Mapping[str, Any]] = found.get("host", {}).get("links", {})
    return links


def default_device(found: Mapping[str, Any]) -> str | None:
    """The device of the default route with the lowest metric, IPv4's before IPv6's; None where there is none."""
    routes = [route for route in found.get("host", {}).get("routes", ()) if route["destination"] == "default"]
    routes = [
        route for route in routes if route.get("table", "main") == "main" and route.get("type", "unicast") == "unicast"
    ]
    for route in sorted(routes, key=lambda route: (route["family"], route.get("metric", 0))):
        for hop in (route, *(route.get("nexthops") or ())):
            if hop.get("device"):
                return str(hop["device"])
    return None


def networks_on(link: Mapping[str, Any]) -> Iterable[Network]:
    """The networks that a device has addresses in."""
    return [ipaddress.ip_interface(text).network for text in link.get("addresses", ())]
