# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""VXLAN devices (RFC 7348), as drivers/net/vxlan and `ip link help vxlan` describe them."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

from ..state import Vni
from ..values import LINK_LOCAL, BadValue, Bool, Choice, Flag, Int, Ip, ListOf, Seconds, Word
from .base import LINK_NETNS, Attributes, DeviceRef, FlowLabel, LinkKind, Option


def unspecified(found: Mapping[str, Any]) -> str:
    """What unsets an endpoint, in the family of those that the device has."""
    return "::" if any(":" in str(found.get(name) or "") for name in ENDS) else "0.0.0.0"


class Endpoint(Option):
    """`remote` and `group` share an attribute: what kind of address it holds says which of them it is."""

    def read(self, attrs: Mapping[str, Any]) -> Any:
        address = super().read(attrs)
        if not address or ipaddress.ip_address(address).is_unspecified:
            return ""
        return address if ipaddress.ip_address(address).is_multicast == (self.name == "group") else ""

    def write(self, value: Any, found: Mapping[str, Any]) -> Attributes:
        return super().write(value or unspecified(found), found)

    def words(self, value: Any) -> str:
        return super().words(value or "any")


class Local(Option):
    """The source address of the tunnel."""

    def read(self, attrs: Mapping[str, Any]) -> Any:
        address = super().read(attrs)
        return "" if not address or ipaddress.ip_address(address).is_unspecified else address

    def write(self, value: Any, found: Mapping[str, Any]) -> Attributes:
        return super().write(value or unspecified(found), found)

    def words(self, value: Any) -> str:
        return super().words(value or "any")


class Ttl(Option):
    """A hop limit, `auto` (the kernel's zero), or `inherit`, which is an attribute of its own."""

    def is_fixed(self, value: Any, found: Any) -> bool:
        return bool((value == "inherit") != (found == "inherit"))

    def read(self, attrs: Mapping[str, Any]) -> Any:
        return "inherit" if attrs.get("IFLA_VXLAN_TTL_INHERIT") else super().read(attrs)

    def write(self, value: Any, found: Mapping[str, Any]) -> Attributes:
        return [("IFLA_VXLAN_TTL_INHERIT", True)] if value == "inherit" else super().write(value, found)


class SourcePort(Option):
    """Half of the range that the attribute holds; the table's `check` sees to it that both halves are given."""

    def read(self, attrs: Mapping[str, Any]) -> Any:
        found = attrs.get(self.attr)
        return None if found is None else found["low" if self.name == "srcport_min" else "high"]

    def write(self, value: Any, found: Mapping[str, Any]) -> Attributes:
        return [(self.attr, {"low" if self.name == "srcport_min" else "high": value})]

    def words(self, value: Any) -> str:
        return f"srcport {value}" if self.name == "srcport_min" else str(value)


ENDS = ("local", "remote", "group")
"""The endpoints, all of which are of one address family."""


