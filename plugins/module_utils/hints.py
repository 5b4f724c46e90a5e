# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""What to do about a refusal of the kernel, and which kernel has what this one lacks."""

from __future__ import annotations

import errno
import platform
import re
from collections.abc import Iterable

from . import attachments, link_operations, port_operations, sysctl
from .kinds import kind_of
from .kinds.base import Option
from .kinds.bridge_port import PORT_TABLE
from .operations import NamespaceAdd, Operation, SysctlSet
from .rows import Fdb, Route

HINTS: dict[tuple[type, int], str] = {
    (link_operations.LinkAdd, errno.EEXIST): "a device of that name came up meanwhile, run the task again",
    (link_operations.LinkAdd, errno.ENOENT): "load the module 'tun', or give the container its /dev/net/tun",
    (
        link_operations.LinkAdd,
        errno.EBUSY,
    ): "the device under it is a port already, or carries devices of a kind that excludes this one",
    (link_operations.LinkSet, errno.ENETDOWN): "the device under it is down",
    (link_operations.LinkSet, errno.EBUSY): "a program or another device holds it",
    (
        link_operations.LinkSet,
        errno.EADDRINUSE,
    ): "its 'dstport' is that of another program, or of another tunnel that is not the same in 'external', 'gbp' and the like",
    (attachments.AltnameAdd, errno.EEXIST): "another device has that name already",
    (port_operations.VlanAdd, errno.EOPNOTSUPP): f"the running kernel ({platform.release()}) has no VLANs of bridges",
    (
        link_operations.LinkMove,
        errno.EBUSY,
    ): "before Linux 6.2 only a device that is down can be given another name: set it down first",
    (SysctlSet, errno.EROFS): "/proc/sys is mounted read-only here",
    (SysctlSet, errno.EACCES): "this key may only be read here",
    (SysctlSet, errno.ENOENT): f"the running kernel ({platform.release()}) has no such key, or its module isn't loaded",
    (NamespaceAdd, errno.EPERM): "making namespaces needs root: add 'become: true'",
}


def hint_for(operation: Operation, code: int) -> str:
    """What to do about a refusal, "" where the kernel's words have to do."""
    if (
        isinstance(operation, link_operations.LinkSet)
        and code in (errno.EINVAL, errno.ERANGE)
        and "mtu" in operation.changes
    ):
        return (
            "a device on another one carries at most that one's MTU less the overhead (VXLAN: 50 bytes, 70 over IPv6)"
        )
    if isinstance(operation, link_operations.LinkSet) and code == errno.EBUSY and operation.changes.get("master"):
        return "it is a port of Open vSwitch, or carries devices of a kind that takes its frames: see 'ip -d link'"
    if isinstance(operation, link_operations.LinkSet) and code == errno.EADDRINUSE and "mac" in operation.changes:
        return "the device under it has this MAC, or another one on that: see 'ip link'"
    if isinstance(operation, attachments.AddressAdd) and code == errno.EINVAL and operation.addr.family == 6:
        return "a device with an MTU below 1280 has no IPv6: give it a larger 'mtu'"
    if isinstance(operation, SysctlSet) and code == errno.ENOENT and sysctl.is_of_device(operation.key):
        return "no such device is there, or the running kernel has no such key for it"
    if isinstance(operation, (attachments.RowAdd, attachments.RowReplace)):
        return of_row(operation, code)
    return (
        too_old([operation])
        or lacking(operation, code)
        or beside_others(operation, code)
        or HINTS.get((type(operation), code), "")
    )


def lacking(operation: Operation, code: int) -> str:
    """What to do where the kernel may lack a whole kind of device."""
    if not isinstance(operation, link_operations.LinkAdd) or code != errno.EOPNOTSUPP:
        return ""
    return (
        f"the running kernel ({platform.release()}) has no such device, or lacks one of these options:"
        f" 'modprobe {operation.kind.name}' tells which"
    )


def of_row(operation: attachments.RowAdd | attachments.RowReplace, code: int) -> str:
    """What to do about a row of a table that the kernel does not take."""
    row = operation.row if isinstance(operation, attachments.RowAdd) else operation.new
    if isinstance(row, Fdb) and row.vlan and code == errno.EINVAL:
        return f"{operation.device} has to carry VLAN {row.vlan} for that, and its bridge to filter VLANs"
    if isinstance(row, Route) and row.family == 6 and row.source and code == errno.EINVAL:
        return f"{row.source} has to be on a device, and to have passed duplicate address detection, for which that needs a carrier"
    if isinstance(row, Route):
        return ROUTE_HINTS.get(code, "")
    return ""


ROUTE_HINTS = {
    errno.ENETUNREACH: "no address of a device leads to the gateway: give the device one of its network, or the route 'device' and 'onlink'",
    errno.ENETDOWN: "the device has to be up",
}


def beside_others(operation: Operation, code: int) -> str:
    """Which device the kernel may not want a new one beside, "" where it is not that."""
    if not isinstance(operation, link_operations.LinkAdd):
        return ""
    kind = operation.kind
    if code == errno.EEXIST and kind.unique:
        same = " and ".join(kind.unique)
        return f"another device came up with that name, or is a {kind.name} of the same {same}: see 'ip -d link show type {kind.name}'"
    if code == errno.EINVAL and kind.exclusive:
        whose = "in this mode it has" if kind.same_mac(operation.options) else "another device may have"
        return f"{whose} the device under it to itself: see by 'ip -d link' what else stands on that"
    return ""


def too_old(operations: Iterable[Operation]) -> str:
    """What of these operations only newer kernels than the running one can do, "" where there is none.

    A kernel that doesn't know an attribute refuses it, or passes over it in silence. Distributions bring things to older
    kernels, so the version alone is no reason to refuse.
    """
    release = platform.release()
    found: dict[str, str] = {}
    for operation in operations:
        asked: list[Option] = []
        if isinstance(operation, link_operations.LinkAdd):
            asked = [operation.kind.table[name] for name in operation.options]
        elif isinstance(operation, link_operations.LinkSet):
            asked = [kind_of(operation.kind).table[name] for name in operation.changes]
        elif isinstance(operation, port_operations.PortSet):
            asked = [PORT_TABLE[name] for name in operation.changes]
        for option in asked:
            name, since = option.name, option.since
            if since and _numbers(release) < _numbers(since):
                found[name] = f"{name} needs Linux {since} or newer"
    return f"{', '.join(found.values())}, and this is {release}" if found else ""


def _numbers(release: str) -> tuple[int, ...]:
    """A kernel's version as what can be compared."""
    return tuple(int(part) for part in re.findall(r"[0-9]+", release)[:2])
