# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""Talking netlink: with netlink_kinds.py the only file that imports pyroute2.

pyroute2 encodes and decodes the messages; the socket is our own, for three reasons. pyroute2's API for sockets differs
between 0.7 and 0.9 while its messages don't; theirs needs an event loop for each of a thousand namespaces; and
answers here carry the kernel's own sentence (extended ack, strict checking) on every one of these releases.
"""

from __future__ import annotations

import errno
import importlib.util
import ipaddress
import socket
import struct
import sys
import types
from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from . import errors, wire
from .rows import NTF_PROXY, Rest

PYROUTE2_AT_LEAST = "0.7.2"


def _without_package_init() -> Iterator[None]:
    """Let the message classes be imported without `pyroute2/__init__`, which imports all of pyroute2: 0.05 s instead of 0.12 s."""
    spec = None if "pyroute2" in sys.modules else importlib.util.find_spec("pyroute2")
    if spec and spec.submodule_search_locations:
        package = types.ModuleType("pyroute2")
        package.__path__ = list(spec.submodule_search_locations)
        package.__spec__, package.__file__ = spec, spec.origin
        sys.modules["pyroute2"] = package
        yield
        sys.modules.pop("pyroute2", None)


HAS_PYROUTE2 = importlib.util.find_spec("pyroute2") is not None
_classes: dict[str, Any] = {}


def message_class(name: str) -> Any:
    """pyroute2's class of messages of this name. It is imported for what is not in wire.py's tables, and not before."""
    if not _classes:
        require()
        try:
            _classes.update(_imported())
        except ImportError as exc:
            raise errors.VnetError(
                f"the Python library pyroute2 of this host can't be used, {PYROUTE2_AT_LEAST} or newer is needed: {exc}"
            ) from None
    return _classes[name]


def _imported() -> dict[str, Any]:
    lean = _without_package_init()
    next(lean, None)
    try:
        return _message_classes()
    except ImportError:
        # A release that doesn't bear it: the long way.
        next(lean, None)
        for name in [name for name in sys.modules if name.startswith("pyroute2")]:
            del sys.modules[name]
        return _message_classes()
    finally:
        next(lean, None)


def _message_classes() -> dict[str, Any]:
    from pyroute2.netlink.rtnl.fibmsg import fibmsg
    from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
    from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
    from pyroute2.netlink.rtnl.ndmsg import ndmsg
    from pyroute2.netlink.rtnl.nsidmsg import nsidmsg
    from pyroute2.netlink.rtnl.rtmsg import rtmsg

    from . import netlink_kinds

    netlink_kinds.register(ifinfmsg)
    classes = {kind.__name__: kind for kind in (fibmsg, ifaddrmsg, ifinfmsg, nsidmsg, rtmsg)}
    return {**classes, "ndmsg": netlink_kinds.neighbor(ndmsg)}


RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK, RTM_SETLINK = 16, 17, 18, 19
RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR = 20, 21, 22
RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE = 24, 25, 26
RTM_NEWNEIGH, RTM_DELNEIGH, RTM_GETNEIGH = 28, 29, 30
RTM_NEWRULE, RTM_DELRULE, RTM_GETRULE = 32, 33, 34
RTM_NEWQDISC, RTM_GETQDISC = 36, 38
RTM_GETNSID = 90
RTM_NEWNEXTHOP, RTM_DELNEXTHOP, RTM_GETNEXTHOP = 104, 105, 106
RTM_NEWLINKPROP, RTM_DELLINKPROP = 108, 109
RTM_NEWTUNNEL, RTM_DELTUNNEL, RTM_GETTUNNEL = 120, 121, 122
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = 0x1, 0x4, 0x300
NLM_F_REPLACE, NLM_F_EXCL, NLM_F_CREATE, NLM_F_APPEND = 0x100, 0x200, 0x400, 0x800
NLM_F_DUMP_INTR = 0x10
NLMSG_ERROR, NLMSG_DONE = 2, 3
_TYPE_FLAGS_SEQUENCE = struct.Struct("=HHI")
_INDEX = struct.Struct("=I")
_SOL_NETLINK, _CAP_ACK, _EXT_ACK, _STRICT = 270, 10, 11, 12
_SKIP_STATISTICS = 8
_WITH_VLANS = 2
_IFLA_AF_SPEC = 26
_RANGE_BEGIN, _RANGE_END = 8, 16  # BRIDGE_VLAN_INFO_RANGE_*
AF_BRIDGE = 7
_RTPROT_KERNEL = 2
_RTN_OF_ADDRESSES = (2, 3, 4, 5)
IFLA_ADDRESS, IFLA_IFNAME, IFLA_LINK, IFLA_MASTER, IFLA_LINKINFO, IFLA_LINK_NETNSID, IFLA_XDP, IFLA_PROP_LIST, IFLA_ALT_IFNAME = (
    1, 3, 5, 10, 18, 37, 43, 52, 53,
)  # fmt: skip
_NHA_ID, _NHA_OIF = 1, 5
NHA_GATEWAY = 6
_NHA_OTHERS = (NHA_GATEWAY, 7, 8)  # and NHA_ENCAP_TYPE, NHA_ENCAP
IFLA_QDISC, IFLA_OPERSTATE, IFLA_IFALIAS, IFLA_GROUP, IFLA_CARRIER = 6, 16, 20, 27, 33
OPERSTATES = ("unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up")
"""IF_OPER_* of include/uapi/linux/if.h, in the words of /sys/class/net/*/operstate."""
_COMMON_NUMBERS = {
    "IFLA_MTU": 4,
    "IFLA_LINK": IFLA_LINK,
    "IFLA_MASTER": IFLA_MASTER,
    "IFLA_GROUP": IFLA_GROUP,
    "IFLA_NUM_TX_QUEUES": 31,
    "IFLA_NUM_RX_QUEUES": 32,
}


def require() -> None:
    """Raise unless there is a pyroute2 that will do."""
    if not HAS_PYROUTE2:
        raise errors.VnetError(missing())


def missing() -> str:
    """What to do where there is no pyroute2."""
    return (
        f"the Python library pyroute2, {PYROUTE2_AT_LEAST} or newer, is missing on this host for {sys.executable}: the role"
        " linuxnet.vnet.prerequisites installs it (package python3-pyroute2 on Debian and Ubuntu) for /usr/bin/python3;"
        " where another Python has it, name that one in 'ansible_python_interpreter'"
    )


def version() -> str:
    """The version of pyroute2, "" where its metadata is not there."""
    try:
        from importlib.metadata import PackageNotFoundError
        from importlib.metadata import version as version_of
    except ImportError:
        return ""
    try:
        return version_of("pyroute2")
    except PackageNotFoundError:
        return ""


class RawLink:
    """A link message, decoded no further than somebody asked: decoding is what costs."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        _family, self.type, self.index, self.flags, _change = struct.unpack_from("=BxHiII", data, 16)
        self.raw: dict[int, bytes] = dict(wire.attributes(data, 32))
        self.name = self.raw[IFLA_IFNAME].rstrip(b"\0").decode(errors="surrogateescape")

    def number(self, attribute: int) -> int | None:
        raw = self.raw.get(attribute)
        return None if raw is None else int.from_bytes(raw[:4], sys.byteorder, signed=True)

    @property
    def kind(self) -> str:
        """`IFLA_INFO_KIND`, `loopback`, or "" for what is not virtual."""
        for attribute, content in wire.attributes(self.raw.get(IFLA_LINKINFO, b"")):
            if attribute == 1:
                return content.rstrip(b"\0").decode()
        return "loopback" if self.type == 772 else ""

    @property
    def alias(self) -> str:
        return self.raw.get(IFLA_IFALIAS, b"").rstrip(b"\0").decode(errors="replace")

    @property
    def operstate(self) -> str:
        return OPERSTATES[self.raw.get(IFLA_OPERSTATE, b"\0")[0]]

    @property
    def group(self) -> int:
        return int.from_bytes(self.raw.get(IFLA_GROUP, b""), sys.byteorder)

    @property
    def altnames(self) -> tuple[str, ...]:
        found = wire.attributes(self.raw.get(IFLA_PROP_LIST, b""))
        return tuple(content.rstrip(b"\0").decode() for attribute, content in found if attribute == IFLA_ALT_IFNAME)

    @property
    def has_xdp(self) -> bool:
        return any(
            attribute == 2 and content[:1] != b"\0"
            for attribute, content in wire.attributes(self.raw.get(IFLA_XDP, b""))
        )

    def attrs(self) -> dict[str, Any]:
        """The attributes that any link has, by pyroute2's names. There are thousands of links, so without its decoder."""
        found: dict[str, Any] = {}
        for name, attribute in _COMMON_NUMBERS.items():
            if attribute in self.raw:
                found[name] = int.from_bytes(self.raw[attribute], sys.byteorder)
        if IFLA_ADDRESS in self.raw:
            found["IFLA_ADDRESS"] = self.raw[IFLA_ADDRESS].hex(":")
        if IFLA_IFALIAS in self.raw:
            found["IFLA_IFALIAS"] = self.raw[IFLA_IFALIAS].rstrip(b"\0").decode(errors="replace")
        return found

    def data_attrs(self) -> dict[str, Any]:
        """The attributes of the data of its kind, by pyroute2's names."""
        if not any(attribute == 2 for attribute, _content in wire.attributes(self.raw.get(IFLA_LINKINFO, b""))):
            return {}
        message = decoded("ifinfmsg", self.data)
        info = message.get_attr("IFLA_LINKINFO")
        data: Any = info.get_attr("IFLA_INFO_DATA")
        return attributes_of(data) if hasattr(data, "get_attr") else {}

    def port_attrs(self) -> dict[int, bytes]:
        """What its bridge was told of it, by the number of the attribute (IFLA_BRPORT_*); nothing where it is no bridge's port."""
        info = dict(wire.attributes(self.raw.get(IFLA_LINKINFO, b"")))
        return dict(wire.attributes(info.get(5, b""))) if info.get(4, b"").rstrip(b"\0") == b"bridge" else {}


class Socket:
    """A netlink socket in the network namespace in which it was made; requests are answered one by one."""

    def __init__(self, protocol: int = socket.NETLINK_ROUTE) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol)
        for option in (_CAP_ACK, _EXT_ACK, _STRICT):
            # An old kernel lacks some of them, and answers in errnos only.
            with suppress(OSError):
                self._socket.setsockopt(_SOL_NETLINK, option, 1)
        self._socket.settimeout(30)
        self._sequence = 0

    def close(self) -> None:
        self._socket.close()

    def _send(self, message: bytes, kind: int, flags: int) -> None:
        self._sequence += 1
        request = bytearray(message)
        struct.pack_into("=I", request, 0, len(request))
        _TYPE_FLAGS_SEQUENCE.pack_into(request, 4, kind, NLM_F_REQUEST | flags, self._sequence)
        self._socket.send(request)

    def _replies(self) -> Iterator[tuple[int, int, bytes]]:
        """(type, flags, message) of each answer to the last request; raises KernelError where the kernel says no."""
        while True:
            data = self._socket.recv(1 << 18)
            offset = 0
            while offset < len(data):
                length, kind, flags, sequence, _pid = wire.HEADER.unpack_from(data, offset)
                message = data[offset : offset + length]
                offset += (length + 3) & ~3
                if sequence != self._sequence:
                    continue
                if kind in (NLMSG_ERROR, NLMSG_DONE):
                    code = struct.unpack_from("=i", message, 16)[0] if length >= 20 else 0
                    if code:
                        raise errors.KernelError(-code, _sentence(message, kind, flags))
                    yield kind, flags, b""
                    return
                yield kind, flags, message

    def request(self, message: bytes, kind: int, flags: int = 0) -> list[bytes]:
        """Send one request and wait for its acknowledgement; the messages that came before it."""
        self._send(message, kind, flags | NLM_F_ACK)
        return [data for _kind, _flags, data in self._replies() if data]

    def dump(self, message: bytes, kind: int) -> list[bytes]:
        """Send a dump request until an answer was not torn by a change."""
        for _attempt in range(10):
            self._send(message, kind, NLM_F_DUMP)
            torn, found = False, []
            for _kind, flags, data in self._replies():
                torn = torn or bool(flags & NLM_F_DUMP_INTR)
                if data:
                    found.append(data)
            if not torn:
                return found
        return found

    # -- links -----------------------------------------------------------------------------------------------------

    def link(self, name: str = "", index: int = 0) -> RawLink | None:
        """The link of this name or index, None where there is none."""
        attrs = [("IFLA_EXT_MASK", _SKIP_STATISTICS)]
        if name:
            attrs.append(("IFLA_IFNAME" if len(name.encode()) < 16 else "IFLA_ALT_IFNAME", name))  # type: ignore[arg-type]
        try:
            found = self.request(filled("ifinfmsg", {"index": index}, attrs), RTM_GETLINK)
        except errors.KernelError as exc:
            if exc.code in (errno.ENODEV, errno.ENXIO):
                return None
            raise
        return RawLink(found[0])

    def links(self, master: int = 0) -> list[RawLink]:
        attrs = [("IFLA_EXT_MASK", _SKIP_STATISTICS)] + ([("IFLA_MASTER", master)] if master else [])
        return [RawLink(data) for data in self.dump(filled("ifinfmsg", {}, attrs), RTM_GETLINK)]

    def nsid(self, descriptor: int) -> int:
        """The id that this namespace has for the one of the descriptor, -1 for none."""
        found = self.request(filled("nsidmsg", {}, [("NETNSA_FD", descriptor)]), RTM_GETNSID)
        for data in found:
            for attribute, content in wire.attributes(data, 20):
                if attribute == 1:
                    return int.from_bytes(content, sys.byteorder, signed=True)
        return -1

    def vlans(self) -> dict[int, list[tuple[int, bool, bool, int]]]:
        """By index, the VLANs of ports and of bridges: (vid, pvid, untagged, tunnel_id). See include/uapi/linux/if_bridge.h."""
        message = filled("ifinfmsg", {"family": AF_BRIDGE}, [("IFLA_EXT_MASK", _WITH_VLANS)])
        found: dict[int, list[tuple[int, bool, bool, int]]] = {}
        for link in map(RawLink, self.dump(message, RTM_GETLINK)):
            entries = list(wire.attributes(link.raw.get(_IFLA_AF_SPEC, b"")))
            tunnels = _tunnels_of(content for attribute, content in entries if attribute == 3)
            for attribute, content in entries:
                if attribute == 2:
                    flags, vid = struct.unpack("=HH", content[:4])
                    vlan = (vid, bool(flags & 2), bool(flags & 4), tunnels.get(vid, 0))
                    found.setdefault(link.index, []).append(vlan)
        return found

    def vnis(self) -> dict[int, list[tuple[int, str]]]:
        """By index, the VNIs that VXLAN devices with a VNI filter take: (vni, its remote or group, "" for none)."""
        found: dict[int, list[tuple[int, str]]] = {}
        try:
            answers = self.dump(_tunnel_message(0), RTM_GETTUNNEL)
        except errors.KernelError as exc:
            if exc.code in (errno.EOPNOTSUPP, errno.EINVAL):
                return found  # before Linux 5.18
            raise
        for answer in answers:
            _family, index = _TUNNEL.unpack_from(answer, wire.HEADER.size)
            for _number, entry in wire.attributes(answer[wire.HEADER.size + _TUNNEL.size :]):
                parts = dict(wire.attributes(entry))
                first = _INDEX.unpack(parts[1])[0]
                last = _INDEX.unpack(parts[2])[0] if 2 in parts else first
                remote = next((str(ipaddress.ip_address(parts[number])) for number in (3, 4) if number in parts), "")
                found.setdefault(index, []).extend((vni, remote) for vni in range(first, last + 1))
        return found

    # -- what hangs on links ---------------------------------------------------------------------------------------

    def addresses(self, index: int = 0) -> list[Any]:
        """All addresses, or those of one link (which an old kernel sends among the others)."""
        found = self.dump(filled("ifaddrmsg", {"index": index}, []), RTM_GETADDR)
        return [decoded("ifaddrmsg", data) for data in found if not index or _INDEX.unpack_from(data, 20)[0] == index]

    def routes(self, family: int, index: int = 0, table: int = 0, by_kernel: bool = True) -> list[Any]:
        """The routes of a family (AF_INET, AF_INET6), through one link or of one table where given.

        `by_kernel`: also what the kernel keeps for its own addresses (local, broadcast, anycast, multicast), which
        is most of it.
        """
        attrs = [("RTA_OIF", index)] if index else [("RTA_TABLE", table)] if table else []
        try:
            found = self.dump(filled("rtmsg", {"family": family}, attrs), RTM_GETROUTE)
        except errors.KernelError as exc:
            if table and exc.code == errno.ENOENT:
                return []  # a table comes into being with its first route
            raise
        return [
            decoded("rtmsg", data)
            for data in found
            # The header's protocol and type, told before decoding, as that costs.
            if by_kernel or not (data[21] == _RTPROT_KERNEL and data[23] in _RTN_OF_ADDRESSES)
        ]

    def neighbors(self, index: int = 0, flags: int = 0) -> list[Any]:
        """The neighbors of both address families, all or those of one link; with NTF_PROXY the addresses answered for."""
        message = filled("ndmsg", {"flags": flags}, [("NDA_IFINDEX", index)] if index else [])
        return [decoded("ndmsg", data) for data in self.dump(message, RTM_GETNEIGH)]

    def proxies(self, index: int = 0) -> list[Any]:
        """The addresses that all devices, or one of them, answer for."""
        found = [message for message in self.neighbors(index, NTF_PROXY) if message["flags"] & NTF_PROXY]
        return [message for message in found if message["ifindex"] and index in (0, message["ifindex"])]

    def fdb(self, index: int = 0) -> list[Any]:
        """The entries of forwarding databases, all or those of one link."""
        message = filled("ndmsg", {"family": AF_BRIDGE, "ifindex": index}, [])
        return [decoded("ndmsg", data) for data in self.dump(message, RTM_GETNEIGH)]

    def nexthops(self, index: int) -> list[tuple[int, bytes, Rest]]:
        """The nexthop objects on a link: (id, header, further attributes). None where the kernel has no such objects."""
        try:
            found = self.dump(extended(bytes(24), ((_NHA_OIF, _INDEX.pack(index)),)), RTM_GETNEXTHOP)
        except errors.KernelError as exc:
            if exc.code in (errno.EOPNOTSUPP, errno.EINVAL):
                return []
            raise
        nexthops = []
        for data in found:
            attrs = dict(wire.attributes(data, 24))
            if attrs.get(_NHA_OIF) == _INDEX.pack(index):
                number = int.from_bytes(attrs[_NHA_ID], sys.byteorder)
                nexthops.append((number, data[16:24], rest_of(data, 24, _NHA_OTHERS)))
        return nexthops

    def queueing(self, index: int) -> list[str]:
        """The kinds of the queueing disciplines on a link."""
        found = self.dump(bytes(16) + struct.pack("=BxxxiIII", 0, index, 0, 0, 0), RTM_GETQDISC)
        return [
            dict(wire.attributes(data, 36)).get(1, b"").rstrip(b"\0").decode()
            for data in found
            if struct.unpack_from("=i", data, 20)[0] == index
        ]

    def rules(self, family: int) -> list[Any]:
        """The policy rules of an address family; none where the kernel has no such rules."""
        try:
            found = self.dump(filled("fibmsg", {"family": family}, []), RTM_GETRULE)
        except errors.KernelError as exc:
            if exc.code in (errno.EAFNOSUPPORT, errno.EOPNOTSUPP):
                return []
            raise
        return [decoded("fibmsg", data) for data in found]


def rest_of(data: bytes, header: int, types: Container[int]) -> Rest:
    """Of a message with so long a header, the attributes of these types as they are."""
    return tuple((kind, content) for kind, content in wire.attributes(data, header) if kind in types)


def extended(message: bytes, rest: Rest) -> bytes:
    """A request with more attributes, which are taken as they are."""
    if not rest:
        return message
    whole = message + b"\0" * (-len(message) % 4) + wire.written(rest)
    return struct.pack("=I", len(whole)) + whole[4:]


def nexthop_message(header: bytes, number: int, index: int, rest: Rest) -> bytes:
    """A request about a nexthop object on a link (`struct nhmsg`, include/uapi/linux/nexthop.h)."""
    ours = ((_NHA_ID, _INDEX.pack(number)), (_NHA_OIF, _INDEX.pack(index)))
    # The scope is the kernel's to say, and of the flags all but RTNH_F_ONLINK.
    family, _scope, protocol, flags = struct.unpack("=BBBxI", header)
    return extended(bytes(16) + struct.pack("=BBBxI", family, 0, protocol, flags & 4), (*ours, *rest))


def _sentence(message: bytes, kind: int, flags: int) -> str:
    """The kernel's own words in an answer (NLMSGERR_ATTR_MSG), "" where it has none."""
    start = 36 if kind == NLMSG_ERROR else 20
    if kind == NLMSG_ERROR and not flags & 0x100:
        start = 20 + struct.unpack_from("=I", message, 20)[0]
    for attribute, content in wire.attributes(message, (start + 3) & ~3):
        if attribute == 1:
            return content.rstrip(b"\0").decode(errors="replace")
    return ""


_encoded: dict[str, bytes] = {}
_WRITTEN: dict[str, wire.Shape] = {
    "ifinfmsg": wire.LINK,
    "ifaddrmsg": wire.ADDRESS,
    "rtmsg": wire.ROUTE,
    "nsidmsg": wire.NSID,
}
_READ: dict[str, wire.Shape] = {"ifaddrmsg": wire.ADDRESS, "rtmsg": wire.ROUTE}


def filled(kind: str, fields: Mapping[str, Any], attrs: Any) -> bytes:
    """A request of the kind that pyroute2 calls so, with these header fields and attributes, but for what `Socket` puts into its head."""
    shape = _WRITTEN.get(kind)
    if shape:
        with suppress(wire.Unknown):
            return shape.encode(fields, attrs)
    # Many are asked the same things, and encoding costs more than the kernel's answer.
    key = f"{kind}{fields}{attrs}"
    if key not in _encoded:
        message = message_class(kind)()
        for name, value in fields.items():
            message[name] = value
        message["attrs"] = attrs
        message.encode()
        if len(_encoded) > 500:
            _encoded.clear()
        _encoded[key] = bytes(message.data)
    return _encoded[key]


def decoded(kind: str, data: bytes) -> Any:
    """A message of the kind that pyroute2 calls so, from the bytes of an answer.

    Hold on to it as long as something in it is asked: pyroute2 decodes what is nested when it is asked for, and refers to
    the message weakly. When that was collected meanwhile, what comes are bytes.
    """
    shape = _READ.get(kind)
    if shape:
        with suppress(wire.Unknown):
            return shape.decode(data)
    message = message_class(kind)(data)
    message.decode()
    return message


def attributes_of(message: Any) -> dict[str, Any]:
    """The attributes of a decoded message by name: where several are looked at, much faster than `get_attr`."""
    return {slot[0]: slot[1] for slot in message["attrs"]}


def link_message(attrs: Any, index: int = 0, flags: int = 0, change: int = 0) -> bytes:
    """A request about links (`struct ifinfomsg`)."""
    return filled("ifinfmsg", {"index": index, "flags": flags, "change": change}, attrs)


def vlan_message(index: int, vid: int, last: int, pvid: bool, untagged: bool, itself: bool) -> bytes:
    """A request about a VLAN of a port, or about all up to `last`; or of a bridge `itself`."""
    flags = 2 * pvid | 4 * untagged
    ends = [(vid, flags | _RANGE_BEGIN), (last, flags | _RANGE_END)] if last > vid else [(vid, flags)]
    infos = [("IFLA_BRIDGE_VLAN_INFO", {"flags": flags, "vid": number}) for number, flags in ends]
    attrs = [("IFLA_BRIDGE_FLAGS", 2), *infos] if itself else infos
    return filled("ifinfmsg", {"family": AF_BRIDGE, "index": index}, [("IFLA_AF_SPEC", {"attrs": attrs})])


def _tunnels_of(entries: Iterable[bytes]) -> dict[int, int]:
    """By VLAN, the id of its tunnel, from what IFLA_BRIDGE_VLAN_TUNNEL_INFO has. A range is two entries, its ends."""
    found: dict[int, int] = {}
    begin = 0
    for entry in entries:
        parts = {number: int.from_bytes(content, sys.byteorder) for number, content in wire.attributes(entry)}
        tunnel, vid, flags = (parts.get(number, 0) for number in (1, 2, 3))
        first = begin if flags & _RANGE_END else vid
        found.update({number: tunnel - vid + number for number in range(first, vid + 1)})
        begin = vid
    return found


def tunnel_message(index: int, vid: int, last: int, tunnel: int) -> bytes:
    """A request about the tunnel that a VLAN of a port goes through, or all up to `last`, each through its own."""
    ends = [(vid, _RANGE_BEGIN), (last, _RANGE_END)] if last > vid else [(vid, 0)]
    infos = [
        wire.written(
            (
                (1, _INDEX.pack(tunnel + number - vid)),
                (2, struct.pack("=H", number)),
                (3, struct.pack("=H", flags)),
            )
        )
        for number, flags in ends
    ]
    message = filled("ifinfmsg", {"family": AF_BRIDGE, "index": index}, [])
    content = wire.written((3 | _NLA_F_NESTED, info) for info in infos)
    return extended(message, ((_IFLA_AF_SPEC | _NLA_F_NESTED, content),))


_TUNNEL = struct.Struct("=BxxxI")
"""`struct tunnel_msg`: family, flags, index."""


def vni_message(index: int, vni: int, last: int, remote: str) -> bytes:
    """A request about a VNI of a VXLAN device with a VNI filter, or about all up to `last`: VXLAN_VNIFILTER_ENTRY_*."""
    parts = [(1, _INDEX.pack(vni))]
    if last > vni:
        parts.append((2, _INDEX.pack(last)))
    if remote:
        parts.append((4 if ":" in remote else 3, ipaddress.ip_address(remote).packed))
    return _tunnel_message(index, wire.written([(1 | _NLA_F_NESTED, wire.written(parts))]))


def _tunnel_message(index: int, attrs: bytes = b"") -> bytes:
    length = wire.HEADER.size + _TUNNEL.size + len(attrs)
    return wire.HEADER.pack(length, 0, 0, 0, 0) + _TUNNEL.pack(AF_BRIDGE, index) + attrs


_LAYOUTS = {2: "=H", 3: "=I", 42: "=I"}
"""Of the attributes of ports that have more than one byte."""
_IFLA_PROTINFO, _NLA_F_NESTED = 12, 0x8000


def port_message(index: int, attrs: Mapping[int, int]) -> bytes:
    """A request about what a bridge is told of a port, by the numbers of attributes (IFLA_BRPORT_*)."""
    content = wire.written((number, struct.pack(_LAYOUTS.get(number, "=B"), value)) for number, value in attrs.items())
    message = filled("ifinfmsg", {"family": AF_BRIDGE, "index": index}, [])
    return extended(message, ((_IFLA_PROTINFO | _NLA_F_NESTED, content),))


def address_message(fields: Mapping[str, Any], attrs: Any) -> bytes:
    """A request about addresses (`struct ifaddrmsg`)."""
    return filled("ifaddrmsg", fields, attrs)


def route_message(fields: Mapping[str, Any], attrs: Any) -> bytes:
    """A request about routes (`struct rtmsg`)."""
    return filled("rtmsg", fields, attrs)


def rule_message(fields: Mapping[str, Any], attrs: Any) -> bytes:
    """A request about rules (`struct fib_rule_hdr`)."""
    return filled("fibmsg", fields, attrs)


def neighbor_message(fields: Mapping[str, Any], attrs: Any) -> bytes:
    """A request about neighbours or FDB entries (`struct ndmsg`)."""
    return filled("ndmsg", fields, attrs)
