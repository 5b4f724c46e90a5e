# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""What a task asks for, as plain values: options in the shape that the modules take become wants.

Pure but for user and group names. Every refusal here names the option, and comes before anything was read or written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Union

from . import errors
from .later import Later
from .values import BadValue, Bool, DeviceName, ListOf, NetnsName

if TYPE_CHECKING:
    from .kinds import bridge_port, nat, ovs_bridge
    from .kinds.base import LinkKind, Option
    from .kinds.row import RowKind
    from .rows import RowKey
    from .state import Key, State
else:
    bridge_port, nat, ovs_bridge = Later("kinds.bridge_port"), Later("kinds.nat"), Later("kinds.ovs_bridge")


class EndWant(NamedTuple):
    """The peer of a veth. None for a name or namespace that was not given."""

    name: str | None
    netns: str | None
    options: Mapping[str, Any]


class LinkWant(NamedTuple):
    """A network device as it should be. `options`: asked for (given, or a default); `new`: what a new one gets besides."""

    kind: LinkKind
    netns: str
    name: str
    absent: bool = False
    options: Mapping[str, Any] = {}
    new: Mapping[str, Any] = {}
    append: frozenset[str] = frozenset()
    """The lists to which is added, where the others are the whole truth."""
    recreate: bool = False
    peer: EndWant | None = None
    origin: str | None = None
    """For a device that is not ours: the namespace in which to look for it, where it is not yet in `netns`."""
    where: str = ""

    @property
    def key(self) -> Key:
        return (self.netns, self.name)

    @property
    def peer_netns(self) -> str:
        """Where the peer is made: beside this end, unless the task says where."""
        return self.netns if self.peer is None or self.peer.netns is None else self.peer.netns

    @property
    def peer_key(self) -> Key | None:
        """The peer that is made, None where the task names none."""
        return (self.peer_netns, self.peer.name) if self.peer and self.peer.name else None


def becoming_ports(want: LinkWant, state: State) -> list[tuple[Key, Key]]:
    """The devices that are there and become ports, each with that of which they do: a bridge, or a VRF."""
    pairs = [((want.netns, name), want.key) for name in want.options.get("ports", ()) if not want.absent]
    if want.options.get("master") and not want.absent:
        pairs.append((want.key, (want.netns, want.options["master"])))
    links = [(state.link(port), port, master) for port, master in pairs]
    return [(port, master) for link, port, master in links if link and link.get("master") != master[1]]


class NamespaceWant(NamedTuple):
    """A network namespace. `owner`: the mark of the topology whose it is or becomes."""

    name: str
    absent: bool = False
    loopback: bool | None = True
    sysctls: Mapping[str, str] = {}
    where: str = ""
    owner: str = ""


class ForwardWant(NamedTuple):
    """IP forwarding. `devices`: None for all. `file`: the sysctl.d file to keep (`persist`), to empty of it (not), or None to leave."""

    netns: str = ""
    ipv4: bool | None = None
    ipv6: bool | None = None
    devices: tuple[str, ...] | None = None
    keep_ra: bool = True
    file: str | None = None
    persist: bool = False
    where: str = ""


class RowWant(NamedTuple):
    """A row of a table. `said`: what is asked for, what identifies it included; `key`: what that identifies."""

    kind: RowKind
    netns: str
    key: RowKey
    said: Mapping[str, Any]
    absent: bool = False
    where: str = ""


class PortWant(NamedTuple):
    """What a bridge is told of a port. `append`: its VLANs are an addition."""

    netns: str
    name: str
    options: Mapping[str, Any] = {}
    append: bool = False
    where: str = ""

    @property
    def key(self) -> Key:
        return (self.netns, self.name)


class NatWant(NamedTuple):
    """An address translation. `options`: asked for. `owner`: the mark of the topology whose it is or becomes."""

    netns: str
    name: str
    absent: bool = False
    options: Mapping[str, Any] = {}
    where: str = ""
    owner: str = ""

    @property
    def key(self) -> Key:
        return (self.netns, self.name)


class OvsWant(NamedTuple):
    """An Open vSwitch bridge. `options`: asked for. `append`: its lists are additions. `owner`: as of a NatWant."""

    name: str
    absent: bool = False
    options: Mapping[str, Any] = {}
    append: bool = False
    where: str = ""
    owner: str = ""


Want = Union[LinkWant, NamespaceWant, ForwardWant, RowWant, PortWant, NatWant, OvsWant]


def refuse(where: str, option: str, why: object) -> errors.Refused:
    """The refusal of one option: where it stands, and why."""
    return errors.Refused(f"{where + ': ' if where else ''}{option}: {why}")


def parse(where: str, option: Option, value: Any) -> Any:
    """The canonical value of one option; a refusal that names it otherwise."""
    try:
        return option.type.parse(value)
    except BadValue as exc:
        raise refuse(where, option.name, exc) from None


