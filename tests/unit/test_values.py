# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each type of value: its one canonical form, what it refuses, and the way to the kernel and back."""

from __future__ import annotations

import grp
import ipaddress
import pwd
import shlex
from typing import Any

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils.values import (
    Account,
    Address,
    BadValue,
    Bool,
    Choice,
    DeviceName,
    Flag,
    Int,
    Ip,
    ListOf,
    Mac,
    NetnsName,
    Seconds,
    Text,
    Type,
    Word,
    quoted,
)
from hypothesis import given
from hypothesis import strategies as st

VNI = Int(1, 16777215)
MTU = Int(68, 65535, " bytes")
TTL = Word(0, 255, {"auto": 0, "inherit": -1})
DELAY = Seconds(0, 30)
VLAN = Choice({"802.1q": 0x8100, "802.1ad": 0x88A8})
MODE = Choice({"tun": 1, "tap": 2})
NAME, NAME_OR_NONE = DeviceName(), DeviceName(unset=True)
PORTS = ListOf(DeviceName())

CANONICAL: list[tuple[Type, Any, Any]] = [
    *((Bool(), word, True) for word in (True, "yes", "on", "True", 1, "1", "Y", "t")),
    *((Bool(), word, False) for word in (False, "no", "OFF", "false", 0, "0", "n", "F")),
    (VNI, 1, 1),
    (VNI, "16777215", 16777215),
    (VNI, " 42 ", 42),
    (VNI, 42.0, 42),
    (MTU, "+1500", 1500),
    (TTL, "64", 64),
    (TTL, "0x40", 64),
    (TTL, 0, "auto"),
    (TTL, "INHERIT", "inherit"),
    (DELAY, 15, 15),
    (DELAY, 15.0, 15),
    (DELAY, "15", 15),
    (DELAY, "2.5", 2.5),
    (DELAY, 0.014, 0.01),
    (Seconds(0, 10_000_000), "300", 300),
    (VLAN, "802.1Q", "802.1q"),
    (VLAN, "802.1ad", "802.1ad"),
    (MODE, "TAP", "tap"),
    (Text(), "", ""),
    (Text(4), "züg", "züg"),
    (NAME, "a" * 15, "a" * 15),
    (NAME, "Eth0", "Eth0"),
    (NAME, "ü" * 7, "ü" * 7),
    (NAME_OR_NONE, "", ""),
    (NetnsName(), "", ""),
    (NetnsName(unset=False), "mario2", "mario2"),
    (Mac(), "52:54:00:AB:CD:EF", "52:54:00:ab:cd:ef"),
    (Mac(), "52-54-00-ab-cd-ef", "52:54:00:ab:cd:ef"),
    (Address(), "192.0.2.1/24", "192.0.2.1/24"),
    (Address(), "::0:1/64", "::1/64"),
    (Address(), "2001:DB8:0::1/064", "2001:db8::1/64"),
    (Address(), "::FFFF:c000:0201/128", "::ffff:192.0.2.1/128"),  # as the kernel's are read
    (Address(), "127.0.0.9/32", "127.0.0.9/32"),
    (Ip(), "2001:DB8::1", "2001:db8::1"),
    (Ip(unset=True), "", ""),
    (Ip(multicast=True), "239.0.0.1", "239.0.0.1"),
    (Ip(multicast=None), "239.0.0.1", "239.0.0.1"),
    (Account(), "root", "root"),
    (Account(), "0", "root"),
    (Account(), 0, "root"),
    (Account(), "", ""),
    (Account(), 4_000_000_000, "4000000000"),
    (Account(group=True), 0, grp.getgrgid(0).gr_name),
    (PORTS, [], ()),
    (PORTS, ["b", "a", "b"], ("b", "a")),
    (PORTS, "a,b", ("a", "b")),
    (ListOf(Address()), ["::0:1/64", "::1/64"], ("::1/64",)),
]

NEITHER: tuple[Any, ...] = ("", "maybe", 2, None, [])
NO_TIMES: tuple[Any, ...] = (True, "x", None, "", float("nan"), "inf", [])
NOT_NAMES = ("a/b", "a b", ".", "..", "a:b", "a\tb", "a%d", "a\x7f", "a\u00a0b")

