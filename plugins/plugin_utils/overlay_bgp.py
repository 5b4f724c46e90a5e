# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""What role vxlan_overlay writes into FRR's file, so that hosts tell each other by BGP EVPN what is behind them (RFC 8365)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .layouts import Address, Problem

ASN = "vxlan_overlay_asn"
REFLECTORS = "vxlan_overlay_route_reflectors"
HIGHEST_ASN = (1 << 32) - 2
MARK = "linuxnet.vnet "
"""What the marks of our blocks begin with, after which comes the name of the topology."""

INSTANCE = re.compile(r"^router bgp ([0-9.]+)\s*$", re.MULTILINE)
"""The head of a BGP instance that is in no VRF, of which there can be one."""


class Bgp(NamedTuple):
    """What hosts speak BGP with: one AS for all, who passes on what he hears, and `text`, FRR's file as it is."""

    asn: int
    reflectors: Sequence[str]
    text: str


def asked(asn: Any, reflectors: Sequence[Any], text: str) -> Bgp:
    """What the variables say of BGP; Problem where it is none."""
    try:
        number = int(asn)
    except (TypeError, ValueError):
        raise Problem(f"{ASN}: {asn!r} is no AS number") from None
    return Bgp(number, [str(name) for name in reflectors], text)


def block(bgp: Bgp, mark: str, host: str, own: Address, others: Mapping[str, Address]) -> str:
    """The lines for one host, which are in the file between `BEGIN` and `END` of that mark; Problem where these or the file's can't be."""
    if not 1 <= bgp.asn <= HIGHEST_ASN:
        raise Problem(f"{ASN}: {bgp.asn} is no AS number, which are 1 to {HIGHEST_ASN}")
    for name in bgp.reflectors:
        if name != host and name not in others:
            raise Problem(f"{REFLECTORS}: {name} is none of the hosts that share the segments")
    for asn in _instances(bgp.text, re.escape(mark)):
        if asn != bgp.asn:
            raise Problem(
                f"{ASN}: FRR's file has a 'router bgp {asn}' already, and can't have one of {bgp.asn} beside it: give all hosts"
                f" {asn}, or configure FRR yourself, with vxlan_overlay_frr: false"
            )
    peers = {name: others[name] for name in _peers(bgp, host, others)}
    lines = [f"router bgp {bgp.asn}"]
    # Who has an instance of his own has said, or not, who he is there.
    lines += [] if _instances(bgp.text, r"\S+") else [f" bgp router-id {own}"]
    for address in peers.values():
        lines += [f" neighbor {address} remote-as {bgp.asn}", f" neighbor {address} update-source {own}"]
    # Only segments are spoken of: the hosts' own routes are somebody else's.
    lines += [" address-family ipv4 unicast", *(f"  no neighbor {address} activate" for address in peers.values())]
    lines += [" exit-address-family", " address-family l2vpn evpn"]
    for name, address in peers.items():
        lines.append(f"  neighbor {address} activate")
        if host in bgp.reflectors and name not in bgp.reflectors:
            lines.append(f"  neighbor {address} route-reflector-client")
    lines += ["  advertise-all-vni", "  advertise-svi-ip", " exit-address-family", "exit"]
    return "\n".join(lines)


def has_block(text: str, mark: str) -> bool:
    """Whether a block of that mark is in the file."""
    return f"! BEGIN {MARK}{mark}" in text.splitlines()


def _peers(bgp: Bgp, host: str, others: Mapping[str, Address]) -> list[str]:
    """With whom a host speaks: with all, or with those that pass on what they hear, who do so with all."""
    told = bgp.reflectors if bgp.reflectors and host not in bgp.reflectors else others
    return sorted((name for name in told if name != host), key=lambda name: int(others[name]))


def _instances(text: str, mark: str) -> list[int]:
    """The AS numbers of a file's instances, outside of the blocks of such a mark."""
    return [_number(word) for word in INSTANCE.findall(_between(mark).sub("", text))]


def _between(mark: str) -> re.Pattern[str]:
    """What finds the blocks of such a mark, and what is in each."""
    return re.compile(rf"^! BEGIN {MARK}{mark}\n(.*?)^! END {MARK}{mark}$", re.MULTILINE | re.DOTALL)


def _number(word: str) -> int:
    """An AS number, also from its form with a dot (RFC 5396)."""
    high, _dot, low = word.rpartition(".")
    return (int(high or 0) << 16) + int(low)


# From the file as it is to FRR that runs. Its own reload would do more: what the file doesn't speak of it sets back, and forwarding it turns on.

Said = tuple[tuple[str, ...], str]
"""A line of configuration, after those within which it is."""


def changes(text: str, mark: str, wanted: str) -> list[list[str]]:
    """What FRR has to be told, in the mode of configuration, when the block of that mark in its file becomes `wanted`, "" for none.

    The last list of commands is that block. Each before it takes one thing back, which may be gone already.
    """
    found = _between(re.escape(mark)).search(text)
    before = found[1] if found else ""
    if before.strip() == wanted.strip():
        return []
    rest = said(text.replace(found[0], "") if found else text)
    gone = [each for each in said(before) if each not in said(wanted) and each not in rest]
    return [*_unsaid(gone, rest), wanted.splitlines()]


def said(text: str) -> list[Said]:
    """All lines of BGP instances, and their heads."""
    lines: list[Said] = []
    within: tuple[str, ...] = ()
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith("router ") or (line and not raw[0].isspace() and line[0] not in "!#"):
            within = (line,) if line.startswith("router bgp ") else ()
            lines += [((), line)] if within else []
        elif within and line.startswith("address-family "):
            within = (within[0], line)
        elif line == "exit-address-family":
            within = within[:1]
        elif within and line and line[0] not in "!#":
            lines.append((within, line))
    return lines


def _unsaid(gone: Sequence[Said], rest: Sequence[Said]) -> list[list[str]]:
    """What takes lines back, of which others are the user's."""
    heads = [line for within, line in gone if not within]
    commands = [[f"no {head}"] for head in heads]
    gone = [(within, line) for within, line in gone if within and within[0] not in heads]
    # With a neighbor goes what is said of it, so one of whom the user speaks as well stays.
    theirs = {line.split()[1] for _within, line in rest if line.startswith("neighbor ")}
    neighbors = {line.split()[1] for _within, line in gone if " remote-as " in line} - theirs
    for within, line in gone:
        words = line.removeprefix("no ").split()
        is_neighbor = " remote-as " in line
        if words[0] == "neighbor" and (
            is_neighbor if words[1] in theirs else words[1] in neighbors and not is_neighbor
        ):
            continue
        if is_neighbor:
            words = words[:2]
        verb = [] if line.startswith("no ") else ["no"]
        commands.append([*within, " ".join([*verb, *words])])
    return commands