def name_of(where: str, option: str, value: Any, type_: DeviceName | NetnsName) -> str:
    """A device's or namespace's name in its canonical form; a refusal that names the option otherwise."""
    try:
        return type_.parse(value)
    except BadValue as exc:
        raise refuse(where, option, exc) from None


def given(where: str, table: Mapping[str, Option], entry: Mapping[str, Any]) -> dict[str, Any]:
    """The canonical values of the options that an entry gives or that have a default."""
    return {
        name: parse(where, option, entry[name] if entry.get(name) is not None else option.default)
        for name, option in table.items()
        if entry.get(name) is not None or option.default is not None
    }


def link_want(kind: LinkKind, entry: Mapping[str, Any], where: str = "", netns: str = "") -> LinkWant:
    """The want behind one entry of a link module's options. `netns` is the default of the entry's own.

    What persist.py kept may have in `append` the names of lists, in place of a word for all of them.
    """
    name = name_of(where, "name", entry.get("name"), DeviceName())
    if entry.get("netns") is not None:
        netns = name_of(where, "netns", entry["netns"], NetnsName())
    options = given(where, kind.table, entry)
    peer: EndWant | None = None
    if kind.paired and entry.get("peer") is not None:
        end = entry["peer"]
        inside = f"{where}: peer" if where else "peer"
        peer = EndWant(
            None if end.get("name") is None else name_of(inside, "name", end["name"], DeviceName()),
            None if end.get("netns") is None else name_of(inside, "netns", end["netns"], NetnsName()),
            given(inside, {option.name: option for option in kind.peer}, end),
        )
    whole = {**options, "name": name, "netns": netns}
    if peer:
        whole["peer"] = {"name": peer.name, **({} if peer.netns is None else {"netns": peer.netns})}
    absent = entry.get("state") == "absent"
    problem = None if absent else kind.check(whole, None) or check_own(kind, name, options) or check_lower(kind, whole)
    if peer and not problem and not absent:
        problem = check_own(kind, peer.name or "", peer.options)
        problem = problem and f"peer: {problem}"
    if problem:
        raise errors.Refused(f"{where}: {problem}" if where else problem)
    lists = [option.name for option in kind.table.values() if isinstance(option.type, ListOf)]
    new = {
        option.name: option.new
        for option in kind.table.values()
        if option.new is not None and option.name not in options
    }
    return LinkWant(
        kind=kind,
        netns=netns,
        name=name,
        absent=absent,
        options=options,
        new=new,
        append=frozenset(lists if entry.get("append") is True else entry.get("append") or ()),
        recreate=bool(entry.get("recreate")),
        peer=peer,
        origin=None
        if entry.get("from_netns") is None
        else name_of(where, "from_netns", entry["from_netns"], NetnsName()),
        where=where,
    )


def row_want(kind: RowKind, entry: Mapping[str, Any], where: str = "", netns: str = "") -> RowWant:
    """The want behind the options of a module of table rows. `netns` is the default of the entry's own."""
    for needed in kind.required:
        if entry.get(needed) is None:
            raise refuse(where, needed, "it is needed")
    said = given(where, kind.table, entry)
    netns = said.pop("netns", netns)
    absent = entry.get("state") == "absent"
    problem = kind.check(said, absent)
    if problem:
        raise errors.Refused(f"{where}: {problem}" if where else problem)
    return RowWant(kind, netns, kind.key(netns, said), said, absent, where)


def port_want(entry: Mapping[str, Any], where: str = "", netns: str = "") -> PortWant:
    """The want behind vnet_bridge_port's options. `netns` is the default of the entry's own.

    What persist.py kept may have in `append` the names of lists, in place of a word for all of them.
    """
    name = name_of(where, "name", entry.get("name"), DeviceName())
    if entry.get("netns") is not None:
        netns = name_of(where, "netns", entry["netns"], NetnsName())
    return PortWant(netns, name, given(where, bridge_port.PORT_TABLE, entry), bool(entry.get("append")), where)


def nat_want(entry: Mapping[str, Any], where: str = "", netns: str = "") -> NatWant:
    """The want behind vnet_nat's options. `netns` is the default of the entry's own."""
    if entry.get("name") is None:
        raise refuse(where, "name", "it is needed")
    identity = given(where, {option.name: option for option in nat.NAT_IDENTITY}, entry)
    options = given(where, {option.name: option for option in nat.NAT_OPTIONS}, entry)
    absent = entry.get("state") == "absent"
    problem = None if absent else nat.check(options)
    if problem:
        raise errors.Refused(f"{where}: {problem}" if where else problem)
    return NatWant(identity.get("netns", netns), identity["name"], absent, options, where)


def ovs_want(entry: Mapping[str, Any], where: str = "", _netns: str = "") -> OvsWant:
    """The want behind vnet_ovs_bridge's options.

    What persist.py kept may have in `append` the names of lists, in place of a word for all of them.
    """
    name = name_of(where, "name", entry.get("name"), DeviceName())
    options = given(where, {option.name: option for option in ovs_bridge.OVS_OPTIONS}, entry)
    absent = entry.get("state") == "absent"
    problem = None if absent else ovs_bridge.check(name, options.get("ports", ()))
    if problem:
        raise errors.Refused(f"{where}: {problem}" if where else problem)
    return OvsWant(name, absent, options, bool(entry.get("append")), where)