def kept_ends(options: Mapping[str, Any], found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The endpoints that a device has and that the options leave it."""
    gone = {*options, *(["group"] if options.get("remote") else []), *(["remote"] if options.get("group") else [])}
    return [(name, found[name]) for name in ENDS if found.get(name) and name not in gone]


def other_family(options: Mapping[str, Any], found: Mapping[str, Any]) -> tuple[str, ...]:
    """The endpoints asked for, where they are not of the address family that the device has, which is IPv4 where it has none."""
    asked = [options[name] for name in ENDS if options.get(name)]
    has = [found[name] for name in ENDS if found.get(name)]
    stays = not asked or (":" in asked[0]) == any(":" in address for address in has)
    return () if stays else tuple(name for name in ENDS if name in options)


def check_families(options: Mapping[str, Any], found: Mapping[str, Any], complete: bool) -> str | None:
    """All endpoints are of one family: the device's own, which is IPv4 where none is given."""
    labels = [(name, options[name]) for name in ENDS if options.get(name)]
    labels += [("remotes", address) for address in options.get("remotes", ())]
    own = kept_ends(options, found)
    six = next((end for end in [*labels, *own] if ":" in end[1]), None)
    four = next((end for end in [*labels, *own] if ":" not in end[1]), None)
    if six and four:
        asked, other = (four, six) if six in own else (six, four)
        first, second = ("IPv4", "IPv6") if asked is four else ("IPv6", "IPv4")
        return f"{asked[0]}: {asked[1]} is {first} and {other[0]} {other[1]} is {second}: a VXLAN device speaks one of the two"
    if six and six[0] == "remotes" and not own and complete and not (options.get("local") or options.get("remote")):
        return f"remotes: {six[1]} is IPv6, and a device without 'local' or 'remote' speaks IPv4: give it a 'local' of IPv6"
    return None


def check_six(options: Mapping[str, Any], both: Mapping[str, Any]) -> str | None:
    """What only IPv6 has, and what it takes. `both`: what the device has, or will have."""
    ends = {name: both[name] for name in ENDS if both.get(name)}
    if options.get("label") and not any(":" in end for end in ends.values()):
        return "label: it is a thing of IPv6, and without a 'local', 'remote' or 'group' of that the device speaks IPv4"
    near = next((name for name, end in ends.items() if name in options and LINK_LOCAL.match(end)), "")
    if near and not both.get("dev"):
        return f"dev: the {near} {ends[near]} is that of a link, so it takes the device on it"
    return None


def check(options: Mapping[str, Any], found: Mapping[str, Any] | None) -> str | None:
    """What can be said of options together."""
    if options.get("remote") and options.get("group"):
        return "group: a VXLAN device has either 'remote' or the multicast 'group'"
    groups = [
        vni.remote for vni in options.get("vnis", ()) if vni.remote and ipaddress.ip_address(vni.remote).is_multicast
    ]
    if found is not None and (options.get("group") or groups) and not options.get("dev", found.get("dev")):
        return "dev: the multicast 'group' needs the device on which to join it"
    problem = check_families(options, found or {}, found is not None)
    if not problem and found is not None:
        problem = check_six(options, {**found, **options})
    if problem:
        return problem
    if ("srcport_min" in options) != ("srcport_max" in options):
        return "srcport_min: it goes with srcport_max, the two ends of one range"
    if options.get("srcport_min", 0) > options.get("srcport_max", 65535):
        return "srcport_min: it is larger than srcport_max"
    if options.get("vnis") and not options.get("vnifilter", True if found is None else found.get("vnifilter")):
        return "vnis: it needs 'vnifilter'; without that, a device takes the one VNI in 'vni', or any"
    if options.get("vnifilter") and not options.get("external", True if found is None else found.get("external")):
        return "vnifilter: it needs 'external'"
    if options.get("external") and options.get("vni") is not None:
        return "vni: an 'external' device takes the VNI from each packet's metadata, so it has none of its own"
    return None


class Vnis(ListOf):
    """The VNIs of a device with a VNI filter, each a number or a range; canonical is a sorted tuple of Vni, one for each number."""

    def __init__(self) -> None:
        options = {"vni": {"type": "str", "required": True}, "remote": {"type": "str"}, "group": {"type": "str"}}
        self.spec = {"type": "list", "elements": "dict", "options": options}

    def parse(self, value: Any) -> Sequence[Any]:
        found: dict[int, Vni] = {}
        for entry in value:
            if not isinstance(entry, dict) or entry.get("vni") is None:
                raise BadValue(f"{entry!r} has no 'vni', a number or a range such as 20-30")
            first, dash, last = str(entry["vni"]).partition("-")
            low = _vni(first)
            high = _vni(last) if dash else low
            if high < low:
                raise BadValue(f"the range {entry['vni']} is empty, write {high}-{low}")
            if entry.get("remote") and entry.get("group"):
                raise BadValue(f"vni {entry['vni']} has either a 'remote' or a multicast 'group'")
            remote = ""
            for name, kind in (("remote", Ip()), ("group", Ip(multicast=True))):
                if entry.get(name):
                    try:
                        remote = kind.parse(entry[name])
                    except BadValue as exc:
                        raise BadValue(f"{name}: {exc}") from None
            for number in range(low, high + 1):
                if number in found:
                    raise BadValue(f"VNI {number} is listed twice")
                found[number] = Vni(number, remote)
        return tuple(sorted(found.values()))


def _vni(word: str) -> int:
    try:
        return Int(1, 16777215).parse(word.strip())
    except BadValue as exc:
        raise BadValue(f"vni: {exc}") from None


VXLAN = LinkKind(
    name="vxlan",
    module="vnet_vxlan",
    plural="vxlans",
    unique=("vni",),
    tunnels=True,
    own_fdb=True,
    needed=("vni|external",),
    lower="dev",
    # The kernel caps the MTU of the creating request silently, and speaks up later.
    late=("alias", "mtu"),
    check=check,
    fixed_together=other_family,
    options=(
        Option("vni", Int(1, 16777215), "IFLA_VXLAN_ID", cli="id {}", mutable=False, initial=0),
        Local("local", Ip(unset=True), "IFLA_VXLAN_LOCAL", "IFLA_VXLAN_LOCAL6"),
        Endpoint("remote", Ip(unset=True), "IFLA_VXLAN_GROUP", "IFLA_VXLAN_GROUP6", displaces=("group",)),
        Endpoint(
            "group", Ip(multicast=True, unset=True), "IFLA_VXLAN_GROUP", "IFLA_VXLAN_GROUP6", displaces=("remote",)
        ),
        Option("dev", DeviceRef(unset=True), "IFLA_VXLAN_LINK", cli="dev {}", clearable=False),
        LINK_NETNS,
        Option("dstport", Int(1, 65535), "IFLA_VXLAN_PORT", new=4789, mutable=False),
        SourcePort("srcport_min", Int(0, 65535), "IFLA_VXLAN_PORT_RANGE", mutable=False, initial=0),
        SourcePort("srcport_max", Int(0, 65535), "IFLA_VXLAN_PORT_RANGE", mutable=False, initial=0),
        Ttl("ttl", Word(0, 255, {"auto": 0, "inherit": -1}), "IFLA_VXLAN_TTL", initial="auto"),
        Option("tos", Word(0, 255, {"inherit": 1}), "IFLA_VXLAN_TOS", initial=0),
        Option("df", Choice({"unset": 0, "set": 1, "inherit": 2}), "IFLA_VXLAN_DF", initial="unset"),
        Option("learning", Bool(), "IFLA_VXLAN_LEARNING", cli="learning|nolearning", initial=True),
        Option("ageing", Seconds(1, 4294967295, per_second=1), "IFLA_VXLAN_AGEING", initial=300),
        Option("limit", Int(0, 4294967295), "IFLA_VXLAN_LIMIT", cli="maxaddress {}", mutable=False, initial=0),
        Option("proxy", Bool(), "IFLA_VXLAN_PROXY", cli="proxy|noproxy", mutable=False, initial=False),
        Option("rsc", Bool(), "IFLA_VXLAN_RSC", cli="rsc|norsc", mutable=False, initial=False),
        Option("l2miss", Bool(), "IFLA_VXLAN_L2MISS", cli="l2miss|nol2miss", mutable=False, initial=False),
        Option("l3miss", Bool(), "IFLA_VXLAN_L3MISS", cli="l3miss|nol3miss", mutable=False, initial=False),
        Option("udp_csum", Bool(), "IFLA_VXLAN_UDP_CSUM", cli="udpcsum|noudpcsum", mutable=False, initial=True),
        *(
            Option(
                f"udp6_zero_csum_{way}",
                Bool(),
                f"IFLA_VXLAN_UDP_ZERO_CSUM6_{way.upper()}",
                cli=f"udp6zerocsum{way}|noudp6zerocsum{way}",
                mutable=False,
                initial=False,
            )
            for way in ("tx", "rx")
        ),
        FlowLabel("label", Int(0, 1048575), "IFLA_VXLAN_LABEL", initial=0),
        Option(
            "localbypass",
            Bool(),
            "IFLA_VXLAN_LOCALBYPASS",
            cli="localbypass|nolocalbypass",
            since="6.5",
            initial=True,
        ),
        Option("gbp", Flag(), "IFLA_VXLAN_GBP", cli="gbp|", mutable=False, initial=False),
        Option(
            "external", Bool(), "IFLA_VXLAN_COLLECT_METADATA", cli="external|noexternal", mutable=False, initial=False
        ),
        Option(
            "vnifilter",
            Bool(),
            "IFLA_VXLAN_VNIFILTER",
            cli="vnifilter|novnifilter",
            mutable=False,
            since="5.18",
            initial=False,
        ),
        Option("vnis", Vnis(), level="none", since="5.18"),
        Option("remotes", ListOf(Ip()), level="none"),
    ),
)
