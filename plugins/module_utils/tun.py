# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""TUN and TAP devices through /dev/net/tun: the only way to make them (Documentation/networking/tuntap.rst)."""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Callable, Mapping
from typing import Any

from . import errors

DEVICE = "/dev/net/tun"
TUNSETIFF, TUNSETPERSIST, TUNSETOWNER, TUNSETGROUP = 0x400454CA, 0x400454CB, 0x400454CC, 0x400454CE
IFF_TUN, IFF_TAP, IFF_MULTI_QUEUE, IFF_NO_PI, IFF_VNET_HDR, IFF_TUN_EXCL = 0x1, 0x2, 0x100, 0x1000, 0x4000, 0x8000


def _flags(options: Mapping[str, Any]) -> int:
    flags = IFF_TAP if options["mode"] == "tap" else IFF_TUN
    flags |= IFF_MULTI_QUEUE if options.get("multi_queue") else 0
    flags |= IFF_VNET_HDR if options.get("vnet_hdr") else 0
    return flags | (0 if options.get("packet_info") else IFF_NO_PI)


def _attach(name: str, flags: int) -> int:
    """Open the device, or with IFF_TUN_EXCL make it; it lasts as long as the descriptor unless made persistent."""
    try:
        descriptor = os.open(DEVICE, os.O_RDWR | os.O_CLOEXEC)
    except OSError as exc:
        raise errors.KernelError(exc.errno or 0, f"{DEVICE}: {os.strerror(exc.errno or 0)}") from None
    try:
        fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH22x", name.encode(), flags))
    except OSError as exc:
        os.close(descriptor)
        raise errors.KernelError(exc.errno or 0) from None
    return descriptor


def _set(descriptor: int, request: int, value: int) -> None:
    try:
        fcntl.ioctl(descriptor, request, value)
    except OSError as exc:
        raise errors.KernelError(exc.errno or 0) from None


def add(name: str, options: Mapping[str, Any], before_it_stays: Callable[[], None] = lambda: None) -> None:
    """Make a persistent device in the network namespace of the calling thread; `owner` and `group` are numbers.

    `before_it_stays` is called while the device would still vanish with this process.
    """
    descriptor = _attach(name, _flags(options) | IFF_TUN_EXCL)
    try:
        if "owner" in options:
            _set(descriptor, TUNSETOWNER, options["owner"])
        if "group" in options:
            _set(descriptor, TUNSETGROUP, options["group"])
        before_it_stays()
        _set(descriptor, TUNSETPERSIST, 1)
    finally:
        os.close(descriptor)


def change(name: str, options: Mapping[str, Any]) -> None:
    """Change the owner or the group of a device that is there. `options` holds its other flags too, which stay."""
    descriptor = _attach(name, _flags(options))
    try:
        if "owner" in options:
            _set(descriptor, TUNSETOWNER, options["owner"])
        if "group" in options:
            _set(descriptor, TUNSETGROUP, options["group"])
    finally:
        os.close(descriptor)