def check_own(kind: LinkKind, name: str, options: Mapping[str, Any]) -> str | None:
    """What can be said of the options that all links share."""
    six = [address for address in options.get("addresses", ()) if ":" in address]
    if six and options.get("mtu", 1280) < 1280:
        return f"mtu: {options['mtu']} is less than the 1280 bytes that IPv6 needs, and 'addresses' has IPv6 addresses"
    if kind.name and not kind.routes_ports and any(address.startswith("::1/") for address in six):
        return f"addresses: ::1 is an address of loopback devices and VRFs, and {name or 'it'} is neither"
    if name and options.get("master") == name:  # a peer's may go without saying, and a master of "" is none
        return f"master: {name!r} is the device itself"
    if name in options.get("altnames", ()):
        return f"altnames: {name!r} is the device's own name"
    return None


def check_lower(kind: LinkKind, whole: Mapping[str, Any]) -> str | None:
    """No device stands on itself."""
    if (
        kind.lower
        and whole.get(kind.lower) == whole["name"]
        and whole.get("link_netns", whole["netns"]) == whole["netns"]
    ):
        return f"{kind.lower}: {whole['name']!r} is the device itself"
    return None


SYSCTL_KEY = re.compile(r"net[./][A-Za-z0-9_]+([./][A-Za-z0-9_.:@+%-]+)+")


def sysctl_key(where: str, key: Any) -> str:
    """A sysctl's name as sysctl(8) takes it, in its form with dots where that is unambiguous."""
    if not isinstance(key, str) or not SYSCTL_KEY.fullmatch(key) or "/../" in f"/{key}/" or "/./" in f"/{key}/":
        raise refuse(where, "sysctl", f"{key!r} is not the name of a sysctl under 'net.'")
    first = min((key.find(mark) for mark in "./" if mark in key), default=-1)
    if key[first] == "/":
        # With slashes between, a dot is a device's own.
        key = ".".join(part.replace(".", "/") for part in key.split("/"))
    return str(key)


def sysctl_value(where: str, key: str, value: Any) -> str:
    """A sysctl's value as the kernel shows it, white space folded."""
    if isinstance(value, bool):
        return "1" if value else "0"
    text = " ".join(str(value).split()) if isinstance(value, (int, str)) else ""
    if not text:
        raise refuse(where, "sysctl", f"{key} has the value {value!r}, give a number or a string")
    return text


def namespace_want(entry: Mapping[str, Any], where: str = "", _netns: str = "") -> NamespaceWant:
    """The want behind vnet_netns' options."""
    name = name_of(where, "name", entry.get("name"), NetnsName(unset=False))
    sysctls = {}
    for raw, value in (entry.get("sysctl") or {}).items():
        key = sysctl_key(where, raw)
        if key in sysctls:
            raise refuse(where, "sysctl", f"{key} is given twice, in two spellings")
        sysctls[key] = sysctl_value(where, key, value)
    return NamespaceWant(name, entry.get("state") == "absent", entry.get("loopback", True), sysctls, where)


def forward_want(entry: Mapping[str, Any], where: str = "", netns: str = "") -> ForwardWant:
    """The want behind vnet_sysctl_forward's options. `netns` is the default of the entry's own."""
    if entry.get("netns") is not None:
        netns = name_of(where, "netns", entry["netns"], NetnsName())
    devices = None
    if entry.get("interfaces") is not None:
        devices = tuple(dict.fromkeys(name_of(where, "interfaces", name, DeviceName()) for name in entry["interfaces"]))
        if not devices:
            raise refuse(where, "interfaces", "an empty list says nothing: omit it for all interfaces")
    if entry.get("ipv4") is None and entry.get("ipv6") is None and entry.get("persist") is not False:
        raise refuse(where, "ipv4", "say what should be: 'ipv4', 'ipv6', or both are needed")
    persist = entry.get("persist")
    file = entry.get("sysctl_file")
    if netns:
        file, persist = None, False  # not sysctl.d keeps that, see persist.py
    elif file is not None:
        if not re.fullmatch(r"/(\S*/)?[^/\s]+\.conf", file) or "/../" in file:
            raise refuse(where, "sysctl_file", f"{file!r} is not the absolute path of a .conf file")
        persist = True if persist is None else persist
    bools = {name: None if entry.get(name) is None else Bool().parse(entry[name]) for name in ("ipv4", "ipv6")}
    return ForwardWant(
        netns, bools["ipv4"], bools["ipv6"], devices, entry.get("keep_ra") is not False, file, bool(persist), where
    )


def uplink_of(want: LinkWant) -> str:
    """The uplink that a want asks for, "" for none."""
    return str(want.options.get("uplink") or "")
