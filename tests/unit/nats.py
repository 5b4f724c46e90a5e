# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random address translations, as a user might write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ansible_collections.linuxnet.vnet.plugins.module_utils.desired import nat_want
from ansible_collections.linuxnet.vnet.plugins.module_utils.errors import Refused
from hypothesis import assume
from hypothesis import strategies as st

if TYPE_CHECKING:
    from ansible_collections.linuxnet.vnet.plugins.module_utils.desired import NatWant

Entry = dict[str, Any]

NAMES = ("web", "a.b-c_d", "0", "x" * 64)
SOURCES = (
    "192.168.9.0/24",
    "10.0.0.0/25",
    "10.0.0.128/25",
    "10.0.1.0/24",
    "10.0.2.0/24",
    "10.0.2.7",
    "192.0.2.1/32",
    "FD00:9::/64",
    "fd00:a::1",
    "fd00:9::/65",
    "fd00:b::/48",
    "172.16.0.0/12",
)
DEVICES = ("eth0", "wlan0", "br-lan.7", "bond0", "lo", "x@y", "a+b")
PORTS = (1, "22", 80, "8080", "8000-8010", "65535", "9000 - 9003", "1024-1024")
TO_PORTS = (None, None, 80, "443", "7000-7010", "1-4")
ADDRESSES = {4: ("192.168.9.10", "10.0.1.5", "203.0.113.9"), 6: ("fd00:9::10", "2001:DB8::5", "fd00:b::7")}


@st.composite
def forwards(draw: st.DrawFn) -> Entry:
    version = draw(st.sampled_from((4, 6)))
    address = st.sampled_from(ADDRESSES[version])
    entry: Entry = {
        "protocol": draw(st.sampled_from(("tcp", "udp"))),
        "port": draw(st.sampled_from(PORTS)),
        "to_address": draw(address),
        "to_port": draw(st.sampled_from(TO_PORTS)),
        "in_address": draw(st.one_of(st.none(), st.lists(address, min_size=1, max_size=3))),
    }
    return {name: value for name, value in entry.items() if value is not None}


@st.composite
def options(draw: st.DrawFn) -> Entry:
    """Options of vnet_nat, some of them left out."""
    entry: Entry = {
        "source": draw(st.lists(st.sampled_from(SOURCES), min_size=1, max_size=6)),
        "out_interface": draw(st.lists(st.sampled_from(DEVICES), max_size=3)),
        "snat_to": draw(st.sampled_from([[], ["203.0.113.5"], ["2001:db8::5"], ["2001:db8::5", "203.0.113.5"]])),
        "port_forwards": draw(st.lists(forwards(), max_size=5)),
        "isolate": draw(st.booleans()),
    }
    left_out = draw(st.sets(st.sampled_from(sorted(entry)), max_size=3)) if draw(st.booleans()) else set()
    return {name: value for name, value in entry.items() if name not in left_out}


def accepted(entry: Entry) -> NatWant:
    """The want, of options that make sense together."""
    try:
        return nat_want(entry)
    except Refused:
        assume(False)
        raise
