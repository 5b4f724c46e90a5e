# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hot messages by struct: pyroute2 has to read what we write, and to write what we read."""

from __future__ import annotations

import copy
import gc
from socket import AF_INET6, inet_ntop
from typing import Any

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils import netlink, wire
from hypothesis import given
from hypothesis import strategies as st
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
from pyroute2.netlink.rtnl.rtmsg import rtmsg

NUMBERS = st.integers(0, 2**32 - 1)
BYTES = st.integers(0, 255)
TEXTS = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_.", min_size=1, max_size=15)
MACS = st.binary(min_size=6, max_size=6).map(lambda raw: raw.hex(":"))
IPV4 = st.ip_addresses(v=4).map(str)
IPV6 = st.ip_addresses(v=6).map(lambda address: inet_ntop(AF_INET6, address.packed))


def some_of(**values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[tuple[str, Any]]]:
    """Some of these attributes, as the list that messages take."""
    chosen = st.fixed_dictionaries({}, optional=values)
    return chosen.map(lambda found: list(found.items()))


LINKS = some_of(
    IFLA_IFNAME=TEXTS, IFLA_ADDRESS=MACS, IFLA_MTU=NUMBERS, IFLA_MASTER=NUMBERS, IFLA_IFALIAS=TEXTS, IFLA_GROUP=NUMBERS,
    IFLA_NET_NS_FD=NUMBERS, IFLA_NUM_TX_QUEUES=NUMBERS, IFLA_NUM_RX_QUEUES=NUMBERS,
)  # fmt: skip


def read_by_pyroute2(message_class: Any, data: bytes) -> dict[str, Any]:
    message = message_class(data)
    message.decode()
    return netlink.attributes_of(message)


def written_by_pyroute2(message_class: Any, fields: dict[str, int], attrs: list[tuple[str, Any]]) -> bytes:
    message = message_class()
    for name, value in fields.items():
        message[name] = value
    message["attrs"] = copy.deepcopy(attrs)  # it adds to what it is given
    message.encode()
    return bytes(message.data)


@given(LINKS)
def test_links_are_written_as_pyroute2_reads_them(attrs: list[tuple[str, Any]]) -> None:
    data = wire.LINK.encode({"index": 7, "flags": 1, "change": 1}, attrs)
    message = ifinfmsg(data)
    message.decode()
    assert (message["index"], message["flags"], message["change"]) == (7, 1, 1)
    assert message["header"]["length"] == len(data)
    assert netlink.attributes_of(message) == dict(attrs)


@given(LINKS, LINKS)
def test_a_pair_is_written_as_pyroute2_writes_it(attrs: list[tuple[str, Any]], peer: list[tuple[str, Any]]) -> None:
    data = [("IFLA_INFO_KIND", "veth"), ("IFLA_INFO_DATA", {"attrs": [("VETH_INFO_PEER", {"attrs": peer})]})]
    whole = [*attrs, ("IFLA_LINKINFO", {"attrs": data})]
    ours = wire.attributes(wire.LINK.encode({}, whole), 32)
    theirs = wire.attributes(written_by_pyroute2(ifinfmsg, {}, whole), 32)
    assert [flat(*one) for one in ours] == [flat(*one) for one in theirs]


def flat(number: int, content: bytes) -> Any:
    """An attribute with what is nested in it, without the flags and the padding of text in which writers differ."""
    if number == 18:
        return number, [(inner, flat_data(raw)) for inner, raw in wire.attributes(content)]
    return number, content.rstrip(b"\0")


def flat_data(content: bytes) -> Any:
    if content.startswith(b"veth"):
        return "veth"
    ((number, peer),) = wire.attributes(content)
    return number, peer[:16], [flat(*one) for one in wire.attributes(peer, 16)]