REFUSED: list[tuple[Type, Any, str]] = [
    *((Bool(), word, "neither true nor false") for word in NEITHER),
    *((VNI, number, "not between 1 and 16777215") for number in (0, 16777216, "-1")),
    *((VNI, word, "not a whole number") for word in (True, "", "x", 1.5, None, "1e3", "0x10", [1])),
    (MTU, 67, "not between 68 and 65535 bytes"),
    (MTU, 65536, "not between 68 and 65535 bytes"),
    (MTU, True, "true is not a whole number"),
    (TTL, 256, "nor one of the words auto, inherit"),
    (TTL, "many", "nor one of the words auto, inherit"),
    *((DELAY, word, "is not a number of seconds") for word in NO_TIMES),
    (DELAY, 30.1, "30.1 is not between 0 and 30 seconds"),
    (DELAY, -1, "not between 0 and 30 seconds"),
    (VLAN, "802.1x", "not one of 802.1q, 802.1ad"),
    (MODE, 1, "not one of tun, tap"),
    (Text(3), "züg", "longer than 3 bytes"),
    (Text(), "a\nb", "control character"),
    (Text(), 7, "quote it"),
    (NAME, "", "has 0 bytes"),
    (NAME, "a" * 16, "has 16 bytes"),
    (NAME, "ü" * 8, "has 16 bytes"),
    *(
        (NAME, name, "is no device name")
        for name in ("a/b", "a b", ".", "..", "a:b", "a\tb", "a%d", "a\x7f", "a\u00a0b")
    ),
    *((NAME, name, "quote it") for name in (7, True, None)),
    (NetnsName(unset=False), "", "has 0 bytes"),
    (NetnsName(), "n" * 256, "has 256 bytes"),
    *((NetnsName(), name, "is no namespace name") for name in ("a/b", "a b", ".", "..")),
    (NetnsName(), 7, "quote it"),
    *((Mac(), number, "quote it") for number in (525400123456, 1.5)),
    *(
        (Mac(), word, "is not a MAC address")
        for word in ("", "52:54:00:12:34", "52:54-00:12:34:56", "zz:54:00:12:34:56", None)
    ),
    (Mac(), "01:00:5e:00:00:01", "is a multicast MAC address"),
    (Mac(), "00:00:00:00:00:00", "not a MAC address that a device can have"),
    (Address(), "192.0.2.1/33", "has the prefix length '33', IPv4 has 0 to 32"),
    (Address(), "2001:db8::1/129", "has the prefix length '129', IPv6 has 0 to 128"),
    (Address(), "192.0.2.1/x", "has the prefix length 'x'"),
    (Address(), "192.0.2.1/", "has the prefix length ''"),
    (Address(), "192.0.2.1/255.255.255.0", "has the prefix length"),
    (Address(), "192.0.2.1", "has no prefix length, write 192.0.2.1/32"),
    (Address(), "192.0.2/24", "is not an address with a prefix length"),
    (Address(), "fe80::1%eth0/64", "not an address that an interface can have"),
    (Address(), "224.0.0.1/4", "not an address that an interface can have"),
    (Address(), "0.0.0.0/0", "not an address that an interface can have"),
    (Address(), 24, "is not an address with a prefix length"),
    (Ip(), "239.0.0.1", "is a multicast address"),
    (Ip(multicast=True), "10.0.0.1", "is not a multicast address"),
    (Ip(), "10.0.0.1/24", "is not an IP address"),
    (Ip(), "", "is not an IP address"),
    (Ip(), "::", "is the unspecified address"),
    (Account(), "nobody-has-this-name", "this host knows no user 'nobody-has-this-name'"),
    (Account(group=True), "nobody-has-this-name", "this host knows no group 'nobody-has-this-name'"),
    (Account(), True, "not the name or the number of a user"),
    (Account(), 4294967295, "is not the number of a user"),
    (PORTS, [None], "null is not an element"),
    (PORTS, ["ok", "not ok"], "is no device name"),
]


