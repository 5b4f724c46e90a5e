# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""Operations on rows of tables to kernel. Part of apply.py; each kind of row is one message, whatever is done with it."""

from __future__ import annotations

import errno
import struct
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Callable

from . import attachments, errors, netlink
from .host import Host
from .kinds.base import Attributes
from .rows import INVERTED, IP_PROTOCOLS, NTF_STICKY, ONLINK, PERMANENT, RULE_ACTIONS, Fdb, Neighbor, Route, Rule
from .state import IFA_F_TENTATIVE

AF_INET, AF_INET6 = 2, 10
NTF_SELF, NTF_MASTER = 2, 4
RTA_EXPIRES, RTA_NH_ID = 23, 30
DETECTION = 3
"""Seconds within which duplicate address detection comes to an end, unless somebody has made it longer, or there is no carrier."""


def said(**attrs: Any) -> Attributes:
    """The attributes that have a value."""
    return [(name, value) for name, value in attrs.items() if value]


def family_of(row: Route | Rule | Neighbor) -> int:
    """AF_INET or AF_INET6."""
    return AF_INET if row.family == 4 else AF_INET6


def route(host: Host, netns: str, _device: str, row: Route) -> bytes:
    """See rtnetlink(7)."""
    destination, _slash, prefix = row.destination.partition("/")
    senders, _slash, source_length = row.senders.partition("/")
    fields = {
        "family": family_of(row),
        "dst_len": int(prefix or 0),
        "src_len": int(source_length or 0),
        "table": row.table if row.table < 256 else 0,
        "proto": row.protocol,
        "scope": row.scope,
        "type": row.type,
        "flags": row.flags,
        "tos": row.tos,
    }
    rest = row.rest
    if row.nexthop_id:
        rest += ((RTA_NH_ID, struct.pack("=I", row.nexthop_id)),)
    if row.expires:
        rest += ((RTA_EXPIRES, struct.pack("=I", row.expires)),)
    hops = [
        {
            "hops": weight - 1,
            "oif": host.index(netns, device) if device else 0,
            "flags": row.flags & ONLINK,
            "attrs": leads_to(row, gateway),
        }
        for gateway, device, weight in row.nexthops
    ]
    attrs = said(
        RTA_TABLE=row.table if row.table > 255 else 0,
        RTA_DST="" if destination == "default" else destination,
        RTA_SRC=senders,
        RTA_PREFSRC=row.source,
        RTA_PRIORITY=row.metric,
    )
    if not row.nexthop_id:  # which says itself where it leads
        attrs += said(RTA_OIF=host.index(netns, row.device) if row.device else 0, RTA_MULTIPATH=hops)
        attrs += leads_to(row, row.gateway)
    return netlink.extended(netlink.route_message(fields, attrs), rest)


def leads_to(row: Route, gateway: str) -> Attributes:
    """The attribute for a gateway, which is another one where that is not of the route's family."""
    if row.family == 4 and ":" in gateway:
        return [("RTA_VIA", {"family": AF_INET6, "addr": gateway})]
    return said(RTA_GATEWAY=gateway)


def rule(_host: Host, _netns: str, _device: str, row: Rule) -> bytes:
    """See include/uapi/linux/fib_rules.h."""
    source, _slash, source_length = row.source.partition("/")
    destination, _slash, destination_length = row.destination.partition("/")
    mark, _slash, mask = row.fwmark.partition("/")
    fields = {
        "family": family_of(row),
        "src_len": int(source_length or 0),
        "dst_len": int(destination_length or 0),
        "table": row.table if row.table < 256 else 0,
        "tos": int(row.tos or "0", 16),
        "action": RULE_ACTIONS[row.action],
        "flags": INVERTED if row.inverted else 0,
    }
    attrs: Attributes = [("FRA_PRIORITY", row.priority), ("FRA_TABLE", row.table), ("FRA_PROTOCOL", row.protocol)]
    attrs += said(FRA_SRC=source, FRA_DST=destination, FRA_IIFNAME=row.iif, FRA_OIFNAME=row.oif)
    if mark:
        attrs += [("FRA_FWMARK", int(mark, 16)), ("FRA_FWMASK", int(mask or "0xffffffff", 16))]
    if row.ipproto:
        attrs.append(("FRA_IP_PROTO", IP_PROTOCOLS.get(row.ipproto) or int(row.ipproto)))
    for name, span in (
        ("FRA_SPORT_RANGE", row.sport),
        ("FRA_DPORT_RANGE", row.dport),
        ("FRA_UID_RANGE", row.uidrange),
    ):
        first, _dash, last = span.partition("-")
        attrs += said(**{name: f"{first}:{last or first}" if span else ""})
    if row.suppress_prefixlength:
        attrs.append(("FRA_SUPPRESS_PREFIXLEN", int(row.suppress_prefixlength)))
    return netlink.rule_message(fields, attrs)


def neighbor(host: Host, netns: str, device: str, row: Neighbor) -> bytes:
    """See include/uapi/linux/neighbour.h."""
    fields = {"family": family_of(row), "ifindex": host.index(netns, device), "state": PERMANENT, "flags": row.flags}
    return netlink.neighbor_message(fields, said(NDA_DST=row.address, NDA_LLADDR=row.mac, NDA_PROTOCOL=row.protocol))