@pytest.mark.parametrize("addresses", [IPV4, IPV6], ids=["IPv4", "IPv6"])
def test_addresses_both_ways(addresses: st.SearchStrategy[str]) -> None:
    cache = st.fixed_dictionaries(dict.fromkeys(("ifa_preferred", "ifa_valid", "cstamp", "tstamp"), NUMBERS))
    attrs = some_of(
        IFA_LOCAL=addresses, IFA_ADDRESS=addresses, IFA_BROADCAST=addresses, IFA_LABEL=TEXTS, IFA_CACHEINFO=cache, IFA_FLAGS=NUMBERS,
        IFA_RT_PRIORITY=NUMBERS,
    )  # fmt: skip

    @given(attrs)
    def both_ways(attrs: list[tuple[str, Any]]) -> None:
        fields = {"family": 2 if addresses is IPV4 else 10, "prefixlen": 24, "scope": 253, "index": 9}
        agree(wire.ADDRESS, ifaddrmsg, fields, attrs)

    both_ways()


@pytest.mark.parametrize("addresses", [IPV4, IPV6], ids=["IPv4", "IPv6"])
def test_routes_both_ways(addresses: st.SearchStrategy[str]) -> None:
    attrs = some_of(
        RTA_DST=addresses, RTA_GATEWAY=addresses, RTA_PREFSRC=addresses, RTA_OIF=NUMBERS, RTA_PRIORITY=NUMBERS, RTA_TABLE=NUMBERS,
        RTA_PREF=BYTES, RTA_VIA=IPV6.map(lambda address: {"family": 10, "addr": address}),
    )  # fmt: skip

    @given(attrs)
    def both_ways(attrs: list[tuple[str, Any]]) -> None:
        fields = {
            "family": 2 if addresses is IPV4 else 10,
            "dst_len": 8,
            "table": 254,
            "proto": 4,
            "scope": 0,
            "type": 1,
            "flags": 4,
        }
        agree(wire.ROUTE, rtmsg, fields, attrs)

    both_ways()


def agree(shape: wire.Shape, message_class: Any, fields: dict[str, int], attrs: list[tuple[str, Any]]) -> None:
    """We read what pyroute2 writes, and pyroute2 what we write."""
    ours = shape.decode(written_by_pyroute2(message_class, fields, attrs))
    assert {name: ours[name] for name in fields} == fields
    assert netlink.attributes_of(ours) == dict(attrs)
    assert all(ours.get_attr(name) == value for name, value in attrs)
    theirs = read_by_pyroute2(message_class, shape.encode(fields, attrs))
    assert {name: plain(value) for name, value in theirs.items()} == dict(attrs)


def plain(value: Any) -> Any:
    """A value as a dict of its own where pyroute2 has a class for it."""
    return (
        {name: value[name] for name in value if name not in ("attrs", "header")} if isinstance(value, dict) else value
    )


def test_what_is_in_no_table_goes_through_pyroute2_whole() -> None:
    with pytest.raises(wire.Unknown):
        wire.LINK.encode({}, [("IFLA_IFNAME", "x"), ("IFLA_TXQLEN", 7)])
    message = netlink.link_message([("IFLA_IFNAME", "x"), ("IFLA_TXQLEN", 7)])
    assert read_by_pyroute2(ifinfmsg, message) == {"IFLA_IFNAME": "x", "IFLA_TXQLEN": 7}
    hops = [{"hops": 0, "oif": 3, "flags": 0, "attrs": [("RTA_GATEWAY", "192.0.2.1")]}]
    route = written_by_pyroute2(rtmsg, {"family": 2}, [("RTA_MULTIPATH", hops)])
    with pytest.raises(wire.Unknown):
        wire.ROUTE.decode(route)
    read = netlink.decoded("rtmsg", route)
    gc.collect()
    (hop,) = read.get_attr("RTA_MULTIPATH")
    gc.collect()
    assert (hop["oif"], hop.get_attr("RTA_GATEWAY")) == (3, "192.0.2.1")


def test_an_absent_attribute_is_none() -> None:
    assert wire.ROUTE.decode(wire.ROUTE.encode({"family": 2}, [])).get_attr("RTA_DST") is None
