# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""Reading the tables' rows that are asked about: messages to values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from . import desired, netlink, read_links, wire
from .kinds.rule import shown_mark
from .rows import BEYOND_OPTIONS, FIRST_RULES, INVERTED, IP_PROTOCOLS, RULE_ACTIONS, Row, RowKey, Rule, places

FAMILIES = {4: 2, 6: 10}
"""AF_INET and AF_INET6."""


def read(reader: read_links.LinkReader, made: Iterable[RowKey]) -> None:
    """Read what the wants, and the rows that a topology `made`, are about."""
    wants = [want for want in reader.wants if isinstance(want, desired.RowWant)]
    keys = {want.key for want in wants} | set(made)
    for key in keys:
        if key[0] in ("route", "neighbor") or key in made:
            reader.state.rows.setdefault(key, None)
    places: dict[tuple[str, str], set[RowKey]] = {}
    for key in keys:
        places.setdefault(key[:2], set()).add(key)
    for (kind, netns), asked in sorted(places.items()):
        if reader.state.has_netns(netns):
            if kind == "fdb":
                fdb_rows(reader, netns, asked, {want.said.get("dst", "") for want in wants if not want.absent})
            elif kind in READERS:
                READERS[kind](reader, netns, asked)
        elif any(want.key in asked and not want.absent for want in wants) and kind == "rule":
            # By the time of the first rule somebody has made the namespace, and these are there.
            reader.state.rows.update({rule.key(netns): rule for rule in FIRST_RULES})


def route_rows(reader: read_links.LinkReader, netns: str, keys: set[RowKey]) -> None:
    """The routes that are asked about, table by table. Of several with the same key it is the one that a want describes, or else the first.

    That is the one that packets take, and that the kernel replaces. Where they shall be absent it is all of them.
    """
    wants = {want.key: want for want in reader.wants if isinstance(want, desired.RowWant)}
    rows = reader.state.rows
    for family, table in sorted({key[2:4] for key in keys}):
        for message in reader.host.socket(netns).routes(FAMILIES[family], table=table, by_kernel=False):
            if read_links.made_by_somebody(message):
                route = reader.route(netns, message)
                key = route.key(netns)
                want, known = wants.get(key), rows.get(key)
                if known and want and want.absent:
                    place = (*key, f"another {len(places(key, rows))}")
                    rows[place] = route
                    continue
                if known and not (want and differs(want, known) and not differs(want, route)):
                    continue
                if key in keys:
                    rows[key] = route


def differs(want: desired.RowWant, row: Row) -> bool:
    """Whether a row is not the one that a want describes."""
    return want.kind.differs(want.said, row, want.absent)


def rule_rows(reader: read_links.LinkReader, netns: str, keys: set[RowKey]) -> None:
    """All rules of the families, as it takes them all to say which priority comes next."""
    for family in sorted({key[3] for key in keys}):
        for message in reader.host.socket(netns).rules(FAMILIES[family]):
            priority = message.get_attr("FRA_PRIORITY") or 0
            rule = rule_value(message) or Rule(priority, family, action=BEYOND_OPTIONS)
            # In the kernel's order.
            reader.state.rows.pop(rule.key(netns), None)
            reader.state.rows[rule.key(netns)] = rule


def neighbor_rows(reader: read_links.LinkReader, netns: str, keys: set[RowKey]) -> None:
    """The permanent neighbors that are asked about."""
    sock = reader.host.socket(netns)
    found = [(message, read_links.neighbor_value(message)) for message in sock.neighbors()]
    if any("proxy" in key for key in keys):
        found += [(message, read_links.neighbor_of(message)) for message in sock.proxies()]
    for message, neighbor in found:
        if neighbor:
            key = neighbor.key(netns, reader.name_at(netns, message["ifindex"]))
            if key in keys:
                reader.state.rows[key] = neighbor


def fdb_rows(reader: read_links.LinkReader, netns: str, keys: set[RowKey], destinations: set[str]) -> None:
    """The static entries of the MACs that are asked about, on any device, as a bridge has one for each MAC and VLAN.

    VXLAN's default destination is among them only where one of `destinations` is that: it is an option of the device.
    """
    macs = {key[3] for key in keys}
    for message in reader.host.socket(netns).fdb():
        if message.get_attr("NDA_LLADDR") not in macs:
            continue
        link = reader.link(netns, reader.name_at(netns, message["ifindex"]))
        entry = reader.fdb_entry(link, message) if link else None
        if link and entry and (entry.dst in destinations or not reader.by_option(link, entry)):
            reader.state.rows[entry.key(netns, link.name)] = entry


READERS = {"route": route_rows, "rule": rule_rows, "neighbor": neighbor_rows}


def rule_value(message: Any) -> Rule | None:
    """A rule message as a value, None for one that has more to it than the options can say."""
    attrs = netlink.attributes_of(message)
    if message["action"] not in ACTIONS or any(
        number not in READ and (number, content) not in WHOLE_PORTS
        for number, content in wire.attributes(message.data, 28)
    ):
        return None
    if attrs.get("FRA_SUPPRESS_IFGROUP", NO_SUPPRESSION) != NO_SUPPRESSION:
        return None
    suppressed = attrs.get("FRA_SUPPRESS_PREFIXLEN", NO_SUPPRESSION)
    ipproto = attrs.get("FRA_IP_PROTO") or 0
    source, destination = attrs.get("FRA_SRC"), attrs.get("FRA_DST")
    return Rule(
        attrs.get("FRA_PRIORITY") or 0,
        4 if message["family"] == FAMILIES[4] else 6,
        f"{source}/{message['src_len']}" if source else "",
        f"{destination}/{message['dst_len']}" if destination else "",
        attrs.get("FRA_IIFNAME") or "",
        attrs.get("FRA_OIFNAME") or "",
        shown_mark(attrs.get("FRA_FWMARK"), attrs.get("FRA_FWMASK")),
        attrs.get("FRA_TABLE") or message["table"],
        tos=f"{message['tos']:#x}" if message["tos"] else "",
        ipproto=PROTOCOL_NAMES.get(ipproto, str(ipproto)) if ipproto else "",
        sport=span(attrs.get("FRA_SPORT_RANGE")),
        dport=span(attrs.get("FRA_DPORT_RANGE")),
        uidrange=span(attrs.get("FRA_UID_RANGE")),
        inverted="not" if message["flags"] & INVERTED else "",
        action=ACTIONS[message["action"]],
        suppress_prefixlength="" if suppressed == NO_SUPPRESSION else str(suppressed),
        protocol=attrs.get("FRA_PROTOCOL") or 0,
    )


def span(text: str | None) -> str:
    """A range as iproute2 writes it; pyroute2 joins its ends by a colon."""
    first, _colon, last = (text or "").partition(":")
    return first if first == last else f"{first}-{last}"


READ = frozenset((1, 2, 3, 6, 10, 13, 14, 15, 16, 17, 18, 20, 21, 22, 23, 24))
"""The attributes of rules that are read here (FRA_* of include/uapi/linux/fib_rules.h). One with others is about fewer packets, or does more."""
WHOLE_PORTS = tuple((number, b"\xff\xff") for number in (28, 29))
"""FRA_SPORT_MASK and FRA_DPORT_MASK as the kernel adds them to each single port."""
ACTIONS = {number: word for word, number in RULE_ACTIONS.items()}
PROTOCOL_NAMES = {number: word for word, number in IP_PROTOCOLS.items()}
NO_SUPPRESSION = 0xFFFFFFFF