def fdb(host: Host, netns: str, device: str, row: Fdb) -> bytes:
    """The same, of a bridge or of the device itself."""
    fields = {
        "family": netlink.AF_BRIDGE,
        "ifindex": host.index(netns, device),
        "state": row.state,
        "flags": (NTF_MASTER if row.master else NTF_SELF) | NTF_STICKY * row.sticky,
    }
    via = host.index(netns, row.via) if row.via else 0
    attrs = said(
        NDA_LLADDR=row.mac,
        NDA_DST=row.dst,
        NDA_PORT=row.port,
        NDA_VNI=row.vni,
        NDA_SRC_VNI=row.src_vni,
        NDA_VLAN=row.vlan,
        NDA_IFINDEX=via,
    )
    return netlink.neighbor_message(fields, attrs)


def macs_taken(host: Host, netns: str, index: int) -> list[str]:
    """The MACs for which a device without an FDB takes frames beside its own, for what stands on it or as somebody told it."""
    found = []
    for message in host.socket(netns).fdb(index):
        mac = message.get_attr("NDA_LLADDR")
        itself = message["flags"] & NTF_SELF and not message.get_attr("NDA_MASTER")
        if mac and message["ifindex"] == index and itself and message["state"] & PERMANENT and not int(mac[:2], 16) & 1:
            found.append(mac)
    return found


def take_mac(host: Host, netns: str, device: str, mac: str) -> None:
    """Let a device take frames for a MAC beside its own."""
    host.socket(netns).request(
        fdb(host, netns, device, Fdb(mac, state=PERMANENT)), netlink.RTM_NEWNEIGH, netlink.NLM_F_CREATE
    )


REQUESTS: Mapping[type, tuple[Callable[[Host, str, str, Any], bytes], int, int]] = {
    Route: (route, netlink.RTM_NEWROUTE, netlink.RTM_DELROUTE),
    Rule: (rule, netlink.RTM_NEWRULE, netlink.RTM_DELRULE),
    Neighbor: (neighbor, netlink.RTM_NEWNEIGH, netlink.RTM_DELNEIGH),
    Fdb: (fdb, netlink.RTM_NEWNEIGH, netlink.RTM_DELNEIGH),
}
"""By kind of row: what makes a message of it, and the requests that make and delete."""


def how(row: Any, replaces: bool, again: bool) -> int:
    """Whether a new row takes the place of another one, stands beside it, or has to be the only one."""
    if isinstance(row, Fdb) and row.many:
        return netlink.NLM_F_CREATE | netlink.NLM_F_APPEND
    if isinstance(row, Route) and again and not row.learned:
        # Another one to the same destination, of the same table and metric, may have stood beside it before.
        return netlink.NLM_F_CREATE | netlink.NLM_F_APPEND
    if isinstance(row, Rule):
        return netlink.NLM_F_CREATE | netlink.NLM_F_EXCL
    if isinstance(row, Route) and row.learned and not replaces:
        return netlink.NLM_F_CREATE  # as the kernel does it: one device's beside another's
    # A neighbor or an FDB entry that was learned gives way.
    return netlink.NLM_F_CREATE | (
        netlink.NLM_F_REPLACE if replaces or isinstance(row, (Neighbor, Fdb)) else netlink.NLM_F_EXCL
    )


def carry_out(host: Host, op: Any) -> None:
    """Do one operation on a row; raise KernelError with the kernel's own words."""
    replaces = isinstance(op, attachments.RowReplace)
    row = op.new if replaces else op.row
    message, new, delete = REQUESTS[type(row)]
    sock = host.socket(op.netns)
    if isinstance(op, attachments.RowDelete):
        sock.request(message(host, op.netns, op.device, row), delete)
        return
    give_up = time.monotonic() + DETECTION
    again = isinstance(row, Route) and not replaces and op.again
    if again and row.family == 6 and len(row.nexthops) > 1:
        # Of IPv6 each way is a route of its own: those over other devices have stayed, and the kernel would take back the rest.
        for hop in row.nexthops:
            carry_out(host, replace(op, row=row._replace(nexthops=(hop,))))
        return
    while True:
        try:
            sock.request(message(host, op.netns, op.device, row), new, how(row, replaces, again))
        except errors.KernelError as exc:
            if exc.code == errno.EINVAL and has_tentative_source(host, op.netns, row) and time.monotonic() < give_up:
                time.sleep(0.05)
                continue
            # A route over several devices comes back with the first of them. As others may stand beside it, it is this one that is there.
            if exc.code != errno.EEXIST or not again:
                raise
        break
    if replaces and op.beside:
        # There is no request that changes one: the new one stands beside the old for a moment.
        sock.request(message(host, op.netns, op.device, op.old), delete)


def has_tentative_source(host: Host, netns: str, row: Any) -> bool:
    """Whether a route's source is an address that still goes through duplicate address detection: it is refused until then."""
    if not isinstance(row, Route) or row.family == 4 or not row.source:
        return False
    found = ((message, netlink.attributes_of(message)) for message in host.socket(netns).addresses())
    return any(
        attrs.get("IFA_ADDRESS") == row.source and (attrs.get("IFA_FLAGS") or message["flags"]) & IFA_F_TENTATIVE
        for message, attrs in found
    )