def shown(case: Any) -> str:
    return type(case).__name__ if isinstance(case, Type) else ascii(case)[:40]


@pytest.mark.parametrize(("kind", "written", "canonical"), CANONICAL, ids=shown)
def test_what_is_written_has_one_canonical_form(kind: Type, written: Any, canonical: Any) -> None:
    parsed = kind.parse(written)
    assert parsed == canonical
    assert type(parsed) is type(canonical)
    assert kind.parse(parsed) == canonical
    assert kind.same(parsed, canonical)


@pytest.mark.parametrize(("kind", "written", "why"), REFUSED, ids=shown)
def test_what_makes_no_sense_is_refused_with_its_reason(kind: Type, written: Any, why: str) -> None:
    with pytest.raises(BadValue) as caught:
        kind.parse(written)
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)


ROUND_TRIPS: list[tuple[Type, st.SearchStrategy[Any]]] = [
    (Bool(), st.booleans()),
    (Flag(), st.booleans()),
    (VNI, st.integers(VNI.low, VNI.high)),
    (TTL, st.integers(0, 255) | st.sampled_from(["auto", "inherit"])),
    (DELAY, st.floats(0, 30)),
    (Seconds(0, 10_000_000), st.floats(0, 10_000_000) | st.integers(0, 10_000_000)),
    (Seconds(0, 4294967295, per_second=1), st.integers(0, 4294967295)),
    (VLAN, st.sampled_from(list(VLAN.values))),
    (Account(), st.sampled_from([user.pw_name for user in pwd.getpwall()]) | st.integers(0, 2**32 - 2)),
    (Account(group=True), st.sampled_from([group.gr_name for group in grp.getgrall()])),
    (
        Mac(),
        st.binary(min_size=6, max_size=6).filter(lambda mac: not mac[0] & 1 and any(mac)).map(lambda mac: mac.hex(":")),
    ),
]


@pytest.mark.parametrize(("kind", "values"), ROUND_TRIPS, ids=shown)
@given(data=st.data())
def test_the_kernel_gives_back_what_it_was_given(
    kind: Type, values: st.SearchStrategy[Any], data: st.DataObject
) -> None:
    canonical = kind.parse(data.draw(values))
    assert kind.decode(kind.encode(canonical)) == canonical
    assert kind.parse(canonical) == canonical


@given(st.ip_addresses().filter(lambda ip: not ip.is_multicast and not ip.is_unspecified), st.data())
def test_an_address_is_the_same_in_any_spelling(
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address, data: st.DataObject
) -> None:
    prefix = data.draw(st.integers(0, ip.max_prefixlen))
    canonical = Address().parse(f"{ip}/{prefix}")
    assert Address().parse(f"{ip.exploded.upper()}/{prefix:02}") == canonical
    assert Ip().parse(ip.exploded.upper()) == canonical.split("/", maxsplit=1)[0]


@given(st.text())
def test_any_text_is_a_name_or_refused(text: str) -> None:
    try:
        assert DeviceName().parse(text) == text
    except BadValue as exc:
        assert "\n" not in str(exc)  # noqa: PT017  # both ways are right
    else:
        assert 1 <= len(text.encode()) <= 15
        assert not set(text) & set("/: \t\n")


@pytest.mark.parametrize(
    ("wanted", "found", "same"), [(5.01, 5, True), (5, 5.01, False), (5.02, 5, False), (5, None, False)]
)
def test_rounding_down_to_a_clock_tick_is_no_difference(wanted: float, found: float | None, same: bool) -> None:
    assert DELAY.same(wanted, found) is same


def test_order_and_repetition_are_no_difference_in_a_list() -> None:
    assert PORTS.same(("a", "b"), ("b", "a"))
    assert PORTS.same((), None)
    assert not PORTS.same(("a",), ("a", "b"))


def test_no_owner_is_told_as_all_ones_or_not_at_all() -> None:
    assert [Account().decode(raw) for raw in (None, -1, 2**32 - 1)] == ["", "", ""]


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_a_quoted_word_stays_one_word_of_a_command_line(word: str) -> None:
    assert shlex.split(quoted(word)) == [word]
